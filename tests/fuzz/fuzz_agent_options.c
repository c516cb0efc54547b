// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): the agent's options, and names that it writes down: any text. What is
 * refused is explained in one line; a name becomes JSON that others read.
 */
#include <jansson.h>

#include "fuzz.h"
#include "jvmagent/options.h"
#include "jvmagent/text.h"

#define PID 4711

static void check_options(const char *text)
{
	struct options o;
	char why[512];
	int err = options_parse(&o, text, PID, why, sizeof(why));

	fuzz_check(!err || err == -EINVAL);
	fuzz_check(strnlen(o.events, sizeof(o.events)) < sizeof(o.events));
	fuzz_check(strnlen(o.wait, sizeof(o.wait)) < sizeof(o.wait));
	fuzz_check(o.queue_bytes >= QUEUE_BYTES_MIN && o.queue_bytes <= QUEUE_BYTES_MAX);
	fuzz_check(strnlen(why, sizeof(why)) < sizeof(why) && (!err || *why));
}

static void check_name(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	struct text t = {0};
	json_t *list;

	text_str(&t, "[");
	text_name(&t, text);
	text_str(&t, ",");
	text_class(&t, copy);
	text_str(&t, "]");
	fuzz_check(t.len <= LINE_MAX_BYTES);
	if (!t.failed) {
		list = json_loadb(t.data, t.len, JSON_ALLOW_NUL, NULL);
		fuzz_check(json_array_size(list) == 2);
		json_decref(list);
	}
	text_fini(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_free_ char *text = strndup((const char *)data, len);

	check_options(text);
	check_name(text);
	return 0;
}
