/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine's client against a scripted monitor at the other end of a socket pair, on the fake env.
 */
#include "lns/monitor/client.h"
#include "lns/monitor/link.h"
#include "tests/unit/env_fake.h"
#include "tests/unit/monitor/messages.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct env *env;
static struct monitor_client *client;
static int monitor_fd;    /* the script's end */
static char script[4096]; /* what was upcalled, one word each */

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *format, ...)
{
	size_t used = strlen(script);
	va_list args;

	va_start(args, format);
	vsnprintf(script + used, sizeof(script) - used, format, args);
	va_end(args);
}

static void take_fd(int fd)
{
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_assert_eq(close(fd), 0);
}

static void on_hello(
	void *ctx, const struct monitor_hello *hello, int config_fd, int state_fd, int control_fd)
{
	cr_assert_eq(ctx, script);
	take_fd(config_fd);
	take_fd(state_fd);
	take_fd(control_fd);
	note("hello:%u:%s:%s ", hello->generation, hello->run_dir, hello->state_dir);
}

static void on_kept(void *ctx, enum monitor_kind kind, uint64_t id, int fd)
{
	(void)ctx;
	take_fd(fd);
	note("kept:%d:%lu ", kind, (unsigned long)id);
}

static void on_session(void *ctx, uint64_t session, int pid)
{
	(void)ctx;
	note("session:%lu:%d ", (unsigned long)session, pid);
}

static void on_exited(void *ctx, const struct monitor_exit *exited)
{
	(void)ctx;
	note("exited:%lu:%d:%lu:%lu ", (unsigned long)exited->session, exited->status,
		(unsigned long)exited->utime, (unsigned long)exited->stime);
}

static void on_template(void *ctx, uint32_t id, const char *name, int fork_fd)
{
	(void)ctx;
	take_fd(fork_fd);
	note("template:%u:%s ", id, name);
}

static void on_start(void *ctx)
{
	(void)ctx;
	note("start ");
}

static void on_reload(void *ctx, uint32_t request, int config_fd)
{
	(void)ctx;
	take_fd(config_fd);
	note("reload:%u ", request);
}

static void on_stop(void *ctx, bool hurry)
{
	(void)ctx;
	note("stop:%d ", hurry);
}

static void on_reload_line(void *ctx, const char *line)
{
	cr_assert_eq(ctx, script);
	note("line:%s ", line);
}

static void on_reload_end(void *ctx, int error)
{
	cr_assert_eq(ctx, script);
	note("end:%d ", error);
}

static void on_opened(void *ctx, enum monitor_open what, int error, int fd)
{
	(void)ctx;
	if (fd >= 0)
		take_fd(fd);
	note("opened:%d:%d:%s ", what, error, fd >= 0 ? "fd" : "none");
}

static void on_hooks(void *ctx, int fd)
{
	(void)ctx;
	take_fd(fd);
	note("hooks ");
}

static void on_closed(void *ctx, const char *reason)
{
	(void)ctx;
	note("closed:%s ", reason ? reason : "end");
	monitor_client_free(client);
	client = NULL;
}

static const struct monitor_client_ops ops = { on_hello, on_kept, on_session, on_exited,
	on_template, on_start, on_reload, on_reload_line, on_reload_end, on_stop, on_opened,
	on_hooks, on_closed };

static void setup(void)
{
	int pair[2];

	env = env_fake_new();
	cr_assert_eq(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	monitor_fd = pair[0];
	cr_assert_eq(monitor_client_new(env, pair[1], &ops, script, &client), 0);
	script[0] = '\0';
}

static void teardown(void)
{
	monitor_client_free(client);
	env_fake_free(env); /* fails when a watcher is left */
	close(monitor_fd);
}

TestSuite(monitor_client, .init = setup, .fini = teardown, .timeout = 20);

static void run(void)
{
	while (env_fake_poll(env, 0) > 0)
		;
}

static void monitor_says_raw(const void *packet, size_t len, unsigned int fd_count)
{
	union {
		struct cmsghdr align;
		unsigned char room[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)packet, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[8];

	for (unsigned int i = 0; i < fd_count; i++)
		fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd_count > 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, fd_count * sizeof(int));
	}
	cr_assert_eq(sendmsg(monitor_fd, &msg, MSG_NOSIGNAL), (ssize_t)len);
	for (unsigned int i = 0; i < fd_count; i++)
		close(fds[i]);
}

static void monitor_says(unsigned int type)
{
	union monitor_message message;
	unsigned int fds = message_make(&message, type);

	monitor_says_raw(&message, message.head.size, fds);
}

/* The next request must be a good one of this type. */
static void monitor_hears(unsigned int type, union monitor_message *ret)
{
	int fds[MONITOR_FDS], n;
	unsigned int count = 0;

	n = monitor_link_receive(monitor_fd, ret, sizeof(*ret), fds, MONITOR_FDS, &count);
	cr_assert_gt(n, 0, "waiting for request %u: %d", type, n);
	cr_assert_eq(monitor_message_check(ret, (size_t)n, count, MONITOR_FROM_ENGINE), 0);
	cr_assert_eq(ret->head.type, type);
	for (unsigned int i = 0; i < count; i++)
		close(fds[i]);
}

