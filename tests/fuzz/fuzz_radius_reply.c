/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_radius_reply: octets that claim to be a reply, through framing, verification, decoding of
 * attributes, looking at them, and decryption of salted values.
 *
 * The octets are taken twice: as they are, and signed by us, so that what comes behind the
 * authenticators is reached as well. What was decoded must encode to something that decodes to the
 * same again.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "radius/attr_codes.h"
#include "radius/packet.h"

static const struct radius_secret secret = { "testing123", 10 };
static const uint8_t request_authenticator[RADIUS_AUTH_LEN] = "0123456789abcde";

static bool look(void *ctx, radius_code code, const char *name, const uint8_t *data, size_t len)
{
	const struct radius_attrs *attrs = ctx;
	struct in6_addr prefix;
	unsigned int prefix_len;
	uint8_t clear[256];
	char text[256];
	uint32_t value;

	REQUIRE(len <= 253 && strlen(name) <= 32);
	/* Reads what was given, for the sanitizers to see. */
	REQUIRE(len == 0 || memchr(data, data[len - 1], len) != NULL);
	if (radius_get_string(attrs, code, text, sizeof(text)))
		REQUIRE(strlen(text) < sizeof(text));
	if (radius_get_prefix6(attrs, code, 0, &prefix, &prefix_len))
		REQUIRE(prefix_len <= 128);
	(void)radius_get_u32(attrs, code, &value);
	REQUIRE(radius_get_tag(attrs, code, 0) <= 31);
	REQUIRE(radius_salt_decrypt(&secret, request_authenticator, data, len, clear,
			sizeof(clear)) < (int)len);
	return true;
}

static void decode(const uint8_t *octets, size_t len)
{
	static uint8_t first[2 * RADIUS_PACKET_MAX], second[2 * RADIUS_PACKET_MAX];
	struct radius_attrs *attrs, *again;
	int first_len, second_len;

	if (radius_attrs_decode(octets, len, &attrs))
		return;
	radius_attrs_each(attrs, look, attrs);
	first_len = radius_attrs_encode(attrs, first, sizeof(first));
	REQUIRE(first_len >= 0);
	/* One attribute of a vendor each makes it longer, and too many are refused. */
	if (!radius_attrs_decode(first, (size_t)first_len, &again)) {
		second_len = radius_attrs_encode(again, second, sizeof(second));
		REQUIRE(second_len == first_len && !memcmp(first, second, (size_t)first_len));
		radius_attrs_free(again);
	}
	radius_attrs_free(attrs);
}

static void take(const uint8_t *octets, size_t len, bool must_verify)
{
	struct radius_frame frame;

	if (radius_packet_frame(octets, len, &frame)) {
		REQUIRE(!must_verify);
		return;
	}
	REQUIRE(frame.len <= len);
	REQUIRE(radius_packet_verify_reply(&frame, request_authenticator, &secret) || !must_verify);
	decode(octets + RADIUS_HEADER_LEN, frame.len - RADIUS_HEADER_LEN);
}

/* Sets length and authenticators right, as somebody who knows the secret would. */
static bool make_genuine(uint8_t *octets, size_t len)
{
	struct radius_frame frame;

	octets[2] = (uint8_t)(len >> 8);
	octets[3] = (uint8_t)len;
	if (radius_packet_frame(octets, len, &frame))
		return false;
	if (frame.message_authenticator)
		radius_packet_hmac(&frame, request_authenticator, &secret,
			octets + frame.message_authenticator);
	radius_packet_digest(&frame, request_authenticator, &secret, octets + 4);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *octets = malloc(size ? size : 1);

	REQUIRE(octets != NULL);
	memcpy(octets, data, size);
	take(octets, size, false);
	decode(data, size);
	if (size >= RADIUS_HEADER_LEN && size <= RADIUS_PACKET_MAX && make_genuine(octets, size))
		take(octets, size, true);
	free(octets);
	return 0;
}
