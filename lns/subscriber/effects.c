// SPDX-License-Identifier: BSD-2-Clause
/*
 * effects: what each attribute of an Access-Accept does to an authorization. See effects.h.
 */
#include "lns/subscriber/effects.h"

#include "lns/env.h"
#include "lns/subscriber/rates.h"
#include "lns/subscriber/route.h"
#include "radius/attr_codes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define MTU_MIN     576
#define MTU_MAX     1500
#define INTERIM_MIN 60 /* seconds, RFC 2869 section 5.16 */

uint32_t attribute_number(const struct attribute_value *value)
{
	uint32_t number = 0;

	if (value->len == sizeof(number))
		memcpy(&number, value->data, sizeof(number));
	return ntohl(number);
}

/* Copies a text whole, or not at all. */
static int copy_text(const struct attribute_value *value, char *out, size_t size)
{
	if (value->len == 0 || value->len >= size || memchr(value->data, '\0', value->len))
		return -EINVAL;
	memcpy(out, value->data, value->len);
	out[value->len] = '\0';
	return 0;
}

static int echo(struct radius_attrs **list, const struct attribute_value *value)
{
	if (!*list)
		*list = radius_attrs_new();
	return *list ? radius_add_octets(*list, value->code, value->data, value->len) : -ENOMEM;
}

int effect_elsewhere(struct authorization *auth, const struct attribute_value *value)
{
	(void)auth;
	(void)value;
	return 0;
}

int effect_refused(struct authorization *auth, const struct attribute_value *value)
{
	(void)auth;
	(void)value;
	return -EINVAL;
}

/* The value that asks for what is done anyway. */
int effect_zero(struct authorization *auth, const struct attribute_value *value)
{
	(void)auth;
	return attribute_number(value) == 0 ? 0 : -EINVAL;
}

int effect_user(struct authorization *auth, const struct attribute_value *value)
{
	return copy_text(value, auth->user, sizeof(auth->user));
}

int effect_service(struct authorization *auth, const struct attribute_value *value)
{
	(void)auth;
	return attribute_number(value) == RADIUS_SERVICE_FRAMED ? 0 : -EINVAL;
}

int effect_protocol(struct authorization *auth, const struct attribute_value *value)
{
	(void)auth;
	return attribute_number(value) == RADIUS_FRAMED_PPP ? 0 : -EINVAL;
}

/* Framed-IP-Address, RFC 2865 section 5.8: two values have a meaning of their own. */
int effect_address(struct authorization *auth, const struct attribute_value *value)
{
	uint32_t addr = attribute_number(value);

	if (addr == RADIUS_ADDRESS_USER_CHOOSES) {
		auth->address = AUTHORIZATION_PEER_CHOOSES;
		return 0;
	}
	if (addr == RADIUS_ADDRESS_NAS_CHOOSES) {
		auth->address = AUTHORIZATION_POOL;
		return 0;
	}
	if (addr >> 24 == 0 || addr >> 24 == 127 || addr >> 28 >= 0xe)
		return -EINVAL;
	auth->address = AUTHORIZATION_FIXED;
	auth->remote = addr;
	return 0;
}

int effect_netmask(struct authorization *auth, const struct attribute_value *value)
{
	if (route_mask_len(attribute_number(value)) <= 0)
		return -EINVAL;
	auth->netmask = attribute_number(value);
	return 0;
}

int effect_pool(struct authorization *auth, const struct attribute_value *value)
{
	auth->pool_given = true;
	return copy_text(value, auth->pool, sizeof(auth->pool));
}

int effect_mtu(struct authorization *auth, const struct attribute_value *value)
{
	uint32_t mtu = attribute_number(value);

	if (mtu < MTU_MIN || mtu > MTU_MAX)
		return -EINVAL;
	if (mtu < auth->mtu)
		auth->mtu = (uint16_t)mtu;
	return 0;
}

int effect_session_timeout(struct authorization *auth, const struct attribute_value *value)
{
	auth->session_timeout = ENV_SEC(attribute_number(value));
	return 0;
}

int effect_idle_timeout(struct authorization *auth, const struct attribute_value *value)
{
	auth->idle_timeout = ENV_SEC(attribute_number(value));
	return 0;
}

int effect_interim(struct authorization *auth, const struct attribute_value *value)
{
	uint32_t seconds = attribute_number(value);

	if (seconds != 0 && seconds < INTERIM_MIN)
		return -EINVAL;
	auth->interim = ENV_SEC(seconds);
	return 0;
}

