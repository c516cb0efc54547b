/* SPDX-License-Identifier: MIT */
/*
 * sockets.h - our descriptors: names in the abstract namespace, who may connect, and what a forked
 * child does with them.
 */
#ifndef HP_AGENT_SOCKETS_H
#define HP_AGENT_SOCKETS_H

#include <stdbool.h>

/**
 * fd_own() / fd_close() - a descriptor that a forked child closes at once: it must neither answer
 * nor write as if it were its parent. Return: @fd; -EMFILE (and closed) when there are too many.
 */
int fd_own(int fd);
void fd_close(int fd);

/** fds_prepare() - install what a forked child does. 0; -errno. */
int fds_prepare(void);

/** fds_forked() - is this such a child? */
bool fds_forked(void);

/**
 * socket_listen() - at "@hotprobe.PID" and @suffix, and a number if that is taken (wire.h).
 * @type: SOCK_STREAM or SOCK_SEQPACKET.
 * Return: an owned, non-blocking descriptor; -EALREADY if the name's owner is this process; -errno.
 */
int socket_listen(int type, const char *suffix);

/** socket_connect() - to "@NAME"; never waits. Return: an owned, non-blocking descriptor; -errno.
 */
int socket_connect(int type, const char *name);

/**
 * socket_accept() - the next connection, if the peer is root or this process's own user.
 * Return: an owned, non-blocking descriptor; -EPERM for others, who are hung up on; -errno.
 */
int socket_accept(int listener);

/**
 * socket_accept_again() - may the next connection be accepted at once, after error @err? If not,
 * the process is out of descriptors, and asking on and on would only burn its time.
 */
bool socket_accept_again(int err);

#define ACCEPT_PAUSE_MS 1000

/** socket_peer_allowed() - is it root, or our own user? */
bool socket_peer_allowed(int fd);

#endif
