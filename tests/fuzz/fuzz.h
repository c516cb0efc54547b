/* SPDX-License-Identifier: MIT */
/* fuzz.h - what fuzz targets share: the entry point, promises, and input taken piece by piece. */
#ifndef HP_FUZZ_H
#define HP_FUZZ_H

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/** fuzz_check() - what must hold whatever the input is. */
static inline void fuzz_check(bool promise)
{
	if (!promise)
		abort();
}

/* What is left of the input. */
struct fuzz_input {
	const uint8_t *p;
	size_t len;
};

/** fuzz_take() - the next @size bytes; zeros for those that are missing. */
static inline void fuzz_take(struct fuzz_input *in, void *buf, size_t size)
{
	size_t n = MIN(in->len, size);

	memset(buf, 0, size);
	if (n)
		memcpy(buf, in->p, n);
	in->p += n;
	in->len -= n;
}

static inline uint64_t fuzz_number(struct fuzz_input *in, size_t size)
{
	uint64_t v = 0;

	fuzz_take(in, &v, size);
	return v;
}

/** fuzz_file() - a file that holds these bytes, at its beginning. The caller closes it. */
static inline int fuzz_file(const void *data, size_t len)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	fuzz_check(fd >= 0 && write(fd, data, len) == (ssize_t)len && !lseek(fd, 0, SEEK_SET));
	return fd;
}

/** fuzz_lowest_fd() - what descriptor comes next: the same before and after, unless one leaks. */
static inline int fuzz_lowest_fd(void)
{
	int fd = dup(STDIN_FILENO);

	if (fd >= 0)
		close(fd);
	return fd;
}

#endif
