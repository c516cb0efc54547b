/* SPDX-License-Identifier: MIT */
#include "lib/recorded.h"

#include <zlib.h>

#define FORMAT "hotprobe recording 1\n"

#define LINE_MAX_BYTES 64
#define SECTION_MAX    (256u << 20)

/* What a paged reader reads at once: MEM_BLOCK in daemon/proc/mem.c. */
#define PAGED_BLOCK 16384

static const char *const section_names[] = {"about", "symbols", "codelist", "expected", "memory"};

/* --- the file ----------------------------------------------------------------------------------
 */

/* A section's line, and its bytes with a NUL behind them. */
static int section_read(gzFile f, const char *name, char **ret, size_t *len_ret)
{
	char line[LINE_MAX_BYTES], want[LINE_MAX_BYTES];
	size_t len;
	int n;

	snprintf(want, sizeof(want), "section %s ", name);
	if (!gzgets(f, line, sizeof(line)) || strncmp(line, want, strlen(want)) ||
	    sscanf(line + strlen(want), "%zu\n%n", &len, &n) != 1 || len > SECTION_MAX)
		return -EPROTO;
	_cleanup_free_ char *buf = malloc(len + 1);
	if (!buf)
		return -ENOMEM;
	if (gzread(f, buf, (unsigned int)len) != (int)len)
		return -EPROTO;
	buf[len] = 0;
	*ret = take_ptr(buf);
	*len_ret = len;
	return 0;
}

