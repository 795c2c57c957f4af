// SPDX-License-Identifier: BSD-2-Clause
/* EAP between pppd and RADIUS: what is carried, what is refused, and what becomes of repeats. */
#include "tests/unit/subscriber/fake.h"

#include "radius/attr_codes.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(eap, .init = world_init);

/* What the client said: a Response of len octets to the request with that identifier. */
static void pppd_says(struct l2tp_session *call, const char *name, uint8_t id, uint16_t len)
{
	union ppp_message message = { .eap = { .head.type = PPP_EAP_RESPONSE } };
	struct subscriber *sub = subscriber_find(w.all, call->key);
	struct ppp_eap *eap = &message.eap;

	eap->request = sub->question + 1;
	eap->name_len = (uint16_t)strlen(name);
	memcpy(eap->name, name, eap->name_len);
	eap->state_len = w.ppp.challenge.state_len;
	memcpy(eap->state, w.ppp.challenge.state, eap->state_len);
	eap->packet_len = len;
	for (unsigned int i = 5; i < len; i++)
		eap->packet[i] = (uint8_t)(i % 251);
	eap->packet[0] = PPP_EAP_CODE_RESPONSE;
	eap->packet[1] = id;
	eap->packet[2] = (uint8_t)(len >> 8);
	eap->packet[3] = (uint8_t)len;
	eap->packet[4] = PPP_EAP_TYPE_MD5;
	fake_ppp_say(sub->channel, &message);
	fake_ppp_deliver(sub->channel);
}

static void pppd_says_again(struct l2tp_session *call)
{
	struct subscriber *sub = subscriber_find(w.all, call->key);
	union ppp_message message = { .eap = { .head.type = PPP_EAP_RESPONSE } };

	message.eap.request = sub->question;
	fake_ppp_say(sub->channel, &message);
	fake_ppp_deliver(sub->channel);
}

static void radius_challenges(struct l2tp_session *call, struct radius_attrs *attrs)
{
	fake_radius_answer(call->key, RADIUS_ANSWERED, RADIUS_ACCESS_CHALLENGE, attrs);
	radius_attrs_free(attrs);
}

/* An Access-Challenge with a packet in pieces. */
static struct radius_attrs *challenge(const void *packet, size_t len)
{
	struct radius_attrs *attrs = radius_attrs_new();

	for (size_t at = 0; at < len; at += 253)
		radius_add_octets(attrs, RADIUS_EAP_MESSAGE, (const uint8_t *)packet + at,
			len - at < 253 ? len - at : 253);
	return attrs;
}

static const uint8_t md5_request[] = { 1, 8, 0, 10, 4, 4, 'c', 'h', 'a', 'l' };

/* The packet that was sent to RADIUS is what the client said, in pieces that are full but the last. */
static void expect_packet(uint8_t id, size_t len)
{
	uint8_t packet[PPP_EAP_MAX];
	const uint8_t *piece;
	size_t piece_len, at = 0;

	for (unsigned int i = 0;
		radius_get_octets(w.spool.asked, RADIUS_EAP_MESSAGE, i, &piece, &piece_len); i++) {
		cr_assert_leq(at + piece_len, sizeof(packet));
		memcpy(packet + at, piece, piece_len);
		at += piece_len;
		cr_assert(piece_len == 253 || at == len, "piece %u of %zu octets", i, piece_len);
	}
	cr_assert_eq(at, len);
	cr_assert_eq(packet[1], id);
	for (size_t i = 5; i < len; i++)
		cr_assert_eq(packet[i], i % 251);
}

static bool asked_has(radius_code code)
{
	const uint8_t *data;
	size_t len;

	return radius_get_octets(w.spool.asked, code, 0, &data, &len);
}

Test(eap, a_conversation)
{
	struct radius_attrs *attrs = challenge(md5_request, sizeof(md5_request));
	struct l2tp_session *call;
	char user[64];
	const uint8_t *state;
	uint32_t mtu = 0;
	size_t len;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	pppd_says(call, "alice", 7, 10);
	expect("ask");
	expect_packet(7, 10);
	cr_assert_not(asked_has(RADIUS_STATE));
	cr_assert_str_eq(w.spool.server, "");
	cr_assert_not(asked_has(RADIUS_USER_PASSWORD) || asked_has(RADIUS_CHAP_PASSWORD));
	cr_assert(radius_get_string(w.spool.asked, RADIUS_USER_NAME, user, sizeof(user)));
	cr_assert_str_eq(user, "alice");
	cr_assert(radius_get_u32(w.spool.asked, RADIUS_FRAMED_MTU, &mtu));
	cr_assert_eq(mtu, w.ppps[0].mtu);

	radius_add_octets(attrs, RADIUS_STATE, "\0state", 6);
	radius_add_u32(attrs, RADIUS_SESSION_TIMEOUT, 0, 20);
	radius_challenges(call, attrs);
	expect("challenge");
	cr_assert_eq(w.ppp.challenge.packet_len, sizeof(md5_request));
	cr_assert_arr_eq(w.ppp.challenge.packet, md5_request, sizeof(md5_request));
	cr_assert_eq(w.ppp.challenge.wait, 20);
	cr_assert_eq(w.ppp.challenge.request, 1);

	pppd_says(call, "alice", 8, 22);
	expect("ask");
	expect_packet(8, 22);
	cr_assert(radius_get_octets(w.spool.asked, RADIUS_STATE, 0, &state, &len));
	cr_assert_eq(len, 6);
	cr_assert_arr_eq(state, "\0state", 6);
	cr_assert_str_eq(w.spool.server, "192.0.2.10:1812", "its State is known to this one");
	radius_accepts(call, NULL);
	expect("accept");
	pppd_network_up(call, PPP_IPV4);
	cr_assert_str_eq(state_of(call), "up");
	lac_hangs_up(call);
	everything_settles(call);
	world_end();
}

