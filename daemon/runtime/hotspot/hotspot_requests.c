// SPDX-License-Identifier: MIT
/* hotspot_requests.c - short requests about a JVM. See hotspot_requests.h. */
#include "base/budget.h"
#include "base/log.h"
#include "proc/caps.h"
#include "proc/threads.h"
#include "runtime/hotspot/hotspot_config.h"
#include "runtime/hotspot/hotspot_match.h"
#include "runtime/hotspot/hotspot_probes.h"
#include "runtime/hotspot/coverage.h"
#include "runtime/hotspot/hotspot_requests.h"
#include "runtime/rights.h"

/* --- methods ---------------------------------------------------------------------------------- */

void hotspot_send_method(const struct runtime_out *out, const struct nmethod *nm,
			 enum event_kind kind, uint64_t ts_ns)
{
	const struct event ev = {
		.kind = kind,
		.ts_ns = ts_ns,
		.method = {.method = &nm->m,
			   .kind = nmethod_kind_name(nm->kind),
			   .state = nmethod_state_name(nm->state),
			   .level = nm->level,
			   .compile_id = nm->compile_id,
			   .osr = nm->osr},
	};

	out->event(out->arg, &ev);
}

/* An empty answer says so, and what it may come from. */
static void note_none(pid_t pid, size_t total, const struct spec *spec, bool waits)
{
	if (!total)
		log_pid(LOG_LVL_INFO, pid,
			"no method is compiled: it has only just begun, or runs interpreted (-Xint)");
	else if (spec)
		log_pid(LOG_LVL_INFO, pid,
			"'%s' matches none of its %zu compiled methods: what it means is not "
			"compiled yet, or has no code but in its callers; %s",
			spec_text(spec), total,
			waits ? "waiting for it" : "try a wider pattern, or -w to wait");
}

size_t hotspot_send_map(const struct runtime_out *out, const struct symmap *map, struct target *t,
			const struct spec *spec, bool waits)
{
	size_t sent = 0, n = symmap_count(map);
	struct budget b;
	int err = 0;

	budget_begin(&b, MATCH_BUDGET_NS);
	for (size_t i = 0; i < n && !err; i++) {
		const struct nmethod *nm = symmap_at(map, i);

		err = budget_spend_bytes(MATCH_BYTES);
		if (err || (spec && !hotspot_match(spec, t->mem, &t->layout, nm)))
			continue;
		if (!out->room(out->arg))
			err = -ECANCELED;
		else
			hotspot_send_method(out, nm, EVENT_METHOD, 0), sent++;
	}
	budget_end(&b);
	if (err == -E2BIG)
		log_pid(LOG_LVL_WARN, t->id.pid,
			"only part of its %zu methods is listed: their names take far more work "
			"than any real JVM makes",
			n);
	if (!sent && !err)
		note_none(t->id.pid, symmap_count(map), spec, waits);
	return sent;
}

static void log_map(pid_t pid, struct codecache *c)
{
	struct symmap *map = codecache_map(c);
	size_t n = symmap_count(map);

	log_pid(LOG_LVL_DEBUG, pid,
		"map of %zu nmethods in %.1f ms, %zu bytes each beside %zu bytes of names", n,
		(double)codecache_walk_ns(c) / 1e6, n ? symmap_bytes(map) / n : 0,
		strpool_bytes(symmap_strings(map)));
}

/* A JVM and its methods at one moment. */
struct snapshot {
	struct remote *w;
	struct target *t;
	struct codecache *c;
};

static int snapshot_open(struct snapshot *s, const struct target_request *req, struct fail *f)
{
	int err;

	*s = (struct snapshot){0};
	err = target_look(req, &s->w, &s->t, f);
	return err ? err : codecache_open(s->t, NULL, NULL, NULL, &s->c, f);
}

/* Also after snapshot_open() has failed. */
static void snapshot_close(struct snapshot *s)
{
	codecache_close(s->c);
	target_close(s->t);
	remote_close(s->w);
}

int hotspot_methods(const struct target_request *req, const struct spec *spec,
		    const struct runtime_out *out, struct fail *f)
{
	struct snapshot s;
	int err = snapshot_open(&s, req, f);

	if (err == 0) {
		hotspot_send_map(out, codecache_map(s.c), s.t, spec, false);
		log_map(req->pid, s.c);
	}
	snapshot_close(&s);
	return err;
}

/* --- what is seen ----------------------------------------------------------------------------- */

#define LOOK_BUDGET_NS (2 * NSEC_PER_SEC)

