// SPDX-License-Identifier: MIT
/* From HotSpot's tables and flags to the numbers that the rest works with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/fake_jvm.h"

struct fixture {
	struct fake_jvm j;
	struct vmstructs *vs;
	struct layout l;
};

/* Builds a JVM; the test changes it and then reads it. */
static void make(struct fixture *f, int jdk)
{
	memset(f, 0, sizeof(*f));
	fake_jvm_init(&f->j, jdk);
}

static int read_layout(struct fixture *f)
{
	return fake_jvm_read(&f->j, &f->vs, &f->l);
}

static void drop(struct fixture *f)
{
	layout_fini(&f->l);
	vmstructs_free(f->vs);
	fake_jvm_fini(&f->j);
}

/* Every capability is there on every JDK, and version and name are as the JVM spells them. */
static void read_every_jdk(void **state _unused_)
{
	static const int jdks[] = {17, 21, 25};
	struct fixture f;
	char text[64];

	for (size_t i = 0; i < ARRAY_SIZE(jdks); i++) {
		make(&f, jdks[i]);
		assert_int_equal(read_layout(&f), 0);
		for (int cap = 0; cap < CAP_COUNT; cap++)
			assert_int_equal(f.l.missing[cap], 0);
		assert_int_equal(f.l.jdk, jdks[i]);
		snprintf(text, sizeof(text), "%d.0.1+2-Fake", jdks[i]);
		assert_string_equal(f.l.version, text);
		assert_string_equal(f.l.vm_name, "Fake 64-Bit Server VM");
		assert_int_equal(f.l.code_low, FAKE_CODE_ADDR);
		assert_int_equal(f.l.code_high, FAKE_CODE_ADDR + FAKE_CODE_LEN);
		assert_int_equal(f.l.string_klass, f.j.string_klass);
		assert_int_equal(f.l.string_value_off, 20);
		assert_int_equal(f.l.string_coder_off, 16);
		assert_int_equal(f.l.thread_tid_off, 24);
		assert_int_equal(f.l.thread_name_off, 64);
		assert_int_equal(f.l.thread_obj, FK_THREAD_OBJ);
		drop(&f);
	}
}

/* Fields that a JDK does not have are LAYOUT_NONE, and nothing else suffers. */
static void fields_of_later_jdks(void **state _unused_)
{
	static const struct {
		int jdk;
		uint64_t vthread, owner;
	} want[] = {
		{17, LAYOUT_NONE, LAYOUT_NONE},
		{21, FK_THREAD_VTHREAD, LAYOUT_NONE},
		{25, FK_THREAD_VTHREAD, FK_THREAD_OWNER_ID},
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		make(&f, want[i].jdk);
		assert_int_equal(read_layout(&f), 0);
		assert_int_equal(f.l.thread_vthread, want[i].vthread);
		assert_int_equal(f.l.thread_lock_id, want[i].owner);
		assert_int_equal(f.l.missing[CAP_THREADS], 0);
		drop(&f);
	}
}

/* How headers name the class decides where arrays keep their length and their elements. */
static void klass_words(void **state _unused_)
{
	static const struct {
		int jdk;
		bool narrow, compact;
		enum klass_word word;
		uint32_t off, len, base;
	} want[] = {
		{17, true, false, KLASS_NARROW, 8, 12, 16},
		{17, false, false, KLASS_WIDE, 8, 16, 24},
		{21, true, false, KLASS_NARROW, 8, 12, 16},
		{21, false, false, KLASS_WIDE, 8, 16, 24},
		{25, true, false, KLASS_NARROW, 8, 12, 16},
		{25, false, false, KLASS_WIDE, 8, 16, 20},
		{25, true, true, KLASS_IN_MARK, 0, 8, 12},
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		make(&f, want[i].jdk);
		f.j.nflags = 0;
		fake_flag(&f.j, "UseCompressedClassPointers", want[i].narrow);
		fake_flag(&f.j, "UseCompactObjectHeaders", want[i].compact);
		if (!want[i].narrow) /* as JDK 25 leaves it when it is not used */
			fake_put64(&f.j.t, f.j.narrow_klass_base, UINT64_MAX);
		assert_int_equal(read_layout(&f), 0);
		assert_int_equal(f.l.klass_word, want[i].word);
		assert_int_equal(f.l.klass_off, want[i].off);
		assert_int_equal(f.l.array_length_off, want[i].len);
		assert_int_equal(f.l.byte_array_base, want[i].base);
		assert_int_equal(f.l.klass_mark_shift, want[i].compact ? 42 : 0);
		drop(&f);
	}
}

