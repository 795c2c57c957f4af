/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit: a session's rate limits in the kernel. They are set before the client is told that it may come
 * in, so they are in effect when its network comes up, and they go with its interface.
 */
#ifndef LNS_SUBSCRIBER_LIMIT_H
#define LNS_SUBSCRIBER_LIMIT_H

#include <stdbool.h>

struct kernel_limits;
struct subscriber;

/* NULL: the limits are in effect; otherwise why they are not: nothing has changed. May end the session. */
typedef void subscriber_limited_fn(struct subscriber *sub, const char *problem);

/*
 * Sets the limits, and then calls done: at once when they are in effect already (nothing is asked of the
 * kernel then), or when they cannot be. Takes the place of what is still under way.
 */
void subscriber_limit(
	struct subscriber *sub, const struct kernel_limits *limits, subscriber_limited_fn *done);
/* Forgets what is under way: its done is not called. */
void subscriber_limit_cancel(struct subscriber *sub);

#endif
