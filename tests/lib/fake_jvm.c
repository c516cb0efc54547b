// SPDX-License-Identifier: MIT
/* fake_jvm.c - HotSpot's structures, written byte by byte in the form of a chosen JDK. */
#include <assert.h>

#include "lib/fake_jvm.h"

#define ARENA_ADDR 0x7c0000000000ULL
#define ARENA_LEN  0x800000ULL

#define FLAGS_MAX	32
#define FLAG_SIZE	24
#define POOL_SLOTS	64
#define HEAP_STRUCT_LEN 272

/* In CodeHeap and VirtualSpace. */
enum { HEAP_MEMORY = 8, HEAP_SEGMAP = 128, HEAP_LOG2 = 256, SPACE_LOW = 16, SPACE_HIGH = 24 };

#define VMCLASS(klass) "_klasses[static_cast<int>(vmClassID::" klass "_knum)]"

static bool new_form(const struct fake_jvm *j)
{
	return j->jdk >= 23;
}

static uint64_t block_size(const struct fake_jvm *j)
{
	return new_form(j) ? 8 : 16;
}

static uint64_t fake_static8(struct fake_jvm *j, const char *type, const char *field,
			     uint64_t value)
{
	uint64_t addr = fake_alloc(&j->t, 8);

	fake_put64(&j->t, addr, value);
	fake_static(&j->t, type, field, addr);
	return addr;
}

/* --- tables ---------------------------------------------------------------------------------- */

static void tables_heaps(struct fake_jvm *j)
{
	struct fake_target *t = &j->t;

	fake_field(t, "GrowableArrayBase", "_len", "int", 0);
	fake_field(t, "GrowableArray<int>", "_data", "int*", 8);
	fake_field(t, "CodeHeap", "_memory", "VirtualSpace", HEAP_MEMORY);
	fake_field(t, "CodeHeap", "_segmap", "VirtualSpace", HEAP_SEGMAP);
	fake_field(t, "CodeHeap", "_log2_segment_size", "int", HEAP_LOG2);
	fake_field(t, "VirtualSpace", "_low", "char*", SPACE_LOW);
	fake_field(t, "VirtualSpace", "_high", "char*", SPACE_HIGH);
	fake_field(t, "HeapBlock::Header", "_length", new_form(j) ? "uint32_t" : "size_t", 0);
	fake_field(t, "HeapBlock::Header", "_used", "bool", new_form(j) ? 4 : 8);
	fake_type(t, "HeapBlock", block_size(j));
	fake_type(t, "VirtualSpace", 112);
	fake_type(t, "int", 4);
	fake_type(t, "bool", 1);
	fake_type(t, "size_t", 8);
	fake_type(t, "uint32_t", 4);
	fake_type(t, "u2", 2);
	fake_type(t, "u1", 1);
	fake_type(t, "juint", 4);
	fake_type(t, "int64_t", 8);
}

static void tables_nmethod(struct fake_jvm *j)
{
	struct fake_target *t = &j->t;

	fake_field(t, "CodeBlob", "_size", "int", FK_BLOB_SIZE);
	fake_field(t, "CodeBlob", "_header_size", new_form(j) ? "u2" : "int", FK_BLOB_HEADER_SIZE);
	fake_type(t, "nmethod", FK_NMETHOD_SIZE);
	if (new_form(j)) {
		fake_field(t, "CodeBlob", "_kind", "CodeBlobKind", FK_BLOB_KIND);
		fake_type(t, "CodeBlobKind", 1);
		fake_int(t, "CodeBlobKind::Nmethod", 1);
		fake_field(t, "CodeBlob", "_code_offset", "int", FK_CODE_OFFSET);
		fake_field(t, "CodeBlob", "_data_offset", "int", FK_DATA_OFFSET);
		fake_field(t, "nmethod", "_verified_entry_offset", "u2", FK_ENTRY);
		fake_field(t, "nmethod", "_method", "Method*", FK_METHOD);
	} else {
		fake_field(t, "CodeBlob", "_code_begin", "address", FK_CODE_BEGIN);
		fake_field(t, "CodeBlob", "_code_end", "address", FK_CODE_END);
		fake_field(t, "nmethod", "_verified_entry_point", "address", FK_ENTRY);
		fake_field(t, "CompiledMethod", "_method", "Method*", FK_METHOD);
	}
	fake_field(t, "nmethod", "_entry_bci", "int", FK_ENTRY_BCI);
	fake_field(t, "nmethod", "_compile_id", "int", FK_COMPILE_ID);
	fake_field(t, "nmethod", "_comp_level", j->jdk >= 20 ? "CompLevel" : "int", FK_LEVEL);
	fake_field(t, "nmethod", "_state", "volatile signed char", FK_STATE);
	fake_type(t, "CompLevel", 1);
	fake_type(t, "address", 8);
}

