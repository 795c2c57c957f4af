// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine: wires the modules to one loop, starts them in order and ends them in order.
 *
 *   start: the monitor's hello and what is left of earlier engines -> kernel thread, sockets, L2TP,
 *          RADIUS, subscribers, control socket -> ready
 */
#include "lns/engine/engine.h"

#include "lns/control/control.h"
#include "lns/engine/internal.h"
#include "lns/log.h"
#include "lns/subscriber/accounting.h"
#include "lns/subscriber/history.h"
#include "lns/subscriber/pool.h"
#include "lns/subscriber/users.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fail(struct engine *engine, const char *what, int err)
{
	log_error("%s: %s", what, strerror(-err));
	engine->exit_status = 1;
	env_ev_stop(engine->env);
}

/* ---- L2TP's upcalls that are nobody's alone ---- */

static int lac_find(
	void *ctx, const union addr *peer, const char *host_name, struct l2tp_lac *ret_lac)
{
	const struct engine *engine = ctx;
	const struct config_lac *lac = config_find_lac(engine->config, peer, host_name);

	if (!lac)
		return -ENOENT;
	*ret_lac = lac->lac;
	return 0;
}

static void send_packet(void *ctx, const struct l2tp_path *path, const uint8_t *packet, size_t len)
{
	struct engine *engine = ctx;

	net_send(engine->net, path, packet, len);
}

static void receive_packet(
	void *ctx, const struct l2tp_path *path, const uint8_t *packet, size_t len)
{
	struct engine *engine = ctx;

	l2tp_server_input(engine->l2tp, path, packet, len);
}

static void call_request(void *ctx, struct l2tp_session *session)
{
	struct engine *engine = ctx;

	engine_call_answered(engine, session);
	engine_event_call(engine, session);
	subscriber_call_request(engine->subscribers, session);
}

static void call_up(void *ctx, struct l2tp_session *session)
{
	struct engine *engine = ctx;

	engine_call_up(engine, session);
	subscriber_call_up(engine->subscribers, session);
}

static void call_down(
	void *ctx, struct l2tp_session *session, const struct l2tp_result *result, bool by_peer)
{
	struct engine *engine = ctx;

	engine_call_down(engine, session, result);
	subscriber_call_down(engine->subscribers, session, result, by_peer);
}

static const struct l2tp_ops l2tp_ops = {
	.lac_find = lac_find,
	.send = send_packet,
	.has_room = engine_has_room,
	ENGINE_TUNNEL_OPS,
	.message = engine_trace_message,
	.refused = engine_event_refused,
	.call_request = call_request,
	.call_up = call_up,
	.call_down = call_down,
};

/* ---- the kernel's ---- */

static void link_gone(void *ctx, uint32_t ifindex, const struct kernel_counters *final)
{
	struct engine *engine = ctx;

	if (!engine_past_link_gone(engine, ifindex, final) && engine->subscribers)
		subscribers_link_gone(engine->subscribers, ifindex, final);
}

static void links_lost(void *ctx)
{
	(void)ctx;
	log_warning("the kernel dropped link messages: sessions that end now may be accounted by "
		    "their last sample");
}

static const struct kernel_watch_ops watch_ops = {
	.link_gone = link_gone,
	.links_lost = links_lost,
};

/* ---- templates ---- */

static void template_forked(void *ctx, uint64_t session, int error, int pid)
{
	struct engine_template *template = ctx;

	template->answered |= error == 0;
	if (template->engine->subscribers)
		subscribers_forked(template->engine->subscribers, session, error, pid);
}

static void template_free(struct engine_template *template)
{
	LIST_REMOVE(template, entry);
	ppp_template_free(template->template);
	free(template);
}

static void template_gone(void *ctx, struct ppp_template *gone)
{
	struct engine_template *template = ctx;
	struct engine *engine = template->engine;
	uint32_t id = template->id;

	(void)gone;
	template_free(template);
	monitor_client_replace_template(engine->monitor, id);
}

