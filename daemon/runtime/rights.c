// SPDX-License-Identifier: MIT
/* rights.c - see rights.h. */
#include <fcntl.h>

#include "proc/caps.h"
#include "proc/entry.h"
#include "runtime/rights.h"

/* Return: a descriptor's error, 0 if it can be opened. */
static int try_mem(pid_t pid, int flags)
{
	_cleanup_close_ int fd = entry_open(pid, "mem", flags);

	return MIN(fd, 0);
}

static bool is_others(pid_t pid)
{
	struct stat st;

	return !entry_stat(pid, "status", &st) && st.st_uid != geteuid();
}

/*
 * The file belongs to the process's user, and the kernel asks for the right to ptrace only after
 * that: proc_mem_open(), fs/proc/base.c.
 */
static const char *missing(pid_t pid)
{
	bool ptrace = caps_have(CAP_SYS_PTRACE), others = is_others(pid);
	bool any_file = !others || caps_have(CAP_DAC_OVERRIDE);

	if (!ptrace && !any_file)
		return "it is another user's: CAP_SYS_PTRACE and CAP_DAC_OVERRIDE are missing";
	if (!any_file)
		return "it is another user's: CAP_DAC_OVERRIDE is missing";
	if (!ptrace && others)
		return "it is another user's: CAP_SYS_PTRACE is missing";
	if (!ptrace)
		return "it has rights that you have not, or Yama forbids ptrace "
		       "(kernel.yama.ptrace_scope): CAP_SYS_PTRACE is missing";
	return "a security module (SELinux, AppArmor) or Yama forbids to look into it";
}

void rights_check(const struct runtime_out *out, pid_t pid, bool other_way)
{
	int err = try_mem(pid, O_RDWR);

	if (!err)
		runtime_check_event(out, CHECK_OK, "rights", "it may be traced by ptrace");
	if (err == -EPERM)
		runtime_check_event(out, other_way ? CHECK_DEGRADED : CHECK_MISSING, "rights",
				    "%s: run as root, or with that", missing(pid));
}
