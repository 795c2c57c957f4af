/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auth: PAP (RFC 1334), CHAP with MD5 (RFC 1994) and MS-CHAPv2 (RFC 2759): asks the engine.
 *
 * pppd hands names and passwords to its hooks with every unusual octet rewritten; so the packets are
 * looked at before pppd gets them, and the engine sees the client's own octets. Those copies are wiped
 * when pppd is done with the packet.
 */
#include "plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define TEXT_SIZE 256 /* what pppd has for a CHAP message, and PAP's greatest length + 1 */

/* The octets of the packet that pppd is working on. */
static struct {
	uint16_t name_len, password_len;
	uint8_t name[256], password[256];
} raw;

static void (*pap_stock_input)(int unit, unsigned char *packet, int len);
static void (*chap_stock_input)(int unit, unsigned char *packet, int len);

int lns_auth_allows(unsigned int protocol)
{
	const lcp_options *want = &lcp_wantoptions[0];

	switch (protocol) {
	case PPP_AUTH_PAP:
		return want->neg_upap;
	case PPP_AUTH_CHAP_MD5:
		return want->neg_chap && (want->chap_mdtype & MDTYPE_MD5);
	case PPP_AUTH_MSCHAP_V2:
		return want->neg_chap && (want->chap_mdtype & MDTYPE_MICROSOFT_V2);
	}
	return 0;
}

/* An MS-CHAPv2 failure without the fields a client expects gets them (RFC 2759 section 6). */
static void failure_format(char *text, size_t size, const char *reason)
{
	uint8_t challenge[16];
	char hex[2 * sizeof(challenge) + 1];

	if (getrandom(challenge, sizeof(challenge), 0) != sizeof(challenge))
		memset(challenge, 0, sizeof(challenge));
	for (size_t i = 0; i < sizeof(challenge); i++)
		snprintf(hex + 2 * i, 3, "%02X", challenge[i]);
	snprintf(text, size, "E=691 R=0 C=%s V=3 M=%s", hex, *reason ? reason : "Access denied");
}

static int success_ok(const char *text)
{
	return strncmp(text, "S=", 2) == 0 && strspn(text + 2, "0123456789ABCDEFabcdef") == 40;
}

int lns_auth_take(const struct ppp_auth_reply *reply)
{
	lns_session.auth_undecided = reply->result == PPP_AUTH_UNAVAILABLE;
	if (reply->result != PPP_AUTH_ACCEPT)
		return 0;
	lns_ncp_grant(reply);
	lns_session.authenticated = 1;
	return 1;
}

int lns_auth_decide(struct ppp_auth_request *request, char *text, size_t size)
{
	struct ppp_auth_reply reply;
	int ms = request->protocol == PPP_AUTH_MSCHAP_V2;
	int accepted = 0;
	int err;

	lns_session.auth_asked = 1;
	err = lns_channel_ask(request, &reply);
	explicit_bzero(request->response, sizeof(request->response));
	text[0] = '\0';
	if (err) {
		lns_session.auth_undecided = err != -EINTR;
	} else {
		snprintf(text, size, "%.*s", (int)reply.message_len, (const char *)reply.message);
		if (reply.result == PPP_AUTH_ACCEPT && ms && !success_ok(text))
			reply.result = PPP_AUTH_REJECT;
		accepted = lns_auth_take(&reply);
	}
	if (!accepted && ms && strncmp(text, "E=", 2) != 0) {
		char reason[128];

		snprintf(reason, sizeof(reason), "%.*s", (int)sizeof(reason) - 1,
			success_ok(text) ? "" : text);
		failure_format(text, size, reason);
	}
	explicit_bzero(&reply, sizeof(reply));
	return accepted;
}

static int pap_auth(char *pap_user, char *password, char **text_ret, struct wordlist **addrs,
	struct wordlist **options)
{
	static char text[TEXT_SIZE];
	struct ppp_auth_request request = {
		.protocol = PPP_AUTH_PAP, .name_len = raw.name_len, .response_len = raw.password_len
	};

