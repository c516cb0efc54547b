/* SPDX-License-Identifier: MIT */
/* sockets.h - our sockets: names in the abstract namespace, and who may connect. */
#ifndef HP_AGENT_SOCKETS_H
#define HP_AGENT_SOCKETS_H

#include <stdbool.h>

/**
 * socket_listen() - at "@hotprobe.PID" and @suffix, and a number if that is taken (wire.h).
 * @type: SOCK_STREAM or SOCK_SEQPACKET.
 * @thread: name of the thread that will serve it, by which another copy of us is known.
 * Return: a descriptor of fd_own(), non-blocking; -EALREADY another copy has the name; -errno.
 */
int socket_listen(int type, const char *suffix, const char *thread);

/**
 * socket_connect() - to "@NAME"; never waits.
 * Return: a descriptor of fd_own(), non-blocking; -errno.
 */
int socket_connect(int type, const char *name);

/**
 * socket_accept() - take the next connection, if the peer is root or this process's own user.
 * Return: a descriptor of fd_own(), non-blocking; -EPERM for others, whose connection is closed;
 * -errno.
 */
int socket_accept(int listener);

/**
 * socket_accept_again() - may the next connection be accepted at once, after error @err? If not,
 * the process is out of descriptors, and to ask again at once would only burn its time.
 */
bool socket_accept_again(int err);

#define ACCEPT_PAUSE_MS 1000

/**
 * socket_peer_allowed() - is it root, or our own user, and certainly so? Not if it, or we, might be
 * anybody whom our user namespace does not map.
 */
bool socket_peer_allowed(int fd);

#endif
