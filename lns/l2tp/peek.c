/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peek: walks over AVPs without judging them. Hidden, foreign and wrongly sized ones are stepped over;
 * the walk ends where an AVP does not fit.
 */
#include "lns/l2tp/peek.h"

#include "lns/l2tp/wire.h"

enum {
	HEADER_LEN = 12,
	AVP_HEADER_LEN = 6,
	AVP_LEN_MASK = 0x3ff,
	AVP_HIDDEN = 0x4000,
	TYPE_MESSAGE = 0,
	TYPE_HOST_NAME = 7,
	TYPE_TUNNEL_ID = 9,
};

static uint16_t value16(const uint8_t *value, size_t len)
{
	return len == 2 ? (uint16_t)(value[0] << 8 | value[1]) : 0;
}

static void peek_avp(uint16_t type, const uint8_t *value, size_t len, struct peek *ret)
{
	switch (type) {
	case TYPE_MESSAGE:
		if (!ret->type)
			ret->type = value16(value, len);
		break;
	case TYPE_HOST_NAME:
		ret->host_name = (struct l2tp_span){ .data = value, .len = (uint16_t)len };
		break;
	case TYPE_TUNNEL_ID:
		ret->tunnel_id = value16(value, len);
		break;
	default:
		break;
	}
}

void peek_packet(const uint8_t *packet, size_t len, struct peek *ret)
{
	struct wire_reader reader;
	size_t length;

	*ret = (struct peek){ 0 };
	if (len < HEADER_LEN)
		return;
	length = (size_t)(packet[2] << 8 | packet[3]);
	if (length < HEADER_LEN || length > len)
		return;
	wire_reader_init(&reader, packet + HEADER_LEN, length - HEADER_LEN);
	while (reader.left >= AVP_HEADER_LEN) {
		uint16_t bits = wire_get_u16(&reader);
		uint16_t vendor = wire_get_u16(&reader);
		uint16_t type = wire_get_u16(&reader);
		size_t value_len = (bits & AVP_LEN_MASK) - (size_t)AVP_HEADER_LEN;
		const uint8_t *value;

		if ((bits & AVP_LEN_MASK) < AVP_HEADER_LEN || value_len > reader.left)
			return;
		value = wire_get_octets(&reader, value_len);
		if (!vendor && !(bits & AVP_HIDDEN))
			peek_avp(type, value, value_len, ret);
	}
}
