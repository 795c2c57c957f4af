/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ports: sockets and identifiers of one server.
 *
 * Owner: struct radius_ports owns its ports, a port its socket, its watcher and its 256 slots. A
 * retired port lives until its last slot is released, and never goes away while it is being read.
 */
#include "radius/ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BATCH    8 /* datagrams taken at a time: what each sets going takes up to 0.2 ms */
#define RECEIVE_SPACE (512 * 1024)
#define EVENT_READ    1

struct radius_port {
	struct radius_ports *ports;
	int fd;
	void *io;
	unsigned int used;
	bool is_retired, is_reading;
	struct radius_slot slots[RADIUS_IDS];
};

static socklen_t addr_size(const struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					   : sizeof(struct sockaddr_in);
}

/* A connected socket, or -errno. */
static int open_socket(const struct radius_ports *ports)
{
	const struct sockaddr *server = (const struct sockaddr *)&ports->server;
	const struct sockaddr *source = (const struct sockaddr *)&ports->source;
	int space = RECEIVE_SPACE;
	int fd = socket(server->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	/* The default is a good deal too small for a storm, and less than asked for is no harm. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &space, sizeof(space));
	if ((source->sa_family == server->sa_family &&
		    bind(fd, source, addr_size(&ports->source))) ||
		connect(fd, server, addr_size(&ports->server))) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static void free_list_append(struct radius_ports *ports, struct radius_slot *slot)
{
	slot->next = NULL;
	if (ports->free_first)
		ports->free_last->next = slot;
	else
		ports->free_first = slot;
	ports->free_last = slot;
}

static void port_close(struct radius_port *port)
{
	port->ports->host->io_free(port->io);
	close(port->fd);
	free(port);
}

/* A retired port goes when nobody needs it any more. */
static void port_reap(struct radius_port *port)
{
	struct radius_ports *ports = port->ports;
	unsigned int i;

	if (!port->is_retired || port->used || port->is_reading)
		return;
	for (i = 0; i < ports->count && ports->ports[i] != port; i++)
		;
	ports->ports[i] = ports->ports[--ports->count];
	port_close(port);
}

/* One system call, whatever there is; what it leaves makes the port ready again. */
static void port_read(struct radius_port *port)
{
	struct radius_ports *ports = port->ports;
	uint8_t packets[READ_BATCH][RADIUS_PACKET_MAX];
	struct mmsghdr messages[READ_BATCH] = { 0 };
	struct iovec iov[READ_BATCH];
	int count;

	for (int i = 0; i < READ_BATCH; i++) {
		iov[i].iov_base = &packets[i];
		iov[i].iov_len = sizeof(packets[i]);
		messages[i].msg_hdr.msg_iov = &iov[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	count = recvmmsg(port->fd, messages, READ_BATCH, MSG_DONTWAIT, NULL);
	if (count < 0 && errno == ECONNREFUSED) {
		ports->last_error = ECONNREFUSED;
		ports->events.refused(ports->ctx);
	}
	for (int i = 0; i < count; i++) {
		size_t len = messages[i].msg_len;

		ports->last_error = 0;
		ports->events.input(
			ports->ctx, len > 1 ? &port->slots[packets[i][1]] : NULL, packets[i], len);
	}
}

static void port_ready(void *arg, int events)
{
	struct radius_port *port = arg;

	(void)events;
	port->is_reading = true;
	port_read(port);
	port->is_reading = false;
	port_reap(port);
}

static int port_open(struct radius_ports *ports)
{
	struct radius_port *port;
	unsigned int i;
	int fd;

	if (ports->count == RADIUS_PORTS_MAX)
		return -ENOBUFS;
	fd = open_socket(ports);
	if (fd < 0)
		return fd;
	port = calloc(1, sizeof(*port));
	if (port)
		port->io = RADIUS_IO(ports->host, fd, EVENT_READ, port_ready, port);
	if (!port || !port->io) {
		free(port);
		close(fd);
		return -ENOMEM;
	}
	port->ports = ports;
	port->fd = fd;
	ports->ports[ports->count++] = port;
	for (i = 0; i < RADIUS_IDS; i++) {
		port->slots[i].port = port;
		port->slots[i].id = (uint8_t)i;
		free_list_append(ports, &port->slots[i]);
	}
	return 0;
}

struct radius_slot *radius_slot_take(struct radius_ports *ports, struct radius_exchange *exchange)
{
	struct radius_slot *slot;

	if (!ports->free_first) {
		int err = port_open(ports);

		if (err) {
			ports->last_error = -err;
			return NULL;
		}
	}
	slot = ports->free_first;
	ports->free_first = slot->next;
	slot->next = NULL;
	slot->exchange = exchange;
	slot->sent = 0;
	slot->is_repeated = false;
	slot->port->used++;
	memcpy(slot->previous, slot->authenticator, sizeof(slot->previous));
	return slot;
}

void radius_slot_release(struct radius_ports *ports, struct radius_slot *slot)
{
	struct radius_port *port = slot->port;

	slot->exchange = NULL;
	port->used--;
	if (port->is_retired)
		port_reap(port);
	else
		free_list_append(ports, slot);
}

void radius_slot_send(
	struct radius_ports *ports, struct radius_slot *slot, const uint8_t *buf, size_t len)
{
	ssize_t sent = send(slot->port->fd, buf, len, MSG_NOSIGNAL);

	/*
	 * An error that came in for an earlier datagram keeps this one from going out: once more.
	 */
	if (sent < 0 && errno == ECONNREFUSED) {
		ports->last_error = ECONNREFUSED;
		sent = send(slot->port->fd, buf, len, MSG_NOSIGNAL);
	}
	if (sent < 0)
		ports->last_error = errno;
}

bool radius_ports_exhausted(const struct radius_ports *ports)
{
	return !ports->free_first && ports->count == RADIUS_PORTS_MAX;
}

void radius_ports_retire(struct radius_ports *ports)
{
	unsigned int i = ports->count;

	ports->free_first = ports->free_last = NULL;
	while (i-- > 0) {
		struct radius_port *port = ports->ports[i];

		port->is_retired = true;
		port_reap(port);
	}
}

void radius_ports_close(struct radius_ports *ports)
{
	while (ports->count)
		port_close(ports->ports[--ports->count]);
	ports->free_first = ports->free_last = NULL;
}
