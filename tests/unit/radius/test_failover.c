/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several servers: order of preference, failover, death, probes, return; and memory that runs out.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "radius/attr_codes.h"
#include "tests/unit/radius/host_fake.h"
#include "tests/unit/short_memory.h"

#define SERVERS 2

static struct fake_host fake;
static struct fake_server servers[SERVERS];
static struct radius_client *client;

struct result {
	unsigned int calls;
	enum radius_outcome outcome;
	char server[64];
};

static void done(void *ctx, enum radius_outcome outcome, unsigned int code,
	const struct radius_attrs *reply, const char *name)
{
	struct result *result = ctx;

	(void)code, (void)reply;
	result->calls++;
	result->outcome = outcome;
	snprintf(result->server, sizeof(result->server), "%s", name);
}

static int make_client(struct radius_client_config config)
{
	struct radius_server_config configs[SERVERS];
	unsigned int i;

	for (i = 0; i < SERVERS; i++)
		configs[i] = fake_server_config(&servers[i]);
	config.servers = configs;
	config.server_count = SERVERS;
	return radius_client_new(&fake.host, &config, &client);
}

static void setup(void)
{
	unsigned int i;

	fake_host_init(&fake);
	for (i = 0; i < SERVERS; i++)
		cr_assert_eq(fake_server_open(&servers[i], "127.0.0.1", i ? "second" : "first"), 0);
	cr_assert_eq(make_client((struct radius_client_config){ .tries = 2 }), 0);
}

static void teardown(void)
{
	unsigned int i;

	radius_client_free(client);
	cr_expect_eq(fake.timer_count, 0);
	cr_expect_eq(fake.io_count, 0);
	for (i = 0; i < SERVERS; i++)
		fake_server_close(&servers[i]);
}

TestSuite(failover, .init = setup, .fini = teardown);

static struct radius_request *ask(struct result *result)
{
	struct radius_attrs *attrs = radius_attrs_new();
	struct radius_request *request;

	radius_add_string(attrs, RADIUS_USER_PASSWORD, 0, "hello");
	memset(result, 0, sizeof(*result));
	request = radius_send(client, RADIUS_ACCESS_REQUEST, attrs, 0, done, result);
	radius_attrs_free(attrs);
	return request;
}

static struct radius_server_info info(size_t index)
{
	struct radius_server_info now;

	radius_client_info(client, index, &now);
	return now;
}

/* Answers everything that has come to a server. The number of packets. */
static unsigned int serve(unsigned int index)
{
	struct fake_packet packet;
	unsigned int count = 0;

	while (fake_server_take(&servers[index], &packet)) {
		fake_server_answer(&servers[index], &packet, RADIUS_ACCESS_ACCEPT);
		count++;
	}
	fake_io(&fake);
	return count;
}

/* Lets the first server die of silence; the requests go to the second one. */
static void kill_first(void)
{
	struct result results[3];
	unsigned int i;

	for (i = 0; i < 3; i++)
		ask(&results[i]);
	for (i = 0; i < 10 && info(0).alive; i++) {
		fake_advance(&fake, FAKE_SEC(1));
		serve(1);
	}
	fake_advance(&fake, FAKE_MS(10));
	serve(1);
	cr_assert_not(info(0).alive);
	for (i = 0; i < 3; i++)
		cr_expect_eq(results[i].outcome, RADIUS_ANSWERED);
	fake_server_drain(&servers[0]);
}

Test(failover, order_of_preference)
{
	struct result result;

	ask(&result);
	cr_expect_eq(serve(1), 0);
	cr_expect_eq(serve(0), 1);
	cr_expect_str_eq(result.server, info(0).name);
	cr_expect_eq(radius_client_server_count(client), 2);
}

Test(failover, one_request_fails_over)
{
	struct fake_packet first, second;
	struct result result;

	ask(&result);
	fake_advance(&fake, FAKE_MS(6700)); /* 2 s and 4 s */
	cr_assert(fake_server_take(&servers[0], &first));
	cr_expect_eq(fake_server_drain(&servers[0]), 1);
	cr_assert(fake_server_take(&servers[1], &second));
	/* Another server, another secret: everything that depends on it is made anew. */
	cr_expect_neq(memcmp(first.octets, second.octets, first.len), 0);
	fake_server_answer(&servers[1], &second, RADIUS_ACCESS_ACCEPT);
	fake_io(&fake);
	cr_expect_eq(result.outcome, RADIUS_ANSWERED);
	cr_expect_str_eq(result.server, info(1).name);
	cr_expect(info(0).alive, "two losses are not a death");
}

