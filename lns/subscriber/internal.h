/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of a subscriber, shared by the files of this folder: subscriber.c (life and end), setup.c
 * and queue.c (start), auth.c, eap.c and grant.c (who it is, what it gets), route.c, limit.c,
 * accounting.c (records).
 */
#ifndef LNS_SUBSCRIBER_INTERNAL_H
#define LNS_SUBSCRIBER_INTERNAL_H

#include "lns/config/config.h"
#include "lns/env.h"
#include "lns/log.h"
#include "lns/ppp/ppp.h"
#include "lns/state.h"
#include "lns/subscriber/authorization.h"
#include "lns/subscriber/phases.h"
#include "lns/subscriber/subscriber.h"
#include "lns/subscriber/tally.h"
#include "radius/radius.h"
#include "radius/spool.h"

#include <sys/queue.h>

struct subscriber {
	struct subscribers *all;
	struct l2tp_session *l2tp;    /* NULL once closed */
	struct subscriber_down *down; /* its call is, and it will be told; NULL: no */
	struct state_session *record;
	uint64_t key;
	char acct_session_id[20];
	char name[32]; /* "l2tp12-34" */
	char lac[64], peer_host[256], ppp[64], calling[65], called[65];
	union addr peer;         /* of its tunnel, at the beginning */
	uint8_t interface_id[8]; /* of the client, 0 without IPv6 */
	uint16_t tunnel_id, session_id;
	enum subscriber_state state; /* assigned by subscriber_enter alone */
	uint64_t entered;            /* env_now of that */
	struct tally_lac *tally;     /* of its lac section */

	struct subscriber_source *source; /* its LAC's host */
	TAILQ_ENTRY(subscriber) in_queue; /* of its source; later, of those that end */
	TAILQ_ENTRY(subscriber) in_order; /* of keys, ascending */
	LIST_ENTRY(subscriber) by_key, by_call, by_ifindex;
	bool counted_in_setup, counted_launching, counted_late, counted_placeless;
	bool sequencing;          /* its data packets are numbered */
	uint64_t reorder_timeout; /* of those that the LAC numbers, 0 = none */

	struct env_timer
		*timer; /* setup deadline, session timeout, end deadline: as the state says */

	/* kernel and pppd */
	struct kernel_job *opening;
	int pppox;           /* from its turn until the fork went out; -1 */
	uint32_t ppp_number; /* of pppox: the kernel's PPP channel */
	struct ppp_channel *channel;
	bool fork_pending, running;
	bool heard;             /* pppd spoke, so it was started, whatever its template says */
	uint32_t local, remote; /* network byte order, as negotiated */
	int pid;
	uint32_t ifindex; /* 0 until NCP-up */
	char ifname[16];
	bool link_gone;
	bool unlinked; /* its interface was to be deleted: if told again, there is no time to lose */
	unsigned int families_up; /* bits of enum ppp_family */
	struct subscriber_route *routes;
	size_t route_count;

	/* rate limits: those in effect, and those asked of the kernel */
	uint32_t link_ifindex; /* 0 until LCP is up */
	struct kernel_limits limits, limits_wanted;
	bool limits_unknown; /* nobody waited for the last answer */
	struct kernel_job *limiting;
	void (*limited)(struct subscriber *sub, const char *problem);
	struct subscriber_pending_change *changing; /* waits for the kernel */

	/* authentication */
	struct radius_request *request;
	struct ppp_auth_request *asked; /* the one in work; wiped and freed when it is answered */
	struct ppp_auth_reply *answer;  /* to question, for repeats; freed at NCP-up */
	struct ppp_eap *challenge;      /* the answer, when it is one in EAP; or NULL */
	uint32_t question;              /* number of the one in work or answered last, 0 = none */
	uint16_t protocol;
	uint16_t peer_mru;             /* of the client, once LCP is open */
	char server[64];               /* that answered */
	char user[254];                /* as sent, no NUL */
	char user_text[128];           /* printable */
	struct authorization *granted; /* NULL until accepted */
	bool address_held, listed;     /* listed: in by_user */
	LIST_ENTRY(subscriber) by_user;
	struct authorization *pending; /* waits for the address of waits_for */
	uint64_t waits_for;            /* key */
	unsigned int awaited;          /* by so many */
	bool lac_asked;                /* it waits, or has waited, for the answer of a LAC */
	struct env_timer *wait_timer;
	TAILQ_ENTRY(subscriber) in_waiting;

	/* accounting */
	struct kernel_counters final;
	uint64_t stop_wallclock, stop_clock;
	uint64_t last_traffic; /* env_now of the last sample that differed */
	uint64_t sampled;      /* env_now of the last sample, or of network-up */
	uint64_t rx_bps, tx_bps;
	uint64_t next_interim; /* env_now; 0 = none */
	bool stop_put, stop_durable;
	bool classes_changed; /* since the last checkpoint */

