// SPDX-License-Identifier: MIT
/* slots.c - which slots of a region are taken. See slots.h. */
#include "probe/slots.h"

void slots_init(struct slots *s, uint32_t count)
{
	memset(s, 0, sizeof(*s));
	s->count = count;
	s->state[0] = SLOT_LIVE; /* the self-test's, for good */
	s->next = 1;
}

bool slots_have(const struct slots *s)
{
	return s->nlive + s->nresting + 1 < s->count;
}

uint32_t slots_take(struct slots *s)
{
	if (!slots_have(s))
		return SLOT_NONE;
	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t slot = (s->next + i) % s->count;

		if (s->state[slot] != SLOT_FREE)
			continue;
		s->state[slot] = SLOT_LIVE;
		s->next = (slot + 1) % s->count;
		s->nlive++;
		return slot;
	}
	return SLOT_NONE;
}

void slots_return(struct slots *s, uint32_t slot)
{
	s->state[slot] = SLOT_FREE;
	s->nlive--;
}

void slots_rest(struct slots *s, uint32_t slot)
{
	s->state[slot] = SLOT_RESTING;
	s->nlive--;
	s->nresting++;
}

struct resting {
	const struct slots *s;
	const struct region *r;
};

/* Does @pc lie in the text or the code of a resting slot? */
static bool inside_resting(void *arg, uint64_t pc)
{
	const struct resting *c = arg;
	uint32_t slot = region_slot_of(c->r, pc);

	return slot != SLOT_NONE && c->s->state[slot] == SLOT_RESTING;
}

int slots_reclaim(struct slots *s, struct region *const *regions, size_t n)
{
	int freed = 0;

	/* Where all are live, one more method must not cost a look at every thread. */
	for (size_t i = 0; i < n && s->nresting; i++) {
		const struct region *r = regions[i];
		struct resting c = {.s = s, .r = r};
		int outside =
			remote_outside(r->remote, r->base, r->base + r->len, inside_resting, &c);

		if (outside <= 0)
			return outside;
	}
	for (uint32_t slot = 1; slot < s->count && s->nresting; slot++) {
		if (s->state[slot] == SLOT_RESTING) {
			s->state[slot] = SLOT_FREE;
			freed++;
		}
	}
	s->nresting = 0;
	return freed;
}
