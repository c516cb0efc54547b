// SPDX-License-Identifier: MIT
/* test_spec.c - the language that names methods (daemon/probe/spec.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

#include "probe/glob.h"
#include "probe/spec.h"

static void spec_free_cleanup(struct spec **s)
{
	spec_free(*s);
}

#define _cleanup_spec_ _cleanup_(spec_free_cleanup)

static struct spec *parsed(const char *text)
{
	struct fail f = {0};
	struct spec *s = NULL;

	if (spec_parse(text, &s, &f))
		fail_msg("refused: %s: %s", text, f.text);
	return s;
}

static struct method method(const char *klass, const char *name, const char *desc)
{
	return (struct method){.klass = klass, .name = name, .desc = desc, .entry = 0x401000};
}

/* Does SPEC @text match the method? */
static bool matches(const char *text, const char *klass, const char *name, const char *desc)
{
	_cleanup_spec_ struct spec *s = parsed(text);
	const struct method m = method(klass, name, desc);

	return spec_match(s, &m);
}

/* Does a parameter list @params match @desc? */
static bool takes(const char *params, const char *desc)
{
	_cleanup_free_ char *text = NULL;

	assert_true(asprintf(&text, "C.m%s", params) > 0);
	return matches(text, "C", "m", desc);
}

/* What a refusal says: "bad SPEC '...': column N: why". */
static size_t column_of(const struct fail *f, const char **why)
{
	const char *at = strstr(f->text, "': column ");
	size_t column = 0;
	int n = 0;

	for (const char *p = at; p; p = strstr(p + 1, "': column "))
		at = p;
	if (strncmp(f->text, "bad SPEC '", 10) || !at ||
	    sscanf(at, "': column %zu: %n", &column, &n) != 1 || !n)
		fail_msg("no column: %s", f->text);
	*why = at + n;
	return column;
}

/* In a heap block of its own, so that ASan sees a read beyond the NUL. */
static void assert_error(const char *text, size_t column, const char *why)
{
	_cleanup_free_ char *copy = strdup(text);
	struct fail f = {0};
	struct spec *s = (struct spec *)&f;
	const char *said;
	size_t at;

	if (spec_parse(copy, &s, &f) != -EINVAL || f.err != -EINVAL)
		fail_msg("taken: %s", text);
	assert_ptr_equal(s, &f);
	at = column_of(&f, &said);
	if (!strstr(said, why) || at != column)
		fail_msg("%s: column %zu (not %zu): %s (not %s)", text, at, column, said, why);
}

/* @head, @n times @unit, @tail; the caller frees it. */
static char *repeat(const char *head, const char *unit, size_t n, const char *tail)
{
	char *s = malloc(strlen(head) + n * strlen(unit) + strlen(tail) + 1), *p = stpcpy(s, head);

	while (n--)
		p = stpcpy(p, unit);
	strcpy(p, tail);
	return s;
}

/* --- glob ------------------------------------------------------------------------------------- */

/* Without stars a pattern matches itself alone. */
static void glob_match_literal(void **state)
{
	(void)state;
	assert_true(glob_match("add", "add"));
	assert_true(glob_match("", ""));
	assert_false(glob_match("add", "ad"));
	assert_false(glob_match("add", "adds"));
	assert_false(glob_match("", "a"));
	assert_false(glob_match("a", ""));
	assert_false(glob_match("a?c", "abc"));
	assert_false(glob_match("[a]", "a"));
}

/* One star stands for any characters, none included, but for no dot. */
static void glob_match_star(void **state)
{
	(void)state;
	assert_true(glob_match("*", ""));
	assert_true(glob_match("*", "add"));
	assert_false(glob_match("*", "a.b"));
	assert_false(glob_match("*", "."));
	assert_true(glob_match("get*", "get"));
	assert_true(glob_match("get*", "getTotal"));
	assert_false(glob_match("get*", "forget"));
	assert_true(glob_match("*get*", "forgetIt"));
	assert_true(glob_match("a*b*c", "a-b-b-c"));
	assert_false(glob_match("a*b*c", "a-c-b"));
	assert_true(glob_match("com.*.Cart", "com.shop.Cart"));
	assert_false(glob_match("com.*.Cart", "com.shop.eu.Cart"));
	assert_false(glob_match("com.*.Cart", "com.Cart"));
}

/* Two stars or more stand for anything, dots included. */
static void glob_match_two_stars(void **state)
{
	(void)state;
	assert_true(glob_match("**", ""));
	assert_true(glob_match("**", "a.b.c"));
	assert_true(glob_match("***", "a.b.c"));
	assert_true(glob_match("com.**.Cart", "com.shop.eu.Cart"));
	assert_false(glob_match("com.**.Cart", "com.Cart"));
	assert_true(glob_match("com.**Cart", "com.Cart"));
	assert_true(glob_match("**.*b.c", "x.ab.b.c"));
	assert_true(glob_match("**a*b", "a.ab"));
	assert_false(glob_match("**a*b", "a.b"));
	assert_true(glob_match("*.**", "a."));
}

