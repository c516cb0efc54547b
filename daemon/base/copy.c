// SPDX-License-Identifier: MIT
/* copy.c - copy a file. See copy.h. */
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "base/copy.h"

int copy_file(int from, int to, uint64_t max)
{
	struct stat st;
	off_t at = 0;

	if (fstat(from, &st))
		return -errno;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	while (at < st.st_size) {
		ssize_t n = sendfile(to, from, &at, (size_t)(st.st_size - at));

		if (n <= 0)
			return n ? -errno : -EIO;
	}
	return 0;
}
