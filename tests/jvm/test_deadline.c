// SPDX-License-Identifier: MIT
/*
 * test_deadline.c - whatever happens to what we print: the first signal takes the probes off at
 * once, the command ends soon after, and what was not written is counted. One busy JVM for all.
 */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/cmocka_all.h"
#include "lib/exact.h"

#define WORK "prog.Busy.work"

/* What is promised, and what a machine that is busy with other tests may add. */
#define PROBES_MS 500
#define END_MS	  2000
#define LATE_MS	  2500
#define TRIES_MAX 4

static struct jvm j;

/* hotprobe, with pipes that nobody reads unless the test does. */
struct stuck {
	pid_t pid;
	int out, err; /* our ends; -1 */
};

enum what { OUT = 1, ERR = 2 }; /* goes to a pipe of its own; else to /dev/null */

static int start_jvm(void **state)
{
	const char *const flags[] = {"-XX:CompileCommand=dontinline,prog.Busy::*", NULL};

	if (test_setup(state))
		return -1;
	jvm_start(&j, jdk_or_skip("jdk17"), flags, (const char *const[]){"prog.Busy", NULL});
	jvm_ready(&j);
	free(jvm_ask(&j, "start 2"));
	return 0;
}

static int stop_jvm(void **state)
{
	char *answer = jvm_ask(&j, "stop");

	assert_memory_equal(answer, "0 errors", 8);
	free(answer);
	jvm_check_unhurt(&j);
	jvm_quit(&j);
	jvm_free(&j);
	return test_cleanup(state);
}

/* --- hotprobe --------------------------------------------------------------------------------- */

static void become(const struct stuck *s, const char *const *argv, int out, int err)
{
	int null = open("/dev/null", O_RDWR);

	setpgid(0, 0);
	dup2(null, 0);
	dup2(s->out >= 0 ? out : null, 1);
	dup2(s->err >= 0 ? err : null, 2);
	execv(env_bin(), (char *const *)argv);
	_exit(127);
}

static void start(struct stuck *s, int pipes, const char *const *argv)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1};

	if (pipes & OUT)
		assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	if (pipes & ERR)
		assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	s->out = out[0];
	s->err = err[0];
	s->pid = fork();
	if (s->pid == 0)
		become(s, argv, out[1], err[1]);
	close_cleanup(&out[1]);
	close_cleanup(&err[1]);
}

/* hotprobe @command -p PID @args */
static void start_on_jvm(struct stuck *s, int pipes, const char *command, const char *const *args)
{
	const char *argv[16] = {"hotprobe", command, "-p"};
	char pid[16];
	size_t n = 3;

	snprintf(pid, sizeof(pid), "%d", j.pid);
	argv[n++] = pid;
	while (*args)
		argv[n++] = *args++;
	argv[n] = NULL;
	start(s, pipes, argv);
}

static bool is_probed(pid_t pid)
{
	char path[32], line[512];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, "memfd:hotprobe") != NULL;
	if (f)
		fclose(f);
	return found;
}

static void await_probed(bool probed)
{
	uint64_t until = mono_ms() + HP_TIMEOUT_MS;

	while (is_probed(j.pid) != probed) {
		assert_true(mono_ms() < until);
		pause_ms(5);
	}
}

/* Until the pipe has been full for a while: its reader is stuck. */
static void await_full(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int had = -1, has = 0;

	assert_int_equal(poll(&p, 1, HP_TIMEOUT_MS), 1);
	while (has != had || has < 32768) {
		had = has;
		pause_ms(200);
		assert_int_equal(ioctl(fd, FIONREAD, &has), 0);
	}
}

/* Return: milliseconds until it has ended; its @status. */
static uint64_t await_end(struct stuck *s, uint64_t from, int *status)
{
	while (waitpid(s->pid, status, WNOHANG) != s->pid) {
		if (mono_ms() - from > HP_TIMEOUT_MS) {
			kill(s->pid, SIGKILL);
			fail_msg("hotprobe does not end");
		}
		pause_ms(5);
	}
	return mono_ms() - from;
}

