// SPDX-License-Identifier: MIT
/* gadget.c - find a system call that returns, and the signal return trampoline. See gadget.h. */
#include <sys/uio.h>

#include "arch/syscall_code.h"
#include "remote/gadget.h"

#define GADGET_SCAN_MAX	 (64u << 20) /* a native image has some 50 MiB of text, libc in it */
#define GADGET_CHUNK	 (64u << 10)
#define GADGET_CACHE_MAX 16

static struct {
	pid_t pid;
	struct gadgets found;
} cache[GADGET_CACHE_MAX];
static size_t cache_next;

static ssize_t peek(pid_t pid, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = {buf, len}, remote = {(void *)addr, len};

	return process_vm_readv(pid, &local, 1, &remote, 1, 0);
}

static void scan_chunk(const uint8_t *buf, size_t len, uint64_t addr, struct gadgets *g)
{
	const uint8_t *at, *end;

	if (!g->syscall_ret && (at = syscall_code_find(buf, len)))
		g->syscall_ret = addr + (uint64_t)(at - buf);
	if (!g->sigreturn && (at = syscall_code_find_sigreturn(buf, len, &end))) {
		g->sigreturn = addr + (uint64_t)(at - buf);
		g->sigreturn_end = addr + (uint64_t)(end - buf);
	}
}

static bool complete(const struct gadgets *g)
{
	return g->syscall_ret && g->sigreturn;
}

static void scan_mapping(pid_t pid, const struct map_entry *e, uint8_t *buf, uint64_t *budget,
			 struct gadgets *g)
{
	for (uint64_t at = e->start; at < e->end && *budget && !complete(g);) {
		uint64_t want = MIN(MIN(e->end - at, GADGET_CHUNK), *budget);
		ssize_t got = peek(pid, at, buf, want);

		if (got < SYSCALL_CODE_LONGEST)
			return;
		scan_chunk(buf, (size_t)got, at, g);
		*budget -= MIN((uint64_t)got, *budget);
		if ((uint64_t)got < want || at + want == e->end)
			return;
		at += want - (SYSCALL_CODE_LONGEST - 1); /* one may lie across the edge */
	}
}

static bool is_code_file(const struct map_entry *e)
{
	return e->exec && !e->write && !e->shared && e->path[0] == '/';
}

static bool is_libc(const struct map_entry *e)
{
	static const char *const names[] = {"libc.so", "libc-", "ld-linux", "ld-musl", "ld-2"};
	const char *slash = strrchr(e->path, '/');

	for (size_t i = 0; slash && i < ARRAY_SIZE(names); i++)
		if (!strncmp(slash + 1, names[i], strlen(names[i])))
			return true;
	return false;
}

/* As many bytes of code as can be seen at @addr, at most SYSCALL_CODE_LONGEST. */
static size_t peek_code(pid_t pid, uint64_t addr, size_t len,
			uint8_t buf[static SYSCALL_CODE_LONGEST])
{
	ssize_t n = peek(pid, addr, buf, MIN(len, (size_t)SYSCALL_CODE_LONGEST));

	return n > 0 ? (size_t)n : 0;
}

static bool still_there(pid_t pid, const struct maps *maps, const struct gadgets *g)
{
	const struct map_entry *a = maps_find(maps, g->syscall_ret);
	const struct map_entry *b = maps_find(maps, g->sigreturn);
	size_t n, len = g->sigreturn_end - g->sigreturn;
	uint8_t code[SYSCALL_CODE_LONGEST];

	if (!a || !b || !is_code_file(a) || !is_code_file(b))
		return false;
	n = peek_code(pid, g->sigreturn, len, code);
	if (syscall_code_sigreturn(code, n) != len)
		return false;
	n = peek_code(pid, g->syscall_ret, a->end - g->syscall_ret, code);
	return syscall_code_returns(code, n);
}

static bool recall(pid_t pid, const struct maps *maps, struct gadgets *ret)
{
	for (size_t i = 0; i < GADGET_CACHE_MAX; i++) {
		if (cache[i].pid != pid || !still_there(pid, maps, &cache[i].found))
			continue;
		*ret = cache[i].found;
		return true;
	}
	return false;
}

int gadget_find(pid_t pid, const struct maps *maps, struct gadgets *ret)
{
	_cleanup_free_ uint8_t *buf = NULL;
	struct gadgets g = {0};
	uint64_t budget = GADGET_SCAN_MAX;

	if (recall(pid, maps, ret))
		return 0;
	buf = malloc(GADGET_CHUNK);
	if (!buf)
		return -ENOMEM;
	for (int libc = 1; libc >= 0; libc--)
		for (size_t i = 0; i < maps->n; i++)
			if (is_code_file(&maps->entries[i]) && is_libc(&maps->entries[i]) == libc)
				scan_mapping(pid, &maps->entries[i], buf, &budget, &g);
	if (!complete(&g))
		return -EOPNOTSUPP;
	cache[cache_next].pid = pid;
	cache[cache_next].found = g;
	cache_next = (cache_next + 1) % GADGET_CACHE_MAX;
	*ret = g;
	return 0;
}
