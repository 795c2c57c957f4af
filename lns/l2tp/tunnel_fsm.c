/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel_fsm: RFC 2661 section 7.2.1 as a table, and what its actions do.
 *
 * The table is the RFC's, with these differences. Its "idle" after the end is two states here: closing,
 * in which the StopCCN is retransmitted and the peer's retransmissions are acknowledged for a whole
 * retransmission cycle (section 5.7), and closed, in which the id waits for the owner. An SCCRP or SCCCN
 * for no tunnel never comes here: the server ignores it. A step first assigns the state, then acts; an
 * action that fails makes the event TUNNEL_FAILED.
 */
#include "lns/l2tp/tunnel_fsm.h"

#include "lns/env.h"
#include "lns/l2tp/admit.h"
#include "lns/l2tp/digest.h"
#include "lns/l2tp/server.h"
#include "lns/l2tp/session.h"
#include "lns/l2tp/tunnel.h"
#include "lns/log.h"

#include <errno.h>
#include <string.h>

#define PRESENT(avp) (1ull << L2TP_AVP_##avp)

/* --- what a message must be to be acceptable --- */

static bool answer_is_right(const struct l2tp_tunnel *tunnel, const struct l2tp_msg *msg,
	struct l2tp_result *ret_result)
{
	uint8_t expected[16];
	bool right;

	if (!tunnel->lac.challenge || !tunnel->lac.secret.len)
		return true;
	if (!l2tp_msg_has(msg, L2TP_AVP_CHALLENGE_RESPONSE)) {
		*ret_result = server_result(L2TP_STOPCCN_NOT_AUTHORIZED, 0,
			"Challenge Response missing, a secret is required");
		return false;
	}
	l2tp_digest_response((uint8_t)msg->type, &tunnel->lac.secret, tunnel->challenge,
		sizeof(tunnel->challenge), expected);
	right = l2tp_digest_equal(expected, msg->challenge_response);
	explicit_bzero(expected, sizeof(expected));
	if (!right)
		*ret_result = server_result(L2TP_STOPCCN_NOT_AUTHORIZED, 0,
			"Challenge Response wrong, the secrets differ");
	return right;
}

/* What SCCRQ and SCCRP have in common. */
static bool peer_is_acceptable(const struct l2tp_tunnel *tunnel, const struct l2tp_msg *msg,
	struct l2tp_result *ret_result)
{
	if (l2tp_msg_has(msg, L2TP_AVP_PROTOCOL_VERSION) &&
		msg->protocol_version >> 8 != SERVER_PROTOCOL >> 8) {
		*ret_result = server_result(L2TP_STOPCCN_VERSION, SERVER_PROTOCOL,
			"protocol version %u.%u is not supported", msg->protocol_version >> 8,
			msg->protocol_version & 0xff);
		return false;
	}
	if (l2tp_msg_has(msg, L2TP_AVP_CHALLENGE) && !tunnel->lac.secret.len) {
		*ret_result = server_result(L2TP_STOPCCN_NOT_AUTHORIZED, 0,
			"the peer sent a Challenge, but no secret is configured");
		return false;
	}
	if (l2tp_msg_has(msg, L2TP_AVP_RECEIVE_WINDOW_SIZE) && !msg->receive_window_size) {
		*ret_result = server_result(
			L2TP_STOPCCN_ERROR, L2TP_ERROR_VALUE, "Receive Window Size is 0");
		return false;
	}
	return true;
}

enum tunnel_event tunnel_classify(struct l2tp_tunnel *tunnel, struct tunnel_input *input)
{
	const struct l2tp_msg *msg = input->msg;

	switch (msg->type) {
	case L2TP_SCCRQ:
		return peer_is_acceptable(tunnel, msg, &input->result) ? TUNNEL_SCCRQ
								       : TUNNEL_SCCRQ_BAD;
	case L2TP_SCCRP:
		return peer_is_acceptable(tunnel, msg, &input->result) &&
				       answer_is_right(tunnel, msg, &input->result)
			       ? TUNNEL_SCCRP
			       : TUNNEL_SCCRP_BAD;
	case L2TP_SCCCN:
		return answer_is_right(tunnel, msg, &input->result) ? TUNNEL_SCCCN
								    : TUNNEL_SCCCN_BAD;
	case L2TP_STOPCCN:
		input->result = msg->result;
		return TUNNEL_STOPCCN;
	case L2TP_HELLO:
		return TUNNEL_HELLO;
	default:
		return TUNNEL_CALL;
	}
}

