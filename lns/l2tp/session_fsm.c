/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_fsm: RFC 2661 sections 7.4.2 (incoming calls at the LNS) and 7.5.2 (outgoing calls at the
 * LNS) as tables, and what their actions do.
 *
 * The tables are the RFC's, with these differences. Its "idle" after the end is two states here: down,
 * in which the owner still has something of the call, and closed, in which the dispatcher frees it. An
 * incoming call waits in wait-reply while the owner makes the kernel session, which must exist before
 * the ICRP goes out; the RFC sends the ICRP at once. A message about a call that does not exist is
 * answered by session_input. A step first assigns the state, then acts; the upcall comes last, because
 * the owner may close the call from inside it.
 */
#include "lns/l2tp/session_fsm.h"

#include "lns/env.h"
#include "lns/l2tp/server.h"
#include "lns/l2tp/session.h"
#include "lns/l2tp/tunnel.h"
#include "lns/log.h"

#include <inttypes.h>
#include <string.h>

#define PRESENT(avp) (1ull << L2TP_AVP_##avp)

/* --- logs --- */

static const char *or_dash(const char *text)
{
	return *text ? text : "-";
}

static void log_start(const struct l2tp_session *session)
{
	const struct l2tp_call *call = &session->call;

	l2tp_tunnel_log(session->tunnel, session->id, LOG_LEVEL_INFO,
		"call %u/%u: %s call established, lac %s, calling %s, called %s, speed %u/%u, "
		"serial %u, peer's session %u",
		session->tunnel->id, session->id, session->outgoing ? "outgoing" : "incoming",
		session->tunnel->lac.name, or_dash(call->calling_number),
		or_dash(call->called_number), call->tx_connect_speed, call->rx_connect_speed,
		call->serial_number, session->peer_id);
}

/* Of a call that was not established its owner says more, if it has one. */
static void log_end(
	const struct l2tp_session *session, const struct l2tp_result *result, const char *by)
{
	enum log_level level = session->user ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	uint64_t now = env_now(session->tunnel->server->env);
	char why[256];

	l2tp_result_text(L2TP_CDN, result, why, sizeof(why));
	if (session->up_since)
		l2tp_tunnel_log(session->tunnel, session->id, LOG_LEVEL_INFO,
			"call %u/%u: ended by %s after %" PRIu64 " s: %s", session->tunnel->id,
			session->id, by, (now - session->up_since) / ENV_SEC(1), why);
	else
		l2tp_tunnel_log(session->tunnel, session->id, level,
			"call %u/%u: not established, ended by %s, calling %s: %s",
			session->tunnel->id, session->id, by, or_dash(session->call.calling_number),
			why);
}

/* --- actions --- */

static void count_end(struct l2tp_session *session)
{
	struct l2tp_counters *counters = &session->tunnel->server->counters;

	if (session->up_since)
		counters->calls_down++;
	else
		counters->calls_refused++;
}

static void tell_down(struct l2tp_session *session, const struct l2tp_result *result, bool by_peer)
{
	struct l2tp_server *server = session->tunnel->server;
	struct l2tp_result copy = *result;

	count_end(session);
	server->ops->call_down(server->ctx, session, &copy, by_peer);
}

static void ask_owner(
	struct l2tp_session *session, enum session_event event, struct session_input *input)
{
	struct l2tp_server *server = session->tunnel->server;

	(void)event;
	session_store_call(session, input->msg);
	server->ops->call_request(server->ctx, session);
}

static void send_cdn_unknown(
	struct l2tp_session *session, enum session_event event, struct session_input *input)
{
	(void)event;
	count_end(session);
	session_send_cdn(session->tunnel, session->peer_id, session->id, &input->result, NULL);
}

static void send_cdn(
	struct l2tp_session *session, enum session_event event, struct session_input *input)
{
	(void)event;
	session_send_cdn(session->tunnel, session->peer_id, session->id, &input->result, session);
	log_end(session, &input->result, "us");
	tell_down(session, &input->result, false);
}

static void send_cdn_out_of_order(
	struct l2tp_session *session, enum session_event event, struct session_input *input)
{
	input->result = server_result(L2TP_CDN_ERROR, L2TP_ERROR_SESSION_ID,
		"%s is out of place here", session_event_name(event));
	send_cdn(session, event, input);
}

