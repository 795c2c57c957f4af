/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor: life of the daemon: start, handing over to an engine, its requests, reload, stop.
 *
 * Ownership: the monitor owns the configuration and its bundle, the state memory, the control socket,
 * the table of kept descriptors, the sessions, the templates and the engine. It never waits for any of
 * them but in its loop (and for the exec of a child).
 *
 * Life of an engine: started -> HELLO, everything of the past, templates, START -> READY -> ... -> it
 * ends: its templates are killed and reaped, which completes the list of sessions; after a pause the next
 * one is started. The very first engine must get to READY, otherwise the daemon gives up: a mistake in
 * the configuration is better seen at once than repeated.
 *
 * Stop: the engine ends everything and exits; what is left after `stop-timeout` is killed.
 */
#include "lns/monitor/monitor.h"

#include "lns/config/config.h"
#include "lns/log.h"
#include "lns/monitor/child.h"
#include "lns/monitor/files.h"
#include "lns/monitor/internal.h"
#include "lns/monitor/ktrace.h"
#include "lns/monitor/notify.h"
#include "lns/monitor/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAUSE_MIN UINT64_C(100000)
#define PAUSE_MAX UINT64_C(5000000)

#define STOP_GRACE   UINT64_C(2000000) /* on top of stop-timeout, which the engine keeps itself */
#define HURRY_GRACE  UINT64_C(1000000)
#define FINISH_GRACE UINT64_C(5000000) /* for killed children to be reaped */

/* An engine that does not answer so many questions in a row hangs: it is killed, and another started. */
#define ASK_INTERVAL UINT64_C(5000000)
#define ASK_LIMIT    6

#define FD_RESERVE 256 /* of our descriptors, not for the engine's */

static void monitor_report(void *ctx, const char *line)
{
	(void)ctx;
	log_line(config_is_warning(line) ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "%s", line);
}

/* What `systemctl status` shows; told again with each sign of life, so that it is never long out of date. */
static void monitor_tell_status(const struct monitor *monitor)
{
	static const char *const doings[] = {
		[PHASE_STARTING] = "Starting",
		[PHASE_SERVING] = "Serving",
		[PHASE_STOPPING] = "Stopping",
		[PHASE_FINISHING] = "Stopping",
	};
	const char *doing = doings[monitor->phase];
	char text[128];

	if (monitor->phase == PHASE_SERVING && monitor->ask_at == MONITOR_NEVER)
		doing = "The engine is being replaced";
	snprintf(text, sizeof(text), "%s%s; sessions: %u",
		monitor->reload_refused ? "The last reload was refused, the log says why. " : "",
		doing, monitor_sessions_running(monitor->sessions));
	monitor_notify_status(text);
}

/* Handing over to a new engine. */

static void monitor_hand_hello(struct monitor *monitor)
{
	struct monitor_hello hello = { .generation = ++monitor->generation };
	const int fds[] = { monitor->bundle_fd, monitor->state_fd, monitor->control_fd };

	snprintf(hello.run_dir, sizeof(hello.run_dir), "%s", monitor->run_dir);
	snprintf(hello.state_dir, sizeof(hello.state_dir), "%s", monitor->state_dir);
	monitor_engine_send(monitor->engine, MONITOR_HELLO, &hello, fds, 3);
}

/* What is queued has a duplicate: for all that is kept there may not be as many left. */
static int monitor_hand_kept(void *ctx, enum monitor_kind kind, uint64_t id, int fd)
{
	struct monitor *monitor = ctx;
	struct monitor_keep keep = { .kind = kind, .id = id };

	monitor_engine_send(monitor->engine, MONITOR_KEPT, &keep, &fd, 1);
	return monitor_engine_queued(monitor->engine) ? -EAGAIN : 0;
}

static int monitor_hand_session(void *ctx, uint64_t session, pid_t pid)
{
	struct monitor *monitor = ctx;
	struct monitor_session message = { .session = session, .pid = pid };

	monitor_engine_send(monitor->engine, MONITOR_SESSION, &message, NULL, 0);
	return 0;
}