/* As sent by servers that put the profile into every answer. */
Test(eap, the_wait_is_bounded)
{
	struct radius_attrs *attrs = challenge(md5_request, sizeof(md5_request));
	struct l2tp_session *call;

	radius_add_u32(attrs, RADIUS_SESSION_TIMEOUT, 0, 86400);
	world_start();
	call = call_in(SUBSCRIBER_LINK);
	pppd_says(call, "alice", 7, 10);
	radius_challenges(call, attrs);
	expect("ask challenge");
	cr_assert_eq(w.ppp.challenge.wait, 30);
	lac_hangs_up(call);
	everything_settles(call);
	w.log[0] = '\0';
	world_end();
}

Test(eap, long_packets_both_ways)
{
	static const uint16_t lens[] = { 253, 254, 506, 507, PPP_EAP_MAX };
	uint8_t packet[PPP_EAP_MAX + 1] = { 1, 3, 0, 0, 13 };
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		pppd_says(call, "alice", 7, lens[i]);
		expect_packet(7, lens[i]);
		packet[2] = (uint8_t)(lens[i] >> 8);
		packet[3] = (uint8_t)lens[i];
		packet[lens[i] - 1] = 0x5a;
		radius_challenges(call, challenge(packet, lens[i]));
		expect("ask challenge");
		cr_assert_eq(w.ppp.challenge.packet_len, lens[i]);
		cr_assert_arr_eq(w.ppp.challenge.packet, packet, lens[i]);
	}
	lac_hangs_up(call);
	everything_settles(call);
	w.log[0] = '\0';
	world_end();
}

/* Framed-MTU tells the server how long its packets may be: no longer than the client takes. */
Test(eap, the_clients_mru_bounds_the_server)
{
	union ppp_message up = { .link_up = {
					 .head.type = PPP_LINK_UP, .mru = 1500, .peer_mru = 600 } };
	struct l2tp_session *call;
	struct subscriber *sub;
	uint32_t mtu = 0;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	sub = subscriber_find(w.all, call->key);
	fake_ppp_say(sub->channel, &up);
	fake_ppp_deliver(sub->channel);
	pppd_says(call, "alice", 7, 10);
	cr_assert(radius_get_u32(w.spool.asked, RADIUS_FRAMED_MTU, &mtu));
	cr_assert_eq(mtu, 600);
	lac_hangs_up(call);
	everything_settles(call);
	w.log[0] = '\0';
	world_end();
}

Test(eap, a_repeat_gets_the_same_answer)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	pppd_says(call, "alice", 7, 10);
	pppd_says_again(call); /* RADIUS has not answered */
	expect("ask");
	radius_challenges(call, challenge(md5_request, sizeof(md5_request)));
	pppd_says_again(call);
	expect("challenge challenge");
	cr_assert_eq(w.ppp.challenge.request, 1);
	pppd_says(call, "alice", 8, 22);
	radius_rejects(call, "No");
	pppd_says_again(call);
	expect("ask reject reject");
	lac_hangs_up(call);
	everything_settles(call);
	w.log[0] = '\0';
	world_end();
}

/* The one before this engine asked for the identity: all that is needed comes with the Response. */
Test(eap, an_engine_that_knows_nothing_goes_on)
{
	struct l2tp_session *call;
	struct subscriber *sub;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	sub = subscriber_find(w.all, call->key);
	sub->question = 4;
	memcpy(w.ppp.challenge.state, "old", 3);
	w.ppp.challenge.state_len = 3;
	pppd_says(call, "alice", 8, 22);
	expect("ask");
	cr_assert(asked_has(RADIUS_STATE));
	radius_accepts(call, NULL);
	expect("accept");
	lac_hangs_up(call);
	everything_settles(call);
	w.log[0] = '\0';
	world_end();
}

