/* SPDX-License-Identifier: MIT */
/*
 * test_agent_refuse.c - the agent in a JVM it does not know: a VM made of two functions, all others
 * are null, so that whoever calls more than "which version is this?" dies.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <jvmti.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "launch/launch_door.h"

#define LIMIT_MS 60000

static const char *version;
static bool has_jvmti;

static jvmtiError JNICALL fake_property(jvmtiEnv *ti _unused_, const char *key, char **ret)
{
	if (strcmp(key, "java.vm.specification.version"))
		return JVMTI_ERROR_NOT_AVAILABLE;
	*ret = strdup(version);
	return JVMTI_ERROR_NONE;
}

static jvmtiError JNICALL fake_deallocate(jvmtiEnv *ti _unused_, unsigned char *p)
{
	free(p);
	return JVMTI_ERROR_NONE;
}

static jvmtiError JNICALL fake_dispose(jvmtiEnv *ti _unused_)
{
	return JVMTI_ERROR_NONE;
}

static const struct jvmtiInterface_1_ fake_ti = {
	.GetSystemProperty = fake_property,
	.Deallocate = fake_deallocate,
	.DisposeEnvironment = fake_dispose,
};

static jint JNICALL fake_env(JavaVM *vm _unused_, void **ret, jint wanted _unused_)
{
	static jvmtiEnv env = &fake_ti;

	*ret = has_jvmti ? (void *)&env : NULL;
	return has_jvmti ? JNI_OK : JNI_EVERSION;
}

static const struct JNIInvokeInterface_ fake_vm = {.GetEnv = fake_env};

static void *agent_symbol(const char *name)
{
	const char *path = getenv("HP_AGENT");
	char beside[PATH_MAX + 32] = "";
	void *library, *symbol;

	if (!path && readlink("/proc/self/exe", beside, PATH_MAX) > 0) {
		strcpy(strrchr(beside, '/'), "/../libhotprobe.so");
		path = beside;
	}
	library = dlopen(path, RTLD_NOW);
	if (!library)
		fail_msg("%s", dlerror());
	symbol = dlsym(library, name);
	assert_non_null(symbol);
	return symbol;
}

/* Call an entry of the agent; what it says on stderr goes to @said. */
static jint enter(const char *name, char *options, char *said, size_t len)
{
	jint (*entry)(JavaVM *, char *, void *) = agent_symbol(name);
	JavaVM vm = &fake_vm;
	int old = dup(2), p[2];
	ssize_t n;
	jint ret;

	assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(dup2(p[1], 2), 2);
	ret = entry(&vm, options, NULL);
	dup2(old, 2);
	n = read(p[0], said, len - 1);
	said[n > 0 ? n : 0] = 0;
	close(p[0]);
	close(p[1]);
	close(old);
	return ret;
}

/* Nobody may listen at the agent's name. */
static void check_nobody_listens(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int n = snprintf(sa.sun_path + 1, sizeof(sa.sun_path) - 1, "hotprobe.%d", getpid());
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(
		connect(fd, (struct sockaddr *)&sa,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)),
		-1);
	close(fd);
}

/* A version that is too old, too new or no number: one line, and the JVM may go on. */
static void agent_refuses_versions(void **state _unused_)
{
	static const char *const versions[] = {"1.8", "11", "16", "26", "99", "", "x"};
	char said[512];

	has_jvmti = true;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		version = versions[i];
		assert_int_equal(enter("Agent_OnLoad", NULL, said, sizeof(said)), JNI_OK);
		assert_non_null(strstr(said, "supported are 17 to 25"));
		assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
		assert_int_equal(enter("Agent_OnAttach", (char[]){"quiet"}, said, sizeof(said)),
				 EOPNOTSUPP);
		assert_string_equal(said, "");
		check_nobody_listens();
	}
}

/* So is one without JVMTI. */
static void agent_refuses_no_jvmti(void **state _unused_)
{
	char said[512];

	has_jvmti = false;
	assert_int_equal(enter("Agent_OnLoad", NULL, said, sizeof(said)), JNI_OK);
	assert_string_equal(said,
			    "hotprobe: this JVM has no JVMTI: the JVM goes on without the agent\n");
	check_nobody_listens();
}

/* This program as a JVM that is too new, and loads the agent. */
static int load_at(const char *name)
{
	char options[128], said[512];

	has_jvmti = true;
	version = "26";
	snprintf(options, sizeof(options), "wait=%s,quiet", name);
	return enter("Agent_OnLoad", options, said, sizeof(said)) != JNI_OK || *said;
}

/* A launcher that the options name is told why, and the JVM goes on when it has heard that. */
static void agent_tells_the_launcher(void **state _unused_)
{
	struct pollfd fds[LAUNCH_FDS_MAX];
	struct launch_arrival a;
	struct launch_door door;
	struct family f;
	int status;
	pid_t pid;

	assert_int_equal(launch_door_open(&door), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		execl("/proc/self/exe", "JVM", "--load", door.name, NULL);
		_exit(1);
	}
	assert_int_equal(family_open(&f, pid), 0);
	while (!launch_door_next(&door, &f, &a))
		assert_true(poll(fds, launch_door_poll(&door, fds), LIMIT_MS) > 0);
	assert_int_equal(a.pid, pid);
	assert_string_equal(a.why, "JDK 26: supported are 17 to 25");
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* it waits */
	launch_door_let_go(a.fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	launch_door_close(&door);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agent_refuses_versions),
		cmocka_unit_test(agent_refuses_no_jvmti),
		cmocka_unit_test(agent_tells_the_launcher),
	};

	if (argc == 3 && !strcmp(argv[1], "--load"))
		return load_at(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
