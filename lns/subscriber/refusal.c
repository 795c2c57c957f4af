// SPDX-License-Identifier: BSD-2-Clause
/*
 * refusal: calls that were refused before they were sessions: nothing is kept of them but counts and what
 * history says.
 */
#include "lns/subscriber/history.h"
#include "lns/subscriber/internal.h"

#include <stdio.h>

void subscriber_remember(struct subscribers *all, const struct history_entry *entry)
{
	history_add(all->history, entry);
	if (all->host.remembered)
		all->host.remembered(all->host.ctx, entry);
}

void subscriber_remember_refusal(struct subscribers *all, enum end_reason reason,
	const char *detail, const struct l2tp_refusal *refusal)
{
	uint64_t wallclock = env_wallclock(all->host.env);
	struct history_entry entry = { .wallclock = wallclock,
		.reason = reason,
		.state = subscriber_state_word(SUBSCRIBER_QUEUED),
		.tunnel_id = refusal->tunnel_id };
	struct tally_lac *lac = tally_lac(&all->tally, refusal->lac);

	lac->failed[reason]++;
	tally_error(lac, wallclock, end_rule(reason)->text, detail);
	all->counters.ended[reason]++;
	snprintf(entry.lac, sizeof(entry.lac), "%s", refusal->lac);
	snprintf(entry.peer_host, sizeof(entry.peer_host), "%.63s", refusal->host_name);
	snprintf(entry.calling, sizeof(entry.calling), "%s", refusal->calling);
	snprintf(entry.called, sizeof(entry.called), "%s", refusal->called);
	snprintf(entry.detail, sizeof(entry.detail), "%s", detail);
	subscriber_remember(all, &entry);
}

void subscribers_refused(struct subscribers *all, const struct l2tp_refusal *refusal)
{
	const struct l2tp_result *result = refusal->result;
	struct tally_lac *lac = refusal->lac ? tally_lac(&all->tally, refusal->lac) : NULL;
	bool drained = result->error == L2TP_ERROR_TRY_ANOTHER;
	bool limited = result->error == L2TP_ERROR_RESOURCES;

	if (refusal->tunnel_id) {
		all->counters.requested++;
		lac->calls++;
		subscriber_remember_refusal(all,
			drained   ? END_DRAINED
			: limited ? END_LIMIT
				  : END_NONSENSE,
			result->text, refusal);
	} else if (lac) {
		tally_error(lac, env_wallclock(all->host.env), "tunnel refused", result->text);
	}
}
