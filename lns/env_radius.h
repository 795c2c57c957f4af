/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * env_radius: radius/ on an env: clocks, timers, descriptors and randomness of the loop, lines to the log.
 */
#ifndef LNS_ENV_RADIUS_H
#define LNS_ENV_RADIUS_H

#include "lns/env.h"
#include "radius/radius.h"

/* Fills everything but happened, which nobody is told of then. The env must outlive the host's users. */
void env_radius_host(struct env *env, struct radius_host *ret_host);

#endif
