// SPDX-License-Identifier: BSD-2-Clause
/*
 * change: what a CoA changes of a session that is up, what it leaves alone, and that it is all or nothing.
 */
#include "lns/subscriber/internal.h"

#include "radius/attr_codes.h"
#include "tests/unit/env_fake.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct subscribers *all;
static struct subscriber sub;
static struct state_session record;
static unsigned int timeouts; /* how often the session's timer fired */

static void fire(void *ctx)
{
	cr_assert_eq(ctx, &sub);
	timeouts++;
}

/* A session that has been up for 100 s, with a timeout of 1,000 s and two classes. */
static void setup(void)
{
	struct radius_attrs *attrs = radius_attrs_new();

	all = calloc(1, sizeof(*all));
	memset(&sub, 0, sizeof(sub));
	memset(&record, 0, sizeof(record));
	all->host.env = env_fake_new();
	sub.all = all;
	sub.record = &record;
	sub.state = SUBSCRIBER_UP;
	sub.up = env_now(all->host.env);
	sub.timer = env_timer_new(all->host.env, fire, &sub);
	sub.granted = calloc(1, sizeof(*sub.granted));
	sub.granted->session_timeout = ENV_SEC(1000);
	sub.granted->idle_timeout = ENV_SEC(50);
	sub.granted->interim = ENV_SEC(600);
	sub.granted->classes = radius_attrs_new();
	sub.next_interim = sub.up + ENV_SEC(600);
	env_timer_start(sub.timer, ENV_SEC(1000));
	cr_assert_eq(radius_add_string(sub.granted->classes, RADIUS_CLASS, 0, "gold"), 0);
	cr_assert_eq(radius_add_string(attrs, RADIUS_USER_NAME, 0, "alice"), 0);
	cr_assert_eq(radius_add_string(attrs, RADIUS_CLASS, 0, "gold"), 0);
	cr_assert_eq(radius_add_string(attrs, RADIUS_CLASS, 0, "red"), 0);
	cr_assert_eq(radius_add_u32(attrs, RADIUS_ACCT_AUTHENTIC, 0, 1), 0);
	record.attrs_len = (uint16_t)radius_attrs_encode(attrs, record.attrs, sizeof(record.attrs));
	radius_attrs_free(attrs);
	timeouts = 0;
	env_fake_advance(all->host.env, ENV_SEC(100));
}

static void teardown(void)
{
	struct env *env = all->host.env;

	radius_attrs_free(sub.granted->classes);
	free(sub.granted);
	env_timer_free(sub.timer);
	free(all);
	env_fake_free(env);
}

TestSuite(change, .init = setup, .fini = teardown);

static struct radius_attrs *classes_of(const char *const *texts, size_t count)
{
	struct radius_attrs *classes = radius_attrs_new();

	for (size_t i = 0; i < count; i++)
		cr_assert_eq(radius_add_string(classes, RADIUS_CLASS, 0, texts[i]), 0);
	return classes;
}

static uint32_t *number(uint32_t value)
{
	static uint32_t numbers[3];
	static unsigned int next;
	uint32_t *slot = &numbers[next++ % 3];

	*slot = value;
	return slot;
}

/* The record, as a later Stop would have it: "User-Name Class=x Class=y Acct-Authentic". */
static bool describe(void *ctx, radius_code code, const char *name, const uint8_t *data, size_t len)
{
	char *text = ctx;
	size_t used = strlen(text);

	if (code == RADIUS_CLASS)
		snprintf(text + used, 256 - used, " Class=%.*s", (int)len, (const char *)data);
	else
		snprintf(text + used, 256 - used, " %s", name);
	return true;
}

static const char *recorded(void)
{
	static char text[256];
	struct radius_attrs *attrs;

	text[0] = '\0';
	cr_assert_eq(radius_attrs_decode(record.attrs, record.attrs_len, &attrs), 0);
	radius_attrs_each(attrs, describe, text);
	radius_attrs_free(attrs);
	return text;
}

Test(change, session_timeout_counts_from_network_up)
{
	cr_assert_eq(subscriber_change(
			     &sub, &(struct subscriber_change){ .session_timeout = number(150) }),
		0);
	cr_expect_eq(sub.granted->session_timeout, ENV_SEC(150));
	env_fake_advance(all->host.env, ENV_SEC(50) - 1);
	cr_expect_eq(timeouts, 0);
	env_fake_advance(all->host.env, 1);
	cr_expect_eq(timeouts, 1);
}

