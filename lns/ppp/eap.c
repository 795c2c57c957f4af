/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eap: see eap.h. Built into lnsd and into the plugin. Types are not looked into: methods are between the
 * client and its RADIUS server.
 */
#include "lns/ppp/eap.h"

#include <errno.h>

#define TYPED_HEADER    (PPP_EAP_HEADER_LEN + 1)
#define EXPANDED_HEADER (PPP_EAP_HEADER_LEN + 8) /* type 254, vendor, type of the vendor's */

int ppp_eap_parse(const uint8_t *octets, uint32_t len, struct ppp_eap_packet *ret_packet)
{
	struct ppp_eap_packet packet = { 0 };

	if (len < PPP_EAP_HEADER_LEN)
		return -EBADMSG;
	packet.code = octets[0];
	packet.id = octets[1];
	packet.len = (uint16_t)(octets[2] << 8 | octets[3]);
	if (packet.len > len || packet.len > PPP_EAP_MAX)
		return -EBADMSG;
	switch (packet.code) {
	case PPP_EAP_CODE_REQUEST:
	case PPP_EAP_CODE_RESPONSE:
		if (packet.len < TYPED_HEADER)
			return -EBADMSG;
		packet.type = octets[PPP_EAP_HEADER_LEN];
		if (packet.type == PPP_EAP_TYPE_EXPANDED && packet.len < EXPANDED_HEADER)
			return -EBADMSG;
		packet.data = octets + TYPED_HEADER;
		packet.data_len = packet.len - TYPED_HEADER;
		break;
	case PPP_EAP_CODE_SUCCESS:
	case PPP_EAP_CODE_FAILURE:
		if (packet.len != PPP_EAP_HEADER_LEN)
			return -EBADMSG;
		break;
	default:
		return -EBADMSG;
	}
	*ret_packet = packet;
	return 0;
}

int ppp_eap_answers(const struct ppp_eap_packet *packet, const struct ppp_eap_packet *request)
{
	if (packet->code != PPP_EAP_CODE_RESPONSE || packet->id != request->id)
		return 0;
	return packet->type == request->type ||
	       (packet->type == PPP_EAP_TYPE_NAK && request->type >= PPP_EAP_TYPE_MD5);
}
