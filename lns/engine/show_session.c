// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/show_session: what the control socket shows of sessions: all of them, the busiest, one.
 */
#include "lns/engine/commands.h"

#include "lns/subscriber/authorization.h"
#include "radius/attr_codes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SCAN 20 /* sessions that are looked at in a step */

json_t *engine_session_item(const struct subscriber_info *info)
{
	return json_pack("{s:I, s:i, s:i, s:o, s:o, s:o, s:s, s:I, s:s, s:o, s:o, s:I, s:I, s:I, "
			 "s:I, s:I}",
		"id", (json_int_t)info->key, "tunnel", info->tunnel_id, "session", info->session_id,
		"user", engine_json_text(info->user), "ip", engine_json_addr(&info->remote, false),
		"ifname", engine_json_text(info->ifname), "state", info->state, "in_state_seconds",
		SECONDS(info->in_state), "lac", info->lac, "calling",
		engine_json_text(info->calling), "called", engine_json_text(info->called), "uptime",
		SECONDS(info->uptime), "rx_octets", (json_int_t)info->counters.rx_octets,
		"tx_octets", (json_int_t)info->counters.tx_octets, "rx_bps",
		(json_int_t)info->rx_bps, "tx_bps", (json_int_t)info->tx_bps);
}

json_t *engine_show_sessions(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	struct subscriber_info info;
	struct subscriber *sub;

	if (*cursor == 0 && !engine_filter_check(engine, args, false, error, size))
		return NULL;
	for (int n = 0; n < SCAN; n++) {
		sub = subscriber_next(engine->subscribers, *cursor);
		if (!sub)
			return NULL;
		subscriber_get_info(sub, &info);
		*cursor = info.key;
		if (engine_filter_session(args, &info))
			return engine_session_item(&info);
	}
	return json_null();
}

/* ---- the busiest ---- */

/* One answer. Owned by its feed, from open to close. */
struct engine_top {
	struct engine *engine;
	struct subscribers_top top;
	json_t *args;
	bool told;
};

static json_t *top_item(const struct engine_top *answer)
{
	const struct engine *engine = answer->engine;
	const struct subscribers_counters *counters = subscribers_get_counters(engine->subscribers);
	json_t *item = json_pack("{s:i, s:I, s:I, s:[]}", "online", (int)counters->online, "rx_bps",
		(json_int_t)counters->rx_bps, "tx_bps", (json_int_t)counters->tx_bps, "sessions");

	for (size_t n = 0; item && n < answer->top.count; n++) {
		const struct subscriber *sub =
			subscriber_find(engine->subscribers, answer->top.busiest[n].key);
		struct subscriber_info info;

		if (!sub)
			continue;
		subscriber_get_info(sub, &info);
		json_array_append_new(
			json_object_get(item, "sessions"), engine_session_item(&info));
	}
	return item;
}

/* Some more sessions; after the last one the answer, a single item. */
static json_t *top_next(void *ctx, struct control_feed *feed)
{
	struct engine_top *answer = control_feed_user(feed);

	(void)ctx;
	if (answer->told)
		return NULL;
	if (subscribers_top_step(answer->engine->subscribers, &answer->top, SCAN))
		return json_null();
	answer->told = true;
	return top_item(answer);
}

int engine_top_open(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size)
{
	struct engine *engine = ctx;
	const json_t *limit = json_object_get(args, "limit");
	json_int_t wanted = json_is_integer(limit) ? json_integer_value(limit) : 20;
	struct engine_top *answer;

	if (wanted < 1 || wanted > SUBSCRIBERS_TOP) {
		snprintf(error, size, "limit: is not 1 to %d", SUBSCRIBERS_TOP);
		return -EINVAL;
	}
	if (!engine_filter_check(engine, args, false, error, size))
		return -ENOENT;
	answer = calloc(1, sizeof(*answer));
	if (!answer)
		return -ENOMEM;
	answer->engine = engine;
	answer->args = args ? json_deep_copy(args) : NULL;
	answer->top.lac = json_string_value(json_object_get(answer->args, "lac"));
	answer->top.user = json_string_value(json_object_get(answer->args, "user"));
	answer->top.max = (size_t)wanted;
	control_feed_set_user(feed, answer);
	control_feed_wait(feed);
	control_feed_supply(feed, top_next);
	return 0;
}

void engine_top_close(void *ctx, struct control_feed *feed)
{
	struct engine_top *answer = control_feed_user(feed);

	(void)ctx;
	json_decref(answer->args);
	free(answer);
}

/* ---- everything about one ---- */

static json_t *call_of(const struct l2tp_call *call)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:o, s:o}", "serial_number",
		(json_int_t)call->serial_number, "bearer_type", (json_int_t)call->bearer_type,
		"framing_type", (json_int_t)call->framing_type, "tx_connect_speed",
		(json_int_t)call->tx_connect_speed, "rx_connect_speed",
		(json_int_t)call->rx_connect_speed, "physical_channel",
		(json_int_t)call->physical_channel_id, "sequencing_required",
		call->sequencing_required, "sub_address", engine_json_text(call->sub_address),
		"private_group", engine_json_text(call->private_group_id), "agent_circuit_id",
		engine_json_text(call->agent_circuit_id), "agent_remote_id",
		engine_json_text(call->agent_remote_id));
}

/* bit/s and octets; 0: no limit. */
static json_t *limits_of(const struct kernel_limits *limits)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "down", (json_int_t)limits->down.rate,
		"down_peak", (json_int_t)limits->down.peak, "down_burst",
		(json_int_t)limits->down.burst, "up", (json_int_t)limits->up.rate, "up_peak",
		(json_int_t)limits->up.peak, "up_burst", (json_int_t)limits->up.burst);
}

