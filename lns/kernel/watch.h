/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch: tells the loop of interfaces that vanish. Internal to lns/kernel; made by kernel_new.
 */
#ifndef LNS_KERNEL_WATCH_H
#define LNS_KERNEL_WATCH_H

#include "lns/kernel/kernel.h"

struct env;
struct kernel_watch;

/* 0 and *ret_watch, or -errno. Borrows ops. */
int kernel_watch_new(struct env *env, const struct kernel_watch_ops *ops, void *ctx,
	struct kernel_watch **ret_watch);
void kernel_watch_free(struct kernel_watch *watch);

/* The netlink socket, owned by the watch. */
int kernel_watch_fd(const struct kernel_watch *watch);

#endif
