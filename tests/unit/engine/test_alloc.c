/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory runs out anywhere in what the engine does for tunnels: for every n, the n-th allocation fails while
 * an engine ends what a dead one left, listens, serves a LAC that opens a tunnel, moves, and stops, and
 * opens a tunnel itself. In the end the monitor keeps nothing, and no tunnel, socket, job or record is left.
 *
 * Sockets, L2TP and the connection to the monitor are real; kernel and accounting are played here.
 */
#include "lns/engine/internal.h"
#include "lns/monitor/keep.h"
#include "lns/monitor/link.h"
#include "lns/net/internal.h"
#include "lns/subscriber/accounting.h"
#include "lns/subscriber/tally.h"
#include "tests/unit/env_fake.h"
#include "tests/unit/fds.h"
#include "tests/unit/l2tp/fake.h"
#include "tests/unit/netns.h"
#include "tests/unit/short_memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OLD_TUNNEL = 5, OLD_LISTENER = 3, OLD_SESSION = 77, ENDED_SESSION = 78, IFINDEX = 41 };

static struct engine engine;
static struct config config;
static union addr listen_at[2];
static struct tally tally;
static struct monitor_keep_table *kept;
static int monitor_fd;
static bool own_ports;
static bool peace; /* memory is not short any more */

/* ---- the kernel ---- */

struct kernel_job {
	LIST_ENTRY(kernel_job) entry;
	kernel_done_fn *done;
	void *ctx;
};

static LIST_HEAD(, kernel_job) jobs;

static struct kernel_job *job_new(kernel_done_fn *done, void *ctx)
{
	struct kernel_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->done = done;
	job->ctx = ctx;
	LIST_INSERT_HEAD(&jobs, job, entry);
	return job;
}

struct kernel_job *kernel_tunnel_create(struct kernel *kernel, int fd, uint16_t tunnel_id,
	uint16_t peer_tunnel_id, kernel_done_fn *done, void *ctx)
{
	(void)kernel;
	cr_assert(fd >= 0 && tunnel_id && peer_tunnel_id);
	return job_new(done, ctx);
}

struct kernel_job *kernel_tunnel_delete(
	struct kernel *kernel, uint16_t tunnel_id, kernel_done_fn *done, void *ctx)
{
	(void)kernel;
	cr_assert(tunnel_id);
	return job_new(done, ctx);
}

void kernel_cancel(struct kernel_job *job)
{
	if (!job)
		return;
	LIST_REMOVE(job, entry);
	free(job);
}

static void kernel_answers(void)
{
	struct kernel_job *job;

	while ((job = LIST_FIRST(&jobs))) {
		LIST_REMOVE(job, entry);
		if (job->done)
			job->done(job->ctx, 0, -1);
		free(job);
	}
}

/* ---- accounting: one Stop at a time ---- */

static void (*stop_durable)(void *ctx, int err);
static void *stop_ctx;

static int put_stop(void (*durable)(void *ctx, int err), void *ctx)
{
	if (short_memory_strikes())
		return -ENOMEM;
	stop_durable = durable;
	stop_ctx = ctx;
	return 0;
}

int accounting_put(struct radius_spool *spool, const struct state_session *record,
	const struct accounting_event *event, void (*durable)(void *ctx, int err), void *ctx)
{
	(void)spool, (void)record, (void)event, (void)durable, (void)ctx;
	return short_memory_strikes() ? -ENOMEM : 0;
}

int accounting_stop(struct radius_spool *spool, struct state_session *record,
	const struct accounting_event *stop, void (*durable)(void *ctx, int err), void *ctx)
{
	(void)spool, (void)record, (void)stop;
	return put_stop(durable, ctx);
}

int accounting_stop_again(struct radius_spool *spool, const struct state_session *record,
	void (*durable)(void *ctx, int err), void *ctx)
{
	(void)spool, (void)record;
	return put_stop(durable, ctx);
}

void radius_spool_forget(struct radius_spool *spool, void *ctx)
{
	(void)spool;
	if (stop_ctx == ctx)
		stop_durable = NULL;
}

