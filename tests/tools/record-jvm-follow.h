/* SPDX-License-Identifier: MIT */
/*
 * record-jvm-follow.h - what is recorded of a JVM beyond what today's readers ask for.
 */
#ifndef HP_RECORD_JVM_FOLLOW_H
#define HP_RECORD_JVM_FOLLOW_H

#include "runtime/hotspot/vmstructs.h"

/**
 * follow_all() - read, through @m, what a reader for this JDK may need: every static variable and
 * what it points to, all compiled code and the fronts of the other blobs, and the methods, classes,
 * names and threads that these lead to.
 * @m: notes what is read (mem_open_noting()). @raw: the same memory, and nobody notes.
 * What cannot be read, or is not there in this JDK, is passed over.
 * Return: how many nmethods were found.
 */
size_t follow_all(struct mem *m, struct mem *raw, const struct vmstructs *vs,
		  vmstructs_symbol_fn *symbol, void *arg);

#endif
