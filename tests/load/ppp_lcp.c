/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ppp_lcp: LCP's options and its own packets (RFC 1661 sections 5 and 6).
 *
 * Asked for: MRU and magic number. Granted: MRU, ACCM, authentication if it is one of ours, magic number,
 * both compressions (what we send is never compressed, which is allowed). Everything else is rejected.
 */
#include "tests/load/ppp.h"

#include <string.h>

enum {
	OPTION_MRU = 1,
	OPTION_ACCM = 2,
	OPTION_AUTH = 3,
	OPTION_MAGIC = 5,
	OPTION_PFC = 7,
	OPTION_ACFC = 8,
	MRU_MIN = 128,
	CHAP_MD5 = 5,
	CHAP_MSCHAPV2 = 0x81,
};

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

void lcp_reset(struct ppp *ppp)
{
	ppp->want_magic = true;
	ppp->mru = ppp->settings->mru;
	ppp->want_mru = ppp->mru != PPP_MRU_DEFAULT;
	ppp->magic = rng_u32(ppp->rng) | 1;
	ppp->peer_magic = 0;
	ppp->auth = 0;
}

static void request(struct ppp *ppp, struct wire_writer *out)
{
	if (ppp->want_mru) {
		wire_put_u16(out, OPTION_MRU << 8 | 4);
		wire_put_u16(out, ppp->mru);
	}
	if (ppp->want_magic) {
		wire_put_u16(out, OPTION_MAGIC << 8 | 6);
		wire_put_u32(out, ppp->magic);
	}
}

/* Which of ours an Authentication-Protocol option asks for; 0 = none. */
static unsigned int auth_of_option(const struct ppp *ppp, const uint8_t *option)
{
	unsigned int protocol = option[1] >= 4 ? option[2] << 8 | option[3] : 0, auth = 0;

	if (protocol == PPP_PAP && option[1] == 4)
		auth = PPP_AUTH_PAP;
	else if (protocol == PPP_EAP && option[1] == 4)
		auth = PPP_AUTH_EAP;
	else if (protocol == PPP_CHAP && option[1] == 5 && option[4] == CHAP_MD5)
		auth = PPP_AUTH_CHAP;
	else if (protocol == PPP_CHAP && option[1] == 5 && option[4] == CHAP_MSCHAPV2)
		auth = PPP_AUTH_MSCHAPV2;
	return auth & ppp->settings->auth;
}

static void put_preferred_auth(const struct ppp *ppp, struct wire_writer *nak)
{
	if (ppp->settings->auth & (PPP_AUTH_CHAP | PPP_AUTH_MSCHAPV2)) {
		wire_put_u16(nak, OPTION_AUTH << 8 | 5);
		wire_put_u16(nak, PPP_CHAP);
		wire_put_u8(nak, ppp->settings->auth & PPP_AUTH_CHAP ? CHAP_MD5 : CHAP_MSCHAPV2);
	} else {
		wire_put_u16(nak, OPTION_AUTH << 8 | 4);
		wire_put_u16(nak, ppp->settings->auth & PPP_AUTH_EAP ? PPP_EAP : PPP_PAP);
	}
}

static enum fsm_answer judge(struct ppp *ppp, const uint8_t *option, struct wire_writer *nak)
{
	switch (option[0]) {
	case OPTION_MRU:
		if (option[1] != 4)
			return FSM_REJECT;
		if ((option[2] << 8 | option[3]) >= MRU_MIN)
			return FSM_ACK;
		wire_put_u16(nak, OPTION_MRU << 8 | 4);
		wire_put_u16(nak, PPP_MRU_DEFAULT);
		return FSM_NAK;
	case OPTION_AUTH:
		if (!ppp->settings->auth)
			return FSM_REJECT;
		ppp->auth = auth_of_option(ppp, option);
		if (ppp->auth)
			return FSM_ACK;
		put_preferred_auth(ppp, nak);
		return FSM_NAK;
	case OPTION_MAGIC:
		if (option[1] != 6)
			return FSM_REJECT;
		ppp->peer_magic = get32(option + 2);
		return FSM_ACK;
	case OPTION_ACCM:
		return option[1] == 6 ? FSM_ACK : FSM_REJECT;
	case OPTION_PFC:
	case OPTION_ACFC:
		return option[1] == 2 ? FSM_ACK : FSM_REJECT;
	}
	return FSM_REJECT;
}

