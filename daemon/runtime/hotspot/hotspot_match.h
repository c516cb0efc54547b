/* SPDX-License-Identifier: MIT */
/*
 * hotspot_match.h - which nmethods of a JVM a SPEC means.
 */
#ifndef HP_HOTSPOT_MATCH_H
#define HP_HOTSPOT_MATCH_H

#include "probe/spec.h"
#include "runtime/hotspot/layout.h"

/**
 * hotspot_match() - does @spec ask for this method? ENTRY is the verified entry. Whether the method
 * is static is read from the target, and only where the SPEC wants to know; what cannot be read
 * does not match.
 */
bool hotspot_match(const struct spec *spec, struct mem *mem, const struct layout *l,
		   const struct nmethod *nm);

#endif
