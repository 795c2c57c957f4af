/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to one server: what goes out and when, limits, outcomes, cancelling.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "radius/attr_codes.h"
#include "tests/unit/radius/one_server.h"

TestSuite(client, .init = one_setup, .fini = one_teardown);

Test(client, accept)
{
	struct fake_packet packet;
	struct result result;

	one_ask(RADIUS_ACCESS_REQUEST, &result);
	cr_expect_eq(one_info().in_flight, 1);
	one_take(&packet);
	cr_expect_eq(packet.octets[0], RADIUS_ACCESS_REQUEST);
	cr_expect_eq(packet.octets[20], RADIUS_MESSAGE_AUTHENTICATOR);
	fake_advance(&fake, FAKE_MS(8));
	one_answer(&packet, RADIUS_ACCESS_ACCEPT, "testing123", FAKE_SIGNED);
	cr_expect_eq(result.calls, 1);
	cr_expect_eq(result.outcome, RADIUS_ANSWERED);
	cr_expect_eq(result.code, RADIUS_ACCESS_ACCEPT);
	cr_expect_str_eq(result.text, "hi");
	cr_expect_str_eq(result.server, one_info().name);
	cr_expect_eq(one_info().requests, 1);
	cr_expect_eq(one_info().accepts, 1);
	cr_expect_eq(one_info().in_flight, 0);
	cr_expect_eq(one_info().latency, FAKE_MS(8));
	fake_advance(&fake, FAKE_SEC(100));
	cr_expect_eq(result.calls, 1);
}

Test(client, reject_and_challenge)
{
	struct fake_packet packet;
	struct result result;

	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCESS_REJECT, "testing123", FAKE_SIGNED);
	cr_expect_eq(result.code, RADIUS_ACCESS_REJECT);
	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCESS_CHALLENGE, "testing123", FAKE_SIGNED);
	cr_expect_eq(result.code, RADIUS_ACCESS_CHALLENGE);
	cr_expect_eq(one_info().rejects, 1);
	cr_expect_eq(one_info().challenges, 1);
}

/* 2 s, 4 s and 8 s, each a tenth more or less; always the same octets from the same port. */
Test(client, retransmissions_are_identical)
{
	struct fake_packet first, again;
	struct result result;

	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&first);
	fake_advance(&fake, FAKE_MS(1799));
	cr_expect_eq(fake_server_drain(&server), 0);
	fake_advance(&fake, FAKE_MS(402));
	one_take(&again);
	cr_expect_eq(again.len, first.len);
	cr_expect_arr_eq(again.octets, first.octets, first.len);
	cr_expect_arr_eq(&again.from, &first.from, sizeof(struct sockaddr_in));
	fake_advance(&fake, FAKE_MS(5000));
	one_take(&again);
	cr_expect_arr_eq(again.octets, first.octets, first.len);
	fake_advance(&fake, FAKE_MS(6000));
	cr_expect_eq(result.calls, 0);
	fake_advance(&fake, FAKE_MS(4000));
	cr_expect_eq(fake_server_drain(&server), 0);
	cr_expect_eq(result.calls, 1);
	cr_expect_eq(result.outcome, RADIUS_TIMEOUT);
	cr_expect_str_eq(result.server, one_info().name);
	cr_expect_eq(one_info().requests, 1);
	cr_expect_eq(one_info().retransmissions, 2);
	cr_expect_eq(one_info().timeouts, 3);
	cr_expect_eq(one_info().in_flight, 0);
}

Test(client, waits_are_capped_at_16_seconds)
{
	struct result result;

	one_remake((struct radius_client_config){ .timeout = FAKE_SEC(10), .tries = 4 },
		RADIUS_MA_AUTO);
	one_ask(RADIUS_ACCESS_REQUEST, &result);
	fake_advance(&fake, FAKE_MS(52000)); /* at least 9 + 3 * 14.4 */
	cr_expect_eq(one_info().retransmissions, 3);
	cr_expect_eq(result.calls, 0);
	fake_advance(&fake, FAKE_MS(12000)); /* at most 11 + 3 * 17.6 */
	cr_expect_eq(result.outcome, RADIUS_TIMEOUT);
}

