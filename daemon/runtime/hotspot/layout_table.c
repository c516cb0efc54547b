// SPDX-License-Identifier: MIT
/*
 * layout_table.c - every name of HotSpot's tables that we use, and what it was called over the
 * years.
 *
 * One row, one wish: where the answer goes, which capability dies without it, and the names to try,
 * the newest first. A row with no capability is a wish that some JDK cannot fulfil by design: it
 * has the same fact in another form, and layout.c checks that one of the forms is there.
 *
 * Where a form changed, the number in brackets is the change's number in the OpenJDK bug system.
 *
 * Sources: OpenJDK src/hotspot/share/runtime/vmStructs.cpp and gc/z/vmStructs_z.hpp (21: also
 * gc/x/vmStructs_x.hpp) of 17.0.19, 21.0.12 and 25.0.3, and the tables of Debian's 17, 21 and 25
 * and Temurin's 25 as read from running processes. docs/hotspot.md has the tables per JDK.
 */
#include "runtime/hotspot/layout_code.h"

#define OPTIONAL CAP_COUNT

#define DEST(member)   offsetof(struct layout_code, member)
#define FIELD(member)  WANT_FIELD, DEST(member)
#define STATIC(member) WANT_STATIC, DEST(member)
#define SIZEOF(member) WANT_SIZE, DEST(member)
#define CONST(member)  WANT_CONST, DEST(member)

/* The well-known classes are an array, and each element that is exported has a name of its own. */
#define VMCLASS(klass) "_klasses[static_cast<int>(vmClassID::" klass "_knum)]"

