/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutate_packet: one control packet that was good until it was changed.
 */
#ifndef LOAD_MUTATE_PACKET_H
#define LOAD_MUTATE_PACKET_H

#include "lns/l2tp/msg.h"
#include "tests/load/mutate_tunnel.h"
#include "tests/load/rng.h"

enum { MUTATE_PACKET_MAX = 1400 };

/*
 * Makes a packet for the tunnel, mostly the next in turn and mostly about one of its calls; its length,
 * 1 .. MUTATE_PACKET_MAX. With a secret (not NULL, not empty) AVPs are hidden in some.
 */
size_t mutate_packet(struct rng *rng, const struct mutate_tunnel *tunnel,
	const struct l2tp_secret *secret, uint8_t packet[MUTATE_PACKET_MAX]);

#endif
