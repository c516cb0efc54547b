/* SPDX-License-Identifier: MIT */
/*
 * fail.h - the one way an error travels: a code for the program, and one line for a person.
 *
 * Whoever knows the fact fills it, with all operands; everything above only returns the code; the
 * request or command at the top prints the line once. A function that can say more than its code
 * takes a struct fail as its last parameter.
 */
#ifndef HP_FAIL_H
#define HP_FAIL_H

#include <sys/types.h>

#include "base/util.h"

#define FAIL_TEXT_MAX 1024

/* Zero-initialised: nothing has failed. */
struct fail {
	int err;		  /* 0, or -errno */
	char text[FAIL_TEXT_MAX]; /* what, on what, why, what to do; "" when only the code is known
				   */
};

/**
 * fail_set() - something has failed.
 * @f: the first failure stays, for it names the cause and the later ones are what comes of it;
 * NULL: the caller wants the code only.
 * @err: -errno.
 * Return: @err.
 */
int fail_set(struct fail *f, int err, const char *fmt, ...) _printf_(3, 4);

/** fail_pid() - the same about process @pid: the line begins with "PID N: ". */
int fail_pid(struct fail *f, int err, pid_t pid, const char *fmt, ...) _printf_(4, 5);

/**
 * fail_code() - our code for the errno @err of opening something in /proc: -ESRCH for a process
 * that is not there, -EPERM for one that is closed to us, and -@err for all that says nothing of
 * it.
 */
int fail_code(int err);

/**
 * fail_is_shortage() - does @err, a -errno, only say that we, or the machine, have run out of
 * descriptors or memory? Then it is no verdict on a target or on the kernel.
 */
bool fail_is_shortage(int err);

/** fail_strerror() - as strerror(3) for a -errno, and for shortages what to do. */
const char *fail_strerror(int err);

/** fail_clear() - forget it: another way is tried. */
void fail_clear(struct fail *f);

#endif
