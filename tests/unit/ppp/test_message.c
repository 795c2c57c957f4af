/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message: every field that the other side could lie in, one lie at a time, against ppp_message_check.
 */
#include "lns/ppp/channel_proto.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const uint32_t sizes[PPP_MESSAGE_MAX] = {
	[PPP_FORK] = sizeof(struct ppp_fork),
	[PPP_FORKED] = sizeof(struct ppp_forked),
	[PPP_FORK_REPORT] = sizeof(struct ppp_forked),
	[PPP_AUTH_REQUEST] = sizeof(struct ppp_auth_request),
	[PPP_AUTH_REPLY] = sizeof(struct ppp_auth_reply),
	[PPP_NCP_UP] = sizeof(struct ppp_ncp_up),
	[PPP_NCP_DOWN] = sizeof(struct ppp_ncp_down),
	[PPP_LINK_UP] = sizeof(struct ppp_link_up),
	[PPP_LINK_DOWN] = sizeof(struct ppp_link_down),
	[PPP_EAP_RESPONSE] = sizeof(struct ppp_eap),
	[PPP_EAP_REQUEST] = sizeof(struct ppp_eap),
};

/* A message of each type that is all right. */
static void message_make(union ppp_message *message, int type)
{
	memset(message, 0, sizeof(*message));
	message->head = (struct ppp_head){
		.type = type, .version = PPP_PROTO_VERSION, .size = sizes[type], .session = 7
	};
	switch (type) {
	case PPP_FORK:
		message->fork.mtu = message->fork.mru = 1460;
		memcpy(message->fork.name, "l2tp12-34", 10);
		break;
	case PPP_FORKED:
	case PPP_FORK_REPORT:
		message->forked.pid = 1234;
		break;
	case PPP_AUTH_REQUEST:
		message->auth_request.protocol = PPP_AUTH_CHAP_MD5;
		message->auth_request.challenge_len = 16;
		message->auth_request.response_len = 16;
		break;
	case PPP_AUTH_REPLY:
		message->auth_reply.result = PPP_AUTH_ACCEPT;
		message->auth_reply.flags = PPP_AUTH_IPV4;
		message->auth_reply.local = 1;
		message->auth_reply.remote = 2;
		break;
	case PPP_NCP_UP:
		message->ncp_up.family = PPP_IPV4;
		message->ncp_up.mtu = 1460;
		message->ncp_up.ifindex = 5;
		memcpy(message->ncp_up.ifname, "ppp0", 5);
		break;
	case PPP_NCP_DOWN:
		message->ncp_down.family = PPP_IPV6;
		break;
	case PPP_LINK_UP:
		message->link_up.ifindex = 5;
		message->link_up.mru = message->link_up.peer_mru = 1500;
		break;
	case PPP_LINK_DOWN:
		message->link_down.end = PPP_END_PEER;
		break;
	case PPP_EAP_RESPONSE:
	case PPP_EAP_REQUEST:
		message->eap.packet_len = 260;
		message->eap.packet[0] =
			type == PPP_EAP_REQUEST ? PPP_EAP_CODE_REQUEST : PPP_EAP_CODE_RESPONSE;
		message->eap.packet[2] = 260 >> 8;
		message->eap.packet[3] = 260 & 0xff;
		message->eap.packet[4] = PPP_EAP_TYPE_MD5;
		break;
	}
}

#define FIELD(type, member, number, want)                                                          \
	{                                                                                          \
		type, offsetof(union ppp_message, member),                                         \
			sizeof(((union ppp_message *)0)->member), number, want,                    \
			#member " = " #number                                                      \
	}

