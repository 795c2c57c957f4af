/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lac_receive: what comes in: datagrams, control messages, data.
 *
 * The LNS is held to the RFC: a message of its that the decoder refuses ends the tunnel, and is a failure
 * of the run with its reason.
 */
#include "tests/load/lac_priv.h"

#include "lns/l2tp/digest.h"
#include "tests/load/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH      32
#define DATAGRAM   2048
#define ROUNDS_MAX 4 /* batches per turn */

enum { FLAG_CONTROL = 0x8000, FLAG_LENGTH = 0x4000, FLAG_NS = 0x0800, FLAG_OFFSET = 0x0200 };

static void lost_by_peer(struct lac *lac, const struct l2tp_msg *stopccn)
{
	char text[STATS_REASON_TEXT], reason[STATS_REASON_TEXT];

	if (lac->state == LAC_CLOSING) {
		xport_acknowledge_now(&lac->xport);
		lac_closed(lac);
		return;
	}
	snprintf(reason, sizeof(reason), "tunnel: StopCCN: %.140s",
		l2tp_result_text(L2TP_STOPCCN, &stopccn->result, text, sizeof(text)));
	xport_acknowledge_now(&lac->xport);
	lac_lost(lac, reason);
}

static void refuse_authentication(struct lac *lac, const char *text)
{
	struct l2tp_result result = { .code = L2TP_STOPCCN_NOT_AUTHORIZED };

	snprintf(result.text, sizeof(result.text), "%s", text);
	lac_refuse(lac, &result);
}

static void receive_sccrp(struct lac *lac, const struct l2tp_msg *msg)
{
	uint8_t expected[16];

	if (lac->state != LAC_OPENING)
		return;
	lac->peer_id = msg->assigned_tunnel_id;
	xport_set_peer(&lac->xport, lac->peer_id, 0);
	if (lac->secret.len) {
		l2tp_digest_response(
			L2TP_SCCRP, &lac->secret, lac->challenge, sizeof(lac->challenge), expected);
		if (!l2tp_msg_has(msg, L2TP_AVP_CHALLENGE_RESPONSE) ||
			!l2tp_digest_equal(expected, msg->challenge_response)) {
			refuse_authentication(lac, "the LNS does not know the secret");
			return;
		}
	} else if (l2tp_msg_has(msg, L2TP_AVP_CHALLENGE)) {
		refuse_authentication(lac, "the LNS wants a secret");
		return;
	}
	lac_established(lac, msg);
}

/* Outgoing calls are not placed here. */
static void refuse_call(struct lac *lac, const struct l2tp_msg *ocrq)
{
	struct session none = { .peer_id = ocrq->assigned_session_id };
	struct l2tp_msg msg = { .type = L2TP_CDN,
		.present = 1ull << L2TP_AVP_RESULT_CODE | 1ull << L2TP_AVP_ASSIGNED_SESSION_ID,
		.result = { .code = L2TP_CDN_NO_FACILITIES_PERMANENT } };

	(void)lac_send(lac, &none, &msg);
}

static void receive_message(
	struct lac *lac, const struct l2tp_header *header, const struct l2tp_msg *msg)
{
	struct session *session = lac->calls[header->session_id];

	switch (msg->type) {
	case L2TP_SCCRP:
		receive_sccrp(lac, msg);
		break;
	case L2TP_STOPCCN:
		lost_by_peer(lac, msg);
		break;
	case L2TP_HELLO:
		lac->load->stats.hellos++;
		break;
	case L2TP_ICRP:
		if (session)
			session_reply(session, msg);
		break;
	case L2TP_CDN:
		if (session && lac->state == LAC_UP)
			session_cleared(session, msg);
		break;
	case L2TP_OCRQ:
		if (lac->state == LAC_UP)
			refuse_call(lac, msg);
		break;
	default: /* SLI, CSUN, CSURQ: nothing that a LAC without lines would do */
		break;
	}
}

/* One message in order; packet is decoded here, so that early ones need no other way. */
static void take_message(struct lac *lac, const uint8_t *packet, size_t len)
{
	static uint8_t scratch[L2TP_PACKET_MAX];
	static struct l2tp_msg msg;
	struct l2tp_header header;
	struct l2tp_result result;
	enum l2tp_verdict verdict =
		l2tp_msg_decode(packet, len, lac->secret.len ? &lac->secret : NULL, false, scratch,
			sizeof(scratch), &header, &msg, &result);

	if (verdict == L2TP_OK)
		receive_message(lac, &header, &msg);
	else if (verdict == L2TP_CLEAR)
		lac_refuse(lac, &result);
	explicit_bzero(scratch, len < sizeof(scratch) ? len : sizeof(scratch));
}

