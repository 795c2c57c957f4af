// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/hooks: tells the hook process which sessions come up and go down; what it shows of it.
 */
#include "lns/engine/internal.h"

#include "lns/subscriber/accounting.h"
#include "lns/subscriber/authorization.h"
#include "radius/attr_codes.h"

#include <stdio.h>
#include <string.h>

static void copy(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

/* Every value of an attribute, blanks in between; one that does not fit is left out, with all behind it. */
static void list_values(const struct radius_attrs *attrs, radius_code code, char *out, size_t size)
{
	const uint8_t *data;
	char text[512];
	size_t used = 0, len;

	*out = '\0';
	for (unsigned int i = 0; radius_get_octets(attrs, code, i, &data, &len); i++) {
		radius_value_text(code, data, len, text, sizeof(text));
		if (used + strlen(text) + 2 > size)
			return;
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? " " : "", text);
	}
}

/* What an Access-Accept said of IPv6 that PPP has no place for. */
static void describe_ipv6(const struct radius_attrs *attrs, struct hooks_event *event)
{
	list_values(attrs, RADIUS_FRAMED_IPV6_PREFIX, event->prefixes, sizeof(event->prefixes));
	list_values(
		attrs, RADIUS_DELEGATED_IPV6_PREFIX, event->delegated, sizeof(event->delegated));
	list_values(attrs, RADIUS_FRAMED_IPV6_POOL, event->pool6, sizeof(event->pool6));
	list_values(attrs, RADIUS_DNS_SERVER_IPV6_ADDRESS, event->dns6, sizeof(event->dns6));
}

static void describe(const struct engine *engine, const struct subscriber *subscriber,
	enum hooks_kind kind, struct hooks_event *event)
{
	struct subscriber_info info;

	subscriber_get_info(subscriber, &info);
	*event = (struct hooks_event){
		.kind = (uint16_t)kind,
		.tunnel = info.tunnel_id,
		.call = info.session_id,
		.cause = info.terminate_cause,
		.ifindex = info.ifindex,
		.local = info.local.in4.sin_addr.s_addr,
		.remote = info.remote.in4.sin_addr.s_addr,
		.session = info.key,
		.when = env_wallclock(engine->env),
		.up = info.up_wallclock,
		.lasted = info.uptime,
		.rx_octets = info.counters.rx_octets,
		.tx_octets = info.counters.tx_octets,
		.rx_packets = info.counters.rx_packets,
		.tx_packets = info.counters.tx_packets,
	};
	memcpy(event->interface_id, info.interface_id, sizeof(event->interface_id));
	copy(event->user, sizeof(event->user), info.raw_user);
	copy(event->lac, sizeof(event->lac), info.lac);
	copy(event->ppp, sizeof(event->ppp), info.ppp);
	copy(event->auth, sizeof(event->auth), info.auth);
	copy(event->peer_host, sizeof(event->peer_host), info.peer_host);
	copy(event->calling, sizeof(event->calling), info.calling);
	copy(event->called, sizeof(event->called), info.called);
	copy(event->interface, sizeof(event->interface), info.ifname);
	copy(event->reason, sizeof(event->reason), info.end);
	copy(event->detail, sizeof(event->detail), info.detail);
	if (info.granted && info.granted->echoed)
		describe_ipv6(info.granted->echoed, event);
	if (info.peer.sa.sa_family != AF_UNSPEC)
		addr_text_host(&info.peer, event->peer_address);
}

void engine_hooks_went_up(void *ctx, struct subscriber *subscriber)
{
	struct engine *engine = ctx;
	struct hooks_event event;

	if (!engine->config->hooks.on_up[0])
		return;
	describe(engine, subscriber, HOOKS_UP, &event);
	hooks_client_send(engine->hooks, &event);
}

void engine_hooks_went_down(void *ctx, struct subscriber *subscriber)
{
	struct engine *engine = ctx;
	struct hooks_event event;

	if (!engine->config->hooks.on_down[0])
		return;
	describe(engine, subscriber, HOOKS_DOWN, &event);
	hooks_client_send(engine->hooks, &event);
}

/* What the accounting record says of it: the rest died with the engine that knew it. */
static void recall(const struct radius_attrs *attrs, struct hooks_event *event)
{
	const struct {
		radius_code code;
		char *out;
		size_t size;
	} texts[] = {
		{ RADIUS_USER_NAME, event->user, sizeof(event->user) },
		{ RADIUS_CALLING_STATION_ID, event->calling, sizeof(event->calling) },
		{ RADIUS_CALLED_STATION_ID, event->called, sizeof(event->called) },
		{ RADIUS_TUNNEL_CLIENT_AUTH_ID, event->peer_host, sizeof(event->peer_host) },
		{ RADIUS_TUNNEL_CLIENT_ENDPOINT, event->peer_address, sizeof(event->peer_address) },
	};
	const uint8_t *data;
	size_t len;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!radius_get_string(attrs, texts[i].code, texts[i].out, texts[i].size))
			texts[i].out[0] = '\0';
	if (radius_get_octets(attrs, RADIUS_FRAMED_IP_ADDRESS, 0, &data, &len) &&
		len == sizeof(event->remote))
		memcpy(&event->remote, data, len);
	if (radius_get_octets(attrs, RADIUS_FRAMED_INTERFACE_ID, 0, &data, &len) &&
		len == sizeof(event->interface_id))
		memcpy(event->interface_id, data, len);
	describe_ipv6(attrs, event);
}

void engine_hooks_past_down(struct engine *engine, const struct state_session *record,
	const struct accounting_event *stop)
{
	struct kernel_counters since;
	struct radius_attrs *attrs;
	struct hooks_event event;

	if (!engine->config->hooks.on_down[0])
		return;
	accounting_since(record, stop->counters, &since);
	event = (struct hooks_event){
		.kind = HOOKS_DOWN,
		.tunnel = record->tunnel_id,
		.call = record->session_id,
		.cause = stop->terminate_cause,
		.ifindex = record->ifindex,
		.session = record->key,
		.when = stop->wallclock,
		.up = record->up_wallclock,
		.lasted = stop->clock > record->up_clock ? stop->clock - record->up_clock : 0,
		.rx_octets = since.rx_octets,
		.tx_octets = since.tx_octets,
		.rx_packets = since.rx_packets,
		.tx_packets = since.tx_packets,
	};
	copy(event.reason, sizeof(event.reason), end_rule(END_ENGINE)->text);
	if (record->attrs_len <= sizeof(record->attrs) &&
		radius_attrs_decode(record->attrs, record->attrs_len, &attrs) == 0) {
		recall(attrs, &event);
		radius_attrs_free(attrs);
	}
	hooks_client_send(engine->hooks, &event);
}

json_t *engine_hooks_json(const struct engine *engine)
{
	struct hooks_client_info info;
	json_t *item;

	hooks_client_info(engine->hooks, &info);
	item = json_pack("{s:i, s:i}", "waiting", (int)info.waiting, "running", (int)info.running);
	for (int kind = 0; item && kind < HOOKS_KINDS; kind++) {
		char name[32];

		for (int result = 0; result < HOOKS_RESULTS; result++) {
			snprintf(name, sizeof(name), "%s_%s", hooks_kind_word(kind),
				hooks_result_word(result));
			json_object_set_new(
				item, name, json_integer((json_int_t)info.results[kind][result]));
		}
	}
	return item;
}
