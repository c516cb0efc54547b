/* SPDX-License-Identifier: MIT */
/*
 * request.h - what a client asks an engine for: once as a struct, and as the JSON of
 * docs/protocol.md. The client fills and encodes it; the engine decodes it and passes it down.
 */
#ifndef HP_REQUEST_H
#define HP_REQUEST_H

#include <jansson.h>
#include <sys/types.h>

#include "base/fail.h"
#include "proto/via.h"

#define REQUEST_INTERVAL_MIN_NS 100000000 /* 0.1 s */

/* Bounds; a decoder cuts numbers to them whatever it is given. */
#define REQUEST_SPECS_MAX	   64
#define REQUEST_STRING_MAX_DEFAULT 256
#define REQUEST_STRING_MAX	   4096 /* HP_TEXT_MAX */
#define REQUEST_RING_DEFAULT	   (16u << 20)
#define REQUEST_RING_MIN	   (64u << 10)
#define REQUEST_RING_MAX	   (1u << 30)

/* All that an engine answers: request_NAME is in daemon/engine/request_NAME.c. */
#define REQUESTS(of)                                                                               \
	of(LIST, list) of(CHECK, check) of(METHODS, methods) of(COVERAGE, coverage)                \
		of(TRACE, trace) of(CLEAN, clean)

#define REQUEST_KIND(NAME, name) REQUEST_##NAME,
enum request_kind {
	REQUESTS(REQUEST_KIND) REQUEST_STOP, /* the one that runs */
	/* May come while one runs: */
	REQUEST_HOLD, /* the client's reader is slow: send no more than must be */
	REQUEST_GO,   /* it has caught up */
	REQUEST_LOST, /* the answer to "ending": what was not written */
};
#undef REQUEST_KIND

/* What a request is about. */
struct target_request {
	pid_t pid;	    /* 0: none was given */
	const char *binary; /* file of a native image; NULL: none was given */
	enum via via;
};

struct methods_request {
	struct target_request target;
	const char *pattern; /* NULL: all methods */
	bool follow;	     /* go on with what is compiled, retired, unloaded */
};

struct trace_request {
	struct target_request target;
	const char *specs[REQUEST_SPECS_MAX];
	size_t nspecs;
	uint64_t count;	      /* stop after so many events; 0 never */
	uint64_t duration_ns; /* stop after so long; 0 never */
	uint32_t string_max;  /* bytes of a string that are shown */
	size_t ring_bytes;
	bool count_only;      /* no events: calls are only counted */
	uint64_t interval_ns; /* with @count_only: tell the counts so often; 0: at the end only */
};

/* Of the lines that the client was sent. */
struct lost_request {
	uint64_t count;
};

/* How the answer is to be written. */
struct output_request {
	const char *format; /* name of an encoder: "json", "text" */
	bool color;	    /* for a terminal */
	bool header;	    /* a person looks at it: columns have names */
	bool say_pid;	    /* the lines of several targets go to one reader */
};

struct request {
	enum request_kind kind;
	bool verbose; /* notes of level debug too */
	struct output_request output;
	union {
		struct target_request target; /* check, clean; and the others begin with it */
		struct methods_request methods;
		struct trace_request trace; /* coverage: its target and SPECs */
		struct lost_request lost;
	};
};

_Static_assert(offsetof(struct methods_request, target) == 0, "request.target is theirs, too");
_Static_assert(offsetof(struct trace_request, target) == 0, "request.target is theirs, too");

/** request_init() - of this kind, with every option at its default. */
void request_init(struct request *r, enum request_kind kind);

/**
 * request_add_spec() - one SPEC more for a trace, or what is seen.
 * @spec: outlives the request. Return: 0; -EINVAL with @f: too many.
 */
int request_add_spec(struct trace_request *r, const char *spec, struct fail *f);

/**
 * request_encode() - the request as JSON.
 * @ret: an object, for json_decref(). Return: 0; -EINVAL with @f: some text is not UTF-8; -ENOMEM.
 */
int request_encode(const struct request *r, json_t **ret, struct fail *f);

/**
 * request_decode() - the same back, from a client that may be hostile. Absent keys get defaults,
 * numbers are cut to their bounds.
 * @ret: its texts belong to @json, which must outlive it; @ret->verbose is set whatever else is
 * wrong. Return: 0; -EINVAL with @f.
 */
int request_decode(const json_t *json, struct request *ret, struct fail *f);

#endif
