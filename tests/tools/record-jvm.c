// SPDX-License-Identifier: MIT
/*
 * record-jvm - look at a JVM as hotprobe does, and keep all that was looked at: for tests that run
 * the readers on JDKs that are not installed. tests/lib/recorded.h has the format.
 *
 *   record-jvm PID FILE [LOG]    record the JVM with this PID, which should be at rest
 *   record-jvm -u FILE...        the readers have changed: renew what they are expected to find
 *   record-jvm -p FILE           print what the readers find in it now
 *
 * How the recordings are made anew, all of a JDK's, or some of them by their names:
 *
 *   make record JDKS="/usr/lib/jvm/java-17-openjdk-amd64 build/jdks/jdk21" [NAMES="jdk17-g1"]
 *
 * compiles tests/data/java/Recorded.java and hands over to tests/tools/record-jvm-run, which has
 * the table of what is recorded of which JDK: it starts the program, waits until it is at rest, and
 * calls this one. Needs root or CAP_SYS_PTRACE. A new JDK is a row there, and one in
 * tests/unit/test_recorded.c.
 *
 * Recording stops the JVM (SIGSTOP), reads, and lets it go on. What the JVM says itself of its
 * code, by jcmd Compiler.codelist before and after, must be what the readers find. JDK 8 has no
 * such command: there LOG is the file that it writes by -XX:+LogCompilation. Then the readers run
 * again, over the recording alone, and must find the same.
 */
#include <errno.h>
#include <signal.h>

#include "lib/cmocka_all.h"
#include "lib/jvm.h"
#include "lib/recorded.h"
#include "proc/jvm.h"
#include "record-jvm-follow.h"
#include "symmap/elfsyms.h"

/* Pieces closer than this are recorded as one: the head of a piece takes as much. */
#define GAP 24

struct recording {
	struct jvm j;
	struct jvm_info info;
	struct elfsyms *libjvm;
	struct mem *live;
	struct noted noted;
	struct recorded r;
	size_t nmethods;
};

static void die(const char *what, int err)
{
	fprintf(stderr, "record-jvm: %s%s%s\n", what, err ? ": " : "", err ? strerror(-err) : "");
	exit(1);
}

/* --- texts -------------------------------------------------------------------------------------
 */

struct text {
	FILE *f;
	char *buf;
	size_t len;
};

static void text_open(struct text *t)
{
	t->f = open_memstream(&t->buf, &t->len);
	if (!t->f)
		die("out of memory", 0);
}

static char *text_take(struct text *t)
{
	if (fclose(t->f))
		die("out of memory", 0);
	return t->buf;
}

static char *describe(struct mem *m, vmstructs_symbol_fn *symbol, void *arg)
{
	struct text t;

	text_open(&t);
	recorded_describe(m, symbol, arg, t.f);
	return text_take(&t);
}

static char *describe_recorded(struct recorded *r)
{
	struct mem *m;

	if (recorded_mem(r, &m))
		die("out of memory", 0);
	char *ret = describe(m, recorded_symbol, r);
	mem_close(m);
	return ret;
}

/* --- what the JVM says itself ------------------------------------------------------------------
 */

static char *codelist_ask(struct jvm *j)
{
	struct codelist list;
	struct text t;

	text_open(&t);
	jvm_settle(j, &list);
	for (size_t i = 0; i < list.n; i++) {
		const struct code *c = &list.v[i];
		fprintf(t.f, "0x%" PRIx64 "-0x%" PRIx64 " %d %d %d %s\n", c->begin, c->end,
			c->compile_id, c->level, c->state, c->method);
	}
	codelist_free(&list);
	return text_take(&t);
}

/* The value of @name='VALUE' in an element of the log. */
static const char *attribute(const char *line, const char *name, char *buf, size_t size)
{
	const char *at = strstr(line, name), *value = at ? strchr(at, '\'') : NULL;
	const char *end = value ? strchr(value + 1, '\'') : NULL;

	snprintf(buf, size, "%.*s", end ? (int)(end - value - 1) : 0, end ? value + 1 : "");
	return buf;
}

static void replace(char *text, const char *what, char by)
{
	for (char *at; (at = strstr(text, what));) {
		*at = by;
		memmove(at + 1, at + strlen(what), strlen(at + strlen(what)) + 1);
	}
}

/* "java/lang/Object &lt;init&gt; ()V" */
static void method_of_log(char *text)
{
	char *name = strchr(text, ' '), *desc = name ? strchr(name + 1, ' ') : NULL;

	replace(text, "&lt;", '<');
	replace(text, "&gt;", '>');
	if (!desc || !(name = strchr(text, ' ')) || !(desc = strchr(name + 1, ' ')))
		return;
	for (char *p = text; p < name; p++)
		*p = *p == '/' ? '.' : *p;
	*name = '.';
	memmove(desc, desc + 1, strlen(desc));
}

/*
 * Every <nmethod> element, as it stood at "address" with its code "insts_offset" behind that, in
 * use unless a later <make_not_entrant> has its id.
 */
