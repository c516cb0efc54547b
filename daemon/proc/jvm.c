// SPDX-License-Identifier: MIT
/*
 * jvm.c - which processes are JVMs, and of what kind. See proc.h.
 *
 * Recognition goes by the libraries a process has mapped; nothing is read from its memory. Any
 * process may dress up as a JVM: what is told here decides what to say and which file to open,
 * and everything read from that file is checked again.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>

#include "symmap/elfsyms.h"
#include "base/fail.h"
#include "proc/entry.h"
#include "proc/jvm_image.h"
#include "proc/jvm.h"

/* Class paths of 100 kB do occur; a command line may be longer, but its main class comes early. */
#define CMDLINE_MAX (1u << 20)

/* PID_MAX_LIMIT of 64-bit kernels. */
#define PIDS_MAX (4u << 20)

#define PASSWD_BUF 16384

const char *jvm_kind_name(enum jvm_kind kind)
{
	switch (kind) {
	case JVM_HOTSPOT:
		return "hotspot";
	case JVM_OPENJ9:
		return "openj9";
	case JVM_ZING:
		return "zing";
	case JVM_NATIVE_IMAGE:
		return "native-image";
	case JVM_NONE:
		break;
	}
	return "none";
}

void jvm_info_fini(struct jvm_info *info)
{
	if (!info)
		return;
	free(info->user);
	free(info->main);
	free(info->libjvm);
	free(info->libjvm_open);
	if (info->libjvm_fd > 0)
		close(info->libjvm_fd);
	*info = (struct jvm_info){0};
}

/* --- kinds ---------------------------------------------------------------------------------- */

/* The last component of a mapping's path, without the mark of a file that was replaced on disk. */
static size_t base_name(const char *path, const char **ret)
{
	static const char deleted[] = " (deleted)";
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = strlen(name), mark = strlen(deleted);

	if (len > mark && !strcmp(name + len - mark, deleted))
		len -= mark;
	*ret = name;
	return len;
}

static bool base_is(const char *path, const char *name)
{
	const char *base;

	return base_name(path, &base) == strlen(name) && !memcmp(base, name, strlen(name));
}

static bool base_begins(const char *path, const char *part)
{
	const char *base;

	return base_name(path, &base) >= strlen(part) && !memcmp(base, part, strlen(part));
}

static bool is_file(const struct map_entry *e)
{
	return e->path[0] == '/';
}

/* The executable mapping of libjvm.so. */
static const struct map_entry *find_libjvm(const struct maps *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (is_file(&m->entries[i]) && m->entries[i].exec &&
		    base_is(m->entries[i].path, "libjvm.so"))
			return &m->entries[i];
	return NULL;
}

static bool maps_library(const struct maps *m, const char *part)
{
	for (size_t i = 0; i < m->n; i++)
		if (is_file(&m->entries[i]) && base_begins(m->entries[i].path, part))
			return true;
	return false;
}

/* Is a directory of @path called like "zing-jdk17" or "zing23.05.0.0-2-jdk17.0.7-linux_x64"? */
static bool zing_directory(const char *path)
{
	for (const char *p = strstr(path, "/zing"); p; p = strstr(p + 1, "/zing")) {
		const char *jdk = strstr(p, "jdk"), *end = strchr(p + 1, '/');

		if (jdk && end && jdk < end)
			return true;
	}
	return false;
}

/*
 * OpenJ9 keeps its VM in libj9vm29.so; its libjvm.so only passes calls on. Zing's libjvm.so brings
 * libazsys3.so and libaztall.so, and lacks HotSpot's VMStructs.
 * Sources: eclipse-openj9 runtime/redirector; async-profiler (looks for "libazsys" when the JVM is
 * Zing); libraries in perf profiles of Zing 23.05; github.com/apangin/helfy issue 4.
 */
static enum jvm_kind libjvm_kind(const struct maps *m, const struct map_entry *libjvm)
{
	if (maps_library(m, "libj9vm"))
		return JVM_OPENJ9;
	if (!libjvm)
		return JVM_NONE;
	if (maps_library(m, "libazsys") || maps_library(m, "libaztall") ||
	    zing_directory(libjvm->path))
		return JVM_ZING;
	return JVM_HOTSPOT;
}

static bool is_32bit(int exe)
{
	unsigned char ident[5]; /* up to and with the class */

	return pread(exe, ident, sizeof(ident), 0) == sizeof(ident) &&
	       !memcmp(ident, "\177ELF\001", sizeof(ident));
}