Test(failover, all_silent)
{
	struct result result;

	ask(&result);
	fake_advance(&fake, FAKE_SEC(30));
	cr_expect_eq(result.outcome, RADIUS_TIMEOUT);
	cr_expect_str_eq(result.server, info(1).name);
	cr_expect_eq(fake_server_drain(&servers[0]), 2);
	cr_expect_eq(fake_server_drain(&servers[1]), 2);
}

Test(failover, dead_server_is_left_at_once)
{
	struct result result;
	char expected[120];

	kill_first();
	cr_expect(strstr(fake.log, "dead: does not answer"), "%s", fake.log);
	snprintf(expected, sizeof(expected), "dead %s: does not answer\n", info(0).name);
	cr_expect_str_eq(fake.events, expected);
	ask(&result);
	cr_expect_eq(fake_server_drain(&servers[0]), 0, "a dead server was asked");
	cr_expect_eq(serve(1), 1);
	cr_expect_eq(result.calls, 1);
}

/* Nobody listens there: known at once, with no wait at all. */
Test(failover, refused)
{
	struct result result;

	fake_server_close(&servers[0]);
	ask(&result);
	fake_advance(&fake, FAKE_MS(10));
	cr_expect_not(info(0).alive);
	cr_expect_eq(info(0).refused, 1);
	cr_expect(strstr(fake.log, "Connection refused"), "%s", fake.log);
	cr_expect_eq(serve(1), 1);
	cr_expect_eq(result.outcome, RADIUS_ANSWERED);
	cr_assert_eq(fake_server_open(&servers[0], "127.0.0.1", "first"), 0);
}

static void ask_one(const char *server, struct result *result)
{
	struct radius_attrs *attrs = radius_attrs_new();

	radius_add_octets(attrs, RADIUS_STATE, "state", 5);
	memset(result, 0, sizeof(*result));
	cr_assert(radius_send_to(client, server, RADIUS_ACCESS_REQUEST, attrs, done, result));
	radius_attrs_free(attrs);
}

/* A State goes to the one that knows it, and to others only when that one is no more. */
Test(failover, a_request_for_one_server)
{
	struct result result;

	ask_one(info(1).name, &result);
	cr_expect_eq(serve(0), 0);
	cr_expect_eq(serve(1), 1);
	cr_expect_str_eq(result.server, info(1).name);
	ask_one("192.0.2.1:1812", &result);
	cr_expect_eq(serve(0), 1, "nobody knows that server");
	kill_first();
	ask_one(info(0).name, &result);
	cr_expect_eq(fake_server_drain(&servers[0]), 0, "a dead server was asked");
	cr_expect_eq(serve(1), 1);
	cr_expect_eq(result.outcome, RADIUS_ANSWERED);
}

/* One that does not answer is given up in favour of the next, like any other. */
Test(failover, a_request_for_one_server_that_is_silent)
{
	struct result result;

	ask_one(info(1).name, &result);
	for (int i = 0; i < 20 && !result.calls; i++) {
		fake_advance(&fake, FAKE_SEC(1));
		serve(0);
	}
	cr_expect_eq(result.outcome, RADIUS_ANSWERED);
	cr_expect_str_eq(result.server, info(0).name);
}

