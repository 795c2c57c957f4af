// SPDX-License-Identifier: BSD-2-Clause
/* When the kernel is asked for limits, and what becomes of a client that cannot have them. */
#include "tests/unit/subscriber/fake.h"

#include "radius/attr_codes.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define OK 0

TestSuite(limit, .init = world_init);

static struct radius_attrs *rates(const char *text)
{
	struct radius_attrs *attrs = radius_attrs_new();

	radius_add_string(attrs, RADIUS_MIKROTIK_RATE_LIMIT, 0, text);
	return attrs;
}

static struct l2tp_session *linked(void)
{
	struct l2tp_session *call = call_in(SUBSCRIBER_LINK);

	pppd_link_up(call);
	pppd_asks(call, "alice", "pw");
	expect("sli ask");
	return call;
}

static const struct kernel_limits *limits_of(const struct l2tp_session *call)
{
	static struct subscriber_info info;

	subscriber_get_info(subscriber_find(w.all, call->key), &info);
	return &info.limits;
}

static void end(struct l2tp_session *call)
{
	lac_hangs_up(call);
	everything_settles(call);
	world_end();
}

Test(limit, the_client_is_let_in_when_its_limits_are_in_effect)
{
	struct l2tp_session *call;

	world_start();
	call = linked();
	radius_accepts(call, rates("2M/10M"));
	expect("limit:10M/2M");
	pppd_repeats(call);
	expect("");
	cr_assert_eq(limits_of(call)->down.rate, 0);
	fake_kernel_limits(OK);
	expect("accept");
	cr_assert_str_eq(state_of(call), "network");
	cr_assert_eq(limits_of(call)->down.rate, 10000000);
	cr_assert_eq(limits_of(call)->up.rate, 2000000);
	pppd_network_up(call, PPP_IPV4);
	expect("group7 start");
	end(call);
}

Test(limit, without_rates_nothing_is_asked)
{
	struct l2tp_session *call;

	world_start();
	call = linked();
	radius_accepts(call, rates("0/0"));
	expect("accept");
	end(call);
}

Test(limit, the_section_s_rates_are_for_those_who_have_none)
{
	struct l2tp_session *call;

	w.ppps[0].rate_down = 5000000;
	w.ppps[0].rate_up = 1000000;
	world_start();
	call = linked();
	radius_accepts(call, NULL);
	expect("limit:5M/1M");
	fake_kernel_limits(OK);
	expect("accept");
	end(call);
}

Test(limit, one_direction_from_radius_and_one_from_the_section)
{
	struct radius_attrs *attrs = radius_attrs_new();
	struct l2tp_session *call;

	w.ppps[0].rate_down = 5000000;
	w.ppps[0].rate_up = 1000000;
	world_start();
	call = linked();
	radius_add_u32(attrs, RADIUS_WISPR_BANDWIDTH_MAX_UP, 0, 0);
	radius_accepts(call, attrs);
	expect("limit:5M/0");
	fake_kernel_limits(OK);
	expect("accept");
	end(call);
}

Test(limit, a_user_of_the_users_file)
{
	struct l2tp_session *call;

	w.config.has_radius = false;
	w.config.user_count = 1;
	snprintf(w.users[0].name, sizeof(w.users[0].name), "bob");
	w.users[0].secret.len = 2;
	memcpy(w.users[0].secret.data, "pw", 2);
	w.ppps[0].rate_down = 5000000;
	w.ppps[0].rate_up = 1000000;
	w.users[0].rate_down = 3000000;
	w.users[0].rate_up = CONFIG_RATE_DEFAULT;
	world_start();
	call = call_in(SUBSCRIBER_LINK);
	pppd_link_up(call);
	pppd_asks(call, "bob", "pw");
	expect("sli limit:3M/1M");
	fake_kernel_limits(OK);
	expect("accept");
	end(call);
}

