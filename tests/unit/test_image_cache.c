// SPDX-License-Identifier: MIT
/* The cache of decoded native images: what is kept, and what is not believed. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "lib/fake_image.h"
#include "runtime/image/image_cache.h"

static char base[64], folder[96];

static int setup(void **state _unused_)
{
	strcpy(base, "/tmp/hp-image-cache.XXXXXX");
	if (!mkdtemp(base))
		return -1;
	snprintf(folder, sizeof(folder), "%s/hotprobe", base);
	return setenv("XDG_CACHE_HOME", base, 1);
}

/*
 * Remove the files of @name in @at and itself, or the link it is. A test puts a link there: nothing
 * behind it may be touched, so every name is taken relative to a folder that was opened without
 * following one.
 */
static void remove_folder(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (strcmp(d->d_name, ".") && strcmp(d->d_name, ".."))
			unlinkat(dirfd(dir), d->d_name, 0);
	if (dir)
		closedir(dir);
	unlinkat(at, name, 0);
	unlinkat(at, name, AT_REMOVEDIR);
}

static int teardown(void **state _unused_)
{
	int fd = open(base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -1;
	remove_folder(fd, "hotprobe");
	remove_folder(fd, "elsewhere");
	close(fd);
	return rmdir(base);
}

static int make_image(void)
{
	struct fake_image f;

	fake_image_make(&f, FAKE_CE_25);
	return fake_image_fd(&f);
}

/* The one file in the cache; fails the test when there is not exactly one. */
static void cache_file(char *path, size_t size)
{
	DIR *dir = opendir(folder);
	struct dirent *d;
	int n = 0;

	assert_non_null(dir);
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, size, "%s/%s", folder, d->d_name);
		n++;
	}
	closedir(dir);
	assert_int_equal(n, 1);
}

static void expect_equal(const struct image_map *a, const struct image_map *b)
{
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->starts, b->starts);
	assert_int_equal(a->names, b->names);
	assert_int_equal(a->text_len, b->text_len);
	assert_memory_equal(a->methods, b->methods, a->n * sizeof(*a->methods));
	assert_memory_equal(a->text, b->text, a->text_len);
}

/* Decoded once, then taken from the cache, and the same. */
static void image_map_cached_twice(void **state _unused_)
{
	struct image_map a, b;
	int fd = make_image();
	bool hit;

	assert_int_equal(image_map_cached(fd, &a, &hit), 0);
	assert_false(hit);
	assert_int_equal(image_map_cached(fd, &b, &hit), 0);
	assert_true(hit);
	expect_equal(&a, &b);
	image_map_fini(&a);
	image_map_fini(&b);
	close(fd);
}

/* A file that was changed since is decoded again, also when its size stays. */
static void image_cache_get_changed_image(void **state _unused_)
{
	int fd = make_image();
	struct image_map m;
	bool hit;

	assert_int_equal(image_map_cached(fd, &m, &hit), 0);
	image_map_fini(&m);
	assert_int_equal(futimens(fd, (struct timespec[]){{1, 0}, {1, 0}}), 0);
	assert_int_equal(image_cache_get(fd, &m), -ENOENT);
	close(fd);
}

/* Another file with the same contents has the same name in the cache, and is not taken for it. */
static void image_cache_get_other_file(void **state _unused_)
{
	int a = make_image(), b = make_image();
	struct image_map m;
	bool hit;

	assert_int_equal(image_map_cached(a, &m, &hit), 0);
	image_map_fini(&m);
	assert_int_equal(image_cache_get(b, &m), -ENOENT);
	assert_int_equal(image_map_cached(b, &m, &hit), 0);
	assert_false(hit);
	image_map_fini(&m);
	close(a);
	close(b);
}

