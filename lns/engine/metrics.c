// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/metrics: what the metrics tell: one row per metric, from counters that the rooms keep anyway.
 * Labels are lac sections, pools and RADIUS servers of the configuration, never sessions or users.
 */
#include "lns/control/metrics.h"

#include "lns/engine/internal.h"
#include "lns/log.h"
#include "lns/subscriber/phases.h"
#include "lns/subscriber/pool.h"
#include "lns/subscriber/tally.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POOLS 256 /* that are told */

static const struct subscribers_counters *calls(const struct engine *engine)
{
	return subscribers_get_counters(engine->subscribers);
}

static const struct l2tp_counters *l2tp(const struct engine *engine)
{
	return l2tp_server_counters(engine->l2tp);
}

/* ---- tunnels and calls by lac section ---- */

/* The index-th entry, NULL behind the last. */
static const struct tally_lac *lac_at(const struct engine *engine, unsigned int index)
{
	const struct tally *tally = subscribers_tally(engine->subscribers);

	return index < tally->count ? &tally->lacs[index] : NULL;
}

#define EACH_LAC(engine, lac) for (unsigned int i_ = 0; ((lac) = lac_at(engine, i_)); i_++)

static void tunnels(void *ctx, struct metrics_out *out)
{
	const struct tally_lac *lac;

	EACH_LAC(ctx, lac)
	metrics_number(out, lac->tunnels, "lac", lac->name, NULL);
}

static void sessions(void *ctx, struct metrics_out *out)
{
	const struct tally_lac *lac;

	EACH_LAC(ctx, lac)
	for (unsigned int state = 0; state < SUBSCRIBER_STATES; state++)
		metrics_number(out, lac->sessions[state], "lac", lac->name, "state",
			subscriber_state_word(state), NULL);
}

static void calls_made(void *ctx, struct metrics_out *out)
{
	const struct tally_lac *lac;

	EACH_LAC(ctx, lac)
	metrics_number(out, lac->calls, "lac", lac->name, NULL);
}

static void calls_up(void *ctx, struct metrics_out *out)
{
	const struct tally_lac *lac;

	EACH_LAC(ctx, lac)
	metrics_number(out, lac->up, "lac", lac->name, NULL);
}

static void put_reasons(
	struct metrics_out *out, const struct tally_lac *lac, const uint64_t *counts)
{
	for (int reason = END_NONE + 1; reason < END_COUNT; reason++)
		metrics_number(out, counts[reason], "lac", lac->name, "reason",
			end_rule(reason)->text, NULL);
}

static void calls_failed(void *ctx, struct metrics_out *out)
{
	const struct tally_lac *lac;

	EACH_LAC(ctx, lac)
	put_reasons(out, lac, lac->failed);
}

static void sessions_ended(void *ctx, struct metrics_out *out)
{
	const struct tally_lac *lac;

	EACH_LAC(ctx, lac)
	put_reasons(out, lac, lac->ended);
}

static void drained(void *ctx, struct metrics_out *out)
{
	const struct engine *engine = ctx;
	const struct tally_lac *lac;

	EACH_LAC(ctx, lac)
	metrics_number(
		out, l2tp_server_is_drained(engine->l2tp, lac->name), "lac", lac->name, NULL);
}

/* ---- setup ---- */

static void call_phases(void *ctx, struct metrics_out *out)
{
	const struct engine *engine = ctx;
	const struct phases *phases = subscribers_phases(engine->subscribers);

	for (int phase = 0; phase < PHASES_COUNT; phase++) {
		const struct metrics_histogram histogram = {
			.bounds = phases_bounds,
			.bound_count = PHASES_BOUNDS,
			.counts = phases->histograms[phase].counts,
			.sum = phases->histograms[phase].sum,
		};

		metrics_histogram(out, &histogram, "phase", phases_name(phase), NULL);
	}
}

static void in_setup(void *ctx, struct metrics_out *out)
{
	metrics_number(out, calls(ctx)->in_setup, NULL);
}

static void setup_limit(void *ctx, struct metrics_out *out)
{
	metrics_number(out, ((struct engine *)ctx)->config->setup_limit, NULL);
}

static void setup_queue(void *ctx, struct metrics_out *out)
{
	metrics_number(out, calls(ctx)->queued, NULL);
}

static void pppd_starts(void *ctx, struct metrics_out *out)
{
	metrics_number(out, calls(ctx)->pppd_starts, "result", "ok", NULL);
	metrics_number(out, calls(ctx)->pppd_failures, "result", "failed", NULL);
}

