/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * das: the order in which a Disconnect- or CoA-Request is doubted (RFC 5176 sections 2.3, 3 and 6):
 *
 *   source -> framing, code -> Request Authenticator, Message-Authenticator -> Event-Timestamp
 *     -> answered before? -> attributes -> the owner's word, perhaps later -> reply, remembered
 *
 * Up to the Event-Timestamp a failure is silence, so that nobody learns anything; behind it every
 * request gets an answer. Memory for remembering the reply is taken before the owner is asked.
 *
 * Owner: struct radius_das owns its ports, clients (whose secrets are wiped) and known replies.
 */
#include "radius/das.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "radius/attr_codes.h"
#include "radius/das_cache.h"
#include "radius/das_parse.h"
#include "radius/das_port.h"
#include "radius/digest.h"

#define SECOND       UINT64_C(1000000)
#define TIME_WINDOW  300 /* seconds that an Event-Timestamp may be off */
#define LOG_INTERVAL (10 * SECOND)

/* How long a reply is known: until its Event-Timestamp is stale for sure, or a client gave up. */
#define DATED_KEPT   ((2 * TIME_WINDOW + 1) * SECOND)
#define UNDATED_KEPT (30 * SECOND)

#define ATTR_HEADER  2
#define SIGNED_ATTR  (ATTR_HEADER + RADIUS_AUTH_LEN)
#define INTEGER_ATTR (ATTR_HEADER + 4)
#define REPLY_MIN    (RADIUS_HEADER_LEN + SIGNED_ATTR + INTEGER_ATTR)

static const uint8_t zeros[RADIUS_AUTH_LEN];

/* What a log line may be about; each has its own limit. */
enum topic { TOPIC_STRANGER, TOPIC_MALFORMED, TOPIC_FORGED, TOPIC_STALE, TOPIC_NAK, TOPICS };

struct client {
	struct sockaddr_storage addr;
	struct radius_secret secret;
	struct radius_das_info info;
};

/* A request that its owner has not decided yet. */
struct pending {
	LIST_ENTRY(pending) in_list;
	uint64_t ticket;
	struct radius_das_entry *entry; /* for its reply; ours */
	struct sockaddr_storage local;
	struct radius_das_port *port; /* where it came, if that is still open */
	size_t len;
	uint8_t octets[]; /* the request */
};

struct radius_das {
	struct radius_host host;
	radius_das_fn *handle;
	void *ctx;
	struct radius_das_port *ports[RADIUS_DAS_LISTEN_MAX];
	size_t port_count;
	struct client *clients;
	size_t client_count;
	uint64_t strangers;
	struct radius_das_cache cache;
	LIST_HEAD(, pending) pendings;
	uint64_t last_ticket;
	struct {
		uint64_t next;
		unsigned int left_out;
	} logs[TOPICS];
};

/* ---- log ---- */

static __attribute__((format(printf, 3, 4))) void das_log(
	struct radius_das *das, enum topic topic, const char *format, ...)
{
	uint64_t now = das->host.now(das->host.ctx);
	unsigned int left_out = das->logs[topic].left_out;
	char line[400] = "dynamic authorization: ";
	size_t used = strlen(line);
	va_list ap;

	if (now < das->logs[topic].next) {
		das->logs[topic].left_out++;
		return;
	}
	das->logs[topic].next = now + LOG_INTERVAL;
	das->logs[topic].left_out = 0;
	va_start(ap, format);
	vsnprintf(line + used, sizeof(line) - used, format, ap);
	va_end(ap);
	used = strlen(line);
	if (left_out)
		snprintf(line + used, sizeof(line) - used, " (%u lines left out)", left_out);
	das->host.log(das->host.ctx, topic != TOPIC_NAK, line);
}

static const char *host_text(const struct sockaddr_storage *addr, char *text, socklen_t size)
{
	const struct sockaddr_in *in4 = (const void *)addr;
	const struct sockaddr_in6 *in6 = (const void *)addr;
	const void *octets = addr->ss_family == AF_INET6 ? (const void *)&in6->sin6_addr
							 : (const void *)&in4->sin_addr;

	return inet_ntop(addr->ss_family, octets, text, size) ? text : "?";
}

/* ---- requests ---- */

static struct client *find_client(struct radius_das *das, const struct sockaddr_storage *from)
{
	for (size_t i = 0; i < das->client_count; i++)
		if (radius_das_same_source(&das->clients[i].addr, from, true))
			return &das->clients[i];
	return NULL;
}

