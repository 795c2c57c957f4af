// SPDX-License-Identifier: BSD-2-Clause
/* end: every reason has words, a cause for accounting, and what the LAC is told. */
#include "lns/subscriber/end.h"

#include "radius/attr_codes.h"

#include <criterion/criterion.h>

Test(end, every_reason_has_a_rule)
{
	for (int reason = END_NONE + 1; reason < END_COUNT; reason++) {
		const struct end_rule *rule = end_rule(reason);
		bool peer_ended = reason == END_LAC; /* which waits for no CDN */

		cr_assert_not_null(rule->text, "reason %d", reason);
		cr_assert(rule->acct_cause >= 1 && rule->acct_cause <= 18, "%s", rule->text);
		cr_assert_eq(rule->result == 0, peer_ended, "%s", rule->text);
		/* RFC 3145 section 2; who has ended the call is not told why. */
		cr_assert_leq(rule->ppp_code, 20, "%s", rule->text);
		cr_assert_leq(rule->ppp_direction, 2, "%s", rule->text);
		cr_assert(!rule->ppp_direction || rule->ppp_code, "%s", rule->text);
		cr_assert(!peer_ended || !rule->ppp_code, "%s", rule->text);
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

Test(end, what_the_lac_says_is_accounted)
{
	static const struct {
		uint16_t ppp_code;
		uint8_t direction;
		uint16_t result, cause;
	} rows[] = {
		{ 0, 0, L2TP_CDN_CARRIER_LOST, RADIUS_CAUSE_LOST_CARRIER },
		{ 0, 0, L2TP_CDN_ERROR, RADIUS_CAUSE_NAS_ERROR },
		{ 0, 0, L2TP_CDN_ADMINISTRATIVE, RADIUS_CAUSE_ADMIN_RESET },
		{ 0, 0, L2TP_CDN_NO_FACILITIES_PERMANENT, RADIUS_CAUSE_SERVICE_UNAVAILABLE },
		{ 0, 0, 0, RADIUS_CAUSE_LOST_CARRIER },
		{ 1, 0, L2TP_CDN_CARRIER_LOST, RADIUS_CAUSE_ADMIN_RESET },
		{ 3, 1, L2TP_CDN_ADMINISTRATIVE, RADIUS_CAUSE_USER_REQUEST },
		{ 3, 2, L2TP_CDN_CARRIER_LOST, RADIUS_CAUSE_LOST_CARRIER },
		{ 8, 0, L2TP_CDN_ADMINISTRATIVE, RADIUS_CAUSE_LOST_CARRIER },
		{ 16, 1, L2TP_CDN_ADMINISTRATIVE, RADIUS_CAUSE_USER_ERROR },
		{ 21, 0, L2TP_CDN_ADMINISTRATIVE, RADIUS_CAUSE_ADMIN_RESET }, /* not of RFC 3145 */
	};

	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
		cr_assert_eq(end_cause_of_lac(rows[n].ppp_code, rows[n].direction, rows[n].result),
			rows[n].cause, "PPP %u result %u", rows[n].ppp_code, rows[n].result);
}

/* RFC 3145 section 3: each group of causes has its protocol. */
Test(end, every_cause_has_its_control_protocol)
{
	for (uint16_t code = 0; code <= 20; code++)
		cr_assert_eq(end_control_protocol(code, 0xc223, 0x8021),
			code < 5    ? 0
			: code < 13 ? 0xc021
			: code < 17 ? 0xc223
				    : 0x8021,
			"cause %u", code);
}

Test(end, a_reason_that_does_not_exist_is_an_error_of_ours)
{
	cr_assert_eq(end_rule(END_COUNT)->result, L2TP_CDN_ERROR);
}
