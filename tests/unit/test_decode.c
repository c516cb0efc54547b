// SPDX-License-Identifier: MIT
/* test_decode.c - a record and a method's layout become argument values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "output/decode.h"

/* --- a record under construction -------------------------------------------------------------- */

static union {
	struct hp_entry e;
	uint8_t bytes[65536 * 2];
} rec;

static void rec_add(const void *data, size_t len, size_t room)
{
	assert_true(rec.e.h.size + room <= sizeof(rec.bytes));
	memset(rec.bytes + rec.e.h.size, 0xee, room);
	memcpy(rec.bytes + rec.e.h.size, data, len);
	rec.e.h.size += (uint32_t)room;
}

static void rec_begin(uint32_t flags)
{
	static const double fp[HP_FP_ARGS] = {0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5};

	memset(&rec, 0, sizeof(rec.e));
	rec.e.h.size = sizeof(rec.e);
	rec.e.h.kind = HP_ENTRY;
	rec.e.flags = flags;
	for (size_t i = 0; i < HP_GPR_ARGS; i++)
		rec.e.gpr[i] = 0x1000 * (i + 1);
	if (flags & HP_SLOT_FP)
		rec_add(fp, sizeof(fp), sizeof(fp));
}

static void rec_stack(const uint64_t *words, uint16_t n)
{
	rec.e.nstack = n;
	rec_add(words, n * sizeof(*words), n * sizeof(*words));
}

static void rec_refs(const struct hp_ref *refs, uint16_t n)
{
	rec.e.nrefs = n;
	rec_add(refs, n * sizeof(*refs), n * sizeof(*refs));
}

/* The text of the @i-th reference; texts need not be aligned nor adjacent. */
static void rec_text(size_t i, const char *text, size_t len)
{
	size_t refs_off = sizeof(rec.e) + (rec.e.flags & HP_SLOT_FP ? 8 * HP_FP_ARGS : 0) +
			  8 * (size_t)rec.e.nstack;
	struct hp_ref *ref = (struct hp_ref *)(rec.bytes + refs_off) + i;

	rec_add("gap", 3, 3);
	ref->text_off = rec.e.h.size;
	rec_add(text, len, len);
}

static struct hp_ref string_ref(uint16_t text_len, uint32_t array_len, uint8_t coder)
{
	return (struct hp_ref){
		.klass_word = 7, .text_len = text_len, .array_len = array_len, .coder = coder};
}

static const struct hp_ref other_ref = {.klass_word = 8, .coder = HP_CODER_NONE};

static struct decode_view checked(void)
{
	struct decode_view v;

	assert_int_equal(decode_check(&rec.e.h, rec.e.h.size, &v), 0);
	return v;
}

static void assert_broken(void)
{
	struct decode_view v;

	assert_int_equal(decode_check(&rec.e.h, rec.e.h.size, &v), -EPROTO);
}

static const struct capture_list *layout_of(enum abi_convention convention, const char *desc,
					    bool is_static)
{
	static struct capture_list *l;

	free(l);
	l = NULL;
	assert_int_equal(capture_list_new(convention, desc, is_static, &l), 0);
	return l;
}

static const struct capture_list *layout(const char *desc, bool is_static)
{
	return layout_of(ABI_HOTSPOT, desc, is_static);
}

static struct value arg(const struct capture_list *c, const struct decode_view *v, int i)
{
	struct value a;

	decode_value(v, capture_arg(c, i), &a);
	return a;
}

/* --- where arguments are ---------------------------------------------------------------------- */

static void assert_place(const struct capture *c, int kind, int index, int ref)
{
	assert_int_equal(c->place.kind, kind);
	assert_int_equal(c->place.index, index);
	assert_int_equal(c->ref, ref);
}

