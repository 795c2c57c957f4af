// SPDX-License-Identifier: BSD-2-Clause
/*
 * accounting: what RADIUS hears of a session (RFC 2866, 2867, 2869).
 *
 * The attributes that say which session this is are made once, at network-up, and kept in the state
 * memory: Start, Interim and Stop repeat them octet by octet, also from another engine. Input is what
 * came from the subscriber; counters are the interface's minus those at network-up.
 */
#include "lns/subscriber/accounting.h"

#include "lns/log.h"
#include "lns/subscriber/internal.h"
#include "radius/attr_codes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAS_PORT(sub) ((uint32_t)(sub)->tunnel_id << 16 | (sub)->session_id)

/* ---- who it is ---- */

static int add_nas(struct radius_attrs *attrs, const struct config *config)
{
	const struct config_radius *radius = &config->radius;
	int err = radius_add_string(attrs, RADIUS_NAS_IDENTIFIER, 0, config->name);

	if (!err && radius->nas_ip.sa.sa_family == AF_INET)
		err = radius_add_addr(attrs, RADIUS_NAS_IP_ADDRESS, &radius->nas_ip.sa);
	if (!err && radius->nas_ipv6.sa.sa_family == AF_INET6)
		err = radius_add_addr(attrs, RADIUS_NAS_IPV6_ADDRESS, &radius->nas_ipv6.sa);
	return err;
}

/* RFC 2868 section 3; there is one tunnel only, so no tag groups its attributes. */
static int add_tunnel(struct radius_attrs *attrs, const struct subscriber *sub)
{
	const struct l2tp_call *call = l2tp_session_call(sub->l2tp);
	struct l2tp_tunnel_info info;
	char peer[ADDR_TEXT], local[ADDR_TEXT], serial[16];
	int err;

	l2tp_tunnel_info(l2tp_session_tunnel(sub->l2tp), &info);
	addr_text_host(&info.path.peer, peer);
	addr_text_host(&info.path.local, local);
	snprintf(serial, sizeof(serial), "%u", call->serial_number);
	err = radius_add_u32(attrs, RADIUS_TUNNEL_TYPE, 0, RADIUS_TUNNEL_L2TP);
	err = err ? err
		  : radius_add_u32(attrs, RADIUS_TUNNEL_MEDIUM_TYPE, 0,
			    info.path.peer.sa.sa_family == AF_INET6 ? RADIUS_MEDIUM_IPV6
								    : RADIUS_MEDIUM_IPV4);
	err = err ? err : radius_add_string(attrs, RADIUS_TUNNEL_CLIENT_ENDPOINT, 0, peer);
	err = err ? err : radius_add_string(attrs, RADIUS_TUNNEL_SERVER_ENDPOINT, 0, local);
	err = err ? err : radius_add_string(attrs, RADIUS_TUNNEL_CLIENT_AUTH_ID, 0, info.host_name);
	err = err ? err
		  : radius_add_string(
			    attrs, RADIUS_TUNNEL_SERVER_AUTH_ID, 0, sub->all->config.config->name);
	err = err ? err : radius_add_string(attrs, RADIUS_TUNNEL_ASSIGNMENT_ID, 0, sub->lac);
	err = err ? err : radius_add_string(attrs, RADIUS_ACCT_TUNNEL_CONNECTION, 0, serial);
	return err;
}

static int add_call(struct radius_attrs *attrs, const struct l2tp_call *call)
{
	char speeds[64];
	int err;

	err = radius_add_string(attrs, RADIUS_CALLED_STATION_ID, 0, call->called_number);
	err = err ? err
		  : radius_add_string(attrs, RADIUS_CALLING_STATION_ID, 0, call->calling_number);
	if (!err && call->tx_connect_speed) {
		uint32_t rx =
			call->rx_connect_speed ? call->rx_connect_speed : call->tx_connect_speed;

		snprintf(speeds, sizeof(speeds), "%u/%u", call->tx_connect_speed, rx);
		err = radius_add_string(attrs, RADIUS_CONNECT_INFO, 0, speeds);
	}
	return err;
}

struct radius_attrs *subscriber_identity(const struct subscriber *sub)
{
	struct radius_attrs *attrs = radius_attrs_new();
	int err = attrs ? 0 : -ENOMEM;

