/* SPDX-License-Identifier: MIT */
/*
 * elfsyms.h - symbols, USDT notes and the build-id of one ELF file.
 *
 * Opened from a file descriptor, so that the caller decides in which mount namespace a path is
 * looked up. Every offset and count of the file is bounded: the file belongs to a hostile target.
 */
#ifndef HP_ELFSYMS_H
#define HP_ELFSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elfsyms;

#define ELFSYMS_BUILD_ID_MAX 64

/**
 * elfsyms_open() - read the headers of an x86-64 ELF file.
 * @fd: not kept; the caller closes it whenever it likes.
 * Return: 0; -EPROTO not a readable ELF file; -EOPNOTSUPP not 64-bit x86-64; -ENOMEM.
 */
int elfsyms_open(int fd, struct elfsyms **ret);
void elfsyms_close(struct elfsyms *e); /* accepts NULL */

static inline void elfsyms_cleanup(struct elfsyms **e)
{
	elfsyms_close(*e);
}
#define _cleanup_elfsyms_ _cleanup_(elfsyms_cleanup)

/**
 * elfsyms_add_debug() - take symbols from a separate debug file too.
 * @fd: not kept. Only its .symtab is used: addresses, notes and code stay @e's own.
 * Call it before the first look-up, once.
 * Return: 0; -ENOENT when it has another build-id (or either has none); -EPROTO; -EOPNOTSUPP;
 * -ENOMEM.
 */
int elfsyms_add_debug(struct elfsyms *e, int fd);

/**
 * elfsyms_value() - virtual address (st_value) of a defined symbol, by exact name without version.
 * Looks in .symtab, then in the debug file's, then in .dynsym. The first call builds an index (some
 * 6 ms for libjvm.so). Return: 0; -ENOENT; -ENOMEM.
 */
int elfsyms_value(struct elfsyms *e, const char *name, uint64_t *ret);

/**
 * elfsyms_each() - call @fn for every defined FUNC symbol whose name contains @part.
 * Goes through .symtab if there is one, own or the debug file's, else through .dynsym.
 * Stops at the first non-zero return, which it returns; or -ENOMEM.
 */
int elfsyms_each(struct elfsyms *e, const char *part,
		 int (*fn)(const char *name, uint64_t value, uint64_t size, void *arg), void *arg);

/** elfsyms_each_export() - the same for .dynsym alone, with @part "". */
int elfsyms_each_export(struct elfsyms *e,
			int (*fn)(const char *name, uint64_t value, uint64_t size, void *arg),
			void *arg);

/** elfsyms_has_symtab() - is there a .symtab (false for stripped builds without debug file)? */
bool elfsyms_has_symtab(const struct elfsyms *e);

/** elfsyms_has_section() - has the file a section of that name? */
bool elfsyms_has_section(const struct elfsyms *e, const char *name);

/** elfsyms_exports() - is @name defined in .dynsym? Reads only that: cheap for one question. */
bool elfsyms_exports(const struct elfsyms *e, const char *name);

/**
 * elfsyms_offset() - file offset of virtual address @vaddr; what a uprobe wants.
 * Return: 0; -ENOENT outside every executable LOAD segment.
 */
int elfsyms_offset(const struct elfsyms *e, uint64_t vaddr, uint64_t *ret);

/**
 * elfsyms_vaddr() - virtual address of file offset @offset, in an executable LOAD segment.
 *
 * The segment counts from the start of its first page, as it is mapped: with the offset and start
 * of an executable mapping this gives the load bias, start - vaddr.
 * Return: 0; -ENOENT.
 */
int elfsyms_vaddr(const struct elfsyms *e, uint64_t offset, uint64_t *ret);

/** elfsyms_code() - copy up to @len bytes of code at @vaddr; returns bytes copied or -ENOENT. */
int elfsyms_code(const struct elfsyms *e, uint64_t vaddr, uint8_t *buf, size_t len);

/**
 * elfsyms_usdt() - locations of the USDT probe @provider:@name (.note.stapsdt).
 * @ret: filled with up to @max virtual addresses.
 * Return: how many there are; 0 when none.
 */
size_t elfsyms_usdt(struct elfsyms *e, const char *provider, const char *name, uint64_t *ret,
		    size_t max);

/** elfsyms_build_id() - Return: length in bytes, 0 when there is none. */
size_t elfsyms_build_id(const struct elfsyms *e, uint8_t ret[static ELFSYMS_BUILD_ID_MAX]);

#endif