static json_t *phases_of(const struct subscriber_info *info)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "connected_ms",
		(json_int_t)(info->connected / 1000), "forked_ms",
		(json_int_t)(info->forked / 1000), "link_ms", (json_int_t)(info->link / 1000),
		"authorised_ms", (json_int_t)(info->authorised / 1000), "up_ms",
		(json_int_t)(info->up / 1000));
}

/* Every value of an attribute. */
static json_t *values_of(const struct radius_attrs *attrs, radius_code code)
{
	json_t *values = json_array();
	const uint8_t *data;
	char text[512];
	size_t len;

	for (unsigned int i = 0; attrs && radius_get_octets(attrs, code, i, &data, &len); i++) {
		radius_value_text(code, data, len, text, sizeof(text));
		json_array_append_new(values, engine_json_text(text));
	}
	return values;
}

static json_t *granted_of(const struct authorization *granted)
{
	static const char *const sources[] = {
		[AUTHORIZATION_POOL] = "pool",
		[AUTHORIZATION_FIXED] = "profile",
		[AUTHORIZATION_PEER_CHOOSES] = "client",
	};
	json_t *routes = json_array();
	char text[ADDR_TEXT + 8];

	for (size_t n = 0; n < granted->route_count; n++) {
		const struct addr_prefix *prefix = &granted->routes[n].prefix;
		char host[ADDR_TEXT];

		snprintf(text, sizeof(text), "%s/%u", addr_text_host(&prefix->addr, host),
			(unsigned int)prefix->len);
		json_array_append_new(routes, json_string(text));
	}
	return json_pack("{s:s, s:o, s:b, s:b, s:i, s:o, s:o, s:o, s:o, s:o}", "address_from",
		sources[granted->address], "pool", engine_json_text(granted->pool), "ipv4",
		granted->ipv4, "ipv6", granted->ipv6, "max_sessions", (int)granted->max_sessions,
		"routes", routes, "ipv6_prefixes",
		values_of(granted->echoed, RADIUS_FRAMED_IPV6_PREFIX), "delegated_ipv6_prefixes",
		values_of(granted->echoed, RADIUS_DELEGATED_IPV6_PREFIX), "ipv6_pools",
		values_of(granted->echoed, RADIUS_FRAMED_IPV6_POOL), "ipv6_dns",
		values_of(granted->echoed, RADIUS_DNS_SERVER_IPV6_ADDRESS));
}

/* The ids that the kernel has: a tunnel's and a session's, ours and the peer's, and the interface. */
static json_t *kernel_of(const struct subscriber_info *info)
{
	struct l2tp_tunnel_info tunnel = { 0 };
	struct l2tp_session_info session = { 0 };

	if (info->l2tp) {
		l2tp_tunnel_info(l2tp_session_tunnel(info->l2tp), &tunnel);
		l2tp_session_info(info->l2tp, &session);
	}
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:o}", "tunnel_id", info->tunnel_id,
		"peer_tunnel_id", tunnel.peer_id, "session_id", info->session_id, "peer_session_id",
		session.peer_id, "ifindex", (int)info->ifindex, "ifname",
		engine_json_text(info->ifname));
}

static void add_place(json_t *item, const struct subscriber_info *info)
{
	struct l2tp_tunnel_info tunnel = { 0 };

	if (info->l2tp)
		l2tp_tunnel_info(l2tp_session_tunnel(info->l2tp), &tunnel);
	json_object_update_new(item,
		json_pack("{s:o, s:o, s:s, s:s, s:o, s:o, s:o}", "peer",
			engine_json_addr(&tunnel.path.peer, true), "local",
			engine_json_addr(&tunnel.path.local, true), "peer_host", info->peer_host,
			"ppp", info->ppp, "kernel", kernel_of(info), "phases", phases_of(info),
			"call", info->call ? call_of(info->call) : json_null()));
}

json_t *engine_show_session(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	struct subscriber_info info;
	struct subscriber *sub;
	json_t *item;

	if (*cursor)
		return NULL;
	*cursor = DONE;
	sub = engine_control_session(engine, args, error, size);
	if (!sub)
		return NULL;
	subscriber_get_info(sub, &info);
	item = engine_session_item(&info);
	if (!item)
		return NULL;
	json_object_update_new(item,
		json_pack("{s:s, s:o, s:s, s:o, s:i, s:i, s:o, s:o, s:o, s:i, s:I, s:I, s:I, s:I, "
			  "s:I, s:b, s:I, s:o, s:o, s:o}",
			"acct_session_id", info.acct_session_id, "called_at",
			engine_json_time(info.created_wallclock), "auth", info.auth,
			"radius_server", engine_json_text(info.radius_server), "pid", info.pid,
			"ifindex", (int)info.ifindex, "local_ip",
			engine_json_addr(&info.local, false), "dns1",
			engine_json_addr(&info.dns[0], false), "dns2",
			engine_json_addr(&info.dns[1], false), "mtu", info.mtu, "session_timeout",
			SECONDS(info.session_timeout), "idle_timeout", SECONDS(info.idle_timeout),
			"interim", SECONDS(info.interim), "rx_packets",
			(json_int_t)info.counters.rx_packets, "tx_packets",
			(json_int_t)info.counters.tx_packets, "sequencing", info.sequencing,
			"reorder_timeout_ms", (json_int_t)(info.reorder_timeout / 1000), "granted",
			info.granted ? granted_of(info.granted) : json_null(), "ending",
			engine_json_text(info.end), "ending_detail",
			engine_json_text(info.end ? info.detail : NULL)));
	json_object_set_new(item, "limits", limits_of(&info.limits));
	add_place(item, &info);
	return item;
}
