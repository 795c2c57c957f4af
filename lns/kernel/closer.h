/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * closer: closes descriptors where nobody waits for it. Internal to lns/kernel.
 */
#ifndef LNS_KERNEL_CLOSER_H
#define LNS_KERNEL_CLOSER_H

struct kernel_closer;

/* 0 and *ret_closer, or -ENOMEM. */
int kernel_closer_new(struct kernel_closer **ret_closer);
/* Closes what is left, waiting for it. NULL does nothing. */
void kernel_closer_free(struct kernel_closer *closer);

/* Takes fd over; from any thread. */
void kernel_closer_add(struct kernel_closer *closer, int fd);

#endif
