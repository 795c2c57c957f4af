/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hooks/client: the engine's end of the hook process. Nothing here waits: what the hook process does not
 * take at once is kept, up to a limit, and dropped and counted beyond it.
 */
#ifndef LNS_HOOKS_CLIENT_H
#define LNS_HOOKS_CLIENT_H

#include "lns/hooks/hooks.h"

struct env;
struct hooks_client;

/* Without a hook process at first. NULL when memory is short. */
struct hooks_client *hooks_client_new(struct env *env);
/* Sends what the socket takes; drops the rest. */
void hooks_client_free(struct hooks_client *client);

/* The connection to a hook process, which takes the place of an older one. Owns fd. */
void hooks_client_attach(struct hooks_client *client, int fd);

/* Sends a copy, or drops it. */
void hooks_client_send(struct hooks_client *client, const struct hooks_event *event);

/* Events that wait for the hook process to take them. */
unsigned int hooks_client_pending(const struct hooks_client *client);

struct hooks_client_info {
	/* HOOKS_DROPPED includes what was dropped here, and what a hook process took along when it died */
	uint64_t results[HOOKS_KINDS][HOOKS_RESULTS];
	unsigned int waiting, running; /* here and there, as of the last report */
};
void hooks_client_info(const struct hooks_client *client, struct hooks_client_info *ret_info);

#endif