static int monitor_hand_exit(void *ctx, const struct monitor_exit *exit)
{
	struct monitor *monitor = ctx;
	struct monitor_exit message = *exit;

	monitor_engine_send(monitor->engine, MONITOR_EXIT, &message, NULL, 0);
	return 0;
}

static void monitor_hand_hooks(void *ctx, int event_fd)
{
	struct monitor *monitor = ctx;
	struct monitor_head head;

	if (!monitor->handing) /* otherwise it comes in its turn */
		monitor_engine_send(monitor->engine, MONITOR_HOOKS, &head, &event_fd, 1);
}

static void monitor_hand_stop(struct monitor *monitor, bool hurry)
{
	struct monitor_number number = { .number = hurry };

	if (!monitor->handing)
		monitor_engine_send(monitor->engine, MONITOR_STOP, &number, NULL, 0);
}

static void monitor_plan_engine(struct monitor *monitor, bool quick)
{
	monitor->pause = quick && monitor->pause ? monitor->pause * 2 : PAUSE_MIN;
	if (monitor->pause > PAUSE_MAX)
		monitor->pause = PAUSE_MAX;
	monitor->start_at = monitor_now() + monitor->pause;
}

/* Tells a new engine of the past as fast as it reads, then that this was all. */
static void monitor_hand_on(void *ctx)
{
	struct monitor *monitor = ctx;
	struct monitor_head head;

	if (!monitor->handing || monitor_keep_each(monitor->keep, &monitor->hand_place,
					 monitor_hand_kept, monitor) != 0)
		return;
	monitor->handing = false;
	monitor_sessions_each(monitor->sessions, monitor_hand_session, monitor_hand_exit, monitor);
	if (monitor_hooks_event_fd(monitor->hooks) >= 0)
		monitor_hand_hooks(monitor, monitor_hooks_event_fd(monitor->hooks));
	monitor_templates_start(monitor->templates);
	monitor_engine_send(monitor->engine, MONITOR_START, &head, NULL, 0);
	if (monitor->phase == PHASE_STOPPING)
		monitor_hand_stop(monitor, false);
}

static int monitor_start_engine(struct monitor *monitor)
{
	const struct monitor_spawn_engine how = {
		.uid = monitor->uid,
		.gid = monitor->gid,
		.run_dir = monitor->run_dir,
		.state_dir = monitor->state_dir,
		.log_to = monitor->options->log_to,
	};
	int err;

	monitor->start_at = MONITOR_NEVER;
	err = monitor_engine_start(monitor->engine, &how);
	if (err) {
		monitor_plan_engine(monitor, true);
		return err;
	}
	monitor_hand_hello(monitor);
	monitor->handing = true;
	monitor->hand_place = 0;
	monitor_hand_on(monitor);
	return 0;
}

static void monitor_template_started(void *ctx, uint32_t id, const char *name, int fork_fd)
{
	struct monitor *monitor = ctx;
	struct monitor_template template = { .id = id };

	snprintf(template.name, sizeof(template.name), "%s", name);
	monitor_engine_send(monitor->engine, MONITOR_TEMPLATE, &template, &fork_fd, 1);
}

static void monitor_session_exited(void *ctx, const struct monitor_exit *exit)
{
	const struct monitor *monitor = ctx;

	if (!monitor->handing)
		monitor_hand_exit(ctx, exit);
}

/* Reload. */

static void monitor_reload_drop(struct monitor *monitor)
{
	config_free(monitor->reload_config);
	monitor->reload_config = NULL;
	if (monitor->reload_fd >= 0)
		close(monitor->reload_fd);
	monitor->reload_fd = -1;
}

/* Of a reload: to the log, and to an engine that wanted it. */
static void monitor_reload_report(void *ctx, const char *line)
{
	struct monitor *monitor = ctx;
	struct monitor_text text = { 0 };

	monitor_report(NULL, line);
	snprintf(text.text, sizeof(text.text), "%s", line);
	if (monitor->reload_wanted)
		monitor_engine_send(monitor->engine, MONITOR_RELOAD_LINE, &text, NULL, 0);
}