static void disk_answers(void)
{
	void (*durable)(void *ctx, int err) = stop_durable;

	stop_durable = NULL;
	if (durable)
		durable(stop_ctx, 0);
}

/* ---- rooms of the engine that are not concerned ---- */

struct tally *subscribers_tally(struct subscribers *all)
{
	(void)all;
	return &tally;
}

void engine_audit_bury(struct engine *e, uint16_t tunnel_id, uint16_t peer_id,
	const union addr *local, const union addr *peer)
{
	(void)e, (void)tunnel_id, (void)peer_id, (void)local, (void)peer;
}

void engine_trace_tunnel_gone(struct engine *e, uint16_t tunnel_id)
{
	(void)e, (void)tunnel_id;
}

void engine_event_tunnel(
	struct engine *e, struct l2tp_tunnel *tunnel, const struct l2tp_result *ended)
{
	(void)e, (void)tunnel, (void)ended;
}

void engine_hooks_past_down(
	struct engine *e, const struct state_session *record, const struct accounting_event *stop)
{
	(void)e, (void)record, (void)stop;
}

/* ---- the monitor ---- */

static void on_closed(void *ctx, const char *reason)
{
	(void)ctx;
	cr_assert(false, "%s", reason ? reason : "closed");
}

static const struct monitor_client_ops monitor_ops = { .closed = on_closed };

static void monitor_takes(const union monitor_message *message, const int *fds, unsigned int count)
{
	enum monitor_kind kind = (enum monitor_kind)message->keep.kind;

	if (message->head.type == MONITOR_KEEP)
		cr_assert_eq(monitor_keep_put(kept, kind, message->keep.id, fds[0]), 0);
	else if (message->head.type == MONITOR_DROP)
		monitor_keep_drop(kept, kind, message->keep.id);
	cr_assert_eq(count, message->head.type == MONITOR_KEEP);
}

/* Everything that the engine has said; memory is not short there. */
static void monitor_serves(void)
{
	union monitor_message message;
	int fds[MONITOR_FDS];
	unsigned int count;

	short_memory_arm(false);
	while (monitor_link_receive(
		       monitor_fd, &message, sizeof(message), fds, MONITOR_FDS, &count) > 0)
		monitor_takes(&message, fds, count);
	short_memory_arm(!peace);
}

static void pass(uint64_t time)
{
	kernel_answers();
	disk_answers();
	env_fake_advance(engine.env, time);
	kernel_answers();
	monitor_serves();
}

/* ---- L2TP ---- */

static int lac_find(void *ctx, const union addr *peer, const char *host_name, struct l2tp_lac *ret)
{
	(void)ctx, (void)peer, (void)host_name;
	*ret = (struct l2tp_lac){
		.name = "lac", .window = 4, .retransmits = 2, .host_ports = own_ports
	};
	return 0;
}

static void send_packet(void *ctx, const struct l2tp_path *path, const uint8_t *packet, size_t len)
{
	(void)ctx;
	net_send(engine.net, path, packet, len);
}

static void receive_packet(
	void *ctx, const struct l2tp_path *path, const uint8_t *packet, size_t len)
{
	(void)ctx;
	l2tp_server_input(engine.l2tp, path, packet, len);
}

static const struct l2tp_ops l2tp_ops = {
	.lac_find = lac_find,
	.send = send_packet,
	ENGINE_TUNNEL_OPS,
};

static void say(struct lac *lac, struct l2tp_msg msg)
{
	struct l2tp_tunnel *tunnel = l2tp_tunnel_next(engine.l2tp, 0);
	struct l2tp_tunnel_info info = { 0 };

	if (tunnel)
		l2tp_tunnel_info(tunnel, &info);
	lac->peer_id = info.id;
	lac->ns = info.nr;
	lac->nr = info.ns;
	short_memory_arm(false);
	lac_build(lac, 0, &msg);
	short_memory_arm(true);
	l2tp_server_input(engine.l2tp, &lac->path, lac->packet, lac->packet_len);
	pass(ENV_MS(20));
}

