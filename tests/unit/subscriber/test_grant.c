// SPDX-License-Identifier: BSD-2-Clause
/* What stands between a password that is right and the answer: limits, addresses, policies. */
#include "tests/unit/subscriber/fake.h"

#include "radius/attr_codes.h"
#include "radius/mschap.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

TestSuite(grant, .init = world_init);

static struct radius_attrs *address(uint32_t value)
{
	struct radius_attrs *attrs = radius_attrs_new();

	radius_add_u32(attrs, RADIUS_FRAMED_IP_ADDRESS, 0, value);
	return attrs;
}

/* A call whose password is right, and whose Access-Accept has these attributes. */
static struct l2tp_session *accepted(const char *user, struct radius_attrs *attrs)
{
	struct l2tp_session *call = call_in(SUBSCRIBER_LINK);

	pppd_asks(call, user, "pw");
	radius_accepts(call, attrs);
	return call;
}

static struct l2tp_session *online(const char *user, struct radius_attrs *attrs)
{
	struct l2tp_session *call = accepted(user, attrs);

	pppd_network_up(call, PPP_IPV4);
	env_fake_advance(w.env, 0);
	w.log[0] = '\0';
	return call;
}

static void goes_away(struct l2tp_session *call)
{
	if (!call->closed)
		lac_hangs_up(call);
	everything_settles(call);
	env_fake_advance(w.env, 0);
	w.log[0] = '\0';
}

/* It was told no; pppd tells the client, and goes. The CDN begins with text. */
static void expect_refusal(struct l2tp_session *call, const char *text)
{
	pppd_link_down(call, PPP_END_AUTH_FAILED);
	everything_settles(call);
	cr_assert_eq(strncmp(call->result.text, text, strlen(text)), 0, "%s", call->result.text);
	w.log[0] = '\0';
}

Test(grant, nobody_gets_the_address_of_another)
{
	struct l2tp_session *first, *second;

	world_start();
	first = online("alice", address(0x0a010203));
	second = accepted("bob", address(0x0a010203));
	expect("ask unavailable");
	cr_assert_str_eq(state_of(first), "up");
	expect_refusal(second, "address is in use: 10.1.2.3");
	goes_away(first);
	world_end();
}

Test(grant, a_duplicate_address_replaces_and_waits)
{
	struct l2tp_session *first, *second;

	w.ppps[0].duplicate_address = CONFIG_POLICY_REPLACE;
	world_start();
	first = online("alice", address(0x0a010203));
	second = accepted("alice", address(0x0a010203));
	expect("ask term");
	cr_assert_str_eq(state_of(first), "replaced by a newer session");
	pppd_repeats(second); /* the question is open */
	expect("");
	everything_settles(first);
	expect("forget drop stop:13 cdn:3 accept");
	cr_assert_eq(w.ppp.reply.remote, htonl(0x0a010203));
	pppd_network_up(second, PPP_IPV4);
	expect("group7 start");
	goes_away(second);
	world_end();
}

Test(grant, the_wait_for_an_address_is_bounded)
{
	struct l2tp_session *first, *second;

	w.ppps[0].duplicate_address = CONFIG_POLICY_REPLACE;
	world_start();
	first = online("alice", address(0x0a010203));
	second = accepted("alice", address(0x0a010203));
	expect("ask term");
	time_passes(ENV_SEC(5)); /* its pppd is stuck */
	expect("cdn:3 kill kill kill kill unavailable kill");
	expect_refusal(second, "address is in use: 10.1.2.3");
	everything_settles(first);
	world_end();
}

/* A client that comes back before its old session is gone. */
Test(grant, an_address_of_a_session_that_ends_is_waited_for_under_any_policy)
{
	struct l2tp_session *first, *second;

	world_start();
	first = online("alice", address(0x0a010203));
	lac_hangs_up(first);
	second = accepted("alice", address(0x0a010203));
	expect("ask");
	everything_settles(first);
	expect("forget drop stop:2 closed accept");
	goes_away(second);
	world_end();
}

Test(grant, who_waits_may_go_meanwhile)
{
	struct l2tp_session *first, *second;

	w.ppps[0].duplicate_address = CONFIG_POLICY_REPLACE;
	world_start();
	first = online("alice", address(0x0a010203));
	second = accepted("alice", address(0x0a010203));
	goes_away(second);
	goes_away(first);
	world_end();
}

