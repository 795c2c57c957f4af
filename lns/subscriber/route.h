/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route: the networks behind a subscriber: the text of Framed-Route and Framed-IPv6-Route, and the
 * kernel's routes, which come with the family of the network and go with it or with the interface.
 */
#ifndef LNS_SUBSCRIBER_ROUTE_H
#define LNS_SUBSCRIBER_ROUTE_H

#include "lns/ppp/channel_proto.h"
#include "lns/subscriber/authorization.h"

struct subscriber;

/*
 * "203.0.113.0/24 0.0.0.0 1" (RFC 2865 section 5.22) or "2001:db8:1::/48 :: 1" (RFC 3162 section 2.5):
 * prefix, gateway, metrics. Without a length an IPv4 prefix has that of its class; gateway and metrics
 * may be missing. Metrics have no meaning where one interface is all there is. 0 or -EINVAL, also for
 * host bits that are set, for the default route of IPv6 with a gateway, and for loopback and multicast.
 */
int route_parse(const char *text, size_t len, int family, struct authorization_route *ret_route);

/* A contiguous netmask in host byte order: the length of its prefix, or -EINVAL. */
int route_mask_len(uint32_t netmask);

/* Adds the routes of a family whose network came up. It may end the session, never free it. */
void subscriber_routes_up(struct subscriber *sub, enum ppp_family family);
/* Takes them away, as the family's network went and the interface stays. */
void subscriber_routes_down(struct subscriber *sub, enum ppp_family family);
/* Forgets what is in work: the interface takes the routes along. */
void subscriber_routes_free(struct subscriber *sub);

#endif
