/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/hooks: see monitor/hooks.h.
 */
#include "lns/monitor/hooks.h"

#include "lns/config/config.h"
#include "lns/hooks/hooks.h"
#include "lns/monitor/child.h"
#include "lns/monitor/files.h"
#include "lns/monitor/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAUSE_MIN  UINT64_C(100000)
#define PAUSE_MAX  UINT64_C(5000000)
#define LIVED_LONG UINT64_C(10000000)

struct monitor_hooks {
	struct monitor_loop *loop;
	const struct rlimit *nofile;
	enum log_target log_to;
	uid_t engine;
	const struct monitor_hooks_ops *ops;
	void *ctx;

	union hooks_message config;
	uid_t uid;
	gid_t gid;
	bool known;     /* uid and gid are */
	bool finishing; /* it is not started again */
	pid_t pid;      /* 0: none */
	int pidfd, config_fd, event_fd;
	struct monitor_watch exit_watch;
	uint64_t started, start_at, pause;
};

struct monitor_hooks *monitor_hooks_new(struct monitor_loop *loop, const struct rlimit *nofile,
	enum log_target log_to, uid_t engine, const struct monitor_hooks_ops *ops, void *ctx)
{
	struct monitor_hooks *hooks = calloc(1, sizeof(*hooks));

	if (!hooks)
		return NULL;
	hooks->loop = loop;
	hooks->nofile = nofile;
	hooks->log_to = log_to;
	hooks->engine = engine;
	hooks->ops = ops;
	hooks->ctx = ctx;
	hooks->pidfd = hooks->config_fd = hooks->event_fd = hooks->exit_watch.fd = -1;
	hooks->start_at = MONITOR_NEVER;
	return hooks;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void hooks_release(struct monitor_hooks *hooks)
{
	monitor_watch_remove(hooks->loop, &hooks->exit_watch);
	close_fd(&hooks->pidfd);
	close_fd(&hooks->config_fd);
	close_fd(&hooks->event_fd);
	hooks->pid = 0;
}

void monitor_hooks_free(struct monitor_hooks *hooks)
{
	if (!hooks)
		return;
	hooks_release(hooks);
	free(hooks);
}

static bool is_wanted(const struct config *config)
{
	return config->hooks.on_up[0] || config->hooks.on_down[0];
}

static int hooks_identity(const struct monitor_hooks *hooks, const struct config *config,
	uid_t *ret_uid, gid_t *ret_gid)
{
	int err = monitor_files_identity("hook-user", config->hooks.user, "", ret_uid, ret_gid);

	if (!err && *ret_uid == hooks->engine) {
		log_error("user '%s' is the engine's: the option `hook-user` needs another one",
			config->hooks.user);
		err = -EPERM;
	}
	return err;
}

int monitor_hooks_check(const struct monitor_hooks *hooks, const struct config *config)
{
	uid_t uid;
	gid_t gid;

	return is_wanted(config) && !hooks->known ? hooks_identity(hooks, config, &uid, &gid) : 0;
}

static void hooks_pause(struct monitor_hooks *hooks, bool quick)
{
	hooks->pause = quick && hooks->pause ? hooks->pause * 2 : PAUSE_MIN;
	if (hooks->pause > PAUSE_MAX)
		hooks->pause = PAUSE_MAX;
	hooks->start_at = monitor_now() + hooks->pause;
}

static void hooks_exited(void *ctx, uint32_t events)
{
	struct monitor_hooks *hooks = ctx;
	char text[MONITOR_CHILD_TEXT];
	struct rusage usage;
	int status;

	(void)events;
	if (!monitor_child_reap(hooks->pid, &status, &usage))
		return;
	hooks_release(hooks);
	if (hooks->finishing)
		return;
	hooks_pause(hooks, monitor_now() - hooks->started < LIVED_LONG);
	log_error("the hook process died: %s; starting another in %.1f s; programs that waited are "
		  "not run",
		monitor_child_text(status, text), (double)hooks->pause / 1e6);
}

/* Tells it what is configured; one that takes no more is replaced. */
static void hooks_tell(struct monitor_hooks *hooks)
{
	int err = hooks_message_send(hooks->config_fd, &hooks->config, HOOKS_CONFIG);

	if (err) {
		log_error(
			"killing the hook process: it takes no configuration: %s", strerror(-err));
		monitor_hooks_kill(hooks);
	}
}

static void hooks_start(struct monitor_hooks *hooks)
{
	const struct monitor_spawn_hooks how = { hooks->uid, hooks->gid, hooks->nofile,
		hooks->log_to };
	const char *step = "";
	int err =
		monitor_spawn_hooks(&how, &hooks->pid, &hooks->config_fd, &hooks->event_fd, &step);

	hooks->start_at = MONITOR_NEVER;
	if (err) {
		hooks->pid = 0;
		log_error("cannot start the hook process: %s: %s", step, strerror(-err));
		hooks_pause(hooks, true);
		return;
	}
	hooks->started = monitor_now();
	hooks->pidfd = monitor_child_open(hooks->pid);
	err = hooks->pidfd < 0 ? hooks->pidfd
			       : monitor_watch_add(hooks->loop, &hooks->exit_watch, hooks->pidfd,
					 hooks_exited, hooks);
	if (err) {
		log_error("cannot watch the hook process: %s", strerror(-err));
		kill(hooks->pid, SIGKILL);
		waitpid(hooks->pid, NULL, 0);
		hooks_release(hooks);
		hooks_pause(hooks, true);
		return;
	}
	hooks_tell(hooks);
	hooks->ops->started(hooks->ctx, hooks->event_fd);
}

void monitor_hooks_configure(struct monitor_hooks *hooks, const struct config *config)
{
	struct hooks_config *told = &hooks->config.config;

	memset(told, 0, sizeof(*told));
	memcpy(told->program[HOOKS_UP], config->hooks.on_up, sizeof(config->hooks.on_up));
	memcpy(told->program[HOOKS_DOWN], config->hooks.on_down, sizeof(config->hooks.on_down));
	told->rate = config->hooks.rate;
	told->parallel = config->hooks.parallel;
	told->queue = config->hooks.queue;
	told->timeout = config->hooks.timeout;
	told->log_level = (uint32_t)config->log_level;
	if (hooks->pid) {
		hooks_tell(hooks);
		return;
	}
	if (!is_wanted(config)) {
		hooks->start_at = MONITOR_NEVER;
		return;
	}
	if (!hooks->known && hooks_identity(hooks, config, &hooks->uid, &hooks->gid))
		return;
	hooks->known = true;
	hooks_start(hooks);
}

int monitor_hooks_event_fd(const struct monitor_hooks *hooks)
{
	return hooks->event_fd;
}

void monitor_hooks_finish(struct monitor_hooks *hooks)
{
	hooks->finishing = true;
	hooks->start_at = MONITOR_NEVER;
	close_fd(&hooks->config_fd);
	close_fd(&hooks->event_fd);
}

void monitor_hooks_kill(struct monitor_hooks *hooks)
{
	if (hooks->pidfd >= 0)
		monitor_child_signal(hooks->pidfd, SIGKILL);
}

bool monitor_hooks_running(const struct monitor_hooks *hooks)
{
	return hooks->pid != 0;
}

uint64_t monitor_hooks_due(const struct monitor_hooks *hooks)
{
	return hooks->start_at;
}

void monitor_hooks_tick(struct monitor_hooks *hooks)
{
	if (hooks->start_at <= monitor_now())
		hooks_start(hooks);
}
