/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jobs and the watch against a real kernel, as far as it needs no L2TP: veth pairs in a network
 * namespace of the test's own. Interfaces are made with the module's netlink helper.
 */
#include "lns/kernel/job.h"
#include "lns/kernel/watch.h"
#include "tests/unit/env_fake.h"
#include "tests/unit/netns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct {
	struct env *env;
	struct kernel *kernel;
	struct netlink netlink; /* the test's own sockets */
	int err;
	unsigned int done, gone, lost, samples;
	struct {
		uint32_t ifindex;
		struct kernel_counters counters;
	} gone_links[64], sampled[64];
} t;

static void link_gone(void *ctx, uint32_t ifindex, const struct kernel_counters *final)
{
	cr_assert_eq(ctx, &t);
	cr_assert_not_null(final);
	if (t.gone < 64) {
		t.gone_links[t.gone].ifindex = ifindex;
		t.gone_links[t.gone].counters = *final;
	}
	t.gone++;
}

static void links_lost(void *ctx)
{
	cr_assert_eq(ctx, &t);
	t.lost++;
}

static const struct kernel_watch_ops watch_ops = { .link_gone = link_gone,
	.links_lost = links_lost };

static void on_done(void *ctx, int err, int fd)
{
	cr_assert_eq(ctx, &t);
	cr_assert_eq(fd, -1);
	t.err = err;
	t.done++;
}

static void on_opened(void *ctx, int err, int fd, uint32_t channel)
{
	(void)channel;
	on_done(ctx, err, fd);
}

static void on_sample(void *ctx, uint32_t ifindex, const struct kernel_counters *counters)
{
	cr_assert_eq(ctx, &t);
	cr_assert_lt(t.samples, 64);
	t.sampled[t.samples].ifindex = ifindex;
	t.sampled[t.samples].counters = *counters;
	t.samples++;
}

static void setup(void)
{
	netns_enter();
	t.env = env_fake_new();
	cr_assert_eq(kernel_new(t.env, &watch_ops, &t, &t.kernel), 0);
	cr_assert_eq(netlink_open(&t.netlink), 0);
}

static void teardown(void)
{
	if (!t.kernel)
		return;
	netlink_close(&t.netlink);
	kernel_free(t.kernel);
	env_fake_free(t.env);
}

TestSuite(link, .init = setup, .fini = teardown);

/* A veth pair vN and wN; returns the index of vN. */
static uint32_t veth_add(unsigned int n)
{
	struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct ifinfomsg link = { 0 };
	struct nlattr *info, *data, *peer;
	char name[IF_NAMESIZE];

	cr_assert_not_null(message);
	nlmsg_append(message, &link, sizeof(link), NLMSG_ALIGNTO);
	snprintf(name, sizeof(name), "v%u", n);
	nla_put_string(message, IFLA_IFNAME, name);
	info = nla_nest_start(message, IFLA_LINKINFO);
	nla_put_string(message, IFLA_INFO_KIND, "veth");
	data = nla_nest_start(message, IFLA_INFO_DATA);
	peer = nla_nest_start(message, VETH_INFO_PEER);
	nlmsg_append(message, &link, sizeof(link), NLMSG_ALIGNTO);
	name[0] = 'w';
	nla_put_string(message, IFLA_IFNAME, name);
	nla_nest_end(message, peer);
	nla_nest_end(message, data);
	nla_nest_end(message, info);
	cr_assert_eq(netlink_request(t.netlink.route, message), 0);
	name[0] = 'v';
	return if_nametoindex(name);
}

static void link_up(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	cr_assert(fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
}

/* Until frames sent to it are no longer dropped for want of a carrier. */
static void link_await_carrier(const char *name)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), i;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	for (i = 0; i < 5000 && !(request.ifr_flags & IFF_RUNNING); i++) {
		nanosleep(&pause, NULL);
		cr_assert_eq(ioctl(fd, SIOCGIFFLAGS, &request), 0);
	}
	cr_assert(request.ifr_flags & IFF_RUNNING, "%s has no carrier", name);
	close(fd);
}

