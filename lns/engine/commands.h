/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * commands: the commands of the control socket, functions as struct control_command wants them, and what
 * they share. ctx is the engine.
 */
#ifndef LNS_ENGINE_COMMANDS_H
#define LNS_ENGINE_COMMANDS_H

#include "lns/control/control.h"
#include "lns/engine/internal.h"

/* Microseconds as whole seconds, for JSON. */
#define SECONDS(us) ((json_int_t)((us) / 1000000))
/* A cursor behind the only item. */
#define DONE UINT64_MAX

/* ---- control.c: values, null for what is not known ---- */

json_t *engine_json_addr(const union addr *addr, bool with_port);
json_t *engine_json_text(const char *text);
/* Microseconds since 1970 as "2001-02-03T04:05:06Z". */
json_t *engine_json_time(uint64_t wallclock);
/* Whether the argument is value, or not given. */
bool engine_control_matches(const json_t *args, const char *key, const char *value);

/* ---- show.c ---- */

control_next_fn engine_show_tunnels, engine_show_sessions, engine_show_session, engine_show_stats,
	engine_show_history, engine_show_pools;

/* ---- show_radius.c ---- */

control_next_fn engine_show_radius, engine_show_das, engine_show_spool, engine_flush_spool;

/* ---- disconnect.c ---- */

control_next_fn engine_disconnect_session, engine_disconnect_user, engine_disconnect_tunnel;

#endif
