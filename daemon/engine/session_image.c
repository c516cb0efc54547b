// SPDX-License-Identifier: MIT
/*
 * session_image.c - tracing a native image: one process of it, or all. See session_kind.h.
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

#include "engine/images.h"
#include "runtime/image/image_match.h"
#include "region/patch.h"
#include "base/log.h"
#include "runtime/image/image_config.h"
#include "runtime/image/image_site.h"
#include "probe/spec.h"
#include "engine/session_kind.h"
#include "runtime/image/image_cache.h"
#include "runtime/image/image_heap.h"
#include "runtime/image/image_names.h"
#include "runtime/image/image_proc.h"

/* Another instance holds the file's lock for as long as it attaches. */
#define LOCK_WAIT_MS 5000

struct image_session {
	int fd;
	char *path;
	struct elffile file;
	bool has_file, has_heap, has_proc;
	bool count_only;
	bool locked; /* the file, by us, while probes are being removed */
	struct image_map map;
	struct image_heap heap;
	struct image_proc proc;
	struct names klasses;

	struct spec *specs[SPECS_MAX];
	struct image_match *matches[SPECS_MAX];
	enum image_fit best[SPECS_MAX]; /* that any method has */
	size_t nspecs;

	uint32_t methods, raw, shared;	    /* matched; types unknown; of those by sharing a name */
	uint32_t places[IMAGE_STEPPED + 1]; /* sites of each kind */
};

static const char *klass_of_word(void *arg, uint64_t word)
{
	struct image_session *im = arg;
	const struct name_entry *known = names_get(&im->klasses, word);
	char text[IMAGE_NAME_MAX];

	if (known)
		return known->text;
	if (!im->has_heap || !word)
		return NULL;
	names_put(&im->klasses, word,
		  image_heap_class_of_word(&im->heap, word, text, sizeof(text)) > 0 ? text : NULL,
		  0);
	known = names_get(&im->klasses, word);
	return known ? known->text : NULL;
}

/* --- what sites tell -------------------------------------------------------------------------- */

static void on_probed(void *arg, struct probe *p)
{
	struct session *s = arg;
	struct image_session *im = s->own;

	im->places[image_site_place(p->sites[0])]++;
}

static void on_unprobed(void *arg _unused_, struct probe *p _unused_, const char *why _unused_)
{
}

static void refuse(const struct method *m, const char *why)
{
	log_warn("%s.%s at 0x%llx is not probed: %s", m->klass, m->name,
		 (unsigned long long)m->entry, why);
}

static void on_refused(void *arg _unused_, const struct probe *p, const char *why)
{
	refuse(&p->method, why);
}

static const struct probe_ops probe_ops = {
	.probed = on_probed,
	.unprobed = on_unprobed,
	.refused = on_refused,
	.record = session_record,
};

/* --- which methods ---------------------------------------------------------------------------- */

static int parse_specs(struct image_session *im, const struct trace_request *req)
{
	for (size_t i = 0; i < req->nspecs; i++) {
		struct fail f = {0};
		int err = spec_parse(req->specs[i], &im->specs[i], &f);

		if (err == -EINVAL)
			log_err("%s", f.text);
		if (err)
			return err;
		im->nspecs++;
	}
	return 0;
}

/* The SPEC that fits @m best; one by its signature is worth more than one by its name. */
static enum image_fit fit(struct image_session *im, const struct image_method *m, size_t *spec)
{
	enum image_fit best = FIT_NOT;

	for (size_t i = 0; i < im->nspecs; i++) {
		enum image_fit f = image_match_fit(im->matches[i], m);

		if (f >= im->best[i] && f > best) {
			best = f;
			*spec = i;
		}
	}
	return best;
}

/* Source: JLS 8.7 and 12.9: class initializers are static; JVMS 2.9.1: constructors are not. */
static bool is_static(const struct spec *spec, const char *name, const char *desc)
{
	return spec_is_static(spec) || !strcmp(name, "<clinit>") ||
	       (!strcmp(name, "main") && !strcmp(desc, "([Ljava/lang/String;)V"));
}

/*
 * What is known of the parameters. A SPEC's types are taken for a method that is the only one of
 * its name, or was picked by its entry, or whose signature the image confirms. C's callers pass no
 * heap base, without which references mean nothing.
 */
