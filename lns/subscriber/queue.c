// SPDX-License-Identifier: BSD-2-Clause
/*
 * queue: who waits for a place among the sessions in setup, when it is free, and whether waiting has a
 * chance. Whose turn it is then is decided in source.c.
 *
 * A call waits before its LAC is answered: once the ICRP is out, a client stands at the LAC's end whose
 * LCP frames should be answered at once. So there are two limits: of sessions in setup, until their
 * network is up, and of those that are launching, between ICRP and a running pppd. Forks are made one
 * after the other: a call that is connected should find next to none before it, yet some when others
 * wait. The second limit follows from that: it is a window that learns how many ICRPs are under way to
 * their LACs and back in the time of a fork.
 *
 * A call that is not connected soon loses its place to another one; once it is connected, it is the next
 * of its LAC's calls. What the kernel has made for it is kept, for the client's first frames, as long as
 * such calls are few: only sessions in setup and as many late ones hold descriptors, so that a LAC cannot
 * take them all. For the same reason the limits of the system count only who holds something.
 *
 * How long the queue takes is judged from how fast sessions left setup of late, while others waited for
 * their places: the answer is only as good as the newest samples, so a few are needed, and they are
 * forgotten when the queue was empty.
 */
#include "lns/subscriber/internal.h"

#define SAMPLES_NEEDED 8
#define WINDOW_MIN     2
#define WINDOW_MAX     64
#define FORKS_WANTED   2
#define REFUSALS       32 /* a turn of the loop, of calls that there is no room for */

static void note_left_setup(struct subscribers *all)
{
	struct setup_rate *rate = &all->rate;

	if (!all->counters.queued) {
		rate->count = rate->next = 0;
		return;
	}
	rate->left[rate->next] = env_now(all->host.env);
	rate->next = (rate->next + 1) % SETUP_RATE_SAMPLES;
	if (rate->count < SETUP_RATE_SAMPLES)
		rate->count++;
}

bool subscriber_is_hopeless(struct subscribers *all, const union addr *peer)
{
	const struct setup_rate *rate = &all->rate;
	unsigned int oldest = (rate->next + SETUP_RATE_SAMPLES - rate->count) % SETUP_RATE_SAMPLES;
	uint64_t took;

	if (rate->count < SAMPLES_NEEDED || !all->counters.queued)
		return false;
	took = env_now(all->host.env) - rate->left[oldest];
	return source_ahead(all, peer) * took / rate->count > all->config.config->setup_timeout;
}

static void count_setup(struct subscriber *sub, bool in_setup)
{
	if (sub->counted_in_setup == in_setup)
		return;
	sub->counted_in_setup = in_setup;
	sub->all->counters.in_setup += in_setup ? 1 : -1u;
	sub->source->in_setup += in_setup ? 1 : -1u;
	if (!in_setup)
		note_left_setup(sub->all);
}

static void count_launching(struct subscriber *sub, bool launching)
{
	if (sub->counted_launching == launching)
		return;
	sub->counted_launching = launching;
	sub->all->launching += launching ? 1 : -1u;
	sub->source->launching += launching ? 1 : -1u;
}

void subscriber_fit_window(struct subscribers *all)
{
	if (all->forking <= 1 && all->counters.queued && all->window < WINDOW_MAX)
		all->window++;
	else if (all->forking > FORKS_WANTED && all->window > WINDOW_MIN)
		all->window--;
}

void subscriber_launched(struct subscriber *sub)
{
	count_launching(sub, false);
	subscriber_start_next(sub->all);
}

static void count_late(struct subscriber *sub, bool late)
{
	if (sub->counted_late == late)
		return;
	sub->counted_late = late;
	sub->all->late += late ? 1 : -1u;
}

static void count_placeless(struct subscriber *sub, bool placeless)
{
	if (sub->counted_placeless == placeless)
		return;
	sub->counted_placeless = placeless;
	sub->all->placeless += placeless ? 1 : -1u;
}

unsigned int subscribers_holding(const struct subscribers *all)
{
	return all->count - all->counters.queued - all->placeless;
}

bool subscriber_leave_place(struct subscriber *sub)
{
	bool had_one = sub->counted_in_setup;

	count_launching(sub, false);
	count_setup(sub, false);
	count_late(sub, false);
	count_placeless(sub, false);
	return had_one;
}

void subscriber_lose_place(struct subscriber *sub)
{
	struct subscribers *all = sub->all;

	subscriber_leave_place(sub);
	if (all->late < all->config.config->setup_limit) {
		count_late(sub, true);
	} else {
		subscriber_close_pppox(sub);
		count_placeless(sub, true);
	}
	subscriber_start_next(all);
}

void subscriber_enqueue(struct subscriber *sub)
{
	struct subscribers *all = sub->all;

	subscriber_enter(sub, SUBSCRIBER_QUEUED);
	env_timer_start(sub->timer, all->config.config->setup_timeout);
	count_placeless(sub, false);
	source_add(sub);
	subscriber_start_next(all);
}

void subscriber_leave_queue(struct subscriber *sub)
{
	if (sub->state == SUBSCRIBER_QUEUED)
		source_remove(sub);
}

/*
 * Those in the queue hold nothing, so the limits of the system are asked again when one begins to. False:
 * there is no room, and it was refused.
 */
static bool start(struct subscriber *sub)
{
	const struct subscribers_host *host = &sub->all->host;
	char why[sizeof(sub->detail)];

	source_had_turn(sub->all, sub->source);
	if (host->has_room && !host->has_room(host->ctx, true, why, sizeof(why))) {
		subscriber_end(sub, END_LIMIT, why);
		return false;
	}
	subscriber_leave_queue(sub);
	count_late(sub, false);
	count_setup(sub, true);
	count_launching(sub, true);
	subscriber_begin(sub);
	return true;
}

void subscriber_start_next(struct subscribers *all)
{
	struct subscriber *sub;
	unsigned int refused = 0;

	if (all->starting)
		return; /* it ends some: the loop below is at work */
	all->starting = true;
	while (refused < REFUSALS && !all->stopping && all->launching < all->window &&
		(sub = source_next(all)))
		refused += !start(sub);
	all->starting = false;
	if (refused == REFUSALS)
		env_timer_start(all->start_timer, 0);
}

void subscriber_start_more(void *ctx)
{
	subscriber_start_next(ctx);
}

void subscribers_template_ready(struct subscribers *all)
{
	subscriber_start_next(all);
}
