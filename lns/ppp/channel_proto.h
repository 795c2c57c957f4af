/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel_proto: what lnsd and its pppd plugin say to each other; the only header they share.
 *
 * Three kinds of SOCK_SEQPACKET connections carry it, one message a packet, host byte order (both ends
 * run on one machine) except addresses, which are in network byte order as everywhere:
 *
 *   fork    engine <-> template: PPP_FORK with three descriptors (PPPoL2TP socket, the plugin's end of
 *           the session's channel, the tunnel's UDP socket); PPP_FORKED answers.
 *   report  template -> monitor: PPP_FORK_REPORT.
 *   channel engine <-> session pppd: everything else.
 *
 * Neither side trusts the other: the receiver checks type, exact size, and every length, count and
 * enum in it (ppp_message_check); a message that fails closes the connection that carried it.
 */
#ifndef LNS_PPP_CHANNEL_PROTO_H
#define LNS_PPP_CHANNEL_PROTO_H

#include "lns/ppp/eap.h"

#include <stdint.h>

#define PPP_PROTO_VERSION 1

/* Least and greatest MRU and MTU that pppd handles. */
#define PPP_MTU_MIN 128
#define PPP_MTU_MAX 16384

/* Auth-Protocol responses have one length only (RFC 1994, RFC 2759). */
#define PPP_CHAP_MD5_LEN  16
#define PPP_MSCHAP_V2_LEN 49

enum ppp_message_type {
	PPP_FORK = 1,     /* engine -> template, 3 descriptors */
	PPP_FORKED,       /* template -> engine */
	PPP_FORK_REPORT,  /* template -> monitor, 1 descriptor */
	PPP_AUTH_REQUEST, /* pppd -> engine; repeated unchanged until answered */
	PPP_AUTH_REPLY,   /* engine -> pppd */
	PPP_NCP_UP,       /* pppd -> engine, once per family */
	PPP_NCP_DOWN,     /* pppd -> engine */
	PPP_LINK_UP,      /* pppd -> engine: LCP opened */
	PPP_LINK_DOWN,    /* pppd -> engine: why pppd is about to exit */
	PPP_EAP_RESPONSE, /* pppd -> engine; like PPP_AUTH_REQUEST */
	PPP_EAP_REQUEST,  /* engine -> pppd: the conversation goes on */
	PPP_MESSAGE_MAX
};

struct ppp_head {
	uint16_t type;    /* enum ppp_message_type */
	uint16_t version; /* PPP_PROTO_VERSION */
	uint32_t size;    /* of the whole message, octets */
	uint64_t session; /* the session's key, never 0, never repeated */
};

/* Greatest Proxy Authen Type of RFC 2661: 1 text, 2 CHAP, 3 PAP, 4 none, 5 MS-CHAPv1. */
#define PPP_PROXY_AUTHEN_MAX 5

/* Proxy LCP and proxy authentication, as far as the LAC sent them; lengths 0 = absent. */
struct ppp_proxy {
	uint16_t authen_type; /* RFC 2661 section 4.4.5, <= PPP_PROXY_AUTHEN_MAX */
	uint8_t authen_id;
	uint8_t pad;
	uint16_t initial_received_len, last_sent_len, last_received_len; /* <= 256 */
	uint16_t name_len, challenge_len, response_len;                  /* <= 256 */
	uint8_t initial_received[256], last_sent[256], last_received[256];
	uint8_t name[256], challenge[256], response[256];
};

enum { PPP_PROXY_ACCEPT, PPP_PROXY_RENEGOTIATE, PPP_PROXY_NEVER };

struct ppp_fork {
	struct ppp_head head;
	uint32_t request; /* chosen by the engine, echoed */
	uint32_t exec;    /* 1: the template itself becomes the session (one-shot, exec mode) */
	uint16_t mtu, mru;
	uint16_t proxy_lcp; /* PPP_PROXY_x */
	uint16_t pad;
	uint32_t channel;                   /* the kernel's number of the session's PPP channel */
	uint32_t tunnel_local, tunnel_peer; /* addresses, network byte order; 0 = not IPv4 */
	uint32_t pad2;
	char name[32]; /* "l2tp12-34": for ps, syslog and devnam; [a-z0-9-], terminated */
	struct ppp_proxy proxy;
};

struct ppp_forked {
	struct ppp_head head;
	uint32_t request;
	int32_t error; /* 0, or errno of clone */
	int32_t pid;   /* for people; signals go by the monitor's pidfd */
	uint32_t pad;
};

/* The same struct is the report to the monitor; only head.type differs. */

enum ppp_auth_protocol {
	PPP_AUTH_PAP = 1,
	PPP_AUTH_CHAP_MD5,
	PPP_AUTH_MSCHAP_V2,
	PPP_AUTH_EAP, /* never in a PPP_AUTH_REQUEST */
};

struct ppp_auth_request {
	struct ppp_head head;
	uint32_t request;  /* counts up within a session; the reply echoes it */
	uint16_t protocol; /* enum ppp_auth_protocol */
	uint8_t chap_id;
	uint8_t proxied;                                /* 1: taken by the LAC */
	uint16_t name_len, challenge_len, response_len; /* <= 256; PAP: response is the password */
	uint16_t pad;
	uint8_t name[256], challenge[256], response[256];
};

enum ppp_auth_result { PPP_AUTH_ACCEPT = 1, PPP_AUTH_REJECT, PPP_AUTH_UNAVAILABLE };

