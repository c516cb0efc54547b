// SPDX-License-Identifier: MIT
/* proc.c - processes, held fast against PID reuse. See proc.h; JVMs are in jvm.c. */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fail.h"
#include "proc/entry.h"
#include "proc/proc.h"

/* /proc/PID/stat: a name of at most 64 bytes and 51 numbers. */
#define STAT_MAX 2048

/* /proc/PID/status takes about 1.5 kB; NSpid and the CPU masks may add some. */
#define STATUS_MAX 16384

static int pidfd_open(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	/* A thread that is no process: EINVAL, since Linux 6.9 ENOENT (kernel/pid.c). */
	if (fd < 0 && (errno == EINVAL || errno == ENOENT))
		return -ESRCH;
	return fd < 0 ? -errno : fd;
}

int proc_open(pid_t pid, struct proc_id *ret)
{
	struct proc_id p = {.pid = pid};
	int err;

	if (pid <= 0)
		return -ESRCH;
	p.pidfd = pidfd_open(pid);
	if (p.pidfd < 0)
		return p.pidfd;
	/* Alive after the start time was read: it was this process's. */
	err = proc_start_time(pid, &p.start_time);
	if (!err && !proc_alive(&p))
		err = -ESRCH;
	if (err) {
		proc_close(&p);
		return err;
	}
	*ret = p;
	return 0;
}

void proc_close(struct proc_id *p)
{
	if (!p)
		return;
	if (p->pidfd >= 0)
		close(p->pidfd);
	p->pidfd = -1;
}

/* A pidfd becomes readable when the last thread has ended, before anyone has waited for it. */
bool proc_alive(const struct proc_id *p)
{
	struct pollfd fd = {.fd = p->pidfd, .events = POLLIN};

	return p->pidfd >= 0 && poll(&fd, 1, 0) == 0;
}

bool proc_ends_within(pid_t pid, int ms)
{
	_cleanup_close_ int fd = pidfd_open(pid);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	/* Where there is no descriptor to be had: does it take signals? */
	if (fd < 0)
		return fd == -ESRCH || (kill(pid, 0) && errno == ESRCH);
	return poll(&p, 1, ms) > 0;
}

#define PF_FORKNOEXEC 0x40 /* Linux include/linux/sched.h */

/* Fields are counted from behind the name, field 2, which may hold blanks and parentheses. */
static int parse_process_stat(const char *text, struct proc_stat *ret)
{
	const char *p = strrchr(text, ')');
	unsigned int flags;

	if (!p ||
	    sscanf(p + 1, " %c %d %*d %*d %*d %*d %u", &ret->state, &ret->parent, &flags) != 3)
		return -ESRCH;
	ret->forked = flags & PF_FORKNOEXEC;
	for (int field = 2; field < 22 && p; field++)
		p = strchr(p + 1, ' ');
	return p && sscanf(p + 1, "%" SCNu64, &ret->start_time) == 1 ? 0 : -ESRCH;
}

int proc_stat(pid_t pid, struct proc_stat *ret)
{
	_cleanup_close_ int fd = -1;
	char path[32], text[STAT_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_code(errno);
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return n ? fail_code(errno) : -ESRCH;
	text[n] = '\0';
	return parse_process_stat(text, ret);
}

/* What follows "\n@key:", blanks skipped. The kernel escapes newlines in the process's name. */
static const char *status_field(const char *text, const char *key)
{
	const char *p = strstr(text, key);

	return p ? p + strlen(key) + strspn(p + strlen(key), " \t") : "";
}

/* Real, effective, saved, file system. */
static unsigned int effective(const char *p)
{
	char *end;

	strtoul(p, &end, 10);
	return (unsigned int)strtoul(end, NULL, 10);
}

static pid_t last_number(const char *p)
{
	pid_t v = 0;

	while (*p >= '0' && *p <= '9') {
		char *end;

		v = (pid_t)strtol(p, &end, 10);
		p = end + strspn(end, " \t");
	}
	return v;
}

int proc_status_read(int fd, struct proc_status *ret)
{
	char text[STATUS_MAX];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return n ? fail_code(errno) : -ESRCH;
	text[n] = '\0';
	*ret = (struct proc_status){
		.state = *status_field(text, "\nState:"),
		.tgid = (pid_t)strtol(status_field(text, "\nTgid:"), NULL, 10),
		.ns_pid = last_number(status_field(text, "\nNStgid:")),
		.uid = effective(status_field(text, "\nUid:")),
		.gid = effective(status_field(text, "\nGid:")),
		.caught = strtoull(status_field(text, "\nSigCgt:"), NULL, 16),
	};
	return 0;
}

int proc_status(pid_t pid, struct proc_status *ret)
{
	_cleanup_close_ int fd = entry_open(pid, "status", O_RDONLY);

	return fd < 0 ? fd : proc_status_read(fd, ret);
}

int proc_start_time(pid_t pid, uint64_t *ret)
{
	struct proc_stat st;
	int err = proc_stat(pid, &st);

	if (!err)
		*ret = st.start_time;
	return err;
}

/* Open for reading what an O_PATH descriptor stands for, which is known to be harmless to open. */
static int reopen_regular(int file)
{
	char self[32];
	struct stat st;
	int fd;

	if (fstat(file, &st) || !S_ISREG(st.st_mode))
		return -ENOENT;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", file);
	fd = open(self, O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? fd : fail_is_shortage(-errno) ? -errno : -EPERM;
}

static int path_error(void)
{
	if (fail_is_shortage(-errno))
		return -errno;
	return errno == EACCES || errno == EPERM ? -EPERM : -ENOENT;
}

int proc_open_regular(const char *path)
{
	_cleanup_close_ int file = open(path, O_PATH | O_CLOEXEC);

	return file < 0 ? path_error() : reopen_regular(file);
}

int proc_open_entry(pid_t pid, const char *name)
{
	_cleanup_close_ int file = entry_open(pid, name, O_PATH);

	return file < 0 ? file : reopen_regular(file);
}

int proc_open_file(pid_t pid, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	_cleanup_close_ int root = entry_open(pid, "root", O_PATH | O_DIRECTORY), file = -1;

	if (root < 0)
		return root;
	file = syscall(SYS_openat2, root, path, &how, sizeof(how));
	return file < 0 ? path_error() : reopen_regular(file);
}
