// SPDX-License-Identifier: MIT
/* image_heap.c - the initial heap of a native image. See image_heap.h and docs/images.md. */
#include <fcntl.h>

#include "base/utf8.h"
#include "runtime/image/image_heap.h"

/* The largest seen has 206 MB (GraalVM 21.0, which left garbage in it). */
#define HEAP_MAX (512u << 20)

/* The image heap begins at most so far behind what references count from; 1 MiB was seen. */
#define BASE_MAX   (64u << 20)
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

#define NO_CODER (-1)

/*
 * Seen: row 1 GraalVM CE 24 and 25; row 2 CE 20.2; row 3 CE 21.0 and 22.3; row 4 Oracle GraalVM 21
 * and 23; row 5 CE 19.0 and 1.0 RC, with the Strings of Java 8. Which one it is, is decided by what
 * is found, not by version.
 */
static const struct heap_layout layouts[] = {
	{8, 0, -16, -8, 4, 12, 16}, {8, 0, -16, -8, 4, 8, 16},	      {8, 0, -12, 4, 12, 12, 16},
	{4, 3, -8, -4, 4, 4, 8},    {8, 0, -16, -8, NO_CODER, 8, 16},
};

/*
 * Flags in a class word: three bits, or five of a compressed one, above which it counts in 8. (src:
 * oracle/graal, genscavenge/ObjectHeaderImpl.java, numReservedHubBits: the two more are the state
 * of the identity hash code, and only there with a shift.)
 */
#define KLASS_FLAGS	  7ull
#define KLASS_SMALL_FLAGS 31ull
#define KLASS_SMALL_SHIFT 5

static bool read_at(const struct image_heap *h, uint64_t pos, void *buf, size_t len)
{
	const struct elffile f = {.fd = h->fd};

	if (!range_inside(pos, len, 0, h->size))
		return false;
	if (!h->bytes)
		return elffile_pread(&f, buf, len, h->offset + pos) == len;
	memcpy(buf, h->bytes + pos, len);
	return true;
}

