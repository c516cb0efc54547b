// SPDX-License-Identifier: MIT
/*
 * vmstructs.c - HotSpot's own description of its structures.
 *
 * Why these tables
 * ================
 *
 * HotSpot is C++, built with another compiler and other flags on every distribution. Where a field
 * lies in an nmethod is nowhere promised: it changes between releases, and between two builds of
 * one release (a backport adds a field). Debug information would tell, but nobody ships it; a table
 * of offsets per build would be wrong on the next security update.
 *
 * HotSpot itself has the same problem with its Serviceability Agent, a debugger that reads core
 * files. Its answer is to compile the layout into the library: four arrays, reachable through
 * exported variables that survive stripping, because they are in .dynsym:
 *
 *   gHotSpotVMStructs        {type, field, type of the field, static?, offset, address}
 *   gHotSpotVMTypes          {type, superclass, is oop?, is integer?, is unsigned?, size}
 *   gHotSpotVMIntConstants   {name, int32}
 *   gHotSpotVMLongConstants  {name, uint64}
 *
 * Each of these variables is a pointer to the first entry. The entries are C structs, and how those
 * are laid out is told by still more variables, one for each member:
 * gHotSpotVMStructEntryOffsetOffset is the offset of the member `offset` in an entry,
 * gHotSpotVMStructEntryArrayStride the distance from one entry to the next. So nothing at all has
 * to be assumed, not even the padding. A table ends with an entry whose first name is null.
 *
 *   libjvm.so .dynsym                     .data                         .data.rel.ro, .rodata
 *   gHotSpotVMStructs ---------------> pointer ------------------> | "nmethod" | "_state" | ... |
 * 315 | gHotSpotVMStructEntry...Offset --> 0, 8, 16, 24, 32, 40        | "nmethod" | ...
 *   gHotSpotVMStructEntryArrayStride > 48                          | null      |
 *
 * For a nonstatic field `offset` counts from the beginning of the object; for a static one
 * `address` is where it lives in the target: already relocated, as we read the running process and
 * not the file.
 *
 * What the tables do not tell
 * ===========================
 *
 * Only what the Serviceability Agent once needed is there. The names drift with HotSpot's own: a
 * field moves to a superclass or gets a new name, and an alias has to be known (layout.c has them
 * all). A field may change its width with its name kept (nmethod::_comp_level: int in 17, one byte
 * in 21); then the field's type is looked up in gHotSpotVMTypes, which vmstructs_field() does. And
 * a virtual table pointer or the meaning of a number is nowhere: docs/hotspot.md has these, with
 * sources.
 *
 * Trust
 * =====
 *
 * All of this is memory of a process that may be hostile, so the tables are copied once and checked
 * while they are copied: a stride or an offset that does not fit, a table that does not end
 * within ENTRIES_MAX, a name that does not end within NAME_SIZE make it -EPROTO. What is copied is
 * sorted and searched here; an offset is a number that the caller still has to bound before use.
 *
 * Cost: JDK 17 has 801 fields and 1 250 types and constants; their 3 600 names are as many small
 * reads, a thousand to a system call.
 *
 * Source: OpenJDK src/hotspot/share/runtime/vmStructs.{hpp,cpp}, the same in 17, 21 and 25.
 */
#include "runtime/hotspot/vmstructs.h"

/* Debian's 21 has 826 fields, the largest table of those seen; the rest is room to grow. */
#define ENTRIES_MAX 16384

/* The longest is "_klasses[static_cast<int>(vmClassID::Thread_FieldHolder_klass_knum)]". */
#define NAME_SIZE 192

/* An entry has six members of at most 8 bytes; more would be a struct that we do not know. */
#define STRIDE_MAX 256

#define MEMBERS_MAX 6
#define NAMES_MAX   3

