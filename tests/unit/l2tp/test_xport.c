/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reliable delivery: RFC 2661 section 5.8 and Appendix A. The transport alone, with what it transmits
 * written down as "Ns/Nr", a ZLB as "z/Nr".
 */
#include "lns/l2tp/l2tp.h"
#include "lns/l2tp/xport.h"
#include "tests/unit/env_fake.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct env *env;
static struct xport xport;
static struct l2tp_counters counters;
static char wire[4096];
static unsigned int lost, hellos, drained;
static uint16_t seen_ns, seen_nr;

static void on_transmit(void *ctx, const uint8_t *packet, size_t len)
{
	size_t used = strlen(wire);
	unsigned int ns = (unsigned int)(packet[8] << 8 | packet[9]);
	unsigned int nr = (unsigned int)(packet[10] << 8 | packet[11]);

	(void)ctx;
	if (len == 12) {
		cr_assert_eq(packet[4] << 8 | packet[5], 0x1234);
		snprintf(wire + used, sizeof(wire) - used, "%sz/%u", used ? " " : "", nr);
	} else {
		snprintf(wire + used, sizeof(wire) - used, "%s%u/%u", used ? " " : "", ns, nr);
	}
}

static void on_lost(void *ctx)
{
	(void)ctx;
	lost++;
	xport_abandon(&xport);
}

static void on_hello(void *ctx)
{
	(void)ctx;
	hellos++;
}

static void on_drained(void *ctx)
{
	(void)ctx;
	drained++;
}

static void on_moved(void *ctx, uint16_t ns, uint16_t nr)
{
	(void)ctx;
	seen_ns = ns;
	seen_nr = nr;
}

static const struct xport_ops ops = {
	.transmit = on_transmit,
	.lost = on_lost,
	.hello = on_hello,
	.drained = on_drained,
	.moved = on_moved,
};

static void start(uint16_t window)
{
	struct xport_limits limits = {
		.window = window,
		.retransmits = 5,
		.retransmit_cap = ENV_SEC(8),
	};

	xport_fini(&xport);
	cr_assert_eq(xport_init(&xport, env, &limits, &ops, NULL, &counters), 0);
	xport_set_peer(&xport, 0x1234, 8);
}

static void setup(void)
{
	env = env_fake_new();
	start(10);
}

static void teardown(void)
{
	xport_fini(&xport);
	env_fake_free(env);
}

TestSuite(xport, .init = setup, .fini = teardown);

static void expect(const char *packets)
{
	cr_assert_str_eq(wire, packets);
	wire[0] = '\0';
}

static void send_some(unsigned int count)
{
	static const uint8_t message[20] = { 0xc8, 2, 0, 20 };

	while (count--)
		cr_assert_eq(xport_send(&xport, message, sizeof(message)), 0);
}

/* A message, or with zlb an acknowledgement, arrives. */
static enum xport_verdict arrive(uint16_t ns, uint16_t nr, bool zlb)
{
	uint8_t data[20] = { 0 };
	struct l2tp_header header = { .ns = ns, .nr = nr };

	data[12] = (uint8_t)ns;
	return xport_receive(&xport, &header, zlb, data, sizeof(data));
}

static void acked(uint16_t nr)
{
	cr_assert_eq(arrive(0, nr, true), XPORT_NOTHING);
}

/* --- receiving --- */

Test(xport, messages_in_order_are_delivered)
{
	for (uint16_t ns = 0; ns < 4; ns++) {
		cr_assert_eq(arrive(ns, 0, false), XPORT_DELIVER);
		cr_assert_eq(seen_nr, ns + 1);
		xport_settle(&xport);
	}
	expect("");
	env_fake_advance(env, ENV_MS(10));
	expect("z/4");
	env_fake_advance(env, ENV_SEC(100));
	expect("");
}

Test(xport, half_a_window_is_acknowledged_at_once)
{
	for (uint16_t ns = 0; ns < 5; ns++) {
		arrive(ns, 0, false);
		xport_settle(&xport);
	}
	expect("z/5");
}

Test(xport, an_answer_carries_the_acknowledgement)
{
	arrive(0, 0, false);
	send_some(1);
	xport_settle(&xport);
	expect("0/1");
	acked(1);
	env_fake_advance(env, ENV_SEC(1));
	expect("");
}

