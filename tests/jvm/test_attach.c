/* SPDX-License-Identifier: MIT */
/*
 * test_attach.c - an agent is loaded into real JVMs by their attach mechanism, wherever they live,
 * and what cannot be is refused with one clear line; nothing is left behind either way.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "cmocka_all.h"
#include "inject/attach_socket.h"
#include "jvm.h"
#include "log.h"

#define NOBODY	65534
#define NOBODYS "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"
/* The command behind it runs in namespaces of its own, with a /tmp of its own. */
#define CONTAINER "unshare", "-mpnif", "--mount-proc", "--kill-child", "sh", "-c"

static const char *const busy[] = {"prog.Busy", NULL};
static char said[LOG_TEXT_MAX];

static void keep_error(enum log_level level, const char *text, void *arg _unused_)
{
	if (level == LOG_LVL_ERR)
		snprintf(said, sizeof(said), "%s", text);
}

/* A public copy of the agent; mode 0700 of its folder hides it from other users. */
static char *agent_in(const char *dir, mode_t mode)
{
	_cleanup_free_ char *command = NULL;
	char exe[PATH_MAX], *path;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	struct child *c;

	assert_true(n > 0);
	exe[n] = '\0';
	*strrchr(exe, '/') = '\0';
	assert_true(asprintf(&command, "cp %s/tiny_agent.so %s", exe, dir) > 0);
	c = child_start((const char *const[]){"sh", "-c", command, NULL}, NULL);
	assert_int_equal(child_wait(c, JVM_TIMEOUT_MS), 0);
	child_free(c);
	assert_int_equal(chmod(dir, mode), 0);
	assert_true(asprintf(&path, "%s/tiny_agent.so", dir) > 0);
	return path;
}

/* A JVM behind @prefix, whose child it may be; its folder is open to all. */
static void start(struct jvm *j, const struct jdk *jdk, const char *const *prefix,
		  const char *const *flags)
{
	pid_t pids[4];

	jvm_start_with(j, jdk, prefix, flags, busy);
	assert_int_equal(chmod(j->dir, 0777), 0);
	jvm_ready(j);
	if (child_descendants(j->pid, pids, ARRAY_SIZE(pids)))
		j->pid = pids[0];
	log_set_sink(keep_error, NULL);
	said[0] = '\0';
}

static void check_folder(struct jvm *j, const char *folder)
{
	char path[64];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/root%s", j->pid, folder);
	dir = opendir(path);
	while (dir && (d = readdir(dir)))
		if (!strncmp(d->d_name, ".hotprobe-", 10) || !strncmp(d->d_name, ".attach_pid", 11))
			jvm_fail(j, "left behind: %s/%s", folder, d->d_name);
	if (dir)
		closedir(dir);
}

/* The JVM works, prints no stacks, and nothing lies about. */
static void finish(struct jvm *j)
{
	_cleanup_free_ char *answer = NULL, *out = NULL;

	check_folder(j, "/tmp");
	check_folder(j, "/var/tmp");
	check_folder(j, "/dev/shm");
	answer = jvm_ask(j, "stop");
	if (strncmp(answer, "0 errors", 8))
		jvm_fail(j, "not unharmed: %s", answer);
	out = child_text(j->c);
	if (strstr(out, "Full thread dump"))
		jvm_fail(j, "it was made to print its stacks");
	jvm_check_unhurt(j);
	jvm_quit(j);
	log_set_sink(NULL, NULL);
}

/* Loading works, and the agent gets its options. */
static void loads(struct jvm *j, const char *lib, const char *options)
{
	_cleanup_free_ char *path = NULL;
	char text[64] = "";
	FILE *f;

	if (attach_agent(j->pid, lib, options))
		jvm_fail(j, "'%s'", said);
	assert_true(asprintf(&path, "%s/loaded", j->dir) > 0);
	f = fopen(path, "re");
	if (!f || (!fgets(text, sizeof(text), f) && *options) || strcmp(text, options))
		jvm_fail(j, "the agent got '%s', not '%s'", text, options);
	fclose(f);
	assert_int_equal(unlink(path), 0);
	assert_string_equal(said, "");
}

