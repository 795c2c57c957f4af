// SPDX-License-Identifier: BSD-2-Clause
/*
 * auth: answers pppd's question who this is, from RADIUS or from the users file, and turns the answer
 * into addresses and limits (RFC 2865, 2548).
 *
 * pppd repeats a question until it is answered; a repeat gets the same answer. A client that
 * authenticates again later keeps the address it has.
 */
#include "lns/subscriber/internal.h"

#include "lns/log.h"
#include "lns/subscriber/pool.h"
#include "lns/subscriber/users.h"
#include "radius/attr_codes.h"
#include "radius/digest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MSCHAP_V2_RESPONSE 49 /* RFC 2759 section 4 */

static void wipe_free(void *data, size_t size)
{
	if (!data)
		return;
	explicit_bzero(data, size);
	free(data);
}

void subscriber_auth_clear(struct subscriber *sub)
{
	radius_cancel(sub->request);
	sub->request = NULL;
	wipe_free(sub->asked, sizeof(*sub->asked));
	wipe_free(sub->answer, sizeof(*sub->answer));
	sub->asked = NULL;
	sub->answer = NULL;
}

/* ---- the answer ---- */

static void reply(struct subscriber *sub, enum ppp_auth_result result, const char *message)
{
	struct ppp_auth_reply *answer = sub->answer;

	answer->request = sub->asked->request;
	answer->result = (uint16_t)result;
	if (answer->message_len == 0 && message) {
		answer->message_len = (uint16_t)strnlen(message, 255);
		memcpy(answer->message, message, answer->message_len);
	}
	/* When pppd is gone, its exit says so. */
	(void)ppp_channel_reply(sub->channel, answer);
}

/* Tells pppd, which tells the client and ends; verdict and detail are what its end will mean. */
static void refuse(struct subscriber *sub, enum ppp_auth_result result, enum end_reason verdict,
	const char *message, const char *detail)
{
	sub->verdict = verdict;
	snprintf(sub->detail, sizeof(sub->detail), "%s", detail);
	reply(sub, result, message);
}

/* Takes or claims the client's address. 0, or the reason why there is none. */
static enum end_reason take_address(struct subscriber *sub, struct authorization *grant)
{
	int err = 0;

	if (grant->address == AUTHORIZATION_PEER_CHOOSES || !grant->ipv4)
		return END_NONE;
	if (sub->address_held) { /* authenticates again */
		if (grant->address == AUTHORIZATION_FIXED && grant->remote != sub->granted->remote)
			return END_ADDRESS_USED;
		grant->remote = sub->granted->remote;
		return END_NONE;
	}
	if (grant->address == AUTHORIZATION_FIXED)
		err = pools_claim(sub->all->host.pools, grant->remote);
	else
		err = pools_take(sub->all->host.pools, grant->pool, sub->user, &grant->remote);
	if (err == -EADDRINUSE)
		return END_ADDRESS_USED;
	if (err < 0)
		return END_NO_ADDRESS;
	sub->address_held = true;
	return END_NONE;
}

/* A client with the address of its own tunnel's end would send the tunnel through itself. */
static bool is_tunnel_endpoint(const struct subscriber *sub, uint32_t address)
{
	struct l2tp_tunnel_info info;

	if (!sub->l2tp || address == 0)
		return false;
	l2tp_tunnel_info(l2tp_session_tunnel(sub->l2tp), &info);
	return (info.path.peer.sa.sa_family == AF_INET &&
		       ntohl(info.path.peer.in4.sin_addr.s_addr) == address) ||
	       (info.path.local.sa.sa_family == AF_INET &&
		       ntohl(info.path.local.in4.sin_addr.s_addr) == address);
}

static void fill_answer(struct ppp_auth_reply *answer, const struct authorization *grant)
{
	answer->flags |= grant->ipv4 ? PPP_AUTH_IPV4 : 0;
	answer->flags |= grant->ipv6 ? PPP_AUTH_IPV6 : 0;
	answer->flags |= grant->address == AUTHORIZATION_PEER_CHOOSES ? PPP_AUTH_PEER_CHOOSES : 0;
	answer->local = htonl(grant->local);
	answer->remote = htonl(grant->remote);
	for (int i = 0; i < 2; i++) {
		answer->dns[i] = htonl(grant->dns[i]);
		answer->wins[i] = htonl(grant->wins[i]);
	}
	answer->mtu = grant->mtu;
	if (grant->has_interface_id) {
		answer->flags |= PPP_AUTH_INTERFACE_ID;
		memcpy(answer->interface_id, grant->interface_id, 8);
	}
}

