/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel: everything lnsd asks of the kernel by netlink, on threads of its own.
 *
 * A netlink send executes the request under rtnl before it returns, up to hundreds of milliseconds in
 * a storm. So the loop only queues jobs; two threads carry them out, with sockets of their own and in
 * order of submission: one what needs no rtnl (tunnels), the other what does (links, routes, counters).
 * Sessions are made and their sockets closed by several threads at once: each of them waits for a grace
 * period. An eventfd brings the completions back to the loop, a bounded number a turn. The watch on
 * links is a multicast socket read by the loop: it asks nothing and waits for nothing.
 *
 * Ownership: a job belongs to the kernel object until its done callback ran. kernel_cancel makes sure
 * that it never runs; what the job had made meanwhile (a descriptor, a tunnel, a session) is undone.
 */
#ifndef LNS_KERNEL_KERNEL_H
#define LNS_KERNEL_KERNEL_H

#include "lns/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct env;
struct kernel;
struct kernel_job;

/* err: 0 or -errno; fd: the descriptor made (now the callee's), or -1. */
typedef void kernel_done_fn(void *ctx, int err, int fd);

/* 64-bit interface counters. rx: from the subscriber. */
struct kernel_counters {
	uint64_t rx_octets, tx_octets, rx_packets, tx_packets;
};

struct kernel_watch_ops {
	/*
	 * An interface (of any kind: look the index up) is gone; its last counters (RTM_DELLINK), or
	 * NULL when the kernel did not tell them.
	 */
	void (*link_gone)(void *ctx, uint32_t ifindex, const struct kernel_counters *final);
	/* Messages were lost (ENOBUFS): what vanished meanwhile is unknown, sample and compare. */
	void (*links_lost)(void *ctx);
};

/* Starts the thread and the watch (none when watch is NULL; borrowed). 0 and *ret_kernel, or -errno. */
int kernel_new(struct env *env, const struct kernel_watch_ops *watch, void *ctx,
	struct kernel **ret_kernel);
/*
 * Waits for the running job, drops the queued ones without calling done, undoes those whose done was not
 * called yet, ends the thread. Not to be called from a callback.
 */
void kernel_free(struct kernel *kernel);

/* Jobs not yet completed, and the longest time one took so far, microseconds. */
unsigned int kernel_pending(const struct kernel *kernel);
uint64_t kernel_longest(const struct kernel *kernel);

/* All below return NULL when memory is short; done is then not called. done may be NULL. */

/*
 * Makes the kernel tunnel of a connected UDP socket, by generic netlink or, on kernels without it, by
 * a PPPoL2TP socket with session id 0. Duplicates fd for the time of the job. May follow the deletion of
 * the same id at once (-EEXIST when it stays taken), but with another socket: older kernels (6.1)
 * keep a UDP socket for the first tunnel that it carried (-EBUSY).
 */
struct kernel_job *kernel_tunnel_create(struct kernel *kernel, int fd, uint16_t tunnel_id,
	uint16_t peer_tunnel_id, kernel_done_fn *done, void *ctx);
/*
 * -ENOENT when it is gone already; -EOPNOTSUPP on kernels without the netlink API, where a tunnel ends
 * with the last descriptor of its UDP socket and a session with that of its PPPoL2TP socket.
 */
struct kernel_job *kernel_tunnel_delete(
	struct kernel *kernel, uint16_t tunnel_id, kernel_done_fn *done, void *ctx);

struct kernel_session {
	uint16_t tunnel_id, peer_tunnel_id, session_id, peer_session_id;
	unsigned int reorder_timeout; /* ms; 0 = drop numbered frames that come late */
};
/* As kernel_done_fn; channel: the number of the PPP channel, for PPPIOCATTCHAN. */
typedef void kernel_opened_fn(void *ctx, int err, int fd, uint32_t channel);
/*
 * Makes the kernel session as a PPPoL2TP socket, LNS mode, attached to the tunnel of fd; opened gets the
 * socket, ready for pppd. Duplicates fd for the time of the job. -ENOENT: no such tunnel.
 *
 * The socket is bound to its channel (PPPIOCGCHAN, which waits for a grace period of RCU, some 20 ms):
 * whatever comes from the client from then on waits in the channel until pppd reads it.
 */
struct kernel_job *kernel_session_open(struct kernel *kernel, int fd,
	const struct kernel_session *session, kernel_opened_fn *opened, void *ctx);
/*
 * From now on frames that leave by the session of this socket are numbered, and those that come without a
 * number are dropped. At once, without a job: nothing in it waits. 0 or -errno.
 */