/* Loading fails with this code and one line that names the PID and says this. */
static void refuses(struct jvm *j, const char *lib, const char *options, int err, const char *what)
{
	char pid[16];
	int got;

	said[0] = '\0';
	snprintf(pid, sizeof(pid), " %d: ", j->pid);
	got = attach_agent(j->pid, lib, options);
	if (got != err || !strstr(said, pid) || !strstr(said, what) || strchr(said, '\n'))
		jvm_fail(j, "%d, '%s'; expected %d, '%s'", got, said, err, what);
	said[0] = '\0';
}

typedef void jdk_fn(const struct jdk *jdk, const char *lib);

/* On each JDK but the copies that lack symbols. */
static void each_jdk(jdk_fn *fn, mode_t mode)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, mode);
	const struct jdk *jdks;
	size_t n = jdks_get(&jdks);

	test_needs_root();
	for (size_t i = 0; i < n; i++) {
		if (jdks[i].altered)
			continue;
		print_message("  %s\n", jdks[i].name);
		fn(&jdks[i], lib);
	}
}

/* --- where it works --------------------------------------------------------------------------- */

static void loaded_plainly(const struct jdk *jdk, const char *lib)
{
	struct stat before, after;
	struct jvm j;

	start(&j, jdk, NULL, NULL);
	assert_int_equal(stat("/proc/self/root/tmp", &before), 0);
	loads(&j, lib, "one=1,two=2");
	assert_true(jvm_maps_has(&j, lib)); /* the very file, no copy */
	loads(&j, lib, "again");
	loads(&j, lib, "");
	assert_int_equal(stat("/proc/self/root/tmp", &after), 0);
	assert_true(geteuid() == 0 && before.st_ino == after.st_ino);
	finish(&j);
}

/* Twice, the second time without a signal; we ourselves stay who and where we are. */
static void load_plainly(void **state _unused_)
{
	each_jdk(loaded_plainly, 0755);
}

static char *public_classes(void)
{
	_cleanup_free_ char *dir = test_dir(), *command = NULL;
	struct child *c;
	char *path;

	assert_true(asprintf(&path, "%s/classes", dir) > 0);
	assert_true(asprintf(&command, "cp -r %s %s", env_classes(), path) > 0);
	c = child_start((const char *const[]){"sh", "-c", command, NULL}, NULL);
	assert_int_equal(child_wait(c, JVM_TIMEOUT_MS), 0);
	child_free(c);
	return path;
}

/* A JVM of "nobody", behind more of a prefix than its own; only jdk17 is where it can read it. */
static void start_nobodys(struct jvm *j, const char *const *prefix)
{
	_cleanup_free_ char *classes = public_classes();

	start(j, jdk_or_skip("jdk17"), prefix, (const char *const[]){"-cp", classes, NULL});
}

/* Another user's JVM; where that user cannot read the library, it gets a copy, which is gone after.
 */
static void load_other_user(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	struct jvm j;

	test_needs_root();
	start_nobodys(&j, (const char *const[]){NOBODYS, NULL});
	loads(&j, lib, "seen");
	assert_true(jvm_maps_has(&j, lib));
	assert_int_equal(chmod(dir, 0700), 0);
	loads(&j, lib, "hidden");
	assert_true(jvm_maps_has(&j, "/tmp/.hotprobe-"));
	finish(&j);
}

