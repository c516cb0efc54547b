/* SPDX-License-Identifier: MIT */
/*
 * test_agent_attach_refused.c - where no agent can be loaded one clear line says why, in bounded
 * time, and neither the JVM nor anything in its folders is the worse for it.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/attach.h"
#include "lib/cmocka_all.h"
#include "agent/agent_load.h"

/* Each wait is of ten seconds or less; what comes on top is the machine's. */
#define BOUND_MS 30000

/* --- JVMs that do not want it ----------------------------------------------------------------- */

static void attaching_is_off(const struct jdk *jdk, const char *lib)
{
	struct jvm j;

	attach_start(&j, jdk, NULL, (const char *const[]){"-XX:+DisableAttachMechanism", NULL});
	attach_refuses(&j, lib, "", -EOPNOTSUPP, "-XX:+DisableAttachMechanism");
	attach_finish(&j);
}

/* -XX:+DisableAttachMechanism on the command line is seen before the JVM is disturbed. */
static void attach_disabled(void **state _unused_)
{
	attach_each_jdk(attaching_is_off, 0755);
}

/* The same from the environment: the JVM prints its stacks and opens nothing; the wait is bounded.
 */
static void attach_disabled_elsewhere(void **state _unused_)
{
	const char *const prefix[] = {"env", "JAVA_TOOL_OPTIONS=-XX:+DisableAttachMechanism", NULL};
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	uint64_t begin;
	struct jvm j;

	attach_start(&j, jdk_or_skip("jdk17"), prefix, NULL);
	begin = mono_ms();
	attach_refuses(&j, lib, "", -ETIMEDOUT, "-XX:+DisableAttachMechanism");
	assert_in_range(mono_ms() - begin, 5000, BOUND_MS);
	attach_check_folder(&j, "/tmp");
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

static void dynamic_loading_is_off(const struct jdk *jdk, const char *lib)
{
	struct jvm j;

	attach_start(&j, jdk, NULL, (const char *const[]){"-XX:-EnableDynamicAgentLoading", NULL});
	attach_refuses(&j, lib, "", -EOPNOTSUPP, "-XX:-EnableDynamicAgentLoading");
	attach_finish(&j);
}

/* -XX:-EnableDynamicAgentLoading: the JVM answers, and refuses. */
static void dynamic_loading_disabled(void **state _unused_)
{
	attach_each_jdk(dynamic_loading_is_off, 0755);
}

static void signals_are_reduced(const struct jdk *jdk, const char *lib)
{
	struct jvm j;

	attach_start(&j, jdk, NULL, (const char *const[]){"-Xrs", NULL});
	attach_loads(&j, lib, "first");
	assert_int_equal(unlink(attach_socket_of(&j).sun_path), 0);
	attach_refuses(&j, lib, "", -EOPNOTSUPP, "-Xrs");
	attach_finish(&j);
}

/* With -Xrs a JVM listens from its start; without that socket SIGQUIT would kill it. */
static void reduced_signals(void **state _unused_)
{
	attach_each_jdk(signals_are_reduced, 0755);
}

/* A stopped JVM is refused at once, before and after it opened its socket, and none the worse. */
static void stopped(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	struct jvm j;

	attach_start(&j, jdk_or_skip("jdk17"), NULL, NULL);
	for (int i = 0; i < 2; i++) {
		jvm_stop(&j);
		attach_refuses(&j, lib, "", -EPERM, "it is stopped");
		assert_int_equal(kill(j.pid, SIGCONT), 0);
		attach_loads(&j, lib, "goes on");
	}
	attach_finish(&j);
}

/* --- what goes wrong -------------------------------------------------------------------------- */

/* Libraries that cannot be loaded, and more options than the protocol takes. */
static void bad_libraries(void **state _unused_)
{
	static const uint8_t elf32[64] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755), *path = NULL;
	char options[AGENT_LOAD_ARG_MAX + 2] = "";
	struct jvm j;
	FILE *f;

	attach_start(&j, jdk_or_skip("jdk17"), NULL, NULL);
	attach_refuses(&j, "/no/such/lib.so", "", -ENOENT, "/no/such/lib.so");
	attach_refuses(&j, dir, "", -ENOENT, dir);
	assert_true(asprintf(&path, "%s/other.so", dir) > 0);
	f = fopen(path, "we");
	assert_int_equal(fwrite(elf32, 1, sizeof(elf32), f), sizeof(elf32));
	fclose(f);
	attach_refuses(&j, path, "", -EOPNOTSUPP, "ELFCLASS32");
	f = fopen(path, "we");
	fputs("no library", f);
	fclose(f);
	attach_refuses(&j, path, "", -EOPNOTSUPP, "not loaded");
	memset(options, 'x', AGENT_LOAD_ARG_MAX + 1);
	attach_refuses(&j, lib, options, -EINVAL, "longer than");
	options[60] = '\0';
	attach_loads(&j, lib, options);
	attach_finish(&j);
}

