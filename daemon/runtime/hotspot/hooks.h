/* SPDX-License-Identifier: MIT */
/*
 * hooks.h - which functions of libjvm.so are called as compiled code comes and goes: found by their
 * symbols; where there are none, by HotSpot's USDT probes. Only looks into the file.
 */
#ifndef HP_HOOKS_H
#define HP_HOOKS_H

#include "kernel/nmethod_bpf.h"
#include "symmap/elfsyms.h"

#define HOOKS_MAX 32 /* more than there are symbols, and USDT probes have places */

/* Zero-initialised: none yet. */
struct hooks {
	struct nmethod_site sites[HOOKS_MAX];
	size_t n;
	bool registers, unregisters, retires; /* is there a hook for this? */
};

/** hooks_by_symbol() - add what the symbols of @e lead to. */
void hooks_by_symbol(struct hooks *h, struct elfsyms *e);

/**
 * hooks_by_usdt() - in place of what @h held, hooks on HotSpot's USDT probes, at which all that is
 * known is that something has changed.
 */
void hooks_by_usdt(struct hooks *h, struct elfsyms *e);

#endif
