// SPDX-License-Identifier: BSD-2-Clause
/* env_radius: see env_radius.h. */
#include "lns/env_radius.h"

#include "lns/log.h"

static uint64_t host_now(void *ctx)
{
	return env_now(ctx);
}

static uint64_t host_wallclock(void *ctx)
{
	return env_wallclock(ctx);
}

static void host_random(void *ctx, void *buf, size_t len)
{
	env_random(ctx, buf, len);
}

static void *host_timer_new(void *ctx, const char *what, void (*fire)(void *arg), void *arg)
{
	return env_timer_make(ctx, what, fire, arg);
}

static void host_timer_start(void *timer, uint64_t delay)
{
	env_timer_start(timer, delay);
}

static void host_timer_stop(void *timer)
{
	env_timer_stop(timer);
}

static void host_timer_free(void *timer)
{
	env_timer_free(timer);
}

static void *host_io_new(void *ctx, const char *what, int fd, int events,
	void (*ready)(void *arg, int events), void *arg)
{
	return env_io_make(ctx, what, fd, events, ready, arg);
}

static void host_io_free(void *io)
{
	env_io_free(io);
}

static void host_log(void *ctx, bool is_error, const char *line)
{
	(void)ctx;
	log_line(is_error ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "%s", line);
}

void env_radius_host(struct env *env, struct radius_host *ret_host)
{
	*ret_host = (struct radius_host){
		.ctx = env,
		.now = host_now,
		.wallclock = host_wallclock,
		.random = host_random,
		.timer_new = host_timer_new,
		.timer_start = host_timer_start,
		.timer_stop = host_timer_stop,
		.timer_free = host_timer_free,
		.io_new = host_io_new,
		.io_free = host_io_free,
		.log = host_log,
	};
}