Test(eap, what_radius_may_not_challenge_with)
{
	static const struct {
		const char *text;
		size_t len;
		uint8_t packet[8];
	} bad[] = {
		{ "without EAP-Message", 0, { 0 } },
		{ "no EAP Request", 5, { 2, 8, 0, 5, 1 } },
		{ "no EAP Request", 4, { 3, 8, 0, 4 } },
		{ "no EAP Request", 5, { 1, 8, 0, 6, 1 } },
		{ "no EAP Request", 6, { 1, 8, 0, 5, 1, 0 } },
		{ "no EAP Request", 3, { 1, 8, 0 } },
		{ "no EAP Request", 5, { 1, 8, 255, 255, 1 } },
	};
	struct l2tp_session *call;

	world_start();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct subscriber *sub;

		call = call_in(SUBSCRIBER_LINK);
		sub = subscriber_find(w.all, call->key);
		pppd_says(call, "alice", 7, 10);
		radius_challenges(call, challenge(bad[i].packet, bad[i].len));
		expect("ask unavailable");
		cr_assert_not_null(strstr(sub->detail, bad[i].text), "%s", sub->detail);
		lac_hangs_up(call);
		everything_settles(call);
		w.log[0] = '\0';
	}
	world_end();
}

Test(eap, a_packet_too_long_for_the_link)
{
	uint8_t packet[PPP_EAP_MAX + 1] = { 1, 8, (PPP_EAP_MAX + 1) >> 8, (PPP_EAP_MAX + 1) & 0xff,
		13 };
	struct l2tp_session *call;
	struct subscriber *sub;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	sub = subscriber_find(w.all, call->key);
	pppd_says(call, "alice", 7, 10);
	radius_challenges(call, challenge(packet, sizeof(packet)));
	expect("ask unavailable");
	cr_assert_not_null(strstr(sub->detail, "longer than Framed-MTU"), "%s", sub->detail);
	lac_hangs_up(call);
	everything_settles(call);
	w.log[0] = '\0';
	world_end();
}

Test(eap, names_nobody_can_have)
{
	char name[256];
	struct l2tp_session *call;

	memset(name, 'a', sizeof(name));
	name[254] = '\0';
	world_start();
	call = call_in(SUBSCRIBER_LINK);
	pppd_says(call, "", 7, 10);
	pppd_says(call, name, 7, 10);
	expect("reject reject");
	name[253] = '\0';
	pppd_says(call, name, 7, 10);
	expect("ask");
	lac_hangs_up(call);
	everything_settles(call);
	w.log[0] = '\0';
	world_end();
}

/* Keys of 32 octets are a method's, of which MPPE takes the first 16. */
Test(eap, keys)
{
	static const size_t lens[] = { 16, 32, 24 };

	world_start();
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct radius_attrs *attrs = radius_attrs_new();
		struct l2tp_session *call = call_in(SUBSCRIBER_LINK);

		radius_add_u32(attrs, RADIUS_MS_MPPE_ENCRYPTION_POLICY, 0, 2);
		radius_add_octets(attrs, RADIUS_MS_MPPE_SEND_KEY,
			"sssssssssssssssstttttttttttttttt", lens[i]);
		radius_add_octets(attrs, RADIUS_MS_MPPE_RECV_KEY,
			"rrrrrrrrrrrrrrrrqqqqqqqqqqqqqqqq", lens[i]);
		radius_add_octets(attrs, RADIUS_EAP_MESSAGE, "\3\7\0\4", 4);
		pppd_says(call, "alice", 7, 10);
		radius_accepts(call, attrs);
		expect(lens[i] == 24 ? "ask unavailable" : "ask accept");
		if (lens[i] != 24)
			cr_assert_arr_eq(w.ppp.reply.mppe_send_key, "ssssssssssssssss", 16);
		lac_hangs_up(call);
		everything_settles(call);
		w.log[0] = '\0';
	}
	world_end();
}

Test(eap, radius_is_silent_in_the_middle)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	pppd_says(call, "alice", 7, 10);
	radius_challenges(call, challenge(md5_request, sizeof(md5_request)));
	pppd_says(call, "alice", 8, 22);
	radius_fails(call, RADIUS_TIMEOUT);
	expect("ask challenge ask unavailable");
	lac_hangs_up(call);
	everything_settles(call);
	w.log[0] = '\0';
	world_end();
}

Test(eap, the_radius_section_was_removed)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	w.config.has_radius = false;
	world_reload();
	w.log[0] = '\0';
	pppd_says(call, "alice", 7, 10);
	expect("unavailable");
	lac_hangs_up(call);
	everything_settles(call);
	w.log[0] = '\0';
	world_end();
}

/* What was granted before is off: only the answer to the new question lets the client in. */
Test(eap, a_new_question_while_limits_are_set)
{
	struct radius_attrs *attrs = radius_attrs_new();
	struct l2tp_session *call;

	radius_add_string(attrs, RADIUS_MIKROTIK_RATE_LIMIT, 0, "2M/10M");
	world_start();
	call = call_in(SUBSCRIBER_LINK);
	pppd_link_up(call);
	pppd_says(call, "alice", 7, 10);
	radius_accepts(call, attrs);
	expect("sli ask limit:10M/2M");
	pppd_says(call, "alice", 8, 10);
	cr_assert_null(fake_kernel_job("limits", NULL));
	expect("ask");
	radius_rejects(call, "no");
	expect("reject");
	lac_hangs_up(call);
	everything_settles(call);
	w.log[0] = '\0';
	world_end();
}
