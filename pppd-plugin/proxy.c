/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy: LCP and authentication that the LAC did before it made the call (RFC 2661 section 4.4.5).
 *
 * PPP_PROXY_ACCEPT: LCP is opened from the LAC's last two Configure-Requests, as if we had sent the one
 * and acknowledged the other, and the response that the LAC took is judged by the engine like any
 * other. A client then sees no LCP packet of ours. PPP_PROXY_RENEGOTIATE: LCP starts afresh, but a
 * response that can be judged is, and the client is not asked again. Whatever does not fit, and a
 * client that itself restarts LCP, means starting from scratch: with LCP, then authentication.
 *
 * EAP is a conversation that nobody can take over in its middle: a LAC that had one starts from scratch.
 *
 * Deviations from pppd's own ways: a session that the proxied response opened does not ask for
 * authentication in LCP; that is undone as soon as the network phase is reached, so that any later
 * renegotiation authenticates again.
 */
#include "plugin.h"

#include <errno.h>
#include <stdio.h>

#define AUTHEN_CHAP 2
#define AUTHEN_PAP  3

enum { OPTION_HEADER = 2 };

static struct {
	unsigned int protocol; /* enum ppp_auth_protocol of the proxied response, 0 = none usable */
	int accepted;
	char text[256];
	unsigned char want_upap, want_chap, want_eap; /* what to restore in lcp_wantoptions */
} proxy;

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* One option of the Configure-Request that the LAC sent, as if it had been ours. 0 or -EPROTO. */
static int sent_option(lcp_options *ours, const uint8_t *option, unsigned int len)
{
	const uint8_t *value = option + OPTION_HEADER;
	unsigned int protocol;

	switch (option[0]) {
	case CI_MRU:
		if (len != 4)
			return -EPROTO;
		ours->neg_mru = 1;
		ours->mru = value[0] << 8 | value[1];
		return ours->mru < MINMRU ? -EPROTO : 0;
	case CI_ASYNCMAP:
		if (len != 6)
			return -EPROTO;
		ours->neg_asyncmap = 1;
		ours->asyncmap = get32(value);
		return 0;
	case CI_MAGICNUMBER:
		if (len != 6)
			return -EPROTO;
		ours->neg_magicnumber = 1;
		ours->magicnumber = get32(value);
		return 0;
	case CI_PCOMPRESSION:
		ours->neg_pcompression = 1;
		return len == 2 ? 0 : -EPROTO;
	case CI_ACCOMPRESSION:
		ours->neg_accompression = 1;
		return len == 2 ? 0 : -EPROTO;
	case CI_AUTHTYPE:
		if (len < 4)
			return -EPROTO;
		protocol = value[0] << 8 | value[1];
		if (protocol == PPP_PAP && len == 4) {
			ours->neg_upap = 1;
			return lns_auth_allows(PPP_AUTH_PAP) ? 0 : -EPROTO;
		}
		if (protocol != PPP_CHAP || len != 5)
			return -EPROTO;
		ours->neg_chap = 1;
		ours->chap_mdtype = CHAP_MDTYPE_D(value[2]);
		return (lcp_wantoptions[0].chap_mdtype & ours->chap_mdtype) ? 0 : -EPROTO;
	case CI_EPDISC: /* says nothing about the link itself */
		return 0;
	}
	return -EPROTO;
}

/* The LAC's last Configure-Request becomes what we asked for. */
static int sent_parse(lcp_options *ours)
{
	const uint8_t *p = lns_session.proxy.last_sent;
	unsigned int left = lns_session.proxy.last_sent_len;

	ours->neg_mru = ours->neg_asyncmap = ours->neg_magicnumber = 0;
	ours->neg_pcompression = ours->neg_accompression = 0;
	ours->neg_upap = ours->neg_chap = ours->neg_eap = 0;
	while (left) {
		if (left < OPTION_HEADER || p[1] < OPTION_HEADER || p[1] > left ||
			sent_option(ours, p, p[1]))
			return -EPROTO;
		left -= p[1];
		p += p[1];
	}
	return 0;
}

