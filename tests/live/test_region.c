// SPDX-License-Identifier: MIT
/* The slot region in another process: made, found, used, put back and removed, by either remote. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "lib/code_cache.h"
#include "lib/fake_agent.h"
#include "proc/lock.h"
#include "region/region_table.h"
#include "proc/maps.h"

#define REACH (1ULL << 31)

static struct victim victim;
static struct remote *remote;

static int setup(void **state)
{
	(void)state;
	cache_map();
	victim_start_fn(&victim, cache_victim);
	return remote_ptrace_open(victim.pid, &remote);
}

static int setup_agent(void **state)
{
	(void)state;
	cache_map();
	fake_agent_map();
	victim_start_fn(&victim, cache_victim_agent);
	return remote_agent_open(victim.pid, &remote);
}

static int teardown(void **state)
{
	(void)state;
	remote_close(take_ptr(remote));
	victim_stop(&victim);
	cache_unmap();
	return 0;
}

static int teardown_agent(void **state)
{
	fake_agent_unmap();
	return teardown(state);
}

static struct region *create(void)
{
	struct region *r = NULL;
	uint64_t paused_ns = 0;

	assert_int_equal(region_create(remote, cache_low(), cache_high(), &r, &paused_ns), 0);
	assert_int_equal(paused_ns > 0, !remote->view);
	return r;
}

static int find(struct region **ret, pid_t *holder)
{
	return region_find(remote, cache_low(), cache_high(), 0, ret, holder);
}

/* How many mappings of @pid are a region's; all of them must be as a region's are. */
static int mappings(pid_t pid)
{
	struct maps maps;
	int n = 0;

	assert_int_equal(maps_read(pid, &maps), 0);
	for (size_t i = 0; i < maps.n; i++) {
		const struct map_entry *e = &maps.entries[i];

		if (!strstr(e->path, "hotprobe"))
			continue;
		n++;
		assert_false(e->write && e->exec);
	}
	maps_fini(&maps);
	return n;
}

static void check_all_gone(struct region *r)
{
	pid_t holder;

	assert_int_equal(region_unmap(r), 0);
	region_close(r);
	assert_int_equal(find(&r, &holder), -ENOENT);
	assert_int_equal(mappings(victim.pid), 0);
	assert_int_equal(region_close_fds(remote), 0);
	victim_check(&victim);
}

/*
 * Three parts side by side within reach of all code, none writable and executable; and no
 * descriptor, unless that is the next instance's only remote to find the file again.
 */
static void create_maps_parts(void **state)
{
	struct region *r = create();

	(void)state;
	assert_int_equal(mappings(victim.pid), 3);
	assert_int_equal(r->target_fd >= 0, remote->keeps_fd);
	assert_int_equal(region_close_fds(remote), 0); /* it is mapped: no stray */
	assert_true(r->base + r->len <= cache_low() || r->base >= cache_high());
	assert_true(cache_high() - r->base < REACH || r->base > cache_high());
	assert_int_equal(region_text_offset(0), 0);
	assert_true(region_text_offset(1) >= REGION_PAGE);
	assert_int_equal(region_slot_text(r, 7), r->base + region_text_offset(7));
	for (uint32_t slot = 0; slot < REGION_SLOTS; slot++) {
		assert_int_equal(region_slot_of(r, region_slot_text(r, slot)), slot);
		assert_int_equal(region_slot_of(r, region_slot_text(r, slot) + SLOT_TEXT - 1),
				 slot);
		assert_int_equal(region_slot_of(r, region_slot_code(r, slot)), slot);
	}
	assert_int_equal(region_slot_of(r, r->text + SLOT_TEXT), UINT32_MAX);
	assert_int_equal(region_slot_of(r, r->stub_patch), UINT32_MAX);
	assert_int_equal(region_slot_of(r, r->table), UINT32_MAX);
	assert_int_equal(region_slot_of(r, r->base - 1), UINT32_MAX);
	check_all_gone(r);
}

/* A thread passes through slot 0 and returns, with either nop in the others. */
static void run_slot0_returns(void **state)
{
	struct region *r = create();

	(void)state;
	assert_int_equal(region_run_slot0(r, 8), 0);
	region_set_nop(r, SLOT_NOP1);
	assert_int_equal(region_run_slot0(r, REGION_RUN_MAX), 0);
	assert_int_equal(region_run_slot0(r, 0), 0);
	assert_int_equal(region_run_slot0(r, REGION_RUN_MAX + 1), -EINVAL);
	check_all_gone(r);
}