/* CDNs that have been acknowledged end their calls. */
static void confirm_cleared(struct lac *lac)
{
	struct session *session;

	while ((session = TAILQ_FIRST(&lac->clearing)) &&
		(int16_t)(lac->xport.una - session->cdn_ns) > 0)
		session_over(session);
}

static bool is_active(const struct lac *lac)
{
	return lac->state == LAC_OPENING || lac->state == LAC_UP || lac->state == LAC_CLOSING;
}

static void receive_control(
	struct lac *lac, const union addr *from, const uint8_t *packet, size_t len)
{
	struct l2tp_header header;
	struct xport_packet *early;
	uint16_t una = lac->xport.una;

	if (!is_active(lac) || l2tp_header_decode(packet, len, &header, NULL) != L2TP_OK ||
		header.tunnel_id != lac->id || !addr_equal_host(from, &lac->peer)) {
		lac->load->stats.stray++;
		return;
	}
	/* The LNS may answer from a port of its own choice (RFC 2661 section 8.1). */
	if (lac->state == LAC_OPENING)
		lac->peer = *from;
	if (xport_receive(&lac->xport, &header, len == 12, packet, len) == XPORT_DELIVER) {
		take_message(lac, packet, len);
		while (is_active(lac) && (early = xport_take(&lac->xport))) {
			take_message(lac, early->data, early->len);
			free(early);
		}
	}
	if (!is_active(lac))
		return;
	xport_settle(&lac->xport);
	if (lac->xport.una == una)
		return;
	confirm_cleared(lac);
	if (lac->state == LAC_CLOSING && !lac->xport.head)
		lac_closed(lac);
}

static void receive_data(struct lac *lac, const uint8_t *packet, size_t len)
{
	struct wire_reader in;
	uint16_t flags, length, tunnel_id, session_id;
	struct session *session;
	int ns = -1;

	wire_reader_init(&in, packet, len);
	flags = wire_get_u16(&in);
	length = flags & FLAG_LENGTH ? wire_get_u16(&in) : (uint16_t)len;
	tunnel_id = wire_get_u16(&in);
	session_id = wire_get_u16(&in);
	if (flags & FLAG_NS) {
		ns = wire_get_u16(&in);
		wire_get_u16(&in);
	}
	if (flags & FLAG_OFFSET)
		wire_get_octets(&in, wire_get_u16(&in));
	session = tunnel_id == lac->id ? lac->calls[session_id] : NULL;
	if (in.error || (flags & 0x000f) != 2 || length > len || len - in.left > length ||
		!session) {
		lac->load->stats.stray++;
		return;
	}
	lac->load->stats.data_in++;
	session_frame(session, in.data, length - (len - in.left), ns);
}

void lac_receive(void *ctx, const union addr *from, const uint8_t *packet, size_t len)
{
	struct lac *lac = ctx;

	if (lac->state == LAC_SILENT || len < 2)
		return;
	if (packet[0] & FLAG_CONTROL >> 8)
		receive_control(lac, from, packet, len);
	else
		receive_data(lac, packet, len);
}

void lac_readable(void *ctx, int events)
{
	static uint8_t data[BATCH][DATAGRAM];
	struct lac *lac = ctx;
	struct mmsghdr batch[BATCH];
	struct iovec iov[BATCH];
	union addr from[BATCH];
	int count = BATCH;

	(void)events;
	for (int round = 0; count == BATCH && round < ROUNDS_MAX; round++) {
		for (int i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ .iov_base = data[i], .iov_len = DATAGRAM };
			batch[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i],
							     .msg_iovlen = 1,
							     .msg_name = &from[i],
							     .msg_namelen = sizeof(from[i]) } };
		}
		count = recvmmsg(lac->fd, batch, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < count; i++) {
			if (lac->in)
				line_put(lac->in, &from[i], data[i], batch[i].msg_len);
			else
				lac_receive(lac, &from[i], data[i], batch[i].msg_len);
		}
	}
}
