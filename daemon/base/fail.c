// SPDX-License-Identifier: MIT
/* fail.c - the one way an error travels. See fail.h. */
#include <stdarg.h>

#include "base/fail.h"
#include "base/utf8.h"

static int fail_setv(struct fail *f, int err, const char *prefix, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));

static int fail_setv(struct fail *f, int err, const char *prefix, const char *fmt, va_list ap)
{
	size_t len;

	if (!f || f->err)
		return err;
	f->err = err;
	len = (size_t)snprintf(f->text, sizeof(f->text), "%s", prefix);
	if ((size_t)vsnprintf(f->text + len, sizeof(f->text) - len, fmt, ap) >=
	    sizeof(f->text) - len)
		utf8_mark_cut(f->text, sizeof(f->text));
	return err;
}

int fail_set(struct fail *f, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_setv(f, err, "", fmt, ap);
	va_end(ap);
	return err;
}

int fail_pid(struct fail *f, int err, pid_t pid, const char *fmt, ...)
{
	char prefix[32];
	va_list ap;

	snprintf(prefix, sizeof(prefix), "PID %d: ", pid);
	va_start(ap, fmt);
	fail_setv(f, err, prefix, fmt, ap);
	va_end(ap);
	return err;
}

void fail_clear(struct fail *f)
{
	if (f)
		*f = (struct fail){0};
}

int fail_code(int err)
{
	if (err == ESRCH || err == ENOENT)
		return -ESRCH;
	return err == EACCES || err == EPERM ? -EPERM : -err;
}

bool fail_is_shortage(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

const char *fail_strerror(int err)
{
	switch (err) {
	case -EMFILE:
		return "hotprobe has too many files open: raise its limit (ulimit -n)";
	case -ENFILE:
		return "too many files are open on this machine (sysctl fs.file-max)";
	case -ENOMEM:
		return "out of memory";
	default:
		return strerror(-err);
	}
}
