/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ppp_auth: the client's side of PAP, CHAP-MD5 and MS-CHAPv2; ppp_eap.c has EAP.
 *
 * PAP requests and CHAP responses are repeated until they are answered: the Success may be lost, and the
 * LNS, which has done its part, does not repeat its challenge (RFC 1994 section 4.2). The LNS of MS-CHAPv2 must prove that it knows the password, too.
 */
#include "tests/load/ppp.h"

#include "lns/log.h"

#include <errno.h>
#include <nettle/md5.h>
#include <string.h>

enum { PAP_REQUEST = 1, PAP_ACK = 2, PAP_NAK = 3 };
enum { CHAP_CHALLENGE = 1, CHAP_RESPONSE = 2, CHAP_SUCCESS = 3, CHAP_FAILURE = 4 };

#define MESSAGE_MAX 64 /* octets of the LNS's words that a reason has room for */

const char *auth_name(unsigned int auth)
{
	switch (auth) {
	case PPP_AUTH_PAP:
		return "PAP";
	case PPP_AUTH_CHAP:
		return "CHAP";
	case PPP_AUTH_MSCHAPV2:
		return "MS-CHAPv2";
	case PPP_AUTH_EAP:
		return "EAP";
	}
	return "no authentication";
}

static void pap_transmit(struct ppp *ppp)
{
	uint8_t data[2 + 2 * PPP_NAME_MAX];
	size_t user_len = strnlen(ppp->user, PPP_NAME_MAX);
	size_t password_len = strnlen(ppp->password, PPP_NAME_MAX);
	struct wire_writer out;

	wire_writer_init(&out, data, sizeof(data));
	wire_put_u8(&out, (uint8_t)user_len);
	wire_put_octets(&out, ppp->user, user_len);
	wire_put_u8(&out, (uint8_t)password_len);
	wire_put_octets(&out, ppp->password, password_len);
	ppp_send(ppp, PPP_PAP, PAP_REQUEST, ppp->authentication.id, data, out.used);
	env_timer_start(ppp->authentication.retry, ppp->settings->retry);
}

static void chap_transmit(struct ppp *ppp)
{
	ppp_send(ppp, PPP_CHAP, CHAP_RESPONSE, ppp->authentication.id, ppp->authentication.response,
		ppp->authentication.response_len);
	if (ppp->phase == PPP_AUTHENTICATE)
		env_timer_start(ppp->authentication.retry, ppp->settings->retry);
}

static void retry_fired(void *ctx)
{
	struct ppp *ppp = ctx;

	if (ppp->authentication.tries++ >= ppp->settings->tries) {
		ppp_fail(ppp, "%s: no answer", auth_name(ppp->auth));
		return;
	}
	ppp->settings->stats->retransmitted[STATS_AUTH]++;
	if (ppp->auth == PPP_AUTH_PAP)
		pap_transmit(ppp);
	else
		chap_transmit(ppp);
}

int auth_init(struct ppp *ppp)
{
	ppp->authentication.retry = env_timer_new(ppp->env, retry_fired, ppp);
	return ppp->authentication.retry ? 0 : -ENOMEM;
}

void auth_fini(struct ppp *ppp)
{
	env_timer_free(ppp->authentication.retry);
	ppp->authentication.retry = NULL;
}

void auth_reset(struct ppp *ppp)
{
	env_timer_stop(ppp->authentication.retry);
	/* A response that the LAC took stays good for what LCP is negotiated again. */
	if (!ppp->proxied_auth || ppp->phase == PPP_DEAD)
		ppp->authentication.answered = false;
	ppp->authentication.proved = false;
}

void auth_start(struct ppp *ppp)
{
	if (!ppp->auth) {
		if (ppp->settings->auth_required && !ppp->proxied_auth)
			ppp_fail(ppp, "the LNS did not ask for authentication");
		else
			ppp_set_phase(ppp, PPP_NETWORK);
		return;
	}
	if (ppp->auth == PPP_AUTH_PAP && !ppp->authentication.answered) {
		ppp->authentication.id++;
		ppp->authentication.tries = 1;
		pap_transmit(ppp);
	}
}

/* The LNS's words without what differs each time: of MS-CHAPv2 (RFC 2759 section 6) only E=. */
static void refused(struct ppp *ppp, const uint8_t *text, size_t len)
{
	char printable[4 * MESSAGE_MAX + 1];
	const uint8_t *blank = memchr(text, ' ', len);

	if (ppp->auth == PPP_AUTH_MSCHAPV2 && blank)
		len = (size_t)(blank - text);

	log_printable(printable, sizeof(printable), text, len < MESSAGE_MAX ? len : MESSAGE_MAX);
	ppp_fail(ppp, "%s refused%s%.80s", auth_name(ppp->auth), *printable ? ": " : "", printable);
}

