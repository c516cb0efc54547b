// SPDX-License-Identifier: MIT
/* threads_survey.c - look at every thread of a process. See threads_survey.h. */
#include "remote/threads_survey.h"
#include "proc/threads.h"
#include "remote/tracee.h"

#define ROUNDS_MAX 16

/* For certain: what merely could not be read may still be inside of something. */
static bool is_dead(pid_t pid, pid_t tid)
{
	struct thread_info t;
	int err = thread_read(pid, tid, &t);

	return err == -ESRCH || (!err && thread_dead(&t));
}

static int look_stopped(pid_t pid, pid_t tid, threads_survey_fn *fn, const void *ctx)
{
	struct regs regs;
	int err = tracee_stop(pid, tid, 0, clock_ns() + TRACEE_LIMIT_NS);

	if (err == -ESRCH || (err == -EPERM && is_dead(pid, tid)))
		return 1;
	if (err)
		return err;
	err = tracee_get_regs(tid, &regs);
	if (!err)
		err = fn(ctx, tid, regs_pc(&regs), regs_sp(&regs));
	tracee_detach(tid, 0);
	return err == -ESRCH ? 1 : err;
}

static int look(pid_t pid, pid_t tid, threads_survey_fn *fn, const void *ctx)
{
	struct thread_info t;
	int err = thread_read_blocked(pid, tid, &t);

	if (err)
		return err == -ESRCH ? 1 : err;
	if (!t.blocked || !t.sp)
		return look_stopped(pid, tid, fn, ctx);
	return fn(ctx, tid, t.pc, t.sp);
}

struct tid_list {
	pid_t *tids;
	size_t n;
};

static int by_tid(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* All of @now that are not in @seen, which is sorted. */
static int look_at_new(pid_t pid, const struct tid_list *now, const struct tid_list *seen,
		       threads_survey_fn *fn, const void *ctx, size_t *n_new)
{
	*n_new = 0;
	for (size_t i = 0; i < now->n; i++) {
		int res;

		if (seen->n && bsearch(&now->tids[i], seen->tids, seen->n, sizeof(pid_t), by_tid))
			continue;
		++*n_new;
		res = look(pid, now->tids[i], fn, ctx);
		if (res != 1)
			return res;
	}
	return 1;
}

int threads_survey(pid_t pid, threads_survey_fn *fn, const void *ctx)
{
	struct tid_list seen = {0};
	size_t n_new = 1;
	int res = 1;

	tracee_settle();

	/*
	 * The kernel's listing may leave out a thread when others end meanwhile, so it is repeated
	 * until it brings nothing new.
	 */
	for (int round = 0; round < ROUNDS_MAX && n_new && res == 1; round++) {
		struct tid_list now = {0};

		res = threads_list(pid, &now.tids, &now.n);
		if (res)
			break;
		res = look_at_new(pid, &now, &seen, fn, ctx, &n_new);
		free(seen.tids);
		seen = now;
		qsort(seen.tids, seen.n, sizeof(pid_t), by_tid);
	}
	free(seen.tids);
	return res;
}
