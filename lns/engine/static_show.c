// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/static_show: what others ask of the static tunnels: whose an entry of the kernel is, what the
 * kernel should have, and how they are.
 */
#include "lns/engine/static_internal.h"

#include <linux/l2tp.h>
#include <string.h>

static const char *const state_words[] = {
	[STATIC_DOWN] = "waiting",
	[STATIC_MAKING] = "making",
	[STATIC_MADE] = "up",
	[STATIC_FAILED] = "failed",
};

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
		static_is_tunnel(&tunnel->kernel, entry); /* a session has its tunnel's addresses */
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
				 ? static_tunnel_trouble(tunnel, tunnel->making.err)
				 : NULL,
		.made = tunnel->making.made,
		.uptime = tunnel->making.state == STATIC_MADE ? now - tunnel->making.made : 0,
	};
	TAILQ_FOREACH(session, &tunnel->sessions, entry) {
		ret_info->sessions += session->making.state == STATIC_MADE;
		if (session->making.state == STATIC_FAILED && !ret_info->error)
			ret_info->error = static_session_trouble(session->making.err);
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
