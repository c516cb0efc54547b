// SPDX-License-Identifier: MIT
/*
 * region_find.c - what an earlier instance left in a target: find it, and put everything back.
 * See region.h. All that is found lies in the target's hands and is believed only as far as it can
 * be checked.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "inject/lock.h"
#include "inject/memfd.h"
#include "inject/region_table.h"
#include "inject/tracee.h"
#include "target/maps.h"

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

static int open_found(struct region *r, pid_t *holder)
{
	char path[64];
	struct stat st;
	int err, seals;

	region_text_path(r, path, sizeof(path));
	err = memfd_reopen(path, REGION_PATH, &r->fd);
	if (err)
		return err;
	seals = fcntl(r->fd, F_GET_SEALS);
	if (seals < 0 || (seals & REGION_SEALS) != REGION_SEALS)
		return -EPROTO;
	if (fstat(r->fd, &st) || (uint64_t)st.st_size != TOTAL_LEN)
		return -EPROTO;
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
	return open_found(r, holder);
}

/* A thread that its killed maker sent to map the next part may just be doing that. */
static int settle_len(struct region *r)
{
	struct maps maps;
	uint64_t len = 0;
	int err = hijack_wait_errands(r->pid);

	if (!err)
		err = maps_read(r->pid, &maps);
	if (err)
		return err;
	for (size_t i = 0; i < maps.n; i++)
		if (maps.entries[i].start == r->base)
			len = region_len(&maps, i);
	maps_fini(&maps);
	region_set_place(r, r->base, len);
	return len ? 0 : -ESRCH;
}

int region_find(pid_t pid, uint64_t code_low, uint64_t code_high, size_t index, struct region **ret,
		pid_t *holder)
{
	struct region *r = region_new(pid, code_low, code_high);
	struct maps maps;
	int err;

	*holder = 0;
	if (!r)
		return -ENOMEM;
	err = maps_read(pid, &maps);
	if (!err) {
		err = find_in(&maps, index, r, holder);
		maps_fini(&maps);
	}
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

/* Is that word in the code now? It is not if HotSpot retired or freed the method. */
static bool is_in_place(const struct region *r, const struct region_slot *e)
{
	uint64_t word;

	return !tracee_read(r->pid, e->addr, &word, sizeof(word)) && word == e->divert;
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
	for (uint32_t slot = 1; slot < REGION_SLOTS && !err; slot++) {
		/* Copied before it is checked: the target may write there meanwhile. */
		const struct region_slot e =
			*(volatile struct region_slot *)region_slot_entry(r, slot);

		if (!e.addr)
			continue;
		if (region_diverts_to(r, &e) != slot || !is_in_place(r, &e)) {
			++*skipped;
			continue;
		}
		ops[n++] = (struct patch_op){e.addr, e.divert, e.orig, 0};
		if (n == PATCH_BATCH_MAX) {
			err = put_back(r, ops, n, restored, skipped);
			n = 0;
		}
	}
	return err ? err : put_back(r, ops, n, restored, skipped);
}

/* --- descriptors ------------------------------------------------------------------------------ */

/* Is descriptor @name of @pid the memfd of a region that nobody owns? */
static bool is_stray_fd(pid_t pid, const char *name)
{
	char path[sizeof("/proc//fd/") + 32];
	_cleanup_close_ int fd = -1;
	pid_t holder;

	snprintf(path, sizeof(path), "/proc/%d/fd/%.16s", pid, name);
	return !memfd_reopen(path, REGION_PATH, &fd) && !lock_file(fd, &holder);
}

int region_close_fds(pid_t pid)
{
	struct hijack *h = NULL;
	char path[32];
	struct dirent *d;
	int closed = 0, err;
	DIR *dir;

	err = hijack_wait_errands(pid);
	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -EPERM;
	while (!err && (d = readdir(dir))) {
		if (!is_stray_fd(pid, d->d_name))
			continue;
		if (!h)
			err = hijack_open(pid, &h);
		if (!err && region_remote(h, SYS_close,
					  (const uint64_t[6]){strtoul(d->d_name, NULL, 10)}) == 0)
			closed++;
	}
	closedir(dir);
	hijack_close(h);
	return err ? err : closed;
}
