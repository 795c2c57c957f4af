/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * authorization: what a subscriber's profile grants, from an Access-Accept or the users file, laid over
 * the defaults of its `ppp` section. attributes.c has the table of what an Access-Accept may say.
 */
#ifndef LNS_SUBSCRIBER_AUTHORIZATION_H
#define LNS_SUBSCRIBER_AUTHORIZATION_H

#include "lns/addr.h"
#include "lns/kernel/kernel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_ppp;
struct config_user;
struct radius_attrs;

/* Where the client's address comes from. */
enum authorization_address {
	AUTHORIZATION_POOL,         /* a free one of `pool` */
	AUTHORIZATION_FIXED,        /* `remote` */
	AUTHORIZATION_PEER_CHOOSES, /* what the client asks for */
};

#define AUTHORIZATION_ROUTES 32 /* of one subscriber */
#define AUTHORIZATION_DNS6   4  /* IPv6 name servers, the same */

struct authorization_route {
	struct addr_prefix prefix;
	uint32_t gateway; /* host byte order; 0: the client, whatever its address */
};

struct authorization {
	char user[254]; /* User-Name of the Accept, "" = as authenticated */
	enum authorization_address address;
	uint32_t local, remote; /* host byte order */
	uint32_t netmask;       /* Framed-IP-Netmask, host byte order; 0 = none */
	uint32_t dns[2], wins[2];
	char pool[64];
	bool pool_given; /* by the profile */
	uint16_t mtu;
	bool ipv4, ipv6;
	bool has_interface_id;
	uint8_t interface_id[8];
	uint64_t session_timeout, idle_timeout, interim; /* microseconds, 0 = none */
	unsigned int max_sessions;                       /* of the user, 0 = no limit */
	struct kernel_limits limits;
	struct authorization_route routes[AUTHORIZATION_ROUTES];
	size_t route_count;
	char message[256];            /* Reply-Message */
	struct radius_attrs *classes; /* every Class, in order; owned, or NULL */
	struct radius_attrs *echoed;  /* what accounting repeats besides; owned, or NULL */
};

/* The defaults of a `ppp` section; 0 and *ret (caller frees), or -ENOMEM. */
int authorization_new(
	const struct config_ppp *ppp, uint64_t interim, struct authorization **ret_authorization);
void authorization_free(struct authorization *authorization);

/* Lays a user of the users file over it. */
void authorization_apply_user(struct authorization *authorization, const struct config_user *user);

/*
 * Lays an Access-Accept over it. 0; -EINVAL with ret_why naming the attribute that cannot be obeyed and
 * must not be ignored; -ENOMEM. What is not obeyed, or only in part, is named in ret_ignored ("" =
 * nothing).
 */
int authorization_apply_reply(struct authorization *authorization, const struct radius_attrs *reply,
	char *ret_why, size_t why_size, char *ret_ignored, size_t ignored_size);

#endif
