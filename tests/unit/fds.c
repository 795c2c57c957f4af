/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fds: see fds.h.
 */
#include "tests/unit/fds.h"

#include <criterion/criterion.h>
#include <dirent.h>

int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = -3; /* ".", ".." and the one that reads this */

	cr_assert_not_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}
