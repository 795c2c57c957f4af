/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * l2tp: the control protocol of an L2TPv2 network server, without any I/O (RFC 2661, 3145, 5515).
 *
 * Ownership: server > tunnel > session. The owner of the server (the engine) feeds packets in with
 * l2tp_server_input, gets everything else by the upcalls in struct l2tp_ops, and acts on tunnels and
 * sessions with the functions below.
 *
 * Life of a session: call_request (make the kernel session) -> l2tp_session_accept or
 * l2tp_session_close -> call_up -> ... -> either call_down (the peer's side or the tunnel ended: clean
 * up, then l2tp_session_close, which sends nothing more) or l2tp_session_close with a result of ours
 * (sends the CDN). l2tp_session_close frees the session in both cases: until then its id stays taken,
 * afterwards the pointer is gone. Upcalls never free what they are given, except by calling _close.
 *
 * An outgoing call is a session from l2tp_session_place on; its call_request comes with the OCRP, which
 * tells the peer's session id, and l2tp_session_accept then sends nothing.
 *
 * Life of a tunnel: tunnel_open (make the tunnel's socket; asynchronously the kernel tunnel) ->
 * tunnel_up -> tunnel_down (after call_down of each of its sessions). The tunnel then lingers to
 * acknowledge retransmissions; its id stays taken until the owner calls l2tp_tunnel_release *and* the
 * linger time is over; then it is freed with tunnel_free as the last upcall.
 */
#ifndef LNS_L2TP_L2TP_H
#define LNS_L2TP_L2TP_H

#include "lns/addr.h"
#include "lns/l2tp/msg.h"
#include "lns/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct env;
struct l2tp_server;
struct l2tp_tunnel;
struct l2tp_session;

/* Where a packet came from or goes to. socket is the network layer's; NULL = none. */
struct l2tp_path {
	union addr local, peer;
	void *socket;
};

/* What a `lac` section says of one peer; copied into each tunnel. Times in microseconds. */
struct l2tp_lac {
	char name[64];             /* title of the section */
	struct l2tp_secret secret; /* len 0: no tunnel authentication */
	bool challenge;            /* demand authentication of the peer (needs a secret) */
	bool hide_avps;
	bool lenient;             /* accept missing mandatory AVPs that a call can live without */
	uint64_t hello;           /* silence after which a Hello goes out; 0 = never */
	uint64_t idle;            /* close a tunnel without sessions after this; 0 = never */
	uint16_t window;          /* our Receive Window Size, 1 .. 1024 */
	unsigned int retransmits; /* of one message before the tunnel is cleared */
	uint64_t retransmit_cap;  /* longest interval between two, >= 8 s */
	unsigned int max_tunnels, max_sessions; /* 0 = no limit; sessions per lac section */
	uint16_t host_ports; /* 1: answer from a port of the tunnel's own, 0: from the listener's */
	char ppp[64];        /* `ppp` section of its calls; not read here */
};

/* Server-wide settings, copied. */
struct l2tp_settings {
	char host_name[256];
	char vendor_name[64];
	uint16_t firmware_revision;
	unsigned int max_tunnels, max_sessions;         /* in all; 0 = as many as there are ids */
	unsigned int sccrq_rate, sccrq_rate_per_source; /* new tunnels a second; 0 = no limit */
	uint64_t setup_timeout; /* for a tunnel or call to be established, microseconds */
};

/* What is known of a call; fields of the ICRQ and ICCN, owned by the session, wiped with it. */
struct l2tp_call {
	uint32_t serial_number;
	uint32_t bearer_type, framing_type;
	uint32_t tx_connect_speed, rx_connect_speed; /* bit/s, 0 = not given */
	uint32_t physical_channel_id;
	bool sequencing_required;
	bool speed_updates; /* RFC 5515: the LAC tells when speeds change, and may be asked */
	char called_number[65], calling_number[65], sub_address[65]; /* printable, cut at 64 */
	char private_group_id[65];
	char agent_circuit_id[64], agent_remote_id[64]; /* RFC 5515, printable */
	uint64_t line_present;                          /* bits as in l2tp_msg.present */
	uint64_t line[14];
	/* proxy LCP and authentication, RFC 2661 section 4.4.5; len 0 = not given */
	uint16_t proxy_authen_type; /* 0 = AVP absent */
	uint8_t proxy_authen_id;
	uint16_t initial_received_len, last_sent_len, last_received_len;
	uint16_t proxy_name_len, proxy_challenge_len, proxy_response_len;
	uint8_t initial_received[256], last_sent[256], last_received[256];
	uint8_t proxy_name[256], proxy_challenge[256], proxy_response[256];
	uint32_t call_errors[6]; /* of the last WEN, in the order of l2tp_msg.call_errors */
	uint32_t minimum_bps, maximum_bps; /* outgoing calls: what was asked for */
	/* RFC 3145, from the peer's CDN; valid in call_down. code 0 = not given */
	uint16_t disconnect_code, disconnect_protocol;
	uint8_t disconnect_direction;
	char disconnect_message[64]; /* printable */
};

/* A call, or a tunnel, of which nothing was kept. */
struct l2tp_refusal {
	const char *lac; /* lac section; NULL when none matched */
	const union addr *peer;
	const char *host_name;            /* of the peer, printable */
	uint16_t tunnel_id;               /* ours, of the call; 0: it was an SCCRQ */
	const char *calling, *called;     /* of the call, printable, "" when not known */
	const struct l2tp_result *result; /* of the CDN or StopCCN */
};

/* Upcalls; ctx is the one given to l2tp_server_new. */
struct l2tp_ops {
	/* Finds the lac section for a peer: 0 and *ret filled, or -ENOENT when no section matches. */
	int (*lac_find)(
		void *ctx, const union addr *peer, const char *host_name, struct l2tp_lac *ret);

	/* Sends one packet. Errors are the network's: nothing is retried but by retransmission. */
	void (*send)(void *ctx, const struct l2tp_path *path, const uint8_t *packet, size_t len);

	/*
	 * Whether the machine has room for one more call, or tunnel. False: why, which the log and the
	 * peer are told (CDN or StopCCN 2/4). Optional: NULL has room for all.
	 */
	bool (*has_room)(void *ctx, bool call, char *ret_why, size_t size);

	/*
	 * A valid SCCRQ arrived: make the tunnel's socket and set it with l2tp_tunnel_set_path; start
	 * making the kernel tunnel. 0, or -errno: the SCCRQ is answered with StopCCN 2/4.
	 */
	int (*tunnel_open)(void *ctx, struct l2tp_tunnel *tunnel);
	void (*tunnel_up)(void *ctx, struct l2tp_tunnel *tunnel);
	/* by_peer: result came in a StopCCN; otherwise it is ours, already sent. */
	void (*tunnel_down)(void *ctx, struct l2tp_tunnel *tunnel, const struct l2tp_result *result,
		bool by_peer);
	void (*tunnel_free)(void *ctx, struct l2tp_tunnel *tunnel);

	/*
	 * An ICRQ was accepted by the protocol, or the OCRP of a call that we placed arrived: make the
	 * kernel session and answer, now or later, with l2tp_session_accept/_close. An outgoing call's
	 * call_up may come before that.
	 */
	void (*call_request)(void *ctx, struct l2tp_session *session);
	/* The ICCN (or OCCN) arrived: l2tp_session_call() is complete. */
	void (*call_up)(void *ctx, struct l2tp_session *session);
	void (*call_down)(void *ctx, struct l2tp_session *session, const struct l2tp_result *result,
		bool by_peer);
	/*
	 * An ICRQ or SCCRQ was refused before call_request or tunnel_open: a limit, draining, no lac
	 * section, nonsense. Optional; must not act on tunnels and sessions.
	 */
	void (*refused)(void *ctx, const struct l2tp_refusal *refusal);
	/* WEN counters or RFC 5515 speed update changed l2tp_session_call(); optional. */
	void (*call_changed)(void *ctx, struct l2tp_session *session);

	/*
	 * Ns or Nr of a tunnel changed: ns is the next to send, nr the next expected. Optional; called
	 * for every message, so it must be cheap (a store into shared memory).
	 */
	void (*tunnel_sequence)(void *ctx, struct l2tp_tunnel *tunnel, uint16_t ns, uint16_t nr);

	/*
	 * The peer answered from another port before the tunnel was established (NAT, RFC 2661
	 * section 8.1): connect the tunnel's socket to path->peer and set the new path. Optional: NULL
	 * or -errno drops the packet.
	 */
	int (*tunnel_moved)(void *ctx, struct l2tp_tunnel *tunnel, const struct l2tp_path *path);

	/*
	 * A control packet of a tunnel came in from its peer, or goes out (also when it goes out again);
	 * as it is on the wire, hidden AVPs still hidden. Optional; called only while l2tp_server_watch
	 * is on, and must not act on tunnels and sessions.
	 */
	void (*message)(void *ctx, struct l2tp_tunnel *tunnel, bool outgoing, const uint8_t *packet,
		size_t len);
};

/* 0 and *ret_server, or -ENOMEM. Copies settings; borrows env and ops. */
int l2tp_server_new(struct env *env, const struct l2tp_settings *settings,
	const struct l2tp_ops *ops, void *ctx, struct l2tp_server **ret_server);
/* Frees everything at once, sending nothing and calling nothing. */
void l2tp_server_free(struct l2tp_server *server);

/* New settings for what is set up from now on. */
void l2tp_server_set(struct l2tp_server *server, const struct l2tp_settings *settings);

/*
 * Handles one datagram from any socket: finds the tunnel by its id, checks the source against the
 * tunnel, decodes, verifies, steps. Anything may be passed in. Data packets are counted and dropped.
 */
void l2tp_server_input(struct l2tp_server *server, const struct l2tp_path *path,
	const uint8_t *packet, size_t len);

/*
 * Refuse new tunnels and new calls from now on (CDN 2/7 "try another"), or accept them again: from all lac
 * sections but those that are drained by themselves. There is no exception any more.
 */
void l2tp_server_drain(struct l2tp_server *server, bool drain);
enum l2tp_drain {
	L2TP_DRAIN_AS_ALL,
	L2TP_DRAIN_ON,
	L2TP_DRAIN_EXCEPT, /* it goes on while all others are drained */
};
/* The same for one lac section, whether it is configured or not. 0 or -ENOMEM. */
int l2tp_server_drain_lac(struct l2tp_server *server, const char *lac, enum l2tp_drain drain);
/* Whether a lac section is drained, by itself or with all; NULL: whether all are. */
bool l2tp_server_is_drained(const struct l2tp_server *server, const char *lac);

/* Calls ops.message from now on, or not; off at first. */
void l2tp_server_watch(struct l2tp_server *server, bool on);

/* What happened so far; monotonic counters. */
struct l2tp_counters {
	uint64_t packets_in, packets_out, octets_in, octets_out;
	uint64_t discarded, data_to_control, unknown_tunnel, wrong_source, sccrq_limited;
	uint64_t taken, refused, ignored; /* messages in turn: good; answered by an end; unknown */
	uint64_t retransmissions, duplicates, out_of_order, given_up;
	uint64_t tunnels_up, tunnels_down, calls_up, calls_down, calls_refused;
};
const struct l2tp_counters *l2tp_server_counters(const struct l2tp_server *server);

/* Tunnels and sessions by our id, NULL when there is none; next goes by ascending id from after. */
struct l2tp_tunnel *l2tp_tunnel_find(struct l2tp_server *server, uint16_t tunnel_id);
struct l2tp_tunnel *l2tp_tunnel_next(struct l2tp_server *server, unsigned int after);
struct l2tp_session *l2tp_session_find(struct l2tp_tunnel *tunnel, uint16_t session_id);
struct l2tp_session *l2tp_session_next(struct l2tp_tunnel *tunnel, unsigned int after);

/* Keeps ids out of use that still belong to something in the kernel (after a restart). */
void l2tp_server_reserve_tunnel(struct l2tp_server *server, uint16_t tunnel_id, bool reserved);

struct l2tp_tunnel_info {
	uint16_t id, peer_id;
	const char
		*state; /* "wait-ctl-reply", "wait-ctl-conn", "established", "closing", "closed" */
	const char *host_name; /* of the peer, printable */
	const char *vendor_name;
	struct l2tp_path path;
	uint16_t peer_window;
	unsigned int sessions;
	uint64_t since;      /* env_now of the state established, 0 before */
	uint64_t last_heard; /* env_now of the last valid packet */
	uint16_t ns, nr;     /* next to send, next expected */
	unsigned int unacknowledged, queued;
	uint64_t retransmissions;
};
void l2tp_tunnel_info(const struct l2tp_tunnel *tunnel, struct l2tp_tunnel_info *ret_info);
/* Logs a line with what is known of the tunnel, and of a call of it when call (our id) is not 0. */
void l2tp_tunnel_log(const struct l2tp_tunnel *tunnel, uint16_t call, enum log_level level,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
const struct l2tp_lac *l2tp_tunnel_lac(const struct l2tp_tunnel *tunnel);
void l2tp_tunnel_set_path(struct l2tp_tunnel *tunnel, const struct l2tp_path *path);
void l2tp_tunnel_set_user(struct l2tp_tunnel *tunnel, void *user);
void *l2tp_tunnel_user(const struct l2tp_tunnel *tunnel);

/*
 * Opens a tunnel to a LAC at path->peer, for outgoing calls: tunnel_open, SCCRQ with a tie breaker,
 * then all as with one that the LAC opened. 0 and *ret_tunnel, or -errno; tunnel_down has been called if tunnel_open had succeeded.
 */
int l2tp_tunnel_connect(struct l2tp_server *server, const struct l2tp_path *path,
	const struct l2tp_lac *lac, struct l2tp_tunnel **ret_tunnel);

/* Sends StopCCN with result; call_down for each session, tunnel_down follow before it returns. */
void l2tp_tunnel_close(struct l2tp_tunnel *tunnel, const struct l2tp_result *result);
/*
 * Asks the peer whether it lives: with a Hello, unless it has been asked and has not answered yet, or
 * other messages wait for their acknowledgement. Since when (env_now) the question is open.
 */
uint64_t l2tp_tunnel_ask(struct l2tp_tunnel *tunnel);
/*
 * Asks the LAC for the speeds of its calls (CSURQ, RFC 5515 section 4.2): of those that it said it tells
 * about. Answers come as call_changed. How many were asked about, -ENOTCONN, -ENOMEM.
 */
int l2tp_tunnel_ask_speeds(struct l2tp_tunnel *tunnel);
/* The owner has nothing of the tunnel left in the kernel. After tunnel_down only. */
void l2tp_tunnel_release(struct l2tp_tunnel *tunnel);

/*
 * The StopCCN and CDN that an engine without the tunnel's state sends for one that a dead engine
 * left: a packet for header.tunnel_id with the given Ns and Nr. Returns the length, or -EMSGSIZE.
 */
int l2tp_stopccn_encode(uint16_t tunnel_id, uint16_t peer_tunnel_id, uint16_t ns, uint16_t nr,
	const struct l2tp_result *result, uint8_t *buf, size_t size);

struct l2tp_session_info {
	uint16_t id, peer_id;
	const char *state; /* "wait-tunnel", "wait-reply", "wait-connect", "established", "down" */
	uint64_t since;    /* env_now of the ICRQ or OCRQ */
	bool outgoing;
};
void l2tp_session_info(const struct l2tp_session *session, struct l2tp_session_info *ret_info);
const struct l2tp_call *l2tp_session_call(const struct l2tp_session *session);
struct l2tp_tunnel *l2tp_session_tunnel(const struct l2tp_session *session);
void l2tp_session_set_user(struct l2tp_session *session, void *user);
void *l2tp_session_user(const struct l2tp_session *session);

/* The kernel session exists: sends the ICRP. When memory is short call_down comes before it returns. */
void l2tp_session_accept(struct l2tp_session *session);
/* Ends the call (CDN with result unless the peer or tunnel ended it already) and frees the session. */
void l2tp_session_close(struct l2tp_session *session, const struct l2tp_result *result);
/*
 * The PPP reason that the CDN of l2tp_session_close is to carry (RFC 3145): code, control protocol,
 * direction (0 global, 1 at the peer, 2 here), message of at most 63 printable octets or NULL.
 */
void l2tp_session_set_disconnect_cause(struct l2tp_session *session, uint16_t code,
	uint16_t protocol, uint8_t direction, const char *message);

/* A call for the LAC to place (RFC 2661 section 7.5). Numbers are copied. */
struct l2tp_call_request {
	const char *called_number, *sub_address; /* sub_address may be NULL */
	uint32_t minimum_bps, maximum_bps;
	uint32_t bearer_type;  /* 1 digital, 2 analog, 3 either */
	uint32_t framing_type; /* 1 synchronous, 2 asynchronous, 3 either */
};
/*
 * Places a call: OCRQ goes out as soon as the tunnel is established; call_request and call_up follow, or
 * call_down. 0 and *ret_session, or -errno:
 * -EOPNOTSUPP when the LAC said that it cannot make such calls, -ESHUTDOWN for a closing tunnel,
 * -EUSERS over a limit, -ENOMEM (then perhaps after call_down for a session not known before).
 */
int l2tp_session_place(struct l2tp_tunnel *tunnel, const struct l2tp_call_request *request,
	struct l2tp_session **ret_session);

/* Sends SLI: the ACCMs that PPP negotiated (RFC 2661 section 6.14). */
void l2tp_session_set_link_info(
	struct l2tp_session *session, uint32_t send_accm, uint32_t receive_accm);

#endif
