/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netns: a network namespace of its own for a test, which ends with the test's process. Root makes it
 * directly, anybody else in a user namespace where the system allows that.
 */
#include "netns.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void netns_enter(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		cr_skip_test("no permission to make a network namespace");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert(fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &lo), "loopback up");
	close(fd);
}

/* A new address cannot be used until the kernel's work queue has got to it, even on loopback. */
static bool usable(const struct in6_addr *addr)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6, .sin6_addr = *addr };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool bound = !bind(fd, (struct sockaddr *)&sa, sizeof(sa));

	close(fd);
	return bound;
}

void netns_add_ipv6(const char *text)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	int i;
	struct in6_ifreq request = { .ifr6_prefixlen = 128,
		.ifr6_ifindex = (int)if_nametoindex("lo") };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(inet_pton(AF_INET6, text, &request.ifr6_addr), 1);
	cr_assert(fd >= 0 && !ioctl(fd, SIOCSIFADDR, &request), "address %s", text);
	close(fd);
	for (i = 0; i < 5000 && !usable(&request.ifr6_addr); i++)
		nanosleep(&pause, NULL);
	cr_assert(usable(&request.ifr6_addr), "%s stays tentative", text);
}
