// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/room: whether the limits in monitor/limits.h have room for one more call, or tunnel,
 * beside those that there are. What comes beyond is refused while everything else goes on: a process or
 * a descriptor that is missing later would cost somebody who is online.
 *
 * The engine's limits are those of the monitor, which it is started by; of the two, the monitor holds more.
 * Sessions and tunnels that a dead engine left count until they are ended; calls in the queue hold nothing
 * and do not count, but are asked again when their turn has come.
 */
#include "lns/engine/internal.h"

#include "lns/log.h"

#include <inttypes.h>
#include <stdio.h>

#define READ_EVERY ENV_SEC(1) /* while there is no room: somebody may have made some */
#define SAY_EVERY  ENV_SEC(60)

void engine_room_read(struct engine *engine)
{
	struct engine_room *room = &engine->room;

	monitor_limits_read(&room->limits);
	monitor_limits_needs(engine->config, &room->needs);
	room->read = env_now(engine->env);
}

static unsigned int count_tunnels(const struct engine *engine)
{
	unsigned int sessions, tunnels;

	engine_past_left(engine, &sessions, &tunnels);
	return engine->tunnel_count + tunnels;
}

static unsigned int count_sessions(const struct engine *engine)
{
	unsigned int sessions, tunnels;

	engine_past_left(engine, &sessions, &tunnels);
	return subscribers_holding(engine->subscribers) + sessions;
}

/* A tunnel is of use only with a session in it. */
static bool fits(const struct engine *engine, bool call, struct monitor_room *ret_room)
{
	const struct engine_room *room = &engine->room;
	unsigned int tunnels = count_tunnels(engine) + (call ? 0 : 1);

	return !monitor_limits_tightest(&room->limits, &room->needs, tunnels, ret_room) ||
	       count_sessions(engine) < ret_room->sessions;
}

static void say(struct engine *engine, const struct monitor_room *room)
{
	uint64_t now = env_now(engine->env);

	if (engine->room.said && now - engine->room.said < SAY_EVERY)
		return;
	engine->room.said = now;
	log_warning("no room for more calls: %s, enough for %" PRIu64
		    " sessions in %u tunnels; refused so far: %" PRIu64 "; to have more: %s",
		room->limit, room->sessions, count_tunnels(engine), engine->room.refused,
		room->remedy);
}

bool engine_has_room(void *ctx, bool call, char *ret_why, size_t size)
{
	struct engine *engine = ctx;
	struct monitor_room room;

	if (fits(engine, call, &room))
		return true;
	if (env_now(engine->env) - engine->room.read >= READ_EVERY) {
		engine_room_read(engine);
		if (fits(engine, call, &room))
			return true;
	}
	engine->room.refused++;
	say(engine, &room);
	snprintf(ret_why, size, "no room: %s, enough for %" PRIu64 " sessions", room.limit,
		room.sessions);
	return false;
}

void engine_rooms(struct engine *engine,
	void (*put)(void *ctx, const char *word, uint64_t sessions), void *ctx)
{
	engine_room_read(engine);
	monitor_limits_rooms(
		&engine->room.limits, &engine->room.needs, count_tunnels(engine), put, ctx);
}

json_t *engine_room_json(struct engine *engine)
{
	struct monitor_room room;

	engine_room_read(engine);
	if (!monitor_limits_tightest(
		    &engine->room.limits, &engine->room.needs, count_tunnels(engine), &room))
		return json_null();
	return json_pack("{s:I, s:i, s:s, s:s, s:I}", "sessions", (json_int_t)room.sessions, "used",
		(int)count_sessions(engine), "limit", room.limit, "remedy", room.remedy, "refused",
		(json_int_t)engine->room.refused);
}
