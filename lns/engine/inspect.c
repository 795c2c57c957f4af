// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/inspect: `lnsctl show kernel`: every L2TP tunnel and session of the kernel, next to what the
 * engine knows of them.
 *
 * The answer waits for debugfs, which the monitor opens, and for the list, which the kernel thread makes;
 * then it is streamed: what the kernel has, in the order of ids, and at the end what the engine has and the
 * kernel has not. The list is of one moment: what the engine made later is not missed in it.
 */
#include "lns/engine/commands.h"

#include <errno.h>
#include <linux/l2tp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum phase {
	PHASE_DETAILS,
	PHASE_LIST,
	PHASE_KERNEL,
	PHASE_STATICS,
	PHASE_TUNNELS,
	PHASE_SESSIONS
};

/* One answer. Owned by the engine from open to close. */
struct engine_inspect {
	LIST_ENTRY(engine_inspect) entry;
	struct engine *engine;
	struct control_feed *feed;
	struct kernel_job *job;
	struct kernel_l2tp_list list;
	uint64_t asked; /* env_now */
	enum phase phase;
	size_t next;  /* PHASE_TUNNELS: id; otherwise index */
	uint64_t key; /* PHASE_SESSIONS: of the last one */
};

static const char *const marks[] = {
	[ENGINE_MARK_NONE] = NULL,
	[ENGINE_MARK_ENDING] = "ending",
	[ENGINE_MARK_LEFT] = "left over",
	[ENGINE_MARK_DIFFERS] = "differs",
	[ENGINE_MARK_MISSING] = "missing in kernel",
};

/* ---- whose is it? ---- */

static bool is_tunnel(const struct engine_tunnel *tunnel, const struct kernel_l2tp_entry *entry)
{
	struct l2tp_tunnel_info info;

	l2tp_tunnel_info(tunnel->l2tp, &info);
	return entry->version == 2 && entry->peer_tunnel_id == info.peer_id &&
	       addr_equal(&entry->local, &info.path.local) &&
	       addr_equal(&entry->peer, &info.path.peer);
}

/* entry is in a tunnel of the engine's. */
static void match_session(
	struct engine *engine, const struct kernel_l2tp_entry *entry, struct engine_match *match)
{
	uint16_t session_id = (uint16_t)entry->session_id;

	match->sub = subscriber_find_session(
		engine->subscribers, (uint16_t)entry->tunnel_id, session_id);
	if (!match->sub)
		match->mark = match->tunnel->down ? ENGINE_MARK_ENDING : ENGINE_MARK_LEFT;
	else if (!subscriber_is_in_kernel(match->sub))
		match->mark = ENGINE_MARK_ENDING;
}

/* false: it has nothing to do with what is static. */
static bool match_static(
	struct engine *engine, const struct kernel_l2tp_entry *entry, struct engine_match *match)
{
	struct engine_static_match found;

	if (!engine_statics_find(engine, entry, &found))
		return false;
	if (found.is_ours) {
		match->owner = "static";
		match->name = found.name;
		match->mark = found.is_known ? ENGINE_MARK_NONE : ENGINE_MARK_LEFT;
	} else if (!entry->is_session) {
		match->mark = ENGINE_MARK_DIFFERS;
	}
	return true;
}

void engine_inspect_match(struct engine *engine, const struct kernel_l2tp_entry *entry,
	struct engine_match *ret_match)
{
	struct engine_match match = { .owner = "other" };
	struct engine_tunnel *tunnel =
		entry->tunnel_id <= UINT16_MAX ? engine->tunnels[entry->tunnel_id] : NULL;

	if (match_static(engine, entry, &match)) {
		*ret_match = match;
		return;
	}
	if (tunnel && tunnel->in_kernel) {
		if (is_tunnel(tunnel, entry)) {
			match.owner = "lnsd";
			match.tunnel = tunnel;
			match.mark = tunnel->down ? ENGINE_MARK_ENDING : ENGINE_MARK_NONE;
			if (entry->is_session)
				match_session(engine, entry, &match);
		} else if (!entry->is_session) {
			match.mark = ENGINE_MARK_DIFFERS;
		}
	} else if (!entry->is_session && engine_audit_is_buried(engine, entry)) {
		match.owner = "lnsd";
		match.mark = ENGINE_MARK_LEFT;
	}
	*ret_match = match;
}

