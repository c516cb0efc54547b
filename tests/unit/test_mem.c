// SPDX-License-Identifier: MIT
/* The readers of a target's memory: whole or not at all, and each piece of a batch by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "lib/fake_target.h"

#define PAGE 4096

/* Pages readable, one page that is not behind them. */
static uint8_t *guarded(size_t pages)
{
	uint8_t *p = mmap(NULL, (pages + 1) * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	assert_int_equal(mprotect(p + pages * PAGE, PAGE, PROT_NONE), 0);
	for (size_t i = 0; i < pages * PAGE; i++)
		p[i] = (uint8_t)(i % 251 + 1);
	return p;
}

static uint64_t addr_of(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

struct fixture {
	struct mem *m;
	uint8_t *pages; /* three, and a guard */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	f->pages = guarded(3);
	return mem_open_live(getpid(), &f->m);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	mem_close(f->m);
	munmap(f->pages, 4 * PAGE);
	free(f);
	return 0;
}

/* A read brings exactly the bytes that are there. */
static void read_copies_bytes(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[2 * PAGE];

	assert_int_equal(mem_read(f->m, addr_of(f->pages) + 100, buf, sizeof(buf)), 0);
	assert_memory_equal(buf, f->pages + 100, sizeof(buf));
}

/* The words of every width are little-endian values of the target. */
static void read_words(void **state)
{
	struct fixture *f = *state;
	uint64_t u64, want = 0x8877665544332211;
	uint32_t u32;
	uint16_t u16;
	uint8_t u8;

	assert_int_equal(mem_read_u64(f->m, addr_of(&want), &u64), 0);
	assert_int_equal(mem_read_u32(f->m, addr_of(&want), &u32), 0);
	assert_int_equal(mem_read_u16(f->m, addr_of(&want), &u16), 0);
	assert_int_equal(mem_read_u8(f->m, addr_of(&want), &u8), 0);
	assert_true(u64 == want && u32 == 0x44332211 && u16 == 0x2211 && u8 == 0x11);
}

/* One unreadable byte at the end fails the whole read. */
static void read_past_the_end(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[64];

	assert_int_equal(mem_read(f->m, addr_of(f->pages) + 3 * PAGE - 63, buf, 64), -EFAULT);
	assert_int_equal(mem_read(f->m, addr_of(f->pages) + 3 * PAGE - 64, buf, 64), 0);
}

/* Addresses that no process has, and sums that wrap, are unreadable and nothing worse. */
static void read_impossible_addresses(void **state)
{
	struct fixture *f = *state;
	static const uint64_t bad[] = {0,	  8, 1ULL << 47, 0xffff800000000000, UINT64_MAX - 3,
				       UINT64_MAX};
	uint8_t buf[16];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(mem_read(f->m, bad[i], buf, sizeof(buf)), -EFAULT);
	assert_int_equal(mem_read(f->m, 0, buf, 0), 0);
}

/* A process that has ended is gone, for single reads and batches. */
static void read_after_exit(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[8];
	struct mem_vec vec = {addr_of(f->pages), buf, sizeof(buf), 0};
	struct mem *m;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(mem_open_live(pid, &m), 0);
	assert_int_equal(mem_read(m, addr_of(f->pages), buf, sizeof(buf)), -ESRCH);
	assert_int_equal(mem_readv(m, &vec, 1), -ESRCH);
	mem_close(m);
}

/* In a batch longer than a system call takes, good pieces arrive and bad ones fail, wherever. */
static void readv_mixes_good_and_bad(void **state)
{
	enum { N = 3000, LEN = 40 };
	struct fixture *f = *state;
	struct mem_vec *vec = calloc(N, sizeof(*vec));
	uint8_t *bufs = calloc(N, LEN);

	for (size_t i = 0; i < N; i++) {
		/* every seventh reaches into the guard page, every eleventh lies in it */
		uint64_t off = i % 7 == 0    ? 3 * PAGE - 39
			       : i % 11 == 0 ? 3 * PAGE + 8
					     : 4 * i % PAGE;
		vec[i] = (struct mem_vec){addr_of(f->pages) + off, bufs + i * LEN, LEN, 77};
	}
	assert_int_equal(mem_readv(f->m, vec, N), 0);
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(vec[i].err, i % 7 == 0 || i % 11 == 0 ? -EFAULT : 0);
		if (!vec[i].err)
			assert_memory_equal(vec[i].buf, (void *)(uintptr_t)vec[i].addr, LEN);
	}
	free(bufs);
	free(vec);
}

/* A piece of several pages whose end is unreadable fails, and does not spoil the next. */
static void readv_long_piece_fails_alone(void **state)
{
	struct fixture *f = *state;
	uint8_t a[8], *b = malloc(40 * PAGE), c[8];
	uint8_t *p = guarded(39);
	struct mem_vec vec[] = {
		{addr_of(f->pages), a, sizeof(a), 1},
		{addr_of(p), b, 40 * PAGE, 1},
		{addr_of(f->pages) + 16, c, 0, 1},
		{addr_of(f->pages) + 16, c, sizeof(c), 1},
	};

	assert_int_equal(mem_readv(f->m, vec, ARRAY_SIZE(vec)), 0);
	assert_true(vec[0].err == 0 && vec[1].err == -EFAULT && vec[2].err == 0 && vec[3].err == 0);
	assert_memory_equal(c, f->pages + 16, sizeof(c));
	munmap(p, 40 * PAGE);
	free(b);
}

/* No pieces, no read. */
static void readv_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mem_readv(f->m, NULL, 0), 0);
}

