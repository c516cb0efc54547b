// SPDX-License-Identifier: MIT
/* conn.c - JSON lines over a stream socket. See conn.h. */
#include <sys/socket.h>

#include "proto/conn.h"

#define FILL_CHUNK (256u << 10)

void conn_init(struct conn *c, int fd)
{
	*c = (struct conn){.fd = fd, .open = true};
}

void conn_fini(struct conn *c)
{
	buf_fini(&c->in);
	buf_fini(&c->out);
	if (c->open) {
		shutdown(c->fd, SHUT_RDWR); /* whoever may hold a copy: this is the end */
		close(c->fd);
	}
	c->open = false;
}

/* Move what is left to the front, so that the buffer does not grow with the stream. */
static void compact(struct buf *b, size_t *pos)
{
	if (*pos == 0)
		return;
	memmove(b->data, b->data + *pos, b->len - *pos);
	b->len -= *pos;
	*pos = 0;
}

int conn_fill(struct conn *c)
{
	ssize_t n;
	char *p;

	compact(&c->in, &c->in_pos);
	if (c->in.len > CONN_LINE_MAX + FILL_CHUNK)
		return -EPROTO;
	p = buf_reserve(&c->in, FILL_CHUNK);
	if (!p)
		return -ENOMEM;
	n = recv(c->fd, p, FILL_CHUNK, MSG_DONTWAIT);
	if (n < 0) {
		if (errno == ECONNRESET) {
			c->eof = true;
			return 0;
		}
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	}
	c->in.len += (size_t)n;
	c->eof = n == 0;
	return n == FILL_CHUNK;
}

bool conn_line(struct conn *c, const char **ret, size_t *len)
{
	const char *start = c->in.data + c->in_pos;
	size_t left = c->in.len - c->in_pos;
	const char *nl = left ? memchr(start, '\n', left) : NULL;

	if (!nl)
		return false;
	*ret = start;
	*len = (size_t)(nl - start);
	c->in_pos += *len + 1;
	return true;
}

int conn_flush(struct conn *c)
{
	if (c->out.failed)
		return -ENOMEM;
	while (c->out_pos < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->out_pos, c->out.len - c->out_pos,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (c->out_pos > c->out.len / 2)
				compact(&c->out, &c->out_pos);
			return 0;
		}
		if (n < 0)
			return -errno;
		c->out_pos += (size_t)n;
	}
	c->out.len = c->out_pos = 0;
	return 0;
}

size_t conn_pending(const struct conn *c)
{
	return c->out.len - c->out_pos;
}

static int dump_to_buf(const char *data, size_t len, void *arg)
{
	buf_add(arg, data, len);
	return 0;
}

int conn_send(struct conn *c, json_t *obj)
{
	int err;

	if (!obj)
		return -ENOMEM;
	err = json_dump_callback(obj, dump_to_buf, &c->out, JSON_COMPACT);
	json_decref(obj);
	buf_add(&c->out, "\n", 1);
	return err || c->out.failed ? -ENOMEM : 0;
}