Test(change, session_timeout_that_is_over)
{
	cr_assert_eq(subscriber_change(
			     &sub, &(struct subscriber_change){ .session_timeout = number(99) }),
		0);
	cr_expect_eq(timeouts, 0, "not from inside");
	env_fake_advance(all->host.env, 0);
	cr_expect_eq(timeouts, 1);
}

Test(change, no_session_timeout)
{
	cr_assert_eq(subscriber_change(
			     &sub, &(struct subscriber_change){ .session_timeout = number(0) }),
		0);
	env_fake_advance(all->host.env, ENV_SEC(100000));
	cr_expect_eq(timeouts, 0);
}

Test(change, idle_timeout_and_interim)
{
	cr_assert_eq(subscriber_change(&sub, &(struct subscriber_change){ .idle_timeout = number(7),
						     .interim = number(60) }),
		0);
	cr_expect_eq(sub.granted->idle_timeout, ENV_SEC(7));
	cr_expect_eq(sub.granted->interim, ENV_SEC(60));
	cr_expect_eq(sub.next_interim, sub.up + ENV_SEC(160));
	cr_expect_eq(sub.granted->session_timeout, ENV_SEC(1000), "left alone");
	cr_expect_str_eq(recorded(), " User-Name Class=gold Class=red Acct-Authentic");
	cr_assert_eq(
		subscriber_change(&sub, &(struct subscriber_change){ .interim = number(0) }), 0);
	cr_expect_eq(sub.next_interim, 0);
	env_fake_advance(all->host.env, ENV_SEC(900));
	cr_expect_eq(timeouts, 1, "the old timeout, at its time");
}

Test(change, classes_are_replaced_in_every_later_record)
{
	static const char *const texts[] = { "silver", "blue", "green" };
	struct radius_attrs *classes = classes_of(texts, 3);
	const uint8_t *data;
	size_t len;

	cr_assert_eq(subscriber_change(&sub, &(struct subscriber_change){ .classes = classes }), 0);
	radius_attrs_free(classes);
	cr_expect_str_eq(
		recorded(), " User-Name Acct-Authentic Class=silver Class=blue Class=green");
	cr_assert(radius_get_octets(sub.granted->classes, RADIUS_CLASS, 2, &data, &len));
	cr_expect_arr_eq(data, "green", 5);
	classes = classes_of(texts, 1);
	cr_assert_eq(subscriber_change(&sub, &(struct subscriber_change){ .classes = classes }), 0);
	radius_attrs_free(classes);
	cr_expect_str_eq(recorded(), " User-Name Acct-Authentic Class=silver");
}

/* One thing that cannot be, and nothing at all is changed. */
Test(change, all_or_nothing)
{
	char text[254];
	const char *texts[9];
	struct radius_attrs *many;
	struct subscriber_change change = {
		.session_timeout = number(1), .idle_timeout = number(1), .interim = number(59)
	};

	cr_expect_eq(subscriber_change(&sub, &change), -EINVAL, "RFC 2869 section 5.16");
	memset(text, 'c', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < 9; i++)
		texts[i] = text;
	many = classes_of(texts, 9);
	change.interim = number(60);
	change.classes = many;
	cr_expect_eq(subscriber_change(&sub, &change), -ENOSPC, "no room in the record");
	sub.state = SUBSCRIBER_NETWORK;
	change.classes = NULL;
	cr_expect_eq(subscriber_change(&sub, &change), -ENOTCONN);
	sub.state = SUBSCRIBER_ENDING;
	cr_expect_eq(subscriber_change(&sub, &change), -ENOTCONN);
	radius_attrs_free(many);

	cr_expect_eq(sub.granted->session_timeout, ENV_SEC(1000));
	cr_expect_eq(sub.granted->idle_timeout, ENV_SEC(50));
	cr_expect_eq(sub.granted->interim, ENV_SEC(600));
	cr_expect_eq(sub.next_interim, sub.up + ENV_SEC(600));
	cr_expect_str_eq(recorded(), " User-Name Class=gold Class=red Acct-Authentic");
	env_fake_advance(all->host.env, ENV_SEC(900) - 1);
	cr_expect_eq(timeouts, 0);
}

Test(change, a_damaged_record_is_left_as_it_is)
{
	struct radius_attrs *classes = classes_of((const char *[]){ "x" }, 1);

	record.attrs[1] = 1;
	cr_expect_eq(subscriber_change(&sub, &(struct subscriber_change){ .classes = classes }),
		-EPROTO);
	record.attrs[1] = 200;
	cr_expect_eq(subscriber_change(&sub, &(struct subscriber_change){ .classes = classes }),
		-EPROTO);
	radius_attrs_free(classes);
}
