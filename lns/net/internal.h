/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * internal: what the files of lns/net share: the network's state and one socket.
 *
 * net owns the sockets; each is in one bucket, found by its address in memory, so that a path which
 * outlives its socket is noticed before the pointer is used.
 */
#ifndef LNS_NET_INTERNAL_H
#define LNS_NET_INTERNAL_H

#include "lns/env.h"
#include "lns/net/net.h"

#include <net/if.h>
#include <stdbool.h>

#define NET_BATCH      32 /* datagrams received by one system call */
#define NET_TURN       64 /* datagrams taken from one socket in one turn of the loop */
#define NET_BUCKETS    1024
#define NET_RCV_LISTEN (8 << 20)
#define NET_RCV_TUNNEL (2 << 20)

struct net_socket {
	struct net *net;
	struct net_socket *next; /* in its bucket */
	struct env_io *io;
	int fd;
	bool listener;
	char device[IF_NAMESIZE]; /* "" = none */
	union addr local;         /* as bound */
	union addr peer;          /* of a tunnel socket; AF_UNSPEC for listeners */
};

struct net_batch;

struct net {
	struct env *env;
	net_input_fn *input;
	void *ctx;
	struct net_socket *buckets[NET_BUCKETS];
	struct net_socket
		*receiving; /* the socket whose batch is delivered; NULL when it was closed */
	struct net_batch *batch;
	struct net_counters counters;
};

/* socket.c */
/*
 * Makes a nonblocking UDP socket with what every socket here needs: REUSEADDR, a large receive buffer,
 * the device (unless ""), bound to local. The descriptor or -errno.
 */
int net_socket_bind(const union addr *local, const char *device, int receive_buffer);
/* Takes fd over when it returns 0; it is bound, its addresses are read from it. 0 or -errno. */
int net_socket_adopt(struct net *net, int fd, bool listener, struct net_socket **ret_socket);
/* The open socket that a path names, or NULL. */
struct net_socket *net_socket_find(const struct net *net, const void *socket);

/* receive.c */
struct net_batch *net_batch_new(void);
void net_receive(void *ctx, int events);

#endif
