/* SPDX-License-Identifier: MIT */
/*
 * victim.h - processes whose threads are borrowed, killed half-way and looked at by tests.
 *
 * A victim is forked from the test, so the test's functions are at the same addresses in it. It
 * checks itself all the time: every register that it holds a value in, every result of every
 * system call. What it finds wrong is counted in memory shared with the test.
 */
#ifndef HP_TEST_VICTIM_H
#define HP_TEST_VICTIM_H

#include <semaphore.h>
#include <signal.h>
#include <sys/types.h>

#include "base/util.h"

#define VICTIM_THREADS 24

enum victim_kind {
	VICTIM_SPIN,	    /* computes, with values in all registers and the red zone */
	VICTIM_FUTEX,	    /* sleeps in a futex until victim_poke() */
	VICTIM_FUTEX_TIMED, /* ... with an absolute timeout, as pthread_cond_timedwait() */
	VICTIM_NANOSLEEP,   /* relative sleeps */
	VICTIM_POLL,	    /* poll() without timeout, until victim_poke() */
	VICTIM_POLL_TIMED,
	VICTIM_READ,	    /* read() from a pipe, until victim_poke() */
	VICTIM_PPOLL,	    /* ppoll() with a signal mask of its own, until victim_poke() */
	VICTIM_TICKS,	    /* computes, and handles a SA_RESTART timer signal every 200 us */
	VICTIM_THREADS_ALL, /* primordial thread in a futex, VICTIM_THREADS threads of these kinds
			     */
	VICTIM_KINDS,
};

struct victim_shared {
	volatile uint64_t beats;  /* rounds that were completed and checked */
	volatile uint64_t errors; /* things that came out wrong */
	volatile uint64_t where;  /* source line of the first of them */
	volatile uint64_t ready;
	volatile uint64_t calls; /* victim_count(), victim_count_syscall() */
	volatile uint32_t futex;
	sem_t never;		   /* zero */
	volatile uint32_t release; /* set by the test: what is parked goes on */
	volatile uint64_t signals;
	siginfo_t siginfo; /* of the last one */
};

struct victim {
	pid_t pid;
	enum victim_kind kind;
	struct victim_shared *shared;
	int pipe[2];
};

extern struct victim_shared *victim_shared; /* in the victim, and in the test that started it */

/** victim_start() - fork one and wait until it is at work. */
void victim_start(struct victim *v, enum victim_kind kind);

/** victim_start_fn() - the same with @fn as its program, which calls victim_ready(). */
void victim_start_fn(struct victim *v, void (*fn)(struct victim *v));

/** victim_fork() - fork(2) for any other child of a test: it dies with the test. */
pid_t victim_fork(void);

/** victim_stop() - end it; accepts one that has ended. Return: its wait status. */
int victim_stop(struct victim *v);

/** victim_poke() - wake what waits for that. */
void victim_poke(struct victim *v);

/** victim_check() - it goes on working and has found nothing wrong; fails the test otherwise. */
void victim_check(struct victim *v);

/** victim_wait_state() - wait until /proc shows thread @tid in @state, else fail the test. */
void victim_wait_state(pid_t pid, pid_t tid, char state);

/** victim_wait_asleep() - the same for every thread it has, and state 'S'. */
void victim_wait_asleep(pid_t pid);

/** victim_wait_for() - wait until *@word is at least @value, else fail the test. */
void victim_wait_for(volatile uint64_t *word, uint64_t value);

/* For the victim's own side. */
void victim_ready(struct victim *v);
void victim_error(int line);
void victim_sleeper(struct victim *v, enum victim_kind kind);

/* To be called by hijack_call(): count in @calls; the second makes two system calls as well. */
void victim_count(void);
void victim_count_syscall(void);
void victim_fault(void); /* reads address 8 */

#endif
