/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ppp: the phases of a connection, and frames in and out.
 */
#include "tests/load/ppp.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int ppp_init(struct ppp *ppp, struct env *env, const struct ppp_settings *settings,
	const struct ppp_ops *ops, void *ctx, struct rng *rng)
{
	*ppp = (struct ppp){ .env = env, .settings = settings, .ops = ops, .ctx = ctx, .rng = rng };
	if (!fsm_init(&ppp->lcp, ppp, &lcp_ops) && !fsm_init(&ppp->ipcp, ppp, &ipcp_ops) &&
		!fsm_init(&ppp->ipv6cp, ppp, &ipv6cp_ops) && !auth_init(ppp))
		return 0;
	ppp_fini(ppp);
	return -ENOMEM;
}

void ppp_fini(struct ppp *ppp)
{
	fsm_fini(&ppp->lcp);
	fsm_fini(&ppp->ipcp);
	fsm_fini(&ppp->ipv6cp);
	auth_fini(ppp);
}

void ppp_start(struct ppp *ppp, const char *user, const char *password)
{
	ppp_stop(ppp);
	ppp->user = user;
	ppp->password = password;
	ppp->proxied = ppp->proxied_auth = ppp->announced = false;
	lcp_reset(ppp);
	ipcp_reset(ppp);
	ipv6cp_reset(ppp);
	trace_begin(&ppp->trace, env_now(ppp->env));
	ppp->phase = PPP_ESTABLISH;
}

void ppp_open(struct ppp *ppp)
{
	if (ppp->phase == PPP_ESTABLISH && ppp->lcp.state == FSM_CLOSED)
		fsm_open(&ppp->lcp);
}

void ppp_listen(struct ppp *ppp)
{
	if (ppp->phase == PPP_ESTABLISH && ppp->lcp.state == FSM_CLOSED)
		fsm_listen(&ppp->lcp);
}

void ppp_stop(struct ppp *ppp)
{
	ppp->phase = PPP_DEAD;
	fsm_reset(&ppp->lcp);
	fsm_reset(&ppp->ipcp);
	fsm_reset(&ppp->ipv6cp);
	auth_reset(ppp);
}

void ppp_linger(struct ppp *ppp)
{
	ppp_stop(ppp);
	ppp->phase = PPP_TERMINATE;
}

void ppp_close(struct ppp *ppp)
{
	fsm_reset(&ppp->ipcp);
	fsm_reset(&ppp->ipv6cp);
	auth_reset(ppp);
	ppp->phase = PPP_TERMINATE;
	fsm_close(&ppp->lcp);
}

void ppp_fail(struct ppp *ppp, const char *format, ...)
{
	char reason[PPP_REASON];
	va_list args;

	if (ppp->phase == PPP_DEAD || ppp->phase == PPP_TERMINATE)
		return;
	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	ppp->ops->down(ppp->ctx, reason);
}

void ppp_set_phase(struct ppp *ppp, enum ppp_phase phase)
{
	ppp->phase = phase;
	switch (phase) {
	case PPP_ESTABLISH:
		fsm_reset(&ppp->ipcp);
		fsm_reset(&ppp->ipv6cp);
		auth_reset(ppp);
		break;
	case PPP_AUTHENTICATE:
		auth_start(ppp);
		break;
	case PPP_NETWORK:
		auth_reset(ppp);
		ppp->ops->authenticated(ppp->ctx);
		if (ppp->phase != PPP_NETWORK)
			break;
		fsm_open(&ppp->ipcp);
		if (ppp->settings->ipv6)
			fsm_open(&ppp->ipv6cp);
		break;
	case PPP_DEAD:
	case PPP_TERMINATE:
		break;
	}
}

void ppp_network_up(struct ppp *ppp)
{
	if (ppp->announced || ppp->ipcp.state != FSM_OPENED ||
		(ppp->settings->ipv6 && ppp->ipv6cp.state != FSM_OPENED))
		return;
	ppp->announced = true;
	ppp->ops->up(ppp->ctx);
}

