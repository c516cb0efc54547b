// SPDX-License-Identifier: MIT
/*
 * maps.c - the one parser of /proc/PID/maps. See maps.h.
 *
 * The text comes from the kernel, but its paths are chosen by the target, so nothing in it is
 * trusted: a line either has exactly the kernel's form or the whole text is refused.
 * Source: Linux fs/proc/task_mmu.c, show_vma_header_prefix() and show_map_vma().
 */
#include <fcntl.h>

#include "base/budget.h"
#include "proc/entry.h"
#include "proc/maps.h"

#define MAPS_PAGE 4096u /* x86-64 */

/* A mapping with an ordinary path takes about 100 bytes; room for 65530 of them with long ones. */
#define MAPS_TEXT_MAX (64u << 20)

/* What one read(2) asks for; the kernel gives about a page at a time. */
#define MAPS_READ_CHUNK (64u << 10)

/* Times a text that does not hold together is read again, see maps_read(). */
#define MAPS_READ_TRIES 10

/* The rest of one line. */
struct cursor {
	const char *p, *end;
};

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 16;
}

/* A number and the character that must follow it. */
static bool take_number(struct cursor *c, unsigned int base, char after, uint64_t *ret)
{
	const char *first = c->p;
	uint64_t v = 0;

	for (; c->p < c->end; c->p++) {
		unsigned int d = digit_value(*c->p);

		if (d >= base)
			break;
		if (mul_overflows(v, base, &v) || add_overflows(v, d, &v))
			return false;
	}
	if (c->p == first || c->p == c->end || *c->p != after)
		return false;
	c->p++;
	*ret = v;
	return true;
}

static bool take_flag(struct cursor *c, char yes, char no, bool *ret)
{
	if (c->p == c->end || (*c->p != yes && *c->p != no))
		return false;
	*ret = *c->p++ == yes;
	return true;
}

static bool take_u32(struct cursor *c, unsigned int base, char after, uint32_t *ret)
{
	uint64_t v;

	if (!take_number(c, base, after, &v) || v > UINT32_MAX)
		return false;
	*ret = v;
	return true;
}

static bool take_header(struct cursor *c, struct map_entry *e)
{
	return take_number(c, 16, '-', &e->start) && take_number(c, 16, ' ', &e->end) &&
	       take_flag(c, 'r', '-', &e->read) && take_flag(c, 'w', '-', &e->write) &&
	       take_flag(c, 'x', '-', &e->exec) && take_flag(c, 's', 'p', &e->shared) &&
	       c->p < c->end && *c->p++ == ' ' && take_number(c, 16, ' ', &e->offset) &&
	       take_u32(c, 16, ':', &e->dev_major) && take_u32(c, 16, ' ', &e->dev_minor) &&
	       take_number(c, 10, ' ', &e->inode) && e->start < e->end;
}

/*
 * The path is what is left of the line. The kernel escapes only the newline, as "\012", and leaves
 * a backslash alone (fs/proc/task_mmu.c passes "\n" to seq_file_path()), so nothing else is undone.
 */
static bool take_path(struct cursor *c, char **out, const char **ret)
{
	char *dst = *out;

	while (c->p < c->end && *c->p == ' ')
		c->p++;
	if (c->p == c->end) {
		*ret = "";
		return true;
	}
	*ret = dst;
	while (c->p < c->end) {
		if (*c->p == '\0' || dst - *ret >= MAPS_PATH_MAX)
			return false;
		if (c->end - c->p >= 4 && !memcmp(c->p, "\\012", 4)) {
			*dst++ = '\n';
			c->p += 4;
		} else {
			*dst++ = *c->p++;
		}
	}
	*dst++ = '\0';
	*out = dst;
	return true;
}

static size_t count_lines(const char *text, size_t len)
{
	const char *p = text, *end = text + len;
	size_t n = 0;

	while (p < end && (p = memchr(p, '\n', end - p))) {
		n++;
		p++;
	}
	return n;
}

static int parse_lines(const char *text, size_t len, struct maps *m)
{
	const char *p = text, *end = text + len;
	char *paths = m->paths;
	uint64_t last = 0;

	for (m->n = 0; p < end; m->n++) {
		const char *eol = memchr(p, '\n', end - p);
		struct cursor c = {p, eol};
		struct map_entry *e = &m->entries[m->n];

		if (!eol || !take_header(&c, e) || !take_path(&c, &paths, &e->path))
			return -EPROTO;
		/* In order and disjoint: what maps_find() and maps_gap_below() rest on. */
		if (e->start < last)
			return -EPROTO;
		last = e->end;
		p = eol + 1;
	}
	return 0;
}