/* `this` takes the first general register; integers, references and floats count separately. */
static void capture_list_registers(void **state)
{
	const struct capture_list *c = layout("(IDLjava/lang/String;F[JZ)V", false);

	(void)state;
	assert_place(capture_arg(c, -1), ABI_GPR, 0, 0);
	assert_place(capture_arg(c, 0), ABI_GPR, 1, -1);
	assert_place(capture_arg(c, 1), ABI_FP, 0, -1);
	assert_place(capture_arg(c, 2), ABI_GPR, 2, 1);
	assert_place(capture_arg(c, 3), ABI_FP, 1, -1);
	assert_place(capture_arg(c, 4), ABI_GPR, 3, 2);
	assert_place(capture_arg(c, 5), ABI_GPR, 4, -1);
	assert_true(c->uses_fp);
	assert_int_equal(c->nstack, 0);
	assert_int_equal(c->nrefs, 3);
}

/* What finds no register goes to the stack in signature order, one word each. */
static void capture_list_stack(void **state)
{
	const struct capture_list *c = layout("(JJJJJJILjava/lang/Object;DDDDDDDDDFS)V", true);

	(void)state;
	assert_place(capture_arg(c, 5), ABI_GPR, 5, -1);
	assert_place(capture_arg(c, 6), ABI_STACK, 0, -1);
	assert_place(capture_arg(c, 7), ABI_STACK, 8, 0);
	assert_place(capture_arg(c, 15), ABI_FP, 7, -1);
	assert_place(capture_arg(c, 16), ABI_STACK, 16, -1);
	assert_place(capture_arg(c, 17), ABI_STACK, 24, -1);
	assert_place(capture_arg(c, 18), ABI_STACK, 32, -1);
	assert_int_equal(c->nstack, 5);
}

/* A static method without parameters needs nothing; a bad descriptor is refused. */
static void capture_list_edges(void **state)
{
	struct capture_list *none = NULL;
	const struct capture_list *c = layout("()V", true);

	(void)state;
	assert_int_equal(c->nstack, 0);
	assert_int_equal(c->nrefs, 0);
	assert_false(c->uses_fp);
	assert_int_equal(capture_list_new(ABI_HOTSPOT, "(I", true, &none), -EPROTO);
	assert_int_equal(capture_list_new(ABI_HOTSPOT, "", true, &none), -EPROTO);
}

/* 255 parameters are all placed, and references beyond HP_REFS_MAX are marked as not looked into.
 */
static void capture_list_most(void **state)
{
	static char desc[JTYPE_PARAMS_MAX * 3 + 8];
	char *p = desc;

	(void)state;
	*p++ = '(';
	for (int i = 0; i < JTYPE_PARAMS_MAX; i++)
		p = stpcpy(p, "LA;");
	strcpy(p, ")V");

	const struct capture_list *c = layout(desc, true);
	struct hp_slot_spec spec;

	assert_int_equal(c->nstack, JTYPE_PARAMS_MAX - HP_GPR_ARGS);
	assert_int_equal(c->nrefs, HP_REFS_MAX);
	assert_int_equal(capture_arg(c, HP_REFS_MAX - 1)->ref, HP_REFS_MAX - 1);
	assert_int_equal(capture_arg(c, HP_REFS_MAX)->ref, -1);
	capture_slot_spec(c, &spec);
	assert_int_equal(spec.nrefs, HP_REFS_MAX);
	assert_true(spec.nstack <= HP_STACK_WORDS_MAX);
}

