/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/priv: the monitor's state, shared by monitor.c (life) and monitor/setup.c (making it).
 */
#ifndef LNS_MONITOR_INTERNAL_H
#define LNS_MONITOR_INTERNAL_H

#include "lns/config/config.h"
#include "lns/monitor/engine.h"
#include "lns/monitor/hooks.h"
#include "lns/monitor/keep.h"
#include "lns/monitor/loop.h"
#include "lns/monitor/session.h"
#include "lns/monitor/template.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct monitor_options;

enum phase {
	PHASE_STARTING, /* no engine served yet */
	PHASE_SERVING,
	PHASE_STOPPING,  /* the engine ends everything */
	PHASE_FINISHING, /* there is no engine; what is left is killed */
};

struct monitor {
	const struct monitor_options *options;
	struct config *config;
	int bundle_fd, state_fd, control_fd, run_dir_fd, state_dir_fd, signal_fd, started_fd;
	char run_dir[sizeof(((struct config *)0)->run_dir)];
	char state_dir[sizeof(((struct config *)0)->state_dir)];
	uid_t uid;
	gid_t gid;
	struct rlimit nofile; /* as it was when we were started */
	rlim_t fd_limit;      /* as it is now */
	bool fd_warned;
	bool tracing; /* the kernel's tracepoints were switched on */

	struct monitor_loop loop;
	struct monitor_watch signal_watch;
	struct monitor_keep_table *keep;
	struct monitor_sessions *sessions;
	struct monitor_templates *templates;
	struct monitor_engine *engine;
	struct monitor_hooks *hooks;

	enum phase phase;
	int exit_status;
	uint32_t generation;
	uint64_t start_at, pause; /* of the next engine */
	uint64_t deadline;        /* of PHASE_STOPPING and PHASE_FINISHING */
	uint64_t alive_at;        /* when the service manager is told so */
	uint64_t ask_at;          /* when the engine is asked whether it lives */
	unsigned int unanswered;  /* of these questions */
	bool handing;             /* the engine is being told of the past */
	unsigned int hand_place;  /* in what is kept */
	bool stop_retried; /* an engine died while stopping; a second one finishes the work */

	struct config *reload_config; /* waits for the engine's answer */
	int reload_fd;
	uint32_t reload_number;
	bool reload_wanted;  /* by this engine, which is told how it goes */
	bool reload_refused; /* the last one */
	bool reload_again;   /* asked for at a time when it could not be done */
};

/* What the parts of the monitor call; ctx is the struct monitor. */
struct monitor_upcalls {
	struct monitor_sessions_ops sessions;
	struct monitor_templates_ops templates;
	struct monitor_engine_ops engine;
	struct monitor_hooks_ops hooks;
	void (*signalled)(void *ctx, uint32_t events); /* signal_fd is readable */
};

/*
 * Makes directories, control socket, state memory, loop, signals and tables, from a struct monitor that
 * has nothing open but its configuration. 0, or -errno after logging why; monitor_setup_close clears up
 * either way, leaving children alone.
 */
int monitor_setup_open(struct monitor *monitor, const struct monitor_upcalls *upcalls);
void monitor_setup_close(struct monitor *monitor);

#endif
