/* SPDX-License-Identifier: MIT */
/*
 * agent_library.h - where the agent is that a JVM has to load.
 */
#ifndef HP_AGENT_LIBRARY_H
#define HP_AGENT_LIBRARY_H

#include "base/util.h"

/**
 * agent_library() - path of libhotprobe.so: beside the running program, as it is built, or in
 * ../lib/hotprobe, as it is installed.
 * @ret: the path; without success the one that was looked at last.
 * Return: 0; -errno of the look.
 */
int agent_library(char *ret, size_t size);

#endif
