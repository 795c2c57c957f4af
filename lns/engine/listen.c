// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/listen: the UDP sockets that LACs call, as the configuration has them. The monitor keeps a
 * duplicate of each for the next engine.
 */
#include "lns/engine/internal.h"

#include "lns/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_configured(const struct engine *engine, const union addr *addr)
{
	for (size_t i = 0; i < engine->config->listen_count; i++)
		if (addr_equal(&engine->config->listen[i], addr))
			return true;
	return false;
}

static bool is_listening(const struct engine *engine, const union addr *addr)
{
	struct engine_listener *listener;

	LIST_FOREACH(listener, &engine->listeners, entry) {
		union addr local;

		net_socket_local(listener->socket, &local);
		if (addr_equal(&local, addr))
			return true;
	}
	return false;
}

int engine_listener_add(struct engine *engine, struct net_socket *socket, uint64_t id)
{
	struct engine_listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		return -ENOMEM;
	listener->socket = socket;
	listener->id = id ? id : engine->next_listener_id;
	if (engine->next_listener_id <= listener->id)
		engine->next_listener_id = listener->id + 1;
	LIST_INSERT_HEAD(&engine->listeners, listener, entry);
	if (!id)
		monitor_client_keep(engine->monitor, MONITOR_KEEP_LISTENER, listener->id,
			net_socket_fd(socket));
	return 0;
}

static int open_listener(struct engine *engine, const union addr *addr)
{
	struct net_socket *socket;
	char text[ADDR_TEXT];
	int err = net_listen(engine->net, addr, NULL, &socket);

	if (err == 0) {
		err = engine_listener_add(engine, socket, 0);
		if (err < 0)
			net_socket_close(socket);
	}
	if (err == 0)
		return 0;
	log_error("cannot listen on %s: %s%s", addr_text(addr, text), strerror(-err),
		err == -EADDRINUSE ? " (is another L2TP daemon running?)" : "");
	return err;
}

static void close_listener(struct engine *engine, struct engine_listener *listener)
{
	LIST_REMOVE(listener, entry);
	net_socket_close(listener->socket);
	monitor_client_drop(engine->monitor, MONITOR_KEEP_LISTENER, listener->id);
	free(listener);
}

int engine_listen(struct engine *engine)
{
	struct engine_listener *listener, *next;
	int err = 0;

	for (size_t i = 0; i < engine->config->listen_count && !err; i++)
		if (!is_listening(engine, &engine->config->listen[i]))
			err = open_listener(engine, &engine->config->listen[i]);
	for (listener = LIST_FIRST(&engine->listeners); listener && !err; listener = next) {
		union addr local;

		next = LIST_NEXT(listener, entry);
		net_socket_local(listener->socket, &local);
		if (!is_configured(engine, &local))
			close_listener(engine, listener);
	}
	return err;
}
