/* SPDX-License-Identifier: MIT */
/*
 * proto.h - what both ends of a connection must agree on, beside the JSON of docs/protocol.md.
 */
#ifndef HP_PROTO_H
#define HP_PROTO_H

/* Exit statuses of the command line; also the "status" of a reply. */
enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_TARGET_ENDED = 3,
	STATUS_UNSUPPORTED = 4,
};

/* Bounds of a trace request; the engine cuts to them whatever it is asked. */
#define PROTO_STRING_MAX_DEFAULT 256
#define PROTO_STRING_MAX	 4096 /* HP_TEXT_MAX */
#define PROTO_RING_DEFAULT	 (16u << 20)
#define PROTO_RING_MIN		 (64u << 10)
#define PROTO_RING_MAX		 (1u << 30)

#endif
