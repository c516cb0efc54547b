// SPDX-License-Identifier: MIT
/*
 * layout.c - from HotSpot's tables to the numbers that the rest works with.
 *
 * layout_table.c says what is wanted; here it is looked up, and what is missing turns off the
 * capability that needs it. Then the few values that tell how this JVM was started (its
 * flags, its collector, how references and class words are packed) are read from its globals.
 *
 * Nothing here knows an offset. What is known about HotSpot beyond its tables has its source beside
 * it.
 */
#include <stdarg.h>

#include "runtime/hotspot/fieldinfo.h"
#include "runtime/hotspot/klass.h"
#include "runtime/hotspot/layout_code.h"
#include "runtime/hotspot/layout_z.h"

/* What has been read and tried: x86-64 HotSpot of these versions. */
#define JDK_MIN 17
#define JDK_MAX 25

/* JDK 25 has about 1 500 flags of 24 bytes; names up to 45 characters. */
#define FLAGS_MAX      8192
#define FLAG_SIZE_MAX  64
#define FLAG_NAME_SIZE 48

/* x86-64: user space ends here, with four or five levels of page tables. */
#define USER_MAX (1ULL << 56)

/* CODE_CACHE_SIZE_LIMIT: OpenJDK share/utilities/globalDefinitions.hpp, 2 GiB on x86-64. */
#define CODE_CACHE_MAX (2ULL << 30)

static const char *const capability_names[CAP_COUNT] = {
	[CAP_CODE] = "code",	   [CAP_NAMES] = "names",     [CAP_KLASS] = "classes",
	[CAP_STRINGS] = "strings", [CAP_THREADS] = "threads", [CAP_COVERAGE] = "coverage",
};

static const char *const gc_kind_names[] = {
	[GC_UNKNOWN] = "unknown",
	[GC_SERIAL] = "Serial",
	[GC_PARALLEL] = "Parallel",
	[GC_G1] = "G1",
	[GC_Z] = "ZGC",
	[GC_ZGEN] = "ZGC",
	[GC_SHENANDOAH] = "Shenandoah",
	[GC_EPSILON] = "Epsilon",
};

/* What the flags said. */
struct flags {
	bool narrow_oops, narrow_klass, compact_headers;
	bool g1, parallel, serial, z, z_generational, shenandoah, epsilon;
	bool jvmci, jvmci_compiler;
	bool compiler, interpreter, tiered, not_huge;
	int64_t stop_at_level, calls, inline_size, inline_hot; /* intx */
};

#define BOOL(member) offsetof(struct flags, member), sizeof(bool)
#define INTX(member) offsetof(struct flags, member), sizeof(int64_t)

static const struct {
	const char *name;
	size_t dest;
	size_t size;
} flag_wants[] = {
	{"UseCompressedOops", BOOL(narrow_oops)},
	{"UseCompressedClassPointers", BOOL(narrow_klass)},
	{"UseCompactObjectHeaders", BOOL(compact_headers)}, /* JDK 24+ */
	{"UseG1GC", BOOL(g1)},
	{"UseParallelGC", BOOL(parallel)},
	{"UseSerialGC", BOOL(serial)},
	{"UseZGC", BOOL(z)},
	{"ZGenerational", BOOL(z_generational)}, /* JDK 21 to 23 */
	{"UseShenandoahGC", BOOL(shenandoah)},
	{"UseEpsilonGC", BOOL(epsilon)},
	{"EnableJVMCI", BOOL(jvmci)},
	{"UseJVMCICompiler", BOOL(jvmci_compiler)},
	{"UseCompiler", BOOL(compiler)},
	{"UseInterpreter", BOOL(interpreter)},
	{"TieredCompilation", BOOL(tiered)},
	{"DontCompileHugeMethods", BOOL(not_huge)},
	{"TieredStopAtLevel", INTX(stop_at_level)},
	{"Tier3InvocationThreshold", INTX(calls)},
	{"MaxInlineSize", INTX(inline_size)},
	{"FreqInlineSize", INTX(inline_hot)},
};

const char *capability_name(enum capability cap)
{
	return capability_names[cap];
}

const char *gc_kind_name(enum gc_kind gc)
{
	return gc_kind_names[gc];
}

