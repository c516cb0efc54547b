// SPDX-License-Identifier: MIT
/* image_probes.c - which methods of a native image are probed, and how. See image_probes.h. */
#include <stdarg.h>

#include "base/budget.h"
#include "base/stop.h"
#include "region/patch.h"
#include "runtime/image/image_coverage.h"
#include "runtime/image/image_config.h"
#include "runtime/image/image_names.h"
#include "runtime/image/image_probes.h"

void image_say(const struct image *im, enum log_level level, const char *fmt, ...)
{
	char text[LOG_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (im->has_proc)
		log_pid(level, im->proc.id.pid, "%s", text);
	else
		log_msg(level, "%s: %s", im->path, text);
}

/* --- what probes tell ------------------------------------------------------------------------- */

static void on_probed(void *arg, struct probe *p)
{
	struct runtime *rt = arg;
	struct image *im = rt->own;

	im->places[image_site_place(p->sites[0])]++;
}

/* All probes go together, at the end. */
static void on_unprobed(void *arg _unused_, struct probe *p _unused_, const char *why _unused_)
{
}

static void refuse(struct image *im, const struct method *m, const char *why)
{
	char name[REFUSALS_METHOD_MAX];

	snprintf(name, sizeof(name), "%s%s%s", m->klass, *m->klass ? "." : "", m->name);
	refusals_add(&im->refusals, name, why);
	image_say(im, LOG_LVL_DEBUG, "%s at 0x%llx is not probed: %s", name,
		  (unsigned long long)m->entry, why);
}

static void say_refusals(void *arg, const char *text)
{
	image_say(arg, LOG_LVL_WARN, "%s", text);
}

void image_probes_notes(struct image *im)
{
	refusals_tell(&im->refusals, say_refusals, im);
}

static void on_refused(void *arg, const struct probe *p, const char *why)
{
	struct runtime *rt = arg;

	refuse(rt->own, &p->method, why);
}

static const struct probe_ops probe_ops = {
	.probed = on_probed,
	.unprobed = on_unprobed,
	.refused = on_refused,
	.record = runtime_record,
};

/* --- which methods ---------------------------------------------------------------------------- */

int image_probes_parse(struct image *im, const struct trace_request *req, struct fail *f)
{
	for (size_t i = 0; i < req->nspecs; i++) {
		int err = spec_parse(req->specs[i], &im->specs[i], f);

		if (err)
			return err;
		im->nspecs++;
	}
	return 0;
}

int image_probes_fit(struct image *im, struct fail *f)
{
	struct budget b;
	int err = 0;

	budget_begin(&b, IMAGE_MATCH_BUDGET_NS);
	for (size_t i = 0; i < im->nspecs && !err; i++) {
		err = image_match_new(im->specs[i], &im->map, &im->matches[i]);
		if (err)
			break;
		im->best[i] = image_match_best(im->matches[i]);
		err = budget_over();
	}
	budget_end(&b);
	if (err == -E2BIG)
		fail_set(f, err,
			 "%s: matching its names takes far more work than those of any real image",
			 im->path);
	return err;
}

int image_probes_match(struct image *im, struct fail *f)
{
	char hint[FAIL_TEXT_MAX];
	int err = image_probes_fit(im, f);

	if (err)
		return err;
	for (size_t i = 0; i < im->nspecs; i++)
		if (im->best[i] != FIT_NOT)
			return 0;
	image_coverage_hint(im, 0, hint, sizeof(hint));
	return fail_set(f, -ENOENT, "%s has no method that matches: %s", im->path, hint);
}

/* The SPEC that fits @m best; one by its signature is worth more than one by its name. */
static enum image_fit fit(struct image *im, const struct image_method *m, size_t *spec)
{
	enum image_fit best = FIT_NOT;

	for (size_t i = 0; i < im->nspecs; i++) {
		enum image_fit f = image_match_fit(im->matches[i], m);

		if (f >= im->best[i] && f > best) {
			best = f;
			*spec = i;
		}
	}
	return best;
}

/* Source: JLS 8.7 and 12.9: class initializers are static; JVMS 2.9.1: constructors are not. */
static bool is_static(const struct spec *spec, const char *name, const char *desc)
{
	return spec_is_static(spec) || !strcmp(name, "<clinit>") ||
	       (!strcmp(name, "main") && !strcmp(desc, "([Ljava/lang/String;)V"));
}

/*
 * What is known of the parameters. A SPEC's types are taken for a method that is the only one of
 * its name, or was picked by its entry, or whose signature the image confirms. C's callers pass no
 * heap base, without which references mean nothing.
 */
static void know_types(struct image *im, const struct image_method *m, size_t i, enum image_fit fit,
		       struct image_site_plan *plan, char said[static IMAGE_NAME_MAX])
{
	const char *own = image_text(&im->map, m->desc), *name = image_text(&im->map, m->name);
	const struct spec *spec = im->specs[i];
	bool sure = fit == FIT_SIGNATURE || m->overloads == 1 || spec_entry(spec);
	bool says = !image_match_descriptor(im->matches[i], m, said, IMAGE_NAME_MAX);

	if (says && sure)
		plan->desc = *own ? own : said;
	else if (*own && (!strcmp(name, "<init>") || !strcmp(name, "<clinit>")))
		plan->desc = own;
	if (m->flags & METHOD_C_ENTRY)
		plan->desc = NULL;
	plan->desc_by_spec = plan->desc != own && fit != FIT_SIGNATURE;
	if (plan->desc)
		plan->is_static = is_static(spec, name, plan->desc);
	im->raw += !plan->desc;
	im->shared += !plan->desc && says && !sure;
}

/* --- sites ------------------------------------------------------------------------------------ */

/* Where probes are brought together before they become live. */
struct batch {
	struct probe *probes[REGION_SLOTS];
	size_t n, ndiverted; /* those diverted are the first ones */
	bool full;	     /* no slot is left */
};

/* A longer method than this is none: method_code.h. */
static int read_code(struct image *im, const struct image_method *m, struct image_site_plan *plan,
		     uint8_t **code)
{
	uint64_t len = MIN(m->end - m->entry, (uint64_t)METHOD_CODE_MAX);

	if (m->end <= m->entry || !image_file_offset(&im->file, m->entry, len, &plan->file_offset))
		return -EPROTO;
	plan->method.end = m->entry + len;
	return elffile_read(&im->file, plan->file_offset, len, METHOD_CODE_MAX, code);
}

static void no_slot(struct runtime *rt, const struct method *m)
{
	char why[REFUSALS_WHY_MAX];

	snprintf(why, sizeof(why), "all %zu slots are in use; give a narrower SPEC",
		 probes_max(rt->probes));
	refuse(rt->own, m, why);
}

/* Return: 1 armed; 0 it cannot be probed (noted), or no SPEC asks for it; -ENOMEM; -ENOSPC it is
 * not, for want of a slot (noted). */
static int arm_method(struct runtime *rt, const struct image_method *m, const struct batch *b,
		      bool divert, bool at_start, struct probe **ret)
{
	struct image *im = rt->own;
	struct image_site_plan plan = {
		.method = {.entry = m->entry,
			   .begin = m->entry,
			   .end = m->end,
			   .klass = image_text(&im->map, m->klass),
			   .name = image_text(&im->map, m->name),
			   .desc = image_text(&im->map, m->desc),
			   .symbol = image_text(&im->map, m->symbol)},
		.overloads = m->overloads,
		.count_only = im->count_only,
		.bias = im->has_proc ? im->proc.bias : 0,
	};
	_cleanup_free_ uint8_t *code = NULL;
	char said[IMAGE_NAME_MAX];
	size_t spec = 0;
	enum image_fit how = fit(im, m, &spec);
	int err;

	if (how == FIT_NOT)
		return 0;
	im->methods++;
	if (b->full) {
		no_slot(rt, &plan.method);
		return -ENOSPC;
	}
	know_types(im, m, spec, how, &plan, said);
	err = read_code(im, m, &plan, &code);
	plan.code = code;
	if (!err)
		err = image_site_probe(&plan, probes_env(rt->probes), divert, at_start, ret);
	if (!err) {
		err = probes_arm(rt->probes, *ret);
		if (err)
			probe_free(*ret);
	}
	if (err == -ENOSPC)
		no_slot(rt, &plan.method);
	if (err == -ENOMEM || err == -ENOSPC)
		return err;
	if (err)
		refuse(im, &plan.method,
		       err == -ERANGE ? "no address range within a jump's reach of the code is free"
				      : "code is not understood");
	return err ? 0 : 1;
}

static void sort_in(struct batch *b, struct probe *p)
{
	if (image_site_place(p->sites[0]) == IMAGE_DIVERTED) {
		b->probes[b->n] = b->probes[b->ndiverted];
		b->probes[b->ndiverted++] = p;
	} else {
		b->probes[b->n] = p;
	}
	b->n++;
}

static int arm_all(struct runtime *rt, struct batch *b, bool divert, bool at_start)
{
	struct image *im = rt->own;
	int err = 0;

	for (uint32_t i = 0; i < im->map.n && err != -ENOMEM; i++) {
		struct probe *p;

		if (stop_asked())
			return -ECANCELED;
		err = arm_method(rt, &im->map.methods[i], b, divert, at_start, &p);
		if (err == 1)
			sort_in(b, p);
		b->full |= err == -ENOSPC;
	}
	return err == -ENOMEM ? err : 0;
}

static int divert_all(struct runtime *rt, struct batch *b)
{
	int err = 0;

	for (size_t i = 0; i < b->ndiverted && err >= 0; i += PATCH_BATCH_MAX)
		err = stop_asked() ? -ECANCELED
				   : probes_divert(rt->probes, b->probes + i,
						   MIN(b->ndiverted - i, (size_t)PATCH_BATCH_MAX));
	return MIN(err, 0);
}

int image_probes_install(struct runtime *rt, pid_t pid, bool divert, bool at_start)
{
	struct image *im = rt->own;
	_cleanup_free_ struct batch *b = calloc(1, sizeof(*b));
	char path[32];
	int err;

	if (!b)
		return -ENOMEM;
	im->methods = im->raw = im->shared = 0;
	im->refusals = (struct refusals){0};
	err = arm_all(rt, b, divert, at_start);
	if (!err)
		err = divert_all(rt, b);
	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", im->fd);
	err = probes_attach(rt->probes, pid, path, b->probes + b->ndiverted, b->n - b->ndiverted);
	return MIN(err, 0);
}

int image_probes_open(struct runtime *rt, const struct trace_request *req, struct fail *f)
{
	struct image *im = rt->own;
	struct attachment_target t = {.id = NULL};
	struct hp_config config;

	image_config(im->has_heap ? &im->heap : NULL, req->string_max, &config);
	if (im->has_proc)
		t = image_attachment_target(&im->proc, rt->remote);
	return probes_open(&t, &config, req, &probe_ops, rt, &rt->probes, f);
}
