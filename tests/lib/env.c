/* SPDX-License-Identifier: MIT */
#include "lib/env.h"

#include <ftw.h>
#include <glob.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/child.h"
#include "lib/cmocka_all.h"

#define JDKS_MAX 16
#define DIRS_MAX 256

static struct jdk jdks[JDKS_MAX];
static size_t jdk_count;
static bool jdks_searched;

static char *test_dirs[DIRS_MAX];
static size_t test_dir_count;

/* @name's value, or @relative seen from the folder of this test's program. Absolute, never freed.
 */
static char *env_path(const char *name, const char *relative)
{
	const char *set = getenv(name);
	char exe[PATH_MAX], path[2 * PATH_MAX], *ret;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n < 0)
		abort();
	exe[n] = 0;
	*strrchr(exe, '/') = 0;
	if (set && *set)
		snprintf(path, sizeof(path), "%s", set);
	else
		snprintf(path, sizeof(path), "%s/%s", exe, relative);
	ret = realpath(path, NULL);
	return ret ? ret : strdup(path);
}

const char *env_bin(void)
{
	static char *path;

	return path ? path : (path = env_path("HP_BIN", "../../hotprobe"));
}

const char *env_agent(void)
{
	static char *path;

	return path ? path : (path = env_path("HP_AGENT", "../../libhotprobe.so"));
}

const char *env_via(bool *bare)
{
	const char *via = getenv("HP_VIA");

	*bare = via && !strcmp(via, "bare");
	return *bare || (via && !strcmp(via, "agent")) ? "agent" : NULL;
}

const char *env_classes(void)
{
	static char *path;

	return path ? path : (path = env_path("HP_CLASSES", "../../classes"));
}

const char *env_jdks(void)
{
	static char *path;

	return path ? path : (path = env_path("HP_JDKS", "../../jdks"));
}

const char *env_apps(void)
{
	static char *path;

	return path ? path : (path = env_path("HP_APPS", "../../apps"));
}

const char *env_images(void)
{
	static char *path;

	return path ? path : (path = env_path("HP_IMAGES", "../../images"));
}

static void jdk_add(const char *name, int version, const char *pattern)
{
	struct jdk *j = &jdks[jdk_count];
	glob_t g;

	if (jdk_count == JDKS_MAX || glob(pattern, 0, NULL, &g))
		return;
	if (realpath(g.gl_pathv[0], j->java) && !access(j->java, X_OK)) {
		snprintf(j->name, sizeof(j->name), "%s", name);
		j->version = version;
		j->altered = strchr(name, '-') != NULL;
		jdk_count++;
	}
	globfree(&g);
}

/* Folders "jdkNN" and "jdkNN-what" of HP_JDKS. */
static void jdks_search_folder(void)
{
	_cleanup_free_ char *pattern = NULL;
	glob_t g;

	if (asprintf(&pattern, "%s/jdk[0-9]*", env_jdks()) < 0 || glob(pattern, 0, NULL, &g))
		return;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		const char *name = strrchr(g.gl_pathv[i], '/') + 1;
		int version = atoi(name + 3);
		char java[PATH_MAX];

		snprintf(java, sizeof(java), "%s/usr/lib/jvm/java-%d-*/bin/java", g.gl_pathv[i],
			 version);
		jdk_add(name, version, java);
	}
	globfree(&g);
}

size_t jdks_get(const struct jdk **ret)
{
	if (!jdks_searched) {
		jdk_add("jdk17", 17, "/usr/lib/jvm/java-17-openjdk-amd64/bin/java");
		jdks_search_folder();
		jdk_add("temurin25", 25, "/usr/lib/jvm/temurin-25-jdk-amd64/bin/java");
		jdks_searched = true;
	}
	*ret = jdks;
	return jdk_count;
}

const struct jdk *jdk_find(const char *name)
{
	const struct jdk *all;
	size_t n = jdks_get(&all);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(all[i].name, name))
			return &all[i];
	return NULL;
}

const struct jdk *jdk_or_skip(const char *name)
{
	const struct jdk *jdk = jdk_find(name);

	if (!jdk)
		test_skip("no %s: looked in %s (tests/tools/fetch-jdks gets it) and /usr/lib/jvm",
			  name, env_jdks());
	return jdk;
}

void test_skip(const char *fmt, ...)
{
	const char *ci = getenv("CI");
	char why[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (ci && !strcmp(ci, "true"))
		fail_msg("cannot run here, and CI=true: %s", why);
	print_message("SKIPPED: %s\n", why);
	skip();
}

void test_pass_over(const char *fmt, ...)
{
	char why[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	print_message("  passed over: %s\n", why);
}

void test_needs_root(void)
{
	if (geteuid())
		test_skip("needs root");
}

void test_needs_user_namespace(void)
{
	const pid_t pid = fork();
	int status = 1;

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) ? 1 : 0);
	if (waitpid(pid, &status, 0) != pid || status)
		test_skip("no new user namespace here: forbidden, or in a chroot (kernel "
			  "kernel/user_namespace.c, create_user_ns())");
}

char *test_dir(void)
{
	char path[] = "/tmp/hp-test-XXXXXX";

	if (test_dir_count == DIRS_MAX || !mkdtemp(path) || chmod(path, 0755))
		abort();
	test_dirs[test_dir_count++] = strdup(path);
	return strdup(path);
}

static int remove_one(const char *path, const struct stat *st _unused_, int flag _unused_,
		      struct FTW *ftw _unused_)
{
	remove(path);
	return 0;
}

int test_setup(void **state _unused_)
{
	return 0;
}

int test_cleanup(void **state _unused_)
{
	children_reap();
	while (test_dir_count) {
		char *dir = test_dirs[--test_dir_count];

		if (!getenv("HP_KEEP"))
			nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		free(dir);
	}
	return 0;
}