static const struct {
	int type;
	size_t offset, size;
	uint64_t value;
	int want;
	const char *text;
} table[] = {
	FIELD(PPP_LINK_DOWN, head.version, 0, -EBADMSG),
	FIELD(PPP_LINK_DOWN, head.version, 2, -EBADMSG),
	FIELD(PPP_LINK_DOWN, head.type, 0, -EBADMSG),
	FIELD(PPP_LINK_DOWN, head.type, PPP_MESSAGE_MAX, -EBADMSG),
	FIELD(PPP_LINK_DOWN, head.type, 65535, -EBADMSG),
	FIELD(PPP_LINK_DOWN, head.type, PPP_FORK, -EBADMSG),
	FIELD(PPP_LINK_DOWN, head.size, 0, -EBADMSG),
	FIELD(PPP_LINK_DOWN, head.size, sizeof(struct ppp_link_down) + 1, -EBADMSG),
	FIELD(PPP_LINK_DOWN, head.session, 0, -EBADMSG),
	FIELD(PPP_LINK_DOWN, head.session, UINT64_MAX, 0),

	FIELD(PPP_FORK, fork.exec, 1, 0),
	FIELD(PPP_FORK, fork.exec, 2, -EBADMSG),
	FIELD(PPP_FORK, fork.mtu, 127, -EBADMSG),
	FIELD(PPP_FORK, fork.mtu, 128, 0),
	FIELD(PPP_FORK, fork.mtu, 16385, -EBADMSG),
	FIELD(PPP_FORK, fork.mru, 0, -EBADMSG),
	FIELD(PPP_FORK, fork.mru, 16384, 0),
	FIELD(PPP_FORK, fork.mru, 65535, -EBADMSG),
	FIELD(PPP_FORK, fork.proxy_lcp, PPP_PROXY_NEVER, 0),
	FIELD(PPP_FORK, fork.proxy_lcp, PPP_PROXY_NEVER + 1, -EBADMSG),
	FIELD(PPP_FORK, fork.name[0], 0, -EBADMSG),
	FIELD(PPP_FORK, fork.name[0], '/', -EBADMSG),
	FIELD(PPP_FORK, fork.name[1], '%', -EBADMSG),
	FIELD(PPP_FORK, fork.name[2], ' ', -EBADMSG),
	FIELD(PPP_FORK, fork.name[2], 'A', -EBADMSG),
	FIELD(PPP_FORK, fork.name[3], 200, -EBADMSG),
	FIELD(PPP_FORK, fork.proxy.authen_type, 5, 0),
	FIELD(PPP_FORK, fork.proxy.authen_type, 6, -EBADMSG),
	FIELD(PPP_FORK, fork.proxy.initial_received_len, 256, 0),
	FIELD(PPP_FORK, fork.proxy.initial_received_len, 257, -EBADMSG),
	FIELD(PPP_FORK, fork.proxy.last_sent_len, 257, -EBADMSG),
	FIELD(PPP_FORK, fork.proxy.last_received_len, 257, -EBADMSG),
	FIELD(PPP_FORK, fork.proxy.name_len, 257, -EBADMSG),
	FIELD(PPP_FORK, fork.proxy.challenge_len, 257, -EBADMSG),
	FIELD(PPP_FORK, fork.proxy.response_len, 65535, -EBADMSG),

	FIELD(PPP_FORKED, forked.pid, 0, -EBADMSG),
	FIELD(PPP_FORKED, forked.pid, (uint32_t)-1, -EBADMSG),
	FIELD(PPP_FORKED, forked.error, 11, -EBADMSG), /* a pid as well */
	FIELD(PPP_FORK_REPORT, forked.pid, 0, -EBADMSG),

	FIELD(PPP_AUTH_REQUEST, auth_request.protocol, 0, -EBADMSG),
	FIELD(PPP_AUTH_REQUEST, auth_request.protocol, 4, -EBADMSG),
	FIELD(PPP_AUTH_REQUEST, auth_request.protocol, PPP_AUTH_PAP,
		-EBADMSG), /* has a challenge */
	FIELD(PPP_AUTH_REQUEST, auth_request.protocol, PPP_AUTH_MSCHAP_V2, -EBADMSG),
	FIELD(PPP_AUTH_REQUEST, auth_request.proxied, 1, 0),
	FIELD(PPP_AUTH_REQUEST, auth_request.proxied, 2, -EBADMSG),
	FIELD(PPP_AUTH_REQUEST, auth_request.name_len, 256, 0),
	FIELD(PPP_AUTH_REQUEST, auth_request.name_len, 257, -EBADMSG),
	FIELD(PPP_AUTH_REQUEST, auth_request.challenge_len, 0, -EBADMSG),
	FIELD(PPP_AUTH_REQUEST, auth_request.challenge_len, 257, -EBADMSG),
	FIELD(PPP_AUTH_REQUEST, auth_request.response_len, 0, -EBADMSG),
	FIELD(PPP_AUTH_REQUEST, auth_request.response_len, 15, -EBADMSG),
	FIELD(PPP_AUTH_REQUEST, auth_request.response_len, 49, -EBADMSG),
	FIELD(PPP_AUTH_REQUEST, auth_request.response_len, 65535, -EBADMSG),

	FIELD(PPP_AUTH_REPLY, auth_reply.result, 0, -EBADMSG),
	FIELD(PPP_AUTH_REPLY, auth_reply.result, PPP_AUTH_REJECT, 0),
	FIELD(PPP_AUTH_REPLY, auth_reply.result, PPP_AUTH_UNAVAILABLE + 1, -EBADMSG),
	FIELD(PPP_AUTH_REPLY, auth_reply.flags, 0, -EBADMSG), /* accepted for nothing */
	FIELD(PPP_AUTH_REPLY, auth_reply.flags, PPP_AUTH_IPV6, 0),
	FIELD(PPP_AUTH_REPLY, auth_reply.flags, 1 | 64, -EBADMSG),
	FIELD(PPP_AUTH_REPLY, auth_reply.flags, 1 | PPP_AUTH_MPPE_REQUIRED, -EBADMSG),
	FIELD(PPP_AUTH_REPLY, auth_reply.flags, 1 | PPP_AUTH_MPPE_ALLOWED, -EBADMSG), /* no types */
	FIELD(PPP_AUTH_REPLY, auth_reply.local, 0, -EBADMSG),
	FIELD(PPP_AUTH_REPLY, auth_reply.remote, 0, -EBADMSG),
	FIELD(PPP_AUTH_REPLY, auth_reply.mtu, 127, -EBADMSG),
	FIELD(PPP_AUTH_REPLY, auth_reply.mtu, 1300, 0),
	FIELD(PPP_AUTH_REPLY, auth_reply.mtu, 20000, -EBADMSG),
	FIELD(PPP_AUTH_REPLY, auth_reply.mppe_types, 6, 0),
	FIELD(PPP_AUTH_REPLY, auth_reply.mppe_types, 8, -EBADMSG),
	FIELD(PPP_AUTH_REPLY, auth_reply.message_len, 255, 0),
	FIELD(PPP_AUTH_REPLY, auth_reply.message_len, 256, -EBADMSG),

	FIELD(PPP_NCP_UP, ncp_up.family, 0, -EBADMSG),
	FIELD(PPP_NCP_UP, ncp_up.family, 3, -EBADMSG),
	FIELD(PPP_NCP_UP, ncp_up.mtu, 0, -EBADMSG),
	FIELD(PPP_NCP_UP, ncp_up.ifindex, 0, -EBADMSG),
	FIELD(PPP_NCP_UP, ncp_up.ifindex, 0x80000000, -EBADMSG),
	FIELD(PPP_NCP_UP, ncp_up.ifname[0], 0, -EBADMSG),
	FIELD(PPP_NCP_UP, ncp_up.ifname[1], '/', -EBADMSG),
	FIELD(PPP_NCP_UP, ncp_up.ifname[1], '\n', -EBADMSG),
	FIELD(PPP_NCP_DOWN, ncp_down.family, 0, -EBADMSG),
	FIELD(PPP_NCP_DOWN, ncp_down.family, 3, -EBADMSG),

	FIELD(PPP_LINK_UP, link_up.mru, 127, -EBADMSG),
	FIELD(PPP_LINK_UP, link_up.peer_mru, 0, -EBADMSG),
	FIELD(PPP_LINK_UP, link_up.proxied, 2, -EBADMSG),
	FIELD(PPP_LINK_UP, link_up.ifindex, 0, -EBADMSG),
	FIELD(PPP_LINK_UP, link_up.ifindex, UINT32_MAX, -EBADMSG),
	FIELD(PPP_LINK_DOWN, link_down.end, 0, -EBADMSG),
	FIELD(PPP_LINK_DOWN, link_down.end, PPP_END_OTHER + 1, -EBADMSG),
	FIELD(PPP_LINK_DOWN, link_down.status, 255, 0),
	FIELD(PPP_LINK_DOWN, link_down.status, 256, -EBADMSG),

	FIELD(PPP_EAP_RESPONSE, eap.name_len, 256, 0),
	FIELD(PPP_EAP_RESPONSE, eap.name_len, 257, -EBADMSG),
	FIELD(PPP_EAP_RESPONSE, eap.state_len, 253, 0),
	FIELD(PPP_EAP_RESPONSE, eap.state_len, 254, -EBADMSG),
	FIELD(PPP_EAP_RESPONSE, eap.packet_len, 0, -EBADMSG),
	FIELD(PPP_EAP_RESPONSE, eap.packet_len, 4, -EBADMSG),
	FIELD(PPP_EAP_RESPONSE, eap.packet_len, 259, -EBADMSG), /* the packet says 260 */
	FIELD(PPP_EAP_RESPONSE, eap.packet_len, 261, -EBADMSG),
	FIELD(PPP_EAP_RESPONSE, eap.packet_len, PPP_EAP_MAX + 1, -EBADMSG),
	FIELD(PPP_EAP_RESPONSE, eap.packet_len, 65535, -EBADMSG),
	FIELD(PPP_EAP_RESPONSE, eap.packet[0], PPP_EAP_CODE_REQUEST, -EBADMSG),
	FIELD(PPP_EAP_RESPONSE, eap.packet[0], PPP_EAP_CODE_SUCCESS, -EBADMSG),
	FIELD(PPP_EAP_RESPONSE, eap.packet[2], 0, -EBADMSG),
	FIELD(PPP_EAP_RESPONSE, eap.packet[2], 255, -EBADMSG),
	FIELD(PPP_EAP_REQUEST, eap.packet[0], PPP_EAP_CODE_RESPONSE, -EBADMSG),
	FIELD(PPP_EAP_REQUEST, eap.packet[0], 0, -EBADMSG),
	FIELD(PPP_EAP_REQUEST, eap.wait, 65535, 0),
	FIELD(PPP_EAP_REQUEST, eap.packet_len, 1501, -EBADMSG),
};

