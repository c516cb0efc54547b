/* SPDX-License-Identifier: MIT */
/*
 * install.h - which nmethods of a JVM are probed: from specs and nmethods to sites.
 */
#ifndef HP_INSTALL_H
#define HP_INSTALL_H

#include "probe/sites.h"
#include "probe/spec.h"
#include "runtime/hotspot/target.h"

struct install_options {
	struct remote *remote; /* into the target; outlives the install */
	uint32_t string_max;   /* bytes, at most HP_TEXT_MAX */
	size_t ring_bytes;
	bool count_only;	   /* no events: only the slots' counters */
	struct spec *const *specs; /* what is asked for; the caller's, and outlives the install */
	size_t nspecs;		   /* at most SPECS_MAX */
};

struct install;

/** install_target() - a JVM as the rig needs it; all of @t and @w outlives the rig. */
struct attachment_target install_target(struct target *t, struct remote *w);

/**
 * install_open() - bring the rig into place; no method is touched yet.
 * Prints one error line when it fails. Return: as attachment_open().
 */
int install_open(struct target *t, const struct install_options *opt, const struct site_ops *ops,
		 void *arg, struct install **ret);

/** install_free() - its sites, which stay, are for sites_close(). Accepts NULL. */
void install_free(struct install *in);

struct sites *install_sites(struct install *in);

/** install_wants() - does any spec ask for this nmethod's method? Never for an OSR body. */
bool install_wants(struct install *in, const struct nmethod *nm);

/**
 * install_nmethods() - divert those of @n nmethods that a spec asks for and that are in use.
 * @registered_ns: when each appeared (CLOCK_MONOTONIC); NULL for those found at attach.
 * Those that are diverted already are passed over.
 * Return: how many were installed; -ESRCH; -EPERM; -ETIMEDOUT; -ENOMEM.
 */
int install_nmethods(struct install *in, const struct nmethod *const *nms, size_t n,
		     const uint64_t *registered_ns);

/** install_gone() - HotSpot retired or freed the nmethod with this structure address and
 * generation. */
void install_gone(struct install *in, const struct nmethod *nm, const char *why);

/** install_spec_matched() - has the @i-th spec matched an nmethod so far? */
bool install_spec_matched(const struct install *in, size_t i);

#endif
