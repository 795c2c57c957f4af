/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admit: the way of an SCCRQ to a tunnel (RFC 2661 sections 5.1, 7.2 and 4.4.3).
 *
 * What comes before a tunnel exists costs no memory: rates are limited by buckets of fixed size, first
 * per source, then in all, and a refusal is one StopCCN for which nothing is kept. Only listed peers
 * draw from the total.
 *
 * A second SCCRQ from a host that has a tunnel is one of four things:
 * - the same packet again, before the peer had our answer, or shortly after: a copy, which that tunnel
 *   acknowledges, unless it was stopped meanwhile;
 * - an SCCRQ that crosses ours: the tie breaker decides;
 * - a second tunnel, or a LAC that has restarted: both get a tunnel at once. Which one it was shows
 *   when the new tunnel is established (tunnel_supersede).
 */
#include "lns/l2tp/admit.h"

#include "lns/env.h"
#include "lns/l2tp/peek.h"
#include "lns/l2tp/server.h"
#include "lns/l2tp/tunnel.h"

#include <errno.h>
#include <string.h>

#define COPY_TIME                                                                                  \
	ENV_SEC(2) /* that a copy spends in the network; later it is from a restarted peer */

struct request {
	const struct l2tp_path *path;
	const uint8_t *packet;
	size_t len;
	uint64_t digest;
	struct peek peek;
	struct l2tp_lac lac;
	struct l2tp_msg msg;
	char peer[ADDR_TEXT], host_name[256];
	struct limit_source *source;
	struct server_about about; /* what is known so far */
};

static uint64_t digest_packet(const uint8_t *packet, size_t len)
{
	uint64_t digest = 0xcbf29ce484222325; /* FNV-1a */

	for (size_t n = 0; n < len; n++)
		digest = (digest ^ packet[n]) * 0x100000001b3;
	return digest;
}

size_t admit_refuse(struct l2tp_server *server, const struct l2tp_path *path,
	uint16_t peer_tunnel_id, const struct l2tp_result *result)
{
	int len;

	if (!limit_take(&server->refusals, SERVER_REFUSAL_RATE, env_now(server->env)))
		return 0;
	len = l2tp_stopccn_encode(server_pick_tunnel_id(server), peer_tunnel_id, 0, 1, result,
		server->out, sizeof(server->out));
	if (len < 0)
		return 0;
	server->counters.packets_out++;
	server->counters.octets_out += (uint64_t)len;
	server->ops->send(server->ctx, path, server->out, (size_t)len);
	return (size_t)len;
}

static void refuse(
	struct l2tp_server *server, struct request *request, const struct l2tp_result *result)
{
	server_log_mistake(server, &request->about, "%s (%s): SCCRQ refused: %s", request->peer,
		request->host_name, result->text);
	server_tell_refused(server,
		&(struct l2tp_refusal){ .lac = request->lac.name[0] ? request->lac.name : NULL,
			.peer = &request->path->peer,
			.host_name = request->host_name,
			.result = result },
		(struct l2tp_span){ 0 }, (struct l2tp_span){ 0 });
	admit_refuse(server, request->path, request->peek.tunnel_id, result);
}

/*
 * Whether an SCCRQ like the one that made this tunnel is a copy of it. A peer that had our answer sends no
 * more of them: then only the network may have kept one for a while, and once we have said StopCCN, one
 * that comes is a new attempt, whether we know that the StopCCN was heard or not.
 */
static bool expects_copies(const struct l2tp_server *server, const struct l2tp_tunnel *tunnel)
{
	bool answered = tunnel->since || tunnel->xport.una != 0;

	if (tunnel->state == TUNNEL_CLOSED || tunnel->peer_stopped)
		return false;
	return !answered || (tunnel->state != TUNNEL_CLOSING &&
				    env_now(server->env) - tunnel->created < COPY_TIME);
}

/* The tunnel that this very SCCRQ has made. */
static struct l2tp_tunnel *find_original(struct l2tp_server *server, const struct request *request)
{
	struct l2tp_tunnel *tunnel = *server_host_chain(server, &request->path->peer);

	for (; tunnel; tunnel = tunnel->next_of_host) {
		if (tunnel->sccrq_digest == request->digest && expects_copies(server, tunnel) &&
			addr_equal(&tunnel->path.peer, &request->path->peer))
			return tunnel;
	}
	return NULL;
}

