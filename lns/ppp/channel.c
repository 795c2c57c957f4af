/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel: the engine's end of the connection to one session's pppd.
 *
 * The engine owns the channel and its descriptor. Messages are read a bounded number a turn, checked,
 * and handed to the owner, who may free the channel from inside any callback. After the first end of
 * file or broken message nothing is read any more and `closed` is called once.
 */
#include "lns/ppp/ppp.h"

#include "lns/env.h"
#include "lns/seqpacket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIR          2
#define PAIRS_AT_ONCE 4

struct ppp_channel {
	struct env_io *io;
	int fd;
	uint64_t session;
	const struct ppp_channel_ops *ops;
	void *ctx;
	bool busy; /* a callback is under way: the struct itself is freed after it */
	bool dead;
};

static void channel_close(struct ppp_channel *channel, const char *reason)
{
	env_io_free(channel->io);
	channel->io = NULL;
	channel->ops->closed(channel->ctx, reason);
}

/* Hands over a checked message. False: the plugin may not send that type. */
static bool channel_dispatch(struct ppp_channel *channel, const union ppp_message *message)
{
	switch (message->head.type) {
	case PPP_AUTH_REQUEST:
		channel->ops->auth_request(channel->ctx, &message->auth_request);
		return true;
	case PPP_EAP_RESPONSE:
		channel->ops->eap_response(channel->ctx, &message->eap);
		return true;
	case PPP_LINK_UP:
		channel->ops->link_up(channel->ctx, &message->link_up);
		return true;
	case PPP_NCP_UP:
		channel->ops->ncp_up(channel->ctx, &message->ncp_up);
		return true;
	case PPP_NCP_DOWN:
		channel->ops->ncp_down(channel->ctx, &message->ncp_down);
		return true;
	case PPP_LINK_DOWN:
		channel->ops->link_down(channel->ctx, &message->link_down);
		return true;
	}
	return false;
}

/* Takes one message, len octets of it. False: the channel was closed. */
static bool channel_take(struct ppp_channel *channel, union ppp_message *message, size_t len)
{
	bool known;

	if (ppp_message_check(message, len)) {
		channel_close(channel, "malformed message");
		return false;
	}
	if (message->head.session != channel->session) {
		channel_close(channel, "message of another session");
		return false;
	}
	channel->busy = true;
	known = channel_dispatch(channel, message);
	channel->busy = false;
	if (channel->dead) {
		free(channel);
		return false;
	}
	if (!known)
		channel_close(channel, "message that only lnsd may send");
	return known;
}

/*
 * Reads what is there, a pair at most, because LCP's news and the subscriber's answer often come together.
 * True: there may be more; false: not now, or the channel was closed.
 */
static bool channel_read(struct ppp_channel *channel)
{
	union ppp_message messages[PAIR];
	struct iovec iov[PAIR];
	struct mmsghdr pair[PAIR] = { 0 };
	bool is_open = true;
	int count;

	for (int i = 0; i < PAIR; i++) {
		iov[i] = (struct iovec){ &messages[i], sizeof(messages[i]) };
		pair[i].msg_hdr.msg_iov = &iov[i];
		pair[i].msg_hdr.msg_iovlen = 1;
	}
	do
		count = recvmmsg(channel->fd, pair, PAIR, MSG_DONTWAIT | MSG_TRUNC, NULL);
	while (seqpacket_again(count));
	if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	for (int i = 0; is_open && i < count; i++) {
		if (pair[i].msg_len > 0)
			is_open = channel_take(channel, &messages[i], pair[i].msg_len);
		else
			count = -1;
	}
	explicit_bzero(messages, sizeof(messages));
	if (count < 0 && is_open)
		channel_close(channel, NULL);
	return is_open && count == PAIR;
}

static void channel_ready(void *ctx, int events)
{
	(void)events;
	channel_read(ctx);
}

void ppp_channel_receive(struct ppp_channel *channel)
{
	if (!channel->busy)
		for (int i = 0; i < PAIRS_AT_ONCE && channel_read(channel); i++)
			;
}

int ppp_channel_adopt(struct env *env, int fd, uint64_t session, const struct ppp_channel_ops *ops,
	void *ctx, struct ppp_channel **ret_channel)
{
	struct ppp_channel *channel = calloc(1, sizeof(*channel));

	if (!channel)
		return -ENOMEM;
	channel->io = env_io_new(env, fd, ENV_READ, channel_ready, channel);
	if (!channel->io) {
		free(channel);
		return -ENOMEM;
	}
	channel->fd = fd;
	channel->session = session;
	channel->ops = ops;
	channel->ctx = ctx;
	*ret_channel = channel;
	return 0;
}

int ppp_channel_new(struct env *env, uint64_t session, const struct ppp_channel_ops *ops, void *ctx,
	struct ppp_channel **ret_channel, int *ret_fd)
{
	int pair[2];
	int err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	err = ppp_channel_adopt(env, pair[0], session, ops, ctx, ret_channel);
	if (err) {
		close(pair[0]);
		close(pair[1]);
		return err;
	}
	*ret_fd = pair[1];
	return 0;
}

int ppp_channel_fd(const struct ppp_channel *channel)
{
	return channel->fd;
}

void ppp_channel_free(struct ppp_channel *channel)
{
	if (!channel)
		return;
	env_io_free(channel->io);
	channel->io = NULL;
	close(channel->fd);
	channel->dead = true;
	if (!channel->busy)
		free(channel);
}

/* Sends an answer of size octets; fills in its head. 0 or -errno. */
static int answer_send(struct ppp_channel *channel, void *answer, uint16_t type, uint32_t size)
{
	struct ppp_head *head = answer;
	ssize_t sent;

	*head = (struct ppp_head){ .type = type,
		.version = PPP_PROTO_VERSION,
		.size = size,
		.session = channel->session };
	if (ppp_message_check(answer, size))
		return -EINVAL;
	do
		sent = send(channel->fd, answer, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int ppp_channel_reply(struct ppp_channel *channel, struct ppp_auth_reply *reply)
{
	return answer_send(channel, reply, PPP_AUTH_REPLY, sizeof(*reply));
}

int ppp_channel_ask(struct ppp_channel *channel, struct ppp_eap *request)
{
	return answer_send(channel, request, PPP_EAP_REQUEST, sizeof(*request));
}
