/* SPDX-License-Identifier: MIT */
/*
 * launch_door.h - the socket at which the agents of a command's JVMs say who they are.
 *
 * Its name is no secret (/proc/net/unix lists it) and proves nothing: whoever connects must come of
 * the command. A stranger costs an accept() and is counted, and whoever says nothing, or something
 * else, is shown out. Nobody is waited for.
 */
#ifndef HP_LAUNCH_DOOR_H
#define HP_LAUNCH_DOOR_H

#include <poll.h>

#include "proc/family.h"

#define LAUNCH_GUESTS_MAX 64   /* at a time, that have not said anything yet */
#define LAUNCH_GUEST_MS	  5000 /* for which one may say nothing */
#define LAUNCH_FDS_MAX	  (1 + LAUNCH_GUESTS_MAX)
#define LAUNCH_WHY_MAX	  512

struct launch_guest {
	int fd;
	pid_t pid;
	uint64_t until_ns;
};

struct launch_door {
	int fd;
	char name[64];
	struct launch_guest guests[LAUNCH_GUESTS_MAX];
	size_t n;
	uint64_t strangers;
	pid_t stranger; /* the first; 0: none, or one that we cannot see */
	uid_t stranger_uid;
};

/* A JVM that has said hello. */
struct launch_arrival {
	pid_t pid;
	int fd;			  /* the caller's; while it is open, and @why "", the JVM waits */
	char why[LAUNCH_WHY_MAX]; /* "": its agent is there; else why not, in its words: hostile */
};

/** launch_door_open() - listen, at a name that is new. Return: 0; -errno. */
int launch_door_open(struct launch_door *d);
void launch_door_close(struct launch_door *d);

/** launch_door_poll() - what to wait for. Return: how many of @fds. */
size_t launch_door_poll(const struct launch_door *d, struct pollfd fds[static LAUNCH_FDS_MAX]);

/** launch_door_timeout_ms() - until somebody is to be shown out; -1: nobody. */
int launch_door_timeout_ms(const struct launch_door *d);

/**
 * launch_door_next() - the next JVM of @f that has said hello; never waits.
 * Return: false when there is none.
 */
bool launch_door_next(struct launch_door *d, const struct family *f, struct launch_arrival *ret);

/** launch_door_let_go() - the JVM that waits at @fd goes on. */
void launch_door_let_go(int fd);

#endif
