/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin: what the files of lns.so share. One process is one session, so there is one struct of it.
 *
 * All names start with lns_ and are hidden: pppd exports several hundred of its own, and a name that
 * both have would resolve to pppd's.
 */
#ifndef PPPD_PLUGIN_PLUGIN_H
#define PPPD_PLUGIN_PLUGIN_H

#include "compat.h"

#include "lns/ppp/channel_proto.h"

#pragma GCC visibility push(hidden)

struct lns_session {
	uint64_t id;
	int channel;         /* to the engine, or -1 */
	int pppox;           /* the session's socket: pppd's "device" */
	uint32_t ppp_number; /* of pppox: the kernel's PPP channel */
	int udp;             /* the tunnel's socket: held, and no call is made with it */
	uint32_t tunnel_local, tunnel_peer; /* addresses of it, network byte order; 0 = not IPv4 */
	uint16_t mtu, mru;
	uint16_t proxy_lcp; /* PPP_PROXY_x */
	uint16_t replayed;  /* early frames given to pppd */
	struct ppp_proxy proxy;
	int proxied;         /* LCP was opened from the proxied one */
	int lcp_opened;      /* at least once */
	uint32_t ifindex;    /* of the interface, since then */
	int peer_terminated; /* the client sent an LCP Terminate-Request */
	int auth_asked;      /* the client did answer our request to authenticate */
	int auth_undecided;  /* the engine did not answer, or could not decide */
	int authenticated, network_up;
};
extern struct lns_session lns_session;

/* Descriptors of the template, from its command line; -1 in a session. */
extern int lns_fork_fd, lns_report_fd;

/* template.c: serves fork requests; returns only in a session. */
void lns_template_serve(void);

/* session.c: makes this process the session that was asked for; fds are pppox, channel, udp. 0 or -errno. */
int lns_session_begin(const struct ppp_fork *fork, const int fds[3]);
/* Finds what every child has to renew; ends pppd's database. In the template. 0 or -errno. */
int lns_session_prepare(void);

/*
 * channel.c: messages to the engine. lns_channel_send fills in the head; a message nobody receives is
 * no reason for a session to end. lns_channel_ask waits for the answer to a request: 0, -ETIMEDOUT,
 * -EPIPE (the engine gave up the session), or -EINTR (pppd was told to end).
 */
void lns_channel_send(void *message, uint16_t type, uint32_t size);
int lns_channel_ask(struct ppp_auth_request *request, struct ppp_auth_reply *reply);
/* The same for what a client said in EAP; the answer is a PPP_EAP_REQUEST or a PPP_AUTH_REPLY. */
int lns_channel_ask_eap(struct ppp_eap *response, union ppp_message *answer);
/* Waits for fd to be readable, at most timeout_ms (-1: for ever). 0, -ETIMEDOUT, or -EINTR. */
int lns_channel_wait(int fd, int timeout_ms);

/* auth.c: hooks, and the decision about a request. 1 accept; 0 not. text gets what to tell the client. */
void lns_auth_init(void);
int lns_auth_decide(struct ppp_auth_request *request, char *text, size_t size);
/* Takes the engine's decision; what it granted goes into the network protocols. 1 accept; 0 not. */
int lns_auth_take(const struct ppp_auth_reply *reply);
/* Whether the configuration lets clients use a method (enum ppp_auth_protocol). */
int lns_auth_allows(unsigned int protocol);

/* eap.c: carries EAP between the client and the engine. */
void lns_eap_init(void);

/* ncp.c: notices about LCP and the network protocols, the reason of the end. */
void lns_ncp_init(void);
/* Puts what the engine granted into the options of IPCP, IPV6CP and CCP. */
void lns_ncp_grant(const struct ppp_auth_reply *reply);

/* frames.c: the frames that were there before pppd; ppp is the channel's descriptor. */
void lns_frames_drain(int ppp);
void lns_frames_replay(void);
/* Whether one of them restarts LCP. */
int lns_frames_have_lcp_request(void);

/* proxy.c: LCP and authentication as the LAC did them. */
void lns_proxy_prepare(void); /* before LCP comes up */
void lns_proxy_begin(void);   /* after it, before the early frames */
/* A packet of the client to PAP or CHAP: 1 when it repeats what the LAC took, and was answered. */
int lns_proxy_repeated(uint16_t protocol, const unsigned char *packet, int len);

#pragma GCC visibility pop

#endif
