/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * das: a dynamic authorization server (RFC 5176): takes Disconnect- and CoA-Requests of known clients,
 * hands each one that is genuine, new and well-formed to its owner, and answers.
 *
 * Believed is what comes from a client's address, with a right Request Authenticator, a right
 * Message-Authenticator when there is one, and an Event-Timestamp, when there is one, at most 300 s
 * off. The rest is dropped, counted and logged at most once in 10 s for each reason. A request that
 * comes again gets the reply that it got before, and nobody is asked; while the owner has not decided
 * yet, it gets none.
 */
#ifndef RADIUS_DAS_H
#define RADIUS_DAS_H

#include "radius/packet.h"

struct radius_das;

/* What a request says. Bits of radius_das_request.given, one for each field. */
enum radius_das_field {
	RADIUS_DAS_NAS_IP = 1 << 0,
	RADIUS_DAS_NAS_IPV6 = 1 << 1,
	RADIUS_DAS_NAS_IDENTIFIER = 1 << 2,

	RADIUS_DAS_ACCT_SESSION_ID = 1 << 3,
	RADIUS_DAS_USER_NAME = 1 << 4,
	RADIUS_DAS_FRAMED_IP = 1 << 5,
	RADIUS_DAS_NAS_PORT = 1 << 6,
	RADIUS_DAS_NAS_PORT_ID = 1 << 7,
	RADIUS_DAS_CALLING_STATION_ID = 1 << 8,
	RADIUS_DAS_CALLED_STATION_ID = 1 << 9,

	RADIUS_DAS_SESSION_TIMEOUT = 1 << 10,
	RADIUS_DAS_IDLE_TIMEOUT = 1 << 11,
	RADIUS_DAS_INTERIM = 1 << 12,
	RADIUS_DAS_CLASS = 1 << 13,

	RADIUS_DAS_EVENT_TIME = 1 << 14,

	RADIUS_DAS_RATES = 1 << 15,

	RADIUS_DAS_ACCT_MULTI_SESSION_ID = 1 << 16,
};
#define RADIUS_DAS_SESSION 0x103f8 /* fields that say which session */
#define RADIUS_DAS_CHANGE  0xbc00  /* fields that a CoA-Request changes */

#define RADIUS_DAS_TEXT 254 /* an attribute's text, terminated */

struct radius_das_request {
	enum radius_packet_code code;  /* RADIUS_DISCONNECT_REQUEST or RADIUS_COA_REQUEST */
	const char *client;            /* address, for people */
	struct sockaddr_storage local; /* where it arrived; AF_UNSPEC: unknown */
	unsigned int given;            /* which of the fields below; at least one of _SESSION, of a
					 CoA-Request at least one of _CHANGE */
	uint32_t nas_ip;               /* IPv4 addresses in host byte order */
	struct in6_addr nas_ipv6;
	char nas_identifier[RADIUS_DAS_TEXT];

	char acct_session_id[RADIUS_DAS_TEXT], user_name[RADIUS_DAS_TEXT];
	char acct_multi_session_id[RADIUS_DAS_TEXT];
	uint32_t framed_ip, nas_port;
	char nas_port_id[RADIUS_DAS_TEXT];
	char calling_station_id[RADIUS_DAS_TEXT], called_station_id[RADIUS_DAS_TEXT];

	uint32_t session_timeout, idle_timeout, interim; /* seconds */
	const struct radius_attrs *classes;              /* every Class, in order */
	const struct radius_attrs *rates;                /* every vendor's, in order, unread */

	uint32_t event_time; /* seconds since 1970 */

	uint64_t ticket; /* for radius_das_decide; never 0, never repeated */
};

/*
 * Does what the request asks for, wholly or not at all. 0 when it is done beyond recall (ACK), else why
 * it is not: an Error-Cause (RFC 5176 section 3.5, enum radius_error_cause); or RADIUS_DAS_LATER, and then
 * radius_das_decide once. The request is borrowed. May not free or configure the server, or decide.
 */
#define RADIUS_DAS_LATER UINT32_MAX
typedef unsigned int radius_das_fn(void *ctx, const struct radius_das_request *request);

struct radius_das_client_config {
	struct sockaddr_storage addr; /* port of no meaning */
	uint8_t secret[RADIUS_SECRET_MAX];
	size_t secret_len;
};

#define RADIUS_DAS_LISTEN_MAX 8

struct radius_das_config {
	const struct sockaddr_storage *listen; /* with port */
	size_t listen_count;                   /* at most RADIUS_DAS_LISTEN_MAX */
	const struct radius_das_client_config *clients;
	size_t client_count;
};

/* A server without sockets or clients. Copies host. 0 and *ret_das, or -ENOMEM. */
int radius_das_new(const struct radius_host *host, radius_das_fn *handle, void *ctx,
	struct radius_das **ret_das);
/* Closes the sockets and wipes the secrets. NULL does nothing. */
void radius_das_free(struct radius_das *das);

/*
 * Takes another configuration (copied), keeping sockets, counters and known replies that still apply.
 * 0, or -errno: everything is as before, and *ret_failed (may be NULL) is the index of the address
 * that cannot be bound, listen_count when it is none. -EINVAL: an address twice, too many of them, or a
 * secret that is empty or too long.
 */
int radius_das_configure(
	struct radius_das *das, const struct radius_das_config *config, size_t *ret_failed);

/*
 * Takes one datagram that came from `from` to `local` and makes the reply to it. Its length; 0: none is
 * sent. Called for what the sockets receive; tests and fuzzers have no need of them.
 */
size_t radius_das_take(struct radius_das *das, const struct sockaddr_storage *from,
	const struct sockaddr_storage *local, const uint8_t *octets, size_t len,
	uint8_t reply[RADIUS_PACKET_MAX]);

/*
 * The owner's word, as handle would have given it, on the request of that ticket. A ticket that is not known
 * (of a server that was freed meanwhile) is passed over.
 */
void radius_das_decide(struct radius_das *das, uint64_t ticket, unsigned int cause);

struct radius_das_info {
	char client[64];
	uint64_t disconnects, coas;  /* requests that were believed, without repeated ones */
	uint64_t acks, naks;         /* how these were answered */
	uint64_t duplicates;         /* answered again */
	uint64_t malformed;          /* dropped: not well-formed, or no request of ours */
	uint64_t bad_authenticators; /* dropped: wrong secret, or forged */
	uint64_t stale;              /* dropped: Event-Timestamp too far off */
};
size_t radius_das_client_count(const struct radius_das *das);
void radius_das_client_info(
	const struct radius_das *das, size_t index, struct radius_das_info *ret_info);
/* Datagrams from addresses that no client has. */
uint64_t radius_das_strangers(const struct radius_das *das);

#endif
