/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls: RFC 2661 sections 5.2, 5.6, 6.6 to 6.14, 7.4.2, 7.5.2; RFC 3145; RFC 5515. Every test is an
 * exchange between a LAC, in an established tunnel, and the server.
 */
#include "tests/unit/env_fake.h"
#include "tests/unit/l2tp/fake.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct fake fake;
static struct lac lac;

static void setup(void)
{
	fake_init(&fake);
	fake_start(&fake);
	lac_init(&lac, &fake, "198.51.100.7", 1701, 77);
	lac_open(&lac);
	fake_expect_events(&fake, "tunnel_open tunnel_up");
}

static void teardown(void)
{
	fake_end(&fake);
}

TestSuite(session, .init = setup, .fini = teardown);

static void send_msg(uint16_t session_id, struct l2tp_msg msg)
{
	lac_send(&lac, session_id, &msg);
}

static void expect_cdn(uint16_t peer_session_id, uint16_t code, uint16_t error)
{
	lac_expect(&lac, L2TP_CDN);
	cr_assert_eq(lac.header.session_id, peer_session_id, "session %u", lac.header.session_id);
	cr_assert_eq(lac.msg.result.code, code, "code %u", lac.msg.result.code);
	cr_assert_eq(lac.msg.result.error, error, "error %u", lac.msg.result.error);
	cr_assert_neq(lac.msg.assigned_session_id, 0);
}

static const char *state_of(struct l2tp_session *session)
{
	struct l2tp_session_info info;

	l2tp_session_info(session, &info);
	return info.state;
}

static void expect_no_session(void)
{
	struct l2tp_tunnel_info info;

	cr_assert_null(l2tp_session_next(fake.tunnel, 0));
	l2tp_tunnel_info(fake.tunnel, &info);
	cr_assert_eq(info.sessions, 0);
	cr_assert_str_eq(info.state, "established");
}

static struct l2tp_span text(const char *string)
{
	return (struct l2tp_span){ (const uint8_t *)string, (uint16_t)strlen(string) };
}

/* --- incoming calls --- */

Test(session, an_incoming_call)
{
	struct l2tp_session_info info;
	uint16_t id;

	fake.hold_calls = true;
	send_msg(0, lac_icrq(5));
	fake_expect_events(&fake, "call_request");
	cr_assert_str_eq(state_of(fake.session), "wait-reply");
	cr_assert_str_eq(l2tp_session_call(fake.session)->calling_number, "5551234");
	cr_assert_str_eq(l2tp_session_call(fake.session)->called_number, "800");
	cr_assert_eq(l2tp_session_call(fake.session)->serial_number, 1005);
	fake_expect_silence(&fake);

	l2tp_session_accept(fake.session);
	id = lac_expect(&lac, L2TP_ICRP)->assigned_session_id;
	cr_assert_eq(lac.header.session_id, 5);
	cr_assert_str_eq(state_of(fake.session), "wait-connect");

	send_msg(id, lac_iccn());
	fake_expect_events(&fake, "call_up");
	cr_assert_eq(fake.call.tx_connect_speed, 100000000);
	cr_assert_eq(fake.call.rx_connect_speed, 100000000);
	cr_assert_eq(fake.call.framing_type, 1);
	cr_assert_not(fake.call.sequencing_required);
	l2tp_session_info(fake.session, &info);
	cr_assert_eq(info.id, id);
	cr_assert_eq(info.peer_id, 5);
	cr_assert_str_eq(info.state, "established");
	cr_assert_not(info.outgoing);
	cr_assert_eq(l2tp_session_find(fake.tunnel, id), fake.session);

	send_msg(id, lac_cdn(5, L2TP_CDN_CARRIER_LOST));
	fake_expect_events(&fake, "call_down");
	cr_assert(fake.by_peer);
	cr_assert_eq(fake.result.code, L2TP_CDN_CARRIER_LOST);
	expect_no_session();
	fake_advance(&fake, ENV_MS(10));
	lac_expect(&lac, L2TP_ZLB);
	fake_expect_silence(&fake);
}

