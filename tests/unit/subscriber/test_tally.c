// SPDX-License-Identifier: BSD-2-Clause
/* tally and phases: bounded counts by lac section, and buckets with their bounds. */
#include "lns/subscriber/phases.h"
#include "lns/subscriber/tally.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(tally, lacs_are_found_again_and_bounded)
{
	static struct tally tally;
	struct tally_lac *first = tally_lac(&tally, "a");
	char name[64];

	cr_assert_eq(tally_lac(&tally, "a"), first);
	for (int i = 1; i < TALLY_LACS; i++) {
		snprintf(name, sizeof(name), "lac%d", i);
		cr_assert_str_eq(tally_lac(&tally, name)->name, name);
	}
	cr_assert_str_eq(tally_lac(&tally, "one too many")->name, TALLY_OTHER);
	cr_assert_eq(tally_lac(&tally, "another"), tally_lac(&tally, "one too many"));
	cr_assert_eq(tally.count, TALLY_LACS + 1);
	cr_assert_eq(tally_lac(&tally, "a"), first);
	cr_assert_str_eq(first->name, "a");
}

Test(phases, bounds_belong_to_their_bucket)
{
	struct phases phases = { 0 };
	const struct phases_histogram *lcp = &phases.histograms[PHASES_LCP];

	for (int i = 1; i < PHASES_BOUNDS; i++)
		cr_assert_gt(phases_bounds[i], phases_bounds[i - 1]);
	phases_observe(&phases, PHASES_LCP, 0);
	phases_observe(&phases, PHASES_LCP, phases_bounds[0]);
	phases_observe(&phases, PHASES_LCP, phases_bounds[0] + 1);
	phases_observe(&phases, PHASES_LCP, phases_bounds[PHASES_BOUNDS - 1]);
	phases_observe(&phases, PHASES_LCP, phases_bounds[PHASES_BOUNDS - 1] + 1);
	cr_assert_eq(lcp->counts[0], 2);
	cr_assert_eq(lcp->counts[1], 1);
	cr_assert_eq(lcp->counts[PHASES_BOUNDS - 1], 1);
	cr_assert_eq(lcp->counts[PHASES_BOUNDS], 1);
	cr_assert_eq(lcp->sum, 2 * phases_bounds[0] + 1 + 2 * phases_bounds[PHASES_BOUNDS - 1] + 1);
	for (int phase = 0; phase < PHASES_COUNT; phase++)
		cr_assert_not_null(phases_name(phase));
}
