/* SPDX-License-Identifier: BSD-2-Clause */
/* ppp: a client's connections as exchanges; the test plays the LNS. */
#include "tests/unit/load/pair.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <nettle/md5.h>
#include <string.h>

static struct pair pair;

static const uint8_t ask_chap[] = { 3, 5, 0xc2, 0x23, 5 };
static const uint8_t ask_ms2[] = { 3, 5, 0xc2, 0x23, 0x81 };
static const uint8_t ask_pap[] = { 3, 4, 0xc0, 0x23 };
static const uint8_t challenge[] = { 4, 0xde, 0xad, 0xbe, 0xef, 'l', 'n', 's' };

static void setup(void)
{
	pair_init(&pair);
}

static void teardown(void)
{
	pair_fini(&pair);
}

TestSuite(ppp, .init = setup, .fini = teardown);

/* The LNS's half of IPCP, and a Nak that gives the client its addresses. */
static void open_ipcp(void)
{
	static const uint8_t ours[] = { 3, 6, 100, 64, 0, 1 };
	static const uint8_t nothing[] = { 3, 6, 0, 0, 0, 0, 129, 6, 0, 0, 0, 0, 131, 6, 0, 0, 0,
		0 };
	static const uint8_t nak[] = { 3, 6, 100, 64, 0, 9, 129, 6, 192, 0, 2, 53 };
	static const uint8_t reject[] = { 131, 6, 0, 0, 0, 0 };
	static const uint8_t last[] = { 3, 6, 100, 64, 0, 9, 129, 6, 192, 0, 2, 53 };
	uint8_t id = pair_expect(&pair, PPP_IPCP, FSM_CONFREQ, nothing, sizeof(nothing));

	pair_send(&pair, PPP_IPCP, FSM_CONFREQ, 1, ours, sizeof(ours));
	pair_expect(&pair, PPP_IPCP, FSM_CONFACK, ours, sizeof(ours));
	pair_send(&pair, PPP_IPCP, FSM_CONFREJ, id, reject, sizeof(reject));
	id = pair_next(&pair)->data[1];
	pair_send(&pair, PPP_IPCP, FSM_CONFNAK, id, nak, sizeof(nak));
	id = pair_expect(&pair, PPP_IPCP, FSM_CONFREQ, last, sizeof(last));
	pair_send(&pair, PPP_IPCP, FSM_CONFACK, id, last, sizeof(last));
}

static void check_up(void)
{
	cr_assert_eq(pair.authenticated, 1);
	cr_assert_eq(pair.up, 1);
	cr_assert_str_empty(pair.reason);
	cr_assert_eq(pair.ppp.address.s_addr, inet_addr("100.64.0.9"));
	cr_assert_eq(pair.ppp.peer_address.s_addr, inet_addr("100.64.0.1"));
	cr_assert_eq(pair.ppp.dns[0].s_addr, inet_addr("192.0.2.53"));
	cr_assert_eq(pair.stats.retransmitted[STATS_LCP] + pair.stats.retransmitted[STATS_AUTH] +
			     pair.stats.retransmitted[STATS_IPCP],
		0);
	pair_expect_nothing(&pair);
}

static void answer_chap(uint8_t id, uint8_t expected[MD5_DIGEST_SIZE])
{
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, 1, &id);
	md5_update(&md5, 10, (const uint8_t *)"wonderland");
	md5_update(&md5, 4, challenge + 1);
	md5_digest(&md5, MD5_DIGEST_SIZE, expected);
}

Test(ppp, chap_call)
{
	uint8_t response[1 + MD5_DIGEST_SIZE + 5] = { MD5_DIGEST_SIZE };

	pair_begin(&pair);
	pair_open_lcp(&pair, ask_chap, sizeof(ask_chap));
	pair_expect_nothing(&pair);
	pair_send(&pair, PPP_CHAP, 1, 9, challenge, sizeof(challenge));
	answer_chap(9, response + 1);
	memcpy(response + 1 + MD5_DIGEST_SIZE, "alice", 5);
	cr_assert_eq(pair_expect(&pair, PPP_CHAP, 2, response, sizeof(response)), 9);
	pair_send(&pair, PPP_CHAP, 3, 8, NULL, 0);
	cr_assert_eq(pair.authenticated, 0, "a Success with another identifier does not count");
	pair_send(&pair, PPP_CHAP, 3, 9, NULL, 0);
	open_ipcp();
	check_up();
}

