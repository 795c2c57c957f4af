/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel_proto: the check that every message between lnsd and its pppd plugin has to pass.
 *
 * Built into both ends. One table gives the size of each type and the function that looks at its
 * fields; a field that is not checked here is one whose every value is harmless.
 */
#include "lns/ppp/channel_proto.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define MAX_ERRNO 4095
#define MAX_STATE 253 /* of any attribute of RADIUS */

static int mtu_ok(unsigned int mtu)
{
	return mtu >= PPP_MTU_MIN && mtu <= PPP_MTU_MAX;
}

/* Text of size octets: terminated, not empty, only what may appear in a name of ours. */
static int name_ok(const char *name, size_t size, const char *allowed)
{
	size_t len = strnlen(name, size);

	return len > 0 && len < size && strspn(name, allowed) == len;
}

static int fork_ok(const void *message)
{
	const struct ppp_fork *fork = message;
	const struct ppp_proxy *proxy = &fork->proxy;

	return fork->exec <= 1 && mtu_ok(fork->mtu) && mtu_ok(fork->mru) &&
	       fork->proxy_lcp <= PPP_PROXY_NEVER &&
	       name_ok(fork->name, sizeof(fork->name), "abcdefghijklmnopqrstuvwxyz0123456789-") &&
	       proxy->authen_type <= PPP_PROXY_AUTHEN_MAX &&
	       proxy->initial_received_len <= sizeof(proxy->initial_received) &&
	       proxy->last_sent_len <= sizeof(proxy->last_sent) &&
	       proxy->last_received_len <= sizeof(proxy->last_received) &&
	       proxy->name_len <= sizeof(proxy->name) &&
	       proxy->challenge_len <= sizeof(proxy->challenge) &&
	       proxy->response_len <= sizeof(proxy->response);
}

static int forked_ok(const void *message)
{
	const struct ppp_forked *forked = message;

	if (forked->error)
		return forked->error > 0 && forked->error <= MAX_ERRNO && forked->pid == 0;
	return forked->pid > 0;
}

static int auth_request_ok(const void *message)
{
	const struct ppp_auth_request *request = message;

	if (request->proxied > 1 || request->name_len > sizeof(request->name) ||
		request->challenge_len > sizeof(request->challenge) ||
		request->response_len > sizeof(request->response))
		return 0;
	switch (request->protocol) {
	case PPP_AUTH_PAP:
		return request->challenge_len == 0;
	case PPP_AUTH_CHAP_MD5:
		return request->challenge_len > 0 && request->response_len == PPP_CHAP_MD5_LEN;
	case PPP_AUTH_MSCHAP_V2:
		return request->challenge_len == 16 && request->response_len == PPP_MSCHAP_V2_LEN;
	}
	return 0;
}

static int auth_reply_ok(const void *message)
{
	const struct ppp_auth_reply *reply = message;
	const unsigned int all = PPP_AUTH_IPV4 | PPP_AUTH_IPV6 | PPP_AUTH_PEER_CHOOSES |
				 PPP_AUTH_MPPE_ALLOWED | PPP_AUTH_MPPE_REQUIRED |
				 PPP_AUTH_INTERFACE_ID;

	if (reply->result < PPP_AUTH_ACCEPT || reply->result > PPP_AUTH_UNAVAILABLE ||
		(reply->flags & ~all) || (reply->mppe_types & ~6) ||
		(reply->mtu && !mtu_ok(reply->mtu)) || reply->message_len >= sizeof(reply->message))
		return 0;
	if (reply->result != PPP_AUTH_ACCEPT)
		return 1;
	if (!(reply->flags & (PPP_AUTH_IPV4 | PPP_AUTH_IPV6)))
		return 0;
	if ((reply->flags & PPP_AUTH_IPV4) &&
		(!reply->local || (!reply->remote && !(reply->flags & PPP_AUTH_PEER_CHOOSES))))
		return 0;
	if ((reply->flags & PPP_AUTH_MPPE_REQUIRED) && !(reply->flags & PPP_AUTH_MPPE_ALLOWED))
		return 0;
	return !(reply->flags & PPP_AUTH_MPPE_ALLOWED) || reply->mppe_types;
}

static int family_ok(unsigned int family)
{
	return family == PPP_IPV4 || family == PPP_IPV6;
}

static int ncp_up_ok(const void *message)
{
	const struct ppp_ncp_up *up = message;

	return family_ok(up->family) && mtu_ok(up->mtu) && up->ifindex > 0 &&
	       up->ifindex <= INT32_MAX &&
	       name_ok(up->ifname, sizeof(up->ifname),
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
}

static int ncp_down_ok(const void *message)
{
	const struct ppp_ncp_down *down = message;

	return family_ok(down->family);
}

static int link_up_ok(const void *message)
{
	const struct ppp_link_up *up = message;

	return up->ifindex > 0 && up->ifindex <= INT32_MAX && up->proxied <= 1 &&
	       up->mru >= PPP_MTU_MIN && up->peer_mru >= PPP_MTU_MIN;
}

static int link_down_ok(const void *message)
{
	const struct ppp_link_down *down = message;

	return down->end >= PPP_END_PEER && down->end <= PPP_END_OTHER && down->status <= 255;
}

static int eap_ok(const struct ppp_eap *eap, unsigned int code)
{
	struct ppp_eap_packet packet;

	return eap->name_len <= sizeof(eap->name) && eap->state_len <= MAX_STATE &&
	       eap->packet_len <= sizeof(eap->packet) &&
	       ppp_eap_parse(eap->packet, eap->packet_len, &packet) == 0 && packet.code == code &&
	       packet.len == eap->packet_len;
}

static int eap_response_ok(const void *message)
{
	return eap_ok(message, PPP_EAP_CODE_RESPONSE);
}

static int eap_request_ok(const void *message)
{
	return eap_ok(message, PPP_EAP_CODE_REQUEST);
}

static const struct {
	uint32_t size;
	int (*ok)(const void *message);
} rules[PPP_MESSAGE_MAX] = {
	[PPP_FORK] = { sizeof(struct ppp_fork), fork_ok },
	[PPP_FORKED] = { sizeof(struct ppp_forked), forked_ok },
	[PPP_FORK_REPORT] = { sizeof(struct ppp_forked), forked_ok },
	[PPP_AUTH_REQUEST] = { sizeof(struct ppp_auth_request), auth_request_ok },
	[PPP_AUTH_REPLY] = { sizeof(struct ppp_auth_reply), auth_reply_ok },
	[PPP_NCP_UP] = { sizeof(struct ppp_ncp_up), ncp_up_ok },
	[PPP_NCP_DOWN] = { sizeof(struct ppp_ncp_down), ncp_down_ok },
	[PPP_LINK_UP] = { sizeof(struct ppp_link_up), link_up_ok },
	[PPP_LINK_DOWN] = { sizeof(struct ppp_link_down), link_down_ok },
	[PPP_EAP_RESPONSE] = { sizeof(struct ppp_eap), eap_response_ok },
	[PPP_EAP_REQUEST] = { sizeof(struct ppp_eap), eap_request_ok },
};

int ppp_message_check(const void *message, uint32_t len)
{
	const struct ppp_head *head = message;

	if (len < sizeof(*head) || head->version != PPP_PROTO_VERSION || head->size != len ||
		head->session == 0)
		return -EBADMSG;
	if (head->type >= PPP_MESSAGE_MAX || !rules[head->type].ok || len != rules[head->type].size)
		return -EBADMSG;
	return rules[head->type].ok(message) ? 0 : -EBADMSG;
}
