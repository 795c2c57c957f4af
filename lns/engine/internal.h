/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of the engine, shared by the files of this folder; README.md tells what each is for.
 */
#ifndef LNS_ENGINE_INTERNAL_H
#define LNS_ENGINE_INTERNAL_H

#include "lns/config/config.h"
#include "lns/env_ev.h"
#include "lns/hooks/client.h"
#include "lns/kernel/kernel.h"
#include "lns/monitor/client.h"
#include "lns/monitor/limits.h"
#include "lns/net/net.h"
#include "lns/ppp/ppp.h"
#include "lns/state.h"
#include "lns/subscriber/subscriber.h"
#include "radius/das.h"
#include "radius/radius.h"
#include "radius/spool.h"

#include <jansson.h>
#include <sys/queue.h>

struct accounting_event;
struct control;
struct control_feed;
struct engine;
struct engine_past;

/* What a tunnel has outside l2tp/. Owned by the engine from tunnel_open to tunnel_free. */
struct engine_tunnel {
	struct engine *engine;
	struct l2tp_tunnel *l2tp;
	struct net_socket *socket; /* NULL once given back */
	struct net_socket *linger; /* then, on a port of its own: for the last acknowledgements */
	struct kernel_job *job;    /* creation, then deletion */
	struct tally_lac *tally;   /* counts it; subscribers' */
	uint16_t id;
	bool own_port;
	unsigned int subscribers; /* that have something of it */
	bool in_kernel;           /* creation was asked for and did not fail */
	uint64_t made;            /* when it was asked for, env_now */
	bool down;
};

struct engine_listener {
	LIST_ENTRY(engine_listener) entry;
	struct net_socket *socket; /* net's */
	uint64_t id;               /* of the monitor's duplicate */
};

/* A pppd template of one ppp section. */
struct engine_template {
	LIST_ENTRY(engine_template) entry;
	struct engine *engine;
	struct ppp_template *template;
	uint32_t id;
	bool answered; /* forked a pppd, or became one (exec) */
	char name[64];
};

/* RADIUS as the configuration has it; all NULL without a radius section, except spool never. */
struct engine_radius {
	struct radius_host host;
	struct radius_client *auth, *acct;
	struct radius_spool *spool;
	struct radius_das *das;                     /* NULL without dynamic-authorization */
	LIST_HEAD(, engine_disconnect) disconnects; /* not acknowledged yet */
	LIST_HEAD(, engine_retired)
	retired;          /* of an older configuration, with requests in flight */
	bool is_outdated; /* the clients are not those of the configuration: memory was short */
};

/* What the limits of the system leave room for; see engine/room.c. */
struct engine_room {
	struct monitor_limits limits;
	struct monitor_needs needs;
	uint64_t read;    /* env_now */
	uint64_t said;    /* env_now of the last line that there is no room; 0: never */
	uint64_t refused; /* calls and tunnels for which there was none */
};

struct engine {
	struct env *env;
	struct monitor_client *monitor;
	uint32_t generation;
	char run_dir[96], state_dir[256];
	int exit_status;

	struct config *config;
	struct state *state;
	bool fresh; /* a cold start: nothing in the state memory */
	struct kernel *kernel;
	struct net *net;
	struct l2tp_server *l2tp;
	struct pools *pools;
	struct users *users;
	struct engine_radius radius;
	struct subscribers *subscribers;
	struct hooks_client *hooks;
	struct control *control;
	LIST_HEAD(, engine_trace) traces;  /* owned by engine/trace.c */
	LIST_HEAD(, engine_watch) watches; /* that see events; owned by engine/events.c */
	LIST_HEAD(, engine_reload_wait) reload_waits;
	LIST_HEAD(, engine_call) calls; /* that an operator waits for; owned by engine/call.c */
	LIST_HEAD(, engine_inspect) inspects; /* owned by engine/inspect.c */
	LIST_HEAD(, engine_ktrace) ktraces;   /* owned by engine/ktrace.c */
	struct engine_statics *statics;       /* NULL before the start */
	struct engine_audit *audit;           /* likewise */
	uint8_t trace_scratch[L2TP_PACKET_MAX];
	struct engine_past *past; /* NULL when there is none (left) */
	LIST_HEAD(, engine_template) templates;
	LIST_HEAD(, engine_listener) listeners;
	LIST_HEAD(, engine_metrics) metrics;
	struct engine_room room;
	uint64_t started_wallclock;
	uint64_t next_listener_id;
	struct engine_tunnel *tunnels[65536]; /* by our tunnel id */
	unsigned int tunnel_count;