enum {
	PPP_AUTH_IPV4 = 1 << 0,         /* negotiate IPCP with the addresses given */
	PPP_AUTH_IPV6 = 1 << 1,         /* negotiate IPV6CP */
	PPP_AUTH_PEER_CHOOSES = 1 << 2, /* remote may be what the client asks for */
	PPP_AUTH_MPPE_ALLOWED = 1 << 3, /* keys are present */
	PPP_AUTH_MPPE_REQUIRED = 1 << 4,
	PPP_AUTH_INTERFACE_ID = 1 << 5,
};

struct ppp_auth_reply {
	struct ppp_head head;
	uint32_t request;
	uint16_t result;          /* enum ppp_auth_result */
	uint16_t flags;           /* PPP_AUTH_x */
	uint32_t local, remote;   /* network byte order */
	uint32_t dns[2], wins[2]; /* 0 = none */
	uint16_t mtu;             /* 0 = as in the fork request, which it can only lower */
	uint16_t mppe_types;      /* MS-MPPE-Encryption-Types: 2 = 40 bit, 4 = 128 bit */
	uint8_t mppe_send_key[16], mppe_recv_key[16];
	uint8_t interface_id[8]; /* of the client */
	/*
	 * Text for the client (CHAP Success/Failure, PAP Ack/Nak), <= 255. For MS-CHAPv2 as in the
	 * RADIUS attributes without their leading Ident octet: "S=..." (42 octets, needed to accept),
	 * "E=691 R=0 C=... V=3 M=..."; a failure without "E=" is made by the plugin.
	 */
	uint16_t message_len;
	uint8_t message[256];
	uint8_t pad[6];
};

/*
 * One step of an EAP conversation (RFC 3579): PPP_EAP_RESPONSE brings what the client said, and is answered
 * by PPP_EAP_REQUEST, what to ask it next, or by the PPP_AUTH_REPLY that ends it.
 *
 * pppd keeps what the conversation needs from one step to the next, so that an engine which knows nothing
 * of it can go on: the name that the client gave first, and RADIUS's State. Of the fields that are not for
 * a direction nothing is used.
 */
struct ppp_eap {
	struct ppp_head head;
	uint32_t request;  /* as in ppp_auth_request */
	uint16_t wait;     /* PPP_EAP_REQUEST: seconds until it is said again, 0 = pppd's own */
	uint16_t name_len; /* PPP_EAP_RESPONSE: <= 256 */
	uint16_t state_len, packet_len; /* state: <= 253, 0 = none */
	uint8_t name[256], state[256];
	uint8_t packet[PPP_EAP_MAX]; /* a Response or Request, as the message's type says */
};

enum ppp_family { PPP_IPV4 = 1, PPP_IPV6 };

struct ppp_ncp_up {
	struct ppp_head head;
	uint16_t family; /* enum ppp_family */
	uint16_t mtu;
	uint32_t ifindex;
	char ifname[16];
	uint32_t local, remote;            /* IPv4, network byte order */
	uint8_t local_id[8], remote_id[8]; /* IPv6 interface identifiers */
	uint64_t rx_octets, tx_octets, rx_packets,
		tx_packets; /* interface counters at this moment */
};

struct ppp_ncp_down {
	struct ppp_head head;
	uint16_t family;
	uint16_t pad[3];
};

struct ppp_link_up {
	struct ppp_head head;
	uint16_t mru, peer_mru;
	uint16_t proxied;  /* 1: opened from the proxied LCP */
	uint16_t replayed; /* early frames that were waiting for pppd */
	uint32_t send_accm, receive_accm;
	uint32_t ifindex;
	uint32_t pad;
};

/* Why the link ends, in the words of PPP; the engine maps it to result codes and causes. */
enum ppp_end {
	PPP_END_PEER = 1,   /* the client terminated LCP */
	PPP_END_LCP_FAILED, /* LCP never opened, or could not agree */
	PPP_END_AUTH_FAILED,
	PPP_END_AUTH_TIMEOUT, /* the client never answered, or the engine did not */
	PPP_END_ECHO_TIMEOUT, /* the client no longer answers LCP echoes */
	PPP_END_NCP_FAILED,   /* no network protocol came up */
	PPP_END_SIGNAL,       /* we asked for it */
	PPP_END_HANGUP,       /* the kernel session vanished */
	PPP_END_LOOP,
	PPP_END_OTHER,
};

struct ppp_link_down {
	struct ppp_head head;
	uint16_t end;    /* enum ppp_end */
	uint16_t status; /* pppd's exit status, pppd(8) */
	uint32_t pad;
};

/* Room for the largest message, aligned for every message. */
union ppp_message {
	struct ppp_head head;
	struct ppp_fork fork;
	struct ppp_forked forked;
	struct ppp_auth_request auth_request;
	struct ppp_auth_reply auth_reply;
	struct ppp_ncp_up ncp_up;
	struct ppp_ncp_down ncp_down;
	struct ppp_link_up link_up;
	struct ppp_link_down link_down;
	struct ppp_eap eap;
};

/*
 * Checks a received message of len octets: version, type, exact size for the type, non-zero session,
 * every enum, length and terminator. 0, or -EBADMSG. Defined in channel_proto.c, built into both.
 * message is aligned like union ppp_message.
 *
 * What no field may say: an MTU outside of PPP_MTU_MIN..MAX, a response that does not have its
 * protocol's length, an accept without a family or without the addresses of IPv4, MPPE required but not
 * allowed, an EAP packet that is not just as long as the message says. Padding is not looked at.
 */
int ppp_message_check(const void *message, uint32_t len);

#endif
