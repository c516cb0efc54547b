// SPDX-License-Identifier: MIT
/* fakevm.c - this process as a target without a JVM. See fakevm.h. */
#include <sys/mman.h>

#include "lib/cmocka_all.h"
#include "lib/fakevm.h"

#define SLOT_SIZE   16
#define FP_SIZE	    64
#define FP_NOP	    53 /* of the nop in a slot that saves xmm0-7 */
#define FP_TEXT	    (FAKE_SLOTS * SLOT_SIZE)
#define TEXT_SIZE   4096
#define HEAP_SIZE   (1u << 20)
#define OBJECT_SIZE 48

_Static_assert(FP_TEXT + FAKE_FP_SLOTS * FP_SIZE <= TEXT_SIZE, "slots fit");

/*
 * fake_call(code, regs): registers and stack from @regs, then call.
 * Offsets into struct fake_regs: gpr 0, r15 48, fp 56, stack 120.
 */
void fake_call(const void *code, const struct fake_regs *r);

asm(".text\n"
    "fake_call:\n"
    "	push %rbp\n"
    "	push %rbx\n"
    "	push %r15\n"
    "	mov %rsp, %rbp\n"
    "	mov %rdi, %rax\n"
    "	mov %rsi, %rbx\n"
    "	sub $128, %rsp\n"
    "	and $-16, %rsp\n"
    "	lea 120(%rbx), %rsi\n"
    "	mov %rsp, %rdi\n"
    "	mov $16, %ecx\n"
    "	rep movsq\n"
    "	movsd 56(%rbx), %xmm0\n"
    "	movsd 64(%rbx), %xmm1\n"
    "	movsd 72(%rbx), %xmm2\n"
    "	movsd 80(%rbx), %xmm3\n"
    "	movsd 88(%rbx), %xmm4\n"
    "	movsd 96(%rbx), %xmm5\n"
    "	movsd 104(%rbx), %xmm6\n"
    "	movsd 112(%rbx), %xmm7\n"
    "	mov 48(%rbx), %r15\n"
    "	mov 0(%rbx), %rsi\n"
    "	mov 8(%rbx), %rdx\n"
    "	mov 16(%rbx), %rcx\n"
    "	mov 24(%rbx), %r8\n"
    "	mov 32(%rbx), %r9\n"
    "	mov 40(%rbx), %rdi\n"
    "	call *%rax\n"
    "	mov %rbp, %rsp\n"
    "	pop %r15\n"
    "	pop %rbx\n"
    "	pop %rbp\n"
    "	ret\n"
    ".type fake_call, @function\n");

_Static_assert(offsetof(struct fake_regs, fp) == 56, "fake_call");
_Static_assert(offsetof(struct fake_regs, stack) == 120 && FAKE_STACK == 16, "fake_call");

static const uint8_t nop5[] = {0x0f, 0x1f, 0x44, 0x00, 0x00};

/* What entry_site.c makes of a method with floating-point parameters, in one piece. */
static void emit_fp_slot(uint8_t *p)
{
	static const uint8_t lower[] = {0x48, 0x8d, 0x64, 0x24, 0xc0}; /* lea -64(%rsp),%rsp */
	static const uint8_t raise[] = {0x48, 0x8d, 0x64, 0x24, 0x40, 0xc3};

	p = mempcpy(p, lower, sizeof(lower));
	for (uint8_t i = 0; i < HP_FP_ARGS; i++) {
		const uint8_t save[] = {
			0xf2, 0x0f, 0x11, (uint8_t)(0x44 | i << 3), 0x24, (uint8_t)(8 * i)};

		p = mempcpy(p, save, sizeof(save));
	}
	p = mempcpy(p, nop5, sizeof(nop5));
	memcpy(p, raise, sizeof(raise));
}

static void map_text(struct fakevm *vm)
{
	uint8_t *text;

	vm->memfd = memfd_create("fakevm", MFD_CLOEXEC);
	assert_true(vm->memfd >= 0);
	assert_int_equal(ftruncate(vm->memfd, TEXT_SIZE), 0);
	text = mmap(NULL, TEXT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, vm->memfd, 0);
	assert_true(text != MAP_FAILED);
	for (size_t i = 0; i < FAKE_SLOTS; i++) {
		memcpy(text + i * SLOT_SIZE, nop5, sizeof(nop5));
		text[i * SLOT_SIZE + sizeof(nop5)] = 0xc3;
	}
	for (size_t i = 0; i < FAKE_FP_SLOTS; i++)
		emit_fp_slot(text + FP_TEXT + i * FP_SIZE);
	munmap(text, TEXT_SIZE);
	vm->text = mmap(NULL, TEXT_SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, vm->memfd, 0);
	assert_true(vm->text != MAP_FAILED);
	snprintf(vm->path, sizeof(vm->path), "/proc/self/fd/%d", vm->memfd);
}

/* JavaThread: the handle of its Thread at 64; Thread: tid at 24, name at 16. */
static void make_thread(struct fakevm *vm)
{
	uint64_t handle = fakevm_alloc(vm, 8);

	vm->jthread = fakevm_alloc(vm, 256);
	vm->thread = fakevm_object(vm);
	*(uint64_t *)(vm->jthread + 64) = handle;
	*(uint64_t *)handle = vm->thread;
	*(uint64_t *)(vm->thread + 16) = fakevm_string(vm, "main", 4, 0, false);
	*(uint64_t *)(vm->thread + 24) = 42;
}

