// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/reload: a new configuration for a running engine. Sessions keep what they have; what is set up
 * from now on follows the new one. A configuration that cannot be used is refused whole.
 *
 * The name, directories and the users of processes are fixed at the start of lnsd.
 */
#include "lns/engine/internal.h"

#include "lns/log.h"
#include "lns/subscriber/pool.h"
#include "lns/subscriber/users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void report(void *ctx, const char *line)
{
	(void)ctx;
	if (!config_is_warning(line)) /* of those the monitor has told */
		log_error("reload: %s", line);
}

static void apply(struct engine *engine, struct config *config, struct users *users)
{
	struct config *old = engine->config;

	engine->config = config;
	users_free(engine->users);
	engine->users = users;
	log_set_level(config->log_level);
	l2tp_server_set(engine->l2tp, &config->l2tp);
	if (engine_radius_change(engine) < 0)
		log_error("reload: the RADIUS servers stay as they were");
	engine_configure_subscribers(engine);
	engine_statics_configure(engine);
	config_free(old);
	log_info("reloaded: %zu lac, %zu ppp, %zu pool sections; sessions keep what they have",
		config->lac_count, config->ppp_count, config->pool_count);
}

void engine_reload(void *ctx, uint32_t request, int config_fd)
{
	struct engine *engine = ctx;
	struct config *config = NULL;
	struct users *users = NULL;
	int err = config_parse(config_fd, report, NULL, &config);

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
