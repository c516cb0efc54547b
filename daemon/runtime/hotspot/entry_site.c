// SPDX-License-Identifier: MIT
/*
 * entry_site.c - the verified entry point of a compiled method as a site.
 *
 * HotSpot itself overwrites the first 5 bytes of a verified entry when it retires a method
 * (NativeJump::patch_verified_entry, OpenJDK src/hotspot/cpu/x86/nativeInst_x86.cpp, JDK <= 25),
 * so it keeps one instruction of at least 5 bytes there, and aligns it so that the store is
 * atomic. We ask more: the 8 bytes must be one aligned word, for our compare-and-swap.
 *
 *   entry:  jump slot       slot code:  <begin a frame>, jump text         slot text:  nop
 *           ...                         <end it>, <displaced instruction>             jump code
 *                                       jump entry + length
 *
 * The frame is for profilers: at its entry a method has none, and HotSpot, which takes a slot for
 * native code, would follow whatever rbp is (docs/design.md). With float or double parameters the
 * slot also makes room below and saves them there, because BPF cannot see floating-point registers.
 * None of that changes a flag, and HotSpot keeps nothing below the stack pointer at a method's
 * entry (no red zone; the pages there were banged by the caller: StackShadowPages,
 * src/hotspot/share/runtime/stackOverflow.hpp).
 */
#include "arch/emit.h"
#include "probe/probe.h"
#include "runtime/hotspot/entry_site.h"

static int entry_plan(struct site *s, const struct site_env *env, struct fail *f)
{
	uint64_t entry = s->probe->method.entry;
	uint8_t code[INSN_LEN_MAX + 1];
	char text[64];
	size_t len;
	int err;

	if (entry % sizeof(uint64_t))
		return fail_set(f, -EOPNOTSUPP, "entry is not aligned: 0x%llx",
				(unsigned long long)entry);
	err = mem_read(env->mem, entry, code, sizeof(code));
	if (err)
		return err;
	/* What HotSpot puts over the entry of a method that it retires: first a jump to itself. */
	if (insn_is_jump(code))
		return -ESTALE;
	if (insn_displaceable(env->decoder, entry, code, sizeof(code), &len)) {
		insn_text(env->decoder, entry, code, sizeof(code), text, sizeof(text));
		return fail_set(f, -EOPNOTSUPP, "first instruction cannot be moved: %s", text);
	}
	s->addr = entry;
	s->saves_fp = s->probe->captures && s->probe->captures->uses_fp;
	s->depth = EMIT_FRAME_DEPTH;
	memcpy(&s->orig, code, sizeof(s->orig));
	memcpy(s->displaced, code, len);
	s->displaced_len = (uint8_t)len;
	return 0;
}

static int entry_emit(struct site *s, const struct site_env *env _unused_,
		      uint8_t code[static SLOT_CODE], size_t *len_ret)
{
	uint64_t code_addr = region_slot_code(s->region, s->slot);
	uint64_t text = region_slot_text(s->region, s->slot);
	uint64_t target = code_addr + EMIT_PROLOGUE_OFF;
	uint8_t *p = code, *q = code + EMIT_PROLOGUE_OFF, word[sizeof(uint64_t)];

	emit_traps(code, SLOT_CODE);
	p = emit_frame_end(p);
	p = emit_bytes(p, s->displaced, s->displaced_len);
	emit_jump(p, code_addr + (uint64_t)(p - code), s->addr + s->displaced_len);
	q = emit_frame(q);
	if (s->saves_fp)
		emit_fp_prologue(q, code_addr + (uint64_t)(q - code), text);
	else
		emit_jump(q, code_addr + (uint64_t)(q - code), text);
	memcpy(word, &s->orig, sizeof(word));
	emit_jump(word, s->addr, target);
	memcpy(&s->divert, word, sizeof(s->divert));
	*len_ret = SLOT_CODE;
	return 0;
}

const struct site_kind entry_site = {
	.name = "entry",
	.plan = entry_plan,
	.emit = entry_emit,
	.verify = site_verify_diverted,
	.stat = site_stat_counted,
};
