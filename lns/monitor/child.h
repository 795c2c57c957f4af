/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/child: the monitor's children as the kernel knows them: pidfds, exits, finding them.
 *
 * The monitor is single-threaded and the only one to reap its children, so the process id of a child
 * that it did not reap yet can never mean another process.
 */
#ifndef LNS_MONITOR_CHILD_H
#define LNS_MONITOR_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#define MONITOR_CHILD_TEXT 64

/* A pidfd of pid, when that is a child of ours that was not reaped. -ECHILD otherwise, or -errno. */
int monitor_child_open(pid_t pid);

/* Signals by pidfd; a child that is dead already is no error. 0 or -errno. */
int monitor_child_signal(int pidfd, int signal);

/* Reaps pid if it ended: wait status and what it used. */
bool monitor_child_reap(pid_t pid, int *ret_status, struct rusage *ret_usage);

/* "exit status 3", "signal 9 (Killed)". Returns text. */
const char *monitor_child_text(int status, char text[MONITOR_CHILD_TEXT]);

/* All children, dead ones too: 0 and *ret_pids (to be freed), or -errno. */
int monitor_child_list(pid_t **ret_pids, size_t *ret_count);

#endif
