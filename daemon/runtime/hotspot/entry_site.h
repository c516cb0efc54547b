/* SPDX-License-Identifier: MIT */
/* entry_site.h - the verified entry point of a compiled method as a site. */
#ifndef HP_ENTRY_SITE_H
#define HP_ENTRY_SITE_H

#include "probe/site.h"

extern const struct site_kind entry_site;

#endif
