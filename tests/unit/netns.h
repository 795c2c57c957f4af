/* SPDX-License-Identifier: BSD-2-Clause */
/* netns: a network namespace of its own for a test, with loopback up. */
#ifndef TESTS_UNIT_NETNS_H
#define TESTS_UNIT_NETNS_H

/* Moves this process there. Skips the test (which ends it) where that is not permitted. */
void netns_enter(void);

/* Adds an IPv6 address with prefix length 128 to lo. The test fails when it cannot be added. */
void netns_add_ipv6(const char *text);

#endif
