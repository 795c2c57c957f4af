/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ppp: the engine's side of pppd: asking a template for a session, and the channel to a session's pppd.
 *
 * Ownership: the engine owns templates and channels. Descriptors given to ppp_template_fork stay the
 * caller's. Every message received is checked; a template or channel that breaks the protocol is
 * closed and reported as such.
 */
#ifndef LNS_PPP_PPP_H
#define LNS_PPP_PPP_H

#include "lns/ppp/channel_proto.h"

#include <stddef.h>
#include <stdint.h>

struct env;
struct config;
struct config_ppp;
struct ppp_template;
struct ppp_channel;

struct ppp_template_ops {
	/* Answer to a fork: error 0 and the pid, or -errno. Also for requests lost with the template. */
	void (*forked)(void *ctx, uint64_t session, int error, int pid);
	/* The template is gone (or broke the protocol); free it, ask the monitor for a new one. */
	void (*gone)(void *ctx, struct ppp_template *template);
};

/* Owns fork_fd, the engine's end of a template's fork socket, also when it fails. 0 or -ENOMEM. */
int ppp_template_new(struct env *env, int fork_fd, const struct ppp_template_ops *ops, void *ctx,
	struct ppp_template **ret_template);
void ppp_template_free(struct ppp_template *template);

/*
 * Asks for a session pppd; queues while the socket is full. request->head, .request are filled in
 * here. 0, or -errno: then forked is not called. All three descriptors are duplicated until the
 * request is out, so the caller may close its copies at once.
 */
int ppp_template_fork(struct ppp_template *template, uint64_t session, struct ppp_fork *request,
	int pppox, int channel, int udp);
/* Forks asked for and not answered. */
unsigned int ppp_template_pending(const struct ppp_template *template);

struct ppp_channel_ops {
	void (*auth_request)(void *ctx, const struct ppp_auth_request *request);
	void (*eap_response)(void *ctx, const struct ppp_eap *response);
	void (*link_up)(void *ctx, const struct ppp_link_up *message);
	void (*ncp_up)(void *ctx, const struct ppp_ncp_up *message);
	void (*ncp_down)(void *ctx, const struct ppp_ncp_down *message);
	void (*link_down)(void *ctx, const struct ppp_link_down *message);
	/* End of file (pppd is gone; reason NULL) or a broken message (reason). Free the channel. */
	void (*closed)(void *ctx, const char *reason);
};

/*
 * Makes the pair of a session's channel: 0, *ret_channel and *ret_fd, the plugin's end (the caller's,
 * to be closed after the fork went out). ppp_channel_adopt takes a descriptor that an earlier engine
 * left. Messages for another session than `session` break the protocol.
 */
int ppp_channel_new(struct env *env, uint64_t session, const struct ppp_channel_ops *ops, void *ctx,
	struct ppp_channel **ret_channel, int *ret_fd);
int ppp_channel_adopt(struct env *env, int fd, uint64_t session, const struct ppp_channel_ops *ops,
	void *ctx, struct ppp_channel **ret_channel);
int ppp_channel_fd(const struct ppp_channel *channel);
/* Takes what pppd has said already, now: before news from elsewhere that came after it. */
void ppp_channel_receive(struct ppp_channel *channel);
void ppp_channel_free(struct ppp_channel *channel);

/* Sends the reply; reply->head is filled in here. 0 or -errno (-EPIPE: pppd is gone). Wipe it after. */
int ppp_channel_reply(struct ppp_channel *channel, struct ppp_auth_reply *reply);
/* The same for an answer that asks the client more. */
int ppp_channel_ask(struct ppp_channel *channel, struct ppp_eap *request);

/*
 * The template's command line for a `ppp` section of config: fills argv (at most max entries, NULL-terminated)
 * with strings kept in buf. fork_fd and report_fd are the descriptor numbers in the template. Used by
 * the monitor, which is the only one to decide what pppd is told in words. 0, -E2BIG, or -EINVAL for a
 * section without an authentication method.
 */
int ppp_template_argv(const struct config *config, const struct config_ppp *ppp, int fork_fd,
	int report_fd, char *buf, size_t size, const char **argv, size_t max);

#endif
