// SPDX-License-Identifier: BSD-2-Clause
/*
 * queue: who waits for a place among the sessions in setup, first come first served, and whether
 * waiting has a chance.
 *
 * How long the queue takes is judged from how fast sessions left setup of late, while others waited for
 * their places: the answer is only as good as the newest samples, so a few are needed, and they are
 * forgotten when the queue was empty.
 */
#include "lns/subscriber/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SAMPLES_NEEDED 8

static void note_left_setup(struct subscribers *all)
{
	struct setup_rate *rate = &all->rate;

	if (TAILQ_EMPTY(&all->queue)) {
		rate->count = rate->next = 0;
		return;
	}
	rate->left[rate->next] = env_now(all->host.env);
	rate->next = (rate->next + 1) % SETUP_RATE_SAMPLES;
	if (rate->count < SETUP_RATE_SAMPLES)
		rate->count++;
}

bool subscriber_is_hopeless(const struct subscribers *all)
{
	const struct setup_rate *rate = &all->rate;
	unsigned int oldest = (rate->next + SETUP_RATE_SAMPLES - rate->count) % SETUP_RATE_SAMPLES;
	/* Calls between ICRQ and ICCN stand in front, too. */
	uint64_t ahead = all->counters.queued + all->counters.coming, took;

	if (rate->count < SAMPLES_NEEDED || TAILQ_EMPTY(&all->queue))
		return false;
	took = env_now(all->host.env) - rate->left[oldest];
	return ahead * took / rate->count > all->config.config->setup_timeout;
}

void subscriber_count_setup(struct subscriber *sub, bool in_setup)
{
	if (sub->counted_in_setup == in_setup)
		return;
	sub->counted_in_setup = in_setup;
	sub->all->counters.in_setup += in_setup ? 1 : -1u;
	if (!in_setup)
		note_left_setup(sub->all);
}

void subscriber_enqueue(struct subscriber *sub)
{
	struct subscribers *all = sub->all;

	subscriber_enter(sub, SUBSCRIBER_QUEUED);
	TAILQ_INSERT_TAIL(&all->queue, sub, in_queue);
	all->counters.queued++;
	subscriber_start_next(all);
}

void subscriber_leave_queue(struct subscriber *sub)
{
	if (sub->state != SUBSCRIBER_QUEUED)
		return;
	TAILQ_REMOVE(&sub->all->queue, sub, in_queue);
	sub->all->counters.queued--;
}

/* 0: it is in setup now; -EAGAIN: it waits for a template; -errno: it is ended, and perhaps freed. */
static int start(struct subscriber *sub)
{
	int err = subscriber_start_pppd(sub);
	char detail[128];

	if (err == -EAGAIN)
		return err;
	if (err < 0) {
		snprintf(detail, sizeof(detail), "ppp \"%s\": %s", sub->ppp, strerror(-err));
		subscriber_end(sub, END_NO_RESOURCE, detail);
		return err;
	}
	subscriber_leave_queue(sub);
	subscriber_enter(sub, SUBSCRIBER_FORKING);
	subscriber_count_setup(sub, true);
	return 0;
}

/* The first one whose template is not known to be missing. */
static struct subscriber *first_of_another(const struct subscribers *all, const char *missing)
{
	struct subscriber *sub;

	TAILQ_FOREACH(sub, &all->queue, in_queue)
		if (!missing || strcmp(sub->ppp, missing) != 0)
			return sub;
	return NULL;
}

void subscriber_start_next(struct subscribers *all)
{
	const char *missing = NULL; /* one section may be without a template, others go on */
	char name[64];
	struct subscriber *sub;

	if (all->starting)
		return; /* it ends some: the loop below is at work */
	all->starting = true;
	while (!all->stopping && all->counters.in_setup < all->config.config->setup_limit &&
		(sub = first_of_another(all, missing))) {
		if (start(sub) != -EAGAIN)
			continue;
		if (missing)
			break; /* of two sections: subscribers_template_ready comes back to all */
		snprintf(name, sizeof(name), "%s", sub->ppp);
		missing = name;
	}
	all->starting = false;
}

void subscribers_template_ready(struct subscribers *all)
{
	subscriber_start_next(all);
}
