// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/static_make: makes the static tunnels and their sessions in the kernel, takes over what is there,
 * and makes again what was lost.
 */
#include "lns/engine/static_internal.h"

#include "lns/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RETRY ENV_SEC(10)

static void make_session(struct static_session *session);

/* ---- what went wrong ---- */

const char *static_tunnel_trouble(const struct static_tunnel *tunnel, int err)
{
	switch (err) {
	case -EOPNOTSUPP:
		return "this kernel lacks L2TPv3 (CONFIG_L2TP_V3, module l2tp_netlink)";
	case -EPROTONOSUPPORT:
	case -ESOCKTNOSUPPORT:
	case -EAFNOSUPPORT:
		return !tunnel->kernel.ip ? strerror(-err)
		       : tunnel->kernel.local.sa.sa_family == AF_INET
			       ? "this kernel lacks IP encapsulation (module l2tp_ip)"
			       : "this kernel lacks IP encapsulation with IPv6 (module l2tp_ip6)";
	case -EEXIST:
		return "the kernel has another tunnel with this local-id";
	case -EADDRINUSE:
		return "local-port is in use";
	case -EADDRNOTAVAIL:
		return "local is not an address of this host";
	default:
		return strerror(-err);
	}
}

const char *static_session_trouble(int err)
{
	switch (err) {
	case -EPROTONOSUPPORT:
		return "this kernel lacks Ethernet pseudowires (module l2tp_eth)";
	case -EEXIST:
		return "the kernel has another session with this local-id, or an interface of this "
		       "name";
	default:
		return strerror(-err);
	}
}

/* Notes it; true when it is news. What is tried again and again is told once. */
static bool failed(struct engine_statics *all, struct making *making, int err)
{
	bool news = making->err != err;

	making->state = STATIC_FAILED;
	making->err = err;
	if (!all->stopping)
		env_timer_start(all->retry, RETRY);
	return news;
}

static void tunnel_failed(struct static_tunnel *tunnel, int err)
{
	if (failed(tunnel->all, &tunnel->making, err))
		log_error("static tunnel \"%s\", id %u: cannot be made: %s; trying again",
			tunnel->name, tunnel->kernel.id, static_tunnel_trouble(tunnel, err));
}

static void session_failed(struct static_session *session, int err)
{
	if (failed(session->tunnel->all, &session->making, err))
		log_error("static tunnel \"%s\": session \"%s\", id %u: cannot be made: %s; trying "
			  "again",
			session->tunnel->name, session->name, session->kernel.id,
			static_session_trouble(err));
}

/* ---- making ---- */

static void made(struct engine_statics *all, struct making *making)
{
	making->state = STATIC_MADE;
	making->err = 0;
	making->made = env_now(all->engine->env);
}

void static_make_sessions(struct static_tunnel *tunnel)
{
	struct static_session *session;

	TAILQ_FOREACH(session, &tunnel->sessions, entry)
		if (session->making.state == STATIC_DOWN || session->making.state == STATIC_FAILED)
			make_session(session);
}

static const char *path_text(const struct kernel_static_tunnel *tunnel, char *text, size_t size)
{
	char local[ADDR_TEXT], peer[ADDR_TEXT];

	if (tunnel->ip)
		snprintf(text, size, "IP %s to %s", addr_text_host(&tunnel->local, local),
			addr_text_host(&tunnel->peer, peer));
	else
		snprintf(text, size, "UDP %s to %s", addr_text(&tunnel->local, local),
			addr_text(&tunnel->peer, peer));
	return text;
}

static void tunnel_is_there(struct static_tunnel *tunnel, const char *how)
{
	char path[2 * ADDR_TEXT + 16];

	made(tunnel->all, &tunnel->making);
	log_info("static tunnel \"%s\", id %u, peer's %u: %s, %s", tunnel->name, tunnel->kernel.id,
		tunnel->kernel.peer_id, how, path_text(&tunnel->kernel, path, sizeof(path)));
}

