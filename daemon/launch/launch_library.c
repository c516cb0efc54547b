// SPDX-License-Identifier: MIT
/* launch_library.c - the path by which JVMs find the agent. See launch_library.h. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/copy.h"
#include "base/log.h"
#include "launch/launch_library.h"
#include "launch/launch_options.h"

#define LIBRARY_MAX (256u << 20)

/* --- the copy --------------------------------------------------------------------------------- */

static int copy_to(const char *installed, const char *path)
{
	_cleanup_close_ int from = open(installed, O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct statvfs fs;

	if (from < 0 || to < 0)
		return -errno;
	if (fstatvfs(to, &fs) || fs.f_flag & ST_NOEXEC)
		return -EACCES; /* the dynamic linker could not map it */
	return copy_file(from, to, LIBRARY_MAX) ?: fchmod(to, 0555) ? -errno : 0;
}

static void copy_remove(struct launch_library *l)
{
	unlink(l->path);
	rmdir(l->copy_dir);
	l->copy_dir[0] = '\0';
}

/* One attempt. The folder is nobody else's to write, and is opened to all when the file is whole.
 */
static int copy_in(struct launch_library *l, const char *installed, const char *parent)
{
	int err;

	snprintf(l->copy_dir, sizeof(l->copy_dir), "%s/.hotprobe-run-XXXXXX", parent);
	if (!mkdtemp(l->copy_dir)) {
		l->copy_dir[0] = '\0';
		return -errno;
	}
	snprintf(l->path, sizeof(l->path), "%s/libhotprobe.so", l->copy_dir);
	err = copy_to(installed, l->path);
	if (!err && chmod(l->copy_dir, 0755))
		err = -errno;
	if (err)
		copy_remove(l);
	return err;
}

static int copy_somewhere(struct launch_library *l, const char *installed)
{
	static const char *const parents[] = {"/tmp", "/var/tmp", "/dev/shm"};
	char in_the_way[PATH_MAX];
	int err = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(parents) && err; i++) {
		err = copy_in(l, installed, parents[i]);
		if (!err && !launch_options_readable(l->path, in_the_way)) {
			copy_remove(l);
			err = -EACCES;
		}
	}
	return err;
}

/* --- the choice ------------------------------------------------------------------------------- */

int launch_library_open(struct launch_library *l, const char *installed, bool switches,
			struct fail *f)
{
	struct fail why = {0};
	char in_the_way[PATH_MAX];
	bool hidden = switches && !launch_options_readable(installed, in_the_way);
	int err = launch_options_check(installed, &why);

	*l = (struct launch_library){0};
	if ((err || hidden) && !copy_somewhere(l, installed)) {
		log_debug("the JVMs load a copy of the agent, %s", l->path);
		return 0;
	}
	if (err)
		return fail_set(f, err, "%s", why.text);
	snprintf(l->path, sizeof(l->path), "%s", installed);
	if (hidden)
		log_warn("not every user can read %s, where the agent is: a JVM that the command "
			 "starts as another user will not start; install hotprobe where all can "
			 "read it",
			 in_the_way);
	return 0;
}

void launch_library_close(struct launch_library *l, const struct family *family)
{
	_cleanup_free_ struct kin *kin = NULL;
	pid_t left = 0;
	size_t n = 0;

	if (!l->copy_dir[0])
		return;
	if (family && family_list(family, &kin, &n))
		left = -1;
	for (size_t i = 0; i < n && !left; i++)
		if (kin[i].st.state != 'Z')
			left = kin[i].pid;
	if (!left)
		copy_remove(l);
	else
		log_warn("PID %d goes on, and what it starts may load the agent from %s: remove "
			 "that when it has ended",
			 left, l->copy_dir);
}
