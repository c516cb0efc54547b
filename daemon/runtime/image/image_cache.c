// SPDX-License-Identifier: MIT
/* image_cache.c - decoded maps of native images in files. See image_cache.h. */
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>

#include "base/budget.h"
#include "proc/user.h"
#include "symmap/elffile.h"
#include "symmap/elfsyms.h"
#include "runtime/image/image_cache.h"
#include "base/sha1.h"

/* Any change of what is written, or of how images are decoded, is another format. */
#define CACHE_MAGIC "hpimage\001"

/* 60 000 methods take 4 MB. */
#define CACHE_MAX (512u << 20)

/* A file without a build-id is told by samples of its contents. */
#define SAMPLES	    64
#define SAMPLE_SIZE 4096

#define PASSWD_BUF 16384

struct header {
	char magic[8];
	uint64_t dev, ino, size;
	int64_t mtime_ns, ctime_ns;
	uint32_t n, starts, text_len, names;
	uint8_t digest[SHA1_SIZE]; /* of the whole file with this field 0 */
	uint8_t zero[4];
};

_Static_assert(sizeof(struct header) == 88, "no padding: it is written as it is");
_Static_assert(sizeof(struct image_method) == 40, "no padding: it is written as it is");

/* --- folders ---------------------------------------------------------------------------------- */

