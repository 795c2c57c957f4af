// SPDX-License-Identifier: BSD-2-Clause
/* select: which sessions a RADIUS request means; and what accounting says after one has changed them. */
#include "tests/unit/subscriber/fake.h"

#include "radius/attr_codes.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(select, .init = world_init);

static struct l2tp_session *alice, *bob;

static void two_sessions(void)
{
	world_start();
	alice = call_of(SUBSCRIBER_UP, "alice");
	bob = call_of(SUBSCRIBER_UP, "bob");
}

static void end_all(void)
{
	struct l2tp_session *const calls[] = { alice, bob };

	for (size_t i = 0; i < 2; i++) {
		struct subscriber *sub = subscriber_find(w.all, calls[i]->key);

		if (sub && sub->state != SUBSCRIBER_ENDING)
			subscriber_end(sub, END_RADIUS, NULL);
		everything_settles(calls[i]);
	}
	world_end();
}

static const struct subscriber *of(const struct l2tp_session *call)
{
	return subscriber_find(w.all, call->key);
}

/* The sessions that are meant: so many, and the first of them is call's. */
static void expect_meant(
	const struct subscriber_selector *selector, size_t count, const struct l2tp_session *call)
{
	uint64_t keys[4] = { 0 };

	cr_expect_eq(subscribers_select(w.all, selector, keys, 4), count);
	if (count)
		cr_expect_eq(keys[0], call->key);
}

Test(select, every_attribute_has_to_fit)
{
	uint32_t address, port, wrong_port = 1, wrong_address = 2;

	two_sessions();
	address = ntohl(of(bob)->remote);
	port = subscriber_nas_port(of(bob));
	const struct subscriber_selector whole = { of(bob)->acct_session_id, "bob", "555", "",
		of(bob)->name, of(bob)->acct_session_id, &address, &port, "wholesale", "bob", NULL,
		NULL, 0 };
	struct subscriber_selector one;

	expect_meant(&whole, 1, bob);
#define ONE(member, good, bad)                                                                     \
	do {                                                                                       \
		one = (struct subscriber_selector){ .member = (good) };                            \
		expect_meant(&one, 1, bob);                                                        \
		one.member = (bad);                                                                \
		expect_meant(&one, 0, NULL);                                                       \
		one = whole;                                                                       \
		one.member = (bad);                                                                \
		expect_meant(&one, 0, NULL);                                                       \
	} while (0)
	ONE(acct_session_id, of(bob)->acct_session_id, "0000000000000009");
	ONE(acct_multi_session_id, of(bob)->acct_session_id, "0000000000000009");
	ONE(user, "bob", "Bob");
	ONE(nas_port_id, of(bob)->name, "l2tp");
	ONE(address, &address, &wrong_address);
	ONE(nas_port, &port, &wrong_port);
	one = whole;
	one.calling = "55";
	expect_meant(&one, 0, NULL);
	one = whole;
	one.called = "1";
	expect_meant(&one, 0, NULL);
	expect_meant(&(struct subscriber_selector){ .calling = "555" }, 2, alice);
	expect_meant(&(struct subscriber_selector){ .user = "alice" }, 1, alice);
	end_all();
}

