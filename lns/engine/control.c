// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/control: what the control socket shows and does. One row per command; items are JSON objects
 * whose keys are documented in lnsctl(8) and stay.
 */
#include "lns/control/control.h"
#include "lns/engine/internal.h"
#include "lns/ppp/ppp.h"
#include "lns/subscriber/history.h"
#include "lns/subscriber/pool.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

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

struct l2tp_tunnel *engine_control_tunnel(
	struct engine *engine, const json_t *args, const char *key, char *error, size_t size)
{
	const json_t *id = json_object_get(args, key);
	json_int_t number = json_integer_value(id);
	struct l2tp_tunnel *tunnel = NULL;

	if (number > 0 && number <= UINT16_MAX)
		tunnel = l2tp_tunnel_find(engine->l2tp, (uint16_t)number);
	if (!tunnel)
		snprintf(error, size, id ? "no such tunnel" : "which tunnel? (\"%s\")", key);
	return tunnel;
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
struct subscriber *engine_control_session(
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
	sub = engine_control_session(engine, args, error, size);
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

/* Dynamic authorization: a client each, and what strangers sent. */
static json_t *show_das(void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	const struct radius_das *das = ((struct engine *)ctx)->radius.das;
	struct radius_das_info info;
	size_t index = (size_t)(*cursor)++;

	(void)args;
	if (!das) {
		snprintf(error, size, "the configuration has no dynamic-authorization section");
		return NULL;
	}
	if (index > radius_das_client_count(das))
		return NULL;
	if (index == radius_das_client_count(das))
		return json_pack(
			"{s:n, s:I}", "client", "dropped", (json_int_t)radius_das_strangers(das));
	radius_das_client_info(das, index, &info);
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "client",
		info.client, "disconnects", (json_int_t)info.disconnects, "coas",
		(json_int_t)info.coas, "acks", (json_int_t)info.acks, "naks", (json_int_t)info.naks,
		"duplicates", (json_int_t)info.duplicates, "bad_authenticators",
		(json_int_t)info.bad_authenticators, "malformed", (json_int_t)info.malformed,
		"stale", (json_int_t)info.stale, "dropped",
		(json_int_t)(info.bad_authenticators + info.malformed + info.stale));
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

static json_t *flush_spool(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;

	if (*cursor == 0 && engine->radius.spool)
		radius_spool_flush(engine->radius.spool);
	return show_spool(ctx, args, cursor, error, size);
}

/* ---- history and pools ---- */

static json_t *json_time(uint64_t wallclock)
{
	time_t seconds = (time_t)(wallclock / 1000000);
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_text(text);
}

static json_t *history_item(const struct history_entry *entry)
{
	union addr remote = { .in4 = { .sin_family = entry->remote ? AF_INET : AF_UNSPEC,
				      .sin_addr = { entry->remote } } };

	return json_pack("{s:o, s:I, s:o, s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:s, s:o}", "ended",
		json_time(entry->wallclock), "id", (json_int_t)entry->key, "user",
		json_text(entry->user), "lac", entry->lac, "peer_host", entry->peer_host, "calling",
		json_text(entry->calling), "ip", json_addr(&remote, false), "uptime",
		SECONDS(entry->lasted), "rx_octets", (json_int_t)entry->counters.rx_octets,
		"tx_octets", (json_int_t)entry->counters.tx_octets, "reason",
		end_rule(entry->reason)->text, "detail", json_text(entry->detail));
}

static json_t *show_history(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	const struct history *history = subscribers_history(engine->subscribers);
	const struct history_entry *entry;

	(void)error;
	(void)size;
	while ((entry = history_before(history, *cursor))) {
		*cursor = entry->number;
		if (matches(args, "user", entry->user) && matches(args, "lac", entry->lac))
			return history_item(entry);
	}
	*cursor = 1; /* nothing is before the first */
	return NULL;
}

static json_t *show_pools(void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
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

/* ---- disconnecting ---- */

static json_t *disconnect_session(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct subscriber *sub;

	if (*cursor)
		return NULL;
	*cursor = DONE;
	sub = engine_control_session(ctx, args, error, size);
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
	struct l2tp_tunnel *tunnel;
	struct l2tp_tunnel_info info;

	if (*cursor)
		return NULL;
	*cursor = DONE;
	tunnel = engine_control_tunnel(ctx, args, "id", error, size);
	if (!tunnel)
		return NULL;
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
	{ "show das", show_das },
	{ "show spool", show_spool },
	{ "show pools", show_pools },
	{ "history", show_history },
	{ "spool flush", flush_spool },
	{ "disconnect session", disconnect_session },
	{ "disconnect user", disconnect_user },
	{ "disconnect tunnel", disconnect_tunnel },
	{ NULL, NULL },
};

static const struct control_feed_command feeds[] = {
	{ "trace tunnel", engine_trace_tunnel, engine_trace_close },
	{ "trace session", engine_trace_session, engine_trace_close },
	{ "trace lac", engine_trace_lac, engine_trace_close },
	{ "capture tunnel", engine_trace_capture, engine_trace_close },
	{ "call", engine_call_open, engine_call_close },
	{ NULL, NULL, NULL },
};

int engine_control_start(struct engine *engine)
{
	int fd = engine->control_fd, err;

	engine->control_fd = -1;
	err = control_new(engine->env, fd, commands, engine, &engine->control);
	if (err == 0)
		control_set_feeds(engine->control, feeds);
	return err;
}
