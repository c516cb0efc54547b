/* SPDX-License-Identifier: MIT */
#include "lib/chaos_target.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/uio.h>

#include "lib/chaos_value.h"
#include "lib/cmocka_all.h"
#include "lib/exact.h"
#include "lib/image_run.h"
#include "lib/image_text.h"
#include "lib/image_work.h"
#include "proc/maps.h"
#include "proc/threads.h"
#include "region/region_table.h"

#define SCRIPTS 3 /* that an image compiles in one go: some seconds */

/* --- start and end ---------------------------------------------------------------------------- */

static void image_begin(struct chaos_target *t)
{
	static const char *const small[] = {"-Xmx128m", NULL};

	t->j = (struct jvm){.c = compiler_start(t->path, NULL, small)};
	t->j.pid = child_pid(t->j.c);
	compiler_feed(t->j.c, t->script);
}

static void jvm_begin(struct chaos_target *t)
{
	const struct jdk *jdk = jdk_find(t->way->name);
	const char *all[16] = {"-Xmx96m", JVM_QUIET,
			       "-XX:CompileCommand=dontinline,prog.Chaos::call",
			       "-XX:CompileCommand=dontinline,prog.Chaos::instance"};
	_cleanup_free_ char *agent = NULL, *callers = NULL;
	size_t n = 4;

	for (size_t i = 0; i < ARRAY_SIZE(t->way->flags) && t->way->flags[i]; i++)
		all[n++] = t->way->flags[i];
	if (t->way->agent) {
		assert_true(asprintf(&agent, "-agentpath:%s=quiet", env_agent()) > 0);
		all[n++] = agent;
	}
	assert_true(asprintf(&callers, "%d", CHAOS_CALLERS) > 0);
	jvm_start(&t->j, jdk, all, (const char *const[]){"prog.Chaos", callers, NULL});
	jvm_ready(&t->j);
}

void chaos_target_start(struct chaos_target *t, const struct chaos_way *w)
{
	*t = (struct chaos_target){.way = w};
	if (!w->image) {
		jvm_begin(t);
		return;
	}
	image_new_cache();
	t->path = image_copy(w->name);
	t->script = compiler_script(SCRIPTS);
	t->want = compiler_expected(t->path, t->script);
	image_begin(t);
}

bool chaos_target_ended(struct chaos_target *t)
{
	if (!t->way->image || child_running(t->j.c))
		return false;
	compiler_check(t->j.c, t->want);
	image_begin(t);
	return true;
}

void chaos_target_stop(struct chaos_target *t)
{
	char *answer;

	if (t->way->image) {
		compiler_check(take_ptr(t->j.c), t->want);
	} else {
		answer = jvm_ask(&t->j, "stop");
		if (strncmp(answer, "0 errors", 8))
			jvm_fail(&t->j, "results went wrong: %s", answer);
		free(answer);
		jvm_check_unhurt(&t->j);
		jvm_quit(&t->j);
	}
	chaos_target_free(t);
}

void chaos_target_free(struct chaos_target *t)
{
	jvm_free(&t->j);
	free(t->path);
	free(t->script);
	free(t->want);
	free(t->words.v);
	*t = (struct chaos_target){0};
}

uint64_t chaos_target_calls(struct chaos_target *t)
{
	char *answer, *p;
	uint64_t sum = 0;

	if (t->way->image)
		return UINT64_MAX;
	answer = jvm_ask(&t->j, "status");
	if (strncmp(answer, "0 errors", 8))
		jvm_fail(&t->j, "results went wrong: %s", answer);
	for (p = answer + 8; *p;)
		sum += strtoull(p, &p, 10);
	free(answer);
	return sum;
}

/* --- what is diverted ------------------------------------------------------------------------- */

static bool word_is(pid_t pid, uint64_t addr, uint64_t want)
{
	uint64_t now;
	struct iovec here = {.iov_base = &now, .iov_len = sizeof(now)},
		     there = {.iov_base = (void *)(uintptr_t)addr, .iov_len = sizeof(now)};

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == sizeof(now) && now == want;
}

static int table_diverted(pid_t pid, uint64_t addr)
{
	static struct region_slot slots[REGION_SLOTS];
	struct iovec here = {.iov_base = slots, .iov_len = sizeof(slots)},
		     there = {.iov_base = (void *)(uintptr_t)(addr +
							      offsetof(struct region_table, slot)),
			      .iov_len = sizeof(slots)};
	int n = 0;

	if (process_vm_readv(pid, &here, 1, &there, 1, 0) != sizeof(slots))
		return 0;
	for (size_t i = 0; i < REGION_SLOTS; i++)
		n += slots[i].addr && word_is(pid, slots[i].addr, slots[i].divert);
	return n;
}

int chaos_target_diverted(const struct chaos_target *t)
{
	_cleanup_maps_ struct maps m = {0};
	int n = -1;

	if (maps_read(t->j.pid, &m))
		return -1;
	for (size_t i = 0; i < m.n; i++) {
		const struct map_entry *e = &m.entries[i];

		if (strncmp(e->path, "/memfd:hotprobe", 15))
			continue;
		n = MAX(n, 0);
		if (e->write && e->shared)
			n += table_diverted(t->j.pid, e->start);
	}
	return n;
}

/* --- what is left ----------------------------------------------------------------------------- */

