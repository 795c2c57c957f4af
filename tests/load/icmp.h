/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp: ICMP echo in IPv4 packets, built and checked here because no kernel is involved.
 */
#ifndef LOAD_ICMP_H
#define LOAD_ICMP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ICMP_HEADERS = 28, ICMP_PACKET_MAX = 1500 };

struct icmp_echo {
	struct in_addr from, to;
	bool reply;
	uint16_t id, sequence;
	const uint8_t *data; /* borrows the packet */
	size_t len;
};

/* Writes an echo into buf; its length, or 0 when it does not fit. */
size_t icmp_write(const struct icmp_echo *echo, uint8_t *buf, size_t size);
/* Whether the packet is a whole echo with correct checksums; fills ret. */
bool icmp_read(const uint8_t *packet, size_t len, struct icmp_echo *ret);

#endif
