// SPDX-License-Identifier: MIT
/*
 * spec.c - what the user asked for. See spec.h.
 *
 * A SPEC comes from whoever may speak to the daemon, the names it is held against from a hostile
 * target: the parser reads its text once from left to right, the matcher is an automaton that
 * looks at each character of a name once.
 */
#include <ctype.h>
#include <stdarg.h>

#include "probe/spec.h"
#include "symmap/jtype.h"

#define DIMS_MAX 255 /* JVMS 4.3.2 */

/* One parameter type: "Map.Entry[]" is "Map.Entry" with one dimension. */
struct param {
	char *name;
	uint16_t dims;
};

struct spec {
	char *text;
	char *pattern; /* CLASS.METHOD, as one glob */
	bool any_params;
	uint16_t nparams;
	struct param params[JTYPE_PARAMS_MAX];
};

/* --- parsing ---------------------------------------------------------------------------------- */

struct parser {
	const char *text, *p;
	struct spec *spec;
	struct spec_error *err;
};

_printf_(3, 4) static int fail(struct parser *ps, const char *at, const char *fmt, ...)
{
	va_list ap;

	ps->err->column = (size_t)(at - ps->text) + 1;
	va_start(ap, fmt);
	vsnprintf(ps->err->why, sizeof(ps->err->why), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static bool is_space(char c)
{
	return c && strchr(" \t\n\r\v\f", c);
}

static void skip_space(struct parser *ps)
{
	while (is_space(*ps->p))
		ps->p++;
}

/* A character that a name may contain; whatever else JVMS 4.2.2 allows is met by a '*'. */
static bool is_name(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_$-+", c)) || (unsigned char)c >= 0x80;
}

/* @ps->p is at what cannot go on a name: say so as helpfully as possible. */
static int fail_character(struct parser *ps, const char *where)
{
	unsigned char c = (unsigned char)*ps->p;

	if (c == ')')
		return fail(ps, ps->p, "')' without '('");
	if (c == '(')
		return fail(ps, ps->p, "'(' inside a parameter list");
	if (c == ':' || c == '#')
		return fail(ps, ps->p, "'%c': write '.' between class and method", c);
	if (!isprint(c))
		return fail(ps, ps->p, "bad character 0x%02x in %s", c, where);
	return fail(ps, ps->p, "bad character '%c' in %s", c, where);
}

/* @ps->p is at something that belongs neither to the word before it nor behind it. */
static int fail_word(struct parser *ps, const char *where)
{
	const char *space = ps->p;

	while (space > ps->text && is_space(space[-1]))
		space--;
	if (space < ps->p && (is_name(*ps->p) || strchr("*./<", *ps->p)))
		return fail(ps, space, "space inside %s", where);
	return fail_character(ps, where);
}

/* "<init>" or "<clinit>" at @p, how many bytes; 0 for anything else. */
static size_t special_len(const char *p)
{
	static const char *const names[] = {"<init>", "<clinit>"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(p, names[i], strlen(names[i])))
			return strlen(names[i]);
	return 0;
}

/* Takes the words between the dots; gives the last one, or NULL after an error. */
static const char *parse_words(struct parser *ps)
{
	const char *word = ps->p;

	for (;; ps->p++) {
		if (*ps->p == '.') {
			if (ps->p == word) {
				fail(ps, word, "empty name before '.'");
				return NULL;
			}
			word = ps->p + 1;
		} else if (!is_name(*ps->p) && *ps->p != '*' && *ps->p != '/') {
			break;
		}
	}
	if (ps->p == word)
		ps->p += special_len(word);
	if (*ps->p == '<' || *ps->p == '>') {
		fail(ps, ps->p, "'%c': only <init> and <clinit> have it", *ps->p);
		return NULL;
	}
	return word;
}

/* CLASS '.' METHOD */
static int parse_pattern(struct parser *ps)
{
	const char *begin, *method, *end, *slash;

	skip_space(ps);
	begin = ps->p;
	method = parse_words(ps);
	if (!method)
		return -EINVAL;
	end = ps->p;
	skip_space(ps);
	if (*ps->p && *ps->p != '(')
		return fail_word(ps, "a name");
	if (begin == end)
		return fail(ps, begin, "empty: write CLASS.METHOD");
	if (begin == method)
		return fail(ps, end, "no method: write CLASS.METHOD");
	if (method == end)
		return fail(ps, end, "empty method name");
	slash = memchr(method, '/', (size_t)(end - method));
	if (slash)
		return fail(ps, slash, "'/' in a method name");
	ps->spec->pattern = strndup(begin, (size_t)(end - begin));
	return ps->spec->pattern ? 0 : -ENOMEM;
}

/* "..." behind a type, for its last dimension. */
static bool at_varargs(const struct parser *ps)
{
	return !strncmp(ps->p, "...", 3);
}

static int fail_type(struct parser *ps)
{
	if (*ps->p == '*')
		return fail(ps, ps->p, "'*' in a type: (..) stands for any parameters");
	if (*ps->p == '<')
		return fail(ps, ps->p,
			    "compiled methods know no type arguments: write the class alone");
	return fail_character(ps, "a type");
}

/* A type's name, without dimensions. */
static int parse_type_name(struct parser *ps, char **ret)
{
	const char *begin = ps->p, *word = begin;

	for (; is_name(*ps->p) || (*ps->p == '.' && !at_varargs(ps)); ps->p++) {
		if (*ps->p != '.')
			continue;
		if (ps->p == begin && ps->p[1] == '.')
			return fail(ps, begin, "'..' stands alone in a parameter list");
		if (ps->p == word)
			return fail(ps, word, "empty name before '.'");
		word = ps->p + 1;
	}
	if (ps->p == begin && (!*ps->p || strchr(",).[", *ps->p)))
		return fail(ps, begin, "empty parameter type");
	if (*ps->p && !is_space(*ps->p) && !strchr(",).[", *ps->p))
		return fail_type(ps);
	if (ps->p == word)
		return fail(ps, word, "empty name after '.'");
	if (ps->p - begin == 4 && !memcmp(begin, "void", 4))
		return fail(ps, begin, "void is no parameter type");
	*ret = strndup(begin, (size_t)(ps->p - begin));
	return *ret ? 0 : -ENOMEM;
}

/* "[]" any number of times, then perhaps "..." */
static int parse_dims(struct parser *ps, uint16_t *ret)
{
	const char *at;
	uint16_t dims = 0;

	for (skip_space(ps); *ps->p == '[' || at_varargs(ps); skip_space(ps)) {
		at = ps->p;
		if (++dims > DIMS_MAX)
			return fail(ps, at, "more than %d array dimensions", DIMS_MAX);
		if (*at == '.') {
			ps->p += 3;
			skip_space(ps);
			if (*ps->p == ',' || *ps->p == '[')
				return fail(ps, at, "'...' before the end of the parameter list");
			break;
		}
		ps->p++;
		skip_space(ps);
		if (*ps->p++ != ']')
			return fail(ps, at, "'[' without ']'");
	}
	*ret = dims;
	return 0;
}

static int parse_type(struct parser *ps)
{
	struct spec *s = ps->spec;
	const char *begin = ps->p;
	int err;

	if (s->nparams == JTYPE_PARAMS_MAX)
		return fail(ps, begin, "more than %d parameters", JTYPE_PARAMS_MAX);
	err = parse_type_name(ps, &s->params[s->nparams].name);
	if (err)
		return err;
	s->nparams++;
	err = parse_dims(ps, &s->params[s->nparams - 1].dims);
	if (err)
		return err;
	if (*ps->p && *ps->p != ',' && *ps->p != ')')
		return fail_word(ps, "a type");
	return 0;
}

/* TYPE { ',' TYPE } */
static int parse_types(struct parser *ps)
{
	for (;;) {
		int err = parse_type(ps);

		if (err || *ps->p != ',')
			return err;
		ps->p++;
		skip_space(ps);
	}
}

/* ".." and nothing else up to the ')' */
static int parse_any(struct parser *ps)
{
	const char *dots = ps->p;

	ps->p += 2;
	skip_space(ps);
	if (*ps->p && *ps->p != ')')
		return fail(ps, dots, "'..' stands alone in a parameter list");
	ps->spec->any_params = true;
	return 0;
}

/* [ '(' PARAMS ')' ] and nothing behind. */
static int parse_params(struct parser *ps)
{
	const char *open = ps->p;
	int err = 0;

	if (!*open) {
		ps->spec->any_params = true;
		return 0;
	}
	ps->p++;
	skip_space(ps);
	if (!strncmp(ps->p, "..", 2) && !at_varargs(ps))
		err = parse_any(ps);
	else if (*ps->p && *ps->p != ')')
		err = parse_types(ps);
	if (err)
		return err;
	if (*ps->p != ')')
		return fail(ps, open, "'(' without ')'");
	ps->p++;
	skip_space(ps);
	if (*ps->p == ')')
		return fail(ps, ps->p, "')' without '('");
	return *ps->p ? fail(ps, ps->p, "text behind ')'") : 0;
}

int spec_parse(const char *text, struct spec **ret, struct spec_error *err)
{
	struct parser ps = {.text = text, .p = text, .err = err};
	int r;

	if (strnlen(text, SPEC_LEN_MAX + 1) > SPEC_LEN_MAX)
		return fail(&ps, text + SPEC_LEN_MAX, "longer than %d bytes", SPEC_LEN_MAX);
	ps.spec = calloc(1, sizeof(*ps.spec));
	if (!ps.spec)
		return -ENOMEM;
	ps.spec->text = strdup(text);
	r = ps.spec->text ? parse_pattern(&ps) : -ENOMEM;
	if (!r)
		r = parse_params(&ps);
	if (r)
		spec_free(ps.spec);
	else
		*ret = ps.spec;
	return r;
}

void spec_free(struct spec *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nparams; i++)
		free(s->params[i].name);
	free(s->pattern);
	free(s->text);
	free(s);
}

const char *spec_text(const struct spec *s)
{
	return s->text;
}

/* --- glob ------------------------------------------------------------------------------------- */

/*
 * The places in the pattern where the rest of it could begin to match the rest of the text, in
 * rising order. All are followed at once, so nothing is ever tried twice.
 */
struct places {
	size_t n;
	uint16_t at[SPEC_LEN_MAX + 1];
};

struct glob {
	const char *pattern;
	struct places sets[2], *now, *next;
};

/* Add place @at and, since a star also stands for nothing, what is behind the star there. */
static void reach(struct places *set, const char *pattern, size_t at)
{
	for (;;) {
		if (!set->n || set->at[set->n - 1] < at)
			set->at[set->n++] = (uint16_t)at;
		if (pattern[at] != '*')
			return;
		at += strspn(pattern + at, "*");
	}
}

/* False when the pattern is too long to be one. */
static bool glob_begin(struct glob *g, const char *pattern)
{
	if (strnlen(pattern, SPEC_LEN_MAX + 1) > SPEC_LEN_MAX)
		return false;
	g->pattern = pattern;
	g->now = &g->sets[0];
	g->next = &g->sets[1];
	g->now->n = 0;
	reach(g->now, pattern, 0);
	return true;
}

static void glob_step(struct glob *g, char c)
{
	struct places *now = g->now, *next = g->next;

	next->n = 0;
	for (size_t i = 0; i < now->n; i++) {
		size_t at = now->at[i];

		if (g->pattern[at] == '*') {
			if (c != '.' || g->pattern[at + 1] == '*')
				reach(next, g->pattern, at);
		} else if (g->pattern[at] == c) {
			reach(next, g->pattern, at + 1);
		}
	}
	g->now = next;
	g->next = now;
}

/* False as soon as nothing can match any more. */
static bool glob_feed(struct glob *g, const char *text)
{
	for (; *text && g->now->n; text++)
		glob_step(g, *text);
	return g->now->n;
}

static bool glob_end(const struct glob *g)
{
	return g->now->n && !g->pattern[g->now->at[g->now->n - 1]];
}

bool glob_match(const char *pattern, const char *text)
{
	struct glob g;

	return glob_begin(&g, pattern) && glob_feed(&g, text) && glob_end(&g);
}

/* --- matching --------------------------------------------------------------------------------- */

/*
 * Is @user's name that of class @name, @len bytes of a descriptor ("java/util/Map$Entry")? In full,
 * or from behind the package or behind any '$' on; a '.' of the user's stands for '/' and for '$'.
 */
static bool class_matches(const char *user, const char *name, size_t len)
{
	size_t n = strlen(user);
	const char *tail;

	if (n > len)
		return false;
	tail = name + len - n;
	if (n < len && ((tail[-1] != '/' && tail[-1] != '$') || memchr(tail, '/', n)))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool dot = user[i] == '.' && (tail[i] == '/' || tail[i] == '$');

		if (user[i] != tail[i] && !dot)
			return false;
	}
	return true;
}