static const struct ppp_template_ops template_ops = {
	.forked = template_forked,
	.gone = template_gone,
};

static struct ppp_template *find_template(void *ctx, const char *ppp)
{
	struct engine *engine = ctx;
	const struct config_ppp *section = config_find_ppp(engine->config, ppp);
	struct engine_template *template;

	/* The newest comes first; one that is being replaced only finishes what it has. */
	LIST_FOREACH(template, &engine->templates, entry)
		if (strcmp(template->name, ppp) == 0)
			break;
	/* With exec it becomes the session that asks first; the others wait for the next one. */
	if (!template || !section)
		return NULL;
	if (section->exec && (template->answered || ppp_template_pending(template->template) > 0))
		return NULL;
	return template->template;
}

static void template_arrives(void *ctx, uint32_t id, const char *name, int fork_fd)
{
	struct engine *engine = ctx;
	struct engine_template *template = calloc(1, sizeof(*template));
	int err = template ? 0 : -ENOMEM;

	if (!err) {
		template->engine = engine;
		template->id = id;
		snprintf(template->name, sizeof(template->name), "%s", name);
		err = ppp_template_new(
			engine->env, fork_fd, &template_ops, template, &template->template);
	} else {
		close(fork_fd);
	}
	if (err < 0) {
		log_error("pppd template \"%s\" cannot be used: %s; asking for another", name,
			strerror(-err));
		free(template);
		monitor_client_replace_template(engine->monitor, id);
		return;
	}
	LIST_INSERT_HEAD(&engine->templates, template, entry);
	if (engine->subscribers)
		subscribers_template_ready(engine->subscribers);
}

/* ---- what subscribers ask for ---- */

static void signal_pppds(void *ctx, enum monitor_signal signal, const uint64_t *keys, size_t count)
{
	monitor_client_signal(((struct engine *)ctx)->monitor, signal, keys, count);
}

static void keep_channel(void *ctx, uint64_t key, int fd)
{
	struct engine *engine = ctx;

	if (fd >= 0)
		monitor_client_keep(engine->monitor, MONITOR_KEEP_CHANNEL, key, fd);
	else
		monitor_client_drop(engine->monitor, MONITOR_KEEP_CHANNEL, key);
}

static void forget_exit(void *ctx, uint64_t key)
{
	monitor_client_forget(((struct engine *)ctx)->monitor, key);
}

static void hold_tunnel(void *ctx, struct l2tp_tunnel *tunnel)
{
	engine_tunnel_hold(ctx, tunnel);
}

static void session_ended(void *ctx, const struct history_entry *entry)
{
	engine_das_ended(ctx, entry->key);
	engine_event_ended(ctx, entry);
}

static bool covers_tunnel(void *ctx, const struct addr_prefix *prefix)
{
	const struct engine *engine = ctx;
	struct l2tp_tunnel *tunnel = l2tp_tunnel_next(engine->l2tp, 0);
	struct l2tp_tunnel_info info;

	for (; tunnel; tunnel = l2tp_tunnel_next(engine->l2tp, info.id)) {
		l2tp_tunnel_info(tunnel, &info);
		if (addr_prefix_contains(prefix, &info.path.peer) ||
			addr_prefix_contains(prefix, &info.path.local))
			return true;
	}
	return false;
}

/* ---- start ---- */

static void report_config(void *ctx, const char *line)
{
	(void)ctx;
	if (!config_is_warning(line)) /* of those the monitor has told */
		log_error("%s", line);
}