/* The client's last Configure-Request becomes what we acknowledged, if we would have. */
static int received_parse(fsm *lcp)
{
	static unsigned char options[2 * PPP_MRU];
	int len = lns_session.proxy.last_received_len;

	memcpy(options, lns_session.proxy.last_received, len);
	return lcp->callbacks->reqci(lcp, options, &len, 0) == CONFACK ? 0 : -EPROTO;
}

/* Which of our methods the LAC used; 0 when its response cannot be judged, or not be allowed. */
static unsigned int response_protocol(void)
{
	const struct ppp_proxy *lac = &lns_session.proxy;
	unsigned int protocol = 0;

	if (lac->authen_type == AUTHEN_PAP && lac->name_len > 0)
		protocol = PPP_AUTH_PAP;
	else if (lac->authen_type == AUTHEN_CHAP && lac->challenge_len > 0 &&
		 lac->response_len == PPP_CHAP_MD5_LEN)
		protocol = PPP_AUTH_CHAP_MD5;
	else if (lac->authen_type == AUTHEN_CHAP && lac->challenge_len == 16 &&
		 lac->response_len == PPP_MSCHAP_V2_LEN)
		protocol = PPP_AUTH_MSCHAP_V2;
	return protocol && lns_auth_allows(protocol) ? protocol : 0;
}

static int response_judge(void)
{
	const struct ppp_proxy *lac = &lns_session.proxy;
	struct ppp_auth_request request = { .protocol = proxy.protocol,
		.chap_id = lac->authen_id,
		.proxied = 1,
		.name_len = lac->name_len,
		.response_len = lac->response_len };

	if (proxy.protocol != PPP_AUTH_PAP)
		request.challenge_len = lac->challenge_len;
	memcpy(request.name, lac->name, lac->name_len);
	memcpy(request.challenge, lac->challenge, request.challenge_len);
	memcpy(request.response, lac->response, lac->response_len);
	if (proxy.protocol == PPP_AUTH_PAP)
		explicit_bzero(lns_session.proxy.response, sizeof(lns_session.proxy.response));
	return lns_auth_decide(&request, proxy.text, sizeof(proxy.text));
}

/* Tells the client what became of the response the LAC took, with the id it was sent with. */
static void response_answer(void)
{
	int pap = proxy.protocol == PPP_AUTH_PAP;
	int protocol = pap ? PPP_PAP : PPP_CHAP;
	int text_len = strlen(proxy.text);
	int len = HEADERLEN + pap + text_len;
	unsigned char *p = outpacket_buf;

	*p++ = PPP_ALLSTATIONS;
	*p++ = PPP_UI;
	*p++ = protocol >> 8;
	*p++ = protocol & 0xff;
	if (pap)
		*p++ = proxy.accepted ? UPAP_AUTHACK : UPAP_AUTHNAK;
	else
		*p++ = proxy.accepted ? CHAP_SUCCESS : CHAP_FAILURE;
	*p++ = lns_session.proxy.authen_id;
	*p++ = len >> 8;
	*p++ = len & 0xff;
	if (pap)
		*p++ = text_len;
	memcpy(p, proxy.text, text_len);
	output(0, outpacket_buf, PPP_HDRLEN + len);
}

/* The network phase is reached: what pppd did not do itself is noted, and asked for the next time. */
static void auth_up(void *ctx, int arg)
{
	static const int done[] = {
		[PPP_AUTH_PAP] = PAP_PEER,
		[PPP_AUTH_CHAP_MD5] = CHAP_PEER | CHAP_MD5_PEER,
		[PPP_AUTH_MSCHAP_V2] = CHAP_PEER | CHAP_MS2_PEER,
	};

	(void)ctx, (void)arg;
	if (!proxy.accepted || auth_required)
		return;
	auth_done[0] |= done[proxy.protocol];
	snprintf(peer_authname, MAXNAMELEN, "%.*s", (int)lns_session.proxy.name_len,
		(const char *)lns_session.proxy.name);
	auth_required = 1;
	lcp_wantoptions[0].neg_upap = proxy.want_upap;
	lcp_wantoptions[0].neg_chap = proxy.want_chap;
	lcp_wantoptions[0].neg_eap = proxy.want_eap;
}

