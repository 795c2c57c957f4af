/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replies of one server, and of those who would like to be it: which count, and which are dropped.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "radius/attr_codes.h"
#include "tests/unit/radius/one_server.h"

TestSuite(replies, .init = one_setup, .fini = one_teardown);

Test(replies, forged_reply_does_not_end_a_request)
{
	struct fake_packet packet;
	struct result result;

	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCESS_ACCEPT, "wrong", FAKE_SIGNED);
	one_answer(&packet, RADIUS_ACCESS_ACCEPT, "wrong", 0);
	cr_expect_eq(result.calls, 0);
	cr_expect_eq(one_info().bad_authenticators, 2);
	cr_expect_eq(fake.log_lines, 1, "%s", fake.log);
	cr_expect(strstr(fake.log, "secret"));
	cr_expect_null(strstr(fake.log, "testing123"));
	one_answer(&packet, RADIUS_ACCESS_REJECT, "testing123", FAKE_SIGNED);
	cr_expect_eq(result.outcome, RADIUS_ANSWERED);
	cr_expect_eq(result.code, RADIUS_ACCESS_REJECT);
}

Test(replies, only_forged_replies)
{
	struct fake_packet packet;
	struct result result;

	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCESS_ACCEPT, "wrong", 0);
	fake_advance(&fake, FAKE_SEC(20));
	cr_expect_eq(result.outcome, RADIUS_FORGED);
}

/* The Response Authenticator is right, as after a chosen-prefix collision, but the HMAC is not. */
Test(replies, bad_message_authenticator)
{
	struct fake_packet packet;
	struct result result;

	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCESS_ACCEPT, "testing123", FAKE_SIGNED | FAKE_BAD_SIGNATURE);
	cr_expect_eq(result.calls, 0);
	cr_expect_eq(one_info().bad_authenticators, 1);
}

Test(replies, message_authenticator_auto)
{
	struct fake_packet packet;
	struct result result;

	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCESS_ACCEPT, "testing123", 0);
	cr_expect_eq(result.calls, 1, "not seen yet: not needed");
	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCESS_REJECT, "testing123", FAKE_SIGNED);
	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCESS_ACCEPT, "testing123", 0);
	cr_expect_eq(result.calls, 0, "seen once: needed");
	cr_expect_eq(one_info().bad_authenticators, 1);
	one_ask(RADIUS_ACCOUNTING_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCOUNTING_RESPONSE, "testing123", 0);
	cr_expect_eq(result.calls, 1, "never needed for accounting");
}

/* Another client of the same server need not learn that once more: an attacker waits for just that. */
Test(replies, what_was_learned_is_inherited)
{
	struct radius_client *other = client;
	struct fake_packet packet;
	struct result result;

	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCESS_REJECT, "testing123", FAKE_SIGNED);
	client = NULL;
	one_remake((struct radius_client_config){ 0 }, RADIUS_MA_AUTO);
	radius_client_inherit(client, other);
	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCESS_ACCEPT, "testing123", 0);
	cr_expect_eq(result.calls, 0);
	cr_expect_eq(one_info().bad_authenticators, 1);
	one_remake((struct radius_client_config){ 0 }, RADIUS_MA_NO);
	radius_client_inherit(client, other);
	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCESS_ACCEPT, "testing123", 0);
	cr_expect_eq(result.calls, 1, "whoever says so takes the risk");
	radius_client_free(other);
}

Test(replies, message_authenticator_yes_and_no)
{
	struct fake_packet packet;
	struct result result;

	one_remake((struct radius_client_config){ 0 }, RADIUS_MA_YES);
	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCESS_ACCEPT, "testing123", 0);
	cr_expect_eq(result.calls, 0);
	one_answer(&packet, RADIUS_ACCESS_ACCEPT, "testing123", FAKE_SIGNED);
	cr_expect_eq(result.calls, 1);

	one_remake((struct radius_client_config){ 0 }, RADIUS_MA_NO);
	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCESS_ACCEPT, "testing123", FAKE_SIGNED);
	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCESS_ACCEPT, "testing123", FAKE_SIGNED | FAKE_BAD_SIGNATURE);
	cr_expect_eq(result.calls, 0, "not needed, but wrong");
	one_answer(&packet, RADIUS_ACCESS_ACCEPT, "testing123", 0);
	cr_expect_eq(result.calls, 1);
}