Test(client, accounting_is_renewed)
{
	struct fake_packet first, second, third;
	struct result result;

	fake_advance(&fake, FAKE_SEC(1));
	one_ask(RADIUS_ACCOUNTING_REQUEST, &result);
	one_take(&first);
	fake_advance(&fake, FAKE_MS(2201));
	one_take(&second);
	fake_advance(&fake, FAKE_MS(5000));
	one_take(&third);
	cr_expect_neq(first.octets[1], second.octets[1]);
	cr_expect_neq(second.octets[1], third.octets[1]);
	cr_expect_eq(fake_packet_u32(&first, RADIUS_ACCT_DELAY_TIME), 0);
	cr_expect_geq(fake_packet_u32(&second, RADIUS_ACCT_DELAY_TIME), 1);
	cr_expect_geq(fake_packet_u32(&third, RADIUS_ACCT_DELAY_TIME), 5);
	cr_expect_eq(fake_packet_u32(&first, RADIUS_EVENT_TIMESTAMP), 1700000001);
	cr_expect_eq(fake_packet_u32(&third, RADIUS_EVENT_TIMESTAMP), 1700000001);
	/* The record is the same: an answer to any of them is good. */
	one_answer(&first, RADIUS_ACCOUNTING_RESPONSE, "testing123", 0);
	cr_expect_eq(result.outcome, RADIUS_ANSWERED);
	cr_expect_eq(one_info().responses, 1);
	one_answer(&third, RADIUS_ACCOUNTING_RESPONSE, "testing123", 0);
	cr_expect_eq(result.calls, 1);
	cr_expect_eq(one_info().wrong_ids, 1);
}

/* RFC 2866 section 3: contents that are the same have the same identifier, so that a server knows them again. */
Test(client, accounting_within_a_second_is_identical)
{
	struct fake_packet first, again;
	struct result result;

	one_remake((struct radius_client_config){ .timeout = FAKE_MS(100), .tries = 5 },
		RADIUS_MA_AUTO);
	fake_advance(&fake, FAKE_SEC(1));
	one_ask(RADIUS_ACCOUNTING_REQUEST, &result);
	one_take(&first);
	for (unsigned int i = 1; i <= 3; i++) {
		fake_advance(&fake, i * FAKE_MS(150)); /* tries go out at 0.1, 0.3 and 0.7 s */
		one_take(&again);
		cr_expect_eq(again.len, first.len);
		cr_expect_arr_eq(again.octets, first.octets, first.len);
	}
	fake_advance(&fake, FAKE_SEC(1));
	one_take(&again);
	cr_expect_neq(again.octets[1], first.octets[1]);
	cr_expect_eq(fake_packet_u32(&again, RADIUS_ACCT_DELAY_TIME), 1);
	one_answer(&first, RADIUS_ACCOUNTING_RESPONSE, "testing123", 0);
	cr_expect_eq(result.outcome, RADIUS_ANSWERED);
	cr_expect_eq(one_info().retransmissions, 4);
	cr_expect_eq(one_info().latency, 0, "which one was answered nobody knows");
}

Test(client, old_accounting_event)
{
	struct radius_attrs *attrs = radius_attrs_new();
	struct fake_packet packet;
	struct result result = { 0 };

	radius_send(client, RADIUS_ACCOUNTING_REQUEST, attrs, fake.wallclock - FAKE_SEC(3600),
		one_done, &result);
	one_take(&packet);
	cr_expect_eq(fake_packet_u32(&packet, RADIUS_ACCT_DELAY_TIME), 3600);
	cr_expect_eq(fake_packet_u32(&packet, RADIUS_EVENT_TIMESTAMP), 1700000000 - 3600);
	/* From the future, when the clock was set back. */
	radius_send(client, RADIUS_ACCOUNTING_REQUEST, attrs, fake.wallclock + FAKE_SEC(9),
		one_done, &result);
	one_take(&packet);
	cr_expect_eq(fake_packet_u32(&packet, RADIUS_ACCT_DELAY_TIME), 0);
	radius_attrs_free(attrs);
}