Test(xport, an_acknowledgement_is_not_acknowledged)
{
	acked(0);
	xport_settle(&xport);
	env_fake_advance(env, ENV_SEC(1));
	expect("");
}

Test(xport, a_duplicate_is_acknowledged_and_not_delivered)
{
	arrive(0, 0, false);
	env_fake_advance(env, ENV_MS(10));
	expect("z/1");
	cr_assert_eq(arrive(0, 0, false), XPORT_DUPLICATE);
	env_fake_advance(env, ENV_MS(10));
	expect("z/1");
	cr_assert_eq(counters.duplicates, 1);
}

Test(xport, duplicates_reach_half_way_round)
{
	cr_assert_eq(arrive(65535, 0, false), XPORT_DUPLICATE);
	cr_assert_eq(arrive(32768, 0, false), XPORT_DUPLICATE);
	cr_assert_eq(arrive(32767, 0, false), XPORT_DISCARD);
}

Test(xport, early_messages_wait_for_their_turn)
{
	struct xport_packet *packet;

	cr_assert_eq(arrive(2, 0, false), XPORT_EARLY);
	cr_assert_eq(arrive(1, 0, false), XPORT_EARLY);
	cr_assert_eq(arrive(1, 0, false), XPORT_DUPLICATE);
	cr_assert_null(xport_take(&xport));
	cr_assert_eq(counters.out_of_order, 2);
	cr_assert_eq(arrive(0, 0, false), XPORT_DELIVER);
	for (uint8_t n = 1; n <= 2; n++) {
		packet = xport_take(&xport);
		cr_assert_not_null(packet);
		cr_assert_eq(packet->data[12], n);
		cr_assert_eq(packet->ns, n);
		free(packet);
	}
	cr_assert_null(xport_take(&xport));
	env_fake_advance(env, ENV_MS(10));
	expect("z/3");
}

Test(xport, beyond_the_window_is_discarded)
{
	cr_assert_eq(arrive(10, 0, false), XPORT_DISCARD);
	cr_assert_eq(arrive(9, 0, false), XPORT_EARLY);
	env_fake_advance(env, ENV_MS(10));
	expect("z/0");
}

Test(xport, a_huge_early_message_is_not_kept)
{
	static uint8_t huge[XPORT_EARLY_MAX + 1];
	struct l2tp_header header = { .ns = 1 };

	cr_assert_eq(xport_receive(&xport, &header, false, huge, sizeof(huge)), XPORT_DISCARD);
	cr_assert_eq(xport_receive(&xport, &header, false, huge, sizeof(huge) - 1), XPORT_EARLY);
}

Test(xport, numbers_wrap_both_ways)
{
	for (unsigned int n = 0; n < 70000; n++) {
		uint16_t ns = (uint16_t)n;

		/* the second of each pair comes first */
		cr_assert_eq(arrive((uint16_t)(ns + 1), ns, false), XPORT_EARLY);
		cr_assert_eq(arrive(ns, ns, false), XPORT_DELIVER);
		free(xport_take(&xport));
		n++;
		send_some(2);
		acked((uint16_t)(ns + 1));
		acked((uint16_t)(ns + 2));
		xport_settle(&xport);
		wire[0] = '\0';
	}
	cr_assert_eq(counters.retransmissions, 0);
	cr_assert_eq(xport.ns, (uint16_t)70000);
	cr_assert_eq(xport.nr, (uint16_t)70000);
	cr_assert_eq(xport.queued, 0);
}

Test(xport, an_acknowledgement_of_the_future_is_discarded)
{
	send_some(1);
	cr_assert_eq(arrive(0, 2, false), XPORT_DISCARD);
	cr_assert_eq(arrive(0, 65535, false), XPORT_DELIVER); /* an old one says nothing new */
	cr_assert_eq(xport.queued, 1);
}

/* --- sending --- */

Test(xport, slow_start_and_the_peers_window)
{
	xport_set_peer(&xport, 0x1234, 4);
	send_some(12);
	expect("0/0");
	acked(1);
	expect("1/0 2/0");
	acked(3);
	expect("3/0 4/0 5/0 6/0");
	acked(4);
	expect("7/0"); /* never more than four on their way */
	acked(8);
	expect("8/0 9/0 10/0 11/0");
	acked(12);
	cr_assert_eq(drained, 1);
}