Test(failover, status_server_brings_it_back)
{
	struct fake_packet probe;
	struct result result;
	char expected[120];

	kill_first();
	fake_advance(&fake, FAKE_SEC(7));
	cr_assert(fake_server_take(&servers[0], &probe));
	cr_expect_eq(probe.octets[0], RADIUS_STATUS_SERVER);
	cr_expect_eq(probe.octets[20], RADIUS_MESSAGE_AUTHENTICATOR);
	cr_expect_eq(info(0).probes, 1);
	cr_expect_eq(info(0).in_flight, 0);
	fake_server_answer(&servers[1], &probe, RADIUS_ACCESS_ACCEPT);
	fake_io(&fake);
	cr_expect_not(info(0).alive, "somebody else answered");
	fake_server_answer(&servers[0], &probe, RADIUS_ACCESS_ACCEPT);
	fake_io(&fake);
	cr_expect(info(0).alive);
	cr_expect(strstr(fake.log, "alive again"));
	snprintf(expected, sizeof(expected), "alive %s\n", info(0).name);
	cr_expect_not_null(strstr(fake.events, expected), "%s", fake.events);
	cr_expect_eq(info(0).accepts, 0, "a probe is not a user");
	ask(&result);
	cr_expect_eq(serve(0), 1);
	fake_advance(&fake, FAKE_SEC(60));
	cr_expect_eq(serve(0), 0, "an alive server is probed");
}

/* Each probe leaves from a new socket, so a change of our own address heals by itself. */
Test(failover, probes_repeat)
{
	struct fake_packet first, second;

	kill_first();
	fake_advance(&fake, FAKE_SEC(7));
	cr_assert(fake_server_take(&servers[0], &first));
	fake_advance(&fake, FAKE_SEC(7));
	cr_assert(fake_server_take(&servers[0], &second));
	cr_expect_neq(((struct sockaddr_in *)&first.from)->sin_port,
		((struct sockaddr_in *)&second.from)->sin_port);
	fake_server_answer(&servers[0], &first, RADIUS_ACCESS_ACCEPT);
	fake_io(&fake);
	cr_expect_not(info(0).alive, "the answer to a probe that was given up");
	fake_server_answer(&servers[0], &second, RADIUS_ACCOUNTING_RESPONSE);
	fake_io(&fake);
	cr_expect(info(0).alive);
}

/* A server that does not know Status-Server gets a real request, with a single try. */
Test(failover, trial_request)
{
	struct result first, second;

	kill_first();
	fake_advance(&fake, FAKE_SEC(29));
	cr_expect_geq(fake_server_drain(&servers[0]), 3);
	ask(&first);
	ask(&second);
	cr_expect_eq(serve(1), 1, "only one is risked");
	cr_expect_eq(fake_server_drain(&servers[0]), 1);
	fake_advance(&fake, FAKE_MS(2201));
	cr_expect_eq(serve(1), 1, "and it is risked once");
	cr_expect_eq(first.outcome, RADIUS_ANSWERED);
	fake_advance(&fake, FAKE_SEC(8));
	fake_server_drain(&servers[0]);
	ask(&first);
	cr_expect_eq(serve(0), 1);
	cr_expect_eq(first.outcome, RADIUS_ANSWERED);
	cr_expect(info(0).alive);
}

/*
 * What waits or is under way at a server goes with its death, and what waits returns with its life.
 */
Test(failover, queues_move)
{
	struct fake_packet probe;
	struct result results[6];
	unsigned int i;

	radius_client_free(client);
	cr_assert_eq(make_client((struct radius_client_config){ .in_flight = 2 }), 0);
	for (i = 0; i < 6; i++)
		ask(&results[i]);
	cr_expect_eq(info(0).in_flight, 2);
	cr_expect_eq(info(0).waiting, 4);
	fake_advance(&fake, FAKE_MS(6700));
	cr_assert_not(info(0).alive);
	cr_expect_eq(info(0).in_flight, 0);
	cr_expect_eq(info(0).waiting, 0);
	cr_expect_eq(info(1).in_flight, 2);
	cr_expect_eq(info(1).waiting, 4);
	fake_server_drain(&servers[0]);
	cr_expect_eq(serve(1), 2); /* answers the two, and two more go */
	cr_expect_eq(info(1).waiting, 2);
	for (i = 0; i < 60 && !fake_server_take(&servers[0], &probe); i++)
		fake_advance(&fake, FAKE_MS(100));
	fake_server_answer(&servers[0], &probe, RADIUS_ACCESS_ACCEPT);
	fake_advance(&fake, FAKE_MS(10));
	cr_expect(info(0).alive);
	cr_expect_eq(info(1).waiting, 0);
	for (i = 0; i < 3; i++) {
		serve(0);
		serve(1);
		fake_advance(&fake, FAKE_MS(10));
	}
	for (i = 0; i < 6; i++)
		cr_expect_eq(results[i].outcome, RADIUS_ANSWERED, "request %u", i);
}

