/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * digest: CHAP responses and a comparison in constant time, over nettle.
 */
#include "radius/digest.h"

#include <nettle/md5.h>
#include <nettle/memops.h>
#include <string.h>

void radius_chap_response(uint8_t id, const void *secret, size_t secret_len, const void *challenge,
	size_t challenge_len, uint8_t response[RADIUS_CHAP_LEN])
{
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, 1, &id);
	md5_update(&md5, secret_len, secret);
	md5_update(&md5, challenge_len, challenge);
	md5_digest(&md5, RADIUS_CHAP_LEN, response);
	explicit_bzero(&md5, sizeof(md5));
}

bool radius_equal(const void *a, const void *b, size_t len)
{
	return memeql_sec(a, b, len) != 0;
}
