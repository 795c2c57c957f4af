/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control connection: RFC 2661 sections 5.1, 5.5, 5.7, 7.2, 8.1, and who may have one. Every test is
 * an exchange between a LAC and the server.
 */
#include "lns/l2tp/digest.h"
#include "lns/l2tp/tunnel.h"
#include "tests/unit/env_fake.h"
#include "tests/unit/l2tp/fake.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct fake fake;
static struct lac lac;

static void setup(void)
{
	fake_init(&fake);
	fake_start(&fake);
	lac_init(&lac, &fake, "198.51.100.7", 1701, 77);
}

static void teardown(void)
{
	fake_end(&fake);
}

TestSuite(tunnel, .init = setup, .fini = teardown);

static const char *state_of(struct l2tp_tunnel *tunnel)
{
	struct l2tp_tunnel_info info;

	l2tp_tunnel_info(tunnel, &info);
	return info.state;
}

static void expect_stopccn(uint16_t code, uint16_t error)
{
	lac_expect(&lac, L2TP_STOPCCN);
	cr_assert_eq(lac.msg.result.code, code, "code %u", lac.msg.result.code);
	cr_assert_eq(lac.msg.result.error, error, "error %u", lac.msg.result.error);
	cr_assert_neq(lac.msg.assigned_tunnel_id, 0);
	cr_assert_eq(lac.header.tunnel_id, lac.id);
}

/* No tunnel is left, not even a lingering one. */
static void expect_no_tunnel(void)
{
	cr_assert_null(l2tp_tunnel_next(fake.server, 0));
}

Test(tunnel, is_established)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac), scccn = lac_scccn();
	struct l2tp_tunnel_info info;

	lac_send(&lac, 0, &sccrq);
	lac_expect(&lac, L2TP_SCCRP);
	fake_expect_events(&fake, "tunnel_open");
	cr_assert_str_eq(state_of(fake.tunnel), "wait-ctl-conn");
	cr_assert_eq(lac.msg.protocol_version, 0x0100);
	cr_assert_eq(lac.msg.framing_capabilities, 3);
	cr_assert_eq(lac.msg.bearer_capabilities, 0);
	cr_assert_eq(lac.msg.receive_window_size, 8);
	cr_assert_eq(memcmp(lac.msg.host_name.data, "lns.example.net", 15), 0);
	cr_assert_not(l2tp_msg_has(&lac.msg, L2TP_AVP_CHALLENGE));
	lac.peer_id = lac.msg.assigned_tunnel_id;
	cr_assert_neq(lac.peer_id, 0);

	lac_send(&lac, 0, &scccn);
	fake_expect_events(&fake, "tunnel_up");
	l2tp_tunnel_info(fake.tunnel, &info);
	cr_assert_str_eq(info.state, "established");
	cr_assert_str_eq(info.host_name, "bng1");
	cr_assert_eq(info.peer_id, 77);
	cr_assert_eq(info.peer_window, 4);
	cr_assert_eq(info.since, env_now(fake.env));
	cr_assert_eq(fake.ns, 1);
	cr_assert_eq(fake.nr, 2);
	cr_assert_eq(l2tp_server_counters(fake.server)->tunnels_up, 1);
	fake_expect_silence(&fake);
	fake_advance(&fake, ENV_MS(10));
	lac_expect(&lac, L2TP_ZLB);
	fake_expect_silence(&fake);
}

Test(tunnel, absent_window_means_four)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac);
	struct l2tp_tunnel_info info;

	sccrq.present &= ~HAS(RECEIVE_WINDOW_SIZE);
	lac_send(&lac, 0, &sccrq);
	l2tp_tunnel_info(fake.tunnel, &info);
	cr_assert_eq(info.peer_window, 4);
}

/* --- authentication --- */

static void use_secrets(const char *ours, const char *theirs)
{
	lac_set_secret(&fake.lac.secret, ours);
	fake.lac.challenge = true;
	lac_set_secret(&lac.secret, theirs);
}

Test(tunnel, both_sides_authenticate)
{
	uint8_t expected[16];
	struct l2tp_msg sccrq, scccn = lac_scccn();

	use_secrets("secret", "secret");
	sccrq = lac_sccrq(&lac);
	lac_send(&lac, 0, &sccrq);
	lac_expect(&lac, L2TP_SCCRP);
	lac.peer_id = lac.msg.assigned_tunnel_id;
	l2tp_digest_response(L2TP_SCCRP, &lac.secret, lac.challenge, 16, expected);
	cr_assert(l2tp_msg_has(&lac.msg, L2TP_AVP_CHALLENGE_RESPONSE));
	cr_assert_eq(memcmp(lac.msg.challenge_response, expected, 16), 0);
	cr_assert(l2tp_msg_has(&lac.msg, L2TP_AVP_CHALLENGE));
	cr_assert_eq(lac.msg.challenge.len, 16);

	scccn.present |= HAS(CHALLENGE_RESPONSE);
	l2tp_digest_response(
		L2TP_SCCCN, &lac.secret, lac.msg.challenge.data, 16, scccn.challenge_response);
	lac_send(&lac, 0, &scccn);
	fake_expect_events(&fake, "tunnel_open tunnel_up");
}

Test(tunnel, a_wrong_answer_is_refused)
{
	struct l2tp_msg sccrq, scccn = lac_scccn();

	use_secrets("secret", "secret");
	sccrq = lac_sccrq(&lac);
	lac_send(&lac, 0, &sccrq);
	lac_expect(&lac, L2TP_SCCRP);
	lac.peer_id = lac.msg.assigned_tunnel_id;
	scccn.present |= HAS(CHALLENGE_RESPONSE);
	memset(scccn.challenge_response, 0x55, 16);
	lac_send(&lac, 0, &scccn);
	expect_stopccn(L2TP_STOPCCN_NOT_AUTHORIZED, 0);
	fake_expect_events(&fake, "tunnel_open tunnel_down");
	cr_assert_not(fake.by_peer);
	cr_assert_str_eq(state_of(fake.tunnel), "closing");
}

Test(tunnel, a_missing_answer_is_refused)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac), scccn = lac_scccn();

	use_secrets("secret", "");
	lac_send(&lac, 0, &sccrq);
	lac_expect(&lac, L2TP_SCCRP);
	lac.peer_id = lac.msg.assigned_tunnel_id;
	lac_send(&lac, 0, &scccn);
	expect_stopccn(L2TP_STOPCCN_NOT_AUTHORIZED, 0);
}

