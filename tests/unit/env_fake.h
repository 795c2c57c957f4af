/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * env_fake: an env for tests. Its clock stands still until env_fake_advance moves it; descriptors are
 * polled only by env_fake_poll; random numbers repeat from run to run.
 */
#ifndef TESTS_UNIT_ENV_FAKE_H
#define TESTS_UNIT_ENV_FAKE_H

#include "lns/env.h"

/* The clock starts at 1,000 s, the wall clock at 2026-01-01. Aborts when memory is short. */
struct env *env_fake_new(void);

/* Frees it. The test fails (abort with a message) when timers or watchers are left. */
void env_fake_free(struct env *env);

/* Moves the clock by delay microseconds, firing due timers in order, each at its own time. */
void env_fake_advance(struct env *env, uint64_t delay);

/* Moves to the next timer and fires it; 0 when none is running. */
int env_fake_step(struct env *env);

/* Running timers, all timers, watchers. */
unsigned int env_fake_running(const struct env *env);
unsigned int env_fake_timers(const struct env *env);
unsigned int env_fake_watchers(const struct env *env);

/* Waits at most timeout_ms for watched descriptors and runs their callbacks; how many ran. */
int env_fake_poll(struct env *env, int timeout_ms);
/* The turn, which a poll is, uses so much CPU time (microseconds). */
void env_fake_spend(struct env *env, uint64_t time);

#endif
