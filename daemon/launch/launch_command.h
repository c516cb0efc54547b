/* SPDX-License-Identifier: MIT */
/*
 * launch_command.h - start a command whose JVMs load the agent.
 */
#ifndef HP_LAUNCH_COMMAND_H
#define HP_LAUNCH_COMMAND_H

#include <pwd.h>

#include "launch/launch_library.h"

/* As a shell has them: https://pubs.opengroup.org/onlinepubs/9699919799/, 2.8.2 */
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND	    127

struct launch_command {
	char **argv;
	const struct passwd *user; /* whom it runs as; NULL: as we are */
	const char *door;	   /* the socket at which the agents say hello (launch_door.h) */
	struct launch_library library; /* filled by launch_command_start() */
};

/**
 * launch_command_start() - fork, and execute it. It takes no signals mask of ours with it.
 *
 * Changes our own JAVA_TOOL_OPTIONS. The child says what goes wrong in it and exits as a shell
 * would, with 126 or 127.
 * Return: its PID; -EINVAL as launch_options_make(); -ENOENT no agent is installed; -errno.
 */
pid_t launch_command_start(struct launch_command *c, struct fail *f);

/** launch_command_end() - it has ended; @f: who may be left of it. */
void launch_command_end(struct launch_command *c, const struct family *f);

#endif
