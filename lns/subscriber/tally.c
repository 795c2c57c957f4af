// SPDX-License-Identifier: BSD-2-Clause
/* tally: see tally.h. */
#include "lns/subscriber/tally.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SLOT UINT64_C(10000000) /* microseconds */

struct tally_lac *tally_lac(struct tally *tally, const char *name)
{
	struct tally_lac *lac;

	for (unsigned int i = 0; i < tally->count; i++)
		if (strcmp(tally->lacs[i].name, name) == 0)
			return &tally->lacs[i];
	if (tally->count > TALLY_LACS)
		return &tally->lacs[TALLY_LACS];
	lac = &tally->lacs[tally->count];
	snprintf(lac->name, sizeof(lac->name), "%s",
		tally->count == TALLY_LACS ? TALLY_OTHER : name);
	tally->count++;
	return lac;
}

/* Empties what is older than a minute at `now`. */
static void advance(struct tally_lac *lac, uint64_t slot)
{
	if (slot - lac->slot >= TALLY_SLOTS)
		memset(lac->slots, 0, sizeof(lac->slots));
	else
		for (uint64_t n = lac->slot + 1; n <= slot; n++)
			lac->slots[n % TALLY_SLOTS] = 0;
	lac->slot = slot;
}

void tally_up(struct tally_lac *lac, uint64_t now)
{
	lac->up++;
	advance(lac, now / SLOT);
	lac->slots[lac->slot % TALLY_SLOTS]++;
}

unsigned int tally_rate(const struct tally_lac *lac, uint64_t now)
{
	struct tally_lac at = *lac;
	uint64_t milliseconds = (TALLY_SLOTS - 1) * SLOT / 1000 + now % SLOT / 1000, count = 0;

	advance(&at, now / SLOT);
	for (unsigned int n = 0; n < TALLY_SLOTS; n++)
		count += at.slots[n];
	return (unsigned int)(count * 1000000 / milliseconds);
}

void tally_error(struct tally_lac *lac, uint64_t wallclock, const char *text, const char *detail)
{
	bool has_detail = detail && *detail;

	lac->error_wallclock = wallclock;
	snprintf(lac->error, sizeof(lac->error), "%s%s%s", text, has_detail ? ": " : "",
		has_detail ? detail : "");
}
