// SPDX-License-Identifier: BSD-2-Clause
/*
 * info: what is known of a subscriber, for people.
 */
#include "lns/subscriber/internal.h"

#include "lns/subscriber/accounting.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const state_names[] = {
	[SUBSCRIBER_QUEUED] = "queued",
	[SUBSCRIBER_OPENING] = "opening",
	[SUBSCRIBER_WAITING] = "waiting",
	[SUBSCRIBER_FORKING] = "forking",
	[SUBSCRIBER_LINK] = "link",
	[SUBSCRIBER_NETWORK] = "network",
	[SUBSCRIBER_UP] = "up",
	[SUBSCRIBER_ENDING] = "ending",
};

static const char *auth_name(unsigned int protocol)
{
	static const char *const names[] = {
		[PPP_AUTH_PAP] = "PAP",
		[PPP_AUTH_CHAP_MD5] = "CHAP",
		[PPP_AUTH_MSCHAP_V2] = "MS-CHAPv2",
		[PPP_AUTH_EAP] = "EAP",
	};

	return protocol > 0 && protocol < sizeof(names) / sizeof(names[0]) ? names[protocol] : "-";
}

const char *subscriber_state_word(unsigned int state)
{
	return state_names[state];
}

const char *subscriber_state_name(const struct subscriber *sub)
{
	return state_names[sub->state];
}

void subscriber_log(const struct subscriber *sub, enum log_level level, const char *format, ...)
{
	char text[1024], tunnel[8], call[8], peer[ADDR_TEXT];
	const struct log_field fields[] = {
		{ "LNS_SESSION", sub->acct_session_id },
		{ "LNS_USER", sub->user_text },
		{ "LNS_LAC", sub->lac },
		{ "LNS_PEER", sub->peer_host },
		{ "LNS_PEER_ADDRESS", addr_text_host(&sub->peer, peer) },
		{ "LNS_TUNNEL", tunnel },
		{ "LNS_CALL", call },
		{ "LNS_INTERFACE", sub->ifname },
		{ NULL, NULL },
	};
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(tunnel, sizeof(tunnel), "%u", sub->tunnel_id);
	snprintf(call, sizeof(call), "%u", sub->session_id);
	log_line_with(level, fields, "session %s: %s", sub->acct_session_id, text);
}

static uint64_t since(const struct subscriber *sub, uint64_t when)
{
	return when ? when - sub->created : 0;
}

/* Until the end of its network, when that has come. */
static uint64_t uptime(const struct subscriber *sub)
{
	uint64_t until = sub->stop_clock ? sub->stop_clock : env_now(sub->all->host.env);

	return sub->up ? until - sub->up : 0;
}

void subscriber_get_info(const struct subscriber *sub, struct subscriber_info *ret_info)
{
	*ret_info = (struct subscriber_info){
		.key = sub->key,
		.state = subscriber_state_name(sub),
		.acct_session_id = sub->acct_session_id,
		.user = sub->user_text,
		.ppp = sub->ppp,
		.ifname = sub->ifname,
		.l2tp = sub->l2tp,
		.tunnel_id = sub->tunnel_id,
		.session_id = sub->session_id,
		.call = sub->l2tp ? l2tp_session_call(sub->l2tp) : NULL,
		.lac = sub->lac,
		.peer_host = sub->peer_host,
		.pid = sub->pid,
		.ifindex = sub->ifindex,
		.local.in4 = { .sin_family = sub->local ? AF_INET : AF_UNSPEC,
			.sin_addr = { sub->local } },
		.remote.in4 = { .sin_family = sub->remote ? AF_INET : AF_UNSPEC,
			.sin_addr = { sub->remote } },
		.limits = sub->limits,
		.auth = auth_name(sub->protocol),
		.sequencing = sub->sequencing,
		.reorder_timeout = sub->reorder_timeout,
		.radius_server = sub->server,
		.created = sub->created,
		.connected = since(sub, sub->connected),
		.forked = since(sub, sub->forked),
		.link = since(sub, sub->link),
		.authorised = since(sub, sub->authorised),
		.up = since(sub, sub->up),
		.in_state = env_now(sub->all->host.env) - sub->entered,
		.created_wallclock = sub->created_wallclock,
		.rx_bps = sub->rx_bps,
		.tx_bps = sub->tx_bps,
		.calling = sub->calling,
		.called = sub->called,
		.granted = sub->granted,
		.detail = sub->detail,
		.uptime = uptime(sub),
		.raw_user = sub->user,
		.peer = sub->peer,
		.interface_id = sub->interface_id,
		.up_wallclock = sub->up ? sub->record->up_wallclock : 0,
	};
	if (sub->state == SUBSCRIBER_ENDING) {
		ret_info->end = end_rule(sub->reason)->text;
		ret_info->terminate_cause =
			sub->lac_cause ? sub->lac_cause : end_rule(sub->reason)->acct_cause;
	}
	if (sub->up)
		accounting_since(sub->record, sub->link_gone ? &sub->final : &sub->record->last,
			&ret_info->counters);
	if (sub->granted) {
		ret_info->mtu = sub->granted->mtu;
		ret_info->session_timeout = sub->granted->session_timeout;
		ret_info->idle_timeout = sub->granted->idle_timeout;
		ret_info->interim = sub->granted->interim;
		for (int i = 0; i < 2; i++)
			ret_info->dns[i].in4 = (struct sockaddr_in){
				.sin_family = sub->granted->dns[i] ? AF_INET : AF_UNSPEC,
				.sin_addr = { htonl(sub->granted->dns[i]) },
			};
	}
}
