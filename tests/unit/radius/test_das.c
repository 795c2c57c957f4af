/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dynamic authorization server: what it believes, what it hands on, what it answers, and what it
 * leaves unanswered. Requests and expected replies are made here, octet by octet, with cryptography of
 * the test's own.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "radius/attr_codes.h"
#include "radius/das.h"
#include "radius/das_cache.h"
#include "tests/unit/radius/host_fake.h"

#define SECRET "testing123"
#define NOW    1700000000 /* wall clock of the fake host, seconds */

static struct fake_host fake;
static struct radius_das *das;
static struct sockaddr_storage client, local;

/* What the owner was told last, and what it answers. */
static struct {
	unsigned int calls, answer;
	struct radius_das_request request;
	unsigned int classes;
	char class[64];  /* all of them, a comma behind each */
	char rates[256]; /* "NAME:octets ", in hexadecimal */
} owner;

static bool note_rate(
	void *ctx, radius_code code, const char *name, const uint8_t *data, size_t len)
{
	size_t used = strlen(owner.rates);

	(void)ctx, (void)code;
	used += (size_t)snprintf(owner.rates + used, sizeof(owner.rates) - used, "%s:", name);
	for (size_t i = 0; i < len; i++)
		used += (size_t)snprintf(
			owner.rates + used, sizeof(owner.rates) - used, "%02x", data[i]);
	snprintf(owner.rates + used, sizeof(owner.rates) - used, " ");
	return true;
}

static bool note_class(
	void *ctx, radius_code code, const char *name, const uint8_t *data, size_t len)
{
	size_t used = strlen(owner.class);

	(void)ctx, (void)name;
	cr_assert_eq(code, RADIUS_CLASS);
	owner.classes++;
	snprintf(owner.class + used, sizeof(owner.class) - used, "%.*s,", (int)len,
		(const char *)data);
	return true;
}

static unsigned int handle(void *ctx, const struct radius_das_request *request)
{
	cr_assert_eq(ctx, &owner);
	owner.calls++;
	owner.request = *request;
	owner.classes = 0;
	owner.class[0] = owner.rates[0] = '\0';
	radius_attrs_each(request->classes, note_class, NULL);
	radius_attrs_each(request->rates, note_rate, NULL);
	return owner.answer;
}

static struct sockaddr_storage addr_of(const char *text, uint16_t port)
{
	struct sockaddr_storage addr = { 0 };
	struct sockaddr_in *in4 = (void *)&addr;
	struct sockaddr_in6 *in6 = (void *)&addr;

	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(port);
	} else {
		cr_assert_eq(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
	}
	return addr;
}

static struct radius_das_client_config client_config(const char *text, const char *secret)
{
	struct radius_das_client_config config = { .addr = addr_of(text, 0),
		.secret_len = strlen(secret) };

	memcpy(config.secret, secret, config.secret_len);
	return config;
}

static void setup(void)
{
	const struct radius_das_client_config clients[] = {
		client_config("192.0.2.10", SECRET),
		client_config("192.0.2.11", "other secret"),
		client_config("2001:db8::10", SECRET),
	};
	const struct radius_das_config config = { .clients = clients, .client_count = 3 };

	fake_host_init(&fake);
	memset(&owner, 0, sizeof(owner));
	client = addr_of("192.0.2.10", 40000);
	local = addr_of("192.0.2.1", 3799);
	cr_assert_eq(radius_das_new(&fake.host, handle, &owner, &das), 0);
	cr_assert_eq(radius_das_configure(das, &config, NULL), 0);
}

static void teardown(void)
{
	radius_das_free(das);
	cr_expect_eq(fake.io_count, 0);
	cr_expect_null(strstr(fake.log, SECRET));
}

TestSuite(das, .init = setup, .fini = teardown);

/* ---- making packets ---- */

static struct fake_packet begin(uint8_t code, uint8_t id)
{
	struct fake_packet packet = { .octets = { code, id }, .len = 20 };

	return packet;
}

static void add(struct fake_packet *packet, uint8_t type, const void *value, size_t len)
{
	cr_assert(packet->len + len + 2 <= sizeof(packet->octets));
	packet->octets[packet->len] = type;
	packet->octets[packet->len + 1] = (uint8_t)(len + 2);
	memcpy(packet->octets + packet->len + 2, value, len);
	packet->len += len + 2;
}

static void add_text(struct fake_packet *packet, uint8_t type, const char *text)
{
	add(packet, type, text, strlen(text));
}

static void add_u32(struct fake_packet *packet, uint8_t type, uint32_t value)
{
	value = htonl(value);
	add(packet, type, &value, sizeof(value));
}

/* Length and authenticators; where: offset of a Message-Authenticator's value, 0 = none. */
static void sign(struct fake_packet *packet, const char *secret, size_t where)
{
	uint8_t *octets = packet->octets;

	octets[2] = (uint8_t)(packet->len >> 8);
	octets[3] = (uint8_t)packet->len;
	memset(octets + 4, 0, 16);
	if (where) {
		struct hmac_md5_ctx hmac;

		memset(octets + where, 0, 16);
		hmac_md5_set_key(&hmac, strlen(secret), (const uint8_t *)secret);
		hmac_md5_update(&hmac, packet->len, octets);
		hmac_md5_digest(&hmac, 16, octets + where);
	}
	fake_md5(octets + 4, octets, packet->len, secret, strlen(secret), "", 0);
}

/* A Disconnect-Request for a user, not signed yet. */
static struct fake_packet disconnect(uint8_t id)
{
	struct fake_packet packet = begin(RADIUS_DISCONNECT_REQUEST, id);

	add_text(&packet, RADIUS_USER_NAME, "alice");
	return packet;
}

static struct fake_packet reply;