int kernel_session_sequence(int fd);
struct kernel_job *kernel_session_delete(struct kernel *kernel, uint16_t tunnel_id,
	uint16_t session_id, kernel_done_fn *done, void *ctx);

/*
 * An L2TPv3 tunnel that the kernel serves alone, on a socket of its own ("unmanaged"), and sessions of it:
 * Ethernet pseudowires (RFC 3931, RFC 4719).
 */
struct kernel_static_tunnel {
	uint32_t id, peer_id;   /* never 0 */
	union addr local, peer; /* of one family; with ports unless ip */
	int ip;                 /* 1: IP protocol 115; 0: UDP */
	bool checksum;          /* of UDP; otherwise none is sent, nor demanded with IPv6 */
};
struct kernel_cookie {
	uint8_t len; /* 0, 4 or 8 */
	uint8_t octets[8];
};
struct kernel_static_session {
	uint32_t tunnel_id, id, peer_id;   /* never 0 */
	struct kernel_cookie send, expect; /* put into what is sent; demanded of what comes */
	bool sublayer;                     /* the default L2 specific sublayer; otherwise none */
	bool send_seq, recv_seq;           /* need the sublayer */
	uint32_t reorder_timeout;          /* ms, 0 = do not reorder */
	uint16_t mtu;                      /* of the interface; 0: the kernel's choice */
	char ifname[16];
};
bool kernel_static_tunnel_equal(
	const struct kernel_static_tunnel *a, const struct kernel_static_tunnel *b);
/* The mtu may differ. */
bool kernel_static_session_equal(
	const struct kernel_static_session *a, const struct kernel_static_session *b);
/*
 * Makes them; a session's interface is up then. Both may follow the deletion of the same id at once.
 * -EEXIST: the id is taken (or the name of the interface); -EOPNOTSUPP: the kernel lacks L2TPv3;
 * -EPROTONOSUPPORT: it lacks IP encapsulation, or Ethernet pseudowires.
 */
struct kernel_job *kernel_static_tunnel_create(struct kernel *kernel,
	const struct kernel_static_tunnel *tunnel, kernel_done_fn *done, void *ctx);
struct kernel_job *kernel_static_session_create(struct kernel *kernel,
	const struct kernel_static_session *session, kernel_done_fn *done, void *ctx);
/* Sets MTU (not 0) and UP. */
struct kernel_job *kernel_static_session_set_link(struct kernel *kernel,
	const struct kernel_static_session *session, kernel_done_fn *done, void *ctx);
/* A tunnel with its sessions, or with session_id one session. -ENOENT when it is gone already. */
struct kernel_job *kernel_static_delete(struct kernel *kernel, uint32_t tunnel_id,
	uint32_t session_id, kernel_done_fn *done, void *ctx);

/*
 * Closes a descriptor where nobody waits: the last one of a session socket can take the kernel 20 ms.
 */
void kernel_close(struct kernel *kernel, int fd);

/* Deletes a left-over interface. -ENODEV when it is gone already. */
struct kernel_job *kernel_link_delete(
	struct kernel *kernel, uint32_t ifindex, kernel_done_fn *done, void *ctx);
/* Deletes all interfaces of a link group (not 0) at once: for leftovers and emergencies. */
struct kernel_job *kernel_link_delete_group(
	struct kernel *kernel, uint32_t group, kernel_done_fn *done, void *ctx);
/*
 * Deletes interfaces at once, as a group of their own: the kernel waits for grace periods with rtnl held,
 * for one interface as long as for a thousand. Those that are gone are passed over.
 */
struct kernel_job *kernel_links_delete(struct kernel *kernel, const uint32_t *ifindexes,
	size_t count, kernel_done_fn *done, void *ctx);
/*
 * Puts an interface into a link group, so that firewalls can match all subscribers, and gives it an alias
 * (ifAlias of SNMP; printable, KERNEL_ALIAS octets at most; "": none), so that people know whose it is.
 */
#define KERNEL_ALIAS 255
struct kernel_job *kernel_link_set_group(struct kernel *kernel, uint32_t ifindex, uint32_t group,
	const char *alias, kernel_done_fn *done, void *ctx);

/*
 * Adds or removes a route to prefix through an interface; table 0 = main. -EEXIST: there is a route to
 * that prefix already, whoever's; -ESRCH: there is none to remove. Routes end with their interface.
 */