static char *codelist_of_log(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *all = f ? calloc(1, 64u << 20) : NULL;
	char id[32], level[32], at[32], insts[32], name[4096], retired[96], *save = NULL;
	struct text t;

	if (!all || !fread(all, 1, (64u << 20) - 1, f))
		die("cannot read the log", 0);
	_cleanup_free_ char *text = strdup(all);
	text_open(&t);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "<nmethod ", 9))
			continue;
		attribute(line, " compile_id=", id, sizeof(id));
		attribute(line, " level=", level, sizeof(level));
		attribute(line, " address=", at, sizeof(at));
		attribute(line, " insts_offset=", insts, sizeof(insts));
		attribute(line, " method=", name, sizeof(name));
		method_of_log(name);
		snprintf(retired, sizeof(retired), " compile_id='%s' ", id);
		const char *out = all;
		while ((out = strstr(out, "<make_not_entrant ")) &&
		       !(strstr(out, retired) && strstr(out, retired) < strchrnul(out, '\n')))
			out++;
		fprintf(t.f, "0x%" PRIx64 " %s %s %d %s\n",
			strtoul(at, NULL, 16) + strtoul(insts, NULL, 10), id, level, out != NULL,
			name);
	}
	return text_take(&t);
}

/* --- recording ---------------------------------------------------------------------------------
 */

static int live_symbol(void *arg, const char *name, uint64_t *ret)
{
	struct recording *g = arg;
	uint64_t value;
	int err = elfsyms_value(g->libjvm, name, &value);

	if (!err)
		*ret = g->info.libjvm_base + value;
	return err;
}

static void open_process(struct recording *g)
{
	int err = jvm_inspect(g->j.pid, &g->info);

	if (err || g->info.kind != JVM_HOTSPOT || !*g->info.libjvm_open)
		die("no HotSpot JVM that may be looked into", err);
	int fd = proc_open_regular(g->info.libjvm_open);
	err = fd < 0 ? fd : elfsyms_open(fd, &g->libjvm);
	if (err)
		die("cannot read libjvm.so", err);
	close(fd);
	if (mem_open_live(g->j.pid, &g->live))
		die("out of memory", 0);
}

static int symbol_write(const char *name, uint64_t value, uint64_t size _unused_, void *arg)
{
	const struct recording *g = ((void **)arg)[0];

	fprintf(((void **)arg)[1], "%s 0x%" PRIx64 "\n", name, g->info.libjvm_base + value);
	return 0;
}

/* The tables, all of which end in one of these, and what hooks and polls are found by. */
static char *symbols_write(struct recording *g)
{
	static const char *const tables[] = {"Structs", "Types", "IntConstants", "LongConstants"};
	static const char *const entries[] = {
		"StructEntryTypeNameOffset",	 "StructEntryFieldNameOffset",
		"StructEntryTypeStringOffset",	 "StructEntryIsStaticOffset",
		"StructEntryOffsetOffset",	 "StructEntryAddressOffset",
		"StructEntryArrayStride",	 "TypeEntryTypeNameOffset",
		"TypeEntrySuperclassNameOffset", "TypeEntryIsOopTypeOffset",
		"TypeEntryIsIntegerTypeOffset",	 "TypeEntryIsUnsignedOffset",
		"TypeEntrySizeOffset",		 "TypeEntryArrayStride",
		"IntConstantEntryNameOffset",	 "IntConstantEntryValueOffset",
		"IntConstantEntryArrayStride",	 "LongConstantEntryNameOffset",
		"LongConstantEntryValueOffset",	 "LongConstantEntryArrayStride",
	};
	static const char *const parts[] = {"register_nmethodEP7nmethod", "N7nmethod5flush",
					    "N7nmethod5purge", "make_not_entrant"};
	struct text t;
	void *arg[2];

	text_open(&t);
	for (size_t i = 0; i < ARRAY_SIZE(tables) + ARRAY_SIZE(entries); i++) {
		char name[96];
		uint64_t addr;
		snprintf(name, sizeof(name), "gHotSpotVM%s",
			 i < ARRAY_SIZE(tables) ? tables[i] : entries[i - ARRAY_SIZE(tables)]);
		if (!live_symbol(g, name, &addr))
			fprintf(t.f, "%s 0x%" PRIx64 "\n", name, addr);
	}
	arg[0] = g;
	arg[1] = t.f;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		elfsyms_each(g->libjvm, parts[i], symbol_write, arg);
	return text_take(&t);
}

/* What may be needed, and then what the readers do need: they are given blocks that are known. */
static void read_all(struct recording *g)
{
	struct noted followed = {0};
	struct vmstructs *vs;
	struct mem *noting, *raw;

	if (mem_open_noting(g->live, &followed, NULL, &noting) || mem_open_paged(g->live, &raw))
		die("out of memory", 0);
	int err = vmstructs_read(noting, live_symbol, g, &vs);
	if (err)
		die("cannot read its tables", err);
	g->nmethods = follow_all(noting, raw, vs, live_symbol, g);
	vmstructs_free(vs);
	mem_close(raw);
	mem_close(noting);
	noted_merge(&followed, 0);
	if (mem_open_noting(g->live, &g->noted, &followed, &noting))
		die("out of memory", 0);
	g->r.text[RECORDED_EXPECTED] = describe(noting, live_symbol, g);
	mem_close(noting);
	for (size_t i = 0; i < followed.n; i++)
		noted_add(&g->noted, followed.v[i].addr, followed.v[i].len);
	noted_fini(&followed);
}