/* Ended at once, as it has no pppd that would have to go first. */
Test(grant, who_waits_goes_on_when_the_other_is_gone_at_once)
{
	struct l2tp_session *first, *second;

	w.ppps[0].duplicate_address = CONFIG_POLICY_REPLACE;
	world_start();
	first = accepted("alice", address(0x0a010203));
	subscriber_find(w.all, first->key)->running = false; /* nothing tells of it any more */
	w.log[0] = '\0';
	second = accepted("alice", address(0x0a010203));
	expect("ask drop cdn:3 accept");
	goes_away(second);
	world_end();
}

/* ---- a LAC that is gone ---- */

/* The calls that come now are in another tunnel. */
static void lac_opens_another_tunnel(void)
{
	w.l2tp.tunnel.id++;
}

/* It was restarted, and cannot hang up the call that it has forgotten. */
Test(grant, who_comes_back_by_another_tunnel_gets_the_address_of_a_silent_one)
{
	struct l2tp_session *first, *second;

	world_start();
	first = online("alice", address(0x0a010203));
	lac_opens_another_tunnel();
	second = accepted("alice", address(0x0a010203));
	expect("ask hello");
	time_passes(ENV_SEC(2));
	expect("kill");
	cr_assert_str_eq(state_of(first), "tunnel lost");
	everything_settles(first);
	expect("forget drop stop:2 cdn:1 accept");
	cr_assert_eq(w.ppp.reply.remote, htonl(0x0a010203));
	goes_away(second);
	world_end();
}

/* It owes an answer since long: nothing to wait for. */
Test(grant, a_lac_that_is_known_to_be_silent_is_not_waited_for)
{
	struct l2tp_session *first, *second;

	world_start();
	first = online("alice", address(0x0a010203));
	lac_opens_another_tunnel();
	w.l2tp.asked = env_now(w.env);
	time_passes(ENV_SEC(2));
	second = accepted("alice", address(0x0a010203));
	time_passes(0);
	expect("ask kill");
	everything_settles(first);
	expect("forget drop stop:2 cdn:1 accept");
	goes_away(second);
	world_end();
}

Test(grant, the_address_of_a_lac_that_answers_stays_its_own)
{
	struct l2tp_session *first, *second;

	w.l2tp.answers = true;
	world_start();
	first = online("alice", address(0x0a010203));
	lac_opens_another_tunnel();
	second = accepted("alice", address(0x0a010203));
	time_passes(ENV_SEC(2));
	expect("ask hello hello unavailable");
	cr_assert_str_eq(state_of(first), "up");
	expect_refusal(second, "address is in use: 10.1.2.3");
	goes_away(first);
	world_end();
}

Test(grant, a_session_that_ends_while_its_lac_is_asked_is_waited_for)
{
	struct l2tp_session *first, *second;

	world_start();
	first = online("alice", address(0x0a010203));
	lac_opens_another_tunnel();
	second = accepted("alice", address(0x0a010203));
	tunnel_is_lost(first);
	everything_settles(first);
	expect("ask hello forget drop stop:2 closed accept kill");
	goes_away(second);
	world_end();
}

Test(grant, who_waits_for_a_lac_may_go_meanwhile)
{
	struct l2tp_session *first, *second;

	world_start();
	first = online("alice", address(0x0a010203));
	lac_opens_another_tunnel();
	second = accepted("alice", address(0x0a010203));
	goes_away(second);
	time_passes(ENV_SEC(3));
	cr_assert_str_eq(state_of(first), "up");
	goes_away(first);
	world_end();
}

/* One of two LACs is gone, and its session does not count. */
Test(grant, a_session_of_a_silent_lac_does_not_count_for_the_limit)
{
	struct l2tp_session *first, *second, *third;

	w.ppps[0].max_sessions_per_user = 2;
	world_start();
	first = online("alice", NULL);
	lac_opens_another_tunnel();
	second = online("alice", NULL);
	third = accepted("alice", NULL);
	expect("ask hello");
	time_passes(ENV_SEC(2));
	expect("accept kill");
	cr_assert_str_eq(state_of(first), "tunnel lost");
	cr_assert_str_eq(state_of(second), "up");
	everything_settles(first);
	goes_away(second);
	goes_away(third);
	world_end();
}

