/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session: the life of a call: which call a message belongs to, whether an ICRQ is acceptable, what is
 * stored of it, and the part of l2tp.h that is about sessions.
 *
 * A message for a call that does not exist is answered with CDN (RFC 2661 section 5.6), except a CDN.
 */
#include "lns/l2tp/session.h"

#include "lns/env.h"
#include "lns/l2tp/server.h"
#include "lns/l2tp/tunnel.h"
#include "lns/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRESENT(avp)    (1ull << L2TP_AVP_##avp)
#define SPEED_QUESTIONS 64 /* in a CSURQ: also hidden they fit in an Ethernet frame */

/* --- life --- */

static void deadline_fired(void *ctx)
{
	struct l2tp_session *session = ctx;
	struct l2tp_server *server = session->tunnel->server;
	struct session_input input = {
		.result = server_result(L2TP_CDN_TIMEOUT, 0, "not established in time"),
	};

	server_enter(server);
	session_step(session, SESSION_DEADLINE, &input);
	server_leave(server);
}

static uint16_t pick_id(const struct l2tp_tunnel *tunnel)
{
	uint16_t id;

	env_random(tunnel->server->env, &id, sizeof(id));
	for (unsigned int n = 0; n < 65536; n++, id++) {
		if (id && !idmap_find(&tunnel->sessions, id))
			return id;
	}
	return 0;
}

/* A session in state idle, or NULL: no memory or no id left. */
static struct l2tp_session *session_new(struct l2tp_tunnel *tunnel, bool outgoing)
{
	struct l2tp_session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->tunnel = tunnel;
	session->outgoing = outgoing;
	session->id = pick_id(tunnel);
	session->since = env_now(tunnel->server->env);
	session->deadline = env_timer_new(tunnel->server->env, deadline_fired, session);
	if (!session->id || !session->deadline ||
		idmap_add(&tunnel->sessions, session->id, session)) {
		session_free(session);
		return NULL;
	}
	session->live = true;
	tunnel->calls++;
	tunnel->live_sessions++;
	tunnel->use->sessions++;
	tunnel->server->live_sessions++;
	tunnel_check_idle(tunnel);
	return session;
}

void session_uncount(struct l2tp_session *session)
{
	struct l2tp_tunnel *tunnel = session->tunnel;

	if (!session->live)
		return;
	session->live = false;
	if (idmap_find(&tunnel->by_peer, session->peer_id) == session)
		idmap_remove(&tunnel->by_peer, session->peer_id);
	tunnel->live_sessions--;
	tunnel->use->sessions--;
	tunnel->server->live_sessions--;
	tunnel_check_idle(tunnel);
}

void session_bury(struct l2tp_session *session)
{
	struct l2tp_tunnel *tunnel = session->tunnel;

	env_timer_stop(session->deadline);
	idmap_remove(&tunnel->sessions, session->id);
	session->next_dead = tunnel->server->dead_sessions;
	tunnel->server->dead_sessions = session;
	tunnel_check_end(tunnel);
}

void session_free(struct l2tp_session *session)
{
	env_timer_free(session->deadline);
	explicit_bzero(session, sizeof(*session));
	free(session);
}

/* --- what is known of a call --- */

static void store_octets(uint8_t out[256], uint16_t *ret_len, struct l2tp_span span)
{
	if (span.len > 256)
		return;
	memcpy(out, span.data, span.len);
	*ret_len = span.len;
}

static void store_numbers(struct l2tp_call *call, const struct l2tp_msg *msg)
{
	if (l2tp_msg_has(msg, L2TP_AVP_CALLED_NUMBER))
		server_copy_text(
			call->called_number, sizeof(call->called_number), msg->called_number);
	if (l2tp_msg_has(msg, L2TP_AVP_CALLING_NUMBER))
		server_copy_text(
			call->calling_number, sizeof(call->calling_number), msg->calling_number);
	if (l2tp_msg_has(msg, L2TP_AVP_SUB_ADDRESS))
		server_copy_text(call->sub_address, sizeof(call->sub_address), msg->sub_address);
	if (l2tp_msg_has(msg, L2TP_AVP_PRIVATE_GROUP_ID))
		server_copy_text(call->private_group_id, sizeof(call->private_group_id),
			msg->private_group_id);
}

