// SPDX-License-Identifier: MIT
/* test_image_heap.c - objects of native images that were made up here, in the file and alive. */
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "lib/fake_image.h"
#include "runtime/image/image_heap.h"

/* Where a running image may have its heap base. */
#define HEAP_BASE 0x7f3200000000ull

struct opened {
	int fd;
	struct elffile f;
	struct image_heap h;
};

static void open_heap(const struct fake_image *image, struct opened *o)
{
	o->fd = fake_image_fd(image);
	assert_int_equal(elffile_open_any(o->fd, &o->f), 0);
	assert_int_equal(image_heap_open(&o->f, &o->h), 0);
}

static void close_heap(struct opened *o)
{
	image_heap_close(&o->h);
	elffile_close(&o->f);
	close(o->fd);
}

static void check_open(const struct fake_image *image, int want)
{
	int fd = fake_image_fd(image);
	struct image_heap h;
	struct elffile f;

	assert_int_equal(elffile_open_any(fd, &f), 0);
	assert_int_equal(image_heap_open(&f, &h), want);
	elffile_close(&f);
	close(fd);
}

static void check_string(const struct image_heap *h, uint64_t obj, const char *want)
{
	char buf[2048];

	assert_int_equal(image_heap_string(h, obj, buf, sizeof(buf)), strlen(want));
	assert_string_equal(buf, want);
}

/* In every layout the heap opens, and its Strings and classes have their texts. */
static void image_heap_open_all_layouts(void **state _unused_)
{
	struct fake_image f;
	struct opened o;
	char buf[64];

	for (int kind = 0; kind < FAKE_HEAP_KINDS; kind++) {
		fake_image_make(&f, kind);
		open_heap(&f, &o);
		check_string(&o.h, f.anchor, "image code");
		assert_int_equal(image_heap_hub(&o.h, f.anchor), f.string_hub);
		assert_int_equal(image_heap_class(&o.h, f.string_hub, buf, sizeof(buf)), 16);
		assert_string_equal(buf, "java.lang.String");
		assert_int_equal(image_heap_class(&o.h, f.class_hub, buf, sizeof(buf)), 10);
		assert_string_equal(buf, "pkg.Class0");
		close_heap(&o);
	}
}

/* Objects in .rodata are only believed where references are their addresses. */
static void image_heap_open_constants_elsewhere(void **state _unused_)
{
	struct fake_image f;

	fake_image_make(&f, FAKE_RC);
	memmove(f.heap + 4096, f.heap, f.len);
	memset(f.heap, 0, 4096);
	f.len += 4096;
	check_open(&f, -ENOENT);
}

/* A text that is not the String's, or a class without its name, is a layout we do not know. */
static void image_heap_open_other_layout(void **state _unused_)
{
	static const char wide[] = "S\0t\0r\0i\0n\0g";
	struct fake_image f;
	uint8_t *p;

	fake_image_make(&f, FAKE_CE_19);
	p = memmem(f.heap, f.len, wide, sizeof(wide));
	assert_non_null(p);
	*p = 's';
	check_open(&f, -EOPNOTSUPP);
	fake_image_make(&f, FAKE_CE_25);
	memset(f.heap + f.anchor, 0, 8);
	check_open(&f, -EOPNOTSUPP);
}

/* --- texts ------------------------------------------------------------------------------------ */

/* Latin, two and three bytes of UTF-8, a pair of surrogates, NUL, and surrogates without another:
 * as in a class file. */
static void image_heap_string_wide(void **state _unused_)
{
	static const uint16_t text[] = {'a',	0xc4, 0x67ff, 0xd83c, 0xdf47, 'b',
					0xdf47, 0,    0xd83c, 'c',    0xd83c};
	struct fake_image f;
	struct opened o;

	for (int kind = 0; kind < FAKE_HEAP_KINDS; kind++) {
		size_t obj;

		fake_image_make(&f, kind);
		obj = fake_image_string(&f, text, ARRAY_SIZE(text));
		open_heap(&f, &o);
		check_string(&o.h, obj,
			     "aÄ柿🍇b\xed\xbd\x87\xc0\x80\xed\xa0\xbc"
			     "c\xed\xa0\xbc");
		close_heap(&o);
	}
}

