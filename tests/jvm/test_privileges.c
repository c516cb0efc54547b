/* SPDX-License-Identifier: MIT */
/*
 * test_privileges.c - which rights each command needs (README.md has the table), what it says
 * without one of them, how few of them the engine keeps, and that a want of our own is never told
 * as a fault of the target or of the kernel.
 */
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "lib/attach.h"
#include "lib/cmocka_all.h"
#include "lib/exact.h"
#include "lib/inside.h"

/* This program, told to give up rights before it becomes another one: see main(). */
#define RIGHTS "--rights"
#define FILES  "--files"

#define SOMEBODY 1234
#define BIT(cap) (1ULL << (cap))
#define BPF	 (BIT(CAP_BPF) | BIT(CAP_PERFMON))

static char self[PATH_MAX];

/* --- with few rights -------------------------------------------------------------------------- */

/* hotprobe @argv as user @uid, with just these capabilities. */
static void run_with(struct hp_result *r, uid_t uid, uint64_t caps, const char *const argv[])
{
	const char *all[32] = {self, RIGHTS};
	char user[16], mask[32];
	struct child *c;
	size_t n = 2;

	snprintf(user, sizeof(user), "%u", uid);
	snprintf(mask, sizeof(mask), "%llx", (unsigned long long)caps);
	all[n++] = user;
	all[n++] = mask;
	all[n++] = env_bin();
	while (*argv && n < ARRAY_SIZE(all) - 1)
		all[n++] = *argv++;
	c = child_start(all, NULL);
	child_close_stdin(c);
	r->status = child_wait(c, HP_TIMEOUT_MS);
	r->out = child_text(c);
	r->err = child_errors(c);
	child_free(c);
}

struct need {
	uid_t uid; /* who asks, about the JVM of "nobody" */
	const char *argv[8];
	uint64_t caps;
};

static const char *cap_text(unsigned int cap)
{
	switch (cap) {
	case CAP_DAC_OVERRIDE:
		return "CAP_DAC_OVERRIDE";
	case CAP_SYS_PTRACE:
		return "CAP_SYS_PTRACE";
	case CAP_BPF:
		return "CAP_BPF";
	case CAP_PERFMON:
		return "CAP_PERFMON";
	case CAP_SETUID:
	case CAP_SETGID:
		return "CAP_SETUID and CAP_SETGID";
	}
	fail_msg("no name for capability %u", cap);
	return NULL;
}

static void add_pid(const struct need *n, const char *pid, const char *argv[static 16])
{
	size_t k = 0;

	for (; n->argv[k]; k++)
		argv[k] = n->argv[k];
	argv[k++] = "-p";
	argv[k++] = pid;
	argv[k] = NULL;
}

/* With all of them it works; without any one of them it is refused, and that one is named. */
static void needs_just(const struct need *n, struct jvm *j)
{
	const char *argv[16];
	struct hp_result r;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", j->pid);
	add_pid(n, pid, argv);
	for (unsigned int cap = 0; cap < 64; cap++) {
		if (!(n->caps & BIT(cap)))
			continue;
		run_with(&r, n->uid, n->caps & ~BIT(cap), argv);
		if (r.status != 4 || !strstr(r.err, cap_text(cap)) || strstr(r.err, "5.19"))
			fail_msg("user %u, %s without %s: %d, '%s'", n->uid, argv[0], cap_text(cap),
				 r.status, r.err);
		hp_result_free(&r);
	}
	run_with(&r, n->uid, n->caps, argv);
	if (r.status)
		fail_msg("user %u, %s: %d, '%s'", n->uid, argv[0], r.status, r.err);
	hp_result_free(&r);
}

#define TRACE(via) "trace", "-d", "0.05", "--via", via, "prog.Busy.work"

/* By ptrace; then the agent is loaded; then it is there. The table of README.md. */
static void commands_need_just_these(void **state _unused_)
{
	static const struct need needs[] = {
		{NOBODY, {"methods", NULL}, 0},
		{NOBODY, {"clean", NULL}, 0},
		{NOBODY, {TRACE("ptrace"), NULL}, BPF},
		{SOMEBODY, {"methods", NULL}, BIT(CAP_SYS_PTRACE)},
		{SOMEBODY, {"clean", NULL}, BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_OVERRIDE)},
		{SOMEBODY,
		 {TRACE("ptrace"), NULL},
		 BPF | BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_OVERRIDE)},
		{0,
		 {TRACE("agent"), NULL},
		 BPF | BIT(CAP_SYS_PTRACE) | BIT(CAP_SETUID) | BIT(CAP_SETGID)},
		{0, {TRACE("agent"), NULL}, BPF},
		{NOBODY, {TRACE("agent"), NULL}, BPF},
		{0, {"clean", "--via", "agent", NULL}, 0},
	};
	struct jvm j;

	test_needs_root();
	attach_start_nobodys(&j, (const char *const[]){NOBODYS, NULL});
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
		needs_just(&needs[i], &j);
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

