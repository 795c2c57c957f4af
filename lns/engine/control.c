// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/control: what the control socket shows and does. One row per command; items are JSON objects
 * whose keys are documented in lnsctl(8) and stay.
 */
#include "lns/control/control.h"
#include "lns/engine/internal.h"
#include "lns/ppp/ppp.h"

#include <stdio.h>
#include <string.h>

#define SECONDS(us) ((json_int_t)((us) / 1000000))
#define DONE        UINT64_MAX

static json_t *json_addr(const union addr *addr, bool with_port)
{
	char text[ADDR_TEXT];

	if (addr->sa.sa_family == AF_UNSPEC)
		return json_null();
	return json_string(with_port ? addr_text(addr, text) : addr_text_host(addr, text));
}

static json_t *json_text(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

/* ---- tunnels ---- */

static json_t *tunnel_item(struct engine *engine, const struct l2tp_tunnel *tunnel)
{
	struct l2tp_tunnel_info info;
	uint64_t now = env_now(engine->env);

	l2tp_tunnel_info(tunnel, &info);
	return json_pack("{s:i, s:i, s:s, s:o, s:o, s:o, s:o, s:s, s:i, s:I, s:i, s:i, s:I, s:i}",
		"id", info.id, "peer_id", info.peer_id, "lac", l2tp_tunnel_lac(tunnel)->name,
		"host_name", json_text(info.host_name), "vendor", json_text(info.vendor_name),
		"peer", json_addr(&info.path.peer, true), "local",
		json_addr(&info.path.local, true), "state", info.state, "sessions",
		(int)info.sessions, "uptime", info.since ? SECONDS(now - info.since) : 0,
		"unacknowledged", (int)info.unacknowledged, "queued", (int)info.queued,
		"retransmissions", (json_int_t)info.retransmissions, "peer_window",
		(int)info.peer_window);
}

static json_t *show_tunnels(
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
		"user", json_text(info->user), "ip", json_addr(&info->remote, false), "ifname",
		json_text(info->ifname), "state", info->state, "lac", info->lac, "calling",
		json_text(info->call ? info->call->calling_number : NULL), "called",
		json_text(info->call ? info->call->called_number : NULL), "uptime",
		SECONDS(info->uptime), "rx_octets", (json_int_t)info->counters.rx_octets,
		"tx_octets", (json_int_t)info->counters.tx_octets);
}

static bool matches(const json_t *args, const char *key, const char *value)
{
	const char *wanted = json_string_value(json_object_get(args, key));

	return !wanted || (value && strcmp(wanted, value) == 0);
}

static bool is_selected(const json_t *args, const struct subscriber_info *info)
{
	char ip[ADDR_TEXT];

	return matches(args, "user", info->user) && matches(args, "lac", info->lac) &&
	       matches(args, "state", info->state) &&
	       matches(args, "ip", addr_text_host(&info->remote, ip));
}

static json_t *show_sessions(
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

/* A session by its number, or by its Acct-Session-Id. */
static struct subscriber *session_of(
	struct engine *engine, const json_t *args, char *error, size_t size)
{
	const json_t *id = json_object_get(args, "id");
	struct subscriber *sub = NULL;
	unsigned long long key;
	char rest;

	if (json_is_integer(id))
		sub = subscriber_find(engine->subscribers, (uint64_t)json_integer_value(id));
	else if (json_is_string(id) && strlen(json_string_value(id)) == 16 &&
		 sscanf(json_string_value(id), "%16llx%c", &key, &rest) == 1)
		sub = subscriber_find(engine->subscribers, key);
	if (!sub)
		snprintf(error, size, id ? "no such session" : "which session? (\"id\")");
	return sub;
}

static void add_call(json_t *item, const struct l2tp_call *call)
{
	json_object_set_new(item, "call",
		json_pack("{s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:o}", "serial_number",
			(json_int_t)call->serial_number, "tx_connect_speed",
			(json_int_t)call->tx_connect_speed, "rx_connect_speed",
			(json_int_t)call->rx_connect_speed, "physical_channel",
			(json_int_t)call->physical_channel_id, "sequencing",
			call->sequencing_required, "private_group",
			json_text(call->private_group_id), "agent_circuit_id",
			json_text(call->agent_circuit_id), "agent_remote_id",
			json_text(call->agent_remote_id)));
}

static json_t *phases_of(const struct subscriber_info *info)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "connected_ms",
		(json_int_t)(info->connected / 1000), "forked_ms",
		(json_int_t)(info->forked / 1000), "link_ms", (json_int_t)(info->link / 1000),
		"authorised_ms", (json_int_t)(info->authorised / 1000), "up_ms",
		(json_int_t)(info->up / 1000));
}

