// SPDX-License-Identifier: BSD-2-Clause
/* turn_world: see turn_world.h. There is one; its objects live as long as the process. */
#include "tests/load/turn_world.h"

#include "lns/env.h"
#include "lns/kernel/kernel.h"
#include "lns/l2tp/l2tp.h"
#include "lns/ppp/ppp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define KERNEL_TURN 128 /* as lns/kernel/thread.c has them */
#define KERNEL_DONE 4
#define WORLD_STEP  16
#define WORLD_TICK  500 /* microseconds */
#define CALLS_MAX   65536

enum what { CONNECTS, FORKED, GOES };

struct l2tp_tunnel {
	struct l2tp_tunnel_info info;
	struct l2tp_lac lac;
};

struct l2tp_session {
	struct l2tp_session_info info;
	struct l2tp_call call;
	struct l2tp_tunnel *tunnel;
	void *user;
	uint64_t key;
	uint32_t ifindex;
	int pppd; /* its end of the channel, -1 = none */
	struct env_io *io;
	bool is_up, is_closed;
	struct kernel_counters counters;
};

struct event {
	STAILQ_ENTRY(event) entry;
	enum what what;
	struct l2tp_session *call;
};

struct kernel_job {
	TAILQ_ENTRY(kernel_job) entry;
	kernel_done_fn *done;
	kernel_opened_fn *opened;
	kernel_sample_fn *sample;
	kernel_limits_fn *limited;
	void *ctx;
	int fd;
	unsigned int next;
};

static struct {
	struct env *env;
	struct subscribers *all;
	struct l2tp_tunnel tunnels[WORLD_TUNNELS];
	struct l2tp_session *calls[CALLS_MAX];
	unsigned int count, to_come, limit, alive;
	STAILQ_HEAD(, event) events;
	TAILQ_HEAD(, kernel_job) jobs;
	struct env_timer *tick, *kernel;
	int null;
} world;

/* ---- the kernel ---- */

static struct kernel_job *job_new(kernel_done_fn *fn, void *ctx)
{
	struct kernel_job *job = calloc(1, sizeof(*job));

	if (!job)
		abort();
	job->done = fn;
	job->ctx = ctx;
	job->fd = -1;
	TAILQ_INSERT_TAIL(&world.jobs, job, entry);
	if (!env_timer_running(world.kernel))
		env_timer_start(world.kernel, 0);
	return job;
}

/* The next interface's counters; false: that were all. */
static bool deliver(struct kernel_job *job)
{
	while (job->sample && job->next < world.count) {
		struct l2tp_session *call = world.calls[job->next++];

		if (!call->is_up)
			continue;
		call->counters.rx_octets += 1000;
		call->counters.rx_packets++;
		job->sample(job->ctx, call->ifindex, &call->counters);
		return true;
	}
	return false;
}

static void kernel_turn(void *ctx)
{
	unsigned int turn = KERNEL_TURN;
	struct kernel_job *job;

	(void)ctx;
	while (turn && (job = TAILQ_FIRST(&world.jobs))) {
		while (turn && deliver(job))
			turn--;
		if (!turn)
			break;
		TAILQ_REMOVE(&world.jobs, job, entry);
		if (job->opened)
			job->opened(job->ctx, 0, job->fd, 0);
		else if (job->limited)
			job->limited(job->ctx, 0, NULL);
		else if (job->done)
			job->done(job->ctx, 0, job->fd);
		free(job);
		turn -= turn > KERNEL_DONE ? KERNEL_DONE : turn;
	}
	if (!TAILQ_EMPTY(&world.jobs))
		env_timer_start(world.kernel, 0);
}

struct kernel_job *kernel_session_open(struct kernel *kernel, int fd,
	const struct kernel_session *session, kernel_opened_fn *fn, void *ctx)
{
	struct kernel_job *job = job_new(NULL, ctx);

	(void)kernel, (void)fd, (void)session;
	job->opened = fn;
	job->fd = fcntl(world.null, F_DUPFD_CLOEXEC, 0);
	return job;
}

int kernel_session_sequence(int fd)
{
	(void)fd;
	return 0;
}