#define KERNEL_ROUTE_PROTOCOL 115 /* rtm_protocol of ours (L2TP's IP protocol number) */
struct kernel_job *kernel_route_change(struct kernel *kernel, bool add,
	const struct addr_prefix *prefix, uint32_t ifindex, uint32_t table, kernel_done_fn *done,
	void *ctx);

/*
 * How fast one direction of an interface may be. The burst is what may pass at once after silence; it is
 * at least what the rate carries in a while (0.1 s to the subscriber, 0.5 s from it), and some packets.
 */
struct kernel_rate {
	uint64_t rate;  /* bit/s, 0 = no limit */
	uint64_t peak;  /* bit/s during a burst; not above rate: as fast as the line is */
	uint64_t burst; /* octets, 0 = the least */
};
struct kernel_limits {
	struct kernel_rate down, up; /* to and from the subscriber */
};
/* err: 0 or -errno; part: what of the kernel refused it, a module ("sch_tbf"), when err is not 0. */
typedef void kernel_limits_fn(void *ctx, int err, const char *part);
/*
 * Sets both limits of an interface, or leaves them as they were. -ENOENT or -EOPNOTSUPP: the kernel has no
 * such part; -ENODEV: the interface is gone. Limits end with their interface.
 */
struct kernel_job *kernel_limits_set(struct kernel *kernel, uint32_t ifindex,
	const struct kernel_limits *limits, kernel_limits_fn *done, void *ctx);

/*
 * Dumps the counters of all interfaces: sample is called on the loop once for each, then done. They are
 * of any kind, lo included: look the index up.
 */
typedef void kernel_sample_fn(void *ctx, uint32_t ifindex, const struct kernel_counters *counters);
struct kernel_job *kernel_sample_counters(
	struct kernel *kernel, kernel_sample_fn *sample, kernel_done_fn *done, void *ctx);

/* A tunnel or session of the kernel, whoever made it. */
struct kernel_l2tp_entry {
	uint8_t version;    /* 2 or 3; 0: of a session whose tunnel is gone */
	uint8_t is_session; /* otherwise session ids and what follows the addresses are 0 */
	uint8_t encap;      /* 0 UDP, 1 IP */
	uint32_t tunnel_id, peer_tunnel_id, session_id, peer_session_id;
	union addr local, peer; /* of the tunnel; no port with encap 1 */
	char ifname[16];        /* sessions that have one */
	uint16_t pseudowire;    /* enum l2tp_pwtype: 5 Ethernet, 7 PPP */
	bool send_seq, recv_seq, lns_mode;
	uint32_t reorder_timeout; /* ms */
	struct kernel_cookie send_cookie, expect_cookie;
	uint64_t rx_octets, tx_octets, rx_packets, tx_packets, rx_errors, tx_errors;
	uint64_t rx_out_of_sequence, rx_seq_discards;
	/* From debugfs. */
	bool has_details;
	unsigned int references, socket_references; /* the latter of tunnels */
	uint32_t next_send, next_receive;           /* of sessions with sequencing */
};
/* By ascending tunnel id, each tunnel before its sessions, those by ascending id. */
struct kernel_l2tp_list {
	struct kernel_l2tp_entry *entries; /* owned */
	size_t count;
};
/*
 * Lists all L2TP tunnels and sessions by generic netlink (-EOPNOTSUPP when the kernel has no such API).
 * details is debugfs' l2tp/tunnels, opened for reading and owned from now on, or -1. With error 0, done
 * finds the list in *ret_list, which is the caller's then, to be freed with kernel_l2tp_list_free.
 */
struct kernel_job *kernel_l2tp_dump(struct kernel *kernel, int details,
	struct kernel_l2tp_list *ret_list, kernel_done_fn *done, void *ctx);
/* An entry by its ids, session_id 0 for a tunnel; NULL: there is none. */
const struct kernel_l2tp_entry *kernel_l2tp_find(
	const struct kernel_l2tp_list *list, uint32_t tunnel_id, uint32_t session_id);
void kernel_l2tp_list_free(struct kernel_l2tp_list *list);

/*
 * Reads a file of the kernel's to its end, at most max octets of it. fd is owned from now on. With error 0,
 * done finds it in *ret_text, terminated, the caller's then and to be freed.
 */
struct kernel_job *kernel_text_read(struct kernel *kernel, int fd, size_t max, char **ret_text,
	kernel_done_fn *done, void *ctx);

/*
 * From now on no callback of this job will be called, and job is not to be used again. What it made is
 * undone before any later job runs; only a session's id may stay taken for some milliseconds. Nothing
 * happens when job is NULL or is cancelled from its own done.
 */
void kernel_cancel(struct kernel_job *job);

#endif
