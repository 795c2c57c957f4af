/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hiding and digests against values computed elsewhere (Python's hashlib, step by step as RFC 2661
 * sections 4.3 and 5.1.1 describe it), and the bounds of unhiding.
 */
#include "lns/l2tp/digest.h"
#include "lns/l2tp/hide.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct l2tp_secret secret = { .len = 12, .data = "tunnelsecret" };
static const uint8_t octets[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
static const struct l2tp_span vector = { octets, 16 };

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t len = strlen(hex) / 2;

	for (size_t i = 0; i < len; i++)
		cr_assert(sscanf(hex + 2 * i, "%2hhx", &out[i]) == 1);
	return len;
}

static const struct {
	const char *what;
	uint16_t type, vector_len;
	const char *value;
	size_t value_len, padding;
	const char *hidden;
} examples[] = {
	{ "two octets", 9, 16, "\x12\x34", 2, 0, "b46f43d1" },
	{ "RFC 2661's 4 octets with 12 of padding: an AVP of 24", 24, 16, "\0\x98\x96\x80", 4, 12,
		"646d5c27b3e40056c2bc52f53ef6803f3c6a" },
	{ "exactly one segment", 33, 16, "fourteen octet", 14, 0,
		"e58c54b0243439bef26cc2389816f77e" },
	{ "three segments", 30, 16, "subscriber-0001@wholesale.example.net!!!", 40, 0,
		"5fef475f7069074963f0b866f114ce9af3ef48188d75f8701a428183beaa71f26b06d13996ef435c"
		"77d2" },
	{ "no value, vector of one octet", 22, 1, "", 0, 0, "9476" },
};

Test(codec_hide, hidden_values_are_those_computed_elsewhere)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		const struct l2tp_span rv = { octets, examples[i].vector_len };
		size_t len = 2 + examples[i].value_len + examples[i].padding;
		uint8_t data[64] = { 0, (uint8_t)examples[i].value_len };
		uint8_t want[64], back[64];

		memcpy(data + 2, examples[i].value, examples[i].value_len);
		l2tp_hide(&secret, examples[i].type, &rv, data, len);
		cr_expect(unhex(examples[i].hidden, want) == len, "%s", examples[i].what);
		cr_expect(memcmp(data, want, len) == 0, "%s", examples[i].what);
		cr_expect(l2tp_unhide(&secret, examples[i].type, &rv, want, len, back) ==
				  (int)examples[i].value_len,
			"%s", examples[i].what);
		cr_expect(memcmp(back + 2, examples[i].value, examples[i].value_len) == 0, "%s",
			examples[i].what);
	}
}

Test(codec_hide, length_inside_is_checked_against_what_was_hidden)
{
	for (size_t len = 0; len <= 40; len++) {
		for (size_t inner = 0; inner <= 42; inner++) {
			uint8_t data[42] = { 0, (uint8_t)inner }, back[42];
			int want = len >= 2 && inner <= len - 2 ? (int)inner : -EBADMSG;

			l2tp_hide(&secret, 14, &vector, data, len);
			cr_expect(l2tp_unhide(&secret, 14, &vector, data, len, back) == want,
				"%zu in %zu", inner, len);
		}
	}
}

Test(codec_hide, another_secret_type_or_vector_hides_differently)
{
	const struct l2tp_secret other = { .len = 12, .data = "tunnelsecreT" };
	const struct l2tp_span shorter = { octets, 15 };
	uint8_t a[6] = { 0, 4 }, b[6] = { 0, 4 }, c[6] = { 0, 4 }, d[6] = { 0, 4 };

	l2tp_hide(&secret, 14, &vector, a, sizeof(a));
	l2tp_hide(&other, 14, &vector, b, sizeof(b));
	l2tp_hide(&secret, 15, &vector, c, sizeof(c));
	l2tp_hide(&secret, 14, &shorter, d, sizeof(d));
	cr_expect(memcmp(a, b, sizeof(a)) != 0);
	cr_expect(memcmp(a, c, sizeof(a)) != 0);
	cr_expect(memcmp(a, d, sizeof(a)) != 0);
}

Test(codec_hide, challenge_responses_are_those_computed_elsewhere)
{
	const struct l2tp_secret one = { .len = 1, .data = "s" };
	uint8_t response[16], want[16];

	l2tp_digest_response(L2TP_SCCRP, &secret, octets, sizeof(octets), response);
	unhex("2a6c79ed661de6f3302a9c101ac15d62", want);
	cr_expect(l2tp_digest_equal(response, want));
	l2tp_digest_response(L2TP_SCCCN, &secret, octets, sizeof(octets), response);
	cr_expect(!l2tp_digest_equal(response, want));
	unhex("83b5bc2dccb1940ba3842f1c231b93eb", want);
	cr_expect(l2tp_digest_equal(response, want));
	l2tp_digest_response(L2TP_SCCRP, &one, (const uint8_t *)"c", 1, response);
	unhex("07556980d860b2a3b68e84f1225464c5", want);
	cr_expect(l2tp_digest_equal(response, want));
}

Test(codec_hide, every_bit_of_a_digest_counts)
{
	uint8_t other[16];

	cr_expect(l2tp_digest_equal(octets, octets));
	for (unsigned int bit = 0; bit < 128; bit++) {
		memcpy(other, octets, sizeof(other));
		other[bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_expect(!l2tp_digest_equal(octets, other), "bit %u", bit);
	}
}
