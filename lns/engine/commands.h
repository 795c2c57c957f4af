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

/* ---- filter.c ---- */

struct history_entry;

/* Whether the argument is value (an address for "ip"), or not given. */
bool engine_filter_text(const json_t *args, const char *key, const char *value);
bool engine_filter_addr(const json_t *args, const union addr *addr);
/* Whether all of user, lac, ip, state (for an end: failed), calling are so, or not given. */
bool engine_filter_session(const json_t *args, const struct subscriber_info *info);
bool engine_filter_end(const json_t *args, const struct history_entry *entry);
/* Whether their values make sense; otherwise error says which does not. */
bool engine_filter_check(
	struct engine *engine, const json_t *args, bool of_tunnels, char *error, size_t size);
/* Whether there is such a lac section, or was one. */
bool engine_lac_is_known(struct engine *engine, const char *name);

/* ---- show.c ---- */

control_next_fn engine_show_tunnels, engine_show_stats, engine_show_pools;

/* ---- show_session.c ---- */

json_t *engine_session_item(const struct subscriber_info *info);
control_next_fn engine_show_sessions, engine_show_session;

/* ---- show_lac.c ---- */

control_next_fn engine_show_lacs, engine_show_lac;

/* ---- drain.c ---- */

control_next_fn engine_drain, engine_undrain;
/* The names of the lac sections that are drained by themselves; or those that are not while all others are. */
json_t *engine_drained_lacs(struct engine *engine, bool drained);

/* ---- show_history.c ---- */

control_next_fn engine_show_history, engine_show_why;

/* ---- show_radius.c ---- */

control_next_fn engine_show_radius, engine_show_das, engine_show_spool, engine_flush_spool;

/* ---- disconnect.c ---- */

control_next_fn engine_disconnect_session, engine_disconnect_user, engine_disconnect_tunnel,
	engine_disconnect_lac;

/* ---- refresh.c ---- */

control_next_fn engine_refresh_tunnel;

#endif
