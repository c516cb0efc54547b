// SPDX-License-Identifier: MIT
/* method_state.c - how far a JVM has come with one method. See method_state.h. */
#include "runtime/hotspot/method_state.h"
#include "runtime/hotspot/layout_code.h"

/* JVMS 4.6. The bits above these are HotSpot's own, where there are any. */
#define ACC_WRITTEN 0x7fff

/* JDK ..20, share/utilities/accessFlags.hpp: the two bits below JVM_ACC_NOT_C2_OSR_COMPILABLE. */
#define ACC_NOT_C2(not_osr) ((uint64_t)(not_osr) >> 2)
#define ACC_NOT_C1(not_osr) ((uint64_t)(not_osr) >> 1)

/*
 * JDK 21+, share/oops/methodFlags.hpp: the same places in 21 and 25. Bits above the last one say
 * that these are not the flags.
 */
#define STATUS_OLD    (1u << 2)
#define STATUS_NOT_C2 (1u << 8)
#define STATUS_NOT_C1 (1u << 9)
#define STATUS_LAST   (1u << 17)

/* InvocationCounter: one bit for the carry, the count above it. share/interpreter/
 * invocationCounter.hpp, the same in 17 to 25. */
#define COUNT_SHIFT 1

static void flags_decode(const struct layout_code *c, const uint8_t *raw, struct method_state *ret)
{
	uint64_t flags = field_get(raw, c->method_flags), status;

	ret->access = (uint32_t)flags & ACC_WRITTEN;
	if (c->acc_not_osr != -1) {
		ret->not_c2 = flags & ACC_NOT_C2(c->acc_not_osr);
		ret->not_c1 = flags & ACC_NOT_C1(c->acc_not_osr);
		ret->old = c->acc_old != -1 && flags & (uint64_t)c->acc_old;
	}
	if (!field_exists(c->method_status))
		return;
	status = field_get(raw, c->method_status);
	if (status >= STATUS_LAST << 1)
		return;
	ret->not_c2 = status & STATUS_NOT_C2;
	ret->not_c1 = status & STATUS_NOT_C1;
	ret->old = status & STATUS_OLD;
}

/* There are counters from the first call on that is worth counting. */
static void calls_read(struct mem *m, const struct layout_code *c, const uint8_t *raw,
		       struct method_state *ret)
{
	uint64_t counters, count = 0;

	if (!field_exists(c->method_counters) || !field_exists(c->counters_calls))
		return;
	counters = field_get(raw, c->method_counters);
	ret->calls_known = !counters || !field_read(m, counters, c->counters_calls, &count);
	ret->calls = count >> COUNT_SHIFT;
}

int method_state_read(struct mem *m, const struct layout *l, uint64_t method,
		      struct method_state *ret)
{
	const struct layout_code *c = l->code;
	uint8_t raw[METHOD_SPAN_MAX];
	uint64_t code_size;
	int err = method % 8 || !method ? -EPROTO : mem_read(m, method, raw, c->method_span);

	if (!err)
		err = field_read(m, field_get(raw, c->method_const), c->const_code_size,
				 &code_size);
	if (err)
		return err;
	*ret = (struct method_state){
		.method = method,
		.code_size = (uint32_t)code_size,
		.intrinsic = (uint32_t)field_get(raw, c->method_intrinsic),
		.code = field_get(raw, c->method_code),
	};
	flags_decode(c, raw, ret);
	calls_read(m, c, raw, ret);
	return 0;
}