/* LCP from scratch, by us. */
static void lcp_start(fsm *lcp)
{
	lcp->flags &= ~OPT_SILENT;
	lcp->state = CLOSED;
	fsm_open(lcp);
}

static void lcp_reject(fsm *lcp)
{
	if (lns_session.proxied)
		response_answer();
	lns_set_status(EXIT_PEER_AUTH_FAILED);
	lcp->flags &= ~OPT_SILENT;
	lcp->state = lns_session.proxied ? OPENED : REQSENT;
	lcp_close(0, "Authentication failed");
}

/* Tries to take LCP over; lcp is silent and waits. 0 or -EPROTO: nothing was sent. */
static int lcp_adopt(fsm *lcp)
{
	lcp->callbacks->resetci(lcp);
	if (sent_parse(&lcp_gotoptions[0]) || received_parse(lcp))
		return -EPROTO;
	if (!proxy.protocol && !lcp_gotoptions[0].neg_upap && !lcp_gotoptions[0].neg_chap)
		return -EPROTO; /* the client was never asked to authenticate, and would not be */
	return 0;
}

void lns_proxy_prepare(void)
{
	const struct ppp_proxy *lac = &lns_session.proxy;

	if (lns_session.proxy_lcp == PPP_PROXY_NEVER) {
		explicit_bzero(&lns_session.proxy, sizeof(lns_session.proxy));
		return;
	}
	proxy.protocol = response_protocol();
	proxy.want_upap = lcp_wantoptions[0].neg_upap;
	proxy.want_chap = lcp_wantoptions[0].neg_chap;
	proxy.want_eap = lcp_wantoptions[0].neg_eap;
	lns_session.proxied = lns_session.proxy_lcp == PPP_PROXY_ACCEPT && lac->last_sent_len &&
			      lac->last_received_len;
	if (!lns_session.proxied && !proxy.protocol) {
		explicit_bzero(&lns_session.proxy, sizeof(lns_session.proxy));
		return;
	}
	lns_notify(LNS_EVENT_AUTH_UP, auth_up);
	lcp_fsm[0].flags |= OPT_SILENT;
}

void lns_proxy_begin(void)
{
	fsm *lcp = &lcp_fsm[0];

	if (!(lcp->flags & OPT_SILENT) || lcp->state != STOPPED)
		return;
	if (lns_frames_have_lcp_request()) {
		lns_session.proxied = 0;
		proxy.protocol = 0;
	}
	if (lns_session.proxied && lcp_adopt(lcp))
		lns_session.proxied = 0;
	if (proxy.protocol) {
		proxy.accepted = response_judge();
		if (!proxy.accepted) {
			lcp_reject(lcp);
			return;
		}
		auth_required = 0;
		lcp_gotoptions[0].neg_upap = lcp_gotoptions[0].neg_chap = 0;
		lcp_wantoptions[0].neg_upap = lcp_wantoptions[0].neg_chap = 0;
		lcp_gotoptions[0].neg_eap = lcp_wantoptions[0].neg_eap = 0;
	}
	if (!lns_session.proxied) {
		lcp_start(lcp);
		return;
	}
	lcp->flags &= ~OPT_SILENT;
	if (proxy.protocol)
		response_answer();
	lcp->state = OPENED;
	lcp->callbacks->up(lcp);
}

int lns_proxy_repeated(uint16_t protocol, const unsigned char *packet, int len)
{
	const struct ppp_proxy *lac = &lns_session.proxy;
	int code = protocol == PPP_PAP ? UPAP_AUTHREQ : CHAP_RESPONSE;

	if (!proxy.accepted || !lns_session.proxied ||
		(protocol == PPP_PAP) != (proxy.protocol == PPP_AUTH_PAP))
		return 0;
	if (len < HEADERLEN || packet[0] != code || packet[1] != lac->authen_id)
		return 0;
	/* Only the very response; CHAP's is the first field, PAP's password the second. */
	if (protocol == PPP_CHAP &&
		(len < HEADERLEN + 1 + lac->response_len ||
			packet[HEADERLEN] != lac->response_len ||
			memcmp(packet + HEADERLEN + 1, lac->response, lac->response_len) != 0))
		return 0;
	response_answer();
	return 1;
}
