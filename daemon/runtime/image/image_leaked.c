// SPDX-License-Identifier: MIT
/* image_leaked.c - breakpoints that nobody has a uprobe for. See image_leaked.h. */
#include "runtime/image/image_leaked.h"
#include "arch/insn.h"
#include "kernel/probe_bpf.h"
#include "runtime/image/image_config.h"

#define CHUNK	   (64u << 10)
#define RING_BYTES (64u << 10)

struct leaked {
	struct probe_place *places; /* owned, LEAKED_MAX of them */
	size_t n;
};

/* What differs from the file by being a breakpoint. */
static void compare(struct leaked *l, const uint8_t *now, const uint8_t *file, size_t len,
		    uint64_t offset)
{
	for (size_t i = 0; i < len && l->n < LEAKED_MAX; i++)
		if (now[i] != file[i] && insn_is_trap(&now[i]))
			l->places[l->n++] = (struct probe_place){.offset = offset + i};
}

/* Pages that cannot be read are passed over. */
static int find(const struct image_proc *p, const struct elffile *f, struct leaked *l)
{
	_cleanup_free_ uint8_t *now = malloc(CHUNK), *file = malloc(CHUNK);

	if (!now || !file)
		return -ENOMEM;
	l->n = 0;
	for (uint64_t at = p->code_low; at < p->code_high; at += CHUNK) {
		uint64_t len = MIN(p->code_high - at, (uint64_t)CHUNK), offset;

		if (!image_file_offset(f, at - p->bias, len, &offset) ||
		    elffile_pread(f, file, len, offset) != len)
			continue;
		if (mem_read(p->mem, at, now, len) == 0)
			compare(l, now, file, len, offset);
	}
	return 0;
}

static int no_record(void *arg _unused_, const struct hp_record *rec _unused_, size_t size _unused_)
{
	return 0;
}

/* A uprobe of ours on each, and off again. */
static int touch(const struct image_proc *p, int fd, const struct leaked *l, struct fail *fail)
{
	struct probe_bpf *bpf = NULL;
	struct hp_config config;
	char path[32];
	int err;

	image_config(NULL, 0, &config);
	err = probe_bpf_open(&config, RING_BYTES, no_record, NULL, &bpf, fail);
	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = probe_bpf_attach(bpf, p->id.pid, path, l->places, l->n);
	probe_bpf_close(bpf);
	if (err)
		fail_pid(fail, err, p->id.pid, "breakpoints that were left cannot be removed: %s",
			 fail_strerror(err));
	return err;
}

int image_leaked_remove(const struct image_proc *p, const struct elffile *f, int fd,
			struct fail *fail)
{
	_cleanup_free_ struct probe_place *places = calloc(LEAKED_MAX, sizeof(*places));
	struct leaked l = {.places = places};
	size_t before;
	int err = places ? find(p, f, &l) : -ENOMEM;

	if (err || !l.n)
		return err;
	before = l.n;
	err = touch(p, fd, &l, fail);
	if (!err)
		err = find(p, f, &l);
	return err ? err : (int)(before - MIN(before, l.n));
}
