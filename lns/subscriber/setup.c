// SPDX-License-Identifier: BSD-2-Clause
/*
 * setup: from the ICRQ to network-up: the kernel session, the fork of a pppd, and what that pppd
 * reports. queue.c says when a pppd may start.
 */
#include "lns/subscriber/internal.h"

#include "lns/log.h"
#include "lns/subscriber/route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPEN_DEADLINE  ENV_SEC(10) /* for the kernel to make the session */
#define PLACE_DEADLINE ENV_SEC(1)  /* for the ICCN, before another call gets the place */

/* Its lac section in the configuration of now; NULL when it is gone. */
static const struct config_lac *lac_section(const struct subscriber *sub)
{
	return config_find_lac_section(sub->all->config.config, sub->lac);
}

/* ---- setup ---- */

/* The kernel has the session: the LAC is answered, unless its call is connected already. */
static void go_on(struct subscriber *sub)
{
	if (sub->connected) {
		subscriber_begin_ppp(sub);
		return;
	}
	subscriber_enter(sub, SUBSCRIBER_WAITING);
	env_timer_start(sub->timer, PLACE_DEADLINE);
	l2tp_session_accept(sub->l2tp);
}

static void kernel_session_made(void *ctx, int err, int fd, uint32_t channel)
{
	struct subscriber *sub = ctx;
	char detail[128];

	sub->opening = NULL;
	if (err < 0) {
		snprintf(detail, sizeof(detail), "kernel session: %s", strerror(-err));
		subscriber_end(sub, END_NO_RESOURCE, detail);
		return;
	}
	sub->pppox = fd;
	sub->ppp_number = channel;
	go_on(sub);
}

void subscriber_begin(struct subscriber *sub)
{
	struct subscribers *all = sub->all;
	struct l2tp_tunnel *tunnel = l2tp_session_tunnel(sub->l2tp);
	int udp = all->host.tunnel_socket(all->host.ctx, tunnel);
	struct kernel_session wanted = { 0 };
	struct l2tp_tunnel_info tunnel_info;
	struct l2tp_session_info info;

	if (sub->pppox >= 0) {
		go_on(sub);
		return;
	}
	subscriber_enter(sub, SUBSCRIBER_OPENING);
	env_timer_start(sub->timer, OPEN_DEADLINE);
	l2tp_tunnel_info(tunnel, &tunnel_info);
	l2tp_session_info(sub->l2tp, &info);
	wanted.tunnel_id = tunnel_info.id;
	wanted.peer_tunnel_id = tunnel_info.peer_id;
	wanted.session_id = info.id;
	wanted.peer_session_id = info.peer_id;
	wanted.reorder_timeout = (unsigned int)(sub->reorder_timeout / ENV_MS(1));
	if (udp >= 0)
		sub->opening = kernel_session_open(
			all->host.kernel, udp, &wanted, kernel_session_made, sub);
	if (!sub->opening)
		subscriber_end(
			sub, END_NO_RESOURCE, udp < 0 ? "no kernel tunnel" : "out of memory");
}

/* A call of which nothing is kept. */
static void refuse_call(struct subscribers *all, struct l2tp_session *session,
	enum end_reason reason, const char *detail)
{
	const struct l2tp_lac *lac = l2tp_tunnel_lac(l2tp_session_tunnel(session));
	struct l2tp_result result;

	struct l2tp_tunnel_info tunnel;
	const struct l2tp_call *call = l2tp_session_call(session);

	l2tp_tunnel_info(l2tp_session_tunnel(session), &tunnel);
	end_result(reason, detail, &result);
	subscriber_remember_refusal(all, reason, detail,
		&(struct l2tp_refusal){ .lac = lac->name,
			.peer = &tunnel.path.peer,
			.host_name = tunnel.host_name,
			.tunnel_id = tunnel.id,
			.calling = call->calling_number,
			.called = call->called_number,
			.result = &result });
	l2tp_session_close(session, &result);
}

static struct subscriber *subscriber_new(struct subscribers *all, struct l2tp_session *session)
{
	struct subscriber *sub = calloc(1, sizeof(*sub));
	const struct config_lac *lac;
	struct l2tp_session_info info;
	struct l2tp_tunnel_info tunnel;

