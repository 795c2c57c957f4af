// SPDX-License-Identifier: BSD-2-Clause
/*
 * turn_bench: how long the engine's loop works in one turn, in CPU time, with thousands of sessions.
 *
 * Real are the loop (lns/env_ev.c), subscriber/, the channels to pppds, the RADIUS clients, the spool and the
 * state memory, set up as the engine does; a responder on loopback is the RADIUS server. Kernel, L2TP, monitor
 * and pppds are turn_world's, so that it runs on any kernel. Needed is a clock of CPU time that is finer than
 * what is measured.
 *
 * Exit status 1 when a session did not come up, a record was not acknowledged, or a turn took more than 5 ms.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lns/config/config.h"
#include "lns/env_ev.h"
#include "lns/env_radius.h"
#include "lns/log.h"
#include "lns/state.h"
#include "lns/subscriber/pool.h"
#include "lns/subscriber/users.h"
#include "radius/spool.h"
#include "tests/load/responder.h"
#include "tests/load/turn_world.h"

#define SECRET       "testing123"
#define LOOK         ENV_MS(20)
#define DEADLINE     ENV_SEC(120) /* of a phase */
#define SESSIONS_MAX 50000
#define HOLD         ENV_SEC(15)

static struct {
	struct env *env;
	struct subscribers *all;
	struct state *state;
	struct pools *pools;
	struct users *users;
	struct radius_host host;
	struct radius_client *auth, *acct;
	struct radius_spool *spool;
	struct env_timer *look;
	struct config config;
	struct config_ppp ppp;
	struct config_pool pool;
	struct config_pool_range range;

	unsigned int sessions;
	bool (*is_over)(void);
	uint64_t until;
	bool failed;
} bench = { .sessions = 5000 };

/* ---- radius/ ---- */

static void fail(const char *what, int err)
{
	printf("turn_bench: %s: %s\n", what, strerror(-err)); /* nobody reads stderr */
	exit(2);
}

static struct radius_client *client_new(unsigned int port)
{
	struct radius_server_config server = { .secret_len = strlen(SECRET) };
	const struct radius_client_config config = { .servers = &server, .server_count = 1 };
	struct radius_client *client;
	union addr addr;
	int err;

	addr_parse("127.0.0.1", (uint16_t)port, &addr);
	memcpy(&server.addr, &addr, addr_len(&addr));
	memcpy(server.secret, SECRET, server.secret_len);
	err = radius_client_new(&bench.host, &config, &client);
	if (err)
		fail("client", err);
	return client;
}

static void radius_start(const char *path, unsigned int port)
{
	int err;

	env_radius_host(bench.env, &bench.host);
	bench.auth = client_new(port);
	bench.acct = client_new(port);
	err = radius_spool_new(&bench.host, &(struct radius_spool_config){ .path = path },
		bench.acct, &bench.spool);
	if (err)
		fail(path, err);
}

/* ---- subscriber/ ---- */

/* Everything that goes on while sessions are up comes as often as it may. */
static void configure(void)
{
	struct config *config = &bench.config;

	config->ppps = &bench.ppp;
	config->ppp_count = 1;
	config->pools = &bench.pool;
	config->pool_count = 1;
	config->has_radius = true;
	config->setup_limit = 512;
	config->setup_timeout = ENV_SEC(60);
	config->sample_interval = ENV_SEC(1);
	config->radius.checkpoint_interval = ENV_SEC(1);
	config->radius.interim = ENV_SEC(4);
	addr_parse("192.0.2.1", 0, &config->radius.nas_ip);
	snprintf(config->name, sizeof(config->name), "lns.example.net");
	snprintf(bench.ppp.name, sizeof(bench.ppp.name), "p");
	snprintf(bench.ppp.pool, sizeof(bench.ppp.pool), "o");
	addr_parse("100.64.0.1", 0, &bench.ppp.local_address);
	bench.ppp.mtu = bench.ppp.mru = 1460;
	bench.ppp.ipv4 = true;
	snprintf(bench.pool.name, sizeof(bench.pool.name), "o");
	bench.range = (struct config_pool_range){ 0x64400010, 0x6440fff0 };
	bench.pool.ranges = &bench.range;
	bench.pool.range_count = 1;
}

static void subscribers_start(void)
{
	const struct subscribers_config config = {
		.config = &bench.config, .auth = bench.auth, .spool = bench.spool
	};
	struct subscribers_host host = { .env = bench.env };
	bool fresh;
	int err = state_open(memfd_create("state", MFD_CLOEXEC), &bench.state, &fresh);

	if (err)
		fail("state", err);
	state_set_boot(bench.state, 1);
	bench.pools = pools_new();
	if (!bench.pools || pools_configure(bench.pools, &bench.config))
		fail("pools", -ENOMEM);
	host.state = bench.state;
	host.pools = bench.pools;
	world_init(&host);
	err = subscribers_new(&host, &bench.all);
	if (err)
		fail("subscribers", err);
	subscribers_configure(bench.all, &config);
}