/* Run by a user without any privilege: into a JVM of the same user, not into root's. */
static int attach_as_nobody(struct jvm *j, const char *lib)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(99);
		_exit(-attach_agent(j->pid, lib, "mine"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void load_without_privileges(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	struct jvm mine, roots;

	test_needs_root();
	start(&roots, jdk_or_skip("jdk17"), NULL, NULL);
	start_nobodys(&mine, (const char *const[]){NOBODYS, NULL});
	assert_int_equal(attach_as_nobody(&roots, lib), -EPERM);
	assert_int_equal(attach_as_nobody(&mine, lib), 0);
	finish(&mine);
	finish(&roots);
}

static void loaded_in_container(const struct jdk *jdk, const char *lib)
{
	struct jvm j;

	start(&j, jdk,
	      (const char *const[]){CONTAINER, "mount -t tmpfs none /tmp && exec \"$0\" \"$@\"",
				    NULL},
	      NULL);
	loads(&j, lib, "contained");
	assert_true(jvm_maps_has(&j, "/tmp/.hotprobe-")); /* the library's path is not there */
	loads(&j, lib, "again");
	finish(&j);
}

/* PID 1 of its own namespaces (mount, PID, network, IPC), whose /tmp is not ours. */
static void load_in_container(void **state _unused_)
{
	each_jdk(loaded_in_container, 0755);
}

/* In a user namespace, where it is root and we are nobody. */
static void load_in_user_namespace(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0700);
	struct jvm j;

	test_needs_root();
	start_nobodys(&j,
		      (const char *const[]){
			      NOBODYS, "unshare", "-Urmpnf", "--mount-proc", "--kill-child", "sh",
			      "-c", "mount -t tmpfs none /var/tmp && exec \"$0\" \"$@\"", NULL});
	loads(&j, lib, "mapped");
	finish(&j);
}

/* A /tmp from which nothing may be run: the copy goes elsewhere; to nowhere, and a line says so. */
static void load_with_noexec_tmp(void **state _unused_)
{
	static const char some[] = "mount -t tmpfs -o noexec none /tmp && exec \"$0\" \"$@\"";
	static const char all[] = "for d in /tmp /var/tmp /dev/shm; do "
				  "mount -t tmpfs -o noexec none $d || exit 1; done; "
				  "exec \"$0\" \"$@\"";
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	struct jvm j;

	test_needs_root();
	start(&j, jdk_or_skip("jdk17"), (const char *const[]){CONTAINER, some, NULL}, NULL);
	loads(&j, lib, "elsewhere");
	assert_true(jvm_maps_has(&j, "/var/tmp/.hotprobe-"));
	finish(&j);
	start(&j, jdk_or_skip("jdk17"), (const char *const[]){CONTAINER, all, NULL}, NULL);
	refuses(&j, lib, "", -EACCES, "noexec");
	finish(&j);
}

/* --- sockets ---------------------------------------------------------------------------------- */

static struct sockaddr_un socket_of(struct jvm *j)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	snprintf(sa.sun_path, sizeof(sa.sun_path), "/tmp/.java_pid%d", j->pid);
	return sa;
}

