/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mschap: RFC 2759 section 8, on MD4, SHA-1 and DES of nettle.
 */
#include "tests/load/mschap.h"

#include <nettle/des.h>
#include <nettle/md4.h>
#include <nettle/sha1.h>
#include <stdio.h>
#include <string.h>

#define PASSWORD_MAX 256

enum { HASH = MD4_DIGEST_SIZE, CHALLENGE_HASH = 8 };

static const char magic1[] = "Magic server to client signing constant";
static const char magic2[] = "Pad to make it do more than one iteration";

/* One code point of UTF-8; octets that are none count as themselves. Returns how many were used. */
static size_t code_point(const uint8_t *text, size_t len, uint16_t *ret)
{
	if (len >= 2 && (text[0] & 0xe0) == 0xc0 && (text[1] & 0xc0) == 0x80) {
		*ret = (uint16_t)((text[0] & 0x1f) << 6 | (text[1] & 0x3f));
		return 2;
	}
	if (len >= 3 && (text[0] & 0xf0) == 0xe0 && (text[1] & 0xc0) == 0x80 &&
		(text[2] & 0xc0) == 0x80) {
		*ret = (uint16_t)((text[0] & 0x0f) << 12 | (text[1] & 0x3f) << 6 |
				  (text[2] & 0x3f));
		return 3;
	}
	*ret = text[0];
	return 1;
}

/* NtPasswordHash: MD4 of the password in UTF-16, low octet first. */
static void password_hash(const char *password, uint8_t ret[HASH])
{
	uint8_t unicode[2 * PASSWORD_MAX];
	size_t len = strnlen(password, PASSWORD_MAX), used = 0;
	struct md4_ctx md4;

	for (size_t at = 0; at < len;) {
		uint16_t c;

		at += code_point((const uint8_t *)password + at, len - at, &c);
		unicode[used++] = (uint8_t)c;
		unicode[used++] = (uint8_t)(c >> 8);
	}
	md4_init(&md4);
	md4_update(&md4, used, unicode);
	md4_digest(&md4, HASH, ret);
	explicit_bzero(unicode, sizeof(unicode));
	explicit_bzero(&md4, sizeof(md4));
}

static void challenge_hash(const uint8_t *peer_challenge, const uint8_t *auth_challenge,
	const char *user, uint8_t ret[CHALLENGE_HASH])
{
	const char *bare = strrchr(user, '\\');
	struct sha1_ctx sha1;

	bare = bare ? bare + 1 : user;
	sha1_init(&sha1);
	sha1_update(&sha1, MSCHAP_CHALLENGE, peer_challenge);
	sha1_update(&sha1, MSCHAP_CHALLENGE, auth_challenge);
	sha1_update(&sha1, strlen(bare), (const uint8_t *)bare);
	sha1_digest(&sha1, CHALLENGE_HASH, ret);
}

/* DES with a key of 56 bits, spread over 8 octets whose lowest bit is parity. */
static void des56(const uint8_t key[7], const uint8_t clear[DES_BLOCK_SIZE], uint8_t *ret)
{
	uint8_t spread[DES_KEY_SIZE], parity[DES_KEY_SIZE];
	uint64_t bits = 0;
	struct des_ctx des;

	for (int i = 0; i < 7; i++)
		bits = bits << 8 | key[i];
	for (int i = 0; i < 8; i++)
		spread[i] = (uint8_t)((bits >> (49 - 7 * i) & 0x7f) << 1);
	des_fix_parity(sizeof(parity), parity, spread);
	/* That a key is weak is no reason not to use it here. */
	(void)des_set_key(&des, parity);
	des_encrypt(&des, DES_BLOCK_SIZE, ret, clear);
	explicit_bzero(&des, sizeof(des));
	explicit_bzero(spread, sizeof(spread));
	explicit_bzero(parity, sizeof(parity));
}

void mschap_nt_response(const uint8_t auth_challenge[MSCHAP_CHALLENGE],
	const uint8_t peer_challenge[MSCHAP_CHALLENGE], const char *user, const char *password,
	uint8_t ret[MSCHAP_NT_RESPONSE])
{
	uint8_t challenge[CHALLENGE_HASH], key[21] = { 0 };

	challenge_hash(peer_challenge, auth_challenge, user, challenge);
	password_hash(password, key);
	for (int i = 0; i < 3; i++)
		des56(key + 7 * i, challenge, ret + 8 * i);
	explicit_bzero(key, sizeof(key));
}

void mschap_proof(const char *password, const uint8_t nt_response[MSCHAP_NT_RESPONSE],
	const uint8_t peer_challenge[MSCHAP_CHALLENGE],
	const uint8_t auth_challenge[MSCHAP_CHALLENGE], const char *user,
	char ret[MSCHAP_PROOF + 1])
{
	uint8_t hash[HASH], hash_hash[HASH], challenge[CHALLENGE_HASH], digest[SHA1_DIGEST_SIZE];
	struct md4_ctx md4;
	struct sha1_ctx sha1;

	password_hash(password, hash);
	md4_init(&md4);
	md4_update(&md4, HASH, hash);
	md4_digest(&md4, HASH, hash_hash);
	sha1_init(&sha1);
	sha1_update(&sha1, HASH, hash_hash);
	sha1_update(&sha1, MSCHAP_NT_RESPONSE, nt_response);
	sha1_update(&sha1, sizeof(magic1) - 1, (const uint8_t *)magic1);
	sha1_digest(&sha1, SHA1_DIGEST_SIZE, digest);
	challenge_hash(peer_challenge, auth_challenge, user, challenge);
	sha1_update(&sha1, SHA1_DIGEST_SIZE, digest);
	sha1_update(&sha1, CHALLENGE_HASH, challenge);
	sha1_update(&sha1, sizeof(magic2) - 1, (const uint8_t *)magic2);
	sha1_digest(&sha1, SHA1_DIGEST_SIZE, digest);
	memcpy(ret, "S=", 2);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(ret + 2 + 2 * i, 3, "%02X", digest[i]);
	explicit_bzero(hash, sizeof(hash));
	explicit_bzero(hash_hash, sizeof(hash_hash));
}

void mschap_value(const uint8_t peer_challenge[MSCHAP_CHALLENGE],
	const uint8_t nt_response[MSCHAP_NT_RESPONSE], uint8_t ret[MSCHAP_VALUE])
{
	memset(ret, 0, MSCHAP_VALUE);
	memcpy(ret, peer_challenge, MSCHAP_CHALLENGE);
	memcpy(ret + 24, nt_response, MSCHAP_NT_RESPONSE);
}