Test(tunnel, a_challenge_without_a_secret_is_refused)
{
	struct l2tp_msg sccrq;

	lac_set_secret(&lac.secret, "secret");
	sccrq = lac_sccrq(&lac);
	lac_send(&lac, 0, &sccrq);
	expect_stopccn(L2TP_STOPCCN_NOT_AUTHORIZED, 0);
	fake_expect_events(&fake, "");
	expect_no_tunnel();
}

/* Whether the last packet received has a Random Vector AVP: vendor 0, type 36. */
static bool is_hiding(void)
{
	return memmem(lac.packet, lac.packet_len, "\0\0\0\x24", 4) != NULL;
}

Test(tunnel, hides_and_unhides)
{
	struct l2tp_msg sccrq, icrq = lac_icrq(5);

	use_secrets("secret", "secret");
	fake.lac.hide_avps = true;
	lac.hide = true;
	sccrq = lac_sccrq(&lac);
	cr_assert_eq(sccrq.assigned_tunnel_id, 77);
	lac_open(&lac);
	fake_expect_events(&fake, "tunnel_open tunnel_up");
	fake.hold_calls = true;
	lac_send(&lac, 0, &icrq);
	cr_assert_str_eq(l2tp_session_call(fake.session)->calling_number, "5551234");
	/* the number is not on the wire in the clear */
	cr_assert_null(memmem(lac.packet, lac.packet_len, "5551234", 7));
	l2tp_session_accept(fake.session);
	lac_expect(&lac, L2TP_ICRP);
	cr_assert(is_hiding());
}

/* Who has not yet read our Host Name may not know the secret. */
Test(tunnel, nothing_is_hidden_before_establishment)
{
	struct l2tp_msg sccrq;

	use_secrets("secret", "secret");
	fake.lac.hide_avps = true;
	sccrq = lac_sccrq(&lac);
	lac_send(&lac, 0, &sccrq);
	lac_expect(&lac, L2TP_SCCRP);
	cr_assert_not(is_hiding());
}

/* --- who gets a tunnel --- */

Test(tunnel, an_unlisted_peer_is_refused_without_state)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac);

	fake.unknown_peer = true;
	lac_send(&lac, 0, &sccrq);
	expect_stopccn(L2TP_STOPCCN_NOT_AUTHORIZED, 0);
	cr_assert_eq(lac.header.ns, 0);
	expect_no_tunnel();
	cr_assert_eq(env_fake_timers(fake.env), 0);
}

Test(tunnel, another_protocol_version_is_refused)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac);

	sccrq.protocol_version = 0x0200;
	lac_send(&lac, 0, &sccrq);
	expect_stopccn(L2TP_STOPCCN_VERSION, 0x0100);
	expect_no_tunnel();
}

Test(tunnel, another_revision_is_accepted)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac);

	sccrq.protocol_version = 0x0107;
	lac_send(&lac, 0, &sccrq);
	lac_expect(&lac, L2TP_SCCRP);
}

Test(tunnel, a_missing_mandatory_avp_is_refused)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac);
	size_t at;

	lac_build(&lac, 0, &sccrq);
	/* the Host Name becomes an unknown AVP without M */
	for (at = 12; lac.packet[at + 5] != 7;
		at += (size_t)((lac.packet[at] & 3) << 8 | lac.packet[at + 1]))
		;
	lac.packet[at] &= 0x7f;
	lac.packet[at + 4] = 0x7f;
	lac.ns++;
	lac_repeat(&lac);
	expect_stopccn(L2TP_STOPCCN_ERROR, L2TP_ERROR_VALUE);
	expect_no_tunnel();
}

Test(tunnel, limits_of_tunnels)
{
	struct lac other, third;
	struct l2tp_msg sccrq;

	fake.lac.max_tunnels = 2;
	lac_open(&lac);
	lac_init(&other, &fake, "198.51.100.8", 1701, 78);
	lac_open(&other);
	lac_init(&third, &fake, "198.51.100.9", 1701, 79);
	sccrq = lac_sccrq(&third);
	lac_send(&third, 0, &sccrq);
	lac_expect(&third, L2TP_STOPCCN);
	cr_assert_eq(third.msg.result.code, L2TP_STOPCCN_ERROR);
	cr_assert_eq(third.msg.result.error, L2TP_ERROR_RESOURCES);

	fake.lac.max_tunnels = 0;
	fake.settings.max_tunnels = 2;
	l2tp_server_set(fake.server, &fake.settings);
	lac_init(&third, &fake, "198.51.100.9", 1701, 80);
	sccrq = lac_sccrq(&third);
	lac_send(&third, 0, &sccrq);
	lac_expect(&third, L2TP_STOPCCN);
	cr_assert_eq(third.msg.result.error, L2TP_ERROR_RESOURCES);
}

static void expect_room(const char *address, uint16_t peer_id, bool room)
{
	struct lac other;
	struct l2tp_msg sccrq;

	lac_init(&other, &fake, address, 1701, peer_id);
	sccrq = lac_sccrq(&other);
	lac_send(&other, 0, &sccrq);
	lac_expect(&other, room ? L2TP_SCCRP : L2TP_STOPCCN);
	if (!room) {
		cr_assert_eq(other.msg.result.code, L2TP_STOPCCN_ERROR);
		cr_assert_eq(other.msg.result.error, L2TP_ERROR_RESOURCES);
	}
}

/* A LAC that has restarted gets the room of its old tunnel. */
Test(tunnel, a_machine_without_room_takes_no_tunnel)
{
	lac_open(&lac);
	fake.no_room = true;
	expect_room("198.51.100.8", 78, false);
	expect_room("198.51.100.7", 79, true);
	fake.no_room = false;
	expect_room("198.51.100.8", 80, true);
}

Test(tunnel, only_an_established_tunnel_can_be_replaced_at_the_limit)
{
	struct lac second;
	struct l2tp_msg sccrq = lac_sccrq(&lac);

	fake.lac.max_tunnels = 1;
	lac_send(&lac, 0, &sccrq);
	lac_expect(&lac, L2TP_SCCRP);
	lac_init(&second, &fake, "198.51.100.7", 1701, 78);
	sccrq = lac_sccrq(&second);
	lac_send(&second, 0, &sccrq);
	lac_expect(&second, L2TP_STOPCCN);
	cr_assert_eq(second.msg.result.error, L2TP_ERROR_RESOURCES);
	fake_expect_events(&fake, "tunnel_open");
}

