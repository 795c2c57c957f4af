/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/loop: a level-triggered epoll loop. See monitor/loop.h.
 */
#include "lns/monitor/loop.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

int monitor_loop_open(struct monitor_loop *loop)
{
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll_fd < 0 ? -errno : 0;
}

void monitor_loop_close(struct monitor_loop *loop)
{
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	loop->epoll_fd = -1;
}

int monitor_watch_add(struct monitor_loop *loop, struct monitor_watch *watch, int fd,
	void (*ready)(void *ctx, uint32_t events), void *ctx)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = watch };

	*watch = (struct monitor_watch){ .fd = -1, .ready = ready, .ctx = ctx };
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	watch->fd = fd;
	return 0;
}

void monitor_watch_set_writable(
	struct monitor_loop *loop, struct monitor_watch *watch, bool writable)
{
	struct epoll_event event = { .events = EPOLLIN | (writable ? EPOLLOUT : 0),
		.data.ptr = watch };

	if (watch->fd >= 0)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
}

void monitor_watch_remove(struct monitor_loop *loop, struct monitor_watch *watch)
{
	if (watch->fd >= 0)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->fd = -1;
}

static int loop_timeout(uint64_t until)
{
	uint64_t now = monitor_now(), ms;

	if (until == MONITOR_NEVER)
		return -1;
	if (until <= now)
		return 0;
	ms = (until - now + 999) / 1000;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

void monitor_loop_turn(struct monitor_loop *loop, uint64_t until)
{
	struct epoll_event event;

	if (epoll_wait(loop->epoll_fd, &event, 1, loop_timeout(until)) == 1) {
		struct monitor_watch *watch = event.data.ptr;

		watch->ready(watch->ctx, event.events);
	}
}

uint64_t monitor_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}
