/* SPDX-License-Identifier: MIT */
/*
 * recorded_text.c - what HotSpot's readers find in a memory, as text: the whole of a layout, the
 * fields of some classes, every nmethod.
 */
#include "lib/recorded.h"

#include "runtime/hotspot/codeheap.h"
#include "runtime/hotspot/fieldinfo.h"
#include "runtime/hotspot/klass.h"
#include "runtime/hotspot/layout_code.h"
#include "runtime/hotspot/symbol.h"

struct described {
	struct mem *m;
	struct layout l;
	struct strpool *strings;
	FILE *out;
};

/* "0", "-ENOENT" */
static const char *err_text(int err, char buf[static 32])
{
	const char *name = err < 0 ? strerrorname_np(-err) : NULL;

	snprintf(buf, 32, "%s%s", name ? "-" : "", name ? name : "0");
	return buf;
}

static void say_err(FILE *out, const char *what, int err)
{
	char buf[32];

	fprintf(out, "%s %s\n", what, err_text(err, buf));
}

/* --- the layout --------------------------------------------------------------------------------
 */

static void say_capabilities(const struct layout *l, FILE *out)
{
	for (int cap = 0; cap < CAP_COUNT; cap++)
		fprintf(out, "capability %s %s%s\n", capability_name(cap),
			l->missing[cap] ? "missing: " : "works", l->why[cap]);
}

/* Every row of the table: what it wants, and where that is. */
static void say_table(const struct layout *l, FILE *out)
{
	for (size_t i = 0; i < layout_wants_count; i++) {
		const struct want *w = &layout_wants[i];
		const void *at = (const char *)l->code + w->dest;
		const struct field *f = at;
		const char *name = w->names[0].name;

		fprintf(out, "row %s%s%s ", w->names[0].type, name ? "::" : "", name ? name : "");
		if (w->kind == WANT_FIELD && !field_exists(*f))
			fprintf(out, "none\n");
		else if (w->kind == WANT_FIELD)
			fprintf(out, "%u+%u\n", f->off, f->size);
		else
			fprintf(out, "0x%" PRIx64 "\n", *(const uint64_t *)at);
	}
}

static void say_objects(const struct layout *l, FILE *out)
{
	fprintf(out, "code 0x%" PRIx64 " 0x%" PRIx64 "\n", l->code_low, l->code_high);
	fprintf(out, "spans %u %u %u jvmci %d\n", l->code->nmethod_span, l->code->const_span,
		l->code->pool_span, l->code->jvmci);
	fprintf(out, "klass word %d at %u shift %u, base 0x%" PRIx64 " shift %u\n", l->klass_word,
		l->klass_off, l->klass_mark_shift, l->narrow_klass_base, l->narrow_klass_shift);
	fprintf(out, "oops narrow %d, base 0x%" PRIx64 " shift %u\n", l->narrow_oops,
		l->narrow_oop_base, l->narrow_oop_shift);
	fprintf(out, "array length %u, bytes %u\n", l->array_length_off, l->byte_array_base);
	fprintf(out, "String 0x%" PRIx64 " value %u coder %u\n", l->string_klass,
		l->string_value_off, l->string_coder_off);
	fprintf(out,
		"thread obj %" PRId64 " vthread %" PRId64 " lock id %" PRId64 ", tid %u name %u\n",
		(int64_t)l->thread_obj, (int64_t)l->thread_vthread, (int64_t)l->thread_lock_id,
		l->thread_tid_off, l->thread_name_off);
}

static void say_z(const struct layout *l, FILE *out)
{
	const struct layout_z *z = &l->z;

	fprintf(out, "z bad 0x%" PRIx64 " shift 0x%" PRIx64 " follow %d\n", l->z_bad_mask_addr,
		l->z_shift_addr, z->follow);
	fprintf(out, "z good 0x%" PRIx64 " offset mask 0x%" PRIx64 "\n", z->good_mask_addr,
		z->offset_mask);
	fprintf(out, "z tables 0x%" PRIx64 " 0x%" PRIx64 " length %" PRIu64 " granule %u\n",
		z->forwarding[0], z->forwarding[1], z->forwarding_len, z->granule_shift);
	fprintf(out, "z forwarding start %u align %u length %u entries %u count %u\n", z->start_off,
		z->align_shift_off, z->length_off, z->entries_off, z->ref_count_off);
}

/* --- classes -----------------------------------------------------------------------------------
 */

static void say_field(struct described *d, uint64_t klass, const char *name, const char *desc)
{
	uint32_t off = 0;
	char buf[32];
	int err = fieldinfo_offset(d->m, &d->l, klass, name, desc, &off);

	fprintf(d->out, "field %s %s %s %u\n", name, desc, err_text(err, buf), off);
}

static void say_klass(struct described *d, uint64_t klass)
{
	const char *name = "?";
	char buf[32];
	int err = klass_name(d->m, &d->l, klass, d->strings, &name);

	fprintf(d->out, "klass 0x%" PRIx64 " %s %s\n", klass, err_text(err, buf), err ? "?" : name);
}

/* The class in the static variable at @slot, and fields of it and of its superclasses. */
static void say_classes(struct described *d)
{
	static const char *const fields[][2] = {
		{"value", "[B"},
		{"coder", "B"},
		{"hash", "I"},
		{"tid", "J"},
		{"name", "Ljava/lang/String;"},
		{"contextClassLoader", "Ljava/lang/ClassLoader;"},
		{"none", "I"},
	};
	const uint64_t slots[] = {d->l.code->string_klass, d->l.code->thread_klass};

	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		uint64_t klass = 0;
		if (!slots[i] || mem_read_u64(d->m, slots[i], &klass))
			continue;
		say_klass(d, klass);
		for (size_t j = 0; j < ARRAY_SIZE(fields); j++)
			say_field(d, klass, fields[j][0], fields[j][1]);
	}
}

