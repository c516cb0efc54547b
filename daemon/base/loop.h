/* SPDX-License-Identifier: MIT */
/*
 * loop.h - one thread, one epoll: file descriptors and timers with a callback each.
 */
#ifndef HP_LOOP_H
#define HP_LOOP_H

#include <sys/epoll.h>

#include "base/util.h"

struct loop;
struct loop_source;

/* @events: EPOLLIN, EPOLLOUT, ... that are ready; for a timer 0. */
typedef void loop_fn(void *arg, uint32_t events);

struct loop *loop_new(void);
void loop_free(struct loop *l);

/**
 * loop_add() - call @fn whenever @fd (not owned) is ready for @events.
 * Return: the source, for loop_mod() and loop_del(); NULL when out of memory or @fd is no pollable.
 */
struct loop_source *loop_add(struct loop *l, int fd, uint32_t events, loop_fn *fn, void *arg);
void loop_mod(struct loop *l, struct loop_source *s, uint32_t events);

/** loop_timer() - call @fn every @period_ns; 0 makes it sleep until loop_timer_set(). */
struct loop_source *loop_timer(struct loop *l, uint64_t period_ns, loop_fn *fn, void *arg);
void loop_timer_set(struct loop_source *s, uint64_t period_ns);

/** loop_del() - accepts NULL; safe inside any callback, its own too. */
void loop_del(struct loop *l, struct loop_source *s);

/** loop_on_idle() - call @fn with 0 after each round of callbacks, before waiting; NULL for none.
 */
void loop_on_idle(struct loop *l, loop_fn *fn, void *arg);

/** loop_run() - until loop_stop(). Return: 0; -errno. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l);

#endif
