// SPDX-License-Identifier: BSD-2-Clause
/*
 * addr: socket addresses and prefixes by value. See addr.h.
 */
#include "lns/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

socklen_t addr_len(const union addr *addr)
{
	return addr->sa.sa_family == AF_INET ? sizeof(addr->in4) : sizeof(addr->in6);
}

uint16_t addr_port(const union addr *addr)
{
	return ntohs(addr->sa.sa_family == AF_INET ? addr->in4.sin_port : addr->in6.sin6_port);
}

void addr_set_port(union addr *addr, uint16_t port)
{
	if (addr->sa.sa_family == AF_INET)
		addr->in4.sin_port = htons(port);
	else
		addr->in6.sin6_port = htons(port);
}

/* The address octets alone; *ret_len 0 for AF_UNSPEC. */
static const uint8_t *addr_octets(const union addr *addr, size_t *ret_len)
{
	if (addr->sa.sa_family == AF_INET) {
		*ret_len = 4;
		return (const uint8_t *)&addr->in4.sin_addr;
	}
	*ret_len = addr->sa.sa_family == AF_INET6 ? 16 : 0;
	return (const uint8_t *)&addr->in6.sin6_addr;
}

bool addr_equal_host(const union addr *a, const union addr *b)
{
	size_t len;
	const uint8_t *octets = addr_octets(a, &len);

	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET6 && a->in6.sin6_scope_id != b->in6.sin6_scope_id)
		return false;
	return memcmp(octets, addr_octets(b, &len), len) == 0;
}

bool addr_equal(const union addr *a, const union addr *b)
{
	return addr_equal_host(a, b) && addr_port(a) == addr_port(b);
}

uint32_t addr_in4(const union addr *addr)
{
	return addr->sa.sa_family == AF_INET ? ntohl(addr->in4.sin_addr.s_addr) : 0;
}

uint32_t addr_hash(const union addr *addr, uint32_t seed)
{
	size_t len;
	const uint8_t *octets = addr_octets(addr, &len);
	uint32_t hash = seed ^ 2166136261u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ octets[i]) * 16777619u;
	hash = (hash ^ addr_port(addr)) * 16777619u;
	return hash ^ hash >> 15;
}

static void addr_unmap(union addr *addr)
{
	struct in_addr in4;
	in_port_t port = addr->in6.sin6_port;

	if (!IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr))
		return;
	memcpy(&in4, &addr->in6.sin6_addr.s6_addr[12], sizeof(in4));
	memset(addr, 0, sizeof(*addr));
	addr->in4.sin_family = AF_INET;
	addr->in4.sin_port = port;
	addr->in4.sin_addr = in4;
}

int addr_from_sockaddr(const struct sockaddr *sa, socklen_t len, union addr *ret)
{
	union addr addr = { 0 };
	socklen_t want;

	if (len < sizeof(sa->sa_family))
		return -EINVAL;
	if (sa->sa_family == AF_INET)
		want = sizeof(addr.in4);
	else if (sa->sa_family == AF_INET6)
		want = sizeof(addr.in6);
	else
		return -EINVAL;
	if (len < want)
		return -EINVAL;
	memcpy(&addr, sa, want);
	if (addr.sa.sa_family == AF_INET6)
		addr_unmap(&addr);
	*ret = addr;
	return 0;
}

int addr_parse(const char *text, uint16_t port, union addr *ret)
{
	union addr addr = { 0 };

	if (inet_pton(AF_INET, text, &addr.in4.sin_addr) == 1) {
		addr.in4.sin_family = AF_INET;
		addr.in4.sin_port = htons(port);
	} else if (inet_pton(AF_INET6, text, &addr.in6.sin6_addr) == 1) {
		addr.in6.sin6_family = AF_INET6;
		addr.in6.sin6_port = htons(port);
		addr_unmap(&addr);
	} else {
		return -EINVAL;
	}
	*ret = addr;
	return 0;
}

/* Whether the bits of octets from bit `from` to the end are all equal to those of other. */
static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

int addr_prefix_parse(const char *text, struct addr_prefix *ret)
{
	const char *slash = strchr(text, '/');
	struct addr_prefix prefix;
	char host[ADDR_TEXT];
	const uint8_t *octets;
	size_t len, host_len = slash ? (size_t)(slash - text) : strlen(text);

	if (host_len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, host_len);
	host[host_len] = '\0';
	if (addr_parse(host, 0, &prefix.addr) < 0)
		return -EINVAL;
	octets = addr_octets(&prefix.addr, &len);
	prefix.len = (unsigned int)len * 8;
	if (slash) {
		unsigned int bits = 0;
		const char *digit = slash + 1;

		if (!*digit || strlen(digit) > 3)
			return -EINVAL;
		for (; *digit; digit++) {
			if (*digit < '0' || *digit > '9')
				return -EINVAL;
			bits = bits * 10 + (unsigned int)(*digit - '0');
		}
		if (bits > len * 8)
			return -EINVAL;
		prefix.len = bits;
	}
	for (unsigned int bit = prefix.len; bit < len * 8; bit++)
		if (octets[bit / 8] & 0x80 >> bit % 8)
			return -EINVAL;
	*ret = prefix;
	return 0;
}

bool addr_prefix_contains(const struct addr_prefix *prefix, const union addr *addr)
{
	size_t len;
	const uint8_t *octets = addr_octets(addr, &len);

	if (prefix->addr.sa.sa_family != addr->sa.sa_family || len == 0)
		return false;
	return bits_equal(octets, addr_octets(&prefix->addr, &len), prefix->len);
}

const char *addr_text_host(const union addr *addr, char text[ADDR_TEXT])
{
	if (addr->sa.sa_family == AF_INET)
		return inet_ntop(AF_INET, &addr->in4.sin_addr, text, ADDR_TEXT);
	if (addr->sa.sa_family == AF_INET6)
		return inet_ntop(AF_INET6, &addr->in6.sin6_addr, text, ADDR_TEXT);
	memcpy(text, "-", 2);
	return text;
}

const char *addr_text(const union addr *addr, char text[ADDR_TEXT])
{
	char host[ADDR_TEXT];

	if (addr->sa.sa_family == AF_UNSPEC)
		return addr_text_host(addr, text);
	snprintf(text, ADDR_TEXT, addr->sa.sa_family == AF_INET6 ? "[%.46s]:%u" : "%.46s:%u",
		addr_text_host(addr, host), addr_port(addr));
	return text;
}
