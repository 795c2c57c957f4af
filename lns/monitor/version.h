/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/version: which version of a file is on disk, to see that it was replaced or written anew.
 */
#ifndef LNS_MONITOR_VERSION_H
#define LNS_MONITOR_VERSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct monitor_version {
	dev_t device; /* all 0: there is no such file */
	ino_t inode;
	off_t size;
	int64_t modified, changed; /* nanoseconds */
};

/* The version at path now. */
struct monitor_version monitor_version_of(const char *path);
bool monitor_version_exists(const struct monitor_version *version);
bool monitor_version_equal(const struct monitor_version *a, const struct monitor_version *b);

#endif
