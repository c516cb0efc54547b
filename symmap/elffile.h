/* SPDX-License-Identifier: MIT */
/*
 * elffile.h - bounded access to one 64-bit ELF file: headers, sections, notes.
 *
 * The file belongs to the target and may be cut or rewritten while we read it. So the few parts
 * that are needed are copied with pread(2), each with a bound, and only the copies are
 * looked at: what was checked once stays true. libelf cannot give that. Mapping, it turns a cut
 * into a SIGBUS; reading, its elf_begin() reads the header again after any check of ours, and lets
 * section 0 say that there are 2^32 sections, for each of which it allocates (elfutils 0.188,
 * libelf/elf_begin.c, get_shnum() and file_read_elf()).
 */
#ifndef HP_ELFFILE_H
#define HP_ELFFILE_H

#include <elf.h>

#include "daemon/base/util.h"

struct elffile {
	int fd; /* never 0 */
	uint64_t size;
	uint16_t machine, type; /* e_machine, e_type */
	Elf64_Phdr *ph;
	size_t nph;
	Elf64_Shdr *sh; /* none is legal: then there are no symbols for us */
	size_t nsh;
	char *shstr; /* NUL-terminated */
	size_t shstr_size;
};

/** elffile_open() - @fd is not kept. Return: 0; -EPROTO; -EOPNOTSUPP not 64-bit x86-64; -ENOMEM. */
int elffile_open(int fd, struct elffile *ret);

/** elffile_open_any() - the same for any 64-bit little-endian machine; see @ret->machine. */
int elffile_open_any(int fd, struct elffile *ret);
void elffile_close(struct elffile *f); /* accepts NULL, and a zeroed one */
#define _cleanup_elffile_ _cleanup_(elffile_close)

/**
 * elffile_read() - a malloc'd copy of part of the file, with a NUL behind it.
 * @max: more than this many bytes is refused.
 * @ret: a pointer to the pointer to set, of any type.
 * Return: 0; -EPROTO out of the file, or the file was cut; -ENOMEM.
 */
int elffile_read(const struct elffile *f, uint64_t off, uint64_t len, uint64_t max, void *ret);

/** elffile_pread() - up to @len bytes at @off into @buf. Return: bytes read, fewer at the end. */
size_t elffile_pread(const struct elffile *f, void *buf, size_t len, uint64_t off);

const Elf64_Shdr *elffile_section(const struct elffile *f, const char *name);
const Elf64_Shdr *elffile_section_of_type(const struct elffile *f, uint32_t type);

/** elffile_section_read() - as elffile_read(); -EPROTO too for a section without bytes (.bss). */
int elffile_section_read(const struct elffile *f, const Elf64_Shdr *sh, uint64_t max, void *ret);

struct elfnote {
	uint32_t type;
	const char *name;
	uint32_t name_len;
	const uint8_t *desc;
	uint32_t desc_len;
};

/** elfnote_next() - take the next note from [*@p, @end). Return: false at the end or at garbage. */
bool elfnote_next(const uint8_t **p, const uint8_t *end, struct elfnote *ret);

bool elfnote_is(const struct elfnote *n, const char *name, uint32_t type);

#endif
