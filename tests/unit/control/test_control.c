// SPDX-License-Identifier: BSD-2-Clause
/* control: requests and answers over a real socket, with a clock that stands still. */
#include "lns/control/control.h"

#include "tests/unit/env_fake.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct env *env;
static struct control *control;
static struct sockaddr_un name;

/* Counts to args.n, or fails when asked to. */
static json_t *count(void *ctx, const json_t *args, uint64_t *cursor, char *error, size_t size)
{
	json_int_t n = json_integer_value(json_object_get(args, "n"));

	(void)ctx;
	if (json_object_get(args, "fail") && *cursor == 1) {
		snprintf(error, size, "it broke");
		return NULL;
	}
	if (*cursor >= (uint64_t)n)
		return NULL;
	env_fake_spend(env, (uint64_t)json_integer_value(json_object_get(args, "spend")));
	if (json_object_get(args, "seldom") && ++*cursor % 300)
		return json_null();
	return json_integer((json_int_t)++ * cursor);
}

static const struct control_command commands[] = { { "count", count }, { NULL, NULL } };

/* The feed that is open, and how often one was closed by its reader. */
static struct control_feed *feed;
static unsigned int closed;

static int open_feed(
	void *ctx, const json_t *args, struct control_feed *opened, char *error, size_t size)
{
	(void)ctx;
	if (json_object_get(args, "refuse")) {
		snprintf(error, size, "not today");
		return -1;
	}
	feed = opened;
	control_feed_set_user(feed, &closed);
	if (json_object_get(args, "wait"))
		control_feed_wait(feed);
	return 0;
}

static void close_feed(void *ctx, struct control_feed *gone)
{
	(void)ctx;
	cr_assert_eq(gone, feed);
	++*(unsigned int *)control_feed_user(gone);
	feed = NULL;
}

static const struct control_feed_command feeds[] = { { "watch", open_feed, close_feed },
	{ NULL, NULL, NULL } };

/* Three items, then none. */
static unsigned int supplied;

static json_t *supply(void *ctx, struct control_feed *opened)
{
	(void)ctx;
	cr_assert_eq(opened, feed);
	return supplied == 3 ? NULL : json_integer(++supplied);
}

/* The same in two parts: after two there is nothing for now. */
static json_t *supply_part(void *ctx, struct control_feed *opened)
{
	if (supplied != 2)
		return supply(ctx, opened);
	control_feed_supply(opened, NULL);
	return NULL;
}

static void setup(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	name.sun_family =
		AF_UNIX; /* an abstract name of the kernel's choice leaves nothing behind */
	cr_assert_eq(bind(fd, (struct sockaddr *)&name, sizeof(sa_family_t)), 0);
	socklen_t len = sizeof(name);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	cr_assert_eq(listen(fd, 8), 0);
	env = env_fake_new();
	cr_assert_eq(control_new(env, fd, commands, NULL, &control), 0);
	control_set_feeds(control, feeds);
}

static void teardown(void)
{
	control_free(control);
	env_fake_free(env);
}

static int connected(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, (struct sockaddr *)&name, sizeof(sa_family_t) + 6), 0);
	env_fake_poll(env, 100);
	return fd;
}

