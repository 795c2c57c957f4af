/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of a subscriber, shared by the files of this folder: subscriber.c (life), auth.c
 * (authentication), authorization.c (what a profile grants), accounting.c (records).
 */
#ifndef LNS_SUBSCRIBER_INTERNAL_H
#define LNS_SUBSCRIBER_INTERNAL_H

#include "lns/config/config.h"
#include "lns/env.h"
#include "lns/ppp/ppp.h"
#include "lns/state.h"
#include "lns/subscriber/authorization.h"
#include "lns/subscriber/subscriber.h"
#include "radius/radius.h"
#include "radius/spool.h"

#include <sys/queue.h>

enum subscriber_state {
	SUBSCRIBER_OPENING,
	SUBSCRIBER_WAITING,
	SUBSCRIBER_QUEUED,
	SUBSCRIBER_FORKING,
	SUBSCRIBER_LINK,
	SUBSCRIBER_NETWORK,
	SUBSCRIBER_UP,
	SUBSCRIBER_ENDING,
};

struct subscriber {
	struct subscribers *all;
	struct l2tp_session *l2tp; /* NULL once closed */
	struct state_session *record;
	uint64_t key;
	char acct_session_id[20];
	char name[32]; /* "l2tp12-34" */
	char lac[64], peer_host[256], ppp[64], calling[65];
	uint16_t tunnel_id, session_id;
	enum subscriber_state state;

	TAILQ_ENTRY(subscriber) in_queue;
	TAILQ_ENTRY(subscriber) in_order; /* of keys, ascending */
	LIST_ENTRY(subscriber) by_key, by_ifindex;
	bool counted_in_setup;

	struct env_timer
		*timer; /* setup deadline, session timeout, end deadline: as the state says */

	/* kernel and pppd */
	struct kernel_job *opening;
	int pppox; /* until the fork went out */
	struct ppp_channel *channel;
	bool fork_pending, running, exited;
	uint32_t local, remote; /* network byte order, as negotiated */
	int pid;
	uint32_t ifindex; /* 0 until NCP-up */
	char ifname[16];
	bool link_gone;
	unsigned int families_up; /* bits of enum ppp_family */

	/* authentication */
	struct radius_request *request;
	struct ppp_auth_request
		*asked; /* the one in work or answered last; wiped and freed at NCP-up */
	struct ppp_auth_reply *answer; /* to asked, for repeats */
	uint16_t protocol;
	char server[64];               /* that answered */
	char user[254];                /* as sent, no NUL */
	char user_text[128];           /* printable */
	struct authorization *granted; /* NULL until accepted */
	bool address_held;

	/* accounting */
	struct kernel_counters final;
	uint64_t stop_wallclock, stop_clock;
	uint64_t last_traffic; /* env_now of the last sample that differed */
	uint64_t next_interim; /* env_now; 0 = none */
	bool stop_put, stop_durable;

	/* the end */
	enum end_reason reason;  /* why it is ending */
	enum end_reason verdict; /* what pppd's own end will mean (set when we refuse it) */
	char detail[160];
	uint64_t ending_since, settle_by; /* env_now */

	uint64_t created, connected, forked, link, authorised, up; /* env_now, 0 = not yet */
};

TAILQ_HEAD(subscriber_queue, subscriber);
LIST_HEAD(subscriber_bucket, subscriber);

#define SUBSCRIBER_BUCKETS 16384

struct subscribers {
	struct subscribers_host host;
	struct subscribers_config config;
	struct subscriber_queue queue; /* waiting for a place in setup */
	struct subscriber_queue order;
	struct subscriber_bucket by_key[SUBSCRIBER_BUCKETS], by_ifindex[SUBSCRIBER_BUCKETS];
	struct subscribers_counters counters;
	unsigned int count;
	bool stopping; /* nothing new is started */

	struct env_timer *kill_timer; /* flushes the batches below at the end of the turn */
	uint64_t batch[2][MONITOR_BATCH];
	size_t batched[2]; /* [0] TERM, [1] KILL */

	struct env_timer *sample_timer;
	struct kernel_job *sampling;
};

/* ---- auth.c ---- */

/* Answers an AUTH_REQUEST of pppd: RADIUS, or the users file. */
void subscriber_authenticate(struct subscriber *sub, const struct ppp_auth_request *request);
/* Cancels a request in flight, wipes and frees what authentication left. */
void subscriber_auth_clear(struct subscriber *sub);

/* ---- accounting.c ---- */

/* The attributes that say which session this is, for Access-Request and accounting alike. NULL: memory. */
struct radius_attrs *subscriber_identity(const struct subscriber *sub);
/* Network up: fixes the record, puts the Start. */
void subscriber_account_start(struct subscriber *sub, const struct ppp_ncp_up *up);
/* Takes a sample; puts an Interim when one is due. */
void subscriber_account_sample(struct subscriber *sub, const struct kernel_counters *counters);
/* Puts the Stop; subscriber_account_stopped is called when it is durable. */
void subscriber_account_stop(struct subscriber *sub);
void subscriber_account_stopped(struct subscriber *sub);

/* ---- subscriber.c ---- */

/* The ppp section of this session in the configuration of now; NULL when it is gone. */
const struct config_ppp *subscriber_ppp(const struct subscriber *sub);
/* Names the subscriber; len < sizeof(sub->user). */
void subscriber_set_user(struct subscriber *sub, const char *name, size_t len);
struct subscriber_bucket *subscriber_bucket_of(struct subscriber_bucket *table, uint64_t key);
/* Signals its pppd at the end of this turn, with others. */
void subscriber_signal(struct subscriber *sub, enum monitor_signal signal);
/* pppd ends by itself: what we decided about it comes before what it says. */
void subscriber_ends_itself(struct subscriber *sub, enum end_reason reason, const char *detail);
/* Whether everything that the session had came to rest; if so, on to the next step. May free sub. */
void subscriber_settle(struct subscriber *sub);
/* It is ending, and nobody is left to hear an LCP Terminate: kill pppd. */
void subscriber_peer_gone(struct subscriber *sub);
void subscriber_timer_fires(void *ctx);
void subscriber_close_channel(struct subscriber *sub);
void subscriber_close_pppox(struct subscriber *sub);

/* ---- setup.c ---- */

/* Starts queued sessions as long as there is room among those in setup. */
void subscriber_start_next(struct subscribers *all);
void subscriber_leave_queue(struct subscriber *sub);
void subscriber_count_setup(struct subscriber *sub, bool in_setup);
/* Authorised: the NCPs follow. */
void subscriber_authorised(struct subscriber *sub);

/* ---- info.c ---- */

const char *subscriber_state_name(const struct subscriber *sub);

#endif