/* `check` says the same beforehand, by name, and blames no kernel for it. */
static void check_names_what_is_missing(void **state _unused_)
{
	static const struct {
		uid_t uid;
		uint64_t caps;
		int status;
		const char *says[3];
	} cases[] = {
		{SOMEBODY,
		 0,
		 4,
		 {"CAP_BPF and CAP_PERFMON are missing",
		  "another user's: CAP_SYS_PTRACE and CAP_DAC_OVERRIDE are missing"}},
		{SOMEBODY,
		 BPF | BIT(CAP_SYS_PTRACE),
		 4,
		 {"another user's: CAP_DAC_OVERRIDE is missing"}},
		{SOMEBODY,
		 BPF | BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_OVERRIDE),
		 0,
		 {"rights             it may be traced by ptrace"}},
		{NOBODY,
		 BIT(CAP_BPF),
		 4,
		 {"CAP_PERFMON is missing", "rights             it may be traced by ptrace"}},
		{NOBODY, BPF, 0, {"rights             it may be traced by ptrace"}},
	};
	struct hp_result r;
	char pid[16];
	struct jvm j;

	test_needs_root();
	attach_start_nobodys(&j, (const char *const[]){NOBODYS, NULL});
	snprintf(pid, sizeof(pid), "%d", j.pid);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		run_with(&r, cases[i].uid, cases[i].caps,
			 (const char *const[]){"check", "-p", pid, NULL});
		if (r.status != cases[i].status || strstr(r.out, "5.19") || strstr(r.out, "6.6"))
			fail_msg("%zu: %d, %s%s", i, r.status, r.out, r.err);
		for (size_t k = 0; k < ARRAY_SIZE(cases[i].says) && cases[i].says[k]; k++)
			if (!strstr(r.out, cases[i].says[k]))
				fail_msg("%zu: no '%s' in %s", i, cases[i].says[k], r.out);
		hp_result_free(&r);
	}
	jvm_quit(&j);
}

/* --- what the engine keeps -------------------------------------------------------------------- */

static uint64_t status_number(pid_t pid, const char *key)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[32], line[256];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			return strtoull(line + strlen(key), NULL, 16);
	fail_msg("PID %d: no %s", pid, key);
	return 0;
}

static pid_t engine_of(struct child *hp)
{
	pid_t pids[8];
	size_t n = child_descendants(child_pid(hp), pids, ARRAY_SIZE(pids));

	for (size_t i = 0; i < n; i++) {
		_cleanup_fclose_ FILE *f = NULL;
		char path[32], name[32] = "";

		snprintf(path, sizeof(path), "/proc/%d/comm", pids[i]);
		f = fopen(path, "re");
		if (f && fgets(name, sizeof(name), f) && !strcmp(name, "hotprobe-engine\n"))
			return pids[i];
	}
	hp_fail(hp, "it has no engine");
	return 0;
}

/* While it traces, whichever way; and all that it may need later, a detach among it, still works.
 */
static void engine_keeps_few_rights(void **state _unused_)
{
	const uint64_t effective = BPF | BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_OVERRIDE) |
				   BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_CHECKPOINT_RESTORE);
	const uint64_t permitted = effective | BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_CHROOT) |
				   BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_KILL) |
				   BIT(CAP_FOWNER);
	const char *const ways[] = {"ptrace", "agent"};
	struct jvm j;

	test_needs_root();
	attach_start_nobodys(&j, (const char *const[]){NOBODYS, NULL});
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct child *hp = hp_trace(
			j.pid, (const char *const[]){"--via", ways[i], "prog.Busy.work", NULL});
		json_t *detached, *events = json_array();
		pid_t engine;

		json_decref(hp_attached(hp));
		engine = engine_of(hp);
		assert_int_equal(status_number(engine, "CapEff:") & ~effective, 0);
		assert_int_equal(status_number(engine, "CapPrm:") & ~permitted, 0);
		assert_int_equal(status_number(engine, "CapBnd:"), 0);
		assert_int_equal(status_number(engine, "CapInh:"), 0);
		assert_int_equal(status_number(engine, "CapAmb:"), 0);
		assert_int_equal(status_number(engine, "NoNewPrivs:"), 1);
		detached = hp_finish(hp, SIGINT, 0, events);
		assert_true(json_is_true(json_object_get(detached, "restored")));
		json_decref(detached);
		json_decref(events);
		child_free(hp);
	}
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

/* What is traced is for who traces: a new file of -o is its own; one that is there stays as it is.
 */
