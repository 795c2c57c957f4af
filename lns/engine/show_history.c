// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/show_history: what ended and what failed, and why; and all that is known about one subscriber,
 * for whoever asks why he cannot connect.
 */
#include "lns/engine/commands.h"

#include "lns/subscriber/history.h"

#include <stdio.h>
#include <string.h>

#define SCAN 50 /* sessions or ends that are looked at in a step */

static json_t *history_item(const struct history_entry *entry)
{
	union addr remote = { .in4 = { .sin_family = entry->remote ? AF_INET : AF_UNSPEC,
				      .sin_addr = { entry->remote } } };

	return json_pack("{s:o, s:I, s:o, s:s, s:s, s:i, s:o, s:o, s:o, s:b, s:s, s:I, s:I, s:I, "
			 "s:s, s:o}",
		"ended", engine_json_time(entry->wallclock), "id", (json_int_t)entry->key, "user",
		engine_json_text(entry->user), "lac", entry->lac, "peer_host", entry->peer_host,
		"tunnel", entry->tunnel_id, "calling", engine_json_text(entry->calling), "called",
		engine_json_text(entry->called), "ip", engine_json_addr(&remote, false), "was_up",
		entry->was_up, "state", entry->state, "uptime", SECONDS(entry->lasted), "rx_octets",
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

	if (*cursor == 0 && !engine_filter_check(engine, args, false, error, size))
		return NULL;
	for (int n = 0; n < SCAN; n++) {
		entry = history_before(history, *cursor);
		if (!entry)
			break;
		*cursor = entry->number;
		if (engine_filter_end(args, entry))
			return history_item(entry);
	}
	if (entry)
		return json_null();
	*cursor = 1; /* nothing is before the first */
	return NULL;
}

/* ---- one subscriber ---- */

/*
 * The cursor of `why`: keys of sessions first, then numbers of ends, which are marked by FOUND and by a
 * bit that says whether anything was told yet.
 */
#define ENDS  (UINT64_C(1) << 63)
#define FOUND (UINT64_C(1) << 62)
#define PLACE (FOUND - 1)

static bool is_meant(const char *name, const char *user, const char *calling, const char *called,
	const union addr *remote, uint64_t key)
{
	char text[ADDR_TEXT], id[20];

	snprintf(id, sizeof(id), "%016llx", (unsigned long long)key);
	return strcmp(name, user) == 0 || strcmp(name, calling) == 0 || strcmp(name, called) == 0 ||
	       (key && strcmp(name, id) == 0) ||
	       (remote->sa.sa_family != AF_UNSPEC &&
		       strcmp(name, addr_text_host(remote, text)) == 0);
}

/* A session of now, in the words of history: reason is null while it lives. */
static json_t *live_item(struct engine *engine, const struct subscriber_info *info)
{
	json_t *item = engine_session_item(info);
	bool is_up = info->uptime && !info->end;

	(void)engine;
	if (!item)
		return NULL;
	json_object_update_new(
		item, json_pack("{s:n, s:s, s:b, s:s, s:o, s:o}", "ended", "peer_host",
			      info->peer_host, "was_up", info->up != 0, "what",
			      info->end ? "ending"
			      : is_up   ? "online"
					: "in setup",
			      "reason", engine_json_text(info->end), "detail",
			      engine_json_text(info->end ? info->detail : NULL)));
	return item;
}

static json_t *why_sessions(struct engine *engine, const char *name, uint64_t *cursor)
{
	struct subscriber_info info;
	struct subscriber *sub;

	for (int n = 0; n < SCAN; n++) {
		sub = subscriber_next(engine->subscribers, *cursor & PLACE);
		if (!sub) {
			*cursor = (*cursor & FOUND) | ENDS;
			break;
		}
		subscriber_get_info(sub, &info);
		*cursor = (*cursor & FOUND) | info.key;
		if (!is_meant(name, info.user, info.calling, info.called, &info.remote, info.key))
			continue;
		*cursor |= FOUND;
		return live_item(engine, &info);
	}
	return json_null();
}

static json_t *why_ends(struct engine *engine, const char *name, uint64_t *cursor)
{
	const struct history_entry *entry;
	json_t *item;

	for (int n = 0; n < SCAN; n++) {
		union addr remote = { .in4 = { .sin_family = AF_UNSPEC } };

		entry = history_before(subscribers_history(engine->subscribers), *cursor & PLACE);
		if (!entry)
			return NULL;
		*cursor = (*cursor & (ENDS | FOUND)) | entry->number;
		if (entry->remote)
			remote.in4 = (struct sockaddr_in){ .sin_family = AF_INET,
				.sin_addr = { entry->remote } };
		if (!is_meant(
			    name, entry->user, entry->calling, entry->called, &remote, entry->key))
			continue;
		*cursor |= FOUND;
		item = history_item(entry);
		if (item)
			json_object_set_new(
				item, "what", json_string(entry->was_up ? "ended" : "failed"));
		return item;
	}
	return json_null();
}

/* Nothing is known: what else may be the reason. */
static void say_nothing_known(struct engine *engine, const char *name, char *error, size_t size)
{
	snprintf(error, size,
		"\"%.64s\": no session, and none of the last %d ends: no call of that user, number "
		"or address came this far%s; see \"lnsctl show lacs\" for the LACs' last errors, "
		"\"lnsctl history --failed\" for calls without a name%s",
		name, HISTORY_MAX, engine->tunnel_count == 0 ? " (there is no tunnel at all)" : "",
		*engine->stranger ? ", \"lnsctl show stats\" for a peer that no lac section matches"
				  : "");
}

json_t *engine_show_why(void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	const char *name = json_string_value(json_object_get(args, "subscriber"));
	json_t *item;

	if (!name || !*name) {
		snprintf(error, size, "who? (\"subscriber\")");
		return NULL;
	}
	if (*cursor == DONE)
		return NULL;
	item = *cursor & ENDS ? why_ends(engine, name, cursor) : why_sessions(engine, name, cursor);
	if (!item && !(*cursor & FOUND))
		say_nothing_known(engine, name, error, size);
	if (!item)
		*cursor = DONE;
	return item;
}