/* Long texts are read whole, also a surrogate pair at each place of them, from copy and file. */
static void image_heap_string_long(void **state _unused_)
{
	uint16_t text[140];
	char want[600];
	struct fake_image f;
	struct opened o;

	for (size_t at = 0; at + 2 <= ARRAY_SIZE(text); at++) {
		size_t obj, n = 0;

		for (size_t i = 0; i < ARRAY_SIZE(text); i++)
			text[i] = i == at ? 0xd83c : i == at + 1 ? 0xdf47 : 'a' + i % 26;
		for (size_t i = 0; i < ARRAY_SIZE(text); i++)
			n += snprintf(want + n, sizeof(want) - n, "%s",
				      i == at	    ? "🍇"
				      : i == at + 1 ? ""
						    : (char[]){(char)text[i], '\0'});
		fake_image_make(&f, at % 2 ? FAKE_CE_19 : FAKE_CE_22);
		obj = fake_image_string(&f, text, ARRAY_SIZE(text));
		open_heap(&f, &o);
		check_string(&o.h, obj, want);
		assert_int_equal(image_heap_drop_copy(&o.h, &o.f), 0);
		check_string(&o.h, obj, want);
		close_heap(&o);
	}
}

/* A text that does not fit is refused, not cut; the buffer's bytes behind it stay. */
static void image_heap_string_small_buffer(void **state _unused_)
{
	static const uint16_t text[] = {0x67ff, 0x67ff, 0x67ff};
	struct fake_image f;
	struct opened o;

	for (int kind = 0; kind < FAKE_HEAP_KINDS; kind++) {
		char buf[32];
		size_t obj;

		fake_image_make(&f, kind);
		obj = fake_image_string(&f, text, ARRAY_SIZE(text));
		open_heap(&f, &o);
		for (size_t size = 0; size < 10; size++) {
			memset(buf, '#', sizeof(buf));
			assert_int_equal(image_heap_string(&o.h, obj, buf, size), -EPROTO);
			for (size_t i = size; i < sizeof(buf); i++)
				assert_int_equal(buf[i], '#');
		}
		assert_int_equal(image_heap_string(&o.h, obj, buf, 16), 9);
		close_heap(&o);
	}
}

/* --- live objects ----------------------------------------------------------------------------- */

/* Where a live address leads in the heap of the file. */
static const uint8_t *at_address(const struct fake_image *f, const struct image_objects *o,
				 uint64_t addr)
{
	uint64_t pos = addr - (o->absolute ? 0 : HEAP_BASE) - f->base;

	assert_true(pos < f->len);
	return f->heap + pos;
}

/* What a probe does with these numbers leads from a String's address to its text. */
static void image_heap_objects_all_layouts(void **state _unused_)
{
	struct fake_image f;
	struct opened h;

	for (int kind = 0; kind < FAKE_HEAP_KINDS; kind++) {
		struct image_objects o;
		uint64_t addr, klass = 0, ref = 0;
		const uint8_t *p;
		uint32_t len;

		fake_image_make(&f, kind);
		open_heap(&f, &h);
		image_heap_objects(&h.h, &o);
		assert_int_equal(o.absolute, kind == FAKE_RC);
		addr = (o.absolute ? 0 : HEAP_BASE) + f.base + f.anchor;
		p = at_address(&f, &o, addr);
		memcpy(&klass, p, o.klass_size);
		assert_int_not_equal(klass, o.string_klass_word); /* it has a flag */
		assert_int_equal(klass & o.klass_mask, o.string_klass_word);
		if (o.string_coder != UINT32_MAX)
			assert_int_equal(p[o.string_coder], 0);
		assert_int_equal(o.string_coder == UINT32_MAX, kind >= FAKE_CE_19);
		memcpy(&ref, p + o.string_value, o.ref_size);
		p = at_address(&f, &o, (o.absolute ? 0 : HEAP_BASE) + (ref << o.ref_shift));
		memcpy(&len, p + o.array_length, sizeof(len));
		assert_int_equal(len, strlen("image code"));
		if (o.string_coder == UINT32_MAX)
			assert_memory_equal(p + o.array_data, "i\0m\0a\0g\0e\0 \0c\0o\0d\0e", 20);
		else
			assert_memory_equal(p + o.array_data, "image code", 10);
		close_heap(&h);
	}
}