static void rate_limits(void *ctx, struct metrics_out *out)
{
	metrics_number(out, calls(ctx)->limits_set, "result", "ok", NULL);
	metrics_number(out, calls(ctx)->limit_failures, "result", "failed", NULL);
}

static void put_room(void *ctx, const char *word, uint64_t sessions)
{
	metrics_number(ctx, sessions, "limit", word, NULL);
}

static void system_limits(void *ctx, struct metrics_out *out)
{
	engine_rooms(ctx, put_room, out);
}

static void system_limit_refusals(void *ctx, struct metrics_out *out)
{
	metrics_number(out, ((struct engine *)ctx)->room.refused, NULL);
}

static void configured_sessions(void *ctx, struct metrics_out *out)
{
	struct monitor_needs needs;

	monitor_limits_needs(((struct engine *)ctx)->config, &needs);
	metrics_number(out, needs.sessions, NULL);
}

static void hook_programs(void *ctx, struct metrics_out *out)
{
	struct hooks_client_info info;

	hooks_client_info(((struct engine *)ctx)->hooks, &info);
	for (int kind = 0; kind < HOOKS_KINDS; kind++)
		for (int result = 0; result < HOOKS_RESULTS; result++)
			metrics_number(out, info.results[kind][result], "event",
				hooks_kind_word(kind), "result", hooks_result_word(result), NULL);
}

static void hooks_waiting(void *ctx, struct metrics_out *out)
{
	struct hooks_client_info info;

	hooks_client_info(((struct engine *)ctx)->hooks, &info);
	metrics_number(out, info.waiting, NULL);
}

/* ---- L2TP and its sockets ---- */

static void l2tp_packets(void *ctx, struct metrics_out *out)
{
	metrics_number(out, l2tp(ctx)->packets_in, "direction", "in", NULL);
	metrics_number(out, l2tp(ctx)->packets_out, "direction", "out", NULL);
}

static void l2tp_bytes(void *ctx, struct metrics_out *out)
{
	metrics_number(out, l2tp(ctx)->octets_in, "direction", "in", NULL);
	metrics_number(out, l2tp(ctx)->octets_out, "direction", "out", NULL);
}

static void l2tp_dropped(void *ctx, struct metrics_out *out)
{
	const struct l2tp_counters *c = l2tp(ctx);

	metrics_number(out, c->discarded, "reason", "malformed", NULL);
	metrics_number(out, c->data_to_control, "reason", "data", NULL);
	metrics_number(out, c->unknown_tunnel, "reason", "unknown_tunnel", NULL);
	metrics_number(out, c->wrong_source, "reason", "wrong_source", NULL);
	metrics_number(out, c->sccrq_limited, "reason", "rate_limit", NULL);
	metrics_number(out, c->duplicates, "reason", "duplicate", NULL);
	metrics_number(out, c->out_of_order, "reason", "out_of_order", NULL);
}

static void l2tp_retransmissions(void *ctx, struct metrics_out *out)
{
	metrics_number(out, l2tp(ctx)->retransmissions, NULL);
}

static void l2tp_given_up(void *ctx, struct metrics_out *out)
{
	metrics_number(out, l2tp(ctx)->given_up, NULL);
}

static void tunnels_up(void *ctx, struct metrics_out *out)
{
	metrics_number(out, l2tp(ctx)->tunnels_up, NULL);
}

static void tunnels_down(void *ctx, struct metrics_out *out)
{
	metrics_number(out, l2tp(ctx)->tunnels_down, NULL);
}

static void calls_refused(void *ctx, struct metrics_out *out)
{
	metrics_number(out, l2tp(ctx)->calls_refused, NULL);
}

static void socket_errors(void *ctx, struct metrics_out *out)
{
	const struct net_counters *c = net_get_counters(((struct engine *)ctx)->net);

	metrics_number(out, c->send_errors, "kind", "send", NULL);
	metrics_number(out, c->receive_errors, "kind", "receive", NULL);
	metrics_number(out, c->truncated, "kind", "truncated", NULL);
}

/* ---- RADIUS servers ---- */

/* The index-th server of all clients: false behind the last. */
static bool server_at(const struct engine *engine, size_t index, struct radius_server_info *info,
	const char **purpose)
{
	const struct radius_client *auth = engine->radius.auth, *acct = engine->radius.acct;
	size_t auths = auth ? radius_client_server_count(auth) : 0;
	size_t accts = acct ? radius_client_server_count(acct) : 0;

	if (index >= auths + accts)
		return false;
	*purpose = index < auths ? "authentication" : "accounting";
	if (index < auths)
		radius_client_info(auth, index, info);
	else
		radius_client_info(acct, index - auths, info);
	return true;
}

