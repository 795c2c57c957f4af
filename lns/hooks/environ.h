/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hooks/environ: the environment of a hook program, which is all that it gets of an event. The variables
 * are listed in lnsd(8), HOOKS.
 */
#ifndef LNS_HOOKS_ENVIRON_H
#define LNS_HOOKS_ENVIRON_H

#include "lns/hooks/hooks.h"

#define HOOKS_VARIABLES   40
#define HOOKS_ENVIRON_MAX 12288 /* octets; enough for the longest values */

struct hooks_environ {
	char *list[HOOKS_VARIABLES]; /* ends with NULL; points into text */
	char text[HOOKS_ENVIRON_MAX];
};

/*
 * Makes the environment. Each value is printable ASCII without line feeds, as log_printable makes it;
 * variables without a value are left out.
 */
void hooks_environ_make(const struct hooks_event *event, struct hooks_environ *ret_environ);

#endif
