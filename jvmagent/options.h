/* SPDX-License-Identifier: MIT */
/* options.h - the agent's options: what follows the "=" of -agentpath. */
#ifndef HP_AGENT_OPTIONS_H
#define HP_AGENT_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define QUEUE_BYTES_DEFAULT (512u << 10)
#define QUEUE_BYTES_MIN	    (128u << 10)
#define QUEUE_BYTES_MAX	    (64u << 20)
#define WAIT_NAME_MAX	    100 /* bytes; fits into sun_path behind its leading NUL */

struct options {
	char events[PATH_MAX];	      /* "": none */
	char wait[WAIT_NAME_MAX + 1]; /* "": do not wait */
	size_t queue_bytes;
	bool quiet;
};

/**
 * options_parse() - parse the whole of @text, which may be NULL; go on after a mistake.
 * @pid: what %p in events=FILE becomes; %% is a %.
 * @why: one sentence about the first mistake.
 * Return: 0; -EINVAL.
 */
int options_parse(struct options *ret, const char *text, pid_t pid, char *why, size_t why_len);

#endif