/* Note a fact that is missing; the first one of a capability is told. */
static _printf_(3, 4) void cap_lose(struct layout *l, enum capability cap, const char *fmt, ...)
{
	va_list ap;

	if (cap >= CAP_COUNT || l->missing[cap]++)
		return;
	va_start(ap, fmt);
	vsnprintf(l->why[cap], sizeof(l->why[cap]), fmt, ap);
	va_end(ap);
}

/* --- the table ------------------------------------------------------------------------------- */

static int want_field(const struct vmstructs *vs, const struct want *w, int i, void *dest)
{
	struct vmfield f;
	int err = vmstructs_field(vs, w->names[i].type, w->names[i].name, &f);

	if (err || f.is_static)
		return -ENOENT;
	uint64_t size = w->width == 0 ? 0 : f.size ? f.size : w->width;
	if (f.where > FIELD_OFFSET_MAX || size > 8)
		return -ENOENT;
	*(struct field *)dest = (struct field){(uint32_t)f.where, (uint32_t)size};
	return 0;
}

static int want_lookup(const struct vmstructs *vs, const struct want *w, int i, void *dest)
{
	switch (w->kind) {
	case WANT_FIELD:
		return want_field(vs, w, i, dest);
	case WANT_STATIC:
		return vmstructs_static(vs, w->names[i].type, w->names[i].name, dest);
	case WANT_SIZE:
		return vmstructs_sizeof(vs, w->names[i].type, dest);
	case WANT_CONST:
		return vmstructs_const(vs, w->names[i].type, dest);
	}
	return -ENOENT;
}

static void want_none(const struct want *w, void *dest)
{
	if (w->kind == WANT_FIELD)
		*(struct field *)dest = (struct field){FIELD_NONE, 0};
	else if (w->kind == WANT_CONST)
		*(int64_t *)dest = -1;
	else
		*(uint64_t *)dest = 0;
}

static void table_fill(const struct vmstructs *vs, struct layout *l)
{
	for (size_t i = 0; i < layout_wants_count; i++) {
		const struct want *w = &layout_wants[i];
		void *dest = (char *)l->code + w->dest;
		int err = -ENOENT;
		want_none(w, dest);
		for (int j = 0; err && j < WANT_NAMES_MAX && w->names[j].type; j++)
			err = want_lookup(vs, w, j, dest);
		if (err)
			cap_lose(l, w->cap, "this JVM does not export %.40s%s%.40s",
				 w->names[0].type, w->names[0].name ? "::" : "",
				 w->names[0].name ? w->names[0].name : "");
	}
}

static bool bit_known(int64_t bit)
{
	return bit >= 0 && bit < 32;
}

/* Of each fact that comes in two forms, one must be there. Structures must have a sane size. */
static void table_check(struct layout *l)
{
	struct layout_code *c = l->code;

	if (!field_exists(c->code_begin) && !field_exists(c->code_offset))
		cap_lose(l, CAP_CODE, "this JVM does not export where an nmethod's code begins");
	if (!field_exists(c->code_end) && !field_exists(c->data_offset))
		cap_lose(l, CAP_CODE, "this JVM does not export where an nmethod's code ends");
	if (!field_exists(c->entry) && !field_exists(c->entry_offset))
		cap_lose(l, CAP_CODE, "this JVM does not export an nmethod's verified entry point");
	if (MAX(field_end(c->block_length), field_end(c->block_used)) > c->block_size ||
	    c->block_size > BLOCK_SIZE_MAX)
		cap_lose(l, CAP_CODE, "HeapBlock has an impossible size");
	if (c->flag_size == 0 || c->flag_size > FLAG_SIZE_MAX)
		cap_lose(l, CAP_CODE, "JVMFlag has an impossible size");
	if (c->pool_size == 0 || c->pool_size > 4096)
		cap_lose(l, CAP_NAMES, "ConstantPool has an impossible size");
	bool old = field_exists(c->klass_fields) && field_exists(c->klass_field_count);
	bool stream = field_exists(c->klass_fieldinfo) && bit_known(c->ff_initialized) &&
		      bit_known(c->ff_generic) && bit_known(c->ff_contended);
	if (!old && !stream)
		cap_lose(l, CAP_STRINGS, "this JVM does not export the fields of its classes");
}

static uint32_t span_of(const struct field *fields, size_t n)
{
	uint32_t span = 0;

	for (size_t i = 0; i < n; i++)
		span = MAX(span, field_end(fields[i]));
	return span;
}

