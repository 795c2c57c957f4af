/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server: tries, replies, life and death of one RADIUS server.
 *
 * Timers follow RFC 5080 section 2.2.1: the first wait is the configured timeout, each one more
 * doubles it up to 16 s, all with a jitter of a tenth. An Access-Request is sent again octet by
 * octet, and so is an Accounting-Request as long as its Acct-Delay-Time is the same (RFC 2866 section 3,
 * Identifier); with another one it has another identifier (section 5.2), and a reply to any of its
 * tries is good.
 *
 * A reply counts when it came from the server (connected sockets), to an identifier in use, with a
 * valid Response Authenticator, a valid Message-Authenticator when there is one or one has to be
 * (BlastRADIUS), with a code that fits the request and with well-formed attributes. Everything else
 * is dropped and counted, and the request goes on waiting: a forger can not end it.
 *
 * Breaker: a server is dead after three waits in vain with nothing heard for two timeouts, or at
 * once when its host says that nobody listens. Any valid reply brings it back. While it is dead it
 * is asked with Status-Server (RFC 5997) every six seconds; a server that never answered one gets a
 * real request now and then instead.
 */
#include "radius/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND            UINT64_C(1000000)
#define TIMEOUT_DEFAULT   (2 * SECOND)
#define TIMEOUT_CAP       (16 * SECOND)
#define TRIES_DEFAULT     3
#define TRIES_MAX         10
#define IN_FLIGHT_DEFAULT 128 /* a socket buffer of 208 kB has room for some 170 */
#define IN_FLIGHT_MAX     4096
#define SILENCES_TO_DIE   3
#define PROBE_INTERVAL    (6 * SECOND)
#define PROBES_TO_TRIAL   3
#define RATE_BURST        (SECOND / 20)
#define LOG_LINE          256

struct radius_server {
	const struct radius_host *host;
	const struct radius_server_events *events;
	void *ctx;
	struct radius_secret secret;
	struct radius_ports ports;
	struct radius_exchange_list exchanges;
	uint64_t timeout;
	unsigned int tries, in_flight_max, rate;
	uint64_t next_start; /* with a rate: when the next one would be due */

	bool needs_signature; /* an Access reply without Message-Authenticator is forged */
	bool learns_signature;
	bool signs_always; /* policy yes: replies to Status-Server as well */

	bool is_alive;
	unsigned int silences; /* since the last reply */
	uint64_t silent_since; /* first try after the last reply, 0 = none */
	void *probe_timer;
	struct radius_exchange probe;
	unsigned int probe_misses;
	bool knows_status, wants_trial;

	uint64_t next_complaint;
	unsigned int complaints_left_out;
	struct radius_server_info info;
};

