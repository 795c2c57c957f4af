/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutate_tunnel: what the hostile LAC knows of one of its tunnels, and what it expects a packet to do
 * there. No I/O.
 */
#ifndef LOAD_MUTATE_TUNNEL_H
#define LOAD_MUTATE_TUNNEL_H

#include "lns/l2tp/msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MUTATE_CALLS = 8, MUTATE_AHEAD = 16 };

struct mutate_call {
	uint16_t id, peer_id; /* ours, the LNS's */
	bool connected;       /* the ICCN was sent */
};

struct mutate_tunnel {
	uint16_t own_id, id;   /* id is the LNS's, 0 while not open */
	uint16_t ns, nr;       /* that the LNS expects; that we expect */
	uint16_t acknowledged; /* the LNS's last Nr */
	uint32_t early;        /* bit n: ns + 1 + n has been sent and is kept there */
	struct mutate_call calls[MUTATE_CALLS];
	unsigned int call_count;
};

enum mutate_effect {
	MUTATE_WASTED,  /* does not reach the tunnel's state machine: discarded, or a repetition */
	MUTATE_REACHED, /* does, now or when it is its turn */
	MUTATE_OPENING, /* asks for one more tunnel */
	MUTATE_FATAL,   /* ends the tunnel */
};

/* A packet as the LNS will see it. */
struct mutate_view {
	enum mutate_effect effect;
	enum l2tp_verdict verdict;
	unsigned int type;
	uint16_t session_id, ns;
	bool numbered; /* uses up its Ns */
};

/* What the LNS will make of a packet that was made for the tunnel; secret may be NULL. */
void mutate_tunnel_judge(const struct mutate_tunnel *tunnel, const struct l2tp_secret *secret,
	const uint8_t *packet, size_t len, struct mutate_view *ret);
/* The packet was sent. */
void mutate_tunnel_sent(struct mutate_tunnel *tunnel, const struct mutate_view *view);
/* A message of the LNS, its header at least; msg may be a ZLB. */
void mutate_tunnel_heard(
	struct mutate_tunnel *tunnel, const struct l2tp_header *header, const struct l2tp_msg *msg);
/* Whether it is a call that has been answered and waits for its ICCN. */
bool mutate_tunnel_awaits(const struct mutate_tunnel *tunnel, uint16_t peer_session_id);
/* How many messages are on their way, unacknowledged. */
unsigned int mutate_tunnel_ahead(const struct mutate_tunnel *tunnel);
/* Starts again from what the LNS last acknowledged. */
void mutate_tunnel_resync(struct mutate_tunnel *tunnel);

/* Writes Ns and Nr into a packet with a whole header. */
void mutate_set_sequence(uint8_t *packet, uint16_t ns, uint16_t nr);

#endif
