// SPDX-License-Identifier: MIT
/* budget.c - how much work one target may make us do. See budget.h. */
#include "base/budget.h"
#include "base/stop.h"

/* The clocks are looked at once for so many bytes; a step is worth so many. */
#define LOOK_BYTES (256u << 10)
#define STEP_BYTES (4u << 10)

static struct budget *current;
static uint64_t bytes; /* since the clocks were looked at */

static uint64_t cpu_ns(void)
{
	return clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

void budget_begin(struct budget *b, uint64_t ns)
{
	*b = (struct budget){
		.limit_ns = cpu_ns() + ns, .until_ns = clock_ns() + ns, .outer = current};
	if (current) {
		b->limit_ns = MIN(b->limit_ns, current->limit_ns);
		b->until_ns = MIN(b->until_ns, current->until_ns);
	}
	current = b;
	bytes = 0;
}

void budget_end(struct budget *b)
{
	current = b->outer;
}

int budget_spend_bytes(size_t n)
{
	if (!current)
		return 0;
	bytes += n;
	if (bytes < LOOK_BYTES)
		return 0;
	/* What is over stays over: the next step fails again. */
	if (stop_asked())
		return -ECANCELED;
	if (cpu_ns() >= current->limit_ns)
		return -E2BIG;
	bytes = 0;
	return 0;
}

int budget_over(void)
{
	return current && bytes >= LOOK_BYTES ? budget_spend_bytes(0) : 0;
}

int budget_spend(void)
{
	return budget_spend_bytes(STEP_BYTES);
}

uint64_t budget_until_ns(void)
{
	return current ? current->until_ns : UINT64_MAX;
}
