/* SPDX-License-Identifier: MIT */
/*
 * coverage_why.h - what is seen of the calls of one method, and why not all.
 */
#ifndef HP_COVERAGE_WHY_H
#define HP_COVERAGE_WHY_H

#include "runtime/hotspot/coverage_look.h"

#define COVERAGE_WHY_MAX   768
#define COVERAGE_TITLE_MAX 1024 /* bytes of a method with its class and parameters */

/* What is to be said of one method, or of a SPEC that means none. */
struct coverage_reason {
	enum coverage_state state;
	char why[COVERAGE_WHY_MAX];
	char mean[COVERAGE_WHY_MAX]; /* "": nothing */
};

/** coverage_why() - of one method. */
void coverage_why(const struct coverage_look *k, const struct coverage_found *f,
		  struct coverage_reason *ret);

/** coverage_reason_say() - fill in state and why. */
void coverage_reason_say(struct coverage_reason *r, enum coverage_state state, const char *fmt, ...)
	_printf_(3, 4);

/** coverage_title() - "com.shop.Cart.add(int)"; cut to @size, then with "..." at its end. */
void coverage_title(const struct method *m, char *buf, size_t size);

#endif
