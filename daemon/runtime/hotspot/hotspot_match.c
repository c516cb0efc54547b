// SPDX-License-Identifier: MIT
/* hotspot_match.c - which nmethods of a JVM a SPEC means. See hotspot_match.h. */
#include "runtime/hotspot/codeheap.h"
#include "runtime/hotspot/hotspot_match.h"

/* Java access flag. Source: JVMS 4.6, table 4.6-A. */
#define ACC_STATIC 0x0008

bool hotspot_match(const struct spec *spec, struct mem *mem, const struct layout *l,
		   const struct nmethod *nm)
{
	uint32_t flags;

	if (!spec_match(spec, &nm->m))
		return false;
	return !spec_is_static(spec) ||
	       (!method_flags(mem, l, nm->method_addr, &flags) && flags & ACC_STATIC);
}
