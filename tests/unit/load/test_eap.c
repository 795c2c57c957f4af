/* SPDX-License-Identifier: BSD-2-Clause */
/* ppp_eap: conversations; the test plays the LNS and its RADIUS server. */
#include "tests/unit/load/pair.h"

#include <criterion/criterion.h>
#include <nettle/md5.h>
#include <string.h>

enum { REQUEST = 1, RESPONSE, SUCCESS, FAILURE };

static struct pair pair;

static const uint8_t ask_eap[] = { 3, 4, 0xc2, 0x27 };
static const uint8_t identity[] = { 1 };
static const uint8_t md5_request[] = { 4, 4, 0xde, 0xad, 0xbe, 0xef, 'l', 'n', 's' };

static void setup(void)
{
	pair_init(&pair);
	pair.settings.auth = PPP_AUTH_EAP;
	pair.settings.auth_required = true;
	pair_begin(&pair);
	pair_open_lcp(&pair, ask_eap, sizeof(ask_eap));
}

static void teardown(void)
{
	pair_fini(&pair);
}

TestSuite(eap, .init = setup, .fini = teardown);

static void tell_identity(void)
{
	static const uint8_t expected[] = { 1, 'a', 'l', 'i', 'c', 'e' };

	pair_send(&pair, PPP_EAP, REQUEST, 3, identity, sizeof(identity));
	cr_assert_eq(pair_expect(&pair, PPP_EAP, RESPONSE, expected, sizeof(expected)), 3);
}

static void prove_by_md5(uint8_t id)
{
	uint8_t expected[2 + MD5_DIGEST_SIZE + 5] = { 4, MD5_DIGEST_SIZE };
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, 1, &id);
	md5_update(&md5, 10, (const uint8_t *)"wonderland");
	md5_update(&md5, 4, md5_request + 2);
	md5_digest(&md5, MD5_DIGEST_SIZE, expected + 2);
	memcpy(expected + 2 + MD5_DIGEST_SIZE, "alice", 5);
	pair_send(&pair, PPP_EAP, REQUEST, id, md5_request, sizeof(md5_request));
	cr_assert_eq(pair_expect(&pair, PPP_EAP, RESPONSE, expected, sizeof(expected)), id);
}

Test(eap, md5)
{
	tell_identity();
	prove_by_md5(4);
	pair_send(&pair, PPP_EAP, SUCCESS, 5, NULL, 0);
	cr_assert_eq(pair.authenticated, 0, "a Success with another identifier does not count");
	pair_send(&pair, PPP_EAP, SUCCESS, 4, NULL, 0);
	cr_assert_eq(pair.authenticated, 1);
	cr_assert_str_empty(pair.reason);
}

Test(eap, a_request_that_comes_again_gets_the_same_response)
{
	struct pair_packet first;

	tell_identity();
	pair_send(&pair, PPP_EAP, REQUEST, 4, md5_request, sizeof(md5_request));
	first = *pair_next(&pair);
	pair_send(&pair, PPP_EAP, REQUEST, 4, md5_request, sizeof(md5_request));
	cr_assert_arr_eq(pair_next(&pair)->data, first.data, first.len);
	cr_assert_eq(pair.stats.repeated[STATS_AUTH], 1);
	/* It is the LNS who repeats. */
	env_fake_advance(pair.env, ENV_SEC(60));
	pair_expect_nothing(&pair);
}

/* RFC 3748 section 4.2: an LNS that goes on has accepted, though its Success was lost. */
Test(eap, a_network_protocol_means_success)
{
	static const uint8_t ours[] = { 3, 6, 100, 64, 0, 1 };

	pair_send(&pair, PPP_IPCP, FSM_CONFREQ, 1, ours, sizeof(ours));
	tell_identity();
	pair_send(&pair, PPP_IPCP, FSM_CONFREQ, 1, ours, sizeof(ours));
	cr_assert_eq(pair.authenticated, 0, "no method has come to its end");
	prove_by_md5(4);
	pair_send(&pair, PPP_IPCP, FSM_CONFREQ, 1, ours, sizeof(ours));
	cr_assert_eq(pair.authenticated, 1);
	cr_assert_eq(pair_next(&pair)->data[0], FSM_CONFREQ);
	pair_expect(&pair, PPP_IPCP, FSM_CONFACK, ours, sizeof(ours));
}

Test(eap, an_unknown_method_is_told_ours)
{
	static const uint8_t tls[] = { 13, 0x20 };
	static const uint8_t expected[] = { 3, 4, 26 };
	static const uint8_t notification[] = { 2, 'h', 'i' };
	static const uint8_t noted[] = { 2 };

	tell_identity();
	pair_send(&pair, PPP_EAP, REQUEST, 4, notification, sizeof(notification));
	pair_expect(&pair, PPP_EAP, RESPONSE, noted, sizeof(noted));
	pair_send(&pair, PPP_EAP, REQUEST, 5, tls, sizeof(tls));
	cr_assert_eq(pair_expect(&pair, PPP_EAP, RESPONSE, expected, sizeof(expected)), 5);
	prove_by_md5(6);
	pair_send(&pair, PPP_EAP, FAILURE, 6, NULL, 0);
	cr_assert_str_eq(pair.reason, "EAP refused");
}

