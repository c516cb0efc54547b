/* SPDX-License-Identifier: MIT */
/*
 * view.h - look into a process that we may not look into ourselves.
 *
 * The kernel shows the memory, the mappings and the files of a process to those who may ptrace it
 * (ptrace_may_access(), kernel/ptrace.c). It asks when such a file is opened, not when it is read:
 * with something inside the process that opens them for us and hands over the descriptors, no such
 * right is needed. Those descriptors are the target's choice: what they are is checked here.
 */
#ifndef HP_VIEW_H
#define HP_VIEW_H

#include "proc/maps.h"
#include "proc/mem.h"

/*
 * A process's own entry, for open(): that of the thread which opens, as the leader may have ended
 * (entry.h).
 */
#define PROC_OWN "/proc/thread-self/"

struct view {
	/* Open @path as the process sees it, read-only. Return: 0; -errno. */
	int (*open)(struct view *v, const char *path, int *fd_ret);
};

/** view_open_file() - a regular file. Return: a descriptor; -ENOENT, also for any other kind. */
int view_open_file(struct view *v, const char *path);

/** view_open_mem() - the process's memory. Return: 0; -EPROTO if it is no such thing; -errno. */
int view_open_mem(struct view *v, struct mem **ret);

/** view_open_maps() - a descriptor for maps_read_fd(). Return: 0; -EPROTO; -errno. */
int view_open_maps(struct view *v, int *fd_ret);

/** view_maps() - read its mappings. Return: as maps_read(). */
int view_maps(struct view *v, struct maps *ret);

/**
 * view_root() - where its root directory is, as the paths of its mappings are printed.
 * Return: length; 0 when it cannot be told.
 */
size_t view_root(struct view *v, char *buf, size_t size);

#endif
