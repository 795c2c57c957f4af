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
#include "lns/subscriber/attributes.h"
#include "lns/subscriber/limit.h"
#include "lns/subscriber/users.h"
#include "radius/attr_codes.h"
#include "radius/digest.h"
#include "radius/mschap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSED_DEADLINE ENV_SEC(5) /* for pppd to tell the client and go */
#define MPPE_KEY_LEN     16
#define EAP_KEY_LEN      32 /* a half of the MSK, RFC 5216 section 2.3; MPPE takes its beginning */
#define MPPE_40_BIT      2  /* MS-MPPE-Encryption-Types, RFC 2548 section 2.4.5 */
#define MPPE_128_BIT     4
#define MPPE_REQUIRED    2 /* MS-MPPE-Encryption-Policy */

static void wipe_free(void *data, size_t size)
{
	if (!data)
		return;
	explicit_bzero(data, size);
	free(data);
}

/* The question is answered: what the client proved itself with is needed no more. */
static void forget_question(struct subscriber *sub)
{
	wipe_free(sub->asked, sizeof(*sub->asked));
	sub->asked = NULL;
}

void subscriber_auth_clear(struct subscriber *sub)
{
	radius_cancel(sub->request);
	sub->request = NULL;
	subscriber_stop_waiting(sub);
	if (!sub->changing) /* otherwise RADIUS waits for it, not the client */
		subscriber_limit_cancel(sub);
	forget_question(sub);
	wipe_free(sub->answer, sizeof(*sub->answer));
	sub->answer = NULL;
	wipe_free(sub->challenge, sizeof(*sub->challenge));
	sub->challenge = NULL;
}

/* ---- the answer ---- */

static void answer(struct subscriber *sub, enum ppp_auth_result result, const char *message)
{
	struct ppp_auth_reply *reply = sub->answer;

	reply->request = sub->question;
	reply->result = (uint16_t)result;
	if (reply->message_len == 0 && message) {
		reply->message_len = (uint16_t)strnlen(message, 255);
		memcpy(reply->message, message, reply->message_len);
	}
	forget_question(sub);
	/* When pppd is gone, its exit says so. */
	if (sub->channel && ppp_channel_reply(sub->channel, reply) == -EINVAL)
		subscriber_log(sub, LOG_LEVEL_ERROR, "bug: the answer to pppd breaks the protocol");
}

void subscriber_refuse(struct subscriber *sub, enum ppp_auth_result result, enum end_reason verdict,
	const char *message, const char *detail)
{
	sub->verdict = verdict;
	snprintf(sub->detail, sizeof(sub->detail), "%.*s", (int)sizeof(sub->detail) - 1, detail);
	answer(sub, result, message);
	/* pppd tells the client, and goes. */
	env_timer_start(sub->timer, REFUSED_DEADLINE);
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

static void accept_limited(struct subscriber *sub, const char *problem)
{
	const struct config_ppp *ppp = subscriber_ppp(sub);

	if (problem && ppp && ppp->rate_failure_rejects) {
		subscriber_refuse(sub, PPP_AUTH_UNAVAILABLE, END_NO_RESOURCE, NULL, problem);
		return;
	}
	if (problem)
		subscriber_log(sub, LOG_LEVEL_ERROR, "user \"%s\" goes on without these limits: %s",
			sub->user_text, problem);
	fill_answer(sub->answer, sub->granted);
	answer(sub, PPP_AUTH_ACCEPT, sub->granted->message);
	subscriber_authorised(sub);
}

void subscriber_accept(struct subscriber *sub)
{
	int err;

	subscriber_change_abort(sub, -EBUSY);
	err = subscriber_limit(sub, &sub->granted->limits, accept_limited);
	if (err > 0)
		accept_limited(sub, NULL);
	else if (err < 0)
		accept_limited(sub, err == -ENOMEM ? "rate limit: out of memory"
						   : "rate limit: pppd has not told its interface");
}

static struct authorization *defaults(struct subscriber *sub)
{
	const struct config_ppp *ppp = subscriber_ppp(sub);
	const struct config *config = sub->all->config.config;
	struct authorization *grant;

	if (!ppp || authorization_new(ppp, config->radius.interim, &grant) < 0) {
		subscriber_refuse(sub, PPP_AUTH_UNAVAILABLE, END_NO_RESOURCE, NULL,
			ppp ? "out of memory" : "its ppp section was removed");
		return NULL;
	}
	return grant;
}

/* ---- the users file ---- */

static bool mschap_matches(struct subscriber *sub, const struct config_user *user)
{
	const struct ppp_auth_request *asked = sub->asked;
	struct ppp_auth_reply *reply = sub->answer;
	struct mschap_proof proof = { 0 };
	bool matches;

	if (asked->challenge_len != MSCHAP_CHALLENGE_LEN ||
		asked->response_len != MSCHAP_RESPONSE_LEN)
		return false;
	matches = mschap_v2_check(asked->name, asked->name_len, user->secret.data, user->secret.len,
			  asked->challenge, asked->response, &proof) == 0;
	if (matches) {
		reply->message_len = MSCHAP_SUCCESS_LEN;
		memcpy(reply->message, proof.success, MSCHAP_SUCCESS_LEN);
		memcpy(reply->mppe_send_key, proof.send_key, MPPE_KEY_LEN);
		memcpy(reply->mppe_recv_key, proof.recv_key, MPPE_KEY_LEN);
		reply->mppe_types = MPPE_128_BIT;
		reply->flags |= PPP_AUTH_MPPE_ALLOWED;
	}
	explicit_bzero(&proof, sizeof(proof));
	return matches;
}

static bool secret_matches(struct subscriber *sub, const struct config_user *user)
{
	const struct ppp_auth_request *asked = sub->asked;
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
	case PPP_AUTH_MSCHAP_V2:
		return mschap_matches(sub, user);
	default:
		return false;
	}
}

