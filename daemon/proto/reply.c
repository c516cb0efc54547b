// SPDX-License-Identifier: MIT
/* reply.c - what an engine sends. See reply.h. */
#include <jansson.h>

#include "base/json.h"
#include "proto/reply.h"

static const char *const levels[] = {
	[LOG_LVL_ERR] = "error",
	[LOG_LVL_WARN] = "warning",
	[LOG_LVL_INFO] = "info",
	[LOG_LVL_DEBUG] = "debug",
};

static const char item_start[] = "{\"item\":";

void reply_note(struct buf *b, enum log_level level, const char *text)
{
	buf_printf(b, "{\"level\":\"%s\",\"note\":", levels[level]);
	json_str(b, text, strnlen(text, LOG_TEXT_MAX));
	buf_str(b, "}\n");
}

void reply_attached(struct buf *b)
{
	buf_str(b, "{\"attached\":true}\n");
}

void reply_ending(struct buf *b)
{
	buf_str(b, "{\"ending\":true}\n");
}

void reply_done(struct buf *b, enum status status)
{
	buf_printf(b, "{\"done\":{\"status\":%d}}\n", status);
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool starts_with(const char *line, size_t len, const char *start)
{
	size_t n = strlen(start);

	return len >= n && memcmp(line, start, n) == 0;
}

static enum reply_kind kind_of(const char *line, size_t len)
{
	static const struct {
		const char *start;
		enum reply_kind kind;
	} starts[] = {{"!", REPLY_MESSAGE},
		      {"{\"level\"", REPLY_NOTE},
		      {"{\"attached\"", REPLY_ATTACHED},
		      {"{\"ending\"", REPLY_ENDING},
		      {"{\"done\"", REPLY_DONE}};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (starts_with(line, len, starts[i].start))
			return starts[i].kind;
	return REPLY_DATA;
}

/* Data comes as it is, but for what marks it on the way. */
static void set_data(struct reply *r, const char *line, size_t len)
{
	size_t before = len && (*line == '>' || *line == '!') ? 1 : 0, behind = 0;

	if (starts_with(line, len, item_start) && line[len - 1] == '}') {
		before = sizeof(item_start) - 1;
		behind = 1;
	}
	r->text = line + before;
	r->len = len - before - behind;
}

static int set_note(struct reply *r, const json_t *obj)
{
	const char *level = json_string_value(json_object_get(obj, "level"));
	const char *note = json_string_value(json_object_get(obj, "note"));

	if (!level || !note)
		return -EPROTO;
	r->level = LOG_LVL_INFO;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (strcmp(level, levels[i]) == 0)
			r->level = (enum log_level)i;
	snprintf(r->note, sizeof(r->note), "%s", note);
	return 0;
}

static int set_done(struct reply *r, const json_t *obj)
{
	const json_t *status = json_object_get(json_object_get(obj, "done"), "status");
	json_int_t n = json_integer_value(status);

	if (!json_is_integer(status) || n < STATUS_OK || n > STATUS_UNSUPPORTED)
		return -EPROTO;
	r->status = (enum status)n;
	return 0;
}

int reply_decode(const char *line, size_t len, struct reply *ret)
{
	json_t *obj;
	int err;

	ret->kind = kind_of(line, len);
	if (ret->kind == REPLY_DATA || ret->kind == REPLY_MESSAGE) {
		set_data(ret, line, len);
		return 0;
	}
	if (ret->kind == REPLY_ATTACHED || ret->kind == REPLY_ENDING)
		return 0;
	obj = json_loadb(line, len, 0, NULL);
	err = !obj ? -EPROTO : ret->kind == REPLY_NOTE ? set_note(ret, obj) : set_done(ret, obj);
	json_decref(obj);
	return err;
}
