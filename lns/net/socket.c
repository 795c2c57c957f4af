/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket: the sockets of a network and their life: made or adopted, watched, found again, closed.
 */
#include "lns/net/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct net_socket **bucket_of(const struct net *net, const void *socket)
{
	uintptr_t hash = (uintptr_t)socket >> 4;

	hash ^= hash >> 10;
	return (struct net_socket **)&net->buckets[hash % NET_BUCKETS];
}

struct net_socket *net_socket_find(const struct net *net, const void *socket)
{
	struct net_socket *found;

	for (found = *bucket_of(net, socket); found; found = found->next)
		if (found == socket)
			return found;
	return NULL;
}

int net_new(struct env *env, net_input_fn *input, void *ctx, struct net **ret_net)
{
	struct net *net = calloc(1, sizeof(*net));

	if (!net)
		return -ENOMEM;
	net->env = env;
	net->input = input;
	net->ctx = ctx;
	net->batch = net_batch_new();
	if (!net->batch) {
		free(net);
		return -ENOMEM;
	}
	*ret_net = net;
	return 0;
}

void net_free(struct net *net)
{
	unsigned int i;

	if (!net)
		return;
	for (i = 0; i < NET_BUCKETS; i++)
		while (net->buckets[i])
			net_socket_close(net->buckets[i]);
	free(net->batch);
	free(net);
}

const struct net_counters *net_get_counters(const struct net *net)
{
	return &net->counters;
}

/* Beyond the system's limit when we may, up to it otherwise. */
static void receive_buffer_set(int fd, int size)
{
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

int net_socket_bind(const union addr *local, const char *device, int receive_buffer)
{
	int family = local->sa.sa_family, on = 1, fd, err;

	if (family != AF_INET && family != AF_INET6)
		return -EAFNOSUPPORT;
	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		goto fail;
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)))
		goto fail;
	if (device[0] &&
		setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)))
		goto fail;
	receive_buffer_set(fd, receive_buffer);
	if (bind(fd, &local->sa, addr_len(local)))
		goto fail;
	return fd;
fail:
	err = -errno;
	close(fd);
	return err;
}

/* Reads the bound address, the peer of a tunnel socket and the device. 0 or -errno. */
static int addresses_read(struct net_socket *socket)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	int err;

	if (getsockname(socket->fd, (struct sockaddr *)&name, &len))
		return -errno;
	err = addr_from_sockaddr((struct sockaddr *)&name, len, &socket->local);
	if (err)
		return err;
	len = sizeof(name);
	if (!socket->listener) {
		if (getpeername(socket->fd, (struct sockaddr *)&name, &len))
			return -errno;
		err = addr_from_sockaddr((struct sockaddr *)&name, len, &socket->peer);
	}
	len = sizeof(socket->device);
	if (getsockopt(socket->fd, SOL_SOCKET, SO_BINDTODEVICE, socket->device, &len))
		socket->device[0] = '\0';
	return err;
}

int net_socket_adopt(struct net *net, int fd, bool listener, struct net_socket **ret_socket)
{
	struct net_socket *socket = calloc(1, sizeof(*socket));
	struct net_socket **bucket;
	int err;

	if (!socket)
		return -ENOMEM;
	socket->net = net;
	socket->fd = fd;
	socket->listener = listener;
	err = addresses_read(socket);
	if (err)
		goto fail;
	err = -ENOMEM;
	socket->io = env_io_new(net->env, fd, ENV_READ, net_receive, socket);
	if (!socket->io)
		goto fail;
	bucket = bucket_of(net, socket);
	socket->next = *bucket;
	*bucket = socket;
	if (ret_socket)
		*ret_socket = socket;
	return 0;
fail:
	free(socket);
	return err;
}

int net_socket_fd(const struct net_socket *socket)
{
	return socket->fd;
}

void net_socket_local(const struct net_socket *socket, union addr *ret_local)
{
	*ret_local = socket->local;
}

void net_socket_close(struct net_socket *socket)
{
	struct net_socket **link;

	if (!socket)
		return;
	for (link = bucket_of(socket->net, socket); *link != socket; link = &(*link)->next)
		;
	*link = socket->next;
	if (socket->net->receiving == socket)
		socket->net->receiving = NULL;
	env_io_free(socket->io);
	close(socket->fd);
	free(socket);
}

/*
 * Between bind and connect the socket takes what other peers send to the same address and port; that
 * waits in its queue, marked readable, and is delivered like everything else, with its true source.
 */
int net_connect(
	struct net *net, const struct l2tp_path *path, int own_port, struct net_socket **ret_socket)
{
	const struct net_socket *via = net_socket_find(net, path->socket);
	union addr local = path->local;
	int fd, err;

	if (own_port)
		addr_set_port(&local, 0);
	fd = net_socket_bind(&local, via ? via->device : "", NET_RCV_TUNNEL);
	if (fd < 0)
		return fd;
	err = connect(fd, &path->peer.sa, addr_len(&path->peer)) ? -errno : 0;
	if (!err)
		err = net_socket_adopt(net, fd, false, ret_socket);
	if (err)
		close(fd);
	return err;
}

int net_connect_fd(struct net *net, int fd, struct net_socket **ret_socket)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return net_socket_adopt(net, fd, false, ret_socket);
}
