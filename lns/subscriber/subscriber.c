// SPDX-License-Identifier: BSD-2-Clause
/*
 * subscriber: the life of a session. See subscriber.h for states and ownership.
 *
 * A session ends exactly once: subscriber_end notes why and sets things in motion, subscriber_settle() looks after
 * every event whether all of them came to rest, and release() is the only place that frees.
 *
 *   pppd told to end -> exit -> interface gone (final counters) -> Stop durable -> CDN, free
 *
 * Each wait has a deadline; a step that fails is logged and left behind, never waited for. The CDN is not
 * held up longer than a second by any of them.
 */
#include "lns/subscriber/internal.h"

#include "lns/log.h"
#include "lns/subscriber/accounting.h"
#include "lns/subscriber/history.h"
#include "lns/subscriber/limit.h"
#include "lns/subscriber/route.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TERM_DEADLINE   ENV_SEC(1)  /* from SIGTERM to SIGKILL */
#define ACK_DEADLINE    ENV_MS(100) /* for pppd's Terminate-Ack to a client that hangs up */
#define KILL_DEADLINE   ENV_SEC(1)  /* until SIGKILL is repeated */
#define SETTLE_DEADLINE ENV_SEC(1)  /* for final counters and the Stop after pppd's exit */
#define ORPHAN_DEADLINE ENV_SEC(10) /* likewise, when the kernel is all that can end it */
#define CDN_DEADLINE    ENV_SEC(1)  /* until the LAC is told, whatever is left */
#define GONE_DEADLINE   ENV_SEC(2)  /* for pppd to see that its interface is gone */

/* ---- finding ---- */

struct subscriber_bucket *subscriber_bucket_of(struct subscriber_bucket *table, uint64_t key)
{
	return &table[key % SUBSCRIBER_BUCKETS];
}

struct subscriber *subscriber_find(struct subscribers *all, uint64_t key)
{
	struct subscriber *sub;

	LIST_FOREACH(sub, subscriber_bucket_of(all->by_key, key), by_key)
		if (sub->key == key)
			return sub;
	return NULL;
}

struct subscriber *subscriber_find_session(
	struct subscribers *all, uint16_t tunnel_id, uint16_t session_id)
{
	uint32_t port = (uint32_t)tunnel_id << 16 | session_id;
	struct subscriber *sub;

	LIST_FOREACH(sub, subscriber_bucket_of(all->by_call, port), by_call)
		if (subscriber_nas_port(sub) == port)
			return sub;
	return NULL;
}

bool subscriber_is_in_kernel(const struct subscriber *sub)
{
	return sub->pppox >= 0 ||
	       (sub->state >= SUBSCRIBER_FORKING && sub->state < SUBSCRIBER_ENDING);
}

struct subscriber *subscriber_find_link(struct subscribers *all, uint32_t ifindex)
{
	struct subscriber *sub;

	LIST_FOREACH(sub, subscriber_bucket_of(all->by_ifindex, ifindex), by_ifindex)
		if (sub->ifindex == ifindex)
			return sub;
	return NULL;
}

struct subscriber *subscriber_next(struct subscribers *all, uint64_t after)
{
	struct subscriber *sub = after ? subscriber_find(all, after) : NULL;

	if (sub)
		return TAILQ_NEXT(sub, in_order);
	TAILQ_FOREACH(sub, &all->order, in_order)
		if (sub->key > after)
			return sub;
	return NULL;
}

const struct config_ppp *subscriber_ppp(const struct subscriber *sub)
{
	return config_find_ppp(sub->all->config.config, sub->ppp);
}

void subscriber_set_user(struct subscriber *sub, const char *name, size_t len)
{
	memcpy(sub->user, name, len);
	sub->user[len] = '\0';
	log_printable(sub->user_text, sizeof(sub->user_text), name, len);
}

/* ---- states ---- */