/* The profile is known: addresses, then the answer. Takes over grant. */
static void accept_with(struct subscriber *sub, struct authorization *grant, const char *message)
{
	enum end_reason problem = END_NONE;
	char detail[128] = "", text[ADDR_TEXT];
	union addr addr = { .in4 = { .sin_family = AF_INET } };

	if (grant->user[0])
		subscriber_set_user(sub, grant->user, strlen(grant->user));
	problem = take_address(sub, grant);
	addr.in4.sin_addr.s_addr = htonl(grant->remote);
	addr_text_host(&addr, text);
	if (problem == END_NO_ADDRESS)
		snprintf(detail, sizeof(detail), "pool \"%.63s\"", grant->pool);
	else if (problem == END_ADDRESS_USED)
		snprintf(detail, sizeof(detail), "%s", text);
	else if (is_tunnel_endpoint(sub, grant->remote)) {
		problem = END_BAD_PROFILE;
		snprintf(detail, sizeof(detail), "%s is an end of the session's own tunnel", text);
	}
	if (problem != END_NONE) {
		if (sub->address_held && !sub->granted) {
			pools_release(sub->all->host.pools, grant->remote);
			sub->address_held = false;
		}
		authorization_free(grant);
		refuse(sub, PPP_AUTH_UNAVAILABLE, problem, NULL, detail);
		return;
	}
	authorization_free(sub->granted);
	sub->granted = grant;
	fill_answer(sub->answer, grant);
	reply(sub, PPP_AUTH_ACCEPT, message);
	subscriber_authorised(sub);
}

static struct authorization *defaults(struct subscriber *sub)
{
	const struct config_ppp *ppp = subscriber_ppp(sub);
	const struct config *config = sub->all->config.config;
	struct authorization *grant;

	if (!ppp || authorization_new(ppp, config->radius.interim, &grant) < 0) {
		refuse(sub, PPP_AUTH_UNAVAILABLE, END_NO_RESOURCE, NULL,
			ppp ? "out of memory" : "its ppp section was removed");
		return NULL;
	}
	return grant;
}

/* ---- the users file ---- */

static bool secret_matches(const struct ppp_auth_request *asked, const struct config_user *user)
{
	uint8_t expected[RADIUS_CHAP_LEN];

	switch (asked->protocol) {
	case PPP_AUTH_PAP:
		return asked->response_len == user->secret.len &&
		       radius_equal(asked->response, user->secret.data, user->secret.len);
	case PPP_AUTH_CHAP_MD5:
		radius_chap_response(asked->chap_id, user->secret.data, user->secret.len,
			asked->challenge, asked->challenge_len, expected);
		return asked->response_len == sizeof(expected) &&
		       radius_equal(asked->response, expected, sizeof(expected));
	default:
		return false;
	}
}

static void ask_users(struct subscriber *sub)
{
	const struct config_user *user = users_find(sub->all->config.users, sub->user);
	struct authorization *grant;

	if (!user) {
		refuse(sub, PPP_AUTH_REJECT, END_REFUSED, NULL, "not in the users file");
		return;
	}
	if (!secret_matches(sub->asked, user)) {
		refuse(sub, PPP_AUTH_REJECT, END_REFUSED, NULL,
			sub->asked->protocol == PPP_AUTH_MSCHAP_V2
				? "the users file serves PAP and CHAP only"
				: "wrong password");
		return;
	}
	grant = defaults(sub);
	if (!grant)
		return;
	authorization_apply_user(grant, user);
	accept_with(sub, grant, NULL);
}

/* ---- RADIUS ---- */

