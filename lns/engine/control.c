// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/control: the commands of the control socket, a row each, and what they have in common. Items are
 * JSON objects whose keys are documented in lnsctl(8) and stay.
 */
#include "lns/control/control.h"

#include "lns/engine/commands.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

json_t *engine_json_addr(const union addr *addr, bool with_port)
{
	char text[ADDR_TEXT];

	if (addr->sa.sa_family == AF_UNSPEC)
		return json_null();
	return json_string(with_port ? addr_text(addr, text) : addr_text_host(addr, text));
}

json_t *engine_json_text(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

json_t *engine_json_time(uint64_t wallclock)
{
	time_t seconds = (time_t)(wallclock / 1000000);
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return engine_json_text(text);
}

struct l2tp_tunnel *engine_control_tunnel(
	struct engine *engine, const json_t *args, const char *key, char *error, size_t size)
{
	const json_t *id = json_object_get(args, key);
	json_int_t number = json_integer_value(id);
	struct l2tp_tunnel *tunnel = NULL;

	if (number > 0 && number <= UINT16_MAX)
		tunnel = l2tp_tunnel_find(engine->l2tp, (uint16_t)number);
	if (!tunnel)
		snprintf(error, size, id ? "no such tunnel" : "which tunnel? (\"%s\")", key);
	return tunnel;
}

/* A session by its number, or by its Acct-Session-Id. */
struct subscriber *engine_control_session(
	struct engine *engine, const json_t *args, char *error, size_t size)
{
	const json_t *id = json_object_get(args, "id");
	struct subscriber *sub = NULL;
	unsigned long long key;
	char rest;

	if (json_is_integer(id))
		sub = subscriber_find(engine->subscribers, (uint64_t)json_integer_value(id));
	else if (json_is_string(id) && strlen(json_string_value(id)) == 16 &&
		 sscanf(json_string_value(id), "%16llx%c", &key, &rest) == 1)
		sub = subscriber_find(engine->subscribers, key);
	if (!sub)
		snprintf(error, size, id ? "no such session" : "which session? (\"id\")");
	return sub;
}

static const struct control_command commands[] = {
	{ "show tunnels", engine_show_tunnels },
	{ "show sessions", engine_show_sessions },
	{ "show session", engine_show_session },
	{ "show lacs", engine_show_lacs },
	{ "show lac", engine_show_lac },
	{ "show stats", engine_show_stats },
	{ "show radius", engine_show_radius },
	{ "show das", engine_show_das },
	{ "show spool", engine_show_spool },
	{ "show pools", engine_show_pools },
	{ "history", engine_show_history },
	{ "why", engine_show_why },
	{ "spool flush", engine_flush_spool },
	{ "drain", engine_drain },
	{ "undrain", engine_undrain },
	{ "disconnect session", engine_disconnect_session },
	{ "disconnect user", engine_disconnect_user },
	{ "disconnect tunnel", engine_disconnect_tunnel },
	{ "disconnect lac", engine_disconnect_lac },
	{ "refresh tunnel", engine_refresh_tunnel },
	{ NULL, NULL },
};

static const struct control_feed_command feeds[] = {
	{ "trace tunnel", engine_trace_tunnel, engine_trace_close },
	{ "trace session", engine_trace_session, engine_trace_close },
	{ "trace lac", engine_trace_lac, engine_trace_close },
	{ "capture tunnel", engine_trace_capture, engine_trace_close },
	{ "call", engine_call_open, engine_call_close },
	{ "reload", engine_reload_open, engine_reload_close },
	{ "monitor", engine_events_open, engine_events_close },
	{ "show kernel", engine_inspect_open, engine_inspect_close },
	{ "top", engine_top_open, engine_top_close },
	{ "spool show", engine_spool_show, engine_spool_close },
	{ "spool export", engine_spool_export, engine_spool_close },
	{ "kernel trace on", engine_ktrace_on, engine_ktrace_close },
	{ "kernel trace off", engine_ktrace_off, engine_ktrace_close },
	{ "kernel trace show", engine_ktrace_show, engine_ktrace_close },
	{ NULL, NULL, NULL },
};

int engine_control_start(struct engine *engine)
{
	int fd = engine->control_fd, err;

	engine->control_fd = -1;
	err = control_new(engine->env, fd, commands, engine, &engine->control);
	if (err == 0)
		control_set_feeds(engine->control, feeds);
	return err;
}
