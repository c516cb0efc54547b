/* SPDX-License-Identifier: MIT */
/*
 * coverage_hint.h - why a SPEC means no method of any class: is it early, or is it wrong?
 */
#ifndef HP_COVERAGE_HINT_H
#define HP_COVERAGE_HINT_H

#include "runtime/hotspot/coverage_why.h"

/**
 * coverage_hint() - of the SPECs that mean no method.
 * @wanted, @ret: one for each SPEC; those that are not @wanted are left alone.
 * Return: 0; -ESRCH; -EPERM; -ECANCELED; -ENOMEM.
 */
int coverage_hint(struct coverage_look *k, const bool *wanted, struct coverage_reason *ret);

#endif