/* The state `from` is over, and what follows is not the end. */
static void observe(struct subscriber *sub, enum subscriber_state from, uint64_t now)
{
	static const enum phases_phase phases[] = {
		[SUBSCRIBER_QUEUED] = PHASES_QUEUE,
		[SUBSCRIBER_OPENING] = PHASES_KERNEL,
		[SUBSCRIBER_WAITING] = PHASES_CONNECT,
		[SUBSCRIBER_FORKING] = PHASES_FORK,
		[SUBSCRIBER_LINK] = PHASES_AUTH,
		[SUBSCRIBER_NETWORK] = PHASES_NETWORK,
	};
	struct phases *all = &sub->all->phases;
	uint64_t began = sub->entered;

	if (from == SUBSCRIBER_LINK && sub->link > began) {
		phases_observe(all, PHASES_LCP, sub->link - began);
		began = sub->link;
	}
	phases_observe(all, phases[from], now - began);
	if (from == SUBSCRIBER_NETWORK)
		phases_observe(all, PHASES_SETUP, now - sub->created);
}

void subscriber_enter(struct subscriber *sub, enum subscriber_state state)
{
	uint64_t now = env_now(sub->all->host.env);

	if (state == sub->state) /* authorised once more: PPP began again */
		return;
	if (state == SUBSCRIBER_ENDING)
		TAILQ_INSERT_TAIL(&sub->all->endings, sub, in_queue);
	else
		observe(sub, sub->state, now);
	sub->all->forking += state == SUBSCRIBER_FORKING;
	sub->all->forking -= sub->state == SUBSCRIBER_FORKING;
	sub->tally->sessions[sub->state]--;
	sub->tally->sessions[state]++;
	sub->state = state;
	sub->entered = now;
}

/* ---- signals, in batches ---- */

static void flush_signals(struct subscribers *all, enum monitor_signal signal)
{
	bool kill = signal == MONITOR_SIGNAL_KILL;
	size_t count = all->batched[kill];

	all->batched[kill] = 0;
	if (count > 0 && !(kill && subscriber_kill_many(all, all->batch[kill], count)))
		all->host.signal(all->host.ctx, signal, all->batch[kill], count);
}

static void flush_all_signals(void *ctx)
{
	flush_signals(ctx, MONITOR_SIGNAL_KILL);
	flush_signals(ctx, MONITOR_SIGNAL_TERM);
}

void subscriber_signal(struct subscriber *sub, enum monitor_signal signal)
{
	struct subscribers *all = sub->all;
	size_t *count = &all->batched[signal == MONITOR_SIGNAL_KILL];

	all->batch[signal == MONITOR_SIGNAL_KILL][(*count)++] = sub->key;
	if (*count == MONITOR_BATCH)
		flush_signals(all, signal);
	else
		env_timer_start(all->kill_timer, 0);
}

/* ---- the end ---- */

static void log_end(const struct subscriber *sub)
{
	struct kernel_counters c = { 0 };
	const char *text = end_rule(sub->reason)->text;
	bool detail = sub->detail[0] != '\0';
	char peer[ADDR_TEXT];

	if (sub->up) {
		accounting_since(
			sub->record, sub->link_gone ? &sub->final : &sub->record->last, &c);
		subscriber_log(sub, LOG_LEVEL_INFO,
			"user \"%s\" offline after %llu s: %s%s%s; %llu octets in, "
			"%llu out",
			sub->user_text, (unsigned long long)((sub->stop_clock - sub->up) / 1000000),
			text, detail ? ": " : "", sub->detail, (unsigned long long)c.rx_octets,
			(unsigned long long)c.tx_octets);
		return;
	}
	subscriber_log(sub, LOG_LEVEL_WARNING,
		"call %u/%u from %s%s%s via LAC \"%s\" (%s, %s) failed%s%s%s: %s%s%s (%s, %llu ms after "
		"the call)",
		sub->tunnel_id, sub->session_id, sub->calling[0] ? sub->calling : "unknown number",
		sub->called[0] ? " to " : "", sub->called, sub->lac, sub->peer_host,
		addr_text_host(&sub->peer, peer), sub->user_text[0] ? ", user \"" : "",
		sub->user_text, sub->user_text[0] ? "\"" : "", text, detail ? ": " : "",
		sub->detail, subscriber_state_word(sub->ended_in),
		(unsigned long long)(sub->ending_since - sub->created) / 1000);
}