static void output_is_private(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *fresh = NULL, *old = NULL;
	struct hp_result r;
	struct stat st;
	mode_t mask = umask(0);

	assert_true(asprintf(&fresh, "%s/new", dir) > 0 && asprintf(&old, "%s/old", dir) > 0);
	fclose(fopen(old, "we"));
	assert_int_equal(chmod(old, 0640), 0);
	hp_run(&r, (const char *const[]){"check", "-o", fresh, NULL});
	hp_result_free(&r);
	hp_run(&r, (const char *const[]){"check", "-o", old, NULL});
	hp_result_free(&r);
	umask(mask);
	assert_int_equal(stat(fresh, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(old, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

/* --- out of descriptors ----------------------------------------------------------------------- */

#define FILES_MIN 8 /* fewer, and the command itself cannot begin */
#define FILES_FEW 34
#define FILES_MAX 64

/* Is it told as what it is, if it is not done? */
static void check_shortage(int files, const char *command, const struct hp_result *r)
{
	static const char *const lies[] = {"ended",	    "no such",	    "5.19",    "6.6",
					   "another user",  "not ours",	    "missing", "as root",
					   "out of memory", "not permitted"};

	if (!r->status)
		return;
	if (r->status != 1 ||
	    !(strstr(r->err, "oo many files open") || strstr(r->err, "oo many open files")))
		fail_msg("%d files, %s: %d, '%s'", files, command, r->status, r->err);
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++)
		if (strstr(r->err, lies[i]))
			fail_msg("%d files, %s: '%s'", files, command, r->err);
}

/* However few descriptors there are: done, or refused for that and no other reason. */
static void shortage_is_told_as_such(void **state _unused_)
{
	static const char *const commands[] = {"trace", "methods", "clean", "check", "list"};
	struct hp_result r;
	char pid[16];
	struct jvm j;

	jvm_start(&j, jdk_or_skip("jdk17"), NULL, (const char *const[]){"prog.Busy", NULL});
	jvm_ready(&j);
	snprintf(pid, sizeof(pid), "%d", j.pid);
	for (int files = FILES_MIN; files <= FILES_MAX; files += files < FILES_FEW ? 1 : 15) {
		for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
			const char *const trace[] = {"-d", "0.01", "prog.Busy.work", NULL};
			const char *argv[16] = {self, FILES, NULL, env_bin(), commands[i]};
			char limit[16];
			struct child *c;
			size_t n = 5;

			/* All but a trace need few. */
			if (i && files > 16)
				continue;
			snprintf(limit, sizeof(limit), "%d", files);
			argv[2] = limit;
			if (strcmp(commands[i], "list")) {
				argv[n++] = "-p";
				argv[n++] = pid;
			}
			for (size_t k = 0; !i && trace[k]; k++)
				argv[n++] = trace[k];
			c = child_start(argv, NULL);
			child_close_stdin(c);
			r.status = child_wait(c, HP_TIMEOUT_MS);
			r.out = child_text(c);
			r.err = child_errors(c);
			child_free(c);
			check_shortage(files, commands[i], &r);
			if (files == FILES_MAX)
				assert_int_equal(r.status, 0);
			hp_result_free(&r);
			if (jvm_maps_has(&j, "memfd:hotprobe"))
				fail_msg("%d files, %s: left", files, commands[i]);
		}
	}
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

/* --- becoming --------------------------------------------------------------------------------- */

/* --rights UID MASK COMMAND...: as that user, with these capabilities and no others. */
static int become(char **argv)
{
	uid_t uid = (uid_t)strtoul(argv[2], NULL, 10);
	uint64_t caps = strtoull(argv[3], NULL, 16);
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct data[2] = {
		{(uint32_t)caps, (uint32_t)caps, (uint32_t)caps},
		{(uint32_t)(caps >> 32), (uint32_t)(caps >> 32), (uint32_t)(caps >> 32)}};

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!(caps & BIT(cap)))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid) ||
	    syscall(SYS_capset, &head, data))
		return 126;
	for (int cap = 0; cap < 64; cap++)
		if (caps & BIT(cap))
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	execv(argv[4], argv + 4);
	return 127;
}

/* --files N COMMAND... */
static int with_files(char **argv)
{
	rlim_t n = strtoul(argv[2], NULL, 10);

	if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){n, n}))
		return 126;
	execv(argv[3], argv + 3);
	return 127;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		jvm_test(commands_need_just_these), jvm_test(check_names_what_is_missing),
		jvm_test(engine_keeps_few_rights),  jvm_test(output_is_private),
		jvm_test(shortage_is_told_as_such),
	};
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (argc > 4 && !strcmp(argv[1], RIGHTS))
		return become(argv);
	if (argc > 3 && !strcmp(argv[1], FILES))
		return with_files(argv);
	return n < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
