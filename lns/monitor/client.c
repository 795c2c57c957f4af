/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/client: the engine's end of the connection to the monitor. See monitor/client.h.
 *
 * After the end of the connection was reported nothing is read or sent any more, so that requests made
 * while the engine closes down go nowhere.
 */
#include "lns/monitor/client.h"

#include "lns/env.h"
#include "lns/monitor/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGES_PER_TURN 64

struct monitor_client {
	const struct monitor_client_ops *ops;
	void *ctx;
	struct env_io *io;
	struct monitor_link link;
	bool greeted; /* MONITOR_HELLO came */
	bool started; /* MONITOR_START came */
};

static void client_close(struct monitor_client *client, const char *reason)
{
	env_io_free(client->io);
	client->io = NULL;
	client->link.broken = true;
	client->ops->closed(client->ctx, reason);
}

/*
 * What belongs to the past comes between HELLO and START, what happens now after it; templates and
 * exits come at any time after HELLO.
 */
static bool client_in_order(const struct monitor_client *client, unsigned int type)
{
	switch (type) {
	case MONITOR_HELLO:
		return !client->greeted;
	case MONITOR_KEPT:
	case MONITOR_SESSION:
	case MONITOR_START:
		return client->greeted && !client->started;
	case MONITOR_RELOAD:
	case MONITOR_ASK:
	case MONITOR_OPENED:
	case MONITOR_RELOAD_LINE:
	case MONITOR_RELOAD_END:
		return client->started;
	default: /* MONITOR_EXIT, MONITOR_TEMPLATE, MONITOR_STOP, MONITOR_HOOKS */
		return client->greeted;
	}
}

static int client_send(struct monitor_client *client, enum monitor_message_type type, void *message,
	const int *fds, unsigned int count)
{
	int err = monitor_link_send(&client->link, type, message, fds, count);

	if (client->io && client->link.head)
		env_io_set(client->io, ENV_READ | ENV_WRITE);
	return err;
}

static int client_send_head(struct monitor_client *client, enum monitor_message_type type)
{
	struct monitor_head head;

	return client_send(client, type, &head, NULL, 0);
}

/* Hands over a message that was checked, with its descriptors. */
static void client_dispatch(
	struct monitor_client *client, const union monitor_message *message, const int *fds)
{
	const struct monitor_client_ops *ops = client->ops;
	void *ctx = client->ctx;

	switch ((enum monitor_message_type)message->head.type) {
	case MONITOR_HELLO:
		client->greeted = true;
		ops->hello(ctx, &message->hello, fds[0], fds[1], fds[2]);
		break;
	case MONITOR_KEPT:
		ops->kept(ctx, (enum monitor_kind)message->keep.kind, message->keep.id, fds[0]);
		break;
	case MONITOR_SESSION:
		ops->session(ctx, message->session.session, message->session.pid);
		break;
	case MONITOR_EXIT:
		ops->exited(ctx, &message->exit);
		break;
	case MONITOR_TEMPLATE:
		ops->template(ctx, message->template.id, message->template.name, fds[0]);
		break;
	case MONITOR_START:
		client->started = true;
		ops->start(ctx);
		break;
	case MONITOR_RELOAD:
		ops->reload(ctx, message->number.number, fds[0]);
		break;
	case MONITOR_ASK:
		client_send_head(client, MONITOR_ALIVE);
		break;
	case MONITOR_STOP:
		ops->stop(ctx, message->number.number != 0);
		break;
	case MONITOR_OPENED:
		ops->opened(ctx, (enum monitor_open)message->answer.number, message->answer.error,
			fds[0]); /* -1: none came */
		break;
	case MONITOR_RELOAD_LINE:
		ops->reload_line(ctx, message->text.text);
		break;
	case MONITOR_RELOAD_END:
		ops->reload_end(ctx, message->answer.error);
		break;
	case MONITOR_HOOKS:
		ops->hooks(ctx, fds[0]);
		break;
	default: /* requests do not pass monitor_message_check */
		break;
	}
}

