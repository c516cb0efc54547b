// SPDX-License-Identifier: MIT
/* image_names.c - names of native-image symbols. See image_names.h. */
#include "runtime/image/image_names.h"
#include "base/sha1.h"

#define SHA1_DIGITS   40
#define BASE62_DIGITS 22

/* JVMS 4.4.1: an array has at most 255 dimensions. */
#define DIMENSIONS_MAX 255

static bool is_hex(const char *p)
{
	return strspn(p, "0123456789abcdef") == SHA1_DIGITS && !p[SHA1_DIGITS];
}

static bool is_base62(const char *p)
{
	size_t n = 0;

	while ((p[n] >= '0' && p[n] <= '9') || (p[n] >= 'a' && p[n] <= 'z') ||
	       (p[n] >= 'A' && p[n] <= 'Z'))
		n++;
	return n == BASE62_DIGITS && !p[n];
}

static enum image_symbol_kind parse_full(const char *symbol, const char *open,
					 struct image_symbol *ret)
{
	const char *close = strchr(open, ')'), *dot = memrchr(symbol, '.', (size_t)(open - symbol));

	if (!close || !close[1] || !dot || dot == symbol || dot + 1 == open)
		return SYMBOL_OTHER;
	*ret = (struct image_symbol){.kind = SYMBOL_FULL,
				     .klass = symbol,
				     .klass_len = (size_t)(dot - symbol),
				     .name = dot + 1,
				     .name_len = (size_t)(open - dot - 1),
				     .params = open + 1,
				     .params_len = (size_t)(close - open - 1),
				     .ret = close + 1};
	return SYMBOL_FULL;
}

enum image_symbol_kind image_symbol_parse(const char *symbol, struct image_symbol *ret)
{
	const char *open = strchr(symbol, '('), *last, *first;

	*ret = (struct image_symbol){.kind = SYMBOL_OTHER};
	if (strnlen(symbol, IMAGE_NAME_MAX) == IMAGE_NAME_MAX)
		return SYMBOL_OTHER;
	if (open)
		return parse_full(symbol, open, ret);
	if (strlen(symbol) >= IMAGE_SHORT_MAX)
		return SYMBOL_OTHER;
	last = strrchr(symbol, '_');
	first = strchr(symbol, '_');
	if (!last || first == symbol || last - first < 2)
		return SYMBOL_OTHER;
	if (is_hex(last + 1))
		ret->kind = SYMBOL_SHA1;
	else if (is_base62(last + 1))
		ret->kind = SYMBOL_BASE62;
	else
		return SYMBOL_OTHER;
	ret->klass = symbol;
	ret->klass_len = (size_t)(first - symbol);
	ret->name = first + 1;
	ret->name_len = (size_t)(last - first - 1);
	ret->digest = last + 1;
	return ret->kind;
}

bool image_symbol_next(struct image_symbol *s)
{
	const char *next = s->digest ? memchr(s->name, '_', s->name_len) : NULL;
	const char *end = s->name + s->name_len;

	if (!next || next + 1 == end)
		return false;
	s->klass_len = (size_t)(next - s->klass);
	s->name = next + 1;
	s->name_len = (size_t)(end - s->name);
	return true;
}

void image_method_name(const struct image_symbol *s, char *buf, size_t size)
{
	static const char constructor[] = "constructor";

	if (s->kind != SYMBOL_FULL && s->name_len == strlen(constructor) &&
	    !memcmp(s->name, constructor, s->name_len))
		snprintf(buf, size, "<init>");
	else
		snprintf(buf, size, "%.*s", (int)s->name_len, s->name);
}

/* --- types ------------------------------------------------------------------------------------ */

/* A text that is put together; over its size it is broken. */
struct text {
	char *p;
	size_t size, len;
	bool broken;
};

static void add(struct text *t, const char *s, size_t len)
{
	if (len >= t->size - t->len) {
		t->broken = true;
		return;
	}
	memcpy(t->p + t->len, s, len);
	t->len += len;
	t->p[t->len] = '\0';
}

struct type {
	const char *name;
	size_t len;
	unsigned int dimensions;
	char code; /* of a primitive type or void; 'L' a class */
};

