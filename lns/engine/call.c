// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/call: `lnsctl call`: a call for a LAC to place (RFC 2661 section 7.5), and how it goes.
 *
 * The call belongs to L2TP and, once the LAC has answered, to a subscriber. Here is only the operator
 * who waits for it: owned by the engine until the call is up, has failed, or the operator goes. The call
 * goes on without him.
 */
#include "lns/engine/internal.h"

#include "lns/control/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_L2TP       1701
#define ANY_BEARER      3 /* analog or digital */
#define ANY_FRAMING     3 /* asynchronous or synchronous */
#define DEFAULT_MAXIMUM UINT32_MAX

struct engine_call {
	LIST_ENTRY(engine_call) entry;
	struct control_feed *feed;
	uint16_t tunnel_id, session_id;
};

static void call_free(struct engine_call *call)
{
	LIST_REMOVE(call, entry);
	free(call);
}

static struct engine_call *find_call(struct engine *engine, const struct l2tp_session *session)
{
	struct l2tp_tunnel_info tunnel;
	struct l2tp_session_info info;
	struct engine_call *call;

	l2tp_session_info(session, &info);
	if (!info.outgoing)
		return NULL;
	l2tp_tunnel_info(l2tp_session_tunnel(session), &tunnel);
	LIST_FOREACH(call, &engine->calls, entry)
		if (call->tunnel_id == tunnel.id && call->session_id == info.id)
			return call;
	return NULL;
}

static void tell(const struct engine_call *call, const char *state)
{
	control_feed_push(call->feed, json_pack("{s:s, s:i, s:i}", "state", state, "tunnel",
					      call->tunnel_id, "session", call->session_id));
}

void engine_call_answered(struct engine *engine, struct l2tp_session *session)
{
	struct engine_call *call = find_call(engine, session);

	if (call)
		tell(call, "dialing");
}

void engine_call_up(struct engine *engine, struct l2tp_session *session)
{
	struct engine_call *call = find_call(engine, session);

	if (!call)
		return;
	tell(call, "connected");
	control_feed_end(call->feed, NULL);
	call_free(call);
}

void engine_call_down(
	struct engine *engine, struct l2tp_session *session, const struct l2tp_result *result)
{
	struct engine_call *call = find_call(engine, session);
	char text[256];

	if (!call)
		return;
	l2tp_result_text(L2TP_CDN, result, text, sizeof(text));
	control_feed_end(call->feed, text);
	call_free(call);
}

/* ---- where to ---- */

static const struct config_lac *find_lac(const struct engine *engine, const char *name)
{
	for (size_t n = 0; n < engine->config->lac_count; n++)
		if (strcmp(engine->config->lacs[n].lac.name, name) == 0)
			return &engine->config->lacs[n];
	return NULL;
}

/* An established tunnel of the lac section, to this address unless that is NULL. */
static struct l2tp_tunnel *find_open_tunnel(
	struct engine *engine, const char *lac, const union addr *address)
{
	struct l2tp_tunnel_info info = { 0 };

	for (struct l2tp_tunnel *tunnel = l2tp_tunnel_next(engine->l2tp, 0); tunnel;
		tunnel = l2tp_tunnel_next(engine->l2tp, info.id)) {
		l2tp_tunnel_info(tunnel, &info);
		if (info.since && strcmp(info.state, "established") == 0 &&
			strcmp(l2tp_tunnel_lac(tunnel)->name, lac) == 0 &&
			(!address || addr_equal_host(&info.path.peer, address)))
			return tunnel;
	}
	return NULL;
}

/* The only address that the section's peers may have. */
static bool only_address(const struct config_lac *lac, union addr *ret_address)
{
	const struct addr_prefix *peer = lac->peers;

	if (lac->peer_count != 1 || peer->len != (peer->addr.sa.sa_family == AF_INET ? 32u : 128u))
		return false;
	*ret_address = peer->addr;
	return true;
}

static bool is_peer(const struct config_lac *lac, const union addr *address)
{
	for (size_t n = 0; n < lac->peer_count; n++)
		if (addr_prefix_contains(&lac->peers[n], address))
			return true;
	return false;
}

/* Opens a tunnel to the LAC, from a listener of the same family. */
static int open_tunnel(struct engine *engine, const struct config_lac *lac,
	const union addr *address, struct l2tp_tunnel **ret_tunnel)
{
	struct l2tp_path path = { .peer = *address };
	struct engine_listener *listener;

	addr_set_port(&path.peer, PORT_L2TP);
	LIST_FOREACH(listener, &engine->listeners, entry) {
		net_socket_local(listener->socket, &path.local);
		if (path.local.sa.sa_family != address->sa.sa_family)
			continue;
		path.socket = listener->socket;
		return l2tp_tunnel_connect(engine->l2tp, &path, &lac->lac, ret_tunnel);
	}
	return -EAFNOSUPPORT;
}

