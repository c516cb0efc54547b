/* SPDX-License-Identifier: MIT */
/*
 * fakevm.h - this process as a target without a JVM: slots in a memfd as the region has them,
 * objects made by hand, and calls that pass a slot with chosen registers. For the tests of the BPF
 * programs on the real kernel.
 */
#ifndef HP_TEST_FAKEVM_H
#define HP_TEST_FAKEVM_H

#include "output/decode.h"
#include "kernel/probe_bpf.h"

/* Slots below this have a nop5; the FAKE_FP_SLOTS behind them save xmm0-7 before they pass it. */
#define FAKE_SLOTS    64
#define FAKE_FP_SLOTS 4
#define FAKE_STACK    16 /* words, enough for the most parameters any test has */

#define FAKE_STRING_KLASS 0x77u
#define FAKE_OBJECT_KLASS 0x55u

/* Field places of the objects made here: as JDK 17 with wide oops and narrow klasses. */
enum { FAKE_VALUE_OFF = 16, FAKE_CODER_OFF = 24, FAKE_LENGTH_OFF = 12, FAKE_ARRAY_BASE = 16 };

struct fake_regs {
	uint64_t gpr[HP_GPR_ARGS]; /* in HotSpot's order */
	uint64_t r15;
	double fp[HP_FP_ARGS];
	uint64_t stack[FAKE_STACK]; /* from 8(%rsp) at entry */
};

struct fakevm {
	int memfd;
	char path[64];
	const uint8_t *text;
	uint8_t *heap;
	size_t heap_used;
	uint64_t jthread;
	uint64_t thread;  /* the java.lang.Thread behind it */
	uint32_t nattach; /* slots that fakevm_load() attaches, all by default */
	struct hp_config config;
	struct probe_bpf *p;
};

/** fakevm_open() - map it, load the probe with a ring of @ring_bytes, attach every slot. */
void fakevm_open(struct fakevm *vm, size_t ring_bytes, record_fn *fn, void *arg);

/** fakevm_load() - as fakevm_open() does at its end; for a test that changes vm->config first. */
void fakevm_init(struct fakevm *vm);
void fakevm_load(struct fakevm *vm, size_t ring_bytes, record_fn *fn, void *arg);
void fakevm_close(struct fakevm *vm);

/** fakevm_alloc() - zeroed heap memory, 8-byte aligned. */
uint64_t fakevm_alloc(struct fakevm *vm, size_t size);
uint64_t fakevm_object(struct fakevm *vm);

/** fakevm_array() - a byte[] at @addr, where there is room for it. */
void fakevm_array(uint64_t addr, const void *bytes, size_t len);

/** fakevm_string() - a String, its array right behind it; with @apart somewhere else. */
uint64_t fakevm_string(struct fakevm *vm, const void *bytes, size_t len, uint8_t coder, bool apart);

/** fakevm_string_of() - a String whose value is the array at @array, whatever that is. */
uint64_t fakevm_string_of(struct fakevm *vm, uint64_t array, uint8_t coder);

/** fakevm_probe() - make a slot live for a method with this descriptor. */
void fakevm_probe(struct fakevm *vm, uint32_t slot, const struct capture_list *c, uint32_t gen);

/** fakevm_call() - pass the slot as a compiled method's caller does. */
void fakevm_call(const struct fakevm *vm, uint32_t slot, const struct fake_regs *r);

#endif