static char *read_rest(int *fd)
{
	char *text = NULL;
	size_t len = 0;
	FILE *all = open_memstream(&text, &len);
	char buf[65536];
	ssize_t n;

	while ((n = read(*fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, all);
	fclose(all);
	close(*fd);
	*fd = -1;
	return text;
}

/* Its pipes are read, to the end that must come. */
static void finish(struct stuck *s, char **out, char **err)
{
	char *text = s->out >= 0 ? read_rest(&s->out) : NULL;

	if (out)
		*out = text;
	else
		free(text);
	text = s->err >= 0 ? read_rest(&s->err) : NULL;
	if (err)
		*err = text;
	else
		free(text);
}

/* --- one end ---------------------------------------------------------------------------------- */

struct end {
	const char *what;
	int pipes, sig;
	const char *command;
	const char *const *args;
	bool probes; /* it has some */
	int status;
	bool said; /* on stderr: what was lost */
};

/* Return: was it in time? */
static bool ends_in_time(const struct end *e)
{
	uint64_t from, probes_ms = 0, end_ms;
	char *out, *err = NULL;
	struct stuck s;
	int status;

	start_on_jvm(&s, e->pipes, e->command, e->args);
	if (e->pipes & OUT)
		await_full(s.out);
	if (e->probes && e->sig)
		await_probed(true);
	from = mono_ms();
	if (e->sig)
		kill(s.pid, e->sig);
	if (e->probes) {
		await_probed(false);
		probes_ms = mono_ms() - from;
	}
	end_ms = await_end(&s, from, &status);
	print_message("    %s: probes %llu ms, end %llu ms\n", e->what,
		      (unsigned long long)probes_ms, (unsigned long long)end_ms);
	assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
			 e->status);
	finish(&s, &out, &err);
	if (e->said)
		assert_non_null(strstr(err, "not written"));
	/* What a pipe takes, it takes in whole lines. */
	if (out && *out)
		assert_int_equal(out[strlen(out) - 1], '\n');
	free(out);
	free(err);
	return probes_ms <= PROBES_MS && end_ms <= END_MS;
}

/* A machine that is busy may make it late, but not each time. */
static void check_end(const struct end *e)
{
	int tries = 1;

	while (!ends_in_time(e))
		assert_in_range(++tries, 0, TRIES_MAX);
}

static const char *const text[] = {WORK, NULL}, *const json[] = {"--json", WORK, NULL},
			 *const timed[] = {"--json", "-d", "2", WORK, NULL},
			 *const watch[] = {"-w", "--json", NULL}, *const list[] = {"--json", NULL};

/* Nobody reads stdout: with each signal, in text and JSON, at the end of -d; and for listings. */
static void deadline_stdout_is_not_read(void **state _unused_)
{
	static const struct end ends[] = {
		{"text, SIGINT", OUT | ERR, SIGINT, "trace", text, true, 0, true},
		{"JSON, SIGTERM", OUT | ERR, SIGTERM, "trace", json, true, 0, true},
		{"JSON, SIGHUP", OUT | ERR, SIGHUP, "trace", json, true, 0, true},
		{"methods -w", OUT | ERR, SIGINT, "methods", watch, false, 0, true},
		{"methods", OUT | ERR, SIGTERM, "methods", list, false, 0, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		check_end(&ends[i]);
}

/* Its time is up: the same, without a signal. */
static void deadline_duration(void **state _unused_)
{
	uint64_t from;
	struct stuck s;
	char *err;
	int status;

	start_on_jvm(&s, OUT | ERR, "trace", timed);
	await_probed(true);
	await_probed(false);
	from = mono_ms();
	assert_in_range(await_end(&s, from, &status), 0, END_MS + LATE_MS);
	assert_int_equal(status, 0);
	finish(&s, NULL, &err);
	assert_non_null(strstr(err, "not written"));
	free(err);
}

/* Nobody reads stderr, nor where both go to one pipe. */
static void deadline_stderr_is_not_read(void **state _unused_)
{
	uint64_t from;
	struct stuck s;
	int status, full[2];
	static const char page[4096];

	assert_int_equal(pipe2(full, O_CLOEXEC), 0);
	assert_true(fcntl(full[1], F_SETPIPE_SZ, 4096) > 0);
	assert_int_equal(write(full[1], page, sizeof(page)), sizeof(page));
	for (int both = 0; both < 2; both++) {
		const char *argv[] = {"hotprobe", "trace", "-p", "", WORK, NULL};
		char pid[16];

		snprintf(pid, sizeof(pid), "%d", j.pid);
		argv[3] = pid;
		s = (struct stuck){.out = both ? 0 : -1, .err = 0};
		s.pid = fork();
		if (s.pid == 0)
			become(&s, argv, full[1], full[1]);
		await_probed(true);
		from = mono_ms();
		kill(s.pid, SIGINT);
		await_probed(false);
		assert_in_range(await_end(&s, from, &status), 0, END_MS + LATE_MS);
		assert_int_equal(status, 0);
	}
	close(full[0]);
	close(full[1]);
}

/* A client that is stopped cannot hold the probes: its engine ends by its own SIGTERM. */
static void deadline_engine_of_stopped_client(void **state _unused_)
{
	struct stuck s;
	int status;

	start_on_jvm(&s, OUT, "trace", json);
	await_full(s.out);
	kill(s.pid, SIGSTOP);
	kill(child_named(s.pid, "hotprobe-engine"), SIGTERM);
	await_probed(false);
	kill(s.pid, SIGCONT);
	await_end(&s, mono_ms(), &status);
	assert_int_equal(status, 0);
	finish(&s, NULL, NULL);
}

/* A client that is killed while its reader is stuck leaves no process behind, and no probes. */
static void deadline_killed_client(void **state _unused_)
{
	struct stuck s;
	int status;
	char *out;

	start_on_jvm(&s, OUT, "trace", json);
	await_full(s.out);
	kill(s.pid, SIGKILL);
	await_probed(false);
	await_end(&s, mono_ms(), &status);
	finish(&s, &out, NULL); /* the writer is gone: the end of the pipe comes */
	assert_int_equal(out[strlen(out) - 1], '\n');
	free(out);
}

/* --- every call is accounted for -------------------------------------------------------------- */

struct sums {
	uint64_t entries, lost;
	json_t *detached;
};

static void add_line(struct sums *s, const char *line)
{
	json_t *o = json_line(line);
	const char *event = json_text(o, "event");

	if (!o)
		fail_msg("not a whole line: '%s'", line);
	s->entries += !strcmp(event, "entry");
	if (!strcmp(event, "lost"))
		s->lost += (uint64_t)json_integer_value(json_object_get(o, "count"));
	if (!strcmp(event, "detached"))
		s->detached = json_incref(o);
	json_decref(o);
}

static void add_text(struct sums *s, char *lines)
{
	char *save = NULL;

	for (char *l = strtok_r(lines, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		add_line(s, l);
}

static void add_file(struct sums *s, const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	assert_non_null(f);
	while ((n = getline(&line, &cap, f)) > 0) {
		assert_int_equal(line[n - 1], '\n');
		add_line(s, line);
	}
}

static void check_sums(struct sums *s, bool lost)
{
	json_t *d = s->detached;
	uint64_t hits;

	assert_non_null(d);
	hits = (uint64_t)json_integer_value(json_object_get(d, "hits"));
	assert_int_equal(json_integer_value(json_object_get(d, "events")), s->entries);
	assert_int_equal(json_integer_value(json_object_get(d, "lost")), s->lost);
	assert_int_equal(s->entries + s->lost, hits);
	assert_int_equal(s->lost > 0, lost);
	assert_true(json_is_true(json_object_get(d, "restored")));
	json_decref(d);
}

/* A reader that wakes up in time still gets the last lines, and they add up: entries and lost calls
 * are all the calls that there were. */
static void deadline_late_reader_gets_the_sum(void **state _unused_)
{
	struct sums sums = {0};
	struct stuck s;
	int status;
	char *out;

	start_on_jvm(&s, OUT, "trace", json);
	await_full(s.out);
	kill(s.pid, SIGINT);
	await_probed(false);
	finish(&s, &out, NULL);
	await_end(&s, mono_ms(), &status);
	assert_int_equal(status, 0);
	add_text(&sums, out);
	check_sums(&sums, true);
	free(out);
}

/* logrotate: the file is renamed, SIGHUP opens it anew. No line is split, none is missing. */
static void deadline_rotated_log(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *path = NULL, *old = NULL;
	const char *args[] = {"--json", "-o", NULL, WORK, NULL};
	struct sums sums = {0};
	struct stuck s;
	int status;
	char *err;

	assert_true(asprintf(&path, "%s/log", dir) > 0);
	args[2] = path;
	start_on_jvm(&s, ERR, "trace", args);
	await_probed(true);
	for (int i = 0; i < 3; i++) {
		struct stat st = {0};

		assert_true(asprintf(&old, "%s.%d", path, i) > 0);
		while (stat(path, &st) || st.st_size < 100000)
			pause_ms(5);
		assert_int_equal(rename(path, old), 0);
		kill(s.pid, SIGHUP);
		while (stat(path, &st))
			pause_ms(5);
		free(take_ptr(old));
	}
	kill(s.pid, SIGINT);
	await_end(&s, mono_ms(), &status);
	assert_int_equal(status, 0);
	for (int i = 0; i < 3; i++) {
		assert_true(asprintf(&old, "%s.%d", path, i) > 0);
		add_file(&sums, old);
		assert_null(sums.detached);
		free(take_ptr(old));
	}
	add_file(&sums, path);
	finish(&s, NULL, &err);
	check_sums(&sums, sums.lost > 0); /* reading the disk may be slower than the JVM */
	free(err);
}

/* With -o, too, SIGHUP is the end when the terminal is gone that hotprobe was started from. */
static void deadline_terminal_is_gone(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *path = NULL;
	const char *argv[] = {"hotprobe", "trace", "-p", NULL, "-o", NULL, WORK, NULL};
	struct stuck s;
	char pid[16];
	int status, terminal;

	assert_true(asprintf(&path, "%s/out", dir) > 0);
	snprintf(pid, sizeof(pid), "%d", j.pid);
	argv[3] = pid;
	argv[5] = path;
	s.pid = forkpty(&terminal, NULL, NULL, NULL);
	if (s.pid == 0) {
		execv(env_bin(), (char *const *)argv);
		_exit(127);
	}
	await_probed(true);
	close(terminal);
	await_probed(false);
	await_end(&s, mono_ms(), &status);
	assert_int_equal(status, 0);
}

/* A full disk: the file ends with a whole line, it is said once, and with room again all goes on.
 */
static void deadline_full_disk(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *path = NULL;
	const char *args[] = {"--json", "-o", NULL, WORK, NULL};
	struct sums sums = {0}, first = {0};
	struct stat st = {0};
	struct stuck s;
	int status;
	char *err;

	test_needs_root();
	assert_int_equal(mount("none", dir, "tmpfs", 0, "size=256k"), 0);
	assert_true(asprintf(&path, "%s/out", dir) > 0);
	args[2] = path;
	start_on_jvm(&s, ERR, "trace", args);
	while (stat(path, &st) || st.st_size < 256000)
		pause_ms(5);
	pause_ms(500); /* of a full disk */
	add_file(&first, path);
	assert_int_equal(truncate(path, 0), 0);
	do {
		pause_ms(5);
		assert_int_equal(stat(path, &st), 0);
	} while (st.st_size < 256000);
	kill(s.pid, SIGINT);
	await_probed(false);
	await_end(&s, mono_ms(), &status);
	assert_int_equal(status, 1 << 8);
	finish(&s, NULL, &err);
	add_file(&sums, path);
	assert_true(sums.entries > 0);
	assert_non_null(strstr(err, "No space left"));
	assert_non_null(strstr(err, "calls are missing"));
	free(err);
	assert_int_equal(umount2(dir, MNT_DETACH), 0);
}

/* A FIFO that nobody reads: nothing is begun, and a signal ends it. */
static void deadline_fifo_without_reader(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *path = NULL;
	const char *args[] = {"-o", NULL, WORK, NULL};
	struct stuck s;
	uint64_t from;
	int status;

	assert_true(asprintf(&path, "%s/fifo", dir) > 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	args[1] = path;
	start_on_jvm(&s, 0, "trace", args);
	pause_ms(300);
	assert_false(is_probed(j.pid));
	from = mono_ms();
	kill(s.pid, SIGTERM);
	assert_in_range(await_end(&s, from, &status), 0, END_MS + LATE_MS);
	assert_int_equal(status, 0);
}

/* --- run -------------------------------------------------------------------------------------- */

/* The probes go at the signal, though the command takes no notice of it; the status is its own. */
static void deadline_run(void **state _unused_)
{
	_cleanup_free_ char *script = NULL;
	const char *argv[] = {"hotprobe", "run", "--json", "prog.Run.step", "--", "sh",
			      "-c",	  NULL,	 NULL};
	pid_t pids[8], java = 0;
	struct stuck s;
	uint64_t from;
	int status;

	assert_true(asprintf(&script,
			     "trap 'kill $J; wait; exit 9' USR1; trap '' TERM; %s -cp %s "
			     "-Xrs -Xcomp -XX:CompileCommand=quiet "
			     "-XX:CompileCommand=compileonly,prog.Run::step prog.Run a 600000 "
			     ">/dev/null & J=$!; while :; do wait; done",
			     j.jdk->java, env_classes()) > 0);
	argv[7] = script;
	start(&s, OUT, argv);
	await_full(s.out);
	while (!java) {
		size_t n = child_descendants(s.pid, pids, ARRAY_SIZE(pids));

		for (size_t i = 0; i < n; i++)
			java = is_probed(pids[i]) ? pids[i] : java;
	}
	from = mono_ms();
	kill(s.pid, SIGTERM);
	while (is_probed(java))
		assert_true(mono_ms() - from < PROBES_MS + LATE_MS);
	kill(java, SIGKILL);
	kill(child_named(s.pid, "sh"), SIGUSR1);
	await_end(&s, from, &status);
	assert_int_equal(status, 9 << 8);
	finish(&s, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deadline_stdout_is_not_read),
		cmocka_unit_test(deadline_duration),
		cmocka_unit_test(deadline_stderr_is_not_read),
		cmocka_unit_test(deadline_engine_of_stopped_client),
		cmocka_unit_test(deadline_killed_client),
		cmocka_unit_test(deadline_late_reader_gets_the_sum),
		cmocka_unit_test(deadline_rotated_log),
		cmocka_unit_test(deadline_terminal_is_gone),
		cmocka_unit_test(deadline_full_disk),
		cmocka_unit_test(deadline_fifo_without_reader),
		cmocka_unit_test(deadline_run),
	};

	return cmocka_run_group_tests_name("deadline", tests, start_jvm, stop_jvm);
}