static int add_credentials(struct radius_attrs *attrs, const struct ppp_auth_request *asked)
{
	uint8_t value[256];
	int err;

	switch (asked->protocol) {
	case PPP_AUTH_PAP:
		return radius_add_octets(
			attrs, RADIUS_USER_PASSWORD, asked->response, asked->response_len);
	case PPP_AUTH_CHAP_MD5:
		if (asked->response_len != RADIUS_CHAP_LEN)
			return -EINVAL;
		value[0] = asked->chap_id;
		memcpy(value + 1, asked->response, RADIUS_CHAP_LEN);
		err = radius_add_octets(attrs, RADIUS_CHAP_PASSWORD, value, 1 + RADIUS_CHAP_LEN);
		if (err < 0)
			return err;
		return radius_add_octets(
			attrs, RADIUS_CHAP_CHALLENGE, asked->challenge, asked->challenge_len);
	case PPP_AUTH_MSCHAP_V2:
		/* Ident, Flags, Peer-Challenge, Reserved, Response: RFC 2548 section 2.3.2. */
		if (asked->response_len != MSCHAP_V2_RESPONSE)
			return -EINVAL;
		value[0] = asked->chap_id;
		value[1] = 0;
		memcpy(value + 2, asked->response, MSCHAP_V2_RESPONSE - 1);
		err = radius_add_octets(
			attrs, RADIUS_MS_CHAP2_RESPONSE, value, MSCHAP_V2_RESPONSE + 1);
		explicit_bzero(value, sizeof(value));
		if (err < 0)
			return err;
		return radius_add_octets(
			attrs, RADIUS_MS_CHAP_CHALLENGE, asked->challenge, asked->challenge_len);
	default:
		return -EINVAL;
	}
}

/* A text of RFC 2548 that starts with the CHAP identifier: what follows goes to the client as it is. */
static void take_mschap_text(
	struct subscriber *sub, const struct radius_attrs *reply_attrs, radius_code code)
{
	const uint8_t *data;
	size_t len;

	if (!radius_get_octets(reply_attrs, code, 0, &data, &len) || len < 2)
		return;
	sub->answer->message_len = (uint16_t)(len - 1);
	memcpy(sub->answer->message, data + 1, len - 1);
}

/* MS-MPPE keys, RFC 2548 section 2.4. Both or none. */
static void take_mppe_keys(struct subscriber *sub, const struct radius_attrs *reply_attrs)
{
	const uint8_t *send, *recv;
	size_t send_len, recv_len;
	uint8_t key[64];
	uint32_t policy = 0, types = 0;
	struct ppp_auth_reply *answer = sub->answer;

	if (!radius_get_octets(reply_attrs, RADIUS_MS_MPPE_SEND_KEY, 0, &send, &send_len) ||
		!radius_get_octets(reply_attrs, RADIUS_MS_MPPE_RECV_KEY, 0, &recv, &recv_len))
		return;
	if (radius_reply_decrypt(sub->request, send, send_len, key, sizeof(key)) == 16)
		memcpy(answer->mppe_send_key, key, 16);
	else
		goto out;
	if (radius_reply_decrypt(sub->request, recv, recv_len, key, sizeof(key)) == 16)
		memcpy(answer->mppe_recv_key, key, 16);
	else
		goto out;
	radius_get_u32(reply_attrs, RADIUS_MS_MPPE_ENCRYPTION_POLICY, &policy);
	radius_get_u32(reply_attrs, RADIUS_MS_MPPE_ENCRYPTION_TYPES, &types);
	answer->mppe_types = (uint16_t)(types & 6);
	answer->flags |= PPP_AUTH_MPPE_ALLOWED;
	answer->flags |= policy == 2 ? PPP_AUTH_MPPE_REQUIRED : 0;
out:
	explicit_bzero(key, sizeof(key));
}

static void radius_accepts(struct subscriber *sub, const struct radius_attrs *reply_attrs)
{
	struct authorization *grant = defaults(sub);
	char why[128], ignored[256];
	int err;

	if (!grant)
		return;
	err = authorization_apply_reply(
		grant, reply_attrs, why, sizeof(why), ignored, sizeof(ignored));
	if (err < 0) {
		authorization_free(grant);
		refuse(sub, PPP_AUTH_UNAVAILABLE,
			err == -EINVAL ? END_BAD_PROFILE : END_NO_RESOURCE, NULL,
			err == -EINVAL ? why : "out of memory");
		return;
	}
	if (ignored[0])
		log_warning("session %s: user \"%s\": attributes of the Access-Accept that are "
			    "not obeyed: %s",
			sub->acct_session_id, sub->user_text, ignored);
	if (sub->protocol == PPP_AUTH_MSCHAP_V2) {
		take_mschap_text(sub, reply_attrs, RADIUS_MS_CHAP2_SUCCESS);
		take_mppe_keys(sub, reply_attrs);
	}
	accept_with(sub, grant, grant->message);
}