Test(session, everything_about_a_call_is_stored)
{
	struct l2tp_msg icrq = lac_icrq(5), iccn = lac_iccn();
	static uint8_t lcp[10] = { 1, 1, 0, 10, 5, 6, 1, 2, 3, 4 }, long_name[70];
	uint16_t id;

	memset(long_name, 'x', sizeof(long_name));
	icrq.present |= HAS(BEARER_TYPE) | HAS(SUB_ADDRESS) | HAS(PHYSICAL_CHANNEL_ID) |
			HAS(AGENT_CIRCUIT_ID) | HAS(AGENT_REMOTE_ID) | HAS(ACTUAL_RATE_UP) |
			HAS(ACTUAL_DELAY_DOWN);
	icrq.bearer_type = 1;
	icrq.sub_address = text("sub\x01\xff");
	icrq.physical_channel_id = 99;
	icrq.agent_circuit_id = text("eth 0/1/0:100");
	icrq.agent_remote_id = (struct l2tp_span){ long_name, sizeof(long_name) };
	icrq.line[0] = 1000;
	icrq.line[13] = 7;
	send_msg(0, icrq);
	id = lac_expect(&lac, L2TP_ICRP)->assigned_session_id;
	iccn.present |= HAS(RX_CONNECT_SPEED) | HAS(SEQUENCING_REQUIRED) | HAS(PRIVATE_GROUP_ID) |
			HAS(INITIAL_RECEIVED_LCP_CONFREQ) | HAS(LAST_SENT_LCP_CONFREQ) |
			HAS(LAST_RECEIVED_LCP_CONFREQ) | HAS(PROXY_AUTHEN_TYPE) |
			HAS(PROXY_AUTHEN_NAME) | HAS(PROXY_AUTHEN_CHALLENGE) |
			HAS(PROXY_AUTHEN_ID) | HAS(PROXY_AUTHEN_RESPONSE);
	iccn.rx_connect_speed = 20000000;
	iccn.private_group_id = text("customers");
	iccn.initial_received_lcp_confreq = (struct l2tp_span){ lcp, 10 };
	iccn.last_sent_lcp_confreq = (struct l2tp_span){ lcp, 9 };
	iccn.last_received_lcp_confreq = (struct l2tp_span){ lcp, 8 };
	iccn.proxy_authen_type = 2;
	iccn.proxy_authen_id = 42;
	iccn.proxy_authen_name = text("user@example.net");
	iccn.proxy_authen_challenge = text("challenge");
	iccn.proxy_authen_response = text("0123456789abcdef");
	send_msg(id, iccn);

	cr_assert_eq(fake.call.bearer_type, 1);
	cr_assert_str_eq(fake.call.sub_address, "sub..");
	cr_assert_eq(fake.call.physical_channel_id, 99);
	cr_assert_str_eq(fake.call.agent_circuit_id, "eth 0/1/0:100");
	cr_assert_eq(strlen(fake.call.agent_remote_id), 63);
	cr_assert_eq(fake.call.line[0], 1000);
	cr_assert_eq(fake.call.line[13], 7);
	cr_assert_eq(fake.call.line_present, HAS(ACTUAL_RATE_UP) | HAS(ACTUAL_DELAY_DOWN));
	cr_assert_eq(fake.call.tx_connect_speed, 100000000);
	cr_assert_eq(fake.call.rx_connect_speed, 20000000);
	cr_assert(fake.call.sequencing_required);
	cr_assert_str_eq(fake.call.private_group_id, "customers");
	cr_assert_eq(fake.call.initial_received_len, 10);
	cr_assert_eq(fake.call.last_sent_len, 9);
	cr_assert_eq(fake.call.last_received_len, 8);
	cr_assert_eq(memcmp(fake.call.last_received, lcp, 8), 0);
	cr_assert_eq(fake.call.proxy_authen_type, 2);
	cr_assert_eq(fake.call.proxy_authen_id, 42);
	cr_assert_eq(fake.call.proxy_name_len, 16);
	cr_assert_eq(fake.call.proxy_challenge_len, 9);
	cr_assert_eq(fake.call.proxy_response_len, 16);
}

Test(session, proxy_values_that_are_too_long_are_left_out)
{
	struct l2tp_msg iccn = lac_iccn();
	static uint8_t big[300];
	uint16_t id;

	send_msg(0, lac_icrq(5));
	id = lac_expect(&lac, L2TP_ICRP)->assigned_session_id;
	iccn.present |=
		HAS(LAST_SENT_LCP_CONFREQ) | HAS(PROXY_AUTHEN_TYPE) | HAS(PROXY_AUTHEN_NAME);
	iccn.last_sent_lcp_confreq = (struct l2tp_span){ big, 300 };
	iccn.proxy_authen_type = 3;
	iccn.proxy_authen_name = (struct l2tp_span){ big, 300 };
	send_msg(id, iccn);
	fake_expect_events(&fake, "call_request call_up");
	cr_assert_eq(fake.call.last_sent_len, 0);
	cr_assert_eq(fake.call.proxy_authen_type, 0);
	cr_assert_eq(fake.call.proxy_name_len, 0);
}

Test(session, the_owner_refuses_a_call)
{
	fake.refuse_calls = true;
	send_msg(0, lac_icrq(5));
	fake_expect_events(&fake, "call_request");
	expect_cdn(5, L2TP_CDN_BUSY, 0);
	expect_no_session();
	cr_assert_eq(l2tp_server_counters(fake.server)->calls_refused, 1);
}

Test(session, the_owner_closes_a_call)
{
	struct l2tp_result result = { .code = L2TP_CDN_ADMINISTRATIVE, .q931_cause = 16 };
	uint16_t id = lac_call(&lac, 5);

	l2tp_session_set_disconnect_cause(fake.session, 3, 0xc021, 1, "idle");
	l2tp_session_close(fake.session, &result);
	expect_cdn(5, L2TP_CDN_ADMINISTRATIVE, 0);
	cr_assert_eq(lac.msg.assigned_session_id, id);
	cr_assert_eq(lac.msg.result.q931_cause, 16);
	cr_assert(l2tp_msg_has(&lac.msg, L2TP_AVP_PPP_DISCONNECT_CAUSE));
	cr_assert_eq(lac.msg.ppp_disconnect_cause.code, 3);
	cr_assert_eq(lac.msg.ppp_disconnect_cause.control_protocol, 0xc021);
	cr_assert_eq(lac.msg.ppp_disconnect_cause.message.len, 4);
	fake_expect_events(&fake, "call_request call_up"); /* no call_down: it knows */
	expect_no_session();
}

Test(session, a_disconnect_cause_is_read)
{
	uint16_t id = lac_call(&lac, 5);
	struct l2tp_msg cdn = lac_cdn(5, L2TP_CDN_CARRIER_LOST);

	cdn.present |= HAS(PPP_DISCONNECT_CAUSE);
	cdn.ppp_disconnect_cause.code = 4;
	cdn.ppp_disconnect_cause.control_protocol = 0x8021;
	cdn.ppp_disconnect_cause.direction = 2;
	cdn.ppp_disconnect_cause.message = text("lost\n");
	send_msg(id, cdn);
	cr_assert_eq(fake.call.disconnect_code, 4);
	cr_assert_eq(fake.call.disconnect_protocol, 0x8021);
	cr_assert_eq(fake.call.disconnect_direction, 2);
	cr_assert_str_eq(fake.call.disconnect_message, "lost.");
}

