/* SPDX-License-Identifier: MIT */
/*
 * runtime.h - what runs the Java code of a target: a HotSpot JVM, a GraalVM native image. All that
 * differs between them is behind struct runtime_ops; whoever uses it does not ask which it is.
 *
 * To add one: a folder beside hotspot/ and image/, and a line in the table of runtime.c.
 */
#ifndef HP_RUNTIME_H
#define HP_RUNTIME_H

#include "base/fail.h"
#include "base/loop.h"
#include "output/event.h"
#include "probe/probes.h"
#include "probe/refusals.h"
#include "probe/spec.h"
#include "proc/jvm.h"
#include "proto/request.h"

struct runtime;

/* What a runtime tells while it has probes in a target. */
struct runtime_events {
	void (*probed)(void *arg, struct probe *p, const char *why); /* after the attach */
	void (*unprobed)(void *arg, struct probe *p, const char *why);
	void (*coverage)(void *arg, const struct coverage_event *ev); /* asked for, or a change */
	record_fn *record;
};

/* What runtime_coverage() is to tell of. */
enum runtime_coverage {
	RUNTIME_COVERAGE_ALL,
	RUNTIME_COVERAGE_CHANGES, /* since it was asked last */
	RUNTIME_COVERAGE_AGAIN,	  /* all, at the end; old news of what was called is marked so */
};

/* Where the answers of a short request go. */
struct runtime_out {
	void (*event)(void *arg, const struct event *ev);
	/* Much may come: wait until some of it has been read. Return: false when nobody reads. */
	bool (*room)(void *arg);
	void *arg;
};

/** runtime_check_event() - say one thing that was checked; @fmt is for a person. */
void runtime_check_event(const struct runtime_out *out, enum check_result result, const char *what,
			 const char *fmt, ...) _printf_(4, 5);

/* Where ops->look() tells what is seen. @pid: 0 for all processes of an image. */
struct runtime_look {
	const struct runtime_out *out;
	pid_t pid;
};

/** runtime_covered() - give out @ev as one that was asked for. @arg: struct runtime_look. */
void runtime_covered(void *arg, const struct coverage_event *ev);

/* What `list` says of a process; "" is not known. */
struct runtime_about {
	char version[128]; /* of Java */
	char vm[128];
	const char *gc; /* NULL: not known */
	char program[4096];
	char reason[FAIL_TEXT_MAX]; /* why it cannot be probed */
};

/* A map of methods that is being followed: the beginning of what the kind knows of it. */
struct runtime_watch {
	const struct proc_id *id;
	void (*close)(struct runtime_watch *w);
};

/* A kind of runtime, as functions in the order they are called. Every kind has all of them. */
struct runtime_ops {
	const char *kind; /* as in `list` */

	/* Is what the request is about one of these? The last runtime of the table takes all. */
	bool (*recognise)(const struct target_request *t);

	/* Short requests. Return: 0; -errno with @f. */
	void (*describe)(const struct jvm_info *info, struct runtime_about *ret);
	int (*check)(const struct target_request *t, const struct runtime_out *out, struct fail *f);
	int (*methods)(const struct target_request *t, const struct spec *spec,
		       const struct runtime_out *out, struct fail *f);
	/* What is seen of the methods that @n SPECs mean, without a probe: EVENT_COVERED. */
	int (*look)(const struct target_request *t, struct spec *const *specs, size_t n,
		    const struct runtime_out *out, struct fail *f);
	/* The methods, and then each change until @ret is closed. @spec, @out: outlive it. */
	int (*watch)(const struct target_request *t, const struct spec *spec, struct loop *loop,
		     const struct runtime_out *out, struct runtime_watch **ret, struct fail *f);
	/* Remove what a killed instance left. Return: 1 something was; 0 nothing; -errno. */
	int (*clean)(const struct target_request *t, size_t *sites, struct fail *f);

	/*
	 * Bring probes into place: fills @rt->id, remote, probes and own. What it had filled when
	 * it fails is for close(). Return: 0; -errno.
	 */
	int (*attach)(struct runtime *rt, const struct trace_request *req, struct fail *f);
	/* Its part of the "attached" event (@ev->waiting has room for every SPEC); and what else
	 * there is to say, once that is written. */
	void (*attached)(struct runtime *rt, struct attached_event *ev);
	void (*notes)(struct runtime *rt);
	/*
	 * What is seen of the methods that are meant, by events->coverage. It only looks, and may
	 * take some hundred milliseconds. Also between detach_end() and close(), then by what was
	 * known last if the target has ended.
	 */
	void (*coverage)(struct runtime *rt, enum runtime_coverage what);
	/*
	 * The class that the class word of an object stands for, which a hit of @p saw: its name
	 * in source form, good until the next call; NULL: not known, and @why.
	 */
	const char *(*klass)(struct runtime *rt, const struct probe *p, uint64_t word,
			     const char **why);
	/* Before and after the probes are removed. */
	void (*detach_begin)(struct runtime *rt);
	void (*detach_end)(struct runtime *rt);
	void (*close)(struct runtime *rt);
};

/* One target with probes in it. Zero-initialised but for @loop, @events and @arg. */
struct runtime {
	struct loop *loop;
	const struct runtime_events *events;
	void *arg; /* theirs */

	const struct runtime_ops *ops;
	void *own;		  /* the kind's */
	const struct proc_id *id; /* the one process; NULL: any that runs an image */
	struct remote *remote;	  /* NULL: nothing is done inside it */
	struct probes *probes;
	uint64_t begun_ns; /* of the attach */
	bool live;	   /* the attach is over: changes are told */
	bool replaced;	   /* the process has executed another program meanwhile */
};

/** runtime_find() - the runtime of what a request is about. */
const struct runtime_ops *runtime_find(const struct target_request *t);

/**
 * runtime_attach() - find out what the target is, and bring probes into place.
 * Return: 0; -errno with @f. In both cases runtime_close() is due.
 */
int runtime_attach(struct runtime *rt, const struct trace_request *req, struct fail *f);

/**
 * runtime_remove() - take all probes out again, and what was put into the target for them. What
 * they have recorded can still be fetched, until runtime_close(). Return: 0 nothing is left; as
 * probes_remove_all() and probes_detach().
 */
int runtime_remove(struct runtime *rt);

/** runtime_close() - give up what attach() filled; the probes have been removed. */
void runtime_close(struct runtime *rt);

/**
 * runtime_unprobed_methods() - for ops->attached(), which has filled in methods and sites: what has
 * become of the others. @r must stay until the event is written.
 * @rest: what has become of those that @r does not know.
 */
void runtime_unprobed_methods(const struct refusals *r, struct attached_event *ev,
			      const char *rest);

/** runtime_klass() - as ops->klass(); @rt is a struct runtime. */
const char *runtime_klass(void *rt, const struct probe *p, uint64_t word, const char **why);

/* For the kinds: the probe_ops that all of them share; @arg is the runtime. */
int runtime_record(void *rt, const struct hp_record *rec, size_t size);
void runtime_unprobed(void *rt, struct probe *p, const char *why);

extern const struct runtime_ops hotspot_runtime, image_runtime;

#endif