/* --- actions: true, or false with the reason in input->result --- */

static bool failed(struct tunnel_input *input, const char *what)
{
	input->result = server_result(L2TP_STOPCCN_ERROR, L2TP_ERROR_RESOURCES, "%s", what);
	return false;
}

static bool open_for_owner(struct l2tp_tunnel *tunnel, struct tunnel_input *input)
{
	struct l2tp_server *server = tunnel->server;

	if (server->ops->tunnel_open(server->ctx, tunnel))
		return failed(input, "no socket for the tunnel");
	tunnel->opened = true;
	return true;
}

static void learn_peer(struct l2tp_tunnel *tunnel, const struct l2tp_msg *msg)
{
	tunnel->peer_id = msg->assigned_tunnel_id;
	tunnel->framing_capabilities = msg->framing_capabilities;
	tunnel->bearer_capabilities = msg->bearer_capabilities;
	server_copy_text(tunnel->host_name, sizeof(tunnel->host_name), msg->host_name);
	server_copy_text(tunnel->vendor_name, sizeof(tunnel->vendor_name), msg->vendor_name);
	xport_set_peer(&tunnel->xport, msg->assigned_tunnel_id, msg->receive_window_size);
}

/* What we say of ourselves in SCCRQ and SCCRP. */
static void introduce(struct l2tp_tunnel *tunnel, struct l2tp_msg *msg)
{
	const struct l2tp_settings *settings = &tunnel->server->settings;

	msg->present |= PRESENT(PROTOCOL_VERSION) | PRESENT(FRAMING_CAPABILITIES) |
			PRESENT(BEARER_CAPABILITIES) | PRESENT(FIRMWARE_REVISION) |
			PRESENT(HOST_NAME) | PRESENT(VENDOR_NAME) | PRESENT(ASSIGNED_TUNNEL_ID) |
			PRESENT(RECEIVE_WINDOW_SIZE);
	msg->protocol_version = SERVER_PROTOCOL;
	msg->framing_capabilities = SERVER_ALL_FRAMINGS;
	msg->bearer_capabilities = 0; /* an LNS places no calls (section 4.4.3) */
	msg->firmware_revision = settings->firmware_revision;
	msg->host_name.data = (const uint8_t *)settings->host_name;
	msg->host_name.len = (uint16_t)strlen(settings->host_name);
	msg->vendor_name.data = (const uint8_t *)settings->vendor_name;
	msg->vendor_name.len = (uint16_t)strlen(settings->vendor_name);
	msg->assigned_tunnel_id = tunnel->id;
	msg->receive_window_size = tunnel->xport.limits.window;
	if (tunnel->lac.challenge && tunnel->lac.secret.len) {
		env_random(tunnel->server->env, tunnel->challenge, sizeof(tunnel->challenge));
		msg->present |= PRESENT(CHALLENGE);
		msg->challenge.data = tunnel->challenge;
		msg->challenge.len = sizeof(tunnel->challenge);
	}
	if (!msg->vendor_name.len)
		msg->present &= ~PRESENT(VENDOR_NAME);
}

static void answer_challenge(
	const struct l2tp_tunnel *tunnel, const struct l2tp_msg *received, struct l2tp_msg *msg)
{
	if (!l2tp_msg_has(received, L2TP_AVP_CHALLENGE))
		return;
	l2tp_digest_response((uint8_t)msg->type, &tunnel->lac.secret, received->challenge.data,
		received->challenge.len, msg->challenge_response);
	msg->present |= PRESENT(CHALLENGE_RESPONSE);
}

static bool send_sccrq(
	struct l2tp_tunnel *tunnel, enum tunnel_event event, struct tunnel_input *input)
{
	struct l2tp_msg msg = { .type = L2TP_SCCRQ, .present = PRESENT(TIE_BREAKER) };

	(void)event;
	if (!open_for_owner(tunnel, input))
		return false;
	introduce(tunnel, &msg);
	env_random(tunnel->server->env, &tunnel->tie_breaker, sizeof(tunnel->tie_breaker));
	msg.tie_breaker = tunnel->tie_breaker;
	return !tunnel_send(tunnel, 0, &msg) || failed(input, "out of memory");
}

static bool send_sccrp(
	struct l2tp_tunnel *tunnel, enum tunnel_event event, struct tunnel_input *input)
{
	struct l2tp_msg msg = { .type = L2TP_SCCRP };