/* The labels of a server come last, so that a row adds its own before them. */
#define SERVER info.name, "purpose", purpose, NULL
#define EACH_SERVER(engine)                                                                        \
	struct radius_server_info info;                                                            \
	const char *purpose;                                                                       \
	for (size_t i_ = 0; server_at(engine, i_, &info, &purpose); i_++)

static void radius_up(void *ctx, struct metrics_out *out)
{
	EACH_SERVER(ctx)
	metrics_number(out, info.alive, "server", SERVER);
}

static void radius_requests(void *ctx, struct metrics_out *out)
{
	EACH_SERVER(ctx)
	metrics_number(out, info.requests, "server", SERVER);
}

static void radius_retransmissions(void *ctx, struct metrics_out *out)
{
	EACH_SERVER(ctx)
	metrics_number(out, info.retransmissions, "server", SERVER);
}

static void radius_timeouts(void *ctx, struct metrics_out *out)
{
	EACH_SERVER(ctx)
	metrics_number(out, info.timeouts, "server", SERVER);
}

static void radius_replies(void *ctx, struct metrics_out *out)
{
	EACH_SERVER(ctx)
	{
		if (strcmp(purpose, "accounting") == 0) {
			metrics_number(out, info.responses, "code", "accounting-response", "server",
				SERVER);
			continue;
		}
		metrics_number(out, info.accepts, "code", "access-accept", "server", SERVER);
		metrics_number(out, info.rejects, "code", "access-reject", "server", SERVER);
		metrics_number(out, info.challenges, "code", "access-challenge", "server", SERVER);
	}
}

static void radius_bad_replies(void *ctx, struct metrics_out *out)
{
	EACH_SERVER(ctx)
	{
		metrics_number(
			out, info.bad_authenticators, "reason", "authenticator", "server", SERVER);
		metrics_number(out, info.bad_packets, "reason", "malformed", "server", SERVER);
		metrics_number(out, info.wrong_ids, "reason", "unexpected", "server", SERVER);
		metrics_number(out, info.refused, "reason", "port_unreachable", "server", SERVER);
	}
}

static void radius_in_flight(void *ctx, struct metrics_out *out)
{
	EACH_SERVER(ctx)
	metrics_number(out, info.in_flight, "server", SERVER);
}

static void radius_waiting(void *ctx, struct metrics_out *out)
{
	EACH_SERVER(ctx)
	metrics_number(out, info.waiting, "server", SERVER);
}

static void radius_latency(void *ctx, struct metrics_out *out)
{
	EACH_SERVER(ctx)
	metrics_seconds(out, info.latency, "server", SERVER);
}

/* ---- accounting ---- */

static bool spool_info(const struct engine *engine, struct radius_spool_info *info)
{
	if (engine->radius.spool)
		radius_spool_info(engine->radius.spool, info);
	return engine->radius.spool != NULL;
}

static void accounting_records(void *ctx, struct metrics_out *out)
{
	struct radius_spool_info info;

	if (!spool_info(ctx, &info))
		return;
	metrics_number(out, info.put, "event", "written", NULL);
	metrics_number(out, info.sent, "event", "acknowledged", NULL);
	metrics_number(out, info.failed, "event", "attempt_failed", NULL);
	metrics_number(out, info.shed, "event", "shed", NULL);
}

static void spool_records(void *ctx, struct metrics_out *out)
{
	struct radius_spool_info info;

	if (spool_info(ctx, &info))
		metrics_number(out, info.waiting, NULL);
}

static void spool_unsaved(void *ctx, struct metrics_out *out)
{
	struct radius_spool_info info;

	if (spool_info(ctx, &info))
		metrics_number(out, info.unsaved, NULL);
}

static void spool_oldest(void *ctx, struct metrics_out *out)
{
	uint64_t now = env_wallclock(((struct engine *)ctx)->env);
	struct radius_spool_info info;

	if (spool_info(ctx, &info))
		metrics_seconds(
			out, info.oldest && now > info.oldest ? now - info.oldest : 0, NULL);
}

static void spool_disk(void *ctx, struct metrics_out *out)
{
	struct radius_spool_info info;

	if (spool_info(ctx, &info))
		metrics_number(out, info.disk_error != 0, NULL);
}

