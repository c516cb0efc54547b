// SPDX-License-Identifier: MIT
/* image_info.c - find ImageCodeInfo in the heap of a native image. See image_info.h. */
#include "runtime/image/image_info.h"

/* The object's references, in the order in which they follow each other in every version seen. */
enum {
	REF_INDEX,
	REF_ENCODINGS,
	REF_REFMAP,
	REF_FRAMES,
	REF_CONSTANTS,
	REF_CLASSES,
	REF_NAMES,
	REF_OTHER_NAMES,
	REF_METHODS,
	REF_COUNT
};

/* codeStart and codeSize are words before them, at most so far: 24 and 48 bytes were seen. */
#define WORDS_BEFORE 128

/* The code begins on a page. */
#define CODE_ALIGN 4096u

/* One entry of the index per so many bytes of code: CodeInfoDecoder.indexGranularity(). */
#define INDEX_STEP 256u

/*
 * Objects that look right but for their index, which takes long to go through. One or two were
 * seen; a crafted file may have millions.
 */
#define TRIES_MAX 16

/* Classes and names: 18 000 and 53 000 in pkl 0.28.2. */
#define NAMES_MAX (1u << 22)

/* An image without so much code and so few classes is none. */
#define ENCODINGS_MIN 4u

static uint64_t ref_at(const struct image_heap *h, uint64_t pos, unsigned int i)
{
	return image_heap_ref(h, pos + (uint64_t)i * h->layout->ref_size);
}

static bool bytes_at(const struct image_heap *h, uint64_t pos, unsigned int i, struct span *ret)
{
	uint64_t data = image_heap_array(h, ref_at(h, pos, i), h->bytes_hub, 1, &ret->len);

	if (data == HEAP_NONE)
		return false;
	ret->p = h->bytes + data;
	return true;
}

/* The array that reference @i leads to, if its class has @name. */
static bool array_at(const struct image_heap *h, uint64_t pos, unsigned int i, const char *name,
		     uint64_t *data, uint32_t *len)
{
	uint64_t obj = ref_at(h, pos, i), hub = obj == HEAP_NONE ? obj : image_heap_hub(h, obj);
	char text[64];

	if (image_heap_class(h, hub, text, sizeof(text)) < 0 || strcmp(text, name))
		return false;
	*data = image_heap_array(h, obj, hub, h->layout->ref_size, len);
	return *data != HEAP_NONE;
}

/* Offsets into the encodings, from 0 upwards. */
static bool index_fits(const struct span *index, const struct span *encodings)
{
	uint32_t last = 0, v;

	if (index->len < 4 || index->len % 4 || encodings->len < ENCODINGS_MIN)
		return false;
	for (uint32_t i = 0; i < index->len; i += 4) {
		memcpy(&v, index->p + i, 4);
		if (i ? v <= last : v != 0)
			return false;
		last = v;
	}
	return last < encodings->len;
}

static bool in_code(const struct elffile *f, uint64_t start, uint64_t size)
{
	for (size_t i = 0; i < f->nph; i++) {
		const Elf64_Phdr *p = &f->ph[i];
		uint64_t end;

		if (p->p_type == PT_LOAD && (p->p_flags & PF_X) &&
		    !add_overflows(p->p_vaddr, p->p_filesz, &end) &&
		    range_inside(start, size, p->p_vaddr, end))
			return true;
	}
	return false;
}

/* Two words, codeStart and codeSize; the first may be left to the dynamic linker to fill in. */
static bool find_code(const struct elffile *f, const struct image_heap *h, uint64_t pos,
		      uint64_t exported, struct image_info *info)
{
	uint64_t steps = info->index.len / 4;

	for (uint64_t at = pos & ~7ull, n = 0; at >= 8 && n < WORDS_BEFORE; n += 8) {
		uint64_t start, size = image_heap_word(h, at, 8);

		at -= 8;
		start = image_heap_word(h, at, 8);
		if (!start)
			start = exported;
		if (!start || start % CODE_ALIGN || (exported && start != exported) ||
		    size <= (steps - 1) * INDEX_STEP || !in_code(f, start, size))
			continue;
		info->code_start = start;
		info->code_size = size;
		return true;
	}
	return false;
}

/* Is @pos the first of its references? The cheap questions come first: most are not. */
static bool is_info(const struct elffile *f, const struct image_heap *h, uint64_t pos,
		    uint64_t exported, size_t *tries, struct image_info *ret)
{
	struct image_info i = {0};
	struct span refmap;
	uint64_t constants;
	uint32_t n;

	for (unsigned int r = 0; r < REF_OTHER_NAMES; r++)
		if (ref_at(h, pos, r) == HEAP_NONE)
			return false;
	if (!bytes_at(h, pos, REF_INDEX, &i.index) ||
	    !bytes_at(h, pos, REF_ENCODINGS, &i.encodings) ||
	    !bytes_at(h, pos, REF_REFMAP, &refmap) || !bytes_at(h, pos, REF_FRAMES, &i.frames) ||
	    !array_at(h, pos, REF_CONSTANTS, "[Ljava.lang.Object;", &constants, &n) ||
	    !array_at(h, pos, REF_CLASSES, "[Ljava.lang.Class;", &i.classes, &i.nclasses) ||
	    !array_at(h, pos, REF_NAMES, "[Ljava.lang.String;", &i.names, &i.nnames) ||
	    i.nclasses > NAMES_MAX || i.nnames > NAMES_MAX || ++*tries > TRIES_MAX ||
	    !index_fits(&i.index, &i.encodings))
		return false;
	if (!bytes_at(h, pos, REF_METHODS, &i.methods))
		i.methods = (struct span){0};
	if (!find_code(f, h, pos, exported, &i))
		return false;
	*ret = i;
	return true;
}

int image_info_find(const struct elffile *f, const struct image_heap *h, uint64_t exported,
		    struct image_info *ret)
{
	uint8_t step = h->layout->ref_size;
	uint64_t room = (uint64_t)REF_COUNT * step;
	struct image_info info;
	size_t found = 0, tries = 0;

	if (h->bytes_hub == HEAP_NONE)
		return -EOPNOTSUPP;
	for (uint64_t pos = 0; range_inside(pos, room, 0, h->size); pos += step)
		if (image_heap_word(h, pos, step) && is_info(f, h, pos, exported, &tries, &info) &&
		    ++found == 1)
			*ret = info;
	return found == 1 && tries <= TRIES_MAX ? 0 : -EOPNOTSUPP;
}