/* The probe is told where each reference is, which are Strings, and whether to expect xmm0-7. */
static void slot_spec_refs(void **state)
{
	const struct capture_list *c =
		layout("(Ljava/lang/String;IIIILjava/lang/String;[Ljava/lang/String;D)V", false);
	struct hp_slot_spec spec;

	(void)state;
	capture_slot_spec(c, &spec);
	assert_int_equal(spec.flags, HP_SLOT_FP);
	assert_int_equal(spec.nstack, 2);
	assert_int_equal(spec.nrefs, 4);
	assert_int_equal(spec.ntexts, 2);
	assert_int_equal(spec.refs[0].loc, 0);
	assert_int_equal(spec.refs[0].text, 0);
	assert_int_equal(spec.refs[1].loc, 1);
	assert_int_equal(spec.refs[1].text, 1);
	assert_int_equal(spec.refs[2].loc, HP_LOC_STACK | 8);
	assert_int_equal(spec.refs[2].text, 1);
	assert_int_equal(spec.refs[3].loc, HP_LOC_STACK | 16);
	assert_int_equal(spec.refs[3].text, 0);
}

/* --- values ----------------------------------------------------------------------------------- */

/* Narrow types come from the low bits: what lies above them in the register is not defined. */
static void decode_value_narrow(void **state)
{
	const struct capture_list *c = layout("(ZBSCIJ)V", true);

	(void)state;
	rec_begin(0);
	for (size_t i = 0; i < HP_GPR_ARGS; i++)
		rec.e.gpr[i] = 0xdeadbeeffffffff1;

	struct decode_view v = checked();

	assert_true(arg(c, &v, 0).z);
	assert_int_equal(arg(c, &v, 1).i, -15);
	assert_int_equal(arg(c, &v, 2).i, -15);
	assert_int_equal(arg(c, &v, 3).c, 0xfff1);
	assert_int_equal(arg(c, &v, 4).i, -15);
	assert_true(arg(c, &v, 5).j == (int64_t)0xdeadbeeffffffff1);
	rec.e.gpr[0] = 0xdeadbeef00000000;
	assert_false(arg(c, &v, 0).z);
}

/* Floats and doubles come from the saved registers, and from the stack once those are used up. */
static void decode_value_floats(void **state)
{
	const struct capture_list *c = layout("(FDDDDDDDDF)V", true);
	uint64_t words[2] = {0x4020000000000000, 0xdeadbeef3f000000}; /* 8.0, 0.5f */
	float f = 0.25f;

	(void)state;
	rec_begin(HP_SLOT_FP);
	memcpy(rec.bytes + sizeof(rec.e), &f, sizeof(f));
	rec_stack(words, 2);

	struct decode_view v = checked();

	assert_true(arg(c, &v, 0).f == 0.25f);
	assert_true(arg(c, &v, 1).d == 1.5);
	assert_true(arg(c, &v, 7).d == 7.5);
	assert_true(arg(c, &v, 8).d == 8.0);
	assert_true(arg(c, &v, 9).f == 0.5f);
}

/* Texts are found wherever in the record they are; an empty string has none and is no error. */
static void decode_value_texts(void **state)
{
	const struct capture_list *c =
		layout("(Ljava/lang/String;Ljava/lang/Object;Ljava/lang/String;"
		       "Ljava/lang/String;)V",
		       true);
	struct hp_ref refs[4] = {string_ref(4, 4, 0), other_ref, string_ref(0, 0, 0),
				 string_ref(66, 100, 1)};
	char utf16[66];

	(void)state;
	memset(utf16, 'u', sizeof(utf16));
	rec_begin(0);
	rec_refs(refs, 4);
	rec_text(3, utf16, sizeof(utf16));
	rec_text(0, "pear", 4);

	struct decode_view v = checked();
	struct value a = arg(c, &v, 0);

	assert_null(a.error);
	assert_true(a.ref.known && a.ref.has_text);
	assert_int_equal(a.ref.addr, 0x1000);
	assert_int_equal(a.ref.text.len, 4);
	assert_memory_equal(a.ref.text.s, "pear", 4);
	a = arg(c, &v, 1);
	assert_true(a.ref.known && !a.ref.has_text);
	assert_int_equal(a.ref.klass_word, 8);
	a = arg(c, &v, 2);
	assert_true(a.ref.has_text);
	assert_int_equal(a.ref.text.len, 0);
	a = arg(c, &v, 3);
	assert_int_equal(a.ref.text.len, 66);
	assert_int_equal(a.ref.array_len, 100);
	assert_memory_equal(a.ref.text.s, utf16, 66);
}