/* ---- pools ---- */

static void pool_addresses(void *ctx, struct metrics_out *out)
{
	const struct engine *engine = ctx;
	struct pool_info info;

	for (size_t i = 0; i < POOLS && pools_info(engine->pools, i, &info) == 0; i++)
		metrics_number(out, info.size, "pool", info.name, NULL);
}

static void pool_used(void *ctx, struct metrics_out *out)
{
	const struct engine *engine = ctx;
	struct pool_info info;

	for (size_t i = 0; i < POOLS && pools_info(engine->pools, i, &info) == 0; i++)
		metrics_number(out, info.used, "pool", info.name, NULL);
}

/* ---- the engine itself ---- */

static void engine_starts(void *ctx, struct metrics_out *out)
{
	metrics_number(out, ((struct engine *)ctx)->generation, NULL);
}

static struct env_ev_load load_of(const struct engine *engine)
{
	struct env_ev_load load;

	env_ev_get_load(engine->env, &load);
	return load;
}

static void loop_turns(void *ctx, struct metrics_out *out)
{
	metrics_number(out, load_of(ctx).turns, NULL);
}

static void loop_busy(void *ctx, struct metrics_out *out)
{
	metrics_seconds(out, load_of(ctx).busy, NULL);
}

static void loop_slow(void *ctx, struct metrics_out *out)
{
	metrics_number(out, load_of(ctx).slow, NULL);
}

static void loop_longest(void *ctx, struct metrics_out *out)
{
	struct env_ev_load load = load_of(ctx);

	metrics_seconds(out, load.longest, "work", load.longest_work.what, NULL);
}

static void kernel_jobs(void *ctx, struct metrics_out *out)
{
	metrics_number(out, kernel_pending(((struct engine *)ctx)->kernel), NULL);
}

static void kernel_audits(void *ctx, struct metrics_out *out)
{
	metrics_number(out, engine_audit_counters(ctx)->looks, NULL);
}

static void kernel_repairs(void *ctx, struct metrics_out *out)
{
	for (int kind = 0; kind < ENGINE_REPAIRS; kind++)
		metrics_number(out, engine_audit_counters(ctx)->repairs[kind], "kind",
			engine_audit_word(kind), NULL);
}

static void kernel_longest_job(void *ctx, struct metrics_out *out)
{
	metrics_seconds(out, kernel_longest(((struct engine *)ctx)->kernel), NULL);
}

static void process_cpu(void *ctx, struct metrics_out *out)
{
	struct timespec ts = { 0 };

	(void)ctx;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	metrics_seconds(out, (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000, NULL);
}

static void process_start(void *ctx, struct metrics_out *out)
{
	metrics_seconds(out, ((struct engine *)ctx)->started_wallclock, NULL);
}

/* The index-th number of /proc/self/statm, in octets. */
static void put_memory(struct metrics_out *out, unsigned int index)
{
	unsigned long pages[2];
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file)
		return;
	if (fscanf(file, "%lu %lu", &pages[0], &pages[1]) == 2)
		metrics_number(out, (uint64_t)pages[index] * (uint64_t)sysconf(_SC_PAGESIZE), NULL);
	fclose(file);
}

static void process_virtual(void *ctx, struct metrics_out *out)
{
	(void)ctx;
	put_memory(out, 0);
}

static void process_resident(void *ctx, struct metrics_out *out)
{
	(void)ctx;
	put_memory(out, 1);
}

