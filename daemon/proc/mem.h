/* SPDX-License-Identifier: MIT */
/*
 * mem.h - the seam through which everything reads a target's memory: a live process, or a fake
 * one in a test. The only reader; nothing here writes. Each read is a step of the budget that it
 * is made in (base/budget.h), and fails as that says: -E2BIG, -ECANCELED.
 */
#ifndef HP_MEM_H
#define HP_MEM_H

#include <sys/types.h>

#include "base/util.h"

/* One piece of a batch. */
struct mem_vec {
	uint64_t addr;
	void *buf;
	size_t len;
	int err; /* out: 0; -EFAULT; mem_read_strv(): -EPROTO */
};

struct mem {
	/*
	 * Read @len bytes, whole or not at all: 0; -EFAULT; -ESRCH when the target is gone; -EPERM
	 * when it may no longer be read (it has changed its credentials).
	 */
	int (*read)(struct mem *m, uint64_t addr, void *buf, size_t len);
	/* May be NULL: then pieces are read one by one. Each piece whole or not at all. */
	int (*readv)(struct mem *m, struct mem_vec *vec, size_t n);
	void (*close)(struct mem *m);
};

/**
 * mem_open_live() - read process @pid through process_vm_readv(2).
 * Return: 0; -ENOMEM.
 */
int mem_open_live(pid_t pid, struct mem **ret);

/**
 * mem_open_fd() - read a process through its /proc/PID/mem, opened by whoever was allowed to.
 * @fd: taken, on failure too.
 * Return: 0; -ENOMEM.
 */
int mem_open_fd(int fd, struct mem **ret);
void mem_close(struct mem *m);

/**
 * mem_open_paged() - read @under by whole pages and keep them: for a burst of small reads that lie
 * close together. What it has read it never reads again: close it after the burst.
 * @under: not owned; must outlive it.
 * Return: 0; -ENOMEM.
 */
int mem_open_paged(struct mem *under, struct mem **ret);

/** mem_read() - Return: 0; -EFAULT if any byte is unreadable (@buf is then undefined); -ESRCH. */
int mem_read(struct mem *m, uint64_t addr, void *buf, size_t len);

/**
 * mem_readv() - read @n pieces with as few system calls as the kernel allows.
 * Return: 0 (each piece's @err tells its own result); -ESRCH.
 */
int mem_readv(struct mem *m, struct mem_vec *vec, size_t n);

int mem_read_u8(struct mem *m, uint64_t addr, uint8_t *ret);
int mem_read_u16(struct mem *m, uint64_t addr, uint16_t *ret);
int mem_read_u32(struct mem *m, uint64_t addr, uint32_t *ret);
int mem_read_u64(struct mem *m, uint64_t addr, uint64_t *ret);

/**
 * mem_read_str() - a NUL-terminated string of at most @size - 1 bytes.
 * Return: its length; -EFAULT; -EPROTO when no NUL comes in @size bytes; -ESRCH.
 */
int mem_read_str(struct mem *m, uint64_t addr, char *buf, size_t size);

/**
 * mem_read_strv() - @n NUL-terminated strings at once; each takes at most its @len bytes, NUL
 * included. Return: 0 (each @err: 0; -EFAULT; -EPROTO when no NUL comes in @len bytes); -ESRCH;
 * -EPERM.
 */
int mem_read_strv(struct mem *m, struct mem_vec *vec, size_t n);

#endif
