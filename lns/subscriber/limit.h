/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit: a session's rate limits in the kernel. They are set before the client is told that it may come
 * in, so they are in effect when its network comes up, and they go with its interface.
 */
#ifndef LNS_SUBSCRIBER_LIMIT_H
#define LNS_SUBSCRIBER_LIMIT_H

struct kernel_limits;
struct subscriber;

/* NULL: the limits are in effect; otherwise why they are not: nothing has changed. */
typedef void subscriber_limited_fn(struct subscriber *sub, const char *problem);

/*
 * Sets the limits, in place of what is still under way. 0: done gets the result; 1: they are in effect
 * already, and nothing is asked of the kernel; -ENOMEM, or -ENODEV: pppd has not told its interface.
 */
int subscriber_limit(
	struct subscriber *sub, const struct kernel_limits *limits, subscriber_limited_fn *done);
/* Forgets what is under way: its done is not called. */
void subscriber_limit_cancel(struct subscriber *sub);

#endif
