/* SPDX-License-Identifier: MIT */
/*
 * image_proc.h - a process that runs a native image.
 */
#ifndef HP_IMAGE_PROC_H
#define HP_IMAGE_PROC_H

#include <sys/stat.h>

#include "symmap/elffile.h"
#include "proc/mem.h"
#include "proc/proc.h"

struct image_proc {
	struct proc_id id;
	struct mem *mem;
	uint64_t bias;		      /* address in the process minus virtual address in the file */
	uint64_t code_low, code_high; /* where it has the image's largest executable segment */
};

/**
 * image_proc_exe() - the program that @pid runs.
 * Return: a file descriptor; -ESRCH; -EPERM; -ENOENT.
 */
int image_proc_exe(pid_t pid);

/**
 * image_proc_open() - take hold of @pid, and find the code of @f in it, which is its program.
 * Return: 0; -ESRCH; -EPERM; -ENOENT it is not mapped there as its headers say; -ENOMEM.
 */
int image_proc_open(pid_t pid, const struct elffile *f, struct image_proc *ret);
void image_proc_close(struct image_proc *p); /* accepts NULL, and a zeroed one */
#define _cleanup_image_proc_ _cleanup_(image_proc_close)

/** image_proc_each() - call @fn for every process whose program may be @image, until true. */
bool image_proc_each(const struct stat *image, bool (*fn)(pid_t pid));

/**
 * image_file_offset() - where in its file the code at virtual address @vaddr is.
 * Return: false when @len bytes there are not all in one executable segment.
 */
bool image_file_offset(const struct elffile *f, uint64_t vaddr, uint64_t len, uint64_t *ret);

#endif
