/* SPDX-License-Identifier: MIT */
/*
 * test_moments.c - targets that are not simply there and running: they start, they die, they are
 * stopped, traced by somebody else, in another namespace, or of a JDK nobody knows yet.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "lib/cmocka_all.h"
#include "lib/exact.h"
#include "symmap/elfsyms.h"

#define WORK  "prog.Busy.work"
#define EVERY "**.*"

static const char *const busy_flags[] = {JVM_C2, "-XX:CompileCommand=dontinline,prog.Busy::*",
					 NULL};
static const char *const busy[] = {"prog.Busy", NULL};

/* Attach, let calls pass, detach: all of it must work. */
static void trace_works(struct jvm *j)
{
	json_t *events = json_array(), *detached;
	struct child *hp = hp_trace(j->pid, (const char *const[]){WORK, NULL});

	json_decref(hp_attached(hp));
	free(jvm_ask(j, "calls 50"));
	detached = hp_finish(hp, SIGINT, 0, events);
	assert_true(json_is_true(json_object_get(detached, "restored")));
	assert_int_equal(events_count(events, "entry"), 50);
	assert_false(jvm_maps_has(j, "memfd:hotprobe"));
	json_decref(detached);
	json_decref(events);
	child_free(hp);
}

/* hotprobe must end by itself, with one of these statuses, and not more than one line of error. */
static int check_end(struct child *hp, const char *allowed)
{
	int status = child_wait(hp, HP_TIMEOUT_MS);
	_cleanup_free_ char *err = child_errors(hp);
	size_t errors = 0;

	if (status == CHILD_TIMEOUT)
		hp_fail(hp, "hotprobe hangs");
	if (status > 9 || !strchr(allowed, '0' + status))
		hp_fail(hp, "status %d, not one of %s", status, allowed);
	for (const char *p = err; (p = strstr(p, "error:")); p++)
		errors++;
	if (errors > 1 || (errors == 0 && (status == 1 || status == 4)))
		hp_fail(hp, "%zu error lines with status %d", errors, status);
	return status;
}

/* --- dying ------------------------------------------------------------------------------------ */

#define DEATHS	      50
#define DEATHS_MAX    100
#define DEATH_STEP_MS 3
#define DEATH_LATE_MS 1000
#define STATUS_SLOTS  5

static int dies_after(int ms, int sig)
{
	struct child *hp;
	struct jvm j;
	int status;

	jvm_start(&j, jdk_or_skip("jdk17"), NULL, busy);
	jvm_ready(&j);
	hp = hp_trace(j.pid, (const char *const[]){EVERY, NULL});
	pause_ms(ms);
	child_signal(j.c, sig);
	status = check_end(hp, "13");
	child_free(hp);
	jvm_free(&j);
	return status;
}

/* The JVM is killed at any moment of the attach: hotprobe says so, once, and ends. */
static void jvm_dies_during_attach(void **state _unused_)
{
	int seen[STATUS_SLOTS] = {0}, i;

	for (i = 0; i < DEATHS; i++)
		seen[dies_after(i * DEATH_STEP_MS, i % 3 ? SIGKILL : SIGTERM)]++;
	/* A machine that is slow takes longer to attach; or it was we who were late. */
	for (; !seen[3] && i < DEATHS_MAX; i++)
		seen[dies_after((i - DEATHS + 1) * DEATH_LATE_MS, SIGKILL)]++;
	for (; !seen[1] && i < DEATHS_MAX; i++)
		seen[dies_after(0, SIGKILL)]++;
	print_message("  %d died before it was attached to, %d after\n", seen[1], seen[3]);
	assert_true(seen[1] && seen[3]);
}

/* --- starting --------------------------------------------------------------------------------- */

#define STARTS	      40
#define START_STEP_MS 2

/* The JVM is looked at while it starts: whatever is there of it, it is told, and starts well. */
static void jvm_starts_during_attach(void **state _unused_)
{
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);
	int seen[STATUS_SLOTS] = {0};

	for (int i = 0; i < STARTS; i++) {
		struct child *hp;
		struct jvm j;

		jvm_start(&j, &jdks[(size_t)i % n], busy_flags, busy);
		pause_ms(i * START_STEP_MS);
		hp = hp_trace(j.pid, (const char *const[]){"-d", "100ms", WORK, NULL});
		seen[check_end(hp, "014")]++;
		child_free(hp);
		jvm_ready(&j);
		if (i % 4 == 0)
			trace_works(&j);
		jvm_check_unhurt(&j);
		jvm_quit(&j);
	}
	print_message("  %d were too young, %d were attached to\n", seen[1] + seen[4], seen[0]);
}