/* Each collector is known by its flag; ZGC is generational by flag, and always from 24 on. */
static void collectors(void **state _unused_)
{
	static const struct {
		int jdk;
		const char *flag, *second;
		enum gc_kind gc;
	} want[] = {
		{17, "UseG1GC", NULL, GC_G1},
		{17, "UseParallelGC", NULL, GC_PARALLEL},
		{17, "UseSerialGC", NULL, GC_SERIAL},
		{17, "UseZGC", NULL, GC_Z},
		{21, "UseZGC", NULL, GC_Z},
		{21, "UseZGC", "ZGenerational", GC_ZGEN},
		{25, "UseZGC", NULL, GC_ZGEN},
		{25, "UseShenandoahGC", NULL, GC_SHENANDOAH},
		{25, "UseEpsilonGC", NULL, GC_EPSILON},
		{25, "UseSomethingNew", NULL, GC_UNKNOWN},
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		make(&f, want[i].jdk);
		f.j.nflags = 0;
		fake_flag(&f.j, "UseCompressedClassPointers", true);
		fake_flag(&f.j, want[i].flag, true);
		if (want[i].second)
			fake_flag(&f.j, want[i].second, true);
		assert_int_equal(read_layout(&f), 0);
		assert_int_equal(f.l.gc, want[i].gc);
		assert_non_null(gc_kind_name(f.l.gc));
		drop(&f);
	}
}

/* A missing field turns off its capability and what builds on it, with a reason, and no more. */
static void missing_field(void **state _unused_)
{
	static const struct {
		const char *type, *field;
		bool lost[CAP_COUNT];
	} want[] = {
		{"Symbol",
		 "_length",
		 {[CAP_NAMES] = 1,
		  [CAP_KLASS] = 1,
		  [CAP_STRINGS] = 1,
		  [CAP_THREADS] = 1,
		  [CAP_COVERAGE] = 1}},
		{"InstanceKlass", "_methods", {[CAP_COVERAGE] = 1}},
		{"Method", "_method_counters", {0}},
		{"oopDesc",
		 "_metadata._klass",
		 {[CAP_KLASS] = 1, [CAP_STRINGS] = 1, [CAP_THREADS] = 1}},
		{"InstanceKlass", "_fieldinfo_stream", {[CAP_STRINGS] = 1, [CAP_THREADS] = 1}},
		{"JavaThread", "_threadObj", {[CAP_THREADS] = 1}},
		{"Abstract_VM_Version", "_s_vm_release", {0}},
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		make(&f, 25);
		fake_row_drop(&f.j.t, want[i].type, want[i].field);
		assert_int_equal(read_layout(&f), 0);
		for (int cap = 0; cap < CAP_COUNT; cap++) {
			assert_int_equal(f.l.missing[cap] != 0, want[i].lost[cap]);
			assert_int_equal(f.l.why[cap][0] != 0, want[i].lost[cap]);
		}
		drop(&f);
	}
}

/* The reason names what is missing as HotSpot does. */
static void missing_field_is_named(void **state _unused_)
{
	struct fixture f;

	make(&f, 17);
	fake_row_drop(&f.j.t, "Symbol", "_body[0]");
	assert_int_equal(read_layout(&f), 0);
	assert_string_equal(f.l.why[CAP_NAMES], "this JVM does not export Symbol::_body[0]");
	assert_string_equal(f.l.why[CAP_THREADS], f.l.why[CAP_NAMES]);
	drop(&f);
}

