/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets: the examples of the RFCs, what goes out, what is taken in, hidden values.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "radius/attr_codes.h"
#include "radius/digest.h"
#include "radius/packet.h"
#include "tests/unit/radius/host_fake.h"

static const uint8_t rfc_authenticator[] = { 0x0f, 0x40, 0x3f, 0x94, 0x73, 0x97, 0x80, 0x57, 0xbd,
	0x83, 0xd5, 0xcb, 0x98, 0xf4, 0x22, 0x7a };
static const struct radius_secret rfc_secret = { "xyzzy5461", 9 };

/* RFC 2865 section 7.1. */
static const uint8_t rfc_hidden[] = { 0x0d, 0xbe, 0x70, 0x8d, 0x93, 0xd4, 0x13, 0xce, 0x31, 0x96,
	0xe4, 0x3f, 0x78, 0x2a, 0x0a, 0xee };
static const uint8_t rfc_accept[] = { 0x02, 0x00, 0x00, 0x26, 0x86, 0xfe, 0x22, 0x0e, 0x76, 0x24,
	0xba, 0x2a, 0x10, 0x05, 0xf6, 0xbf, 0x9b, 0x55, 0xe0, 0xb2, 0x06, 0x06, 0x00, 0x00, 0x00,
	0x01, 0x0f, 0x06, 0x00, 0x00, 0x00, 0x00, 0x0e, 0x06, 0xc0, 0xa8, 0x01, 0x03 };

static int encode(enum radius_packet_code code, const struct radius_attrs *attrs, uint32_t delay,
	uint8_t authenticator[16], struct fake_packet *packet)
{
	struct radius_body body;
	struct radius_packet_spec spec = { .code = code,
		.id = 7,
		.secret = &rfc_secret,
		.body = &body,
		.event_time = 1700000000,
		.delay = delay };
	int len = radius_body_init(&body, code, attrs);

	if (len)
		return len;
	memset(packet, 0, sizeof(*packet));
	len = radius_packet_encode(&spec, authenticator, packet->octets);
	packet->len = len < 0 ? 0 : (size_t)len;
	radius_body_wipe(&body);
	return len;
}

static struct radius_attrs *with_password(const char *password)
{
	struct radius_attrs *attrs = radius_attrs_new();

	radius_add_string(attrs, RADIUS_USER_PASSWORD, 0, password);
	radius_add_string(attrs, RADIUS_USER_NAME, 0, "nemo");
	return attrs;
}

Test(packet, access_request)
{
	struct radius_attrs *attrs = with_password("arctangent");
	uint8_t authenticator[16], digest[16];
	struct fake_packet packet;
	struct radius_frame frame;
	const uint8_t *value;
	size_t len;

	memcpy(authenticator, rfc_authenticator, 16);
	cr_assert_eq(
		encode(RADIUS_ACCESS_REQUEST, attrs, 0, authenticator, &packet), 20 + 18 + 6 + 18);
	cr_expect_arr_eq(packet.octets, "\1\7\0\76", 4);
	cr_expect_arr_eq(packet.octets + 4, rfc_authenticator, 16);
	cr_expect_eq(packet.octets[20], 80, "Message-Authenticator is not the first");
	value = fake_packet_find(&packet, RADIUS_USER_PASSWORD, &len);
	cr_assert(value && len == 16);
	cr_expect_arr_eq(value, rfc_hidden, 16);
	cr_assert_eq(radius_packet_frame(packet.octets, packet.len, &frame), 0);
	cr_expect_eq(frame.message_authenticator, 22);
	radius_packet_hmac(&frame, rfc_authenticator, &rfc_secret, digest);
	cr_expect_arr_eq(digest, packet.octets + 22, 16);
	radius_attrs_free(attrs);
}

Test(packet, rfc2865_accept)
{
	struct radius_secret other = { "xyzzy5462", 9 };
	uint8_t changed[sizeof(rfc_accept)], authenticator[16];
	struct radius_frame frame;
	size_t i;

	cr_assert_eq(radius_packet_frame(rfc_accept, sizeof(rfc_accept), &frame), 0);
	cr_expect(radius_packet_verify_reply(&frame, rfc_authenticator, &rfc_secret));
	cr_expect_not(radius_packet_verify_reply(&frame, rfc_authenticator, &other));
	memcpy(authenticator, rfc_authenticator, 16);
	authenticator[15] ^= 0x80;
	cr_expect_not(radius_packet_verify_reply(&frame, authenticator, &rfc_secret));
	for (i = 0; i < sizeof(changed); i++) {
		memcpy(changed, rfc_accept, sizeof(changed));
		changed[i] ^= 1;
		if (!radius_packet_frame(changed, sizeof(changed), &frame))
			cr_expect_not(
				radius_packet_verify_reply(&frame, rfc_authenticator, &rfc_secret));
	}
}

