/* SPDX-License-Identifier: MIT */
/*
 * test_seccomp.c - JVMs behind a seccomp filter that forbids what hotprobe does, by an error or by
 * ending the process: they live, by either way and from their start, and it is told which way is
 * taken and why.
 */
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "lib/attach.h"
#include "lib/cmocka_all.h"
#include "lib/exact.h"
#include "lib/filter.h"
#include "lib/inside.h"

/* This program, told to put a filter before another one: see main(). */
#define FILTER "--filter"

#define FIXED_NOREPLACE 0x100000 /* MAP_FIXED_NOREPLACE, whose constant is signed */

static char self[PATH_MAX];

static const struct kind {
	const char *name;
	long nr;
	unsigned int arg;
	uint32_t bits, action;
	const char *told; /* of the agent's way */
} kinds[] = {
	{"error", SYS_memfd_create, 0, 0, SECCOMP_RET_ERRNO | EPERM,
	 "its seccomp filter forbids the agent memfd_create (Operation not permitted)"},
	{"kill", SYS_memfd_create, 0, 0, SECCOMP_RET_KILL_PROCESS,
	 "its seccomp filter would end it at the agent's memfd_create"},
	/* To map a file shared, and at one place only, is nothing that a JVM does. */
	{"kill-mmap", SYS_mmap, 3, MAP_SHARED | FIXED_NOREPLACE, SECCOMP_RET_KILL_PROCESS,
	 "its seccomp filter would end it at the agent's mmap"},
	{"trap", SYS_membarrier, 0, 0, SECCOMP_RET_TRAP,
	 "its seccomp filter would end it at the agent's membarrier"},
};

/* What the agent asks of whoever it talks to, also to say why it is not at work. */
static const struct kind speechless = {
	"kill-talk", SYS_getsockopt, 0, 0, SECCOMP_RET_KILL_PROCESS, NULL,
};

static void trace(struct jvm *j, const char *via, int status, const char *said)
{
	struct hp_result r;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", j->pid);
	hp_run(&r, (const char *const[]){"trace", "-p", pid, "-d", "0.1", "--via", via,
					 "prog.Busy.work", NULL});
	if (r.status != status || !strstr(r.err, said))
		jvm_fail(j, "by %s: status %d, said: %s", via, r.status, r.err);
	hp_result_free(&r);
}

static void check_says(struct jvm *j, const char *said)
{
	struct hp_result r;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", j->pid);
	hp_run(&r, (const char *const[]){"check", "-p", pid, NULL});
	if (!strstr(r.out, said) || !strstr(r.out, "it has a filter: ptrace suspends it"))
		jvm_fail(j, "check said: %s", r.out);
	hp_result_free(&r);
}

static void clean(struct jvm *j)
{
	struct hp_result r;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", j->pid);
	hp_run(&r, (const char *const[]){"clean", "-p", pid, NULL});
	hp_result_check(&r, 0);
	hp_result_free(&r);
}

/* With each filter: by the agent it is refused, else ptrace suspends it. The JVM never notices. */
static void filters_are_looked_at(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *const prefix[] = {self, FILTER, kinds[i].name, NULL};
		const char *const flags[] = {inside_flag("quiet"), NULL};
		struct jvm j;

		print_message("  %s\n", kinds[i].name);
		attach_start(&j, jdk_or_skip("jdk17"), prefix, flags);
		check_says(&j, kinds[i].told);
		trace(&j, "agent", 4, kinds[i].told);
		trace(&j, "auto", 0, kinds[i].told);
		trace(&j, "ptrace", 0, "its seccomp filter is suspended");
		clean(&j);
		jvm_check_unhurt(&j);
		jvm_quit(&j);
	}
}

