// SPDX-License-Identifier: MIT
/*
 * mem.c - read a target's memory: the live readers, and the words that every reader shares.
 *
 * A live process is read with process_vm_readv(2), which stops nobody and needs no file kept open.
 * One call takes up to IOV_MAX pieces, so a batch of ten thousand small reads costs ten system
 * calls. Nothing here writes, and nothing here trusts: an address is only ever passed to the
 * kernel.
 */
#include "base/budget.h"
#include "proc/entry.h"
#include "proc/mem.h"

#include <limits.h>
#include <sys/uio.h>

/* Linux takes at most UIO_MAXIOV (1024) pieces a call: include/uapi/linux/uio.h. */
#define MEM_BATCH_MAX 1024

/* Strings are read up to the end of a page, so that none fails for what lies behind it. */
#define MEM_PAGE 4096

/* What a read costs besides its bytes, and what a small piece of a batch does. */
#define MEM_CALL_BYTES	2048
#define MEM_PIECE_BYTES 512

/*
 * A paged reader keeps blocks of four pages: metadata that is used together lies together, and a
 * system call costs as much as copying that many. At most 16 MiB, for the metadata of ten thousand
 * methods.
 */
#define MEM_BLOCK      (4 * MEM_PAGE)
#define MEM_BLOCKS_MAX 1024

/* --- a live process -------------------------------------------------------------------------- */

struct mem_live {
	struct mem base;
	pid_t pid;
	pid_t tid; /* the thread that the kernel is asked about: it must not have ended */
	struct iovec to[MEM_BATCH_MAX], from[MEM_BATCH_MAX]; /* too much for a stack */
};

/* Threads that may end, one after the other, while we read by them. */
#define LIVE_TRIES_MAX 16

/*
 * As process_vm_readv(). It finds the memory by a thread: where that has ended, by another one. And
 * the number of one that is not the leader may be another process's since.
 */
static ssize_t live_readv_once(struct mem_live *live, const struct iovec *to,
			       const struct iovec *from, size_t n)
{
	ssize_t done = -1;

	for (int i = 0; i < LIVE_TRIES_MAX; i++) {
		pid_t tid;

		done = process_vm_readv(live->tid, to, n, from, n, 0);
		if ((done >= 0 || errno != ESRCH) && entry_holds(live->pid, live->tid))
			return done;
		tid = entry_thread(live->pid);
		errno = ESRCH;
		if (tid < 0 || tid == live->tid)
			return -1;
		live->tid = tid;
	}
	errno = ESRCH;
	return -1;
}

/* A target that is gone, or that we may no longer read (it changed its credentials). */
static int live_error(int err)
{
	return err == ESRCH || err == EPERM || err == ENOMEM ? -err : -EFAULT;
}

static int live_read(struct mem *m, uint64_t addr, void *buf, size_t len)
{
	struct mem_live *live = (struct mem_live *)m;
	size_t done = 0;

	/* The kernel moves at most 2 GiB a call; each turn makes progress or ends. */
	while (done < len) {
		struct iovec to = {(char *)buf + done, len - done};
		struct iovec from = {(void *)(uintptr_t)(addr + done), len - done};
		ssize_t n = live_readv_once(live, &to, &from, 1);
		if (n < 0)
			return live_error(errno);
		if (n == 0)
			return -EFAULT;
		done += (size_t)n;
	}
	return 0;
}

/*
 * Settle the pieces that a call which moved @moved bytes got through. A failing piece ends the
 * call, and of that one any part may have been moved (process_vm_rw_core() in
 * mm/process_vm_access.c). Returns how many of @n are settled: at least one.
 */
static size_t live_settle(struct mem_vec *vec, size_t n, size_t moved)
{
	size_t i = 0;

	while (i < n && vec[i].len <= moved) {
		moved -= vec[i].len;
		vec[i++].err = 0;
	}
	if (i < n)
		vec[i++].err = -EFAULT;
	return i;
}