/* Two stars and a '.' stand for packages, of which there may be none: but not for a class. */
static void glob_match_packages(void **state)
{
	(void)state;
	assert_true(glob_match("**.Cart.add", "Cart.add"));
	assert_true(glob_match("**.Cart.add", "com.shop.Cart.add"));
	assert_true(glob_match("***.Cart.add", "Cart.add"));
	assert_true(glob_match("**.**.Cart.add", "Cart.add"));
	assert_true(glob_match("com.**.Cart.add", "com.Cart.add"));
	assert_true(glob_match("**.*.add", "Cart.add"));
	assert_true(glob_match("**.*", "Cart.add"));
	assert_false(glob_match("**.Cart.add", "MyCart.add"));
	assert_false(glob_match("com**.Cart.add", "Cart.add"));
	assert_false(glob_match("com**.Cart.add", "comCart.add"));
	assert_false(glob_match("*.Cart.add", "Cart.add"));
	assert_false(glob_match("**.add", "add"));
	assert_false(glob_match("**.*", "add"));
}

/* A pattern longer than any SPEC matches nothing, one just as long does. */
static void glob_match_long(void **state)
{
	_cleanup_free_ char *most = repeat("", "a", SPEC_LEN_MAX, "");
	_cleanup_free_ char *more = repeat("", "a", SPEC_LEN_MAX + 1, "");
	_cleanup_free_ char *stars = repeat("", "*", SPEC_LEN_MAX, "");

	(void)state;
	assert_true(glob_match(most, most));
	assert_false(glob_match(more, more));
	assert_true(glob_match(stars, most));
	assert_true(glob_match("*", more));
}

/* Patterns that take naive matchers ages are done at once. */
static void glob_match_hostile(void **state)
{
	_cleanup_free_ char *stars = repeat("", "*a", 300, "b");
	_cleanup_free_ char *two_stars = repeat("", "**a*a", 200, "b");
	_cleanup_free_ char *packages = repeat("", "**.", 1300, "c.b");
	_cleanup_free_ char *dots = repeat("", "a.", 2000, "");
	_cleanup_free_ char *text = repeat("", "a", 4000, "");
	clock_t start = clock();

	(void)state;
	assert_false(glob_match(stars, text));
	assert_false(glob_match(two_stars, text));
	assert_false(glob_match(packages, text));
	assert_false(glob_match(packages, dots));
	assert_true((clock() - start) / CLOCKS_PER_SEC < 1);
}

/* The definition itself, exponential: what the quick matcher is held against. */
static bool naive(const char *p, const char *t, bool begins)
{
	size_t stars = strspn(p, "*");

	if (!*p)
		return !*t;
	if (!stars)
		return *p == *t && naive(p + 1, t + 1, *p == '.');
	if (begins && stars > 1 && p[stars] == '.' && strchr(p + stars + 1, '.') &&
	    naive(p + stars + 1, t, true))
		return true;
	for (;; t++) {
		if (naive(p + stars, t, false))
			return true;
		if (!*t || (*t == '.' && stars == 1))
			return false;
	}
}

/* Every pattern and every text of up to six characters give what the definition says. */
static void glob_match_exhaustive(void **state)
{
	enum { LEN = 6, ALL = 4096 }; /* 4^6: base-4 digits are the characters, 0 ends the word */
	static char pattern[ALL][LEN + 1], text[ALL][LEN + 1];

	(void)state;
	for (unsigned int i = 0; i < ALL; i++) {
		for (unsigned int k = 0, n = i; k < LEN; k++, n /= 4) {
			pattern[i][k] = "\0a.*"[n % 4];
			text[i][k] = "\0a.b"[n % 4];
		}
	}
	for (unsigned int i = 0; i < ALL; i++)
		for (unsigned int k = 0; k < ALL; k += 1 + i % 7)
			if (glob_match(pattern[i], text[k]) != naive(pattern[i], text[k], true))
				fail_msg("%s against %s", pattern[i], text[k]);
}

/* --- class and method ------------------------------------------------------------------------- */

/* A plain SPEC names one class and one method, every overload. */
static void spec_match_exact(void **state)
{
	static const char s[] = "com.shop.Cart.add";

	(void)state;
	assert_true(matches(s, "com.shop.Cart", "add", "()V"));
	assert_true(matches(s, "com.shop.Cart", "add", "(ILjava/lang/String;)V"));
	assert_false(matches(s, "com.shop.Cart", "addAll", "()V"));
	assert_false(matches(s, "com.shop.Cart", "ad", "()V"));
	assert_false(matches(s, "com.shop.Carts", "add", "()V"));
	assert_false(matches(s, "com.shop", "Cart", "()V"));
	assert_false(matches(s, "x.com.shop.Cart", "add", "()V"));
}