Test(grant, a_session_of_a_lac_that_answers_counts)
{
	struct l2tp_session *first, *second;

	w.ppps[0].max_sessions_per_user = 1;
	w.l2tp.answers = true;
	world_start();
	first = online("alice", NULL);
	lac_opens_another_tunnel();
	second = accepted("alice", NULL);
	time_passes(ENV_SEC(2));
	expect("ask hello hello reject");
	expect_refusal(second, "user has too many sessions: limit 1");
	goes_away(first);
	world_end();
}

Test(grant, a_user_has_one_session_too_many)
{
	struct l2tp_session *first, *second, *other;

	w.ppps[0].max_sessions_per_user = 1;
	world_start();
	first = online("alice", NULL);
	other = online("bob", NULL);
	second = accepted("alice", NULL);
	expect("ask reject");
	expect_refusal(second, "user has too many sessions: limit 1");
	goes_away(first);
	second = online("alice", NULL);
	cr_assert_str_eq(state_of(second), "up");
	goes_away(second);
	goes_away(other);
	world_end();
}

Test(grant, the_oldest_of_too_many_gives_way)
{
	struct l2tp_session *calls[4];

	w.ppps[0].max_sessions_per_user = 2;
	w.ppps[0].over_limit = CONFIG_POLICY_REPLACE;
	world_start();
	for (int i = 0; i < 3; i++)
		calls[i] = online("alice", NULL);
	cr_assert_str_eq(state_of(calls[0]), "replaced by a newer session");
	cr_assert_str_eq(state_of(calls[1]), "up");
	calls[3] = online("alice", NULL);
	cr_assert_str_eq(state_of(calls[1]), "replaced by a newer session");
	cr_assert_str_eq(state_of(calls[2]), "up");
	for (int i = 0; i < 4; i++)
		goes_away(calls[i]);
	world_end();
}

Test(grant, port_limit_comes_before_the_configuration)
{
	struct radius_attrs *attrs = radius_attrs_new();
	struct l2tp_session *first, *second;

	radius_add_u32(attrs, RADIUS_PORT_LIMIT, 0, 1);
	world_start();
	first = online("alice", NULL);
	second = accepted("alice", attrs);
	expect("ask reject");
	goes_away(second);
	goes_away(first);
	world_end();
}

Test(grant, authenticating_again_keeps_the_address)
{
	struct l2tp_session *call;
	uint32_t before;

	w.ppps[0].max_sessions_per_user = 1;
	w.ppps[0].session_timeout = ENV_SEC(100);
	world_start();
	call = online("alice", NULL);
	before = subscriber_find(w.all, call->key)->granted->remote;
	time_passes(ENV_SEC(50));
	pppd_asks(call, "alice", "pw");
	radius_accepts(call, NULL);
	expect("ask accept");
	cr_assert_eq(w.ppp.reply.remote, htonl(before));
	pppd_network_up(call, PPP_IPV4);
	expect("");
	cr_assert_eq(subscribers_get_counters(w.all)->online, 1);
	time_passes(ENV_SEC(50));
	expect("term"); /* the time counts from network-up */
	goes_away(call);
	world_end();
}

Test(grant, refused_when_authenticating_again)
{
	struct l2tp_session *call;

	world_start();
	call = online("alice", NULL);
	pppd_asks(call, "alice", "wrong");
	radius_rejects(call, "no");
	expect("ask reject");
	time_passes(ENV_SEC(5)); /* pppd does not go by itself */
	expect("term");
	everything_settles(call);
	expect("forget drop stop:17 cdn:3");
	cr_assert_str_eq(
		call->result.text, "authentication refused: by RADIUS server 192.0.2.10:1812: no");
	world_end();
}

Test(grant, a_second_attempt_counts)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	pppd_asks(call, "alice", "wrong");
	radius_rejects(call, "no");
	pppd_asks(call, "alice", "right");
	radius_accepts(call, NULL);
	pppd_network_up(call, PPP_IPV4);
	expect("ask reject ask accept group7 start");
	time_passes(ENV_SEC(10));
	lac_hangs_up(call);
	cr_assert_str_eq(state_of(call), "ended by the LAC");
	goes_away(call);
	world_end();
}