Test(limit, a_kernel_that_cannot_lets_the_client_in)
{
	struct l2tp_session *call;

	world_start();
	call = linked();
	radius_accepts(call, rates("2M/10M"));
	expect("limit:10M/2M");
	fake_kernel_limits(-ENOENT);
	expect("accept");
	cr_assert_eq(limits_of(call)->down.rate, 0);
	cr_assert_eq(subscribers_get_counters(w.all)->limits_set, 0);
	cr_assert_eq(subscribers_get_counters(w.all)->limit_failures, 1);
	end(call);
}

Test(limit, or_refuses_it)
{
	struct l2tp_session *call;

	w.ppps[0].rate_failure_rejects = 1;
	world_start();
	call = linked();
	radius_accepts(call, rates("2M/10M"));
	expect("limit:10M/2M");
	fake_kernel_limits(-ENOENT);
	expect("unavailable");
	pppd_link_down(call, PPP_END_AUTH_FAILED);
	everything_settles(call);
	cr_assert_not_null(
		strstr(call->result.text, "the kernel has no sch_tbf"), "%s", call->result.text);
	world_end();
}

Test(limit, short_of_memory)
{
	struct l2tp_session *call;

	w.ppps[0].rate_failure_rejects = 1;
	world_start();
	call = linked();
	w.kernel.refuse_jobs = true;
	radius_accepts(call, rates("2M/10M"));
	expect("limit:10M/2M unavailable");
	w.kernel.refuse_jobs = false;
	end(call);
}

/* The request is called off; what it did is not known, so the next one is made in any case. */
Test(limit, a_new_question_meanwhile)
{
	struct l2tp_session *call;

	world_start();
	call = linked();
	radius_accepts(call, rates("2M/10M"));
	expect("limit:10M/2M");
	pppd_asks(call, "alice", "pw");
	cr_assert_null(fake_kernel_job("limits", NULL));
	expect("ask");
	radius_accepts(call, NULL);
	expect("limit:0/0");
	fake_kernel_limits(OK);
	expect("accept");
	end(call);
}

Test(limit, the_same_again_is_not_asked_for)
{
	struct l2tp_session *call;

	world_start();
	call = linked();
	radius_accepts(call, rates("2M/10M"));
	fake_kernel_limits(OK);
	pppd_network_up(call, PPP_IPV4);
	expect("limit:10M/2M accept group7 start");
	pppd_asks(call, "alice", "pw");
	radius_accepts(call, rates("2M/10M"));
	expect("ask accept");
	pppd_asks(call, "alice", "pw");
	radius_accepts(call, rates("2M/20M"));
	expect("ask limit:20M/2M");
	fake_kernel_limits(OK);
	expect("accept");
	end(call);
}

Test(limit, the_lac_hangs_up_meanwhile)
{
	struct l2tp_session *call;

	world_start();
	call = linked();
	radius_accepts(call, rates("2M/10M"));
	end(call);
}

/* ---- changed by RADIUS ---- */

static struct {
	unsigned int calls;
	int err;
} answer;

static void changed(void *ctx, int err)
{
	cr_assert_eq(ctx, &answer);
	answer.calls++;
	answer.err = err;
}

static struct l2tp_session *online(const char *text)
{
	struct l2tp_session *call = linked();

	radius_accepts(call, rates(text));
	if (fake_kernel_job("limits", NULL))
		fake_kernel_limits(OK);
	pppd_network_up(call, PPP_IPV4);
	env_fake_advance(w.env, 0);
	w.log[0] = '\0';
	return call;
}

static int change(struct l2tp_session *call, const char *text, uint32_t idle)
{
	struct radius_attrs *attrs = rates(text);
	const struct subscriber_change wanted = {
		.rates = attrs, .idle_timeout = &idle, .done = changed, .ctx = &answer
	};
	int err = subscriber_change(subscriber_find(w.all, call->key), &wanted);

	radius_attrs_free(attrs);
	return err;
}

static uint64_t idle_of(const struct l2tp_session *call)
{
	return subscriber_find(w.all, call->key)->granted->idle_timeout;
}

