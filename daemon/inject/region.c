// SPDX-License-Identifier: MIT
/*
 * region.c - the memory we put into a target. See region.h.
 *
 * Every step leaves something that a later instance recognises by the memfd's name and can
 * remove, because we may be killed between any two.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "inject/lock.h"
#include "inject/region_table.h"
#include "inject/stub.h"
#include "target/maps.h"

#define PAGE 4096ULL

/* The name shows in /proc/PID/maps; the number is the layout's version. */
#define REGION_NAME "hotprobe.1"
#define REGION_PATH "/memfd:" REGION_NAME

#define ALIGN(n) (((n) + PAGE - 1) & ~(PAGE - 1))

#define TEXT_LEN  (PAGE + ALIGN(REGION_SLOTS * SLOT_TEXT))
#define STUB_OFF  ((uint64_t)REGION_SLOTS * SLOT_CODE)
#define CODE_LEN  (STUB_OFF + PAGE)
#define TABLE_LEN ALIGN(sizeof(struct region_table))
#define TABLE_OFF (TEXT_LEN + CODE_LEN)
#define TOTAL_LEN (TABLE_OFF + TABLE_LEN)

/* jmp rel32 reaches 2 GiB either way; a page is kept for the instruction itself. */
#define JMP_REACH ((1ULL << 31) - PAGE)

/* Below this the kernel does not map (vm.mmap_min_addr), above it there is no user space. */
#define ADDR_FLOOR   0x10000ULL
#define ADDR_CEILING 0x7ffffffff000ULL

#define PLACE_TRIES 8

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3, include/uapi/linux/memfd.h */
#endif

/* linux/membarrier.h has it as an enum. */
#define REGISTER_SYNC_CORE (1 << 6)

/* --- geometry --------------------------------------------------------------------------------- */

uint64_t region_text_offset(uint32_t slot)
{
	/* Slot 0 has a page of its own: the kernel copies a page when it puts a uprobe on it, and
	 * the others' text may still have to change then. */
	return slot ? PAGE + (uint64_t)slot * SLOT_TEXT : 0;
}

uint64_t region_slot_text(const struct region *r, uint32_t slot)
{
	return r->text + region_text_offset(slot);
}

uint64_t region_slot_code(const struct region *r, uint32_t slot)
{
	return r->code + (uint64_t)slot * SLOT_CODE;
}

uint32_t region_slot_of(const struct region *r, uint64_t addr)
{
	if (addr >= r->text && addr < r->text + SLOT_TEXT)
		return 0;
	if (addr >= r->text + PAGE && addr < r->text + PAGE + REGION_SLOTS * SLOT_TEXT)
		return (uint32_t)((addr - r->text - PAGE) / SLOT_TEXT);
	if (addr >= r->code && addr < r->code + STUB_OFF)
		return (uint32_t)((addr - r->code) / SLOT_CODE);
	return UINT32_MAX;
}

struct region_slot *region_slot_entry(struct region *r, uint32_t slot)
{
	return &r->table_map->slot[slot];
}

void region_text_path(const struct region *r, char *buf, size_t size)
{
	snprintf(buf, size, "/proc/%d/map_files/%llx-%llx", r->pid, (unsigned long long)r->text,
		 (unsigned long long)(r->text + TEXT_LEN));
}

static void set_place(struct region *r, uint64_t base)
{
	r->base = r->text = base;
	r->len = TOTAL_LEN;
	r->code = base + TEXT_LEN;
	r->table = base + TABLE_OFF;
	r->stub_patch = r->code + STUB_OFF;
	r->stub_run_slot = r->stub_patch + (uint64_t)(stub_run_slot - stub_patch);
}

/* --- contents --------------------------------------------------------------------------------- */

static void write_text(struct region *r, uint32_t slot, enum slot_nop nop)
{
	static const uint8_t nop5[] = {0x0f, 0x1f, 0x44, 0x00, 0x00}, nop1[] = {0x90};
	uint8_t text[SLOT_TEXT], *p = text;
	size_t len = nop == SLOT_NOP5 ? sizeof(nop5) : sizeof(nop1);
	int32_t rel;

	memset(text, 0xcc, sizeof(text));
	memcpy(p, nop == SLOT_NOP5 ? nop5 : nop1, len);
	p[len] = 0xe9;
	rel = (int32_t)(int64_t)(region_slot_code(r, slot) -
				 (region_slot_text(r, slot) + len + 1 + sizeof(rel)));
	memcpy(p + len + 1, &rel, sizeof(rel));
	memcpy(r->text_map + region_text_offset(slot), text, sizeof(text));
}