static void know_types(struct image_session *im, const struct image_method *m, size_t i,
		       enum image_fit fit, struct image_site_plan *plan,
		       char said[static IMAGE_NAME_MAX])
{
	const char *own = image_text(&im->map, m->desc), *name = image_text(&im->map, m->name);
	const struct spec *spec = im->specs[i];
	bool sure = fit == FIT_SIGNATURE || m->overloads == 1 || spec_entry(spec);
	bool says = !image_match_descriptor(im->matches[i], m, said, IMAGE_NAME_MAX);

	if (says && sure)
		plan->desc = *own ? own : said;
	else if (*own && (!strcmp(name, "<init>") || !strcmp(name, "<clinit>")))
		plan->desc = own;
	if (m->flags & METHOD_C_ENTRY)
		plan->desc = NULL;
	plan->desc_by_spec = plan->desc != own && fit != FIT_SIGNATURE;
	if (plan->desc)
		plan->is_static = is_static(spec, name, plan->desc);
	im->raw += !plan->desc;
	im->shared += !plan->desc && says && !sure;
}

/* --- sites ------------------------------------------------------------------------------------ */

/* Where probes are brought together before they become live. */
struct batch {
	struct probe *probes[REGION_SLOTS];
	size_t n, ndiverted; /* those diverted are the first ones */
};

/* A longer method than this is none: method_code.h. */
static int read_code(struct image_session *im, const struct image_method *m,
		     struct image_site_plan *plan, uint8_t **code)
{
	uint64_t len = MIN(m->end - m->entry, (uint64_t)METHOD_CODE_MAX);

	if (m->end <= m->entry || !image_file_offset(&im->file, m->entry, len, &plan->file_offset))
		return -EPROTO;
	plan->method.end = m->entry + len;
	return elffile_read(&im->file, plan->file_offset, len, METHOD_CODE_MAX, code);
}

/* Return: 1 armed; 0 it cannot be probed (said), or no SPEC asks for it; -ENOMEM; -ENOSPC. */
static int arm_method(struct session *s, const struct image_method *m, bool divert, bool at_start,
		      struct probe **ret)
{
	struct image_session *im = s->own;
	struct image_site_plan plan = {
		.method = {.entry = m->entry,
			   .begin = m->entry,
			   .end = m->end,
			   .klass = image_text(&im->map, m->klass),
			   .name = image_text(&im->map, m->name),
			   .desc = image_text(&im->map, m->desc),
			   .symbol = image_text(&im->map, m->symbol)},
		.overloads = m->overloads,
		.count_only = im->count_only,
		.bias = im->has_proc ? im->proc.bias : 0,
	};
	_cleanup_free_ uint8_t *code = NULL;
	char said[IMAGE_NAME_MAX];
	size_t spec = 0;
	enum image_fit how = fit(im, m, &spec);
	int err;

	if (how == FIT_NOT)
		return 0;
	im->methods++;
	know_types(im, m, spec, how, &plan, said);
	err = read_code(im, m, &plan, &code);
	plan.code = code;
	if (!err)
		err = image_site_probe(&plan, probes_env(s->probes), divert, at_start, ret);
	if (!err) {
		err = probes_arm(s->probes, *ret);
		if (err)
			probe_free(*ret);
	}
	im->methods -= err == -ENOSPC;
	if (err == -ENOMEM || err == -ENOSPC)
		return err;
	if (err)
		refuse(&plan.method, "its code is not understood");
	return err ? 0 : 1;
}

static void sort_in(struct batch *b, struct probe *p)
{
	if (image_site_place(p->sites[0]) == IMAGE_DIVERTED) {
		b->probes[b->n] = b->probes[b->ndiverted];
		b->probes[b->ndiverted++] = p;
	} else {
		b->probes[b->n] = p;
	}
	b->n++;
}

static int arm_all(struct session *s, struct batch *b, bool divert, bool at_start)
{
	struct image_session *im = s->own;
	int err = 0;

	for (uint32_t i = 0; i < im->map.n && err >= 0; i++) {
		struct probe *p;

		err = arm_method(s, &im->map.methods[i], divert, at_start, &p);
		if (err == 1)
			sort_in(b, p);
	}
	if (err == -ENOSPC) {
		log_warn(
			"only the first %zu methods that match are probed: there are no more slots",
			probes_max(s->probes));
		err = 0;
	}
	return MIN(err, 0);
}

static int divert_all(struct session *s, struct batch *b)
{
	int err = 0;

	for (size_t i = 0; i < b->ndiverted && err >= 0; i += PATCH_BATCH_MAX)
		err = probes_divert(s->probes, b->probes + i,
				    MIN(b->ndiverted - i, (size_t)PATCH_BATCH_MAX));
	return MIN(err, 0);
}

static int bring_up(struct session *s, pid_t pid, bool divert, bool at_start)
{
	struct image_session *im = s->own;
	_cleanup_free_ struct batch *b = calloc(1, sizeof(*b));
	char path[32];
	int err;

	if (!b)
		return -ENOMEM;
	err = arm_all(s, b, divert, at_start);
	if (!err)
		err = divert_all(s, b);
	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", im->fd);
	err = probes_attach(s->probes, pid, path, b->probes + b->ndiverted, b->n - b->ndiverted);
	return MIN(err, 0);
}