/* A text cut inside a surrogate pair, or inside a code unit, is trimmed; a whole one is not. */
static void decode_value_cut_pair(void **state)
{
	static const struct {
		const char *text;
		uint16_t len, array_len, want;
		uint8_t coder;
	} cases[] = {
		{"a\0\x3d\xd8", 4, 6, 2, 1},	  /* high half at the cut */
		{"a\0\x3d\xd8", 4, 4, 4, 1},	  /* a lone surrogate that is all there is */
		{"\x3d\xd8\x00\xde", 4, 6, 4, 1}, /* pair, then the cut */
		{"a\0b\0c", 5, 8, 4, 1},	  /* half a unit */
		{"\xd8\xd8\xd8", 3, 9, 3, 0},	  /* Latin-1 has no pairs */
	};
	const struct capture_list *c = layout("(Ljava/lang/String;)V", true);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct hp_ref ref = string_ref(cases[i].len, cases[i].array_len, cases[i].coder);

		rec_begin(0);
		rec_refs(&ref, 1);
		rec_text(0, cases[i].text, cases[i].len);

		struct decode_view v = checked();

		assert_int_equal(arg(c, &v, 0).ref.text.len, cases[i].want);
	}
}

/* null is known to be null, whatever the record says about it. */
static void decode_value_null(void **state)
{
	const struct capture_list *c = layout("(Ljava/lang/String;)V", true);
	struct hp_ref ref = {.status = HP_REF_NULL, .coder = HP_CODER_NONE};

	(void)state;
	rec_begin(0);
	rec.e.gpr[0] = 0;
	rec_refs(&ref, 1);

	struct decode_view v = checked();
	struct value a = arg(c, &v, 0);

	assert_int_equal(a.ref.addr, 0);
	assert_null(a.error);
	assert_false(a.ref.known);
}

/* A native image's null is what the record says is one, as its register holds the heap base. */
static void decode_value_null_of_image(void **state)
{
	struct hp_ref ref = {.status = HP_REF_NULL, .coder = HP_CODER_NONE};
	const struct capture_list *c;

	(void)state;
	c = layout_of(ABI_NATIVE_IMAGE, "(Ljava/lang/String;)V", true);
	rec_begin(0);
	rec.e.gpr[abi_gpr(ABI_NATIVE_IMAGE, 0)] = 0x7f0000000000;
	rec_refs(&ref, 1);

	struct decode_view v = checked();
	struct value a = arg(c, &v, 0);

	assert_int_equal(a.ref.addr, 0);
	assert_null(a.error);
	assert_false(a.ref.known);
}

/* What could not be read says why, and where the class was read it stays known. */
static void decode_value_unreadable(void **state)
{
	static const struct {
		uint8_t status;
		bool known;
	} cases[] = {{HP_REF_FAULT, false},
		     {HP_REF_STALE, true},
		     {HP_REF_TOO_MANY, true},
		     {HP_REF_NULL, false}, /* at odds with the register */
		     {200, false}};
	const struct capture_list *c = layout("(Ljava/lang/String;)V", true);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct hp_ref ref = {.status = cases[i].status};

		rec_begin(0);
		rec_refs(&ref, 1);

		struct decode_view v = checked();
		struct value a = arg(c, &v, 0);

		assert_non_null(a.error);
		assert_false(a.ref.has_text);
		assert_int_equal(a.ref.known, cases[i].known);
		assert_int_equal(a.ref.addr, 0x1000);
	}
}

