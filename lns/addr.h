/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addr: an IPv4 or IPv6 socket address by value, and prefixes and ranges of addresses.
 * IPv4-mapped IPv6 addresses are turned into IPv4 where they enter (addr_from_sockaddr, addr_parse).
 */
#ifndef LNS_ADDR_H
#define LNS_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

union addr {
	struct sockaddr sa; /* sa_family AF_UNSPEC: no address */
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

struct addr_prefix {
	union addr addr; /* port 0 */
	unsigned int len;
};

#define ADDR_TEXT 64 /* enough for every text made here */

socklen_t addr_len(const union addr *addr);
uint16_t addr_port(const union addr *addr);
void addr_set_port(union addr *addr, uint16_t port);

/* Same family, address and port (and scope). addr_equal_host leaves the port out. */
bool addr_equal(const union addr *a, const union addr *b);
bool addr_equal_host(const union addr *a, const union addr *b);

/* The IPv4 address in host byte order; 0 when it is none. */
uint32_t addr_in4(const union addr *addr);

/* A hash of address and port, for tables; seed it per process. */
uint32_t addr_hash(const union addr *addr, uint32_t seed);

/* 0, or -EINVAL when sa is neither AF_INET nor AF_INET6 or len is too short. */
int addr_from_sockaddr(const struct sockaddr *sa, socklen_t len, union addr *ret);

/* Parse "192.0.2.1" or "2001:db8::1", no port: ret gets the given one. 0 or -EINVAL. */
int addr_parse(const char *text, uint16_t port, union addr *ret);

/* Parse "192.0.2.0/24" or a single address. 0, or -EINVAL (also for host bits that are set). */
int addr_prefix_parse(const char *text, struct addr_prefix *ret);
bool addr_prefix_contains(const struct addr_prefix *prefix, const union addr *addr);

/* "192.0.2.1:1701" or "[2001:db8::1]:1701"; addr_text_host without the port. Return text. */
const char *addr_text(const union addr *addr, char text[ADDR_TEXT]);
const char *addr_text_host(const union addr *addr, char text[ADDR_TEXT]);

#endif
