// SPDX-License-Identifier: BSD-2-Clause
/*
 * control: see control.h. Owns its listener and its clients; a client owns its request and its unsent
 * answer, which is also the bounded queue of its feed: beyond OUT_HIGH items are dropped and counted.
 */
#include "lns/control/control.h"

#include "lns/env.h"
#include "lns/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUT_HIGH 65536 /* octets unsent beyond which no more items are made */

/* Part of its client. */
struct control_feed {
	struct control_client *client;
	const struct control_feed_command *command; /* NULL: no feed is open */
	void *user;
	bool waits;              /* control_feed_wait */
	control_supply_fn *next; /* NULL: items are pushed */
	uint64_t dropped;        /* since the last item */
};

struct control_client {
	LIST_ENTRY(control_client) entry;
	struct control *control;
	struct env_io *io;
	int fd;
	size_t in_len;
	char in[CONTROL_LINE];
	char *out;
	size_t out_len, out_size;
	/* the command in work, NULL when none */
	const struct control_command *command;
	json_t *args;
	uint64_t cursor;
	struct control_feed feed;
	bool eof, broken;
};

struct control {
	struct env *env;
	struct env_io *io;
	int fd;
	const struct control_command *commands;
	const struct control_feed_command *feeds; /* NULL: none */
	void *ctx;
	LIST_HEAD(, control_client) clients;
	unsigned int client_count;
};

/* Tells the owner of a feed that nobody reads it any more. */
static void close_feed(struct control_client *client)
{
	const struct control_feed_command *command = client->feed.command;

	if (!command)
		return;
	client->feed.command = NULL;
	command->close(client->control->ctx, &client->feed);
}

static void client_free(struct control_client *client)
{
	close_feed(client);
	LIST_REMOVE(client, entry);
	client->control->client_count--;
	env_io_free(client->io);
	close(client->fd);
	json_decref(client->args);
	free(client->out);
	free(client);
}

static void append(struct control_client *client, const char *text, size_t len)
{
	if (client->out_len + len > client->out_size) {
		size_t size = (client->out_len + len) * 2;
		char *out = realloc(client->out, size);

		if (!out) {
			client->broken = true;
			return;
		}
		client->out = out;
		client->out_size = size;
	}
	memcpy(client->out + client->out_len, text, len);
	client->out_len += len;
}

/* Sends {"key": value}; takes value over. */
static void answer(struct control_client *client, const char *key, json_t *value)
{
	json_t *object = json_pack("{s:o?}", key, value);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (!text) {
		client->broken = true;
		return;
	}
	append(client, text, strlen(text));
	append(client, "\n", 1);
	free(text);
}

static void end_command(struct control_client *client, const char *error)
{
	if (error && *error)
		answer(client, "error", json_string(error));
	else
		answer(client, "done", json_true());
	client->command = NULL;
	json_decref(client->args);
	client->args = NULL;
}

/* Whether the feed that is open, if any, is one that waits, and one that has something now. */
static bool is_due(const struct control_client *client)
{
	return client->feed.command && client->feed.waits;
}

static bool is_supplied(const struct control_client *client)
{
	return client->feed.command && client->feed.next;
}

static void make_items(struct control_client *client)
{
	void *ctx = client->control->ctx;
	uint64_t began = env_turn_spent(client->control->env);
	char error[512] = "";

	for (int i = 0; (client->command || is_supplied(client)) && i < CONTROL_ITEMS; i++) {
		json_t *item;

		if (client->out_len > OUT_HIGH || client->broken)
			return;
		if (i > 0 && env_turn_spent(client->control->env) - began >= CONTROL_TURN)
			return;
		item = client->command ? client->command->next(ctx, client->args, &client->cursor,
						 error, sizeof(error))
				       : client->feed.next(ctx, &client->feed);
		if (json_is_null(item))
			continue;
		if (item) {
			answer(client, "item", item);
		} else if (!client->command && !is_supplied(client)) {
			return; /* it has nothing for now */
		} else {
			close_feed(client);
			end_command(client, error);
		}
	}
}

/* ---- feeds ---- */

void control_feed_set_user(struct control_feed *feed, void *user)
{
	feed->user = user;
}

void *control_feed_user(const struct control_feed *feed)
{
	return feed->user;
}

/* Somebody outside the client's own turn wrote to it: that turn follows. */
static void wake(struct control_client *client)
{
	env_io_set(client->io, ENV_READ | ENV_WRITE);
}

void control_feed_wait(struct control_feed *feed)
{
	feed->waits = true;
}

void control_feed_supply(struct control_feed *feed, control_supply_fn *next)
{
	feed->next = next;
	if (next)
		wake(feed->client);
}

static void tell_dropped(struct control_feed *feed)
{
	if (feed->dropped)
		answer(feed->client, "dropped", json_integer((json_int_t)feed->dropped));
	feed->dropped = 0;
}

void control_feed_push(struct control_feed *feed, json_t *item)
{
	if (!item || feed->client->out_len > OUT_HIGH) {
		feed->dropped++;
		json_decref(item);
		return;
	}
	tell_dropped(feed);
	answer(feed->client, "item", item);
	wake(feed->client);
}

void control_feed_end(struct control_feed *feed, const char *error)
{
	tell_dropped(feed);
	feed->command = NULL;
	end_command(feed->client, error);
	wake(feed->client);
}

