/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drives a whole server with a fake clock from fuzz input: packets of two peers, time, and an owner that
 * does whatever l2tp.h offers, at any moment.
 *
 * The input is a list of steps, each an octet that says what, and its arguments. Most packets are a
 * message of the codec with the right ids and numbers and a few octets changed, so that the state
 * machines are reached behind the decoder; others are octets as they come.
 */
#include "tests/fuzz/fuzz.h"
#include "lns/env.h"
#include "lns/l2tp/l2tp.h"
#include "lns/log.h"
#include "tests/unit/env_fake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The fake clock is small and belongs to the unit tests; this target is linked with no other of them. */
#include "tests/unit/env_fake.c"

#define HAS(avp) (1ull << L2TP_AVP_##avp)
#define TEXT(string)                                                                               \
	{                                                                                          \
		(const uint8_t *)(string), sizeof(string) - 1                                      \
	}

struct input {
	const uint8_t *data;
	size_t left;
};

static uint8_t next8(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

/* --- the owner --- */

static struct env *env;
static struct l2tp_server *server;
static struct l2tp_lac lac;
static struct input *owner_input; /* the owner decides by the input, too */
static uint16_t last_tunnel;
static unsigned int opened, calls; /* known to the owner and not yet gone */

/* What has ended and is not given back yet, by an owner who takes his time. */
#define LATE 32
static bool slow;
static struct l2tp_tunnel *late_tunnels[LATE];
static struct l2tp_session *late_sessions[LATE];
static unsigned int late_tunnel_count, late_session_count;

static void check(bool condition)
{
	if (!condition)
		abort();
}

static int on_lac_find(
	void *ctx, const union addr *peer, const char *host_name, struct l2tp_lac *ret)
{
	(void)ctx;
	(void)peer;
	if (*host_name == '!')
		return -ENOENT;
	*ret = lac;
	return 0;
}

static void on_send(void *ctx, const struct l2tp_path *path, const uint8_t *packet, size_t len)
{
	(void)ctx;
	(void)path;
	check(len >= 12 && len <= L2TP_SEND_MAX && packet[0] == 0xc8 &&
		(size_t)(packet[2] << 8 | packet[3]) == len);
}

static int on_tunnel_open(void *ctx, struct l2tp_tunnel *tunnel)
{
	struct l2tp_tunnel_info info;

	(void)ctx;
	if (next8(owner_input) > 250)
		return -EMFILE;
	l2tp_tunnel_info(tunnel, &info);
	last_tunnel = info.id;
	opened++;
	return 0;
}

static void on_tunnel_up(void *ctx, struct l2tp_tunnel *tunnel)
{
	(void)ctx;
	(void)tunnel;
}

static void on_tunnel_down(
	void *ctx, struct l2tp_tunnel *tunnel, const struct l2tp_result *result, bool by_peer)
{
	(void)ctx;
	(void)by_peer;
	check(memchr(result->text, 0, sizeof(result->text)) != NULL);
	if (slow && late_tunnel_count < LATE)
		late_tunnels[late_tunnel_count++] = tunnel;
	else
		l2tp_tunnel_release(tunnel);
}

static void on_tunnel_free(void *ctx, struct l2tp_tunnel *tunnel)
{
	(void)ctx;
	check(l2tp_session_next(tunnel, 0) == NULL);
	opened--;
}

static const struct l2tp_result result = { .code = L2TP_CDN_ADMINISTRATIVE, .text = "because" };

/* Ends a call that lives, or gives back one that is down. */
static void close_session(struct l2tp_session *session)
{
	unsigned int n = 0;

	while (n < late_session_count && late_sessions[n] != session)
		n++;
	if (n < late_session_count)
		late_sessions[n] = late_sessions[--late_session_count];
	else
		calls--;
	l2tp_session_close(session, &result);
}

static void give_back(void)
{
	while (late_session_count)
		close_session(late_sessions[0]);
	while (late_tunnel_count)
		l2tp_tunnel_release(late_tunnels[--late_tunnel_count]);
}

static void on_call_request(void *ctx, struct l2tp_session *session)
{
	uint8_t choice = next8(owner_input);
	struct l2tp_session_info info;

	(void)ctx;
	l2tp_session_info(session, &info);
	calls += !info.outgoing; /* those were counted when they were placed */
	if (choice < 128) {
		l2tp_session_accept(session);
	} else if (choice < 160) {
		close_session(session);
	} else if (choice > 250) {
		l2tp_tunnel_close(l2tp_session_tunnel(session), &result);
	}
}

static uint16_t session_id(const struct l2tp_session *session)
{
	struct l2tp_session_info info;

	l2tp_session_info(session, &info);
	return info.id;
}

static void on_call_up(void *ctx, struct l2tp_session *session)
{
	uint8_t choice = next8(owner_input);

	(void)ctx;
	if (choice > 240)
		l2tp_tunnel_close(l2tp_session_tunnel(session), &result);
	else if (choice > 200)
		l2tp_session_set_link_info(session, choice, choice);
}

static void on_call_down(
	void *ctx, struct l2tp_session *session, const struct l2tp_result *reason, bool by_peer)
{
	(void)ctx;
	(void)by_peer;
	calls--;
	if (slow && late_session_count < LATE)
		late_sessions[late_session_count++] = session;
	else
		l2tp_session_close(session, reason);
}

static void on_call_changed(void *ctx, struct l2tp_session *session)
{
	(void)ctx;
	check(l2tp_session_find(l2tp_session_tunnel(session), session_id(session)) == session);
}

static void on_refused(void *ctx, const struct l2tp_refusal *refusal)
{
	(void)ctx;
	check(memchr(refusal->result->text, 0, sizeof(refusal->result->text)) != NULL);
	check(strlen(refusal->host_name) < 256 && strlen(refusal->calling) <= 64 &&
		strlen(refusal->called) <= 64);
}

static void on_tunnel_sequence(void *ctx, struct l2tp_tunnel *tunnel, uint16_t ns, uint16_t nr)
{
	struct l2tp_tunnel_info info;

	(void)ctx;
	l2tp_tunnel_info(tunnel, &info);
	check(info.ns == ns && info.nr == nr);
}

static int on_tunnel_moved(void *ctx, struct l2tp_tunnel *tunnel, const struct l2tp_path *path)
{
	(void)ctx;
	l2tp_tunnel_set_path(tunnel, path);
	return 0;
}

/* What goes out must be good; what comes in is decoded as a trace does it. */
static void on_message(
	void *ctx, struct l2tp_tunnel *tunnel, bool outgoing, const uint8_t *packet, size_t len)
{
	static uint8_t scratch[L2TP_PACKET_MAX];
	const struct l2tp_lac *of = l2tp_tunnel_lac(tunnel);
	struct l2tp_result why;
	struct l2tp_header header;
	struct l2tp_msg msg;
	char text[300];
	enum l2tp_verdict verdict =
		l2tp_msg_decode(packet, len, of->secret.len ? &of->secret : NULL, of->lenient,
			scratch, sizeof(scratch), &header, &msg, &why);

	(void)ctx;
	check(verdict == L2TP_OK || !outgoing);
	if (verdict == L2TP_OK)
		l2tp_msg_text(&msg, text, sizeof(text));
}

static const struct l2tp_ops ops = {
	.lac_find = on_lac_find,
	.send = on_send,
	.tunnel_open = on_tunnel_open,
	.tunnel_up = on_tunnel_up,
	.tunnel_down = on_tunnel_down,
	.tunnel_free = on_tunnel_free,
	.call_request = on_call_request,
	.call_up = on_call_up,
	.call_down = on_call_down,
	.call_changed = on_call_changed,
	.refused = on_refused,
	.tunnel_sequence = on_tunnel_sequence,
	.tunnel_moved = on_tunnel_moved,
	.message = on_message,
};

/* --- packets --- */

static const struct l2tp_msg messages[] = {
	{ .type = L2TP_ZLB },
	{ .type = L2TP_SCCRQ,
		.present = HAS(PROTOCOL_VERSION) | HAS(FRAMING_CAPABILITIES) |
			   HAS(BEARER_CAPABILITIES) | HAS(HOST_NAME) | HAS(ASSIGNED_TUNNEL_ID) |
			   HAS(RECEIVE_WINDOW_SIZE) | HAS(TIE_BREAKER),
		.protocol_version = 0x0100,
		.framing_capabilities = 3,
		.bearer_capabilities = 3,
		.host_name = TEXT("bng"),
		.assigned_tunnel_id = 77,
		.receive_window_size = 4,
		.tie_breaker = 0x8000000000000000 },
	{ .type = L2TP_SCCRP,
		.present = HAS(PROTOCOL_VERSION) | HAS(FRAMING_CAPABILITIES) |
			   HAS(BEARER_CAPABILITIES) | HAS(HOST_NAME) | HAS(ASSIGNED_TUNNEL_ID),
		.protocol_version = 0x0100,
		.framing_capabilities = 3,
		.bearer_capabilities = 3,
		.host_name = TEXT("bng"),
		.assigned_tunnel_id = 78 },
	{ .type = L2TP_SCCCN },
	{ .type = L2TP_STOPCCN,
		.present = HAS(ASSIGNED_TUNNEL_ID) | HAS(RESULT_CODE),
		.assigned_tunnel_id = 77,
		.result = { .code = 1 } },
	{ .type = L2TP_HELLO },
	{ .type = L2TP_ICRQ,
		.present = HAS(ASSIGNED_SESSION_ID) | HAS(CALL_SERIAL_NUMBER) |
			   HAS(CALLING_NUMBER) | HAS(CONNECT_SPEED_UPDATE_ENABLE),
		.assigned_session_id = 5,
		.calling_number = TEXT("5551234") },
	{ .type = L2TP_ICRP, .present = HAS(ASSIGNED_SESSION_ID), .assigned_session_id = 5 },
	{ .type = L2TP_ICCN,
		.present = HAS(TX_CONNECT_SPEED) | HAS(FRAMING_TYPE) | HAS(PROXY_AUTHEN_TYPE) |
			   HAS(PROXY_AUTHEN_NAME) | HAS(LAST_SENT_LCP_CONFREQ),
		.framing_type = 1,
		.proxy_authen_type = 2,
		.proxy_authen_name = TEXT("user"),
		.last_sent_lcp_confreq = TEXT("\1\1\0\4") },
	{ .type = L2TP_OCRQ,
		.present = HAS(ASSIGNED_SESSION_ID) | HAS(CALL_SERIAL_NUMBER) | HAS(MINIMUM_BPS) |
			   HAS(MAXIMUM_BPS) | HAS(BEARER_TYPE) | HAS(FRAMING_TYPE) |
			   HAS(CALLED_NUMBER),
		.assigned_session_id = 6,
		.called_number = TEXT("800") },
	{ .type = L2TP_OCRP, .present = HAS(ASSIGNED_SESSION_ID), .assigned_session_id = 7 },
	{ .type = L2TP_OCCN,
		.present = HAS(TX_CONNECT_SPEED) | HAS(FRAMING_TYPE),
		.framing_type = 2 },
	{ .type = L2TP_CDN,
		.present = HAS(ASSIGNED_SESSION_ID) | HAS(RESULT_CODE),
		.assigned_session_id = 5,
		.result = { .code = 1 } },
	{ .type = L2TP_WEN, .present = HAS(CALL_ERRORS) },
	{ .type = L2TP_SLI, .present = HAS(ACCM) },
	{ .type = L2TP_CSUN,
		.present = HAS(CONNECT_SPEED_UPDATE),
		.speed_update_count = 1,
		.speed_updates = { { .tx = 1, .rx = 2, .session_id = 3 } } },
	{ .type = L2TP_CSURQ,
		.present = HAS(CONNECT_SPEED_UPDATE),
		.speed_update_count = 1,
		.speed_updates = { { .session_id = 3 } } },
};
#define MESSAGES (sizeof(messages) / sizeof(*messages))

#define CSUN_SESSION 28 /* the octet at which a CSUN names its first call */

static struct encoded {
	int len;
	uint8_t data[256];
} encoded[MESSAGES];

static void encode_messages(void)
{
	for (size_t n = 0; n < MESSAGES; n++) {
		encoded[n].len = l2tp_msg_encode(
			&messages[n], 1, 1, NULL, NULL, encoded[n].data, sizeof(encoded[n].data));
		check(encoded[n].len > 0);
	}
}

static struct l2tp_path path_of(uint8_t choice)
{
	struct l2tp_path path = { 0 };

	addr_parse(choice & 1 ? "198.51.100.8" : "198.51.100.7", choice & 2 ? 40000 : 1701,
		&path.peer);
	addr_parse("192.0.2.1", 1701, &path.local);
	return path;
}

static void input_exactly(const struct l2tp_path *path, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	check(copy != NULL);
	if (len)
		memcpy(copy, data, len);
	l2tp_server_input(server, path, copy, len);
	free(copy);
}

static struct l2tp_tunnel *some_tunnel(uint8_t choice)
{
	struct l2tp_tunnel *tunnel = l2tp_tunnel_find(server, last_tunnel);

	if (!tunnel || choice >= 128)
		tunnel = l2tp_tunnel_next(server, (unsigned int)choice << 8);
	return tunnel;
}

static struct l2tp_session *some_session(uint8_t choice)
{
	struct l2tp_tunnel *tunnel = some_tunnel(choice & 1 ? 128 : 0);

	return tunnel ? l2tp_session_next(tunnel, (unsigned int)(choice & 0x7f) << 9) : NULL;
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* Ids and numbers as a correct peer would set them, moved by what the input says. */
static void address(struct input *in, uint8_t *packet, bool to_tunnel, struct l2tp_path *path)
{
	bool foreign = next8(in) > 230;
	struct l2tp_tunnel *tunnel = some_tunnel(next8(in));
	struct l2tp_session *session = some_session(next8(in));
	int8_t ahead = (int8_t)next8(in), acknowledged = (int8_t)next8(in);
	struct l2tp_tunnel_info info = { 0 };
	struct l2tp_session_info call = { 0 };

	if (tunnel && to_tunnel) {
		l2tp_tunnel_info(tunnel, &info);
		if (!foreign)
			path->peer = info.path.peer;
	}
	if (session && to_tunnel)
		l2tp_session_info(session, &call);
	put16(packet + 4, info.id);
	if (packet[19] == L2TP_CSUN) /* it names calls by its AVPs alone */
		put16(packet + CSUN_SESSION, call.id);
	else
		put16(packet + 6, call.id);
	if (ahead > -100 && ahead < 100) /* most come in order */
		ahead = 0;
	put16(packet + 8, (uint16_t)(info.nr + ahead % 100));
	put16(packet + 10, (uint16_t)(info.ns + (acknowledged < 0 ? acknowledged / 8 : 0)));
}

static void send_message(struct input *in)
{
	const struct encoded *message = &encoded[next8(in) % MESSAGES];
	uint8_t choice = next8(in), packet[512] = { 0 };
	struct l2tp_path path = path_of(choice);
	size_t len = (size_t)message->len, extra = 0;

	memcpy(packet, message->data, len);
	address(in, packet, message != &encoded[1] || choice & 4, &path);
	for (unsigned int n = choice >> 3 & 3; n; n--) { /* some octets are changed */
		uint8_t at = next8(in);

		packet[12 + at % (len - 11)] ^= next8(in);
	}
	if (choice & 0x40) { /* and AVPs added */
		extra = next8(in) % 64;
		for (size_t n = 0; n < extra; n++)
			packet[len + n] = next8(in);
		put16(packet + 2, (uint16_t)(len + extra));
	}
	input_exactly(&path, packet, len + extra);
	if (choice & 0x20)
		input_exactly(&path, packet, len + extra);
}

static void send_octets(struct input *in)
{
	struct l2tp_path path = path_of(next8(in));
	size_t len = next8(in);

	if (len > in->left)
		len = in->left;
	input_exactly(&path, in->data, len);
	in->data += len;
	in->left -= len;
}

static void limit_calls(uint8_t choice)
{
	const struct l2tp_settings settings = {
		.host_name = "lns2",
		.vendor_name = "vendor",
		.max_sessions = choice & 7,
		.max_tunnels = choice >> 3 & 7,
		.sccrq_rate = choice & 64 ? 3 : 0,
		.sccrq_rate_per_source = choice & 128 ? 1 : 0,
		.setup_timeout = ENV_SEC(5),
	};

	l2tp_server_set(server, &settings);
}

/* What an engine without the tunnel's state would say in its place. */
static void stop_for_dead_engine(struct l2tp_tunnel *tunnel)
{
	struct l2tp_tunnel_info info;
	struct l2tp_header header;
	uint8_t packet[256];
	const char *reason;
	int len;

	l2tp_tunnel_info(tunnel, &info);
	len = l2tp_stopccn_encode(
		info.id, info.peer_id, info.ns, info.nr, &result, packet, sizeof(packet));
	check(len > 0 && l2tp_header_decode(packet, (size_t)len, &header, &reason) == L2TP_OK);
	check(header.ns == info.ns && header.nr == info.nr && header.tunnel_id == info.peer_id);
}

static void act_on_server(unsigned int choice, uint8_t which)
{
	static const enum l2tp_drain drains[] = { L2TP_DRAIN_AS_ALL, L2TP_DRAIN_ON,
		L2TP_DRAIN_EXCEPT };
	struct l2tp_path path = path_of(which);
	struct l2tp_tunnel *tunnel;

	switch (choice) {
	case 4:
		l2tp_tunnel_connect(server, &path, &lac, &tunnel);
		break;
	case 5:
		l2tp_server_drain(server, which & 1);
		break;
	case 9:
		check(!l2tp_server_drain_lac(server, lac.name, drains[which % 3]));
		check(drains[which % 3] != L2TP_DRAIN_ON ||
			l2tp_server_is_drained(server, lac.name));
		break;
	case 10:
		l2tp_server_reserve_tunnel(server, (uint16_t)(last_tunnel + which), which & 1);
		break;
	case 11:
		limit_calls(which);
		break;
	case 12:
		l2tp_server_watch(server, which & 1);
		break;
	default:
		slow = which & 1;
		give_back();
		break;
	}
}

static void act_on_tunnel(unsigned int choice, struct l2tp_tunnel *tunnel)
{
	static const struct l2tp_call_request request = {
		.called_number = "800", .bearer_type = 1, .framing_type = 3
	};
	struct l2tp_session *session;
	int asked;

	switch (choice) {
	case 2:
		l2tp_tunnel_close(tunnel, &result);
		break;
	case 3:
		calls += !l2tp_session_place(tunnel, &request, &session);
		break;
	case 7:
		check(l2tp_tunnel_ask(tunnel) <= env_now(env));
		break;
	case 8:
		asked = l2tp_tunnel_ask_speeds(tunnel);
		check(asked >= 0 || asked == -ENOTCONN);
		break;
	default:
		stop_for_dead_engine(tunnel);
		break;
	}
}

static void act_on_session(unsigned int choice, struct l2tp_session *session, uint8_t which)
{
	switch (choice) {
	case 0:
		l2tp_session_accept(session);
		break;
	case 1:
		l2tp_session_set_disconnect_cause(session, 1, 0xc021, 1, "bye");
		close_session(session);
		break;
	case 6:
		l2tp_session_set_link_info(session, which, which);
		break;
	default:
		l2tp_session_set_disconnect_cause(session, which, 0, 0, NULL);
		break;
	}
}

/* Bits of the numbers that are about a tunnel, and about a session. */
#define OF_TUNNEL  (1u << 2 | 1u << 3 | 1u << 7 | 1u << 8 | 1u << 13)
#define OF_SESSION (1u << 0 | 1u << 1 | 1u << 6 | 1u << 14)

static void act(struct input *in)
{
	unsigned int choice = next8(in) % 16;
	uint8_t which = next8(in);
	struct l2tp_tunnel *tunnel = some_tunnel(which);
	struct l2tp_session *session = some_session(which);

	if (OF_TUNNEL >> choice & 1) {
		if (tunnel)
			act_on_tunnel(choice, tunnel);
	} else if (OF_SESSION >> choice & 1) {
		if (session)
			act_on_session(choice, session, which);
	} else {
		act_on_server(choice, which);
	}
}

static void start(struct input *in)
{
	uint8_t choice = next8(in);
	struct l2tp_settings settings = {
		.host_name = "lns",
		.max_sessions = 8,
		.max_tunnels = 8,
		.setup_timeout = ENV_SEC(20),
	};

	lac = (struct l2tp_lac){
		.name = "fuzz",
		.challenge = choice & 1,
		.hide_avps = choice & 2,
		.lenient = choice & 4,
		.hello = ENV_SEC(30),
		.idle = choice & 8 ? ENV_SEC(50) : 0,
		.window = 1 + (choice >> 4),
		.retransmits = 3,
		.retransmit_cap = ENV_SEC(8),
		.max_tunnels = choice & 16 ? 2 : 0,
	};
	if (choice & 0x40) {
		lac.secret.len = 6;
		memcpy(lac.secret.data, "secret", 6);
	}
	env = env_fake_new();
	check(!l2tp_server_new(env, &settings, &ops, NULL, &server));
	l2tp_server_watch(server, choice & 32);
	opened = 0;
	calls = 0;
	slow = false;
	last_tunnel = 0;
	owner_input = in;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	if (!encoded[0].len) {
		log_open("fuzz", LOG_TO_STDERR);
		log_set_level(LOG_LEVEL_ERROR);
		encode_messages();
	}
	start(&in);
	while (in.left) {
		uint8_t step = next8(&in);

		if (step < 180)
			send_message(&in);
		else if (step < 200)
			send_octets(&in);
		else if (step < 230)
			act(&in);
		else
			env_fake_advance(env, ENV_MS(10) << (step - 230) / 2);
	}
	/* in the end everything passes away by itself, once the tunnels are closed */
	for (struct l2tp_tunnel *tunnel = l2tp_tunnel_next(server, 0); tunnel;) {
		struct l2tp_tunnel_info info;

		l2tp_tunnel_info(tunnel, &info);
		l2tp_tunnel_close(tunnel, &result);
		tunnel = l2tp_tunnel_next(server, info.id);
	}
	give_back();
	env_fake_advance(env, ENV_SEC(100));
	check(!l2tp_tunnel_next(server, 0));
	check(!opened && !calls);
	check(!env_fake_timers(env));
	l2tp_server_free(server);
	env_fake_free(env);
	return 0;
}