int maps_parse(const char *text, size_t len, struct maps *ret)
{
	struct maps m = {0};
	size_t lines;
	int err;

	if (len > MAPS_TEXT_MAX)
		return -EPROTO;
	lines = count_lines(text, len);
	if (lines > MAPS_MAX)
		return -EPROTO;
	m.entries = calloc(lines + 1, sizeof(*m.entries));
	m.paths = malloc(len + 1); /* a path and its NUL take no more than its line did */
	err = m.entries && m.paths ? parse_lines(text, len, &m) : -ENOMEM;
	if (err) {
		maps_fini(&m);
		return err;
	}
	*ret = m;
	return 0;
}

void maps_fini(struct maps *m)
{
	if (!m)
		return;
	free(m->entries);
	free(m->paths);
	*m = (struct maps){0};
}

/*
 * Read @fd from its beginning to its end, without its file position, which it may share with
 * others.
 * @text is grown as needed and owned by the caller, on failure too.
 */
static int read_text(int fd, char **text, size_t *len_ret)
{
	size_t len = 0, size = 0;

	for (;;) {
		ssize_t n;
		int err = budget_spend_bytes(MAPS_READ_CHUNK);

		if (err)
			return err;
		if (size - len < MAPS_READ_CHUNK) {
			char *p;

			size = MAX(2 * size, 2 * MAPS_READ_CHUNK);
			p = realloc(*text, size);
			if (!p)
				return -ENOMEM;
			*text = p;
		}
		n = pread(fd, *text + len, MAPS_READ_CHUNK, (off_t)len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += n;
		if (len > MAPS_TEXT_MAX)
			return -EFBIG;
	}
	*len_ret = len;
	return 0;
}

static int maps_read_once(int fd, struct maps *ret)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int err = read_text(fd, &text, &len);

	return err ? err : maps_parse(text, len, ret);
}

/*
 * The file is consistent only within one read(2), about a page of text. A mapping that grows right
 * where one read ended and the next begins is printed twice, the second time overlapping the first
 * (seen on Linux 6.18 in one of nine readings of a process that changes its mappings all the time,
 * although Documentation/filesystems/proc.rst promises otherwise). Reading again settles that.
 */
int maps_read_fd(int fd, struct maps *ret)
{
	int err = -EPROTO;

	for (int i = 0; i < MAPS_READ_TRIES && err == -EPROTO; i++)
		err = maps_read_once(fd, ret);
	return err == -EFBIG ? -EPROTO : err;
}

int maps_read(pid_t pid, struct maps *ret)
{
	_cleanup_close_ int fd = entry_open(pid, "maps", O_RDONLY);

	return fd < 0 ? fd : maps_read_fd(fd, ret);
}

const struct map_entry *maps_find(const struct maps *m, uint64_t addr)
{
	size_t lo = 0, hi = m->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct map_entry *e = &m->entries[mid];

		if (addr < e->start)
			hi = mid;
		else if (addr >= e->end)
			lo = mid + 1;
		else
			return e;
	}
	return NULL;
}

/* Does a page-aligned range of @len end in [@lo, @hi)? Then the highest one is at *@ret. */
static bool fits(uint64_t lo, uint64_t hi, uint64_t len, uint64_t *ret)
{
	hi &= ~(uint64_t)(MAPS_PAGE - 1);
	if (hi < len || hi - len < lo)
		return false;
	*ret = hi - len;
	return true;
}

int maps_gap_below(const struct maps *m, uint64_t limit, uint64_t floor, uint64_t len,
		   uint64_t *ret)
{
	uint64_t top = limit;

	if (!len || add_overflows(len, MAPS_PAGE - 1, &len))
		return -ENOSPC;
	len &= ~(uint64_t)(MAPS_PAGE - 1);
	for (size_t i = m->n; i-- > 0;) {
		const struct map_entry *e = &m->entries[i];

		if (e->start >= top)
			continue;
		if (e->end < top && fits(MAX(e->end, floor), top, len, ret))
			return 0;
		top = e->start;
	}
	return fits(floor, top, len, ret) ? 0 : -ENOSPC;
}
