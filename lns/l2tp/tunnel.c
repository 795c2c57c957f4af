/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel: the life of a control connection, its way in (source, decoding, transport, state machine) and
 * its way out (encoding, transport), and the part of l2tp.h that is about tunnels.
 *
 * A packet is decoded before the transport sees it, so that one that is too broken to be answered leaves
 * no trace; early ones are kept as they came and decoded again when it is their turn.
 */
#include "lns/l2tp/tunnel.h"

#include "lns/env.h"
#include "lns/l2tp/server.h"
#include "lns/l2tp/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_TIME ENV_SEC(8) /* a Hello and three repetitions */
#define LEAST_CAP  ENV_SEC(8) /* of retransmission intervals, RFC 2661 section 5.8 */

const char *tunnel_name(const struct l2tp_tunnel *tunnel, char out[TUNNEL_NAME])
{
	char peer[ADDR_TEXT];

	addr_text(&tunnel->path.peer, peer);
	snprintf(out, TUNNEL_NAME, "tunnel %u (%s, %s, lac %s)", tunnel->id, peer,
		*tunnel->host_name ? tunnel->host_name : "no name yet", tunnel->lac.name);
	return out;
}

static struct server_about about(const struct l2tp_tunnel *tunnel, uint16_t call)
{
	return (struct server_about){ .peer = &tunnel->path.peer,
		.lac = tunnel->lac.name,
		.host_name = tunnel->host_name,
		.tunnel = tunnel->id,
		.call = call };
}

void l2tp_tunnel_log(const struct l2tp_tunnel *tunnel, uint16_t call, enum log_level level,
	const char *format, ...)
{
	const struct server_about whom = about(tunnel, call);
	va_list args;

	va_start(args, format);
	server_log(&whom, level, 0, format, args);
	va_end(args);
}

void tunnel_log_mistake(const struct l2tp_tunnel *tunnel, uint16_t call, const char *format, ...)
{
	const struct server_about whom = about(tunnel, call);
	unsigned int left_out;
	va_list args;

	if (!server_may_complain(tunnel->server, whom.peer, &left_out))
		return;
	va_start(args, format);
	server_log(&whom, LOG_LEVEL_WARNING, left_out, format, args);
	va_end(args);
}

void tunnel_watch(struct l2tp_tunnel *tunnel, bool outgoing, const uint8_t *packet, size_t len)
{
	struct l2tp_server *server = tunnel->server;

	if (server->watched && server->ops->message)
		server->ops->message(server->ctx, tunnel, outgoing, packet, len);
}

/* --- the transport's callbacks --- */

static void send_packet(void *ctx, const uint8_t *packet, size_t len)
{
	struct l2tp_tunnel *tunnel = ctx;
	struct l2tp_server *server = tunnel->server;

	server->counters.packets_out++;
	server->counters.octets_out += len;
	tunnel_watch(tunnel, true, packet, len);
	server->ops->send(server->ctx, &tunnel->path, packet, len);
}

static void step_from_timer(
	struct l2tp_tunnel *tunnel, enum tunnel_event event, struct l2tp_result result)
{
	struct l2tp_server *server = tunnel->server;
	struct tunnel_input input = { .result = result };

	server_enter(server);
	tunnel_step(tunnel, event, &input);
	server_leave(server);
}

static void transport_lost(void *ctx)
{
	struct l2tp_tunnel *tunnel = ctx;

	step_from_timer(tunnel, TUNNEL_LOST,
		server_result(L2TP_STOPCCN_GENERAL, 0,
			"no acknowledgement after %u retransmissions", tunnel->lac.retransmits));
}

static void send_hello(void *ctx)
{
	struct l2tp_tunnel *tunnel = ctx;
	struct l2tp_msg msg = { .type = L2TP_HELLO };

	server_enter(tunnel->server);
	tunnel_send(tunnel, 0, &msg);
	server_leave(tunnel->server);
}

static void transport_drained(void *ctx)
{
	struct l2tp_tunnel *tunnel = ctx;

	tunnel->drained = true;
}

static void transport_moved(void *ctx, uint16_t ns, uint16_t nr)
{
	struct l2tp_tunnel *tunnel = ctx;
	struct l2tp_server *server = tunnel->server;

	if (server->ops->tunnel_sequence)
		server->ops->tunnel_sequence(server->ctx, tunnel, ns, nr);
}

static const struct xport_ops transport_ops = {
	.transmit = send_packet,
	.lost = transport_lost,
	.hello = send_hello,
	.drained = transport_drained,
	.moved = transport_moved,
};