/* RFC 2865 section 7.2. */
Test(packet, chap_response)
{
	static const uint8_t challenge[] = { 0x2a, 0xee, 0x86, 0xf0, 0x8d, 0x0d, 0x55, 0x96, 0x9c,
		0xa5, 0x97, 0x8e, 0x0d, 0x33, 0x67, 0xa2 };
	static const uint8_t expected[] = { 0xe9, 0x75, 0x57, 0xc3, 0x16, 0x18, 0x58, 0x95, 0xf2,
		0x93, 0xff, 0x63, 0x44, 0x07, 0x72, 0x75 };
	uint8_t response[RADIUS_CHAP_LEN];

	radius_chap_response(0x16, "arctangent", 10, challenge, sizeof(challenge), response);
	cr_expect_arr_eq(response, expected, sizeof(expected));
	cr_expect(radius_equal(response, expected, 16));
	response[15] ^= 1;
	cr_expect_not(radius_equal(response, expected, 16));
}

/* Decrypts as a server does. */
static void reveal(const struct fake_packet *packet, char *out)
{
	size_t len, at, i;
	const uint8_t *hidden = fake_packet_find(packet, RADIUS_USER_PASSWORD, &len);
	const uint8_t *previous = packet->octets + 4;
	uint8_t stream[16];

	cr_assert(hidden && len % 16 == 0 && len >= 16);
	for (at = 0; at < len; at += 16) {
		fake_md5(stream, "xyzzy5461", 9, previous, 16, "", 0);
		for (i = 0; i < 16; i++)
			out[at + i] = (char)(hidden[at + i] ^ stream[i]);
		previous = hidden + at;
	}
	out[len] = '\0';
}

Test(packet, passwords_of_every_length)
{
	char password[130] = "", clear[145];
	uint8_t authenticator[16];
	struct fake_packet packet;
	size_t len;

	for (len = 0; len <= 128; len++) {
		struct radius_attrs *attrs = with_password(password);

		memcpy(authenticator, rfc_authenticator, 16);
		cr_assert_gt(encode(RADIUS_ACCESS_REQUEST, attrs, 0, authenticator, &packet), 0);
		reveal(&packet, clear);
		cr_expect_str_eq(clear, password);
		radius_attrs_free(attrs);
		password[len] = (char)('a' + len % 26);
	}
	{
		struct radius_attrs *attrs = with_password(password);

		cr_expect_eq(
			encode(RADIUS_ACCESS_REQUEST, attrs, 0, authenticator, &packet), -EMSGSIZE);
		radius_attrs_free(attrs);
	}
}

Test(packet, accounting_request)
{
	struct radius_attrs *attrs = with_password("secret");
	uint8_t authenticator[16], zeros[16] = { 0 }, digest[16];
	struct fake_packet packet;
	size_t len;

	radius_add_u32(attrs, RADIUS_EVENT_TIMESTAMP, 0, 1);
	radius_add_u32(attrs, RADIUS_ACCT_DELAY_TIME, 0, 2);
	cr_assert_gt(encode(RADIUS_ACCOUNTING_REQUEST, attrs, 5, authenticator, &packet), 0);
	cr_expect_arr_eq(packet.octets + 4, authenticator, 16);
	memcpy(packet.octets + 4, zeros, 16);
	fake_md5(digest, packet.octets, packet.len, "xyzzy5461", 9, "", 0);
	cr_expect_arr_eq(digest, authenticator, 16);
	cr_expect_eq(fake_packet_u32(&packet, RADIUS_EVENT_TIMESTAMP), 1700000000);
	cr_expect_eq(fake_packet_u32(&packet, RADIUS_ACCT_DELAY_TIME), 5);
	cr_expect_null(fake_packet_find(&packet, RADIUS_USER_PASSWORD, &len));
	radius_attrs_free(attrs);
}

Test(packet, too_large)
{
	struct radius_attrs *attrs = radius_attrs_new();
	uint8_t authenticator[16], text[253] = { 'x' };
	struct fake_packet packet;
	unsigned int i;

	for (i = 0; i < 15; i++)
		radius_add_octets(attrs, RADIUS_CLASS, text, sizeof(text));
	cr_expect_gt(encode(RADIUS_ACCESS_REQUEST, attrs, 0, authenticator, &packet), 0);
	radius_add_octets(attrs, RADIUS_CLASS, text, sizeof(text) - 40);
	cr_expect_gt(encode(RADIUS_ACCESS_REQUEST, attrs, 0, authenticator, &packet), 0);
	radius_add_octets(attrs, RADIUS_USER_PASSWORD, text, 16);
	cr_expect_eq(encode(RADIUS_ACCESS_REQUEST, attrs, 0, authenticator, &packet), -EMSGSIZE);
	for (i = 0; i < 18; i++)
		radius_add_octets(attrs, RADIUS_CLASS, text, sizeof(text));
	cr_expect_eq(encode(RADIUS_ACCESS_REQUEST, attrs, 0, authenticator, &packet), -EMSGSIZE);
	radius_attrs_free(attrs);
}