static void server_log(struct radius_server *server, bool is_error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void server_log(struct radius_server *server, bool is_error, const char *format, ...)
{
	char line[LOG_LINE];
	int used = snprintf(line, sizeof(line), "RADIUS server %s: ", server->info.name);
	va_list args;

	va_start(args, format);
	vsnprintf(line + used, sizeof(line) - (size_t)used, format, args);
	va_end(args);
	server->host->log(server->host->ctx, is_error, line);
}

static uint64_t server_now(const struct radius_server *server)
{
	return server->host->now(server->host->ctx);
}

/*
 * At most one line a second, because a server, or somebody in between, can cause as many as it
 * likes.
 */
static void server_complain(struct radius_server *server, const char *what, const char *detail)
{
	uint64_t now = server_now(server);

	if (now < server->next_complaint) {
		server->complaints_left_out++;
		return;
	}
	server_log(server, true, "%s: %s (%u lines left out)", what, detail,
		server->complaints_left_out);
	server->next_complaint = now + SECOND;
	server->complaints_left_out = 0;
}

/* A tenth more or less. */
static uint64_t with_jitter(const struct radius_server *server, uint64_t delay)
{
	uint16_t random;

	server->host->random(server->host->ctx, &random, sizeof(random));
	return delay - delay / 10 + delay / 5 * random / UINT16_MAX;
}

/* ---- tries ---- */

/* Seconds since the event. */
static uint32_t exchange_delay(const struct radius_exchange *exchange)
{
	const struct radius_host *host = exchange->server->host;
	uint64_t wallclock = host->wallclock(host->ctx);

	return wallclock > exchange->event_time
		       ? (uint32_t)((wallclock - exchange->event_time) / SECOND)
		       : 0;
}

/*
 * A packet, in buf, with an identifier of its own; an accounting one that would say the same as the last
 * keeps that one's, and is the same. Its length, or -errno.
 */
static int exchange_renew(struct radius_exchange *exchange, uint8_t buf[RADIUS_PACKET_MAX])
{
	struct radius_server *server = exchange->server;
	const struct radius_host *host = server->host;
	struct radius_packet_spec spec = {
		.code = exchange->code,
		.secret = &server->secret,
		.body = &exchange->body,
		.event_time = (uint32_t)(exchange->event_time / SECOND),
		.delay = exchange_delay(exchange),
	};
	bool is_same = exchange->slots && exchange->delay == spec.delay;
	struct radius_slot *slot =
		is_same ? exchange->slots : radius_slot_take(&server->ports, exchange);
	int len;

	if (!slot)
		return -server->ports.last_error;
	spec.id = slot->id;
	if (exchange->code != RADIUS_ACCOUNTING_REQUEST)
		host->random(host->ctx, slot->authenticator, sizeof(slot->authenticator));
	len = radius_packet_encode(&spec, slot->authenticator, buf);
	if (len < 0 && !is_same)
		radius_slot_release(&server->ports, slot);
	if (len < 0 || is_same)
		return len;
	slot->next = exchange->slots;
	exchange->slots = slot;
	exchange->delay = spec.delay;
	return len;
}

static int exchange_keep_packet(struct radius_exchange *exchange, const uint8_t *buf, size_t len)
{
	exchange->packet = malloc(len);
	if (!exchange->packet)
		return -ENOMEM;
	memcpy(exchange->packet, buf, len);
	exchange->packet_len = len;
	return 0;
}

static int exchange_transmit(struct radius_exchange *exchange)
{
	struct radius_server *server = exchange->server;
	uint8_t buf[RADIUS_PACKET_MAX];
	const uint8_t *packet = exchange->packet;
	size_t packet_len = exchange->packet_len;

	if (!packet) {
		int len = exchange_renew(exchange, buf);

		if (len < 0)
			return len;
		packet = buf;
		packet_len = (size_t)len;
		if (exchange->code != RADIUS_ACCOUNTING_REQUEST &&
			exchange_keep_packet(exchange, buf, packet_len))
			return -ENOMEM;
	}
	exchange->slots->is_repeated = exchange->slots->sent != 0;
	exchange->slots->sent = server_now(server);
	if (!server->silent_since)
		server->silent_since = exchange->slots->sent;
	radius_slot_send(&server->ports, exchange->slots, packet, packet_len);
	return 0;
}

/* Takes its place among the exchanges of the server, where the probe does not count. */
static void exchange_enter(struct radius_exchange *exchange)
{
	struct radius_server *server = exchange->server;

	exchange->is_active = true;
	if (exchange == &server->probe)
		return;
	TAILQ_INSERT_TAIL(&server->exchanges, exchange, link);
	server->info.in_flight++;
}

static void exchange_leave(struct radius_exchange *exchange)
{
	struct radius_server *server = exchange->server;

	exchange->is_active = false;
	if (exchange == &server->probe)
		return;
	TAILQ_REMOVE(&server->exchanges, exchange, link);
	server->info.in_flight--;
}

static int exchange_start(struct radius_server *server, struct radius_exchange *exchange)
{
	int err;

	exchange->server = server;
	exchange->tries = 1;
	exchange->wait = with_jitter(server, server->timeout);
	exchange_enter(exchange);
	err = exchange_transmit(exchange);
	if (err)
		radius_server_stop(exchange);
	return err;
}

uint64_t radius_server_room(const struct radius_server *server)
{
	uint64_t now = server_now(server);

	if (server->info.in_flight >= server->in_flight_max ||
		radius_ports_exhausted(&server->ports))
		return RADIUS_NO_ROOM;
	if (server->rate && server->next_start > now + RATE_BURST)
		return server->next_start - now - RATE_BURST;
	return 0;
}

int radius_server_start(struct radius_server *server, struct radius_exchange *exchange)
{
	uint64_t now = server_now(server);
	int err = exchange_start(server, exchange);

	if (err) {
		server_complain(server, "cannot send", strerror(-err));
		return err;
	}
	server->info.requests++;
	if (server->rate) {
		if (server->next_start < now)
			server->next_start = now;
		server->next_start += SECOND / server->rate;
	}
	return 0;
}

bool radius_server_retry(struct radius_exchange *exchange)
{
	struct radius_server *server = exchange->server;
	uint64_t cap = server->timeout > TIMEOUT_CAP ? server->timeout : TIMEOUT_CAP;

	if (exchange->tries >= (exchange->is_trial ? 1 : server->tries))
		return false;
	exchange->tries++;
	exchange->wait = 2 * exchange->wait < cap ? 2 * exchange->wait : cap;
	exchange->wait = with_jitter(server, exchange->wait);
	/* A try that could not be made is as good as lost; the next one may go. */
	if (!exchange_transmit(exchange))
		server->info.retransmissions++;
	return true;
}

void radius_server_stop(struct radius_exchange *exchange)
{
	struct radius_server *server = exchange->server;

	if (!exchange->is_active)
		return;
	while (exchange->slots) {
		struct radius_slot *slot = exchange->slots;

		exchange->slots = slot->next;
		radius_slot_release(&server->ports, slot);
	}
	if (exchange->packet)
		explicit_bzero(exchange->packet, exchange->packet_len);
	free(exchange->packet);
	exchange->packet = NULL;
	exchange_leave(exchange);
}

/* ---- life and death ---- */

static void tell(const struct radius_server *server, enum radius_event event, const char *why)
{
	if (server->host->happened)
		server->host->happened(server->host->happened_ctx, event, server->info.name, why);
}

static void server_die(struct radius_server *server, const char *why)
{
	int err = server->ports.last_error;
	char reason[160];

	if (!server->is_alive)
		return;
	server->is_alive = false;
	server->probe_misses = 0;
	server->wants_trial = false;
	snprintf(reason, sizeof(reason), "%s%s%s", why, err ? ", " : "", err ? strerror(err) : "");
	server_log(server, true, "dead: %s", reason);
	tell(server, RADIUS_SERVER_DEAD, reason);
	server->host->timer_start(server->probe_timer, with_jitter(server, PROBE_INTERVAL));
	server->events->changed(server->ctx, server, false);
}

/* A valid reply came. */
static void server_heard(struct radius_server *server)
{
	server->silences = 0;
	server->silent_since = 0;
	if (server->is_alive)
		return;
	server->is_alive = true;
	server->host->timer_stop(server->probe_timer);
	server_log(server, false, "alive again");
	tell(server, RADIUS_SERVER_ALIVE, NULL);
	server->events->changed(server->ctx, server, true);
}

void radius_server_silence(struct radius_server *server)
{
	server->info.timeouts++;
	server->silences++;
	if (server->silences >= SILENCES_TO_DIE && server->silent_since &&
		server_now(server) - server->silent_since >= 2 * server->timeout)
		server_die(server, "does not answer");
}

static void server_refused(void *ctx)
{
	struct radius_server *server = ctx;

	server->info.refused++;
	server_die(server, "nobody listens there");
}

/* Asks a dead server once more, over new sockets. */
static void probe_fire(void *arg)
{
	struct radius_server *server = arg;

	if (server->probe.is_active) {
		radius_server_stop(&server->probe);
		if (++server->probe_misses >= PROBES_TO_TRIAL && !server->knows_status)
			server->wants_trial = true;
	}
	radius_ports_retire(&server->ports);
	if (!exchange_start(server, &server->probe))
		server->info.probes++;
	server->host->timer_start(server->probe_timer, with_jitter(server, PROBE_INTERVAL));
}

/* ---- replies ---- */

static bool reply_code_fits(enum radius_packet_code request, uint8_t reply)
{
	switch (reply) {
	case RADIUS_ACCESS_ACCEPT:
		return request == RADIUS_ACCESS_REQUEST || request == RADIUS_STATUS_SERVER;
	case RADIUS_ACCESS_REJECT:
	case RADIUS_ACCESS_CHALLENGE:
		return request == RADIUS_ACCESS_REQUEST;
	case RADIUS_ACCOUNTING_RESPONSE:
		return request == RADIUS_ACCOUNTING_REQUEST || request == RADIUS_STATUS_SERVER;
	default:
		return false;
	}
}

static bool reply_is_signed_enough(
	struct radius_server *server, const struct radius_exchange *exchange, bool is_signed)
{
	if (is_signed && server->learns_signature && exchange->code == RADIUS_ACCESS_REQUEST)
		server->needs_signature = true;
	if (is_signed)
		return true;
	switch (exchange->code) {
	case RADIUS_ACCESS_REQUEST:
		return !server->needs_signature && !exchange->body.has_eap;
	case RADIUS_STATUS_SERVER:
		return !server->signs_always;
	default:
		return true;
	}
}

static bool reply_verify(struct radius_server *server, const struct radius_slot *slot,
	const struct radius_frame *frame)
{
	struct radius_exchange *exchange = slot->exchange;
	const char *fault;

	if (!radius_packet_verify_reply(frame, slot->authenticator, &server->secret)) {
		if (radius_packet_verify_reply(frame, slot->previous, &server->secret)) {
			server->info.wrong_ids++;
			return false;
		}
		fault = "bad authenticator: is the secret right?";
	} else if (!reply_code_fits(exchange->code, frame->octets[0])) {
		server->info.bad_packets++;
		server_complain(server, "reply dropped", "its code does not fit the request");
		return false;
	} else if (!reply_is_signed_enough(server, exchange, frame->message_authenticator != 0)) {
		fault = "no Message-Authenticator";
	} else {
		return true;
	}
	server->info.bad_authenticators++;
	exchange->is_forged = true;
	server_complain(server, "reply dropped", fault);
	return false;
}

static void server_count_reply(
	struct radius_server *server, const struct radius_slot *slot, uint8_t code)
{
	struct radius_server_info *info = &server->info;
	uint64_t latency = server_now(server) - slot->sent;

	switch (code) {
	case RADIUS_ACCESS_ACCEPT:
		info->accepts++;
		break;
	case RADIUS_ACCESS_REJECT:
		info->rejects++;
		break;
	case RADIUS_ACCESS_CHALLENGE:
		info->challenges++;
		break;
	default:
		info->responses++;
	}
	/* Which of several identical tries was answered nobody can tell. */
	if (slot->is_repeated)
		return;
	info->latency = info->latency ? (7 * info->latency + latency) / 8 : latency;
}

static void server_input(void *ctx, struct radius_slot *slot, const uint8_t *buf, size_t len)
{
	struct radius_server *server = ctx;
	struct radius_exchange *exchange;
	struct radius_attrs *reply;
	struct radius_frame frame;
	int err;

	if (radius_packet_frame(buf, len, &frame)) {
		server->info.bad_packets++;
		server_complain(server, "packet dropped", "malformed");
		return;
	}
	exchange = slot->exchange;
	if (!exchange) {
		server->info.wrong_ids++;
		return;
	}
	if (!reply_verify(server, slot, &frame))
		return;
	err = radius_attrs_decode(buf + RADIUS_HEADER_LEN, frame.len - RADIUS_HEADER_LEN, &reply);
	if (err) {
		server->info.bad_packets++;
		server_complain(server, "reply dropped", strerror(-err));
		return;
	}
	if (exchange == &server->probe)
		server->knows_status = true;
	else
		server_count_reply(server, slot, buf[0]);
	memcpy(exchange->authenticator, slot->authenticator, sizeof(exchange->authenticator));
	radius_server_stop(exchange);
	server_heard(server);
	if (exchange != &server->probe)
		server->events->answered(server->ctx, exchange, buf[0], reply);
	radius_attrs_free(reply);
}

/* ---- making and looking ---- */

static int server_set_name(struct radius_server *server, const struct sockaddr_storage *addr)
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;
	char host[INET6_ADDRSTRLEN];
	bool is_v6 = addr->ss_family == AF_INET6;

	if (!is_v6 && addr->ss_family != AF_INET)
		return -EINVAL;
	if (!inet_ntop(addr->ss_family, is_v6 ? (const void *)&in6->sin6_addr : &in4->sin_addr,
		    host, sizeof(host)))
		return -EINVAL;
	snprintf(server->info.name, sizeof(server->info.name), is_v6 ? "[%s]:%u" : "%s:%u", host,
		ntohs(is_v6 ? in6->sin6_port : in4->sin_port));
	return 0;
}