Test(eap, broken_requests_are_passed_over)
{
	static const uint8_t broken[][8] = { { 4, 0 }, { 4, 7, 1, 2, 3 }, { 26, 1, 9, 0, 8, 16, 1 },
		{ 26, 1, 9 }, { 26, 9, 9, 0, 4 } };

	tell_identity();
	pair_send(&pair, PPP_EAP, REQUEST, 4, NULL, 0);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		pair_send(&pair, PPP_EAP, REQUEST, 4, broken[i], 5);
	pair_expect_nothing(&pair);
	cr_assert_str_empty(pair.reason);
	prove_by_md5(4);
}

/* Plays MS-CHAPv2 up to the client's response; proof is what the LNS has to say to it. */
static void mschapv2(char proof[MSCHAP_PROOF + 1])
{
	uint8_t request[5 + 1 + MSCHAP_CHALLENGE + 3] = { 26, 1, 9, 0, 24, MSCHAP_CHALLENGE };
	uint8_t expected[MSCHAP_NT_RESPONSE];
	const struct pair_packet *packet;
	const uint8_t *value;

	memset(request + 6, 0x42, MSCHAP_CHALLENGE);
	memcpy(request + 6 + MSCHAP_CHALLENGE, "lns", 3);
	tell_identity();
	pair_send(&pair, PPP_EAP, REQUEST, 4, request, sizeof(request));
	packet = pair_next(&pair);
	cr_assert_eq(packet->data[0], RESPONSE);
	cr_assert_eq(packet->len, PPP_HEADER + 6 + MSCHAP_VALUE + 5);
	cr_assert_arr_eq(
		packet->data + PPP_HEADER, ((uint8_t[]){ 26, 2, 9, 0, 59, MSCHAP_VALUE }), 6);
	value = packet->data + PPP_HEADER + 6;
	cr_assert_arr_eq(value + MSCHAP_VALUE, "alice", 5);
	mschap_nt_response(request + 6, value, "alice", "wonderland", expected);
	cr_assert_arr_eq(value + MSCHAP_CHALLENGE + 8, expected, sizeof(expected));
	mschap_proof("wonderland", expected, value, request + 6, "alice", proof);
}

Test(eap, mschapv2)
{
	uint8_t success[5 + MSCHAP_PROOF + 4] = { 26, 3, 9, 0, sizeof(success) - 1 };
	static const uint8_t content[] = { 26, 3 };
	char proof[MSCHAP_PROOF + 1];

	mschapv2(proof);
	memcpy(success + 5, proof, MSCHAP_PROOF);
	memcpy(success + 5 + MSCHAP_PROOF, " M=x", 4);
	pair_send(&pair, PPP_EAP, REQUEST, 5, success, sizeof(success));
	cr_assert_eq(pair_expect(&pair, PPP_EAP, RESPONSE, content, sizeof(content)), 5);
	pair_send(&pair, PPP_EAP, SUCCESS, 5, NULL, 0);
	cr_assert_eq(pair.authenticated, 1);
}

Test(eap, mschapv2_of_an_lns_without_the_password)
{
	uint8_t success[5 + MSCHAP_PROOF] = { 26, 3, 9, 0, sizeof(success) - 1, 'S', '=' };
	char proof[MSCHAP_PROOF + 1];

	mschapv2(proof);
	memset(success + 7, '0', MSCHAP_PROOF - 2);
	pair_send(&pair, PPP_EAP, REQUEST, 5, success, sizeof(success));
	cr_assert_eq(strncmp(pair.reason, "MS-CHAPv2: the LNS does not prove", 33), 0, "%s",
		pair.reason);
}

Test(eap, mschapv2_success_without_proof)
{
	char proof[MSCHAP_PROOF + 1];

	mschapv2(proof);
	pair_send(&pair, PPP_EAP, SUCCESS, 4, NULL, 0);
	cr_assert_str_eq(pair.reason, "EAP: the LNS is content before we are");
	cr_assert_eq(pair.authenticated, 0);
}

Test(eap, mschapv2_refused)
{
	static const uint8_t failure[] = { 26, 4, 9, 0, 9, 'E', '=', '6', '9', '1' };
	static const uint8_t noted[] = { 26, 4 };
	char proof[MSCHAP_PROOF + 1];

	mschapv2(proof);
	pair_send(&pair, PPP_EAP, REQUEST, 5, failure, sizeof(failure));
	cr_assert_eq(pair_expect(&pair, PPP_EAP, RESPONSE, noted, sizeof(noted)), 5);
	pair_send(&pair, PPP_EAP, FAILURE, 5, NULL, 0);
	cr_assert_str_eq(pair.reason, "EAP refused");
}
