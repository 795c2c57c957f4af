/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session: the life of a call as the subscriber's side sees it, and what it sends through it.
 *
 * Only session_set_state changes the state and the counts that the load goes by.
 */
#include "tests/load/session.h"

#include "tests/load/icmp.h"
#include "tests/load/lac.h"
#include "tests/load/load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What the LNS has to clear a call that is of no use any more. */
#define END_TIME ENV_SEC(5)
/* Between IPCP and the first ping: the LNS's interface may come up a little after the protocol. */
#define PING_DELAY ENV_MS(100)

static void session_set_state(struct session *session, enum session_state state)
{
	struct load *load = session->load;

	if (session->state == CALL_QUEUED)
		TAILQ_REMOVE(&session->lac->waiting, session, link);
	if (session->state == CALL_UP) {
		load_session_down(session);
		session_stop_ping(session);
	}
	load->count[session->state]--;
	session->state = state;
	load->count[state]++;
	env_timer_stop(session->timer);
	load_changed(load);
}

void session_over(struct session *session)
{
	bool again = session->again, failed = session->failed;

	session->load->stats.calls_ended += session->id != 0;
	lac_forget(session->lac, session);
	ppp_stop(&session->ppp);
	session->again = session->failed = false;
	session_set_state(session, failed ? CALL_FAILED : CALL_ENDED);
	if (again && !failed)
		session_queue(session);
}

/* Sends the CDN; it is over when that is acknowledged, which the LAC tells. */
static void clear(struct session *session)
{
	session_set_state(session, CALL_ENDING);
	ppp_stop(&session->ppp);
	if (lac_clear(session->lac, session))
		session_over(session);
}

/* The LNS knows as well as we that the call is of no use: it is given time to clear it. */
static void await_clearing(struct session *session)
{
	session_set_state(session, CALL_ENDING);
	ppp_linger(&session->ppp);
	env_timer_start(session->timer, END_TIME);
}

static void count_failure(struct session *session, const char *reason)
{
	char text[STATS_REASON_TEXT];

	if (session->failed || session->state == CALL_FAILED)
		return;
	session->failed = true;
	snprintf(text, sizeof(text), "%s%s",
		session->state == CALL_UP       ? "lost: "
		: session->state == CALL_ENDING ? "at the end: "
						: "",
		reason);
	load_session_failed(session, text);
}

void session_lose(struct session *session, const char *reason)
{
	count_failure(session, reason);
	session_over(session);
}

/* Which part of the setup did not come about in time. */
static const char *timeout_reason(const struct session *session)
{
	if (session->state == CALL_REQUESTED)
		return session->requested ? "timeout: no ICRP" : "timeout: no room for the ICRQ";
	if (!session->connected)
		return "timeout: no room for the ICCN";
	if (!session->heard)
		return "timeout: no PPP frame from the LNS";
	switch (session->ppp.phase) {
	case PPP_AUTHENTICATE:
		return "timeout: not authenticated";
	case PPP_NETWORK:
		return session->ppp.ipcp.state == FSM_OPENED ? "timeout: IPV6CP not open"
							     : "timeout: IPCP not open";
	default:
		return "timeout: LCP not open";
	}
}

static void timer_fired(void *ctx)
{
	struct session *session = ctx;

	if (session->state != CALL_ENDING)
		count_failure(session, timeout_reason(session));
	clear(session);
}

/* ---- what PPP tells ---- */

static void ppp_sends(void *ctx, uint16_t protocol, const uint8_t *packet, size_t len)
{
	struct session *session = ctx;

	lac_send_frame(session->lac, session, protocol, packet, len);
}

static void ppp_authenticated(void *ctx)
{
	struct session *session = ctx;
	struct env *env = session->load->env;

	if (session->state == CALL_CONNECTING)
		stats_sample(&session->load->stats, PHASE_AUTH, env_now(env) - session->connected);
}

