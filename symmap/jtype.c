// SPDX-License-Identifier: MIT
/*
 * jtype.c - Java method descriptors. See jtype.h.
 *
 * Descriptors come from the target's memory or from requests and are hostile: whatever does not
 * follow the grammar of JVMS 4.3 to the letter is refused.
 */
#include "symmap/jtype.h"
#include "daemon/base/util.h"

#define DESC_LEN_MAX 65535 /* JVMS 4.4.7: a CONSTANT_Utf8 has a 16-bit length */
#define DIMS_MAX     255   /* JVMS 4.3.2 */

/* --- parsing ---------------------------------------------------------------------------------- */

/*
 * Length of "Ljava/lang/String;" at @s, 0 if it is none: names between '/', none of them empty and
 * none with '.' or '[' in it (JVMS 4.2.1, 4.2.2).
 */
static size_t class_len(const char *s)
{
	const char *p = s + 1;

	for (;;) {
		size_t n = strcspn(p, ".;[/");

		if (!n || p[n] == '.' || p[n] == '[' || !p[n])
			return 0;
		p += n + 1;
		if (p[-1] == ';')
			return (size_t)(p - s);
	}
}

/* Length of the field descriptor at @s (JVMS 4.3.2), 0 if there is none. */
static size_t field_len(const char *s)
{
	size_t dims = strspn(s, "["), len;

	if (dims > DIMS_MAX)
		return 0;
	s += dims;
	if (*s == 'L')
		len = class_len(s);
	else
		len = *s && strchr("BCDFIJSZ", *s);
	return len ? dims + len : 0;
}

static struct jtype piece(const char *desc, const char *at, size_t len)
{
	return (struct jtype){.tag = *at, .off = (uint16_t)(at - desc), .len = (uint16_t)len};
}

int jsignature_parse(const char *desc, struct jsignature *ret)
{
	struct jtype params[JTYPE_PARAMS_MAX];
	size_t nparams = 0, words = 0, len;
	const char *p = desc;

	if (strnlen(desc, DESC_LEN_MAX + 1) > DESC_LEN_MAX || *p++ != '(')
		return -EPROTO;
	for (; *p != ')'; p += len) {
		len = field_len(p);
		words += *p == 'J' || *p == 'D' ? 2 : 1;
		if (!len || words > JTYPE_PARAMS_MAX)
			return -EPROTO;
		params[nparams++] = piece(desc, p, len);
	}
	p++;
	len = *p == 'V' ? 1 : field_len(p);
	if (!len || p[len])
		return -EPROTO;
	ret->ret = piece(desc, p, len);
	memcpy(ret->params, params, nparams * sizeof(*params));
	ret->nparams = (uint8_t)nparams;
	ret->desc = desc;
	return 0;
}

/* --- source form ------------------------------------------------------------------------------ */

/* Writes what fits and counts everything, like snprintf(). */
struct out {
	char *buf;
	size_t size, len;
};

static void put(struct out *o, const char *s, size_t n)
{
	if (o->len < o->size)
		memcpy(o->buf + o->len, s, MIN(n, o->size - o->len));
	o->len += n;
}

static void put_str(struct out *o, const char *s)
{
	put(o, s, strlen(s));
}

static size_t put_end(struct out *o)
{
	if (o->size)
		o->buf[MIN(o->len, o->size - 1)] = '\0';
	return o->len;
}

static const char *primitive_name(char tag)
{
	switch (tag) {
	case 'B':
		return "byte";
	case 'C':
		return "char";
	case 'D':
		return "double";
	case 'F':
		return "float";
	case 'I':
		return "int";
	case 'J':
		return "long";
	case 'S':
		return "short";
	case 'Z':
		return "boolean";
	default:
		return "void";
	}
}

/* "java/lang/String" as "java.lang.String". */
static void put_class(struct out *o, const char *s, size_t len)
{
	for (const char *end = s + len; s < end; s++)
		put(o, *s == '/' ? "." : s, 1);
}

static void put_type(struct out *o, const char *s, size_t len)
{
	size_t dims = strspn(s, "[");

	if (s[dims] == 'L')
		put_class(o, s + dims + 1, len - dims - 2);
	else
		put_str(o, primitive_name(s[dims]));
	while (dims--)
		put(o, "[]", 2);
}

size_t jtype_name(const struct jsignature *sig, const struct jtype *type, char *buf, size_t size)
{
	struct out o = {.buf = buf, .size = size};

	put_type(&o, sig->desc + type->off, type->len);
	return put_end(&o);
}

size_t jtype_of_class_name(const char *name, char *buf, size_t size)
{
	struct out o = {.buf = buf, .size = size};
	size_t dims = strspn(name, "["), len = strlen(name);

	if (dims && name[dims] == 'L' && name[len - 1] == ';' && len > dims + 2) {
		put(&o, name + dims + 1, len - dims - 2);
	} else if (dims && len == dims + 1 && strchr("BCDFIJSZ", name[dims])) {
		put_str(&o, primitive_name(name[dims]));
	} else {
		put_str(&o, name);
		dims = 0;
	}
	while (dims--)
		put(&o, "[]", 2);
	return put_end(&o);
}

size_t jsignature_name(const struct jsignature *sig, const char *klass, const char *name, char *buf,
		       size_t size)
{
	struct out o = {.buf = buf, .size = size};

	put_str(&o, klass);
	put(&o, ".", 1);
	put_str(&o, name);
	put(&o, "(", 1);
	for (unsigned int i = 0; i < sig->nparams; i++) {
		if (i)
			put(&o, ", ", 2);
		put_type(&o, sig->desc + sig->params[i].off, sig->params[i].len);
	}
	put(&o, ")", 1);
	return put_end(&o);
}