	(void)event;
	learn_peer(tunnel, input->msg);
	if (!open_for_owner(tunnel, input))
		return false;
	introduce(tunnel, &msg);
	answer_challenge(tunnel, input->msg, &msg);
	return !tunnel_send(tunnel, 0, &msg) || failed(input, "out of memory");
}

/* A refusal for which no state is kept. */
static bool refuse_sccrq(
	struct l2tp_tunnel *tunnel, enum tunnel_event event, struct tunnel_input *input)
{
	char name[TUNNEL_NAME];
	size_t len;

	(void)event;
	tunnel_log_mistake(
		tunnel, 0, "%s: SCCRQ refused: %s", tunnel_name(tunnel, name), input->result.text);
	len = admit_refuse(
		tunnel->server, &tunnel->path, input->msg->assigned_tunnel_id, &input->result);
	if (len)
		tunnel_watch(tunnel, true, tunnel->server->out, len);
	return true;
}

static bool tunnel_is_open(
	struct l2tp_tunnel *tunnel, enum tunnel_event event, struct tunnel_input *input)
{
	struct l2tp_server *server = tunnel->server;
	char name[TUNNEL_NAME];

	(void)event;
	(void)input;
	server->counters.tunnels_up++;
	l2tp_tunnel_log(tunnel, 0, LOG_LEVEL_INFO, "%s: established, peer's tunnel %u, window %u",
		tunnel_name(tunnel, name), tunnel->peer_id, tunnel->xport.peer_window);
	server->ops->tunnel_up(server->ctx, tunnel);
	if (tunnel->state != TUNNEL_ESTABLISHED)
		return true; /* the owner has closed it at once */
	tunnel_supersede(tunnel);
	session_tunnel_open(tunnel);
	return true;
}

static bool send_scccn(
	struct l2tp_tunnel *tunnel, enum tunnel_event event, struct tunnel_input *input)
{
	struct l2tp_msg msg = { .type = L2TP_SCCCN };

	learn_peer(tunnel, input->msg);
	answer_challenge(tunnel, input->msg, &msg);
	if (tunnel_send(tunnel, 0, &msg))
		return failed(input, "out of memory");
	return tunnel_is_open(tunnel, event, input);
}

/* Tells everyone above that the tunnel has ended. */
static void end_tunnel(struct l2tp_tunnel *tunnel, const struct l2tp_result *result, bool by_peer)
{
	struct l2tp_server *server = tunnel->server;
	char name[TUNNEL_NAME], why[256];

	if (tunnel->since)
		server->counters.tunnels_down++;
	l2tp_tunnel_log(tunnel, 0, LOG_LEVEL_INFO, "%s: ended by %s after %u calls: %s",
		tunnel_name(tunnel, name), by_peer ? "the peer" : "us", tunnel->calls,
		l2tp_result_text(L2TP_STOPCCN, result, why, sizeof(why)));
	session_tunnel_down(tunnel, result, by_peer);
	if (tunnel->opened)
		server->ops->tunnel_down(server->ctx, tunnel, result, by_peer);
}

static bool clean_up(
	struct l2tp_tunnel *tunnel, enum tunnel_event event, struct tunnel_input *input)
{
	(void)event;
	end_tunnel(tunnel, &input->result, false);
	return true;
}

static bool send_stopccn(
	struct l2tp_tunnel *tunnel, enum tunnel_event event, struct tunnel_input *input)
{
	struct l2tp_result result = input->result;
	struct l2tp_msg msg = {
		.type = L2TP_STOPCCN,
		.present = PRESENT(ASSIGNED_TUNNEL_ID) | PRESENT(RESULT_CODE),
		.assigned_tunnel_id = tunnel->id,
		.result = result,
	};

	(void)event;
	xport_drop_unsent(&tunnel->xport);
	if (tunnel_send(tunnel, 0, &msg))
		l2tp_tunnel_log(tunnel, 0, LOG_LEVEL_WARNING,
			"tunnel %u: out of memory, StopCCN not sent", tunnel->id);
	end_tunnel(tunnel, &result, false);
	return true;
}

static bool send_stopccn_out_of_order(
	struct l2tp_tunnel *tunnel, enum tunnel_event event, struct tunnel_input *input)
{
	unsigned int type = input->msg ? input->msg->type : 0;

	input->result =
		server_result(L2TP_STOPCCN_FSM, 0, "%s is out of place here", l2tp_msg_name(type));
	return send_stopccn(tunnel, event, input);
}

static bool peer_stopped(
	struct l2tp_tunnel *tunnel, enum tunnel_event event, struct tunnel_input *input)
{
	struct l2tp_result result = input->result;

