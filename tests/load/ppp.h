/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ppp: the PPP of one subscriber: LCP (RFC 1661), PAP (RFC 1334), CHAP with MD5 (RFC 1994), MS-CHAPv2
 * (RFC 2759), EAP with two methods (RFC 3748), IPCP (RFC 1332, 1877), IPV6CP (RFC 5072). The client's side only.
 *
 * No I/O: frames come in through ppp_input and leave by ops->send; time comes from lns/env.h. A struct
 * ppp is embedded in its owner, made once by ppp_init and used for any number of connections, one after
 * the other: ppp_start .. ppp_stop.
 *
 * Files: ppp.c phases and frames; ppp_fsm.c the option negotiation automaton; ppp_lcp.c, ppp_ipcp.c and
 * ppp_ipv6cp.c the options of each protocol; ppp_auth.c and ppp_eap.c authentication; ppp_proxy.c a LAC that does the
 * first half itself.
 */
#ifndef LOAD_PPP_H
#define LOAD_PPP_H

#include "lns/env.h"
#include "lns/l2tp/wire.h"
#include "tests/load/mschap.h"
#include "tests/load/rng.h"
#include "tests/load/stats.h"
#include "tests/load/trace.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PPP_IP = 0x0021,
	PPP_IPV6 = 0x0057,
	PPP_IPCP = 0x8021,
	PPP_IPV6CP = 0x8057,
	PPP_LCP = 0xc021,
	PPP_PAP = 0xc023,
	PPP_CHAP = 0xc223,
	PPP_EAP = 0xc227,
};

/* Authentication protocols, as a set. */
enum {
	PPP_AUTH_PAP = 1,
	PPP_AUTH_CHAP = 2,
	PPP_AUTH_MSCHAPV2 = 4,
	PPP_AUTH_EAP = 8,
	PPP_AUTH_ANY = 15,
};

enum {
	FSM_CONFREQ = 1,
	FSM_CONFACK,
	FSM_CONFNAK,
	FSM_CONFREJ,
	FSM_TERMREQ,
	FSM_TERMACK,
	FSM_CODEREJ,
	LCP_PROTREJ,
	LCP_ECHOREQ,
	LCP_ECHOREP,
	LCP_DISCARD,
};

enum {
	PPP_HEADER = 4, /* code, identifier, length */
	PPP_MRU_DEFAULT = 1500,
	PPP_PACKET_MAX = 2048, /* no packet that we handle is longer */
	PPP_OPTIONS_MAX = 256,
	PPP_NAME_MAX = 255,
	PPP_REASON = 160,
};

/* Shared by all subscribers; borrowed. */
struct ppp_settings {
	unsigned int auth;  /* what we can: PPP_AUTH_* */
	bool auth_required; /* an LNS that does not ask is a failure */
	bool strict;        /* after proxy LCP, a Configure-Request is a failure */
	bool dns, ipv6;
	uint16_t mru;
	uint64_t retry;     /* interval between requests, microseconds */
	unsigned int tries; /* of one request */
	struct stats *stats;
};

struct ppp_ops {
	/* One packet of a protocol, without PPP's own header. */
	void (*send)(void *ctx, uint16_t protocol, const uint8_t *packet, size_t len);
	void (*authenticated)(void *ctx);
	/* Every network protocol that was asked for is open. */
	void (*up)(void *ctx);
	/* Over, for a reason in words; the owner calls ppp_stop. */
	void (*down)(void *ctx, const char *reason);
	/* Our Terminate-Request was acknowledged, or never will be. */
	void (*closed)(void *ctx);
	/* An IPv4 packet. */
	void (*ip)(void *ctx, const uint8_t *packet, size_t len);
};

struct ppp;

enum fsm_answer { FSM_ACK, FSM_NAK, FSM_REJECT };