/* Methods that run all the time are led through slots, with either nop, and back. */
static void divert_and_restore(void **state)
{
	struct region *r = create();
	uint64_t before = cache_word(&victim, 3);
	size_t restored, skipped;

	(void)state;
	for (int nop = SLOT_NOP5; nop <= SLOT_NOP1; nop++) {
		region_set_nop(r, (enum slot_nop)nop);
		for (uint32_t slot = 1; slot < 16; slot++)
			assert_int_equal(cache_divert(r, slot), 0);
		assert_int_not_equal(cache_word(&victim, 3), before);
		victim_check(&victim);
		assert_int_equal(region_restore(r, &restored, &skipped), 0);
		assert_int_equal(restored, 15);
		assert_int_equal(skipped, 0);
		assert_int_equal(cache_word(&victim, 3), before);
	}
	check_all_gone(r);
}

/* A region that still leads somewhere is never unmapped. */
static void unmap_refuses_diverted(void **state)
{
	struct region *r = create();
	size_t restored, skipped;

	(void)state;
	assert_int_equal(cache_divert(r, 5), 0);
	assert_int_equal(region_unmap(r), -EBUSY);
	victim_check(&victim);
	assert_int_equal(mappings(victim.pid), 3);
	assert_int_equal(region_restore(r, &restored, &skipped), 0);
	check_all_gone(r);
}

/* What an instance left is found by the next one, put back and removed. */
static void find_after_end(void **state)
{
	struct region *r = create(), *found;
	uint64_t base = r->base, before = cache_word(&victim, 4);
	size_t restored, skipped;
	pid_t holder;

	(void)state;
	for (uint32_t slot = 1; slot < CACHE_METHODS; slot++)
		assert_int_equal(slot < 16 ? cache_divert(r, slot) : 0, 0);
	region_close(r);
	victim_check(&victim);
	assert_int_equal(find(&found, &holder), 0);
	assert_int_equal(found->base, base);
	assert_int_equal(region_restore(found, &restored, &skipped), 0);
	assert_int_equal(restored, 15);
	assert_int_equal(cache_word(&victim, 4), before);
	check_all_gone(found);
}

/* More sites than fit into one batch are all put back. */
static void restore_many(void **state)
{
	struct region *r = create();
	size_t restored, skipped;
	struct patch_op ops[PATCH_BATCH_MAX];

	(void)state;
	for (uint32_t slot = 1; slot < CACHE_METHODS; slot++)
		assert_int_equal(cache_divert(r, slot), 0);
	assert_int_equal(region_restore(r, &restored, &skipped), 0);
	assert_int_equal(restored, CACHE_METHODS - 1);
	assert_int_equal(skipped, 0);
	for (uint32_t i = 0; i < PATCH_BATCH_MAX; i++) {
		ops[i] = cache_op(r, i + 1);
		assert_int_equal(cache_word(&victim, i + 1), ops[i].expect);
	}
	check_all_gone(r);
}

/* A table full of lies: nothing in the target changes, and every entry is passed over. */
static void restore_hostile_table(void **state)
{
	struct region *r = create();
	struct patch_op op = cache_op(r, 1);
	const struct region_slot lies[] = {
		{op.addr, op.expect, op.desire},		   /* the method is not diverted */
		{op.addr + 1, op.expect, op.desire},		   /* not aligned */
		{cache_low() - 8, op.expect, op.desire},	   /* outside */
		{cache_high(), op.expect, op.desire},		   /* outside */
		{UINT64_MAX - 7, op.expect, op.desire},		   /* wraps */
		{8, op.expect, op.desire},			   /* unmapped */
		{op.addr, op.expect, op.expect},		   /* no jump */
		{op.addr, op.expect ^ (0xffULL << 56), op.desire}, /* another tail */
		{op.addr, op.expect, op.desire + 0x100000000ULL},  /* a jump elsewhere */
	};
	size_t restored, skipped;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++)
		*region_slot_entry(r, (uint32_t)i + 1) = lies[i];
	/* True but for the slot: that jump is slot 20's. */
	assert_int_equal(cache_divert(r, 20), 0);
	*region_slot_entry(r, 21) = *region_slot_entry(r, 20);
	*region_slot_entry(r, 20) = (struct region_slot){0};
	assert_int_equal(region_restore(r, &restored, &skipped), 0);
	assert_int_equal(restored, 0);
	assert_int_equal(skipped, ARRAY_SIZE(lies) + 1);
	assert_int_equal(cache_word(&victim, 1), op.expect);
	assert_int_equal(region_unmap(r), -EBUSY);
	*region_slot_entry(r, 20) = *region_slot_entry(r, 21);
	assert_int_equal(region_restore(r, &restored, &skipped), 0);
	assert_int_equal(restored, 1);
	check_all_gone(r);
}

