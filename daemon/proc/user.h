/* SPDX-License-Identifier: MIT */
/* user.h - user ids as a user namespace shows them. */
#ifndef HP_USER_H
#define HP_USER_H

#include <sys/types.h>

#include "base/util.h"

/**
 * user_is_certain() - does @uid, as we see it, stand for one user only?
 *
 * All that our user namespace does not map look like one, the overflow uid (user_namespaces(7)):
 * two of that number need not be the same, and we may be one of them ourselves. In a namespace that
 * maps everybody it is a user like any other.
 */
bool user_is_certain(uid_t uid);

#endif
