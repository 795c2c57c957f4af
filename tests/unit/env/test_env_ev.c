// SPDX-License-Identifier: BSD-2-Clause
/* The loop's descriptors: each in its turn, few in one, none after it was freed. */
#include "lns/env_ev.h"

#include <criterion/criterion.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAIRS 100

static struct env *env;
static struct env_io *watch[PAIRS];
static int ours[PAIRS], theirs[PAIRS], served[PAIRS], total, last_events;
static uint64_t turns[PAIRS]; /* of the loop, when it was served first */

static uint64_t turn(void)
{
	struct env_ev_load load;

	env_ev_get_load(env, &load);
	return load.turns;
}

static void note(int i, int events)
{
	if (!served[i]++)
		turns[i] = turn();
	last_events = events;
	total++;
}

static void reads(void *ctx, int events)
{
	int i = (int)((int *)ctx - served);
	char octet;

	note(i, events);
	cr_assert_eq(read(ours[i], &octet, 1), 1);
	if (total == PAIRS)
		env_ev_stop(env);
}

static void setup(void)
{
	env = env_ev_new();
	cr_assert_not_null(env);
	for (int i = 0; i < PAIRS; i++) {
		int ends[2];

		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
		ours[i] = ends[0];
		theirs[i] = ends[1];
	}
}

static void teardown(void)
{
	for (int i = 0; i < PAIRS; i++)
		env_io_free(watch[i]);
	env_ev_free(env);
}

static void watch_all(void (*ready)(void *ctx, int events))
{
	for (int i = 0; i < PAIRS; i++) {
		watch[i] = env_io_new(env, ours[i], ENV_READ, ready, &served[i]);
		cr_assert_not_null(watch[i]);
		cr_assert_eq(write(theirs[i], "x", 1), 1);
	}
}

TestSuite(env_ev, .init = setup, .fini = teardown, .timeout = 60);

Test(env_ev, a_crowd_is_served_in_several_turns)
{
	watch_all(reads);
	env_ev_run(env);
	for (int i = 0; i < PAIRS; i++)
		cr_assert_eq(served[i], 1);
	cr_assert_geq(turns[PAIRS - 1] - turns[0], PAIRS / 32);
}

static void work_for(clockid_t clock, long microseconds)
{
	struct timespec now, began;

	clock_gettime(clock, &began);
	do
		clock_gettime(clock, &now);
	while ((now.tv_sec - began.tv_sec) * 1000000L + (now.tv_nsec - began.tv_nsec) / 1000 <
		microseconds);
}

static void reads_slowly(void *ctx, int events)
{
	reads(ctx, events);
	work_for(CLOCK_MONOTONIC, 2500);
}

/* Others have their turn meanwhile: timers, and what was ready before. */
Test(env_ev, a_turn_ends_when_its_time_is_over)
{
	watch_all(reads_slowly);
	env_ev_run(env);
	for (int i = 0; i < PAIRS; i++)
		cr_assert_eq(served[i], 1);
	for (int i = 1; i < PAIRS; i++)
		cr_assert_neq(turns[i], turns[i - 1], "%d", i);
}

static void keeps_talking(void *ctx, int events)
{
	int i = (int)((int *)ctx - served);

	note(i, events); /* and leaves the octet where it is */
	if (served[PAIRS - 1] == 5)
		env_ev_stop(env);
}

Test(env_ev, nobody_starves)
{
	watch_all(keeps_talking);
	env_ev_run(env);
	for (int i = 0; i < PAIRS; i++)
		cr_assert(served[i] >= 4 && served[i] <= 6, "%d: %d times", i, served[i]);
}

/* The first one that is served frees all others, of which some are taken from the kernel already. */
static void frees_all(void *ctx, int events)
{
	int me = (int)((int *)ctx - served);

	note(me, events);
	for (int i = 0; i < PAIRS; i++) {
		env_io_free(watch[i]);
		watch[i] = NULL;
		close(ours[i]);
	}
}

static void stops(void *ctx)
{
	(void)ctx;
	env_ev_stop(env);
}

Test(env_ev, nobody_is_called_after_he_was_freed)
{
	struct env_timer *timer = env_timer_new(env, stops, NULL);

	watch_all(frees_all);
	env_timer_start(timer, ENV_MS(50));
	env_ev_run(env);
	cr_assert_eq(total, 1);
	env_timer_free(timer);
}

static void notes(void *ctx, int events)
{
	note((int)((int *)ctx - served), events);
	env_io_set(watch[0], 0);
}

Test(env_ev, what_is_not_wanted_is_not_told)
{
	struct env_timer *timer = env_timer_new(env, stops, NULL);

	watch[0] = env_io_new(env, ours[0], 0, notes, &served[0]);
	close(theirs[0]);
	env_timer_start(timer, ENV_MS(50));
	env_ev_run(env);
	cr_assert_eq(total, 0, "watched for nothing, it has ended");
	env_io_set(watch[0], ENV_READ | ENV_WRITE);
	env_timer_start(timer, ENV_MS(50));
	env_ev_run(env);
	cr_assert_eq(total, 1, "until it was not wanted any more");
	cr_assert_eq(last_events, ENV_READ | ENV_WRITE);
	env_timer_free(timer);
}

static void works_often(void *ctx)
{
	(void)ctx;
	work_for(CLOCK_THREAD_CPUTIME_ID, 20000);
}

static void works_long(void *ctx)
{
	(void)ctx;
	work_for(CLOCK_THREAD_CPUTIME_ID, 30000);
}

/* By the sum of its calls, wherever others come between. */
Test(env_ev, the_longest_turn_names_its_work)
{
	struct env_timer *end = env_timer_new(env, stops, NULL), *timers[] = {
		env_timer_new(env, works_often, NULL),
		env_timer_new(env, works_long, NULL),
		env_timer_new(env, works_often, NULL),
		env_timer_new(env, works_often, NULL),
	};
	struct env_ev_load load;

	for (int i = 0; i < 4; i++)
		env_timer_start(timers[i], ENV_MS(1));
	env_timer_start(end, ENV_MS(300));
	env_ev_run(env);
	env_ev_get_load(env, &load);
	cr_assert_str_eq(load.longest_work.what, __FILE__ " works_often");
	cr_assert_eq(load.longest_work.calls, 3);
	cr_assert_geq(load.longest, 90000);
	cr_assert_geq(load.longest_work.spent, 60000);
	cr_assert_eq(load.slow, 1);
	for (int i = 0; i < 4; i++)
		env_timer_free(timers[i]);
	env_timer_free(end);
}

Test(env_ev, a_start_is_no_turn)
{
	struct env_timer *end = env_timer_new(env, stops, NULL);
	struct env_ev_load load;

	work_for(CLOCK_THREAD_CPUTIME_ID, 100000);
	env_timer_start(end, ENV_MS(200));
	env_ev_run(env);
	env_ev_get_load(env, &load);
	cr_assert_lt(load.longest, 50000);
	env_timer_free(end);
}

Test(env_ev, what_cannot_be_waited_for)
{
	cr_assert_null(env_io_new(env, 9999, ENV_READ, notes, NULL));
}