Test(tunnel, rates_of_new_tunnels)
{
	struct lac flood;
	unsigned int made = 0;

	fake.settings.sccrq_rate_per_source = 5;
	fake.settings.sccrq_rate = 8;
	l2tp_server_set(fake.server, &fake.settings);
	for (uint16_t n = 1; n <= 100; n++) {
		lac_init(&flood, &fake, "198.51.100.66", 1701, n);
		lac_send(&flood, 0, &(struct l2tp_msg[]){ lac_sccrq(&flood) }[0]);
	}
	while (l2tp_tunnel_next(fake.server, made ? fake.tunnel->id : 0)) {
		fake.tunnel = l2tp_tunnel_next(fake.server, made ? fake.tunnel->id : 0);
		made++;
	}
	cr_assert_eq(made, 5, "%u", made);
	cr_assert_eq(l2tp_server_counters(fake.server)->sccrq_limited, 95);

	/* another source still gets what is left of the total, 3 */
	fake_drop_sent(&fake);
	for (uint16_t n = 1; n <= 4; n++) {
		lac_init(&flood, &fake, "198.51.100.67", 1701, n);
		lac_send(&flood, 0, &(struct l2tp_msg[]){ lac_sccrq(&flood) }[0]);
	}
	cr_assert_eq(fake.sent_count, 3, "%u", fake.sent_count);

	/* tokens come back */
	fake_advance(&fake, ENV_SEC(1) - 1);
	fake_drop_sent(&fake);
	lac_init(&flood, &fake, "198.51.100.66", 1701, 200);
	lac_send(&flood, 0, &(struct l2tp_msg[]){ lac_sccrq(&flood) }[0]);
	lac_expect(&flood, L2TP_SCCRP);
}

Test(tunnel, a_flood_of_refused_peers_is_answered_at_a_limited_rate)
{
	struct lac flood;

	fake.unknown_peer = true;
	for (uint16_t n = 1; n <= 1000; n++) {
		lac_init(&flood, &fake, "198.51.100.66", 1701, n);
		lac_send(&flood, 0, &(struct l2tp_msg[]){ lac_sccrq(&flood) }[0]);
	}
	cr_assert_eq(fake.sent_count, 100, "%u", fake.sent_count);
	expect_no_tunnel();
}

Test(tunnel, drained_server_sends_peers_elsewhere)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac);

	l2tp_server_drain(fake.server, true);
	lac_send(&lac, 0, &sccrq);
	expect_stopccn(L2TP_STOPCCN_ERROR, L2TP_ERROR_TRY_ANOTHER);
	expect_no_tunnel();
	cr_assert_str_eq(fake.refused, "wholesale tunnel  : no new tunnels here, try another LNS");
	l2tp_server_drain(fake.server, false);
	lac_init(&lac, &fake, "198.51.100.7", 1701, 78);
	lac_open(&lac);
}

Test(tunnel, no_socket_is_told_to_the_peer)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac);

	fake.no_socket = true;
	lac_send(&lac, 0, &sccrq);
	expect_stopccn(L2TP_STOPCCN_ERROR, L2TP_ERROR_RESOURCES);
	fake_expect_events(&fake, "tunnel_open");
	lac.peer_id = lac.msg.assigned_tunnel_id;
	lac_ack(&lac);
	fake_expect_events(&fake, "");
	expect_no_tunnel();
}

/* --- copies, restarts, several tunnels --- */

Test(tunnel, two_copies_of_an_sccrq_make_one_tunnel)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac);

	lac_send(&lac, 0, &sccrq);
	lac_repeat(&lac);
	lac_expect(&lac, L2TP_SCCRP);
	fake_expect_events(&fake, "tunnel_open");
	cr_assert_null(l2tp_tunnel_next(fake.server, fake.tunnel->id));
	cr_assert_eq(l2tp_server_counters(fake.server)->duplicates, 1);
	fake_advance(&fake, ENV_MS(10)); /* the copy is acknowledged */
	lac_expect(&lac, L2TP_ZLB);
}

Test(tunnel, a_late_copy_does_no_harm)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac);
	struct lac copy;

	lac_build(&lac, 0, &sccrq);
	copy = lac;
	lac_open(&lac);
	lac_repeat(&copy);
	fake_expect_events(&fake, "tunnel_open tunnel_up");
	cr_assert_str_eq(state_of(fake.tunnel), "established");
}

Test(tunnel, the_same_sccrq_after_a_stopccn_is_a_new_one)
{
	struct l2tp_msg stopccn;

	lac_open(&lac);
	stopccn = lac_stopccn(&lac, 1);
	lac_send(&lac, 0, &stopccn);
	fake_drop_sent(&fake);
	lac_init(&lac, &fake, "198.51.100.7", 1701, 77);
	lac_open(&lac);
	fake_expect_events(&fake, "tunnel_open tunnel_up tunnel_down tunnel_open tunnel_up");
}

/* The LAC died before it could acknowledge our StopCCN, and comes back as it was. */
Test(tunnel, the_same_sccrq_after_our_stopccn_is_a_new_one)
{
	struct l2tp_result result = { .code = L2TP_STOPCCN_SHUTTING_DOWN };

	lac_open(&lac);
	l2tp_tunnel_close(fake.tunnel, &result);
	lac_expect(&lac, L2TP_STOPCCN);
	lac_init(&lac, &fake, "198.51.100.7", 1701, 77);
	lac_open(&lac);
	fake_expect_events(
		&fake, "tunnel_open tunnel_up tunnel_down tunnel_open tunnel_free tunnel_up");
	fake_advance(&fake, ENV_SEC(31)); /* no StopCCN that it would take for the new tunnel's */
	fake_expect_silence(&fake);
	cr_assert_str_eq(state_of(fake.tunnel), "established");
}

/* It has not had our SCCRP, and so not the StopCCN after it: the SCCRQ is still the one that we know. */
Test(tunnel, a_copy_of_an_sccrq_that_we_have_stopped_makes_no_tunnel)
{
	struct l2tp_result result = { .code = L2TP_STOPCCN_SHUTTING_DOWN };
	struct l2tp_msg sccrq = lac_sccrq(&lac);

	lac_send(&lac, 0, &sccrq);
	fake_drop_sent(&fake);
	l2tp_tunnel_close(fake.tunnel, &result);
	lac_repeat(&lac);
	fake_expect_events(&fake, "tunnel_open tunnel_down");
	fake_advance(&fake, ENV_SEC(1));
	lac_expect(&lac, L2TP_SCCRP);
}

Test(tunnel, an_sccrq_that_comes_again_after_long_without_our_answer_is_a_copy)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac), scccn = lac_scccn();

	lac_send(&lac, 0, &sccrq);
	fake_advance(&fake, ENV_SEC(15));
	lac_repeat(&lac);
	fake_drop_sent(&fake);
	fake_expect_events(&fake, "tunnel_open");
	lac.peer_id = fake.tunnel->id;
	lac.nr = 1;
	lac_send(&lac, 0, &scccn);
	fake_expect_events(&fake, "tunnel_up");
}