/* Without what code heaps need nothing works, and the caller is told. */
static void missing_code(void **state _unused_)
{
	static const struct {
		int jdk;
		const char *type, *field;
	} gone[] = {
		{17, "CodeHeap", "_segmap"},
		{17, "CodeBlob", "_code_begin"},
		{17, "nmethod", "_verified_entry_point"},
		{17, "nmethod", NULL},
		{17, "CompiledMethod", "_method"},
		{25, "CodeBlob", "_code_offset"},
		{25, "CodeBlob", "_data_offset"},
		{25, "nmethod", "_verified_entry_offset"},
		{25, "HeapBlock", NULL},
		{25, "JVMFlag", "flags"},
		{25, "Abstract_VM_Version", "_vm_major_version"},
	};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
		make(&f, gone[i].jdk);
		fake_row_drop(&f.j.t, gone[i].type, gone[i].field);
		assert_int_equal(read_layout(&f), -EOPNOTSUPP);
		assert_true(f.l.missing[CAP_CODE] > 0 && f.l.why[CAP_CODE][0]);
		drop(&f);
	}
}

/* JDKs that were never read are refused by number, before their globals are touched. */
static void unknown_jdk(void **state _unused_)
{
	static const uint32_t jdks[] = {0, 8, 16, 26, 99, 0x7fffffff, 0xffffffff};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(jdks); i++) {
		make(&f, 25);
		fake_put32(&f.j.t, f.j.vm_major, jdks[i]);
		fake_put64(&f.j.t, f.j.flags_count, UINT64_MAX);
		assert_int_equal(read_layout(&f), -EOPNOTSUPP);
		assert_true(strncmp(f.l.why[CAP_CODE], "JDK ", 4) == 0);
		drop(&f);
	}
}

/* A JVM that has not come far enough is to be asked again. */
static void still_starting(void **state _unused_)
{
	struct fixture f;

	for (int i = 0; i < 3; i++) {
		make(&f, 21);
		fake_put64(&f.j.t,
			   i == 0   ? f.j.string_slot
			   : i == 1 ? f.j.thread_slot
				    : f.j.code_high,
			   0);
		assert_int_equal(read_layout(&f), -EAGAIN);
		drop(&f);
	}
}

/* Globals that make no sense are refused. */
static void impossible_globals(void **state _unused_)
{
	struct fixture f;

	for (int i = 0; i < 5; i++) {
		make(&f, 25);
		struct fake_target *t = &f.j.t;
		switch (i) {
		case 0: /* a code cache larger than HotSpot can make */
			fake_put64(t, f.j.code_high, FAKE_CODE_ADDR + (4ULL << 30));
			break;
		case 1: /* one that ends before it begins */
			fake_put64(t, f.j.code_high, FAKE_CODE_ADDR - 8);
			break;
		case 2: /* one in kernel space */
			fake_put64(t, f.j.code_low, 0xffff800000000000);
			fake_put64(t, f.j.code_high, 0xffff800000001000);
			break;
		case 3: /* four thousand million flags */
			fake_put64(t, f.j.flags_count, 1ULL << 32);
			break;
		case 4: /* a shift beyond the word, in the static next to the base */
			fake_put64(t, f.j.narrow_klass_base + 8, 64);
			break;
		}
		assert_int_equal(read_layout(&f), -EPROTO);
		drop(&f);
	}
}

/* Offsets beyond any structure, and fields as wide as none, count as missing. */
static void impossible_fields(void **state _unused_)
{
	struct fixture f;

	make(&f, 17);
	fake_row_drop(&f.j.t, "nmethod", "_state");
	fake_field(&f.j.t, "nmethod", "_state", "int", 1ULL << 33);
	assert_int_equal(read_layout(&f), -EOPNOTSUPP);
	drop(&f);
	make(&f, 17);
	fake_row_drop(&f.j.t, "nmethod", "_state");
	fake_field(&f.j.t, "nmethod", "_state", "int", 510); /* 4 bytes from 510: past the copy */
	assert_int_equal(read_layout(&f), -EOPNOTSUPP);
	drop(&f);
	make(&f, 17);
	fake_type(&f.j.t, "Wide", 40);
	fake_row_drop(&f.j.t, "Symbol", "_length");
	fake_field(&f.j.t, "Symbol", "_length", "Wide", 4);
	assert_int_equal(read_layout(&f), 0);
	assert_true(f.l.missing[CAP_NAMES] > 0);
	drop(&f);
}

