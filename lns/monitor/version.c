/* SPDX-License-Identifier: BSD-2-Clause */
/* monitor/version: see monitor/version.h. */
#include "lns/monitor/version.h"

#include <sys/stat.h>

static int64_t nanoseconds(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

struct monitor_version monitor_version_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct monitor_version){ 0 };
	return (struct monitor_version){
		.device = st.st_dev,
		.inode = st.st_ino,
		.size = st.st_size,
		.modified = nanoseconds(&st.st_mtim),
		.changed = nanoseconds(&st.st_ctim),
	};
}

bool monitor_version_exists(const struct monitor_version *version)
{
	return version->inode != 0;
}

bool monitor_version_equal(const struct monitor_version *a, const struct monitor_version *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified == b->modified && a->changed == b->changed;
}
