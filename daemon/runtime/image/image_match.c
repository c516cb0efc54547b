// SPDX-License-Identifier: MIT
/* image_match.c - which methods of a native image a pattern means. See image_match.h. */
#include "runtime/image/image_match.h"
#include "probe/spec.h"
#include "runtime/image/image_names.h"

struct image_pattern {
	char *text;	    /* what the others point into */
	const char *full;   /* "com.shop.Cart.add" */
	const char *simple; /* "Cart.add", the end of the same */
	const char *klass;  /* "com.shop.Cart", a copy */
	const char *name;   /* "add" */
	char *params;	    /* owned; NULL: none were given */
	const char *ret;    /* "": not given */
	char *copy;
	uint64_t entry; /* 0: not given */
	bool is_static;
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

/* Simple names of java.lang that are written without their package. */
static const char *with_package(const char *name, size_t len)
{
	static const char *const known[] = {
		"String", "Object", "Class", "Integer",	  "Long",	  "Boolean", "Byte",
		"Short",  "Double", "Float", "Character", "CharSequence", "Number",  "Throwable"};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strlen(known[i]) == len && !memcmp(known[i], name, len))
			return "java.lang.";
	return "";
}

/* "int, String[]" to "int,java.lang.String[]". Return: malloc'd, or NULL. */
static char *expand_params(const char *params)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	while (*params) {
		size_t len = strcspn(params, ", []");

		if (len)
			fprintf(out, "%s%.*s", with_package(params, len), (int)len, params);
		params += len;
		if (*params && *params != ' ')
			fputc(*params, out);
		params += *params != '\0';
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* Takes "@0x..." off the end of @text. Return: false when what is behind '@' is no address. */
static bool take_entry(char *text, uint64_t *ret)
{
	char *at = strrchr(text, '@'), *end;

	if (!at)
		return true;
	errno = 0;
	*ret = strtoull(at + 1, &end, 16);
	*at = '\0';
	return end != at + 1 && !*end && !errno && *ret;
}

/* The parts between parentheses and behind, cut out of @p->text. */
static int take_params(struct image_pattern *p)
{
	char *open = strchr(p->text, '('), *close = open ? strchr(open, ')') : NULL;

	if (!open)
		return 0;
	if (!close)
		return -EINVAL;
	*open = *close = '\0';
	p->ret = close + 1 + strspn(close + 1, " ");
	if (!strcmp(open + 1, ".."))
		return 0;
	p->params = expand_params(open + 1);
	return p->params ? 0 : -ENOMEM;
}

static int take_apart(struct image_pattern *p, const char *text)
{
	static const char is_static[] = "static ";
	char *dot;
	int err;

	text += strspn(text, " ");
	p->is_static = !strncmp(text, is_static, sizeof(is_static) - 1);
	if (p->is_static)
		text += sizeof(is_static) - 1 + strspn(text + sizeof(is_static) - 1, " ");
	p->text = strdup(text);
	if (!p->text)
		return -ENOMEM;
	if (!take_entry(p->text, &p->entry))
		return -EINVAL;
	err = take_params(p);
	if (err)
		return err;
	p->copy = strdup(p->text);
	if (!p->copy)
		return -ENOMEM;
	dot = strrchr(p->copy, '.');
	if (dot)
		*dot = '\0';
	p->klass = p->copy;
	p->name = dot ? dot + 1 : "";
	p->full = p->text;
	p->simple = skip_package(p->text);
	return 0;
}

int image_pattern_new(const char *text, struct image_pattern **ret)
{
	struct image_pattern *p;
	int err;

	if (strnlen(text, IMAGE_NAME_MAX) == IMAGE_NAME_MAX)
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->ret = "";
	err = take_apart(p, text);
	if (err) {
		image_pattern_free(p);
		return err;
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
	free(p->params);
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

	if (!name_fits(p, map, m) || (p->entry && p->entry != m->entry))
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

bool image_pattern_picks_one(const struct image_pattern *p)
{
	return p->entry != 0;
}

bool image_pattern_is_static(const struct image_pattern *p)
{
	return p->is_static;
}

int image_pattern_descriptor(const struct image_pattern *p, char *buf, size_t size)
{
	if (!p->params)
		return -ENOENT;
	return image_descriptor(p->params, strlen(p->params), *p->ret ? p->ret : "void", buf, size);
}

enum image_fit image_pattern_best(const struct image_pattern *p, const struct image_map *map)
{
	enum image_fit best = FIT_NOT;

	for (uint32_t i = 0; i < map->n && best < FIT_SIGNATURE; i++)
		best = MAX(best, image_pattern_fit(p, map, &map->methods[i]));
	return best;
}
