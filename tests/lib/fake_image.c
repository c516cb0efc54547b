// SPDX-License-Identifier: MIT
/* fake_image.c - small native images made to order. See fake_image.h. */
#include <sys/mman.h>

#include "lib/fake_image.h"

#define ANCHOR_HASH 0xa6819592u

/* How objects are laid out; told here again, so that a mistake in the reader's table is noticed. */
struct shape {
	uint8_t ref, shift, array_len, array_data, value, hash, coder, string_size, hub_name;
	uint32_t base;
};

#define NO_CODER 0

static const struct shape shapes[FAKE_HEAP_KINDS] = {
	[FAKE_CE_25] = {8, 0, 12, 16, 8, 16, 20, 24, 40, 0x80000},
	[FAKE_CE_25_LAZY] = {8, 0, 12, 16, 8, 16, 20, 24, 48, 0x80000},
	[FAKE_ORACLE_23] = {4, 3, 4, 8, 4, 8, 12, 16, 32, 0x80000},
	[FAKE_ORACLE_21] = {4, 3, 4, 8, 4, 8, 12, 16, 32, 0x80000},
	[FAKE_CE_22] = {8, 0, 12, 16, 16, 12, 24, 32, 48, 0x100000},
	[FAKE_CE_20] = {8, 0, 8, 16, 8, 16, 20, 24, 56, 0},
	[FAKE_CE_19] = {8, 0, 8, 16, 8, 16, NO_CODER, 24, 56, 0},
	[FAKE_RC] = {8, 0, 8, 16, 8, 16, NO_CODER, 24, 48, FAKE_IMAGE_VADDR},
};

static const struct shape *shape(const struct fake_image *f)
{
	return &shapes[f->kind];
}

static void put(struct fake_image *f, size_t pos, uint64_t v, size_t size)
{
	if (pos + size > sizeof(f->heap))
		abort();
	memcpy(f->heap + pos, &v, size);
}

static size_t alloc(struct fake_image *f, size_t size)
{
	size_t pos = f->len;

	f->len += (size + 7) & ~(size_t)7;
	if (f->len > sizeof(f->heap))
		abort();
	return pos;
}

static void put_ref(struct fake_image *f, size_t pos, size_t obj)
{
	put(f, pos, (obj + shape(f)->base) >> shape(f)->shift, shape(f)->ref);
}

/* With a flag among the low bits, which means nothing to us. */
static void put_hub(struct fake_image *f, size_t pos, size_t hub)
{
	uint64_t addr = hub + shape(f)->base;

	put(f, pos, shape(f)->ref == 4 ? addr >> 3 << 5 | 16 : addr | 1, shape(f)->ref);
}

static size_t make_array(struct fake_image *f, size_t hub, uint32_t n, size_t elem,
			 const void *data)
{
	size_t pos = alloc(f, shape(f)->array_data + n * elem);

	put_hub(f, pos, hub);
	put(f, pos + shape(f)->array_len, n, 4);
	if (n && data)
		memcpy(f->heap + pos + shape(f)->array_data, data, n * elem);
	return pos;
}

struct hubs {
	size_t string, text, bytes, objects, classes, strings;
};

/* @n units of @width bytes. */
static size_t add_string(struct fake_image *f, const void *text, uint32_t n, size_t width)
{
	size_t pos = alloc(f, shape(f)->string_size), array;
	bool chars = shape(f)->coder == NO_CODER;

	put_hub(f, pos, f->string_hub);
	array = make_array(f, f->text_hub, chars ? n : n * (uint32_t)width, chars ? 2 : 1, NULL);
	for (uint32_t i = 0; i < n; i++)
		memcpy(f->heap + array + shape(f)->array_data + i * (chars ? 2 : width),
		       (const uint8_t *)text + i * width, width);
	put_ref(f, pos + shape(f)->value, array);
	put(f, pos + shape(f)->hash, 1, 4);
	if (!chars)
		put(f, pos + shape(f)->coder, width == 2, 1);
	return pos;
}

static size_t make_string(struct fake_image *f, const char *text)
{
	return add_string(f, text, (uint32_t)strlen(text), 1);
}

size_t fake_image_string(struct fake_image *f, const uint16_t *text, uint32_t n)
{
	return add_string(f, text, n, 2);
}

static void name_hub(struct fake_image *f, size_t hub, const char *name)
{
	put_hub(f, hub, hub); /* no class Class here: nobody asks */
	put_ref(f, hub + shape(f)->hub_name, make_string(f, name));
}

