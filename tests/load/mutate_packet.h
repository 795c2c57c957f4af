/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutate_packet: one control packet that was good until it was changed.
 */
#ifndef LOAD_MUTATE_PACKET_H
#define LOAD_MUTATE_PACKET_H

#include "lns/l2tp/msg.h"
#include "tests/load/rng.h"

enum { MUTATE_PACKET_MAX = 1400, MUTATE_SESSIONS = 16 };

/* What the hostile LAC knows of its tunnel. */
struct mutate_peer {
	uint16_t own_id, tunnel_id;         /* tunnel_id 0 = none open */
	uint16_t ns, nr;                    /* that the LNS expects; that we expect */
	uint16_t sessions[MUTATE_SESSIONS]; /* ids of the LNS, the last of session_count */
	unsigned int session_count;
};

/* Writes Ns and Nr into a packet with a whole header. */
void mutate_set_sequence(uint8_t *packet, uint16_t ns, uint16_t nr);

/* Makes a packet; its length, 1 .. MUTATE_PACKET_MAX. */
size_t mutate_packet(
	struct rng *rng, const struct mutate_peer *peer, uint8_t packet[MUTATE_PACKET_MAX]);

#endif
