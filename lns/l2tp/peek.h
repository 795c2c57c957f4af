/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peek: the few values that are needed of a control packet before, or although, it cannot be decoded:
 * which secret it is to be decoded with, and whom to tell that it was refused.
 */
#ifndef LNS_L2TP_PEEK_H
#define LNS_L2TP_PEEK_H

#include "lns/l2tp/msg.h"

#include <stddef.h>
#include <stdint.h>

struct peek {
	uint16_t type;      /* Message Type, 0 = unreadable */
	uint16_t tunnel_id; /* Assigned Tunnel ID, 0 = absent or hidden */
	struct l2tp_span host_name;
};

/* Looks through a packet whose header l2tp_header_decode has accepted. */
void peek_packet(const uint8_t *packet, size_t len, struct peek *ret);

#endif