/* --- stopped, traced -------------------------------------------------------------------------- */

/* A JVM that is stopped (SIGSTOP) must not hang hotprobe, and goes on unharmed. */
static void jvm_is_stopped(void **state _unused_)
{
	struct child *hp;
	struct jvm j;

	jvm_start(&j, jdk_or_skip("jdk17"), busy_flags, busy);
	jvm_ready(&j);
	jvm_stop(&j);
	hp = hp_trace(j.pid, (const char *const[]){"-d", "200ms", WORK, NULL});
	print_message("  status %d\n", check_end(hp, "01"));
	child_signal(j.c, SIGCONT);
	child_free(hp);
	trace_works(&j);
	jvm_quit(&j);
}

/* The same when it is stopped while it is traced: detaching waits for nobody. */
static void jvm_is_stopped_while_traced(void **state _unused_)
{
	struct child *hp;
	struct jvm j;

	jvm_start(&j, jdk_or_skip("jdk17"), busy_flags, busy);
	jvm_ready(&j);
	hp = hp_trace(j.pid, (const char *const[]){WORK, NULL});
	json_decref(hp_attached(hp));
	jvm_stop(&j);
	child_signal(hp, SIGINT);
	print_message("  status %d\n", check_end(hp, "01"));
	child_signal(j.c, SIGCONT);
	child_free(hp);
	trace_works(&j);
	jvm_quit(&j);
}

/* All of them: until another look finds none that is not ours already. */
static size_t seize_threads(struct jvm *j, pid_t *tids, size_t max)
{
	pid_t all[256];
	size_t n = 0, before;

	do {
		size_t seen = jvm_threads(j, all, ARRAY_SIZE(all));

		before = n;
		for (size_t i = 0; i < seen && n < max; i++)
			if (!ptrace(PTRACE_SEIZE, all[i], 0, 0))
				tids[n++] = all[i];
	} while (n > before);
	return n;
}

static void detach_threads(const pid_t *tids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int status = 0;

		ptrace(PTRACE_INTERRUPT, tids[i], 0, 0);
		assert_int_equal(waitpid(tids[i], &status, __WALL), tids[i]);
		if (WIFSTOPPED(status)) /* it may have come to its own end */
			assert_int_equal(ptrace(PTRACE_DETACH, tids[i], 0, 0), 0);
	}
}

/*
 * A JVM that a debugger holds cannot be attached to: that is said, and nothing happens to it. By
 * the agent it can.
 */
static void jvm_is_traced_by_another(void **state _unused_)
{
	pid_t tids[256];
	struct child *hp;
	struct jvm j;
	size_t n;
	bool bare;

	jvm_start(&j, jdk_or_skip("jdk17"), busy_flags, busy);
	jvm_ready(&j);
	n = seize_threads(&j, tids, ARRAY_SIZE(tids));
	assert_true(n > 5);
	hp = hp_trace(j.pid, (const char *const[]){"-d", "200ms", WORK, NULL});
	print_message("  status %d\n", check_end(hp, env_via(&bare) ? "0" : "14"));
	child_free(hp);
	detach_threads(tids, n);
	trace_works(&j);
	jvm_quit(&j);
}

/* --- elsewhere -------------------------------------------------------------------------------- */

/*
 * A JVM in mount and PID namespaces of its own, like a container's: its library has another path
 * there, which does not exist here, and its PID is another.
 */
static void jvm_in_other_namespaces(void **state _unused_)
{
	const struct jdk *jdk = jdk_or_skip("jdk17");
	_cleanup_free_ char *dir = test_dir(), *script = NULL, *shown = NULL;
	pid_t pids[8];
	struct hp_result r;
	struct jvm j;

	test_needs_root();
	assert_true(asprintf(&script,
			     "mount -t tmpfs none %s && mkdir %s/jdk && "
			     "mount --bind \"$(dirname $(dirname $0))\" %s/jdk && "
			     "exec %s/jdk/bin/java \"$@\"",
			     dir, dir, dir, dir) > 0);
	jvm_start_with(&j, jdk,
		       (const char *const[]){"unshare", "--mount", "--pid", "--fork",
					     "--mount-proc", "--kill-child", "sh", "-c", script,
					     NULL},
		       busy_flags, busy);
	jvm_ready(&j);
	assert_int_equal(child_descendants(j.pid, pids, ARRAY_SIZE(pids)), 1);
	j.pid = pids[0];
	trace_works(&j);
	hp_run(&r, (const char *const[]){"list", NULL});
	hp_result_check(&r, 0);
	assert_true(asprintf(&shown, "%d ", j.pid) > 0);
	assert_non_null(strstr(r.out, shown));
	hp_result_free(&r);
	jvm_quit(&j);
}

