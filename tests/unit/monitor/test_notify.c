// SPDX-License-Identifier: BSD-2-Clause
/* notify: what arrives at the socket of a service manager, and when it wants to hear that we live. */
#include "lns/monitor/notify.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager = -1;

/* An abstract socket of the kernel's choice: nothing is left behind. */
static void setup(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(addr);
	char name[sizeof(addr.sun_path) + 1];

	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(manager, (struct sockaddr *)&addr, sizeof(sa_family_t)), 0);
	cr_assert_eq(getsockname(manager, (struct sockaddr *)&addr, &len), 0);
	snprintf(name, sizeof(name), "@%.*s",
		(int)(len - offsetof(struct sockaddr_un, sun_path) - 1), addr.sun_path + 1);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void teardown(void)
{
	close(manager);
}

/* The next message begins with this. */
static void expect(const char *begin)
{
	char text[256];
	ssize_t n = recv(manager, text, sizeof(text) - 1, MSG_DONTWAIT);

	cr_assert_geq(n, 0, "%s did not come", begin);
	text[n] = '\0';
	cr_assert_eq(strncmp(text, begin, strlen(begin)), 0, "%s", text);
}

TestSuite(notify, .init = setup, .fini = teardown);

Test(notify, messages)
{
	monitor_notify_ready();
	expect("READY=1");
	monitor_notify_reloading();
	expect("RELOADING=1\nMONOTONIC_USEC=");
	monitor_notify_stopping(28000000);
	expect("STOPPING=1\nEXTEND_TIMEOUT_USEC=28000000");
	monitor_notify_alive();
	expect("WATCHDOG=1");
	monitor_notify_status("All is well.");
	expect("STATUS=All is well.");
}

Test(notify, nobody_listens)
{
	char text[16];

	unsetenv("NOTIFY_SOCKET");
	monitor_notify_ready();
	setenv("NOTIFY_SOCKET", "not a path", 1);
	monitor_notify_ready();
	setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
	monitor_notify_ready();
	cr_assert_lt(recv(manager, text, sizeof(text), MSG_DONTWAIT), 0);
}

Test(notify, watchdog)
{
	char pid[32];

	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	cr_assert_eq(monitor_notify_interval(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	cr_assert_eq(monitor_notify_interval(), 10000000);
	setenv("WATCHDOG_PID", "1", 1);
	cr_assert_eq(monitor_notify_interval(), 0, "it is for another process");
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	cr_assert_eq(monitor_notify_interval(), 10000000);
	setenv("WATCHDOG_USEC", "3x", 1);
	cr_assert_eq(monitor_notify_interval(), 0);
	setenv("WATCHDOG_USEC", "-3", 1);
	cr_assert_eq(monitor_notify_interval(), 0);
}
