// SPDX-License-Identifier: MIT
/* Classes: from the word in a header to a name, and where their instances keep fields. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/fake_jvm.h"
#include "runtime/hotspot/fieldinfo.h"
#include "runtime/hotspot/klass.h"

struct fixture {
	struct fake_jvm j;
	struct vmstructs *vs;
	struct layout l;
	struct strpool *strings;
};

static struct fixture *make(int jdk)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fake_jvm_init(&f->j, jdk);
	assert_int_equal(fake_jvm_read(&f->j, &f->vs, &f->l), 0);
	f->strings = strpool_new();
	assert_non_null(f->strings);
	return f;
}

static void drop(struct fixture *f)
{
	strpool_free(f->strings);
	layout_fini(&f->l);
	vmstructs_free(f->vs);
	fake_jvm_fini(&f->j);
	free(f);
}

static int name_of(struct fixture *f, uint64_t klass, const char **ret)
{
	*ret = NULL;
	return klass_name(&f->j.t.mem, &f->l, klass, f->strings, ret);
}

static void check_external_of(const char *internal, bool hidden, const char *want)
{
	char buf[64];

	assert_int_equal(klass_external_name(internal, strlen(internal), hidden, buf, sizeof(buf)),
			 strlen(want));
	assert_string_equal(buf, want);
}

static void check_external(const char *internal, const char *want)
{
	check_external_of(internal, false, want);
}

/* Class file names become what Java code says. */
static void external_name(void **state _unused_)
{
	check_external("Busy", "Busy");
	check_external("java/lang/String", "java.lang.String");
	check_external("com/shop/Outer$Inner", "com.shop.Outer$Inner");
	check_external("[I", "int[]");
	check_external("[[Z", "boolean[][]");
	check_external("[Ljava/lang/Object;", "java.lang.Object[]");
	check_external("[[[Ljava/lang/String;", "java.lang.String[][][]");
}

/* Java names a hidden class with a slash for the last plus; pluses of others stay. */
static void external_name_hidden(void **state _unused_)
{
	check_external_of("a/B$$Lambda$34+0x800000045", true, "a.B$$Lambda$34/0x800000045");
	check_external_of("a/B+C+0x00007f0a4c003000", true, "a.B+C/0x00007f0a4c003000");
	check_external_of("[LB$$Lambda+0xab;", true, "B$$Lambda/0xab[]");
	check_external("B$$Lambda+0x00007f0a4c003000", "B$$Lambda+0x00007f0a4c003000");
	check_external("C+D", "C+D");
}

/* What is no class name is 0; what does not fit is cut and its full length told. */
static void external_name_limits(void **state _unused_)
{
	static const char *const bad[] = {"",	"[", "[[", "[V", "[X", "[L;", "[Ljava/lang/String",
					  "[II"};
	char buf[8], deep[300];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		strcpy(buf, "before");
		assert_int_equal(
			klass_external_name(bad[i], strlen(bad[i]), false, buf, sizeof(buf)), 0);
		assert_string_equal(buf, "");
	}
	assert_int_equal(klass_external_name("java/lang/String", 16, false, buf, sizeof(buf)), 16);
	assert_string_equal(buf, "java.la");
	assert_int_equal(klass_external_name("java/lang/String", 16, false, NULL, 0), 16);
	memset(deep, '[', sizeof(deep));
	deep[255] = 'I';
	assert_int_equal(klass_external_name(deep, 256, false, NULL, 0), 3 + 2 * 255);
	deep[255] = '[';
	deep[256] = 'I';
	assert_int_equal(klass_external_name(deep, 257, false, NULL, 0), 0);
}

/* A class is found by its wide pointer, its narrow one, and the one in the mark. */
static void from_word(void **state _unused_)
{
	struct layout l = {.klass_word = KLASS_WIDE};

	assert_int_equal(klass_from_word(&l, 0x7f0012345678), 0x7f0012345678);
	l.klass_word = KLASS_NARROW;
	l.narrow_klass_base = 0x7f0000000000;
	assert_int_equal(klass_from_word(&l, 0xdeadbeef00001230), 0x7f0000001230);
	l.narrow_klass_shift = 3;
	assert_int_equal(klass_from_word(&l, 0xffffffff), 0x7f0000000000 + (0xffffffffULL << 3));
	l.klass_word = KLASS_IN_MARK;
	l.klass_mark_shift = 42;
	l.narrow_klass_shift = 10;
	assert_int_equal(klass_from_word(&l, 5ULL << 42 | 0x3ff00000001),
			 0x7f0000000000 + (5 << 10));
	/* locked by a monitor: the class is still there */
	assert_int_equal(klass_from_word(&l, 5ULL << 42 | 2), 0x7f0000000000 + (5 << 10));
}