/* Tells the service manager, and an engine that wanted it, that a reload is over. */
static void monitor_reload_tell(struct monitor *monitor, int err)
{
	struct monitor_answer answer = { .error = err };

	if (monitor->reload_wanted && !monitor->reload_again) {
		monitor->reload_wanted = false;
		monitor_engine_send(monitor->engine, MONITOR_RELOAD_END, &answer, NULL, 0);
	}
	monitor->reload_refused = err != 0;
	monitor_tell_status(monitor);
	monitor_notify_ready();
}

static void monitor_reload_begin(struct monitor *monitor)
{
	struct monitor_number number;
	int err;

	if (monitor->phase > PHASE_SERVING)
		return;
	monitor->reload_again = monitor->phase == PHASE_STARTING || monitor->reload_config ||
				monitor->handing || !monitor_engine_running(monitor->engine);
	if (monitor->reload_again)
		return;
	monitor_notify_reloading();
	err = monitor_load(monitor->options->config_path, monitor_reload_report, monitor,
		&monitor->reload_config, &monitor->reload_fd);
	if (err) {
		log_error("reload refused, the old configuration stays: %s has errors",
			monitor->options->config_path);
		monitor_reload_tell(monitor, err);
		return;
	}
	number.number = ++monitor->reload_number;
	number.pad = 0;
	monitor_engine_send(monitor->engine, MONITOR_RELOAD, &number, &monitor->reload_fd, 1);
}

/* Options that root used once cannot change in a running daemon. */
static void monitor_reload_warn(
	struct monitor *monitor, const struct config *old, const struct config *new)
{
	if (strcmp(old->user, new->user) != 0 || strcmp(old->group, new->group) != 0 ||
		strcmp(old->run_dir, new->run_dir) != 0 ||
		strcmp(old->state_dir, new->state_dir) != 0 || old->log_to != new->log_to ||
		((old->hooks.on_up[0] || old->hooks.on_down[0]) &&
			strcmp(old->hooks.user, new->hooks.user) != 0))
		monitor_reload_report(monitor,
			"reload: warning: user, group, hook-user, run-dir, state-dir and log-to take "
			"effect at the next start only");
}

static void monitor_reload_end(struct monitor *monitor, const struct monitor_answer *answer)
{
	int err = answer->error;

	if (!monitor->reload_config || answer->number != monitor->reload_number)
		return;
	if (!err)
		err = monitor_hooks_check(monitor->hooks, monitor->reload_config);
	if (!err)
		err = monitor_templates_configure(monitor->templates, monitor->reload_config);
	if (err) {
		log_error("reload refused, the old configuration stays: %s", strerror(-err));
		monitor_reload_drop(monitor);
	} else {
		monitor_reload_warn(monitor, monitor->config, monitor->reload_config);
		monitor_hooks_configure(monitor->hooks, monitor->reload_config);
		config_free(monitor->config);
		close(monitor->bundle_fd);
		monitor->config = monitor->reload_config;
		monitor->bundle_fd = monitor->reload_fd;
		monitor->reload_config = NULL;
		monitor->reload_fd = -1;
		log_set_level((enum log_level)monitor->config->log_level);
		log_info("configuration reloaded");
	}
	monitor_reload_tell(monitor, err);
	if (monitor->reload_again)
		monitor_reload_begin(monitor);
}

/* Requests of the engine. */

static void monitor_do_ready(struct monitor *monitor)
{
	if (monitor->phase == PHASE_STARTING) {
		monitor->phase = PHASE_SERVING;
		monitor_notify_ready();
		if (monitor->started_fd >= 0) {
			if (write(monitor->started_fd, "", 1) < 0)
				log_debug("nobody waited for the start");
			close(monitor->started_fd);
			monitor->started_fd = -1;
		}
	}
	monitor->ask_at = monitor_now() + ASK_INTERVAL;
	monitor->unanswered = 0;
	monitor_tell_status(monitor);
	log_info("engine %u serves", monitor->generation);
	if (monitor->reload_again)
		monitor_reload_begin(monitor);
}

