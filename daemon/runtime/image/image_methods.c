// SPDX-License-Identifier: MIT
/* image_methods.c - the methods of a native image's file. See image_methods.h. */
#include "base/budget.h"
#include "arch/insn.h"
#include "arch/machine.h"
#include "arch/method_code.h"
#include "base/log.h"
#include "runtime/image/image_cache.h"
#include "runtime/image/image_file.h"
#include "runtime/image/image_match.h"
#include "runtime/image/image_proc.h"
#include "runtime/image/image_methods.h"

/* What `methods -x` looks at; the code itself only where few methods are asked for. */
struct listing {
	const char *path; /* for messages */
	const struct runtime_out *out;
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
	_cleanup_method_code_ struct method_code code = {0};

	im.has_offset = m->end > m->entry &&
			image_file_offset(&l->file, m->entry, m->end - m->entry, &im.offset);
	if (im.has_offset && l->decoder)
		find_returns(l, m, &im, &code);
	l->out->event(l->out->arg, &(struct event){.kind = EVENT_METHOD,
						   .method = {.method = &method,
							      .kind = "native-image",
							      .state = "in_use",
							      .image = &im}});
}

static void note_shown(const struct listing *l, bool all, uint32_t shown, uint32_t unclear)
{
	const struct image_map *map = l->map;

	if (!shown && !all)
		log_info("%s: no method matches: a method that is inlined into all its callers has "
			 "no code of its own; try a wider pattern",
			 l->path);
	if (unclear)
		log_info("%s: %u of %u methods share class and name with another: %s", l->path,
			 unclear, shown,
			 map->names == NAMES_SYMTAB
				 ? "give the parameter types, as in NAME(int), to tell them apart"
				 : "the image does not say which overload is which");
	if (map->n < map->starts)
		log_info("%s: %u of %u methods are leaf methods: the image keeps no name for them",
			 l->path, map->starts - map->n, map->starts);
}

static void send_methods(struct listing *l, const struct image_match *p)
{
	const struct image_map *map = l->map;
	enum image_fit least = p ? image_match_best(p) : FIT_NAME;
	uint32_t shown = 0, unclear = 0;

	for (uint32_t i = 0; i < map->n && least != FIT_NOT; i++) {
		const struct image_method *m = &map->methods[i];

		if (budget_spend())
			break;
		if (p && image_match_fit(p, m) < least)
			continue;
		if (!l->out->room(l->out->arg))
			return;
		add_method(l, m);
		shown++;
		unclear += m->overloads > 1 && !m->desc && least != FIT_SIGNATURE;
	}
	note_shown(l, !p, shown, unclear);
}

/* @path: for messages. */
static int show(struct listing *l, const char *path, const struct spec *spec)
{
	const struct image_map *map = l->map;
	struct image_match *match = NULL;
	struct budget b;
	int err;

	budget_begin(&b, IMAGE_MATCH_BUDGET_NS);
	err = spec ? image_match_new(spec, map, &match) : 0;
	if (err) {
		budget_end(&b);
		return err;
	}
	if (map->names == NAMES_EXPORTS)
		log_warn("%s: it has no Java symbols, and its code info has an unsupported layout: "
			 "these are its exports",
			 path);
	if (spec && machine_is_ours(l->file.machine))
		l->decoder = insn_decoder_new();
	send_methods(l, match);
	if (budget_over() == -E2BIG)
		log_warn("%s: only part of its methods is listed: their names take far more work "
			 "than those of any real image",
			 path);
	budget_end(&b);
	insn_decoder_free(l->decoder);
	image_match_free(match);
	return 0;
}

static int show_file(const char *path, int fd, const struct spec *spec,
		     const struct runtime_out *out, struct fail *f)
{
	struct listing l = {.out = out, .path = path};
	uint64_t start_ns = clock_ns();
	struct image_map map;
	bool hit;
	int err = elffile_open_any(fd, &l.file);

	if (err)
		return err;
	err = image_map_cached(fd, &map, &hit);
	if (err) {
		fail_set(f, fail_is_shortage(err) ? err : -EOPNOTSUPP,
			 "%s: its methods are not known: %s", path, image_file_no_names(err));
		elffile_close(&l.file);
		return fail_is_shortage(err) ? err : -EOPNOTSUPP;
	}
	log_debug("%s: %u methods by %s in %.1f ms%s", path, map.n, image_names_text(map.names),
		  (double)(clock_ns() - start_ns) / 1e6, hit ? ", from the cache" : "");
	l.map = &map;
	err = show(&l, path, spec);
	image_map_fini(&map);
	elffile_close(&l.file);
	return err;
}

int image_methods(const struct target_request *t, const struct spec *spec,
		  const struct runtime_out *out, struct fail *f)
{
	char exe[IMAGE_EXE_MAX];
	const char *path = image_file_path(t, exe);
	_cleanup_close_ int fd = -1;
	struct image_about a;
	int err = image_file_open(path, &fd, &a, f);

	if (err)
		return err;
	if (a.packer || !a.is_image)
		return fail_set(f, -EOPNOTSUPP, "%s: %s", path, image_unprobeable(&a));
	return show_file(path, fd, spec, out, f);
}
