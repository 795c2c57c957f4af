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

#define SECOND UINT64_C(1000000)

/* Thousandths of sessions a second over the last minute and the ten seconds that are not full yet. */
Test(tally, rate_is_that_of_the_last_minute)
{
	static struct tally tally;
	struct tally_lac *lac = tally_lac(&tally, "a");
	uint64_t now = 1000 * SECOND;

	cr_assert_eq(tally_rate(lac, now), 0);
	for (int n = 0; n < 60; n++)
		tally_up(lac, now);
	cr_assert_eq(lac->up, 60);
	cr_assert_eq(tally_rate(lac, now), 1000);
	cr_assert_eq(tally_rate(lac, now + 30 * SECOND), 1000);
	cr_assert_eq(tally_rate(lac, now + 69 * SECOND), 60 * 1000 / 69);
	cr_assert_eq(tally_rate(lac, now + 70 * SECOND), 0, "forgotten");
	tally_up(lac, now + 65 * SECOND);
	cr_assert_eq(tally_rate(lac, now + 65 * SECOND), 61 * 1000 / 65);
	tally_up(lac, now + 9999 * SECOND);
	cr_assert_eq(tally_rate(lac, now + 9999 * SECOND), 1000 / 69);
}

Test(tally, last_error)
{
	static struct tally tally;
	struct tally_lac *lac = tally_lac(&tally, "a");

	tally_error(lac, 7, "no free address", NULL);
	cr_assert_str_eq(lac->error, "no free address");
	tally_error(lac, 8, "limit", "of 5");
	cr_assert_str_eq(lac->error, "limit: of 5");
	cr_assert_eq(lac->error_wallclock, 8);
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