/* --- another JDK ------------------------------------------------------------------------------ */

/* Where the target keeps the feature version of its JDK. */
static uint64_t version_address(struct jvm *j)
{
	char path[64], line[8192], lib[PATH_MAX];
	unsigned long long start = 0;
	uint64_t value;
	struct elfsyms *e;
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/maps", j->pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (!start && fgets(line, sizeof(line), f)) {
		if (strstr(line, "/libjvm.so") &&
		    sscanf(line, "%llx-%*x %*s 0%*x %*s %*s %4095s", &start, lib) != 2)
			start = 0;
	}
	fclose(f);
	fd = open(lib, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(elfsyms_open(fd, &e), 0);
	assert_int_equal(elfsyms_value(e, "_ZN19Abstract_VM_Version17_vm_major_versionE", &value),
			 0);
	elfsyms_close(e);
	close(fd);
	return start + value;
}

/* Exit status 4, and one line that says no more and no less than @why. */
static void refused_as(struct jvm *j, const char *const argv[], const char *why)
{
	struct hp_result r;

	hp_run(&r, argv);
	if (r.status != 4 || !strstr(r.err, why) || strchr(r.err, '\n')[1])
		jvm_fail(j, "%s: status %d, '%s' instead of '%s'", argv[0], r.status, r.err, why);
	hp_result_free(&r);
}

/* A JVM that calls itself a JDK that hotprobe was not tested with is refused, and not touched. */
static void jdk_of_unknown_version(int32_t version)
{
	struct hp_result r;
	struct jvm j;
	char pid[16], path[64], why[96];
	bool bare;
	uint64_t addr;
	int32_t now;
	int fd;

	jvm_start(&j, jdk_or_skip("jdk17"), busy_flags, busy);
	jvm_ready(&j);
	addr = version_address(&j);
	assert_int_equal(jvm_read(&j, addr, &now, sizeof(now)), 0);
	assert_int_equal(now, 17);
	snprintf(path, sizeof(path), "/proc/%d/mem", j.pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, &version, sizeof(version), (off_t)addr), sizeof(version));
	close(fd);
	snprintf(pid, sizeof(pid), "%d", j.pid);
	snprintf(why, sizeof(why), "PID %d: JDK %d: supported are 17 to 25\n", j.pid, version);
	refused_as(&j, (const char *const[]){"trace", "-p", pid, WORK, NULL}, why);
	refused_as(&j, (const char *const[]){"trace", "--via", "agent", "-p", pid, WORK, NULL},
		   why);
	refused_as(&j, (const char *const[]){"methods", "-p", pid, NULL}, why);
	refused_as(&j, (const char *const[]){"clean", "-p", pid, NULL}, why);
	hp_run(&r, (const char *const[]){"check", "-p", pid, NULL});
	assert_int_equal(r.status, 4);
	assert_non_null(strstr(r.out, why));
	hp_result_free(&r);
	hp_run(&r, (const char *const[]){"list", NULL});
	assert_non_null(strstr(r.out, why));
	hp_result_free(&r);
	assert_false(jvm_maps_has(&j, "memfd:hotprobe"));
	assert_true(env_via(&bare) || !jvm_maps_has(&j, "libhotprobe"));
	jvm_quit(&j);
}

/* Too old and too new. */
static void jdk_of_unknown_versions(void **state _unused_)
{
	jdk_of_unknown_version(11);
	jdk_of_unknown_version(16);
	jdk_of_unknown_version(26);
	jdk_of_unknown_version(INT16_MAX);
	jdk_of_unknown_version(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(jvm_dies_during_attach),   jvm_test(jvm_starts_during_attach),
		jvm_test(jvm_is_stopped),	    jvm_test(jvm_is_stopped_while_traced),
		jvm_test(jvm_is_traced_by_another), jvm_test(jvm_in_other_namespaces),
		jvm_test(jdk_of_unknown_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
