// SPDX-License-Identifier: MIT
/*
 * fuzz_decode.c - records and descriptors of any content: decoding and formatting stay inside them.
 *
 * Input: a NUL-terminated descriptor, then the record. Entry point of libFuzzer; any driver that
 * calls it does.
 */
#include "output/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The longest record a probe can send. */
#define RECORD_MAX                                                                                 \
	(sizeof(struct hp_entry) + 8 * (HP_FP_ARGS + HP_STACK_WORDS_MAX) +                         \
	 HP_REFS_MAX * (sizeof(struct hp_ref) + HP_TEXT_MAX))

static const char *no_klass(void *arg _unused_, const struct probe *p _unused_,
			    uint64_t klass_word _unused_, const char **why)
{
	*why = "it has none";
	return NULL;
}

/* By both forms, as a hit of a method with these captures. */
static void format_all(struct capture_list *l, const struct decode_view *v)
{
	static const char *const forms[] = {"json", "text"};
	static struct probe p = {.method = {.klass = "A", .name = "b", .desc = "", .symbol = ""}};
	static struct decode d = {.klass = no_klass};

	p.captures = l;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct buf out = {0};
		struct encoder *e = encoder_new(forms[i], &(struct encoder_options){0}, &out);
		struct event ev;

		if (!e)
			return;
		decode_call(&d, &p, v, &ev);
		encoder_event(e, &ev);
		encoder_free(e);
		free(p.head);
		p.head = NULL;
		buf_fini(&out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memchr(data, '\0', size);
	_cleanup_free_ struct capture_list *l = NULL;
	struct hp_slot_spec spec;
	struct decode_view v;

	if (!nul)
		return 0;

	size_t len = MIN(size - (size_t)(nul + 1 - data), RECORD_MAX);
	/* On the heap and of the exact size, so that a sanitizer sees one byte too many. */
	_cleanup_free_ struct hp_record *rec = malloc(len ? len : 1);

	if (!rec || capture_list_new(size & 2 ? ABI_NATIVE_IMAGE : ABI_HOTSPOT, (const char *)data,
				     size & 1, &l))
		return 0;
	capture_slot_spec(l, &spec);
	memcpy(rec, nul + 1, len);
	if (len >= sizeof(*rec)) {
		rec->size = (uint32_t)len; /* else next to nothing gets past the first check */
		rec->kind = HP_ENTRY;
	}
	if (decode_check(rec, len, &v) == 0)
		format_all(l, &v);
	return 0;
}