	if (!sub)
		return NULL;
	sub->key = state_next_key(all->host.state);
	sub->timer = env_timer_new(all->host.env, subscriber_timer_fires, sub);
	sub->record = state_session_take(all->host.state, sub->key);
	l2tp_session_info(session, &info);
	l2tp_tunnel_info(l2tp_session_tunnel(session), &tunnel);
	sub->source = source_get(all, &tunnel.path.peer);
	if (!sub->timer || !sub->record || !sub->source) {
		env_timer_free(sub->timer);
		if (sub->record)
			state_session_release(all->host.state, sub->record);
		if (sub->source)
			source_put(sub->source);
		free(sub);
		return NULL;
	}
	sub->all = all;
	sub->l2tp = session;
	sub->pppox = -1;
	sub->tunnel_id = sub->record->tunnel_id = tunnel.id;
	sub->session_id = sub->record->session_id = info.id;
	sub->created = env_now(all->host.env);
	snprintf(sub->acct_session_id, sizeof(sub->acct_session_id), "%016llx",
		(unsigned long long)sub->key);
	snprintf(sub->name, sizeof(sub->name), "l2tp%u-%u", tunnel.id, info.id);
	snprintf(sub->lac, sizeof(sub->lac), "%s",
		l2tp_tunnel_lac(l2tp_session_tunnel(session))->name);
	snprintf(sub->ppp, sizeof(sub->ppp), "%s",
		l2tp_tunnel_lac(l2tp_session_tunnel(session))->ppp);
	snprintf(sub->peer_host, sizeof(sub->peer_host), "%s", tunnel.host_name);
	sub->peer = tunnel.path.peer;
	snprintf(sub->calling, sizeof(sub->calling), "%s",
		l2tp_session_call(session)->calling_number);
	snprintf(sub->called, sizeof(sub->called), "%s", l2tp_session_call(session)->called_number);
	sub->created_wallclock = env_wallclock(all->host.env);
	lac = lac_section(sub);
	sub->reorder_timeout = lac ? lac->reorder_timeout : 0;
	sub->entered = sub->created;
	sub->tally = tally_lac(&all->tally, sub->lac);
	sub->tally->sessions[SUBSCRIBER_QUEUED]++;
	LIST_INSERT_HEAD(subscriber_bucket_of(all->by_key, sub->key), sub, by_key);
	LIST_INSERT_HEAD(
		subscriber_bucket_of(all->by_call, subscriber_nas_port(sub)), sub, by_call);
	TAILQ_INSERT_TAIL(&all->order, sub, in_order);
	all->count++;
	l2tp_session_set_user(session, sub);
	all->host.hold(all->host.ctx, l2tp_session_tunnel(session));
	return sub;
}

void subscriber_call_request(struct subscribers *all, struct l2tp_session *session)
{
	struct l2tp_tunnel *tunnel = l2tp_session_tunnel(session);
	struct l2tp_tunnel_info tunnel_info;
	struct subscriber *sub;

	all->counters.requested++;
	tally_lac(&all->tally, l2tp_tunnel_lac(tunnel)->name)->calls++;
	l2tp_tunnel_info(tunnel, &tunnel_info);
	if (subscriber_is_hopeless(all, &tunnel_info.path.peer)) {
		refuse_call(all, session, END_BUSY, "the queue is longer than setup-timeout");
		return;
	}
	sub = subscriber_new(all, session);
	if (sub)
		subscriber_enqueue(sub);
	else
		refuse_call(all, session, END_NO_RESOURCE, "out of memory");
}

void subscriber_call_up(struct subscribers *all, struct l2tp_session *session)
{
	struct subscriber *sub = l2tp_session_user(session);

	if (!sub || sub->state > SUBSCRIBER_WAITING)
		return;
	snprintf(sub->calling, sizeof(sub->calling), "%s",
		l2tp_session_call(session)->calling_number);
	snprintf(sub->called, sizeof(sub->called), "%s", l2tp_session_call(session)->called_number);
	sub->connected = env_now(all->host.env);
	sub->setup_by = sub->connected + all->config.config->setup_timeout;
	if (sub->state != SUBSCRIBER_WAITING)
		return; /* a LAC that answered a call of ours does not wait for us */
	if (sub->counted_in_setup)
		subscriber_begin_ppp(sub);
	else
		subscriber_enqueue(sub);
}

/* ---- pppd ---- */

static void on_auth_request(void *ctx, const struct ppp_auth_request *request)
{
	struct subscriber *sub = ctx;

	sub->heard = true;
	if (sub->state != SUBSCRIBER_ENDING)
		subscriber_authenticate(sub, request);
}

static void on_eap_response(void *ctx, const struct ppp_eap *response)
{
	struct subscriber *sub = ctx;

	sub->heard = true;
	if (sub->state != SUBSCRIBER_ENDING)
		subscriber_authenticate_eap(sub, response);
}

void subscriber_authorised(struct subscriber *sub)
{
	if (sub->state == SUBSCRIBER_UP) {
		subscriber_time_session(sub);
		return;
	}
	sub->authorised = env_now(sub->all->host.env);
	subscriber_enter(sub, SUBSCRIBER_NETWORK);
}