/* --- attach ----------------------------------------------------------------------------------- */

/* Without the lock (somebody may hold it for ever) everything is done the way that meets nobody. */
static bool lock_file(int fd)
{
	uint64_t until_ns = clock_ns() + LOCK_WAIT_MS * NSEC_PER_MSEC;

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (clock_ns() > until_ns)
			return false;
		usleep(20000);
	}
	return true;
}

static int open_file(struct image_session *im, const struct trace_request *req)
{
	struct image_about about;
	enum status status = images_open(req->target.binary, &im->fd, &about);
	const char *why;
	bool hit;
	int err;

	if (status != STATUS_OK)
		return status == STATUS_UNSUPPORTED ? -EOPNOTSUPP : -ENOENT;
	why = image_unprobeable(&about);
	if (why) {
		log_err("%s: %s", req->target.binary, why);
		return -EOPNOTSUPP;
	}
	im->path = strdup(req->target.binary);
	err = im->path ? elffile_open(im->fd, &im->file) : -ENOMEM;
	if (err)
		return err;
	im->has_file = true;
	err = image_map_cached(im->fd, &im->map, &hit);
	if (err)
		log_err("%s: its methods cannot be told: %s", im->path, images_no_names(err));
	return err == -ENOENT ? -EOPNOTSUPP : err;
}

static void open_heap(struct image_session *im)
{
	int err = image_heap_open(&im->file, &im->heap);

	im->has_heap = !err;
	if (!err)
		image_heap_drop_copy(&im->heap, &im->file);
	else
		log_warn("%s: the layout of its objects is not known: classes and texts are not "
			 "shown",
			 im->path);
}

static int match_all(struct image_session *im)
{
	bool any = false;

	for (size_t i = 0; i < im->nspecs; i++) {
		int err = image_match_new(im->specs[i], &im->map, &im->matches[i]);

		if (err)
			return err;
		im->best[i] = image_match_best(im->matches[i]);
		any = any || im->best[i] != FIT_NOT;
	}
	if (any)
		return 0;
	log_err("%s has no method that matches: one that is inlined everywhere has no code of its "
		"own "
		"(see `hotprobe methods -x`)",
		im->path);
	return -ENOENT;
}

/* The one process, which must run this very file. */
static int open_proc(struct session *s, struct image_session *im, pid_t pid)
{
	_cleanup_close_ int exe = image_proc_exe(pid);
	struct stat a, b;
	int err = exe < 0 ? exe : fstat(exe, &a) || fstat(im->fd, &b) ? -errno : 0;

	if (exe == -ENOENT) {
		err = kill(pid, 0) && errno == ESRCH ? -ESRCH : err;
		log_err(err == -ESRCH ? "no such process: %d" : "PID %d runs no program", pid);
		return err;
	}
	if (!err && (a.st_dev != b.st_dev || a.st_ino != b.st_ino)) {
		log_err("PID %d does not run %s: leave out -x, or give the file that it runs", pid,
			im->path);
		return -ENOENT;
	}
	if (!err)
		err = image_proc_open(pid, &im->file, &im->proc);
	if (err) {
		log_err("PID %d cannot be looked at: %s", pid,
			err == -ENOENT ? "its code is not mapped as the file says"
				       : strerror(-err));
		return err;
	}
	im->has_proc = true;
	s->id = &im->proc.id;
	s->decode.pid = pid;
	return 0;
}

/* A way in, if one may be had: else uprobes in place do. */
static void open_way(struct session *s, pid_t pid)
{
	struct remote *w = NULL;
	int err = remote_open(pid, VIA_PTRACE, &w, NULL);

	if (!err)
		err = remote_begin(w);
	if (!err)
		err = remote_end(w);
	if (!err) {
		s->remote = w;
		return;
	}
	log_pid(LOG_LVL_INFO, pid,
		"cannot be traced by ptrace (%s): probes are put in place, which costs more",
		err == -EBUSY ? "another hotprobe traces it" : remote_strerror(w, err));
	remote_close(w);
}

static int open_sites(struct session *s, struct image_session *im, const struct trace_request *req)
{
	struct probes_options opt = {.attachment = {.ring_bytes = req->ring_bytes},
				     .count_only = req->count_only};
	struct fail f = {0};
	int err;

	image_config(im->has_heap ? &im->heap : NULL, req->string_max, &opt.attachment.config);
	if (im->has_proc)
		opt.attachment.target = image_attachment_target(&im->proc, s->remote);
	err = probes_open(&opt, &probe_ops, s, &s->probes, &f);
	if (*f.text)
		log_err("%s", f.text);
	return err;
}