void region_set_nop(struct region *r, enum slot_nop nop)
{
	r->nop = nop;
	for (uint32_t slot = 1; slot < REGION_SLOTS; slot++)
		write_text(r, slot, nop);
}

void region_write_code(struct region *r, uint32_t slot, const uint8_t *code, size_t len)
{
	memcpy(r->code_map + (size_t)slot * SLOT_CODE, code, MIN(len, (size_t)SLOT_CODE));
}

static void write_stub(struct region *r)
{
	memcpy(r->code_map + STUB_OFF, stub_patch, (size_t)(stub_end - stub_patch));
}

static void write_contents(struct region *r)
{
	static const uint8_t ret = 0xc3;

	r->table_map->version = REGION_VERSION;
	r->table_map->slots = REGION_SLOTS;
	r->table_map->base = r->base;
	r->table_map->code_low = r->code_low;
	r->table_map->code_high = r->code_high;
	r->table_map->magic = REGION_MAGIC;
	write_stub(r);
	region_write_code(r, 0, &ret, 1);
	write_text(r, 0, SLOT_NOP5);
	region_set_nop(r, SLOT_NOP5);
}

/* --- our side --------------------------------------------------------------------------------- */

static int map_ours(struct region *r)
{
	uint8_t *p = mmap(NULL, TOTAL_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	r->text_map = p;
	r->code_map = p + TEXT_LEN;
	r->table_map = (struct region_table *)(p + TABLE_OFF);
	return 0;
}

void region_close(struct region *r)
{
	if (!r)
		return;
	if (r->text_map)
		munmap(r->text_map, TOTAL_LEN);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

static struct region *region_new(pid_t pid, uint64_t code_low, uint64_t code_high)
{
	struct region *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->pid = pid;
	r->fd = -1;
	r->code_low = code_low;
	r->code_high = code_high;
	return r;
}

/* --- creating --------------------------------------------------------------------------------- */

/* A system call in the target: its result, or the error of running it. */
static int64_t remote(struct hijack *h, long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
		      uint64_t e, uint64_t f)
{
	const uint64_t args[6] = {a, b, c, d, e, f};
	int64_t ret;
	int err = hijack_syscall(h, nr, args, &ret);

	return err ? err : ret;
}

/* A free range from which all of the code cache is within reach, and the other way round. */
static int find_place(pid_t pid, uint64_t low, uint64_t high, uint64_t attempt, uint64_t *ret)
{
	uint64_t floor = high > JMP_REACH ? MAX(high - JMP_REACH, ADDR_FLOOR) : ADDR_FLOOR;
	uint64_t ceiling = MIN(low + JMP_REACH, ADDR_CEILING);
	struct maps maps;
	int err = maps_read(pid, &maps);

	if (err)
		return err;
	/* After a lost race the same gap would be found again: go a step down each time. */
	err = maps_gap_below(&maps, low - attempt * TOTAL_LEN, floor, TOTAL_LEN, ret);
	if (err == -ENOSPC)
		err = maps_gap_below(&maps, ceiling - attempt * TOTAL_LEN, high, TOTAL_LEN, ret);
	maps_fini(&maps);
	return err;
}

static int64_t map_part(struct hijack *h, int fd, uint64_t addr, uint64_t off, uint64_t len,
			int prot, int flags)
{
	int64_t got = remote(h, SYS_mmap, addr, len, (uint64_t)prot,
			     (uint64_t)(flags | MAP_FIXED_NOREPLACE), (uint64_t)fd, off);

	/* Kernels before 4.17 take the flag for a mere hint. */
	return got >= 0 && (uint64_t)got != addr ? -EEXIST : got;
}

static int map_target(struct hijack *h, const struct region *r, int fd)
{
	int64_t err;

	err = map_part(h, fd, r->text, 0, TEXT_LEN, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	if (err < 0)
		return (int)err;
	err = map_part(h, fd, r->code, TEXT_LEN, CODE_LEN, PROT_READ | PROT_EXEC, MAP_SHARED);
	if (err >= 0)
		err = map_part(h, fd, r->table, TABLE_OFF, TABLE_LEN, PROT_READ | PROT_WRITE,
			       MAP_SHARED);
	if (err < 0) {
		remote(h, SYS_munmap, r->base, TOTAL_LEN, 0, 0, 0, 0);
		return (int)err;
	}
	return 0;
}

static int make_memfd(struct hijack *h)
{
	static const unsigned int flags[] = {MFD_CLOEXEC | MFD_ALLOW_SEALING,
					     MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC};
	int64_t fd = -EINVAL;
	uint64_t name;
	int err = hijack_scratch(h, REGION_NAME, sizeof(REGION_NAME), &name);

	/* vm.memfd_noexec (Linux 6.3+) wants to be told that it is meant to be executable. */
	for (size_t i = 0; i < ARRAY_SIZE(flags) && !err && (fd == -EINVAL || fd == -EACCES); i++)
		fd = remote(h, SYS_memfd_create, name, flags[i], 0, 0, 0, 0);
	if (err)
		return err;
	return fd == -ENOSYS || fd == -EACCES ? -EPERM : (int)fd;
}

static int open_theirs(struct region *r, int their_fd)
{
	char path[64];
	pid_t holder;
	int err;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", r->pid, their_fd);
	r->fd = open(path, O_RDWR | O_CLOEXEC);
	if (r->fd < 0)
		return errno == ENOENT ? -ESRCH : -EPERM;
	err = lock_file(r->fd, &holder);
	/* Sealed, or the target could shrink the file under our mapping: SIGBUS. */
	if (!err && (ftruncate(r->fd, (off_t)TOTAL_LEN) || fcntl(r->fd, F_ADD_SEALS, SEALS)))
		err = -errno;
	return err ? err : map_ours(r);
}

/* With the thread in our hands: everything but the contents. */
static int create_in(struct hijack *h, struct region *r)
{
	int fd = make_memfd(h), err;
	uint64_t base;

	if (fd < 0)
		return fd;
	err = open_theirs(r, fd);
	for (uint64_t attempt = 0; attempt < PLACE_TRIES && !err; attempt++) {
		err = find_place(r->pid, r->code_low, r->code_high, attempt, &base);
		if (err)
			break;
		set_place(r, base);
		err = map_target(h, r, fd);
		if (err != -EEXIST)
			break;
		err = 0;
	}
	if (!err && !r->base)
		err = -ENOSPC;
	if (!err && remote(h, SYS_membarrier, REGISTER_SYNC_CORE, 0, 0, 0, 0, 0) < 0) {
		remote(h, SYS_munmap, r->base, TOTAL_LEN, 0, 0, 0, 0);
		err = -EOPNOTSUPP;
	}
	remote(h, SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	return err == -EACCES ? -EPERM : err;
}

int region_create(pid_t pid, uint64_t code_low, uint64_t code_high, struct region **ret,
		  uint64_t *paused_ns)
{
	struct region *r = region_new(pid, code_low, code_high);
	struct hijack *h = NULL;
	int err, end;

	if (!r)
		return -ENOMEM;
	err = hijack_open(pid, &h);
	if (!err) {
		err = create_in(h, r);
		*paused_ns = hijack_paused_ns(h);
		end = hijack_close(h);
		err = err ? err : end;
	}
	if (err) {
		region_close(r);
		return err;
	}
	write_contents(r);
	*ret = r;
	return 0;
}

/* --- finding ---------------------------------------------------------------------------------- */

/* Do the three mappings from @e on lie as ours do? */
static bool is_region(const struct maps *maps, size_t i)
{
	const struct map_entry *e = &maps->entries[i];
	uint64_t base = e->start;

	return e->offset == 0 && e->end - e->start == TEXT_LEN && i + 2 < maps->n &&
	       e[1].start == base + TEXT_LEN && e[1].end - e[1].start == CODE_LEN &&
	       e[2].start == base + TABLE_OFF && e[2].end - e[2].start == TABLE_LEN &&
	       e[1].inode == e->inode && e[2].inode == e->inode && e->exec && !e->write &&
	       e[2].write && !e[2].exec;
}

static bool is_ours(const struct map_entry *e)
{
	return strncmp(e->path, REGION_PATH, strlen(REGION_PATH)) == 0;
}

static int open_found(struct region *r, pid_t *holder)
{
	char path[64];
	struct stat st;
	int err;

	region_text_path(r, path, sizeof(path));
	r->fd = open(path, O_RDWR | O_CLOEXEC);
	if (r->fd < 0)
		return errno == ENOENT ? -ESRCH : -EPERM;
	if (fstat(r->fd, &st) || (uint64_t)st.st_size != TOTAL_LEN)
		return -EPROTO;
	err = lock_file(r->fd, holder);
	if (err)
		return err;
	if ((fcntl(r->fd, F_GET_SEALS) & SEALS) != SEALS)
		return -EPROTO;
	return map_ours(r);
}

int region_find(pid_t pid, uint64_t code_low, uint64_t code_high, size_t index, struct region **ret,
		pid_t *holder)
{
	struct region *r = region_new(pid, code_low, code_high);
	struct maps maps;
	size_t found = 0;
	int err;

	*holder = 0;
	if (!r)
		return -ENOMEM;
	err = maps_read(pid, &maps);
	if (err) {
		region_close(r);
		return err;
	}
	err = -ENOENT;
	for (size_t i = 0; i < maps.n; i++) {
		if (!is_ours(&maps.entries[i]) || maps.entries[i].offset || found++ != index)
			continue;
		err = -EPROTO;
		if (is_region(&maps, i)) {
			set_place(r, maps.entries[i].start);
			err = open_found(r, holder);
		}
		break;
	}
	maps_fini(&maps);
	if (err) {
		region_close(r);
		return err;
	}
	*ret = r;
	return 0;
}

/* --- undoing ---------------------------------------------------------------------------------- */

/* Is @divert what we make of @orig at @addr: a jump to @slot, the other bytes unchanged? */
static bool is_diversion(const struct region *r, uint32_t slot, const struct region_slot *e)
{
	uint8_t divert[sizeof(uint64_t)], orig[sizeof(uint64_t)];
	int32_t rel;

	if (e->addr % sizeof(uint64_t) ||
	    !range_inside(e->addr, sizeof(uint64_t), r->code_low, r->code_high))
		return false;
	memcpy(divert, &e->divert, sizeof(divert));
	memcpy(orig, &e->orig, sizeof(orig));
	memcpy(&rel, divert + 1, sizeof(rel));
	return divert[0] == 0xe9 && memcmp(divert + 5, orig + 5, 3) == 0 &&
	       region_slot_of(r, e->addr + 5 + (uint64_t)(int64_t)rel) == slot;
}

int region_restore(struct region *r, size_t *restored, size_t *skipped)
{
	struct patch_op ops[PATCH_BATCH_MAX];
	size_t n = 0;
	int err = 0;

	*restored = *skipped = 0;
	if (r->table_map->magic != REGION_MAGIC || r->table_map->version != REGION_VERSION)
		return 0; /* killed before it was filled: nothing leads here */
	write_stub(r);
	for (uint32_t slot = 1; slot <= REGION_SLOTS && !err; slot++) {
		struct region_slot e = {0};

		/* Copied before it is checked: the target may write there meanwhile. */
		if (slot < REGION_SLOTS)
			e = *(volatile struct region_slot *)region_slot_entry(r, slot);
		if (e.addr && is_diversion(r, slot, &e))
			ops[n++] = (struct patch_op){e.addr, e.divert, e.orig, 0};
		else if (e.addr)
			++*skipped;
		if (n == 0 || (n < PATCH_BATCH_MAX && slot < REGION_SLOTS))
			continue;
		err = patch_apply(r, ops, n, NULL);
		for (size_t i = 0; i < n && !err; i++)
			++*(ops[i].seen == ops[i].expect ? restored : skipped);
		n = 0;
	}
	return err;
}

int region_unmap(struct region *r)
{
	struct hijack *h;
	int64_t res;
	int err;

	err = hijack_threads_outside(r->pid, r->base, r->base + r->len);
	if (err <= 0)
		return err ? err : -EBUSY;
	err = hijack_open(r->pid, &h);
	if (err)
		return err;
	res = remote(h, SYS_munmap, r->base, r->len, 0, 0, 0, 0);
	err = hijack_close(h);
	return res < 0 ? (int)res : err;
}

/* Is descriptor @name of @pid the memfd of a region? */
static bool is_region_fd(pid_t pid, const char *name)
{
	char path[sizeof("/proc//fd/") + 32], link[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%.16s", pid, name);
	n = readlink(path, link, sizeof(link) - 1);
	return n >= (ssize_t)strlen(REGION_PATH) && strncmp(link, REGION_PATH, strlen(REGION_PATH)) == 0;
}

int region_close_fds(pid_t pid)
{
	struct hijack *h = NULL;
	char path[32];
	struct dirent *d;
	int closed = 0, err = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -EPERM;
	while (!err && (d = readdir(dir))) {
		if (!is_region_fd(pid, d->d_name))
			continue;
		if (!h)
			err = hijack_open(pid, &h);
		if (!err && remote(h, SYS_close, strtoul(d->d_name, NULL, 10), 0, 0, 0, 0, 0) == 0)
			closed++;
	}
	closedir(dir);
	hijack_close(h);
	return err ? err : closed;
}

int region_run_slot0(struct region *r, uint32_t n)
{
	const uint64_t args[3] = {region_slot_text(r, 0), n, 0};
	struct hijack *h;
	int err, end;

	err = hijack_open(r->pid, &h);
	if (err)
		return err;
	err = hijack_call(h, r->stub_run_slot, args);
	end = hijack_close(h);
	return err ? err : end;
}
