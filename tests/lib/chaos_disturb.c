/* SPDX-License-Identifier: MIT */
#include "lib/chaos_disturb.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "lib/chaos.h"
#include "lib/cmocka_all.h"
#include "proc/threads.h"

#define BEGIN_MAX_MS 500
#define LAST_MAX_MS  900
/* A tracer lets go of all threads within this. */
#define TOOL_MS 30000

/* Where the kernel's controllers are: of cgroup v2, and of v1 where that is mounted. */
static const char *const freezers[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
static const char *const quotas[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/cpu"};

static char *freezer, *quota; /* folders of our own; NULL: none to be had */
static bool quota_v2;

struct chaos_disturb {
	struct chaos_target *t;
	const struct kind *kind;
	uint64_t begin_ms, end_ms;
	bool begun, over;
	struct child *tool;
	pid_t pid;
};

/* --- cgroups ---------------------------------------------------------------------------------- */

static bool write_file(const char *dir, const char *file, const char *text)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;

	assert_true(asprintf(&path, "%s/%s", dir, file) > 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static bool has_file(const char *dir, const char *file)
{
	_cleanup_free_ char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", dir, file) > 0);
	return !access(path, W_OK);
}

static char *make_group(const char *root, const char *file)
{
	char *dir;

	assert_true(asprintf(&dir, "%s/hp-chaos-%d", root, getpid()) > 0);
	if (!mkdir(dir, 0755) && has_file(dir, file))
		return dir;
	rmdir(dir);
	free(dir);
	return NULL;
}

void chaos_disturb_init(void)
{
	for (size_t i = 0; !freezer && i < ARRAY_SIZE(freezers); i++)
		freezer = make_group(freezers[i], "cgroup.freeze");
	for (size_t i = 0; !quota && i < ARRAY_SIZE(quotas); i++) {
		quota = make_group(quotas[i], "cpu.cfs_quota_us");
		if (!quota && (quota = make_group(quotas[i], "cpu.max")))
			quota_v2 = true;
	}
}

static void remove_group(char **dir)
{
	if (*dir)
		rmdir(*dir);
	free(*dir);
	*dir = NULL;
}

void chaos_disturb_fini(void)
{
	remove_group(&freezer);
	remove_group(&quota);
}

static bool move_to(const char *dir, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return write_file(dir, "cgroup.procs", text);
}

static void move_back(const char *dir, pid_t pid)
{
	_cleanup_free_ char *root = strndup(dir, (size_t)(strrchr(dir, '/') - dir));

	move_to(root, pid);
}

/* --- kinds ------------------------------------------------------------------------------------ */

static bool stop_begin(struct chaos_disturb *d)
{
	return !kill(d->pid, SIGSTOP);
}

static void stop_end(struct chaos_disturb *d)
{
	kill(d->pid, SIGCONT);
}

static bool freeze_begin(struct chaos_disturb *d)
{
	return freezer && move_to(freezer, d->pid) && write_file(freezer, "cgroup.freeze", "1");
}

static void freeze_end(struct chaos_disturb *d)
{
	write_file(freezer, "cgroup.freeze", "0");
	move_back(freezer, d->pid);
}

/* A fiftieth of a CPU. */
static bool quota_begin(struct chaos_disturb *d)
{
	return quota &&
	       write_file(quota, quota_v2 ? "cpu.max" : "cpu.cfs_quota_us",
			  quota_v2 ? "2000 100000" : "2000") &&
	       move_to(quota, d->pid);
}

static void quota_end(struct chaos_disturb *d)
{
	move_back(quota, d->pid);
}

static bool tool_begin(struct chaos_disturb *d, const char *const *before)
{
	const char *argv[16];
	char pid[16];
	size_t n = 0;

	for (; *before; before++)
		argv[n++] = *before;
	snprintf(pid, sizeof(pid), "%d", d->pid);
	argv[n++] = "-p";
	argv[n++] = pid;
	argv[n] = NULL;
	d->tool = child_start(argv, NULL);
	return true;
}

static bool strace_begin(struct chaos_disturb *d)
{
	return tool_begin(d, (const char *const[]){"strace", "-f", "-q", "-e", "trace=futex", "-o",
						   "/dev/null", NULL});
}

/* It ends by itself: one that is told to while it attaches leaves its SIGSTOP behind. */
static bool gdb_begin(struct chaos_disturb *d)
{
	return tool_begin(d, (const char *const[]){"gdb", "-q", "-nx", "-batch", "-iex",
						   "set auto-solib-add off", "-ex",
						   "shell sleep 0.5", NULL});
}

/* In what state are the tool and the threads that it has? "S 12, t 3". */
static void say_states(const struct chaos_disturb *d)
{
	_cleanup_free_ pid_t *tids = NULL;
	struct thread_status st = {0};
	unsigned int n_of[128] = {0};
	size_t n = 0;

	if (!thread_read_status(child_pid(d->tool), child_pid(d->tool), &st))
		chaos_say("the other tracer: %c", st.state);
	if (threads_list(d->pid, &tids, &n))
		return;
	for (size_t i = 0; i < n; i++)
		if (!thread_read_status(d->pid, tids[i], &st) && st.tracer)
			n_of[st.state & 127]++;
	for (int c = 0; c < 128; c++)
		if (n_of[c])
			chaos_say("threads with a tracer in state %c: %u", c, n_of[c]);
}

/*
 * strace has been seen to hang at its end, once in some thousand. The kernel lets go of its threads
 * when it is killed.
 */
static void await_tool(struct chaos_disturb *d)
{
	if (child_wait(d->tool, TOOL_MS) != CHILD_TIMEOUT)
		return;
	say_states(d);
	child_signal(d->tool, SIGKILL);
	if (child_wait(d->tool, JVM_TIMEOUT_MS) == CHILD_TIMEOUT)
		fail_msg("the other tracer does not let go");
	chaos_say("the other tracer had to be killed");
}

static void strace_end(struct chaos_disturb *d)
{
	child_signal(d->tool, SIGTERM);
	await_tool(d);
}

static bool kill_begin(struct chaos_disturb *d)
{
	return !kill(d->pid, SIGKILL);
}

static bool term_begin(struct chaos_disturb *d)
{
	return !kill(d->pid, SIGTERM);
}

static void no_end(struct chaos_disturb *d _unused_)
{
}

static const struct kind {
	const char *name;
	int weight;
	bool (*begin)(struct chaos_disturb *d);
	void (*end)(struct chaos_disturb *d);
	bool ends;
} kinds[] = {
	{"SIGSTOP, SIGCONT", 4, stop_begin, stop_end, false},
	{"frozen", 3, freeze_begin, freeze_end, false},
	{"a fiftieth of a CPU", 2, quota_begin, quota_end, false},
	{"strace", 3, strace_begin, strace_end, false},
	{"gdb", 1, gdb_begin, await_tool, false},
	{"SIGKILL", 1, kill_begin, no_end, true},
	{"SIGTERM", 1, term_begin, no_end, true},
};

static const struct kind *choose(void)
{
	int sum = 0, at;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		sum += kinds[i].weight;
	at = chaos_random_below(sum);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		at -= kinds[i].weight;
		if (at < 0)
			return &kinds[i];
	}
	return NULL;
}

struct chaos_disturb *chaos_disturb_new(struct chaos_target *t)
{
	struct chaos_disturb *d;

	if (!chaos_random_in(4))
		return NULL;
	d = calloc(1, sizeof(*d));
	if (!d)
		abort();
	d->t = t;
	d->pid = t->j.pid;
	d->kind = choose();
	d->begin_ms = mono_ms() + (uint64_t)chaos_random_below(BEGIN_MAX_MS);
	d->end_ms = d->begin_ms + (uint64_t)chaos_random_below(LAST_MAX_MS);
	return d;
}

bool chaos_disturb_tick(struct chaos_disturb *d)
{
	uint64_t now = mono_ms();

	if (!d->begun && now >= d->begin_ms) {
		chaos_say("the target: %s", d->kind->name);
		d->begun = d->kind->begin(d);
		d->over = !d->begun;
	}
	if (d->begun && !d->over && now >= d->end_ms) {
		d->kind->end(d);
		d->over = true;
		chaos_say("the target: no longer %s", d->kind->name);
	}
	return !d->over;
}

bool chaos_disturb_ends(const struct chaos_disturb *d)
{
	return d->begun && d->kind->ends;
}

const char *chaos_disturb_name(const struct chaos_disturb *d)
{
	return d->kind->name;
}

void chaos_disturb_free(struct chaos_disturb *d)
{
	if (!d)
		return;
	if (d->begun && !d->over)
		d->kind->end(d);
	child_free(d->tool);
	free(d);
}
