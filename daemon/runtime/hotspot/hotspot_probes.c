// SPDX-License-Identifier: MIT
/* hotspot_probes.c - from SPECs and nmethods to probes. See hotspot_probes.h. */
#include "base/stop.h"
#include "region/patch.h"
#include "runtime/hotspot/codeheap.h"
#include "runtime/hotspot/entry_site.h"
#include "runtime/hotspot/hotspot_config.h"
#include "runtime/hotspot/hotspot_match.h"
#include "runtime/hotspot/hotspot_probes.h"

/* Java access flag. Source: JVMS 4.6, table 4.6-A. */
#define ACC_STATIC 0x0008

struct hotspot_probes {
	struct target *t;
	const struct probe_ops *ops;
	void *arg;
	struct spec *const *specs;
	size_t nspecs;
	bool matched[SPECS_MAX]; /* per SPEC */
	struct probes *set;
};

struct attachment_target hotspot_attachment_target(struct target *t, struct remote *w)
{
	return (struct attachment_target){.id = &t->id,
					  .remote = w,
					  .mem = t->mem,
					  .code_low = t->layout.code_low,
					  .code_high = t->layout.code_high};
}

int hotspot_probes_open(struct target *t, struct remote *w, const struct trace_request *req,
			struct spec *const *specs, const struct probe_ops *ops, void *arg,
			struct hotspot_probes **ret, struct fail *f)
{
	const struct attachment_target at = hotspot_attachment_target(t, w);
	struct hotspot_probes *hp = calloc(1, sizeof(*hp));
	struct hp_config config;
	int err;

	if (!hp)
		return -ENOMEM;
	*hp = (struct hotspot_probes){
		.t = t, .ops = ops, .arg = arg, .specs = specs, .nspecs = req->nspecs};
	hotspot_config(&t->layout, req->string_max, &config);
	err = probes_open(&at, &config, req, ops, arg, &hp->set, f);
	if (err) {
		free(hp);
		return err;
	}
	*ret = hp;
	return 0;
}

void hotspot_probes_free(struct hotspot_probes *hp)
{
	free(hp);
}

struct probes *hotspot_probes_set(struct hotspot_probes *hp)
{
	return hp->set;
}

bool hotspot_probes_wants(struct hotspot_probes *hp, const struct nmethod *nm)
{
	bool found = false;

	if (nm->osr)
		return false;
	/* All of them are asked: each SPEC has its own "matched". */
	for (size_t i = 0; i < hp->nspecs; i++) {
		if (hotspot_match(hp->specs[i], hp->t->mem, &hp->t->layout, nm))
			found = hp->matched[i] = true;
	}
	return found;
}

bool hotspot_probes_matched(const struct hotspot_probes *hp, size_t i)
{
	return hp->matched[i];
}

/* --- one nmethod ------------------------------------------------------------------------------ */

static int make_captures(struct hotspot_probes *hp, struct probe *p, const struct nmethod *nm,
			 struct fail *f)
{
	uint32_t flags;
	int err = method_flags(hp->t->mem, &hp->t->layout, nm->method_addr, &flags);

	if (err)
		return err;
	err = capture_list_new(ABI_HOTSPOT, nm->m.desc, flags & ACC_STATIC, &p->captures);
	if (err == -EPROTO)
		fail_set(f, err, "descriptor does not parse: %s", nm->m.desc);
	return err;
}

static struct probe *new_probe(const struct nmethod *nm)
{
	struct probe *p = probe_new(&nm->m, nm->addr, nm->gen);

	if (!p)
		return NULL;
	p->holder = nm->holder;
	p->level = nm->level;
	p->compile_id = nm->compile_id;
	p->types = TYPES_OF_RUNTIME;
	if (!site_new(&entry_site, p)) {
		probe_free(p);
		return NULL;
	}
	return p;
}

/* Steps 1 to 3. On failure @p is still the caller's. */
static int arm(struct hotspot_probes *hp, struct probe *p, const struct nmethod *nm, struct fail *f)
{
	const struct site_env *env = probes_env(hp->set);
	int err = make_captures(hp, p, nm, f);

	for (unsigned int i = 0; i < p->nsites && !err; i++)
		err = p->sites[i]->kind->plan(p->sites[i], env, f);
	if (!err)
		err = probes_arm(hp->set, p);
	if (err == -ERANGE)
		fail_set(f, err, "no address range within a jump's reach of the code is free");
	return err;
}

/* Before anything is read for it: there may be ten thousands of them. */
static void refuse_for_room(struct hotspot_probes *hp, const struct nmethod *nm)
{
	const struct probe p = {.method = nm->m, .level = nm->level, .compile_id = nm->compile_id};
	char why[96];

	snprintf(why, sizeof(why), "all %zu slots are in use; give a narrower SPEC",
		 probes_max(hp->set));
	hp->ops->refused(hp->arg, &p, why);
}

/* Return: 1 armed; 0 passed over, or refused; -ESRCH; -ENOMEM. */
static int arm_nmethod(struct hotspot_probes *hp, const struct nmethod *nm, struct probe **ret)
{
	struct fail f = {0};
	struct probe *p;
	int err;

	if (nm->state != NMETHOD_IN_USE || probes_find(hp->set, nm->addr, nm->gen))
		return 0;
	if (!probes_room(hp->set)) {
		refuse_for_room(hp, nm);
		return 0;
	}
	p = new_probe(nm);
	if (!p)
		return -ENOMEM;
	err = arm(hp, p, nm, &f);
	if (!err) {
		*ret = p;
		return 1;
	}
	/* HotSpot is retiring it: no news. */
	if (err != -ESRCH && err != -ENOMEM && err != -ESTALE)
		hp->ops->refused(hp->arg, p, *f.text ? f.text : "code cannot be read");
	probe_free(p);
	return err == -ESRCH || err == -ENOMEM ? err : 0;
}

/* --- many ------------------------------------------------------------------------------------- */

int hotspot_probes_install(struct hotspot_probes *hp, const struct nmethod *const *nms, size_t n,
			   const uint64_t *registered_ns)
{
	struct probe *batch[PATCH_BATCH_MAX];
	size_t nbatch = 0;
	int installed = 0, err = 0;

	for (size_t i = 0; i < n && err >= 0; i++) {
		err = registered_ns || !stop_asked() ? arm_nmethod(hp, nms[i], &batch[nbatch])
						     : -ECANCELED;
		if (err == 1)
			batch[nbatch++]->registered_ns = registered_ns ? registered_ns[i] : 0;
		/* What is armed is diverted, whatever became of the others. */
		if (nbatch == PATCH_BATCH_MAX || (nbatch && (i + 1 == n || err < 0))) {
			int live = probes_divert(hp->set, batch, nbatch);

			installed += MAX(live, 0);
			err = MIN(err, live);
			nbatch = 0;
		}
	}
	return err < 0 ? err : installed;
}

void hotspot_probes_gone(struct hotspot_probes *hp, const struct nmethod *nm, const char *why)
{
	struct probe *p = probes_find(hp->set, nm->addr, nm->gen);

	if (p)
		probes_gone(hp->set, p, why);
}
