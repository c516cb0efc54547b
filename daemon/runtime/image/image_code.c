// SPDX-License-Identifier: MIT
/* image_code.c - method starts and their names, from the tables of ImageCodeInfo. See image_code.h.
 */
#include "runtime/image/image_code.h"
#include "runtime/image/image_frame.h"

/* CodeInfoDecoder.java: what the two bits of each field mean. */
enum { FI_NONE, FI_DEOPT_ENTRY, FI_INFO_ONLY, FI_DEFAULT };

/* Bits of a frame size, which is a multiple of 8. Versions before those seen wrote -1 times it. */
#define FS_START   1
#define FS_C_ENTRY 2

/* One index entry per so many bytes of code. */
#define INDEX_STEP 256u

/* pkl 0.30.2 has 56 000. */
#define STARTS_MAX (1u << 20)

/* Bytes of frames read in all: 12 MB of a list each for 570 000 calls of pkl 0.25.1-2. */
#define WORK_MAX (1ull << 30)

/* Methods start on such a boundary on both machines. */
#define START_ALIGN 16

/* How the entries are written. */
struct form {
	bool lazy;     /* one more byte after the frame index of a deoptimization entry (JDK 25) */
	bool defaults; /* method starts have a frame of their own (JDK 21+) */
};

struct entry {
	uint64_t ip;
	uint32_t pos;
	int32_t frame_size; /* 0: as before */
	uint8_t fi;
	uint32_t frame;
	uint8_t delta; /* to the next entry; 0 for the last */
};

struct cursor {
	const struct span *s;
	uint32_t pos;
	uint64_t ip;
	bool bad;
};

static uint32_t take(struct cursor *c, uint8_t size)
{
	uint32_t v = 0;

	if (size > c->s->len - c->pos) {
		c->bad = true;
		return 0;
	}
	memcpy(&v, c->s->p + c->pos, size);
	c->pos += size;
	return v;
}

static int32_t sign_extend(uint32_t v, uint8_t size)
{
	return size == 1 ? (int8_t)v : size == 2 ? (int16_t)v : (int32_t)v;
}

/* Take the entry at @c, which is moved to the next. Return: false past the end. */
static bool next_entry(struct cursor *c, const struct form *form, struct entry *e)
{
	static const uint8_t signed_size[] = {0, 1, 2, 4}, map_size[] = {0, 0, 2, 4};
	uint8_t flags, size;

	*e = (struct entry){.ip = c->ip, .pos = c->pos};
	flags = (uint8_t)take(c, 1);
	e->delta = (uint8_t)take(c, 1);
	size = signed_size[flags & 3];
	e->frame_size = size ? sign_extend(take(c, size), size) : 0;
	take(c, signed_size[flags >> 2 & 3]); /* exception handler */
	take(c, map_size[flags >> 4 & 3]);    /* reference map */
	e->fi = flags >> 6;
	if (e->fi != FI_NONE)
		e->frame = take(c, 4);
	if (form->lazy && e->fi == FI_DEOPT_ENTRY)
		take(c, 1);
	c->ip += e->delta;
	return !c->bad;
}

static bool is_start(const struct entry *e)
{
	return e->frame_size > 0 && e->frame_size & FS_START;
}

/* The index has an entry for each multiple of its step, and it leads here. */
static bool index_leads(const struct image_info *info, const struct entry *e, uint32_t *i)
{
	uint32_t pos;

	if (e->ip > (uint64_t)*i * INDEX_STEP)
		return *i == info->index.len / 4;
	if (e->ip < (uint64_t)*i * INDEX_STEP)
		return true;
	if (*i >= info->index.len / 4)
		return false;
	memcpy(&pos, info->index.p + (size_t)*i * 4, 4);
	++*i;
	return pos == e->pos;
}

/* Do the entries, read as @form says, fill their array and agree with the index? */
static bool form_fits(const struct image_info *info, struct form *form, size_t *nstarts)
{
	struct cursor c = {.s = &info->encodings};
	struct entry e;
	uint32_t indexed = 0;
	size_t n = 0;

	do {
		if (!next_entry(&c, form, &e) || e.ip >= info->code_size || e.frame_size < 0 ||
		    !index_leads(info, &e, &indexed))
			return false;
		form->defaults |= e.fi == FI_DEFAULT;
		if (!is_start(&e)) {
			if (!n)
				return false; /* relative address 0 is the start of a method */
			continue;
		}
		if (e.ip % START_ALIGN || ++n > STARTS_MAX)
			return false;
	} while (e.delta);
	*nstarts = n;
	return c.pos == info->encodings.len && indexed == info->index.len / 4;
}

