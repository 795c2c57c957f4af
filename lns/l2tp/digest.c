/* SPDX-License-Identifier: BSD-2-Clause */
/* digest: computes and compares the Challenge Response of tunnel authentication. */
#include "lns/l2tp/digest.h"

#include <nettle/md5.h>
#include <nettle/memops.h>
#include <string.h>

_Static_assert(MD5_DIGEST_SIZE == 16, "Challenge Response is one MD5 digest");

void l2tp_digest_response(uint8_t msg_type, const struct l2tp_secret *secret,
	const uint8_t *challenge, size_t len, uint8_t ret[16])
{
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, sizeof(msg_type), &msg_type);
	md5_update(&md5, secret->len, secret->data);
	md5_update(&md5, len, challenge);
	md5_digest(&md5, MD5_DIGEST_SIZE, ret);
	explicit_bzero(&md5, sizeof(md5));
}

bool l2tp_digest_equal(const uint8_t a[16], const uint8_t b[16])
{
	return memeql_sec(a, b, MD5_DIGEST_SIZE);
}
