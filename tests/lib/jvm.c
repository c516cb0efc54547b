/* SPDX-License-Identifier: MIT */
#include "lib/jvm.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/uio.h>
#include <time.h>

#include "lib/cmocka_all.h"

#define ARGV_MAX 64

static void argv_add(const char **argv, size_t *n, const char *const *more)
{
	for (; more && *more; more++) {
		assert_true(*n < ARGV_MAX - 1);
		argv[(*n)++] = *more;
	}
	argv[*n] = NULL;
}

void jvm_start_with(struct jvm *j, const struct jdk *jdk, const char *const *prefix,
		    const char *const *flags, const char *const *argv)
{
	_cleanup_free_ char *rec = NULL, *agent = NULL;
	const char *all[ARGV_MAX];
	size_t n = 0;
	bool bare;

	*j = (struct jvm){.jdk = jdk, .dir = test_dir()};
	assert_true(asprintf(&j->rec, "%s/rec", j->dir) > 0);
	assert_true(asprintf(&rec, "-Drec=%s", j->rec) > 0);
	argv_add(all, &n, prefix);
	argv_add(all, &n, (const char *const[]){jdk->java, NULL});
	if (env_via(&bare)) {
		assert_true(asprintf(&agent, "-agentpath:%s=quiet", env_agent()) > 0);
		argv_add(all, &n, (const char *const[]){agent, NULL});
	}
	argv_add(all, &n, flags);
	argv_add(all, &n, (const char *const[]){rec, "-cp", env_classes(), NULL});
	argv_add(all, &n, argv);
	j->c = child_start(all, &(struct child_opts){.cwd = j->dir});
	j->pid = child_pid(j->c);
}

void jvm_start(struct jvm *j, const struct jdk *jdk, const char *const *flags,
	       const char *const *argv)
{
	jvm_start_with(j, jdk, NULL, flags, argv);
}

/* The first lines of the JVM's crash report, or NULL. */
static char *hs_err_head(struct jvm *j)
{
	_cleanup_free_ char *pattern = NULL;
	char text[4096];
	size_t len = 0;
	glob_t g;
	FILE *f;

	if (asprintf(&pattern, "%s/hs_err*", j->dir) < 0 || glob(pattern, 0, NULL, &g))
		return NULL;
	f = fopen(g.gl_pathv[0], "re");
	if (f) {
		len = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
	}
	text[len] = 0;
	globfree(&g);
	return strdup(text);
}

void jvm_fail(struct jvm *j, const char *fmt, ...)
{
	_cleanup_free_ char *err = j->c ? child_errors(j->c) : strdup(""), *head = hs_err_head(j);
	char why[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	print_error("%s (%s, PID %d%s)\n", why, j->jdk ? j->jdk->name : "not ours", j->pid,
		    j->c && !child_running(j->c) ? ", ended" : "");
	if (*err)
		print_error("its stderr: %.4000s\n", err);
	if (head)
		print_error("its hs_err: %s\n", head);
	fail();
}

char *jvm_expect(struct jvm *j, const char *word)
{
	uint64_t until = mono_ms() + JVM_TIMEOUT_MS;
	size_t n = strlen(word);

	while (mono_ms() < until) {
		_cleanup_free_ char *line = child_line(j->c, (int)(until - mono_ms()));

		if (!line)
			break;
		if (!strncmp(line, word, n) && (!line[n] || line[n] == ' '))
			return strdup(line[n] ? line + n + 1 : "");
	}
	jvm_fail(j, "the JVM did not say %s", word);
	return NULL;
}

long jvm_ready(struct jvm *j)
{
	_cleanup_free_ char *rest = jvm_expect(j, "READY");

	return atol(rest);
}

static char *ask(struct jvm *j, const char *fmt, va_list ap)
{
	char line[1024];

	vsnprintf(line, sizeof(line), fmt, ap);
	if (child_send(j->c, line))
		jvm_fail(j, "cannot send '%s'", line);
	return jvm_expect(j, "DONE");
}

char *jvm_ask(struct jvm *j, const char *fmt, ...)
{
	va_list ap;
	char *ret;

	va_start(ap, fmt);
	ret = ask(j, fmt, ap);
	va_end(ap);
	return ret;
}

long jvm_do(struct jvm *j, const char *fmt, ...)
{
	va_list ap;
	char *text;
	long ret;

	va_start(ap, fmt);
	text = ask(j, fmt, ap);
	va_end(ap);
	ret = atol(text);
	free(text);
	return ret;
}

void jvm_check_unhurt(struct jvm *j)
{
	_cleanup_free_ char *head = hs_err_head(j);

	if (head || !child_running(j->c))
		jvm_fail(j, "the JVM was hurt");
}

void jvm_quit(struct jvm *j)
{
	int status;

	child_close_stdin(j->c);
	status = child_wait(j->c, JVM_TIMEOUT_MS);
	if (status)
		jvm_fail(j, "the JVM ended with status %d", status);
	jvm_free(j);
}

void jvm_free(struct jvm *j)
{
	child_free(j->c);
	free(j->dir);
	free(j->rec);
	*j = (struct jvm){0};
}

int jvm_read(struct jvm *j, uint64_t addr, void *buf, size_t len)
{
	char path[64];
	ssize_t n;
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/mem", j->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = pread(fd, buf, len, (off_t)addr);
	err = errno;
	close(fd);
	return n == (ssize_t)len ? 0 : n < 0 ? -err : -EFAULT;
}

bool jvm_maps_has(struct jvm *j, const char *text)
{
	char path[64], line[8192];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", j->pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, text) != NULL;
	fclose(f);
	return found;
}

bool jvm_fds_have(struct jvm *j, const char *text)
{
	char path[64], link[PATH_MAX];
	bool found = false;
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", j->pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (!found && (d = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), d->d_name, link, sizeof(link) - 1);

		if (n < 0)
			continue;
		link[n] = 0;
		found = strstr(link, text) != NULL;
	}
	closedir(dir);
	return found;
}

size_t jvm_threads(struct jvm *j, pid_t *ret, size_t max)
{
	struct dirent *d;
	char path[64];
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", j->pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (n < max && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			ret[n++] = (pid_t)atoi(d->d_name);
	closedir(dir);
	return n;
}

pid_t jvm_other_thread(struct jvm *j)
{
	pid_t tids[2];

	if (jvm_threads(j, tids, ARRAY_SIZE(tids)) < ARRAY_SIZE(tids))
		jvm_fail(j, "it has no second thread");
	return tids[0] == j->pid ? tids[1] : tids[0];
}

/* 'T' in field 3 of its stat, which comes behind the last parenthesis. */
static bool is_stopped(pid_t pid, pid_t tid)
{
	char path[64], text[512] = "", *p;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	f = fopen(path, "re");
	if (!f) /* it has ended */
		return true;
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	p = strrchr(text, ')');
	return !p || !strncmp(p, ") T", 3);
}

void jvm_stop(struct jvm *j)
{
	uint64_t until = mono_ms() + JVM_TIMEOUT_MS;
	pid_t tids[256];
	size_t n;

	assert_int_equal(kill(j->pid, SIGSTOP), 0);
	n = jvm_threads(j, tids, ARRAY_SIZE(tids));
	for (size_t i = 0; i < n; i++)
		while (!is_stopped(j->pid, tids[i])) {
			if (mono_ms() > until)
				jvm_fail(j, "thread %d does not stop", tids[i]);
			pause_ms(1);
		}
}

uint64_t mono_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void pause_ms(int ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&t, NULL);
}
