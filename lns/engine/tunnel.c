// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/tunnel: what a tunnel has in the kernel: its connected UDP socket, the monitor's duplicate of
 * it, the kernel tunnel. The latter needs the peer's tunnel id, which for a tunnel that we open is known
 * when it is established.
 *
 * Taking down: sessions first (each is a user of the tunnel, also through the duplicate of the socket
 * that its pppd holds), then socket and duplicate, then TUNNEL_DELETE, then l2tp_tunnel_release. What the
 * peer repeats until it has our acknowledgement comes to a listener then; on a port of the tunnel's own
 * there is none, and another socket takes the place.
 */
#include "lns/engine/internal.h"

#include "lns/log.h"
#include "lns/subscriber/tally.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/*
 * Before Linux 6.11 a data packet belongs to the tunnel of the socket that receives it, and of two
 * sockets on one 4-tuple the newest receives everything: a second tunnel from the same address and
 * port needs a port of its own (RFC 2661 section 8.1 lets the responder choose it).
 */
static bool kernel_needs_own_ports(void)
{
	static int needs = -1;
	struct utsname name;
	unsigned long major, minor = 0;
	char *end;

	if (needs >= 0)
		return needs;
	if (uname(&name) < 0)
		return true;
	major = strtoul(name.release, &end, 10);
	if (*end == '.')
		minor = strtoul(end + 1, NULL, 10);
	needs = major < 6 || (major == 6 && minor < 11);
	return needs;
}

static bool tuple_is_taken(const struct engine *engine, const struct l2tp_path *path)
{
	for (struct l2tp_tunnel *t = l2tp_tunnel_next(engine->l2tp, 0); t;) {
		struct l2tp_tunnel_info info;

		l2tp_tunnel_info(t, &info);
		if (engine->tunnels[info.id] && engine->tunnels[info.id]->socket &&
			addr_equal(&info.path.peer, &path->peer) &&
			addr_equal(&info.path.local, &path->local))
			return true;
		t = l2tp_tunnel_next(engine->l2tp, info.id);
	}
	return false;
}

static void tunnel_created(void *ctx, int err, int fd)
{
	struct engine_tunnel *tunnel = ctx;
	struct l2tp_result result = { .code = L2TP_STOPCCN_ERROR, .error = L2TP_ERROR_RESOURCES };

	(void)fd;
	tunnel->job = NULL;
	if (err == 0)
		return;
	tunnel->in_kernel = false;
	l2tp_tunnel_log(tunnel->l2tp, 0, LOG_LEVEL_ERROR, "tunnel %u: the kernel refuses it: %s%s",
		tunnel->id, strerror(-err),
		err == -EPROTONOSUPPORT || err == -EAFNOSUPPORT || err == -EOPNOTSUPP
			? " (is the module l2tp_ppp loaded?)"
			: "");
	if (tunnel->down)
		return;
	snprintf(result.text, sizeof(result.text), "kernel tunnel: %s", strerror(-err));
	l2tp_tunnel_close(tunnel->l2tp, &result);
}

static int create_in_kernel(struct engine_tunnel *tunnel, uint16_t peer_id)
{
	tunnel->job = kernel_tunnel_create(tunnel->engine->kernel, net_socket_fd(tunnel->socket),
		tunnel->id, peer_id, tunnel_created, tunnel);
	tunnel->in_kernel = tunnel->job != NULL;
	tunnel->made = env_now(tunnel->engine->env);
	return tunnel->job ? 0 : -ENOMEM;
}

static void publish(struct engine *engine, const struct l2tp_tunnel_info *info)
{
	struct state_tunnel *record = state_tunnel(engine->state, info->id);

	record->id = info->id;
	record->peer_id = info->peer_id;
	record->ns = info->ns;
	record->nr = info->nr;
	record->local = info->path.local;
	record->peer = info->path.peer;
	snprintf(record->host_name, sizeof(record->host_name), "%s", info->host_name);
	state_publish(&record->used, 1);
}

int engine_tunnel_open(void *ctx, struct l2tp_tunnel *l2tp)
{
	struct engine *engine = ctx;
	struct engine_tunnel *tunnel = calloc(1, sizeof(*tunnel));
	struct l2tp_tunnel_info info;
	int err;

	if (!tunnel)
		return -ENOMEM;
	l2tp_tunnel_info(l2tp, &info);
	tunnel->engine = engine;
	tunnel->l2tp = l2tp;
	tunnel->id = info.id;
	tunnel->own_port = l2tp_tunnel_lac(l2tp)->host_ports ||
			   (kernel_needs_own_ports() && tuple_is_taken(engine, &info.path));
	err = net_connect(engine->net, &info.path, tunnel->own_port, &tunnel->socket);
	if (!err && info.peer_id)
		err = create_in_kernel(tunnel, info.peer_id);
	if (err < 0) { /* the refusal leaves as the request came */
		net_socket_close(tunnel->socket);
		free(tunnel);
		return err;
	}
	net_socket_local(tunnel->socket, &info.path.local);
	info.path.socket = tunnel->socket;
	l2tp_tunnel_set_path(l2tp, &info.path);
	l2tp_tunnel_set_user(l2tp, tunnel);
	engine->tunnels[info.id] = tunnel;
	engine->tunnel_count++;
	monitor_client_keep(
		engine->monitor, MONITOR_KEEP_TUNNEL, info.id, net_socket_fd(tunnel->socket));
	publish(engine, &info);
	tunnel->tally =
		tally_lac(subscribers_tally(engine->subscribers), l2tp_tunnel_lac(l2tp)->name);
	tunnel->tally->tunnels++;
	return 0;
}

