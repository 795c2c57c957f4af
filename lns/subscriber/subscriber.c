// SPDX-License-Identifier: BSD-2-Clause
/*
 * subscriber: the life of a session. See subscriber.h for states and ownership.
 *
 * A session ends exactly once: subscriber_end notes why and sets things in motion, subscriber_settle() looks after
 * every event whether all of them came to rest, and release() is the only place that frees.
 *
 *   pppd told to end -> exit -> interface gone (final counters) -> Stop durable -> CDN, free
 *
 * Each wait has a deadline; a step that fails is logged and left behind, never waited for.
 */
#include "lns/subscriber/internal.h"

#include "lns/log.h"
#include "lns/subscriber/accounting.h"
#include "lns/subscriber/pool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TERM_DEADLINE   ENV_SEC(1) /* from SIGTERM to SIGKILL */
#define KILL_DEADLINE   ENV_SEC(1) /* until SIGKILL is repeated */
#define SETTLE_DEADLINE ENV_SEC(1) /* for final counters and the Stop after pppd's exit */

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

static struct subscriber *find_link(struct subscribers *all, uint32_t ifindex)
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

/* ---- signals, in batches ---- */

static void flush_signals(struct subscribers *all, enum monitor_signal signal)
{
	size_t *count = &all->batched[signal == MONITOR_SIGNAL_KILL];

	if (*count == 0)
		return;
	all->host.signal(all->host.ctx, signal, all->batch[signal == MONITOR_SIGNAL_KILL], *count);
	*count = 0;
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

	if (sub->up) {
		accounting_since(
			sub->record, sub->link_gone ? &sub->final : &sub->record->last, &c);
		log_info("session %s: user \"%s\" offline after %llu s: %s%s%s; %llu octets in, "
			 "%llu out",
			sub->acct_session_id, sub->user_text,
			(unsigned long long)((sub->stop_clock - sub->up) / 1000000), text,
			detail ? ": " : "", sub->detail, (unsigned long long)c.rx_octets,
			(unsigned long long)c.tx_octets);
		return;
	}
	log_warning("session %s: call from %s via LAC \"%s\" (%s) failed%s%s%s: %s%s%s",
		sub->acct_session_id, sub->calling[0] ? sub->calling : "unknown number", sub->lac,
		sub->peer_host, sub->user_text[0] ? ", user \"" : "", sub->user_text,
		sub->user_text[0] ? "\"" : "", text, detail ? ": " : "", sub->detail);
}

static void release(struct subscriber *sub)
{
	struct subscribers *all = sub->all;
	uint16_t tunnel_id = sub->tunnel_id;
	struct l2tp_result result;

	log_end(sub);
	all->counters.ended[sub->reason]++;
	if (sub->up)
		all->counters.online--;
	if (sub->l2tp) {
		end_result(sub->reason, sub->detail, &result);
		l2tp_session_close(sub->l2tp, &result);
	}
	if (all->config.spool)
		radius_spool_forget(all->config.spool, sub);
	if (sub->address_held)
		pools_release(all->host.pools, sub->granted->remote);
	subscriber_auth_clear(sub);
	authorization_free(sub->granted);
	env_timer_free(sub->timer);
	if (sub->ifindex)
		LIST_REMOVE(sub, by_ifindex);
	LIST_REMOVE(sub, by_key);
	TAILQ_REMOVE(&all->order, sub, in_order);
	all->count--;
	state_session_release(all->host.state, sub->record);
	free(sub);
	all->host.unhold(all->host.ctx, tunnel_id);
}

/* Whether everything that the session had came to rest; if so, on to the next step. */
void subscriber_settle(struct subscriber *sub)
{
	bool late = env_now(sub->all->host.env) >= sub->settle_by;

	if (sub->fork_pending || sub->running)
		return;
	if (sub->up && !sub->link_gone && !late)
		return;
	if (sub->up && !sub->stop_put) {
		if (!sub->link_gone)
			log_warning("session %s: the kernel did not report the end of %s; "
				    "accounting uses the last sample",
				sub->acct_session_id, sub->ifname);
		subscriber_account_stop(sub); /* may release it at once */
		return;
	}
	if (sub->up && !sub->stop_durable && !late)
		return;
	release(sub);
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
	bool in_setup = sub->counted_in_setup;

	if (sub->state == SUBSCRIBER_ENDING)
		return;
	subscriber_leave_queue(sub);
	sub->state = SUBSCRIBER_ENDING;
	sub->reason = reason;
	if (detail)
		snprintf(sub->detail, sizeof(sub->detail), "%s", detail);
	sub->ending_since = env_now(all->host.env);
	sub->settle_by = UINT64_MAX;
	subscriber_count_setup(sub, false);
	kernel_cancel(sub->opening);
	sub->opening = NULL;
	subscriber_close_pppox(sub);
	radius_cancel(sub->request);
	sub->request = NULL;
	if (!sub->running && !sub->fork_pending) {
		subscriber_close_channel(sub);
		note_stop_time(sub);
		sub->settle_by = sub->ending_since + SETTLE_DEADLINE;
		env_timer_start(sub->timer, SETTLE_DEADLINE);
		subscriber_settle(sub);
	} else if (end_rule(reason)->peer_gone) {
		subscriber_peer_gone(sub);
	} else {
		subscriber_signal(sub, MONITOR_SIGNAL_TERM);
		env_timer_start(sub->timer, TERM_DEADLINE);
	}
	if (in_setup)
		subscriber_start_next(all);
}

