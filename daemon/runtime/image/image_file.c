// SPDX-License-Identifier: MIT
/* image_file.c - from a path or a process to the file of a native image. See image_file.h. */
#include "runtime/image/image_file.h"
#include "proc/proc.h"
#include "runtime/image/image_proc.h"

/* A process's program is found also when its leader has ended (entry.h). */
static int open_path(const char *path)
{
	pid_t pid;
	int end = 0;

	if (sscanf(path, "/proc/%d/exe%n", &pid, &end) == 1 && end && !path[end])
		return image_proc_exe(pid);
	return proc_open_regular(path);
}

int image_file_open(const char *path, int *fd_ret, struct image_about *a, struct fail *f)
{
	int fd = open_path(path), err;

	if (fd == -EPERM)
		return fail_set(f, -EPERM, "%s cannot be opened: %s", path, strerror(EACCES));
	if (fd < 0 && fail_is_shortage(fd))
		return fail_set(f, fd, "%s cannot be opened: %s", path, fail_strerror(fd));
	if (fd < 0)
		return fail_set(f, -ENOENT,
				"%s cannot be opened: no such file, or not a regular one", path);
	err = image_look(fd, a);
	if (err == 0) {
		*fd_ret = fd;
		return 0;
	}
	close(fd);
	if (fail_is_shortage(err))
		return fail_set(f, err, "%s cannot be read: %s", path, fail_strerror(err));
	return fail_set(f, -EOPNOTSUPP, "%s is not a native image: %s", path,
			err == -EPROTO	     ? "it is not an ELF executable"
			: err == -EOPNOTSUPP ? "it is not a 64-bit little-endian ELF file"
					     : fail_strerror(err));
}

bool image_file_of(pid_t pid, struct image_about *ret)
{
	_cleanup_close_ int fd = image_proc_exe(pid);

	return fd >= 0 && !image_look(fd, ret);
}

bool image_file_exe(pid_t pid)
{
	_cleanup_close_ int fd = image_proc_exe(pid);

	return fd >= 0 && image_recognise(fd);
}

const char *image_file_path(const struct target_request *t, char exe[static IMAGE_EXE_MAX])
{
	snprintf(exe, IMAGE_EXE_MAX, "/proc/%d/exe", t->pid);
	return t->binary ? t->binary : exe;
}

const char *image_file_no_names(int err)
{
	return fail_is_shortage(err) ? fail_strerror(err)
	       : err == -E2BIG
		       ? "reading them takes far more work than any real image makes"
		       : "it is stripped, and its code info has an unsupported layout; build it "
			 "with -H:-DeleteLocalSymbols";
}