/* With every server dead requests are still tried, and an answer ends the death. */
Test(failover, all_dead)
{
	struct result results[3], result;
	unsigned int i;

	for (i = 0; i < 3; i++)
		ask(&results[i]);
	fake_advance(&fake, FAKE_SEC(30));
	for (i = 0; i < 3; i++)
		cr_expect_eq(results[i].outcome, RADIUS_TIMEOUT);
	cr_expect_not(info(0).alive);
	cr_expect_not(info(1).alive);
	fake_server_drain(&servers[0]);
	fake_server_drain(&servers[1]);
	ask(&result);
	cr_expect_eq(serve(0), 1);
	cr_expect_eq(result.outcome, RADIUS_ANSWERED);
	cr_expect(info(0).alive);
}

Test(failover, cancel_while_dead)
{
	struct radius_request *requests[3];
	struct result results[3];
	unsigned int i;

	for (i = 0; i < 3; i++)
		requests[i] = ask(&results[i]);
	fake_advance(&fake, FAKE_SEC(9));
	cr_assert_not(info(0).alive);
	for (i = 0; i < 3; i++)
		radius_cancel(requests[i]);
	fake_advance(&fake, FAKE_SEC(60));
	for (i = 0; i < 3; i++)
		cr_expect_eq(results[i].calls, 0);
	cr_expect_eq(info(1).in_flight, 0);
}

/* Too few timers or watchers: a clean failure each time, and everything given back. */
Test(failover, host_runs_out)
{
	struct radius_client *usual = client;
	struct result result;
	unsigned int i;

	for (i = 1; i <= 4; i++) {
		fake.fail_timer = i;
		cr_expect_eq(
			make_client((struct radius_client_config){ 0 }), -ENOMEM, "timer %u", i);
	}
	client = usual;
	fake.fail_timer = 1;
	cr_expect_null(ask(&result));
	fake.fail_io = 1;
	cr_assert(ask(&result));
	fake_advance(&fake, 0);
	cr_expect_eq(serve(1), 1, "the first server could not be asked");
	cr_expect_eq(result.outcome, RADIUS_ANSWERED);
}

Test(failover, every_allocation_fails_once)
{
	struct radius_attrs *attrs = radius_attrs_new();
	struct fake_packet packet, reply;
	struct result result;
	unsigned int n, failures = 0;

	radius_add_string(attrs, RADIUS_USER_NAME, 0, "bob");
	for (n = 1; n < 40; n++) {
		struct radius_request *request;

		memset(&result, 0, sizeof(result));
		short_memory_at(n);
		short_memory_arm(true);
		request = radius_send(client, RADIUS_ACCESS_REQUEST, attrs, 0, done, &result);
		while (request && fake_server_take(&servers[0], &packet)) {
			fake_reply_make(&reply, &packet, RADIUS_ACCESS_ACCEPT, "first", 0,
				(const uint8_t *)"\31\3x\31\3y", 6);
			fake_server_send(&servers[0], &packet, reply.octets, reply.len);
		}
		fake_io(&fake);
		short_memory_arm(false);
		failures += short_memory_count() >= n;
		if (request && !result.calls)
			radius_cancel(request);
		fake_server_drain(&servers[1]);
		/* Sockets stay; close them, so that opening one can fail as well. */
		radius_client_free(client);
		cr_expect_eq(fake.timer_count + fake.io_count, 0);
		cr_assert_eq(make_client((struct radius_client_config){ 0 }), 0);
	}
	cr_expect_gt(failures, 5);
	cr_expect_eq(result.outcome, RADIUS_ANSWERED, "enough memory in the end");
	for (n = 1; n < 10; n++) {
		struct radius_client *usual = client;

		short_memory_at(n);
		short_memory_arm(true);
		if (!make_client((struct radius_client_config){ 0 }))
			radius_client_free(client);
		short_memory_arm(false);
		client = usual;
	}
	radius_attrs_free(attrs);
}