/* A reader without readv() gives the same answers piece by piece. */
static void readv_without_support(void **state _unused_)
{
	struct fake_target t;
	uint8_t a[8], b[8];

	fake_target_init(&t, 0x10000, 64);
	struct mem_vec vec[] = {{0x10000, a, 8, 1}, {0x10039, b, 8, 1}};
	assert_int_equal(mem_readv(&t.mem, vec, 2), 0);
	assert_true(vec[0].err == 0 && vec[1].err == -EFAULT);
	t.gone_after = 1;
	assert_int_equal(mem_readv(&t.mem, vec, 2), -ESRCH);
	fake_target_fini(&t);
}

/* A string ends at its NUL, even with unreadable memory right behind it. */
static void str_at_the_edge(void **state)
{
	struct fixture *f = *state;
	char buf[5000];

	f->pages[3 * PAGE - 1] = 0;
	assert_int_equal(mem_read_str(f->m, addr_of(f->pages) + 3 * PAGE - 5, buf, sizeof(buf)), 4);
	assert_memory_equal(buf, f->pages + 3 * PAGE - 5, 5);
	assert_int_equal(mem_read_str(f->m, addr_of(f->pages) + 3 * PAGE - 1, buf, 1), 0);
	/* over a page boundary */
	assert_int_equal(mem_read_str(f->m, addr_of(f->pages) + 3 * PAGE - 4500, buf, 5000), 4499);
}

/* No NUL within the bound, or none before memory ends, is an error and not a cut string. */
static void str_without_end(void **state)
{
	struct fixture *f = *state;
	char buf[64];

	assert_int_equal(mem_read_str(f->m, addr_of(f->pages), buf, sizeof(buf)), -EPROTO);
	assert_int_equal(mem_read_str(f->m, addr_of(f->pages), buf, 0), -EPROTO);
	assert_int_equal(mem_read_str(f->m, addr_of(f->pages) + 3 * PAGE - 8, buf, sizeof(buf)),
			 -EFAULT);
	assert_int_equal(mem_read_str(f->m, UINT64_MAX - 7, buf, sizeof(buf)), -EFAULT);
}

/* Many strings at once: each its own result. */
static void strv_each_its_own(void **state)
{
	struct fixture *f = *state;
	char a[16], b[16], c[16], d[16];
	struct mem_vec vec[] = {
		{addr_of("short"), a, sizeof(a), 1},
		{addr_of(f->pages) + 3 * PAGE - 3, b, sizeof(b), 1}, /* ends at the edge */
		{addr_of(f->pages), c, sizeof(c), 1},		     /* does not end */
		{addr_of(f->pages) + 3 * PAGE, d, sizeof(d), 1},     /* not there */
	};

	f->pages[3 * PAGE - 1] = 0;
	assert_int_equal(mem_read_strv(f->m, vec, ARRAY_SIZE(vec)), 0);
	assert_true(vec[0].err == 0 && vec[1].err == 0);
	assert_true(vec[2].err == -EPROTO && vec[3].err == -EFAULT);
	assert_string_equal(a, "short");
	assert_int_equal(strlen(b), 2);
}

/* What a paged reader has seen costs no further read, and is right across its blocks. */
static void paged_reads_once(void **state _unused_)
{
	enum { LEN = 64 * PAGE };
	struct fake_target t;
	struct mem *m;
	uint8_t buf[PAGE];

	fake_target_init(&t, 0x10000000, LEN);
	for (uint64_t i = 0; i < LEN; i++)
		fake_at(&t, 0x10000000, LEN)[i] = (uint8_t)(i * 7 / 5);
	assert_int_equal(mem_open_paged(&t.mem, &m), 0);
	for (int round = 0; round < 3; round++)
		for (uint64_t i = 0; i + PAGE <= LEN; i += 1000) {
			assert_int_equal(mem_read(m, 0x10000000 + i, buf, PAGE), 0);
			assert_memory_equal(buf, fake_at(&t, 0x10000000 + i, PAGE), PAGE);
		}
	assert_int_equal(t.reads, LEN / (4 * PAGE));
	mem_close(m);
	fake_target_fini(&t);
}