/* Killed and back in no time: the first SCCRQ may count as a copy, its retransmission does not. */
Test(tunnel, a_lac_that_restarts_at_once_is_served_by_its_first_retransmission)
{
	struct l2tp_msg sccrq;

	lac_open(&lac);
	fake_advance(&fake, ENV_SEC(1));
	lac_init(&lac, &fake, "198.51.100.7", 1701, 77);
	sccrq = lac_sccrq(&lac);
	lac_send(&lac, 0, &sccrq);
	fake_expect_events(&fake, "tunnel_open tunnel_up");
	fake_advance(&fake, ENV_SEC(1));
	fake_drop_sent(&fake);
	lac_repeat(&lac);
	lac_expect(&lac, L2TP_SCCRP);
	fake_expect_events(&fake, "tunnel_open");
}

Test(tunnel, a_tunnel_that_is_heard_of_is_not_asked)
{
	struct lac second;
	struct l2tp_msg sccrq, scccn = lac_scccn(), hello = lac_hello();

	lac_open(&lac);
	lac_init(&second, &fake, "198.51.100.7", 1701, 78);
	sccrq = lac_sccrq(&second);
	lac_send(&second, 0, &sccrq);
	second.peer_id = lac_expect(&second, L2TP_SCCRP)->assigned_tunnel_id;
	fake_advance(&fake, ENV_MS(5));
	lac_send(&lac, 0, &hello);
	lac_send(&second, 0, &scccn);
	fake_expect_silence(&fake);
	fake_advance(&fake, ENV_SEC(20));
	fake_expect_events(&fake, "tunnel_open tunnel_up tunnel_open tunnel_up");
}

Test(tunnel, several_tunnels_from_one_port)
{
	struct lac second;
	struct l2tp_tunnel *first;
	struct l2tp_msg hello = lac_hello();

	lac_open(&lac);
	first = fake.tunnel;
	lac_init(&second, &fake, "198.51.100.7", 1701, 78);
	{
		struct l2tp_msg sccrq = lac_sccrq(&second), scccn = lac_scccn();

		lac_send(&second, 0, &sccrq);
		second.peer_id = lac_expect(&second, L2TP_SCCRP)->assigned_tunnel_id;
		lac_send(&second, 0, &scccn);
	}
	/* the first is asked whether it lives, answers, and stays */
	lac_expect(&lac, L2TP_HELLO);
	lac_ack(&lac);
	fake_advance(&fake, ENV_SEC(30));
	cr_assert_str_eq(state_of(first), "established");
	cr_assert_str_eq(state_of(fake.tunnel), "established");
	fake_drop_sent(&fake);
	lac_send(&lac, 0, &hello);
	fake_advance(&fake, ENV_MS(10));
	lac_expect(&lac, L2TP_ZLB);
}

Test(tunnel, mistakes_of_a_peer_are_one_line_a_second)
{
	struct l2tp_msg wen = { .type = L2TP_WEN, .present = HAS(CALL_ERRORS) };
	struct lac second;
	FILE *log;

	lac_open(&lac);
	lac_init(&second, &fake, "198.51.100.7", 1702, 78);
	lac_open(&second);
	log = fake_log_to_file();
	for (int n = 0; n < 5; n++) {
		lac_send(&lac, 4242, &wen);
		lac_send(&second, 4243, &wen);
	}
	cr_assert_eq(fake_lines_with(log, "refused: there is no session"), 1);
	fake_advance(&fake, ENV_SEC(1));
	lac_send(&second, 4243, &wen);
	cr_assert_eq(fake_lines_with(log, "refused: there is no session"), 2);
	cr_assert_eq(fake_lines_with(log, "(and 9 more like it)"), 1);
	fclose(log);
}

Test(tunnel, a_peer_that_never_listens_is_given_up)
{
	const unsigned int most = 131072; /* an answer and a CDN for every call */
	struct l2tp_msg wen = { .type = L2TP_WEN, .present = HAS(CALL_ERRORS) };

	lac_open(&lac);
	lac_build(&lac, 4242, &wen);
	for (unsigned int n = 0; n < most; n++, lac.ns++) {
		lac.packet[8] = (uint8_t)(lac.ns >> 8);
		lac.packet[9] = (uint8_t)lac.ns;
		lac_repeat(&lac);
	}
	fake_expect_events(&fake, "tunnel_open tunnel_up");
	lac_send(&lac, 4242, &wen);
	fake_expect_events(&fake, "tunnel_down tunnel_free");
	cr_assert_str_eq(fake.result.text, "131073 messages wait for an acknowledgement");
	fake_drop_sent(&fake);
}

Test(tunnel, a_peer_is_asked_whether_it_lives)
{
	uint64_t asked, now;

	lac_open(&lac);
	fake_advance(&fake, ENV_SEC(1));
	asked = l2tp_tunnel_ask(fake.tunnel);
	cr_assert_eq(asked, env_now(fake.env));
	lac_expect(&lac, L2TP_HELLO);
	fake_advance(&fake, ENV_MS(500));
	cr_assert_eq(l2tp_tunnel_ask(fake.tunnel), asked, "the question is open");
	fake_expect_silence(&fake);
	lac_ack(&lac);
	fake_advance(&fake, 1);
	now = env_now(fake.env);
	cr_assert_eq(l2tp_tunnel_ask(fake.tunnel), now, "it was answered, this is another one");
	lac_expect(&lac, L2TP_HELLO);
}

/* Another LAC may have the same question about a tunnel that is asked already, or not to be asked. */
Test(tunnel, a_peer_that_is_told_something_is_not_asked)
{
	struct l2tp_result result = { .code = L2TP_STOPCCN_GENERAL };
	struct l2tp_session *session;

	lac_open(&lac);
	lac_call(&lac, 5);
	fake_advance(&fake, ENV_SEC(1));
	fake_drop_sent(&fake);
	session = fake.session;
	l2tp_session_set_link_info(session, 1, 2);
	lac_expect(&lac, L2TP_SLI);
	l2tp_tunnel_ask(fake.tunnel);
	fake_expect_silence(&fake);
	l2tp_tunnel_close(fake.tunnel, &result);
	fake_drop_sent(&fake);
	l2tp_tunnel_ask(fake.tunnel);
	fake_expect_silence(&fake);
}

/* Opens one more tunnel from the LAC's address and port; the server's packets are lost. */
static void open_another(uint16_t id)
{
	struct l2tp_msg sccrq, scccn = lac_scccn();
	struct lac another;

	lac_init(&another, &fake, "198.51.100.7", 1701, id);
	sccrq = lac_sccrq(&another);
	lac_send(&another, 0, &sccrq);
	another.peer_id = lac_expect(&another, L2TP_SCCRP)->assigned_tunnel_id;
	another.nr = 1;
	lac_send(&another, 0, &scccn);
	fake_drop_sent(&fake);
}

