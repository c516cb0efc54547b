// SPDX-License-Identifier: MIT
/*
 * jvm_main.c - what a java command line runs.
 *
 * Follows the launcher's own rules, because options that take a separate argument must be skipped
 * with it. Source: OpenJDK src/java.base/share/native/libjli/java.c (GetOpt, ParseArguments,
 * IsLauncherOption, IsModuleOption), the same from JDK 9 on.
 */
#include "proc/jvm.h"

/* A path takes at most 4096 bytes; nobody reads more of a class name. */
#define MAIN_MAX 4096

/* One argument: not NUL-terminated when the text was cut. */
struct arg {
	const char *p;
	size_t len;
};

static const char *const with_argument[] = {
	"-cp",
	"-classpath",
	"--class-path",
	"-d",
	"--source",
	"--describe-module",
	"-p",
	"--module-path",
	"--add-modules",
	"--limit-modules",
	"--upgrade-module-path",
	"--add-exports",
	"--add-opens",
	"--add-reads",
	"--patch-module",
	"--enable-native-access",
};

static bool next_arg(const char **p, const char *end, struct arg *ret)
{
	if (*p >= end)
		return false;
	ret->p = *p;
	ret->len = strnlen(*p, end - *p);
	*p += ret->len + 1;
	return true;
}

static bool arg_is(const struct arg *a, const char *s)
{
	return a->len == strlen(s) && !memcmp(a->p, s, a->len);
}

static bool arg_begins(const struct arg *a, const char *s)
{
	return a->len >= strlen(s) && !memcmp(a->p, s, strlen(s));
}

static bool takes_argument(const struct arg *a)
{
	for (size_t i = 0; i < ARRAY_SIZE(with_argument); i++)
		if (arg_is(a, with_argument[i]))
			return true;
	return false;
}

/* The launcher takes the next word as an option's argument unless that is an option itself. */
static bool next_value(const char **p, const char *end, struct arg *ret)
{
	if (*p < end && **p == '-')
		return false;
	return next_arg(p, end, ret);
}

static bool find_main(const char *p, const char *end, struct arg *ret)
{
	static const char module[] = "--module=";
	struct arg a, value;

	if (!next_arg(&p, end, &a)) /* the program itself */
		return false;
	while (next_arg(&p, end, &a)) {
		if (arg_is(&a, "-m") || arg_is(&a, "--module"))
			return next_value(&p, end, ret);
		if (arg_begins(&a, module)) {
			*ret = (struct arg){a.p + strlen(module), a.len - strlen(module)};
			return true;
		}
		if (!arg_begins(&a, "-")) { /* an argument file too */
			*ret = a;
			return true;
		}
		if (takes_argument(&a))
			next_value(&p, end, &value);
	}
	return false;
}

int jvm_main_class(const char *cmdline, size_t len, char **ret)
{
	struct arg a = {"", 0};

	find_main(cmdline, cmdline + len, &a);
	*ret = strndup(a.p, MIN(a.len, MAIN_MAX));
	return *ret ? 0 : -ENOMEM;
}
