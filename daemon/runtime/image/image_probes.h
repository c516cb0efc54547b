/* SPDX-License-Identifier: MIT */
/*
 * image_probes.h - which methods of a native image are probed, and how: for image_runtime.c.
 */
#ifndef HP_IMAGE_PROBES_H
#define HP_IMAGE_PROBES_H

#include "base/log.h"
#include "base/names.h"
#include "probe/refusals.h"
#include "probe/spec.h"
#include "runtime/image/image_heap.h"
#include "runtime/image/image_match.h"
#include "runtime/image/image_proc.h"
#include "runtime/image/image_site.h"
#include "runtime/runtime.h"

/* A native image that is traced: its file, and one process of it or all. */
struct image {
	int fd;
	char *path;
	struct elffile file;
	bool has_file, has_heap, has_proc;
	bool count_only;
	bool locked; /* the file, by us, while probes are being removed */
	struct image_map map;
	struct image_heap heap;
	struct image_proc proc;
	struct names klasses;

	struct spec *specs[SPECS_MAX];
	struct image_match *matches[SPECS_MAX];
	enum image_fit best[SPECS_MAX]; /* that any method has */
	size_t nspecs;

	uint32_t methods, raw, shared; /* matched; types unknown; of those by sharing a name */
	struct refusals refusals;      /* of those that matched */
	uint32_t places[IMAGE_PLACES]; /* sites of each kind */
};

/** image_say() - a line about the image: it begins with its process, or with its path. */
void image_say(const struct image *im, enum log_level level, const char *fmt, ...) _printf_(3, 4);

/**
 * image_probes_parse() - the SPECs of a request.
 * Return: 0; -EINVAL with @f; -ENOMEM.
 */
int image_probes_parse(struct image *im, const struct trace_request *req, struct fail *f);

/** image_probes_fit() - find out how well they fit. Return: 0; -E2BIG with @f; -ENOMEM. */
int image_probes_fit(struct image *im, struct fail *f);

/** image_probes_match() - the same, and one must fit. Return: also -ENOENT with @f: none does. */
int image_probes_match(struct image *im, struct fail *f);

/** image_probes_open() - attach; no method is touched yet. Return: as probes_open(). */
int image_probes_open(struct runtime *rt, const struct trace_request *req, struct fail *f);

/** image_probes_notes() - say which methods that match are not probed, and why. */
void image_probes_notes(struct image *im);

/**
 * image_probes_install() - probe every method that matches, as its code allows.
 * @pid: 0 for every process. @divert: into that process, if the code allows it.
 * @at_start: what is in place goes on first instructions.
 * Return: 0; -EACCES code may not be changed: probes_disarm() is due; -errno.
 */
int image_probes_install(struct runtime *rt, pid_t pid, bool divert, bool at_start);

#endif
