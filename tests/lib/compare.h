/* SPDX-License-Identifier: MIT */
/*
 * compare.h - what the program says it called with against what hotprobe saw, call by call.
 */
#ifndef HP_TEST_COMPARE_H
#define HP_TEST_COMPARE_H

#include <jansson.h>

#include "base/util.h"

/**
 * compare_calls() - are the calls the same, thread by thread (java_tid), in the same order?
 * @want: objects the program recorded: class, name, descriptor, method, java_tid, thread, this,
 * args.
 * @got:  objects hotprobe printed; those that are no "entry" are passed over.
 *
 * Every member of a wanted object must be there with the same value; float and double must be the
 * same bits. An argument with "error" is a difference. "maybe" holds members that may be there: the
 * text of a String in a parameter declared as another type. The first differences are printed.
 * Return: how many differences there are.
 */
size_t compare_calls(const json_t *want, const json_t *got);

/** compare_arg() - one argument; @why says what differs. Return: true if it is the same. */
bool compare_arg(const json_t *want, const json_t *got, char *why, size_t size);

/** events_count() - how many objects of @events are of this kind. */
size_t events_count(const json_t *events, const char *event);

/** events_find() - the first of this kind, borrowed; NULL. */
const json_t *events_find(const json_t *events, const char *event);

#endif