/* --- details -------------------------------------------------------------------------------- */

static char *user_name(uid_t uid)
{
	struct passwd pw, *found = NULL;
	char buf[PASSWD_BUF], number[16];

	if (!getpwuid_r(uid, &pw, buf, sizeof(buf), &found) && found)
		return strdup(pw.pw_name);
	snprintf(number, sizeof(number), "%u", uid);
	return strdup(number);
}

/*
 * The kernel prints paths of a mapping from the root of the mount namespace (or ours); a process
 * that was merely chrooted sees them without the part that /proc/PID/root names.
 */
static char *path_in_root(pid_t pid, struct view *v, const char *path)
{
	char root[MAPS_PATH_MAX + 1];
	const char *p = path, *base;
	ssize_t n = v ? (ssize_t)view_root(v, root, sizeof(root))
		      : entry_readlink(pid, "root", root, sizeof(root));

	if (n > 1 && n < (ssize_t)sizeof(root) && !strncmp(path, root, n) && path[n] == '/')
		p += n;
	return strndup(p, base_name(p, &base) + (strrchr(p, '/') + 1 - p));
}

/* The mapping itself leads to the very file, also when its path now names another one. */
static int open_map_file(pid_t pid, const struct map_entry *map)
{
	char name[ENTRY_PATH_MAX];

	snprintf(name, sizeof(name), "map_files/%lx-%lx", map->start, map->end);
	return proc_open_entry(pid, name);
}