static int piece_add(struct recorded *r, const struct piece *head, const char *data)
{
	struct piece *v = reallocarray(r->pieces, r->npieces + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	r->pieces = v;
	v[r->npieces] = *head;
	v[r->npieces].data = malloc(head->len);
	if (!v[r->npieces].data)
		return -ENOMEM;
	memcpy(v[r->npieces++].data, data, head->len);
	return 0;
}

static int pieces_parse(struct recorded *r, const char *at, size_t left)
{
	uint64_t last = 0;

	while (left) {
		struct piece p = {0};
		if (left < 16)
			return -EPROTO;
		memcpy(&p.addr, at, 8);
		memcpy(&p.len, at + 8, 8);
		if (p.len == 0 || p.len > left - 16 || p.addr < last)
			return -EPROTO;
		int err = piece_add(r, &p, at + 16);
		if (err)
			return err;
		last = p.addr + p.len;
		at += 16 + p.len;
		left -= 16 + p.len;
	}
	return 0;
}

static int file_read(gzFile f, struct recorded *r)
{
	_cleanup_free_ char *memory = NULL;
	char line[LINE_MAX_BYTES];
	size_t len;
	int err = gzgets(f, line, sizeof(line)) && !strcmp(line, FORMAT) ? 0 : -EPROTO;

	for (int i = 0; !err && i < RECORDED_TEXTS; i++)
		err = section_read(f, section_names[i], &r->text[i], &len);
	if (!err)
		err = section_read(f, section_names[RECORDED_TEXTS], &memory, &len);
	return err ? err : pieces_parse(r, memory, len);
}

int recorded_open(const char *path, struct recorded **ret)
{
	struct recorded *r = calloc(1, sizeof(*r));
	gzFile f = gzopen(path, "rb");
	int err = !r ? -ENOMEM : !f ? -ENOENT : file_read(f, r);

	if (f)
		gzclose(f);
	if (err)
		recorded_close(r);
	else
		*ret = r;
	return err;
}

static void section_write(gzFile f, const char *name, const char *text)
{
	gzprintf(f, "section %s %zu\n", name, strlen(text));
	gzwrite(f, text, (unsigned int)strlen(text));
}

static void memory_write(gzFile f, const struct recorded *r)
{
	size_t len = 0;

	for (size_t i = 0; i < r->npieces; i++)
		len += 16 + r->pieces[i].len;
	gzprintf(f, "section %s %zu\n", section_names[RECORDED_TEXTS], len);
	for (size_t i = 0; i < r->npieces; i++) {
		gzwrite(f, &r->pieces[i].addr, 8);
		gzwrite(f, &r->pieces[i].len, 8);
		gzwrite(f, r->pieces[i].data, (unsigned int)r->pieces[i].len);
	}
}

int recorded_save(const char *path, const struct recorded *r)
{
	char fresh[PATH_MAX];

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	gzFile f = gzopen(fresh, "wb9");
	if (!f)
		return -errno;
	gzputs(f, FORMAT);
	for (int i = 0; i < RECORDED_TEXTS; i++)
		section_write(f, section_names[i], r->text[i]);
	memory_write(f, r);
	if (gzclose(f) != Z_OK)
		return -EIO;
	return rename(fresh, path) ? -errno : 0;
}

void recorded_close(struct recorded *r)
{
	if (!r)
		return;
	for (int i = 0; i < RECORDED_TEXTS; i++)
		free(r->text[i]);
	for (size_t i = 0; i < r->npieces; i++)
		free(r->pieces[i].data);
	free(r->pieces);
	free(r);
}

/* --- its memory --------------------------------------------------------------------------------
 */

/* The last of @n sorted pieces that begins at @addr or below; NULL. */
static const struct piece *piece_below(const struct piece *v, size_t n, uint64_t addr)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (v[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &v[lo - 1] : NULL;
}

uint8_t *recorded_at(struct recorded *r, uint64_t addr, uint64_t len)
{
	const struct piece *p = piece_below(r->pieces, r->npieces, addr);

	if (!p || !range_inside(addr, len, p->addr, p->addr + p->len))
		return NULL;
	return p->data + (addr - p->addr);
}

struct mem_recorded {
	struct mem base;
	struct recorded *r;
};

static int recorded_mem_read(struct mem *m, uint64_t addr, void *buf, size_t len)
{
	struct recorded *r = ((struct mem_recorded *)m)->r;
	const uint8_t *data = recorded_at(r, addr, len);

	for (size_t i = 0; i < r->nholes; i++)
		if (addr < r->holes[i].addr + r->holes[i].len && r->holes[i].addr < addr + len)
			return -EFAULT;
	if (!data)
		return -EFAULT;
	memcpy(buf, data, len);
	return 0;
}

static void mem_free(struct mem *m)
{
	free(m);
}

int recorded_mem(struct recorded *r, struct mem **ret)
{
	struct mem_recorded *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->base = (struct mem){.read = recorded_mem_read, .close = mem_free};
	m->r = r;
	*ret = &m->base;
	return 0;
}

int recorded_symbol(void *arg, const char *name, uint64_t *ret)
{
	const struct recorded *r = arg;
	size_t n = strlen(name);

	for (const char *line = r->text[RECORDED_SYMBOLS]; line && *line;) {
		if (!strncmp(line, name, n) && line[n] == ' ') {
			*ret = strtoull(line + n, NULL, 16);
			return 0;
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return -ENOENT;
}

/* --- what is read ------------------------------------------------------------------------------
 */

void noted_add(struct noted *to, uint64_t addr, uint64_t len)
{
	if (len == 0)
		return;
	if (to->n == to->cap) {
		to->cap = to->cap ? 2 * to->cap : 1024;
		to->v = reallocarray(to->v, to->cap, sizeof(*to->v));
		if (!to->v)
			abort();
	}
	to->v[to->n++] = (struct piece){.addr = addr, .len = len};
}

bool noted_has(const struct noted *of, uint64_t addr, uint64_t len)
{
	const struct piece *p = piece_below(of->v, of->n, addr);

	return p && range_inside(addr, len, p->addr, p->addr + p->len);
}

static int piece_cmp(const void *va, const void *vb)
{
	const struct piece *a = va, *b = vb;

	return (a->addr > b->addr) - (a->addr < b->addr);
}

void noted_merge(struct noted *of, uint64_t gap)
{
	size_t n = 0;

	qsort(of->v, of->n, sizeof(*of->v), piece_cmp);
	for (size_t i = 0; i < of->n; i++) {
		struct piece *p = &of->v[i], *last = n ? &of->v[n - 1] : NULL;
		if (last && p->addr <= last->addr + last->len + gap)
			last->len = MAX(last->len, p->addr + p->len - last->addr);
		else
			of->v[n++] = *p;
	}
	of->n = n;
}

void noted_fini(struct noted *of)
{
	free(of->v);
	*of = (struct noted){0};
}

struct mem_noting {
	struct mem base;
	struct mem *under;
	struct noted *to;
	const struct noted *known;
};

static int noting_read(struct mem *m, uint64_t addr, void *buf, size_t len)
{
	struct mem_noting *n = (struct mem_noting *)m;
	bool block = len == PAGED_BLOCK && addr % PAGED_BLOCK == 0;

	if (block && !(n->known && noted_has(n->known, addr, len)))
		return -EFAULT;
	int err = mem_read(n->under, addr, buf, len);
	if (!err)
		noted_add(n->to, addr, len);
	return err;
}

int mem_open_noting(struct mem *under, struct noted *to, const struct noted *known,
		    struct mem **ret)
{
	struct mem_noting *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	*n = (struct mem_noting){
		.base = {.read = noting_read, .close = mem_free},
		.under = under,
		.to = to,
		.known = known,
	};
	*ret = &n->base;
	return 0;
}
