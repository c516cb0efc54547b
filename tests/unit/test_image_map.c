// SPDX-License-Identifier: MIT
/* test_image_map.c - methods of native images that were made up here. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/stat.h>

#include "lib/fake_image.h"
#include "runtime/image/image_map.h"

static int read_map(const struct fake_image *f, struct image_map *m)
{
	int fd = fake_image_fd(f), err = image_map_read(fd, m);

	close(fd);
	return err;
}

static void expect_refused(const struct fake_image *f)
{
	struct image_map m = {0};

	assert_int_equal(read_map(f, &m), -ENOENT);
}

static void expect_method(const struct image_map *m, uint32_t i)
{
	const struct image_method *x = &m->methods[i];
	char klass[32], name[32];

	snprintf(klass, sizeof(klass), "pkg.Class%u", i % FAKE_IMAGE_CLASSES);
	snprintf(name, sizeof(name), "method%u", i);
	assert_string_equal(image_text(m, x->klass), klass);
	assert_string_equal(image_text(m, x->name), name);
	assert_int_equal(x->entry, FAKE_IMAGE_CODE + i * FAKE_IMAGE_STEP);
	assert_int_equal(x->end, x->entry + FAKE_IMAGE_STEP);
	assert_int_equal(x->overloads, 1);
}

/* Every method of every layout we know has its name, its start and its end. */
static void image_map_read_all_layouts(void **state _unused_)
{
	struct fake_image f;
	struct image_map m;

	for (int kind = 0; kind < FAKE_IMAGE_KINDS; kind++) {
		fake_image_make(&f, kind);
		assert_int_equal(read_map(&f, &m), 0);
		assert_int_equal(m.names, NAMES_CODE_INFO);
		assert_int_equal(m.n, FAKE_IMAGE_METHODS);
		assert_int_equal(m.starts, FAKE_IMAGE_METHODS);
		for (uint32_t i = 0; i < m.n; i++)
			expect_method(&m, i);
		image_map_fini(&m);
	}
}

/* Methods that share class and name are counted, so that nobody takes one for the other. */
static void image_map_read_overloads(void **state _unused_)
{
	struct fake_image f;
	struct image_map m;

	fake_image_make(&f, FAKE_CE_25);
	memcpy(f.heap + f.methods + 6 * 4, f.heap + f.methods + 1 * 4, 4);
	memcpy(f.heap + f.methods + 11 * 4, f.heap + f.methods + 1 * 4, 4);
	assert_int_equal(read_map(&f, &m), 0);
	assert_int_equal(m.methods[1].overloads, 3);
	assert_int_equal(m.methods[6].overloads, 3);
	assert_int_equal(m.methods[11].overloads, 3);
	assert_int_equal(m.methods[2].overloads, 1);
	image_map_fini(&m);
}

/* An address in the middle of a method belongs to it, one outside to none. */
static void image_map_at_edges(void **state _unused_)
{
	struct fake_image f;
	struct image_map m;

	fake_image_make(&f, FAKE_CE_25);
	assert_int_equal(read_map(&f, &m), 0);
	assert_null(image_map_at(&m, FAKE_IMAGE_CODE - 1));
	assert_ptr_equal(image_map_at(&m, FAKE_IMAGE_CODE), &m.methods[0]);
	assert_ptr_equal(image_map_at(&m, FAKE_IMAGE_CODE + FAKE_IMAGE_STEP - 1), &m.methods[0]);
	assert_ptr_equal(image_map_at(&m, FAKE_IMAGE_CODE + FAKE_IMAGE_STEP), &m.methods[1]);
	assert_null(image_map_at(&m, m.methods[m.n - 1].end));
	image_map_fini(&m);
}