Test(grant, a_repeated_question_gets_the_same_answer_and_is_asked_once)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	pppd_asks(call, "alice", "pw");
	pppd_repeats(call);
	expect("ask");
	radius_accepts(call, NULL);
	pppd_repeats(call);
	expect("accept accept");
	cr_assert_null(subscriber_find(w.all, call->key)->asked, "the password is forgotten");
	pppd_network_up(call, PPP_IPV4);
	pppd_repeats(call); /* late, and answered long ago */
	expect("group7 start");
	goes_away(call);
	world_end();
}

Test(grant, radius_answers_after_the_end)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	pppd_asks(call, "alice", "pw");
	expect("ask");
	lac_hangs_up(call);
	expect("cancel kill");
	everything_settles(call);
	world_end();
}

Test(grant, radius_answers_when_pppd_is_gone)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	pppd_asks(call, "alice", "pw");
	pppd_closes(call, NULL);
	expect("ask drop cancel kill");
	everything_settles(call);
	world_end();
}

Test(grant, radius_does_not_answer_or_is_forged)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	pppd_asks(call, "alice", "pw");
	radius_fails(call, RADIUS_TIMEOUT);
	expect("ask unavailable");
	expect_refusal(call, "no RADIUS server answers: last tried 192.0.2.10:1812");
	call = call_in(SUBSCRIBER_LINK);
	pppd_asks(call, "alice", "pw");
	radius_fails(call, RADIUS_FORGED);
	expect("ask unavailable");
	goes_away(call);
	w.spool.refuse_requests = true;
	call = call_in(SUBSCRIBER_LINK);
	pppd_asks(call, "alice", "pw");
	expect("unavailable");
	goes_away(call);
	w.no_auth = true;
	world_reload();
	call = call_in(SUBSCRIBER_LINK);
	pppd_asks(call, "alice", "pw");
	expect("unavailable");
	goes_away(call);
	world_end();
}

Test(grant, an_address_that_the_client_chooses_is_held)
{
	struct l2tp_session *first, *second;

	world_start();
	first = online("alice", address(0xffffffff)); /* 10.0.0.99 in this world */
	second = accepted("bob", address(0x0a000063));
	expect("ask unavailable");
	goes_away(second);
	second = accepted("bob", address(0xffffffff));
	pppd_network_up(second, PPP_IPV4);
	expect("ask accept term");
	everything_settles(second);
	cr_assert_str_eq(second->result.text, "address is in use: 10.0.0.99");
	goes_away(first);
	world_end();
}

Test(grant, an_end_of_the_tunnel_is_nobody_s_address)
{
	struct l2tp_session *call;

	world_start();
	call = accepted("alice", address(0xc6336407));
	expect("ask unavailable");
	expect_refusal(call, "RADIUS profile cannot be obeyed: 198.51.100.7 is an end of a tunnel");
	world_end();
}

Test(grant, the_pool_is_empty)
{
	struct l2tp_session *call, *last;

	w.range.last = w.range.first;
	world_start();
	call = online("alice", NULL);
	last = accepted("bob", NULL);
	expect("ask unavailable");
	expect_refusal(last, "no free address: pool \"o\"");
	goes_away(call);
	world_end();
}

/* A storm where the pool has no more addresses than there are clients: all of them are to come back. */
Test(grant, addresses_of_sessions_that_end_are_waited_for)
{
	struct l2tp_session *old[2], *again[3];

	w.range.last = w.range.first + 1;
	world_start();
	old[0] = online("alice", NULL);
	old[1] = online("bob", NULL);
	lac_hangs_up(old[0]);
	lac_hangs_up(old[1]);
	w.log[0] = '\0';
	again[0] = accepted("bob", NULL);
	expect("ask");
	again[1] = accepted("alice", NULL);
	expect("ask");
	again[2] = accepted("carol", NULL);
	expect("ask unavailable"); /* there will be none for her */
	expect_refusal(again[2], "no free address: pool \"o\"");
	env_fake_advance(w.env, 0);
	w.log[0] = '\0';
	pppd_repeats(again[0]); /* the question is open */
	expect("");
	everything_settles(old[0]);
	expect("forget drop stop:2 closed accept");
	everything_settles(old[1]);
	expect("forget drop stop:2 closed accept");
	goes_away(again[0]);
	goes_away(again[1]);
	world_end();
}

