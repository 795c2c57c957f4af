/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_socket: a line as a datagram to journald or syslog; private to log.c.
 */
#ifndef LNS_LOG_SOCKET_H
#define LNS_LOG_SOCKET_H

#include "lns/log.h"

#include <stddef.h>

#define LOG_JOURNAL_PATH "/run/systemd/journal/socket"
#define LOG_SYSLOG_PATH  "/dev/log"
#define LOG_DATAGRAM     4096 /* octets at most */

/* A line, its parts terminated texts. */
struct log_text {
	int priority;        /* of syslog.h */
	const char *process; /* "engine" */
	const char *text;
	const struct log_field *fields; /* the last one has the name NULL */
};

/*
 * journald's native protocol: fields as NAME=value, or with their length where a value has line feeds.
 * The length of what is in out; fields that do not fit are left out.
 */
size_t log_encode_journal(const struct log_text *line, char *out, size_t size);
/* As syslog(3) sends it, at the time `when` (seconds since the epoch). */
size_t log_encode_syslog(const struct log_text *line, long when, char *out, size_t size);

/* Sends to the socket at path without waiting: 0, -EAGAIN when it is full, or -errno: nobody is there. */
int log_socket_send(const char *path, const char *data, size_t len);

#endif
