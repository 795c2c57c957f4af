// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/das: what Disconnect- and CoA-Requests mean here (RFC 5176). radius/das.c has believed them;
 * this finds the sessions meant and asks lns/subscriber to end or change them.
 *
 * A Disconnect-Request ends every session that it describes, a CoA-Request changes exactly one: with
 * several, "wholly or not at all" could not be promised. The Disconnect-ACK waits for the end of the
 * sessions, whose Stop records are durable then, but no longer than a second: their end is under way, and
 * cannot be called off.
 */
#include "lns/engine/internal.h"

#include "lns/log.h"
#include "lns/rate.h"
#include "radius/attr_codes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS_MAX 64         /* that one Disconnect-Request ends */
#define ACK_DEADLINE ENV_SEC(1) /* for their ends */

/* A value of the request in scope; NULL when it has none. */
#define GIVEN(field, value) ((request->given & (field)) ? (value) : NULL)

/* ---- whom it is for ---- */

static const char *nas_identifier(const struct config *config)
{
	return *config->radius.nas_identifier ? config->radius.nas_identifier : config->name;
}

/* NAS-IP-Address: the configured one; without, the address that the request was sent to. */
static bool is_our_ip(const struct config_radius *radius, const struct radius_das_request *request)
{
	const struct sockaddr_in *local = (const void *)&request->local;
	const struct sockaddr_in *ours =
		radius->nas_ip.sa.sa_family == AF_INET ? &radius->nas_ip.in4 : local;

	return ours->sin_family == AF_INET && ntohl(ours->sin_addr.s_addr) == request->nas_ip;
}

static bool is_our_ipv6(
	const struct config_radius *radius, const struct radius_das_request *request)
{
	const struct sockaddr_in6 *local = (const void *)&request->local;
	const struct sockaddr_in6 *ours =
		radius->nas_ipv6.sa.sa_family == AF_INET6 ? &radius->nas_ipv6.in6 : local;

	return ours->sin6_family == AF_INET6 &&
	       IN6_ARE_ADDR_EQUAL(&ours->sin6_addr, &request->nas_ipv6);
}

static bool is_for_us(const struct config *config, const struct radius_das_request *request)
{
	if ((request->given & RADIUS_DAS_NAS_IDENTIFIER) &&
		strcmp(request->nas_identifier, nas_identifier(config)) != 0)
		return false;
	if ((request->given & RADIUS_DAS_NAS_IP) && !is_our_ip(&config->radius, request))
		return false;
	return !(request->given & RADIUS_DAS_NAS_IPV6) || is_our_ipv6(&config->radius, request);
}

/* The keys of the sessions that every attribute given fits; their number, at most SESSIONS_MAX kept. */
static size_t find_sessions(
	struct engine *engine, const struct radius_das_request *request, uint64_t *ret_keys)
{
	const struct subscriber_selector selector = {
		.acct_session_id = GIVEN(RADIUS_DAS_ACCT_SESSION_ID, request->acct_session_id),
		.acct_multi_session_id =
			GIVEN(RADIUS_DAS_ACCT_MULTI_SESSION_ID, request->acct_multi_session_id),
		.user = GIVEN(RADIUS_DAS_USER_NAME, request->user_name),
		.address = GIVEN(RADIUS_DAS_FRAMED_IP, &request->framed_ip),
		.nas_port = GIVEN(RADIUS_DAS_NAS_PORT, &request->nas_port),
		.nas_port_id = GIVEN(RADIUS_DAS_NAS_PORT_ID, request->nas_port_id),
		.calling = GIVEN(RADIUS_DAS_CALLING_STATION_ID, request->calling_station_id),
		.called = GIVEN(RADIUS_DAS_CALLED_STATION_ID, request->called_station_id),
	};

	return subscribers_select(engine->subscribers, &selector, ret_keys, SESSIONS_MAX);
}

/* ---- what is done ---- */

/* Sessions that a Disconnect-Request ends, until it is acknowledged. */
struct engine_disconnect {
	LIST_ENTRY(engine_disconnect) entry;
	struct engine *engine;
	struct env_timer *deadline;
	uint64_t ticket;
	uint64_t keys[SESSIONS_MAX]; /* 0: over */
	size_t count, left;
};

static void disconnect_free(struct engine_disconnect *disconnect)
{
	env_timer_free(disconnect->deadline);
	free(disconnect);
}

static void acknowledge(void *ctx)
{
	struct engine_disconnect *disconnect = ctx;

	LIST_REMOVE(disconnect, entry);
	radius_das_decide(disconnect->engine->radius.das, disconnect->ticket, 0);
	disconnect_free(disconnect);
}

static struct engine_disconnect *disconnect_new(struct engine *engine, uint64_t ticket)
{
	struct engine_disconnect *disconnect = calloc(1, sizeof(*disconnect));