/* The server takes a packet; true when it answers, in reply. */
static bool take_from(const struct sockaddr_storage *from, const struct fake_packet *packet)
{
	uint8_t *copy =
		malloc(packet->len ? packet->len : 1); /* for the sanitizer to see its end */

	memcpy(copy, packet->octets, packet->len);
	memset(&reply, 0, sizeof(reply));
	reply.len = radius_das_take(das, from, &local, copy, packet->len, reply.octets);
	free(copy);
	return reply.len > 0;
}

static bool take(const struct fake_packet *packet)
{
	return take_from(&client, packet);
}

/* The reply is the one with that code, Error-Cause (0: none) and these attributes behind it. */
static void expect_reply(const struct fake_packet *request, uint8_t code, uint32_t cause,
	const uint8_t *attrs, size_t len)
{
	uint8_t all[4096] = { 101, 6, 0, 0, (uint8_t)(cause >> 8), (uint8_t)cause };
	size_t at = cause ? 6 : 0;
	struct fake_packet expected;

	if (len)
		memcpy(all + at, attrs, len);
	fake_reply_make(&expected, request, code, SECRET, FAKE_SIGNED, all, at + len);
	cr_expect_eq(reply.octets[0], code, "code %u, not %u", reply.octets[0], code);
	cr_expect_eq(reply.len, expected.len, "%zu octets, not %zu", reply.len, expected.len);
	cr_expect_arr_eq(reply.octets, expected.octets, expected.len);
}

static struct radius_das_info info(void)
{
	struct radius_das_info result;

	radius_das_client_info(das, 0, &result);
	return result;
}

/* ---- requests and answers ---- */

Test(das, disconnect_is_handed_on_and_acknowledged)
{
	struct fake_packet packet = begin(RADIUS_DISCONNECT_REQUEST, 7);

	add_text(&packet, RADIUS_ACCT_SESSION_ID, "0000000100000002");
	add_text(&packet, RADIUS_ACCT_MULTI_SESSION_ID, "0000000100000001");
	add_text(&packet, RADIUS_USER_NAME, "alice@example.net");
	add_u32(&packet, RADIUS_FRAMED_IP_ADDRESS, 0x64400101);
	add_u32(&packet, RADIUS_NAS_PORT, 0x10002);
	add_text(&packet, RADIUS_NAS_PORT_ID, "l2tp1-2");
	add_text(&packet, RADIUS_CALLING_STATION_ID, "0401");
	add_text(&packet, RADIUS_CALLED_STATION_ID, "0402");
	add_u32(&packet, RADIUS_NAS_IP_ADDRESS, 0xc0000201);
	add_text(&packet, RADIUS_NAS_IDENTIFIER, "lns1");
	add(&packet, RADIUS_NAS_IPV6_ADDRESS, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	sign(&packet, SECRET, 0);
	cr_assert(take(&packet));
	expect_reply(&packet, RADIUS_DISCONNECT_ACK, 0, NULL, 0);
	cr_assert_eq(owner.calls, 1);
	cr_expect_eq(owner.request.code, RADIUS_DISCONNECT_REQUEST);
	cr_expect_str_eq(owner.request.acct_session_id, "0000000100000002");
	cr_expect_str_eq(owner.request.acct_multi_session_id, "0000000100000001");
	cr_expect_str_eq(owner.request.user_name, "alice@example.net");
	cr_expect_eq(owner.request.framed_ip, 0x64400101);
	cr_expect_eq(owner.request.nas_port, 0x10002);
	cr_expect_str_eq(owner.request.nas_port_id, "l2tp1-2");
	cr_expect_str_eq(owner.request.calling_station_id, "0401");
	cr_expect_str_eq(owner.request.called_station_id, "0402");
	cr_expect_eq(owner.request.nas_ip, 0xc0000201);
	cr_expect_str_eq(owner.request.nas_identifier, "lns1");
	cr_expect_eq(owner.request.nas_ipv6.s6_addr[15], 1);
	cr_expect_eq(owner.request.given, RADIUS_DAS_SESSION | RADIUS_DAS_NAS_IP |
						  RADIUS_DAS_NAS_IPV6 | RADIUS_DAS_NAS_IDENTIFIER);
	cr_expect_eq(info().disconnects, 1);
	cr_expect_eq(info().acks, 1);
	cr_expect_eq(info().naks + info().coas, 0);
	cr_expect_str_eq(info().client, "192.0.2.10");
}

Test(das, change_of_authorization)
{
	struct fake_packet packet = begin(RADIUS_COA_REQUEST, 8);

	add_text(&packet, RADIUS_USER_NAME, "alice");
	add_u32(&packet, RADIUS_SESSION_TIMEOUT, 3600);
	add_text(&packet, RADIUS_CLASS, "gold");
	add_u32(&packet, RADIUS_IDLE_TIMEOUT, 0);
	add_u32(&packet, RADIUS_ACCT_INTERIM_INTERVAL, 120);
	add_text(&packet, RADIUS_CLASS, "red");
	add(&packet, RADIUS_VENDOR_SPECIFIC,
		"\0\0\x3a\x8c\10\4"
		"2M\10\3"
		"0",
		11);
	add(&packet, RADIUS_VENDOR_SPECIFIC, "\0\0\x37\x2a\10\6\0\1\2\3", 10);
	add(&packet, RADIUS_VENDOR_SPECIFIC, "\0\0\0\11\1\5x=y", 9);
	sign(&packet, SECRET, 0);
	cr_assert(take(&packet));
	expect_reply(&packet, RADIUS_COA_ACK, 0, NULL, 0);
	cr_expect_eq(owner.request.code, RADIUS_COA_REQUEST);
	cr_expect_eq(owner.request.given, RADIUS_DAS_USER_NAME | RADIUS_DAS_CHANGE);
	cr_expect_eq(owner.request.session_timeout, 3600);
	cr_expect_eq(owner.request.idle_timeout, 0);
	cr_expect_eq(owner.request.interim, 120);
	cr_expect_eq(owner.classes, 2);
	cr_expect_str_eq(owner.class, "gold,red,");
	cr_expect_str_eq(owner.rates, "Mikrotik-Rate-Limit:324d Mikrotik-Rate-Limit:30 "
				      "WISPr-Bandwidth-Max-Down:00010203 Cisco-AVPair:783d79 ");
	cr_expect_eq(info().coas, 1);
	cr_expect_eq(info().disconnects, 0);
}

Test(das, what_the_owner_refuses)
{
	static const unsigned int causes[] = { 403, 407, 503, 506, 508 };

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		struct fake_packet packet = disconnect((uint8_t)i);

		sign(&packet, SECRET, 0);
		owner.answer = causes[i];
		cr_assert(take(&packet));
		expect_reply(&packet, RADIUS_DISCONNECT_NAK, causes[i], NULL, 0);
		packet.octets[0] = RADIUS_COA_REQUEST;
		add_u32(&packet, RADIUS_IDLE_TIMEOUT, 60);
		sign(&packet, SECRET, 0);
		cr_assert(take(&packet));
		expect_reply(&packet, RADIUS_COA_NAK, causes[i], NULL, 0);
	}
	cr_expect_eq(info().naks, 10);
	cr_expect_eq(info().acks, 0);
	cr_expect(strstr(fake.log, "client 192.0.2.10: Disconnect-Request refused: "
				   "NAS-Identification-Mismatch (403)"),
		"%s", fake.log);
}