/* A table with a byte left over or missing has another form than we think: no name is told. */
static void image_map_read_inexact_table(void **state _unused_)
{
	for (int kind = 0; kind < FAKE_IMAGE_KINDS; kind++) {
		for (int by = -1; by <= 1; by += 2) {
			struct fake_image f;
			size_t len_at;

			fake_image_make(&f, kind);
			len_at = f.encodings - (kind == FAKE_CE_20 ? 8 : 4);
			assert_int_equal(f.heap[len_at], f.encodings_len & 0xff);
			f.heap[len_at] += by;
			expect_refused(&f);
		}
	}
}

/* An index that leads elsewhere than to the entries is no index of them. */
static void image_map_read_wrong_index(void **state _unused_)
{
	struct fake_image f;

	fake_image_make(&f, FAKE_CE_25);
	f.heap[f.index + 4]++;
	expect_refused(&f);
}

/* A method does not start in the middle of 16 bytes; a table that says so is misread. */
static void image_map_read_unaligned_start(void **state _unused_)
{
	struct fake_image f;

	fake_image_make(&f, FAKE_CE_25);
	f.heap[f.encodings + f.entry_of[3] + 1]++;
	expect_refused(&f);
}

/* Two call sites of one method that are inlined into different ones: the frames are misread. */
static void image_map_read_contradicting_calls(void **state _unused_)
{
	struct fake_image f;

	fake_image_make(&f, FAKE_CE_20);
	/* The start of method 3 becomes a mere entry, so that its call site is method 2's. */
	f.heap[f.encodings + f.entry_of[3] + 2] = 16;
	expect_refused(&f);
}

/* A method id, class or name beyond its table is refused, in each place it can come from. */
static void image_map_read_index_outside(void **state _unused_)
{
	struct fake_image f;

	fake_image_make(&f, FAKE_CE_25);
	f.heap[f.frames + f.frame_of[2]] = FAKE_IMAGE_METHODS * 2;
	expect_refused(&f);
	fake_image_make(&f, FAKE_CE_25);
	f.heap[f.methods] = FAKE_IMAGE_CLASSES;
	expect_refused(&f);
	fake_image_make(&f, FAKE_ORACLE_21);
	f.heap[f.frames + f.frame_of[2]] = FAKE_IMAGE_CLASSES * 2;
	expect_refused(&f);
	fake_image_make(&f, FAKE_CE_20);
	f.heap[f.frames + f.frame_of[2] + 1] = FAKE_IMAGE_CLASSES * 2;
	expect_refused(&f);
	fake_image_make(&f, FAKE_CE_22);
	f.heap[f.frames + f.frame_of[2] + 1] = FAKE_IMAGE_METHODS * 2;
	expect_refused(&f);
}

/* A frame outside the table of frames is refused. */
static void image_map_read_frame_outside(void **state _unused_)
{
	struct fake_image f;

	for (int kind = 0; kind < FAKE_IMAGE_KINDS; kind++) {
		size_t at;

		fake_image_make(&f, kind);
		at = f.encodings + f.entry_of[1] + (kind < FAKE_CE_22 ? 3 : 3 + 2);
		memset(f.heap + at, 0xff, 4);
		expect_refused(&f);
	}
}

/* Frames that lead to each other in a circle come to an end. */
static void image_map_read_circular_frames(void **state _unused_)
{
	struct fake_image f;
	uint8_t *p;

	fake_image_make(&f, FAKE_CE_22);
	p = f.heap + f.frames + f.frame_of[0];
	p[0] = 0; /* class 0 */
	p[1] = 1; /* name 0, and its only caller: */
	p[2] = 4; /* not the last frame */
	p[3] = 0; /* itself */
	expect_refused(&f);
}

/* Of two objects that look like the one we want neither is believed. */
static void image_map_read_two_tables(void **state _unused_)
{
	struct fake_image f;

	fake_image_make(&f, FAKE_CE_25);
	memcpy(f.heap + f.len, f.heap + f.info - 40, 128);
	f.len += 128;
	expect_refused(&f);
}

/* Code that lies outside every executable segment is no code. */
static void image_map_read_code_outside(void **state _unused_)
{
	struct fake_image f;

	fake_image_make(&f, FAKE_CE_25);
	f.heap[f.info - 40 + 8 + 2] ^= 0x10;
	expect_refused(&f);
}

