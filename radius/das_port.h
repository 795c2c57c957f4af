/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * das_port: a UDP socket of the dynamic authorization server. It knows to which of this host's
 * addresses a datagram came, and answers from there.
 */
#ifndef RADIUS_DAS_PORT_H
#define RADIUS_DAS_PORT_H

#include "radius/packet.h"

struct radius_das_port;

/* A datagram came; the reply's length, 0: none. */
typedef size_t radius_das_input_fn(void *ctx, struct radius_das_port *port,
	const struct sockaddr_storage *from, const struct sockaddr_storage *local,
	const uint8_t *octets, size_t len, uint8_t reply[RADIUS_PACKET_MAX]);

/* Binds a socket and watches it. host is borrowed. 0 and *ret_port, or -errno. */
int radius_das_port_open(const struct radius_host *host, const struct sockaddr_storage *addr,
	radius_das_input_fn *input, void *ctx, struct radius_das_port **ret_port);
/* NULL does nothing. Not from inside input. */
void radius_das_port_close(struct radius_das_port *port);

/* Sends a reply that came later. What cannot be sent is as good as lost on the way. */
void radius_das_port_send(struct radius_das_port *port, const struct sockaddr_storage *to,
	const struct sockaddr_storage *local, const uint8_t *reply, size_t len);

/* The address that it was opened for. */
const struct sockaddr_storage *radius_das_port_addr(const struct radius_das_port *port);

#endif
