// SPDX-License-Identifier: BSD-2-Clause
/* The start queue: its limit and order, templates that are missing, and storms without hope. */
#include "tests/unit/subscriber/fake.h"

#include <criterion/criterion.h>
#include <string.h>

static void init(void)
{
	world_init();
	w.kernel.prompt = true;
}

TestSuite(queue, .init = init);

static struct l2tp_session *connects(void)
{
	struct l2tp_session *call = lac_calls();

	lac_connects(call);
	return call;
}

static void comes_up(struct l2tp_session *call)
{
	template_answers(call, 0);
	pppd_asks(call, "alice", "pw");
	radius_accepts(call, NULL);
	pppd_network_up(call, PPP_IPV4);
}

static void end_all(void)
{
	subscribers_end_all(w.all, END_SHUTDOWN);
	for (unsigned int i = 0; i < w.l2tp.count; i++)
		everything_settles(&w.l2tp.calls[i]);
	world_end();
}

Test(queue, first_come_first_served)
{
	struct l2tp_session *call[4];

	w.config.setup_limit = 1;
	world_start();
	for (int i = 0; i < 4; i++)
		call[i] = lac_calls();
	expect("open icrp");
	cr_assert_eq(counters()->queued, 3);
	cr_assert_eq(counters()->in_setup, 1);
	lac_connects(call[0]);
	comes_up(call[0]);
	expect("fork close keep ask accept group7 start open icrp");
	cr_assert_str_eq(state_of(call[1]), "waiting");
	lac_hangs_up(call[2]); /* out of the queue */
	expect("closed");
	lac_connects(call[1]);
	template_answers(call[1], -12); /* fails: the next one's turn */
	expect("fork close keep drop cdn:2/4 open kill icrp");
	cr_assert_str_eq(state_of(call[3]), "waiting");
	end_all();
}

/* Calls in the queue hold nothing: a LAC with many of them leaves the others their room. */
Test(queue, room_is_asked_for_when_the_turn_has_come)
{
	struct l2tp_session *call[4];

	w.config.setup_limit = 1;
	w.monitor.room = 2;
	world_start();
	for (int i = 0; i < 3; i++)
		call[i] = lac_calls();
	cr_assert_eq(subscribers_holding(w.all), 1);
	lac_connects(call[0]);
	comes_up(call[0]);
	cr_assert_eq(subscribers_holding(w.all), 2);
	lac_connects(call[1]);
	w.log[0] = '\0';
	comes_up(call[1]);
	expect("ask accept group7 start cdn:2/4"); /* the third */
	cr_assert_eq(subscribers_count(w.all), 2);
	lac_hangs_up(call[0]);
	everything_settles(call[0]);
	w.log[0] = '\0';
	call[3] = lac_calls();
	expect("open kill icrp");
	end_all();
}

/* To refuse thousands at once would be a turn too long for everybody else. */
Test(queue, few_are_refused_in_a_turn)
{
	struct l2tp_session *first;

	w.config.setup_limit = 1;
	w.monitor.room = 1;
	world_start();
	first = lac_calls();
	for (int i = 0; i < 60; i++)
		lac_calls();
	cr_assert_eq(counters()->queued, 60);
	lac_connects(first);
	comes_up(first);
	cr_assert_eq(counters()->queued, 60 - 32);
	time_passes(0);
	cr_assert_eq(counters()->queued, 0, "the others in turns of their own");
	cr_assert_eq(subscribers_count(w.all), 1);
	end_all();
}

/* Only few stand between ICRP and a running pppd; the others' clients have nobody to talk to yet. */
Test(queue, few_are_launched_at_a_time)
{
	struct l2tp_session *call[20];

	world_start();
	for (int i = 0; i < 20; i++)
		call[i] = lac_calls();
	cr_assert_eq(counters()->in_setup, 4);
	cr_assert_eq(counters()->queued, 16);
	for (int i = 0; i < 4; i++)
		lac_connects(call[i]);
	w.log[0] = '\0';
	template_answers(call[0], 0);
	expect("open open icrp icrp"); /* two came when there was no more than one fork: one more */
	template_answers(call[1], 0);
	expect("open icrp");
	lac_hangs_up(call[4]);
	expect("close closed open icrp");
	end_all();
}

