/* SPDX-License-Identifier: BSD-2-Clause */
/* What static.c, static_make.c and static_show.c share. */
#ifndef LNS_ENGINE_STATIC_INTERNAL_H
#define LNS_ENGINE_STATIC_INTERNAL_H

#include "lns/engine/internal.h"

enum static_state {
	STATIC_DOWN, /* to be made */
	STATIC_MAKING,
	STATIC_MADE,
	STATIC_FAILED, /* to be made again, later */
};

/* What tunnels and sessions have in common. */
struct making {
	enum static_state state;
	int err;                /* STATIC_FAILED */
	struct kernel_job *job; /* STATIC_MAKING */
	uint64_t made;          /* env_now, STATIC_MADE */
};

struct static_session {
	TAILQ_ENTRY(static_session) entry;
	struct static_tunnel *tunnel;
	char name[64];
	struct kernel_static_session kernel;
	struct making making;
};

struct static_tunnel {
	TAILQ_ENTRY(static_tunnel) entry;
	struct engine_statics *all;
	char name[64];
	struct kernel_static_tunnel kernel;
	bool keep;
	struct making making;
	TAILQ_HEAD(, static_session) sessions;
};

struct engine_statics {
	struct engine *engine;
	TAILQ_HEAD(, static_tunnel) tunnels;
	struct env_timer *retry;
	struct kernel_job *looking;
	struct kernel_l2tp_list list; /* of the look */
	uint64_t asked;
	unsigned int ending; /* deletions that a stop waits for */
	bool stopping;
};

/* ---- static_make.c ---- */

/* Asks the kernel for it, and then for its sessions. What goes wrong is logged and tried again later. */
void static_make_tunnel(struct static_tunnel *tunnel);
/* Asks for those sessions that are not there. */
void static_make_sessions(struct static_tunnel *tunnel);
/* Compares all with what the kernel has, which takes a while: the function of the retry timer. */
void static_look(void *ctx);
/* Whether an entry of the kernel is this tunnel or a session in it, and not somebody else's. */
bool static_is_tunnel(
	const struct kernel_static_tunnel *tunnel, const struct kernel_l2tp_entry *entry);
/* Why it could not be made, in words; err is -errno. */
const char *static_tunnel_trouble(const struct static_tunnel *tunnel, int err);
const char *static_session_trouble(int err);

#endif
