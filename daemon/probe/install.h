/* SPDX-License-Identifier: MIT */
/*
 * install.h - probes on a target: from specs and nmethods to diverted entries and back.
 */
#ifndef HP_INSTALL_H
#define HP_INSTALL_H

#include "probe/rig.h"
#include "probe/site.h"
#include "probe/slot.h"
#include "probe/spec.h"

#define SPECS_MAX 64

struct install_options {
	struct rig_options rig;
	bool count_only; /* no events: only the slots' counters */
	struct spec *const *specs; /* what is asked for; the caller's, and outlives the install */
	size_t nspecs;		   /* at most SPECS_MAX */
};

struct install;

/*
 * What happened to a site, told as it happens; @why is for a person. A site that could not be
 * installed is told by refused().
 */
struct install_ops {
	void (*probed)(void *arg, const struct site *s);
	void (*unprobed)(void *arg, const struct site *s, const char *why);
	void (*refused)(void *arg, const struct nmethod *nm, const char *why);
	record_fn *record;
};

/**
 * install_open() - bring the rig into place; no method is touched yet.
 * Prints one error line when it fails. Return: as rig_open().
 */
int install_open(struct target *t, const struct install_options *opt, const struct install_ops *ops,
		 void *arg, struct install **ret);

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

/** install_gone() - HotSpot retired or freed the nmethod with this structure address and generation. */
void install_gone(struct install *in, const struct nmethod *nm, const char *why);

/**
 * install_remove_all() - put every original word back, by compare-and-swap.
 * Return: 0 all sites are restored or gone; -ESRCH; -EPERM; -ETIMEDOUT.
 */
int install_remove_all(struct install *in);

/**
 * install_close() - detach the uprobes and unmap the region, if no thread is inside. Accepts NULL.
 * Return: as rig_close(). @in is gone either way.
 */
int install_close(struct install *in);

/** install_site() - the site that @slot had at its use number @gen, or NULL. */
struct site *install_site(struct install *in, uint32_t slot, uint32_t gen);

size_t install_live(const struct install *in);

/** install_spec_matched() - has the @i-th spec matched an nmethod so far? */
bool install_spec_matched(const struct install *in, size_t i);

struct probe_bpf *install_bpf(struct install *in);

/* Figures for -v and the benchmark. */
struct install_figures {
	struct rig_figures rig;
	uint64_t patch_paused_ns; /* one thread stood while code was changed, all in all */
	uint32_t patches;	  /* times that happened */
};

void install_figures(const struct install *in, struct install_figures *ret);

#endif