static void tables_names(struct fake_jvm *j)
{
	struct fake_target *t = &j->t;

	fake_field(t, "Method", "_constMethod", "ConstMethod*", FK_METHOD_CONST);
	fake_field(t, "Method", "_access_flags", "AccessFlags", FK_METHOD_FLAGS);
	fake_type(t, "AccessFlags", new_form(j) ? 2 : 4);
	fake_field(t, "ConstMethod", "_constants", "ConstantPool*", FK_CONST_POOL);
	fake_field(t, "ConstMethod", "_name_index", "u2", FK_CONST_NAME);
	fake_field(t, "ConstMethod", "_signature_index", "u2", FK_CONST_DESC);
	fake_field(t, "ConstantPool", "_length", "int", FK_POOL_LENGTH);
	fake_field(t, "ConstantPool", "_pool_holder", "InstanceKlass*", FK_POOL_HOLDER);
	fake_type(t, "ConstantPool", FK_POOL_SIZE);
	fake_field(t, "Symbol", "_length", "u2", FK_SYMBOL_LENGTH);
	fake_field(t, "Symbol", "_body[0]", "u1", FK_SYMBOL_BODY);
}

static void tables_classes(struct fake_jvm *j)
{
	struct fake_target *t = &j->t;

	fake_field(t, "Klass", "_name", "Symbol*", FK_KLASS_NAME);
	fake_field(t, "Klass", "_super", "Klass*", FK_KLASS_SUPER);
	fake_field(t, "Klass", "_super_check_offset", "juint", FK_KLASS_CHECK);
	fake_field(t, "Klass", "_primary_supers[0]", "Klass*", FK_KLASS_PRIMARY);
	fake_field(t, "Klass", "_secondary_super_cache", "Klass*", FK_KLASS_SECONDARY);
	fake_field(t, "Klass", "_access_flags", "AccessFlags", FK_KLASS_FLAGS);
	fake_field(t, "ObjArrayKlass", "_bottom_klass", "Klass*", FK_KLASS_BOTTOM);
	fake_field(t, "InstanceKlass", "_constants", "ConstantPool*", FK_KLASS_POOL);
	fake_field(t, "Array<u1>", "_data", NULL, 4);
	fake_field(t, "Array<u2>", "_data", NULL, 4);
	if (j->jdk >= 21) {
		fake_field(t, "InstanceKlass", "_fieldinfo_stream", "Array<u1>*", FK_KLASS_FIELDS);
		fake_int(t, "FieldInfo::FieldFlags::_ff_initialized", 0);
		fake_int(t, "FieldInfo::FieldFlags::_ff_generic", 2);
		fake_int(t, "FieldInfo::FieldFlags::_ff_contended", 4);
	} else {
		fake_field(t, "InstanceKlass", "_fields", "Array<u2>*", FK_KLASS_FIELDS);
		fake_field(t, "InstanceKlass", "_java_fields_count", "u2", FK_KLASS_FIELD_COUNT);
	}
}

static void tables_coverage(struct fake_jvm *j)
{
	struct fake_target *t = &j->t;

	j->cld_head = fake_static8(j, "ClassLoaderDataGraph", "_head", 0);
	fake_field(t, "ClassLoaderData", "_next", "ClassLoaderData*", FK_CLD_NEXT);
	fake_field(t, "ClassLoaderData", "_klasses", "Klass*", FK_CLD_KLASSES);
	fake_field(t, "Klass", "_next_link", "Klass*", FK_KLASS_LINK);
	fake_field(t, "InstanceKlass", "_methods", "Array<Method*>*", FK_KLASS_METHODS);
	fake_field(t, "InstanceKlass", "_init_state", "u1", FK_KLASS_STATE);
	fake_field(t, "Array<Method*>", "_data", NULL, 8);
	fake_field(t, "Method", "_code", "nmethod*", FK_METHOD_CODE);
	fake_field(t, "Method", "_intrinsic_id", "u2", FK_METHOD_INTRINSIC);
	fake_field(t, "Method", "_method_counters", "MethodCounters*", FK_METHOD_COUNTERS);
	fake_field(t, "MethodCounters", "_invocation_counter", "InvocationCounter",
		   FK_COUNTERS_CALLS);
	fake_type(t, "InvocationCounter", 4);
	fake_field(t, "ConstMethod", "_code_size", "u2", FK_CONST_CODE_SIZE);
	if (j->jdk <= 20) {
		fake_int(t, "JVM_ACC_NOT_C2_OSR_COMPILABLE", 0x08000000);
		fake_int(t, "JVM_ACC_IS_OLD", 0x10000);
	}
}