/* --- life --- */

static void deadline_fired(void *ctx)
{
	struct l2tp_tunnel *tunnel = ctx;
	bool idle = tunnel->state == TUNNEL_ESTABLISHED;

	step_from_timer(tunnel, TUNNEL_DEADLINE,
		server_result(
			L2TP_STOPCCN_GENERAL, 0, idle ? "no calls" : "not established in time"));
}

static void probe_fired(void *ctx)
{
	struct l2tp_tunnel *tunnel = ctx;

	if (tunnel->xport.last_heard >= tunnel->probed)
		return;
	step_from_timer(tunnel, TUNNEL_LOST,
		server_result(L2TP_STOPCCN_GENERAL, 0,
			"the peer has opened a new tunnel and is silent on this one"));
}

static void join_server(struct l2tp_tunnel *tunnel)
{
	struct l2tp_tunnel **chain = server_host_chain(tunnel->server, &tunnel->path.peer);

	tunnel->next_of_host = *chain;
	*chain = tunnel;
	tunnel->live = true;
	tunnel->use->tunnels++;
	tunnel->server->live_tunnels++;
}

static void leave_host_chain(struct l2tp_tunnel *tunnel)
{
	struct l2tp_tunnel **link = server_host_chain(tunnel->server, &tunnel->path.peer);

	while (*link && *link != tunnel)
		link = &(*link)->next_of_host;
	if (*link)
		*link = tunnel->next_of_host;
}

int tunnel_new(struct l2tp_server *server, const struct l2tp_path *path, const struct l2tp_lac *lac,
	struct l2tp_tunnel **ret_tunnel)
{
	struct l2tp_tunnel *tunnel = calloc(1, sizeof(*tunnel));
	struct xport_limits limits = {
		.window = lac->window ? lac->window : 1,
		.retransmits = lac->retransmits,
		.retransmit_cap = lac->retransmit_cap > LEAST_CAP ? lac->retransmit_cap : LEAST_CAP,
	};

	if (!tunnel)
		return -ENOMEM;
	tunnel->server = server;
	tunnel->path = *path;
	tunnel->lac = *lac;
	tunnel->created = env_now(server->env);
	tunnel->id = server_pick_tunnel_id(server);
	tunnel->use = server_use_get(server, lac->name);
	tunnel->deadline = env_timer_new(server->env, deadline_fired, tunnel);
	tunnel->probe = env_timer_new(server->env, probe_fired, tunnel);
	if (!tunnel->use || !tunnel->deadline || !tunnel->probe || !tunnel->id ||
		xport_init(&tunnel->xport, server->env, &limits, &transport_ops, tunnel,
			&server->counters) ||
		idmap_add(&server->tunnels, tunnel->id, tunnel)) {
		int err = tunnel->id ? -ENOMEM : -EUSERS;

		tunnel_free(tunnel);
		return err;
	}
	join_server(tunnel);
	*ret_tunnel = tunnel;
	return 0;
}

void tunnel_uncount(struct l2tp_tunnel *tunnel)
{
	if (!tunnel->live)
		return;
	tunnel->live = false;
	tunnel->use->tunnels--;
	tunnel->server->live_tunnels--;
}

void tunnel_free(struct l2tp_tunnel *tunnel)
{
	struct l2tp_server *server = tunnel->server;
	struct l2tp_session *session;

	while ((session = l2tp_session_next(tunnel, 0))) {
		idmap_remove(&tunnel->sessions, session->id);
		session_free(session);
	}
	tunnel_uncount(tunnel);
	leave_host_chain(tunnel);
	if (l2tp_tunnel_find(server, tunnel->id) == tunnel)
		idmap_remove(&server->tunnels, tunnel->id);
	idmap_free(&tunnel->sessions);
	idmap_free(&tunnel->by_peer);
	xport_fini(&tunnel->xport);
	env_timer_free(tunnel->deadline);
	env_timer_free(tunnel->probe);
	server_use_put(server, tunnel->use);
	explicit_bzero(tunnel, sizeof(*tunnel));
	free(tunnel);
}

void tunnel_check_end(struct l2tp_tunnel *tunnel)
{
	if (tunnel->dead || tunnel->state != TUNNEL_CLOSED || tunnel->sessions.count ||
		(tunnel->opened && !tunnel->released))
		return;
	tunnel->dead = true;
	tunnel->next_dead = tunnel->server->dead_tunnels;
	tunnel->server->dead_tunnels = tunnel;
}

