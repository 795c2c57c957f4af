// SPDX-License-Identifier: BSD-2-Clause
/*
 * down: calls that end at the LAC, or with their tunnel. One that goes alone goes at once; when a tunnel ends with
 * thousands of them, only the first ones do, and the others in later turns of the loop, down_max in each.
 */
#include "lns/subscriber/internal.h"

#include <stdio.h>
#include <stdlib.h>

/* A call that is down, and whose session has not been told yet. */
struct subscriber_down {
	TAILQ_ENTRY(subscriber_down) entry;
	struct subscriber *sub;
	enum end_reason reason;
	uint16_t lac_cause;
	char detail[352];
};

/* The session ends because its call has. */
static void go_down(const struct subscriber_down *down)
{
	struct subscriber *sub = down->sub;

	/* A LAC hangs up when its client has: then pppd has told why already. */
	if (sub->channel)
		ppp_channel_receive(sub->channel);
	if (sub->state == SUBSCRIBER_ENDING) {
		subscriber_peer_gone(sub);
		return;
	}
	sub->lac_cause = down->lac_cause;
	subscriber_end(sub, down->reason, down->detail);
}

/* Whether one more may go in this turn. */
static bool may_go(struct subscribers *all)
{
	uint64_t now = env_now(all->host.env);

	if (all->down_turn != now) {
		all->down_turn = now;
		all->down_count = 0;
	}
	return TAILQ_EMPTY(&all->downs) && all->down_count++ < all->down_max;
}

/* False: out of memory. */
static bool go_later(const struct subscriber_down *down)
{
	struct subscribers *all = down->sub->all;
	struct subscriber_down *copy = malloc(sizeof(*copy));

	if (!copy)
		return false;
	*copy = *down;
	if (TAILQ_EMPTY(&all->downs))
		env_timer_start(all->down_timer, 0);
	TAILQ_INSERT_TAIL(&all->downs, copy, entry);
	down->sub->down = copy;
	return true;
}

void subscriber_downs_step(void *ctx)
{
	struct subscribers *all = ctx;
	struct subscriber_down *down;

	for (unsigned int n = 0; n < all->down_max && (down = TAILQ_FIRST(&all->downs)); n++) {
		TAILQ_REMOVE(&all->downs, down, entry);
		down->sub->down = NULL;
		go_down(down);
		free(down);
	}
	if (!TAILQ_EMPTY(&all->downs))
		env_timer_start(all->down_timer, 0);
}

void subscriber_down_cancel(struct subscriber *sub)
{
	if (!sub->down)
		return;
	TAILQ_REMOVE(&sub->all->downs, sub->down, entry);
	free(sub->down);
	sub->down = NULL;
}

void subscriber_call_down(struct subscribers *all, struct l2tp_session *session,
	const struct l2tp_result *result, bool by_peer)
{
	const struct l2tp_call *call = l2tp_session_call(session);
	struct subscriber_down down = { .sub = l2tp_session_user(session),
		.reason = by_peer ? END_LAC : END_TUNNEL };
	char text[256];

	if (!down.sub) {
		l2tp_session_close(session, result);
		return;
	}
	down.sub->call_is_down = true;
	l2tp_result_text(L2TP_CDN, result, text, sizeof(text));
	if (by_peer)
		down.lac_cause = end_cause_of_lac(
			call->disconnect_code, call->disconnect_direction, result->code);
	if (call->disconnect_code)
		snprintf(down.detail, sizeof(down.detail), "%s; PPP cause %u%s%s", text,
			call->disconnect_code, call->disconnect_message[0] ? ", " : "",
			call->disconnect_message);
	else
		snprintf(down.detail, sizeof(down.detail), "%s", text);
	if (may_go(all) || !go_later(&down))
		go_down(&down);
}
