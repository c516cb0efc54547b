/* SPDX-License-Identifier: MIT */
/*
 * log.h - messages for a person, on stderr. Data never goes through here.
 *
 * An error is one line: what, on what, why, what to do. It is printed once, where the fact is
 * known; everything above only returns the code.
 */
#ifndef HP_LOG_H
#define HP_LOG_H

#include "util.h"

enum log_level { LOG_LVL_ERR, LOG_LVL_WARN, LOG_LVL_INFO, LOG_LVL_DEBUG };

/**
 * log_set_level() - drop messages less urgent than @level. The default is LOG_LVL_WARN.
 */
void log_set_level(enum log_level level);

/**
 * log_capture() - also keep the text of the last error, for a reply to a client.
 * @buf: where each error's text is copied (always terminated); NULL to stop.
 * @size: bytes at @buf.
 */
void log_capture(char *buf, size_t size);

void log_msg(enum log_level level, const char *fmt, ...) _printf_(2, 3);

#define log_err(...)   log_msg(LOG_LVL_ERR, __VA_ARGS__)
#define log_warn(...)  log_msg(LOG_LVL_WARN, __VA_ARGS__)
#define log_info(...)  log_msg(LOG_LVL_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_LVL_DEBUG, __VA_ARGS__)

#endif