/* A class without a package is just that, not a class of any package. */
static void spec_match_default_package(void **state)
{
	(void)state;
	assert_true(matches("Cart.add", "Cart", "add", "()V"));
	assert_false(matches("Cart.add", "com.shop.Cart", "add", "()V"));
	assert_true(matches("**.Cart.add", "com.shop.Cart", "add", "()V"));
	assert_true(matches("**.Cart.add", "Cart", "add", "()V"));
	assert_false(matches("**.Cart.add", "com.shop.Kart.Cart", "sub", "()V"));
}

/* Stars work in every part, one within a name, two across packages. */
static void spec_match_stars(void **state)
{
	(void)state;
	assert_true(matches("com.shop.*.get*", "com.shop.Cart", "getTotal", "()I"));
	assert_true(matches("com.shop.*.get*", "com.shop.Item", "get", "()I"));
	assert_false(matches("com.shop.*.get*", "com.shop.eu.Cart", "getTotal", "()I"));
	assert_false(matches("com.shop.*.get*", "com.shop.Cart", "setTotal", "()I"));
	assert_true(matches("com.**.get*", "com.shop.eu.Cart", "getTotal", "()I"));
	assert_true(matches("com.shop.**", "com.shop.Cart", "add", "()V"));
	assert_true(matches("com.shop.**", "com.shop.eu.Cart", "add", "()V"));
	assert_false(matches("com.shop.**", "com.shopping.Cart", "add", "()V"));
	assert_true(matches("**.*", "Cart", "add", "()V"));
	assert_true(matches("*.*", "Cart", "add", "()V"));
	assert_false(matches("*.*", "com.Cart", "add", "()V"));
	assert_true(matches("com.shop.C*t.*d*", "com.shop.Cart", "add", "()V"));
}

/* Constructors and initializers go by their names, and a star meets them too. */
static void spec_match_init(void **state)
{
	static const char inner[] = "com.shop.Outer$Inner";

	(void)state;
	assert_true(matches("com.shop.Outer$Inner.<init>(..)", inner, "<init>", "(I)V"));
	assert_false(matches("com.shop.Outer$Inner.<init>", inner, "<clinit>", "()V"));
	assert_true(matches("com.shop.Outer$Inner.<clinit>()", inner, "<clinit>", "()V"));
	assert_true(matches("com.shop.Outer$*.*", inner, "<init>", "()V"));
	assert_false(matches("com.shop.Outer.Inner.<init>", inner, "<init>", "()V"));
}

/*
 * A backslash makes whatever a class file allows part of a name: the character itself, or as
 * `hotprobe methods` writes it. Without it no SPEC but one with stars could name these.
 */
static void spec_match_escapes(void **state _unused_)
{
	assert_true(matches("p.My\\ Class.with\\ space", "p.My Class", "with space", "()V"));
	assert_false(matches("p.My\\ Class.with\\ space", "p.My Class", "with.space", "()V"));
	assert_true(matches("p.Kl\\*ss.x\\*y", "p.Kl*ss", "x*y", "()V"));
	assert_false(matches("p.Kl\\*ss.x\\*y", "p.Klass", "xy", "()V"));
	assert_true(matches("p.*\\*s*.*\\*y", "p.Kl*ss", "x*y", "()V"));
	assert_true(matches("p.c\\nd.line\\x0abreak", "p.c\nd", "line\nbreak", "()V"));
	assert_true(matches("p.$.back\\\\slash", "p.$", "back\\slash", "()V"));
	assert_false(matches("p.$.back\\\\slash", "p.$", "back\\\\slash", "()V"));
	assert_true(matches("p.A.nul\\x00x", "p.A", "nul\xc0\x80x", "()V"));
	assert_true(matches("p.A.lone\\ud800", "p.A", "lone\xed\xa0\x80", "()V"));
	assert_true(matches("p.A.\\u202e\\x9b", "p.A", "\u202e\xc2\x9b", "()V"));
	assert_true(matches("p.A.\\\u65e5", "p.A", "\u65e5", "()V"));
	assert_true(
		matches("p.A.a\\ b\\(int\\,\\ String\\)(int)", "p.A", "a b(int, String)", "(I)V"));
	assert_true(matches("p.A.a\\@0x12@401000", "p.A", "a@0x12", "()V"));
	assert_true(matches("p.A.a\\:\\:b\\#c", "p.A", "a::b#c", "()V"));
	assert_true(
		matches("p.A.m(p.My\\ Class[], Kl\\*ss)", "p.A", "m", "([Lp/My Class;Lp/Kl*ss;)V"));
	assert_false(matches("p.A.m(p.My\\ Class)", "p.A", "m", "(Lp/My/Class;)V"));
	assert_true(matches("\\x41.m", "A", "m", "()V"));
}

