/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report: writes what stats and load have counted.
 */
#include "tests/load/report.h"

#include "tests/load/load.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <sys/resource.h>

static double seconds(uint64_t from, uint64_t to)
{
	return to > from ? (double)(to - from) / 1e6 : 0;
}

/* Calls up per second of a wave, so far if it is not over. */
static double wave_rate(const struct stats_wave *wave, uint64_t now)
{
	double time = seconds(wave->began, wave->ended ? wave->ended : now);

	return time > 0 ? (double)wave->up / time : 0;
}

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void report_progress(const struct load *load)
{
	static const char *const stages[] = { "", "hold", "settle", "ping", "end", "close",
		"done" };
	const struct stats *stats = &load->stats;
	const struct stats_wave *wave = &stats->waves[stats->wave_count - 1];
	uint64_t now = env_now(load->env);
	uint64_t ppp = 0;

	for (unsigned int i = 0; i < STATS_PROTOCOLS; i++)
		ppp += stats->retransmitted[i];
	fprintf(stderr,
		"\r\033[K%6.1f s  %s  up %u/%u  setup %u  queued %u  failed %" PRIu64
		"  %.1f calls/s  resent %" PRIu64 "+%" PRIu64,
		seconds(load->began, now), load->stage ? stages[load->stage] : wave->name,
		load->count[CALL_UP], load->options->sessions,
		load->count[CALL_REQUESTED] + load->count[CALL_CONNECTING],
		load->count[CALL_QUEUED], stats->failures, wave_rate(wave, now),
		load->counters.retransmissions, ppp);
	if (stats->pings_sent)
		fprintf(stderr, "  pings %" PRIu64 "/%" PRIu64, stats->pings_received,
			stats->pings_sent);
	fflush(stderr);
}

void report_progress_end(void)
{
	fputc('\n', stderr);
}

static void table_waves(const struct load *load, FILE *out)
{
	fprintf(out, "%-22s %8s %8s %8s %9s %9s\n", "", "calls", "up", "failed", "seconds",
		"calls/s");
	for (unsigned int i = 0; i < load->stats.wave_count; i++) {
		const struct stats_wave *wave = &load->stats.waves[i];
		uint64_t end = wave->ended ? wave->ended : load->ended;

		fprintf(out, "%-22s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %9.2f %9.1f\n",
			wave->name, wave->asked, wave->up, wave->failed, seconds(wave->began, end),
			wave_rate(wave, end));
	}
	if (load->stats.teardown_ended)
		fprintf(out, "%-22s %35s %9.2f\n", "teardown", "",
			seconds(load->stats.teardown_began, load->stats.teardown_ended));
}

static void table_latencies(struct load *load, FILE *out)
{
	fprintf(out, "\n%-22s %8s %8s %8s %9s %9s\n", "latency, ms", "samples", "p50", "p90", "p99",
		"max");
	for (unsigned int phase = 0; phase < PHASE_COUNT; phase++) {
		struct stats_summary summary;

		stats_summarize(&load->stats.phases[phase], &summary);
		if (summary.count)
			fprintf(out, "%-22s %8zu %8.1f %8.1f %9.1f %9.1f\n",
				stats_phase_name(phase), summary.count, summary.p50, summary.p90,
				summary.p99, summary.max);
	}
}

void report_table(struct load *load, bool ok, FILE *out)
{
	const struct stats *stats = &load->stats;

	table_waves(load, out);
	table_latencies(load, out);
	fprintf(out, "\nsent again: %" PRIu64 " control messages", load->counters.retransmissions);
	for (unsigned int i = 0; i < STATS_PROTOCOLS; i++)
		fprintf(out, ", %" PRIu64 " %s", stats->retransmitted[i], stats_protocol_key(i));
	fprintf(out, "\nby the LNS: %" PRIu64 " control messages", load->counters.duplicates);
	for (unsigned int i = 0; i < STATS_PROTOCOLS; i++)
		fprintf(out, ", %" PRIu64 " %s", stats->repeated[i], stats_protocol_key(i));
	fputc('\n', out);
	if (stats->pings_sent)
		fprintf(out, "pings: %" PRIu64 " sent, %" PRIu64 " lost (%.3f %%)\n",
			stats->pings_sent, stats->pings_sent - stats->pings_received,
			100.0 * (double)(stats->pings_sent - stats->pings_received) /
				(double)stats->pings_sent);
	if (stats->vanished)
		fprintf(out, "%" PRIu64 " calls vanished\n", stats->vanished);
	if (stats->send_errors)
		fprintf(out, "%" PRIu64 " packets were not taken by the system\n",
			stats->send_errors);
	for (unsigned int i = 0; i < stats->reason_count; i++)
		fprintf(out, "%6" PRIu64 " x %s\n", stats->reasons[i].count,
			stats->reasons[i].text);
	fprintf(out, "%s: %" PRIu64 " failures, seed %" PRIu64 "\n", ok ? "ok" : "FAILED",
		stats->failures, load->options->seed);
}

static json_t *json_waves(const struct load *load)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < load->stats.wave_count; i++) {
		const struct stats_wave *wave = &load->stats.waves[i];
		uint64_t end = wave->ended ? wave->ended : load->ended;

		json_array_append_new(list,
			json_pack("{s:s, s:I, s:I, s:I, s:f, s:f}", "name", wave->name, "calls",
				(json_int_t)wave->asked, "up", (json_int_t)wave->up, "failed",
				(json_int_t)wave->failed, "seconds", seconds(wave->began, end),
				"calls_per_second", wave_rate(wave, end)));
	}
	return list;
}