	if (!disconnect)
		return NULL;
	disconnect->engine = engine;
	disconnect->ticket = ticket;
	disconnect->deadline = env_timer_new(engine->env, acknowledge, disconnect);
	if (!disconnect->deadline) {
		free(disconnect);
		return NULL;
	}
	return disconnect;
}

void engine_das_ended(struct engine *engine, uint64_t key)
{
	struct engine_disconnect *disconnect, *next;

	if (!key) /* a call that was refused before it was a session */
		return;
	for (disconnect = LIST_FIRST(&engine->radius.disconnects); disconnect; disconnect = next) {
		next = LIST_NEXT(disconnect, entry);
		for (size_t i = 0; i < disconnect->count; i++)
			if (disconnect->keys[i] == key) {
				disconnect->keys[i] = 0;
				disconnect->left--;
			}
		if (disconnect->left == 0)
			acknowledge(disconnect);
	}
}

static unsigned int disconnect(struct engine *engine, const struct radius_das_request *request,
	const uint64_t *keys, size_t count)
{
	struct engine_disconnect *disconnect;
	char detail[80];

	if (count > SESSIONS_MAX)
		return RADIUS_ERROR_MULTIPLE_SESSIONS;
	disconnect = disconnect_new(engine, request->ticket);
	if (!disconnect)
		return RADIUS_ERROR_RESOURCES_UNAVAILABLE;
	snprintf(detail, sizeof(detail), "client %s", request->client);
	for (size_t i = 0; i < count; i++) {
		struct subscriber *sub = subscriber_find(engine->subscribers, keys[i]);

		if (sub) /* the end of another one may have taken it along */
			subscriber_end(sub, END_RADIUS, detail);
	}
	for (size_t i = 0; i < count; i++)
		if (subscriber_find(engine->subscribers, keys[i]))
			disconnect->keys[disconnect->count++] = keys[i];
	disconnect->left = disconnect->count;
	if (disconnect->left == 0) {
		disconnect_free(disconnect);
		return 0;
	}
	LIST_INSERT_HEAD(&engine->radius.disconnects, disconnect, entry);
	env_timer_start(disconnect->deadline, ACK_DEADLINE);
	return RADIUS_DAS_LATER;
}

static void log_change(const struct subscriber *sub, const char *client, bool another_class)
{
	struct subscriber_info info;
	char down[RATE_TEXT], up[RATE_TEXT];

	subscriber_get_info(sub, &info);
	subscriber_log(sub, LOG_LEVEL_INFO,
		"user \"%s\" changed by RADIUS client %s: session timeout %llu s, idle timeout %llu s, "
		"interim %llu s, rates %s down and %s up%s",
		info.user, client, (unsigned long long)(info.session_timeout / 1000000),
		(unsigned long long)(info.idle_timeout / 1000000),
		(unsigned long long)(info.interim / 1000000),
		rate_text(info.limits.down.rate, down), rate_text(info.limits.up.rate, up),
		another_class ? ", another Class" : "");
}

/* A change of a session, from the request to the answer. */
struct engine_change {
	struct engine *engine;
	uint64_t key, ticket;
	bool another_class;
	char client[64];
};

/* The Error-Cause of a change that could not be made. */
static unsigned int cause_of(int err)
{
	switch (err) {
	case 0:
		return 0;
	case -ENOTCONN: /* still being set up, or over */
		return RADIUS_ERROR_SESSION_NOT_FOUND;
	case -EINVAL:
		return RADIUS_ERROR_INVALID_ATTRIBUTE_VALUE;
	case -EOPNOTSUPP:
		return RADIUS_ERROR_UNSUPPORTED_ATTRIBUTE;
	default:
		return RADIUS_ERROR_RESOURCES_UNAVAILABLE;
	}
}

static unsigned int conclude(const struct engine_change *change, int err)
{
	const struct subscriber *sub = subscriber_find(change->engine->subscribers, change->key);

	if (!err && sub)
		log_change(sub, change->client, change->another_class);
	return cause_of(err);
}

static void changed(void *ctx, int err)
{
	struct engine_change *change = ctx;
	unsigned int cause = conclude(change, err);

	if (change->engine->radius.das)
		radius_das_decide(change->engine->radius.das, change->ticket, cause);
	free(change);
}

static unsigned int change(
	struct engine *engine, const struct radius_das_request *request, uint64_t key)
{
	struct engine_change *started = calloc(1, sizeof(*started));
	const struct subscriber_change wanted = {
		.session_timeout = GIVEN(RADIUS_DAS_SESSION_TIMEOUT, &request->session_timeout),
		.idle_timeout = GIVEN(RADIUS_DAS_IDLE_TIMEOUT, &request->idle_timeout),
		.interim = GIVEN(RADIUS_DAS_INTERIM, &request->interim),
		.classes = GIVEN(RADIUS_DAS_CLASS, request->classes),
		.rates = GIVEN(RADIUS_DAS_RATES, request->rates),
		.done = changed,
		.ctx = started,
	};
	unsigned int cause;
	int err;