void fakevm_init(struct fakevm *vm)
{
	*vm = (struct fakevm){.memfd = -1, .nattach = FAKE_SLOTS + FAKE_FP_SLOTS};
	map_text(vm);
	vm->heap =
		mmap(NULL, HEAP_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(vm->heap != MAP_FAILED);
	make_thread(vm);
	vm->config = (struct hp_config){
		.tgid = (uint32_t)getpid(),
		.klass_word = HP_KLASS_NARROW,
		.klass_off = 8,
		.string_klass_word = FAKE_STRING_KLASS,
		.stack_args_off = abi_stack_off(ABI_HOTSPOT),
		.array_length_off = FAKE_LENGTH_OFF,
		.byte_array_base = FAKE_ARRAY_BASE,
		.string_value_off = FAKE_VALUE_OFF,
		.string_coder_off = FAKE_CODER_OFF,
		.string_max = 256,
		.thread_obj = 64,
		.thread_vthread = HP_OFF_NONE,
		.thread_lock_id = HP_OFF_NONE,
		.thread_tid_off = 24,
		.thread_name_off = 16,
		.wakeup_bytes = 64 << 10,
	};
}

void fakevm_load(struct fakevm *vm, size_t ring_bytes, record_fn *fn, void *arg)
{
	struct probe_place places[FAKE_SLOTS + FAKE_FP_SLOTS];

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		uint64_t fp = FP_TEXT + (i - FAKE_SLOTS) * FP_SIZE + FP_NOP;

		places[i] = (struct probe_place){.offset = i < FAKE_SLOTS ? i * SLOT_SIZE : fp,
						 .slot = (uint32_t)i};
	}
	assert_int_equal(probe_bpf_open(&vm->config, ring_bytes, fn, arg, &vm->p, NULL), 0);
	assert_int_equal(probe_bpf_attach(vm->p, getpid(), vm->path, places, vm->nattach), 0);
}

void fakevm_open(struct fakevm *vm, size_t ring_bytes, record_fn *fn, void *arg)
{
	fakevm_init(vm);
	fakevm_load(vm, ring_bytes, fn, arg);
}

void fakevm_close(struct fakevm *vm)
{
	probe_bpf_close(vm->p);
	if (vm->text)
		munmap((void *)(uintptr_t)vm->text, TEXT_SIZE);
	if (vm->heap)
		munmap(vm->heap, HEAP_SIZE);
	if (vm->text && vm->memfd >= 0)
		close(vm->memfd);
	*vm = (struct fakevm){.memfd = -1};
}

uint64_t fakevm_alloc(struct fakevm *vm, size_t size)
{
	uint64_t addr = (uint64_t)vm->heap + vm->heap_used;

	vm->heap_used += (size + 7) / 8 * 8;
	assert_true(vm->heap_used <= HEAP_SIZE);
	return addr;
}

uint64_t fakevm_object(struct fakevm *vm)
{
	uint64_t obj = fakevm_alloc(vm, OBJECT_SIZE);

	*(uint32_t *)(obj + 8) = FAKE_OBJECT_KLASS;
	return obj;
}

void fakevm_array(uint64_t addr, const void *bytes, size_t len)
{
	*(uint32_t *)(addr + FAKE_LENGTH_OFF) = (uint32_t)len;
	memcpy((void *)(addr + FAKE_ARRAY_BASE), bytes, len);
}

uint64_t fakevm_string_of(struct fakevm *vm, uint64_t array, uint8_t coder)
{
	uint64_t s = fakevm_alloc(vm, 32);

	*(uint32_t *)(s + 8) = FAKE_STRING_KLASS;
	*(uint64_t *)(s + FAKE_VALUE_OFF) = array;
	*(uint8_t *)(s + FAKE_CODER_OFF) = coder;
	return s;
}

uint64_t fakevm_string(struct fakevm *vm, const void *bytes, size_t len, uint8_t coder, bool apart)
{
	uint64_t s = fakevm_string_of(vm, 0, coder);

	if (apart)
		fakevm_alloc(vm, 512);
	*(uint64_t *)(s + FAKE_VALUE_OFF) = fakevm_alloc(vm, FAKE_ARRAY_BASE + len);
	fakevm_array(*(uint64_t *)(s + FAKE_VALUE_OFF), bytes, len);
	return s;
}

void fakevm_probe(struct fakevm *vm, uint32_t slot, const struct capture_list *c, uint32_t gen)
{
	struct hp_slot_spec spec, *shared = probe_bpf_slot(vm->p, slot);

	capture_slot_spec(c, &spec);
	spec.gen = gen;
	*shared = spec;
	__atomic_store_n(&shared->flags, spec.flags | HP_SLOT_LIVE, __ATOMIC_RELEASE);
}

void fakevm_call(const struct fakevm *vm, uint32_t slot, const struct fake_regs *r)
{
	size_t off = slot < FAKE_SLOTS ? slot * SLOT_SIZE : FP_TEXT + (slot - FAKE_SLOTS) * FP_SIZE;

	fake_call(vm->text + off, r);
}
