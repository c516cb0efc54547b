// SPDX-License-Identifier: MIT
/* answer.c - where the answer of a request goes. See answer.h. */
#include <poll.h>
#include <sys/syscall.h>

#include "base/log.h"
#include "engine/answer.h"
#include "proc/proc.h"

/* Text that waits to be sent while much is listed; half of what may. */
#define UNSENT_MAX (BUF_MAX / 2)
/* A process that is being killed is gone within this, unless the machine is very busy. */
#define DYING_WAIT_MS 300

/* A thread's id is not a process's, and a zombie is not there. */
void answer_about(struct answer *a, pid_t pid)
{
	struct proc_id id;

	a->pid = pid;
	a->existed = pid && !proc_open(pid, &id);
	if (a->existed)
		proc_close(&id);
}

void answer_done(struct answer *a, enum status status)
{
	a->job = NULL;
	a->done(a, status);
}

void answer_event(struct answer *a, const struct event *ev)
{
	encoder_event(a->encoder, ev);
}

bool answer_room(struct answer *a)
{
	return !conn_wait(a->conn, UNSENT_MAX, -1);
}

static enum status status_of(int err)
{
	switch (err) {
	case 0:
		return STATUS_OK;
	case -EINVAL:
		return STATUS_USAGE;
	case -EPERM:
	case -EACCES:
	case -EOPNOTSUPP:
		return STATUS_UNSUPPORTED;
	default:
		return STATUS_FAILED;
	}
}

/*
 * A process that is being killed is still there for a while, with its memory gone and its links
 * refused: whatever failed meanwhile failed because of that.
 */
bool answer_ended_soon(pid_t pid)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return fd < 0 || poll(&p, 1, DYING_WAIT_MS) > 0;
}

/* A request that was wrong, or about a process that never was, has nothing to wait for. */
static bool target_ended(const struct answer *a, int err)
{
	return a->pid && err < 0 && err != -EINVAL && (a->existed || err != -ESRCH) &&
	       answer_ended_soon(a->pid);
}

enum status answer_failed(const struct answer *a, int err, const struct fail *f)
{
	const char *text = f ? f->text : "";

	if (target_ended(a, err)) {
		log_pid(LOG_LVL_ERR, a->pid, "it ended while it was being looked at");
		return STATUS_TARGET_ENDED;
	}
	if (err >= 0)
		return STATUS_OK;
	if (*text)
		log_err("%s", text);
	else if (err == -ENOMEM)
		log_err("out of memory");
	else if (a->pid)
		log_pid(LOG_LVL_ERR, a->pid, "cannot be looked at: %s", strerror(-err));
	else
		log_err("%s", strerror(-err));
	return status_of(err);
}
