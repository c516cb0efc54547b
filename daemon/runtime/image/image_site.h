/* SPDX-License-Identifier: MIT */
/*
 * image_site.h - a method of a native image as a site: in place, or diverted in one process.
 *
 * In place a uprobe sits on the method's own code, in its file: where the kernel emulates the
 * instruction, if the method begins like that, else on its first. Diverted, a jump to a slot takes
 * the place of one instruction, in one process, and never of the first, where uprobes of others
 * sit.
 */
#ifndef HP_IMAGE_SITE_H
#define HP_IMAGE_SITE_H

#include "probe/probe.h"
#include "probe/site.h"
#include "arch/method_code.h"

/* What is known of a method. */
struct image_site_plan {
	struct method
		method; /* entry and end: virtual addresses of the file; texts outlive the probe */
	uint32_t overloads; /* methods of that name */
	const char *desc;   /* of its parameters; NULL: not known, shown raw */
	bool is_static;
	bool desc_by_spec;    /* not checked against the image */
	bool count_only;      /* nobody looks at arguments */
	const uint8_t *code;  /* method.end - method.entry bytes of it */
	uint64_t file_offset; /* of its entry */
	uint64_t bias;	      /* in the process; see image_proc.h */
};

/* Where the probe of a method comes to lie. */
enum image_place {
	IMAGE_DIVERTED, /* leads to a slot */
	IMAGE_EMULATED, /* in place, on an instruction that the kernel emulates */
	IMAGE_STEPPED,	/* in place, on one that it steps through */
	IMAGE_PLACES
};

/**
 * image_site_probe() - a probe with a planned site.
 * @divert: into the process of @env->mem, if the method's code allows it.
 * @at_start: if in place, then on its first instruction whatever that costs.
 * Return: 0; -EPROTO its code is none; -ENOMEM.
 */
int image_site_probe(const struct image_site_plan *plan, const struct site_env *env, bool divert,
		     bool at_start, struct probe **ret);

enum image_place image_site_place(const struct site *s);

/**
 * image_site_exits() - where to probe the method's returns: offsets from its entry.
 * @complete: no call returns otherwise (but by an exception).
 * Return: how many.
 */
size_t image_site_exits(const struct site *s, const uint32_t **ret, bool *complete);

#endif
