// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): any text as a method descriptor. What is taken must be tiled exactly by
 * its parameters and its result, and its source form must be cut cleanly at any buffer size.
 */
#include "symmap/jtype.h"
#include "base/util.h"

#define NAME_MAX_BYTES (256 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool promise)
{
	if (!promise)
		abort();
}

static void check_pieces(const struct jsignature *sig, const char *desc)
{
	size_t at = 1, words = 0;

	check(sig->desc == desc && desc[0] == '(');
	for (size_t i = 0; i < sig->nparams; i++) {
		const struct jtype *t = &sig->params[i];

		check(t->off == at && t->len > 0 && t->tag == desc[at]);
		check(t->tag != 'V' && strchr("BCDFIJSZL[", t->tag));
		words += t->tag == 'J' || t->tag == 'D' ? 2 : 1;
		at += t->len;
	}
	check(words <= JTYPE_PARAMS_MAX);
	check(desc[at] == ')' && sig->ret.off == at + 1 && sig->ret.tag == desc[at + 1]);
	check(at + 1 + sig->ret.len == strlen(desc));
}

/* @size_hint picks the size of the buffer that is too small. */
static void check_names(const struct jsignature *sig, size_t size_hint)
{
	static char full[NAME_MAX_BYTES];
	size_t need = jsignature_name(sig, "a.B", "<init>", full, sizeof(full)), size;
	_cleanup_free_ char *cut = NULL;

	check(need < sizeof(full) && strlen(full) == need);
	check(!memchr(full, '/', need) && !memchr(full, ';', need));
	size = size_hint % (need + 2);
	cut = malloc(MAX(size, (size_t)1));
	check(jsignature_name(sig, "a.B", "<init>", cut, size) == need);
	if (size)
		check(strlen(cut) == MIN(size - 1, need) && !memcmp(cut, full, strlen(cut)));
	need = jtype_name(sig, &sig->ret, full, sizeof(full));
	check(need > 0 && strlen(full) == need);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct jsignature sig;
	_cleanup_free_ char *desc = NULL;
	size_t hint;

	if (!len)
		return 0;
	hint = data[0];
	desc = strndup((const char *)data + 1, len - 1);
	if (jsignature_parse(desc, &sig))
		return 0;
	check_pieces(&sig, desc);
	check_names(&sig, hint);
	return 0;
}