int engine_tunnel_moved(void *ctx, struct l2tp_tunnel *l2tp, const struct l2tp_path *path)
{
	struct engine *engine = ctx;
	struct engine_tunnel *tunnel = l2tp_tunnel_user(l2tp);
	struct l2tp_path moved = *path;
	struct l2tp_tunnel_info info;
	struct net_socket *socket;
	struct kernel_job *job;
	int err;

	if (!tunnel || tunnel->down)
		return -ENOTCONN;
	err = net_connect(engine->net, path, 0, &socket);
	if (err < 0)
		return err;
	l2tp_tunnel_info(l2tp, &info);
	if (info.peer_id) {
		kernel_cancel(tunnel->job);
		tunnel->job = NULL;
		kernel_tunnel_delete(engine->kernel, tunnel->id, NULL, NULL);
		job = kernel_tunnel_create(engine->kernel, net_socket_fd(socket), tunnel->id,
			info.peer_id, tunnel_created, tunnel);
		if (!job) { /* another copy, or engine_tunnel_up, makes it again */
			tunnel->in_kernel = false;
			net_socket_close(socket);
			return -ENOMEM;
		}
		tunnel->in_kernel = true;
		tunnel->job = job;
		tunnel->made = env_now(engine->env);
	}
	net_socket_close(tunnel->socket);
	tunnel->socket = socket;
	net_socket_local(socket, &moved.local);
	moved.socket = socket;
	l2tp_tunnel_set_path(l2tp, &moved);
	monitor_client_keep(
		engine->monitor, MONITOR_KEEP_TUNNEL, tunnel->id, net_socket_fd(socket));
	info.path = moved;
	publish(engine, &info);
	return 0;
}

void engine_tunnel_up(void *ctx, struct l2tp_tunnel *l2tp)
{
	static const struct l2tp_result no_memory = {
		.code = L2TP_STOPCCN_ERROR, .error = L2TP_ERROR_RESOURCES, .text = "out of memory"
	};
	struct engine *engine = ctx;
	struct engine_tunnel *tunnel = l2tp_tunnel_user(l2tp);
	struct l2tp_tunnel_info info;

	l2tp_tunnel_info(l2tp, &info);
	publish(engine, &info);
	engine_event_tunnel(engine, l2tp, NULL);
	if (!tunnel->in_kernel && !tunnel->job && create_in_kernel(tunnel, info.peer_id) < 0)
		l2tp_tunnel_close(l2tp, &no_memory);
}

void engine_tunnel_sequence(void *ctx, struct l2tp_tunnel *l2tp, uint16_t ns, uint16_t nr)
{
	struct engine *engine = ctx;
	struct engine_tunnel *tunnel = l2tp_tunnel_user(l2tp);

	if (!tunnel)
		return;
	state_tunnel(engine->state, tunnel->id)->ns = ns;
	state_tunnel(engine->state, tunnel->id)->nr = nr;
}

/* -EOPNOTSUPP: in a kernel without netlink for L2TP a tunnel ends with its last socket. */
static void tunnel_deleted(void *ctx, int err, int fd)
{
	struct engine_tunnel *tunnel = ctx;

	(void)fd;
	tunnel->job = NULL;
	tunnel->in_kernel = false;
	if (err < 0 && err != -ENOENT && err != -ENODEV && err != -EOPNOTSUPP)
		l2tp_tunnel_log(tunnel->l2tp, 0, LOG_LEVEL_ERROR,
			"tunnel %u: the kernel does not delete it: %s", tunnel->id, strerror(-err));
	l2tp_tunnel_release(tunnel->l2tp);
}

static void open_linger(struct engine_tunnel *tunnel, struct l2tp_path *path)
{
	if (net_connect(tunnel->engine->net, path, 0, &tunnel->linger) < 0)
		return; /* the peer gives up by itself */
	path->socket = tunnel->linger;
	l2tp_tunnel_set_path(tunnel->l2tp, path);
}

