// SPDX-License-Identifier: BSD-2-Clause
/*
 * hooks/client: see hooks/client.h.
 *
 * The results of hook processes that are gone are added up; what was sent to one and not reported is
 * lost with it.
 */
#include "lns/hooks/client.h"

#include "lns/env.h"
#include "lns/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define PENDING_MAX 4096

struct item {
	STAILQ_ENTRY(item) entry;
	union hooks_message message;
};

struct hooks_client {
	struct env *env;
	int fd; /* -1: none */
	struct env_io *io;
	STAILQ_HEAD(, item) items;
	unsigned int pending;
	uint64_t past[HOOKS_KINDS][HOOKS_RESULTS]; /* of those before, and dropped here */
	uint64_t sent[HOOKS_KINDS];                /* to this one */
	struct hooks_report report;
	struct log_limit drops;
};

struct hooks_client *hooks_client_new(struct env *env)
{
	struct hooks_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->env = env;
	client->fd = -1;
	STAILQ_INIT(&client->items);
	return client;
}

static uint64_t reported(const struct hooks_client *client, int kind)
{
	uint64_t sum = 0;

	for (int result = 0; result < HOOKS_RESULTS; result++)
		sum += client->report.results[kind][result];
	return sum;
}

static void detach(struct hooks_client *client)
{
	env_io_free(client->io);
	client->io = NULL;
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	for (int kind = 0; kind < HOOKS_KINDS; kind++) {
		uint64_t known = reported(client, kind);

		for (int result = 0; result < HOOKS_RESULTS; result++)
			client->past[kind][result] += client->report.results[kind][result];
		if (client->sent[kind] > known)
			client->past[kind][HOOKS_DROPPED] += client->sent[kind] - known;
		client->sent[kind] = 0;
	}
	memset(&client->report, 0, sizeof(client->report));
}

static void flush(struct hooks_client *client)
{
	struct item *item;
	int err = 0;

	while (client->fd >= 0 && (item = STAILQ_FIRST(&client->items))) {
		err = hooks_message_send(client->fd, &item->message, HOOKS_EVENT);
		if (err)
			break;
		client->sent[item->message.event.kind]++;
		STAILQ_REMOVE_HEAD(&client->items, entry);
		client->pending--;
		free(item);
	}
	/* Another error than a full socket is its end, which the next reading shows. */
	if (client->io)
		env_io_set(client->io, ENV_READ | (err == -EAGAIN ? ENV_WRITE : 0));
}

static void ready(void *ctx, int events)
{
	struct hooks_client *client = ctx;
	union hooks_message message;
	int err = 0;

	while ((events & ENV_READ) && !err) {
		err = hooks_message_receive(client->fd, HOOKS_REPORT, &message);
		if (!err)
			client->report = message.report;
	}
	if (err && err != -EAGAIN) { /* the monitor says so, and gives us another one */
		if (err == -EBADMSG)
			log_error("the hook process broke the protocol");
		detach(client);
		return;
	}
	if (events & ENV_WRITE)
		flush(client);
}

void hooks_client_free(struct hooks_client *client)
{
	struct item *item;

	if (!client)
		return;
	flush(client);
	while ((item = STAILQ_FIRST(&client->items))) {
		STAILQ_REMOVE_HEAD(&client->items, entry);
		free(item);
	}
	env_io_free(client->io);
	if (client->fd >= 0)
		close(client->fd);
	free(client);
}

void hooks_client_attach(struct hooks_client *client, int fd)
{
	detach(client);
	client->fd = fd;
	client->io = env_io_new(client->env, fd, ENV_READ, ready, client);
	if (!client->io) {
		log_error("out of memory: programs of hooks are not run");
		detach(client);
		return;
	}
	flush(client);
}

static void drop(struct hooks_client *client, const struct hooks_event *event)
{
	unsigned int left_out;

	client->past[event->kind][HOOKS_DROPPED]++;
	if (log_limit_pass(&client->drops, env_now(client->env), &left_out))
		log_warning("session %016llx: on-%s is not run, as the hook process takes nothing "
			    "(and %u more like it)",
			(unsigned long long)event->session, hooks_kind_word(event->kind), left_out);
}

void hooks_client_send(struct hooks_client *client, const struct hooks_event *event)
{
	struct item *item = client->pending < PENDING_MAX ? calloc(1, sizeof(*item)) : NULL;

	if (!item) {
		drop(client, event);
		return;
	}
	item->message.event = *event;
	STAILQ_INSERT_TAIL(&client->items, item, entry);
	client->pending++;
	flush(client);
}

unsigned int hooks_client_pending(const struct hooks_client *client)
{
	return client->pending;
}

void hooks_client_info(const struct hooks_client *client, struct hooks_client_info *ret_info)
{
	for (int kind = 0; kind < HOOKS_KINDS; kind++)
		for (int result = 0; result < HOOKS_RESULTS; result++)
			ret_info->results[kind][result] =
				client->past[kind][result] + client->report.results[kind][result];
	ret_info->waiting = client->pending + client->report.waiting;
	ret_info->running = client->report.running;
}
