// SPDX-License-Identifier: BSD-2-Clause
/*
 * wait: a session that is about to be granted something waits for another one that has it: for its end,
 * or to learn whether its LAC lives.
 *
 * A LAC that dies cannot say that its calls are gone, and its subscribers come back, by the same LAC or by
 * another, before we notice. So nobody is refused because of a session in another tunnel before the LAC
 * there was asked. One that is silent for SILENCE has lost its session.
 */
#include "lns/subscriber/internal.h"

#include <errno.h>

#define END_DEADLINE ENV_SEC(5) /* for a session that ends */
#define SILENCE      ENV_SEC(2) /* of a LAC that was asked; a Hello is repeated once in that time */

static struct authorization *leave(struct subscriber *sub)
{
	struct authorization *grant = sub->pending;
	struct subscriber *other = subscriber_find(sub->all, sub->waits_for);

	if (other)
		other->awaited--;
	TAILQ_REMOVE(&sub->all->waiting, sub, in_waiting);
	env_timer_stop(sub->wait_timer);
	sub->pending = NULL;
	return grant;
}

/* The other session did not end, or its LAC has had the time to answer. */
static void wait_is_over(void *ctx)
{
	struct subscriber *sub = ctx;
	struct authorization *grant = leave(sub);

	if (sub->lac_asked) {
		subscriber_grant(sub, grant);
		return;
	}
	subscriber_refuse_address(
		sub, grant, grant->address == AUTHORIZATION_POOL ? -EADDRNOTAVAIL : -EADDRINUSE);
	authorization_free(grant);
}

static bool wait_for(struct subscriber *sub, struct authorization *grant, struct subscriber *other,
	uint64_t deadline)
{
	if (!sub->wait_timer)
		sub->wait_timer = env_timer_new(sub->all->host.env, wait_is_over, sub);
	if (!sub->wait_timer)
		return false;
	sub->pending = grant;
	sub->waits_for = other->key;
	other->awaited++;
	TAILQ_INSERT_TAIL(&sub->all->waiting, sub, in_waiting);
	env_timer_start(sub->wait_timer, deadline);
	return true;
}

bool subscriber_wait_for_end(
	struct subscriber *sub, struct authorization *grant, struct subscriber *other)
{
	sub->lac_asked = false;
	return wait_for(sub, grant, other, END_DEADLINE);
}

/* The LAC that brings sub lives. */
static bool may_be_lost(const struct subscriber *sub, const struct subscriber *other)
{
	return other->l2tp && other->tunnel_id != sub->tunnel_id;
}

bool subscriber_wait_for_lac(
	struct subscriber *sub, struct authorization *grant, struct subscriber *other)
{
	if (sub->lac_asked || !may_be_lost(sub, other))
		return false;
	sub->lac_asked = wait_for(sub, grant, other, SILENCE);
	return sub->lac_asked;
}

bool subscriber_is_lost(const struct subscriber *sub, const struct subscriber *other)
{
	uint64_t now = env_now(sub->all->host.env);

	return may_be_lost(sub, other) &&
	       now - l2tp_tunnel_ask(l2tp_session_tunnel(other->l2tp)) >= SILENCE;
}

void subscriber_stop_waiting(struct subscriber *sub)
{
	sub->lac_asked = false;
	if (sub->pending)
		authorization_free(leave(sub));
}

void subscriber_wake_waiting(struct subscribers *all, uint64_t key)
{
	struct subscriber *sub;

	do {
		TAILQ_FOREACH(sub, &all->waiting, in_waiting)
			if (sub->waits_for == key)
				break;
		if (sub)
			subscriber_grant(sub, leave(sub));
	} while (sub);
}
