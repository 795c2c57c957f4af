/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lac: the tunnel's life and all that a LAC sends.
 *
 * A LAC that closes or reboots opens again from a timer: the transport may not be freed inside its own
 * callbacks.
 */
#include "tests/load/lac_priv.h"

#include "lns/l2tp/digest.h"
#include "tests/load/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SESSION_IDS    65536
#define SOCKET_BUFFER  (4 << 20)
#define RETRANSMIT_CAP ENV_SEC(8)
#define CONNECT_SPEED  100000000
#define FRAME_MAX      2048

#define HAS(id) (1ull << L2TP_AVP_##id)

enum {
	DATA_SEQUENCED = 0x0802,
	DATA_PLAIN = 0x0002,
	PPP_ADDRESS_CONTROL = 0xff03,
	NS_OFFSET = 8,
	DIGITAL = 1,
	SYNCHRONOUS = 1,
	BOTH = 3,
};

static struct l2tp_span span_of(const void *data, size_t len)
{
	return (struct l2tp_span){ .data = data, .len = (uint16_t)len };
}

static struct l2tp_span span_of_text(const char *text)
{
	return span_of(text, strlen(text));
}

/* ---- the transport's callbacks ---- */

static void transmit(void *ctx, const union addr *to, const uint8_t *packet, size_t len)
{
	struct lac *lac = ctx;

	if (sendto(lac->fd, packet, len, 0, &to->sa, addr_len(to)) < 0)
		lac->load->stats.send_errors++;
}

static void packet_out(struct lac *lac, const uint8_t *packet, size_t len)
{
	if (lac->state == LAC_SILENT)
		return;
	if (lac->out)
		line_put(lac->out, &lac->peer, packet, len);
	else
		transmit(lac, &lac->peer, packet, len);
}

/* Tells the session when its ICRQ or ICCN leaves for the first time. */
static void xport_transmits(void *ctx, const uint8_t *packet, size_t len)
{
	struct lac *lac = ctx;
	struct lac_pending *first = STAILQ_FIRST(&lac->pending);
	struct session *session;

	packet_out(lac, packet, len);
	if (!first || len <= 12 || (packet[NS_OFFSET] << 8 | packet[NS_OFFSET + 1]) != first->ns)
		return;
	STAILQ_REMOVE_HEAD(&lac->pending, next);
	session = lac->calls[first->session_id];
	if (session && first->type == L2TP_ICRQ)
		session_requested(session);
	else if (session)
		session_connected(session);
	free(first);
}

static void xport_lost(void *ctx)
{
	struct lac *lac = ctx;

	switch (lac->state) {
	case LAC_OPENING:
		lac_lost(lac, "tunnel: no answer to the SCCRQ");
		break;
	case LAC_CLOSING:
		lac_lost(lac, "tunnel: the StopCCN is not acknowledged");
		break;
	default:
		lac_lost(lac, "tunnel: the LNS does not answer");
		break;
	}
}

static void xport_wants_hello(void *ctx)
{
	struct l2tp_msg msg = { .type = L2TP_HELLO };

	(void)lac_send(ctx, NULL, &msg);
}

static const struct xport_ops xport_ops = {
	.transmit = xport_transmits,
	.lost = xport_lost,
	.hello = xport_wants_hello,
};

/* ---- sending ---- */

static void pending_free(struct lac *lac)
{
	struct lac_pending *pending;

	while ((pending = STAILQ_FIRST(&lac->pending))) {
		STAILQ_REMOVE_HEAD(&lac->pending, next);
		free(pending);
	}
}

static int expect_transmission(
	struct lac *lac, const struct session *session, enum l2tp_msg_type type)
{
	struct lac_pending *pending = malloc(sizeof(*pending));

	if (!pending)
		return -ENOMEM;
	*pending =
		(struct lac_pending){ .ns = lac->next_ns, .session_id = session->id, .type = type };
	STAILQ_INSERT_TAIL(&lac->pending, pending, next);
	return 0;
}

