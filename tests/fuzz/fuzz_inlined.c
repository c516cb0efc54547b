// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): what a compiled body says that it was made of, whatever that is. Only
 * copies of methods that were asked for are told, and never of the body's own.
 *
 * The input: which form, the places of the parts, then all bytes of the parts.
 */
#include "fuzz.h"
#include "lib/fake_target.h"
#include "runtime/hotspot/inlined.h"
#include "runtime/hotspot/layout_code.h"

#define ADDR 0x100000
#define ROOM 4096
#define OWN  1
#define LAST 4 /* Method*s: a list may hold these and others */

static const struct field none = {FIELD_NONE, 0};

static const struct layout_code forms[] = {
	{.made_of_span = 48,
	 .u5_excluded = 1,
	 .immutable = {0, 8},
	 .mutable = {8, 8},
	 .immutable_size = {16, 4},
	 .mutable_size = {20, 4},
	 .relocation_size = {24, 4},
	 .scopes_pcs_offset = {28, 4},
	 .scopes_data_offset = {32, 4},
	 .nul_table_offset = {36, 4}},
	{.made_of_span = 48,
	 .mutable = {FIELD_NONE, 0},
	 .scopes_data_begin = {0, 8},
	 .metadata_offset = {8, 4},
	 .dependencies_offset = {12, 4},
	 .handler_table_offset = {16, 4},
	 .scopes_pcs_offset = {20, 4}},
};

/* Places are small numbers: others lead out of the room at once. */
static void put_front(struct fake_target *t, struct fuzz_input *in)
{
	fake_put64(t, ADDR, ADDR + fuzz_number(in, 2) % (2 * ROOM));
	fake_put64(t, ADDR + 8, fuzz_number(in, 2) % (2 * ROOM));
	for (uint64_t at = 16; at < 48; at += 4)
		fake_put32(t, ADDR + at, (uint32_t)(fuzz_number(in, 2) % (2 * ROOM)));
}

static struct symmap *one_body(void)
{
	const struct nmethod nm = {
		.addr = ADDR,
		.method_addr = OWN,
		.level = 4,
		.kind = NMETHOD_C2,
		.m = {.klass = "a.B",
		      .name = "c",
		      .desc = "()V",
		      .symbol = "",
		      .begin = ADDR + 8,
		      .entry = ADDR + 8,
		      .end = ADDR + ROOM},
	};
	struct symmap *map = symmap_new();

	fuzz_check(map && symmap_add(map, &nm, NULL) == 1);
	return map;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint64_t wanted[] = {OWN, 2, LAST};
	static struct fake_target t;
	static struct symmap *map;
	struct fuzz_input in = {data, len};
	struct layout_code code = forms[fuzz_number(&in, 1) % ARRAY_SIZE(forms)];
	struct layout l = {.code = &code};
	struct inlined found;

	if (!map) {
		fake_target_init(&t, ADDR, ROOM);
		map = one_body();
	}
	put_front(&t, &in);
	if (code.mutable.off != none.off) /* a pointer there */
		fake_put64(&t, ADDR + 8, ADDR + fuzz_number(&in, 2) % (2 * ROOM));
	fuzz_take(&in, fake_at(&t, ADDR + 64, ROOM - 64), ROOM - 64);
	fuzz_check(!inlined_find(&t.mem, &l, map, wanted, ARRAY_SIZE(wanted), UINT64_MAX, &found));
	fuzz_check(found.all && found.bodies == 1 && found.n <= 2);
	for (size_t i = 0; i < found.n; i++)
		fuzz_check(found.copies[i].method == 2 || found.copies[i].method == LAST);
	inlined_fini(&found);
	return 0;
}
