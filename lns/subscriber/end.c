// SPDX-License-Identifier: BSD-2-Clause
/*
 * end: the table of reasons. See end.h.
 */
#include "lns/subscriber/end.h"

#include "radius/attr_codes.h"

#include <stdio.h>
#include <string.h>

/* RFC 3145 section 4, in words of our own. */
enum {
	PPP_NOTHING_KNOWN = 0,
	PPP_ADMINISTRATIVE = 1,
	PPP_TERMINATED = 3, /* by an LCP Terminate-Request */
	PPP_LCP_TIMEOUT = 5,
	PPP_LOOP = 7,
	PPP_ECHO_TIMEOUT = 8,
	PPP_AUTH_TIMEOUT = 13,
	PPP_AUTH_FAILED = 16,
	PPP_NO_NCP = 18,
	PPP_CAUSE_LAST = 20,

	PPP_LCP = 0xc021,

	OF_THE_LINK = 0,
	AT_THE_CLIENT = 1,
	HERE = 2,
};

#define FACILITIES L2TP_CDN_NO_FACILITIES_TEMPORARY

/* clang-format off */
static const struct end_rule rules[END_COUNT] = {
	[END_NONE] = { "running", 0, 0, 0, 0, 0, false },
	[END_CLIENT] = { "ended by the client",
		L2TP_CDN_ADMINISTRATIVE, 0, RADIUS_CAUSE_USER_REQUEST, PPP_TERMINATED, AT_THE_CLIENT, false },
	[END_LAC] = { "ended by the LAC", 0, 0, RADIUS_CAUSE_LOST_CARRIER, 0, 0, true },
	[END_TUNNEL] = { "tunnel lost", L2TP_CDN_CARRIER_LOST, 0, RADIUS_CAUSE_LOST_CARRIER, 0, 0, true },
	[END_REFUSED] = { "authentication refused",
		L2TP_CDN_ADMINISTRATIVE, 0, RADIUS_CAUSE_USER_ERROR, PPP_AUTH_FAILED, AT_THE_CLIENT, false },
	[END_NO_RADIUS] = { "no RADIUS server answers",
		FACILITIES, 0, RADIUS_CAUSE_SERVICE_UNAVAILABLE, 0, 0, false },
	[END_BAD_SECRET] = { "RADIUS replies fail verification",
		FACILITIES, 0, RADIUS_CAUSE_SERVICE_UNAVAILABLE, 0, 0, false },
	[END_BAD_PROFILE] = { "RADIUS profile cannot be obeyed",
		L2TP_CDN_NO_FACILITIES_PERMANENT, 0, RADIUS_CAUSE_SERVICE_UNAVAILABLE, 0, 0, false },
	[END_NO_ADDRESS] = { "no free address",
		FACILITIES, 0, RADIUS_CAUSE_SERVICE_UNAVAILABLE, 0, 0, false },
	[END_ADDRESS_USED] = { "address is in use",
		FACILITIES, 0, RADIUS_CAUSE_SERVICE_UNAVAILABLE, 0, 0, false },
	[END_OVER_LIMIT] = { "user has too many sessions",
		L2TP_CDN_ADMINISTRATIVE, 0, RADIUS_CAUSE_USER_ERROR, PPP_ADMINISTRATIVE, OF_THE_LINK, false },
	[END_REPLACED] = { "replaced by a newer session",
		L2TP_CDN_ADMINISTRATIVE, 0, RADIUS_CAUSE_PORT_PREEMPTED, PPP_ADMINISTRATIVE, OF_THE_LINK, false },
	[END_NO_RESOURCE] = { "insufficient resources",
		L2TP_CDN_ERROR, L2TP_ERROR_RESOURCES, RADIUS_CAUSE_NAS_ERROR, 0, 0, false },
	[END_BUSY] = { "too many calls in setup",
		L2TP_CDN_ERROR, L2TP_ERROR_RESOURCES, RADIUS_CAUSE_SERVICE_UNAVAILABLE, 0, 0, false },
	[END_LIMIT] = { "limit of sessions reached",
		L2TP_CDN_ERROR, L2TP_ERROR_RESOURCES, RADIUS_CAUSE_SERVICE_UNAVAILABLE, 0, 0, false },
	[END_NONSENSE] = { "call request not acceptable",
		L2TP_CDN_ERROR, L2TP_ERROR_VALUE, RADIUS_CAUSE_NAS_ERROR, 0, 0, false },
	[END_DRAINED] = { "drained: use another LNS",
		L2TP_CDN_ERROR, L2TP_ERROR_TRY_ANOTHER, RADIUS_CAUSE_ADMIN_RESET, PPP_ADMINISTRATIVE, OF_THE_LINK, false },
	[END_LCP] = { "LCP did not open",
		L2TP_CDN_NO_FRAMING, 0, RADIUS_CAUSE_USER_ERROR, PPP_LCP_TIMEOUT, OF_THE_LINK, false },
	[END_AUTH_TIMEOUT] = { "client did not authenticate",
		L2TP_CDN_ADMINISTRATIVE, 0, RADIUS_CAUSE_USER_ERROR, PPP_AUTH_TIMEOUT, OF_THE_LINK, false },
	[END_NCP] = { "no network protocol came up",
		L2TP_CDN_ADMINISTRATIVE, 0, RADIUS_CAUSE_USER_ERROR, PPP_NO_NCP, OF_THE_LINK, false },
	[END_SETUP_TIMEOUT] = { "setup took too long",
		FACILITIES, 0, RADIUS_CAUSE_SERVICE_UNAVAILABLE, 0, 0, false },
	[END_ECHO] = { "client does not answer echoes",
		L2TP_CDN_CARRIER_LOST, 0, RADIUS_CAUSE_LOST_CARRIER, PPP_ECHO_TIMEOUT, OF_THE_LINK, false },
	[END_LOOP] = { "line is looped back",
		L2TP_CDN_NO_FRAMING, 0, RADIUS_CAUSE_USER_ERROR, PPP_LOOP, OF_THE_LINK, false },
	[END_SESSION_TIMEOUT] = { "session timeout",
		L2TP_CDN_ADMINISTRATIVE, 0, RADIUS_CAUSE_SESSION_TIMEOUT, PPP_TERMINATED, HERE, false },
	[END_IDLE_TIMEOUT] = { "idle timeout",
		L2TP_CDN_ADMINISTRATIVE, 0, RADIUS_CAUSE_IDLE_TIMEOUT, PPP_TERMINATED, HERE, false },
	[END_OPERATOR] = { "disconnected by the operator",
		L2TP_CDN_ADMINISTRATIVE, 0, RADIUS_CAUSE_ADMIN_RESET, PPP_ADMINISTRATIVE, OF_THE_LINK, false },
	[END_RADIUS] = { "disconnected by RADIUS",
		L2TP_CDN_ADMINISTRATIVE, 0, RADIUS_CAUSE_ADMIN_RESET, PPP_ADMINISTRATIVE, OF_THE_LINK, false },
	[END_SHUTDOWN] = { "LNS shuts down",
		L2TP_CDN_ADMINISTRATIVE, 0, RADIUS_CAUSE_NAS_REBOOT, PPP_ADMINISTRATIVE, OF_THE_LINK, false },
	[END_PPPD] = { "pppd died",
		L2TP_CDN_ERROR, L2TP_ERROR_RESOURCES, RADIUS_CAUSE_NAS_ERROR, 0, 0, true },
	[END_ENGINE] = { "engine restarted",
		L2TP_CDN_ERROR, L2TP_ERROR_RESOURCES, RADIUS_CAUSE_NAS_ERROR, 0, 0, true },
	[END_KERNEL] = { "lost by the kernel",
		L2TP_CDN_ERROR, L2TP_ERROR_RESOURCES, RADIUS_CAUSE_NAS_ERROR, 0, 0, true },
};
/* clang-format on */