Test(session, limits_are_answered_at_once)
{
	fake.settings.max_sessions = 2;
	l2tp_server_set(fake.server, &fake.settings);
	lac_call(&lac, 5);
	lac_call(&lac, 6);
	send_msg(0, lac_icrq(7));
	expect_cdn(7, L2TP_CDN_ERROR, L2TP_ERROR_RESOURCES);
	fake_expect_events(&fake, "call_request call_up call_request call_up");
	cr_assert_eq(l2tp_server_counters(fake.server)->calls_refused, 1);
}

Test(session, a_machine_without_room_takes_no_call)
{
	lac_call(&lac, 5);
	fake.no_room = true;
	send_msg(0, lac_icrq(7));
	expect_cdn(7, L2TP_CDN_ERROR, L2TP_ERROR_RESOURCES);
	cr_assert_str_eq(lac.msg.result.text, "no room for a call");
	fake.no_room = false;
	lac_call(&lac, 8);
	fake_expect_events(&fake, "call_request call_up call_request call_up");
	cr_assert_eq(l2tp_server_counters(fake.server)->calls_refused, 1);
}

Test(session, limits_of_a_lac_section_span_its_tunnels)
{
	struct lac second;
	struct l2tp_msg icrq = lac_icrq(9);

	fake.lac.max_sessions = 2;
	lac_init(&second, &fake, "198.51.100.8", 1701, 78);
	lac_open(&second);
	lac_call(&lac, 5);
	lac_call(&lac, 6);
	lac_send(&second, 0, &icrq);
	lac_expect(&second, L2TP_CDN);
	cr_assert_eq(second.msg.result.error, L2TP_ERROR_RESOURCES);
	cr_assert_eq(second.header.session_id, 9);
}

Test(session, a_drained_server_sends_calls_elsewhere)
{
	l2tp_server_drain(fake.server, true);
	send_msg(0, lac_icrq(5));
	expect_cdn(5, L2TP_CDN_ERROR, L2TP_ERROR_TRY_ANOTHER);
	expect_no_session();
}

Test(session, a_drained_lac_is_sent_elsewhere_until_it_is_not)
{
	cr_assert_eq(l2tp_server_drain_lac(fake.server, "another", L2TP_DRAIN_ON), 0);
	cr_assert_eq(l2tp_server_drain_lac(fake.server, fake.lac.name, L2TP_DRAIN_ON), 0);
	cr_assert_eq(l2tp_server_drain_lac(fake.server, fake.lac.name, L2TP_DRAIN_ON), 0,
		"twice is once");
	cr_assert(l2tp_server_is_drained(fake.server, fake.lac.name));
	cr_assert_not(l2tp_server_is_drained(fake.server, NULL), "not all of them");
	cr_assert_not(l2tp_server_is_drained(fake.server, "third"));
	send_msg(0, lac_icrq(5));
	expect_cdn(5, L2TP_CDN_ERROR, L2TP_ERROR_TRY_ANOTHER);
	expect_no_session();
	cr_assert_str_eq(
		fake.refused, "wholesale call 5551234 800: no new calls here, try another LNS");
	lac_ack(&lac);
	cr_assert_eq(l2tp_server_drain_lac(fake.server, fake.lac.name, L2TP_DRAIN_AS_ALL), 0);
	cr_assert_not(l2tp_server_is_drained(fake.server, fake.lac.name));
	lac_call(&lac, 6);
}

Test(session, all_but_one_lac_are_sent_elsewhere)
{
	l2tp_server_drain(fake.server, true);
	cr_assert_eq(l2tp_server_drain_lac(fake.server, fake.lac.name, L2TP_DRAIN_EXCEPT), 0);
	cr_assert(l2tp_server_is_drained(fake.server, NULL));
	cr_assert(l2tp_server_is_drained(fake.server, "another"));
	cr_assert_not(l2tp_server_is_drained(fake.server, fake.lac.name));
	lac_call(&lac, 5);
	l2tp_server_drain(fake.server, true);
	cr_assert(l2tp_server_is_drained(fake.server, fake.lac.name), "all means all");
	lac_ack(&lac);
	send_msg(0, lac_icrq(6));
	expect_cdn(6, L2TP_CDN_ERROR, L2TP_ERROR_TRY_ANOTHER);
}

Test(session, setup_has_a_deadline)
{
	send_msg(0, lac_icrq(5));
	lac_expect(&lac, L2TP_ICRP);
	lac_ack(&lac);
	fake_advance(&fake, ENV_SEC(60));
	while (fake.sent && fake.sent_count > 1)
		lac_expect(&lac, L2TP_HELLO);
	expect_cdn(5, L2TP_CDN_TIMEOUT, 0);
	fake_expect_events(&fake, "call_request call_down");
	cr_assert_not(fake.by_peer);
	expect_no_session();
}

Test(session, an_established_call_has_no_deadline)
{
	fake.lac.hello = 0;
	lac_call(&lac, 5);
	fake_expect_events(&fake, "call_request call_up");
	for (unsigned int n = 0; n < 10; n++) {
		fake_advance(&fake, ENV_SEC(59));
		fake_drop_sent(&fake);
		send_msg(0, lac_hello());
	}
	fake_expect_events(&fake, "");
}