/* clang-format off */
const struct want layout_wants[] = {
	/* --- code heaps ---------------------------------------------------------------------- */
	{STATIC(heaps), CAP_CODE, 8, {{"CodeCache", "_heaps"}}},
	{FIELD(array_len), CAP_CODE, 4, {{"GrowableArrayBase", "_len"}}},
	{FIELD(array_data), CAP_CODE, 8, {{"GrowableArray<int>", "_data"}}},
	{FIELD(heap_memory), CAP_CODE, 0, {{"CodeHeap", "_memory"}}},
	{FIELD(heap_segmap), CAP_CODE, 0, {{"CodeHeap", "_segmap"}}},
	{FIELD(heap_log2_segment_size), CAP_CODE, 4, {{"CodeHeap", "_log2_segment_size"}}},
	{FIELD(space_low), CAP_CODE, 8, {{"VirtualSpace", "_low"}}},
	{FIELD(space_high), CAP_CODE, 8, {{"VirtualSpace", "_high"}}},
	/* size_t; JDK 23+ (8329433): uint32_t */
	{FIELD(block_length), CAP_CODE, 8, {{"HeapBlock::Header", "_length"}}},
	{FIELD(block_used), CAP_CODE, 1, {{"HeapBlock::Header", "_used"}}},
	{SIZEOF(block_size), CAP_CODE, 0, {{"HeapBlock", NULL}}},

	/* --- nmethods ------------------------------------------------------------------------ */
	{FIELD(blob_size), CAP_CODE, 4, {{"CodeBlob", "_size"}}},
	/* int; JDK 23+: u2 */
	{FIELD(blob_header_size), CAP_CODE, 4, {{"CodeBlob", "_header_size"}}},
	{SIZEOF(nmethod_size), CAP_CODE, 0, {{"nmethod", NULL}}},
	/* JDK 23+ */
	{FIELD(blob_kind), OPTIONAL, 1, {{"CodeBlob", "_kind"}}},
	{CONST(kind_nmethod), OPTIONAL, 0, {{"CodeBlobKind::Nmethod", NULL}}},
	/* pointers; JDK 23+: offsets */
	{FIELD(code_begin), OPTIONAL, 8, {{"CodeBlob", "_code_begin"}}},
	{FIELD(code_offset), OPTIONAL, 4, {{"CodeBlob", "_code_offset"}}},
	{FIELD(code_end), OPTIONAL, 8, {{"CodeBlob", "_code_end"}}},
	{FIELD(data_offset), OPTIONAL, 4, {{"CodeBlob", "_data_offset"}}},
	{FIELD(entry), OPTIONAL, 8, {{"nmethod", "_verified_entry_point"}}},
	{FIELD(entry_offset), OPTIONAL, 2, {{"nmethod", "_verified_entry_offset"}}},
	/* JDK 23+ (8329332): CompiledMethod is merged into nmethod */
	{FIELD(method), CAP_CODE, 8, {{"nmethod", "_method"}, {"CompiledMethod", "_method"}}},
	{FIELD(entry_bci), CAP_CODE, 4, {{"nmethod", "_entry_bci"}}},
	{FIELD(state), CAP_CODE, 1, {{"nmethod", "_state"}}},
	{FIELD(compile_id), CAP_CODE, 4, {{"nmethod", "_compile_id"}}},
	/* int; JDK 20+ (8288477): CompLevel, one byte */
	{FIELD(level), CAP_CODE, 4, {{"nmethod", "_comp_level"}}},

	/* --- names --------------------------------------------------------------------------- */
	{FIELD(method_const), CAP_NAMES, 8, {{"Method", "_constMethod"}}},
	/* AccessFlags: jint; JDK 25: u2 */
	{FIELD(method_flags), CAP_NAMES, 4, {{"Method", "_access_flags"}}},
	{FIELD(const_pool), CAP_NAMES, 8, {{"ConstMethod", "_constants"}}},
	{FIELD(const_name), CAP_NAMES, 2, {{"ConstMethod", "_name_index"}}},
	{FIELD(const_desc), CAP_NAMES, 2, {{"ConstMethod", "_signature_index"}}},
	{FIELD(pool_holder), CAP_NAMES, 8, {{"ConstantPool", "_pool_holder"}}},
	{FIELD(pool_length), CAP_NAMES, 4, {{"ConstantPool", "_length"}}},
	{SIZEOF(pool_size), CAP_NAMES, 0, {{"ConstantPool", NULL}}},
	{FIELD(klass_name), CAP_NAMES, 8, {{"Klass", "_name"}}},
	{FIELD(symbol_length), CAP_NAMES, 2, {{"Symbol", "_length"}}},
	{FIELD(symbol_body), CAP_NAMES, 1, {{"Symbol", "_body[0]"}, {"Symbol", "_body"}}},

	/* --- classes ------------------------------------------------------------------------- */
	{FIELD(klass_super), CAP_STRINGS, 8, {{"Klass", "_super"}}},
	{FIELD(klass_check_offset), OPTIONAL, 4, {{"Klass", "_super_check_offset"}}},
	{FIELD(klass_primary), OPTIONAL, 8, {{"Klass", "_primary_supers[0]"}}},
	{FIELD(klass_secondary), OPTIONAL, 8, {{"Klass", "_secondary_super_cache"}}},
	{FIELD(klass_flags), OPTIONAL, 4, {{"Klass", "_access_flags"}}},
	{FIELD(klass_bottom), OPTIONAL, 8, {{"ObjArrayKlass", "_bottom_klass"}}},
	{STATIC(shared_base), OPTIONAL, 8, {{"MetaspaceObj", "_shared_metaspace_base"}}},
	{STATIC(shared_top), OPTIONAL, 8, {{"MetaspaceObj", "_shared_metaspace_top"}}},
	{FIELD(klass_pool), CAP_STRINGS, 8, {{"InstanceKlass", "_constants"}}},
	/* six u2 per field; JDK 21+: a compressed stream */
	{FIELD(klass_fields), OPTIONAL, 8, {{"InstanceKlass", "_fields"}}},
	{FIELD(klass_field_count), OPTIONAL, 2, {{"InstanceKlass", "_java_fields_count"}}},
	{FIELD(klass_fieldinfo), OPTIONAL, 8, {{"InstanceKlass", "_fieldinfo_stream"}}},
	{CONST(ff_initialized), OPTIONAL, 0, {{"FieldInfo::FieldFlags::_ff_initialized", NULL}}},
	{CONST(ff_generic), OPTIONAL, 0, {{"FieldInfo::FieldFlags::_ff_generic", NULL}}},
	{CONST(ff_contended), OPTIONAL, 0, {{"FieldInfo::FieldFlags::_ff_contended", NULL}}},
	{FIELD(u1_data), CAP_STRINGS, 1, {{"Array<u1>", "_data"}}},
	{FIELD(u2_data), CAP_STRINGS, 2, {{"Array<u2>", "_data"}}},

	/* --- all classes, and what became of their methods ------------------------------------ */
	{STATIC(cld_head), CAP_COVERAGE, 8, {{"ClassLoaderDataGraph", "_head"}}},
	{FIELD(cld_next), CAP_COVERAGE, 8, {{"ClassLoaderData", "_next"}}},
	{FIELD(cld_klasses), CAP_COVERAGE, 8, {{"ClassLoaderData", "_klasses"}}},
	{FIELD(klass_link), CAP_COVERAGE, 8, {{"Klass", "_next_link"}}},
	{FIELD(klass_methods), CAP_COVERAGE, 8, {{"InstanceKlass", "_methods"}}},
	{FIELD(klass_state), CAP_COVERAGE, 1, {{"InstanceKlass", "_init_state"}}},
	{FIELD(klass_interfaces), OPTIONAL, 8, {{"InstanceKlass", "_transitive_interfaces"}}},
	{FIELD(methods_data), CAP_COVERAGE, 8, {{"Array<Method*>", "_data"}}},
	{FIELD(method_code), CAP_COVERAGE, 8, {{"Method", "_code"}}},
	{FIELD(method_intrinsic), CAP_COVERAGE, 2, {{"Method", "_intrinsic_id"}}},
	{FIELD(method_counters), OPTIONAL, 8, {{"Method", "_method_counters"}}},
	{FIELD(counters_calls), OPTIONAL, 4, {{"MethodCounters", "_invocation_counter"}}},
	{FIELD(const_code_size), CAP_COVERAGE, 2, {{"ConstMethod", "_code_size"}}},
	/* JDK ..20: bits of HotSpot's own in the access flags; then apart, where no row says */
	{CONST(acc_not_osr), OPTIONAL, 0, {{"JVM_ACC_NOT_C2_OSR_COMPILABLE", NULL}}},
	{CONST(acc_old), OPTIONAL, 0, {{"JVM_ACC_IS_OLD", NULL}}},

	/* --- what an nmethod was made of ------------------------------------------------------ */
	{STATIC(evol), OPTIONAL, 1, {{"JvmtiExport", "_can_hotswap_or_post_breakpoint"}}},
	/* offsets from the nmethod; JDK 23+ (8329433): two pieces of memory of their own */
	{FIELD(metadata_offset), OPTIONAL, 4, {{"nmethod", "_metadata_offset"}}},
	{FIELD(dependencies_offset), OPTIONAL, 4, {{"nmethod", "_dependencies_offset"}}},
	{FIELD(handler_table_offset), OPTIONAL, 4, {{"nmethod", "_handler_table_offset"}}},
	{FIELD(scopes_pcs_offset), OPTIONAL, 4, {{"nmethod", "_scopes_pcs_offset"}}},
	{FIELD(scopes_data_begin), OPTIONAL, 8, {{"CompiledMethod", "_scopes_data_begin"}}},
	{FIELD(scopes_data_offset), OPTIONAL, 4, {{"nmethod", "_scopes_data_offset"}}},
	{FIELD(nul_table_offset), OPTIONAL, 2, {{"nmethod", "_nul_chk_table_offset"}}},
	{FIELD(immutable), OPTIONAL, 8, {{"nmethod", "_immutable_data"}}},
	{FIELD(immutable_size), OPTIONAL, 4, {{"nmethod", "_immutable_data_size"}}},
	/* JDK 25+ (8343789) */
	{FIELD(mutable), OPTIONAL, 8, {{"CodeBlob", "_mutable_data"}}},
	{FIELD(mutable_size), OPTIONAL, 4, {{"CodeBlob", "_mutable_data_size"}}},
	{FIELD(relocation_size), OPTIONAL, 4, {{"CodeBlob", "_relocation_size"}}},

	/* --- the code cache, the version and the flags ----------------------------------------*/
	{STATIC(code_low), CAP_CODE, 8, {{"CodeCache", "_low_bound"}}},
	{STATIC(code_high), CAP_CODE, 8, {{"CodeCache", "_high_bound"}}},
	{STATIC(vm_major), CAP_CODE, 4, {{"Abstract_VM_Version", "_vm_major_version"}}},
	{STATIC(vm_release), OPTIONAL, 8, {{"Abstract_VM_Version", "_s_vm_release"}}},
	{STATIC(vm_info), OPTIONAL, 8, {{"Abstract_VM_Version", "_s_internal_vm_info_string"}}},
	{STATIC(flags), CAP_CODE, 8, {{"JVMFlag", "flags"}}},
	{STATIC(flags_count), CAP_CODE, 8, {{"JVMFlag", "numFlags"}}},
	{FIELD(flag_name), CAP_CODE, 8, {{"JVMFlag", "_name"}}},
	{FIELD(flag_addr), CAP_CODE, 8, {{"JVMFlag", "_addr"}}},
	{SIZEOF(flag_size), CAP_CODE, 0, {{"JVMFlag", NULL}}},

	/* --- objects ------------------------------------------------------------------------- */
	{FIELD(oop_mark), CAP_KLASS, 8, {{"oopDesc", "_mark"}}},
	{FIELD(oop_klass), CAP_KLASS, 8, {{"oopDesc", "_metadata._klass"}}},
	{FIELD(oop_narrow_klass), CAP_KLASS, 4, {{"oopDesc", "_metadata._compressed_klass"}}},
	/* JDK 24+, where klass words may be in the mark */
	{CONST(klass_mark_shift), OPTIONAL, 0, {{"markWord::klass_shift", NULL}}},
	/* JDK 22+ (8311870): without the inner struct; the same for oops in JDK 24+ (8340524) */
	{STATIC(narrow_klass_base), CAP_KLASS, 8,
	 {{"CompressedKlassPointers", "_base"},
	  {"CompressedKlassPointers", "_narrow_klass._base"}}},
	{STATIC(narrow_klass_shift), CAP_KLASS, 4,
	 {{"CompressedKlassPointers", "_shift"},
	  {"CompressedKlassPointers", "_narrow_klass._shift"}}},
	{STATIC(narrow_oop_base), CAP_STRINGS, 8,
	 {{"CompressedOops", "_base"}, {"CompressedOops", "_narrow_oop._base"}}},
	{STATIC(narrow_oop_shift), CAP_STRINGS, 4,
	 {{"CompressedOops", "_shift"}, {"CompressedOops", "_narrow_oop._shift"}}},
	{STATIC(string_klass), CAP_STRINGS, 8, {{"vmClasses", VMCLASS("String_klass")}}},

	/* --- threads ------------------------------------------------------------------------- */
	{STATIC(thread_klass), CAP_THREADS, 8, {{"vmClasses", VMCLASS("Thread_klass")}}},
	{FIELD(thread_obj), CAP_THREADS, 8, {{"JavaThread", "_threadObj"}}},
	/* JDK 19+ */
	{FIELD(thread_vthread), OPTIONAL, 8, {{"JavaThread", "_vthread"}}},
	/* JDK 25; the second name is JDK 24's (8343957 renamed it) */
	{FIELD(thread_lock_id), OPTIONAL, 8,
	 {{"JavaThread", "_monitor_owner_id"}, {"JavaThread", "_lock_id"}}},
};
/* clang-format on */

const size_t layout_wants_count = ARRAY_SIZE(layout_wants);
