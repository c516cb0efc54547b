// SPDX-License-Identifier: MIT
/* report.c - the short requests. See report.h. */
#include <linux/capability.h>
#include <stdarg.h>
#include <sys/utsname.h>

#include "engine/report.h"
#include "runtime/hotspot/codecache.h"
#include "engine/images.h"
#include "runtime/image/image_file.h"
#include "base/log.h"
#include "kernel/kernel_features.h"
#include "runtime/hotspot/hotspot_probes.h"
#include "runtime/hotspot/codeheap.h"
#include "runtime/hotspot/hotspot_match.h"

/* --- methods ---------------------------------------------------------------------------------- */

void report_nmethod(struct encoder *e, const struct nmethod *nm, enum event_kind kind,
		    uint64_t ts_ns)
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

	encoder_event(e, &ev);
}

void report_map(struct encoder *e, const struct symmap *map, struct target *t,
		const struct spec *spec)
{
	for (size_t i = 0; i < symmap_count(map); i++) {
		const struct nmethod *nm = symmap_at(map, i);

		if (!spec || hotspot_match(spec, t->mem, &t->layout, nm))
			report_nmethod(e, nm, EVENT_METHOD, 0);
	}
}

enum status report_methods(struct encoder *e, pid_t pid, enum via via, const struct spec *spec)
{
	struct remote *w = NULL;
	struct target *t = NULL;
	struct codecache *f = NULL;
	const struct target_request req = {.pid = pid, .via = via};
	struct fail fail = {0};
	char why[LOG_TEXT_MAX];
	enum status status;
	int err;

	log_hold(why);
	err = target_look(&req, &w, &t, &fail);
	if (err == 0)
		err = codecache_open(t, NULL, NULL, NULL, &f, &fail);
	status = status_tell(err, pid, t != NULL, &fail, why);
	if (err == 0) {
		struct symmap *map = codecache_map(f);

		report_map(e, map, t, spec);
		log_debug("map: %zu nmethods of PID %d in %.1f ms, %zu bytes each beside %zu "
			  "bytes of names",
			  symmap_count(map), pid, (double)codecache_walk_ns(f) / 1e6,
			  symmap_count(map) ? symmap_bytes(map) / symmap_count(map) : 0,
			  strpool_bytes(symmap_strings(map)));
	}
	codecache_close(f);
	target_close(t);
	remote_close(w);
	return status;
}

/* --- list ------------------------------------------------------------------------------------- */

/* target_open_by() for a list, which is no place for errors. */
static int open_quietly(pid_t pid, struct view *v, struct target **ret,
			char why[static FAIL_TEXT_MAX])
{
	struct fail f = {0};
	int err = target_open_by(pid, v, ret, &f);

	snprintf(why, FAIL_TEXT_MAX, "%s", f.text);
	return err;
}

/* Path of the program that @pid runs, as that process sees it. */
static bool read_exe(pid_t pid, char *buf, size_t size)
{
	char link[32];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	len = readlink(link, buf, size - 1);
	if (len > 0)
		buf[len] = '\0';
	return len > 0;
}

static const char *or_null(const char *s)
{
	return s && *s ? s : NULL;
}

static int list_one(const struct jvm_info *info, void *arg)
{
	const char *version = NULL, *vm = NULL, *gc = NULL, *reason = NULL, *program = info->main;
	char exe[4096];
	struct encoder *e = arg;
	struct target *t = NULL;
	struct image_about about;
	char why[LOG_TEXT_MAX];

	if (info->kind == JVM_NATIVE_IMAGE && image_file_of(info->pid, &about)) {
		version = about.java;
		vm = about.version;
		reason = image_unprobeable(&about);
		if (read_exe(info->pid, exe, sizeof(exe)))
			program = exe;
	} else if (open_quietly(info->pid, NULL, &t, why)) {
		reason = why;
	} else {
		version = t->layout.version;
		vm = t->layout.vm_name;
		gc = gc_kind_name(t->layout.gc);
	}
	encoder_event(e, &(struct event){.kind = EVENT_JVM,
					 .pid = info->pid,
					 .jvm = {.uid = info->uid,
						 .user = info->user,
						 .java_version = or_null(version),
						 .vm = or_null(vm),
						 .gc = or_null(gc),
						 .kind = jvm_kind_name(info->kind),
						 .main = program,
						 .reason = reason}});
	target_close(t);
	return 0;
}