static void store_line(struct l2tp_call *call, const struct l2tp_msg *msg)
{
	if (l2tp_msg_has(msg, L2TP_AVP_AGENT_CIRCUIT_ID))
		server_copy_text(call->agent_circuit_id, sizeof(call->agent_circuit_id),
			msg->agent_circuit_id);
	if (l2tp_msg_has(msg, L2TP_AVP_AGENT_REMOTE_ID))
		server_copy_text(
			call->agent_remote_id, sizeof(call->agent_remote_id), msg->agent_remote_id);
	for (unsigned int n = 0; n < sizeof(call->line) / sizeof(*call->line); n++) {
		if (!l2tp_msg_has(msg, L2TP_AVP_ACTUAL_RATE_UP + n))
			continue;
		call->line[n] = msg->line[n];
		call->line_present |= 1ull << (L2TP_AVP_ACTUAL_RATE_UP + n);
	}
}

/* Proxy values that do not fit are left out: PPP then starts over with the subscriber. */
static void store_proxy(struct l2tp_call *call, const struct l2tp_msg *msg)
{
	if (l2tp_msg_has(msg, L2TP_AVP_INITIAL_RECEIVED_LCP_CONFREQ))
		store_octets(call->initial_received, &call->initial_received_len,
			msg->initial_received_lcp_confreq);
	if (l2tp_msg_has(msg, L2TP_AVP_LAST_SENT_LCP_CONFREQ))
		store_octets(call->last_sent, &call->last_sent_len, msg->last_sent_lcp_confreq);
	if (l2tp_msg_has(msg, L2TP_AVP_LAST_RECEIVED_LCP_CONFREQ))
		store_octets(call->last_received, &call->last_received_len,
			msg->last_received_lcp_confreq);
	if (!l2tp_msg_has(msg, L2TP_AVP_PROXY_AUTHEN_TYPE) || msg->proxy_authen_name.len > 256 ||
		msg->proxy_authen_challenge.len > 256 || msg->proxy_authen_response.len > 256)
		return;
	call->proxy_authen_type = msg->proxy_authen_type;
	call->proxy_authen_id = (uint8_t)msg->proxy_authen_id;
	if (l2tp_msg_has(msg, L2TP_AVP_PROXY_AUTHEN_NAME))
		store_octets(call->proxy_name, &call->proxy_name_len, msg->proxy_authen_name);
	if (l2tp_msg_has(msg, L2TP_AVP_PROXY_AUTHEN_CHALLENGE))
		store_octets(call->proxy_challenge, &call->proxy_challenge_len,
			msg->proxy_authen_challenge);
	if (l2tp_msg_has(msg, L2TP_AVP_PROXY_AUTHEN_RESPONSE))
		store_octets(call->proxy_response, &call->proxy_response_len,
			msg->proxy_authen_response);
}

static void store_speeds(struct l2tp_call *call, const struct l2tp_msg *msg)
{
	if (l2tp_msg_has(msg, L2TP_AVP_TX_CONNECT_SPEED)) {
		call->tx_connect_speed = msg->tx_connect_speed;
		if (!call->rx_connect_speed) /* absent: the same both ways (section 4.4.4) */
			call->rx_connect_speed = msg->tx_connect_speed;
	}
	if (l2tp_msg_has(msg, L2TP_AVP_RX_CONNECT_SPEED))
		call->rx_connect_speed = msg->rx_connect_speed;
}

static void store_disconnect_cause(struct l2tp_call *call, const struct l2tp_msg *msg)
{
	if (!l2tp_msg_has(msg, L2TP_AVP_PPP_DISCONNECT_CAUSE))
		return;
	call->disconnect_code = msg->ppp_disconnect_cause.code;
	call->disconnect_protocol = msg->ppp_disconnect_cause.control_protocol;
	call->disconnect_direction = msg->ppp_disconnect_cause.direction;
	server_copy_text(call->disconnect_message, sizeof(call->disconnect_message),
		msg->ppp_disconnect_cause.message);
}

