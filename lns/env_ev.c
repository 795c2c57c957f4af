// SPDX-License-Identifier: BSD-2-Clause
/*
 * env_ev: env.h on libev. The clock is read once a turn, right after the wait; the CPU time of each
 * turn is measured from there to the next wait, because no turn may work longer than 5 ms.
 */
#include "lns/env_ev.h"

#include <ev.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

struct env {
	struct ev_loop *loop;
	ev_prepare before_wait;
	ev_check after_wait;
	uint64_t now, turn_began;
	struct env_ev_load load;
};

struct env_timer {
	ev_timer timer;
	struct env *env;
	void (*fire)(void *ctx);
	void *ctx;
};

struct env_io {
	ev_io io;
	struct env *env;
	void (*ready)(void *ctx, int events);
	void *ctx;
};

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void turn_begins(struct ev_loop *loop, ev_check *check, int events)
{
	struct env *env = check->data;

	(void)loop;
	(void)events;
	env->now = read_clock(CLOCK_BOOTTIME);
	env->turn_began = read_clock(CLOCK_THREAD_CPUTIME_ID);
}

static void turn_ends(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct env *env = prepare->data;
	uint64_t took = read_clock(CLOCK_THREAD_CPUTIME_ID) - env->turn_began;

	(void)loop;
	(void)events;
	env->load.turns++;
	env->load.busy += took;
	env->load.slow += took > ENV_EV_SLOW;
	if (took > env->load.longest)
		env->load.longest = took;
}

struct env *env_ev_new(void)
{
	struct env *env = calloc(1, sizeof(*env));

	if (!env)
		return NULL;
	env->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!env->loop) {
		free(env);
		return NULL;
	}
	signal(SIGPIPE, SIG_IGN);
	ev_prepare_init(&env->before_wait, turn_ends);
	ev_check_init(&env->after_wait, turn_begins);
	env->before_wait.data = env->after_wait.data = env;
	ev_set_priority(&env->after_wait, EV_MAXPRI);
	ev_prepare_start(env->loop, &env->before_wait);
	ev_check_start(env->loop, &env->after_wait);
	env->now = read_clock(CLOCK_BOOTTIME);
	env->turn_began = read_clock(CLOCK_THREAD_CPUTIME_ID);
	return env;
}

void env_ev_free(struct env *env)
{
	if (!env)
		return;
	ev_prepare_stop(env->loop, &env->before_wait);
	ev_check_stop(env->loop, &env->after_wait);
	ev_loop_destroy(env->loop);
	free(env);
}

void env_ev_run(struct env *env)
{
	ev_run(env->loop, 0);
}

void env_ev_stop(struct env *env)
{
	ev_break(env->loop, EVBREAK_ALL);
}

void env_ev_get_load(const struct env *env, struct env_ev_load *ret_load)
{
	*ret_load = env->load;
}

uint64_t env_now(struct env *env)
{
	return env->now;
}

uint64_t env_wallclock(struct env *env)
{
	(void)env;
	return read_clock(CLOCK_REALTIME);
}

void env_random(struct env *env, void *buf, size_t len)
{
	uint8_t *out = buf;

	(void)env;
	while (len > 0) {
		ssize_t n = getrandom(out, len, 0);

		if (n < 0)
			continue; /* only a signal can interrupt it */
		out += n;
		len -= (size_t)n;
	}
}

static void timer_fires(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct env_timer *t = timer->data;

	(void)loop;
	(void)events;
	t->fire(t->ctx);
}

struct env_timer *env_timer_new(struct env *env, void (*fire)(void *ctx), void *ctx)
{
	struct env_timer *timer = calloc(1, sizeof(*timer));

	if (!timer)
		return NULL;
	ev_timer_init(&timer->timer, timer_fires, 0., 0.);
	timer->timer.data = timer;
	timer->env = env;
	timer->fire = fire;
	timer->ctx = ctx;
	return timer;
}

void env_timer_start(struct env_timer *timer, uint64_t delay)
{
	ev_timer_stop(timer->env->loop, &timer->timer);
	ev_timer_set(&timer->timer, (double)delay / 1e6, 0.);
	ev_timer_start(timer->env->loop, &timer->timer);
}

void env_timer_stop(struct env_timer *timer)
{
	if (timer)
		ev_timer_stop(timer->env->loop, &timer->timer);
}

int env_timer_running(const struct env_timer *timer)
{
	return ev_is_active(&timer->timer);
}

void env_timer_free(struct env_timer *timer)
{
	if (!timer)
		return;
	ev_timer_stop(timer->env->loop, &timer->timer);
	free(timer);
}

static void io_ready(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct env_io *io = watcher->data;

	(void)loop;
	io->ready(io->ctx, (events & EV_READ ? ENV_READ : 0) | (events & EV_WRITE ? ENV_WRITE : 0));
}

static int io_events(int events)
{
	return (events & ENV_READ ? EV_READ : 0) | (events & ENV_WRITE ? EV_WRITE : 0);
}

struct env_io *env_io_new(
	struct env *env, int fd, int events, void (*ready)(void *ctx, int events), void *ctx)
{
	struct env_io *io = calloc(1, sizeof(*io));

	if (!io)
		return NULL;
	ev_io_init(&io->io, io_ready, fd, io_events(events));
	io->io.data = io;
	io->env = env;
	io->ready = ready;
	io->ctx = ctx;
	if (events)
		ev_io_start(env->loop, &io->io);
	return io;
}

void env_io_set(struct env_io *io, int events)
{
	ev_io_stop(io->env->loop, &io->io);
	ev_io_set(&io->io, io->io.fd, io_events(events));
	if (events)
		ev_io_start(io->env->loop, &io->io);
}

void env_io_free(struct env_io *io)
{
	if (!io)
		return;
	ev_io_stop(io->env->loop, &io->io);
	free(io);
}