void auth_pap_input(struct ppp *ppp, uint8_t code, uint8_t id, const uint8_t *data, size_t len)
{
	size_t text_len = len ? data[0] : 0;

	if (ppp->phase != PPP_AUTHENTICATE || id != ppp->authentication.id)
		return;
	if (text_len > len - (len > 0))
		text_len = len - (len > 0);
	if (code == PAP_ACK)
		ppp_set_phase(ppp, PPP_NETWORK);
	else if (code == PAP_NAK)
		refused(ppp, data + (len > 0), text_len);
}

size_t auth_chap_value(struct ppp *ppp, unsigned int auth, uint8_t id, const uint8_t *challenge,
	size_t len, uint8_t ret[MSCHAP_VALUE])
{
	uint8_t peer_challenge[MSCHAP_CHALLENGE], nt_response[MSCHAP_NT_RESPONSE];
	struct md5_ctx md5;

	if (auth != PPP_AUTH_MSCHAPV2) {
		md5_init(&md5);
		md5_update(&md5, 1, &id);
		md5_update(&md5, strlen(ppp->password), (const uint8_t *)ppp->password);
		md5_update(&md5, len, challenge);
		md5_digest(&md5, MD5_DIGEST_SIZE, ret);
		return MD5_DIGEST_SIZE;
	}
	if (len != MSCHAP_CHALLENGE)
		return 0;
	rng_fill(ppp->rng, peer_challenge, sizeof(peer_challenge));
	mschap_nt_response(challenge, peer_challenge, ppp->user, ppp->password, nt_response);
	mschap_proof(ppp->password, nt_response, peer_challenge, challenge, ppp->user,
		ppp->authentication.proof);
	mschap_value(peer_challenge, nt_response, ret);
	return MSCHAP_VALUE;
}

/* data: the value's length, the value, the LNS's name. */
static void receive_challenge(struct ppp *ppp, uint8_t id, const uint8_t *data, size_t len)
{
	uint8_t value[MSCHAP_VALUE];
	struct wire_writer out;
	size_t value_len;

	if (len < 1 || data[0] == 0 || data[0] > len - 1)
		return;
	if (ppp->authentication.answered && ppp->authentication.id == id &&
		ppp->authentication.response_len) {
		ppp->settings->stats->repeated[STATS_AUTH]++;
		ppp->settings->stats->retransmitted[STATS_AUTH]++;
	} else {
		value_len = auth_chap_value(ppp, ppp->auth, id, data + 1, data[0], value);
		if (!value_len) {
			ppp_fail(
				ppp, "%s: a challenge of %u octets", auth_name(ppp->auth), data[0]);
			return;
		}
		wire_writer_init(
			&out, ppp->authentication.response, sizeof(ppp->authentication.response));
		wire_put_u8(&out, (uint8_t)value_len);
		wire_put_octets(&out, value, value_len);
		wire_put_octets(&out, ppp->user, strnlen(ppp->user, PPP_NAME_MAX));
		ppp->authentication.response_len = (uint16_t)out.used;
		ppp->authentication.id = id;
		ppp->authentication.tries = 1;
		ppp->authentication.answered = true;
	}
	chap_transmit(ppp);
}

bool auth_check_proof(struct ppp *ppp, const uint8_t *data, size_t len)
{
	if (len >= MSCHAP_PROOF && memcmp(data, ppp->authentication.proof, MSCHAP_PROOF) == 0)
		return true;
	ppp_fail(ppp, "MS-CHAPv2: the LNS does not prove that it knows the password");
	return false;
}

static void receive_success(struct ppp *ppp, const uint8_t *data, size_t len)
{
	if (ppp->auth != PPP_AUTH_MSCHAPV2 || auth_check_proof(ppp, data, len))
		ppp_set_phase(ppp, PPP_NETWORK);
}

void auth_chap_input(struct ppp *ppp, uint8_t code, uint8_t id, const uint8_t *data, size_t len)
{
	if (ppp->auth != PPP_AUTH_CHAP && ppp->auth != PPP_AUTH_MSCHAPV2)
		return;
	if (code == CHAP_CHALLENGE && ppp->phase >= PPP_AUTHENTICATE) {
		receive_challenge(ppp, id, data, len);
		return;
	}
	if (!ppp->authentication.answered || id != ppp->authentication.id)
		return;
	if (code == CHAP_FAILURE)
		refused(ppp, data, len);
	else if (code == CHAP_SUCCESS && ppp->phase == PPP_AUTHENTICATE)
		receive_success(ppp, data, len);
}
