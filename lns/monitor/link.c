/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/link: messages with descriptors over a non-blocking SOCK_SEQPACKET socket. See
 * monitor/link.h.
 */
#include "lns/monitor/link.h"

#include "lns/seqpacket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct monitor_link_item {
	struct monitor_link_item *next;
	int fds[MONITOR_FDS];
	unsigned int fd_count;
	size_t size;
	unsigned char data[];
};

void monitor_link_open(struct monitor_link *link, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	*link = (struct monitor_link){ .fd = fd };
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		link->broken = true;
}

static void link_item_free(struct monitor_link_item *item)
{
	for (unsigned int i = 0; i < item->fd_count; i++)
		close(item->fds[i]);
	free(item);
}

static void link_drop(struct monitor_link *link)
{
	while (link->head) {
		struct monitor_link_item *item = link->head;

		link->head = item->next;
		link_item_free(item);
	}
	link->tail = NULL;
}

void monitor_link_close(struct monitor_link *link)
{
	link_drop(link);
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	link->broken = true;
}

static int link_send_now(
	int fd, const void *data, size_t size, const int *fds, unsigned int fd_count)
{
	union {
		struct cmsghdr align;
		unsigned char room[CMSG_SPACE(MONITOR_FDS * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fd_count > 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, fd_count * sizeof(int));
	}
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Conditions that pass when the receiver reads on; too many descriptors in flight is one of them. */
static bool link_must_wait(int err)
{
	return err == -EAGAIN || err == -ENOBUFS || err == -ENOMEM || err == -ETOOMANYREFS;
}

static struct monitor_link_item *link_item_new(
	const void *message, size_t size, const int *fds, unsigned int count, int *ret_err)
{
	struct monitor_link_item *item = calloc(1, sizeof(*item) + size);

	if (!item) {
		*ret_err = -ENOMEM;
		return NULL;
	}
	for (unsigned int i = 0; i < count; i++) {
		int fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);

		if (fd < 0) {
			*ret_err = -errno;
			link_item_free(item);
			return NULL;
		}
		item->fds[item->fd_count++] = fd;
	}
	item->size = size;
	memcpy(item->data, message, size);
	return item;
}

int monitor_link_send(struct monitor_link *link, enum monitor_message_type type, void *message,
	const int *fds, unsigned int count)
{
	struct monitor_head *head = message;
	struct monitor_link_item *item;
	int err = -EAGAIN;

	if (link->broken)
		return 0;
	*head = (struct monitor_head){
		.type = (uint16_t)type,
		.version = MONITOR_PROTO_VERSION,
		.size = (uint32_t)monitor_message_size(type),
	};
	if (!link->head)
		err = link_send_now(link->fd, message, head->size, fds, count);
	if (err == 0)
		return 0;
	if (!link_must_wait(err)) {
		link->broken = true;
		return 0;
	}
	item = link_item_new(message, head->size, fds, count, &err);
	if (!item)
		return err;
	if (link->tail)
		link->tail->next = item;
	else
		link->head = item;
	link->tail = item;
	return 0;
}

bool monitor_link_flush(struct monitor_link *link)
{
	while (link->head) {
		struct monitor_link_item *item = link->head;
		int err =
			link_send_now(link->fd, item->data, item->size, item->fds, item->fd_count);

		if (link_must_wait(err))
			return true;
		if (err) {
			link->broken = true;
			link_drop(link);
			return false;
		}
		link->head = item->next;
		if (!link->head)
			link->tail = NULL;
		link_item_free(item);
	}
	return false;
}

/* Takes up to max descriptors out of msg and closes the others. Returns how many there were. */
static unsigned int link_take_fds(struct msghdr *msg, int *fds, unsigned int max)
{
	unsigned int count = 0;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t n;

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++, count++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
			if (count < max)
				fds[count] = fd;
			else
				close(fd);
		}
	}
	return count;
}

int monitor_link_receive(
	int fd, void *buf, size_t size, int *fds, unsigned int max, unsigned int *ret_count)
{
	union {
		struct cmsghdr align;
		unsigned char room[CMSG_SPACE((MONITOR_FDS + 1) * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room) };
	unsigned int count;
	ssize_t n;

	do
		n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (seqpacket_again(n));
	if (n < 0)
		return -errno;
	count = link_take_fds(&msg, fds, max);
	if (count > max || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		for (unsigned int i = 0; i < count && i < max; i++)
			close(fds[i]);
		if (count <= max && (msg.msg_flags & MSG_CTRUNC))
			return -EMFILE;
		return -EMSGSIZE;
	}
	*ret_count = count;
	return (int)n;
}
