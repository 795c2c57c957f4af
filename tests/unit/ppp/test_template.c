/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * template: the engine's end of the fork socket against a scripted template on the other one.
 */
#include "lns/ppp/ppp.h"
#include "tests/unit/env_fake.h"
#include "tests/unit/fds.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct seen {
	int forked, gone;
	uint64_t session[2048];
	int error[2048], pid[2048];
	struct ppp_template *template;
	int free_on_answer;
} seen;

static void on_forked(void *ctx, uint64_t session, int error, int pid)
{
	(void)ctx;
	seen.session[seen.forked] = session;
	seen.error[seen.forked] = error;
	seen.pid[seen.forked++] = pid;
	if (seen.free_on_answer) {
		ppp_template_free(seen.template);
		seen.template = NULL;
	}
}

static void on_gone(void *ctx, struct ppp_template *template)
{
	(void)ctx;
	cr_assert_eq(template, seen.template);
	seen.gone++;
	ppp_template_free(template);
	seen.template = NULL;
}

static const struct ppp_template_ops ops = { on_forked, on_gone };

static struct env *env;
static int peer, lent[2];

static void setup(void)
{
	int pair[2];

	memset(&seen, 0, sizeof(seen));
	env = env_fake_new();
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	cr_assert_eq(pipe(lent), 0);
	cr_assert_eq(ppp_template_new(env, pair[0], &ops, NULL, &seen.template), 0);
	peer = pair[1];
}

static void teardown(void)
{
	ppp_template_free(seen.template);
	if (peer >= 0)
		close(peer);
	close(lent[0]);
	close(lent[1]);
	env_fake_free(env);
}

static int ask(uint64_t session)
{
	struct ppp_fork fork = { .mtu = 1460, .mru = 1460, .name = "l2tp1-2" };

	return ppp_template_fork(seen.template, session, &fork, lent[0], lent[1], lent[0]);
}

/* Takes a request as the template would; the number of descriptors with it, -1 when there is none. */
static int take(struct ppp_fork *fork)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * 8)];
	} control;
	struct iovec iov = { .iov_base = fork, .iov_len = sizeof(*fork) };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	int fds[8], count;

	if (recvmsg(peer, &message, MSG_DONTWAIT) != sizeof(*fork) || !CMSG_FIRSTHDR(&message))
		return -1;
	count = (CMSG_FIRSTHDR(&message)->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&message)), count * sizeof(int));
	for (int i = 0; i < count; i++)
		close(fds[i]);
	return count;
}

static void answer(uint64_t session, uint32_t request, int error, int pid)
{
	struct ppp_forked forked = { .head = { PPP_FORKED, PPP_PROTO_VERSION, sizeof(forked),
					     session },
		.request = request,
		.error = error,
		.pid = pid };

	cr_assert_eq(send(peer, &forked, sizeof(forked), MSG_DONTWAIT), (ssize_t)sizeof(forked));
}

static void poll_all(void)
{
	for (int i = 0; i < 100 && env_fake_poll(env, 0); i++)
		;
}

Test(template, a_request_and_its_answer, .init = setup, .fini = teardown)
{
	struct ppp_fork fork;

	cr_assert_eq(ask(41), 0);
	cr_assert_eq(ppp_template_pending(seen.template), 1);
	cr_assert_eq(take(&fork), 3);
	cr_assert_eq(ppp_message_check(&fork, sizeof(fork)), 0);
	cr_assert_eq(fork.head.session, 41);
	answer(41, fork.request, 0, 4711);
	poll_all();
	cr_assert_eq(seen.forked, 1);
	cr_assert_eq(seen.session[0], 41);
	cr_assert_eq(seen.error[0], 0);
	cr_assert_eq(seen.pid[0], 4711);
	cr_assert_eq(ppp_template_pending(seen.template), 0);
}

Test(template, a_failed_clone_is_told, .init = setup, .fini = teardown)
{
	struct ppp_fork fork;

	ask(41);
	take(&fork);
	answer(41, fork.request, EAGAIN, 0);
	poll_all();
	cr_assert_eq(seen.error[0], -EAGAIN);
}