static void monitor_starts(void)
{
	monitor_says(MONITOR_HELLO);
	monitor_says(MONITOR_START);
	run();
	script[0] = '\0';
}

Test(monitor_client, hands_over_the_past_in_order)
{
	monitor_says(MONITOR_HELLO);
	monitor_says(MONITOR_KEPT);
	monitor_says(MONITOR_SESSION);
	monitor_says(MONITOR_EXIT);
	monitor_says(MONITOR_TEMPLATE);
	monitor_says(MONITOR_HOOKS);
	monitor_says(MONITOR_START);
	run();
	cr_assert_str_eq(script, "hello:1:/run/lnsd:/var/lib/lnsd kept:2:5 session:11:100 "
				 "exited:12:9:1500:2500 template:4:default hooks start ");
}

Test(monitor_client, hears_of_the_present)
{
	union monitor_message message;

	monitor_starts();
	monitor_says(MONITOR_EXIT);
	monitor_says(MONITOR_TEMPLATE);
	monitor_says(MONITOR_RELOAD);
	monitor_says(MONITOR_OPENED);
	message_make(&message, MONITOR_OPENED);
	message.answer.error = -ENOENT;
	monitor_says_raw(&message, message.head.size, 0);
	monitor_says(MONITOR_RELOAD_LINE);
	monitor_says(MONITOR_RELOAD_END);
	monitor_says(MONITOR_STOP);
	run();
	cr_assert_str_eq(script, "exited:12:9:1500:2500 template:4:default reload:9 "
				 "opened:1:0:fd opened:1:-2:none line:bad end:-22 stop:1 ");
	close(monitor_fd);
	run();
	cr_assert_str_eq(strstr(script, "closed"), "closed:end ");
	cr_assert_null(client);
}

Test(monitor_client, answers_that_it_lives)
{
	union monitor_message message;

	monitor_starts();
	monitor_says(MONITOR_ASK);
	run();
	monitor_hears(MONITOR_ALIVE, &message);
	cr_assert_str_eq(script, "");
}

Test(monitor_client, asks)
{
	const uint64_t keys[] = { 21, 22 };
	union monitor_message message;

	monitor_starts();
	cr_assert_eq(monitor_client_ready(client), 0);
	cr_assert_eq(monitor_client_signal(client, MONITOR_SIGNAL_KILL, keys, 2), 0);
	cr_assert_eq(monitor_client_forget(client, 23), 0);
	cr_assert_eq(monitor_client_keep(client, MONITOR_KEEP_CHANNEL, 24, STDIN_FILENO), 0);
	cr_assert_eq(monitor_client_drop(client, MONITOR_KEEP_CHANNEL, 24), 0);
	cr_assert_eq(monitor_client_replace_template(client, 4), 0);
	cr_assert_eq(monitor_client_open(client, MONITOR_OPEN_L2TP_DEBUGFS), 0);
	cr_assert_eq(monitor_client_reloaded(client, 9, -EINVAL), 0);
	cr_assert_eq(monitor_client_want_reload(client), 0);
	cr_assert_eq(monitor_client_stopped(client), 0);

	monitor_hears(MONITOR_READY, &message);
	monitor_hears(MONITOR_SIGNAL, &message);
	cr_assert_eq(message.keys.signal, MONITOR_SIGNAL_KILL);
	cr_assert_eq(message.keys.count, 2);
	cr_assert_eq(message.keys.sessions[1], 22);
	monitor_hears(MONITOR_FORGET, &message);
	cr_assert_eq(message.keys.sessions[0], 23);
	monitor_hears(MONITOR_KEEP, &message);
	cr_assert_eq(message.keep.id, 24);
	monitor_hears(MONITOR_DROP, &message);
	cr_assert_eq(message.keep.kind, MONITOR_KEEP_CHANNEL);
	monitor_hears(MONITOR_REPLACE_TEMPLATE, &message);
	cr_assert_eq(message.number.number, 4);
	monitor_hears(MONITOR_OPEN, &message);
	monitor_hears(MONITOR_RELOADED, &message);
	cr_assert_eq(message.answer.error, -EINVAL);
	monitor_hears(MONITOR_WANT_RELOAD, &message);
	monitor_hears(MONITOR_STOPPED, &message);
}

Test(monitor_client, signals_in_batches)
{
	uint64_t keys[2 * MONITOR_BATCH + 1];
	union monitor_message message;

	monitor_starts();
	for (unsigned int i = 0; i < 2 * MONITOR_BATCH + 1; i++)
		keys[i] = 1000 + i;
	monitor_client_signal(client, MONITOR_SIGNAL_TERM, keys, 2 * MONITOR_BATCH + 1);
	for (unsigned int i = 0; i < 3; i++) {
		monitor_hears(MONITOR_SIGNAL, &message);
		cr_assert_eq(message.keys.count, i < 2 ? MONITOR_BATCH : 1);
		cr_assert_eq(message.keys.sessions[0], 1000 + i * MONITOR_BATCH);
	}
	cr_assert_eq(monitor_client_signal(client, MONITOR_SIGNAL_TERM, keys, 0), 0);
	cr_assert_eq(recv(monitor_fd, &message, sizeof(message), MSG_DONTWAIT), -1);
}