/* A socket file at the JVM's place, on which nobody listens any more unless @fd is kept open. */
static int plant_socket(struct jvm *j)
{
	struct sockaddr_un sa = socket_of(j);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	unlink(sa.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(chmod(sa.sun_path, 0666), 0);
	return fd;
}

/* A socket file left by a dead process of the same PID; for another user's JVM, root's. */
static void load_with_stale_socket(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	struct jvm j;

	test_needs_root();
	start(&j, jdk_or_skip("jdk17"), NULL, NULL);
	close(plant_socket(&j));
	loads(&j, lib, "first");
	close(plant_socket(&j)); /* over the one it listens on */
	loads(&j, lib, "second");
	finish(&j);
	start_nobodys(&j, (const char *const[]){NOBODYS, NULL});
	close(plant_socket(&j));
	loads(&j, lib, "nobody's");
	finish(&j);
}

static void loaded_after_removal(const struct jdk *jdk, const char *lib)
{
	struct jvm j;

	start(&j, jdk, NULL, NULL);
	loads(&j, lib, "first");
	assert_int_equal(unlink(socket_of(&j).sun_path), 0);
	loads(&j, lib, "second");
	finish(&j);
}

/* Something cleaned /tmp: the JVM is made to open another socket. */
static void load_after_socket_was_removed(void **state _unused_)
{
	each_jdk(loaded_after_removal, 0755);
}

/* A thing in the place of the socket that cannot be removed, and one that somebody else serves. */
static void socket_place_taken(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	struct sockaddr_un sa;
	struct jvm j;
	int fd;

	start(&j, jdk_or_skip("jdk17"), NULL, NULL);
	sa = socket_of(&j);
	assert_int_equal(mkdir(sa.sun_path, 0755), 0);
	refuses(&j, lib, "", -EOPNOTSUPP, "remove it");
	assert_int_equal(rmdir(sa.sun_path), 0);
	fd = plant_socket(&j);
	refuses(&j, lib, "", -EOPNOTSUPP, "another process");
	close(fd);
	assert_int_equal(unlink(sa.sun_path), 0);
	loads(&j, lib, "free");
	finish(&j);
}

/* A trigger file that HotSpot would not heed, because it is neither its user's nor root's. */
static void trigger_place_taken(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755), *path = NULL;
	struct jvm j;

	test_needs_root();
	start(&j, jdk_or_skip("jdk17"), NULL, NULL);
	assert_true(asprintf(&path, "/tmp/.attach_pid%d", j.pid) > 0);
	close(open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(chown(path, NOBODY, NOBODY), 0);
	refuses(&j, lib, "", -EOPNOTSUPP, "in the way");
	assert_int_equal(unlink(path), 0);
	finish(&j);
}

/* --- JVMs that do not want it ----------------------------------------------------------------- */

static void attaching_is_off(const struct jdk *jdk, const char *lib)
{
	struct jvm j;

	start(&j, jdk, NULL, (const char *const[]){"-XX:+DisableAttachMechanism", NULL});
	refuses(&j, lib, "", -EOPNOTSUPP, "-XX:+DisableAttachMechanism");
	finish(&j);
}

/* -XX:+DisableAttachMechanism on the command line is seen before the JVM is disturbed. */
static void attach_disabled(void **state _unused_)
{
	each_jdk(attaching_is_off, 0755);
}

/* The same from the environment: the JVM prints its stacks and opens nothing; the wait is bounded.
 */
static void attach_disabled_elsewhere(void **state _unused_)
{
	const char *const prefix[] = {"env", "JAVA_TOOL_OPTIONS=-XX:+DisableAttachMechanism", NULL};
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	uint64_t begin;
	struct jvm j;

	start(&j, jdk_or_skip("jdk17"), prefix, NULL);
	begin = mono_ms();
	refuses(&j, lib, "", -ETIMEDOUT, "-XX:+DisableAttachMechanism");
	assert_in_range(mono_ms() - begin, 5000, 12000);
	check_folder(&j, "/tmp");
	jvm_check_unhurt(&j);
	jvm_quit(&j);
}

static void dynamic_loading_is_off(const struct jdk *jdk, const char *lib)
{
	struct jvm j;

	start(&j, jdk, NULL, (const char *const[]){"-XX:-EnableDynamicAgentLoading", NULL});
	refuses(&j, lib, "", -EOPNOTSUPP, "-XX:-EnableDynamicAgentLoading");
	finish(&j);
}

/* -XX:-EnableDynamicAgentLoading: the JVM answers, and refuses. */
static void dynamic_loading_disabled(void **state _unused_)
{
	each_jdk(dynamic_loading_is_off, 0755);
}

static void signals_are_reduced(const struct jdk *jdk, const char *lib)
{
	struct jvm j;

	start(&j, jdk, NULL, (const char *const[]){"-Xrs", NULL});
	loads(&j, lib, "first");
	assert_int_equal(unlink(socket_of(&j).sun_path), 0);
	refuses(&j, lib, "", -EOPNOTSUPP, "-Xrs");
	finish(&j);
}

/* With -Xrs a JVM listens from its start; without that socket SIGQUIT would kill it. */
static void reduced_signals(void **state _unused_)
{
	each_jdk(signals_are_reduced, 0755);
}

/* A stopped JVM is refused at once, before and after it opened its socket, and none the worse. */
static void stopped(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	struct jvm j;

	start(&j, jdk_or_skip("jdk17"), NULL, NULL);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(kill(j.pid, SIGSTOP), 0);
		pause_ms(50);
		refuses(&j, lib, "", -ETIMEDOUT, "it is stopped");
		assert_int_equal(kill(j.pid, SIGCONT), 0);
		loads(&j, lib, "goes on");
	}
	finish(&j);
}

/* --- what goes wrong -------------------------------------------------------------------------- */

/* Libraries that cannot be loaded, and more options than the protocol takes. */
static void bad_libraries(void **state _unused_)
{
	static const uint8_t elf32[64] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755), *path = NULL;
	char options[ATTACH_ARG_MAX + 2] = "";
	struct jvm j;
	FILE *f;

	start(&j, jdk_or_skip("jdk17"), NULL, NULL);
	refuses(&j, "/no/such/lib.so", "", -ENOENT, "/no/such/lib.so");
	refuses(&j, dir, "", -ENOENT, dir);
	assert_true(asprintf(&path, "%s/other.so", dir) > 0);
	f = fopen(path, "we");
	assert_int_equal(fwrite(elf32, 1, sizeof(elf32), f), sizeof(elf32));
	fclose(f);
	refuses(&j, path, "", -EOPNOTSUPP, "ELFCLASS32");
	f = fopen(path, "we");
	fputs("no library", f);
	fclose(f);
	refuses(&j, path, "", -EOPNOTSUPP, "not loaded");
	memset(options, 'x', ATTACH_ARG_MAX + 1);
	refuses(&j, lib, options, -EINVAL, "longer than");
	options[60] = '\0';
	loads(&j, lib, options);
	finish(&j);
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
	start(&j, jdk_or_skip("jdk17"), (const char *const[]){"env", preload, NULL}, NULL);
	refuses(&j, lib, "", -EOPNOTSUPP, "musl");
	finish(&j);
}

