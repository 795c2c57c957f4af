// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/show: what the control socket shows of tunnels, sessions and totals.
 */
#include "lns/engine/commands.h"

#include "lns/subscriber/history.h"
#include "lns/subscriber/pool.h"

#include <string.h>

/* ---- tunnels ---- */

static json_t *tunnel_item(struct engine *engine, const struct l2tp_tunnel *tunnel)
{
	struct l2tp_tunnel_info info;
	uint64_t now = env_now(engine->env);

	l2tp_tunnel_info(tunnel, &info);
	return json_pack("{s:i, s:i, s:s, s:o, s:o, s:o, s:o, s:s, s:i, s:I, s:i, s:i, s:I, s:i}",
		"id", info.id, "peer_id", info.peer_id, "lac", l2tp_tunnel_lac(tunnel)->name,
		"host_name", engine_json_text(info.host_name), "vendor",
		engine_json_text(info.vendor_name), "peer", engine_json_addr(&info.path.peer, true),
		"local", engine_json_addr(&info.path.local, true), "state", info.state, "sessions",
		(int)info.sessions, "uptime", info.since ? SECONDS(now - info.since) : 0,
		"unacknowledged", (int)info.unacknowledged, "queued", (int)info.queued,
		"retransmissions", (json_int_t)info.retransmissions, "peer_window",
		(int)info.peer_window);
}

json_t *engine_show_tunnels(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	struct l2tp_tunnel *tunnel;
	struct l2tp_tunnel_info info;

	(void)args;
	(void)error;
	(void)size;
	if (*cursor > UINT16_MAX)
		return NULL;
	tunnel = l2tp_tunnel_next(engine->l2tp, (unsigned int)*cursor);
	if (!tunnel)
		return NULL;
	l2tp_tunnel_info(tunnel, &info);
	*cursor = info.id;
	return tunnel_item(engine, tunnel);
}

/* ---- sessions ---- */

static json_t *session_item(const struct subscriber_info *info)
{
	return json_pack("{s:I, s:i, s:i, s:o, s:o, s:o, s:s, s:s, s:o, s:o, s:I, s:I, s:I}", "id",
		(json_int_t)info->key, "tunnel", info->tunnel_id, "session", info->session_id,
		"user", engine_json_text(info->user), "ip", engine_json_addr(&info->remote, false),
		"ifname", engine_json_text(info->ifname), "state", info->state, "lac", info->lac,
		"calling", engine_json_text(info->call ? info->call->calling_number : NULL),
		"called", engine_json_text(info->call ? info->call->called_number : NULL), "uptime",
		SECONDS(info->uptime), "rx_octets", (json_int_t)info->counters.rx_octets,
		"tx_octets", (json_int_t)info->counters.tx_octets);
}

static bool is_selected(const json_t *args, const struct subscriber_info *info)
{
	char ip[ADDR_TEXT];

	return engine_control_matches(args, "user", info->user) &&
	       engine_control_matches(args, "lac", info->lac) &&
	       engine_control_matches(args, "state", info->state) &&
	       engine_control_matches(args, "ip", addr_text_host(&info->remote, ip));
}

json_t *engine_show_sessions(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	struct subscriber *sub;

	(void)error;
	(void)size;
	while ((sub = subscriber_next(engine->subscribers, *cursor))) {
		struct subscriber_info info;

		subscriber_get_info(sub, &info);
		*cursor = info.key;
		if (is_selected(args, &info))
			return session_item(&info);
	}
	return NULL;
}

static void add_call(json_t *item, const struct l2tp_call *call)
{
	json_object_set_new(item, "call",
		json_pack("{s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:o}", "serial_number",
			(json_int_t)call->serial_number, "tx_connect_speed",
			(json_int_t)call->tx_connect_speed, "rx_connect_speed",
			(json_int_t)call->rx_connect_speed, "physical_channel",
			(json_int_t)call->physical_channel_id, "sequencing_required",
			call->sequencing_required, "private_group",
			engine_json_text(call->private_group_id), "agent_circuit_id",
			engine_json_text(call->agent_circuit_id), "agent_remote_id",
			engine_json_text(call->agent_remote_id)));
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
	item = session_item(&info);
	if (!item)
		return NULL;
	json_object_update_new(item,
		json_pack("{s:s, s:s, s:s, s:s, s:o, s:i, s:i, s:o, s:o, s:o, s:i, s:I, s:I, s:I, "
			  "s:b, s:I, s:I, s:I, s:o, s:o}",
			"acct_session_id", info.acct_session_id, "peer_host", info.peer_host, "ppp",
			info.ppp, "auth", info.auth, "radius_server",
			engine_json_text(info.radius_server), "pid", info.pid, "ifindex",
			(int)info.ifindex, "local_ip", engine_json_addr(&info.local, false), "dns1",
			engine_json_addr(&info.dns[0], false), "dns2",
			engine_json_addr(&info.dns[1], false), "mtu", info.mtu, "session_timeout",
			SECONDS(info.session_timeout), "idle_timeout", SECONDS(info.idle_timeout),
			"interim", SECONDS(info.interim), "sequencing", info.sequencing,
			"reorder_timeout_ms", (json_int_t)(info.reorder_timeout / 1000),
			"rx_packets", (json_int_t)info.counters.rx_packets, "tx_packets",
			(json_int_t)info.counters.tx_packets, "phases", phases_of(&info), "ending",
			engine_json_text(info.end)));
	json_object_set_new(item, "limits", limits_of(&info.limits));
	if (info.call)
		add_call(item, info.call);
	return item;
}

