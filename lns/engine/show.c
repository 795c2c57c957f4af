// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/show: what the control socket shows of tunnels, pools and totals.
 */
#include "lns/engine/commands.h"

#include "lns/subscriber/pool.h"

#include <stdio.h>
#include <string.h>

/* ---- tunnels ---- */

static json_t *tunnel_item(struct engine *engine, const struct l2tp_tunnel *tunnel)
{
	struct l2tp_tunnel_info info;
	uint64_t now = env_now(engine->env);

	l2tp_tunnel_info(tunnel, &info);
	return json_pack(
		"{s:i, s:i, s:s, s:o, s:o, s:o, s:o, s:s, s:i, s:I, s:i, s:i, s:I, s:i, s:n}", "id",
		info.id, "peer_id", info.peer_id, "lac", l2tp_tunnel_lac(tunnel)->name, "host_name",
		engine_json_text(info.host_name), "vendor", engine_json_text(info.vendor_name),
		"peer", engine_json_addr(&info.path.peer, true), "local",
		engine_json_addr(&info.path.local, true), "state", info.state, "sessions",
		(int)info.sessions, "uptime", info.since ? SECONDS(now - info.since) : 0,
		"unacknowledged", (int)info.unacknowledged, "queued", (int)info.queued,
		"retransmissions", (json_int_t)info.retransmissions, "peer_window",
		(int)info.peer_window, "error");
}

static json_t *static_item(const struct engine_static_info *info)
{
	const struct kernel_static_tunnel *tunnel = info->kernel;
	char lac[80];

	snprintf(lac, sizeof(lac), "static %s", info->name);
	return json_pack("{s:I, s:I, s:s, s:n, s:o, s:o, s:s, s:i, s:I, s:o}", "id",
		(json_int_t)tunnel->id, "peer_id", (json_int_t)tunnel->peer_id, "lac", lac,
		"host_name", "peer", engine_json_addr(&tunnel->peer, !tunnel->ip), "local",
		engine_json_addr(&tunnel->local, !tunnel->ip), "state", info->state, "sessions",
		(int)info->sessions, "uptime", SECONDS(info->uptime), "error",
		engine_json_text(info->error));
}

static bool is_selected(
	const json_t *args, const char *lac, const char *state, const union addr *peer)
{
	return engine_filter_text(args, "lac", lac) && engine_filter_text(args, "state", state) &&
	       engine_filter_addr(args, peer);
}

/* Those of LACs by id, then the static ones. */
json_t *engine_show_tunnels(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	const uint64_t first_static = UINT16_MAX + 1;
	struct engine *engine = ctx;
	struct engine_static_info static_info;
	struct l2tp_tunnel *tunnel = NULL;
	struct l2tp_tunnel_info info;

	if (*cursor == 0 && !engine_filter_check(engine, args, true, error, size))
		return NULL;
	if (*cursor < first_static)
		tunnel = l2tp_tunnel_next(engine->l2tp, (unsigned int)*cursor);
	if (tunnel) {
		l2tp_tunnel_info(tunnel, &info);
		*cursor = info.id;
		return is_selected(args, l2tp_tunnel_lac(tunnel)->name, info.state, &info.path.peer)
			       ? tunnel_item(engine, tunnel)
			       : json_null();
	}
	*cursor = *cursor < first_static ? first_static : *cursor + 1;
	if (!engine_statics_info(engine, *cursor - first_static, &static_info))
		return NULL;
	return is_selected(args, NULL, static_info.state, &static_info.kernel->peer)
		       ? static_item(&static_info)
		       : json_null();
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
	json_t *stats;

	(void)args;
	(void)error;
	(void)size;
	if (*cursor)
		return NULL;
	*cursor = DONE;
	env_ev_get_load(engine->env, &load);
	stats = json_pack(
		"{s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I, "
		"s:I, s:I, s:I, s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:i, s:I, s:s, s:i, s:I, s:I}}",
		"tunnels", (int)engine->tunnel_count, "online", (int)c->online, "in_setup",
		(int)c->in_setup, "queued", (int)c->queued, "rx_bps", (json_int_t)c->rx_bps,
		"tx_bps", (json_int_t)c->tx_bps, "calls", (json_int_t)c->requested, "calls_up",
		(json_int_t)c->up, "ended", reasons_of(c), "l2tp", "packets_in",
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
		"longest_turn_work", load.longest_work.what, "longest_turn_calls",
		(int)load.longest_work.calls, "longest_turn_work_us",
		(json_int_t)load.longest_work.spent, "longest_kernel_job_us",
		(json_int_t)kernel_longest(engine->kernel));
	if (!stats)
		return NULL;
	json_object_set_new(
		stats, "drained", json_boolean(l2tp_server_is_drained(engine->l2tp, NULL)));
	json_object_set_new(stats, "drained_lacs", engine_drained_lacs(engine, true));
	json_object_set_new(stats, "undrained_lacs", engine_drained_lacs(engine, false));
	json_object_set_new(stats, "last_stranger",
		engine_json_text(*engine->stranger ? engine->stranger : NULL));
	json_object_set_new(stats, "last_stranger_at",
		engine->stranger_at ? engine_json_time(engine->stranger_at) : json_null());
	json_object_set_new(stats, "kernel_audit", engine_audit_json(engine));
	json_object_set_new(stats, "hooks", engine_hooks_json(engine));
	json_object_set_new(stats, "room", engine_room_json(engine));
	return stats;
}

/* ---- pools ---- */

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
