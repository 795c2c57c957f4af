/* SPDX-License-Identifier: BSD-2-Clause */
/* hide: hides and unhides AVP values (RFC 2661 section 4.3). */
#include "lns/l2tp/hide.h"

#include "lns/l2tp/wire.h"

#include <errno.h>
#include <nettle/md5.h>
#include <string.h>

enum { SEGMENT = MD5_DIGEST_SIZE, INNER_LENGTH = 2 };

/* The mask of the first segment. */
static void mask_first(const struct l2tp_secret *secret, uint16_t type,
	const struct l2tp_span *vector, uint8_t mask[SEGMENT])
{
	const uint8_t number[2] = { (uint8_t)(type >> 8), (uint8_t)type };
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, sizeof(number), number);
	md5_update(&md5, secret->len, secret->data);
	md5_update(&md5, vector->len, vector->data);
	md5_digest(&md5, SEGMENT, mask);
	explicit_bzero(&md5, sizeof(md5));
}

/* The mask of a segment after hidden, the one before it. */
static void mask_next(
	const struct l2tp_secret *secret, const uint8_t *hidden, uint8_t mask[SEGMENT])
{
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, secret->len, secret->data);
	md5_update(&md5, SEGMENT, hidden);
	md5_digest(&md5, SEGMENT, mask);
	explicit_bzero(&md5, sizeof(md5));
}

void l2tp_hide(const struct l2tp_secret *secret, uint16_t type, const struct l2tp_span *vector,
	uint8_t *subformat, size_t len)
{
	uint8_t mask[SEGMENT];

	mask_first(secret, type, vector, mask);
	for (size_t i = 0; i < len; i++) {
		if (i != 0 && i % SEGMENT == 0)
			mask_next(secret, subformat + i - SEGMENT, mask);
		subformat[i] ^= mask[i % SEGMENT];
	}
	explicit_bzero(mask, sizeof(mask));
}

int l2tp_unhide(const struct l2tp_secret *secret, uint16_t type, const struct l2tp_span *vector,
	const uint8_t *hidden, size_t len, uint8_t *subformat)
{
	struct wire_reader reader;
	uint8_t mask[SEGMENT];
	uint16_t inner;

	mask_first(secret, type, vector, mask);
	for (size_t i = 0; i < len; i++) {
		if (i != 0 && i % SEGMENT == 0)
			mask_next(secret, hidden + i - SEGMENT, mask);
		subformat[i] = hidden[i] ^ mask[i % SEGMENT];
	}
	explicit_bzero(mask, sizeof(mask));

	wire_reader_init(&reader, subformat, len);
	inner = wire_get_u16(&reader);
	if (!wire_get_octets(&reader, inner) || reader.error)
		return -EBADMSG;
	return inner;
}
