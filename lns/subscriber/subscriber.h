/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * subscriber: what a call is to the ISP, from the ICRQ to the acknowledged Stop record.
 *
 * Ownership: struct subscribers owns every subscriber; a subscriber owns its pppd (by the monitor), its
 * channel, its kernel session, its address, its state record and its part of the L2TP session, which it
 * ends with l2tp_session_close. It never outlives its tunnel: the engine takes the tunnel down in the
 * kernel only when subscribers_host.unhold was called for each of them.
 *
 * Life:
 *   queued    for a place among those in setup
 *   opening   kernel session in the making            -> ICRP
 *   waiting   for the ICCN; one that comes late has to queue again
 *   forking   pppd asked for
 *   link      LCP and authentication
 *   network   authorised, NCPs
 *   up        accounted for
 *   ending    pppd told to end; waits for its exit, the final counters and a durable Stop, the CDN no
 *             longer than a second
 */
#ifndef LNS_SUBSCRIBER_SUBSCRIBER_H
#define LNS_SUBSCRIBER_SUBSCRIBER_H

#include "lns/kernel/kernel.h"
#include "lns/l2tp/l2tp.h"
#include "lns/log.h"
#include "lns/monitor/proto.h"
#include "lns/subscriber/end.h"

struct authorization;
struct config;
struct env;
struct history;
struct history_entry;
struct pools;
struct phases;
struct ppp_template;
struct radius_attrs;
struct radius_client;
struct radius_spool;
struct state;
struct subscriber;
struct subscribers;
struct tally;
struct users;

/* What the engine provides; the pointers are borrowed and stay valid until subscribers_free. */
struct subscribers_host {
	void *ctx;
	struct env *env;
	struct kernel *kernel;
	struct state *state;
	struct pools *pools;
	/* The template of a ppp section; NULL: none is ready, subscribers_template_ready will tell. */
	struct ppp_template *(*template)(void *ctx, const char *ppp);
	/* The UDP socket of a tunnel (borrowed), -1 when the kernel has no tunnel for it. */
	int (*tunnel_socket)(void *ctx, struct l2tp_tunnel *tunnel);
	/* Signals pppds; keeps or drops the duplicate of a channel. */
	void (*signal)(void *ctx, enum monitor_signal signal, const uint64_t *keys, size_t count);
	void (*keep_channel)(void *ctx, uint64_t key, int fd); /* fd -1: drop */
	/* The exit of this session's pppd is dealt with. */
	void (*forget_exit)(void *ctx, uint64_t key);
	/* A subscriber has something of this tunnel; the last trace of it is gone. */
	void (*hold)(void *ctx, struct l2tp_tunnel *tunnel);
	void (*unhold)(void *ctx, uint16_t tunnel_id);
	/* A session has a network (counted once, at the first family); one that had a network is about to
	 * be freed, with all that is known of it. NULL: nobody wants to know. */
	void (*went_up)(void *ctx, struct subscriber *subscriber);
	void (*went_down)(void *ctx, struct subscriber *subscriber);
	/* A call or session has ended or was refused, for the history. NULL: nobody wants to know. */
	void (*remembered)(void *ctx, const struct history_entry *entry);
	/* Whether the limits of the system have room for one more call, else why not; NULL: always. */
	bool (*has_room)(void *ctx, bool call, char *ret_why, size_t size);
	/* Whether an end of any tunnel lies in prefix; NULL: only the session's own is looked at. */
	bool (*covers_tunnel)(void *ctx, const struct addr_prefix *prefix);
};

/* What changes with a reload; borrowed until the next subscribers_configure. */
struct subscribers_config {
	const struct config *config;
	struct users *users;        /* NULL with RADIUS */
	struct radius_client *auth; /* NULL without */
	struct radius_spool *spool; /* NULL: nobody is told */
};

int subscribers_new(const struct subscribers_host *host, struct subscribers **ret_subscribers);
/* Frees the memory of all; ends nothing. */
void subscribers_free(struct subscribers *subscribers);
void subscribers_configure(
	struct subscribers *subscribers, const struct subscribers_config *config);

