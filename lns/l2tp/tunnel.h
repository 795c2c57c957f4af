/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel: one control connection. Internal to lns/l2tp.
 *
 * Owned by the server; owns its sessions and its transport. Its state is assigned by tunnel_step alone.
 */
#ifndef LNS_L2TP_TUNNEL_H
#define LNS_L2TP_TUNNEL_H

#include "lns/l2tp/idmap.h"
#include "lns/l2tp/l2tp.h"
#include "lns/l2tp/tunnel_fsm.h"
#include "lns/l2tp/xport.h"
#include "lns/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct env_timer;
struct server_use;

/*
 * More messages than this need never wait for their acknowledgement: an answer and a CDN for every call that
 * a tunnel can have.
 */
#define TUNNEL_QUEUE_MAX 131072

struct l2tp_tunnel {
	struct l2tp_server *server;
	struct l2tp_tunnel *next_of_host, *next_dead;
	uint16_t id, peer_id;
	enum tunnel_state state;
	struct l2tp_path path;
	struct l2tp_lac lac; /* wiped with the tunnel */
	struct server_use *use;
	void *user;

	struct xport xport;
	struct env_timer *deadline; /* to be established, idle, or the end of lingering: by state */
	struct env_timer *probe;
	struct idmap sessions; /* owned */
	struct idmap by_peer;  /* of them, incoming ones that live, by the peer's ids */
	unsigned int live_sessions, calls;

	char host_name[256], vendor_name[128]; /* of the peer, printable */
	uint32_t framing_capabilities, bearer_capabilities;
	uint64_t tie_breaker;  /* ours, when we opened the tunnel */
	uint64_t sccrq_digest; /* of the peer's SCCRQ, to know a copy of it */
	uint8_t challenge[16]; /* ours */
	uint64_t created, since, probed;

	bool live;         /* counted in the limits */
	bool opened;       /* the owner knows it */
	bool released;     /* the owner has nothing left of it */
	bool peer_stopped; /* the peer's StopCCN was received: linger */
	bool drained;      /* the peer has acknowledged everything */
	bool dead;
};

/* A tunnel in state idle, known to the server. 0 and *ret_tunnel, or -ENOMEM, -EUSERS (no id left). */
int tunnel_new(struct l2tp_server *server, const struct l2tp_path *path, const struct l2tp_lac *lac,
	struct l2tp_tunnel **ret_tunnel);
/* Frees it with its sessions. For the dispatcher and l2tp_server_free. */
void tunnel_free(struct l2tp_tunnel *tunnel);

/* A packet with its id. Between server_enter and server_leave. */
void tunnel_input(struct l2tp_tunnel *tunnel, const struct l2tp_path *path, const uint8_t *packet,
	size_t len);

/* Shows a packet on its way to whoever watches. */
void tunnel_watch(struct l2tp_tunnel *tunnel, bool outgoing, const uint8_t *packet, size_t len);

/* Encodes (hiding when the lac section says so) and queues. 0, -ENOMEM or -EMSGSIZE. */
int tunnel_send(struct l2tp_tunnel *tunnel, uint16_t peer_session_id, const struct l2tp_msg *msg);

/* Starts or stops the idle timer as there are sessions or not. */
void tunnel_check_idle(struct l2tp_tunnel *tunnel);
/* Marks it dead when nothing needs it any more. */
void tunnel_check_end(struct l2tp_tunnel *tunnel);
/* It is established: what became of older tunnels of the same peer? */
void tunnel_supersede(struct l2tp_tunnel *tunnel);
/* Out of the counts that the limits look at. */
void tunnel_uncount(struct l2tp_tunnel *tunnel);

/* As server_log_mistake, about its peer; call: our id of the call, 0 = none. */
void tunnel_log_mistake(const struct l2tp_tunnel *tunnel, uint16_t call, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "tunnel 123 (192.0.2.1:1701, bng1)", for logs. */
#define TUNNEL_NAME 448
const char *tunnel_name(const struct l2tp_tunnel *tunnel, char out[TUNNEL_NAME]);

#endif
