/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log: one line per event, for people. It goes to stderr, to journald with fields, or to syslog.
 *
 * The one who handles an error logs it, once; library code returns. A line names the culprit (peer,
 * session, user), the reason and the value, never a secret. Text that came from outside goes through
 * log_printable first.
 *
 * Writing a line never waits: one that nobody takes at once is lost, and the next one that is taken says
 * how many were.
 */
#ifndef LNS_LOG_H
#define LNS_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Where lines go. AUTO is for log_choose alone. */
enum log_target { LOG_TO_AUTO, LOG_TO_STDERR, LOG_TO_JOURNAL, LOG_TO_SYSLOG, LOG_TARGETS };

/*
 * What AUTO means: in the foreground stderr, unless that is the journal's ($JOURNAL_STREAM, see
 * systemd.exec(5)); otherwise the journal when there is one, or syslog. Others mean themselves.
 */
enum log_target log_choose(enum log_target wanted, int foreground);

/* "stderr", as a word on the command line of a child; log_target_find: its value, or -1. */
const char *log_target_word(enum log_target target);
int log_target_find(const char *word);

/*
 * Chooses the destination and the name of this process ("monitor", "engine"). Borrows name. What cannot
 * be sent because nobody listens there goes to stderr.
 */
void log_open(const char *name, enum log_target target);
/* The same with the path of the socket, instead of the usual one. */
void log_open_at(const char *name, enum log_target target, const char *path);
void log_set_level(enum log_level level);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a line is about, for those who filter: names as in lnsd(8), LOG. */
struct log_field {
	const char *name, *value; /* value NULL or "": left out */
};

/* As log_line, with fields for the journal; the last one has the name NULL. */
void log_line_with(enum log_level level, const struct log_field *fields, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

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