Test(session, an_unknown_session_is_answered_with_cdn)
{
	send_msg(4242, lac_iccn());
	expect_cdn(0, L2TP_CDN_ERROR, L2TP_ERROR_SESSION_ID);
	cr_assert_eq(lac.msg.assigned_session_id, 4242);
	/* but never a CDN with a CDN */
	send_msg(4242, lac_cdn(5, 1));
	/* and a message that names no session at all has no answer */
	send_msg(0, lac_iccn());
	fake_advance(&fake, ENV_MS(10));
	lac_expect(&lac, L2TP_ZLB);
	fake_expect_silence(&fake);
}

Test(session, a_cdn_before_our_id_is_known)
{
	fake.hold_calls = true;
	send_msg(0, lac_icrq(5));
	send_msg(0, lac_cdn(5, L2TP_CDN_CARRIER_LOST));
	fake_expect_events(&fake, "call_request call_down");
	cr_assert(fake.by_peer);
	expect_no_session();
}

Test(session, a_cdn_by_the_peers_id_is_for_the_call_that_has_it)
{
	struct l2tp_session *first;

	fake.hold_calls = true;
	send_msg(0, lac_icrq(5));
	first = fake.session;
	send_msg(0, lac_icrq(5));
	send_msg(0, lac_icrq(6));
	send_msg(0, lac_cdn(5, L2TP_CDN_CARRIER_LOST));
	cr_assert_neq(l2tp_session_next(fake.tunnel, 0), first);
	send_msg(0, lac_cdn(5, L2TP_CDN_CARRIER_LOST)); /* it was ended, and is known no more */
	send_msg(0, lac_icrq(5));
	send_msg(0, lac_cdn(5, L2TP_CDN_CARRIER_LOST));
	fake_expect_events(&fake, "call_request call_request call_request call_down "
				  "call_request call_down");
}

Test(session, an_answer_after_the_end_is_nothing)
{
	struct l2tp_result result = { .code = L2TP_CDN_ADMINISTRATIVE };
	uint16_t id = lac_call(&lac, 5);

	l2tp_session_close(fake.session, &result);
	expect_cdn(5, L2TP_CDN_ADMINISTRATIVE, 0);
	send_msg(id, lac_cdn(5, 1)); /* crossed ours */
	fake_advance(&fake, ENV_MS(10));
	lac_expect(&lac, L2TP_ZLB);
	fake_expect_silence(&fake);
}

Test(session, a_framing_that_is_none_is_refused)
{
	struct l2tp_msg iccn = lac_iccn();
	uint16_t id;

	send_msg(0, lac_icrq(5));
	id = lac_expect(&lac, L2TP_ICRP)->assigned_session_id;
	iccn.framing_type = 0;
	send_msg(id, iccn);
	expect_cdn(5, L2TP_CDN_NO_FRAMING, 0);
	fake_expect_events(&fake, "call_request call_down");
}

Test(session, a_refused_icrq_names_its_call)
{
	struct l2tp_msg icrq = lac_icrq(5);
	size_t at = 12;

	lac_build(&lac, 0, &icrq);
	while (lac.packet[at + 5] != 22) /* Calling Number becomes something unknown, with M */
		at += (size_t)((lac.packet[at] & 3) << 8 | lac.packet[at + 1]);
	lac.packet[at + 4] = 0x70;
	lac.packet[at] |= 0x80;
	lac.ns++;
	lac_repeat(&lac);
	expect_cdn(5, L2TP_CDN_ERROR, L2TP_ERROR_MANDATORY_AVP);
	fake_expect_events(&fake, "");
	expect_no_session();
}

Test(session, an_undecodable_message_ends_its_call_only)
{
	struct l2tp_msg iccn = lac_iccn();
	uint16_t id, other = lac_call(&lac, 6);

	send_msg(0, lac_icrq(5));
	id = lac_expect(&lac, L2TP_ICRP)->assigned_session_id;
	lac_build(&lac, id, &iccn);
	lac.packet[12 + 8 + 4] = 0x70; /* the first AVP after the type: unknown, with M */
	lac.ns++;
	lac_repeat(&lac);
	expect_cdn(5, L2TP_CDN_ERROR, L2TP_ERROR_MANDATORY_AVP);
	fake_expect_events(&fake, "call_request call_up call_request call_down");
	cr_assert_not_null(l2tp_session_find(fake.tunnel, other));
}

Test(session, a_missing_avp_is_accepted_when_lenient)
{
	struct lac lenient;
	struct l2tp_msg icrq = lac_icrq(5);

	for (unsigned int pass = 0; pass < 2; pass++) {
		fake.lac.lenient = pass;
		lac_init(&lenient, &fake, "198.51.100.9", 1701, (uint16_t)(90 + pass));
		lac_open(&lenient);
		lac_build(&lenient, 0, &icrq);
		/* the Call Serial Number goes out of sight */
		for (size_t at = 12; at < lenient.packet_len;
			at += (size_t)((lenient.packet[at] & 3) << 8 | lenient.packet[at + 1])) {
			if (lenient.packet[at + 5] == 15) {
				lenient.packet[at] &= 0x7f;
				lenient.packet[at + 4] = 0x70;
			}
		}
		lenient.ns++;
		lac_repeat(&lenient);
		fake_drop_sent(&fake);
	}
	fake_expect_events(&fake, "tunnel_open tunnel_up tunnel_open tunnel_up call_request");
}

/* --- anomalies of the state tables --- */

static struct l2tp_msg out_of_place(enum l2tp_msg_type type)
{
	struct l2tp_msg msg = lac_icrq(5);

