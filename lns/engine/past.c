// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/past: ends what a dead engine left, so that nobody pays for a session that nobody serves.
 *
 * Every pppd of the past is killed; the interface's last message (or the newest sample, when the
 * interface went while nobody listened) gives the Stop record its counters, with cause NAS-Error; then
 * every old tunnel gets a StopCCN and leaves the kernel. Meanwhile new calls are served.
 *
 * The spool tells which sessions are open on disk, so that each gets one Stop and not two, whatever the
 * dead engine had put: a session that is up here and not open there had no Start yet; one whose Stop was
 * put and that is not open there has it. Its record is given back when the Stop is durable.
 *
 * All numbers come from the state memory and are trusted only as far as state.h says.
 */
#include "lns/engine/internal.h"

#include "lns/log.h"
#include "lns/subscriber/accounting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAST_DEADLINE ENV_SEC(3) /* for pppds to go and interfaces to be reported gone */

#define PAST_BUCKETS 4096
#define PAST_STEP    32 /* sessions that are ended in a turn of the loop */

struct past_session {
	TAILQ_ENTRY(past_session) entry;
	LIST_ENTRY(past_session) by_key;
	struct engine_past *past;
	struct state_session *record; /* NULL: it has none */
	uint64_t key;
	bool running;
	bool open;  /* in the spool */
	bool gone;  /* final is known */
	bool ended; /* but for its Stop, which is being written */
	struct kernel_counters final;
	uint64_t stop_wallclock, stop_clock; /* its pppd or its interface went, 0 = not yet */
};

TAILQ_HEAD(past_sessions, past_session);
LIST_HEAD(past_bucket, past_session);

struct past_fd {
	LIST_ENTRY(past_fd) entry;
	enum monitor_kind kind;
	uint64_t id;
	int fd;
};

struct engine_past {
	struct engine *engine;
	struct past_sessions sessions; /* those that have ended last */
	struct past_bucket by_key[PAST_BUCKETS];
	LIST_HEAD(, past_fd) fds;
	struct env_timer *deadline, *step;
	unsigned int session_count, tunnel_count;
	bool ending, finishing, ended; /* ended: but for Stops that are being written */
	struct log_limit lost;
};

static void deadline_passed(void *ctx);
static void finish_step(void *ctx);

static struct engine_past *past_of(struct engine *engine)
{
	struct engine_past *past = engine->past;

	if (past)
		return past;
	past = calloc(1, sizeof(*past));
	if (!past)
		return NULL;
	past->engine = engine;
	TAILQ_INIT(&past->sessions);
	past->deadline = env_timer_new(engine->env, deadline_passed, engine);
	past->step = env_timer_new(engine->env, finish_step, past);
	if (!past->deadline || !past->step) {
		env_timer_free(past->deadline);
		env_timer_free(past->step);
		free(past);
		return NULL;
	}
	engine->past = past;
	return past;
}

void engine_past_kept(struct engine *engine, enum monitor_kind kind, uint64_t id, int fd)
{
	struct engine_past *past = past_of(engine);
	struct past_fd *kept = past ? calloc(1, sizeof(*kept)) : NULL;

	if (!kept) {
		close(fd);
		monitor_client_drop(engine->monitor, kind, id);
		return;
	}
	kept->kind = kind;
	kept->id = id;
	kept->fd = fd;
	LIST_INSERT_HEAD(&past->fds, kept, entry);
}

static struct past_session *find_session(struct engine_past *past, uint64_t key)
{
	struct past_session *session;

	if (!past)
		return NULL;
	LIST_FOREACH(session, &past->by_key[key % PAST_BUCKETS], by_key)
		if (session->key == key)
			return session;
	return NULL;
}

static struct past_session *add_session(struct engine_past *past, uint64_t key)
{
	struct past_session *session = find_session(past, key);

	if (session)
		return session;
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->past = past;
	session->key = key;
	TAILQ_INSERT_HEAD(&past->sessions, session, entry);
	LIST_INSERT_HEAD(&past->by_key[key % PAST_BUCKETS], session, by_key);
	past->session_count++;
	return session;
}

