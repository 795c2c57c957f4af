// SPDX-License-Identifier: BSD-2-Clause
/*
 * down: calls that end at the LAC, or with their tunnel. One that goes alone goes at once; when a tunnel ends with
 * thousands of them, only the first ones do, and the others in later turns of the loop, down_max in each.
 */
#include "lns/subscriber/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A call that is down, and whose session has not been told yet. */
struct subscriber_down {
	TAILQ_ENTRY(subscriber_down) entry;
	struct subscriber *sub;
	enum end_reason reason;
	uint16_t lac_cause;
	char detail[];
};

/* The session ends because its call has. */
static void go_down(
	struct subscriber *sub, enum end_reason reason, uint16_t lac_cause, const char *detail)
{
	/* A LAC hangs up when its client has: then pppd has told why already. */
	if (sub->channel)
		ppp_channel_receive(sub->channel);
	if (sub->state == SUBSCRIBER_ENDING) {
		subscriber_peer_gone(sub);
		return;
	}
	sub->lac_cause = lac_cause;
	subscriber_end(sub, reason, detail);
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
static bool go_later(
	struct subscriber *sub, enum end_reason reason, uint16_t lac_cause, const char *detail)
{
	struct subscribers *all = sub->all;
	size_t size = strlen(detail) + 1;
	struct subscriber_down *down = malloc(sizeof(*down) + size);

	if (!down)
		return false;
	down->sub = sub;
	down->reason = reason;
	down->lac_cause = lac_cause;
	memcpy(down->detail, detail, size);
	if (TAILQ_EMPTY(&all->downs))
		env_timer_start(all->down_timer, 0);
	TAILQ_INSERT_TAIL(&all->downs, down, entry);
	sub->down = down;
	return true;
}

void subscriber_downs_step(void *ctx)
{
	struct subscribers *all = ctx;
	struct subscriber_down *down;

	for (unsigned int n = 0; n < all->down_max && (down = TAILQ_FIRST(&all->downs)); n++) {
		TAILQ_REMOVE(&all->downs, down, entry);
		down->sub->down = NULL;
		go_down(down->sub, down->reason, down->lac_cause, down->detail);
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
	struct subscriber *sub = l2tp_session_user(session);
	enum end_reason reason = by_peer ? END_LAC : END_TUNNEL;
	uint16_t lac_cause = 0;
	char detail[352];
	size_t len;

	if (!sub) {
		l2tp_session_close(session, result);
		return;
	}
	sub->call_is_down = true;
	if (by_peer)
		lac_cause = end_cause_of_lac(
			call->disconnect_code, call->disconnect_direction, result->code);
	l2tp_result_text(L2TP_CDN, result, detail, sizeof(detail));
	len = strlen(detail);
	if (call->disconnect_code)
		snprintf(detail + len, sizeof(detail) - len, "; PPP cause %u%s%s",
			call->disconnect_code, call->disconnect_message[0] ? ", " : "",
			call->disconnect_message);
	if (may_go(all) || !go_later(sub, reason, lac_cause, detail))
		go_down(sub, reason, lac_cause, detail);
}
