// SPDX-License-Identifier: BSD-2-Clause
/*
 * log_socket: datagrams to journald and syslog. See log_socket.h.
 *
 * The address goes with each datagram: a journal that starts again is found again.
 */
#include "lns/log_socket.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define IDENTIFIER "lnsd"

struct buffer {
	char *data;
	size_t size, len;
};

/* Appends all of it or nothing. */
static void append(struct buffer *buffer, const char *name, const char *value)
{
	size_t name_len = strlen(name), len = strlen(value);
	size_t needed = name_len + 1 + sizeof(uint64_t) + len + 1;
	uint64_t le = htole64(len);
	char *at = buffer->data + buffer->len;

	if (len == 0 || needed > buffer->size - buffer->len)
		return;
	memcpy(at, name, name_len);
	at += name_len;
	if (strchr(value, '\n')) {
		*at++ = '\n';
		memcpy(at, &le, sizeof(le));
		at += sizeof(le);
	} else {
		*at++ = '=';
	}
	memcpy(at, value, len);
	at += len;
	*at++ = '\n';
	buffer->len = (size_t)(at - buffer->data);
}

size_t log_encode_journal(const struct log_text *line, char *out, size_t size)
{
	struct buffer buffer = { .data = out, .size = size };
	char text[1200], number[12];

	snprintf(text, sizeof(text), "%s: %s", line->process, line->text);
	append(&buffer, "MESSAGE", text);
	snprintf(number, sizeof(number), "%d", line->priority);
	append(&buffer, "PRIORITY", number);
	snprintf(number, sizeof(number), "%d", LOG_FAC(LOG_DAEMON));
	append(&buffer, "SYSLOG_FACILITY", number);
	append(&buffer, "SYSLOG_IDENTIFIER", IDENTIFIER);
	append(&buffer, "LNS_PROCESS", line->process);
	for (const struct log_field *field = line->fields; field && field->name; field++)
		if (field->value)
			append(&buffer, field->name, field->value);
	return buffer.len;
}

size_t log_encode_syslog(const struct log_text *line, long when, char *out, size_t size)
{
	time_t seconds = when;
	struct tm tm = { 0 };
	char stamp[32];
	int len;

	localtime_r(&seconds, &tm);
	strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &tm);
	len = snprintf(out, size, "<%d>%s " IDENTIFIER "[%d]: %s: %s", LOG_DAEMON | line->priority,
		stamp, (int)getpid(), line->process, line->text);
	return (size_t)len < size ? (size_t)len : size - 1;
}

int log_socket_send(const char *path, const char *data, size_t len)
{
	static int fd = -1;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));
	if (fd < 0)
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&addr,
		    sizeof(addr)) >= 0)
		return 0;
	return errno == EAGAIN || errno == ENOBUFS ? -EAGAIN : -errno;
}
