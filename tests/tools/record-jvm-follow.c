// SPDX-License-Identifier: MIT
/*
 * record-jvm-follow.c - see record-jvm-follow.h.
 *
 * It knows what HotSpot's fields were called in JDK 8 to 27, but no offset, and it checks nothing:
 * the JVM is stopped, and not hostile. It is no second reader: whatever it misses, the readers run
 * over the recording at once and say so.
 */
#include "record-jvm-follow.h"

#define BYTES_MAX      (1u << 20) /* of one structure */
#define SEEN_BITS      18
#define STATICS_SIZE   64  /* noted at a static's address */
#define POINTEE_SIZE   512 /* and at what it points to */
#define OBJECT_SIZE    256
#define FLAGS_MAX      8192
#define FLAG_NAME_SIZE 64
#define VTABLES_MAX    64
#define CODE_WHOLE     3072 /* an nmethod is recorded whole up to this size, */
#define CODE_FRONT     1536 /* of a larger one so much */
#define BLOB_WHOLE     2048 /* the same for other blobs */
#define BLOB_FRONT     512

enum kind { METHODS, KLASSES, KINDS };

struct follow {
	struct mem *m, *raw;
	const struct vmstructs *vs;
	uint64_t *seen; /* hashed addresses */
	uint64_t vtables[KINDS][VTABLES_MAX];
	size_t nvtables[KINDS];
	size_t nmethods;
	uint8_t buf[BYTES_MAX];
};

/* --- reading -----------------------------------------------------------------------------------
 */

/* First time at this address? */
static bool first_time(struct follow *f, uint64_t addr)
{
	uint64_t i = addr * 0x9e3779b97f4a7c15ULL >> (64 - SEEN_BITS);

	for (; f->seen[i]; i = (i + 1) % (1u << SEEN_BITS))
		if (f->seen[i] == addr)
			return false;
	f->seen[i] = addr;
	return true;
}

static bool note(struct follow *f, uint64_t addr, uint64_t len)
{
	return addr >= 4096 && len <= BYTES_MAX && !mem_read(f->m, addr, f->buf, len);
}

/* "Type::_field|Older::_name": the first that this JVM has. */
static bool field(const struct follow *f, const char *names, struct vmfield *ret)
{
	char buf[512], *save = NULL;

	snprintf(buf, sizeof(buf), "%s", names);
	for (char *one = strtok_r(buf, "|", &save); one; one = strtok_r(NULL, "|", &save)) {
		char *name = strstr(one, "::_");
		if (!name)
			name = strstr(one, "::");
		if (!name)
			continue;
		*name = 0;
		if (!vmstructs_field(f->vs, one, name + 2, ret))
			return true;
	}
	return false;
}

/* The value of a field of the structure at @base; of a static one with @base 0. 0: none. */
static uint64_t get(struct follow *f, uint64_t base, const char *names)
{
	struct vmfield v;
	uint64_t ret = 0;

	if (!field(f, names, &v) || (!v.is_static && !base))
		return 0;
	uint64_t size = v.size && v.size <= 8 ? v.size : 8;
	if (mem_read(f->m, v.is_static ? v.where : base + v.where, &ret, size))
		return 0;
	return ret;
}

static uint64_t place(const struct follow *f, uint64_t base, const char *names)
{
	struct vmfield v;

	return field(f, names, &v) ? base + v.where : 0;
}

static uint64_t size_of(const struct follow *f, const char *type)
{
	uint64_t size;

	return vmstructs_sizeof(f->vs, type, &size) ? 0 : size;
}

/* --- names and classes -------------------------------------------------------------------------
 */

static void symbol(struct follow *f, uint64_t addr)
{
	if (addr % 8 || !first_time(f, addr))
		return;
	uint64_t len = get(f, addr, "Symbol::_length") & 0xffff;
	uint64_t body = place(f, addr, "Symbol::_body[0]|Symbol::_body");
	note(f, addr, MAX(body - addr, 8) + len);
}

static void pool_slot(struct follow *f, uint64_t pool, uint64_t index)
{
	uint64_t slot = 0;

	if (!mem_read_u64(f->m, pool + size_of(f, "ConstantPool") + 8 * index, &slot))
		symbol(f, slot);
}