/* Null, unaligned, beyond user space, forwarded: 0. */
static void from_word_that_is_none(void **state _unused_)
{
	struct layout l = {.klass_word = KLASS_WIDE};

	assert_int_equal(klass_from_word(&l, 0), 0);
	assert_int_equal(klass_from_word(&l, 0x7f0012345671), 0);
	assert_int_equal(klass_from_word(&l, 0xffff800000000000), 0);
	l.klass_word = KLASS_NARROW;
	l.narrow_klass_base = 0x7f0000000000;
	assert_int_equal(klass_from_word(&l, 0xffffffff00000000), 0);
	assert_int_equal(klass_from_word(&l, 4), 0);
	l.narrow_klass_base = UINT64_MAX - 7;
	assert_int_equal(klass_from_word(&l, 0x10), 0);
	l.klass_word = KLASS_IN_MARK;
	l.narrow_klass_base = 0x7f0000000000;
	l.klass_mark_shift = 42;
	assert_int_equal(klass_from_word(&l, 1), 0);
	assert_int_equal(klass_from_word(&l, 5ULL << 42 | 3), 0);
}

/* Names come out of Symbols, each once, on every JDK. */
static void name_read(void **state _unused_)
{
	static const int jdks[] = {17, 21, 25};
	const char *a, *b;

	for (size_t i = 0; i < ARRAY_SIZE(jdks); i++) {
		struct fixture *f = make(jdks[i]);
		assert_int_equal(name_of(f, f->j.string_klass, &a), 0);
		assert_string_equal(a, "java.lang.String");
		assert_int_equal(name_of(f, f->j.string_klass, &b), 0);
		assert_ptr_equal(a, b);
		uint64_t array = fake_klass(&f->j, "[[Lcom/shop/Cart;", f->j.object_klass, NULL, 0);
		assert_int_equal(name_of(f, array, &a), 0);
		assert_string_equal(a, "com.shop.Cart[][]");
		drop(f);
	}
}

/* @name is what the class at @klass is called inside. */
static void check_hidden(struct fixture *f, uint64_t klass, const char *name, const char *want)
{
	const char *got;

	fake_put64(&f->j.t, klass + FK_KLASS_NAME, fake_symbol_text(&f->j, name, strlen(name)));
	assert_int_equal(name_of(f, klass, &got), 0);
	assert_string_equal(got, want);
}

/*
 * The class itself says whether it is hidden: its address is in its name; or, where it comes from
 * an archive, its flags say so (to JDK 23), or where it lies. A class may look so and not be it.
 */
static void name_of_hidden(void **state _unused_)
{
	static const int jdks[] = {17, 21, 25};

	for (size_t i = 0; i < ARRAY_SIZE(jdks); i++) {
		struct fixture *f = make(jdks[i]);
		uint64_t k = fake_klass(&f->j, "p/A", f->j.object_klass, NULL, 0);
		uint64_t array = fake_klass(&f->j, "[Lp/A;", f->j.object_klass, NULL, 0);
		char name[64], want[64];

		fake_put64(&f->j.t, array + FK_KLASS_BOTTOM, k);
		check_hidden(f, k, "p/A+0x00007f", "p.A+0x00007f");
		check_hidden(f, k, "p/A+0x00007f0a4c003000", "p.A+0x00007f0a4c003000");
		check_hidden(f, array, "[Lp/A+0x00007f;", "p.A+0x00007f[]");
		snprintf(name, sizeof(name), "p/A+B+0x%016" PRIx64, k);
		snprintf(want, sizeof(want), "p.A+B/0x%016" PRIx64, k);
		check_hidden(f, k, name, want);
		snprintf(name, sizeof(name), "[[Lp/A+B+0x%016" PRIx64 ";", k);
		snprintf(want, sizeof(want), "p.A+B/0x%016" PRIx64 "[][]", k);
		check_hidden(f, array, name, want);
		if (jdks[i] < 24) {
			fake_put32(&f->j.t, k + FK_KLASS_FLAGS, 0x04001030);
		} else {
			fake_put64(&f->j.t, f->j.shared_base, k & ~0xfffULL);
			fake_put64(&f->j.t, f->j.shared_top, k + 8);
		}
		check_hidden(f, k, "p/A$$Lambda+0x800000045", "p.A$$Lambda/0x800000045");
		check_hidden(f, array, "[Lp/A+0xab;", "p.A/0xab[]");
		check_hidden(f, k, "p/A+0x", "p.A+0x");
		check_hidden(f, k, "+0x12", "+0x12");
		check_hidden(f, k, "C+0x0123456789abcdef0", "C+0x0123456789abcdef0");
		drop(f);
	}
}