	(void)event;
	tunnel->peer_stopped = true;
	xport_drop_unsent(&tunnel->xport);
	xport_acknowledge_now(&tunnel->xport);
	end_tunnel(tunnel, &result, true);
	return true;
}

static bool linger(struct l2tp_tunnel *tunnel, enum tunnel_event event, struct tunnel_input *input)
{
	(void)event;
	(void)input;
	tunnel->peer_stopped = true;
	return true;
}

static bool handle_call(
	struct l2tp_tunnel *tunnel, enum tunnel_event event, struct tunnel_input *input)
{
	(void)event;
	session_input(tunnel, input->header, input->msg);
	return true;
}

static bool nothing(struct l2tp_tunnel *tunnel, enum tunnel_event event, struct tunnel_input *input)
{
	(void)tunnel;
	(void)event;
	(void)input;
	return true;
}

/* --- the table --- */

struct row {
	unsigned int states, events;
	bool (*action)(struct l2tp_tunnel *, enum tunnel_event, struct tunnel_input *);
	const char *action_name;
	enum tunnel_state next;
};

#define S(state)   (1u << TUNNEL_##state)
#define E(event)   (1u << TUNNEL_##event)
#define ANY        (~0u)
#define SAME_STATE TUNNEL_STATES
#define ROW(states, events, action, next)                                                          \
	{                                                                                          \
		states, events, action, #action, next                                              \
	}
#define UNFINISHED (S(WAIT_CTL_REPLY) | S(WAIT_CTL_CONN))
#define LIVE       (UNFINISHED | S(ESTABLISHED))

/* clang-format off */
static const struct row rows[] = {
	/*  state              event                           action                     new state */
	ROW(S(IDLE),           E(OPEN),                        send_sccrq,                TUNNEL_WAIT_CTL_REPLY),
	ROW(S(IDLE),           E(SCCRQ),                       send_sccrp,                TUNNEL_WAIT_CTL_CONN),
	ROW(S(IDLE),           E(SCCRQ_BAD),                   refuse_sccrq,              TUNNEL_CLOSED),
	ROW(S(IDLE),           ANY,                            nothing,                   TUNNEL_CLOSED),

	ROW(S(WAIT_CTL_REPLY), E(SCCRP),                       send_scccn,                TUNNEL_ESTABLISHED),
	ROW(S(WAIT_CTL_REPLY), E(SCCRP_BAD),                   send_stopccn,              TUNNEL_CLOSING),
	ROW(S(WAIT_CTL_REPLY), E(TIE_LOST) | E(FAILED),        clean_up,                  TUNNEL_CLOSED),
	ROW(S(WAIT_CTL_REPLY), E(SCCRQ) | E(SCCRQ_BAD) | E(SCCCN) | E(SCCCN_BAD) | E(CALL),
	                                                       send_stopccn_out_of_order, TUNNEL_CLOSING),

	ROW(S(WAIT_CTL_CONN),  E(SCCCN),                       tunnel_is_open,            TUNNEL_ESTABLISHED),
	ROW(S(WAIT_CTL_CONN),  E(SCCCN_BAD),                   send_stopccn,              TUNNEL_CLOSING),
	ROW(S(WAIT_CTL_CONN),  E(SCCRQ) | E(SCCRQ_BAD) | E(SCCRP) | E(SCCRP_BAD) | E(CALL),
	                                                       send_stopccn_out_of_order, TUNNEL_CLOSING),

	ROW(S(ESTABLISHED),    E(CALL),                        handle_call,               SAME_STATE),
	ROW(S(ESTABLISHED),    E(SCCRQ) | E(SCCRQ_BAD) | E(SCCRP) | E(SCCRP_BAD) | E(SCCCN) | E(SCCCN_BAD),
	                                                       send_stopccn_out_of_order, TUNNEL_CLOSING),

	ROW(LIVE,              E(STOPCCN),                     peer_stopped,              TUNNEL_CLOSING),
	ROW(LIVE,              E(CLOSE) | E(BAD) | E(FAILED) | E(DEADLINE),
	                                                       send_stopccn,              TUNNEL_CLOSING),
	ROW(LIVE,              E(LOST),                        clean_up,                  TUNNEL_CLOSED),

	ROW(S(CLOSING),        E(STOPCCN),                     linger,                    SAME_STATE),
	ROW(S(CLOSING),        E(DEADLINE) | E(LOST),          nothing,                   TUNNEL_CLOSED),
	ROW(S(CLOSING),        E(ACKNOWLEDGED),                nothing,                   TUNNEL_CLOSED),

	/* anything else: Hello has been acknowledged, the rest means nothing any more */
	ROW(ANY,               ANY,                            nothing,                   SAME_STATE),
};
/* clang-format on */

