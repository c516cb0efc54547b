// SPDX-License-Identifier: MIT
/* HotSpot's tables of its structures: found, copied, and never believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/fake_target.h"

#define ARENA 0x100000000ULL

struct fixture {
	struct fake_target t;
	struct vmstructs *vs;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	fake_target_init(&f->t, ARENA, 0x400000);
	fake_field(&f->t, "nmethod", "_state", "volatile signed char", 315);
	fake_field(&f->t, "Symbol", "_length", "u2", 4);
	fake_field(&f->t, "nmethod", "_comp_level", "CompLevel", 300);
	fake_field(&f->t, "Method", "_constMethod", "ConstMethod*", 8);
	fake_field(&f->t, "Method", "_flags", "const volatile u2", 50);
	fake_field(&f->t, "Method", "_odd", "Unheard::of", 52);
	fake_static(&f->t, "CodeCache", "_heaps", 0x7f1234567890);
	fake_type(&f->t, "u2", 2);
	fake_type(&f->t, "CompLevel", 1);
	fake_type(&f->t, "nmethod", 352);
	fake_int(&f->t, "CompLevel_all", -1);
	fake_int(&f->t, "HeapWordSize", 8);
	fake_long(&f->t, "markWord::hash_mask_in_place", 0x7fffffff00);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vmstructs_free(f->vs);
	fake_target_fini(&f->t);
	free(f);
	return 0;
}

static int read_tables(struct fixture *f)
{
	vmstructs_free(f->vs);
	f->vs = NULL;
	fake_tables_write(&f->t);
	return vmstructs_read(&f->t.mem, fake_symbol, &f->t, &f->vs);
}

static void check_all(struct fixture *f)
{
	uint64_t u;
	int64_t i;

	assert_int_equal(vmstructs_offset(f->vs, "nmethod", "_state", &u), 0);
	assert_int_equal(u, 315);
	assert_int_equal(vmstructs_offset(f->vs, "Symbol", "_length", &u), 0);
	assert_int_equal(u, 4);
	assert_int_equal(vmstructs_static(f->vs, "CodeCache", "_heaps", &u), 0);
	assert_int_equal(u, 0x7f1234567890);
	assert_int_equal(vmstructs_sizeof(f->vs, "nmethod", &u), 0);
	assert_int_equal(u, 352);
	assert_int_equal(vmstructs_const(f->vs, "CompLevel_all", &i), 0);
	assert_int_equal(i, -1);
	assert_int_equal(vmstructs_const(f->vs, "markWord::hash_mask_in_place", &i), 0);
	assert_int_equal(i, 0x7fffffff00);
}

/* Fields, statics, types and constants are found by name. */
static void read_finds_everything(void **state)
{
	assert_int_equal(read_tables(*state), 0);
	check_all(*state);
}

/* However the target's compiler laid the entries out, the strides tell. */
static void read_with_any_stride(void **state)
{
	struct fixture *f = *state;

	for (f->t.stride_pad = 0; f->t.stride_pad <= 29; f->t.stride_pad++) {
		assert_int_equal(read_tables(f), 0);
		check_all(f);
	}
}

/* What is not there is not found: neither half a name, nor a static as an offset or the reverse. */
static void lookup_of_the_missing(void **state)
{
	struct fixture *f = *state;
	uint64_t u;
	int64_t i;

	assert_int_equal(read_tables(f), 0);
	assert_int_equal(vmstructs_offset(f->vs, "nmethod", "_stat", &u), -ENOENT);
	assert_int_equal(vmstructs_offset(f->vs, "nmethod", "_length", &u), -ENOENT);
	assert_int_equal(vmstructs_offset(f->vs, "zzz", "_state", &u), -ENOENT);
	assert_int_equal(vmstructs_offset(f->vs, "CodeCache", "_heaps", &u), -ENOENT);
	assert_int_equal(vmstructs_static(f->vs, "nmethod", "_state", &u), -ENOENT);
	assert_int_equal(vmstructs_sizeof(f->vs, "Klass", &u), -ENOENT);
	assert_int_equal(vmstructs_const(f->vs, "nmethod", &i), -ENOENT);
}

/* A field's width comes from its type as spelled: qualifiers, pointers, char and listed types. */
static void field_width(void **state)
{
	static const struct {
		const char *type, *field;
		uint64_t size;
	} want[] = {
		{"nmethod", "_state", 1},      {"Symbol", "_length", 2},
		{"nmethod", "_comp_level", 1}, {"Method", "_constMethod", 8},
		{"Method", "_flags", 2},       {"Method", "_odd", 0},
	};
	struct fixture *f = *state;
	struct vmfield v;

	assert_int_equal(read_tables(f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(vmstructs_field(f->vs, want[i].type, want[i].field, &v), 0);
		assert_int_equal(v.size, want[i].size);
		assert_false(v.is_static);
	}
}

/* Of two rows with the same names the first counts. */
static void duplicate_rows(void **state)
{
	struct fixture *f = *state;
	uint64_t u;

	fake_field(&f->t, "nmethod", "_state", "int", 999);
	assert_int_equal(read_tables(f), 0);
	assert_int_equal(vmstructs_offset(f->vs, "nmethod", "_state", &u), 0);
	assert_int_equal(u, 315);
}

/* A row without a field name, or an empty table, is no reason to fail. */
static void odd_but_legal_tables(void **state)
{
	struct fixture *f = *state;
	uint64_t u;

	fake_field(&f->t, "nmethod", NULL, NULL, 1);
	f->t.longs.n = 0;
	assert_int_equal(read_tables(f), 0);
	assert_int_equal(vmstructs_offset(f->vs, "nmethod", "_state", &u), 0);
}

/* Without any one of the exported variables it is no HotSpot that we know. */
static void missing_symbol(void **state)
{
	static const char *const names[] = {
		"gHotSpotVMStructs",
		"gHotSpotVMStructEntryAddressOffset",
		"gHotSpotVMTypeEntryArrayStride",
		"gHotSpotVMIntConstantEntryValueOffset",
		"gHotSpotVMLongConstants",
	};
	struct fixture *f = *state;

	fake_tables_write(&f->t);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		f->t.no_symbol = names[i];
		assert_int_equal(vmstructs_read(&f->t.mem, fake_symbol, &f->t, &f->vs), -ENOENT);
		assert_null(f->vs);
	}
}

