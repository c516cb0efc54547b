/* SPDX-License-Identifier: MIT */
/* image_text.h - how the text of a process that runs a native image differs from its file. */
#ifndef HP_TEST_IMAGE_TEXT_H
#define HP_TEST_IMAGE_TEXT_H

#include <sys/types.h>

#include "base/util.h"

/* In the executable mappings of the program's file, in aligned 8-byte words. */
struct image_text {
	size_t diverted;     /* a jump into a slot region, in place of five bytes */
	uint64_t first_jump; /* address of the first of them */
	size_t trapped;	     /* breakpoints, and nothing else */
	size_t other;
	bool writable; /* some of it */
	bool region;   /* a slot region is mapped */
};

void image_text_look(pid_t pid, struct image_text *ret);

/** image_text_check() - all is as in the file, may be executed, not written, and no region is
 * there. */
void image_text_check(pid_t pid);

/**
 * image_text_check_soon() - the same, after a while: a killed process's descriptors, and with them
 * its uprobes, go some time after it.
 */
void image_text_check_soon(pid_t pid);

#endif