/* First words of objects of C++ are their tables of virtual functions: they tell what one is. */
static void vtable_add(struct follow *f, enum kind kind, uint64_t addr)
{
	uint64_t vtable;

	if (mem_read_u64(f->m, addr, &vtable))
		return;
	for (size_t i = 0; i < f->nvtables[kind]; i++)
		if (f->vtables[kind][i] == vtable)
			return;
	if (f->nvtables[kind] < VTABLES_MAX)
		f->vtables[kind][f->nvtables[kind]++] = vtable;
}

static bool vtable_is(const struct follow *f, enum kind kind, uint64_t vtable)
{
	for (size_t i = 0; i < f->nvtables[kind]; i++)
		if (f->vtables[kind][i] == vtable)
			return true;
	return false;
}

static void klass(struct follow *f, uint64_t addr)
{
	for (; addr && addr % 8 == 0 && first_time(f, addr); addr = get(f, addr, "Klass::_super")) {
		if (!note(f, addr, size_of(f, "InstanceKlass")))
			return;
		vtable_add(f, KLASSES, addr);
		symbol(f, get(f, addr, "Klass::_name"));
	}
}

/* Metaspace's arrays: an int length, then elements. */
static void array(struct follow *f, uint64_t addr, const char *data, uint64_t size)
{
	uint32_t n;

	if (addr && !mem_read_u32(f->m, addr, &n) && n < BYTES_MAX / 16)
		note(f, addr, place(f, 0, data) + n * size);
}

/* All of a class: its fields, and every name in its constant pool. */
static void klass_whole(struct follow *f, uint64_t addr)
{
	for (; addr; addr = get(f, addr, "Klass::_super")) {
		klass(f, addr);
		uint64_t pool = get(f, addr, "InstanceKlass::_constants");
		uint64_t n = get(f, pool, "ConstantPool::_length") & 0xffff;
		array(f, get(f, addr, "InstanceKlass::_fields"), "Array<u2>::_data", 2);
		array(f, get(f, addr, "InstanceKlass::_fieldinfo_stream"), "Array<u1>::_data", 1);
		array(f, get(f, pool, "ConstantPool::_tags"), "Array<u1>::_data", 1);
		note(f, pool, size_of(f, "ConstantPool") + 8 * n);
		for (uint64_t i = 1; i < n; i++) {
			uint64_t slot = 0, length = 0;
			mem_read_u64(f->raw, pool + size_of(f, "ConstantPool") + 8 * i, &slot);
			/* Slots hold numbers and classes too: what does not read is none. */
			if (slot > 4096 && slot % 8 == 0 && !mem_read_u64(f->raw, slot, &length))
				symbol(f, slot);
		}
	}
}

static void method(struct follow *f, uint64_t addr)
{
	if (!addr || !first_time(f, addr) || !note(f, addr, size_of(f, "Method")))
		return;
	vtable_add(f, METHODS, addr);
	uint64_t cm = get(f, addr, "Method::_constMethod");
	uint64_t words = get(f, cm, "ConstMethod::_constMethod_size") & 0xffff;
	uint64_t pool = get(f, cm, "ConstMethod::_constants");
	note(f, cm, MAX(size_of(f, "ConstMethod"), 8 * words));
	note(f, pool, size_of(f, "ConstantPool"));
	pool_slot(f, pool, get(f, cm, "ConstMethod::_name_index") & 0xffff);
	pool_slot(f, pool, get(f, cm, "ConstMethod::_signature_index") & 0xffff);
	klass(f, get(f, pool, "ConstantPool::_pool_holder"));
}

/* --- code --------------------------------------------------------------------------------------
 */

/* Methods and classes that the blob of @len bytes at @addr names anywhere: what is inlined there,
 * say. */
static void blob_words(struct follow *f, uint64_t addr, uint64_t len)
{
	_cleanup_free_ uint64_t *words = malloc(len + 8);

	if (!words || mem_read(f->raw, addr, words, len))
		return;
	for (uint64_t i = 0; i < len / 8; i++) {
		uint64_t vtable, at = words[i];
		if (at < 4096 || at % 8 || at >> 47 || mem_read_u64(f->raw, at, &vtable))
			continue;
		if (vtable_is(f, METHODS, vtable))
			method(f, at);
		else if (vtable_is(f, KLASSES, vtable))
			klass(f, at);
	}
}

static bool is_nmethod(struct follow *f, uint64_t blob)
{
	int64_t kind;
	struct vmfield v;

	if (!vmstructs_const(f->vs, "CodeBlobKind::Nmethod", &kind) &&
	    field(f, "CodeBlob::_kind", &v))
		return (get(f, blob, "CodeBlob::_kind") & 0xff) == (uint64_t)kind;
	return (get(f, blob, "CodeBlob::_header_size") & 0xffffffff) == size_of(f, "nmethod");
}