bool engine_inspect_tunnel_missing(
	const struct engine_tunnel *tunnel, const struct kernel_l2tp_list *list, uint64_t since)
{
	const struct kernel_l2tp_entry *entry = kernel_l2tp_find(list, tunnel->id, 0);

	return tunnel->in_kernel && !tunnel->job && !tunnel->down && tunnel->made < since &&
	       (!entry || !is_tunnel(tunnel, entry));
}

bool engine_inspect_session_missing(
	struct subscriber *sub, const struct kernel_l2tp_list *list, uint64_t since)
{
	struct subscriber_info info;

	if (!subscriber_is_in_kernel(sub))
		return false;
	subscriber_get_info(sub, &info);
	return info.created < since && !kernel_l2tp_find(list, info.tunnel_id, info.session_id);
}

/* ---- items ---- */

static const char *pseudowire_name(unsigned int type)
{
	return type == L2TP_PWTYPE_PPP ? "PPP" : type == L2TP_PWTYPE_ETH ? "Ethernet" : NULL;
}

static json_t *sequencing_of(const struct kernel_l2tp_entry *entry)
{
	static const char *const names[] = { "none", "send", "receive", "both" };

	return json_string(names[(entry->send_seq ? 1 : 0) + (entry->recv_seq ? 2 : 0)]);
}

static void add_session(json_t *item, const struct kernel_l2tp_entry *entry)
{
	json_object_update_new(
		item, json_pack("{s:I, s:I, s:o, s:o, s:s, s:o, s:I, s:i, s:i, s:I, s:I}",
			      "session", (json_int_t)entry->session_id, "peer_session",
			      (json_int_t)entry->peer_session_id, "ifname",
			      engine_json_text(entry->ifname), "pseudowire",
			      engine_json_text(pseudowire_name(entry->pseudowire)), "mode",
			      entry->lns_mode ? "LNS" : "LAC", "sequencing", sequencing_of(entry),
			      "reorder_timeout_ms", (json_int_t)entry->reorder_timeout,
			      "send_cookie_octets", entry->send_cookie.len, "expect_cookie_octets",
			      entry->expect_cookie.len, "rx_out_of_sequence",
			      (json_int_t)entry->rx_out_of_sequence, "rx_sequence_discards",
			      (json_int_t)entry->rx_seq_discards));
	if (entry->has_details && (entry->send_seq || entry->recv_seq))
		json_object_update_new(
			item, json_pack("{s:I, s:I}", "next_send", (json_int_t)entry->next_send,
				      "next_receive", (json_int_t)entry->next_receive));
}

static void add_details(json_t *item, const struct kernel_l2tp_entry *entry)
{
	json_object_set_new(item, "references", json_integer(entry->references));
	if (!entry->is_session)
		json_object_set_new(item, "sockets", json_integer(entry->socket_references));
}

static json_t *entry_item(
	const struct kernel_l2tp_entry *entry, const struct engine_match *match, const char *name)
{
	json_t *item = json_pack(
		"{s:s, s:i, s:s, s:I, s:I, s:n, s:n, s:o, s:o, s:n, s:o, s:s, s:o, s:I, s:I, s:I, "
		"s:I, s:I, s:I}",
		"kind", entry->is_session ? "session" : "tunnel", "version", entry->version,
		"encapsulation", entry->encap ? "IP" : "UDP", "tunnel",
		(json_int_t)entry->tunnel_id, "peer_tunnel", (json_int_t)entry->peer_tunnel_id,
		"session", "peer_session", "local", engine_json_addr(&entry->local, !entry->encap),
		"peer", engine_json_addr(&entry->peer, !entry->encap), "ifname", "name",
		engine_json_text(name), "owner", match->owner, "mark",
		engine_json_text(marks[match->mark]), "rx_octets", (json_int_t)entry->rx_octets,
		"tx_octets", (json_int_t)entry->tx_octets, "rx_packets",
		(json_int_t)entry->rx_packets, "tx_packets", (json_int_t)entry->tx_packets,
		"rx_errors", (json_int_t)entry->rx_errors, "tx_errors",
		(json_int_t)entry->tx_errors);

	if (item && entry->is_session)
		add_session(item, entry);
	if (item && entry->has_details)
		add_details(item, entry);
	return item;
}

