// SPDX-License-Identifier: BSD-2-Clause
/*
 * history: see history.h. Entry n is at n modulo HISTORY_MAX.
 */
#include "lns/subscriber/history.h"

#include <stdlib.h>

struct history {
	uint64_t newest; /* its number, 0 = none yet */
	struct history_entry entries[HISTORY_MAX];
};

struct history *history_new(void)
{
	return calloc(1, sizeof(struct history));
}

void history_free(struct history *history)
{
	free(history);
}

void history_add(struct history *history, const struct history_entry *entry)
{
	struct history_entry *slot = &history->entries[++history->newest % HISTORY_MAX];

	*slot = *entry;
	slot->number = history->newest;
}

const struct history_entry *history_before(const struct history *history, uint64_t before)
{
	uint64_t number = before ? before - 1 : history->newest;

	if (number == 0 || number > history->newest || history->newest - number >= HISTORY_MAX)
		return NULL;
	return &history->entries[number % HISTORY_MAX];
}
