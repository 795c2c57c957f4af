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
	const struct subscriber_selector selector = {
		.user_text = json_string_value(json_object_get(args, "user")),
	};
	uint64_t keys[64];
	size_t found;
	int count = 0;

	if (*cursor)
		return NULL;
	*cursor = DONE;
	while (selector.user_text &&
		(found = subscribers_select(engine->subscribers, &selector, keys, 64)) > 0)
		for (size_t n = 0; n < found && n < 64; n++, count++) {
			struct subscriber *sub = subscriber_find(engine->subscribers, keys[n]);

			if (sub)
				subscriber_end(sub, END_OPERATOR, NULL);
		}
	if (count > 0)
		return json_pack("{s:i}", "disconnected", count);
	snprintf(error, size,
		selector.user_text ? "no session of that user" : "which user? (\"user\")");
	return NULL;
}

static const struct l2tp_result by_operator = { .code = L2TP_STOPCCN_GENERAL,
	.text = "closed by the operator" };

json_t *engine_disconnect_tunnel(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct l2tp_tunnel *tunnel;
	struct l2tp_tunnel_info info;

	if (*cursor)
		return NULL;
	*cursor = DONE;
	tunnel = engine_control_tunnel(ctx, args, "id", error, size);
	if (!tunnel)
		return NULL;
	l2tp_tunnel_info(tunnel, &info);
	l2tp_tunnel_close(tunnel, &by_operator);
	return json_pack("{s:i}", "disconnected", (int)info.sessions);
}

/* One tunnel a step. The cursor: the sessions ended so far, then the tunnel that was looked at last. */
json_t *engine_disconnect_lac(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	const char *lac = json_string_value(json_object_get(args, "lac"));
	struct l2tp_tunnel_info info;
	struct l2tp_tunnel *tunnel;

	if (*cursor == DONE)
		return NULL;
	if (!lac || !engine_lac_is_known(engine, lac)) {
		snprintf(error, size, lac ? "no such lac section" : "which lac? (\"lac\")");
		return NULL;
	}
	tunnel = l2tp_tunnel_next(engine->l2tp, (uint16_t)*cursor);
	if (!tunnel) {
		json_int_t count = (json_int_t)(*cursor >> 16);

		*cursor = DONE;
		return json_pack("{s:I}", "disconnected", count);
	}
	l2tp_tunnel_info(tunnel, &info);
	*cursor = (*cursor & ~UINT64_C(0xffff)) | info.id;
	if (strcmp(l2tp_tunnel_lac(tunnel)->name, lac) == 0 && strcmp(info.state, "closing") != 0 &&
		strcmp(info.state, "closed") != 0) {
		*cursor += (uint64_t)info.sessions << 16;
		l2tp_tunnel_close(tunnel, &by_operator);
	}
	return json_null();
}
