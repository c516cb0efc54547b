/* SPDX-License-Identifier: MIT */
/* json_arg.h - one argument as a JSON object. */
#ifndef HP_JSON_ARG_H
#define HP_JSON_ARG_H

#include "base/json.h"
#include "output/decode.h"

/* How klass words become names: returns NULL when it cannot be known. */
typedef const char *klass_name_fn(void *arg, uint64_t klass_word);

/** json_arg() - {"type":..,"value":..}, as in docs/protocol.md. @type: source form of the declared
 * type; NULL for `this`, which has none. */
void json_arg(struct buf *b, const char *type, const struct arg_value *v, klass_name_fn *klass,
	      void *arg);

#endif