void subscriber_peer_gone(struct subscriber *sub)
{
	if (!sub->running && !sub->fork_pending)
		return;
	subscriber_signal(sub, MONITOR_SIGNAL_KILL);
	env_timer_start(sub->timer, KILL_DEADLINE);
}

/* While ending: kill what did not go, or give up waiting for what is left. */
static void ending_timer(struct subscriber *sub)
{
	if (!sub->running && !sub->fork_pending) {
		subscriber_settle(sub);
		return;
	}
	subscriber_signal(sub, MONITOR_SIGNAL_KILL);
	env_timer_start(sub->timer, KILL_DEADLINE);
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
		subscriber_end(sub, END_SESSION_TIMEOUT, NULL);
		break;
	case SUBSCRIBER_QUEUED:
		subscriber_end(sub, END_BUSY, NULL);
		break;
	default:
		subscriber_end(sub, sub->verdict != END_NONE ? sub->verdict : END_SETUP_TIMEOUT,
			sub->verdict != END_NONE ? NULL : subscriber_state_name(sub));
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
	char detail[64];

	all->host.forget_exit(all->host.ctx, exit->session);
	if (!sub)
		return;
	if (WIFSIGNALED(exit->status))
		snprintf(detail, sizeof(detail), "signal %d", WTERMSIG(exit->status));
	else
		snprintf(detail, sizeof(detail), "exit status %d", WEXITSTATUS(exit->status));
	if (sub->state != SUBSCRIBER_ENDING)
		subscriber_ends_itself(sub, END_PPPD, detail);
	sub->running = false;
	sub->exited = true;
	note_stop_time(sub);
	subscriber_close_channel(sub);
	sub->settle_by = env_now(all->host.env) + SETTLE_DEADLINE;
	env_timer_start(sub->timer, SETTLE_DEADLINE);
	subscriber_settle(sub);
}

void subscribers_link_gone(
	struct subscribers *all, uint32_t ifindex, const struct kernel_counters *final)
{
	struct subscriber *sub = find_link(all, ifindex);

	if (!sub)
		return;
	sub->final = *final;
	sub->link_gone = true;
	note_stop_time(sub);
	if (sub->state == SUBSCRIBER_ENDING)
		subscriber_settle(sub);
}

/* ---- sampling ---- */

#define SAMPLE_INTERVAL ENV_SEC(10)

static void on_sample(void *ctx, uint32_t ifindex, const struct kernel_counters *counters)
{
	struct subscriber *sub = find_link(ctx, ifindex);

	if (sub && sub->state == SUBSCRIBER_UP)
		subscriber_account_sample(sub, counters);
}

static void sampled(void *ctx, int err, int fd)
{
	struct subscribers *all = ctx;

	(void)fd;
	all->sampling = NULL;
	if (err < 0)
		log_warning("interface counters could not be read: %s", strerror(-err));
	env_timer_start(all->sample_timer, SAMPLE_INTERVAL);
}

static void sample_due(void *ctx)
{
	struct subscribers *all = ctx;

	if (all->counters.online > 0)
		all->sampling = kernel_sample_counters(all->host.kernel, on_sample, sampled, all);
	if (!all->sampling)
		env_timer_start(all->sample_timer, SAMPLE_INTERVAL);
}

/* ---- all of them ---- */

int subscribers_new(const struct subscribers_host *host, struct subscribers **ret_subscribers)
{
	struct subscribers *all = calloc(1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	all->host = *host;
	TAILQ_INIT(&all->queue);
	TAILQ_INIT(&all->order);
	all->kill_timer = env_timer_new(host->env, flush_all_signals, all);
	all->sample_timer = env_timer_new(host->env, sample_due, all);
	if (!all->kill_timer || !all->sample_timer) {
		subscribers_free(all);
		return -ENOMEM;
	}
	env_timer_start(all->sample_timer, SAMPLE_INTERVAL);
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
		kernel_cancel(sub->opening);
		subscriber_close_pppox(sub);
		ppp_channel_free(sub->channel);
		subscriber_auth_clear(sub);
		authorization_free(sub->granted);
		env_timer_free(sub->timer);
		free(sub);
	}
	kernel_cancel(all->sampling);
	env_timer_free(all->kill_timer);
	env_timer_free(all->sample_timer);
	free(all);
}

void subscribers_configure(struct subscribers *all, const struct subscribers_config *config)
{
	all->config = *config;
}

void subscribers_end_all(struct subscribers *all, enum end_reason reason)
{
	struct subscriber *sub;
	uint64_t key = 0;

	all->stopping = reason == END_SHUTDOWN;
	while ((sub = subscriber_next(all, key))) {
		key = sub->key;
		subscriber_end(sub, reason, NULL); /* may free it */
	}
}

unsigned int subscribers_count(const struct subscribers *all)
{
	return all->count;
}

const struct subscribers_counters *subscribers_get_counters(const struct subscribers *all)
{
	return &all->counters;
}
