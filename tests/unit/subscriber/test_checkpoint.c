// SPDX-License-Identifier: BSD-2-Clause
/* What is kept of a session for the case that all is lost: checkpoints, and the Stop in the state memory. */
#include "tests/unit/subscriber/fake.h"

#include "lns/subscriber/accounting.h"
#include "radius/attr_codes.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

TestSuite(checkpoint, .init = world_init, .timeout = 30);

static void sample(struct l2tp_session *call, uint64_t octets)
{
	fake_kernel_sample(call->ifindex, octets, octets);
}

static void end(struct l2tp_session *call)
{
	subscribers_end_all(w.all, END_SHUTDOWN);
	everything_settles(call);
	w.log[0] = '\0';
	world_end();
}

Test(checkpoint, comes_with_the_sample)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_UP);
	cr_expect_eq(w.spool.checkpoints, 0);
	time_passes(ENV_SEC(8));
	sample(call, 700);
	cr_expect_eq(w.spool.checkpoints, 1);
	cr_expect_eq(w.spool.commits, 1);
	cr_expect_eq(w.spool.checkpoint.session, call->key);
	cr_expect_eq(w.spool.checkpoint.input, 600); /* 100 were before network-up */
	cr_expect_eq(w.spool.checkpoint.time, 8);
	cr_expect_gt(w.spool.checkpoint.fixed_len, 0);
	cr_expect_not(w.spool.checkpoint.is_changed);
	end(call);
}

Test(checkpoint, is_rarer_than_samples)
{
	struct l2tp_session *call;

	w.config.radius.checkpoint_interval = ENV_SEC(60);
	world_start();
	call = call_in(SUBSCRIBER_UP);
	for (int i = 0; i < 18; i++) {
		time_passes(ENV_SEC(10));
		sample(call, 700);
	}
	cr_expect_eq(w.spool.checkpoints, 3, "%u", w.spool.checkpoints);
	end(call);
}

Test(checkpoint, makes_samples_more_frequent)
{
	struct l2tp_session *call;

	w.config.radius.checkpoint_interval = ENV_SEC(4);
	world_start();
	call = call_in(SUBSCRIBER_UP);
	for (int i = 0; i < 5; i++) {
		time_passes(ENV_SEC(2));
		sample(call, 700);
	}
	cr_expect_eq(w.spool.checkpoints, 5, "%u", w.spool.checkpoints);
	end(call);
}

Test(checkpoint, the_sample_interval_is_configured)
{
	struct l2tp_session *call;

	w.config.sample_interval = ENV_SEC(30);
	w.config.radius.checkpoint_interval = ENV_SEC(30);
	world_start();
	call = call_in(SUBSCRIBER_UP);
	time_passes(ENV_SEC(27));
	cr_expect_null(fake_kernel_job("sample", NULL));
	time_passes(ENV_SEC(1));
	sample(call, 700);
	cr_expect_eq(w.spool.checkpoints, 1);
	end(call);
}

static uint64_t whole_seconds(uint64_t time)
{
	return time / ENV_SEC(1) * ENV_SEC(1);
}

/* A machine on which sampling and writing take so long. */
struct slow_machine {
	uint64_t interval, samples, sampling, writing;
	unsigned int late; /* rounds: until it is known how slow it is */
};

/* How old the last checkpoint on disk was, by its Event-Timestamp, when the next one came there: the worst. */
static unsigned int rounds_late(const struct slow_machine *machine, struct l2tp_session *call)
{
	uint64_t on_disk = env_wallclock(w.env), age, event;
	unsigned int late = 0;

	for (unsigned int i = 0; i < 30;) {
		while (!fake_kernel_job("sample", NULL))
			time_passes(ENV_MS(10));
		time_passes(machine->sampling);
		sample(call, 700);
		if (!w.spool.round_durable)
			continue;
		event = w.spool.checkpoint.event_time;
		time_passes(machine->writing);
		age = env_wallclock(w.env) - whole_seconds(on_disk);
		late += age > machine->interval;
		on_disk = event;
		fake_spool_commit_round(0);
		i++;
	}
	return late;
}

