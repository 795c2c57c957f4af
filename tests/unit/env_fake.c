// SPDX-License-Identifier: BSD-2-Clause
/*
 * env_fake: see env_fake.h. Lists instead of heaps: tests have few timers.
 */
#include "tests/unit/env_fake.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

struct env_timer {
	struct env *env;
	struct env_timer *next;
	void (*fire)(void *ctx);
	void *ctx;
	uint64_t due, order;
	int running;
};

struct env_io {
	struct env *env;
	struct env_io *next;
	int fd, events, seen;
	void (*ready)(void *ctx, int events);
	void *ctx;
};

struct env {
	uint64_t now, order, seed, spent;
	struct env_timer *timers;
	struct env_io *ios;
	unsigned int polls;
};

struct env *env_fake_new(void)
{
	struct env *env = calloc(1, sizeof(*env));

	if (!env)
		abort();
	env->now = ENV_SEC(1000);
	env->seed = 88172645463325252u;
	return env;
}

void env_fake_free(struct env *env)
{
	if (env->timers || env->ios) {
		fprintf(stderr, "env_fake: %u timers and %u watchers left\n", env_fake_timers(env),
			env_fake_watchers(env));
		abort();
	}
	free(env);
}

uint64_t env_now(struct env *env)
{
	return env->now;
}

uint64_t env_turn_spent(struct env *env)
{
	return env->spent;
}

void env_fake_spend(struct env *env, uint64_t time)
{
	env->spent += time;
}

uint64_t env_wallclock(struct env *env)
{
	return env->now + ENV_SEC(1767225600) - ENV_SEC(1000);
}

void env_random(struct env *env, void *buf, size_t len)
{
	uint8_t *out = buf;

	for (size_t i = 0; i < len; i++) {
		env->seed ^= env->seed << 13;
		env->seed ^= env->seed >> 7;
		env->seed ^= env->seed << 17;
		out[i] = (uint8_t)(env->seed >> 32);
	}
}

struct env_timer *env_timer_make(
	struct env *env, const char *what, void (*fire)(void *ctx), void *ctx)
{
	struct env_timer *timer = calloc(1, sizeof(*timer));

	(void)what;
	if (!timer)
		return NULL;
	timer->env = env;
	timer->fire = fire;
	timer->ctx = ctx;
	timer->next = env->timers;
	env->timers = timer;
	return timer;
}

void env_timer_start(struct env_timer *timer, uint64_t delay)
{
	timer->due = timer->env->now + delay;
	timer->order = timer->env->order++;
	timer->running = 1;
}

void env_timer_stop(struct env_timer *timer)
{
	if (timer)
		timer->running = 0;
}

int env_timer_running(const struct env_timer *timer)
{
	return timer->running;
}

void env_timer_free(struct env_timer *timer)
{
	struct env_timer **link;

	if (!timer)
		return;
	for (link = &timer->env->timers; *link != timer; link = &(*link)->next)
		;
	*link = timer->next;
	free(timer);
}

static struct env_timer *next_timer(const struct env *env)
{
	struct env_timer *best = NULL;

	for (struct env_timer *t = env->timers; t; t = t->next)
		if (t->running && (!best || t->due < best->due ||
					  (t->due == best->due && t->order < best->order)))
			best = t;
	return best;
}

static void fire(struct env *env, struct env_timer *timer)
{
	if (timer->due > env->now)
		env->now = timer->due;
	timer->running = 0;
	timer->fire(timer->ctx);
}

void env_fake_advance(struct env *env, uint64_t delay)
{
	uint64_t until = env->now + delay;
	struct env_timer *timer;

	while ((timer = next_timer(env)) && timer->due <= until)
		fire(env, timer);
	env->now = until;
}

int env_fake_step(struct env *env)
{
	struct env_timer *timer = next_timer(env);

	if (!timer)
		return 0;
	fire(env, timer);
	return 1;
}

unsigned int env_fake_running(const struct env *env)
{
	unsigned int n = 0;

	for (const struct env_timer *t = env->timers; t; t = t->next)
		n += t->running != 0;
	return n;
}

unsigned int env_fake_timers(const struct env *env)
{
	unsigned int n = 0;

	for (const struct env_timer *t = env->timers; t; t = t->next)
		n++;
	return n;
}

unsigned int env_fake_watchers(const struct env *env)
{
	unsigned int n = 0;

	for (const struct env_io *io = env->ios; io; io = io->next)
		n++;
	return n;
}

struct env_io *env_io_make(struct env *env, const char *what, int fd, int events,
	void (*ready)(void *ctx, int events), void *ctx)
{
	struct env_io *io = calloc(1, sizeof(*io));

	(void)what;
	if (!io)
		return NULL;
	io->env = env;
	io->fd = fd;
	io->events = events;
	io->ready = ready;
	io->ctx = ctx;
	io->seen = (int)env->polls;
	io->next = env->ios;
	env->ios = io;
	return io;
}

void env_io_set(struct env_io *io, int events)
{
	io->events = events;
}

void env_io_free(struct env_io *io)
{
	struct env_io **link;

	if (!io)
		return;
	for (link = &io->env->ios; *link != io; link = &(*link)->next)
		;
	*link = io->next;
	free(io);
}

static int io_revents(const struct env_io *io)
{
	struct pollfd p = { .fd = io->fd, .events = 0 };

	if (!io->events)
		return 0;
	if (io->events & ENV_READ)
		p.events |= POLLIN;
	if (io->events & ENV_WRITE)
		p.events |= POLLOUT;
	if (poll(&p, 1, 0) <= 0)
		return 0;
	return (p.revents & (POLLIN | POLLHUP | POLLERR) ? ENV_READ : 0) |
	       (p.revents & POLLOUT ? ENV_WRITE : 0);
}

/* One watcher that is ready and has not had its turn yet; callbacks may free any other one. */
static struct env_io *next_ready(struct env *env, int *ret_events)
{
	for (struct env_io *io = env->ios; io; io = io->next) {
		if (io->seen == (int)env->polls)
			continue;
		*ret_events = io_revents(io) & io->events;
		if (*ret_events)
			return io;
	}
	return NULL;
}

static void wait_any(const struct env *env, int timeout_ms)
{
	struct pollfd p[64];
	nfds_t n = 0;

	for (const struct env_io *io = env->ios; io && n < 64; io = io->next) {
		if (!io->events)
			continue;
		p[n].fd = io->fd;
		p[n].events = (short)((io->events & ENV_READ ? POLLIN : 0) |
				      (io->events & ENV_WRITE ? POLLOUT : 0));
		n++;
	}
	poll(p, n, timeout_ms);
}

int env_fake_poll(struct env *env, int timeout_ms)
{
	struct env_io *io;
	int events, ran = 0;

	wait_any(env, timeout_ms);
	env->polls++;
	env->spent = 0;
	while ((io = next_ready(env, &events))) {
		io->seen = (int)env->polls;
		io->ready(io->ctx, events);
		ran++;
	}
	return ran;
}