/* A JVM that has musl's dynamic linker mapped, which ours cannot be loaded beside. */
static void musl_is_refused(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755), *musl = NULL;
	_cleanup_free_ char *preload = NULL;
	struct jvm j;

	assert_true(asprintf(&musl, "%s/ld-musl-x86_64.so.1", dir) > 0);
	assert_true(asprintf(&preload, "LD_PRELOAD=%s", musl) > 0);
	assert_int_equal(link(lib, musl), 0);
	attach_start(&j, jdk_or_skip("jdk17"), (const char *const[]){"env", preload, NULL}, NULL);
	attach_refuses(&j, lib, "", -EOPNOTSUPP, "musl");
	attach_finish(&j);
}

/* Somebody else's socket in its place, which takes no connection: said at once, with its owner. */
static void socket_of_another(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	struct sockaddr_un sa;
	uint64_t begin_ms;
	struct jvm j;
	int fd, s;

	test_needs_root();
	attach_start(&j, jdk_or_skip("jdk17"), NULL, NULL);
	sa = attach_socket_of(&j);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(seteuid(NOBODY), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(listen(fd, 0), 0);
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(s, (struct sockaddr *)&sa, sizeof(sa)), 0);
	begin_ms = mono_ms();
	attach_refuses(&j, lib, "", -EOPNOTSUPP,
		       "is not its own, but one of user 65534: remove it");
	assert_true(mono_ms() - begin_ms < 5000); /* it would be waited for 6 s */
	close(s);
	close(fd);
	unlink(sa.sun_path);
	attach_loads(&j, lib, "goes on");
	attach_finish(&j);
}

static void agent_gives_up(const struct jdk *jdk, const char *lib)
{
	struct jvm j;

	attach_start(&j, jdk, NULL, NULL);
	attach_refuses(&j, lib, "return:5", -EOPNOTSUPP, "code 5");
	attach_refuses(&j, lib, "return:-1", -EOPNOTSUPP, "code -1");
	attach_loads(&j, lib, "fine");
	attach_finish(&j);
}

/* An agent's own failure is told with its code. */
static void agent_fails(void **state _unused_)
{
	attach_each_jdk(agent_gives_up, 0755);
}

/* The JVM ends while the agent is loaded; the copy of its library does not stay. */
static void target_exits(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0700);
	struct jvm j;

	test_needs_root();
	attach_start_nobodys(&j, (const char *const[]){NOBODYS, NULL});
	attach_refuses(&j, lib, "exit", -ESRCH, "it ended");
	unlink(attach_socket_of(&j).sun_path); /* it had no time to do so itself */
	j.pid = getpid();
	attach_check_folder(&j, "/tmp");
	jvm_free(&j);
}

/* An agent that does not return: given up in time, nothing left, and the JVM goes on. */
static void agent_hangs(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0700);
	uint64_t begin;
	struct jvm j;

	test_needs_root();
	attach_start_nobodys(&j, (const char *const[]){NOBODYS, NULL});
	begin = mono_ms();
	attach_refuses(&j, lib, "sleep", -ETIMEDOUT, "did not answer");
	assert_in_range(mono_ms() - begin, 9000, BOUND_MS);
	attach_finish(&j);
}

/* What is no JVM is not touched, least of all by a SIGQUIT. */
static void not_a_jvm(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	struct child *c = child_start((const char *const[]){"sleep", "100", NULL}, NULL);
	const pid_t pids[] = {child_pid(c), getpid()};

	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		assert_int_equal(attach_agent(pids[i], lib, ""), -EOPNOTSUPP);
		assert_non_null(strstr(attach_said, "not a JVM"));
	}
	assert_true(child_running(c));
	child_free(c);
	/* PID 1 is no JVM, or may not be looked at. */
	assert_int_not_equal(attach_agent(1, lib, ""), 0);
	assert_int_equal(kill(1, 0), 0);
}