static int open_all(struct session *s, struct image_session *im, const struct trace_request *req)
{
	int err = parse_specs(im, req);

	if (!err && req->target.via == VIA_AGENT) {
		log_err("a native image has no JVM that an agent could be loaded into: leave out "
			"--via");
		err = -EOPNOTSUPP;
	}

	if (!err)
		err = open_file(im, req);
	if (!err)
		err = match_all(im);
	if (!err && req->target.pid)
		err = open_proc(s, im, req->target.pid);
	if (err)
		return err;
	open_heap(im);
	if (req->target.pid)
		open_way(s, req->target.pid);
	return open_sites(s, im, req);
}

static int image_attach(struct session *s, const struct trace_request *req)
{
	struct image_session *im = calloc(1, sizeof(*im));
	bool locked, divert, at_start;
	struct stat st;
	int err;

	if (!im)
		return -ENOMEM;
	im->fd = -1;
	im->count_only = req->count_only;
	s->own = im;
	s->decode.klass = klass_of_word;
	s->decode.klass_arg = im;
	err = open_all(s, im, req);
	if (err)
		return err;
	locked = lock_file(im->fd);
	divert = s->remote && locked;
	at_start = !req->target.pid &&
		   (!locked || fstat(im->fd, &st) || image_proc_each(&st, region_is_mapped));
	err = bring_up(s, req->target.pid, divert, at_start);
	if (err == -EACCES) {
		log_info("PID %d: its code may not be changed (a security policy, or a limit): "
			 "probes are "
			 "put in place, which costs more",
			 req->target.pid);
		probes_disarm(s->probes);
		im->methods = im->raw = im->shared = 0;
		err = bring_up(s, req->target.pid, false, at_start);
	}
	if (locked)
		flock(im->fd, LOCK_UN);
	return err;
}

static void image_attached(struct session *s, struct attached_event *ev)
{
	struct image_session *im = s->own;

	ev->binary = im->path;
	ev->methods = im->methods;
	ev->sites = probes_live(s->probes);
	for (size_t i = 0; i < im->nspecs; i++)
		if (im->best[i] == FIT_NOT)
			ev->waiting[ev->nwaiting++] = spec_text(im->specs[i]);
	ev->via = s->remote ? s->remote->ops->name : "uprobe";
	ev->diverted = im->places[IMAGE_DIVERTED];
	ev->emulated = im->places[IMAGE_EMULATED];
	ev->stepped = im->places[IMAGE_STEPPED];
}

static void image_notes(struct session *s)
{
	struct image_session *im = s->own;
	struct probes_figures fig;

	for (size_t i = 0; i < im->nspecs; i++)
		if (im->best[i] == FIT_NOT)
			log_warn("'%s' matches no method of %s: one that is inlined everywhere has "
				 "no "
				 "code of its own",
				 spec_text(im->specs[i]), im->path);
	if (im->raw)
		log_info("%u of %u methods: what parameters they have is not known from the image, "
			 "so their "
			 "arguments are shown raw; a SPEC with a parameter list says it",
			 im->raw, im->methods);
	if (im->shared)
		log_info("%u of these share class and name with another: pick one by its address, "
			 "as in "
			 "NAME(int)@0x%llx (see `hotprobe methods -x`)",
			 im->shared, (unsigned long long)im->map.methods[0].entry);
	log_debug("attach: %s: attached in %.1f ms; %u methods diverted; in place %u emulated, %u "
		  "single-stepped, which takes some us a call",
		  im->path, (double)(clock_ns() - s->start_ns) / 1e6, im->places[IMAGE_DIVERTED],
		  im->places[IMAGE_EMULATED], im->places[IMAGE_STEPPED]);
	probes_figures(s->probes, &fig);
	if (s->remote)
		log_debug(
			"attach: one thread stood for %.3f ms to map the region, %.3f ms to change "
			"code; no other thread was stopped",
			(double)fig.attachment.region_paused_ns / 1e6,
			(double)fig.patch_paused_ns / 1e6);
}

/*
 * While text is writable the kernel silently refuses uprobes on it (valid_vma(), kernel/events/
 * uprobes.c), so no other instance shall attach meanwhile.
 */
static void image_detach(struct session *s, bool begin)
{
	struct image_session *im = s->own;

	if (!im->places[IMAGE_DIVERTED])
		return;
	if (begin) {
		im->locked = lock_file(im->fd);
		return;
	}
	s->replaced = !region_is_mapped(im->proc.id.pid);
	if (im->locked)
		flock(im->fd, LOCK_UN);
}

static void image_free(struct session *s)
{
	struct image_session *im = s->own;

	if (!im)
		return;
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

const struct session_kind session_image = {
	.attach = image_attach,
	.attached = image_attached,
	.notes = image_notes,
	.detach = image_detach,
	.free = image_free,
};
