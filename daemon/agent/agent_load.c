// SPDX-License-Identifier: MIT
/*
 * agent_load.c - see agent_load.h. Here is what the daemon does itself: look at the target,
 * and start, await and bury the child that does the rest (agent_load_child.c).
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "agent/agent_load_child.h"
#include "agent/agent_load.h"
#include "base/fds.h"
#include "proc/caps.h"
#include "proc/entry.h"
#include "proc/held.h"

#define GRACE_NS    (2 * NSEC_PER_SEC) /* for the child to clean up and tell */
#define CMDLINE_MAX (256u << 10)       /* JVM options come first; class paths of 100 kB do occur */

/* What the child tells the parent; small enough for a pipe to take it whole. */
struct report {
	int err;
	struct fail fail;
};

_Static_assert(sizeof(struct report) <= PIPE_BUF, "struct report");

/* --- the child -------------------------------------------------------------------------------- */

/*
 * Nothing but SIGKILL ends it before it has cleaned up, not even the end of its parent: its
 * own deadline does.
 */
static _Noreturn void child_main(struct agent_load *a, int out)
{
	int own[] = {out, a->proc, a->root, a->lib, a->id.pidfd};
	struct report r = {0};
	sigset_t all;

	fds_keep(own, ARRAY_SIZE(own));
	caps_raise_all();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	umask(077);
	r.err = agent_load_child(a);
	r.fail = a->fail;
	_exit(write(out, &r, sizeof(r)) != sizeof(r));
}

/* Whole or not at all: a child that was killed wrote nothing. */
static int read_report(struct agent_load *a, int in)
{
	uint64_t until = a->deadline_ns + GRACE_NS, now;
	struct pollfd p = {.fd = in, .events = POLLIN};
	struct report r;

	while ((now = clock_ns()) < until) {
		if (poll(&p, 1, (int)((until - now) / NSEC_PER_MSEC) + 1) <= 0)
			continue;
		if (read(in, &r, sizeof(r)) != sizeof(r))
			return fail_set(&a->fail, -EPROTO, "the process that asked it died");
		a->fail = r.fail;
		return r.err;
	}
	return fail_set(&a->fail, -ETIMEDOUT, "its file system does not answer");
}

static int run_child(struct agent_load *a)
{
	_cleanup_close_ int in = -1;
	int fds[2], err;
	pid_t child;

	a->deadline_ns = clock_ns() + AGENT_LOAD_LIMIT_NS;
	if (pipe2(fds, O_CLOEXEC))
		return fail_set(&a->fail, -errno, "no pipe: %s", strerror(errno));
	in = fds[0];
	child = fork();
	if (child == 0)
		child_main(a, fds[1]);
	err = -errno;
	close(fds[1]);
	if (child < 0)
		return fail_set(&a->fail, err, "no child process: %s", fail_strerror(err));
	err = read_report(a, in);
	kill(child, SIGKILL); /* ours until it is waited for: no other process has that PID */
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return err;
}

/* --- before it -------------------------------------------------------------------------------- */

static int open_lib(struct agent_load *a, const char *path)
{
	a->path = realpath(path, NULL);
	a->lib = a->path ? proc_open_regular(a->path) : -errno;
	if (a->lib < 0)
		return fail_set(&a->fail, a->lib,
				"the agent's library %s cannot be read (%s): install it there",
				path, fail_strerror(a->lib));
	if (strlen(a->path) > AGENT_LOAD_ARG_MAX || strlen(a->options) > AGENT_LOAD_ARG_MAX)
		return fail_set(&a->fail, -EINVAL,
				"the library's path or the options are longer than %d bytes",
				AGENT_LOAD_ARG_MAX);
	return 0;
}

static int open_proc(struct agent_load *a)
{
	struct proc_status st;
	char path[32];
	int err;

	snprintf(path, sizeof(path), "/proc/%d", a->id.pid);
	a->proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (a->proc < 0)
		return agent_load_fail(a, fail_code(errno));
	err = agent_load_status(a, &st);
	if (err)
		return err;
	a->uid = st.uid;
	a->gid = st.gid;
	a->root = entry_open(a->id.pid, "root", O_PATH | O_DIRECTORY);
	if (a->root == -EPERM)
		return fail_set(&a->fail, -EPERM,
				"it runs as user %u: run hotprobe as root, as that user, or with "
				"CAP_SYS_PTRACE",
				a->uid);
	return a->root < 0 ? agent_load_fail(a, a->root) : 0;
}