static void remember(const struct subscriber *sub)
{
	struct history_entry entry = {
		.key = sub->key,
		.wallclock = sub->stop_wallclock ? sub->stop_wallclock
						 : env_wallclock(sub->all->host.env),
		.lasted = sub->up ? sub->stop_clock - sub->up : 0,
		.reason = sub->reason,
		.was_up = sub->up != 0,
		.state = subscriber_state_word(sub->ended_in),
		.tunnel_id = sub->tunnel_id,
		.remote = sub->remote,
	};

	if (sub->up)
		accounting_since(sub->record, sub->link_gone ? &sub->final : &sub->record->last,
			&entry.counters);
	snprintf(entry.user, sizeof(entry.user), "%s", sub->user_text);
	snprintf(entry.lac, sizeof(entry.lac), "%s", sub->lac);
	snprintf(entry.peer_host, sizeof(entry.peer_host), "%.63s", sub->peer_host);
	snprintf(entry.calling, sizeof(entry.calling), "%s", sub->calling);
	snprintf(entry.called, sizeof(entry.called), "%s", sub->called);
	snprintf(entry.detail, sizeof(entry.detail), "%s", sub->detail);
	subscriber_remember(sub->all, &entry);
}

static void set_disconnect_cause(const struct subscriber *sub, const struct end_rule *rule)
{
	bool ipv6_only = sub->granted && !sub->granted->ipv4;

	l2tp_session_set_disconnect_cause(sub->l2tp, rule->ppp_code,
		end_control_protocol(
			rule->ppp_code, subscriber_auth_number(sub), ipv6_only ? 0x8057 : 0x8021),
		rule->ppp_direction, rule->text);
}

static void end_call(struct subscriber *sub)
{
	const struct end_rule *rule = end_rule(sub->reason);
	struct l2tp_session *session = sub->l2tp;
	struct l2tp_result result;

	if (!session)
		return;
	end_result(sub->reason, sub->detail, &result);
	if (rule->ppp_code)
		set_disconnect_cause(sub, rule);
	sub->l2tp = NULL;
	l2tp_session_close(session, &result);
}

/* Gives back and frees what is its own. */
static void dispose(struct subscriber *sub)
{
	kernel_cancel(sub->opening);
	subscriber_close_pppox(sub);
	subscriber_close_channel(sub);
	subscriber_auth_clear(sub);
	subscriber_routes_free(sub);
	subscriber_change_abort(sub, -ENOTCONN);
	subscriber_limit_cancel(sub);
	subscriber_down_cancel(sub);
	subscriber_ungrant(sub);
	env_timer_free(sub->timer);
	source_put(sub->source);
	free(sub);
}

static void release(struct subscriber *sub)
{
	struct subscribers *all = sub->all;
	uint16_t tunnel_id = sub->tunnel_id;
	uint64_t key = sub->key;

	log_end(sub);
	remember(sub);
	if (sub->up && all->host.went_down)
		all->host.went_down(all->host.ctx, sub);
	all->counters.ended[sub->reason]++;
	(sub->up ? sub->tally->ended : sub->tally->failed)[sub->reason]++;
	if (!sub->up)
		tally_error(sub->tally, env_wallclock(all->host.env), end_rule(sub->reason)->text,
			sub->detail);
	sub->tally->sessions[sub->state]--;
	phases_observe(&all->phases, PHASES_END, env_now(all->host.env) - sub->ending_since);
	if (sub->up)
		all->counters.online--;
	end_call(sub);
	if (sub->up && all->config.spool)
		radius_spool_forget(all->config.spool, sub);
	if (sub->ifindex && !sub->link_gone)
		LIST_REMOVE(sub, by_ifindex);
	LIST_REMOVE(sub, by_key);
	LIST_REMOVE(sub, by_call);
	TAILQ_REMOVE(&all->order, sub, in_order);
	TAILQ_REMOVE(&all->endings, sub, in_queue);
	all->count--;
	state_session_release(all->host.state, sub->record);
	dispose(sub);
	subscriber_wake_waiting(all, key);
	all->host.unhold(all->host.ctx, tunnel_id);
}

/* The timer of an ending session goes off at the earliest of what it still waits for. */
static void wait_on(struct subscriber *sub)
{
	bool alive = sub->running || sub->fork_pending;
	uint64_t now = env_now(sub->all->host.env);
	uint64_t next = alive ? sub->kill_at : sub->settle_by;

	if (sub->l2tp && !sub->call_is_down && sub->cdn_by < next)
		next = sub->cdn_by;
	env_timer_start(sub->timer, next > now ? next - now : 0);
}