/* A class word names its class with any flags; what is no class word names none. */
static void image_heap_class_of_word_flags(void **state _unused_)
{
	struct fake_image f;
	struct opened h;
	char buf[64];

	for (int kind = 0; kind < FAKE_HEAP_KINDS; kind++) {
		struct image_objects o;
		uint64_t addr, word;

		fake_image_make(&f, kind);
		open_heap(&f, &h);
		image_heap_objects(&h.h, &o);
		addr = f.base + f.class_hub;
		word = o.klass_size == 4 ? addr >> 3 << 5 : addr;
		assert_int_equal(word & ~o.klass_mask, 0);
		for (uint64_t flags = 0; flags <= (~o.klass_mask & UINT32_MAX); flags++) {
			assert_int_equal(
				image_heap_class_of_word(&h.h, word | flags, buf, sizeof(buf)), 10);
			assert_string_equal(buf, "pkg.Class0");
		}
		assert_true(image_heap_class_of_word(&h.h, o.string_klass_word, buf, sizeof(buf)) >
			    0);
		assert_string_equal(buf, "java.lang.String");
		for (uint64_t none = 0; none < 32; none++)
			assert_int_equal(image_heap_class_of_word(&h.h, none, buf, sizeof(buf)),
					 -EPROTO);
		assert_int_equal(image_heap_class_of_word(&h.h, UINT64_MAX, buf, sizeof(buf)),
				 -EPROTO);
		assert_int_equal(image_heap_class_of_word(&h.h, word + 8 * 16, buf, sizeof(buf)),
				 -EPROTO);
		close_heap(&h);
	}
}

/* --- without the copy ------------------------------------------------------------------------- */

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void check_same(const struct image_heap *a, const struct image_heap *b, uint64_t pos)
{
	char x[64], y[64];
	uint32_t n = 0, m = 0;
	int err;

	for (uint8_t size = 1; size <= 8; size++)
		assert_int_equal(image_heap_word(a, pos, size), image_heap_word(b, pos, size));
	assert_int_equal(image_heap_ref(a, pos), image_heap_ref(b, pos));
	assert_int_equal(image_heap_hub(a, pos), image_heap_hub(b, pos));
	assert_int_equal(image_heap_array(a, pos, a->text_hub, 1, &n),
			 image_heap_array(b, pos, b->text_hub, 1, &m));
	assert_int_equal(n, m);
	err = image_heap_string(a, pos, x, sizeof(x));
	assert_int_equal(err, image_heap_string(b, pos, y, sizeof(y)));
	if (err >= 0)
		assert_string_equal(x, y);
	err = image_heap_class(a, pos, x, sizeof(x));
	assert_int_equal(err, image_heap_class(b, pos, y, sizeof(y)));
	if (err >= 0)
		assert_string_equal(x, y);
}

/* The file answers every question as the copy does, also beyond the end. */
static void image_heap_drop_copy_same_answers(void **state _unused_)
{
	struct fake_image f;
	struct opened a, b;

	for (int kind = 0; kind < FAKE_HEAP_KINDS; kind++) {
		fake_image_make(&f, kind);
		open_heap(&f, &a);
		open_heap(&f, &b);
		assert_int_equal(image_heap_drop_copy(&b.h, &b.f), 0);
		assert_null(b.h.bytes);
		for (uint64_t pos = 0; pos < f.len + 16; pos += 4)
			check_same(&a.h, &b.h, pos);
		check_same(&a.h, &b.h, HEAP_NONE);
		check_same(&a.h, &b.h, HEAP_NONE - 8);
		close_heap(&a);
		close_heap(&b);
	}
}

/* The heap has the file for itself, drops its copy once, and leaves no file open. */
static void image_heap_drop_copy_file(void **state _unused_)
{
	struct fake_image f;
	struct opened o;
	int fds = count_fds();

	fake_image_make(&f, FAKE_ORACLE_23);
	open_heap(&f, &o);
	assert_int_equal(image_heap_drop_copy(&o.h, &o.f), 0);
	assert_int_equal(image_heap_drop_copy(&o.h, &o.f), 0);
	elffile_close(&o.f);
	close(o.fd);
	assert_int_equal(count_fds(), fds + 1);
	check_string(&o.h, f.anchor, "image code");
	image_heap_close(&o.h);
	image_heap_close(&o.h);
	assert_int_equal(count_fds(), fds);
}

/* If the file cannot be kept, the copy is. */
static void image_heap_drop_copy_no_file(void **state _unused_)
{
	const struct elffile none = {.fd = -1};
	struct fake_image f;
	struct opened o;

	fake_image_make(&f, FAKE_CE_25);
	open_heap(&f, &o);
	assert_int_equal(image_heap_drop_copy(&o.h, &none), -EBADF);
	check_string(&o.h, f.anchor, "image code");
	close_heap(&o);
}

