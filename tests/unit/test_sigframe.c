// SPDX-License-Identifier: MIT
/* The signal frame that brings a thread back, and which thread is asked first. */
#include <asm/sigcontext.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "arch/sigframe.h"
#include "proc/threads.h"

#define TOP	  0x7ffe0000f0d8ULL
#define SIGRETURN 0x7f0012345670ULL
#define XSTATE	  2432 /* AVX-512 */

/* Offsets in the kernel's struct rt_sigframe. */
#define UC_FLAGS 8
#define SS_FLAGS 32
#define GREGS	 48
#define FPSTATE	 232
#define SIGMASK	 304

enum { R8, R9, R10, R11, R12, R13, R14, R15, RDI, RSI, RBP, RBX, RDX, RAX, RCX, RSP, RIP, EFL };

static struct sigframe_state state;
static struct sigframe frame;

static uint64_t at(size_t off)
{
	uint64_t v;

	memcpy(&v, frame.bytes + off, sizeof(v));
	return v;
}

static uint64_t greg(int i)
{
	return at(GREGS + 8 * (size_t)i);
}

static const uint8_t *xstate(void)
{
	return frame.bytes + (at(FPSTATE) - frame.addr);
}

static uint32_t word(size_t off)
{
	uint32_t v;

	memcpy(&v, xstate() + off, sizeof(v));
	return v;
}

static int setup(void **unused)
{
	(void)unused;
	memset(&state, 0, sizeof(state));
	state.regs.user = (struct user_regs_struct){
		.r8 = 8,
		.r15 = 15,
		.rdi = 1,
		.rsi = 2,
		.rbp = 3,
		.rbx = 4,
		.rdx = 5,
		.rax = 6,
		.rcx = 7,
		.rsp = 0x7ffe00010000,
		.rip = 77,
		.eflags = 0x246,
		.cs = 0x33,
		.ss = 0x2b,
		.orig_rax = (uint64_t)-1,
	};
	state.sigmask = 0x1234;
	state.call = -1;
	state.xstate_len = XSTATE;
	state.xstate[464] = 0xe7; /* XCR0 */
	return 0;
}

/* Every register, the signal mask and the flags that the kernel asks for are where it looks. */
static void build_places(void **unused)
{
	(void)unused;
	assert_int_equal(sigframe_build(&state, TOP, SIGRETURN, &frame), 0);
	assert_int_equal(frame.addr % 16, 8);
	assert_true(frame.addr + frame.len <= TOP);
	assert_int_equal(at(0), SIGRETURN);
	assert_int_equal(at(UC_FLAGS), 7);
	assert_int_equal((uint32_t)at(SS_FLAGS), UINT32_MAX);
	assert_int_equal(at(SIGMASK), 0x1234);
	assert_int_equal(greg(R8), 8);
	assert_int_equal(greg(R15), 15);
	assert_int_equal(greg(RDI), 1);
	assert_int_equal(greg(RAX), 6);
	assert_int_equal(greg(RCX), 7);
	assert_int_equal(greg(RSP), 0x7ffe00010000);
	assert_int_equal(greg(RIP), 77);
	assert_int_equal(greg(EFL), 0x246);
	assert_int_equal(at(GREGS + 18 * 8), 0x2bULL << 48 | 0x33);
}

/* The extended state is aligned and carries both magic words, without which it would be lost. */
static void build_xstate(void **unused)
{
	(void)unused;
	assert_int_equal(sigframe_build(&state, TOP, SIGRETURN, &frame), 0);
	assert_int_equal(at(FPSTATE) % 64, 0);
	assert_int_equal(word(464), FP_XSTATE_MAGIC1);
	assert_int_equal(word(468), XSTATE + 4); /* extended_size */
	assert_int_equal(word(472), 0xe7);	 /* xfeatures */
	assert_int_equal(word(480), XSTATE);	 /* xstate_size */
	assert_int_equal(word(512), 3);		 /* XSTATE_BV: legacy state is always restored */
	assert_int_equal(word(XSTATE), FP_XSTATE_MAGIC2);
}