static void radius_rejects(struct subscriber *sub, const struct radius_attrs *reply_attrs)
{
	char message[256] = "", text[128];

	if (sub->protocol == PPP_AUTH_MSCHAP_V2)
		take_mschap_text(sub, reply_attrs, RADIUS_MS_CHAP_ERROR);
	radius_get_string(reply_attrs, RADIUS_REPLY_MESSAGE, message, sizeof(message));
	log_printable(text, sizeof(text), message, strlen(message));
	refuse(sub, PPP_AUTH_REJECT, END_REFUSED, message[0] ? message : NULL, text);
}

static void radius_done(void *ctx, enum radius_outcome outcome, unsigned int code,
	const struct radius_attrs *reply_attrs, const char *server)
{
	struct subscriber *sub = ctx;
	char detail[160];

	snprintf(sub->server, sizeof(sub->server), "%s", server ? server : "");
	switch (outcome) {
	case RADIUS_ANSWERED:
		if (code == RADIUS_ACCESS_ACCEPT)
			radius_accepts(sub, reply_attrs);
		else if (code == RADIUS_ACCESS_REJECT)
			radius_rejects(sub, reply_attrs);
		else
			refuse(sub, PPP_AUTH_REJECT, END_REFUSED, NULL,
				"RADIUS sent an Access-Challenge, which PAP and CHAP cannot carry");
		break;
	case RADIUS_TIMEOUT:
		snprintf(detail, sizeof(detail),
			"last tried %s: does it run, is it reachable, does it know this client and its secret?",
			sub->server);
		refuse(sub, PPP_AUTH_UNAVAILABLE, END_NO_RADIUS, NULL, detail);
		break;
	case RADIUS_FORGED:
		snprintf(detail, sizeof(detail),
			"from %s: does the shared secret agree on both sides?", sub->server);
		refuse(sub, PPP_AUTH_UNAVAILABLE, END_BAD_SECRET, NULL, detail);
		break;
	case RADIUS_FAILED:
		refuse(sub, PPP_AUTH_UNAVAILABLE, END_NO_RADIUS, NULL,
			"the request could not be sent");
		break;
	}
	sub->request = NULL;
}

static void ask_radius(struct subscriber *sub)
{
	struct radius_attrs *attrs;
	int err;

	if (!sub->all->config.auth) {
		refuse(sub, PPP_AUTH_UNAVAILABLE, END_NO_RADIUS, NULL, "none has an auth-port");
		return;
	}
	attrs = subscriber_identity(sub);
	err = attrs ? add_credentials(attrs, sub->asked) : -ENOMEM;

	if (!err)
		sub->request = radius_send(
			sub->all->config.auth, RADIUS_ACCESS_REQUEST, attrs, 0, radius_done, sub);
	radius_attrs_free(attrs);
	if (err == -EINVAL)
		refuse(sub, PPP_AUTH_REJECT, END_REFUSED, NULL, "malformed response");
	else if (!sub->request)
		refuse(sub, PPP_AUTH_UNAVAILABLE, END_NO_RESOURCE, NULL, "out of memory");
}

/* ---- the question ---- */

/* The name as the client sent it; false for one that no server can know. */
static bool take_name(struct subscriber *sub, const struct ppp_auth_request *request)
{
	if (request->name_len == 0 || request->name_len >= sizeof(sub->user) ||
		memchr(request->name, '\0', request->name_len))
		return false;
	subscriber_set_user(sub, (const char *)request->name, request->name_len);
	return true;
}

static bool is_repeat(const struct subscriber *sub, const struct ppp_auth_request *request)
{
	return sub->asked && sub->asked->request == request->request;
}

void subscriber_authenticate(struct subscriber *sub, const struct ppp_auth_request *request)
{
	if (is_repeat(sub, request)) {
		if (sub->answer->result)
			(void)ppp_channel_reply(sub->channel, sub->answer);
		return;
	}
	subscriber_auth_clear(sub);
	sub->asked = malloc(sizeof(*sub->asked));
	sub->answer = calloc(1, sizeof(*sub->answer));
	if (!sub->asked || !sub->answer) {
		subscriber_auth_clear(sub);
		subscriber_end(sub, END_NO_RESOURCE, "out of memory");
		return;
	}
	memcpy(sub->asked, request, sizeof(*request));
	sub->protocol = request->protocol;
	if (!take_name(sub, request)) {
		refuse(sub, PPP_AUTH_REJECT, END_REFUSED, NULL, "malformed user name");
		return;
	}
	if (sub->all->config.config->has_radius)
		ask_radius(sub);
	else
		ask_users(sub);
}
