/* SPDX-License-Identifier: MIT */
/*
 * code.h - every byte of a JVM's compiled methods, to compare before with after.
 */
#ifndef HP_TEST_CODE_H
#define HP_TEST_CODE_H

#include "lib/jvm.h"

struct code_bytes {
	struct codelist list;
	uint8_t **bytes; /* of list.v[i]: its code */
	char *exec; /* the executable mappings, as lines of /proc/PID/maps; [uprobes...] left out */
};

/** code_take() - wait for the compilers to rest and copy. */
void code_take(struct jvm *j, struct code_bytes *ret);
void code_free(struct code_bytes *c);

/** code_changed() - how many of the methods of @before read differently now. */
size_t code_changed(struct jvm *j, const struct code_bytes *before);

/**
 * code_check_restored() - fail the test unless every byte of every method of @before is as it was,
 * but for calls that HotSpot itself has resolved meanwhile, no executable mapping came or went, and
 * nothing of ours is mapped or open.
 */
void code_check_restored(struct jvm *j, const struct code_bytes *before);

/** jvm_exec_maps() - the lines of executable mappings. The caller frees it. */
char *jvm_exec_maps(struct jvm *j);

#endif
