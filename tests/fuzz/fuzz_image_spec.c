// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): a SPEC for native images and, behind a line's end, a class, a name, a
 * descriptor and a symbol that it is held against. What parameters it gives is a descriptor.
 */
#include "runtime/image/image_match.h"
#include "symmap/jtype.h"
#include "runtime/image/image_names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool promise)
{
	if (!promise)
		abort();
}

/* Offset of the next text; the last one stands for all that are missing. */
static uint32_t next(const char *text, uint32_t len, uint32_t at)
{
	uint32_t end = at + (uint32_t)strnlen(text + at, len - at);

	return end + 1 < len ? end + 1 : at;
}

static void check_match(const struct image_match *p, const struct image_map *map)
{
	struct jsignature sig;
	char desc[IMAGE_NAME_MAX];
	int err = image_match_descriptor(p, map->methods, desc, sizeof(desc));

	check(!err || err == -ENOENT || err == -EINVAL);
	if (!err)
		check(!jsignature_parse(desc, &sig));
	check(image_match_best(p) == image_match_fit(p, map->methods));
	if (image_match_fit(p, map->methods) == FIT_SIGNATURE)
		check(err != -ENOENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_free_ char *text = calloc(1, len + 2);
	struct image_method method = {.entry = 0x1000, .end = 0x1010, .overloads = 1};
	struct image_map map = {.methods = &method, .n = 1, .text = text};
	struct image_match *p;
	struct spec *spec;

	if (!text || len > 4 * IMAGE_NAME_MAX)
		return 0;
	if (len)
		memcpy(text, data, len);
	for (size_t i = 0; i < len; i++)
		text[i] = text[i] == '\n' ? '\0' : text[i];
	map.text_len = (uint32_t)len + 2;
	method.klass = next(text, map.text_len, 0);
	method.name = next(text, map.text_len, method.klass);
	method.desc = next(text, map.text_len, method.name);
	method.symbol = next(text, map.text_len, method.desc);
	method.flags = len % 2 ? METHOD_SIMPLE : 0;
	if (spec_parse(text, &spec, NULL))
		return 0;
	check(!image_match_new(spec, &map, &p));
	check_match(p, &map);
	image_match_free(p);
	spec_free(spec);
	return 0;
}