static void tunnel_made(void *ctx, int err, int fd)
{
	struct static_tunnel *tunnel = ctx;

	(void)fd;
	tunnel->making.job = NULL;
	if (err) {
		tunnel_failed(tunnel, err);
		return;
	}
	tunnel_is_there(tunnel, "made");
	static_make_sessions(tunnel);
}

void static_make_tunnel(struct static_tunnel *tunnel)
{
	tunnel->making.job = kernel_static_tunnel_create(
		tunnel->all->engine->kernel, &tunnel->kernel, tunnel_made, tunnel);
	if (!tunnel->making.job)
		tunnel_failed(tunnel, -ENOMEM);
	else
		tunnel->making.state = STATIC_MAKING;
}

static void session_is_there(struct static_session *session, const char *how)
{
	made(session->tunnel->all, &session->making);
	log_info("static tunnel \"%s\": session \"%s\", id %u, peer's %u: %s, interface %s",
		session->tunnel->name, session->name, session->kernel.id, session->kernel.peer_id,
		how, session->kernel.ifname);
}

static void session_made(void *ctx, int err, int fd)
{
	struct static_session *session = ctx;

	(void)fd;
	session->making.job = NULL;
	if (err)
		session_failed(session, err);
	else
		session_is_there(session, "made");
}

static void make_session(struct static_session *session)
{
	session->making.job = kernel_static_session_create(
		session->tunnel->all->engine->kernel, &session->kernel, session_made, session);
	if (!session->making.job)
		session_failed(session, -ENOMEM);
	else
		session->making.state = STATIC_MAKING;
}

/* ---- looking at the kernel ---- */

bool static_is_tunnel(
	const struct kernel_static_tunnel *tunnel, const struct kernel_l2tp_entry *entry)
{
	return entry->version == 3 && entry->encap == (tunnel->ip ? 1 : 0) &&
	       entry->tunnel_id == tunnel->id && entry->peer_tunnel_id == tunnel->peer_id &&
	       addr_equal(&entry->local, &tunnel->local) && addr_equal(&entry->peer, &tunnel->peer);
}

/* What the kernel tells of it; its sublayer is not among that. */
static bool is_session(
	const struct kernel_static_session *session, const struct kernel_l2tp_entry *entry)
{
	struct kernel_static_session there = {
		.tunnel_id = entry->tunnel_id,
		.id = entry->session_id,
		.peer_id = entry->peer_session_id,
		.send = entry->send_cookie,
		.expect = entry->expect_cookie,
		.sublayer = session->sublayer,
		.send_seq = entry->send_seq,
		.recv_seq = entry->recv_seq,
		.reorder_timeout = entry->reorder_timeout,
	};

	memcpy(there.ifname, entry->ifname, sizeof(there.ifname));
	return kernel_static_session_equal(session, &there);
}

/* Whether the list, asked for at since, is newer than what happened to it last. */
static bool can_tell(const struct making *making, uint64_t since)
{
	return making->state != STATIC_MAKING &&
	       (making->state != STATIC_MADE || making->made < since);
}

/* True: it was there, and is no longer. */
static bool check_session(
	struct static_session *session, const struct kernel_l2tp_list *list, uint64_t since)
{
	const struct kernel_l2tp_entry *entry =
		kernel_l2tp_find(list, session->kernel.tunnel_id, session->kernel.id);
	bool lost = session->making.state == STATIC_MADE && !entry;

	if (!can_tell(&session->making, since))
		return false;
	if (entry && is_session(&session->kernel, entry)) {
		if (session->making.state != STATIC_MADE) {
			session_is_there(session, "taken over");
			kernel_static_session_set_link(
				session->tunnel->all->engine->kernel, &session->kernel, NULL, NULL);
		}
		return false;
	}
	if (lost)
		log_warning(
			"static tunnel \"%s\": session \"%s\" is gone from the kernel: making it "
			"again",
			session->tunnel->name, session->name);
	if (entry) /* in a tunnel of ours, so it is ours, with an older configuration */
		kernel_static_delete(session->tunnel->all->engine->kernel,
			session->kernel.tunnel_id, session->kernel.id, NULL, NULL);
	make_session(session);
	return lost;
}

