// SPDX-License-Identifier: MIT
/*
 * region.c - make, fill and remove the memory we put into a target. See region.h.
 *
 * Every step leaves something that a later instance recognises by the memfd's name and can
 * remove, because we may be killed between any two (region_recover.c).
 */
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "proc/lock.h"
#include "region/region_table.h"
#include "arch/emit.h"
#include "arch/machine.h"
#include "arch/stub.h"
#include "proc/maps.h"

/* A page is kept for the jump itself. */
#define JUMP_REACH (INSN_JUMP_REACH - REGION_PAGE)

/* Below this the kernel does not map (vm.mmap_min_addr). */
#define ADDR_FLOOR 0x10000ULL

#define PLACE_TRIES 8

_Static_assert(EMIT_NOP_MAX + INSN_JUMP_LEN <= SLOT_TEXT, "a nop, and a jump to the slot's code");
_Static_assert(EMIT_PROLOGUE_OFF + EMIT_FRAME_LEN + EMIT_PROLOGUE_MAX <= SLOT_CODE,
	       "frame and prologue come last");

/* A thread passes a slot in less than a microsecond, once it runs; on a busy machine it may not. */
#define OUTSIDE_WAIT_MS	 300
#define OUTSIDE_PAUSE_US 2000

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3, include/uapi/linux/memfd.h */
#endif

/* linux/membarrier.h has it as an enum. */
#define REGISTER_SYNC_CORE (1 << 6)

/* --- geometry --------------------------------------------------------------------------------- */

uint64_t region_text_offset(uint32_t slot)
{
	/*
	 * Slot 0 has a page of its own: the kernel copies a page when it puts a uprobe on it, and
	 * the others' text may still have to change then.
	 */
	return slot ? REGION_PAGE + (uint64_t)slot * SLOT_TEXT : 0;
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
	uint64_t slots = r->text + REGION_PAGE;

	if (range_inside(addr, 1, r->text, r->text + SLOT_TEXT))
		return 0;
	if (range_inside(addr, 1, slots + SLOT_TEXT, slots + REGION_SLOTS * SLOT_TEXT))
		return (uint32_t)((addr - slots) / SLOT_TEXT);
	if (range_inside(addr, 1, r->code, r->code + STUB_OFF))
		return (uint32_t)((addr - r->code) / SLOT_CODE);
	return UINT32_MAX;
}

struct region_slot *region_slot_entry(struct region *r, uint32_t slot)
{
	return &r->table_map->slot[slot];
}

void region_text_path(const struct region *r, char *buf, size_t size)
{
	snprintf(buf, size, "/proc/self/fd/%d", r->fd);
}

/* Where in its word the jump of @e begins, and to which slot it leads; -1: it is none of ours. */
static int jump_of(const struct region *r, const struct region_slot *e, uint32_t *slot)
{
	uint8_t divert[sizeof(uint64_t)], orig[sizeof(uint64_t)];

	if (e->addr % sizeof(uint64_t) ||
	    !range_inside(e->addr, sizeof(uint64_t), r->code_low, r->code_high))
		return -1;
	memcpy(divert, &e->divert, sizeof(divert));
	memcpy(orig, &e->orig, sizeof(orig));
	for (size_t at = 0; at + INSN_JUMP_LEN <= sizeof(divert); at++) {
		const size_t rest = at + INSN_JUMP_LEN;
		uint64_t to;

		if (!insn_jump_target(e->addr + at, divert + at, &to))
			continue;
		*slot = region_slot_of(r, to);
		if (*slot != UINT32_MAX && !memcmp(divert, orig, at) &&
		    !memcmp(divert + rest, orig + rest, sizeof(divert) - rest))
			return (int)at;
	}
	return -1;
}

uint32_t region_diverts_to(const struct region *r, const struct region_slot *e)
{
	uint32_t slot;

	return jump_of(r, e, &slot) < 0 ? UINT32_MAX : slot;
}