Test(tunnel, more_tunnels_do_not_put_off_the_end_of_a_silent_one)
{
	lac_open(&lac);
	open_another(78);
	fake_expect_events(&fake, "tunnel_open tunnel_up tunnel_open tunnel_up");
	fake_advance(&fake, ENV_SEC(5));
	fake_drop_sent(&fake);
	open_another(79);
	fake_expect_events(&fake, "tunnel_open tunnel_up");
	fake_advance(&fake, ENV_SEC(3) + 1);
	fake_expect_events(&fake, "tunnel_down tunnel_free");
}

Test(tunnel, a_silent_tunnel_that_we_close_lingers_as_any_other)
{
	struct l2tp_result result = { .code = L2TP_STOPCCN_GENERAL };
	struct l2tp_tunnel *silent;

	lac_open(&lac);
	silent = fake.tunnel;
	open_another(78);
	l2tp_tunnel_close(silent, &result);
	fake_advance(&fake, ENV_SEC(20));
	cr_assert_str_eq(state_of(silent), "closing");
}

Test(tunnel, a_restarted_lac_is_served_at_once)
{
	struct lac again;
	struct l2tp_tunnel *old;

	lac_open(&lac);
	lac_call(&lac, 5);
	old = fake.tunnel;
	fake_expect_events(&fake, "tunnel_open tunnel_up call_request call_up");
	lac_init(&again, &fake, "198.51.100.7", 1701, 4711);
	again.host_name = "bng1";
	{
		struct l2tp_msg sccrq = lac_sccrq(&again), scccn = lac_scccn();

		lac_send(&again, 0, &sccrq);
		again.peer_id = lac_expect(&again, L2TP_SCCRP)->assigned_tunnel_id;
		cr_assert_str_eq(state_of(old), "established");
		lac_send(&again, 0, &scccn);
	}
	fake_expect_events(&fake, "tunnel_open tunnel_up");
	fake_advance(&fake, ENV_SEC(8) + 1);
	fake_expect_events(&fake, "call_down tunnel_down tunnel_free");
	cr_assert_not(fake.by_peer);
	cr_assert_str_eq(state_of(fake.tunnel), "established");
}

Test(tunnel, a_restarted_lac_with_the_same_id_clears_the_old_tunnel)
{
	struct lac again;
	struct l2tp_msg sccrq, scccn = lac_scccn();

	lac_open(&lac);
	fake_expect_events(&fake, "tunnel_open tunnel_up");
	lac_init(&again, &fake, "198.51.100.7", 1701, 77);
	sccrq = lac_sccrq(&again);
	sccrq.receive_window_size = 5; /* not a copy */
	lac_send(&again, 0, &sccrq);
	again.peer_id = lac_expect(&again, L2TP_SCCRP)->assigned_tunnel_id;
	fake_expect_events(&fake, "tunnel_open");
	lac_send(&again, 0, &scccn);
	fake_expect_events(&fake, "tunnel_up tunnel_down tunnel_free");
	fake_advance(&fake, ENV_MS(10));
	lac_expect(&again, L2TP_ZLB);
	fake_expect_silence(&fake); /* no StopCCN: the id is the new tunnel's */
}

Test(tunnel, an_identical_sccrq_after_a_while_is_a_restart)
{
	struct lac again;

	lac_open(&lac);
	fake_advance(&fake, ENV_SEC(11));
	lac_init(&again, &fake, "198.51.100.7", 1701, 77);
	lac_open(&again);
	fake_expect_events(&fake, "tunnel_open tunnel_up tunnel_open tunnel_up tunnel_down "
				  "tunnel_free");
}

Test(tunnel, a_restarted_lac_is_served_at_its_limit)
{
	struct lac again;

	fake.lac.max_tunnels = 1;
	lac_open(&lac);
	fake_expect_events(&fake, "tunnel_open tunnel_up");
	lac_init(&again, &fake, "198.51.100.7", 1701, 4711);
	lac_open(&again);
	fake_expect_events(&fake, "tunnel_open tunnel_up tunnel_down tunnel_free");
}

Test(tunnel, an_answer_from_another_port_is_followed_before_establishment)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac), scccn = lac_scccn();
	struct l2tp_tunnel_info info;

	lac_send(&lac, 0, &sccrq);
	lac.peer_id = lac_expect(&lac, L2TP_SCCRP)->assigned_tunnel_id;
	addr_set_port(&lac.path.peer, 40000);
	lac_send(&lac, 0, &scccn);
	fake_expect_events(&fake, "tunnel_open tunnel_moved tunnel_up");
	l2tp_tunnel_info(fake.tunnel, &info);
	cr_assert_eq(addr_port(&info.path.peer), 40000);
}

Test(tunnel, a_wrong_source_is_ignored)
{
	struct lac thief;
	struct l2tp_msg stopccn;

	lac_open(&lac);
	lac_init(&thief, &fake, "203.0.113.5", 1701, 77);
	thief.peer_id = lac.peer_id;
	thief.ns = lac.ns;
	thief.nr = lac.nr;
	stopccn = lac_stopccn(&thief, 1);
	lac_send(&thief, 0, &stopccn);
	addr_parse("198.51.100.7", 1702, &thief.path.peer);
	thief.ns = lac.ns;
	lac_send(&thief, 0, &stopccn);
	cr_assert_eq(l2tp_server_counters(fake.server)->wrong_source, 2);
	cr_assert_str_eq(state_of(fake.tunnel), "established");
	fake_expect_silence(&fake);
}

Test(tunnel, an_unknown_tunnel_is_ignored)
{
	struct l2tp_msg hello = lac_hello();

	lac.peer_id = 4242;
	lac_send(&lac, 0, &hello);
	fake_expect_silence(&fake);
	cr_assert_eq(l2tp_server_counters(fake.server)->unknown_tunnel, 1);
}

Test(tunnel, only_an_sccrq_comes_to_tunnel_zero)
{
	uint8_t hello[] = { 0xc8, 2, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 8, 0, 0, 0, 0, 0, 6 };
	uint8_t zlb[] = { 0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0 };

	lac_send_octets(&lac, hello, sizeof(hello));
	lac_send_octets(&lac, zlb, sizeof(zlb));
	fake_expect_silence(&fake);
	expect_no_tunnel();
	cr_assert_eq(l2tp_server_counters(fake.server)->unknown_tunnel, 2);
}

