// SPDX-License-Identifier: MIT
/* test_loop.c - callbacks for descriptors and timers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/loop.h"

struct fixture {
	struct loop *l;
	struct loop_source *a, *b, *timer;
	int pipe[2];
	int calls_a, calls_b, ticks;
};

static void on_a(void *arg, uint32_t events)
{
	struct fixture *f = arg;

	assert_true(events & EPOLLIN);
	f->calls_a++;
	/* Both are ready in the same round: the second must not be called once it is deleted. */
	loop_del(f->l, f->b);
	loop_del(f->l, f->a);
	loop_stop(f->l);
}

static void on_b(void *arg, uint32_t events _unused_)
{
	struct fixture *f = arg;

	f->calls_b++;
	loop_del(f->l, f->a);
	loop_del(f->l, f->b);
	loop_stop(f->l);
}

/* A source may delete itself and others inside a callback; the deleted are not called any more. */
static void loop_del_works_inside_callbacks(void **state _unused_)
{
	struct fixture f = {.l = loop_new()};
	int dup_fd;

	assert_int_equal(pipe(f.pipe), 0);
	dup_fd = dup(f.pipe[0]);
	assert_int_equal(write(f.pipe[1], "x", 1), 1);
	f.a = loop_add(f.l, f.pipe[0], EPOLLIN, on_a, &f);
	f.b = loop_add(f.l, dup_fd, EPOLLIN, on_b, &f);
	assert_non_null(f.a);
	assert_non_null(f.b);
	assert_int_equal(loop_run(f.l), 0);
	assert_int_equal(f.calls_a + f.calls_b, 1);
	loop_free(f.l);
	close(f.pipe[0]);
	close(f.pipe[1]);
	close(dup_fd);
}

static void on_tick(void *arg, uint32_t events)
{
	struct fixture *f = arg;

	assert_int_equal(events, 0);
	if (++f->ticks == 3) {
		loop_del(f->l, f->timer);
		loop_stop(f->l);
	}
}

/* A timer comes again and again, a sleeping one only after it is set. */
static void loop_timer_repeats(void **state _unused_)
{
	struct fixture f = {.l = loop_new()}, idle = {0};
	struct loop_source *sleeping = loop_timer(f.l, 0, on_tick, &idle);

	f.timer = loop_timer(f.l, NSEC_PER_MSEC, on_tick, &f);
	assert_int_equal(loop_run(f.l), 0);
	assert_int_equal(f.ticks, 3);
	assert_int_equal(idle.ticks, 0);
	loop_del(f.l, sleeping);
	loop_free(f.l);
}

static void on_idle(void *arg, uint32_t events _unused_)
{
	struct fixture *f = arg;

	f->calls_b = f->ticks;
}

/* What is to be done after the callbacks of a round is done after each of them. */
static void loop_on_idle_comes_after_each_round(void **state _unused_)
{
	struct fixture f = {.l = loop_new()};

	loop_on_idle(f.l, on_idle, &f);
	f.timer = loop_timer(f.l, NSEC_PER_MSEC, on_tick, &f);
	assert_int_equal(loop_run(f.l), 0);
	assert_int_equal(f.calls_b, 3);
	loop_free(f.l);
}

/* A file that cannot be polled is refused, not ignored. */
static void loop_add_refuses_bad_descriptor(void **state _unused_)
{
	struct loop *l = loop_new();

	assert_null(loop_add(l, -1, EPOLLIN, on_tick, NULL));
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loop_del_works_inside_callbacks),
		cmocka_unit_test(loop_timer_repeats),
		cmocka_unit_test(loop_on_idle_comes_after_each_round),
		cmocka_unit_test(loop_add_refuses_bad_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