static void on_link_up(void *ctx, const struct ppp_link_up *message)
{
	struct subscriber *sub = ctx;

	sub->heard = true;
	sub->link_ifindex = message->ifindex;
	if (!sub->link)
		sub->link = env_now(sub->all->host.env);
	sub->peer_mru = message->peer_mru;
	if (sub->l2tp && sub->state != SUBSCRIBER_ENDING)
		l2tp_session_set_link_info(sub->l2tp, message->send_accm, message->receive_accm);
}

void subscriber_log_online(const struct subscriber *sub)
{
	union addr remote = { .in4 = { .sin_family = AF_INET, .sin_addr = { sub->remote } } };
	char text[ADDR_TEXT];

	subscriber_log(sub, LOG_LEVEL_INFO,
		"user \"%s\" online, %s on %s, via LAC \"%s\" (%s), %llu ms after "
		"the call",
		sub->user_text, sub->remote ? addr_text_host(&remote, text) : "IPv6", sub->ifname,
		sub->lac, sub->peer_host, (unsigned long long)((sub->up - sub->created) / 1000));
}

/* For firewalls and for people: the interface's name says nothing. */
static void label_link(const struct subscriber *sub)
{
	uint32_t group = sub->all->config.config->link_group;
	char alias[KERNEL_ALIAS + 1];

	snprintf(alias, sizeof(alias), "%s session %s", sub->user_text, sub->acct_session_id);
	if (group)
		kernel_link_set_group(
			sub->all->host.kernel, sub->ifindex, group, alias, NULL, NULL);
}

static void comes_up(struct subscriber *sub, const struct ppp_ncp_up *message)
{
	struct subscribers *all = sub->all;

	sub->ifindex = message->ifindex;
	memcpy(sub->ifname, message->ifname, sizeof(sub->ifname));
	LIST_INSERT_HEAD(subscriber_bucket_of(all->by_ifindex, sub->ifindex), sub, by_ifindex);
	subscriber_enter(sub, SUBSCRIBER_UP);
	sub->up = env_now(all->host.env);
	all->counters.up++;
	tally_up(sub->tally, sub->up);
	all->counters.online++;
	subscriber_time_session(sub);
	label_link(sub);
	subscriber_account_start(sub, message);
	if (all->host.went_up)
		all->host.went_up(all->host.ctx, sub);
	subscriber_leave_place(sub);
	subscriber_start_next(all);
}

/* What IPCP agreed on must be what was granted. 0, or why not. */
static enum end_reason take_ipv4(struct subscriber *sub, const struct ppp_ncp_up *message)
{
	const struct authorization *grant = sub->granted;
	enum end_reason problem = END_NONE;

	if (!grant->ipv4 || message->remote == 0)
		return END_PPPD;
	if (grant->address == AUTHORIZATION_PEER_CHOOSES)
		problem = subscriber_claim_chosen(sub, ntohl(message->remote));
	else if (message->remote != htonl(grant->remote))
		problem = END_PPPD;
	if (problem == END_NONE) {
		sub->local = message->local;
		sub->remote = message->remote;
	}
	return problem;
}

static void on_ncp_up(void *ctx, const struct ppp_ncp_up *message)
{
	struct subscriber *sub = ctx;
	union addr remote = { .in4 = { .sin_family = AF_INET, .sin_addr = { message->remote } } };
	enum end_reason problem;
	char text[ADDR_TEXT], detail[128];

	if (sub->state == SUBSCRIBER_ENDING)
		return;
	if (!sub->granted || (sub->state != SUBSCRIBER_NETWORK && sub->state != SUBSCRIBER_UP) ||
		(sub->state == SUBSCRIBER_UP && message->ifindex != sub->ifindex)) {
		subscriber_end(sub, END_PPPD, "pppd reported a network out of turn");
		return;
	}
	problem = message->family == PPP_IPV4 ? take_ipv4(sub, message)
		  : sub->granted->ipv6        ? END_NONE
					      : END_PPPD;
	if (problem != END_NONE) {
		snprintf(detail, sizeof(detail), "%s%s",
			problem == END_PPPD ? "it reported what was not granted: " : "",
			message->family == PPP_IPV4 ? addr_text_host(&remote, text) : "IPv6");
		subscriber_end(sub, problem, detail);
		return;
	}
	sub->families_up |= 1u << message->family;
	if (message->family == PPP_IPV6)
		memcpy(sub->interface_id, message->remote_id, sizeof(sub->interface_id));
	subscriber_auth_clear(sub);
	if (sub->state == SUBSCRIBER_NETWORK)
		comes_up(sub, message);
	subscriber_routes_up(sub, message->family);
}

