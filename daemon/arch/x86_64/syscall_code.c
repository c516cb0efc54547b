// SPDX-License-Identifier: MIT
/* syscall_code.c - system calls in x86-64's code. See syscall_code.h. */
#include "arch/syscall_code.h"

#define MOV_EAX_IMM32 0xb8

struct pattern {
	uint8_t bytes[SYSCALL_CODE_LONGEST];
	size_t len;
};

/* syscall; ret */
static const struct pattern syscall_ret = {{0x0f, 0x05, 0xc3}, 3};

/*
 * __restore_rt of glibc (sysdeps/unix/sysv/linux/x86_64/libc_sigaction.c) and musl
 * (src/signal/x86_64/restore.s) is the first: mov $15,%rax; syscall. The second, with %eax, is
 * what an assembler may shorten it to.
 */
static const struct pattern sigreturns[] = {
	{{0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05}, 9},
	{{MOV_EAX_IMM32, 0x0f, 0, 0, 0, 0x0f, 0x05}, 7},
};

static bool matches(const struct pattern *p, const uint8_t *code, size_t len)
{
	return len >= p->len && !memcmp(code, p->bytes, p->len);
}

bool syscall_code_is(const uint8_t code[static SYSCALL_CODE_LEN])
{
	return !memcmp(code, syscall_ret.bytes, SYSCALL_CODE_LEN);
}

int64_t syscall_code_number(const uint8_t before[static SYSCALL_CODE_SET_LEN])
{
	uint32_t nr;

	_Static_assert(1 + sizeof(nr) == SYSCALL_CODE_SET_LEN, "mov $nr,%eax");
	memcpy(&nr, before + 1, sizeof(nr));
	return before[0] == MOV_EAX_IMM32 ? (int64_t)nr : -1;
}

const uint8_t *syscall_code_find(const uint8_t *buf, size_t len)
{
	return memmem(buf, len, syscall_ret.bytes, syscall_ret.len);
}

bool syscall_code_returns(const uint8_t *code, size_t len)
{
	return matches(&syscall_ret, code, len);
}

const uint8_t *syscall_code_find_sigreturn(const uint8_t *buf, size_t len, const uint8_t **end_ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(sigreturns); i++) {
		const uint8_t *at = memmem(buf, len, sigreturns[i].bytes, sigreturns[i].len);

		if (!at)
			continue;
		*end_ret = at + sigreturns[i].len;
		return at;
	}
	return NULL;
}

size_t syscall_code_sigreturn(const uint8_t *code, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(sigreturns); i++)
		if (matches(&sigreturns[i], code, len))
			return sigreturns[i].len;
	return 0;
}
