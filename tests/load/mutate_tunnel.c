/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutate_tunnel: the hostile LAC's bookkeeping of sequence numbers and calls.
 *
 * It has no reliable transport, but it knows by the decoder which of its packets use up their Ns, so
 * that nearly all that follow are in turn and reach the LNS's state machines.
 */
#include "tests/load/mutate_tunnel.h"

#include <string.h>

enum { NS_AT = 8 };

void mutate_set_sequence(uint8_t *packet, uint16_t ns, uint16_t nr)
{
	packet[NS_AT] = (uint8_t)(ns >> 8);
	packet[NS_AT + 1] = (uint8_t)ns;
	packet[NS_AT + 2] = (uint8_t)(nr >> 8);
	packet[NS_AT + 3] = (uint8_t)nr;
}

static bool ends_tunnel(enum l2tp_verdict verdict, unsigned int type)
{
	switch (type) {
	case L2TP_SCCRQ:
	case L2TP_SCCRP:
	case L2TP_SCCCN:
	case L2TP_STOPCCN:
		return verdict == L2TP_OK || verdict == L2TP_CLEAR;
	default:
		return verdict == L2TP_CLEAR && !l2tp_msg_of_call(type);
	}
}

static bool is_in_window(const struct mutate_tunnel *tunnel, uint16_t ns)
{
	uint16_t ahead = (uint16_t)(ns - tunnel->ns);

	return ahead < MUTATE_AHEAD && !(ahead && tunnel->early >> (ahead - 1) & 1);
}

void mutate_tunnel_judge(const struct mutate_tunnel *tunnel, const struct l2tp_secret *secret,
	const uint8_t *packet, size_t len, struct mutate_view *ret)
{
	static uint8_t scratch[L2TP_PACKET_MAX];
	static struct l2tp_msg msg;
	struct l2tp_header header;
	struct l2tp_result result;
	enum l2tp_verdict verdict =
		l2tp_msg_decode(packet, len, secret && secret->len ? secret : NULL, false, scratch,
			sizeof(scratch), &header, &msg, &result);

	*ret = (struct mutate_view){
		.effect = MUTATE_WASTED, .verdict = verdict, .type = msg.type
	};
	if (verdict == L2TP_DISCARD)
		return;
	ret->session_id = header.session_id;
	ret->ns = header.ns;
	if (!header.tunnel_id) {
		ret->effect = msg.type == L2TP_SCCRQ ? MUTATE_OPENING : MUTATE_WASTED;
		return;
	}
	if (header.tunnel_id != tunnel->id || (verdict == L2TP_OK && msg.type == L2TP_ZLB) ||
		(int16_t)(header.nr - tunnel->nr) > 0 || !is_in_window(tunnel, header.ns))
		return;
	ret->numbered = true;
	ret->effect = ends_tunnel(verdict, msg.type) ? MUTATE_FATAL : MUTATE_REACHED;
}

static struct mutate_call *find_call(struct mutate_tunnel *tunnel, uint16_t id, uint16_t peer_id)
{
	for (unsigned int n = 0; n < tunnel->call_count; n++) {
		if ((id && tunnel->calls[n].id == id) ||
			(peer_id && tunnel->calls[n].peer_id == peer_id))
			return &tunnel->calls[n];
	}
	return NULL;
}

static void forget_call(struct mutate_tunnel *tunnel, struct mutate_call *call)
{
	if (call)
		*call = tunnel->calls[--tunnel->call_count];
}

/* To the next Ns that is not there yet. */
static void advance(struct mutate_tunnel *tunnel)
{
	bool kept;

	do {
		tunnel->ns++;
		kept = tunnel->early & 1;
		tunnel->early >>= 1;
	} while (kept);
}

void mutate_tunnel_sent(struct mutate_tunnel *tunnel, const struct mutate_view *view)
{
	struct mutate_call *call = find_call(tunnel, 0, view->session_id);

	if (!view->numbered)
		return;
	if (view->ns == tunnel->ns)
		advance(tunnel);
	else
		tunnel->early |= 1u << ((uint16_t)(view->ns - tunnel->ns) - 1);
	if (!call || view->verdict != L2TP_OK)
		return;
	if (view->type == L2TP_ICCN)
		call->connected = true;
	else if (view->type == L2TP_CDN)
		forget_call(tunnel, call);
}

void mutate_tunnel_heard(
	struct mutate_tunnel *tunnel, const struct l2tp_header *header, const struct l2tp_msg *msg)
{
	tunnel->acknowledged = header->nr;
	if ((int16_t)(header->nr - tunnel->ns) > 0)
		mutate_tunnel_resync(tunnel);
	if (msg->type == L2TP_ZLB)
		return;
	if ((int16_t)(header->ns - tunnel->nr) < 0)
		return; /* a repetition */
	tunnel->nr = (uint16_t)(header->ns + 1);
	if (msg->type == L2TP_CDN)
		forget_call(tunnel, find_call(tunnel, header->session_id, 0));
	if (msg->type == L2TP_ICRP && tunnel->call_count < MUTATE_CALLS)
		tunnel->calls[tunnel->call_count++] =
			(struct mutate_call){ .id = header->session_id,
				.peer_id = msg->assigned_session_id };
}

bool mutate_tunnel_awaits(const struct mutate_tunnel *tunnel, uint16_t peer_session_id)
{
	for (unsigned int n = 0; n < tunnel->call_count; n++) {
		if (tunnel->calls[n].peer_id == peer_session_id)
			return !tunnel->calls[n].connected;
	}
	return false;
}

unsigned int mutate_tunnel_ahead(const struct mutate_tunnel *tunnel)
{
	return (uint16_t)(tunnel->ns - tunnel->acknowledged);
}

void mutate_tunnel_resync(struct mutate_tunnel *tunnel)
{
	tunnel->ns = tunnel->acknowledged;
	tunnel->early = 0;
}