const struct end_rule *end_rule(enum end_reason reason)
{
	return &rules[reason < END_COUNT ? reason : END_NO_RESOURCE];
}

uint16_t end_cause_of_lac(uint16_t ppp_code, uint8_t ppp_direction, uint16_t result)
{
	switch (ppp_code) {
	case PPP_ADMINISTRATIVE:
		return RADIUS_CAUSE_ADMIN_RESET;
	case PPP_TERMINATED:
		if (ppp_direction == AT_THE_CLIENT)
			return RADIUS_CAUSE_USER_REQUEST;
		break;
	case PPP_ECHO_TIMEOUT:
		return RADIUS_CAUSE_LOST_CARRIER;
	default:
		if (ppp_code != PPP_NOTHING_KNOWN && ppp_code <= PPP_CAUSE_LAST)
			return RADIUS_CAUSE_USER_ERROR; /* client and LAC did not agree */
	}
	switch (result) {
	case L2TP_CDN_ERROR:
		return RADIUS_CAUSE_NAS_ERROR;
	case L2TP_CDN_ADMINISTRATIVE:
		return RADIUS_CAUSE_ADMIN_RESET;
	case L2TP_CDN_NO_FACILITIES_TEMPORARY:
	case L2TP_CDN_NO_FACILITIES_PERMANENT:
		return RADIUS_CAUSE_SERVICE_UNAVAILABLE;
	default:
		return RADIUS_CAUSE_LOST_CARRIER;
	}
}

uint16_t end_control_protocol(uint16_t ppp_code, uint16_t auth, uint16_t network)
{
	if (ppp_code < PPP_LCP_TIMEOUT)
		return 0;
	if (ppp_code < PPP_AUTH_TIMEOUT)
		return PPP_LCP;
	return ppp_code <= PPP_AUTH_FAILED ? auth : network;
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
