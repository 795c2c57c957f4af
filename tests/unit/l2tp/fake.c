/* SPDX-License-Identifier: BSD-2-Clause */
/* fake: see fake.h. */
#include "tests/unit/l2tp/fake.h"

#include "lns/l2tp/digest.h"
#include "tests/unit/env_fake.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the owner --- */

static void note(struct fake *fake, const char *event)
{
	size_t used = strlen(fake->events);

	snprintf(fake->events + used, sizeof(fake->events) - used, "%s%s", used ? " " : "", event);
}

static int owner_lac_find(
	void *ctx, const union addr *peer, const char *host_name, struct l2tp_lac *ret)
{
	struct fake *fake = ctx;

	(void)peer;
	(void)host_name;
	if (fake->unknown_peer)
		return -ENOENT;
	*ret = fake->lac;
	return 0;
}

static void owner_send(void *ctx, const struct l2tp_path *path, const uint8_t *packet, size_t len)
{
	struct fake *fake = ctx;
	struct fake_packet *copy = malloc(sizeof(*copy) + len);

	if (!copy)
		return; /* lost, as packets get lost */
	*copy = (struct fake_packet){ .path = *path, .len = len };
	memcpy(copy->data, packet, len);
	*fake->tail = copy;
	fake->tail = &copy->next;
	fake->sent_count++;
}

static bool owner_has_room(void *ctx, bool call, char *ret_why, size_t size)
{
	const struct fake *fake = ctx;

	snprintf(ret_why, size, "no room for a %s", call ? "call" : "tunnel");
	return !fake->no_room;
}

static int owner_tunnel_open(void *ctx, struct l2tp_tunnel *tunnel)
{
	struct fake *fake = ctx;

	note(fake, "tunnel_open");
	fake->tunnel = tunnel;
	return fake->no_socket ? -EMFILE : 0;
}

static void owner_tunnel_up(void *ctx, struct l2tp_tunnel *tunnel)
{
	struct fake *fake = ctx;

	note(fake, "tunnel_up");
	fake->tunnel = tunnel;
}

static void owner_tunnel_down(
	void *ctx, struct l2tp_tunnel *tunnel, const struct l2tp_result *result, bool by_peer)
{
	struct fake *fake = ctx;

	note(fake, "tunnel_down");
	fake->result = *result;
	fake->by_peer = by_peer;
	if (!fake->hold_release)
		l2tp_tunnel_release(tunnel);
}

static void owner_tunnel_free(void *ctx, struct l2tp_tunnel *tunnel)
{
	struct fake *fake = ctx;

	note(fake, "tunnel_free");
	if (fake->tunnel == tunnel)
		fake->tunnel = NULL;
}

static void owner_call_request(void *ctx, struct l2tp_session *session)
{
	struct fake *fake = ctx;
	struct l2tp_result busy = { .code = L2TP_CDN_BUSY };
	struct l2tp_result general = { .code = L2TP_STOPCCN_GENERAL };

	note(fake, "call_request");
	fake->session = session;
	if (fake->close_tunnel_in_call)
		l2tp_tunnel_close(l2tp_session_tunnel(session), &general);
	else if (fake->refuse_calls)
		l2tp_session_close(session, &busy);
	else if (!fake->hold_calls)
		l2tp_session_accept(session);
}

static void owner_call_up(void *ctx, struct l2tp_session *session)
{
	struct fake *fake = ctx;

	note(fake, "call_up");
	fake->session = session;
	fake->call = *l2tp_session_call(session);
}

static void owner_call_down(
	void *ctx, struct l2tp_session *session, const struct l2tp_result *result, bool by_peer)
{
	struct fake *fake = ctx;

	note(fake, "call_down");
	fake->result = *result;
	fake->by_peer = by_peer;
	fake->call = *l2tp_session_call(session);
	if (fake->session == session)
		fake->session = NULL;
	if (!fake->hold_close)
		l2tp_session_close(session, result);
}

static void owner_call_changed(void *ctx, struct l2tp_session *session)
{
	struct fake *fake = ctx;

	note(fake, "call_changed");
	fake->call = *l2tp_session_call(session);
}