/* Where the code begins; in a large nmethod that may be behind the front. JDK 23+: an offset. */
static void entry(struct follow *f, uint64_t blob, uint64_t end)
{
	uint64_t at = get(f, blob, "nmethod::_verified_entry_point");

	if (!at)
		at = blob + (get(f, blob, "CodeBlob::_code_offset") & 0xffffffff);
	if (at > blob && at < end)
		note(f, at, MIN(end - at, BLOB_FRONT));
}

static void block(struct follow *f, uint64_t addr, uint64_t len, bool second)
{
	uint64_t header = size_of(f, "HeapBlock"), blob = addr + header;

	if (!note(f, addr, MIN(len, header + BLOB_FRONT)) ||
	    !(get(f, addr, "HeapBlock::Header::_used") & 0xff))
		return;
	if (is_nmethod(f, blob)) {
		f->nmethods += !second;
		note(f, addr, len <= CODE_WHOLE ? len : CODE_FRONT);
		entry(f, blob, addr + len);
		if (second)
			blob_words(f, blob, len - header);
		else
			method(f, get(f, blob, "nmethod::_method|CompiledMethod::_method"));
	} else if (!second) {
		note(f, get(f, blob, "CodeBlob::_name"), 64);
		if (len <= BLOB_WHOLE)
			note(f, addr, len);
	}
}

/* Twice: what the words of the code are is known when all methods have been seen. */
static void heap(struct follow *f, uint64_t addr, bool second)
{
	uint64_t memory = place(f, addr, "CodeHeap::_memory"), n, i = 0;
	uint64_t segmap = place(f, addr, "CodeHeap::_segmap");
	uint64_t log2 = get(f, addr, "CodeHeap::_log2_segment_size") & 0xff;
	uint64_t low = get(f, memory, "VirtualSpace::_low");

	note(f, addr, size_of(f, "CodeHeap"));
	n = (get(f, memory, "VirtualSpace::_high") - low) >> log2;
	segmap = get(f, segmap, "VirtualSpace::_low");
	if (!note(f, segmap, n))
		return;
	_cleanup_free_ uint8_t *map = malloc(n + 1);
	if (!map)
		abort();
	memcpy(map, f->buf, n);
	map[n] = 0;
	while (i < n && map[i] == 0) {
		uint64_t first = i++;
		while (i < n && map[i] && map[i] != 0xff)
			i++;
		block(f, low + (first << log2), (i - first) << log2, second);
	}
}

static void heaps(struct follow *f, bool second)
{
	uint64_t one = get(f, 0, "CodeCache::_heap"), all = get(f, 0, "CodeCache::_heaps");
	uint64_t data = get(f, all, "GrowableArray<int>::_data"), addr;
	uint64_t n = get(f, all, "GrowableArrayBase::_len|GenericGrowableArray::_len") & 0xff;

	if (one)
		heap(f, one, second);
	for (uint64_t i = 0; i < n; i++)
		if (!mem_read_u64(f->m, data + 8 * i, &addr))
			heap(f, addr, second);
}

/* --- threads and statics -----------------------------------------------------------------------
 */

static void thread(struct follow *f, uint64_t addr)
{
	uint64_t slot;

	note(f, addr, size_of(f, "JavaThread"));
	note(f, get(f, addr, "JavaThread::_osthread|Thread::_osthread"), size_of(f, "OSThread"));
	/* JDK ..15: the object itself; since then a slot that holds it */
	slot = get(f, addr, "JavaThread::_threadObj");
	if (slot && !mem_read_u64(f->m, slot, &slot))
		note(f, slot & ((1ULL << 46) - 1), OBJECT_SIZE);
	note(f, get(f, addr, "JavaThread::_threadObj"), OBJECT_SIZE);
}

static void threads(struct follow *f)
{
	uint64_t list = get(f, 0, "ThreadsSMRSupport::_java_thread_list"), addr;
	uint64_t n = get(f, list, "ThreadsList::_length") & 0xffff;
	uint64_t array_at = get(f, list, "ThreadsList::_threads");

	for (uint64_t i = 0; i < n; i++)
		if (!mem_read_u64(f->m, array_at + 8 * i, &addr))
			thread(f, addr);
	/* JDK ..9 */
	for (addr = get(f, 0, "Threads::_thread_list"); addr;
	     addr = get(f, addr, "JavaThread::_next"))
		thread(f, addr);
}

