// SPDX-License-Identifier: MIT
/* Which methods of a native image a SPEC means, and what it says of their parameters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/image/image_match.h"
#include "runtime/image/image_names.h"

/* Texts and methods of a map, put together by hand. */
#define KLASS  1
#define NAME   15
#define DESC   19
#define SYMBOL 42
#define SIMPLE 92
static char text[] = "\0com.shop.Cart\0add\0(ILjava/lang/String;)V\0"
		     "Cart_add_0000000000000000000000000000000000000000\0Cart";

static struct image_method method = {
	.entry = 0x401000, .end = 0x401040, .klass = KLASS, .name = NAME, .overloads = 1};
static const struct image_map map = {
	.methods = &method, .n = 1, .text = text, .text_len = sizeof(text)};

static int setup(void **state _unused_)
{
	method.desc = method.symbol = method.flags = 0;
	method.klass = KLASS;
	assert_string_equal(text + NAME, "add");
	assert_string_equal(text + DESC, "(ILjava/lang/String;)V");
	assert_string_equal(text + SIMPLE, "Cart");
	return 0;
}

static enum image_fit fit(const char *spec)
{
	struct image_pattern *p;
	enum image_fit f;

	assert_int_equal(image_pattern_new(spec, &p), 0);
	f = image_pattern_fit(p, &map, &method);
	assert_int_equal(image_pattern_best(p, &map), f);
	image_pattern_free(p);
	return f;
}

static void assert_descriptor(const char *spec, const char *desc)
{
	struct image_pattern *p;
	char buf[256];

	assert_int_equal(image_pattern_new(spec, &p), 0);
	assert_int_equal(image_pattern_descriptor(p, buf, sizeof(buf)), desc ? 0 : -ENOENT);
	if (desc)
		assert_string_equal(buf, desc);
	image_pattern_free(p);
}

/* Names are matched as in a SPEC for a JVM. */
static void pattern_fit_names(void **state _unused_)
{
	assert_int_equal(fit("com.shop.Cart.add"), FIT_NAME);
	assert_int_equal(fit("com.shop.*.a*"), FIT_NAME);
	assert_int_equal(fit("**.add"), FIT_NAME);
	assert_int_equal(fit("com.shop.Cart.addAll"), FIT_NOT);
	assert_int_equal(fit("Cart.add"), FIT_NOT);
	assert_int_equal(fit("com.*.add"), FIT_NOT);
	assert_int_equal(fit(""), FIT_NOT);
}

/* Where the image only has a class's simple name, the package is not held against it. */
static void pattern_fit_simple_class(void **state _unused_)
{
	method.klass = SIMPLE;
	assert_int_equal(fit("com.shop.Cart.add"), FIT_NOT);
	method.flags = METHOD_SIMPLE;
	assert_int_equal(fit("com.shop.Cart.add"), FIT_NAME);
	assert_int_equal(fit("com.shop.Basket.add"), FIT_NOT);
}

/* Parameters count where the image says what they are, and only there. */
static void pattern_fit_signature(void **state _unused_)
{
	assert_int_equal(fit("com.shop.Cart.add(int, String)"), FIT_NAME);
	method.desc = DESC;
	assert_int_equal(fit("com.shop.Cart.add(int, java.lang.String)"), FIT_SIGNATURE);
	assert_int_equal(fit("com.shop.Cart.add(int, String)"), FIT_SIGNATURE);
	assert_int_equal(fit("com.shop.Cart.add(int, String)void"), FIT_SIGNATURE);
	assert_int_equal(fit("com.shop.Cart.add(int, String)int"), FIT_NOT);
	assert_int_equal(fit("com.shop.Cart.add(int)"), FIT_NOT);
	assert_int_equal(fit("com.shop.Cart.add(..)"), FIT_NAME);
	assert_int_equal(fit("com.shop.Cart.add"), FIT_NAME);
}

/* An entry address picks the method that begins there. */
static void pattern_fit_entry(void **state _unused_)
{
	struct image_pattern *p;

	assert_int_equal(fit("com.shop.Cart.add@401000"), FIT_NAME);
	assert_int_equal(fit("com.shop.Cart.add@0x401000"), FIT_NAME);
	assert_int_equal(fit("com.shop.Cart.add(int)@0x401000"), FIT_NAME);
	assert_int_equal(fit("com.shop.Cart.add@401010"), FIT_NOT);
	assert_int_equal(fit("com.shop.Cart.sub@401000"), FIT_NOT);
	assert_int_equal(image_pattern_new("a.b@401000", &p), 0);
	assert_true(image_pattern_picks_one(p));
	image_pattern_free(p);
	assert_int_equal(image_pattern_new("a.b", &p), 0);
	assert_false(image_pattern_picks_one(p));
	image_pattern_free(p);
}

/* What a SPEC says of parameters; simple names of java.lang get their package. */
static void pattern_descriptor(void **state _unused_)
{
	assert_descriptor("a.B.c", NULL);
	assert_descriptor("a.B.c(..)", NULL);
	assert_descriptor("a.B.c()", "()V");
	assert_descriptor("a.B.c(int, String, x.Y[], long[][])", "(ILjava/lang/String;[Lx/Y;[[J)V");
	assert_descriptor("a.B.c(String[])java.lang.Object",
			  "([Ljava/lang/String;)Ljava/lang/Object;");
	assert_descriptor("a.B.c(x.String)@10", "(Lx/String;)V");
}

/* Only the image's user can say which methods are static. */
static void pattern_static(void **state _unused_)
{
	static const struct {
		const char *spec;
		bool is_static;
	} cases[] = {
		{"static com.shop.Cart.add(int)", true},
		{"  static   com.shop.Cart.add", true},
		{"com.shop.Cart.add(int)", false},
		{"staticcom.shop.Cart.add", false},
	};
	struct image_pattern *p;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(image_pattern_new(cases[i].spec, &p), 0);
		assert_int_equal(image_pattern_is_static(p), cases[i].is_static);
		image_pattern_free(p);
	}
	assert_int_equal(fit("static com.shop.Cart.add(int)"), FIT_NAME);
}

/* What is no SPEC is told, whatever it is. */
static void pattern_malformed(void **state _unused_)
{
	static const char *const bad[] = {"a.b(",
					  "a.b(int",
					  "a.b@",
					  "a.b@0x",
					  "a.b@x",
					  "a.b@0",
					  "a.b@12345678901234567890123",
					  "a.b()@1 2"};
	char *long_one = test_malloc(IMAGE_NAME_MAX + 1);
	struct image_pattern *p;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(image_pattern_new(bad[i], &p), -EINVAL);
	memset(long_one, 'a', IMAGE_NAME_MAX);
	long_one[IMAGE_NAME_MAX] = '\0';
	assert_int_equal(image_pattern_new(long_one, &p), -EINVAL);
	test_free(long_one);
	for (size_t i = 0; i < 3; i++) {
		static const char *const types[] = {"a.b(int,)", "a.b(,)", "a.b([])"};
		char buf[64];

		assert_int_equal(image_pattern_new(types[i], &p), 0);
		assert_int_equal(image_pattern_descriptor(p, buf, sizeof(buf)), -EINVAL);
		image_pattern_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pattern_fit_names, setup),
		cmocka_unit_test_setup(pattern_fit_simple_class, setup),
		cmocka_unit_test_setup(pattern_fit_signature, setup),
		cmocka_unit_test_setup(pattern_fit_entry, setup),
		cmocka_unit_test_setup(pattern_descriptor, setup),
		cmocka_unit_test_setup(pattern_static, setup),
		cmocka_unit_test_setup(pattern_malformed, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