void kernel_close(struct kernel *kernel, int fd)
{
	(void)kernel;
	close(fd);
}

struct kernel_job *kernel_link_set_group(struct kernel *kernel, uint32_t ifindex, uint32_t group,
	const char *alias, kernel_done_fn *fn, void *ctx)
{
	(void)kernel, (void)ifindex, (void)group, (void)alias;
	return fn ? job_new(fn, ctx) : NULL;
}

struct kernel_job *kernel_links_delete(struct kernel *kernel, const uint32_t *ifindexes,
	size_t count, kernel_done_fn *fn, void *ctx)
{
	(void)kernel, (void)ifindexes, (void)count;
	return fn ? job_new(fn, ctx) : NULL;
}

struct kernel_job *kernel_link_delete(
	struct kernel *kernel, uint32_t ifindex, kernel_done_fn *fn, void *ctx)
{
	return kernel_links_delete(kernel, &ifindex, 1, fn, ctx);
}

struct kernel_job *kernel_route_change(struct kernel *kernel, bool add,
	const struct addr_prefix *prefix, uint32_t ifindex, uint32_t table, kernel_done_fn *fn,
	void *ctx)
{
	(void)kernel, (void)add, (void)prefix, (void)ifindex, (void)table;
	return fn ? job_new(fn, ctx) : NULL;
}

struct kernel_job *kernel_sample_counters(
	struct kernel *kernel, kernel_sample_fn *sample, kernel_done_fn *fn, void *ctx)
{
	struct kernel_job *job = job_new(fn, ctx);

	(void)kernel;
	job->sample = sample;
	return job;
}

struct kernel_job *kernel_limits_set(struct kernel *kernel, uint32_t ifindex,
	const struct kernel_limits *limits, kernel_limits_fn *fn, void *ctx)
{
	struct kernel_job *job = job_new(NULL, ctx);

	(void)kernel, (void)ifindex, (void)limits;
	job->limited = fn;
	return job;
}

void kernel_cancel(struct kernel_job *job)
{
	if (!job)
		return;
	TAILQ_REMOVE(&world.jobs, job, entry);
	if (job->fd >= 0)
		close(job->fd);
	free(job);
}

/* ---- what happens ---- */

static void later(enum what what, struct l2tp_session *call)
{
	struct event *event = calloc(1, sizeof(*event));

	if (!event)
		abort();
	event->what = what;
	event->call = call;
	STAILQ_INSERT_TAIL(&world.events, event, entry);
}