static void monitor_do_signal(struct monitor *monitor, const struct monitor_keys *keys)
{
	int signal = keys->signal == MONITOR_SIGNAL_KILL ? SIGKILL : SIGTERM;
	bool reports_read = false;

	for (uint32_t i = 0; i < keys->count; i++) {
		if (monitor_sessions_signal(monitor->sessions, keys->sessions[i], signal))
			continue;
		if (!reports_read)
			monitor_templates_read_reports(monitor->templates);
		reports_read = true;
		monitor_sessions_signal(monitor->sessions, keys->sessions[i], signal);
	}
}

static void monitor_full(void *ctx)
{
	struct monitor *monitor = ctx;

	if (!monitor->fd_warned)
		log_error("limit of open files (%lu) reached: what comes now ends with this "
			  "engine; raise it",
			(unsigned long)monitor->fd_limit);
	monitor->fd_warned = true;
}

static void monitor_do_keep(struct monitor *monitor, const struct monitor_keep *keep, int fd)
{
	/* A full table must not leave us unable to start an engine, or to watch a session. */
	if ((rlim_t)fd + FD_RESERVE >= monitor->fd_limit) {
		monitor_full(monitor);
		close(fd);
		return;
	}
	if (monitor_keep_put(monitor->keep, (enum monitor_kind)keep->kind, keep->id, fd))
		log_error("no memory to keep a descriptor: it ends with this engine");
}

/* A descriptor, or 0 when there is none to give, or -errno. */
static int monitor_open_what(struct monitor *monitor, enum monitor_open what)
{
	int err;

	switch (what) {
	case MONITOR_OPEN_TRACE_ON:
		err = monitor_ktrace_on();
		monitor->tracing |= err == 0;
		return err;
	case MONITOR_OPEN_TRACE_OFF:
		monitor->tracing = false;
		return monitor_ktrace_off();
	case MONITOR_OPEN_TRACE_READ:
		return monitor_ktrace_open();
	default:
		return monitor_files_open(what);
	}
}

static void monitor_do_open(struct monitor *monitor, enum monitor_open what)
{
	struct monitor_answer answer = { .number = what };
	int fd = monitor_open_what(monitor, what);
	bool given = fd >= 0 && monitor_open_has_fd(what);

	answer.error = fd < 0 ? fd : 0;
	monitor_engine_send(monitor->engine, MONITOR_OPENED, &answer, &fd, given ? 1 : 0);
	if (given)
		close(fd);
}

static void monitor_request(void *ctx, const union monitor_message *request, const int *fds)
{
	struct monitor *monitor = ctx;

	switch ((enum monitor_message_type)request->head.type) {
	case MONITOR_READY:
		monitor_do_ready(monitor);
		break;
	case MONITOR_ALIVE:
		monitor->unanswered = 0;
		break;
	case MONITOR_STOPPED:
		log_debug("the engine has ended everything");
		break;
	case MONITOR_SIGNAL:
		monitor_do_signal(monitor, &request->keys);
		break;
	case MONITOR_FORGET:
		for (uint32_t i = 0; i < request->keys.count; i++)
			monitor_sessions_forget(monitor->sessions, request->keys.sessions[i]);
		break;
	case MONITOR_KEEP:
		monitor_do_keep(monitor, &request->keep, fds[0]);
		break;
	case MONITOR_DROP:
		monitor_keep_drop(
			monitor->keep, (enum monitor_kind)request->keep.kind, request->keep.id);
		break;
	case MONITOR_REPLACE_TEMPLATE:
		monitor_templates_replace(monitor->templates, request->number.number);
		break;
	case MONITOR_OPEN:
		monitor_do_open(monitor, (enum monitor_open)request->number.number);
		break;
	case MONITOR_WANT_RELOAD:
		monitor->reload_wanted = true;
		monitor_reload_begin(monitor);
		if (monitor->phase > PHASE_SERVING)
			monitor_reload_tell(monitor, -ESHUTDOWN);
		break;
	case MONITOR_RELOADED:
		monitor_reload_end(monitor, &request->answer);
		break;
	default: /* notices do not pass monitor_message_check */
		break;
	}
}

