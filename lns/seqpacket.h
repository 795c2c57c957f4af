/* SPDX-License-Identifier: BSD-2-Clause */
/* seqpacket: reading the AF_UNIX sockets between lnsd's processes, whose other end may be killed at any moment. */
#ifndef LNS_SEQPACKET_H
#define LNS_SEQPACKET_H

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Whether a receive that gave `received` is to be repeated at once. A peer that ends before it has read
 * everything is told as ECONNRESET, once, and ahead of what it had sent, which is still to be read
 * (unix_release_sock() and sock_error() in Linux): the end itself is a receive of no octets, after that.
 */
static inline bool seqpacket_again(ssize_t received)
{
	return received < 0 && (errno == EINTR || errno == ECONNRESET);
}

#endif