Test(ppp, chap_challenge_again_gets_the_same_response)
{
	struct pair_packet first;

	pair_begin(&pair);
	pair_open_lcp(&pair, ask_chap, sizeof(ask_chap));
	pair_send(&pair, PPP_CHAP, 1, 9, challenge, sizeof(challenge));
	first = *pair_next(&pair);
	pair_send(&pair, PPP_CHAP, 1, 9, challenge, sizeof(challenge));
	cr_assert_arr_eq(pair_next(&pair)->data, first.data, first.len);
	cr_assert_eq(pair.stats.repeated[STATS_AUTH], 1);
}

/* The Success was lost, and the LNS has nothing more to say. */
Test(ppp, chap_response_is_repeated_until_it_is_answered)
{
	struct pair_packet first;

	pair_begin(&pair);
	pair_open_lcp(&pair, ask_chap, sizeof(ask_chap));
	pair_send(&pair, PPP_CHAP, 1, 9, challenge, sizeof(challenge));
	first = *pair_next(&pair);
	env_fake_advance(pair.env, ENV_SEC(3));
	cr_assert_arr_eq(pair_next(&pair)->data, first.data, first.len);
	cr_assert_eq(pair.stats.retransmitted[STATS_AUTH], 1);
	pair_send(&pair, PPP_CHAP, 3, 9, NULL, 0);
	cr_assert_eq(pair.authenticated, 1);
	env_fake_advance(pair.env, ENV_SEC(3));
	cr_assert_eq(pair.stats.retransmitted[STATS_AUTH], 1);
}

/* Our acknowledgement was lost: the LNS asks once more, and authentication is still wanted. */
Test(ppp, lcp_again_keeps_authentication)
{
	static const uint8_t request[] = { 1, 4, 5, 120, 3, 5, 0xc2, 0x23, 5 };

	pair_begin(&pair);
	pair_open_lcp(&pair, ask_chap, sizeof(ask_chap));
	pair_send(&pair, PPP_LCP, FSM_CONFREQ, 77, request, sizeof(request));
	cr_assert_eq(pair_next(&pair)->data[0], FSM_CONFREQ, "the client asks again, too");
	cr_assert_eq(pair_expect(&pair, PPP_LCP, FSM_CONFACK, request, sizeof(request)), 77);
	cr_assert_eq(pair.ppp.auth, PPP_AUTH_CHAP);
}

Test(ppp, chap_failure_ends_it_with_the_lns_s_words)
{
	pair_begin(&pair);
	pair_open_lcp(&pair, ask_chap, sizeof(ask_chap));
	pair_send(&pair, PPP_CHAP, 1, 9, challenge, sizeof(challenge));
	pair_next(&pair);
	pair_send(&pair, PPP_CHAP, 4, 9, "no\nway", 6);
	cr_assert_str_eq(pair.reason, "CHAP refused: no\\x0away");
	/* It still answers the Terminate-Request that follows. */
	pair_send(&pair, PPP_LCP, FSM_TERMREQ, 3, NULL, 0);
	cr_assert_eq(pair_expect(&pair, PPP_LCP, FSM_TERMACK, NULL, 0), 3);
}

Test(ppp, pap_call_repeats_its_request)
{
	static const uint8_t request[] = "\x05"
					 "alice\x0awonderland";
	uint8_t id;

	pair_begin(&pair);
	pair_open_lcp(&pair, ask_pap, sizeof(ask_pap));
	id = pair_expect(&pair, PPP_PAP, 1, request, sizeof(request) - 1);
	env_fake_advance(pair.env, ENV_SEC(3));
	cr_assert_eq(pair_expect(&pair, PPP_PAP, 1, request, sizeof(request) - 1), id);
	cr_assert_eq(pair.stats.retransmitted[STATS_AUTH], 1);
	pair_send(&pair, PPP_PAP, 2, id, "", 1);
	cr_assert_eq(pair.authenticated, 1);
	pair.stats.retransmitted[STATS_AUTH] = 0;
	open_ipcp();
	check_up();
}

Test(ppp, pap_without_an_answer_gives_up)
{
	pair_begin(&pair);
	pair_open_lcp(&pair, ask_pap, sizeof(ask_pap));
	env_fake_advance(pair.env, ENV_SEC(20));
	cr_assert_str_eq(pair.reason, "PAP: no answer");
	cr_assert_eq(pair.stats.retransmitted[STATS_AUTH], 2);
}