static bool param_matches(const struct param *p, const struct jsignature *sig,
			  const struct jtype *type)
{
	const char *at = sig->desc + type->off;
	size_t dims = strspn(at, "[");
	struct jtype element = {.tag = at[dims]};
	char primitive[16];

	if (dims != p->dims)
		return false;
	element.off = (uint16_t)(type->off + dims);
	element.len = (uint16_t)(type->len - dims);
	if (element.tag == 'L')
		return class_matches(p->name, at + dims + 1, element.len - 2u);
	jtype_name(sig, &element, primitive, sizeof(primitive));
	return !strcmp(p->name, primitive);
}

static bool params_match(const struct spec *s, const char *desc)
{
	struct jsignature sig;

	if (jsignature_parse(desc, &sig) || sig.nparams != s->nparams)
		return false;
	for (size_t i = 0; i < s->nparams; i++)
		if (!param_matches(&s->params[i], &sig, &sig.params[i]))
			return false;
	return true;
}

bool spec_match(const struct spec *s, const char *klass, const char *name, const char *desc)
{
	struct glob g;

	if (!glob_begin(&g, s->pattern) || !glob_feed(&g, klass) || !glob_feed(&g, ".") ||
	    !glob_feed(&g, name) || !glob_end(&g))
		return false;
	return s->any_params || params_match(s, desc);
}