static void send_icrp(
	struct l2tp_session *session, enum session_event event, struct session_input *input)
{
	struct l2tp_msg msg = {
		.type = L2TP_ICRP,
		.present = PRESENT(ASSIGNED_SESSION_ID),
		.assigned_session_id = session->id,
	};

	(void)event;
	if (!tunnel_send(session->tunnel, session->peer_id, &msg))
		return;
	input->result = server_result(L2TP_CDN_ERROR, L2TP_ERROR_RESOURCES, "out of memory");
	session_step(session, SESSION_BAD, input);
}

static void send_ocrq(
	struct l2tp_session *session, enum session_event event, struct session_input *input)
{
	const struct l2tp_call *call = &session->call;
	struct l2tp_msg msg = {
		.type = L2TP_OCRQ,
		.present = PRESENT(ASSIGNED_SESSION_ID) | PRESENT(CALL_SERIAL_NUMBER) |
			   PRESENT(MINIMUM_BPS) | PRESENT(MAXIMUM_BPS) | PRESENT(BEARER_TYPE) |
			   PRESENT(FRAMING_TYPE) | PRESENT(CALLED_NUMBER),
		.assigned_session_id = session->id,
		.call_serial_number = call->serial_number,
		.minimum_bps = call->minimum_bps,
		.maximum_bps = call->maximum_bps,
		.bearer_type = call->bearer_type,
		.framing_type = call->framing_type,
		.called_number = { (const uint8_t *)call->called_number,
			(uint16_t)strlen(call->called_number) },
		.sub_address = { (const uint8_t *)call->sub_address,
			(uint16_t)strlen(call->sub_address) },
	};

	(void)event;
	if (msg.sub_address.len)
		msg.present |= PRESENT(SUB_ADDRESS);
	if (!tunnel_send(session->tunnel, 0, &msg))
		return;
	input->result = server_result(L2TP_CDN_ERROR, L2TP_ERROR_RESOURCES, "out of memory");
	session_step(session, SESSION_BAD, input);
}

static void learn_peer(
	struct l2tp_session *session, enum session_event event, struct session_input *input)
{
	session->peer_id = input->msg->assigned_session_id;
	ask_owner(session, event, input);
}

static void call_is_up(
	struct l2tp_session *session, enum session_event event, struct session_input *input)
{
	struct l2tp_server *server = session->tunnel->server;

	(void)event;
	session_store_call(session, input->msg);
	session->up_since = env_now(server->env);
	server->counters.calls_up++;
	log_start(session);
	server->ops->call_up(server->ctx, session);
}

static void store_change(
	struct l2tp_session *session, enum session_event event, struct session_input *input)
{
	struct l2tp_server *server = session->tunnel->server;

	(void)event;
	if (input->speed) {
		session->call.tx_connect_speed = input->speed->tx;
		session->call.rx_connect_speed = input->speed->rx;
	} else {
		session_store_call(session, input->msg);
	}
	if (server->ops->call_changed)
		server->ops->call_changed(server->ctx, session);
}

static void clean_up(
	struct l2tp_session *session, enum session_event event, struct session_input *input)
{
	bool by_peer = event == SESSION_CDN || input->by_peer;

	if (input->msg)
		session_store_call(session, input->msg);
	log_end(session, &input->result, by_peer ? "the peer" : "us");
	tell_down(session, &input->result, by_peer);
}

static void close_with_cdn(
	struct l2tp_session *session, enum session_event event, struct session_input *input)
{
	(void)event;
	count_end(session);
	log_end(session, &input->result, "us");
	session_send_cdn(session->tunnel, session->peer_id, session->id, &input->result, session);
}

static void close_unsent(
	struct l2tp_session *session, enum session_event event, struct session_input *input)
{
	(void)event;
	count_end(session);
	log_end(session, &input->result, "us");
}

static void send_sli(
	struct l2tp_session *session, enum session_event event, struct session_input *input)
{
	struct l2tp_msg msg = {
		.type = L2TP_SLI,
		.present = PRESENT(ACCM),
		.send_accm = input->send_accm,
		.receive_accm = input->receive_accm,
	};

	(void)event;
	if (tunnel_send(session->tunnel, session->peer_id, &msg))
		l2tp_tunnel_log(session->tunnel, session->id, LOG_LEVEL_WARNING,
			"call %u/%u: out of memory, SLI not sent", session->tunnel->id,
			session->id);
}