/* clang-format off */
static const struct metrics_row rows[] = {
	{ "lnsd_tunnels", METRICS_GAUGE, "L2TP tunnels by lac section.", tunnels },
	{ "lnsd_sessions", METRICS_GAUGE, "Sessions by lac section and state.", sessions },
	{ "lnsd_calls_total", METRICS_COUNTER, "Calls that a LAC announced.", calls_made },
	{ "lnsd_sessions_started_total", METRICS_COUNTER, "Calls that came to a network.", calls_up },
	{ "lnsd_calls_failed_total", METRICS_COUNTER,
	  "Calls that ended before they had a network, by reason.", calls_failed },
	{ "lnsd_sessions_ended_total", METRICS_COUNTER,
	  "Sessions that had a network and ended, by reason.", sessions_ended },
	{ "lnsd_lac_drained", METRICS_GAUGE,
	  "1: the lac section takes no new tunnels and calls (lnsctl drain).", drained },
	{ "lnsd_call_phase_seconds", METRICS_HISTOGRAM,
	  "Duration of the phases of calls; setup is from the call to the network.", call_phases },
	{ "lnsd_setup_sessions", METRICS_GAUGE, "Sessions that negotiate PPP.", in_setup },
	{ "lnsd_setup_limit_sessions", METRICS_GAUGE, "The option setup-limit.", setup_limit },
	{ "lnsd_setup_queue_sessions", METRICS_GAUGE,
	  "Sessions that wait to negotiate PPP.", setup_queue },
	{ "lnsd_pppd_starts_total", METRICS_COUNTER, "Session pppds asked for, by result.", pppd_starts },
	{ "lnsd_rate_limits_total", METRICS_COUNTER,
	  "Rate limits that the kernel was asked to set or change, by result.", rate_limits },
	{ "lnsd_hook_programs_total", METRICS_COUNTER,
	  "Programs of on-up and on-down, by result; dropped ones were never started.", hook_programs },
	{ "lnsd_hook_queue_programs", METRICS_GAUGE, "Programs that wait to be started.", hooks_waiting },

	{ "lnsd_tunnels_opened_total", METRICS_COUNTER, "Tunnels that were established.", tunnels_up },
	{ "lnsd_tunnels_closed_total", METRICS_COUNTER, "Tunnels that ended.", tunnels_down },
	{ "lnsd_calls_refused_total", METRICS_COUNTER,
	  "Calls that were refused by a limit, or while draining.", calls_refused },
	{ "lnsd_l2tp_packets_total", METRICS_COUNTER, "Control packets.", l2tp_packets },
	{ "lnsd_l2tp_bytes_total", METRICS_COUNTER, "Octets of control packets.", l2tp_bytes },
	{ "lnsd_l2tp_dropped_packets_total", METRICS_COUNTER,
	  "Received control packets that were not used, by reason.", l2tp_dropped },
	{ "lnsd_l2tp_retransmissions_total", METRICS_COUNTER,
	  "Control messages that were sent again.", l2tp_retransmissions },
	{ "lnsd_l2tp_given_up_total", METRICS_COUNTER,
	  "Tunnels closed because the peer acknowledged nothing any more.", l2tp_given_up },
	{ "lnsd_socket_errors_total", METRICS_COUNTER, "Errors of the L2TP sockets.", socket_errors },

	{ "lnsd_radius_up", METRICS_GAUGE, "1: the RADIUS server answers.", radius_up },
	{ "lnsd_radius_requests_total", METRICS_COUNTER, "Requests, without repetitions.", radius_requests },
	{ "lnsd_radius_retransmissions_total", METRICS_COUNTER,
	  "Requests that were sent again.", radius_retransmissions },
	{ "lnsd_radius_timeouts_total", METRICS_COUNTER,
	  "Requests that the server did not answer.", radius_timeouts },
	{ "lnsd_radius_replies_total", METRICS_COUNTER, "Verified replies by code.", radius_replies },
	{ "lnsd_radius_bad_replies_total", METRICS_COUNTER,
	  "Replies that were not believed; authenticator: usually the secret differs.", radius_bad_replies },
	{ "lnsd_radius_in_flight_requests", METRICS_GAUGE, "Requests that wait for a reply.", radius_in_flight },
	{ "lnsd_radius_waiting_requests", METRICS_GAUGE,
	  "Requests that wait to be sent.", radius_waiting },
	{ "lnsd_radius_latency_seconds", METRICS_GAUGE,
	  "Time to a reply, smoothed.", radius_latency },

	{ "lnsd_accounting_records_total", METRICS_COUNTER,
	  "What became of accounting records; shed: given up because the spool was full.", accounting_records },
	{ "lnsd_spool_records", METRICS_GAUGE, "Accounting records that wait for a server.", spool_records },
	{ "lnsd_spool_unsaved_records", METRICS_GAUGE, "Of these, not on disk yet.", spool_unsaved },
	{ "lnsd_spool_oldest_seconds", METRICS_GAUGE, "Age of the oldest one that waits.", spool_oldest },
	{ "lnsd_spool_disk_error", METRICS_GAUGE, "1: the last write to disk failed.", spool_disk },

	{ "lnsd_pool_addresses", METRICS_GAUGE, "Addresses of a pool.", pool_addresses },
	{ "lnsd_pool_used_addresses", METRICS_GAUGE, "Addresses of a pool in use.", pool_used },

	{ "lnsd_max_sessions", METRICS_GAUGE,
	  "Sessions that the configuration allows.", configured_sessions },
	{ "lnsd_system_limit_sessions", METRICS_GAUGE,
	  "Sessions that a limit of the system leaves room for; see lnsd(8), SYSTEM LIMITS.", system_limits },
	{ "lnsd_system_limit_refusals_total", METRICS_COUNTER,
	  "Calls and tunnels that were refused because a limit of the system has no room for them.",
	  system_limit_refusals },
	{ "lnsd_engine_starts_total", METRICS_COUNTER,
	  "Engines since lnsd was started; more than 1: the others died.", engine_starts },
	{ "lnsd_loop_turns_total", METRICS_COUNTER, "Turns of the event loop.", loop_turns },
	{ "lnsd_loop_busy_seconds_total", METRICS_COUNTER, "CPU time of these turns.", loop_busy },
	{ "lnsd_loop_slow_turns_total", METRICS_COUNTER,
	  "Turns that used more than 5 ms of CPU time.", loop_slow },
	{ "lnsd_loop_longest_turn_seconds", METRICS_GAUGE,
	  "CPU time of the longest turn so far, and what it was spent on.", loop_longest },
	{ "lnsd_kernel_audits_total", METRICS_COUNTER,
	  "Comparisons of engine and kernel that were finished.", kernel_audits },
	{ "lnsd_kernel_repairs_total", METRICS_COUNTER,
	  "Tunnels and sessions on which engine and kernel disagreed, by kind.", kernel_repairs },
	{ "lnsd_kernel_jobs", METRICS_GAUGE, "Requests to the kernel not yet carried out.", kernel_jobs },
	{ "lnsd_kernel_longest_job_seconds", METRICS_GAUGE,
	  "Time that the longest of them took so far.", kernel_longest_job },
	{ "process_cpu_seconds_total", METRICS_COUNTER, "CPU time of the engine.", process_cpu },
	{ "process_virtual_memory_bytes", METRICS_GAUGE, "Virtual memory of the engine.", process_virtual },
	{ "process_resident_memory_bytes", METRICS_GAUGE, "Resident memory of the engine.", process_resident },
	{ "process_start_time_seconds", METRICS_GAUGE,
	  "Start of the engine, seconds since 1970.", process_start },
	{ NULL, METRICS_GAUGE, NULL, NULL },
};
/* clang-format on */

