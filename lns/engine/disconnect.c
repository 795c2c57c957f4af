// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/disconnect: sessions and tunnels that an operator ends.
 */
#include "lns/engine/commands.h"

#include <stdio.h>
#include <string.h>

json_t *engine_disconnect_session(
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

json_t *engine_disconnect_user(
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

json_t *engine_disconnect_tunnel(
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