static void tables_objects(struct fake_jvm *j)
{
	struct fake_target *t = &j->t;
	bool flat = j->jdk >= 24;

	fake_field(t, "oopDesc", "_mark", "markWord", 0);
	fake_field(t, "oopDesc", "_metadata._klass", "Klass*", 8);
	fake_field(t, "oopDesc", "_metadata._compressed_klass", "narrowKlass", 8);
	fake_type(t, "markWord", 8);
	fake_type(t, "narrowKlass", 4);
	if (j->jdk >= 24)
		fake_long(t, "markWord::klass_shift", 42);
	j->narrow_klass_base = fake_static8(j, "CompressedKlassPointers",
					    flat ? "_base" : "_narrow_klass._base", ARENA_ADDR);
	fake_static8(j, "CompressedKlassPointers", flat ? "_shift" : "_narrow_klass._shift", 0);
	fake_static8(j, "CompressedOops", flat ? "_base" : "_narrow_oop._base", 0);
	fake_static8(j, "CompressedOops", flat ? "_shift" : "_narrow_oop._shift", 3);
	j->string_slot = fake_static8(j, "vmClasses", VMCLASS("String_klass"), 0);
	j->thread_slot = fake_static8(j, "vmClasses", VMCLASS("Thread_klass"), 0);
	fake_field(t, "JavaThread", "_threadObj", "OopHandle", FK_THREAD_OBJ);
	fake_type(t, "OopHandle", 8);
	if (j->jdk >= 19)
		fake_field(t, "JavaThread", "_vthread", "OopHandle", FK_THREAD_VTHREAD);
	if (j->jdk >= 25)
		fake_field(t, "JavaThread", "_monitor_owner_id", "int64_t", FK_THREAD_OWNER_ID);
}

static void tables_globals(struct fake_jvm *j)
{
	struct fake_target *t = &j->t;
	char text[64];

	fake_static8(j, "CodeCache", "_heaps", 0);
	j->heaps_array = t->fields.rows[t->fields.n - 1].value;
	j->code_low = fake_static8(j, "CodeCache", "_low_bound", FAKE_CODE_ADDR);
	j->code_high = fake_static8(j, "CodeCache", "_high_bound", FAKE_CODE_ADDR);
	j->shared_base = fake_static8(j, "MetaspaceObj", "_shared_metaspace_base", 0);
	j->shared_top = fake_static8(j, "MetaspaceObj", "_shared_metaspace_top", 0);
	j->vm_major = fake_static8(j, "Abstract_VM_Version", "_vm_major_version", j->jdk);
	snprintf(text, sizeof(text), "%d.0.1+2-Fake", j->jdk);
	fake_static8(j, "Abstract_VM_Version", "_s_vm_release", fake_str(t, text));
	snprintf(text, sizeof(text), "Fake 64-Bit Server VM (%d.0.1+2-Fake) for linux", j->jdk);
	fake_static8(j, "Abstract_VM_Version", "_s_internal_vm_info_string", fake_str(t, text));
	j->flags = fake_alloc(t, FLAGS_MAX * FLAG_SIZE);
	fake_static8(j, "JVMFlag", "flags", j->flags);
	j->flags_count = fake_static8(j, "JVMFlag", "numFlags", 0);
	fake_field(t, "JVMFlag", "_name", "const char*", 8);
	fake_field(t, "JVMFlag", "_addr", NULL, 0);
	fake_type(t, "JVMFlag", FLAG_SIZE);
}

void fake_flag(struct fake_jvm *j, const char *name, bool value)
{
	assert(j->nflags < FLAGS_MAX);
	uint64_t flag = j->flags + FLAG_SIZE * j->nflags++;
	uint64_t at = fake_alloc(&j->t, 1);
	fake_put8(&j->t, at, value);
	fake_put64(&j->t, flag, at);
	fake_put64(&j->t, flag + 8, fake_str(&j->t, name));
	fake_put64(&j->t, j->flags_count, j->nflags);
}

