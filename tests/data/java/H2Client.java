// SPDX-License-Identifier: MIT
package prog;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Random;
import java.util.zip.CRC32;

/**
 * A client of an H2 server: inserts, updates and selects, each SQL text recorded as the argument
 * the server's own method will get. Says the checksum of all it got back.
 */
final class H2Client {
	private static final int SEED = 7;

	private final Statement statement;
	private final Random random = new Random(SEED);
	private final CRC32 results = new CRC32();
	private boolean recording;
	private int rows;

	private H2Client(Statement statement) {
		this.statement = statement;
	}

	private void record(String sql) {
		if (recording)
			Rec.write("{\"args\":[" + Rec.textArgument(sql) + "]}\n");
	}

	private void update(String sql) throws SQLException {
		record(sql);
		results.update(statement.executeUpdate(sql));
	}

	private void query(String sql) throws SQLException {
		record(sql);
		try (ResultSet r = statement.executeQuery(sql)) {
			while (r.next())
				results.update((r.getString(1) + "|" + r.getString(2)).getBytes());
		}
	}

	private String text() {
		StringBuilder b = new StringBuilder();
		String letters = random.nextInt(3) == 0 ? "abc\u00e4\u20ac\u65e5\ud83d\ude00" : "abcdefgh ";
		int[] points = letters.codePoints().toArray();
		for (int n = random.nextInt(random.nextInt(10) == 0 ? 400 : 30); n > 0; n--)
			b.appendCodePoint(points[random.nextInt(points.length)]);
		return b.toString();
	}

	private void go(int n) throws SQLException {
		for (int i = 0; i < n; i++) {
			int id = rows == 0 ? 0 : random.nextInt(rows);
			switch (i % 4) {
			case 0:
				update("INSERT INTO ITEM VALUES(" + rows++ + ", '" + text() + "', "
					+ random.nextInt(1000) + ")");
				break;
			case 1:
				query("SELECT NAME, PRICE FROM ITEM WHERE ID = " + id);
				break;
			case 2:
				update("UPDATE ITEM SET PRICE = PRICE + 1 WHERE ID = " + id);
				break;
			default:
				query("SELECT COUNT(*), MAX(PRICE) FROM ITEM WHERE ID BETWEEN " + id + " AND "
					+ (id + 10));
			}
		}
	}

	/** As if nothing had been done yet: what comes is the same, whatever was before. */
	private void anew() throws SQLException {
		statement.execute("DELETE FROM ITEM");
		random.setSeed(SEED);
		results.reset();
		rows = 0;
	}

	public static void main(String[] argv) throws Exception {
		try (Connection c = DriverManager.getConnection(argv[0], "sa", "");
				Statement s = c.createStatement()) {
			H2Client client = new H2Client(s);
			s.execute("CREATE TABLE ITEM(ID INT PRIMARY KEY, NAME VARCHAR, PRICE INT)");
			Ctl.ready(0);
			for (;;) {
				String[] cmd = Ctl.command();
				client.recording = cmd[0].equals("record");
				if (cmd[0].equals("anew"))
					client.anew();
				else
					client.go(Integer.parseInt(cmd[1]));
				Ctl.done(client.results.getValue());
			}
		}
	}
}
