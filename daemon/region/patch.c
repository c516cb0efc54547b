// SPDX-License-Identifier: MIT
/* patch.c - change code words in the target: the only writer of code. See patch.h. */
#include <sys/mman.h>
#include <sys/syscall.h>

#include "region/patch.h"
#include "region/region_table.h"

#define STATUS_NONE INT64_MIN /* the stub did not come so far */

static bool op_valid(const struct region *r, const struct patch_op *op)
{
	return op->addr % sizeof(uint64_t) == 0 &&
	       range_inside(op->addr, sizeof(uint64_t), r->code_low, r->code_high);
}

/*
 * Where a fault would end the target, no word may be one that cannot be written. Reading it would
 * not tell: /proc/PID/mem shows pages without any permission, too (FOLL_FORCE, kernel
 * fs/proc/base.c).
 */
static int check_writable(const struct region *r, const struct patch_op *ops, size_t n)
{
	_cleanup_maps_ struct maps maps = {0};
	int err = remote_maps(r->remote, &maps);

	if (err)
		return err;
	for (size_t i = 0; i < n && !err; i++) {
		const struct map_entry *e = maps_find(&maps, ops[i].addr);

		err = e && e->read && e->write ? 0 : -EFAULT;
	}
	return err;
}

/* --- text of a file --------------------------------------------------------------------------- */

/* Add to what may be writable. */
static void note_writable(struct region *r, uint64_t low, uint64_t high)
{
	r->rw_low = r->rw_high ? MIN(r->rw_low, low) : low;
	r->rw_high = MAX(r->rw_high, high);
}

/*
 * Return: 0; -EACCES the target's security policy (a seccomp filter may call it EPERM), or its
 * limits, forbid what @prot asks for more; -ESRCH; as remote_begin().
 */
static int protect(struct region *r, uint64_t low, uint64_t high, int prot, uint64_t *paused_ns)
{
	int err = remote_begin(r->remote), end;

	if (err)
		return err;
	/* Another program has other things there. */
	err = region_there(r) ? 0 : -ESRCH;
	if (!err)
		err = (int)remote_syscall(r->remote, SYS_mprotect,
					  (const uint64_t[6]){low, high - low, (uint64_t)prot});
	if ((prot & PROT_WRITE) && (err == -EPERM || err == -ENOMEM))
		err = -EACCES;
	if (paused_ns)
		*paused_ns += remote_paused_ns(r->remote);
	end = remote_end(r->remote);
	return err ? err : end;
}

static int seal(struct region *r, uint64_t *paused_ns)
{
	int err = r->rw_high ? protect(r, r->rw_low, r->rw_high, PROT_READ | PROT_EXEC, paused_ns)
			     : 0;

	if (!err)
		r->rw_low = r->rw_high = 0;
	return err;
}

int patch_seal(struct region *r)
{
	return seal(r, NULL);
}

int patch_find_writable(struct region *r)
{
	_cleanup_maps_ struct maps maps = {0};
	int err = r->file_text ? remote_maps(r->remote, &maps) : 0;

	if (err || !r->file_text)
		return err;
	for (size_t i = 0; i < maps.n; i++) {
		const struct map_entry *e = &maps.entries[i];

		if (e->write && e->exec && e->start < r->code_high && e->end > r->code_low)
			note_writable(r, MAX(e->start, r->code_low & ~(REGION_PAGE - 1)),
				      MIN(e->end, REGION_ALIGN(r->code_high)));
	}
	return 0;
}

/*
 * From the first word's page to the last one's: page by page would take a thread of the target 50
 * us for each, and leave one mapping in pieces meanwhile.
 */
static int make_writable(struct region *r, const struct patch_op *ops, size_t n,
			 uint64_t *paused_ns)
{
	uint64_t low = UINT64_MAX, high = 0;

	for (size_t i = 0; i < n; i++) {
		low = MIN(low, ops[i].addr & ~(REGION_PAGE - 1));
		high = MAX(high, (ops[i].addr & ~(REGION_PAGE - 1)) + REGION_PAGE);
	}
	note_writable(r, low, high);
	return protect(r, low, high, PROT_READ | PROT_WRITE | PROT_EXEC, paused_ns);
}

/* The words are valid. */
static int swap(struct region *r, struct patch_op *ops, size_t n, uint64_t *paused_ns)
{
	const uint64_t args[3] = {r->table + offsetof(struct region_table, patch), n,
				  r->table + offsetof(struct region_table, patch_status)};
	volatile struct patch_op *list = r->table_map->patch;
	volatile int64_t *status = &r->table_map->patch_status;
	int err;

	/* A thread that did not stop in time may still be going through the list. */
	if (r->unsure && remote_wait_calls(r->remote))
		return -ETIMEDOUT;
	err = r->remote->ops->fault_is_fatal && n ? check_writable(r, ops, n) : 0;
	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		list[i] = ops[i];
	*status = STATUS_NONE;
	err = n ? region_call(r, r->stub_patch, args, paused_ns) : 0;
	for (size_t i = 0; i < n; i++)
		ops[i].seen = list[i].seen;
	r->unsure = err == -ETIMEDOUT;
	if (!err && n && *status)
		return -EOPNOTSUPP;
	return err;
}

/* Code that is mapped from a file (a native image's) may not be written: it is for the moment. */
static int swap_in_file_text(struct region *r, struct patch_op *ops, size_t n, uint64_t *paused_ns)
{
	uint64_t paused = 0;
	int err, after;

	err = make_writable(r, ops, n, &paused);
	if (!err)
		err = swap(r, ops, n, paused_ns);
	/*
	 * Also after a failure: some of the pages may be writable. But a thread that may still be
	 * about to write must find them so.
	 */
	after = r->unsure ? 0 : seal(r, &paused);
	if (paused_ns)
		*paused_ns += paused;
	return err ? err : after;
}

int patch_apply(struct region *r, struct patch_op *ops, size_t n, uint64_t *paused_ns)
{
	if (paused_ns)
		*paused_ns = 0;
	if (n > PATCH_BATCH_MAX || r->len != TOTAL_LEN)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (!op_valid(r, &ops[i]))
			return -EINVAL;
		ops[i].seen = ~ops[i].expect; /* a word that is never tried must not look swapped */
	}
	return r->file_text && n ? swap_in_file_text(r, ops, n, paused_ns)
				 : swap(r, ops, n, paused_ns);
}
