// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): symbols of a native image, and types in source form. Parts of a symbol
 * lie in it, one behind the other; a descriptor that is made parses, and fits its buffer.
 *
 * The input: size of the buffer, then the symbol and, behind a line's end, the types.
 */
#include "fuzz.h"
#include "runtime/image/image_names.h"
#include "symmap/jtype.h"

static void check_symbol(const char *symbol)
{
	const char *end = symbol + strlen(symbol);
	struct image_symbol s;
	char name[IMAGE_SHORT_MAX];

	if (image_symbol_parse(symbol, &s) == SYMBOL_OTHER)
		return;
	do {
		fuzz_check(s.klass >= symbol && s.klass_len && s.name_len);
		fuzz_check(s.name > s.klass && s.klass + s.klass_len <= s.name);
		fuzz_check(s.name + s.name_len <= end);
		if (s.kind == SYMBOL_FULL)
			fuzz_check(s.params >= s.name + s.name_len &&
				   s.params + s.params_len <= s.ret && s.ret <= end);
		else
			fuzz_check(s.digest >= s.name + s.name_len && s.digest < end);
		image_method_name(&s, name, sizeof(name));
		fuzz_check(strnlen(name, sizeof(name)) < sizeof(name));
	} while (s.kind != SYMBOL_FULL && image_symbol_next(&s));
}

static void check_types(const char *types, size_t size)
{
	_cleanup_free_ char *buf = malloc(MAX(size, (size_t)1));
	struct jsignature sig;
	char digest[41];

	if (!image_descriptor(types, strlen(types), "int", buf, size)) {
		fuzz_check(strlen(buf) < size && buf[0] == '(');
		if (strlen(buf) < 1024)
			jsignature_parse(buf, &sig);
	}
	if (!image_digest("a.B", "c", types, strlen(types), types, digest))
		fuzz_check(strlen(digest) == 40);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input in = {data, len};
	size_t size = fuzz_number(&in, 2) % IMAGE_NAME_MAX;
	const uint8_t *nl = memchr(in.p, '\n', in.len);
	size_t first = nl ? (size_t)(nl - in.p) : in.len;
	_cleanup_free_ char *symbol = strndup((const char *)in.p, first);
	_cleanup_free_ char *types =
		strndup((const char *)in.p + first + !!nl, in.len - first - !!nl);

	check_symbol(symbol);
	check_types(types, size);
	return 0;
}