Test(template, answers_come_in_any_order, .init = setup, .fini = teardown)
{
	struct ppp_fork fork[3];

	for (int i = 0; i < 3; i++) {
		ask(10 + i);
		cr_assert_eq(take(&fork[i]), 3);
	}
	answer(12, fork[2].request, 0, 2);
	answer(10, fork[0].request, 0, 1);
	answer(11, fork[1].request, 0, 3);
	poll_all();
	cr_assert_eq(seen.forked, 3);
	cr_assert_eq(seen.session[0], 12);
	cr_assert_eq(seen.session[1], 10);
	ask(13);
	cr_assert_eq(take(&fork[0]), 3);
	cr_assert_eq(ppp_template_pending(seen.template), 1);
}

Test(template, answers_to_an_earlier_engine_are_passed_over, .init = setup, .fini = teardown)
{
	struct ppp_fork fork;

	ask(41);
	take(&fork);
	answer(40, fork.request, 0, 4711);
	answer(41, fork.request + 1, 0, 4711);
	poll_all();
	cr_assert_eq(seen.forked + seen.gone, 0);
	cr_assert_eq(ppp_template_pending(seen.template), 1);
}

Test(template, a_full_socket_makes_requests_wait_in_order, .init = setup, .fini = teardown)
{
	int before = open_fds();
	const int count = 1000;
	struct ppp_fork fork;

	for (int i = 1; i <= count; i++)
		cr_assert_eq(ask(i), 0);
	cr_assert_gt(open_fds(), before, "some had to wait, with descriptors of their own");
	for (int i = 1; i <= count; i++) {
		if (take(&fork) < 0) {
			env_fake_poll(env, 0);
			env_fake_advance(env, ENV_MS(5));
			cr_assert_eq(take(&fork), 3);
		}
		cr_assert_eq(fork.head.session, (uint64_t)i);
		answer(i, fork.request, 0, i);
		env_fake_poll(env, 0);
	}
	poll_all();
	cr_assert_eq(seen.forked, count);
	cr_assert_eq(open_fds(), before);
}

Test(template, requests_are_failed_when_it_is_gone, .init = setup, .fini = teardown)
{
	int before = open_fds();

	for (int i = 1; i <= 1000; i++)
		ask(i);
	close(peer);
	peer = -1;
	poll_all();
	cr_assert_eq(seen.forked, 1000);
	cr_assert_eq(seen.gone, 1);
	for (int i = 0; i < 1000; i++) {
		cr_assert_eq(seen.session[i], (uint64_t)i + 1);
		cr_assert_eq(seen.error[i], -EPIPE);
	}
	cr_assert_eq(open_fds(), before - 2);
}

/* It dies with requests that it has not read; what it had answered before counts. */
Test(template, last_answers_outlive_it, .init = setup, .fini = teardown)
{
	struct ppp_fork fork;

	ask(41);
	ask(42);
	cr_assert_eq(take(&fork), 3);
	answer(41, fork.request, 0, 4711);
	close(peer);
	peer = -1;
	poll_all();
	cr_assert_eq(seen.forked, 2);
	cr_assert_eq(seen.session[0], 41);
	cr_assert_eq(seen.error[0], 0);
	cr_assert_eq(seen.session[1], 42);
	cr_assert_eq(seen.error[1], -EPIPE);
	cr_assert_eq(seen.gone, 1);
}

Test(template, a_broken_answer_is_the_end, .init = setup, .fini = teardown)
{
	ask(1);
	send(peer, "junk", 4, 0);
	poll_all();
	cr_assert_eq(seen.forked, 1);
	cr_assert_eq(seen.error[0], -EPIPE);
	cr_assert_eq(seen.gone, 1);
}

Test(template, may_be_freed_from_an_answer, .init = setup, .fini = teardown)
{
	struct ppp_fork fork;

	seen.free_on_answer = 1;
	ask(1);
	ask(2);
	take(&fork);
	answer(1, fork.request, 0, 5);
	poll_all();
	cr_assert_eq(seen.forked, 1);
	cr_assert_null(seen.template);
}

Test(template, may_be_freed_while_requests_fail, .init = setup, .fini = teardown)
{
	seen.free_on_answer = 1;
	ask(1);
	ask(2);
	close(peer);
	peer = -1;
	poll_all();
	cr_assert_eq(seen.forked, 1);
	cr_assert_eq(seen.gone, 0);
}

Test(template, nonsense_is_not_sent, .init = setup, .fini = teardown)
{
	struct ppp_fork fork = { .mtu = 1460, .mru = 1460, .name = "bad name" };

	cr_assert_eq(ppp_template_fork(seen.template, 1, &fork, 0, 0, 0), -EINVAL);
	cr_assert_eq(ask(0), -EINVAL);
	cr_assert_eq(ppp_template_pending(seen.template), 0);
}
