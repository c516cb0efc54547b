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

#endif
