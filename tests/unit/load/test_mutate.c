/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutate: the hostile LAC's packets and what it expects of them, against the server of lns/l2tp itself:
 * a hostile LAC that does not know what it does would prove little.
 */
#include "lns/l2tp/l2tp.h"
#include "lns/log.h"
#include "tests/load/mutate_packet.h"
#include "tests/load/mutate_tunnel.h"
#include "tests/unit/env_fake.h"

#include <criterion/criterion.h>
#include <string.h>

enum { PACKETS = 20000, QUEUE = 1024 };

static struct l2tp_secret secret = { .len = 6, .data = "secret" };

/* The same seed makes the same packets; all are within bounds, many are still good. */
Test(mutate, packets)
{
	struct mutate_tunnel tunnel = { .own_id = 1,
		.id = 2,
		.ns = 5,
		.nr = 6,
		.calls = { { .id = 76, .peer_id = 77 } },
		.call_count = 1 };
	uint8_t a[MUTATE_PACKET_MAX], b[MUTATE_PACKET_MAX];
	unsigned int verdicts[4] = { 0 }, effects[4] = { 0 };
	struct mutate_view view;
	struct rng one, two;

	rng_seed(&one, 42);
	rng_seed(&two, 42);
	for (unsigned int i = 0; i < PACKETS; i++) {
		size_t len = mutate_packet(&one, &tunnel, &secret, a);

		cr_assert_eq(mutate_packet(&two, &tunnel, &secret, b), len);
		cr_assert(len >= 1 && len <= MUTATE_PACKET_MAX);
		cr_assert_arr_eq(a, b, len);
		mutate_tunnel_judge(&tunnel, &secret, a, len, &view);
		verdicts[view.verdict]++;
		effects[view.effect]++;
	}
	cr_assert_gt(verdicts[L2TP_OK], PACKETS / 2);
	cr_assert_gt(verdicts[L2TP_CLEAR], PACKETS / 5);
	cr_assert_gt(verdicts[L2TP_DISCARD], PACKETS / 50);
	cr_assert_gt(verdicts[L2TP_IGNORE], PACKETS / 200);
	cr_assert_gt(effects[MUTATE_REACHED], PACKETS / 2);
	cr_assert_gt(effects[MUTATE_OPENING], PACKETS / 200);
	cr_assert_gt(effects[MUTATE_FATAL], PACKETS / 50);
	cr_assert_gt(effects[MUTATE_WASTED], PACKETS / 50);
}

/* ---- against a server ---- */

static struct {
	struct env *env;
	struct l2tp_server *server;
	struct l2tp_path path;
	struct mutate_tunnel tunnel;
	bool stopped;
	unsigned int count; /* of what the server has sent and nobody has read */
	struct {
		size_t len;
		uint8_t data[512];
	} queue[QUEUE];
} w;

static int lac_find(void *ctx, const union addr *peer, const char *host_name, struct l2tp_lac *ret)
{
	(void)ctx;
	(void)peer;
	(void)host_name;
	*ret = (struct l2tp_lac){ .name = "any", .secret = secret, .window = 64, .retransmits = 5 };
	return 0;
}

static void sent(void *ctx, const struct l2tp_path *path, const uint8_t *packet, size_t len)
{
	(void)ctx;
	(void)path;
	cr_assert(w.count < QUEUE && len <= sizeof(w.queue[0].data));
	w.queue[w.count].len = len;
	memcpy(w.queue[w.count++].data, packet, len);
}

static int tunnel_open(void *ctx, struct l2tp_tunnel *tunnel)
{
	(void)ctx;
	(void)tunnel;
	return 0;
}

static void tunnel_up(void *ctx, struct l2tp_tunnel *tunnel)
{
	(void)ctx;
	(void)tunnel;
}

static void tunnel_down(
	void *ctx, struct l2tp_tunnel *tunnel, const struct l2tp_result *result, bool by_peer)
{
	(void)ctx;
	(void)result;
	(void)by_peer;
	l2tp_tunnel_release(tunnel);
}

static void call_request(void *ctx, struct l2tp_session *session)
{
	(void)ctx;
	l2tp_session_accept(session);
}

static void call_up(void *ctx, struct l2tp_session *session)
{
	(void)ctx;
	(void)session;
}

static void call_down(
	void *ctx, struct l2tp_session *session, const struct l2tp_result *result, bool by_peer)
{
	(void)ctx;
	(void)by_peer;
	l2tp_session_close(session, result);
}

static const struct l2tp_ops ops = {
	.lac_find = lac_find,
	.send = sent,
	.tunnel_open = tunnel_open,
	.tunnel_up = tunnel_up,
	.tunnel_down = tunnel_down,
	.tunnel_free = tunnel_up,
	.call_request = call_request,
	.call_up = call_up,
	.call_down = call_down,
};

static void say(struct l2tp_msg msg, uint16_t ns, uint16_t nr)
{
	uint8_t packet[512];
	int len = l2tp_msg_encode(&msg, w.tunnel.id, 0, NULL, NULL, packet, sizeof(packet));

	cr_assert_geq(len, 12);
	mutate_set_sequence(packet, ns, nr);
	l2tp_server_input(w.server, &w.path, packet, (size_t)len);
}

