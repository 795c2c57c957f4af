/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ppp_ipv6cp: IPV6CP's only option that matters, the Interface-Identifier (RFC 5072 section 4.1).
 */
#include "tests/load/ppp.h"

#include <string.h>

enum { OPTION_ID = 1, ID_LEN = 10 };

static const uint8_t no_id[8];

void ipv6cp_reset(struct ppp *ppp)
{
	rng_fill(ppp->rng, ppp->interface_id, sizeof(ppp->interface_id));
	ppp->interface_id[0] &= 0xfd; /* not from a hardware address */
	ppp->interface_id[7] |= 1;    /* not zero */
	memset(ppp->peer_interface_id, 0, sizeof(ppp->peer_interface_id));
}

static void put_id(struct wire_writer *out, const uint8_t id[8])
{
	wire_put_u16(out, OPTION_ID << 8 | ID_LEN);
	wire_put_octets(out, id, 8);
}

static void request(struct ppp *ppp, struct wire_writer *out)
{
	put_id(out, ppp->interface_id);
}

static enum fsm_answer judge(struct ppp *ppp, const uint8_t *option, struct wire_writer *nak)
{
	uint8_t other[8];

	if (option[0] != OPTION_ID || option[1] != ID_LEN)
		return FSM_REJECT;
	if (memcmp(option + 2, no_id, 8) != 0 && memcmp(option + 2, ppp->interface_id, 8) != 0) {
		memcpy(ppp->peer_interface_id, option + 2, 8);
		return FSM_ACK;
	}
	rng_fill(ppp->rng, other, sizeof(other));
	other[0] &= 0xfd;
	put_id(nak, other);
	return FSM_NAK;
}

static bool naked(struct ppp *ppp, const uint8_t *option)
{
	if (option[0] == OPTION_ID && option[1] == ID_LEN)
		memcpy(ppp->interface_id, option + 2, 8);
	return true;
}

static bool rejected(struct ppp *ppp, const uint8_t *option)
{
	(void)ppp;
	return option[0] != OPTION_ID;
}

const struct fsm_ops ipv6cp_ops = {
	.name = "IPV6CP",
	.protocol = PPP_IPV6CP,
	.kind = STATS_IPV6CP,
	.request = request,
	.judge = judge,
	.naked = naked,
	.rejected = rejected,
	.up = ppp_network_up,
};