Test(grant, the_wait_for_an_address_of_a_pool_is_bounded)
{
	struct l2tp_session *old, *again;

	w.range.last = w.range.first;
	world_start();
	old = online("alice", NULL);
	lac_hangs_up(old);
	w.log[0] = '\0';
	again = accepted("alice", NULL);
	expect("ask");
	env_fake_advance(w.env, ENV_SEC(5));
	cr_assert(strstr(w.log, "unavailable"), "%s", w.log);
	expect_refusal(again, "no free address: pool \"o\"");
	everything_settles(old);
	world_end();
}

Test(grant, who_waits_for_an_address_may_go_and_another_waits)
{
	struct l2tp_session *old, *again, *third;

	w.range.last = w.range.first;
	world_start();
	old = online("alice", NULL);
	lac_hangs_up(old);
	again = accepted("alice", NULL);
	goes_away(again);
	third = accepted("alice", NULL);
	expect("ask");
	everything_settles(old);
	expect("forget drop stop:2 closed accept");
	goes_away(third);
	world_end();
}

/* Its LAC was restarted, and the pool has nothing but what its subscribers had. */
Test(grant, who_comes_back_by_another_tunnel_gets_the_address_of_a_full_pool)
{
	struct l2tp_session *first, *second;

	w.range.last = w.range.first;
	world_start();
	first = online("alice", NULL);
	lac_opens_another_tunnel();
	second = accepted("alice", NULL);
	expect("ask hello");
	time_passes(ENV_SEC(2));
	expect("kill");
	cr_assert_str_eq(state_of(first), "tunnel lost");
	everything_settles(first);
	expect("forget drop stop:2 cdn:1 accept");
	cr_assert_eq(w.ppp.reply.remote, htonl(w.range.first));
	goes_away(second);
	world_end();
}

Test(grant, an_address_of_a_full_pool_is_not_taken_from_a_lac_that_answers)
{
	struct l2tp_session *first, *second;

	w.l2tp.answers = true;
	w.range.last = w.range.first;
	world_start();
	first = online("alice", NULL);
	lac_opens_another_tunnel();
	second = accepted("alice", NULL);
	time_passes(ENV_SEC(2));
	expect("ask hello hello unavailable");
	cr_assert_str_eq(state_of(first), "up");
	expect_refusal(second, "no free address: pool \"o\"");
	goes_away(first);
	world_end();
}

/* The one that gives way has the only address. */
Test(grant, who_replaces_another_gets_the_address_of_a_full_pool)
{
	struct l2tp_session *first, *second;

	w.range.last = w.range.first;
	w.ppps[0].max_sessions_per_user = 1;
	w.ppps[0].over_limit = CONFIG_POLICY_REPLACE;
	world_start();
	first = online("alice", NULL);
	second = accepted("alice", NULL);
	expect("ask term");
	cr_assert_str_eq(state_of(first), "replaced by a newer session");
	everything_settles(first);
	expect("forget drop stop:13 cdn:3 accept");
	goes_away(second);
	world_end();
}

Test(grant, profiles_are_obeyed_whole_or_not)
{
	struct l2tp_session *call;

	for (int rejects = 0; rejects < 2; rejects++) {
		struct radius_attrs *attrs = radius_attrs_new();

		if (rejects)
			world_init();
		w.config.radius.unsupported_rejects = rejects;
		world_start();
		radius_add_u32(attrs, RADIUS_FRAMED_COMPRESSION, 0, 1);
		call = accepted("alice", attrs);
		expect(rejects ? "ask unavailable" : "ask accept");
		if (rejects)
			expect_refusal(call, "RADIUS profile cannot be obeyed: not obeyed: "
					     "Framed-Compression = 1");
		goes_away(call);
		world_end();
	}
}

/* ---- what RADIUS is told ---- */

