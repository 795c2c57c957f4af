// SPDX-License-Identifier: BSD-2-Clause
/*
 * eap: what a conversation of EAP is in RADIUS (RFC 3579, RFC 2869 section 5.13): a packet in pieces of
 * 253 octets, one EAP-Message each, and the State that a server wants to see again. Nothing of a
 * conversation is kept here: pppd says it with every step.
 */
#include "lns/subscriber/internal.h"

#include "radius/attr_codes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_MAX 253
#define WAIT_MAX                                                                                   \
	30 /* seconds; servers let the Session-Timeout of the session slip into a challenge */

int subscriber_eap_add(struct radius_attrs *attrs, const struct ppp_eap *response)
{
	int err = 0;

	if (response->state_len)
		err = radius_add_octets(attrs, RADIUS_STATE, response->state, response->state_len);
	for (size_t at = 0; !err && at < response->packet_len; at += PIECE_MAX) {
		size_t left = response->packet_len - at;

		err = radius_add_octets(attrs, RADIUS_EAP_MESSAGE, response->packet + at,
			left < PIECE_MAX ? left : PIECE_MAX);
	}
	return err;
}

/* All pieces in their order. 0, or -EMSGSIZE. */
static int join_pieces(const struct radius_attrs *reply, struct ppp_eap *challenge)
{
	const uint8_t *piece;
	size_t len;

	for (unsigned int i = 0; radius_get_octets(reply, RADIUS_EAP_MESSAGE, i, &piece, &len);
		i++) {
		if (len > sizeof(challenge->packet) - challenge->packet_len)
			return -EMSGSIZE;
		memcpy(challenge->packet + challenge->packet_len, piece, len);
		challenge->packet_len += (uint16_t)len;
	}
	return 0;
}

/* What is wrong with the packet; NULL: nothing. */
static const char *packet_fault(const struct ppp_eap *challenge)
{
	struct ppp_eap_packet packet;

	if (challenge->packet_len == 0)
		return "an Access-Challenge without EAP-Message";
	if (ppp_eap_parse(challenge->packet, challenge->packet_len, &packet) < 0 ||
		packet.len != challenge->packet_len || packet.code != PPP_EAP_CODE_REQUEST)
		return "the EAP-Message of an Access-Challenge is no EAP Request";
	return NULL;
}

int subscriber_eap_challenge(
	const struct radius_attrs *reply, struct ppp_eap **ret_challenge, const char **ret_why)
{
	struct ppp_eap *challenge = calloc(1, sizeof(*challenge));
	const uint8_t *state;
	uint32_t wait;
	size_t len;

	if (!challenge)
		return -ENOMEM;
	*ret_why = join_pieces(reply, challenge) < 0 ? "an EAP packet is longer than Framed-MTU"
						     : packet_fault(challenge);
	if (*ret_why) {
		free(challenge);
		return -EBADMSG;
	}
	if (radius_get_octets(reply, RADIUS_STATE, 0, &state, &len)) {
		challenge->state_len = (uint16_t)len;
		memcpy(challenge->state, state, len);
	}
	if (radius_get_u32(reply, RADIUS_SESSION_TIMEOUT, &wait))
		challenge->wait = wait < WAIT_MAX ? (uint16_t)wait : WAIT_MAX;
	*ret_challenge = challenge;
	return 0;
}