static void lac_new(struct lac *lac)
{
	lac_init(lac, NULL, "127.0.0.9", 5000, 12);
	lac->path.local = listen_at[0];
}

static void lac_opens_moves_and_stops(void)
{
	struct l2tp_tunnel *tunnel;
	struct lac lac;

	lac_new(&lac);
	say(&lac, lac_sccrq(&lac));
	cr_assert_eq(net_get_counters(engine.net)->send_errors, 0, "not answered");
	addr_set_port(&lac.path.peer, 5001);
	say(&lac, lac_scccn());
	tunnel = l2tp_tunnel_next(engine.l2tp, 0);
	if (tunnel && engine_tunnel_socket(&engine, tunnel) >= 0) {
		struct l2tp_tunnel_info info;

		l2tp_tunnel_info(tunnel, &info);
		engine_tunnel_hold(&engine, tunnel);
		say(&lac, lac_stopccn(&lac, 1));
		engine_tunnel_unhold(&engine, info.id);
	}
	pass(ENV_SEC(100));
}

static void lac_is_called(void)
{
	static const struct l2tp_result result = { .code = L2TP_STOPCCN_GENERAL };
	struct l2tp_msg sccrp;
	struct l2tp_tunnel *tunnel;
	struct l2tp_lac section;
	struct lac lac;

	lac_new(&lac);
	sccrp = lac_sccrq(&lac);
	sccrp.type = L2TP_SCCRP;
	lac_find(NULL, NULL, NULL, &section);
	if (l2tp_tunnel_connect(engine.l2tp, &lac.path, &section, &tunnel))
		return;
	say(&lac, sccrp);
	tunnel = l2tp_tunnel_next(engine.l2tp, 0);
	if (tunnel)
		l2tp_tunnel_close(tunnel, &result);
	pass(ENV_SEC(100));
}

/* ---- a life ---- */

/* What an engine before this one has left: a listener, and a tunnel with a session. */
static void leave_something(void)
{
	struct state_session *session = state_session_take(engine.state, OLD_SESSION);
	struct state_tunnel *tunnel = state_tunnel(engine.state, OLD_TUNNEL);
	int listener = net_socket_bind(&listen_at[0], "", 1 << 16);
	int old = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	cr_assert(session && listener >= 0 && old >= 0);
	session->used = STATE_UP;
	session->ifindex = IFINDEX;
	session->tunnel_id = OLD_TUNNEL;
	tunnel->peer_id = 9;
	state_publish(&tunnel->used, 1);
	cr_assert_not_null(kept = monitor_keep_new());
	cr_assert_eq(monitor_keep_put(kept, MONITOR_KEEP_LISTENER, OLD_LISTENER, dup(listener)), 0);
	cr_assert_eq(monitor_keep_put(kept, MONITOR_KEEP_TUNNEL, OLD_TUNNEL, dup(old)), 0);
	short_memory_arm(true);
	engine_past_kept(&engine, MONITOR_KEEP_LISTENER, OLD_LISTENER, listener);
	engine_past_kept(&engine, MONITOR_KEEP_TUNNEL, OLD_TUNNEL, old);
	engine_past_session(&engine, OLD_SESSION);
	cr_assert(engine_past_exited(&engine, &(struct monitor_exit){ .session = ENDED_SESSION }));
}

/* As engine.c does it. */
static int start(void)
{
	static const struct l2tp_settings settings = { .host_name = "lns",
		.setup_timeout = ENV_SEC(20) };
	int err = engine_past_begin(&engine);

	if (!err)
		err = net_new(engine.env, receive_packet, NULL, &engine.net);
	if (!err)
		err = l2tp_server_new(engine.env, &settings, &l2tp_ops, &engine, &engine.l2tp);
	if (err)
		return err;
	engine.subscribers = (struct subscribers *)&tally; /* there are some; nobody looks */
	engine_past_end(&engine);
	return engine_listen(&engine);
}