/* Reads one message. False when nothing more is to be read in this turn. */
static bool client_read(struct monitor_client *client)
{
	union monitor_message message;
	int fds[MONITOR_FDS] = { -1, -1, -1 };
	unsigned int count = 0;
	int n;

	n = monitor_link_receive(
		client->link.fd, &message, sizeof(message), fds, MONITOR_FDS, &count);
	if (n == -EAGAIN)
		return false;
	if (n == 0) {
		client_close(client, NULL);
		return false;
	}
	if (n < 0) {
		client_close(client, strerror(-n));
		return false;
	}
	if (monitor_message_check(&message, (size_t)n, count, MONITOR_FROM_MONITOR) != 0 ||
		!client_in_order(client, message.head.type)) {
		for (unsigned int i = 0; i < count; i++)
			close(fds[i]);
		client_close(client, "broken message");
		return false;
	}
	client_dispatch(client, &message, fds);
	return true;
}

static void client_ready(void *ctx, int events)
{
	struct monitor_client *client = ctx;

	if ((events & ENV_WRITE) && !monitor_link_flush(&client->link))
		env_io_set(client->io, ENV_READ);
	if (!(events & ENV_READ))
		return;
	for (unsigned int i = 0; i < MESSAGES_PER_TURN; i++)
		if (!client_read(client))
			return;
}

int monitor_client_new(struct env *env, int fd, const struct monitor_client_ops *ops, void *ctx,
	struct monitor_client **ret_client)
{
	struct monitor_client *client = calloc(1, sizeof(*client));

	if (!client) {
		close(fd);
		return -ENOMEM;
	}
	client->ops = ops;
	client->ctx = ctx;
	monitor_link_open(&client->link, fd);
	client->io = env_io_new(env, fd, ENV_READ, client_ready, client);
	if (!client->io || client->link.broken) {
		monitor_client_free(client);
		return -ENOMEM;
	}
	*ret_client = client;
	return 0;
}

void monitor_client_free(struct monitor_client *client)
{
	if (!client)
		return;
	if (!client->link.broken)
		monitor_link_flush(&client->link);
	env_io_free(client->io);
	monitor_link_close(&client->link);
	free(client);
}

int monitor_client_ready(struct monitor_client *client)
{
	return client_send_head(client, MONITOR_READY);
}

int monitor_client_stopped(struct monitor_client *client)
{
	return client_send_head(client, MONITOR_STOPPED);
}

int monitor_client_signal(struct monitor_client *client, enum monitor_signal signal,
	const uint64_t *sessions, size_t count)
{
	int err = 0;

	while (count > 0 && err == 0) {
		size_t n = count < MONITOR_BATCH ? count : MONITOR_BATCH;
		struct monitor_keys keys = { .signal = signal, .count = (uint32_t)n };

		memcpy(keys.sessions, sessions, n * sizeof(*sessions));
		err = client_send(client, MONITOR_SIGNAL, &keys, NULL, 0);
		sessions += n;
		count -= n;
	}
	return err;
}

int monitor_client_forget(struct monitor_client *client, uint64_t session)
{
	struct monitor_keys keys = { .count = 1, .sessions = { session } };

	return client_send(client, MONITOR_FORGET, &keys, NULL, 0);
}

int monitor_client_keep(struct monitor_client *client, enum monitor_kind kind, uint64_t id, int fd)
{
	struct monitor_keep keep = { .kind = kind, .id = id };

	return client_send(client, MONITOR_KEEP, &keep, &fd, 1);
}

int monitor_client_drop(struct monitor_client *client, enum monitor_kind kind, uint64_t id)
{
	struct monitor_keep keep = { .kind = kind, .id = id };

	return client_send(client, MONITOR_DROP, &keep, NULL, 0);
}

static int client_send_number(
	struct monitor_client *client, enum monitor_message_type type, uint32_t value)
{
	struct monitor_number number = { .number = value };

	return client_send(client, type, &number, NULL, 0);
}

int monitor_client_replace_template(struct monitor_client *client, uint32_t id)
{
	return client_send_number(client, MONITOR_REPLACE_TEMPLATE, id);
}

int monitor_client_open(struct monitor_client *client, enum monitor_open what)
{
	return client_send_number(client, MONITOR_OPEN, what);
}

int monitor_client_want_reload(struct monitor_client *client)
{
	return client_send_head(client, MONITOR_WANT_RELOAD);
}

int monitor_client_reloaded(struct monitor_client *client, uint32_t request, int error)
{
	struct monitor_answer answer = { .number = request, .error = error };

	return client_send(client, MONITOR_RELOADED, &answer, NULL, 0);
}
