// SPDX-License-Identifier: MIT
/* plain.c - a uprobe as other tools set them. See plain.h. */
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "lib/cmocka_all.h"
#include "lib/plain.h"

static uint32_t uprobe_type(void)
{
	FILE *f = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	unsigned int type = 0;

	if (!f || fscanf(f, "%u", &type) != 1)
		fail_msg("the kernel has no perf events of uprobes");
	fclose(f);
	return type;
}

int plain_event(const char *path, uint64_t offset, int cpu)
{
	struct perf_event_attr attr = {.size = sizeof(attr),
				       .type = uprobe_type(),
				       .config1 = (uint64_t)(uintptr_t)path,
				       .config2 = offset};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		fail_msg("no uprobe at 0x%llx of %s: %s", (unsigned long long)offset, path,
			 strerror(errno));
	return fd;
}

void plain_open(struct plain *p, const char *path, uint64_t offset)
{
	p->n = MIN(sysconf(_SC_NPROCESSORS_ONLN), (long)PLAIN_CPUS_MAX);
	for (int i = 0; i < p->n; i++)
		p->fds[i] = plain_event(path, offset, i);
}

uint64_t plain_close(struct plain *p)
{
	uint64_t hits = 0, n;

	for (long i = 0; i < p->n; i++) {
		if (read(p->fds[i], &n, sizeof(n)) == sizeof(n))
			hits += n;
		close(p->fds[i]);
	}
	return hits;
}
