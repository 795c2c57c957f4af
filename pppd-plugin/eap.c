/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eap: the authenticator of EAP (RFC 3748), which passes through what client and RADIUS server say to each
 * other (RFC 3579), by way of the engine.
 *
 * pppd has a server of its own, with methods and secrets that nobody wants here. It is kept out: it is never
 * told that the link is up, and so eap_authpeer() only notes that it is pending. This one takes its packets
 * and starts with the authentication phase.
 *
 * One Request is out at a time and is repeated until it is answered; what does not answer it is passed over.
 * Success and Failure are made here, as the decision of RADIUS is in its packet's code and not in the EAP
 * it carries (RFC 3579 section 2.6.3). They are not acknowledged, so nothing here can know that one was lost
 * (RFC 3748 section 4.2); but a client that gives its last answer again has not heard the Success, and is told
 * once more. After a Failure the link is closed, which says the same.
 */
#include "plugin.h"

#include "lns/ppp/eap.h"

#include <errno.h>
#include <sys/random.h>

#define TRIES      10 /* as often as pppd asks with CHAP */
#define WAIT       3  /* seconds, unless RADIUS said how long */
#define ROUNDS_MAX 100

static void (*stock_lowerdown)(int unit);

static struct {
	int waiting;   /* for an answer to the Request in packet */
	int succeeded; /* the answer to it was the last one */
	unsigned int tries, rounds, wait;
	uint8_t packet[PPP_EAP_MAX]; /* the last Request */
	struct ppp_eap
		said; /* what the engine was told last; name and State are for the next time */
} eap;

static void packet_output(const uint8_t *packet, unsigned int len)
{
	unsigned char *p = outpacket_buf;

	*p++ = PPP_ALLSTATIONS;
	*p++ = PPP_UI;
	*p++ = PPP_EAP >> 8;
	*p++ = PPP_EAP & 0xff;
	memcpy(p, packet, len);
	output(0, outpacket_buf, PPP_HDRLEN + len);
}

static void result_output(enum ppp_eap_code code)
{
	const uint8_t packet[PPP_EAP_HEADER_LEN] = { code, eap.packet[1], 0, PPP_EAP_HEADER_LEN };

	packet_output(packet, sizeof(packet));
}

static void conversation_fail(void);

static void request_output(void *arg)
{
	(void)arg;
	if (eap.tries++ == TRIES) {
		lns_session.auth_asked = 0; /* the end is that it did not answer */
		conversation_fail();
		return;
	}
	packet_output(eap.packet, eap.packet[2] << 8 | eap.packet[3]);
	lns_timeout(request_output, eap.wait);
}

/* Asks the client; eap.packet is the Request. */
static void request_send(unsigned int wait)
{
	eap.waiting = 1;
	eap.tries = 0;
	eap.wait = wait ? wait : WAIT;
	request_output(NULL);
}

static void request_done(void)
{
	if (eap.waiting)
		lns_untimeout(request_output);
	eap.waiting = 0;
}

static void conversation_end(void)
{
	request_done();
	explicit_bzero(&eap.said, sizeof(eap.said));
	eap.rounds = 0;
	eap.succeeded = 0;
}

static void conversation_fail(void)
{
	result_output(PPP_EAP_CODE_FAILURE);
	conversation_end();
	auth_peer_fail(0, PPP_EAP);
}

static void conversation_succeed(void)
{
	char name[sizeof(eap.said.name)];
	int len = eap.said.name_len;

	memcpy(name, eap.said.name, len);
	result_output(PPP_EAP_CODE_SUCCESS);
	conversation_end();
	eap.succeeded = 1;
	auth_peer_success(0, PPP_EAP, 0, name, len);
}

static void conversation_begin(void)
{
	uint8_t id = 0;

	(void)!getrandom(&id, sizeof(id), 0);
	conversation_end();
	eap.packet[0] = PPP_EAP_CODE_REQUEST;
	eap.packet[1] = id;
	eap.packet[2] = 0;
	eap.packet[3] = PPP_EAP_HEADER_LEN + 1;
	eap.packet[4] = PPP_EAP_TYPE_IDENTITY;
	request_send(0);
}

/* RADIUS wants to know more. */
static void conversation_go_on(const struct ppp_eap *next)
{
	memcpy(eap.packet, next->packet, next->packet_len);
	memcpy(eap.said.state, next->state, next->state_len);
	eap.said.state_len = next->state_len;
	request_send(next->wait);
}

/* The engine's answer to what the client said. */
static void answer_take(const union ppp_message *answer)
{
	if (answer->head.type == PPP_EAP_REQUEST && eap.rounds++ < ROUNDS_MAX)
		conversation_go_on(&answer->eap);
	else if (answer->head.type == PPP_AUTH_REPLY && lns_auth_take(&answer->auth_reply))
		conversation_succeed();
	else
		conversation_fail();
}

static void response_take(const uint8_t *packet, const struct ppp_eap_packet *response)
{
	union ppp_message answer;
	int err;

	request_done();
	if (response->type == PPP_EAP_TYPE_IDENTITY) {
		eap.said.name_len = response->data_len < sizeof(eap.said.name)
					    ? response->data_len
					    : sizeof(eap.said.name);
		memcpy(eap.said.name, response->data, eap.said.name_len);
	}
	memcpy(eap.said.packet, packet, response->len);
	eap.said.packet_len = response->len;
	lns_session.auth_asked = 1;
	err = lns_channel_ask_eap(&eap.said, &answer);
	explicit_bzero(eap.said.packet, sizeof(eap.said.packet));
	if (err) {
		lns_session.auth_undecided = err != -EINTR;
		conversation_fail();
	} else {
		answer_take(&answer);
	}
	explicit_bzero(&answer, sizeof(answer));
}

static void input(int unit, unsigned char *packet, int len)
{
	struct ppp_eap_packet request, response;

	(void)unit;
	if (!(eap.waiting || eap.succeeded) || ppp_eap_parse(packet, len, &response) ||
		ppp_eap_parse(eap.packet, sizeof(eap.packet), &request) ||
		!ppp_eap_answers(&response, &request))
		return;
	if (eap.waiting)
		response_take(packet, &response);
	else
		result_output(PPP_EAP_CODE_SUCCESS);
}

static void lowerup(int unit)
{
	(void)unit;
}

static void lowerdown(int unit)
{
	conversation_end();
	stock_lowerdown(unit);
}

/* The client does not know EAP after all. */
static void protrej(int unit)
{
	(void)unit;
	if (!eap.waiting)
		return;
	conversation_end();
	auth_peer_fail(0, PPP_EAP);
}

static void phase_changed(void *ctx, int new_phase)
{
	(void)ctx;
	if (new_phase == PHASE_AUTHENTICATE && lcp_gotoptions[0].neg_eap)
		conversation_begin();
}

void lns_eap_init(void)
{
	stock_lowerdown = eap_protent.lowerdown;
	eap_protent.input = input;
	eap_protent.lowerup = lowerup;
	eap_protent.lowerdown = lowerdown;
	eap_protent.protrej = protrej;
	lns_notify(LNS_EVENT_PHASE, phase_changed);
}