/* Sends octets octets as one frame through an interface. */
static void frame_send(uint32_t ifindex, size_t octets)
{
	static uint8_t frame[1500] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)ifindex };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(
		sendto(fd, frame, octets, 0, (struct sockaddr *)&to, sizeof(to)), (ssize_t)octets);
	close(fd);
}

static int finish(const struct kernel_job *job)
{
	unsigned int before = t.done;

	cr_assert_not_null(job);
	while (t.done == before)
		env_fake_poll(t.env, 1000);
	return t.err;
}

static void poll_all(void)
{
	while (env_fake_poll(t.env, 0) > 0)
		;
}

/* Frames are counted when the other end has taken them, which is soon, but not at once. */
static struct kernel_counters await_frames(uint32_t ifindex, uint64_t sent, uint64_t received)
{
	unsigned int i;

	do {
		t.samples = 0;
		cr_assert_eq(finish(kernel_sample_counters(t.kernel, on_sample, on_done, &t)), 0);
		for (i = 0; t.sampled[i].ifindex != ifindex; i++)
			cr_assert_lt(i, t.samples);
	} while (t.sampled[i].counters.tx_packets < sent ||
		 t.sampled[i].counters.rx_packets < received);
	return t.sampled[i].counters;
}

Test(link, deleting_reports_the_final_counters_of_that_index)
{
	uint32_t ifindex = veth_add(1);
	struct kernel_counters counters;
	int i;

	link_up("v1");
	link_up("w1");
	link_await_carrier("v1");
	link_await_carrier("w1");
	for (i = 0; i < 5; i++)
		frame_send(ifindex, 1000);
	frame_send(if_nametoindex("w1"), 1400);
	counters = await_frames(ifindex, 5, 1);
	cr_assert_geq(counters.tx_octets, 5000);
	cr_assert_geq(counters.rx_octets, 1400);
	cr_assert_lt(counters.rx_octets, 5000, "the directions");
	frame_send(ifindex, 700);
	await_frames(ifindex, 6, 1);
	cr_assert_eq(finish(kernel_link_delete(t.kernel, ifindex, on_done, &t)), 0);
	poll_all();
	cr_assert_eq(t.gone, 2, "both ends of the pair");
	for (i = 0; t.gone_links[i].ifindex != ifindex; i++)
		cr_assert_lt(i, 2);
	counters = t.gone_links[i].counters;
	cr_assert_geq(counters.tx_packets, 6);
	cr_assert_geq(counters.tx_octets, 5700);
	cr_assert_eq(finish(kernel_link_delete(t.kernel, ifindex, on_done, &t)), -ENODEV);
	cr_assert_eq(finish(kernel_link_delete(t.kernel, 0, on_done, &t)), -EINVAL);
}

Test(link, watch_is_woken_by_nothing_but_deletions)
{
	struct env *watch_env = env_fake_new();
	struct kernel_watch *watch;

	cr_assert_eq(kernel_watch_new(watch_env, &watch_ops, &t, &watch), 0);
	veth_add(1);
	link_up("v1");
	cr_assert_eq(env_fake_poll(watch_env, 0), 0);
	cr_assert_eq(finish(kernel_link_delete(t.kernel, if_nametoindex("v1"), on_done, &t)), 0);
	cr_assert_eq(env_fake_poll(watch_env, 0), 1);
	kernel_watch_free(watch);
	env_fake_free(watch_env);
}

