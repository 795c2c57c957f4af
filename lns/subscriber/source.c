// SPDX-License-Identifier: BSD-2-Clause
/*
 * source: whose call is next when several LACs' calls wait. A source is a LAC's host, however many
 * tunnels it has.
 *
 * First come first served holds within a source. Among sources that has its turn which has the fewest
 * calls between ICRP and a running pppd, and of several such the one that waits longest for a turn. So a
 * LAC that asks for calls by the thousand, or does not connect them, delays its own.
 *
 * Places in setup are held for long by clients that say nothing, so a source may not take the last ones:
 * for every eight that it holds it leaves one to the others.
 */
#include "lns/subscriber/internal.h"

#include "lns/env.h"

#include <stdlib.h>
#include <string.h>

#define HELD_PER_FREE 8

static struct source_bucket *bucket_of(struct subscribers *all, const union addr *host)
{
	return &all->sources[addr_hash(host, all->source_seed) % SUBSCRIBER_BUCKETS];
}

static struct subscriber_source *find(struct subscribers *all, const union addr *host)
{
	struct subscriber_source *source;

	LIST_FOREACH(source, bucket_of(all, host), by_host)
		if (addr_equal(&source->host, host))
			return source;
	return NULL;
}

struct subscriber_source *source_get(struct subscribers *all, const union addr *peer)
{
	union addr host = *peer;
	struct subscriber_source *source;

	addr_set_port(&host, 0);
	source = find(all, &host);
	if (!source) {
		source = calloc(1, sizeof(*source));
		if (!source)
			return NULL;
		source->host = host;
		TAILQ_INIT(&source->waiting);
		LIST_INSERT_HEAD(bucket_of(all, &host), source, by_host);
	}
	source->sessions++;
	return source;
}

void source_put(struct subscriber_source *source)
{
	if (--source->sessions)
		return;
	LIST_REMOVE(source, by_host);
	free(source);
}

void source_add(struct subscriber *sub)
{
	struct subscribers *all = sub->all;
	struct subscriber_source *source = sub->source;

	if (!source->queued++) {
		TAILQ_INSERT_TAIL(&all->turns, source, in_turn);
		all->sources_waiting++;
	}
	if (sub->connected)
		TAILQ_INSERT_HEAD(&source->waiting, sub, in_queue);
	else
		TAILQ_INSERT_TAIL(&source->waiting, sub, in_queue);
	all->counters.queued++;
}

void source_remove(struct subscriber *sub)
{
	struct subscribers *all = sub->all;
	struct subscriber_source *source = sub->source;

	TAILQ_REMOVE(&source->waiting, sub, in_queue);
	all->counters.queued--;
	if (!--source->queued) {
		TAILQ_REMOVE(&all->turns, source, in_turn);
		all->sources_waiting--;
	}
}

void source_had_turn(struct subscribers *all, struct subscriber_source *source)
{
	if (!source->queued)
		return;
	TAILQ_REMOVE(&all->turns, source, in_turn);
	TAILQ_INSERT_TAIL(&all->turns, source, in_turn);
}

uint64_t source_ahead(struct subscribers *all, const union addr *peer)
{
	union addr host = *peer;
	const struct subscriber_source *source;
	uint64_t in_all = all->counters.queued, own = 0, others;

	addr_set_port(&host, 0);
	source = find(all, &host);
	if (source)
		own = source->queued;
	others = all->sources_waiting - (source && source->queued);
	return own + others * (own + 1) < in_all ? own + others * (own + 1) : in_all;
}

static bool may_take_place(const struct subscribers *all, const struct subscriber_source *source)
{
	unsigned int limit = all->config.config->setup_limit, taken = all->counters.in_setup + 1;

	return taken <= limit && (source->in_setup + 1) / HELD_PER_FREE <= limit - taken;
}

static bool has_template(const struct subscriber *sub)
{
	const struct subscribers_host *host = &sub->all->host;

	/* Without its section it has none to wait for, and ends. */
	return !subscriber_ppp(sub) || host->template(host->ctx, sub->ppp);
}

/* Its first call whose template is not missing. Sections are few, calls of one come together. */
static struct subscriber *first_ready(const struct subscriber_source *source, const char **missing)
{
	struct subscriber *sub;

	TAILQ_FOREACH(sub, &source->waiting, in_queue) {
		if (*missing && strcmp(sub->ppp, *missing) == 0)
			continue;
		if (has_template(sub))
			return sub;
		*missing = sub->ppp;
	}
	return NULL;
}

struct subscriber *source_next(const struct subscribers *all)
{
	const struct subscriber_source *source;
	struct subscriber *sub, *best = NULL;
	const char *missing = NULL;

	TAILQ_FOREACH(source, &all->turns, in_turn) {
		if (best && source->launching >= best->source->launching)
			continue;
		if (!may_take_place(all, source))
			continue;
		sub = first_ready(source, &missing);
		if (sub)
			best = sub;
		if (sub && !source->launching)
			break;
	}
	return best;
}
