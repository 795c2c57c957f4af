// SPDX-License-Identifier: BSD-2-Clause
/*
 * authorization: one row per attribute of an Access-Accept that we obey (RFC 2865, 2869, 2548, 3162).
 * A row's function returns 0, or -EINVAL when the value cannot be obeyed.
 */
#include "lns/subscriber/authorization.h"

#include "lns/config/config.h"
#include "lns/env.h"
#include "radius/attr_codes.h"
#include "radius/radius.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MTU_MIN 576
#define MTU_MAX 1500

static uint32_t in4_of(const union addr *addr)
{
	return addr->sa.sa_family == AF_INET ? ntohl(addr->in4.sin_addr.s_addr) : 0;
}

int authorization_new(
	const struct config_ppp *ppp, uint64_t interim, struct authorization **ret_authorization)
{
	struct authorization *auth = calloc(1, sizeof(*auth));

	if (!auth)
		return -ENOMEM;
	auth->address = AUTHORIZATION_POOL;
	auth->local = in4_of(&ppp->local_address);
	for (int i = 0; i < 2; i++) {
		auth->dns[i] = in4_of(&ppp->dns[i]);
		auth->wins[i] = in4_of(&ppp->wins[i]);
	}
	snprintf(auth->pool, sizeof(auth->pool), "%s", ppp->pool);
	auth->mtu = ppp->mtu;
	auth->ipv4 = ppp->ipv4;
	auth->ipv6 = ppp->ipv6;
	auth->session_timeout = ppp->session_timeout;
	auth->idle_timeout = ppp->idle_timeout;
	auth->interim = interim;
	*ret_authorization = auth;
	return 0;
}

void authorization_free(struct authorization *auth)
{
	if (!auth)
		return;
	radius_attrs_free(auth->classes);
	free(auth);
}

void authorization_apply_user(struct authorization *auth, const struct config_user *user)
{
	uint32_t address = in4_of(&user->address);

	if (!address)
		return;
	auth->address = AUTHORIZATION_FIXED;
	auth->remote = address;
}

/* Framed-IP-Address, RFC 2865 section 5.8: two values have a meaning of their own. */
static int apply_address(struct authorization *auth, uint32_t value)
{
	if (value == RADIUS_ADDRESS_USER_CHOOSES) {
		auth->address = AUTHORIZATION_PEER_CHOOSES;
		return 0;
	}
	if (value == RADIUS_ADDRESS_NAS_CHOOSES) {
		auth->address = AUTHORIZATION_POOL;
		return 0;
	}
	if (value == 0 || IN_MULTICAST(value) || value >> 24 == 127)
		return -EINVAL;
	auth->address = AUTHORIZATION_FIXED;
	auth->remote = value;
	return 0;
}

static int apply_mtu(struct authorization *auth, uint32_t value)
{
	if (value < MTU_MIN || value > MTU_MAX)
		return -EINVAL;
	if (value < auth->mtu)
		auth->mtu = (uint16_t)value;
	return 0;
}

static int apply_session_timeout(struct authorization *auth, uint32_t value)
{
	auth->session_timeout = ENV_SEC(value);
	return 0;
}

static int apply_idle_timeout(struct authorization *auth, uint32_t value)
{
	auth->idle_timeout = ENV_SEC(value);
	return 0;
}

/* Acct-Interim-Interval, RFC 2869 section 5.16: less than 60 is not allowed. */
static int apply_interim(struct authorization *auth, uint32_t value)
{
	if (value != 0 && value < 60)
		return -EINVAL;
	auth->interim = ENV_SEC(value);
	return 0;
}

static int apply_dns_first(struct authorization *auth, uint32_t value)
{
	auth->dns[0] = value;
	return 0;
}

static int apply_dns_second(struct authorization *auth, uint32_t value)
{
	auth->dns[1] = value;
	return 0;
}

static int apply_wins_first(struct authorization *auth, uint32_t value)
{
	auth->wins[0] = value;
	return 0;
}

static int apply_wins_second(struct authorization *auth, uint32_t value)
{
	auth->wins[1] = value;
	return 0;
}

static int apply_service(struct authorization *auth, uint32_t value)
{
	(void)auth;
	return value == RADIUS_SERVICE_FRAMED ? 0 : -EINVAL;
}

static int apply_protocol(struct authorization *auth, uint32_t value)
{
	(void)auth;
	return value == RADIUS_FRAMED_PPP ? 0 : -EINVAL;
}

static const struct {
	radius_code code;
	int (*apply)(struct authorization *auth, uint32_t value);
	bool vital; /* a value that cannot be obeyed ends the session */
} numbers[] = {
	{ RADIUS_SERVICE_TYPE, apply_service, true },
	{ RADIUS_FRAMED_PROTOCOL, apply_protocol, true },
	{ RADIUS_FRAMED_IP_ADDRESS, apply_address, true },
	{ RADIUS_FRAMED_MTU, apply_mtu, false },
	{ RADIUS_SESSION_TIMEOUT, apply_session_timeout, false },
	{ RADIUS_IDLE_TIMEOUT, apply_idle_timeout, false },
	{ RADIUS_ACCT_INTERIM_INTERVAL, apply_interim, false },
	{ RADIUS_MS_PRIMARY_DNS_SERVER, apply_dns_first, false },
	{ RADIUS_MS_SECONDARY_DNS_SERVER, apply_dns_second, false },
	{ RADIUS_MS_PRIMARY_NBNS_SERVER, apply_wins_first, false },
	{ RADIUS_MS_SECONDARY_NBNS_SERVER, apply_wins_second, false },
};