int hotspot_look(const struct target_request *req, struct spec *const *specs, size_t n,
		 const struct runtime_out *out, struct fail *f)
{
	struct runtime_look l = {.out = out, .pid = req->pid};
	struct coverage *cv = NULL;
	struct snapshot s;
	int err = snapshot_open(&s, req, f);

	if (err == 0) {
		cv = coverage_new(s.t, s.c, specs, n);
		err = cv ? coverage_say(cv, COVERAGE_TELL_ALL, NULL, LOOK_BUDGET_NS,
					runtime_covered, &l)
			 : -ENOMEM;
	}
	coverage_free(cv);
	snapshot_close(&s);
	return err;
}

/* --- list and check --------------------------------------------------------------------------- */

void hotspot_describe(const struct jvm_info *info, struct runtime_about *ret)
{
	struct target *t = NULL;
	struct fail f = {0};

	snprintf(ret->program, sizeof(ret->program), "%s", info->main);
	if (target_open(info->pid, &t, &f)) {
		snprintf(ret->reason, sizeof(ret->reason), "%s", f.text);
		return;
	}
	snprintf(ret->version, sizeof(ret->version), "%s", t->layout.version);
	snprintf(ret->vm, sizeof(ret->vm), "%s", t->layout.vm_name);
	ret->gc = gc_kind_name(t->layout.gc);
	target_close(t);
}

/* It answers: may it also do what is asked of it? */
static void check_agent_filter(const struct runtime_out *out, struct remote *w)
{
	struct fail why = {0};

	if (remote_agent_try(w, &why) == -EPERM)
		runtime_check_event(out, CHECK_DEGRADED, "agent",
				    "is loaded, but %s: only --via ptrace, which suspends it",
				    why.text);
	else
		runtime_check_event(out, CHECK_OK, "agent",
				    "is loaded and answers: --via agent works without ptrace");
}

/* Ptrace has it suspended; what it does to an agent only that can try. */
static void check_filter(const struct runtime_out *out, pid_t pid)
{
	struct thread_status st;

	if (thread_read_status(pid, pid, &st) || !st.seccomp)
		return;
	if (caps_have(CAP_SYS_ADMIN))
		runtime_check_event(out, CHECK_OK, "seccomp",
				    "it has a filter: ptrace suspends it for hotprobe's system "
				    "calls, the agent tries first what it allows");
	else
		runtime_check_event(out, CHECK_DEGRADED, "seccomp",
				    "it has a filter, and CAP_SYS_ADMIN, to suspend it by ptrace, "
				    "is missing: only the agent can try what it allows");
}

/* Is hotprobe's agent there, so that --via agent would work? Return: it, or NULL. */
static struct remote *check_agent(const struct runtime_out *out, pid_t pid)
{
	struct remote *w = NULL;

	switch (remote_agent_open(pid, &w)) {
	case 0:
		check_agent_filter(out, w);
		break;
	case -EBUSY:
		runtime_check_event(out, CHECK_OK, "agent",
				    "is loaded, and serves another hotprobe");
		break;
	case -ENOENT:
		runtime_check_event(out, CHECK_OK, "agent",
				    "is not loaded; it is only needed where ptrace is refused");
		break;
	case -ECONNREFUSED:
		runtime_check_event(out, CHECK_DEGRADED, "agent",
				    "is loaded, and refuses us: it serves root and its own user "
				    "only, as its user namespace maps them");
		break;
	case -ESRCH: /* the line about the JVM says so */
		break;
	default:
		runtime_check_event(out, CHECK_DEGRADED, "agent",
				    "is loaded, but gives no useful answer");
	}
	return w;
}

static int no_record(void *arg _unused_, const struct hp_record *rec _unused_, size_t size _unused_)
{
	return 0;
}

/* How much of the code cache the slots of @a reach, for a person. */
static const char *reach_of(const struct attachment *a)
{
	const struct region *r = a->regions[0];

	return region_reaches(r, r->code_low) && region_reaches(r, r->code_high - 1)
		       ? "all of its code cache"
		       : "the part of its code cache that is in use; slots for more are mapped when "
			 "needed";
}

/*
 * All that a trace does before it touches the first method, and then all of it back: nothing less
 * tells whether it will work.
 */
static int try_attach(const struct runtime_out *out, struct target *t, struct remote *w,
		      struct fail *why)
{
	struct attachment_target at = hotspot_attachment_target(t, w);
	struct attachment *a = NULL;
	struct hp_config config;
	struct fail f = {0};
	int err;