static const char *threads_left(pid_t pid)
{
	_cleanup_free_ pid_t *tids = NULL;
	const char *what = NULL;
	size_t n = 0;

	if (threads_list(pid, &tids, &n))
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct thread_status s;

		if (thread_read_status(pid, tids[i], &s))
			continue;
		if (s.tracer)
			what = "a thread has a tracer";
		else if (s.state == 'T' || s.state == 't')
			what = "a thread is stopped";
	}
	return what;
}

/* HotSpot's sign that somebody wants to attach, who takes it away again. */
static bool attach_file_left(const struct jvm *j, bool take)
{
	char in_cwd[PATH_MAX], in_tmp[PATH_MAX];

	snprintf(in_cwd, sizeof(in_cwd), "/proc/%d/cwd/.attach_pid%d", j->pid, j->pid);
	snprintf(in_tmp, sizeof(in_tmp), "/tmp/.attach_pid%d", j->pid);
	if (take) {
		unlink(in_cwd);
		unlink(in_tmp);
	}
	return !access(in_cwd, F_OK) || !access(in_tmp, F_OK);
}

void chaos_target_take_sign(struct chaos_target *t)
{
	attach_file_left(&t->j, true);
}

static size_t fds_of(pid_t pid)
{
	char path[64];
	struct dirent *d;
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir)))
		n += d->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

/* The agent's own, and what HotSpot opens once. */
#define FDS_MORE 24

const char *chaos_target_left(struct chaos_target *t)
{
	size_t fds = fds_of(t->j.pid);

	if (jvm_maps_has(&t->j, "memfd:hotprobe"))
		return "a region is mapped";
	if (jvm_fds_have(&t->j, "memfd:hotprobe"))
		return "a region's descriptor is open";
	if (!t->fds)
		t->fds = fds;
	if (fds > t->fds + FDS_MORE)
		return "descriptors pile up";
	if (attach_file_left(&t->j, false))
		return "an .attach_pid file is left";
	return threads_left(t->j.pid);
}

/* --- code ------------------------------------------------------------------------------------- */

static int by_entry(const void *a, const void *b)
{
	const struct chaos_word *x = a, *y = b;

	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

static bool in_use(const json_t *o)
{
	return !strcmp(json_text(o, "state"), "in_use") && !json_is_true(json_object_get(o, "osr"));
}

static void words_take(struct chaos_target *t, struct chaos_words *ret)
{
	char pid[16];
	json_t *list, *o;
	size_t i;

	snprintf(pid, sizeof(pid), "%d", t->j.pid);
	list = hp_json((const char *const[]){"methods", "-p", pid, "--json", NULL}, 0);
	*ret = (struct chaos_words){.v = calloc(json_array_size(list) + 1, sizeof(*ret->v))};
	assert_non_null(ret->v);
	json_array_foreach (list, i, o) {
		struct chaos_word *w = &ret->v[ret->n];

		*w = (struct chaos_word){
			.entry = json_addr(o, "entry"),
			.compile_id = json_integer_value(json_object_get(o, "compile_id")),
		};
		ret->n +=
			in_use(o) && !jvm_read(&t->j, w->entry & ~7ULL, &w->word, sizeof(w->word));
	}
	json_decref(list);
	qsort(ret->v, ret->n, sizeof(*ret->v), by_entry);
}

/* HotSpot jumps from a retired method to code of its own. */
static bool jumps_nowhere(const struct chaos_word *w, const struct maps *m)
{
	size_t at = w->entry & 7;
	const uint8_t *bytes = (const uint8_t *)&w->word;
	const struct map_entry *e;
	int32_t rel;

	if (at > 3 || bytes[at] != 0xe9)
		return false;
	memcpy(&rel, bytes + at + 1, sizeof(rel));
	e = maps_find(m, w->entry + 5 + (uint64_t)(int64_t)rel);
	return !e || !e->exec || !strncmp(e->path, "/memfd:", 7);
}

/* It must not end while it is looked at. Return: false if it has ended. */
static bool image_stop(struct chaos_target *t)
{
	struct thread_status s = {0};

	child_signal(t->j.c, SIGSTOP);
	while (child_running(t->j.c)) {
		if (!thread_read_status(t->j.pid, t->j.pid, &s) && s.state == 'T')
			return true;
		pause_ms(1);
	}
	return false;
}

void chaos_target_check_code(struct chaos_target *t)
{
	struct chaos_words now;
	_cleanup_maps_ struct maps m = {0};

	if (t->way->image) {
		if (image_stop(t))
			image_text_check_soon(t->j.pid);
		child_signal(t->j.c, SIGCONT);
		return;
	}
	words_take(t, &now);
	assert_int_equal(maps_read(t->j.pid, &m), 0);
	for (size_t i = 0; i < now.n; i++) {
		const struct chaos_word *w = &now.v[i], *was;

		if (jumps_nowhere(w, &m))
			jvm_fail(&t->j, "the method at %#llx begins with a jump to nowhere",
				 (unsigned long long)w->entry);
		was = bsearch(w, t->words.v, t->words.n, sizeof(*w), by_entry);
		/* Retired since it was listed? Then its beginning is HotSpot's own jump. */
		if (was && was->compile_id == w->compile_id && was->word != w->word &&
		    ((uint8_t *)&w->word)[w->entry & 7] != 0xe9)
			jvm_fail(&t->j, "the method at %#llx was %#llx, and is %#llx",
				 (unsigned long long)w->entry, (unsigned long long)was->word,
				 (unsigned long long)w->word);
	}
	free(t->words.v);
	t->words = now;
}