	/* the end */
	enum end_reason reason; /* why it is ending */
	enum subscriber_state ended_in;
	uint16_t lac_cause;      /* Acct-Terminate-Cause, when the LAC's CDN told one; or 0 */
	enum end_reason verdict; /* what pppd's own end will mean (set when we refuse it) */
	char detail[160];
	bool call_is_down;                                 /* the LAC waits for no CDN */
	uint64_t setup_by;                                 /* env_now; 0 before the ICCN */
	uint64_t ending_since, cdn_by, kill_at, settle_by; /* env_now */

	uint64_t created_wallclock;
	uint64_t created, connected, forked, link, authorised, up; /* env_now, 0 = not yet */
};

TAILQ_HEAD(subscriber_queue, subscriber);
LIST_HEAD(subscriber_bucket, subscriber);

#define SUBSCRIBER_BUCKETS 16384
#define SUBSCRIBER_DOWN    256 /* down_max */

/* A LAC's host; lives as long as it has sessions. */
struct subscriber_source {
	union addr host;
	unsigned int sessions, queued, launching, in_setup;
	struct subscriber_queue waiting; /* for a place */
	TAILQ_ENTRY(subscriber_source) in_turn;
	LIST_ENTRY(subscriber_source) by_host;
};
LIST_HEAD(source_bucket, subscriber_source);

/* How fast sessions leave setup while others wait for their places. */
#define SETUP_RATE_SAMPLES 64
struct setup_rate {
	uint64_t left[SETUP_RATE_SAMPLES]; /* env_now, a ring */
	unsigned int count, next;
};

struct subscribers {
	struct subscribers_host host;
	struct subscribers_config config;
	struct source_bucket sources[SUBSCRIBER_BUCKETS];
	uint32_t source_seed;
	TAILQ_HEAD(, subscriber_source) turns; /* those whose calls wait for a place */
	unsigned int sources_waiting;          /* how many that are */
	struct subscriber_queue order;
	struct subscriber_bucket by_key[SUBSCRIBER_BUCKETS], by_ifindex[SUBSCRIBER_BUCKETS],
		by_call[SUBSCRIBER_BUCKETS], /* by NAS-Port */
		by_user[SUBSCRIBER_BUCKETS]; /* those that are granted something */
	struct subscriber_queue endings;     /* those that end */
	struct subscriber_queue waiting;     /* for the address of a session that ends */
	struct setup_rate rate;
	unsigned int launching,
		forking;   /* of those in setup: from the ICRP, the ICCN, until a pppd runs */
	unsigned int late; /* not connected, without a place, but the kernel has their sessions */
	unsigned int placeless; /* the same, and nothing is there for them */
	unsigned int window;    /* how many may be launching */
	struct subscribers_counters counters;
	struct tally tally;
	struct phases phases;
	unsigned int count;
	struct history *history;
	bool stopping;                 /* nothing new is started */
	bool orphaned;                 /* the monitor is gone */
	bool starting;                 /* subscriber_start_next is at work */
	struct env_timer *start_timer; /* it has refused enough for one turn */

	struct env_timer *kill_timer; /* flushes the batches below at the end of the turn */
	uint64_t batch[2][MONITOR_BATCH];
	size_t batched[2]; /* [0] TERM, [1] KILL */
	LIST_HEAD(, kill) kills;

	TAILQ_HEAD(, subscriber_down) downs; /* whose calls are down, for later turns */
	struct env_timer *down_timer;
	uint64_t down_turn;                /* env_now of the turn in which down_count went */
	unsigned int down_count, down_max; /* of them that go in a turn */

	struct env_timer *sample_timer;
	struct kernel_job *sampling;
	uint64_t sampled, checkpointed; /* env_now of the last beginnings */
	uint64_t checkpointed_before;   /* of the round before that */
	uint64_t on_disk;               /* of the last round that is; 0: not known */
	uint64_t checkpoint_took;       /* from the beginning until on disk, of late */
	bool checkpointing;             /* this sample is for the disk, too */
	bool committing;                /* the last round is on its way there */
	struct log_limit late_rounds;   /* of checkpoints */
	struct log_limit lost;          /* records */
};

/* NAS-Port: tunnel and session, both of them ours. */
static inline uint32_t subscriber_nas_port(const struct subscriber *sub)
{
	return (uint32_t)sub->tunnel_id << 16 | sub->session_id;
}

/* Acct-Multi-Session-Id: every session is a bundle of one link. */
static inline const char *subscriber_multi_session_id(const struct subscriber *sub)
{
	return sub->acct_session_id;
}

