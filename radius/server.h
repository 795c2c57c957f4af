/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server: one RADIUS server as a client sees it: tries of one request after the other at it, checks
 * what comes back, and knows whether it is alive.
 *
 * The owner (client.c) chooses servers and has the timers: radius_server_start and _retry say in
 * exchange->wait how long to wait for a reply.
 */
#ifndef RADIUS_SERVER_H
#define RADIUS_SERVER_H

#include <sys/queue.h>

#include "radius/packet.h"
#include "radius/ports.h"

struct radius_server;

/* One request at one server. Embedded in its owner, who fills the first part. */
struct radius_exchange {
	enum radius_packet_code code;
	struct radius_body body;
	uint64_t event_time; /* of an accounting record, wall clock, microseconds */
	bool is_trial;       /* a single try, to find out whether the server is back */
	bool is_forged;      /* set when a reply with a bad authenticator was dropped */

	struct radius_server *server; /* being tried or having answered; NULL before */
	bool is_active;               /* holds identifiers of the server */
	uint64_t wait;                /* microseconds until the next step is due */
	unsigned int tries;
	uint32_t delay;            /* Acct-Delay-Time of the newest */
	struct radius_slot *slots; /* newest first */
	uint8_t *packet;           /* kept for identical retransmission, NULL for accounting */
	size_t packet_len;
	uint8_t authenticator[RADIUS_AUTH_LEN]; /* of the try that was answered */
	TAILQ_ENTRY(radius_exchange) link;
};
TAILQ_HEAD(radius_exchange_list, radius_exchange);

struct radius_server_events {
	/* A verified reply; the exchange is no longer active. reply is borrowed. */
	void (*answered)(void *ctx, struct radius_exchange *exchange, unsigned int code,
		const struct radius_attrs *reply);
	/* The server was declared dead, or is back. */
	void (*changed)(void *ctx, struct radius_server *server, bool is_alive);
};

/* host and events are borrowed, config is copied. 0 and *ret_server, -EINVAL or -ENOMEM. */
int radius_server_new(const struct radius_host *host, const struct radius_client_config *config,
	const struct radius_server_config *server_config, const struct radius_server_events *events,
	void *ctx, struct radius_server **ret_server);
/* No exchange may be active. */
void radius_server_free(struct radius_server *server);

#define RADIUS_NO_ROOM UINT64_MAX
/* Microseconds until another exchange may start: 0 = now, RADIUS_NO_ROOM = when one has ended. */
uint64_t radius_server_room(const struct radius_server *server);

/* The first try. 0, or -errno: nothing went out and the exchange is not active. */
int radius_server_start(struct radius_server *server, struct radius_exchange *exchange);
/* exchange->wait went by without a reply. May call changed. */
void radius_server_silence(struct radius_server *server);
/* The next try; false: there is none left. */
bool radius_server_retry(struct radius_exchange *exchange);
/* Gives the identifiers back. Does nothing when not active. */
void radius_server_stop(struct radius_exchange *exchange);

/* Takes over what was learned of the same server. */
void radius_server_inherit(struct radius_server *server, const struct radius_server *other);
bool radius_server_is_alive(const struct radius_server *server);
/*
 * Whether a dead server, which does not know Status-Server, wants a request for a trial. Said once.
 */
bool radius_server_wants_trial(struct radius_server *server);
/* The exchanges active at it. */
struct radius_exchange_list *radius_server_exchanges(struct radius_server *server);

const char *radius_server_name(const struct radius_server *server);
const struct radius_secret *radius_server_secret(const struct radius_server *server);
/* All but waiting. */
void radius_server_info(const struct radius_server *server, struct radius_server_info *ret_info);

#endif