/* RFC 5176 section 2.3: both are computed with an authenticator of zeros. */
static bool is_genuine(const struct radius_frame *frame, const struct radius_secret *secret)
{
	uint8_t digest[RADIUS_AUTH_LEN];

	radius_packet_digest(frame, zeros, secret, digest);
	if (!radius_equal(digest, frame->octets + 4, RADIUS_AUTH_LEN))
		return false;
	if (!frame->message_authenticator)
		return true;
	radius_packet_hmac(frame, zeros, secret, digest);
	return radius_equal(digest, frame->octets + frame->message_authenticator, RADIUS_AUTH_LEN);
}

/* Whether the octets are a request that its client made; if not, says so. */
static bool accept_packet(struct radius_das *das, struct client *client, const uint8_t *octets,
	size_t len, struct radius_frame *ret_frame)
{
	bool framed = radius_packet_frame(octets, len, ret_frame) == 0;

	/* Proxy-States that no reply has room for cannot be answered. */
	if (!framed ||
		(octets[0] != RADIUS_DISCONNECT_REQUEST && octets[0] != RADIUS_COA_REQUEST) ||
		radius_das_proxy_states(ret_frame, NULL) > RADIUS_PACKET_MAX - REPLY_MIN) {
		client->info.malformed++;
		das_log(das, TOPIC_MALFORMED, "client %s sends what is not a %s request",
			client->info.client, framed ? "Disconnect or CoA" : "well-formed RADIUS");
		return false;
	}
	if (!is_genuine(ret_frame, &client->secret)) {
		client->info.bad_authenticators++;
		das_log(das, TOPIC_FORGED,
			"client %s: request with a wrong authenticator: is the secret right?",
			client->info.client);
		return false;
	}
	return true;
}

static bool is_current(
	struct radius_das *das, struct client *client, const struct radius_das_request *request)
{
	int64_t now = (int64_t)(das->host.wallclock(das->host.ctx) / SECOND);
	int64_t off = (int64_t)request->event_time - now;

	if (!(request->given & RADIUS_DAS_EVENT_TIME) ||
		(off >= -TIME_WINDOW && off <= TIME_WINDOW))
		return true;
	client->info.stale++;
	das_log(das, TOPIC_STALE,
		"client %s: request with an Event-Timestamp %lld s %s: replayed, or a wrong clock",
		client->info.client, (long long)(off < 0 ? -off : off),
		off < 0 ? "ago" : "in the future");
	return false;
}

/* ---- replies ---- */

/* Signs a reply; octets: attributes are in place, from the Message-Authenticator on. */
static void sign_reply(const struct radius_frame *request, const struct radius_secret *secret,
	uint8_t *octets, size_t len)
{
	const uint8_t *authenticator = request->octets + 4;
	struct radius_frame frame = { .octets = octets,
		.len = len,
		.message_authenticator = RADIUS_HEADER_LEN + ATTR_HEADER };

	radius_packet_hmac(&frame, authenticator, secret, octets + frame.message_authenticator);
	radius_packet_digest(&frame, authenticator, secret, octets + 4);
}

/* Makes the reply to a request: ACK when cause is 0, else NAK. Its length. */
static size_t make_reply(const struct radius_frame *request, const struct radius_secret *secret,
	unsigned int cause, uint8_t *octets)
{
	bool is_coa = request->octets[0] == RADIUS_COA_REQUEST;
	uint32_t wire_cause = htonl(cause);
	size_t len = RADIUS_HEADER_LEN;
	uint16_t wire_len;

	memset(octets, 0, REPLY_MIN);
	octets[0] = cause ? (is_coa ? RADIUS_COA_NAK : RADIUS_DISCONNECT_NAK)
			  : (is_coa ? RADIUS_COA_ACK : RADIUS_DISCONNECT_ACK);
	octets[1] = request->octets[1];
	octets[len] = RADIUS_MESSAGE_AUTHENTICATOR;
	octets[len + 1] = SIGNED_ATTR;
	len += SIGNED_ATTR;
	if (cause) {
		octets[len] = RADIUS_ERROR_CAUSE;
		octets[len + 1] = INTEGER_ATTR;
		memcpy(octets + len + ATTR_HEADER, &wire_cause, sizeof(wire_cause));
		len += INTEGER_ATTR;
	}
	len += radius_das_proxy_states(request, octets + len);
	wire_len = htons((uint16_t)len);
	memcpy(octets + 2, &wire_len, sizeof(wire_len));
	sign_reply(request, secret, octets, len);
	return len;
}