/* L2TP's upcalls. */
void subscriber_call_request(struct subscribers *subscribers, struct l2tp_session *session);
void subscriber_call_up(struct subscribers *subscribers, struct l2tp_session *session);
void subscriber_call_down(struct subscribers *subscribers, struct l2tp_session *session,
	const struct l2tp_result *result, bool by_peer);

/* L2TP refused a call before it was one: counted, and remembered. */
void subscribers_refused(struct subscribers *subscribers, const struct l2tp_refusal *refusal);

/* Kernel's, template's and monitor's. Keys that nobody has are ignored. */
void subscribers_link_gone(
	struct subscribers *subscribers, uint32_t ifindex, const struct kernel_counters *final);
void subscribers_forked(struct subscribers *subscribers, uint64_t key, int error, int pid);
void subscribers_exited(struct subscribers *subscribers, const struct monitor_exit *exit);
void subscribers_template_ready(struct subscribers *subscribers);

/* Ends one session, or all of them; a session that ends already goes on doing so. */
void subscriber_end(struct subscriber *subscriber, enum end_reason reason, const char *detail);
void subscribers_end_all(struct subscribers *subscribers, enum end_reason reason);
/* Nobody tells of pppds any more (the monitor is gone): what follows is decided without them. */
void subscribers_orphaned(struct subscribers *subscribers);
/* The last ends and failures; borrowed. */
const struct history *subscribers_history(const struct subscribers *subscribers);
unsigned int subscribers_count(const struct subscribers *subscribers);
/* Those of them that have descriptors or a process: not who waits in the queue, or lost its place. */
unsigned int subscribers_holding(const struct subscribers *subscribers);

/* By key, or the first one after key in ascending order; NULL when there is none. */
struct subscriber *subscriber_find(struct subscribers *subscribers, uint64_t key);
struct subscriber *subscriber_next(struct subscribers *subscribers, uint64_t after);

/* By our ids in the kernel: the one that has them now, ending ones included; the newest of several. */
struct subscriber *subscriber_find_session(
	struct subscribers *subscribers, uint16_t tunnel_id, uint16_t session_id);
/* Whether its kernel session was made and is to be there. */
bool subscriber_is_in_kernel(const struct subscriber *subscriber);

/* Which sessions are meant, by what RADIUS was told of them; NULL: whatever it is. */
struct subscriber_selector {
	const char *acct_session_id, *user, *calling, *called, *nas_port_id;
	const char *acct_multi_session_id;
	const uint32_t *address, *nas_port; /* the client's IPv4 address, host byte order */
	const char *lac;                    /* section */
	const char *user_text;              /* the name as people see it, in subscriber_info */
	bool (*takes_lac)(void *ctx, const char *lac); /* asked last of all */
	void *ctx;
	size_t enough; /* the search ends at so many, 0: it counts all */
};
/* The keys of the first max sessions that match and are not ending. The number of all that do. */
size_t subscribers_select(struct subscribers *subscribers,
	const struct subscriber_selector *selector, uint64_t *ret_keys, size_t max);

typedef void subscriber_changed_fn(void *ctx, int err);
/* What to change of a session that is up; NULL: nothing of it. Seconds, 0 = none. */
struct subscriber_change {
	const uint32_t *session_timeout, *idle_timeout, *interim;
	const struct radius_attrs *classes; /* every Class from now on */
	const struct radius_attrs
		*rates;              /* vendors' attributes for rates, as in an Access-Accept */
	subscriber_changed_fn *done; /* called once after -EINPROGRESS, needed with rates */
	void *ctx;
};
/*
 * Makes all changes, or none: -ENOTCONN (not up, or over before it was done), -EINVAL (interim or rate),
 * -EOPNOTSUPP (an attribute that says no rate), -EIO (the kernel cannot limit the rate, as logged), -EBUSY
 * (the last change is not done yet), -ENOSPC (too many classes), -ENOMEM, -EPROTO; -EINPROGRESS: the
 * kernel is asked, done gets the result. The session timeout counts from network-up; when it is over, the session ends soon.
 */