/* Their number fits the time between an ICRP and its ICCN, so that forks neither wait nor queue up. */
Test(queue, the_window_of_launches_fits_the_lac)
{
	struct l2tp_session *call[FAKE_CALLS];
	unsigned int next = 0;

	w.config.setup_limit = 1000;
	world_start();
	for (unsigned int i = 0; i < FAKE_CALLS; i++)
		call[i] = lac_calls();
	for (; next < 10; next++) { /* far away: forks are done before the next one is connected */
		lac_connects(call[next]);
		template_answers(call[next], 0);
	}
	cr_assert_eq(counters()->in_setup, 10 + 14);
	for (unsigned int i = 0; i < 14; i++) /* near: all at once */
		lac_connects(call[next + i]);
	for (unsigned int i = 0; i < 14; i++)
		template_answers(call[next + i], 0);
	cr_assert_eq(counters()->in_setup, 24 + 5);
	end_all();
}

/* A LAC that asks for many calls and connects none keeps nobody waiting. */
Test(queue, a_call_that_is_not_connected_loses_its_place)
{
	struct l2tp_session *slow, *next, *last;

	w.config.setup_limit = 1;
	world_start();
	slow = lac_calls();
	next = lac_calls();
	last = lac_calls();
	expect("open icrp");
	time_passes(ENV_SEC(1));
	expect("open icrp");
	cr_assert_str_eq(state_of(slow), "waiting");
	lac_connects(slow);
	cr_assert_str_eq(state_of(slow), "queued");
	lac_hangs_up(next);
	expect("close closed fork close keep");
	cr_assert_str_eq(state_of(slow), "forking", "before those that came later");
	cr_assert_str_eq(state_of(last), "queued");
	end_all();
}

/*
 * What the kernel has made for calls that are late is kept, for the client's first frames, but not for any
 * number: a LAC that connects nothing would take all descriptors.
 */
Test(queue, late_calls_hold_few_descriptors)
{
	struct l2tp_session *call[20];

	w.config.setup_limit = 3;
	world_start();
	for (int i = 0; i < 20; i++)
		call[i] = lac_calls();
	for (int i = 0; i < 20; i++)
		time_passes(ENV_SEC(1));
	cr_assert_eq(counters()->queued, 0);
	cr_assert_eq(w.kernel.descriptors, 3);
	w.log[0] = '\0';
	lac_connects(call[0]); /* one of the first that were late */
	expect("fork close keep");
	lac_connects(call[19]); /* one of the others: made anew */
	expect("open fork close keep");
	cr_assert_eq(w.kernel.descriptors, 2);
	end_all();
}

/* From now on calls come from this host. */
static void from(const char *host, uint16_t port)
{
	addr_parse(host, port, &w.l2tp.tunnel.path.peer);
}

/* A LAC that asks for many calls, or connects none, delays its own; one host is one LAC. */
Test(queue, lacs_take_turns)
{
	struct l2tp_session *greedy[20], *other[2];

	world_start();
	for (int i = 0; i < 20; i++) {
		from("198.51.100.66", (uint16_t)(1701 + i));
		greedy[i] = lac_calls();
	}
	from("198.51.100.7", 1701);
	for (int i = 0; i < 2; i++)
		other[i] = lac_calls();
	cr_assert_str_eq(state_of(other[0]), "queued", "all places are taken");
	lac_connects(greedy[0]); /* two places: one is free, one is new */
	template_answers(greedy[0], 0);
	for (int i = 0; i < 2; i++)
		cr_assert_str_eq(state_of(other[i]), "waiting");
	cr_assert_str_eq(state_of(greedy[3]), "waiting");
	cr_assert_str_eq(state_of(greedy[4]), "queued");
	lac_connects(other[0]);
	template_answers(other[0], 0);
	cr_assert_str_eq(state_of(greedy[4]), "waiting", "nobody else waits");
	end_all();
}

/* Clients that say nothing hold their places for long, but one LAC's do not get all. */
Test(queue, the_last_places_are_for_other_lacs)
{
	struct l2tp_session *call[FAKE_CALLS];
	unsigned int next = 0;

	w.config.setup_limit = 18;
	world_start();
	from("198.51.100.66", 1701);
	for (unsigned int i = 0; i < FAKE_CALLS - 1; i++)
		call[i] = lac_calls();
	while (strcmp(state_of(call[next]), "waiting") == 0) {
		lac_connects(call[next]);
		template_answers(call[next++], 0);
	}
	cr_assert_eq(next, 16);
	cr_assert_eq(counters()->in_setup, 16);
	from("198.51.100.7", 1701);
	cr_assert_str_eq(state_of(lac_calls()), "waiting");
	cr_assert_str_eq(state_of(call[next]), "queued");
	end_all();
}