/* ---- down.c ---- */

/* Ends some sessions whose calls are down: the function of down_timer. */
void subscriber_downs_step(void *ctx);
/* The session ends otherwise. */
void subscriber_down_cancel(struct subscriber *sub);

/* ---- kill.c ---- */

/* Kills up to MONITOR_BATCH sessions in a moment, with their interfaces. False: they are too few. */
bool subscriber_kill_many(struct subscribers *all, const uint64_t *keys, size_t count);
void subscriber_kills_free(struct subscribers *all);

/* ---- auth.c ---- */

/* Answers an AUTH_REQUEST of pppd: RADIUS, or the users file. */
void subscriber_authenticate(struct subscriber *sub, const struct ppp_auth_request *request);
/* The same for a step of EAP: RADIUS alone. */
void subscriber_authenticate_eap(struct subscriber *sub, const struct ppp_eap *response);
/*
 * PPP's number of the authentication protocol in use; before there is one, of that which pppd offers first.
 */
uint16_t subscriber_auth_number(const struct subscriber *sub);
/* Cancels a request in flight, wipes and frees what authentication left. */
void subscriber_auth_clear(struct subscriber *sub);
/* Answers the question in work: no. verdict and detail are what pppd's end will mean. */
void subscriber_refuse(struct subscriber *sub, enum ppp_auth_result result, enum end_reason verdict,
	const char *message, const char *detail);
/* Answers it: yes, with what sub->granted says. */
void subscriber_accept(struct subscriber *sub);

/* ---- eap.c ---- */

/* Adds EAP-Message and State. 0 or -errno as radius_add_octets. */
int subscriber_eap_add(struct radius_attrs *attrs, const struct ppp_eap *response);
/*
 * What an Access-Challenge has for the client, in *ret_challenge but for its head and request. 0; -ENOMEM;
 * or -EBADMSG and in *ret_why what is wrong with it.
 */
int subscriber_eap_challenge(
	const struct radius_attrs *reply, struct ppp_eap **ret_challenge, const char **ret_why);

/* ---- grant.c ---- */

/* The profile is known: limits, address, routes, then the answer. Owns grant. */
void subscriber_grant(struct subscriber *sub, struct authorization *grant);
/* There is no address for it: err is why, as of pools_claim and pools_take. */
void subscriber_refuse_address(struct subscriber *sub, const struct authorization *grant, int err);
/* Holds the address that a client was free to choose. 0 or the reason why it cannot have it. */
enum end_reason subscriber_claim_chosen(struct subscriber *sub, uint32_t address);
/* Gives back what the session holds; those that waited for it go on. */
void subscriber_ungrant(struct subscriber *sub);
/* ---- wait.c ---- */

/*
 * Waits for the end of another session, or for its LAC's answer whether it lives (once for a grant; false
 * when that is no question). True: grant is taken over, and subscriber_grant goes on with it.
 */
bool subscriber_wait_for_end(
	struct subscriber *sub, struct authorization *grant, struct subscriber *other);
bool subscriber_wait_for_lac(
	struct subscriber *sub, struct authorization *grant, struct subscriber *other);
/* Whether the LAC of another session is silent for long. It is asked now if it was not. */
bool subscriber_is_lost(const struct subscriber *sub, const struct subscriber *other);
/* No longer waits. */
void subscriber_stop_waiting(struct subscriber *sub);
/* The session of that key is gone. */
void subscriber_wake_waiting(struct subscribers *all, uint64_t key);

/* ---- sample.c ---- */

/* The timer's: takes a sample of all, and a checkpoint of each session when that is due, too. */
void subscriber_sample_due(void *ctx);
/* Starts the timer, as the configuration wants it. */
void subscriber_sample_later(struct subscribers *all);

/* ---- accounting.c ---- */

/* Network up: fixes the record, puts the Start. */
void subscriber_account_start(struct subscriber *sub, const struct ppp_ncp_up *up);
/* The rates that the sample shows, also for the sum of all; 0, 0 takes the session out of the sum. */
void subscriber_set_rates(struct subscriber *sub, uint64_t rx_bps, uint64_t tx_bps);
/* Takes a sample; makes a checkpoint or puts an Interim when one is due. */
void subscriber_account_sample(struct subscriber *sub, const struct kernel_counters *counters);
/*
 * Puts the Stop: stop_durable is set at once when there is nobody to wait for, otherwise
 * subscriber_account_stopped is called.
 */
void subscriber_account_stop(struct subscriber *sub);
void subscriber_account_stopped(struct subscriber *sub);

/* ---- subscriber.c ---- */

