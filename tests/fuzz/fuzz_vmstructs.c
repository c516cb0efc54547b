// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): HotSpot's tables of its own structures, with names and values of any
 * kind, and then with some bytes changed. What was written and not changed is found again.
 *
 * The input: padding, how many changes, {place, value} for each; then {table, value, name}, the
 * name up to a newline.
 */
#include "fuzz.h"
#include "lib/fake_target.h"

#define ARENA_ADDR  0x7c0000000000ULL
#define ARENA_LEN   65536u
#define ROWS_MAX    40
#define NAME_MAX_   300
#define CHANGES_MAX 32

struct row {
	char *name;
	uint64_t value;
	uint8_t table;
};

static size_t rows_add(struct fake_target *t, struct fuzz_input *in, struct row *rows)
{
	size_t n = 0;

	for (; n < ROWS_MAX && in->len; n++) {
		struct row *r = &rows[n];
		const uint8_t *end;
		size_t len;

		r->table = (uint8_t)fuzz_number(in, 1) % 5;
		r->value = fuzz_number(in, r->table == 3 ? 4 : 8);
		end = memchr(in->p, '\n', in->len);
		len = MIN(end ? (size_t)(end - in->p) : in->len, (size_t)NAME_MAX_);
		r->name = strndup((const char *)in->p, len);
		in->p += len;
		in->len -= len;
		switch (r->table) {
		case 0:
			fake_field(t, r->name, "field", "int", r->value);
			break;
		case 1:
			fake_static(t, r->name, "static", r->value);
			break;
		case 2:
			fake_type(t, r->name, r->value);
			break;
		case 3:
			fake_int(t, r->name, (int32_t)r->value);
			break;
		default:
			fake_long(t, r->name, r->value);
		}
	}
	return n;
}

/* Whatever the tables say, an answer is one or none; @exact: they are as they were written. */
static void ask(const struct vmstructs *vs, const struct row *r, bool exact)
{
	struct vmfield field;
	uint64_t v = 0;
	int64_t c = 0;
	int err;

	if (r->table < 2) {
		err = vmstructs_field(vs, r->name, r->table ? "static" : "field", &field);
		fuzz_check(!err || err == -ENOENT);
		fuzz_check(!exact || (!err && field.is_static == (r->table == 1)));
		err = r->table ? vmstructs_static(vs, r->name, "static", &v)
			       : vmstructs_offset(vs, r->name, "field", &v);
	} else if (r->table == 2) {
		err = vmstructs_sizeof(vs, r->name, &v);
	} else {
		err = vmstructs_const(vs, r->name, &c);
	}
	fuzz_check(!err || err == -ENOENT);
	fuzz_check(!exact || !err);
}

static bool is_usual(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!rows[i].name[0] || strlen(rows[i].name) > 60)
			return false;
	return true;
}

static bool change(struct fake_target *t, struct fuzz_input *in)
{
	size_t n = fuzz_number(in, 1) % CHANGES_MAX;
	const uint8_t *changes = in->p;
	size_t bytes = MIN(4 * n, in->len);

	in->p += bytes;
	in->len -= bytes;
	for (size_t i = 0; i + 4 <= bytes; i += 4) {
		const uint8_t *c = changes + i;
		struct fake_region *r = &t->regions[c[0] % t->nregions];
		uint64_t used = r == t->arena ? MAX(t->arena_used, (uint64_t)1) : 256;

		r->data[(c[1] | (uint64_t)c[2] << 8) % used] = c[3];
	}
	return bytes >= 4;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input in = {data, len}, changes;
	struct fake_target t;
	struct row rows[ROWS_MAX];
	struct vmstructs *vs;
	bool changed;
	size_t n;
	int err;

	fake_target_init(&t, ARENA_ADDR, ARENA_LEN);
	t.stride_pad = (unsigned int)fuzz_number(&in, 1) % 3 * 8;
	changes = in;
	n = fuzz_number(&in, 1) % CHANGES_MAX;
	in.p += MIN(4 * n, in.len);
	in.len -= MIN(4 * n, in.len);
	n = rows_add(&t, &in, rows);
	fake_tables_write(&t);
	changed = change(&t, &changes);
	err = vmstructs_read(&t.mem, fake_symbol, &t, &vs);
	fuzz_check(!err || err == -EPROTO || err == -EFAULT || err == -ENOENT);
	fuzz_check(!err || changed || !is_usual(rows, n));
	for (size_t i = 0; i < n && !err; i++)
		ask(vs, &rows[i], !changed && is_usual(rows, n));
	if (!err)
		vmstructs_free(vs);
	for (size_t i = 0; i < n; i++)
		free(rows[i].name);
	fake_target_fini(&t);
	return 0;
}