	err = err ? err : radius_add_octets(attrs, RADIUS_USER_NAME, sub->user, strlen(sub->user));
	err = err ? err : add_nas(attrs, sub->all->config.config);
	err = err ? err : radius_add_u32(attrs, RADIUS_NAS_PORT, 0, NAS_PORT(sub));
	err = err ? err : radius_add_u32(attrs, RADIUS_NAS_PORT_TYPE, 0, RADIUS_PORT_VIRTUAL);
	err = err ? err : radius_add_string(attrs, RADIUS_NAS_PORT_ID, 0, sub->name);
	err = err ? err : radius_add_u32(attrs, RADIUS_SERVICE_TYPE, 0, RADIUS_SERVICE_FRAMED);
	err = err ? err : radius_add_u32(attrs, RADIUS_FRAMED_PROTOCOL, 0, RADIUS_FRAMED_PPP);
	err = err ? err : radius_add_string(attrs, RADIUS_ACCT_SESSION_ID, 0, sub->acct_session_id);
	err = err ? err : add_call(attrs, l2tp_session_call(sub->l2tp));
	err = err ? err : add_tunnel(attrs, sub);
	if (!err)
		return attrs;
	radius_attrs_free(attrs);
	return NULL;
}

/* ---- records ---- */

static bool append_class(
	void *ctx, radius_code code, const char *name, const uint8_t *data, size_t len)
{
	(void)name;
	return radius_add_octets(ctx, code, data, len) == 0;
}

/* The identity and what authorisation added, encoded into the state memory. 0 or -errno. */
static int fix_record(struct subscriber *sub, const struct ppp_ncp_up *up)
{
	struct radius_attrs *attrs = subscriber_identity(sub);
	uint32_t address = sub->address_held ? htonl(sub->granted->remote) : up->remote;
	union addr remote = { .in4 = { .sin_family = AF_INET, .sin_addr = { address } } };
	int len, err = attrs ? 0 : -ENOMEM;

	if (!err && address)
		err = radius_add_addr(attrs, RADIUS_FRAMED_IP_ADDRESS, &remote.sa);
	err = err ? err
		  : radius_add_u32(attrs, RADIUS_ACCT_AUTHENTIC, 0,
			    sub->all->config.auth ? RADIUS_AUTHENTIC_RADIUS
						  : RADIUS_AUTHENTIC_LOCAL);
	if (!err && sub->granted && sub->granted->classes)
		radius_attrs_each(sub->granted->classes, append_class, attrs);
	if (!err) {
		len = radius_attrs_encode(attrs, sub->record->attrs, sizeof(sub->record->attrs));
		err = len < 0 ? len : 0;
		sub->record->attrs_len = (uint16_t)(len < 0 ? 0 : len);
	}
	radius_attrs_free(attrs);
	return err;
}

static uint64_t saturated_minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

void accounting_since(const struct state_session *record, const struct kernel_counters *now,
	struct kernel_counters *ret_since)
{
	const struct kernel_counters *base = &record->base;

	ret_since->rx_octets = saturated_minus(now->rx_octets, base->rx_octets);
	ret_since->tx_octets = saturated_minus(now->tx_octets, base->tx_octets);
	ret_since->rx_packets = saturated_minus(now->rx_packets, base->rx_packets);
	ret_since->tx_packets = saturated_minus(now->tx_packets, base->tx_packets);
}

static int add_counters(struct radius_attrs *attrs, const struct state_session *record,
	const struct accounting_event *event)
{
	uint64_t lasted = saturated_minus(event->clock, record->up_clock);
	struct kernel_counters c;
	int err;

	accounting_since(record, event->counters, &c);
	err = radius_add_u32(
		attrs, RADIUS_ACCT_SESSION_TIME, 0, (uint32_t)((lasted + 500000) / 1000000));
	const struct {
		radius_code code;
		uint64_t value;
	} rows[] = {
		{ RADIUS_ACCT_INPUT_OCTETS, c.rx_octets & UINT32_MAX },
		{ RADIUS_ACCT_OUTPUT_OCTETS, c.tx_octets & UINT32_MAX },
		{ RADIUS_ACCT_INPUT_GIGAWORDS, c.rx_octets >> 32 },
		{ RADIUS_ACCT_OUTPUT_GIGAWORDS, c.tx_octets >> 32 },
		{ RADIUS_ACCT_INPUT_PACKETS, c.rx_packets & UINT32_MAX },
		{ RADIUS_ACCT_OUTPUT_PACKETS, c.tx_packets & UINT32_MAX },
	};
	for (size_t i = 0; !err && i < sizeof(rows) / sizeof(rows[0]); i++)
		err = radius_add_u32(attrs, rows[i].code, 0, (uint32_t)rows[i].value);
	return err;
}