static int live_readv(struct mem *m, struct mem_vec *vec, size_t n)
{
	struct mem_live *live = (struct mem_live *)m;

	for (size_t i = 0; i < n;) {
		size_t batch = MIN(n - i, (size_t)MEM_BATCH_MAX);
		for (size_t j = 0; j < batch; j++) {
			live->to[j] = (struct iovec){vec[i + j].buf, vec[i + j].len};
			live->from[j] =
				(struct iovec){(void *)(uintptr_t)vec[i + j].addr, vec[i + j].len};
		}
		ssize_t moved = live_readv_once(live, live->to, live->from, batch);
		if (moved < 0 && live_error(errno) != -EFAULT)
			return live_error(errno);
		i += live_settle(vec + i, batch, moved < 0 ? 0 : (size_t)moved);
	}
	return 0;
}

static void live_close(struct mem *m)
{
	free(m);
}

int mem_open_live(pid_t pid, struct mem **ret)
{
	struct mem_live *live = calloc(1, sizeof(*live));

	if (!live)
		return -ENOMEM;
	live->base = (struct mem){.read = live_read, .readv = live_readv, .close = live_close};
	live->pid = live->tid = pid;
	*ret = &live->base;
	return 0;
}

/* --- a process behind its mem file ------------------------------------------------------------ */

struct mem_fd {
	struct mem base;
	int fd;
};

/* Source: mem_rw(), fs/proc/base.c: 0 bytes when the memory is gone, EIO when a page is not there.
 */
