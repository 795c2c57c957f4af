// SPDX-License-Identifier: BSD-2-Clause
/* end: every reason has words, a cause for accounting, and what the LAC is told. */
#include "lns/subscriber/end.h"

#include <criterion/criterion.h>

Test(end, every_reason_has_a_rule)
{
	for (int reason = END_NONE + 1; reason < END_COUNT; reason++) {
		const struct end_rule *rule = end_rule(reason);
		bool peer_ended = reason == END_LAC || reason == END_TUNNEL;

		cr_assert_not_null(rule->text, "reason %d", reason);
		cr_assert(rule->acct_cause >= 1 && rule->acct_cause <= 18, "%s", rule->text);
		cr_assert_eq(rule->result == 0, peer_ended, "%s", rule->text);
		/* RFC 2661 section 4.4.2: an error code belongs to result 2. */
		cr_assert_eq(rule->error != 0, rule->result == L2TP_CDN_ERROR, "%s", rule->text);
	}
}

Test(end, the_lac_is_told_the_reason_in_words)
{
	struct l2tp_result result;

	end_result(END_NO_RADIUS, "last tried 192.0.2.10:1812", &result);
	cr_assert_eq(result.code, L2TP_CDN_NO_FACILITIES_TEMPORARY);
	cr_assert_str_eq(result.text, "no RADIUS server answers: last tried 192.0.2.10:1812");
	end_result(END_CLIENT, "", &result);
	cr_assert_str_eq(result.text, "ended by the client");
}

Test(end, a_reason_that_does_not_exist_is_an_error_of_ours)
{
	cr_assert_eq(end_rule(END_COUNT)->result, L2TP_CDN_ERROR);
}
