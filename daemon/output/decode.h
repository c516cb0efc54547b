/* SPDX-License-Identifier: MIT */
/*
 * decode.h - a record from a probe, and the method it hit, become typed argument values.
 */
#ifndef HP_DECODE_H
#define HP_DECODE_H

#include <linux/types.h>

#include "bpf/events.h"
#include "probe/capture.h"
#include "base/util.h"

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
 * entry_value() - the value of @c, which the record's method has; NULL: there is no such value.
 * Never fails: what cannot be known has @ret->error set.
 */
void entry_value(const struct entry_view *v, const struct capture *c, struct arg_value *ret);

#endif