	switch (type) {
	case L2TP_ICRP:
	case L2TP_OCRP:
		msg.present = HAS(ASSIGNED_SESSION_ID);
		break;
	case L2TP_ICCN:
	case L2TP_OCCN:
		msg = lac_iccn();
		break;
	case L2TP_OCRQ:
		msg.present = HAS(ASSIGNED_SESSION_ID) | HAS(CALL_SERIAL_NUMBER) |
			      HAS(MINIMUM_BPS) | HAS(MAXIMUM_BPS) | HAS(BEARER_TYPE) |
			      HAS(FRAMING_TYPE) | HAS(CALLED_NUMBER);
		break;
	default:
		break;
	}
	msg.type = type;
	return msg;
}

static const enum l2tp_msg_type call_types[] = { L2TP_ICRQ, L2TP_ICRP, L2TP_ICCN, L2TP_OCRQ,
	L2TP_OCRP, L2TP_OCCN };

Test(session, out_of_place_messages_end_an_incoming_call)
{
	uint16_t peer_id = 100;

	/* 0: wait-reply, 1: wait-connect, 2: established */
	for (unsigned int state = 0; state < 3; state++) {
		for (unsigned int n = 0; n < 6; n++) {
			struct l2tp_session_info info;

			if (state == 1 && call_types[n] == L2TP_ICCN)
				continue;
			fake.hold_calls = state == 0;
			if (state == 2) {
				lac_call(&lac, ++peer_id);
			} else {
				send_msg(0, lac_icrq(++peer_id));
				if (state == 1)
					lac_expect(&lac, L2TP_ICRP);
			}
			l2tp_session_info(fake.session, &info);
			fake.events[0] = '\0';
			send_msg(info.id, out_of_place(call_types[n]));
			expect_cdn(peer_id, L2TP_CDN_ERROR, L2TP_ERROR_SESSION_ID);
			fake_expect_events(&fake, "call_down");
			expect_no_session();
		}
	}
}

Test(session, replies_without_a_call_are_refused)
{
	for (unsigned int n = 0; n < 6; n++) {
		if (call_types[n] == L2TP_ICRQ || call_types[n] == L2TP_OCRQ)
			continue;
		send_msg(99, out_of_place(call_types[n]));
		lac_expect(&lac, L2TP_CDN);
		cr_assert_eq(lac.msg.result.error, L2TP_ERROR_SESSION_ID);
		cr_assert_eq(lac.msg.assigned_session_id, 99);
	}
	fake_expect_events(&fake, "");
}

Test(session, an_outgoing_call_for_a_lac_is_refused_for_good)
{
	send_msg(0, out_of_place(L2TP_OCRQ));
	expect_cdn(5, L2TP_CDN_NO_FACILITIES_PERMANENT, 0);
	fake_expect_events(&fake, "");
	expect_no_session();
}

/* --- the rest of a call's life --- */

Test(session, wan_errors_and_speeds_are_stored)
{
	uint16_t id = lac_call(&lac, 5);
	struct l2tp_msg wen = {
		.type = L2TP_WEN, .present = HAS(CALL_ERRORS), .call_errors = { 1, 2, 3, 4, 5, 6 }
	};
	struct l2tp_msg csun = { .type = L2TP_CSUN,
		.present = HAS(CONNECT_SPEED_UPDATE),
		.speed_update_count = 2,
		.speed_updates = {
			{ .session_id = 4242 }, { .session_id = id, .tx = 7, .rx = 8 } } };

	send_msg(id, wen);
	fake_expect_events(&fake, "call_request call_up call_changed");
	cr_assert_eq(fake.call.call_errors[5], 6);
	send_msg(0, csun);
	fake_expect_events(&fake, "call_changed");
	cr_assert_eq(fake.call.tx_connect_speed, 7);
	cr_assert_eq(fake.call.rx_connect_speed, 8);
}

/* RFC 5515 section 4.2: of calls whose ICRQ had Connect Speed Update Enable, and of no others. */
Test(session, a_lac_is_asked_for_speeds_that_it_tells)
{
	struct l2tp_msg icrq = lac_icrq(6), csun = {
		.type = L2TP_CSUN, .present = HAS(CONNECT_SPEED_UPDATE), .speed_update_count = 1
	};
	struct l2tp_result result = { .code = L2TP_STOPCCN_GENERAL };
	uint16_t id;

	lac_call(&lac, 5);
	cr_assert_eq(l2tp_tunnel_ask_speeds(fake.tunnel), 0);
	icrq.present |= HAS(CONNECT_SPEED_UPDATE_ENABLE);
	send_msg(0, icrq);
	id = lac_expect(&lac, L2TP_ICRP)->assigned_session_id;
	cr_assert_eq(l2tp_tunnel_ask_speeds(fake.tunnel), 0, "it is not established");
	send_msg(id, lac_iccn());
	cr_assert_eq(l2tp_tunnel_ask_speeds(fake.tunnel), 1);
	lac_expect(&lac, L2TP_CSURQ);
	cr_assert_eq(lac.header.session_id, 0);
	cr_assert_eq(lac.msg.speed_update_count, 1);
	cr_assert_eq(lac.msg.speed_updates[0].session_id, 6, "the id that the LAC gave it");
	cr_assert(!lac.msg.speed_updates[0].tx && !lac.msg.speed_updates[0].rx);
	csun.speed_updates[0] = (struct l2tp_speed_update){ .session_id = id, .tx = 9, .rx = 3 };
	send_msg(0, csun);
	cr_assert_eq(fake.call.tx_connect_speed, 9);
	cr_assert_eq(fake.call.rx_connect_speed, 3);
	l2tp_tunnel_close(fake.tunnel, &result);
	cr_assert_eq(l2tp_tunnel_ask_speeds(fake.tunnel), -ENOTCONN);
}

