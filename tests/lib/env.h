/* SPDX-License-Identifier: MIT */
/*
 * env.h - what there is to test with: the program, the compiled Java classes, the JDKs.
 *
 *   HP_BIN      the program            (default: ../../hotprobe beside this test)
 *   HP_AGENT    the agent              (default: ../../libhotprobe.so beside this test)
 *   HP_CLASSES  compiled tests/data/java  (default: ../../classes)
 *   HP_JDKS     folder of JDKs         (default: ../../jdks): jdk21 jdk25 jdk17-stripped ...
 *   HP_APPS     folder of programs     (default: ../../apps): see tests/tools/fetch-apps
 *   HP_IMAGES   folder of native images (default: ../../images): see tests/tools/fetch-images
 *   HP_VIA      agent: every JVM is started with the agent and every command goes by it;
 *               bare: the same, and hotprobe runs without CAP_SYS_PTRACE
 *   CI=true     a test that should run but cannot fails instead of being skipped
 *   HP_KEEP=1   keep the temporary folders
 */
#ifndef HP_TEST_ENV_H
#define HP_TEST_ENV_H

#include <limits.h>

#include "base/util.h"

const char *env_bin(void);
const char *env_agent(void);

/** env_via() - "agent" if HP_VIA asks for it, else NULL. @bare: also without CAP_SYS_PTRACE? */
const char *env_via(bool *bare);
const char *env_classes(void);
const char *env_jdks(void);
const char *env_apps(void);
const char *env_images(void);

struct jdk {
	char name[32]; /* "jdk17", "jdk21", "jdk17-stripped", "temurin25" */
	int version;
	char java[PATH_MAX];
	bool altered; /* a copy of another one without its symbols: for the tests of fallbacks */
};

/** jdks_get() - all JDKs found, the system's 17 first. */
size_t jdks_get(const struct jdk **ret);

/** jdk_find() - by name; NULL when it is not there. */
const struct jdk *jdk_find(const char *name);

/** jdk_or_skip() - by name; skips the calling test when it is not there. */
const struct jdk *jdk_or_skip(const char *name);

/** test_skip() - leave this test undone, loudly; under CI=true that is a failure. Never returns. */
void test_skip(const char *fmt, ...) _printf_(1, 2);

/** test_pass_over() - say that something optional is not there; the caller goes on or returns. */
void test_pass_over(const char *fmt, ...) _printf_(1, 2);

/** test_needs_root() - test_skip() unless we are root. */
void test_needs_root(void);

/** test_needs_user_namespace() - test_skip() unless one can be made. */
void test_needs_user_namespace(void);

/** test_dir() - a new folder under /tmp, removed by test_cleanup(). The caller frees the name. */
char *test_dir(void);

/** test_setup() / test_cleanup() - for every test: children_reap() and no folder left. */
int test_setup(void **state);
int test_cleanup(void **state);

#define jvm_test(f) cmocka_unit_test_setup_teardown(f, test_setup, test_cleanup)

#endif
