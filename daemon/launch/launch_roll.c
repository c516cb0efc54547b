// SPDX-License-Identifier: MIT
/* launch_roll.c - which JVMs have come of a command. See launch_roll.h. */
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>

#include "launch/launch_door.h"
#include "launch/launch_roll.h"
#include "proc/entry.h"
#include "proc/threads.h"

/* Looks take one part in so many of the time: a larger one at first, when JVMs are started. */
#define SHARE_FIRST 20
#define SHARE_LATER 100
#define FIRST_NS    (5 * NSEC_PER_SEC)
#define GAP_MIN_NS  (25 * NSEC_PER_MSEC)
#define GAP_MAX_NS  (2 * NSEC_PER_SEC)

/* A process that is no JVM is looked into again after half of the time that it has been so. */
#define AGAIN_MAX_NS NSEC_PER_SEC

/* JVMs that do not show when they have begun. */
#define GRACE_NS (10 * NSEC_PER_SEC)

/* Before the one that we look for HotSpot starts only such as collect garbage. */
#define FIRST_THREADS 1024

#define ENVIRON_MAX (2u << 20)
#define PATH_SIZE   512

enum state {
	OTHER,	  /* no JVM, so far */
	STARTING, /* a JVM that may still say hello */
	LATE,	  /* one that would have done so by the last look */
	SETTLED,  /* has said hello, or was told of */
};

struct launch_entry {
	pid_t pid;
	uint64_t start_time;
	enum state state;
	enum jvm_kind kind;
	bool is_32bit;
	bool forked;		    /* looks like its parent, which may be a JVM */
	uint64_t since_ns, next_ns; /* in this state; to be looked into */
	uint64_t exe;		    /* which program: a hash */
};

int launch_roll_init(struct launch_roll *r, pid_t command, const char *door)
{
	*r = (struct launch_roll){.door = door, .begin_ns = clock_ns()};
	return family_open(&r->family, command);
}

void launch_roll_fini(struct launch_roll *r)
{
	free(r->entries);
	r->entries = NULL;
	r->n = 0;
}

int launch_roll_timeout_ms(const struct launch_roll *r)
{
	uint64_t now_ns = clock_ns();

	return r->next_ns > now_ns ? (int)((r->next_ns - now_ns) / NSEC_PER_MSEC) + 1 : 0;
}

static int compare_entries(const void *a, const void *b)
{
	return ((const struct launch_entry *)a)->pid - ((const struct launch_entry *)b)->pid;
}

static struct launch_entry *find(const struct launch_roll *r, pid_t pid)
{
	struct launch_entry key = {.pid = pid};

	return r->n ? bsearch(&key, r->entries, r->n, sizeof(key), compare_entries) : NULL;
}

/* It may be faster than our looks. */
static void add_settled(struct launch_roll *r, pid_t pid)
{
	struct launch_entry e = {.pid = pid, .state = SETTLED}, *p;

	if (proc_start_time(pid, &e.start_time))
		return;
	p = reallocarray(r->entries, r->n + 1, sizeof(*p));
	if (!p)
		return;
	r->entries = p;
	p[r->n++] = e;
	qsort(p, r->n, sizeof(*p), compare_entries);
}

void launch_roll_arrived(struct launch_roll *r, pid_t pid)
{
	struct launch_entry *e = find(r, pid);

	if (e)
		e->state = SETTLED;
	else
		add_settled(r, pid);
}

/* --- why one does not arrive ------------------------------------------------------------------ */

/* Return: 1 its environment names our socket; 0 it does not; -errno. */
static int has_variable(pid_t pid, const char *name)
{
	_cleanup_close_ int fd = entry_open(pid, "environ", O_RDONLY);
	_cleanup_free_ char *text = fd < 0 ? NULL : malloc(ENVIRON_MAX);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	if (!text)
		return -ENOMEM;
	while (len < ENVIRON_MAX && (n = read(fd, text + len, ENVIRON_MAX - len)) > 0)
		len += (size_t)n;
	return memmem(text, len, name, strlen(name)) != NULL;
}