/* Obeyed or echoed by code below or elsewhere. */
static const radius_code others[] = {
	RADIUS_CLASS,
	RADIUS_FRAMED_POOL,
	RADIUS_REPLY_MESSAGE,
	RADIUS_USER_NAME,
	RADIUS_FRAMED_INTERFACE_ID,
	RADIUS_MESSAGE_AUTHENTICATOR,
	RADIUS_MS_CHAP2_SUCCESS,
	RADIUS_MS_MPPE_ENCRYPTION_POLICY,
	RADIUS_MS_MPPE_ENCRYPTION_TYPES,
	RADIUS_MS_MPPE_SEND_KEY,
	RADIUS_MS_MPPE_RECV_KEY,
	RADIUS_PROXY_STATE,
};

struct unknowns {
	char *out;
	size_t size, used;
};

static bool is_known(radius_code code)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].code == code)
			return true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i] == code)
			return true;
	return false;
}

static bool note_unknown(
	void *ctx, radius_code code, const char *name, const uint8_t *data, size_t len)
{
	struct unknowns *unknowns = ctx;
	int n;

	(void)data;
	(void)len;
	if (is_known(code))
		return true;
	n = name ? snprintf(unknowns->out + unknowns->used, unknowns->size - unknowns->used, "%s%s",
			   unknowns->used ? ", " : "", name)
		 : snprintf(unknowns->out + unknowns->used, unknowns->size - unknowns->used,
			   "%sattribute %u of vendor %u", unknowns->used ? ", " : "", code & 0xffff,
			   code >> 16);
	if (n < 0 || unknowns->used + (size_t)n >= unknowns->size)
		return false;
	unknowns->used += (size_t)n;
	return true;
}

static int copy_classes(struct authorization *auth, const struct radius_attrs *reply)
{
	const uint8_t *data;
	size_t len;

	auth->classes = radius_attrs_new();
	if (!auth->classes)
		return -ENOMEM;
	for (unsigned int i = 0; radius_get_octets(reply, RADIUS_CLASS, i, &data, &len); i++) {
		int err = radius_add_octets(auth->classes, RADIUS_CLASS, data, len);

		if (err < 0)
			return err;
	}
	return 0;
}

static int apply_numbers(struct authorization *auth, const struct radius_attrs *reply,
	char *ret_why, size_t why_size, struct unknowns *ignored)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint32_t value;

		if (!radius_get_u32(reply, numbers[i].code, &value) ||
			numbers[i].apply(auth, value) == 0)
			continue;
		if (numbers[i].vital) {
			snprintf(ret_why, why_size, "%s has the value %u",
				radius_attr_name(numbers[i].code), value);
			return -EINVAL;
		}
		ignored->used += (size_t)snprintf(ignored->out + ignored->used,
			ignored->size - ignored->used, "%s%s = %u", ignored->used ? ", " : "",
			radius_attr_name(numbers[i].code), value);
		if (ignored->used >= ignored->size)
			ignored->used = ignored->size - 1;
	}
	return 0;
}

int authorization_apply_reply(struct authorization *auth, const struct radius_attrs *reply,
	char *ret_why, size_t why_size, char *ret_ignored, size_t ignored_size)
{
	struct unknowns ignored = { ret_ignored, ignored_size, 0 };
	const uint8_t *data;
	size_t len;
	int err;

	ret_why[0] = ret_ignored[0] = '\0';
	/* A filter that is not applied would let through what must not pass. */
	if (radius_get_octets(reply, RADIUS_FILTER_ID, 0, &data, &len)) {
		snprintf(ret_why, why_size, "Filter-Id is not supported");
		return -EINVAL;
	}
	err = apply_numbers(auth, reply, ret_why, why_size, &ignored);
	if (err < 0)
		return err;
	if (radius_get_string(reply, RADIUS_FRAMED_POOL, auth->pool, sizeof(auth->pool)) &&
		auth->address != AUTHORIZATION_FIXED)
		auth->address = AUTHORIZATION_POOL;
	radius_get_string(reply, RADIUS_USER_NAME, auth->user, sizeof(auth->user));
	radius_get_string(reply, RADIUS_REPLY_MESSAGE, auth->message, sizeof(auth->message));
	if (radius_get_octets(reply, RADIUS_FRAMED_INTERFACE_ID, 0, &data, &len) && len == 8) {
		memcpy(auth->interface_id, data, 8);
		auth->has_interface_id = true;
	}
	radius_attrs_each(reply, note_unknown, &ignored);
	return copy_classes(auth, reply);
}