static json_t *show_session(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	struct subscriber_info info;
	struct subscriber *sub;
	json_t *item;

	if (*cursor)
		return NULL;
	*cursor = DONE;
	sub = session_of(engine, args, error, size);
	if (!sub)
		return NULL;
	subscriber_get_info(sub, &info);
	item = session_item(&info);
	if (!item)
		return NULL;
	json_object_update_new(item,
		json_pack("{s:s, s:s, s:s, s:s, s:o, s:i, s:i, s:o, s:o, s:o, s:i, s:I, s:I, s:I, "
			  "s:I, s:I, s:o, s:o}",
			"acct_session_id", info.acct_session_id, "peer_host", info.peer_host, "ppp",
			info.ppp, "auth", info.auth, "radius_server", json_text(info.radius_server),
			"pid", info.pid, "ifindex", (int)info.ifindex, "local_ip",
			json_addr(&info.local, false), "dns1", json_addr(&info.dns[0], false),
			"dns2", json_addr(&info.dns[1], false), "mtu", info.mtu, "session_timeout",
			SECONDS(info.session_timeout), "idle_timeout", SECONDS(info.idle_timeout),
			"interim", SECONDS(info.interim), "rx_packets",
			(json_int_t)info.counters.rx_packets, "tx_packets",
			(json_int_t)info.counters.tx_packets, "phases", phases_of(&info), "ending",
			json_text(info.end)));
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

static json_t *show_stats(void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
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
			 "s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:i, s:I, s:I}}",
		"tunnels", (int)engine->tunnel_count, "online", (int)c->online, "in_setup",
		(int)c->in_setup, "queued", (int)c->queued, "calls", (json_int_t)c->requested,
		"calls_up", (json_int_t)c->up, "ended", reasons_of(c), "l2tp", "packets_in",
		(json_int_t)l->packets_in, "packets_out", (json_int_t)l->packets_out, "discarded",
		(json_int_t)l->discarded, "unknown_tunnel", (json_int_t)l->unknown_tunnel,
		"wrong_source", (json_int_t)l->wrong_source, "sccrq_limited",
		(json_int_t)l->sccrq_limited, "retransmissions", (json_int_t)l->retransmissions,
		"duplicates", (json_int_t)l->duplicates, "out_of_order",
		(json_int_t)l->out_of_order, "calls_refused", (json_int_t)l->calls_refused,
		"engine", "generation", (json_int_t)engine->generation, "loop_turns",
		(json_int_t)load.turns, "kernel_jobs", (int)kernel_pending(engine->kernel),
		"longest_turn_us", (json_int_t)load.longest, "longest_kernel_job_us",
		(json_int_t)kernel_longest(engine->kernel));
}

static json_t *server_item(const struct radius_client *client, size_t index, const char *purpose)
{
	struct radius_server_info info;

	radius_client_info(client, index, &info);
	return json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:I}",
		"server", info.name, "purpose", purpose, "alive", info.alive, "requests",
		(json_int_t)info.requests, "retransmissions", (json_int_t)info.retransmissions,
		"accepts", (json_int_t)info.accepts, "rejects", (json_int_t)info.rejects,
		"responses", (json_int_t)info.responses, "timeouts", (json_int_t)info.timeouts,
		"bad_authenticators", (json_int_t)info.bad_authenticators, "bad_packets",
		(json_int_t)info.bad_packets, "in_flight", (int)info.in_flight, "waiting",
		(int)info.waiting, "latency_us", (json_int_t)info.latency);
}