/* Says it and returns everything that comes back until the server has nothing more to do. */
static const char *ask(int fd, const char *text)
{
	static char answer[1 << 20];
	size_t len = 0;
	ssize_t n;

	if (*text)
		cr_assert_eq(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
	do {
		env_fake_poll(env, 10);
		n = recv(fd, answer + len, sizeof(answer) - 1 - len, MSG_DONTWAIT);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0);
	answer[len] = '\0';
	return answer;
}

TestSuite(control, .init = setup, .fini = teardown);

Test(control, items_then_done)
{
	int fd = connected();

	cr_assert_str_eq(ask(fd, "{\"command\":\"count\",\"args\":{\"n\":2}}\n"),
		"{\"item\":1}\n{\"item\":2}\n{\"done\":true}\n");
	cr_assert_str_eq(ask(fd, "{\"command\":\"count\"}\n"), "{\"done\":true}\n");
	close(fd);
	env_fake_poll(env, 100);
}

/* Items that are much work are few a turn, and one that is too much for a turn has one of its own. */
Test(control, items_that_take_time)
{
	static const char dear[] = "{\"command\":\"count\",\"args\":{\"n\":3,\"spend\":300}}\n";
	static const char dearer[] = "{\"command\":\"count\",\"args\":{\"n\":2,\"spend\":9000}}\n";
	static const struct {
		const char *request, *turns[4];
	} rows[] = {
		{ dear, { "{\"item\":1}\n{\"item\":2}\n", "{\"item\":3}\n{\"done\":true}\n" } },
		{ dearer, { "{\"item\":1}\n", "{\"item\":2}\n", "{\"done\":true}\n" } },
	};
	int fd = connected();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_gt(send(fd, rows[i].request, strlen(rows[i].request), 0), 0);
		for (int turn = 0; turn < 4 && rows[i].turns[turn]; turn++) {
			char answer[200] = "";

			env_fake_poll(env, 10);
			cr_assert_gt(recv(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT), 0);
			cr_assert_str_eq(answer, rows[i].turns[turn]);
		}
	}
	close(fd);
}

