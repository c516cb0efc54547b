// SPDX-License-Identifier: MIT
/* hooks.c - which functions of libjvm.so tell of compiled code. See hooks.h. */
#include "arch/insn.h"
#include "runtime/hotspot/hooks.h"

/*
 * Where HotSpot tells that code comes and goes. register_nmethod is a virtual function of the heap
 * in use: the nmethod is its second argument. The others are members of nmethod itself: `this`.
 * unregister_nmethod is not called per nmethod by every collector (G1 of JDK 22+ does it in
 * bulk), but all nmethods go through flush() (17) or purge() (21+) before their memory is reused.
 * Source: OpenJDK src/hotspot/share/code/nmethod.cpp, gc/g1/g1CollectedHeap.cpp.
 */
static const char *const heap_classes[] = {
	"15G1CollectedHeap", "20ParallelScavengeHeap", "16GenCollectedHeap", "10SerialHeap",
	"14ZCollectedHeap",  "14XCollectedHeap",       "14ShenandoahHeap",   "11EpsilonHeap",
};

static const struct {
	const char *symbol;
	enum nmethod_hook hook;
} nmethod_members[] = {
	{"_ZN7nmethod5flushEv", HOOK_UNREGISTER},				 /* JDK 17 */
	{"_ZN7nmethod5purgeEbb", HOOK_UNREGISTER},				 /* JDK 21 */
	{"_ZN7nmethod5purgeEb", HOOK_UNREGISTER},				 /* JDK 22+ */
	{"_ZN7nmethod26make_not_entrant_or_zombieEi", HOOK_RETIRE},		 /* JDK 17 */
	{"_ZN7nmethod16make_not_entrantEv", HOOK_RETIRE},			 /* JDK 21 */
	{"_ZN7nmethod16make_not_entrantEPKc", HOOK_RETIRE},			 /* JDK 24 */
	{"_ZN7nmethod16make_not_entrantENS_18InvalidationReasonE", HOOK_RETIRE}, /* JDK 25 */
};

_Static_assert(2 * ARRAY_SIZE(heap_classes) + ARRAY_SIZE(nmethod_members) <= HOOKS_MAX,
	       "every symbol finds room");

/* That mark is single-stepped out of line by the kernel, at twenty times the price of what follows.
 */
static uint64_t after_landing(struct elfsyms *e, uint64_t vaddr)
{
	uint8_t code[INSN_LANDING_LEN];

	if (elfsyms_code(e, vaddr, code, sizeof(code)) != sizeof(code))
		return vaddr;
	return vaddr + insn_landing_len(code);
}

static bool add(struct hooks *h, struct elfsyms *e, uint64_t vaddr, enum nmethod_hook hook,
		uint8_t arg)
{
	uint64_t offset;

	if (h->n == HOOKS_MAX || elfsyms_offset(e, after_landing(e, vaddr), &offset))
		return false;
	/* Two classes may share one body: one hook is enough, two would be two events. */
	for (size_t i = 0; i < h->n; i++) {
		if (h->sites[i].offset == offset)
			return true;
	}
	h->sites[h->n++] = (struct nmethod_site){.hook = hook, .arg = arg, .offset = offset};
	return true;
}

void hooks_by_symbol(struct hooks *h, struct elfsyms *e)
{
	char name[96];
	uint64_t vaddr;

	for (size_t i = 0; i < ARRAY_SIZE(heap_classes); i++) {
		snprintf(name, sizeof(name), "_ZN%s16register_nmethodEP7nmethod", heap_classes[i]);
		if (elfsyms_value(e, name, &vaddr) == 0 && add(h, e, vaddr, HOOK_REGISTER, 1))
			h->registers = true;
		snprintf(name, sizeof(name), "_ZN%s18unregister_nmethodEP7nmethod",
			 heap_classes[i]);
		if (elfsyms_value(e, name, &vaddr) == 0)
			add(h, e, vaddr, HOOK_UNREGISTER, 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(nmethod_members); i++) {
		if (elfsyms_value(e, nmethod_members[i].symbol, &vaddr) ||
		    !add(h, e, vaddr, nmethod_members[i].hook, 0))
			continue;
		h->unregisters |= nmethod_members[i].hook == HOOK_UNREGISTER;
		h->retires |= nmethod_members[i].hook == HOOK_RETIRE;
	}
}

void hooks_by_usdt(struct hooks *h, struct elfsyms *e)
{
	static const char *const names[] = {"compiled__method__load", "compiled__method__unload"};
	uint64_t vaddr[4];

	h->n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = elfsyms_usdt(e, "hotspot", names[i], vaddr, ARRAY_SIZE(vaddr));

		for (size_t j = 0; j < MIN(n, ARRAY_SIZE(vaddr)); j++)
			add(h, e, vaddr[j], HOOK_RESCAN, 0);
	}
}