void tunnel_check_idle(struct l2tp_tunnel *tunnel)
{
	if (tunnel->state != TUNNEL_ESTABLISHED)
		return;
	if (tunnel->live_sessions || !tunnel->lac.idle)
		env_timer_stop(tunnel->deadline);
	else
		env_timer_start(tunnel->deadline, tunnel->lac.idle);
}

static uint64_t ask(struct l2tp_tunnel *tunnel)
{
	if (tunnel->probed <= tunnel->xport.last_heard) {
		tunnel->probed = env_now(tunnel->server->env);
		if (!tunnel->xport.head && tunnel->state == TUNNEL_ESTABLISHED)
			send_hello(tunnel);
	}
	return tunnel->probed;
}

/*
 * A peer that opens a second tunnel has restarted, or wants two. It has restarted for sure when it uses
 * the same id again or goes beyond what its lac section allows. It has not when the older tunnel was
 * heard of since the SCCRQ came. Otherwise the older tunnel is asked whether it lives.
 */
void tunnel_supersede(struct l2tp_tunnel *tunnel)
{
	struct l2tp_server *server = tunnel->server;
	struct l2tp_tunnel *next, *old = *server_host_chain(server, &tunnel->path.peer);

	for (; old; old = next) {
		struct tunnel_input input = { 0 };
		unsigned int most = tunnel->lac.max_tunnels;

		next = old->next_of_host;
		if (old == tunnel || old->state != TUNNEL_ESTABLISHED ||
			!addr_equal(&old->path.peer, &tunnel->path.peer))
			continue;
		if (old->peer_id == tunnel->peer_id ||
			(most && old->use == tunnel->use && tunnel->use->tunnels > most)) {
			input.result = server_result(L2TP_STOPCCN_GENERAL, 0,
				"the peer has restarted and opened tunnel %u", tunnel->id);
			tunnel_step(old, TUNNEL_LOST, &input);
			continue;
		}
		if (old->xport.last_heard > tunnel->created || env_timer_running(old->probe))
			continue;
		ask(old);
		env_timer_start(old->probe, PROBE_TIME);
	}
}

/* --- the way out --- */

int tunnel_send(struct l2tp_tunnel *tunnel, uint16_t peer_session_id, const struct l2tp_msg *msg)
{
	struct l2tp_server *server = tunnel->server;
	/*
	 * Not before the tunnel is established: until then a peer may not know which secret is ours
	 * (xl2tpd looks for it when it has read the whole message), and nothing in SCCRQ, SCCRP and a
	 * refusal is worth hiding.
	 */
	bool hide = tunnel->lac.hide_avps && tunnel->lac.secret.len && tunnel->since;
	uint8_t vector[16];
	int len, err;

	env_random(server->env, vector, sizeof(vector));
	len = l2tp_msg_encode(msg, tunnel->peer_id, peer_session_id,
		hide ? &tunnel->lac.secret : NULL, vector, server->out, sizeof(server->out));
	if (len < 0)
		return len;
	tunnel->drained = false;
	err = xport_send(&tunnel->xport, server->out, (size_t)len);
	explicit_bzero(server->out, (size_t)len);
	return err;
}

/* --- the way in --- */

static enum tunnel_event event_of_bad(unsigned int type)
{
	switch (type) {
	case L2TP_SCCRQ:
		return TUNNEL_SCCRQ_BAD;
	case L2TP_SCCRP:
		return TUNNEL_SCCRP_BAD;
	case L2TP_SCCCN:
		return TUNNEL_SCCCN_BAD;
	case L2TP_STOPCCN:
		return TUNNEL_STOPCCN;
	default:
		return TUNNEL_BAD;
	}
}

static void note_mistake(struct l2tp_tunnel *tunnel, unsigned int type, const char *what,
	const struct l2tp_result *result)
{
	char name[TUNNEL_NAME];

	tunnel_log_mistake(tunnel, 0, "%s: %s %s: %s", tunnel_name(tunnel, name),
		l2tp_msg_name(type), what, *result->text ? result->text : "malformed");
}

/* A message that must clear what it belongs to (RFC 2661 section 4.1). */
static void deliver_bad(struct l2tp_tunnel *tunnel, struct tunnel_input *input)
{
	unsigned int type = input->msg->type;

	note_mistake(tunnel, type, "refused", &input->result);
	if (l2tp_msg_of_call(type) && tunnel->state == TUNNEL_ESTABLISHED)
		session_input_bad(tunnel, input->header, input->msg, &input->result);
	else
		tunnel_step(tunnel, event_of_bad(type), input);
}

