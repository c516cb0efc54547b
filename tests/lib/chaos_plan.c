/* SPDX-License-Identifier: MIT */
#include "lib/chaos_plan.h"

#include <signal.h>

#include "lib/chaos.h"

#define TRACES .traces = true, .attaches = true, .on_pid = true

static const struct chaos_command commands[] = {
	{"trace --json", 8, {"trace", "--json"}, .json = true, TRACES},
	{"trace", 5, {"trace"}, TRACES},
	{"trace --count-only", 4, {"trace", "--json", "--count-only"}, .json = true, TRACES},
	{"methods", 1, {"methods", "--json"}, .json = true, .attaches = true, .on_pid = true},
	{"methods -w", 2, {"methods", "-w"}, .attaches = true, .on_pid = true},
	{"list", 1, {"list", "--json"}, .json = true},
	{"check", 1, {"check", "--json"}, .json = true, .attaches = true, .on_pid = true},
	{"clean", 2, {"clean"}, .attaches = true, .on_pid = true},
	{"run", 1, {"run", "--json"}, .json = true, .traces = true},
};

static const struct chaos_reader readers[] = {
	{"reads at once", 8, .sink = CHAOS_PIPE},
	{"reads slowly", 2, .sink = CHAOS_FIFO, .every_ms = 10, .bytes = 200},
	{"does not read", 3, .sink = CHAOS_FIFO},
	{"goes away", 1, .sink = CHAOS_FIFO, .every_ms = 10, .bytes = 200, .leaves = true,
	 .fails = true},
	{"is /dev/full", 1, .sink = CHAOS_STDOUT, .path = "/dev/full", .fails = true},
	{"is -o /dev/full", 1, .sink = CHAOS_FILE, .path = "/dev/full", .fails = true},
	{"is -o /dev/null", 1, .sink = CHAOS_FILE, .path = "/dev/null"},
	{"is -o a file", 2, .sink = CHAOS_FILE},
	{"is -o on a full disk", 1, .sink = CHAOS_FILE, .path = "full", .fails = true},
};

/* Sanitizers take terabytes of addresses, and much stack. */
#ifdef HP_SAN
#define UNLESS_SAN 0
#else
#define UNLESS_SAN 1
#endif

/* The first is none. */
static const struct chaos_limit limits[] = {
	{"none", 16, {NULL}},
	{"8 descriptors", 1, {"prlimit", "--nofile=8:8"}},
	{"16 descriptors", 1, {"prlimit", "--nofile=16:16"}},
	{"40 descriptors", 1, {"prlimit", "--nofile=40:40"}},
	{"files of 20 KB", 1, {"prlimit", "--fsize=20000"}},
	{"40 MB of addresses", UNLESS_SAN, {"prlimit", "--as=40000000"}},
	{"100 MB of addresses", UNLESS_SAN, {"prlimit", "--as=100000000"}},
	{"nothing locked", 1, {"prlimit", "--memlock=0:0"}},
	{"1 process", 1, {"prlimit", "--nproc=1:1"}},
	{"stack of 64 KB", UNLESS_SAN, {"prlimit", "--stack=65536"}},
	{"nice 19", 1, {"nice", "-n19"}},
	{"no CAP_SYS_PTRACE",
	 1,
	 {"setpriv", "--inh-caps=-sys_ptrace", "--bounding-set=-sys_ptrace"}},
};

#define SIG(sig, who)                                                                              \
	{                                                                                          \
		SIG##sig, CHAOS_##who                                                              \
	}
#define STEPS(...) .steps = {__VA_ARGS__}
#define KILLS	   .kills_client = true, .kills_engine = true