/* A character beyond U+FFFF, two surrogates in a class file, is one in UTF-8. */
static void name_with_surrogates(void **state _unused_)
{
	struct fixture *f = make(25);
	const char *name;

	/* U+1D49C; then a lone high surrogate, which stays as it is */
	uint64_t k =
		fake_klass(&f->j, "a/\xed\xa0\xb5\xed\xb2\x9c\xc3\xa9", f->j.object_klass, NULL, 0);
	assert_int_equal(name_of(f, k, &name), 0);
	assert_string_equal(name, "a.\xf0\x9d\x92\x9c\xc3\xa9");
	k = fake_klass(&f->j, "a/\xed\xa0\xb5Z", f->j.object_klass, NULL, 0);
	assert_int_equal(name_of(f, k, &name), 0);
	assert_string_equal(name, "a.\xed\xa0\xb5Z");
	drop(f);
}

/* The longest name a class file can hold is read whole. */
static void name_of_65535_bytes(void **state _unused_)
{
	struct fixture *f = make(17);
	char *text = malloc(KLASS_NAME_MAX);
	const char *name;

	memset(text, 'n', KLASS_NAME_MAX);
	uint64_t symbol = fake_symbol_text(&f->j, text, KLASS_NAME_MAX);
	fake_put64(&f->j.t, f->j.thread_klass + FK_KLASS_NAME, symbol);
	assert_int_equal(name_of(f, f->j.thread_klass, &name), 0);
	assert_int_equal(strlen(name), KLASS_NAME_MAX);
	free(text);
	drop(f);
}

/* An interface, and a class nine deep, cannot be checked against themselves and are believed. */
static void name_of_unchecked_class(void **state _unused_)
{
	struct fixture *f = make(25);
	const char *name;

	fake_put32(&f->j.t, f->j.string_klass + FK_KLASS_CHECK, FK_KLASS_SECONDARY);
	assert_int_equal(name_of(f, f->j.string_klass, &name), 0);
	drop(f);
}

/* What is no class is not named: pointers to anywhere, structures that contradict themselves. */
static void name_of_no_class(void **state _unused_)
{
	struct fixture *f = make(17);
	struct fake_target *t = &f->j.t;
	uint64_t k = f->j.string_klass;
	const char *name;

	assert_int_equal(name_of(f, 0, &name), -EPROTO);
	assert_int_equal(name_of(f, k + 4, &name), -EPROTO);
	assert_int_equal(name_of(f, 0x1000, &name), -EFAULT);
	assert_int_equal(name_of(f, UINT64_MAX - 7, &name), -EFAULT);
	assert_int_equal(name_of(f, k + 8, &name), -EPROTO);
	fake_put32(t, k + FK_KLASS_CHECK, FK_KLASS_PRIMARY + 64);
	assert_int_equal(name_of(f, k, &name), -EPROTO);
	fake_put32(t, k + FK_KLASS_CHECK, 0xfffffff8);
	assert_int_equal(name_of(f, k, &name), -EPROTO);
	fake_put64(t, k + FK_KLASS_PRIMARY + 20, k);
	fake_put32(t, k + FK_KLASS_CHECK, FK_KLASS_PRIMARY + 20);
	assert_int_equal(name_of(f, k, &name), -EPROTO);
	fake_put32(t, k + FK_KLASS_CHECK, FK_KLASS_PRIMARY + 8);
	assert_int_equal(name_of(f, k, &name), 0);
	fake_put64(t, k + FK_KLASS_PRIMARY + 8, f->j.object_klass);
	assert_int_equal(name_of(f, k, &name), -EPROTO);
	drop(f);
}

