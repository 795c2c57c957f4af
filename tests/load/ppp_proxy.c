/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ppp_proxy: a LAC that negotiated LCP with its subscriber and took the response to a challenge of its
 * own, before it made the call (RFC 2661 section 4.4.5). Both are played here, the subscriber's half
 * being this struct ppp.
 */
#include "tests/load/ppp.h"

#include <string.h>

enum { AUTHEN_CHAP = 2, AUTHEN_PAP = 3, AUTHEN_NONE = 4 };

/* The LAC's Configure-Request that the subscriber acknowledged: authentication and magic number. */
static uint16_t lac_request(struct ppp *ppp, uint8_t *buf, size_t size)
{
	struct wire_writer out;

	wire_writer_init(&out, buf, size);
	if (ppp->auth == PPP_AUTH_PAP) {
		wire_put_u16(&out, 3 << 8 | 4);
		wire_put_u16(&out, PPP_PAP);
	} else if (ppp->auth) {
		wire_put_u16(&out, 3 << 8 | 5);
		wire_put_u16(&out, PPP_CHAP);
		wire_put_u8(&out, ppp->auth == PPP_AUTH_CHAP ? 5 : 0x81);
	}
	ppp->peer_magic = rng_u32(ppp->rng) | 1;
	wire_put_u16(&out, 5 << 8 | 6);
	wire_put_u32(&out, ppp->peer_magic);
	return (uint16_t)out.used;
}

static void take_response(struct ppp *ppp, struct ppp_proxy *proxy)
{
	uint8_t value[MSCHAP_VALUE];

	proxy->id = (uint8_t)rng_u32(ppp->rng);
	ppp->authentication.id = proxy->id;
	ppp->authentication.answered = true;
	ppp->authentication.response_len = 0;
	ppp->proxied_auth = true;
	if (ppp->auth == PPP_AUTH_PAP) {
		proxy->authen_type = AUTHEN_PAP;
		proxy->response_len = (uint16_t)strnlen(ppp->password, sizeof(proxy->response));
		memcpy(proxy->response, ppp->password, proxy->response_len);
		return;
	}
	proxy->authen_type = AUTHEN_CHAP;
	proxy->challenge_len = sizeof(proxy->challenge);
	rng_fill(ppp->rng, proxy->challenge, sizeof(proxy->challenge));
	proxy->response_len = (uint16_t)auth_chap_value(
		ppp, ppp->auth, proxy->id, proxy->challenge, proxy->challenge_len, value);
	memcpy(proxy->response, value, proxy->response_len);
}

void ppp_proxy(struct ppp *ppp, bool lcp, bool auth, struct ppp_proxy *ret_proxy)
{
	unsigned int known = ppp->settings->auth;
	struct wire_writer out;

	*ret_proxy = (struct ppp_proxy){ .authen_type = AUTHEN_NONE };
	ppp->auth = known & PPP_AUTH_CHAP       ? PPP_AUTH_CHAP
		    : known & PPP_AUTH_MSCHAPV2 ? PPP_AUTH_MSCHAPV2
						: known & PPP_AUTH_PAP;
	if (auth && ppp->auth)
		take_response(ppp, ret_proxy);
	if (!lcp) {
		ppp->auth = 0; /* LCP will tell */
		return;
	}
	ret_proxy->last_sent_len =
		lac_request(ppp, ret_proxy->last_sent, sizeof(ret_proxy->last_sent));
	wire_writer_init(&out, ret_proxy->last_received, sizeof(ret_proxy->last_received));
	lcp_ops.request(ppp, &out);
	ret_proxy->last_received_len = (uint16_t)out.used;
	memcpy(ret_proxy->initial_received, ret_proxy->last_received, out.used);
	ret_proxy->initial_received_len = ret_proxy->last_received_len;
	ppp->proxied = true;
	ppp->lcp.state = FSM_OPENED;
	ppp_set_phase(ppp, PPP_AUTHENTICATE);
}