/* Stack words that could not be read are errors, one by one; registers stay good. */
static void decode_value_no_stack(void **state)
{
	const struct capture_list *c = layout("(IIIIIII)V", true);
	uint64_t word = 5;

	(void)state;
	rec_begin(0);
	rec_stack(&word, 1);
	rec.e.stack_err = 1;

	struct decode_view v = checked();

	assert_null(arg(c, &v, 5).error);
	assert_non_null(arg(c, &v, 6).error);
	rec.e.stack_err = 0;
	assert_int_equal(arg(c, &v, 6).i, 5);
}

/* A record made for another method (a reused slot) gives errors, never values from elsewhere. */
static void decode_value_other_method(void **state)
{
	const struct capture_list *c = layout("(IIIIIIIDLjava/lang/String;)V", true);

	(void)state;
	rec_begin(0);

	struct decode_view v = checked();

	assert_non_null(arg(c, &v, 6).error);
	assert_non_null(arg(c, &v, 7).error);
	assert_non_null(arg(c, &v, 8).error);
	assert_non_null(arg(c, &v, 9).error);
	assert_non_null(arg(c, &v, -1).error);
}

/* --- records that do not hold together -------------------------------------------------------- */

/* Every way to cut a valid record short is noticed. */
static void decode_check_truncated(void **state)
{
	uint64_t words[3] = {1, 2, 3};
	struct hp_ref ref = string_ref(10, 10, 0);
	struct decode_view v;

	(void)state;
	rec_begin(HP_SLOT_FP);
	rec_stack(words, 3);
	rec_refs(&ref, 1);
	rec_text(0, "0123456789", 10);

	uint32_t whole = rec.e.h.size;

	for (uint32_t size = sizeof(struct hp_record); size < whole; size++) {
		rec.e.h.size = size;
		assert_int_equal(decode_check(&rec.e.h, size, &v), -EPROTO);
	}
	rec.e.h.size = whole;
	checked();
}

/* The size a record states must be the size that was received, and its kind an entry. */
static void decode_check_prefix(void **state)
{
	struct decode_view v;

	(void)state;
	rec_begin(0);
	assert_int_equal(decode_check(&rec.e.h, rec.e.h.size + 8, &v), -EPROTO);
	rec.e.h.kind = HP_THREAD;
	assert_broken();
}

/* Counts beyond their bounds are refused even if the record is long enough for them. */
static void decode_check_counts(void **state)
{
	(void)state;
	rec_begin(0);
	rec.e.h.size = sizeof(rec.bytes);
	rec.e.nstack = HP_STACK_WORDS_MAX + 1;
	assert_broken();
	rec.e.nstack = 0;
	rec.e.nrefs = HP_REFS_MAX + 1;
	assert_broken();
}

/* A text longer than its array or the bound, or one of a reference that was not read, is refused.
 */
static void decode_check_texts(void **state)
{
	enum { REFS_END = sizeof(struct hp_entry) + sizeof(struct hp_ref) };
	static const struct {
		struct hp_ref ref;
		bool good;
	} cases[] = {
		{{.text_len = 4, .array_len = 4, .text_off = REFS_END}, true},
		{{.text_len = 4, .array_len = 4, .text_off = sizeof(rec.bytes) - 4}, true},
		{{.text_len = 5, .array_len = 4, .text_off = REFS_END}, false},
		{{.text_len = HP_TEXT_MAX + 1, .array_len = 60000, .text_off = REFS_END}, false},
		{{.text_len = 4, .array_len = 4, .coder = 2, .text_off = REFS_END}, false},
		{{.text_len = 4, .array_len = 4, .status = HP_REF_FAULT, .text_off = REFS_END},
		 false},
		{{.text_len = 4, .array_len = 4, .text_off = REFS_END - 1}, false},
		{{.text_len = 4, .array_len = 4, .text_off = sizeof(rec.bytes) - 3}, false},
		{{.text_len = 4, .array_len = 4, .text_off = UINT32_MAX}, false},
	};
	struct decode_view v;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		rec_begin(0);
		rec_refs(&cases[i].ref, 1);
		rec.e.h.size = sizeof(rec.bytes);
		assert_int_equal(decode_check(&rec.e.h, sizeof(rec.bytes), &v),
				 cases[i].good ? 0 : -EPROTO);
	}
}

