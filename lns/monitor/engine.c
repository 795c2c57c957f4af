/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/engine: process, connection and end of the engine. See monitor/engine.h.
 *
 * What the engine sent before it died is read before its end is reported: a request to keep a descriptor
 * counts even if the engine crashed right after it.
 */
#include "lns/monitor/engine.h"

#include "lns/log.h"
#include "lns/monitor/child.h"
#include "lns/monitor/link.h"
#include "lns/monitor/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIVED_LONG        UINT64_C(10000000)
#define MESSAGES_PER_TURN 64

struct monitor_engine {
	struct monitor_loop *loop;
	const struct monitor_engine_ops *ops;
	void *ctx;
	pid_t pid; /* 0: none */
	int pidfd;
	uint64_t started;
	struct monitor_link link;
	struct monitor_watch exit_watch, link_watch;
};

struct monitor_engine *monitor_engine_new(
	struct monitor_loop *loop, const struct monitor_engine_ops *ops, void *ctx)
{
	struct monitor_engine *engine = calloc(1, sizeof(*engine));

	if (engine) {
		engine->loop = loop;
		engine->ops = ops;
		engine->ctx = ctx;
		engine->pidfd = engine->link.fd = -1;
		engine->exit_watch.fd = engine->link_watch.fd = -1;
	}
	return engine;
}

static void engine_release(struct monitor_engine *engine)
{
	monitor_watch_remove(engine->loop, &engine->exit_watch);
	monitor_watch_remove(engine->loop, &engine->link_watch);
	monitor_link_close(&engine->link);
	if (engine->pidfd >= 0)
		close(engine->pidfd);
	engine->pidfd = -1;
	engine->pid = 0;
}

void monitor_engine_free(struct monitor_engine *engine)
{
	if (!engine)
		return;
	engine_release(engine);
	free(engine);
}

bool monitor_engine_running(const struct monitor_engine *engine)
{
	return engine->pid != 0;
}

void monitor_engine_kill(struct monitor_engine *engine)
{
	if (engine->pidfd >= 0)
		monitor_child_signal(engine->pidfd, SIGKILL);
}

static void engine_hang_up(struct monitor_engine *engine, const char *reason)
{
	log_error("killing the engine: %s", reason);
	monitor_watch_remove(engine->loop, &engine->link_watch);
	engine->link.broken = true;
	monitor_engine_kill(engine);
}

/* Reads one request. False when there is nothing more to read now, or ever. */
static bool engine_read(struct monitor_engine *engine)
{
	union monitor_message message;
	int fds[MONITOR_FDS] = { -1, -1, -1 }, n;
	unsigned int count = 0;

	n = monitor_link_receive(
		engine->link.fd, &message, sizeof(message), fds, MONITOR_FDS, &count);
	if (n == -EAGAIN)
		return false;
	if (n == 0) { /* it is ending: its pidfd says when it has */
		monitor_watch_remove(engine->loop, &engine->link_watch);
		return false;
	}
	if (n == -EMFILE) { /* nothing but what is to be kept comes with a descriptor */
		engine->ops->full(engine->ctx);
		return true;
	}
	if (n < 0 || monitor_message_check(&message, (size_t)n, count, MONITOR_FROM_ENGINE) != 0) {
		for (unsigned int i = 0; i < count; i++)
			close(fds[i]);
		engine_hang_up(engine, n < 0 ? strerror(-n) : "it sent a broken message");
		return false;
	}
	engine->ops->request(engine->ctx, &message, fds);
	return true;
}

static void engine_ready(void *ctx, uint32_t events)
{
	struct monitor_engine *engine = ctx;

	if ((events & EPOLLOUT) && !monitor_link_flush(&engine->link)) {
		monitor_watch_set_writable(engine->loop, &engine->link_watch, false);
		engine->ops->drained(engine->ctx);
	}
	for (unsigned int i = 0; i < MESSAGES_PER_TURN && engine->link_watch.fd >= 0; i++)
		if (!engine_read(engine))
			return;
}

static void engine_exited(void *ctx, uint32_t events)
{
	struct monitor_engine *engine = ctx;
	struct rusage usage;
	bool quick;
	int status;

	(void)events;
	while (engine->link_watch.fd >= 0 && engine_read(engine))
		;
	if (!monitor_child_reap(engine->pid, &status, &usage))
		return;
	quick = monitor_now() - engine->started < LIVED_LONG;
	engine_release(engine);
	engine->ops->exited(engine->ctx, status, quick);
}

bool monitor_engine_queued(const struct monitor_engine *engine)
{
	return engine->link.head != NULL;
}

int monitor_engine_start(struct monitor_engine *engine, const struct monitor_spawn_engine *how)
{
	const char *step = "";
	int fd, err = monitor_spawn_engine(how, &engine->pid, &fd, &step);

	if (err) {
		log_error("cannot start the engine: %s: %s", step, strerror(-err));
		return err;
	}
	engine->started = monitor_now();
	monitor_link_open(&engine->link, fd);
	engine->pidfd = monitor_child_open(engine->pid);
	err = engine->pidfd < 0 ? engine->pidfd : 0;
	if (!err)
		err = monitor_watch_add(
			engine->loop, &engine->exit_watch, engine->pidfd, engine_exited, engine);
	if (!err)
		err = monitor_watch_add(
			engine->loop, &engine->link_watch, fd, engine_ready, engine);
	if (err) {
		log_error("cannot watch the engine: %s", strerror(-err));
		kill(engine->pid, SIGKILL);
		waitpid(engine->pid, NULL, 0);
		engine_release(engine);
	}
	return err;
}

void monitor_engine_send(struct monitor_engine *engine, enum monitor_message_type type,
	void *message, const int *fds, unsigned int count)
{
	int err;

	if (engine->pid == 0)
		return;
	err = monitor_link_send(&engine->link, type, message, fds, count);
	if (err)
		engine_hang_up(engine, strerror(-err));
	else if (engine->link.head)
		monitor_watch_set_writable(engine->loop, &engine->link_watch, true);
}
