/* SPDX-License-Identifier: BSD-2-Clause */
/* fds: how many descriptors this process has open, so that a test can tell that none is left. */
#ifndef TESTS_UNIT_FDS_H
#define TESTS_UNIT_FDS_H

int open_fds(void);

#endif