void subscriber_settle(struct subscriber *sub)
{
	bool late = env_now(sub->all->host.env) >= sub->settle_by;
	bool rests = !sub->running && !sub->fork_pending;

	if (rests && sub->up && !sub->stop_put && (sub->link_gone || late)) {
		if (!sub->link_gone)
			subscriber_log(sub, LOG_LEVEL_WARNING,
				"the kernel did not report the end of %s; "
				"accounting uses the last sample",
				sub->ifname);
		subscriber_account_stop(sub);
	}
	if (rests && (!sub->up || sub->stop_durable || late))
		release(sub);
	else
		wait_on(sub);
}

void subscriber_account_stopped(struct subscriber *sub)
{
	sub->stop_durable = true;
	subscriber_settle(sub);
}

static void note_stop_time(struct subscriber *sub)
{
	if (sub->stop_clock)
		return;
	sub->stop_clock = env_now(sub->all->host.env);
	sub->stop_wallclock = env_wallclock(sub->all->host.env);
}

void subscriber_rests(struct subscriber *sub)
{
	note_stop_time(sub);
	subscriber_close_channel(sub);
	sub->settle_by = env_now(sub->all->host.env) +
			 (sub->all->orphaned ? ORPHAN_DEADLINE : SETTLE_DEADLINE);
	subscriber_settle(sub);
}

void subscriber_close_channel(struct subscriber *sub)
{
	if (!sub->channel)
		return;
	ppp_channel_free(sub->channel);
	sub->channel = NULL;
	sub->all->host.keep_channel(sub->all->host.ctx, sub->key, -1);
}

void subscriber_close_pppox(struct subscriber *sub)
{
	if (sub->pppox >= 0)
		kernel_close(sub->all->host.kernel, sub->pppox); /* the last one: 20 ms */
	sub->pppox = -1;
}

void subscriber_end(struct subscriber *sub, enum end_reason reason, const char *detail)
{
	struct subscribers *all = sub->all;
	bool had_place = subscriber_leave_place(sub);

	if (sub->state == SUBSCRIBER_ENDING)
		return;
	subscriber_leave_queue(sub);
	sub->ended_in = sub->state;
	subscriber_enter(sub, SUBSCRIBER_ENDING);
	subscriber_set_rates(sub, 0, 0);
	sub->reason = reason;
	if (reason != sub->verdict)
		sub->detail[0] = '\0';
	if (detail)
		snprintf(sub->detail, sizeof(sub->detail), "%s", detail);
	sub->ending_since = env_now(all->host.env);
	sub->settle_by = UINT64_MAX;
	sub->cdn_by = sub->ending_since + CDN_DEADLINE;
	kernel_cancel(sub->opening);
	sub->opening = NULL;
	subscriber_close_pppox(sub);
	subscriber_auth_clear(sub);
	subscriber_routes_free(sub);
	subscriber_change_abort(sub, -ENOTCONN);
	subscriber_limit_cancel(sub);
	if (!sub->running && !sub->fork_pending) {
		subscriber_rests(sub);
	} else if (end_rule(reason)->peer_gone) {
		subscriber_peer_gone(sub);
	} else if (reason == END_CLIENT) {
		/* Having acknowledged, pppd stays 3 s for more requests: what nobody waits for. */
		sub->kill_at = sub->ending_since + ACK_DEADLINE;
		wait_on(sub);
	} else {
		subscriber_signal(sub, MONITOR_SIGNAL_TERM);
		sub->kill_at = sub->ending_since + TERM_DEADLINE;
		wait_on(sub);
	}
	if (had_place)
		subscriber_start_next(all);
}

void subscriber_peer_gone(struct subscriber *sub)
{
	if (sub->running || sub->fork_pending) {
		subscriber_signal(sub, MONITOR_SIGNAL_KILL);
		sub->kill_at = env_now(sub->all->host.env) + KILL_DEADLINE;
	}
	wait_on(sub);
}