/* One attribute more than a good request has, and the Error-Cause that it gives. */
Test(das, attributes_that_are_refused)
{
	static const struct {
		uint8_t code, type;
		const char *value;
		size_t len;
		unsigned int cause;
	} cases[] = {
		{ RADIUS_DISCONNECT_REQUEST, RADIUS_SESSION_TIMEOUT, "\0\0\0\1", 4, 401 },
		{ RADIUS_DISCONNECT_REQUEST, RADIUS_CLASS, "x", 1, 401 },
		{ RADIUS_DISCONNECT_REQUEST, RADIUS_SERVICE_TYPE, "\0\0\0\21", 4, 401 },
		{ RADIUS_DISCONNECT_REQUEST, RADIUS_FILTER_ID, "x", 1, 401 },
		{ RADIUS_DISCONNECT_REQUEST, RADIUS_VENDOR_SPECIFIC, "\0\0\0\11\1\3x", 7, 401 },
		{ RADIUS_DISCONNECT_REQUEST, RADIUS_STATE, "x", 1, 401 },
		{ RADIUS_DISCONNECT_REQUEST, 241, "x", 1, 401 },
		{ RADIUS_DISCONNECT_REQUEST, RADIUS_CHARGEABLE_USER_IDENTITY, "x", 1, 401 },
		{ RADIUS_DISCONNECT_REQUEST, RADIUS_USER_NAME, "alice", 5, 404 },
		{ RADIUS_DISCONNECT_REQUEST, RADIUS_CALLING_STATION_ID, "", 0, 404 },
		{ RADIUS_DISCONNECT_REQUEST, 241, "", 0, 404 },
		{ RADIUS_DISCONNECT_REQUEST, RADIUS_ACCT_SESSION_ID, "1\0002", 3, 404 },
		{ RADIUS_DISCONNECT_REQUEST, RADIUS_FRAMED_IP_ADDRESS, "\1\2\3", 3, 404 },
		{ RADIUS_DISCONNECT_REQUEST, RADIUS_NAS_PORT, "\1\2\3\4\5", 5, 404 },
		{ RADIUS_DISCONNECT_REQUEST, RADIUS_NAS_IPV6_ADDRESS, "\1\2\3\4", 4, 404 },
		{ RADIUS_DISCONNECT_REQUEST, RADIUS_EVENT_TIMESTAMP, "\1", 1, 404 },
		{ RADIUS_COA_REQUEST, RADIUS_SERVICE_TYPE, "\0\0\0\21", 4, 405 },
		{ RADIUS_COA_REQUEST, RADIUS_SERVICE_TYPE, "\0\0\0\2", 4, 405 },
		{ RADIUS_COA_REQUEST, RADIUS_FILTER_ID, "x", 1, 401 },
		{ RADIUS_COA_REQUEST, RADIUS_FRAMED_POOL, "x", 1, 401 },
		{ RADIUS_COA_REQUEST, RADIUS_SESSION_TIMEOUT, "\0\0\0\1", 4, 404 },
		{ RADIUS_COA_REQUEST, RADIUS_IDLE_TIMEOUT, "\0\0\1", 3, 404 },
		{ RADIUS_COA_REQUEST, RADIUS_CLASS, "", 0, 404 },
		{ RADIUS_DISCONNECT_REQUEST, RADIUS_VENDOR_SPECIFIC,
			"\0\0\x3a\x8c\10\4"
			"2M",
			8, 401 },
		{ RADIUS_COA_REQUEST, RADIUS_VENDOR_SPECIFIC,
			"\0\0\x3a\x8c\11\4"
			"2M",
			8, 401 },
		{ RADIUS_COA_REQUEST, RADIUS_VENDOR_SPECIFIC,
			"\0\0\x3a\x8c\10\4"
			"2M\11\3x",
			11, 401 },
		{ RADIUS_COA_REQUEST, RADIUS_VENDOR_SPECIFIC,
			"\1\0\x3a\x8c\10\4"
			"2M",
			8, 401 },
		{ RADIUS_COA_REQUEST, RADIUS_VENDOR_SPECIFIC,
			"\0\0\0\0\10\4"
			"2M",
			8, 401 },
		{ RADIUS_COA_REQUEST, RADIUS_VENDOR_SPECIFIC, "x", 1, 404 },
		{ RADIUS_COA_REQUEST, RADIUS_VENDOR_SPECIFIC, "\0\0\x3a\x8c", 4, 404 },
		{ RADIUS_COA_REQUEST, RADIUS_VENDOR_SPECIFIC, "\0\0\x3a\x8c\10", 5, 404 },
		{ RADIUS_COA_REQUEST, RADIUS_VENDOR_SPECIFIC, "\0\0\x3a\x8c\10\2", 6, 404 },
		{ RADIUS_COA_REQUEST, RADIUS_VENDOR_SPECIFIC,
			"\0\0\x3a\x8c\10\1"
			"2M",
			8, 404 },
		{ RADIUS_COA_REQUEST, RADIUS_VENDOR_SPECIFIC,
			"\0\0\x3a\x8c\10\5"
			"2M",
			8, 404 },
		{ RADIUS_COA_REQUEST, RADIUS_VENDOR_SPECIFIC,
			"\0\0\x3a\x8c\10\4"
			"2M\10",
			9, 404 },
		{ RADIUS_COA_REQUEST, RADIUS_VENDOR_SPECIFIC, "\0\0\x37\x2a\10\5\0\1\2", 9, 404 },
		{ RADIUS_COA_REQUEST, RADIUS_VENDOR_SPECIFIC, "\0\0\x37\x2a\10\7\0\1\2\3\4", 11,
			404 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool is_coa = cases[i].code == RADIUS_COA_REQUEST;
		struct fake_packet packet = disconnect((uint8_t)i);

		packet.octets[0] = cases[i].code;
		if (is_coa)
			add_u32(&packet, RADIUS_SESSION_TIMEOUT, 60);
		add(&packet, cases[i].type, cases[i].value, cases[i].len);
		sign(&packet, SECRET, 0);
		cr_assert(take(&packet), "case %zu", i);
		expect_reply(&packet, is_coa ? RADIUS_COA_NAK : RADIUS_DISCONNECT_NAK,
			cases[i].cause, NULL, 0);
	}
	cr_expect_eq(owner.calls, 0);
}

Test(das, which_of_several_faults_is_told)
{
	struct fake_packet packet = begin(RADIUS_COA_REQUEST, 1);

	add_text(&packet, RADIUS_STATE, "x"); /* belongs to Authorize-Only, which is not known */
	add_u32(&packet, RADIUS_SERVICE_TYPE, RADIUS_SERVICE_AUTHORIZE_ONLY);
	sign(&packet, SECRET, 0);
	cr_assert(take(&packet));
	expect_reply(&packet, RADIUS_COA_NAK, 405, NULL, 0);
	add_text(&packet, RADIUS_USER_NAME, "");
	sign(&packet, SECRET, 0);
	cr_assert(take(&packet));
	expect_reply(&packet, RADIUS_COA_NAK, 404, NULL, 0);
}

Test(das, missing_attributes)
{
	struct fake_packet packet = begin(RADIUS_DISCONNECT_REQUEST, 1);

	add_text(&packet, RADIUS_NAS_IDENTIFIER, "lns1"); /* all sessions of it? never */
	sign(&packet, SECRET, 0);
	cr_assert(take(&packet));
	expect_reply(&packet, RADIUS_DISCONNECT_NAK, 402, NULL, 0);

	packet = disconnect(2);
	packet.octets[0] = RADIUS_COA_REQUEST;
	sign(&packet, SECRET, 0);
	cr_assert(take(&packet));
	expect_reply(&packet, RADIUS_COA_NAK, 402, NULL, 0);

	packet = begin(RADIUS_COA_REQUEST, 3);
	add_u32(&packet, RADIUS_SESSION_TIMEOUT, 60);
	sign(&packet, SECRET, 0);
	cr_assert(take(&packet));
	expect_reply(&packet, RADIUS_COA_NAK, 402, NULL, 0);
	cr_expect_eq(owner.calls, 0);

	packet = begin(RADIUS_DISCONNECT_REQUEST, 4);
	add_text(&packet, RADIUS_ACCT_MULTI_SESSION_ID, "0000000100000001"); /* that is enough */
	sign(&packet, SECRET, 0);
	cr_assert(take(&packet));
	expect_reply(&packet, RADIUS_DISCONNECT_ACK, 0, NULL, 0);
	cr_expect_eq(owner.request.given, RADIUS_DAS_ACCT_MULTI_SESSION_ID);
}

Test(das, proxy_states_come_back_in_order)
{
	static const uint8_t states[] = { 33, 4, 'b', 2, 33, 3, 'a', 33, 2 };
	struct fake_packet packet = begin(RADIUS_DISCONNECT_REQUEST, 1);

	add_text(&packet, RADIUS_PROXY_STATE, "b\2");
	add_text(&packet, RADIUS_USER_NAME, "alice");
	add_text(&packet, RADIUS_PROXY_STATE, "a");
	add_text(&packet, RADIUS_PROXY_STATE, "");
	sign(&packet, SECRET, 0);
	cr_assert(take(&packet));
	expect_reply(&packet, RADIUS_DISCONNECT_ACK, 0, states, sizeof(states));
	packet.octets[1] = 2;
	sign(&packet, SECRET, 0);
	owner.answer = 503;
	cr_assert(take(&packet));
	expect_reply(&packet, RADIUS_DISCONNECT_NAK, 503, states, sizeof(states));
}

/* The reply is as large as a packet can be; a larger one could not be sent, so nothing is done. */
Test(das, proxy_states_that_no_reply_has_room_for)
{
	struct fake_packet packet = begin(RADIUS_DISCONNECT_REQUEST, 1);
	char state[251];

	memset(state, 's', sizeof(state));
	for (unsigned int i = 0; i < 16; i++)
		add(&packet, RADIUS_PROXY_STATE, state, 251);
	add(&packet, RADIUS_PROXY_STATE, state, 2);
	add_text(&packet, RADIUS_USER_NAME, "a");
	owner.answer = 503;
	sign(&packet, SECRET, 0);
	cr_assert(take(&packet));
	cr_expect_eq(reply.len, 4096);
	add(&packet, RADIUS_PROXY_STATE, "", 0);
	sign(&packet, SECRET, 0);
	cr_expect(!take(&packet), "two octets more");
	cr_expect_eq(owner.calls, 1);
	cr_expect_eq(info().malformed, 1);
}

/* ---- who is believed ---- */

Test(das, message_authenticator)
{
	struct fake_packet packet = begin(RADIUS_DISCONNECT_REQUEST, 1);

	add(&packet, RADIUS_MESSAGE_AUTHENTICATOR, "0123456789abcdef", 16);
	add_text(&packet, RADIUS_USER_NAME, "alice");
	sign(&packet, SECRET, 0); /* the Request Authenticator is right, the other one is not */
	cr_expect(!take(&packet));
	cr_expect_eq(info().bad_authenticators, 1);
	cr_expect_eq(owner.calls, 0);
	sign(&packet, SECRET, 22);
	cr_assert(take(&packet));
	expect_reply(&packet, RADIUS_DISCONNECT_ACK, 0, NULL, 0);

	packet = disconnect(2);
	add(&packet, RADIUS_MESSAGE_AUTHENTICATOR, "0123456789abcdef", 16);
	add(&packet, RADIUS_MESSAGE_AUTHENTICATOR, "0123456789abcdef", 16);
	sign(&packet, SECRET, 0);
	cr_expect(!take(&packet));
	cr_expect_eq(info().malformed, 1);
}

Test(das, wrong_secret)
{
	struct fake_packet packet = disconnect(1);

	for (unsigned int i = 0; i < 1000; i++) {
		packet.octets[1] = (uint8_t)i;
		sign(&packet, "wrong", 0);
		cr_assert(!take(&packet));
	}
	cr_expect_eq(owner.calls, 0);
	cr_expect_eq(info().bad_authenticators, 1000);
	cr_expect_eq(fake.log_lines, 1, "%s", fake.log);
	cr_expect(strstr(fake.log, "192.0.2.10: request with a wrong authenticator"));
	fake_advance(&fake, FAKE_SEC(10));
	cr_assert(!take(&packet));
	cr_expect_eq(fake.log_lines, 2);
	cr_expect(strstr(fake.log, "(999 lines left out)"), "%s", fake.log);
}

Test(das, every_client_has_a_secret_of_its_own)
{
	struct sockaddr_storage second = addr_of("192.0.2.11", 40000);
	struct fake_packet packet = disconnect(1);

	sign(&packet, SECRET, 0);
	cr_expect(!take_from(&second, &packet));
	sign(&packet, "other secret", 0);
	cr_expect(!take(&packet));
	cr_expect_eq(owner.calls, 0);
	cr_expect(take_from(&second, &packet));
	cr_expect_eq(owner.calls, 1);
	cr_expect_str_eq(owner.request.client, "192.0.2.11");
}

Test(das, strangers)
{
	static const char *const texts[] = { "192.0.2.12", "198.51.100.1", "2001:db8::11",
		"::ffff:192.0.2.10", "::" };
	struct fake_packet packet = disconnect(1);
	struct sockaddr_storage from = { 0 };

	sign(&packet, SECRET, 0);
	for (size_t i = 0; i < 5; i++) {
		from = addr_of(texts[i], 40000);
		cr_expect(!take_from(&from, &packet), "%s", texts[i]);
	}
	cr_expect_eq(owner.calls, 0);
	cr_expect_eq(radius_das_strangers(das), 5);
	cr_expect_eq(fake.log_lines, 1);
	cr_expect(strstr(fake.log, "192.0.2.12 is no client"));
	from = addr_of("2001:db8::10", 40000);
	cr_expect(take_from(&from, &packet), "a client of IPv6");
}

Test(das, other_packets)
{
	static const uint8_t codes[] = { 0, 1, 2, 4, 5, 12, 39, 41, 42, 44, 45, 46, 255 };
	struct fake_packet packet = disconnect(1);

	for (size_t i = 0; i < sizeof(codes); i++) {
		packet.octets[0] = codes[i];
		sign(&packet, SECRET, 0);
		cr_expect(!take(&packet), "code %u", codes[i]);
	}
	cr_expect_eq(info().malformed, sizeof(codes));
	cr_expect_eq(owner.calls, 0);
	cr_expect_eq(fake.log_lines, 1);
}

/* Every cut and every changed octet is noticed. */
Test(das, damaged_on_the_way)
{
	struct fake_packet packet = begin(RADIUS_DISCONNECT_REQUEST, 1), damaged;
	uint64_t dropped;
	size_t len;

	add(&packet, RADIUS_MESSAGE_AUTHENTICATOR, "0123456789abcdef", 16);
	add_text(&packet, RADIUS_USER_NAME, "alice");
	add_text(&packet, RADIUS_PROXY_STATE, "state");
	sign(&packet, SECRET, 22);
	for (len = 0; len < packet.len; len++) {
		damaged = packet;
		damaged.len = len;
		cr_expect(!take(&damaged), "cut to %zu", len);
	}
	cr_expect_eq(info().malformed, packet.len);
	for (size_t at = 0; at < packet.len; at++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			damaged = packet;
			damaged.octets[at] ^= (uint8_t)(1 << bit);
			cr_expect(!take(&damaged), "bit %u of octet %zu", bit, at);
		}
	}
	cr_expect_eq(owner.calls, 0);
	dropped = info().malformed + info().bad_authenticators;
	cr_expect_eq(dropped, packet.len * 9);
	memcpy(packet.octets + packet.len, "padding", 7);
	packet.len += 7;
	cr_expect(take(&packet), "RFC 2865 section 3: padding is ignored");
}

