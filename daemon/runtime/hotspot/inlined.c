// SPDX-License-Identifier: MIT
/*
 * inlined.c - which compiled bodies hold a copy of a method. See inlined.h.
 *
 * A body has a list of metadata (Method*, Klass*, ...), and other parts of it name these by their
 * number, from 1 on. First the lists of all bodies are held against the methods in question: most
 * have none of them. That a Method* is on a list does not say that it was inlined: it may be called
 * from there. So the few that are left are decoded:
 *
 *   dependencies   a byte for the kind and numbers in UNSIGNED5, by kind in rising order. The first
 *                  kind is evol_method: a method that was parsed for this body, the body's own
 *                  among them.
 *   debug info     PcDesc {pc, offset of the scope, ...}; scope: offset of the caller's scope,
 *                  number of the method, ... in UNSIGNED5.
 *
 * Source: share/code/{nmethod.hpp,dependencies.{hpp,cpp},pcDesc.hpp,scopeDesc.cpp,
 * debugInfo.hpp,compressedStream.cpp}, share/utilities/unsigned5.hpp.
 */
#include "base/budget.h"
#include "base/stop.h"
#include "runtime/hotspot/inlined.h"
#include "runtime/hotspot/layout_code.h"

/* Bodies whose lists are read together. */
#define BATCH_MAX 256

/* C2 gives up at 80 000 nodes: parts of a body larger than this are made up. */
#define LIST_MAX  (64u << 10)
#define PIECE_MAX (2u << 20)

#define COPIES_MAX (1u << 16)

/* To look for a method among those in question costs as much as to read so many bytes. */
#define LOOK_BYTES 64

#define DEP_EVOL_METHOD 1 /* Dependencies::evol_method, which has no context */

#define PCDESC_SIZE  16
#define PCDESC_SCOPE 4 /* of an int */

struct piece {
	uint64_t addr, len;
};

/* Where a body keeps what it was made of. */
struct parts {
	struct piece list, deps, pcs, scopes;
};

struct candidate {
	const struct nmethod *nm;
	struct parts parts;
	uint8_t *list;
	uint8_t first_dep;
};

struct search {
	struct mem *m;
	const struct layout *l;
	const uint64_t *methods;
	size_t nmethods;
	struct inlined *ret;
	size_t n;
	struct candidate batch[BATCH_MAX];
	uint8_t fronts[BATCH_MAX][NMETHOD_SPAN_MAX];
	struct mem_vec vec[2 * BATCH_MAX];
};

/* --- where ------------------------------------------------------------------------------------ */

/* [@begin, @end), or nothing if that is no such range. */
static struct piece piece_of(uint64_t begin, uint64_t end, uint64_t max)
{
	if (begin >= end || end - begin > max)
		return (struct piece){0};
	return (struct piece){begin, end - begin};
}

static void parts_inside(const struct layout_code *c, uint64_t addr, const uint8_t *raw,
			 struct parts *ret)
{
	uint64_t scopes = field_get(raw, c->scopes_data_begin);
	uint64_t pcs = addr + field_get(raw, c->scopes_pcs_offset);
	uint64_t deps = addr + field_get(raw, c->dependencies_offset);

	ret->list = piece_of(addr + field_get(raw, c->metadata_offset), scopes, LIST_MAX);
	ret->scopes = piece_of(scopes, pcs, PIECE_MAX);
	ret->pcs = piece_of(pcs, deps, PIECE_MAX);
	ret->deps = piece_of(deps, addr + field_get(raw, c->handler_table_offset), LIST_MAX);
}

/* JDK 25: numbers of relocation come first in what may change, and are filled up to 8 bytes. */
static void parts_apart(const struct layout_code *c, const uint8_t *raw, struct parts *ret)
{
	uint64_t fixed = field_get(raw, c->immutable), data = field_get(raw, c->mutable);
	uint64_t pcs = fixed + field_get(raw, c->scopes_pcs_offset);
	uint64_t scopes = fixed + field_get(raw, c->scopes_data_offset);
	uint64_t skip = (field_get(raw, c->relocation_size) + 7) & ~7ULL;

	ret->list = piece_of(data + skip, data + field_get(raw, c->mutable_size), LIST_MAX);
	ret->deps = piece_of(fixed, fixed + field_get(raw, c->nul_table_offset), LIST_MAX);
	ret->pcs = piece_of(pcs, scopes, PIECE_MAX);
	ret->scopes = piece_of(scopes, fixed + field_get(raw, c->immutable_size), PIECE_MAX);
}

static void parts_find(const struct layout_code *c, uint64_t addr, const uint8_t *raw,
		       struct parts *ret)
{
	if (field_exists(c->mutable))
		parts_apart(c, raw, ret);
	else
		parts_inside(c, addr, raw, ret);
}