static const struct row *find_row(enum tunnel_state state, enum tunnel_event event)
{
	const struct row *row = rows;

	while (!(row->states >> state & 1) || !(row->events >> event & 1))
		row++;
	return row;
}

static void enter_state(struct l2tp_tunnel *tunnel, enum tunnel_state state)
{
	struct l2tp_server *server = tunnel->server;

	log_debug("tunnel %u: %s -> %s", tunnel->id, tunnel_state_name(tunnel->state),
		tunnel_state_name(state));
	tunnel->state = state;
	env_timer_stop(tunnel->deadline);
	switch (state) {
	case TUNNEL_WAIT_CTL_REPLY:
	case TUNNEL_WAIT_CTL_CONN:
		env_timer_start(tunnel->deadline, server->settings.setup_timeout);
		break;
	case TUNNEL_ESTABLISHED:
		tunnel->since = env_now(server->env);
		xport_set_hello(&tunnel->xport, tunnel->lac.hello);
		tunnel_check_idle(tunnel);
		break;
	case TUNNEL_CLOSING:
		tunnel_uncount(tunnel);
		xport_set_hello(&tunnel->xport, 0);
		env_timer_stop(tunnel->probe);
		env_timer_start(tunnel->deadline, xport_cycle(&tunnel->xport.limits));
		break;
	case TUNNEL_CLOSED:
		tunnel_uncount(tunnel);
		if (tunnel->peer_id) /* a refusal acknowledges the SCCRQ itself */
			xport_acknowledge_now(&tunnel->xport);
		xport_abandon(&tunnel->xport);
		env_timer_stop(tunnel->probe);
		tunnel_check_end(tunnel);
		break;
	default:
		break;
	}
}

void tunnel_step(struct l2tp_tunnel *tunnel, enum tunnel_event event, struct tunnel_input *input)
{
	const struct row *row = find_row(tunnel->state, event);

	if (row->next != SAME_STATE)
		enter_state(tunnel, row->next);
	if (!row->action(tunnel, event, input))
		tunnel_step(tunnel, TUNNEL_FAILED, input);
}

/* --- names --- */

const char *tunnel_state_name(enum tunnel_state state)
{
	static const char *const names[TUNNEL_STATES] = {
		[TUNNEL_IDLE] = "idle",
		[TUNNEL_WAIT_CTL_REPLY] = "wait-ctl-reply",
		[TUNNEL_WAIT_CTL_CONN] = "wait-ctl-conn",
		[TUNNEL_ESTABLISHED] = "established",
		[TUNNEL_CLOSING] = "closing",
		[TUNNEL_CLOSED] = "closed",
	};

	return names[state];
}

const char *tunnel_event_name(enum tunnel_event event)
{
	static const char *const names[TUNNEL_EVENTS] = {
		[TUNNEL_OPEN] = "local open",
		[TUNNEL_SCCRQ] = "SCCRQ",
		[TUNNEL_SCCRQ_BAD] = "SCCRQ, not acceptable",
		[TUNNEL_SCCRP] = "SCCRP",
		[TUNNEL_SCCRP_BAD] = "SCCRP, not acceptable",
		[TUNNEL_SCCCN] = "SCCCN",
		[TUNNEL_SCCCN_BAD] = "SCCCN, not acceptable",
		[TUNNEL_STOPCCN] = "StopCCN",
		[TUNNEL_HELLO] = "Hello",
		[TUNNEL_CALL] = "call message",
		[TUNNEL_BAD] = "other, not acceptable",
		[TUNNEL_CLOSE] = "local close",
		[TUNNEL_FAILED] = "local failure",
		[TUNNEL_TIE_LOST] = "SCCRQ, lose tie",
		[TUNNEL_DEADLINE] = "deadline",
		[TUNNEL_LOST] = "peer lost",
		[TUNNEL_ACKNOWLEDGED] = "all acknowledged",
	};

	return names[event];
}

const char *tunnel_row_action(enum tunnel_state state, enum tunnel_event event)
{
	return find_row(state, event)->action_name;
}

enum tunnel_state tunnel_row_next(enum tunnel_state state, enum tunnel_event event)
{
	enum tunnel_state next = find_row(state, event)->next;

	return next == SAME_STATE ? state : next;
}
