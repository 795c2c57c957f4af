// SPDX-License-Identifier: BSD-2-Clause
/* client: a hook process that is slow, away, dies, or lies. */
#include "lns/hooks/client.h"

#include "tests/unit/env_fake.h"
#include "tests/unit/hooks/event.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static struct env *env;
static struct hooks_client *client;
static int process = -1; /* the hook process's end */

/* Another hook process. */
static void attach(void)
{
	int pair[2];

	if (process >= 0)
		close(process);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	process = pair[0];
	hooks_client_attach(client, pair[1]);
}

static void setup(void)
{
	env = env_fake_new();
	client = hooks_client_new(env);
}

static void teardown(void)
{
	hooks_client_free(client);
	env_fake_free(env);
	close(process);
}

TestSuite(hooks_client, .init = setup, .fini = teardown, .timeout = 30);

static void send_event(uint64_t session)
{
	struct hooks_event event = event_of(session, HOOKS_UP);

	hooks_client_send(client, &event);
}

/* The session of the next event that arrived, 0 for none. */
static uint64_t next(void)
{
	union hooks_message message;

	return hooks_message_receive(process, HOOKS_EVENT, &message) ? 0 : message.event.session;
}

static void report(unsigned int ok)
{
	union hooks_message message = { .report.waiting = 3, .report.running = 2 };

	message.report.results[HOOKS_UP][HOOKS_OK] = ok;
	cr_assert_eq(hooks_message_send(process, &message, HOOKS_REPORT), 0);
	while (env_fake_poll(env, 0))
		;
}

static uint64_t result(enum hooks_result wanted)
{
	struct hooks_client_info info;

	hooks_client_info(client, &info);
	return info.results[HOOKS_UP][wanted];
}

Test(hooks_client, events_and_reports)
{
	struct hooks_client_info info;

	send_event(1); /* before there is anybody */
	cr_assert_eq(hooks_client_pending(client), 1);
	attach();
	send_event(2);
	cr_assert_eq(hooks_client_pending(client), 0);
	cr_assert_eq(next(), 1);
	cr_assert_eq(next(), 2);
	report(2);
	hooks_client_info(client, &info);
	cr_assert_eq(info.results[HOOKS_UP][HOOKS_OK], 2);
	cr_assert_eq(info.waiting, 3);
	cr_assert_eq(info.running, 2);
}

Test(hooks_client, a_process_that_does_not_read)
{
	uint64_t got = 0, session;

	attach();
	for (session = 1; session <= 10000; session++)
		send_event(session);
	cr_assert_eq(hooks_client_pending(client), 4096);
	cr_assert_gt(result(HOOKS_DROPPED), 5000);
	/* What was kept comes, in order. */
	do {
		while ((session = next()))
			cr_assert_eq(session, ++got);
	} while (env_fake_poll(env, 0));
	cr_assert_eq(hooks_client_pending(client), 0);
	cr_assert_eq(got + result(HOOKS_DROPPED), 10000);
}

Test(hooks_client, a_process_that_dies)
{
	attach();
	for (uint64_t session = 1; session <= 5; session++)
		send_event(session);
	cr_assert_eq(next(), 1);
	report(3);
	attach(); /* two were on their way */
	cr_assert_eq(result(HOOKS_OK), 3);
	cr_assert_eq(result(HOOKS_DROPPED), 2);
	send_event(6);
	cr_assert_eq(next(), 6);
	report(1);
	cr_assert_eq(result(HOOKS_OK), 4);
	close(process);
	process = -1;
	while (env_fake_poll(env, 0))
		;
	send_event(7); /* waits for the next one */
	cr_assert_eq(hooks_client_pending(client), 1);
	attach();
	cr_assert_eq(next(), 7);
	cr_assert_eq(result(HOOKS_OK), 4);
	cr_assert_eq(result(HOOKS_DROPPED), 2);
}

Test(hooks_client, a_process_that_breaks_the_protocol)
{
	attach();
	cr_assert_eq(send(process, "nonsense", 8, 0), 8);
	while (env_fake_poll(env, 0))
		;
	send_event(1);
	cr_assert_eq(hooks_client_pending(client), 1);
	cr_assert_eq(env_fake_watchers(env), 0);
}