static void nothing(
	struct l2tp_session *session, enum session_event event, struct session_input *input)
{
	(void)session;
	(void)event;
	(void)input;
}

/* --- the tables --- */

struct row {
	unsigned int states, events;
	void (*action)(struct l2tp_session *, enum session_event, struct session_input *);
	const char *action_name;
	enum session_state next;
};

#define S(state)   (1u << SESSION_##state)
#define E(event)   (1u << SESSION_##event)
#define ANY        (~0u)
#define SAME_STATE SESSION_STATES
#define ROW(states, events, action, next)                                                          \
	{                                                                                          \
		states, events, action, #action, next                                              \
	}
#define OUTGOING_ONLY (E(OCRQ) | E(OCRP) | E(OCCN) | E(OCCN_BAD))
#define INCOMING_ONLY (E(ICRQ) | E(ICRQ_BAD) | E(ICRP) | E(ICCN) | E(ICCN_BAD))
#define WAITING       (S(WAIT_REPLY) | S(WAIT_CONNECT))
#define LIVE          (WAITING | S(ESTABLISHED))
#define ENDED         (S(DOWN) | S(CLOSED))

/* clang-format off */
static const struct row incoming[] = {
	/*  state             event                          action                 new state */
	ROW(S(IDLE),          E(ICRQ),                       ask_owner,             SESSION_WAIT_REPLY),
	ROW(S(IDLE),          E(ICRQ_BAD),                   send_cdn_unknown,      SESSION_CLOSED),
	ROW(S(IDLE),          ANY,                           nothing,               SESSION_CLOSED),

	ROW(S(WAIT_REPLY),    E(ACCEPT),                     send_icrp,             SESSION_WAIT_CONNECT),
	ROW(S(WAIT_CONNECT),  E(ICCN),                       call_is_up,            SESSION_ESTABLISHED),
	ROW(S(WAIT_CONNECT),  E(ICCN_BAD),                   send_cdn,              SESSION_DOWN),
	ROW(WAITING,          E(DEADLINE),                   send_cdn,              SESSION_DOWN),

	ROW(S(ESTABLISHED),   E(WEN) | E(SPEED),             store_change,          SAME_STATE),
	ROW(S(ESTABLISHED),   E(LINK_INFO),                  send_sli,              SAME_STATE),

	ROW(LIVE,             INCOMING_ONLY | OUTGOING_ONLY, send_cdn_out_of_order, SESSION_DOWN),
	ROW(LIVE,             E(CDN) | E(TUNNEL_DOWN),       clean_up,              SESSION_DOWN),
	ROW(LIVE,             E(BAD),                        send_cdn,              SESSION_DOWN),
	ROW(LIVE,             E(CLOSE),                      close_with_cdn,        SESSION_CLOSED),
	ROW(S(DOWN),          E(CLOSE),                      nothing,               SESSION_CLOSED),

	/* anything else: SLI from a LAC, WEN too early, what crossed our CDN */
	ROW(ANY,              ANY,                           nothing,               SAME_STATE),
};

static const struct row outgoing[] = {
	/*  state             event                          action                 new state */
	ROW(S(IDLE),          E(PLACE),                      nothing,               SESSION_WAIT_TUNNEL),
	ROW(S(IDLE),          ANY,                           nothing,               SESSION_CLOSED),

	ROW(S(WAIT_TUNNEL),   E(TUNNEL_OPEN),                send_ocrq,             SESSION_WAIT_REPLY),
	ROW(S(WAIT_TUNNEL),   E(TUNNEL_DOWN) | E(DEADLINE),  clean_up,              SESSION_DOWN),
	ROW(S(WAIT_TUNNEL),   E(CLOSE),                      close_unsent,          SESSION_CLOSED),

	ROW(S(WAIT_REPLY),    E(OCRP),                       learn_peer,            SESSION_WAIT_CONNECT),
	ROW(S(WAIT_CONNECT),  E(OCCN),                       call_is_up,            SESSION_ESTABLISHED),
	ROW(S(WAIT_CONNECT),  E(OCCN_BAD),                   send_cdn,              SESSION_DOWN),
	ROW(WAITING,          E(DEADLINE),                   send_cdn,              SESSION_DOWN),

	ROW(S(ESTABLISHED),   E(WEN) | E(SPEED),             store_change,          SAME_STATE),
	ROW(S(ESTABLISHED),   E(LINK_INFO),                  send_sli,              SAME_STATE),

	ROW(LIVE,             INCOMING_ONLY | OUTGOING_ONLY, send_cdn_out_of_order, SESSION_DOWN),
	ROW(LIVE,             E(CDN) | E(TUNNEL_DOWN),       clean_up,              SESSION_DOWN),
	ROW(LIVE,             E(BAD),                        send_cdn,              SESSION_DOWN),
	ROW(LIVE,             E(CLOSE),                      close_with_cdn,        SESSION_CLOSED),
	ROW(S(DOWN),          E(CLOSE),                      nothing,               SESSION_CLOSED),

	/* anything else */
	ROW(ANY,              ANY,                           nothing,               SAME_STATE),
};
/* clang-format on */