/* PIDs that no process has, or a thread only. */
static void no_such_process(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	struct jvm j;
	pid_t gone;

	attach_start(&j, jdk_or_skip("jdk17"), NULL, NULL);
	assert_int_equal(attach_agent(jvm_other_thread(&j), lib, ""), -ESRCH);
	gone = j.pid;
	attach_finish(&j);
	assert_int_equal(attach_agent(gone, lib, ""), -ESRCH);
	assert_non_null(strstr(attach_said, "no such process"));
	assert_int_equal(attach_agent(0, lib, ""), -ESRCH);
	assert_int_equal(attach_agent(-1, lib, ""), -ESRCH);
}

/* --- who only plays a JVM --------------------------------------------------------------------- */

static int fake_listener = -1;

/* As HotSpot does at SIGQUIT: listen first, then have the name. System calls only, for a handler.
 */
static void fake_listen(int sig _unused_)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	snprintf(sa.sun_path, sizeof(sa.sun_path), "/tmp/.java_pid%d", getpid());
	fake_listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fake_listener, (struct sockaddr *)&sa, sizeof(sa)) || listen(fake_listener, 1))
		_exit(1);
}

/* One answer of the kind that @mode names. */
static void fake_answer(const char *mode)
{
	int fd = accept(fake_listener, NULL, NULL);
	char request[4096];

	if (fd < 0 || read(fd, request, sizeof(request)) <= 0)
		_exit(1);
	if (!strcmp(mode, "garbage"))
		dprintf(fd, "\033[31mno number\n");
	if (!strcmp(mode, "endless"))
		for (dprintf(fd, "0\n"); write(fd, "\033\nreturn code: 0\n", 17) > 0;)
			;
	if (!strcmp(mode, "silent"))
		while (read(fd, request, sizeof(request)) > 0)
			;
	close(fd);
}

/* Run as "--fake MODE FILE": a program that maps a file called libjvm.so. */
static int fake_jvm(const char *mode, const char *file)
{
	struct sigaction quit = {.sa_handler = fake_listen};
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	signal(SIGPIPE, SIG_IGN);
	if (fd < 0 || mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		return 1;
	if (strcmp(mode, "deaf"))
		sigaction(SIGQUIT, &quit, NULL);
	puts("mapped");
	fflush(stdout);
	while (fake_listener < 0)
		pause();
	fake_answer(mode);
	for (;;)
		pause();
}

static void fake_is_refused(const char *mode, const char *lib, int err, const char *what)
{
	_cleanup_free_ char *dir = test_dir(), *file = NULL, *line = NULL;
	struct child *c;
	struct jvm j;

	print_message("  %s\n", mode);
	assert_true(asprintf(&file, "%s/libjvm.so", dir) > 0);
	assert_int_equal(link(lib, file), 0);
	c = child_start((const char *const[]){"/proc/self/exe", "--fake", mode, file, NULL}, NULL);
	line = child_line(c, JVM_TIMEOUT_MS);
	assert_non_null(line);
	j = (struct jvm){.c = c, .pid = child_pid(c), .jdk = jdk_or_skip("jdk17"), .dir = dir};
	attach_refuses(&j, lib, "", err, what);
	attach_check_folder(&j, "/tmp");
	assert_true(child_running(c));
	unlink(attach_socket_of(&j).sun_path);
	child_free(c);
}

/* Whatever a process answers that is no JVM: one line, in time, and no success. */
static void hostile_answers(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);

	fake_is_refused("deaf", lib, -EOPNOTSUPP, "SIGQUIT"); /* which would have killed it */
	fake_is_refused("garbage", lib, -EPROTO, "makes no sense");
	fake_is_refused("endless", lib, -EOPNOTSUPP, "the JVM says (status 0): ?; return code");
	fake_is_refused("hangup", lib, -EPERM, "hung up");
	fake_is_refused("silent", lib, -ETIMEDOUT, "did not answer");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		jvm_test(attach_disabled),
		jvm_test(attach_disabled_elsewhere),
		jvm_test(dynamic_loading_disabled),
		jvm_test(reduced_signals),
		jvm_test(stopped),
		jvm_test(bad_libraries),
		jvm_test(musl_is_refused),
		jvm_test(socket_of_another),
		jvm_test(agent_fails),
		jvm_test(target_exits),
		jvm_test(agent_hangs),
		jvm_test(not_a_jvm),
		jvm_test(no_such_process),
		jvm_test(hostile_answers),
	};

	if (argc == 4 && !strcmp(argv[1], "--fake"))
		return fake_jvm(argv[2], argv[3]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