static void on_hello(
	void *ctx, const struct monitor_hello *hello, int config_fd, int state_fd, int control_fd)
{
	struct engine *engine = ctx;
	uint32_t boot;
	int err;

	engine->generation = hello->generation;
	engine->control_fd = control_fd;
	snprintf(engine->run_dir, sizeof(engine->run_dir), "%s", hello->run_dir);
	snprintf(engine->state_dir, sizeof(engine->state_dir), "%s", hello->state_dir);
	err = config_parse(config_fd, report_config, NULL, &engine->config);
	close(config_fd);
	if (err == 0) {
		log_set_level(engine->config->log_level);
		err = state_open(state_fd, &engine->state, &engine->fresh);
	}
	close(state_fd);
	if (err < 0) {
		fail(engine, "cannot start", err);
		return;
	}
	if (!engine->fresh)
		return;
	err = state_count_boot(engine->state_dir, &boot);
	if (err < 0)
		fail(engine, engine->state_dir, err);
	else
		state_set_boot(engine->state, boot);
}

void engine_configure_subscribers(struct engine *engine)
{
	const struct subscribers_config config = {
		.config = engine->config,
		.users = engine->users,
		.auth = engine->radius.auth,
		.spool = engine->radius.spool,
	};

	subscribers_configure(engine->subscribers, &config);
}

static int start_subscribers(struct engine *engine)
{
	const struct subscribers_host host = {
		.ctx = engine,
		.env = engine->env,
		.kernel = engine->kernel,
		.state = engine->state,
		.pools = engine->pools,
		.template = find_template,
		.tunnel_socket = engine_tunnel_socket,
		.signal = signal_pppds,
		.keep_channel = keep_channel,
		.forget_exit = forget_exit,
		.hold = hold_tunnel,
		.unhold = engine_tunnel_unhold,
		.went_up = engine_event_went_up,
		.remembered = session_ended,
		.went_down = engine_hooks_went_down,
		.has_room = engine_has_room,
		.covers_tunnel = covers_tunnel,
	};
	int err = subscribers_new(&host, &engine->subscribers);

	if (err == 0) {
		engine_configure_subscribers(engine);
		engine_room_read(engine);
	}
	return err;
}

static int start_modules(struct engine *engine)
{
	int err;

	engine->pools = pools_new();
	err = engine->pools ? pools_configure(engine->pools, engine->config) : -ENOMEM;
	if (!err && !engine->config->has_radius)
		err = (engine->users = users_new(engine->config)) ? 0 : -ENOMEM;
	if (!err)
		err = kernel_new(engine->env, &watch_ops, engine, &engine->kernel);
	if (!err)
		err = net_new(engine->env, receive_packet, engine, &engine->net);
	if (!err)
		err = l2tp_server_new(
			engine->env, &engine->config->l2tp, &l2tp_ops, engine, &engine->l2tp);
	if (!err)
		err = engine_radius_start(engine);
	if (!err)
		err = start_subscribers(engine);
	return err;
}

static void on_start(void *ctx)
{
	struct engine *engine = ctx;
	int err;

	if (engine->exit_status)
		return;
	err = engine_past_begin(engine);
	err = err ? err : start_modules(engine);
	if (err < 0) {
		fail(engine, "cannot start", err);
		return;
	}
	err = engine_audit_start(engine);
	if (err < 0) {
		fail(engine, "cannot start", err);
		return;
	}
	engine_past_end(engine);
	engine_drain_restore(engine);
	err = engine_statics_start(engine);
	if (!err)
		err = engine_listen(engine);
	if (!err)
		err = engine_das_configure(engine);
	if (!err)
		err = engine_control_start(engine);
	if (!err)
		err = engine_metrics_open(engine);
	if (err < 0) {
		fail(engine, "cannot start", err);
		return;
	}
	if (engine->fresh && engine->radius.spool)
		accounting_put_nas(engine->radius.spool, RADIUS_ON, engine->config,
			env_wallclock(engine->env));
	log_info("ready");
	monitor_client_ready(engine->monitor);
}

/* ---- the monitor's other upcalls ---- */

static void on_kept(void *ctx, enum monitor_kind kind, uint64_t id, int fd)
{
	engine_past_kept(ctx, kind, id, fd);
}

static void on_session(void *ctx, uint64_t session, int pid)
{
	(void)pid;
	engine_past_session(ctx, session);
}

