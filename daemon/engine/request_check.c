// SPDX-License-Identifier: MIT
/* request_check.c - `check`: what works on this machine, and on a target. */
#include <sys/utsname.h>

#include "base/stop.h"
#include "engine/answer.h"
#include "kernel/bpf_util.h"
#include "kernel/kernel_features.h"
#include "proc/caps.h"

struct check {
	struct answer *answer;
	bool impossible;
};

static void on_check(void *arg, const struct event *ev)
{
	struct check *c = arg;

	/* A trial that is given up has not failed. */
	if (stop_asked())
		return;
	c->impossible |= ev->check.result == CHECK_MISSING;
	answer_event(c->answer, ev);
}

/* Without this one nothing can be probed. */
static void need(const struct runtime_out *out, bool have, const char *what, const char *good,
		 const char *bad)
{
	runtime_check_event(out, have ? CHECK_OK : CHECK_MISSING, what, "%s", have ? good : bad);
}

static void check_bpf_right(const struct runtime_out *out)
{
	const char *missing = bpf_right_missing();

	need(out, !missing, "bpf privilege", "CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN", missing);
}

/* For JVMs of other users, and for those that may do what we may not. */
static void check_ptrace_right(const struct runtime_out *out)
{
	bool ptrace = caps_have(CAP_SYS_PTRACE), any_file = caps_have(CAP_DAC_OVERRIDE);

	if (ptrace && any_file)
		runtime_check_event(out, CHECK_OK, "ptrace privilege",
				    "CAP_SYS_PTRACE and CAP_DAC_OVERRIDE");
	else
		runtime_check_event(
			out, CHECK_DEGRADED, "ptrace privilege",
			"%s missing: only JVMs of your own user%s, or with hotprobe's agent in them "
			"(--via agent)",
			ptrace	   ? "CAP_DAC_OVERRIDE is"
			: any_file ? "CAP_SYS_PTRACE is"
				   : "CAP_SYS_PTRACE and CAP_DAC_OVERRIDE are",
			ptrace ? "" : " if Yama allows it");
}

static void check_load(const struct runtime_out *out, const struct kernel_features *k)
{
	const char *bad = "the probe's BPF program is refused (kernel 5.19 or later is needed)";

	if (k->load_err == -EPERM)
		bad = "the kernel does not let us load them: for want of that privilege, or because "
		      "of lockdown=confidentiality";
	need(out, k->bpf && !k->load_err, "bpf programs", "load", bad);
}

static void check_multi(const struct runtime_out *out, const struct kernel_features *k)
{
	if (k->uprobe_multi)
		runtime_check_event(out, CHECK_OK, "uprobe_multi", "one link covers every slot");
	else if (k->load_err == -EPERM)
		runtime_check_event(out, CHECK_DEGRADED, "uprobe_multi",
				    "not known: it takes the privilege that is missing to try");
	else
		runtime_check_event(
			out, CHECK_DEGRADED, "uprobe_multi",
			"not there (kernel before 6.6): uprobes are attached one by one, at most a "
			"few hundred methods, and detaching takes about 0.1 s each");
}

static int check_kernel(const struct runtime_out *out)
{
	struct kernel_features k;
	struct utsname u;
	int err = kernel_features_read(&k);

	if (err)
		return err;
	uname(&u);
	runtime_check_event(out, CHECK_OK, "kernel", "Linux %s", u.release);
	check_bpf_right(out);
	check_ptrace_right(out);
	need(out, k.btf, "btf", "the kernel describes its types",
	     "no /sys/kernel/btf/vmlinux: the kernel was built without CONFIG_DEBUG_INFO_BTF");
	check_load(out, &k);
	need(out, k.uprobes, "uprobes", "available", "the kernel was built without CONFIG_UPROBES");
	need(out, k.membarrier, "membarrier", "SYNC_CORE is available",
	     "membarrier(PRIVATE_EXPEDITED_SYNC_CORE) is refused: code cannot be changed safely");
	check_multi(out, &k);
	if (strcmp(k.lockdown, "confidentiality") == 0)
		need(out, false, "lockdown", "",
		     "confidentiality: the kernel forbids BPF programs to read memory");
	else
		runtime_check_event(out, CHECK_OK, "lockdown", "%s", k.lockdown);
	return 0;
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
	int err = check_kernel(&out);

	if (err)
		return answer_failed(a, err, NULL);
	if (t->pid)
		err = check_target(&process, &out, &f);
	if (!err && t->binary)
		err = check_target(&file, &out, &f);
	if (err)
		return answer_failed(a, err, &f);
	return c.impossible ? STATUS_UNSUPPORTED : STATUS_OK;
}

const struct request_ops request_check = {.run = check};
