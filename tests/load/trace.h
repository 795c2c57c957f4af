/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace: the last control packets of a client's PPP, to tell afterwards why its call failed.
 */
#ifndef LOAD_TRACE_H
#define LOAD_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRACE_PACKETS = 16, TRACE_OCTETS = 40 };

struct trace_packet {
	uint64_t at; /* env_now */
	uint16_t protocol, len;
	bool sent;
	uint8_t kept; /* octets in data */
	uint8_t data[TRACE_OCTETS];
};

/* A ring; no pointers, so it may be copied. */
struct trace {
	uint64_t began; /* env_now */
	unsigned int count;
	struct trace_packet packets[TRACE_PACKETS];
};

void trace_begin(struct trace *trace, uint64_t now);
/* Keeps a packet of a control protocol; of those that authenticate only the header. */
void trace_add(struct trace *trace, uint64_t now, bool sent, uint16_t protocol,
	const uint8_t *packet, size_t len);
/* The n-th of those that are kept, oldest first; NULL after the last. */
const struct trace_packet *trace_get(const struct trace *trace, unsigned int n);

#endif