/* ---- phases ---- */

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct radius_spool_info spool_info(void)
{
	struct radius_spool_info info;

	radius_spool_info(bench.spool, &info);
	return info;
}

static bool are_up(void)
{
	return !world_to_come() && subscribers_get_counters(bench.all)->online == bench.sessions &&
	       spool_info().waiting == 0;
}

static bool are_gone(void)
{
	return subscribers_count(bench.all) == 0 && spool_info().waiting == 0;
}

static bool is_time_over(void)
{
	return env_now(bench.env) >= bench.until - DEADLINE + HOLD;
}

static void look(void *ctx)
{
	(void)ctx;
	if (bench.is_over()) {
		env_ev_stop(bench.env);
	} else if (env_now(bench.env) > bench.until) {
		bench.failed = true;
		env_ev_stop(bench.env);
	} else {
		env_timer_start(bench.look, LOOK);
	}
}

static void phase(const char *what, bool (*is_over)(void))
{
	struct env_ev_load before, after;
	double began = seconds(CLOCK_MONOTONIC), elapsed;

	env_ev_get_load(bench.env, &before);
	bench.is_over = is_over;
	bench.until = env_now(bench.env) + DEADLINE;
	env_timer_start(bench.look, LOOK);
	env_ev_run(bench.env);
	elapsed = seconds(CLOCK_MONOTONIC) - began;
	env_ev_get_load(bench.env, &after);
	printf("%-28s %6.2f s, CPU %6.2f s, %7llu turns, longest so far %6.2f ms CPU, %llu above 5 ms%s\n"
	       "%32s%s: %u calls, %.2f ms\n",
		what, elapsed, (double)(after.busy - before.busy) / 1e6,
		(unsigned long long)(after.turns - before.turns), (double)after.longest / 1e3,
		(unsigned long long)(after.slow - before.slow), bench.failed ? "; NOT DONE" : "",
		"", after.longest_work.what, after.longest_work.calls,
		(double)after.longest_work.spent / 1e3);
	fflush(stdout);
}

static void drop_all(void *ctx)
{
	(void)ctx;
	world_drop(bench.all, 0);
}

static void drop_one(void *ctx)
{
	(void)ctx;
	world_drop(bench.all, 1);
}

static bool is_one_gone(void)
{
	return subscribers_count(bench.all) <= bench.sessions - bench.sessions / WORLD_TUNNELS &&
	       spool_info().waiting == 0;
}

static int run(void)
{
	struct env_timer *drop = env_timer_new(bench.env, drop_all, NULL);
	struct env_timer *first = env_timer_new(bench.env, drop_one, NULL);
	struct env_ev_load load;
	char what[64];

	bench.look = env_timer_new(bench.env, look, NULL);
	world_call(bench.all, bench.sessions, 256);
	snprintf(what, sizeof(what), "%u sessions come up", bench.sessions);
	phase(what, are_up);
	phase("they are up", is_time_over);
	env_timer_start(first, 0);
	snprintf(what, sizeof(what), "StopCCN, %u sessions", bench.sessions / WORLD_TUNNELS);
	phase(what, is_one_gone);
	env_timer_start(drop, 0);
	phase("StopCCN, all others", are_gone);
	env_ev_get_load(bench.env, &load);
	printf("records: %llu put, %llu acknowledged, %llu superseded\n",
		(unsigned long long)spool_info().put, (unsigned long long)spool_info().sent,
		(unsigned long long)spool_info().superseded);
	return bench.failed || load.slow ? 1 : 0;
}

/* 0: it is none, or too large. */
static unsigned int number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	return *text < '0' || *text > '9' || *end || value > SESSIONS_MAX ? 0 : (unsigned int)value;
}

int main(int argc, char **argv)
{
	struct rlimit files;
	char directory[] = "/tmp/turn_bench-XXXXXX", path[64];
	unsigned int port;
	pid_t responder;
	int status;

	if (argc == 2)
		bench.sessions = number(argv[1]);
	if (argc > 2 || bench.sessions == 0) {
		fprintf(stderr, "usage: turn_bench [SESSIONS], at most %u\n", SESSIONS_MAX);
		return 2;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) || files.rlim_max < 2 * bench.sessions + 600)
		fail("the limit of open files", -EMFILE);
	if (!mkdtemp(directory))
		fail(directory, -errno);
	/* Lines are made, as in an engine, and nobody reads them. */
	if (!freopen("/dev/null", "w", stderr))
		fail("/dev/null", -errno);
	log_open("turn_bench", LOG_TO_STDERR);
	log_set_level(LOG_LEVEL_INFO);
	snprintf(path, sizeof(path), "%s/accounting.db", directory);
	responder = responder_start(SECRET, 0, &port);
	bench.env = env_ev_new();
	if (!bench.env)
		fail("loop", -ENOMEM);
	radius_start(path, port);
	configure();
	subscribers_start();
	status = run();
	radius_spool_free(bench.spool);
	(void)unlink(path);
	(void)rmdir(directory);
	kill(responder, SIGKILL);
	waitpid(responder, NULL, 0);
	return status;
}