bool region_word_back(const struct region *r, const struct region_slot *e, uint64_t seen,
		      uint64_t *back)
{
	uint8_t now[sizeof(uint64_t)], divert[sizeof(uint64_t)], orig[sizeof(uint64_t)];
	uint32_t slot;
	int at = jump_of(r, e, &slot);

	*back = e->orig;
	if (at < 0 || seen == e->divert || !r->file_text)
		return at >= 0 && seen == e->divert;
	memcpy(now, &seen, sizeof(now));
	memcpy(divert, &e->divert, sizeof(divert));
	memcpy(orig, &e->orig, sizeof(orig));
	if (memcmp(now + at + 1, divert + at + 1, INSN_JUMP_LEN - 1) ||
	    (now[at] != divert[at] && now[at] != orig[at] && !insn_is_trap(now + at)))
		return false;
	if (!insn_is_trap(now + at))
		now[at] = orig[at];
	memcpy(now + at + 1, orig + at + 1, INSN_JUMP_LEN - 1);
	memcpy(back, now, sizeof(*back));
	return seen != *back;
}

void region_set_place(struct region *r, uint64_t base, uint64_t len)
{
	r->base = r->text = base;
	r->len = len;
	r->code = base + TEXT_LEN;
	r->table = base + TABLE_OFF;
	r->stub_patch = r->code + STUB_OFF;
	r->stub_run_slot = r->stub_patch + (uint64_t)(stub_run_slot - stub_patch);
}

/* --- contents --------------------------------------------------------------------------------- */

static void write_text(struct region *r, uint32_t slot, enum slot_nop nop)
{
	uint8_t text[SLOT_TEXT], *p;

	emit_traps(text, sizeof(text));
	p = emit_nop(text, nop == SLOT_NOP5);
	emit_jump(p, region_slot_text(r, slot) + (uint64_t)(p - text), region_slot_code(r, slot));
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

void region_write_stub(struct region *r)
{
	memcpy(r->code_map + STUB_OFF, stub_patch, (size_t)(stub_end - stub_patch));
}

static void write_contents(struct region *r)
{
	uint8_t back[INSN_LEN_MAX];
	size_t len = (size_t)(emit_return(back) - back);

	region_write_stub(r);
	region_write_code(r, 0, back, len);
	write_text(r, 0, SLOT_NOP5);
	region_set_nop(r, SLOT_NOP5);
	r->table_map->version = REGION_VERSION;
	r->table_map->slots = REGION_SLOTS;
	r->table_map->base = r->base;
	r->table_map->code_low = r->code_low;
	r->table_map->code_high = r->code_high;
	r->table_map->magic = REGION_MAGIC;
}

/* --- our side --------------------------------------------------------------------------------- */

/* Only once the seals hold is a look at the size one for good. */
static int check_file(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || fstat(fd, &st))
		return -errno;
	return (seals & REGION_SEALS) == REGION_SEALS && (uint64_t)st.st_size == TOTAL_LEN
		       ? 0
		       : -EPROTO;
}

