// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): a small native image of some layout, with bytes of its heap changed.
 * Each four bytes of the input are a place and a value; the first byte is the layout.
 */
#include <unistd.h>

#include "lib/fake_image.h"
#include "runtime/image/image.h"
#include "runtime/image/image_heap.h"

/* The same questions of the copy and of the file; every object, and the classes of live ones. */
static void ask_heap(int fd)
{
	char buf[512], again[512];
	struct image_objects o;
	struct image_heap h, g;
	struct elffile f;

	if (elffile_open_any(fd, &f))
		abort();
	if (!image_heap_open(&f, &h)) {
		if (image_heap_open(&f, &g) || image_heap_drop_copy(&g, &f))
			abort();
		image_heap_objects(&h, &o);
		if (image_heap_class_of_word(&g, o.string_klass_word, buf, sizeof(buf)) < 0)
			abort();
		for (uint64_t pos = 0; pos < h.size; pos += 8) {
			int n = image_heap_string(&h, pos, buf, sizeof(buf));

			if (n != image_heap_string(&g, pos, again, sizeof(again)) ||
			    (n >= 0 && strcmp(buf, again)))
				abort();
			image_heap_class_of_word(&g, pos, buf, sizeof(buf));
		}
		image_heap_close(&h);
		image_heap_close(&g);
	}
	elffile_close(&f);
}

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
			    map.methods[i].name >= map.text_len ||
			    map.methods[i].klass >= map.text_len)
				abort();
		image_map_fini(&map);
	}
	ask_heap(fd);
	close(fd);
	return 0;
}
