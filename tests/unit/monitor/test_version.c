// SPDX-License-Identifier: BSD-2-Clause
/* version: a file that is replaced, written anew, touched, or gone is another one. */
#include "lns/monitor/version.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/lns-version-XXXXXX", other[sizeof(path) + 4];

static void setup(void)
{
	close(mkstemp(path));
	snprintf(other, sizeof(other), "%s.new", path);
}

static void teardown(void)
{
	unlink(path);
	unlink(other);
}

TestSuite(monitor_version, .init = setup, .fini = teardown);

static bool is(const struct monitor_version *version)
{
	struct monitor_version now = monitor_version_of(path);

	return monitor_version_equal(version, &now);
}

Test(monitor_version, replaced)
{
	struct monitor_version old = monitor_version_of(path);

	cr_assert(monitor_version_exists(&old));
	cr_assert(is(&old));
	close(open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	cr_assert(is(&old));
	cr_assert_eq(rename(other, path), 0);
	cr_assert_not(is(&old));
}

Test(monitor_version, written_and_touched)
{
	const struct timespec times[2] = { { 1000, 5 }, { 1000, 5 } };
	struct monitor_version old = monitor_version_of(path);
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	cr_assert_eq(write(fd, "x", 1), 1);
	close(fd);
	cr_assert_not(is(&old));
	old = monitor_version_of(path);
	cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
	cr_assert_not(is(&old));
	cr_assert_eq(monitor_version_of(path).modified, INT64_C(1000000000005));
}

Test(monitor_version, gone)
{
	struct monitor_version old = monitor_version_of(path), none;

	unlink(path);
	none = monitor_version_of(path);
	cr_assert_not(monitor_version_exists(&none));
	cr_assert_not(is(&old));
}
