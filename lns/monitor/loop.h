/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/loop: the monitor's own small epoll loop; it has no libev, so that the root half stays small.
 *
 * One event is taken at a time: a handler may free any watch, its own too.
 */
#ifndef LNS_MONITOR_LOOP_H
#define LNS_MONITOR_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#define MONITOR_NEVER UINT64_MAX

struct monitor_loop {
	int epoll_fd;
};

/* Embedded in its owner, who removes it before closing fd. */
struct monitor_watch {
	int fd; /* -1: not watched */
	void (*ready)(void *ctx, uint32_t events);
	void *ctx;
};

/* 0 or -errno. */
int monitor_loop_open(struct monitor_loop *loop);
void monitor_loop_close(struct monitor_loop *loop);

/* Watches fd for reading; 0 or -errno. */
int monitor_watch_add(struct monitor_loop *loop, struct monitor_watch *watch, int fd,
	void (*ready)(void *ctx, uint32_t events), void *ctx);
/* Watches for writing as well, or no longer. */
void monitor_watch_set_writable(
	struct monitor_loop *loop, struct monitor_watch *watch, bool writable);
/* Nothing when it is not watched. */
void monitor_watch_remove(struct monitor_loop *loop, struct monitor_watch *watch);

/* Waits for one event until the time `until` (monitor_now, MONITOR_NEVER) and handles it. */
void monitor_loop_turn(struct monitor_loop *loop, uint64_t until);

/* CLOCK_BOOTTIME in microseconds. */
uint64_t monitor_now(void);

#endif