static size_t copy_reply(const struct radius_das_entry *entry, uint8_t *reply)
{
	memcpy(reply, entry->reply, entry->len);
	return entry->len;
}

static void count_answer(struct radius_das *das, struct client *client,
	const struct radius_frame *frame, unsigned int cause)
{
	bool is_coa = frame->octets[0] == RADIUS_COA_REQUEST;

	if (is_coa)
		client->info.coas++;
	else
		client->info.disconnects++;
	if (!cause) {
		client->info.acks++;
		return;
	}
	client->info.naks++;
	das_log(das, TOPIC_NAK, "client %s: %s-Request refused: %s (%u)", client->info.client,
		is_coa ? "CoA" : "Disconnect", radius_error_name(cause), cause);
}

/* ---- the owner's word ---- */

/* What came, by which way. */
struct arrival {
	struct radius_das_port *port; /* NULL: none */
	const struct sockaddr_storage *from, *local;
};

static struct pending *find_pending(struct radius_das *das, const struct radius_das_key *key)
{
	struct pending *pending;

	LIST_FOREACH(pending, &das->pendings, in_list)
		if (pending->entry->key.id == key->id &&
			memcmp(pending->entry->key.authenticator, key->authenticator,
				RADIUS_AUTH_LEN) == 0 &&
			radius_das_same_source(
				&pending->entry->key.from, &key->from, key->any_port))
			return pending;
	return NULL;
}

static struct pending *pending_new(const struct radius_frame *frame, const struct arrival *arrival)
{
	struct pending *pending = malloc(sizeof(*pending) + frame->len);

	if (!pending)
		return NULL;
	pending->local = *arrival->local;
	pending->port = arrival->port;
	pending->len = frame->len;
	memcpy(pending->octets, frame->octets, frame->len);
	return pending;
}

/* Replies as decided, and remembers it. Takes the entry over, and leaves it to the cache. */
static void reply_to(struct radius_das *das, struct client *client,
	const struct radius_frame *frame, struct radius_das_entry *entry, unsigned int cause)
{
	uint64_t kept = entry->key.any_port ? DATED_KEPT : UNDATED_KEPT;

	count_answer(das, client, frame, cause);
	entry->len = make_reply(frame, &client->secret, cause, entry->reply);
	radius_das_cache_add(&das->cache, entry, das->host.now(das->host.ctx), kept);
}

/* Asks the owner, having made sure that its word can be carried out and kept. */
static unsigned int ask_owner(struct radius_das *das, const struct radius_frame *frame,
	const struct arrival *arrival, struct radius_das_request *request,
	struct radius_das_entry *entry)
{
	struct pending *pending = pending_new(frame, arrival);
	unsigned int cause;

	if (!pending)
		return RADIUS_ERROR_RESOURCES_UNAVAILABLE;
	request->ticket = pending->ticket = ++das->last_ticket;
	cause = das->handle(das->ctx, request);
	if (cause != RADIUS_DAS_LATER) {
		free(pending);
		return cause;
	}
	pending->entry = entry;
	LIST_INSERT_HEAD(&das->pendings, pending, in_list);
	return cause;
}

/* A believed request: answered before, or to be carried out. cause: of what it says. */
static size_t answer(struct radius_das *das, struct client *client,
	const struct radius_frame *frame, const struct arrival *arrival,
	struct radius_das_request *request, unsigned int cause, uint8_t *reply)
{
	bool dated = request->given & RADIUS_DAS_EVENT_TIME;
	struct radius_das_key key = {
		.from = *arrival->from, .id = frame->octets[1], .any_port = dated
	};
	const struct radius_das_entry *known;
	struct radius_das_entry *entry;

	memcpy(key.authenticator, frame->octets + 4, RADIUS_AUTH_LEN);
	known = radius_das_cache_find(&das->cache, &key, das->host.now(das->host.ctx));
	if (known || find_pending(das, &key)) {
		client->info.duplicates++;
		return known ? copy_reply(known, reply) : 0;
	}
	entry = radius_das_entry_new(&key, REPLY_MIN + radius_das_proxy_states(frame, NULL));
	if (!entry) {
		count_answer(das, client, frame, RADIUS_ERROR_RESOURCES_UNAVAILABLE);
		return make_reply(
			frame, &client->secret, RADIUS_ERROR_RESOURCES_UNAVAILABLE, reply);
	}
	if (!cause)
		cause = ask_owner(das, frame, arrival, request, entry);
	if (cause == RADIUS_DAS_LATER)
		return 0;
	reply_to(das, client, frame, entry, cause);
	return copy_reply(entry, reply);
}