static void agent_gives_up(const struct jdk *jdk, const char *lib)
{
	struct jvm j;

	start(&j, jdk, NULL, NULL);
	refuses(&j, lib, "return:5", -EOPNOTSUPP, "code 5");
	refuses(&j, lib, "return:-1", -EOPNOTSUPP, "code -1");
	loads(&j, lib, "fine");
	finish(&j);
}

/* An agent's own failure is told with its code. */
static void agent_fails(void **state _unused_)
{
	each_jdk(agent_gives_up, 0755);
}

/* The JVM ends while the agent is loaded; the copy of its library does not stay. */
static void target_exits(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0700);
	struct jvm j;

	test_needs_root();
	start_nobodys(&j, (const char *const[]){NOBODYS, NULL});
	refuses(&j, lib, "exit", -ESRCH, "it ended");
	unlink(socket_of(&j).sun_path); /* it had no time to do so itself */
	j.pid = getpid();
	check_folder(&j, "/tmp");
	jvm_free(&j);
}

/* An agent that does not return: given up in time, nothing left, and the JVM goes on. */
static void agent_hangs(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0700);
	uint64_t begin;
	struct jvm j;

	test_needs_root();
	start_nobodys(&j, (const char *const[]){NOBODYS, NULL});
	begin = mono_ms();
	refuses(&j, lib, "sleep", -ETIMEDOUT, "did not answer");
	assert_in_range(mono_ms() - begin, 9000, 12000);
	finish(&j);
}

/* What is no JVM is not touched, least of all by a SIGQUIT. */
static void not_a_jvm(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	struct child *c = child_start((const char *const[]){"sleep", "100", NULL}, NULL);
	const pid_t pids[] = {child_pid(c), getpid()};

	log_set_sink(keep_error, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		assert_int_equal(attach_agent(pids[i], lib, ""), -EOPNOTSUPP);
		assert_non_null(strstr(said, "not a JVM"));
	}
	assert_true(child_running(c));
	child_free(c);
	/* PID 1 is no JVM, or may not be looked at. */
	assert_int_not_equal(attach_agent(1, lib, ""), 0);
	assert_int_equal(kill(1, 0), 0);
	log_set_sink(NULL, NULL);
}

/* PIDs that no process has, or a thread only. */
static void no_such_process(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	struct jvm j;
	pid_t gone;

	start(&j, jdk_or_skip("jdk17"), NULL, NULL);
	assert_int_equal(kill(j.pid + 1, 0), 0); /* a JVM's second thread comes at once */
	assert_int_equal(attach_agent(j.pid + 1, lib, ""), -ESRCH);
	gone = j.pid;
	finish(&j);
	log_set_sink(keep_error, NULL);
	assert_int_equal(attach_agent(gone, lib, ""), -ESRCH);
	assert_non_null(strstr(said, "no such process"));
	assert_int_equal(attach_agent(0, lib, ""), -ESRCH);
	assert_int_equal(attach_agent(-1, lib, ""), -ESRCH);
	log_set_sink(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		jvm_test(load_plainly),
		jvm_test(load_other_user),
		jvm_test(load_without_privileges),
		jvm_test(load_in_container),
		jvm_test(load_in_user_namespace),
		jvm_test(load_with_noexec_tmp),
		jvm_test(load_with_stale_socket),
		jvm_test(load_after_socket_was_removed),
		jvm_test(socket_place_taken),
		jvm_test(trigger_place_taken),
		jvm_test(attach_disabled),
		jvm_test(attach_disabled_elsewhere),
		jvm_test(dynamic_loading_disabled),
		jvm_test(reduced_signals),
		jvm_test(stopped),
		jvm_test(bad_libraries),
		jvm_test(musl_is_refused),
		jvm_test(agent_fails),
		jvm_test(target_exits),
		jvm_test(agent_hangs),
		jvm_test(not_a_jvm),
		jvm_test(no_such_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