Test(message, good_ones_pass_at_their_size_only)
{
	union ppp_message message;

	for (int type = PPP_FORK; type < PPP_MESSAGE_MAX; type++) {
		message_make(&message, type);
		cr_assert_eq(ppp_message_check(&message, sizes[type]), 0, "type %d", type);
		for (uint32_t len = 0; len < sizes[type]; len++)
			cr_assert_eq(ppp_message_check(&message, len), -EBADMSG, "type %d, %u",
				type, len);
	}
}

Test(message, one_lie_at_a_time)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		union ppp_message message;

		message_make(&message, table[i].type);
		memcpy((char *)&message + table[i].offset, &table[i].value, table[i].size);
		cr_expect_eq(ppp_message_check(&message, sizes[table[i].type]), table[i].want, "%s",
			table[i].text);
	}
}

Test(message, text_without_an_end)
{
	union ppp_message message;

	message_make(&message, PPP_FORK);
	memset(message.fork.name, 'a', sizeof(message.fork.name));
	cr_assert_eq(ppp_message_check(&message, sizes[PPP_FORK]), -EBADMSG);
	message_make(&message, PPP_NCP_UP);
	memset(message.ncp_up.ifname, 'a', sizeof(message.ncp_up.ifname));
	cr_assert_eq(ppp_message_check(&message, sizes[PPP_NCP_UP]), -EBADMSG);
}