int accounting_put(struct radius_spool *spool, const struct state_session *record,
	const struct accounting_event *event, void (*durable)(void *ctx, int err), void *ctx)
{
	struct radius_attrs *attrs;
	int err;

	if (record->attrs_len > sizeof(record->attrs))
		return -EPROTO;
	err = radius_attrs_decode(record->attrs, record->attrs_len, &attrs);
	if (err < 0)
		return err;
	if (event->counters)
		err = add_counters(attrs, record, event);
	if (!err && event->terminate_cause)
		err = radius_add_u32(attrs, RADIUS_ACCT_TERMINATE_CAUSE, 0, event->terminate_cause);
	if (!err)
		err = radius_spool_put(
			spool, record->key, event->kind, attrs, event->wallclock, durable, ctx);
	radius_attrs_free(attrs);
	return err;
}

int accounting_put_nas(struct radius_spool *spool, enum radius_record_kind kind,
	const struct config *config, uint64_t wallclock)
{
	struct radius_attrs *attrs = radius_attrs_new();
	int err = attrs ? add_nas(attrs, config) : -ENOMEM;

	if (!err)
		err = radius_spool_put(spool, 0, kind, attrs, wallclock, NULL, NULL);
	radius_attrs_free(attrs);
	return err;
}

static void put(struct subscriber *sub, const struct accounting_event *event,
	void (*durable)(void *ctx, int err))
{
	struct radius_spool *spool = sub->all->config.spool;
	int err = 0;

	if (spool) {
		err = accounting_put(spool, sub->record, event, durable, sub);
		if (!err)
			return;
		log_error("session %s: accounting record %d is lost: %s", sub->acct_session_id,
			event->kind, strerror(-err));
	}
	if (durable)
		durable(sub, err);
}

static void plan_interim(struct subscriber *sub, uint64_t now)
{
	uint64_t interval = sub->granted ? sub->granted->interim : 0;

	sub->next_interim = interval ? now + interval : 0;
}

void subscriber_account_start(struct subscriber *sub, const struct ppp_ncp_up *up)
{
	struct env *env = sub->all->host.env;
	struct state_session *record = sub->record;
	int err = fix_record(sub, up);

	if (err < 0)
		log_error("session %s: its accounting record cannot be made: %s",
			sub->acct_session_id, strerror(-err));
	record->ifindex = up->ifindex;
	record->up_wallclock = env_wallclock(env);
	record->up_clock = env_now(env);
	record->base = (struct kernel_counters){ up->rx_octets, up->tx_octets, up->rx_packets,
		up->tx_packets };
	record->last = record->base;
	record->last_wallclock = record->up_wallclock;
	state_publish(&record->used, STATE_UP);
	sub->last_traffic = env_now(env);
	plan_interim(sub, env_now(env));
	put(sub,
		&(struct accounting_event){ .kind = RADIUS_START,
			.wallclock = record->up_wallclock,
			.clock = record->up_clock },
		NULL);
}

void subscriber_account_sample(struct subscriber *sub, const struct kernel_counters *counters)
{
	struct env *env = sub->all->host.env;
	struct state_session *record = sub->record;
	uint64_t now = env_now(env);

	if (counters->rx_packets != record->last.rx_packets ||
		counters->tx_packets != record->last.tx_packets)
		sub->last_traffic = now;
	record->last = *counters;
	record->last_wallclock = env_wallclock(env);
	if (sub->next_interim && now >= sub->next_interim) {
		plan_interim(sub, now);
		put(sub,
			&(struct accounting_event){ .kind = RADIUS_INTERIM,
				.counters = counters,
				.wallclock = record->last_wallclock,
				.clock = now },
			NULL);
	}
	if (sub->granted && sub->granted->idle_timeout &&
		now - sub->last_traffic >= sub->granted->idle_timeout)
		subscriber_end(sub, END_IDLE_TIMEOUT, NULL);
}

static void stop_durable(void *ctx, int err)
{
	(void)err; /* the spool has said what is wrong with the disk; the record is in memory */
	subscriber_account_stopped(ctx);
}

void subscriber_account_stop(struct subscriber *sub)
{
	sub->stop_put = true;
	put(sub,
		&(struct accounting_event){ .kind = RADIUS_STOP,
			.counters = sub->link_gone ? &sub->final : &sub->record->last,
			.terminate_cause = end_rule(sub->reason)->acct_cause,
			.wallclock = sub->stop_wallclock,
			.clock = sub->stop_clock },
		stop_durable);
}