/* Did the kernel give it rights that whoever started it has not (ld.so(8), secure-execution)? */
static bool is_secure(pid_t pid)
{
	_cleanup_close_ int fd = entry_open(pid, "auxv", O_RDONLY);
	Elf64_auxv_t v[64];
	ssize_t n = fd < 0 ? 0 : read(fd, v, sizeof(v));

	for (ssize_t i = 0; i < n / (ssize_t)sizeof(*v); i++)
		if (v[i].a_type == AT_SECURE)
			return v[i].a_un.a_val;
	return false;
}

static const char *why_hotspot(const struct launch_roll *r, pid_t pid)
{
	int has = has_variable(pid, r->door);
	struct thread_status st;

	if (has == -EPERM || has == -EACCES)
		return "it is another user's, and did not reach us: run hotprobe as root";
	if (is_secure(pid))
		return "its program has privileges of its own (setuid, setcap), with which a JVM "
		       "ignores JAVA_TOOL_OPTIONS";
	if (!has)
		return "its environment lacks our JAVA_TOOL_OPTIONS, which has a JVM load the agent "
		       "(sudo, env -i and some scripts take it away)";
	if (entry_other_namespace(pid, "net"))
		return "it is in another network namespace, from where its agent cannot reach us";
	if (!thread_read_status(pid, pid, &st) && st.seccomp)
		return "its seccomp filter may not let its agent reach us";
	return "it has not loaded the agent, or its agent could not reach us";
}

static void explain(const struct launch_roll *r, const struct launch_entry *e, bool ended,
		    launch_roll_fn *fn, void *arg)
{
	char why[LAUNCH_WHY_MAX];

	ended = ended || entry_thread(e->pid) < 0; /* a zombie */
	if (e->kind == JVM_NATIVE_IMAGE)
		snprintf(
			why, sizeof(why),
			"it is a GraalVM native image, which loads no agent: use hotprobe trace -x "
			"with its file");
	else if (e->kind != JVM_HOTSPOT || e->is_32bit)
		snprintf(why, sizeof(why), "it is a %s %s JVM: only HotSpot on x86-64 is supported",
			 e->is_32bit ? "32-bit" : "64-bit", jvm_kind_name(e->kind));
	else if (ended)
		snprintf(why, sizeof(why),
			 "it ended before it had loaded the agent: what it printed may say why");
	else
		snprintf(why, sizeof(why), "%s: use hotprobe trace -p %d", why_hotspot(r, e->pid),
			 e->pid);
	fn(e->pid, why, arg);
}

/* --- a look at one ---------------------------------------------------------------------------- */

/* HotSpot loads agents before it starts this thread (share/runtime/threads.cpp: create_vm()). */
static bool has_vm_thread(pid_t pid)
{
	char path[64];
	struct dirent *d;
	bool found = false;
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && !found && n++ < FIRST_THREADS && (d = readdir(dir))) {
		char name[300], comm[32] = "";
		_cleanup_close_ int fd = -1;

		snprintf(name, sizeof(name), "%s/comm", d->d_name);
		fd = openat(dirfd(dir), name, O_RDONLY | O_CLOEXEC);
		found = fd >= 0 && read(fd, comm, sizeof(comm) - 1) > 0 &&
			!strcmp(comm, "VM Thread\n");
	}
	if (dir)
		closedir(dir);
	return found;
}

/* A JVM's child that is about to execute something has its mappings, but not its threads. */
static bool has_begun(const struct launch_entry *e, uint64_t now_ns)
{
	return (!e->forked && (e->kind == JVM_NATIVE_IMAGE || now_ns - e->since_ns > GRACE_NS)) ||
	       (e->kind == JVM_HOTSPOT && has_vm_thread(e->pid));
}

/* 0 when it cannot be seen. */
static uint64_t exe_hash(pid_t pid)
{
	char path[PATH_SIZE];
	ssize_t n = entry_readlink(pid, "exe", path, sizeof(path));
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (ssize_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)path[i]) * 1099511628211u;
	return n > 0 ? h : 0;
}

