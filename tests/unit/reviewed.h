/* SPDX-License-Identifier: BSD-2-Clause */
/* reviewed: a table that the code prints, held line by line to the file that somebody has reviewed. */
#ifndef TESTS_UNIT_REVIEWED_H
#define TESTS_UNIT_REVIEWED_H

#include <stdio.h>

/* path: from the top of the tree. With the environment variable write set, the file is written first. */
void expect_reviewed(const char *path, const char *write, void (*print)(FILE *out));

#endif