static const char *name_or_why(void *arg, const struct probe *p, uint64_t klass_word,
			       const char **why)
{
	static char name[16];

	assert_ptr_equal(arg, name_or_why);
	assert_non_null(p);
	if (klass_word == 9)
		*why = "it was unloaded";
	snprintf(name, sizeof(name), "k%d", (int)klass_word);
	return klass_word == 9 ? NULL : name;
}

/* Objects are given their class's name, or the reason why there is none; nobody is asked twice. */
static void decode_call_names_classes(void **state _unused_)
{
	const struct hp_ref refs[] = {
		other_ref, {.klass_word = 9, .coder = HP_CODER_NONE}, {.status = HP_REF_FAULT}};
	struct encoder *e = encoder_new("json", &(struct encoder_options){0}, NULL);
	struct decode d = {.encoder = e, .klass = name_or_why, .klass_arg = name_or_why};
	struct probe p = {.method = {.klass = "A", .name = "b", .desc = "", .symbol = ""}};
	struct decode_view v;
	struct event ev;

	p.captures =
		(struct capture_list *)layout("(Ljava/lang/Object;Ljava/lang/Object;)V", false);
	rec_begin(0);
	rec_refs(refs, 3);
	v = checked();
	decode_call(&d, &p, &v, &ev);
	assert_string_equal(ev.call.values[0].ref.klass, "k8");
	assert_null(ev.call.values[0].ref.unnamed);
	assert_null(ev.call.values[1].ref.klass);
	assert_string_equal(ev.call.values[1].ref.unnamed, "it was unloaded");
	assert_non_null(ev.call.values[2].error);
	decode_fini(&d);
	encoder_free(e);
}

/* A name of a thread that was cut says so, and is not cut inside a pair of surrogates. */
static void decode_thread_cut(void **state _unused_)
{
	struct encoder *e = encoder_new("json", &(struct encoder_options){0}, NULL);
	struct decode d = {.encoder = e};
	struct hp_thread t = {
		.h = {.kind = HP_THREAD}, .java_tid = 5, .text_len = 4, .name_len = 6, .coder = 1};

	memcpy(t.text, "a\0\x3d\xd8", 4);
	decode_thread(&d, &t.h, sizeof(t));
	assert_string_equal(names_get(&d.threads, 5)->text, "\"a\",\"thread_truncated\":true");
	t.name_len = 4;
	decode_thread(&d, &t.h, sizeof(t));
	assert_string_equal(names_get(&d.threads, 5)->text,
			    "\"a\xef\xbf\xbd\",\"thread_replaced\":1");
	decode_fini(&d);
	encoder_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capture_list_registers),
		cmocka_unit_test(capture_list_stack),
		cmocka_unit_test(capture_list_edges),
		cmocka_unit_test(capture_list_most),
		cmocka_unit_test(slot_spec_refs),
		cmocka_unit_test(decode_value_narrow),
		cmocka_unit_test(decode_value_floats),
		cmocka_unit_test(decode_value_texts),
		cmocka_unit_test(decode_value_cut_pair),
		cmocka_unit_test(decode_value_null),
		cmocka_unit_test(decode_value_null_of_image),
		cmocka_unit_test(decode_value_unreadable),
		cmocka_unit_test(decode_value_no_stack),
		cmocka_unit_test(decode_value_other_method),
		cmocka_unit_test(decode_check_truncated),
		cmocka_unit_test(decode_check_prefix),
		cmocka_unit_test(decode_check_counts),
		cmocka_unit_test(decode_check_texts),
		cmocka_unit_test(decode_call_names_classes),
		cmocka_unit_test(decode_thread_cut),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