/* A Symbol that is empty, holds a NUL, runs out of memory or is no class name is refused. */
static void name_that_is_none(void **state _unused_)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = {{"", 0}, {"a\0b", 3}, {"a;b", 3}, {"a[b", 3}, {"[", 1}, {"[Q", 2}};
	struct fixture *f = make(25);
	uint64_t at = f->j.string_klass + FK_KLASS_NAME;
	const char *name;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fake_put64(&f->j.t, at, fake_symbol_text(&f->j, bad[i].text, bad[i].len));
		assert_int_equal(name_of(f, f->j.string_klass, &name), -EPROTO);
		assert_null(name);
	}
	struct fake_region *r = fake_map(&f->j.t, 0x5000, 16);
	fake_put16(&f->j.t, r->addr + FK_SYMBOL_LENGTH, 11);
	fake_put64(&f->j.t, at, r->addr);
	assert_int_equal(name_of(f, f->j.string_klass, &name), -EFAULT);
	fake_put64(&f->j.t, at, UINT64_MAX - 3);
	assert_int_equal(name_of(f, f->j.string_klass, &name), -EFAULT);
	drop(f);
}

static int field_of(struct fixture *f, uint64_t klass, const char *name, const char *desc,
		    uint32_t *ret)
{
	return fieldinfo_offset(&f->j.t.mem, &f->l, klass, name, desc, ret);
}

/* An instance field is found by name and type, in the class or above it. */
static void field_offset(void **state _unused_)
{
	static const int jdks[] = {17, 21, 25};
	static const struct fake_jfield base[] = {{"count", "I", 0, 12, false},
						  {"far", "J", 1, 300000, true},
						  {"static", "I", 8, 40, false}};
	static const struct fake_jfield sub[] = {{"count", "J", 0, 16, true},
						 {"items", "[Ljava/lang/Object;", 2, 24, true}};
	uint32_t off;

	for (size_t i = 0; i < ARRAY_SIZE(jdks); i++) {
		struct fixture *f = make(jdks[i]);
		uint64_t b = fake_klass(&f->j, "Base", f->j.object_klass, base, ARRAY_SIZE(base));
		uint64_t s = fake_klass(&f->j, "Sub", b, sub, ARRAY_SIZE(sub));
		assert_int_equal(field_of(f, s, "count", "J", &off), 0);
		assert_int_equal(off, 16);
		assert_int_equal(field_of(f, s, "count", "I", &off), 0);
		assert_int_equal(off, 12);
		assert_int_equal(field_of(f, s, "items", "[Ljava/lang/Object;", &off), 0);
		assert_int_equal(off, 24);
		assert_int_equal(field_of(f, s, "far", "J", &off), 0);
		assert_int_equal(off, 300000);
		off = 7;
		assert_int_equal(field_of(f, s, "static", "I", &off), -ENOENT);
		assert_int_equal(field_of(f, s, "coun", "I", &off), -ENOENT);
		assert_int_equal(field_of(f, b, "items", "[Ljava/lang/Object;", &off), -ENOENT);
		assert_int_equal(off, 7);
		drop(f);
	}
}

/* A class that is its own ancestor ends the search. */
static void field_of_cyclic_supers(void **state _unused_)
{
	struct fixture *f = make(25);
	uint32_t off;

	fake_put64(&f->j.t, f->j.object_klass + FK_KLASS_SUPER, f->j.string_klass);
	assert_int_equal(field_of(f, f->j.string_klass, "nothing", "I", &off), -EPROTO);
	drop(f);
}

static uint64_t get64(struct fixture *f, uint64_t addr)
{
	uint64_t v;

	memcpy(&v, fake_at(&f->j.t, addr, 8), 8);
	return v;
}

