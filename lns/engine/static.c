// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/static: the L2TPv3 tunnels of the configuration, kept in step with the kernel.
 *
 * Each static-tunnel and session section has an object here, owned by struct engine_statics, with what it is
 * to be in the kernel and what became of that. A reload compares by name: what is gone or different is
 * deleted, and what is new or different is made; nothing else is touched. A look compares with the kernel's
 * own list: at the start, to take over what an engine before us left (or what `keep` kept); while something
 * could not be made, to try again; and with every audit.
 *
 * A tunnel of the same number that leads elsewhere is somebody else's: it stays, and ours waits.
 */
#include "lns/engine/internal.h"

#include "lns/log.h"

#include <errno.h>
#include <linux/l2tp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY ENV_SEC(10)

enum static_state {
	STATIC_DOWN, /* to be made */
	STATIC_MAKING,
	STATIC_MADE,
	STATIC_FAILED, /* to be made again, later */
};

static const char *const state_words[] = {
	[STATIC_DOWN] = "waiting",
	[STATIC_MAKING] = "making",
	[STATIC_MADE] = "up",
	[STATIC_FAILED] = "failed",
};

/* What tunnels and sessions have in common. */
struct making {
	enum static_state state;
	int err;                /* STATIC_FAILED */
	struct kernel_job *job; /* STATIC_MAKING */
	uint64_t made;          /* env_now, STATIC_MADE */
};

struct static_session {
	TAILQ_ENTRY(static_session) entry;
	struct static_tunnel *tunnel;
	char name[64];
	struct kernel_static_session kernel;
	struct making making;
};

struct static_tunnel {
	TAILQ_ENTRY(static_tunnel) entry;
	struct engine_statics *all;
	char name[64];
	struct kernel_static_tunnel kernel;
	bool keep;
	struct making making;
	TAILQ_HEAD(, static_session) sessions;
};

struct engine_statics {
	struct engine *engine;
	TAILQ_HEAD(, static_tunnel) tunnels;
	struct env_timer *retry;
	struct kernel_job *looking;
	struct kernel_l2tp_list list; /* of the look */
	uint64_t asked;
	unsigned int ending; /* deletions that a stop waits for */
	bool stopping;
};

static void make_tunnel(struct static_tunnel *tunnel);
static void make_session(struct static_session *session);

/* ---- what went wrong ---- */

static const char *tunnel_trouble(const struct static_tunnel *tunnel, int err)
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

static const char *session_trouble(int err)
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
			tunnel->name, tunnel->kernel.id, tunnel_trouble(tunnel, err));
}

static void session_failed(struct static_session *session, int err)
{
	if (failed(session->tunnel->all, &session->making, err))
		log_error("static tunnel \"%s\": session \"%s\", id %u: cannot be made: %s; trying "
			  "again",
			session->tunnel->name, session->name, session->kernel.id,
			session_trouble(err));
}

/* ---- making ---- */

static void made(struct engine_statics *all, struct making *making)
{
	making->state = STATIC_MADE;
	making->err = 0;
	making->made = env_now(all->engine->env);
}

static void make_sessions(struct static_tunnel *tunnel)
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
	make_sessions(tunnel);
}

static void make_tunnel(struct static_tunnel *tunnel)
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

/* ---- objects ---- */

static void reserve(struct static_tunnel *tunnel, bool reserved)
{
	if (tunnel->kernel.id <= UINT16_MAX)
		l2tp_server_reserve_tunnel(
			tunnel->all->engine->l2tp, (uint16_t)tunnel->kernel.id, reserved);
}

static void session_free(struct static_session *session)
{
	kernel_cancel(session->making.job);
	TAILQ_REMOVE(&session->tunnel->sessions, session, entry);
	explicit_bzero(session, sizeof(*session));
	free(session);
}

static void tunnel_free(struct static_tunnel *tunnel)
{
	struct static_session *session;

	while ((session = TAILQ_FIRST(&tunnel->sessions)))
		session_free(session);
	kernel_cancel(tunnel->making.job);
	TAILQ_REMOVE(&tunnel->all->tunnels, tunnel, entry);
	free(tunnel);
}

static void session_add(
	struct static_tunnel *tunnel, const struct config_static_session *configured)
{
	struct static_session *session = calloc(1, sizeof(*session));

