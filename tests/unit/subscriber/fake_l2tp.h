/* SPDX-License-Identifier: BSD-2-Clause */
/* fake_l2tp: one tunnel and calls in it, whose CDNs are noted. */
#ifndef TESTS_UNIT_SUBSCRIBER_FAKE_L2TP_H
#define TESTS_UNIT_SUBSCRIBER_FAKE_L2TP_H

#include "lns/l2tp/l2tp.h"

#define FAKE_CALLS 64

struct l2tp_session {
	struct l2tp_session_info info;
	struct l2tp_call call;
	void *user;
	uint64_t key;     /* of its subscriber, 0 = none */
	uint32_t ifindex; /* that its pppd will have */
	bool down, closed;
	struct l2tp_result result; /* of the CDN */
	uint16_t cause, cause_protocol;
};

struct fake_l2tp {
	struct l2tp_tunnel_info tunnel;
	struct l2tp_lac lac;
	struct l2tp_session calls[FAKE_CALLS];
	unsigned int count;
	int holds;
	bool no_kernel_tunnel;
	bool answers;   /* the peer, when it is asked whether it lives */
	uint64_t asked; /* since when it owes the answer */
};

#endif
