/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ppp_eap: the client's side of EAP (RFC 3748) with two methods: MD5-Challenge, and MS-CHAPv2 as
 * draft-kamath-pppext-eap-mschapv2 has it. Another method is answered with a Nak that names these.
 *
 * It is the authenticator who repeats (RFC 3748 section 4.1), so there is no timer here. A Success may be
 * lost all the same: a network protocol of the LNS says as much (section 4.2).
 */
#include "tests/load/ppp.h"

#include <string.h>

enum { EAP_REQUEST = 1, EAP_RESPONSE, EAP_SUCCESS, EAP_FAILURE };
enum {
	TYPE_IDENTITY = 1,
	TYPE_NOTIFICATION = 2,
	TYPE_NAK = 3,
	TYPE_MD5 = 4,
	TYPE_MSCHAPV2 = 26,
};
enum { MS_CHALLENGE = 1, MS_RESPONSE, MS_SUCCESS, MS_FAILURE };

#define MS_HEADER 4 /* code, identifier, length */

static void transmit(struct ppp *ppp)
{
	ppp_send(ppp, PPP_EAP, EAP_RESPONSE, ppp->authentication.id, ppp->authentication.response,
		ppp->authentication.response_len);
}

static void put_user(struct ppp *ppp, struct wire_writer *out)
{
	wire_put_octets(out, ppp->user, strnlen(ppp->user, PPP_NAME_MAX));
}

/*
 * Each of these writes what follows the type of our Response; false: the Request is broken, or the link has
 * failed. in is what follows the Request's.
 */
static bool answer_md5(struct ppp *ppp, uint8_t id, struct wire_reader *in, struct wire_writer *out)
{
	uint8_t value[MSCHAP_VALUE], len = wire_get_u8(in);
	const uint8_t *challenge = wire_get_octets(in, len);

	if (in->error || !len)
		return false;
	len = (uint8_t)auth_chap_value(ppp, PPP_AUTH_CHAP, id, challenge, len, value);
	wire_put_u8(out, len);
	wire_put_octets(out, value, len);
	put_user(ppp, out);
	ppp->authentication.proved = true; /* this method proves nothing of the LNS */
	return true;
}

static bool answer_ms_challenge(
	struct ppp *ppp, uint8_t ms_id, struct wire_reader *in, struct wire_writer *out)
{
	uint8_t value[MSCHAP_VALUE], len = wire_get_u8(in);
	const uint8_t *challenge = wire_get_octets(in, len);

	if (in->error || !auth_chap_value(ppp, PPP_AUTH_MSCHAPV2, ms_id, challenge, len, value))
		return false;
	wire_put_u8(out, MS_RESPONSE);
	wire_put_u8(out, ms_id);
	wire_put_u16(
		out, (uint16_t)(MS_HEADER + 1 + sizeof(value) + strnlen(ppp->user, PPP_NAME_MAX)));
	wire_put_u8(out, sizeof(value));
	wire_put_octets(out, value, sizeof(value));
	put_user(ppp, out);
	ppp->authentication.proved = false;
	return true;
}

static bool answer_mschapv2(struct ppp *ppp, struct wire_reader *in, struct wire_writer *out)
{
	uint8_t code = wire_get_u8(in), ms_id = wire_get_u8(in);

	wire_get_u16(in);
	if (in->error)
		return false;
	switch (code) {
	case MS_CHALLENGE:
		return answer_ms_challenge(ppp, ms_id, in, out);
	case MS_SUCCESS:
		if (!auth_check_proof(ppp, in->data, in->left))
			return false;
		ppp->authentication.proved = true;
		break;
	case MS_FAILURE:
		break;
	default:
		return false;
	}
	wire_put_u8(out, code);
	return true;
}

static bool answer(struct ppp *ppp, uint8_t id, struct wire_reader *in, struct wire_writer *out)
{
	uint8_t type = wire_get_u8(in);

	if (in->error)
		return false;
	switch (type) {
	case TYPE_IDENTITY:
		wire_put_u8(out, type);
		put_user(ppp, out);
		return true;
	case TYPE_NOTIFICATION:
		wire_put_u8(out, type);
		return true;
	case TYPE_MD5:
		wire_put_u8(out, type);
		return answer_md5(ppp, id, in, out);
	case TYPE_MSCHAPV2:
		wire_put_u8(out, type);
		return answer_mschapv2(ppp, in, out);
	default:
		wire_put_u8(out, TYPE_NAK);
		wire_put_u8(out, TYPE_MD5);
		wire_put_u8(out, TYPE_MSCHAPV2);
		return true;
	}
}

static void receive_request(struct ppp *ppp, uint8_t id, const uint8_t *data, size_t len)
{
	struct wire_reader in;
	struct wire_writer out;

	if (ppp->authentication.answered && ppp->authentication.id == id) {
		ppp->settings->stats->repeated[STATS_AUTH]++;
		ppp->settings->stats->retransmitted[STATS_AUTH]++;
		transmit(ppp);
		return;
	}
	wire_reader_init(&in, data, len);
	wire_writer_init(&out, ppp->authentication.response, sizeof(ppp->authentication.response));
	if (!answer(ppp, id, &in, &out) || out.error)
		return;
	ppp->authentication.response_len = (uint16_t)out.used;
	ppp->authentication.id = id;
	ppp->authentication.answered = true;
	transmit(ppp);
}

static void receive_success(struct ppp *ppp)
{
	if (ppp->authentication.proved)
		ppp_set_phase(ppp, PPP_NETWORK);
	else
		ppp_fail(ppp, "EAP: the LNS is content before we are");
}

void auth_eap_input(struct ppp *ppp, uint8_t code, uint8_t id, const uint8_t *data, size_t len)
{
	if (ppp->auth != PPP_AUTH_EAP)
		return;
	if (code == EAP_REQUEST && ppp->phase >= PPP_AUTHENTICATE) {
		receive_request(ppp, id, data, len);
		return;
	}
	if (ppp->phase != PPP_AUTHENTICATE || !ppp->authentication.answered ||
		id != ppp->authentication.id)
		return;
	if (code == EAP_SUCCESS)
		receive_success(ppp);
	else if (code == EAP_FAILURE)
		ppp_fail(ppp, "EAP refused");
}

void auth_eap_network(struct ppp *ppp)
{
	if (ppp->auth == PPP_AUTH_EAP && ppp->phase == PPP_AUTHENTICATE &&
		ppp->authentication.answered && ppp->authentication.proved)
		ppp_set_phase(ppp, PPP_NETWORK);
}
