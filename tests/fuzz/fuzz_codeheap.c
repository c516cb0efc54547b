// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): a whole fake JVM with some of its bytes changed, through everything that
 * reads a target. The input: which JDK, then {region, offset, value} for each byte.
 */
#include "lib/fake_jvm.h"
#include "runtime/hotspot/fieldinfo.h"
#include "runtime/hotspot/klass.h"

#define CHANGE_LEN  5
#define CHANGES_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A JVM as it was built, and a copy of its memory to put it back. */
struct image {
	struct fake_jvm j;
	uint64_t arena_used; /* what there is of the arena before the tables are written */
	uint8_t *copies[FAKE_REGIONS_MAX];
};

struct seen {
	const struct layout *l;
	uint64_t end;
};

static void image_init(struct image *im, int jdk)
{
	struct fake_jvm *j = &im->j;

	fake_jvm_init(j, jdk);
	uint64_t k = fake_klass(j, "com/shop/Cart", j->object_klass, NULL, 0);
	for (int i = 0; i < 5; i++) {
		char name[] = "method0";
		name[6] = (char)('0' + i);
		const struct fake_nm nm = {
			.method = fake_method(j, k, name, "(I[J)Ljava/lang/String;", 1),
			.level = i,
			.entry_bci = i == 2 ? 5 : -1,
			.id = (uint32_t)i,
			.code_len = 100};
		fake_nmethod(j, &j->heaps[0], &nm);
	}
	fake_block(j, &j->heaps[0], 300);
	struct fake_z z;
	fake_z(j, jdk > 21, &z);
	fake_tables_write(&j->t);
	for (size_t i = 0; i < j->t.nregions; i++) {
		im->copies[i] = malloc(j->t.regions[i].len);
		memcpy(im->copies[i], j->t.regions[i].data, j->t.regions[i].len);
	}
	im->arena_used = j->t.arena_used;
}

/* The bytes that matter lie at the front of each region. */
static uint64_t region_used(const struct image *im, size_t i)
{
	const struct fake_region *r = &im->j.t.regions[i];

	return r == im->j.t.arena ? im->arena_used : MIN(r->len, 4096u);
}

static void image_restore(struct image *im)
{
	for (size_t i = 0; i < im->j.t.nregions; i++)
		memcpy(im->j.t.regions[i].data, im->copies[i], region_used(im, i));
}

static void image_change(struct image *im, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < CHANGES_MAX && len >= CHANGE_LEN; i++, len -= CHANGE_LEN) {
		const uint8_t *c = data + i * CHANGE_LEN;
		size_t region = c[0] % im->j.t.nregions;
		uint64_t off = c[1] | (uint64_t)c[2] << 8 | (uint64_t)c[3] << 16;
		im->j.t.regions[region].data[off % region_used(im, region)] = c[4];
	}
}

/* What the walk promises of each nmethod. */
static int check(const struct nmethod *nm, void *arg)
{
	struct seen *s = arg;

	if (!(nm->m.begin <= nm->m.entry && nm->m.entry < nm->m.end) || nm->addr < s->end ||
	    nm->addr < s->l->code_low || nm->m.end > s->l->code_high || nm->state == NMETHOD_DEAD ||
	    nm->level < 0 || nm->level > 4 || !nm->m.klass || !nm->m.name || nm->m.desc[0] != '(')
		abort();
	s->end = nm->m.end;
	return 0;
}

static void run_walk(struct image *im, struct vmstructs *vs)
{
	struct mem *m = &im->j.t.mem;
	struct layout l;

	if (layout_read(m, vs, &l) == 0) {
		struct strpool *strings = strpool_new();
		struct name_cache *names = name_cache_new(strings);
		struct seen s = {.l = &l};
		const char *name;
		uint32_t off;
		codeheap_walk(m, &l, names, check, &s);
		if (klass_name(m, &l, im->j.thread_klass, strings, &name) == 0 && !name[0])
			abort();
		fieldinfo_offset(m, &l, im->j.string_klass, "nothing", "I", &off);
		name_cache_free(names);
		strpool_free(strings);
	}
	layout_fini(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const int jdks[] = {17, 21, 25};
	static struct image images[ARRAY_SIZE(jdks)];
	struct vmstructs *vs;

	if (!images[0].copies[0])
		for (size_t i = 0; i < ARRAY_SIZE(jdks); i++)
			image_init(&images[i], jdks[i]);
	if (len == 0)
		return 0;
	struct image *im = &images[data[0] % ARRAY_SIZE(jdks)];
	image_change(im, data + 1, len - 1);
	if (vmstructs_read(&im->j.t.mem, fake_symbol, &im->j.t, &vs) == 0) {
		run_walk(im, vs);
		vmstructs_free(vs);
	}
	image_restore(im);
	return 0;
}
