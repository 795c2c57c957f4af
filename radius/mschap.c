/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mschap: MS-CHAPv2 and its MPPE keys, over nettle's MD4, SHA-1 and DES. Section numbers are those of
 * RFC 2759 unless another RFC is named. Everything derived from the password is wiped.
 */
#include "radius/mschap.h"

#include <errno.h>
#include <nettle/des.h>
#include <nettle/md4.h>
#include <nettle/memops.h>
#include <nettle/sha1.h>
#include <stdbool.h>
#include <string.h>

#define HASH_LEN     16
#define NT_LEN       24
#define NT_OFFSET    24 /* in a response, behind peer challenge and reserved octets */
#define PASSWORD_MAX 256
#define MPPE_PAD_LEN 40

struct part {
	const void *data;
	size_t len;
};

static void sha1_of(const struct part *parts, size_t count, uint8_t *out, size_t out_len)
{
	struct sha1_ctx sha1;

	sha1_init(&sha1);
	for (size_t i = 0; i < count; i++)
		sha1_update(&sha1, parts[i].len, parts[i].data);
	sha1_digest(&sha1, out_len, out);
	explicit_bzero(&sha1, sizeof(sha1));
}

static void md4_of(const void *data, size_t len, uint8_t out[HASH_LEN])
{
	struct md4_ctx md4;

	md4_init(&md4);
	md4_update(&md4, len, data);
	md4_digest(&md4, HASH_LEN, out);
	explicit_bzero(&md4, sizeof(md4));
}

/* The next code point of UTF-8 text of len octets; its length in octets, 0 when there is none. */
static size_t next_code_point(const uint8_t *text, size_t len, uint32_t *ret)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 } };

	for (size_t n = 0; n < sizeof(forms) / sizeof(forms[0]); n++) {
		uint32_t point = text[0] & (uint8_t)~forms[n].mask;

		if ((text[0] & forms[n].mask) != forms[n].lead)
			continue;
		if (n >= len)
			return 0;
		for (size_t i = 1; i <= n; i++) {
			if ((text[i] & 0xc0) != 0x80)
				return 0;
			point = point << 6 | (text[i] & 0x3f);
		}
		if (point < forms[n].least || point > 0x10ffff ||
			(point >= 0xd800 && point < 0xe000))
			return 0;
		*ret = point;
		return n + 1;
	}
	return 0;
}

/* NtPasswordHash, section 8.3: MD4 of the password in UTF-16LE. 0 or -EINVAL. */
static int hash_password(const uint8_t *password, size_t len, uint8_t hash[HASH_LEN])
{
	uint8_t wide[PASSWORD_MAX * 2];
	size_t used = 0, step;
	int err = 0;

	for (size_t at = 0; at < len && !err; at += step) {
		uint32_t point = 0, units[2];
		size_t count;

		step = next_code_point(password + at, len - at, &point);
		count = point > 0xffff ? 2 : 1;
		if (!step || used + count * 2 > sizeof(wide)) {
			err = -EINVAL;
			break;
		}
		units[0] = count == 1 ? point : 0xd800 + ((point - 0x10000) >> 10);
		units[1] = 0xdc00 + ((point - 0x10000) & 0x3ff);
		for (size_t i = 0; i < count; i++) {
			wide[used++] = units[i] & 0xff;
			wide[used++] = units[i] >> 8 & 0xff;
		}
	}
	if (!err)
		md4_of(wide, used, hash);
	explicit_bzero(wide, sizeof(wide));
	return err;
}

/* DesEncrypt, section 8.6: 56 bits of key, spread over 8 octets whose lowest bit is parity. */
static void des_of(const uint8_t clear[8], const uint8_t key[7], uint8_t cipher[8])
{
	struct des_ctx des;
	uint8_t spread[8];
	uint64_t bits = 0;

	for (int i = 0; i < 7; i++)
		bits = bits << 8 | key[i];
	for (int i = 0; i < 8; i++)
		spread[i] = (uint8_t)(bits >> (49 - 7 * i) << 1);
	des_fix_parity(sizeof(spread), spread, spread);
	des_set_key(
		&des, spread); /* a weak key is a password's misfortune: it works all the same */
	des_encrypt(&des, 8, cipher, clear);
	explicit_bzero(&des, sizeof(des));
	explicit_bzero(spread, sizeof(spread));
	explicit_bzero(&bits, sizeof(bits));
}

/* ChallengeResponse, section 8.5. */
static void nt_response(
	const uint8_t challenge[8], const uint8_t hash[HASH_LEN], uint8_t response[NT_LEN])
{
	uint8_t padded[21] = { 0 };

	memcpy(padded, hash, HASH_LEN);
	for (int i = 0; i < 3; i++)
		des_of(challenge, padded + 7 * i, response + 8 * i);
	explicit_bzero(padded, sizeof(padded));
}