/* What an NCP or LCP brings to the automaton. Options come whole, their lengths checked. */
struct fsm_ops {
	const char *name;
	uint16_t protocol;
	enum stats_protocol kind;
	/* Writes our options. */
	void (*request)(struct ppp *ppp, struct wire_writer *out);
	/* Judges an option of the peer; with FSM_NAK what we want instead was written to nak. */
	enum fsm_answer (*judge)(struct ppp *ppp, const uint8_t *option, struct wire_writer *nak);
	/* The peer wants this option of ours otherwise, or not at all. False: that cannot be. */
	bool (*naked)(struct ppp *ppp, const uint8_t *option);
	bool (*rejected)(struct ppp *ppp, const uint8_t *option);
	void (*up)(struct ppp *ppp);
	/* It was up and is being negotiated again. */
	void (*down)(struct ppp *ppp);
};

enum fsm_state {
	FSM_CLOSED,
	FSM_REQ_SENT,
	FSM_ACK_RECEIVED,
	FSM_ACK_SENT,
	FSM_OPENED,
	FSM_CLOSING,
};

struct fsm {
	const struct fsm_ops *ops;
	struct ppp *ppp;
	enum fsm_state state;
	uint8_t id;
	int peer_id; /* of the peer's last Configure-Request, -1 = none */
	unsigned int tries, rounds;
	uint8_t sent[PPP_OPTIONS_MAX]; /* the options of our last request */
	uint16_t sent_len;
	struct env_timer *retry;
};

enum ppp_phase { PPP_DEAD, PPP_ESTABLISH, PPP_AUTHENTICATE, PPP_NETWORK, PPP_TERMINATE };

struct ppp {
	struct env *env;
	const struct ppp_settings *settings;
	const struct ppp_ops *ops;
	void *ctx;
	struct rng *rng;
	const char *user, *password; /* borrowed from the owner */
	enum ppp_phase phase;
	bool proxied, proxied_auth; /* done by the LAC: LCP; an authentication, to be confirmed */
	bool announced;             /* ops->up was called */

	struct fsm lcp;
	uint32_t magic, peer_magic;
	bool want_mru, want_magic;
	uint16_t mru;
	unsigned int auth; /* agreed on, one PPP_AUTH_*, 0 = none */

	struct {
		uint8_t id;
		unsigned int tries;
		bool answered;
		bool proved; /* EAP: the method has said all it has to */
		uint8_t response[2 * PPP_HEADER + MSCHAP_VALUE + PPP_NAME_MAX];
		uint16_t response_len;
		char proof[MSCHAP_PROOF + 1]; /* what an LNS that knows the password answers */
		struct env_timer *retry;
	} authentication;

	struct fsm ipcp;
	struct in_addr address, peer_address, dns[2];
	bool want_dns[2];

	struct fsm ipv6cp;
	uint8_t interface_id[8], peer_interface_id[8];

	struct trace trace; /* since ppp_start */
};

/* 0 or -ENOMEM (nothing left behind). Borrows everything. */
int ppp_init(struct ppp *ppp, struct env *env, const struct ppp_settings *settings,
	const struct ppp_ops *ops, void *ctx, struct rng *rng);
void ppp_fini(struct ppp *ppp);

/* Begins to listen. user and password are borrowed until ppp_stop. */
void ppp_start(struct ppp *ppp, const char *user, const char *password);
/* Sends our first Configure-Request unless that is done. */
void ppp_open(struct ppp *ppp);
/* Sends it when the LNS does, or after a while without. */
void ppp_listen(struct ppp *ppp);
/* Forgets the connection, sending nothing. */
void ppp_stop(struct ppp *ppp);
/* Does no more than answer LCP as one who has closed. */
void ppp_linger(struct ppp *ppp);
/* Sends a Terminate-Request; ops->closed follows, not at once. */
void ppp_close(struct ppp *ppp);

/* A frame of the LNS: with or without address and control field, protocol of one or two octets. */
void ppp_input(struct ppp *ppp, const uint8_t *frame, size_t len);
/* Whether a frame belongs to LCP. */
bool ppp_frame_is_lcp(const uint8_t *frame, size_t len);

