/* SPDX-License-Identifier: MIT */
/*
 * plain.h - a uprobe as other tools set them, by perf_event_open(2): it counts, and does nothing
 * else. To close one takes the kernel up to 100 ms.
 */
#ifndef HP_TEST_PLAIN_H
#define HP_TEST_PLAIN_H

#include "lib/env.h"

/**
 * plain_event() - at @offset of the file at @path, for any process, but on one CPU only: perf
 * knows no other such event. Fails the test when it cannot. Return: its descriptor; the caller's.
 */
int plain_event(const char *path, uint64_t offset, int cpu);

#define PLAIN_CPUS_MAX 256

/* One on every CPU. */
struct plain {
	int fds[PLAIN_CPUS_MAX];
	long n;
};

void plain_open(struct plain *p, const char *path, uint64_t offset);

/** plain_close() - Return: how often it was hit. */
uint64_t plain_close(struct plain *p);

#endif
