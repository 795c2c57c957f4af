/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/setup: opening and closing everything the monitor owns. See monitor/internal.h.
 */
#include "lns/monitor/internal.h"

#include "lns/config/config.h"
#include "lns/log.h"
#include "lns/monitor/monitor.h"
#include "lns/monitor/files.h"
#include "lns/monitor/limits.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

int monitor_load(const char *path, void (*report)(void *ctx, const char *line), void *ctx,
	struct config **ret_config, int *ret_fd)
{
	int fd, err = config_bundle(path, report, ctx, &fd);

	if (err)
		return err;
	err = config_parse(fd, report, ctx, ret_config);
	if (err) {
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

static int setup_directories(struct monitor *monitor)
{
	const struct monitor_options *options = monitor->options;
	const char *run_dir = options->run_dir ? options->run_dir : monitor->config->run_dir;
	const char *state_dir =
		options->state_dir ? options->state_dir : monitor->config->state_dir;
	int err;

	if (snprintf(monitor->run_dir, sizeof(monitor->run_dir), "%s", run_dir) >=
			(int)sizeof(monitor->run_dir) ||
		snprintf(monitor->state_dir, sizeof(monitor->state_dir), "%s", state_dir) >=
			(int)sizeof(monitor->state_dir)) {
		log_error("the path of the run or state directory is too long");
		return -ENAMETOOLONG;
	}
	err = monitor_files_directory(
		monitor->run_dir, monitor->uid, monitor->gid, &monitor->run_dir_fd);
	if (!err)
		err = monitor_files_directory(
			monitor->state_dir, monitor->uid, monitor->gid, &monitor->state_dir_fd);
	if (err)
		return err;
	err = monitor_files_lock(monitor->run_dir_fd);
	if (!err)
		err = monitor_files_lock(monitor->state_dir_fd);
	if (err)
		log_error("another lnsd runs with %s or %s (%s)", monitor->run_dir,
			monitor->state_dir, strerror(-err));
	return err;
}

static int setup_nofile(struct monitor *monitor)
{
	struct rlimit raised;

	if (getrlimit(RLIMIT_NOFILE, &monitor->nofile) < 0)
		return -errno;
	raised = monitor->nofile;
	raised.rlim_cur = raised.rlim_max;
	monitor->fd_limit = raised.rlim_cur;
	return setrlimit(RLIMIT_NOFILE, &raised) < 0 ? -errno : 0;
}

static int setup_signals(struct monitor *monitor, void (*signalled)(void *ctx, uint32_t events))
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
		signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		return -errno;
	monitor->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (monitor->signal_fd < 0)
		return -errno;
	return monitor_watch_add(
		&monitor->loop, &monitor->signal_watch, monitor->signal_fd, signalled, monitor);
}

static int setup_tables(struct monitor *monitor, const struct monitor_upcalls *upcalls)
{
	int err;

	monitor->keep = monitor_keep_new();
	monitor->sessions = monitor_sessions_new(&monitor->loop, &upcalls->sessions, monitor);
	if (!monitor->keep || !monitor->sessions)
		return -ENOMEM;
	monitor->templates = monitor_templates_new(
		&monitor->loop, monitor->sessions, &monitor->nofile, &upcalls->templates, monitor);
	monitor->engine = monitor_engine_new(&monitor->loop, &upcalls->engine, monitor);
	monitor->hooks = monitor_hooks_new(&monitor->loop, &monitor->nofile,
		monitor->options->log_to, monitor->uid, &upcalls->hooks, monitor);
	if (!monitor->templates || !monitor->engine || !monitor->hooks)
		return -ENOMEM;
	err = monitor_hooks_check(monitor->hooks, monitor->config);
	if (!err)
		err = monitor_templates_configure(monitor->templates, monitor->config);
	if (!err)
		monitor_hooks_configure(monitor->hooks, monitor->config);
	return err;
}

int monitor_setup_open(struct monitor *monitor, const struct monitor_upcalls *upcalls)
{
	const struct config *config = monitor->config;
	int err;

	err = monitor_files_identity(
		"user", config->user, config->group, &monitor->uid, &monitor->gid);
	if (!err)
		err = setup_directories(monitor);
	if (!err)
		err = monitor_files_control(
			monitor->run_dir, monitor->run_dir_fd, monitor->gid, &monitor->control_fd);
	if (err)
		return err;
	monitor_limits_log(config);
	err = setup_nofile(monitor);
	if (!err) {
		monitor->state_fd = monitor_files_state();
		err = monitor->state_fd < 0 ? monitor->state_fd : 0;
	}
	if (!err)
		err = monitor_loop_open(&monitor->loop);
	if (!err)
		err = setup_signals(monitor, upcalls->signalled);
	if (!err)
		err = setup_tables(monitor, upcalls);
	if (err)
		log_error("cannot start: %s", strerror(-err));
	return err;
}

void monitor_setup_close(struct monitor *monitor)
{
	const int fds[] = { monitor->bundle_fd, monitor->state_fd, monitor->control_fd,
		monitor->run_dir_fd, monitor->state_dir_fd, monitor->signal_fd, monitor->started_fd,
		monitor->reload_fd };

	if (monitor->control_fd >= 0)
		monitor_files_control_remove(monitor->run_dir_fd);
	monitor_hooks_free(monitor->hooks);
	monitor_engine_free(monitor->engine);
	monitor_templates_free(monitor->templates);
	monitor_sessions_free(monitor->sessions);
	monitor_keep_free(monitor->keep);
	config_free(monitor->reload_config);
	config_free(monitor->config);
	monitor_loop_close(&monitor->loop);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}