/*
 * The peer uses the id of a tunnel that we have ended for a new one: it waits for our StopCCN no more, and
 * another copy of that would end the new tunnel.
 */
static void abandon_namesakes(struct l2tp_server *server, const struct request *request)
{
	struct l2tp_tunnel *tunnel = *server_host_chain(server, &request->path->peer);

	for (; tunnel; tunnel = tunnel->next_of_host) {
		struct tunnel_input input = { 0 };

		if (tunnel->state == TUNNEL_CLOSING && !tunnel->peer_stopped &&
			tunnel->peer_id == request->msg.assigned_tunnel_id &&
			addr_equal(&tunnel->path.peer, &request->path->peer))
			tunnel_step(tunnel, TUNNEL_LOST, &input);
	}
}

/* Finds the lac section and decodes with its secret; false when that is the end of it. */
static bool identify(struct l2tp_server *server, struct request *request)
{
	struct l2tp_header header;
	struct l2tp_result result = { 0 };

	if (server->ops->lac_find(
		    server->ctx, &request->path->peer, request->host_name, &request->lac)) {
		result = server_result(
			L2TP_STOPCCN_NOT_AUTHORIZED, 0, "no lac section matches this peer");
		refuse(server, request, &result);
		return false;
	}
	switch (l2tp_msg_decode(request->packet, request->len,
		request->lac.secret.len ? &request->lac.secret : NULL, request->lac.lenient,
		server->scratch, sizeof(server->scratch), &header, &request->msg, &result)) {
	case L2TP_OK:
		return request->msg.type == L2TP_SCCRQ;
	case L2TP_CLEAR:
		request->peek.tunnel_id = request->msg.assigned_tunnel_id;
		refuse(server, request, &result);
		return false;
	default:
		server->counters.discarded++;
		server_log_mistake(server, &request->about, "%s: SCCRQ discarded: %s",
			request->peer, result.text);
		return false;
	}
}

/*
 * Ours and theirs are on their way at the same time. Returns false when theirs is to be dropped; gives
 * up ours when it loses, both when the values are equal (section 4.4.3, Tie Breaker).
 */
static bool break_tie(struct l2tp_server *server, const struct request *request)
{
	struct l2tp_tunnel *tunnel = *server_host_chain(server, &request->path->peer);
	bool given = l2tp_msg_has(&request->msg, L2TP_AVP_TIE_BREAKER);
	uint64_t theirs = request->msg.tie_breaker;
	bool equal;

	for (; tunnel; tunnel = tunnel->next_of_host) {
		struct tunnel_input input = { 0 };

		if (tunnel->state != TUNNEL_WAIT_CTL_REPLY ||
			!addr_equal_host(&tunnel->path.peer, &request->path->peer))
			continue;
		if (!given || tunnel->tie_breaker < theirs)
			return false;
		input.result = server_result(
			L2TP_STOPCCN_GENERAL, 0, "the peer's SCCRQ wins by its tie breaker");
		equal = tunnel->tie_breaker == theirs;
		tunnel_step(tunnel, TUNNEL_TIE_LOST, &input);
		return !equal;
	}
	return true;
}

/* Established tunnels from the same address and port, which may turn out to be replaced by this one. */
static unsigned int count_replaceable(
	struct l2tp_server *server, const struct request *request, const struct server_use *use)
{
	struct l2tp_tunnel *tunnel = *server_host_chain(server, &request->path->peer);
	unsigned int count = 0;

	for (; tunnel; tunnel = tunnel->next_of_host)
		count += tunnel->use == use && tunnel->state == TUNNEL_ESTABLISHED &&
			 addr_equal(&tunnel->path.peer, &request->path->peer);
	return count;
}

static struct server_use *use_of(struct l2tp_server *server, const struct request *request)
{
	struct server_use *use = server->uses;

	while (use && strcmp(use->name, request->lac.name) != 0)
		use = use->next;
	return use;
}

