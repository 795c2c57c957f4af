// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/spool: `lnsctl spool show` and `spool export`: the accounting records that wait, one an item.
 * They are read in parts, which mostly come from the disk, and no faster than the reader takes them.
 */
#include "lns/engine/commands.h"

#include "radius/attr_codes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef json_t *item_fn(const struct engine *engine, const struct radius_spool_entry *entry,
	const struct radius_attrs *attrs);

/* One answer. Owned by its feed, from open to close. */
struct engine_spool {
	struct engine *engine;
	struct control_feed *feed;
	struct radius_spool_read *read;
	item_fn *item;
	json_t *filter;
};

static const char *type_name(enum radius_record_kind kind)
{
	switch (kind) {
	case RADIUS_START:
		return "Start";
	case RADIUS_STOP:
		return "Stop";
	case RADIUS_INTERIM:
		return "Interim-Update";
	case RADIUS_ON:
		return "Accounting-On";
	case RADIUS_OFF:
		return "Accounting-Off";
	}
	return "unknown";
}

/* ---- spool show ---- */

static json_t *text_of(const struct radius_attrs *attrs, radius_code code)
{
	const uint8_t *data;
	char text[512];
	size_t len;

	if (!radius_get_octets(attrs, code, 0, &data, &len))
		return json_null();
	radius_value_text(code, data, len, text, sizeof(text));
	return json_string(text);
}

static json_t *show_item(const struct engine *engine, const struct radius_spool_entry *entry,
	const struct radius_attrs *attrs)
{
	uint64_t now = env_wallclock(engine->env);

	return json_pack("{s:I, s:I, s:o, s:o, s:s, s:o, s:i, s:b, s:b, s:b}", "id",
		(json_int_t)entry->id, "age_seconds",
		now > entry->event_time ? SECONDS(now - entry->event_time) : 0, "session",
		text_of(attrs, RADIUS_ACCT_SESSION_ID), "user", text_of(attrs, RADIUS_USER_NAME),
		"type", type_name(entry->kind), "server", engine_json_text(entry->server), "tries",
		(int)entry->tries, "saved", entry->is_saved, "sending", entry->is_sending,
		"refused", entry->is_refused);
}

/* ---- spool export ---- */

struct exported {
	json_t *list;
	const struct radius_attrs *attrs;
};

static bool export_attr(
	void *ctx, radius_code code, const char *name, const uint8_t *data, size_t len)
{
	struct exported *exported = ctx;
	unsigned int tag = radius_get_tag(exported->attrs, code, 0);
	enum radius_text what;
	char text[512], tagged[64];
	json_t *value;

	snprintf(tagged, sizeof(tagged), tag ? "%s:%u" : "%s", name, tag);
	what = radius_value_text(code, data, len, text, sizeof(text));
	value = what == RADIUS_TEXT_NUMBER ? json_integer(strtoll(text, NULL, 10))
					   : json_string(text);
	if (!value) { /* text that is not UTF-8: octets */
		size_t used = (size_t)snprintf(text, sizeof(text), "0x");

		for (size_t i = 0; i < len && used + 2 < sizeof(text); i++, used += 2)
			snprintf(text + used, sizeof(text) - used, "%02x", data[i]);
		what = RADIUS_TEXT_BARE;
		value = json_string(text);
	}
	json_array_append_new(exported->list, json_pack("{s:s, s:o, s:b}", "name", tagged, "value",
						      value, "quoted", what == RADIUS_TEXT_STRING));
	return true;
}

static json_t *export_item(const struct engine *engine, const struct radius_spool_entry *entry,
	const struct radius_attrs *attrs)
{
	struct exported exported = { json_array(), attrs };

	(void)engine;
	radius_attrs_each(attrs, export_attr, &exported);
	return json_pack("{s:I, s:s, s:o, s:I, s:o}", "id", (json_int_t)entry->id, "type",
		type_name(entry->kind), "time", engine_json_time(entry->event_time), "timestamp",
		SECONDS(entry->event_time), "attributes", exported.list);
}

/* ---- the answer ---- */

static bool is_wanted(const struct engine_spool *answer, const struct radius_spool_entry *entry,
	const struct radius_attrs *attrs)
{
	json_t *user = text_of(attrs, RADIUS_USER_NAME);
	bool wanted = engine_filter_text(answer->filter, "user", json_string_value(user)) &&
		      engine_filter_text(answer->filter, "type", type_name(entry->kind));

	json_decref(user);
	return wanted;
}

static json_t *next_item(void *ctx, struct control_feed *feed)
{
	struct engine_spool *answer = control_feed_user(feed);
	const struct radius_spool_entry *entry;
	const struct radius_attrs *attrs;

	(void)ctx;
	while ((entry = radius_spool_read_next(answer->read, &attrs)))
		if (is_wanted(answer, entry, attrs))
			return answer->item(answer->engine, entry, attrs);
	if (radius_spool_read_is_all(answer->read))
		return NULL;
	control_feed_supply(feed, NULL);
	radius_spool_read_part(answer->read);
	return NULL;
}

static void part_ready(void *ctx)
{
	struct engine_spool *answer = ctx;

	control_feed_supply(answer->feed, next_item);
}

static bool is_type(const json_t *type)
{
	static const enum radius_record_kind kinds[] = { RADIUS_START, RADIUS_STOP, RADIUS_INTERIM,
		RADIUS_ON, RADIUS_OFF };

	for (size_t i = 0; type && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (json_is_string(type) &&
			strcmp(json_string_value(type), type_name(kinds[i])) == 0)
			return true;
	return !type;
}

static int open_answer(void *ctx, const json_t *args, struct control_feed *feed, item_fn *item,
	char *error, size_t size)
{
	struct engine *engine = ctx;
	struct engine_spool *answer;

	if (!engine->radius.spool) {
		snprintf(error, size, "no accounting: the configuration has no radius section");
		return -ENOENT;
	}
	if (!is_type(json_object_get(args, "type"))) {
		snprintf(error, size,
			"no such type; there are Start, Interim-Update, Stop, Accounting-On, "
			"Accounting-Off");
		return -EINVAL;
	}
	answer = calloc(1, sizeof(*answer));
	if (!answer ||
		radius_spool_read_new(engine->radius.spool, part_ready, answer, &answer->read)) {
		free(answer);
		return -ENOMEM;
	}
	answer->engine = engine;
	answer->feed = feed;
	answer->item = item;
	answer->filter = json_deep_copy(args);
	control_feed_set_user(feed, answer);
	control_feed_wait(feed);
	radius_spool_read_part(answer->read);
	return 0;
}

int engine_spool_show(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size)
{
	return open_answer(ctx, args, feed, show_item, error, size);
}

int engine_spool_export(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size)
{
	return open_answer(ctx, args, feed, export_item, error, size);
}

void engine_spool_close(void *ctx, struct control_feed *feed)
{
	struct engine_spool *answer = control_feed_user(feed);

	(void)ctx;
	radius_spool_read_free(answer->read);
	json_decref(answer->filter);
	free(answer);
}