static json_t *json_latencies(struct load *load)
{
	json_t *object = json_object();

	for (unsigned int phase = 0; phase < PHASE_COUNT; phase++) {
		struct stats_summary summary;

		stats_summarize(&load->stats.phases[phase], &summary);
		json_object_set_new(object, stats_phase_key(phase),
			json_pack("{s:I, s:f, s:f, s:f, s:f}", "samples", (json_int_t)summary.count,
				"p50", summary.p50, "p90", summary.p90, "p99", summary.p99, "max",
				summary.max));
	}
	return object;
}

static json_t *json_protocols(uint64_t control, const uint64_t counts[STATS_PROTOCOLS])
{
	json_t *object = json_pack("{s:I}", "control", (json_int_t)control);

	for (unsigned int i = 0; i < STATS_PROTOCOLS; i++)
		json_object_set_new(
			object, stats_protocol_key(i), json_integer((json_int_t)counts[i]));
	return object;
}

static json_t *json_failures(const struct stats *stats)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < stats->reason_count; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:I}", "reason", stats->reasons[i].text, "count",
				      (json_int_t)stats->reasons[i].count));
	return list;
}

/* One packet of PPP: when, in milliseconds since the call's client began, which way, and its octets. */
static json_t *json_packet(const struct trace *trace, const struct trace_packet *packet)
{
	char octets[2 * TRACE_OCTETS + 1] = "", protocol[5];

	for (unsigned int i = 0; i < packet->kept; i++)
		snprintf(octets + (size_t)2 * i, 3, "%02x", packet->data[i]);
	snprintf(protocol, sizeof(protocol), "%04x", packet->protocol);
	return json_pack("{s:f, s:s, s:s, s:i, s:s}", "ms", 1e3 * seconds(trace->began, packet->at),
		"from", packet->sent ? "client" : "lns", "protocol", protocol, "length",
		packet->len, "octets", octets);
}

static json_t *json_failed_calls(const struct load *load)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < load->failure_count; i++) {
		const struct load_failure *failure = &load->failures[i];
		const struct trace_packet *packet;
		json_t *packets = json_array();

		for (unsigned int n = 0; (packet = trace_get(&failure->trace, n)); n++)
			json_array_append_new(packets, json_packet(&failure->trace, packet));
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:f, s:f, s:i, s:i, s:o}", "user", failure->user,
				"reason", failure->reason, "seconds",
				seconds(load->began, failure->at), "ms",
				1e3 * seconds(failure->trace.began, failure->at), "session",
				failure->id, "lns_session", failure->peer_id, "packets", packets));
	}
	return list;
}

static json_t *json_document(struct load *load, bool ok)
{
	const struct stats *stats = &load->stats;
	const struct options *options = load->options;
	char lns[ADDR_TEXT];
	json_t *root = json_pack("{s:b, s:s, s:I, s:i, s:i, s:i, s:f, s:f}", "ok", ok, "lns",
		addr_text(&options->lns, lns), "seed", (json_int_t)options->seed, "lacs",
		(int)options->lacs, "sessions", (int)options->sessions, "outstanding",
		(int)options->outstanding, "seconds", seconds(load->began, load->ended),
		"cpu_seconds", cpu_seconds());

	json_object_set_new(root, "tunnels",
		json_pack("{s:I, s:I}", "up", (json_int_t)stats->tunnels_up, "failed",
			(json_int_t)stats->tunnels_failed));
	json_object_set_new(root, "calls",
		json_pack("{s:I, s:I, s:I, s:I}", "started", (json_int_t)stats->calls_started, "up",
			(json_int_t)stats->calls_up, "ended", (json_int_t)stats->calls_ended,
			"vanished", (json_int_t)stats->vanished));
	json_object_set_new(root, "waves", json_waves(load));
	json_object_set_new(root, "teardown_seconds",
		json_real(seconds(stats->teardown_began, stats->teardown_ended)));
	json_object_set_new(root, "latency_ms", json_latencies(load));
	json_object_set_new(root, "retransmissions",
		json_protocols(load->counters.retransmissions, stats->retransmitted));
	json_object_set_new(root, "lns_retransmissions",
		json_protocols(load->counters.duplicates, stats->repeated));
	json_object_set_new(root, "pings",
		json_pack("{s:I, s:I}", "sent", (json_int_t)stats->pings_sent, "received",
			(json_int_t)stats->pings_received));
	json_object_set_new(root, "frames",
		json_pack("{s:I, s:I, s:I}", "sent", (json_int_t)stats->data_out, "received",
			(json_int_t)stats->data_in, "stray", (json_int_t)stats->stray));
	json_object_set_new(root, "answered",
		json_pack("{s:I, s:I}", "hellos", (json_int_t)stats->hellos, "echoes",
			(json_int_t)stats->echoes));
	json_object_set_new(root, "send_errors", json_integer((json_int_t)stats->send_errors));
	json_object_set_new(root, "failures", json_failures(stats));
	json_object_set_new(root, "failed_calls", json_failed_calls(load));
	return root;
}

int report_json(struct load *load, bool ok, const char *path)
{
	const size_t flags = JSON_INDENT(2) | JSON_REAL_PRECISION(6);
	json_t *root = json_document(load, ok);
	int err = 0;

	if (!root)
		return -ENOMEM;
	errno = EIO;
	if (strcmp(path, "-") == 0) {
		if (json_dumpf(root, stdout, flags) || putchar('\n') == EOF || fflush(stdout))
			err = -errno;
	} else if (json_dump_file(root, path, flags)) {
		err = -errno;
	}
	json_decref(root);
	return err;
}
