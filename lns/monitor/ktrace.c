/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/ktrace: the kernel's tracepoints of L2TP, recorded in a tracing instance of our own, so that
 * nobody else's tracing is disturbed. All paths are constants.
 */
#include "lns/monitor/ktrace.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRACING  "/sys/kernel/tracing"
#define INSTANCE TRACING "/instances/lnsd"

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* Whether there is tracing, and L2TP has tracepoints. 0 or -EOPNOTSUPP. */
static int check_support(void)
{
	return access(TRACING "/events/l2tp", F_OK) == 0 ? 0 : -EOPNOTSUPP;
}

int monitor_ktrace_on(void)
{
	int err = check_support();

	if (err)
		return err;
	if (mkdir(INSTANCE, 0700) < 0 && errno != EEXIST)
		return -errno;
	err = write_file(INSTANCE "/buffer_size_kb", "256"); /* for each processor */
	if (!err)
		err = write_file(INSTANCE "/events/l2tp/enable", "1");
	if (err)
		rmdir(INSTANCE);
	return err;
}

int monitor_ktrace_off(void)
{
	int err = check_support();

	if (err)
		return err;
	err = write_file(INSTANCE "/events/l2tp/enable", "0");
	if (err == -ENOENT) /* it is off */
		return 0;
	/* Busy while somebody reads what was recorded; then it stays, and records nothing. */
	if (!err && rmdir(INSTANCE) < 0 && errno != EBUSY)
		err = -errno;
	return err;
}

int monitor_ktrace_open(void)
{
	int err = check_support(), fd;

	if (err)
		return err;
	fd = open(INSTANCE "/trace", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENODATA : -errno;
	return fd;
}
