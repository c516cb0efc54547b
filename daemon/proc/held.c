// SPDX-License-Identifier: MIT
/* held.c - what keeps the threads of a process from doing what they are asked. See held.h. */
#include <fcntl.h>

#include "proc/entry.h"
#include "proc/held.h"
#include "proc/threads.h"

/* Threads that are looked at; a cause that is not seen in so many is none of all of them. */
#define LOOK_MAX 1024

struct survey {
	pid_t tracer;		/* of one of them, not us; 0: none */
	size_t n;		/* that live */
	size_t stopped, traced; /* by a signal; by their tracer */
	size_t frozen, waiting; /* by their cgroup; uninterruptibly */
};

/*
 * Frozen by cgroup v2 a thread sleeps in do_freezer_trap(), which the compiler may have put into
 * get_signal(), and nothing else there sleeps interruptibly: kernel/signal.c. By v1 it waits
 * uninterruptibly, where it was or in __refrigerator(): kernel/freezer.c. The names are for those
 * who may ptrace it.
 */
bool held_frozen(pid_t pid, pid_t tid, char state)
{
	char path[64], text[64] = "";
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/wchan", pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	return strstr(text, "do_freezer_trap") || strstr(text, "refrigerator") ||
	       (state == 'S' && !strcmp(text, "get_signal"));
}

static void look(struct survey *s, pid_t pid, pid_t tid)
{
	struct thread_status st;

	if (thread_read_status(pid, tid, &st) || strchr("ZX", st.state))
		return;
	s->n++;
	if (st.tracer && st.tracer != getpid())
		s->tracer = st.tracer;
	s->traced += st.state == 't';
	s->stopped += st.state == 'T';
	if (held_frozen(pid, tid, st.state))
		s->frozen++;
	else
		s->waiting += st.state == 'D';
}

static void comm_of(pid_t pid, char buf[static 32])
{
	_cleanup_close_ int fd = entry_open(pid, "comm", O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, 31);

	buf[MAX(n, 0)] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	if (!*buf)
		snprintf(buf, 32, "a program");
}

static const char *tracer_text(const struct survey *s, char buf[static HELD_TEXT_MAX])
{
	char comm[32];

	comm_of(s->tracer, comm);
	snprintf(buf, HELD_TEXT_MAX,
		 "it is held by another tracer, %s (PID %d): let that detach, or end it", comm,
		 s->tracer);
	return buf;
}

const char *held_why(pid_t pid, enum held_need need, char buf[static HELD_TEXT_MAX])
{
	_cleanup_free_ pid_t *tids = NULL;
	struct survey s = {0};
	size_t n;

	if (threads_list(pid, &tids, &n))
		return NULL;
	for (size_t i = 0; i < MIN(n, (size_t)LOOK_MAX); i++)
		look(&s, pid, tids[i]);
	if (!s.n)
		return NULL;
	if (s.tracer && (need == HELD_BORROW || s.traced + s.waiting >= s.n))
		return tracer_text(&s, buf);
	if (s.frozen)
		snprintf(buf, HELD_TEXT_MAX,
			 "its cgroup is frozen: thaw it (cgroup.freeze, `docker unpause`)");
	else if (need == HELD_RUN && s.stopped)
		snprintf(buf, HELD_TEXT_MAX,
			 "it is stopped by a signal: let it go on (kill -CONT %d)", pid);
	else if (s.waiting == s.n)
		snprintf(
			buf, HELD_TEXT_MAX,
			"all its threads wait in the kernel and cannot be interrupted (state D), as "
			"for a disk or a network file system: try again when that answers");
	else
		return NULL;
	return buf;
}