static int frame_of(const char *octets, size_t len)
{
	struct radius_frame frame;
	uint8_t buf[8192] = { 0 };

	memcpy(buf, octets, len);
	return radius_packet_frame(buf, len, &frame);
}

#define HEADER(length) "\2\1" length "0123456789abcdef"
#define SIGNED                                                                                     \
	"\120\22"                                                                                  \
	"0123456789abcdef"

Test(packet, framing)
{
	struct radius_frame frame;
	uint8_t buf[4097] = { 2, 0, 0x10, 0x01 };

	cr_expect_eq(frame_of(HEADER("\0\24"), 20), 0);
	cr_expect_eq(frame_of("", 0), -EBADMSG);
	cr_expect_eq(frame_of(HEADER("\0\24"), 19), -EBADMSG, "no whole header");
	cr_expect_eq(frame_of(HEADER("\0\23"), 20), -EBADMSG, "shorter than a header");
	cr_expect_eq(frame_of(HEADER("\0\25"), 20), -EBADMSG, "truncated");
	cr_expect_eq(frame_of(HEADER("\0\24") "padding", 27), 0);
	cr_expect_eq(frame_of(HEADER("\0\25") "\1", 21), -EBADMSG, "half an attribute");
	cr_expect_eq(frame_of(HEADER("\0\26") "\1\1", 22), -EBADMSG, "attribute of length 1");
	cr_expect_eq(frame_of(HEADER("\0\26") "\1\3x", 23), -EBADMSG, "attribute into the padding");
	cr_expect_eq(frame_of(HEADER("\0\46") SIGNED, 38), 0);
	cr_expect_eq(frame_of(HEADER("\0\27") "\120\3x", 23), -EBADMSG, "short signature");
	cr_expect_eq(frame_of(HEADER("\0\70") SIGNED SIGNED, 56), -EBADMSG, "signed twice");
	cr_expect_eq(radius_packet_frame(buf, sizeof(buf), &frame), -EBADMSG, "longer than 4096");
}

/* Encrypts as a server does; returns the length. */
static size_t salt_encrypt(const char *clear, uint8_t *out)
{
	uint8_t padded[256] = { (uint8_t)strlen(clear) }, stream[16];
	size_t len = (strlen(clear) + 1 + 15) / 16 * 16, at, i;

	memcpy(padded + 1, clear, strlen(clear));
	memcpy(out, "\x80\x01", 2);
	for (at = 0; at < len; at += 16) {
		if (at)
			fake_md5(stream, "xyzzy5461", 9, out + 2 + at - 16, 16, "", 0);
		else
			fake_md5(stream, "xyzzy5461", 9, rfc_authenticator, 16, out, 2);
		for (i = 0; i < 16; i++)
			out[2 + at + i] = padded[at + i] ^ stream[i];
	}
	return len + 2;
}

Test(packet, salted_values)
{
	static const char *const clears[] = { "", "key", "fifteen octets!", "sixteen octets!!",
		"a key of thirty-two octets, yes!" };
	uint8_t hidden[300], clear[256];
	size_t i, len;

	for (i = 0; i < sizeof(clears) / sizeof(clears[0]); i++) {
		len = salt_encrypt(clears[i], hidden);
		cr_assert_eq(radius_salt_decrypt(&rfc_secret, rfc_authenticator, hidden, len, clear,
				     sizeof(clear)),
			(int)strlen(clears[i]));
		cr_expect_arr_eq(clear, clears[i], strlen(clears[i]));
	}
	cr_expect_eq(radius_salt_decrypt(&rfc_secret, rfc_authenticator, hidden, len, clear, 31),
		-ENOSPC);
	cr_expect_eq(
		radius_salt_decrypt(&rfc_secret, rfc_authenticator, hidden, len - 1, clear, 256),
		-EBADMSG);
	cr_expect_eq(radius_salt_decrypt(&rfc_secret, rfc_authenticator, hidden, 2, clear, 256),
		-EBADMSG);
	hidden[2] ^= 0xff; /* the length octet is 0xdf now */
	cr_expect_eq(radius_salt_decrypt(&rfc_secret, rfc_authenticator, hidden, len, clear, 256),
		-EBADMSG);
}
