/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of kept descriptors: put, replace, drop, order, and that every descriptor is closed once.
 */
#include "lns/monitor/keep.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int open_some(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	return fd;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

struct seen {
	unsigned int count, stop_after;
	enum monitor_kind last_kind;
	int fd_of_7;
};

static int see(void *ctx, enum monitor_kind kind, uint64_t id, int fd)
{
	struct seen *seen = ctx;

	cr_assert(is_open(fd));
	cr_assert_geq(kind, seen->last_kind, "kinds come in order");
	seen->last_kind = kind;
	if (kind == MONITOR_KEEP_TUNNEL && id == 7)
		seen->fd_of_7 = fd;
	return ++seen->count == seen->stop_after ? -EAGAIN : 0;
}

Test(monitor_keep, keeps_by_kind_and_id)
{
	struct monitor_keep_table *table = monitor_keep_new();
	int tunnel = open_some(), channel = open_some(), listener = open_some();
	struct seen seen = { 0 };
	unsigned int place = 0;

	cr_assert_eq(monitor_keep_put(table, MONITOR_KEEP_CHANNEL, 7, channel), 0);
	cr_assert_eq(monitor_keep_put(table, MONITOR_KEEP_TUNNEL, 7, tunnel), 0);
	cr_assert_eq(monitor_keep_put(table, MONITOR_KEEP_LISTENER, 0, listener), 0);
	cr_assert_eq(monitor_keep_count(table), 3);
	cr_assert_eq(monitor_keep_each(table, &place, see, &seen), 0);
	cr_assert_eq(seen.count, 3);
	cr_assert_eq(seen.fd_of_7, tunnel);

	cr_assert_eq(monitor_keep_drop(table, MONITOR_KEEP_TUNNEL, 7), 0);
	cr_assert(!is_open(tunnel));
	cr_assert(is_open(channel));
	cr_assert_eq(monitor_keep_drop(table, MONITOR_KEEP_TUNNEL, 7), -ENOENT);
	cr_assert_eq(monitor_keep_drop(table, MONITOR_KEEP_LISTENER, 1), -ENOENT);
	cr_assert_eq(monitor_keep_count(table), 2);
	monitor_keep_free(table);
	cr_assert(!is_open(channel));
	cr_assert(!is_open(listener));
}

Test(monitor_keep, replaces)
{
	struct monitor_keep_table *table = monitor_keep_new();
	int first = open_some(), second = open_some();
	struct seen seen = { 0 };
	unsigned int place = 0;

	monitor_keep_put(table, MONITOR_KEEP_TUNNEL, 7, first);
	monitor_keep_put(table, MONITOR_KEEP_TUNNEL, 7, second);
	cr_assert(!is_open(first));
	cr_assert_eq(monitor_keep_count(table), 1);
	monitor_keep_each(table, &place, see, &seen);
	cr_assert_eq(seen.fd_of_7, second);
	monitor_keep_free(table);
	cr_assert(!is_open(second));
	monitor_keep_free(NULL);
}

/* Ids that differ only in high or in low bits, more than there are buckets. */
Test(monitor_keep, many)
{
	struct monitor_keep_table *table = monitor_keep_new();
	const uint64_t steps[] = { 1, UINT64_C(1) << 32, UINT64_C(1) << 52 };
	int fd = open_some(), dup_fd;
	struct seen seen = { .stop_after = 100 };
	unsigned int place = 0;

	for (unsigned int step = 0; step < 3; step++) {
		for (uint64_t i = 1; i <= 300; i++) {
			dup_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
			cr_assert_geq(dup_fd, 0);
			cr_assert_eq(monitor_keep_put(
					     table, MONITOR_KEEP_CHANNEL, i * steps[step], dup_fd),
				0);
		}
		if (step == 0) {
			cr_assert_eq(monitor_keep_each(table, &place, see, &seen), -EAGAIN);
			cr_assert(seen.count >= 100 && seen.count < 110, "%u", seen.count);
			/* One that is dropped meanwhile is not there, one that is new may be. */
			cr_assert_eq(
				monitor_keep_put(table, MONITOR_KEEP_TUNNEL, 7, open_some()), 0);
			cr_assert_eq(monitor_keep_each(table, &place, see, &seen), 0);
			cr_assert_eq(seen.count, 300, "each once: %u", seen.count);
			cr_assert_eq(monitor_keep_drop(table, MONITOR_KEEP_TUNNEL, 7), 0);
		}
		for (uint64_t i = 1; i <= 300; i++)
			cr_assert_eq(
				monitor_keep_drop(table, MONITOR_KEEP_CHANNEL, i * steps[step]), 0);
	}
	cr_assert_eq(monitor_keep_count(table), 0);
	monitor_keep_free(table);
	dup_fd = open_some();
	cr_assert_eq(dup_fd, fd + 1, "nothing is left open");
	close(dup_fd);
	close(fd);
}
