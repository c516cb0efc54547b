// SPDX-License-Identifier: MIT
/*
 * agent_load_child.c - inside the target's root, as its user: have the JVM load the library. The
 * protocol and its sources are in docs/hotspot.md, "Attach mechanism".
 *
 * HotSpot listens on a socket in the file system, /tmp/.java_pidN in its own root, N being its PID
 * in its own namespace. The socket is made when it is first asked for: by a file /tmp/.attach_pidN
 * and a SIGQUIT. Whoever connects must have the JVM's effective user and group, or be root *as the
 * JVM sees it*. So a child of ours moves into the JVM's root and becomes its user. That is enough:
 * a socket in the file system is found from every network namespace, a pidfd signals into every PID
 * namespace, and the kernel translates user ids into the namespace of whoever asks.
 *
 * Everything in that root is the target's to choose. The child opens nothing there that it did not
 * make, and connects only to a socket on which the target itself listens. Unless that
 * user is root it has no capabilities left by then.
 */
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "agent/agent_load_child.h"
#include "agent/agent_load.h"
#include "base/copy.h"
#include "proc/user.h"

#define SOCKET_LIMIT_NS (6 * NSEC_PER_SEC) /* from SIGQUIT to a socket that listens */
#define STEP_MS		10		   /* between two looks for the socket, growing to ... */
#define STEP_MAX_MS	200
#define END_MS		500 /* from a hung-up socket to the process's end */

#define LIB_MAX (256u << 20)

int agent_load_gone(struct agent_load *a)
{
	return fail_set(&a->fail, -ESRCH, "it ended meanwhile");
}

int agent_load_fail(struct agent_load *a, int err)
{
	return err == -ESRCH ? agent_load_gone(a)
			     : fail_set(&a->fail, err, "%s", fail_strerror(err));
}

/* --- /proc/PID -------------------------------------------------------------------------------- */

int agent_load_status(struct agent_load *a, struct proc_status *ret)
{
	_cleanup_close_ int fd = openat(a->proc, "status", O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? fail_code(errno) : proc_status_read(fd, ret);

	return err ? agent_load_fail(a, err) : 0;
}

/* A stopped JVM would take the request and answer when nobody waits any more. */
static int check_running(struct agent_load *a, struct proc_status *ret)
{
	int err = agent_load_status(a, ret);

	if (err)
		return err;
	if (ret->state == 'T' || ret->state == 't')
		return fail_set(
			&a->fail, -EPERM,
			"it was stopped meanwhile, by a signal or a debugger: let it go on");
	return proc_alive(&a->id) ? 0 : agent_load_gone(a);
}

/* --- the target's root and user --------------------------------------------------------------- */

/*
 * Its root leads into its mount namespace too: what is mounted there is found from it.
 * Without the privilege the own root does where it is the target's.
 */
static int enter_root(struct agent_load *a)
{
	struct stat ours, theirs;

	if (!fchdir(a->root) && !chroot("."))
		return 0;
	if (!a->info.other_mount_ns && !stat("/", &ours) && !fstat(a->root, &theirs) &&
	    ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino)
		return 0;
	return fail_set(
		&a->fail, -EPERM,
		"it has another root directory (a container): run hotprobe as root, or with "
		"CAP_SYS_CHROOT");
}

/* The saved ids stay: the target's user may not signal us, and remove_stale() steps back. */
static int become_user(struct agent_load *a)
{
	if (geteuid() == a->uid && getegid() == a->gid && user_is_certain(a->uid))
		return 0;
	if (setgroups(0, NULL) || setegid(a->gid) || seteuid(a->uid))
		return fail_set(&a->fail, -EPERM,
				"it runs as user %u, group %u: run hotprobe as root, as that user, "
				"or with CAP_SETUID and CAP_SETGID",
				a->uid, a->gid);
	return 0;
}

/* --- the library ------------------------------------------------------------------------------ */

/* Can the target read this very file under the same name? */
static bool lib_visible(const struct agent_load *a)
{
	struct stat ours, theirs;

	/* The dynamic linker puts another text for what begins with a $ (dlopen(3), $ORIGIN). */
	return !strchr(a->path, '$') && !fstat(a->lib, &ours) && !stat(a->path, &theirs) &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino &&
	       !eaccess(a->path, R_OK);
}

/* One attempt, in folder @dir of the target's root. Return: 0, with a->copy; -errno. */
static int lib_copy_to(struct agent_load *a, const char *dir)
{
	_cleanup_close_ int fd = -1;
	struct statvfs fs;
	int err = 0;

	snprintf(a->copy, sizeof(a->copy), "%s/.hotprobe-XXXXXX.so", dir);
	fd = mkostemps(a->copy, strlen(".so"), O_CLOEXEC);
	if (fd < 0) {
		a->copy[0] = '\0';
		return -errno;
	}
	if (fstatvfs(fd, &fs) || fs.f_flag & ST_NOEXEC)
		err = -EACCES; /* the dynamic linker could not map it */
	if (!err)
		err = copy_file(a->lib, fd, LIB_MAX);
	if (err) {
		unlink(a->copy);
		a->copy[0] = '\0';
	}
	return err;
}

/*
 * A file that is unlinked after dlopen() leaves nothing behind; the mapping keeps it. A memfd of
 * ours has no name that is good in another PID namespace.
 */
static int lib_copy(struct agent_load *a)
{
	static const char *const dirs[] = {"/tmp", "/var/tmp", "/dev/shm"};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		int e = lib_copy_to(a, dirs[i]);

		if (!e)
			return 0;
		err = err ? err : e;
	}
	return fail_set(&a->fail, err,
			"no place for a copy of %s (%s): its /tmp, /var/tmp or /dev/shm must be "
			"writable to it and not mounted noexec",
			a->path, err == -EACCES ? "no permission, or noexec" : fail_strerror(err));
}