Test(tunnel, data_packets_are_counted_and_dropped)
{
	uint8_t data[] = { 0x40, 2, 0, 12, 0, 77, 0, 5, 0xff, 3, 0xc0, 0x21 };

	lac_send_octets(&lac, data, sizeof(data));
	cr_assert_eq(l2tp_server_counters(fake.server)->data_to_control, 1);
	lac_send_octets(&lac, data, 0);
	cr_assert_eq(l2tp_server_counters(fake.server)->discarded, 1);
}

Test(tunnel, reserved_ids_are_not_given_out)
{
	uint32_t free_id = 12345;

	for (uint32_t id = 1; id < 65536; id++)
		l2tp_server_reserve_tunnel(fake.server, (uint16_t)id, id != free_id);
	lac_open(&lac);
	cr_assert_eq(lac.peer_id, free_id);
	{
		struct lac other;
		struct l2tp_msg sccrq;

		lac_init(&other, &fake, "198.51.100.8", 1701, 5);
		sccrq = lac_sccrq(&other);
		lac_send(&other, 0, &sccrq);
		lac_expect(&other, L2TP_STOPCCN);
		cr_assert_eq(other.msg.result.error, L2TP_ERROR_RESOURCES);
	}
}

/* --- the end --- */

Test(tunnel, setup_has_a_deadline)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac);

	fake.settings.setup_timeout = ENV_SEC(5);
	l2tp_server_set(fake.server, &fake.settings);
	lac_send(&lac, 0, &sccrq);
	lac_expect(&lac, L2TP_SCCRP);
	lac.peer_id = lac.msg.assigned_tunnel_id;
	lac_ack(&lac);
	fake_advance(&fake, ENV_SEC(5));
	expect_stopccn(L2TP_STOPCCN_GENERAL, 0);
	fake_expect_events(&fake, "tunnel_open tunnel_down");
}

Test(tunnel, the_peers_stopccn_is_acknowledged_again_and_again)
{
	struct l2tp_msg stopccn;

	lac_open(&lac);
	lac_call(&lac, 5);
	stopccn = lac_stopccn(&lac, L2TP_STOPCCN_SHUTTING_DOWN);
	lac_send(&lac, 0, &stopccn);
	lac_expect(&lac, L2TP_ZLB); /* at once */
	fake_expect_events(
		&fake, "tunnel_open tunnel_up call_request call_up call_down tunnel_down");
	cr_assert(fake.by_peer);
	cr_assert_eq(fake.result.code, L2TP_STOPCCN_SHUTTING_DOWN);

	fake_advance(&fake, ENV_SEC(30));
	lac_build(&lac, 0, &stopccn);
	lac.packet[9] = (uint8_t)(lac.ns - 1);
	lac_repeat(&lac);
	fake_advance(&fake, ENV_MS(10));
	lac_expect(&lac, L2TP_ZLB);
	fake_expect_events(&fake, "");
	fake_advance(&fake, ENV_SEC(1)); /* 31 s: the peer's last retransmission is over */
	fake_expect_events(&fake, "tunnel_free");
	expect_no_tunnel();
}

Test(tunnel, our_stopccn_is_retransmitted_until_acknowledged)
{
	struct l2tp_result result = { .code = L2TP_STOPCCN_SHUTTING_DOWN };

	lac_open(&lac);
	l2tp_tunnel_close(fake.tunnel, &result);
	fake_expect_events(&fake, "tunnel_open tunnel_up tunnel_down");
	expect_stopccn(L2TP_STOPCCN_SHUTTING_DOWN, 0);
	cr_assert_eq(lac.msg.assigned_tunnel_id, lac.peer_id);
	fake_advance(&fake, ENV_SEC(1));
	expect_stopccn(L2TP_STOPCCN_SHUTTING_DOWN, 0);
	lac_ack(&lac);
	fake_expect_events(&fake, "tunnel_free");
	expect_no_tunnel();
}

Test(tunnel, our_stopccn_overtakes_what_was_never_sent)
{
	struct l2tp_result result = { .code = L2TP_STOPCCN_SHUTTING_DOWN };
	struct l2tp_session *session;
	unsigned int cdns;

	lac_open(&lac);
	for (uint16_t n = 1; n <= 10; n++)
		lac_call(&lac, n);
	while ((session = l2tp_session_next(fake.tunnel, 0)))
		l2tp_session_close(session, &result);
	l2tp_tunnel_close(fake.tunnel, &result);
	for (cdns = 0; fake.sent; cdns++)
		lac_expect(&lac, L2TP_CDN);
	cr_assert_eq(cdns, 4); /* the peer's window */
	lac_ack(&lac);
	lac_expect(&lac, L2TP_STOPCCN);
	fake_expect_silence(&fake);
}

Test(tunnel, crossing_stopccns_linger)
{
	struct l2tp_result result = { .code = L2TP_STOPCCN_GENERAL };
	struct l2tp_msg stopccn;

	lac_open(&lac);
	l2tp_tunnel_close(fake.tunnel, &result);
	stopccn = lac_stopccn(&lac, 1);
	lac_send(&lac, 0, &stopccn);
	fake_drop_sent(&fake);
	lac.nr++;
	lac_ack(&lac);
	fake_expect_events(&fake, "tunnel_open tunnel_up tunnel_down");
	fake_advance(&fake, ENV_SEC(31));
	fake_expect_events(&fake, "tunnel_free");
}

Test(tunnel, the_id_stays_taken_until_the_owner_releases_it)
{
	struct l2tp_msg stopccn;
	struct l2tp_tunnel *tunnel;

	fake.hold_release = true;
	lac_open(&lac);
	tunnel = fake.tunnel;
	stopccn = lac_stopccn(&lac, 1);
	lac_send(&lac, 0, &stopccn);
	fake_advance(&fake, ENV_SEC(100));
	cr_assert_eq(l2tp_tunnel_find(fake.server, lac.peer_id), tunnel);
	cr_assert_str_eq(state_of(tunnel), "closed");
	fake_drop_sent(&fake);
	lac_repeat(&lac); /* nobody is here any more */
	fake_expect_silence(&fake);
	l2tp_tunnel_release(tunnel);
	fake_expect_events(&fake, "tunnel_open tunnel_up tunnel_down tunnel_free");
	expect_no_tunnel();
}

Test(tunnel, a_peer_that_does_not_answer_is_given_up)
{
	lac_open(&lac);
	lac_call(&lac, 9);
	fake_drop_sent(&fake);
	fake_advance(&fake, ENV_SEC(60) - ENV_MS(10)); /* since the ICCN */
	lac_expect(&lac, L2TP_HELLO);
	fake_expect_silence(&fake);
	fake_advance(&fake, ENV_SEC(31) - 1);
	cr_assert_eq(fake.sent_count, 5);
	fake_expect_events(&fake, "tunnel_open tunnel_up call_request call_up");
	fake_advance(&fake, 1);
	fake_expect_events(&fake, "call_down tunnel_down tunnel_free");
	cr_assert_eq(l2tp_server_counters(fake.server)->given_up, 1);
	cr_assert_eq(fake.result.code, L2TP_STOPCCN_GENERAL);
	cr_assert(strstr(fake.result.text, "no acknowledgement"));
}