/* --- code heaps ------------------------------------------------------------------------------ */

struct fake_heap *fake_code_heap(struct fake_jvm *j)
{
	struct fake_target *t = &j->t;
	struct fake_heap *h = &j->heaps[j->nheaps];

	assert(j->nheaps < FAKE_HEAPS_MAX);
	h->memory = FAKE_CODE_ADDR + FAKE_CODE_LEN * j->nheaps;
	fake_map(t, h->memory, FAKE_CODE_LEN);
	h->map = fake_alloc(t, FAKE_CODE_LEN / FAKE_SEGMENT);
	memset(fake_at(t, h->map, FAKE_CODE_LEN / FAKE_SEGMENT), 0xff,
	       FAKE_CODE_LEN / FAKE_SEGMENT);
	h->addr = fake_alloc(t, HEAP_STRUCT_LEN);
	fake_put64(t, h->addr + HEAP_MEMORY + SPACE_LOW, h->memory);
	fake_put64(t, h->addr + HEAP_MEMORY + SPACE_HIGH, h->memory + FAKE_CODE_LEN);
	fake_put64(t, h->addr + HEAP_SEGMAP + SPACE_LOW, h->map);
	fake_put64(t, h->addr + HEAP_SEGMAP + SPACE_HIGH, h->map + FAKE_CODE_LEN / FAKE_SEGMENT);
	fake_put32(t, h->addr + HEAP_LOG2, 7);
	/* The first heap comes last in the array: order of addresses is not order of creation. */
	fake_put64(t, j->heaps_data + 8 * (FAKE_HEAPS_MAX - 1 - j->nheaps), h->addr);
	j->nheaps++;
	uint64_t array = fake_alloc(t, 16);
	fake_put32(t, array, (uint32_t)j->nheaps);
	fake_put64(t, array + 8, j->heaps_data + 8 * (FAKE_HEAPS_MAX - j->nheaps));
	fake_put64(t, j->heaps_array, array);
	fake_put64(t, j->code_high, FAKE_CODE_ADDR + FAKE_CODE_LEN * j->nheaps);
	return h;
}

uint64_t fake_block(struct fake_jvm *j, struct fake_heap *h, uint64_t len)
{
	uint64_t segments = (block_size(j) + len + FAKE_SEGMENT - 1) / FAKE_SEGMENT;
	uint64_t addr = h->memory + h->used * FAKE_SEGMENT;
	uint8_t *map = fake_at(&j->t, h->map + h->used, segments);

	for (uint64_t i = 0; i < segments; i++)
		map[i] = i == 0 ? 0 : (uint8_t)((i - 1) % 254 + 1);
	fake_put(&j->t, addr, segments, new_form(j) ? 4 : 8);
	fake_put8(&j->t, addr + (new_form(j) ? 4 : 8), 1);
	h->used += segments;
	return addr + block_size(j);
}

void fake_block_free(struct fake_jvm *j, uint64_t blob)
{
	fake_put8(&j->t, blob - block_size(j) + (new_form(j) ? 4 : 8), 0);
}

uint64_t fake_nmethod(struct fake_jvm *j, struct fake_heap *h, const struct fake_nm *nm)
{
	struct fake_target *t = &j->t;
	uint32_t code = FK_NMETHOD_SIZE + 16, size = code + nm->code_len + 32;
	uint64_t at = fake_block(j, h, size);

	fake_put32(t, at + FK_BLOB_SIZE, size);
	fake_put(t, at + FK_BLOB_HEADER_SIZE, FK_NMETHOD_SIZE, new_form(j) ? 2 : 4);
	fake_put64(t, at + FK_METHOD, nm->method);
	fake_put32(t, at + FK_ENTRY_BCI, (uint32_t)nm->entry_bci);
	fake_put32(t, at + FK_COMPILE_ID, nm->id);
	fake_put(t, at + FK_LEVEL, (uint64_t)nm->level, j->jdk >= 20 ? 1 : 4);
	fake_put8(t, at + FK_STATE, (uint8_t)nm->state);
	if (new_form(j)) {
		fake_put8(t, at + FK_BLOB_KIND, 1);
		fake_put32(t, at + FK_CODE_OFFSET, code);
		fake_put32(t, at + FK_DATA_OFFSET, code + nm->code_len);
		fake_put16(t, at + FK_ENTRY, 16);
	} else {
		fake_put64(t, at + FK_CODE_BEGIN, at + code);
		fake_put64(t, at + FK_CODE_END, at + code + nm->code_len);
		fake_put64(t, at + FK_ENTRY, at + code + 16);
	}
	return at;
}