	at.trial = true;
	hotspot_config(&t->layout, 0, &config);
	err = attachment_open(&at, &config, REQUEST_RING_MIN, no_record, NULL, &a, &f);
	if (fail_is_shortage(err)) {
		*why = f;
		return err;
	}
	if (err) {
		runtime_check_event(
			out, err == -EBUSY || err == -EEXIST ? CHECK_DEGRADED : CHECK_MISSING,
			"attach", "%s", *f.text ? f.text : remote_strerror(w, err));
		return 0;
	}
	runtime_check_event(out, CHECK_OK, "attach",
			    "tried by %s: slots within reach of %s; a uprobe in one fires",
			    w->ops->name, reach_of(a));
	err = attachment_detach(a, false);
	if (err)
		runtime_check_event(
			out, CHECK_DEGRADED, "detach",
			"what was tried could not be removed (%s): `hotprobe clean` does",
			remote_strerror(w, err));
	attachment_close(a);
	return 0;
}

/* Return: 0, whatever has come of it; -errno of a shortage of ours, with @why. */
static int check_attach(const struct runtime_out *out, const struct target_request *req,
			struct fail *why)
{
	struct remote *w = NULL;
	struct target *t = NULL;
	struct fail f = {0};
	int err = target_open_via(req, &w, &t, &f);

	if (fail_is_shortage(err)) {
		*why = f;
	} else if (err) {
		runtime_check_event(out, err == -EBUSY ? CHECK_DEGRADED : CHECK_MISSING, "attach",
				    "%s", *f.text ? f.text : strerror(-err));
		err = 0;
	} else {
		err = try_attach(out, t, w, why);
	}
	target_close(t);
	remote_close(w);
	return err;
}

/*
 * Return: 1 it is one that can be traced, as far as one can see; 0 it is not; -errno of a shortage
 * of ours, with @why.
 */
static int check_jvm(const struct runtime_out *out, pid_t pid, struct view *v, struct fail *why)
{
	struct target *t = NULL;
	struct fail f = {0};
	const struct layout *l;
	uint64_t addr;

	int err = target_open(pid, &t, &f);

	/* Where we may not look ourselves, the agent may look for us. */
	if (err == -EPERM && v) {
		fail_clear(&f);
		err = target_open_by(pid, v, &t, &f);
	}
	if (fail_is_shortage(err)) {
		*why = f;
		return err;
	}
	if (err) {
		runtime_check_event(out, CHECK_MISSING, "jvm", "%s", f.text);
		return 0;
	}
	l = &t->layout;
	runtime_check_event(out, CHECK_OK, "jvm", "%s %s, PID %d, user %s", l->vm_name, l->version,
			    pid, t->info.user);
	runtime_check_event(out, CHECK_OK, "collector", "%s%s", gc_kind_name(l->gc),
			    l->gc == GC_ZGEN ? ", generational" : "");
	if (elfsyms_has_symtab(t->libjvm))
		runtime_check_event(out, CHECK_OK, "symbols",
				    "libjvm.so: compile events come from its functions");
	else if (elfsyms_usdt(t->libjvm, "hotspot", "compiled__method__load", &addr, 1))
		runtime_check_event(
			out, CHECK_DEGRADED, "symbols",
			"libjvm.so has none: new methods are noticed by USDT, after publication");
	else
		runtime_check_event(
			out, CHECK_DEGRADED, "symbols",
			"libjvm.so has none, nor USDT: new methods are noticed every 250 ms");
	for (int i = 0; i < CAP_COUNT; i++) {
		if (l->missing[i])
			runtime_check_event(out, i == CAP_CODE ? CHECK_MISSING : CHECK_DEGRADED,
					    capability_name((enum capability)i), "%s", l->why[i]);
		else
			runtime_check_event(out, CHECK_OK, capability_name((enum capability)i),
					    "readable");
	}
	if (t->info.other_pid_ns || t->info.other_mount_ns)
		runtime_check_event(out, CHECK_OK, "container", "PID %d in its own namespace",
				    t->info.ns_pid);
	target_close(t);
	return 1;
}

int hotspot_check(const struct target_request *t, const struct runtime_out *out, struct fail *f)
{
	struct remote *w = check_agent(out, t->pid);
	int seen;

	check_filter(out, t->pid);
	rights_check(out, t->pid, w != NULL);
	seen = check_jvm(out, t->pid, w ? w->view : NULL, f);
	remote_close(w);
	return seen > 0 ? check_attach(out, t, f) : seen;
}

/* --- clean ------------------------------------------------------------------------------------ */

int hotspot_clean(const struct target_request *req, size_t *sites, struct fail *f)
{
	struct remote *w = NULL;
	struct target *t = NULL;
	struct attachment_target at;
	int err = target_open_via(req, &w, &t, f);

	if (err == 0) {
		at = hotspot_attachment_target(t, w);
		err = attachment_clean(&at, sites, f);
	}
	target_close(t);
	remote_close(w);
	return err;
}