static const struct control_feed_command *find_feed(const struct control *control, const char *name)
{
	const struct control_feed_command *command = control->feeds;

	while (command && command->name && strcmp(command->name, name) != 0)
		command++;
	return command && command->name ? command : NULL;
}

static void begin_feed(struct control_client *client, const struct control_feed_command *command,
	const json_t *args)
{
	char error[512] = "";

	client->feed = (struct control_feed){ .client = client, .command = command };
	if (command->open(client->control->ctx, args, &client->feed, error, sizeof(error)) == 0) {
		if (client->feed.command && !client->feed.waits)
			answer(client, "started", json_true());
		return;
	}
	client->feed.command = NULL;
	end_command(client, *error ? error : "not possible now");
}

/* ---- requests ---- */

static void begin_command(struct control_client *client, const char *line, size_t len)
{
	const struct control_command *command;
	json_error_t where;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &where);
	const char *name = json_string_value(json_object_get(request, "command"));
	char error[512];

	if (!request || !name) {
		snprintf(error, sizeof(error), "not a request: %s",
			request ? "it has no \"command\"" : where.text);
		end_command(client, error);
		json_decref(request);
		return;
	}
	for (command = client->control->commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			break;
	if (command->name) {
		client->command = command;
		client->args = json_incref(json_object_get(request, "args"));
		client->cursor = 0;
	} else if (find_feed(client->control, name)) {
		begin_feed(
			client, find_feed(client->control, name), json_object_get(request, "args"));
	} else {
		snprintf(error, sizeof(error), "unknown command \"%.64s\"", name);
		end_command(client, error);
	}
	json_decref(request);
}

/* Takes the next line of what was received, unless a command is in work. */
static bool next_request(struct control_client *client)
{
	char *end = memchr(client->in, '\n', client->in_len);
	size_t len;

	if (client->command || is_due(client))
		return false;
	if (!end) {
		if (client->in_len == sizeof(client->in)) {
			end_command(client, "request too long");
			client->eof = true;
			client->in_len = 0;
		}
		return false;
	}
	if (client->feed.command) {
		close_feed(client);
		end_command(client, NULL);
	}
	len = (size_t)(end - client->in);
	begin_command(client, client->in, len);
	client->in_len -= len + 1;
	memmove(client->in, end + 1, client->in_len);
	return true;
}

static void receive(struct control_client *client)
{
	ssize_t n = recv(client->fd, client->in + client->in_len,
		sizeof(client->in) - client->in_len, MSG_DONTWAIT);

	if (n > 0)
		client->in_len += (size_t)n;
	else if (n == 0)
		client->eof = true;
	else if (errno != EAGAIN && errno != EINTR)
		client->broken = true;
}

static void transmit(struct control_client *client)
{
	ssize_t n;

	if (client->out_len == 0)
		return;
	n = send(client->fd, client->out, client->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			client->broken = true;
		return;
	}
	client->out_len -= (size_t)n;
	memmove(client->out, client->out + n, client->out_len);
}

static void client_ready(void *ctx, int events)
{
	struct control_client *client = ctx;
	bool busy;

	if (events & ENV_READ && client->in_len < sizeof(client->in) && !client->eof)
		receive(client);
	make_items(client);
	while (next_request(client))
		make_items(client);
	transmit(client);
	if (client->feed.command && client->out_len == 0)
		tell_dropped(&client->feed);
	busy = client->command || is_supplied(client) || client->out_len > 0;
	if (client->broken || (client->eof && client->feed.command && !is_due(client)) ||
		(client->eof && !busy && !is_due(client) &&
			!memchr(client->in, '\n', client->in_len))) {
		client_free(client);
		return;
	}
	env_io_set(
		client->io, (client->eof || client->in_len == sizeof(client->in) ? 0 : ENV_READ) |
				    (busy ? ENV_WRITE : 0));
}

static void accept_client(void *ctx, int events)
{
	struct control *control = ctx;
	struct control_client *client;
	int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	client = control->client_count < CONTROL_CLIENTS ? calloc(1, sizeof(*client)) : NULL;
	if (client)
		client->io = env_io_new(control->env, fd, ENV_READ, client_ready, client);
	if (!client || !client->io) {
		free(client);
		close(fd);
		return;
	}
	client->control = control;
	client->fd = fd;
	LIST_INSERT_HEAD(&control->clients, client, entry);
	control->client_count++;
}

int control_new(struct env *env, int listen_fd, const struct control_command *commands, void *ctx,
	struct control **ret_control)
{
	struct control *control = calloc(1, sizeof(*control));

	if (control)
		control->io = env_io_new(env, listen_fd, ENV_READ, accept_client, control);
	if (!control || !control->io) {
		free(control);
		close(listen_fd);
		return -ENOMEM;
	}
	control->env = env;
	control->fd = listen_fd;
	control->commands = commands;
	control->ctx = ctx;
	LIST_INIT(&control->clients);
	*ret_control = control;
	return 0;
}

void control_set_feeds(struct control *control, const struct control_feed_command *commands)
{
	control->feeds = commands;
}

void control_free(struct control *control)
{
	struct control_client *client;

	if (!control)
		return;
	while ((client = LIST_FIRST(&control->clients)))
		client_free(client);
	env_io_free(control->io);
	close(control->fd);
	free(control);
}