enum status report_list(struct encoder *e)
{
	return status_of(jvm_each(list_one, e));
}

/* --- check ------------------------------------------------------------------------------------ */

struct check {
	struct encoder *e;
	bool impossible;
};

static void say(struct check *c, enum check_result v, const char *what, const char *fmt, ...)
	_printf_(4, 5);

static void say(struct check *c, enum check_result v, const char *what, const char *fmt, ...)
{
	char text[LOG_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	encoder_event(c->e, &(struct event){.kind = EVENT_CHECK,
					    .check = {.what = what, .result = v, .detail = text}});
}

/* Without this one nothing can be probed. */
static void need(struct check *c, bool have, const char *what, const char *good, const char *bad)
{
	say(c, have ? CHECK_OK : CHECK_MISSING, what, "%s", have ? good : bad);
	c->impossible |= !have;
}

static bool have_capability(unsigned int cap)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/status", "re");
	unsigned long long eff = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "CapEff: %llx", &eff) == 1)
			break;
	}
	return eff >> cap & 1;
}

static void check_kernel(struct check *c)
{
	struct kernel_features k;
	struct utsname u;

	uname(&u);
	kernel_features_read(&k);
	say(c, CHECK_OK, "kernel", "Linux %s", u.release);
	need(c,
	     have_capability(CAP_SYS_ADMIN) ||
		     (have_capability(CAP_BPF) && have_capability(CAP_PERFMON)),
	     "bpf privilege", "CAP_SYS_ADMIN, or CAP_BPF and CAP_PERFMON",
	     "neither CAP_SYS_ADMIN nor CAP_BPF with CAP_PERFMON: run as root");
	if (have_capability(CAP_SYS_PTRACE))
		say(c, CHECK_OK, "ptrace privilege", "CAP_SYS_PTRACE");
	else
		say(c, CHECK_DEGRADED, "ptrace privilege",
		    "no CAP_SYS_PTRACE: only JVMs with hotprobe's agent in them (--via agent)");
	need(c, k.btf, "btf", "the kernel describes its types",
	     "no /sys/kernel/btf/vmlinux: the kernel was built without CONFIG_DEBUG_INFO_BTF");
	need(c, k.bpf && !k.load_err, "bpf programs", "load",
	     "the probe's BPF program is refused (kernel 5.19 or later is needed)");
	need(c, k.uprobes, "uprobes", "available", "the kernel was built without CONFIG_UPROBES");
	need(c, k.membarrier, "membarrier", "SYNC_CORE is available",
	     "membarrier(PRIVATE_EXPEDITED_SYNC_CORE) is refused: code cannot be changed safely");
	if (k.uprobe_multi)
		say(c, CHECK_OK, "uprobe_multi", "one link covers every slot");
	else
		say(c, CHECK_DEGRADED, "uprobe_multi",
		    "not there (kernel before 6.6): uprobes are attached one by one, at most a few "
		    "hundred methods, and detaching takes about 0.1 s each");
	if (strcmp(k.lockdown, "confidentiality") == 0)
		need(c, false, "lockdown", "",
		     "confidentiality: the kernel forbids BPF programs to read memory");
	else
		say(c, CHECK_OK, "lockdown", "%s", k.lockdown);
}

/* Is hotprobe's agent there, so that --via agent would work? Return: the way, or NULL. */
static struct remote *check_agent(struct check *c, pid_t pid)
{
	struct remote *w = NULL;