static uint64_t exported(struct follow *f, vmstructs_symbol_fn *fn, void *arg, const char *name)
{
	uint64_t addr, value = 0;

	if (!fn(arg, name, &addr))
		mem_read_u64(f->m, addr, &value);
	return value;
}

static void statics(struct follow *f, vmstructs_symbol_fn *fn, void *arg)
{
	uint64_t at = exported(f, fn, arg, "gHotSpotVMStructs");
	uint64_t stride = exported(f, fn, arg, "gHotSpotVMStructEntryArrayStride");
	uint64_t type = exported(f, fn, arg, "gHotSpotVMStructEntryTypeNameOffset");
	uint64_t is_static = exported(f, fn, arg, "gHotSpotVMStructEntryIsStaticOffset");
	uint64_t address = exported(f, fn, arg, "gHotSpotVMStructEntryAddressOffset");

	for (uint64_t name = 0, addr; !mem_read_u64(f->m, at + type, &name) && name; at += stride) {
		uint32_t yes = 0;
		if (mem_read_u32(f->m, at + is_static, &yes) || !yes ||
		    mem_read_u64(f->m, at + address, &addr))
			continue;
		note(f, addr, STATICS_SIZE);
		if (!mem_read_u64(f->m, addr, &addr))
			note(f, addr, POINTEE_SIZE);
	}
}

/* ZGC: the heap, and the globals that one structure has pointers to. JDK 21 to 23 also have X. */
static void z(struct follow *f)
{
	uint64_t at = get(f, 0, "XGlobalsForVMStructs::_instance_p"), addr;
	uint64_t heap_at = get(f, 0, "Universe::_collectedHeap");
	uint64_t size = MAX(size_of(f, "XCollectedHeap") + size_of(f, "XHeap"),
			    size_of(f, "ZCollectedHeap") + size_of(f, "ZHeap"));

	for (int letter = 0; letter < 2; letter++) {
		uint64_t words =
			size_of(f, letter ? "ZGlobalsForVMStructs" : "XGlobalsForVMStructs") / 8;
		for (uint64_t i = 0; i < words; i++)
			if (!mem_read_u64(f->m, at + 8 * i, &addr))
				note(f, addr, STATICS_SIZE);
		at = get(f, 0, "ZGlobalsForVMStructs::_instance_p");
	}
	note(f, heap_at, size);
}

/* Every flag, its name and its value. JDK 8 calls the type Flag. */
static void flags(struct follow *f)
{
	uint64_t at = get(f, 0, "JVMFlag::flags|Flag::flags");
	uint64_t n = get(f, 0, "JVMFlag::numFlags|Flag::numFlags");
	uint64_t size = MAX(size_of(f, "JVMFlag"), size_of(f, "Flag"));

	for (uint64_t i = 0; i < n && i < FLAGS_MAX; i++, at += size) {
		note(f, at, size);
		note(f, get(f, at, "JVMFlag::_name|Flag::_name"), FLAG_NAME_SIZE);
		note(f, get(f, at, "JVMFlag::_addr|Flag::_addr"), 8);
	}
}

/* Where the well-known classes are; the first names are JDK 17's and later. */
#define KNOWN(k)                                                                                   \
	"vmClasses::_klasses[static_cast<int>(vmClassID::" k "_klass_knum)]"                       \
	"|SystemDictionary::_well_known_klasses[SystemDictionary::" k "_klass_knum]"

size_t follow_all(struct mem *m, struct mem *raw, const struct vmstructs *vs,
		  vmstructs_symbol_fn *fn, void *arg)
{
	static const char *const known[] = {
		KNOWN("Object"),
		KNOWN("String"),
		KNOWN("Class"),
		KNOWN("Thread"),
		KNOWN("Thread_FieldHolder"),
		KNOWN("System"),
		KNOWN("vthread_VirtualThread"),
		KNOWN("BaseVirtualThread"),
		KNOWN("ClassLoader"),
	};
	struct follow *f = calloc(1, sizeof(*f));

	if (!f || !(f->seen = calloc(1u << SEEN_BITS, sizeof(*f->seen))))
		abort();
	f->m = m;
	f->raw = raw;
	f->vs = vs;
	statics(f, fn, arg);
	flags(f);
	z(f);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		klass_whole(f, get(f, 0, known[i]));
	heaps(f, false);
	heaps(f, true);
	threads(f);
	size_t n = f->nmethods;
	free(f->seen);
	free(f);
	return n;
}
