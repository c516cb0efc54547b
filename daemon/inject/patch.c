// SPDX-License-Identifier: MIT
/* patch.c - change code words in the target: the only writer of code. See patch.h. */
#include "inject/patch.h"
#include "inject/region_table.h"

static bool op_valid(const struct region *r, const struct patch_op *op)
{
	return op->addr % sizeof(uint64_t) == 0 &&
	       range_inside(op->addr, sizeof(uint64_t), r->code_low, r->code_high);
}

int patch_apply(struct region *r, struct patch_op *ops, size_t n, uint64_t *paused_ns)
{
	const uint64_t args[3] = {r->table + offsetof(struct region_table, patch), n, 0};
	struct patch_op *list = r->table_map->patch;
	struct hijack *h;
	int err, end;

	if (n > PATCH_BATCH_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (!op_valid(r, &ops[i]))
			return -EINVAL;
	}
	memcpy(list, ops, n * sizeof(*ops));
	/* A word that is never tried must not look swapped. */
	for (size_t i = 0; i < n; i++)
		list[i].seen = ~ops[i].expect;
	err = hijack_open(r->pid, &h);
	if (err)
		return err;
	err = hijack_call(h, r->stub_patch, args);
	if (paused_ns)
		*paused_ns = hijack_paused_ns(h);
	end = hijack_close(h);
	for (size_t i = 0; i < n; i++)
		ops[i].seen = list[i].seen;
	return err ? err : end;
}