/* Blocks that share a place in the paged reader push each other out and never mix. */
static void paged_blocks_collide(void **state _unused_)
{
	enum { SIZE = 4 * PAGE };
	const uint64_t one = 0x10000000, two = one + (1ULL << 20) * 16;
	struct fake_target t;
	struct mem *m;
	uint64_t v;

	fake_target_init(&t, one, SIZE);
	fake_map(&t, two, SIZE);
	fake_put64(&t, one + 8, 1111);
	fake_put64(&t, two + 8, 2222);
	assert_int_equal(mem_open_paged(&t.mem, &m), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(mem_read_u64(m, i % 2 ? two + 8 : one + 8, &v), 0);
		assert_int_equal(v, i % 2 ? 2222 : 1111);
	}
	assert_int_equal(t.reads, 4);
	mem_close(m);
	fake_target_fini(&t);
}

/* At the edge of a mapping, for long reads and when the target goes, it is transparent. */
static void paged_passes_through(void **state _unused_)
{
	const uint64_t base = 0x10000000 + 3 * PAGE;
	uint8_t *buf = malloc(10 * PAGE);
	struct fake_target t;
	struct mem *m;

	fake_target_init(&t, base, 9 * PAGE + 8);
	fake_put8(&t, base + 5, 42);
	assert_int_equal(mem_open_paged(&t.mem, &m), 0);
	assert_int_equal(mem_read(m, base, buf, 8), 0);
	assert_int_equal(buf[5], 42);
	assert_int_equal(mem_read(m, base - 1, buf, 8), -EFAULT);
	assert_int_equal(mem_read(m, base, buf, 9 * PAGE + 8), 0);
	assert_int_equal(mem_read(m, base, buf, 9 * PAGE + 9), -EFAULT);
	t.gone_after = 0;
	assert_int_equal(mem_read(m, base + 5 * PAGE, buf, 8), -ESRCH);
	mem_close(m);
	fake_target_fini(&t);
	free(buf);
}

/* A process's mem file gives what its memory holds, faults where it holds nothing, and knows its
 * end. */
static void mem_fd_reads_process(void **state)
{
	static char text[] = "behind a file";
	char buf[sizeof(text)] = "",
	     *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mem_vec vec[] = {{(uintptr_t)text, buf, sizeof(buf), 1}, {8, buf, 1, 0}};
	struct mem *m;
	pid_t child;
	char path[32];

	(void)state;
	assert_ptr_not_equal(page, MAP_FAILED);
	munmap(page + 4096, 4096);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	assert_int_equal(mem_open_fd(open(path, O_RDONLY | O_CLOEXEC), &m), 0);
	assert_int_equal(mem_readv(m, vec, 2), 0);
	assert_int_equal(vec[0].err, 0);
	assert_string_equal(buf, text);
	assert_int_equal(vec[1].err, -EFAULT);
	assert_int_equal(mem_read(m, (uintptr_t)page + 4090, buf, 6), 0);
	assert_int_equal(mem_read(m, (uintptr_t)page + 4090, buf, 7), -EFAULT);
	assert_int_equal(mem_read(m, UINT64_MAX - 4, buf, 4), -EFAULT);
	assert_int_equal(mem_read(m, INT64_MAX - 4, buf, 4), -EFAULT);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(mem_read(m, (uintptr_t)text, buf, 1), -ESRCH);
	mem_close(m);
	munmap(page, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mem_fd_reads_process),
		cmocka_unit_test_setup_teardown(read_copies_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(read_words, setup, teardown),
		cmocka_unit_test_setup_teardown(read_past_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(read_impossible_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(read_after_exit, setup, teardown),
		cmocka_unit_test_setup_teardown(readv_mixes_good_and_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(readv_long_piece_fails_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(readv_nothing, setup, teardown),
		cmocka_unit_test(readv_without_support),
		cmocka_unit_test_setup_teardown(str_at_the_edge, setup, teardown),
		cmocka_unit_test_setup_teardown(str_without_end, setup, teardown),
		cmocka_unit_test_setup_teardown(strv_each_its_own, setup, teardown),
		cmocka_unit_test(paged_reads_once),
		cmocka_unit_test(paged_blocks_collide),
		cmocka_unit_test(paged_passes_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
