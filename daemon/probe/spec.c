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

#include "base/utf8.h"
#include "probe/spec.h"
#include "symmap/jtype.h"

#define DIMS_MAX 255 /* JVMS 4.3.2 */

struct spec {
	char *text;
	char *pattern; /* CLASS.METHOD, as one glob */
	bool is_static, any_params;
	uint16_t nparams;
	struct spec_type params[JTYPE_PARAMS_MAX];
	struct spec_type ret; /* name NULL: any */
	uint64_t entry;
};

/* --- parsing ---------------------------------------------------------------------------------- */

/* What of a SPEC an error shows; it may be long. */
#define SHOWN_MAX 512

struct parser {
	const char *text, *p;
	struct spec *spec;
	struct fail *fail;
	const char *ends; /* what may stand behind a type's name */
};

/* What ends a type among the parameters, and behind them. */
static const char in_params[] = ",).[", in_result[] = ".[@";

/* How much of @text is shown: no character is cut. */
static int shown(const char *text)
{
	size_t len = strnlen(text, SHOWN_MAX + 1);

	if (len > SHOWN_MAX)
		for (len = SHOWN_MAX; len && ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
	return (int)len;
}

_printf_(3, 4) static int fail(struct parser *ps, const char *at, const char *fmt, ...)
{
	int len = shown(ps->text);
	char why[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return fail_set(ps->fail, -EINVAL, "bad SPEC '%.*s%s': column %zu: %s", len, ps->text,
			ps->text[len] ? "..." : "", (size_t)(at - ps->text) + 1, why);
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

/* A character that a name may contain; whatever else JVMS 4.2.2 allows has a backslash before it.
 */
static bool is_name(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_$-+", c)) || (unsigned char)c >= 0x80;
}

/* @ps->p is at what cannot go on a name: say so as helpfully as possible. */
static int fail_character(struct parser *ps, const char *where)
{
	unsigned char c = (unsigned char)*ps->p;

	if (c == ')')
		return fail(ps, ps->p, "')' without '(': leave it out");
	if (c == '(')
		return fail(ps, ps->p, "'(' inside a parameter list: leave it out");
	if (c == ':' || c == '#')
		return fail(ps, ps->p, "'%c': write '.' once between class and method", c);
	if (c == '@')
		return fail(ps, ps->p, "'@' in %s: an address stands at the end", where);
	if (!isprint(c))
		return fail(ps, ps->p, "bad character 0x%02x in %s", c, where);
	return fail(ps, ps->p, "bad character '%c' in %s: write '\\%c' if it belongs to a name", c,
		    where, c);
}

/* Is what ends at @end of those that stand before a method's name in Java? */
static bool is_modifier(const struct parser *ps, const char *end)
{
	static const char *const words[] = {
		"public",  "protected", "private", "abstract", "final",	 "native",
		"default", "void",	"boolean", "byte",     "char",	 "short",
		"int",	   "long",	"float",   "double",   "static", "synchronized"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == (size_t)(end - ps->text) &&
		    !strncmp(ps->text, words[i], strlen(words[i])))
			return true;
	return false;
}

/* @ps->p is at something that belongs neither to the word before it nor behind it. */
static int fail_word(struct parser *ps, const char *where)
{
	const char *space = ps->p;

	while (space > ps->text && is_space(space[-1]))
		space--;
	if (space < ps->p && space - ps->text == 3 && !strncmp(ps->text, "new", 3))
		return fail(ps, ps->text, "'new': a constructor is CLASS.<init>");
	if (space < ps->p && is_modifier(ps, space))
		return fail(ps, ps->text, "'%.*s': leave out all before the class but 'static'",
			    (int)(space - ps->text), ps->text);
	if (space < ps->p && (is_name(*ps->p) || strchr("*./<", *ps->p)))
		return fail(ps, space, "space inside %s: %swrite '\\ ' if it belongs to it", where,
			    ps->ends == in_params ? "leave out names of parameters, or " : "");
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

/* What ends a word: '.', or "::" or '#' before the method. Return: its length, or 0. */
static size_t separator_len(const char *p)
{
	if (*p == '.' || *p == '#')
		return 1;
	return !strncmp(p, "::", 2) ? 2 : 0;
}

/* "\x1b" or "\u202e" at @ps->p: the number behind the letter has @n digits. */
static int parse_number(struct parser *ps, size_t n, uint32_t *ret)
{
	char digits[5] = "";

	strncat(digits, ps->p + 2, n);
	if (strspn(digits, "0123456789abcdefABCDEF") != n)
		return fail(ps, ps->p, "'\\%c' without %zu hexadecimal digits", ps->p[1], n);
	*ret = (uint32_t)strtoul(digits, NULL, 16);
	ps->p += 2 + n;
	return 0;
}

/* What a backslash at @ps->p and what follows it stand for: \n, \x1b, \u202e, or the character. */
static int parse_escape(struct parser *ps, uint32_t *ret)
{
	uint32_t c;
	size_t n;

	switch (ps->p[1]) {
	case '\0':
		return fail(ps, ps->p, "'\\' at the end: a character follows it");
	case 'x':
		return parse_number(ps, 2, ret);
	case 'u':
		return parse_number(ps, 4, ret);
	case 'n':
		c = '\n';
		ps->p += 2;
		break;
	default:
		n = utf8_decode((const uint8_t *)ps->p + 1, strlen(ps->p + 1), &c);
		if (!n)
			return fail(ps, ps->p, "'\\' before what is no UTF-8");
		ps->p += 1 + n;
	}
	*ret = c;
	return 0;
}

/* The same into @to, as a class file has it. @is_glob: a star there stands for itself. */
static int take_escape(struct parser *ps, bool is_glob, char **to)
{
	uint32_t c;
	int err = parse_escape(ps, &c);

	if (err)
		return err;
	if (is_glob && (c == '*' || c == GLOB_ESCAPE))
		*(*to)++ = GLOB_ESCAPE;
	if (c)
		*to = utf8_put(*to, c);
	else
		*to = mempcpy(*to, "\xc0\x80", 2); /* JVMS 4.4.7 */
	return 0;
}

/*
 * Takes the words between the dots, with a '.' for each separator, into the pattern; gives the last
 * one, or NULL after an error.
 */
static const char *parse_words(struct parser *ps)
{
	const char *word = ps->p;
	char *to = ps->spec->pattern;
	bool at_method = false;
	size_t len;

	for (;;) {
		len = separator_len(ps->p);
		if (len && ps->p == word) {
			fail(ps, word, "empty name before '%.*s'", (int)len, ps->p);
			return NULL;
		}
		if (len && at_method) {
			fail_character(ps, "a method name");
			return NULL;
		}
		if (len) {
			at_method = *ps->p != '.';
			*to++ = '.';
			word = ps->p += len;
		} else if (is_name(*ps->p) || *ps->p == '*' || *ps->p == '/') {
			*to++ = *ps->p++;
		} else if (*ps->p == '\\') {
			if (take_escape(ps, true, &to))
				return NULL;
		} else {
			break;
		}
	}
	if (ps->p == word) {
		len = special_len(word);
		memcpy(to, word, len);
		ps->p += len;
	}
	if (*ps->p == '<' || *ps->p == '>') {
		fail(ps, ps->p, "'%c': leave out type arguments; only <init> and <clinit> have it",
		     *ps->p);
		return NULL;
	}
	return word;
}

static bool has_two_stars(const char *begin, const char *end)
{
	const char *stars = strstr(begin, "**");

	return stars && stars < end;
}

/* CLASS '.' METHOD; "**" may stand for the '.' too. */
static int parse_pattern(struct parser *ps)
{
	const char *begin, *method, *end, *slash;

	begin = ps->p;
	method = parse_words(ps);
	if (!method)
		return -EINVAL;
	end = ps->p;
	skip_space(ps);
	if (*ps->p && *ps->p != '(' && *ps->p != '@')
		return fail_word(ps, "a name");
	if (begin == end)
		return fail(ps, begin, "empty: write CLASS.METHOD");
	if (method == end)
		return fail(ps, end, "empty method name: write CLASS.METHOD");
	if (begin == method && !has_two_stars(begin, end))
		return fail(ps, end, "no method: write CLASS.METHOD");
	slash = memchr(method, '/', (size_t)(end - method));
	return slash ? fail(ps, slash, "'/' in a method name: write '.' before the method") : 0;
}

/* [ "static" ] and the blanks behind it. */
static void parse_static(struct parser *ps)
{
	static const char word[] = "static";
	size_t len = strlen(word);

	skip_space(ps);
	if (strncmp(ps->p, word, len) || !is_space(ps->p[len]))
		return;
	ps->spec->is_static = true;
	ps->p += len;
	skip_space(ps);
}

/* "..." behind a type, for its last dimension. */
static bool at_varargs(const struct parser *ps)
{
	return !strncmp(ps->p, "...", 3);
}

static bool is_result(const struct parser *ps)
{
	return ps->ends == in_result;
}

static int fail_type(struct parser *ps)
{
	if (*ps->p == '*' && is_result(ps))
		return fail(ps, ps->p, "'*' in a type: leave out the result for any");
	if (*ps->p == '*')
		return fail(ps, ps->p, "'*' in a type: (..) stands for any parameters");
	if (*ps->p == '<')
		return fail(ps, ps->p,
			    "compiled methods know no type arguments: write the class alone");
	if (*ps->p == ':')
		return fail(ps, ps->p, "':' in a type: leave out (FILE:LINE) of a stack trace");
	return fail_character(ps, "a type");
}

/* A type's name, without dimensions. */
static int parse_type_name(struct parser *ps, char **ret)
{
	const char *begin = ps->p, *word = begin;
	char *to = *ret = calloc(1, strlen(begin) + 1);
	int err = to ? 0 : -ENOMEM;

	while (!err && (is_name(*ps->p) || *ps->p == '\\' || (*ps->p == '.' && !at_varargs(ps)))) {
		if (*ps->p == '\\') {
			err = take_escape(ps, false, &to);
			continue;
		}
		if (*ps->p == '.' && ps->p == begin && ps->p[1] == '.')
			return fail(ps, begin, "'..' stands alone in a parameter list");
		if (*ps->p == '.' && ps->p == word)
			return fail(ps, word, "empty name before '.'");
		if (*ps->p == '.')
			word = ps->p + 1;
		*to++ = *ps->p++;
	}
	if (err)
		return err;
	if (ps->p == begin && (!*ps->p || strchr(ps->ends, *ps->p)))
		return fail(ps, begin, "empty %s", is_result(ps) ? "result" : "parameter type");
	if (*ps->p && !is_space(*ps->p) && !strchr(ps->ends, *ps->p))
		return fail_type(ps);
	if (ps->p == word)
		return fail(ps, word, "empty name after '.'");
	if (!is_result(ps) && ps->p - begin == 4 && !memcmp(begin, "void", 4))
		return fail(ps, begin, "void is no parameter type: () is no parameters");
	return 0;
}

/* "[]" any number of times, then perhaps "..." */
static int parse_dims(struct parser *ps, uint16_t *ret)
{
	const char *at;
	uint16_t dims = 0;

	for (skip_space(ps); *ps->p == '[' || at_varargs(ps); skip_space(ps)) {
		at = ps->p;
		if (++dims > DIMS_MAX)
			return fail(ps, at, "more than %d array dimensions: no type has so many",
				    DIMS_MAX);
		if (*at == '.' && is_result(ps))
			return fail(ps, at, "'...' behind a result: write []");
		if (*at == '.') {
			ps->p += 3;
			skip_space(ps);
			if (*ps->p == ',' || *ps->p == '[')
				return fail(ps, at,
					    "'...' before the end of the parameter list: write []");
			break;
		}
		ps->p++;
		skip_space(ps);
		if (*ps->p++ != ']')
			return fail(ps, at, "'[' without ']': write []");
	}
	*ret = dims;
	return 0;
}

static int parse_type(struct parser *ps, struct spec_type *ret)
{
	int err = parse_type_name(ps, &ret->name);

	if (!err)
		err = parse_dims(ps, &ret->dims);
	if (!err && *ps->p && (*ps->p == '.' || !strchr(ps->ends, *ps->p)))
		return fail_word(ps, "a type");
	return err;
}

static int parse_param(struct parser *ps)
{
	struct spec *s = ps->spec;

	if (s->nparams == JTYPE_PARAMS_MAX)
		return fail(ps, ps->p, "more than %d parameters: no method has so many",
			    JTYPE_PARAMS_MAX);
	return parse_type(ps, &s->params[s->nparams++]);
}

/* TYPE { ',' TYPE } */
static int parse_types(struct parser *ps)
{
	for (;;) {
		int err = parse_param(ps);

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

/* [ RESULT ] */
static int parse_result(struct parser *ps)
{
	struct spec_type *ret = &ps->spec->ret;
	const char *begin = ps->p;
	int err;

	if (!*begin || *begin == '@')
		return 0;
	ps->ends = in_result;
	err = parse_type(ps, ret);
	if (!err && ret->dims && !strcmp(ret->name, "void"))
		return fail(ps, begin, "void has no arrays: write void");
	return err;
}

/* [ '(' PARAMS ')' [ RESULT ] ] */
static int parse_signature(struct parser *ps)
{
	const char *open = ps->p;
	int err = 0;

	if (*open != '(') {
		ps->spec->any_params = true;
		return 0;
	}
	ps->ends = in_params;
	ps->p++;
	skip_space(ps);
	if (!strncmp(ps->p, "..", 2) && !at_varargs(ps))
		err = parse_any(ps);
	else if (*ps->p && *ps->p != ')')
		err = parse_types(ps);
	if (err)
		return err;
	if (*ps->p != ')')
		return fail(ps, open, "'(' without ')': close the parameter list");
	ps->p++;
	skip_space(ps);
	return parse_result(ps);
}

/* [ '@' ENTRY ] and nothing behind. */
static int parse_entry(struct parser *ps)
{
	const char *at, *end;
	size_t len;

	if (!*ps->p)
		return 0;
	ps->p++;
	skip_space(ps);
	at = ps->p;
	if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
		ps->p += 2;
	len = strspn(ps->p, "0123456789abcdefABCDEF");
	end = ps->p + len;
	if (!len)
		return fail(ps, ps->p, "no address behind '@': write it as in @0x7f6c1c0");
	errno = 0;
	ps->spec->entry = strtoull(ps->p, NULL, 16);
	if (errno || !ps->spec->entry)
		return fail(ps, at, "no address of a method: see `hotprobe methods`");
	ps->p = end;
	skip_space(ps);
	return *ps->p ? fail(ps, ps->p, "text behind the address: leave it out") : 0;
}

static int parse_all(struct parser *ps)
{
	int err;

	parse_static(ps);
	err = parse_pattern(ps);
	if (!err)
		err = parse_signature(ps);
	return err ? err : parse_entry(ps);
}

int spec_parse(const char *text, struct spec **ret, struct fail *f)
{
	struct parser ps = {.text = text, .p = text, .fail = f};
	int err;

	if (strnlen(text, SPEC_LEN_MAX + 1) > SPEC_LEN_MAX)
		return fail(&ps, text + SPEC_LEN_MAX, "longer than %d bytes: use '*'",
			    SPEC_LEN_MAX);
	ps.spec = calloc(1, sizeof(*ps.spec));
	if (!ps.spec)
		return -ENOMEM;
	ps.spec->text = strdup(text);
	ps.spec->pattern = calloc(1, strlen(text) + 1);
	err = ps.spec->text && ps.spec->pattern ? parse_all(&ps) : -ENOMEM;
	if (err)
		spec_free(ps.spec);
	else
		*ret = ps.spec;
	return err;
}

void spec_free(struct spec *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nparams; i++)
		free(s->params[i].name);
	free(s->ret.name);
	free(s->pattern);
	free(s->text);
	free(s);
}

const char *spec_text(const struct spec *s)
{
	return s->text;
}

const char *spec_pattern(const struct spec *s)
{
	return s->pattern;
}

const char *spec_method_at(const struct spec *s)
{
	const char *dot = strrchr(s->pattern, '.');

	return dot && !strstr(dot, "**") ? dot + 1 : NULL;
}

bool spec_names_class(const struct spec *s, size_t *len)
{
	const char *method = spec_method_at(s);

	*len = method ? (size_t)(method - 1 - s->pattern) : 0;
	return method && !memchr(s->pattern, '*', *len) && !memchr(s->pattern, GLOB_ESCAPE, *len);
}

bool spec_is_static(const struct spec *s)
{
	return s->is_static;
}

uint64_t spec_entry(const struct spec *s)
{
	return s->entry;
}

const struct spec_type *spec_params(const struct spec *s, size_t *n_ret)
{
	*n_ret = s->nparams;
	return s->any_params ? NULL : s->params;
}

const struct spec_type *spec_result(const struct spec *s)
{
	return s->ret.name ? &s->ret : NULL;
}

/* --- matching --------------------------------------------------------------------------------- */

bool spec_match_class(const char *user, const char *klass, size_t len)
{
	size_t n = strlen(user);
	const char *tail;

	if (n > len)
		return false;
	tail = klass + len - n;
	if (n < len && ((tail[-1] != '/' && tail[-1] != '$') || memchr(tail, '/', n)))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool dot = user[i] == '.' && (tail[i] == '/' || tail[i] == '$');

		if (user[i] != tail[i] && !dot)
			return false;
	}
	return true;
}

static bool type_matches(const struct spec_type *want, const struct jsignature *sig,
			 const struct jtype *type)
{
	const char *at = sig->desc + type->off;
	size_t dims = strspn(at, "[");
	struct jtype element = {.tag = at[dims]};
	char primitive[16];

	if (dims != want->dims)
		return false;
	element.off = (uint16_t)(type->off + dims);
	element.len = (uint16_t)(type->len - dims);
	if (element.tag == 'L')
		return spec_match_class(want->name, at + dims + 1, element.len - 2u);
	jtype_name(sig, &element, primitive, sizeof(primitive));
	return !strcmp(want->name, primitive);
}

bool spec_match_descriptor(const struct spec *s, const char *desc)
{
	struct jsignature sig;

	if (s->any_params && !s->ret.name)
		return true;
	if (jsignature_parse(desc, &sig) || (!s->any_params && sig.nparams != s->nparams))
		return false;
	for (size_t i = 0; i < s->nparams; i++)
		if (!type_matches(&s->params[i], &sig, &sig.params[i]))
			return false;
	return !s->ret.name || type_matches(&s->ret, &sig, &sig.ret);
}

bool spec_match(const struct spec *s, const struct method *m)
{
	struct glob g;

	if (!glob_begin(&g, s->pattern) || !glob_feed(&g, m->klass) ||
	    !glob_feed(&g, *m->klass ? "." : "") || !glob_feed(&g, m->name) || !glob_end(&g))
		return false;
	return (!s->entry || s->entry == m->entry) && spec_match_descriptor(s, m->desc);
}
