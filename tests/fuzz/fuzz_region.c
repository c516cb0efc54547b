// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): the table of a region that was left in a target, which has had it in its
 * hands since. Whatever it says: a word of code changes only if a jump into this region is in it,
 * only to what has no such jump, and nothing outside of the code is written.
 *
 * The input: flags, then {slot, word, change, place, value} for each entry of the table. The entry
 * is what we make of that word; change says what of it is spoiled.
 */
#include "fuzz.h"
#include "remote/remote.h"
#include "arch/stub.h"
#include "region/region_table.h"

#define CODE_ADDR   0x7f0000000000ULL
#define CODE_WORDS  512u
#define BASE	    (CODE_ADDR + 0x1000000)
#define ENTRIES_MAX 64

enum { FILE_TEXT = 1, ODD_MAGIC = 2, NO_BARRIER = 8 };
enum { SPOIL_ENTRY = 1, SPOIL_CODE = 2, NOT_DIVERTED = 4, OWN_BREAKPOINT = 8, BAD_SLOT = 16 };

static uint64_t code[CODE_WORDS];
static struct region *region;
static uint8_t flags;
static int begun;

static int fake_begin(struct remote *w)
{
	(void)w;
	fuzz_check(!begun++);
	return 0;
}

static int fake_end(struct remote *w)
{
	(void)w;
	fuzz_check(begun-- == 1);
	return 0;
}

static uint64_t fake_paused_ns(const struct remote *w)
{
	(void)w;
	return 0;
}

static int fake_syscall(struct remote *w, long nr, const uint64_t args[static 6], int64_t *ret)
{
	(void)w;
	(void)nr;
	fuzz_check(begun == 1);
	/* mprotect(2): of the code only */
	fuzz_check(range_inside(args[0], args[1], CODE_ADDR, CODE_ADDR + sizeof(code)));
	*ret = 0;
	return 0;
}

/* What the stub does: see arch/stub.h. */
static int fake_call(struct remote *w, uint64_t addr, const uint64_t args[static 3])
{
	volatile struct patch_op *ops = region->table_map->patch;

	(void)w;
	fuzz_check(begun == 1 && addr == region->stub_patch && args[1] <= PATCH_BATCH_MAX);
	region->table_map->patch_status = flags & NO_BARRIER ? -EINVAL : 0;
	for (size_t i = 0; i < args[1] && !(flags & NO_BARRIER); i++) {
		uint64_t *word = &code[(ops[i].addr - CODE_ADDR) / sizeof(uint64_t)];

		fuzz_check(ops[i].addr % sizeof(uint64_t) == 0);
		fuzz_check(range_inside(ops[i].addr, sizeof(uint64_t), CODE_ADDR,
					CODE_ADDR + sizeof(code)));
		ops[i].seen = *word;
		if (*word == ops[i].expect)
			*word = ops[i].desire;
	}
	return 0;
}

static int fake_maps(struct remote *w, struct maps *ret)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "%llx-%llx %s 00000000 00:00 0 \n", CODE_ADDR,
			 CODE_ADDR + sizeof(code), flags & FILE_TEXT ? "rwxp" : "r-xp");

	(void)w;
	return maps_parse(text, (size_t)n, ret);
}

static int fake_read(struct remote *w, uint64_t addr, void *buf, size_t len)
{
	(void)w;
	if (range_inside(addr, len, CODE_ADDR, CODE_ADDR + sizeof(code)))
		memcpy(buf, (uint8_t *)code + (addr - CODE_ADDR), len);
	else if (range_inside(addr, len, BASE, BASE + TOTAL_LEN))
		memcpy(buf, region->text_map + (addr - BASE), len);
	else
		return -EFAULT;
	return 0;
}

static int fake_wait_calls(struct remote *w)
{
	(void)w;
	return 0;
}

static const struct remote_ops ops = {
	.name = "fake",
	.begin = fake_begin,
	.syscall = fake_syscall,
	.call = fake_call,
	.paused_ns = fake_paused_ns,
	.end = fake_end,
	.maps = fake_maps,
	.read = fake_read,
	.wait_calls = fake_wait_calls,
};

