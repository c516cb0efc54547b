/* SPDX-License-Identifier: MIT */
/*
 * hotspot_probes.h - which nmethods of a JVM are probed: from SPECs and nmethods to probes.
 */
#ifndef HP_HOTSPOT_PROBES_H
#define HP_HOTSPOT_PROBES_H

#include "probe/probes.h"
#include "probe/spec.h"
#include "runtime/hotspot/target.h"

struct hotspot_probes;

/** hotspot_attachment_target() - a JVM as an attachment needs it; all of @t and @w outlives that.
 */
struct attachment_target hotspot_attachment_target(struct target *t, struct remote *w);

/**
 * hotspot_probes_open() - attach; no method is touched yet.
 * @t, @w: the target and how to get into it. @specs: those of @req; all three outlive the probes.
 * Return: as attachment_open().
 */
int hotspot_probes_open(struct target *t, struct remote *w, const struct trace_request *req,
			struct spec *const *specs, const struct probe_ops *ops, void *arg,
			struct hotspot_probes **ret, struct fail *f);

/** hotspot_probes_free() - the probes themselves stay, for probes_close(). Accepts NULL. */
void hotspot_probes_free(struct hotspot_probes *hp);

struct probes *hotspot_probes_set(struct hotspot_probes *hp);

/** hotspot_probes_wants() - does any SPEC ask for this nmethod's method? Never for an OSR body. */
bool hotspot_probes_wants(struct hotspot_probes *hp, const struct nmethod *nm);

/**
 * hotspot_probes_install() - probe those of @n nmethods, which SPECs ask for, that are in use.
 * @registered_ns: when each appeared (CLOCK_MONOTONIC); NULL for those found at attach.
 * Those that are probed already are passed over.
 * Return: how many became live; -ESRCH; -EPERM; -ETIMEDOUT; -ENOMEM.
 */
int hotspot_probes_install(struct hotspot_probes *hp, const struct nmethod *const *nms, size_t n,
			   const uint64_t *registered_ns);

/** hotspot_probes_gone() - HotSpot retired or freed the nmethod of this address and generation. */
void hotspot_probes_gone(struct hotspot_probes *hp, const struct nmethod *nm, const char *why);

/** hotspot_probes_matched() - has the @i-th SPEC matched an nmethod so far? */
bool hotspot_probes_matched(const struct hotspot_probes *hp, size_t i);

#endif