/* Strides and offsets that do not describe an entry are refused. */
static void impossible_shapes(void **state)
{
	static const struct {
		const char *symbol;
		uint64_t value;
	} lies[] = {
		{"gHotSpotVMStructEntryArrayStride", 0},
		{"gHotSpotVMStructEntryArrayStride", 4ULL << 30},
		{"gHotSpotVMStructEntryArrayStride", UINT64_MAX},
		{"gHotSpotVMStructEntryArrayStride", 47}, /* the last member does not fit */
		{"gHotSpotVMStructEntryTypeNameOffset", 41},
		{"gHotSpotVMStructEntryAddressOffset", UINT64_MAX - 3},
		{"gHotSpotVMIntConstantEntryValueOffset", 1ULL << 32},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		fake_tables_write(&f->t);
		fake_put64(&f->t, fake_symbol_addr(&f->t, lies[i].symbol), lies[i].value);
		assert_int_equal(vmstructs_read(&f->t.mem, fake_symbol, &f->t, &f->vs), -EPROTO);
	}
}

/* A table without an end is given up, not followed. */
static void endless_table(void **state)
{
	struct fixture *f = *state;

	f->t.fields.endless = true;
	assert_int_equal(read_tables(f), -EPROTO);
}

/* A table that runs into unreadable memory before its end fails. */
static void truncated_table(void **state)
{
	struct fixture *f = *state;
	const uint64_t edge = 0x200000000ULL, stride = 48;
	uint64_t base;

	fake_tables_write(&f->t);
	memcpy(&base, fake_at(&f->t, fake_symbol_addr(&f->t, "gHotSpotVMStructs"), 8), 8);
	for (uint64_t keep = 0; keep < 5; keep++) {
		struct fake_region *r = fake_map(&f->t, edge * (keep + 1), keep * stride + 8);
		memcpy(r->data, fake_at(&f->t, base, r->len), r->len);
		fake_put64(&f->t, fake_symbol_addr(&f->t, "gHotSpotVMStructs"), r->addr);
		assert_int_equal(vmstructs_read(&f->t.mem, fake_symbol, &f->t, &f->vs), -EFAULT);
	}
}

/* The end of a table may be the end of memory. */
static void table_at_the_edge(void **state)
{
	struct fixture *f = *state;
	const uint64_t stride = 48;
	uint64_t base;

	fake_tables_write(&f->t);
	memcpy(&base, fake_at(&f->t, fake_symbol_addr(&f->t, "gHotSpotVMStructs"), 8), 8);
	struct fake_region *r = fake_map(&f->t, 0x200000000ULL, (f->t.fields.n + 1) * stride);
	memcpy(r->data, fake_at(&f->t, base, r->len), r->len);
	fake_put64(&f->t, fake_symbol_addr(&f->t, "gHotSpotVMStructs"), r->addr);
	assert_int_equal(vmstructs_read(&f->t.mem, fake_symbol, &f->t, &f->vs), 0);
	check_all(f);
}

/* A name that does not end, or is not there, fails the table. */
static void impossible_names(void **state)
{
	struct fixture *f = *state;
	char name[400];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = 0;
	fake_field(&f->t, "nmethod", name, "int", 8);
	assert_int_equal(read_tables(f), -EPROTO);
	f->t.fields.n--;
	fake_tables_write(&f->t);
	uint64_t base;
	memcpy(&base, fake_at(&f->t, fake_symbol_addr(&f->t, "gHotSpotVMTypes"), 8), 8);
	fake_put64(&f->t, base, 0x1234);
	assert_int_equal(vmstructs_read(&f->t.mem, fake_symbol, &f->t, &f->vs), -EFAULT);
}

/* Wherever the target goes away, reading says so and leaves nothing behind. */
static void target_goes(void **state)
{
	struct fixture *f = *state;

	fake_tables_write(&f->t);
	assert_int_equal(vmstructs_read(&f->t.mem, fake_symbol, &f->t, &f->vs), 0);
	uint64_t reads = f->t.reads;
	for (uint64_t i = 0; i < reads; i++) {
		struct vmstructs *vs = NULL;
		f->t.gone_after = (int)i;
		assert_int_equal(vmstructs_read(&f->t.mem, fake_symbol, &f->t, &vs), -ESRCH);
		assert_null(vs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(read_finds_everything, setup, teardown),
		cmocka_unit_test_setup_teardown(read_with_any_stride, setup, teardown),
		cmocka_unit_test_setup_teardown(lookup_of_the_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(field_width, setup, teardown),
		cmocka_unit_test_setup_teardown(duplicate_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(odd_but_legal_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(missing_symbol, setup, teardown),
		cmocka_unit_test_setup_teardown(impossible_shapes, setup, teardown),
		cmocka_unit_test_setup_teardown(endless_table, setup, teardown),
		cmocka_unit_test_setup_teardown(truncated_table, setup, teardown),
		cmocka_unit_test_setup_teardown(table_at_the_edge, setup, teardown),
		cmocka_unit_test_setup_teardown(impossible_names, setup, teardown),
		cmocka_unit_test_setup_teardown(target_goes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
