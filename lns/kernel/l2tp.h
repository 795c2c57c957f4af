/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * l2tp: requests of the generic netlink family "l2tp", for the threads. Internal to lns/kernel.
 */
#ifndef LNS_KERNEL_L2TP_H
#define LNS_KERNEL_L2TP_H

#include "lns/kernel/netlink.h"

#include <stdint.h>

/* A request of the family, which was found before (netlink_find_l2tp); NULL when memory is short. */
struct nl_msg *kernel_l2tp_message(struct netlink *netlink, uint8_t command);

/*
 * Deletes session session_id of a tunnel, or the tunnel when it is 0. 0 or -errno, -ENOENT when there is
 * none, -EOPNOTSUPP without the family.
 */
int kernel_l2tp_delete(struct netlink *netlink, uint32_t tunnel_id, uint32_t session_id);

/*
 * Calls create, and again for a moment while it says -EEXIST: the kernel acknowledges that it deletes a
 * tunnel or session, and does so later, on a work queue. Its last result.
 */
typedef int kernel_l2tp_create_fn(void *ctx, struct netlink *netlink);
int kernel_l2tp_create(kernel_l2tp_create_fn *create, void *ctx, struct netlink *netlink);

#endif
