/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main: lns-load, a load generator for L2TP network servers: start, signals, results, exit status.
 */
#include "lns/env_ev.h"
#include "lns/log.h"
#include "tests/load/load.h"
#include "tests/load/mutate.h"
#include "tests/load/report.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Exit statuses: lns-load(1). */
enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

struct program {
	struct env *env;
	struct options options;
	struct load load;
	struct mutate *mutate; /* NULL: load is what runs */
	int signals;
	struct env_io *signal_io;
};

static void stop(void *ctx)
{
	struct program *program = ctx;

	env_ev_stop(program->env);
}

static void show(void *ctx)
{
	struct program *program = ctx;

	report_progress(&program->load);
}

static void signal_arrived(void *ctx, int events)
{
	struct program *program = ctx;
	struct signalfd_siginfo info;

	(void)events;
	if (read(program->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (program->mutate)
		mutate_interrupt(program->mutate);
	else
		load_interrupt(&program->load);
}

static int open_signals(struct program *program)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	program->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (program->signals < 0)
		return -errno;
	program->signal_io =
		env_io_new(program->env, program->signals, ENV_READ, signal_arrived, program);
	return program->signal_io ? 0 : -ENOMEM;
}

/* One descriptor per LAC. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* A ping that was answered never, however often it was sent, is a failure of its session. */
static void judge_pings(struct load *load)
{
	for (unsigned int i = 0; i < load->options->sessions; i++) {
		if (load->sessions[i].pings_sent && !load->sessions[i].pings_received)
			stats_fail(&load->stats, "no ping was answered");
	}
}

static int complain_json(int err, const char *path)
{
	if (err)
		fprintf(stderr, "lns-load: %s: %s\n", path, strerror(-err));
	return err;
}

static int run_load(struct program *program)
{
	const struct options *options = &program->options;
	struct load *load = &program->load;
	bool visible = options->progress || (!options->quiet && isatty(STDERR_FILENO)), ok;
	int err = load_init(load, program->env, options, stop, visible ? show : NULL, program);

	if (err)
		return EXIT_USAGE;
	load_begin(load);
	env_ev_run(program->env);
	if (visible) {
		report_progress(load);
		report_progress_end();
	}
	judge_pings(load);
	ok = !load->stats.failures;
	if (!options->quiet)
		report_table(load, ok,
			options->json && strcmp(options->json, "-") == 0 ? stderr : stdout);
	if (options->json)
		err = complain_json(report_json(load, ok, options->json), options->json);
	load_fini(load);
	return err || (!ok && !options->allow_failures) ? EXIT_FAILED : EXIT_OK;
}

static int run_mutate(struct program *program)
{
	const struct options *options = &program->options;
	const struct mutate_result *result;
	int err = mutate_new(program->env, options, stop, program, &program->mutate);
	bool ok;

	if (err)
		return EXIT_USAGE;
	env_ev_run(program->env);
	result = mutate_result(program->mutate);
	ok = result->alive && !result->invalid;
	if (options->json)
		err = complain_json(
			mutate_report_json(result, options, options->json), options->json);
	if (!options->quiet && !(options->json && strcmp(options->json, "-") == 0))
		mutate_report(result, options);
	mutate_free(program->mutate);
	return err || (!ok && !options->allow_failures) ? EXIT_FAILED : EXIT_OK;
}

int main(int argc, char **argv)
{
	static struct program program = { .signals = -1 };
	int status, err = options_parse(argc, argv, &program.options);

	if (err) {
		options_free(&program.options);
		return err > 0 ? EXIT_OK : EXIT_USAGE;
	}
	log_open("load", LOG_TO_STDERR);
	raise_limit();
	status = EXIT_USAGE;
	program.env = env_ev_new();
	if (!program.env || open_signals(&program)) {
		fprintf(stderr, "lns-load: cannot start: %s\n", strerror(errno));
		goto out;
	}
	status = program.options.mutate ? run_mutate(&program) : run_load(&program);
out:
	env_io_free(program.signal_io);
	if (program.signals >= 0)
		close(program.signals);
	env_ev_free(program.env);
	options_free(&program.options);
	return status;
}