	int control_fd; /* until the control server takes it */
	bool stopping, stopped, closing_tunnels, draining_spool, removing_statics;
	uint64_t stop_by, quiet_by; /* env_now */
	struct env_timer *stop_timer;
	struct env_timer *drain_timer; /* engine/drain.c */
	char stranger[200];   /* the last peer that no lac section matched, "" = none came */
	uint64_t stranger_at; /* wall clock */
	uint64_t drain_last[STATE_DRAINED]; /* env_now up to which each has ended its sessions */
};

/* ---- engine.c ---- */

/* Tells the subscribers what configuration, users and RADIUS there are now. */
void engine_configure_subscribers(struct engine *engine);

/* ---- engine/room.c ---- */

/* Reads the limits, and what the configuration needs: at the start and after a reload. */
void engine_room_read(struct engine *engine);
/* l2tp_ops.has_room; where there is none, the log says how to have more, at most once a minute. */
bool engine_has_room(void *ctx, bool call, char *ret_why, size_t size);
/* Calls put for each limit that there is, as monitor_limits_rooms. */
void engine_rooms(struct engine *engine,
	void (*put)(void *ctx, const char *word, uint64_t sessions), void *ctx);
/* Of `show stats`; a new reference. */
json_t *engine_room_json(struct engine *engine);

/* ---- engine/listen.c ---- */

/* Opens the configured listeners that are not open, then closes those that are not configured. */
int engine_listen(struct engine *engine);
/* Takes a listener over; id 0: a new one, which the monitor is to keep. 0 or -ENOMEM. */
int engine_listener_add(struct engine *engine, struct net_socket *socket, uint64_t id);

/* ---- engine/stop.c ---- */

/* monitor_client_ops.stop: ends all cleanly within stop-timeout; hurry: leaves what is left now. */
void engine_stop(void *ctx, bool hurry);
/* The function of stop_timer. */
void engine_stop_step(void *ctx);

/* ---- engine/tunnel.c ---- */

int engine_tunnel_open(void *ctx, struct l2tp_tunnel *tunnel);
void engine_tunnel_up(void *ctx, struct l2tp_tunnel *tunnel);
void engine_tunnel_down(
	void *ctx, struct l2tp_tunnel *tunnel, const struct l2tp_result *result, bool by_peer);
void engine_tunnel_free(void *ctx, struct l2tp_tunnel *tunnel);
int engine_tunnel_moved(void *ctx, struct l2tp_tunnel *tunnel, const struct l2tp_path *path);
void engine_tunnel_sequence(void *ctx, struct l2tp_tunnel *tunnel, uint16_t ns, uint16_t nr);
/* Rows of l2tp_ops. */
#define ENGINE_TUNNEL_OPS                                                                          \
	.tunnel_open = engine_tunnel_open, .tunnel_up = engine_tunnel_up,                          \
	.tunnel_down = engine_tunnel_down, .tunnel_free = engine_tunnel_free,                      \
	.tunnel_sequence = engine_tunnel_sequence, .tunnel_moved = engine_tunnel_moved
