// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): the reply to an attach request. What is taken begins with its status as
 * a number, and its text is one short printable line.
 */
#include "agent/agent_load_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool promise)
{
	if (!promise)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_free_ char *text = strndup((const char *)data, len);
	struct agent_load_reply r;
	char *end;

	if (agent_load_reply_parse((const char *)data, len, &r))
		return 0;
	check(strtol(text, &end, 10) == r.status && *end == '\n');
	check(!r.returned || strtol(end + strlen("\nreturn code: "), NULL, 10) == r.code);
	check(memchr(r.text, '\0', sizeof(r.text)) != NULL);
	for (const char *p = r.text; *p; p++)
		check(*p >= ' ' && *p <= '~');
	return 0;
}
