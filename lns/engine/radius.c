// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/radius: radius/ on our loop: its host callbacks, and clients and spool as the configuration
 * wants them.
 */
#include "lns/engine/internal.h"

#include "lns/log.h"
#include "radius/attr_codes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct env *env_of(void *ctx)
{
	return ((struct engine *)ctx)->env;
}

static uint64_t host_now(void *ctx)
{
	return env_now(env_of(ctx));
}

static uint64_t host_wallclock(void *ctx)
{
	return env_wallclock(env_of(ctx));
}

static void host_random(void *ctx, void *buf, size_t len)
{
	env_random(env_of(ctx), buf, len);
}

static void *host_timer_new(void *ctx, void (*fire)(void *arg), void *arg)
{
	return env_timer_new(env_of(ctx), fire, arg);
}

static void host_timer_start(void *timer, uint64_t delay)
{
	env_timer_start(timer, delay);
}

static void host_timer_stop(void *timer)
{
	env_timer_stop(timer);
}

static void host_timer_free(void *timer)
{
	env_timer_free(timer);
}

static void *host_io_new(
	void *ctx, int fd, int events, void (*ready)(void *arg, int events), void *arg)
{
	return env_io_new(env_of(ctx), fd, events, ready, arg);
}

static void host_io_free(void *io)
{
	env_io_free(io);
}

static void host_log(void *ctx, bool is_error, const char *line)
{
	(void)ctx;
	log_line(is_error ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "%s", line);
}

static void fill_host(struct radius_host *host, struct engine *engine)
{
	*host = (struct radius_host){
		.ctx = engine,
		.now = host_now,
		.wallclock = host_wallclock,
		.random = host_random,
		.timer_new = host_timer_new,
		.timer_start = host_timer_start,
		.timer_stop = host_timer_stop,
		.timer_free = host_timer_free,
		.io_new = host_io_new,
		.io_free = host_io_free,
		.log = host_log,
		.happened = engine_event_radius,
	};
}

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

	fill_host(&engine->radius.host, engine);
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

int engine_radius_change(struct engine *engine)
{
	struct engine_radius *radius = &engine->radius;
	struct radius_client *auth = NULL, *acct = NULL;
	int err = 0;

	if (engine->config->has_radius) {
		err = make_client(engine, false, &auth);
		err = err ? err : make_client(engine, true, &acct);
	}
	if (!err && acct && !radius->spool)
		err = make_spool(engine);
	if (err < 0) {
		radius_client_free(auth);
		radius_client_free(acct);
		return err;
	}
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