/* What a backslash cannot stand before is told with its place. */
static void spec_parse_bad_escape(void **state _unused_)
{
	assert_error("a.B.c\\", 6, "'\\' at the end");
	assert_error("a.B.c\\x4", 6, "'\\x' without 2 hexadecimal digits");
	assert_error("a.B.c\\x4g", 6, "'\\x' without 2 hexadecimal digits");
	assert_error("a.B.c\\u123", 6, "'\\u' without 4 hexadecimal digits");
	assert_error("a.B.c\\\xff", 6, "'\\' before what is no UTF-8");
	assert_error("a.B.c(x\\", 8, "'\\' at the end");
	assert_error("a.B.c d", 6, "space inside a name: write '\\ ' if it belongs to it");
	assert_error("a.B.c=d", 6,
		     "bad character '=' in a name: write '\\=' if it belongs to a name");
}

/* Lambda and hidden classes, as JDK 17 and JDK 21 name them, are met in full and by stars. */
static void spec_match_hidden(void **state)
{
	static const char jdk17[] = "com.shop.Main$$Lambda$14/0x0000000800c03000";
	static const char jdk21[] = "com.shop.Main$$Lambda/0x00007f01c8000a00";

	(void)state;
	assert_true(matches("com.shop.Main$$Lambda*.run", jdk17, "run", "()V"));
	assert_true(matches("com.shop.Main$$Lambda*.run", jdk21, "run", "()V"));
	assert_true(matches("com.shop.Main$$Lambda/*.run", jdk21, "run", "()V"));
	assert_false(matches("com.shop.Main$$Lambda/*.run", jdk17, "run", "()V"));
	assert_true(matches("com.shop.Main$$Lambda/0x00007f01c8000a00.run()", jdk21, "run", "()V"));
}

/* Names in any alphabet, and those other languages make, are taken. */
static void spec_match_other_names(void **state)
{
	(void)state;
	assert_true(matches("caf\xc3\xa9.Th\xc3\xa9.verser", "caf\xc3\xa9.Th\xc3\xa9", "verser",
			    "()V"));
	assert_true(matches("a.Kt.add-UInt_x", "a.Kt", "add-UInt_x", "(I)V"));
	assert_true(matches("a.core$_PLUS_.$1", "a.core$_PLUS_", "$1", "()V"));
	assert_true(matches("a.B.with*spaces", "a.B", "with some spaces", "()V"));
}

/* --- parameters ------------------------------------------------------------------------------- */

/* No list and (..) are any parameters, () none at all. */
static void spec_match_any_or_none(void **state)
{
	(void)state;
	assert_true(takes("", "(IJ)V"));
	assert_true(takes("", "()V"));
	assert_true(takes("(..)", "(IJ)V"));
	assert_true(takes("( .. )", "()V"));
	assert_true(takes("()", "()V"));
	assert_true(takes(" ( ) ", "()V"));
	assert_false(takes("()", "(I)V"));
}

/* Every primitive is known by its name; neither wrapper nor array is the same thing. */
static void spec_match_primitives(void **state)
{
	(void)state;
	assert_true(takes("(boolean,byte,char,short,int,long,float,double)", "(ZBCSIJFD)V"));
	assert_false(takes("(int)", "(J)V"));
	assert_false(takes("(int)", "([I)V"));
	assert_false(takes("(int)", "(Ljava/lang/Integer;)V"));
	assert_false(takes("(Integer)", "(I)V"));
	assert_false(takes("(int)", "(II)V"));
	assert_false(takes("(int, int)", "(I)V"));
	assert_false(takes("(int)", "()V"));
}

/* A class goes by its full or its simple name, not by a part of its package or of its name. */
static void spec_match_class_names(void **state)
{
	static const char desc[] = "(ILjava/lang/String;)V";

	(void)state;
	assert_true(takes("(int, java.lang.String)", desc));
	assert_true(takes("(int,String)", desc));
	assert_false(takes("(int, lang.String)", desc));
	assert_false(takes("(int, ring)", desc));
	assert_false(takes("(int, java.util.String)", desc));
	assert_false(takes("(int, x.java.lang.String)", desc));
	assert_false(takes("(String, int)", desc));
	assert_true(takes("(Cart)", "(LCart;)V"));
	assert_false(takes("(com.Cart)", "(LCart;)V"));
}

