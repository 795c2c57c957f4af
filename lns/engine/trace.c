// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/trace: control messages for people: `lnsctl trace`, decoded, and `lnsctl capture`, as packets.
 *
 * L2TP shows packets only while somebody watches. A trace is owned by the engine from its request until
 * its reader goes, or until what it follows is over: a session with its CDN, a tunnel with its memory.
 * The packets of a capture are those of the wire, with IP and UDP headers made up: the kernel has taken
 * the real ones away.
 */
#include "lns/engine/internal.h"

#include "lns/control/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IPV4_LEN = 20, IPV6_LEN = 40, UDP_LEN = 8, PROTOCOL_UDP = 17, HOP_LIMIT = 64 };

enum trace_what { TRACE_TUNNEL, TRACE_SESSION, TRACE_LAC, TRACE_CAPTURE };

struct engine_trace {
	LIST_ENTRY(engine_trace) entry;
	struct control_feed *feed;
	enum trace_what what;
	uint16_t tunnel_id;                   /* unless it is of a lac */
	uint16_t session_id, peer_session_id; /* of a session */
	char lac[64];                         /* of a lac */
};

/* A packet and what it says. */
struct sight {
	struct l2tp_tunnel_info tunnel;
	const struct l2tp_lac *lac;
	bool outgoing;
	const uint8_t *packet;
	size_t len;
	struct l2tp_header header;
	struct l2tp_msg msg;
	char text[8192];
};