/* One flag with an unreadable name does not hide the others; an unreadable value is an error. */
static void damaged_flags(void **state _unused_)
{
	struct fixture f;

	make(&f, 17);
	fake_flag(&f.j, "Broken", true);
	fake_flag(&f.j, "UseParallelGC", false);
	fake_put64(&f.j.t, f.j.flags + 3 * 24 + 8, 0x10);
	assert_int_equal(read_layout(&f), 0);
	assert_int_equal(f.l.gc, GC_G1);
	drop(&f);
	make(&f, 17);
	fake_put64(&f.j.t, f.j.flags + 2 * 24, 0x10);
	assert_int_equal(read_layout(&f), -EFAULT);
	drop(&f);
}

static const struct {
	int jdk;
	bool gen;
} zgcs[] = {{17, false}, {21, false}, {21, true}, {25, true}};

/* Colours and forwarding tables of both kinds of ZGC are found, whatever the names begin with. */
static void zgc(void **state _unused_)
{
	struct fixture f;
	struct fake_z z;

	for (size_t i = 0; i < ARRAY_SIZE(zgcs); i++) {
		make(&f, zgcs[i].jdk);
		fake_z(&f.j, zgcs[i].gen, &z);
		assert_int_equal(read_layout(&f), 0);
		assert_int_equal(f.l.gc, zgcs[i].gen ? GC_ZGEN : GC_Z);
		assert_int_equal(f.l.z_bad_mask_addr, z.bad_mask);
		assert_int_equal(f.l.z_shift_addr, z.shift);
		assert_true(f.l.z.follow);
		assert_int_equal(f.l.z.good_mask_addr, z.good_mask);
		assert_int_equal(f.l.z.offset_mask, FAKE_Z_OFFSET_MASK);
		assert_int_equal(f.l.z.forwarding[0], z.arrays[0]);
		assert_int_equal(f.l.z.forwarding[1], z.arrays[1]);
		assert_int_equal(f.l.z.forwarding_len, FAKE_Z_GRANULES);
		assert_int_equal(f.l.z.granule_shift, 21);
		assert_int_equal(f.l.z.start_off, 24);
		assert_int_equal(f.l.z.align_shift_off, 48);
		assert_int_equal(f.l.z.length_off, 64);
		assert_int_equal(f.l.z.entries_off, 144);
		drop(&f);
	}
}

/* With another collector nothing of ZGC is told, though its structures are there. */
static void zgc_not_in_use(void **state _unused_)
{
	struct fixture f;
	struct fake_z z;

	make(&f, 25);
	fake_z(&f.j, true, &z);
	f.j.nflags = 0;
	fake_flag(&f.j, "UseG1GC", true);
	assert_int_equal(read_layout(&f), 0);
	assert_true(!f.l.z_bad_mask_addr && !f.l.z_shift_addr && !f.l.z.follow);
	drop(&f);
}

/* Stale references cannot be followed when a table lies; everything else goes on. */
static void zgc_that_lies(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(zgcs); i++) {
		for (int lie = 0; lie < 5; lie++) {
			struct fixture f;
			struct fake_z z;
			make(&f, zgcs[i].jdk);
			fake_z(&f.j, zgcs[i].gen, &z);
			struct fake_target *t = &f.j.t;
			switch (lie) {
			case 0: /* four thousand million granules */
				fake_put64(t, z.tables[0], 1ULL << 32);
				break;
			case 1:
				fake_put64(t, z.tables[zgcs[i].gen], 0);
				break;
			case 2:
				fake_put64(t, z.tables[0] + 8, 0);
				break;
			case 3:
				fake_row_drop(t,
					      zgcs[i].jdk == 21 && !zgcs[i].gen ? "XForwarding"
										: "ZForwarding",
					      "_entries");
				break;
			case 4: /* a heap that is not there */
				fake_row_drop(t, "Universe", "_collectedHeap");
				break;
			}
			assert_int_equal(read_layout(&f), 0);
			assert_false(f.l.z.follow);
			assert_true(!f.l.z.forwarding[0] && !f.l.z.entries_off);
			assert_int_equal(f.l.z_bad_mask_addr, lie == 4 ? 0 : z.bad_mask);
			assert_int_equal(f.l.missing[CAP_STRINGS], 0);
			drop(&f);
		}
	}
}