Test(message, what_depends_on_another_field)
{
	union ppp_message message;

	message_make(&message, PPP_FORKED);
	message.forked.pid = 0;
	message.forked.error = EAGAIN;
	cr_assert_eq(ppp_message_check(&message, sizes[PPP_FORKED]), 0);
	message.forked.error = -EAGAIN;
	cr_assert_eq(ppp_message_check(&message, sizes[PPP_FORKED]), -EBADMSG);
	message.forked.error = 4096;
	cr_assert_eq(ppp_message_check(&message, sizes[PPP_FORKED]), -EBADMSG);

	message_make(&message, PPP_AUTH_REQUEST);
	message.auth_request.protocol = PPP_AUTH_PAP;
	message.auth_request.challenge_len = 0;
	message.auth_request.response_len = 256;
	cr_assert_eq(ppp_message_check(&message, sizes[PPP_AUTH_REQUEST]), 0);
	message.auth_request.protocol = PPP_AUTH_MSCHAP_V2;
	message.auth_request.challenge_len = 16;
	message.auth_request.response_len = 49;
	cr_assert_eq(ppp_message_check(&message, sizes[PPP_AUTH_REQUEST]), 0);
	message.auth_request.challenge_len = 17;
	cr_assert_eq(ppp_message_check(&message, sizes[PPP_AUTH_REQUEST]), -EBADMSG);

	message_make(&message, PPP_AUTH_REPLY);
	message.auth_reply.remote = 0;
	message.auth_reply.flags = PPP_AUTH_IPV4 | PPP_AUTH_PEER_CHOOSES;
	cr_assert_eq(ppp_message_check(&message, sizes[PPP_AUTH_REPLY]), 0);
	message.auth_reply.flags |= PPP_AUTH_MPPE_ALLOWED | PPP_AUTH_MPPE_REQUIRED;
	message.auth_reply.mppe_types = 4;
	cr_assert_eq(ppp_message_check(&message, sizes[PPP_AUTH_REPLY]), 0);
}
