// SPDX-License-Identifier: MIT
/* image_match.c - which methods of a native image a SPEC means. See image_match.h. */
#include "base/budget.h"
#include "runtime/image/image_match.h"
#include "probe/glob.h"
#include "runtime/image/image_names.h"
#include "symmap/jtype.h"

/* Classes that are tried for one name, and combinations of those for one signature. */
#define CLASSES_MAX 8
#define TRIES_MAX   256

/* A type of the SPEC, and what full names it may stand for: the first one unless a SHA-1 decides.
 */
struct meaning {
	const struct spec_type *type;
	size_t n;
	char *classes[CLASSES_MAX]; /* in source form, without dimensions */
};

struct image_match {
	const struct spec *spec;
	const struct image_map *map;
	/* Of the SPEC; with stars or escapes in it there is no signature to be digested. */
	char *klass;
	const char *name;   /* behind it */
	const char *simple; /* the SPEC's pattern from the class's own name on */
	bool stars;
	size_t nparams;
	struct meaning params[JTYPE_PARAMS_MAX], result; /* its type is NULL: none was given */
};

/* From the class's own name on: "com.shop.Cart.add" to "Cart.add". */
static const char *skip_package(const char *full)
{
	const char *last = strrchr(full, '.'), *dot;

	if (!last || last == full)
		return full;
	dot = memrchr(full, '.', (size_t)(last - full));
	return dot ? dot + 1 : full;
}

/* --- full names of classes -------------------------------------------------------------------- */

