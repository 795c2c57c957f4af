/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory runs out anywhere between the engine and the kernel: for every n, the n-th allocation fails, on
 * the loop or on a thread, while a job of each kind is done. Each is refused at once or answered once;
 * none that succeeded lacks its result; and no descriptor, watcher or thread is left.
 *
 * libnl's messages are counted, too. One job is waited for before the next is asked for, so that the n-th
 * allocation is the same in every run.
 */
#include "lns/kernel/kernel.h"
#include "tests/unit/env_fake.h"
#include "tests/unit/fds.h"
#include "tests/unit/netns.h"
#include "tests/unit/short_memory.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <unistd.h>

struct nl_msg *__real_nlmsg_alloc(void);
struct nl_msg *__real_nlmsg_alloc_simple(int type, int flags);
struct nl_cb *__real_nl_cb_alloc(enum nl_cb_kind kind);
struct nl_sock *__real_nl_socket_alloc(void);
struct nl_msg *__wrap_nlmsg_alloc(void);
struct nl_msg *__wrap_nlmsg_alloc_simple(int type, int flags);
struct nl_cb *__wrap_nl_cb_alloc(enum nl_cb_kind kind);
struct nl_sock *__wrap_nl_socket_alloc(void);

struct nl_msg *__wrap_nlmsg_alloc(void)
{
	return short_memory_strikes() ? NULL : __real_nlmsg_alloc();
}

struct nl_msg *__wrap_nlmsg_alloc_simple(int type, int flags)
{
	return short_memory_strikes() ? NULL : __real_nlmsg_alloc_simple(type, flags);
}

struct nl_cb *__wrap_nl_cb_alloc(enum nl_cb_kind kind)
{
	return short_memory_strikes() ? NULL : __real_nl_cb_alloc(kind);
}

struct nl_sock *__wrap_nl_socket_alloc(void)
{
	return short_memory_strikes() ? NULL : __real_nl_socket_alloc();
}

#define LO 1 /* the interface of every network namespace */

static struct env *env;
static struct kernel *kernel;
static unsigned int answers, samples;
static int answer;
static struct kernel_l2tp_list list;
static char *text;

static void on_link_gone(void *ctx, uint32_t ifindex, const struct kernel_counters *final)
{
	(void)ctx;
	(void)ifindex;
	(void) final;
}

static void on_links_lost(void *ctx)
{
	(void)ctx;
}

static const struct kernel_watch_ops watch_ops = { on_link_gone, on_links_lost };

static void on_done(void *ctx, int err, int fd)
{
	(void)ctx;
	cr_assert_eq(fd, -1, "this kernel cannot make a session, or the test can do more");
	answers++;
	answer = err;
}

static void on_opened(void *ctx, int err, int fd, uint32_t channel)
{
	(void)channel;
	on_done(ctx, err, fd);
}

static void on_limits(void *ctx, int err, const char *part)
{
	cr_assert_not_null(part);
	on_done(ctx, err, -1);
}

static void on_sample(void *ctx, uint32_t ifindex, const struct kernel_counters *counters)
{
	(void)ctx;
	(void)counters;
	samples += ifindex == LO;
}

static void settle(void)
{
	while (kernel_pending(kernel))
		env_fake_poll(env, 1000);
}

/* Waits for a job's answer; -ENOMEM when it was refused. */
static int answer_of(struct kernel_job *job)
{
	unsigned int before = answers;

	if (!job)
		return -ENOMEM;
	settle();
	cr_assert_eq(answers, before + 1);
	return answer;
}

/* What can be done, was done, but for want of memory. */
static void expect_done(int err)
{
	cr_assert(!err || err == -ENOMEM, "%d", err);
}

static void use_interfaces(void)
{
	static const uint32_t gone[] = { 4711, 4712 };
	struct addr_prefix prefix;
	int err;

	cr_assert_eq(addr_parse("192.0.2.9", 0, &prefix.addr), 0);
	prefix.len = 32;
	expect_done(answer_of(kernel_link_set_group(kernel, LO, 0, "alias", on_done, NULL)));
	err = answer_of(kernel_route_change(kernel, true, &prefix, LO, 0, on_done, NULL));
	expect_done(err);
	if (!err) {
		err = answer_of(kernel_route_change(kernel, false, &prefix, LO, 0, on_done, NULL));
		expect_done(err);
		if (err) /* so that the next run finds none */
			cr_assert_eq(answer_of(kernel_route_change(
					     kernel, false, &prefix, LO, 0, on_done, NULL)),
				0);
	}
	expect_done(answer_of(kernel_links_delete(kernel, gone, 2, on_done, NULL)));
	samples = 0;
	err = answer_of(kernel_sample_counters(kernel, on_sample, on_done, NULL));
	expect_done(err);
	cr_assert_eq(samples, !err);
}

/* This kernel may lack tc and L2TP: then the answers say so. */
static void use_what_may_lack(void)
{
	static const struct kernel_limits limits = { { .rate = 1000000 }, { .rate = 1000000 } };
	static const struct kernel_limits none;
	static const struct kernel_session session = { 1, 2, 3, 4, 0 };
	int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	answer_of(kernel_limits_set(kernel, LO, &limits, on_limits, NULL));
	answer_of(kernel_limits_set(kernel, LO, &none, on_limits, NULL));
	answer_of(kernel_tunnel_create(kernel, udp, 1, 2, on_done, NULL));
	answer_of(kernel_session_open(kernel, udp, &session, on_opened, NULL));
	answer_of(kernel_tunnel_delete(kernel, 1, on_done, NULL));
	if (!answer_of(kernel_l2tp_dump(
		    kernel, open("/dev/null", O_RDONLY | O_CLOEXEC), &list, on_done, NULL)))
		kernel_l2tp_list_free(&list);
	close(udp);
}

static void read_text(void)
{
	int err = answer_of(kernel_text_read(kernel, open("/proc/self/stat", O_RDONLY | O_CLOEXEC),
		1 << 20, &text, on_done, NULL));

	expect_done(err);
	if (err)
		return;
	cr_assert_not_null(text);
	free(text);
}

static void cancel(void)
{
	kernel_cancel(kernel_text_read(kernel, open("/proc/self/stat", O_RDONLY | O_CLOEXEC),
		1 << 20, &text, on_done, NULL));
	settle();
	kernel_close(kernel, open("/dev/null", O_RDONLY | O_CLOEXEC));
}

static int threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void live(unsigned int n)
{
	int fds = open_fds(), tasks = threads(), err;

	env = env_fake_new();
	short_memory_arm(true);
	err = kernel_new(env, &watch_ops, NULL, &kernel);
	if (!err) {
		use_interfaces();
		use_what_may_lack();
		read_text();
		cancel();
	}
	short_memory_arm(false);
	cr_assert(!err || err == -ENOMEM, "allocation %u: %d", n, err);
	if (!err)
		kernel_free(kernel);
	cr_assert_eq(open_fds(), fds, "allocation %u", n);
	cr_assert_eq(threads(), tasks, "allocation %u", n);
	env_fake_free(env);
}

Test(alloc, nothing_is_left_behind, .init = netns_enter)
{
	cr_assert_gt(short_memory_everywhere(live), 40);
}
