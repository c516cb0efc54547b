/* SPDX-License-Identifier: MIT */
/*
 * mem.h - the seam through which everything reads a target's memory: a live process, or a fake
 * one in a test. The only reader; nothing here writes.
 */
#ifndef HP_MEM_H
#define HP_MEM_H

#include <sys/types.h>

#include "util.h"

/* One piece of a batch. */
struct mem_vec {
	uint64_t addr;
	void *buf;
	size_t len;
	int err; /* out: 0, or -EFAULT */
};

struct mem {
	/* Read @len bytes, whole or not at all: 0; -EFAULT; -ESRCH when the target is gone. */
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
void mem_close(struct mem *m);

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

#endif