/*
 * Where MethodFlags lie, which no table tells: four bytes before _intrinsic_id, as the fields stand
 * in share/oops/method.hpp of 21 and 25. JDK ..20 keeps these bits among the access flags.
 */
static void method_status_place(struct layout *l)
{
	struct layout_code *c = l->code;
	struct field id = c->method_intrinsic;

	c->method_status = (struct field){FIELD_NONE, 0};
	if (c->acc_not_osr == -1 && field_exists(id) && id.off >= 4)
		c->method_status = (struct field){id.off - 4, 4};
	if (c->acc_not_osr != -1 && c->method_flags.size < 4)
		c->acc_not_osr = -1;
}

/* What is inlined where: in JDK ..22's form, in JDK 25's, or not known. */
static void made_of_fill(struct layout *l)
{
	struct layout_code *c = l->code;
	const struct field fields[] = {
		c->metadata_offset,   c->dependencies_offset, c->handler_table_offset,
		c->scopes_pcs_offset, c->scopes_data_begin,   c->scopes_data_offset,
		c->nul_table_offset,  c->immutable,	      c->immutable_size,
		c->mutable,	      c->mutable_size,	      c->relocation_size,
	};
	bool old = field_exists(c->metadata_offset) && field_exists(c->dependencies_offset) &&
		   field_exists(c->handler_table_offset) && field_exists(c->scopes_data_begin);
	bool apart = field_exists(c->immutable) && field_exists(c->immutable_size) &&
		     field_exists(c->mutable) && field_exists(c->mutable_size) &&
		     field_exists(c->relocation_size) && field_exists(c->scopes_data_offset) &&
		     field_exists(c->nul_table_offset);
	uint32_t span = span_of(fields, ARRAY_SIZE(fields));

	c->made_of_span =
		(old || apart) && field_exists(c->scopes_pcs_offset) && span <= NMETHOD_SPAN_MAX
			? span
			: 0;
}

/* Structures are read in one piece up to the last field that is wanted: that must be near. */
static void spans_fill(struct layout *l)
{
	struct layout_code *c = l->code;
	const struct field nmethod[] = {
		c->blob_size,	 c->blob_header_size,
		c->blob_kind,	 c->code_begin,
		c->code_end,	 c->code_offset,
		c->data_offset,	 c->entry,
		c->entry_offset, c->method,
		c->entry_bci,	 c->state,
		c->compile_id,	 c->level,
	};
	const struct field cm[] = {c->const_pool, c->const_name, c->const_desc, c->const_code_size};
	const struct field pool[] = {c->pool_holder, c->pool_length};
	const struct field symbol[] = {c->symbol_length, c->symbol_body};

	const struct field klass[] = {c->klass_name, c->klass_link, c->klass_methods,
				      c->klass_state, c->klass_super};

	method_status_place(l);
	const struct field method[] = {c->method_const,	    c->method_flags,	c->method_code,
				       c->method_intrinsic, c->method_counters, c->method_status};

	c->klass_span = span_of(klass, ARRAY_SIZE(klass));
	c->method_span = span_of(method, ARRAY_SIZE(method));
	if (c->klass_span > KLASS_SPAN_MAX || c->method_span > METHOD_SPAN_MAX)
		cap_lose(l, CAP_COVERAGE, "classes or methods are larger than any known");
	made_of_fill(l);
	c->nmethod_span = span_of(nmethod, ARRAY_SIZE(nmethod));
	c->const_span = span_of(cm, ARRAY_SIZE(cm));
	c->pool_span = span_of(pool, ARRAY_SIZE(pool));
	if (c->nmethod_span > NMETHOD_SPAN_MAX)
		cap_lose(l, CAP_CODE, "an nmethod's fields lie beyond its first %d bytes",
			 NMETHOD_SPAN_MAX);
	if (MAX(c->const_span, c->pool_span) > NAMES_SPAN_MAX ||
	    span_of(symbol, ARRAY_SIZE(symbol)) > SYMBOL_SPAN_MAX)
		cap_lose(l, CAP_NAMES, "names lie where none are expected");
}

/* --- version and flags ----------------------------------------------------------------------- */

