// SPDX-License-Identifier: BSD-2-Clause
/*
 * authorization: the defaults of a `ppp` section and what the users file lays over them. What an
 * Access-Accept lays over them is in attributes.c.
 */
#include "lns/subscriber/authorization.h"

#include "lns/config/config.h"
#include "radius/radius.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int authorization_new(
	const struct config_ppp *ppp, uint64_t interim, struct authorization **ret_authorization)
{
	struct authorization *auth = calloc(1, sizeof(*auth));

	if (!auth)
		return -ENOMEM;
	auth->address = AUTHORIZATION_POOL;
	auth->local = addr_in4(&ppp->local_address);
	for (int i = 0; i < 2; i++) {
		auth->dns[i] = addr_in4(&ppp->dns[i]);
		auth->wins[i] = addr_in4(&ppp->wins[i]);
	}
	snprintf(auth->pool, sizeof(auth->pool), "%s", ppp->pool);
	auth->mtu = ppp->mtu;
	auth->ipv4 = ppp->ipv4;
	auth->ipv6 = ppp->ipv6;
	auth->session_timeout = ppp->session_timeout;
	auth->idle_timeout = ppp->idle_timeout;
	auth->max_sessions = ppp->max_sessions_per_user;
	auth->interim = interim;
	auth->limits.down.rate = ppp->rate_down;
	auth->limits.up.rate = ppp->rate_up;
	*ret_authorization = auth;
	return 0;
}

void authorization_free(struct authorization *auth)
{
	if (!auth)
		return;
	radius_attrs_free(auth->classes);
	radius_attrs_free(auth->echoed);
	free(auth);
}

void authorization_apply_user(struct authorization *auth, const struct config_user *user)
{
	uint32_t address = addr_in4(&user->address);

	if (user->rate_down != CONFIG_RATE_DEFAULT)
		auth->limits.down.rate = user->rate_down;
	if (user->rate_up != CONFIG_RATE_DEFAULT)
		auth->limits.up.rate = user->rate_up;
	if (!address)
		return;
	auth->address = AUTHORIZATION_FIXED;
	auth->remote = address;
}