Test(xport, congestion_avoidance_after_a_loss)
{
	send_some(8);
	acked(1);
	acked(3);
	acked(7);
	acked(8);
	wire[0] = '\0';
	cr_assert_eq(xport.cwnd, 8);
	send_some(8);
	expect("8/0 9/0 10/0 11/0 12/0 13/0 14/0 15/0");
	env_fake_advance(env, ENV_SEC(1));
	expect("8/0");
	cr_assert_eq(xport.ssthresh, 4);
	acked(9); /* the peer threw the rest away: it goes out again, without a timeout */
	expect("9/0 10/0");
	acked(11);
	expect("11/0 12/0 13/0 14/0");
	acked(12); /* from here on one more per window */
	cr_assert_eq(xport.cwnd, 4);
	acked(15);
	cr_assert_eq(xport.cwnd, 5);
	acked(16);
	cr_assert_eq(xport.queued, 0);
	cr_assert_eq(drained, 2);
}

Test(xport, what_the_peer_kept_is_not_sent_again)
{
	send_some(8);
	acked(1);
	acked(3);
	expect("0/0 1/0 2/0 3/0 4/0 5/0 6/0");
	env_fake_advance(env, ENV_SEC(1));
	expect("3/0");
	acked(7); /* 4, 5 and 6 had arrived */
	expect("7/0");
}

Test(xport, three_repetitions_prove_a_loss)
{
	send_some(8);
	acked(1);
	acked(3);
	wire[0] = '\0';
	acked(3);
	acked(3);
	expect("");
	acked(3);
	expect("3/0");
	acked(3);
	expect("");
	acked(7);
	expect("7/0");
}

Test(xport, retransmission_intervals_and_giving_up)
{
	static const unsigned int intervals[] = { 1, 2, 4, 8, 8 };

	send_some(1);
	expect("0/0");
	for (unsigned int n = 0; n < 5; n++) {
		env_fake_advance(env, ENV_SEC(intervals[n]) - 1);
		expect("");
		env_fake_advance(env, 1);
		expect("0/0");
	}
	env_fake_advance(env, ENV_SEC(8) - 1);
	cr_assert_eq(lost, 0);
	env_fake_advance(env, 1);
	cr_assert_eq(lost, 1);
	expect("");
	cr_assert_eq(counters.given_up, 1);
	cr_assert_eq(counters.retransmissions, 5);
	env_fake_advance(env, ENV_SEC(1000));
	expect("");
	cr_assert_eq(xport_cycle(&xport.limits), ENV_SEC(31));
}

Test(xport, the_cap_is_configurable)
{
	xport.limits.retransmit_cap = ENV_SEC(20);
	cr_assert_eq(xport_cycle(&xport.limits), ENV_SEC(1 + 2 + 4 + 8 + 16 + 20));
	xport.limits.retransmits = 100;
	cr_assert_eq(xport_cycle(&xport.limits), ENV_SEC(31 + 96 * 20));
}

Test(xport, progress_starts_the_interval_anew)
{
	send_some(2);
	env_fake_advance(env, ENV_SEC(1) + ENV_SEC(2));
	expect("0/0 0/0 0/0");
	acked(1);
	expect("1/0");
	env_fake_advance(env, ENV_SEC(1) - 1);
	expect("");
	env_fake_advance(env, 1);
	expect("1/0");
}

Test(xport, a_retransmission_carries_the_current_nr)
{
	send_some(1);
	expect("0/0");
	arrive(0, 0, false);
	env_fake_advance(env, ENV_MS(10));
	expect("z/1");
	env_fake_advance(env, ENV_SEC(1));
	expect("0/1");
}

Test(xport, hello_after_silence_only)
{
	xport_set_hello(&xport, ENV_SEC(60));
	env_fake_advance(env, ENV_SEC(40));
	acked(0); /* any valid message is a sign of life */
	env_fake_advance(env, ENV_SEC(59));
	cr_assert_eq(hellos, 0);
	env_fake_advance(env, ENV_SEC(1));
	cr_assert_eq(hellos, 1);
	/* none while something is on its way: that asks already */
	xport.limits.retransmits = 30;
	send_some(1);
	env_fake_advance(env, ENV_SEC(120));
	cr_assert_eq(hellos, 1);
	xport_set_hello(&xport, 0);
	acked(1);
	env_fake_advance(env, ENV_SEC(1000));
	cr_assert_eq(hellos, 1);
}