/* --- metadata -------------------------------------------------------------------------------- */

uint64_t fake_symbol_text(struct fake_jvm *j, const char *text, size_t len)
{
	uint64_t addr = fake_alloc(&j->t, FK_SYMBOL_BODY + len);

	fake_put32(&j->t, addr, 0xabcd0001);
	fake_put16(&j->t, addr + FK_SYMBOL_LENGTH, (uint16_t)len);
	memcpy(fake_at(&j->t, addr + FK_SYMBOL_BODY, len), text, len);
	return addr;
}

/* Put @text into the constant pool of @klass. Return: its index. */
static uint32_t pool_add(struct fake_jvm *j, uint64_t klass, const char *text)
{
	uint64_t pool, symbol = fake_symbol_text(j, text, strlen(text));
	uint32_t n;

	memcpy(&pool, fake_at(&j->t, klass + FK_KLASS_POOL, 8), 8);
	memcpy(&n, fake_at(&j->t, pool + FK_POOL_LENGTH, 4), 4);
	assert(n < POOL_SLOTS);
	fake_put64(&j->t, pool + FK_POOL_SIZE + 8 * n, symbol);
	fake_put32(&j->t, pool + FK_POOL_LENGTH, n + 1);
	return n;
}

static void u5_put(uint8_t *buf, size_t *pos, uint32_t v)
{
	/* UNSIGNED5: share/utilities/unsigned5.hpp */
	for (int i = 0; i < 5; i++) {
		if (v < 191 || i == 4) {
			buf[(*pos)++] = (uint8_t)(1 + v);
			return;
		}
		v -= 191;
		buf[(*pos)++] = (uint8_t)(1 + 191 + v % 64);
		v >>= 6;
	}
}

static uint64_t fields_stream(struct fake_jvm *j, uint64_t klass, const struct fake_jfield *f,
			      size_t n)
{
	uint8_t buf[2048];
	size_t pos = 0;

	u5_put(buf, &pos, (uint32_t)n);
	u5_put(buf, &pos, 0);
	for (size_t i = 0; i < n; i++) {
		assert(pos < sizeof(buf) - 40);
		u5_put(buf, &pos, pool_add(j, klass, f[i].name));
		u5_put(buf, &pos, pool_add(j, klass, f[i].desc));
		u5_put(buf, &pos, f[i].offset);
		u5_put(buf, &pos, f[i].access);
		u5_put(buf, &pos, f[i].generic ? 1u << 2 : 0);
		if (f[i].generic)
			u5_put(buf, &pos, 7);
	}
	buf[pos++] = 0;
	uint64_t array = fake_alloc(&j->t, 4 + pos);
	fake_put32(&j->t, array, (uint32_t)pos);
	memcpy(fake_at(&j->t, array + 4, pos), buf, pos);
	return array;
}

static uint64_t fields_array(struct fake_jvm *j, uint64_t klass, const struct fake_jfield *f,
			     size_t n)
{
	uint64_t array = fake_alloc(&j->t, 4 + 12 * n);

	fake_put32(&j->t, array, (uint32_t)(6 * n));
	for (size_t i = 0; i < n; i++) {
		uint64_t at = array + 4 + 12 * i;
		uint32_t packed = f[i].offset << 2 | 1;
		fake_put16(&j->t, at, (uint16_t)f[i].access);
		fake_put16(&j->t, at + 2, (uint16_t)pool_add(j, klass, f[i].name));
		fake_put16(&j->t, at + 4, (uint16_t)pool_add(j, klass, f[i].desc));
		fake_put16(&j->t, at + 8, (uint16_t)packed);
		fake_put16(&j->t, at + 10, (uint16_t)(packed >> 16));
	}
	fake_put16(&j->t, klass + FK_KLASS_FIELD_COUNT, (uint16_t)n);
	return array;
}