/* Reads what the server has sent for our tunnel; the SCCRP's challenge is left unanswered. */
static void listen_to(struct l2tp_msg *ret_sccrp)
{
	uint8_t scratch[512];
	struct l2tp_header header;
	struct l2tp_result result;
	struct l2tp_msg msg;

	for (unsigned int i = 0; i < w.count; i++) {
		cr_assert_eq(l2tp_msg_decode(w.queue[i].data, w.queue[i].len, &secret, false,
				     scratch, sizeof(scratch), &header, &msg, &result),
			L2TP_OK, "%s", result.text);
		if (header.tunnel_id != w.tunnel.own_id)
			continue;
		if (msg.type == L2TP_SCCRP && ret_sccrp)
			*ret_sccrp = msg;
		else if (msg.type != L2TP_SCCRP)
			mutate_tunnel_heard(&w.tunnel, &header, &msg);
		w.stopped |= msg.type == L2TP_STOPCCN;
	}
	w.count = 0;
}

static void open_tunnel(void)
{
	struct l2tp_msg sccrp = { 0 };

	/* a new id, or it would be the same SCCRQ once more */
	w.tunnel = (struct mutate_tunnel){ .own_id = (uint16_t)(w.tunnel.own_id + 1) };
	say((struct l2tp_msg){ .type = L2TP_SCCRQ,
		    .present = 1ull << L2TP_AVP_PROTOCOL_VERSION | 1ull << L2TP_AVP_HOST_NAME |
			       1ull << L2TP_AVP_FRAMING_CAPABILITIES |
			       1ull << L2TP_AVP_ASSIGNED_TUNNEL_ID |
			       1ull << L2TP_AVP_RECEIVE_WINDOW_SIZE,
		    .protocol_version = 0x0100,
		    .framing_capabilities = 3,
		    .receive_window_size = 64,
		    .assigned_tunnel_id = w.tunnel.own_id,
		    .host_name = { .data = (const uint8_t *)"hostile", .len = 7 } },
		0, 0);
	listen_to(&sccrp);
	cr_assert_neq(sccrp.assigned_tunnel_id, 0);
	w.tunnel.id = sccrp.assigned_tunnel_id;
	say((struct l2tp_msg){ .type = L2TP_SCCCN }, 1, 1);
	w.tunnel.ns = w.tunnel.acknowledged = 2;
	w.tunnel.nr = 1;
	w.stopped = false;
}

static uint64_t delivered(void)
{
	const struct l2tp_counters *counters = l2tp_server_counters(w.server);

	return counters->taken + counters->refused + counters->ignored;
}

static const char *state(void)
{
	struct l2tp_tunnel *tunnel = l2tp_tunnel_find(w.server, w.tunnel.id);
	struct l2tp_tunnel_info info = { .state = "gone" };

	if (tunnel)
		l2tp_tunnel_info(tunnel, &info);
	return info.state;
}

/* Sends one packet and compares what it did with what was expected of it. */
static enum mutate_effect exchange(struct rng *rng, unsigned int number)
{
	struct mutate_tunnel before = w.tunnel;
	uint8_t packet[MUTATE_PACKET_MAX];
	struct mutate_view view;
	size_t len = mutate_packet(rng, &w.tunnel, &secret, packet);
	uint64_t count = delivered();

	mutate_tunnel_judge(&w.tunnel, &secret, packet, len, &view);
	if (view.effect == MUTATE_OPENING)
		return view.effect;
	if (view.effect == MUTATE_FATAL) {
		mutate_set_sequence(packet, w.tunnel.ns, w.tunnel.nr);
		view.ns = w.tunnel.ns;
	}
	l2tp_server_input(w.server, &w.path, packet, len);
	mutate_tunnel_sent(&w.tunnel, &view);
	count = delivered() - count;
	cr_assert_eq(count, (uint16_t)(w.tunnel.ns - before.ns),
		"packet %u: %llu messages delivered, Ns was %u and should be %u now", number,
		(unsigned long long)count, before.ns, w.tunnel.ns);
	if (view.effect != MUTATE_FATAL)
		return view.effect;
	cr_assert_str_neq(state(), "established", "packet %u: type %u, verdict %d", number,
		view.type, view.verdict);
	env_fake_advance(w.env, ENV_MS(20)); /* acknowledgements */
	listen_to(NULL);
	return view.effect;
}

Test(mutate, it_knows_what_it_does)
{
	static const struct l2tp_settings settings = {
		.host_name = "lns", .vendor_name = "lnsd", .setup_timeout = ENV_SEC(600)
	};
	unsigned int effects[4] = { 0 }, unexpected = 0;
	struct rng rng;

	log_set_level(LOG_LEVEL_ERROR);
	w.env = env_fake_new();
	cr_assert_eq(l2tp_server_new(w.env, &settings, &ops, NULL, &w.server), 0);
	addr_parse("198.51.100.7", 1701, &w.path.peer);
	addr_parse("198.51.100.1", 1701, &w.path.local);
	rng_seed(&rng, 42);
	open_tunnel();
	for (unsigned int i = 0; i < PACKETS; i++) {
		enum mutate_effect effect = exchange(&rng, i);

		effects[effect]++;
		env_fake_advance(w.env, ENV_MS(20));
		listen_to(NULL);
		unexpected += w.stopped && effect != MUTATE_FATAL;
		if (w.stopped || effect == MUTATE_FATAL)
			open_tunnel();
	}
	cr_assert_gt(effects[MUTATE_REACHED] + effects[MUTATE_FATAL], PACKETS * 8 / 10);
	cr_assert_gt(l2tp_server_counters(w.server)->calls_up, PACKETS / 50);
	cr_assert_eq(unexpected, 0);
	l2tp_server_free(w.server);
	env_fake_free(w.env);
}
