/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net: the UDP sockets of L2TP: listeners and one connected socket per tunnel. Every datagram of every
 * socket goes to one input function, which finds the tunnel by its id (a kernel may deliver any
 * tunnel's message on any socket).
 *
 * Ownership: net owns listeners and tunnel sockets; a tunnel's owner closes its socket. Paths may keep
 * the pointer of a closed socket: it is only ever compared with the open ones.
 */
#ifndef LNS_NET_NET_H
#define LNS_NET_NET_H

#include "lns/addr.h"
#include "lns/l2tp/l2tp.h"

#include <stddef.h>
#include <stdint.h>

struct env;
struct net;
struct net_socket;

/*
 * path->socket is the struct net_socket that received the datagram (NULL when the callback has closed it
 * meanwhile); local is the datagram's destination. May open and close sockets, but not free net.
 */
typedef void net_input_fn(
	void *ctx, const struct l2tp_path *path, const uint8_t *packet, size_t len);

/* 0 and *ret_net, or -ENOMEM. */
int net_new(struct env *env, net_input_fn *input, void *ctx, struct net **ret_net);
/* Closes all sockets. NULL does nothing. */
void net_free(struct net *net);

/*
 * Opens a listener at addr (port 0: 1701), bound to device unless NULL. 0 or -errno.
 * net_listen_fd adopts one that an earlier engine left (owned from now on, if it returns 0).
 * ret_socket may be NULL.
 */
int net_listen(struct net *net, const union addr *addr, const char *device,
	struct net_socket **ret_socket);
int net_listen_fd(struct net *net, int fd, struct net_socket **ret_socket);

/*
 * Makes the connected socket of a tunnel: bound to path->local (its port, or one of its own when
 * own_port), connected to path->peer, on the device of path->socket. Datagrams that it caught meanwhile
 * are delivered through input, later, from the loop. 0 and *ret_socket, or -errno.
 * net_connect_fd adopts a connected one that an earlier engine left (-ENOTCONN when it is not).
 */
int net_connect(struct net *net, const struct l2tp_path *path, int own_port,
	struct net_socket **ret_socket);
int net_connect_fd(struct net *net, int fd, struct net_socket **ret_socket);

/* The descriptor, still owned by net: for the kernel tunnel, and to be duplicated. */
int net_socket_fd(const struct net_socket *socket);
/* The bound local address. */
void net_socket_local(const struct net_socket *socket, union addr *ret_local);
/* Closes and frees it. NULL does nothing. */
void net_socket_close(struct net_socket *socket);

/*
 * Sends from path->local to path->peer, through path->socket when that is open and is a listener, or the
 * tunnel socket of these two addresses; else through a listener at path->local. Errors are counted.
 */
void net_send(struct net *net, const struct l2tp_path *path, const uint8_t *packet, size_t len);

struct net_counters {
	uint64_t send_errors;    /* packets not sent: no socket, no route, no room */
	uint64_t receive_errors; /* among them ICMP errors that a peer's host sent */
	uint64_t truncated;      /* datagrams longer than NET_DATAGRAM_MAX, dropped */
};
/* No control message is nearly as long; of a longer datagram nothing is believed. */
#define NET_DATAGRAM_MAX 8192
const struct net_counters *net_get_counters(const struct net *net);

#endif
