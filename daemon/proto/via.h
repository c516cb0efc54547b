/* SPDX-License-Identifier: MIT */
/* via.h - the ways into a target that may be asked for. */
#ifndef HP_VIA_H
#define HP_VIA_H

/* VIA_DEFAULT: the agent if it is there and answers, else ptrace. VIA_AUTO: the same, but where
 * ptrace is not permitted the agent is loaded. */
enum via { VIA_DEFAULT, VIA_PTRACE, VIA_AGENT, VIA_AUTO };

/** via_name() - "ptrace", "agent", "auto"; NULL for VIA_DEFAULT. */
const char *via_name(enum via via);

/** via_parse() - Return: 0; -EINVAL @text is no such name. */
int via_parse(const char *text, enum via *ret);

#endif
