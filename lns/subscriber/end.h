/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * end: why a session ends, and what each reason means to the LAC, to accounting, to pppd and to people;
 * and what a LAC's reason means to accounting.
 */
#ifndef LNS_SUBSCRIBER_END_H
#define LNS_SUBSCRIBER_END_H

#include "lns/l2tp/msg.h"

#include <stdbool.h>
#include <stdint.h>

enum end_reason {
	END_NONE,         /* it goes on */
	END_CLIENT,       /* the client terminated PPP */
	END_LAC,          /* the LAC sent a CDN */
	END_TUNNEL,       /* the tunnel is gone */
	END_REFUSED,      /* authentication: wrong name or password */
	END_NO_RADIUS,    /* no RADIUS server answered */
	END_BAD_SECRET,   /* RADIUS servers answered, with a wrong authenticator */
	END_BAD_PROFILE,  /* the profile cannot be obeyed */
	END_NO_ADDRESS,   /* pool empty */
	END_ADDRESS_USED, /* the profile's address is somebody else's */
	END_OVER_LIMIT,   /* the user has as many sessions as allowed */
	END_REPLACED,     /* gave way to a newer session */
	END_NO_RESOURCE,  /* kernel, memory or template failed us */
	END_BUSY,         /* too many sessions in setup, hopeless to wait */
	END_LIMIT,        /* a limit of sessions is reached; L2TP refused the call */
	END_NONSENSE,     /* an ICRQ that cannot be accepted as it is */
	END_DRAINED,      /* lnsctl drain: refused, or ended slowly */
	END_LCP,          /* LCP did not come up */
	END_AUTH_TIMEOUT, /* the client did not authenticate in time */
	END_NCP,          /* no network protocol came up */
	END_SETUP_TIMEOUT,
	END_ECHO, /* the client does not answer LCP echoes */
	END_LOOP, /* LCP found a loop */
	END_SESSION_TIMEOUT,
	END_IDLE_TIMEOUT,
	END_OPERATOR, /* lnsctl disconnect */
	END_RADIUS,   /* a RADIUS Disconnect-Request */
	END_SHUTDOWN, /* lnsd stops */
	END_PPPD,     /* pppd died */
	END_ENGINE,   /* the engine died and could not take the session over */
	END_KERNEL,   /* the kernel has lost the session */
	END_COUNT
};

struct end_rule {
	const char *text;       /* for logs, tables and the CDN */
	uint16_t result, error; /* of the CDN, RFC 2661 section 4.4.2 */
	uint16_t acct_cause;    /* Acct-Terminate-Cause, RFC 2866 section 5.10 */
	/* PPP Disconnect Cause of the CDN (RFC 3145 section 4): code, 0 = none is sent; direction 0 of the
	 * link, 1 at the client, 2 here */
	uint16_t ppp_code;
	uint8_t ppp_direction;
	bool peer_gone; /* nobody is left to hear an LCP Terminate: SIGKILL at once */
};

/* The rule of a reason; never NULL. */
const struct end_rule *end_rule(enum end_reason reason);

/*
 * Acct-Terminate-Cause of a session that the LAC ended, from its CDN: its PPP Disconnect Cause (RFC 3145;
 * code 0 = none was given), otherwise its result code.
 */
uint16_t end_cause_of_lac(uint16_t ppp_code, uint8_t ppp_direction, uint16_t result);

/*
 * The Control Protocol Number that belongs to a PPP Disconnect Cause (RFC 3145 section 3): LCP's, the given
 * ones of authentication and network, or 0.
 */
uint16_t end_control_protocol(uint16_t ppp_code, uint16_t auth, uint16_t network);

/* The Result Code AVP of a reason, with detail in its text when not NULL or empty. */
void end_result(enum end_reason reason, const char *detail, struct l2tp_result *ret_result);

#endif