static void deliver(
	struct l2tp_tunnel *tunnel, enum l2tp_verdict verdict, struct tunnel_input *input)
{
	struct l2tp_counters *counters = &tunnel->server->counters;

	switch (verdict) {
	case L2TP_OK:
		counters->taken++;
		if (*input->result.text)
			note_mistake(
				tunnel, input->msg->type, "taken without an AVP", &input->result);
		input->result = (struct l2tp_result){ 0 };
		tunnel_step(tunnel, tunnel_classify(tunnel, input), input);
		break;
	case L2TP_CLEAR:
		counters->refused++;
		deliver_bad(tunnel, input);
		break;
	default:
		counters->ignored++;
		note_mistake(tunnel, input->msg->type, "ignored", &input->result);
		break;
	}
}

static enum l2tp_verdict decode(struct l2tp_tunnel *tunnel, const uint8_t *packet, size_t len,
	struct l2tp_header *ret_header, struct l2tp_msg *ret_msg, struct l2tp_result *ret_result)
{
	struct l2tp_server *server = tunnel->server;

	return l2tp_msg_decode(packet, len, tunnel->lac.secret.len ? &tunnel->lac.secret : NULL,
		tunnel->lac.lenient, server->scratch, sizeof(server->scratch), ret_header, ret_msg,
		ret_result);
}

/* Those that came early and whose turn it is now. */
static void deliver_early(struct l2tp_tunnel *tunnel)
{
	struct xport_packet *packet;

	while ((packet = xport_take(&tunnel->xport))) {
		struct l2tp_header header;
		struct l2tp_msg msg;
		struct tunnel_input input = { .header = &header, .msg = &msg };
		enum l2tp_verdict verdict =
			decode(tunnel, packet->data, packet->len, &header, &msg, &input.result);

		deliver(tunnel, verdict, &input);
		explicit_bzero(tunnel->server->scratch, packet->len);
		explicit_bzero(packet->data, packet->len);
		free(packet);
	}
}

static bool move(struct l2tp_tunnel *tunnel, const struct l2tp_path *path)
{
	struct l2tp_server *server = tunnel->server;

	return server->ops->tunnel_moved && !server->ops->tunnel_moved(server->ctx, tunnel, path);
}

/*
 * A packet must come from the tunnel's peer. Before the tunnel is established the answer that is awaited
 * may come from another port of the same host (section 8.1).
 */
static bool source_fits(struct l2tp_tunnel *tunnel, const struct l2tp_path *path,
	const struct l2tp_header *header, const struct l2tp_msg *msg)
{
	bool awaited = (tunnel->state == TUNNEL_WAIT_CTL_CONN && msg->type == L2TP_SCCCN) ||
		       (tunnel->state == TUNNEL_WAIT_CTL_REPLY && msg->type == L2TP_SCCRP);

	if (addr_equal(&tunnel->path.peer, &path->peer))
		return true;
	return awaited && header->ns == tunnel->xport.nr && header->nr == tunnel->xport.ns &&
	       addr_equal_host(&tunnel->path.peer, &path->peer) && move(tunnel, path);
}

static void refuse_source(struct l2tp_tunnel *tunnel, const struct l2tp_path *path)
{
	struct l2tp_server *server = tunnel->server;
	const struct server_about sender = {
		.peer = &path->peer, .lac = tunnel->lac.name, .tunnel = tunnel->id
	};
	char name[TUNNEL_NAME], peer[ADDR_TEXT];

	server->counters.wrong_source++;
	server_log_mistake(server, &sender, "%s: message from %s ignored, which is not its peer",
		tunnel_name(tunnel, name), addr_text(&path->peer, peer));
}

/*
 * A peer that asks and never acknowledges must not cost memory until it is given up for its silence; and
 * to take nothing of it any more is not allowed (section 5.8).
 */
static void check_queue(struct l2tp_tunnel *tunnel, struct tunnel_input *input)
{
	if (tunnel->xport.queued <= TUNNEL_QUEUE_MAX)
		return;
	input->result = server_result(L2TP_STOPCCN_GENERAL, 0,
		"%u messages wait for an acknowledgement", tunnel->xport.queued);
	tunnel_step(tunnel, TUNNEL_LOST, input);
}