int region_map_ours(struct region *r)
{
	int err = check_file(r->fd);
	uint8_t *p;

	if (err)
		return err;
	p = mmap(NULL, TOTAL_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
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

struct region *region_new(struct remote *w, uint64_t code_low, uint64_t code_high)
{
	struct region *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->remote = w;
	r->fd = r->target_fd = -1;
	r->code_low = code_low;
	r->code_high = code_high;
	return r;
}

/* --- running in the target -------------------------------------------------------------------- */

bool region_there(const struct region *r)
{
	uint8_t code[REGION_PAGE];
	size_t len = (size_t)(stub_end - stub_patch);

	return !remote_read(r->remote, r->stub_patch, code, len) && !memcmp(code, stub_patch, len);
}

int region_call(struct region *r, uint64_t addr, const uint64_t args[static 3], uint64_t *paused_ns)
{
	int err = remote_begin(r->remote), end;

	if (err)
		return err;
	err = region_there(r) ? remote_call(r->remote, addr, args) : -ESRCH;
	if (paused_ns)
		*paused_ns = remote_paused_ns(r->remote);
	end = remote_end(r->remote);
	return err ? err : end;
}

int region_run_slot0(struct region *r, uint32_t n)
{
	const uint64_t args[3] = {region_slot_text(r, 0), n};

	if (n > REGION_RUN_MAX)
		return -EINVAL;
	return n ? region_call(r, r->stub_run_slot, args, NULL) : 0;
}

/* --- creating --------------------------------------------------------------------------------- */

/* Lowest free range of @len bytes from @floor on: far from the stack, which grows down. */
static int gap_above(const struct maps *maps, uint64_t floor, uint64_t limit, uint64_t len,
		     uint64_t *ret)
{
	uint64_t at = REGION_ALIGN(floor);

	for (size_t i = 0; i < maps->n && at < limit; i++) {
		const struct map_entry *e = &maps->entries[i];

		if (e->end <= at)
			continue;
		if (e->start >= at && e->start - at >= len)
			break;
		at = e->end;
	}
	if (!range_inside(at, len, floor, limit))
		return -ENOSPC;
	*ret = at;
	return 0;
}

/* Code that a region has to reach; it may lie in a larger code cache. */
struct need {
	uint64_t low, high;
};

/*
 * A free range, as near to the code cache as can be, from which all of @need is within reach, and
 * vice versa.
 */
static int find_place(const struct maps *maps, const struct region *r, struct need need,
		      uint64_t skip, uint64_t *ret)
{
	uint64_t floor =
		need.high > JUMP_REACH ? MAX(need.high - JUMP_REACH, ADDR_FLOOR) : ADDR_FLOOR;
	uint64_t ceiling = MIN(need.low + JUMP_REACH, MACHINE_ADDR_END);
	int err = -ENOSPC;

	if (r->code_low > skip)
		err = maps_gap_below(maps, r->code_low - skip, floor, TOTAL_LEN, ret);
	if (err == -ENOSPC)
		err = gap_above(maps, r->code_high + skip, ceiling, TOTAL_LEN, ret);
	return err;
}

/* From where to where the code cache can be executed: HotSpot commits its heaps bit by bit. */
static struct need executable(const struct maps *maps, const struct region *r)
{
	struct need need = {0};

	for (size_t i = 0; i < maps->n; i++) {
		const struct map_entry *e = &maps->entries[i];

		if (!e->exec || e->end <= r->code_low || e->start >= r->code_high)
			continue;
		need.low = need.high ? need.low : MAX(e->start, r->code_low);
		need.high = MIN(e->end, r->code_high);
	}
	return need;
}

bool region_reaches(const struct region *r, uint64_t addr)
{
	uint64_t low = MIN(addr, r->base), high = MAX(addr, r->base + r->len);

	return high - low <= JUMP_REACH;
}

static int map_part(struct remote *w, int fd, uint64_t addr, uint64_t off, uint64_t len, int prot,
		    int flags)
{
	const uint64_t args[6] = {
		addr,	      len, (uint64_t)prot, (uint64_t)(flags | MAP_FIXED_NOREPLACE),
		(uint64_t)fd, off,
	};
	int64_t got = remote_syscall(w, SYS_mmap, args);

	if (got < 0)
		return (int)got;
	if ((uint64_t)got != addr) { /* kernels before 4.17 take the flag for a mere hint */
		remote_syscall(w, SYS_munmap, (const uint64_t[6]){(uint64_t)got, len});
		return -EEXIST;
	}
	return 0;
}

/* In this order: what is incomplete has no table, so nothing can have been diverted into it. */
static int map_parts(const struct region *r, int fd)
{
	uint64_t done = 0;
	int err = map_part(r->remote, fd, r->text, 0, TEXT_LEN, PROT_READ | PROT_EXEC, MAP_PRIVATE);

	if (!err) {
		done = TEXT_LEN;
		err = map_part(r->remote, fd, r->code, TEXT_LEN, CODE_LEN, PROT_READ | PROT_EXEC,
			       MAP_SHARED);
	}
	if (!err) {
		done = TABLE_OFF;
		err = map_part(r->remote, fd, r->table, TABLE_OFF, TABLE_LEN,
			       PROT_READ | PROT_WRITE, MAP_SHARED);
	}
	if (err && done)
		remote_syscall(r->remote, SYS_munmap, (const uint64_t[6]){r->base, done});
	return err;
}

/* @near: as region_create_near(); 0: none. */
static int place(struct region *r, uint64_t near, uint64_t skip)
{
	_cleanup_maps_ struct maps maps = {0};
	int err = remote_maps(r->remote, &maps);
	uint64_t base;

	if (!err && near) {
		err = find_place(&maps, r, (struct need){near, near + 1}, skip, &base);
	} else if (!err) {
		const struct need now = executable(&maps, r);

		err = find_place(&maps, r, (struct need){r->code_low, r->code_high}, skip, &base);
		if (err == -ENOSPC && now.high)
			err = find_place(&maps, r, now, skip, &base);
		if (err == -ENOSPC && now.high)
			err = find_place(&maps, r, (struct need){now.low, now.low + 1}, skip,
					 &base);
	}
	if (!err)
		region_set_place(r, base, TOTAL_LEN);
	return err;
}

/* Others map memory meanwhile: look again, and a step further on, when the place was just taken. */
static int map_somewhere(struct region *r, uint64_t near, int fd)
{
	int err = map_parts(r, fd);

	for (uint64_t i = 1; i < PLACE_TRIES && err == -EEXIST; i++) {
		err = place(r, near, i * TOTAL_LEN);
		if (!err)
			err = map_parts(r, fd);
	}
	return err == -EEXIST ? -ENOSPC : err;
}

/*
 * Mapped to be executed, but never run as a program: with vm.memfd_noexec = 2 (Linux 6.3) nothing
 * else is allowed, and older kernels refuse the flag they do not know.
 */
static int make_memfd(struct remote *w)
{
	static const unsigned int kinds[] = {MFD_NOEXEC_SEAL, 0};
	int64_t fd = -EINVAL;
	uint64_t name;
	int err = remote_scratch(w, REGION_NAME, sizeof(REGION_NAME), &name);

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && !err && fd == -EINVAL; i++)
		fd = remote_syscall(
			w, SYS_memfd_create,
			(const uint64_t[6]){name, MFD_CLOEXEC | MFD_ALLOW_SEALING | kinds[i]});
	return err ? err : (int)fd;
}

/* The file behind the target's descriptor @fd: ours from now on, and its size fixed. */
static int take_file(struct region *r, int fd)
{
	pid_t holder;
	int err = remote_fetch_fd(r->remote, fd, REGION_PATH, &r->fd);

	if (!err)
		err = lock_file(r->fd, &holder);
	if (!err && (ftruncate(r->fd, (off_t)TOTAL_LEN) || fcntl(r->fd, F_ADD_SEALS, REGION_SEALS)))
		err = -errno;
	return err ? err : region_map_ours(r);
}

static int register_sync_core(struct remote *w)
{
	int64_t res = remote_syscall(w, SYS_membarrier, (const uint64_t[6]){REGISTER_SYNC_CORE});

	/* These are the kernel's; others are the remote's. */
	return res == -EINVAL || res == -ENOSYS || res == -EPERM ? -EOPNOTSUPP : (int)MIN(res, 0);
}

/* Within a remote call: everything but the contents. */
static int create_in(struct region *r, uint64_t near)
{
	int fd, err = register_sync_core(r->remote);

	if (err)
		return err;
	fd = make_memfd(r->remote);
	if (fd < 0)
		return fd;
	err = take_file(r, fd);
	if (!err)
		err = map_somewhere(r, near, fd);
	if (!err && r->remote->keeps_fd)
		r->target_fd = fd;
	else
		remote_syscall(r->remote, SYS_close, (const uint64_t[6]){(uint64_t)fd});
	return err;
}

static int create_error(int err)
{
	return err == -EACCES || err == -ENOSYS ? -EPERM : err;
}

static int create(struct remote *w, uint64_t code_low, uint64_t code_high, uint64_t near,
		  struct region **ret, uint64_t *paused_ns)
{
	struct region *r;
	int err, end;

	if (code_low >= code_high || code_high > MACHINE_ADDR_END)
		return -EINVAL;
	r = region_new(w, code_low, code_high);
	if (!r)
		return -ENOMEM;
	err = place(r, near, 0); /* while no thread has to wait for it */
	if (!err)
		err = remote_begin(w);
	if (!err) {
		err = create_error(create_in(r, near));
		*paused_ns = remote_paused_ns(w);
		end = remote_end(w);
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

int region_create(struct remote *w, uint64_t code_low, uint64_t code_high, struct region **ret,
		  uint64_t *paused_ns)
{
	return create(w, code_low, code_high, 0, ret, paused_ns);
}

int region_create_near(struct remote *w, uint64_t code_low, uint64_t code_high, uint64_t addr,
		       struct region **ret, uint64_t *paused_ns)
{
	if (!range_inside(addr, 1, code_low, code_high))
		return -EINVAL;
	return create(w, code_low, code_high, addr, ret, paused_ns);
}

/* --- removing --------------------------------------------------------------------------------- */

/* Is every page of the region still our file? Then it may be unmapped. */
static bool still_ours(const struct region *r)
{
	_cleanup_maps_ struct maps maps = {0};
	bool ours = true;

	if (remote_maps(r->remote, &maps))
		return false;
	for (uint64_t at = r->base; at < r->base + r->len && ours;) {
		const struct map_entry *e = maps_find(&maps, at);

		ours = e && !strcmp(e->path, REGION_PATH);
		at = ours ? e->end : at;
	}
	return ours;
}

/* Does a word that the table knows still lead into the region? Then unmapping it would be fatal. */
static bool still_diverted(struct region *r)
{
	if (r->len != TOTAL_LEN)
		return false;
	for (uint32_t slot = 1; slot < REGION_SLOTS; slot++) {
		const struct region_slot e =
			*(volatile struct region_slot *)region_slot_entry(r, slot);
		uint64_t word, back;

		if (region_diverts_to(r, &e) == UINT32_MAX)
			continue;
		if (remote_read(r->remote, e.addr, &word, sizeof(word)) ||
		    region_word_back(r, &e, word, &back))
			return true;
	}
	return false;
}

/* The target may have closed it and opened another file there: it must still be this very one. */
static void close_target_fd(struct region *r)
{
	_cleanup_close_ int fd = -1;
	struct stat ours, theirs;

	if (r->target_fd < 0 || remote_fetch_fd(r->remote, r->target_fd, REGION_PATH, &fd))
		return;
	if (!fstat(r->fd, &ours) && !fstat(fd, &theirs) && ours.st_ino == theirs.st_ino)
		remote_syscall(r->remote, SYS_close, (const uint64_t[6]){(uint64_t)r->target_fd});
	r->target_fd = -1;
}

/* Nothing leads in any more, so a thread that is inside will soon have left. */
static int wait_outside(const struct region *r)
{
	uint64_t until_ns = clock_ns() + OUTSIDE_WAIT_MS * NSEC_PER_MSEC;
	int res = remote_outside(r->remote, r->base, r->base + r->len, NULL, NULL);

	while (!res && clock_ns() < until_ns) {
		usleep(OUTSIDE_PAUSE_US);
		res = remote_outside(r->remote, r->base, r->base + r->len, NULL, NULL);
	}
	return res;
}

int region_unmap(struct region *r)
{
	int64_t res = -ESRCH;
	int err;

	if (still_diverted(r))
		return -EBUSY;
	err = wait_outside(r);
	if (err <= 0)
		return err ? err : -EBUSY;
	err = remote_begin(r->remote);
	if (err)
		return err;
	if (still_ours(r))
		res = remote_syscall(r->remote, SYS_munmap, (const uint64_t[6]){r->base, r->len});
	if (!res)
		close_target_fd(r);
	err = remote_end(r->remote);
	return res < 0 ? (int)res : err;
}
