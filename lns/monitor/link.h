/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/link: one end of a connection that carries messages with descriptors and never blocks: what
 * the socket does not take at once waits in a queue. Used by both ends; knows nothing of loops.
 *
 * Ownership: the link owns its socket and the duplicates of descriptors that wait in its queue.
 */
#ifndef LNS_MONITOR_LINK_H
#define LNS_MONITOR_LINK_H

#include "lns/monitor/proto.h"

#include <stdbool.h>
#include <stddef.h>

struct monitor_link_item;

struct monitor_link {
	int fd;      /* -1: closed */
	bool broken; /* the peer is gone or sending failed for good: everything is dropped */
	struct monitor_link_item *head, *tail;
};

/* Owns fd from now on and makes it non-blocking. */
void monitor_link_open(struct monitor_link *link, int fd);
void monitor_link_close(struct monitor_link *link);

/*
 * Fills in the head of message (its type is given, its size follows) and sends it, or queues it behind
 * what waits, with duplicates of count descriptors. 0 or -ENOMEM, -EMFILE: then nothing was queued.
 * A broken link takes everything and sends nothing: its end shows when it is read.
 */
int monitor_link_send(struct monitor_link *link, enum monitor_message_type type, void *message,
	const int *fds, unsigned int count);

/* Sends what the socket takes. Returns whether something still waits for it to become writable. */
bool monitor_link_flush(struct monitor_link *link);

/*
 * Receives one packet of at most size octets into buf, at most max descriptors into fds (CLOEXEC, the
 * caller's from then on). The length > 0; 0 at the end of the connection; -EAGAIN when nothing waits;
 * -EMSGSIZE for a packet that is too long or has too many descriptors, -EMFILE when this process has no
 * room for them (in both cases the packet is lost and its descriptors are closed); other -errno.
 */
int monitor_link_receive(
	int fd, void *buf, size_t size, int *fds, unsigned int max, unsigned int *ret_count);

#endif