int subscriber_change(struct subscriber *subscriber, const struct subscriber_change *change);

/* Everything known, for people. Texts belong to the subscriber. Times in microseconds. */
struct subscriber_info {
	uint64_t key;
	const char *state, *acct_session_id, *user, *ppp, *ifname;
	struct l2tp_session *l2tp; /* NULL when it is ended */
	uint16_t tunnel_id, session_id;
	const struct l2tp_call *call; /* as of the ICCN; NULL when l2tp is */
	const char *lac, *peer_host;
	int pid;
	uint32_t ifindex;
	union addr local, remote, dns[2];
	union addr peer;             /* of the tunnel */
	const uint8_t *interface_id; /* of the client, 8 octets, 0 without IPv6 */
	uint16_t mtu;
	const char *auth; /* "CHAP", "PAP", "MS-CHAPv2", "-" */
	const char *radius_server;
	uint64_t session_timeout, idle_timeout, interim;
	bool sequencing;             /* data packets are numbered */
	uint64_t reorder_timeout;    /* of numbered ones, 0 = what comes late is dropped */
	struct kernel_limits limits; /* in effect */
	uint64_t created;            /* env_now of the ICRQ */
	uint64_t connected, forked, link, authorised, up; /* since then; 0 = not reached */
	uint64_t uptime, in_state;                        /* so long; uptime 0 = it is not up */
	uint64_t created_wallclock;
	struct kernel_counters counters;     /* since NCP-up, as of the newest sample */
	uint64_t rx_bps, tx_bps;             /* bit/s between the last two samples */
	const char *calling, *called;        /* "" = not given */
	const struct authorization *granted; /* NULL until it is */
	const char *end, *detail;            /* why it ends, NULL while it runs */
	uint16_t terminate_cause;            /* Acct-Terminate-Cause of that; 0 while it runs */
	const char *raw_user;                /* as it was sent, any octets */
	uint64_t up_wallclock;
};
void subscriber_get_info(const struct subscriber *subscriber, struct subscriber_info *ret_info);
/* Logs "session ID: ..." with the fields of the session. */
void subscriber_log(const struct subscriber *subscriber, enum log_level level, const char *format,
	...) __attribute__((format(printf, 3, 4)));

/*
 * The sessions with the most traffic between the last two samples, most first, of the lac section and user
 * (NULL: of all; borrowed); at most max, which is 1 to SUBSCRIBERS_TOP. The search goes over all sessions,
 * steps of them a call, in as many turns of the loop as it needs: false once it has seen the last one.
 */
#define SUBSCRIBERS_TOP 200
struct subscribers_top {
	const char *lac, *user;
	size_t max, count;
	uint64_t after; /* the key of the session that was looked at last */
	struct {
		uint64_t key, bps;
	} busiest[SUBSCRIBERS_TOP]; /* so many as count says; some may be gone by now */
};
bool subscribers_top_step(
	struct subscribers *subscribers, struct subscribers_top *top, unsigned int steps);

struct subscribers_counters {
	uint64_t requested, up, ended[END_COUNT];
	uint64_t pppd_starts, pppd_failures; /* answers of the templates */
	uint64_t limits_set, limit_failures; /* answers of the kernel */
	unsigned int queued, in_setup, online;
	uint64_t rx_bps, tx_bps; /* of all sessions, bit/s between the last two samples */
};
const struct subscribers_counters *subscribers_get_counters(const struct subscribers *subscribers);

/* Counts by lac section, and what phases of calls took. The engine counts tunnels there. */
struct tally *subscribers_tally(struct subscribers *subscribers);
const struct phases *subscribers_phases(const struct subscribers *subscribers);
/* The word for an enum subscriber_state (tally.h). */
const char *subscriber_state_word(unsigned int state);

#endif
