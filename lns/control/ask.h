/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask: lnsctl's end of the control socket. A connection for each request; what goes wrong is said on
 * standard error.
 *
 * Items are collected until the answer is complete, so that a failure prints nothing half; those of an
 * answer that goes on (trace, capture, call) are printed one by one.
 */
#ifndef LNS_CONTROL_ASK_H
#define LNS_CONTROL_ASK_H

#include "lns/control/follow.h"

#include <stdbool.h>

enum { EXIT_REFUSED = 1, EXIT_USAGE = 2 };

/* The items of the answer to request (consumed), NULL after saying why there is none. */
json_t *ask(const char *path, json_t *request);
/*
 * Prints an answer that goes on, until its end; one that has no end by itself (endless) is told to be so
 * when it starts. The exit status.
 */
int ask_follow(const char *path, json_t *request, follow_fn *print, bool endless);

#endif