/* Stop. */

static void monitor_finish(struct monitor *monitor)
{
	unsigned int left = monitor_sessions_running(monitor->sessions);

	if (left > 0)
		log_warning("killing %u pppds that are left", left);
	monitor_sessions_signal_all(monitor->sessions, SIGKILL);
	monitor_hooks_finish(monitor->hooks);
	if (monitor->tracing)
		monitor_ktrace_off();
	monitor->phase = PHASE_FINISHING;
	monitor->deadline = monitor_now() + FINISH_GRACE;
}

static void monitor_stop(struct monitor *monitor)
{
	uint64_t now = monitor_now();

	if (monitor->phase == PHASE_FINISHING)
		return;
	if (monitor->phase == PHASE_STOPPING) {
		log_info("stopping at once");
		monitor_sessions_signal_all(monitor->sessions, SIGKILL);
		monitor_hand_stop(monitor, true);
		if (monitor->deadline > now + HURRY_GRACE)
			monitor->deadline = now + HURRY_GRACE;
		return;
	}
	log_info("stopping");
	monitor_notify_stopping(
		monitor->config->stop_timeout + STOP_GRACE + HURRY_GRACE + FINISH_GRACE);
	monitor_reload_drop(monitor);
	monitor->phase = PHASE_STOPPING;
	monitor_tell_status(monitor);
	monitor->deadline = now + monitor->config->stop_timeout + STOP_GRACE;
	if (monitor_engine_running(monitor->engine))
		monitor_hand_stop(monitor, false);
	else
		monitor->start_at = now; /* it takes an engine to end sessions cleanly */
}

static void monitor_engine_exited(void *ctx, int status, bool quick)
{
	struct monitor *monitor = ctx;
	bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	char text[MONITOR_CHILD_TEXT];

	monitor->ask_at = MONITOR_NEVER;
	monitor->handing = false;
	monitor->reload_wanted = false;
	monitor_templates_stop(monitor->templates);
	if (monitor->reload_config) {
		monitor_reload_drop(monitor);
		monitor->reload_again = true;
	}
	monitor_child_text(status, text);
	if (monitor->phase == PHASE_STARTING) {
		log_error("the engine could not start: %s", text);
		monitor->exit_status = EXIT_FAILURE;
		monitor_finish(monitor);
	} else if (monitor->phase == PHASE_STOPPING) {
		bool again = !clean && !monitor->stop_retried && monitor_now() < monitor->deadline;

		if (!clean)
			log_error("the engine died while stopping: %s", text);
		monitor->stop_retried = true;
		if (again)
			monitor->start_at = monitor_now();
		else
			monitor_finish(monitor);
	} else {
		monitor_plan_engine(monitor, quick);
		monitor_tell_status(monitor);
		log_error(
			"the engine died: %s; starting another in %.1f s; %u pppds and %u descriptors "
			"are kept",
			text, (double)monitor->pause / 1e6,
			monitor_sessions_running(monitor->sessions),
			monitor_keep_count(monitor->keep));
	}
}