static const struct row *find_row(
	bool is_outgoing, enum session_state state, enum session_event event)
{
	const struct row *row = is_outgoing ? outgoing : incoming;

	while (!(row->states >> state & 1) || !(row->events >> event & 1))
		row++;
	return row;
}

static void enter_state(struct l2tp_session *session, enum session_state state)
{
	struct l2tp_server *server = session->tunnel->server;

	log_debug("call %u/%u: %s -> %s", session->tunnel->id, session->id,
		session_state_name(session->state), session_state_name(state));
	/* How long an incoming call waits in wait-reply is its owner's affair. */
	if (session->outgoing ? session->state == SESSION_IDLE : state == SESSION_WAIT_CONNECT)
		env_timer_start(session->deadline, server->settings.setup_timeout);
	session->state = state;
	switch (state) {
	case SESSION_ESTABLISHED:
		env_timer_stop(session->deadline);
		break;
	case SESSION_DOWN:
		env_timer_stop(session->deadline);
		session_uncount(session);
		break;
	case SESSION_CLOSED:
		session_uncount(session);
		session_bury(session);
		break;
	default:
		break;
	}
}

void session_step(
	struct l2tp_session *session, enum session_event event, struct session_input *input)
{
	const struct row *row = find_row(session->outgoing, session->state, event);

	if (row->next != SAME_STATE)
		enter_state(session, row->next);
	row->action(session, event, input);
}

/* --- names --- */

const char *session_state_name(enum session_state state)
{
	static const char *const names[SESSION_STATES] = {
		[SESSION_IDLE] = "idle",
		[SESSION_WAIT_TUNNEL] = "wait-tunnel",
		[SESSION_WAIT_REPLY] = "wait-reply",
		[SESSION_WAIT_CONNECT] = "wait-connect",
		[SESSION_ESTABLISHED] = "established",
		[SESSION_DOWN] = "down",
		[SESSION_CLOSED] = "closed",
	};

	return names[state];
}

const char *session_event_name(enum session_event event)
{
	static const char *const names[SESSION_EVENTS] = {
		[SESSION_ICRQ] = "ICRQ",
		[SESSION_ICRQ_BAD] = "ICRQ, not acceptable",
		[SESSION_ICRP] = "ICRP",
		[SESSION_ICCN] = "ICCN",
		[SESSION_ICCN_BAD] = "ICCN, not acceptable",
		[SESSION_OCRQ] = "OCRQ",
		[SESSION_OCRP] = "OCRP",
		[SESSION_OCCN] = "OCCN",
		[SESSION_OCCN_BAD] = "OCCN, not acceptable",
		[SESSION_CDN] = "CDN",
		[SESSION_WEN] = "WEN",
		[SESSION_SLI] = "SLI",
		[SESSION_SPEED] = "speed update",
		[SESSION_BAD] = "other, not acceptable",
		[SESSION_PLACE] = "local open",
		[SESSION_TUNNEL_OPEN] = "tunnel open",
		[SESSION_TUNNEL_DOWN] = "tunnel down",
		[SESSION_ACCEPT] = "local accept",
		[SESSION_CLOSE] = "local close",
		[SESSION_LINK_INFO] = "local link info",
		[SESSION_DEADLINE] = "deadline",
	};

	return names[event];
}

const char *session_row_action(bool is_outgoing, enum session_state state, enum session_event event)
{
	return find_row(is_outgoing, state, event)->action_name;
}

enum session_state session_row_next(
	bool is_outgoing, enum session_state state, enum session_event event)
{
	enum session_state next = find_row(is_outgoing, state, event)->next;

	return next == SAME_STATE ? state : next;
}