/* Both generations must be there, each once. */
static void zgc_generations(void **state _unused_)
{
	struct fixture f;
	struct fake_z z;

	for (int i = 0; i < 3; i++) {
		make(&f, 25);
		fake_z(&f.j, true, &z);
		if (i == 0) /* one is missing */
			fake_put64(&f.j.t, z.tables[1] - 8, 0x1234);
		else if (i == 1) /* both say they are young */
			fake_put8(&f.j.t, z.tables[1] - 24, 0);
		else /* one is neither */
			fake_put8(&f.j.t, z.tables[0] - 24, 2);
		assert_int_equal(read_layout(&f), 0);
		assert_false(f.l.z.follow);
		drop(&f);
	}
}

/* A version longer than its place is cut and ends. */
static void long_version(void **state _unused_)
{
	struct fixture f;
	char text[300];

	memset(text, 'v', sizeof(text));
	text[sizeof(text) - 1] = 0;
	make(&f, 17);
	fake_row_drop(&f.j.t, "Abstract_VM_Version", "_s_vm_release");
	uint64_t slot = fake_alloc(&f.j.t, 8);
	fake_put64(&f.j.t, slot, fake_str(&f.j.t, text));
	fake_static(&f.j.t, "Abstract_VM_Version", "_s_vm_release", slot);
	assert_int_equal(read_layout(&f), 0);
	assert_int_equal(strlen(f.l.version), sizeof(f.l.version) - 1);
	drop(&f);
}

/* Wherever the target goes away, reading says so. */
static void target_goes(void **state _unused_)
{
	struct fixture f;
	struct layout l;

	make(&f, 21);
	assert_int_equal(read_layout(&f), 0);
	f.j.t.reads = 0;
	assert_int_equal(layout_read(&f.j.t.mem, f.vs, &l), 0);
	layout_fini(&l);
	uint64_t reads = f.j.t.reads;
	for (uint64_t i = 0; i < reads; i++) {
		f.j.t.gone_after = (int)i;
		assert_int_equal(layout_read(&f.j.t.mem, f.vs, &l), -ESRCH);
		layout_fini(&l);
	}
	drop(&f);
}

/* Names for people exist for every value. */
static void names(void **state _unused_)
{
	for (int cap = 0; cap < CAP_COUNT; cap++)
		assert_true(strlen(capability_name(cap)) > 0);
	assert_string_equal(gc_kind_name(GC_G1), "G1");
	assert_string_equal(gc_kind_name(GC_Z), "ZGC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_every_jdk),
		cmocka_unit_test(fields_of_later_jdks),
		cmocka_unit_test(klass_words),
		cmocka_unit_test(collectors),
		cmocka_unit_test(missing_field),
		cmocka_unit_test(missing_field_is_named),
		cmocka_unit_test(missing_code),
		cmocka_unit_test(unknown_jdk),
		cmocka_unit_test(still_starting),
		cmocka_unit_test(impossible_globals),
		cmocka_unit_test(impossible_fields),
		cmocka_unit_test(damaged_flags),
		cmocka_unit_test(zgc),
		cmocka_unit_test(zgc_not_in_use),
		cmocka_unit_test(zgc_that_lies),
		cmocka_unit_test(zgc_generations),
		cmocka_unit_test(long_version),
		cmocka_unit_test(target_goes),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
