/* SPDX-License-Identifier: MIT */
/* fake_elf.h - small ELF files made to order, for tests of what reads them. */
#ifndef HP_FAKE_ELF_H
#define HP_FAKE_ELF_H

#include <elf.h>

#include "base/util.h"

#define FAKE_ELF_SECTIONS 16
#define FAKE_ELF_SEGMENTS 4

struct fake_elf {
	Elf64_Ehdr h;
	Elf64_Phdr ph[FAKE_ELF_SEGMENTS];
	Elf64_Shdr sh[FAKE_ELF_SECTIONS]; /* a test may damage these before fake_elf_fd() */
	char names[512];
	size_t names_len;
	uint8_t *data; /* what sections hold; its first byte lies at FAKE_ELF_DATA in the file */
	size_t len;
};

/* Where section contents begin: behind the headers. */
#define FAKE_ELF_DATA 4096

/* A symbol table under construction, with its strings. */
struct fake_syms {
	Elf64_Sym *syms;
	size_t n;
	char *str;
	size_t str_len;
};

void fake_elf_init(struct fake_elf *f);
void fake_elf_fini(struct fake_elf *f);

/** fake_elf_add() - append a section with @len bytes of @data. Return: its index. */
size_t fake_elf_add(struct fake_elf *f, const char *name, uint32_t type, const void *data,
		    size_t len);

/** fake_elf_add_syms() - append a symbol table of @type and its string table. */
size_t fake_elf_add_syms(struct fake_elf *f, const char *name, uint32_t type,
			 const struct fake_syms *syms);

/** fake_elf_load() - add an executable LOAD segment. */
void fake_elf_load(struct fake_elf *f, uint64_t offset, uint64_t vaddr, uint64_t size);

/** fake_elf_build_id() - append a .note.gnu.build-id of @len bytes. */
void fake_elf_build_id(struct fake_elf *f, const void *id, uint32_t len);

/** fake_elf_fd() - the file. The caller closes it. */
int fake_elf_fd(struct fake_elf *f);

/** fake_sym() - one symbol; @shndx 1 is "defined somewhere", SHN_UNDEF is not. */
void fake_sym(struct fake_syms *s, const char *name, uint8_t type, uint16_t shndx, uint64_t value);
void fake_syms_fini(struct fake_syms *s);

/** fake_library() - map the code of a new library at @path into this process. munmap() one page. */
void *fake_library(const char *path);

/* Where the library's code lies by its own program headers. */
#define FAKE_LIBRARY_VADDR 0x403000
#define FAKE_LIBRARY_SIZE  4096

/** fake_note() - append a note to @buf. Return: bytes it took. */
size_t fake_note(uint8_t *buf, const char *name, uint32_t type, const void *desc, uint32_t len);

#endif
