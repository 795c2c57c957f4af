/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ppp: LCP between the client and an LNS like pppd, on a line that loses, doubles and reorders packets and
 * holds them back for longer than either side waits. Whatever the order, the client never takes a link for
 * open on which it was not asked to authenticate; and once the line is good, both are open.
 *
 * The LNS is the automaton of RFC 1661 section 4.1 as far as it gets here, with what pppd does where the RFC
 * leaves a choice: a request is repeated under its identifier, and a second Ack to one is passed over.
 */
#include "tests/unit/load/pair.h"

#include <criterion/criterion.h>
#include <string.h>

#define WALKS       20000
#define STEPS       30
#define CALM_ROUNDS 20

enum lns_state { REQ_SENT, ACK_RECEIVED, ACK_SENT, OPENED };

struct packet {
	uint8_t len;
	uint8_t data[48];
};

/* Packets under way in one direction. */
struct way {
	struct packet packets[64];
	unsigned int count;
};

struct lns {
	enum lns_state state;
	uint8_t id;
	bool answered; /* the request under id */
};

static struct pair pair;
static struct lns lns;
static struct way to_lns, to_client;
static struct rng dice;

static void way_put(struct way *way, const uint8_t *data, size_t len)
{
	struct packet *packet = &way->packets[way->count++];

	cr_assert_leq(way->count, sizeof(way->packets) / sizeof(way->packets[0]));
	cr_assert_leq(len, sizeof(packet->data));
	packet->len = (uint8_t)len;
	memcpy(packet->data, data, len);
}

static struct packet way_take(struct way *way)
{
	struct packet first = way->packets[0];

	way->count--;
	memmove(way->packets, way->packets + 1, way->count * sizeof(first));
	return first;
}

static void lns_request(bool again)
{
	static const uint8_t options[] = { 3, 5, 0xc2, 0x23, 5, 5, 6, 1, 2, 3, 4 };
	uint8_t data[PPP_HEADER + sizeof(options)] = { FSM_CONFREQ, 0, 0, sizeof(data) };

	if (!again)
		lns.id++;
	lns.answered = false;
	data[1] = lns.id;
	memcpy(data + PPP_HEADER, options, sizeof(options));
	way_put(&to_client, data, sizeof(data));
}

static void lns_restart(void)
{
	lns_request(false);
	lns.state = REQ_SENT;
}

static void lns_receives(struct packet packet)
{
	if (packet.data[0] == FSM_CONFREQ) {
		if (lns.state == OPENED)
			lns_restart();
		packet.data[0] = FSM_CONFACK;
		way_put(&to_client, packet.data, packet.len);
		lns.state = lns.state == ACK_RECEIVED ? OPENED : ACK_SENT;
	} else if (packet.data[0] == FSM_CONFACK && packet.data[1] == lns.id && !lns.answered) {
		if (lns.state == REQ_SENT)
			lns.state = ACK_RECEIVED;
		else if (lns.state == ACK_SENT)
			lns.state = OPENED;
		else
			lns_restart();
		lns.answered = true;
	}
}

static void lns_waited(void)
{
	if (lns.state == OPENED)
		return;
	lns_request(true);
	if (lns.state == ACK_RECEIVED)
		lns.state = REQ_SENT;
}

/* What the client has sent by now is under way. */
static void collect(void)
{
	while (pair.read_count != pair.sent_count) {
		const struct pair_packet *packet = pair_next(&pair);

		if (packet->protocol == PPP_LCP)
			way_put(&to_lns, packet->data, packet->len);
	}
}

static void client_receives(struct packet packet)
{
	pair_send(&pair, PPP_LCP, packet.data[0], packet.data[1], packet.data + PPP_HEADER,
		packet.len - PPP_HEADER);
}

static bool fault(struct way *way)
{
	struct packet swapped;

	switch (rng_below(&dice, 3)) {
	case 0:
		(void)way_take(way);
		return true;
	case 1:
		if (way->count < 16)
			way_put(way, way->packets[0].data, way->packets[0].len);
		return true;
	default:
		if (way->count < 2)
			return false;
		swapped = way->packets[0];
		way->packets[0] = way->packets[1];
		way->packets[1] = swapped;
		return true;
	}
}

static void step(void)
{
	struct way *way = rng_below(&dice, 2) ? &to_lns : &to_client;

	switch (rng_below(&dice, 8)) {
	case 0:
		if (to_client.count < 16)
			lns_waited();
		break;
	case 1:
		if (to_lns.count < 16)
			env_fake_advance(pair.env, pair.settings.retry);
		break;
	case 2:
		if (way->count)
			fault(way);
		break;
	default:
		if (way == &to_lns && to_lns.count)
			lns_receives(way_take(&to_lns));
		else if (way == &to_client && to_client.count)
			client_receives(way_take(&to_client));
	}
	collect();
}

static void check(unsigned int walk)
{
	cr_assert_str_empty(pair.reason, "walk %u: %s", walk, pair.reason);
	if (pair.ppp.lcp.state == FSM_OPENED)
		cr_assert_eq(pair.ppp.auth, PPP_AUTH_CHAP, "walk %u: opened without authentication",
			walk);
}

static bool both_open(void)
{
	return lns.state == OPENED && pair.ppp.lcp.state == FSM_OPENED;
}

static void walk(unsigned int number)
{
	rng_seed(&dice, number);
	lns = (struct lns){ 0 };
	to_lns.count = to_client.count = 0;
	pair.sent_count = pair.read_count = 0;
	ppp_start(&pair.ppp, "alice", "wonderland");
	/* Either may be the first to speak. */
	if (rng_below(&dice, 2))
		ppp_open(&pair.ppp);
	else
		ppp_listen(&pair.ppp);
	lns_request(false);
	collect();
	for (unsigned int i = 0; i < STEPS; i++) {
		step();
		check(number);
	}
	for (unsigned int i = 0; i < CALM_ROUNDS && !both_open(); i++) {
		while (to_lns.count || to_client.count) {
			if (to_lns.count)
				lns_receives(way_take(&to_lns));
			else
				client_receives(way_take(&to_client));
			collect();
			check(number);
		}
		if (both_open())
			break;
		lns_waited();
		env_fake_advance(pair.env, pair.settings.retry);
		collect();
	}
	cr_assert(both_open(), "walk %u: LNS %d, client %d", number, lns.state, pair.ppp.lcp.state);
}

Test(crossing, authentication_is_never_missed)
{
	pair_init(&pair);
	pair.settings.auth = PPP_AUTH_CHAP;
	pair.settings.auth_required = true;
	pair.settings.tries = 1000;
	pair_begin(&pair);
	for (unsigned int number = 1; number <= WALKS; number++)
		walk(number);
	pair_fini(&pair);
}
