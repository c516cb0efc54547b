/* SPDX-License-Identifier: MIT */
/*
 * agent_load_reply.h - what a JVM answers to the attach command "load". Pure: bytes in, facts out.
 */
#ifndef HP_AGENT_LOAD_REPLY_H
#define HP_AGENT_LOAD_REPLY_H

#include "base/util.h"

/* A status, a line of our agent's result or the dynamic linker's complaint: some hundred bytes. */
#define AGENT_LOAD_REPLY_MAX 4096
#define AGENT_LOAD_TEXT_MAX  512

struct agent_load_reply {
	int status;    /* of the command itself; 0 also when the library could not be loaded */
	bool returned; /* Agent_OnAttach ran, and returned ... */
	int code;      /* ... this */
	char text[AGENT_LOAD_TEXT_MAX]; /* what else it says, as one printable line, perhaps cut */
};

/**
 * agent_load_reply_parse() - understand the reply to a "load" command of protocol version 1.
 * @text: @len bytes, hostile, not terminated.
 *
 * Form: a decimal status and a newline; then text, which for an agent that was loaded is
 * "return code: N".
 * Return: 0; -EPROTO when it does not begin with a number that fits an int, and a newline.
 * Source: OpenJDK 17 os/linux/attachListener_linux.cpp, 25 share/services/attachListener.cpp;
 * share/prims/jvmtiExport.cpp (17) and jvmtiAgent.cpp (21+) for the text.
 */
int agent_load_reply_parse(const char *text, size_t len, struct agent_load_reply *ret);

#endif
