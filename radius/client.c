/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client: requests, and which server each of them goes to.
 *
 * Owner: the client owns its servers and requests; a request is in exactly one state:
 *
 *   WAITING  in the queue of the server it will go to, because that one has no room
 *   ACTIVE   being tried at a server (its exchange is active)
 *   FAILED   no server is left; its timer brings the news
 *   DONE     done is being called; gone afterwards
 *
 * A request goes to the first server in order of preference that is alive (one with a State to the
 * one that gave it), and when all its tries
 * there were in vain, to the next one it has not been to; dead servers come last, but they come:
 * with every server dead each is still tried. When a server dies, its requests leave it at once if
 * an alive one is left for them. When it comes back, requests that wait for a less preferred one
 * return to it.
 *
 * Only timers and received packets end requests, so done never comes from inside a call of the
 * user. A queue is emptied in small batches, to keep the loop's turns short.
 */
#include "radius/radius.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "radius/server.h"

#define QUEUE_WAIT_MAX UINT64_C(30000000) /* RFC 5080 section 2.2.1: MRD */
#define PUMP_BATCH     32
#define PUMP_PAUSE     1000

enum request_state { REQUEST_WAITING, REQUEST_ACTIVE, REQUEST_FAILED, REQUEST_DONE };

struct client_place;

struct radius_request {
	struct radius_exchange exchange; /* first: an exchange is its request */
	struct radius_client *client;
	struct client_place *place; /* waiting for or active at */
	enum request_state state;
	uint32_t been_to;                     /* bits of servers */
	const struct client_place *preferred; /* before all others while it is alive; or NULL */
	bool was_sent;
	void *timer;
	radius_done_fn *done;
	void *ctx;
	TAILQ_ENTRY(radius_request) all, queue;
};
TAILQ_HEAD(request_list, radius_request);

/* A server and those who wait for it. */
struct client_place {
	struct radius_client *client;
	struct radius_server *server;
	struct request_list queue;
	unsigned int waiting;
	void *pump_timer;
};

struct radius_client {
	struct radius_host host;
	struct request_list requests;
	size_t count;
	struct client_place places[RADIUS_SERVERS_MAX];
};

static void request_move(struct radius_request *request);

/* ---- the end of a request ---- */

static void request_free(struct radius_request *request)
{
	struct radius_client *client = request->client;

	TAILQ_REMOVE(&client->requests, request, all);
	client->host.timer_free(request->timer);
	radius_body_wipe(&request->exchange.body);
	explicit_bzero(request, sizeof(*request));
	free(request);
}

static void request_leave_queue(struct radius_request *request)
{
	TAILQ_REMOVE(&request->place->queue, request, queue);
	request->place->waiting--;
}

static void request_finish(struct radius_request *request, enum radius_outcome outcome,
	unsigned int code, const struct radius_attrs *reply)
{
	const char *server = request->place ? radius_server_name(request->place->server) : "";

	request->state = REQUEST_DONE;
	request->client->host.timer_stop(request->timer);
	request->done(request->ctx, outcome, code, reply, server);
	request_free(request);
}

/* No server is left. */
static void request_give_up(struct radius_request *request)
{
	enum radius_outcome outcome = RADIUS_FAILED;

	if (request->exchange.is_forged)
		outcome = RADIUS_FORGED;
	else if (request->was_sent)
		outcome = RADIUS_TIMEOUT;
	request_finish(request, outcome, 0, NULL);
}

/* ---- queues ---- */

/* Sends one request from the head of a queue. */
static void place_send(struct client_place *place)
{
	struct radius_request *request = TAILQ_FIRST(&place->queue);
	struct radius_client *client = place->client;

	request_leave_queue(request);
	request->state = REQUEST_ACTIVE;
	request->been_to |= UINT32_C(1) << (place - client->places);
	if (radius_server_start(place->server, &request->exchange)) {
		request_move(request);
		return;
	}
	request->was_sent = true;
	client->host.timer_start(request->timer, request->exchange.wait);
}

/* Sends what may go now, at most a batch; the rest a little later. */
static void place_pump(struct client_place *place)
{
	unsigned int sent = 0;

	while (!TAILQ_EMPTY(&place->queue)) {
		uint64_t wait = radius_server_room(place->server);

		if (!wait && sent < PUMP_BATCH) {
			place_send(place);
			sent++;
			continue;
		}
		if (wait != RADIUS_NO_ROOM)
			place->client->host.timer_start(
				place->pump_timer, wait ? wait : PUMP_PAUSE);
		return;
	}
}

static void pump_fire(void *arg)
{
	place_pump(arg);
}

/* ---- choosing ---- */

static bool request_may_go(const struct radius_request *request, size_t index)
{
	return !(request->been_to & UINT32_C(1) << index);
}

static struct client_place *request_choose(struct radius_request *request)
{
	struct radius_client *client = request->client;
	size_t i;

