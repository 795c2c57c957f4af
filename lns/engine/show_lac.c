// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/show_lac: what the control socket shows of lac sections: their calls, failures and tunnels.
 */
#include "lns/engine/commands.h"

#include "lns/subscriber/tally.h"

#include <stdio.h>
#include <string.h>

static json_t *reasons_of(const uint64_t *counts)
{
	json_t *reasons = json_object();

	for (int reason = END_NONE + 1; reason < END_COUNT; reason++)
		if (counts[reason])
			json_object_set_new(reasons, end_rule(reason)->text,
				json_integer((json_int_t)counts[reason]));
	return reasons;
}

static json_int_t sum_of(const uint64_t *counts)
{
	uint64_t sum = 0;

	for (int reason = END_NONE + 1; reason < END_COUNT; reason++)
		sum += counts[reason];
	return (json_int_t)sum;
}

/* Counts, for all of them at once, the control messages that were sent again through present tunnels. */
static void count_retransmissions(struct engine *engine)
{
	struct tally *tally = subscribers_tally(engine->subscribers);
	struct l2tp_tunnel *tunnel = l2tp_tunnel_next(engine->l2tp, 0);
	struct l2tp_tunnel_info info;

	for (unsigned int i = 0; i < tally->count; i++)
		tally->lacs[i].retransmissions_now = 0;
	for (; tunnel; tunnel = l2tp_tunnel_next(engine->l2tp, info.id)) {
		l2tp_tunnel_info(tunnel, &info);
		if (engine->tunnels[info.id] && engine->tunnels[info.id]->tally)
			engine->tunnels[info.id]->tally->retransmissions_now +=
				info.retransmissions;
	}
}

static json_t *lac_item(struct engine *engine, const struct tally_lac *lac)
{
	unsigned int sessions = 0, coming = 0;

	for (unsigned int state = 0; state < SUBSCRIBER_STATES; state++)
		sessions += lac->sessions[state];
	for (unsigned int state = 0; state < SUBSCRIBER_UP; state++)
		coming += lac->sessions[state];
	return json_pack("{s:s, s:b, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:f, s:I, s:o, s:o, "
			 "s:o, s:o}",
		"lac", lac->name, "drained", l2tp_server_is_drained(engine->l2tp, lac->name),
		"tunnels", (int)lac->tunnels, "sessions", (int)sessions, "online",
		(int)lac->sessions[SUBSCRIBER_UP], "in_setup", (int)coming, "calls",
		(json_int_t)lac->calls, "calls_up", (json_int_t)lac->up, "calls_failed",
		sum_of(lac->failed), "ended", sum_of(lac->ended), "setup_rate",
		tally_rate(lac, env_now(engine->env)) / 1000.0, "retransmissions",
		(json_int_t)(lac->retransmissions + lac->retransmissions_now), "failed_reasons",
		reasons_of(lac->failed), "ended_reasons", reasons_of(lac->ended), "last_error",
		engine_json_text(lac->error), "last_error_at",
		lac->error_wallclock ? engine_json_time(lac->error_wallclock) : json_null());
}

json_t *engine_show_lacs(void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	const struct tally *tally = subscribers_tally(engine->subscribers);

	(void)args;
	(void)error;
	(void)size;
	if (*cursor == 0)
		count_retransmissions(engine);
	if (*cursor >= tally->count)
		return NULL;
	return lac_item(engine, &tally->lacs[(*cursor)++]);
}

json_t *engine_show_lac(void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	const struct tally *tally = subscribers_tally(engine->subscribers);
	const char *name = json_string_value(json_object_get(args, "lac"));

	if (*cursor)
		return NULL;
	*cursor = DONE;
	count_retransmissions(engine);
	for (unsigned int i = 0; name && i < tally->count; i++)
		if (strcmp(tally->lacs[i].name, name) == 0)
			return lac_item(engine, &tally->lacs[i]);
	snprintf(error, size, name ? "no such lac section" : "which lac? (\"lac\")");
	return NULL;
}
