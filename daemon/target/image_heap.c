// SPDX-License-Identifier: MIT
/* image_heap.c - the initial heap of a native image. See image_heap.h and docs/images.md. */
#include "target/image_heap.h"

/* The largest seen has 206 MB (GraalVM 21.0, which left garbage in it). */
#define HEAP_MAX (512u << 20)

/* The image heap begins at most so far behind what references count from; 1 MiB was seen. */
#define BASE_MAX (64u << 20)
#define BASE_ALIGN 4096u

/* String.hashCode() of "image code", and the text itself. */
#define ANCHOR_HASH 0xa6819592u
#define ANCHOR_TEXT "image code"

/* Words of that value, and texts, that are looked at: one and one to three were seen. */
#define ANCHORS_MAX 64

/* A class has its name within its first so many bytes; 32 to 56 were seen. */
#define NAME_OFFSET_MAX 160

/* Objects are aligned to it in every version. */
#define OBJECT_ALIGN 8

/*
 * Seen: row 1 GraalVM CE 24 and 25; row 2 CE 20.2; row 3 CE 21.0 and 22.3; row 4 Oracle GraalVM 21
 * and 23. Which one it is, is decided by what is found, not by version.
 */
static const struct heap_layout layouts[] = {
	{8, 0, -16, -8, 4, 12, 16},
	{8, 0, -16, -8, 4, 8, 16},
	{8, 0, -12, 4, 12, 12, 16},
	{4, 3, -8, -4, 4, 4, 8},
};

uint64_t image_heap_word(const struct image_heap *h, uint64_t pos, uint8_t size)
{
	uint64_t v = 0;

	if (!range_inside(pos, size, 0, h->size))
		return 0;
	if (size == 8) /* copied by one instruction; this is asked of every word of the heap */
		memcpy(&v, h->bytes + pos, 8);
	else if (size == 4)
		memcpy(&v, h->bytes + pos, 4);
	else
		memcpy(&v, h->bytes + pos, size);
	return v;
}

/* An offset in the heap as the image counts, or as we do. Images up to 21.0 have negative ones. */
static uint64_t to_object(const struct image_heap *h, uint64_t addr)
{
	uint64_t pos = addr - h->base;

	return pos < h->size && pos % OBJECT_ALIGN == 0 ? pos : HEAP_NONE;
}

uint64_t image_heap_ref(const struct image_heap *h, uint64_t pos)
{
	uint64_t v = image_heap_word(h, pos, h->layout->ref_size);

	return v ? to_object(h, v << h->layout->ref_shift) : HEAP_NONE;
}

/* The lowest bits of the word are flags: five of a compressed one, above which it counts in 8. */
uint64_t image_heap_hub(const struct image_heap *h, uint64_t obj)
{
	uint64_t v = image_heap_word(h, obj, h->layout->ref_size);

	v = h->layout->ref_size == 4 ? v >> 5 << 3 : v & ~7ull;
	return v ? to_object(h, v) : HEAP_NONE;
}

uint64_t image_heap_array(const struct image_heap *h, uint64_t obj, uint64_t hub, uint8_t elem,
			  uint32_t *len)
{
	uint32_t n;

	if (obj >= h->size || hub == HEAP_NONE || image_heap_hub(h, obj) != hub ||
	    !range_inside(obj, h->layout->data, 0, h->size))
		return HEAP_NONE;
	n = image_heap_word(h, obj + h->layout->length, 4);
	if (n > INT32_MAX || !range_inside(obj + h->layout->data, (uint64_t)n * elem, 0, h->size))
		return HEAP_NONE;
	*len = n;
	return obj + h->layout->data;
}

