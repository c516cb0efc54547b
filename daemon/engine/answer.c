// SPDX-License-Identifier: MIT
/* answer.c - where the answer of a request goes. See answer.h. */
#include "base/log.h"
#include "engine/answer.h"
#include "proc/proc.h"
#include "proto/reply.h"

_Static_assert(ENCODER_LINE_MAX <= CONN_LINE_MAX, "the client takes what an event becomes");

/* More than this unsent, and no more is made until the client has read. */
#define FULL_BYTES (1u << 20)
/* So much unsent, and even the rare events are dropped; half of what may. */
#define UNSENT_MAX (BUF_MAX / 2)
/* A listing looks at the client whenever so much was added. */
#define ROOM_BYTES (256u << 10)

/*
 * After "stop" the client gives its reader a second (cli/output.c): by then it shall have heard of
 * the end. Otherwise it has as long as it goes on reading.
 */
#define STOPPED_DRAIN_NS (900 * NSEC_PER_MSEC)
#define QUIET_NS	 NSEC_PER_SEC
/* The client knows deadlines of its own; if it never answers, it is not there. */
#define SETTLE_NS (3 * NSEC_PER_SEC)

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

static void say_dropped(struct answer *a)
{
	if (a->dropped == a->dropped_told || conn_pending(a->conn) >= FULL_BYTES)
		return;
	log_warn("%llu lines about changes were left out: nobody read them",
		 (unsigned long long)(a->dropped - a->dropped_told));
	a->dropped_told = a->dropped;
}

void answer_event(struct answer *a, const struct event *ev)
{
	if (conn_pending(a->conn) >= UNSENT_MAX && ev->kind != EVENT_DETACHED) {
		a->dropped++;
		return;
	}
	say_dropped(a);
	encoder_event(a->encoder, ev);
}

/* --- a slow client ---------------------------------------------------------------------------- */

bool answer_full(const struct answer *a)
{
	return a->held || conn_pending(a->conn) >= FULL_BYTES;
}

static int ms_until(uint64_t until_ns)
{
	uint64_t now_ns = clock_ns();

	return now_ns < until_ns ? (int)((until_ns - now_ns) / NSEC_PER_MSEC) + 1 : 0;
}

bool answer_room(struct answer *a)
{
	bool there = true;

	if (conn_pending(a->conn) < ROOM_BYTES)
		return true;
	there = a->listen(a, 0);
	while (there && !a->stopped && answer_full(a))
		there = a->listen(a, -1);
	return there && !a->stopped;
}

bool answer_drain(struct answer *a)
{
	uint64_t quiet_ns = clock_ns() + QUIET_NS;
	size_t before = conn_pending(a->conn);
	bool there = true;

	while (there && answer_full(a)) {
		uint64_t until_ns = a->stopped ? a->stopped_ns + STOPPED_DRAIN_NS : quiet_ns;
		int ms = ms_until(until_ns);

		if (!ms)
			return false;
		there = a->listen(a, ms);
		if (conn_pending(a->conn) < before)
			quiet_ns = clock_ns() + QUIET_NS;
		before = conn_pending(a->conn);
	}
	return there;
}

uint64_t answer_settle(struct answer *a)
{
	uint64_t until_ns = clock_ns() + SETTLE_NS;
	bool there = true;
	int ms = 1;

	reply_ending(&a->conn->out);
	while (there && !a->settled && ms) {
		ms = ms_until(until_ns);
		there = a->listen(a, ms);
	}
	return a->unwritten;
}

/* --- failures --------------------------------------------------------------------------------- */

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

/* A request that was wrong, or about a process that never was, has nothing to wait for. */
static bool target_ended(const struct answer *a, int err)
{
	return a->pid && err < 0 && err != -EINVAL && (a->existed || err != -ESRCH) &&
	       proc_ends_within(a->pid, PROC_DYING_MS);
}

enum status answer_failed(const struct answer *a, int err, const struct fail *f)
{
	const char *text = f ? f->text : "";

	if (err == -ECANCELED) {
		log_debug("stopped before it was done");
		return STATUS_OK;
	}
	if (target_ended(a, err)) {
		log_pid(LOG_LVL_ERR, a->pid, "it ended while it was being looked at");
		return STATUS_TARGET_ENDED;
	}
	if (err >= 0)
		return STATUS_OK;
	if (*text)
		log_err("%s", text);
	else if (a->pid && err != -ENOMEM)
		log_pid(LOG_LVL_ERR, a->pid, "cannot be looked at: %s", fail_strerror(err));
	else
		log_err("%s", fail_strerror(err));
	return status_of(err);
}