	if (!session) {
		log_error("static tunnel \"%s\": session \"%s\": out of memory", tunnel->name,
			configured->name);
		return;
	}
	session->tunnel = tunnel;
	session->kernel = configured->kernel;
	snprintf(session->name, sizeof(session->name), "%s", configured->name);
	TAILQ_INSERT_TAIL(&tunnel->sessions, session, entry);
}

static void tunnel_add(struct engine_statics *all, const struct config_static_tunnel *configured)
{
	struct static_tunnel *tunnel = calloc(1, sizeof(*tunnel));

	if (!tunnel) {
		log_error("static tunnel \"%s\": out of memory", configured->name);
		return;
	}
	tunnel->all = all;
	tunnel->kernel = configured->kernel;
	tunnel->keep = configured->keep;
	snprintf(tunnel->name, sizeof(tunnel->name), "%s", configured->name);
	TAILQ_INIT(&tunnel->sessions);
	TAILQ_INSERT_TAIL(&all->tunnels, tunnel, entry);
	reserve(tunnel, true);
	for (size_t i = 0; i < configured->session_count; i++)
		session_add(tunnel, &configured->sessions[i]);
}

/* What is in work is undone by its cancellation; what is there is deleted here. */
static void session_remove(struct static_session *session, const char *why)
{
	struct static_tunnel *tunnel = session->tunnel;

	log_info("static tunnel \"%s\": session \"%s\", id %u: removed, %s", tunnel->name,
		session->name, session->kernel.id, why);
	if (session->making.state == STATIC_MADE)
		kernel_static_delete(tunnel->all->engine->kernel, tunnel->kernel.id,
			session->kernel.id, NULL, NULL);
	session_free(session);
}

static void tunnel_remove(struct static_tunnel *tunnel, const char *why)
{
	log_info("static tunnel \"%s\", id %u: removed, %s", tunnel->name, tunnel->kernel.id, why);
	reserve(tunnel, false);
	if (tunnel->making.state == STATIC_MADE)
		kernel_static_delete(tunnel->all->engine->kernel, tunnel->kernel.id, 0, NULL, NULL);
	tunnel_free(tunnel);
}

/* ---- the configuration ---- */

static const struct config_static_tunnel *find_configured(
	const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->static_tunnel_count; i++)
		if (strcmp(config->static_tunnels[i].name, name) == 0)
			return &config->static_tunnels[i];
	return NULL;
}

static const struct config_static_session *find_configured_session(
	const struct config_static_tunnel *configured, const char *name)
{
	for (size_t i = 0; i < configured->session_count; i++)
		if (strcmp(configured->sessions[i].name, name) == 0)
			return &configured->sessions[i];
	return NULL;
}

static struct static_tunnel *find_tunnel(const struct engine_statics *all, const char *name)
{
	struct static_tunnel *tunnel;

	TAILQ_FOREACH(tunnel, &all->tunnels, entry)
		if (strcmp(tunnel->name, name) == 0)
			return tunnel;
	return NULL;
}

static struct static_session *find_session(const struct static_tunnel *tunnel, const char *name)
{
	struct static_session *session;

	TAILQ_FOREACH(session, &tunnel->sessions, entry)
		if (strcmp(session->name, name) == 0)
			return session;
	return NULL;
}

/* An MTU can be changed where it is, but what the kernel would choose is known to the kernel only. */
static void change_session(
	struct static_session *session, const struct config_static_session *configured)
{
	bool other_mtu = session->kernel.mtu != configured->kernel.mtu;

	if (!kernel_static_session_equal(&session->kernel, &configured->kernel) ||
		(other_mtu && (!configured->kernel.mtu || session->making.state != STATIC_MADE))) {
		session_remove(session, "its configuration has changed");
		return;
	}
	if (!other_mtu)
		return;
	session->kernel.mtu = configured->kernel.mtu;
	log_info("static tunnel \"%s\": session \"%s\": MTU %u", session->tunnel->name,
		session->name, session->kernel.mtu);
	kernel_static_session_set_link(
		session->tunnel->all->engine->kernel, &session->kernel, NULL, NULL);
}

static void change_tunnel(
	struct static_tunnel *tunnel, const struct config_static_tunnel *configured)
{
	struct static_session *session, *next;