Test(ppp, mschapv2_wants_proof)
{
	uint8_t packet[17] = { 16, 1, 2, 3 };
	const char *proof = pair.ppp.authentication.proof;

	pair_begin(&pair);
	pair_open_lcp(&pair, ask_ms2, sizeof(ask_ms2));
	pair_send(&pair, PPP_CHAP, 1, 1, packet, sizeof(packet));
	cr_assert_eq(pair_next(&pair)->len, PPP_HEADER + 1 + MSCHAP_VALUE + 5);
	pair_send(&pair, PPP_CHAP, 3, 1, proof, MSCHAP_PROOF);
	open_ipcp();
	check_up();
}

Test(ppp, mschapv2_refuses_a_wrong_proof)
{
	uint8_t packet[17] = { 16, 1, 2, 3 };
	char wrong[MSCHAP_PROOF + 1];

	pair_begin(&pair);
	pair_open_lcp(&pair, ask_ms2, sizeof(ask_ms2));
	pair_send(&pair, PPP_CHAP, 1, 1, packet, sizeof(packet));
	memcpy(wrong, pair.ppp.authentication.proof, sizeof(wrong));
	wrong[MSCHAP_PROOF - 1] ^= 1;
	pair_send(&pair, PPP_CHAP, 3, 1, wrong, MSCHAP_PROOF);
	cr_assert_eq(pair.authenticated, 0);
	cr_assert_str_eq(
		pair.reason, "MS-CHAPv2: the LNS does not prove that it knows the password");
}

Test(ppp, mschapv2_challenge_must_have_16_octets)
{
	pair_begin(&pair);
	pair_open_lcp(&pair, ask_ms2, sizeof(ask_ms2));
	pair_send(&pair, PPP_CHAP, 1, 1, challenge, sizeof(challenge));
	cr_assert_str_eq(pair.reason, "MS-CHAPv2: a challenge of 4 octets");
}

Test(ppp, authentication_that_we_cannot_is_nakked)
{
	pair.settings.auth = PPP_AUTH_MSCHAPV2;
	pair_begin(&pair);
	ppp_open(&pair.ppp);
	pair_next(&pair);
	pair_send(&pair, PPP_LCP, FSM_CONFREQ, 1, ask_pap, sizeof(ask_pap));
	pair_expect(&pair, PPP_LCP, FSM_CONFNAK, ask_ms2, sizeof(ask_ms2));
	for (uint8_t id = 2; !pair.reason[0] && id < 50; id++)
		pair_send(&pair, PPP_LCP, FSM_CONFREQ, id, ask_pap, sizeof(ask_pap));
	cr_assert_str_eq(pair.reason, "LCP: no agreement on the LNS's options");
}

Test(ppp, authentication_can_be_required)
{
	pair.settings.auth_required = true;
	pair_begin(&pair);
	pair_open_lcp(&pair, NULL, 0);
	cr_assert_str_eq(pair.reason, "the LNS did not ask for authentication");
}

Test(ppp, rejects_only_the_options_it_does_not_know)
{
	static const uint8_t options[] = { 3, 5, 0xc2, 0x23, 5, 17, 4, 5, 0xdc, 5, 6, 1, 2, 3, 4 };

	pair_begin(&pair);
	ppp_open(&pair.ppp);
	pair_next(&pair);
	pair_send(&pair, PPP_LCP, FSM_CONFREQ, 1, options, sizeof(options));
	pair_expect(&pair, PPP_LCP, FSM_CONFREJ, options + 5, 4);
}

Test(ppp, broken_requests_are_dropped)
{
	static const uint8_t beyond[] = { 3, 9, 0xc2 }, short_one[] = { 3, 1 }, half[] = { 3 };

	pair_begin(&pair);
	ppp_open(&pair.ppp);
	pair_next(&pair);
	pair_send(&pair, PPP_LCP, FSM_CONFREQ, 1, beyond, sizeof(beyond));
	pair_send(&pair, PPP_LCP, FSM_CONFREQ, 2, short_one, sizeof(short_one));
	pair_send(&pair, PPP_LCP, FSM_CONFREQ, 3, half, sizeof(half));
	ppp_input(&pair.ppp, (const uint8_t *)"\xc0\x21\x01\x01\x00\xff", 6);
	ppp_input(&pair.ppp, (const uint8_t *)"\xc0\x21\x01\x01\x00\x03", 6);
	ppp_input(&pair.ppp, (const uint8_t *)"\xc0", 1);
	ppp_input(&pair.ppp, NULL, 0);
	pair_expect_nothing(&pair);
}

