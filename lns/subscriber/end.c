// SPDX-License-Identifier: BSD-2-Clause
/*
 * end: the table of reasons. See end.h.
 */
#include "lns/subscriber/end.h"

#include "radius/attr_codes.h"

#include <stdio.h>
#include <string.h>

static const struct end_rule rules[END_COUNT] = {
	[END_NONE] = { "running", 0, 0, 0, false },
	[END_CLIENT] = { "ended by the client", L2TP_CDN_ADMINISTRATIVE, 0,
		RADIUS_CAUSE_USER_REQUEST, false },
	[END_LAC] = { "ended by the LAC", 0, 0, RADIUS_CAUSE_LOST_CARRIER, true },
	[END_TUNNEL] = { "tunnel lost", 0, 0, RADIUS_CAUSE_LOST_CARRIER, true },
	[END_REFUSED] = { "authentication refused", L2TP_CDN_ADMINISTRATIVE, 0,
		RADIUS_CAUSE_USER_ERROR, false },
	[END_NO_RADIUS] = { "no RADIUS server answers", L2TP_CDN_NO_FACILITIES_TEMPORARY, 0,
		RADIUS_CAUSE_SERVICE_UNAVAILABLE, false },
	[END_BAD_SECRET] = { "RADIUS replies fail verification", L2TP_CDN_NO_FACILITIES_TEMPORARY,
		0, RADIUS_CAUSE_SERVICE_UNAVAILABLE, false },
	[END_BAD_PROFILE] = { "RADIUS profile cannot be obeyed", L2TP_CDN_NO_FACILITIES_PERMANENT,
		0, RADIUS_CAUSE_SERVICE_UNAVAILABLE, false },
	[END_NO_ADDRESS] = { "no free address", L2TP_CDN_NO_FACILITIES_TEMPORARY, 0,
		RADIUS_CAUSE_SERVICE_UNAVAILABLE, false },
	[END_ADDRESS_USED] = { "address is in use", L2TP_CDN_NO_FACILITIES_TEMPORARY, 0,
		RADIUS_CAUSE_SERVICE_UNAVAILABLE, false },
	[END_NO_RESOURCE] = { "insufficient resources", L2TP_CDN_ERROR, L2TP_ERROR_RESOURCES,
		RADIUS_CAUSE_NAS_ERROR, false },
	[END_BUSY] = { "too many calls in setup", L2TP_CDN_NO_FACILITIES_TEMPORARY, 0,
		RADIUS_CAUSE_SERVICE_UNAVAILABLE, false },
	[END_LCP] = { "LCP did not open", L2TP_CDN_NO_FRAMING, 0, RADIUS_CAUSE_USER_ERROR, false },
	[END_AUTH_TIMEOUT] = { "client did not authenticate", L2TP_CDN_ADMINISTRATIVE, 0,
		RADIUS_CAUSE_USER_ERROR, false },
	[END_NCP] = { "no network protocol came up", L2TP_CDN_ADMINISTRATIVE, 0,
		RADIUS_CAUSE_USER_ERROR, false },
	[END_SETUP_TIMEOUT] = { "setup took too long", L2TP_CDN_NO_FACILITIES_TEMPORARY, 0,
		RADIUS_CAUSE_SERVICE_UNAVAILABLE, false },
	[END_ECHO] = { "client does not answer echoes", L2TP_CDN_CARRIER_LOST, 0,
		RADIUS_CAUSE_LOST_CARRIER, false },
	[END_LOOP] = { "line is looped back", L2TP_CDN_NO_FRAMING, 0, RADIUS_CAUSE_USER_ERROR,
		false },
	[END_SESSION_TIMEOUT] = { "session timeout", L2TP_CDN_ADMINISTRATIVE, 0,
		RADIUS_CAUSE_SESSION_TIMEOUT, false },
	[END_IDLE_TIMEOUT] = { "idle timeout", L2TP_CDN_ADMINISTRATIVE, 0,
		RADIUS_CAUSE_IDLE_TIMEOUT, false },
	[END_OPERATOR] = { "disconnected by the operator", L2TP_CDN_ADMINISTRATIVE, 0,
		RADIUS_CAUSE_ADMIN_RESET, false },
	[END_SHUTDOWN] = { "LNS shuts down", L2TP_CDN_ADMINISTRATIVE, 0, RADIUS_CAUSE_NAS_REBOOT,
		false },
	[END_PPPD] = { "pppd died", L2TP_CDN_ERROR, L2TP_ERROR_RESOURCES, RADIUS_CAUSE_NAS_ERROR,
		true },
	[END_ENGINE] = { "engine restarted", L2TP_CDN_ERROR, L2TP_ERROR_RESOURCES,
		RADIUS_CAUSE_NAS_ERROR, true },
};

const struct end_rule *end_rule(enum end_reason reason)
{
	return &rules[reason < END_COUNT ? reason : END_NO_RESOURCE];
}

void end_result(enum end_reason reason, const char *detail, struct l2tp_result *ret_result)
{
	const struct end_rule *rule = end_rule(reason);

	memset(ret_result, 0, sizeof(*ret_result));
	ret_result->code = rule->result;
	ret_result->error = rule->error;
	snprintf(ret_result->text, sizeof(ret_result->text), "%s%s%s", rule->text,
		detail && *detail ? ": " : "", detail ? detail : "");
}