/* RFC 3579 section 3.2, whatever the policy is and whatever the reply carries. */
Test(replies, eap_needs_signed_replies)
{
	static const int policies[] = { RADIUS_MA_AUTO, RADIUS_MA_YES, RADIUS_MA_NO };
	static const uint8_t codes[] = { RADIUS_ACCESS_ACCEPT, RADIUS_ACCESS_REJECT,
		RADIUS_ACCESS_CHALLENGE };

	for (size_t i = 0; i < 9; i++) {
		struct radius_attrs *attrs = radius_attrs_new();
		struct fake_packet packet;
		struct result result = { 0 };

		one_remake((struct radius_client_config){ 0 }, policies[i / 3]);
		radius_add_string(attrs, RADIUS_USER_NAME, 0, "alice");
		radius_add_octets(attrs, RADIUS_EAP_MESSAGE, "\2\7\0\6\1a", 6);
		cr_assert(radius_send(client, RADIUS_ACCESS_REQUEST, attrs, 0, one_done, &result));
		radius_attrs_free(attrs);
		one_take(&packet);
		one_answer(&packet, codes[i % 3], "testing123", 0);
		cr_expect_eq(result.calls, 0, "case %zu", i);
		cr_expect_eq(one_info().bad_authenticators, 1);
		one_answer(&packet, codes[i % 3], "testing123", FAKE_SIGNED);
		cr_expect_eq(result.calls, 1, "case %zu", i);
		cr_expect_eq(result.code, codes[i % 3]);
	}
}

Test(replies, replayed_reply)
{
	struct fake_packet first, packet, reply;
	struct result result;
	unsigned int i;

	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&first);
	fake_reply_make(&reply, &first, RADIUS_ACCESS_ACCEPT, "testing123", FAKE_SIGNED, NULL, 0);
	fake_server_send(&server, &first, reply.octets, reply.len);
	fake_io(&fake);
	cr_expect_eq(result.calls, 1);
	fake_server_send(&server, &first, reply.octets, reply.len);
	fake_io(&fake);
	cr_expect_eq(one_info().wrong_ids, 1, "nobody waits");
	for (i = 0; i < 256; i++) { /* until the identifier is used again */
		one_ask(RADIUS_ACCESS_REQUEST, &result);
		one_take(&packet);
		if (packet.octets[1] == first.octets[1])
			break;
		fake_server_answer(&server, &packet, RADIUS_ACCESS_REJECT);
		fake_io(&fake);
	}
	cr_expect_eq(i, 255, "an identifier came back after %u", i);
	fake_server_send(&server, &packet, reply.octets, reply.len);
	fake_io(&fake);
	cr_expect_eq(result.calls, 0);
	cr_expect_eq(one_info().wrong_ids, 2, "late, not forged");
	cr_expect_eq(one_info().bad_authenticators, 0);
}

Test(replies, wrong_identifier)
{
	struct fake_packet packet, reply;
	struct result result;

	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	packet.octets[1]++;
	fake_reply_make(&reply, &packet, RADIUS_ACCESS_ACCEPT, "testing123", FAKE_SIGNED, NULL, 0);
	fake_server_send(&server, &packet, reply.octets, reply.len);
	fake_io(&fake);
	cr_expect_eq(result.calls, 0);
	cr_expect_eq(one_info().wrong_ids, 1);
}

Test(replies, wrong_source)
{
	struct fake_server stranger;
	struct fake_packet packet;
	struct result result;

	cr_assert_eq(fake_server_open(&stranger, "127.0.0.1", "testing123"), 0);
	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	fake_server_answer(&stranger, &packet, RADIUS_ACCESS_ACCEPT);
	fake_io(&fake);
	cr_expect_eq(result.calls, 0, "another port");
	fake_server_close(&stranger);
	cr_assert_eq(fake_server_open(&stranger, "127.0.0.2", "testing123"), 0);
	fake_server_answer(&stranger, &packet, RADIUS_ACCESS_ACCEPT);
	fake_io(&fake);
	cr_expect_eq(result.calls, 0, "another address");
	cr_expect_eq(
		one_info().bad_packets + one_info().bad_authenticators + one_info().wrong_ids, 0);
	fake_server_close(&stranger);
}

Test(replies, code_that_does_not_fit)
{
	struct fake_packet packet;
	struct result result;

	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCOUNTING_RESPONSE, "testing123", FAKE_SIGNED);
	one_answer(&packet, 40, "testing123", FAKE_SIGNED);
	cr_expect_eq(result.calls, 0);
	cr_expect_eq(one_info().bad_packets, 2);
	one_ask(RADIUS_ACCOUNTING_REQUEST, &result);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCESS_ACCEPT, "testing123", 0);
	cr_expect_eq(result.calls, 0);
}

Test(replies, truncated_at_every_octet)
{
	struct fake_packet packet, reply;
	struct result result;
	size_t len;

	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	fake_reply_make(&reply, &packet, RADIUS_ACCESS_ACCEPT, "testing123", FAKE_SIGNED,
		(const uint8_t *)"\22\3x", 3);
	for (len = 0; len < reply.len; len++) {
		fake_server_send(&server, &packet, reply.octets, len);
		fake_io(&fake);
	}
	cr_expect_eq(result.calls, 0);
	cr_expect_eq(one_info().bad_packets, reply.len);
	memcpy(reply.octets + reply.len, "padding", 7);
	fake_server_send(&server, &packet, reply.octets, reply.len + 7);
	fake_io(&fake);
	cr_expect_eq(result.calls, 1);
}

