// SPDX-License-Identifier: MIT
/*
 * entry_site.c - the verified entry point of a compiled method as a site.
 *
 * HotSpot itself overwrites the first 5 bytes of a verified entry when it retires a method
 * (NativeJump::patch_verified_entry, OpenJDK src/hotspot/cpu/x86/nativeInst_x86.cpp, JDK <= 25),
 * so it keeps one instruction of at least 5 bytes there, and aligns it so that the store is
 * atomic. We ask more: the 8 bytes must be one aligned word, for our compare-and-swap.
 *
 *   entry:  jump slot       slot text:  nop           slot code:  <displaced instruction>
 *           ...                         jump code                 jump entry + length
 *
 * With float or double parameters the entry jumps to a prologue first, because BPF cannot see
 * floating-point registers: it makes room below the stack pointer, saves them there and then passes
 * the same nop; the slot's code begins by giving the room back. That changes no flags, and HotSpot
 * keeps nothing below the stack pointer at a method's entry (no red zone; the pages there were
 * banged by the caller: StackShadowPages, src/hotspot/share/runtime/stackOverflow.hpp).
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
	uint64_t target = text;
	uint8_t *p = code, word[sizeof(uint64_t)];

	emit_traps(code, SLOT_CODE);
	if (s->saves_fp)
		p = emit_add_sp(p, HP_FP_FRAME);
	p = emit_bytes(p, s->displaced, s->displaced_len);
	p = emit_jump(p, code_addr + (uint64_t)(p - code), s->addr + s->displaced_len);
	if (s->saves_fp) {
		target = code_addr + EMIT_PROLOGUE_OFF;
		p = emit_fp_prologue(code + EMIT_PROLOGUE_OFF, target, text);
	}
	memcpy(word, &s->orig, sizeof(word));
	emit_jump(word, s->addr, target);
	memcpy(&s->divert, word, sizeof(s->divert));
	*len_ret = (size_t)(p - code);
	return 0;
}

const struct site_kind entry_site = {
	.name = "entry",
	.plan = entry_plan,
	.emit = entry_emit,
	.verify = site_verify_diverted,
	.stat = site_stat_counted,
};
