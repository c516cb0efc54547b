/* SPDX-License-Identifier: MIT */
/*
 * decode.h - a record from a probe, and the method it hit, become typed argument values.
 */
#ifndef HP_DECODE_H
#define HP_DECODE_H

#include <linux/types.h>

#include "bpf/events.h"
#include "symmap/jtype.h"
#include "base/util.h"

/* Where compiled code finds one parameter at entry. */
struct arg_place {
	enum { ARG_GPR, ARG_FP, ARG_STACK } kind;
	/* ARG_GPR: in hp_entry.gpr; ARG_FP: xmm number; ARG_STACK: byte offset in hp_entry's stack
	 */
	uint16_t index;
	int16_t ref; /* index in hp_entry's refs, -1 when no reference or beyond HP_REFS_MAX */
};

/* Whose compiled code it is: where it expects its parameters. */
enum call_convention { CALL_HOTSPOT, CALL_NATIVE_IMAGE };

/* From rsp at entry to the first parameter on the stack: the return address, and in a native image
 * one word reserved behind it. */
#define CALL_STACK_HOTSPOT	8
#define CALL_STACK_NATIVE_IMAGE 16

/* Everything about a method that its hits need. Made once, at installation. */
struct call_layout {
	struct jsignature sig; /* sig.desc is the method's */
	enum call_convention convention;
	bool is_static;
	bool uses_fp;	 /* some parameter is in an xmm register */
	uint16_t nstack; /* stack words that hold parameters */
	uint16_t nrefs;
	struct arg_place self; /* `this`, unless static */
	struct arg_place args[JTYPE_PARAMS_MAX];
};

/**
 * call_layout_init() - place the parameters of a method as its calling convention does.
 * @desc: must outlive @ret.
 * Return: 0; -EPROTO if @desc is no descriptor.
 * Sources: OpenJDK src/hotspot/cpu/x86/sharedRuntime_x86_64.cpp, java_calling_convention();
 * oracle/graal substratevm com.oracle.svm.core.graal.amd64, SubstrateAMD64RegisterConfig.java.
 */
int call_layout_init(enum call_convention convention, const char *desc, bool is_static,
		     struct call_layout *ret);

/** call_layout_slot_spec() - what the BPF program must copy for this method. */
void call_layout_slot_spec(const struct call_layout *c, struct hp_slot_spec *ret);

/* A reference as it was at the hit. */
struct ref_value {
	uint64_t addr;	     /* 0: null */
	uint64_t klass_word; /* valid when known */
	bool known;	     /* klass_word was read */
	bool has_text;
	const uint8_t *text; /* in the record; Latin-1 bytes or UTF-16LE, see coder */
	uint32_t text_len, array_len;
	uint8_t coder;
	const char *error; /* NULL, or why it could not be read */
};

struct arg_value {
	char tag;	   /* as jtype.tag */
	const char *error; /* NULL, or why it could not be read */
	union {
		bool z;
		int32_t i; /* B, S, I */
		uint16_t c;
		int64_t j;
		float f;
		double d;
		struct ref_value ref; /* L and [ */
	};
};

/* A checked record: every pointer below lies inside it. */
struct entry_view {
	const struct hp_entry *e;
	const uint64_t *fp; /* NULL unless HP_SLOT_FP */
	const uint64_t *stack;
	const struct hp_ref *refs;
	const uint8_t *texts[HP_REFS_MAX]; /* NULL where none */
};

/**
 * entry_check() - validate a record of kind HP_ENTRY.
 * Return: 0; -EPROTO when sizes and counts do not agree with @size.
 */
int entry_check(const struct hp_record *rec, size_t size, struct entry_view *ret);

/**
 * entry_arg() - value of argument @i, or of `this` with @i == -1.
 * Never fails: what cannot be known has @ret->error set.
 */
void entry_arg(const struct call_layout *c, const struct entry_view *v, int i,
	       struct arg_value *ret);

/** call_register() - the @i-th general register of a convention, as an index in hp_entry.gpr. */
uint16_t call_register(enum call_convention convention, unsigned int i);

#endif