/* The watch has an env of its own here: it is not read while the interfaces vanish. */
Test(link, losses_are_reported_and_survived)
{
	struct env *watch_env = env_fake_new();
	struct kernel_watch *watch;
	char name[IF_NAMESIZE];
	unsigned int i, gone;
	int size = 1; /* the kernel's minimum: room for a message or two */

	cr_assert_eq(kernel_watch_new(watch_env, &watch_ops, &t, &watch), 0);
	t.gone = t.lost = 0;
	kernel_free(t.kernel);
	cr_assert_eq(kernel_new(t.env, NULL, NULL, &t.kernel), 0);
	setsockopt(kernel_watch_fd(watch), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (i = 0; i < 10; i++)
		cr_assert_neq(veth_add(i), 0);
	for (i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "v%u", i);
		cr_assert_eq(
			finish(kernel_link_delete(t.kernel, if_nametoindex(name), on_done, &t)), 0);
	}
	cr_assert_eq(t.gone, 0);
	while (env_fake_poll(watch_env, 0) > 0)
		;
	cr_assert_gt(t.lost, 0);
	cr_assert_lt(t.gone, 20);

	gone = t.gone;
	size = 1 << 20;
	setsockopt(kernel_watch_fd(watch), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	veth_add(50);
	cr_assert_eq(finish(kernel_link_delete(t.kernel, if_nametoindex("v50"), on_done, &t)), 0);
	while (env_fake_poll(watch_env, 0) > 0)
		;
	cr_assert_eq(t.gone, gone + 2, "after a loss it works on");
	kernel_watch_free(watch);
	env_fake_free(watch_env);
}

Test(link, group_is_set_and_deleted_at_once)
{
	uint32_t one = veth_add(1), two = veth_add(2), other = veth_add(3);

	cr_assert_eq(finish(kernel_link_set_group(t.kernel, one, 77, "", on_done, &t)), 0);
	cr_assert_eq(finish(kernel_link_set_group(t.kernel, two, 77, "bob; 1", on_done, &t)), 0);
	cr_assert_eq(finish(kernel_link_set_group(t.kernel, 99999, 77, "x", on_done, &t)), -ENODEV);
	cr_assert_eq(finish(kernel_link_delete_group(t.kernel, 0, on_done, &t)), -EINVAL);
	cr_assert_eq(finish(kernel_link_delete_group(t.kernel, 77, on_done, &t)), 0);
	poll_all();
	cr_assert_eq(t.gone, 4);
	cr_assert_eq(if_nametoindex("v1"), 0);
	cr_assert_eq(if_nametoindex("w2"), 0);
	cr_assert_eq(if_nametoindex("v3"), other);
}

static struct addr_prefix prefix_of(const char *text)
{
	struct addr_prefix prefix;

	cr_assert_eq(addr_prefix_parse(text, &prefix), 0);
	return prefix;
}

static int route(bool add, const char *text, uint32_t ifindex, uint32_t table)
{
	struct addr_prefix prefix = prefix_of(text);

	return finish(kernel_route_change(t.kernel, add, &prefix, ifindex, table, on_done, &t));
}

/* The interface through which the system would send to an IPv4 address, 0 = no route. */
static uint32_t way_to(const char *host)
{
	struct rtmsg rtm = { .rtm_family = AF_INET, .rtm_dst_len = 32 };
	struct nl_msg *message = nlmsg_alloc_simple(RTM_GETROUTE, 0), *answer = NULL;
	struct nlattr *attrs[RTA_MAX + 1];
	struct sockaddr_nl from;
	unsigned char *buffer = NULL;
	uint32_t ifindex = 0;
	union addr addr;

	cr_assert_eq(addr_parse(host, 0, &addr), 0);
	nlmsg_append(message, &rtm, sizeof(rtm), NLMSG_ALIGNTO);
	nla_put(message, RTA_DST, 4, &addr.in4.sin_addr);
	nl_socket_disable_auto_ack(t.netlink.route);
	cr_assert_geq(nl_send_auto(t.netlink.route, message), 0);
	nlmsg_free(message);
	cr_assert_gt(nl_recv(t.netlink.route, &from, &buffer, NULL), 0);
	if (((struct nlmsghdr *)buffer)->nlmsg_type == RTM_NEWROUTE) {
		answer = nlmsg_convert((struct nlmsghdr *)buffer);
		nlmsg_parse(nlmsg_hdr(answer), sizeof(rtm), attrs, RTA_MAX, NULL);
		ifindex = attrs[RTA_OIF] ? nla_get_u32(attrs[RTA_OIF]) : 0;
		nlmsg_free(answer);
	}
	free(buffer);
	return ifindex;
}

Test(link, routes_come_and_go)
{
	uint32_t ifindex = veth_add(1), other = veth_add(2);

	link_up("v1");
	link_up("v2");
	cr_assert_eq(route(true, "192.0.2.0/24", ifindex, 0), 0);
	cr_assert_eq(way_to("192.0.2.77"), ifindex);
	cr_assert_eq(route(true, "192.0.2.0/24", ifindex, 0), -EEXIST);
	cr_assert_eq(route(true, "192.0.2.0/24", other, 0), -EEXIST, "never taken over");
	cr_assert_eq(route(false, "192.0.2.0/24", other, 0), -ESRCH, "only its own");
	cr_assert_eq(route(false, "192.0.2.0/24", ifindex, 0), 0);
	cr_assert_eq(way_to("192.0.2.77"), 0);
	cr_assert_eq(route(false, "192.0.2.0/24", ifindex, 0), -ESRCH);

	cr_assert_eq(route(true, "2001:db8:7::/48", ifindex, 0), 0);
	cr_assert_eq(route(true, "2001:db8:7::/48", ifindex, 0), -EEXIST);
	cr_assert_eq(route(false, "2001:db8:7::/48", ifindex, 0), 0);

	cr_assert_eq(route(true, "198.51.100.1", ifindex, 1000), 0);
	cr_assert_eq(way_to("198.51.100.1"), 0, "another table");
	cr_assert_eq(route(false, "198.51.100.1", ifindex, 1000), 0);
	cr_assert_eq(route(true, "198.51.100.1", 0, 0), -EINVAL);
	cr_assert_eq(route(true, "198.51.100.1", 99999, 0), -ENODEV);

	cr_assert_eq(route(true, "0.0.0.0/0", ifindex, 0), 0, "a default route has no RTA_DST");
	cr_assert_eq(way_to("203.0.113.1"), ifindex);
}

Test(link, cancelled_route_is_taken_back)
{
	uint32_t ifindex = veth_add(1);
	struct addr_prefix prefix = prefix_of("192.0.2.0/24");

	link_up("v1");
	kernel_cancel(kernel_route_change(t.kernel, true, &prefix, ifindex, 0, on_done, &t));
	while (kernel_pending(t.kernel))
		env_fake_poll(t.env, 1000);
	cr_assert_eq(t.done, 0);
	cr_assert_eq(way_to("192.0.2.1"), 0);
}

Test(link, sample_has_every_interface_once)
{
	uint32_t one = veth_add(1), two = veth_add(2);
	unsigned int i, ones = 0, twos = 0;

	cr_assert_eq(finish(kernel_sample_counters(t.kernel, on_sample, on_done, &t)), 0);
	for (i = 0; i < t.samples; i++) {
		ones += t.sampled[i].ifindex == one;
		twos += t.sampled[i].ifindex == two;
	}
	cr_assert_eq(ones, 1);
	cr_assert_eq(twos, 1);
}

/* Where the kernel has L2TP the list is empty; where it has not, every L2TP job says so. */
Test(link, kernel_without_l2tp_says_so)
{
	struct kernel_session session = { 1, 1, 1, 1, 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct kernel_l2tp_list list = { 0 };
	int err = finish(kernel_l2tp_dump(t.kernel, -1, &list, on_done, &t));

	cr_assert_eq(list.count, 0);
	cr_assert(err == 0 || err == -EOPNOTSUPP, "%d", err);
	if (err) {
		cr_assert_eq(finish(kernel_tunnel_delete(t.kernel, 1, on_done, &t)), -EOPNOTSUPP);
		cr_assert_eq(
			finish(kernel_session_delete(t.kernel, 1, 1, on_done, &t)), -EOPNOTSUPP);
	} else {
		cr_assert_eq(finish(kernel_tunnel_delete(t.kernel, 1, on_done, &t)), -ENOENT);
		cr_assert_eq(finish(kernel_session_delete(t.kernel, 1, 1, on_done, &t)), -ENOENT);
	}
	err = finish(kernel_session_open(t.kernel, fd, &session, on_opened, &t));
	cr_assert(err == -EOPNOTSUPP || err == -ENOENT, "%d", err);
	cr_assert_eq(finish(kernel_session_open(t.kernel, -1, &session, on_opened, &t)), -EBADF);
	cr_assert_eq(finish(kernel_tunnel_create(t.kernel, -1, 1, 1, on_done, &t)), -EBADF);
	close(fd);
}

#define LINGER 3 /* seconds: long beside what a busy machine makes of an instant */

/* A TCP socket whose close takes that long: it lingers over data that nobody reads. */
static int slow_to_close(int *ret_reader)
{
	struct linger linger = { .l_onoff = 1, .l_linger = LINGER };
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(addr);
	char data[4096] = "";

	cr_assert(!listen(listener, 1));
	cr_assert(!getsockname(listener, (struct sockaddr *)&addr, &len));
	cr_assert(!connect(fd, (struct sockaddr *)&addr, sizeof(addr)));
	*ret_reader = accept(listener, NULL, NULL);
	close(listener);
	cr_assert(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	while (send(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	return fd;
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

Test(link, slow_closes_hold_up_neither_loop_nor_jobs_nor_each_other)
{
	int fds[8], readers[8], i;
	struct timespec start;

	for (i = 0; i < 8; i++)
		fds[i] = slow_to_close(&readers[i]);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (i = 0; i < 8; i++)
		kernel_close(t.kernel, fds[i]);
	cr_assert_eq(finish(kernel_link_delete(t.kernel, 99999, on_done, &t)), -ENODEV);
	cr_assert_lt(seconds_since(&start), 0.8 * LINGER);
	kernel_free(t.kernel); /* waits until all are closed */
	t.kernel = NULL;
	cr_assert_gt(seconds_since(&start), 0.8 * LINGER, "the test's sockets are not slow");
	cr_assert_lt(seconds_since(&start), 4.0 * LINGER); /* one after the other: 8 times */
	for (i = 0; i < 8; i++)
		cr_assert_eq(fcntl(fds[i], F_GETFD), -1);
	netlink_close(&t.netlink);
	env_fake_free(t.env);
}

Test(link, every_descriptor_is_closed)
{
	int pipes[100][2], i;

	for (i = 0; i < 100; i++)
		cr_assert_eq(pipe(pipes[i]), 0);
	for (i = 0; i < 100; i++)
		kernel_close(t.kernel, pipes[i][1]);
	for (i = 0; i < 100; i++) {
		char octet;

		cr_assert_eq(read(pipes[i][0], &octet, 1), 0, "end of file");
		close(pipes[i][0]);
	}
}

static struct nl_msg *group_message(uint32_t ifindex)
{
	struct ifinfomsg link = { .ifi_index = (int)ifindex };
	struct nl_msg *message = nlmsg_alloc_simple(RTM_SETLINK, NLM_F_ACK);

	cr_assert_not_null(message);
	nlmsg_append(message, &link, sizeof(link), NLMSG_ALIGNTO);
	nla_put_u32(message, IFLA_GROUP, 7);
	return message;
}

/* What an exchange that failed has not read must not be taken for the verdict of those that follow. */
Test(link, an_answer_that_nobody_read_is_nobodys)
{
	uint32_t ifindex = veth_add(0);
	struct nl_msg *message = group_message(99999);

	cr_assert_geq(nl_send_auto(t.netlink.route, message), 0);
	nlmsg_free(message);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(netlink_request(t.netlink.route, group_message(ifindex)), 0);
	cr_assert_eq(netlink_request(t.netlink.route, group_message(99999)), -ENODEV);
}