static pid_t start_owner(int ready[2])
{
	pid_t owner;
	char c;

	assert_int_equal(pipe(ready), 0);
	owner = victim_fork();
	if (!owner) {
		struct region *r;
		struct remote *own;
		uint64_t ns;

		if (!remote_ptrace_open(victim.pid, &own) &&
		    !region_create(own, cache_low(), cache_high(), &r, &ns) &&
		    write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	return owner;
}

/* A region whose owner lives is not for others, who learn its PID; when it is killed, it is. */
static void find_owned(void **state)
{
	struct region *r;
	pid_t holder, owner;
	int ready[2];

	(void)state;
	owner = start_owner(ready);
	assert_int_equal(find(&r, &holder), -EBUSY);
	assert_int_equal(holder, owner);
	kill(owner, SIGKILL);
	assert_int_equal(waitpid(owner, NULL, 0), owner);
	assert_int_equal(find(&r, &holder), 0);
	check_all_gone(r);
	close(ready[0]);
	close(ready[1]);
}

static int lock_in_child(pid_t *holder_ret)
{
	int fds[2], status, fd;
	pid_t child, holder = 0;

	assert_int_equal(pipe(fds), 0);
	child = victim_fork();
	if (!child) {
		int err = lock_target(victim.pid, &fd, &holder);

		_exit(write(fds[1], &holder, sizeof(holder)) == sizeof(holder) ? -err : 255);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(read(fds[0], holder_ret, sizeof(*holder_ret)), sizeof(*holder_ret));
	close(fds[0]);
	close(fds[1]);
	return -WEXITSTATUS(status);
}

/* One instance per target; the lock ends with its holder's life or with its descriptor. */
static void lock_target_excludes(void **state)
{
	pid_t holder = 0;
	char path[32];
	int fd;

	(void)state;
	assert_int_equal(lock_target(victim.pid, &fd, &holder), 0);
	assert_int_equal(lock_in_child(&holder), -EBUSY);
	assert_int_equal(holder, getpid());
	close(fd);
	assert_int_equal(lock_in_child(&holder), 0);
	assert_int_equal(lock_in_child(&holder), 0); /* the child before has ended */
	assert_int_equal(lock_target(0x3fffff, &fd, &holder), -ESRCH);

	/* Why nobody else in the program may open that file: closing it drops the lock. */
	assert_int_equal(lock_target(victim.pid, &fd, &holder), 0);
	snprintf(path, sizeof(path), "/proc/%d/mem", victim.pid);
	close(open(path, O_RDONLY | O_CLOEXEC));
	assert_int_equal(lock_in_child(&holder), 0);
	close(fd);
}

/* --- patch_apply ------------------------------------------------------------------------------ */

/* A word is swapped if it is what was expected, and what it was is told either remote. */
static void patch_tells_what_it_saw(void **state)
{
	struct region *r = create();
	struct patch_op ops[3] = {cache_op(r, 40), cache_op(r, 41), cache_op(r, 42)};
	uint64_t paused_ns, orig = ops[0].expect;

	(void)state;
	ops[1].expect ^= 1;
	assert_int_equal(patch_apply(r, ops, 3, &paused_ns), 0);
	assert_int_equal(paused_ns > 0, !remote->view);
	assert_int_equal(ops[0].seen, ops[0].expect);
	assert_int_equal(ops[1].seen, orig);
	assert_int_equal(ops[2].seen, ops[2].expect);
	assert_int_equal(cache_word(&victim, 40), ops[0].desire);
	assert_int_equal(cache_word(&victim, 41), orig);
	assert_int_equal(cache_word(&victim, 42), ops[2].desire);
	assert_int_equal(patch_apply(r, ops, 0, &paused_ns), 0);
	for (int i = 0; i < 3; i += 2) {
		ops[i].desire = ops[i].expect;
		ops[i].expect = cache_op(r, 40 + (uint32_t)i).desire;
	}
	assert_int_equal(patch_apply(r, ops, 3, NULL), 0);
	assert_int_equal(cache_word(&victim, 40), orig);
	assert_int_equal(cache_word(&victim, 42), orig);
	check_all_gone(r);
}

/* An address that is not an aligned word of the code cache, or too many: nothing is written. */
static void patch_refuses(void **state)
{
	struct region *r = create();
	const uint64_t bad[] = {
		cache_low() - 8, cache_high(),	      cache_high() - 4, 0,
		UINT64_MAX - 7,	 cache_method(1) + 4, r->table,		region_slot_text(r, 1)};
	struct patch_op ops[2] = {cache_op(r, 1)};
	static struct patch_op many[PATCH_BATCH_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ops[1] = ops[0];
		ops[1].addr = bad[i];
		assert_int_equal(patch_apply(r, ops, 2, NULL), -EINVAL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = ops[0];
	assert_int_equal(patch_apply(r, many, ARRAY_SIZE(many), NULL), -EINVAL);
	assert_int_equal(cache_word(&victim, 1), ops[0].expect);
	check_all_gone(r);
}

/* Code that is not mapped: an error, the words before it are told apart, the target lives on. */
static void patch_faults(void **state)
{
	struct region *r = create();
	struct patch_op ops[3] = {cache_op(r, 50), cache_op(r, 51), cache_op(r, 52)};

	(void)state;
	r->code_high += 1 << 20;
	ops[1].addr = 0;
	for (uint64_t at = cache_high(); at < r->code_high && !ops[1].addr; at += REGION_PAGE) {
		struct maps maps;

		assert_int_equal(maps_read(victim.pid, &maps), 0);
		if (!maps_find(&maps, at))
			ops[1].addr = at;
		maps_fini(&maps);
	}
	r->code_high -= 1 << 20;
	if (!ops[1].addr) /* then it is the target that is asked to look where it cannot write */
		ops[1].addr = r->text;
	r->code_low = MIN(r->code_low, ops[1].addr);
	r->code_high = MAX(r->code_high, ops[1].addr + 8);
	assert_int_equal(patch_apply(r, ops, 3, NULL), -EFAULT);
	assert_int_equal(ops[0].seen, ops[0].expect);
	assert_int_not_equal(ops[1].seen, ops[1].expect);
	assert_int_not_equal(ops[2].seen, ops[2].expect);
	ops[0].desire = ops[0].expect;
	ops[0].expect = cache_op(r, 50).desire;
	assert_int_equal(patch_apply(r, ops, 1, NULL), 0);
	check_all_gone(r);
}

static void becomes_another(struct victim *v)
{
	victim_ready(v);
	while (!victim_shared->release)
		usleep(100);
	execl("/bin/sleep", "sleep", "60", NULL);
	victim_error(__LINE__);
}

/* A target that has become another program is left alone: what was there is gone. */
static void another_program(void **state)
{
	struct victim v;
	struct remote *w;
	struct region *r;
	struct patch_op op;
	uint64_t paused_ns;
	char path[32], comm[16] = "";

	(void)state;
	victim_start_fn(&v, becomes_another);
	assert_int_equal(remote_ptrace_open(v.pid, &w), 0);
	assert_int_equal(region_create(w, cache_low(), cache_high(), &r, &paused_ns), 0);
	op = cache_op(r, 1);
	v.shared->release = 1;
	snprintf(path, sizeof(path), "/proc/%d/comm", v.pid);
	while (strcmp(comm, "sleep\n")) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		memset(comm, 0, sizeof(comm));
		assert_true(read(fd, comm, sizeof(comm) - 1) > 0);
		close(fd);
	}
	victim_wait_state(v.pid, v.pid, 'S');
	assert_int_equal(patch_apply(r, &op, 1, NULL), -ESRCH);
	assert_int_not_equal(op.seen, op.expect);
	assert_int_equal(region_run_slot0(r, 1), -ESRCH);
	assert_int_equal(region_unmap(r), -ESRCH);
	region_close(r);
	remote_close(w);
	victim_stop(&v);
}

/* No room below the code: above it, still within reach. No room at all: -ENOSPC, nothing stays. */
static void create_elsewhere(void **state)
{
	struct region *r;
	uint64_t paused_ns;

	(void)state;
	assert_int_equal(region_create(remote, cache_low(), cache_low(), &r, &paused_ns), -EINVAL);
	assert_int_equal(region_create(remote, 0, 2 * REACH, &r, &paused_ns), -ENOSPC);
	assert_int_equal(
		region_create_near(remote, cache_low(), cache_high(), cache_high(), &r, &paused_ns),
		-EINVAL);
	assert_int_equal(mappings(victim.pid), 0);
	assert_int_equal(region_close_fds(remote), 0);
	/* Nothing fits below the lowest address there is. */
	assert_int_equal(region_create(remote, 0x10000, 0x20000, &r, &paused_ns), 0);
	assert_true(r->base >= 0x20000);
	assert_true(r->base + r->len < 0x10000 + REACH);
	check_all_gone(r);
}

/*
 * Of a code cache that no jump spans the region reaches what can be executed, or a given word; and
 * both may be there at a time.
 */
static void create_within_reach_of_what_is_there(void **state)
{
	uint64_t paused_ns, far = MIN(cache_high() + 3 * REACH, 0x7ffffffff000ULL);
	struct region *r, *second;

	(void)state;
	assert_int_equal(region_create(remote, cache_low(), far, &r, &paused_ns), 0);
	assert_true(region_reaches(r, cache_low()));
	assert_true(region_reaches(r, cache_high() - 8));
	assert_false(region_reaches(r, r->base + REACH));
	assert_false(region_reaches(r, r->base + r->len - REACH));
	assert_int_equal(
		region_create_near(remote, cache_low(), far, cache_low() + 8, &second, &paused_ns),
		0);
	assert_int_equal(mappings(victim.pid), 6);
	assert_true(region_reaches(second, cache_low() + 8));
	assert_true(second->base + second->len <= r->base || r->base + r->len <= second->base);
	assert_int_equal(region_unmap(second), 0);
	region_close(second);
	check_all_gone(r);
}

static void waits_then_calls(struct victim *v)
{
	victim_ready(v);
	while (!victim_shared->futex)
		usleep(100);
	((void (*)(volatile uint32_t *))(uintptr_t)cache_method(100))(&victim_shared->release);
	victim_shared->beats = 1;
	pause();
}

/* With a thread inside nothing is unmapped; when it has left, all of it is. */
static void unmap_waits_for_threads(void **state)
{
	/* 1: pause; cmpl $0,(%rdi); je 1b; ret */
	static const uint8_t spin[] = {0xf3, 0x90, 0x83, 0x3f, 0x00, 0x74, 0xf9, 0xc3};
	struct patch_op op;
	uint64_t paused_ns;
	struct region *r;
	struct victim v;
	struct remote *w;

	(void)state;
	victim_start_fn(&v, waits_then_calls);
	assert_int_equal(remote_ptrace_open(v.pid, &w), 0);
	assert_int_equal(region_create(w, cache_low(), cache_high(), &r, &paused_ns), 0);
	op = cache_op(r, 100);
	region_write_code(r, 100, spin, sizeof(spin));
	assert_int_equal(patch_apply(r, &op, 1, NULL), 0);
	assert_int_equal(op.seen, op.expect);
	v.shared->futex = 1;
	while (remote_outside(w, r->base, r->table, NULL, NULL) == 1)
		usleep(100);
	op = (struct patch_op){op.addr, op.desire, op.expect, 0};
	assert_int_equal(patch_apply(r, &op, 1, NULL), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(region_unmap(r), -EBUSY);
	assert_int_equal(mappings(v.pid), 3);
	v.shared->release = 1;
	victim_wait_for(&v.shared->beats, 1);
	assert_int_equal(region_unmap(r), 0);
	assert_int_equal(mappings(v.pid), 0);
	region_close(r);
	remote_close(w);
	victim_stop(&v);
}

int main(void)
{
	const struct CMUnitTest by_agent[] = {
		cmocka_unit_test(create_maps_parts),	 cmocka_unit_test(run_slot0_returns),
		cmocka_unit_test(divert_and_restore),	 cmocka_unit_test(unmap_refuses_diverted),
		cmocka_unit_test(find_after_end),	 cmocka_unit_test(restore_many),
		cmocka_unit_test(restore_hostile_table), cmocka_unit_test(patch_tells_what_it_saw),
		cmocka_unit_test(patch_refuses),	 cmocka_unit_test(create_elsewhere),
	};
	const struct CMUnitTest by_ptrace[] = {
		cmocka_unit_test(create_maps_parts),
		cmocka_unit_test(run_slot0_returns),
		cmocka_unit_test(divert_and_restore),
		cmocka_unit_test(unmap_refuses_diverted),
		cmocka_unit_test(find_after_end),
		cmocka_unit_test(restore_many),
		cmocka_unit_test(restore_hostile_table),
		cmocka_unit_test(find_owned),
		cmocka_unit_test(lock_target_excludes),
		cmocka_unit_test(patch_tells_what_it_saw),
		cmocka_unit_test(patch_refuses),
		cmocka_unit_test(patch_faults),
		cmocka_unit_test(another_program),
		cmocka_unit_test(create_elsewhere),
		cmocka_unit_test(create_within_reach_of_what_is_there),
		cmocka_unit_test(unmap_waits_for_threads),
	};

	int failed = cmocka_run_group_tests(by_ptrace, setup, teardown);

	return failed + cmocka_run_group_tests(by_agent, setup_agent, teardown_agent);
}
