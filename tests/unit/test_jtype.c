// SPDX-License-Identifier: MIT
/* test_jtype.c - method descriptors (symmap/jtype.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "symmap/jtype.h"
#include "base/util.h"

#define UTF8_MAX 65535

static struct jsignature parsed(const char *desc)
{
	struct jsignature sig;

	if (jsignature_parse(desc, &sig))
		fail_msg("refused: %s", desc);
	return sig;
}

/* In a heap block of its own, so that ASan sees a read beyond the NUL. */
static bool refused(const char *desc)
{
	_cleanup_free_ char *copy = strdup(desc);
	struct jsignature sig;

	return jsignature_parse(copy, &sig) == -EPROTO;
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

static void assert_name(const char *desc, const char *expected)
{
	struct jsignature sig = parsed(desc);
	char buf[256];

	assert_int_equal(jsignature_name(&sig, "K", "m", buf, sizeof(buf)), strlen(expected));
	assert_string_equal(buf, expected);
}

/* Each parameter is given by its tag and the exact bytes it covers. */
static void jsignature_parse_mixed(void **state)
{
	static const char desc[] = "(ILjava/lang/String;[J[[Lx/Y;D)Z";
	static const struct jtype expected[] = {
		{'I', 1, 1}, {'L', 2, 18}, {'[', 20, 2}, {'[', 22, 7}, {'D', 29, 1},
	};
	struct jsignature sig = parsed(desc);

	(void)state;
	assert_ptr_equal(sig.desc, desc);
	assert_int_equal(sig.nparams, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_int_equal(sig.params[i].tag, expected[i].tag);
		assert_int_equal(sig.params[i].off, expected[i].off);
		assert_int_equal(sig.params[i].len, expected[i].len);
	}
	assert_int_equal(sig.ret.tag, 'Z');
	assert_int_equal(sig.ret.off, 31);
	assert_int_equal(sig.ret.len, 1);
}

/* No parameters, and a result of each kind. */
static void jsignature_parse_results(void **state)
{
	(void)state;
	assert_int_equal(parsed("()V").nparams, 0);
	assert_int_equal(parsed("()V").ret.tag, 'V');
	assert_int_equal(parsed("()J").ret.tag, 'J');
	assert_int_equal(parsed("()[[I").ret.tag, '[');
	assert_int_equal(parsed("()[[I").ret.len, 3);
	assert_int_equal(parsed("()Lx;").ret.tag, 'L');
}

/* Every primitive has its Java name. */
static void jsignature_name_primitives(void **state)
{
	(void)state;
	assert_name("(BCDFIJSZ)V", "K.m(byte, char, double, float, int, long, short, boolean)");
}

/* Classes are written with dots, inner ones keep their '$', arrays have brackets behind. */
static void jsignature_name_references(void **state)
{
	(void)state;
	assert_name("()V", "K.m()");
	assert_name("(Ljava/util/Map$Entry;[[I[Ljava/lang/String;)V",
		    "K.m(java.util.Map$Entry, int[][], java.lang.String[])");
	assert_name("(LX;L\xc3\xa9-+ ;)V", "K.m(X, \xc3\xa9-+ )");
}

/* The result's name is had through jtype_name(), void included. */
static void jtype_name_result(void **state)
{
	struct jsignature sig = parsed("()V");
	char buf[64];

	(void)state;
	assert_int_equal(jtype_name(&sig, &sig.ret, buf, sizeof(buf)), 4);
	assert_string_equal(buf, "void");
	sig = parsed("(I)[Ljava/lang/Object;");
	assert_int_equal(jtype_name(&sig, &sig.ret, buf, sizeof(buf)), 18);
	assert_string_equal(buf, "java.lang.Object[]");
}

/* Whatever the buffer's size: the full length is returned, the text cut and terminated. */
static void jtype_name_cut(void **state)
{
	static const char full[] = "K.m(int, java.lang.String[])";
	struct jsignature sig = parsed("(I[Ljava/lang/String;)V");

	(void)state;
	for (size_t size = 1; size <= sizeof(full); size++) {
		_cleanup_free_ char *buf = malloc(size);

		memset(buf, '#', size);
		assert_int_equal(jsignature_name(&sig, "K", "m", buf, size), sizeof(full) - 1);
		assert_int_equal(strlen(buf), size - 1);
		assert_memory_equal(buf, full, size - 1);
	}
	assert_int_equal(jsignature_name(&sig, "K", "m", NULL, 0), sizeof(full) - 1);
	assert_int_equal(jtype_name(&sig, &sig.params[1], NULL, 0), 18);
}

/* A descriptor cut anywhere is refused, and nothing behind its end is read. */
static void jsignature_parse_truncated(void **state)
{
	static const char full[] = "(ILjava/lang/String;[[J[Lx/Y;)Lx/Z;";
	struct jsignature sig;

	(void)state;
	assert_int_equal(jsignature_parse(full, &sig), 0);
	for (size_t len = 0; len < sizeof(full) - 1; len++) {
		_cleanup_free_ char *cut = strndup(full, len);

		assert_true(refused(cut));
	}
}

/* What only resembles a descriptor is refused. */
static void jsignature_parse_malformed(void **state)
{
	static const char *const bad[] = {
		"I",	    "V",       "(V)V",	    "([V)V",	"()[V",	   "(I",
		"(I)",	    "(I)II",   "()V ",	    " ()V",	"(I,I)V",  "(Q)V",
		"(I)T",	    "())V",    "((I)V",	    "()()V",	"(L;)V",   "(L/;)V",
		"(L/a;)V",  "(La/;)V", "(La//b;)V", "(La.b;)V", "(L[I;)V", "(La[;)V",
		"(La[b;)V", "(La/b)V", "([)V",	    "()[",	"()L",	   "(Ljava/lang/String)V",
		"(I)V;",    "(i)V",    "()v",	    "(\x80)V",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!refused(bad[i]))
			fail_msg("taken: %s", bad[i]);
}

/* A refused descriptor leaves the result untouched. */
static void jsignature_parse_result_kept(void **state)
{
	struct jsignature sig = parsed("(IJ)V"), before = sig;

	(void)state;
	assert_int_equal(jsignature_parse("(DDDD)", &sig), -EPROTO);
	assert_memory_equal(&sig, &before, sizeof(sig));
}

/* 255 array dimensions are allowed, 256 are not; neither as parameter nor as result. */
static void jsignature_parse_dimensions(void **state)
{
	_cleanup_free_ char *most = repeat("(", "[", 255, "I)V");
	_cleanup_free_ char *more = repeat("(", "[", 256, "I)V");
	_cleanup_free_ char *more_ret = repeat("()", "[", 256, "Lx;");
	_cleanup_free_ char *only = repeat("(", "[", 60000, "");
	struct jsignature sig = parsed(most);

	(void)state;
	assert_int_equal(sig.params[0].len, 256);
	assert_int_equal(jtype_name(&sig, &sig.params[0], NULL, 0), 3 + 255 * 2);
	assert_true(refused(more));
	assert_true(refused(more_ret));
	assert_true(refused(only));
}

/* 255 words of parameters are allowed, long and double count twice, arrays of them once. */
static void jsignature_parse_words(void **state)
{
	_cleanup_free_ char *ints = repeat("(", "I", 255, ")V");
	_cleanup_free_ char *ints_more = repeat("(", "I", 256, ")V");
	_cleanup_free_ char *longs = repeat("(", "J", 127, "I)V");
	_cleanup_free_ char *longs_more = repeat("(", "D", 127, "J)V");
	_cleanup_free_ char *arrays = repeat("(", "[J", 255, ")D");
	_cleanup_free_ char *endless = repeat("(", "I", 60000, ")V");

	(void)state;
	assert_int_equal(parsed(ints).nparams, 255);
	assert_true(refused(ints_more));
	assert_int_equal(parsed(longs).nparams, 128);
	assert_true(refused(longs_more));
	assert_int_equal(parsed(arrays).nparams, 255);
	assert_true(refused(endless));
}

/* The longest descriptor a class file can hold is taken, one byte more is not. */
static void jsignature_parse_overlong(void **state)
{
	_cleanup_free_ char *most = repeat("(L", "x", UTF8_MAX - 5, ";)V");
	_cleanup_free_ char *more = repeat("(L", "x", UTF8_MAX - 4, ";)V");
	struct jsignature sig = parsed(most);

	(void)state;
	assert_int_equal(strlen(most), UTF8_MAX);
	assert_int_equal(sig.params[0].len, UTF8_MAX - 3);
	assert_int_equal(sig.ret.off, UTF8_MAX - 1);
	assert_int_equal(jtype_name(&sig, &sig.params[0], NULL, 0), UTF8_MAX - 5);
	assert_true(refused(more));
}

/* What Class.getName() gives becomes what Java code says; what is no array stays what it is. */
static void jtype_of_class_name_forms(void **state _unused_)
{
	static const char *const cases[][2] = {
		{"[Ljava.lang.String;", "java.lang.String[]"},
		{"[[I", "int[][]"},
		{"[Lp.A$$Lambda/0x12;", "p.A$$Lambda/0x12[]"},
		{"java.lang.String", "java.lang.String"},
		{"int", "int"},
		{"", ""},
		{"[", "["},
		{"[V", "[V"},
		{"[II", "[II"},
		{"[L;", "[L;"},
		{"[Lx", "[Lx"},
	};
	char buf[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(jtype_of_class_name(cases[i][0], buf, sizeof(buf)),
				 strlen(cases[i][1]));
		assert_string_equal(buf, cases[i][1]);
	}
	assert_int_equal(jtype_of_class_name("[Lab;", buf, 3), 4);
	assert_string_equal(buf, "ab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jtype_of_class_name_forms),
		cmocka_unit_test(jsignature_parse_mixed),
		cmocka_unit_test(jsignature_parse_results),
		cmocka_unit_test(jsignature_name_primitives),
		cmocka_unit_test(jsignature_name_references),
		cmocka_unit_test(jtype_name_result),
		cmocka_unit_test(jtype_name_cut),
		cmocka_unit_test(jsignature_parse_truncated),
		cmocka_unit_test(jsignature_parse_malformed),
		cmocka_unit_test(jsignature_parse_result_kept),
		cmocka_unit_test(jsignature_parse_dimensions),
		cmocka_unit_test(jsignature_parse_words),
		cmocka_unit_test(jsignature_parse_overlong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
