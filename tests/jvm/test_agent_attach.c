/* SPDX-License-Identifier: MIT */
/*
 * test_agent_attach.c - an agent is loaded into real JVMs by their attach mechanism, whosever they
 * are and wherever they live, and nothing is left behind.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/attach.h"
#include "lib/cmocka_all.h"
#include "agent/agent_load.h"

/* --- where it works --------------------------------------------------------------------------- */

static void loaded_plainly(const struct jdk *jdk, const char *lib)
{
	struct stat before, after;
	struct jvm j;

	attach_start(&j, jdk, NULL, NULL);
	assert_int_equal(stat("/proc/self/root/tmp", &before), 0);
	attach_loads(&j, lib, "one=1,two=2");
	assert_true(jvm_maps_has(&j, lib)); /* the very file, no copy */
	attach_loads(&j, lib, "again");
	attach_loads(&j, lib, "");
	assert_int_equal(stat("/proc/self/root/tmp", &after), 0);
	assert_true(geteuid() == 0 && before.st_ino == after.st_ino);
	attach_finish(&j);
}

/* Twice, the second time without a signal; we ourselves stay who and where we are. */
static void load_plainly(void **state _unused_)
{
	attach_each_jdk(loaded_plainly, 0755);
}

/* Another user's JVM; where that user cannot read the library, it gets a copy, which is gone after.
 */
static void load_other_user(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	struct jvm j;

	test_needs_root();
	attach_start_nobodys(&j, (const char *const[]){NOBODYS, NULL});
	attach_loads(&j, lib, "seen");
	assert_true(jvm_maps_has(&j, lib));
	assert_int_equal(chmod(dir, 0700), 0);
	attach_loads(&j, lib, "hidden");
	assert_true(jvm_maps_has(&j, "/tmp/.hotprobe-"));
	attach_finish(&j);
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
	attach_start(&roots, jdk_or_skip("jdk17"), NULL, NULL);
	attach_start_nobodys(&mine, (const char *const[]){NOBODYS, NULL});
	assert_int_equal(attach_as_nobody(&roots, lib), -EPERM);
	assert_int_equal(attach_as_nobody(&mine, lib), 0);
	attach_finish(&mine);
	attach_finish(&roots);
}

static void loaded_in_container(const struct jdk *jdk, const char *lib)
{
	struct jvm j;

	attach_start(&j, jdk,
		     (const char *const[]){CONTAINER, OWN_TMP("") "exec \"$0\" \"$@\"", NULL},
		     NULL);
	attach_loads(&j, lib, "contained");
	assert_true(jvm_maps_has(&j, "/tmp/.hotprobe-")); /* the library's path is not there */
	attach_loads(&j, lib, "again");
	attach_finish(&j);
}

/* PID 1 of its own namespaces (mount, PID, network, IPC), whose /tmp is not ours. */
static void load_in_container(void **state _unused_)
{
	attach_each_jdk(loaded_in_container, 0755);
}

/* In a user namespace, where it is root and we are nobody. */
static void load_in_user_namespace(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0700);
	struct jvm j;

	test_needs_root();
	test_needs_user_namespace();
	attach_start_nobodys(
		&j, (const char *const[]){
			    NOBODYS, "unshare", "-Urmpnf", "--mount-proc", "--kill-child", "sh",
			    "-c", "mount -t tmpfs none /var/tmp && exec \"$0\" \"$@\"", NULL});
	attach_loads(&j, lib, "mapped");
	attach_finish(&j);
}

/* A /tmp from which nothing may be run: the copy goes elsewhere; to nowhere, and a line says so. */
static void load_with_noexec_tmp(void **state _unused_)
{
	static const char some[] = OWN_TMP("-o noexec") "exec \"$0\" \"$@\"";
	static const char all[] =
		OWN_TMP("-o noexec") "for d in /var/tmp /dev/shm; do "
				     "mount -t tmpfs -o noexec none $d || exit 1; done; "
				     "exec \"$0\" \"$@\"";
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	struct jvm j;

	test_needs_root();
	attach_start(&j, jdk_or_skip("jdk17"), (const char *const[]){CONTAINER, some, NULL}, NULL);
	attach_loads(&j, lib, "elsewhere");
	assert_true(jvm_maps_has(&j, "/var/tmp/.hotprobe-"));
	attach_finish(&j);
	attach_start(&j, jdk_or_skip("jdk17"), (const char *const[]){CONTAINER, all, NULL}, NULL);
	attach_refuses(&j, lib, "", -EACCES, "noexec");
	attach_finish(&j);
}

