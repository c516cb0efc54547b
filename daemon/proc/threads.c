// SPDX-License-Identifier: MIT
/* threads.c - what /proc/PID/task shows of threads. See threads.h. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "base/fail.h"
#include "proc/threads.h"

#define TASK_PATH_MAX 64
#define TASK_TEXT_MAX 4096 /* stat and syscall are one line; status has some 60 short ones */

static int read_task_file(pid_t pid, pid_t tid, const char *name, char buf[static TASK_TEXT_MAX])
{
	_cleanup_close_ int fd = -1;
	char path[TASK_PATH_MAX];
	size_t len = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_code(errno);
	while (len < TASK_TEXT_MAX - 1) {
		ssize_t n = read(fd, buf + len, TASK_TEXT_MAX - 1 - len);

		if (n < 0)
			return fail_code(errno);
		if (n == 0)
			break;
		len += (size_t)n;
	}
	buf[len] = '\0';
	return len ? 0 : -ESRCH;
}

static int append_tid(pid_t **tids, size_t *n, size_t *cap, pid_t tid)
{
	if (*n == *cap) {
		size_t want = *cap ? *cap * 2 : 64;
		pid_t *grown = realloc(*tids, want * sizeof(**tids));

		if (!grown)
			return -ENOMEM;
		*tids = grown;
		*cap = want;
	}
	(*tids)[(*n)++] = tid;
	return 0;
}

int threads_list(pid_t pid, pid_t **ret, size_t *n_ret)
{
	_cleanup_free_ pid_t *tids = NULL;
	size_t n = 0, cap = 0;
	char path[TASK_PATH_MAX];
	struct dirent *d;
	DIR *dir;
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return fail_code(errno);
	while (!err && n < THREADS_MAX && (d = readdir(dir)))
		if (isdigit((unsigned char)d->d_name[0]))
			err = append_tid(&tids, &n, &cap, (pid_t)strtol(d->d_name, NULL, 10));
	closedir(dir);
	if (err)
		return err;
	if (!n)
		return -ESRCH;
	*ret = take_ptr(tids);
	*n_ret = n;
	return 0;
}

int thread_read_blocked(pid_t pid, pid_t tid, struct thread_info *ret)
{
	char text[TASK_TEXT_MAX];
	const char *p;
	char *end;
	int err = read_task_file(pid, tid, "syscall", text);

	if (err)
		return err;
	ret->tid = tid;
	ret->nr = strtol(text, &end, 10);
	ret->blocked = end != text; /* else "running" */
	ret->sp = ret->pc = 0;
	if (!ret->blocked)
		return 0;
	/* "nr arg0 .. arg5 sp pc", or "-1 sp pc" when it sleeps elsewhere, as in a page fault. */
	p = end;
	for (int skip = ret->nr >= 0 ? 6 : 0; skip > 0; skip--, p = end)
		strtoull(p, &end, 16);
	ret->sp = strtoull(p, &end, 16);
	ret->pc = strtoull(end, &end, 16);
	return 0;
}

static int parse_stat(const char *text, struct thread_info *ret)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	size_t len;

	if (!open || !close || close < open || close[1] != ' ' || !close[2])
		return -EPROTO;
	len = MIN((size_t)(close - open - 1), sizeof(ret->comm) - 1);
	memcpy(ret->comm, open + 1, len);
	ret->comm[len] = '\0';
	ret->state = close[2];
	return 0;
}

int thread_read(pid_t pid, pid_t tid, struct thread_info *ret)
{
	char text[TASK_TEXT_MAX];
	int err = read_task_file(pid, tid, "stat", text);

	if (!err)
		err = parse_stat(text, ret);
	return err ? err : thread_read_blocked(pid, tid, ret);
}

bool thread_dead(const struct thread_info *t)
{
	return t->state == 'Z' || t->state == 'X';
}

/* The text after "\nKEY:", or NULL. */
static const char *status_field(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (!strncmp(p, key, len) && p[len] == ':')
			return p + len + 1;
		if (!*p)
			break;
	}
	return NULL;
}

int thread_read_status(pid_t pid, pid_t tid, struct thread_status *ret)
{
	char text[TASK_TEXT_MAX];
	const char *state, *tracer, *seccomp, *features;
	int err = read_task_file(pid, tid, "status", text);

	if (err)
		return err;
	state = status_field(text, "State");
	tracer = status_field(text, "TracerPid");
	seccomp = status_field(text, "Seccomp");
	features = status_field(text, "x86_Thread_features");
	state = state ? state + strspn(state, " \t") : "";
	ret->state = isalpha((unsigned char)*state) ? *state : '?';
	ret->tracer = tracer ? (pid_t)strtol(tracer, NULL, 10) : 0;
	ret->seccomp = seccomp ? (int)strtol(seccomp, NULL, 10) : 0;
	ret->shadow_stack = false;
	if (features) {
		const char *shstk = strstr(features, "shstk"), *eol = strchr(features, '\n');

		ret->shadow_stack = shstk && (!eol || shstk < eol);
	}
	return 0;
}

/*
 * Names HotSpot gives to threads of its own that mostly sleep, cut to 15 characters by the kernel.
 * Source: OpenJDK src/hotspot/share/runtime/{nonJavaThread,vmThread}.hpp and
 * share/gc/shared/workerThread.cpp (17: workgroup.cpp).
 */
static bool hotspot_own(const char *comm)
{
	static const char *const names[] = {"VM Periodic Tas", "GC Thread#", "VM Thread"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(comm, names[i], strlen(names[i])))
			return true;
	return false;
}

/*
 * System calls that fail with EINTR when the thread is stopped, handler or not: the program would
 * notice us. Source: signal(7), "Interruption of system calls and library functions by stop
 * signals". Receiving from a socket belongs to them if it has a timeout set.
 */
static bool fails_when_stopped(long nr)
{
	static const long calls[] = {
		SYS_epoll_wait, SYS_epoll_pwait,     SYS_epoll_pwait2, SYS_semop,
		SYS_semtimedop, SYS_rt_sigtimedwait, SYS_accept,       SYS_accept4,
		SYS_connect,	SYS_recvfrom,	     SYS_recvmsg,      SYS_recvmmsg,
		SYS_sendto,	SYS_sendmsg,	     SYS_io_getevents, SYS_msgrcv,
		SYS_msgsnd,
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i] == nr)
			return true;
	return false;
}

int thread_rank(pid_t pid, const struct thread_info *t)
{
	/* D: it might be a vfork() parent and not stop for seconds. t: somebody else's. */
	if (!strchr("RST", t->state))
		return -1;
	if (t->blocked && t->nr == SYS_futex)
		return t->tid == pid ? 0 : hotspot_own(t->comm) ? 1 : 2;
	if (!t->blocked || t->nr < 0)
		return 4;
	return fails_when_stopped(t->nr) ? 5 : 3;
}
