// SPDX-License-Identifier: MIT
/* loop.c - one thread, one epoll. See loop.h. */
#include <sys/timerfd.h>
#include <time.h>

#include "base/loop.h"

#define LOOP_BATCH 32

struct loop_source {
	int fd;
	bool is_timer, dead;
	loop_fn *fn;
	void *arg;
	struct loop_source *next_dead;
};

struct loop {
	int epfd;
	bool stop;
	loop_fn *idle;
	void *idle_arg;
	/* Deleted inside a callback: other events of the same batch may still point at them. */
	struct loop_source *dead;
};

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epfd < 0) {
		free(l);
		return NULL;
	}
	return l;
}

static void bury(struct loop *l)
{
	while (l->dead) {
		struct loop_source *s = l->dead;

		l->dead = s->next_dead;
		free(s);
	}
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	bury(l);
	close(l->epfd);
	free(l);
}

static struct loop_source *source_new(struct loop *l, int fd, uint32_t events, loop_fn *fn,
				      void *arg)
{
	struct loop_source *s = calloc(1, sizeof(*s));
	struct epoll_event ev = {.events = events, .data.ptr = s};

	if (!s)
		return NULL;
	s->fd = fd;
	s->fn = fn;
	s->arg = arg;
	if (epoll_ctl(l->epfd, EPOLL_CTL_ADD, fd, &ev)) {
		int err = errno;

		free(s);
		errno = err;
		return NULL;
	}
	return s;
}

struct loop_source *loop_add(struct loop *l, int fd, uint32_t events, loop_fn *fn, void *arg)
{
	return source_new(l, fd, events, fn, arg);
}

void loop_mod(struct loop *l, struct loop_source *s, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = s};

	epoll_ctl(l->epfd, EPOLL_CTL_MOD, s->fd, &ev);
}

struct loop_source *loop_timer(struct loop *l, uint64_t period_ns, loop_fn *fn, void *arg)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	struct loop_source *s;

	if (fd < 0)
		return NULL;
	s = source_new(l, fd, EPOLLIN, fn, arg);
	if (!s) {
		close(fd);
		return NULL;
	}
	s->is_timer = true;
	loop_timer_set(s, period_ns);
	return s;
}

void loop_timer_set(struct loop_source *s, uint64_t period_ns)
{
	struct timespec t = {.tv_sec = (time_t)(period_ns / NSEC_PER_SEC),
			     .tv_nsec = (long)(period_ns % NSEC_PER_SEC)};
	struct itimerspec spec = {.it_interval = t, .it_value = t};

	timerfd_settime(s->fd, 0, &spec, NULL);
}

void loop_del(struct loop *l, struct loop_source *s)
{
	if (!s || s->dead)
		return;
	epoll_ctl(l->epfd, EPOLL_CTL_DEL, s->fd, NULL);
	if (s->is_timer)
		close(s->fd);
	s->dead = true;
	s->next_dead = l->dead;
	l->dead = s;
}

void loop_on_idle(struct loop *l, loop_fn *fn, void *arg)
{
	l->idle = fn;
	l->idle_arg = arg;
}

static void dispatch(struct loop_source *s, uint32_t events)
{
	uint64_t ticks;

	if (s->dead)
		return;
	if (s->is_timer) {
		if (read(s->fd, &ticks, sizeof(ticks)) != sizeof(ticks))
			return; /* re-armed meanwhile */
		events = 0;
	}
	s->fn(s->arg, events);
}

int loop_run(struct loop *l)
{
	struct epoll_event ev[LOOP_BATCH];

	while (!l->stop) {
		int n = epoll_wait(l->epfd, ev, LOOP_BATCH, -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n && !l->stop; i++)
			dispatch(ev[i].data.ptr, ev[i].events);
		bury(l);
		if (l->idle)
			l->idle(l->idle_arg, 0);
	}
	return 0;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}
