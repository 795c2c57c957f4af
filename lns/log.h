/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log: one line per event, for people. Foreground: stderr; otherwise syslog(3), which journald reads.
 *
 * The one who handles an error logs it, once; library code returns. A line names the culprit (peer,
 * session, user), the reason and the value, never a secret. Text that came from outside goes through
 * log_printable first.
 */
#ifndef LNS_LOG_H
#define LNS_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Chooses the destination and the name of this process ("monitor", "engine"). Borrows name. */
void log_open(const char *name, int to_stderr);
void log_set_level(enum log_level level);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * A limit of one line a second for a source of mistakes. Zero-initialised by its owner.
 * log_limit_pass says whether a line may be written now (microseconds, env_now) and hands out how many
 * were left out since the last one.
 */
struct log_limit {
	uint64_t next;
	unsigned int left_out;
};
int log_limit_pass(struct log_limit *limit, uint64_t now, unsigned int *ret_left_out);

/*
 * Copies len octets of text to out (size octets, always terminated), with everything but printable
 * ASCII as \xNN, and "\" doubled. Cuts what does not fit. Returns out.
 */
const char *log_printable(char *out, size_t size, const void *text, size_t len);

#endif