void tunnel_input(
	struct l2tp_tunnel *tunnel, const struct l2tp_path *path, const uint8_t *packet, size_t len)
{
	struct l2tp_server *server = tunnel->server;
	struct l2tp_header header;
	struct l2tp_msg msg;
	struct tunnel_input input = { .header = &header, .msg = &msg };
	enum l2tp_verdict verdict = decode(tunnel, packet, len, &header, &msg, &input.result);

	if (tunnel->state == TUNNEL_CLOSED)
		goto out;
	if (verdict == L2TP_DISCARD) {
		server->counters.discarded++;
		note_mistake(tunnel, msg.type, "discarded", &input.result);
		goto out;
	}
	if (!source_fits(tunnel, path, &header, &msg)) {
		refuse_source(tunnel, path);
		goto out;
	}
	tunnel_watch(tunnel, false, packet, len);
	switch (xport_receive(
		&tunnel->xport, &header, verdict == L2TP_OK && msg.type == L2TP_ZLB, packet, len)) {
	case XPORT_DELIVER:
		deliver(tunnel, verdict, &input);
		deliver_early(tunnel);
		break;
	case XPORT_DISCARD:
		server->counters.discarded++;
		break;
	default:
		break;
	}
	if (tunnel->state == TUNNEL_CLOSED)
		goto out;
	xport_settle(&tunnel->xport);
	/* Of two StopCCNs that cross, the peer's must stay acknowledged for a while. */
	if (tunnel->drained && !tunnel->peer_stopped)
		tunnel_step(tunnel, TUNNEL_ACKNOWLEDGED, &input);
	check_queue(tunnel, &input);
out:
	explicit_bzero(server->scratch, len < sizeof(server->scratch) ? len : 0);
}

/* --- l2tp.h --- */

int l2tp_tunnel_connect(struct l2tp_server *server, const struct l2tp_path *path,
	const struct l2tp_lac *lac, struct l2tp_tunnel **ret_tunnel)
{
	struct l2tp_tunnel *tunnel;
	struct tunnel_input input = { 0 };
	int err = tunnel_new(server, path, lac, &tunnel);

	if (err)
		return err;
	server_enter(server);
	tunnel_step(tunnel, TUNNEL_OPEN, &input);
	if (tunnel->state == TUNNEL_WAIT_CTL_REPLY)
		*ret_tunnel = tunnel;
	else
		err = -EIO;
	server_leave(server);
	return err;
}

void l2tp_tunnel_close(struct l2tp_tunnel *tunnel, const struct l2tp_result *result)
{
	struct l2tp_server *server = tunnel->server;
	struct tunnel_input input = { .result = *result };

	server_enter(server);
	tunnel_step(tunnel, TUNNEL_CLOSE, &input);
	server_leave(server);
}

uint64_t l2tp_tunnel_ask(struct l2tp_tunnel *tunnel)
{
	struct l2tp_server *server = tunnel->server;
	uint64_t since;

	server_enter(server);
	since = ask(tunnel);
	server_leave(server);
	return since;
}

void l2tp_tunnel_release(struct l2tp_tunnel *tunnel)
{
	struct l2tp_server *server = tunnel->server;

	server_enter(server);
	tunnel->released = true;
	tunnel_check_end(tunnel);
	server_leave(server);
}

void l2tp_tunnel_info(const struct l2tp_tunnel *tunnel, struct l2tp_tunnel_info *ret)
{
	const struct xport *xport = &tunnel->xport;

	*ret = (struct l2tp_tunnel_info){
		.id = tunnel->id,
		.peer_id = tunnel->peer_id,
		.state = tunnel_state_name(tunnel->state),
		.host_name = tunnel->host_name,
		.vendor_name = tunnel->vendor_name,
		.path = tunnel->path,
		.peer_window = (uint16_t)xport->peer_window,
		.sessions = tunnel->live_sessions,
		.since = tunnel->since,
		.last_heard = xport->last_heard,
		.ns = xport->ns,
		.nr = xport->nr,
		.unacknowledged = (uint16_t)(xport->ns - xport->una),
		.queued = xport->queued,
		.retransmissions = xport->retransmissions,
	};
}

const struct l2tp_lac *l2tp_tunnel_lac(const struct l2tp_tunnel *tunnel)
{
	return &tunnel->lac;
}

void l2tp_tunnel_set_path(struct l2tp_tunnel *tunnel, const struct l2tp_path *path)
{
	tunnel->path = *path;
}

void l2tp_tunnel_set_user(struct l2tp_tunnel *tunnel, void *user)
{
	tunnel->user = user;
}

void *l2tp_tunnel_user(const struct l2tp_tunnel *tunnel)
{
	return tunnel->user;
}
