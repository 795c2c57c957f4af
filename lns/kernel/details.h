/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * details: what only debugfs tells of the kernel's L2TP tunnels and sessions. Internal to lns/kernel.
 */
#ifndef LNS_KERNEL_DETAILS_H
#define LNS_KERNEL_DETAILS_H

#include "lns/kernel/kernel.h"

#include <stdio.h>

/*
 * Reads debugfs' l2tp/tunnels from fd (borrowed) and adds what it says to the entries that it names. It is
 * meant for people and may change with the kernel: what is not understood is passed over.
 */
void kernel_details_read(int fd, struct kernel_l2tp_list *list);
/* The same from a stream. */
void kernel_details_parse(FILE *in, struct kernel_l2tp_list *list);

#endif
