// SPDX-License-Identifier: MIT
/* fake_target.c - regions of memory and HotSpot's tables of structures, made to order. */
#include <assert.h>

#include "lib/fake_target.h"

/* The exported variables: base and stride of each table, then its members' offsets. */
#define MEMBERS 6

struct fake_table {
	const char *base, *stride, *members[MEMBERS];
};

static const struct fake_table fake_tables[] = {
	{"gHotSpotVMStructs",
	 "gHotSpotVMStructEntryArrayStride",
	 {"gHotSpotVMStructEntryTypeNameOffset", "gHotSpotVMStructEntryFieldNameOffset",
	  "gHotSpotVMStructEntryTypeStringOffset", "gHotSpotVMStructEntryIsStaticOffset",
	  "gHotSpotVMStructEntryOffsetOffset", "gHotSpotVMStructEntryAddressOffset"}},
	{"gHotSpotVMTypes",
	 "gHotSpotVMTypeEntryArrayStride",
	 {"gHotSpotVMTypeEntryTypeNameOffset", "gHotSpotVMTypeEntrySizeOffset"}},
	{"gHotSpotVMIntConstants",
	 "gHotSpotVMIntConstantEntryArrayStride",
	 {"gHotSpotVMIntConstantEntryNameOffset", "gHotSpotVMIntConstantEntryValueOffset"}},
	{"gHotSpotVMLongConstants",
	 "gHotSpotVMLongConstantEntryArrayStride",
	 {"gHotSpotVMLongConstantEntryNameOffset", "gHotSpotVMLongConstantEntryValueOffset"}},
};

enum { FIELDS, TYPES, INTS, LONGS };

/* Where the variables live: apart from the arena, one word each. */
#define VARS_ADDR 0x7d0000000000ULL
#define VARS_LEN  4096

/* --- memory ---------------------------------------------------------------------------------- */

static struct fake_region *region_of(struct fake_target *t, uint64_t addr)
{
	for (size_t i = 0; i < t->nregions; i++)
		if (range_inside(addr, 1, t->regions[i].addr,
				 t->regions[i].addr + t->regions[i].len))
			return &t->regions[i];
	return NULL;
}

static int fake_read(struct mem *m, uint64_t addr, void *buf, size_t len)
{
	struct fake_target *t = (struct fake_target *)m;

	t->reads++;
	if (t->gone_after >= 0 && t->gone_after-- == 0) {
		t->gone_after = 0;
		return -ESRCH;
	}
	struct fake_region *r = region_of(t, addr);
	if (!r || !range_inside(addr, len, r->addr, r->addr + r->len))
		return -EFAULT;
	memcpy(buf, r->data + (addr - r->addr), len);
	return 0;
}

static void fake_close(struct mem *m _unused_)
{
}

struct fake_region *fake_map(struct fake_target *t, uint64_t addr, uint64_t len)
{
	assert(t->nregions < FAKE_REGIONS_MAX);
	struct fake_region *r = &t->regions[t->nregions++];
	*r = (struct fake_region){addr, len, calloc(1, len)};
	assert(r->data);
	return r;
}

void fake_target_init(struct fake_target *t, uint64_t arena_addr, uint64_t arena_len)
{
	*t = (struct fake_target){.gone_after = -1};
	t->mem = (struct mem){.read = fake_read, .close = fake_close};
	t->arena = fake_map(t, arena_addr, arena_len);
	fake_map(t, VARS_ADDR, VARS_LEN);
}

void fake_target_fini(struct fake_target *t)
{
	for (size_t i = 0; i < t->nregions; i++)
		free(t->regions[i].data);
	t->nregions = 0;
}

uint8_t *fake_at(struct fake_target *t, uint64_t addr, uint64_t len)
{
	struct fake_region *r = region_of(t, addr);

	assert(r && range_inside(addr, len, r->addr, r->addr + r->len));
	return r->data + (addr - r->addr);
}

uint64_t fake_alloc(struct fake_target *t, uint64_t len)
{
	uint64_t at = t->arena_used;

	t->arena_used += (len + 7) & ~7ULL;
	assert(t->arena_used <= t->arena->len);
	return t->arena->addr + at;
}

uint64_t fake_str(struct fake_target *t, const char *text)
{
	uint64_t addr = fake_alloc(t, strlen(text) + 1);

	memcpy(fake_at(t, addr, strlen(text) + 1), text, strlen(text) + 1);
	return addr;
}

void fake_put(struct fake_target *t, uint64_t addr, uint64_t value, size_t size)
{
	memcpy(fake_at(t, addr, size), &value, size);
}

void fake_put64(struct fake_target *t, uint64_t addr, uint64_t value)
{
	fake_put(t, addr, value, 8);
}

void fake_put32(struct fake_target *t, uint64_t addr, uint32_t value)
{
	fake_put(t, addr, value, 4);
}