/* ---- packets ---- */

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* The internet checksum's sum of octets, added to sum. */
static uint32_t add_octets(uint32_t sum, const uint8_t *data, size_t len)
{
	for (size_t n = 0; n < len; n++)
		sum += n & 1 ? data[n] : (uint32_t)data[n] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Writes an IP header for len octets of UDP; returns its length, and the sum of the pseudo header. */
static size_t put_ip(uint8_t *out, const union addr *from, const union addr *to, size_t len,
	uint32_t *ret_pseudo)
{
	if (from->sa.sa_family == AF_INET) {
		memset(out, 0, IPV4_LEN);
		out[0] = 0x45;
		put16(out + 2, IPV4_LEN + len);
		out[8] = HOP_LIMIT;
		out[9] = PROTOCOL_UDP;
		memcpy(out + 12, &from->in4.sin_addr, 4);
		memcpy(out + 16, &to->in4.sin_addr, 4);
		put16(out + 10, fold(add_octets(0, out, IPV4_LEN)));
		*ret_pseudo = add_octets(PROTOCOL_UDP + (uint32_t)len, out + 12, 8);
		return IPV4_LEN;
	}
	memset(out, 0, 8);
	out[0] = 0x60;
	put16(out + 4, len);
	out[6] = PROTOCOL_UDP;
	out[7] = HOP_LIMIT;
	memcpy(out + 8, &from->in6.sin6_addr, 16);
	memcpy(out + 24, &to->in6.sin6_addr, 16);
	*ret_pseudo = add_octets(PROTOCOL_UDP + (uint32_t)len, out + 8, 32);
	return IPV6_LEN;
}

/* The packet as it was on the wire, in hexadecimal; NULL when memory is short. */
static char *wire_packet(const struct sight *sight)
{
	static const char digits[] = "0123456789abcdef";
	const union addr *local = &sight->tunnel.path.local, *peer = &sight->tunnel.path.peer;
	const union addr *from = sight->outgoing ? local : peer,
			 *to = sight->outgoing ? peer : local;
	size_t udp_len = UDP_LEN + sight->len, ip_len, len;
	uint8_t *packet = malloc(IPV6_LEN + udp_len), *udp;
	char *text = malloc(2 * (IPV6_LEN + udp_len) + 1);
	uint32_t sum;
	uint16_t checksum;

	if (!packet || !text) {
		free(packet);
		free(text);
		return NULL;
	}
	ip_len = put_ip(packet, from, to, udp_len, &sum);
	udp = packet + ip_len;
	put16(udp, addr_port(from));
	put16(udp + 2, addr_port(to));
	put16(udp + 4, udp_len);
	put16(udp + 6, 0);
	memcpy(udp + UDP_LEN, sight->packet, sight->len);
	checksum = fold(add_octets(sum, udp, udp_len));
	put16(udp + 6, checksum ? checksum : 0xffff);
	len = ip_len + udp_len;
	for (size_t n = 0; n < len; n++) {
		text[2 * n] = digits[packet[n] >> 4];
		text[2 * n + 1] = digits[packet[n] & 15];
	}
	text[2 * len] = '\0';
	free(packet);
	return text;
}

static json_t *capture_item(struct engine *engine, const struct sight *sight)
{
	char *packet = wire_packet(sight);
	json_t *item = packet ? json_pack("{s:I, s:s}", "time_us",
					(json_int_t)env_wallclock(engine->env), "packet", packet)
			      : NULL;

	free(packet);
	return item;
}

/* ---- messages ---- */

static json_t *message_item(struct engine *engine, const struct sight *sight)
{
	char peer[ADDR_TEXT];

	return json_pack("{s:I, s:s, s:i, s:s, s:s, s:i, s:i, s:i, s:s, s:s}", "time_us",
		(json_int_t)env_wallclock(engine->env), "direction", sight->outgoing ? "out" : "in",
		"tunnel", sight->tunnel.id, "lac", sight->lac->name, "peer",
		addr_text(&sight->tunnel.path.peer, peer), "session", sight->header.session_id,
		"ns", sight->header.ns, "nr", sight->header.nr, "type",
		l2tp_msg_name(sight->msg.type), "text", sight->text);
}

static void decode(struct engine *engine, struct sight *sight)
{
	struct l2tp_result result = { 0 };

	sight->header = (struct l2tp_header){ 0 };
	switch (l2tp_msg_decode(sight->packet, sight->len,
		sight->lac->secret.len ? &sight->lac->secret : NULL, sight->lac->lenient,
		engine->trace_scratch, sizeof(engine->trace_scratch), &sight->header, &sight->msg,
		&result)) {
	case L2TP_OK:
		l2tp_msg_text(&sight->msg, sight->text, sizeof(sight->text));
		break;
	default:
		snprintf(sight->text, sizeof(sight->text), "%s, not acceptable: %s",
			l2tp_msg_name(sight->msg.type), result.text);
	}
	explicit_bzero(engine->trace_scratch, sight->len);
}

/*
 * The receiver's id is in the header; 0 there means that the sender does not know it yet, and names the
 * call by its own.
 */
static bool is_of_session(const struct engine_trace *trace, const struct sight *sight)
{
	uint16_t here = trace->session_id, there = trace->peer_session_id;
	uint16_t receiver = sight->outgoing ? there : here, sender = sight->outgoing ? here : there;

	if (sight->header.session_id)
		return sight->header.session_id == receiver;
	return l2tp_msg_has(&sight->msg, L2TP_AVP_ASSIGNED_SESSION_ID) &&
	       sight->msg.assigned_session_id == sender;
}

/* Of the right tunnel or lac; what it says is looked at afterwards, and only then decoded. */
static bool is_of_place(const struct engine_trace *trace, const struct sight *sight)
{
	return trace->what == TRACE_LAC ? strcmp(trace->lac, sight->lac->name) == 0
					: trace->tunnel_id == sight->tunnel.id;
}

static void trace_free(struct engine *engine, struct engine_trace *trace)
{
	LIST_REMOVE(trace, entry);
	free(trace);
	l2tp_server_watch(engine->l2tp, !LIST_EMPTY(&engine->traces));
}

void engine_trace_message(
	void *ctx, struct l2tp_tunnel *tunnel, bool outgoing, const uint8_t *packet, size_t len)
{
	struct engine *engine = ctx;
	struct engine_trace *trace, *next;
	struct sight sight;
	bool decoded = false;

	sight.lac = l2tp_tunnel_lac(tunnel);
	sight.outgoing = outgoing;
	sight.packet = packet;
	sight.len = len;
	l2tp_tunnel_info(tunnel, &sight.tunnel);
	for (trace = LIST_FIRST(&engine->traces); trace; trace = next) {
		next = LIST_NEXT(trace, entry);
		if (!is_of_place(trace, &sight))
			continue;
		if (!decoded)
			decode(engine, &sight);
		decoded = true;
		if (trace->what == TRACE_SESSION && !is_of_session(trace, &sight))
			continue;
		control_feed_push(trace->feed, trace->what == TRACE_CAPTURE
						       ? capture_item(engine, &sight)
						       : message_item(engine, &sight));
		if (trace->what == TRACE_SESSION && sight.msg.type == L2TP_CDN) {
			control_feed_end(trace->feed, NULL);
			trace_free(engine, trace);
		}
	}
}

void engine_trace_tunnel_gone(struct engine *engine, uint16_t tunnel_id)
{
	struct engine_trace *trace, *next;

	for (trace = LIST_FIRST(&engine->traces); trace; trace = next) {
		next = LIST_NEXT(trace, entry);
		if (trace->what == TRACE_LAC || trace->tunnel_id != tunnel_id)
			continue;
		control_feed_end(trace->feed, NULL);
		trace_free(engine, trace);
	}
}

/* ---- requests ---- */

static int trace_start(
	struct engine *engine, struct control_feed *feed, const struct engine_trace *wanted)
{
	struct engine_trace *trace = malloc(sizeof(*trace));

	if (!trace)
		return -ENOMEM;
	*trace = *wanted;
	trace->feed = feed;
	control_feed_set_user(feed, trace);
	LIST_INSERT_HEAD(&engine->traces, trace, entry);
	l2tp_server_watch(engine->l2tp, true);
	return 0;
}

static int start_of_tunnel(struct engine *engine, const json_t *args, struct control_feed *feed,
	enum trace_what what, char *error, size_t size)
{
	struct l2tp_tunnel *tunnel = engine_control_tunnel(engine, args, "id", error, size);
	struct engine_trace wanted = { .what = what };
	struct l2tp_tunnel_info info;

	if (!tunnel)
		return -ENOENT;
	l2tp_tunnel_info(tunnel, &info);
	wanted.tunnel_id = info.id;
	return trace_start(engine, feed, &wanted);
}

int engine_trace_tunnel(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size)
{
	return start_of_tunnel(ctx, args, feed, TRACE_TUNNEL, error, size);
}

int engine_trace_capture(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size)
{
	return start_of_tunnel(ctx, args, feed, TRACE_CAPTURE, error, size);
}

int engine_trace_session(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size)
{
	struct engine *engine = ctx;
	struct subscriber *sub = engine_control_session(engine, args, error, size);
	struct engine_trace wanted = { .what = TRACE_SESSION };
	struct subscriber_info info;
	struct l2tp_session_info session;

	if (!sub)
		return -ENOENT;
	subscriber_get_info(sub, &info);
	if (!info.l2tp) {
		snprintf(error, size, "the session's call has ended");
		return -ENOENT;
	}
	l2tp_session_info(info.l2tp, &session);
	wanted.tunnel_id = info.tunnel_id;
	wanted.session_id = session.id;
	wanted.peer_session_id = session.peer_id;
	return trace_start(engine, feed, &wanted);
}

int engine_trace_lac(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size)
{
	struct engine *engine = ctx;
	const char *name = json_string_value(json_object_get(args, "lac"));
	struct engine_trace wanted = { .what = TRACE_LAC };

	for (size_t n = 0; name && n < engine->config->lac_count; n++) {
		if (strcmp(engine->config->lacs[n].lac.name, name) != 0)
			continue;
		snprintf(wanted.lac, sizeof(wanted.lac), "%s", name);
		return trace_start(engine, feed, &wanted);
	}
	snprintf(error, size, name ? "no such lac section" : "which lac? (\"lac\")");
	return -ENOENT;
}

void engine_trace_close(void *ctx, struct control_feed *feed)
{
	trace_free(ctx, control_feed_user(feed));
}