static void ppp_is_up(void *ctx)
{
	struct session *session = ctx;
	struct load *load = session->load;
	uint64_t now = env_now(load->env);

	if (session->state != CALL_CONNECTING)
		return;
	stats_sample(&load->stats, PHASE_UP, now - session->connected);
	stats_sample(&load->stats, PHASE_CALL, now - session->requested);
	session_set_state(session, CALL_UP);
	load_session_up(session);
	if (load->options->ping)
		env_timer_start(session->ping,
			PING_DELAY + rng_below(&load->rng, (uint32_t)load->options->ping));
}

static void ppp_is_down(void *ctx, const char *reason)
{
	struct session *session = ctx;

	if (session->state != CALL_CONNECTING && session->state != CALL_UP)
		return;
	count_failure(session, reason);
	await_clearing(session);
}

/* The Terminate-Request was answered, or not: the LNS has the next word. */
static void ppp_is_closed(void *ctx)
{
	struct session *session = ctx;

	if (session->state == CALL_ENDING)
		await_clearing(session);
}

static void ping_fired(void *ctx)
{
	struct session *session = ctx;
	const struct options *options = session->load->options;
	uint8_t packet[ICMP_PACKET_MAX], data[ICMP_PACKET_MAX];
	uint64_t now = env_now(session->load->env);
	struct icmp_echo echo = { .from = session->ppp.address,
		.to = options->ping_to.sa.sa_family == AF_INET ? options->ping_to.in4.sin_addr
							       : session->ppp.peer_address,
		.id = session->id,
		.sequence = ++session->ping_sequence,
		.data = data,
		.len = options->ping_size };
	size_t len;

	memset(data, 0xa5, sizeof(data));
	memcpy(data, &now, sizeof(now));
	len = icmp_write(&echo, packet, sizeof(packet));
	session->ping_pending |= 1ull << (echo.sequence & 63);
	session->pings_sent++;
	session->load->stats.pings_sent++;
	lac_send_frame(session->lac, session, PPP_IP, packet, len);
	env_timer_start(session->ping, options->ping);
}

static void ppp_receives_ip(void *ctx, const uint8_t *packet, size_t len)
{
	struct session *session = ctx;
	struct stats *stats = &session->load->stats;
	uint8_t reply[ICMP_PACKET_MAX];
	struct icmp_echo echo;
	uint64_t sent, bit;

	if (!icmp_read(packet, len, &echo) || echo.to.s_addr != session->ppp.address.s_addr)
		return;
	if (!echo.reply) {
		echo.to = echo.from;
		echo.from = session->ppp.address;
		echo.reply = true;
		len = icmp_write(&echo, reply, sizeof(reply));
		if (len)
			lac_send_frame(session->lac, session, PPP_IP, reply, len);
		return;
	}
	bit = 1ull << (echo.sequence & 63);
	if (echo.id != session->id || !(session->ping_pending & bit))
		return;
	session->ping_pending &= ~bit;
	session->pings_received++;
	stats->pings_received++;
	if (echo.len < sizeof(sent))
		return;
	memcpy(&sent, echo.data, sizeof(sent));
	stats_sample(stats, PHASE_PING, env_now(session->load->env) - sent);
}

static const struct ppp_ops ppp_ops = {
	.send = ppp_sends,
	.authenticated = ppp_authenticated,
	.up = ppp_is_up,
	.down = ppp_is_down,
	.closed = ppp_is_closed,
	.ip = ppp_receives_ip,
};

/* ---- life ---- */

int session_init(struct session *session, struct load *load, struct lac *lac, unsigned int number)
{
	const struct options *options = load->options;

	*session = (struct session){ .load = load, .lac = lac, .number = number };
	options_expand(session->user, sizeof(session->user), options->user, number, lac->number);
	options_expand(session->password, sizeof(session->password), options->password, number,
		lac->number);
	session->timer = env_timer_new(load->env, timer_fired, session);
	session->ping = env_timer_new(load->env, ping_fired, session);
	if (session->timer && session->ping &&
		!ppp_init(&session->ppp, load->env, &load->ppp, &ppp_ops, session, &load->rng)) {
		load->count[CALL_IDLE]++;
		return 0;
	}
	env_timer_free(session->timer);
	env_timer_free(session->ping);
	return -ENOMEM;
}

