// SPDX-License-Identifier: MIT
/* Fuzz target (libFuzzer): any text through the maps parser, and what rests on its promises. */
#include <stdlib.h>

#include "proc/maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct maps m;
	uint64_t gap;

	if (maps_parse((const char *)data, len, &m))
		return 0;
	for (size_t i = 0; i < m.n; i++) {
		const struct map_entry *e = &m.entries[i];

		if (e->start >= e->end || (i && e->start < e[-1].end) ||
		    strlen(e->path) > MAPS_PATH_MAX || maps_find(&m, e->start) != e)
			abort();
		if (!maps_gap_below(&m, e->end, 0, 0x1000, &gap) &&
		    (maps_find(&m, gap) || maps_find(&m, gap + 0xfff) || gap + 0x1000 > e->end))
			abort();
	}
	maps_fini(&m);
	return 0;
}