Test(tunnel, hello_only_after_silence)
{
	struct l2tp_msg hello = lac_hello();

	lac_open(&lac);
	for (unsigned int n = 0; n < 10; n++) {
		fake_advance(&fake, ENV_SEC(50));
		lac_send(&lac, 0, &hello);
		fake_advance(&fake, ENV_MS(10));
		lac_expect(&lac, L2TP_ZLB);
	}
	fake_expect_silence(&fake);
	fake_advance(&fake, ENV_SEC(60));
	lac_expect(&lac, L2TP_HELLO);
	cr_assert_eq(lac.header.session_id, 0);
}

Test(tunnel, an_idle_tunnel_is_closed_when_asked)
{
	uint16_t id;

	fake.lac.idle = ENV_SEC(20);
	lac_open(&lac);
	fake_advance(&fake, ENV_SEC(15));
	id = lac_call(&lac, 5);
	fake_advance(&fake, ENV_SEC(25));
	cr_assert_str_eq(state_of(fake.tunnel), "established");
	lac_send(&lac, id, &(struct l2tp_msg[]){ lac_cdn(5, 1) }[0]);
	fake_advance(&fake, ENV_SEC(19));
	cr_assert_str_eq(state_of(fake.tunnel), "established");
	fake_advance(&fake, ENV_SEC(1));
	lac_expect(&lac, L2TP_STOPCCN);
}

Test(tunnel, a_peer_that_knows_no_id_of_ours_can_stop)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac), stopccn = lac_stopccn(&lac, 1);

	lac_send(&lac, 0, &sccrq);
	lac_send(&lac, 0, &stopccn); /* to tunnel 0: the SCCRP was lost */
	fake_expect_events(&fake, "tunnel_open tunnel_down");
	cr_assert(fake.by_peer);
}

Test(tunnel, out_of_place_messages_clear_the_tunnel)
{
	static const enum l2tp_msg_type types[] = { L2TP_SCCRQ, L2TP_SCCRP, L2TP_SCCCN };

	for (unsigned int established = 0; established < 2; established++) {
		for (unsigned int n = 0; n < 3; n++) {
			struct l2tp_msg msg, sccrq;

			if (!established && types[n] == L2TP_SCCCN)
				continue;
			lac_init(&lac, &fake, "198.51.100.7", 1701,
				(uint16_t)(100 + established * 10 + n));
			sccrq = lac_sccrq(&lac);
			if (established) {
				lac_open(&lac);
			} else {
				lac_send(&lac, 0, &sccrq);
				lac.peer_id = lac_expect(&lac, L2TP_SCCRP)->assigned_tunnel_id;
			}
			msg = sccrq;
			msg.type = types[n];
			if (types[n] == L2TP_SCCCN)
				msg.present = 0;
			lac_send(&lac, 0, &msg);
			expect_stopccn(L2TP_STOPCCN_FSM, 0);
			lac_ack(&lac);
			expect_no_tunnel();
		}
	}
}

Test(tunnel, an_unknown_mandatory_message_clears_the_tunnel)
{
	uint8_t packet[] = { 0xc8, 2, 0, 20, 0, 0, 0, 0, 0, 2, 0, 1, 0x80, 8, 0, 0, 0, 0, 0, 99 };

	lac_open(&lac);
	packet[4] = (uint8_t)(lac.peer_id >> 8);
	packet[5] = (uint8_t)lac.peer_id;
	packet[12] = 0; /* without M: acknowledged and ignored */
	lac_send_octets(&lac, packet, sizeof(packet));
	lac.ns++;
	fake_advance(&fake, ENV_MS(10));
	lac_expect(&lac, L2TP_ZLB);
	packet[12] = 0x80;
	packet[9] = 3;
	lac_send_octets(&lac, packet, sizeof(packet));
	lac.ns++;
	expect_stopccn(L2TP_STOPCCN_ERROR, L2TP_ERROR_MANDATORY_AVP);
}

Test(tunnel, call_messages_before_establishment_clear_the_tunnel)
{
	struct l2tp_msg sccrq = lac_sccrq(&lac), icrq = lac_icrq(5);

	lac_send(&lac, 0, &sccrq);
	lac.peer_id = lac_expect(&lac, L2TP_SCCRP)->assigned_tunnel_id;
	lac_send(&lac, 0, &icrq);
	expect_stopccn(L2TP_STOPCCN_FSM, 0);
}

Test(tunnel, stopccn_for_a_tunnel_of_a_dead_engine)
{
	struct l2tp_result result = { .code = L2TP_STOPCCN_GENERAL };
	uint8_t packet[128], scratch[128];
	struct l2tp_header header;
	struct l2tp_msg msg;
	int len = l2tp_stopccn_encode(
		0x1234, 0x5678, 0xfffe, 0x0102, &result, packet, sizeof(packet));

	cr_assert_gt(len, 0);
	cr_assert_eq(l2tp_msg_decode(packet, (size_t)len, NULL, false, scratch, sizeof(scratch),
			     &header, &msg, &result),
		L2TP_OK);
	cr_assert_eq(header.tunnel_id, 0x5678);
	cr_assert_eq(header.ns, 0xfffe);
	cr_assert_eq(header.nr, 0x0102);
	cr_assert_eq(msg.assigned_tunnel_id, 0x1234);
	cr_assert_eq(l2tp_stopccn_encode(1, 2, 0, 0, &result, packet, 10), -EMSGSIZE);
}

/* --- the tunnels that we open --- */

static void connect_to_lac(void)
{
	cr_assert_eq(l2tp_tunnel_connect(fake.server, &lac.path, &fake.lac, &fake.tunnel), 0);
	lac.ns = 0;
	lac_expect(&lac, L2TP_SCCRQ);
	cr_assert_eq(lac.header.tunnel_id, 0);
	lac.peer_id = lac.msg.assigned_tunnel_id;
}

static struct l2tp_msg sccrp(void)
{
	struct l2tp_msg msg = lac_sccrq(&lac);

	msg.type = L2TP_SCCRP;
	return msg;
}

