/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session: one subscriber and the call that its LAC makes for it, one after the other if need be.
 *
 * Owned by the load, in one array; a session belongs to the same LAC for ever. It is in the LAC's list
 * `waiting` while queued, in its list `clearing` while a CDN of ours is not acknowledged, and in its table
 * of calls under its id while there is a call.
 */
#ifndef LOAD_SESSION_H
#define LOAD_SESSION_H

#include "tests/load/ppp.h"

#include <sys/queue.h>

struct lac;
struct l2tp_msg;
struct load;

enum session_state {
	CALL_IDLE,
	CALL_QUEUED,     /* waits for its turn, or for the tunnel */
	CALL_REQUESTED,  /* ICRQ */
	CALL_CONNECTING, /* ICCN, PPP is being negotiated */
	CALL_UP,
	CALL_ENDING, /* the end is not confirmed yet */
	CALL_ENDED,
	CALL_FAILED,
	CALL_VANISHED,
	CALL_STATES,
};

struct session {
	struct load *load;
	struct lac *lac;
	unsigned int number; /* the user's: from --first on */
	enum session_state state;
	bool again;  /* once ended, queue it again */
	bool failed; /* once ended, it has failed */
	uint16_t id, peer_id;
	uint16_t data_ns, data_nr;
	bool cdn_sent;
	uint16_t cdn_ns;               /* of our CDN */
	uint64_t requested, connected; /* env_now of ICRQ and ICCN on the wire, 0 = not yet */
	bool heard;                    /* a PPP frame came */
	struct env_timer *timer;       /* the deadline of the state */
	struct env_timer *ping;
	uint16_t ping_sequence;
	uint64_t ping_pending; /* one bit for each of the last 64 */
	uint64_t pings_sent, pings_received;
	struct ppp ppp;
	char user[PPP_NAME_MAX + 1], password[PPP_NAME_MAX + 1];
	TAILQ_ENTRY(session) link;
};
TAILQ_HEAD(session_list, session);

/* 0 or -ENOMEM (nothing left behind). */
int session_init(struct session *session, struct load *load, struct lac *lac, unsigned int number);
void session_fini(struct session *session);

/* Puts it into the LAC's list. */
void session_queue(struct session *session);
/* Its turn: the LAC asks for the call. */
void session_start(struct session *session);
/* Ends a call that is up, by CDN or by LCP; again: and then queue it. */
void session_end(struct session *session, bool by_lcp, bool again);
/* The LAC is gone or the tunnel is being closed: the call will be over without a word of its own. */
void session_suspend(struct session *session, bool again);
/* What session_suspend began is done. */
void session_over(struct session *session);
void session_vanish(struct session *session);
void session_stop_ping(struct session *session);
/* Ends whatever it was, with a reason; no call is left. */
void session_lose(struct session *session, const char *reason);

/* ---- called by the LAC ---- */

void session_requested(struct session *session); /* the ICRQ is on the wire */
void session_connected(struct session *session); /* the ICCN is */
void session_reply(struct session *session, const struct l2tp_msg *icrp);
void session_cleared(struct session *session, const struct l2tp_msg *cdn);
/* A frame, and its sequence number or -1. */
void session_frame(struct session *session, const uint8_t *frame, size_t len, int ns);

#endif