/* One character into @buf, if four bytes of room are left. Return: bytes taken, 0 for no room. */
static size_t put_utf8(uint32_t c, char *buf, size_t room)
{
	if (room < 4)
		return 0;
	if (c < 0x80) {
		buf[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		buf[0] = (char)(0xc0 | c >> 6);
		buf[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		buf[0] = (char)(0xe0 | c >> 12);
		buf[1] = (char)(0x80 | (c >> 6 & 0x3f));
		buf[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	buf[0] = (char)(0xf0 | c >> 18);
	buf[1] = (char)(0x80 | (c >> 12 & 0x3f));
	buf[2] = (char)(0x80 | (c >> 6 & 0x3f));
	buf[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Takes one character of UTF-16 at *@i; a lone surrogate becomes U+FFFD. */
static uint32_t take_utf16(const uint8_t *p, uint32_t n, uint32_t *i)
{
	uint32_t c = p[*i] | (uint32_t)p[*i + 1] << 8, low;

	*i += 2;
	if (c < 0xd800 || c > 0xdfff)
		return c;
	low = *i + 1 < n ? p[*i] | (uint32_t)p[*i + 1] << 8 : 0;
	if (c > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	*i += 2;
	return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

int image_heap_string(const struct image_heap *h, uint64_t obj, char *buf, size_t size)
{
	const struct heap_layout *l = h->layout;
	uint64_t hash = obj - (uint64_t)(int64_t)l->hub_of_hash, data;
	uint32_t n, c;
	size_t out = 0;
	bool wide;

	if (obj >= h->size || image_heap_hub(h, obj) != h->string_hub)
		return -EPROTO;
	data = image_heap_array(h, image_heap_ref(h, hash + (uint64_t)(int64_t)l->value_of_hash),
				h->bytes_hub, 1, &n);
	if (data == HEAP_NONE || n >= size)
		return -EPROTO;
	wide = image_heap_word(h, hash + (uint64_t)l->coder_of_hash, 1) == 1;
	if (wide && n % 2)
		return -EPROTO;
	for (uint32_t i = 0; i < n;) {
		size_t took;

		c = wide ? take_utf16(h->bytes + data, n, &i) : h->bytes[data + i++];
		took = put_utf8(c, buf + out, size - out - 1);
		if (!took)
			return -EPROTO;
		out += took;
	}
	buf[out] = '\0';
	return (int)out;
}

int image_heap_class(const struct image_heap *h, uint64_t hub, char *buf, size_t size)
{
	return hub == HEAP_NONE ? -EPROTO
				: image_heap_string(h, image_heap_ref(h, hub + h->name), buf, size);
}

/* --- the anchor ------------------------------------------------------------------------------- */

struct anchors {
	uint64_t hashes[ANCHORS_MAX], texts[ANCHORS_MAX];
	size_t nhashes, ntexts;
};

static void find_anchors(const struct image_heap *h, struct anchors *a)
{
	const uint8_t *p = h->bytes, *end = h->bytes + h->size;
	size_t len = strlen(ANCHOR_TEXT);
	uint32_t v;

	while (a->ntexts < ANCHORS_MAX && (p = memmem(p, (size_t)(end - p), ANCHOR_TEXT, len)))
		a->texts[a->ntexts++] = (uint64_t)(p++ - h->bytes);
	for (uint64_t pos = 0; pos + 4 <= h->size && a->nhashes < ANCHORS_MAX; pos += 4) {
		memcpy(&v, h->bytes + pos, 4);
		if (v == ANCHOR_HASH)
			a->hashes[a->nhashes++] = pos;
	}
}

/* Where the class has its name: the same place in two classes whose names are known. */
static bool find_name(struct image_heap *h)
{
	char a[32], b[8];

	for (h->name = h->layout->ref_size; h->name < NAME_OFFSET_MAX; h->name += h->layout->ref_size)
		if (image_heap_class(h, h->string_hub, a, sizeof(a)) > 0 &&
		    image_heap_class(h, h->bytes_hub, b, sizeof(b)) > 0 &&
		    !strcmp(a, "java.lang.String") && !strcmp(b, "[B"))
			return true;
	return false;
}

/* Do the word at @hash and the text at @text belong to one String, with objects laid out as @l? */
static bool try_layout(struct image_heap *h, const struct heap_layout *l, uint64_t hash, uint64_t text)
{
	uint64_t array = text - l->data, value;

	if (text < l->data || array % OBJECT_ALIGN || hash < 16)
		return false;
	h->layout = l;
	if (image_heap_word(h, array + l->length, 4) != strlen(ANCHOR_TEXT))
		return false;
	value = image_heap_word(h, hash + (uint64_t)(int64_t)l->value_of_hash, l->ref_size);
	h->base = (value << l->ref_shift) - array;
	if (!value || h->base > BASE_MAX || h->base % BASE_ALIGN)
		return false;
	h->string_hub = image_heap_hub(h, hash + (uint64_t)(int64_t)l->hub_of_hash);
	h->bytes_hub = image_heap_hub(h, array);
	return h->string_hub != HEAP_NONE && h->bytes_hub != HEAP_NONE && find_name(h);
}

static bool find_layout(struct image_heap *h)
{
	struct anchors a = {0};

	find_anchors(h, &a);
	for (size_t l = 0; l < ARRAY_SIZE(layouts); l++)
		for (size_t i = 0; i < a.nhashes; i++)
			for (size_t j = 0; j < a.ntexts; j++)
				if (try_layout(h, &layouts[l], a.hashes[i], a.texts[j]))
					return true;
	return false;
}

int image_heap_open(const struct elffile *f, struct image_heap *ret)
{
	const Elf64_Shdr *sh = elffile_section(f, ".svm_heap");
	struct image_heap h = {0};
	int err;

	if (!sh || sh->sh_type == SHT_NOBITS || !sh->sh_size)
		return -ENOENT;
	if (sh->sh_size > HEAP_MAX)
		return -EOPNOTSUPP;
	err = elffile_section_read(f, sh, HEAP_MAX, &h.bytes);
	if (err)
		return err;
	h.size = sh->sh_size;
	h.vaddr = sh->sh_addr;
	if (!find_layout(&h)) {
		image_heap_close(&h);
		return -EOPNOTSUPP;
	}
	*ret = h;
	return 0;
}

void image_heap_close(struct image_heap *h)
{
	if (!h)
		return;
	free(h->bytes);
	*h = (struct image_heap){0};
}