void session_store_call(struct l2tp_session *session, const struct l2tp_msg *msg)
{
	struct l2tp_call *call = &session->call;

	if (l2tp_msg_has(msg, L2TP_AVP_CALL_SERIAL_NUMBER))
		call->serial_number = msg->call_serial_number;
	if (l2tp_msg_has(msg, L2TP_AVP_BEARER_TYPE))
		call->bearer_type = msg->bearer_type;
	if (l2tp_msg_has(msg, L2TP_AVP_FRAMING_TYPE))
		call->framing_type = msg->framing_type;
	if (l2tp_msg_has(msg, L2TP_AVP_PHYSICAL_CHANNEL_ID))
		call->physical_channel_id = msg->physical_channel_id;
	if (l2tp_msg_has(msg, L2TP_AVP_SEQUENCING_REQUIRED))
		call->sequencing_required = true;
	if (l2tp_msg_has(msg, L2TP_AVP_CONNECT_SPEED_UPDATE_ENABLE))
		call->speed_updates = true;
	if (l2tp_msg_has(msg, L2TP_AVP_CALL_ERRORS))
		memcpy(call->call_errors, msg->call_errors, sizeof(call->call_errors));
	store_numbers(call, msg);
	store_line(call, msg);
	store_proxy(call, msg);
	store_speeds(call, msg);
	store_disconnect_cause(call, msg);
}

/* --- the way out --- */

void session_send_cdn(struct l2tp_tunnel *tunnel, uint16_t peer_session_id, uint16_t session_id,
	const struct l2tp_result *result, const struct l2tp_session *session)
{
	struct l2tp_msg msg = {
		.type = L2TP_CDN,
		.present = PRESENT(RESULT_CODE) | PRESENT(ASSIGNED_SESSION_ID),
		.assigned_session_id = session_id,
		.result = *result,
	};

	if (result->q931_cause)
		msg.present |= PRESENT(CAUSE_CODE);
	if (session && session->has_cause) {
		msg.present |= PRESENT(PPP_DISCONNECT_CAUSE);
		msg.ppp_disconnect_cause.code = session->cause_code;
		msg.ppp_disconnect_cause.control_protocol = session->cause_protocol;
		msg.ppp_disconnect_cause.direction = session->cause_direction;
		msg.ppp_disconnect_cause.message.data = (const uint8_t *)session->cause_message;
		msg.ppp_disconnect_cause.message.len = (uint16_t)strlen(session->cause_message);
	}
	if (tunnel_send(tunnel, peer_session_id, &msg))
		l2tp_tunnel_log(tunnel, session_id, LOG_LEVEL_WARNING,
			"call %u/%u: out of memory, CDN not sent", tunnel->id, session_id);
}

/* --- the way in --- */

/* Whether a new call may be made; ret_result says why not. */
static bool within_limits(const struct l2tp_tunnel *tunnel, struct l2tp_result *ret_result)
{
	const struct l2tp_server *server = tunnel->server;
	unsigned int most = server->settings.max_sessions, most_of_lac = tunnel->lac.max_sessions;

	if (l2tp_server_is_drained(server, tunnel->lac.name))
		*ret_result = server_result(L2TP_CDN_ERROR, L2TP_ERROR_TRY_ANOTHER,
			"no new calls here, try another LNS");
	else if (most && server->live_sessions >= most)
		*ret_result = server_result(
			L2TP_CDN_ERROR, L2TP_ERROR_RESOURCES, "limit of %u sessions reached", most);
	else if (most_of_lac && tunnel->use->sessions >= most_of_lac)
		*ret_result = server_result(L2TP_CDN_ERROR, L2TP_ERROR_RESOURCES,
			"limit of %u sessions of this lac reached", most_of_lac);
	else
		return server_has_room(server, true, ret_result);
	return false;
}

static void refuse_call(struct l2tp_tunnel *tunnel, const char *type, uint16_t peer_session_id,
	uint16_t session_id, const struct l2tp_result *result)
{
	char name[TUNNEL_NAME];

	tunnel_log_mistake(tunnel, session_id, "%s: %s refused: %s", tunnel_name(tunnel, name),
		type, result->text);
	session_send_cdn(tunnel, peer_session_id, session_id, result, NULL);
}

static void tell_refused(const struct l2tp_tunnel *tunnel, const struct l2tp_msg *msg,
	const struct l2tp_result *result)
{
	server_tell_refused(tunnel->server,
		&(struct l2tp_refusal){ .lac = tunnel->lac.name,
			.peer = &tunnel->path.peer,
			.host_name = tunnel->host_name,
			.tunnel_id = tunnel->id,
			.result = result },
		msg->calling_number, msg->called_number);
}

/*
 * An ICRQ over a limit is answered at once, with an id of ours that belongs to no call, so that the LAC
 * can go to another LNS.
 */
