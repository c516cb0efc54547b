/* SPDX-License-Identifier: MIT */
/* test_queue.c - the agent's queue: bounded, whole lines in order, and every lost one counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "jvmagent/queue.h"
#include "base/util.h"

/* Lines come out as they went in; only the first of a batch wakes the consumer. */
static void queue_put_take(void **state _unused_)
{
	struct queue q = QUEUE_INIT;
	uint64_t dropped;
	const char *got;
	size_t len;

	assert_int_equal(queue_open(&q, 64), 0);
	assert_true(queue_put(&q, "one\n", 4));
	assert_false(queue_put(&q, "two\n", 4));
	got = queue_take(&q, &len, &dropped);
	assert_int_equal(len, 8);
	assert_memory_equal(got, "one\ntwo\n", 8);
	assert_int_equal(dropped, 0);
	assert_true(queue_put(&q, "three\n", 6));
	/* What was taken stays good while others write. */
	assert_memory_equal(got, "one\ntwo\n", 8);
	got = queue_take(&q, &len, &dropped);
	assert_int_equal(len, 6);
	assert_memory_equal(got, "three\n", 6);
	queue_take(&q, &len, &dropped);
	assert_int_equal(len, 0);
	queue_close(&q);
}

/* What does not fit is counted, and told once; a shorter line behind it may still fit. */
static void queue_put_full(void **state _unused_)
{
	struct queue q = QUEUE_INIT;
	uint64_t dropped;
	const char *got;
	size_t len;

	assert_int_equal(queue_open(&q, 16), 0);
	assert_true(queue_put(&q, "12345\n", 6));
	assert_false(queue_put(&q, "678\n", 4));
	assert_false(queue_put(&q, "9\n", 2));
	assert_false(queue_put(&q, "x\n", 2));
	got = queue_take(&q, &len, &dropped);
	assert_int_equal(len, 8);
	assert_memory_equal(got, "12345\n9\n", 8);
	assert_int_equal(dropped, 2);
	/* Even a line that is lost wakes the consumer: it has the loss to tell of. */
	assert_true(queue_put(&q, "longer than all\n", 16));
	assert_false(queue_put(&q, "longer than all\n", 16));
	queue_take(&q, &len, &dropped);
	assert_int_equal(len, 0);
	assert_int_equal(dropped, 2);
	queue_take(&q, &len, &dropped);
	assert_int_equal(dropped, 0);
	queue_close(&q);
}

/* While nobody listens there is no queue: what comes is neither kept nor counted. */
static void queue_put_closed(void **state _unused_)
{
	struct queue q = QUEUE_INIT;
	uint64_t dropped;
	size_t len;

	assert_false(queue_put(&q, "one\n", 4));
	queue_take(&q, &len, &dropped);
	assert_int_equal(len, 0);
	assert_int_equal(dropped, 0);
	assert_int_equal(queue_open(&q, 64), 0);
	assert_int_equal(queue_open(&q, 1 << 20), 0);
	assert_true(queue_put(&q, "one\n", 4));
	queue_close(&q);
	assert_false(queue_put(&q, "two\n", 4));
	assert_int_equal(queue_open(&q, 64), 0);
	queue_take(&q, &len, &dropped);
	assert_int_equal(len, 0);
	queue_close(&q);
}

/* Behind the last line there is none, and none is counted. */
static void queue_end_is_last(void **state _unused_)
{
	struct queue q = QUEUE_INIT;
	uint64_t dropped;
	size_t len;

	assert_int_equal(queue_open(&q, 16), 0);
	assert_true(queue_end(&q, "last\n", 5));
	assert_false(queue_put(&q, "more\n", 5));
	queue_take(&q, &len, &dropped);
	assert_int_equal(len, 5);
	assert_int_equal(dropped, 0);
	assert_false(queue_put(&q, "more\n", 5));
	queue_close(&q);
}

#define PRODUCERS 4
#define LINES	  20000

struct producer {
	struct queue *q;
	pthread_t thread;
	int id;
};

static void *produce(void *arg)
{
	struct producer *p = arg;
	char line[32];

	for (int i = 0; i < LINES; i++) {
		int n = snprintf(line, sizeof(line), "%d %d\n", p->id, i);

		queue_put(p->q, line, (size_t)n);
	}
	return NULL;
}

/* Return: how many lines; each producer's must be in order. */
static uint64_t check_lines(const char *text, size_t len, int last[PRODUCERS])
{
	const char *end = text + len;
	uint64_t n = 0;

	for (; text < end; n++) {
		int id, i;

		assert_int_equal(sscanf(text, "%d %d\n", &id, &i), 2);
		assert_in_range(id, 0, PRODUCERS - 1);
		assert_true(i > last[id]);
		last[id] = i;
		text = (const char *)memchr(text, '\n', (size_t)(end - text)) + 1;
	}
	return n;
}

/* Many producers at once: each line arrives whole and in its producer's order, or is counted. */
static void queue_many_producers(void **state _unused_)
{
	struct producer p[PRODUCERS];
	int last[PRODUCERS] = {-1, -1, -1, -1};
	struct queue q = QUEUE_INIT;
	uint64_t total = 0, dropped;
	size_t len;

	assert_int_equal(queue_open(&q, 8192), 0);
	for (int i = 0; i < PRODUCERS; i++) {
		p[i] = (struct producer){.q = &q, .id = i};
		assert_int_equal(pthread_create(&p[i].thread, NULL, produce, &p[i]), 0);
	}
	while (total < (uint64_t)PRODUCERS * LINES) {
		char *copy;
		const char *got = queue_take(&q, &len, &dropped);

		copy = strndup(got, len);
		total += dropped + check_lines(copy, len, last);
		free(copy);
	}
	for (int i = 0; i < PRODUCERS; i++)
		pthread_join(p[i].thread, NULL);
	assert_int_equal(total, PRODUCERS * LINES);
	queue_close(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_put_take),	cmocka_unit_test(queue_put_full),
		cmocka_unit_test(queue_put_closed),	cmocka_unit_test(queue_end_is_last),
		cmocka_unit_test(queue_many_producers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
