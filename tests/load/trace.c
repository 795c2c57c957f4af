/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace: a ring of packets. What may hold a password, or what one can be guessed from, is not kept.
 */
#include "tests/load/trace.h"

#include "tests/load/ppp.h"

#include <string.h>

enum { FIRST_CONTROL_PROTOCOL = 0x8000, FIRST_LINK_PROTOCOL = 0xc000 };

void trace_begin(struct trace *trace, uint64_t now)
{
	trace->began = now;
	trace->count = 0;
}

void trace_add(struct trace *trace, uint64_t now, bool sent, uint16_t protocol,
	const uint8_t *packet, size_t len)
{
	struct trace_packet *slot = &trace->packets[trace->count % TRACE_PACKETS];
	size_t max =
		protocol < FIRST_LINK_PROTOCOL || protocol == PPP_LCP ? TRACE_OCTETS : PPP_HEADER;

	if (protocol < FIRST_CONTROL_PROTOCOL)
		return;
	*slot = (struct trace_packet){ .at = now,
		.protocol = protocol,
		.len = (uint16_t)len,
		.sent = sent,
		.kept = (uint8_t)(len < max ? len : max) };
	memcpy(slot->data, packet, slot->kept);
	trace->count++;
}

const struct trace_packet *trace_get(const struct trace *trace, unsigned int n)
{
	unsigned int kept = trace->count < TRACE_PACKETS ? trace->count : TRACE_PACKETS;

	return n < kept ? &trace->packets[(trace->count - kept + n) % TRACE_PACKETS] : NULL;
}
