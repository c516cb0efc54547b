// SPDX-License-Identifier: MIT
/* images_match.c - which methods of a native image a pattern means. See images_match.h. */
#include "images_match.h"
#include "probe/spec.h"
#include "target/image_names.h"

struct image_pattern {
	char *text;	    /* what the others point into */
	const char *full;   /* "com.shop.Cart.add" */
	const char *simple; /* "Cart.add", the end of the same */
	const char *klass;  /* "com.shop.Cart", a copy */
	const char *name;   /* "add" */
	const char *params; /* NULL: none were given */
	const char *ret;    /* "": not given */
	char *copy;
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

int image_pattern_new(const char *text, struct image_pattern **ret)
{
	struct image_pattern *p;
	char *open, *close, *dot;

	if (strnlen(text, IMAGE_NAME_MAX) == IMAGE_NAME_MAX)
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->text = strdup(text);
	open = p->text ? strchr(p->text, '(') : NULL;
	close = open ? strchr(open, ')') : NULL;
	if (open)
		*open = '\0';
	p->copy = p->text ? strdup(p->text) : NULL;
	if (!p->copy || (open && !close)) {
		int err = p->copy ? -EINVAL : -ENOMEM;

		image_pattern_free(p);
		return err;
	}
	p->full = p->text;
	p->simple = skip_package(p->text);
	dot = strrchr(p->copy, '.');
	p->klass = p->copy;
	p->name = dot ? dot + 1 : "";
	if (dot)
		*dot = '\0';
	if (open) {
		*close = '\0';
		p->params = open + 1;
		p->ret = close + 1;
	}
	*ret = p;
	return 0;
}

void image_pattern_free(struct image_pattern *p)
{
	if (!p)
		return;
	free(p->text);
	free(p->copy);
	free(p);
}

static bool name_fits(const struct image_pattern *p, const struct image_map *map,
		      const struct image_method *m)
{
	char full[2 * IMAGE_NAME_MAX];
	const char *klass = image_text(map, m->klass);

	snprintf(full, sizeof(full), "%s%s%s", klass, *klass ? "." : "", image_text(map, m->name));
	if (glob_match(p->full, full))
		return true;
	return (m->flags & METHOD_SIMPLE) && p->simple != p->full && glob_match(p->simple, full);
}

/* The parameters are those of @desc, and the result if one was given. */
static bool descriptor_fits(const struct image_pattern *p, const char *desc)
{
	char want[IMAGE_NAME_MAX];

	if (image_descriptor(p->params, strlen(p->params), *p->ret ? p->ret : "void", want,
			     sizeof(want)))
		return false;
	if (!*p->ret)
		strchr(want, ')')[1] = '\0';
	return !strncmp(desc, want, strlen(want)) && (!*p->ret || !desc[strlen(want)]);
}

static bool digest_is(const struct image_pattern *p, const char *ret, const char *digest)
{
	char text[41];

	return !image_digest(p->klass, p->name, p->params, strlen(p->params), ret, text) &&
	       !strcmp(text, digest);
}

/* The result is part of what was digested; where it was not given the usual ones are tried. */
static bool digest_fits(const struct image_pattern *p, const char *digest)
{
	static const char *const usual[] = {
		"void",  "boolean", "int",   "long",	  "java.lang.String", "java.lang.Object",
		"byte",  "char",    "short", "float",	  "double",	      "byte[]",
		"int[]", "char[]",  "java.lang.String[]", "java.lang.Object[]", "java.util.List",
		"java.util.Map", "java.util.Set", "java.util.Collection", "java.lang.Class",
	};

	if (*p->ret)
		return digest_is(p, p->ret, digest);
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		if (digest_is(p, usual[i], digest))
			return true;
	return digest_is(p, p->klass, digest);
}

enum image_fit image_pattern_fit(const struct image_pattern *p, const struct image_map *map,
				 const struct image_method *m)
{
	const char *desc = image_text(map, m->desc);
	struct image_symbol s;

	if (!name_fits(p, map, m))
		return FIT_NOT;
	if (!p->params)
		return FIT_NAME;
	if (*desc)
		return descriptor_fits(p, desc) ? FIT_SIGNATURE : FIT_NOT;
	if (m->symbol && image_symbol_parse(image_text(map, m->symbol), &s) == SYMBOL_SHA1 &&
	    digest_fits(p, s.digest))
		return FIT_SIGNATURE;
	return FIT_NAME;
}