/* A nested class goes by any of the names Java programmers use for it. */
static void spec_match_nested_names(void **state)
{
	static const char desc[] = "(Ljava/util/Map$Entry;)V";

	(void)state;
	assert_true(takes("(java.util.Map$Entry)", desc));
	assert_true(takes("(java.util.Map.Entry)", desc));
	assert_true(takes("(Map$Entry)", desc));
	assert_true(takes("(Map.Entry)", desc));
	assert_true(takes("(Entry)", desc));
	assert_false(takes("(Map)", desc));
	assert_false(takes("(util.Map.Entry)", desc));
	assert_false(takes("(java$util$Map$Entry)", desc));
	assert_false(takes("(b.C)", "(La$b/C;)V"));
	assert_true(takes("(B.C)", "(Lp/A$B$C;)V"));
}

/* Arrays have brackets, the last type may have dots instead, and dimensions must agree. */
static void spec_match_arrays(void **state)
{
	(void)state;
	assert_true(takes("(int[])", "([I)V"));
	assert_true(takes("(int [ ] [])", "([[I)V"));
	assert_false(takes("(int[])", "([[I)V"));
	assert_false(takes("(int[])", "(I)V"));
	assert_true(takes("(String[], byte)", "([Ljava/lang/String;B)V"));
	assert_true(takes("(int, String...)", "(I[Ljava/lang/String;)V"));
	assert_true(takes("(java.lang.String ...)", "([Ljava/lang/String;)V"));
	assert_true(takes("(int[]...)", "([[I)V"));
	assert_true(takes("(String[])", "([Ljava/lang/String;)V"));
	assert_false(takes("(String...)", "(Ljava/lang/String;)V"));
}

/* A parameter list never matches what is no descriptor; without a list nobody looks at it. */
static void spec_match_bad_descriptor(void **state)
{
	(void)state;
	assert_false(takes("()", ""));
	assert_false(takes("()", "()"));
	assert_false(takes("(int)", "(I"));
	assert_false(takes("(String)", "(Ljava/lang/String"));
	assert_true(takes("(..)", "garbage"));
}

/* As many parameters and dimensions as the JVM allows are taken. */
static void spec_match_limits(void **state)
{
	_cleanup_free_ char *params = repeat("(", "int,", 254, "int)");
	_cleanup_free_ char *desc = repeat("(", "I", 255, ")V");
	_cleanup_free_ char *dims = repeat("(int", "[]", 255, ")");
	_cleanup_free_ char *dims_desc = repeat("(", "[", 255, "I)V");

	(void)state;
	assert_true(takes(params, desc));
	assert_true(takes(dims, dims_desc));
}

/* --- what stands around them ------------------------------------------------------------------ */

/* "::" and '#' before the method are the '.' there. */
static void spec_match_separators(void **state _unused_)
{
	assert_true(matches("com.shop.Cart::add", "com.shop.Cart", "add", "()V"));
	assert_true(matches("com.shop.Cart#add(int)", "com.shop.Cart", "add", "(I)V"));
	assert_true(matches("Cart#<init>", "Cart", "<init>", "()V"));
	assert_true(matches("com.shop.*::get*", "com.shop.Cart", "getTotal", "()I"));
	assert_false(matches("com.shop.Cart::add", "com.shop.Cart", "sub", "()V"));
}

/* Two stars may stand for the '.' before the method, and for all. */
static void spec_match_all(void **state _unused_)
{
	assert_true(matches("**", "com.shop.Cart", "add", "()V"));
	assert_true(matches("com**", "com.shop.Cart", "add", "()V"));
	assert_true(matches("**add(int)", "com.shop.Cart", "add", "(I)V"));
	assert_false(matches("**add(int)", "com.shop.Cart", "add", "()V"));
	assert_true(matches("**", "", "graal_create_isolate", ""));
}

/* A result behind the parameters must be the method's own, under the rule for any type. */
static void spec_match_result(void **state _unused_)
{
	assert_true(takes("()void", "()V"));
	assert_true(takes("() void", "()V"));
	assert_false(takes("()void", "()I"));
	assert_true(takes("(int)int[]", "(I)[I"));
	assert_false(takes("(int)int", "(I)[I"));
	assert_true(takes("()String", "()Ljava/lang/String;"));
	assert_true(takes("()java.util.Map.Entry", "()Ljava/util/Map$Entry;"));
	assert_true(takes("(..)boolean", "(IJ)Z"));
	assert_false(takes("(..)boolean", "(IJ)V"));
	assert_false(takes("(int)void", "(J)V"));
	assert_false(takes("(..)V", "()V"));
}

