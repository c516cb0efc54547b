// SPDX-License-Identifier: MIT
/* Names in the symbols of native images, and the digests in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/image/image_names.h"
#include "base/sha1.h"

/* The examples of FIPS 180 and the lengths around a block's end. */
static void sha1_known_answers(void **state _unused_)
{
	static const struct {
		const char *text, *hex;
	} cases[] = {
		{"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
		{"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		 "0098ba824b5c16427bd7a1122a5a442a25ec644d"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		 "c1c8bbdc22796e28c0e15163d20899b65621d65a"},
	};
	char hex[SHA1_HEX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		sha1_hex(cases[i].text, strlen(cases[i].text), hex);
		assert_string_equal(hex, cases[i].hex);
	}
}

/* The digest of a signature is the one in a real image's symbol (closure-compiler 20200614). */
static void image_digest_real(void **state _unused_)
{
	static const struct {
		const char *klass, *name, *params, *ret, *digest;
	} cases[] = {
		{"com.google.javascript.jscomp.CommandLineRunner", "main", "java.lang.String[]",
		 "void", "eb9d39cc49ab25a7f4e8d2e6dfcd4b4e2a9fcd10"},
		{"com.google.javascript.jscomp.CommandLineRunner", "createExterns",
		 "com.google.javascript.jscomp.CompilerOptions", "java.util.List",
		 "c23665d570d30239116bd528463c518d8161ee19"},
		{"java.lang.String", "<init>", "char[], int, int", "void",
		 "bea7661f4e328798935339561607b4a139be1527"},
		{"java.lang.String", "<init>", "byte[]", "void",
		 "e8b60651afbb56e2950025d9ce4ee4eeb8cc2f8e"},
	};
	char digest[41];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(image_digest(cases[i].klass, cases[i].name, cases[i].params,
					      strlen(cases[i].params), cases[i].ret, digest),
				 0);
		assert_string_equal(digest, cases[i].digest);
	}
}

/* Source types become a descriptor: primitives, classes, arrays, blanks. */
static void image_descriptor_types(void **state _unused_)
{
	static const struct {
		const char *params, *ret, *desc;
	} cases[] = {
		{"", "void", "()V"},
		{" ", "int", "()I"},
		{"boolean,byte,char,short,int,long,float,double", "void", "(ZBCSIJFD)V"},
		{"java.lang.String, int[][]", "a.B$C[]", "(Ljava/lang/String;[[I)[La/B$C;"},
		{"integer", "voids", "(Linteger;)Lvoids;"},
	};
	char desc[128];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(image_descriptor(cases[i].params, strlen(cases[i].params),
						  cases[i].ret, desc, sizeof(desc)),
				 0);
		assert_string_equal(desc, cases[i].desc);
	}
}

/* What is no list of types is refused, and so is what does not fit. */
static void image_descriptor_refused(void **state _unused_)
{
	static const char *const bad[] = {",",	     "int,", ",int", "void",
					  "int int", "[I",   "a;b",  "[]"};
	char desc[128], params[1024] = "";

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(
			image_descriptor(bad[i], strlen(bad[i]), "void", desc, sizeof(desc)),
			-EINVAL);
	assert_int_equal(image_descriptor("", 0, "", desc, sizeof(desc)), -EINVAL);
	assert_int_equal(image_descriptor("", 0, "int,int", desc, sizeof(desc)), -EINVAL);
	assert_int_equal(image_descriptor("", 0, "void", desc, 3), -EINVAL);
	assert_int_equal(image_descriptor("", 0, "void", desc, 4), 0);
	strcpy(params, "int");
	for (int i = 0; i < 256; i++)
		strcat(params, "[]");
	assert_int_equal(image_descriptor(params, strlen(params), "void", desc, sizeof(desc)),
			 -EINVAL);
}

static void expect(const char *symbol, enum image_symbol_kind kind, const char *klass,
		   const char *name)
{
	struct image_symbol s;
	char text[64];

	assert_int_equal(image_symbol_parse(symbol, &s), kind);
	assert_int_equal(s.klass_len, strlen(klass));
	assert_memory_equal(s.klass, klass, s.klass_len);
	image_method_name(&s, text, sizeof(text));
	assert_string_equal(text, name);
}

/* Each era's form is recognised. */
static void image_symbol_parse_eras(void **state _unused_)
{
	expect("a.b.C.run(int)void", SYMBOL_FULL, "a.b.C", "run");
	expect("a.B$C.<init>()void", SYMBOL_FULL, "a.B$C", "<init>");
	expect("B$C_run_eb9d39cc49ab25a7f4e8d2e6dfcd4b4e2a9fcd10", SYMBOL_SHA1, "B$C", "run");
	expect("C_<clinit>_eb9d39cc49ab25a7f4e8d2e6dfcd4b4e2a9fcd10", SYMBOL_SHA1, "C", "<clinit>");
	expect("C_constructor_cXbfAhOWcF90761nQYco7L", SYMBOL_BASE62, "C", "<init>");
}

/* C functions, and names that only look alike, are none. */
static void image_symbol_parse_others(void **state _unused_)
{
	static const char *const names[] = {
		"",
		"main",
		"_",
		"__",
		"(",
		")(",
		"f(int)",
		".f(int)void",
		"C.(int)void",
		"pthread_mutex_lock",
		"C_run_eb9d39cc49ab25a7f4e8d2e6dfcd4b4e2a9fcd1",
		"C_run_EB9d39cc49ab25a7f4e8d2e6dfcd4b4e2a9fcd10",
		"C_eb9d39cc49ab25a7f4e8d2e6dfcd4b4e2a9fcd10",
		"C__eb9d39cc49ab25a7f4e8d2e6dfcd4b4e2a9fcd10",
		"_run_eb9d39cc49ab25a7f4e8d2e6dfcd4b4e2a9fcd10",
	};
	struct image_symbol s;
	char long_name[IMAGE_NAME_MAX + 64];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(image_symbol_parse(names[i], &s), SYMBOL_OTHER);
	memset(long_name, 'a', sizeof(long_name));
	strcpy(long_name + sizeof(long_name) - 48, "_r_eb9d39cc49ab25a7f4e8d2e6dfcd4b4e2a9fcd10");
	assert_int_equal(image_symbol_parse(long_name, &s), SYMBOL_OTHER);
}

/* All places where a class may end are offered, first to last. */
static void image_symbol_next_all(void **state _unused_)
{
	struct image_symbol s;

	image_symbol_parse("A_b_c_eb9d39cc49ab25a7f4e8d2e6dfcd4b4e2a9fcd10", &s);
	assert_int_equal(s.klass_len, 1);
	assert_int_equal(s.name_len, 3);
	assert_true(image_symbol_next(&s));
	assert_int_equal(s.klass_len, 3);
	assert_int_equal(s.name_len, 1);
	assert_false(image_symbol_next(&s));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha1_known_answers),
		cmocka_unit_test(image_digest_real),
		cmocka_unit_test(image_descriptor_types),
		cmocka_unit_test(image_descriptor_refused),
		cmocka_unit_test(image_symbol_parse_eras),
		cmocka_unit_test(image_symbol_parse_others),
		cmocka_unit_test(image_symbol_next_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