Test(replies, malformed_attributes_of_a_real_server)
{
	static const uint8_t attrs[] = { 27, 5, 0, 0, 1 }; /* Session-Timeout of three octets */
	struct fake_packet packet, reply;
	struct result result;

	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	fake_reply_make(&reply, &packet, RADIUS_ACCESS_ACCEPT, "testing123", FAKE_SIGNED, attrs,
		sizeof(attrs));
	fake_server_send(&server, &packet, reply.octets, reply.len);
	fake_io(&fake);
	cr_expect_eq(result.calls, 0);
	cr_expect_eq(one_info().bad_packets, 1);
}

Test(replies, reply_of_4096_octets_of_anything)
{
	struct fake_packet packet;
	uint8_t octets[4096];
	struct result result;
	unsigned int i;

	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	for (i = 0; i < 500; i++) {
		fake.host.random(&fake, octets, sizeof(octets));
		if (i % 2) { /* good enough to be looked at */
			memcpy(octets, packet.octets, 2);
			octets[0] = RADIUS_ACCESS_ACCEPT;
			octets[2] = 0x10;
			octets[3] = 0;
		}
		fake_server_send(&server, &packet, octets, sizeof(octets));
		fake_io(&fake);
	}
	cr_expect_eq(result.calls, 0);
	cr_expect_eq(
		one_info().bad_packets + one_info().bad_authenticators + one_info().wrong_ids, 500);
	fake_server_answer(&server, &packet, RADIUS_ACCESS_ACCEPT);
	fake_io(&fake);
	cr_expect_eq(result.calls, 1);
}

/* 2,038 empty attributes, 510 of three octets: legal, large, harmless. */
Test(replies, reply_full_of_attributes)
{
	uint8_t attrs[4076];
	struct fake_packet packet, reply;
	struct result result;
	size_t i;

	for (i = 0; i < sizeof(attrs); i += 2)
		memcpy(attrs + i, "\31\2", 2);
	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	fake_reply_make(
		&reply, &packet, RADIUS_ACCESS_ACCEPT, "testing123", 0, attrs, sizeof(attrs));
	cr_expect_eq(reply.len, 4096);
	fake_server_send(&server, &packet, reply.octets, reply.len);
	fake_io(&fake);
	cr_expect_eq(result.calls, 1);
	for (i = 0; i < 3 * 510; i += 3)
		memcpy(attrs + i, "\31\3x", 3);
	one_ask(RADIUS_ACCESS_REQUEST, &result);
	one_take(&packet);
	fake_reply_make(&reply, &packet, RADIUS_ACCESS_ACCEPT, "testing123", 0, attrs, 3 * 510);
	fake_server_send(&server, &packet, reply.octets, reply.len);
	fake_io(&fake);
	cr_expect_eq(result.calls, 1);
}

static void decrypt(void *ctx, enum radius_outcome outcome, unsigned int code,
	const struct radius_attrs *reply, const char *name)
{
	struct radius_request **request = ctx;
	const uint8_t *data;
	uint8_t clear[64];
	size_t len;

	(void)outcome, (void)code, (void)name;
	cr_assert(radius_get_octets(reply, RADIUS_TUNNEL_PASSWORD, 0, &data, &len));
	cr_assert_eq(len, 18);
	cr_expect_eq(radius_get_tag(reply, RADIUS_TUNNEL_PASSWORD, 0), 4);
	cr_assert_eq(radius_reply_decrypt(*request, data, len, clear, sizeof(clear)), 3);
	cr_expect_arr_eq(clear, "key", 3);
	*request = NULL;
}

Test(replies, tunnel_password)
{
	struct radius_attrs *attrs = radius_attrs_new();
	struct radius_request *request;
	uint8_t value[21] = { 69, 21, 4, 0x81, 0x42 }, stream[16];
	struct fake_packet packet, reply;
	unsigned int i;

	request = radius_send(client, RADIUS_ACCESS_REQUEST, attrs, 0, decrypt, &request);
	cr_expect_eq(
		radius_reply_decrypt(request, value, 20, stream, 16), -EBADMSG, "not answered");
	one_take(&packet);
	fake_md5(stream, "testing123", 10, packet.octets + 4, 16, value + 3, 2);
	memcpy(value + 5, "\3key", 4);
	for (i = 0; i < 16; i++)
		value[5 + i] ^= stream[i];
	fake_reply_make(
		&reply, &packet, RADIUS_ACCESS_ACCEPT, "testing123", FAKE_SIGNED, value, 21);
	fake_server_send(&server, &packet, reply.octets, reply.len);
	fake_io(&fake);
	cr_expect_null(request);
	radius_attrs_free(attrs);
}
