// SPDX-License-Identifier: MIT
/* code_cache.c - memory like HotSpot's code cache. See code_cache.h. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#include <cmocka.h>

#include "lib/code_cache.h"
#include "lib/fake_agent.h"

#define METHOD_SIZE 64
#define REST_EVERY  500
#define REST_US	    50
#define STACK_NEED  0x20000 /* the bang touches 0x14000 below the stack pointer */

uint8_t *cache;

/* How often each caller, a thread of the victim, was outside of everything that it calls. */
static volatile uint64_t outside[CACHE_CALLERS];

/*
 * mov %eax,-0x14000(%rsp); push %rbp; sub $0x10,%rsp; lea 1(%rdi,%rsi),%rax; add $0x10,%rsp; pop
 * %rbp; ret. What HotSpot 17 makes of an int sum, but for the poll.
 */
static const uint8_t method[] = {
	0x89, 0x84, 0x24, 0x00, 0xc0, 0xfe, 0xff, 0x55, 0x48, 0x83, 0xec, 0x10,
	0x48, 0x8d, 0x44, 0x37, 0x01, 0x48, 0x83, 0xc4, 0x10, 0x5d, 0xc3,
};

typedef uint64_t method_fn(uint64_t a, uint64_t b);

void cache_map(void)
{
	cache = mmap(NULL, CACHE_LEN, PROT_READ | PROT_WRITE | PROT_EXEC,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(cache, MAP_FAILED);
	for (uint32_t i = 0; i < CACHE_METHODS; i++)
		memcpy(cache + i * METHOD_SIZE, method, sizeof(method));
}

void cache_unmap(void)
{
	munmap(cache, CACHE_LEN);
}

uint64_t cache_low(void)
{
	return (uint64_t)(uintptr_t)cache;
}

uint64_t cache_high(void)
{
	return cache_low() + CACHE_LEN;
}

uint64_t cache_method(uint32_t i)
{
	return cache_low() + (uint64_t)i * METHOD_SIZE;
}

static void *caller(void *arg)
{
	uintptr_t self = (uintptr_t)arg;
	uint64_t n = self;
	volatile uint8_t room[STACK_NEED];

	room[0] = 0;
	for (;; n++) {
		uint32_t i = (uint32_t)(n % 16);

		if (((method_fn *)(uintptr_t)cache_method(i))(n, room[0]) != n + 1)
			victim_error(__LINE__);
		outside[self]++;
		if (i)
			continue;
		__atomic_fetch_add(&victim_shared->beats, 1, __ATOMIC_RELAXED);
		/* Busy, but not so that a small machine has no time for the test. */
		if (n / 16 % REST_EVERY == 0)
			usleep(REST_US);
	}
	return NULL;
}

void cache_victim(struct victim *v)
{
	pthread_t t;

	for (uintptr_t i = 0; i < CACHE_CALLERS; i++)
		if (pthread_create(&t, NULL, caller, (void *)i))
			victim_error(__LINE__);
	victim_ready(v);
	pthread_join(t, NULL);
}

/* As a safepoint: every caller has come out of what it was in. */
static int cache_safepoint(void)
{
	for (size_t i = 0; i < CACHE_CALLERS; i++) {
		uint64_t before = outside[i];

		while (outside[i] == before)
			usleep(10);
	}
	return 0;
}

void cache_victim_agent(struct victim *v)
{
	fake_agent_start(cache_safepoint);
	cache_victim(v);
}

static void put_jmp(uint8_t *at, uint64_t from, uint64_t to)
{
	int32_t rel = (int32_t)(int64_t)(to - (from + 5));

	at[0] = 0xe9;
	memcpy(at + 1, &rel, sizeof(rel));
}

struct patch_op cache_op(struct region *r, uint32_t slot)
{
	struct patch_op op = {.addr = cache_method(slot)};
	uint8_t word[sizeof(uint64_t)];

	memcpy(word, method, sizeof(word));
	memcpy(&op.expect, word, sizeof(word));
	put_jmp(word, op.addr, region_slot_text(r, slot));
	memcpy(&op.desire, word, sizeof(word));
	return op;
}

int cache_divert(struct region *r, uint32_t slot)
{
	struct patch_op op = cache_op(r, slot);
	uint8_t code[CACHE_BANG + 5];
	int err;

	memcpy(code, method, CACHE_BANG);
	put_jmp(code + CACHE_BANG, region_slot_code(r, slot) + CACHE_BANG, op.addr + CACHE_BANG);
	region_write_code(r, slot, code, sizeof(code));
	*region_slot_entry(r, slot) = (struct region_slot){op.addr, op.expect, op.desire};
	err = patch_apply(r, &op, 1, NULL);
	return err ? err : op.seen == op.expect ? 0 : -ESTALE;
}

uint64_t cache_word(struct victim *v, uint32_t i)
{
	uint64_t word = 0;
	struct iovec local = {&word, sizeof(word)};
	struct iovec remote = {(void *)cache_method(i), sizeof(word)};

	assert_int_equal(process_vm_readv(v->pid, &local, 1, &remote, 1, 0), sizeof(word));
	return word;
}
