/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server: what tunnels and sessions share. Internal to lns/l2tp; the outside includes l2tp.h.
 *
 * The dispatcher: whatever enters the protocol (a packet, a timer, a call of the owner) does so between
 * server_enter and server_leave. Handlers never free a tunnel or a session, they only mark it; the last
 * server_leave frees what was marked, when no handler is on the stack.
 */
#ifndef LNS_L2TP_SERVER_H
#define LNS_L2TP_SERVER_H

#include "lns/l2tp/idmap.h"
#include "lns/l2tp/l2tp.h"
#include "lns/l2tp/limit.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVER_HOSTS        256    /* hash chains of tunnels by the peer's host */
#define SERVER_PROTOCOL     0x0100 /* version 1, revision 0 */
#define SERVER_ALL_FRAMINGS 3      /* asynchronous and synchronous */
#define SERVER_REFUSAL_RATE 100    /* answers a second to SCCRQs that make no tunnel */

/* Live tunnels and sessions of one lac section. Owned by the server while a tunnel holds it. */
struct server_use {
	struct server_use *next;
	char name[64];
	unsigned int holders, tunnels, sessions;
};

/* A lac section that takes nothing new, or takes it although all others do not. */
struct server_drained {
	struct server_drained *next;
	bool is_exception;
	char name[64];
};

struct l2tp_server {
	struct env *env;
	struct l2tp_settings settings;
	const struct l2tp_ops *ops;
	void *ctx;
	struct l2tp_counters counters;
	bool draining, watched;

	struct idmap tunnels; /* owned */
	struct l2tp_tunnel *hosts[SERVER_HOSTS];
	struct server_use *uses;
	struct server_drained *drained; /* owned */
	unsigned int live_tunnels, live_sessions;
	uint32_t next_serial; /* Call Serial Number of outgoing calls */

	struct limit_bucket sccrqs, refusals;
	struct limit_sources sources;

	unsigned int depth; /* of the dispatcher */
	struct l2tp_tunnel *dead_tunnels;
	struct l2tp_session *dead_sessions;

	uint8_t reserved[65536 / 8];
	uint8_t scratch[L2TP_PACKET_MAX]; /* unhidden values of the packet in work */
	uint8_t out[L2TP_SEND_MAX];
};

void server_enter(struct l2tp_server *server);
void server_leave(struct l2tp_server *server);

/* A free tunnel id, random, not reserved and never 0; 0 when there is none. */
uint16_t server_pick_tunnel_id(struct l2tp_server *server);

/* The chain of tunnels with the same host as peer. */
struct l2tp_tunnel **server_host_chain(struct l2tp_server *server, const union addr *peer);

/* The record of a lac section, made when it is new; NULL when memory is short. */
struct server_use *server_use_get(struct l2tp_server *server, const char *name);
void server_use_put(struct l2tp_server *server, struct server_use *use);

/* Whether the owner has room for one more call, or tunnel; otherwise the result of a CDN, or StopCCN. */
bool server_has_room(const struct l2tp_server *server, bool call, struct l2tp_result *ret_result);

/* Tells ops.refused of a call of this tunnel (spans from the wire), or of an SCCRQ. */
void server_tell_refused(struct l2tp_server *server, const struct l2tp_refusal *refusal,
	struct l2tp_span calling, struct l2tp_span called);

/* Who a line of the log is about, for its fields: who sent it, and what is known of them; NULL, 0: nothing. */
struct server_about {
	const union addr *peer;
	const char *lac, *host_name;
	unsigned int tunnel, call;
};
/* left_out: how many lines like it were not written. */
void server_log(const struct server_about *about, enum log_level level, unsigned int left_out,
	const char *format, va_list args) __attribute__((format(printf, 4, 0)));
/* Whether there may be a line about a mistake of this host: one a second, whatever tunnels it has. */
bool server_may_complain(
	struct l2tp_server *server, const union addr *peer, unsigned int *ret_left_out);
/* Logs a peer's mistake, if there may be a line about it. */
void server_log_mistake(struct l2tp_server *server, const struct server_about *about,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A result by value; the text is cut at the size of its field. */
struct l2tp_result server_result(uint16_t code, uint16_t error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Copies octets from the wire as text: what is not printable ASCII becomes a dot. */
void server_copy_text(char *out, size_t size, struct l2tp_span span);

#endif