static void pieces_copy(struct recording *g)
{
	size_t n = 0;

	noted_merge(&g->noted, GAP);
	for (size_t i = 0; i < g->noted.n; i++) {
		struct piece *p = &g->noted.v[i];
		p->data = malloc(p->len);
		if (!p->data)
			die("out of memory", 0);
		/* All bytes of it were read a moment ago, but for those of a gap. */
		if (mem_read(g->live, p->addr, p->data, p->len))
			die("cannot read it a second time", -EFAULT);
		n += p->len;
	}
	g->r.pieces = g->noted.v;
	g->r.npieces = g->noted.n;
	g->noted = (struct noted){0};
	printf("%zu nmethods, %zu pieces, %zu bytes\n", g->nmethods, g->r.npieces, n);
}

/* The line of a described text that begins with @name: what follows. */
static const char *line_of(const char *text, const char *name, char *buf, size_t size)
{
	char want[64];

	snprintf(want, sizeof(want), "\n%s ", name);
	const char *at = strstr(text, want);
	snprintf(buf, size, "%.*s", at ? (int)strcspn(at + strlen(want), "\n") : 0,
		 at ? at + strlen(want) : "");
	return buf;
}

static char *about_write(const struct recording *g)
{
	char version[128], gc[64], path[64], args[4096] = "";
	struct text t;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", g->j.pid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	size_t n = f ? fread(args, 1, sizeof(args) - 1, f) : 0;
	text_open(&t);
	fprintf(t.f, "version %s\n",
		line_of(g->r.text[RECORDED_EXPECTED], "version", version, sizeof(version)));
	fprintf(t.f, "gc %s\n", line_of(g->r.text[RECORDED_EXPECTED], "gc", gc, sizeof(gc)));
	fprintf(t.f, "nmethods %zu\nflags", g->nmethods);
	for (const char *p = args; p < args + n; p += strlen(p) + 1)
		if (!strncmp(p, "-X", 2) && !strstr(p, "LogFile"))
			fprintf(t.f, " %s", p);
	fputc('\n', t.f);
	return text_take(&t);
}

/* A described text of a JDK that is refused has no methods to compare. */
static bool opened(const char *described)
{
	return strstr(described, "\nopened 0\n");
}

static void check(struct recorded *r)
{
	_cleanup_free_ char *again = describe_recorded(r);

	if (strcmp(again, r->text[RECORDED_EXPECTED]))
		die("the readers find something else in the recording than in the JVM", 0);
	if (!opened(again))
		printf("refused: see record-jvm -p\n");
	else if (recorded_compare(r->text[RECORDED_CODELIST], again, stdout))
		die("the readers find something else than the JVM says", 0);
}

static void record(pid_t pid, const char *path, const char *log)
{
	struct recording g = {.j = {.pid = pid}};

	open_process(&g);
	g.r.text[RECORDED_CODELIST] = log ? codelist_of_log(log) : codelist_ask(&g.j);
	jvm_stop(&g.j);
	g.r.text[RECORDED_SYMBOLS] = symbols_write(&g);
	read_all(&g);
	pieces_copy(&g);
	g.r.text[RECORDED_ABOUT] = about_write(&g);
	kill(pid, SIGCONT);
	_cleanup_free_ char *after = log ? codelist_of_log(log) : codelist_ask(&g.j);
	if (strcmp(after, g.r.text[RECORDED_CODELIST]))
		die("it has compiled meanwhile: try again", 0);
	check(&g.r);
	int err = recorded_save(path, &g.r);
	if (err)
		die(path, err);
}

/* --- recordings --------------------------------------------------------------------------------
 */

static struct recorded *open_file(const char *path)
{
	struct recorded *r;
	int err = recorded_open(path, &r);

	if (err)
		die(path, err);
	return r;
}

static void print(const char *path)
{
	struct recorded *r = open_file(path);
	_cleanup_free_ char *text = describe_recorded(r);

	printf("%s", text);
	recorded_close(r);
}

static void renew(const char *path)
{
	struct recorded *r = open_file(path);

	printf("%s\n", path);
	free(r->text[RECORDED_EXPECTED]);
	r->text[RECORDED_EXPECTED] = describe_recorded(r);
	check(r);
	int err = recorded_save(path, r);
	if (err)
		die(path, err);
	recorded_close(r);
}

int main(int argc, char **argv)
{
	bool update = argc > 2 && !strcmp(argv[1], "-u");

	if (argc == 3 && !strcmp(argv[1], "-p"))
		print(argv[2]);
	for (int i = 2; update && i < argc; i++)
		renew(argv[i]);
	if ((argc == 3 || argc == 4) && argv[1][0] != '-')
		record(atoi(argv[1]), argv[2], argv[3]);
	else if (argc < 3)
		die("PID FILE [LOG], -u FILE... or -p FILE", 0);
	return 0;
}