/* The kernel knows the interfaces of Ethernet sessions; those of PPP are told by pppd. */
static void set_ifname(struct kernel_l2tp_entry *entry, const struct subscriber_info *info)
{
	if (!entry->ifname[0])
		memcpy(entry->ifname, info->ifname,
			strnlen(info->ifname, sizeof(entry->ifname) - 1));
}

static json_t *kernel_item(struct engine_inspect *inspect)
{
	struct kernel_l2tp_entry entry;
	struct subscriber_info info;
	struct engine_match match;
	const char *name;

	if (inspect->next == inspect->list.count)
		return NULL;
	entry = inspect->list.entries[inspect->next++];
	engine_inspect_match(inspect->engine, &entry, &match);
	name = match.name;
	if (match.sub) {
		subscriber_get_info(match.sub, &info);
		set_ifname(&entry, &info);
		name = info.user;
	} else if (match.tunnel && !entry.is_session) {
		name = l2tp_tunnel_lac(match.tunnel->l2tp)->name;
	}
	return entry_item(&entry, &match, name);
}

/* What the kernel would show of a tunnel of ours, and of a session in it. */
static void expected_tunnel(const struct engine_tunnel *tunnel, struct kernel_l2tp_entry *ret_entry)
{
	struct l2tp_tunnel_info info;

	l2tp_tunnel_info(tunnel->l2tp, &info);
	*ret_entry = (struct kernel_l2tp_entry){
		.version = 2,
		.tunnel_id = info.id,
		.peer_tunnel_id = info.peer_id,
		.local = info.path.local,
		.peer = info.path.peer,
	};
}

static const struct engine_match missing = { .owner = "lnsd", .mark = ENGINE_MARK_MISSING };

static json_t *missing_static_item(struct engine_inspect *inspect)
{
	static const struct engine_match match = { .owner = "static", .mark = ENGINE_MARK_MISSING };
	struct engine_static_entry wanted;

	while (engine_statics_at(inspect->engine, inspect->next++, &wanted)) {
		const struct kernel_l2tp_entry *entry = kernel_l2tp_find(
			&inspect->list, wanted.entry.tunnel_id, wanted.entry.session_id);
		struct engine_static_match found;

		if (wanted.made < inspect->asked &&
			(!entry || (engine_statics_find(inspect->engine, entry, &found) &&
					   !found.is_ours)))
			return entry_item(&wanted.entry, &match, wanted.name);
	}
	return NULL;
}

static json_t *missing_tunnel_item(struct engine_inspect *inspect)
{
	struct engine *engine = inspect->engine;
	struct kernel_l2tp_entry entry;

	while (inspect->next <= UINT16_MAX) {
		const struct engine_tunnel *tunnel = engine->tunnels[inspect->next++];

		if (!tunnel ||
			!engine_inspect_tunnel_missing(tunnel, &inspect->list, inspect->asked))
			continue;
		expected_tunnel(tunnel, &entry);
		return entry_item(&entry, &missing, l2tp_tunnel_lac(tunnel->l2tp)->name);
	}
	return NULL;
}