/* One exported table: its symbols, and which members of its entries are names. */
struct table_desc {
	const char *base, *stride;
	const char *members[MEMBERS_MAX]; /* symbols of the members' offsets; names come first */
	uint8_t sizes[MEMBERS_MAX];
	uint8_t nnames;
};

/* An entry as copied. Fields: type, field, type of the field; types: type; constants: name. */
struct entry {
	const char *names[NAMES_MAX]; /* NULL where the target has null */
	uint64_t values[MEMBERS_MAX - 1];
	uint32_t index; /* the first of two equal names wins */
};

struct table {
	struct entry *entries; /* sorted by names[0], names[1], index */
	size_t n;
	char *text; /* owns the names */
};

enum table_id { TABLE_FIELDS, TABLE_TYPES, TABLE_INTS, TABLE_LONGS, TABLE_COUNT };

/* Positions in entry.values: the members after the names. */
enum { FIELD_IS_STATIC, FIELD_OFFSET, FIELD_ADDRESS };
enum { TYPE_SIZE };
enum { CONST_VALUE };

struct vmstructs {
	struct table tables[TABLE_COUNT];
};

static const struct table_desc tables[TABLE_COUNT] = {
	[TABLE_FIELDS] =
		{"gHotSpotVMStructs",
		 "gHotSpotVMStructEntryArrayStride",
		 {"gHotSpotVMStructEntryTypeNameOffset", "gHotSpotVMStructEntryFieldNameOffset",
		  "gHotSpotVMStructEntryTypeStringOffset", "gHotSpotVMStructEntryIsStaticOffset",
		  "gHotSpotVMStructEntryOffsetOffset", "gHotSpotVMStructEntryAddressOffset"},
		 {8, 8, 8, 4, 8, 8},
		 3},
	[TABLE_TYPES] = {"gHotSpotVMTypes",
			 "gHotSpotVMTypeEntryArrayStride",
			 {"gHotSpotVMTypeEntryTypeNameOffset", "gHotSpotVMTypeEntrySizeOffset"},
			 {8, 8},
			 1},
	[TABLE_INTS] = {"gHotSpotVMIntConstants",
			"gHotSpotVMIntConstantEntryArrayStride",
			{"gHotSpotVMIntConstantEntryNameOffset",
			 "gHotSpotVMIntConstantEntryValueOffset"},
			{8, 4},
			1},
	[TABLE_LONGS] = {"gHotSpotVMLongConstants",
			 "gHotSpotVMLongConstantEntryArrayStride",
			 {"gHotSpotVMLongConstantEntryNameOffset",
			  "gHotSpotVMLongConstantEntryValueOffset"},
			 {8, 8},
			 1},
};

/* How a table lies in this target. */
struct table_shape {
	uint64_t base;
	uint64_t stride;
	uint64_t members[MEMBERS_MAX];
};

/* The value of an exported variable, all of which are 8 bytes. */
static int symbol_value(struct mem *m, vmstructs_symbol_fn *symbol, void *arg, const char *name,
			uint64_t *ret)
{
	uint64_t addr;
	int err = symbol(arg, name, &addr);

	return err ? err : mem_read_u64(m, addr, ret);
}

static int shape_read(struct mem *m, vmstructs_symbol_fn *symbol, void *arg,
		      const struct table_desc *d, struct table_shape *ret)
{
	int err = symbol_value(m, symbol, arg, d->base, &ret->base);

	if (!err)
		err = symbol_value(m, symbol, arg, d->stride, &ret->stride);
	if (err)
		return err;
	if (ret->stride > STRIDE_MAX)
		return -EPROTO;
	for (int i = 0; i < MEMBERS_MAX && d->members[i]; i++) {
		err = symbol_value(m, symbol, arg, d->members[i], &ret->members[i]);
		if (err)
			return err;
		if (!range_inside(ret->members[i], d->sizes[i], 0, ret->stride))
			return -EPROTO;
	}
	return 0;
}

