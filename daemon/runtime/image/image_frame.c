// SPDX-License-Identifier: MIT
/*
 * image_frame.c - frames in the tables of ImageCodeInfo. See image_frame.h.
 *
 * Source: oracle/graal substratevm/src/com.oracle.svm.core/src/com/oracle/svm/core/code/
 * FrameInfoDecoder.java and FrameInfoEncoder.java; numbers as in jdk.graal.compiler
 * TypeReader/UnsafeArrayTypeReader (getSV, getUV).
 */
#include "base/budget.h"
#include "runtime/image/image_frame.h"

/* A byte under 192 ends a number; further bytes count in units of 64. At most 11 bytes. */
#define LOW_CODES	 192
#define HIGH_SHIFT	 6
#define NUMBER_BYTES_MAX 11

/* What decoding a byte costs, as bytes copied. */
#define FRAME_BYTE_COST 32

/* Methods inlined into each other; 60 deep was seen. */
#define DEPTH_MAX 1024

/* Values of a frame with local variables: JVMS allows 65535 locals, and as many on the stack. */
#define VALUES_MAX	    (1u << 18)
#define VIRTUAL_OBJECTS_MAX (1u << 16)

/* What begins a list instead of a frame, or a frame instead of a bci. */
#define MARK_UNCOMPRESSED (-1)
#define MARK_NO_CALLER	  (-1)
#define MARK_NO_LOCALS	  (-2)
#define POINTER_ADDEND	  2

struct reader {
	const uint8_t *p;
	uint32_t len, pos;
	uint64_t *work;
	bool bad; /* past the end, or too much: what is returned means nothing */
};

static uint8_t read_u1(struct reader *r)
{
	if (r->pos >= r->len || !*r->work || budget_spend_bytes(FRAME_BYTE_COST)) {
		r->bad = true;
		return 0;
	}
	--*r->work;
	return r->p[r->pos++];
}

static uint64_t read_uv(struct reader *r)
{
	uint64_t v = 0;
	uint8_t b = 0;

	for (unsigned int i = 0; i < NUMBER_BYTES_MAX; i++) {
		b = read_u1(r);
		v += (uint64_t)b << (i * HIGH_SHIFT);
		if (b < LOW_CODES)
			break;
	}
	return v;
}

static int64_t read_sv(struct reader *r)
{
	uint64_t v = read_uv(r);

	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static struct reader reader_at(const struct image_info *info, uint64_t at)
{
	struct reader r = {.p = info->frames.p, .len = info->frames.len, .work = info->work};

	if (at > r.len)
		r.bad = true;
	else
		r.pos = (uint32_t)at;
	return r;
}

static bool set_frame(const struct image_info *info, int64_t klass, int64_t name, struct frame *ret)
{
	if (klass < 0 || klass >= info->nclasses || name < 0 || name >= info->nnames)
		return false;
	ret->klass = (uint32_t)klass;
	ret->name = (uint32_t)name;
	return true;
}

/* --- lists without sharing -------------------------------------------------------------------- */

/*
 * Is a value of this type followed by a number? Types as seen in 22.3.1: none, stack slot,
 * register, reserved register, constant, default constant, virtual object.
 */
static const bool has_data[8] = {false, true, true, true, true, false, true, false};

static void skip_values(struct reader *r, uint64_t n)
{
	if (n > VALUES_MAX)
		r->bad = true;
	for (uint64_t i = 0; i < n && !r->bad; i++)
		if (has_data[read_u1(r) & 7])
			read_sv(r);
}

static void skip_locals(struct reader *r, bool first)
{
	uint64_t n;

	for (int i = 0; i < 3; i++) /* locks, locals, stack */
		read_uv(r);
	read_sv(r); /* deoptimization target */
	skip_values(r, read_uv(r));
	if (!first)
		return;
	n = read_uv(r);
	if (n > VIRTUAL_OBJECTS_MAX)
		r->bad = true;
	for (uint64_t i = 0; i < n && !r->bad; i++)
		skip_values(r, read_uv(r));
}

static int plain_outermost(const struct image_info *info, struct reader *r, bool extra,
			   struct frame *ret)
{
	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		int64_t bci = read_sv(r), klass, name;

		if (r->bad)
			return -EPROTO;
		if (bci == MARK_NO_CALLER)
			return depth ? 0 : -EPROTO;
		if (bci != MARK_NO_LOCALS)
			skip_locals(r, depth == 0);
		klass = read_sv(r);
		name = read_sv(r);
		read_sv(r); /* line */
		if (extra)
			read_sv(r);
		if (r->bad || !set_frame(info, klass, name, ret))
			return -EPROTO;
	}
	return -EPROTO;
}

