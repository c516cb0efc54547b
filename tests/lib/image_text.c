// SPDX-License-Identifier: MIT
#include "lib/image_text.h"

#include <fcntl.h>
#include <limits.h>

#include "lib/cmocka_all.h"
#include "lib/hp.h"
#include "lib/jvm.h"
#include "proc/maps.h"

#define MB (1u << 20)

/* Do @now and @file, which differ, differ by a jump from @addr on to somewhere in a region? */
static bool leads_to_region(const struct maps *maps, uint64_t addr, const uint8_t *now,
			    const uint8_t *file, uint64_t *jump)
{
	size_t at = 0, jmp = 5;
	const struct map_entry *e;
	int32_t rel;

	while (at < 8 && now[at] == file[at])
		at++;
	for (; at <= 8; at--) { /* the first bytes of jump and instruction may be the same */
		if (at + jmp > 8 || now[at] != 0xe9 ||
		    memcmp(now + at + jmp, file + at + jmp, 3 - at))
			continue;
		memcpy(&rel, now + at + 1, sizeof(rel));
		e = maps_find(maps, addr + at + jmp + (uint64_t)(int64_t)rel);
		*jump = addr + at;
		if (e && strstr(e->path, "memfd:hotprobe"))
			return true;
	}
	return false;
}

static bool only_traps(const uint8_t *now, const uint8_t *file)
{
	for (size_t i = 0; i < 8; i++)
		if (now[i] != file[i] && now[i] != 0xcc)
			return false;
	return true;
}

static void compare(const struct maps *maps, uint64_t addr, const uint8_t *now, const uint8_t *file,
		    size_t len, struct image_text *ret)
{
	uint64_t jump;

	for (size_t i = 0; i + 8 <= len; i += 8) {
		if (!memcmp(now + i, file + i, 8))
			continue;
		if (leads_to_region(maps, addr + i, now + i, file + i, &jump))
			ret->first_jump = ret->diverted++ ? ret->first_jump : jump;
		else if (only_traps(now + i, file + i))
			ret->trapped++;
		else
			ret->other++;
	}
}

static void compare_mapping(pid_t pid, int fd, const struct maps *maps, const struct map_entry *e,
			    struct image_text *ret)
{
	_cleanup_free_ uint8_t *now = malloc(MB), *file = malloc(MB);
	_cleanup_close_ int mem = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	for (uint64_t at = e->start; at < e->end; at += MB) {
		size_t want = MIN(e->end - at, (uint64_t)MB);
		ssize_t n = pread(fd, file, want, (off_t)(e->offset + (at - e->start)));

		if (n < 0 || pread(mem, now, want, (off_t)at) != (ssize_t)want)
			fail_msg("cannot read the text of PID %d at %#llx: %s", pid,
				 (unsigned long long)at, strerror(errno));
		compare(maps, at, now, file, (size_t)n, ret);
	}
}

void image_text_look(pid_t pid, struct image_text *ret)
{
	_cleanup_close_ int fd = -1;
	char link[64], exe[PATH_MAX];
	size_t mappings = 0;
	struct maps maps;
	ssize_t n;

	*ret = (struct image_text){0};
	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	n = readlink(link, exe, sizeof(exe) - 1);
	fd = open(link, O_RDONLY | O_CLOEXEC);
	if (n < 0 || fd < 0 || maps_read(pid, &maps))
		fail_msg("PID %d cannot be looked at: %s", pid, strerror(errno));
	exe[n] = '\0';
	for (size_t i = 0; i < maps.n; i++) {
		const struct map_entry *e = &maps.entries[i];

		ret->region = ret->region || strstr(e->path, "hotprobe");
		if (!e->exec || strcmp(e->path, exe))
			continue;
		mappings++;
		ret->writable = ret->writable || e->write;
		compare_mapping(pid, fd, &maps, e, ret);
	}
	maps_fini(&maps);
	assert_true(mappings > 0);
}

void image_text_check(pid_t pid)
{
	struct image_text t;

	image_text_look(pid, &t);
	if (t.diverted || t.trapped || t.other || t.writable || t.region)
		fail_msg("PID %d: %zu words diverted, %zu with breakpoints, %zu otherwise "
			 "changed%s%s",
			 pid, t.diverted, t.trapped, t.other, t.writable ? ", writable" : "",
			 t.region ? ", a region" : "");
}

void image_text_check_soon(pid_t pid)
{
	uint64_t until = mono_ms() + HP_TIMEOUT_MS;
	struct image_text t;

	do {
		pause_ms(20);
		image_text_look(pid, &t);
	} while (t.trapped && mono_ms() < until);
	image_text_check(pid);
}