/* Member @i of the raw entry at @p, widened. int32 constants are signed, addresses are not. */
static uint64_t member(const uint8_t *p, const struct table_desc *d, const struct table_shape *s,
		       int i)
{
	uint64_t u64;
	int32_t i32;

	if (d->sizes[i] == 4) {
		memcpy(&i32, p + s->members[i], 4);
		return (uint64_t)(int64_t)i32;
	}
	memcpy(&u64, p + s->members[i], 8);
	return u64;
}

/*
 * Copy raw entries until the one whose first name is null. Read piece by piece: what lies behind
 * the end need not be readable.
 */
static int raw_read(struct mem *m, const struct table_desc *d, const struct table_shape *s,
		    uint8_t **ret, size_t *n_ret)
{
	enum { PIECE = 64 };
	_cleanup_free_ uint8_t *raw = NULL;
	size_t n = 0, cap = 0;

	for (; n < ENTRIES_MAX; n++) {
		uint64_t addr;
		if (n == cap) {
			uint8_t *bigger = realloc(raw, (cap + PIECE) * s->stride);
			if (!bigger)
				return -ENOMEM;
			raw = bigger;
			cap += PIECE;
			if (add_overflows(s->base, n * s->stride, &addr))
				return -EPROTO;
			/* Near the table's end a whole piece may not be readable: one by one. */
			int err = mem_read(m, addr, raw + n * s->stride, PIECE * s->stride);
			if (err == -EFAULT) {
				err = mem_read(m, addr, raw + n * s->stride, s->stride);
				cap = n + 1;
			}
			if (err)
				return err;
		}
		if (member(raw + n * s->stride, d, s, 0) == 0) {
			*ret = take_ptr(raw);
			*n_ret = n;
			return 0;
		}
	}
	return -EPROTO;
}

/* Bring in the names of the @n entries of @t, whose addresses are in @raw. */
static int names_read(struct mem *m, const struct table_desc *d, const struct table_shape *s,
		      const uint8_t *raw, struct table *t)
{
	size_t n = t->n * d->nnames, nvec = 0;
	_cleanup_free_ struct mem_vec *vec = calloc(n + 1, sizeof(*vec));

	t->text = malloc(n * NAME_SIZE + 1);
	if (!vec || !t->text)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		uint64_t addr = member(raw + i / d->nnames * s->stride, d, s, i % d->nnames);
		char *buf = t->text + i * NAME_SIZE;
		if (addr == 0)
			continue;
		vec[nvec++] = (struct mem_vec){.addr = addr, .buf = buf, .len = NAME_SIZE};
		t->entries[i / d->nnames].names[i % d->nnames] = buf;
	}
	int err = mem_read_strv(m, vec, nvec);
	for (size_t i = 0; !err && i < nvec; i++)
		err = vec[i].err;
	return err;
}

/* strcmp() for names that may be null: an entry without a field is no reason to fail. */
static int name_cmp(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int entry_cmp(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;
	int c = name_cmp(a->names[0], b->names[0]);

	if (c == 0)
		c = name_cmp(a->names[1], b->names[1]);
	return c ? c : (a->index > b->index) - (a->index < b->index);
}

static int table_read(struct mem *m, vmstructs_symbol_fn *symbol, void *arg,
		      const struct table_desc *d, struct table *t)
{
	_cleanup_free_ uint8_t *raw = NULL;
	struct table_shape s;
	int err = shape_read(m, symbol, arg, d, &s);

	if (!err)
		err = raw_read(m, d, &s, &raw, &t->n);
	if (err)
		return err;
	t->entries = calloc(t->n + 1, sizeof(*t->entries));
	if (!t->entries)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++) {
		t->entries[i].index = (uint32_t)i;
		for (int j = d->nnames; j < MEMBERS_MAX && d->members[j]; j++)
			t->entries[i].values[j - d->nnames] = member(raw + i * s.stride, d, &s, j);
	}
	err = names_read(m, d, &s, raw, t);
	if (err)
		return err;
	qsort(t->entries, t->n, sizeof(*t->entries), entry_cmp);
	return 0;
}

