// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/show_radius: what the control socket shows of RADIUS: servers, clients, the spool.
 */
#include "lns/engine/commands.h"

#include <stdio.h>
#include <string.h>

static json_t *server_item(const struct radius_client *client, size_t index, const char *purpose)
{
	struct radius_server_info info;

	radius_client_info(client, index, &info);
	return json_pack(
		"{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:I, s:I, "
		"s:I, s:I, s:I}",
		"server", info.name, "purpose", purpose, "alive", info.alive, "requests",
		(json_int_t)info.requests, "retransmissions", (json_int_t)info.retransmissions,
		"accepts", (json_int_t)info.accepts, "rejects", (json_int_t)info.rejects,
		"responses", (json_int_t)info.responses, "timeouts", (json_int_t)info.timeouts,
		"bad_authenticators", (json_int_t)info.bad_authenticators, "bad_packets",
		(json_int_t)info.bad_packets, "in_flight", (int)info.in_flight, "waiting",
		(int)info.waiting, "latency_us", (json_int_t)info.latency, "challenges",
		(json_int_t)info.challenges, "probes", (json_int_t)info.probes, "refused",
		(json_int_t)info.refused, "wrong_ids", (json_int_t)info.wrong_ids);
}

json_t *engine_show_radius(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	struct radius_client *auth = engine->radius.auth, *acct = engine->radius.acct;
	size_t auths = auth ? radius_client_server_count(auth) : 0;
	size_t accts = acct ? radius_client_server_count(acct) : 0;
	size_t index = (size_t)(*cursor)++;

	(void)args;
	(void)error;
	(void)size;
	if (index < auths)
		return server_item(auth, index, "authentication");
	if (index - auths < accts)
		return server_item(acct, index - auths, "accounting");
	return NULL;
}

/* Dynamic authorization: a client each, and what strangers sent. */
json_t *engine_show_das(void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	const struct radius_das *das = ((struct engine *)ctx)->radius.das;
	struct radius_das_info info;
	size_t index = (size_t)(*cursor)++;

	(void)args;
	if (!das) {
		snprintf(error, size, "the configuration has no dynamic-authorization section");
		return NULL;
	}
	if (index > radius_das_client_count(das))
		return NULL;
	if (index == radius_das_client_count(das))
		return json_pack(
			"{s:n, s:I}", "client", "dropped", (json_int_t)radius_das_strangers(das));
	radius_das_client_info(das, index, &info);
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "client",
		info.client, "disconnects", (json_int_t)info.disconnects, "coas",
		(json_int_t)info.coas, "acks", (json_int_t)info.acks, "naks", (json_int_t)info.naks,
		"duplicates", (json_int_t)info.duplicates, "bad_authenticators",
		(json_int_t)info.bad_authenticators, "malformed", (json_int_t)info.malformed,
		"stale", (json_int_t)info.stale, "dropped",
		(json_int_t)(info.bad_authenticators + info.malformed + info.stale));
}

json_t *engine_show_spool(void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;
	struct radius_spool_info info;
	uint64_t now = env_wallclock(engine->env);

	(void)args;
	if (*cursor)
		return NULL;
	*cursor = DONE;
	if (!engine->radius.spool) {
		snprintf(error, size, "no accounting: the configuration has no radius section");
		return NULL;
	}
	radius_spool_info(engine->radius.spool, &info);
	return json_pack("{s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "waiting",
		(int)info.waiting, "unsaved", (int)info.unsaved, "put", (json_int_t)info.put,
		"sent", (json_int_t)info.sent, "failed", (json_int_t)info.failed, "shed",
		(json_int_t)info.shed, "checkpoints", (json_int_t)info.checkpoints,
		"oldest_seconds", info.oldest && now > info.oldest ? SECONDS(now - info.oldest) : 0,
		"disk_error", engine_json_text(info.disk_error ? strerror(info.disk_error) : NULL));
}

json_t *engine_flush_spool(
	void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	struct engine *engine = ctx;

	if (*cursor == 0 && engine->radius.spool)
		radius_spool_flush(engine->radius.spool);
	return engine_show_spool(ctx, args, cursor, error, size);
}