uint64_t fake_klass(struct fake_jvm *j, const char *name, uint64_t super,
		    const struct fake_jfield *fields, size_t n)
{
	struct fake_target *t = &j->t;
	uint64_t klass = fake_alloc(t, FK_KLASS_SIZE);
	uint64_t pool = fake_alloc(t, FK_POOL_SIZE + 8 * POOL_SLOTS);
	uint64_t depth = super ? 1 : 0;

	fake_put32(t, pool + FK_POOL_LENGTH, 1);
	fake_put64(t, pool + FK_POOL_HOLDER, klass);
	fake_put64(t, klass + FK_KLASS_POOL, pool);
	fake_put64(t, klass + FK_KLASS_NAME, fake_symbol_text(j, name, strlen(name)));
	fake_put64(t, klass + FK_KLASS_SUPER, super);
	fake_put32(t, klass + FK_KLASS_CHECK, (uint32_t)(FK_KLASS_PRIMARY + 8 * depth));
	fake_put64(t, klass + FK_KLASS_PRIMARY, super ? super : klass);
	fake_put64(t, klass + FK_KLASS_PRIMARY + 8 * depth, klass);
	fake_put64(t, klass + FK_KLASS_FIELDS,
		   j->jdk >= 21 ? fields_stream(j, klass, fields, n)
				: fields_array(j, klass, fields, n));
	return klass;
}

uint64_t fake_method(struct fake_jvm *j, uint64_t klass, const char *name, const char *desc,
		     uint32_t access)
{
	struct fake_target *t = &j->t;
	uint64_t method = fake_alloc(t, FK_METHOD_SIZE), cm = fake_alloc(t, FK_CONST_SIZE), pool;

	memcpy(&pool, fake_at(t, klass + FK_KLASS_POOL, 8), 8);
	fake_put64(t, method + FK_METHOD_CONST, cm);
	fake_put(t, method + FK_METHOD_FLAGS, access, new_form(j) ? 2 : 4);
	fake_put64(t, cm + FK_CONST_POOL, pool);
	fake_put16(t, cm + FK_CONST_NAME, (uint16_t)pool_add(j, klass, name));
	fake_put16(t, cm + FK_CONST_DESC, (uint16_t)pool_add(j, klass, desc));
	return method;
}

/* --- the whole ------------------------------------------------------------------------------- */

static void core_classes(struct fake_jvm *j)
{
	static const struct fake_jfield string_fields[] = {
		{"serialVersionUID", "J", 0x1a, 112, false},
		{"value", "I", 0x8, 200, false}, /* static, and another type: not it */
		{"value", "[B", 0x12, 20, false},
		{"coder", "B", 0x12, 16, false},
	};
	static const struct fake_jfield thread_fields[] = {
		{"holder", "Ljava/lang/Thread$FieldHolder;", 0x10, 300, true},
		{"tid", "J", 0x12, 24, false},
		{"name", "Ljava/lang/String;", 0x42, 64, false},
	};

	j->object_klass = fake_klass(j, "java/lang/Object", 0, NULL, 0);
	j->string_klass = fake_klass(j, "java/lang/String", j->object_klass, string_fields,
				     ARRAY_SIZE(string_fields));
	j->thread_klass = fake_klass(j, "java/lang/Thread", j->object_klass, thread_fields,
				     ARRAY_SIZE(thread_fields));
	fake_put64(&j->t, j->string_slot, j->string_klass);
	fake_put64(&j->t, j->thread_slot, j->thread_klass);
}

void fake_jvm_init(struct fake_jvm *j, int jdk)
{
	*j = (struct fake_jvm){.jdk = jdk};
	fake_target_init(&j->t, ARENA_ADDR, ARENA_LEN);
	fake_alloc(&j->t, 64); /* so that the first narrow Klass* is not 0 */
	tables_heaps(j);
	tables_nmethod(j);
	tables_names(j);
	tables_classes(j);
	tables_coverage(j);
	tables_objects(j);
	tables_globals(j);
	j->heaps_data = fake_alloc(&j->t, 8 * FAKE_HEAPS_MAX);
	fake_code_heap(j);
	core_classes(j);
	fake_flag(j, "UseCompressedOops", true);
	fake_flag(j, "UseCompressedClassPointers", true);
	fake_flag(j, "UseG1GC", true);
}

void fake_jvm_fini(struct fake_jvm *j)
{
	fake_target_fini(&j->t);
}

int fake_jvm_read(struct fake_jvm *j, struct vmstructs **vs, struct layout *l)
{
	fake_tables_write(&j->t);
	*l = (struct layout){0};
	int err = vmstructs_read(&j->t.mem, fake_symbol, &j->t, vs);
	return err ? err : layout_read(&j->t.mem, *vs, l);
}
