// SPDX-License-Identifier: MIT
/*
 * Which methods of a native image a SPEC means, and what it says of their parameters; and that the
 * same SPEC means the same in a JVM.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/image/image_match.h"
#include "runtime/image/image_names.h"

/* Texts and methods of a map, put together by hand. */
#define METHODS_MAX 16
static char text[4096];
static struct image_method methods[METHODS_MAX];
static struct image_map map = {.methods = methods, .text = text};

static uint32_t add_text(const char *s)
{
	uint32_t at = map.text_len;

	if (!*s)
		return 0;
	assert_true(at + strlen(s) + 1 <= sizeof(text));
	strcpy(text + at, s);
	map.text_len += (uint32_t)strlen(s) + 1;
	return at;
}

static struct image_method *add_method(const char *klass, const char *name, const char *desc)
{
	struct image_method *m = &methods[map.n];

	assert_true(map.n < METHODS_MAX);
	*m = (struct image_method){.entry = 0x401000 + 0x40 * map.n,
				   .end = 0x401040 + 0x40 * map.n,
				   .klass = add_text(klass),
				   .name = add_text(name),
				   .desc = add_text(desc),
				   .overloads = 1};
	map.n++;
	return m;
}

/* The method that the SPECs are held against is the first. */
static struct image_method *the_method(const char *klass, const char *desc)
{
	map.n = 0;
	map.text_len = 1;
	return add_method(klass, "add", desc);
}

static int setup(void **state _unused_)
{
	the_method("com.shop.Cart", "");
	return 0;
}

static struct spec *parsed(const char *spec)
{
	struct fail f = {0};
	struct spec *s = NULL;

	if (spec_parse(spec, &s, &f))
		fail_msg("%s", f.text);
	return s;
}

static enum image_fit fit(const char *spec)
{
	struct spec *s = parsed(spec);
	struct image_match *p;
	enum image_fit f;

	assert_int_equal(image_match_new(s, &map, &p), 0);
	f = image_match_fit(p, &methods[0]);
	if (map.n == 1)
		assert_int_equal(image_match_best(p), f);
	image_match_free(p);
	spec_free(s);
	return f;
}

static void assert_descriptor(const char *spec, const char *desc)
{
	struct spec *s = parsed(spec);
	struct image_match *p;
	char buf[256];

	assert_int_equal(image_match_new(s, &map, &p), 0);
	assert_int_equal(image_match_descriptor(p, &methods[0], buf, sizeof(buf)),
			 desc ? 0 : -ENOENT);
	if (desc)
		assert_string_equal(buf, desc);
	image_match_free(p);
	spec_free(s);
}

/* Names are matched as in a SPEC for a JVM. */
static void match_fit_names(void **state _unused_)
{
	assert_int_equal(fit("com.shop.Cart.add"), FIT_NAME);
	assert_int_equal(fit("com.shop.*.a*"), FIT_NAME);
	assert_int_equal(fit("**.add"), FIT_NAME);
	assert_int_equal(fit("com.shop.Cart.addAll"), FIT_NOT);
	assert_int_equal(fit("Cart.add"), FIT_NOT);
	assert_int_equal(fit("com.*.add"), FIT_NOT);
}

/* Where the image only has a class's simple name, the package is not held against it. */
static void match_fit_simple_class(void **state _unused_)
{
	struct image_method *m = the_method("Cart", "");

	assert_int_equal(fit("com.shop.Cart.add"), FIT_NOT);
	m->flags = METHOD_SIMPLE;
	assert_int_equal(fit("com.shop.Cart.add"), FIT_NAME);
	assert_int_equal(fit("com.shop.Basket.add"), FIT_NOT);
}

/* Parameters count where the image says what they are, and only there. */
static void match_fit_signature(void **state _unused_)
{
	assert_int_equal(fit("com.shop.Cart.add(int, String)"), FIT_NAME);
	the_method("com.shop.Cart", "(ILjava/lang/String;)V");
	assert_int_equal(fit("com.shop.Cart.add(int, java.lang.String)"), FIT_SIGNATURE);
	assert_int_equal(fit("com.shop.Cart.add(int, String)"), FIT_SIGNATURE);
	assert_int_equal(fit("com.shop.Cart.add(int, String)void"), FIT_SIGNATURE);
	assert_int_equal(fit("com.shop.Cart.add(int, String)int"), FIT_NOT);
	assert_int_equal(fit("com.shop.Cart.add(int)"), FIT_NOT);
	assert_int_equal(fit("com.shop.Cart.add(..)"), FIT_NAME);
	assert_int_equal(fit("com.shop.Cart.add(..)int"), FIT_NOT);
	assert_int_equal(fit("com.shop.Cart.add"), FIT_NAME);
}