static const struct chaos_finish finishes[] = {
	{"SIGINT", 6, STEPS(SIG(INT, CLIENT)), .timed = true},
	{"SIGTERM", 5, STEPS(SIG(TERM, CLIENT)), .timed = true},
	{"Ctrl-C", 4, STEPS(SIG(INT, GROUP)), .timed = true},
	{"SIGTERM to both", 1, STEPS(SIG(TERM, GROUP)), .timed = true},
	{"SIGINT twice", 1, STEPS(SIG(INT, CLIENT), SIG(INT, CLIENT))},
	{"SIGHUP, SIGINT", 1, STEPS(SIG(HUP, CLIENT), SIG(INT, CLIENT))},
	{"SIGTERM to the engine", 1, STEPS(SIG(TERM, ENGINE), SIG(INT, CLIENT))},
	{"SIGKILL", 3, STEPS(SIG(KILL, CLIENT)), .kills_client = true},
	{"SIGKILL to the engine", 3, STEPS(SIG(KILL, ENGINE), SIG(INT, CLIENT)),
	 .kills_engine = true},
	{"SIGKILL to both", 4, STEPS(SIG(KILL, TREE)), KILLS},
	{"SIGINT, SIGKILL to both", 3, STEPS(SIG(INT, CLIENT), SIG(KILL, TREE)), KILLS},
	{"stopped client, SIGINT", 1,
	 STEPS(SIG(STOP, CLIENT), SIG(INT, CLIENT), SIG(CONT, CLIENT))},
	{"stopped engine, SIGINT", 1,
	 STEPS(SIG(STOP, ENGINE), SIG(INT, CLIENT), SIG(CONT, ENGINE))},
	{"stopped engine, SIGKILL to both", 1, STEPS(SIG(STOP, ENGINE), SIG(KILL, TREE)), KILLS},
	{"-n", 2, .words = {"-n", "50"}},
	{"-d", 2, .words = {"-d", "200ms"}},
	{"-n, SIGTERM", 1, .words = {"-n", "500"}, STEPS(SIG(TERM, CLIENT))},
};

static const struct chaos_spec jvm_specs[] = {
	{{"prog.Chaos.call"}, 1},	  {{"prog.Chaos.call", "prog.Chaos.instance"}, 2},
	{{"prog.Chaos.instance(..)"}, 1}, {{"prog.Chaos.*", "prog.BusyPart.*"}, 0},
	{{"prog.Chaos.depth"}, 0},	  {{"**.*"}, 0},
};

static const struct chaos_spec image_specs[] = {
	{{"com.google.javascript.rhino.Node.addChildToBack"}, 0},
	{{"com.google.javascript.rhino.Node.*"}, 0},
	{{"com.google.javascript.jscomp.**.*"}, 0},
};

static const char *const ways[] = {NULL, NULL, NULL, "ptrace", "agent", "auto"};

/* By weight. */
static size_t choose_index(const int *weights, size_t size, size_t n)
{
	const char *w = (const char *)weights;
	int sum = 0, at;

	for (size_t i = 0; i < n; i++)
		sum += *(const int *)(w + i * size);
	at = chaos_random_below(sum);
	for (size_t i = 0; i < n; i++) {
		at -= *(const int *)(w + i * size);
		if (at < 0)
			return i;
	}
	return 0;
}

#define choose(list) (&(list)[choose_index(&(list)->weight, sizeof(*(list)), ARRAY_SIZE(list))])

void chaos_plan_make(struct chaos_plan *ret, bool image)
{
	*ret = (struct chaos_plan){
		.command = choose(commands),
		.reader = choose(readers),
		.limit = choose(limits),
		.finish = choose(finishes),
		.via = ways[chaos_random_below(ARRAY_SIZE(ways))],
	};
	ret->spec = image ? &image_specs[chaos_random_below(ARRAY_SIZE(image_specs))]
			  : &jvm_specs[chaos_random_below(ARRAY_SIZE(jvm_specs))];
	if (chaos_plan_is_run(ret)) /* what it starts would be limited, too */
		ret->limit = limits;
	ret->limited = ret->limit != limits;
}

bool chaos_plan_is_run(const struct chaos_plan *p)
{
	return p->command->traces && !p->command->on_pid;
}