static void new_incoming(struct l2tp_tunnel *tunnel, const struct l2tp_msg *msg)
{
	struct session_input input = { .msg = msg };
	bool acceptable = within_limits(tunnel, &input.result);
	struct l2tp_session *session = session_new(tunnel, false);

	if (!session) {
		input.result = server_result(
			L2TP_CDN_ERROR, L2TP_ERROR_RESOURCES, "out of memory or of session ids");
		refuse_call(
			tunnel, "ICRQ", msg->assigned_session_id, pick_id(tunnel), &input.result);
		tunnel->server->counters.calls_refused++;
		tell_refused(tunnel, msg, &input.result);
		return;
	}
	session->peer_id = msg->assigned_session_id;
	/* Of two calls with one id the first one has it; without memory the LAC has to know ours. */
	(void)idmap_add(&tunnel->by_peer, session->peer_id, session);
	if (!acceptable) {
		char name[TUNNEL_NAME];

		tunnel_log_mistake(tunnel, session->id, "%s: ICRQ refused: %s",
			tunnel_name(tunnel, name), input.result.text);
		tell_refused(tunnel, msg, &input.result);
	}
	session_step(session, acceptable ? SESSION_ICRQ : SESSION_ICRQ_BAD, &input);
}

/* Only a LAC places calls: an OCRQ that comes to an LNS is refused for good (section 7.5). */
static void refuse_outgoing(struct l2tp_tunnel *tunnel, const struct l2tp_msg *msg)
{
	struct l2tp_result result = server_result(
		L2TP_CDN_NO_FACILITIES_PERMANENT, 0, "an LNS places no calls for a LAC");

	tunnel->server->counters.calls_refused++;
	refuse_call(tunnel, "OCRQ", msg->assigned_session_id, pick_id(tunnel), &result);
}

/* The LAC names the call by the header, or, before it knows our id, by its own (section 4.4.4). */
static struct l2tp_session *find_session(struct l2tp_tunnel *tunnel, unsigned int type,
	uint16_t session_id, uint16_t peer_session_id)
{
	if (session_id)
		return l2tp_session_find(tunnel, session_id);
	if (type == L2TP_CDN && peer_session_id)
		return idmap_find(&tunnel->by_peer, peer_session_id);
	return NULL;
}

static void answer_unknown(struct l2tp_tunnel *tunnel, const struct l2tp_header *header,
	unsigned int type, uint16_t peer_session_id)
{
	struct l2tp_result result = server_result(L2TP_CDN_ERROR, L2TP_ERROR_SESSION_ID,
		"there is no session %u", header->session_id);
	char name[TUNNEL_NAME];

	if (type != L2TP_CDN && (header->session_id || peer_session_id)) {
		refuse_call(tunnel, l2tp_msg_name(type), peer_session_id,
			header->session_id ? header->session_id : pick_id(tunnel), &result);
		return;
	}
	tunnel_log_mistake(tunnel, 0, "%s: %s for no call ignored", tunnel_name(tunnel, name),
		l2tp_msg_name(type));
}

/* A call must use a framing, and one that we offered (sections 4.4.3 and 4.4.4). */
static bool framing_is_acceptable(const struct l2tp_session *session, const struct l2tp_msg *msg,
	struct l2tp_result *ret_result)
{
	if (session->tunnel->lac.lenient || !l2tp_msg_has(msg, L2TP_AVP_FRAMING_TYPE) ||
		msg->framing_type & SERVER_ALL_FRAMINGS)
		return true;
	*ret_result = server_result(L2TP_CDN_NO_FRAMING, 0,
		"Framing Type 0x%x is neither synchronous nor asynchronous", msg->framing_type);
	return false;
}

static enum session_event classify(const struct l2tp_session *session, struct session_input *input)
{
	const struct l2tp_msg *msg = input->msg;

	switch (msg->type) {
	case L2TP_ICRQ:
		return SESSION_ICRQ;
	case L2TP_ICRP:
		return SESSION_ICRP;
	case L2TP_ICCN:
		return framing_is_acceptable(session, msg, &input->result) ? SESSION_ICCN
									   : SESSION_ICCN_BAD;
	case L2TP_OCRQ:
		return SESSION_OCRQ;
	case L2TP_OCRP:
		return SESSION_OCRP;
	case L2TP_OCCN:
		return framing_is_acceptable(session, msg, &input->result) ? SESSION_OCCN
									   : SESSION_OCCN_BAD;
	case L2TP_CDN:
		input->result = msg->result;
		return SESSION_CDN;
	case L2TP_WEN:
		return SESSION_WEN;
	default:
		return SESSION_SLI;
	}
}