int lac_send(struct lac *lac, struct session *session, const struct l2tp_msg *msg)
{
	bool hide = lac->load->options->hide && msg->type != L2TP_HELLO;
	uint8_t packet[L2TP_SEND_MAX], vector[16];
	int len, err;

	rng_fill(&lac->load->rng, vector, sizeof(vector));
	len = l2tp_msg_encode(msg, lac->peer_id, session ? session->peer_id : 0,
		hide ? &lac->secret : NULL, vector, packet, sizeof(packet));
	if (len < 0)
		return len;
	if (msg->type == L2TP_ICRQ || msg->type == L2TP_ICCN) {
		err = expect_transmission(lac, session, msg->type);
		if (err)
			return err;
	}
	lac->next_ns++;
	err = xport_send(&lac->xport, packet, (size_t)len);
	explicit_bzero(packet, sizeof(packet));
	return err;
}

void lac_send_frame(struct lac *lac, struct session *session, uint16_t protocol,
	const uint8_t *packet, size_t len)
{
	uint8_t frame[FRAME_MAX];
	struct wire_writer out;
	bool sequenced = lac->load->options->sequencing;

	wire_writer_init(&out, frame, sizeof(frame));
	wire_put_u16(&out, sequenced ? DATA_SEQUENCED : DATA_PLAIN);
	wire_put_u16(&out, lac->peer_id);
	wire_put_u16(&out, session->peer_id);
	if (sequenced) {
		wire_put_u16(&out, session->data_ns++);
		wire_put_u16(&out, session->data_nr);
	}
	wire_put_u16(&out, PPP_ADDRESS_CONTROL);
	wire_put_u16(&out, protocol);
	wire_put_octets(&out, packet, len);
	if (out.error)
		return;
	lac->load->stats.data_out++;
	packet_out(lac, frame, out.used);
}

/* ---- life ---- */

static void restart_fired(void *ctx)
{
	lac_open(ctx);
}

