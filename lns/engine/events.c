// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/events: `lnsctl monitor`: what happens to calls, sessions and tunnels, and to what they all need,
 * as it happens. An event costs nothing while nobody watches; a reader that is slow loses some and is told
 * how many.
 */
#include "lns/engine/commands.h"

#include "lns/subscriber/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct engine_watch {
	LIST_ENTRY(engine_watch) entry;
	struct control_feed *feed;
	char user[256], lac[64]; /* "": any */
};

/* What is known of an event; NULL, "" and 0 for what is not. Borrowed. */
struct event {
	const char *name, *user, *lac, *host_name, *ifname, *calling, *called, *reason, *detail;
	uint64_t key, lasted;
	uint16_t tunnel_id;
	const union addr *peer, *ip;
	const char *server; /* in place of the peer */
};

static json_t *event_item(struct engine *engine, const struct event *event)
{
	return json_pack(
		"{s:I, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:I, s:o, s:o}",
		"time_us", (json_int_t)env_wallclock(engine->env), "event", event->name, "id",
		(json_int_t)event->key, "user", engine_json_text(event->user), "lac",
		engine_json_text(event->lac), "ip",
		event->ip ? engine_json_addr(event->ip, false) : json_null(), "ifname",
		engine_json_text(event->ifname), "calling", engine_json_text(event->calling),
		"called", engine_json_text(event->called), "peer",
		event->peer ? engine_json_addr(event->peer, true) : engine_json_text(event->server),
		"tunnel", event->tunnel_id, "host_name", engine_json_text(event->host_name),
		"uptime", SECONDS(event->lasted), "reason", engine_json_text(event->reason),
		"detail", engine_json_text(event->detail));
}

static bool is_wanted(const char *wanted, const char *text)
{
	return !*wanted || (text && strcmp(wanted, text) == 0);
}

static void push(struct engine *engine, const struct event *event)
{
	struct engine_watch *watch;

	LIST_FOREACH(watch, &engine->watches, entry)
		if (is_wanted(watch->user, event->user) && is_wanted(watch->lac, event->lac))
			control_feed_push(watch->feed, event_item(engine, event));
}

/* ---- what happens ---- */

void engine_event_call(struct engine *engine, struct l2tp_session *session)
{
	struct l2tp_tunnel *tunnel = l2tp_session_tunnel(session);
	const struct l2tp_call *call = l2tp_session_call(session);
	struct l2tp_tunnel_info info;

	if (LIST_EMPTY(&engine->watches))
		return;
	l2tp_tunnel_info(tunnel, &info);
	push(engine, &(struct event){ .name = "call",
			     .lac = l2tp_tunnel_lac(tunnel)->name,
			     .host_name = info.host_name,
			     .peer = &info.path.peer,
			     .tunnel_id = info.id,
			     .calling = call->calling_number,
			     .called = call->called_number });
}

void engine_event_went_up(void *ctx, struct subscriber *sub)
{
	struct engine *engine = ctx;
	struct subscriber_info info;

	engine_hooks_went_up(ctx, sub);
	if (LIST_EMPTY(&engine->watches))
		return;
	subscriber_get_info(sub, &info);
	push(engine, &(struct event){ .name = "session-up",
			     .key = info.key,
			     .user = info.user,
			     .lac = info.lac,
			     .host_name = info.peer_host,
			     .ip = &info.remote,
			     .ifname = info.ifname,
			     .tunnel_id = info.tunnel_id,
			     .calling = info.calling,
			     .called = info.called });
}

void engine_event_ended(void *ctx, const struct history_entry *entry)
{
	union addr remote = { .in4 = { .sin_family = entry->remote ? AF_INET : AF_UNSPEC,
				      .sin_addr = { entry->remote } } };

	push(ctx, &(struct event){ .name = entry->was_up ? "session-down" : "call-failed",
			  .key = entry->key,
			  .user = entry->user,
			  .lac = entry->lac,
			  .host_name = entry->peer_host,
			  .ip = &remote,
			  .tunnel_id = entry->tunnel_id,
			  .calling = entry->calling,
			  .called = entry->called,
			  .lasted = entry->lasted,
			  .reason = end_rule(entry->reason)->text,
			  .detail = entry->detail });
}

void engine_event_refused(void *ctx, const struct l2tp_refusal *refusal)
{
	struct engine *engine = ctx;

	if (!refusal->tunnel_id && !refusal->lac) {
		char peer[ADDR_TEXT];

		snprintf(engine->stranger, sizeof(engine->stranger), "%s (%s): %s",
			addr_text(refusal->peer, peer), refusal->host_name, refusal->result->text);
		engine->stranger_at = env_wallclock(engine->env);
	}
	if (!refusal->tunnel_id)
		push(engine, &(struct event){ .name = "tunnel-refused",
				     .lac = refusal->lac,
				     .host_name = refusal->host_name,
				     .peer = refusal->peer,
				     .reason = refusal->result->text });
	subscribers_refused(engine->subscribers, refusal);
}

void engine_event_tunnel(
	struct engine *engine, struct l2tp_tunnel *tunnel, const struct l2tp_result *ended)
{
	struct l2tp_tunnel_info info;

	if (LIST_EMPTY(&engine->watches))
		return;
	l2tp_tunnel_info(tunnel, &info);
	push(engine, &(struct event){ .name = ended ? "tunnel-down" : "tunnel-up",
			     .lac = l2tp_tunnel_lac(tunnel)->name,
			     .host_name = info.host_name,
			     .peer = &info.path.peer,
			     .tunnel_id = info.id,
			     .reason = ended ? ended->text : NULL });
}

void engine_event_radius(void *ctx, enum radius_event what, const char *server, const char *why)
{
	static const char *const names[] = {
		[RADIUS_SERVER_DEAD] = "radius-down",
		[RADIUS_SERVER_ALIVE] = "radius-up",
		[RADIUS_DISK_FAILS] = "spool-disk-failed",
		[RADIUS_DISK_WORKS] = "spool-disk-recovered",
		[RADIUS_SPOOL_FULL] = "spool-full",
		[RADIUS_SPOOL_HAS_ROOM] = "spool-has-room",
	};

	push(ctx, &(struct event){ .name = names[what], .server = server, .reason = why });
}

void engine_event_drain(struct engine *engine, const char *lac, bool drained, const char *detail)
{
	push(engine, &(struct event){ .name = drained ? "drain" : "undrain",
			     .lac = lac,
			     .reason = lac ? NULL : "all lac sections",
			     .detail = detail });
}

void engine_event_reload(struct engine *engine, const char *refused)
{
	push(engine, &(struct event){
			     .name = refused ? "reload-refused" : "reload", .reason = refused });
}

/* ---- who watches ---- */

int engine_events_open(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size)
{
	struct engine *engine = ctx;
	const char *user = json_string_value(json_object_get(args, "user"));
	const char *lac = json_string_value(json_object_get(args, "lac"));
	struct engine_watch *watch;

	if (!engine_filter_check(engine, args, false, error, size))
		return -ENOENT;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	snprintf(watch->user, sizeof(watch->user), "%s", user ? user : "");
	snprintf(watch->lac, sizeof(watch->lac), "%s", lac ? lac : "");
	watch->feed = feed;
	control_feed_set_user(feed, watch);
	LIST_INSERT_HEAD(&engine->watches, watch, entry);
	return 0;
}

void engine_events_close(void *ctx, struct control_feed *feed)
{
	struct engine_watch *watch = control_feed_user(feed);

	(void)ctx;
	LIST_REMOVE(watch, entry);
	free(watch);
}
