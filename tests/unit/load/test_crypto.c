/* SPDX-License-Identifier: BSD-2-Clause */
/* mschap: the vectors of RFC 2759 section 9.2. */
#include "tests/load/mschap.h"

#include <criterion/criterion.h>
#include <string.h>

static const uint8_t auth_challenge[MSCHAP_CHALLENGE] = { 0x5b, 0x5d, 0x7c, 0x7d, 0x7b, 0x3f, 0x2f,
	0x3e, 0x3c, 0x2c, 0x60, 0x21, 0x32, 0x26, 0x26, 0x28 };
static const uint8_t peer_challenge[MSCHAP_CHALLENGE] = { 0x21, 0x40, 0x23, 0x24, 0x25, 0x5e, 0x26,
	0x2a, 0x28, 0x29, 0x5f, 0x2b, 0x3a, 0x33, 0x7c, 0x7e };
static const uint8_t nt_response[MSCHAP_NT_RESPONSE] = { 0x82, 0x30, 0x9e, 0xcd, 0x8d, 0x70, 0x8b,
	0x5e, 0xa0, 0x8f, 0xaa, 0x39, 0x81, 0xcd, 0x83, 0x54, 0x42, 0x33, 0x11, 0x4a, 0x3d, 0x85,
	0xd6, 0xdf };

Test(mschap, nt_response)
{
	uint8_t got[MSCHAP_NT_RESPONSE];

	mschap_nt_response(auth_challenge, peer_challenge, "User", "clientPass", got);
	cr_assert_arr_eq(got, nt_response, sizeof(got));
}

Test(mschap, a_domain_does_not_count)
{
	uint8_t got[MSCHAP_NT_RESPONSE];

	mschap_nt_response(auth_challenge, peer_challenge, "BIGCO\\User", "clientPass", got);
	cr_assert_arr_eq(got, nt_response, sizeof(got));
	mschap_nt_response(auth_challenge, peer_challenge, "user", "clientPass", got);
	cr_assert_arr_neq(got, nt_response, sizeof(got), "the case of a name counts");
}

Test(mschap, proof_of_the_server)
{
	char got[MSCHAP_PROOF + 1];

	mschap_proof("clientPass", nt_response, peer_challenge, auth_challenge, "User", got);
	cr_assert_str_eq(got, "S=407A5589115FD0D6209F510FE9C04566932CDA56");
}

Test(mschap, value_of_the_response_packet)
{
	uint8_t value[MSCHAP_VALUE], zero[8] = { 0 };

	mschap_value(peer_challenge, nt_response, value);
	cr_assert_arr_eq(value, peer_challenge, 16);
	cr_assert_arr_eq(value + 16, zero, 8);
	cr_assert_arr_eq(value + 24, nt_response, 24);
	cr_assert_eq(value[48], 0);
}

/* The same password in other letters: each code point is one UTF-16 unit, low octet first. */
Test(mschap, passwords_are_utf8)
{
	uint8_t ascii[MSCHAP_NT_RESPONSE], other[MSCHAP_NT_RESPONSE];

	mschap_nt_response(auth_challenge, peer_challenge, "User", "p\xc3\xa4ss", ascii);
	mschap_nt_response(auth_challenge, peer_challenge, "User", "p\xe4ss", other);
	/* A lone octet counts as itself, and U+00E4 is 0xe4. */
	cr_assert_arr_eq(ascii, other, sizeof(ascii));
}
