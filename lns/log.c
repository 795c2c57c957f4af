// SPDX-License-Identifier: BSD-2-Clause
/*
 * log: makes lines and brings them to where they belong. See log.h.
 */
#include "lns/log.h"

#include "lns/log_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static const struct {
	int priority;
	const char *word;
} levels[] = {
	[LOG_LEVEL_ERROR] = { LOG_ERR, "error: " },
	[LOG_LEVEL_WARNING] = { LOG_WARNING, "warning: " },
	[LOG_LEVEL_INFO] = { LOG_INFO, "" },
	[LOG_LEVEL_DEBUG] = { LOG_DEBUG, "debug: " },
};

static const char *const target_words[LOG_TARGETS] = {
	[LOG_TO_AUTO] = "auto",
	[LOG_TO_STDERR] = "stderr",
	[LOG_TO_JOURNAL] = "journal",
	[LOG_TO_SYSLOG] = "syslog",
};

static const char *process_name = "lnsd";
static enum log_target to = LOG_TO_STDERR;
static const char *socket_path = "";
static enum log_level max_level = LOG_LEVEL_INFO;
static unsigned int lost; /* lines that nobody took, since the last one that somebody did */

/* Whether stderr is a stream of the journal's, as its variable says: DEVICE:INODE. */
static int stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

enum log_target log_choose(enum log_target wanted, int foreground)
{
	if (wanted != LOG_TO_AUTO)
		return wanted;
	if (foreground)
		return stderr_is_journal() ? LOG_TO_JOURNAL : LOG_TO_STDERR;
	return access(LOG_JOURNAL_PATH, F_OK) == 0 ? LOG_TO_JOURNAL : LOG_TO_SYSLOG;
}

const char *log_target_word(enum log_target target)
{
	return target_words[target];
}

int log_target_find(const char *word)
{
	for (int target = 0; target < LOG_TARGETS; target++)
		if (strcmp(target_words[target], word) == 0)
			return target;
	return -1;
}

void log_open(const char *name, enum log_target target)
{
	log_open_at(name, target, target == LOG_TO_JOURNAL ? LOG_JOURNAL_PATH : LOG_SYSLOG_PATH);
}

void log_open_at(const char *name, enum log_target target, const char *path)
{
	process_name = name;
	to = target;
	socket_path = path;
}

void log_set_level(enum log_level level)
{
	max_level = level;
}

/* One write a line, so that the lines of several processes never mix. 0, or -EAGAIN: nobody reads. */
static int write_stderr(const char *word, const char *text)
{
	struct pollfd writable = { .fd = STDERR_FILENO, .events = POLLOUT };
	char line[1200];
	int len = snprintf(line, sizeof(line), "lnsd %s: %s%s\n", process_name, word, text);

	if (poll(&writable, 1, 0) == 0)
		return -EAGAIN;
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return 0; /* nobody is there to read it */
	return 0;
}

/* The same to the socket. What nobody is there to take goes to stderr. */
static int write_socket(const struct log_text *line, const char *word)
{
	char data[LOG_DATAGRAM];
	size_t len = to == LOG_TO_JOURNAL ? log_encode_journal(line, data, sizeof(data))
					  : log_encode_syslog(line, time(NULL), data, sizeof(data));
	int err = log_socket_send(socket_path, data, len);

	return err == 0 || err == -EAGAIN ? err : write_stderr(word, line->text);
}

static int put(enum log_level level, const struct log_field *fields, const char *text)
{
	const struct log_text line = {
		.priority = levels[level].priority,
		.process = process_name,
		.text = text,
		.fields = fields,
	};

	return to == LOG_TO_STDERR ? write_stderr(levels[level].word, text)
				   : write_socket(&line, levels[level].word);
}

__attribute__((format(printf, 3, 0))) static void put_format(
	enum log_level level, const struct log_field *fields, const char *format, va_list args)
{
	char text[1024], told[80];

	if (level > max_level)
		return;
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		return;
	if (lost > 0) {
		snprintf(told, sizeof(told), "%u lines were lost, as nobody read them", lost);
		if (put(LOG_LEVEL_WARNING, NULL, told) < 0) {
			lost++;
			return;
		}
		lost = 0;
	}
	lost += put(level, fields, text) < 0;
}

void log_line(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_format(level, NULL, format, args);
	va_end(args);
}

void log_line_with(enum log_level level, const struct log_field *fields, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_format(level, fields, format, args);
	va_end(args);
}

int log_limit_pass(struct log_limit *limit, uint64_t now, unsigned int *ret_left_out)
{
	if (now < limit->next) {
		limit->left_out++;
		return 0;
	}
	limit->next = now + 1000000;
	*ret_left_out = limit->left_out;
	limit->left_out = 0;
	return 1;
}

const char *log_printable(char *out, size_t size, const void *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *in = text;
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		char piece[4];
		size_t n = 1;

		if (in[i] == '\\') {
			piece[0] = piece[1] = '\\';
			n = 2;
		} else if (in[i] >= 0x20 && in[i] < 0x7f) {
			piece[0] = (char)in[i];
		} else {
			piece[0] = '\\';
			piece[1] = 'x';
			piece[2] = hex[in[i] >> 4];
			piece[3] = hex[in[i] & 15];
			n = 4;
		}
		if (used + n >= size)
			break;
		memcpy(out + used, piece, n);
		used += n;
	}
	if (size > 0)
		out[used] = '\0';
	return out;
}