int effect_port_limit(struct authorization *auth, const struct attribute_value *value)
{
	if (attribute_number(value) == 0)
		return -EINVAL;
	auth->max_sessions = attribute_number(value);
	return 0;
}

int effect_message(struct authorization *auth, const struct attribute_value *value)
{
	return copy_text(value, auth->message, sizeof(auth->message));
}

int effect_class(struct authorization *auth, const struct attribute_value *value)
{
	return echo(&auth->classes, value);
}

int effect_cui(struct authorization *auth, const struct attribute_value *value)
{
	return echo(&auth->echoed, value);
}

int effect_interface_id(struct authorization *auth, const struct attribute_value *value)
{
	if (value->len != sizeof(auth->interface_id))
		return -EINVAL;
	memcpy(auth->interface_id, value->data, value->len);
	auth->has_interface_id = true;
	return echo(&auth->echoed, value);
}

int authorization_add_route(struct authorization *auth, const struct authorization_route *route)
{
	if (auth->route_count == AUTHORIZATION_ROUTES)
		return -EINVAL;
	auth->routes[auth->route_count++] = *route;
	return 0;
}

int effect_route(struct authorization *auth, const struct attribute_value *value)
{
	int family = value->code == RADIUS_FRAMED_ROUTE ? AF_INET : AF_INET6;
	struct authorization_route route;
	int err = route_parse((const char *)value->data, value->len, family, &route);

	return err < 0 ? err : authorization_add_route(auth, &route);
}

/* A route and a line in accounting; advertisements and DHCPv6, which would deliver it, are not ours. */
int effect_prefix6(struct authorization *auth, const struct attribute_value *value)
{
	struct authorization_route route = { .prefix.addr.in6.sin6_family = AF_INET6 };
	struct in6_addr *addr = &route.prefix.addr.in6.sin6_addr;
	int err;

	if (value->len < 2 || value->len > 18 || value->data[1] == 0 || value->data[1] > 128)
		return -EINVAL;
	route.prefix.len = value->data[1];
	memcpy(addr, value->data + 2, value->len - 2);
	for (unsigned int bit = route.prefix.len; bit < 128; bit++)
		addr->s6_addr[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	err = authorization_add_route(auth, &route);
	err = err < 0 ? err : echo(&auth->echoed, value);
	return err < 0 ? err : ATTRIBUTE_IN_PART;
}

/* RFC 3162 section 2.6. Who hands out prefixes knows the pools; IPV6CP has no place for any of it. */
int effect_pool6(struct authorization *auth, const struct attribute_value *value)
{
	char name[254];
	int err = copy_text(value, name, sizeof(name));

	err = err < 0 ? err : echo(&auth->echoed, value);
	return err < 0 ? err : ATTRIBUTE_IN_PART;
}

/* RFC 6911 section 3.2. */
int effect_dns6(struct authorization *auth, const struct attribute_value *value)
{
	struct in6_addr addr;
	const uint8_t *other;
	size_t len;
	int err;

	if (value->len != sizeof(addr))
		return -EINVAL;
	memcpy(&addr, value->data, sizeof(addr));
	if (IN6_IS_ADDR_UNSPECIFIED(&addr) || IN6_IS_ADDR_LOOPBACK(&addr) ||
		IN6_IS_ADDR_MULTICAST(&addr) ||
		(auth->echoed && radius_get_octets(auth->echoed, value->code,
					 AUTHORIZATION_DNS6 - 1, &other, &len)))
		return -EINVAL;
	err = echo(&auth->echoed, value);
	return err < 0 ? err : ATTRIBUTE_IN_PART;
}

int effect_dns(struct authorization *auth, const struct attribute_value *value)
{
	auth->dns[value->code == RADIUS_MS_SECONDARY_DNS_SERVER] = attribute_number(value);
	return 0;
}

int effect_wins(struct authorization *auth, const struct attribute_value *value)
{
	auth->wins[value->code == RADIUS_MS_SECONDARY_NBNS_SERVER] = attribute_number(value);
	return 0;
}

int effect_rate(struct authorization *auth, const struct attribute_value *value)
{
	int err = rates_read(&auth->limits, value->code, value->data, value->len);

	return err < 0 ? -EINVAL : 0;
}