/* Lengths, indices and offsets that lie are refused, in both forms of the record. */
static void field_records_that_lie(void **state _unused_)
{
	static const int jdks[] = {17, 25};
	uint32_t off;

	for (size_t i = 0; i < ARRAY_SIZE(jdks); i++) {
		for (int lie = 0; lie < 6; lie++) {
			struct fixture *f = make(jdks[i]);
			struct fake_target *t = &f->j.t;
			uint64_t k = f->j.string_klass;
			uint64_t fields = get64(f, k + FK_KLASS_FIELDS);
			uint64_t pool = get64(f, k + FK_KLASS_POOL);
			int want = -EPROTO;
			switch (lie) {
			case 0: /* four thousand million entries */
				fake_put32(t, fields, 0xffffffff);
				break;
			case 1: /* none at all, where there must be a count */
				fake_put32(t, fields, 0);
				break;
			case 2: /* no record */
				fake_put64(t, k + FK_KLASS_FIELDS, 0);
				break;
			case 3: /* a constant pool of negative length */
				fake_put32(t, pool + FK_POOL_LENGTH, 0x80000001);
				break;
			case 4: /* one that is shorter than its indices */
				fake_put32(t, pool + FK_POOL_LENGTH, 2);
				break;
			case 5: /* its slots point nowhere */
				memset(fake_at(t, pool + FK_POOL_SIZE, 80), 0x11, 80);
				want = -EFAULT;
				break;
			}
			assert_int_equal(field_of(f, k, "coder", "B", &off), want);
			drop(f);
		}
	}
}

/* JDK 17: more fields than the array holds, and a field whose offset was never set. */
static void field_array_that_lies(void **state _unused_)
{
	struct fixture *f = make(17);
	uint64_t k = f->j.string_klass, fields = get64(f, k + FK_KLASS_FIELDS);
	uint32_t off;

	fake_put16(&f->j.t, fields + 4 + 3 * 12 + 8, 16 << 2);
	assert_int_equal(field_of(f, k, "coder", "B", &off), -EPROTO);
	fake_put16(&f->j.t, k + FK_KLASS_FIELD_COUNT, 5);
	assert_int_equal(field_of(f, k, "value", "[B", &off), -EPROTO);
	drop(f);
}

/* JDK 21+: a stream with a zero byte, one that ends inside a number, one that counts too many. */
static void field_stream_that_lies(void **state _unused_)
{
	struct fixture *f = make(25);
	uint64_t k = f->j.string_klass, fields = get64(f, k + FK_KLASS_FIELDS);
	struct fake_target *t = &f->j.t;
	uint32_t off, len;

	memcpy(&len, fake_at(t, fields, 4), 4);
	for (uint32_t cut = 1; cut < len - 2; cut++) {
		fake_put32(t, fields, cut);
		int err = field_of(f, k, "nothing", "I", &off);
		assert_int_equal(err, -EPROTO);
	}
	fake_put32(t, fields, len);
	fake_put8(t, fields + 4, 1 + 190); /* 190 fields */
	assert_int_equal(field_of(f, k, "nothing", "I", &off), -EPROTO);
	fake_put8(t, fields + 4, 0);
	assert_int_equal(field_of(f, k, "coder", "B", &off), -EPROTO);
	memset(fake_at(t, fields + 4, len), 0xff, len);
	assert_int_equal(field_of(f, k, "coder", "B", &off), -EPROTO);
	drop(f);
}

/* An offset that no instance is large enough for is refused. */
static void field_beyond_any_instance(void **state _unused_)
{
	static const struct fake_jfield fields[] = {{"x", "I", 0, 1u << 28, false}};
	static const int jdks[] = {17, 25};
	uint32_t off;

	for (size_t i = 0; i < ARRAY_SIZE(jdks); i++) {
		struct fixture *f = make(jdks[i]);
		uint64_t k = fake_klass(&f->j, "Huge", f->j.object_klass, fields, 1);
		assert_int_equal(field_of(f, k, "x", "I", &off), -EPROTO);
		drop(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(external_name),
		cmocka_unit_test(external_name_hidden),
		cmocka_unit_test(external_name_limits),
		cmocka_unit_test(from_word),
		cmocka_unit_test(from_word_that_is_none),
		cmocka_unit_test(name_read),
		cmocka_unit_test(name_of_hidden),
		cmocka_unit_test(name_with_surrogates),
		cmocka_unit_test(name_of_65535_bytes),
		cmocka_unit_test(name_of_unchecked_class),
		cmocka_unit_test(name_of_no_class),
		cmocka_unit_test(name_that_is_none),
		cmocka_unit_test(field_offset),
		cmocka_unit_test(field_of_cyclic_supers),
		cmocka_unit_test(field_records_that_lie),
		cmocka_unit_test(field_array_that_lies),
		cmocka_unit_test(field_stream_that_lies),
		cmocka_unit_test(field_beyond_any_instance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