/* A class whose name is no String is a wrong layout, not a method without a name. */
static void image_map_read_nameless_class(void **state _unused_)
{
	struct fake_image f;

	fake_image_make(&f, FAKE_CE_25);
	memset(f.heap + f.classes, 0, 8);
	expect_refused(&f);
}

/* Where texts are char[] the tables are not read, whatever they hold; names are for symbols to say.
 */
static void image_map_read_java8(void **state _unused_)
{
	struct fake_image f;

	for (int kind = FAKE_CE_19; kind < FAKE_HEAP_KINDS; kind++) {
		fake_image_make(&f, kind);
		expect_refused(&f);
	}
}

/* A file that was cut anywhere is an error, and nothing is read outside of it. */
static void image_map_read_cut_file(void **state _unused_)
{
	struct fake_image f;
	struct image_map m;

	for (int kind = 0; kind < FAKE_HEAP_KINDS; kind++) {
		int fd;
		struct stat st;

		fake_image_make(&f, kind);
		fd = fake_image_fd(&f);
		assert_int_equal(fstat(fd, &st), 0);
		for (off_t len = st.st_size - 1; len >= 0; len -= 97) {
			assert_int_equal(ftruncate(fd, len), 0);
			assert_true(image_map_read(fd, &m) < 0);
		}
		close(fd);
	}
}

/* Garbage in any word of the heap never makes us read or write outside it. */
static void image_map_read_garbage(void **state _unused_)
{
	static const uint64_t values[] = {0, 1, 0x7fffffff, 0xffffffff, 0x80008, UINT64_MAX};
	struct fake_image f, g;

	for (int kind = 0; kind < FAKE_HEAP_KINDS; kind++) {
		fake_image_make(&f, kind);
		for (size_t pos = 0; pos + 8 <= f.len; pos += 8) {
			struct image_map m;

			g = f;
			memcpy(g.heap + pos, &values[pos / 8 % ARRAY_SIZE(values)], 8);
			if (!read_map(&g, &m))
				image_map_fini(&m);
		}
	}
}

/* A section that claims more than any heap has is refused before memory is taken for it. */
static void image_map_read_huge_heap(void **state _unused_)
{
	static const uint8_t byte;
	struct image_map m;
	struct fake_elf e;
	size_t i;
	int fd;

	fake_elf_init(&e);
	i = fake_elf_add(&e, ".svm_heap", SHT_PROGBITS, &byte, 1);
	e.sh[i].sh_size = 1ull << 40;
	fd = fake_elf_fd(&e);
	assert_int_equal(ftruncate(fd, (off_t)1 << 41), 0);
	assert_int_equal(image_map_read(fd, &m), -ENOENT);
	close(fd);
	fake_elf_fini(&e);
}

/* --- symbols ---------------------------------------------------------------------------------- */

#define DIGEST_A "eb9d39cc49ab25a7f4e8d2e6dfcd4b4e2a9fcd10"
#define DIGEST_B "0123456789abcdef0123456789abcdef01234567"

static int read_symbols(const char *const names[], size_t n, uint32_t type, struct image_map *m)
{
	struct fake_syms syms = {0};
	struct fake_elf e;
	int fd, err;

	fake_elf_init(&e);
	for (size_t i = 0; i < n; i++)
		fake_sym(&syms, names[i], STT_FUNC, 1, 0x1000 + 16 * i);
	fake_elf_add_syms(&e, ".symtab", type, &syms);
	fd = fake_elf_fd(&e);
	err = image_map_read(fd, m);
	close(fd);
	fake_syms_fini(&syms);
	fake_elf_fini(&e);
	return err;
}