/* An Acct-Session-Id is text: another way to write the same number is another one. */
Test(select, acct_session_ids_that_are_none)
{
	const char *id;
	char text[40];

	two_sessions();
	id = of(alice)->acct_session_id;
	static const char *const texts[] = { "", "x", "1", "00000000000000000001", "-1", " 1" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_meant(&(struct subscriber_selector){ .acct_session_id = texts[i] }, 0, NULL);
	snprintf(text, sizeof(text), "%s ", id);
	expect_meant(&(struct subscriber_selector){ .acct_session_id = text }, 0, NULL);
	snprintf(text, sizeof(text), " %s", id);
	expect_meant(&(struct subscriber_selector){ .acct_session_id = text }, 0, NULL);
	snprintf(text, sizeof(text), "0x%s", id + strspn(id, "0"));
	expect_meant(&(struct subscriber_selector){ .acct_session_id = text }, 0, NULL);
	end_all();
}

Test(select, a_session_that_ends_is_meant_by_nothing)
{
	char id[32];

	two_sessions();
	snprintf(id, sizeof(id), "%s", of(alice)->acct_session_id);
	subscriber_end(subscriber_find(w.all, alice->key), END_RADIUS, "client 192.0.2.10");
	expect_meant(&(struct subscriber_selector){ .user = "alice" }, 0, NULL);
	expect_meant(&(struct subscriber_selector){ .acct_session_id = id }, 0, NULL);
	expect_meant(&(struct subscriber_selector){ .calling = "555" }, 1, bob);
	end_all();
}

Test(select, more_than_there_is_room_for_are_counted)
{
	uint64_t keys[1] = { 0 };

	two_sessions();
	cr_expect_eq(subscribers_select(
			     w.all, &(struct subscriber_selector){ .calling = "555" }, keys, 1),
		2);
	cr_expect_eq(keys[0], alice->key);
	cr_expect_eq(
		subscribers_select(w.all,
			&(struct subscriber_selector){ .calling = "555", .enough = 1 }, keys, 1),
		1);
	cr_expect_eq(
		subscribers_select(w.all, &(struct subscriber_selector){ .user = "bob" }, NULL, 0),
		1);
	end_all();
}

static bool takes_lac(void *ctx, const char *lac)
{
	return strcmp(lac, ctx) == 0;
}

Test(select, by_a_function_of_the_lac)
{
	struct subscriber_selector selector = { .user = "bob", .takes_lac = takes_lac };

	two_sessions();
	selector.ctx = "wholesale";
	expect_meant(&selector, 1, bob);
	selector.ctx = "retail";
	expect_meant(&selector, 0, NULL);
	end_all();
}

Test(select, by_the_name_that_people_see)
{
	two_sessions();
	expect_meant(&(struct subscriber_selector){ .user_text = "bob" }, 1, bob);
	expect_meant(&(struct subscriber_selector){ .user_text = "bo" }, 0, NULL);
	expect_meant(&(struct subscriber_selector){ .lac = "wholesale" }, 2, alice);
	expect_meant(&(struct subscriber_selector){ .lac = "retail" }, 0, NULL);
	end_all();
}

/* The whole search, a session a step; the number of those found. */
static size_t find_top(struct subscribers_top *top, const char *lac, const char *user, size_t max)
{
	*top = (struct subscribers_top){ .lac = lac, .user = user, .max = max };
	while (subscribers_top_step(w.all, top, 1))
		;
	return top->count;
}

/* Rates come from samples, 10 s apart; the sum is that of all that are up. */
Test(select, the_busiest_come_first)
{
	const struct subscribers_counters *counters;
	struct subscribers_top top;

	two_sessions();
	counters = subscribers_get_counters(w.all);
	cr_assert_eq(find_top(&top, NULL, NULL, 2), 2);
	time_passes(10000000);
	fake_kernel_sample(of(bob)->ifindex, of(bob)->record->base.rx_octets + 1250000, 100);
	cr_assert_eq(of(bob)->rx_bps, 1000000);
	cr_assert_geq(counters->rx_bps, 1000000);
	cr_assert_eq(find_top(&top, NULL, NULL, 1), 1);
	cr_assert_eq(top.busiest[0].key, bob->key);
	cr_assert_eq(find_top(&top, NULL, NULL, SUBSCRIBERS_TOP), 2);
	cr_assert_eq(top.busiest[0].key, bob->key);
	cr_assert_eq(top.busiest[1].key, alice->key);
	cr_assert_eq(find_top(&top, NULL, "alice", 2), 1);
	cr_assert_eq(top.busiest[0].key, alice->key);
	cr_assert_eq(find_top(&top, "nobody", NULL, 2), 0);
	end_all();
}

/* A listing goes on behind the session that it showed last, whether that is still there or not. */
Test(select, a_listing_while_sessions_end)
{
	uint64_t key;

	two_sessions();
	key = subscriber_next(w.all, 0)->key;
	cr_assert_eq(key, alice->key);
	subscriber_end(subscriber_find(w.all, key), END_OPERATOR, NULL);
	everything_settles(alice);
	cr_assert_null(subscriber_find(w.all, key));
	cr_assert_eq(subscriber_next(w.all, key)->key, bob->key);
	subscriber_end(subscriber_find(w.all, bob->key), END_OPERATOR, NULL);
	everything_settles(bob);
	cr_assert_null(subscriber_next(w.all, key));
	world_end();
}

/* Between two steps the session that was looked at last may end, and a found one. */
Test(select, the_busiest_while_sessions_end)
{
	struct subscribers_top top = { .max = 2 };

	two_sessions();
	cr_assert(subscribers_top_step(w.all, &top, 1));
	cr_assert_eq(top.busiest[0].key, alice->key);
	subscriber_end(subscriber_find(w.all, alice->key), END_OPERATOR, NULL);
	everything_settles(alice);
	cr_assert_null(subscriber_find(w.all, top.busiest[0].key));
	cr_assert(subscribers_top_step(w.all, &top, 1));
	cr_assert_eq(top.count, 2);
	cr_assert_eq(top.busiest[1].key, bob->key);
	cr_assert_not(subscribers_top_step(w.all, &top, 1));
	subscriber_end(subscriber_find(w.all, bob->key), END_OPERATOR, NULL);
	everything_settles(bob);
	world_end();
}

Test(select, rates_leave_the_sum_with_their_session)
{
	two_sessions();
	time_passes(10000000);
	fake_kernel_sample(of(bob)->ifindex, of(bob)->record->base.rx_octets + 1250000, 100);
	subscriber_end(subscriber_find(w.all, bob->key), END_OPERATOR, NULL);
	cr_assert_eq(subscribers_get_counters(w.all)->rx_bps, 0);
	cr_assert_eq(subscribers_get_counters(w.all)->tx_bps, 0);
	end_all();
}

Test(select, the_stop_has_the_class_of_the_change)
{
	struct radius_attrs *classes = radius_attrs_new();
	const struct fake_record *stop;
	const uint8_t *data;
	uint32_t value;
	size_t len;

	two_sessions();
	cr_assert_eq(radius_add_string(classes, RADIUS_CLASS, 0, "changed"), 0);
	cr_assert_eq(subscriber_change(subscriber_find(w.all, bob->key),
			     &(struct subscriber_change){ .classes = classes }),
		0);
	radius_attrs_free(classes);
	subscriber_end(subscriber_find(w.all, bob->key), END_RADIUS, NULL);
	everything_settles(bob);
	stop = fake_spool_newest(RADIUS_STOP);
	cr_assert(radius_get_octets(stop->attrs, RADIUS_CLASS, 0, &data, &len));
	cr_expect_eq(len, 7);
	cr_expect_arr_eq(data, "changed", 7);
	cr_assert(radius_get_u32(stop->attrs, RADIUS_ACCT_TERMINATE_CAUSE, &value));
	cr_expect_eq(value, RADIUS_CAUSE_ADMIN_RESET);
	cr_expect_str_eq(bob->result.text, "disconnected by RADIUS");
	bob = alice;
	subscriber_end(subscriber_find(w.all, alice->key), END_RADIUS, NULL);
	everything_settles(alice);
	world_end();
}

Test(select, a_session_is_found_by_its_ids_in_the_kernel)
{
	struct subscriber *sub;

	two_sessions();
	sub = subscriber_find(w.all, bob->key);
	cr_assert_eq(subscriber_find_session(w.all, sub->tunnel_id, sub->session_id), sub);
	cr_assert_null(subscriber_find_session(w.all, sub->tunnel_id + 1, sub->session_id));
	cr_assert(subscriber_is_in_kernel(sub));
	subscriber_end(sub, END_RADIUS, NULL);
	cr_assert_eq(subscriber_find_session(w.all, sub->tunnel_id, sub->session_id), sub);
	cr_assert_not(subscriber_is_in_kernel(sub));
	end_all();
}
