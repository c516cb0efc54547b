/* SPDX-License-Identifier: MIT */
/*
 * engine.h - what does the work: takes requests from a client's connection, answers with lines.
 *
 * The command line starts one for itself at the other end of a socketpair, in a process of its own:
 * when the command line is killed the engine sees the end of the stream and detaches cleanly.
 */
#ifndef HP_ENGINE_H
#define HP_ENGINE_H

#include <sys/types.h>

/**
 * engine_start() - fork an engine.
 * @fd_ret: our end of the connection.
 * Return: its PID; -errno.
 */
pid_t engine_start(int *fd_ret);

#endif