/* --- lists with sharing ----------------------------------------------------------------------- */

/* One frame whose first value has been read. @next: where its only caller is, or -1. */
static bool shared_frame(const struct image_info *info, struct reader *r, int64_t klass,
			 struct frame *ret, int64_t *next, bool *last)
{
	int64_t name = read_sv(r), line = read_sv(r);

	*next = name < 0 ? read_sv(r) : -1;
	*last = line < 0;
	if (name < 0)
		name = -(name + 1);
	return !r->bad && set_frame(info, klass, name, ret) && !(name < 0 && *last);
}

static int shared_outermost(const struct image_info *info, struct reader *r, int64_t first,
			    struct frame *ret)
{
	int64_t next = -1;
	bool last = false;

	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		struct reader away, *from = r;
		int64_t klass = depth || next >= 0 ? 0 : first;

		if (next >= 0) {
			away = reader_at(info, (uint64_t)next);
			from = &away;
		}
		if (depth)
			klass = read_sv(from);
		if (klass < -1 && from == r) {
			away = reader_at(info, (uint64_t) - (klass + POINTER_ADDEND));
			from = &away;
			klass = read_sv(from);
		}
		if (!shared_frame(info, from, klass, ret, &next, &last))
			return -EPROTO;
		if (last)
			return 0;
	}
	return -EPROTO;
}

int image_frame_outermost(const struct image_info *info, enum frame_form form, uint32_t at,
			  struct frame *ret)
{
	struct reader r = reader_at(info, at);
	int64_t first;

	if (form == FRAME_PLAIN)
		return plain_outermost(info, &r, false, ret);
	first = read_sv(&r);
	if (r.bad || form != FRAME_SHARED)
		return -EPROTO;
	return first == MARK_UNCOMPRESSED ? plain_outermost(info, &r, true, ret)
					  : shared_outermost(info, &r, first, ret);
}

int image_frame_default(const struct image_info *info, enum frame_form form, uint32_t at,
			struct frame *ret)
{
	struct reader r = reader_at(info, at);
	int64_t first = read_sv(&r), next;
	bool last;

	if (first < -1) {
		r = reader_at(info, (uint64_t) - (first + POINTER_ADDEND));
		first = read_sv(&r);
	}
	if (r.bad || first < 0 || first > INT32_MAX)
		return -EPROTO;
	if (form == FRAME_METHODS) {
		ret->method = (uint32_t)first;
		return read_sv(&r) < 0 && !r.bad ? 0
						 : -EPROTO; /* the line: none, and the list ends */
	}
	return shared_frame(info, &r, first, ret, &next, &last) && last ? 0 : -EPROTO;
}

/* --- JDK 23+: the method table ---------------------------------------------------------------- */

static uint8_t index_size(uint32_t n)
{
	return n <= UINT16_MAX ? 2 : 4;
}

static uint32_t load(const uint8_t *p, uint8_t size)
{
	uint32_t v = 0;

	memcpy(&v, p, size);
	return v;
}

int image_methods_get(const struct image_info *info, const struct method_table *t, uint32_t id,
		      struct frame *ret)
{
	const uint8_t *p = t->p + (size_t)id * t->row;

	if (id >= t->n)
		return -EPROTO;
	return set_frame(info, load(p, t->klass_size), load(p + t->klass_size, t->name_size), ret)
		       ? 0
		       : -EPROTO;
}

static bool rows_fit(const struct image_info *info, struct method_table *t, uint8_t extra,
		     uint32_t max_id)
{
	struct frame f;

	t->row = (uint8_t)(t->klass_size + t->name_size + extra);
	if (info->methods.len % t->row)
		return false;
	t->n = info->methods.len / t->row;
	for (uint32_t i = 0; i < t->n; i++)
		if (image_methods_get(info, t, i, &f))
			return false;
	return max_id < t->n;
}

int image_methods_open(const struct image_info *info, uint32_t max_id, struct method_table *ret)
{
	/* Signature (2 or 4 bytes) and modifiers (2), where there is JFR. */
	static const uint8_t extras[] = {6, 4, 0};
	struct method_table t = {.p = info->methods.p,
				 .klass_size = index_size(info->nclasses),
				 .name_size = index_size(info->nnames)};

	for (size_t i = 0; i < ARRAY_SIZE(extras); i++) {
		if (rows_fit(info, &t, extras[i], max_id)) {
			*ret = t;
			return 0;
		}
	}
	return -EOPNOTSUPP;
}
