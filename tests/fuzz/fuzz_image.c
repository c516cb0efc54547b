// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): a small native image of some layout, with bytes of its heap changed. Each
 * four bytes of the input are a place and a value; the first byte is the layout.
 */
#include <unistd.h>

#include "tests/fake_image.h"
#include "target/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct fake_image f;
	struct image_about about;
	struct image_map map;
	int fd;

	if (!len)
		return 0;
	fake_image_make(&f, data[0] % FAKE_HEAP_KINDS);
	for (size_t i = 1; i + 4 <= len; i += 4) {
		size_t at = (data[i] | (size_t)data[i + 1] << 8) % (f.len - 1);

		f.heap[at] = data[i + 2];
		f.heap[at + 1] = data[i + 3];
	}
	fd = fake_image_fd(&f);
	if (image_look(fd, &about))
		abort();
	if (!image_map_read(fd, &map)) {
		for (uint32_t i = 0; i < map.n; i++)
			if (image_map_at(&map, map.methods[i].entry) != &map.methods[i] ||
			    map.methods[i].name >= map.text_len || map.methods[i].klass >= map.text_len)
				abort();
		image_map_fini(&map);
	}
	close(fd);
	return 0;
}