/* All is lost at the worst moment: the last checkpoint is not older than was configured. */
Test(checkpoint, is_on_disk_before_the_last_one_is_too_old)
{
	static const struct slow_machine machines[] = {
		{ ENV_SEC(10), ENV_SEC(10), 0, 0, 0 },
		{ ENV_SEC(10), ENV_SEC(10), ENV_MS(400), ENV_MS(500), 0 },
		{ ENV_SEC(10), ENV_SEC(1), ENV_MS(100), ENV_MS(800), 0 },
		{ ENV_SEC(10), ENV_SEC(7), ENV_MS(100), ENV_MS(800), 0 },
		{ ENV_SEC(15), ENV_SEC(10), ENV_MS(100), ENV_MS(800), 0 },
		{ ENV_SEC(60), ENV_SEC(10), ENV_MS(100), ENV_MS(800), 0 },
		{ ENV_SEC(4), ENV_SEC(10), ENV_MS(300), ENV_MS(600), 0 },
		{ ENV_SEC(2), ENV_SEC(10), ENV_MS(100), ENV_MS(200), 0 },
		{ ENV_SEC(10), ENV_SEC(10), ENV_MS(500), ENV_SEC(2), 1 },
		{ ENV_SEC(30), ENV_SEC(10), ENV_MS(500), ENV_SEC(4), 0 },
	};

	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		struct l2tp_session *call;
		unsigned int late;

		if (i > 0)
			world_init();
		w.config.radius.checkpoint_interval = machines[i].interval;
		w.config.sample_interval = machines[i].samples;
		w.spool.slow_rounds = true;
		world_start();
		call = call_in(SUBSCRIBER_UP);
		late = rounds_late(&machines[i], call);
		cr_expect_leq(late, machines[i].late, "machine %zu: %u late", i, late);
		end(call);
	}
}

/* One round at a time; what waits for a slow disk is said when it comes too late. */
Test(checkpoint, a_slow_disk)
{
	struct l2tp_session *call;
	char line[512] = "";

	w.spool.slow_rounds = true;
	world_start();
	call = call_in(SUBSCRIBER_UP);
	for (int i = 0; i < 2; i++) {
		time_passes(ENV_SEC(8));
		sample(call, 700);
		if (i == 0)
			fake_spool_commit_round(0);
	}
	time_passes(ENV_SEC(8));
	sample(call, 700); /* for people, not for the disk */
	cr_expect_eq(w.spool.commits, 2);
	cr_redirect_stderr();
	fake_spool_commit_round(0);
	fflush(stderr);
	cr_assert_not_null(fgets(line, sizeof(line), cr_get_redirected_stderr()));
	cr_expect_not_null(
		strstr(line, "these were on disk after 8.0 s, when the last ones were 16.0 s "
			     "old, and checkpoint-interval is 10.0 s"),
		"%s", line);
	time_passes(ENV_MS(2250)); /* from now on as early as can be */
	sample(call, 800);
	cr_expect_eq(w.spool.commits, 3);
	end(call);
}

/* The disk fails: that is said by the spool, and nobody waits for a round that never comes. */
Test(checkpoint, a_round_that_fails)
{
	struct l2tp_session *call;

	w.spool.slow_rounds = true;
	world_start();
	call = call_in(SUBSCRIBER_UP);
	time_passes(ENV_SEC(8));
	sample(call, 700);
	fake_spool_commit_round(-ENOSPC);
	w.spool.put_error = -ENOSPC;
	time_passes(ENV_SEC(8));
	sample(call, 700);
	w.spool.put_error = 0;
	time_passes(ENV_SEC(8));
	sample(call, 700);
	cr_expect_eq(w.spool.commits, 3);
	cr_expect_not_null(w.spool.round_durable);
	end(call);
}

/* Counters that could not be read are read again while they are still of use. */
Test(checkpoint, a_sample_that_fails)
{
	struct l2tp_session *call;

	w.spool.slow_rounds = true;
	world_start();
	call = call_in(SUBSCRIBER_UP);
	time_passes(ENV_SEC(8));
	fake_kernel_answer(fake_kernel_job("sample", NULL), -ENOBUFS);
	cr_expect_null(w.spool.round_durable);
	time_passes(ENV_SEC(2));
	w.kernel.refuse_jobs = true;
	sample(call, 700);
	cr_expect_eq(w.spool.checkpoints, 1);
	fake_spool_commit_round(0);
	time_passes(ENV_SEC(8)); /* refused */
	w.kernel.refuse_jobs = false;
	time_passes(ENV_SEC(2));
	sample(call, 700);
	cr_expect_eq(w.spool.checkpoints, 2);
	end(call);
}

/* Its end is slow, and its Stop is not made yet. */
Test(checkpoint, of_a_session_that_ends)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_UP);
	time_passes(ENV_SEC(8) - 1);
	subscriber_end(subscriber_find(w.all, call->key), END_OPERATOR, NULL);
	time_passes(1);
	sample(call, 900);
	cr_expect_eq(w.spool.checkpoints, 1);
	cr_expect_eq(w.spool.checkpoint.input, 800);
	end(call);
}

