// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): lines SPEC, class, method name, descriptor. A refusal must say where
 * and why; what is taken is held against the method, and against a slow matcher.
 */
#include "probe/glob.h"
#include "probe/spec.h"
#include "symmap/jtype.h"

#define SLOW_MAX 256 /* longest text for the slow matcher */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool promise)
{
	if (!promise)
		abort();
}

/* The next line, NUL-terminated in a block of its own; empty when there is none. */
static char *line(const char **at, const char *end)
{
	const char *from = *at, *nl = memchr(from, '\n', (size_t)(end - from));

	*at = nl ? nl + 1 : end;
	return strndup(from, (size_t)((nl ? nl : end) - from));
}

/* "**." that may stand for nothing: see glob.h. */
static bool may_be_none(const char *pattern, const char *at, size_t stars)
{
	return stars > 1 && at[stars] == '.' && (at == pattern || at[-1] == '.') &&
	       strchr(at + stars + 1, '.');
}

/* Table of which beginnings of the pattern match which beginnings of the text, row by row. */
static bool slow_match(const char *pattern, const char *text)
{
	bool row[SLOW_MAX + 1] = {true}, none[SLOW_MAX + 1] = {false};
	size_t n = strlen(text), stars;

	for (const char *p = pattern; *p; p += MAX(stars, (size_t)1)) {
		stars = strspn(p, "*");
		if (stars) {
			if (may_be_none(pattern, p, stars))
				memcpy(none, row, sizeof(none));
			for (size_t i = 0; i < n; i++)
				row[i + 1] |= row[i] && (stars > 1 || text[i] != '.');
			continue;
		}
		p += *p == GLOB_ESCAPE;
		if (!*p)
			return false;
		for (size_t i = n; i > 0; i--)
			row[i] = row[i - 1] && text[i - 1] == *p;
		row[0] = false;
		for (size_t i = 0; i <= n; i++) {
			row[i] |= none[i];
			none[i] = false;
		}
	}
	return row[n];
}

/* "bad SPEC '...': column N: why": the last "column" but for a hostile text behind it. */
static void check_refusal(const char *text, const struct fail *f)
{
	const char *at = f->text, *last = NULL;
	size_t column = 0;

	check(strlen(f->text) < sizeof(f->text) - 1);
	while ((at = strstr(at, "': column "))) {
		last = at;
		at++;
	}
	check(last && sscanf(last, "': column %zu: ", &column) == 1);
	check(column >= 1 && column <= strlen(text) + 1);
}

static void check_spec(const char *text, const char *klass, const char *name, const char *desc)
{
	const struct method m = {.klass = klass, .name = name, .desc = desc, .entry = 0x1000};
	struct fail f = {0};
	struct spec *s = NULL;
	struct jsignature sig;
	int r = spec_parse(text, &s, &f);

	if (r) {
		check(r == -EINVAL && !s);
		check_refusal(text, &f);
		return;
	}
	check(!strcmp(spec_text(s), text));
	if (spec_match(s, &m) && strchr(text, '(') && !strstr(text, ".."))
		check(!jsignature_parse(desc, &sig));
	spec_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *at = (const char *)data, *end = at + len;
	_cleanup_free_ char *text = line(&at, end), *klass = line(&at, end);
	_cleanup_free_ char *name = line(&at, end), *desc = line(&at, end);

	check_spec(text, klass, name, desc);
	if (strlen(klass) <= SLOW_MAX && strlen(text) <= SPEC_LEN_MAX)
		check(glob_match(text, klass) == slow_match(text, klass));
	return 0;
}
