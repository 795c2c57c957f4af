/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lac: one access concentrator: a UDP socket, one tunnel, its calls (RFC 2661).
 *
 * Messages and reliable delivery are those of lns/l2tp (msg, xport, digest); everything that a LAC does
 * with them is here. Owned by the load.
 */
#ifndef LOAD_LAC_H
#define LOAD_LAC_H

#include "lns/addr.h"
#include "lns/l2tp/msg.h"
#include "lns/l2tp/xport.h"
#include "tests/load/line.h"
#include "tests/load/session.h"

enum lac_state {
	LAC_DOWN,    /* not yet, or about to open again */
	LAC_OPENING, /* SCCRQ */
	LAC_UP,
	LAC_CLOSING, /* StopCCN */
	LAC_CLOSED,
	LAC_FAILED,
	LAC_SILENT,
};

/* A message whose first transmission somebody waits for. */
struct lac_pending {
	uint16_t ns, session_id;
	enum l2tp_msg_type type;
	STAILQ_ENTRY(lac_pending) next;
};

struct lac {
	struct load *load;
	unsigned int number;
	enum lac_state state;
	bool again; /* open again when closed */
	int fd;
	struct env_io *io;
	union addr local, peer;
	struct line *out, *in; /* NULL: a good line */
	struct xport xport;
	struct env_timer *restart;
	uint16_t id, peer_id, last_session_id;
	uint16_t next_ns; /* that the next queued message will get */
	uint64_t opened;  /* env_now of the SCCRQ */
	uint8_t challenge[16];
	struct l2tp_secret secret;
	STAILQ_HEAD(, lac_pending) pending;
	struct session **calls; /* by our session id */
	unsigned int call_count;
	struct session_list waiting, clearing;
	bool is_ready; /* in the load's list */
	TAILQ_ENTRY(lac) ready;
};

/* 0, or -errno, which has been reported on stderr; nothing is left behind. */
int lac_init(struct lac *lac, struct load *load, unsigned int index);
void lac_fini(struct lac *lac);

/* Sends the SCCRQ. */
void lac_open(struct lac *lac);
/* Sends StopCCN; again: and then opens anew. */
void lac_close(struct lac *lac, bool again);
/* Forgets tunnel and calls and starts again from the same address and port. */
void lac_reboot(struct lac *lac);
/* Never says or hears anything again. */
void lac_vanish(struct lac *lac);

/* ---- for its sessions ---- */

/* Gives the session an id and sends the ICRQ; 0, or -ENOMEM when there is no id or memory. */
int lac_request(struct lac *lac, struct session *session);
/* Sends the ICCN. */
int lac_connect(struct lac *lac, struct session *session, const struct ppp_proxy *proxy);
/* Sends a CDN. */
int lac_clear(struct lac *lac, struct session *session);
/* Takes the session's id back. */
void lac_forget(struct lac *lac, struct session *session);
void lac_send_frame(struct lac *lac, struct session *session, uint16_t protocol,
	const uint8_t *packet, size_t len);

#endif