/* The UDP socket for a new session of the tunnel, which then counts as a user of it; -1: none. */
int engine_tunnel_socket(void *ctx, struct l2tp_tunnel *tunnel);
void engine_tunnel_hold(struct engine *engine, struct l2tp_tunnel *tunnel);
/* One user of the tunnel is gone. */
void engine_tunnel_unhold(void *ctx, uint16_t tunnel_id);
/* Deletes every kernel tunnel, and with it the interfaces of its sessions, whose pppds then end. */
void engine_tunnels_delete(struct engine *engine);
/* Cancels what is in work and frees; for an engine that exits. */
void engine_tunnels_free(struct engine *engine);

/* ---- engine/radius.c ---- */

/* Fills host; makes clients and, the first time, the spool. 0 or -errno after logging why. */
int engine_radius_start(struct engine *engine);
/*
 * Makes clients for engine->config when old had other servers; the old ones finish what they have. 0, or
 * -errno: as before.
 */
int engine_radius_change(struct engine *engine, const struct config *old);
void engine_radius_stop(struct engine *engine);

/* ---- engine/das.c ---- */

/* Serves dynamic authorization as engine->config says. 0, or -errno after logging why: as before. */
int engine_das_configure(struct engine *engine);
void engine_das_stop(struct engine *engine);
/* A session is over, its Stop durable or given up: who asked for that is told. */
void engine_das_ended(struct engine *engine, uint64_t key);

/* ---- engine/past.c ---- */

/* Notes what arrives before monitor_client_ops.start; owns fd. */
void engine_past_kept(struct engine *engine, enum monitor_kind kind, uint64_t id, int fd);
void engine_past_session(struct engine *engine, uint64_t key);
/* true: the exit was that of a session of the past. */
bool engine_past_exited(struct engine *engine, const struct monitor_exit *exit);
bool engine_past_link_gone(
	struct engine *engine, uint32_t ifindex, const struct kernel_counters *final);
/* Looks at the state memory, before the spool is opened. 0 or -ENOMEM. */
int engine_past_begin(struct engine *engine);
/* radius_spool_config.is_alive, ctx the engine: the session was up, engine_past_end ends it. */
bool engine_past_is_alive(void *ctx, uint64_t key);
/* Ends everything noted and everything in the state memory; frees itself when done. */
void engine_past_end(struct engine *engine);
/* What it still holds of the past; 0, 0 when there is none. */
void engine_past_left(
	const struct engine *engine, unsigned int *ret_sessions, unsigned int *ret_tunnels);
void engine_past_free(struct engine *engine);

/* ---- engine/hooks.c: those of struct subscribers_host; totals for `show stats` ---- */

void engine_hooks_went_up(void *ctx, struct subscriber *subscriber);
void engine_hooks_went_down(void *ctx, struct subscriber *subscriber);
/* A session of the past is ended as its Stop says. */
void engine_hooks_past_down(struct engine *engine, const struct state_session *record,
	const struct accounting_event *stop);
json_t *engine_hooks_json(const struct engine *engine);

/* ---- engine/reload.c ---- */

/* Applies a new configuration without touching a session, or refuses it whole. Owns config_fd. */
void engine_reload(void *ctx, uint32_t request, int config_fd);
/* What the monitor says of a reload that an operator wants. */
void engine_reload_line(void *ctx, const char *line);
void engine_reload_end(void *ctx, int error);
/* As in struct control_feed_command. */
int engine_reload_open(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size);
void engine_reload_close(void *ctx, struct control_feed *feed);

/* ---- engine/drain.c ---- */

/* Goes on with what an earlier engine drained. */
void engine_drain_restore(struct engine *engine);
/* Ends sessions that are due: the function of drain_timer. */
void engine_drain_step(void *ctx);

/* ---- engine/metrics.c ---- */

/* Serves metrics where the configuration says so, then no longer elsewhere. 0, or -errno after logging. */
int engine_metrics_open(struct engine *engine);
void engine_metrics_close(struct engine *engine);

/* ---- engine/trace.c: open and close are those of struct control_feed_command ---- */

/* l2tp_ops.message: to whoever has asked for it. */
void engine_trace_message(
	void *ctx, struct l2tp_tunnel *tunnel, bool outgoing, const uint8_t *packet, size_t len);
