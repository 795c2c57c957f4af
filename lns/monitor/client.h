/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/client: the engine's end of its connection to the monitor.
 *
 * Requests never block: they are queued while the socket is full (-ENOMEM is their only error, then
 * nothing was queued). Descriptors given to a request stay the caller's; descriptors that arrive in an
 * upcall become the callee's. Upcalls come from the loop, in the order of monitor/proto.h.
 */
#ifndef LNS_MONITOR_CLIENT_H
#define LNS_MONITOR_CLIENT_H

#include "lns/monitor/proto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct env;
struct monitor_client;

/* All are set. Only `closed` may free the client. */
struct monitor_client_ops {
	/* The first upcall; once. config_fd: sealed bundle; state_fd: the state memory, empty at first
	 * (seal and size are the engine's); control_fd: listening control socket. */
	void (*hello)(void *ctx, const struct monitor_hello *hello, int config_fd, int state_fd,
		int control_fd);
	/* A descriptor that an earlier engine asked to keep. */
	void (*kept)(void *ctx, enum monitor_kind kind, uint64_t id, int fd);
	/* A session pppd of an earlier engine, still running. */
	void (*session)(void *ctx, uint64_t session, int pid);
	/* A session pppd ended, in this engine's time or before (then without `session`). Comes before
	 * or after the answer to the fork. Say monitor_client_forget when all is done. */
	void (*exited)(void *ctx, const struct monitor_exit *exit);
	/* A template for the `ppp` section name: the engine's end of its fork socket. Replaces an older
	 * one of that name, which serves what was asked of it for some seconds more. */
	void (*template)(void *ctx, uint32_t id, const char *name, int fork_fd);
	/* That was all of the past: serve, and say monitor_client_ready. */
	void (*start)(void *ctx);
	/* A new configuration: answer, now or later, with monitor_client_reloaded. */
	void (*reload)(void *ctx, uint32_t request, int config_fd);
	/* After monitor_client_want_reload: what is wrong with the file, then the outcome: 0 or -errno. */
	void (*reload_line)(void *ctx, const char *line);
	void (*reload_end)(void *ctx, int error);
	/* End everything, say monitor_client_stopped, exit 0. A second one, with hurry: end it now. */
	void (*stop)(void *ctx, bool hurry);
	/* Answer to monitor_client_open: error 0 and fd (-1: monitor_open_has_fd), or -errno and -1. */
	void (*opened)(void *ctx, enum monitor_open what, int error, int fd);
	/* The engine's end of a connection to the hook process (hooks/hooks.h), instead of an older
	 * one; before START too. */
	void (*hooks)(void *ctx, int fd);
	/* The monitor is gone (reason NULL) or broke the protocol; nothing comes after this. */
	void (*closed)(void *ctx, const char *reason);
};

/* Owns fd from now on, also when it fails. 0 and *ret_client, or -errno. */
int monitor_client_new(struct env *env, int fd, const struct monitor_client_ops *ops, void *ctx,
	struct monitor_client **ret_client);
/* Sends what it can of the queue without waiting; drops the rest. */
void monitor_client_free(struct monitor_client *client);

int monitor_client_ready(struct monitor_client *client);
int monitor_client_stopped(struct monitor_client *client);

/* Signals sessions in batches. Unknown and ended ones are left out. */
int monitor_client_signal(struct monitor_client *client, enum monitor_signal signal,
	const uint64_t *sessions, size_t count);
/* The exit of this session is dealt with (durably): the monitor need not tell it again. */
int monitor_client_forget(struct monitor_client *client, uint64_t session);

/* Has a duplicate of fd kept for the next engine, or closed again. */
int monitor_client_keep(struct monitor_client *client, enum monitor_kind kind, uint64_t id, int fd);
int monitor_client_drop(struct monitor_client *client, enum monitor_kind kind, uint64_t id);

/* The template with this id is broken (ppp_template_ops.gone): a new one will come. */
int monitor_client_replace_template(struct monitor_client *client, uint32_t id);
int monitor_client_open(struct monitor_client *client, enum monitor_open what);
/* Has the configuration read again. Lines and an end follow, also for whoever asked meanwhile. */
int monitor_client_want_reload(struct monitor_client *client);
/* error: 0 accepted, -errno refused: the old configuration stays. */
int monitor_client_reloaded(struct monitor_client *client, uint32_t request, int error);

#endif