/* The text that the static at @addr points to, cut to @size; "" when there is none. */
static int text_read(struct mem *m, uint64_t addr, char *buf, size_t size)
{
	char text[256];
	uint64_t at = 0;

	buf[0] = 0;
	if (addr == 0)
		return 0;
	int err = mem_read_u64(m, addr, &at);
	if (!err && at == 0)
		return 0;
	if (!err)
		err = mem_read_str(m, at, text, sizeof(text));
	if (err == -EPROTO) /* longer: the front will do */
		text[sizeof(text) - 1] = 0;
	else if (err < 0)
		return err;
	snprintf(buf, size, "%.*s", (int)size - 1, text);
	return 0;
}

/*
 * HotSpot had a version of its own up to JDK 8, where it is 25: "... VM (25.432-b06) for
 * linux-amd64 JRE (1.8.0_432-b06), built on ..." (JEP 223 gave it the JDK's, in 9).
 */
static int jdk_of(uint32_t major, const char *info)
{
	static const char old[] = " JRE (1.";
	const char *jre = strstr(info, old);

	if (jre)
		return atoi(jre + strlen(old));
	return major > INT16_MAX ? 0 : (int)major;
}

/* "OpenJDK 64-Bit Server VM (17.0.15+6) for linux-amd64 JRE ...": up to the bracket. */
static int version_read(struct mem *m, struct layout *l)
{
	char info[160], *bracket;
	uint32_t major;
	int err = mem_read_u32(m, l->code->vm_major, &major);

	if (!err)
		err = text_read(m, l->code->vm_release, l->version, sizeof(l->version));
	if (!err)
		err = text_read(m, l->code->vm_info, info, sizeof(info));
	if (err)
		return err;
	l->jdk = jdk_of(major, info);
	bracket = strstr(info, " (");
	snprintf(l->vm_name, sizeof(l->vm_name), "%.*s",
		 (int)(bracket ? (size_t)(bracket - info) : strlen(info)), info);
	return 0;
}

/* Values of the wanted ones among @n copied JVMFlag structures whose names are in @names. */
static int flags_pick(struct mem *m, const struct layout_code *c, const uint8_t *raw,
		      const struct mem_vec *names, size_t n, struct flags *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (names[i].err)
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(flag_wants); j++) {
			uint8_t value[sizeof(int64_t)];
			size_t size = flag_wants[j].size;
			if (strcmp(names[i].buf, flag_wants[j].name) != 0)
				continue;
			uint64_t addr = field_get(raw + i * c->flag_size, c->flag_addr);
			int err = mem_read(m, addr, value, size);
			if (err)
				return err;
			if (size == sizeof(bool)) /* a hostile one may be any byte */
				value[0] = value[0] != 0;
			memcpy((char *)ret + flag_wants[j].dest, value, size);
		}
	}
	return 0;
}

static int flags_read(struct mem *m, const struct layout_code *c, struct flags *ret)
{
	uint64_t base, n;
	int err = mem_read_u64(m, c->flags, &base);

	if (!err)
		err = mem_read_u64(m, c->flags_count, &n);
	if (err)
		return err;
	if (n > FLAGS_MAX || field_end(c->flag_name) > c->flag_size ||
	    field_end(c->flag_addr) > c->flag_size)
		return -EPROTO;
	_cleanup_free_ uint8_t *raw = malloc(n * c->flag_size + 1);
	_cleanup_free_ char *text = malloc(n * FLAG_NAME_SIZE + 1);
	_cleanup_free_ struct mem_vec *vec = calloc(n + 1, sizeof(*vec));
	if (!raw || !text || !vec)
		return -ENOMEM;
	err = mem_read(m, base, raw, n * c->flag_size);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		vec[i] = (struct mem_vec){.addr = field_get(raw + i * c->flag_size, c->flag_name),
					  .buf = text + i * FLAG_NAME_SIZE,
					  .len = FLAG_NAME_SIZE};
	err = mem_read_strv(m, vec, n);
	return err ? err : flags_pick(m, c, raw, vec, n, ret);
}

static enum gc_kind gc_kind_of(int jdk, const struct flags *f)
{
	/* JDK 24+: ZGC is generational, and the flag that chose is gone (JEP 490). */
	if (f->z)
		return f->z_generational || jdk >= 24 ? GC_ZGEN : GC_Z;
	if (f->shenandoah)
		return GC_SHENANDOAH;
	if (f->g1)
		return GC_G1;
	if (f->parallel)
		return GC_PARALLEL;
	if (f->serial)
		return GC_SERIAL;
	return f->epsilon ? GC_EPSILON : GC_UNKNOWN;
}