static char primitive_code(const char *name, size_t len)
{
	static const char *const names[] = {"boolean", "byte",	"char",	  "short", "int",
					    "long",    "float", "double", "void"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == len && !memcmp(names[i], name, len))
			return "ZBCSIJFDV"[i];
	return 'L';
}

/* Take a type and the comma behind it. Return: false when there is none. */
static bool take_type(const char **p, const char *end, struct type *ret)
{
	const char *s = *p, *comma, *stop;

	if (s > end)
		return false;
	while (s < end && *s == ' ')
		s++;
	comma = memchr(s, ',', (size_t)(end - s));
	stop = comma ? comma : end;
	*p = comma ? comma + 1 : end;
	*ret = (struct type){.name = s};
	while (stop > s && stop[-1] == ' ')
		stop--;
	for (; stop - s >= 2 && !memcmp(stop - 2, "[]", 2); stop -= 2)
		ret->dimensions++;
	ret->len = (size_t)(stop - s);
	ret->code = primitive_code(s, ret->len);
	return ret->len && ret->dimensions <= DIMENSIONS_MAX && !memchr(s, ' ', ret->len) &&
	       !memchr(s, '[', ret->len) && !memchr(s, ';', ret->len);
}

static void add_class(struct text *t, const struct type *type, char dot)
{
	size_t from = t->len;

	add(t, type->name, type->len);
	for (; !t->broken && from < t->len; from++)
		if (t->p[from] == '.')
			t->p[from] = dot;
}

static void add_descriptor(struct text *t, const struct type *type, char dot)
{
	for (unsigned int i = 0; i < type->dimensions; i++)
		add(t, "[", 1);
	add(t, &type->code, 1);
	if (type->code == 'L') {
		add_class(t, type, dot);
		add(t, ";", 1);
	}
}

/* As Class.getName() writes it: int, java.lang.String, [I, [Ljava.lang.String;. */
static void add_class_name(struct text *t, const struct type *type)
{
	if (type->dimensions)
		add_descriptor(t, type, '.');
	else
		add(t, type->name, type->len);
}

static bool only_blanks(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != ' ')
			return false;
	return true;
}

typedef void add_type_fn(struct text *t, const struct type *type);

static void add_as_descriptor(struct text *t, const struct type *type)
{
	add_descriptor(t, type, '/');
}

static void add_as_digested(struct text *t, const struct type *type)
{
	add_class_name(t, type);
	add(t, ",", 1);
}

/* "(" parameters ")", each by @fn. */
static bool add_params(struct text *t, const char *params, size_t len, add_type_fn *fn)
{
	const char *p = params, *end = params + len;
	struct type type;

	add(t, "(", 1);
	if (!only_blanks(params, len)) {
		do {
			if (!take_type(&p, end, &type) || type.code == 'V')
				return false;
			fn(t, &type);
		} while (p < end || end[-1] == ',');
	}
	add(t, ")", 1);
	return !t->broken;
}

static bool parse_ret(const char *ret, struct type *type)
{
	const char *p = ret, *end = ret + strlen(ret);

	return take_type(&p, end, type) && p == end;
}

int image_descriptor(const char *params, size_t params_len, const char *ret, char *buf, size_t size)
{
	struct text t = {.p = buf, .size = size};
	struct type type;

	if (!parse_ret(ret, &type) || !add_params(&t, params, params_len, add_as_descriptor))
		return -EINVAL;
	add_descriptor(&t, &type, '/');
	return t.broken ? -EINVAL : 0;
}

int image_digest(const char *klass, const char *name, const char *params, size_t params_len,
		 const char *ret, char digest[static 41])
{
	char buf[2 * IMAGE_NAME_MAX];
	struct text t = {.p = buf, .size = sizeof(buf)};
	struct type type;

	add(&t, klass, strlen(klass));
	add(&t, ".", 1);
	add(&t, name, strlen(name));
	if (t.broken || !parse_ret(ret, &type) ||
	    !add_params(&t, params, params_len, add_as_digested))
		return -EINVAL;
	if (strcmp(name, "<init>")) /* a constructor's result is left out */
		add_class_name(&t, &type);
	if (t.broken)
		return -EINVAL;
	sha1_hex(buf, t.len, digest);
	return 0;
}
