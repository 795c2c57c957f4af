/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutate_packet: good messages of every type, with random values, and the ways to spoil them.
 */
#include "tests/load/mutate_packet.h"

#include <string.h>

enum { HEADER = 12, LENGTH_AT = 2, TUNNEL_AT = 4, SESSION_AT = 6, NS_AT = 8, NR_AT = 10 };
enum { AVP = 6, AVPS_MAX = 64, MORE_CALLS = 4 };

#define HAS(id) (1ull << L2TP_AVP_##id)

/* Types as often as they shall come, with what must be in them. */
static const struct {
	enum l2tp_msg_type type;
	unsigned int weight;
	uint64_t must, may;
} kinds[] = {
	{ L2TP_ICRQ, 20, HAS(ASSIGNED_SESSION_ID) | HAS(CALL_SERIAL_NUMBER),
		HAS(BEARER_TYPE) | HAS(CALLED_NUMBER) | HAS(CALLING_NUMBER) | HAS(SUB_ADDRESS) |
			HAS(PHYSICAL_CHANNEL_ID) | HAS(AGENT_CIRCUIT_ID) | HAS(ACTUAL_RATE_UP) },
	{ L2TP_ICCN, 12, HAS(TX_CONNECT_SPEED) | HAS(FRAMING_TYPE),
		HAS(INITIAL_RECEIVED_LCP_CONFREQ) | HAS(LAST_SENT_LCP_CONFREQ) |
			HAS(LAST_RECEIVED_LCP_CONFREQ) | HAS(PROXY_AUTHEN_TYPE) |
			HAS(PROXY_AUTHEN_NAME) | HAS(PROXY_AUTHEN_CHALLENGE) |
			HAS(PROXY_AUTHEN_ID) | HAS(PROXY_AUTHEN_RESPONSE) | HAS(PRIVATE_GROUP_ID) |
			HAS(RX_CONNECT_SPEED) | HAS(SEQUENCING_REQUIRED) },
	{ L2TP_CDN, 8, HAS(RESULT_CODE) | HAS(ASSIGNED_SESSION_ID), HAS(PPP_DISCONNECT_CAUSE) },
	{ L2TP_HELLO, 8, 0, 0 },
	{ L2TP_WEN, 12, HAS(CALL_ERRORS), 0 },
	{ L2TP_SLI, 5, HAS(ACCM), 0 },
	{ L2TP_OCRQ, 5,
		HAS(ASSIGNED_SESSION_ID) | HAS(CALL_SERIAL_NUMBER) | HAS(MINIMUM_BPS) |
			HAS(MAXIMUM_BPS) | HAS(BEARER_TYPE) | HAS(FRAMING_TYPE) |
			HAS(CALLED_NUMBER),
		HAS(SUB_ADDRESS) },
	{ L2TP_OCRP, 3, HAS(ASSIGNED_SESSION_ID), HAS(PHYSICAL_CHANNEL_ID) },
	{ L2TP_OCCN, 3, HAS(TX_CONNECT_SPEED) | HAS(FRAMING_TYPE), HAS(SEQUENCING_REQUIRED) },
	{ L2TP_SCCRQ, 4,
		HAS(PROTOCOL_VERSION) | HAS(HOST_NAME) | HAS(FRAMING_CAPABILITIES) |
			HAS(ASSIGNED_TUNNEL_ID),
		HAS(BEARER_CAPABILITIES) | HAS(TIE_BREAKER) | HAS(FIRMWARE_REVISION) |
			HAS(VENDOR_NAME) | HAS(RECEIVE_WINDOW_SIZE) | HAS(CHALLENGE) },
	{ L2TP_SCCRP, 2,
		HAS(PROTOCOL_VERSION) | HAS(HOST_NAME) | HAS(FRAMING_CAPABILITIES) |
			HAS(ASSIGNED_TUNNEL_ID),
		HAS(CHALLENGE) | HAS(CHALLENGE_RESPONSE) },
	{ L2TP_SCCCN, 3, 0, HAS(CHALLENGE_RESPONSE) },
	{ L2TP_STOPCCN, 2, HAS(RESULT_CODE) | HAS(ASSIGNED_TUNNEL_ID), 0 },
	{ L2TP_CSUN, 6, HAS(CONNECT_SPEED_UPDATE), 0 },
	{ L2TP_ICRP, 3, HAS(ASSIGNED_SESSION_ID), 0 },
	{ L2TP_ZLB, 4, 0, 0 },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static struct l2tp_span random_span(struct rng *rng, const uint8_t pool[64])
{
	return (struct l2tp_span){ .data = pool, .len = (uint16_t)(1 + rng_below(rng, 63)) };
}

/* Random values in every field; only those present are sent. */
static void fill(struct rng *rng, const struct mutate_tunnel *tunnel, const uint8_t pool[64],
	struct l2tp_msg *msg)
{
	msg->result.code = (uint16_t)(1 + rng_below(rng, 12));
	msg->protocol_version = 0x0100;
	msg->framing_capabilities = msg->bearer_capabilities = 1 + rng_below(rng, 3);
	msg->tie_breaker = rng_u32(rng);
	msg->firmware_revision = (uint16_t)rng_u32(rng);
	msg->host_name = msg->vendor_name = random_span(rng, pool);
	msg->assigned_tunnel_id = rng_below(rng, 4) ? tunnel->own_id : rng_id(rng);
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
	msg->speed_updates[0] = (struct l2tp_speed_update){
		.session_id = tunnel->call_count ? tunnel->calls[0].peer_id : rng_id(rng)
	};
}

/* Mostly the next, sometimes early, sometimes late. */
static uint16_t pick_ns(struct rng *rng, const struct mutate_tunnel *tunnel)
{
	switch (rng_below(rng, 32)) {
	case 0:
	case 1:
		return (uint16_t)(tunnel->ns + 1 + rng_below(rng, 4));
	case 2:
		return (uint16_t)(tunnel->ns - 1 - rng_below(rng, 4));
	default:
		return tunnel->ns;
	}
}

/* There must be calls for messages about calls, and not too many of them. */
static unsigned int pick_kind(struct rng *rng, const struct mutate_tunnel *tunnel)
{
	enum l2tp_msg_type type;
	unsigned int kind = 0, pick = rng_below(rng, 100);

	while (kind < KINDS - 1 && pick >= kinds[kind].weight)
		pick -= kinds[kind++].weight;
	type = kinds[kind].type;
	if (type == L2TP_ICRQ && tunnel->call_count == MUTATE_CALLS)
		type = L2TP_CDN;
	else if (l2tp_msg_of_call(type) && tunnel->call_count < 1 + rng_below(rng, MORE_CALLS))
		type = L2TP_ICRQ;
	for (kind = 0; kinds[kind].type != type;)
		kind++;
	return kind;
}

/* A call to which the message mostly fits; 0 when there is none. */
static uint16_t pick_call(
	struct rng *rng, const struct mutate_tunnel *tunnel, enum l2tp_msg_type type)
{
	unsigned int count = tunnel->call_count, first = rng_below(rng, count);
	bool any = !rng_below(rng, 8);

	for (unsigned int n = 0; n < count; n++) {
		const struct mutate_call *call = &tunnel->calls[(first + n) % count];

		if (any || call->connected == (type != L2TP_ICCN))
			return call->peer_id;
	}
	return count ? tunnel->calls[first].peer_id : 0;
}

static size_t make_message(struct rng *rng, const struct mutate_tunnel *tunnel,
	const struct l2tp_secret *secret, uint8_t *packet, size_t size)
{
	uint8_t pool[64], vector[16];
	struct l2tp_msg msg = { 0 };
	unsigned int kind = pick_kind(rng, tunnel);
	bool hide = secret && secret->len && !rng_below(rng, 4);
	uint16_t session_id = 0, tunnel_id = tunnel->id;
	int len;

	rng_fill(rng, pool, sizeof(pool));
	rng_fill(rng, vector, sizeof(vector));
	fill(rng, tunnel, pool, &msg);
	msg.type = kinds[kind].type;
	msg.present = kinds[kind].must |
		      (kinds[kind].may & ((uint64_t)rng_u32(rng) << 32 | rng_u32(rng)));
	if (l2tp_msg_of_call(msg.type) && msg.type != L2TP_ICRQ && msg.type != L2TP_OCRQ)
		session_id = pick_call(rng, tunnel, msg.type);
	if (msg.type == L2TP_SCCRQ && rng_below(rng, 2))
		tunnel_id = 0;
	else if (!tunnel_id)
		tunnel_id = rng_id(rng);
	len = l2tp_msg_encode(
		&msg, tunnel_id, session_id, hide ? secret : NULL, vector, packet, size);
	if (len < HEADER) {
		memset(packet, 0, HEADER);
		put16(packet, 0xc802);
		put16(packet + LENGTH_AT, HEADER);
		put16(packet + TUNNEL_AT, tunnel_id);
		len = HEADER;
	}
	if (tunnel_id)
		mutate_set_sequence(packet, pick_ns(rng, tunnel), tunnel->nr);
	return (size_t)len;
}

static void spoil_header(struct rng *rng, uint8_t *packet)
{
	switch (rng_below(rng, 7)) {
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
	case 6:
		packet[rng_below(rng, HEADER)] ^= (uint8_t)(1 << rng_below(rng, 8));
		break;
	}
}

/* ---- AVPs: at is an offset in the packet, size that of the AVP ---- */

struct place {
	size_t at, size;
};

/* One of the AVPs that are whole; false when there is none. */
static bool pick_avp(struct rng *rng, const uint8_t *packet, size_t len, struct place *ret)
{
	struct place places[AVPS_MAX];
	unsigned int count = 0;

	for (size_t at = HEADER, size; at + AVP <= len && count < AVPS_MAX; at += size) {
		size = (size_t)(packet[at] & 3) << 8 | packet[at + 1];
		if (size < AVP || at + size > len)
			break;
		places[count++] = (struct place){ at, size };
	}
	if (!count)
		return false;
	*ret = places[rng_below(rng, count)];
	return true;
}

static void set_size(uint8_t *avp, size_t size)
{
	avp[0] = (uint8_t)((avp[0] & ~3) | (size >> 8 & 3));
	avp[1] = (uint8_t)size;
}

/* Makes room (or takes it away) at the offset; the new length of the packet. */
static size_t resize(uint8_t *packet, size_t len, size_t at, size_t old, size_t new)
{
	if (len - old + new > MUTATE_PACKET_MAX)
		return len;
	memmove(packet + at + new, packet + at + old, len - at - old);
	len = len - old + new;
	put16(packet + LENGTH_AT, (uint16_t)len);
	return len;
}

static void spoil_avp(struct rng *rng, uint8_t *packet, struct place avp)
{
	uint8_t *at = packet + avp.at;
	size_t value = avp.size - AVP;

	switch (rng_below(rng, 7)) {
	case 0: /* flags: M, H, reserved */
		at[0] ^= (uint8_t)(0x04 << rng_below(rng, 6));
		break;
	case 1: /* length */
		at[1] = (uint8_t)rng_u32(rng);
		break;
	case 2: /* vendor */
		put16(at + 2, rng_below(rng, 2) ? 3561 : (uint16_t)rng_u32(rng));
		break;
	case 3: /* type */
		put16(at + 4, (uint16_t)rng_below(rng, 120));
		break;
	case 4: /* one octet of the value */
		if (value)
			at[AVP + rng_below(rng, (uint32_t)value)] = (uint8_t)rng_u32(rng);
		break;
	case 5: /* all of it */
		rng_fill(rng, at + AVP, value);
		break;
	case 6: /* the least or the most */
		memset(at + AVP, rng_below(rng, 2) ? 0xff : 0, value);
		break;
	}
}

/* A longer or shorter value, its length told rightly. */
static size_t stretch_avp(struct rng *rng, uint8_t *packet, size_t len, struct place avp)
{
	size_t size = AVP + rng_below(rng, rng_below(rng, 4) ? (uint32_t)avp.size + 4 : 1000);
	size_t changed = resize(packet, len, avp.at, avp.size, size);

	if (changed == len)
		return len;
	set_size(packet + avp.at, size);
	if (size > avp.size)
		rng_fill(rng, packet + avp.at + avp.size, size - avp.size);
	return changed;
}

/* Once more at the end. */
static size_t repeat_avp(uint8_t *packet, size_t len, struct place avp)
{
	size_t changed = resize(packet, len, len, 0, avp.size);

	if (changed != len)
		memcpy(packet + len, packet + avp.at, avp.size);
	return changed;
}

/* A random one at the end. */
static size_t add_avp(struct rng *rng, uint8_t *packet, size_t len)
{
	size_t size = AVP + rng_below(rng, 40), changed = resize(packet, len, len, 0, size);

	if (changed == len)
		return len;
	rng_fill(rng, packet + len, size);
	packet[len] &= 0xc0;
	set_size(packet + len, size);
	put16(packet + len + 2, 0);
	put16(packet + len + 4, (uint16_t)rng_below(rng, 120));
	return changed;
}

/* Changes something behind the header; the new length. */
static size_t spoil_body(struct rng *rng, uint8_t *packet, size_t len)
{
	size_t at = HEADER + rng_below(rng, (uint32_t)(len - HEADER));
	struct place avp;

	if (!pick_avp(rng, packet, len, &avp))
		return add_avp(rng, packet, len);
	switch (rng_below(rng, 12)) {
	case 0:
		packet[at] ^= (uint8_t)(1 << rng_below(rng, 8));
		return len;
	case 1:
		packet[at] = (uint8_t)rng_u32(rng);
		return len;
	case 2: /* cut, and mostly say so */
		if (rng_below(rng, 8))
			put16(packet + LENGTH_AT, (uint16_t)at);
		return at;
	case 3:
		return add_avp(rng, packet, len);
	case 4:
		return repeat_avp(packet, len, avp);
	case 5:
		return resize(packet, len, avp.at, avp.size, 0);
	case 6: /* to the end */
		return resize(packet, repeat_avp(packet, len, avp), avp.at, avp.size, 0);
	case 7:
		return stretch_avp(rng, packet, len, avp);
	default:
		spoil_avp(rng, packet, avp);
		return len;
	}
}

size_t mutate_packet(struct rng *rng, const struct mutate_tunnel *tunnel,
	const struct l2tp_secret *secret, uint8_t packet[MUTATE_PACKET_MAX])
{
	size_t len = make_message(rng, tunnel, secret, packet, MUTATE_PACKET_MAX);
	int times = (int)rng_below(rng, 6) - 2; /* half stay good: states must be reached */

	while (times-- > 0)
		len = spoil_body(rng, packet, len);
	if (!rng_below(rng, 16))
		spoil_header(rng, packet);
	if (!rng_below(rng, 256))
		len = 1 + rng_below(rng, (uint32_t)len);
	return len;
}