	if (!kernel_static_tunnel_equal(&tunnel->kernel, &configured->kernel)) {
		tunnel_remove(tunnel, "its configuration has changed");
		return;
	}
	tunnel->keep = configured->keep;
	for (session = TAILQ_FIRST(&tunnel->sessions); session; session = next) {
		const struct config_static_session *wanted =
			find_configured_session(configured, session->name);

		next = TAILQ_NEXT(session, entry);
		if (wanted)
			change_session(session, wanted);
		else
			session_remove(session, "it has left the configuration");
	}
}

void engine_statics_configure(struct engine *engine)
{
	struct engine_statics *all = engine->statics;
	const struct config *config = engine->config;
	struct static_tunnel *tunnel, *next;

	for (tunnel = TAILQ_FIRST(&all->tunnels); tunnel; tunnel = next) {
		const struct config_static_tunnel *wanted = find_configured(config, tunnel->name);

		next = TAILQ_NEXT(tunnel, entry);
		if (wanted)
			change_tunnel(tunnel, wanted);
		else
			tunnel_remove(tunnel, "it has left the configuration");
	}
	for (size_t i = 0; i < config->static_tunnel_count; i++) {
		const struct config_static_tunnel *wanted = &config->static_tunnels[i];

		tunnel = find_tunnel(all, wanted->name);
		if (!tunnel) {
			tunnel_add(all, wanted);
			continue;
		}
		for (size_t s = 0; s < wanted->session_count; s++)
			if (!find_session(tunnel, wanted->sessions[s].name))
				session_add(tunnel, &wanted->sessions[s]);
	}
	if (all->looking) /* that will make them */
		return;
	TAILQ_FOREACH(tunnel, &all->tunnels, entry)
		if (tunnel->making.state == STATIC_MADE)
			make_sessions(tunnel);
		else if (tunnel->making.state != STATIC_MAKING)
			make_tunnel(tunnel);
}

/* ---- looking at the kernel ---- */