/* One message may tell the new speeds of many calls (RFC 5515 section 5). */
static void update_speeds(struct l2tp_tunnel *tunnel, const struct l2tp_msg *msg)
{
	for (unsigned int n = 0; n < msg->speed_update_count; n++) {
		struct session_input input = { .speed = &msg->speed_updates[n] };
		struct l2tp_session *session = l2tp_session_find(tunnel, input.speed->session_id);

		if (session)
			session_step(session, SESSION_SPEED, &input);
	}
}

static int send_speed_questions(struct l2tp_tunnel *tunnel, struct l2tp_msg *msg)
{
	int err = msg->speed_update_count ? tunnel_send(tunnel, 0, msg) : 0;

	msg->speed_update_count = 0;
	return err;
}

int l2tp_tunnel_ask_speeds(struct l2tp_tunnel *tunnel)
{
	struct l2tp_msg msg = { .type = L2TP_CSURQ, .present = PRESENT(CONNECT_SPEED_UPDATE) };
	struct l2tp_session *session;
	int count = 0, err = 0;

	if (tunnel->state != TUNNEL_ESTABLISHED)
		return -ENOTCONN;
	server_enter(tunnel->server);
	for (unsigned int id = 0; !err && (session = l2tp_session_next(tunnel, id));) {
		id = session->id;
		if (session->state != SESSION_ESTABLISHED || !session->call.speed_updates)
			continue;
		msg.speed_updates[msg.speed_update_count++].session_id = session->peer_id;
		count++;
		if (msg.speed_update_count == SPEED_QUESTIONS)
			err = send_speed_questions(tunnel, &msg);
	}
	if (!err)
		err = send_speed_questions(tunnel, &msg);
	server_leave(tunnel->server);
	return err ? err : count;
}

void session_input(
	struct l2tp_tunnel *tunnel, const struct l2tp_header *header, const struct l2tp_msg *msg)
{
	struct session_input input = { .msg = msg };
	struct l2tp_session *session;

	if (!l2tp_msg_of_call(msg->type)) {
		if (msg->type == L2TP_CSUN)
			update_speeds(tunnel, msg);
		return; /* CSURQ: only an LNS asks for speeds, of those that a LAC measures */
	}
	session = find_session(tunnel, msg->type, header->session_id, msg->assigned_session_id);
	if (session)
		session_step(session, classify(session, &input), &input);
	else if (msg->type == L2TP_ICRQ)
		new_incoming(tunnel, msg);
	else if (msg->type == L2TP_OCRQ)
		refuse_outgoing(tunnel, msg);
	else
		answer_unknown(tunnel, header, msg->type, msg->assigned_session_id);
}

void session_input_bad(struct l2tp_tunnel *tunnel, const struct l2tp_header *header,
	const struct l2tp_msg *msg, const struct l2tp_result *result)
{
	unsigned int type = msg->type;
	uint16_t peer_session_id = msg->assigned_session_id;
	struct session_input input = { .result = *result };
	struct l2tp_session *session =
		find_session(tunnel, type, header->session_id, peer_session_id);

	if (session) {
		if (!session->peer_id) /* an OCRP told it */
			session->peer_id = peer_session_id;
		session_step(session, type == L2TP_CDN ? SESSION_CDN : SESSION_BAD, &input);
	} else if ((type == L2TP_ICRQ || type == L2TP_OCRQ) && peer_session_id) {
		tunnel->server->counters.calls_refused++;
		tell_refused(tunnel, msg, result);
		session_send_cdn(tunnel, peer_session_id, pick_id(tunnel), result, NULL);
	} else {
		answer_unknown(tunnel, header, type, peer_session_id);
	}
}

/* --- with the tunnel --- */

static void step_all(
	struct l2tp_tunnel *tunnel, enum session_event event, const struct session_input *input)
{
	struct l2tp_session *session;

	for (unsigned int id = 0; (session = l2tp_session_next(tunnel, id));) {
		struct session_input copy = *input;

		id = session->id;
		session_step(session, event, &copy);
	}
}

void session_tunnel_open(struct l2tp_tunnel *tunnel)
{
	struct session_input input = { 0 };

	step_all(tunnel, SESSION_TUNNEL_OPEN, &input);
}

void session_tunnel_down(struct l2tp_tunnel *tunnel, const struct l2tp_result *result, bool by_peer)
{
	struct session_input input = {
		.result = server_result(L2TP_CDN_CARRIER_LOST, 0, "the tunnel has ended%s%s",
			*result->text ? ": " : "", result->text),
		.by_peer = by_peer,
	};

	step_all(tunnel, SESSION_TUNNEL_DOWN, &input);
}