void radius_das_decide(struct radius_das *das, uint64_t ticket, unsigned int cause)
{
	struct pending *pending;
	struct radius_frame frame;
	struct client *client;

	LIST_FOREACH(pending, &das->pendings, in_list)
		if (pending->ticket == ticket)
			break;
	if (!pending)
		return;
	LIST_REMOVE(pending, in_list);
	client = find_client(das, &pending->entry->key.from);
	if (client && radius_packet_frame(pending->octets, pending->len, &frame) == 0) {
		reply_to(das, client, &frame, pending->entry, cause);
		if (pending->port)
			radius_das_port_send(pending->port, &pending->entry->key.from,
				&pending->local, pending->entry->reply, pending->entry->len);
	} else { /* it is no client any more */
		free(pending->entry);
	}
	free(pending);
}

/* A port is closed: what came there is not answered, but carried out all the same. */
static void forget_port(struct radius_das *das, const struct radius_das_port *port)
{
	struct pending *pending;

	LIST_FOREACH(pending, &das->pendings, in_list)
		if (pending->port == port)
			pending->port = NULL;
}

static size_t take(struct radius_das *das, const struct arrival *arrival, const uint8_t *octets,
	size_t len, uint8_t reply[RADIUS_PACKET_MAX])
{
	struct client *client = find_client(das, arrival->from);
	struct radius_das_request request = { .local = *arrival->local };
	struct radius_attrs *classes, *rates;
	struct radius_frame frame;
	char text[INET6_ADDRSTRLEN];
	unsigned int cause;
	size_t reply_len = 0;

	if (!client) {
		das->strangers++;
		das_log(das, TOPIC_STRANGER, "%s is no client",
			host_text(arrival->from, text, sizeof(text)));
		return 0;
	}
	if (!accept_packet(das, client, octets, len, &frame))
		return 0;
	classes = radius_attrs_new();
	rates = radius_attrs_new();
	request.code = octets[0];
	request.client = client->info.client;
	if (classes && rates) { /* otherwise as if it were lost: the client asks again */
		cause = radius_das_parse(&frame, classes, rates, &request);
		if (is_current(das, client, &request))
			reply_len = answer(das, client, &frame, arrival, &request, cause, reply);
	}
	radius_attrs_free(classes);
	radius_attrs_free(rates);
	return reply_len;
}

size_t radius_das_take(struct radius_das *das, const struct sockaddr_storage *from,
	const struct sockaddr_storage *local, const uint8_t *octets, size_t len,
	uint8_t reply[RADIUS_PACKET_MAX])
{
	const struct arrival arrival = { NULL, from, local };

	return take(das, &arrival, octets, len, reply);
}

static size_t take_input(void *ctx, struct radius_das_port *port,
	const struct sockaddr_storage *from, const struct sockaddr_storage *local,
	const uint8_t *octets, size_t len, uint8_t reply[RADIUS_PACKET_MAX])
{
	const struct arrival arrival = { port, from, local };

	return take(ctx, &arrival, octets, len, reply);
}

/* ---- configuration ---- */

static bool is_same_addr(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	return radius_das_same_source(a, b, false);
}

static void wipe_clients(struct client *clients, size_t count)
{
	if (clients)
		explicit_bzero(clients, count * sizeof(*clients));
	free(clients);
}

/* The clients of config, with the counters of those that are known. NULL: no memory. */
static struct client *make_clients(struct radius_das *das, const struct radius_das_config *config)
{
	struct client *clients = calloc(config->client_count + 1, sizeof(*clients));

	for (size_t i = 0; clients && i < config->client_count; i++) {
		const struct radius_das_client_config *from = &config->clients[i];
		const struct client *old = find_client(das, &from->addr);

		if (old)
			clients[i].info = old->info;
		clients[i].addr = from->addr;
		clients[i].secret.len = from->secret_len;
		memcpy(clients[i].secret.octets, from->secret, from->secret_len);
		host_text(&from->addr, clients[i].info.client, sizeof(clients[i].info.client));
	}
	return clients;
}