Test(checkpoint, tells_changed_attributes_once)
{
	struct radius_attrs *classes = radius_attrs_new();
	struct l2tp_session *call;

	radius_add_string(classes, RADIUS_CLASS, 0, "silver");
	world_start();
	call = call_in(SUBSCRIBER_UP);
	cr_assert_eq(subscriber_change(subscriber_find(w.all, call->key),
			     &(struct subscriber_change){ .classes = classes }),
		0);
	time_passes(ENV_SEC(10));
	sample(call, 700);
	cr_expect(w.spool.checkpoint.is_changed);
	time_passes(ENV_SEC(10));
	sample(call, 700);
	cr_expect_not(w.spool.checkpoint.is_changed);
	radius_attrs_free(classes);
	end(call);
}

/* It could not be noted: the next one tells. */
Test(checkpoint, tells_changed_attributes_until_it_is_noted)
{
	struct radius_attrs *classes = radius_attrs_new();
	struct l2tp_session *call;

	radius_add_string(classes, RADIUS_CLASS, 0, "silver");
	world_start();
	call = call_in(SUBSCRIBER_UP);
	subscriber_change(subscriber_find(w.all, call->key),
		&(struct subscriber_change){ .classes = classes });
	w.spool.put_error = -ENOMEM;
	time_passes(ENV_SEC(10));
	sample(call, 700);
	w.spool.put_error = 0;
	time_passes(ENV_SEC(10));
	sample(call, 700);
	cr_expect(w.spool.checkpoint.is_changed);
	radius_attrs_free(classes);
	end(call);
}

static struct state_session *record_of(const struct l2tp_session *call)
{
	return subscriber_find(w.all, call->key)->record;
}

/* An engine that dies before the Stop is durable leaves all that another one needs to put it again. */
Test(checkpoint, a_stop_is_in_the_state_memory_first)
{
	const struct fake_record *first, *second;
	struct state_session copy;
	struct l2tp_session *call;
	uint32_t cause = 0, octets = 0, time[2] = { 0 };

	world_start();
	call = call_in(SUBSCRIBER_UP);
	cr_assert_eq(record_of(call)->used, STATE_UP);
	time_passes(ENV_SEC(7));
	subscribers_end_all(w.all, END_IDLE_TIMEOUT);
	pppd_exits(call, 0);
	interface_vanishes(call);
	cr_assert_eq(record_of(call)->used, STATE_STOPPED);
	copy = *record_of(call);
	first = fake_spool_newest(RADIUS_STOP);
	fake_spool_commit(0);
	cr_assert_null(subscriber_find(w.all, call->key));
	cr_assert_eq(accounting_stop_again((struct radius_spool *)&w.spool, &copy, NULL, NULL), 0);
	second = fake_spool_newest(RADIUS_STOP);
	cr_assert_neq(first, second);
	cr_expect_eq(first->event_time, second->event_time);
	cr_assert(radius_get_u32(second->attrs, RADIUS_ACCT_TERMINATE_CAUSE, &cause));
	cr_expect_eq(cause, RADIUS_CAUSE_IDLE_TIMEOUT);
	cr_assert(radius_get_u32(second->attrs, RADIUS_ACCT_INPUT_OCTETS, &octets));
	cr_expect_eq(octets, 1000);
	cr_assert(radius_get_u32(first->attrs, RADIUS_ACCT_SESSION_TIME, &time[0]));
	cr_assert(radius_get_u32(second->attrs, RADIUS_ACCT_SESSION_TIME, &time[1]));
	cr_expect_eq(time[0], 7);
	cr_expect_eq(time[1], 7);
	w.log[0] = '\0';
	world_end();
}

/* When one record is lost all are: a line a second has to do. */
Test(checkpoint, lost_records_do_not_flood_the_log)
{
	struct l2tp_session *call;
	char text[4096] = "";
	unsigned int lines = 0;
	size_t used = 0;
	FILE *log;

	world_start();
	call = call_in(SUBSCRIBER_UP);
	cr_redirect_stderr();
	w.spool.put_error = -ENOBUFS;
	for (int i = 0; i < 100; i++)
		subscriber_account_start(subscriber_find(w.all, call->key),
			&(struct ppp_ncp_up){ .family = PPP_IPV4, .ifindex = call->ifindex });
	w.spool.put_error = 0;
	fflush(stderr);
	log = cr_get_redirected_stderr();
	while (used < sizeof(text) - 1 && fgets(text + used, (int)(sizeof(text) - used), log)) {
		lines += strstr(text + used, "Start record is lost") != NULL;
		used += strlen(text + used);
		if (lines == 1)
			break;
	}
	cr_expect_eq(lines, 1);
	cr_expect_eq(w.all->lost.left_out, 99, "%u", w.all->lost.left_out);
	end(call);
}
