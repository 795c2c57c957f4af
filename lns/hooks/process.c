// SPDX-License-Identifier: BSD-2-Clause
/*
 * hooks/process: the hook process: takes events from the engine, starts programs as the queue says,
 * reports what became of them.
 *
 * It may be slow, hang or die without anybody waiting for it. When the monitor closes its connection,
 * lnsd stops: what waits is run without regard to the rate; the monitor says by a kill when it is enough.
 */
#include "lns/env_ev.h"
#include "lns/hooks/hooks.h"
#include "lns/hooks/queue.h"
#include "lns/hooks/run.h"
#include "lns/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS_PER_TURN 256
#define REPORT_PAUSE    ENV_MS(100) /* between two reports */

struct process {
	struct env *env;
	int monitor_fd, engine_fd;
	struct env_io *monitor_io, *engine_io;
	struct env_timer *next_timer, *report_timer;
	struct hooks_queue *queue;
	struct hooks_config config;
	struct hooks_report report;
	struct log_limit drops;
	bool stopping;
	int exit_status;
};

/* ---- what is told ---- */

static void send_report(void *ctx)
{
	struct process *process = ctx;
	union hooks_message message = { .report = process->report };

	message.report.waiting = hooks_queue_waiting(process->queue);
	message.report.running = hooks_queue_running(process->queue);
	if (hooks_message_send(process->engine_fd, &message, HOOKS_REPORT) == -EAGAIN)
		env_timer_start(process->report_timer, REPORT_PAUSE);
}

static void changed(struct process *process)
{
	if (!env_timer_running(process->report_timer))
		env_timer_start(process->report_timer, REPORT_PAUSE);
}

static void count(
	struct process *process, const struct hooks_event *event, enum hooks_result result)
{
	process->report.results[event->kind][result]++;
	changed(process);
}

static void log_dropped(struct process *process, const struct hooks_event *event)
{
	unsigned int left_out;

	if (log_limit_pass(&process->drops, env_now(process->env), &left_out))
		log_warning(
			"session %016llx: on-%s is not run, as %u programs wait already (and %u "
			"more like it)",
			(unsigned long long)event->session, hooks_kind_word(event->kind),
			hooks_queue_waiting(process->queue), left_out);
}

/* ---- programs ---- */

static void start_next(void *ctx);

/* Nothing is left to do. */
static void look_for_end(struct process *process)
{
	if (!process->stopping || hooks_queue_waiting(process->queue) ||
		hooks_queue_running(process->queue))
		return;
	send_report(process);
	env_ev_stop(process->env);
}

static void run_ended(
	void *ctx, struct hooks_run *run, const struct hooks_event *event, enum hooks_result result)
{
	struct process *process = ctx;

	(void)run;
	hooks_queue_done(process->queue, event->session);
	count(process, event, result);
	env_timer_start(process->next_timer, 0);
}

static void start_program(struct process *process, const struct hooks_event *event)
{
	const struct hooks_run_how how = {
		.path = process->config.program[event->kind],
		.timeout = process->config.timeout,
		.ended = run_ended,
		.ctx = process,
	};
	struct hooks_run *run;
	int err;

	if (!how.path[0]) { /* no longer configured */
		hooks_queue_done(process->queue, event->session);
		return;
	}
	err = hooks_run_start(process->env, &how, event, &run);
	if (err == 0)
		return;
	log_error("session %016llx: on-%s cannot be started: %s",
		(unsigned long long)event->session, hooks_kind_word(event->kind), strerror(-err));
	hooks_queue_done(process->queue, event->session);
	count(process, event, HOOKS_FAILED);
}

static void start_next(void *ctx)
{
	struct process *process = ctx;
	struct hooks_event event;
	uint64_t wait;

	while (hooks_queue_take(process->queue, env_now(process->env), &event, &wait))
		start_program(process, &event);
	if (wait != UINT64_MAX)
		env_timer_start(process->next_timer, wait);
	look_for_end(process);
}

/* ---- what is heard ---- */

static void take_event(struct process *process, const struct hooks_event *event)
{
	if (!process->config.program[event->kind][0])
		return; /* configured no more */
	if (hooks_queue_put(process->queue, event) < 0) {
		log_dropped(process, event);
		count(process, event, HOOKS_DROPPED);
	}
}

/* Takes some of what waits; false when that was all. */
static bool read_events(struct process *process)
{
	union hooks_message message;
	int err = 0;

	for (unsigned int i = 0; i < EVENTS_PER_TURN && !err; i++) {
		err = hooks_message_receive(process->engine_fd, HOOKS_EVENT, &message);
		if (!err)
			take_event(process, &message.event);
	}
	if (err && err != -EAGAIN) {
		if (err == -EBADMSG) {
			log_error("the engine broke the protocol");
			process->exit_status = EXIT_FAILURE;
			env_ev_stop(process->env);
		}
		env_io_set(process->engine_io, 0);
	}
	changed(process);
	return !err;
}

static void engine_speaks(void *ctx, int events)
{
	(void)events;
	read_events(ctx);
	start_next(ctx);
}

/* A program that cannot be run is better seen now than at the first subscriber. */
static void check_programs(const struct hooks_config *config)
{
	for (int kind = 0; kind < HOOKS_KINDS; kind++)
		if (config->program[kind][0] && access(config->program[kind], X_OK) < 0)
			log_warning("on-%s: %s: %s (for hook-user)", hooks_kind_word(kind),
				config->program[kind], strerror(errno));
}

static void configure(struct process *process, const struct hooks_config *config)
{
	bool first = process->config.rate == 0;

	process->config = *config;
	log_set_level((enum log_level)config->log_level);
	check_programs(config);
	hooks_queue_configure(process->queue, config);
	if (first) /* events mean nothing before */
		env_io_set(process->engine_io, ENV_READ);
	start_next(process);
}

/* The last events may wait in the socket still: the engine is gone before the monitor says so. */
static void stop(struct process *process)
{
	struct hooks_event event;

	env_io_set(process->monitor_io, 0);
	process->stopping = true;
	if (process->config.rate == 0) {
		while (hooks_queue_drop(process->queue, &event))
			;
	} else {
		hooks_queue_hurry(process->queue);
		while (read_events(process))
			;
	}
	start_next(process);
}

static void monitor_speaks(void *ctx, int events)
{
	struct process *process = ctx;
	union hooks_message message;
	int err = hooks_message_receive(process->monitor_fd, HOOKS_CONFIG, &message);

	(void)events;
	if (err == 0)
		configure(process, &message.config);
	else if (err != -EAGAIN)
		stop(process);
}

int hooks_main(int monitor_fd, int engine_fd)
{
	struct process process = {
		.monitor_fd = monitor_fd,
		.engine_fd = engine_fd,
		.env = env_ev_new(),
		.queue = hooks_queue_new(),
	};

	if (!process.env || !process.queue)
		return EXIT_FAILURE;
	process.next_timer = env_timer_new(process.env, start_next, &process);
	process.report_timer = env_timer_new(process.env, send_report, &process);
	process.monitor_io =
		env_io_new(process.env, monitor_fd, ENV_READ, monitor_speaks, &process);
	process.engine_io = env_io_new(process.env, engine_fd, 0, engine_speaks, &process);
	if (!process.next_timer || !process.report_timer || !process.monitor_io ||
		!process.engine_io) {
		log_error("out of memory");
		return EXIT_FAILURE;
	}
	env_ev_run(process.env);
	return process.exit_status;
}