/* Needs less privilege than map_files, but the file there must still be the one that is mapped. */
static int open_by_path(pid_t pid, struct view *v, const struct map_entry *map, const char *inside)
{
	struct stat st;
	int fd = v ? view_open_file(v, inside) : proc_open_file(pid, inside);

	if (fd >= 0 && (fstat(fd, &st) || st.st_ino != map->inode)) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

static uint64_t load_bias(int fd, const struct map_entry *map)
{
	struct elfsyms *e;
	uint64_t vaddr, bias = 0;

	if (elfsyms_open(fd, &e))
		return 0;
	if (!elfsyms_vaddr(e, map->offset, &vaddr))
		bias = map->start - vaddr;
	elfsyms_close(e);
	return bias;
}

/*
 * The descriptor is kept (and is not 0): paths by which it was opened are good only as long as some
 * thread lives, or as nobody changes what lies there.
 */
static int keep_libjvm(struct jvm_info *info, int fd)
{
	char path[32];

	info->libjvm_fd = fcntl(fd, F_DUPFD_CLOEXEC, 1);
	if (info->libjvm_fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", info->libjvm_fd);
	free(info->libjvm_open);
	info->libjvm_open = strdup(path);
	return info->libjvm_open ? 0 : -ENOMEM;
}

static int describe_libjvm(const struct map_entry *map, struct view *v, struct jvm_info *info)
{
	_cleanup_close_ int fd = -1;

	free(info->libjvm);
	info->libjvm = path_in_root(info->pid, v, map->path);
	if (!info->libjvm)
		return -ENOMEM;
	fd = open_map_file(info->pid, map);
	if (fd < 0 && !fail_is_shortage(fd))
		fd = open_by_path(info->pid, v, map, info->libjvm);
	if (fd < 0) /* the file is not to be had; or we, or whoever opens for us, have failed */
		return fd == -ENOENT || fd == -EPERM || fd == -EACCES ||
				       (!v && !fail_is_shortage(fd))
			       ? 0
			       : fd;
	info->libjvm_base = load_bias(fd, map);
	return keep_libjvm(info, fd);
}

/* Only the java launcher's command line follows the rules of jvm_main_class(). */
static bool is_java_launcher(pid_t pid)
{
	char exe[MAPS_PATH_MAX + 16];

	return entry_readlink(pid, "exe", exe, sizeof(exe)) > 0 && base_is(exe, "java");
}

static int read_main(pid_t pid, char **ret)
{
	_cleanup_close_ int fd = entry_open(pid, "cmdline", O_RDONLY);
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	text = malloc(CMDLINE_MAX);
	if (!text)
		return -ENOMEM;
	while (len < CMDLINE_MAX && (n = read(fd, text + len, CMDLINE_MAX - len)) > 0)
		len += n;
	free(*ret);
	*ret = NULL;
	return jvm_main_class(text, len, ret);
}

/* --- one process ---------------------------------------------------------------------------- */

static int init_info(pid_t pid, struct jvm_info *info)
{
	struct proc_status st;
	int err;

	*info = (struct jvm_info){.pid = pid};
	err = proc_status(pid, &st);
	if (err)
		return err;
	if (st.tgid != pid || st.state == 'Z' || st.state == 'X')
		return -ESRCH;
	info->uid = st.uid;
	info->ns_pid = st.ns_pid ? st.ns_pid : pid;
	info->user = strdup("");
	info->main = strdup("");
	info->libjvm = strdup("");
	info->libjvm_open = strdup("");
	return info->user && info->main && info->libjvm && info->libjvm_open ? 0 : -ENOMEM;
}

static int describe(const struct map_entry *libjvm, struct view *v, struct jvm_info *info)
{
	int err;

	info->other_mount_ns = entry_other_namespace(info->pid, "mnt");
	info->other_pid_ns = entry_other_namespace(info->pid, "pid");
	free(info->user);
	info->user = user_name(info->uid);
	if (!info->user)
		return -ENOMEM;
	err = info->launcher ? read_main(info->pid, &info->main) : 0;
	if (!err && libjvm)
		err = describe_libjvm(libjvm, v, info);
	return err;
}

static int inspect(pid_t pid, struct view *v, struct maps *maps, struct jvm_info *info)
{
	_cleanup_close_ int exe = -1;
	const struct map_entry *libjvm;
	int err = init_info(pid, info);

	if (!err)
		err = v ? view_maps(v, maps) : maps_read(pid, maps);
	if (err)
		return err;
	exe = v ? view_open_file(v, PROC_OWN "exe") : proc_open_entry(pid, "exe");
	if (exe < 0 && fail_is_shortage(exe))
		return exe;
	info->launcher = is_java_launcher(pid);
	libjvm = find_libjvm(maps);
	info->kind = libjvm_kind(maps, libjvm);
	if (info->kind == JVM_NONE && exe >= 0 && jvm_image_recognise(exe))
		info->kind = JVM_NATIVE_IMAGE;
	/* Mappings may be shown to those who may not see what is run: CAP_PERFMON does that. */
	if (info->kind == JVM_NONE)
		return exe == -EPERM ? exe : 0;
	info->is_32bit = exe >= 0 && is_32bit(exe);
	return describe(libjvm, v, info);
}

int jvm_inspect_by(pid_t pid, struct view *v, struct jvm_info *ret)
{
	struct jvm_info info;
	struct maps maps = {0};
	int err = inspect(pid, v, &maps, &info);

	maps_fini(&maps);
	if (err)
		jvm_info_fini(&info);
	else
		*ret = info;
	return err;
}

int jvm_inspect(pid_t pid, struct jvm_info *ret)
{
	return jvm_inspect_by(pid, NULL, ret);
}

/* --- all of them ---------------------------------------------------------------------------- */

static int compare_pids(const void *a, const void *b)
{
	return *(const pid_t *)a - *(const pid_t *)b;
}

static int list_pids(DIR *dir, pid_t **pids, size_t *n_ret)
{
	size_t n = 0, size = 0;
	struct dirent *d;

	while ((d = readdir(dir)) && n < PIDS_MAX) {
		pid_t pid = (pid_t)strtol(d->d_name, NULL, 10);

		if (pid <= 0)
			continue;
		if (n == size) {
			pid_t *p = reallocarray(*pids, size = size ? 2 * size : 1024, sizeof(*p));

			if (!p)
				return -ENOMEM;
			*pids = p;
		}
		(*pids)[n++] = pid;
	}
	*n_ret = n;
	return 0;
}

int jvm_pids(pid_t **ret, size_t *n_ret)
{
	_cleanup_free_ pid_t *pids = NULL;
	DIR *dir = opendir("/proc");
	size_t n = 0;
	int err;

	if (!dir)
		return -errno;
	err = list_pids(dir, &pids, &n);
	closedir(dir);
	if (err)
		return err;
	if (n)
		qsort(pids, n, sizeof(*pids), compare_pids);
	*ret = take_ptr(pids);
	*n_ret = n;
	return 0;
}

int jvm_uid(pid_t pid, uid_t *ret)
{
	struct proc_status st;
	int err = proc_status(pid, &st);

	if (!err)
		*ret = st.uid;
	return err;
}