static void owner_tunnel_sequence(void *ctx, struct l2tp_tunnel *tunnel, uint16_t ns, uint16_t nr)
{
	struct fake *fake = ctx;

	(void)tunnel;
	fake->ns = ns;
	fake->nr = nr;
}

static int owner_tunnel_moved(void *ctx, struct l2tp_tunnel *tunnel, const struct l2tp_path *path)
{
	note(ctx, "tunnel_moved");
	l2tp_tunnel_set_path(tunnel, path);
	return 0;
}

static void owner_message(
	void *ctx, struct l2tp_tunnel *tunnel, bool outgoing, const uint8_t *packet, size_t len)
{
	struct fake *fake = ctx;
	size_t used = strlen(fake->seen);
	unsigned int type = len > 19 ? packet[18] << 8 | packet[19] : L2TP_ZLB;

	(void)tunnel;
	snprintf(fake->seen + used, sizeof(fake->seen) - used, "%s%s%s", used ? " " : "",
		outgoing ? ">" : "<", l2tp_msg_name(type));
}

static void owner_refused(void *ctx, const struct l2tp_refusal *refusal)
{
	struct fake *fake = ctx;

	snprintf(fake->refused, sizeof(fake->refused), "%s%s%s %s %s: %s",
		refusal->lac ? refusal->lac : "-", refusal->tunnel_id ? " call" : " tunnel",
		refusal->host_name[0] ? "" : " of nobody", refusal->calling, refusal->called,
		refusal->result->text);
}

static const struct l2tp_ops owner = {
	.lac_find = owner_lac_find,
	.send = owner_send,
	.has_room = owner_has_room,
	.tunnel_open = owner_tunnel_open,
	.tunnel_up = owner_tunnel_up,
	.tunnel_down = owner_tunnel_down,
	.tunnel_free = owner_tunnel_free,
	.call_request = owner_call_request,
	.call_up = owner_call_up,
	.call_down = owner_call_down,
	.call_changed = owner_call_changed,
	.tunnel_sequence = owner_tunnel_sequence,
	.tunnel_moved = owner_tunnel_moved,
	.message = owner_message,
	.refused = owner_refused,
};

/* --- the server --- */

void fake_init(struct fake *fake)
{
	*fake = (struct fake){
		.settings = {
			.host_name = "lns.example.net",
			.vendor_name = "lnsd",
			.firmware_revision = 1,
			.setup_timeout = ENV_SEC(60),
		},
		.lac = {
			.name = "wholesale",
			.hello = ENV_SEC(60),
			.window = 8,
			.retransmits = 5,
			.retransmit_cap = ENV_SEC(8),
		},
	};
	fake->tail = &fake->sent;
}

void fake_start(struct fake *fake)
{
	fake->env = env_fake_new();
	cr_assert_eq(l2tp_server_new(fake->env, &fake->settings, &owner, fake, &fake->server), 0);
}

void fake_drop_sent(struct fake *fake)
{
	struct fake_packet *packet;

	while ((packet = fake->sent)) {
		fake->sent = packet->next;
		free(packet);
	}
	fake->tail = &fake->sent;
	fake->sent_count = 0;
}

void fake_end(struct fake *fake)
{
	fake_drop_sent(fake);
	l2tp_server_free(fake->server);
	cr_assert_eq(env_fake_timers(fake->env), 0, "timers are left");
	env_fake_free(fake->env);
}

void fake_advance(struct fake *fake, uint64_t delay)
{
	env_fake_advance(fake->env, delay);
}

void fake_expect_events(struct fake *fake, const char *events)
{
	cr_assert_str_eq(fake->events, events);
	fake->events[0] = '\0';
}

void fake_expect_silence(struct fake *fake)
{
	cr_assert_null(fake->sent, "%u packets were sent", fake->sent_count);
}

/* --- the log --- */

FILE *fake_log_to_file(void)
{
	FILE *file = tmpfile();

	cr_assert(file && dup2(fileno(file), STDERR_FILENO) == STDERR_FILENO);
	return file;
}

