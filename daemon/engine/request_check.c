// SPDX-License-Identifier: MIT
/* request_check.c - `check`: what works on this machine, and on a target. */
#include <linux/capability.h>
#include <sys/utsname.h>

#include "engine/answer.h"
#include "kernel/kernel_features.h"

struct check {
	struct answer *answer;
	bool impossible;
};

static void on_check(void *arg, const struct event *ev)
{
	struct check *c = arg;

	c->impossible |= ev->check.result == CHECK_MISSING;
	answer_event(c->answer, ev);
}

/* Without this one nothing can be probed. */
static void need(const struct runtime_out *out, bool have, const char *what, const char *good,
		 const char *bad)
{
	runtime_check_event(out, have ? CHECK_OK : CHECK_MISSING, what, "%s", have ? good : bad);
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

static void check_kernel(const struct runtime_out *out)
{
	struct kernel_features k;
	struct utsname u;

	uname(&u);
	kernel_features_read(&k);
	runtime_check_event(out, CHECK_OK, "kernel", "Linux %s", u.release);
	need(out,
	     have_capability(CAP_SYS_ADMIN) ||
		     (have_capability(CAP_BPF) && have_capability(CAP_PERFMON)),
	     "bpf privilege", "CAP_SYS_ADMIN, or CAP_BPF and CAP_PERFMON",
	     "neither CAP_SYS_ADMIN nor CAP_BPF with CAP_PERFMON: run as root");
	if (have_capability(CAP_SYS_PTRACE))
		runtime_check_event(out, CHECK_OK, "ptrace privilege", "CAP_SYS_PTRACE");
	else
		runtime_check_event(
			out, CHECK_DEGRADED, "ptrace privilege",
			"no CAP_SYS_PTRACE: only JVMs with hotprobe's agent in them (--via agent)");
	need(out, k.btf, "btf", "the kernel describes its types",
	     "no /sys/kernel/btf/vmlinux: the kernel was built without CONFIG_DEBUG_INFO_BTF");
	need(out, k.bpf && !k.load_err, "bpf programs", "load",
	     "the probe's BPF program is refused (kernel 5.19 or later is needed)");
	need(out, k.uprobes, "uprobes", "available", "the kernel was built without CONFIG_UPROBES");
	need(out, k.membarrier, "membarrier", "SYNC_CORE is available",
	     "membarrier(PRIVATE_EXPEDITED_SYNC_CORE) is refused: code cannot be changed safely");
	if (k.uprobe_multi)
		runtime_check_event(out, CHECK_OK, "uprobe_multi", "one link covers every slot");
	else
		runtime_check_event(
			out, CHECK_DEGRADED, "uprobe_multi",
			"not there (kernel before 6.6): uprobes are attached one by one, at most a "
			"few hundred methods, and detaching takes about 0.1 s each");
	if (strcmp(k.lockdown, "confidentiality") == 0)
		need(out, false, "lockdown", "",
		     "confidentiality: the kernel forbids BPF programs to read memory");
	else
		runtime_check_event(out, CHECK_OK, "lockdown", "%s", k.lockdown);
}

static int check_target(const struct target_request *t, const struct runtime_out *out,
			struct fail *f)
{
	return runtime_find(t)->check(t, out, f);
}

static enum status check(struct answer *a, const struct request *req)
{
	const struct target_request *t = &req->target;
	const struct target_request process = {.pid = t->pid, .via = t->via},
				    file = {.binary = t->binary, .via = t->via};
	struct check c = {.answer = a};
	const struct runtime_out out = {.event = on_check, .arg = &c};
	struct fail f = {0};
	int err = 0;

	check_kernel(&out);
	if (t->pid)
		err = check_target(&process, &out, &f);
	if (!err && t->binary)
		err = check_target(&file, &out, &f);
	if (err)
		return answer_failed(a, err, &f);
	return c.impossible ? STATUS_UNSUPPORTED : STATUS_OK;
}

const struct request_ops request_check = {.run = check};