/* --- the socket ------------------------------------------------------------------------------- */

static void socket_address(const struct agent_load *a, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(ret->sun_path, sizeof(ret->sun_path), "/tmp/.java_pid%d", a->info.ns_pid);
}

/* Return: 0; -ENOENT no socket; -ECONNREFUSED one on which nobody listens; -EAGAIN busy; -errno. */
static int socket_connect(const struct agent_load *a, int fd)
{
	struct sockaddr_un sa;

	socket_address(a, &sa);
	return connect(fd, (struct sockaddr *)&sa, sizeof(sa)) ? -errno : 0;
}

/* Who listens? JVMs of two PID namespaces that share a /tmp have one name for their sockets. */
static int check_peer(struct agent_load *a, int fd)
{
	struct sockaddr_un sa;
	struct ucred cred = {0};
	socklen_t len = sizeof(cred);

	socket_address(a, &sa);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) || cred.pid != a->id.pid)
		return fail_set(&a->fail, -EOPNOTSUPP,
				"another process (PID %d) listens on its attach socket %s: "
				"containers must not share /tmp",
				cred.pid, sa.sun_path);
	return 0;
}

/*
 * Its owner is dead. The JVM would rename its own socket over it, but not in a sticky /tmp if it
 * is somebody else's; nor would it make one while it believes in one it made before.
 */
static int remove_stale(struct agent_load *a)
{
	uid_t uid = geteuid();
	struct sockaddr_un sa;
	int err;

	socket_address(a, &sa);
	err = unlink(sa.sun_path) ? errno : 0;
	if (err && err != ENOENT && uid != 0 && !seteuid(0)) {
		err = unlink(sa.sun_path) ? errno : 0;
		if (seteuid(uid))
			_exit(1);
	}
	if (err && err != ENOENT)
		return fail_set(&a->fail, -EOPNOTSUPP,
				"nobody listens on its attach socket %s, which cannot be "
				"removed (%s): remove it",
				sa.sun_path, strerror(err));
	return 0;
}

/* --- asking for the socket -------------------------------------------------------------------- */

/* HotSpot heeds only a file of its own effective user or root. One of another attacher will do. */
static int make_trigger(struct agent_load *a)
{
	char path[AGENT_LOAD_PATH_SIZE];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/tmp/.attach_pid%d", a->info.ns_pid);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0) {
		close(fd);
		memcpy(a->trigger, path, sizeof(path));
		return 0;
	}
	if (errno != EEXIST)
		return fail_set(&a->fail, -errno, "cannot create %s there: %s", path,
				strerror(errno));
	if (lstat(path, &st) || (st.st_uid != a->uid && st.st_uid != 0))
		return fail_set(&a->fail, -EOPNOTSUPP, "%s of user %u is in the way: remove it",
				path, st.st_uid);
	return 0;
}