Test(client, in_flight_limit)
{
	struct result results[3];
	struct fake_packet packets[3];

	one_remake((struct radius_client_config){ .in_flight = 2 }, RADIUS_MA_AUTO);
	one_ask(RADIUS_ACCESS_REQUEST, &results[0]);
	one_ask(RADIUS_ACCESS_REQUEST, &results[1]);
	one_ask(RADIUS_ACCESS_REQUEST, &results[2]);
	cr_expect_eq(one_info().in_flight, 2);
	cr_expect_eq(one_info().waiting, 1);
	one_take(&packets[0]);
	one_take(&packets[1]);
	cr_expect_not(fake_server_take(&server, &packets[2]));
	fake_server_answer(&server, &packets[1], RADIUS_ACCESS_ACCEPT);
	fake_io(&fake);
	cr_expect_eq(results[1].calls, 1);
	one_take(&packets[2]);
	cr_expect_eq(one_info().waiting, 0);
	cr_expect_eq(one_info().in_flight, 2);
}

Test(client, waiting_too_long)
{
	struct result results[2];
	struct fake_packet packet;

	one_remake((struct radius_client_config){ .in_flight = 1, .timeout = FAKE_SEC(40) },
		RADIUS_MA_AUTO);
	one_ask(RADIUS_ACCESS_REQUEST, &results[0]);
	one_ask(RADIUS_ACCESS_REQUEST, &results[1]);
	fake_advance(&fake, FAKE_SEC(31));
	cr_expect_eq(results[1].outcome, RADIUS_TIMEOUT);
	cr_expect_eq(results[1].calls, 1);
	cr_expect_eq(results[0].calls, 0);
	one_take(&packet);
	cr_expect_eq(fake_server_drain(&server), 0, "it was sent all the same");
}

/* 1,500 requests need six sockets; and they leave in batches after a stall. */
Test(client, more_than_256_identifiers)
{
	static struct result results[1500];
	struct fake_packet packet;
	unsigned int i, answered = 0;

	one_remake((struct radius_client_config){ .in_flight = 1500 }, RADIUS_MA_AUTO);
	for (i = 0; i < 1500; i++) {
		one_ask(RADIUS_ACCESS_REQUEST, &results[i]);
		if (i % 100 == 99)
			while (fake_server_take(&server, &packet)) {
				if (i % 200 == 99)
					continue; /* lost: every second hundred */
				fake_server_answer(&server, &packet, RADIUS_ACCESS_ACCEPT);
			}
	}
	fake_io(&fake);
	cr_expect_eq(one_info().accepts, 700);
	cr_expect_eq(one_info().in_flight, 800);
	fake_advance(&fake, FAKE_MS(2201));
	while (fake_server_take(&server, &packet)) {
		fake_server_answer(&server, &packet, RADIUS_ACCESS_ACCEPT);
		fake_io(&fake);
	}
	fake_advance(&fake, FAKE_SEC(60));
	for (i = 0; i < 1500; i++)
		answered += results[i].outcome == RADIUS_ANSWERED && results[i].calls == 1;
	cr_expect_gt(answered, 900, "%u", answered);
	cr_expect_eq(one_info().in_flight, 0);
	for (i = 0; i < 1500; i++)
		cr_expect_eq(results[i].calls, 1);
}

Test(client, pace)
{
	static struct result results[300];
	unsigned int i, at_once;

	one_remake((struct radius_client_config){ .rate = 100 }, RADIUS_MA_AUTO);
	for (i = 0; i < 300; i++)
		one_ask(RADIUS_ACCESS_REQUEST, &results[i]);
	at_once = fake_server_drain(&server);
	cr_expect_leq(at_once, 7, "%u", at_once);
	fake_advance(&fake, FAKE_SEC(1));
	cr_expect_eq(fake_server_drain(&server), 100);
}