Test(ppp, lcp_request_is_repeated_and_counted)
{
	struct pair_packet first;

	pair_begin(&pair);
	ppp_open(&pair.ppp);
	first = *pair_next(&pair);
	env_fake_advance(pair.env, ENV_SEC(3));
	cr_assert_arr_eq(pair_next(&pair)->data, first.data, first.len);
	cr_assert_eq(pair.stats.retransmitted[STATS_LCP], 1);
	env_fake_advance(pair.env, ENV_SEC(20));
	cr_assert_str_eq(pair.reason, "LCP: no answer to Configure-Request");
}

Test(ppp, who_listens_joins_in_or_begins_after_a_while)
{
	pair_begin(&pair);
	ppp_listen(&pair.ppp);
	pair_expect_nothing(&pair);
	env_fake_advance(pair.env, ENV_SEC(3));
	cr_assert_eq(pair_next(&pair)->data[0], FSM_CONFREQ);
	cr_assert_eq(pair.stats.retransmitted[STATS_LCP], 0);
	ppp_start(&pair.ppp, "alice", "wonderland");
	pair_send(&pair, PPP_LCP, FSM_CONFREQ, 1, ask_pap, sizeof(ask_pap));
	cr_assert_eq(pair_next(&pair)->data[0], FSM_CONFREQ);
	pair_expect(&pair, PPP_LCP, FSM_CONFACK, ask_pap, sizeof(ask_pap));
}

Test(ppp, echoes_are_answered_with_our_magic_number)
{
	static const uint8_t echo[] = { 9, 9, 9, 9, 'h', 'i' };
	uint8_t reply[6] = { 0, 0, 0, 0, 'h', 'i' };

	pair_begin(&pair);
	pair_send(&pair, PPP_LCP, LCP_ECHOREQ, 4, echo, sizeof(echo));
	pair_expect_nothing(&pair);
	pair_open_lcp(&pair, ask_chap, sizeof(ask_chap));
	pair_send(&pair, PPP_LCP, LCP_ECHOREQ, 5, echo, sizeof(echo));
	for (int i = 0; i < 4; i++)
		reply[i] = (uint8_t)(pair.ppp.magic >> (24 - 8 * i));
	cr_assert_eq(pair_expect(&pair, PPP_LCP, LCP_ECHOREP, reply, sizeof(reply)), 5);
	cr_assert_eq(pair.stats.echoes, 1);
}

Test(ppp, unknown_protocols_are_rejected)
{
	static const uint8_t rejected[] = { 0x80, 0xfd, 1, 1, 0, 4 };

	pair_begin(&pair);
	pair_open_lcp(&pair, ask_chap, sizeof(ask_chap));
	pair_send(&pair, 0x80fd, FSM_CONFREQ, 1, NULL, 0);
	pair_expect(&pair, PPP_LCP, LCP_PROTREJ, rejected, sizeof(rejected));
}

Test(ppp, ipv6_is_up_only_with_both)
{
	static const uint8_t id_option[] = { 1, 10, 2, 0, 0, 0, 0, 0, 0, 1 };
	struct pair_packet request;

	pair.settings.ipv6 = true;
	pair_begin(&pair);
	pair_open_lcp(&pair, NULL, 0);
	/* The requests of both protocols left together: IPCP's is put behind the other. */
	request = pair.sent[pair.sent_count - 1];
	cr_assert_eq(request.protocol, PPP_IPV6CP);
	pair.sent[pair.sent_count - 1] = *pair_next(&pair);
	open_ipcp();
	cr_assert_eq(pair.up, 0);
	pair_send(&pair, PPP_IPV6CP, FSM_CONFREQ, 1, id_option, sizeof(id_option));
	pair_send(&pair, PPP_IPV6CP, FSM_CONFACK, request.data[1], request.data + PPP_HEADER,
		request.len - PPP_HEADER);
	cr_assert_eq(pair.up, 1);
}