	(void)pap_user, (void)password, (void)addrs, (void)options;
	*text_ret = text;
	memcpy(request.name, raw.name, raw.name_len);
	memcpy(request.response, raw.password, raw.password_len);
	return lns_auth_decide(&request, text, sizeof(text));
}

static int chap_verify(char *name, char *own_name, int id, struct chap_digest_type *digest,
	unsigned char *challenge, unsigned char *response, char *message, int size)
{
	struct ppp_auth_request request = { .chap_id = id,
		.name_len = raw.name_len,
		.challenge_len = challenge[0],
		.response_len = response[0] };
	int expected = PPP_CHAP_MD5_LEN;

	(void)name, (void)own_name;
	request.protocol = PPP_AUTH_CHAP_MD5;
	if (digest->code == CHAP_MICROSOFT_V2) {
		request.protocol = PPP_AUTH_MSCHAP_V2;
		expected = PPP_MSCHAP_V2_LEN;
	} else if (digest->code != CHAP_MD5) {
		return 0;
	}
	message[0] = '\0';
	if (response[0] != expected)
		return 0;
	memcpy(request.name, raw.name, raw.name_len);
	memcpy(request.challenge, challenge + 1, challenge[0]);
	memcpy(request.response, response + 1, response[0]);
	return lns_auth_decide(&request, message, size);
}

/* Splits a packet's data into a counted field and what follows it. 0, or -EBADMSG. */
static int field_take(
	const unsigned char **data, int *len, const unsigned char **field, int *field_len)
{
	if (*len < 1 || **data > *len - 1)
		return -EBADMSG;
	*field = *data + 1;
	*field_len = **data;
	*data += 1 + *field_len;
	*len -= 1 + *field_len;
	return 0;
}

/* The data of a packet of PAP or CHAP with the given code; NULL when it is another or broken. */
static const unsigned char *packet_data(
	const unsigned char *packet, int len, int code, int *ret_len)
{
	int claimed;

	if (len < HEADERLEN || packet[0] != code)
		return NULL;
	claimed = packet[2] << 8 | packet[3];
	if (claimed < HEADERLEN || claimed > len)
		return NULL;
	*ret_len = claimed - HEADERLEN;
	return packet + HEADERLEN;
}

static void pap_input(int unit, unsigned char *packet, int len)
{
	const unsigned char *name, *password;
	int data_len = 0, name_len, password_len;
	const unsigned char *data = packet_data(packet, len, UPAP_AUTHREQ, &data_len);

	if (lns_proxy_repeated(PPP_PAP, packet, len))
		return;
	if (data && !field_take(&data, &data_len, &name, &name_len) &&
		!field_take(&data, &data_len, &password, &password_len)) {
		raw.name_len = name_len;
		raw.password_len = password_len;
		memcpy(raw.name, name, name_len);
		memcpy(raw.password, password, password_len);
	}
	pap_stock_input(unit, packet, len);
	explicit_bzero(&raw, sizeof(raw));
}

static void chap_input(int unit, unsigned char *packet, int len)
{
	const unsigned char *response;
	int data_len = 0, response_len;
	const unsigned char *data = packet_data(packet, len, CHAP_RESPONSE, &data_len);

	if (lns_proxy_repeated(PPP_CHAP, packet, len))
		return;
	if (data && !field_take(&data, &data_len, &response, &response_len)) {
		raw.name_len = data_len < (int)sizeof(raw.name) ? data_len : (int)sizeof(raw.name);
		memcpy(raw.name, data, raw.name_len);
	}
	chap_stock_input(unit, packet, len);
	explicit_bzero(&raw, sizeof(raw));
}

static int yes(void)
{
	return 1;
}

static int no_password(char *own_user, char *password)
{
	(void)own_user, (void)password;
	return 0;
}

void lns_auth_init(void)
{
	pap_check_hook = yes;
	pap_auth_hook = pap_auth;
	pap_passwd_hook = no_password;
	chap_check_hook = yes;
	chap_verify_hook = chap_verify;
	pap_stock_input = pap_protent.input;
	pap_protent.input = pap_input;
	chap_stock_input = chap_protent.input;
	chap_protent.input = chap_input;
}