Test(das, octets_of_any_kind)
{
	struct fake_packet packet = { .len = 4096 };

	for (unsigned int i = 0; i < 2000; i++) {
		fake.host.random(&fake, packet.octets, sizeof(packet.octets));
		packet.octets[0] = i % 2 ? RADIUS_COA_REQUEST : RADIUS_DISCONNECT_REQUEST;
		if (i % 4 > 1) { /* as somebody who knows the secret would send it */
			packet.len = 20 + packet.octets[2] % 64;
			sign(&packet, SECRET, 0);
		} else {
			packet.len = 4096;
		}
		(void)take(&packet);
	}
	cr_expect_eq(owner.calls, 0, "nobody says by chance whom he means");
	cr_expect_eq(info().malformed + info().bad_authenticators + info().stale + info().naks +
			     info().duplicates,
		2000);
	cr_expect(info().naks > 10, "only %lu of them had no length of chance",
		(unsigned long)info().naks);
}

/* ---- what comes again ---- */

Test(das, event_timestamp)
{
	static const struct {
		uint32_t time;
		bool good;
	} cases[] = { { NOW, true }, { NOW - 300, true }, { NOW + 300, true }, { NOW - 301, false },
		{ NOW + 301, false }, { 0, false }, { UINT32_MAX, false } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake_packet packet = disconnect((uint8_t)i);

		add_u32(&packet, RADIUS_EVENT_TIMESTAMP, cases[i].time);
		sign(&packet, SECRET, 0);
		cr_expect_eq(take(&packet), cases[i].good, "%u", cases[i].time);
	}
	cr_expect_eq(owner.calls, 3);
	cr_expect_eq(info().stale, 4);
	cr_expect_eq(fake.log_lines, 1);
	cr_expect(strstr(fake.log, "Event-Timestamp 301 s ago"), "%s", fake.log);
}