/* The session whose interface that is, NULL: nobody's. */
struct subscriber *subscriber_find_link(struct subscribers *all, uint32_t ifindex);
/* The ppp section of this session in the configuration of now; NULL when it is gone. */
const struct config_ppp *subscriber_ppp(const struct subscriber *sub);
/* The step from one state to the next, counted and timed. */
void subscriber_enter(struct subscriber *sub, enum subscriber_state state);
/* Names the subscriber; len < sizeof(sub->user). */
void subscriber_set_user(struct subscriber *sub, const char *name, size_t len);
struct subscriber_bucket *subscriber_bucket_of(struct subscriber_bucket *table, uint64_t key);
/* Signals its pppd at the end of this turn, with others. */
void subscriber_signal(struct subscriber *sub, enum monitor_signal signal);
/* pppd ends by itself: what we decided about it comes before what it says. */
void subscriber_ends_itself(struct subscriber *sub, enum end_reason reason, const char *detail);
/* Goes on with the end as far as everything came to rest; frees sub when that is all. */
void subscriber_settle(struct subscriber *sub);
/* Its pppd is gone: final counters and the Stop may take a second yet. May free sub. */
void subscriber_rests(struct subscriber *sub);
/* It is ending, and nobody is left to hear an LCP Terminate: kill pppd. */
void subscriber_peer_gone(struct subscriber *sub);
void subscriber_timer_fires(void *ctx);
void subscriber_close_channel(struct subscriber *sub);
void subscriber_close_pppox(struct subscriber *sub);

/* ---- setup.c ---- */

/* Its turn: the kernel's session is made, then the LAC is answered, or PPP begins. May end it, and free it. */
void subscriber_begin(struct subscriber *sub);
/* The call is connected and has its place: asks for a pppd. May end the session, and free it. */
void subscriber_begin_ppp(struct subscriber *sub);
/* Authorised: the NCPs follow. */
void subscriber_authorised(struct subscriber *sub);
/* Once the Start is durable: who is online by the log is accounted for, whatever happens next. */
void subscriber_log_online(const struct subscriber *sub);

/* ---- refusal.c ---- */

/* Counts a call of which nothing is kept, and puts it into the history. detail is not NULL. */
void subscriber_remember_refusal(struct subscribers *all, enum end_reason reason,
	const char *detail, const struct l2tp_refusal *refusal);

/* Puts it into the history, and tells the owner. */
void subscriber_remember(struct subscribers *all, const struct history_entry *entry);

/* ---- queue.c ---- */

#define SUBSCRIBER_FIRST_WINDOW 4

/* Waits for a place; one whose call is connected already, before its LAC's others. May end and free it. */
void subscriber_enqueue(struct subscriber *sub);
/* Whether a call that comes now from peer would wait for its place in setup until it is too late. */
bool subscriber_is_hopeless(struct subscribers *all, const union addr *peer);
/* Starts queued sessions as long as there is a place for them; refuses some when the system has no room. */
void subscriber_start_next(struct subscribers *all);
/* The same in a later turn: the function of start_timer. */
void subscriber_start_more(void *ctx);
void subscriber_leave_queue(struct subscriber *sub);
/* A call is connected: the forks it finds before it say whether more ICRPs should be under way, or fewer. */
void subscriber_fit_window(struct subscribers *all);
/* Its pppd runs. */
void subscriber_launched(struct subscriber *sub);
/* Its call is not connected yet, and others wait. */
void subscriber_lose_place(struct subscriber *sub);
/* Gives up its place, if it has one: then call subscriber_start_next when its own affairs are settled. */
bool subscriber_leave_place(struct subscriber *sub);

/* ---- source.c ---- */

/* The source of a peer (any port), for one more session; NULL when memory is short. */
struct subscriber_source *source_get(struct subscribers *all, const union addr *peer);
void source_put(struct subscriber_source *source);
/* It waits; it does no longer. */
void source_add(struct subscriber *sub);
void source_remove(struct subscriber *sub);
/* One of its calls was started: it goes behind the others. */
void source_had_turn(struct subscribers *all, struct subscriber_source *source);
/* Who waits and may have a place now; NULL when nobody may. */
struct subscriber *source_next(const struct subscribers *all);
/* How many calls would be started before one that comes now from peer. */
uint64_t source_ahead(struct subscribers *all, const union addr *peer);

/* ---- change.c ---- */

/*
 * Starts the timer of a session that is up as its grant says. The time counts from network-up, also when
 * the client authenticates once more or RADIUS changes it: it may be over already.
 */
void subscriber_time_session(struct subscriber *sub);

/* The session ends, or is authorised anew: what is being changed is not any more. */
void subscriber_change_abort(struct subscriber *sub, int err);

/* ---- info.c ---- */

const char *subscriber_state_name(const struct subscriber *sub);

#endif
