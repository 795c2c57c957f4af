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
#include "lns/engine/static_internal.h"

#include "lns/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
			static_make_sessions(tunnel);
		else if (tunnel->making.state != STATIC_MAKING)
			static_make_tunnel(tunnel);
}

/* ---- start and stop ---- */

int engine_statics_start(struct engine *engine)
{
	struct engine_statics *all = calloc(1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	all->engine = engine;
	TAILQ_INIT(&all->tunnels);
	all->retry = env_timer_new(engine->env, static_look, all);
	if (!all->retry) {
		free(all);
		return -ENOMEM;
	}
	engine->statics = all;
	for (size_t i = 0; i < engine->config->static_tunnel_count; i++)
		tunnel_add(all, &engine->config->static_tunnels[i]);
	static_look(all);
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