/* What a LAC that negotiated LCP and took the response has for the LNS (RFC 2661 section 4.4.5). */
struct ppp_proxy {
	uint8_t initial_received[32], last_sent[32], last_received[32];
	uint16_t initial_received_len, last_sent_len, last_received_len;
	uint16_t authen_type; /* 2 CHAP, 3 PAP, 4 none */
	uint8_t id;
	uint8_t challenge[MSCHAP_CHALLENGE];
	uint16_t challenge_len;
	uint8_t response[PPP_NAME_MAX];
	uint16_t response_len;
};
/*
 * In place of ppp_open: LCP is open, if lcp, and the response was given, if auth; ret_proxy is what
 * the LNS is to be told.
 */
void ppp_proxy(struct ppp *ppp, bool lcp, bool auth, struct ppp_proxy *ret_proxy);

/* ---- between the files of ppp ---- */

void ppp_send(
	struct ppp *ppp, uint16_t protocol, uint8_t code, uint8_t id, const void *data, size_t len);
/* Calls ops->down with a formatted reason. */
void ppp_fail(struct ppp *ppp, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ppp_set_phase(struct ppp *ppp, enum ppp_phase phase);
/* A network protocol opened. */
void ppp_network_up(struct ppp *ppp);

int fsm_init(struct fsm *fsm, struct ppp *ppp, const struct fsm_ops *ops);
void fsm_fini(struct fsm *fsm);
void fsm_reset(struct fsm *fsm);
/* Waits for the peer's request as long as for an answer, then opens. */
void fsm_listen(struct fsm *fsm);
void fsm_open(struct fsm *fsm);
void fsm_close(struct fsm *fsm);
/* A packet whose length field has been checked; data is what follows its header. */
void fsm_input(struct fsm *fsm, uint8_t code, uint8_t id, const uint8_t *data, size_t len);

extern const struct fsm_ops lcp_ops, ipcp_ops, ipv6cp_ops;
void lcp_reset(struct ppp *ppp);
void lcp_input(struct ppp *ppp, uint8_t code, uint8_t id, const uint8_t *data, size_t len);
/* Rejects a protocol that we do not speak; packet is its information field. */
void lcp_reject_protocol(struct ppp *ppp, uint16_t protocol, const uint8_t *packet, size_t len);
void ipcp_reset(struct ppp *ppp);
void ipv6cp_reset(struct ppp *ppp);

int auth_init(struct ppp *ppp);
void auth_fini(struct ppp *ppp);
void auth_reset(struct ppp *ppp);
/* LCP is open: does the client's part of what was agreed on. */
void auth_start(struct ppp *ppp);
void auth_pap_input(struct ppp *ppp, uint8_t code, uint8_t id, const uint8_t *data, size_t len);
void auth_chap_input(struct ppp *ppp, uint8_t code, uint8_t id, const uint8_t *data, size_t len);
void auth_eap_input(struct ppp *ppp, uint8_t code, uint8_t id, const uint8_t *data, size_t len);
/* The LNS begins with a network protocol: EAP's Success was lost, if it was due. */
void auth_eap_network(struct ppp *ppp);
/*
 * The value of a response, auth being PPP_AUTH_CHAP or PPP_AUTH_MSCHAPV2: 16 or 49 octets into ret; its
 * length, 0 for a challenge that cannot be. Keeps the proof.
 */
size_t auth_chap_value(struct ppp *ppp, unsigned int auth, uint8_t id, const uint8_t *challenge,
	size_t len, uint8_t ret[MSCHAP_VALUE]);
/* Whether an LNS that says this knows the password (MS-CHAPv2). If not, the link fails. */
bool auth_check_proof(struct ppp *ppp, const uint8_t *data, size_t len);
const char *auth_name(unsigned int auth);

#endif
