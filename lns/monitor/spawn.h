/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/spawn: starting the engine, the hook process and the pppd templates: fork, confine, exec.
 */
#ifndef LNS_MONITOR_SPAWN_H
#define LNS_MONITOR_SPAWN_H

#include "lns/log.h"

#include <sys/resource.h>
#include <sys/types.h>

/* Descriptor numbers in the children. */
enum {
	MONITOR_ENGINE_FD = 3, /* engine: its connection to the monitor */
	MONITOR_FORK_FD = 3,   /* template: fork requests from the engine */
	MONITOR_REPORT_FD = 4, /* template: reports to the monitor */
	MONITOR_CONFIG_FD = 3, /* hook process: its connection to the monitor */
	MONITOR_EVENT_FD = 4,  /* hook process: its connection to the engine */
};

/* The hidden option by which this program runs as the engine. */
#define MONITOR_ENGINE_OPTION "--engine"
#define MONITOR_HOOKS_OPTION  "--hooks" /* and as the hook process */

struct monitor_spawn_engine {
	uid_t uid;
	gid_t gid;
	const char *run_dir, *state_dir;
	enum log_target log_to; /* it keeps our stderr */
};

struct monitor_spawn_hooks {
	uid_t uid;
	gid_t gid;
	const struct rlimit *nofile; /* its limit of open files, and its programs' */
	enum log_target log_to;
};

/*
 * All wait for the exec (a millisecond or two), so that what went wrong before it is known: -errno
 * and *ret_step, the name of what failed. On success 0 and what ret_ points to: the process, to be
 * reaped by the caller, and our ends of its sockets.
 */
int monitor_spawn_engine(
	const struct monitor_spawn_engine *how, pid_t *ret_pid, int *ret_fd, const char **ret_step);

/*
 * argv as ppp_template_argv makes it; plugin, which it names, is preloaded, too (pppd-plugin/preload.c).
 * nofile: its limit of open files, which is not ours: pppd wants small descriptor numbers. *ret_fork_fd is
 * for the engine.
 */
int monitor_spawn_template(const char *const *argv, const char *plugin, const struct rlimit *nofile,
	pid_t *ret_pid, int *ret_fork_fd, int *ret_report_fd, const char **ret_step);

/* *ret_config_fd is ours, *ret_event_fd for the engine. */
int monitor_spawn_hooks(const struct monitor_spawn_hooks *how, pid_t *ret_pid, int *ret_config_fd,
	int *ret_event_fd, const char **ret_step);

#endif
