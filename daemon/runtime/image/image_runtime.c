// SPDX-License-Identifier: MIT
/*
 * image_runtime.c - probes in a native image: one process of it, or all. See runtime.h.
 *
 * All methods are known from the file, so everything is decided at attach. With one process,
 * methods are diverted to slots where their code allows it. All else gets a uprobe in place.
 *
 * The two must not meet: the kernel removes a uprobe by writing back the byte it found in the file,
 * into the middle of our jump. So a method is only diverted where its code is as in the file, and
 * instances agree by a lock on the file that nobody puts the one in place while somebody looks for
 * the other. Where some process has slots, uprobes go on methods' first instructions, which are
 * never diverted.
 */
#include <signal.h>
#include <sys/file.h>

#include "base/log.h"
#include "base/stop.h"
#include "runtime/image/image_cache.h"
#include "runtime/image/image_coverage.h"
#include "runtime/image/image_file.h"
#include "runtime/image/image_names.h"
#include "runtime/image/image_probes.h"
#include "runtime/image/image_methods.h"
#include "runtime/image/image_requests.h"

/* Another instance holds the file's lock for as long as it attaches. On leaving, nothing waits
 * long. */
#define LOCK_WAIT_MS  5000
#define LEAVE_WAIT_MS 300

/* A file, or a process that runs one. */
static bool image_recognise_target(const struct target_request *t)
{
	return t->binary || (t->pid && image_file_exe(t->pid));
}

/* The name of the class that @word stands for; NULL: the image's heap has none there. */
static const char *read_klass(struct image *im, uint64_t word)
{
	char text[IMAGE_NAME_MAX], source[IMAGE_NAME_MAX];
	const struct name_entry *known;
	bool found = im->has_heap && word &&
		     image_heap_class_of_word(&im->heap, word, text, sizeof(text)) > 0 &&
		     jtype_of_class_name(text, source, sizeof(source)) < sizeof(source);

	names_put(&im->klasses, word, found ? source : NULL, 0);
	known = names_get(&im->klasses, word);
	return known ? known->text : NULL;
}

static const char *image_klass(struct runtime *rt, const struct probe *p _unused_, uint64_t word,
			       const char **why)
{
	struct image *im = rt->own;
	const struct name_entry *known = names_get(&im->klasses, word);
	const char *name = known ? known->text : read_klass(im, word);

	if (!name)
		*why = im->has_heap ? "its class is not one of the image's heap"
				    : "the layout of the image's heap is not known";
	return name;
}

/* --- attach ----------------------------------------------------------------------------------- */

/* Without the lock (somebody may hold it for ever) everything is done the way that meets nobody. */
static bool lock_file(int fd, unsigned int wait_ms)
{
	uint64_t until_ns = clock_ns() + wait_ms * NSEC_PER_MSEC;

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (clock_ns() > until_ns || stop_asked())
			return false;
		usleep(20000);
	}
	return true;
}

/* @path: given, or what the process runs. */
static int open_file(struct image *im, const char *path, struct fail *f)
{
	struct image_about about;
	const char *why;
	bool hit;
	int err = image_file_open(path, &im->fd, &about, f);

	if (err)
		return err;
	why = image_unprobeable(&about);
	if (why)
		return fail_set(f, -EOPNOTSUPP, "%s: %s", path, why);
	im->path = strdup(path);
	err = im->path ? elffile_open(im->fd, &im->file) : -ENOMEM;
	if (err)
		return err;
	im->has_file = true;
	err = image_map_cached(im->fd, &im->map, &hit);
	if (err)
		fail_set(f, err, "%s: its methods are not known: %s", im->path,
			 image_file_no_names(err));
	return err == -ENOENT ? -EOPNOTSUPP : err;
}

static void open_heap(struct image *im)
{
	int err = image_heap_open(&im->file, &im->heap);

	im->has_heap = !err;
	if (!err)
		image_heap_drop_copy(&im->heap, &im->file);
	else
		image_say(im, LOG_LVL_WARN,
			  "the layout of its objects is unknown: classes and texts are not shown");
}