/* An address picks the method that is entered there. */
static void spec_match_entry(void **state _unused_)
{
	assert_true(takes("@401000", "()V"));
	assert_true(takes(" @ 0x401000 ", "()V"));
	assert_true(takes("(int)@0X401000", "(I)V"));
	assert_true(takes("(int)void@401000", "(I)V"));
	assert_false(takes("@401008", "()V"));
	assert_false(takes("(int)@401000", "()V"));
}

/* Whether a method is static its descriptor does not say: who knows asks. */
static void spec_is_static_as_written(void **state _unused_)
{
	static const struct {
		const char *spec;
		bool is_static;
	} cases[] = {
		{"static com.shop.Cart.add(int)", true},
		{"  static   com.shop.Cart.add", true},
		{"com.shop.Cart.add(int)", false},
		{"staticcom.shop.Cart.add", false},
		{"static.Cart.add", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_spec_ struct spec *s = parsed(cases[i].spec);

		assert_int_equal(spec_is_static(s), cases[i].is_static);
	}
	assert_true(matches("static com.shop.Cart.add", "com.shop.Cart", "add", "()V"));
}

/* Its parts, as they were written. */
static void spec_parts(void **state _unused_)
{
	_cleanup_spec_ struct spec *s = parsed("static a.B#c(int, Map.Entry[]...)x.Y@0xAbc");
	_cleanup_spec_ struct spec *any = parsed("a.B.c(..)"), *none = parsed("a.B.c()");
	const struct spec_type *params;
	size_t n;

	assert_string_equal(spec_pattern(s), "a.B.c");
	assert_int_equal(spec_entry(s), 0xabc);
	params = spec_params(s, &n);
	assert_int_equal(n, 2);
	assert_string_equal(params[1].name, "Map.Entry");
	assert_int_equal(params[1].dims, 2);
	assert_string_equal(spec_result(s)->name, "x.Y");
	assert_null(spec_params(any, &n));
	assert_int_equal(n, 0);
	assert_null(spec_result(any));
	assert_int_equal(spec_entry(any), 0);
	assert_non_null(spec_params(none, &n));
	assert_int_equal(n, 0);
}

/* What is wrong in the result or the address is told with its place. */
static void spec_parse_bad_end(void **state _unused_)
{
	assert_error("a.B.c(int) x y", 13, "space inside a type: write '\\ ' if it belongs to it");
	assert_error("a.B.c()int[", 11, "'[' without ']'");
	assert_error("a.B.c()int...", 11, "'...' behind a result");
	assert_error("a.B.c()x,", 9, "bad character ','");
	assert_error("a.B.c()x.*", 10, "leave out the result");
	assert_error("a.B.c()x.", 10, "empty name after '.'");
	assert_error("a.B.c().x", 8, "empty name before '.'");
	assert_error("a.B.c()[]", 8, "empty result");
	assert_error("a.B.c()void[]", 8, "void has no arrays");
	assert_error("a.B.c()List<String>", 12, "type arguments");
	assert_error("a.B.c@", 7, "no address");
	assert_error("a.B.c@ ", 8, "no address");
	assert_error("a.B.c@0x", 9, "no address");
	assert_error("a.B.c@x", 7, "no address");
	assert_error("a.B.c@0", 7, "no address of a method");
	assert_error("a.B.c@12345678901234567890123", 7, "no address of a method");
	assert_error("a.B.c()@1 2", 11, "text behind the address");
	assert_error("a.B.c()@1@2", 10, "text behind the address");
	assert_error("a.B.c(int@1)", 10, "'@' in a type");
	assert_error("a@1", 2, "no method");
	assert_error("@1", 1, "empty");
}

/* A long SPEC is shown in part, the column and the cause in full. */
static void spec_parse_shows_the_cause(void **state _unused_)
{
	_cleanup_free_ char *text = repeat("x", "\xc3\xa9", 1500, ".c(");

	assert_error(text, 3004, "close the parameter list");
}

/* --- text and errors -------------------------------------------------------------------------- */

/* Blanks between words are free, and the text stays as the user wrote it. */
static void spec_text_as_written(void **state)
{
	static const char text[] = " \tcom.shop.Cart.add ( int ,\tjava.lang.String ) ";
	_cleanup_spec_ struct spec *s = parsed(text);
	struct method m;

	(void)state;
	assert_string_equal(spec_text(s), text);
	m = method("com.shop.Cart", "add", "(ILjava/lang/String;)V");
	assert_true(spec_match(s, &m));
	spec_free(NULL);
}

/* What is missing or wrong in the name is told with its place. */
static void spec_parse_bad_name(void **state)
{
	(void)state;
	assert_error("", 1, "empty");
	assert_error("   ", 4, "empty");
	assert_error("(int)", 1, "empty");
	assert_error("Cart", 5, "no method");
	assert_error("Cart(int)", 5, "no method");
	assert_error("Cart*", 6, "no method");
	assert_error("<init>", 7, "no method");
	assert_error("com.shop.Cart.", 15, "empty method name");
	assert_error("com.shop.Cart.(int)", 15, "empty method name");
	assert_error("com..Cart.add", 5, "empty name before '.'");
	assert_error(".Cart.add", 1, "empty name before '.'");
	assert_error("com.shop.Cart add", 14,
		     "space inside a name: write '\\ ' if it belongs to it");
	assert_error("com.shop. Cart.add", 10,
		     "space inside a name: write '\\ ' if it belongs to it");
	assert_error("com.shop.Cart.add x (int)", 18,
		     "space inside a name: write '\\ ' if it belongs to it");
	assert_error("com.shop.Cart:add", 14, "write '.'");
	assert_error("com.shop.Cart#add#sub", 18, "write '.'");
	assert_error("com.shop.Cart::add::sub", 19, "write '.'");
	assert_error("com.shop.Cart::add.sub", 19, "bad character '.'");
	assert_error("com.shop.Cart::", 16, "empty method name");
	assert_error("::add", 1, "empty name before '::'");
	assert_error("#add", 1, "empty name before '#'");
	assert_error("a.B:::c", 6, "write '.'");
	assert_error("static", 7, "no method");
	assert_error("static ", 8, "empty");
	assert_error("static static a.B.c", 14,
		     "space inside a name: write '\\ ' if it belongs to it");
	assert_error("a.B.c;", 6, "bad character ';'");
	assert_error("a.B.c[]", 6, "bad character '['");
	assert_error("a.?.c", 3, "bad character '?'");
	assert_error("a.B\x01.c", 4, "bad character 0x01");
	assert_error("a.B.c,d", 6, "bad character ','");
	assert_error("a.B.c/d", 6, "'/' in a method name");
	assert_error("a.B.c)", 6, "')' without '('");
	assert_error("a.List<String>.add", 7, "'<'");
	assert_error("a.B.<new>", 5, "'<'");
	assert_error("a.B.<init", 5, "'<'");
	assert_error("a.B.<init>>", 11, "'>'");
	assert_error("a.<init>.b", 9, "bad character '.'");
	assert_error("a.B.<init>x", 11, "bad character 'x'");
}

/* What is missing or wrong in the parameter list is told with its place. */
static void spec_parse_bad_params(void **state)
{
	(void)state;
	assert_error("a.B.c(", 6, "'(' without ')'");
	assert_error("a.B.c(int", 6, "'(' without ')'");
	assert_error("a.B.c(int[]", 6, "'(' without ')'");
	assert_error("a.B.c(..", 6, "'(' without ')'");
	assert_error("a.B.c(int...", 6, "'(' without ')'");
	assert_error("a.B.c(int))", 11, "')' without '('");
	assert_error("a.B.c((int))", 7, "'(' inside");
	assert_error("a.B.c(int(", 10, "'(' inside");
	assert_error("a.B.c(int,)", 11, "empty parameter type");
	assert_error("a.B.c(,int)", 7, "empty parameter type");
	assert_error("a.B.c(int,,int)", 11, "empty parameter type");
	assert_error("a.B.c([])", 7, "empty parameter type");
	assert_error("a.B.c(...)", 7, "empty parameter type");
	assert_error("a.B.c(int,", 11, "empty parameter type");
	assert_error("a.B.c(int, ..)", 12, "stands alone");
	assert_error("a.B.c(.., int)", 7, "stands alone");
	assert_error("a.B.c( .. , int)", 8, "stands alone");
	assert_error("a.B.c(..int)", 7, "stands alone");
	assert_error("a.B.c(void)", 7, "void");
	assert_error("a.B.c(int, void[])", 12, "void");
	assert_error("new a.B()", 1, "'new': a constructor is CLASS.<init>");
	assert_error("public a.B.c", 1, "'public': leave out all before the class but 'static'");
	assert_error("void a.B.c()", 1, "'void': leave out all before the class but 'static'");
	assert_error("a.B<C>.c", 4,
		     "'<': leave out type arguments; only <init> and <clinit> have it");
	assert_error("a.B.c(B.java:12)", 13,
		     "':' in a type: leave out (FILE:LINE) of a stack trace");
	assert_error(
		"a.B.c(int x)", 10,
		"space inside a type: leave out names of parameters, or write '\\ ' if it belongs to it");
	assert_error(
		"a.B.c(int[] x)", 12,
		"space inside a type: leave out names of parameters, or write '\\ ' if it belongs to it");
	assert_error("a.B.c(java. lang.String)", 12, "empty name after '.'");
	assert_error(
		"a.B.c(java .lang.String)", 11,
		"space inside a type: leave out names of parameters, or write '\\ ' if it belongs to it");
	assert_error("a.B.c(int[]x)", 12, "bad character 'x'");
	assert_error("a.B.c(int[)", 10, "'[' without ']'");
	assert_error("a.B.c(int[", 10, "'[' without ']'");
	assert_error("a.B.c(int])", 10, "bad character ']'");
	assert_error("a.B.c(int..., int)", 10, "before the end");
	assert_error("a.B.c(int...[])", 10, "before the end");
	assert_error("a.B.c(a..b)", 9, "empty name before '.'");
	assert_error("a.B.c(.a)", 7, "empty name before '.'");
	assert_error("a.B.c(a.)", 9, "empty name after '.'");
	assert_error("a.B.c(int, *)", 12, "'*' in a type");
	assert_error("a.B.c(java.*)", 12, "'*' in a type");
	assert_error("a.B.c(List<String>)", 11, "type arguments");
	assert_error("a.B.c(java/lang/String)", 11, "bad character '/'");
	assert_error("a.B.c(int;)", 10, "bad character ';'");
}

/* Beyond the limits a SPEC is refused at the byte that is too much; at them it is taken. */
static void spec_parse_overlong(void **state)
{
	_cleanup_free_ char *most = repeat("a.", "b", SPEC_LEN_MAX - 2, "");
	_cleanup_free_ char *more = repeat("a.", "b", SPEC_LEN_MAX - 1, "");
	_cleanup_free_ char *params = repeat("a.b(", "int,", 255, "int)");
	_cleanup_free_ char *dims = repeat("a.b(int", "[]", 256, ")");
	_cleanup_spec_ struct spec *s = parsed(most);
	struct method m;

	(void)state;
	m = method("a", most + 2, "()V");
	assert_true(spec_match(s, &m));
	assert_error(more, SPEC_LEN_MAX + 1, "longer than");
	assert_error(params, 5 + 255 * 4, "more than 255 parameters");
	assert_error(dims, 8 + 255 * 2, "more than 255 array dimensions");
}

/* Any beginning of a valid SPEC is either valid or refused with a place inside it. */
static void spec_parse_truncated(void **state)
{
	static const char full[] =
		"static com.s*.Outer$In**::<init>(int[], java.util.Map.Entry, Str...)x.Y[]@0x1";

	(void)state;
	for (size_t len = 0; len < sizeof(full); len++) {
		_cleanup_free_ char *cut = strndup(full, len);
		_cleanup_spec_ struct spec *s = NULL;
		struct fail f = {0};
		const char *why;
		int r = spec_parse(cut, &s, &f);

		if (r) {
			assert_int_equal(r, -EINVAL);
			assert_in_range(column_of(&f, &why), 1, len + 1);
			assert_true(strlen(why) > 0);
			assert_null(s);
		} else {
			assert_string_equal(spec_text(s), cut);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(glob_match_literal),
		cmocka_unit_test(glob_match_star),
		cmocka_unit_test(glob_match_two_stars),
		cmocka_unit_test(glob_match_packages),
		cmocka_unit_test(glob_match_long),
		cmocka_unit_test(glob_match_hostile),
		cmocka_unit_test(glob_match_exhaustive),
		cmocka_unit_test(spec_match_exact),
		cmocka_unit_test(spec_match_default_package),
		cmocka_unit_test(spec_match_stars),
		cmocka_unit_test(spec_match_init),
		cmocka_unit_test(spec_match_escapes),
		cmocka_unit_test(spec_parse_bad_escape),
		cmocka_unit_test(spec_match_hidden),
		cmocka_unit_test(spec_match_other_names),
		cmocka_unit_test(spec_match_any_or_none),
		cmocka_unit_test(spec_match_primitives),
		cmocka_unit_test(spec_match_class_names),
		cmocka_unit_test(spec_match_nested_names),
		cmocka_unit_test(spec_match_arrays),
		cmocka_unit_test(spec_match_bad_descriptor),
		cmocka_unit_test(spec_match_limits),
		cmocka_unit_test(spec_match_separators),
		cmocka_unit_test(spec_match_all),
		cmocka_unit_test(spec_match_result),
		cmocka_unit_test(spec_match_entry),
		cmocka_unit_test(spec_is_static_as_written),
		cmocka_unit_test(spec_parts),
		cmocka_unit_test(spec_parse_bad_end),
		cmocka_unit_test(spec_parse_shows_the_cause),
		cmocka_unit_test(spec_text_as_written),
		cmocka_unit_test(spec_parse_bad_name),
		cmocka_unit_test(spec_parse_bad_params),
		cmocka_unit_test(spec_parse_overlong),
		cmocka_unit_test(spec_parse_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