static void server_set_limits(
	struct radius_server *server, const struct radius_client_config *config)
{
	server->timeout = config->timeout ? config->timeout : TIMEOUT_DEFAULT;
	server->tries = config->tries ? config->tries : TRIES_DEFAULT;
	if (server->tries > TRIES_MAX)
		server->tries = TRIES_MAX;
	server->in_flight_max = config->in_flight ? config->in_flight : IN_FLIGHT_DEFAULT;
	if (server->in_flight_max > IN_FLIGHT_MAX)
		server->in_flight_max = IN_FLIGHT_MAX;
	server->rate = config->rate;
}

int radius_server_new(const struct radius_host *host, const struct radius_client_config *config,
	const struct radius_server_config *server_config, const struct radius_server_events *events,
	void *ctx, struct radius_server **ret_server)
{
	struct radius_server *server;

	if (server_config->secret_len == 0 || server_config->secret_len > RADIUS_SECRET_MAX)
		return -EINVAL;
	server = calloc(1, sizeof(*server));
	if (!server)
		return -ENOMEM;
	if (server_set_name(server, &server_config->addr)) {
		free(server);
		return -EINVAL;
	}
	server->probe_timer = RADIUS_TIMER(host, probe_fire, server);
	if (!server->probe_timer) {
		free(server);
		return -ENOMEM;
	}
	server->host = host;
	server->events = events;
	server->ctx = ctx;
	server->ports = (struct radius_ports){
		.host = host,
		.server = server_config->addr,
		.source = config->source,
		.events = { .input = server_input, .refused = server_refused },
		.ctx = server,
	};
	memcpy(server->secret.octets, server_config->secret, server_config->secret_len);
	server->secret.len = server_config->secret_len;
	server_set_limits(server, config);
	server->signs_always = server_config->message_authenticator == RADIUS_MA_YES;
	server->needs_signature = server->signs_always;
	server->learns_signature = server_config->message_authenticator == RADIUS_MA_AUTO;
	server->is_alive = true;
	server->probe.code = RADIUS_STATUS_SERVER;
	TAILQ_INIT(&server->exchanges);
	*ret_server = server;
	return 0;
}

void radius_server_free(struct radius_server *server)
{
	if (!server)
		return;
	radius_server_stop(&server->probe);
	radius_ports_close(&server->ports);
	server->host->timer_free(server->probe_timer);
	explicit_bzero(server, sizeof(*server));
	free(server);
}

void radius_server_inherit(struct radius_server *server, const struct radius_server *other)
{
	if (server->learns_signature)
		server->needs_signature |= other->needs_signature;
	server->knows_status |= other->knows_status;
}

bool radius_server_is_alive(const struct radius_server *server)
{
	return server->is_alive;
}

bool radius_server_wants_trial(struct radius_server *server)
{
	bool wants = server->wants_trial;

	server->wants_trial = false;
	return wants;
}

struct radius_exchange_list *radius_server_exchanges(struct radius_server *server)
{
	return &server->exchanges;
}

const char *radius_server_name(const struct radius_server *server)
{
	return server->info.name;
}

const struct radius_secret *radius_server_secret(const struct radius_server *server)
{
	return &server->secret;
}

void radius_server_info(const struct radius_server *server, struct radius_server_info *ret_info)
{
	*ret_info = server->info;
	ret_info->alive = server->is_alive;
}
