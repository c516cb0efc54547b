// SPDX-License-Identifier: MIT
/*
 * region_recover.c - what an earlier instance left in a target: find it, and put everything back.
 * See region.h. All that is found lies in the target's hands and is believed only as far as it can
 * be checked.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "proc/entry.h"
#include "proc/lock.h"
#include "proc/memfd.h"
#include "region/region_table.h"
#include "proc/maps.h"

static bool is_part(const struct map_entry *e, const struct map_entry *first, uint64_t off,
		    uint64_t len, bool write, bool shared)
{
	return !strcmp(e->path, REGION_PATH) && e->inode == first->inode &&
	       e->dev_major == first->dev_major && e->dev_minor == first->dev_minor &&
	       e->offset == off && e->start == first->start + off && e->end - e->start == len &&
	       e->write == write && e->exec == !write && e->shared == shared;
}

/*
 * Length of the region that begins at @i: the text, then as many of the other parts as were mapped
 * before its maker was killed; 0 when it is none.
 */
static uint64_t region_len(const struct maps *maps, size_t i)
{
	const struct map_entry *e = &maps->entries[i];

	if (!is_part(e, e, 0, TEXT_LEN, false, false))
		return 0;
	if (i + 1 == maps->n || !is_part(e + 1, e, TEXT_LEN, CODE_LEN, false, true))
		return TEXT_LEN;
	if (i + 2 == maps->n || !is_part(e + 2, e, TABLE_OFF, TABLE_LEN, true, true))
		return TABLE_OFF;
	return TOTAL_LEN;
}

/* More of them, and the target plays games. */
#define FDS_MAX 4096

/*
 * The target's own descriptor of the memfd with this inode.
 * @fd_ret: where it is to be opened, may be NULL. Return: its number; -ENOENT; ...
 */
static int find_fd(struct remote *w, uint64_t inode, int *fd_ret)
{
	for (int i = 0, number = 0; i < FDS_MAX; i++, number++) {
		_cleanup_close_ int fd = -1;
		struct stat st;

		number = remote_next_fd(w, number, REGION_PATH);
		if (number < 0)
			return number;
		if (remote_fetch_fd(w, number, REGION_PATH, &fd) || fstat(fd, &st) ||
		    st.st_ino != inode)
			continue;
		if (fd_ret)
			*fd_ret = take_fd(fd);
		return number;
	}
	return -ENOENT;
}

/*
 * The file behind the mapping at @r->text. Where the mapping itself does not lead us to it, its
 * maker will have kept a descriptor in the target (remote.h).
 */
static int open_mapped(struct region *r, const struct map_entry *text)
{
	char name[ENTRY_PATH_MAX], path[ENTRY_PATH_MAX];
	int err;

	snprintf(name, sizeof(name), "map_files/%llx-%llx", (unsigned long long)text->start,
		 (unsigned long long)text->end);
	err = entry_path(r->remote->pid, name, path);
	if (!err)
		err = memfd_reopen(path, REGION_PATH, &r->fd);
	r->target_fd = find_fd(r->remote, text->inode, err ? &r->fd : NULL);
	if (err == -EPERM && r->remote->keeps_fd)
		err = r->target_fd < 0 ? -EPERM : 0;
	return err;
}

static int open_found(struct region *r, const struct map_entry *text, pid_t *holder)
{
	int err = open_mapped(r, text);

	if (!err)
		err = lock_file(r->fd, holder);
	return err ? err : region_map_ours(r);
}

/* The @index-th mapping in @maps that begins a file of our name, or @maps->n. */
static size_t find_first(const struct maps *maps, size_t index)
{
	for (size_t i = 0; i < maps->n; i++) {
		const struct map_entry *e = &maps->entries[i];

		if (e->offset == 0 && !strcmp(e->path, REGION_PATH) && index-- == 0)
			return i;
	}
	return maps->n;
}

static int find_in(const struct maps *maps, size_t index, struct region *r, pid_t *holder)
{
	size_t i = find_first(maps, index);
	uint64_t len;

	if (i == maps->n)
		return -ENOENT;
	len = region_len(maps, i);
	if (!len)
		return -EPROTO;
	region_set_place(r, maps->entries[i].start, len);
	return open_found(r, &maps->entries[i], holder);
}

/* A thread that its killed maker sent to map the next part may just be doing that. */
static int settle_len(struct region *r)
{
	_cleanup_maps_ struct maps maps = {0};
	uint64_t len = 0;
	int err = remote_wait_calls(r->remote);

	if (!err)
		err = remote_maps(r->remote, &maps);
	if (err)
		return err;
	for (size_t i = 0; i < maps.n; i++)
		if (maps.entries[i].start == r->base)
			len = region_len(&maps, i);
	region_set_place(r, r->base, len);
	return len ? 0 : -ESRCH;
}

int region_find(struct remote *w, uint64_t code_low, uint64_t code_high, size_t index,
		struct region **ret, pid_t *holder)
{
	struct region *r = region_new(w, code_low, code_high);
	_cleanup_maps_ struct maps maps = {0};
	int err;

