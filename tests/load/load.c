/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load: the course of a run.
 *
 * A wave of calls comes up (and is over when each is up or has failed), is held, and then comes the next:
 * LACs that reboot, storms. At the end calls are cleared, then tunnels. One timer, `pump`, does all of it:
 * whoever changes something asks for it with load_changed.
 */
#include "tests/load/load.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRESS_INTERVAL ENV_MS(500)
#define PING_GRACE        ENV_SEC(1) /* for the last replies */
#define STARTS_PER_TURN   64
#define PPP_TRIES         10 /* of a request; more when --timeout is longer than they take */

void load_changed(struct load *load)
{
	if (!env_timer_running(load->pump))
		env_timer_start(load->pump, 0);
}

void load_ready(struct load *load, struct lac *lac)
{
	if (lac->state == LAC_UP && !lac->is_ready && !TAILQ_EMPTY(&lac->waiting)) {
		lac->is_ready = true;
		TAILQ_INSERT_TAIL(&load->ready, lac, ready);
	}
	load_changed(load);
}

static int compare_address(const void *a, const void *b)
{
	uint32_t x = ((const struct session *)a)->ppp.address.s_addr;
	uint32_t y = ((const struct session *)b)->ppp.address.s_addr;

	return (x > y) - (x < y);
}

void load_session_up(struct session *session)
{
	struct load *load = session->load;
	struct stats_wave *wave = stats_wave(&load->stats);
	struct session **held = tsearch(session, &load->addresses, compare_address);

	load->stats.calls_up++;
	wave->up += load->stage == STAGE_WAVE;
	if (held && *held != session)
		stats_fail(&load->stats, "an address was given to two sessions");
}

void load_session_down(struct session *session)
{
	struct session **held = tfind(session, &session->load->addresses, compare_address);

	if (held && *held == session)
		tdelete(session, &session->load->addresses, compare_address);
}

static void keep_failure(struct load *load, const struct session *session, const char *reason)
{
	struct load_failure *failure = &load->failures[load->failure_count];

	if (load->failure_count == LOAD_FAILURES)
		return;
	load->failure_count++;
	snprintf(failure->user, sizeof(failure->user), "%s", session->user);
	snprintf(failure->reason, sizeof(failure->reason), "%s", reason);
	failure->id = session->id;
	failure->peer_id = session->peer_id;
	failure->at = env_now(load->env);
	failure->trace = session->ppp.trace;
}

void load_session_failed(struct session *session, const char *reason)
{
	struct load *load = session->load;

	stats_fail(&load->stats, reason);
	keep_failure(load, session, reason);
	if (load->stage == STAGE_WAVE)
		stats_wave(&load->stats)->failed++;
}

/* Nothing is on its way up or down. */
static bool is_settled(const struct load *load)
{
	return !load->count[CALL_QUEUED] && !load->count[CALL_REQUESTED] &&
	       !load->count[CALL_CONNECTING] && !load->count[CALL_ENDING];
}

/* Starts what the limits allow, LAC by LAC in turn. */
static void start_calls(struct load *load)
{
	const struct options *options = load->options;
	uint64_t now = env_now(load->env);
	struct lac *lac;

	for (unsigned int n = 0; n < STARTS_PER_TURN; n++) {
		if (options->outstanding &&
			load->count[CALL_REQUESTED] + load->count[CALL_CONNECTING] >=
				options->outstanding)
			return;
		if (options->rate > 0 && now < load->next_start) {
			env_timer_start(load->pump, load->next_start - now);
			return;
		}
		lac = TAILQ_FIRST(&load->ready);
		if (!lac)
			return;
		TAILQ_REMOVE(&load->ready, lac, ready);
		lac->is_ready = false;
		if (lac->state != LAC_UP || TAILQ_EMPTY(&lac->waiting))
			continue;
		session_start(TAILQ_FIRST(&lac->waiting));
		load_ready(load, lac);
		if (options->rate > 0) {
			if (load->next_start + ENV_SEC(1) < now)
				load->next_start = now;
			load->next_start += (uint64_t)(1e6 / options->rate);
		}
	}
	load_changed(load);
}

static void finish(struct load *load)
{
	load->stage = STAGE_DONE;
	load->ended = env_now(load->env);
	env_timer_stop(load->stage_timer);
	env_timer_stop(load->churn);
	env_timer_stop(load->progress);
	load->done(load->ctx);
}

/* ---- stages ---- */

static void begin_wave(struct load *load, const char *name, uint64_t asked)
{
	struct stats_wave *wave = stats_wave_begin(&load->stats, name, env_now(load->env));

	wave->asked = asked;
	load->stage = STAGE_WAVE;
	load_changed(load);
}

static void begin_hold(struct load *load)
{
	const struct options *options = load->options;

	load->stage = STAGE_HOLD;
	env_timer_start(load->stage_timer, load->count[CALL_UP] ? options->hold : 0);
	if (options->churn > 0 && load->count[CALL_UP])
		env_timer_start(load->churn, (uint64_t)(1e6 / options->churn));
}