Test(grant, the_access_request)
{
	struct l2tp_session *call;
	const uint8_t *data;
	uint32_t value;
	size_t len;
	char text[64];

	snprintf(w.config.radius.nas_identifier, sizeof(w.config.radius.nas_identifier), "nas7");
	world_start();
	call = call_in(SUBSCRIBER_LINK);
	snprintf(call->call.agent_circuit_id, 64, "olt 1/2");
	call->call.line[0] = UINT64_C(5000000000); /* more than 32 bits can say */
	call->call.line[3] = 1000;
	call->call.line_present =
		1ull << L2TP_AVP_ACTUAL_RATE_UP | 1ull << L2TP_AVP_MINIMUM_RATE_DOWN;
	pppd_asks(call, "alice", "pw");
	cr_assert(
		radius_get_octets(w.spool.asked, RADIUS_CHARGEABLE_USER_IDENTITY, 0, &data, &len));
	cr_assert(len == 1 && data[0] == 0, "asked for by a nul");
	cr_assert(radius_get_string(w.spool.asked, RADIUS_NAS_IDENTIFIER, text, sizeof(text)));
	cr_assert_str_eq(text, "nas7");
	cr_assert(radius_get_string(w.spool.asked, RADIUS_AGENT_CIRCUIT_ID, text, sizeof(text)));
	cr_assert_str_eq(text, "olt 1/2");
	cr_assert(radius_get_u32(w.spool.asked, RADIUS_ACTUAL_DATA_RATE_UP, &value));
	cr_assert_eq(value, UINT32_MAX);
	cr_assert(radius_get_u32(w.spool.asked, RADIUS_MINIMUM_DATA_RATE_DOWN, &value));
	cr_assert_eq(value, 1000);
	cr_assert_not(radius_get_u32(w.spool.asked, RADIUS_ACTUAL_DATA_RATE_DOWN, &value));
	cr_assert(radius_get_u32(w.spool.asked, RADIUS_FRAMED_MTU, &value) && value == 1460);
	cr_assert(radius_get_u32(w.spool.asked, RADIUS_NAS_PORT, &value));
	cr_assert_eq(value, 12u << 16 | call->info.id);
	cr_assert(
		radius_get_string(w.spool.asked, RADIUS_ACCT_MULTI_SESSION_ID, text, sizeof(text)));
	cr_assert_str_eq(text, subscriber_find(w.all, call->key)->acct_session_id);
	goes_away(call);
	world_end();
}

/* Whoever it is, the record says so: what only repeats an Access-Accept goes first. */
Test(grant, accounting_does_without_what_it_has_no_room_for)
{
	static const uint8_t prefix[18] = { 0, 64, 0x20, 0x01, 0x0d, 0xb8 };
	const struct {
		unsigned int prefixes, classes;
		bool has_cui, has_class;
	} rows[] = { { 0, 1, true, true }, { 0, 9, true, false }, { 32, 9, false, false } };
	char name[254] = "", longest[254];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct radius_attrs *attrs = radius_attrs_new();
		const struct fake_record *start;
		struct l2tp_session *call;
		const uint8_t *data;
		size_t len;

		radius_add_string(attrs, RADIUS_USER_NAME, 0, longest);
		radius_add_string(attrs, RADIUS_CHARGEABLE_USER_IDENTITY, 0, longest);
		for (unsigned int n = 0; n < rows[i].prefixes; n++)
			radius_add_octets(attrs, RADIUS_FRAMED_IPV6_PREFIX, prefix, sizeof(prefix));
		for (unsigned int n = 0; n < rows[i].classes; n++)
			radius_add_string(attrs, RADIUS_CLASS, 0, longest);
		if (i > 0)
			world_init();
		memcpy(w.config.radius.nas_identifier, longest, sizeof(longest));
		memcpy(w.config.name, longest, sizeof(longest));
		world_start();
		w.l2tp.tunnel.host_name = longest;
		call = online("alice", attrs);
		start = fake_spool_newest(RADIUS_START);
		cr_assert(radius_get_string(start->attrs, RADIUS_USER_NAME, name, sizeof(name)),
			"row %zu", i);
		cr_expect_str_eq(name, longest);
		cr_expect_eq(radius_get_octets(
				     start->attrs, RADIUS_CHARGEABLE_USER_IDENTITY, 0, &data, &len),
			rows[i].has_cui, "row %zu", i);
		cr_expect_eq(radius_get_octets(start->attrs, RADIUS_CLASS, 0, &data, &len),
			rows[i].has_class, "row %zu", i);
		goes_away(call);
		world_end();
	}
}