/* Symbols of every era become class and name; what is no Java method is left out. */
static void image_map_read_symbols(void **state _unused_)
{
	static const char *const names[] = {
		"com.shop.Cart.add(int,java.lang.String)void",
		"Cart_add_" DIGEST_A,
		"memcpy",
		"Outer$Inner_constructor_" DIGEST_B,
		"Cart_add_cXbfAhOWcF90761nQYco7L",
		"IsolateEnterStub__Main__run__cXbfAhOWcF90761nQYco7L",
	};
	struct image_map m;

	assert_int_equal(read_symbols(names, ARRAY_SIZE(names), SHT_SYMTAB, &m), 0);
	assert_int_equal(m.names, NAMES_SYMTAB);
	assert_int_equal(m.n, 4);
	assert_string_equal(image_text(&m, m.methods[0].klass), "com.shop.Cart");
	assert_string_equal(image_text(&m, m.methods[0].name), "add");
	assert_string_equal(image_text(&m, m.methods[0].desc), "(ILjava/lang/String;)V");
	assert_string_equal(image_text(&m, m.methods[1].klass), "Cart");
	assert_string_equal(image_text(&m, m.methods[1].symbol), names[1]);
	assert_int_equal(m.methods[1].overloads, 2);
	assert_int_equal(m.methods[1].flags, METHOD_SIMPLE);
	assert_string_equal(image_text(&m, m.methods[2].klass), "Outer$Inner");
	assert_string_equal(image_text(&m, m.methods[2].name), "<init>");
	assert_string_equal(image_text(&m, m.methods[3].name), "add");
	image_map_fini(&m);
}

/* Where an underscore may belong to class or method, a class that is known decides. */
static void image_map_read_underscores(void **state _unused_)
{
	static const char *const names[] = {
		"AutoValue_Foo_bar_" DIGEST_A,
		"AutoValue_Foo_constructor_" DIGEST_B,
		"Plain_do_it_" DIGEST_A,
		"Plain_run_" DIGEST_B,
	};
	static const char *const want[][2] = {
		{"AutoValue_Foo", "bar"},
		{"AutoValue_Foo", "<init>"},
		{"Plain", "do_it"},
		{"Plain", "run"},
	};
	struct image_map m;

	assert_int_equal(read_symbols(names, ARRAY_SIZE(names), SHT_SYMTAB, &m), 0);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_string_equal(image_text(&m, m.methods[i].klass), want[i][0]);
		assert_string_equal(image_text(&m, m.methods[i].name), want[i][1]);
	}
	image_map_fini(&m);
}

/* With nothing but exports these are told, as what they are. */
static void image_map_read_exports(void **state _unused_)
{
	static const char *const names[] = {"graal_create_isolate", "run_it"};
	struct image_map m;

	assert_int_equal(read_symbols(names, ARRAY_SIZE(names), SHT_DYNSYM, &m), 0);
	assert_int_equal(m.names, NAMES_EXPORTS);
	assert_int_equal(m.n, 2);
	assert_string_equal(image_text(&m, m.methods[0].klass), "");
	assert_string_equal(image_text(&m, m.methods[1].name), "run_it");
	image_map_fini(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(image_map_read_all_layouts),
		cmocka_unit_test(image_map_read_overloads),
		cmocka_unit_test(image_map_at_edges),
		cmocka_unit_test(image_map_read_inexact_table),
		cmocka_unit_test(image_map_read_wrong_index),
		cmocka_unit_test(image_map_read_unaligned_start),
		cmocka_unit_test(image_map_read_contradicting_calls),
		cmocka_unit_test(image_map_read_index_outside),
		cmocka_unit_test(image_map_read_frame_outside),
		cmocka_unit_test(image_map_read_circular_frames),
		cmocka_unit_test(image_map_read_two_tables),
		cmocka_unit_test(image_map_read_code_outside),
		cmocka_unit_test(image_map_read_nameless_class),
		cmocka_unit_test(image_map_read_java8),
		cmocka_unit_test(image_map_read_cut_file),
		cmocka_unit_test(image_map_read_garbage),
		cmocka_unit_test(image_map_read_huge_heap),
		cmocka_unit_test(image_map_read_symbols),
		cmocka_unit_test(image_map_read_underscores),
		cmocka_unit_test(image_map_read_exports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
