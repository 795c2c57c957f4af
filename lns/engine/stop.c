// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/stop: ends everything in order.
 *
 *   no new calls -> sessions -> StopCCN and kernel tunnels -> Accounting-Off, spool sent -> static tunnels
 *   -> stopped
 *
 * Each step waits for the one before, all of them at most stop-timeout.
 */
#include "lns/engine/internal.h"

#include "lns/log.h"
#include "lns/subscriber/accounting.h"

#define STOP_LOOK ENV_MS(20) /* how often a stop looks whether its step is done */
#define STOP_LAST ENV_SEC(2) /* for acknowledgements: of StopCCN, of the spool's records */

static void stopped(struct engine *engine)
{
	if (engine->stopped)
		return;
	engine->stopped = true;
	monitor_client_stopped(engine->monitor);
	env_ev_stop(engine->env);
}

/* They may carry what was to be said until now. */
static void remove_statics(struct engine *engine)
{
	uint64_t now = env_now(engine->env);

	if (!engine->removing_statics) {
		engine->removing_statics = true;
		engine->quiet_by = now + STOP_LAST;
		engine_statics_end(engine);
	}
	if (engine_statics_are_ending(engine) && now < engine->quiet_by)
		env_timer_start(engine->stop_timer, STOP_LOOK);
	else
		stopped(engine);
}

static void spool_is_empty(void *ctx)
{
	remove_statics(ctx);
}

/* Whether every tunnel left the kernel and every StopCCN was acknowledged. */
static bool tunnels_are_quiet(const struct engine *engine)
{
	struct l2tp_tunnel_info info = { 0 };

	for (struct l2tp_tunnel *t = l2tp_tunnel_next(engine->l2tp, 0); t;
		t = l2tp_tunnel_next(engine->l2tp, info.id)) {
		const struct engine_tunnel *tunnel = l2tp_tunnel_user(t);

		l2tp_tunnel_info(t, &info);
		if (info.unacknowledged > 0 || (tunnel && (tunnel->socket || tunnel->job)))
			return false;
	}
	return true;
}

/* ... and nobody else is at work: the kernel's thread, hooks. */
static bool is_quiet(const struct engine *engine)
{
	return tunnels_are_quiet(engine) && hooks_client_pending(engine->hooks) == 0 &&
	       kernel_pending(engine->kernel) == 0;
}

static void close_tunnels(struct engine *engine)
{
	const struct l2tp_result result = { .code = L2TP_STOPCCN_SHUTTING_DOWN,
		.text = "LNS shuts down" };
	struct l2tp_tunnel *tunnel, *next;

	for (tunnel = l2tp_tunnel_next(engine->l2tp, 0); tunnel; tunnel = next) {
		struct l2tp_tunnel_info info;

		l2tp_tunnel_info(tunnel, &info);
		next = l2tp_tunnel_next(engine->l2tp, info.id);
		l2tp_tunnel_close(tunnel, &result);
	}
}

void engine_stop_step(void *ctx)
{
	struct engine *engine = ctx;
	uint64_t now = env_now(engine->env);

	if (engine->removing_statics) {
		remove_statics(engine);
		return;
	}
	if (now >= engine->stop_by) {
		log_warning("stopping takes too long: %u sessions and %u tunnels are left to the "
			    "monitor and the kernel",
			subscribers_count(engine->subscribers), engine->tunnel_count);
		remove_statics(engine);
		return;
	}
	if (subscribers_count(engine->subscribers) > 0 || engine->past) {
		env_timer_start(engine->stop_timer, STOP_LOOK);
		return;
	}
	if (!engine->closing_tunnels) {
		engine->closing_tunnels = true;
		engine->quiet_by = now + STOP_LAST;
		close_tunnels(engine);
	}
	if (!is_quiet(engine) && now < engine->quiet_by) {
		env_timer_start(engine->stop_timer, STOP_LOOK);
		return;
	}
	if (!engine->radius.spool) {
		remove_statics(engine);
		return;
	}
	if (!engine->draining_spool) {
		engine->draining_spool = true;
		accounting_put_nas(engine->radius.spool, RADIUS_OFF, engine->config,
			env_wallclock(engine->env));
		radius_spool_on_drained(engine->radius.spool, spool_is_empty, engine);
		if (engine->stop_by > now + STOP_LAST)
			engine->stop_by = now + STOP_LAST;
	}
	env_timer_start(engine->stop_timer, STOP_LOOK);
}

void engine_stop(void *ctx, bool hurry)
{
	struct engine *engine = ctx;
	uint64_t now = env_now(engine->env);

	if (!engine->subscribers) {
		stopped(engine);
		return;
	}
	if (hurry)
		engine->stop_by = now;
	if (!engine->stopping) {
		engine->stopping = true;
		engine->stop_by = now + (hurry ? 0 : engine->config->stop_timeout);
		log_info("stopping: %u sessions, %u tunnels",
			subscribers_count(engine->subscribers), engine->tunnel_count);
		l2tp_server_drain(engine->l2tp, true);
		subscribers_end_all(engine->subscribers, END_SHUTDOWN);
	}
	env_timer_start(engine->stop_timer, 0);
}
