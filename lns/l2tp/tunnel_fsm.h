/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel_fsm: the state machine of a control connection, RFC 2661 section 7.2.
 */
#ifndef LNS_L2TP_TUNNEL_FSM_H
#define LNS_L2TP_TUNNEL_FSM_H

#include "lns/l2tp/l2tp.h"

enum tunnel_state {
	TUNNEL_IDLE,
	TUNNEL_WAIT_CTL_REPLY,
	TUNNEL_WAIT_CTL_CONN,
	TUNNEL_ESTABLISHED,
	TUNNEL_CLOSING, /* idle for the RFC, but here to acknowledge and be acknowledged */
	TUNNEL_CLOSED,  /* only the owner still has something of it */
	TUNNEL_STATES
};

enum tunnel_event {
	TUNNEL_OPEN, /* local open request */
	TUNNEL_SCCRQ,
	TUNNEL_SCCRQ_BAD, /* not acceptable, the result says why */
	TUNNEL_SCCRP,
	TUNNEL_SCCRP_BAD,
	TUNNEL_SCCCN,
	TUNNEL_SCCCN_BAD,
	TUNNEL_STOPCCN,
	TUNNEL_HELLO,
	TUNNEL_CALL,         /* a message about a call */
	TUNNEL_BAD,          /* a message that clears the tunnel */
	TUNNEL_CLOSE,        /* administrative close */
	TUNNEL_FAILED,       /* we cannot: memory, socket */
	TUNNEL_TIE_LOST,     /* the peer's SCCRQ wins against ours */
	TUNNEL_DEADLINE,     /* of the state */
	TUNNEL_LOST,         /* the peer does not answer any more, or has restarted */
	TUNNEL_ACKNOWLEDGED, /* all that we sent has arrived, the StopCCN last */
	TUNNEL_EVENTS
};

/* What comes with an event; unused members are zero. Actions write result for the event they cause. */
struct tunnel_input {
	const struct l2tp_header *header;
	const struct l2tp_msg *msg;
	struct l2tp_result result;
};

/* Does what the table says. The only place where a tunnel's state changes. */
void tunnel_step(struct l2tp_tunnel *tunnel, enum tunnel_event event, struct tunnel_input *input);

/* The event that a message is in its tunnel: acceptable or not. */
enum tunnel_event tunnel_classify(struct l2tp_tunnel *tunnel, struct tunnel_input *input);

const char *tunnel_state_name(enum tunnel_state state);

/* For the test that prints the table: the row for a state and an event, in words. */
const char *tunnel_event_name(enum tunnel_event event);
const char *tunnel_row_action(enum tunnel_state state, enum tunnel_event event);
enum tunnel_state tunnel_row_next(enum tunnel_state state, enum tunnel_event event);

#endif