/* A library of one libc cannot be loaded beside the other. */
static bool uses_musl(pid_t pid)
{
	_cleanup_maps_ struct maps maps = {0};
	bool found = false;

	if (maps_read(pid, &maps))
		return false;
	for (size_t i = 0; i < maps.n && !found; i++)
		found = strstr(maps.entries[i].path, "/ld-musl-") != NULL;
	return found;
}

static int check_kind(struct agent_load *a)
{
	int err = jvm_inspect(a->id.pid, &a->info);

	if (err == -EPERM)
		return fail_set(&a->fail, err,
				"it may not be looked into: run hotprobe as root, or with "
				"CAP_SYS_PTRACE");
	if (err)
		return agent_load_fail(a, err);
	if (a->info.kind == JVM_NONE)
		return fail_set(&a->fail, -EOPNOTSUPP, "it is not a JVM: no libjvm.so is mapped");
	if (a->info.kind != JVM_HOTSPOT || a->info.is_32bit)
		return fail_set(&a->fail, -EOPNOTSUPP,
				"it is a %s %s JVM: only HotSpot on x86-64 is supported",
				a->info.is_32bit ? "32-bit" : "64-bit",
				jvm_kind_name(a->info.kind));
	if (uses_musl(a->id.pid))
		return fail_set(&a->fail, -EOPNOTSUPP,
				"it runs on musl libc (Alpine): the agent needs glibc; use "
				"ptrace (--via ptrace)");
	return 0;
}

/* Bytes read of a file below /proc/PID, closed with NUL; 0 if it cannot be read. */
static size_t read_words(const struct agent_load *a, const char *name, char *buf, size_t size)
{
	_cleanup_close_ int fd = entry_open(a->id.pid, name, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	while (fd >= 0 && len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	return len;
}

/*
 * Where the launcher's options say so, the JVM is spared a SIGQUIT that would make it print all
 * its stacks. Options can come from other places too: then the wait for the socket tells.
 */
static int check_enabled(struct agent_load *a)
{
	_cleanup_free_ char *buf = malloc(CMDLINE_MAX);
	bool disabled = false;
	size_t len;

	if (!buf)
		return fail_set(&a->fail, -ENOMEM, "out of memory");
	len = a->info.launcher && *a->info.main ? read_words(a, "cmdline", buf, CMDLINE_MAX) : 0;
	for (size_t i = 0; i < len && strcmp(buf + i, a->info.main); i += strlen(buf + i) + 1) {
		if (!strcmp(buf + i, "-XX:+DisableAttachMechanism"))
			disabled = true;
		else if (!strcmp(buf + i, "-XX:-DisableAttachMechanism"))
			disabled = false;
	}
	if (!disabled)
		return 0;
	return fail_set(
		&a->fail, -EOPNOTSUPP,
		"it runs with -XX:+DisableAttachMechanism: start it without that, or with the "
		"agent (hotprobe run)");
}

static int prepare(struct agent_load *a, const char *lib_path)
{
	int err = proc_open(a->id.pid, &a->id);

	if (err)
		return fail_set(&a->fail, err, "%s",
				err == -ESRCH ? "no such process" : fail_strerror(err));
	err = check_kind(a);
	if (!err)
		err = open_lib(a, lib_path);
	if (!err)
		err = open_proc(a);
	if (!err)
		err = check_enabled(a);
	/* alive now: all that was read belongs to this process */
	return !err && !proc_alive(&a->id) ? agent_load_gone(a) : err;
}

static void agent_load_fini(struct agent_load *a)
{
	close_cleanup(&a->proc);
	close_cleanup(&a->root);
	close_cleanup(&a->lib);
	free(a->path);
	jvm_info_fini(&a->info);
	proc_close(&a->id);
}

int agent_load(pid_t pid, const char *lib_path, const char *options, struct fail *f)
{
	struct agent_load a = {.id = {.pid = pid, .pidfd = -1},
			       .options = options,
			       .proc = -1,
			       .root = -1,
			       .lib = -1};
	char held[HELD_TEXT_MAX];
	int err = prepare(&a, lib_path);

	if (!err && held_why(pid, HELD_RUN, held))
		err = fail_set(&a.fail, -EPERM, "%s", held);
	if (!err)
		err = run_child(&a);
	if (err == -ETIMEDOUT && held_why(pid, HELD_RUN, held)) {
		fail_clear(&a.fail);
		err = fail_set(&a.fail, -EPERM, "%s", held);
	}
	if (err)
		fail_pid(f, err, pid, "cannot load the agent: %s",
			 *a.fail.text ? a.fail.text : fail_strerror(err));
	agent_load_fini(&a);
	return err;
}