static json_t *missing_session_item(struct engine_inspect *inspect)
{
	struct engine *engine = inspect->engine;
	struct kernel_l2tp_entry entry = { 0 };
	struct l2tp_session_info session;
	struct subscriber_info info;
	struct subscriber *sub;

	while ((sub = subscriber_next(engine->subscribers, inspect->key))) {
		subscriber_get_info(sub, &info);
		inspect->key = info.key;
		if (!engine_inspect_session_missing(sub, &inspect->list, inspect->asked))
			continue;
		if (engine->tunnels[info.tunnel_id])
			expected_tunnel(engine->tunnels[info.tunnel_id], &entry);
		if (info.l2tp) {
			l2tp_session_info(info.l2tp, &session);
			entry.peer_session_id = session.peer_id;
		}
		entry.is_session = 1;
		entry.session_id = info.session_id;
		entry.pseudowire = L2TP_PWTYPE_PPP;
		entry.lns_mode = true;
		set_ifname(&entry, &info);
		return entry_item(&entry, &missing, info.user);
	}
	return NULL;
}

static json_t *next_item(void *ctx, struct control_feed *feed)
{
	static json_t *(*const of_phase[])(struct engine_inspect * inspect) = {
		[PHASE_KERNEL] = kernel_item,
		[PHASE_STATICS] = missing_static_item,
		[PHASE_TUNNELS] = missing_tunnel_item,
		[PHASE_SESSIONS] = missing_session_item,
	};
	struct engine_inspect *inspect = control_feed_user(feed);

	(void)ctx;
	for (;;) {
		json_t *item = of_phase[inspect->phase](inspect);

		if (item || inspect->phase == PHASE_SESSIONS)
			return item;
		inspect->phase++;
		inspect->next = 0;
	}
}

/* ---- the request ---- */

static void inspect_free(struct engine_inspect *inspect)
{
	LIST_REMOVE(inspect, entry);
	kernel_cancel(inspect->job);
	kernel_l2tp_list_free(&inspect->list);
	free(inspect);
}

static void fail(struct engine_inspect *inspect, int err)
{
	control_feed_end(inspect->feed,
		err == -EOPNOTSUPP ? "this kernel does not tell: it lacks L2TPv3 (CONFIG_L2TP_V3), "
				     "and with it the netlink interface of L2TP"
				   : strerror(-err));
	inspect_free(inspect);
}

static void list_made(void *ctx, int err, int fd)
{
	struct engine_inspect *inspect = ctx;

	(void)fd;
	inspect->job = NULL;
	if (err) {
		fail(inspect, err);
		return;
	}
	inspect->phase = PHASE_KERNEL;
	control_feed_supply(inspect->feed, next_item);
}

/* Owns details, which may be -1. */
static int make_list(struct engine_inspect *inspect, int details)
{
	inspect->phase = PHASE_LIST;
	inspect->asked = env_now(inspect->engine->env);
	inspect->job = kernel_l2tp_dump(
		inspect->engine->kernel, details, &inspect->list, list_made, inspect);
	return inspect->job ? 0 : -ENOMEM;
}

void engine_inspect_opened(struct engine *engine, int fd)
{
	struct engine_inspect *inspect;

	LIST_FOREACH(inspect, &engine->inspects, entry)
		if (inspect->phase == PHASE_DETAILS)
			break;
	if (!inspect) {
		if (fd >= 0)
			close(fd);
	} else if (make_list(inspect, fd)) {
		fail(inspect, -ENOMEM);
	}
}

int engine_inspect_open(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size)
{
	struct engine *engine = ctx;
	struct engine_inspect *inspect = calloc(1, sizeof(*inspect));

	(void)args;
	(void)error;
	(void)size;
	if (!inspect)
		return -ENOMEM;
	inspect->engine = engine;
	inspect->feed = feed;
	LIST_INSERT_HEAD(&engine->inspects, inspect, entry);
	/* Without debugfs, or without somebody to open it, the rest is shown. */
	if (monitor_client_open(engine->monitor, MONITOR_OPEN_L2TP_DEBUGFS) &&
		make_list(inspect, -1)) {
		inspect_free(inspect);
		return -ENOMEM;
	}
	control_feed_set_user(feed, inspect);
	control_feed_wait(feed);
	return 0;
}

void engine_inspect_close(void *ctx, struct control_feed *feed)
{
	(void)ctx;
	inspect_free(control_feed_user(feed));
}
