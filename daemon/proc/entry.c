// SPDX-License-Identifier: MIT
/* entry.c - the entry in /proc by which a process is looked into. See entry.h. */
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base/fail.h"
#include "proc/entry.h"
#include "proc/threads.h"

/* Threads that may end, one after the other, while we try to use their entries. */
#define TRIES_MAX 16

/* What is done with a path. Return: 0 or more; -errno. */
typedef ssize_t use_fn(const char *path, void *arg);

/*
 * An ended thread has given up its memory before anything else (do_exit(), kernel/exit.c), and then
 * its statm is all zeros: proc_pid_statm(), fs/proc/array.c. Everybody may read that.
 */
static bool has_memory(pid_t tid)
{
	_cleanup_close_ int fd = -1;
	char path[ENTRY_PATH_MAX], first = '0';

	snprintf(path, sizeof(path), "/proc/%d/statm", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && fail_is_shortage(-errno))
		return true; /* most have; whatever is done next fails with the same reason */
	return fd >= 0 && read(fd, &first, 1) == 1 && first != '0';
}

bool entry_leader_lives(pid_t pid)
{
	return has_memory(pid);
}

/* May not be signalled, but is there: that will do. */
bool entry_holds(pid_t pid, pid_t tid)
{
	return tid == pid || !syscall(SYS_tgkill, pid, tid, 0) || errno == EPERM;
}

/* Return: a thread's id; 0 none of them has memory; -errno. */
static pid_t find_other(pid_t pid)
{
	_cleanup_free_ pid_t *tids = NULL;
	size_t n;
	int err = threads_list(pid, &tids, &n);

	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		if (has_memory(tids[i]) && entry_holds(pid, tids[i]))
			return tids[i];
	return 0;
}

pid_t entry_thread(pid_t pid)
{
	struct thread_status leader;
	pid_t tid;

	if (has_memory(pid))
		return pid;
	tid = find_other(pid);
	if (tid)
		return tid;
	if (thread_read_status(pid, pid, &leader) || strchr("ZX", leader.state))
		return -ESRCH;
	return pid;
}

int entry_path(pid_t pid, const char *name, char buf[static ENTRY_PATH_MAX])
{
	pid_t tid = entry_thread(pid);

	if (tid < 0)
		return tid;
	snprintf(buf, ENTRY_PATH_MAX, "/proc/%d/%s", tid, name);
	return 0;
}

/*
 * A thread that has ended meanwhile has nothing any more, or its number is another process's: what
 * was found by it does not count.
 */
static ssize_t use(pid_t pid, const char *name, use_fn *fn, void *arg, void (*undo)(ssize_t))
{
	ssize_t res = -ESRCH;

	for (int i = 0; i < TRIES_MAX; i++) {
		char path[ENTRY_PATH_MAX];
		pid_t tid = entry_thread(pid);

		if (tid < 0)
			return tid;
		snprintf(path, sizeof(path), "/proc/%d/%s", tid, name);
		res = fn(path, arg);
		if (entry_thread(pid) == tid)
			break;
		if (res >= 0 && undo)
			undo(res);
		res = -ESRCH;
	}
	return res < 0 ? fail_code((int)-res) : res;
}

static ssize_t use_open(const char *path, void *arg)
{
	int fd = open(path, *(int *)arg | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void undo_open(ssize_t fd)
{
	close((int)fd);
}

int entry_open(pid_t pid, const char *name, int flags)
{
	return (int)use(pid, name, use_open, &flags, undo_open);
}

struct text {
	char *buf;
	size_t size;
};

static ssize_t use_readlink(const char *path, void *arg)
{
	const struct text *t = arg;
	ssize_t n = readlink(path, t->buf, t->size - 1);

	if (n < 0)
		return -errno;
	t->buf[n] = '\0';
	return n;
}

ssize_t entry_readlink(pid_t pid, const char *name, char *buf, size_t size)
{
	struct text t = {buf, size};

	return use(pid, name, use_readlink, &t, NULL);
}

static ssize_t use_stat(const char *path, void *arg)
{
	return stat(path, arg) ? -errno : 0;
}

int entry_stat(pid_t pid, const char *name, struct stat *ret)
{
	return (int)use(pid, name, use_stat, ret, NULL);
}

bool entry_other_namespace(pid_t pid, const char *kind)
{
	char name[16], path[64];
	struct stat ours, theirs;

	snprintf(name, sizeof(name), "ns/%s", kind);
	if (entry_stat(pid, name, &theirs))
		return false;
	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	return !stat(path, &ours) && (ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev);
}
