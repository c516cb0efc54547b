/* SPDX-License-Identifier: MIT */
/*
 * log.h - messages for a person. Data never goes through here.
 *
 * An error is one line: what, on what, why, what to do. It travels in a struct fail and is printed
 * once, at the top. By default messages go to stderr; the engine sends them to its client instead,
 * whose terminal may be elsewhere.
 */
#ifndef HP_LOG_H
#define HP_LOG_H

#include <sys/types.h>

#include "base/util.h"

enum log_level { LOG_LVL_ERR, LOG_LVL_WARN, LOG_LVL_INFO, LOG_LVL_DEBUG };

#define LOG_TEXT_MAX 2048

/**
 * log_set_level() - drop messages less urgent than @level. The default is LOG_LVL_WARN.
 */
void log_set_level(enum log_level level);

typedef void log_sink_fn(enum log_level level, const char *text, void *arg);

/** log_set_sink() - hand messages to @fn instead of stderr; NULL for stderr again. */
void log_set_sink(log_sink_fn *fn, void *arg);

void log_msg(enum log_level level, const char *fmt, ...) _printf_(2, 3);

/** log_pid() - the same about process @pid: the line begins with "PID N: ". */
void log_pid(enum log_level level, pid_t pid, const char *fmt, ...) _printf_(3, 4);

#define log_err(...)   log_msg(LOG_LVL_ERR, __VA_ARGS__)
#define log_warn(...)  log_msg(LOG_LVL_WARN, __VA_ARGS__)
#define log_info(...)  log_msg(LOG_LVL_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_LVL_DEBUG, __VA_ARGS__)

#endif