static unsigned int open_descriptors(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* A monitor that does not read: nothing blocks, nothing is lost, the order stays. */
Test(monitor_client, queues_while_the_socket_is_full)
{
	const unsigned int count = 3000;
	union monitor_message message;
	unsigned int before;

	monitor_starts();
	before = open_descriptors();
	for (unsigned int i = 1; i <= count; i++) {
		int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		int err = i % 100 ? monitor_client_forget(client, i)
				  : monitor_client_keep(client, MONITOR_KEEP_TUNNEL, i, fd);

		cr_assert_eq(err, 0);
		close(fd); /* a queued one is a duplicate */
	}
	for (unsigned int i = 1; i <= count; i++) {
		run();
		monitor_hears(i % 100 ? MONITOR_FORGET : MONITOR_KEEP, &message);
		cr_assert_eq(i % 100 ? message.keys.sessions[0] : message.keep.id, i);
	}
	run();
	cr_assert_eq(open_descriptors(), before);
	cr_assert_eq(env_fake_poll(env, 0), 0, "it does not watch for writing any more");
}

Test(monitor_client, a_dead_monitor_is_told_once_and_requests_go_nowhere)
{
	monitor_starts();
	close(monitor_fd);
	cr_assert_eq(monitor_client_forget(client, 1), 0);
	cr_assert_eq(monitor_client_keep(client, MONITOR_KEEP_TUNNEL, 1, STDIN_FILENO), 0);
	cr_assert_str_eq(script, "", "upcalls come from the loop only");
	run();
	cr_assert_str_eq(script, "closed:end ");
	monitor_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* The socket is between equals: what an engine said before it died is read by the same function. */
Test(monitor_client, last_words_outlive_their_sender)
{
	monitor_starts();
	cr_assert_eq(monitor_client_forget(client, 1), 0); /* which it does not read */
	monitor_says(MONITOR_STOP);
	close(monitor_fd);
	run();
	cr_assert_str_eq(script, "stop:1 closed:end ");
	monitor_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* What comes broken closes the client, and the descriptors that came with it. */
static void expect_broken(const void *packet, size_t len, unsigned int fds, const char *reason)
{
	unsigned int before = open_descriptors();

	monitor_says_raw(packet, len, fds);
	run();
	cr_assert_str_eq(script, reason);
	cr_assert_null(client);
	cr_assert_eq(open_descriptors(), before - 1, "all but the client's own");
}

Test(monitor_client, refuses_a_broken_message)
{
	union monitor_message message;
	unsigned int fds;

	monitor_starts();
	fds = message_make(&message, MONITOR_TEMPLATE);
	message.template.id = 0;
	expect_broken(&message, message.head.size, fds, "closed:broken message ");
}

Test(monitor_client, refuses_a_request)
{
	union monitor_message message;

	monitor_starts();
	message_make(&message, MONITOR_SIGNAL);
	expect_broken(&message, message.head.size, 0, "closed:broken message ");
}

Test(monitor_client, refuses_descriptors_that_do_not_belong)
{
	union monitor_message message;

	monitor_starts();
	message_make(&message, MONITOR_STOP);
	expect_broken(&message, message.head.size, 2, "closed:broken message ");
}

Test(monitor_client, refuses_too_many_descriptors)
{
	union monitor_message message;

	monitor_starts();
	message_make(&message, MONITOR_TEMPLATE);
	expect_broken(&message, message.head.size, 8, "closed:Message too long ");
}

Test(monitor_client, refuses_a_packet_that_is_too_long)
{
	uint8_t packet[sizeof(union monitor_message) + 1] = { 0 };

	monitor_starts();
	expect_broken(packet, sizeof(packet), 0, "closed:Message too long ");
}

Test(monitor_client, refuses_the_present_before_the_past)
{
	union monitor_message message;
	unsigned int fds = message_make(&message, MONITOR_KEPT);

	expect_broken(&message, message.head.size, fds, "closed:broken message ");
}

Test(monitor_client, refuses_answers_before_the_start)
{
	union monitor_message message;
	unsigned int fds = message_make(&message, MONITOR_OPENED);

	monitor_says(MONITOR_HELLO);
	run();
	script[0] = '\0';
	expect_broken(&message, message.head.size, fds, "closed:broken message ");
}

Test(monitor_client, refuses_the_past_after_the_start)
{
	union monitor_message message;
	unsigned int fds;

	monitor_starts();
	fds = message_make(&message, MONITOR_KEPT);
	expect_broken(&message, message.head.size, fds, "closed:broken message ");
}

Test(monitor_client, refuses_a_second_hello)
{
	union monitor_message message;
	unsigned int fds;

	monitor_starts();
	fds = message_make(&message, MONITOR_HELLO);
	expect_broken(&message, message.head.size, fds, "closed:broken message ");
}
