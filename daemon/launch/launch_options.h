/* SPDX-License-Identifier: MIT */
/*
 * launch_options.h - have each JVM that comes of a command load the agent: what its variable
 * JAVA_TOOL_OPTIONS must hold.
 *
 * A JVM that cannot load what the variable names does not start. So a path that no spelling saves
 * is refused.
 */
#ifndef HP_LAUNCH_OPTIONS_H
#define HP_LAUNCH_OPTIONS_H

#include "base/fail.h"

/* Java 8 takes no notice of a variable that is longer. Source: OpenJDK 8
 * hotspot/src/share/vm/runtime/arguments.cpp: OPTION_BUFFER_SIZE. */
#define LAUNCH_OPTIONS_JAVA8_MAX 1023

/**
 * launch_options_check() - is there a spelling of @library that survives the JVM and the dynamic
 * linker? Return: 0; -EINVAL.
 */
int launch_options_check(const char *library, struct fail *f);

/**
 * launch_options_make() - @old and the agent behind it.
 * @old: what the variable holds; NULL: nothing. It is kept as it is, also if no JVM could read it.
 * @library: absolute path of the agent; any bytes.
 * @options: of the agent; letters, digits and ".=,".
 * @ret: malloc'd.
 * Return: 0; -EINVAL as launch_options_check(); -ENOMEM.
 *
 * Sources: OpenJDK 8 to 27 share/runtime/arguments.cpp: parse_options_buffer() (blanks split, ' and
 * " protect up to the next one, nothing escapes), parse_each_vm_init_arg() (-agentpath ends at the
 * first "="); glibc elf/dl-load.c: expand_dynamic_string_token() ($ORIGIN, $LIB, $PLATFORM).
 */
int launch_options_make(const char *old, const char *library, const char *options, char **ret,
			struct fail *f);

/**
 * launch_options_readable() - may every user read @library? If not, the JVMs of those who may not
 * do not start.
 * @ret: the folder or file that is in the way; PATH_MAX bytes.
 */
bool launch_options_readable(const char *library, char *ret);

#endif