static struct l2tp_tunnel *tunnel_of_lac(
	struct engine *engine, const json_t *args, const char *name, char *error, size_t size)
{
	const struct config_lac *lac = find_lac(engine, name);
	const char *text = json_string_value(json_object_get(args, "address"));
	struct l2tp_tunnel *tunnel;
	union addr address;
	int err;

	if (!lac) {
		snprintf(error, size, "no such lac section");
		return NULL;
	}
	if (text && (addr_parse(text, 0, &address) < 0 || !is_peer(lac, &address))) {
		snprintf(error, size, "that is not the address of a peer of this lac section");
		return NULL;
	}
	tunnel = find_open_tunnel(engine, name, text ? &address : NULL);
	if (tunnel)
		return tunnel;
	if (!text && !only_address(lac, &address)) {
		snprintf(error, size, "no tunnel of this lac is open; to which address?");
		return NULL;
	}
	err = open_tunnel(engine, lac, &address, &tunnel);
	if (err < 0) {
		snprintf(error, size, "no tunnel can be opened: %s", strerror(-err));
		return NULL;
	}
	return tunnel;
}

/* ---- the request ---- */

static bool number_is_good(const char *number)
{
	return number && *number && strlen(number) <= 64 &&
	       strspn(number, "0123456789*#+ABCDabcd") == strlen(number);
}

static bool speed_of(const json_t *args, const char *key, uint32_t absent, uint32_t *ret_speed)
{
	const json_t *value = json_object_get(args, key);
	json_int_t speed = json_integer_value(value);

	*ret_speed = value ? (uint32_t)speed : absent;
	return !value || (json_is_integer(value) && speed > 0 && speed <= UINT32_MAX);
}

static bool read_request(
	const json_t *args, struct l2tp_call_request *ret_request, char *error, size_t size)
{
	struct l2tp_call_request request = {
		.called_number = json_string_value(json_object_get(args, "number")),
		.sub_address = json_string_value(json_object_get(args, "sub_address")),
		.bearer_type = ANY_BEARER,
		.framing_type = ANY_FRAMING,
	};

	if (!number_is_good(request.called_number) ||
		(request.sub_address && !number_is_good(request.sub_address))) {
		snprintf(error, size, "a number has 1 to 64 digits (or * # + A B C D)");
		return false;
	}
	if (!speed_of(args, "minimum_bps", 1, &request.minimum_bps) ||
		!speed_of(args, "maximum_bps", DEFAULT_MAXIMUM, &request.maximum_bps) ||
		request.minimum_bps > request.maximum_bps) {
		snprintf(error, size, "speeds are in bit/s, the minimum not above the maximum");
		return false;
	}
	*ret_request = request;
	return true;
}

static const char *why_not(int err)
{
	switch (err) {
	case -EOPNOTSUPP:
		return "the LAC says that it does not place such calls";
	case -ESHUTDOWN:
		return "the tunnel is closing";
	case -EUSERS:
		return "a limit of sessions is reached, or new calls are refused";
	default:
		return strerror(-err);
	}
}

int engine_call_open(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size)
{
	struct engine *engine = ctx;
	const char *lac = json_string_value(json_object_get(args, "lac"));
	struct l2tp_call_request request;
	struct l2tp_tunnel_info tunnel_info;
	struct l2tp_session_info info;
	struct l2tp_session *session;
	struct l2tp_tunnel *tunnel;
	struct engine_call *call;
	int err;

	if (!read_request(args, &request, error, size))
		return -EINVAL;
	call = calloc(1, sizeof(*call));
	if (!call)
		return -ENOMEM;
	tunnel = lac ? tunnel_of_lac(engine, args, lac, error, size)
		     : engine_control_tunnel(engine, args, "tunnel", error, size);
	err = tunnel ? l2tp_session_place(tunnel, &request, &session) : -ENOENT;
	if (err < 0) {
		if (tunnel)
			snprintf(error, size, "%s", why_not(err));
		free(call);
		return err;
	}
	l2tp_session_info(session, &info);
	l2tp_tunnel_info(tunnel, &tunnel_info);
	call->feed = feed;
	call->tunnel_id = tunnel_info.id;
	call->session_id = info.id;
	control_feed_set_user(feed, call);
	LIST_INSERT_HEAD(&engine->calls, call, entry);
	tell(call, "placed");
	return 0;
}

void engine_call_close(void *ctx, struct control_feed *feed)
{
	(void)ctx;
	call_free(control_feed_user(feed));
}