/* Ours alone? Then whatever names in it lead to was made by us. */
static bool is_ours(int fd, mode_t type)
{
	struct stat st;

	return !fstat(fd, &st) && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
	       user_is_certain(st.st_uid) && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static int open_folder(int at, const char *name, bool make, int flags)
{
	int fd;

	if (make && mkdirat(at, name, 0700) && errno != EEXIST)
		return -errno;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	if (fd < 0)
		return -errno;
	if (!is_ours(fd, S_IFDIR)) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

/* $HOME may be another user's (sudo keeps it): then it is not used, but our own entry's is. */
static int open_home(void)
{
	const char *home = getenv("HOME");
	struct passwd pw, *found = NULL;
	char buf[PASSWD_BUF];
	int fd = home && *home == '/' ? open_folder(AT_FDCWD, home, false, 0) : -ENOENT;

	if (fd < 0 && !getpwuid_r(geteuid(), &pw, buf, sizeof(buf), &found) && found)
		fd = open_folder(AT_FDCWD, pw.pw_dir, false, 0);
	return fd;
}

static int open_cache(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME");
	_cleanup_close_ int base = -1, home = -1;

	if (xdg && *xdg == '/') {
		base = open_folder(AT_FDCWD, xdg, false, 0);
	} else {
		home = open_home();
		if (home < 0)
			return home;
		base = open_folder(home, ".cache", true, O_NOFOLLOW);
	}
	return base < 0 ? base : open_folder(base, "hotprobe", true, O_NOFOLLOW);
}

/* --- names and headers ------------------------------------------------------------------------ */

static int64_t time_ns(const struct timespec *t)
{
	return (int64_t)((uint64_t)t->tv_sec * NSEC_PER_SEC + (uint64_t)t->tv_nsec);
}

static int fill_header(int fd, struct header *h)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return -ENOENT;
	*h = (struct header){.dev = st.st_dev,
			     .ino = st.st_ino,
			     .size = (uint64_t)st.st_size,
			     .mtime_ns = time_ns(&st.st_mtim),
			     .ctime_ns = time_ns(&st.st_ctim)};
	memcpy(h->magic, CACHE_MAGIC, sizeof(h->magic));
	return 0;
}

static int sample_file(const struct elffile *f, char hex[static SHA1_HEX])
{
	_cleanup_free_ uint8_t *buf = calloc(SAMPLES, SAMPLE_SIZE);

	if (!buf)
		return -ENOMEM;
	for (uint64_t i = 0; i < SAMPLES; i++)
		elffile_pread(f, buf + i * SAMPLE_SIZE, SAMPLE_SIZE, f->size / SAMPLES * i);
	sha1_hex(buf, (size_t)SAMPLES * SAMPLE_SIZE, hex);
	return 0;
}

/* "<build-id>.map", or a digest of samples. Two files of one name take turns: see same_image(). */
static int file_name(int fd, char *buf, size_t size)
{
	uint8_t id[ELFSYMS_BUILD_ID_MAX];
	_cleanup_elfsyms_ struct elfsyms *e = NULL;
	_cleanup_elffile_ struct elffile f = {0};
	char hex[2 * ELFSYMS_BUILD_ID_MAX + 1] = "";
	size_t len = 0;
	int err;

	if (!elfsyms_open(fd, &e))
		len = elfsyms_build_id(e, id);
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	if (!len) {
		err = elffile_open_any(fd, &f);
		if (!err)
			err = sample_file(&f, hex);
		if (err)
			return err;
	}
	snprintf(buf, size, "%s.map", hex);
	return 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool same_image(const struct header *a, const struct header *b)
{
	return !memcmp(a->magic, b->magic, sizeof(a->magic)) && a->dev == b->dev &&
	       a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns &&
	       a->ctime_ns == b->ctime_ns;
}

static bool method_sound(const struct image_map *m, uint32_t i)
{
	const struct image_method *x = &m->methods[i];

	return x->klass < m->text_len && x->name < m->text_len && x->desc < m->text_len &&
	       x->symbol < m->text_len && x->entry < x->end && (!i || x[-1].entry < x->entry);
}

/* What was written whole by us is sound; this is for what was not. */
static bool map_sound(const struct image_map *m)
{
	if (!m->n || m->starts < m->n || m->names >= NAMES_COUNT || !m->text_len || m->text[0] ||
	    m->text[m->text_len - 1])
		return false;
	for (uint32_t i = 0; i < m->n; i++)
		if (!method_sound(m, i))
			return false;
	return true;
}

static int split(const uint8_t *p, const struct header *h, struct image_map *ret)
{
	size_t bytes = (size_t)h->n * sizeof(*ret->methods);
	_cleanup_image_map_ struct image_map m = {.n = h->n,
						  .starts = h->starts,
						  .text_len = h->text_len,
						  .names = h->names,
						  .methods = malloc(MAX(bytes, 1)),
						  .text = malloc(MAX(h->text_len, 1))};

	if (!m.methods || !m.text)
		return -ENOMEM;
	memcpy(m.methods, p, bytes);
	memcpy(m.text, p + bytes, h->text_len);
	if (!map_sound(&m))
		return -ENOENT;
	*ret = m;
	m = (struct image_map){0};
	return 0;
}

static bool read_all(int fd, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, (off_t)done);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static int read_map(int file, const struct header *want, struct image_map *ret)
{
	_cleanup_free_ uint8_t *buf = NULL;
	uint8_t digest[SHA1_SIZE];
	struct header h;
	struct stat st;
	uint64_t len;

	if (fstat(file, &st) || st.st_size < (off_t)sizeof(h) || st.st_size > CACHE_MAX)
		return -ENOENT;
	buf = malloc((size_t)st.st_size);
	if (!buf)
		return -ENOMEM;
	if (!read_all(file, buf, (size_t)st.st_size))
		return -ENOENT;
	memcpy(&h, buf, sizeof(h));
	len = (uint64_t)h.n * sizeof(struct image_method) + h.text_len;
	if (!same_image(&h, want) || len != (uint64_t)st.st_size - sizeof(h))
		return -ENOENT;
	memset(buf + offsetof(struct header, digest), 0, sizeof(h.digest));
	sha1(buf, (size_t)st.st_size, digest);
	return memcmp(digest, h.digest, sizeof(digest)) ? -ENOENT : split(buf + sizeof(h), &h, ret);
}

int image_cache_get(int fd, struct image_map *ret)
{
	char name[2 * ELFSYMS_BUILD_ID_MAX + 8];
	_cleanup_close_ int folder = open_cache(), file = -1;
	struct header want;

	if (folder < 0 || fill_header(fd, &want) || file_name(fd, name, sizeof(name)))
		return -ENOENT;
	file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (file < 0 || !is_ours(file, S_IFREG))
		return -ENOENT;
	return read_map(file, &want, ret);
}

/* --- writing ---------------------------------------------------------------------------------- */

static bool write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static uint8_t *join(struct header *h, const struct image_map *m, size_t *len)
{
	size_t bytes = (size_t)m->n * sizeof(*m->methods), total = sizeof(*h) + bytes + m->text_len;
	uint8_t *buf = total <= CACHE_MAX ? malloc(total) : NULL;

	if (!buf)
		return NULL;
	h->n = m->n;
	h->starts = m->starts;
	h->text_len = m->text_len;
	h->names = m->names;
	memcpy(buf + sizeof(*h), m->methods, bytes);
	memcpy(buf + sizeof(*h) + bytes, m->text, m->text_len);
	memcpy(buf, h, sizeof(*h));
	sha1(buf, total, h->digest);
	memcpy(buf + offsetof(struct header, digest), h->digest, sizeof(h->digest));
	*len = total;
	return buf;
}

/* @before: the header from before the image was read, or NULL. */
static int put(int fd, const struct image_map *m, const struct header *before)
{
	char name[2 * ELFSYMS_BUILD_ID_MAX + 8], temp[64];
	_cleanup_close_ int folder = open_cache(), file = -1;
	_cleanup_free_ uint8_t *buf = NULL;
	struct header h;
	size_t len;
	int err;

	if (folder < 0)
		return folder;
	err = fill_header(fd, &h);
	if (!err && before && !same_image(&h, before))
		err = -ESTALE; /* it was rewritten meanwhile */
	if (!err)
		err = file_name(fd, name, sizeof(name));
	if (err)
		return err;
	buf = join(&h, m, &len);
	if (!buf)
		return -ENOMEM;
	snprintf(temp, sizeof(temp), ".new.%d.%llx", getpid(), (unsigned long long)clock_ns());
	file = openat(folder, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return -errno;
	if (write_all(file, buf, len) && !renameat(folder, temp, folder, name))
		return 0;
	err = -errno;
	unlinkat(folder, temp, 0);
	return err ? err : -EIO;
}

int image_cache_put(int fd, const struct image_map *m)
{
	return put(fd, m, NULL);
}

/* What parts of the reading make of a budget that is used up, is only that they understand nothing.
 */
int image_map_cached(int fd, struct image_map *ret, bool *hit)
{
	int err = image_cache_get(fd, ret), known, over;
	struct header before;
	struct budget b;

	*hit = !err;
	if (!err)
		return 0;
	known = fill_header(fd, &before);
	budget_begin(&b, IMAGE_MAP_BUDGET_NS);
	err = image_map_read(fd, ret);
	over = budget_over();
	budget_end(&b);
	if (over && !err)
		image_map_fini(ret);
	err = over ? over : err;
	if (!err && !known)
		put(fd, ret, &before);
	return err;
}
