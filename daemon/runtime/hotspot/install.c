// SPDX-License-Identifier: MIT
/* install.c - from specs and nmethods to sites. See install.h. */
#include "runtime/hotspot/install.h"
#include "region/patch.h"
#include "runtime/hotspot/hotspot_config.h"

struct install {
	const struct site_ops *ops;
	void *arg;
	struct spec *const *specs;
	size_t nspecs;
	bool matched[SPECS_MAX]; /* per spec */
	struct sites *sites;
};

struct attachment_target install_target(struct target *t, struct remote *w)
{
	return (struct attachment_target){.id = &t->id,
					  .remote = w,
					  .mem = t->mem,
					  .code_low = t->layout.code_low,
					  .code_high = t->layout.code_high};
}

int install_open(struct target *t, const struct install_options *opt, const struct site_ops *ops,
		 void *arg, struct install **ret)
{
	struct install *in = calloc(1, sizeof(*in));
	struct sites_options sites = {
		.attachment = {.target = install_target(t, opt->remote),
			       .ring_bytes = opt->ring_bytes},
		.count_only = opt->count_only,
	};
	int err;

	if (!in)
		return -ENOMEM;
	*in = (struct install){.ops = ops, .arg = arg, .specs = opt->specs, .nspecs = opt->nspecs};
	hotspot_config(&t->layout, opt->string_max, &sites.attachment.config);
	err = sites_open(&sites, ops, arg, &in->sites);
	if (err) {
		free(in);
		return err;
	}
	sites_env(in->sites)->layout = &t->layout;
	*ret = in;
	return 0;
}

void install_free(struct install *in)
{
	free(in);
}

bool install_wants(struct install *in, const struct nmethod *nm)
{
	bool found = false;

	if (nm->osr)
		return false;
	/* All of them are asked: each spec has its own "matched". */
	for (size_t i = 0; i < in->nspecs; i++) {
		if (spec_match(in->specs[i], nm->m.klass, nm->m.name, nm->m.desc))
			found = in->matched[i] = true;
	}
	return found;
}

bool install_spec_matched(const struct install *in, size_t i)
{
	return in->matched[i];
}

struct sites *install_sites(struct install *in)
{
	return in->sites;
}

/* Steps 1 to 3 for one nmethod. Return: 1 armed; 0 passed over, or refused; -ESRCH; -ENOMEM. */
static int arm_nmethod(struct install *in, const struct nmethod *nm, struct site **ret)
{
	char why[128] = "its code cannot be read";
	struct site *s;
	int err;

	if (nm->state != NMETHOD_IN_USE || !install_wants(in, nm) ||
	    sites_find(in->sites, nm->addr, nm->gen))
		return 0;
	err = site_new(&site_compiled_entry, sites_env(in->sites), nm, &s, why, sizeof(why));
	if (err == 0) {
		err = sites_arm(in->sites, s);
		if (err) {
			site_free(s);
			snprintf(why, sizeof(why), "all %zu slots are in use",
				 sites_max(in->sites));
		}
	}
	if (err == 0) {
		*ret = s;
		return 1;
	}
	if (err == -ESRCH || err == -ENOMEM)
		return err;
	if (err != -ESTALE)
		in->ops->refused(in->arg, nm, why);
	return 0;
}

int install_nmethods(struct install *in, const struct nmethod *const *nms, size_t n,
		     const uint64_t *registered_ns)
{
	struct site *batch[PATCH_BATCH_MAX];
	size_t nbatch = 0;
	int installed = 0, err = 0;

	for (size_t i = 0; i < n && err >= 0; i++) {
		err = arm_nmethod(in, nms[i], &batch[nbatch]);
		if (err == 1)
			batch[nbatch++]->registered_ns = registered_ns ? registered_ns[i] : 0;
		/* What is armed is diverted, whatever became of the others. */
		if (nbatch == PATCH_BATCH_MAX || (nbatch && (i + 1 == n || err < 0))) {
			int live = sites_divert(in->sites, batch, nbatch);

			installed += MAX(live, 0);
			err = MIN(err, live);
			nbatch = 0;
		}
	}
	return err < 0 ? err : installed;
}

void install_gone(struct install *in, const struct nmethod *nm, const char *why)
{
	struct site *s = sites_find(in->sites, nm->addr, nm->gen);

	if (s)
		sites_gone(in->sites, s, why);
}