	switch (remote_agent_open(pid, &w)) {
	case 0:
		say(c, CHECK_OK, "agent",
		    "is loaded and answers: --via agent works without ptrace");
		break;
	case -EBUSY:
		say(c, CHECK_OK, "agent", "is loaded, and serves another hotprobe");
		break;
	case -ENOENT:
		say(c, CHECK_OK, "agent",
		    "is not loaded; it is only needed where ptrace is refused");
		break;
	default:
		say(c, CHECK_DEGRADED, "agent", "is loaded, but gives no useful answer");
	}
	return w;
}

static void check_jvm(struct check *c, pid_t pid, struct view *v)
{
	char why[LOG_TEXT_MAX];
	struct target *t = NULL;
	const struct layout *l;
	uint64_t addr;

	if (open_quietly(pid, v, &t, why)) {
		say(c, CHECK_MISSING, "jvm", "%s", why);
		c->impossible = true;
		return;
	}
	l = &t->layout;
	say(c, CHECK_OK, "jvm", "%s %s, PID %d, user %s", l->vm_name, l->version, pid,
	    t->info.user);
	say(c, CHECK_OK, "collector", "%s%s", gc_kind_name(l->gc),
	    l->gc == GC_ZGEN ? ", generational" : "");
	if (elfsyms_has_symtab(t->libjvm))
		say(c, CHECK_OK, "symbols", "libjvm.so: compile events come from its functions");
	else if (elfsyms_usdt(t->libjvm, "hotspot", "compiled__method__load", &addr, 1))
		say(c, CHECK_DEGRADED, "symbols",
		    "libjvm.so has none: new methods are noticed by USDT, after publication");
	else
		say(c, CHECK_DEGRADED, "symbols",
		    "libjvm.so has none, nor USDT: new methods are noticed every 250 ms");
	for (int i = 0; i < CAP_COUNT; i++) {
		if (l->missing[i])
			say(c, i == CAP_CODE ? CHECK_MISSING : CHECK_DEGRADED,
			    capability_name((enum capability)i), "%s", l->why[i]);
		else
			say(c, CHECK_OK, capability_name((enum capability)i), "readable");
	}
	if (t->info.other_pid_ns || t->info.other_mount_ns)
		say(c, CHECK_OK, "container", "PID %d in its own namespace", t->info.ns_pid);
	target_close(t);
}

static void check_target(struct check *c, pid_t pid)
{
	struct remote *w = check_agent(c, pid);

	check_jvm(c, pid, w && !have_capability(CAP_SYS_PTRACE) ? w->view : NULL);
	remote_close(w);
}

enum status report_check(struct encoder *e, pid_t pid)
{
	struct check c = {.e = e};

	check_kernel(&c);
	if (pid)
		check_target(&c, pid);
	return c.impossible ? STATUS_UNSUPPORTED : STATUS_OK;
}

/* --- clean ------------------------------------------------------------------------------------ */

void report_cleaned(struct encoder *e, pid_t pid, bool removed, size_t sites)
{
	encoder_event(e, &(struct event){.kind = EVENT_CLEANED,
					 .pid = pid,
					 .cleaned = {.removed = removed, .sites = sites}});
}

enum status report_clean(struct encoder *e, pid_t pid, enum via via)
{
	struct remote *w = NULL;
	struct target *t = NULL;
	struct attachment_target rt;
	struct fail f = {0};
	const struct target_request req = {.pid = pid, .via = via};
	size_t sites = 0;
	char why[LOG_TEXT_MAX];
	enum status status;
	int err;

	log_hold(why);
	err = target_open_via(&req, &w, &t, &f);
	if (err == 0) {
		rt = hotspot_attachment_target(t, w);
		err = attachment_clean(&rt, &sites, &f);
	}
	status = status_tell(err, pid, t != NULL, &f, why);
	target_close(t);
	remote_close(w);
	if (err < 0)
		return status;
	report_cleaned(e, pid, err == 1, sites);
	return STATUS_OK;
}
