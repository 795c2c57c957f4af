// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/drain: `lnsctl drain` and `undrain`: nothing new from one lac section, or from all of them, which
 * L2TP tells LACs in a way that sends them to another LNS (RFC 2661 section 4.4.2, error 7); and, if so
 * wanted, the end of what there is, a few sessions a second.
 *
 * What is drained stands in the state memory and nowhere else, so that a reload does not know of it and
 * the next engine goes on with it: record 0 is for all sections, the others are for one each, drained by
 * itself or the exception while all are. L2TP and the timer here follow it.
 */
#include "lns/engine/commands.h"

#include "lns/log.h"
#include "lns/subscriber/tally.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PACE     ENV_MS(100) /* how often sessions are ended */
#define AT_ONCE  64          /* at most */
#define RATE_MAX 600         /* a second */

#define EACH_RECORD(engine, record, index)                                                         \
	for (unsigned int index = 0; ((record) = state_drained_at((engine)->state, index));        \
		(index)++)

/* The section of a record, NULL: all of them. */
static const char *lac_of(const struct engine *engine, const struct state_drained *record)
{
	return record == state_drained_at(engine->state, 0) ? NULL : record->lac;
}

/* The record of a section (NULL: of all of them), or a free one with its name; NULL: there is none left. */
static struct state_drained *find_record(struct engine *engine, const char *lac)
{
	struct state_drained *record, *unused = NULL;

	if (!lac)
		return state_drained_at(engine->state, 0);
	EACH_RECORD(engine, record, index)
	{
		if (index == 0)
			continue;
		if (record->used && strcmp(record->lac, lac) == 0)
			return record;
		if (!record->used && !unused)
			unused = record;
	}
	if (unused)
		snprintf(unused->lac, sizeof(unused->lac), "%s", lac);
	return unused;
}

static unsigned int sessions_of(struct engine *engine, const char *lac)
{
	return (unsigned int)subscribers_select(
		engine->subscribers, &(struct subscriber_selector){ .lac = lac }, NULL, 0);
}

/* ---- the slow end ---- */

static bool is_drained(void *ctx, const char *lac)
{
	struct engine *engine = ctx;

	return l2tp_server_is_drained(engine->l2tp, lac);
}

/* Ends as many sessions as the time since the last ones allows. False: none is left to end. */
static bool end_some(
	struct engine *engine, const struct state_drained *record, uint64_t *last, uint64_t now)
{
	struct subscriber_selector selector = {
		.lac = lac_of(engine, record), .takes_lac = is_drained, .ctx = engine
	};
	uint64_t allowed = (now - *last) * record->rate / ENV_SEC(1), keys[AT_ONCE];
	size_t found;

	if (allowed == 0)
		return true;
	*last += allowed * ENV_SEC(1) / record->rate;
	allowed = allowed > AT_ONCE ? AT_ONCE : allowed;
	selector.enough = allowed;
	found = subscribers_select(engine->subscribers, &selector, keys, allowed);
	for (size_t n = 0; n < found; n++) {
		struct subscriber *sub = subscriber_find(engine->subscribers, keys[n]);

		if (sub)
			subscriber_end(sub, END_DRAINED, NULL);
	}
	return found > 0;
}

void engine_drain_step(void *ctx)
{
	struct engine *engine = ctx;
	uint64_t now = env_now(engine->env);
	struct state_drained *record;
	bool busy = false;

	EACH_RECORD(engine, record, index)
	{
		if (!record->used || !record->rate)
			continue;
		if (!end_some(engine, record, &engine->drain_last[index], now)) {
			record->rate = 0;
			log_info("drain: %s%s: no session is left",
				lac_of(engine, record) ? "lac " : "",
				lac_of(engine, record) ? record->lac : "all");
		}
		busy |= record->rate > 0;
	}
	if (busy)
		env_timer_start(engine->drain_timer, PACE);
}

/* ---- on and off ---- */

static int apply(struct engine *engine, const struct state_drained *record)
{
	static const enum l2tp_drain of_one[] = {
		[DRAIN_UNSET] = L2TP_DRAIN_AS_ALL,
		[DRAIN_ON] = L2TP_DRAIN_ON,
		[DRAIN_OFF] = L2TP_DRAIN_EXCEPT,
	};
	const char *lac = lac_of(engine, record);

	if (lac)
		return l2tp_server_drain_lac(engine->l2tp, lac, of_one[record->used]);
	l2tp_server_drain(engine->l2tp, record->used || engine->stopping);
	return 0;
}

void engine_drain_restore(struct engine *engine)
{
	struct state_drained *record;

	EACH_RECORD(engine, record, index)
	{
		if (!record->used)
			continue;
		if (!memchr(record->lac, 0, sizeof(record->lac)) || record->rate > RATE_MAX ||
			record->used > DRAIN_OFF) {
			state_publish(&record->used, DRAIN_UNSET);
			continue;
		}
		if (apply(engine, record) < 0)
			log_error("drain: lac %s: out of memory", record->lac);
		else
			log_info("drain: %s%s: still %s", lac_of(engine, record) ? "lac " : "",
				lac_of(engine, record) ? record->lac : "all",
				record->used == DRAIN_ON ? "drained"
							 : "not drained, all others are");
		engine->drain_last[index] = env_now(engine->env);
	}
	env_timer_start(engine->drain_timer, PACE);
}

