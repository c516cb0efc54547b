// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): a small native image with bytes of its file changed, its headers
 * included, and the tables of its code overwritten. Every method that is told lies in order, and
 * has a class and a name that are there.
 *
 * The input: which image, how many changes, {place, value} for each, which table, then what is
 * written there from its beginning on.
 */
#include "fuzz.h"
#include "lib/fake_image.h"
#include "runtime/image/image.h"
#include "runtime/image/image_code.h"
#include "runtime/image/image_frame.h"
#include "runtime/image/image_map.h"

#define FILE_MAX    (128u << 10)
#define CHANGES_MAX 64

struct file {
	uint8_t bytes[FILE_MAX];
	size_t len, heap; /* where the heap begins */
	struct fake_image image;
};

static void file_make(struct file *f, enum fake_image_kind kind)
{
	const uint8_t *heap;
	int fd;

	fake_image_make(&f->image, kind);
	fd = fake_image_fd(&f->image);
	lseek(fd, 0, SEEK_SET);
	f->len = (size_t)read(fd, f->bytes, sizeof(f->bytes));
	close(fd);
	fuzz_check(f->len < sizeof(f->bytes));
	heap = memmem(f->bytes, f->len, f->image.heap, f->image.len);
	fuzz_check(heap != NULL);
	f->heap = (size_t)(heap - f->bytes);
}

static void ask_frames(const struct image_info *info, uint64_t work)
{
	for (uint32_t at = 0; at < MIN(info->frames.len, 64u); at++)
		for (enum frame_form form = FRAME_PLAIN; form <= FRAME_METHODS; form++) {
			struct image_info copy = *info;
			uint64_t left = work;
			struct frame frame;

			copy.work = &left;
			if (!image_frame_default(&copy, form, at, &frame) && form != FRAME_METHODS)
				fuzz_check(frame.klass < info->nclasses &&
					   frame.name < info->nnames);
			if (form != FRAME_METHODS &&
			    !image_frame_outermost(&copy, form, at, &frame))
				fuzz_check(frame.klass < info->nclasses &&
					   frame.name < info->nnames);
		}
}

static void ask_code(const struct image_info *info)
{
	struct code_start *starts = NULL;
	size_t n;

	if (image_code_read(info, &starts, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		const struct code_start *s = &starts[i];

		fuzz_check(!i || s[-1].ip < s->ip);
		fuzz_check(s->ip < info->code_size);
		fuzz_check((s->klass == CODE_NO_NAME) == (s->name == CODE_NO_NAME));
		fuzz_check(s->klass == CODE_NO_NAME ||
			   (s->klass < info->nclasses && s->name < info->nnames));
	}
	free(starts);
}

static void ask_heap(int fd)
{
	struct image_info info;
	struct image_heap h;
	struct elffile f;

	if (elffile_open_any(fd, &f))
		return;
	if (!image_heap_open(&f, &h)) {
		if (!image_info_find(&f, &h, 0, &info)) {
			ask_code(&info);
			ask_frames(&info, 4096);
		}
		image_heap_close(&h);
	}
	elffile_close(&f);
}

static void ask_map(int fd)
{
	struct image_map map;

	if (image_map_read(fd, &map))
		return;
	fuzz_check(map.n && map.n <= map.starts && map.names > NAMES_NONE);
	fuzz_check(map.text_len && !map.text[map.text_len - 1]);
	for (uint32_t i = 0; i < map.n; i++) {
		const struct image_method *m = &map.methods[i];

		fuzz_check(m->entry < m->end && (!i || m[-1].end <= m->entry));
		fuzz_check(m->klass < map.text_len && m->name < map.text_len);
		fuzz_check(m->desc < map.text_len && m->symbol < map.text_len && m->overloads);
		fuzz_check(image_map_at(&map, m->entry) == m);
	}
	image_map_fini(&map);
}

static void change(const struct file *f, uint8_t *bytes, struct fuzz_input *in)
{
	const size_t tables[] = {f->image.encodings, f->image.frames, f->image.index,
				 f->image.methods};
	size_t n = fuzz_number(in, 1) % CHANGES_MAX, at;

	for (size_t i = 0; i < n && in->len; i++) {
		size_t place = fuzz_number(in, 3) % f->len;

		bytes[place] = (uint8_t)fuzz_number(in, 1);
	}
	at = f->heap + tables[fuzz_number(in, 1) % ARRAY_SIZE(tables)];
	if (at < f->len)
		memcpy(bytes + at, in->p, MIN(in->len, f->len - at));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct file files[FAKE_HEAP_KINDS];
	static uint8_t bytes[FILE_MAX];
	struct fuzz_input in = {data, len};
	struct file *f = &files[fuzz_number(&in, 1) % FAKE_HEAP_KINDS];
	struct image_about about;
	int fd;

	if (!files[0].len)
		for (int i = 0; i < FAKE_HEAP_KINDS; i++)
			file_make(&files[i], i);
	memcpy(bytes, f->bytes, f->len);
	change(f, bytes, &in);
	fd = fuzz_file(bytes, f->len);
	image_look(fd, &about);
	ask_map(fd);
	ask_heap(fd);
	close(fd);
	return 0;
}
