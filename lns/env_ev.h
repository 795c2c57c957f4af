/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * env_ev: the real env, one libev loop. The only file that includes ev.h is env_ev.c.
 */
#ifndef LNS_ENV_EV_H
#define LNS_ENV_EV_H

#include "lns/env.h"

/* NULL when no loop can be had. The process ignores SIGPIPE then, and keeps the memory that it frees. */
struct env *env_ev_new(void);
/* Frees the loop; every timer and watcher must be gone. */
void env_ev_free(struct env *env);

/* Runs until env_ev_stop is called. */
void env_ev_run(struct env *env);
void env_ev_stop(struct env *env);

/*
 * Turns of the loop so far; the most CPU time that one of them took and that of all, microseconds. Most of the
 * longest turn went to calls of what ("lns/net/socket.c net_receive"; "loop": to none), which took spent
 * microseconds, by the clock, as CPU time is dear to ask for. What is done before env_ev_run is no turn.
 */
#define ENV_EV_SLOW ENV_MS(5) /* more than this a turn should not take */
struct env_ev_work {
	const char *what;
	unsigned int calls;
	uint64_t spent;
};
struct env_ev_load {
	uint64_t turns, slow;
	uint64_t longest, busy;
	struct env_ev_work longest_work;
};
void env_ev_get_load(const struct env *env, struct env_ev_load *ret_load);

#endif
