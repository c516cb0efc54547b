/* SPDX-License-Identifier: MIT */
/*
 * image_map.h - the methods of a native image: where each begins and ends, and its name.
 *
 * Names come from the tables the image walks its stacks by, if they decode, else from its symbol
 * table, else from its exports. A map holds no pointers, so that image_cache.c can keep it in a
 * file.
 */
#ifndef HP_IMAGE_MAP_H
#define HP_IMAGE_MAP_H

#include "base/util.h"

enum image_names { NAMES_NONE, NAMES_CODE_INFO, NAMES_SYMTAB, NAMES_EXPORTS, NAMES_COUNT };

const char *image_names_text(enum image_names names); /* "code info", "symbol table", ... */

/* Bits of image_method.flags. */
#define METHOD_SIMPLE  1u /* class is a simple name, without its package */
#define METHOD_C_ENTRY 2u /* called by C, by C's convention */

/* Texts are offsets into the map's; 0 is "". */
struct image_method {
	uint64_t entry,
		end; /* virtual addresses in the file; @end is exclusive and may include padding */
	uint32_t klass, name;
	uint32_t desc;	    /* "" unless the symbol has it */
	uint32_t symbol;    /* "" unless there is one */
	uint32_t overloads; /* methods with this class and name, itself included */
	uint32_t flags;
};

struct image_map {
	struct image_method *methods; /* ascending, those with a name only */
	uint32_t n;
	uint32_t starts; /* of all methods, named or not */
	char *text;	 /* each text ends in NUL */
	uint32_t text_len;
	enum image_names names;
};

/* 100 000 methods are read in some 0.5 s, and matched in less. */
#define IMAGE_MAP_BUDGET_NS   (30 * NSEC_PER_SEC)
#define IMAGE_MATCH_BUDGET_NS (10 * NSEC_PER_SEC)

/**
 * image_map_read() - from the file @fd, which is not kept.
 * Return: 0; -EPROTO no ELF file, or cut; -EOPNOTSUPP no ELF file of 64 bits; -ENOENT there is no
 * name in it that we can read; -ENOMEM.
 */
int image_map_read(int fd, struct image_map *ret);
void image_map_fini(struct image_map *m); /* accepts NULL, and a zeroed one */
#define _cleanup_image_map_ _cleanup_(image_map_fini)

static inline const char *image_text(const struct image_map *m, uint32_t off)
{
	return m->text + off;
}

/** image_map_at() - the method that @vaddr is in, or NULL. */
const struct image_method *image_map_at(const struct image_map *m, uint64_t vaddr);

#endif
