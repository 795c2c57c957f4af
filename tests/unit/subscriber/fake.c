// SPDX-License-Identifier: BSD-2-Clause
/* fake: see fake.h. */
#include "tests/unit/subscriber/fake.h"

#include "radius/attr_codes.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct world w;

/* ---- the world ---- */

void world_init(void)
{
	memset(&w, 0, sizeof(w));
	w.env = env_fake_new();
	w.config.ppps = w.ppps;
	w.config.ppp_count = 1;
	w.config.pools = &w.pool;
	w.config.pool_count = 1;
	w.config.users = w.users;
	w.config.has_radius = true;
	w.config.setup_limit = 64;
	w.config.setup_timeout = ENV_SEC(60);
	w.config.sample_interval = ENV_SEC(10);
	w.config.radius.checkpoint_interval = ENV_SEC(10);
	w.config.link_group = 7;
	snprintf(w.config.name, sizeof(w.config.name), "lns.example.net");
	for (int i = 0; i < 2; i++) {
		snprintf(w.ppps[i].name, sizeof(w.ppps[i].name), i ? "q" : "p");
		snprintf(w.ppps[i].pool, sizeof(w.ppps[i].pool), "o");
		addr_parse("100.64.0.1", 0, &w.ppps[i].local_address);
		w.ppps[i].mtu = w.ppps[i].mru = 1460;
		w.ppps[i].ipv4 = true;
	}
	snprintf(w.pool.name, sizeof(w.pool.name), "o");
	w.range = (struct config_pool_range){ 0x64400010, 0x64400010 + FAKE_CALLS };
	w.pool.ranges = &w.range;
	w.pool.range_count = 1;
	w.l2tp.tunnel.id = 12;
	w.l2tp.tunnel.peer_id = 99;
	w.l2tp.tunnel.host_name = "bng1";
	addr_parse("192.0.2.1", 1701, &w.l2tp.tunnel.path.local);
	addr_parse("198.51.100.7", 1701, &w.l2tp.tunnel.path.peer);
	snprintf(w.l2tp.lac.name, sizeof(w.l2tp.lac.name), "wholesale");
	snprintf(w.l2tp.lac.ppp, sizeof(w.l2tp.lac.ppp), "p");
}

void world_reload(void)
{
	const struct subscribers_config config = {
		.config = &w.config,
		.users = w.index,
		.auth = w.config.has_radius && !w.no_auth ? (struct radius_client *)&w.spool : NULL,
		.spool = w.no_spool ? NULL : (struct radius_spool *)&w.spool,
	};

	subscribers_configure(w.all, &config);
}

void world_start(void)
{
	struct subscribers_host host = fake_host;

	w.pools = pools_new();
	w.index = users_new(&w.config);
	cr_assert(w.pools && w.index);
	cr_assert_eq(pools_configure(w.pools, &w.config), 0);
	host.env = w.env;
	host.pools = w.pools;
	cr_assert_eq(subscribers_new(&host, &w.all), 0);
	world_reload();
}

void world_end(void)
{
	struct pool_info info;
	const struct subscribers_counters *c = subscribers_get_counters(w.all);

	cr_assert_eq(subscribers_count(w.all), 0, "%u sessions are left", subscribers_count(w.all));
	cr_assert(!c->queued && !c->in_setup && !c->online, "counters: %u %u %u", c->queued,
		c->in_setup, c->online);
	subscribers_free(w.all);
	cr_assert_null(w.kernel.jobs, "a kernel job is left");
	cr_assert_eq(w.kernel.descriptors, 0, "%u session sockets are left", w.kernel.descriptors);
	cr_assert_eq(w.ppp.channels, 0, "%u channels are left", w.ppp.channels);
	cr_assert_eq(w.monitor.kept, 0, "%d channels are kept", w.monitor.kept);
	cr_assert_eq(w.monitor.records, 0, "%u records are left", w.monitor.records);
	cr_assert_eq(w.l2tp.holds, 0, "the tunnel is held %d times", w.l2tp.holds);
	for (unsigned int i = 0; i < w.l2tp.count; i++)
		cr_assert(w.l2tp.calls[i].closed, "call %u is open", i);
	cr_assert_eq(pools_info(w.pools, 0, &info), 0);
	cr_assert_eq(info.used, 0, "%u addresses are in use", info.used);
	cr_assert_eq(pools_outside(w.pools), 0);
	fake_spool_free();
	pools_free(w.pools);
	users_free(w.index);
	env_fake_free(w.env);
}