static bool is_configured(const struct static_tunnel *tunnel, uint32_t session_id)
{
	struct static_session *session;

	TAILQ_FOREACH(session, &tunnel->sessions, entry)
		if (session->kernel.id == session_id)
			return true;
	return false;
}

/* Sessions of a tunnel that was taken over, and that the configuration lacks. */
static void drop_strangers(struct static_tunnel *tunnel, const struct kernel_l2tp_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct kernel_l2tp_entry *entry = &list->entries[i];

		if (!entry->is_session || entry->tunnel_id != tunnel->kernel.id ||
			is_configured(tunnel, entry->session_id))
			continue;
		log_info("static tunnel \"%s\": session %u of before is not configured: removed",
			tunnel->name, entry->session_id);
		kernel_static_delete(tunnel->all->engine->kernel, entry->tunnel_id,
			entry->session_id, NULL, NULL);
	}
}

static unsigned int check_sessions(
	struct static_tunnel *tunnel, const struct kernel_l2tp_list *list, uint64_t since)
{
	struct static_session *session;
	unsigned int lost = 0;

	TAILQ_FOREACH(session, &tunnel->sessions, entry)
		lost += check_session(session, list, since);
	return lost;
}

/* A tunnel that is gone took its sessions along. */
static void lose(struct static_tunnel *tunnel)
{
	struct static_session *session;

	log_warning("static tunnel \"%s\", id %u, is gone from the kernel: making it again",
		tunnel->name, tunnel->kernel.id);
	TAILQ_FOREACH(session, &tunnel->sessions, entry) {
		kernel_cancel(session->making.job);
		session->making = (struct making){ .state = STATIC_DOWN };
	}
	tunnel->making.state = STATIC_DOWN;
}

static unsigned int check_tunnel(
	struct static_tunnel *tunnel, const struct kernel_l2tp_list *list, uint64_t since)
{
	const struct kernel_l2tp_entry *entry = kernel_l2tp_find(list, tunnel->kernel.id, 0);
	bool was_made = tunnel->making.state == STATIC_MADE;

	if (!can_tell(&tunnel->making, since))
		return 0;
	if (entry && static_is_tunnel(&tunnel->kernel, entry)) {
		if (was_made)
			return check_sessions(tunnel, list, since);
		tunnel_is_there(tunnel, "taken over");
		drop_strangers(tunnel, list);
		check_sessions(tunnel, list, since);
		return 0;
	}
	if (was_made)
		lose(tunnel);
	if (entry)
		tunnel_failed(tunnel, -EEXIST);
	else
		static_make_tunnel(tunnel);
	return was_made ? 1 : 0;
}

unsigned int engine_statics_check(
	struct engine *engine, const struct kernel_l2tp_list *list, uint64_t since)
{
	struct static_tunnel *tunnel;
	unsigned int lost = 0;

	if (engine->statics->stopping)
		return 0;
	TAILQ_FOREACH(tunnel, &engine->statics->tunnels, entry)
		lost += check_tunnel(tunnel, list, since);
	return lost;
}

static void looked(void *ctx, int err, int fd)
{
	struct engine_statics *all = ctx;
	struct static_tunnel *tunnel;

	(void)fd;
	all->looking = NULL;
	if (!err)
		engine_statics_check(all->engine, &all->list, all->asked);
	TAILQ_FOREACH(tunnel, &all->tunnels, entry)
		if (err && tunnel->making.state != STATIC_MAKING)
			tunnel_failed(tunnel, err);
	kernel_l2tp_list_free(&all->list);
}

void static_look(void *ctx)
{
	struct engine_statics *all = ctx;

	if (all->looking || all->stopping || TAILQ_EMPTY(&all->tunnels))
		return;
	all->asked = env_now(all->engine->env);
	all->looking = kernel_l2tp_dump(all->engine->kernel, -1, &all->list, looked, all);
	if (!all->looking)
		env_timer_start(all->retry, RETRY);
}