Test(queue, a_higher_limit_after_a_reload)
{
	w.config.setup_limit = 1;
	world_start();
	lac_calls();
	lac_calls();
	expect("open icrp");
	w.config.setup_limit = 2;
	world_reload();
	expect("open icrp");
	end_all();
}

Test(queue, one_section_s_missing_template_holds_up_no_other)
{
	struct l2tp_session *first, *second;

	w.config.ppp_count = 2;
	world_start();
	w.ppp.no_template = true;
	first = lac_calls();
	expect("");
	snprintf(w.l2tp.lac.ppp, sizeof(w.l2tp.lac.ppp), "q");
	second = lac_calls();
	expect("open icrp");
	cr_assert_str_eq(state_of(first), "queued");
	cr_assert_str_eq(state_of(second), "waiting");
	w.ppp.no_template = false;
	subscribers_template_ready(w.all);
	expect("open icrp");
	end_all();
}

Test(queue, the_template_dies_before_the_call_is_connected)
{
	struct l2tp_session *call;

	world_start();
	call = lac_calls();
	w.ppp.no_template = true;
	lac_connects(call);
	expect("open icrp");
	cr_assert_str_eq(state_of(call), "queued");
	cr_assert_eq(counters()->in_setup, 0);
	w.ppp.no_template = false;
	subscribers_template_ready(w.all);
	expect("fork close keep");
	end_all();
}

Test(queue, the_section_is_removed_while_a_call_waits)
{
	struct l2tp_session *call;

	world_start();
	call = lac_calls();
	expect("open icrp");
	w.config.ppp_count = 0;
	world_reload();
	lac_connects(call);
	expect("close cdn:2/4");
	cr_assert(call->closed);
	world_end();
}

Test(queue, no_template_ever)
{
	world_start();
	w.ppp.no_template = true;
	lac_calls();
	time_passes(ENV_SEC(60));
	expect("cdn:2/4");
	world_end();
}

/* A place is free once in 5 s, so after 12 calls a minute is over. */
Test(queue, a_storm_without_hope_is_refused_early)
{
	unsigned int refused = 0, next = 0;

	w.config.setup_limit = 1;
	world_start();
	for (int i = 0; i < 20; i++)
		lac_calls();
	cr_assert_eq(counters()->ended[END_BUSY], 0, "nothing is known yet");
	for (; next < 9; next++) {
		lac_connects(&w.l2tp.calls[next]);
		time_passes(ENV_SEC(5));
		comes_up(&w.l2tp.calls[next]);
	}
	/* 10 wait at 5 s each: there is hope for two more */
	for (int i = 0; i < 10; i++) {
		struct l2tp_session *call = lac_calls();

		refused += call->closed;
		if (call->closed)
			cr_assert(call->result.code == L2TP_CDN_ERROR &&
				  call->result.error == L2TP_ERROR_RESOURCES);
	}
	cr_assert(refused >= 6 && refused <= 8, "%u", refused);
	cr_assert_eq(counters()->ended[END_BUSY], refused);
	w.log[0] = '\0';
	end_all();
}

/* The same, but the queue is another LAC's. */
Test(queue, there_is_hope_for_other_lacs)
{
	struct l2tp_session *call;
	unsigned int next = 0;

	w.config.setup_limit = 1;
	world_start();
	from("198.51.100.66", 1701);
	for (int i = 0; i < 30; i++)
		lac_calls();
	for (; next < 9; next++) {
		lac_connects(&w.l2tp.calls[next]);
		time_passes(ENV_SEC(5));
		comes_up(&w.l2tp.calls[next]);
	}
	call = lac_calls();
	cr_assert(call->closed);
	from("198.51.100.7", 1701);
	call = lac_calls();
	cr_assert_not(call->closed);
	for (int i = 0; i < 2; i++, next++) {
		lac_connects(&w.l2tp.calls[next]);
		comes_up(&w.l2tp.calls[next]);
	}
	cr_assert_str_eq(state_of(call), "waiting");
	end_all();
}

/* Sessions that leave setup while nobody waits say how fast calls come, not how fast they are served. */
Test(queue, quiet_times_say_nothing)
{
	struct l2tp_session *call;

	w.config.setup_limit = 1;
	world_start();
	for (int i = 0; i < 20; i++) {
		time_passes(ENV_SEC(100));
		comes_up(connects());
		w.log[0] = '\0';
	}
	lac_calls();
	lac_calls();
	call = lac_calls();
	cr_assert_str_eq(state_of(call), "queued");
	end_all();
}