/* Silence also when there is something else to say. */
Test(das, stale_and_malformed)
{
	struct fake_packet packet = disconnect(1);

	add_u32(&packet, RADIUS_EVENT_TIMESTAMP, NOW - 301);
	add_u32(&packet, RADIUS_EVENT_TIMESTAMP, NOW);
	sign(&packet, SECRET, 0);
	cr_expect(!take(&packet));
}

Test(das, duplicate_gets_the_same_answer)
{
	struct fake_packet packet = disconnect(1), first;

	sign(&packet, SECRET, 0);
	cr_assert(take(&packet));
	first = reply;
	owner.answer = 503; /* what it would say now: the session is gone */
	cr_assert(take(&packet));
	cr_expect_arr_eq(reply.octets, first.octets, sizeof(first.octets));
	cr_expect_eq(reply.len, first.len);
	cr_expect_eq(owner.calls, 1);
	cr_expect_eq(info().duplicates, 1);
	cr_expect_eq(info().disconnects, 1);

	client = addr_of("192.0.2.10", 40001);
	cr_assert(take(&packet));
	expect_reply(&packet, RADIUS_DISCONNECT_NAK, 503, NULL, 0);
	cr_expect_eq(owner.calls, 2, "another port: another request");
	packet.octets[1] = 2;
	sign(&packet, SECRET, 0);
	cr_assert(take(&packet));
	cr_expect_eq(owner.calls, 3, "another identifier");
}