/* --- objects --------------------------------------------------------------------------------- */

/* A shift of 0 to 10: CompressedKlassPointers::max_shift_coh in share/oops/compressedKlass.hpp. */
static int shift_read(struct mem *m, uint64_t addr, uint32_t *ret)
{
	int err = mem_read_u32(m, addr, ret);

	return err ? err : *ret > 31 ? -EPROTO : 0;
}

/*
 * The class word is @f, and what follows it. Where an array keeps its length and a byte[] its
 * elements the tables do not tell: length_offset_in_bytes() and base_offset_in_bytes() in
 * share/oops/arrayOop.hpp. JDK 23+ (8139457): elements follow the length at once; before, they
 * began at a multiple of 8.
 */
static void klass_place(struct layout *l, struct field f)
{
	l->klass_off = f.off;
	l->array_length_off = field_end(f);
	l->byte_array_base = l->array_length_off + 4;
	if (l->jdk < 23)
		l->byte_array_base = (l->byte_array_base + 7) & ~7u;
}

static int klass_word_read(struct mem *m, struct layout *l, const struct flags *f)
{
	const struct layout_code *c = l->code;

	if (l->missing[CAP_KLASS])
		return 0;
	if (f->compact_headers && (c->klass_mark_shift <= 0 || c->klass_mark_shift > 63)) {
		cap_lose(l, CAP_KLASS, "this JVM does not export markWord::klass_shift");
		return 0;
	}
	if (f->compact_headers) {
		l->klass_word = KLASS_IN_MARK;
		l->klass_mark_shift = (uint32_t)c->klass_mark_shift;
		klass_place(l, c->oop_mark);
	} else if (f->narrow_klass) {
		l->klass_word = KLASS_NARROW;
		klass_place(l, c->oop_narrow_klass);
	} else {
		l->klass_word = KLASS_WIDE;
		klass_place(l, c->oop_klass);
	}
	/* Both stay -1 in JDK 25 when they are not used. */
	if (l->klass_word == KLASS_WIDE)
		return 0;
	int err = mem_read_u64(m, c->narrow_klass_base, &l->narrow_klass_base);
	return err ? err : shift_read(m, c->narrow_klass_shift, &l->narrow_klass_shift);
}

/* java.lang.String: its Klass*, where it keeps its array, and how that is packed. */
static int strings_read(struct mem *m, struct layout *l, const struct flags *f)
{
	const struct layout_code *c = l->code;

	if (l->missing[CAP_STRINGS])
		return 0;
	l->narrow_oops = f->narrow_oops;
	int err = mem_read_u64(m, c->narrow_oop_base, &l->narrow_oop_base);
	if (!err)
		err = shift_read(m, c->narrow_oop_shift, &l->narrow_oop_shift);
	if (!err)
		err = mem_read_u64(m, c->string_klass, &l->string_klass);
	if (err)
		return err;
	err = fieldinfo_offset(m, l, l->string_klass, "value", "[B", &l->string_value_off);
	if (!err)
		err = fieldinfo_offset(m, l, l->string_klass, "coder", "B", &l->string_coder_off);
	if (err == -ENOENT || err == -EPROTO) {
		cap_lose(l, CAP_STRINGS, "java.lang.String has no fields value and coder");
		err = 0;
	}
	return err;
}

static uint64_t offset_or_none(struct field f)
{
	return field_exists(f) ? f.off : LAYOUT_NONE;
}

static int threads_read(struct mem *m, struct layout *l)
{
	const struct layout_code *c = l->code;
	uint64_t klass;

	l->thread_obj = offset_or_none(c->thread_obj);
	l->thread_vthread = offset_or_none(c->thread_vthread);
	l->thread_lock_id = offset_or_none(c->thread_lock_id);
	if (l->missing[CAP_THREADS])
		return 0;
	int err = mem_read_u64(m, c->thread_klass, &klass);
	if (err)
		return err;
	err = fieldinfo_offset(m, l, klass, "tid", "J", &l->thread_tid_off);
	if (!err)
		err = fieldinfo_offset(m, l, klass, "name", "Ljava/lang/String;",
				       &l->thread_name_off);
	if (err == -ENOENT || err == -EPROTO) {
		cap_lose(l, CAP_THREADS, "java.lang.Thread has no fields tid and name");
		err = 0;
	}
	return err;
}

