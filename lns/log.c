// SPDX-License-Identifier: BSD-2-Clause
/*
 * log: writes lines to stderr (foreground) or syslog. See log.h.
 */
#include "lns/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
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

static const char *process_name = "lnsd";
static int to_stderr = 1;
static enum log_level max_level = LOG_LEVEL_INFO;

void log_open(const char *name, int use_stderr)
{
	process_name = name;
	to_stderr = use_stderr;
	if (!use_stderr)
		openlog("lnsd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void log_set_level(enum log_level level)
{
	max_level = level;
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[1024];
	va_list args;
	int head, len;

	if (level > max_level)
		return;
	head = snprintf(line, sizeof(line), "lnsd %s: %s", process_name, levels[level].word);
	va_start(args, format);
	len = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, args);
	va_end(args);
	if (len < 0)
		return;
	if (!to_stderr) {
		syslog(levels[level].priority, "%s: %s", process_name, line + head);
		return;
	}
	/* One write a line, so that the lines of several processes never mix. */
	len = (int)strlen(line);
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return; /* nobody is there to read it */
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
