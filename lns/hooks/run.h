/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hooks/run: one program as a process: started, listened to, ended when its time is over.
 *
 * It leads a process group of its own with nothing open but /dev/null and a pipe to us, whose lines go
 * to the log. What is left of its group when it ends is killed. Programs die with the hook process.
 */
#ifndef LNS_HOOKS_RUN_H
#define LNS_HOOKS_RUN_H

#include "lns/hooks/hooks.h"

struct env;
struct hooks_run;

struct hooks_run_how {
	const char *path; /* of the program; its argument is "up" or "down" */
	uint64_t timeout; /* microseconds; then SIGTERM, a second later SIGKILL */
	/* It ended; run is freed after this. */
	void (*ended)(void *ctx, struct hooks_run *run, const struct hooks_event *event,
		enum hooks_result result);
	void *ctx;
};

/* Starts it. 0 and *ret_run, or -errno. Borrows how's path until it returns. */
int hooks_run_start(struct env *env, const struct hooks_run_how *how,
	const struct hooks_event *event, struct hooks_run **ret_run);
/* Kills it and waits for its end, which is at hand; ended is not called. */
void hooks_run_free(struct hooks_run *run);

#endif