static void pppd_says(struct l2tp_session *call, void *message, uint16_t type, size_t size)
{
	struct ppp_head *head = message;

	*head = (struct ppp_head){ type, PPP_PROTO_VERSION, (uint32_t)size, call->key };
	if (send(call->pppd, message, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		abort();
}

static void pppd_closes(struct l2tp_session *call)
{
	env_io_free(call->io);
	call->io = NULL;
	if (call->pppd >= 0)
		close(call->pppd);
	call->pppd = -1;
}

static void pppd_hears(void *ctx, int events)
{
	struct l2tp_session *call = ctx;
	union ppp_message message;
	struct ppp_ncp_up up = { .family = PPP_IPV4, .mtu = 1460, .ifindex = call->ifindex };

	(void)events;
	if (recv(call->pppd, &message, sizeof(message), MSG_DONTWAIT) <= 0) {
		pppd_closes(call);
		return;
	}
	if (message.head.type != PPP_AUTH_REPLY || message.auth_reply.result != PPP_AUTH_ACCEPT)
		return;
	snprintf(up.ifname, sizeof(up.ifname), "ppp%u", call->ifindex);
	up.local = message.auth_reply.local;
	up.remote = message.auth_reply.remote;
	call->is_up = true;
	pppd_says(call, &up, PPP_NCP_UP, sizeof(up));
}

static void pppd_begins(struct l2tp_session *call)
{
	struct ppp_auth_request request = { .request = 1, .protocol = PPP_AUTH_PAP };

	subscribers_forked(world.all, call->key, 0, 4711);
	call->io = env_io_new(world.env, call->pppd, ENV_READ, pppd_hears, call);
	request.name_len = (uint16_t)snprintf(
		(char *)request.name, sizeof(request.name), "user%u", call->ifindex);
	request.response_len =
		(uint16_t)snprintf((char *)request.response, sizeof(request.response), "pw");
	pppd_says(call, &request, PPP_AUTH_REQUEST, sizeof(request));
}

static void pppd_goes(struct l2tp_session *call)
{
	const struct monitor_exit exit = { .session = call->key, .status = 0 };

	pppd_closes(call);
	if (call->is_up)
		subscribers_link_gone(world.all, call->ifindex, &call->counters);
	call->is_up = false;
	subscribers_exited(world.all, &exit);
}

static void call_comes(void)
{
	struct l2tp_session *call = calloc(1, sizeof(*call));

	if (!call || world.count == CALLS_MAX)
		abort();
	world.calls[world.count++] = call;
	world.alive++;
	call->tunnel = &world.tunnels[world.count % WORLD_TUNNELS];
	call->info.id = (uint16_t)world.count;
	call->info.peer_id = (uint16_t)world.count;
	call->ifindex = world.count;
	call->pppd = -1;
	snprintf(
		call->call.calling_number, sizeof(call->call.calling_number), "030%u", world.count);
	subscriber_call_request(world.all, call);
}

static void happen(const struct event *event)
{
	struct l2tp_session *call = event->call;

	if (event->what == GOES)
		pppd_goes(call);
	else if (call->is_closed)
		return;
	else if (event->what == CONNECTS)
		subscriber_call_up(world.all, call);
	else
		pppd_begins(call);
}

static void world_tick(void *ctx)
{
	const struct subscribers_counters *counters;
	struct event *event;
	unsigned int steps = 0;

	(void)ctx;
	for (; steps < WORLD_STEP && (event = STAILQ_FIRST(&world.events)); steps++) {
		STAILQ_REMOVE_HEAD(&world.events, entry);
		happen(event);
		free(event);
	}
	for (; steps < WORLD_STEP && world.to_come; steps++) {
		counters = subscribers_get_counters(world.all);
		if (counters->queued + counters->in_setup >= world.limit)
			break;
		world.to_come--;
		call_comes();
	}
	env_timer_start(world.tick, WORLD_TICK);
}

/* ---- L2TP ---- */

void l2tp_session_info(const struct l2tp_session *session, struct l2tp_session_info *ret_info)
{
	*ret_info = session->info;
}

void l2tp_tunnel_info(const struct l2tp_tunnel *tunnel, struct l2tp_tunnel_info *ret_info)
{
	*ret_info = tunnel->info;
}

uint64_t l2tp_tunnel_ask(struct l2tp_tunnel *tunnel)
{
	(void)tunnel;
	return env_now(world.env);
}

const struct l2tp_lac *l2tp_tunnel_lac(const struct l2tp_tunnel *tunnel)
{
	return &tunnel->lac;
}

const struct l2tp_call *l2tp_session_call(const struct l2tp_session *session)
{
	return &session->call;
}

struct l2tp_tunnel *l2tp_session_tunnel(const struct l2tp_session *session)
{
	return session->tunnel;
}

void l2tp_session_set_user(struct l2tp_session *session, void *user)
{
	struct subscriber_info info;

	subscriber_get_info(user, &info);
	session->user = user;
	session->key = info.key;
}

void *l2tp_session_user(const struct l2tp_session *session)
{
	return session->user;
}

void l2tp_session_accept(struct l2tp_session *session)
{
	later(CONNECTS, session);
}

void l2tp_session_close(struct l2tp_session *session, const struct l2tp_result *result)
{
	(void)result;
	session->is_closed = true;
	world.alive--;
}

void l2tp_session_set_link_info(
	struct l2tp_session *session, uint32_t send_accm, uint32_t receive_accm)
{
	(void)session, (void)send_accm, (void)receive_accm;
}

void l2tp_session_set_disconnect_cause(struct l2tp_session *session, uint16_t code,
	uint16_t protocol, uint8_t direction, const char *message)
{
	(void)session, (void)code, (void)protocol, (void)direction, (void)message;
}

const char *l2tp_result_text(
	enum l2tp_msg_type type, const struct l2tp_result *result, char *out, size_t size)
{
	(void)type;
	snprintf(out, size, "result %u", result->code);
	return out;
}

/* ---- template and monitor ---- */

/* The state memory's keys count up in their lower half. */
static struct l2tp_session *find_call(uint64_t key)
{
	uint32_t number = (uint32_t)key;

	if (number == 0 || number > world.count || world.calls[number - 1]->key != key)
		abort();
	return world.calls[number - 1];
}

int ppp_template_fork(struct ppp_template *template, uint64_t session, struct ppp_fork *request,
	int pppox, int channel, int udp)
{
	struct l2tp_session *call = find_call(session);

	(void)template, (void)request, (void)pppox, (void)udp;
	call->pppd = fcntl(channel, F_DUPFD_CLOEXEC, 0);
	if (call->pppd < 0)
		return -errno;
	later(FORKED, call);
	return 0;
}

static struct ppp_template *get_template(void *ctx, const char *ppp)
{
	(void)ctx, (void)ppp;
	return (struct ppp_template *)&world;
}

static int tunnel_socket(void *ctx, struct l2tp_tunnel *tunnel)
{
	(void)ctx, (void)tunnel;
	return world.null;
}

static void signal_pppds(void *ctx, enum monitor_signal signal, const uint64_t *keys, size_t count)
{
	(void)ctx, (void)signal;
	for (size_t i = 0; i < count; i++)
		later(GOES, find_call(keys[i]));
}

static void keep_channel(void *ctx, uint64_t key, int fd)
{
	(void)ctx, (void)key, (void)fd;
}

static void forget_exit(void *ctx, uint64_t key)
{
	(void)ctx, (void)key;
}

static void hold(void *ctx, struct l2tp_tunnel *tunnel)
{
	(void)ctx, (void)tunnel;
}

static void unhold(void *ctx, uint16_t tunnel_id)
{
	(void)ctx, (void)tunnel_id;
}

/* ---- start ---- */

void world_init(struct subscribers_host *host)
{
	char address[32];

	world.env = host->env;
	world.null = open("/dev/null", O_RDWR | O_CLOEXEC);
	STAILQ_INIT(&world.events);
	TAILQ_INIT(&world.jobs);
	world.tick = env_timer_new(world.env, world_tick, NULL);
	world.kernel = env_timer_new(world.env, kernel_turn, NULL);
	for (unsigned int i = 0; i < WORLD_TUNNELS; i++) {
		struct l2tp_tunnel *tunnel = &world.tunnels[i];

		tunnel->info.id = tunnel->info.peer_id = (uint16_t)(i + 1);
		tunnel->info.host_name = "bng";
		addr_parse("192.0.2.1", 1701, &tunnel->info.path.local);
		snprintf(address, sizeof(address), "198.51.100.%u", i + 1);
		addr_parse(address, 1701, &tunnel->info.path.peer);
		snprintf(tunnel->lac.name, sizeof(tunnel->lac.name), "wholesale");
		snprintf(tunnel->lac.ppp, sizeof(tunnel->lac.ppp), "p");
	}
	host->template = get_template;
	host->tunnel_socket = tunnel_socket;
	host->signal = signal_pppds;
	host->keep_channel = keep_channel;
	host->forget_exit = forget_exit;
	host->hold = hold;
	host->unhold = unhold;
	env_timer_start(world.tick, WORLD_TICK);
}

void world_call(struct subscribers *all, unsigned int count, unsigned int limit)
{
	world.all = all;
	world.to_come = count;
	world.limit = limit;
}

void world_drop(struct subscribers *all, unsigned int tunnel)
{
	const struct l2tp_result result = { .code = L2TP_CDN_CARRIER_LOST };

	for (unsigned int i = 0; i < world.count; i++) {
		struct l2tp_session *call = world.calls[i];

		if (!call->is_closed && (!tunnel || call->tunnel == &world.tunnels[tunnel - 1]))
			subscriber_call_down(all, call, &result, true);
	}
}

unsigned int world_to_come(void)
{
	return world.to_come;
}

unsigned int world_calls(void)
{
	return world.alive;
}
