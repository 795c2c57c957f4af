// SPDX-License-Identifier: BSD-2-Clause
/* mschap: the vectors of RFC 2759 section 9.2 and RFC 3079 section 3.5.3, and what must not pass. */
#include "radius/mschap.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const uint8_t challenge[16] = { 0x5b, 0x5d, 0x7c, 0x7d, 0x7b, 0x3f, 0x2f, 0x3e, 0x3c, 0x2c,
	0x60, 0x21, 0x32, 0x26, 0x26, 0x28 };
static const uint8_t good[49] = { 0x21, 0x40, 0x23, 0x24, 0x25, 0x5e, 0x26, 0x2a, 0x28, 0x29, 0x5f,
	0x2b, 0x3a, 0x33, 0x7c, 0x7e, 0, 0, 0, 0, 0, 0, 0, 0, 0x82, 0x30, 0x9e, 0xcd, 0x8d, 0x70,
	0x8b, 0x5e, 0xa0, 0x8f, 0xaa, 0x39, 0x81, 0xcd, 0x83, 0x54, 0x42, 0x33, 0x11, 0x4a, 0x3d,
	0x85, 0xd6, 0xdf, 0 };

static int check(
	const char *name, const char *password, const uint8_t *response, struct mschap_proof *proof)
{
	return mschap_v2_check(
		name, strlen(name), password, strlen(password), challenge, response, proof);
}

Test(mschap, the_vectors_of_the_rfcs)
{
	static const uint8_t send_key[16] = { 0x8b, 0x7c, 0xdc, 0x14, 0x9b, 0x99, 0x3a, 0x1b, 0xa1,
		0x18, 0xcb, 0x15, 0x3f, 0x56, 0xdc, 0xcb };
	struct mschap_proof proof;

	cr_assert_eq(check("User", "clientPass", good, &proof), 0);
	cr_assert_str_eq(proof.success, "S=407A5589115FD0D6209F510FE9C04566932CDA56");
	cr_assert_arr_eq(proof.send_key, send_key, 16);
	cr_assert_neq(memcmp(proof.send_key, proof.recv_key, 16), 0);
}

Test(mschap, a_domain_is_not_part_of_the_name)
{
	struct mschap_proof proof;

	cr_assert_eq(check("BIGCO\\User", "clientPass", good, &proof), 0);
	cr_assert_eq(check("BIGCO/User", "clientPass", good, &proof), -EACCES);
}

Test(mschap, what_differs_is_refused)
{
	struct mschap_proof proof = { 0 };
	uint8_t response[49];

	cr_assert_eq(check("User", "clientpass", good, &proof), -EACCES);
	cr_assert_eq(check("user", "clientPass", good, &proof), -EACCES);
	cr_assert_eq(check("", "", good, &proof), -EACCES);
	for (size_t i = 0; i < 48; i++) {
		if (i >= 16 && i < 24)
			continue; /* reserved */
		memcpy(response, good, sizeof(response));
		response[i] ^= 1;
		cr_assert_eq(
			check("User", "clientPass", response, &proof), -EACCES, "octet %zu", i);
	}
	cr_assert_str_empty(proof.success);
}

Test(mschap, a_password_must_be_utf_8)
{
	static const char *const rows[] = { "\x80", "\xc0\x80", "\xe2\x82", "\xed\xa0\x80",
		"\xf8\x88\x80\x80", "\xf4\x90\x80\x80" };
	struct mschap_proof proof;
	char longest[258];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(check("User", rows[i], good, &proof), -EINVAL, "row %zu", i);
	cr_assert_eq(check("User", "\xe2\x82\xac\xf0\x9f\x98\x80", good, &proof), -EACCES);
	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	cr_assert_eq(check("User", longest, good, &proof), -EACCES);
	longest[256] = 'x';
	longest[257] = '\0';
	cr_assert_eq(check("User", longest, good, &proof), -EINVAL);
}