/* In setup: whose turn it is. */
static const char *what_it_waits_for(const struct subscriber *sub)
{
	switch (sub->state) {
	case SUBSCRIBER_FORKING:
		return "no pppd has come";
	case SUBSCRIBER_NETWORK:
		return "the client agrees on no address";
	default: /* SUBSCRIBER_LINK */
		return !sub->link     ? "no LCP: does the client speak PPP?"
		       : sub->request ? "RADIUS has not answered"
				      : "LCP is up, and the client has not authenticated";
	}
}

/* While ending: tell the LAC, kill what did not go, or give up waiting for what is left. */
static void ending_timer(struct subscriber *sub)
{
	uint64_t now = env_now(sub->all->host.env);

	if (!sub->call_is_down && now >= sub->cdn_by)
		end_call(sub);
	if ((sub->running || sub->fork_pending) && now >= sub->kill_at)
		subscriber_peer_gone(sub);
	else
		subscriber_settle(sub);
}

void subscriber_timer_fires(void *ctx)
{
	struct subscriber *sub = ctx;

	switch (sub->state) {
	case SUBSCRIBER_ENDING:
		ending_timer(sub);
		break;
	case SUBSCRIBER_OPENING:
		subscriber_end(sub, END_NO_RESOURCE, "the kernel did not make the session in time");
		break;
	case SUBSCRIBER_UP:
		if (sub->link_gone)
			subscriber_ends_itself(sub, END_PPPD, "its interface is gone");
		else
			subscriber_ends_itself(sub, END_SESSION_TIMEOUT, NULL);
		break;
	case SUBSCRIBER_QUEUED:
		subscriber_end(sub, END_BUSY, NULL);
		break;
	case SUBSCRIBER_WAITING: /* l2tp has the deadline for the ICCN */
		subscriber_lose_place(sub);
		break;
	default:
		subscriber_ends_itself(sub, END_SETUP_TIMEOUT, what_it_waits_for(sub));
	}
}

/* pppd ends by itself: what we decided about it comes before what it says. */
void subscriber_ends_itself(struct subscriber *sub, enum end_reason reason, const char *detail)
{
	if (sub->verdict != END_NONE)
		subscriber_end(sub, sub->verdict, NULL);
	else
		subscriber_end(sub, reason, detail);
}

void subscribers_exited(struct subscribers *all, const struct monitor_exit *exit)
{
	struct subscriber *sub = subscriber_find(all, exit->session);
	char detail[96];

	all->host.forget_exit(all->host.ctx, exit->session);
	if (!sub)
		return;
	if (WIFSIGNALED(exit->status))
		snprintf(detail, sizeof(detail), "signal %d%s", WTERMSIG(exit->status),
			WTERMSIG(exit->status) == SIGKILL
				? ", of an operator, or memory is short: see the kernel's log"
				: "");
	else
		snprintf(detail, sizeof(detail), "exit status %d, see pppd(8)",
			WEXITSTATUS(exit->status));
	/* What pppd had to say came before, but by another way. */
	if (sub->channel)
		ppp_channel_receive(sub->channel);
	if (sub->state != SUBSCRIBER_ENDING)
		subscriber_ends_itself(sub, END_PPPD, detail);
	else if (sub->reason == END_PPPD && !sub->detail[0])
		snprintf(sub->detail, sizeof(sub->detail), "%s", detail);
	/* It may overtake the template's answer, which is then expected no more. */
	all->counters.pppd_starts += sub->fork_pending;
	sub->running = sub->fork_pending = false;
	subscriber_rests(sub);
}

void subscribers_link_gone(
	struct subscribers *all, uint32_t ifindex, const struct kernel_counters *final)
{
	struct subscriber *sub = subscriber_find_link(all, ifindex);

	if (!sub)
		return;
	sub->final = final ? *final : sub->record->last;
	sub->link_gone = true;
	LIST_REMOVE(sub, by_ifindex); /* the number is free for another one */
	note_stop_time(sub);
	if (sub->state != SUBSCRIBER_ENDING && sub->channel)
		ppp_channel_receive(sub->channel);
	if (sub->state == SUBSCRIBER_ENDING)
		subscriber_settle(sub);
	else
		env_timer_start(sub->timer, GONE_DEADLINE);
}

/* ---- all of them ---- */