static bool find_form(const struct image_info *info, struct form *ret, size_t *nstarts)
{
	for (int lazy = 0; lazy < 2; lazy++) {
		*ret = (struct form){.lazy = lazy};
		if (form_fits(info, ret, nstarts))
			return true;
	}
	return false;
}

/* --- names ------------------------------------------------------------------------------------ */

/* Go through the entries again, now that they are known to be sound. */
#define each_entry(c, form, e)                                                                     \
	for (bool more_ = true; more_ && next_entry(c, form, e); more_ = (e)->delta != 0)

static void add_start(const struct entry *e, struct code_start *starts, size_t *n)
{
	if (is_start(e))
		starts[(*n)++] = (struct code_start){
			.ip = (uint32_t)e->ip,
			.klass = CODE_NO_NAME,
			.name = CODE_NO_NAME,
			.c_entry = e->frame_size & FS_C_ENTRY,
		};
}

/* JDK 21+: a method's first entry has a frame for the method itself. */
static int name_by_default(const struct image_info *info, const struct form *form,
			   struct code_start *starts)
{
	enum frame_form frames = info->methods.len ? FRAME_METHODS : FRAME_SHARED;
	struct cursor c = {.s = &info->encodings};
	struct method_table table = {0};
	uint32_t max_id = 0;
	struct frame f;
	struct entry e;
	size_t n = 0;

	each_entry(&c, form, &e)
	{
		add_start(&e, starts, &n);
		if (!is_start(&e) || e.fi != FI_DEFAULT)
			continue;
		if (image_frame_default(info, frames, e.frame, &f))
			return -EOPNOTSUPP;
		starts[n - 1].klass = frames == FRAME_METHODS ? f.method : f.klass;
		starts[n - 1].name = frames == FRAME_METHODS ? 0 : f.name;
		max_id = frames == FRAME_METHODS ? MAX(max_id, f.method) : 0;
	}
	if (frames != FRAME_METHODS)
		return 0;
	if (image_methods_open(info, max_id, &table))
		return -EOPNOTSUPP;
	for (size_t i = 0; i < n; i++) {
		if (starts[i].klass == CODE_NO_NAME)
			continue;
		if (image_methods_get(info, &table, starts[i].klass, &f))
			return -EOPNOTSUPP;
		starts[i].klass = f.klass;
		starts[i].name = f.name;
	}
	return 0;
}

/* Before: what the method's call sites were inlined into, if that is anything, is the method. */
static int name_by_calls(const struct image_info *info, const struct form *form,
			 enum frame_form frames, struct code_start *starts)
{
	struct cursor c = {.s = &info->encodings};
	struct frame f;
	struct entry e;
	size_t n = 0;

	each_entry(&c, form, &e)
	{
		struct code_start *s;

		add_start(&e, starts, &n);
		if (e.fi == FI_NONE)
			continue;
		s = &starts[n - 1];
		if (e.fi == FI_DEFAULT || image_frame_outermost(info, frames, e.frame, &f))
			return -EOPNOTSUPP;
		if (s->klass == CODE_NO_NAME) {
			s->klass = f.klass;
			s->name = f.name;
		}
		if (s->klass != f.klass || s->name != f.name)
			return -EOPNOTSUPP;
	}
	return 0;
}

int image_code_read(const struct image_info *from, struct code_start **ret, size_t *n_ret)
{
	uint64_t work = WORK_MAX;
	struct image_info copy = *from, *info = &copy;
	_cleanup_free_ struct code_start *starts = NULL;
	struct form form;
	size_t n;
	int err;

	info->work = &work;
	if (!find_form(info, &form, &n))
		return -EOPNOTSUPP;
	starts = calloc(n, sizeof(*starts));
	if (!starts)
		return -ENOMEM;
	if (form.defaults) {
		err = name_by_default(info, &form, starts);
	} else {
		err = name_by_calls(info, &form, FRAME_PLAIN, starts);
		if (err)
			err = name_by_calls(info, &form, FRAME_SHARED, starts);
	}
	if (err)
		return err;
	*ret = take_ptr(starts);
	*n_ret = n;
	return 0;
}
