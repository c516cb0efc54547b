/* SPDX-License-Identifier: MIT */
#include "lib/image_run.h"

#include <dirent.h>
#include <signal.h>

#include "lib/cmocka_all.h"

#define IMAGE_ARGV_MAX 32
#define IMAGE_MS       180000

const char *image_or_skip(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", env_images(), name);
	if (access(path, R_OK))
		test_skip("no native image %s: tests/tools/fetch-images could not get it", path);
	return path;
}

char *image_copy(const char *name)
{
	_cleanup_free_ char *dir = test_dir();
	char *path;
	struct child *c;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		abort();
	c = child_start((const char *[]){"cp", image_or_skip(name), path, NULL}, NULL);
	if (child_wait(c, IMAGE_MS))
		fail_msg("cannot copy %s to %s", name, path);
	child_free(c);
	return path;
}

void image_new_cache(void)
{
	_cleanup_free_ char *dir = test_dir();

	setenv("XDG_CACHE_HOME", dir, 1);
}

struct child *image_start(const char *path, const char *const args[])
{
	static const char *const env[] = {"LC_ALL=C.UTF-8", NULL};
	const char *argv[IMAGE_ARGV_MAX] = {path};
	size_t n = 1;

	for (; *args; args++) {
		assert_true(n < IMAGE_ARGV_MAX - 1);
		argv[n++] = *args;
	}
	return child_start(argv, &(struct child_opts){.env = env});
}

/* read(2) of descriptor 0. Source: proc_pid_syscall(5). */
static bool thread_reads_input(const char *dir, const char *tid)
{
	char path[PATH_MAX], text[8] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/syscall", dir, tid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(text, sizeof(text), f))
		*text = '\0';
	fclose(f);
	return !strncmp(text, "0 0x0 ", 6);
}

static bool reads_input(pid_t pid)
{
	bool found = false;
	struct dirent *d;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (d = readdir(dir)))
		found = thread_reads_input(path, d->d_name);
	closedir(dir);
	return found;
}

void image_await_input(struct child *c)
{
	uint64_t end = clock_ns() + IMAGE_MS * NSEC_PER_MSEC;

	while (!reads_input(child_pid(c))) {
		if (!child_running(c) || clock_ns() > end)
			hp_fail(c, "the image does not wait for input");
		usleep(5000);
	}
}

char *image_end(struct child *c, const char *input)
{
	_cleanup_free_ char *err = NULL;
	char *out;
	int status;

	if (input)
		child_send(c, input);
	child_close_stdin(c);
	status = child_wait(c, IMAGE_MS);
	err = child_errors(c);
	out = child_text(c);
	/* What a compiler that reads from its stdin says in any case. */
	if (status || (*err && (strncmp(err, "The compiler is waiting", 23) ||
				strcspn(err, "\n") + 1 < strlen(err))))
		fail_msg("the image ended with %d: '%.2000s'", status, err);
	child_free(c);
	return out;
}

struct child *image_trace(const char *path, pid_t pid, const char *const args[], json_t **attached)
{
	const char *argv[IMAGE_ARGV_MAX] = {"trace", "--json", "-x", path};
	char text[16];
	struct child *hp;
	size_t n = 4;
	json_t *o;

	for (; *args; args++) {
		assert_true(n < IMAGE_ARGV_MAX - 3);
		argv[n++] = *args;
	}
	snprintf(text, sizeof(text), "%d", pid);
	if (pid) {
		argv[n++] = "-p";
		argv[n++] = text;
	}
	argv[n] = NULL;
	hp = hp_start(argv);
	o = hp_attached(hp);
	if (attached)
		*attached = json_incref(o);
	json_decref(o);
	return hp;
}

uint64_t image_trace_end(struct child *hp, bool one_process, pid_t pid, json_t *events)
{
	json_t *all = json_array(), *last, *o;
	uint64_t hits;
	size_t i;

	last = hp_finish(hp, one_process ? 0 : SIGINT, one_process ? 3 : 0, all);
	json_array_foreach (all, i, o)
		if (events &&
		    (!strcmp(json_text(o, "event"), "entry") ||
		     !strcmp(json_text(o, "event"), "stat")) &&
		    (!pid || json_integer_value(json_object_get(o, "pid")) == pid))
			json_array_append(events, o);
	if (json_integer_value(json_object_get(last, "lost")) ||
	    (!one_process && !json_is_true(json_object_get(last, "restored"))))
		hp_fail(hp, "calls were lost, or not all was restored");
	hits = (uint64_t)json_integer_value(json_object_get(last, "hits"));
	json_decref(last);
	json_decref(all);
	child_free(hp);
	return hits;
}