static bool naked(struct ppp *ppp, const uint8_t *option)
{
	if (option[0] == OPTION_MRU && option[1] == 4) {
		ppp->mru = (uint16_t)(option[2] << 8 | option[3]);
		ppp->want_mru = ppp->mru >= MRU_MIN;
	} else if (option[0] == OPTION_MAGIC) {
		ppp->magic = rng_u32(ppp->rng) | 1;
	}
	/* An option that is only proposed to us may be passed over. */
	return true;
}

static bool rejected(struct ppp *ppp, const uint8_t *option)
{
	if (option[0] == OPTION_MRU)
		ppp->want_mru = false;
	else if (option[0] == OPTION_MAGIC)
		ppp->want_magic = false;
	return true;
}

static void up(struct ppp *ppp)
{
	ppp_set_phase(ppp, PPP_AUTHENTICATE);
}

static void down(struct ppp *ppp)
{
	ppp->auth = 0;
	ppp->proxied = false;
	ppp_set_phase(ppp, PPP_ESTABLISH);
}

const struct fsm_ops lcp_ops = {
	.name = "LCP",
	.protocol = PPP_LCP,
	.kind = STATS_LCP,
	.request = request,
	.judge = judge,
	.naked = naked,
	.rejected = rejected,
	.up = up,
	.down = down,
};

static void receive_protocol_reject(struct ppp *ppp, const uint8_t *data, size_t len)
{
	unsigned int protocol = len >= 2 ? data[0] << 8 | data[1] : 0;

	static const struct {
		unsigned int protocol;
		const char *name;
	} names[] = { { PPP_IPCP, "IPCP" }, { PPP_IPV6CP, "IPV6CP" }, { PPP_PAP, "PAP" },
		{ PPP_CHAP, "CHAP" }, { PPP_EAP, "EAP" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].protocol == protocol)
			ppp_fail(ppp, "the LNS rejected the protocol %s", names[i].name);
	}
}

/* The magic number comes first in what an Echo carries; the rest goes back as it came. */
static void receive_echo(struct ppp *ppp, uint8_t id, const uint8_t *data, size_t len)
{
	uint8_t reply[PPP_PACKET_MAX];
	struct wire_writer out;

	if (ppp->lcp.state != FSM_OPENED || len < 4)
		return;
	wire_writer_init(&out, reply, sizeof(reply));
	wire_put_u32(&out, ppp->want_magic ? ppp->magic : 0);
	wire_put_octets(&out, data + 4, len - 4);
	ppp->settings->stats->echoes++;
	ppp_send(ppp, PPP_LCP, LCP_ECHOREP, id, reply, out.used);
}

void lcp_input(struct ppp *ppp, uint8_t code, uint8_t id, const uint8_t *data, size_t len)
{
	switch (code) {
	case LCP_PROTREJ:
		receive_protocol_reject(ppp, data, len);
		return;
	case LCP_ECHOREQ:
		receive_echo(ppp, id, data, len);
		return;
	case LCP_ECHOREP:
	case LCP_DISCARD:
		return;
	case FSM_CONFREQ:
		if (ppp->proxied && ppp->settings->strict) {
			ppp_fail(ppp, "LCP: the LNS sent a Configure-Request after proxy LCP");
			return;
		}
		/* Whoever only listened so far joins in. */
		ppp_open(ppp);
		break;
	}
	fsm_input(&ppp->lcp, code, id, data, len);
}

void lcp_reject_protocol(struct ppp *ppp, uint16_t protocol, const uint8_t *packet, size_t len)
{
	uint8_t rejected_packet[PPP_MRU_DEFAULT];
	struct wire_writer out;

	if (len > sizeof(rejected_packet) - 2 - PPP_HEADER)
		len = sizeof(rejected_packet) - 2 - PPP_HEADER;
	wire_writer_init(&out, rejected_packet, sizeof(rejected_packet));
	wire_put_u16(&out, protocol);
	wire_put_octets(&out, packet, len);
	ppp_send(ppp, PPP_LCP, LCP_PROTREJ, ++ppp->lcp.id, rejected_packet, out.used);
}
