/* SPDX-License-Identifier: MIT */
/*
 * probes.h - the probes on one target: they become live, and are taken out again. Knows nothing of
 * what brought them up (runtime/hotspot: nmethods; runtime/image: methods of a file).
 */
#ifndef HP_PROBES_H
#define HP_PROBES_H

#include "probe/attachment.h"
#include "probe/probe.h"
#include "probe/site.h"
#include "proto/request.h"

struct probes;

/* What happened to a probe, told as it happens; @why is for a person. A method that could not be
 * probed is told by refused(). */
struct probe_ops {
	void (*probed)(void *arg, struct probe *p);
	void (*unprobed)(void *arg, struct probe *p, const char *why);
	void (*refused)(void *arg, const struct probe *p, const char *why);
	record_fn *record;
};

/**
 * probes_open() - attach; no method is touched yet.
 * @t: without a remote, only sites in place can be had. @config: what BPF has to know of it.
 * Return: as attachment_open().
 */
int probes_open(const struct attachment_target *t, const struct hp_config *config,
		const struct trace_request *req, const struct probe_ops *ops, void *arg,
		struct probes **ret, struct fail *f);

/** probes_env() - what a site's kind plans with. */
const struct site_env *probes_env(const struct probes *ps);

/** probes_room() - is there a slot for one more site? Looks for one that nobody is inside any more.
 */
bool probes_room(struct probes *ps);

/**
 * probes_arm() - give each of @p's sites a slot and tell the BPF program of it: everything but
 * activation. On success @p belongs to @ps.
 * Return: 0; -ENOSPC with no slot left; -ERANGE nowhere within reach of its code is room for
 * slots; -EOPNOTSUPP; -ENOMEM.
 */
int probes_arm(struct probes *ps, struct probe *p);

/** probes_disarm() - give up every probe that was armed and never activated; they are gone. */
void probes_disarm(struct probes *ps);

/**
 * probes_divert() - activate @n armed probes whose sites are diverted, at most PATCH_BATCH_MAX
 * sites in all, and read them back. Return: how many are live now; -EACCES the target's security
 * policy forbids it, and none was, which is not told; -ESRCH; -EPERM; -ETIMEDOUT; -ENOMEM. Those
 * that could not be activated are gone; those of which it is not known stay, for
 * probes_remove_all().
 */
int probes_divert(struct probes *ps, struct probe **probes, size_t n);

/**
 * probes_attach() - the same for probes whose sites are in place: one uprobe each, at its
 * file_offset of @path.
 * @pid: 0 for every process. Return: how many are live; -ENOMEM. Refused ones are told and gone.
 */
int probes_attach(struct probes *ps, pid_t pid, const char *path, struct probe **probes, size_t n);

/** probes_find() - the probe on this code, armed or live, or NULL. See probe_table_find(). */
struct probe *probes_find(const struct probes *ps, uint64_t key, uint32_t gen);

/** probes_gone() - the target has retired or freed the code of @p, which is live. */
void probes_gone(struct probes *ps, struct probe *p, const char *why);

/**
 * probes_remove_all() - put every original word back, by compare-and-swap; detach what is in place.
 * Return: 0 all sites are restored or gone; -ESRCH; -EPERM; -ETIMEDOUT.
 */
int probes_remove_all(struct probes *ps);

/**
 * probes_detach() - detach the uprobes and unmap the region, if no thread is inside. What was
 * recorded can still be fetched.
 * Return: as attachment_detach().
 */
int probes_detach(struct probes *ps);

/** probes_close() - after probes_detach(). Accepts NULL. */
void probes_close(struct probes *ps);

/** probes_site() - the site that @slot had at its use number @gen, or NULL. */
const struct site *probes_site(const struct probes *ps, uint32_t slot, uint32_t gen);

/** probes_live() - how many are live. */
size_t probes_live(const struct probes *ps);

/** probes_max() - how many sites there may be at one time. */
size_t probes_max(const struct probes *ps);

/** probes_stat() - hits and losses of all probes there are and were. */
struct hp_slot_stat probes_stat(const struct probes *ps);

/**
 * probes_count() - bring the total of each method up to date.
 * Return: the methods, in the order in which they were first probed.
 */
const struct counts *probes_count(struct probes *ps);

struct probe_bpf *probes_bpf(const struct probes *ps);

/* Figures for -v and the benchmark. */
struct probes_figures {
	struct attachment_figures attachment;
	uint64_t patch_paused_ns; /* one thread stood while code was changed, all in all */
	uint32_t patches;	  /* times that happened */
};

void probes_figures(const struct probes *ps, struct probes_figures *ret);

#endif