/* SIGQUIT ends a process that does not handle it. */
static int send_sigquit(struct agent_load *a)
{
	struct proc_status st;
	int err = check_running(a, &st);

	if (err)
		return err;
	if (!(st.caught & 1ULL << (SIGQUIT - 1)))
		return fail_set(&a->fail, -EOPNOTSUPP,
				"it does not handle SIGQUIT: it is just starting (try again), "
				"or runs with -Xrs and lost its attach socket (restart it)");
	if (!syscall(SYS_pidfd_send_signal, a->id.pidfd, SIGQUIT, NULL, 0))
		return 0;
	return errno == ESRCH ? agent_load_gone(a)
			      : fail_set(&a->fail, -EPERM,
					 "it may not be signalled: run hotprobe as root, or with "
					 "CAP_KILL");
}

static int await_socket(struct agent_load *a, int fd)
{
	uint64_t until = MIN(clock_ns() + SOCKET_LIMIT_NS, a->deadline_ns);
	struct pollfd end = {.fd = a->id.pidfd, .events = POLLIN};
	int err;

	for (int step = STEP_MS; clock_ns() < until; step = MIN(2 * step, STEP_MAX_MS)) {
		if (poll(&end, 1, step) > 0)
			return agent_load_gone(a);
		err = socket_connect(a, fd);
		if (err != -ENOENT && err != -ECONNREFUSED && err != -EAGAIN)
			return err;
	}
	return fail_set(&a->fail, -ETIMEDOUT,
			"it opened no attach socket within %llu s: it hangs, or runs with "
			"-XX:+DisableAttachMechanism",
			SOCKET_LIMIT_NS / NSEC_PER_SEC);
}

static int ask_for_socket(struct agent_load *a, int fd)
{
	int err = make_trigger(a);

	if (!err)
		err = send_sigquit(a);
	if (!err)
		err = await_socket(a, fd);
	if (a->trigger[0])
		unlink(a->trigger);
	return err;
}

/*
 * Anybody may make a file of that name before the JVM does, in a /tmp that they share. The JVM
 * cannot put its own socket in its place then, and one whose queue is full would only be waited
 * for.
 */
static int check_owner(struct agent_load *a)
{
	struct sockaddr_un sa;
	struct stat st;

	socket_address(a, &sa);
	if (lstat(sa.sun_path, &st) || (S_ISSOCK(st.st_mode) && st.st_uid == a->uid))
		return 0;
	return fail_set(&a->fail, -EOPNOTSUPP,
			"its attach socket %s is not its own, but %s of user %u: remove it",
			sa.sun_path, S_ISSOCK(st.st_mode) ? "one" : "a file", st.st_uid);
}

/* Connected to the JVM itself; @fd is a socket. */
static int reach_listener(struct agent_load *a, int fd)
{
	int err = socket_connect(a, fd);

	if (err == -ECONNREFUSED) {
		err = remove_stale(a);
		err = err ? err : -ENOENT;
	}
	if (err == -ENOENT) {
		err = ask_for_socket(a, fd);
	} else if (err && check_owner(a)) {
		return a->fail.err;
	} else if (err == -EAGAIN) {
		err = await_socket(a, fd);
	}
	if (err && !a->fail.err)
		return fail_set(&a->fail, err == -EACCES ? -EPERM : err,
				"cannot connect to /tmp/.java_pid%d: %s", a->info.ns_pid,
				fail_strerror(err));
	return err ? err : check_peer(a, fd);
}

/* --- the request ------------------------------------------------------------------------------ */

/* Wait for the socket, the target's end or the deadline. */
static int await_io(struct agent_load *a, int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};
	uint64_t now = clock_ns();

	if (now < a->deadline_ns &&
	    poll(&p, 1, (int)((a->deadline_ns - now) / NSEC_PER_MSEC) + 1) > 0)
		return 0;
	return fail_set(&a->fail, -ETIMEDOUT,
			"it took the request and did not answer within %llu s: it hangs",
			AGENT_LOAD_LIMIT_NS / NSEC_PER_SEC);
}

