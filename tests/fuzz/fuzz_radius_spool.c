/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_radius_spool: a row of the spool as somebody else, or a broken disk, may have written it: its
 * kind in the first octet, whether it has a session in the second, then its attributes.
 *
 * What is accepted is a record that can be sent: it says what kind it is, a packet has room for it, and
 * it would be stored as what decodes to the same again.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "radius/attr_codes.h"
#include "radius/spool_internal.h"

static void look(const struct radius_attrs *attrs, unsigned int kind)
{
	/* One attribute of a vendor each can make it longer than it was. */
	static uint8_t first[4 * RADIUS_PACKET_MAX], second[4 * RADIUS_PACKET_MAX];
	struct radius_attrs *again;
	int len = radius_attrs_encode(attrs, first, sizeof(first));

	REQUIRE(len >= 6);
	if (spool_decode(kind, first, (size_t)len, &again))
		return;
	REQUIRE(radius_attrs_encode(again, second, sizeof(second)) == len);
	REQUIRE(!memcmp(first, second, (size_t)len));
	radius_attrs_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct radius_attrs *attrs;
	struct spool_row row = { .id = 1 };
	uint8_t *octets;

	if (size < 2)
		return 0;
	row.kind = data[0];
	row.session = data[1];
	if (!spool_row_is_sound(&row))
		return 0;
	REQUIRE(row.kind < SPOOL_KINDS);
	/* Of its exact length, for the sanitizers to see what is read behind it. */
	size -= 2;
	octets = malloc(size ? size : 1);
	REQUIRE(octets != NULL);
	memcpy(octets, data + 2, size);
	if (!spool_decode((unsigned int)row.kind, octets, size, &attrs)) {
		look(attrs, (unsigned int)row.kind);
		radius_attrs_free(attrs);
	}
	free(octets);
	return 0;
}