	*holder = 0;
	if (!r)
		return -ENOMEM;
	err = remote_maps(w, &maps);
	if (!err)
		err = find_in(&maps, index, r, holder);
	if (!err)
		err = settle_len(r);
	if (err) {
		region_close(r);
		return err;
	}
	*ret = r;
	return 0;
}

/* --- undoing ---------------------------------------------------------------------------------- */

/* What to do about @e: nothing, if HotSpot has retired or freed the method. */
static bool plan_back(const struct region *r, const struct region_slot *e, struct patch_op *op)
{
	op->addr = e->addr;
	return !remote_read(r->remote, e->addr, &op->expect, sizeof(op->expect)) &&
	       region_word_back(r, e, op->expect, &op->desire);
}

static int put_back(struct region *r, struct patch_op *ops, size_t n, size_t *restored,
		    size_t *skipped)
{
	int err = n ? patch_apply(r, ops, n, NULL) : 0;

	for (size_t i = 0; i < n && !err; i++)
		++*(ops[i].seen == ops[i].expect ? restored : skipped);
	return err;
}

int region_restore(struct region *r, size_t *restored, size_t *skipped)
{
	_cleanup_free_ struct patch_op *ops = calloc(PATCH_BATCH_MAX, sizeof(*ops));
	size_t n = 0;
	int err = 0;

	*restored = *skipped = 0;
	if (!ops)
		return -ENOMEM;
	if (r->len != TOTAL_LEN || r->table_map->magic != REGION_MAGIC ||
	    r->table_map->version != REGION_VERSION)
		return 0; /* its maker was killed before it was filled: nothing leads here */
	region_write_stub(r);
	err = patch_find_writable(r);
	for (uint32_t slot = 1; slot < REGION_SLOTS && !err; slot++) {
		/* Copied before it is checked: the target may write there meanwhile. */
		const struct region_slot e =
			*(volatile struct region_slot *)region_slot_entry(r, slot);

		if (!e.addr)
			continue;
		if (region_diverts_to(r, &e) != slot || !plan_back(r, &e, &ops[n])) {
			++*skipped;
			continue;
		}
		if (++n == PATCH_BATCH_MAX) {
			err = put_back(r, ops, n, restored, skipped);
			n = 0;
		}
	}
	if (!err)
		err = put_back(r, ops, n, restored, skipped);
	return err ? err : patch_seal(r);
}

bool region_is_mapped(pid_t pid)
{
	_cleanup_maps_ struct maps maps = {0};
	bool found = false;

	if (maps_read(pid, &maps))
		return false;
	for (size_t i = 0; i < maps.n && !found; i++)
		found = !strcmp(maps.entries[i].path, REGION_PATH);
	return found;
}

/* --- descriptors ------------------------------------------------------------------------------ */

static bool is_mapped(const struct maps *maps, uint64_t inode)
{
	for (size_t i = 0; i < maps->n; i++)
		if (maps->entries[i].inode == inode && !strcmp(maps->entries[i].path, REGION_PATH))
			return true;
	return false;
}

/* Is the target's descriptor @number the memfd of a region that nobody owns, and that is not
 * mapped? */
static bool is_stray_fd(struct remote *w, int number, const struct maps *maps)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	pid_t holder;

	return !remote_fetch_fd(w, number, REGION_PATH, &fd) && !lock_file(fd, &holder) &&
	       !fstat(fd, &st) && !is_mapped(maps, st.st_ino);
}

/* Within a remote call. Return: how many were closed; -ESRCH; ... */
static int close_strays(struct remote *w, const struct maps *maps)
{
	int closed = 0, fd = 0;

	for (int i = 0; i < FDS_MAX; i++) {
		fd = remote_next_fd(w, fd, REGION_PATH);
		if (fd < 0)
			return fd == -ENOENT ? closed : fd;
		if (is_stray_fd(w, fd, maps))
			closed += remote_syscall(w, SYS_close, (const uint64_t[6]){(uint64_t)fd}) ==
				  0;
		fd++;
	}
	return closed;
}

int region_close_fds(struct remote *w)
{
	_cleanup_maps_ struct maps maps = {0};
	int closed, err = remote_wait_calls(w);

	if (!err)
		err = remote_next_fd(w, 0, REGION_PATH);
	if (err < 0)
		return err == -ENOENT ? 0 : err;
	err = remote_maps(w, &maps);
	if (err)
		return err;
	closed = remote_begin(w);
	if (!closed) {
		closed = close_strays(w, &maps);
		remote_end(w);
	}
	return closed;
}

int region_leftovers(struct remote *w)
{
	_cleanup_maps_ struct maps maps = {0};
	int err = remote_maps(w, &maps), fd, n = 0;

	if (err)
		return err;
	for (size_t i = 0; i < maps.n; i++)
		n += !strncmp(maps.entries[i].path, REGION_ANY, strlen(REGION_ANY));
	fd = remote_next_fd(w, 0, REGION_PATH);
	return fd == -ENOENT ? n : fd < 0 ? fd : n + 1;
}