void engine_past_session(struct engine *engine, uint64_t key)
{
	struct engine_past *past = past_of(engine);
	struct past_session *session = past ? add_session(past, key) : NULL;

	if (session)
		session->running = true;
}

/* ---- one session ---- */

static void note_stop_time(struct past_session *session)
{
	struct env *env = session->past->engine->env;

	if (session->stop_clock)
		return;
	session->stop_clock = env_now(env);
	session->stop_wallclock = env_wallclock(env);
}

/* Frees what is known of it, and what is kept. */
static void forget_session(struct past_session *session)
{
	struct engine_past *past = session->past;

	if (session->record)
		state_session_release(past->engine->state, session->record);
	monitor_client_forget(past->engine->monitor, session->key);
	TAILQ_REMOVE(&past->sessions, session, entry);
	LIST_REMOVE(session, by_key);
	free(session);
	if (past->ended && TAILQ_EMPTY(&past->sessions))
		engine_past_free(past->engine);
}

/* Written, or the disk failed, and the spool has it in memory. */
static void stop_durable(void *ctx, int err)
{
	(void)err;
	forget_session(ctx);
}

static int put_start(struct radius_spool *spool, const struct state_session *record)
{
	const struct accounting_event start = {
		.kind = RADIUS_START, .wallclock = record->up_wallclock, .clock = record->up_clock
	};

	return accounting_put(spool, record, &start, NULL, NULL);
}

/* Puts what the servers do not know yet. 1: stop_durable will be called; 0: it is not needed; -errno. */
static int put_records(struct past_session *session, const struct accounting_event *stop)
{
	struct radius_spool *spool = session->past->engine->radius.spool;
	struct state_session *record = session->record;
	bool stopped = record->used == STATE_STOPPED;
	int err = 0;

	if (stopped && !session->open)
		return 0;
	if (!stopped && !session->open)
		err = put_start(spool, record);
	if (!err)
		err = stopped ? accounting_stop_again(spool, record, stop_durable, session)
			      : accounting_stop(spool, record, stop, stop_durable, session);
	return err ? err : 1;
}

static bool was_up(const struct past_session *session)
{
	return session->record &&
	       (session->record->used == STATE_UP || session->record->used == STATE_STOPPED);
}

/* Tells hooks and servers of its end, as put_records. */
static int report(struct past_session *session)
{
	struct engine *engine = session->past->engine;
	const struct accounting_event stop = {
		.kind = RADIUS_STOP,
		.counters = session->gone ? &session->final : &session->record->last,
		.terminate_cause = end_rule(END_ENGINE)->acct_cause,
		.wallclock = session->stop_wallclock,
		.clock = session->stop_clock,
	};

	engine_hooks_past_down(engine, session->record, &stop);
	return engine->radius.spool ? put_records(session, &stop) : 0;
}

static void end_session(struct past_session *session)
{
	struct engine_past *past = session->past;
	unsigned int left_out;
	int put;

	TAILQ_REMOVE(&past->sessions, session, entry);
	TAILQ_INSERT_TAIL(&past->sessions, session, entry);
	session->ended = true;
	note_stop_time(session);
	put = was_up(session) ? report(session) : 0;
	if (put < 0 && log_limit_pass(&past->lost, env_now(past->engine->env), &left_out))
		log_error("session %016llx: its Stop record (and %u others) is lost: %s",
			(unsigned long long)session->key, left_out, strerror(-put));
	if (put <= 0)
		forget_session(session);
}

static bool is_settled(const struct past_session *session)
{
	bool needs_counters = was_up(session);

	return !session->running && (!needs_counters || session->gone);
}

/* ---- tunnels, once the sessions are gone ---- */

static int tunnel_fd(struct engine_past *past, uint16_t id)
{
	struct past_fd *kept;

	LIST_FOREACH(kept, &past->fds, entry)
		if (kept->kind == MONITOR_KEEP_TUNNEL && kept->id == id)
			return kept->fd;
	return -1;
}

