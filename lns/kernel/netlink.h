/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netlink: blocking requests and dumps over libnl, with the kernel's own errno. For the kernel thread.
 *
 * libnl's error codes lose information (several errno become one), so the answer is read here.
 */
#ifndef LNS_KERNEL_NETLINK_H
#define LNS_KERNEL_NETLINK_H

#include <netlink/msg.h>
#include <netlink/netlink.h>

struct netlink {
	struct nl_sock *route, *generic;
	int l2tp_family; /* id of the generic netlink family "l2tp", 0 = not known (yet) */
};

/* Opens both sockets. 0 or -errno. netlink_close on a zeroed or closed one does nothing. */
int netlink_open(struct netlink *netlink);
void netlink_close(struct netlink *netlink);

/* 0 when the kernel has the generic netlink family "l2tp", else -EOPNOTSUPP. */
int netlink_find_l2tp(struct netlink *netlink);

/*
 * Sends message, which is freed, and waits for the acknowledgement. 0 or -errno; message may be NULL
 * (-ENOMEM), so that a builder's failure need not be handled twice.
 */
int netlink_request(struct nl_sock *sock, struct nl_msg *message);

/*
 * Sends message as a dump request, frees it, and calls entry for each message of the answer until it
 * returns an error. 0 or -errno. A dump that the kernel marks as interrupted by a change is taken as it
 * is: every message in it is true.
 */
typedef int netlink_entry_fn(void *ctx, struct nlmsghdr *header);
int netlink_dump(struct nl_sock *sock, struct nl_msg *message, netlink_entry_fn *entry, void *ctx);

#endif