/* The one process, which must run this very file. */
static int open_proc(struct runtime *rt, pid_t pid, struct fail *f)
{
	struct image *im = rt->own;
	_cleanup_close_ int exe = image_proc_exe(pid);
	struct stat a, b;
	int err = exe < 0 ? exe : fstat(exe, &a) || fstat(im->fd, &b) ? -errno : 0;

	if (exe == -ESRCH && kill(pid, 0) && errno == ESRCH)
		return fail_pid(f, -ESRCH, pid, "no such process");
	if (exe == -ESRCH || exe == -ENOENT)
		return fail_pid(f, -ENOENT, pid,
				"runs no program: it is a thread of the kernel, or ending");
	if (!err && (a.st_dev != b.st_dev || a.st_ino != b.st_ino))
		return fail_pid(f, -ENOENT, pid,
				"does not run %s: leave out -x, or give the file that it runs",
				im->path);
	if (!err)
		err = image_proc_open(pid, &im->file, &im->proc);
	if (err)
		return fail_pid(f, err, pid, "its memory cannot be read: %s",
				err == -ENOENT ? "its code is not mapped as the file says"
					       : fail_strerror(err));
	im->has_proc = true;
	rt->id = &im->proc.id;
	return 0;
}

/* Remote calls, if they are allowed: else uprobes in place do. */
static void open_remote(struct runtime *rt, pid_t pid)
{
	struct remote *w = NULL;
	int err = remote_open(pid, VIA_PTRACE, REMOTE_CHANGE, &w, NULL);

	if (!err)
		err = remote_begin(w);
	if (!err)
		err = remote_end(w);
	if (!err) {
		rt->remote = w;
		return;
	}
	log_pid(LOG_LVL_INFO, pid,
		"cannot be traced by ptrace (%s): probes are put in place, which costs more",
		err == -EBUSY ? "another hotprobe traces it" : remote_strerror(w, err));
	remote_close(w);
}

static int open_all(struct runtime *rt, const struct trace_request *req, struct fail *f)
{
	const struct target_request *t = &req->target;
	struct image *im = rt->own;
	char exe[IMAGE_EXE_MAX];
	int err = image_probes_parse(im, req, f);

	if (!err && t->via == VIA_AGENT)
		err = fail_set(
			f, -EOPNOTSUPP,
			"a native image has no JVM that an agent could be loaded into: leave out "
			"--via");
	if (!err)
		err = open_file(im, image_file_path(t, exe), f);
	if (!err)
		err = image_probes_match(im, f);
	if (!err && t->pid)
		err = open_proc(rt, t->pid, f);
	if (err)
		return err;
	open_heap(im);
	if (t->pid)
		open_remote(rt, t->pid);
	return image_probes_open(rt, req, f);
}

/* Probes go where the lock on the file and the target's policy allow. */
static int install(struct runtime *rt, pid_t pid, bool locked)
{
	struct image *im = rt->own;
	bool divert = rt->remote && locked, at_start;
	struct stat st;
	int err;

	at_start =
		!pid && (!locked || fstat(im->fd, &st) || image_proc_each(&st, region_is_mapped));
	err = image_probes_install(rt, pid, divert, at_start);
	if (err != -EACCES)
		return err;
	log_pid(LOG_LVL_INFO, pid,
		"its code may not be changed (a security policy, or a limit): probes are put in "
		"place, which costs more");
	probes_disarm(rt->probes);
	return image_probes_install(rt, pid, false, at_start);
}

static int image_attach(struct runtime *rt, const struct trace_request *req, struct fail *f)
{
	struct image *im = calloc(1, sizeof(*im));
	bool locked;
	int err;

	if (!im)
		return -ENOMEM;
	im->fd = -1;
	im->count_only = req->count_only;
	rt->own = im;
	err = open_all(rt, req, f);
	if (err)
		return err;
	locked = lock_file(im->fd, LOCK_WAIT_MS);
	err = install(rt, req->target.pid, locked);
	if (locked)
		flock(im->fd, LOCK_UN);
	return err;
}

/* --- what there is to say --------------------------------------------------------------------- */

static void image_attached(struct runtime *rt, struct attached_event *ev)
{
	struct image *im = rt->own;

	ev->binary = im->path;
	ev->methods = im->methods;
	ev->sites = probes_live(rt->probes);
	runtime_unprobed_methods(&im->refusals, ev, "not found in the process as in its file");
	for (size_t i = 0; i < im->nspecs; i++)
		if (im->best[i] == FIT_NOT)
			ev->waiting[ev->nwaiting++] = spec_text(im->specs[i]);
	ev->via = rt->remote ? rt->remote->ops->name : "uprobe";
	ev->diverted = im->places[IMAGE_DIVERTED];
	ev->emulated = im->places[IMAGE_EMULATED];
	ev->stepped = im->places[IMAGE_STEPPED];
}

