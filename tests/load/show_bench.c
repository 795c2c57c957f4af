// SPDX-License-Identifier: BSD-2-Clause
/*
 * show_bench: what long listings cost the loop. Sessions that exist in memory only, the engine's control
 * socket, and a child that asks and reads; for each request the time until the answer is complete, its size,
 * and the CPU time of the longest turn of the loop meanwhile.
 *
 *   show_bench [SESSIONS]    10,000 by default
 */
#include "lns/control/control.h"
#include "lns/engine/commands.h"
#include "lns/env_ev.h"
#include "lns/subscriber/internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *const requests[] = {
	"{\"command\":\"show sessions\"}",
	"{\"command\":\"show sessions\",\"args\":{\"user\":\"nobody\"}}",
	"{\"command\":\"show sessions\",\"args\":{\"lac\":\"lac1\"}}",
	"{\"command\":\"top\",\"args\":{\"limit\":20}}",
	"{\"command\":\"top\",\"args\":{\"limit\":200}}",
	"{\"command\":\"why\",\"args\":{\"subscriber\":\"user9999@example.net\"}}",
	"{\"command\":\"history\"}",
};

static struct engine engine;

static void add_session(struct subscribers *all, unsigned int n)
{
	struct subscriber *sub = calloc(1, sizeof(*sub));

	if (!sub || !(sub->record = calloc(1, sizeof(*sub->record))))
		abort();
	sub->up = 1;
	sub->all = all;
	sub->key = UINT64_C(1) << 32 | n;
	sub->state = SUBSCRIBER_UP;
	sub->tunnel_id = (uint16_t)(n / 1000 + 1);
	sub->session_id = (uint16_t)(n % 1000 + 1);
	sub->remote = htonl(0x64400000 + n);
	sub->rx_bps = (uint64_t)rand();
	snprintf(sub->acct_session_id, sizeof(sub->acct_session_id), "%016llx",
		(unsigned long long)sub->key);
	snprintf(sub->user, sizeof(sub->user), "user%u@example.net", n);
	snprintf(sub->user_text, sizeof(sub->user_text), "user%u@example.net", n);
	snprintf(sub->lac, sizeof(sub->lac), "lac%u", n % 4);
	snprintf(sub->ifname, sizeof(sub->ifname), "ppp%u", n);
	snprintf(sub->calling, sizeof(sub->calling), "4930%08u", n);
	TAILQ_INSERT_TAIL(&all->order, sub, in_order);
	LIST_INSERT_HEAD(subscriber_bucket_of(all->by_key, sub->key), sub, by_key);
	all->count++;
	all->counters.online++;
}

/* The child: asks once, reads to the end. */
static void ask(const struct sockaddr_un *addr, const char *request)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char buf[65536];

	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0)
		_exit(1);
	dprintf(fd, "%s\n", request);
	shutdown(fd, SHUT_WR);
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	_exit(0);
}

static void child_ended(void *ctx, int events)
{
	(void)ctx;
	(void)events;
	env_ev_stop(engine.env);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* On a loop of their own, so that making them counts for no turn of the other. */
static void make_sessions(unsigned int count)
{
	struct env *env = env_ev_new();

	if (!env ||
		subscribers_new(&(struct subscribers_host){ .env = env }, &engine.subscribers) < 0)
		abort();
	for (unsigned int n = 0; n < 4; n++) {
		char name[8];

		snprintf(name, sizeof(name), "lac%u", n);
		tally_lac(subscribers_tally(engine.subscribers), name);
	}
	for (unsigned int n = 0; n < count; n++)
		add_session(engine.subscribers, n);
}

static void measure(const struct sockaddr_un *addr, const char *request)
{
	struct env_ev_load load;
	struct env_io *io;
	int fds[2], fd, status;
	double start;
	pid_t pid;

	engine.env = env_ev_new();
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unlink(addr->sun_path);
	if (!engine.env || pipe(fds) < 0 ||
		bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 || listen(fd, 8) < 0)
		abort();
	engine.control_fd = fd;
	if (engine_control_start(&engine) < 0)
		abort();
	start = seconds();
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		ask(addr, request);
	}
	close(fds[1]);
	io = env_io_new(engine.env, fds[0], ENV_READ, child_ended, NULL);
	env_ev_run(engine.env);
	env_ev_get_load(engine.env, &load);
	waitpid(pid, &status, 0);
	printf("%-70s %8.1f ms, %6.1f ms CPU in %5llu turns, longest %6.2f ms\n", request,
		(seconds() - start) * 1e3, (double)load.busy / 1e3, (unsigned long long)load.turns,
		(double)load.longest / 1e3);
	fflush(stdout);
	env_io_free(io);
	close(fds[0]);
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 10000;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct config config = { 0 };

	snprintf(addr.sun_path, sizeof(addr.sun_path), "/tmp/show-bench-%d", (int)getpid());
	engine.config = &config;
	make_sessions(count);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		measure(&addr, requests[i]);
	unlink(addr.sun_path);
	return 0;
}
