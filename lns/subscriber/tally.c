// SPDX-License-Identifier: BSD-2-Clause
/* tally: see tally.h. */
#include "lns/subscriber/tally.h"

#include <stdio.h>
#include <string.h>

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