Test(xport, unsent_messages_can_be_dropped)
{
	send_some(5);
	acked(1);
	expect("0/0 1/0 2/0");
	env_fake_advance(env, ENV_SEC(1));
	expect("1/0"); /* 2 waits to be sent again, 3 and 4 were never sent */
	xport_drop_unsent(&xport);
	cr_assert_eq(xport.queued, 2);
	send_some(1); /* takes the number after the last one that went out */
	acked(2);
	expect("2/0 3/0");
	acked(4);
	cr_assert_eq(xport.queued, 0);
	cr_assert_eq(seen_ns, 4);
}

Test(xport, an_absent_window_is_four)
{
	xport_set_peer(&xport, 0x1234, 0);
	cr_assert_eq(xport.peer_window, 4);
}

/* Two transports over a line that loses, repeats and reorders: everything arrives once and in order. */
struct end {
	struct xport xport;
	struct end *other;
	unsigned int sent, received;
};

static struct transit {
	struct end *to;
	size_t len;
	uint8_t data[64];
} line[4096];
static unsigned int on_line;

static void end_transmit(void *ctx, const uint8_t *packet, size_t len)
{
	struct end *end = ctx;
	unsigned int copies, dice;

	env_random(env, &dice, sizeof(dice));
	copies = dice % 100 < 30 ? 0 : dice % 100 < 40 ? 2 : 1;
	while (copies--) {
		cr_assert_lt(on_line, 4096);
		line[on_line].to = end->other;
		line[on_line].len = len;
		memcpy(line[on_line++].data, packet, len);
	}
}

static void end_lost(void *ctx)
{
	(void)ctx;
	cr_assert_fail("given up");
}

static void take_in_order(struct end *end, const uint8_t *data)
{
	unsigned int number = (unsigned int)(data[12] << 8 | data[13]);

	cr_assert_eq(number, end->received & 0xffff);
	end->received++;
}

static void deliver_one(void)
{
	static const struct l2tp_header none;
	struct l2tp_header header = none;
	struct xport_packet *early;
	struct transit packet;
	unsigned int pick;

	env_random(env, &pick, sizeof(pick));
	pick %= on_line;
	packet = line[pick];
	line[pick] = line[--on_line];
	header.ns = (uint16_t)(packet.data[8] << 8 | packet.data[9]);
	header.nr = (uint16_t)(packet.data[10] << 8 | packet.data[11]);
	if (xport_receive(&packet.to->xport, &header, packet.len == 12, packet.data, packet.len) ==
		XPORT_DELIVER) {
		take_in_order(packet.to, packet.data);
		while ((early = xport_take(&packet.to->xport))) {
			take_in_order(packet.to, early->data);
			free(early);
		}
	}
	xport_settle(&packet.to->xport);
}

Test(xport, a_bad_line_loses_nothing)
{
	static const struct xport_ops end_ops = { .transmit = end_transmit, .lost = end_lost };
	struct xport_limits limits = {
		.window = 16, .retransmits = 40, .retransmit_cap = ENV_SEC(8)
	};
	static struct end a, b;
	struct end *ends[] = { &a, &b };
	unsigned int total = 2000;

	a.other = &b;
	b.other = &a;
	for (unsigned int n = 0; n < 2; n++) {
		cr_assert_eq(
			xport_init(&ends[n]->xport, env, &limits, &end_ops, ends[n], &counters), 0);
		xport_set_peer(&ends[n]->xport, 1, 16);
	}
	while (a.received < total || b.received < total) {
		for (unsigned int n = 0; n < 2; n++) {
			uint8_t data[20] = { 0xc8, 2, 0, 20 };

			if (ends[n]->sent >= total)
				continue;
			data[12] = (uint8_t)(ends[n]->sent >> 8);
			data[13] = (uint8_t)ends[n]->sent;
			ends[n]->sent++;
			cr_assert_eq(xport_send(&ends[n]->xport, data, sizeof(data)), 0);
		}
		for (unsigned int n = 0; n < 3 && on_line; n++)
			deliver_one();
		env_fake_advance(env, ENV_MS(100));
	}
	cr_assert_gt(counters.retransmissions, 100);
	cr_assert_gt(counters.out_of_order, 100);
	xport_fini(&a.xport);
	xport_fini(&b.xport);
}
