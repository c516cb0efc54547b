// SPDX-License-Identifier: MIT
/*
 * test_image_refused.c - traces of native images that cannot be: each is refused with its exit
 * status and one clear line.
 */
#include <signal.h>
#include <sys/wait.h>

#include "lib/cmocka_all.h"
#include "lib/image_run.h"
#include "lib/image_work.h"

#define ARGS_MAX 8
#define RUNNER	 "com.google.javascript.jscomp.CommandLineRunner"
#define MAIN	 "**.main"
#define NOBODY	 65534

struct refusal {
	const char *args[ARGS_MAX]; /* PATH stands for the image */
	int status;
	const char *said;
};

#define PATH "@PATH"

static void check_refused(const char *path, const struct refusal *c, uid_t uid)
{
	const char *argv[ARGS_MAX + 2] = {"trace"};
	struct hp_result r;

	for (size_t i = 0; i < ARGS_MAX && c->args[i]; i++)
		argv[i + 1] = strcmp(c->args[i], PATH) ? c->args[i] : path;
	hp_run_as(&r, uid, argv);
	hp_result_check(&r, c->status);
	if (!strstr(r.err, c->said))
		fail_msg("'%s' is not in '%s'", c->said, r.err);
	hp_result_free(&r);
}

/* Files that are no images, or not for here. */
static void refused_files(void **state _unused_)
{
	static const struct refusal cases[] = {
		{{"-x", "/bin/sh", MAIN}, 4, "not a GraalVM native image"},
		{{"-x", "/etc/passwd", MAIN}, 4, "not an ELF executable"},
		{{"-x", "/nonexistent", MAIN}, 1, "no such file"},
		{{"-x", "/dev/zero", MAIN}, 1, "not a regular one"},
		{{"-x", "/tmp", MAIN}, 1, "not a regular one"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_refused(NULL, &cases[i], 0);
	check_refused(image_or_skip("upx"), &(struct refusal){{"-x", PATH, MAIN}, 4, "UPX"}, 0);
	check_refused(image_or_skip("ce25-arm64"),
		      &(struct refusal){{"-x", PATH, MAIN}, 4, "another machine"}, 0);
}

/* SPECs that are wrong, or match nothing. */
static void refused_specs(void **state _unused_)
{
	static const struct refusal cases[] = {
		{{"-x", PATH, "no.such.Method"}, 1, "no method that matches"},
		{{"-x", PATH, MAIN "@0x1"}, 1, "no method that matches"},
		{{"-x", PATH, RUNNER ".createExtrens"},
		 1,
		 "did you mean " RUNNER ".createExterns?"},
		{{"-x", PATH, "CommandLineRunner.createExterns"},
		 1,
		 "did you mean " RUNNER ".createExterns?"},
		{{"-x", PATH, "com/google/javascript/jscomp/CommandLineRunner.createExterns"},
		 1,
		 "written with dots; did you mean " RUNNER ".createExterns?"},
		{{"-x", PATH, RUNNER}, 1, "that is a class: a SPEC is CLASS.METHOD"},
		{{"-x", PATH, "a.b("}, 2, "bad SPEC"},
		{{"-x", PATH, "("}, 2, "bad SPEC"},
		{{"-x", PATH, "a.b@x"}, 2, "bad SPEC"},
		{{"-x", PATH, "a.b@0xfffffffffffffffff"}, 2, "bad SPEC"},
		{{"-x", PATH, MAIN, "a.b("}, 2, "bad SPEC"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_refused(image_or_skip("ce25"), &cases[i], 0);
}

/* Without a probe each SPEC is told of, also if none means a method. */
static void coverage_of_file(void **state _unused_)
{
	const char *path = image_or_skip("ce25");
	struct hp_result r;

	hp_run(&r, (const char *const[]){"methods", "--coverage", "-x", path, RUNNER ".main",
					 RUNNER ".CommandLineRunner", "no.such.Thing.x", NULL});
	assert_int_equal(r.status, 0);
	if (!strstr(r.out, "seen in part       " RUNNER ".main: calls that enter") ||
	    !strstr(r.out, "a constructor is called <init>; did you mean " RUNNER ".<init>?") ||
	    !strstr(r.out, "never              no.such.Thing.x: no class no.such.Thing"))
		fail_msg("%s%s", r.out, r.err);
	hp_result_free(&r);
	hp_run(&r, (const char *const[]){"methods", "--coverage", "-x", "/bin/sh", "a.b", NULL});
	assert_int_equal(r.status, 4);
	hp_result_free(&r);
}

/* A process that has ended and waits to be asked about. */
static pid_t zombie(void)
{
	pid_t pid = fork();
	siginfo_t info;

	if (!pid)
		_exit(0);
	assert_true(pid > 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	return pid;
}

/* Not where processes have numbers of their own. */
static bool has_kthreadd(void)
{
	char comm[16] = "";
	FILE *f = fopen("/proc/2/comm", "re");
	bool read = f && fgets(comm, sizeof(comm), f);

	if (f)
		fclose(f);
	return read && !strcmp(comm, "kthreadd\n");
}

/* Processes that run something else, or nothing. */
static void refused_processes(void **state _unused_)
{
	char self[16], dead[16];
	pid_t pid;

	check_refused(image_or_skip("ce25"),
		      &(struct refusal){{"-x", PATH, "-p", "99999999", MAIN}, 1, "no such process"},
		      0);
	if (has_kthreadd())
		check_refused(image_or_skip("ce25"),
			      &(struct refusal){{"-x", PATH, "-p", "2", MAIN}, 1, "no program"}, 0);
	snprintf(self, sizeof(self), "%d", getpid());
	check_refused(image_or_skip("ce25"),
		      &(struct refusal){{"-x", PATH, "-p", self, MAIN}, 1, "does not run"}, 0);
	pid = zombie();
	snprintf(dead, sizeof(dead), "%d", pid);
	check_refused(image_or_skip("ce25"),
		      &(struct refusal){{"-x", PATH, "-p", dead, MAIN}, 3, "ended"}, 0);
	check_refused(NULL, &(struct refusal){{"-p", dead, MAIN}, 1, "no such process"}, 0);
	waitpid(pid, NULL, 0);
}

/* What root may, an ordinary user may not. */
static void refused_users(void **state _unused_)
{
	_cleanup_free_ char *path = image_copy("ce22");
	struct child *c = repl_start(path, NULL);
	struct hp_result r;
	char pid[16];

	if (access(env_bin(), X_OK))
		test_skip("no %s", env_bin());
	snprintf(pid, sizeof(pid), "%d", child_pid(c));
	hp_run_as(&r, NOBODY, (const char *[]){"trace", "--help", NULL});
	if (r.status == 127)
		test_skip("others may not run %s", env_bin());
	hp_result_free(&r);
	check_refused("/bin/sh", &(struct refusal){{"-p", pid, MAIN}, 4, "not permitted"}, NOBODY);
	hp_run_as(&r, NOBODY, (const char *[]){"clean", "-p", pid, NULL});
	hp_result_check(&r, 4);
	hp_result_free(&r);
	/* This one may be read by all; the folder of the copy not. */
	check_refused(image_or_skip("ce22"),
		      &(struct refusal){{"-x", PATH, MAIN}, 4, "run as root"}, NOBODY);
	repl_end(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		jvm_test(refused_files),     jvm_test(refused_specs), jvm_test(coverage_of_file),
		jvm_test(refused_processes), jvm_test(refused_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