void done(const char *format, ...)
{
	size_t used = strlen(w.log);
	va_list args;

	cr_assert_lt(used, sizeof(w.log) - 100, "the log is full");
	if (used)
		w.log[used++] = ' ';
	va_start(args, format);
	vsnprintf(w.log + used, sizeof(w.log) - used, format, args);
	va_end(args);
}

/* A prompt kernel has made the sessions by the end of a turn. */
static void kernel_works(void)
{
	struct kernel_job *job;

	while (w.kernel.prompt && (job = fake_kernel_job("open", NULL)))
		fake_kernel_answer(job, 0);
}

const struct subscribers_counters *counters(void)
{
	kernel_works();
	return subscribers_get_counters(w.all);
}

void expect_at(int line, const char *words)
{
	env_fake_advance(w.env, 0); /* signals leave at the end of a turn */
	kernel_works();
	cr_assert_str_eq(w.log, words, "line %d: done \"%s\", expected \"%s\"", line, w.log, words);
	w.log[0] = '\0';
}

static struct subscriber *find(const struct l2tp_session *call)
{
	return subscriber_find(w.all, call->key);
}

static struct subscriber *get(const struct l2tp_session *call)
{
	struct subscriber *sub = find(call);

	cr_assert_not_null(sub, "the session is gone");
	return sub;
}

const char *state_of(const struct l2tp_session *call)
{
	const struct subscriber *sub;

	kernel_works();
	sub = find(call);
	if (!sub)
		return "gone";
	return sub->state == SUBSCRIBER_ENDING ? end_rule(sub->reason)->text
					       : subscriber_state_name(sub);
}

/* ---- what happens ---- */

struct l2tp_session *lac_calls(void)
{
	struct l2tp_session *call = &w.l2tp.calls[w.l2tp.count++];

	cr_assert_leq(w.l2tp.count, FAKE_CALLS);
	call->info.id = (uint16_t)(100 + w.l2tp.count);
	call->info.peer_id = (uint16_t)(500 + w.l2tp.count);
	call->ifindex = 40 + w.l2tp.count;
	call->call.serial_number = 4000 + w.l2tp.count;
	snprintf(call->call.calling_number, sizeof(call->call.calling_number), "555");
	subscriber_call_request(w.all, call);
	return call;
}

void kernel_answers(struct l2tp_session *call, int err)
{
	fake_kernel_answer(fake_kernel_job("open", get(call)), err);
}

void lac_connects(struct l2tp_session *call)
{
	kernel_works();
	subscriber_call_up(w.all, call);
}

static void call_ends(struct l2tp_session *call, bool by_peer)
{
	struct l2tp_result result = { .code = L2TP_CDN_CARRIER_LOST };

	call->down = true;
	subscriber_call_down(w.all, call, &result, by_peer);
}

void lac_hangs_up(struct l2tp_session *call)
{
	call_ends(call, true);
}

void tunnel_is_lost(struct l2tp_session *call)
{
	call_ends(call, false);
}

void template_answers(struct l2tp_session *call, int err)
{
	kernel_works();
	subscribers_forked(w.all, call->key, err, err ? 0 : 4711);
}

static struct ppp_channel *channel_of(const struct l2tp_session *call)
{
	struct ppp_channel *channel = get(call)->channel;

	cr_assert_not_null(channel, "there is no pppd");
	return channel;
}

static void say(struct l2tp_session *call, union ppp_message *message, uint16_t type)
{
	message->head.type = type;
	fake_ppp_say(channel_of(call), message);
	fake_ppp_deliver(channel_of(call));
}

void pppd_asks(struct l2tp_session *call, const char *user, const char *password)
{
	union ppp_message message = { 0 };
	struct ppp_auth_request *request = &message.auth_request;

	request->request = get(call)->question + 1;
	request->protocol = PPP_AUTH_PAP;
	request->name_len = (uint16_t)strlen(user);
	request->response_len = (uint16_t)strlen(password);
	memcpy(request->name, user, request->name_len);
	memcpy(request->response, password, request->response_len);
	say(call, &message, PPP_AUTH_REQUEST);
}

void pppd_repeats(struct l2tp_session *call)
{
	union ppp_message message = { 0 };

	message.auth_request.request = get(call)->question;
	say(call, &message, PPP_AUTH_REQUEST);
}

static uint32_t granted_address(const struct l2tp_session *call)
{
	const struct subscriber *sub = get(call);

	return sub->granted && sub->granted->remote ? htonl(sub->granted->remote)
						    : htonl(0x0a000063);
}