int vmstructs_read(struct mem *m, vmstructs_symbol_fn *symbol, void *arg, struct vmstructs **ret)
{
	struct vmstructs *vs = calloc(1, sizeof(*vs));

	if (!vs)
		return -ENOMEM;
	for (int i = 0; i < TABLE_COUNT; i++) {
		int err = table_read(m, symbol, arg, &tables[i], &vs->tables[i]);
		if (err) {
			vmstructs_free(vs);
			return err;
		}
	}
	*ret = vs;
	return 0;
}

void vmstructs_free(struct vmstructs *vs)
{
	if (!vs)
		return;
	for (int i = 0; i < TABLE_COUNT; i++) {
		free(vs->tables[i].entries);
		free(vs->tables[i].text);
	}
	free(vs);
}

/* The first entry with these names, or NULL. @second is NULL for tables with one name. */
static const struct entry *table_find(const struct table *t, const char *first, const char *second)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = name_cmp(t->entries[mid].names[0], first);
		if (c == 0)
			c = name_cmp(t->entries[mid].names[1], second);
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == t->n || name_cmp(t->entries[lo].names[0], first) ||
	    name_cmp(t->entries[lo].names[1], second))
		return NULL;
	return &t->entries[lo];
}

int vmstructs_sizeof(const struct vmstructs *vs, const char *type, uint64_t *ret)
{
	const struct entry *e = table_find(&vs->tables[TABLE_TYPES], type, NULL);

	if (!e)
		return -ENOENT;
	*ret = e->values[TYPE_SIZE];
	return 0;
}

/* Size of a field's type as spelled in the table: "int", "Method*", "volatile signed char". */
static uint64_t spelled_size(const struct vmstructs *vs, const char *spelled)
{
	static const char *const qualifiers[] = {"const ", "volatile "};
	uint64_t size;

	if (!spelled)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(qualifiers); i++)
		if (strncmp(spelled, qualifiers[i], strlen(qualifiers[i])) == 0)
			spelled += strlen(qualifiers[i]);
	if (strchr(spelled, '*'))
		return sizeof(uint64_t);
	/* HotSpot's tables have the integer types it uses by name; char it spells out. */
	if (strcmp(spelled, "signed char") == 0)
		return 1;
	return vmstructs_sizeof(vs, spelled, &size) ? 0 : size;
}

int vmstructs_field(const struct vmstructs *vs, const char *type, const char *field,
		    struct vmfield *ret)
{
	const struct entry *e = table_find(&vs->tables[TABLE_FIELDS], type, field);

	if (!e)
		return -ENOENT;
	ret->is_static = e->values[FIELD_IS_STATIC] != 0;
	ret->where = e->values[ret->is_static ? FIELD_ADDRESS : FIELD_OFFSET];
	ret->size = spelled_size(vs, e->names[2]);
	return 0;
}

int vmstructs_offset(const struct vmstructs *vs, const char *type, const char *field, uint64_t *ret)
{
	struct vmfield f;

	if (vmstructs_field(vs, type, field, &f) || f.is_static)
		return -ENOENT;
	*ret = f.where;
	return 0;
}

int vmstructs_static(const struct vmstructs *vs, const char *type, const char *field, uint64_t *ret)
{
	struct vmfield f;

	if (vmstructs_field(vs, type, field, &f) || !f.is_static)
		return -ENOENT;
	*ret = f.where;
	return 0;
}

int vmstructs_const(const struct vmstructs *vs, const char *name, int64_t *ret)
{
	const struct entry *e = table_find(&vs->tables[TABLE_INTS], name, NULL);

	if (!e)
		e = table_find(&vs->tables[TABLE_LONGS], name, NULL);
	if (!e)
		return -ENOENT;
	*ret = (int64_t)e->values[CONST_VALUE];
	return 0;
}