static bool within_limits(struct l2tp_server *server, struct request *request)
{
	const struct server_use *use = use_of(server, request);
	unsigned int replaceable = use ? count_replaceable(server, request, use) : 0;
	struct l2tp_result result;

	if (l2tp_server_is_drained(server, request->lac.name))
		result = server_result(L2TP_STOPCCN_ERROR, L2TP_ERROR_TRY_ANOTHER,
			"no new tunnels here, try another LNS");
	else if (server->settings.max_tunnels &&
		 server->live_tunnels >= server->settings.max_tunnels)
		result = server_result(L2TP_STOPCCN_ERROR, L2TP_ERROR_RESOURCES,
			"limit of %u tunnels reached", server->settings.max_tunnels);
	else if (use && request->lac.max_tunnels &&
		 use->tunnels - replaceable >= request->lac.max_tunnels)
		result = server_result(L2TP_STOPCCN_ERROR, L2TP_ERROR_RESOURCES,
			"limit of %u tunnels of this lac reached", request->lac.max_tunnels);
	else if (replaceable == 1 || server_has_room(server, false, &result))
		return true; /* what is replaced by one gives its room to it */
	refuse(server, request, &result);
	return false;
}

static bool within_rates(struct l2tp_server *server, struct request *request)
{
	uint64_t now = env_now(server->env);

	if (limit_take(&request->source->bucket, server->settings.sccrq_rate_per_source, now) &&
		limit_take(&server->sccrqs, server->settings.sccrq_rate, now))
		return true;
	server->counters.sccrq_limited++;
	server_log_mistake(server, &request->about,
		"%s (%s): SCCRQ dropped: too many new tunnels in a second", request->peer,
		request->host_name);
	return false;
}

static void admit_sccrq(struct l2tp_server *server, struct request *request)
{
	struct l2tp_tunnel *tunnel = find_original(server, request);
	struct l2tp_result result;
	int err;

	if (tunnel) {
		tunnel_input(tunnel, request->path, request->packet, request->len);
		return;
	}
	if (!identify(server, request) || !within_rates(server, request) ||
		!within_limits(server, request) || !break_tie(server, request))
		return;
	abandon_namesakes(server, request);
	err = tunnel_new(server, request->path, &request->lac, &tunnel);
	if (err) {
		result = server_result(L2TP_STOPCCN_ERROR, L2TP_ERROR_RESOURCES, "%s",
			err == -EUSERS ? "no tunnel id is left" : "out of memory");
		refuse(server, request, &result);
		return;
	}
	tunnel->sccrq_digest = request->digest;
	tunnel_input(tunnel, request->path, request->packet, request->len);
}

/* A peer that sends StopCCN before it knows our id is known by the id that it assigned. */
static struct l2tp_tunnel *find_by_peer_id(
	struct l2tp_server *server, const struct l2tp_path *path, uint16_t peer_id)
{
	struct l2tp_tunnel *tunnel = *server_host_chain(server, &path->peer);

	for (; tunnel; tunnel = tunnel->next_of_host) {
		if (tunnel->peer_id == peer_id && tunnel->state == TUNNEL_WAIT_CTL_CONN &&
			addr_equal(&tunnel->path.peer, &path->peer))
			return tunnel;
	}
	return NULL;
}

void admit_packet(struct l2tp_server *server, const struct l2tp_path *path,
	const struct l2tp_header *header, const uint8_t *packet, size_t len)
{
	struct request request = { .path = path, .packet = packet, .len = len };
	struct l2tp_tunnel *tunnel;

	request.about = (struct server_about){
		.peer = &path->peer, .lac = request.lac.name, .host_name = request.host_name
	};
	request.source = limit_source(&server->sources, &path->peer);
	addr_text(&path->peer, request.peer);
	peek_packet(packet, len, &request.peek);
	server_copy_text(request.host_name, sizeof(request.host_name), request.peek.host_name);
	if (request.peek.type == L2TP_SCCRQ && !header->session_id && !header->ns && !header->nr) {
		request.digest = digest_packet(packet, len);
		admit_sccrq(server, &request);
		explicit_bzero(&request.lac.secret, sizeof(request.lac.secret));
		explicit_bzero(server->scratch, len);
		return;
	}
	if (request.peek.type == L2TP_STOPCCN) {
		tunnel = find_by_peer_id(server, path, request.peek.tunnel_id);
		if (tunnel) {
			tunnel_input(tunnel, path, packet, len);
			return;
		}
	}
	server->counters.unknown_tunnel++;
	server_log_mistake(server, &request.about,
		"%s: message %s for tunnel 0 ignored: only an SCCRQ may open a tunnel%s",
		request.peer, l2tp_msg_name(request.peek.type),
		request.peek.type == L2TP_SCCRQ ? ", with session id, Ns and Nr 0" : "");
}