Test(tunnel, we_open_a_tunnel)
{
	struct l2tp_msg reply, scccn;
	uint8_t expected[16], challenge[16];

	use_secrets("secret", "secret");
	connect_to_lac();
	fake_expect_events(&fake, "tunnel_open");
	cr_assert_str_eq(state_of(fake.tunnel), "wait-ctl-reply");
	cr_assert(l2tp_msg_has(&lac.msg, L2TP_AVP_TIE_BREAKER));
	memcpy(challenge, lac.msg.challenge.data, 16);
	reply = sccrp();
	reply.present |= HAS(CHALLENGE_RESPONSE);
	l2tp_digest_response(L2TP_SCCRP, &lac.secret, challenge, 16, reply.challenge_response);
	lac_send(&lac, 0, &reply);
	scccn = *lac_expect(&lac, L2TP_SCCCN);
	l2tp_digest_response(L2TP_SCCCN, &lac.secret, lac.challenge, 16, expected);
	cr_assert_eq(memcmp(scccn.challenge_response, expected, 16), 0);
	cr_assert_eq(lac.header.tunnel_id, 77);
	fake_expect_events(&fake, "tunnel_up");
}

Test(tunnel, an_sccrp_that_is_not_acceptable_clears)
{
	struct l2tp_msg reply;

	use_secrets("secret", "secret");
	connect_to_lac();
	reply = sccrp();
	reply.present |= HAS(CHALLENGE_RESPONSE);
	lac_send(&lac, 0, &reply);
	lac_expect(&lac, L2TP_STOPCCN);
	cr_assert_eq(lac.msg.result.code, L2TP_STOPCCN_NOT_AUTHORIZED);
	fake_expect_events(&fake, "tunnel_open tunnel_down");
}

Test(tunnel, out_of_place_messages_clear_a_tunnel_that_we_open)
{
	static const enum l2tp_msg_type types[] = { L2TP_SCCRQ, L2TP_SCCCN, L2TP_ICCN };

	for (unsigned int n = 0; n < 3; n++) {
		struct l2tp_msg msg = lac_iccn();

		connect_to_lac();
		if (types[n] == L2TP_SCCRQ)
			msg = lac_sccrq(&lac);
		else if (types[n] == L2TP_SCCCN)
			msg = lac_scccn();
		lac_send(&lac, 0, &msg);
		lac_expect(&lac, L2TP_STOPCCN);
		cr_assert_eq(lac.msg.result.code, L2TP_STOPCCN_FSM);
		lac_ack(&lac);
		fake_expect_events(&fake, "tunnel_open tunnel_down tunnel_free");
		lac.nr = 0;
	}
}

Test(tunnel, no_socket_for_a_tunnel_that_we_open)
{
	struct l2tp_tunnel *tunnel = NULL;

	fake.no_socket = true;
	cr_assert_eq(l2tp_tunnel_connect(fake.server, &lac.path, &fake.lac, &tunnel), -EIO);
	cr_assert_null(tunnel);
	fake_expect_silence(&fake);
	expect_no_tunnel();
}

static void cross(uint64_t theirs, bool given)
{
	struct lac caller;
	struct l2tp_msg sccrq;

	connect_to_lac();
	caller = lac;
	caller.peer_id = 0;
	caller.ns = 0;
	caller.nr = 0;
	sccrq = lac_sccrq(&caller);
	if (given)
		sccrq.present |= HAS(TIE_BREAKER);
	sccrq.tie_breaker = theirs;
	lac_send(&caller, 0, &sccrq);
}

Test(tunnel, we_lose_the_tie)
{
	cross(0, true);
	fake_expect_events(&fake, "tunnel_open tunnel_down tunnel_open tunnel_free");
	lac_init(&lac, &fake, "198.51.100.7", 1701, 77);
	lac.ns = 1;
	lac_expect(&lac, L2TP_SCCRP);
}

Test(tunnel, we_win_the_tie)
{
	cross(UINT64_MAX, true);
	fake_expect_events(&fake, "tunnel_open");
	fake_expect_silence(&fake);
}

Test(tunnel, we_win_when_only_we_gave_a_tie_breaker)
{
	cross(0, false);
	fake_expect_events(&fake, "tunnel_open");
	fake_expect_silence(&fake);
}

Test(tunnel, an_equal_tie_breaker_clears_both)
{
	struct l2tp_msg sccrq;
	uint64_t ours;

	connect_to_lac();
	ours = lac.msg.tie_breaker;
	lac.peer_id = 0;
	lac.nr = 0;
	sccrq = lac_sccrq(&lac);
	sccrq.present |= HAS(TIE_BREAKER);
	sccrq.tie_breaker = ours;
	lac_send(&lac, 0, &sccrq);
	fake_expect_events(&fake, "tunnel_open tunnel_down tunnel_free");
	fake_expect_silence(&fake);
	expect_no_tunnel();
}

/* --- watching --- */

Test(tunnel, a_watcher_sees_every_message_of_a_tunnel)
{
	struct l2tp_msg hello = lac_hello(), bye;

	lac_open(&lac);
	cr_assert_str_eq(fake.seen, "");
	l2tp_server_watch(fake.server, true);
	lac_call(&lac, 5);
	lac_send(&lac, 0, &hello);
	lac_repeat(&lac); /* a duplicate comes in, too */
	fake_advance(&fake, ENV_MS(10));
	bye = lac_stopccn(&lac, 1);
	lac_send(&lac, 0, &bye);
	cr_assert_str_eq(fake.seen, "<ICRQ >ICRP <ICCN >ZLB <HELLO <HELLO >ZLB <StopCCN >ZLB");
	l2tp_server_watch(fake.server, false);
	fake.seen[0] = '\0';
	lac_repeat(&lac);
	cr_assert_str_eq(fake.seen, "");
}

Test(tunnel, a_watcher_sees_retransmissions)
{
	struct l2tp_result result = { .code = 1 };

	lac_open(&lac);
	l2tp_server_watch(fake.server, true);
	l2tp_tunnel_close(fake.tunnel, &result);
	fake_advance(&fake, ENV_SEC(1));
	cr_assert_str_eq(fake.seen, ">StopCCN >StopCCN");
}

Test(tunnel, a_watcher_sees_a_refused_sccrq)
{
	struct l2tp_msg msg = lac_sccrq(&lac);

	l2tp_server_watch(fake.server, true);
	msg.protocol_version = 0x0200;
	lac_send(&lac, 0, &msg);
	cr_assert_str_eq(fake.seen, "<SCCRQ >StopCCN");
}

Test(tunnel, a_watcher_does_not_see_strangers)
{
	struct lac stranger;
	struct l2tp_msg hello = lac_hello();

	lac_open(&lac);
	l2tp_server_watch(fake.server, true);
	lac_init(&stranger, &fake, "198.51.100.99", 1701, 5);
	stranger.peer_id = lac.peer_id;
	lac_send(&stranger, 0, &hello);
	cr_assert_str_eq(fake.seen, "");
}