static void on_exited(void *ctx, const struct monitor_exit *exit)
{
	struct engine *engine = ctx;

	if (!engine_past_exited(engine, exit))
		subscribers_exited(engine->subscribers, exit);
}

static void on_opened(void *ctx, enum monitor_open what, int error, int fd)
{
	if (what == MONITOR_OPEN_L2TP_DEBUGFS)
		engine_inspect_opened(ctx, fd);
	else
		engine_ktrace_opened(ctx, what, error, fd);
}

static void on_hooks(void *ctx, int fd)
{
	hooks_client_attach(((struct engine *)ctx)->hooks, fd);
}

static void on_closed(void *ctx, const char *reason)
{
	struct engine *engine = ctx;

	log_error("the monitor is gone%s%s: ending all sessions", reason ? ": " : "",
		reason ? reason : "");
	engine->exit_status = 1;
	if (!engine->subscribers) {
		env_ev_stop(engine->env);
		return;
	}
	engine_tunnels_delete(engine);
	subscribers_orphaned(engine->subscribers);
	engine_stop(engine, false);
}

static const struct monitor_client_ops monitor_ops = {
	.hello = on_hello,
	.kept = on_kept,
	.session = on_session,
	.exited = on_exited,
	.template = template_arrives,
	.start = on_start,
	.reload = engine_reload,
	.reload_line = engine_reload_line,
	.reload_end = engine_reload_end,
	.stop = engine_stop,
	.opened = on_opened,
	.hooks = on_hooks,
	.closed = on_closed,
};

static void engine_free(struct engine *engine)
{
	struct engine_template *template;
	struct engine_listener *listener;

	control_free(engine->control);
	engine_metrics_close(engine);
	engine_das_stop(engine);
	engine_past_free(engine);
	engine_statics_free(engine);
	engine_audit_free(engine);
	subscribers_free(engine->subscribers);
	hooks_client_free(engine->hooks);
	engine_tunnels_free(engine);
	l2tp_server_free(engine->l2tp);
	net_free(engine->net);
	kernel_free(engine->kernel);
	engine_radius_stop(engine);
	pools_free(engine->pools);
	users_free(engine->users);
	while ((template = LIST_FIRST(&engine->templates)))
		template_free(template);
	while ((listener = LIST_FIRST(&engine->listeners))) {
		LIST_REMOVE(listener, entry);
		free(listener);
	}
	monitor_client_free(engine->monitor);
	env_timer_free(engine->stop_timer);
	env_timer_free(engine->drain_timer);
	state_close(engine->state);
	config_free(engine->config);
	env_ev_free(engine->env);
	free(engine);
}

int engine_main(int monitor_fd)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	int err, status;

	if (!engine)
		return 1;
	engine->control_fd = -1;
	engine->next_listener_id = 1;
	LIST_INIT(&engine->templates);
	LIST_INIT(&engine->listeners);
	LIST_INIT(&engine->traces);
	LIST_INIT(&engine->calls);
	LIST_INIT(&engine->watches);
	LIST_INIT(&engine->reload_waits);
	LIST_INIT(&engine->inspects);
	LIST_INIT(&engine->ktraces);
	LIST_INIT(&engine->metrics);
	engine->env = env_ev_new();
	if (!engine->env) {
		log_error("no event loop: %s", strerror(errno));
		free(engine);
		return 1;
	}
	engine->started_wallclock = env_wallclock(engine->env);
	engine->stop_timer = env_timer_new(engine->env, engine_stop_step, engine);
	engine->drain_timer = env_timer_new(engine->env, engine_drain_step, engine);
	engine->hooks = hooks_client_new(engine->env);
	err = engine->stop_timer && engine->drain_timer && engine->hooks
		      ? monitor_client_new(
				engine->env, monitor_fd, &monitor_ops, engine, &engine->monitor)
		      : -ENOMEM;
	if (err < 0)
		fail(engine, "no connection to the monitor", err);
	else
		env_ev_run(engine->env);
	status = engine->exit_status;
	engine_free(engine);
	return status;
}
