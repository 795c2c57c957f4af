// SPDX-License-Identifier: BSD-2-Clause
/* Many sessions whose peer is gone at a time: their interfaces go as one, then they. */
#include "tests/unit/subscriber/fake.h"

#include <criterion/criterion.h>
#include <errno.h>

TestSuite(kill, .init = world_init);

#define MANY 8

static struct l2tp_session *calls[MANY];

static void lose(unsigned int count)
{
	world_start();
	for (unsigned int i = 0; i < count; i++)
		calls[i] = call_in(SUBSCRIBER_UP);
	for (unsigned int i = 0; i < count; i++)
		tunnel_is_lost(calls[i]);
	w.log[0] = '\0';
	time_passes(0);
}

static void settle(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		everything_settles(calls[i]);
	world_end();
}

Test(kill, many_go_with_their_interfaces)
{
	lose(MANY);
	expect("unlink8"); /* none is killed before, or its end would wait for rtnl */
	fake_kernel_answer(fake_kernel_job("unlinks", NULL), 0);
	expect("kill kill kill kill kill kill kill kill");
	settle(MANY);
}

Test(kill, few_are_killed_at_once)
{
	lose(MANY - 1);
	expect("kill kill kill kill kill kill kill");
	settle(MANY - 1);
}

Test(kill, whose_interfaces_cannot_be_deleted_are_killed_all_the_same)
{
	lose(MANY);
	w.log[0] = '\0';
	fake_kernel_answer(fake_kernel_job("unlinks", NULL), -EPERM);
	expect("kill kill kill kill kill kill kill kill");
	settle(MANY);
}

Test(kill, without_memory_for_a_job_they_are_killed_at_once)
{
	world_start();
	for (unsigned int i = 0; i < MANY; i++)
		calls[i] = call_in(SUBSCRIBER_UP);
	for (unsigned int i = 0; i < MANY; i++)
		tunnel_is_lost(calls[i]);
	w.log[0] = '\0';
	w.kernel.refuse_jobs = true;
	time_passes(0);
	expect("unlink8 kill kill kill kill kill kill kill kill");
	w.kernel.refuse_jobs = false;
	settle(MANY);
}

Test(kill, the_end_of_lnsd_drops_the_job)
{
	lose(MANY);
	expect("unlink8");
	cr_assert_not_null(fake_kernel_job("unlinks", NULL));
	settle(MANY); /* which looks for jobs that are left */
}

static const char *state_word(unsigned int i)
{
	return state_of(calls[i]);
}

/* A tunnel that ends with more calls than a turn of the loop has time for. */
Test(kill, the_last_ones_go_in_later_turns)
{
	world_start();
	w.all->down_max = 2;
	for (unsigned int i = 0; i < 5; i++)
		calls[i] = call_in(SUBSCRIBER_UP);
	for (unsigned int i = 0; i < 5; i++)
		tunnel_is_lost(calls[i]);
	cr_expect_str_eq(state_word(1), end_rule(END_TUNNEL)->text);
	for (unsigned int i = 2; i < 5; i++)
		cr_expect_str_eq(state_word(i), "up", "%s", state_word(i));
	pppd_exits(calls[3], 0); /* one of them is faster */
	interface_vanishes(calls[3]);
	fake_spool_commit(0);
	cr_expect_str_eq(state_word(3), "gone");
	w.log[0] = '\0';
	time_passes(0);
	expect("kill kill kill kill kill");
	cr_expect_str_eq(state_word(2), end_rule(END_TUNNEL)->text);
	cr_expect_str_eq(state_word(4), end_rule(END_TUNNEL)->text);
	for (unsigned int i = 0; i < 5; i++)
		everything_settles(calls[i]);
	w.log[0] = '\0';
	world_end();
}