Test(limit, a_change_waits_for_the_kernel_with_all_of_it)
{
	struct l2tp_session *call;

	world_start();
	call = online("2M/10M");
	cr_assert_eq(change(call, "3M/20M", 77), -EINPROGRESS);
	expect("limit:20M/3M");
	cr_assert_eq(idle_of(call), 0);
	cr_assert_eq(change(call, "1M", 78), -EBUSY);
	cr_assert_eq(answer.calls, 0);
	fake_kernel_limits(OK);
	cr_assert_eq(answer.calls, 1);
	cr_assert_eq(answer.err, 0);
	cr_assert_eq(idle_of(call), ENV_SEC(77));
	cr_assert_eq(limits_of(call)->down.rate, 20000000);
	/* The same rates again: nothing to wait for. */
	cr_assert_eq(change(call, "3M/20M", 79), 0);
	cr_assert_eq(idle_of(call), ENV_SEC(79));
	cr_assert_eq(change(call, "0", 79), -EINPROGRESS);
	expect("limit:0/0");
	fake_kernel_limits(OK);
	cr_assert_eq(limits_of(call)->down.rate, 0);
	end(call);
	cr_assert_eq(answer.calls, 2);
}

Test(limit, a_change_that_the_kernel_refuses_changes_nothing)
{
	struct l2tp_session *call;

	world_start();
	call = online("2M/10M");
	cr_assert_eq(change(call, "3M/20M", 77), -EINPROGRESS);
	fake_kernel_limits(-ENOENT);
	cr_assert_eq(answer.err, -EIO);
	cr_assert_eq(idle_of(call), 0);
	cr_assert_eq(limits_of(call)->down.rate, 10000000);
	w.kernel.refuse_jobs = true;
	cr_assert_eq(change(call, "3M/20M", 77), -ENOMEM);
	w.kernel.refuse_jobs = false;
	cr_assert_eq(change(call, "3M/20M", 77), -EINPROGRESS);
	fake_kernel_limits(OK);
	w.log[0] = '\0';
	cr_assert_eq(answer.calls, 2);
	end(call);
}

Test(limit, a_change_that_says_no_rate_changes_nothing)
{
	struct radius_attrs *attrs = rates("3M");
	const uint32_t idle = 5;
	const struct subscriber_change wanted = { .rates = attrs, .idle_timeout = &idle };
	struct l2tp_session *call;

	world_start();
	call = online("2M/10M");
	cr_assert_eq(change(call, "fast", 77), -EINVAL);
	radius_add_string(attrs, RADIUS_CISCO_AVPAIR, 0, "x=y");
	cr_assert_eq(subscriber_change(subscriber_find(w.all, call->key), &wanted), -EOPNOTSUPP);
	cr_assert_eq(idle_of(call), 0);
	expect("");
	radius_attrs_free(attrs);
	end(call);
}

Test(limit, a_session_that_ends_is_not_changed)
{
	struct l2tp_session *call;

	world_start();
	call = online("2M/10M");
	cr_assert_eq(change(call, "3M/20M", 77), -EINPROGRESS);
	lac_hangs_up(call);
	cr_assert_eq(answer.calls, 1);
	cr_assert_eq(answer.err, -ENOTCONN);
	everything_settles(call);
	world_end();
	cr_assert_eq(answer.calls, 1);
}

Test(limit, nor_is_one_that_is_authorised_anew)
{
	struct l2tp_session *call;

	world_start();
	call = online("2M/10M");
	cr_assert_eq(change(call, "3M/20M", 77), -EINPROGRESS);
	pppd_asks(call, "alice", "pw");
	expect("limit:20M/3M ask");
	radius_accepts(call, rates("2M/10M"));
	cr_assert_eq(answer.err, -EBUSY);
	expect("limit:10M/2M"); /* for it is not known what became of the other */
	cr_assert_eq(change(call, "3M/20M", 77), -EBUSY);
	fake_kernel_limits(OK);
	expect("accept");
	end(call);
}