/* Unused AMX tile data: a kernel that has no room for them and one that has both find the end. */
static void build_xstate_amx(void **unused)
{
	uint32_t size;

	(void)unused;
	state.xstate_len = 11008;
	state.xstate[466] = 0x06; /* XCR0 bits 17 and 18 */
	assert_int_equal(sigframe_build(&state, TOP, SIGRETURN, &frame), 0);
	size = word(480);
	assert_in_range(size, 576, 11007);
	assert_int_equal(word(size), FP_XSTATE_MAGIC2);
	assert_int_equal(word(11008), FP_XSTATE_MAGIC2);
	state.xstate[514] = 0x04; /* in use */
	assert_int_equal(sigframe_build(&state, TOP, SIGRETURN, &frame), 0);
	assert_int_equal(word(480), 11008);
	assert_int_equal(word(11008), FP_XSTATE_MAGIC2);
}

/* A state that is too short to be one, or too long to fit, is refused. */
static void build_refuses(void **unused)
{
	(void)unused;
	state.xstate_len = 575;
	assert_int_equal(sigframe_build(&state, TOP, SIGRETURN, &frame), -EOPNOTSUPP);
	state.xstate_len = SIGFRAME_XSTATE_MAX;
	assert_int_equal(sigframe_build(&state, TOP, SIGRETURN, &frame), -EOPNOTSUPP);
}

/* A system call that is to be made again is, with the registers of the thread otherwise. */
static void build_call(void **unused)
{
	(void)unused;
	state.call = SYS_poll;
	state.call_pc = 75;
	assert_int_equal(sigframe_build(&state, TOP, SIGRETURN, &frame), 0);
	assert_int_equal(greg(RAX), SYS_poll);
	assert_int_equal(greg(RIP), 75);
	assert_int_equal(greg(RDI), 1);
}

/* An interrupted system call is known from a finished one, and from none at all. */
static void interrupted_tells(void **unused)
{
	static const int restarted[] = {512, 513, 514, 516};

	(void)unused;
	state.regs.user.orig_rax = SYS_restart_syscall;
	for (size_t i = 0; i < ARRAY_SIZE(restarted); i++) {
		state.regs.user.rax = (uint64_t)-restarted[i];
		assert_true(regs_interrupted(&state.regs));
	}
	state.regs.user.rax = (uint64_t)-EINTR;
	assert_false(regs_interrupted(&state.regs));
	state.regs.user.orig_rax = (uint64_t)-1;
	state.regs.user.rax = (uint64_t)-512;
	assert_false(regs_interrupted(&state.regs));
}

/* Best is the primordial thread in a futex; worst one whose call fails when it is stopped. */
static void rank_order(void **unused)
{
	static const struct thread_info t[] = {
		{10, 'S', "java", true, SYS_futex, 1, 1},
		{11, 'S', "VM Periodic Tas", true, SYS_futex, 1, 1},
		{12, 'S', "main", true, SYS_futex, 1, 1},
		{13, 'S', "main", true, SYS_poll, 1, 1},
		{14, 'R', "main", false, 0, 0, 0},
		{15, 'S', "main", true, SYS_epoll_wait, 1, 1},
	};
	static const char dead[] = "DtZXI";

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(thread_rank(10, &t[i]), i);
	for (size_t i = 0; dead[i]; i++) {
		struct thread_info d = t[0];

		d.state = dead[i];
		assert_int_equal(thread_rank(10, &d), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(build_places, setup),
		cmocka_unit_test_setup(build_xstate, setup),
		cmocka_unit_test_setup(build_xstate_amx, setup),
		cmocka_unit_test_setup(build_refuses, setup),
		cmocka_unit_test_setup(build_call, setup),
		cmocka_unit_test_setup(interrupted_tells, setup),
		cmocka_unit_test_setup(rank_order, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