/* All that go at once when a hundred time out still fit the window, and none is forgotten. */
Test(client, pump_in_batches)
{
	static struct result results[200];
	unsigned int i;

	one_remake(
		(struct radius_client_config){
			.in_flight = 100, .timeout = FAKE_SEC(1), .tries = 1 },
		RADIUS_MA_AUTO);
	for (i = 0; i < 200; i++)
		one_ask(RADIUS_ACCESS_REQUEST, &results[i]);
	cr_expect_eq(fake_server_drain(&server), 100);
	fake_advance(&fake, FAKE_MS(1101));
	cr_expect_eq(fake_server_drain(&server), 100);
	cr_expect_eq(one_info().waiting, 0);
}

Test(client, too_large)
{
	struct radius_attrs *attrs = radius_attrs_new();
	uint8_t octets[253] = { 'x' };
	struct result result = { 0 };
	unsigned int i;

	for (i = 0; i < 17; i++)
		radius_add_octets(attrs, RADIUS_CLASS, octets, sizeof(octets));
	cr_assert(radius_send(client, RADIUS_ACCESS_REQUEST, attrs, 0, one_done, &result));
	cr_expect_eq(result.calls, 0);
	fake_advance(&fake, 0);
	cr_expect_eq(result.outcome, RADIUS_FAILED);
	cr_assert(radius_send(client, RADIUS_ACCESS_REQUEST, attrs, 0, one_done, &result));
	radius_attrs_free(attrs); /* and the client with a request that has failed */
}

Test(client, cancel_in_every_state)
{
	struct radius_attrs *attrs = radius_attrs_new();
	struct radius_request *active, *waiting, *failed;
	struct result results[3];
	struct fake_packet packet;
	uint8_t octets[253] = { 'x' };
	unsigned int i;

	for (i = 0; i < 17; i++)
		radius_add_octets(attrs, RADIUS_CLASS, octets, sizeof(octets));
	one_remake((struct radius_client_config){ .in_flight = 1 }, RADIUS_MA_AUTO);
	failed = radius_send(client, RADIUS_ACCESS_REQUEST, attrs, 0, one_done, &results[2]);
	radius_attrs_free(attrs);
	active = one_ask(RADIUS_ACCESS_REQUEST, &results[0]);
	waiting = one_ask(RADIUS_ACCOUNTING_REQUEST, &results[1]);
	radius_cancel(failed);
	radius_cancel(waiting);
	cr_expect_eq(one_info().waiting, 0);
	waiting = one_ask(RADIUS_ACCOUNTING_REQUEST, &results[1]);
	one_take(&packet);
	radius_cancel(active);
	cr_expect_eq(one_info().in_flight, 0);
	fake_server_answer(&server, &packet, RADIUS_ACCESS_ACCEPT);
	fake_advance(&fake, 0);
	cr_expect_eq(one_info().wrong_ids, 1);
	cr_expect_eq(one_info().in_flight, 1, "the one that waited did not take its place");
	one_take(&packet);
	cr_expect_eq(packet.octets[0], RADIUS_ACCOUNTING_REQUEST);
	fake_advance(&fake, FAKE_SEC(3)); /* while its second try is out */
	radius_cancel(waiting);
	fake_advance(&fake, FAKE_SEC(60));
	cr_expect_eq(results[0].calls + results[1].calls, 0);
}

/* From done: cancel others, send another, and cancel the one that is done (which does nothing). */
static struct radius_request *in_done[2];
static struct result in_done_result;

static void meddle(void *ctx, enum radius_outcome outcome, unsigned int code,
	const struct radius_attrs *reply, const char *name)
{
	one_done(ctx, outcome, code, reply, name);
	radius_cancel(in_done[0]);
	radius_cancel(in_done[1]);
	one_ask(RADIUS_ACCESS_REQUEST, &in_done_result);
}