static bool is_primitive(const char *name)
{
	static const char *const names[] = {"boolean", "byte",	"char",	  "short", "int",
					    "long",    "float", "double", "void"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* Those that signatures are full of: an image that knows no packages still means these. */
static bool is_common(const char *name)
{
	static const char *const names[] = {
		"Boolean", "Byte", "CharSequence", "Character", "Class", "Double", "Float",
		"Integer", "Long", "Number",	   "Object",	"Short", "String", "Throwable"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* How far the package of @klass ends, its '.' included. */
static size_t package_len(const char *klass)
{
	const char *dot = strrchr(klass, '.');

	return dot ? (size_t)(dot - klass) + 1 : 0;
}

static bool has_package(const char *klass, const char *package, size_t len)
{
	return package_len(klass) == len && !memcmp(klass, package, len);
}

/* Once, and as far as there is room. */
static int add_class(struct meaning *t, const char *package, size_t len, const char *name)
{
	char *full;

	if (t->n == CLASSES_MAX)
		return 0;
	if (asprintf(&full, "%.*s%s", (int)len, package, name) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++) {
		if (!strcmp(t->classes[i], full)) {
			free(full);
			return 0;
		}
	}
	t->classes[t->n++] = full;
	return 0;
}

static bool class_fits(const char *user, const char *klass)
{
	char name[IMAGE_NAME_MAX];
	size_t len = strnlen(klass, sizeof(name));

	if (len == sizeof(name))
		return false;
	for (size_t i = 0; i < len; i++)
		name[i] = klass[i];
	for (size_t i = 0; i < len; i++)
		if (name[i] == '.')
			name[i] = '/';
	return spec_match_class(user, name, len);
}

enum rank { RANK_JAVA_LANG, RANK_OWN_PACKAGE, RANK_OTHER, RANK_COUNT };

static enum rank rank_of(const struct image_match *p, const char *klass)
{
	static const char java_lang[] = "java.lang.";

	if (has_package(klass, java_lang, strlen(java_lang)))
		return RANK_JAVA_LANG;
	return has_package(klass, p->klass, package_len(p->klass)) ? RANK_OWN_PACKAGE : RANK_OTHER;
}

/* Those that the map knows, with their packages. */
static int add_known(const struct image_match *p, struct meaning *t)
{
	const struct image_map *map = p->map;
	const char *name = t->type->name;
	int err = 0;

	for (enum rank rank = 0; rank < RANK_COUNT && t->n < CLASSES_MAX && !err; rank++) {
		uint32_t before = 0;

		for (uint32_t i = 0; i < map->n && !err && !(err = budget_spend()); i++) {
			const struct image_method *m = &map->methods[i];
			const char *klass = image_text(map, m->klass);

			if ((m->flags & METHOD_SIMPLE) || m->klass == before)
				continue;
			before = m->klass;
			if (class_fits(name, klass) && rank_of(p, klass) == rank)
				err = add_class(t, "", 0, klass);
		}
	}
	return err;
}

/* Interfaces without code, say, are in no map. */
static int add_guesses(const struct image_match *p, struct meaning *t)
{
	static const char java_lang[] = "java.lang.", java_util[] = "java.util.";
	const char *name = t->type->name;
	size_t own = package_len(p->klass);
	int err = 0;

	if (!t->n && is_common(name))
		err = add_class(t, java_lang, strlen(java_lang), name);
	if (!err)
		err = add_class(t, "", 0, name);
	if (err || strchr(name, '.'))
		return err;
	err = add_class(t, java_lang, strlen(java_lang), name);
	if (!err)
		err = add_class(t, p->klass, own, name);
	return err ? err : add_class(t, java_util, strlen(java_util), name);
}

static int find_classes(const struct image_match *p, struct meaning *t)
{
	int err;

	if (is_primitive(t->type->name))
		return add_class(t, "", 0, t->type->name);
	err = add_known(p, t);
	return err ? err : add_guesses(p, t);
}

/* --- new and free ----------------------------------------------------------------------------- */

static int know_types(struct image_match *p)
{
	const struct spec_type *params = spec_params(p->spec, &p->nparams);
	int err = 0;

	for (size_t i = 0; i < p->nparams && !err; i++) {
		p->params[i].type = &params[i];
		err = find_classes(p, &p->params[i]);
	}
	p->result.type = spec_result(p->spec);
	return !err && p->result.type ? find_classes(p, &p->result) : err;
}

int image_match_new(const struct spec *spec, const struct image_map *map, struct image_match **ret)
{
	const char *pattern = spec_pattern(spec), *dot = strrchr(pattern, '.');
	struct image_match *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	p->spec = spec;
	p->map = map;
	p->simple = skip_package(pattern);
	p->name = dot ? dot + 1 : pattern;
	p->stars = strpbrk(pattern, "*\\");
	p->klass = strndup(pattern, dot ? (size_t)(dot - pattern) : 0);
	err = p->klass ? know_types(p) : -ENOMEM;
	if (err)
		image_match_free(p);
	else
		*ret = p;
	return err;
}

static void meaning_fini(struct meaning *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->classes[i]);
}

void image_match_free(struct image_match *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->nparams; i++)
		meaning_fini(&p->params[i]);
	meaning_fini(&p->result);
	free(p->klass);
	free(p);
}

/* --- signatures ------------------------------------------------------------------------------- */

/* One combination of meanings, as image_names.h takes it. */
struct signature {
	char params[IMAGE_NAME_MAX], result[IMAGE_NAME_MAX]; /* result "": not given */
	size_t len;
};

/* Return: false when it does not fit. */
static bool add_text(char *buf, size_t *len, const char *s)
{
	size_t n = strlen(s);

	if (n >= IMAGE_NAME_MAX - *len)
		return false;
	memcpy(buf + *len, s, n + 1);
	*len += n;
	return true;
}

/* The meaning that @nth says, as digits of mixed base; what is left of it is for the next type. */
static bool add_type(char *buf, size_t *len, const struct meaning *t, size_t *nth)
{
	bool fits = add_text(buf, len, t->classes[*nth % t->n]);

	*nth /= t->n;
	for (uint16_t i = 0; i < t->type->dims && fits; i++)
		fits = add_text(buf, len, "[]");
	return fits;
}

/* Return: false: there is no @nth combination, or it is too long. */
static bool signature_make(const struct image_match *p, size_t nth, struct signature *ret)
{
	size_t result_len = 0;
	bool fits = true;

	ret->len = 0;
	ret->params[0] = ret->result[0] = '\0';
	for (size_t i = 0; i < p->nparams && fits; i++)
		fits = (!i || add_text(ret->params, &ret->len, ",")) &&
		       add_type(ret->params, &ret->len, &p->params[i], &nth);
	if (fits && p->result.type)
		fits = add_type(ret->result, &result_len, &p->result, &nth);
	return fits && !nth;
}

static bool digest_is(const struct image_match *p, const struct signature *s, const char *result,
		      const char *digest)
{
	char text[41];

	return !image_digest(p->klass, p->name, s->params, s->len, result, text) &&
	       !strcmp(text, digest);
}

/* The result is part of what was digested; where it was not given the usual ones are tried. */
static bool signature_has_digest(const struct image_match *p, const struct signature *s,
				 const char *digest)
{
	static const char *const usual[] = {
		"void",
		"boolean",
		"int",
		"long",
		"java.lang.String",
		"java.lang.Object",
		"byte",
		"char",
		"short",
		"float",
		"double",
		"byte[]",
		"int[]",
		"char[]",
		"java.lang.String[]",
		"java.lang.Object[]",
		"java.util.List",
		"java.util.Map",
		"java.util.Set",
		"java.util.Collection",
		"java.lang.Class",
	};

	if (*s->result)
		return digest_is(p, s, s->result, digest);
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		if (digest_is(p, s, usual[i], digest))
			return true;
	return digest_is(p, s, p->klass, digest);
}

/* The combination whose SHA-1 @m's symbol has. */
static bool find_digested(const struct image_match *p, const struct image_method *m,
			  struct signature *ret)
{
	struct image_symbol s;

	if (p->stars || !m->symbol ||
	    image_symbol_parse(image_text(p->map, m->symbol), &s) != SYMBOL_SHA1)
		return false;
	for (size_t i = 0; i < TRIES_MAX && signature_make(p, i, ret); i++)
		if (signature_has_digest(p, ret, s.digest))
			return true;
	return false;
}

int image_match_descriptor(const struct image_match *p, const struct image_method *m, char *buf,
			   size_t size)
{
	struct jsignature sig;
	struct signature s;
	size_t n;
	int err;

	if (!spec_params(p->spec, &n))
		return -ENOENT;
	if (!find_digested(p, m, &s) && !signature_make(p, 0, &s))
		return -EINVAL;
	err = image_descriptor(s.params, s.len, *s.result ? s.result : "void", buf, size);
	/* A file may call a class ".t", say. */
	return err ? err : jsignature_parse(buf, &sig) ? -EINVAL : 0;
}

/* --- fit -------------------------------------------------------------------------------------- */

static bool name_fits(const struct image_match *p, const struct image_method *m)
{
	char full[2 * IMAGE_NAME_MAX];
	const char *klass = image_text(p->map, m->klass), *pattern = spec_pattern(p->spec);

	snprintf(full, sizeof(full), "%s%s%s", klass, *klass ? "." : "",
		 image_text(p->map, m->name));
	if (glob_match(pattern, full))
		return true;
	return (m->flags & METHOD_SIMPLE) && p->simple != pattern && glob_match(p->simple, full);
}

enum image_fit image_match_fit(const struct image_match *p, const struct image_method *m)
{
	const char *desc = image_text(p->map, m->desc);
	uint64_t entry = spec_entry(p->spec);
	struct signature s;
	size_t n;

	if (!name_fits(p, m) || (entry && entry != m->entry))
		return FIT_NOT;
	/* Source: JVMS 2.9.1: constructors are not static. */
	if (spec_is_static(p->spec) && !strcmp(image_text(p->map, m->name), "<init>"))
		return FIT_NOT;
	if (*desc && !spec_match_descriptor(p->spec, desc))
		return FIT_NOT;
	if (!spec_params(p->spec, &n))
		return FIT_NAME;
	return *desc || find_digested(p, m, &s) ? FIT_SIGNATURE : FIT_NAME;
}

enum image_fit image_match_best(const struct image_match *p)
{
	enum image_fit best = FIT_NOT;

	for (uint32_t i = 0; i < p->map->n && best < FIT_SIGNATURE && !budget_spend(); i++)
		best = MAX(best, image_match_fit(p, &p->map->methods[i]));
	return best;
}
