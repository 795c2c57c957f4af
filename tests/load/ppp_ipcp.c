/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ppp_ipcp: the options of IPCP: IP-Address (RFC 1332) and the DNS addresses (RFC 1877). Compression is
 * rejected.
 */
#include "tests/load/ppp.h"

#include <arpa/inet.h>
#include <string.h>

enum { OPTION_ADDRESS = 3, OPTION_DNS1 = 129, OPTION_DNS2 = 131, ADDRESS_LEN = 6 };

void ipcp_reset(struct ppp *ppp)
{
	ppp->address.s_addr = ppp->peer_address.s_addr = 0;
	ppp->dns[0].s_addr = ppp->dns[1].s_addr = 0;
	ppp->want_dns[0] = ppp->want_dns[1] = ppp->settings->dns;
}

static void put_address(struct wire_writer *out, uint8_t option, struct in_addr address)
{
	wire_put_u8(out, option);
	wire_put_u8(out, ADDRESS_LEN);
	wire_put_u32(out, ntohl(address.s_addr));
}

static void request(struct ppp *ppp, struct wire_writer *out)
{
	put_address(out, OPTION_ADDRESS, ppp->address);
	if (ppp->want_dns[0])
		put_address(out, OPTION_DNS1, ppp->dns[0]);
	if (ppp->want_dns[1])
		put_address(out, OPTION_DNS2, ppp->dns[1]);
}

static enum fsm_answer judge(struct ppp *ppp, const uint8_t *option, struct wire_writer *nak)
{
	(void)nak;
	if (option[0] != OPTION_ADDRESS || option[1] != ADDRESS_LEN)
		return FSM_REJECT;
	memcpy(&ppp->peer_address, option + 2, sizeof(ppp->peer_address));
	return ppp->peer_address.s_addr ? FSM_ACK : FSM_REJECT;
}

static bool naked(struct ppp *ppp, const uint8_t *option)
{
	if (option[1] != ADDRESS_LEN)
		return true;
	switch (option[0]) {
	case OPTION_ADDRESS:
		memcpy(&ppp->address, option + 2, sizeof(ppp->address));
		break;
	case OPTION_DNS1:
		memcpy(&ppp->dns[0], option + 2, sizeof(ppp->dns[0]));
		break;
	case OPTION_DNS2:
		memcpy(&ppp->dns[1], option + 2, sizeof(ppp->dns[1]));
		break;
	}
	return true;
}

static bool rejected(struct ppp *ppp, const uint8_t *option)
{
	switch (option[0]) {
	case OPTION_DNS1:
		ppp->want_dns[0] = false;
		return true;
	case OPTION_DNS2:
		ppp->want_dns[1] = false;
		return true;
	}
	return false;
}

static void up(struct ppp *ppp)
{
	if (!ppp->address.s_addr)
		ppp_fail(ppp, "IPCP: the LNS gave no address");
	else
		ppp_network_up(ppp);
}

const struct fsm_ops ipcp_ops = {
	.name = "IPCP",
	.protocol = PPP_IPCP,
	.kind = STATS_IPCP,
	.request = request,
	.judge = judge,
	.naked = naked,
	.rejected = rejected,
	.up = up,
};