/* Ends the traces of a tunnel that is being freed. */
void engine_trace_tunnel_gone(struct engine *engine, uint16_t tunnel_id);
int engine_trace_tunnel(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size);
int engine_trace_session(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size);
int engine_trace_lac(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size);
int engine_trace_capture(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size);
void engine_trace_close(void *ctx, struct control_feed *feed);

/* ---- engine/events.c ---- */

struct history_entry;

int engine_events_open(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size);
void engine_events_close(void *ctx, struct control_feed *feed);
/* What happens; those with a ctx are upcalls of L2TP and the subscribers. */
void engine_event_call(struct engine *engine, struct l2tp_session *session);
void engine_event_went_up(void *ctx, struct subscriber *subscriber);
void engine_event_ended(void *ctx, const struct history_entry *entry);
void engine_event_refused(void *ctx, const struct l2tp_refusal *refusal);
/* ended NULL: it is established. */
void engine_event_tunnel(
	struct engine *engine, struct l2tp_tunnel *tunnel, const struct l2tp_result *ended);

/* For struct radius_host. */
void engine_event_radius(void *ctx, enum radius_event what, const char *server, const char *why);
/* lac NULL: all sections; detail NULL: nothing to add. */
void engine_event_drain(struct engine *engine, const char *lac, bool drained, const char *detail);
/* refused NULL: the new configuration is used. */
void engine_event_reload(struct engine *engine, const char *refused);

/* ---- engine/show_session.c: open and close are those of struct control_feed_command ---- */

int engine_top_open(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size);
void engine_top_close(void *ctx, struct control_feed *feed);

/* ---- engine/spool.c: likewise ---- */

int engine_spool_show(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size);
int engine_spool_export(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size);
void engine_spool_close(void *ctx, struct control_feed *feed);

/* ---- engine/call.c ---- */

int engine_call_open(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size);
void engine_call_close(void *ctx, struct control_feed *feed);
/* What becomes of a call, for the operator who placed it; any session may be given. */
void engine_call_answered(struct engine *engine, struct l2tp_session *session);
void engine_call_up(struct engine *engine, struct l2tp_session *session);
void engine_call_down(
	struct engine *engine, struct l2tp_session *session, const struct l2tp_result *result);

/* ---- engine/inspect.c ---- */

/* What engine and kernel disagree about. */
enum engine_mark {
	ENGINE_MARK_NONE,
	ENGINE_MARK_ENDING,  /* going: no disagreement that would last */
	ENGINE_MARK_LEFT,    /* of ours, in the kernel only */
	ENGINE_MARK_DIFFERS, /* a tunnel with an id of ours, to somewhere else */
	ENGINE_MARK_MISSING, /* of ours, in the engine only */
};
struct engine_match {
	const char *owner;            /* "lnsd", "static", "other" */
	const char *name;             /* of what is static; NULL */
	struct engine_tunnel *tunnel; /* NULL: none of ours */
	struct subscriber *sub;       /* of a session; NULL: none */
	enum engine_mark mark;
};
/* Whose an entry of the kernel is. */
void engine_inspect_match(struct engine *engine, const struct kernel_l2tp_entry *entry,
	struct engine_match *ret_match);
/* Whether the kernel lacks what it had to have when it was asked for the list, at since (env_now). */
bool engine_inspect_tunnel_missing(
	const struct engine_tunnel *tunnel, const struct kernel_l2tp_list *list, uint64_t since);
bool engine_inspect_session_missing(
	struct subscriber *sub, const struct kernel_l2tp_list *list, uint64_t since);
/* The monitor's answer: debugfs, owned from now on, or -1. */
void engine_inspect_opened(struct engine *engine, int fd);
int engine_inspect_open(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size);
void engine_inspect_close(void *ctx, struct control_feed *feed);

/* ---- engine/ktrace.c ---- */

