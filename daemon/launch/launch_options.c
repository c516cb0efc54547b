// SPDX-License-Identifier: MIT
/* launch_options.c - the variable that makes JVMs load the agent. See launch_options.h. */
#include <ctype.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "launch/launch_options.h"

/* The dynamic linker reads "$ORIGIN" and "${ORIGIN}", and others of the kind may come. */
static bool has_token(const char *path)
{
	for (const char *p = strchr(path, '$'); p; p = strchr(p + 1, '$'))
		if (p[1] == '{' || isupper((unsigned char)p[1]))
			return true;
	return false;
}

static bool is_plain(const char *text)
{
	return !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  "/.,:=+-_@%")];
}

/* As in a shell, parts in different quotation marks make one word: a"'"b. */
static void put_quoted(struct buf *b, const char *text)
{
	char quote = '\0';

	for (const char *p = text; *p; p++) {
		char want = *p == '"' ? '\'' : *p == '\'' || !quote ? '"' : quote;

		if (quote && want != quote)
			buf_add(b, &quote, 1);
		if (want != quote)
			buf_add(b, &want, 1);
		quote = want;
		buf_add(b, p, 1);
	}
	if (quote)
		buf_add(b, &quote, 1);
}

int launch_options_check(const char *library, struct fail *f)
{
	static const char todo[] = "move or install hotprobe to a folder without it";

	if (strchr(library, '='))
		return fail_set(f, -EINVAL,
				"the agent's path %s holds a '=', at which a JVM ends it: %s",
				library, todo);
	if (has_token(library))
		return fail_set(
			f, -EINVAL,
			"the agent's path %s holds a '$', for which the dynamic linker puts "
			"another text: %s",
			library, todo);
	return 0;
}

int launch_options_make(const char *old, const char *library, const char *options, char **ret,
			struct fail *f)
{
	_cleanup_free_ char *word = NULL;
	_cleanup_buf_ struct buf all = {0};
	int err = launch_options_check(library, f);

	if (err)
		return err;
	if (asprintf(&word, "-agentpath:%s=%s", library, options) < 0)
		return fail_set(f, -ENOMEM, "out of memory");
	if (old && *old) {
		buf_str(&all, old);
		buf_str(&all, " ");
	}
	if (is_plain(word))
		buf_str(&all, word);
	else
		put_quoted(&all, word);
	buf_add(&all, "", 1);
	if (all.failed)
		return fail_set(f, -ENOMEM, "out of memory");
	*ret = take_ptr(all.data);
	return 0;
}

static bool is_readable(const char *path, mode_t need)
{
	struct stat st;

	return !stat(path, &st) && (st.st_mode & need) == need;
}

bool launch_options_readable(const char *library, char *ret)
{
	snprintf(ret, PATH_MAX, "%s", library);
	if (!is_readable(ret, S_IROTH))
		return false;
	for (char *slash = strrchr(ret, '/'); slash && slash != ret; slash = strrchr(ret, '/')) {
		*slash = '\0';
		if (!is_readable(ret, S_IXOTH))
			return false;
	}
	return true;
}
