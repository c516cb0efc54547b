// SPDX-License-Identifier: MIT
/* agent_load_reply.c - the reply to the attach command "load". See agent_load_reply.h. */
#include "agent/agent_load_reply.h"

/* The digits of INT_MIN, and its sign. */
#define NUMBER_MAX 11

/* The number that the line at @text consists of. Return: bytes of the line, newline included; 0. */
static size_t number_line(const char *text, size_t len, int *ret)
{
	const char *newline = memchr(text, '\n', MIN(len, NUMBER_MAX + 1));
	size_t n = newline ? (size_t)(newline - text) : 0, i = n && text[0] == '-';
	int64_t v = 0;

	if (i == n)
		return 0;
	for (; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		v = v * 10 + (text[i] - '0');
	}
	v = text[0] == '-' ? -v : v;
	if (v < INT32_MIN || v > INT32_MAX)
		return 0;
	*ret = (int)v;
	return n + 1;
}

/* It goes to a terminal: newlines become "; ", what is not ASCII text "?". */
static void one_line(const char *text, size_t len, char ret[static AGENT_LOAD_TEXT_MAX])
{
	size_t n = 0;

	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	for (size_t i = 0; i < len && n < AGENT_LOAD_TEXT_MAX - 2; i++) {
		if (text[i] == '\n') {
			ret[n++] = ';';
			ret[n++] = ' ';
		} else {
			ret[n++] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
		}
	}
	ret[n] = '\0';
}

int agent_load_reply_parse(const char *text, size_t len, struct agent_load_reply *ret)
{
	static const char key[] = "return code: ";
	struct agent_load_reply r = {0};
	size_t n = number_line(text, len, &r.status);

	if (!n)
		return -EPROTO;
	text += n;
	len -= n;
	if (len >= strlen(key) && !memcmp(text, key, strlen(key)))
		r.returned = number_line(text + strlen(key), len - strlen(key), &r.code) > 0;
	one_line(text, len, r.text);
	*ret = r;
	return 0;
}
