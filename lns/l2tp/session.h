/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session: one call. Internal to lns/l2tp.
 *
 * Owned by its tunnel. Its state is assigned by session_step alone.
 */
#ifndef LNS_L2TP_SESSION_H
#define LNS_L2TP_SESSION_H

#include "lns/l2tp/l2tp.h"
#include "lns/l2tp/session_fsm.h"

#include <stdbool.h>
#include <stdint.h>

struct env_timer;

struct l2tp_session {
	struct l2tp_tunnel *tunnel;
	struct l2tp_session *next_dead;
	uint16_t id, peer_id;
	bool outgoing;
	bool live; /* counted in the limits */
	enum session_state state;
	struct l2tp_call call;
	uint64_t since, up_since;
	struct env_timer *deadline; /* to be established */
	uint16_t cause_code, cause_protocol;
	uint8_t cause_direction;
	bool has_cause; /* RFC 3145, for our CDN */
	char cause_message[64];
	void *user;
};

/* A message about a call, in an established tunnel. */
void session_input(
	struct l2tp_tunnel *tunnel, const struct l2tp_header *header, const struct l2tp_msg *msg);
/* A message about a call that had to be refused whole; msg has its type and the ids that it gave. */
void session_input_bad(struct l2tp_tunnel *tunnel, const struct l2tp_header *header,
	const struct l2tp_msg *msg, const struct l2tp_result *result);

/* The tunnel is up: outgoing calls that wait for it go on. */
void session_tunnel_open(struct l2tp_tunnel *tunnel);
/* The tunnel has ended: so has every call. */
void session_tunnel_down(
	struct l2tp_tunnel *tunnel, const struct l2tp_result *result, bool by_peer);

/* Takes it from its tunnel and hands it to the dispatcher. */
void session_bury(struct l2tp_session *session);
/* For the dispatcher and tunnel_free. */
void session_free(struct l2tp_session *session);
void session_uncount(struct l2tp_session *session);

/* Puts what a message says about the call into the session. */
void session_store_call(struct l2tp_session *session, const struct l2tp_msg *msg);

/* Sends a CDN. session_id is ours, or what the peer took for one. */
void session_send_cdn(struct l2tp_tunnel *tunnel, uint16_t peer_session_id, uint16_t session_id,
	const struct l2tp_result *result, const struct l2tp_session *session);

#endif