/* ---- where they are told ---- */

struct engine_metrics {
	LIST_ENTRY(engine_metrics) entry;
	union addr addr;
	struct metrics *server;
};

static bool is_configured(const struct engine *engine, const union addr *addr)
{
	for (size_t i = 0; i < engine->config->metrics_count; i++)
		if (addr_equal(&engine->config->metrics[i], addr))
			return true;
	return false;
}

static bool is_open(const struct engine *engine, const union addr *addr)
{
	const struct engine_metrics *metrics;

	LIST_FOREACH(metrics, &engine->metrics, entry)
		if (addr_equal(&metrics->addr, addr))
			return true;
	return false;
}

static int open_at(struct engine *engine, const union addr *addr)
{
	struct engine_metrics *metrics = calloc(1, sizeof(*metrics));
	char text[ADDR_TEXT];
	int err =
		metrics ? metrics_new(engine->env, addr, rows, engine, &metrics->server) : -ENOMEM;

	if (err < 0) {
		log_error("cannot serve metrics at %s: %s", addr_text(addr, text), strerror(-err));
		free(metrics);
		return err;
	}
	metrics->addr = *addr;
	LIST_INSERT_HEAD(&engine->metrics, metrics, entry);
	return 0;
}

static void close_one(struct engine_metrics *metrics)
{
	LIST_REMOVE(metrics, entry);
	metrics_free(metrics->server);
	free(metrics);
}

int engine_metrics_open(struct engine *engine)
{
	struct engine_metrics *metrics, *next;
	int err = 0;

	for (size_t i = 0; i < engine->config->metrics_count && !err; i++)
		if (!is_open(engine, &engine->config->metrics[i]))
			err = open_at(engine, &engine->config->metrics[i]);
	for (metrics = LIST_FIRST(&engine->metrics); metrics && !err; metrics = next) {
		next = LIST_NEXT(metrics, entry);
		if (!is_configured(engine, &metrics->addr))
			close_one(metrics);
	}
	return err;
}

void engine_metrics_close(struct engine *engine)
{
	while (!LIST_EMPTY(&engine->metrics))
		close_one(LIST_FIRST(&engine->metrics));
}