void pppd_network_up(struct l2tp_session *call, enum ppp_family family)
{
	union ppp_message message = { 0 };
	struct ppp_ncp_up *up = &message.ncp_up;

	up->family = (uint16_t)family;
	up->mtu = 1460;
	up->ifindex = call->ifindex;
	snprintf(up->ifname, sizeof(up->ifname), "ppp%u", call->ifindex);
	up->local = family == PPP_IPV4 ? htonl(0x64400001) : 0;
	up->remote = family == PPP_IPV4 ? granted_address(call) : 0;
	memset(up->remote_id, 0x11, sizeof(up->remote_id));
	up->rx_octets = 100;
	up->tx_octets = 50;
	say(call, &message, PPP_NCP_UP);
}

void pppd_network_down(struct l2tp_session *call, enum ppp_family family)
{
	union ppp_message message = { .ncp_down.family = (uint16_t)family };

	say(call, &message, PPP_NCP_DOWN);
}

void pppd_link_up(struct l2tp_session *call)
{
	union ppp_message message = { .link_up.ifindex = call->ifindex };

	say(call, &message, PPP_LINK_UP);
}

void pppd_link_down(struct l2tp_session *call, enum ppp_end end)
{
	union ppp_message message = { .link_down.end = (uint16_t)end };

	say(call, &message, PPP_LINK_DOWN);
}

void pppd_closes(struct l2tp_session *call, const char *broken)
{
	fake_ppp_close(channel_of(call), broken);
	fake_ppp_deliver(channel_of(call));
}

void pppd_exits(struct l2tp_session *call, int status)
{
	const struct monitor_exit exit = { .session = call->key, .status = status };

	subscribers_exited(w.all, &exit);
}

void interface_vanishes(struct l2tp_session *call)
{
	const struct kernel_counters final = { 1100, 550, 11, 5 };

	subscribers_link_gone(w.all, call->ifindex, &final);
}

void radius_accepts(struct l2tp_session *call, struct radius_attrs *attrs)
{
	struct radius_attrs *none = attrs ? NULL : radius_attrs_new();

	fake_radius_answer(call->key, RADIUS_ANSWERED, RADIUS_ACCESS_ACCEPT, attrs ? attrs : none);
	radius_attrs_free(attrs);
	radius_attrs_free(none);
}

void radius_rejects(struct l2tp_session *call, const char *message)
{
	struct radius_attrs *attrs = radius_attrs_new();

	radius_add_string(attrs, RADIUS_REPLY_MESSAGE, 0, message);
	fake_radius_answer(call->key, RADIUS_ANSWERED, RADIUS_ACCESS_REJECT, attrs);
	radius_attrs_free(attrs);
}

void radius_fails(struct l2tp_session *call, enum radius_outcome outcome)
{
	fake_radius_answer(call->key, outcome, 0, NULL);
}

void time_passes(uint64_t microseconds)
{
	kernel_works();
	env_fake_advance(w.env, microseconds);
	kernel_works();
}

/* ---- whole stretches ---- */

static void go_to(struct l2tp_session *call, enum subscriber_state state, const char *user)
{
	if (state > SUBSCRIBER_OPENING)
		kernel_answers(call, 0);
	if (state > SUBSCRIBER_WAITING)
		lac_connects(call);
	if (state >= SUBSCRIBER_LINK)
		template_answers(call, 0);
	if (state >= SUBSCRIBER_NETWORK) {
		pppd_asks(call, user, "pw");
		if (w.config.has_radius)
			radius_accepts(call, NULL);
	}
	if (state >= SUBSCRIBER_UP)
		pppd_network_up(call, PPP_IPV4);
	if (state == SUBSCRIBER_ENDING)
		subscriber_end(get(call), END_OPERATOR, NULL);
}

struct l2tp_session *call_of(enum subscriber_state state, const char *user)
{
	struct l2tp_session *call;

	w.ppp.no_template = state == SUBSCRIBER_QUEUED;
	call = lac_calls();
	w.ppp.no_template = false;
	go_to(call, state, user);
	cr_assert_eq(get(call)->state, state, "it is %s", state_of(call));
	env_fake_advance(w.env, 0);
	w.log[0] = '\0';
	return call;
}

struct l2tp_session *call_in(enum subscriber_state state)
{
	return call_of(state, "alice");
}

void everything_settles(struct l2tp_session *call)
{
	struct subscriber *sub = find(call);

	if (sub && sub->fork_pending)
		template_answers(call, 0);
	sub = find(call);
	if (sub && sub->running)
		pppd_exits(call, 0);
	sub = find(call);
	if (sub && sub->up && !sub->link_gone)
		interface_vanishes(call);
	fake_spool_commit(0);
}
