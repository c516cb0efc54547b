/* SPDX-License-Identifier: MIT */
/*
 * launch_library.h - the path by which the JVMs of a command find the agent.
 *
 * That of the installed file, if it can be spelt and whoever the command's JVMs run as can read it:
 * it stays, whatever becomes of us. Else a copy, in a folder of our own that everybody can read. It
 * goes when nothing of the command is left that could start a JVM with its environment; until then
 * it stays, also without us, for such a JVM would not start without it.
 */
#ifndef HP_LAUNCH_LIBRARY_H
#define HP_LAUNCH_LIBRARY_H

#include <limits.h>

#include "base/fail.h"
#include "proc/family.h"

struct launch_library {
	char path[PATH_MAX];
	char copy_dir[64]; /* of the copy; "" when it is none */
};

/**
 * launch_library_open() - choose the path.
 * @installed: as agent_library() gives it. @switches: may the command become another user?
 * Return: 0; -EINVAL it cannot be spelt, and a copy cannot be made.
 */
int launch_library_open(struct launch_library *l, const char *installed, bool switches,
			struct fail *f);

/**
 * launch_library_close() - remove the copy, if nobody of @family is left (NULL: nobody ever was);
 * else say where it is.
 */
void launch_library_close(struct launch_library *l, const struct family *family);

#endif
