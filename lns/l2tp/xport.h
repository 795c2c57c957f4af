/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xport: reliable, ordered delivery of control messages over one control connection (RFC 2661 section
 * 5.8 and Appendix A).
 *
 * Owned by its tunnel, which feeds it every valid control packet (xport_receive, xport_take,
 * xport_settle) and sends messages through it (xport_send). It writes Ns and Nr into packets; all else
 * in them is the tunnel's.
 */
#ifndef LNS_L2TP_XPORT_H
#define LNS_L2TP_XPORT_H

#include "lns/l2tp/msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct env;
struct env_timer;
struct l2tp_counters;

/* A received packet larger than this is not kept when it comes early: it will come again. */
#define XPORT_EARLY_MAX 4096

struct xport_packet {
	struct xport_packet *next;
	uint16_t ns;
	bool sent;
	uint16_t len;
	uint8_t data[];
};

/* Called from inside the functions below and from timers; they may not free the transport. */
struct xport_ops {
	void (*transmit)(void *ctx, const uint8_t *packet, size_t len);
	/* A message was retransmitted as often as allowed and not acknowledged. */
	void (*lost)(void *ctx);
	/* The peer was silent for the Hello interval and nothing is on its way: send a Hello. */
	void (*hello)(void *ctx);
	/* The last message that was on its way has been acknowledged. */
	void (*drained)(void *ctx);
	/* Ns or Nr changed. */
	void (*moved)(void *ctx, uint16_t ns, uint16_t nr);
};

struct xport_limits {
	uint16_t window;          /* our Receive Window Size, at least 1 */
	unsigned int retransmits; /* of one message */
	uint64_t retransmit_cap;  /* longest interval between two, microseconds */
};

struct xport {
	struct env *env;
	const struct xport_ops *ops;
	void *ctx;
	struct l2tp_counters *counters;
	struct xport_limits limits;
	uint16_t peer_id; /* Assigned Tunnel ID of the peer, for acknowledgements */

	/* Sending: head is the oldest message not acknowledged, next the one to be transmitted next. */
	struct xport_packet *head, **tail, *next;
	unsigned int queued;      /* messages in the list */
	unsigned int outstanding; /* of them, from head up to next */
	uint16_t ns;              /* of the next message that was never transmitted */
	uint16_t una;             /* of head, once transmitted */
	unsigned int peer_window, cwnd, ssthresh, credit;
	unsigned int timeouts; /* of the oldest message */
	unsigned int repeats;  /* acknowledgements of una in a row */
	uint64_t retransmissions;
	struct env_timer *retransmit;

	/* Receiving: a ring of messages that came early, by Ns. */
	uint16_t nr;
	struct xport_packet **early;
	unsigned int ring; /* slots, a power of two */
	unsigned int early_count;
	unsigned int unacknowledged; /* received since our last packet */
	struct env_timer *acknowledge;

	uint64_t last_heard; /* env_now of the last valid packet */
	uint64_t hello_interval;
	struct env_timer *hello;
};

/* 0 or -ENOMEM (nothing left behind). Borrows env, ops and counters. */
int xport_init(struct xport *xport, struct env *env, const struct xport_limits *limits,
	const struct xport_ops *ops, void *ctx, struct l2tp_counters *counters);
/* Frees what it holds; a zeroed one is fine. */
void xport_fini(struct xport *xport);

/* What the peer said: its tunnel id and Receive Window Size. */
void xport_set_peer(struct xport *xport, uint16_t peer_id, unsigned int window);
/* Hello after this much silence, microseconds; 0 = never. */
void xport_set_hello(struct xport *xport, uint64_t interval);

/* Queues an encoded message (copied) and sends what the window allows. 0 or -ENOMEM. */
int xport_send(struct xport *xport, const uint8_t *packet, size_t len);
/* Drops what was never transmitted. */
void xport_drop_unsent(struct xport *xport);
/* Drops everything and stops every timer: the peer is gone. */
void xport_abandon(struct xport *xport);
/* Sends an acknowledgement now, if one is due. */
void xport_acknowledge_now(struct xport *xport);

enum xport_verdict {
	XPORT_DELIVER,   /* next in order: process it, then ask xport_take */
	XPORT_EARLY,     /* kept until the ones before it arrive */
	XPORT_DUPLICATE, /* processed before: acknowledged again, nothing else to do */
	XPORT_NOTHING,   /* an acknowledgement, no message */
	XPORT_DISCARD,   /* outside the window: as if it had not come */
};

enum xport_verdict xport_receive(struct xport *xport, const struct l2tp_header *header, bool zlb,
	const uint8_t *packet, size_t len);
/* The next message in order that came early, now the caller's to free; NULL when there is none. */
struct xport_packet *xport_take(struct xport *xport);
/* To be called after the messages were processed: acknowledges when half of our window is used. */
void xport_settle(struct xport *xport);

/* A whole retransmission cycle: the time to stay to acknowledge again. Microseconds. */
uint64_t xport_cycle(const struct xport_limits *limits);

#endif
