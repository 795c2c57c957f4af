/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_fsm: the state machines of a call at the LNS: incoming calls, RFC 2661 section 7.4.2, and
 * outgoing calls, section 7.5.2.
 */
#ifndef LNS_L2TP_SESSION_FSM_H
#define LNS_L2TP_SESSION_FSM_H

#include "lns/l2tp/l2tp.h"

enum session_state {
	SESSION_IDLE,
	SESSION_WAIT_TUNNEL,
	/* outgoing: OCRQ sent. Incoming: ICRQ received, the owner has not answered yet */
	SESSION_WAIT_REPLY,
	SESSION_WAIT_CONNECT,
	SESSION_ESTABLISHED,
	SESSION_DOWN,   /* idle for the RFC, but the owner still has something of it */
	SESSION_CLOSED, /* the owner has closed it */
	SESSION_STATES
};

enum session_event {
	SESSION_ICRQ,
	SESSION_ICRQ_BAD, /* not acceptable, the result says why */
	SESSION_ICRP,
	SESSION_ICCN,
	SESSION_ICCN_BAD,
	SESSION_OCRQ,
	SESSION_OCRP,
	SESSION_OCCN,
	SESSION_OCCN_BAD,
	SESSION_CDN,
	SESSION_WEN,
	SESSION_SLI,
	SESSION_SPEED, /* RFC 5515 Connect-Speed-Update-Notification */
	SESSION_BAD,   /* a message that clears the call */
	SESSION_PLACE, /* local open request */
	SESSION_TUNNEL_OPEN,
	SESSION_TUNNEL_DOWN,
	SESSION_ACCEPT,    /* the owner is ready for the call */
	SESSION_CLOSE,     /* local close request */
	SESSION_LINK_INFO, /* ACCMs to be told to the LAC */
	SESSION_DEADLINE,
	SESSION_EVENTS
};

struct session_input {
	const struct l2tp_msg *msg;
	const struct l2tp_speed_update *speed; /* of SESSION_SPEED */
	struct l2tp_result result;
	bool by_peer; /* of SESSION_TUNNEL_DOWN */
	uint32_t send_accm, receive_accm;
};

/* Does what the table says. The only place where a session's state changes. */
void session_step(
	struct l2tp_session *session, enum session_event event, struct session_input *input);

const char *session_state_name(enum session_state state);

/* For the test that prints the tables: the row for a state and an event, in words. */
const char *session_event_name(enum session_event event);
const char *session_row_action(bool outgoing, enum session_state state, enum session_event event);
enum session_state session_row_next(
	bool outgoing, enum session_state state, enum session_event event);

#endif
