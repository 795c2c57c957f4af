/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_ppp_eap: what a client sends as EAP, as the plugin takes it: the octets behind the first are a packet of
 * a block of just their size, so that a sanitizer sees any look behind it. What passes must fit a message to
 * the engine and stay the same in it.
 */
#include "tests/fuzz/fuzz.h"
#include "lns/ppp/channel_proto.h"

#include <stdlib.h>
#include <string.h>

static void carry(const uint8_t *octets, const struct ppp_eap_packet *packet)
{
	struct ppp_eap message = { .head = { PPP_EAP_RESPONSE, PPP_PROTO_VERSION, sizeof(message),
					   1 },
		.packet_len = packet->len };

	memcpy(message.packet, octets, packet->len);
	REQUIRE((ppp_message_check(&message, sizeof(message)) == 0) ==
		(packet->code == PPP_EAP_CODE_RESPONSE));
	message.head.type = PPP_EAP_REQUEST;
	REQUIRE((ppp_message_check(&message, sizeof(message)) == 0) ==
		(packet->code == PPP_EAP_CODE_REQUEST));
}

/* The first octet is the type of the request that was sent; its identifier is that of what came. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ppp_eap_packet packet, request = { .code = PPP_EAP_CODE_REQUEST };
	size_t len = size ? size - 1 : 0;
	uint8_t *octets = malloc(len ? len : 1);

	if (!octets)
		return 0;
	if (len)
		memcpy(octets, data + 1, len);
	if (size && ppp_eap_parse(octets, (uint32_t)len, &packet) == 0) {
		REQUIRE(packet.len <= len && packet.len >= PPP_EAP_HEADER_LEN);
		if (packet.type) {
			REQUIRE(packet.data + packet.data_len == octets + packet.len);
			REQUIRE(!packet.data_len ||
				memchr(packet.data, packet.data[packet.data_len - 1],
					packet.data_len) != NULL);
		}
		request.type = data[0];
		request.id = packet.id;
		REQUIRE(!ppp_eap_answers(&packet, &request) ||
			packet.code == PPP_EAP_CODE_RESPONSE);
		carry(octets, &packet);
	}
	free(octets);
	return 0;
}
