/* SPDX-License-Identifier: MIT */
/*
 * capture.h - what is taken at a hit: one description for the BPF program, which copies it, for the
 * decoder, which finds it in the record, and for whoever prints it.
 */
#ifndef HP_CAPTURE_H
#define HP_CAPTURE_H

#include <linux/types.h>

#include "arch/abi.h"
#include "bpf/events.h"
#include "symmap/jtype.h"

/* One value. */
struct capture {
	struct abi_place place; /* where it is */
	char tag;		/* what it is: as jtype.tag */
	bool text;		/* declared java.lang.String: its text is copied too */
	bool null_in_status;	/* null is another word than 0: only the record's status tells it */
	int16_t ref;	  /* index among the record's references; -1: none, or beyond HP_REFS_MAX */
	const char *type; /* declared type in source form; NULL for `this` */
};

/* Everything that is taken at the entry of one method. Texts are in the same piece of memory. */
struct capture_list {
	enum abi_convention convention;
	bool has_this;		/* then it is the first capture */
	bool uses_fp;		/* some value is in a floating-point register */
	uint16_t nstack, nrefs; /* stack words that hold values; references */
	uint16_t n;
	struct capture v[];
};

/**
 * capture_list_new() - the parameters of a method with this descriptor, and `this`.
 * @ret: for free().
 * Return: 0; -EPROTO @desc is no descriptor; -ENOMEM.
 */
int capture_list_new(enum abi_convention convention, const char *desc, bool is_static,
		     struct capture_list **ret);

/** capture_arg() - parameter @i, `this` with @i == -1; NULL when there is none. */
const struct capture *capture_arg(const struct capture_list *l, int i);

/** capture_nargs() - how many parameters there are. */
int capture_nargs(const struct capture_list *l);

/** capture_ngpr() - how many general registers hold values. */
unsigned int capture_ngpr(const struct capture_list *l);

/** capture_slot_spec() - what the BPF program must copy. */
void capture_slot_spec(const struct capture_list *l, struct hp_slot_spec *ret);

#endif