Test(client, everything_from_done)
{
	struct radius_attrs *attrs = radius_attrs_new();
	struct result result = { 0 }, other;
	struct fake_packet packet, next;

	one_remake((struct radius_client_config){ .in_flight = 1 }, RADIUS_MA_AUTO);
	in_done[0] = radius_send(client, RADIUS_ACCESS_REQUEST, attrs, 0, meddle, &result);
	in_done[1] = one_ask(RADIUS_ACCESS_REQUEST, &other);
	one_take(&packet);
	fake_server_answer(&server, &packet, RADIUS_ACCESS_ACCEPT);
	fake_io(&fake);
	cr_expect_eq(result.calls, 1);
	cr_expect_eq(other.calls, 0);
	one_take(&next);
	fake_server_answer(&server, &next, RADIUS_ACCESS_ACCEPT);
	fake_io(&fake);
	cr_expect_eq(in_done_result.calls, 1);
	radius_attrs_free(attrs);
}

Test(client, source_address)
{
	struct sockaddr_in source = { .sin_family = AF_INET };
	struct radius_client_config config = { 0 };
	struct fake_packet packet;
	struct result result;

	inet_pton(AF_INET, "127.0.0.9", &source.sin_addr);
	memcpy(&config.source, &source, sizeof(source));
	one_remake(config, RADIUS_MA_AUTO);
	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	cr_expect_eq(((struct sockaddr_in *)&packet.from)->sin_addr.s_addr, source.sin_addr.s_addr);

	inet_pton(AF_INET, "192.0.2.77", &source.sin_addr); /* not ours */
	memcpy(&config.source, &source, sizeof(source));
	one_remake(config, RADIUS_MA_AUTO);
	one_ask(RADIUS_ACCESS_REQUEST, &result);
	fake_advance(&fake, 0);
	cr_expect_eq(result.outcome, RADIUS_FAILED);
	cr_expect(strstr(fake.log, "Cannot assign requested address"), "%s", fake.log);
}

/* What a reply sets going takes its time, and others are waiting for the loop. */
Test(client, many_replies_are_taken_a_few_at_a_time)
{
	struct fake_packet packets[20];
	struct result results[20];
	unsigned int before = 0, now;
	bool more;

	for (int i = 0; i < 20; i++) {
		one_ask(RADIUS_ACCESS_REQUEST, &results[i]);
		one_take(&packets[i]);
	}
	for (int i = 0; i < 20; i++)
		fake_server_answer(&server, &packets[i], RADIUS_ACCESS_ACCEPT);
	do {
		more = fake_io_once(&fake);
		now = 0;
		for (int i = 0; i < 20; i++)
			now += results[i].calls;
		cr_expect_leq(now - before, 8);
		before = now;
	} while (more);
	cr_expect_eq(now, 20);
}

Test(client, ipv6)
{
	struct fake_packet packet;
	struct result result;

	fake_server_close(&server);
	if (fake_server_open(&server, "::1", "testing123")) {
		cr_assert_eq(fake_server_open(&server, "127.0.0.1", "testing123"), 0);
		cr_skip("no IPv6 here");
	}
	one_remake((struct radius_client_config){ 0 }, RADIUS_MA_AUTO);
	cr_expect_arr_eq(one_info().name, "[::1]:", 6);
	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCESS_ACCEPT, "testing123", FAKE_SIGNED);
	cr_expect_eq(result.outcome, RADIUS_ANSWERED);
}

Test(client, configurations_that_are_refused)
{
	struct radius_server_config bad = fake_server_config(&server);
	struct radius_client_config config = { .servers = &bad, .server_count = 1 };
	struct radius_client *none = NULL;

	bad.secret_len = 0;
	cr_expect_eq(radius_client_new(&fake.host, &config, &none), -EINVAL);
	bad.secret_len = RADIUS_SECRET_MAX + 1;
	cr_expect_eq(radius_client_new(&fake.host, &config, &none), -EINVAL);
	bad.secret_len = 5;
	bad.addr.ss_family = AF_UNIX;
	cr_expect_eq(radius_client_new(&fake.host, &config, &none), -EINVAL);
	config.server_count = 0;
	cr_expect_eq(radius_client_new(&fake.host, &config, &none), -EINVAL);
	config.server_count = RADIUS_SERVERS_MAX + 1;
	cr_expect_eq(radius_client_new(&fake.host, &config, &none), -EINVAL);
	cr_expect_null(none);
}
