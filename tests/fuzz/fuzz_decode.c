// SPDX-License-Identifier: MIT
/*
 * fuzz_decode.c - records and descriptors of any content: decoding and formatting stay inside them.
 *
 * Input: a NUL-terminated descriptor, then the record. Entry point of libFuzzer; any driver that
 * calls it does.
 */
#include "output/json_arg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The longest record a probe can send. */
#define RECORD_MAX                                                                                 \
	(sizeof(struct hp_entry) + 8 * (HP_FP_ARGS + HP_STACK_WORDS_MAX) +                         \
	 HP_REFS_MAX * (sizeof(struct hp_ref) + HP_TEXT_MAX))

static const char *no_klass(void *arg, uint64_t klass_word)
{
	(void)arg;
	(void)klass_word;
	return NULL;
}

static void format_all(const struct call_layout *c, const struct entry_view *v)
{
	struct buf out = {0};

	for (int i = -1; i < c->sig.nparams; i++) {
		struct arg_value a;
		char type[256] = "this";

		entry_arg(c, v, i, &a);
		if (i >= 0)
			jtype_name(&c->sig, &c->sig.params[i], type, sizeof(type));
		json_arg(&out, type, &a, no_klass, NULL);
	}
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memchr(data, '\0', size);
	static struct call_layout c;
	struct hp_slot_spec spec;
	struct entry_view v;

	if (!nul)
		return 0;

	size_t len = MIN(size - (size_t)(nul + 1 - data), RECORD_MAX);
	/* On the heap and of the exact size, so that a sanitizer sees one byte too many. */
	_cleanup_free_ struct hp_record *rec = malloc(len ? len : 1);

	if (!rec || call_layout_init(size & 2 ? CALL_NATIVE_IMAGE : CALL_HOTSPOT,
				     (const char *)data, size & 1, &c))
		return 0;
	call_layout_slot_spec(&c, &spec);
	memcpy(rec, nul + 1, len);
	if (len >= sizeof(*rec)) {
		rec->size = (uint32_t)len; /* else next to nothing gets past the first check */
		rec->kind = HP_ENTRY;
	}
	if (entry_check(rec, len, &v) == 0)
		format_all(&c, &v);
	return 0;
}
