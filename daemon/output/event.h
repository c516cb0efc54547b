/* SPDX-License-Identifier: MIT */
/*
 * event.h - everything that a request reports, as data: what it means, not how it is written. An
 * encoder (encoder.h) writes it. All that an event points to is the reporter's.
 */
#ifndef HP_EVENT_H
#define HP_EVENT_H

#include "probe/probe.h"

/* A text of the target's. */
struct event_text {
	const uint8_t *s;
	uint32_t len;  /* bytes */
	uint8_t coder; /* 0 Latin-1, 1 UTF-16LE, HP_CODER_NONE: UTF-8 */
	bool cut;      /* there is more of it; for one that is no String's */
};

/* A reference as it was at the hit. */
struct value_ref {
	uint64_t addr;	     /* 0: null */
	uint64_t klass_word; /* valid when known */
	bool known;	     /* klass_word was read */
	const char *klass;   /* what it stands for; NULL: not known, or not asked, as for a text */
	const char *unnamed; /* why it is not known; NULL: it is, or nothing more can be said */
	bool has_text;	     /* a String whose text was copied */
	struct event_text text;
	uint32_t array_len; /* bytes of the whole text */
};

/* A value taken at a hit. */
struct value {
	char tag;	   /* what it is, as jtype.tag */
	const char *type;  /* declared type in source form; NULL for `this` */
	const char *error; /* NULL, or why it is not known */
	union {
		bool z;
		int32_t i; /* B, S, I */
		uint16_t c;
		int64_t j;
		float f;
		double d;
		struct value_ref ref; /* L and [ */
	};
};

enum event_kind {
	/* of a trace */
	EVENT_ATTACHED, /* every matching method is probed */
	EVENT_CALL,
	EVENT_PROBED, /* changes in between */
	EVENT_UNPROBED,
	EVENT_LOST,
	EVENT_STAT,
	EVENT_COVERAGE, /* what is seen of a method, or a SPEC */
	EVENT_DETACHED, /* the last one */
	/* of a listing of methods */
	EVENT_METHOD, /* is there */
	EVENT_COMPILED,
	EVENT_RETIRED,
	EVENT_UNLOADED,
	/* answers */
	EVENT_JVM,
	EVENT_COVERED, /* the same as EVENT_COVERAGE, but asked for */
	EVENT_CHECK,
	EVENT_CLEANED,
	EVENT_KINDS
};

/* Methods that match and are not probed. */
struct unprobed_methods {
	uint64_t count;
	const char *why;
};

#define EVENT_UNPROBED_MAX 17

struct attached_event {
	const char *binary;				      /* of a native image; NULL: a JVM */
	uint64_t methods;				      /* that match */
	uint64_t sites;					      /* of these, probed */
	struct unprobed_methods unprobed[EVENT_UNPROBED_MAX]; /* the others */
	size_t nunprobed;
	const char **waiting; /* SPECs that match nothing yet; has room for all of them */
	size_t nwaiting;
	const char *via;
	const char *source;		      /* JVM: how new code is noticed */
	uint32_t diverted, emulated, stepped; /* native image: sites of each kind */
};

struct call_event {
	struct probe *probe;
	uint32_t tid;
	uint64_t jthread;
	uint64_t java_tid;	    /* 0: not known */
	const char *thread;	    /* its name, as encoder_thread() wrote it; NULL: not known */
	const struct value *values; /* of the probe's captures; NULL: types are not known */
	uint64_t raw[HP_GPR_ARGS];  /* then the argument registers, in the convention's order */
};

/* probed, unprobed */
struct change_event {
	struct probe *probe;
	const char *why;
};

/* How often a method was called. They come in groups, one for each method: see @index. */
struct stat_event {
	const struct method *method;
	const char *kind;     /* of the runtime, where events say so; NULL: HotSpot */
	uint64_t interval_ns; /* since the group before; final: since the attach */
	uint64_t count;	      /* calls in that time */
	uint64_t total;	      /* since the attach */
	bool final;
	/* The @index-th of @n of the group, most calls first; the last @idle have none. */
	size_t index, n, idle;
};

struct lost_event {
	uint64_t count;
	const char *where;
};

/* What one knows of the calls of a method from now on, or of all that a SPEC means. */
enum coverage_state {
	COVERAGE_SEEN,	       /* every call is seen */
	COVERAGE_PARTLY,       /* some are: compiled calls, say, but not those inlined */
	COVERAGE_NOT_THIS_WAY, /* they are made, but pass no compiled entry */
	COVERAGE_NOT_YET,      /* it is waited for */
	COVERAGE_NEVER,	       /* waiting is of no use */
	COVERAGE_STATES
};

#define COVERAGE_HOLDERS_MAX 3

struct coverage_event {
	const char *spec;
	const char *method; /* in source form; NULL: the SPEC as a whole */
	enum coverage_state state;
	const char *why;    /* for a person, with what to do */
	const char *mean;   /* "did you mean"; NULL */
	uint8_t levels;	    /* bit N: code of level N is in use */
	bool interpreted;   /* calls are interpreted now */
	bool holders_known; /* every place that it is inlined into is counted */
	size_t nholders;    /* such places; the first ones by name: */
	const char *holders[COVERAGE_HOLDERS_MAX];
	uint64_t methods;		  /* of a SPEC as a whole: that it means */
	uint64_t counts[COVERAGE_STATES]; /* and how many of these are in each state */
	bool again; /* all of this has been said before, and calls were seen since */
};

struct detached_event {
	uint64_t events, hits, lost;
	bool restored;
	const char *reason;
};

/* A native image's method, besides what all have. */
struct image_method_event {
	bool has_offset, has_code;	 /* are the following known? */
	uint64_t offset;		 /* in the file */
	const uint32_t *returns, *exits; /* from the entry; NULL: its code is not understood */
	size_t nreturns;		 /* of each */
	uint32_t overloads;		 /* methods of this class and name, itself included */
	bool c_entry;
};

struct method_event {
	const struct method *method;
	const char *kind, *state;
	int level;
	uint32_t compile_id;
	bool osr;
	const struct image_method_event *image; /* NULL: HotSpot's */
};

/* Texts may be NULL: not known. */
struct jvm_event {
	unsigned int uid;
	const char *user, *java_version, *vm, *gc, *kind, *main;
	bool main_cut;	    /* there is more of it */
	const char *reason; /* why it is not probeable; NULL: it is */
};

enum check_result { CHECK_OK, CHECK_DEGRADED, CHECK_MISSING };

struct check_event {
	const char *what;
	enum check_result result;
	const char *detail;
};

struct cleaned_event {
	bool removed;
	uint64_t sites;
};

struct event {
	enum event_kind kind;
	uint64_t ts_ns; /* wall clock */
	pid_t pid;	/* 0: of no single process */
	union {
		struct attached_event attached;
		struct call_event call;
		struct change_event change;
		struct stat_event stat;
		struct lost_event lost;
		struct coverage_event coverage;
		struct detached_event detached;
		struct method_event method; /* METHOD to UNLOADED */
		struct jvm_event jvm;
		struct check_event check;
		struct cleaned_event cleaned;
	};
};

#endif
