// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/radius: radius/ on our loop: clients and spool as the configuration wants them.
 */
#include "lns/engine/internal.h"

#include "lns/env_radius.h"
#include "lns/log.h"
#include "radius/attr_codes.h"
#include "radius/digest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill_server(
	struct radius_server_config *server, const struct config_radius_server *from, uint16_t port)
{
	union addr addr = from->addr;

	addr_set_port(&addr, port);
	memcpy(&server->addr, &addr, addr_len(&addr));
	memcpy(server->secret, from->secret.data, from->secret.len);
	server->secret_len = from->secret.len;
	server->message_authenticator = from->message_authenticator;
}

/* A client of the servers that have a port for it; *ret_client stays NULL when none has. */
static int make_client(
	const struct engine *engine, bool accounting, struct radius_client **ret_client)
{
	const struct config_radius *radius = &engine->config->radius;
	struct radius_server_config *servers;
	struct radius_client_config config = { 0 };
	size_t size = radius->server_count * sizeof(*servers);
	int err = 0;

	servers = calloc(radius->server_count, sizeof(*servers));
	if (!servers)
		return -ENOMEM;
	for (size_t i = 0; i < radius->server_count; i++) {
		const struct config_radius_server *from = &radius->servers[i];
		uint16_t port = accounting ? from->acct_port : from->auth_port;

		if (port)
			fill_server(&servers[config.server_count++], from, port);
	}
	config.servers = servers;
	memcpy(&config.source, &radius->source, sizeof(radius->source));
	config.timeout = radius->timeout;
	config.tries = radius->tries;
	config.in_flight = radius->in_flight;
	config.rate = radius->request_rate;
	if (config.server_count > 0)
		err = radius_client_new(&engine->radius.host, &config, ret_client);
	explicit_bzero(servers, size);
	free(servers);
	return err;
}

static int make_spool(struct engine *engine)
{
	struct radius_spool_config config = { .is_alive = engine_past_is_alive,
		.ctx = engine,
		.lost_cause = engine->fresh ? RADIUS_CAUSE_NAS_REBOOT : RADIUS_CAUSE_NAS_ERROR };
	char path[sizeof(engine->state_dir) + 32];

	snprintf(path, sizeof(path), "%s/accounting.db", engine->state_dir);
	config.path = path;
	return radius_spool_new(
		&engine->radius.host, &config, engine->radius.acct, &engine->radius.spool);
}

int engine_radius_start(struct engine *engine)
{
	int err = 0;

	env_radius_host(engine->env, &engine->radius.host);
	engine->radius.host.happened = engine_event_radius;
	engine->radius.host.happened_ctx = engine;
	if (!engine->config->has_radius)
		return 0;
	err = make_client(engine, false, &engine->radius.auth);
	if (!err && !engine->radius.auth)
		log_warning("no RADIUS server has an auth-port: nobody can authenticate");
	if (!err)
		err = make_client(engine, true, &engine->radius.acct);
	if (!err && engine->radius.acct)
		err = make_spool(engine);
	if (err < 0)
		log_error("RADIUS cannot start: %s", strerror(-err));
	return err;
}

/* ---- clients that still have requests in flight when their servers are replaced ---- */

struct engine_retired {
	LIST_ENTRY(engine_retired) entry;
	struct engine *engine;
	struct radius_client *client;
	struct env_timer *timer;
};

static void retired_free(struct engine_retired *retired)
{
	LIST_REMOVE(retired, entry);
	env_timer_free(retired->timer);
	radius_client_free(retired->client);
	free(retired);
}

static bool is_idle(const struct radius_client *client)
{
	for (size_t i = 0; i < radius_client_server_count(client); i++) {
		struct radius_server_info info;

		radius_client_info(client, i, &info);
		if (info.in_flight > 0 || info.waiting > 0)
			return false;
	}
	return true;
}

static void retired_look(void *ctx)
{
	struct engine_retired *retired = ctx;

	if (is_idle(retired->client))
		retired_free(retired);
	else
		env_timer_start(retired->timer, ENV_SEC(1));
}

static int retire(struct engine *engine, struct radius_client *client)
{
	struct engine_retired *retired;

	if (!client)
		return 0;
	retired = calloc(1, sizeof(*retired));
	if (retired)
		retired->timer = env_timer_new(engine->env, retired_look, retired);
	if (!retired || !retired->timer) {
		free(retired);
		return -ENOMEM;
	}
	retired->engine = engine;
	retired->client = client;
	LIST_INSERT_HEAD(&engine->radius.retired, retired, entry);
	env_timer_start(retired->timer, ENV_SEC(1));
	return 0;
}

static bool is_same_server(
	const struct config_radius_server *a, const struct config_radius_server *b)
{
	return addr_equal(&a->addr, &b->addr) && a->auth_port == b->auth_port &&
	       a->acct_port == b->acct_port && a->secret.len == b->secret.len &&
	       radius_equal(a->secret.data, b->secret.data, a->secret.len) &&
	       a->message_authenticator == b->message_authenticator;
}

/* Whether the clients of one would be those of the other. */
static bool has_same_servers(const struct config *a, const struct config *b)
{
	const struct config_radius *x = &a->radius, *y = &b->radius;

	if (!a->has_radius || !b->has_radius || x->server_count != y->server_count ||
		!addr_equal(&x->source, &y->source) || x->timeout != y->timeout ||
		x->tries != y->tries || x->in_flight != y->in_flight ||
		x->request_rate != y->request_rate)
		return false;
	for (size_t i = 0; i < x->server_count; i++)
		if (!is_same_server(&x->servers[i], &y->servers[i]))
			return false;
	return true;
}

int engine_radius_change(struct engine *engine, const struct config *old)
{
	struct engine_radius *radius = &engine->radius;
	struct radius_client *auth = NULL, *acct = NULL;
	int err = 0;

	if (!radius->is_outdated && has_same_servers(old, engine->config))
		return 0;
	if (engine->config->has_radius) {
		err = make_client(engine, false, &auth);
		err = err ? err : make_client(engine, true, &acct);
	}
	if (!err && acct && !radius->spool)
		err = make_spool(engine);
	radius->is_outdated = err < 0;
	if (err < 0) {
		radius_client_free(auth);
		radius_client_free(acct);
		return err;
	}
	if (auth && radius->auth)
		radius_client_inherit(auth, radius->auth);
	if (acct && radius->acct)
		radius_client_inherit(acct, radius->acct);
	if (radius->spool)
		radius_spool_set_client(radius->spool, acct);
	/* Short of memory, a client is kept for good rather than its requests lost. */
	if (retire(engine, radius->auth) < 0 || retire(engine, radius->acct) < 0)
		log_error("out of memory while the RADIUS servers change");
	radius->auth = auth;
	radius->acct = acct;
	return 0;
}

void engine_radius_stop(struct engine *engine)
{
	while (!LIST_EMPTY(&engine->radius.retired))
		retired_free(LIST_FIRST(&engine->radius.retired));
	radius_spool_free(engine->radius.spool);
	radius_client_free(engine->radius.acct);
	radius_client_free(engine->radius.auth);
	engine->radius.spool = NULL;
	engine->radius.acct = engine->radius.auth = NULL;
}