static json_t *show_radius(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	struct radius_client *auth = engine->radius.auth, *acct = engine->radius.acct;
	size_t auths = auth ? radius_client_server_count(auth) : 0;
	size_t accts = acct ? radius_client_server_count(acct) : 0;
	size_t index = (size_t)(*cursor)++;

	(void)args;
	(void)error;
	(void)size;
	if (index < auths)
		return server_item(auth, index, "authentication");
	if (index - auths < accts)
		return server_item(acct, index - auths, "accounting");
	return NULL;
}

static json_t *show_spool(void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	struct radius_spool_info info;
	uint64_t now = env_wallclock(engine->env);

	(void)args;
	if (*cursor)
		return NULL;
	*cursor = DONE;
	if (!engine->radius.spool) {
		snprintf(error, size, "no accounting: the configuration has no radius section");
		return NULL;
	}
	radius_spool_info(engine->radius.spool, &info);
	return json_pack("{s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:o}", "waiting", (int)info.waiting,
		"unsaved", (int)info.unsaved, "put", (json_int_t)info.put, "sent",
		(json_int_t)info.sent, "failed", (json_int_t)info.failed, "shed",
		(json_int_t)info.shed, "oldest_seconds",
		info.oldest && now > info.oldest ? SECONDS(now - info.oldest) : 0, "disk_error",
		json_text(info.disk_error ? strerror(info.disk_error) : NULL));
}

/* ---- disconnecting ---- */

static json_t *disconnect_session(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct subscriber *sub;

	if (*cursor)
		return NULL;
	*cursor = DONE;
	sub = session_of(ctx, args, error, size);
	if (!sub)
		return NULL;
	subscriber_end(sub, END_OPERATOR, NULL);
	return json_pack("{s:i}", "disconnected", 1);
}

static json_t *disconnect_user(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	const char *user = json_string_value(json_object_get(args, "user"));
	struct subscriber *sub;
	uint64_t key = 0;
	int count = 0;

	if (*cursor)
		return NULL;
	*cursor = DONE;
	while (user && (sub = subscriber_next(engine->subscribers, key))) {
		struct subscriber_info info;

		subscriber_get_info(sub, &info);
		key = info.key;
		if (strcmp(info.user, user) != 0 || info.end)
			continue;
		subscriber_end(sub, END_OPERATOR, NULL);
		count++;
	}
	if (count > 0)
		return json_pack("{s:i}", "disconnected", count);
	snprintf(error, size, user ? "no session of that user" : "which user? (\"user\")");
	return NULL;
}

static json_t *disconnect_tunnel(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	static const struct l2tp_result result = { .code = L2TP_STOPCCN_GENERAL,
		.text = "closed by the operator" };
	struct engine *engine = ctx;
	json_int_t id = json_integer_value(json_object_get(args, "id"));
	struct l2tp_tunnel *tunnel = NULL;
	struct l2tp_tunnel_info info;

	if (*cursor)
		return NULL;
	*cursor = DONE;
	if (id > 0 && id <= UINT16_MAX)
		tunnel = l2tp_tunnel_find(engine->l2tp, (uint16_t)id);
	if (!tunnel) {
		snprintf(error, size, "no such tunnel");
		return NULL;
	}
	l2tp_tunnel_info(tunnel, &info);
	l2tp_tunnel_close(tunnel, &result);
	return json_pack("{s:i}", "disconnected", (int)info.sessions);
}

static const struct control_command commands[] = {
	{ "show tunnels", show_tunnels },
	{ "show sessions", show_sessions },
	{ "show session", show_session },
	{ "show stats", show_stats },
	{ "show radius", show_radius },
	{ "show spool", show_spool },
	{ "disconnect session", disconnect_session },
	{ "disconnect user", disconnect_user },
	{ "disconnect tunnel", disconnect_tunnel },
	{ NULL, NULL },
};

int engine_control_start(struct engine *engine)
{
	int fd = engine->control_fd;

	engine->control_fd = -1;
	return control_new(engine->env, fd, commands, engine, &engine->control);
}
