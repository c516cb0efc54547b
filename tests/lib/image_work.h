/* SPDX-License-Identifier: MIT */
/* image_work.h - native images that wait to be given work, and traces of them. */
#ifndef HP_TEST_IMAGE_WORK_H
#define HP_TEST_IMAGE_WORK_H

#include "lib/hp.h"

/** compiler_script() - the script rxjs.js, @times times. Malloc'd. */
char *compiler_script(int times);

/**
 * compiler_start() - start the closure compiler at @path; it waits for a script on its stdin.
 * @before: words in front of the command, @opts: options behind it, NULL-terminated; NULL: none.
 */
struct child *compiler_start(const char *path, const char *const *before, const char *const *opts);

/** compiler_feed() - write @script to it, and that it is all. */
void compiler_feed(struct child *c, const char *script);

/** compiler_result() - wait until it has ended, which must be well. Return: what it wrote;
 * malloc'd. */
char *compiler_result(struct child *c);

/** compiler_expected() - what it makes of @script when nobody looks on. Malloc'd. */
char *compiler_expected(const char *path, const char *script);

/** compiler_check() - wait until it has ended; it must have written @want. @c is gone. */
void compiler_check(struct child *c, const char *want);

/** repl_start() - start the Pkl at @path, reading expressions; @before as above. */
struct child *repl_start(const char *path, const char *const *before);

/** repl_ask() - write a line; @want must be in some line of what it answers. */
void repl_ask(struct child *c, const char *line, const char *want);

/** repl_end() - it must end well. @c is gone. */
void repl_end(struct child *c);

/** trace_end() - end it with @sig, or wait, 0; all must be restored. @hits: NULL: not wanted. */
void trace_end(struct child *hp, int sig, const char *reason, json_int_t *hits);

/** trace_check_diverted() - the text must hold what @attached says was diverted, and nothing else.
 */
void trace_check_diverted(pid_t pid, const json_t *attached);

/** trace_clean() - `hotprobe clean -p @pid`, which must work. */
void trace_clean(pid_t pid);

/** member() - a number. */
json_int_t member(const json_t *o, const char *key);

#endif