	request->exchange.is_trial = false;
	if (request->preferred) {
		i = (size_t)(request->preferred - client->places);
		if (request_may_go(request, i) && radius_server_is_alive(client->places[i].server))
			return &client->places[i];
	}
	for (i = 0; i < client->count; i++) {
		struct client_place *place = &client->places[i];

		if (!request_may_go(request, i))
			continue;
		if (radius_server_is_alive(place->server))
			return place;
		if (radius_server_wants_trial(place->server)) {
			request->exchange.is_trial = true;
			return place;
		}
	}
	for (i = 0; i < client->count; i++)
		if (request_may_go(request, i))
			return &client->places[i];
	return NULL;
}

/* Puts a request that is nowhere into a queue; with no server left it fails in the next turn. */
static void request_place(struct radius_request *request)
{
	struct radius_client *client = request->client;
	struct client_place *place = request_choose(request);

	if (!place) {
		request->state = REQUEST_FAILED;
		client->host.timer_start(request->timer, 0);
		return;
	}
	request->place = place;
	request->state = REQUEST_WAITING;
	client->host.timer_start(request->timer, QUEUE_WAIT_MAX);
	TAILQ_INSERT_TAIL(&place->queue, request, queue);
	place->waiting++;
}

/* The same, and it is sent at once when it may and nobody is before it. */
static void request_go(struct radius_request *request)
{
	request_place(request);
	if (request->state == REQUEST_WAITING && TAILQ_FIRST(&request->place->queue) == request)
		place_pump(request->place);
}

/* The same, and it is sent in a later turn: for moving many. */
static void request_move(struct radius_request *request)
{
	request_place(request);
	if (request->state == REQUEST_WAITING)
		request->client->host.timer_start(request->place->pump_timer, 0);
}

static bool client_has_alive_for(const struct radius_request *request)
{
	const struct radius_client *client = request->client;
	size_t i;

	for (i = 0; i < client->count; i++)
		if (request_may_go(request, i) && radius_server_is_alive(client->places[i].server))
			return true;
	return false;
}

/* ---- what happens to requests ---- */

static void request_expire(struct radius_request *request)
{
	struct radius_server *server = request->exchange.server;
	struct client_place *place = request->place;

	radius_server_silence(server);
	/* That may have been the end of the server, and the request is somewhere else. */
	if (request->state != REQUEST_ACTIVE || request->exchange.server != server)
		return;
	if (radius_server_retry(&request->exchange)) {
		request->client->host.timer_start(request->timer, request->exchange.wait);
		return;
	}
	radius_server_stop(&request->exchange);
	request_go(request);
	place_pump(place);
}

static void request_fire(void *arg)
{
	struct radius_request *request = arg;

	switch (request->state) {
	case REQUEST_WAITING:
		request_leave_queue(request);
		request_finish(request,
			request->exchange.is_forged ? RADIUS_FORGED : RADIUS_TIMEOUT, 0, NULL);
		break;
	case REQUEST_ACTIVE:
		request_expire(request);
		break;
	case REQUEST_FAILED:
		request_give_up(request);
		break;
	case REQUEST_DONE:
		break;
	}
}

static void client_answered(void *ctx, struct radius_exchange *exchange, unsigned int code,
	const struct radius_attrs *reply)
{
	struct radius_request *request = (struct radius_request *)exchange;
	struct client_place *place = request->place;

	(void)ctx;
	request_finish(request, RADIUS_ANSWERED, code, reply);
	place_pump(place);
}

static struct client_place *client_find(struct radius_client *client, struct radius_server *server)
{
	size_t i;

	for (i = 0; client->places[i].server != server; i++)
		;
	return &client->places[i];
}

/* Whoever waits for the server chooses again. */
static void place_clear_queue(struct client_place *place)
{
	struct request_list moving = TAILQ_HEAD_INITIALIZER(moving);
	struct radius_request *request;

	TAILQ_CONCAT(&moving, &place->queue, queue);
	place->waiting = 0;
	while ((request = TAILQ_FIRST(&moving))) {
		TAILQ_REMOVE(&moving, request, queue);
		request_move(request);
	}
}

/* The requests at a server that died leave it, when there is a better one for them. */
static void place_evacuate(struct client_place *place)
{
	struct radius_exchange_list *exchanges = radius_server_exchanges(place->server);
	struct radius_exchange *exchange, *next;

	for (exchange = TAILQ_FIRST(exchanges); exchange; exchange = next) {
		struct radius_request *request = (struct radius_request *)exchange;

		next = TAILQ_NEXT(exchange, link);
		if (!client_has_alive_for(request))
			continue;
		radius_server_stop(exchange);
		request_move(request);
	}
	place_clear_queue(place);
}

static void client_changed(void *ctx, struct radius_server *server, bool is_alive)
{
	struct radius_client *client = ctx;
	struct client_place *place = client_find(client, server);
	size_t i;

	if (is_alive)
		for (i = (size_t)(place - client->places) + 1; i < client->count; i++)
			place_clear_queue(&client->places[i]);
	else
		place_evacuate(place);
	for (i = 0; i < client->count; i++)
		if (client->places[i].waiting)
			client->host.timer_start(client->places[i].pump_timer, 0);
}

/* ---- the user's side ---- */