	if (!started)
		return RADIUS_ERROR_RESOURCES_UNAVAILABLE;
	started->engine = engine;
	started->key = key;
	started->ticket = request->ticket;
	started->another_class = request->given & RADIUS_DAS_CLASS;
	snprintf(started->client, sizeof(started->client), "%s", request->client);
	err = subscriber_change(subscriber_find(engine->subscribers, key), &wanted);
	if (err == -EINPROGRESS)
		return RADIUS_DAS_LATER;
	cause = conclude(started, err);
	free(started);
	return cause;
}

static unsigned int handle(void *ctx, const struct radius_das_request *request)
{
	struct engine *engine = ctx;
	uint64_t keys[SESSIONS_MAX];
	size_t count;

	if (!is_for_us(engine->config, request))
		return RADIUS_ERROR_NAS_MISMATCH;
	count = find_sessions(engine, request, keys);
	if (count == 0)
		return RADIUS_ERROR_SESSION_NOT_FOUND;
	if (request->code == RADIUS_DISCONNECT_REQUEST)
		return disconnect(engine, request, keys, count);
	return count > 1 ? RADIUS_ERROR_MULTIPLE_SESSIONS : change(engine, request, keys[0]);
}

/* ---- configuration ---- */

static bool has_client(const struct config_das *das, sa_family_t family)
{
	for (size_t i = 0; i < das->client_count; i++)
		if (das->clients[i].addr.sa.sa_family == family)
			return true;
	return false;
}

/* Where to listen: the addresses given, or any address of the families that clients have. */
static size_t fill_listen(const struct config_das *das, struct sockaddr_storage listen[2])
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };
	bool given = das->address[0].sa.sa_family != AF_UNSPEC;
	size_t count = 0;

	for (size_t i = 0; i < 2; i++) {
		union addr addr = { .sa = { .sa_family = AF_UNSPEC } };

		if (given)
			addr = das->address[i];
		else if (has_client(das, families[i]))
			addr.sa.sa_family = families[i];
		if (addr.sa.sa_family == AF_UNSPEC)
			continue;
		addr_set_port(&addr, das->port);
		memset(&listen[count], 0, sizeof(listen[count]));
		memcpy(&listen[count++], &addr, addr_len(&addr));
	}
	return count;
}

static struct radius_das_client_config *make_clients(const struct config_das *das)
{
	struct radius_das_client_config *clients = calloc(das->client_count, sizeof(*clients));

	for (size_t i = 0; clients && i < das->client_count; i++) {
		const struct config_das_client *from = &das->clients[i];

		memcpy(&clients[i].addr, &from->addr, addr_len(&from->addr));
		memcpy(clients[i].secret, from->secret.data, from->secret.len);
		clients[i].secret_len = from->secret.len;
	}
	return clients;
}

static int configure(struct engine *engine, const struct config_das *das)
{
	struct radius_das_client_config *clients = make_clients(das);
	struct sockaddr_storage listen[2];
	const struct radius_das_config config = {
		.listen = listen,
		.listen_count = fill_listen(das, listen),
		.clients = clients,
		.client_count = das->client_count,
	};
	char text[ADDR_TEXT] = "";
	union addr addr;
	size_t failed = config.listen_count;
	int err = clients ? radius_das_configure(engine->radius.das, &config, &failed) : -ENOMEM;

	if (failed < config.listen_count && addr_from_sockaddr((struct sockaddr *)&listen[failed],
						    sizeof(listen[failed]), &addr) == 0)
		addr_text(&addr, text);
	if (err < 0)
		log_error("dynamic authorization%s%s: %s", *text ? ": cannot listen on " : "", text,
			strerror(-err));
	if (clients)
		explicit_bzero(clients, das->client_count * sizeof(*clients));
	free(clients);
	return err;
}

int engine_das_configure(struct engine *engine)
{
	const struct config_radius *radius = &engine->config->radius;
	bool is_new = !engine->radius.das;
	int err;

	if (!engine->config->has_radius || !radius->has_das) {
		engine_das_stop(engine);
		return 0;
	}
	err = is_new ? radius_das_new(&engine->radius.host, handle, engine, &engine->radius.das)
		     : 0;
	if (!err)
		err = configure(engine, &radius->das);
	if (err < 0 && is_new)
		engine_das_stop(engine);
	return err;
}

void engine_das_stop(struct engine *engine)
{
	struct engine_disconnect *disconnect;

	while ((disconnect = LIST_FIRST(&engine->radius.disconnects))) {
		LIST_REMOVE(disconnect, entry);
		disconnect_free(disconnect);
	}
	radius_das_free(engine->radius.das);
	engine->radius.das = NULL;
}