unsigned int fake_lines_with(FILE *file, const char *text)
{
	unsigned int count = 0;
	char line[1024];

	rewind(file);
	while (fgets(line, sizeof(line), file))
		count += strstr(line, text) != NULL;
	return count;
}

/* --- the LAC --- */

void lac_init(struct lac *lac, struct fake *fake, const char *address, uint16_t port, uint16_t id)
{
	*lac = (struct lac){ .fake = fake, .host_name = "bng1", .id = id };
	cr_assert_eq(addr_parse(address, port, &lac->path.peer), 0);
	cr_assert_eq(addr_parse("192.0.2.1", 1701, &lac->path.local), 0);
}

void lac_set_secret(struct l2tp_secret *secret, const char *text)
{
	secret->len = (uint16_t)strlen(text);
	memcpy(secret->data, text, secret->len);
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void lac_build(struct lac *lac, uint16_t session_id, const struct l2tp_msg *msg)
{
	static const uint8_t vector[16] = "a random vector";
	int len = l2tp_msg_encode(msg, lac->peer_id, session_id, lac->hide ? &lac->secret : NULL,
		vector, lac->packet, sizeof(lac->packet));

	cr_assert_gt(len, 0, "%s cannot be encoded: %d", l2tp_msg_name(msg->type), len);
	lac->packet_len = (size_t)len;
	put16(lac->packet + 8, lac->ns);
	put16(lac->packet + 10, lac->nr);
}

void lac_send_octets(struct lac *lac, const uint8_t *data, size_t len)
{
	/* exactly as long as it is, so that the sanitizer sees a step too far */
	uint8_t *copy = malloc(len ? len : 1);

	if (len)
		memcpy(copy, data, len);
	l2tp_server_input(lac->fake->server, &lac->path, copy, len);
	free(copy);
}

void lac_repeat(struct lac *lac)
{
	lac_send_octets(lac, lac->packet, lac->packet_len);
}

void lac_send(struct lac *lac, uint16_t session_id, const struct l2tp_msg *msg)
{
	lac_build(lac, session_id, msg);
	lac->ns++;
	lac_repeat(lac);
}

void lac_ack(struct lac *lac)
{
	struct l2tp_msg zlb = { .type = L2TP_ZLB };

	lac_build(lac, 0, &zlb);
	lac_repeat(lac);
}

/* Takes the next packet off the queue into lac->packet. */
static void take(struct lac *lac)
{
	struct fake *fake = lac->fake;
	struct fake_packet *packet = fake->sent;

	fake->sent = packet->next;
	if (!fake->sent)
		fake->tail = &fake->sent;
	fake->sent_count--;
	cr_assert(addr_equal(&packet->path.peer, &lac->path.peer), "sent to somebody else");
	memcpy(lac->packet, packet->data, packet->len);
	lac->packet_len = packet->len;
	free(packet);
}

const struct l2tp_msg *lac_expect(struct lac *lac, enum l2tp_msg_type type)
{
	struct l2tp_result result;
	enum l2tp_verdict verdict;

	do {
		cr_assert(
			lac->fake->sent, "nothing was sent, %s was expected", l2tp_msg_name(type));
		take(lac);
		verdict = l2tp_msg_decode(lac->packet, lac->packet_len,
			lac->secret.len ? &lac->secret : NULL, false, lac->scratch,
			sizeof(lac->scratch), &lac->header, &lac->msg, &result);
		cr_assert_eq(verdict, L2TP_OK, "%s cannot be decoded: %s",
			l2tp_msg_name(lac->msg.type), result.text);
	} while (lac->msg.type == L2TP_ZLB && type != L2TP_ZLB);
	cr_assert_eq(lac->msg.type, type, "%s was sent, %s was expected",
		l2tp_msg_name(lac->msg.type), l2tp_msg_name(type));
	cr_assert_eq(lac->header.nr, lac->ns, "Nr is %u, not %u", lac->header.nr, lac->ns);
	if (type != L2TP_ZLB)
		lac->nr = (uint16_t)(lac->header.ns + 1);
	return &lac->msg;
}

struct l2tp_msg lac_sccrq(struct lac *lac)
{
	struct l2tp_msg msg = {
		.type = L2TP_SCCRQ,
		.present = HAS(PROTOCOL_VERSION) | HAS(FRAMING_CAPABILITIES) |
			   HAS(BEARER_CAPABILITIES) | HAS(HOST_NAME) | HAS(ASSIGNED_TUNNEL_ID) |
			   HAS(RECEIVE_WINDOW_SIZE),
		.protocol_version = 0x0100,
		.framing_capabilities = 3,
		.bearer_capabilities = 3,
		.host_name = { (const uint8_t *)lac->host_name, (uint16_t)strlen(lac->host_name) },
		.assigned_tunnel_id = lac->id,
		.receive_window_size = 4,
	};

	if (lac->secret.len) {
		memcpy(lac->challenge, "0123456789abcdef", 16);
		msg.present |= HAS(CHALLENGE);
		msg.challenge = (struct l2tp_span){ lac->challenge, 16 };
	}
	return msg;
}

struct l2tp_msg lac_scccn(void)
{
	return (struct l2tp_msg){ .type = L2TP_SCCCN };
}

struct l2tp_msg lac_icrq(uint16_t session_id)
{
	return (struct l2tp_msg){
		.type = L2TP_ICRQ,
		.present = HAS(ASSIGNED_SESSION_ID) | HAS(CALL_SERIAL_NUMBER) |
			   HAS(CALLING_NUMBER) | HAS(CALLED_NUMBER),
		.assigned_session_id = session_id,
		.call_serial_number = 1000u + session_id,
		.calling_number = { (const uint8_t *)"5551234", 7 },
		.called_number = { (const uint8_t *)"800", 3 },
	};
}

struct l2tp_msg lac_iccn(void)
{
	return (struct l2tp_msg){
		.type = L2TP_ICCN,
		.present = HAS(TX_CONNECT_SPEED) | HAS(FRAMING_TYPE),
		.tx_connect_speed = 100000000,
		.framing_type = 1,
	};
}

struct l2tp_msg lac_cdn(uint16_t session_id, uint16_t code)
{
	return (struct l2tp_msg){
		.type = L2TP_CDN,
		.present = HAS(ASSIGNED_SESSION_ID) | HAS(RESULT_CODE),
		.assigned_session_id = session_id,
		.result = { .code = code },
	};
}

struct l2tp_msg lac_stopccn(const struct lac *lac, uint16_t code)
{
	return (struct l2tp_msg){
		.type = L2TP_STOPCCN,
		.present = HAS(ASSIGNED_TUNNEL_ID) | HAS(RESULT_CODE),
		.assigned_tunnel_id = lac->id,
		.result = { .code = code },
	};
}

struct l2tp_msg lac_hello(void)
{
	return (struct l2tp_msg){ .type = L2TP_HELLO };
}

void lac_open(struct lac *lac)
{
	struct l2tp_msg sccrq = lac_sccrq(lac), scccn = lac_scccn();

	lac_send(lac, 0, &sccrq);
	lac_expect(lac, L2TP_SCCRP);
	lac->peer_id = lac->msg.assigned_tunnel_id;
	if (l2tp_msg_has(&lac->msg, L2TP_AVP_CHALLENGE)) {
		scccn.present |= HAS(CHALLENGE_RESPONSE);
		l2tp_digest_response(L2TP_SCCCN, &lac->secret, lac->msg.challenge.data,
			lac->msg.challenge.len, scccn.challenge_response);
	}
	lac_send(lac, 0, &scccn);
	fake_advance(lac->fake, ENV_MS(10));
	lac_expect(lac, L2TP_ZLB);
}

uint16_t lac_call(struct lac *lac, uint16_t session_id)
{
	struct l2tp_msg icrq = lac_icrq(session_id), iccn = lac_iccn();
	uint16_t id;

	lac_send(lac, 0, &icrq);
	id = lac_expect(lac, L2TP_ICRP)->assigned_session_id;
	lac_send(lac, id, &iccn);
	fake_advance(lac->fake, ENV_MS(10));
	lac_expect(lac, L2TP_ZLB);
	return id;
}