Test(session, questions_for_speeds_come_in_messages_that_fit)
{
	struct l2tp_msg icrq;
	unsigned int asked = 0;

	for (uint16_t n = 1; n <= 70; n++) {
		icrq = lac_icrq(n);
		icrq.present |= HAS(CONNECT_SPEED_UPDATE_ENABLE);
		send_msg(0, icrq);
		send_msg(lac_expect(&lac, L2TP_ICRP)->assigned_session_id, lac_iccn());
	}
	cr_assert_eq(l2tp_tunnel_ask_speeds(fake.tunnel), 70);
	for (int n = 0; n < 2; n++) {
		asked += lac_expect(&lac, L2TP_CSURQ)->speed_update_count;
		lac_ack(&lac);
	}
	cr_assert_eq(asked, 70);
}

Test(session, link_info_goes_to_the_lac)
{
	uint16_t id = lac_call(&lac, 5);

	l2tp_session_set_link_info(fake.session, 0x000a0000, 0xffffffff);
	lac_expect(&lac, L2TP_SLI);
	cr_assert_eq(lac.header.session_id, 5);
	cr_assert_eq(lac.msg.send_accm, 0x000a0000);
	cr_assert_eq(lac.msg.receive_accm, 0xffffffff);
	/* and one from a LAC is acknowledged and means nothing */
	send_msg(id, (struct l2tp_msg){ .type = L2TP_SLI, .present = HAS(ACCM) });
	fake_expect_events(&fake, "call_request call_up");
	cr_assert_str_eq(state_of(fake.session), "established");
}

Test(session, the_end_of_the_tunnel_ends_every_call)
{
	struct l2tp_result result = { .code = L2TP_STOPCCN_SHUTTING_DOWN };

	lac_call(&lac, 5);
	lac_call(&lac, 6);
	fake_expect_events(&fake, "call_request call_up call_request call_up");
	l2tp_tunnel_close(fake.tunnel, &result);
	fake_expect_events(&fake, "call_down call_down tunnel_down");
	cr_assert_eq(l2tp_server_counters(fake.server)->calls_down, 2);
	lac_expect(&lac, L2TP_STOPCCN); /* and no CDNs */
	fake_expect_silence(&fake);
}

Test(session, the_owner_may_close_the_tunnel_from_inside)
{
	fake.close_tunnel_in_call = true;
	send_msg(0, lac_icrq(5));
	fake_expect_events(&fake, "call_request call_down tunnel_down");
	lac_expect(&lac, L2TP_STOPCCN);
	lac_ack(&lac);
	fake_expect_events(&fake, "tunnel_free");
}

Test(session, a_call_that_is_down_keeps_its_id_and_tunnel_until_closed)
{
	struct l2tp_result result = { .code = L2TP_CDN_CARRIER_LOST };
	struct l2tp_msg stopccn = lac_stopccn(&lac, 1);
	struct l2tp_session *session;
	uint16_t id = lac_call(&lac, 5);

	fake.hold_close = true;
	session = fake.session;
	lac_send(&lac, 0, &stopccn);
	fake_expect_events(&fake, "call_request call_up call_down tunnel_down");
	cr_assert_str_eq(state_of(session), "down");
	cr_assert_eq(l2tp_session_find(fake.tunnel, id), session);
	fake_advance(&fake, ENV_SEC(100)); /* the tunnel is released and has lingered */
	cr_assert_not_null(l2tp_tunnel_find(fake.server, lac.peer_id));
	fake_expect_events(&fake, "");
	fake_drop_sent(&fake);
	l2tp_session_close(session, &result);
	fake_expect_silence(&fake);
	fake_expect_events(&fake, "tunnel_free");
}

Test(session, ids_are_unique)
{
	static bool seen[65536];

	fake.lac.hello = 0;
	for (unsigned int n = 1; n <= 3000; n++) {
		uint16_t id = lac_call(&lac, (uint16_t)n);

		cr_assert_neq(id, 0);
		cr_assert_not(seen[id]);
		seen[id] = true;
		fake.events[0] = '\0';
	}
	cr_assert_eq(l2tp_server_counters(fake.server)->calls_up, 3000);
}

/* --- outgoing calls --- */

static const struct l2tp_call_request to_800 = {
	.called_number = "800",
	.minimum_bps = 64000,
	.maximum_bps = 128000,
	.bearer_type = 1,
	.framing_type = 3,
};

static struct l2tp_msg ocrp(uint16_t session_id)
{
	return (struct l2tp_msg){ .type = L2TP_OCRP,
		.present = HAS(ASSIGNED_SESSION_ID),
		.assigned_session_id = session_id };
}

static struct l2tp_msg occn(void)
{
	struct l2tp_msg msg = lac_iccn();

	msg.type = L2TP_OCCN;
	return msg;
}

static uint16_t place(void)
{
	struct l2tp_session_info info;

	cr_assert_eq(l2tp_session_place(fake.tunnel, &to_800, &fake.session), 0);
	lac_expect(&lac, L2TP_OCRQ);
	l2tp_session_info(fake.session, &info);
	cr_assert(info.outgoing);
	return info.id;
}