static const struct client_place *place_named(
	const struct radius_client *client, const char *server)
{
	for (size_t i = 0; i < client->count; i++)
		if (strcmp(radius_server_name(client->places[i].server), server) == 0)
			return &client->places[i];
	return NULL;
}

static struct radius_request *request_new(struct radius_client *client,
	const struct client_place *preferred, enum radius_packet_code code,
	const struct radius_attrs *attrs, uint64_t event_time, radius_done_fn *done, void *ctx)
{
	struct radius_request *request = calloc(1, sizeof(*request));
	int err;

	if (!request)
		return NULL;
	request->client = client;
	request->preferred = preferred;
	request->done = done;
	request->ctx = ctx;
	request->exchange.code = code;
	request->exchange.event_time =
		event_time ? event_time : client->host.wallclock(client->host.ctx);
	err = radius_body_init(&request->exchange.body, code, attrs);
	request->timer = RADIUS_TIMER(&client->host, request_fire, request);
	if (err == -ENOMEM || !request->timer) {
		radius_body_wipe(&request->exchange.body);
		if (request->timer)
			client->host.timer_free(request->timer);
		free(request);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&client->requests, request, all);
	if (err) /* too large for any server */
		request->been_to = UINT32_MAX;
	request_go(request);
	return request;
}

struct radius_request *radius_send(struct radius_client *client, enum radius_packet_code code,
	const struct radius_attrs *attrs, uint64_t event_time, radius_done_fn *done, void *ctx)
{
	return request_new(client, NULL, code, attrs, event_time, done, ctx);
}

struct radius_request *radius_send_to(struct radius_client *client, const char *server,
	enum radius_packet_code code, const struct radius_attrs *attrs, radius_done_fn *done,
	void *ctx)
{
	return request_new(client, place_named(client, server), code, attrs, 0, done, ctx);
}

static void request_detach(struct radius_request *request)
{
	if (request->state == REQUEST_WAITING)
		request_leave_queue(request);
	else if (request->state == REQUEST_ACTIVE)
		radius_server_stop(&request->exchange);
}

void radius_cancel(struct radius_request *request)
{
	struct client_place *place;

	if (!request || request->state == REQUEST_DONE)
		return;
	place = request->place;
	request_detach(request);
	request_free(request);
	/* Not now: the caller may be in the middle of cancelling all those who wait. */
	if (place && place->waiting)
		place->client->host.timer_start(place->pump_timer, 0);
}

int radius_reply_decrypt(
	struct radius_request *request, const uint8_t *data, size_t len, uint8_t *out, size_t size)
{
	const struct radius_exchange *exchange = &request->exchange;

	if (request->state != REQUEST_DONE || !exchange->server)
		return -EBADMSG;
	return radius_salt_decrypt(radius_server_secret(exchange->server), exchange->authenticator,
		data, len, out, size);
}

static const struct radius_server_events client_events = {
	.answered = client_answered,
	.changed = client_changed,
};

static int place_init(struct client_place *place, struct radius_client *client,
	const struct radius_client_config *config, const struct radius_server_config *server)
{
	place->client = client;
	TAILQ_INIT(&place->queue);
	place->pump_timer = RADIUS_TIMER(&client->host, pump_fire, place);
	if (!place->pump_timer)
		return -ENOMEM;
	return radius_server_new(
		&client->host, config, server, &client_events, client, &place->server);
}

int radius_client_new(const struct radius_host *host, const struct radius_client_config *config,
	struct radius_client **ret_client)
{
	struct radius_client *client;
	int err = 0;

	if (config->server_count == 0 || config->server_count > RADIUS_SERVERS_MAX)
		return -EINVAL;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	client->host = *host;
	TAILQ_INIT(&client->requests);
	while (!err && client->count < config->server_count) {
		err = place_init(&client->places[client->count], client, config,
			&config->servers[client->count]);
		client->count++;
	}
	if (err)
		radius_client_free(client);
	else
		*ret_client = client;
	return err;
}

void radius_client_inherit(struct radius_client *client, const struct radius_client *other)
{
	for (size_t i = 0; i < client->count; i++) {
		struct radius_server *server = client->places[i].server;
		const struct client_place *same = place_named(other, radius_server_name(server));

		if (same)
			radius_server_inherit(server, same->server);
	}
}

void radius_client_free(struct radius_client *client)
{
	struct radius_request *request;
	size_t i;

	if (!client)
		return;
	while ((request = TAILQ_FIRST(&client->requests))) {
		request_detach(request);
		request_free(request);
	}
	for (i = 0; i < client->count; i++) {
		radius_server_free(client->places[i].server);
		if (client->places[i].pump_timer)
			client->host.timer_free(client->places[i].pump_timer);
	}
	free(client);
}

size_t radius_client_server_count(const struct radius_client *client)
{
	return client->count;
}

void radius_client_info(
	const struct radius_client *client, size_t index, struct radius_server_info *ret_info)
{
	radius_server_info(client->places[index].server, ret_info);
	ret_info->waiting = client->places[index].waiting;
}