static void monitor_signalled(void *ctx, uint32_t events)
{
	struct monitor *monitor = ctx;
	struct signalfd_siginfo info;

	(void)events;
	if (read(monitor->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		monitor_reload_begin(monitor);
	else
		monitor_stop(monitor);
}

/* The loop. */

static uint64_t monitor_due(const struct monitor *monitor)
{
	uint64_t due = monitor_templates_due(monitor->templates);

	if (monitor_hooks_due(monitor->hooks) < due)
		due = monitor_hooks_due(monitor->hooks);
	if (monitor->alive_at < due)
		due = monitor->alive_at;
	if (monitor->ask_at < due)
		due = monitor->ask_at;
	if (monitor->phase >= PHASE_STOPPING && monitor->deadline < due)
		due = monitor->deadline;
	/* While old templates live, their end wakes the loop. */
	if (!monitor_templates_running(monitor->templates) && monitor->start_at < due)
		due = monitor->start_at;
	return due;
}

/*
 * Asks the engine whether its loop turns. Questions are counted, not time: after the machine was
 * suspended, an engine has as much time to answer as always.
 */
static void monitor_ask(struct monitor *monitor)
{
	struct monitor_head head;

	if (monitor->unanswered >= ASK_LIMIT) {
		log_error("the engine has not answered for %u s: killing it",
			(unsigned int)(ASK_LIMIT * ASK_INTERVAL / 1000000));
		monitor->ask_at = MONITOR_NEVER;
		monitor_engine_kill(monitor->engine);
		return;
	}
	monitor->unanswered++;
	monitor->ask_at = monitor_now() + ASK_INTERVAL;
	monitor_engine_send(monitor->engine, MONITOR_ASK, &head, NULL, 0);
}

static void monitor_tick(struct monitor *monitor)
{
	uint64_t now = monitor_now();

	if (monitor->alive_at <= now) {
		monitor_notify_alive();
		monitor_tell_status(monitor);
		monitor->alive_at = now + monitor_notify_interval();
	}
	if (monitor->ask_at <= now)
		monitor_ask(monitor);
	monitor_templates_tick(monitor->templates);
	monitor_hooks_tick(monitor->hooks);
	if (monitor->phase == PHASE_STOPPING && monitor->deadline <= now) {
		monitor->stop_retried = true;
		monitor->deadline = MONITOR_NEVER;
		log_error("not everything could be ended in time");
		if (monitor_engine_running(monitor->engine))
			monitor_engine_kill(monitor->engine);
		else
			monitor_finish(monitor);
	}
	if (monitor->phase != PHASE_FINISHING && monitor->start_at <= now &&
		!monitor_templates_running(monitor->templates))
		monitor_start_engine(monitor);
}

static bool monitor_done(const struct monitor *monitor)
{
	if (monitor->phase != PHASE_FINISHING)
		return false;
	unsigned int left = monitor_sessions_running(monitor->sessions) +
			    monitor_templates_running(monitor->templates);

	if (!left && !monitor_hooks_running(monitor->hooks))
		return true;
	if (monitor->deadline > monitor_now())
		return false;
	if (monitor_hooks_running(monitor->hooks))
		log_warning("killing what is left of the programs of hooks");
	monitor_hooks_kill(monitor->hooks);
	if (left)
		log_error("%u killed processes do not end; leaving them", left);
	return true;
}

static const struct monitor_upcalls upcalls = {
	.sessions.exited = monitor_session_exited,
	.templates.started = monitor_template_started,
	.engine.request = monitor_request,
	.engine.full = monitor_full,
	.engine.drained = monitor_hand_on,
	.hooks.started = monitor_hand_hooks,
	.engine.exited = monitor_engine_exited,
	.signalled = monitor_signalled,
};

int monitor_run(const struct monitor_options *options, struct config *config, int bundle_fd)
{
	struct monitor monitor = {
		.options = options,
		.config = config,
		.bundle_fd = bundle_fd,
		.state_fd = -1,
		.control_fd = -1,
		.run_dir_fd = -1,
		.state_dir_fd = -1,
		.signal_fd = -1,
		.started_fd = options->started_fd,
		.reload_fd = -1,
		.loop.epoll_fd = -1,
		.signal_watch.fd = -1,
		.start_at = MONITOR_NEVER,
		.ask_at = MONITOR_NEVER,
		.alive_at = monitor_notify_interval() ? monitor_now() : MONITOR_NEVER,
		.exit_status = EXIT_SUCCESS,
	};

	log_set_level((enum log_level)config->log_level);
	if (monitor_setup_open(&monitor, &upcalls) || monitor_start_engine(&monitor)) {
		monitor_setup_close(&monitor);
		return EXIT_FAILURE;
	}
	while (!monitor_done(&monitor)) {
		monitor_loop_turn(&monitor.loop, monitor_due(&monitor));
		monitor_tick(&monitor);
	}
	log_info("stopped");
	monitor_setup_close(&monitor);
	return monitor.exit_status;
}