static int socket_open(const union addr *local, int *ret_fd)
{
	int size = SOCKET_BUFFER, err;
	int fd = socket(local->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (bind(fd, &local->sa, addr_len(local)) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

static int make_lines(struct lac *lac)
{
	const struct options *options = lac->load->options;
	const struct line_quality *quality = &options->line;
	uint64_t seed = options->seed + 2 * (uint64_t)lac->number;

	if (quality->loss <= 0 && quality->duplicate <= 0 && !quality->delay)
		return 0;
	if (line_new(lac->load->env, quality, seed, transmit, lac, &lac->out) ||
		line_new(lac->load->env, quality, seed + 1, lac_receive, lac, &lac->in))
		return -ENOMEM;
	return 0;
}

int lac_init(struct lac *lac, struct load *load, unsigned int index)
{
	const struct options *options = load->options;
	char text[ADDR_TEXT], secret[L2TP_SECRET_MAX + 1] = "";
	int err;

	*lac = (struct lac){ .load = load,
		.number = options->first + index,
		.fd = -1,
		.local = options->sources[index],
		.peer = options->lns };
	STAILQ_INIT(&lac->pending);
	TAILQ_INIT(&lac->waiting);
	TAILQ_INIT(&lac->clearing);
	if (options->secret)
		options_expand(secret, sizeof(secret), options->secret, lac->number, lac->number);
	lac->secret.len = (uint16_t)strlen(secret);
	memcpy(lac->secret.data, secret, lac->secret.len);
	explicit_bzero(secret, sizeof(secret));
	err = socket_open(&lac->local, &lac->fd);
	if (!err) {
		lac->calls = calloc(SESSION_IDS, sizeof(struct session *));
		lac->restart = env_timer_new(load->env, restart_fired, lac);
		lac->io = env_io_new(load->env, lac->fd, ENV_READ, lac_readable, lac);
		err = lac->calls && lac->restart && lac->io ? make_lines(lac) : -ENOMEM;
	}
	if (!err)
		return 0;
	fprintf(stderr, "lns-load: %s: %s\n", addr_text(&lac->local, text), strerror(-err));
	lac_fini(lac);
	return err;
}

void lac_fini(struct lac *lac)
{
	pending_free(lac);
	xport_fini(&lac->xport);
	env_timer_free(lac->restart);
	env_io_free(lac->io);
	line_free(lac->out);
	line_free(lac->in);
	if (lac->fd >= 0)
		close(lac->fd);
	free(lac->calls);
	explicit_bzero(&lac->secret, sizeof(lac->secret));
}

static int send_sccrq(struct lac *lac)
{
	const struct options *options = lac->load->options;
	char host_name[128];
	struct l2tp_msg msg = { .type = L2TP_SCCRQ,
		.present = HAS(PROTOCOL_VERSION) | HAS(HOST_NAME) | HAS(FRAMING_CAPABILITIES) |
			   HAS(BEARER_CAPABILITIES) | HAS(ASSIGNED_TUNNEL_ID) | HAS(VENDOR_NAME),
		.protocol_version = 0x0100,
		.framing_capabilities = BOTH,
		.bearer_capabilities = BOTH,
		.assigned_tunnel_id = lac->id,
		.vendor_name = span_of_text("lns-load") };

	options_expand(host_name, sizeof(host_name), options->host_name, lac->number, lac->number);
	msg.host_name = span_of_text(host_name);
	if (options->window) {
		msg.present |= HAS(RECEIVE_WINDOW_SIZE);
		msg.receive_window_size = (uint16_t)options->window;
	}
	if (lac->secret.len) {
		rng_fill(&lac->load->rng, lac->challenge, sizeof(lac->challenge));
		msg.present |= HAS(CHALLENGE);
		msg.challenge = span_of(lac->challenge, sizeof(lac->challenge));
	}
	return lac_send(lac, NULL, &msg);
}

void lac_open(struct lac *lac)
{
	struct load *load = lac->load;
	struct xport_limits limits = {
		.window = load->options->window ? (uint16_t)load->options->window : 4,
		.retransmits = load->options->retransmits,
		.retransmit_cap = RETRANSMIT_CAP
	};

	pending_free(lac);
	xport_fini(&lac->xport);
	lac->id = rng_id(&load->rng);
	lac->peer_id = lac->next_ns = 0;
	lac->last_session_id = rng_id(&load->rng);
	lac->peer = load->options->lns;
	lac->again = false;
	lac->opened = env_now(load->env);
	lac->state = LAC_OPENING;
	if (xport_init(&lac->xport, load->env, &limits, &xport_ops, lac, &load->counters) ||
		send_sccrq(lac))
		lac_lost(lac, "tunnel: no memory, or a text that is too long");
}

void lac_established(struct lac *lac, const struct l2tp_msg *sccrp)
{
	struct load *load = lac->load;
	struct l2tp_msg msg = { .type = L2TP_SCCCN };

	lac->peer_id = sccrp->assigned_tunnel_id;
	xport_set_peer(&lac->xport, lac->peer_id,
		l2tp_msg_has(sccrp, L2TP_AVP_RECEIVE_WINDOW_SIZE) ? sccrp->receive_window_size : 0);
	xport_set_hello(&lac->xport, load->options->hello);
	if (l2tp_msg_has(sccrp, L2TP_AVP_CHALLENGE)) {
		msg.present |= HAS(CHALLENGE_RESPONSE);
		l2tp_digest_response(L2TP_SCCCN, &lac->secret, sccrp->challenge.data,
			sccrp->challenge.len, msg.challenge_response);
	}
	lac->state = LAC_UP;
	load->stats.tunnels_up++;
	stats_sample(&load->stats, PHASE_SCCRP, env_now(load->env) - lac->opened);
	if (lac_send(lac, NULL, &msg))
		lac_lost(lac, "tunnel: no memory");
	else
		load_ready(load, lac);
}

/* Does what to every session that has a call. */
static void for_each_call(
	struct lac *lac, void (*what)(struct session *session, void *arg), void *arg)
{
	for (unsigned int id = 0; lac->call_count && id < SESSION_IDS; id++) {
		if (lac->calls[id])
			what(lac->calls[id], arg);
	}
}

static void call_lose(struct session *session, void *arg)
{
	if (session->state == CALL_ENDING)
		session_over(session);
	else
		session_lose(session, arg);
}

static void call_suspend(struct session *session, void *arg)
{
	session_suspend(session, *(bool *)arg);
}

static void call_over(struct session *session, void *arg)
{
	(void)arg;
	session_over(session);
}

static void call_vanish(struct session *session, void *arg)
{
	(void)arg;
	session_vanish(session);
}

void lac_lost(struct lac *lac, const char *reason)
{
	struct load *load = lac->load;
	struct session *session;

	if (lac->state == LAC_CLOSING || (!lac->call_count && TAILQ_EMPTY(&lac->waiting)))
		stats_fail(&load->stats, reason);
	lac->state = LAC_FAILED;
	load->stats.tunnels_failed++;
	xport_abandon(&lac->xport);
	pending_free(lac);
	for_each_call(lac, call_lose, (void *)reason);
	while ((session = TAILQ_FIRST(&lac->waiting)))
		session_lose(session, reason);
	load_changed(load);
}

static void send_stopccn(struct lac *lac, const struct l2tp_result *result)
{
	struct l2tp_msg msg = { .type = L2TP_STOPCCN,
		.present = HAS(RESULT_CODE) | HAS(ASSIGNED_TUNNEL_ID),
		.result = *result,
		.assigned_tunnel_id = lac->id };

	xport_drop_unsent(&lac->xport);
	pending_free(lac);
	if (lac_send(lac, NULL, &msg))
		lac_lost(lac, "tunnel: no memory");
}

void lac_close(struct lac *lac, bool again)
{
	static const struct l2tp_result result = { .code = L2TP_STOPCCN_SHUTTING_DOWN };

	if (lac->state != LAC_UP)
		return;
	lac->again = again;
	for_each_call(lac, call_suspend, &again);
	lac->state = LAC_CLOSING;
	send_stopccn(lac, &result);
}

void lac_refuse(struct lac *lac, const struct l2tp_result *result)
{
	char text[STATS_REASON_TEXT], reason[STATS_REASON_TEXT];
	struct l2tp_result copy = *result;

	snprintf(reason, sizeof(reason), "tunnel: we refuse: %.140s",
		l2tp_result_text(L2TP_STOPCCN, &copy, text, sizeof(text)));
	send_stopccn(lac, &copy);
	lac_lost(lac, reason);
}

void lac_closed(struct lac *lac)
{
	bool again = lac->again;

	xport_abandon(&lac->xport);
	lac->state = again ? LAC_DOWN : LAC_CLOSED;
	for_each_call(lac, call_over, NULL);
	if (again)
		env_timer_start(lac->restart, 0);
	load_changed(lac->load);
}

void lac_reboot(struct lac *lac)
{
	bool again = true;

	if (lac->state != LAC_UP)
		return;
	xport_abandon(&lac->xport);
	pending_free(lac);
	lac->state = LAC_DOWN;
	for_each_call(lac, call_suspend, &again);
	for_each_call(lac, call_over, NULL);
	env_timer_start(lac->restart, 0);
}

void lac_vanish(struct lac *lac)
{
	xport_abandon(&lac->xport);
	pending_free(lac);
	lac->state = LAC_SILENT;
	for_each_call(lac, call_vanish, NULL);
	while (!TAILQ_EMPTY(&lac->waiting))
		session_vanish(TAILQ_FIRST(&lac->waiting));
}

/* ---- calls ---- */

int lac_request(struct lac *lac, struct session *session)
{
	const struct options *options = lac->load->options;
	char calling[65], called[65];
	struct l2tp_msg msg = { .type = L2TP_ICRQ,
		.present = HAS(ASSIGNED_SESSION_ID) | HAS(CALL_SERIAL_NUMBER) | HAS(BEARER_TYPE),
		.bearer_type = DIGITAL };

	if (lac->call_count >= SESSION_IDS - 1)
		return -ENOMEM;
	do
		lac->last_session_id++;
	while (!lac->last_session_id || lac->calls[lac->last_session_id]);
	session->id = lac->last_session_id;
	lac->calls[session->id] = session;
	lac->call_count++;
	msg.assigned_session_id = session->id;
	msg.call_serial_number = (uint32_t)lac->load->stats.calls_started;
	if (options->calling) {
		msg.present |= HAS(CALLING_NUMBER);
		msg.calling_number = span_of_text(options_expand(
			calling, sizeof(calling), options->calling, session->number, lac->number));
	}
	if (options->called) {
		msg.present |= HAS(CALLED_NUMBER);
		msg.called_number = span_of_text(options_expand(
			called, sizeof(called), options->called, session->number, lac->number));
	}
	return lac_send(lac, session, &msg);
}

static void put_proxy(
	struct l2tp_msg *msg, const struct session *session, const struct ppp_proxy *proxy)
{
	if (proxy->last_sent_len) {
		msg->present |= HAS(INITIAL_RECEIVED_LCP_CONFREQ) | HAS(LAST_SENT_LCP_CONFREQ) |
				HAS(LAST_RECEIVED_LCP_CONFREQ);
		msg->initial_received_lcp_confreq =
			span_of(proxy->initial_received, proxy->initial_received_len);
		msg->last_sent_lcp_confreq = span_of(proxy->last_sent, proxy->last_sent_len);
		msg->last_received_lcp_confreq =
			span_of(proxy->last_received, proxy->last_received_len);
	}
	if (!proxy->authen_type)
		return;
	msg->present |= HAS(PROXY_AUTHEN_TYPE);
	msg->proxy_authen_type = proxy->authen_type;
	if (!proxy->response_len)
		return;
	msg->present |= HAS(PROXY_AUTHEN_NAME) | HAS(PROXY_AUTHEN_ID) | HAS(PROXY_AUTHEN_RESPONSE);
	msg->proxy_authen_name = span_of_text(session->user);
	msg->proxy_authen_id = proxy->id;
	msg->proxy_authen_response = span_of(proxy->response, proxy->response_len);
	if (proxy->challenge_len) {
		msg->present |= HAS(PROXY_AUTHEN_CHALLENGE);
		msg->proxy_authen_challenge = span_of(proxy->challenge, proxy->challenge_len);
	}
}

int lac_connect(struct lac *lac, struct session *session, const struct ppp_proxy *proxy)
{
	struct l2tp_msg msg = { .type = L2TP_ICCN,
		.present = HAS(TX_CONNECT_SPEED) | HAS(FRAMING_TYPE),
		.tx_connect_speed = CONNECT_SPEED,
		.framing_type = SYNCHRONOUS };

	put_proxy(&msg, session, proxy);
	if (lac->load->options->sequencing)
		msg.present |= HAS(SEQUENCING_REQUIRED);
	return lac_send(lac, session, &msg);
}

int lac_clear(struct lac *lac, struct session *session)
{
	struct l2tp_msg msg = { .type = L2TP_CDN,
		.present = HAS(RESULT_CODE) | HAS(ASSIGNED_SESSION_ID),
		.result = { .code = L2TP_CDN_CARRIER_LOST },
		.assigned_session_id = session->id };

	if (lac->state != LAC_UP)
		return -ESHUTDOWN;
	session->cdn_ns = lac->next_ns;
	session->cdn_sent = true;
	TAILQ_INSERT_TAIL(&lac->clearing, session, link);
	return lac_send(lac, session, &msg);
}

void lac_forget(struct lac *lac, struct session *session)
{
	if (!session->id || lac->calls[session->id] != session)
		return;
	if (session->cdn_sent)
		TAILQ_REMOVE(&lac->clearing, session, link);
	session->cdn_sent = false;
	lac->calls[session->id] = NULL;
	lac->call_count--;
	session->id = 0;
}
