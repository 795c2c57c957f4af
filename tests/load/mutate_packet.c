/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutate_packet: good messages of every type, with random values, and the ways to spoil them.
 */
#include "tests/load/mutate_packet.h"

#include <string.h>

enum { HEADER = 12, LENGTH_AT = 2, TUNNEL_AT = 4, SESSION_AT = 6, NS_AT = 8, NR_AT = 10, AVP = 6 };

#define HAS(id) (1ull << L2TP_AVP_##id)

/* Types as often as they shall come, with what must be in them. */
static const struct {
	enum l2tp_msg_type type;
	unsigned int weight;
	uint64_t must, may;
} kinds[] = {
	{ L2TP_ICRQ, 25, HAS(ASSIGNED_SESSION_ID) | HAS(CALL_SERIAL_NUMBER),
		HAS(BEARER_TYPE) | HAS(CALLED_NUMBER) | HAS(CALLING_NUMBER) | HAS(SUB_ADDRESS) |
			HAS(PHYSICAL_CHANNEL_ID) | HAS(AGENT_CIRCUIT_ID) | HAS(ACTUAL_RATE_UP) },
	{ L2TP_ICCN, 15, HAS(TX_CONNECT_SPEED) | HAS(FRAMING_TYPE),
		HAS(INITIAL_RECEIVED_LCP_CONFREQ) | HAS(LAST_SENT_LCP_CONFREQ) |
			HAS(LAST_RECEIVED_LCP_CONFREQ) | HAS(PROXY_AUTHEN_TYPE) |
			HAS(PROXY_AUTHEN_NAME) | HAS(PROXY_AUTHEN_CHALLENGE) |
			HAS(PROXY_AUTHEN_ID) | HAS(PROXY_AUTHEN_RESPONSE) | HAS(PRIVATE_GROUP_ID) |
			HAS(RX_CONNECT_SPEED) | HAS(SEQUENCING_REQUIRED) },
	{ L2TP_CDN, 8, HAS(RESULT_CODE) | HAS(ASSIGNED_SESSION_ID), HAS(PPP_DISCONNECT_CAUSE) },
	{ L2TP_HELLO, 8, 0, 0 },
	{ L2TP_WEN, 5, HAS(CALL_ERRORS), 0 },
	{ L2TP_SLI, 5, HAS(ACCM), 0 },
	{ L2TP_OCRQ, 5,
		HAS(ASSIGNED_SESSION_ID) | HAS(CALL_SERIAL_NUMBER) | HAS(MINIMUM_BPS) |
			HAS(MAXIMUM_BPS) | HAS(BEARER_TYPE) | HAS(FRAMING_TYPE) |
			HAS(CALLED_NUMBER),
		HAS(SUB_ADDRESS) },
	{ L2TP_OCRP, 3, HAS(ASSIGNED_SESSION_ID), HAS(PHYSICAL_CHANNEL_ID) },
	{ L2TP_OCCN, 3, HAS(TX_CONNECT_SPEED) | HAS(FRAMING_TYPE), HAS(SEQUENCING_REQUIRED) },
	{ L2TP_SCCRQ, 5,
		HAS(PROTOCOL_VERSION) | HAS(HOST_NAME) | HAS(FRAMING_CAPABILITIES) |
			HAS(ASSIGNED_TUNNEL_ID),
		HAS(BEARER_CAPABILITIES) | HAS(TIE_BREAKER) | HAS(FIRMWARE_REVISION) |
			HAS(VENDOR_NAME) | HAS(RECEIVE_WINDOW_SIZE) | HAS(CHALLENGE) },
	{ L2TP_SCCRP, 2,
		HAS(PROTOCOL_VERSION) | HAS(HOST_NAME) | HAS(FRAMING_CAPABILITIES) |
			HAS(ASSIGNED_TUNNEL_ID),
		HAS(CHALLENGE) | HAS(CHALLENGE_RESPONSE) },
	{ L2TP_SCCCN, 4, 0, HAS(CHALLENGE_RESPONSE) },
	{ L2TP_STOPCCN, 1, HAS(RESULT_CODE) | HAS(ASSIGNED_TUNNEL_ID), 0 },
	{ L2TP_CSUN, 4, HAS(CONNECT_SPEED_UPDATE), 0 },
	{ L2TP_ICRP, 3, HAS(ASSIGNED_SESSION_ID), 0 },
	{ L2TP_ZLB, 4, 0, 0 },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void mutate_set_sequence(uint8_t *packet, uint16_t ns, uint16_t nr)
{
	put16(packet + NS_AT, ns);
	put16(packet + NR_AT, nr);
}

static struct l2tp_span random_span(struct rng *rng, const uint8_t pool[64])
{
	return (struct l2tp_span){ .data = pool, .len = (uint16_t)(1 + rng_below(rng, 63)) };
}

/* Random values in every field; only those present are sent. */
static void fill(struct rng *rng, const struct mutate_peer *peer, const uint8_t pool[64],
	struct l2tp_msg *msg)
{
	msg->result.code = (uint16_t)(1 + rng_below(rng, 12));
	msg->protocol_version = 0x0100;
	msg->framing_capabilities = msg->bearer_capabilities = 1 + rng_below(rng, 3);
	msg->tie_breaker = rng_u32(rng);
	msg->firmware_revision = (uint16_t)rng_u32(rng);
	msg->host_name = msg->vendor_name = random_span(rng, pool);
	msg->assigned_tunnel_id = rng_below(rng, 4) ? peer->own_id : rng_id(rng);
	msg->assigned_session_id = rng_id(rng);
	msg->receive_window_size = rng_id(rng);
	msg->challenge = random_span(rng, pool);
	rng_fill(rng, msg->challenge_response, sizeof(msg->challenge_response));
	msg->call_serial_number = rng_u32(rng);
	msg->minimum_bps = msg->maximum_bps = rng_u32(rng);
	msg->bearer_type = msg->framing_type = 1 + rng_below(rng, 3);
	msg->called_number = msg->calling_number = msg->sub_address = random_span(rng, pool);
	msg->tx_connect_speed = msg->rx_connect_speed = rng_u32(rng);
	msg->physical_channel_id = rng_u32(rng);
	msg->initial_received_lcp_confreq = random_span(rng, pool);
	msg->last_sent_lcp_confreq = msg->last_received_lcp_confreq = random_span(rng, pool);
	msg->proxy_authen_type = (uint16_t)rng_below(rng, 8);
	msg->proxy_authen_name = msg->proxy_authen_challenge = random_span(rng, pool);
	msg->proxy_authen_response = random_span(rng, pool);
	msg->proxy_authen_id = (uint16_t)rng_below(rng, 256);
	msg->send_accm = msg->receive_accm = rng_u32(rng);
	msg->private_group_id = random_span(rng, pool);
	msg->ppp_disconnect_cause.code = (uint16_t)rng_u32(rng);
	msg->ppp_disconnect_cause.message = random_span(rng, pool);
	msg->agent_circuit_id = random_span(rng, pool);
	msg->line[0] = rng_u32(rng);
	msg->speed_update_count = 1;
	msg->speed_updates[0] = (struct l2tp_speed_update){ .session_id = rng_id(rng) };
}

/* Mostly the next, sometimes early, sometimes late. */
static uint16_t next_ns(struct rng *rng, const struct mutate_peer *peer)
{
	switch (rng_below(rng, 8)) {
	case 0:
		return (uint16_t)(peer->ns + 1 + rng_below(rng, 4));
	case 1:
		return (uint16_t)(peer->ns - 1 - rng_below(rng, 4));
	default:
		return peer->ns;
	}
}

static size_t make_message(
	struct rng *rng, const struct mutate_peer *peer, uint8_t *packet, size_t size)
{
	uint8_t pool[64];
	struct l2tp_msg msg = { 0 };
	unsigned int kind = 0, pick = rng_below(rng, 100);
	uint16_t session_id = 0, tunnel_id;
	int len;

	while (kind < KINDS - 1 && pick >= kinds[kind].weight)
		pick -= kinds[kind++].weight;
	rng_fill(rng, pool, sizeof(pool));
	fill(rng, peer, pool, &msg);
	msg.type = kinds[kind].type;
	msg.present = kinds[kind].must |
		      (kinds[kind].may & ((uint64_t)rng_u32(rng) << 32 | rng_u32(rng)));
	if (peer->session_count && msg.type != L2TP_ICRQ && l2tp_msg_of_call(msg.type))
		session_id = peer->sessions[rng_below(rng, peer->session_count < MUTATE_SESSIONS
								   ? peer->session_count
								   : MUTATE_SESSIONS)];
	tunnel_id = msg.type == L2TP_SCCRQ && rng_below(rng, 2) ? 0 : peer->tunnel_id;
	if (!tunnel_id && msg.type != L2TP_SCCRQ)
		tunnel_id = rng_id(rng);
	len = l2tp_msg_encode(&msg, tunnel_id, session_id, NULL, NULL, packet, size);
	if (len < HEADER) {
		memset(packet, 0, HEADER);
		put16(packet, 0xc802);
		put16(packet + LENGTH_AT, HEADER);
		put16(packet + TUNNEL_AT, tunnel_id);
		len = HEADER;
	}
	mutate_set_sequence(
		packet, msg.type == L2TP_SCCRQ && !tunnel_id ? 0 : next_ns(rng, peer), peer->nr);
	return (size_t)len;
}

/* The offset of one of the AVPs, 0 when there is none. */
static size_t pick_avp(struct rng *rng, const uint8_t *packet, size_t len)
{
	size_t offsets[64], count = 0;

	for (size_t at = HEADER; at + AVP <= len && count < 64;) {
		size_t avp_len = (size_t)(packet[at] & 3) << 8 | packet[at + 1];

		offsets[count++] = at;
		if (avp_len < AVP)
			break;
		at += avp_len;
	}
	return count ? offsets[rng_below(rng, (uint32_t)count)] : 0;
}

static void spoil_header(struct rng *rng, uint8_t *packet)
{
	switch (rng_below(rng, 6)) {
	case 0:
		put16(packet + TUNNEL_AT, (uint16_t)rng_u32(rng));
		break;
	case 1:
		put16(packet + SESSION_AT, (uint16_t)rng_u32(rng));
		break;
	case 2:
		put16(packet + NS_AT, (uint16_t)rng_u32(rng));
		break;
	case 3:
		put16(packet + NR_AT, (uint16_t)rng_u32(rng));
		break;
	case 4:
		put16(packet + LENGTH_AT, (uint16_t)rng_below(rng, 128));
		break;
	case 5:
		put16(packet, (uint16_t)(rng_u32(rng) | 0x8000));
		break;
	}
}

static void spoil_avp(struct rng *rng, uint8_t *packet, size_t len)
{
	size_t at = pick_avp(rng, packet, len);

	if (!at)
		return;
	switch (rng_below(rng, 5)) {
	case 0: /* flags: M, H, reserved */
		packet[at] ^= (uint8_t)(0x04 << rng_below(rng, 6));
		break;
	case 1: /* length */
		packet[at + 1] = (uint8_t)rng_u32(rng);
		break;
	case 2: /* vendor */
		put16(packet + at + 2, rng_below(rng, 2) ? 3561 : (uint16_t)rng_u32(rng));
		break;
	case 3: /* type */
		put16(packet + at + 4, (uint16_t)rng_below(rng, 120));
		break;
	case 4: /* the first octet of the value */
		if (at + AVP < len)
			packet[at + AVP] = (uint8_t)rng_u32(rng);
		break;
	}
}

/* Appends a random AVP, or a copy of one; returns the new length. */
static size_t add_avp(struct rng *rng, uint8_t *packet, size_t len)
{
	size_t from = pick_avp(rng, packet, len), size = AVP + rng_below(rng, 40);

	if (len + size > MUTATE_PACKET_MAX)
		return len;
	rng_fill(rng, packet + len, size);
	packet[len] &= 0xc0;
	packet[len + 1] = (uint8_t)size;
	put16(packet + len + 2, 0);
	put16(packet + len + 4, (uint16_t)rng_below(rng, 120));
	if (from && rng_below(rng, 2)) {
		size = (size_t)(packet[from] & 3) << 8 | packet[from + 1];
		if (from + size > len || len + size > MUTATE_PACKET_MAX)
			return len;
		memcpy(packet + len, packet + from, size);
	}
	put16(packet + LENGTH_AT, (uint16_t)(len + size));
	return len + size;
}

static size_t spoil(struct rng *rng, uint8_t *packet, size_t len)
{
	size_t at = rng_below(rng, (uint32_t)len);

	switch (rng_below(rng, 8)) {
	case 0:
		packet[at] ^= (uint8_t)(1 << rng_below(rng, 8));
		break;
	case 1:
		packet[at] = (uint8_t)rng_u32(rng);
		break;
	case 2: /* cut, and say so or not */
		len = at + 1;
		if (len >= HEADER && rng_below(rng, 2))
			put16(packet + LENGTH_AT, (uint16_t)len);
		break;
	case 3:
		if (len >= HEADER)
			spoil_header(rng, packet);
		break;
	case 4:
	case 5:
		if (len >= HEADER)
			spoil_avp(rng, packet, len);
		break;
	case 6:
	case 7:
		if (len >= HEADER)
			len = add_avp(rng, packet, len);
		break;
	}
	return len;
}

size_t mutate_packet(
	struct rng *rng, const struct mutate_peer *peer, uint8_t packet[MUTATE_PACKET_MAX])
{
	size_t len = make_message(rng, peer, packet, MUTATE_PACKET_MAX);
	int times = (int)rng_below(rng, 6) - 2; /* half stay good: states must be reached */

	while (times-- > 0)
		len = spoil(rng, packet, len);
	return len;
}
