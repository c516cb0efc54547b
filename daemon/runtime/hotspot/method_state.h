/* SPDX-License-Identifier: MIT */
/*
 * method_state.h - how far a JVM has come with one method: what it is, and whether and why it is
 * compiled or not.
 */
#ifndef HP_METHOD_STATE_H
#define HP_METHOD_STATE_H

#include "runtime/hotspot/layout.h"

/* Java access flags. Source: JVMS 4.6, table 4.6-A. */
#define METHOD_STATIC	0x0008
#define METHOD_NATIVE	0x0100
#define METHOD_ABSTRACT 0x0400

struct method_state {
	uint64_t method;    /* Method* */
	uint32_t access;    /* as in the class file */
	uint32_t code_size; /* bytes of bytecode */
	uint32_t intrinsic; /* HotSpot's number; 0: it is none */
	uint64_t code;	    /* nmethod that calls enter now; 0: they are interpreted */
	bool calls_known;
	uint64_t calls;	     /* that the interpreter has counted: at least so many were */
	bool old;	     /* another version has replaced it: RedefineClasses */
	bool not_c1, not_c2; /* this compiler may not have it, or could not do it */
};

/**
 * method_state_read() - of the Method at @method.
 * Return: 0; -EPROTO; -EFAULT; -ESRCH.
 */
int method_state_read(struct mem *m, const struct layout *l, uint64_t method,
		      struct method_state *ret);

#endif
