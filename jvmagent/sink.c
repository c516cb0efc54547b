/* SPDX-License-Identifier: MIT */
#include "sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "fds.h"
#include "line.h"

int sink_open(struct sink *s, int fd, bool is_file)
{
	*s = (struct sink){.fd = -1, .is_file = is_file, .data = malloc(SINK_BYTES)};
	if (!s->data)
		return -ENOMEM;
	s->fd = fd;
	s->moved_ms = clock_ms();
	return 0;
}

void sink_close(struct sink *s)
{
	if (s->data && s->fd >= 0)
		fd_close(s->fd);
	free(s->data);
	*s = (struct sink){.fd = -1};
}

static ssize_t sink_write(struct sink *s)
{
	const char *data = s->data + s->from;
	size_t len = s->to - s->from;

	return s->is_file ? write(s->fd, data, len)
			  : send(s->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Not even these lose a file: it may have room later. */
static bool is_passing(const struct sink *s, int err)
{
	return err == EAGAIN || err == EINTR || (s->is_file && (err == ENOSPC || err == EDQUOT));
}

static int sink_drain(struct sink *s)
{
	while (s->from < s->to) {
		ssize_t n = sink_write(s);

		if (n <= 0)
			return is_passing(s, errno) ? 0 : -errno;
		s->from += (size_t)n;
		s->moved_ms = clock_ms();
	}
	s->from = s->to = 0;
	return 0;
}

static bool sink_fits(struct sink *s, size_t len)
{
	if (len > SINK_BYTES - s->to && s->from) {
		memmove(s->data, s->data + s->from, s->to - s->from);
		s->to -= s->from;
		s->from = 0;
	}
	return len <= SINK_BYTES - s->to;
}

static void sink_copy(struct sink *s, const char *line, size_t len)
{
	memcpy(s->data + s->to, line, len);
	s->to += len;
}

/* The news of lost lines stands where they would have stood. */
static bool sink_tell_dropped(struct sink *s)
{
	struct text t = {0};
	bool fits;

	if (!s->dropped)
		return true;
	line_dropped(&t, s->dropped);
	fits = !t.failed && sink_fits(s, t.len);
	if (fits) {
		sink_copy(s, t.data, t.len);
		s->dropped = 0;
	}
	text_fini(&t);
	return fits;
}

bool sink_room(struct sink *s, size_t len)
{
	if (!sink_fits(s, len))
		sink_drain(s);
	return sink_fits(s, len);
}

void sink_put(struct sink *s, const char *line, size_t len)
{
	if (s->fd < 0)
		return;
	if (sink_room(s, len) && sink_tell_dropped(s) && sink_fits(s, len))
		sink_copy(s, line, len);
	else
		s->dropped++;
}

int sink_flush(struct sink *s)
{
	int err = s->fd < 0 ? 0 : sink_drain(s);

	if (err || s->fd < 0 || !s->dropped || !sink_tell_dropped(s))
		return err;
	return sink_drain(s);
}

bool sink_is_empty(const struct sink *s)
{
	return s->from == s->to && !s->dropped;
}
