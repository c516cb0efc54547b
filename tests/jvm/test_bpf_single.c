// SPDX-License-Identifier: MIT
/*
 * test_bpf_single.c - the way of kernels before 6.6, which have no link for many uprobes: one by
 * one. Everything else about the programs is test_bpf.c's.
 */
#include "lib/cmocka_all.h"
#include "lib/env.h"
#include "kernel/kernel_features.h"
#include "kernel/nmethod_bpf.h"
#include "lib/fakevm.h"
#include "kernel/bpf_multi.h"
#include "kernel/bpf_util.h"

/* Detaching takes the kernel some 100 ms each. */
#define SLOTS 3

/* In place of the answer that this kernel would give. */
enum multi_support bpf_multi_support(void)
{
	return MULTI_NONE;
}

static struct fakevm vm;
static uint64_t java_tid, first_arg;

static int on_record(void *arg _unused_, const struct hp_record *rec, size_t size)
{
	struct decode_view v;

	if (rec->kind == HP_ENTRY) {
		assert_int_equal(decode_check(rec, size, &v), 0);
		java_tid = v.e->java_tid;
		first_arg = v.e->gpr[0];
	}
	return 0;
}

static int setup(void **state)
{
	test_needs_root();
	return test_setup(state);
}

static int cleanup(void **state)
{
	fakevm_close(&vm);
	return test_cleanup(state);
}

/* Slots attached one by one count and tell as they do behind one link, each with its own number. */
static void single_hits(void **state _unused_)
{
	_cleanup_free_ struct capture_list *c = NULL;
	struct fake_regs r;

	fakevm_init(&vm);
	vm.nattach = SLOTS;
	fakevm_load(&vm, 64 << 10, on_record, NULL);
	assert_false(probe_bpf_multi(vm.p));
	r = (struct fake_regs){.r15 = vm.jthread, .gpr = {0x1234}};
	probe_bpf_slot(vm.p, 1)->flags = HP_SLOT_LIVE | HP_SLOT_COUNT;
	assert_int_equal(capture_list_new(ABI_HOTSPOT, "(J)V", true, &c), 0);
	fakevm_probe(&vm, 2, c, 1);
	for (int i = 0; i < 1000; i++)
		fakevm_call(&vm, 1, &r);
	fakevm_call(&vm, 2, &r);
	fakevm_call(&vm, 3, &r);
	assert_int_equal(probe_bpf_stat(vm.p, 1).hits, 1000);
	assert_int_equal(probe_bpf_stat(vm.p, 2).hits, 1);
	probe_bpf_consume(vm.p, 100);
	assert_int_equal(first_arg, 0x1234);
	assert_int_equal(java_tid, 42);
	probe_bpf_detach(vm.p);
	fakevm_call(&vm, 1, &r);
	assert_int_equal(probe_bpf_stat(vm.p, 1).hits, 1000);
}

static size_t nevents;

static int on_nmethod(void *arg _unused_, const struct hp_record *rec, size_t size _unused_)
{
	assert_int_equal(rec->kind, nevents ? HP_RETIRE : HP_REGISTER);
	assert_int_equal(((const struct hp_nmethod *)rec)->addr, (uint64_t)vm.heap);
	nevents++;
	return 0;
}

/* So do the hooks of compile events. */
static void single_nmethods(void **state _unused_)
{
	const struct nmethod_site sites[] = {{HOOK_REGISTER, 1, 16}, {HOOK_RETIRE, 0, 32}};
	struct nmethod_bpf *b;
	struct fake_regs r;

	fakevm_init(&vm);
	r = (struct fake_regs){.gpr = {(uint64_t)vm.heap, [5] = (uint64_t)vm.heap}};
	assert_int_equal(nmethod_bpf_open(getpid(), vm.path, sites, ARRAY_SIZE(sites),
					  HP_NMETHOD_HDR_MAX, on_nmethod, NULL, &b, NULL),
			 0);
	fakevm_call(&vm, 1, &r);
	fakevm_call(&vm, 2, &r);
	nmethod_bpf_consume(b);
	assert_int_equal(nevents, 2);
	nmethod_bpf_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(single_hits, setup, cleanup),
		cmocka_unit_test_setup_teardown(single_nmethods, setup, cleanup),
	};

	return cmocka_run_group_tests_name("bpf_single", tests, NULL, NULL);
}