static int fd_read(struct mem *m, uint64_t addr, void *buf, size_t len)
{
	const struct mem_fd *f = (const struct mem_fd *)m;
	size_t done = 0;

	if (addr > INT64_MAX - len) /* a file position has a sign; no user space lies there */
		return -EFAULT;
	while (done < len) {
		ssize_t n = pread(f->fd, (char *)buf + done, len - done, (off_t)(addr + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -EFAULT;
		if (n == 0)
			return -ESRCH;
		done += (size_t)n;
	}
	return 0;
}

static void fd_close(struct mem *m)
{
	close(((struct mem_fd *)m)->fd);
	free(m);
}

int mem_open_fd(int fd, struct mem **ret)
{
	struct mem_fd *f = calloc(1, sizeof(*f));

	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	f->base = (struct mem){.read = fd_read, .close = fd_close};
	f->fd = fd;
	*ret = &f->base;
	return 0;
}

/* --- a reader that keeps pages ---------------------------------------------------------------- */

struct mem_block {
	uint64_t addr; /* a multiple of MEM_BLOCK; 1: nothing is kept here */
	uint8_t *data;
};

struct mem_paged {
	struct mem base;
	struct mem *under;
	struct mem_block blocks[MEM_BLOCKS_MAX];
};

/* The block at @addr, from its one place. Return: 0; -ENOMEM; as mem_read(). */
static int block_get(struct mem_paged *p, uint64_t addr, const uint8_t **ret)
{
	struct mem_block *b = &p->blocks[addr / MEM_BLOCK % MEM_BLOCKS_MAX];

	if (b->addr != addr) {
		if (!b->data)
			b->data = malloc(MEM_BLOCK);
		if (!b->data)
			return -ENOMEM;
		b->addr = 1;
		int err = mem_read(p->under, addr, b->data, MEM_BLOCK);
		if (err)
			return err;
		b->addr = addr;
	}
	*ret = b->data;
	return 0;
}

static int paged_read(struct mem *m, uint64_t addr, void *buf, size_t len)
{
	struct mem_paged *p = (struct mem_paged *)m;
	const uint8_t *data;

	for (size_t done = 0; done < len && len <= MEM_BLOCK;) {
		uint64_t at = addr + done, off = at % MEM_BLOCK;
		size_t part = MIN(len - done, (size_t)(MEM_BLOCK - off));
		int err = block_get(p, at - off, &data);
		/* At the edge of a mapping a block is not readable as a whole: then go past it. */
		if (err == -EFAULT)
			return mem_read(p->under, addr, buf, len);
		if (err)
			return err;
		memcpy((char *)buf + done, data + off, part);
		done += part;
	}
	return len > MEM_BLOCK ? mem_read(p->under, addr, buf, len) : 0;
}

static void paged_close(struct mem *m)
{
	struct mem_paged *p = (struct mem_paged *)m;

	for (size_t i = 0; i < MEM_BLOCKS_MAX; i++)
		free(p->blocks[i].data);
	free(p);
}

int mem_open_paged(struct mem *under, struct mem **ret)
{
	struct mem_paged *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->base = (struct mem){.read = paged_read, .close = paged_close};
	p->under = under;
	for (size_t i = 0; i < MEM_BLOCKS_MAX; i++)
		p->blocks[i].addr = 1;
	*ret = &p->base;
	return 0;
}

/* --- any reader ------------------------------------------------------------------------------- */

void mem_close(struct mem *m)
{
	if (m)
		m->close(m);
}

int mem_read(struct mem *m, uint64_t addr, void *buf, size_t len)
{
	uint64_t end;

	if (len == 0)
		return 0;
	if (add_overflows(addr, len, &end))
		return -EFAULT;
	int err = budget_spend_bytes(MEM_CALL_BYTES + len);
	return err ? err : m->read(m, addr, buf, len);
}

int mem_readv(struct mem *m, struct mem_vec *vec, size_t n)
{
	if (m->readv) {
		int err = budget_spend_bytes(n * MEM_PIECE_BYTES);
		return err ? err : m->readv(m, vec, n);
	}
	for (size_t i = 0; i < n; i++) {
		int err = mem_read(m, vec[i].addr, vec[i].buf, vec[i].len);
		if (err && err != -EFAULT)
			return err;
		vec[i].err = err;
	}
	return 0;
}

int mem_read_u8(struct mem *m, uint64_t addr, uint8_t *ret)
{
	return mem_read(m, addr, ret, sizeof(*ret));
}

int mem_read_u16(struct mem *m, uint64_t addr, uint16_t *ret)
{
	return mem_read(m, addr, ret, sizeof(*ret));
}

int mem_read_u32(struct mem *m, uint64_t addr, uint32_t *ret)
{
	return mem_read(m, addr, ret, sizeof(*ret));
}

int mem_read_u64(struct mem *m, uint64_t addr, uint64_t *ret)
{
	return mem_read(m, addr, ret, sizeof(*ret));
}

int mem_read_str(struct mem *m, uint64_t addr, char *buf, size_t size)
{
	for (size_t len = 0; len < size;) {
		uint64_t at;
		if (add_overflows(addr, len, &at))
			return -EFAULT;
		size_t part = MIN(size - len, (size_t)(MEM_PAGE - at % MEM_PAGE));
		int err = mem_read(m, at, buf + len, part);
		if (err)
			return err;
		const char *nul = memchr(buf + len, 0, part);
		if (nul)
			return nul - buf > INT_MAX ? -EPROTO : (int)(nul - buf);
		len += part;
	}
	return -EPROTO;
}

int mem_read_strv(struct mem *m, struct mem_vec *vec, size_t n)
{
	int err = mem_readv(m, vec, n);

	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		/* A string may end just before unreadable memory: take it page by page then. */
		if (vec[i].err)
			vec[i].err = mem_read_str(m, vec[i].addr, vec[i].buf, vec[i].len);
		else if (!memchr(vec[i].buf, 0, vec[i].len))
			vec[i].err = -EPROTO;
		if (vec[i].err < 0 && vec[i].err != -EFAULT && vec[i].err != -EPROTO)
			return vec[i].err;
		if (vec[i].err > 0)
			vec[i].err = 0;
	}
	return 0;
}