Test(das, refusals_are_repeated_as_well)
{
	struct fake_packet packet = disconnect(1);

	owner.answer = 506;
	sign(&packet, SECRET, 0);
	cr_assert(take(&packet));
	owner.answer = 0;
	cr_assert(take(&packet));
	expect_reply(&packet, RADIUS_DISCONNECT_NAK, 506, NULL, 0);
	cr_expect_eq(owner.calls, 1);
}

/* Without a time in it a request cannot be told from an old one for ever. */
Test(das, undated_request_is_known_for_30_seconds)
{
	struct fake_packet packet = disconnect(1);

	sign(&packet, SECRET, 0);
	cr_assert(take(&packet));
	fake_advance(&fake, FAKE_SEC(30) - 1);
	cr_assert(take(&packet));
	cr_expect_eq(owner.calls, 1);
	fake_advance(&fake, 1);
	cr_assert(take(&packet));
	cr_expect_eq(owner.calls, 2);
}

/* With one it is carried out once, whoever sends it from wherever and whenever. */
Test(das, dated_request_is_carried_out_once)
{
	struct fake_packet packet = disconnect(1);

	add_u32(&packet, RADIUS_EVENT_TIMESTAMP, NOW + 300);
	sign(&packet, SECRET, 0);
	cr_assert(take(&packet));
	for (unsigned int i = 0; i < 700; i++) {
		client = addr_of("192.0.2.10", (uint16_t)(1024 + i));
		fake_advance(&fake, FAKE_SEC(1));
		cr_expect_eq(take(&packet), i < 600, "%u s later", i + 1);
	}
	cr_expect_eq(owner.calls, 1);
	cr_expect_eq(info().duplicates + info().stale, 700);
}

Test(das, cache_is_limited_and_drops_the_oldest)
{
	struct radius_das_cache cache = { 0 };
	struct radius_das_key first = { .id = 0 }, last = { .id = 0 };
	unsigned int kept = 0;

	radius_das_cache_init(&cache);
	for (unsigned int i = 0; i < 3000; i++) {
		struct radius_das_key key = { .from = client };
		struct radius_das_entry *entry;

		memcpy(key.authenticator, &i, sizeof(i));
		entry = radius_das_entry_new(&key, 4096);
		cr_assert(entry);
		radius_das_cache_add(&cache, entry, 1, FAKE_SEC(600));
		cr_assert(cache.octets <= RADIUS_DAS_CACHE_OCTETS);
		first = i == 0 ? key : first;
		last = key;
	}
	cr_expect(!radius_das_cache_find(&cache, &first, 1));
	cr_expect(radius_das_cache_find(&cache, &last, 1));
	cr_expect(radius_das_cache_find(&cache, &last, FAKE_SEC(600)));
	cr_expect(!radius_das_cache_find(&cache, &last, FAKE_SEC(600) + 1));
	for (struct radius_das_entry *e = TAILQ_FIRST(&cache.order); e; e = TAILQ_NEXT(e, in_order))
		kept++;
	cr_expect(kept > 900 && kept < 1024, "%u", kept);
	radius_das_cache_clear(&cache);
	cr_expect_eq(cache.octets, 0);
}

