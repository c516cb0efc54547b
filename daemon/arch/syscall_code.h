/* SPDX-License-Identifier: MIT */
/*
 * syscall_code.h - what the code around a system call looks like, in C libraries.
 */
#ifndef HP_SYSCALL_CODE_H
#define HP_SYSCALL_CODE_H

#include "base/util.h"

#define SYSCALL_CODE_LEN     2 /* of the instruction that makes a system call */
#define SYSCALL_CODE_SET_LEN 5 /* of the one before it, that says which */
#define SYSCALL_CODE_LONGEST 9 /* of what is searched for below */

/** syscall_code_is() - is this the instruction that makes a system call? */
bool syscall_code_is(const uint8_t code[static SYSCALL_CODE_LEN]);

/** syscall_code_number() - which one the instruction at @before asks for; -1: it cannot be told. */
int64_t syscall_code_number(const uint8_t before[static SYSCALL_CODE_SET_LEN]);

/** syscall_code_find() - code that makes a system call and returns. Return: it, in @buf; NULL. */
const uint8_t *syscall_code_find(const uint8_t *buf, size_t len);

/** syscall_code_returns() - is @code such, of which @len bytes are to be seen? */
bool syscall_code_returns(const uint8_t *code, size_t len);

/**
 * syscall_code_find_sigreturn() - code that calls rt_sigreturn(2): where signal handlers return to.
 * @end_ret: behind its system call. Return: it, in @buf; NULL.
 */
const uint8_t *syscall_code_find_sigreturn(const uint8_t *buf, size_t len, const uint8_t **end_ret);

/** syscall_code_sigreturn() - is @code such? Return: bytes up to behind its system call; 0 no. */
size_t syscall_code_sigreturn(const uint8_t *code, size_t len);

#endif