/* The port that is open for addr, taken out of das; NULL: none. */
static struct radius_das_port *take_port(
	struct radius_das *das, const struct sockaddr_storage *addr)
{
	for (size_t i = 0; i < das->port_count; i++) {
		struct radius_das_port *port = das->ports[i];

		if (!port || !is_same_addr(radius_das_port_addr(port), addr))
			continue;
		das->ports[i] = NULL;
		return port;
	}
	return NULL;
}

/* Opens what of config->listen is not open: opened[i] NULL where it is. 0 or -errno. */
static int open_ports(struct radius_das *das, const struct radius_das_config *config,
	struct radius_das_port **opened, size_t *ret_failed)
{
	for (size_t i = 0; i < config->listen_count; i++) {
		bool is_open = false;
		int err;

		for (size_t p = 0; p < das->port_count; p++)
			is_open |= is_same_addr(
				radius_das_port_addr(das->ports[p]), &config->listen[i]);
		if (is_open)
			continue;
		err = radius_das_port_open(
			&das->host, &config->listen[i], take_input, das, &opened[i]);
		if (err == 0)
			continue;
		*ret_failed = i;
		while (i-- > 0)
			radius_das_port_close(opened[i]);
		return err;
	}
	return 0;
}

static bool is_sound(const struct radius_das_config *config)
{
	if (config->listen_count > RADIUS_DAS_LISTEN_MAX)
		return false;
	for (size_t i = 0; i < config->listen_count; i++)
		for (size_t j = 0; j < i; j++)
			if (is_same_addr(&config->listen[i], &config->listen[j]))
				return false;
	for (size_t i = 0; i < config->client_count; i++)
		if (!config->clients[i].secret_len ||
			config->clients[i].secret_len > RADIUS_SECRET_MAX)
			return false;
	return true;
}

int radius_das_configure(
	struct radius_das *das, const struct radius_das_config *config, size_t *ret_failed)
{
	struct radius_das_port *ports[RADIUS_DAS_LISTEN_MAX] = { NULL };
	struct client *clients;
	size_t failed = config->listen_count;
	int err;

	if (ret_failed)
		*ret_failed = failed;
	if (!is_sound(config))
		return -EINVAL;
	clients = make_clients(das, config);
	err = clients ? open_ports(das, config, ports, &failed) : -ENOMEM;
	if (err < 0) {
		if (ret_failed)
			*ret_failed = failed;
		wipe_clients(clients, clients ? config->client_count : 0);
		return err;
	}
	for (size_t i = 0; i < config->listen_count; i++)
		if (!ports[i])
			ports[i] = take_port(das, &config->listen[i]);
	for (size_t i = 0; i < das->port_count; i++) {
		if (das->ports[i])
			forget_port(das, das->ports[i]);
		radius_das_port_close(das->ports[i]);
	}
	memcpy(das->ports, ports, sizeof(das->ports));
	das->port_count = config->listen_count;
	wipe_clients(das->clients, das->client_count);
	das->clients = clients;
	das->client_count = config->client_count;
	return 0;
}

int radius_das_new(const struct radius_host *host, radius_das_fn *handle, void *ctx,
	struct radius_das **ret_das)
{
	struct radius_das *das = calloc(1, sizeof(*das));

	if (!das)
		return -ENOMEM;
	das->host = *host;
	das->handle = handle;
	das->ctx = ctx;
	radius_das_cache_init(&das->cache);
	LIST_INIT(&das->pendings);
	das->last_ticket = host->now(host->ctx); /* so that another server's are not ours */
	*ret_das = das;
	return 0;
}

void radius_das_free(struct radius_das *das)
{
	struct pending *pending;

	if (!das)
		return;
	while ((pending = LIST_FIRST(&das->pendings))) {
		LIST_REMOVE(pending, in_list);
		free(pending->entry);
		free(pending);
	}
	for (size_t i = 0; i < das->port_count; i++)
		radius_das_port_close(das->ports[i]);
	wipe_clients(das->clients, das->client_count);
	radius_das_cache_clear(&das->cache);
	free(das);
}

/* ---- what there is to see ---- */

size_t radius_das_client_count(const struct radius_das *das)
{
	return das->client_count;
}

void radius_das_client_info(
	const struct radius_das *das, size_t index, struct radius_das_info *ret_info)
{
	*ret_info = das->clients[index].info;
}

uint64_t radius_das_strangers(const struct radius_das *das)
{
	return das->strangers;
}