/* A long search without items neither ends the answer nor holds the loop up. */
Test(control, steps_without_an_item)
{
	static const char text[] = "{\"command\":\"count\",\"args\":{\"n\":1000,\"seldom\":1}}\n";
	int fd = connected();
	char answer[200] = "";

	cr_assert_eq(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
	env_fake_poll(env, 10);
	cr_assert_lt(recv(fd, answer, sizeof(answer), MSG_DONTWAIT), 0, "too long for one turn");
	for (int turn = 0; turn < 10; turn++)
		env_fake_poll(env, 10);
	cr_assert_gt(recv(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT), 0);
	cr_assert_str_eq(
		answer, "{\"item\":301}\n{\"item\":601}\n{\"item\":901}\n{\"done\":true}\n");
	close(fd);
}

Test(control, two_requests_in_one_packet_are_answered_in_order)
{
	int fd = connected();

	cr_assert_str_eq(ask(fd, "{\"command\":\"count\",\"args\":{\"n\":1}}\n"
				 "{\"command\":\"nothing\"}\n"),
		"{\"item\":1}\n{\"done\":true}\n{\"error\":\"unknown command \\\"nothing\\\"\"}\n");
	close(fd);
}

Test(control, an_error_in_the_middle_ends_the_answer)
{
	int fd = connected();

	cr_assert_str_eq(ask(fd, "{\"command\":\"count\",\"args\":{\"n\":9,\"fail\":1}}\n"),
		"{\"item\":1}\n{\"error\":\"it broke\"}\n");
	close(fd);
}

Test(control, nonsense_gets_an_answer_and_the_client_may_go_on)
{
	static const char *const rows[] = { "\n", "hello\n", "{}\n", "[1]\n", "{\"command\":7}\n",
		"{\"command\":\"count\",\"command\":\"count\"}\n" };
	int fd = connected();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_not_null(strstr(ask(fd, rows[i]), "\"error\""), "%s", rows[i]);
	cr_assert_str_eq(ask(fd, "{\"command\":\"count\"}\n"), "{\"done\":true}\n");
	close(fd);
}

Test(control, an_endless_line_is_refused_and_closed)
{
	static char line[CONTROL_LINE + 100];
	int fd = connected();
	char byte;

	memset(line, 'x', sizeof(line) - 1);
	cr_assert_not_null(strstr(ask(fd, line), "request too long"));
	while (env_fake_poll(env, 10) > 0)
		;
	cr_assert_eq(recv(fd, &byte, 1, 0), 0, "the server closed");
	close(fd);
}

Test(control, a_reader_that_stops_reading_stops_the_answer)
{
	int fd = connected();
	size_t len = 0;
	ssize_t n;
	static char answer[1 << 22];
	static const char request[] = "{\"command\":\"count\",\"args\":{\"n\":100000}}\n";

	cr_assert_eq(send(fd, request, strlen(request), 0), (ssize_t)strlen(request));
	for (int turn = 0; turn < 5000; turn++)
		env_fake_poll(env, 0);
	/* Socket buffer and one high-water mark, not the whole answer. */
	do {
		n = recv(fd, answer + len, sizeof(answer) - 1 - len, MSG_DONTWAIT);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0);
	cr_assert_lt(len, 1000000);
	do {
		env_fake_poll(env, 10);
		n = recv(fd, answer + len, sizeof(answer) - 1 - len, MSG_DONTWAIT);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0);
	cr_assert_str_eq(answer + len - strlen("{\"item\":100000}\n{\"done\":true}\n"),
		"{\"item\":100000}\n{\"done\":true}\n");
	close(fd);
}

Test(control, clients_beyond_the_limit_are_turned_away_and_nobody_else)
{
	int fds[CONTROL_CLIENTS + 1];
	char byte;

	for (int i = 0; i <= CONTROL_CLIENTS; i++)
		fds[i] = connected();
	env_fake_poll(env, 10);
	cr_assert_eq(recv(fds[CONTROL_CLIENTS], &byte, 1, 0), 0);
	cr_assert_str_eq(ask(fds[0], "{\"command\":\"count\"}\n"), "{\"done\":true}\n");
	for (int i = 0; i <= CONTROL_CLIENTS; i++)
		close(fds[i]);
}

/* --- feeds --- */

#define WATCH "{\"command\":\"watch\"}\n"

Test(control, a_feed_gives_its_items_when_they_come)
{
	int fd = connected();

	cr_assert_str_eq(ask(fd, WATCH), "{\"started\":true}\n");
	control_feed_push(feed, json_integer(1));
	control_feed_push(feed, json_integer(2));
	cr_assert_str_eq(ask(fd, ""), "{\"item\":1}\n{\"item\":2}\n");
	control_feed_push(feed, json_integer(3));
	control_feed_end(feed, NULL);
	cr_assert_str_eq(ask(fd, ""), "{\"item\":3}\n{\"done\":true}\n");
	cr_assert_str_eq(ask(fd, "{\"command\":\"count\"}\n"), "{\"done\":true}\n");
	cr_assert_eq(closed, 0, "who ends a feed is not told");
	close(fd);
}

Test(control, a_feed_may_end_with_an_error_or_not_begin)
{
	int fd = connected();

	cr_assert_str_eq(ask(fd, "{\"command\":\"watch\",\"args\":{\"refuse\":1}}\n"),
		"{\"error\":\"not today\"}\n");
	ask(fd, WATCH);
	control_feed_end(feed, "it broke");
	cr_assert_str_eq(ask(fd, ""), "{\"error\":\"it broke\"}\n");
	close(fd);
}

Test(control, a_feed_ends_when_its_reader_goes)
{
	int fd = connected();

	ask(fd, WATCH);
	close(fd);
	env_fake_poll(env, 100);
	cr_assert_eq(closed, 1);

	fd = connected();
	ask(fd, WATCH);
	shutdown(fd, SHUT_WR);
	env_fake_poll(env, 100);
	cr_assert_eq(closed, 2);
	close(fd);
}

Test(control, another_request_ends_a_feed)
{
	int fd = connected();

	ask(fd, WATCH);
	cr_assert_str_eq(ask(fd, "{\"command\":\"count\",\"args\":{\"n\":1}}\n"),
		"{\"done\":true}\n{\"item\":1}\n{\"done\":true}\n");
	cr_assert_eq(closed, 1);
	close(fd);
}

Test(control, the_end_of_the_server_closes_feeds)
{
	int fd = connected();

	ask(fd, WATCH);
	control_free(control);
	control = NULL;
	cr_assert_eq(closed, 1);
	close(fd);
}

/* Items that a slow reader has no room for are dropped and counted, and those before and after are not. */
Test(control, a_feed_does_not_wait_for_its_reader)
{
	static char answer[1 << 22];
	int fd = connected(), pushed = 20000, items = 0, dropped = 0;
	size_t len = 0;
	ssize_t n;

	ask(fd, WATCH);
	for (int i = 0; i < pushed; i++) {
		control_feed_push(feed,
			json_string("a message that is as long as one that a tunnel may have had"));
		env_fake_poll(env, 0);
	}
	do {
		env_fake_poll(env, 10);
		n = recv(fd, answer + len, sizeof(answer) - 1 - len, MSG_DONTWAIT);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0);
	answer[len] = '\0';
	for (char *line = answer, *end; (end = strchr(line, '\n')); line = end + 1) {
		int count;

		if (sscanf(line, "{\"dropped\":%d}", &count) == 1)
			dropped += count;
		else if (!strncmp(line, "{\"item\":", 8))
			items++;
	}
	cr_assert_gt(dropped, 0);
	cr_assert_eq(items + dropped, pushed, "%d items, %d dropped", items, dropped);
	control_feed_push(feed, json_integer(1));
	cr_assert_str_eq(ask(fd, ""), "{\"item\":1}\n");
	close(fd);
}

#define WAIT "{\"command\":\"watch\",\"args\":{\"wait\":true}}\n"

Test(control, an_answer_that_waits_begins_when_it_is_there)
{
	int fd = connected();

	cr_assert_str_eq(ask(fd, WAIT), "");
	cr_assert_str_eq(ask(fd, "{\"command\":\"count\"}\n"), "", "the next one waits as well");
	control_feed_supply(feed, supply);
	cr_assert_eq(shutdown(fd, SHUT_WR), 0);
	cr_assert_str_eq(ask(fd, ""),
		"{\"item\":1}\n{\"item\":2}\n{\"item\":3}\n{\"done\":true}\n{\"done\":true}\n");
	cr_assert_eq(closed, 1, "its owner was told");
	close(fd);
}

Test(control, an_answer_that_waits_goes_to_a_client_that_says_no_more)
{
	int fd = connected();

	cr_assert_str_eq(ask(fd, WAIT), "");
	cr_assert_eq(shutdown(fd, SHUT_WR), 0);
	cr_assert_str_eq(ask(fd, ""), "");
	cr_assert_eq(closed, 0);
	control_feed_end(feed, "the kernel is silent");
	cr_assert_str_eq(ask(fd, ""), "{\"error\":\"the kernel is silent\"}\n");
	close(fd);
}

Test(control, an_answer_that_waits_comes_in_parts)
{
	int fd = connected();

	cr_assert_str_eq(ask(fd, WAIT), "");
	control_feed_supply(feed, supply_part);
	cr_assert_str_eq(ask(fd, ""), "{\"item\":1}\n{\"item\":2}\n");
	cr_assert_eq(closed, 0);
	cr_assert_str_eq(ask(fd, "{\"command\":\"count\"}\n"), "", "the next one waits as well");
	control_feed_supply(feed, supply);
	cr_assert_str_eq(ask(fd, ""), "{\"item\":3}\n{\"done\":true}\n{\"done\":true}\n");
	cr_assert_eq(closed, 1);
	close(fd);
}

Test(control, an_answer_that_waits_ends_with_its_client)
{
	int fd = connected();

	cr_assert_str_eq(ask(fd, WAIT), "");
	close(fd);
	env_fake_poll(env, 10);
	control_feed_supply(feed, supply);
	for (int i = 0; i < 10; i++)
		env_fake_poll(env, 10);
	cr_assert_eq(closed, 1);
}
