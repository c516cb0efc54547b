/* SPDX-License-Identifier: MIT */
/*
 * decode.h - records from a probe become events (event.h) with typed values.
 *
 * What a thread is called is remembered here for a moment; what a class is called, whoever knows
 * the target is asked.
 */
#ifndef HP_DECODE_H
#define HP_DECODE_H

#include <linux/types.h>

#include "base/names.h"
#include "base/util.h"
#include "bpf/events.h"
#include "output/encoder.h"
#include "output/event.h"
#include "probe/probe.h"

/* A checked record: every pointer below lies inside it. */
struct decode_view {
	const struct hp_entry *e;
	const uint64_t *fp; /* NULL unless HP_SLOT_FP */
	const uint64_t *stack;
	const struct hp_ref *refs;
	const uint8_t *texts[HP_REFS_MAX]; /* NULL where none */
};

/*
 * What the object's class that a hit of @p saw is called: NULL when it cannot be known, with @why.
 * The name lasts until the next call.
 */
typedef const char *decode_klass_fn(void *arg, const struct probe *p, uint64_t klass_word,
				    const char **why);

/* What is needed from record to record. Zero-initialised but for the first four. */
struct decode {
	const struct encoder *encoder; /* whose texts are kept */
	decode_klass_fn *klass;
	void *klass_arg;
	pid_t pid; /* of the target; 0: of each record */

	uint64_t wall_offset_ns; /* CLOCK_REALTIME minus CLOCK_MONOTONIC */
	struct names threads; /* java_tid, or the kernel's tid -> name, as the encoder writes it */
	struct value values[JTYPE_PARAMS_MAX + 1]; /* of the latest call */
	struct buf klasses;			   /* and its classes' names */
};

void decode_fini(struct decode *d);
#define _cleanup_decode_ _cleanup_(decode_fini)

/**
 * decode_check() - validate a record of kind HP_ENTRY.
 * Return: 0; -EPROTO when sizes and counts do not agree with @size.
 */
int decode_check(const struct hp_record *rec, size_t size, struct decode_view *ret);

/**
 * decode_value() - the value of @c, which the record's method has; NULL: there is no such value.
 * Never fails: what cannot be known has @ret->error set. The class has no name yet.
 */
void decode_value(const struct decode_view *v, const struct capture *c, struct value *ret);

/**
 * decode_call() - a hit of @p as an event.
 * @ret: its values are @d's, until the next call.
 */
void decode_call(struct decode *d, struct probe *p, const struct decode_view *v, struct event *ret);

/** decode_thread() - remember a thread's name; @rec is checked against @size. */
void decode_thread(struct decode *d, const struct hp_record *rec, size_t size);

#endif