Test(grant, accounting_repeats_what_identifies_the_user)
{
	struct radius_attrs *attrs = radius_attrs_new();
	const struct fake_record *start;
	struct l2tp_session *call;
	const uint8_t *data;
	size_t len;

	radius_add_octets(attrs, RADIUS_CHARGEABLE_USER_IDENTITY, "c17", 3);
	radius_add_octets(attrs, RADIUS_CLASS, "one", 3);
	radius_add_octets(attrs, RADIUS_CLASS, "two", 3);
	world_start();
	call = online("alice", attrs);
	start = fake_spool_newest(RADIUS_START);
	cr_assert(radius_get_octets(start->attrs, RADIUS_CHARGEABLE_USER_IDENTITY, 0, &data, &len));
	cr_assert(len == 3 && memcmp(data, "c17", 3) == 0);
	cr_assert_not(
		radius_get_octets(start->attrs, RADIUS_CHARGEABLE_USER_IDENTITY, 1, &data, &len));
	cr_assert(radius_get_octets(start->attrs, RADIUS_CLASS, 1, &data, &len));
	cr_assert(memcmp(data, "two", 3) == 0);
	goes_away(call);
	world_end();
}

/* Classes that do not fit cost the classes, not the accounting. */
Test(grant, classes_beyond_all_measure)
{
	struct radius_attrs *attrs = radius_attrs_new();
	const struct fake_record *start;
	struct l2tp_session *call;
	uint8_t class[253];
	char text[64];

	memset(class, 'c', sizeof(class));
	for (int i = 0; i < 12; i++)
		radius_add_octets(attrs, RADIUS_CLASS, class, sizeof(class));
	world_start();
	call = online("alice", attrs);
	start = fake_spool_newest(RADIUS_START);
	cr_assert(radius_get_string(start->attrs, RADIUS_ACCT_SESSION_ID, text, sizeof(text)));
	goes_away(call);
	world_end();
}

/* ---- the users file, and MS-CHAPv2 ---- */

static void add_user(const char *name, const char *secret)
{
	struct config_user *user = &w.users[w.config.user_count++];

	snprintf(user->name, sizeof(user->name), "%s", name);
	user->secret.len = (uint16_t)strlen(secret);
	memcpy(user->secret.data, secret, user->secret.len);
}

/* RFC 2759 section 9.2. */
static void pppd_asks_mschap(struct l2tp_session *call, const char *name, uint8_t flip)
{
	static const uint8_t challenge[] = "[]|}{?/><,`!2&&(";
	static const uint8_t peer[] = "!@#$%^&*()_+:3|~";
	static const uint8_t nt[] = { 0x82, 0x30, 0x9e, 0xcd, 0x8d, 0x70, 0x8b, 0x5e, 0xa0, 0x8f,
		0xaa, 0x39, 0x81, 0xcd, 0x83, 0x54, 0x42, 0x33, 0x11, 0x4a, 0x3d, 0x85, 0xd6,
		0xdf };
	union ppp_message message = { .auth_request = { .head.type = PPP_AUTH_REQUEST,
					      .protocol = PPP_AUTH_MSCHAP_V2,
					      .challenge_len = 16,
					      .response_len = 49 } };
	struct ppp_auth_request *request = &message.auth_request;
	struct subscriber *sub = subscriber_find(w.all, call->key);

	request->request = sub->question + 1;
	request->name_len = (uint16_t)strlen(name);
	memcpy(request->name, name, request->name_len);
	memcpy(request->challenge, challenge, 16);
	memcpy(request->response, peer, 16);
	memcpy(request->response + 24, nt, 24);
	request->response[24] ^= flip;
	fake_ppp_say(sub->channel, &message);
	fake_ppp_deliver(sub->channel);
}

