// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): a class, its record of its fields and the texts of its names, whatever
 * they hold. What is told is a name, or a place in an object.
 *
 * The input: which JDK, what is asked for, how many changes of the class, {place, value} for each,
 * length and text of a name, then the record of the fields.
 */
#include "fuzz.h"
#include "lib/fake_jvm.h"
#include "runtime/hotspot/fieldinfo.h"
#include "runtime/hotspot/klass.h"
#include "runtime/hotspot/symbol.h"

#define CHANGES_MAX  32
#define RECORD_ROOM  1024 /* bytes of the record that the input may fill */
#define NAME_ROOM    256
#define FIELDS	     4
#define INSTANCE_MAX (1u << 20)

struct jvm {
	struct fake_jvm j;
	struct vmstructs *vs;
	struct layout layout;
	uint64_t klass, fields, name, method, used;
	uint8_t *copy; /* of the arena, to put it back */
};

static void jvm_make(struct jvm *v, int jdk)
{
	static const struct fake_jfield fields[FIELDS] = {
		{"count", "I", 0x2, 12, false},
		{"items", "[B", 0x12, 16, true},
		{"next", "Lcom/shop/Cart;", 0x2, 20, false},
		{"total", "J", 0xa, 24, false},
	};
	struct fake_target *t = &v->j.t;
	uint64_t record;

	fake_jvm_init(&v->j, jdk);
	v->klass = fake_klass(&v->j, "com/shop/Cart", v->j.object_klass, fields, FIELDS);
	v->method = fake_method(&v->j, v->klass, "add", "(I)V", 1);
	fuzz_check(!fake_jvm_read(&v->j, &v->vs, &v->layout));
	/* Room for any record: a copy of what there is, and more. */
	memcpy(&record, fake_at(t, v->klass + FK_KLASS_FIELDS, 8), 8);
	v->fields = fake_alloc(t, RECORD_ROOM + 64);
	memcpy(fake_at(t, v->fields, 64), fake_at(t, record, 64), 64);
	fake_put64(t, v->klass + FK_KLASS_FIELDS, v->fields);
	v->name = fake_alloc(t, NAME_ROOM + FK_SYMBOL_BODY);
	v->used = t->arena_used;
	v->copy = malloc(v->used);
	memcpy(v->copy, t->arena->data, v->used);
}

static void change(struct jvm *v, struct fuzz_input *in)
{
	struct fake_target *t = &v->j.t;
	size_t n = fuzz_number(in, 1) % CHANGES_MAX, len;

	for (size_t i = 0; i < n && in->len; i++) {
		uint64_t place = fuzz_number(in, 1) % FK_KLASS_SIZE;

		fake_put8(t, v->klass + place, (uint8_t)fuzz_number(in, 1));
	}
	len = fuzz_number(in, 1);
	if (len) {
		fake_put16(t, v->name + FK_SYMBOL_LENGTH, (uint16_t)len);
		fuzz_take(in, fake_at(t, v->name + FK_SYMBOL_BODY, len), len);
		fake_put64(t, v->klass + FK_KLASS_NAME, v->name);
	}
	if (in->len)
		memcpy(fake_at(t, v->fields, RECORD_ROOM), in->p, MIN(in->len, RECORD_ROOM + 0u));
}

static void ask(struct jvm *v, uint8_t what)
{
	static const struct {
		const char *name, *desc;
	} fields[] = {{"count", "I"}, {"items", "[B"}, {"next", "Lcom/shop/Cart;"}, {"no", "Z"}};
	static char text[SYMBOL_MAX + 1];
	struct mem *m = &v->j.t.mem;
	struct strpool *strings = strpool_new();
	struct name_cache *names = name_cache_new(strings);
	struct nmethod nm = {.method_addr = v->method};
	const char *name;
	uint32_t off;
	int n;

	if (!klass_name(m, &v->layout, v->klass, strings, &name))
		fuzz_check(*name);
	n = fieldinfo_offset(m, &v->layout, v->klass, fields[what % 4].name, fields[what % 4].desc,
			     &off);
	fuzz_check(n ? n < 0 : off < INSTANCE_MAX);
	n = symbol_read(m, &v->layout, v->name, text);
	fuzz_check(n <= (int)SYMBOL_MAX && (n <= 0 || strlen(text) == (size_t)n));
	if (n > 0)
		fuzz_check(symbol_equal(m, &v->layout, v->name, "") == 0);
	if (!nmethod_names(m, &v->layout, names, &nm))
		fuzz_check(*nm.m.klass && *nm.m.name && nm.m.desc[0] == '(');
	name_cache_free(names);
	strpool_free(strings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const int jdks[] = {17, 21, 25};
	static struct jvm jvms[ARRAY_SIZE(jdks)];
	struct fuzz_input in = {data, len};
	struct jvm *v = &jvms[fuzz_number(&in, 1) % ARRAY_SIZE(jdks)];
	uint8_t what = (uint8_t)fuzz_number(&in, 1);

	if (!jvms[0].copy)
		for (size_t i = 0; i < ARRAY_SIZE(jdks); i++)
			jvm_make(&jvms[i], jdks[i]);
	change(v, &in);
	ask(v, what);
	memcpy(v->j.t.arena->data, v->copy, v->used);
	return 0;
}