static int piece_read(struct mem *m, struct piece p, uint8_t **ret)
{
	uint8_t *buf = malloc(p.len + 1);
	int err = buf ? mem_read(m, p.addr, buf, p.len) : -ENOMEM;

	if (err)
		free(buf);
	else
		*ret = buf;
	return err;
}

/* --- numbers ---------------------------------------------------------------------------------- */

struct numbers {
	const uint8_t *data;
	uint64_t len, pos;
	uint8_t excluded; /* 1: no byte of a number is 0 (JDK 20+) */
	bool bad;
};

static uint32_t number_next(struct numbers *s)
{
	enum { LOW_END = 192, LG_HIGH = 6, LENGTH_MAX = 5 };
	uint32_t sum = 0;

	for (int i = 0; i < LENGTH_MAX; i++) {
		if (s->pos >= s->len || s->data[s->pos] < s->excluded) {
			s->bad = true;
			return 0;
		}
		uint32_t b = s->data[s->pos++];

		sum += (b - s->excluded) << (LG_HIGH * i);
		if (b < LOW_END)
			break;
	}
	return sum;
}

/* --- what ------------------------------------------------------------------------------------- */

static int copy_add(struct search *s, uint64_t method, const struct nmethod *holder)
{
	struct inlined *in = s->ret;

	if (in->n == COPIES_MAX)
		return 0;
	if (in->n == in->cap) {
		size_t cap = in->cap ? 2 * in->cap : 64;
		struct inlined_copy *p = reallocarray(in->copies, cap, sizeof(*p));

		if (!p)
			return -ENOMEM;
		in->copies = p;
		in->cap = cap;
	}
	in->copies[in->n++] = (struct inlined_copy){method, holder};
	return 0;
}

static bool is_wanted(const struct search *s, uint64_t method)
{
	return bsearch(&method, s->methods, s->nmethods, sizeof(method), compare_u64) != NULL;
}

/* The Method* of number @i on the list was inlined, unless it is the body's own. */
static int inlined_one(struct search *s, const struct candidate *k, uint32_t i)
{
	uint64_t method;
	int err = budget_spend_bytes(LOOK_BYTES);

	if (err || !i || i > k->parts.list.len / 8)
		return err;
	memcpy(&method, k->list + 8 * (size_t)(i - 1), 8);
	if (method == k->nm->method_addr || !is_wanted(s, method))
		return 0;
	return copy_add(s, method, k->nm);
}

static int decode_deps(struct search *s, const struct candidate *k)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct numbers n = {.len = k->parts.deps.len, .excluded = s->l->code->u5_excluded};
	int err = piece_read(s->m, k->parts.deps, &data);

	n.data = data;
	while (!err && n.pos < n.len && data[n.pos] == DEP_EVOL_METHOD) {
		uint32_t i;

		n.pos++;
		i = number_next(&n);
		err = n.bad ? -EFAULT : inlined_one(s, k, i);
	}
	return err;
}

/* The scopes from the one at @at up to the body's own; @seen: a byte for each offset. */
static int decode_scopes(struct search *s, const struct candidate *k, const uint8_t *data,
			 uint8_t *seen, uint32_t at)
{
	struct numbers n = {
		.data = data, .len = k->parts.scopes.len, .excluded = s->l->code->u5_excluded};
	int err = 0;

	while (!err && at && at < n.len && !seen[at]) {
		uint32_t method;

		seen[at] = 1;
		n.pos = at;
		at = number_next(&n);
		method = number_next(&n);
		if (n.bad)
			break;
		err = inlined_one(s, k, method);
	}
	return err;
}

static int decode_debug_info(struct search *s, const struct candidate *k)
{
	_cleanup_free_ uint8_t *pcs = NULL, *scopes = NULL, *seen = NULL;
	int err = piece_read(s->m, k->parts.pcs, &pcs);

	if (!err)
		err = piece_read(s->m, k->parts.scopes, &scopes);
	seen = calloc(k->parts.scopes.len + 1, 1);
	if (!err && !seen)
		err = -ENOMEM;
	for (uint64_t i = 0; !err && i + PCDESC_SIZE <= k->parts.pcs.len; i += PCDESC_SIZE) {
		uint32_t at;

		memcpy(&at, pcs + i + PCDESC_SCOPE, sizeof(at));
		err = decode_scopes(s, k, scopes, seen, at);
	}
	return err;
}

static bool list_has_wanted(const struct search *s, const struct candidate *k)
{
	for (uint64_t i = 0; i + 8 <= k->parts.list.len; i += 8) {
		uint64_t method;

		memcpy(&method, k->list + i, 8);
		if (method != k->nm->method_addr && is_wanted(s, method))
			return true;
	}
	return false;
}

/* --- all bodies ------------------------------------------------------------------------------- */

