// SPDX-License-Identifier: BSD-2-Clause
/* monitor/notify: see monitor/notify.h. */
#include "lns/monitor/notify.h"

#include "lns/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (len < 2 || len >= sizeof(addr.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(addr.sun_path, path, len);
	if (path[0] == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&addr,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		log_warning("cannot notify the service manager: %s", strerror(errno));
	close(fd);
}

void monitor_notify_ready(void)
{
	notify("READY=1");
}

void monitor_notify_stopping(uint64_t longest)
{
	char text[80];

	snprintf(text, sizeof(text), "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64, longest);
	notify(text);
}

void monitor_notify_reloading(void)
{
	struct timespec now = { 0 };
	char text[80];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		(uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	notify(text);
}

void monitor_notify_status(const char *text)
{
	char line[160];

	snprintf(line, sizeof(line), "STATUS=%s", text);
	notify(line);
}

/* An environment variable as a number, 0 when it is none. */
static uint64_t number_of(const char *name)
{
	const char *text = getenv(name);
	char *end;
	unsigned long long number;

	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	number = strtoull(text, &end, 10);
	return *end || errno ? 0 : number;
}

uint64_t monitor_notify_interval(void)
{
	if (getenv("WATCHDOG_PID") && number_of("WATCHDOG_PID") != (uint64_t)getpid())
		return 0;
	return number_of("WATCHDOG_USEC") / 3;
}

void monitor_notify_alive(void)
{
	notify("WATCHDOG=1");
}