/* The monitor's answer to one of MONITOR_OPEN_TRACE_x; owns fd, which may be -1. */
void engine_ktrace_opened(struct engine *engine, enum monitor_open what, int error, int fd);
int engine_ktrace_on(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size);
int engine_ktrace_off(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size);
int engine_ktrace_show(
	void *ctx, const json_t *args, struct control_feed *feed, char *error, size_t size);
void engine_ktrace_close(void *ctx, struct control_feed *feed);

/* ---- engine/audit.c ---- */

enum engine_repair {
	ENGINE_REPAIR_LEFT_TUNNEL,
	ENGINE_REPAIR_LEFT_SESSION,
	ENGINE_REPAIR_LOST_TUNNEL,
	ENGINE_REPAIR_LOST_SESSION,
	ENGINE_REPAIR_STATIC, /* a lost static tunnel or session */
	ENGINE_REPAIRS
};
struct engine_audit_counters {
	uint64_t looks, repairs[ENGINE_REPAIRS];
};
/* Begins to look at intervals, as engine->config says; configure: after a change of that. */
int engine_audit_start(struct engine *engine);
void engine_audit_configure(struct engine *engine);
void engine_audit_free(struct engine *engine);
/* A tunnel ended: the next look sees to it that the kernel has none with these ids and addresses. */
void engine_audit_bury(struct engine *engine, uint16_t tunnel_id, uint16_t peer_id,
	const union addr *local, const union addr *peer);
bool engine_audit_is_buried(const struct engine *engine, const struct kernel_l2tp_entry *entry);
const struct engine_audit_counters *engine_audit_counters(const struct engine *engine);
/* "left_tunnel" and so on. */
const char *engine_audit_word(enum engine_repair kind);
json_t *engine_audit_json(const struct engine *engine);

/* ---- engine/static.c, static_make.c, static_show.c ---- */

/* Takes over, or makes, what engine->config has. 0 or -ENOMEM; what cannot be made is logged. */
int engine_statics_start(struct engine *engine);
/* Follows a new engine->config. */
void engine_statics_configure(struct engine *engine);
/*
 * Sets right what differs from the kernel's list, which was asked for at since (env_now). How many tunnels
 * and sessions were lost, and are made again.
 */
unsigned int engine_statics_check(
	struct engine *engine, const struct kernel_l2tp_list *list, uint64_t since);
/* Removes from the kernel what is not to be kept, and forgets all; true while that goes on. */
void engine_statics_end(struct engine *engine);
bool engine_statics_are_ending(const struct engine *engine);
void engine_statics_free(struct engine *engine);

struct engine_static_match {
	const char *name; /* of the session, or else of the tunnel */
	bool is_ours;     /* not somebody else's tunnel with the same number */
	bool is_known;    /* the configuration has it */
};
/* Whether an entry of the kernel has the number of a static tunnel, or is in one that does. */
bool engine_statics_find(const struct engine *engine, const struct kernel_l2tp_entry *entry,
	struct engine_static_match *ret_match);
struct engine_static_entry {
	struct kernel_l2tp_entry entry; /* as the kernel should show it */
	const char *name;
	uint64_t made; /* env_now; 0 = it is not */
};
/* The index-th of all tunnels and sessions; false behind the last. */
bool engine_statics_at(const struct engine *engine, size_t index, struct engine_static_entry *ret);
struct engine_static_info {
	const char *name, *state, *error; /* error: NULL, or why something of it is not there */
	const struct kernel_static_tunnel *kernel;
	unsigned int sessions; /* that are up */
	uint64_t made, uptime;
};
/* The index-th tunnel. */
bool engine_statics_info(
	const struct engine *engine, size_t index, struct engine_static_info *ret_info);

/* ---- engine/control.c ---- */

int engine_control_start(struct engine *engine);
/* What a request's arguments name, or NULL with error set: session by "id", tunnel by key. */
struct subscriber *engine_control_session(
	struct engine *engine, const json_t *args, char *error, size_t size);
struct l2tp_tunnel *engine_control_tunnel(
	struct engine *engine, const json_t *args, const char *key, char *error, size_t size);

#endif
