/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ports: the connected UDP sockets to one server and the 256 identifiers of each.
 *
 * A socket is opened when all identifiers are in use. Identifiers come back in the order they were
 * given up, so that one is used again as late as possible. Being connected, a socket hears nobody
 * but its server.
 */
#ifndef RADIUS_PORTS_H
#define RADIUS_PORTS_H

#include "radius/packet.h"

#define RADIUS_PORTS_MAX 32
#define RADIUS_IDS       256

struct radius_port;
struct radius_exchange;

/* One identifier of one socket. Owned by its port; an exchange holds it from take to release. */
struct radius_slot {
	struct radius_exchange *exchange; /* NULL: free */
	struct radius_slot *next;         /* in the free list, or of the exchange */
	struct radius_port *port;
	uint64_t sent;    /* last; 0: not yet */
	bool is_repeated; /* it was sent more than once */
	uint8_t id;
	uint8_t authenticator[RADIUS_AUTH_LEN]; /* of the request it stands for */
	uint8_t previous[RADIUS_AUTH_LEN];      /* of the one before: whose reply may still come */
};

struct radius_ports_events {
	/* A datagram; slot: the one with its identifier (len > 1), perhaps free, else NULL. */
	void (*input)(void *ctx, struct radius_slot *slot, const uint8_t *buf, size_t len);
	/* The server's host says that nobody listens there. */
	void (*refused)(void *ctx);
};

struct radius_ports {
	const struct radius_host *host;
	struct sockaddr_storage server, source;
	struct radius_ports_events events;
	void *ctx;
	struct radius_port *ports[RADIUS_PORTS_MAX];
	unsigned int count;
	struct radius_slot *free_first, *free_last;
	int last_error; /* errno of the last failed send or open, 0 = none since the last input */
};

/* Zero-initialised but for host, server, source, events and ctx; sockets open on demand. */
void radius_ports_close(struct radius_ports *ports);

/* A free identifier, or NULL: none left and no socket can be opened (last_error says why). */
struct radius_slot *radius_slot_take(struct radius_ports *ports, struct radius_exchange *exchange);
void radius_slot_release(struct radius_ports *ports, struct radius_slot *slot);
void radius_slot_send(
	struct radius_ports *ports, struct radius_slot *slot, const uint8_t *buf, size_t len);

/* Whether take has to fail for lack of identifiers. */
bool radius_ports_exhausted(const struct radius_ports *ports);

/*
 * Gives up the sockets of now as soon as nothing waits on them: new ones are made with the routes
 * and addresses of the day.
 */
void radius_ports_retire(struct radius_ports *ports);

#endif