static void region_make(void)
{
	static struct remote remote = {.ops = &ops, .pid = 1};

	region = region_new(&remote, CODE_ADDR, CODE_ADDR + sizeof(code));
	fuzz_check(region != NULL);
	region->fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	fuzz_check(region->fd >= 0 && !ftruncate(region->fd, TOTAL_LEN) &&
		   !fcntl(region->fd, F_ADD_SEALS, REGION_SEALS));
	region_set_place(region, BASE, TOTAL_LEN);
	fuzz_check(!region_map_ours(region));
}

/* Does @word, at @addr, hold a jump into the region? */
static bool leads_in(uint64_t word, uint64_t addr)
{
	const uint8_t *p = (const uint8_t *)&word;

	for (size_t at = 0; at + 5 <= sizeof(word); at++) {
		int32_t rel;
		uint64_t to;

		memcpy(&rel, p + at + 1, sizeof(rel));
		to = addr + at + 5 + (uint64_t)(int64_t)rel;
		/* Where a uprobe is, of us or of others, its breakpoint hides the jump. */
		if (to >= BASE && to < BASE + TOTAL_LEN)
			return true;
	}
	return false;
}

static void make_entry(struct fuzz_input *in)
{
	uint32_t slot = (uint32_t)fuzz_number(in, 2) % REGION_SLOTS;
	uint32_t word = (uint32_t)fuzz_number(in, 2) % CODE_WORDS;
	uint8_t change = (uint8_t)fuzz_number(in, 1), place = (uint8_t)fuzz_number(in, 1);
	uint8_t value = (uint8_t)fuzz_number(in, 1), at = place % 4;
	struct region_slot e = {.addr = CODE_ADDR + word * sizeof(uint64_t), .orig = code[word]};
	uint8_t divert[sizeof(uint64_t)];
	int32_t rel = (int32_t)(region_slot_text(region, slot) - (e.addr + at + 5));

	memcpy(divert, &e.orig, sizeof(divert));
	divert[at] = 0xe9;
	memcpy(divert + at + 1, &rel, sizeof(rel));
	memcpy(&e.divert, divert, sizeof(divert));
	if (!(change & NOT_DIVERTED))
		code[word] = e.divert;
	if (change & OWN_BREAKPOINT)
		((uint8_t *)&code[word])[at] = 0xcc;
	if (change & SPOIL_CODE)
		((uint8_t *)&code[word])[place / 4 % 8] ^= value;
	if (change & SPOIL_ENTRY)
		((uint8_t *)&e)[place % sizeof(e)] ^= value;
	if (change & BAD_SLOT)
		slot = (slot + value) % REGION_SLOTS;
	*region_slot_entry(region, slot) = e;
}

static void check_words(const uint64_t *before, size_t restored)
{
	size_t changed = 0;

	for (size_t i = 0; i < CODE_WORDS; i++) {
		uint64_t addr = CODE_ADDR + i * sizeof(uint64_t);

		if (code[i] == before[i])
			continue;
		changed++;
		fuzz_check(leads_in(before[i], addr));
	}
	fuzz_check(changed <= restored);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint64_t before[CODE_WORDS];
	struct fuzz_input in = {data, len};
	size_t restored, skipped;
	int err;

	if (!region)
		region_make();
	memset(region->table_map, 0, TABLE_LEN);
	flags = (uint8_t)fuzz_number(&in, 1);
	region->file_text = flags & FILE_TEXT;
	region->unsure = false;
	region->rw_low = region->rw_high = 0;
	region->table_map->magic = REGION_MAGIC ^ !!(flags & ODD_MAGIC);
	region->table_map->version = REGION_VERSION;
	for (size_t i = 0; i < CODE_WORDS; i++)
		code[i] = 0x9090909090909090ULL ^ i * 0x10100000101ULL;
	for (size_t i = 0; i < ENTRIES_MAX && in.len; i++)
		make_entry(&in);
	memcpy(before, code, sizeof(before));
	err = region_restore(region, &restored, &skipped);
	fuzz_check(!begun && (!err || err == -EOPNOTSUPP));
	fuzz_check(restored + skipped <= REGION_SLOTS);
	fuzz_check(!(flags & ODD_MAGIC) || !restored);
	check_words(before, restored);
	return 0;
}
