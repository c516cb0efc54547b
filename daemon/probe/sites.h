/* SPDX-License-Identifier: MIT */
/*
 * sites.h - probes on a target: sites become live, and are taken out again. Knows nothing of what
 * brought them up (install.c: nmethods; image_sites.c: methods of a native image).
 */
#ifndef HP_SITES_H
#define HP_SITES_H

#include "probe/attachment.h"
#include "probe/site.h"

struct sites_options {
	struct attachment_options attachment; /* without a way in, only sites in place can be had */
	bool count_only;		      /* no events: only the slots' counters */
};

struct sites;

/* What happened to a site, told as it happens; @why is for a person. One that could not be
 * installed is told by refused(). */
struct site_ops {
	void (*probed)(void *arg, const struct site *s);
	void (*unprobed)(void *arg, const struct site *s, const char *why);
	void (*refused)(void *arg, const struct nmethod *nm, const char *why);
	record_fn *record;
};

/**
 * sites_open() - bring the rig into place; no method is touched yet.
 * Prints one error line when it fails. Return: as attachment_open().
 */
int sites_open(const struct sites_options *opt, const struct site_ops *ops, void *arg,
	       struct sites **ret);

/** sites_env() - what a site's kind plans with. */
struct site_env *sites_env(struct sites *in);

/**
 * sites_arm() - give the site a slot and tell the BPF program of it: everything but activation.
 * On success the site belongs to @in. Return: 0; -ENOSPC with no slot left.
 */
int sites_arm(struct sites *in, struct site *s);

/** sites_disarm() - give up every site that was armed and never activated; they are gone. */
void sites_disarm(struct sites *in);

/**
 * sites_divert() - activate armed sites, at most PATCH_BATCH_MAX, and read them back.
 * Return: how many are live now; -EACCES the target's security policy forbids it, and none was,
 * which is not told; -ESRCH; -EPERM; -ETIMEDOUT; -ENOMEM. Those that could not be activated are
 * gone; those of which it is not known stay, for sites_remove_all().
 */
int sites_divert(struct sites *in, struct site **sites, size_t n);

/**
 * sites_attach() - the same for sites in place: one uprobe each, at @s->file_offset of @path.
 * @pid: 0 for every process. Return: how many are live; -ENOMEM. Refused ones are told and gone.
 */
int sites_attach(struct sites *in, pid_t pid, const char *path, struct site **sites, size_t n);

/** sites_gone() - the target has retired or freed the code of @s, which is live. */
void sites_gone(struct sites *in, struct site *s, const char *why);

/**
 * sites_remove_all() - put every original word back, by compare-and-swap; detach what is in place.
 * Return: 0 all sites are restored or gone; -ESRCH; -EPERM; -ETIMEDOUT.
 */
int sites_remove_all(struct sites *in);

/**
 * sites_close() - detach the uprobes and unmap the region, if no thread is inside. Accepts NULL.
 * Return: as attachment_close(). @in is gone either way.
 */
int sites_close(struct sites *in);

/** sites_at() - the site that @slot had at its use number @gen, or NULL. */
struct site *sites_at(struct sites *in, uint32_t slot, uint32_t gen);

/** sites_find() - the live site of the nmethod with this structure address and generation, or NULL.
 */
struct site *sites_find(struct sites *in, uint64_t addr, uint32_t gen);

size_t sites_live(const struct sites *in);

/** sites_max() - how many sites there may be at one time. */
size_t sites_max(const struct sites *in);

struct probe_bpf *sites_bpf(struct sites *in);

/* Figures for -v and the benchmark. */
struct sites_figures {
	struct attachment_figures attachment;
	uint64_t patch_paused_ns; /* one thread stood while code was changed, all in all */
	uint32_t patches;	  /* times that happened */
};

void sites_figures(const struct sites *in, struct sites_figures *ret);

#endif
