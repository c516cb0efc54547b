// SPDX-License-Identifier: MIT
/* bpf_util.c - what the loaders of the BPF programs share. See bpf_util.h. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "base/log.h"
#include "kernel/bpf_util.h"
#include "proc/caps.h"
#include "proc/entry.h"

/* PROC_PID_INIT_INO: Linux include/linux/proc_ns.h. */
#define INIT_PID_NS_INODE 0xeffffffcu

/* A program, its maps and links, and what is tried before. */
#define DESCRIPTORS 16

/* --- processes -------------------------------------------------------------------------------- */

pid_t bpf_filter_pid(pid_t pid)
{
	return pid <= 0 || entry_leader_lives(pid) ? pid : 0;
}

__u32 bpf_tgid(pid_t pid)
{
	struct stat st;

	return !stat("/proc/self/ns/pid", &st) && st.st_ino == INIT_PID_NS_INODE ? (__u32)pid : 0;
}

int bpf_can_tell(pid_t pid, struct fail *f)
{
	if (bpf_tgid(pid) || bpf_filter_pid(pid))
		return 0;
	return fail_pid(f, -EOPNOTSUPP, pid,
			"its first thread has ended: then it can only be told from other processes "
			"in the host's PID namespace: run hotprobe there");
}

/* --- messages --------------------------------------------------------------------------------- */

static void debug_lines(const char *text)
{
	while (*text) {
		int len = (int)strcspn(text, "\n");

		log_debug("bpf: %.*s", len, text);
		text += len + (text[len] == '\n');
	}
}

static _printf_(2, 0) int on_message(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char text[1024];

	if (level != LIBBPF_DEBUG && vsnprintf(text, sizeof(text), fmt, ap) > 0)
		debug_lines(text);
	return 0;
}

void bpf_messages(void)
{
	libbpf_set_print(on_message);
}

/*
 * The last line of a verifier's log that says something: what follows are figures
 * ("processed 110 insns ...").
 */
static size_t verdict(const char *log, const char **ret)
{
	const char *line = log, *next;
	size_t found = 0;

	*ret = "";
	for (; *line; line = next) {
		size_t len = strcspn(line, "\n");

		next = line + len + (line[len] == '\n');
		if (!len || strncmp(line, "processed ", 10) == 0)
			continue;
		*ret = line;
		found = len;
	}
	return found;
}

/*
 * libbpf hides from us that it found no descriptor for what it tries the kernel with, and then says
 * whatever comes of that. It takes no more than these at a time.
 */
static int short_of_descriptors(void)
{
	int fds[DESCRIPTORS], n = 0, err = 0;

	while (n < DESCRIPTORS && !err) {
		fds[n] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
		err = fds[n] < 0 && errno != EBADF ? -errno : 0;
		n++;
	}
	for (int i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return fail_is_shortage(err) ? err : 0;
}

const char *bpf_right_missing(void)
{
	bool bpf = caps_have(CAP_BPF), perfmon = caps_have(CAP_PERFMON);

	if (caps_have(CAP_SYS_ADMIN) || (bpf && perfmon))
		return NULL;
	return bpf	 ? "CAP_PERFMON is missing: run as root, or with that"
	       : perfmon ? "CAP_BPF is missing: run as root, or with that"
			 : "CAP_BPF and CAP_PERFMON are missing: run as root, or with these";
}

int bpf_load_failed(const char *what, int err, const struct load_log *log, struct fail *f)
{
	const char *why, *missing = bpf_right_missing();
	size_t len = verdict(log->text, &why);

	debug_lines(log->text);
	if (err != -EPERM)
		err = short_of_descriptors() ?: err;
	if (err == -EPERM)
		return fail_set(
			f, -EPERM, "%s: the kernel does not let us load a BPF program: %s", what,
			missing ? missing
				: "lockdown=confidentiality or a security module forbids it");
	if (err == -EMFILE || err == -ENFILE)
		return fail_set(f, err, "%s: its BPF program cannot be loaded: %s", what,
				fail_strerror(err));
	if (err == -ENOMEM)
		return fail_set(
			f, -ENOMEM,
			"%s: not enough memory for its BPF maps: give a smaller --ring-size", what);
	if (len)
		return fail_set(
			f, -EOPNOTSUPP,
			"%s: the kernel refuses its BPF program: %.*s (-v prints the whole log)",
			what, (int)MIN(len, 200), why);
	return fail_set(f, -EOPNOTSUPP,
			"%s: the kernel refuses its BPF program: %s; Linux 5.19 or later is needed",
			what, strerror(-err));
}