/* From the start: the command is as it would be without us, and traced by the other way. */
static void run_survives_filters(void **state _unused_)
{
	const struct jdk *jdk = jdk_or_skip("jdk17");

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct hp_result r;

		hp_run(&r, (const char *const[]){"run", "prog.Busy.work", "--", self, FILTER,
						 kinds[i].name, jdk->java, "-version", NULL});
		if (r.status || !strstr(r.err, kinds[i].told) || !strstr(r.err, "OpenJDK"))
			fail_msg("%s: status %d, said: %s", kinds[i].name, r.status, r.err);
		hp_result_free(&r);
	}
}

/* One of the agent's own calls: it makes none, and the launcher sees the JVM all the same. */
static void run_survives_a_speechless_agent(void **state _unused_)
{
	const struct jdk *jdk = jdk_or_skip("jdk17");
	struct hp_result r;

	hp_run(&r, (const char *const[]){"run", "prog.Busy.work", "--", self, FILTER,
					 speechless.name, jdk->java, "-version", NULL});
	if (r.status || !strstr(r.err, "OpenJDK"))
		fail_msg("status %d, said: %s", r.status, r.err);
	hp_result_free(&r);
}

static void wait_for_file(struct jvm *j, const char *name)
{
	_cleanup_free_ char *path = NULL;
	uint64_t until = mono_ms() + JVM_TIMEOUT_MS;

	assert_true(asprintf(&path, "%s/%s", j->dir, name) > 0);
	while (access(path, F_OK)) {
		if (mono_ms() > until)
			jvm_fail(j, "no file %s", name);
		pause_ms(5);
	}
}

/*
 * A filter that comes while the agent has probes in place: it would end the JVM at our removing
 * them, so they stay, and that is said. By ptrace they are removed then.
 */
static void later_filter_is_seen(void **state _unused_)
{
	_cleanup_free_ char *library = built_path("../lib/hostile_agent.so"), *flag = NULL,
			    *path = NULL, *said = NULL;
	struct child *hp;
	json_t *detached, *events = json_array();
	struct jvm j;

	assert_true(asprintf(&flag, "-agentpath:%s=filter", library) > 0);
	jvm_start(&j, jdk_or_skip("jdk17"),
		  (const char *const[]){JVM_C2, flag, inside_flag("quiet"), NULL},
		  (const char *const[]){"prog.Busy", NULL});
	jvm_ready(&j);
	free(jvm_ask(&j, "calls 20000"));
	hp = hp_trace(j.pid, (const char *const[]){"--via", "agent", "prog.Busy.work", NULL});
	json_decref(hp_attached(hp));
	assert_true(asprintf(&path, "%s/filter", j.dir) > 0);
	fclose(fopen(path, "we"));
	wait_for_file(&j, "filtered");
	detached = hp_finish(hp, SIGINT, 1, events);
	assert_true(json_is_false(json_object_get(detached, "restored")));
	said = child_errors(hp);
	assert_non_null(strstr(said, "hotprobe clean"));
	jvm_check_unhurt(&j);
	free(jvm_ask(&j, "calls 1000"));
	clean(&j);
	assert_false(jvm_maps_has(&j, "memfd:hotprobe"));
	jvm_check_unhurt(&j);
	jvm_quit(&j);
	json_decref(detached);
	json_decref(events);
	child_free(hp);
}

/* --filter KIND COMMAND...: run it behind such a filter. */
static int become(char **argv)
{
	for (size_t i = 0; i <= ARRAY_SIZE(kinds); i++) {
		const struct kind *k = i < ARRAY_SIZE(kinds) ? &kinds[i] : &speechless;

		if (strcmp(argv[2], k->name))
			continue;
		if (!filter_install(k->nr, k->arg, k->bits, k->action, 0))
			execvp(argv[3], argv + 3);
	}
	return 127;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		jvm_test(filters_are_looked_at),
		jvm_test(run_survives_filters),
		jvm_test(run_survives_a_speechless_agent),
		jvm_test(later_filter_is_seen),
	};
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (argc > 3 && !strcmp(argv[1], FILTER))
		return become(argv);
	return n < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