static void make_hubs(struct fake_image *f, struct hubs *h)
{
	size_t *const all[] = {&h->string,  &h->bytes,	 &h->text,
			       &h->objects, &h->classes, &h->strings};
	static const char *const names[] = {
		"java.lang.String",   "[B", "[C", "[Ljava.lang.Object;", "[Ljava.lang.Class;",
		"[Ljava.lang.String;"};

	alloc(f, 64); /* nothing lies at the beginning: an offset of 0 is null with base 0 */
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		*all[i] = alloc(f, 128);
	f->string_hub = h->string;
	f->bytes_hub = h->bytes;
	f->text_hub = shape(f)->coder == NO_CODER ? h->text : h->bytes;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		name_hub(f, *all[i], names[i]);
}

/* --- tables ----------------------------------------------------------------------------------- */

static bool has_defaults(const struct fake_image *f)
{
	return f->kind < FAKE_CE_22;
}

static bool has_methods(const struct fake_image *f)
{
	return f->kind <= FAKE_ORACLE_23;
}

static size_t put_sv(uint8_t *p, int64_t v)
{
	uint64_t u = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
	size_t n = 0;

	for (; u >= 192; u = (u - 192) >> 6) {
		uint64_t rest = (u - 192) & 63;

		p[n++] = (uint8_t)(192 + rest);
		u -= rest;
	}
	p[n++] = (uint8_t)u;
	return n;
}

static size_t put_frame(const struct fake_image *f, uint8_t *p, int i)
{
	size_t n = 0;

	if (f->kind == FAKE_CE_20)
		n += put_sv(p + n, -2);
	if (has_methods(f)) {
		n += put_sv(p + n, i);
	} else {
		n += put_sv(p + n, i % FAKE_IMAGE_CLASSES);
		n += put_sv(p + n, i);
	}
	n += put_sv(p + n, f->kind == FAKE_CE_20 ? 7 : has_defaults(f) ? -1 : -9);
	if (has_methods(f))
		n += put_sv(p + n, 0);
	if (f->kind == FAKE_CE_20)
		n += put_sv(p + n, -1);
	return n;
}

static size_t make_frames(struct fake_image *f, const struct hubs *h)
{
	uint8_t buf[FAKE_IMAGE_METHODS * 16];
	size_t n = 0, array;

	for (int i = 0; i < FAKE_IMAGE_METHODS; i++) {
		f->frame_of[i] = (uint32_t)n;
		n += put_frame(f, buf + n, i);
	}
	array = make_array(f, h->bytes, (uint32_t)n, 1, buf);
	f->frames = array + shape(f)->array_data;
	f->frames_len = n;
	return array;
}

static size_t put_entry(uint8_t *p, uint8_t flags, uint8_t delta, int frame_size, int64_t frame)
{
	size_t n = 0;
	uint32_t v = (uint32_t)frame;

	p[n++] = flags;
	p[n++] = delta;
	if (flags & 3)
		p[n++] = (uint8_t)frame_size;
	if (frame >= 0) {
		memcpy(p + n, &v, 4);
		n += 4;
	}
	return n;
}

/* A method is one entry, or two where names are at call sites; in the lazy kind a deopt entry more.
 */
static size_t put_method(struct fake_image *f, uint8_t *p, int i)
{
	bool last = i == FAKE_IMAGE_METHODS - 1;
	uint8_t delta = last ? 0 : FAKE_IMAGE_STEP / 2;
	int64_t frame = f->frame_of[i];
	size_t n;

	if (!has_defaults(f)) {
		n = put_entry(p, 1, FAKE_IMAGE_STEP / 2, 16 | 1, -1);
		return n + put_entry(p + n, 2 << 6, delta, 0, frame);
	}
	n = put_entry(p, 3 << 6 | 1, FAKE_IMAGE_STEP / 2, 16 | 1, frame);
	if (f->kind == FAKE_CE_25_LAZY) {
		n += put_entry(p + n, 1 << 6, delta, 0, frame);
		p[n++] = 1;
		return n;
	}
	return n + put_entry(p + n, 0, delta, 0, -1);
}

static size_t make_encodings(struct fake_image *f, const struct hubs *h, size_t *index_array)
{
	uint8_t buf[FAKE_IMAGE_METHODS * 24];
	uint32_t index[FAKE_IMAGE_METHODS], steps = 0;
	size_t n = 0, array;

	for (int i = 0; i < FAKE_IMAGE_METHODS; i++) {
		if (i * FAKE_IMAGE_STEP % 256 == 0)
			index[steps++] = (uint32_t)n;
		f->entry_of[i] = n;
		n += put_method(f, buf + n, i);
	}
	array = make_array(f, h->bytes, (uint32_t)n, 1, buf);
	f->encodings_array = array;
	f->encodings = array + shape(f)->array_data;
	f->encodings_len = n;
	*index_array = make_array(f, h->bytes, steps * 4, 1, index);
	f->index = *index_array + shape(f)->array_data;
	return array;
}