static void serve(void)
{
	const struct kernel_counters final = { 1, 2, 3, 4 };

	engine_past_link_gone(&engine, IFINDEX, &final);
	engine_past_exited(&engine, &(struct monitor_exit){ .session = OLD_SESSION });
	pass(ENV_SEC(4));
	config.listen_count = 2; /* a reload */
	engine_listen(&engine);
	for (int ports = 0; ports < 2; ports++) {
		own_ports = ports;
		lac_opens_moves_and_stops();
		lac_is_called();
	}
}

/* In peace, everything ends, and is given back. */
static void expect_nothing_left(unsigned int n, int fds)
{
	static const struct l2tp_result result = { .code = L2TP_STOPCCN_GENERAL };
	struct l2tp_tunnel *tunnel = l2tp_tunnel_next(engine.l2tp, 0);

	peace = true;
	short_memory_arm(false);
	if (tunnel)
		l2tp_tunnel_close(tunnel, &result);
	config.listen_count = 0;
	cr_assert_eq(engine_listen(&engine), 0);
	pass(ENV_SEC(200));
	cr_assert_null(engine.past, "allocation %u", n);
	cr_assert_eq(engine.tunnel_count, 0, "allocation %u", n);
	cr_assert_eq(tally.lacs[0].tunnels, 0, "allocation %u", n);
	cr_assert_eq(state_tunnel(engine.state, OLD_TUNNEL)->used, 0, "allocation %u", n);
	cr_assert_eq(state_session_at(engine.state, 0)->used, STATE_FREE, "allocation %u", n);
	cr_assert_eq(monitor_keep_count(kept), 0, "allocation %u: the monitor keeps %u", n,
		monitor_keep_count(kept));
	cr_assert_eq(open_fds(), fds, "allocation %u: %d, not %d", n, open_fds(), fds);
}

static void end(void)
{
	struct engine_listener *listener;

	engine_past_free(&engine);
	engine_tunnels_free(&engine);
	l2tp_server_free(engine.l2tp);
	net_free(engine.net);
	while ((listener = LIST_FIRST(&engine.listeners))) {
		LIST_REMOVE(listener, entry);
		free(listener);
	}
	monitor_client_free(engine.monitor);
	monitor_keep_free(kept);
	close(monitor_fd);
	env_fake_free(engine.env);
}

static void live(unsigned int n)
{
	struct state *state = engine.state;
	int before = open_fds(), pair[2];

	peace = false;
	memset(&engine, 0, sizeof(engine));
	memset(&tally, 0, sizeof(tally));
	config = (struct config){ .listen = listen_at, .listen_count = 1 };
	engine.state = state;
	engine.config = &config;
	engine.env = env_fake_new();
	engine.next_listener_id = 1;
	engine.radius.spool = (struct radius_spool *)&tally; /* there is one */
	cr_assert_eq(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	monitor_fd = pair[1];
	cr_assert_eq(
		monitor_client_new(engine.env, pair[0], &monitor_ops, NULL, &engine.monitor), 0);
	leave_something();
	if (!start()) {
		serve();
		if (short_memory_count() < n)
			cr_assert_eq(net_get_counters(engine.net)->send_errors, 0);
		expect_nothing_left(n, before + 2); /* the connection to the monitor */
	}
	short_memory_arm(false);
	end();
	if (state_session_at(state, 0)->used) /* it could not be begun */
		state_session_release(state, state_session_at(state, 0));
	cr_assert_eq(open_fds(), before, "allocation %u", n);
}

Test(alloc, nothing_is_left_behind)
{
	bool fresh;
	int memory = memfd_create("state", MFD_CLOEXEC);

	netns_enter();
	cr_assert_eq(addr_parse("127.0.0.1", 1701, &listen_at[0]), 0);
	cr_assert_eq(addr_parse("127.0.0.2", 1701, &listen_at[1]), 0);
	cr_assert_eq(state_open(memory, &engine.state, &fresh), 0);
	cr_assert_gt(short_memory_everywhere(live), 40);
	state_close(engine.state);
	close(memory);
}