/* Does the JVM's network namespace know a listener of our agent for the PID it sees as its own? */
static void check_agent_listens(struct jvm *j, pid_t ns_pid)
{
	char path[64], want[64], line[1024];
	bool found = false;
	size_t len, end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/net/unix", j->pid);
	end = (size_t)snprintf(want, sizeof(want), "@hotprobe.%d.control\n", ns_pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f)) {
		len = strlen(line);
		found = len > end && !strcmp(line + len - end, want);
	}
	fclose(f);
	if (!found)
		jvm_fail(j, "the agent does not listen as %s", want);
}

static void loaded_ours(const struct jdk *jdk, const char *lib _unused_)
{
	_cleanup_free_ char *ours = built_path("../../libhotprobe.so");
	struct jvm j;

	attach_start(&j, jdk, NULL, NULL);
	if (attach_agent(j.pid, ours, ""))
		jvm_fail(&j, "'%s'", attach_said);
	check_agent_listens(&j, j.pid);
	attach_finish(&j);
	attach_start(&j, jdk,
		     (const char *const[]){CONTAINER, OWN_TMP("") "exec \"$0\" \"$@\"", NULL},
		     NULL);
	if (attach_agent(j.pid, ours, ""))
		jvm_fail(&j, "'%s'", attach_said);
	check_agent_listens(&j, 1);
	attach_finish(&j);
}

/* hotprobe's own agent comes up in a JVM here and in a container. */
static void load_our_agent(void **state _unused_)
{
	attach_each_jdk(loaded_ours, 0755);
}

/* --- sockets ---------------------------------------------------------------------------------- */

/* A socket file at the JVM's place, on which nobody listens any more unless @fd is kept open. */
static int plant_socket(struct jvm *j)
{
	struct sockaddr_un sa = attach_socket_of(j);
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
	attach_start(&j, jdk_or_skip("jdk17"), NULL, NULL);
	close(plant_socket(&j));
	attach_loads(&j, lib, "first");
	close(plant_socket(&j)); /* over the one it listens on */
	attach_loads(&j, lib, "second");
	attach_finish(&j);
	attach_start_nobodys(&j, (const char *const[]){NOBODYS, NULL});
	close(plant_socket(&j));
	attach_loads(&j, lib, "nobody's");
	attach_finish(&j);
}

static void loaded_after_removal(const struct jdk *jdk, const char *lib)
{
	struct jvm j;

	attach_start(&j, jdk, NULL, NULL);
	attach_loads(&j, lib, "first");
	assert_int_equal(unlink(attach_socket_of(&j).sun_path), 0);
	attach_loads(&j, lib, "second");
	attach_finish(&j);
}

/* Something cleaned /tmp: the JVM is made to open another socket. */
static void load_after_socket_was_removed(void **state _unused_)
{
	attach_each_jdk(loaded_after_removal, 0755);
}

/* A thing in the place of the socket that cannot be removed, and one that somebody else serves. */
static void socket_place_taken(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755);
	struct sockaddr_un sa;
	struct jvm j;
	int fd;

	attach_start(&j, jdk_or_skip("jdk17"), NULL, NULL);
	sa = attach_socket_of(&j);
	assert_int_equal(mkdir(sa.sun_path, 0755), 0);
	attach_refuses(&j, lib, "", -EOPNOTSUPP, "remove it");
	assert_int_equal(rmdir(sa.sun_path), 0);
	fd = plant_socket(&j);
	attach_refuses(&j, lib, "", -EOPNOTSUPP, "another process");
	close(fd);
	assert_int_equal(unlink(sa.sun_path), 0);
	attach_loads(&j, lib, "free");
	attach_finish(&j);
}

/* A trigger file that HotSpot would not heed, because it is neither its user's nor root's. */
static void trigger_place_taken(void **state _unused_)
{
	_cleanup_free_ char *dir = test_dir(), *lib = agent_in(dir, 0755), *path = NULL;
	struct jvm j;

	test_needs_root();
	attach_start(&j, jdk_or_skip("jdk17"), NULL, NULL);
	assert_true(asprintf(&path, "/tmp/.attach_pid%d", j.pid) > 0);
	close(open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(chown(path, NOBODY, NOBODY), 0);
	attach_refuses(&j, lib, "", -EOPNOTSUPP, "in the way");
	assert_int_equal(unlink(path), 0);
	attach_finish(&j);
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
		jvm_test(load_our_agent),
		jvm_test(load_with_stale_socket),
		jvm_test(load_after_socket_was_removed),
		jvm_test(socket_place_taken),
		jvm_test(trigger_place_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