static size_t make_methods(struct fake_image *f, const struct hubs *h)
{
	uint16_t rows[FAKE_IMAGE_METHODS][2];
	size_t array;

	for (int i = 0; i < FAKE_IMAGE_METHODS; i++) {
		rows[i][0] = (uint16_t)(i % FAKE_IMAGE_CLASSES);
		rows[i][1] = (uint16_t)i;
	}
	array = make_array(f, h->bytes, sizeof(rows), 1, rows);
	f->methods = array + shape(f)->array_data;
	return array;
}

static size_t make_classes(struct fake_image *f, const struct hubs *h)
{
	size_t array = make_array(f, h->classes, FAKE_IMAGE_CLASSES, shape(f)->ref, NULL);
	char name[32];

	f->classes = array + shape(f)->array_data;
	for (size_t i = 0; i < FAKE_IMAGE_CLASSES; i++) {
		size_t hub = alloc(f, 128);

		f->class_hub = i ? f->class_hub : hub;
		snprintf(name, sizeof(name), "pkg.Class%zu", i);
		name_hub(f, hub, name);
		put_ref(f, f->classes + i * shape(f)->ref, hub);
	}
	return array;
}

static size_t make_names(struct fake_image *f, const struct hubs *h)
{
	size_t array = make_array(f, h->strings, FAKE_IMAGE_METHODS, shape(f)->ref, NULL);
	char name[32];

	f->names = array + shape(f)->array_data;
	for (size_t i = 0; i < FAKE_IMAGE_METHODS; i++) {
		snprintf(name, sizeof(name), "method%zu", i);
		put_ref(f, f->names + i * shape(f)->ref, make_string(f, name));
	}
	return array;
}

/* hub, codeStart, codeSize, ..., and then the references. */
static void make_info(struct fake_image *f, const size_t refs[static 9])
{
	size_t pos = alloc(f, 128);

	put_hub(f, pos, f->bytes_hub + 8); /* of no class we know */
	put(f, pos + 8, FAKE_IMAGE_CODE, 8);
	put(f, pos + 16, FAKE_IMAGE_METHODS * FAKE_IMAGE_STEP, 8);
	f->info = pos + 40;
	for (size_t i = 0; i < 9; i++)
		if (refs[i])
			put_ref(f, f->info + i * shape(f)->ref, refs[i]);
}

void fake_image_make(struct fake_image *f, enum fake_image_kind kind)
{
	size_t refs[9] = {0};
	struct hubs h = {0};

	*f = (struct fake_image){.kind = kind, .base = shapes[kind].base};
	make_hubs(f, &h);
	f->anchor = make_string(f, "image code");
	put(f, f->anchor + shape(f)->hash, ANCHOR_HASH, 4);
	refs[3] = make_frames(f, &h);
	refs[1] = make_encodings(f, &h, &refs[0]);
	refs[2] = make_array(f, h.bytes, 0, 1, NULL);
	refs[4] = make_array(f, h.objects, 0, shape(f)->ref, NULL);
	refs[5] = make_classes(f, &h);
	refs[6] = make_names(f, &h);
	if (has_methods(f))
		refs[8] = make_methods(f, &h);
	make_info(f, refs);
}

int fake_image_fd(const struct fake_image *f)
{
	static const uint8_t code[FAKE_IMAGE_METHODS * FAKE_IMAGE_STEP];
	struct fake_elf e;
	size_t i;
	int fd;

	fake_elf_init(&e);
	e.h.e_type = f->kind == FAKE_ORACLE_23 ? ET_DYN : ET_EXEC;
	fake_elf_add(&e, ".text", SHT_PROGBITS, code, sizeof(code));
	fake_elf_load(&e, FAKE_ELF_DATA, FAKE_IMAGE_CODE, sizeof(code));
	i = fake_elf_add(&e, f->kind == FAKE_RC ? ".rodata" : ".svm_heap", SHT_PROGBITS, f->heap,
			 f->len);
	e.sh[i].sh_flags = SHF_ALLOC;
	e.sh[i].sh_addr = FAKE_IMAGE_VADDR;
	fd = fake_elf_fd(&e);
	fake_elf_fini(&e);
	return fd;
}