/* ---- sockets and configuration ---- */

static uint16_t port_of(const struct sockaddr_storage *addr)
{
	return ntohs(((const struct sockaddr_in *)addr)->sin_port); /* stands there in IPv6, too */
}

/* Configures it to listen on address, some free port, for a client on this host. The port. */
static uint16_t listen_on(const char *address, const char *of_client)
{
	const struct radius_das_client_config one = client_config(of_client, SECRET);
	struct sockaddr_storage listen;
	const struct radius_das_config config = { &listen, 1, &one, 1 };
	struct fake_server probe;
	uint16_t port;

	cr_assert_eq(fake_server_open(&probe, address, ""), 0);
	port = port_of(&probe.addr);
	fake_server_close(&probe);
	listen = addr_of(address, port);
	cr_assert_eq(radius_das_configure(das, &config, NULL), 0);
	return port;
}

/* Sends packet to address and port; true: what came back from there is in reply. */
static bool ask(
	const char *source, const char *address, uint16_t port, const struct fake_packet *packet)
{
	struct sockaddr_storage from = addr_of(source, 0), to = addr_of(address, port);
	socklen_t len = from.ss_family == AF_INET ? sizeof(struct sockaddr_in)
						  : sizeof(struct sockaddr_in6);
	int fd = socket(from.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ssize_t got;

	cr_assert_eq(bind(fd, (struct sockaddr *)&from, len), 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&to, len), 0); /* hears nobody else */
	cr_assert_eq(send(fd, packet->octets, packet->len, 0), (ssize_t)packet->len);
	fake_io(&fake);
	memset(&reply, 0, sizeof(reply));
	got = recv(fd, reply.octets, sizeof(reply.octets), 0);
	reply.len = got > 0 ? (size_t)got : 0;
	close(fd);
	return got > 0;
}

/* A host with many addresses answers from the one that was asked. */
Test(das, answers_from_where_it_was_asked)
{
	uint16_t port = listen_on("0.0.0.0", "127.0.0.9");
	struct fake_packet packet = disconnect(1);

	sign(&packet, SECRET, 0);
	cr_assert(ask("127.0.0.9", "127.0.0.77", port, &packet));
	expect_reply(&packet, RADIUS_DISCONNECT_ACK, 0, NULL, 0);
	cr_expect_eq(owner.request.local.ss_family, AF_INET);
	cr_expect_eq(((struct sockaddr_in *)&owner.request.local)->sin_addr.s_addr,
		inet_addr("127.0.0.77"));
	cr_expect(!ask("127.0.0.8", "127.0.0.77", port, &packet), "a stranger");
	cr_expect_eq(radius_das_strangers(das), 1);
}

/* ---- decided later ---- */

Test(das, no_answer_before_the_owner_has_decided)
{
	struct fake_packet packet = disconnect(1), other = disconnect(2);

	packet.octets[0] = other.octets[0] = RADIUS_COA_REQUEST;
	add_u32(&packet, RADIUS_IDLE_TIMEOUT, 60);
	add_u32(&other, RADIUS_IDLE_TIMEOUT, 61);
	sign(&packet, SECRET, 0);
	sign(&other, SECRET, 0);
	owner.answer = RADIUS_DAS_LATER;
	cr_assert(!take(&packet));
	cr_assert(!take(&packet), "it comes again");
	cr_expect_eq(owner.calls, 1);
	cr_expect_eq(info().duplicates, 1);
	cr_expect_eq(info().coas, 0);
	radius_das_decide(das, owner.request.ticket + 1, 0);
	radius_das_decide(das, 0, 0);
	cr_assert(!take(&packet));
	radius_das_decide(das, owner.request.ticket, 506);
	cr_expect_eq(info().coas, 1);
	cr_expect_eq(info().naks, 1);
	radius_das_decide(das, owner.request.ticket, 0);
	cr_assert(take(&packet), "it is known now");
	expect_reply(&packet, RADIUS_COA_NAK, 506, NULL, 0);
	cr_expect_eq(owner.calls, 1);

	cr_assert(!take(&other));
	radius_das_decide(das, owner.request.ticket, 0);
	cr_assert(take(&other));
	expect_reply(&other, RADIUS_COA_ACK, 0, NULL, 0);
}

Test(das, a_server_ends_with_requests_undecided)
{
	struct fake_packet packet = disconnect(1);
	uint64_t ticket;

	sign(&packet, SECRET, 0);
	owner.answer = RADIUS_DAS_LATER;
	cr_assert(!take(&packet));
	ticket = owner.request.ticket;
	teardown();
	setup();
	radius_das_decide(das, ticket, 0);
	cr_expect_eq(info().acks, 0);
}

Test(das, a_client_that_is_none_any_more_is_not_answered)
{
	const struct radius_das_config nobody = { 0 };
	struct fake_packet packet = disconnect(1);

	sign(&packet, SECRET, 0);
	owner.answer = RADIUS_DAS_LATER;
	cr_assert(!take(&packet));
	cr_assert_eq(radius_das_configure(das, &nobody, NULL), 0);
	radius_das_decide(das, owner.request.ticket, 0);
	cr_assert(!take(&packet));
}

Test(das, a_later_answer_is_sent)
{
	uint16_t port = listen_on("0.0.0.0", "127.0.0.9");
	struct fake_packet packet = disconnect(1);
	struct sockaddr_storage from = addr_of("127.0.0.9", 0), to = addr_of("127.0.0.77", port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	sign(&packet, SECRET, 0);
	owner.answer = RADIUS_DAS_LATER;
	cr_assert_eq(bind(fd, (struct sockaddr *)&from, sizeof(struct sockaddr_in)), 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof(struct sockaddr_in)), 0);
	cr_assert_eq(send(fd, packet.octets, packet.len, 0), (ssize_t)packet.len);
	fake_io(&fake);
	cr_expect_eq(recv(fd, reply.octets, sizeof(reply.octets), 0), -1);
	radius_das_decide(das, owner.request.ticket, 0);
	memset(&reply, 0, sizeof(reply));
	reply.len = (size_t)recv(fd, reply.octets, sizeof(reply.octets), 0);
	close(fd);
	expect_reply(&packet, RADIUS_DISCONNECT_ACK, 0, NULL, 0);
}

