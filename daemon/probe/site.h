/* SPDX-License-Identifier: MIT */
/*
 * site.h - one address that a probe acts on, and the struct of functions that a kind of site is.
 *
 * Each runtime brings its own kinds (entries of HotSpot's compiled methods, methods of native
 * images diverted or in place): nothing outside their own files knows what they patch.
 */
#ifndef HP_SITE_H
#define HP_SITE_H

#include "arch/insn.h"
#include "base/fail.h"
#include "kernel/probe_bpf.h"
#include "proc/mem.h"
#include "region/region.h"

enum site_state {
	SITE_NEW,      /* planned, perhaps with a slot; nothing leads there */
	SITE_LIVE,     /* active and read back */
	SITE_RESTORED, /* our jump was taken out again */
	SITE_GONE,     /* the target overwrote it (retired) or freed the code */
};

struct probe;
struct site;

/* What a kind needs to know of its surroundings. */
struct site_env {
	struct mem *mem; /* of the process; NULL: there is no one process */
	struct insn_decoder *decoder;
	struct region *region; /* the first one; NULL: only sites in place can be had */
	struct probe_bpf *bpf;
	bool file_text; /* the code lies in a file, where others may have uprobes */
};

/* A kind of site, as functions in the order they are called. Every kind has all of them. */
struct site_kind {
	const char *name;
	bool in_place; /* the uprobe sits on the code itself: nothing is diverted */
	/*
	 * Look at the code as it is now and decide what to change: fills addr, orig, displaced, or
	 * file_offset; depth and saves_fp. 0; -EOPNOTSUPP with @f filled when this code is not
	 * understood; -ESTALE when the target is retiring it; -EFAULT; -ESRCH.
	 */
	int (*plan)(struct site *s, const struct site_env *env, struct fail *f);
	/*
	 * Write the slot's code into @code, and how long it is to @len_ret (0: it needs none);
	 * fills divert, the word that will lead there. Region and slot are known by now. 0;
	 * -EOPNOTSUPP.
	 */
	int (*emit)(struct site *s, const struct site_env *env, uint8_t code[static SLOT_CODE],
		    size_t *len_ret);
	/* Do calls really pass it, as far as can be read? Asked once it is active. */
	bool (*verify)(const struct site *s, const struct site_env *env);
	/* What has happened here since the site was armed. */
	struct hp_slot_stat (*stat)(const struct site *s, const struct site_env *env);
};

struct site {
	const struct site_kind *kind;
	struct probe *probe; /* whose site it is; holds it alive */
	enum site_state state;
	uint32_t slot, gen;
	struct region *region;	     /* whose slot it is; in place: NULL */
	uint64_t addr, orig, divert; /* the aligned word: where, what it was, what it becomes */
	uint64_t file_offset;	     /* in place: of the uprobe */
	uint8_t displaced[INSN_LEN_MAX];
	uint8_t displaced_len;
	bool saves_fp;	/* floating-point registers are saved where the probe can read them */
	uint32_t depth; /* the stack pointer is so many bytes lower here than at entry, saved
			 * registers aside */
	struct hp_slot_stat before; /* counted by former users of its slot */
	void *own;		    /* the kind's, in one piece */
	uint64_t live_ns;
};

/**
 * site_new() - a site of @kind for @p, which gets it: see probe_add().
 * Return: the site; NULL when out of memory.
 */
struct site *site_new(const struct site_kind *kind, struct probe *p);

/** site_free() - a site that nothing leads to any more; the last one of a probe frees it too. */
void site_free(struct site *s);

/** site_slot_spec() - what the BPF program has to copy at a hit, but for flags of the machinery. */
void site_slot_spec(const struct site *s, struct hp_slot_spec *ret);

/** site_region_slot() - as the region's table remembers it. */
struct region_slot site_region_slot(const struct site *s);

/* For kinds whose sites are diverted to a slot, or counted by the BPF program. */
bool site_verify_diverted(const struct site *s, const struct site_env *env);
struct hp_slot_stat site_stat_counted(const struct site *s, const struct site_env *env);

#endif
