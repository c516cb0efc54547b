/* SPDX-License-Identifier: MIT */
#include "options.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(QUEUE_BYTES_MIN / 2 >= LINE_MAX_BYTES, "each half takes the longest line");

/* @text with %p replaced. Nothing else is special but %%, which stands for itself. */
static int path_expand(char ret[static PATH_MAX], const char *text, pid_t pid)
{
	size_t len = 0;

	for (const char *p = text; *p; p++) {
		size_t room = PATH_MAX - len;
		int n;

		if (*p == '%' && p[1] == 'p')
			n = snprintf(ret + len, room, "%d", pid);
		else
			n = snprintf(ret + len, room, "%c", *p);
		if (*p == '%' && (p[1] == 'p' || p[1] == '%'))
			p++;
		if ((size_t)n >= room)
			return -EINVAL;
		len += (size_t)n;
	}
	return len ? 0 : -EINVAL;
}

static int bytes_parse(size_t *ret, const char *text)
{
	unsigned long long v;
	int shift = 0;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (*end == 'K' || *end == 'k')
		shift = 10;
	else if (*end == 'M' || *end == 'm')
		shift = 20;
	if (errno || end[shift ? 1 : 0] || v > QUEUE_BYTES_MAX)
		return -EINVAL;
	v <<= shift;
	if (v < QUEUE_BYTES_MIN || v > QUEUE_BYTES_MAX)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int name_copy(char *ret, size_t max, const char *name)
{
	size_t len = strlen(name);

	if (!len || len > max)
		return -EINVAL;
	memcpy(ret, name, len + 1);
	return 0;
}

static int option_parse(struct options *o, const char *word, pid_t pid)
{
	if (!strncmp(word, "events=", 7))
		return path_expand(o->events, word + 7, pid);
	if (!strncmp(word, "queue=", 6))
		return bytes_parse(&o->queue_bytes, word + 6);
	if (!strncmp(word, "wait=", 5))
		return name_copy(o->wait, WAIT_NAME_MAX, word + 5);
	if (strcmp(word, "quiet"))
		return -ENOENT;
	o->quiet = true;
	return 0;
}

int options_parse(struct options *ret, const char *text, pid_t pid, char *why, size_t why_len)
{
	char *copy = strdup(text ? text : ""), *save = NULL;
	int result = copy ? 0 : -EINVAL;

	*ret = (struct options){.queue_bytes = QUEUE_BYTES_DEFAULT};
	snprintf(why, why_len, "out of memory");
	for (char *word = copy ? strtok_r(copy, ",", &save) : NULL; word;
	     word = strtok_r(NULL, ",", &save)) {
		int err = option_parse(ret, word, pid);

		if (!err || result)
			continue;
		result = -EINVAL;
		snprintf(why, why_len,
			 "%s '%.200s': the options are events=FILE, queue=BYTES (%uK to %uM), "
			 "wait=NAME and quiet",
			 err == -ENOENT ? "unknown option" : "bad value in", word,
			 QUEUE_BYTES_MIN >> 10, QUEUE_BYTES_MAX >> 20);
	}
	free(copy);
	return result;
}