static void note_specs(const struct image *im)
{
	if (im->raw)
		image_say(im, LOG_LVL_INFO,
			  "the image does not say what parameters %u of %u methods have: their "
			  "arguments are shown raw; give a SPEC with a parameter list",
			  im->raw, im->methods);
	if (im->shared)
		image_say(im, LOG_LVL_INFO,
			  "%u of these share class and name with another: pick one by its address, "
			  "as in NAME(int)@0x%llx (see `hotprobe methods -x`)",
			  im->shared, (unsigned long long)im->map.methods[0].entry);
}

static void image_notes(struct runtime *rt)
{
	struct image *im = rt->own;
	struct probes_figures fig;

	note_specs(im);
	image_probes_notes(im);
	image_say(im, LOG_LVL_DEBUG,
		  "attached in %.1f ms; %u methods diverted; in place %u emulated, %u "
		  "single-stepped, which takes some us a call",
		  (double)(clock_ns() - rt->begun_ns) / 1e6, im->places[IMAGE_DIVERTED],
		  im->places[IMAGE_EMULATED], im->places[IMAGE_STEPPED]);
	probes_figures(rt->probes, &fig);
	if (rt->remote)
		image_say(im, LOG_LVL_DEBUG,
			  "one thread stood for %.3f ms to map the region, %.3f ms to change "
			  "code; no other thread was stopped",
			  (double)fig.attachment.region_paused_ns / 1e6,
			  (double)fig.patch_paused_ns / 1e6);
}

/* That there may be inlined copies is only worth a note when no call is seen. */
static void image_coverage(struct runtime *rt, enum runtime_coverage what)
{
	if (what != RUNTIME_COVERAGE_CHANGES)
		image_coverage_tell(
			rt->own, what == RUNTIME_COVERAGE_AGAIN ? probes_count(rt->probes) : NULL,
			rt->events->coverage, rt->arg);
}

/* --- leaving ---------------------------------------------------------------------------------- */

/*
 * While text is writable the kernel silently refuses uprobes on it (valid_vma(), kernel/events/
 * uprobes.c), so no other instance shall attach meanwhile.
 */
static void image_detach_begin(struct runtime *rt)
{
	struct image *im = rt->own;

	if (im->places[IMAGE_DIVERTED])
		im->locked = lock_file(im->fd, LEAVE_WAIT_MS);
}

static void image_detach_end(struct runtime *rt)
{
	struct image *im = rt->own;

	if (!im->places[IMAGE_DIVERTED])
		return;
	rt->replaced = !region_is_mapped(im->proc.id.pid);
	if (im->locked)
		flock(im->fd, LOCK_UN);
}

static void image_free(struct image *im)
{
	for (size_t i = 0; i < SPECS_MAX; i++) {
		image_match_free(im->matches[i]);
		spec_free(im->specs[i]);
	}
	if (im->has_heap)
		image_heap_close(&im->heap);
	if (im->has_file)
		elffile_close(&im->file);
	image_map_fini(&im->map);
	image_proc_close(&im->proc);
	names_fini(&im->klasses);
	if (im->fd >= 0)
		close(im->fd);
	free(im->path);
	free(im);
}

static void image_close(struct runtime *rt)
{
	if (rt->own)
		image_free(rt->own);
}

/* --- without a probe -------------------------------------------------------------------------- */

static int image_seen(const struct target_request *t, struct spec *const *specs, size_t n,
		      const struct runtime_out *out, struct fail *f)
{
	struct runtime_look l = {.out = out, .pid = t->pid};
	struct image *im = calloc(1, sizeof(*im));
	char exe[IMAGE_EXE_MAX];
	int err;

	if (!im)
		return -ENOMEM;
	im->fd = -1;
	err = open_file(im, image_file_path(t, exe), f);
	memcpy(im->specs, specs, n * sizeof(struct spec *));
	im->nspecs = n;
	if (!err)
		err = image_probes_fit(im, f);
	if (!err)
		image_coverage_tell(im, NULL, runtime_covered, &l);
	memset(im->specs, 0, sizeof(im->specs)); /* not ours to free */
	image_free(im);
	return err;
}

const struct runtime_ops image_runtime = {
	.kind = "native-image",
	.recognise = image_recognise_target,
	.describe = image_describe,
	.check = image_check,
	.methods = image_methods,
	.look = image_seen,
	.watch = image_watch,
	.clean = image_clean,
	.attach = image_attach,
	.attached = image_attached,
	.notes = image_notes,
	.coverage = image_coverage,
	.klass = image_klass,
	.detach_begin = image_detach_begin,
	.detach_end = image_detach_end,
	.close = image_close,
};