/* --- code --------------------------------------------------------------------------------------
 */

/* The class that declares a method; 0 where that cannot be read. */
static uint64_t holder_of(const struct described *d, uint64_t method)
{
	const struct layout_code *c = d->l.code;
	uint64_t at = 0;

	if (field_read(d->m, method, c->method_const, &at) ||
	    field_read(d->m, at, c->const_pool, &at) || field_read(d->m, at, c->pool_holder, &at))
		return 0;
	return at;
}

static int say_method(const struct nmethod *nm, void *arg)
{
	struct described *d = arg;
	const char *holder = "?";
	struct nmethod again;
	uint8_t state = 0;
	uint32_t flags = 0;
	int err = nmethod_read(d->m, &d->l, nm->addr, &again);

	if (!err)
		err = nmethod_state_read(d->m, &d->l, nm->addr, &state);
	if (!err)
		err = method_flags(d->m, &d->l, nm->method_addr, &flags);
	if (!err)
		err = klass_name(d->m, &d->l, holder_of(d, nm->method_addr), d->strings, &holder);
	fprintf(d->out, "method 0x%" PRIx64 "-0x%" PRIx64 " %u %d %s 0x%" PRIx64 " 0x%" PRIx64,
		nm->m.begin, nm->m.end, nm->compile_id, nm->level, nmethod_state_name(nm->state),
		nm->m.entry, nm->addr);
	fprintf(d->out, " %s %d 0x%x %s %s.%s%s\n", nmethod_kind_name(nm->kind), nm->osr, flags,
		holder, nm->m.klass, nm->m.name, nm->m.desc);
	/* Of what the walk handed out all can be read again; a memory that is damaged tells so. */
	if (err || again.m.begin != nm->m.begin || again.m.entry != nm->m.entry ||
	    state != nm->state)
		say_err(d->out, "differs", err);
	return 0;
}

static int say_methods(struct described *d)
{
	struct name_cache *names = name_cache_new(d->strings);
	int err = names ? codeheap_walk(d->m, &d->l, names, say_method, d) : -ENOMEM;

	say_err(d->out, "walk", err);
	name_cache_free(names);
	return err;
}

static int say_all(struct described *d, const struct vmstructs *vs)
{
	int err = layout_read(d->m, vs, &d->l);

	say_err(d->out, "opened", err);
	fprintf(d->out, "jdk %d\nversion %s\nvm %s\ngc %s\n", d->l.jdk, d->l.version, d->l.vm_name,
		gc_kind_name(d->l.gc));
	say_capabilities(&d->l, d->out);
	if (d->l.code)
		say_table(&d->l, d->out);
	if (err)
		return err;
	say_objects(&d->l, d->out);
	say_z(&d->l, d->out);
	say_classes(d);
	return say_methods(d);
}

int recorded_describe(struct mem *m, recorded_symbol_fn *symbol, void *arg, FILE *out)
{
	struct described d = {.m = m, .out = out, .strings = strpool_new()};
	struct vmstructs *vs = NULL;
	int err = d.strings ? vmstructs_read(m, symbol, arg, &vs) : -ENOMEM;

	say_err(out, "tables", err);
	if (!err)
		err = say_all(&d, vs);
	layout_fini(&d.l);
	vmstructs_free(vs);
	strpool_free(d.strings);
	return err;
}

/* --- against the JVM's own list ----------------------------------------------------------------
 */

static size_t lines_count(const char *text, const char *begin)
{
	size_t n = 0, len = strlen(begin);

	for (; text && *text; text = strchr(text, '\n'), text = text ? text + 1 : NULL)
		n += !strncmp(text, begin, len);
	return n;
}

/* Does @text have a line that begins with @begin and ends with @end? */
static bool line_has(const char *text, const char *begin, const char *end)
{
	size_t n = strlen(end);

	for (const char *at = text; (at = strstr(at, begin)); at++) {
		const char *stop = strchrnul(at, '\n');
		if ((size_t)(stop - at) > n && stop[-1 - (ptrdiff_t)n] == ' ' &&
		    !memcmp(stop - n, end, n))
			return true;
	}
	return false;
}

size_t recorded_compare(const char *codelist, const char *described, FILE *out)
{
	size_t listed = lines_count(codelist, "0x"), found = lines_count(described, "method ");
	_cleanup_free_ char *copy = strdup(codelist);
	size_t bad = 0;
	char *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char begin[128], range[64];
		int id, level, state, used;
		if (sscanf(line, "%63[^ ] %d %d %d %n", range, &id, &level, &state, &used) != 4)
			return fprintf(out, "not a line of a code list: %s\n", line), 1;
		snprintf(begin, sizeof(begin), "method %s %d %d %s ", range, id, level,
			 nmethod_state_name(state ? NMETHOD_NOT_ENTRANT : NMETHOD_IN_USE));
		/* Some JDKs list names in modified UTF-8. */
		char *name = line + used;
		int len = symbol_check(name, strlen(name));
		name[MAX(len, 0)] = 0;
		if (!line_has(described, begin, name) && bad++ < 10)
			fprintf(out, "only the JVM has: %s\n", line);
	}
	if (listed != found)
		fprintf(out, "the JVM lists %zu, the readers find %zu\n", listed, found);
	return bad + (listed != found);
}
