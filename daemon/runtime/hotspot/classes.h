/* SPDX-License-Identifier: MIT */
/*
 * classes.h - every class that a JVM has loaded, and the methods of one.
 *
 * The JVM goes on meanwhile: a class that is loaded or unloaded under the walk may be missed, and
 * what does not read as a class is passed over.
 */
#ifndef HP_CLASSES_H
#define HP_CLASSES_H

#include "runtime/hotspot/layout.h"

/* A JVM with more makes them up; the largest seen had 60 000. */
#define CLASSES_MAX (1u << 20)
/* JVMS 4.1: methods_count is a u2. */
#define CLASS_METHODS_MAX 65535

/* A class as it stands in the list of its loader. Texts are valid during the call only. */
struct class_entry {
	uint64_t klass;
	uint64_t super;	  /* 0: none */
	uint64_t methods; /* Array<Method*>* */
	uint8_t state;	  /* enum class_state */
	const char *name; /* as Java writes it; never an array */
	size_t len;
};

/* InstanceKlass::ClassState, the same in 17 to 25: share/oops/instanceKlass.hpp */
enum class_state {
	CLASS_ALLOCATED,
	CLASS_LOADED,
	CLASS_LINKED,
	CLASS_BEING_INITIALIZED,
	CLASS_INITIALIZED,
	CLASS_FAILED, /* its initializer threw */
};

/**
 * classes_walk() - call @fn for every class that is loaded.
 * @paged: reads the same as @m, but by pages: mem_open_paged(). @deadline_ns: CLOCK_MONOTONIC.
 * @fn: returns 0 to go on.
 * Return: 0; -ETIMEDOUT, when not all were seen in time; -ECANCELED; -EPROTO; -EFAULT; -ESRCH;
 * -ENOMEM; or what
 * @fn returned.
 * Source: share/classfile/classLoaderData{,Graph}.hpp, share/oops/klass.hpp.
 */
int classes_walk(struct mem *m, struct mem *paged, const struct layout *l, uint64_t deadline_ns,
		 int (*fn)(void *arg, const struct class_entry *c), void *arg);

/**
 * class_read() - one class. @name: room for KLASS_NAME_MAX + 1 bytes.
 * Return: 0; -ENOENT an array, or one that is not loaded yet; -EPROTO; -EFAULT; -ESRCH.
 */
int class_read(struct mem *m, const struct layout *l, uint64_t klass, char *name,
	       struct class_entry *ret);

/**
 * class_methods() - the Method*s of a class, or of any Array<Method*> or Array<Klass*>.
 * @ret: for free(). Return: how many; -EPROTO; -EFAULT; -ESRCH; -ENOMEM.
 */
int class_methods(struct mem *m, const struct layout *l, uint64_t array, uint64_t **ret);

#endif
