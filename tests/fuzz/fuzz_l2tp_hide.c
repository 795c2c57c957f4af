/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_l2tp_hide: any octets through unhiding, any value through hiding and back.
 *
 * Input: length of the secret, length of the random vector, type (2), then secret, vector and the
 * hidden octets. Properties: the length inside never exceeds what was hidden; hiding what was
 * unhidden gives the same octets; a value hidden with any padding comes back.
 */
#include "tests/fuzz/fuzz.h"
#include "lns/l2tp/hide.h"
#include "lns/l2tp/wire.h"

#include <stdlib.h>
#include <string.h>

/* out has exactly len octets. */
static void check_unhide(const struct l2tp_secret *secret, uint16_t type,
	const struct l2tp_span *vector, const uint8_t *hidden, size_t len, uint8_t *out)
{
	int inner = l2tp_unhide(secret, type, vector, hidden, len, out);

	REQUIRE(inner < 0 || (size_t)inner + 2 <= len);
	if (len >= 2)
		REQUIRE((inner < 0) == ((size_t)(out[0] << 8 | out[1]) > len - 2));
	l2tp_hide(secret, type, vector, out, len);
	REQUIRE(len == 0 || memcmp(out, hidden, len) == 0);
}

/* Takes octets as value and padding: a third of them is padding. */
static void check_hide(const struct l2tp_secret *secret, uint16_t type,
	const struct l2tp_span *vector, const uint8_t *octets, size_t len, uint8_t *out)
{
	size_t value = (len - 2) - (len - 2) / 3;
	uint8_t *hidden = malloc(len);

	REQUIRE(hidden);
	memcpy(hidden, octets, len);
	hidden[0] = (uint8_t)(value >> 8);
	hidden[1] = (uint8_t)value;
	l2tp_hide(secret, type, vector, hidden, len);
	REQUIRE(l2tp_unhide(secret, type, vector, hidden, len, out) == (int)value);
	REQUIRE(memcmp(out + 2, octets + 2, len - 2) == 0);
	free(hidden);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_reader reader;
	struct l2tp_secret secret = { 0 };
	struct l2tp_span vector = { 0 };
	const uint8_t *octets;
	uint8_t *out;
	uint16_t type;
	size_t len;

	wire_reader_init(&reader, data, size);
	secret.len = wire_get_u8(&reader);
	vector.len = wire_get_u8(&reader);
	type = wire_get_u16(&reader);
	octets = wire_get_octets(&reader, secret.len);
	if (octets)
		memcpy(secret.data, octets, secret.len);
	vector.data = wire_get_octets(&reader, vector.len);
	len = reader.left;
	octets = wire_get_octets(&reader, len);
	if (reader.error || secret.len == 0 || len > 1017)
		return 0;

	out = malloc(len > 0 ? len : 1);
	REQUIRE(out);
	check_unhide(&secret, type, &vector, octets, len, out);
	if (len >= 2)
		check_hide(&secret, type, &vector, octets, len, out);
	free(out);
	return 0;
}