/* Of a file that is cut later what is gone reads as nothing, and what is left as before. */
static void image_heap_drop_copy_cut_file(void **state _unused_)
{
	struct fake_image f;
	struct opened o;
	char buf[64];

	for (int kind = 0; kind < FAKE_HEAP_KINDS; kind++) {
		size_t whole = 0, gone = 0;

		fake_image_make(&f, kind);
		open_heap(&f, &o);
		assert_int_equal(image_heap_drop_copy(&o.h, &o.f), 0);
		for (uint64_t len = f.len; len; len--) {
			int n;

			assert_int_equal(ftruncate(o.fd, (off_t)(o.h.offset + len - 1)), 0);
			n = image_heap_string(&o.h, f.anchor, buf, sizeof(buf));
			assert_true(n == -EPROTO || (n == 10 && !strcmp(buf, "image code")));
			*(n < 0 ? &gone : &whole) += 1;
			image_heap_class(&o.h, f.class_hub, buf, sizeof(buf));
		}
		assert_true(whole && gone);
		assert_int_equal(image_heap_word(&o.h, f.anchor, 8), 0);
		assert_int_equal(image_heap_hub(&o.h, f.anchor), HEAP_NONE);
		assert_int_equal(image_heap_ref(&o.h, f.anchor), HEAP_NONE);
		assert_int_equal(image_heap_class(&o.h, f.class_hub, buf, sizeof(buf)), -EPROTO);
		close_heap(&o);
	}
}

static void read_everything(const struct image_heap *h, size_t len)
{
	char buf[64];
	uint32_t n;

	for (uint64_t pos = 0; pos < len; pos += 8) {
		image_heap_array(h, pos, image_heap_hub(h, pos), 8, &n);
		image_heap_string(h, pos, buf, sizeof(buf));
		image_heap_class(h, pos, buf, sizeof(buf));
	}
}

/* Garbage written into the file, before or after, never makes us read or write out of bounds. */
static void image_heap_garbage(void **state _unused_)
{
	static const uint64_t values[] = {0,	      1,
					  0x7fffffff, 0xffffffff,
					  0x80008,    FAKE_IMAGE_VADDR + 8,
					  UINT64_MAX, FAKE_IMAGE_VADDR + FAKE_IMAGE_HEAP};
	static const int kinds[] = {FAKE_CE_25, FAKE_ORACLE_23, FAKE_CE_22, FAKE_CE_19, FAKE_RC};

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct fake_image f;
		struct opened o;

		fake_image_make(&f, kinds[k]);
		open_heap(&f, &o);
		for (size_t pos = 0; pos + 8 <= 2048; pos += 8) {
			uint64_t was, v = values[pos / 8 % ARRAY_SIZE(values)];

			memcpy(&was, o.h.bytes + pos, 8);
			memcpy(o.h.bytes + pos, &v, 8);
			read_everything(&o.h, 2048);
			memcpy(o.h.bytes + pos, &was, 8);
		}
		assert_int_equal(image_heap_drop_copy(&o.h, &o.f), 0);
		for (size_t pos = 0; pos + 8 <= 512; pos += 8) {
			assert_int_equal(pwrite(o.fd, &values[pos / 8 % ARRAY_SIZE(values)], 8,
						(off_t)(o.h.offset + pos)),
					 8);
			read_everything(&o.h, 512);
		}
		close_heap(&o);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(image_heap_open_all_layouts),
		cmocka_unit_test(image_heap_open_constants_elsewhere),
		cmocka_unit_test(image_heap_open_other_layout),
		cmocka_unit_test(image_heap_string_wide),
		cmocka_unit_test(image_heap_string_long),
		cmocka_unit_test(image_heap_string_small_buffer),
		cmocka_unit_test(image_heap_objects_all_layouts),
		cmocka_unit_test(image_heap_class_of_word_flags),
		cmocka_unit_test(image_heap_drop_copy_same_answers),
		cmocka_unit_test(image_heap_drop_copy_file),
		cmocka_unit_test(image_heap_drop_copy_no_file),
		cmocka_unit_test(image_heap_drop_copy_cut_file),
		cmocka_unit_test(image_heap_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
