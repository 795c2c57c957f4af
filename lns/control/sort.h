/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sort: lists of lnsctl in the order of one of their columns.
 */
#ifndef LNS_CONTROL_SORT_H
#define LNS_CONTROL_SORT_H

#include "lns/control/show.h"

/*
 * The column that is meant by its title or key, in whatever case, with or without "-" before it. NULL:
 * none of them.
 */
const struct column *sort_column(const struct column *columns, const char *name);

/*
 * Sorts an array of objects by the column (one that sort_column finds); "-" before it turns the order
 * around. Numbers and addresses go by value, what is not there comes last, equals stay as they are.
 */
void sort_items(json_t *items, const struct column *columns, const char *name);

#endif