/* A damaged cache file, in any byte, and a cut one are not believed. */
static void image_cache_get_damaged(void **state _unused_)
{
	int fd = make_image(), file;
	char path[512];
	struct image_map m;
	struct stat st;
	uint8_t byte;
	bool hit;

	assert_int_equal(image_map_cached(fd, &m, &hit), 0);
	image_map_fini(&m);
	cache_file(path, sizeof(path));
	file = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(fstat(file, &st), 0);
	for (off_t at = 0; at < st.st_size - 4; at += at < 88 ? 1 : 61) {
		assert_int_equal(pread(file, &byte, 1, at), 1);
		byte ^= 0x11;
		assert_int_equal(pwrite(file, &byte, 1, at), 1);
		assert_int_equal(image_cache_get(fd, &m), -ENOENT);
		byte ^= 0x11;
		assert_int_equal(pwrite(file, &byte, 1, at), 1);
	}
	assert_int_equal(image_cache_get(fd, &m), 0);
	image_map_fini(&m);
	for (off_t len = st.st_size - 1; len >= 0; len = len > 200 ? len - 101 : len - 1) {
		assert_int_equal(ftruncate(file, len), 0);
		assert_int_equal(image_cache_get(fd, &m), -ENOENT);
	}
	close(file);
	close(fd);
}

/* A file in the cache that others may write to is not ours to believe. */
static void image_cache_get_writable_by_others(void **state _unused_)
{
	int fd = make_image();
	struct image_map m;
	char path[512];
	bool hit;

	assert_int_equal(image_map_cached(fd, &m, &hit), 0);
	image_map_fini(&m);
	cache_file(path, sizeof(path));
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(image_cache_get(fd, &m), -ENOENT);
	close(fd);
}

/* Nothing is written into a folder that others may write to, or through a link in its place. */
static void image_cache_put_folder_not_ours(void **state _unused_)
{
	int fd = make_image();
	struct image_map m;
	char other[96];
	bool hit;

	assert_int_equal(mkdir(folder, 0777), 0);
	assert_int_equal(chmod(folder, 0777), 0);
	assert_int_equal(image_map_cached(fd, &m, &hit), 0);
	assert_int_equal(image_cache_put(fd, &m), -EPERM);
	assert_int_equal(rmdir(folder), 0); /* it is empty */
	snprintf(other, sizeof(other), "%s/elsewhere", base);
	assert_int_equal(mkdir(other, 0700), 0);
	assert_int_equal(symlink("elsewhere", folder), 0);
	assert_true(image_cache_put(fd, &m) < 0);
	assert_int_equal(rmdir(other), 0); /* it is empty */
	image_map_fini(&m);
	close(fd);
}

/* A link in the place of a cache file is not followed, and is replaced by the next write. */
static void image_cache_get_link(void **state _unused_)
{
	int fd = make_image();
	struct image_map m, n;
	char path[512], other[600];
	bool hit;

	assert_int_equal(image_map_cached(fd, &m, &hit), 0);
	cache_file(path, sizeof(path));
	snprintf(other, sizeof(other), "%s/.other", folder);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(".other", path), 0);
	assert_int_equal(image_cache_get(fd, &n), -ENOENT);
	assert_int_equal(image_cache_put(fd, &m), 0);
	assert_int_equal(image_cache_get(fd, &n), 0);
	expect_equal(&m, &n);
	image_map_fini(&m);
	image_map_fini(&n);
	close(fd);
}

/* Without a folder for it the image is still decoded. */
static void image_map_cached_no_folder(void **state _unused_)
{
	int fd = make_image();
	struct image_map m;
	bool hit;

	setenv("XDG_CACHE_HOME", "/nonexistent/cache", 1);
	assert_int_equal(image_map_cached(fd, &m, &hit), 0);
	assert_false(hit);
	assert_int_equal(m.n, FAKE_IMAGE_METHODS);
	image_map_fini(&m);
	close(fd);
}

#define cache_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cache_test(image_map_cached_twice),
		cache_test(image_cache_get_changed_image),
		cache_test(image_cache_get_other_file),
		cache_test(image_cache_get_damaged),
		cache_test(image_cache_get_writable_by_others),
		cache_test(image_cache_put_folder_not_ours),
		cache_test(image_cache_get_link),
		cache_test(image_map_cached_no_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