/* An entry address picks the method that begins there. */
static void match_fit_entry(void **state _unused_)
{
	assert_int_equal(fit("com.shop.Cart.add@401000"), FIT_NAME);
	assert_int_equal(fit("com.shop.Cart.add@0x401000"), FIT_NAME);
	assert_int_equal(fit("com.shop.Cart.add(int)@0x401000"), FIT_NAME);
	assert_int_equal(fit("com.shop.Cart.add@401010"), FIT_NOT);
	assert_int_equal(fit("com.shop.Cart.sub@401000"), FIT_NOT);
}

/* Only the image's user can say which methods are static; no constructor is. */
static void match_fit_static(void **state _unused_)
{
	assert_int_equal(fit("static com.shop.Cart.add(int)"), FIT_NAME);
	map.n = 0;
	add_method("com.shop.Cart", "<init>", "");
	assert_int_equal(fit("com.shop.Cart.<init>"), FIT_NAME);
	assert_int_equal(fit("static com.shop.Cart.<init>"), FIT_NOT);
}

/* What a SPEC says of parameters; what the image does not know stays as written. */
static void match_descriptor(void **state _unused_)
{
	assert_descriptor("a.B.c", NULL);
	assert_descriptor("a.B.c(..)", NULL);
	assert_descriptor("a.B.c()", "()V");
	assert_descriptor("a.B.c(int, String, x.Y[], long[][])", "(ILjava/lang/String;[Lx/Y;[[J)V");
	assert_descriptor("a.B.c(String[])java.lang.Object",
			  "([Ljava/lang/String;)Ljava/lang/Object;");
	assert_descriptor("a.B.c(x.String)@10", "(Lx/String;)V");
	assert_descriptor("a.B.c(int, String...)", "(I[Ljava/lang/String;)V");
	assert_descriptor("a.B.c(Nowhere, Map.Entry)", "(LNowhere;LMap/Entry;)V");
}

/* A simple name is a class that the image knows: java.lang's, then the SPEC's package's, then any.
 */
static void match_descriptor_known_classes(void **state _unused_)
{
	add_method("x.Item", "a", "");
	add_method("com.shop.Item", "a", "");
	add_method("x.Iterable", "a", "");
	add_method("java.lang.Iterable", "a", "");
	add_method("java.util.Map$Entry", "a", "");
	add_method("Money", "a", "")->flags = METHOD_SIMPLE;
	assert_descriptor("com.shop.Cart.add(Item, Iterable)",
			  "(Lcom/shop/Item;Ljava/lang/Iterable;)V");
	assert_descriptor("a.B.add(Item)", "(Lx/Item;)V");
	assert_descriptor("a.B.add(x.Item, x.Iterable)", "(Lx/Item;Lx/Iterable;)V");
	assert_descriptor("a.B.add(Entry, Map.Entry[], java.util.Map$Entry)Cart",
			  "(Ljava/util/Map$Entry;[Ljava/util/Map$Entry;Ljava/util/Map$Entry;)"
			  "Lcom/shop/Cart;");
	assert_descriptor("a.B.add(util.Map.Entry, Money)", "(Lutil/Map/Entry;LMoney;)V");
}

static void digested(struct image_method *m, const char *params, const char *ret)
{
	char digest[41], symbol[64];

	assert_int_equal(image_digest("com.shop.Cart", "add", params, strlen(params), ret, digest),
			 0);
	snprintf(symbol, sizeof(symbol), "Cart_add_%s", digest);
	m->symbol = add_text(symbol);
}

/* A SHA-1 is met by whichever class of that name it was made from. */
static void match_fit_digest(void **state _unused_)
{
	struct image_method *m = the_method("Cart", "");

	m->flags = METHOD_SIMPLE;
	digested(m, "int,java.lang.String", "void");
	assert_int_equal(fit("com.shop.Cart.add(int, String)"), FIT_SIGNATURE);
	assert_int_equal(fit("com.shop.Cart.add(int, java.lang.String)void"), FIT_SIGNATURE);
	assert_int_equal(fit("com.shop.Cart.add(int, String)boolean"), FIT_NAME);
	assert_int_equal(fit("com.shop.Cart.add(int)"), FIT_NAME);
	assert_int_equal(fit("com.*.Cart.add(int, String)"), FIT_NAME);
	digested(m, "com.shop.Item,java.util.List", "com.shop.Item[]");
	assert_int_equal(fit("com.shop.Cart.add(Item, List)"), FIT_NAME);
	assert_int_equal(fit("com.shop.Cart.add(Item, List)Item[]"), FIT_SIGNATURE);
	assert_descriptor("com.shop.Cart.add(Item, List)Item[]",
			  "(Lcom/shop/Item;Ljava/util/List;)[Lcom/shop/Item;");
	add_method("x.Item", "a", "");
	add_method("y.Item", "a", "");
	digested(m, "y.Item", "void");
	assert_int_equal(fit("com.shop.Cart.add(Item)"), FIT_SIGNATURE);
	assert_descriptor("com.shop.Cart.add(Item)", "(Ly/Item;)V");
	digested(m, "z.Item", "void");
	assert_int_equal(fit("com.shop.Cart.add(Item)"), FIT_NAME);
	assert_descriptor("com.shop.Cart.add(Item)", "(Lx/Item;)V");
}

