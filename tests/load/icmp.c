/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp: IPv4 headers without options (RFC 791) and ICMP echo (RFC 792).
 */
#include "tests/load/icmp.h"

#include "lns/l2tp/wire.h"

#include <arpa/inet.h>
#include <string.h>

enum {
	IP_HEADER = 20,
	ICMP_HEADER = 8,
	IP_SUM_AT = 10,
	ICMP_SUM_AT = IP_HEADER + 2,
	PROTOCOL_ICMP = 1,
	ECHO_REPLY = 0,
	ECHO_REQUEST = 8,
	TTL = 64,
};

/* 0 for data that includes its correct checksum. */
static uint16_t checksum(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	if (len & 1)
		sum += (uint32_t)data[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

size_t icmp_write(const struct icmp_echo *echo, uint8_t *buf, size_t size)
{
	struct wire_writer out;

	wire_writer_init(&out, buf, size);
	wire_put_u16(&out, 0x4500);
	wire_put_u16(&out, (uint16_t)(ICMP_HEADERS + echo->len));
	wire_put_u16(&out, echo->sequence);
	wire_put_u16(&out, 0);
	wire_put_u8(&out, TTL);
	wire_put_u8(&out, PROTOCOL_ICMP);
	wire_put_u16(&out, 0);
	wire_put_u32(&out, ntohl(echo->from.s_addr));
	wire_put_u32(&out, ntohl(echo->to.s_addr));
	wire_put_u8(&out, echo->reply ? ECHO_REPLY : ECHO_REQUEST);
	wire_put_u8(&out, 0);
	wire_put_u16(&out, 0);
	wire_put_u16(&out, echo->id);
	wire_put_u16(&out, echo->sequence);
	wire_put_octets(&out, echo->data, echo->len);
	if (out.error)
		return 0;
	wire_set_u16(&out, IP_SUM_AT, checksum(buf, IP_HEADER));
	wire_set_u16(&out, ICMP_SUM_AT, checksum(buf + IP_HEADER, out.used - IP_HEADER));
	return out.used;
}

bool icmp_read(const uint8_t *packet, size_t len, struct icmp_echo *ret)
{
	struct wire_reader in;
	size_t header = len ? (packet[0] & 0x0f) * 4u : 0, total;
	uint8_t type, code;

	if (len < IP_HEADER || packet[0] >> 4 != 4 || header < IP_HEADER)
		return false;
	total = (size_t)packet[2] << 8 | packet[3];
	if (total > len || total < header + ICMP_HEADER || packet[9] != PROTOCOL_ICMP ||
		checksum(packet, header) != 0 || checksum(packet + header, total - header) != 0)
		return false;
	wire_reader_init(&in, packet + header, total - header);
	type = wire_get_u8(&in);
	code = wire_get_u8(&in);
	wire_get_u16(&in);
	if (code != 0 || (type != ECHO_REPLY && type != ECHO_REQUEST))
		return false;
	*ret = (struct icmp_echo){
		.reply = type == ECHO_REPLY, .id = wire_get_u16(&in), .sequence = wire_get_u16(&in)
	};
	memcpy(&ret->from, packet + 12, sizeof(ret->from));
	memcpy(&ret->to, packet + 16, sizeof(ret->to));
	ret->data = in.data;
	ret->len = in.left;
	return true;
}