/* Version, command and always three arguments; "true": the path is absolute. */
static int send_request(struct agent_load *a, int fd)
{
	const char *const words[] = {"1", "load", a->copy[0] ? a->copy : a->path, "true",
				     a->options};
	char buf[2 * AGENT_LOAD_ARG_MAX + 32];
	size_t len = 0, sent = 0;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		len += (size_t)snprintf(buf + len, sizeof(buf) - len, "%s", words[i]) + 1;
	while (sent < len) {
		ssize_t n = send(fd, buf + sent, len - sent, MSG_NOSIGNAL);
		int err = n < 0 && errno == EAGAIN ? await_io(a, fd, POLLOUT) : 0;

		if (err)
			return err;
		if (n < 0 && errno != EAGAIN)
			return 0; /* it hung up: the missing reply tells */
		sent += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Up to its end or the bound, whichever comes first. Return: bytes; -errno. */
static ssize_t read_reply(struct agent_load *a, int fd, char buf[static AGENT_LOAD_REPLY_MAX])
{
	size_t len = 0;

	while (len < AGENT_LOAD_REPLY_MAX) {
		ssize_t n = recv(fd, buf + len, AGENT_LOAD_REPLY_MAX - len, 0);
		int err = n < 0 && errno == EAGAIN ? await_io(a, fd, POLLIN) : 0;

		if (err)
			return err;
		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)len;
}

/* A process that ends closes its sockets first. */
static bool ends(const struct agent_load *a)
{
	struct pollfd end = {.fd = a->id.pidfd, .events = POLLIN};

	return poll(&end, 1, END_MS) > 0;
}

/* Our agent returns what went wrong (jvmagent/load.c: Agent_OnAttach()); others anything. */
static const char *code_text(int code)
{
	switch (code) {
	case EALREADY:
		return "another copy of it is loaded";
	case EADDRINUSE:
		return "others hold all names that its socket can have: see ss -xlp";
	case EPERM:
		return "a seccomp filter would end the JVM at a system call that it makes";
	case EOPNOTSUPP:
		return "this JVM is not supported: hotprobe check -p says why";
	case EINVAL:
		return "it does not know its options";
	default:
		return code > 0 ? strerror(code) : "its reason is on the JVM's stderr";
	}
}

static int judge_reply(struct agent_load *a, const char *buf, size_t len)
{
	struct agent_load_reply r;

	if (len == 0 && ends(a))
		return agent_load_gone(a);
	if (len == 0)
		return fail_set(
			&a->fail, -EPERM,
			"it hung up without an answer: it takes requests of user %u and root only",
			a->uid);
	if (agent_load_reply_parse(buf, len, &r))
		return fail_set(&a->fail, -EPROTO,
				"its answer to the attach request makes no sense");
	if (r.status == 0 && r.returned && r.code == 0)
		return 0;
	if (r.returned)
		return fail_set(&a->fail, -EOPNOTSUPP, "the agent gave up with code %d: %s", r.code,
				code_text(r.code));
	if (strstr(r.text, "Dynamic agent loading is not enabled"))
		return fail_set(&a->fail, -EOPNOTSUPP,
				"it runs with -XX:-EnableDynamicAgentLoading: start it without "
				"that, or with the agent (hotprobe run)");
	return fail_set(&a->fail, -EOPNOTSUPP, "the JVM says (status %d): %s", r.status, r.text);
}

static int load(struct agent_load *a)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char buf[AGENT_LOAD_REPLY_MAX];
	ssize_t len;
	int err;

	if (fd < 0)
		return fail_set(&a->fail, -errno, "no socket: %s", strerror(errno));
	err = reach_listener(a, fd);
	if (!err)
		err = send_request(a, fd);
	if (err)
		return err;
	len = read_reply(a, fd, buf);
	return len < 0 ? (int)len : judge_reply(a, buf, (size_t)len);
}

/* --- all of it -------------------------------------------------------------------------------- */

int agent_load_child(struct agent_load *a)
{
	struct proc_status st;
	int err = check_running(a, &st);

	if (!err)
		err = enter_root(a);
	if (!err)
		err = become_user(a);
	if (!err && !lib_visible(a))
		err = lib_copy(a);
	if (!err)
		err = load(a);
	if (a->copy[0])
		unlink(a->copy);
	return err;
}
