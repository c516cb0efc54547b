// SPDX-License-Identifier: MIT
/* refusals.c - methods that match and are not probed. See refusals.h. */
#include "base/buf.h"
#include "base/utf8.h"
#include "probe/refusals.h"

#define TELL_PAUSE_NS (5 * NSEC_PER_SEC)

static struct refusal *find(struct refusals *r, const char *why)
{
	size_t len = MIN(strcspn(why, ":"), (size_t)REFUSALS_WHY_MAX - 1);

	for (size_t i = 0; i < r->n; i++)
		if (!strncmp(r->v[i].why, why, len) && !r->v[i].why[len])
			return &r->v[i];
	if (r->n == REFUSALS_MAX)
		return &r->v[REFUSALS_MAX - 1];
	if (r->n == REFUSALS_MAX - 1) {
		why = "various reasons";
		len = strlen(why);
	}
	memcpy(r->v[r->n].why, why, len);
	return &r->v[r->n++];
}

/* No character is cut. */
static void copy_cut(char *to, size_t size, const char *from)
{
	static const char mark[] = "...";
	size_t len = strnlen(from, size);

	if (len == size)
		for (len = size - sizeof(mark); len && ((unsigned char)from[len] & 0xc0) == 0x80;)
			len--;
	memcpy(to, from, len);
	strcpy(to + len, from[len] ? mark : "");
}

void refusals_add(struct refusals *r, const char *name, const char *why)
{
	struct refusal *v = find(r, why);

	if (v->count++ == v->told)
		copy_cut(v->detail, sizeof(v->detail), why);
	if (v->nnames < REFUSALS_NAMES)
		copy_cut(v->names[v->nnames++], REFUSALS_METHOD_MAX, name);
}

uint64_t refusals_count(const struct refusals *r)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < r->n; i++)
		sum += r->v[i].count;
	return sum;
}

static void tell(struct refusal *v, refusals_say_fn *say, void *arg)
{
	uint64_t n = v->count - v->told;
	struct buf b = {0};

	if (n == 1) {
		buf_printf(&b, "%s is not probed: %s", v->names[0], v->detail);
	} else {
		buf_printf(&b, "%llu methods are not probed: %s (%s", (unsigned long long)n, v->why,
			   v->names[0]);
		for (size_t i = 1; i < v->nnames; i++)
			buf_printf(&b, ", %s", v->names[i]);
		if (n > v->nnames)
			buf_printf(&b, " and %llu more; -v names them",
				   (unsigned long long)(n - v->nnames));
		buf_str(&b, ")");
	}
	buf_add(&b, "", 1);
	if (!b.failed)
		say(arg, b.data);
	buf_fini(&b);
	v->told = v->count;
	v->nnames = 0;
}

void refusals_tell(struct refusals *r, refusals_say_fn *say, void *arg)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i].count == r->v[i].told)
			continue;
		tell(&r->v[i], say, arg);
		r->told_ns = clock_ns();
	}
}

void refusals_tell_soon(struct refusals *r, refusals_say_fn *say, void *arg)
{
	if (clock_ns() - r->told_ns > TELL_PAUSE_NS)
		refusals_tell(r, say, arg);
}
