/* SPDX-License-Identifier: MIT */
/*
 * maps.h - the one parser of /proc/PID/maps.
 */
#ifndef HP_MAPS_H
#define HP_MAPS_H

#include <sys/types.h>

#include "base/util.h"

/* A process may have at most vm.max_map_count mappings (65530 by default); this leaves room. */
#define MAPS_MAX      (1u << 20)
#define MAPS_PATH_MAX 4096

struct map_entry {
	uint64_t start, end; /* [start, end) */
	uint64_t offset;     /* in the file */
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	bool read, write, exec, shared;
	const char *path; /* "" for anonymous memory; as the kernel prints it, escapes undone */
};

struct maps {
	struct map_entry *entries; /* by address */
	size_t n;
	char *paths; /* owns every @path */
};

/**
 * maps_parse() - parse the text of a maps file.
 * @text: @len bytes, hostile. A line that does not parse makes the whole text -EPROTO.
 * Return: 0; -EPROTO; -ENOMEM.
 */
int maps_parse(const char *text, size_t len, struct maps *ret);

/** maps_read() - of a process. Return: as maps_parse(), or -ESRCH, -EPERM (-EACCES). */
int maps_read(pid_t pid, struct maps *ret);

/** maps_read_fd() - from an open maps file, from its beginning. Return: as maps_read(). */
int maps_read_fd(int fd, struct maps *ret);
void maps_fini(struct maps *m); /* accepts NULL, and a zeroed one */
#define _cleanup_maps_ _cleanup_(maps_fini)

/** maps_find() - the mapping that covers @addr, or NULL. */
const struct map_entry *maps_find(const struct maps *m, uint64_t addr);

/**
 * maps_gap_below() - highest page-aligned free range of @len bytes that ends at or below @limit
 * and starts at or above @floor.
 * Return: 0; -ENOSPC.
 */
int maps_gap_below(const struct maps *m, uint64_t limit, uint64_t floor, uint64_t len,
		   uint64_t *ret);

#endif
