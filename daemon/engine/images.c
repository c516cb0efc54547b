// SPDX-License-Identifier: MIT
/* images.c - requests about native-image files. See images.h. */
#include <poll.h>
#include <stdarg.h>

#include "arch/machine.h"
#include "engine/images.h"
#include "runtime/image/image_match.h"
#include "base/log.h"
#include "runtime/image/image_config.h"
#include "engine/report.h"
#include "engine/session.h"
#include "arch/method_code.h"
#include "runtime/image/image_cache.h"
#include "runtime/image/image_file.h"
#include "proc/proc.h"

/* Text that waits to be sent while methods are listed; half of what may. */
#define UNSENT_MAX (BUF_MAX / 2)

/* --- check ------------------------------------------------------------------------------------ */

static void say(struct encoder *e, enum check_result result, const char *what, const char *fmt, ...)
	_printf_(4, 5);

static void say(struct encoder *e, enum check_result result, const char *what, const char *fmt, ...)
{
	char text[LOG_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	encoder_event(e,
		      &(struct event){.kind = EVENT_CHECK,
				      .check = {.what = what, .result = result, .detail = text}});
}

static void say_about(struct encoder *e, const struct image_about *a)
{
	if (a->is_image)
		say(e, CHECK_OK, "image", "%s%s%s%s%s",
		    *a->version ? a->version
				: "GraalVM native image that does not tell its version",
		    *a->java ? ", Java " : "", a->java, *a->libc ? ", " : "", a->libc);
	say(e, CHECK_OK, "executable", "%s, %s, %s", image_machine(a->machine),
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

static void say_names(struct encoder *e, int fd)
{
	struct image_map m;
	bool hit;
	int err = image_map_cached(fd, &m, &hit);

	if (err) {
		say(e, CHECK_DEGRADED, "method names",
		    "none: it is stripped, and its code info has an unsupported layout; build it "
		    "with "
		    "-H:-DeleteLocalSymbols");
		return;
	}
	if (m.names == NAMES_EXPORTS)
		say(e, CHECK_DEGRADED, "method names",
		    "exports only (%u): it has no Java symbols, and its code info has an "
		    "unsupported "
		    "layout; build it with -H:-DeleteLocalSymbols",
		    m.n);
	else
		say(e, CHECK_OK, "method names",
		    "from its %s: %u of %u methods, %u of them share a "
		    "name with another",
		    image_names_text(m.names), m.n, m.starts, ambiguous(&m));
	image_map_fini(&m);
}

static enum status open_said(const char *path, int *fd_ret, struct image_about *a)
{
	struct fail f = {0};
	int err = image_file_open(path, fd_ret, a, &f);

	if (err)
		log_err("%s", f.text);
	return status_of(err);
}

enum status images_check(struct encoder *e, const char *path)
{
	_cleanup_close_ int fd = -1;
	struct image_about a;
	enum status status = open_said(path, &fd, &a);
	const char *why;

	if (status != STATUS_OK)
		return status;
	say_about(e, &a);
	if (a.is_image)
		say_names(e, fd);
	why = image_unprobeable(&a);
	say(e, why ? CHECK_MISSING : CHECK_OK, "probeable", "%s",
	    why ? why : "its methods are code in a file, which uprobes can sit on");
	return why ? STATUS_UNSUPPORTED : STATUS_OK;
}

/* --- clean ------------------------------------------------------------------------------------ */

static int open_image_proc(pid_t pid, struct image_proc *ret)
{
	_cleanup_close_ int fd = image_proc_exe(pid);
	struct elffile f;
	int err = fd < 0 ? fd : elffile_open(fd, &f);

	if (err)
		return err;
	err = image_proc_open(pid, &f, ret);
	elffile_close(&f);
	return err;
}

enum status images_clean(struct encoder *e, pid_t pid)
{
	struct image_proc p = {0};
	struct attachment_target target;
	struct remote *w = NULL;
	char why[LOG_TEXT_MAX];
	enum status status;
	struct fail f = {0};
	size_t sites = 0;
	int err;

	log_hold(why);
	err = open_image_proc(pid, &p);
	if (!err)
		err = remote_open(pid, VIA_PTRACE, &w, &f);
	if (!err) {
		target = image_attachment_target(&p, w);
		err = attachment_clean(&target, &sites, &f);
	}
	status = status_tell(err, pid, p.id.pid, &f, why);
	remote_close(w);
	image_proc_close(&p);
	if (err >= 0)
		report_cleaned(e, pid, err == 1, sites);
	return status;
}

/* --- methods ---------------------------------------------------------------------------------- */

/* What `methods -x` looks at; the code itself only where few methods are asked for. */
struct listing {
	struct conn *conn;
	struct encoder *encoder;
	const struct image_map *map;
	struct elffile file;
	struct insn_decoder *decoder; /* NULL: it is not looked at */
};

/* Where it returns; nothing where the code is not understood to its end. */
static void find_returns(const struct listing *l, const struct image_method *m,
			 struct image_method_event *im, struct method_code *ret)
{
	static const uint32_t none[1]; /* NULL stands for not understood */
	_cleanup_free_ uint8_t *code = NULL;
	uint64_t len = m->end - m->entry;

	im->has_code = true;
	if (elffile_read(&l->file, im->offset, len, METHOD_CODE_MAX, &code) ||
	    method_code_read(l->decoder, m->entry, code, len, ret) || !ret->complete)
		return;
	im->nreturns = ret->nreturns;
	im->returns = ret->nreturns ? ret->returns : none;
	im->exits = ret->nreturns ? ret->exits : none;
}

static void add_method(struct listing *l, const struct image_method *m)
{
	const struct image_map *map = l->map;
	const struct method method = {
		.klass = image_text(map, m->klass),
		.name = image_text(map, m->name),
		.desc = image_text(map, m->desc),
		.symbol = image_text(map, m->symbol),
		.entry = m->entry,
		.begin = m->entry,
		.end = m->end,
	};
	struct image_method_event im = {.overloads = m->overloads,
					.c_entry = m->flags & METHOD_C_ENTRY};
	struct method_code code = {0};

	im.has_offset = m->end > m->entry &&
			image_file_offset(&l->file, m->entry, m->end - m->entry, &im.offset);
	if (im.has_offset && l->decoder)
		find_returns(l, m, &im, &code);
	encoder_event(l->encoder, &(struct event){.kind = EVENT_METHOD,
						  .method = {.method = &method,
							     .kind = "native-image",
							     .state = "in_use",
							     .image = &im}});
	method_code_fini(&code);
}

/*
 * A large image has more methods than the connection buffers text of (BUF_MAX), so some must be on
 * its way before the rest is written. Return: false when the client is gone.
 */
static bool drain(struct conn *conn)
{
	while (conn_pending(conn) > UNSENT_MAX) {
		struct pollfd fd = {.fd = conn->fd, .events = POLLOUT};

		if (conn_flush(conn))
			return false;
		if (conn_pending(conn) > UNSENT_MAX && poll(&fd, 1, -1) < 0 && errno != EINTR)
			return false;
	}
	return true;
}

static void send_methods(struct listing *l, const struct image_match *p)
{
	const struct image_map *map = l->map;
	enum image_fit least = p ? image_match_best(p) : FIT_NAME;
	uint32_t shown = 0, unclear = 0;

	for (uint32_t i = 0; i < map->n && least != FIT_NOT; i++) {
		const struct image_method *m = &map->methods[i];

		if (p && image_match_fit(p, m) < least)
			continue;
		if (!drain(l->conn))
			return;
		add_method(l, m);
		shown++;
		unclear += m->overloads > 1 && !m->desc && least != FIT_SIGNATURE;
	}
	if (!shown && p)
		log_info(
			"no method matches; one that is inlined everywhere has no code of its own");
	if (unclear)
		log_info("%u of %u methods share class and name with another: %s", unclear, shown,
			 map->names == NAMES_SYMTAB
				 ? "give the parameter types, as in NAME(int), to tell them apart"
				 : "which overload is which cannot be told");
	if (map->n < map->starts)
		log_info("%u of %u methods call nothing and have no name in this image",
			 map->starts - map->n, map->starts);
}

static enum status show(struct conn *conn, struct encoder *e, const char *path, int fd,
			const struct spec *spec)
{
	struct listing l = {.conn = conn, .encoder = e};
	struct image_match *match = NULL;
	uint64_t start = clock_ns();
	struct image_map map;
	bool hit;
	int err = elffile_open_any(fd, &l.file);

	if (err)
		return status_of(err);
	err = image_map_cached(fd, &map, &hit);
	if (err) {
		log_err("%s: its methods cannot be told: %s", path, image_file_no_names(err));
		elffile_close(&l.file);
		return err == -ENOMEM ? STATUS_FAILED : STATUS_UNSUPPORTED;
	}
	log_debug("image: %u methods by %s in %.1f ms%s", map.n, image_names_text(map.names),
		  (double)(clock_ns() - start) / 1e6, hit ? ", from the cache" : "");
	if (map.names == NAMES_EXPORTS)
		log_warn("%s has no Java symbols, and its code info has an unsupported layout: "
			 "these "
			 "are its exports",
			 path);
	l.map = &map;
	if (spec && machine_is_ours(l.file.machine))
		l.decoder = insn_decoder_new();
	err = spec ? image_match_new(spec, &map, &match) : 0;
	if (!err)
		send_methods(&l, match);
	image_match_free(match);
	insn_decoder_free(l.decoder);
	image_map_fini(&map);
	elffile_close(&l.file);
	return status_of(err);
}

enum status images_methods(struct conn *conn, struct encoder *e, const char *path,
			   const struct spec *spec)
{
	_cleanup_close_ int fd = -1;
	struct image_about a;
	enum status status;

	status = open_said(path, &fd, &a);
	if (status == STATUS_OK && (a.packer || !a.is_image)) {
		log_err("%s: %s", path, image_unprobeable(&a));
		status = STATUS_UNSUPPORTED;
	}
	if (status == STATUS_OK)
		status = show(conn, e, path, fd, spec);
	return status;
}