static json_t *drain_item(struct engine *engine, const char *lac, unsigned int rate)
{
	return json_pack("{s:o, s:b, s:i, s:i}", "lac", engine_json_text(lac), "drained",
		l2tp_server_is_drained(engine->l2tp, lac), "sessions",
		(int)sessions_of(engine, lac), "rate", (int)rate);
}

/* The lac of the arguments, checked; false with error set. */
static bool take_lac(
	struct engine *engine, const json_t *args, const char **ret_lac, char *error, size_t size)
{
	*ret_lac = json_string_value(json_object_get(args, "lac"));
	if (!*ret_lac || engine_lac_is_known(engine, *ret_lac))
		return true;
	snprintf(error, size, "no such lac section: \"%.64s\"", *ret_lac);
	return false;
}

/* Sets a record. 0, or -ENOMEM: then it is as it was. */
static int set_record(
	struct engine *engine, struct state_drained *record, uint32_t used, uint32_t rate)
{
	const struct state_drained before = *record;
	int err;

	record->rate = rate;
	state_publish(&record->used, used);
	err = apply(engine, record);
	if (err < 0) {
		record->rate = before.rate;
		state_publish(&record->used, before.used);
	}
	return err;
}

/* "Drain all" means all: L2TP forgets the exceptions by itself. */
static void drop_exceptions(struct engine *engine)
{
	struct state_drained *record;

	EACH_RECORD(engine, record, index)
	if (record->used == DRAIN_OFF)
		state_publish(&record->used, DRAIN_UNSET);
}

json_t *engine_drain(void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	const json_t *rate = json_object_get(args, "rate");
	json_int_t wanted = json_integer_value(rate);
	struct state_drained *record;
	const char *lac;
	char detail[48];

	if (*cursor)
		return NULL;
	*cursor = DONE;
	if (!take_lac(engine, args, &lac, error, size))
		return NULL;
	record = find_record(engine, lac);
	if (rate && (wanted < 1 || wanted > RATE_MAX)) {
		snprintf(error, size, "rate: is not 1 to %d sessions a second", RATE_MAX);
		return NULL;
	}
	if (!record) {
		snprintf(error, size, "too many lac sections are drained; drain all of them");
		return NULL;
	}
	if (set_record(engine, record, DRAIN_ON, (uint32_t)wanted) < 0) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	if (!lac)
		drop_exceptions(engine);
	engine->drain_last[record - state_drained_at(engine->state, 0)] = env_now(engine->env);
	if (wanted)
		env_timer_start(engine->drain_timer, PACE);
	log_info("drain: %s%s: no new tunnels and calls; %u sessions, %d a second are ended",
		lac ? "lac " : "", lac ? lac : "all", sessions_of(engine, lac), (int)wanted);
	snprintf(detail, sizeof(detail), "%d sessions a second are ended", (int)wanted);
	engine_event_drain(engine, lac, true, wanted ? detail : NULL);
	return drain_item(engine, lac, (unsigned int)wanted);
}

/* Of all sections: whatever is drained. */
static bool undrain_all(struct engine *engine)
{
	struct state_drained *record;
	bool was_drained = false;

	EACH_RECORD(engine, record, index)
	{
		was_drained |= record->used == DRAIN_ON;
		if (record->used)
			set_record(engine, record, DRAIN_UNSET, 0);
	}
	return was_drained;
}

/* Of one section: what was drained by itself is not any more; while all are, it is the exception. */
static bool undrain_lac(struct engine *engine, const char *lac, char *error, size_t size)
{
	bool all = l2tp_server_is_drained(engine->l2tp, NULL);
	struct state_drained *record = find_record(engine, lac);

	if (!l2tp_server_is_drained(engine->l2tp, lac))
		snprintf(error, size, "it is not drained");
	else if (!record)
		snprintf(error, size,
			"too many lac sections are drained or not by themselves; undrain all of them");
	else if (set_record(engine, record, all ? DRAIN_OFF : DRAIN_UNSET, 0) < 0)
		snprintf(error, size, "out of memory");
	else
		return true;
	return false;
}

json_t *engine_undrain(void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	const char *lac;

	if (*cursor)
		return NULL;
	*cursor = DONE;
	if (!take_lac(engine, args, &lac, error, size))
		return NULL;
	if (engine->stopping) {
		snprintf(error, size, "lnsd is stopping");
		return NULL;
	}
	if (lac && !undrain_lac(engine, lac, error, size))
		return NULL;
	if (!lac && !undrain_all(engine)) {
		snprintf(error, size, "nothing is drained");
		return NULL;
	}
	log_info("undrain: %s%s: new tunnels and calls are welcome%s", lac ? "lac " : "",
		lac ? lac : "all",
		l2tp_server_is_drained(engine->l2tp, NULL) ? "; all others stay drained" : "");
	engine_event_drain(engine, lac, false, NULL);
	return drain_item(engine, lac, 0);
}

json_t *engine_drained_lacs(struct engine *engine, bool drained)
{
	json_t *names = json_array();
	struct state_drained *record;

	EACH_RECORD(engine, record, index)
	if (index > 0 && record->used == (drained ? DRAIN_ON : DRAIN_OFF))
		json_array_append_new(names, json_string(record->lac));
	return names;
}
