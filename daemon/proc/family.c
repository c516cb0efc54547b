// SPDX-License-Identifier: MIT
/* family.c - the processes that come of one. See family.h. */
#include <dirent.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "proc/family.h"

#define PIDS_MAX (4u << 20) /* PID_MAX_LIMIT of 64-bit kernels */

/* Parents that are looked at: more are a sign of a loop in what /proc said. */
#define DEPTH_MAX 256

/* A parent may end while we look: its children are somebody else's then. */
#define TRIES_MAX 4

int family_adopt(void)
{
	struct proc_stat st;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		return -errno;
	return proc_stat(getpid(), &st);
}

int family_open(struct family *f, pid_t command)
{
	struct proc_stat st;
	int err = proc_stat(command, &st);

	if (!err)
		*f = (struct family){.self = getpid(), .since = st.start_time};
	return err;
}

typedef int stat_fn(pid_t pid, struct proc_stat *ret, const void *arg);

static int stat_now(pid_t pid, struct proc_stat *ret, const void *arg _unused_)
{
	return proc_stat(pid, ret);
}

/*
 * Who is between @pid and @ancestor, nearest to that? A parent that is younger than its child is
 * another process, which has got the number since.
 * Return: 0; -ENOENT @pid does not come of it; -ESRCH somebody has ended meanwhile.
 */
static int child_between(pid_t pid, pid_t ancestor, stat_fn *fn, const void *arg, struct kin *ret)
{
	struct kin k = {.pid = pid}, parent;
	int err = fn(pid, &k.st, arg);

	for (int i = 0; i < DEPTH_MAX && !err; i++) {
		if (k.st.parent == ancestor) {
			*ret = k;
			return 0;
		}
		if (k.st.parent <= 1)
			return -ENOENT;
		parent.pid = k.st.parent;
		err = fn(parent.pid, &parent.st, arg);
		if (!err && parent.st.start_time > k.st.start_time)
			return -ESRCH;
		k = parent;
	}
	return err ? err : -ENOENT;
}

/* A child that runs our own program since it was forked does our work: an engine, a writer. */
static bool is_helper(const struct kin *child)
{
	struct stat ours, theirs;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/exe", child->pid);
	return child->st.forked && !stat("/proc/self/exe", &ours) && !stat(path, &theirs) &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static bool is_commands(const struct family *f, const struct kin *child)
{
	return child->st.start_time >= f->since && !is_helper(child);
}

static bool is_below(pid_t pid, pid_t ancestor, struct kin *ret)
{
	int err = -ESRCH;

	for (int i = 0; i < TRIES_MAX && err == -ESRCH; i++)
		err = child_between(pid, ancestor, stat_now, NULL, ret);
	return !err;
}

bool family_has(const struct family *f, pid_t pid)
{
	struct kin child;

	return pid > 1 && is_below(pid, f->self, &child) && is_commands(f, &child);
}

bool family_below(pid_t pid, pid_t ancestor)
{
	struct kin child;

	return pid > 1 && is_below(pid, ancestor, &child);
}

/* --- all of them ------------------------------------------------------------------------------ */

struct all {
	struct kin *kin;
	size_t n, cap;
};

static int all_add(struct all *a, pid_t pid)
{
	struct kin k = {.pid = pid};

	if (proc_stat(pid, &k.st))
		return 0;
	if (a->n == a->cap) {
		size_t cap = a->cap ? 2 * a->cap : 512;
		struct kin *p = reallocarray(a->kin, cap, sizeof(*p));

		if (!p)
			return -ENOMEM;
		a->kin = p;
		a->cap = cap;
	}
	a->kin[a->n++] = k;
	return 0;
}

static int all_read(struct all *a)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;
	int err = 0;

	if (!dir)
		return -errno;
	while (!err && a->n < PIDS_MAX && (d = readdir(dir)))
		if (*d->d_name >= '1' && *d->d_name <= '9')
			err = all_add(a, (pid_t)strtol(d->d_name, NULL, 10));
	closedir(dir);
	return err;
}

static int compare_kin(const void *a, const void *b)
{
	return ((const struct kin *)a)->pid - ((const struct kin *)b)->pid;
}

static int stat_then(pid_t pid, struct proc_stat *ret, const void *arg)
{
	const struct all *a = arg;
	struct kin key = {.pid = pid}, *k;

	k = bsearch(&key, a->kin, a->n, sizeof(*a->kin), compare_kin);
	if (!k)
		return -ESRCH;
	*ret = k->st;
	return 0;
}

/* Who was born or orphaned while we read is found the next time. */
int family_list(const struct family *f, struct kin **ret, size_t *n_ret)
{
	struct all a = {0};
	struct kin *found;
	size_t n = 0;
	int err = all_read(&a);

	if (!err && a.n)
		qsort(a.kin, a.n, sizeof(*a.kin), compare_kin);
	found = err ? NULL : calloc(a.n + 1, sizeof(*found));
	for (size_t i = 0; found && i < a.n; i++) {
		struct kin child;

		if (!child_between(a.kin[i].pid, f->self, stat_then, &a, &child) &&
		    is_commands(f, &child))
			found[n++] = a.kin[i];
	}
	free(a.kin);
	if (!found)
		return err ? err : -ENOMEM;
	*ret = found;
	*n_ret = n;
	return 0;
}