void fake_put16(struct fake_target *t, uint64_t addr, uint16_t value)
{
	fake_put(t, addr, value, 2);
}

void fake_put8(struct fake_target *t, uint64_t addr, uint8_t value)
{
	fake_put(t, addr, value, 1);
}

/* --- tables ---------------------------------------------------------------------------------- */

static void row_add(struct fake_rows *r, struct fake_row row)
{
	assert(r->n < FAKE_ROWS_MAX);
	r->rows[r->n++] = row;
}

void fake_field(struct fake_target *t, const char *type, const char *field, const char *spelled,
		uint64_t offset)
{
	row_add(&t->fields, (struct fake_row){type, field, spelled, false, offset});
}

void fake_static(struct fake_target *t, const char *type, const char *field, uint64_t addr)
{
	row_add(&t->fields, (struct fake_row){type, field, "void*", true, addr});
}

void fake_type(struct fake_target *t, const char *type, uint64_t size)
{
	row_add(&t->types, (struct fake_row){.type = type, .value = size});
}

void fake_int(struct fake_target *t, const char *name, int32_t value)
{
	row_add(&t->ints, (struct fake_row){.type = name, .value = (uint32_t)value});
}

void fake_long(struct fake_target *t, const char *name, uint64_t value)
{
	row_add(&t->longs, (struct fake_row){.type = name, .value = value});
}

static void rows_drop(struct fake_rows *r, const char *type, const char *field)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		bool same_field = !field || (r->rows[i].field && !strcmp(r->rows[i].field, field));
		if (strcmp(r->rows[i].type, type) != 0 || !same_field)
			r->rows[n++] = r->rows[i];
	}
	r->n = n;
}

void fake_row_drop(struct fake_target *t, const char *type, const char *field)
{
	if (field) {
		rows_drop(&t->fields, type, field);
		return;
	}
	rows_drop(&t->types, type, NULL);
	rows_drop(&t->ints, type, NULL);
	rows_drop(&t->longs, type, NULL);
}

uint64_t fake_symbol_addr(struct fake_target *t, const char *name)
{
	uint64_t addr = VARS_ADDR;

	if (t->no_symbol && strcmp(name, t->no_symbol) == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(fake_tables); i++) {
		const char *const *names = &fake_tables[i].base;
		for (size_t j = 0; j < MEMBERS + 2; j++, addr += 8)
			if (names[j] && strcmp(names[j], name) == 0)
				return addr;
	}
	return 0;
}

int fake_symbol(void *arg, const char *name, uint64_t *ret)
{
	*ret = fake_symbol_addr(arg, name);
	return *ret ? 0 : -ENOENT;
}

static uint64_t str_or_null(struct fake_target *t, const char *text)
{
	return text ? fake_str(t, text) : 0;
}

/* One entry at @addr: members every 8 + pad bytes, after pad bytes. */
static void entry_write(struct fake_target *t, int table, uint64_t addr, const struct fake_row *r)
{
	uint64_t step = 8 + t->stride_pad, at = addr + t->stride_pad;

	fake_put64(t, at, str_or_null(t, r->type));
	if (table == FIELDS) {
		fake_put64(t, at + step, str_or_null(t, r->field));
		fake_put64(t, at + 2 * step, str_or_null(t, r->spelled));
		fake_put32(t, at + 3 * step, r->is_static);
		fake_put64(t, at + 4 * step, r->is_static ? 0 : r->value);
		fake_put64(t, at + 5 * step, r->is_static ? r->value : 0);
	} else {
		fake_put(t, at + step, r->value, table == INTS ? 4 : 8);
	}
}

static void table_write(struct fake_target *t, int id, const struct fake_rows *rows)
{
	const struct fake_table *f = &fake_tables[id];
	size_t members = id == FIELDS ? 6 : 2, n = rows->n;
	uint64_t stride = members * (8 + t->stride_pad) + t->stride_pad;
	uint64_t extra = rows->endless ? 20000 : 0;
	uint64_t base = fake_alloc(t, (n + extra + 1) * stride);

	for (size_t i = 0; i < n; i++)
		entry_write(t, id, base + i * stride, &rows->rows[i]);
	for (uint64_t i = n; i < n + extra; i++)
		memcpy(fake_at(t, base + i * stride, stride), fake_at(t, base, stride), stride);
	fake_put64(t, fake_symbol_addr(t, f->base), base);
	fake_put64(t, fake_symbol_addr(t, f->stride), stride);
	for (size_t i = 0; i < members; i++)
		fake_put64(t, fake_symbol_addr(t, f->members[i]),
			   t->stride_pad + i * (8 + t->stride_pad));
}

void fake_tables_write(struct fake_target *t)
{
	table_write(t, FIELDS, &t->fields);
	table_write(t, TYPES, &t->types);
	table_write(t, INTS, &t->ints);
	table_write(t, LONGS, &t->longs);
}
