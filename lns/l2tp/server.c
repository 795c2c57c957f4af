/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server: the root of the protocol: the dispatcher, demultiplexing by tunnel id, and the registers that
 * tunnels share (ids, peers' hosts, live tunnels and sessions per lac section).
 *
 * A packet for an unknown tunnel is ignored, as is one that comes from elsewhere than the tunnel's
 * peer: an answer would help only those who guess ids (RFC 2661 section 9.2 asks for no more).
 */
#include "lns/l2tp/server.h"

#include "lns/env.h"
#include "lns/l2tp/admit.h"
#include "lns/l2tp/session.h"
#include "lns/l2tp/tunnel.h"
#include "lns/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the dispatcher --- */

void server_enter(struct l2tp_server *server)
{
	server->depth++;
}

static void free_dead(struct l2tp_server *server)
{
	struct l2tp_session *session;
	struct l2tp_tunnel *tunnel;

	while ((session = server->dead_sessions)) {
		server->dead_sessions = session->next_dead;
		session_free(session);
	}
	while ((tunnel = server->dead_tunnels)) {
		server->dead_tunnels = tunnel->next_dead;
		if (tunnel->opened)
			server->ops->tunnel_free(server->ctx, tunnel);
		tunnel_free(tunnel);
	}
}

void server_leave(struct l2tp_server *server)
{
	if (server->depth == 1)
		free_dead(server);
	server->depth--;
}

/* --- life --- */

int l2tp_server_new(struct env *env, const struct l2tp_settings *settings,
	const struct l2tp_ops *ops, void *ctx, struct l2tp_server **ret_server)
{
	struct l2tp_server *server = calloc(1, sizeof(*server));

	if (!server)
		return -ENOMEM;
	server->env = env;
	server->settings = *settings;
	server->ops = ops;
	server->ctx = ctx;
	env_random(env, &server->sources.seed, sizeof(server->sources.seed));
	env_random(env, &server->next_serial, sizeof(server->next_serial));
	*ret_server = server;
	return 0;
}

void l2tp_server_free(struct l2tp_server *server)
{
	struct l2tp_tunnel *tunnel;

	if (!server)
		return;
	while ((tunnel = l2tp_tunnel_next(server, 0)))
		tunnel_free(tunnel);
	while (server->drained)
		l2tp_server_drain_lac(server, server->drained->name, L2TP_DRAIN_AS_ALL);
	idmap_free(&server->tunnels);
	explicit_bzero(server->out, sizeof(server->out));
	free(server);
}

void l2tp_server_set(struct l2tp_server *server, const struct l2tp_settings *settings)
{
	server->settings = *settings;
}

static struct server_drained **find_drained(struct l2tp_server *server, const char *lac)
{
	struct server_drained **link = &server->drained;

	while (*link && strcmp((*link)->name, lac) != 0)
		link = &(*link)->next;
	return link;
}

static void drop_drained(struct server_drained **link)
{
	struct server_drained *drained = *link;

	*link = drained->next;
	free(drained);
}

int l2tp_server_drain_lac(struct l2tp_server *server, const char *lac, enum l2tp_drain drain)
{
	struct server_drained **link = find_drained(server, lac);

	if (drain == L2TP_DRAIN_AS_ALL) {
		if (*link)
			drop_drained(link);
		return 0;
	}
	if (!*link) {
		*link = calloc(1, sizeof(**link));
		if (!*link)
			return -ENOMEM;
		snprintf((*link)->name, sizeof((*link)->name), "%s", lac);
	}
	(*link)->is_exception = drain == L2TP_DRAIN_EXCEPT;
	return 0;
}

void l2tp_server_drain(struct l2tp_server *server, bool drain)
{
	struct server_drained **link = &server->drained;

	server->draining = drain;
	while (*link) {
		if ((*link)->is_exception)
			drop_drained(link);
		else
			link = &(*link)->next;
	}
}

bool l2tp_server_is_drained(const struct l2tp_server *server, const char *lac)
{
	const struct server_drained *drained = server->drained;

	while (lac && drained && strcmp(drained->name, lac) != 0)
		drained = drained->next;
	return lac && drained ? !drained->is_exception : server->draining;
}

void l2tp_server_watch(struct l2tp_server *server, bool on)
{
	server->watched = on;
}

const struct l2tp_counters *l2tp_server_counters(const struct l2tp_server *server)
{
	return &server->counters;
}

/* --- ids --- */

void l2tp_server_reserve_tunnel(struct l2tp_server *server, uint16_t tunnel_id, bool reserved)
{
	uint8_t bit = (uint8_t)(1u << (tunnel_id & 7));

	if (reserved)
		server->reserved[tunnel_id >> 3] |= bit;
	else
		server->reserved[tunnel_id >> 3] &= (uint8_t)~bit;
}

uint16_t server_pick_tunnel_id(struct l2tp_server *server)
{
	uint16_t id;

	env_random(server->env, &id, sizeof(id));
	for (unsigned int n = 0; n < 65536; n++, id++) {
		if (id && !(server->reserved[id >> 3] >> (id & 7) & 1) &&
			!idmap_find(&server->tunnels, id))
			return id;
	}
	return 0;
}

struct l2tp_tunnel *l2tp_tunnel_find(struct l2tp_server *server, uint16_t tunnel_id)
{
	return idmap_find(&server->tunnels, tunnel_id);
}

struct l2tp_tunnel *l2tp_tunnel_next(struct l2tp_server *server, unsigned int after)
{
	return idmap_next(&server->tunnels, after);
}

struct l2tp_tunnel **server_host_chain(struct l2tp_server *server, const union addr *peer)
{
	union addr key = *peer;

	addr_set_port(&key, 0);
	return &server->hosts[addr_hash(&key, server->sources.seed) % SERVER_HOSTS];
}

/* --- lac sections --- */

struct server_use *server_use_get(struct l2tp_server *server, const char *name)
{
	struct server_use *use;

	for (use = server->uses; use; use = use->next) {
		if (!strcmp(use->name, name))
			break;
	}
	if (!use) {
		use = calloc(1, sizeof(*use));
		if (!use)
			return NULL;
		snprintf(use->name, sizeof(use->name), "%s", name);
		use->next = server->uses;
		server->uses = use;
	}
	use->holders++;
	return use;
}

void server_use_put(struct l2tp_server *server, struct server_use *use)
{
	struct server_use **link = &server->uses;

	if (!use || --use->holders)
		return;
	while (*link != use)
		link = &(*link)->next;
	*link = use->next;
	free(use);
}

/* --- packets --- */

enum { FLAG_CONTROL = 0x80 };

static void demultiplex(
	struct l2tp_server *server, const struct l2tp_path *path, const uint8_t *packet, size_t len)
{
	const struct server_about about = { .peer = &path->peer };
	struct l2tp_header header;
	struct l2tp_tunnel *tunnel;
	const char *reason = "";
	char peer[ADDR_TEXT];

	if (l2tp_header_decode(packet, len, &header, &reason) != L2TP_OK) {
		server->counters.discarded++;
		server_log_mistake(server, &about, "%s: packet discarded: %s",
			addr_text(&path->peer, peer), reason);
		return;
	}
	if (!header.tunnel_id) {
		admit_packet(server, path, &header, packet, len);
		return;
	}
	tunnel = l2tp_tunnel_find(server, header.tunnel_id);
	if (tunnel) {
		tunnel_input(tunnel, path, packet, len);
		return;
	}
	server->counters.unknown_tunnel++;
	server_log_mistake(server, &about, "%s: message for unknown tunnel %u ignored",
		addr_text(&path->peer, peer), header.tunnel_id);
}

void l2tp_server_input(
	struct l2tp_server *server, const struct l2tp_path *path, const uint8_t *packet, size_t len)
{
	server->counters.packets_in++;
	server->counters.octets_in += len;
	if (len && !(packet[0] & FLAG_CONTROL)) {
		server->counters.data_to_control++;
		return;
	}
	server_enter(server);
	demultiplex(server, path, packet, len);
	server_leave(server);
}

int l2tp_stopccn_encode(uint16_t tunnel_id, uint16_t peer_tunnel_id, uint16_t ns, uint16_t nr,
	const struct l2tp_result *result, uint8_t *buf, size_t size)
{
	struct l2tp_msg msg = {
		.type = L2TP_STOPCCN,
		.present = 1ull << L2TP_AVP_ASSIGNED_TUNNEL_ID | 1ull << L2TP_AVP_RESULT_CODE,
		.assigned_tunnel_id = tunnel_id,
		.result = *result,
	};
	int len = l2tp_msg_encode(&msg, peer_tunnel_id, 0, NULL, NULL, buf, size);

	if (len < 0)
		return len;
	buf[8] = (uint8_t)(ns >> 8);
	buf[9] = (uint8_t)ns;
	buf[10] = (uint8_t)(nr >> 8);
	buf[11] = (uint8_t)nr;
	return len;
}

/* --- refusals --- */

bool server_has_room(const struct l2tp_server *server, bool call, struct l2tp_result *ret_result)
{
	char why[sizeof(ret_result->text)] = "";

	if (!server->ops->has_room || server->ops->has_room(server->ctx, call, why, sizeof(why)))
		return true;
	*ret_result = server_result(
		call ? L2TP_CDN_ERROR : L2TP_STOPCCN_ERROR, L2TP_ERROR_RESOURCES, "%s", why);
	return false;
}

void server_tell_refused(struct l2tp_server *server, const struct l2tp_refusal *refusal,
	struct l2tp_span calling, struct l2tp_span called)
{
	char calling_text[65], called_text[65];
	struct l2tp_refusal told = *refusal;

	if (!server->ops->refused)
		return;
	server_copy_text(calling_text, sizeof(calling_text), calling);
	server_copy_text(called_text, sizeof(called_text), called);
	told.calling = calling_text;
	told.called = called_text;
	server->ops->refused(server->ctx, &told);
}

/* --- words --- */

void server_log(const struct server_about *about, enum log_level level, unsigned int left_out,
	const char *format, va_list args)
{
	char text[1024], more[40] = "", peer[ADDR_TEXT], tunnel[12] = "", call[12] = "";
	const struct log_field fields[] = {
		{ "LNS_LAC", about->lac },
		{ "LNS_PEER", about->host_name },
		{ "LNS_PEER_ADDRESS", addr_text_host(about->peer, peer) },
		{ "LNS_TUNNEL", tunnel },
		{ "LNS_CALL", call },
		{ NULL, NULL },
	};

	vsnprintf(text, sizeof(text), format, args);
	if (about->tunnel)
		snprintf(tunnel, sizeof(tunnel), "%u", about->tunnel);
	if (about->call)
		snprintf(call, sizeof(call), "%u", about->call);
	if (left_out)
		snprintf(more, sizeof(more), " (and %u more like it)", left_out);
	log_line_with(level, fields, "%s%s", text, more);
}

bool server_may_complain(
	struct l2tp_server *server, const union addr *peer, unsigned int *ret_left_out)
{
	struct limit_source *source = limit_source(&server->sources, peer);

	return log_limit_pass(&source->mistakes, env_now(server->env), ret_left_out);
}

void server_log_mistake(
	struct l2tp_server *server, const struct server_about *about, const char *format, ...)
{
	unsigned int left_out;
	va_list args;

	if (!server_may_complain(server, about->peer, &left_out))
		return;
	va_start(args, format);
	server_log(about, LOG_LEVEL_WARNING, left_out, format, args);
	va_end(args);
}

struct l2tp_result server_result(uint16_t code, uint16_t error, const char *format, ...)
{
	struct l2tp_result result = { .code = code, .error = error };
	va_list args;

	va_start(args, format);
	vsnprintf(result.text, sizeof(result.text), format, args);
	va_end(args);
	return result;
}

void server_copy_text(char *out, size_t size, struct l2tp_span span)
{
	size_t len = span.len < size - 1 ? span.len : size - 1;

	for (size_t n = 0; n < len; n++)
		out[n] = span.data[n] >= ' ' && span.data[n] <= '~' ? (char)span.data[n] : '.';
	out[len] = '\0';
}