/* ---- totals ---- */

static json_t *reasons_of(const struct subscribers_counters *c)
{
	json_t *reasons = json_object();

	for (int reason = END_NONE + 1; reason < END_COUNT; reason++)
		if (c->ended[reason])
			json_object_set_new(reasons, end_rule(reason)->text,
				json_integer((json_int_t)c->ended[reason]));
	return reasons;
}

json_t *engine_show_stats(void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	const struct subscribers_counters *c = subscribers_get_counters(engine->subscribers);
	const struct l2tp_counters *l = l2tp_server_counters(engine->l2tp);
	struct env_ev_load load;

	(void)args;
	(void)error;
	(void)size;
	if (*cursor)
		return NULL;
	*cursor = DONE;
	env_ev_get_load(engine->env, &load);
	return json_pack("{s:i, s:i, s:i, s:i, s:I, s:I, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I, "
			 "s:I, s:I, s:I, s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:i, s:I, s:I}}",
		"tunnels", (int)engine->tunnel_count, "online", (int)c->online, "in_setup",
		(int)c->in_setup, "queued", (int)c->queued, "calls", (json_int_t)c->requested,
		"calls_up", (json_int_t)c->up, "ended", reasons_of(c), "l2tp", "packets_in",
		(json_int_t)l->packets_in, "packets_out", (json_int_t)l->packets_out, "taken",
		(json_int_t)l->taken, "refused", (json_int_t)l->refused, "ignored",
		(json_int_t)l->ignored, "discarded", (json_int_t)l->discarded, "unknown_tunnel",
		(json_int_t)l->unknown_tunnel, "wrong_source", (json_int_t)l->wrong_source,
		"sccrq_limited", (json_int_t)l->sccrq_limited, "retransmissions",
		(json_int_t)l->retransmissions, "duplicates", (json_int_t)l->duplicates,
		"out_of_order", (json_int_t)l->out_of_order, "calls_refused",
		(json_int_t)l->calls_refused, "engine", "generation",
		(json_int_t)engine->generation, "loop_turns", (json_int_t)load.turns, "kernel_jobs",
		(int)kernel_pending(engine->kernel), "longest_turn_us", (json_int_t)load.longest,
		"longest_kernel_job_us", (json_int_t)kernel_longest(engine->kernel));
}

/* ---- history and pools ---- */

static json_t *history_item(const struct history_entry *entry)
{
	union addr remote = { .in4 = { .sin_family = entry->remote ? AF_INET : AF_UNSPEC,
				      .sin_addr = { entry->remote } } };

	return json_pack("{s:o, s:I, s:o, s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:s, s:o}", "ended",
		engine_json_time(entry->wallclock), "id", (json_int_t)entry->key, "user",
		engine_json_text(entry->user), "lac", entry->lac, "peer_host", entry->peer_host,
		"calling", engine_json_text(entry->calling), "ip", engine_json_addr(&remote, false),
		"uptime", SECONDS(entry->lasted), "rx_octets",
		(json_int_t)entry->counters.rx_octets, "tx_octets",
		(json_int_t)entry->counters.tx_octets, "reason", end_rule(entry->reason)->text,
		"detail", engine_json_text(entry->detail));
}

json_t *engine_show_history(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	const struct history *history = subscribers_history(engine->subscribers);
	const struct history_entry *entry;

	(void)error;
	(void)size;
	while ((entry = history_before(history, *cursor))) {
		*cursor = entry->number;
		if (engine_control_matches(args, "user", entry->user) &&
			engine_control_matches(args, "lac", entry->lac))
			return history_item(entry);
	}
	*cursor = 1; /* nothing is before the first */
	return NULL;
}

json_t *engine_show_pools(void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	struct pool_info info;

	(void)args;
	(void)error;
	(void)size;
	if (pools_info(engine->pools, (size_t)*cursor, &info) < 0)
		return NULL;
	++*cursor;
	return json_pack("{s:s, s:I, s:I, s:I, s:I}", "pool", info.name, "size",
		(json_int_t)info.size, "used", (json_int_t)info.used, "reserved",
		(json_int_t)info.reserved, "free",
		(json_int_t)(info.size - info.used - info.reserved));
}
