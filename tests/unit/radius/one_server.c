/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * one_server: the client, the server and the questions of the tests.
 */
#include "tests/unit/radius/one_server.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "radius/attr_codes.h"

struct fake_host fake;
struct fake_server server;
struct radius_client *client;

void one_done(void *ctx, enum radius_outcome outcome, unsigned int code,
	const struct radius_attrs *reply, const char *name)
{
	struct result *result = ctx;

	result->calls++;
	result->outcome = outcome;
	result->code = code;
	snprintf(result->server, sizeof(result->server), "%s", name);
	cr_expect_eq(reply != NULL, outcome == RADIUS_ANSWERED);
	if (reply)
		radius_get_string(reply, RADIUS_REPLY_MESSAGE, result->text, sizeof(result->text));
}

static void make_client(struct radius_client_config config, int policy)
{
	struct radius_server_config server_config = fake_server_config(&server);

	server_config.message_authenticator = policy;
	config.servers = &server_config;
	config.server_count = 1;
	cr_assert_eq(radius_client_new(&fake.host, &config, &client), 0);
}

void one_setup(void)
{
	fake_host_init(&fake);
	cr_assert_eq(fake_server_open(&server, "127.0.0.1", "testing123"), 0);
	make_client((struct radius_client_config){ 0 }, RADIUS_MA_AUTO);
}

/* Whatever a test did, nothing is left behind. */
void one_teardown(void)
{
	radius_client_free(client);
	cr_expect_eq(fake.timer_count, 0);
	cr_expect_eq(fake.io_count, 0);
	fake_server_close(&server);
}

void one_remake(struct radius_client_config config, int policy)
{
	radius_client_free(client);
	make_client(config, policy);
}

struct radius_request *one_ask(enum radius_packet_code code, struct result *result)
{
	struct radius_attrs *attrs = radius_attrs_new();
	struct radius_request *request;

	radius_add_string(attrs, RADIUS_USER_NAME, 0, "bob");
	if (code == RADIUS_ACCESS_REQUEST)
		radius_add_string(attrs, RADIUS_USER_PASSWORD, 0, "hello");
	memset(result, 0, sizeof(*result));
	request = radius_send(client, code, attrs, 0, one_done, result);
	radius_attrs_free(attrs);
	cr_assert(request);
	cr_expect_eq(result->calls, 0, "done from inside radius_send");
	return request;
}

struct radius_server_info one_info(void)
{
	struct radius_server_info now;

	radius_client_info(client, 0, &now);
	return now;
}

void one_take(struct fake_packet *packet)
{
	cr_assert(fake_server_take(&server, packet), "nothing was sent");
}

void one_answer(const struct fake_packet *request, uint8_t code, const char *secret, int flags)
{
	static const uint8_t attrs[] = { 18, 4, 'h', 'i' };
	struct fake_packet reply;

	fake_reply_make(&reply, request, code, secret, flags, attrs, sizeof(attrs));
	fake_server_send(&server, request, reply.octets, reply.len);
	fake_io(&fake);
}
