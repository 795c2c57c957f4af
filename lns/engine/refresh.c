// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/refresh: `lnsctl refresh tunnel`: a LAC is asked for the speeds of its calls (RFC 5515). The
 * answers come when they come; `show session` then has them.
 */
#include "lns/engine/commands.h"

#include <stdio.h>
#include <string.h>

json_t *engine_refresh_tunnel(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct l2tp_tunnel *tunnel;
	int asked;

	if (*cursor)
		return NULL;
	*cursor = DONE;
	tunnel = engine_control_tunnel(ctx, args, "id", error, size);
	if (!tunnel)
		return NULL;
	asked = l2tp_tunnel_ask_speeds(tunnel);
	if (asked > 0)
		return json_pack("{s:i}", "asked", asked);
	if (asked < 0)
		snprintf(error, size, "cannot ask: %s", strerror(-asked));
	else
		snprintf(error, size, "its LAC has no calls whose speeds it tells");
	return NULL;
}