static bool is_tunnel(
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
	if (entry && is_tunnel(&tunnel->kernel, entry)) {
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
		make_tunnel(tunnel);
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

static void look(void *ctx)
{
	struct engine_statics *all = ctx;

	if (all->looking || all->stopping || TAILQ_EMPTY(&all->tunnels))
		return;
	all->asked = env_now(all->engine->env);
	all->looking = kernel_l2tp_dump(all->engine->kernel, -1, &all->list, looked, all);
	if (!all->looking)
		env_timer_start(all->retry, RETRY);
}

/* ---- what others ask ---- */

bool engine_statics_find(const struct engine *engine, const struct kernel_l2tp_entry *entry,
	struct engine_static_match *ret_match)
{
	struct engine_static_match match = { 0 };
	struct static_tunnel *tunnel;
	struct static_session *session;

	TAILQ_FOREACH(tunnel, &engine->statics->tunnels, entry)
		if (tunnel->kernel.id == entry->tunnel_id)
			break;
	if (!tunnel)
		return false;
	match.name = tunnel->name;
	match.is_ours =
		is_tunnel(&tunnel->kernel, entry); /* a session has its tunnel's addresses */
	match.is_known = !entry->is_session;
	TAILQ_FOREACH(session, &tunnel->sessions, entry) {
		if (!entry->is_session || session->kernel.id != entry->session_id)
			continue;
		match.name = session->name;
		match.is_known = true;
	}
	*ret_match = match;
	return true;
}

static void expected_tunnel(
	const struct kernel_static_tunnel *tunnel, struct kernel_l2tp_entry *ret_entry)
{
	*ret_entry = (struct kernel_l2tp_entry){
		.version = 3,
		.encap = tunnel->ip ? 1 : 0,
		.tunnel_id = tunnel->id,
		.peer_tunnel_id = tunnel->peer_id,
		.local = tunnel->local,
		.peer = tunnel->peer,
	};
}

static void expected_session(
	const struct static_session *session, struct kernel_l2tp_entry *ret_entry)
{
	const struct kernel_static_session *kernel = &session->kernel;

	expected_tunnel(&session->tunnel->kernel, ret_entry);
	ret_entry->is_session = 1;
	ret_entry->session_id = kernel->id;
	ret_entry->peer_session_id = kernel->peer_id;
	ret_entry->pseudowire = L2TP_PWTYPE_ETH;
	ret_entry->send_cookie = kernel->send;
	ret_entry->expect_cookie = kernel->expect;
	ret_entry->send_seq = kernel->send_seq;
	ret_entry->recv_seq = kernel->recv_seq;
	ret_entry->reorder_timeout = kernel->reorder_timeout;
	memcpy(ret_entry->ifname, kernel->ifname, sizeof(ret_entry->ifname));
}

bool engine_statics_at(const struct engine *engine, size_t index, struct engine_static_entry *ret)
{
	struct static_tunnel *tunnel;
	struct static_session *session;

	TAILQ_FOREACH(tunnel, &engine->statics->tunnels, entry) {
		if (!index--) {
			expected_tunnel(&tunnel->kernel, &ret->entry);
			ret->name = tunnel->name;
			ret->made = tunnel->making.made;
			return true;
		}
		TAILQ_FOREACH(session, &tunnel->sessions, entry) {
			if (index--)
				continue;
			expected_session(session, &ret->entry);
			ret->name = session->name;
			ret->made = session->making.made;
			return true;
		}
	}
	return false;
}

static void tunnel_info(
	const struct static_tunnel *tunnel, uint64_t now, struct engine_static_info *ret_info)
{
	const struct static_session *session;

	*ret_info = (struct engine_static_info){
		.name = tunnel->name,
		.kernel = &tunnel->kernel,
		.state = state_words[tunnel->making.state],
		.error = tunnel->making.state == STATIC_FAILED
				 ? tunnel_trouble(tunnel, tunnel->making.err)
				 : NULL,
		.made = tunnel->making.made,
		.uptime = tunnel->making.state == STATIC_MADE ? now - tunnel->making.made : 0,
	};
	TAILQ_FOREACH(session, &tunnel->sessions, entry) {
		ret_info->sessions += session->making.state == STATIC_MADE;
		if (session->making.state == STATIC_FAILED && !ret_info->error)
			ret_info->error = session_trouble(session->making.err);
	}
}

bool engine_statics_info(
	const struct engine *engine, size_t index, struct engine_static_info *ret_info)
{
	const struct static_tunnel *tunnel;

	TAILQ_FOREACH(tunnel, &engine->statics->tunnels, entry) {
		if (index--)
			continue;
		tunnel_info(tunnel, env_now(engine->env), ret_info);
		return true;
	}
	return false;
}

/* ---- start and stop ---- */

int engine_statics_start(struct engine *engine)
{
	struct engine_statics *all = calloc(1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	all->engine = engine;
	TAILQ_INIT(&all->tunnels);
	all->retry = env_timer_new(engine->env, look, all);
	if (!all->retry) {
		free(all);
		return -ENOMEM;
	}
	engine->statics = all;
	for (size_t i = 0; i < engine->config->static_tunnel_count; i++)
		tunnel_add(all, &engine->config->static_tunnels[i]);
	look(all);
	return 0;
}

static void deleted(void *ctx, int err, int fd)
{
	struct engine_statics *all = ctx;

	(void)fd;
	all->ending--;
	if (err && err != -ENOENT)
		log_error("a static tunnel cannot be removed: %s", strerror(-err));
}

void engine_statics_end(struct engine *engine)
{
	struct engine_statics *all = engine->statics;
	struct static_tunnel *tunnel, *next;

	if (!all)
		return;
	all->stopping = true;
	env_timer_stop(all->retry);
	for (tunnel = TAILQ_FIRST(&all->tunnels); tunnel; tunnel = next) {
		next = TAILQ_NEXT(tunnel, entry);
		if (tunnel->keep && tunnel->making.state == STATIC_MADE) {
			log_info("static tunnel \"%s\", id %u: left to the kernel", tunnel->name,
				tunnel->kernel.id);
		} else if (tunnel->making.state == STATIC_MADE &&
			   kernel_static_delete(
				   engine->kernel, tunnel->kernel.id, 0, deleted, all)) {
			all->ending++;
		}
		tunnel_free(tunnel);
	}
}

bool engine_statics_are_ending(const struct engine *engine)
{
	return engine->statics && engine->statics->ending > 0;
}

void engine_statics_free(struct engine *engine)
{
	struct engine_statics *all = engine->statics;
	struct static_tunnel *tunnel;

	if (!all)
		return;
	while ((tunnel = TAILQ_FIRST(&all->tunnels)))
		tunnel_free(tunnel);
	kernel_cancel(all->looking);
	kernel_l2tp_list_free(&all->list);
	env_timer_free(all->retry);
	free(all);
	engine->statics = NULL;
}