/* GenerateAuthenticatorResponse, section 8.7. */
static void make_success(const uint8_t hash_hash[HASH_LEN], const uint8_t *nt,
	const uint8_t challenge[8], char text[MSCHAP_SUCCESS_LEN + 1])
{
	static const char magic1[] = "Magic server to client signing constant";
	static const char magic2[] = "Pad to make it do more than one iteration";
	static const char digits[] = "0123456789ABCDEF";
	uint8_t digest[SHA1_DIGEST_SIZE];
	const struct part first[] = { { hash_hash, HASH_LEN }, { nt, NT_LEN },
		{ magic1, sizeof(magic1) - 1 } };
	const struct part second[] = { { digest, sizeof(digest) }, { challenge, 8 },
		{ magic2, sizeof(magic2) - 1 } };

	sha1_of(first, 3, digest, sizeof(digest));
	sha1_of(second, 3, digest, sizeof(digest));
	memcpy(text, "S=", 2);
	for (size_t i = 0; i < sizeof(digest); i++) {
		text[2 + 2 * i] = digits[digest[i] >> 4];
		text[3 + 2 * i] = digits[digest[i] & 15];
	}
	text[MSCHAP_SUCCESS_LEN] = '\0';
}

/* GetAsymmetricStartKey of RFC 3079 section 3.4, for the server. */
static void make_key(const uint8_t master[HASH_LEN], bool send, uint8_t key[HASH_LEN])
{
	static const char magic2[] = "On the client side, this is the send key; "
				     "on the server side, it is the receive key.";
	static const char magic3[] = "On the client side, this is the receive key; "
				     "on the server side, it is the send key.";
	static const uint8_t pad1[MPPE_PAD_LEN];
	uint8_t pad2[MPPE_PAD_LEN];
	const struct part parts[] = { { master, HASH_LEN }, { pad1, sizeof(pad1) },
		{ send ? magic3 : magic2, (send ? sizeof(magic3) : sizeof(magic2)) - 1 },
		{ pad2, sizeof(pad2) } };

	memset(pad2, 0xf2, sizeof(pad2));
	sha1_of(parts, 4, key, HASH_LEN);
}

/* GetMasterKey of RFC 3079 section 3.4, and both start keys. */
static void make_keys(
	const uint8_t hash_hash[HASH_LEN], const uint8_t *nt, struct mschap_proof *proof)
{
	static const char magic1[] = "This is the MPPE Master Key";
	uint8_t master[HASH_LEN];
	const struct part parts[] = { { hash_hash, HASH_LEN }, { nt, NT_LEN },
		{ magic1, sizeof(magic1) - 1 } };

	sha1_of(parts, 3, master, sizeof(master));
	make_key(master, true, proof->send_key);
	make_key(master, false, proof->recv_key);
	explicit_bzero(master, sizeof(master));
}

int mschap_v2_check(const void *name, size_t name_len, const void *password, size_t password_len,
	const uint8_t challenge[MSCHAP_CHALLENGE_LEN], const uint8_t response[MSCHAP_RESPONSE_LEN],
	struct mschap_proof *ret_proof)
{
	const uint8_t *nt = response + NT_OFFSET;
	const uint8_t *domain = name_len ? memrchr(name, '\\', name_len) : NULL;
	const uint8_t *user = domain ? domain + 1 : name;
	const struct part parts[] = { { response, MSCHAP_CHALLENGE_LEN },
		{ challenge, MSCHAP_CHALLENGE_LEN },
		{ user, name_len - (size_t)(user - (const uint8_t *)name) } };
	uint8_t hash[HASH_LEN], hash_hash[HASH_LEN], expected[NT_LEN], challenge_hash[8];
	int err = hash_password(password, password_len, hash);

	if (err < 0)
		return err;
	sha1_of(parts, 3, challenge_hash, sizeof(challenge_hash)); /* section 8.2 */
	nt_response(challenge_hash, hash, expected);
	if (!memeql_sec(expected, nt, NT_LEN)) {
		err = -EACCES;
	} else {
		md4_of(hash, sizeof(hash), hash_hash);
		make_success(hash_hash, nt, challenge_hash, ret_proof->success);
		make_keys(hash_hash, nt, ret_proof);
	}
	explicit_bzero(hash, sizeof(hash));
	explicit_bzero(hash_hash, sizeof(hash_hash));
	explicit_bzero(expected, sizeof(expected));
	return err;
}