Test(session, an_outgoing_call)
{
	uint16_t id = place();

	cr_assert_eq(lac.header.session_id, 0);
	cr_assert_eq(lac.msg.assigned_session_id, id);
	cr_assert_eq(lac.msg.minimum_bps, 64000);
	cr_assert_eq(lac.msg.called_number.len, 3);
	cr_assert_str_eq(state_of(fake.session), "wait-reply");
	send_msg(id, ocrp(5));
	fake_expect_events(&fake, "call_request"); /* now the peer's id is known */
	cr_assert_str_eq(state_of(fake.session), "wait-connect");
	send_msg(id, occn());
	fake_expect_events(&fake, "call_up");
	cr_assert_str_eq(state_of(fake.session), "established");
	cr_assert_eq(fake.call.tx_connect_speed, 100000000);
	send_msg(id, lac_cdn(5, 1));
	fake_expect_events(&fake, "call_down");
	expect_no_session();
}

Test(session, out_of_place_messages_end_an_outgoing_call)
{
	/* 0: wait-reply, 1: wait-connect, 2: established */
	for (unsigned int state = 0; state < 3; state++) {
		for (unsigned int n = 0; n < 6; n++) {
			uint16_t id;

			if ((state == 0 && call_types[n] == L2TP_OCRP) ||
				(state == 1 && call_types[n] == L2TP_OCCN))
				continue;
			id = place();
			if (state > 0)
				send_msg(id, ocrp(5));
			if (state > 1)
				send_msg(id, occn());
			fake.events[0] = '\0';
			send_msg(id, out_of_place(call_types[n]));
			expect_cdn(state ? 5 : 0, L2TP_CDN_ERROR, L2TP_ERROR_SESSION_ID);
			fake_expect_events(&fake, "call_down");
			expect_no_session();
		}
	}
}

/* It names no session of ours, but tells what its sender calls it (section 7.4.2). */
Test(session, an_icrp_for_no_session_is_answered_with_cdn)
{
	send_msg(0, out_of_place(L2TP_ICRP));
	expect_cdn(5, L2TP_CDN_ERROR, L2TP_ERROR_SESSION_ID);
}

/* An OCRP that cannot be taken has told the peer's id: the CDN goes there. */
Test(session, an_undecodable_ocrp_ends_its_call)
{
	struct l2tp_msg bad = ocrp(5);
	uint16_t id = place();

	bad.present |= HAS(PHYSICAL_CHANNEL_ID);
	lac_build(&lac, id, &bad);
	lac.packet[12 + 8 + 8] |= 0x80; /* the second AVP after the type: unknown, with M */
	lac.packet[12 + 8 + 8 + 4] = 0x70;
	lac.ns++;
	lac_repeat(&lac);
	expect_cdn(5, L2TP_CDN_ERROR, L2TP_ERROR_MANDATORY_AVP);
	fake_expect_events(&fake, "call_down");
}

Test(session, a_lac_refuses_an_outgoing_call)
{
	uint16_t id = place();

	send_msg(id, lac_cdn(5, L2TP_CDN_BUSY));
	fake_expect_events(&fake, "call_down");
	cr_assert_eq(fake.result.code, L2TP_CDN_BUSY);
	cr_assert(fake.by_peer);
}

Test(session, an_outgoing_call_that_the_owner_cannot_take)
{
	uint16_t id = place();

	fake.refuse_calls = true;
	send_msg(id, ocrp(5));
	expect_cdn(5, L2TP_CDN_BUSY, 0);
	fake_expect_events(&fake, "call_request");
	expect_no_session();
}

Test(session, an_outgoing_call_is_up_before_its_owner_is_ready)
{
	uint16_t id = place();

	fake.hold_calls = true;
	send_msg(id, ocrp(5));
	send_msg(id, occn());
	fake_expect_events(&fake, "call_request call_up");
	l2tp_session_accept(fake.session);
	lac_ack(&lac);
	fake_expect_silence(&fake);
	cr_assert_str_eq(state_of(fake.session), "established");
}

Test(session, an_outgoing_call_has_a_deadline)
{
	place();
	lac_ack(&lac);
	fake_advance(&fake, ENV_SEC(60));
	fake_expect_events(&fake, "call_down");
	cr_assert_eq(fake.result.code, L2TP_CDN_TIMEOUT);
}

Test(session, an_outgoing_call_with_a_framing_that_is_none)
{
	struct l2tp_msg connected = occn();
	uint16_t id = place();

	send_msg(id, ocrp(5));
	connected.framing_type = 0;
	send_msg(id, connected);
	expect_cdn(5, L2TP_CDN_NO_FRAMING, 0);
}

Test(session, calls_that_cannot_be_placed)
{
	struct l2tp_session *session;
	struct l2tp_call_request request = to_800;
	struct l2tp_result result = { .code = 1 };

	request.bearer_type = 4;
	cr_assert_eq(l2tp_session_place(fake.tunnel, &request, &session), -EOPNOTSUPP);
	l2tp_server_drain(fake.server, true);
	cr_assert_eq(l2tp_session_place(fake.tunnel, &to_800, &session), -EUSERS);
	l2tp_tunnel_close(fake.tunnel, &result);
	cr_assert_eq(l2tp_session_place(fake.tunnel, &to_800, &session), -ESHUTDOWN);
}

/* Brings a call of either kind to a state (0: wait-reply, 1: wait-connect, 2: established). */
static struct l2tp_session_info bring_to(bool outgoing, unsigned int state)
{
	static const char *const names[] = { "wait-reply", "wait-connect", "established" };
	struct l2tp_session_info info;