/* --- l2tp.h --- */

struct l2tp_session *l2tp_session_find(struct l2tp_tunnel *tunnel, uint16_t session_id)
{
	return idmap_find(&tunnel->sessions, session_id);
}

struct l2tp_session *l2tp_session_next(struct l2tp_tunnel *tunnel, unsigned int after)
{
	return idmap_next(&tunnel->sessions, after);
}

static void step_for_owner(
	struct l2tp_session *session, enum session_event event, struct session_input *input)
{
	struct l2tp_server *server = session->tunnel->server;

	server_enter(server);
	session_step(session, event, input);
	server_leave(server);
}

void l2tp_session_accept(struct l2tp_session *session)
{
	struct session_input input = { 0 };

	step_for_owner(session, SESSION_ACCEPT, &input);
}

void l2tp_session_close(struct l2tp_session *session, const struct l2tp_result *result)
{
	struct session_input input = { .result = *result };

	step_for_owner(session, SESSION_CLOSE, &input);
}

void l2tp_session_set_link_info(
	struct l2tp_session *session, uint32_t send_accm, uint32_t receive_accm)
{
	struct session_input input = { .send_accm = send_accm, .receive_accm = receive_accm };

	step_for_owner(session, SESSION_LINK_INFO, &input);
}

void l2tp_session_set_disconnect_cause(struct l2tp_session *session, uint16_t code,
	uint16_t protocol, uint8_t direction, const char *message)
{
	session->has_cause = true;
	session->cause_code = code;
	session->cause_protocol = protocol;
	session->cause_direction = direction;
	snprintf(session->cause_message, sizeof(session->cause_message), "%s",
		message ? message : "");
}

/* Whether the LAC said that it can make such a call; it says so in SCCRQ or SCCRP. */
static bool can_place(const struct l2tp_tunnel *tunnel, const struct l2tp_call_request *request)
{
	if (tunnel->state != TUNNEL_ESTABLISHED)
		return true; /* not yet known */
	return (tunnel->bearer_capabilities & request->bearer_type) &&
	       (tunnel->framing_capabilities & request->framing_type);
}

int l2tp_session_place(struct l2tp_tunnel *tunnel, const struct l2tp_call_request *request,
	struct l2tp_session **ret_session)
{
	struct session_input input = { 0 };
	struct l2tp_session *session;
	struct l2tp_call *call;
	int err = 0;

	if (tunnel->state >= TUNNEL_CLOSING)
		return -ESHUTDOWN;
	if (!can_place(tunnel, request))
		return -EOPNOTSUPP;
	if (!within_limits(tunnel, &input.result))
		return -EUSERS;
	session = session_new(tunnel, true);
	if (!session)
		return -ENOMEM;
	call = &session->call;
	call->serial_number = tunnel->server->next_serial++;
	call->bearer_type = request->bearer_type;
	call->framing_type = request->framing_type;
	call->minimum_bps = request->minimum_bps;
	call->maximum_bps = request->maximum_bps;
	snprintf(call->called_number, sizeof(call->called_number), "%s", request->called_number);
	snprintf(call->sub_address, sizeof(call->sub_address), "%s",
		request->sub_address ? request->sub_address : "");
	server_enter(tunnel->server);
	session_step(session, SESSION_PLACE, &input);
	if (tunnel->state == TUNNEL_ESTABLISHED)
		session_step(session, SESSION_TUNNEL_OPEN, &input);
	if (session->state < SESSION_DOWN)
		*ret_session = session;
	else
		err = -ENOMEM;
	server_leave(tunnel->server);
	return err;
}

void l2tp_session_info(const struct l2tp_session *session, struct l2tp_session_info *ret)
{
	*ret = (struct l2tp_session_info){
		.id = session->id,
		.peer_id = session->peer_id,
		.state = session_state_name(session->state),
		.since = session->since,
		.outgoing = session->outgoing,
	};
}

const struct l2tp_call *l2tp_session_call(const struct l2tp_session *session)
{
	return &session->call;
}

struct l2tp_tunnel *l2tp_session_tunnel(const struct l2tp_session *session)
{
	return session->tunnel;
}

void l2tp_session_set_user(struct l2tp_session *session, void *user)
{
	session->user = user;
}

void *l2tp_session_user(const struct l2tp_session *session)
{
	return session->user;
}
