/* SPDX-License-Identifier: MIT */
/*
 * queue.h - lines on their way from any thread of the JVM to the sender: two buffers, exchanged.
 *
 * A producer holds the lock for one memcpy and never waits for I/O; what does not fit is counted.
 */
#ifndef HP_AGENT_QUEUE_H
#define HP_AGENT_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue {
	pthread_mutex_t lock;
	char *in, *out;	 /* producers write one while the consumer reads the other */
	size_t len, cap; /* of @in; cap 0: closed */
	uint64_t dropped;
	bool ended;
};

#define QUEUE_INIT                                                                                 \
	{                                                                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER                                                  \
	}

/** queue_open() - take @bytes of memory, half of it for each buffer. 0, also if open; -ENOMEM. */
int queue_open(struct queue *q, size_t bytes);

/** queue_close() - free it; what is in it is lost, what comes later is not even counted. */
void queue_close(struct queue *q);

/**
 * queue_put() - append @len bytes, all or none.
 * Return: true when the consumer has to be woken: it has seen all that came before.
 */
bool queue_put(struct queue *q, const char *line, size_t len);

/** queue_end() - queue_put() for the very last line: others that come are not even counted. */
bool queue_end(struct queue *q, const char *line, size_t len);

/**
 * queue_take() - all that there is; good until the next call. One consumer only.
 * @dropped_ret: how many lines did not fit since the last call.
 */
const char *queue_take(struct queue *q, size_t *len_ret, uint64_t *dropped_ret);

#endif