	fake.hold_calls = state == 0;
	if (outgoing) {
		place();
	} else {
		send_msg(0, lac_icrq(5));
		if (state > 0)
			lac_expect(&lac, L2TP_ICRP);
	}
	l2tp_session_info(fake.session, &info);
	if (outgoing && state > 0)
		send_msg(info.id, ocrp(5));
	if (state > 1)
		send_msg(info.id, outgoing ? occn() : lac_iccn());
	l2tp_session_info(fake.session, &info);
	cr_assert_str_eq(info.state, names[state]);
	fake.events[0] = '\0';
	return info;
}

Test(session, every_state_ends_in_every_way)
{
	struct l2tp_result result = { .code = L2TP_CDN_ADMINISTRATIVE };

	for (unsigned int outgoing = 0; outgoing < 2; outgoing++) {
		for (unsigned int state = 0; state < 3; state++) {
			struct l2tp_session_info info = bring_to(outgoing, state);

			send_msg(info.id, lac_cdn(5, L2TP_CDN_CARRIER_LOST));
			fake_expect_events(&fake, "call_down");
			cr_assert(fake.by_peer);
			expect_no_session();

			bring_to(outgoing, state);
			l2tp_session_close(fake.session, &result);
			lac_expect(&lac, L2TP_CDN);
			cr_assert_eq(lac.msg.result.code, L2TP_CDN_ADMINISTRATIVE);
			fake_expect_events(&fake, "");
			expect_no_session();

			/* An incoming call in wait-reply waits for its owner, who has deadlines. */
			if (state == 1 || (state == 0 && outgoing)) {
				bring_to(outgoing, state);
				lac_ack(&lac);
				fake_advance(&fake, ENV_SEC(59));
				send_msg(0, lac_hello());
				fake_advance(&fake, ENV_SEC(1));
				lac_expect(&lac, L2TP_CDN);
				cr_assert_eq(lac.msg.result.code, L2TP_CDN_TIMEOUT);
				fake_expect_events(&fake, "call_down");
				cr_assert_not(fake.by_peer);
			}
		}
	}
}

Test(session, the_tunnel_takes_calls_in_every_state_with_it)
{
	for (unsigned int outgoing = 0; outgoing < 2; outgoing++) {
		for (unsigned int state = 0; state < 3; state++) {
			struct l2tp_msg stopccn;

			bring_to(outgoing, state);
			stopccn = lac_stopccn(&lac, 1);
			lac_send(&lac, 0, &stopccn);
			fake_expect_events(&fake, "call_down tunnel_down");
			cr_assert(fake.by_peer);
			cr_assert_eq(fake.result.code, L2TP_STOPCCN_GENERAL);
			fake_drop_sent(&fake);
			lac_init(&lac, &fake, "198.51.100.7", 1701,
				(uint16_t)(200 + outgoing * 10 + state));
			lac_open(&lac);
		}
	}
}

Test(session, wen_and_sli_out_of_their_time_are_nothing)
{
	struct l2tp_msg wen = { .type = L2TP_WEN, .present = HAS(CALL_ERRORS) };
	struct l2tp_msg sli = { .type = L2TP_SLI, .present = HAS(ACCM) };

	for (unsigned int state = 0; state < 2; state++) {
		struct l2tp_session_info info = bring_to(false, state);

		send_msg(info.id, wen);
		send_msg(info.id, sli);
		l2tp_session_set_link_info(fake.session, 1, 2);
		l2tp_session_accept(fake.session);
		if (state == 0)
			lac_expect(&lac, L2TP_ICRP);
		fake_expect_events(&fake, "");
		cr_assert_str_eq(state_of(fake.session), "wait-connect");
	}
}

Test(session, an_outgoing_call_waits_for_its_tunnel)
{
	struct lac called;
	struct l2tp_msg sccrp;

	lac_init(&called, &fake, "198.51.100.20", 1701, 20);
	for (unsigned int closed_by_owner = 0; closed_by_owner < 2; closed_by_owner++) {
		struct l2tp_result result = { .code = 1 };
		struct l2tp_session *kept, *dropped;
		struct l2tp_tunnel *tunnel;

		called.ns = 0;
		called.nr = 0;
		cr_assert_eq(l2tp_tunnel_connect(fake.server, &called.path, &fake.lac, &tunnel), 0);
		cr_assert_eq(l2tp_session_place(tunnel, &to_800, &kept), 0);
		cr_assert_eq(l2tp_session_place(tunnel, &to_800, &dropped), 0);
		cr_assert_str_eq(state_of(kept), "wait-tunnel");
		l2tp_session_close(dropped, &result);
		lac_expect(&called, L2TP_SCCRQ);
		called.peer_id = called.msg.assigned_tunnel_id;
		fake_expect_events(&fake, "tunnel_open");
		if (closed_by_owner) {
			l2tp_tunnel_close(tunnel, &result);
			fake_expect_events(&fake, "call_down tunnel_down");
			fake_expect_silence(&fake); /* the window is full of the SCCRQ */
			lac_ack(&called);
			lac_expect(&called, L2TP_STOPCCN);
			break;
		}
		sccrp = lac_sccrq(&called);
		sccrp.type = L2TP_SCCRP;
		lac_send(&called, 0, &sccrp);
		lac_expect(&called, L2TP_SCCCN);
		lac_ack(&called);
		lac_expect(&called, L2TP_OCRQ);
		cr_assert_str_eq(state_of(kept), "wait-reply");
		fake_expect_silence(&fake);
		fake_expect_events(&fake, "tunnel_up");
		l2tp_tunnel_close(tunnel, &result);
		fake_expect_events(&fake, "call_down tunnel_down");
		fake_drop_sent(&fake);
		called.nr++;
		lac_ack(&called);
		fake_expect_events(&fake, "tunnel_free");
	}
}