Test(grant, the_users_file)
{
	struct l2tp_session *call;

	w.config.has_radius = false;
	add_user("alice", "pw");
	add_user("User", "clientPass");
	world_start();
	call = call_in(SUBSCRIBER_LINK);
	pppd_asks(call, "alice", "pw");
	expect("accept");
	pppd_asks(call, "alice", "pW");
	pppd_asks(call, "mallory", "pw");
	expect("reject reject");
	pppd_asks_mschap(call, "User", 0);
	expect("accept");
	cr_assert_eq(w.ppp.reply.message_len, MSCHAP_SUCCESS_LEN);
	cr_assert_arr_eq(w.ppp.reply.message, "S=407A5589115FD0D6209F510FE9C04566932CDA56", 42);
	cr_assert(w.ppp.reply.flags & PPP_AUTH_MPPE_ALLOWED);
	cr_assert_eq(w.ppp.reply.mppe_send_key[0], 0x8b);
	pppd_asks_mschap(call, "User", 1);
	expect("reject");
	cr_assert_not(w.ppp.reply.flags & PPP_AUTH_MPPE_ALLOWED);
	goes_away(call);
	world_end();
}

/* What no attribute holds is the client's fault, or its LAC's, and says nothing about RADIUS. */
Test(grant, credentials_that_do_not_fit_are_refused)
{
	union ppp_message message = { .auth_request = { .head.type = PPP_AUTH_REQUEST,
					      .request = 9,
					      .protocol = PPP_AUTH_CHAP_MD5,
					      .proxied = 1,
					      .name_len = 5,
					      .name = "alice",
					      .challenge_len = 256,
					      .response_len = 16 } };
	char password[RADIUS_PASSWORD_MAX + 2] = "";
	struct l2tp_session *call;

	memset(password, 'p', RADIUS_PASSWORD_MAX + 1);
	world_start();
	call = call_in(SUBSCRIBER_LINK);
	pppd_asks(call, "alice", password);
	expect("reject");
	password[RADIUS_PASSWORD_MAX] = '\0';
	pppd_asks(call, "alice", password);
	radius_accepts(call, NULL);
	expect("ask accept");
	fake_ppp_say(subscriber_find(w.all, call->key)->channel, &message);
	fake_ppp_deliver(subscriber_find(w.all, call->key)->channel);
	expect("reject");
	expect_refusal(call, "authentication refused: malformed response");
	world_end();
}

static struct l2tp_session *mschap_by_radius(struct radius_attrs *attrs)
{
	struct l2tp_session *call = call_in(SUBSCRIBER_LINK);

	pppd_asks_mschap(call, "User", 0);
	radius_accepts(call, attrs);
	return call;
}

Test(grant, mschap_by_radius_needs_its_success_and_its_keys)
{
	struct radius_attrs *attrs = radius_attrs_new();
	struct l2tp_session *call;

	world_start();
	call = mschap_by_radius(NULL);
	expect("ask unavailable");
	expect_refusal(call, "RADIUS profile cannot be obeyed: MS-CHAP2-Success is missing");
	radius_add_octets(attrs, RADIUS_MS_CHAP2_SUCCESS, "\1S=1234", 7);
	call = mschap_by_radius(radius_attrs_copy(attrs));
	expect("ask accept");
	cr_assert_arr_eq(w.ppp.reply.message, "S=1234", 6);
	goes_away(call);
	radius_add_u32(attrs, RADIUS_MS_MPPE_ENCRYPTION_POLICY, 0, 2);
	call = mschap_by_radius(radius_attrs_copy(attrs));
	expect("ask unavailable"); /* required, and impossible */
	goes_away(call);
	radius_add_octets(attrs, RADIUS_MS_MPPE_SEND_KEY, "ssssssssssssssss", 16);
	radius_add_octets(attrs, RADIUS_MS_MPPE_RECV_KEY, "rrrrrrrrrrrrrrrr", 16);
	call = mschap_by_radius(attrs);
	expect("ask accept");
	cr_assert(w.ppp.reply.flags & PPP_AUTH_MPPE_REQUIRED);
	cr_assert(w.ppp.reply.mppe_send_key[0] == 's' && w.ppp.reply.mppe_recv_key[0] == 'r');
	goes_away(call);
	world_end();
}