static void on_ncp_down(void *ctx, const struct ppp_ncp_down *message)
{
	struct subscriber *sub = ctx;

	sub->families_up &= ~(1u << message->family);
	if (sub->state != SUBSCRIBER_ENDING)
		subscriber_routes_down(sub, message->family);
}

/* pppd's end in its own words, when it was not ours; and where to look. */
static const struct pppd_end {
	enum end_reason reason;
	const char *detail;
} pppd_ends[] = {
	[PPP_END_PEER] = { END_CLIENT, NULL },
	[PPP_END_LCP_FAILED] = { END_LCP, "no answer, or no agreement: does the LAC pass frames?" },
	[PPP_END_AUTH_FAILED] = { END_REFUSED, NULL },
	[PPP_END_AUTH_TIMEOUT] = { END_AUTH_TIMEOUT, "it gave no name and password in time" },
	[PPP_END_ECHO_TIMEOUT] = { END_ECHO, NULL },
	[PPP_END_NCP_FAILED] = { END_NCP,
		"no agreement on IPv4 or IPv6: does it take an address?" },
	[PPP_END_SIGNAL] = { END_OPERATOR, NULL },
	[PPP_END_HANGUP] = { END_TUNNEL, NULL },
	[PPP_END_LOOP] = { END_LOOP, "our own frames come back from the LAC" },
	[PPP_END_OTHER] = { END_PPPD, NULL },
};

static void on_link_down(void *ctx, const struct ppp_link_down *message)
{
	const size_t count = sizeof(pppd_ends) / sizeof(pppd_ends[0]);
	const struct pppd_end *end =
		&pppd_ends[message->end < count ? message->end : PPP_END_OTHER];

	subscriber_ends_itself(ctx, end->reason, end->detail);
}

static void on_channel_closed(void *ctx, const char *reason)
{
	struct subscriber *sub = ctx;

	subscriber_close_channel(sub);
	if (!reason) { /* its exit follows, and says more */
		subscriber_ends_itself(sub, END_PPPD, NULL);
		return;
	}
	subscriber_log(sub, LOG_LEVEL_ERROR, "pppd broke the protocol: %s", reason);
	subscriber_end(sub, END_PPPD, reason);
}

static const struct ppp_channel_ops channel_ops = {
	.auth_request = on_auth_request,
	.eap_response = on_eap_response,
	.link_up = on_link_up,
	.ncp_up = on_ncp_up,
	.ncp_down = on_ncp_down,
	.link_down = on_link_down,
	.closed = on_channel_closed,
};

/* ---- its start ---- */

/*
 * An authentication of a type that is not in RFC 2661 section 4.4.5 says nothing to us: the client is
 * authenticated here, as if there were no Proxy Authen Type.
 */
static void fill_proxy(struct ppp_proxy *proxy, const struct l2tp_call *call)
{
	bool known = call->proxy_authen_type <= PPP_PROXY_AUTHEN_MAX;

	proxy->authen_type = known ? call->proxy_authen_type : 0;
	proxy->authen_id = call->proxy_authen_id;
	proxy->initial_received_len = call->initial_received_len;
	proxy->last_sent_len = call->last_sent_len;
	proxy->last_received_len = call->last_received_len;
	proxy->name_len = known ? call->proxy_name_len : 0;
	proxy->challenge_len = known ? call->proxy_challenge_len : 0;
	proxy->response_len = known ? call->proxy_response_len : 0;
	memcpy(proxy->initial_received, call->initial_received, sizeof(proxy->initial_received));
	memcpy(proxy->last_sent, call->last_sent, sizeof(proxy->last_sent));
	memcpy(proxy->last_received, call->last_received, sizeof(proxy->last_received));
	memcpy(proxy->name, call->proxy_name, sizeof(proxy->name));
	memcpy(proxy->challenge, call->proxy_challenge, sizeof(proxy->challenge));
	memcpy(proxy->response, call->proxy_response, sizeof(proxy->response));
}

/* The lac section may overrule its ppp section. */
static int proxy_policy(const struct subscriber *sub, const struct config_ppp *ppp)
{
	const struct config_lac *lac = lac_section(sub);

	return lac && lac->proxy_lcp >= 0 ? lac->proxy_lcp : ppp->proxy_lcp;
}

/*
 * Numbers data packets when the LAC requires it, or we do (RFC 2661 sections 4.4.4 and 5.4). Not before
 * the first frame of ours is about to leave: a LAC that was not asked yet sends without numbers.
 */
