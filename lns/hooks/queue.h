/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hooks/queue: which event's program is started next, and when. No I/O; the caller knows the time.
 *
 * Events wait in the order in which they came. One whose session has a program running is passed over
 * until that has ended, so that what is done for a session is done in order. The queue owns copies.
 */
#ifndef LNS_HOOKS_QUEUE_H
#define LNS_HOOKS_QUEUE_H

#include "lns/hooks/hooks.h"

#include <stdbool.h>

struct hooks_queue;

/* One start at a time and in a second, no room; NULL when memory is short. */
struct hooks_queue *hooks_queue_new(void);
void hooks_queue_free(struct hooks_queue *queue);

/* What already waits or runs stays, whatever the limits are. */
void hooks_queue_configure(struct hooks_queue *queue, const struct hooks_config *config);
/* From now on the rate is as fast as programs end. */
void hooks_queue_hurry(struct hooks_queue *queue);

/* Copies the event to the end. 0, -ENOSPC when the queue is full, or -ENOMEM. */
int hooks_queue_put(struct hooks_queue *queue, const struct hooks_event *event);

/*
 * Takes the event whose program is to be started now (microseconds, any clock); it counts as running
 * until hooks_queue_done. False when there is none; *ret_wait is then the time until there will be one,
 * UINT64_MAX when that depends on others.
 */
bool hooks_queue_take(
	struct hooks_queue *queue, uint64_t now, struct hooks_event *ret_event, uint64_t *ret_wait);
void hooks_queue_done(struct hooks_queue *queue, uint64_t session);

/* Drops the first event that waits; false when there is none. */
bool hooks_queue_drop(struct hooks_queue *queue, struct hooks_event *ret_event);

unsigned int hooks_queue_waiting(const struct hooks_queue *queue);
unsigned int hooks_queue_running(const struct hooks_queue *queue);

#endif
