// SPDX-License-Identifier: MIT
/* image_requests.c - short requests about a native image. See image_requests.h. */
#include "proc/entry.h"
#include "runtime/image/image_cache.h"
#include "runtime/image/image_config.h"
#include "runtime/image/image_file.h"
#include "runtime/image/image_leaked.h"
#include "runtime/image/image_proc.h"
#include "runtime/image/image_requests.h"
#include "runtime/rights.h"

/* --- list and check --------------------------------------------------------------------------- */

/* Path of the program that @pid runs, as that process sees it. */
static void read_exe(pid_t pid, char *buf, size_t size)
{
	if (entry_readlink(pid, "exe", buf, size) < 0)
		*buf = '\0';
}

void image_describe(const struct jvm_info *info, struct runtime_about *ret)
{
	struct image_about a = {0};
	const char *why = "its file cannot be read: try again as root";

	read_exe(info->pid, ret->program, sizeof(ret->program));
	if (image_file_of(info->pid, &a))
		why = image_unprobeable(&a);
	snprintf(ret->version, sizeof(ret->version), "%s", a.java);
	snprintf(ret->vm, sizeof(ret->vm), "%s", a.version);
	snprintf(ret->reason, sizeof(ret->reason), "%s", why ? why : "");
}

static void say_about(const struct runtime_out *out, const struct image_about *a)
{
	if (a->is_image)
		runtime_check_event(
			out, CHECK_OK, "image", "%s%s%s%s%s",
			*a->version ? a->version : "GraalVM native image of an unknown version",
			*a->java ? ", Java " : "", a->java, *a->libc ? ", " : "", a->libc);
	runtime_check_event(out, CHECK_OK, "executable", "%s, %s, %s", image_machine(a->machine),
			    a->pie ? "position-independent" : "at a fixed address",
			    a->is_static ? "static" : "dynamic");
}

static uint32_t ambiguous(const struct image_map *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->n; i++)
		n += m->methods[i].overloads > 1 && !m->methods[i].desc;
	return n;
}

static void say_names(const struct runtime_out *out, int fd)
{
	struct image_map m;
	bool hit;
	int err = image_map_cached(fd, &m, &hit);

	if (err) {
		runtime_check_event(
			out, CHECK_DEGRADED, "method names",
			"none: it is stripped, and its code info has an unsupported layout; build "
			"it with -H:-DeleteLocalSymbols");
		return;
	}
	if (m.names == NAMES_EXPORTS)
		runtime_check_event(
			out, CHECK_DEGRADED, "method names",
			"exports only (%u): it has no Java symbols, and its code info has an "
			"unsupported layout; build it with -H:-DeleteLocalSymbols",
			m.n);
	else
		runtime_check_event(out, CHECK_OK, "method names",
				    "from its %s: %u of %u methods, %u of them share a name with "
				    "another",
				    image_names_text(m.names), m.n, m.starts, ambiguous(&m));
	image_map_fini(&m);
}

int image_check(const struct target_request *t, const struct runtime_out *out, struct fail *f)
{
	char exe[IMAGE_EXE_MAX];
	_cleanup_close_ int fd = -1;
	struct image_about a;
	const char *why;
	int err = image_file_open(image_file_path(t, exe), &fd, &a, f);

	if (err)
		return err;
	say_about(out, &a);
	if (a.is_image)
		say_names(out, fd);
	why = image_unprobeable(&a);
	runtime_check_event(out, why ? CHECK_MISSING : CHECK_OK, "probeable", "%s",
			    why ? why : "its methods are code in a file, which uprobes can sit on");
	if (t->pid)
		rights_check(out, t->pid, true); /* else uprobes go in place */
	return 0;
}

/* --- watch and clean -------------------------------------------------------------------------- */

int image_watch(const struct target_request *t, const struct spec *spec _unused_,
		struct loop *loop _unused_, const struct runtime_out *out _unused_,
		struct runtime_watch **ret _unused_, struct fail *f)
{
	return fail_pid(f, -EOPNOTSUPP, t->pid,
			"a native image compiles nothing while it runs: leave out -w");
}

/* What uprobes in place have left, and what was diverted. */
static int clean_proc(const struct target_request *t, const struct image_proc *p,
		      const struct elffile *file, int fd, size_t *sites, struct fail *f)
{
	struct attachment_target at;
	struct remote *w = NULL;
	int err = remote_open(t->pid, VIA_PTRACE, REMOTE_CHANGE, &w, f), leaked;

	if (!err) {
		at = image_attachment_target(p, w);
		err = attachment_clean(&at, sites, f);
	}
	remote_close(w);
	if (err < 0)
		return err;
	leaked = image_leaked_remove(p, file, fd, f);
	if (leaked < 0)
		return leaked;
	*sites += (size_t)leaked;
	return err || leaked;
}

int image_clean(const struct target_request *t, size_t *sites, struct fail *f)
{
	_cleanup_close_ int fd = image_proc_exe(t->pid);
	struct image_proc p = {.id.pidfd = -1};
	struct elffile file;
	int err = fd < 0 ? fd : elffile_open(fd, &file);

	if (err)
		return err;
	err = image_proc_open(t->pid, &file, &p);
	if (!err)
		err = clean_proc(t, &p, &file, fd, sites, f);
	image_proc_close(&p);
	elffile_close(&file);
	return err;
}