static void vanish(struct load *load)
{
	const struct options *options = load->options;

	if (load->vanish_done)
		return;
	load->vanish_done = true;
	for (unsigned int i = 0; i < options->vanish; i++)
		lac_vanish(&load->lacs[options->lacs - 1 - i]);
}

static void begin_reboots(struct load *load)
{
	uint64_t asked = 0;

	load->reboots_done = true;
	for (unsigned int i = 0; i < load->options->reboots; i++)
		asked += load->lacs[i].call_count;
	begin_wave(load, "reboot", asked);
	for (unsigned int i = 0; i < load->options->reboots; i++)
		lac_reboot(&load->lacs[i]);
}

static void begin_storm(struct load *load)
{
	const struct options *options = load->options;

	load->storms_left--;
	begin_wave(load, "storm", load->count[CALL_UP]);
	for (unsigned int i = 0; i < options->lacs; i++) {
		if (options->storm_by == END_STOPCCN)
			lac_close(&load->lacs[i], true);
		else if (options->storm_by == END_REBOOT)
			lac_reboot(&load->lacs[i]);
	}
	for (unsigned int i = 0; i < options->sessions; i++) {
		if (load->sessions[i].state == CALL_UP)
			session_end(&load->sessions[i], options->storm_by == END_LCP, true);
	}
}

static void begin_end(struct load *load)
{
	const struct options *options = load->options;

	load->stage = STAGE_END;
	load->stats.teardown_began = env_now(load->env);
	for (unsigned int i = 0; i < options->lacs; i++) {
		if (options->end == END_STOPCCN)
			lac_close(&load->lacs[i], false);
		else if (options->end == END_VANISH)
			lac_vanish(&load->lacs[i]);
	}
	for (unsigned int i = 0; i < options->sessions; i++) {
		struct session *session = &load->sessions[i];

		if (session->state == CALL_UP)
			session_end(session, options->end == END_LCP, false);
		else if (session->state == CALL_REQUESTED || session->state == CALL_CONNECTING)
			session_end(session, false, false);
	}
	load_changed(load);
}

static void begin_pings(struct load *load)
{
	for (unsigned int i = 0; i < load->options->sessions; i++)
		session_stop_ping(&load->sessions[i]);
	load->stage = STAGE_PINGS;
	env_timer_start(load->stage_timer, load->stats.pings_sent ? PING_GRACE : 0);
}

static void begin_close(struct load *load)
{
	load->stats.teardown_ended = env_now(load->env);
	load->stage = STAGE_CLOSE;
	for (unsigned int i = 0; i < load->options->lacs; i++)
		lac_close(&load->lacs[i], false);
	load_changed(load);
}

/* What was held has been held long enough. */
static void after_hold(struct load *load)
{
	if (load->count[CALL_UP] && load->options->reboots && !load->reboots_done)
		begin_reboots(load);
	else if (load->count[CALL_UP] && load->storms_left)
		begin_storm(load);
	else
		begin_pings(load);
}

static void stage_fired(void *ctx)
{
	struct load *load = ctx;

	if (load->stage == STAGE_HOLD) {
		env_timer_stop(load->churn);
		load->stage = STAGE_SETTLE;
		load_changed(load);
	} else if (load->stage == STAGE_PINGS) {
		begin_end(load);
	}
}

/* Replaces one call, any of those that are up. */
static void churn_fired(void *ctx)
{
	struct load *load = ctx;
	const struct options *options = load->options;
	unsigned int start = rng_below(&load->rng, options->sessions);

	for (unsigned int i = 0; i < options->sessions; i++) {
		struct session *session = &load->sessions[(start + i) % options->sessions];

		if (session->state == CALL_UP) {
			session_end(session, options->end == END_LCP, true);
			break;
		}
	}
	env_timer_start(load->churn, (uint64_t)(1e6 / options->churn));
}

/* Tunnels that are neither closed nor given up. */
static bool tunnels_open(const struct load *load)
{
	for (unsigned int i = 0; i < load->options->lacs; i++) {
		enum lac_state state = load->lacs[i].state;

		if (state == LAC_DOWN || state == LAC_OPENING || state == LAC_UP ||
			state == LAC_CLOSING)
			return true;
	}
	return false;
}

static bool tunnels_opening(const struct load *load)
{
	for (unsigned int i = 0; i < load->options->lacs; i++) {
		if (load->lacs[i].state == LAC_DOWN || load->lacs[i].state == LAC_OPENING)
			return true;
	}
	return false;
}