static void look_for_jvm(struct launch_entry *e, uint64_t now_ns)
{
	struct jvm_info info;

	if (now_ns < e->next_ns)
		return;
	e->next_ns = now_ns + MIN((now_ns - e->since_ns) / 2, AGAIN_MAX_NS);
	if (jvm_inspect(e->pid, &info))
		return;
	if (info.kind != JVM_NONE) {
		e->state = STARTING;
		e->since_ns = now_ns;
		e->kind = info.kind;
		e->is_32bit = info.is_32bit;
	}
	jvm_info_fini(&info);
}

/* Whoever executes another program is somebody else, of whom nothing is known. */
static void check_program(struct launch_entry *e, uint64_t now_ns)
{
	uint64_t exe = exe_hash(e->pid);

	if (!exe || exe == e->exe)
		return;
	e->exe = exe;
	e->since_ns = e->next_ns = now_ns;
	if (e->state == STARTING)
		e->state = OTHER;
}

static void look_at(struct launch_roll *r, struct launch_entry *e, uint64_t now_ns,
		    launch_roll_fn *fn, void *arg)
{
	if (e->state == LATE) {
		e->state = SETTLED;
		explain(r, e, false, fn, arg);
	}
	if (e->state == SETTLED)
		return;
	check_program(e, now_ns);
	if (e->state == OTHER)
		look_for_jvm(e, now_ns);
	if (e->state == STARTING && has_begun(e, now_ns))
		e->state = LATE;
}

/* --- a look at all ---------------------------------------------------------------------------- */

static void on_end(struct launch_roll *r, const struct launch_entry *e, launch_roll_fn *fn,
		   void *arg)
{
	if (e->state == LATE || (e->state == STARTING && !e->forked))
		explain(r, e, true, fn, arg);
}

/* Make the entries those of @kin; what was known of them stays. Who is not among them has ended. */
static int update(struct launch_roll *r, const struct kin *kin, size_t n, launch_roll_fn *fn,
		  void *arg)
{
	struct launch_entry *now = calloc(n + 1, sizeof(*now));
	size_t at = 0, k = 0;

	if (!now)
		return -ENOMEM;
	for (; k < n; k++) {
		const struct kin *x = &kin[k];

		now[k] = (struct launch_entry){.pid = x->pid, .start_time = x->st.start_time};
		for (; at < r->n && r->entries[at].pid <= x->pid; at++) {
			struct launch_entry *e = &r->entries[at];

			if (e->pid == x->pid && e->start_time == x->st.start_time)
				now[k] = *e;
			else
				on_end(r, e, fn, arg);
		}
		now[k].forked = x->st.forked;
	}
	for (; at < r->n; at++)
		on_end(r, &r->entries[at], fn, arg);
	free(r->entries);
	r->entries = now;
	r->n = n;
	return 0;
}

static void plan_next(struct launch_roll *r, uint64_t begin_ns)
{
	uint64_t now_ns = clock_ns();
	uint64_t share = now_ns - r->begin_ns < FIRST_NS ? SHARE_FIRST : SHARE_LATER;

	r->next_ns = now_ns + MIN(MAX((now_ns - begin_ns) * share, GAP_MIN_NS), GAP_MAX_NS);
}

void launch_roll_look(struct launch_roll *r, bool last, launch_roll_fn *fn, void *arg)
{
	uint64_t now_ns = clock_ns();
	_cleanup_free_ struct kin *kin = NULL;
	size_t n;

	if (!last && now_ns < r->next_ns)
		return;
	if (!family_list(&r->family, &kin, &n) && !update(r, kin, n, fn, arg)) {
		for (size_t i = 0; i < r->n; i++)
			look_at(r, &r->entries[i], now_ns, fn, arg);
		for (size_t i = 0; last && i < r->n; i++) {
			struct launch_entry *e = &r->entries[i];

			if (e->state != LATE && (e->state != STARTING || e->forked))
				continue;
			e->state = SETTLED;
			explain(r, e, false, fn, arg);
		}
	}
	plan_next(r, now_ns);
}