static int read_fronts(struct search *s)
{
	const struct layout_code *c = s->l->code;

	for (size_t i = 0; i < s->n; i++)
		s->vec[i] =
			(struct mem_vec){s->batch[i].nm->addr, s->fronts[i], c->made_of_span, 0};
	return mem_readv(s->m, s->vec, s->n);
}

/* The lists, and the first byte of each one's dependencies. */
static int read_lists(struct search *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct candidate *k = &s->batch[i];

		if (!s->vec[i].err)
			parts_find(s->l->code, k->nm->addr, s->fronts[i], &k->parts);
	}
	for (size_t i = 0; i < s->n; i++) {
		struct candidate *k = &s->batch[i];

		k->list = malloc(k->parts.list.len + 1);
		if (!k->list)
			return -ENOMEM;
		s->vec[2 * i] = (struct mem_vec){k->parts.list.addr, k->list, k->parts.list.len, 0};
		s->vec[2 * i + 1] = (struct mem_vec){k->parts.deps.addr, &k->first_dep,
						     k->parts.deps.len ? 1 : 0, 0};
	}
	return mem_readv(s->m, s->vec, 2 * s->n);
}

/* One that cannot be read has been freed meanwhile. */
static int look_into(struct search *s, struct candidate *k, const struct mem_vec *v)
{
	bool listed = !v[0].err && k->parts.list.len;
	bool tells = listed && !v[1].err && k->first_dep == DEP_EVOL_METHOD;
	int err = budget_spend_bytes(k->parts.list.len / 8 * LOOK_BYTES);

	s->ret->bodies++;
	if (!err && listed && list_has_wanted(s, k))
		err = tells ? decode_deps(s, k) : decode_debug_info(s, k);
	s->ret->silent += !tells || err;
	return err == -EFAULT ? 0 : err;
}

static int flush(struct search *s)
{
	int err = read_fronts(s);

	if (!err)
		err = read_lists(s);
	for (size_t i = 0; i < s->n; i++) {
		struct candidate *k = &s->batch[i];

		if (!err)
			err = look_into(s, k, &s->vec[2 * i]);
		free(k->list);
	}
	s->n = 0;
	return err;
}

static int search_all(struct search *s, const struct symmap *map, uint64_t deadline_ns)
{
	int err = 0;

	for (size_t i = 0; i < symmap_count(map) && !err; i++) {
		const struct nmethod *nm = symmap_at(map, i);

		/* A native method's wrapper holds nothing. */
		if (nm->state != NMETHOD_IN_USE || nm->kind == NMETHOD_NATIVE)
			continue;
		s->batch[s->n++] = (struct candidate){.nm = nm};
		if (s->n < BATCH_MAX)
			continue;
		err = flush(s);
		if (!err && clock_ns() > deadline_ns)
			err = -ETIMEDOUT;
		if (!err && stop_asked())
			err = -ECANCELED;
	}
	return err ? err : flush(s);
}

static int copy_cmp(const void *va, const void *vb)
{
	const struct inlined_copy *a = va, *b = vb;

	if (a->method != b->method)
		return a->method < b->method ? -1 : 1;
	if (a->holder->level != b->holder->level)
		return b->holder->level - a->holder->level;
	return (a->holder->method_addr > b->holder->method_addr) -
	       (a->holder->method_addr < b->holder->method_addr);
}

/* A method may be inlined into a body several times, and into another's two bodies: one of them for
 * a loop. */
static void copies_sort(struct inlined *in)
{
	size_t kept = 0;

	if (in->n)
		qsort(in->copies, in->n, sizeof(*in->copies), copy_cmp);
	for (size_t i = 0; i < in->n; i++)
		if (!kept || copy_cmp(&in->copies[kept - 1], &in->copies[i]))
			in->copies[kept++] = in->copies[i];
	in->n = kept;
}

int inlined_find(struct mem *m, const struct layout *l, const struct symmap *map,
		 const uint64_t *methods, size_t n, uint64_t deadline_ns, struct inlined *ret)
{
	struct search *s;
	int err;

	*ret = (struct inlined){0};
	if (!l->code->made_of_span)
		return -EOPNOTSUPP;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->m = m;
	s->l = l;
	s->methods = methods;
	s->nmethods = n;
	s->ret = ret;
	err = search_all(s, map, deadline_ns);
	free(s);
	ret->all = err == 0 && ret->n < COPIES_MAX;
	if (err && err != -ETIMEDOUT && err != -E2BIG) {
		inlined_fini(ret);
		return err;
	}
	copies_sort(ret);
	return 0;
}

void inlined_fini(struct inlined *in)
{
	free(in->copies);
	*in = (struct inlined){0};
}

const struct inlined_copy *inlined_of(const struct inlined *in, uint64_t method, size_t *n)
{
	size_t lo = 0, hi = in->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (in->copies[mid].method < method)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (*n = 0; lo + *n < in->n && in->copies[lo + *n].method == method; ++*n)
		;
	return *n ? &in->copies[lo] : NULL;
}
