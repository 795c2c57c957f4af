/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * effects: what the attributes of an Access-Accept do; rows of the table in attributes.c name them.
 *
 * Each lays one value over an authorization: 0, ATTRIBUTE_IN_PART, -EINVAL for a value that cannot be
 * obeyed, or -ENOMEM.
 */
#ifndef LNS_SUBSCRIBER_EFFECTS_H
#define LNS_SUBSCRIBER_EFFECTS_H

#include "lns/subscriber/authorization.h"
#include "radius/radius.h"

#define ATTRIBUTE_IN_PART 1 /* accounted, perhaps routed, not delivered */

struct attribute_value {
	radius_code code;
	const uint8_t *data;
	size_t len;
};

/* A number or IPv4 address in host byte order; 0 when it is none. */
uint32_t attribute_number(const struct attribute_value *value);
/* 0, or -EINVAL when there are too many. */
int authorization_add_route(struct authorization *auth, const struct authorization_route *route);

/* Obeyed by others. */
int effect_elsewhere(struct authorization *auth, const struct attribute_value *value);
/* Never obeyed. */
int effect_refused(struct authorization *auth, const struct attribute_value *value);
/* Obeyed when it asks for what is done anyway. */
int effect_zero(struct authorization *auth, const struct attribute_value *value);
int effect_user(struct authorization *auth, const struct attribute_value *value);
int effect_service(struct authorization *auth, const struct attribute_value *value);
int effect_protocol(struct authorization *auth, const struct attribute_value *value);
int effect_address(struct authorization *auth, const struct attribute_value *value);
int effect_netmask(struct authorization *auth, const struct attribute_value *value);
int effect_pool(struct authorization *auth, const struct attribute_value *value);
int effect_mtu(struct authorization *auth, const struct attribute_value *value);
int effect_session_timeout(struct authorization *auth, const struct attribute_value *value);
int effect_idle_timeout(struct authorization *auth, const struct attribute_value *value);
int effect_interim(struct authorization *auth, const struct attribute_value *value);
int effect_port_limit(struct authorization *auth, const struct attribute_value *value);
int effect_message(struct authorization *auth, const struct attribute_value *value);
int effect_class(struct authorization *auth, const struct attribute_value *value);
int effect_cui(struct authorization *auth, const struct attribute_value *value);
int effect_interface_id(struct authorization *auth, const struct attribute_value *value);
int effect_route(struct authorization *auth, const struct attribute_value *value);
int effect_prefix6(struct authorization *auth, const struct attribute_value *value);
int effect_pool6(struct authorization *auth, const struct attribute_value *value);
int effect_dns6(struct authorization *auth, const struct attribute_value *value);
int effect_dns(struct authorization *auth, const struct attribute_value *value);
int effect_rate(struct authorization *auth, const struct attribute_value *value);
int effect_wins(struct authorization *auth, const struct attribute_value *value);

#endif
