/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns: what lnsctl's tables consist of, a table of rows each that ends with a NULL key.
 */
#ifndef LNS_CONTROL_COLUMNS_H
#define LNS_CONTROL_COLUMNS_H

#include "lns/control/show.h"

extern const struct column tunnel_columns[];
extern const struct column session_columns[];
extern const struct column top_columns[];
extern const struct column lac_columns[];
extern const struct column why_columns[];
extern const struct column radius_columns[];
extern const struct column spool_columns[];
extern const struct column das_columns[];
extern const struct column history_columns[];
extern const struct column pool_columns[];
extern const struct column kernel_columns[];
extern const struct column event_columns[];

#endif