/* What builds on something that is missing is missing too. */
static void cap_depend(struct layout *l, enum capability cap, enum capability on)
{
	if (l->missing[on] && !l->missing[cap])
		cap_lose(l, cap, "%s", l->why[on]);
}

/* --- all of it ------------------------------------------------------------------------------- */

static int code_bounds_read(struct mem *m, struct layout *l)
{
	int err = mem_read_u64(m, l->code->code_low, &l->code_low);

	if (!err)
		err = mem_read_u64(m, l->code->code_high, &l->code_high);
	if (err)
		return err;
	if (l->code_high == 0)
		return -EAGAIN; /* the JVM has not come to CodeCache::initialize() yet */
	if (l->code_low >= l->code_high || l->code_high > USER_MAX ||
	    l->code_high - l->code_low > CODE_CACHE_MAX)
		return -EPROTO;
	return 0;
}

/*
 * Thread is loaded long after the flags, the heap and the code cache are settled and shortly after
 * String: init_globals(), vmClasses::resolve_all() in share/classfile/vmClasses.cpp.
 */
static int started(struct mem *m, const struct layout *l)
{
	const uint64_t statics[] = {l->code->string_klass, l->code->thread_klass};

	for (size_t i = 0; i < ARRAY_SIZE(statics); i++) {
		uint64_t klass;
		int err = statics[i] ? mem_read_u64(m, statics[i], &klass) : 0;
		if (err)
			return err;
		if (statics[i] && klass == 0)
			return -EAGAIN;
	}
	return 0;
}

static int values_read(struct mem *m, const struct vmstructs *vs, struct layout *l)
{
	struct flags f = {.compiler = true,
			  .interpreter = true,
			  .stop_at_level = 4,
			  .calls = -1,
			  .inline_size = -1,
			  .inline_hot = -1};
	int err = started(m, l);

	if (!err)
		err = code_bounds_read(m, l);
	if (!err)
		err = flags_read(m, l->code, &f);
	if (err)
		return err;
	l->gc = gc_kind_of(l->jdk, &f);
	l->code->jvmci = f.jvmci && f.jvmci_compiler;
	l->code->u5_excluded = l->jdk >= 20; /* 8292758: no zero bytes in a number */
	l->compiler = (struct layout_compiler){f.compiler,    f.interpreter,   f.tiered,
					       f.not_huge,    f.stop_at_level, f.calls,
					       f.inline_size, f.inline_hot};
	cap_depend(l, CAP_COVERAGE, CAP_NAMES);
	cap_depend(l, CAP_KLASS, CAP_NAMES);
	err = klass_word_read(m, l, &f);
	cap_depend(l, CAP_STRINGS, CAP_KLASS);
	if (!err)
		err = strings_read(m, l, &f);
	cap_depend(l, CAP_THREADS, CAP_STRINGS);
	if (!err)
		err = threads_read(m, l);
	return err ? err : layout_z_read(m, vs, l);
}

int layout_read(struct mem *m, const struct vmstructs *vs, struct layout *ret)
{
	struct layout *l = ret;

	*l = (struct layout){.code = calloc(1, sizeof(*l->code))};
	if (!l->code)
		return -ENOMEM;
	table_fill(vs, l);
	table_check(l);
	spans_fill(l);
	if (l->code->vm_major == 0) {
		cap_lose(l, CAP_CODE, "this JVM does not export its version");
		return -EOPNOTSUPP;
	}
	int err = version_read(m, l);
	if (err)
		return err;
	if (l->jdk < JDK_MIN || l->jdk > JDK_MAX) {
		/* Whatever else is missing is missing because of that. */
		l->other_jdk = true;
		l->missing[CAP_CODE] = 0;
		cap_lose(l, CAP_CODE, "JDK %d: supported are %d to %d", l->jdk, JDK_MIN, JDK_MAX);
		return -EOPNOTSUPP;
	}
	return l->missing[CAP_CODE] ? -EOPNOTSUPP : values_read(m, vs, l);
}

void layout_fini(struct layout *l)
{
	if (!l)
		return;
	free(l->code);
	l->code = NULL;
}