uint64_t image_heap_word(const struct image_heap *h, uint64_t pos, uint8_t size)
{
	uint64_t v = 0;

	if (!range_inside(pos, size, 0, h->size))
		return 0;
	if (!h->bytes)
		return read_at(h, pos, &v, size) ? v : 0;
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

static uint64_t hub_of_word(const struct image_heap *h, uint64_t v)
{
	v = h->layout->ref_size == 4
		    ? (uint64_t)(uint32_t)v >> KLASS_SMALL_SHIFT << h->layout->ref_shift
		    : v & ~KLASS_FLAGS;
	return v ? to_object(h, v) : HEAP_NONE;
}

uint64_t image_heap_hub(const struct image_heap *h, uint64_t obj)
{
	return hub_of_word(h, image_heap_word(h, obj, h->layout->ref_size));
}

uint64_t image_heap_array(const struct image_heap *h, uint64_t obj, uint64_t hub, uint8_t elem,
			  uint32_t *len)
{
	uint32_t n;

	if (obj >= h->size || hub == HEAP_NONE || image_heap_hub(h, obj) != hub ||
	    !range_inside(obj, h->layout->data, 0, h->size) ||
	    !read_at(h, obj + h->layout->length, &n, sizeof(n)))
		return HEAP_NONE;
	if (n > INT32_MAX || !range_inside(obj + h->layout->data, (uint64_t)n * elem, 0, h->size))
		return HEAP_NONE;
	*len = n;
	return obj + h->layout->data;
}

/*
 * One character into @buf, if four bytes of room are left, as a class file has it: a surrogate
 * without its other half as it is, NUL as C0 80. Return: bytes taken, 0 for no room.
 */
static size_t put_char(uint32_t c, char *buf, size_t room)
{
	if (room < UTF8_LEN_MAX)
		return 0;
	if (!c) {
		memcpy(buf, "\xc0\x80", 2);
		return 2;
	}
	return (size_t)(utf8_put(buf, c) - buf);
}

/* The text of a String: @n units of one or two bytes, some of which are in @buf. */
struct text {
	const struct image_heap *h;
	uint64_t pos;
	uint32_t n, width;
	uint32_t from, have;
	uint8_t buf[256];
};

static bool text_open(const struct image_heap *h, uint64_t obj, struct text *t)
{
	const struct heap_layout *l = h->layout;
	uint64_t hash = obj - (uint64_t)(int64_t)l->hub_of_hash;
	uint8_t coder = 0;

	*t = (struct text){.h = h, .width = l->coder_of_hash == NO_CODER ? 2 : 1};
	if (obj >= h->size || image_heap_hub(h, obj) != h->string_hub)
		return false;
	t->pos = image_heap_array(h, image_heap_ref(h, hash + (uint64_t)(int64_t)l->value_of_hash),
				  h->text_hub, (uint8_t)t->width, &t->n);
	if (t->pos == HEAP_NONE)
		return false;
	if (l->coder_of_hash == NO_CODER)
		return true;
	if (!read_at(h, hash + (uint64_t)l->coder_of_hash, &coder, 1) || (coder == 1 && t->n % 2))
		return false;
	if (coder == 1) {
		t->width = 2;
		t->n /= 2;
	}
	return true;
}

static bool text_unit(struct text *t, uint32_t i, uint32_t *ret)
{
	const uint8_t *p;

	if (i < t->from || i - t->from >= t->have) {
		t->from = i;
		t->have = MIN(t->n - i, (uint32_t)sizeof(t->buf) / t->width);
		if (!read_at(t->h, t->pos + (uint64_t)i * t->width, t->buf,
			     (size_t)t->have * t->width))
			return false;
	}
	p = t->buf + (i - t->from) * t->width;
	*ret = t->width == 2 ? p[0] | (uint32_t)p[1] << 8 : p[0];
	return true;
}

/* Takes one character at *@i. */
static bool text_take(struct text *t, uint32_t *i, uint32_t *ret)
{
	uint32_t low;

	if (!text_unit(t, (*i)++, ret))
		return false;
	if (!utf8_is_high(*ret) || *i == t->n)
		return true;
	if (!text_unit(t, *i, &low))
		return false;
	if (utf8_is_low(low)) {
		++*i;
		*ret = utf8_join(*ret, low);
	}
	return true;
}

int image_heap_string(const struct image_heap *h, uint64_t obj, char *buf, size_t size)
{
	struct text t;
	size_t out = 0;
	uint32_t c;

	if (!text_open(h, obj, &t) || t.n >= size)
		return -EPROTO;
	for (uint32_t i = 0; i < t.n;) {
		size_t took = text_take(&t, &i, &c) ? put_char(c, buf + out, size - out - 1) : 0;

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

int image_heap_class_of_word(const struct image_heap *h, uint64_t word, char *buf, size_t size)
{
	return image_heap_class(h, hub_of_word(h, word), buf, size);
}

void image_heap_objects(const struct image_heap *h, struct image_objects *ret)
{
	const struct heap_layout *l = h->layout;
	uint64_t hub = h->base + h->string_hub;
	bool small = l->ref_size == 4;

	*ret = (struct image_objects){
		.ref_size = l->ref_size,
		.ref_shift = l->ref_shift,
		.klass_size = l->ref_size,
		.klass_mask = small ? UINT32_MAX & ~KLASS_SMALL_FLAGS : ~KLASS_FLAGS,
		.string_klass_word = small ? hub >> l->ref_shift << KLASS_SMALL_SHIFT : hub,
		.string_value = (uint32_t)(l->value_of_hash - l->hub_of_hash),
		.string_coder = l->coder_of_hash == NO_CODER
					? UINT32_MAX
					: (uint32_t)(l->coder_of_hash - l->hub_of_hash),
		.array_length = l->length,
		.array_data = l->data,
		.absolute = h->absolute,
	};
}

/* --- the anchor ------------------------------------------------------------------------------- */

struct anchors {
	uint64_t pos[ANCHORS_MAX];
	size_t n;
};

static void find_hashes(const struct image_heap *h, struct anchors *a)
{
	uint32_t v;

	for (uint64_t pos = 0; pos + 4 <= h->size && a->n < ANCHORS_MAX; pos += 4) {
		memcpy(&v, h->bytes + pos, 4);
		if (v == ANCHOR_HASH)
			a->pos[a->n++] = pos;
	}
}

/* The anchor's text in units of @width bytes. */
static void find_texts(const struct image_heap *h, size_t width, struct anchors *a)
{
	const uint8_t *p = h->bytes, *end = h->bytes + h->size;
	size_t len = strlen(ANCHOR_TEXT) * width;
	char text[2 * sizeof(ANCHOR_TEXT)] = {0};

	for (size_t i = 0; i < strlen(ANCHOR_TEXT); i++)
		text[i * width] = ANCHOR_TEXT[i];
	while (a->n < ANCHORS_MAX && (p = memmem(p, (size_t)(end - p), text, len)))
		a->pos[a->n++] = (uint64_t)(p++ - h->bytes);
}

/* Where the class has its name: the same place in two classes whose names are known. */
static bool find_name(struct image_heap *h)
{
	const char *array = h->layout->coder_of_hash == NO_CODER ? "[C" : "[B";
	char a[32], b[8];

	for (h->name = h->layout->ref_size; h->name < NAME_OFFSET_MAX;
	     h->name += h->layout->ref_size)
		if (image_heap_class(h, h->string_hub, a, sizeof(a)) > 0 &&
		    image_heap_class(h, h->text_hub, b, sizeof(b)) > 0 &&
		    !strcmp(a, "java.lang.String") && !strcmp(b, array))
			return true;
	return false;
}

/* Do the word at @hash and the text at @text belong to one String, with objects laid out as @l? */
static bool try_layout(struct image_heap *h, const struct heap_layout *l, uint64_t hash,
		       uint64_t text)
{
	uint64_t array = text - l->data, value;

	if (text < l->data || array % OBJECT_ALIGN || hash < 16)
		return false;
	h->layout = l;
	if (image_heap_word(h, array + l->length, 4) != strlen(ANCHOR_TEXT))
		return false;
	value = image_heap_word(h, hash + (uint64_t)(int64_t)l->value_of_hash, l->ref_size);
	h->base = (value << l->ref_shift) - array;
	if (!value || h->base % BASE_ALIGN || (h->base > BASE_MAX && h->base != h->vaddr))
		return false;
	h->string_hub = image_heap_hub(h, hash + (uint64_t)(int64_t)l->hub_of_hash);
	h->text_hub = image_heap_hub(h, array);
	h->bytes_hub = l->coder_of_hash == NO_CODER ? HEAP_NONE : h->text_hub;
	return h->string_hub != HEAP_NONE && h->text_hub != HEAP_NONE && find_name(h);
}

static bool find_layout(struct image_heap *h)
{
	struct anchors hashes = {0}, texts[2] = {0};

	find_hashes(h, &hashes);
	if (!hashes.n)
		return false;
	for (size_t width = 1; width <= 2; width++)
		find_texts(h, width, &texts[width - 1]);
	for (size_t l = 0; l < ARRAY_SIZE(layouts); l++) {
		const struct anchors *t = &texts[layouts[l].coder_of_hash == NO_CODER];

		for (size_t i = 0; i < hashes.n; i++)
			for (size_t j = 0; j < t->n; j++)
				if (try_layout(h, &layouts[l], hashes.pos[i], t->pos[j]))
					return true;
	}
	return false;
}

static bool has_bytes(const Elf64_Shdr *sh)
{
	return sh && sh->sh_type != SHT_NOBITS && sh->sh_size;
}

static int open_section(const struct elffile *f, const Elf64_Shdr *sh, struct image_heap *ret)
{
	struct image_heap h = {.size = sh->sh_size, .offset = sh->sh_offset, .vaddr = sh->sh_addr};
	int err;

	if (sh->sh_size > HEAP_MAX)
		return -EOPNOTSUPP;
	err = elffile_section_read(f, sh, HEAP_MAX, &h.bytes);
	if (err)
		return err;
	if (!find_layout(&h)) {
		image_heap_close(&h);
		return -EOPNOTSUPP;
	}
	h.absolute = f->type == ET_EXEC && h.base == h.vaddr;
	*ret = h;
	return 0;
}

/* Before 19.0 there were no isolates, and objects lie among constants, at addresses that are
 * theirs. */
static int open_constants(const struct elffile *f, struct image_heap *ret)
{
	const Elf64_Shdr *sh = elffile_section(f, ".rodata");
	int err = has_bytes(sh) && f->type == ET_EXEC ? open_section(f, sh, ret) : -ENOENT;

	if (!err && !ret->absolute) {
		image_heap_close(ret);
		err = -ENOENT;
	}
	return !err || err == -ENOMEM ? err : -ENOENT;
}

int image_heap_open(const struct elffile *f, struct image_heap *ret)
{
	const Elf64_Shdr *sh = elffile_section(f, ".svm_heap");

	return has_bytes(sh) ? open_section(f, sh, ret) : open_constants(f, ret);
}

int image_heap_drop_copy(struct image_heap *h, const struct elffile *f)
{
	int fd;

	if (!h->bytes)
		return 0;
	fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	free(h->bytes);
	h->bytes = NULL;
	h->fd = fd;
	return 0;
}

void image_heap_close(struct image_heap *h)
{
	if (!h)
		return;
	if (h->size && !h->bytes)
		close(h->fd);
	free(h->bytes);
	*h = (struct image_heap){0};
}
