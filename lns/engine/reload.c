// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/reload: a new configuration for a running engine. Sessions keep what they have; what is set up
 * from now on follows the new one. A configuration that cannot be used is refused whole.
 *
 * What has changed goes to the log, and to the operator who asked for it (`lnsctl reload`): the monitor
 * reads the files, for both.
 *
 * The name, directories and the users of processes are fixed at the start of lnsd.
 */
#include "lns/engine/internal.h"

#include "lns/control/control.h"
#include "lns/log.h"
#include "lns/subscriber/pool.h"
#include "lns/subscriber/users.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- operators who wait for it ---- */

struct engine_reload_wait {
	LIST_ENTRY(engine_reload_wait) entry;
	struct control_feed *feed;
};

static void tell(struct engine *engine, const char *kind, const char *text)
{
	struct engine_reload_wait *wait;

	LIST_FOREACH(wait, &engine->reload_waits, entry)
		control_feed_push(wait->feed, json_pack("{s:s, s:s}", "kind", kind, "text", text));
}

static void wait_free(struct engine_reload_wait *wait)
{
	LIST_REMOVE(wait, entry);
	free(wait);
}

int engine_reload_open(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size)
{
	struct engine *engine = ctx;
	struct engine_reload_wait *wait = calloc(1, sizeof(*wait));

	(void)args;
	if (!wait || monitor_client_want_reload(engine->monitor) < 0) {
		free(wait);
		snprintf(error, size, "out of memory");
		return -ENOMEM;
	}
	wait->feed = feed;
	control_feed_set_user(feed, wait);
	LIST_INSERT_HEAD(&engine->reload_waits, wait, entry);
	return 0;
}

void engine_reload_close(void *ctx, struct control_feed *feed)
{
	(void)ctx;
	wait_free(control_feed_user(feed));
}

void engine_reload_line(void *ctx, const char *line)
{
	tell(ctx, config_is_warning(line) ? "warning" : "error", line);
}

void engine_reload_end(void *ctx, int error)
{
	struct engine *engine = ctx;
	struct engine_reload_wait *wait;
	char text[160];

	snprintf(text, sizeof(text), "refused, the old configuration stays: %s",
		error == -EINVAL ? "the file has errors" : strerror(-error));
	engine_event_reload(engine, error ? text : NULL);
	while ((wait = LIST_FIRST(&engine->reload_waits))) {
		control_feed_end(wait->feed, error ? text : NULL);
		wait_free(wait);
	}
}

/* ---- the reload ---- */

static void report(void *ctx, const char *line)
{
	if (config_is_warning(line)) /* of those the monitor has told */
		return;
	log_error("reload: %s", line);
	tell(ctx, "error", line);
}

static void report_change(void *ctx, const char *line)
{
	log_info("reload: %s", line);
	tell(ctx, "change", line);
}

static void report_nothing(struct engine *engine)
{
	log_info("reload: nothing has changed");
	tell(engine, "change", "nothing has changed");
}

/* What could be expected of rates alone, which are the only thing that CoA-Requests change in the kernel. */
static void report_rates(
	struct engine *engine, const struct config *old, const struct config *config)
{
	for (size_t i = 0; i < config->ppp_count; i++) {
		const struct config_ppp *now = &config->ppps[i];
		const struct config_ppp *before = config_find_ppp(old, now->name);

		if (!before ||
			(before->rate_down == now->rate_down && before->rate_up == now->rate_up))
			continue;
		report_change(engine,
			"sessions that are up keep their rates; a CoA-Request changes them");
		return;
	}
}

static void apply(struct engine *engine, struct config *config, struct users *users)
{
	struct config *old = engine->config;

	if (config_diff(old, config, report_change, engine) == 0)
		report_nothing(engine);
	report_rates(engine, old, config);
	engine->config = config;
	users_free(engine->users);
	engine->users = users;
	log_set_level(config->log_level);
	l2tp_server_set(engine->l2tp, &config->l2tp);
	if (engine_radius_change(engine, old) < 0)
		log_error("reload: the RADIUS servers stay as they were");
	engine_configure_subscribers(engine);
	engine_room_read(engine);
	engine_statics_configure(engine);
	engine_audit_configure(engine);
	config_free(old);
	log_info("reloaded: %zu lac, %zu ppp, %zu pool sections; sessions keep what they have",
		config->lac_count, config->ppp_count, config->pool_count);
}

void engine_reload(void *ctx, uint32_t request, int config_fd)
{
	struct engine *engine = ctx;
	struct config *config = NULL;
	struct users *users = NULL;
	int err = config_parse(config_fd, report, engine, &config);

	close(config_fd);
	if (!err && !engine->subscribers)
		err = -EAGAIN;
	if (!err && !config->has_radius)
		err = (users = users_new(config)) ? 0 : -ENOMEM;
	if (!err)
		err = pools_configure(engine->pools, config);
	if (!err) {
		struct config *old = engine->config;

		engine->config = config;
		err = engine_das_configure(engine);
		if (!err)
			err = engine_listen(engine);
		if (!err)
			err = engine_metrics_open(engine);
		engine->config = old;
		if (err < 0)
			engine_das_configure(engine);
	}
	if (err < 0) {
		log_error("reload refused, the old configuration stays: %s", strerror(-err));
		users_free(users);
		config_free(config);
	} else {
		apply(engine, config, users);
	}
	monitor_client_reloaded(engine->monitor, request, err);
}