static void take_down(struct engine_tunnel *tunnel)
{
	struct engine *engine = tunnel->engine;
	struct l2tp_tunnel_info info;

	if (!tunnel->down || tunnel->subscribers > 0 || !tunnel->socket)
		return;
	l2tp_tunnel_info(tunnel->l2tp, &info);
	engine_audit_bury(engine, info.id, info.peer_id, &info.path.local, &info.path.peer);
	net_socket_close(tunnel->socket);
	tunnel->socket = NULL;
	if (tunnel->own_port)
		open_linger(tunnel, &info.path);
	monitor_client_drop(engine->monitor, MONITOR_KEEP_TUNNEL, tunnel->id);
	state_publish(&state_tunnel(engine->state, tunnel->id)->used, 0);
	kernel_cancel(tunnel->job);
	tunnel->job = kernel_tunnel_delete(engine->kernel, tunnel->id, tunnel_deleted, tunnel);
	if (!tunnel->job) { /* out of memory: it went with its last socket anyway */
		tunnel->in_kernel = false;
		l2tp_tunnel_release(tunnel->l2tp);
	}
}

/* A tunnel that never was one: what the LAC objects to is the secret, more often than not. */
static void note_failure(
	struct engine_tunnel *tunnel, const struct l2tp_result *result, bool by_peer)
{
	struct l2tp_tunnel_info info;
	char why[160], text[256];

	l2tp_tunnel_info(tunnel->l2tp, &info);
	if (info.since || tunnel->engine->stopping)
		return;
	l2tp_result_text(L2TP_STOPCCN, result, why, sizeof(why));
	snprintf(text, sizeof(text), "%s: %s%s", by_peer ? "ended by the LAC" : "ended by us", why,
		by_peer ? "; is the secret the same on both sides?" : "");
	tally_error(
		tunnel->tally, env_wallclock(tunnel->engine->env), "tunnel not established", text);
	l2tp_tunnel_log(tunnel->l2tp, 0, LOG_LEVEL_WARNING, "tunnel %u not established, %s",
		tunnel->id, text);
}

void engine_tunnel_down(
	void *ctx, struct l2tp_tunnel *l2tp, const struct l2tp_result *result, bool by_peer)
{
	struct engine_tunnel *tunnel = l2tp_tunnel_user(l2tp);

	if (!tunnel) { /* refused before it had anything */
		l2tp_tunnel_release(l2tp);
		return;
	}
	if (!tunnel->down) {
		tunnel->tally->tunnels--;
		note_failure(tunnel, result, by_peer);
		engine_event_tunnel(ctx, l2tp, result);
	}
	tunnel->down = true;
	take_down(tunnel);
}

void engine_tunnel_free(void *ctx, struct l2tp_tunnel *l2tp)
{
	struct engine *engine = ctx;
	struct engine_tunnel *tunnel = l2tp_tunnel_user(l2tp);
	struct l2tp_tunnel_info info;

	l2tp_tunnel_info(l2tp, &info);
	engine_trace_tunnel_gone(engine, info.id);
	if (!tunnel)
		return;
	if (tunnel->tally)
		tunnel->tally->retransmissions += info.retransmissions;
	engine->tunnels[tunnel->id] = NULL;
	engine->tunnel_count--;
	net_socket_close(tunnel->linger);
	free(tunnel);
}

int engine_tunnel_socket(void *ctx, struct l2tp_tunnel *l2tp)
{
	struct engine_tunnel *tunnel = l2tp_tunnel_user(l2tp);

	(void)ctx;
	if (!tunnel || tunnel->down || !tunnel->in_kernel)
		return -1;
	return net_socket_fd(tunnel->socket);
}

void engine_tunnel_hold(struct engine *engine, struct l2tp_tunnel *l2tp)
{
	struct engine_tunnel *tunnel = l2tp_tunnel_user(l2tp);

	(void)engine;
	if (tunnel)
		tunnel->subscribers++;
}

void engine_tunnel_unhold(void *ctx, uint16_t tunnel_id)
{
	struct engine *engine = ctx;
	struct engine_tunnel *tunnel = engine->tunnels[tunnel_id];

	if (!tunnel || tunnel->subscribers == 0)
		return;
	tunnel->subscribers--;
	take_down(tunnel);
}

void engine_tunnels_delete(struct engine *engine)
{
	for (unsigned int id = 0; id < 65536; id++)
		if (engine->tunnels[id])
			kernel_tunnel_delete(engine->kernel, (uint16_t)id, NULL, NULL);
}

void engine_tunnels_free(struct engine *engine)
{
	for (unsigned int id = 0; id < 65536; id++) {
		struct engine_tunnel *tunnel = engine->tunnels[id];

		if (!tunnel)
			continue;
		kernel_cancel(tunnel->job);
		net_socket_close(tunnel->socket);
		net_socket_close(tunnel->linger);
		free(tunnel);
		engine->tunnels[id] = NULL;
	}
}