static void ask_users(struct subscriber *sub)
{
	const struct config_user *user = users_find(sub->all->config.users, sub->user);
	struct authorization *grant;

	if (!user || !secret_matches(sub, user)) {
		subscriber_refuse(sub, PPP_AUTH_REJECT, END_REFUSED, NULL,
			user ? "wrong password" : "not in the users file");
		return;
	}
	grant = defaults(sub);
	if (!grant)
		return;
	authorization_apply_user(grant, user);
	subscriber_grant(sub, grant);
}

/* ---- RADIUS ---- */

static int add_credentials(struct radius_attrs *attrs, const struct ppp_auth_request *asked)
{
	uint8_t value[256];
	int err;

	switch (asked->protocol) {
	case PPP_AUTH_PAP:
		if (asked->response_len > RADIUS_PASSWORD_MAX)
			return -EMSGSIZE;
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
		if (asked->response_len != MSCHAP_RESPONSE_LEN)
			return -EINVAL;
		value[0] = asked->chap_id;
		value[1] = 0;
		memcpy(value + 2, asked->response, MSCHAP_RESPONSE_LEN - 1);
		err = radius_add_octets(
			attrs, RADIUS_MS_CHAP2_RESPONSE, value, MSCHAP_RESPONSE_LEN + 1);
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
static bool take_mschap_text(
	struct subscriber *sub, const struct radius_attrs *reply_attrs, radius_code code)
{
	const uint8_t *data;
	size_t len;

	if (!radius_get_octets(reply_attrs, code, 0, &data, &len) || len < 2)
		return false;
	sub->answer->message_len = (uint16_t)(len - 1);
	memcpy(sub->answer->message, data + 1, len - 1);
	return true;
}

static bool take_mppe_key(struct radius_request *request, const struct radius_attrs *reply_attrs,
	radius_code code, uint8_t out[MPPE_KEY_LEN])
{
	uint8_t key[64];
	const uint8_t *data;
	size_t len;
	bool good = false;

	if (radius_get_octets(reply_attrs, code, 0, &data, &len)) {
		int key_len = radius_reply_decrypt(request, data, len, key, sizeof(key));

		good = key_len == MPPE_KEY_LEN || key_len == EAP_KEY_LEN;
	}
	if (good)
		memcpy(out, key, MPPE_KEY_LEN);
	explicit_bzero(key, sizeof(key));
	return good;
}

/* MS-MPPE keys, RFC 2548 section 2.4: both or none. False: required, and not to be had. */
static bool take_mppe_keys(struct subscriber *sub, struct radius_request *request,
	const struct radius_attrs *reply_attrs)
{
	struct ppp_auth_reply *reply = sub->answer;
	uint32_t policy = 0, types = MPPE_40_BIT | MPPE_128_BIT;

	radius_get_u32(reply_attrs, RADIUS_MS_MPPE_ENCRYPTION_POLICY, &policy);
	radius_get_u32(reply_attrs, RADIUS_MS_MPPE_ENCRYPTION_TYPES, &types);
	types &= MPPE_40_BIT | MPPE_128_BIT;
	if (!types ||
		!take_mppe_key(
			request, reply_attrs, RADIUS_MS_MPPE_SEND_KEY, reply->mppe_send_key) ||
		!take_mppe_key(
			request, reply_attrs, RADIUS_MS_MPPE_RECV_KEY, reply->mppe_recv_key)) {
		explicit_bzero(reply->mppe_send_key, sizeof(reply->mppe_send_key));
		return policy != MPPE_REQUIRED;
	}
	reply->mppe_types = (uint16_t)types;
	reply->flags |= PPP_AUTH_MPPE_ALLOWED;
	reply->flags |= policy == MPPE_REQUIRED ? PPP_AUTH_MPPE_REQUIRED : 0;
	return true;
}

/* Whether its method makes keys, or may make them: EAP's is not known. */
static bool has_keys(const struct subscriber *sub)
{
	return sub->protocol == PPP_AUTH_MSCHAP_V2 || sub->protocol == PPP_AUTH_EAP;
}

/* What cannot be obeyed is said; false when it refuses the subscriber. */
static bool is_obeyed(struct subscriber *sub, const char *ignored)
{
	char detail[540];

	if (!ignored[0])
		return true;
	snprintf(detail, sizeof(detail), "not obeyed: %s", ignored);
	if (sub->all->config.config->radius.unsupported_rejects) {
		subscriber_refuse(sub, PPP_AUTH_UNAVAILABLE, END_BAD_PROFILE, NULL, detail);
		return false;
	}
	subscriber_log(sub, LOG_LEVEL_WARNING, "user \"%s\": attributes of the Access-Accept %s",
		sub->user_text, detail);
	return true;
}

static void radius_accepts(struct subscriber *sub, struct radius_request *request,
	const struct radius_attrs *reply_attrs)
{
	struct authorization *grant = defaults(sub);
	char why[128], ignored[512];
	int err;

	if (!grant)
		return;
	err = authorization_apply_reply(
		grant, reply_attrs, why, sizeof(why), ignored, sizeof(ignored));
	if (err < 0)
		subscriber_refuse(sub, PPP_AUTH_UNAVAILABLE,
			err == -EINVAL ? END_BAD_PROFILE : END_NO_RESOURCE, NULL,
			err == -EINVAL ? why : "out of memory");
	else if (sub->protocol == PPP_AUTH_MSCHAP_V2 &&
		 !take_mschap_text(sub, reply_attrs, RADIUS_MS_CHAP2_SUCCESS))
		subscriber_refuse(sub, PPP_AUTH_UNAVAILABLE, END_BAD_PROFILE, NULL,
			"MS-CHAP2-Success is missing");
	else if (has_keys(sub) && !take_mppe_keys(sub, request, reply_attrs))
		subscriber_refuse(sub, PPP_AUTH_UNAVAILABLE, END_BAD_PROFILE, NULL,
			"encryption is required, and its keys are missing");
	else if (is_obeyed(sub, ignored)) {
		subscriber_grant(sub, grant);
		return;
	}
	authorization_free(grant);
}

static void radius_rejects(struct subscriber *sub, const struct radius_attrs *reply_attrs)
{
	char message[256] = "", text[128], detail[256];

	if (sub->protocol == PPP_AUTH_MSCHAP_V2)
		take_mschap_text(sub, reply_attrs, RADIUS_MS_CHAP_ERROR);
	radius_get_string(reply_attrs, RADIUS_REPLY_MESSAGE, message, sizeof(message));
	log_printable(text, sizeof(text), message, strlen(message));
	snprintf(detail, sizeof(detail), "by RADIUS server %s%s%s", sub->server, *text ? ": " : "",
		text);
	subscriber_refuse(sub, PPP_AUTH_REJECT, END_REFUSED, message[0] ? message : NULL, detail);
}

/* RADIUS wants to hear more: in EAP the client is asked, and pppd comes back with what it says. */
static void radius_challenges(struct subscriber *sub, const struct radius_attrs *reply_attrs)
{
	const char *why = NULL;
	int err;

	if (sub->protocol != PPP_AUTH_EAP) {
		subscriber_refuse(sub, PPP_AUTH_REJECT, END_REFUSED, NULL,
			"RADIUS sent an Access-Challenge, which PAP and CHAP cannot carry");
		return;
	}
	err = subscriber_eap_challenge(reply_attrs, &sub->challenge, &why);
	if (err == -ENOMEM) {
		subscriber_refuse(
			sub, PPP_AUTH_UNAVAILABLE, END_NO_RESOURCE, NULL, "out of memory");
	} else if (err < 0) {
		subscriber_refuse(sub, PPP_AUTH_UNAVAILABLE, END_BAD_PROFILE, NULL, why);
	} else {
		sub->challenge->request = sub->question;
		if (sub->channel && ppp_channel_ask(sub->channel, sub->challenge) == -EINVAL)
			subscriber_log(sub, LOG_LEVEL_ERROR,
				"bug: the question to pppd breaks the protocol");
	}
}

static void radius_done(void *ctx, enum radius_outcome outcome, unsigned int code,
	const struct radius_attrs *reply_attrs, const char *server)
{
	struct subscriber *sub = ctx;
	struct radius_request *request = sub->request;
	char detail[160];

	sub->request = NULL; /* it is gone after this */
	snprintf(sub->server, sizeof(sub->server), "%s", server ? server : "");
	switch (outcome) {
	case RADIUS_ANSWERED:
		if (code == RADIUS_ACCESS_ACCEPT)
			radius_accepts(sub, request, reply_attrs);
		else if (code == RADIUS_ACCESS_REJECT)
			radius_rejects(sub, reply_attrs);
		else
			radius_challenges(sub, reply_attrs);
		break;
	case RADIUS_TIMEOUT:
		snprintf(detail, sizeof(detail),
			"last tried %s: does it run, is it reachable, does it know this client and its secret?",
			sub->server);
		subscriber_refuse(sub, PPP_AUTH_UNAVAILABLE, END_NO_RADIUS, NULL, detail);
		break;
	case RADIUS_FORGED:
		snprintf(detail, sizeof(detail),
			"from %s: does the shared secret agree on both sides?", sub->server);
		subscriber_refuse(sub, PPP_AUTH_UNAVAILABLE, END_BAD_SECRET, NULL, detail);
		break;
	case RADIUS_FAILED:
		subscriber_refuse(sub, PPP_AUTH_UNAVAILABLE, END_NO_RADIUS, NULL,
			"the request could not be sent");
		break;
	}
}

/* response: of EAP, otherwise NULL and the question is in sub->asked. */
static void ask_radius(struct subscriber *sub, const struct ppp_eap *response)
{
	struct radius_attrs *attrs;
	int err;

	if (!sub->all->config.auth) {
		subscriber_refuse(
			sub, PPP_AUTH_UNAVAILABLE, END_NO_RADIUS, NULL, "none has an auth-port");
		return;
	}
	attrs = radius_attrs_new();
	err = attrs ? attributes_add(sub, ATTRIBUTE_REQUEST, attrs) : -ENOMEM;
	if (!err)
		err = response ? subscriber_eap_add(attrs, response)
			       : add_credentials(attrs, sub->asked);
	if (!err)
		sub->request = radius_send_to(sub->all->config.auth,
			response && response->state_len ? sub->server : "", RADIUS_ACCESS_REQUEST,
			attrs, radius_done, sub);
	radius_attrs_free(attrs);
	if (err == -EINVAL || err == -EMSGSIZE)
		subscriber_refuse(sub, PPP_AUTH_REJECT, END_REFUSED, NULL, "malformed response");
	else if (!sub->request)
		subscriber_refuse(
			sub, PPP_AUTH_UNAVAILABLE, END_NO_RESOURCE, NULL, "out of memory");
}

/* ---- the question ---- */

/* The name as the client sent it; false for one that no server can know. */
static bool take_name(struct subscriber *sub, const uint8_t *name, size_t len)
{
	if (len == 0 || len >= sizeof(sub->user) || memchr(name, '\0', len))
		return false;
	subscriber_set_user(sub, (const char *)name, len);
	return true;
}

/* The client may try again: what was said before does not count, and time goes on as it did. */
static void forget_verdict(struct subscriber *sub)
{
	uint64_t now = env_now(sub->all->host.env);

	if (sub->verdict == END_NONE)
		return;
	sub->verdict = END_NONE;
	sub->detail[0] = '\0';
	if (sub->state != SUBSCRIBER_UP)
		env_timer_start(sub->timer, sub->setup_by > now ? sub->setup_by - now : 0);
}

/* What was asked before is over. False: a repeat, which gets its answer when there is one, or the end. */
static bool question_begin(struct subscriber *sub, uint32_t number, uint16_t protocol)
{
	if (number == sub->question) {
		if (sub->challenge && sub->channel)
			(void)ppp_channel_ask(sub->channel, sub->challenge);
		else if (sub->answer && sub->answer->result && sub->channel)
			(void)ppp_channel_reply(sub->channel, sub->answer);
		return false;
	}
	subscriber_auth_clear(sub);
	sub->answer = calloc(1, sizeof(*sub->answer));
	if (protocol != PPP_AUTH_EAP)
		sub->asked = malloc(sizeof(*sub->asked));
	if (!sub->answer || (protocol != PPP_AUTH_EAP && !sub->asked)) {
		subscriber_auth_clear(sub);
		subscriber_end(sub, END_NO_RESOURCE, "out of memory");
		return false;
	}
	forget_verdict(sub);
	sub->question = number;
	sub->protocol = protocol;
	return true;
}

void subscriber_authenticate(struct subscriber *sub, const struct ppp_auth_request *request)
{
	if (!question_begin(sub, request->request, request->protocol))
		return;
	memcpy(sub->asked, request, sizeof(*request));
	if (!take_name(sub, request->name, request->name_len))
		subscriber_refuse(sub, PPP_AUTH_REJECT, END_REFUSED, NULL, "malformed user name");
	else if (sub->all->config.config->has_radius)
		ask_radius(sub, NULL);
	else
		ask_users(sub);
}

void subscriber_authenticate_eap(struct subscriber *sub, const struct ppp_eap *response)
{
	if (!question_begin(sub, response->request, PPP_AUTH_EAP))
		return;
	if (!take_name(sub, response->name, response->name_len))
		subscriber_refuse(sub, PPP_AUTH_REJECT, END_REFUSED, NULL, "malformed user name");
	else if (sub->all->config.config->has_radius)
		ask_radius(sub, response);
	else
		subscriber_refuse(sub, PPP_AUTH_UNAVAILABLE, END_NO_RADIUS, NULL,
			"EAP needs RADIUS, and the radius section was removed");
}

uint16_t subscriber_auth_number(const struct subscriber *sub)
{
	static const uint16_t numbers[] = {
		[PPP_AUTH_PAP] = 0xc023,
		[PPP_AUTH_CHAP_MD5] = 0xc223,
		[PPP_AUTH_MSCHAP_V2] = 0xc223,
		[PPP_AUTH_EAP] = 0xc227,
	};
	const struct config_ppp *ppp = subscriber_ppp(sub);
	unsigned int protocol = sub->protocol;

	if (!protocol && ppp && ppp->auth & CONFIG_AUTH_EAP)
		protocol = PPP_AUTH_EAP;
	else if (!protocol)
		protocol = ppp && ppp->auth == CONFIG_AUTH_PAP ? PPP_AUTH_PAP : PPP_AUTH_CHAP_MD5;
	return protocol < sizeof(numbers) / sizeof(numbers[0]) ? numbers[protocol] : 0;
}