void ppp_send(
	struct ppp *ppp, uint16_t protocol, uint8_t code, uint8_t id, const void *data, size_t len)
{
	uint8_t packet[PPP_PACKET_MAX];
	struct wire_writer out;

	wire_writer_init(&out, packet, sizeof(packet));
	wire_put_u8(&out, code);
	wire_put_u8(&out, id);
	wire_put_u16(&out, (uint16_t)(PPP_HEADER + len));
	wire_put_octets(&out, data, len);
	if (out.error)
		return;
	trace_add(&ppp->trace, env_now(ppp->env), true, protocol, packet, out.used);
	ppp->ops->send(ppp->ctx, protocol, packet, out.used);
}

/* Takes PPP's header off a frame; 0 for one that is too short to have a protocol. */
static uint16_t frame_open(struct wire_reader *in)
{
	uint16_t protocol;

	if (in->left >= 2 && in->data[0] == 0xff && in->data[1] == 0x03)
		wire_get_u16(in);
	protocol = wire_get_u8(in);
	if (!(protocol & 1))
		protocol = (uint16_t)(protocol << 8 | wire_get_u8(in));
	return in->error ? 0 : protocol;
}

bool ppp_frame_is_lcp(const uint8_t *frame, size_t len)
{
	struct wire_reader in;

	wire_reader_init(&in, frame, len);
	return frame_open(&in) == PPP_LCP;
}

static void dispatch(struct ppp *ppp, uint16_t protocol, uint8_t code, uint8_t id,
	const uint8_t *data, size_t len)
{
	switch (protocol) {
	case PPP_LCP:
		lcp_input(ppp, code, id, data, len);
		break;
	case PPP_PAP:
		auth_pap_input(ppp, code, id, data, len);
		break;
	case PPP_CHAP:
		auth_chap_input(ppp, code, id, data, len);
		break;
	case PPP_EAP:
		auth_eap_input(ppp, code, id, data, len);
		break;
	case PPP_IPCP:
		auth_eap_network(ppp);
		if (ppp->phase == PPP_NETWORK)
			fsm_input(&ppp->ipcp, code, id, data, len);
		break;
	case PPP_IPV6CP:
		auth_eap_network(ppp);
		if (ppp->phase == PPP_NETWORK)
			fsm_input(&ppp->ipv6cp, code, id, data, len);
		break;
	}
}

static bool speaks(const struct ppp *ppp, uint16_t protocol)
{
	return protocol == PPP_LCP || protocol == PPP_PAP || protocol == PPP_CHAP ||
	       (protocol == PPP_EAP && ppp->settings->auth & PPP_AUTH_EAP) ||
	       protocol == PPP_IPCP || (protocol == PPP_IPV6CP && ppp->settings->ipv6);
}

void ppp_input(struct ppp *ppp, const uint8_t *frame, size_t len)
{
	struct wire_reader in;
	uint16_t protocol, claimed;
	uint8_t code, id;

	wire_reader_init(&in, frame, len);
	protocol = frame_open(&in);
	if (!protocol || ppp->phase == PPP_DEAD)
		return;
	trace_add(&ppp->trace, env_now(ppp->env), false, protocol, in.data, in.left);
	/* Nothing but LCP counts before LCP is open (RFC 1661 section 3.4). */
	if (protocol != PPP_LCP && ppp->lcp.state != FSM_OPENED)
		return;
	if (protocol == PPP_IP) {
		if (ppp->ipcp.state == FSM_OPENED)
			ppp->ops->ip(ppp->ctx, in.data, in.left);
		return;
	}
	if (protocol == PPP_IPV6 && ppp->settings->ipv6)
		return;
	if (!speaks(ppp, protocol)) {
		lcp_reject_protocol(ppp, protocol, in.data, in.left);
		return;
	}
	code = wire_get_u8(&in);
	id = wire_get_u8(&in);
	claimed = wire_get_u16(&in);
	if (in.error || claimed < PPP_HEADER || claimed - PPP_HEADER > (int)in.left)
		return;
	dispatch(ppp, protocol, code, id, in.data, claimed - PPP_HEADER);
}
