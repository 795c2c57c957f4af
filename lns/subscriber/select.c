// SPDX-License-Identifier: BSD-2-Clause
/*
 * select: which sessions are meant by what RADIUS was told of them, and which have the most traffic. One
 * that is ending is meant by nothing any more.
 */
#include "lns/subscriber/internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool is_text(const char *wanted, const char *text)
{
	return !wanted || strcmp(wanted, text) == 0;
}

static bool is_number(const uint32_t *wanted, uint32_t number)
{
	return !wanted || *wanted == number;
}

static const char *called_number(const struct subscriber *sub)
{
	return sub->l2tp ? l2tp_session_call(sub->l2tp)->called_number : "";
}

static bool is_meant(const struct subscriber *sub, const struct subscriber_selector *selector)
{
	return sub->state != SUBSCRIBER_ENDING &&
	       is_text(selector->acct_session_id, sub->acct_session_id) &&
	       is_text(selector->acct_multi_session_id, subscriber_multi_session_id(sub)) &&
	       is_number(selector->address, ntohl(sub->remote)) &&
	       is_number(selector->nas_port, subscriber_nas_port(sub)) &&
	       is_text(selector->nas_port_id, sub->name) && is_text(selector->user, sub->user) &&
	       is_text(selector->lac, sub->lac) && is_text(selector->user_text, sub->user_text) &&
	       is_text(selector->calling, sub->calling) &&
	       is_text(selector->called, called_number(sub)) &&
	       (!selector->takes_lac || selector->takes_lac(selector->ctx, sub->lac));
}

/* The session of an Acct-Session-Id, which is its key; NULL: there is none. */
static struct subscriber *find_session(struct subscribers *all, const char *acct_session_id)
{
	unsigned long long key;
	char rest;

	if (sscanf(acct_session_id, "%16llx%c", &key, &rest) != 1)
		return NULL;
	return subscriber_find(all, key);
}

size_t subscribers_select(struct subscribers *all, const struct subscriber_selector *selector,
	uint64_t *ret_keys, size_t max)
{
	struct subscriber *sub;
	size_t count = 0;

	if (selector->acct_session_id) {
		sub = find_session(all, selector->acct_session_id);
		if (!sub || !is_meant(sub, selector))
			return 0;
		if (max)
			*ret_keys = sub->key;
		return 1;
	}
	TAILQ_FOREACH(sub, &all->order, in_order) {
		if (!is_meant(sub, selector))
			continue;
		if (count < max)
			ret_keys[count] = sub->key;
		if (++count == selector->enough)
			break;
	}
	return count;
}

static uint64_t traffic_of(const struct subscriber *sub)
{
	return sub->rx_bps + sub->tx_bps;
}

/* Puts sub, if it belongs there, among the busiest ones. */
static void insert(struct subscribers_top *top, const struct subscriber *sub)
{
	uint64_t bps = traffic_of(sub);
	size_t at;

	if (top->count == top->max && top->busiest[top->count - 1].bps >= bps)
		return;
	if (top->count < top->max)
		top->count++;
	for (at = top->count - 1; at > 0 && top->busiest[at - 1].bps < bps; at--)
		top->busiest[at] = top->busiest[at - 1];
	top->busiest[at].key = sub->key;
	top->busiest[at].bps = bps;
}

bool subscribers_top_step(struct subscribers *all, struct subscribers_top *top, unsigned int steps)
{
	const struct subscriber *sub = NULL;

	while (steps-- &&
		(sub = sub ? TAILQ_NEXT(sub, in_order) : subscriber_next(all, top->after))) {
		top->after = sub->key;
		if (sub->state == SUBSCRIBER_UP && is_text(top->lac, sub->lac) &&
			is_text(top->user, sub->user_text))
			insert(top, sub);
	}
	return sub != NULL;
}
