/* SPDX-License-Identifier: MIT */
/*
 * abi.h - where compiled Java code expects its parameters.
 */
#ifndef HP_ABI_H
#define HP_ABI_H

#include "base/util.h"

/* Whose compiled code it is. */
enum abi_convention { ABI_HOTSPOT, ABI_NATIVE_IMAGE };

/* Where a parameter is at a method's entry. */
struct abi_place {
	enum { ABI_GPR, ABI_FP, ABI_STACK } kind;
	/* ABI_GPR: index in hp_entry.gpr; ABI_FP: number of the floating-point register; ABI_STACK:
	 * byte offset from the first stack word that holds a parameter */
	uint16_t index;
};

/* Parameters are placed in the order of the signature, `this` first. Zero but for @convention. */
struct abi_placing {
	enum abi_convention convention;
	uint16_t gpr, fp, stack; /* used so far; @stack in words */
};

/**
 * abi_place_next() - the place of the next parameter.
 * @fp: it is a float or a double.
 * Sources: OpenJDK src/hotspot/cpu/x86/sharedRuntime_x86_64.cpp, java_calling_convention();
 * oracle/graal substratevm com.oracle.svm.core.graal.amd64, SubstrateAMD64RegisterConfig.java.
 */
struct abi_place abi_place_next(struct abi_placing *p, bool fp);

/**
 * abi_stack_off() - bytes from the stack pointer at entry to the first word that holds a parameter.
 */
uint16_t abi_stack_off(enum abi_convention convention);

/** abi_gpr() - the @i-th general register of a convention, as an index in hp_entry.gpr. */
uint16_t abi_gpr(enum abi_convention convention, unsigned int i);

/** abi_gpr_name() - its name: "rdi". */
const char *abi_gpr_name(enum abi_convention convention, unsigned int i);

#endif