static void end_tunnel(struct engine_past *past, struct state_tunnel *record, uint16_t id)
{
	struct engine *engine = past->engine;
	struct l2tp_result result = { .code = L2TP_STOPCCN_GENERAL, .text = "engine restarted" };
	int len, fd = tunnel_fd(past, id);
	uint8_t packet[256];

	len = l2tp_stopccn_encode(
		id, record->peer_id, record->ns, record->nr, &result, packet, sizeof(packet));
	if (fd >= 0 && len > 0)
		(void)send(fd, packet, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	state_publish(&record->used, 0);
	l2tp_server_reserve_tunnel(engine->l2tp, id, false);
	kernel_tunnel_delete(engine->kernel, id, NULL, NULL);
	engine_audit_bury(engine, id, record->peer_id, &record->local, &record->peer);
}

static void drop_fds(struct engine_past *past)
{
	struct past_fd *kept;

	while ((kept = LIST_FIRST(&past->fds))) {
		LIST_REMOVE(kept, entry);
		close(kept->fd);
		monitor_client_drop(past->engine->monitor, kept->kind, kept->id);
		free(kept);
	}
}

static void end_tunnels(struct engine_past *past)
{
	struct engine *engine = past->engine;

	for (unsigned int id = 1; id < STATE_TUNNELS; id++)
		if (state_tunnel(engine->state, (uint16_t)id)->used && !engine->tunnels[id])
			end_tunnel(past, state_tunnel(engine->state, (uint16_t)id), (uint16_t)id);
}

/* Some sessions a turn; after the last one, what remains. */
static void finish_step(void *ctx)
{
	struct engine_past *past = ctx;
	struct past_session *session = TAILQ_FIRST(&past->sessions);

	for (unsigned int n = 0; n < PAST_STEP && session && !session->ended; n++) {
		end_session(session);
		session = TAILQ_FIRST(&past->sessions);
	}
	if (session && !session->ended) {
		env_timer_start(past->step, 0);
		return;
	}
	end_tunnels(past);
	drop_fds(past);
	log_info("ended what the last engine left: %u sessions, %u tunnels", past->session_count,
		past->tunnel_count);
	past->ended = true;
	if (TAILQ_EMPTY(&past->sessions))
		engine_past_free(past->engine);
}

static void finish(struct engine_past *past)
{
	past->finishing = true;
	env_timer_stop(past->deadline);
	env_timer_start(past->step, 0);
}

static void look(struct engine_past *past)
{
	struct past_session *session;

	if (!past->ending || past->finishing)
		return;
	TAILQ_FOREACH(session, &past->sessions, entry)
		if (!is_settled(session))
			return;
	finish(past);
}

static void deadline_passed(void *ctx)
{
	struct engine *engine = ctx;

	log_warning("some sessions of the last engine were not reported gone in time; accounting "
		    "uses their last sample");
	finish(engine->past);
}

/* ---- events ---- */

bool engine_past_exited(struct engine *engine, const struct monitor_exit *exit)
{
	struct past_session *session = find_session(engine->past, exit->session);

	if (!session && !engine->subscribers) { /* told before start: it ended unheard */
		struct engine_past *past = past_of(engine);

		session = past ? add_session(past, exit->session) : NULL;
		if (!session) { /* its record, if it has one, will be found all the same */
			monitor_client_forget(engine->monitor, exit->session);
			return true;
		}
	}
	if (!session)
		return false;
	session->running = false;
	note_stop_time(session);
	look(engine->past);
	return true;
}

bool engine_past_link_gone(
	struct engine *engine, uint32_t ifindex, const struct kernel_counters *final)
{
	struct past_session *session;

	if (!engine->past)
		return false;
	TAILQ_FOREACH(session, &engine->past->sessions, entry) {
		if (!session->record || session->record->ifindex != ifindex || session->gone)
			continue;
		session->gone = true;
		note_stop_time(session);
		if (final) /* otherwise the last sample has to do */
			session->final = *final;
		look(engine->past);
		return true;
	}
	return false;
}

/* Listeners are not ended but taken over. */
static void adopt_listeners(struct engine_past *past)
{
	struct past_fd *kept, *next;

	for (kept = LIST_FIRST(&past->fds); kept; kept = next) {
		struct net_socket *socket;

		next = LIST_NEXT(kept, entry);
		if (kept->kind != MONITOR_KEEP_LISTENER)
			continue;
		if (net_listen_fd(past->engine->net, kept->fd, &socket) < 0)
			continue; /* dropped with the rest */
		if (engine_listener_add(past->engine, socket, kept->id) < 0) {
			net_socket_close(socket);
			monitor_client_drop(past->engine->monitor, kept->kind, kept->id);
		}
		LIST_REMOVE(kept, entry);
		free(kept);
	}
}

static bool match_records(struct engine_past *past)
{
	struct engine *engine = past->engine;

	for (unsigned int i = 0; i < STATE_SESSIONS; i++) {
		struct state_session *record = state_session_at(engine->state, i);
		struct past_session *session;

		if (record->used == STATE_FREE)
			continue;
		session = add_session(past, record->key);
		if (!session)
			return false;
		session->record = record;
		/* It went while nobody listened: nothing newer than the last sample will come. */
		session->gone = !session->running || record->used == STATE_STOPPED;
		if (!session->running)
			note_stop_time(session);
		session->final = record->last;
	}
	return true;
}

static void reserve_tunnels(struct engine_past *past)
{
	struct engine *engine = past->engine;

	for (unsigned int id = 1; id < STATE_TUNNELS; id++) {
		if (!state_tunnel(engine->state, (uint16_t)id)->used)
			continue;
		l2tp_server_reserve_tunnel(engine->l2tp, (uint16_t)id, true);
		past->tunnel_count++;
	}
}

static void kill_all(struct engine_past *past)
{
	uint64_t keys[MONITOR_BATCH];
	struct past_session *session;
	size_t count = 0;

	TAILQ_FOREACH(session, &past->sessions, entry) {
		if (!session->running)
			continue;
		keys[count++] = session->key;
		if (count == MONITOR_BATCH) {
			monitor_client_signal(
				past->engine->monitor, MONITOR_SIGNAL_KILL, keys, count);
			count = 0;
		}
	}
	if (count > 0)
		monitor_client_signal(past->engine->monitor, MONITOR_SIGNAL_KILL, keys, count);
}

int engine_past_begin(struct engine *engine)
{
	struct engine_past *past;

	if (engine->fresh)
		return 0;
	past = past_of(engine);
	return past && match_records(past) ? 0 : -ENOMEM;
}

bool engine_past_is_alive(void *ctx, uint64_t key)
{
	struct past_session *session = find_session(((struct engine *)ctx)->past, key);

	if (!session || !was_up(session))
		return false;
	session->open = true;
	return true;
}

void engine_past_end(struct engine *engine)
{
	struct engine_past *past = engine->past;

	if (!past)
		return;
	adopt_listeners(past);
	reserve_tunnels(past);
	past->ending = true;
	env_timer_start(past->deadline, PAST_DEADLINE);
	kill_all(past);
	look(past);
}

void engine_past_left(
	const struct engine *engine, unsigned int *ret_sessions, unsigned int *ret_tunnels)
{
	const struct engine_past *past = engine->past;
	bool holds = past && !past->ended;

	*ret_sessions = holds ? past->session_count : 0;
	*ret_tunnels = holds ? past->tunnel_count : 0;
}

void engine_past_free(struct engine *engine)
{
	struct engine_past *past = engine->past;
	struct past_session *session;
	struct past_fd *kept;

	if (!past)
		return;
	while ((session = TAILQ_FIRST(&past->sessions))) {
		TAILQ_REMOVE(&past->sessions, session, entry);
		if (engine->radius.spool)
			radius_spool_forget(engine->radius.spool, session);
		free(session);
	}
	while ((kept = LIST_FIRST(&past->fds))) {
		LIST_REMOVE(kept, entry);
		close(kept->fd);
		free(kept);
	}
	env_timer_free(past->deadline);
	env_timer_free(past->step);
	free(past);
	engine->past = NULL;
}
