/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * env: the only seam between the modules and the world: clocks, timers, descriptors, randomness.
 *
 * The engine runs on the real one (env_ev.c, libev); tests run on a fake one (tests/unit/env_fake.c),
 * whose clock moves only when the test says so. No other file includes ev.h.
 *
 * Everything here is called from the loop's thread only. Callbacks are called from the loop, never
 * from inside the function that registered them.
 */
#ifndef LNS_ENV_H
#define LNS_ENV_H

#include <stddef.h>
#include <stdint.h>

struct env;
struct env_timer;
struct env_io;

#define ENV_MS(n)  ((uint64_t)(n)*1000)
#define ENV_SEC(n) ((uint64_t)(n)*1000000)

enum { ENV_READ = 1, ENV_WRITE = 2 };

/* What a callback is called where the loop tells what it worked at; lives as long as the program. */
#define ENV_WHAT(function) __FILE__ " " #function

/* The monotonic clock in microseconds, as of this turn of the loop (CLOCK_BOOTTIME). */
uint64_t env_now(struct env *env);

/*
 * CPU time that this turn of the loop has used up to now, microseconds: for long work to go on in the next one.
 */
uint64_t env_turn_spent(struct env *env);

/* The wall clock in microseconds since 1970, as of the first time that this turn asks. */
uint64_t env_wallclock(struct env *env);

/* Fills buf with len random octets from the kernel. Never fails. */
void env_random(struct env *env, void *buf, size_t len);

/*
 * A one-shot timer, owned by the caller and not running at first. NULL when memory is short.
 * env_timer_start restarts a running timer; delay is in microseconds. env_timer_free stops it;
 * env_timer_free(NULL) and env_timer_stop(NULL) do nothing.
 */
#define env_timer_new(env, fire, ctx) env_timer_make(env, ENV_WHAT(fire), fire, ctx)
struct env_timer *env_timer_make(
	struct env *env, const char *what, void (*fire)(void *ctx), void *ctx);
void env_timer_start(struct env_timer *timer, uint64_t delay);
void env_timer_stop(struct env_timer *timer);
int env_timer_running(const struct env_timer *timer);
void env_timer_free(struct env_timer *timer);

/*
 * Watches fd for events (ENV_READ | ENV_WRITE, may be 0), one watcher for each descriptor; the caller
 * keeps owning fd and frees the watcher before closing it. NULL when memory is short, or fd is of a kind
 * that cannot be waited for. ready gets the events that are ready; what it does not take it is told again.
 * Of many that are ready some are served in a later turn of the loop, when there may be nothing left.
 */
#define env_io_new(env, fd, events, ready, ctx)                                                    \
	env_io_make(env, ENV_WHAT(ready), fd, events, ready, ctx)
struct env_io *env_io_make(struct env *env, const char *what, int fd, int events,
	void (*ready)(void *ctx, int events), void *ctx);
void env_io_set(struct env_io *io, int events);
void env_io_free(struct env_io *io);

#endif
