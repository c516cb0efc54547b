/* SPDX-License-Identifier: MIT */
/*
 * inlined.c - HotSpot's inlining records made compact.
 *
 * There is a PCStackInfo for each PcDesc of the nmethod, in ascending order, innermost method first
 * (share/prims/jvmtiExport.cpp: create_inline_record()). HotSpot itself takes the first one whose
 * pc is not below the pc it looks for (share/code/nmethod.cpp: find_pc_desc_internal(),
 * approximate), so a record stands for the code behind the last one's pc up to and including its
 * own.
 */
#include "inlined.h"

#include <jvmticmlr.h>
#include <string.h>

#include "agent.h"
#include "names.h"

#define METHODS_MAX 255
#define HASH_SLOTS  512
#define FRAMES_MAX  64 /* MaxInlineLevel is 15; inlining for method handles goes some deeper */
#define RECORDS_MAX 65536
#define CHAIN_MAX   8  /* records of other kinds before ours */
#define TAIL_BYTES  64 /* what the line needs behind the last range */

_Static_assert(HASH_SLOTS >= 2 * METHODS_MAX && !(HASH_SLOTS & (HASH_SLOTS - 1)), "hash table");

/* Methods in the order of their first appearance; 0 is the compiled one itself. */
struct table {
	jmethodID method[METHODS_MAX + 1];
	uint16_t slot[HASH_SLOTS]; /* index + 1 */
	size_t n;
};

/* Return: @m's number, a new one if need be; -1 when there are too many. */
static int table_number(struct table *t, jmethodID m, bool add)
{
	size_t at = (uintptr_t)m * 0x9e3779b97f4a7c15 >> 55;

	_Static_assert(HASH_SLOTS == 1 << (64 - 55), "the hash has as many values");
	for (; t->slot[at]; at = (at + 1) % HASH_SLOTS)
		if (t->method[t->slot[at] - 1] == m)
			return t->slot[at] - 1;
	if (!add || t->n > METHODS_MAX)
		return -1;
	t->method[t->n++] = m;
	t->slot[at] = (uint16_t)t->n;
	return (int)t->n - 1;
}

static const jvmtiCompiledMethodLoadInlineRecord *record_find(const void *info)
{
	const jvmtiCompiledMethodLoadRecordHeader *h = info;

	for (int i = 0; h && i < CHAIN_MAX; i++, h = h->next)
		if (h->kind == JVMTI_CMLR_INLINE_INFO)
			return (const jvmtiCompiledMethodLoadInlineRecord *)h;
	return NULL;
}

static bool same_frames(const PCStackInfo *a, const PCStackInfo *b)
{
	size_t n = (size_t)a->numstackframes;

	return a->numstackframes == b->numstackframes &&
	       !memcmp(a->methods, b->methods, n * sizeof(*a->methods)) &&
	       !memcmp(a->bcis, b->bcis, n * sizeof(*a->bcis));
}

static bool is_inlined(const PCStackInfo *p)
{
	return p->numstackframes > 1 && p->numstackframes <= FRAMES_MAX;
}

static bool has_room(const struct text *t)
{
	return !t->failed && t->len <= LINE_MAX_BYTES - TAIL_BYTES;
}

static void write_method(struct text *t, JNIEnv *jni, jmethodID m)
{
	struct names n;

	names_get(&n, jni, m);
	text_str(t, "[");
	text_class(t, n.class_signature);
	text_str(t, ",");
	text_name(t, n.name);
	text_str(t, ",");
	text_name(t, n.descriptor);
	text_str(t, "]");
	names_free(&n);
}

/* Names of the methods but the first. Return: how many have found room, the first included. */
static size_t write_methods(struct text *t, JNIEnv *jni, const struct table *table)
{
	for (size_t i = 1; i < table->n; i++) {
		const struct text before = *t;

		if (i > 1)
			text_str(t, ",");
		write_method(t, jni, table->method[i]);
		/* Half of the line is for the ranges. */
		if (!has_room(t) || t->len > LINE_MAX_BYTES / 2) {
			text_rewind(t, &before);
			return i;
		}
	}
	return table->n;
}

static void write_range(struct text *t, struct table *table, size_t known, const PCStackInfo *p,
			uint64_t first, uint64_t last)
{
	text_str(t, "[");
	text_u64(t, first);
	text_str(t, ",");
	text_u64(t, last);
	for (jint i = 0; i < p->numstackframes; i++) {
		int number = table_number(table, p->methods[i], false);

		t->failed |= number < 0 || (size_t)number >= known;
		text_str(t, ",");
		text_i64(t, number);
		text_str(t, ",");
		text_i64(t, p->bcis[i]);
	}
	text_str(t, "]");
}

/* Return: is any left out? */
static bool write_ranges(struct text *t, struct table *table, size_t known, const PCStackInfo *p,
			 size_t n, uint64_t code, uint64_t size)
{
	uint64_t first = 0, last;
	bool more = false, any = false;

	for (size_t i = 0; i < n; i++, first = last + 1) {
		const struct text before = *t;

		while (i + 1 < n && is_inlined(&p[i]) && same_frames(&p[i], &p[i + 1]))
			i++;
		last = (uint64_t)(uintptr_t)p[i].pc - code;
		if (last < first || last >= size)
			return true;
		more |= p[i].numstackframes > FRAMES_MAX;
		if (!is_inlined(&p[i]))
			continue;
		if (any)
			text_str(t, ",");
		write_range(t, table, known, &p[i], first, last);
		if (!has_room(t)) {
			text_rewind(t, &before);
			more = true;
			continue;
		}
		any = true;
	}
	return more;
}

static void collect(struct table *table, jmethodID self, const PCStackInfo *p, size_t n)
{
	table_number(table, self, true);
	for (size_t i = 0; i < n; i++)
		for (jint f = 0; is_inlined(&p[i]) && f < p[i].numstackframes; f++)
			table_number(table, p[i].methods[f], true);
}

void inlined_write(struct text *t, JNIEnv *jni, jmethodID self, const void *code, jint size,
		   const void *info)
{
	const jvmtiCompiledMethodLoadInlineRecord *r = record_find(info);
	struct table table = {.n = 0};
	const struct text before = *t;
	size_t known, n;

	if (!r || r->numpcs <= 0 || size <= 0)
		return;
	n = r->numpcs < RECORDS_MAX ? (size_t)r->numpcs : RECORDS_MAX;
	collect(&table, self, r->pcinfo, n);
	if (table.n == 1)
		return;
	text_str(t, ",\"inlined\":{\"methods\":[");
	known = write_methods(t, jni, &table);
	text_str(t, "],\"ranges\":[");
	if (!has_room(t)) {
		text_rewind(t, &before);
		return;
	}
	if (write_ranges(t, &table, known, r->pcinfo, n, (uintptr_t)code, (uint64_t)size))
		text_str(t, "],\"truncated\":true}");
	else
		text_str(t, "]}");
}
