// SPDX-License-Identifier: MIT
/*
 * Fuzz target (libFuzzer): what /proc/PID and its threads' files say. A thread's name is its own
 * choice, and stands in the middle of other fields.
 *
 * The input: which file is read, then its text; with 4, what a target hands over as one
 * of its files.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "fuzz.h"

static struct fuzz_input shown;

static int fake_open(const char *path, int flags)
{
	(void)path;
	(void)flags;
	return fuzz_file(shown.p, shown.len);
}

#define open(path, flags) fake_open(path, flags)
#include "agent/agent_find.c"
#define status_field thread_status_field
#include "proc/threads.c"
#undef status_field
#define enter proc_enter
#include "proc/proc.c"
#undef enter
#undef open

/* What a target may hand over when it is asked for one of its files. */
static int view_input(struct view *v, const char *path, int *fd_ret)
{
	static const char *const paths[] = {"/proc/self/mem", "/proc/self/maps", "/proc/self/fd",
					    "/dev/null", "/"};
	size_t i = shown.len ? shown.p[0] : SIZE_MAX;

	(void)v;
	(void)path;
	*fd_ret = i < ARRAY_SIZE(paths) ? (open)(paths[i], O_RDONLY | O_CLOEXEC)
					: fuzz_file(shown.p, shown.len);
	return *fd_ret < 0 ? -errno : 0;
}

static void check_thread(void)
{
	struct thread_info t = {.tid = 2};
	struct thread_status s;
	uint64_t start;
	struct whereabouts w = {.pid = 1};

	if (!thread_read(1, 2, &t)) {
		fuzz_check(t.state && strnlen(t.comm, sizeof(t.comm)) < sizeof(t.comm));
		fuzz_check(memchr(shown.p, '(', shown.len) != NULL);
	}
	if (t.state)
		fuzz_check(thread_rank(1, &t) <= 5);
	if (!thread_read_status(1, 2, &s))
		fuzz_check(s.state == '?' || isalpha((unsigned char)s.state));
	if (!proc_start_time(1, &start))
		fuzz_check(memchr(shown.p, ')', shown.len) != NULL);
	if (!read_status(&w))
		fuzz_check(w.ns_pid > 0);
}

static void check_view(void)
{
	struct view v = {.open = view_input};
	struct mem *mem = NULL;
	struct maps maps;
	char root[64];
	int fd = view_open_file(&v, "/lib/server/libjvm.so");

	fuzz_check(fd >= 0 || fd == -ENOENT);
	if (fd >= 0)
		close(fd);
	fuzz_check(!view_open_mem(&v, &mem) == (shown.len && shown.p[0] == 0));
	mem_close(mem);
	if (!view_maps(&v, &maps)) {
		fuzz_check(shown.len && shown.p[0] == 1);
		maps_fini(&maps);
	}
	fuzz_check(view_root(&v, root, sizeof(root)) < sizeof(root));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int before = fuzz_lowest_fd();

	if (!len)
		return 0;
	shown = (struct fuzz_input){data + 1, len - 1};
	if (data[0] & 4)
		check_view();
	else
		check_thread();
	fuzz_check(fuzz_lowest_fd() == before);
	return 0;
}
