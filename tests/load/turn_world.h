/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * turn_world: what lns/subscriber needs of kernel, L2TP, monitor and pppd, done by itself: sessions appear when
 * they are asked for, pppds ask and come up, interfaces have traffic, and go with their pppds. The kernel's
 * results come as from its thread (lns/kernel/thread.c): KERNEL_TURN of them in a turn of the loop.
 *
 * What pppds and LACs would do takes a little of the turns that are measured: at most WORLD_STEP events a turn.
 */
#ifndef TESTS_LOAD_TURN_WORLD_H
#define TESTS_LOAD_TURN_WORLD_H

#include "lns/subscriber/subscriber.h"

#include <stdbool.h>

#define WORLD_TUNNELS 8

/* Fills what is the world's of host, whose env is set. ctx is the world's. */
void world_init(struct subscribers_host *host);
/* Lets so many more calls come, in turns over the tunnels, at most limit of them in setup at a time. */
void world_call(struct subscribers *all, unsigned int count, unsigned int limit);
/* All calls of a tunnel (1 ..), or all there are (0), go down in this turn, as with a StopCCN. */
void world_drop(struct subscribers *all, unsigned int tunnel);
/* Calls that were not asked for yet, and those that came and have not gone. */
unsigned int world_to_come(void);
unsigned int world_calls(void);

#endif
