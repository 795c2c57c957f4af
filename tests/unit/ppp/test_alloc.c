/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory runs out anywhere between the engine and pppd: for every n, the n-th allocation fails while a
 * template and a channel are made and forks are asked for, some of which must wait for the socket. Each
 * request is refused at once or answered once, and no descriptor, timer or watcher is left.
 */
#include "lns/ppp/ppp.h"
#include "tests/unit/env_fake.h"
#include "tests/unit/fds.h"
#include "tests/unit/short_memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUESTS = 40, SPACE = 16384 };

static unsigned int answers[REQUESTS + 1]; /* by session */
static struct ppp_template *template;

static void on_forked(void *ctx, uint64_t session, int error, int pid)
{
	(void)ctx;
	(void)error;
	(void)pid;
	answers[session]++;
}

static void on_gone(void *ctx, struct ppp_template *gone)
{
	(void)ctx;
	ppp_template_free(gone);
	template = NULL;
}

static const struct ppp_template_ops template_ops = { on_forked, on_gone };

static void on_closed(void *ctx, const char *reason)
{
	(void)ctx;
	(void)reason;
}

static const struct ppp_channel_ops channel_ops = { .closed = on_closed };

/* The template's end: takes all requests that are there and answers them; how many. */
static unsigned int serve(int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(3 * sizeof(int))];
	struct ppp_fork fork;
	struct iovec iov = { &fork, sizeof(fork) };
	unsigned int count = 0;

	for (;; count++) {
		struct msghdr message = { .msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control) };
		struct ppp_forked forked = {
			.head = { PPP_FORKED, PPP_PROTO_VERSION, sizeof(forked), 0 }, .pid = 7
		};
		int fds[3];

		if (recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
			return count;
		memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fds));
		for (int i = 0; i < 3; i++)
			close(fds[i]);
		forked.head.session = fork.head.session;
		forked.request = fork.request;
		cr_assert_eq(send(fd, &forked, sizeof(forked), 0), sizeof(forked));
	}
}

/* Asks for forks until some must wait; then all are answered. */
static void fork_many(struct env *env, int peer, unsigned int n)
{
	bool asked[REQUESTS + 1] = { false };
	int lent[2];

	cr_assert_eq(pipe(lent), 0);
	memset(answers, 0, sizeof(answers));
	for (uint64_t session = 1; session <= REQUESTS; session++) {
		struct ppp_fork request = { .mtu = 1400, .mru = 1400, .name = "l2tp1-1" };
		int err = ppp_template_fork(template, session, &request, lent[0], lent[1], lent[0]);

		asked[session] = !err;
		cr_assert(!err || err == -ENOMEM, "%d", err);
	}
	for (unsigned int idle = 0; idle < 3;) {
		idle = serve(peer) ? 0 : idle + 1;
		env_fake_poll(env, 0);
		env_fake_advance(env, ENV_MS(100));
	}
	for (unsigned int session = 1; session <= REQUESTS; session++)
		cr_assert_eq(
			answers[session], asked[session], "allocation %u, request %u", n, session);
	close(lent[0]);
	close(lent[1]);
}

/* A whole life. */
static void live(unsigned int n)
{
	struct env *env = env_fake_new();
	struct ppp_channel *channel = NULL;
	int before = open_fds(), pair[2], space = SPACE, end;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	cr_assert_eq(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &space, sizeof(space)), 0);
	short_memory_arm(true);
	if (!ppp_channel_new(env, 1, &channel_ops, NULL, &channel, &end)) {
		ppp_channel_free(channel);
		close(end);
	}
	if (!ppp_template_new(env, pair[0], &template_ops, NULL, &template))
		fork_many(env, pair[1], n);
	short_memory_arm(false);
	ppp_template_free(template);
	template = NULL;
	close(pair[1]);
	cr_assert_eq(open_fds(), before, "allocation %u", n);
	env_fake_free(env);
}

Test(alloc, nothing_is_left_behind)
{
	cr_assert_gt(short_memory_everywhere(live), REQUESTS + 10, "none waited");
}