void session_fini(struct session *session)
{
	ppp_fini(&session->ppp);
	env_timer_free(session->timer);
	env_timer_free(session->ping);
	explicit_bzero(session->password, sizeof(session->password));
}

void session_queue(struct session *session)
{
	session_set_state(session, CALL_QUEUED);
	TAILQ_INSERT_TAIL(&session->lac->waiting, session, link);
	if (session->lac->state == LAC_FAILED)
		session_lose(session, "tunnel: gone");
	else
		load_ready(session->load, session->lac);
}

void session_start(struct session *session)
{
	session_set_state(session, CALL_REQUESTED);
	session->load->stats.calls_started++;
	session->peer_id = 0;
	trace_begin(&session->ppp.trace, env_now(session->load->env));
	session->requested = session->connected = 0;
	session->heard = session->cdn_sent = false;
	session->data_ns = session->data_nr = 0;
	session->ping_pending = 0;
	env_timer_start(session->timer, session->load->options->timeout);
	if (lac_request(session->lac, session))
		session_lose(session, "no session id, or no memory");
}

void session_end(struct session *session, bool by_lcp, bool again)
{
	session->again = again;
	if (!by_lcp) {
		clear(session);
		return;
	}
	session_set_state(session, CALL_ENDING);
	ppp_close(&session->ppp);
}

void session_suspend(struct session *session, bool again)
{
	session->again = again && session->state == CALL_UP;
	session_set_state(session, CALL_ENDING);
	ppp_stop(&session->ppp);
}

void session_vanish(struct session *session)
{
	ppp_stop(&session->ppp);
	lac_forget(session->lac, session);
	session_set_state(session, CALL_VANISHED);
	session->load->stats.vanished++;
}

void session_stop_ping(struct session *session)
{
	env_timer_stop(session->ping);
}

/* ---- what the LAC tells ---- */

void session_requested(struct session *session)
{
	session->requested = env_now(session->load->env);
}

void session_connected(struct session *session)
{
	session->connected = env_now(session->load->env);
	if (session->state != CALL_CONNECTING)
		return;
	if (session->load->options->early_lcp)
		ppp_open(&session->ppp);
	else
		ppp_listen(&session->ppp);
}

void session_reply(struct session *session, const struct l2tp_msg *icrp)
{
	struct load *load = session->load;
	const struct options *options = load->options;
	struct ppp_proxy proxy = { 0 };

	if (session->state != CALL_REQUESTED)
		return;
	session->peer_id = icrp->assigned_session_id;
	stats_sample(&load->stats, PHASE_ICRP, env_now(load->env) - session->requested);
	session_set_state(session, CALL_CONNECTING);
	env_timer_start(
		session->timer, session->requested + options->timeout > env_now(load->env)
					? session->requested + options->timeout - env_now(load->env)
					: 0);
	ppp_start(&session->ppp, session->user, session->password);
	if (options->proxy_lcp || options->proxy_auth)
		ppp_proxy(&session->ppp, options->proxy_lcp, options->proxy_auth, &proxy);
	if (lac_connect(session->lac, session, &proxy))
		session_lose(session, "no memory");
	explicit_bzero(&proxy, sizeof(proxy));
}

void session_cleared(struct session *session, const struct l2tp_msg *cdn)
{
	char text[STATS_REASON_TEXT];

	if (session->state != CALL_ENDING)
		count_failure(
			session, l2tp_result_text(L2TP_CDN, &cdn->result, text, sizeof(text)));
	session_over(session);
}

void session_frame(struct session *session, const uint8_t *frame, size_t len, int ns)
{
	struct load *load = session->load;

	if (ns >= 0)
		session->data_nr = (uint16_t)(ns + 1);
	if (!session->heard && ppp_frame_is_lcp(frame, len) && session->connected) {
		stats_sample(&load->stats, PHASE_LCP, env_now(load->env) - session->connected);
		session->heard = true;
	}
	session->heard = true;
	ppp_input(&session->ppp, frame, len);
}