Test(das, answers_on_ipv6)
{
	struct fake_packet packet = disconnect(1);
	struct fake_server probe;

	if (fake_server_open(&probe, "::1", ""))
		cr_skip("no IPv6 here");
	fake_server_close(&probe);
	sign(&packet, SECRET, 0);
	cr_assert(ask("::1", "::1", listen_on("::", "::1"), &packet));
	expect_reply(&packet, RADIUS_DISCONNECT_ACK, 0, NULL, 0);
	cr_expect_eq(owner.request.local.ss_family, AF_INET6);
}

static struct {
	void (*ready)(void *arg, int events);
	void *arg;
} watched;

static void *watch(void *ctx, const char *what, int fd, int events,
	void (*ready)(void *arg, int events), void *arg)
{
	(void)ctx, (void)what, (void)fd, (void)events;
	watched.ready = ready;
	watched.arg = arg;
	return &watched;
}

static void unwatch(void *io)
{
	cr_assert_eq(io, &watched);
}

/* A turn of the loop ends with the first request that is answered, as that may have been work. */
Test(das, one_request_a_turn)
{
	struct fake_packet packet = disconnect(1);
	struct sockaddr_storage to;
	uint16_t port;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	radius_das_free(das);
	fake.host.io_new = watch;
	fake.host.io_free = unwatch;
	cr_assert_eq(radius_das_new(&fake.host, handle, &owner, &das), 0);
	port = listen_on("127.0.0.1", "127.0.0.1");
	to = addr_of("127.0.0.1", port);
	for (uint8_t i = 0; i < 12; i++) {
		packet.octets[1] = i;
		sign(&packet, i % 3 == 2 ? SECRET : "wrong", 0);
		cr_assert_eq(sendto(fd, packet.octets, packet.len, 0, (struct sockaddr *)&to,
				     sizeof(struct sockaddr_in)),
			(ssize_t)packet.len);
	}
	for (unsigned int turn = 1; turn <= 4; turn++) {
		watched.ready(watched.arg, 1);
		cr_expect_eq(owner.calls, turn);
		cr_expect_eq(info().bad_authenticators, 2 * turn);
	}
	close(fd);
}

Test(das, configured_anew)
{
	uint16_t port = listen_on("127.0.0.1", "127.0.0.1");
	const struct radius_das_client_config changed = client_config("127.0.0.1", "new secret");
	struct fake_packet packet = disconnect(1);
	struct fake_server taken;
	struct sockaddr_storage listen[2] = { addr_of("127.0.0.1", port) };
	struct radius_das_config config = { listen, 2, &changed, 1 };
	size_t failed;

	sign(&packet, SECRET, 0);
	cr_assert(ask("127.0.0.1", "127.0.0.1", port, &packet));
	cr_assert_eq(fake_server_open(&taken, "127.0.0.1", ""), 0);
	listen[1] = taken.addr;
	cr_expect_eq(radius_das_configure(das, &config, &failed), -EADDRINUSE);
	cr_expect_eq(failed, 1);
	packet.octets[1]++;
	sign(&packet, SECRET, 0);
	cr_expect(ask("127.0.0.1", "127.0.0.1", port, &packet), "everything is as before");
	fake_server_close(&taken);
	cr_assert_eq(radius_das_configure(das, &config, &failed), 0);
	cr_expect_eq(fake.io_count, 2);
	cr_expect_eq(info().disconnects, 2, "counters are kept");
	packet.octets[1]++;
	sign(&packet, SECRET, 0);
	cr_expect(!ask("127.0.0.1", "127.0.0.1", port, &packet), "the old secret");
	sign(&packet, "new secret", 0);
	cr_expect(ask("127.0.0.1", "127.0.0.1", port_of(&listen[1]), &packet));
	config.listen_count = 0;
	cr_assert_eq(radius_das_configure(das, &config, &failed), 0);
	cr_expect_eq(fake.io_count, 0);
}

Test(das, configurations_that_cannot_be)
{
	struct radius_das_client_config one = client_config("127.0.0.1", SECRET);
	struct sockaddr_storage listen[RADIUS_DAS_LISTEN_MAX + 1] = { addr_of("127.0.0.1", 3799),
		addr_of("127.0.0.1", 3799) };
	struct radius_das_config config = { listen, 2, &one, 1 };
	size_t failed = 77;

	cr_expect_eq(radius_das_configure(das, &config, &failed), -EINVAL, "an address twice");
	cr_expect_eq(failed, 2);
	config.listen_count = RADIUS_DAS_LISTEN_MAX + 1;
	cr_expect_eq(radius_das_configure(das, &config, &failed), -EINVAL);
	config.listen_count = 0;
	one.secret_len = 0;
	cr_expect_eq(radius_das_configure(das, &config, &failed), -EINVAL);
	one.secret_len = RADIUS_SECRET_MAX + 1;
	cr_expect_eq(radius_das_configure(das, &config, &failed), -EINVAL);
	one.secret_len = 1;
	config.listen_count = 1;
	listen[0].ss_family = AF_UNIX;
	cr_expect_eq(radius_das_configure(das, &config, &failed), -EAFNOSUPPORT);
	cr_expect_eq(failed, 0);
	listen[0] = addr_of("127.0.0.1", 0);
	fake.fail_io = 1;
	cr_expect_eq(radius_das_configure(das, &config, &failed), -ENOMEM);
	cr_expect_eq(radius_das_client_count(das), 3, "as before");
}
