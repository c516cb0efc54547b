/* SPDX-License-Identifier: MIT */
#include "lib/lines.h"

#include <poll.h>
#include <pthread.h>
#include <time.h>

struct lines {
	int fd;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	char *data;
	size_t pos, len, cap; /* [pos, len) was not handed out yet */
	size_t scanned;	      /* [pos, scanned) is known to hold no newline */
	bool eof;
};

#define READ_BYTES (256u << 10)

/* Make room for one more read; called with the lock held. */
static void lines_reserve(struct lines *l)
{
	if (l->pos > l->cap / 2) {
		memmove(l->data, l->data + l->pos, l->len - l->pos);
		l->len -= l->pos;
		l->scanned -= l->pos;
		l->pos = 0;
	}
	if (l->cap - l->len >= READ_BYTES)
		return;
	l->cap = 2 * l->cap + 2 * READ_BYTES;
	l->data = realloc(l->data, l->cap);
	if (!l->data)
		abort();
}

static bool is_readable(const struct lines *l, int timeout_ms)
{
	struct pollfd p = {.fd = l->fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) > 0;
}

/*
 * Take over what is there; called with the lock held, so that what is not in the pipe any more is
 * here: whoever has the lock misses nothing. Return: false when nothing was there.
 */
static bool lines_fill(struct lines *l)
{
	ssize_t n;

	if (l->eof || !is_readable(l, 0))
		return false;
	lines_reserve(l);
	n = read(l->fd, l->data + l->len, l->cap - l->len);
	if (n > 0)
		l->len += (size_t)n;
	else if (!n || errno != EINTR)
		l->eof = true;
	pthread_cond_broadcast(&l->more);
	return true;
}

static void *lines_drain(void *arg)
{
	struct lines *l = arg;
	bool eof;

	do {
		is_readable(l, -1);
		pthread_mutex_lock(&l->lock);
		lines_fill(l);
		eof = l->eof;
		pthread_mutex_unlock(&l->lock);
	} while (!eof);
	return NULL;
}

struct lines *lines_open(int fd)
{
	struct lines *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;

	if (!l)
		abort();
	l->fd = fd;
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->more, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&l->thread, NULL, lines_drain, l))
		abort();
	return l;
}

void lines_close(struct lines *l)
{
	if (!l)
		return;
	pthread_join(l->thread, NULL);
	close(l->fd);
	pthread_cond_destroy(&l->more);
	pthread_mutex_destroy(&l->lock);
	free(l->data);
	free(l);
}

static struct timespec deadline_in(int timeout_ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += timeout_ms / 1000;
	t.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_nsec -= 1000000000L;
		t.tv_sec++;
	}
	return t;
}

/* The next whole line, or what is left at the end of file; NULL when there is none. */
static char *lines_take(struct lines *l)
{
	size_t from = l->scanned, n;
	char *nl = l->len > from ? memchr(l->data + from, '\n', l->len - from) : NULL;
	char *line;

	l->scanned = l->len;
	if (!nl && !(l->eof && l->len > l->pos))
		return NULL;
	n = (size_t)((nl ? nl : l->data + l->len) - (l->data + l->pos));
	line = strndup(l->data + l->pos, n);
	if (!line)
		abort();
	l->pos += n + (nl ? 1 : 0);
	l->scanned = l->pos;
	return line;
}

char *lines_next(struct lines *l, int timeout_ms)
{
	struct timespec until = deadline_in(timeout_ms);
	char *line;
	int err = 0;

	pthread_mutex_lock(&l->lock);
	while (!(line = lines_take(l)) && !l->eof && !err)
		err = pthread_cond_timedwait(&l->more, &l->lock, &until);
	pthread_mutex_unlock(&l->lock);
	return line;
}

bool lines_wait_eof(struct lines *l, int timeout_ms)
{
	struct timespec until = deadline_in(timeout_ms);
	int err = 0;
	bool eof;

	pthread_mutex_lock(&l->lock);
	while (!l->eof && !err)
		err = pthread_cond_timedwait(&l->more, &l->lock, &until);
	eof = l->eof;
	pthread_mutex_unlock(&l->lock);
	return eof;
}

char *lines_text(struct lines *l)
{
	char *text;

	pthread_mutex_lock(&l->lock);
	while (lines_fill(l))
		;
	text = l->len > l->pos ? strndup(l->data + l->pos, l->len - l->pos) : strdup("");
	pthread_mutex_unlock(&l->lock);
	if (!text)
		abort();
	return text;
}