int subscribers_new(const struct subscribers_host *host, struct subscribers **ret_subscribers)
{
	struct subscribers *all = calloc(1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	all->host = *host;
	TAILQ_INIT(&all->turns);
	TAILQ_INIT(&all->order);
	TAILQ_INIT(&all->endings);
	TAILQ_INIT(&all->waiting);
	TAILQ_INIT(&all->downs);
	LIST_INIT(&all->kills);
	all->sampled = all->checkpointed = env_now(host->env);
	all->kill_timer = env_timer_new(host->env, flush_all_signals, all);
	all->down_timer = env_timer_new(host->env, subscriber_downs_step, all);
	all->start_timer = env_timer_new(host->env, subscriber_start_more, all);
	all->sample_timer = env_timer_new(host->env, subscriber_sample_due, all);
	all->window = SUBSCRIBER_FIRST_WINDOW;
	all->down_max = SUBSCRIBER_DOWN;
	env_random(host->env, &all->source_seed, sizeof(all->source_seed));
	all->history = history_new();
	if (!all->kill_timer || !all->down_timer || !all->start_timer || !all->sample_timer ||
		!all->history) {
		subscribers_free(all);
		return -ENOMEM;
	}
	*ret_subscribers = all;
	return 0;
}

void subscribers_free(struct subscribers *all)
{
	struct subscriber *sub;

	if (!all)
		return;
	while ((sub = TAILQ_FIRST(&all->order))) {
		TAILQ_REMOVE(&all->order, sub, in_order);
		if (sub->up && all->config.spool)
			radius_spool_forget(all->config.spool, sub);
		ppp_channel_free(sub->channel); /* the monitor keeps its duplicate */
		sub->channel = NULL;
		dispose(sub);
	}
	kernel_cancel(all->sampling);
	if (all->config.spool)
		radius_spool_forget(all->config.spool, all);
	subscriber_kills_free(all);
	env_timer_free(all->kill_timer);
	env_timer_free(all->down_timer);
	env_timer_free(all->start_timer);
	env_timer_free(all->sample_timer);
	history_free(all->history);
	free(all);
}

void subscribers_configure(struct subscribers *all, const struct subscribers_config *config)
{
	all->config = *config;
	for (size_t i = 0; i < config->config->lac_count; i++)
		tally_lac(&all->tally, config->config->lacs[i].lac.name);
	if (!all->sampling)
		subscriber_sample_later(all);
	subscriber_start_next(all);
}

void subscribers_end_all(struct subscribers *all, enum end_reason reason)
{
	struct subscriber *sub;
	uint64_t key = 0;

	all->stopping |= reason == END_SHUTDOWN;
	while ((sub = subscriber_next(all, key))) {
		key = sub->key;
		subscriber_end(sub, reason, NULL); /* may free it */
	}
}

/* pppd ends when its interface does; one that has not told of it yet gives up by itself. */
static void delete_links(struct subscribers *all)
{
	uint32_t ifindexes[MONITOR_BATCH];
	struct subscriber *sub;
	size_t count = 0;

	TAILQ_FOREACH(sub, &all->order, in_order) {
		uint32_t ifindex = sub->ifindex ? sub->ifindex : sub->link_ifindex;

		if (!ifindex || sub->link_gone)
			continue;
		ifindexes[count++] = ifindex;
		if (count < MONITOR_BATCH)
			continue;
		kernel_links_delete(all->host.kernel, ifindexes, count, NULL, NULL);
		count = 0;
	}
	if (count > 0)
		kernel_links_delete(all->host.kernel, ifindexes, count, NULL, NULL);
}

void subscribers_orphaned(struct subscribers *all)
{
	struct subscriber *sub;
	uint64_t key = 0;

	all->orphaned = true;
	delete_links(all);
	while ((sub = subscriber_next(all, key))) {
		key = sub->key;
		sub->running = sub->fork_pending = false;
		if (sub->state == SUBSCRIBER_ENDING)
			subscriber_rests(sub); /* may free it */
	}
}

const struct history *subscribers_history(const struct subscribers *all)
{
	return all->history;
}

unsigned int subscribers_count(const struct subscribers *all)
{
	return all->count;
}

const struct subscribers_counters *subscribers_get_counters(const struct subscribers *all)
{
	return &all->counters;
}

struct tally *subscribers_tally(struct subscribers *all)
{
	return &all->tally;
}

const struct phases *subscribers_phases(const struct subscribers *all)
{
	return &all->phases;
}
