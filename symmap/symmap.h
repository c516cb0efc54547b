/* SPDX-License-Identifier: MIT */
/*
 * symmap.h - the live symbol map: which compiled method lies at which address.
 *
 * Fed by two producers, the walk over the code heaps and the compile events, through
 * symmap_add()/symmap_remove(). Knows no pid, no /proc, no BPF; never prints.
 *
 * HotSpot reuses code memory, so an address names a method only together with a generation:
 * a number that grows by one with every symmap_add() and is never used twice.
 */
#ifndef HP_SYMMAP_H
#define HP_SYMMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symmap/strpool.h"

enum nmethod_state {
	NMETHOD_IN_USE = 0,
	NMETHOD_NOT_ENTRANT = 1, /* retired: no new calls enter it, old frames may still run */
	NMETHOD_DEAD = 2,	 /* zombie or unloaded: about to be freed */
};

enum nmethod_kind { NMETHOD_C1, NMETHOD_C2, NMETHOD_JVMCI, NMETHOD_NATIVE };

/*
 * A method that has machine code: what HotSpot's nmethods and the methods of a native image share.
 * Texts are "" where they are not known; who gives a method out says how long they live.
 */
struct method {
	const char *klass;  /* "com.shop.Outer$Inner" */
	const char *name;   /* "add", "<init>" */
	const char *desc;   /* "(ILjava/lang/String;)V" */
	const char *symbol; /* of a native image's symbol table */
	uint64_t begin;	    /* first byte of code (HotSpot's code_begin) */
	uint64_t end;	    /* one past the last byte of code */
	uint64_t entry;	    /* where callers enter: verified entry point, in [begin, end) */
};

/* One compiled body of a method of HotSpot. Strings belong to the map's pool. */
struct nmethod {
	struct method m;
	uint64_t addr;	      /* of the nmethod structure itself: the key of add and remove */
	uint64_t method_addr; /* the Method* it was compiled from */
	uint64_t holder;      /* the Klass* that declares it */
	uint32_t compile_id;
	uint32_t gen;  /* set by symmap_add() */
	int8_t level;  /* tier, 0 to 4 */
	uint8_t kind;  /* enum nmethod_kind */
	uint8_t state; /* enum nmethod_state */
	uint8_t osr;   /* 1: on-stack replacement, entered only from the middle of a loop */
};

struct symmap;

struct symmap *symmap_new(void);
void symmap_free(struct symmap *m);

/** symmap_strings() - the pool that names given to symmap_add() must come from. */
struct strpool *symmap_strings(struct symmap *m);

/**
 * symmap_add() - put one nmethod in.
 * @nm: copied; @nm->gen is ignored, the strings must be of symmap_strings().
 * @ret: may be NULL; the map's own copy, valid until the next add or remove.
 *
 * An older nmethod whose code overlaps (HotSpot freed it and we missed that) is removed first;
 * an nmethod with the same @addr, @begin, @end, @method and compile id only has its state renewed
 * and keeps its generation.
 *
 * Return: 1 added; 0 it was there already; -EINVAL unless begin <= entry < end; -ENOMEM.
 */
int symmap_add(struct symmap *m, const struct nmethod *nm, const struct nmethod **ret);

/**
 * symmap_displaced() - one of the nmethods that symmap_add() would remove for @nm; NULL: none.
 * Who has something on such a one removes it itself, until there is none, and then adds @nm.
 */
const struct nmethod *symmap_displaced(const struct symmap *m, const struct nmethod *nm);

/**
 * symmap_remove() - forget the nmethod at @addr (of the structure).
 * @old: may be NULL; filled with what was removed.
 * Return: 0; -ENOENT.
 */
int symmap_remove(struct symmap *m, uint64_t addr, struct nmethod *old);

/** symmap_set_state() - Return: 1 changed; 0 it had that state already; -ENOENT. */
int symmap_set_state(struct symmap *m, uint64_t addr, enum nmethod_state state);

/** symmap_lookup() - the nmethod whose code covers @pc, or NULL. Valid until the next change. */
const struct nmethod *symmap_lookup(const struct symmap *m, uint64_t pc);

/** symmap_find() - the nmethod whose structure is at @addr, or NULL. */
const struct nmethod *symmap_find(const struct symmap *m, uint64_t addr);

size_t symmap_count(const struct symmap *m);

/** symmap_at() - the @i-th nmethod by address, @i < symmap_count(). */
const struct nmethod *symmap_at(const struct symmap *m, size_t i);

/** symmap_bytes() - heap memory held, without the strings. */
size_t symmap_bytes(const struct symmap *m);

const char *nmethod_kind_name(uint8_t kind);   /* "c1", "c2", "jvmci", "native" */
const char *nmethod_state_name(uint8_t state); /* "in_use", "not_entrant", "dead" */

#endif