static void pump_fired(void *ctx)
{
	struct load *load = ctx;

	start_calls(load);
	switch (load->stage) {
	case STAGE_WAVE:
		if (!is_settled(load) || tunnels_opening(load))
			break;
		stats_wave(&load->stats)->ended = env_now(load->env);
		vanish(load);
		begin_hold(load);
		break;
	case STAGE_SETTLE:
		if (is_settled(load))
			after_hold(load);
		break;
	case STAGE_END:
		if (load->count[CALL_ENDING] == 0)
			begin_close(load);
		break;
	case STAGE_CLOSE:
		/* Who was interrupted before it was up is closed as soon as it is. */
		if (tunnels_opening(load))
			break;
		for (unsigned int i = 0; i < load->options->lacs; i++)
			lac_close(&load->lacs[i], false);
		if (!tunnels_open(load))
			finish(load);
		break;
	case STAGE_HOLD:
	case STAGE_PINGS:
	case STAGE_DONE:
		break;
	}
}

static void progress_fired(void *ctx)
{
	struct load *load = ctx;

	load->show(load->ctx);
	env_timer_start(load->progress, PROGRESS_INTERVAL);
}

/* ---- life ---- */

static int make_lacs(struct load *load)
{
	const struct options *options = load->options;
	int err;

	load->lacs = calloc(options->lacs, sizeof(*load->lacs));
	if (!load->lacs)
		return -ENOMEM;
	for (unsigned int i = 0; i < options->lacs; i++)
		load->lacs[i].fd = -1;
	for (unsigned int i = 0; i < options->lacs; i++) {
		err = lac_init(&load->lacs[i], load, i);
		if (err)
			return err;
	}
	return 0;
}

static int make_sessions(struct load *load)
{
	const struct options *options = load->options;

	load->sessions = calloc(options->sessions + 1, sizeof(*load->sessions));
	if (!load->sessions)
		return -ENOMEM;
	for (unsigned int i = 0; i < options->sessions; i++) {
		if (session_init(&load->sessions[i], load, &load->lacs[i % options->lacs],
			    options->first + i))
			return -ENOMEM;
	}
	return 0;
}

int load_init(struct load *load, struct env *env, const struct options *options,
	void (*done)(void *ctx), void (*show)(void *ctx), void *ctx)
{
	unsigned int tries = (unsigned int)(options->timeout / options->retry);
	int err;

	*load = (struct load){ .env = env,
		.options = options,
		.ppp = { .auth = options->auth,
			.auth_required = options->auth_required,
			.strict = options->strict,
			.dns = !options->no_dns,
			.ipv6 = options->ipv6,
			.mru = (uint16_t)options->mru,
			.retry = options->retry,
			.tries = tries > PPP_TRIES ? tries : PPP_TRIES,
			.stats = &load->stats },
		.storms_left = options->storms,
		.done = done,
		.show = show,
		.ctx = ctx };
	TAILQ_INIT(&load->ready);
	rng_seed(&load->rng, options->seed);
	load->pump = env_timer_new(env, pump_fired, load);
	load->stage_timer = env_timer_new(env, stage_fired, load);
	load->churn = env_timer_new(env, churn_fired, load);
	load->progress = env_timer_new(env, progress_fired, load);
	err = load->pump && load->stage_timer && load->churn && load->progress ? make_lacs(load)
									       : -ENOMEM;
	if (!err)
		err = make_sessions(load);
	if (!err)
		return 0;
	if (err == -ENOMEM)
		fprintf(stderr, "lns-load: not enough memory\n");
	load_fini(load);
	return err;
}

void load_fini(struct load *load)
{
	const struct options *options = load->options;

	for (unsigned int i = 0; load->sessions && i < options->sessions; i++) {
		if (load->sessions[i].load) {
			load_session_down(&load->sessions[i]);
			session_fini(&load->sessions[i]);
		}
	}
	for (unsigned int i = 0; load->lacs && i < options->lacs; i++) {
		if (load->lacs[i].load)
			lac_fini(&load->lacs[i]);
	}
	free(load->sessions);
	free(load->lacs);
	env_timer_free(load->pump);
	env_timer_free(load->stage_timer);
	env_timer_free(load->churn);
	env_timer_free(load->progress);
	stats_free(&load->stats);
}

void load_begin(struct load *load)
{
	const struct options *options = load->options;

	load->began = load->next_start = env_now(load->env);
	begin_wave(load, "setup", options->sessions);
	for (unsigned int i = 0; i < options->lacs; i++)
		lac_open(&load->lacs[i]);
	for (unsigned int i = 0; i < options->sessions; i++)
		session_queue(&load->sessions[i]);
	if (load->show)
		env_timer_start(load->progress, PROGRESS_INTERVAL);
}

void load_interrupt(struct load *load)
{
	const struct options *options = load->options;

	if (load->stage >= STAGE_END) {
		if (load->stage != STAGE_DONE)
			finish(load);
		return;
	}
	env_timer_stop(load->stage_timer);
	env_timer_stop(load->churn);
	for (unsigned int i = 0; i < options->sessions; i++) {
		struct session *session = &load->sessions[i];

		session->again = false;
		if (session->state == CALL_QUEUED)
			session_lose(session, "interrupted");
	}
	begin_end(load);
}
