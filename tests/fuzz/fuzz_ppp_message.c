/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_ppp_message: ppp_message_check, and what its users rely on once it said yes: the sum of all octets
 * that the lengths in a message claim is read, so that a sanitizer sees a length that was let through.
 */
#include "tests/fuzz/fuzz.h"
#include "lns/ppp/channel_proto.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static volatile unsigned int sink;

static void span_read(const uint8_t *data, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++)
		sink += data[i];
}

static void message_read(const union ppp_message *message)
{
	switch (message->head.type) {
	case PPP_FORK:
		sink += strlen(message->fork.name);
		span_read(message->fork.proxy.last_sent, message->fork.proxy.last_sent_len);
		span_read(message->fork.proxy.last_received, message->fork.proxy.last_received_len);
		span_read(message->fork.proxy.response, message->fork.proxy.response_len);
		break;
	case PPP_AUTH_REQUEST:
		span_read(message->auth_request.name, message->auth_request.name_len);
		span_read(message->auth_request.challenge, message->auth_request.challenge_len);
		span_read(message->auth_request.response, message->auth_request.response_len);
		break;
	case PPP_AUTH_REPLY:
		span_read(message->auth_reply.message, message->auth_reply.message_len);
		if (message->auth_reply.message_len == sizeof(message->auth_reply.message))
			abort(); /* there must be room for a terminator */
		break;
	case PPP_EAP_RESPONSE:
	case PPP_EAP_REQUEST:
		span_read(message->eap.name, message->eap.name_len);
		span_read(message->eap.state, message->eap.state_len);
		span_read(message->eap.packet, message->eap.packet_len);
		break;
	case PPP_NCP_UP:
		sink += strlen(message->ncp_up.ifname);
		break;
	}
}

/* Headers are filled in most of the time: a fuzzer hardly guesses version, type and size at once. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t sizes[PPP_MESSAGE_MAX] = { 0, sizeof(struct ppp_fork),
		sizeof(struct ppp_forked), sizeof(struct ppp_forked),
		sizeof(struct ppp_auth_request), sizeof(struct ppp_auth_reply),
		sizeof(struct ppp_ncp_up), sizeof(struct ppp_ncp_down), sizeof(struct ppp_link_up),
		sizeof(struct ppp_link_down), sizeof(struct ppp_eap), sizeof(struct ppp_eap) };
	union ppp_message *message;
	uint32_t len = size;

	if (size < 1)
		return 0;
	if (data[0] && data[0] < PPP_MESSAGE_MAX)
		len = sizes[data[0]];
	message = calloc(1, len > 0 ? len : 1); /* exactly as long as it claims to be */
	if (!message)
		return 0;
	memcpy(message, data, size < len ? size : len);
	if (data[0] && data[0] < PPP_MESSAGE_MAX)
		message->head = (struct ppp_head){ data[0], PPP_PROTO_VERSION, len, 1 };
	if (ppp_message_check(message, len) == 0)
		message_read(message);
	free(message);
	return 0;
}
