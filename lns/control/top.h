/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top: the sessions with the most traffic: live on a terminal, once otherwise.
 */
#ifndef LNS_CONTROL_TOP_H
#define LNS_CONTROL_TOP_H

#include "lns/control/command.h"

/*
 * Shows them again and again until q is pressed, as many as fit; once, when standard output is no
 * terminal, or as JSON. The exit status.
 */
int top_run(const struct request *request);

#endif