static int sequence_data(struct subscriber *sub)
{
	const struct config_lac *lac = lac_section(sub);

	sub->sequencing = l2tp_session_call(sub->l2tp)->sequencing_required ||
			  (lac && lac->sequencing == CONFIG_SEQUENCING_DEMAND);
	return sub->sequencing ? kernel_session_sequence(sub->pppox) : 0;
}

static void fill_ends(struct ppp_fork *request, const struct l2tp_tunnel *tunnel)
{
	struct l2tp_tunnel_info info;

	l2tp_tunnel_info(tunnel, &info);
	request->tunnel_local = htonl(addr_in4(&info.path.local));
	request->tunnel_peer = htonl(addr_in4(&info.path.peer));
}

/* 0, -EAGAIN when no template is ready, or -errno. */
static int start_pppd(struct subscriber *sub)
{
	struct subscribers *all = sub->all;
	const struct config_ppp *ppp = subscriber_ppp(sub);
	struct ppp_template *template = all->host.template(all->host.ctx, sub->ppp);
	int udp = all->host.tunnel_socket(all->host.ctx, l2tp_session_tunnel(sub->l2tp));
	struct ppp_fork request = { 0 };
	int plugin_fd, err;

	if (!ppp)
		return -ENOENT;
	if (!template)
		return -EAGAIN;
	if (udp < 0)
		return -ENOTCONN;
	err = sequence_data(sub);
	if (err < 0)
		return err;
	err = ppp_channel_new(
		all->host.env, sub->key, &channel_ops, sub, &sub->channel, &plugin_fd);
	if (err < 0)
		return err;
	request.exec = ppp->exec;
	request.mtu = ppp->mtu;
	request.mru = ppp->mru;
	request.proxy_lcp = (uint16_t)proxy_policy(sub, ppp);
	request.channel = sub->ppp_number;
	fill_ends(&request, l2tp_session_tunnel(sub->l2tp));
	snprintf(request.name, sizeof(request.name), "%s", sub->name);
	if (request.proxy_lcp != PPP_PROXY_NEVER)
		fill_proxy(&request.proxy, l2tp_session_call(sub->l2tp));
	err = ppp_template_fork(template, sub->key, &request, sub->pppox, plugin_fd, udp);
	explicit_bzero(&request, sizeof(request));
	close(plugin_fd);
	subscriber_close_pppox(sub);
	if (err < 0) {
		ppp_channel_free(sub->channel);
		sub->channel = NULL;
		return err;
	}
	all->host.keep_channel(all->host.ctx, sub->key, ppp_channel_fd(sub->channel));
	sub->fork_pending = true;
	sub->forked = env_now(all->host.env);
	return 0;
}

void subscriber_begin_ppp(struct subscriber *sub)
{
	char detail[128];
	int err;

	subscriber_fit_window(sub->all);
	subscriber_enter(sub, SUBSCRIBER_FORKING);
	env_timer_start(sub->timer, sub->all->config.config->setup_timeout);
	err = start_pppd(sub);
	if (err == -EAGAIN) { /* its template died meanwhile */
		subscriber_leave_place(sub);
		subscriber_enqueue(sub);
	} else if (err < 0) {
		snprintf(detail, sizeof(detail), "ppp \"%s\": %s", sub->ppp, strerror(-err));
		subscriber_end(sub, END_NO_RESOURCE, detail);
	}
}

void subscribers_forked(struct subscribers *all, uint64_t key, int error, int pid)
{
	struct subscriber *sub = subscriber_find(all, key);
	char detail[64];

	if (!sub || !sub->fork_pending)
		return;
	sub->fork_pending = false;
	all->counters.pppd_starts += error == 0;
	all->counters.pppd_failures += error < 0;
	sub->pid = error < 0 ? 0 : pid;
	/* A template that died may have answered for a pppd that it had started: that one speaks. */
	sub->running = error == 0 || sub->heard;
	if (!sub->running && sub->state != SUBSCRIBER_ENDING) {
		subscriber_signal(sub, MONITOR_SIGNAL_KILL); /* or it has not spoken yet */
		snprintf(detail, sizeof(detail), "pppd could not be started: %s", strerror(-error));
		subscriber_end(sub, END_NO_RESOURCE, detail);
	} else if (!sub->running) {
		subscriber_rests(sub);
	} else if (sub->state == SUBSCRIBER_ENDING) {
		subscriber_signal(sub, MONITOR_SIGNAL_KILL);
	} else if (sub->state == SUBSCRIBER_FORKING) {
		subscriber_enter(sub, SUBSCRIBER_LINK);
		subscriber_launched(sub);
	}
}
