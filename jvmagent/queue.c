/* SPDX-License-Identifier: MIT */
#include "queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int queue_open(struct queue *q, size_t bytes)
{
	size_t half = bytes / 2;
	char *in = NULL, *out = NULL;
	int err = 0;

	pthread_mutex_lock(&q->lock);
	if (!q->cap) {
		in = malloc(half);
		out = malloc(half);
		err = in && out ? 0 : -ENOMEM;
	}
	if (in && out) {
		q->in = in;
		q->out = out;
		q->len = 0;
		q->cap = half;
		q->dropped = 0;
		in = out = NULL;
	}
	pthread_mutex_unlock(&q->lock);
	free(in);
	free(out);
	return err;
}

void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	free(q->in);
	free(q->out);
	q->in = q->out = NULL;
	q->len = q->cap = 0;
	q->dropped = 0;
	pthread_mutex_unlock(&q->lock);
}

static bool put_locked(struct queue *q, const char *line, size_t len)
{
	bool wake = !q->len && !q->dropped;

	if (!q->cap || q->ended)
		return false;
	if (len <= q->cap - q->len) {
		memcpy(q->in + q->len, line, len);
		q->len += len;
	} else {
		q->dropped++;
	}
	return wake;
}

bool queue_put(struct queue *q, const char *line, size_t len)
{
	bool wake;

	pthread_mutex_lock(&q->lock);
	wake = put_locked(q, line, len);
	pthread_mutex_unlock(&q->lock);
	return wake;
}

bool queue_end(struct queue *q, const char *line, size_t len)
{
	bool wake;

	pthread_mutex_lock(&q->lock);
	wake = put_locked(q, line, len);
	q->ended = true;
	pthread_mutex_unlock(&q->lock);
	return wake;
}

const char *queue_take(struct queue *q, size_t *len_ret, uint64_t *dropped_ret)
{
	char *full;

	pthread_mutex_lock(&q->lock);
	full = q->in;
	*len_ret = q->len;
	*dropped_ret = q->dropped;
	q->in = q->out;
	q->out = full;
	q->len = 0;
	q->dropped = 0;
	pthread_mutex_unlock(&q->lock);
	return full;
}