/* Where signatures are known, a SPEC means the same method in an image and in a JVM. */
static void match_as_in_a_jvm(void **state _unused_)
{
	static const struct {
		const char *klass, *desc, *spec;
		bool fits;
	} t[] = {
		{"com.shop.Cart", "()V", "com.shop.Cart.add", true},
		{"com.shop.Cart", "()V", "com.shop.Cart::add()", true},
		{"com.shop.Cart", "()V", "com.shop.Cart#add()void", true},
		{"com.shop.Cart", "()V", "com.shop.Cart.add()int", false},
		{"com.shop.Cart", "()V", "Cart.add", false},
		{"com.shop.Cart", "()V", "**.Cart.add", true},
		{"com.shop.Cart", "()V", "**", true},
		{"com.shop.Cart", "()V", "com.**", true},
		{"com.shop.Cart", "()V", "com.*.add", false},
		{"com.shop.Cart", "()V", "com.shop.Cart.add(..)", true},
		{"com.shop.Cart", "()V", "com.shop.Cart.add(int)", false},
		{"com.shop.Cart", "()V", "com.shop.Cart.add@0x401000", true},
		{"com.shop.Cart", "()V", "com.shop.Cart.add@0x401008", false},
		{"Cart", "()V", "Cart.add", true},
		{"Cart", "()V", "com.shop.Cart.add", false},
		{"a.O$I", "()V", "a.O$I.add", true},
		{"a.O$I", "()V", "a.O.I.add", false},
		{"C", "(Ljava/lang/Integer;)V", "C.add(Integer)", true},
		{"C", "(Lcom/shop/Integer;)V", "C.add(Integer)", true},
		{"C", "(Lcom/shop/Integer;)V", "C.add(java.lang.Integer)", false},
		{"C", "(Lcom/shop/Integer;)V", "C.add(shop.Integer)", false},
		{"C", "(I)V", "C.add(Integer)", false},
		{"C", "(Lcom/shop/Cart;)V", "C.add(Cart)", true},
		{"C", "(Lcom/shop/Cart;)V", "C.add(com.shop.Cart)", true},
		{"C", "(Lcom/shop/Cart;)V", "C.add(Basket)", false},
		{"C", "(Ljava/util/Map$Entry;)V", "C.add(Map.Entry)", true},
		{"C", "(Ljava/util/Map$Entry;)V", "C.add(Entry)", true},
		{"C", "(Ljava/util/Map$Entry;)V", "C.add(java.util.Map.Entry)", true},
		{"C", "(Ljava/util/Map$Entry;)V", "C.add(Map)", false},
		{"C", "([Ljava/lang/String;)V", "C.add(String...)", true},
		{"C", "([Ljava/lang/String;)V", "C.add(String[])", true},
		{"C", "([Ljava/lang/String;)V", "C.add(String)", false},
		{"C", "(I)Ljava/lang/String;", "C.add(int)String", true},
		{"C", "(I)Ljava/lang/String;", "C.add(..)java.lang.String", true},
		{"C", "(I)Ljava/lang/String;", "C.add(..)Object", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct spec *s = parsed(t[i].spec);
		const struct method m = {
			.klass = t[i].klass, .name = "add", .desc = t[i].desc, .entry = 0x401000};

		the_method(t[i].klass, t[i].desc);
		if (spec_match(s, &m) != t[i].fits || (fit(t[i].spec) != FIT_NOT) != t[i].fits)
			fail_msg("%s and %s.add%s: %d in a JVM, %d in an image", t[i].spec,
				 t[i].klass, t[i].desc, spec_match(s, &m), fit(t[i].spec));
		spec_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(match_fit_names, setup),
		cmocka_unit_test_setup(match_fit_simple_class, setup),
		cmocka_unit_test_setup(match_fit_signature, setup),
		cmocka_unit_test_setup(match_fit_entry, setup),
		cmocka_unit_test_setup(match_fit_static, setup),
		cmocka_unit_test_setup(match_descriptor, setup),
		cmocka_unit_test_setup(match_descriptor_known_classes, setup),
		cmocka_unit_test_setup(match_fit_digest, setup),
		cmocka_unit_test_setup(match_as_in_a_jvm, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