Test(ppp, no_address_is_a_failure)
{
	static const uint8_t request[] = { 3, 6, 0, 0, 0, 0, 129, 6, 0, 0, 0, 0, 131, 6, 0, 0, 0,
		0 };
	static const uint8_t ours[] = { 3, 6, 100, 64, 0, 1 };
	uint8_t id;

	pair_begin(&pair);
	pair_open_lcp(&pair, NULL, 0);
	id = pair_expect(&pair, PPP_IPCP, FSM_CONFREQ, request, sizeof(request));
	pair_send(&pair, PPP_IPCP, FSM_CONFREQ, 1, ours, sizeof(ours));
	pair_send(&pair, PPP_IPCP, FSM_CONFACK, id, request, sizeof(request));
	cr_assert_str_eq(pair.reason, "IPCP: the LNS gave no address");
}

Test(ppp, closing_sends_a_terminate_request)
{
	uint8_t id;

	pair_begin(&pair);
	pair_open_lcp(&pair, NULL, 0);
	open_ipcp();
	ppp_close(&pair.ppp);
	id = pair_expect(&pair, PPP_LCP, FSM_TERMREQ, NULL, 0);
	pair_send(&pair, PPP_LCP, FSM_TERMACK, id, NULL, 0);
	cr_assert_eq(pair.closed, 1);
	ppp_start(&pair.ppp, "alice", "wonderland");
	ppp_close(&pair.ppp);
	env_fake_advance(pair.env, ENV_SEC(10));
	cr_assert_eq(pair.closed, 2, "nobody answers for ever");
}

/* ---- a LAC that did the first half ---- */

Test(ppp, proxied_call_needs_no_lcp)
{
	struct ppp_proxy proxy;

	pair.settings.auth = PPP_AUTH_CHAP;
	pair.settings.strict = true;
	pair_begin(&pair);
	ppp_proxy(&pair.ppp, true, true, &proxy);
	cr_assert_eq(proxy.authen_type, 2);
	cr_assert_eq(proxy.response_len, 16);
	cr_assert_arr_eq(proxy.last_sent, ask_chap, sizeof(ask_chap));
	cr_assert_gt(proxy.last_received_len, 0);
	pair_expect_nothing(&pair);
	pair_send(&pair, PPP_CHAP, 3, proxy.id, NULL, 0);
	open_ipcp();
	check_up();
}

Test(ppp, strict_client_fails_on_a_configure_request)
{
	struct ppp_proxy proxy;

	pair.settings.strict = true;
	pair_begin(&pair);
	ppp_proxy(&pair.ppp, true, true, &proxy);
	pair_send(&pair, PPP_LCP, FSM_CONFREQ, 1, ask_chap, sizeof(ask_chap));
	cr_assert_str_eq(pair.reason, "LCP: the LNS sent a Configure-Request after proxy LCP");
}

Test(ppp, other_clients_negotiate_again)
{
	struct ppp_proxy proxy;
	struct pair_packet request;

	pair_begin(&pair);
	ppp_proxy(&pair.ppp, true, true, &proxy);
	pair_send(&pair, PPP_LCP, FSM_CONFREQ, 1, NULL, 0);
	request = *pair_next(&pair);
	cr_assert_eq(request.data[0], FSM_CONFREQ);
	pair_expect(&pair, PPP_LCP, FSM_CONFACK, NULL, 0);
	pair_send(&pair, PPP_LCP, FSM_CONFACK, request.data[1], request.data + PPP_HEADER,
		request.len - PPP_HEADER);
	open_ipcp();
	check_up();
}

Test(ppp, proxied_pap_has_the_password)
{
	struct ppp_proxy proxy;

	pair.settings.auth = PPP_AUTH_PAP;
	pair_begin(&pair);
	ppp_proxy(&pair.ppp, true, true, &proxy);
	cr_assert_eq(proxy.authen_type, 3);
	cr_assert_eq(proxy.response_len, 10);
	cr_assert_arr_eq(proxy.response, "wonderland", 10);
	pair_expect_nothing(&pair);
	pair_send(&pair, PPP_PAP, 2, proxy.id, "", 1);
	open_ipcp();
	check_up();
}

Test(ppp, proxied_lcp_alone_leaves_authentication_to_the_lns)
{
	struct ppp_proxy proxy;

	pair.settings.auth = PPP_AUTH_CHAP;
	pair.settings.strict = true;
	pair_begin(&pair);
	ppp_proxy(&pair.ppp, true, false, &proxy);
	cr_assert_eq(proxy.authen_type, 4);
	pair_send(&pair, PPP_CHAP, 1, 9, challenge, sizeof(challenge));
	cr_assert_eq(pair_next(&pair)->data[0], 2);
	pair_send(&pair, PPP_CHAP, 3, 9, NULL, 0);
	open_ipcp();
	check_up();
}
