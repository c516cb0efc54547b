/* SPDX-License-Identifier: MIT */
/*
 * site.h - one address that a spec resolved to, and the struct of functions that a kind of site is.
 *
 * Compiled entries come first; return polls, interpreter entries and native images are further
 * kinds: nothing outside their own file knows what they patch.
 */
#ifndef HP_SITE_H
#define HP_SITE_H

#include "region/region.h"
#include "base/json.h"
#include "output/decode.h"
#include "arch/insn.h"
#include "symmap/symmap.h"
#include "runtime/hotspot/layout.h"

enum site_state {
	SITE_NEW,      /* planned, not diverted */
	SITE_LIVE,     /* diverted and read back */
	SITE_RESTORED, /* our jump was taken out again */
	SITE_GONE,     /* HotSpot overwrote it (retired) or freed the code */
};

struct site;

/* What a kind needs to know of its surroundings. */
struct site_env {
	struct mem *mem;
	const struct layout *layout;
	struct insn_decoder *decoder;
	const struct region *region;
};

/* A kind of site, as functions in the order they are called. */
struct site_kind {
	const char *name;
	bool in_place; /* the uprobe is on the code itself: no slot is written, nothing diverted */
	/*
	 * Look at the code as it is now and decide what to change: fills addr, orig, displaced.
	 * 0; -EOPNOTSUPP with @why filled when this code is not understood; -ESTALE when HotSpot
	 * is retiring it; -EFAULT; -ESRCH.
	 */
	int (*plan)(struct site *s, const struct site_env *env, char *why, size_t size);
	/*
	 * Write the slot's code into @code; fills divert, the word that will lead there. The slot
	 * is known by now. Returns the number of bytes, at most SLOT_CODE; 0 if it cannot be done.
	 */
	size_t (*emit)(struct site *s, const struct site_env *env, uint8_t code[static SLOT_CODE]);
	/* What the BPF program has to copy. */
	void (*spec)(const struct site *s, struct hp_slot_spec *ret);
	/* Further keys of every event; may be NULL. */
	void (*head)(const struct site *s, struct buf *b);
};

struct site {
	const struct site_kind *kind;
	enum site_state state;
	struct nmethod nm;	  /* copied: the map's entry moves; strings stay */
	struct call_layout *call; /* owned; NULL: the parameters are not known */
	const char **types;	  /* owned: source form of each parameter's type */
	char *json_head;	  /* owned: the part of every event that is always the same */
	size_t json_head_len;
	uint32_t slot, gen;
	uint64_t addr, orig, divert; /* the aligned word: where, what it was, what it becomes */
	uint64_t file_offset;	     /* in place: of the uprobe */
	uint8_t displaced[INSN_LEN_MAX];
	uint8_t displaced_len;
	void *own;		/* the kind's, in one piece */
	uint64_t registered_ns; /* when the nmethod appeared; 0 if it was there before us */
	uint64_t live_ns;
};

extern const struct site_kind site_compiled_entry;

/**
 * site_new() - look at @nm and plan a site of @kind on it; nothing is written.
 * @why: filled, @size bytes, when the method cannot be probed.
 * Return: 0; -EOPNOTSUPP, -EPROTO with @why; -ESTALE retired meanwhile; -EFAULT; -ESRCH; -ENOMEM.
 */
int site_new(const struct site_kind *kind, const struct site_env *env, const struct nmethod *nm,
	     struct site **ret, char *why, size_t size);
void site_free(struct site *s);

/*
 * The same in steps, for kinds that plan by themselves: site_alloc(); site_know_call(), where the
 * types of the parameters are known; site_finish(), once the nmethod's texts and @own are filled.
 * @desc: must outlive the site. Return: 0; -EPROTO no descriptor; -ENOMEM.
 */
struct site *site_alloc(const struct site_kind *kind, const struct nmethod *nm);
int site_know_call(struct site *s, enum call_convention convention, const char *desc,
		   bool is_static);
int site_finish(struct site *s);

#endif
