/* SPDX-License-Identifier: BSD-2-Clause */
/* icmp, line, stats, options: the small parts. */
#include "tests/load/icmp.h"
#include "tests/load/line.h"
#include "tests/load/options.h"
#include "tests/load/ppp.h"
#include "tests/load/stats.h"
#include "tests/unit/env_fake.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

Test(icmp, round_trip)
{
	uint8_t packet[64];
	struct icmp_echo echo = { .from.s_addr = inet_addr("100.64.0.9"),
		.to.s_addr = inet_addr("100.64.0.1"),
		.id = 7,
		.sequence = 300,
		.data = (const uint8_t *)"odd",
		.len = 3 },
			 got;
	size_t len = icmp_write(&echo, packet, sizeof(packet));

	cr_assert_eq(len, ICMP_HEADERS + 3);
	cr_assert(icmp_read(packet, len, &got));
	cr_assert(!got.reply);
	cr_assert_eq(got.from.s_addr, echo.from.s_addr);
	cr_assert_eq(got.to.s_addr, echo.to.s_addr);
	cr_assert_eq(got.id, 7);
	cr_assert_eq(got.sequence, 300);
	cr_assert_eq(got.len, 3);
	cr_assert_arr_eq(got.data, "odd", 3);
	for (size_t i = 0; i < len; i++) {
		packet[i] ^= 0x10;
		cr_assert(!icmp_read(packet, len, &got), "octet %zu is not covered", i);
		packet[i] ^= 0x10;
	}
	for (size_t cut = 0; cut < len; cut++)
		cr_assert(!icmp_read(packet, cut, &got), "%zu octets", cut);
	cr_assert_eq(icmp_write(&echo, packet, 30), 0);
}

/* A packet written elsewhere: 127.0.0.1, id 0x1234, sequence 1, no data. */
Test(icmp, known_checksums)
{
	static const uint8_t packet[] = { 0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0x7c, 0xde, 127, 0, 0,
		1, 127, 0, 0, 1, 8, 0, 0xe5, 0xca, 0x12, 0x34, 0, 1 };
	struct icmp_echo echo;

	cr_assert(icmp_read(packet, sizeof(packet), &echo));
	cr_assert_eq(echo.id, 0x1234);
}

Test(stats, percentiles_are_nearest_rank)
{
	struct stats stats = { 0 };
	struct stats_summary summary;

	stats_summarize(&stats.phases[PHASE_UP], &summary);
	cr_assert_eq(summary.count, 0);
	for (unsigned int i = 200; i > 0; i--)
		stats_sample(&stats, PHASE_UP, i * 1000);
	stats_summarize(&stats.phases[PHASE_UP], &summary);
	cr_assert_eq(summary.count, 200);
	cr_assert_float_eq(summary.p50, 100, 1e-9);
	cr_assert_float_eq(summary.p90, 180, 1e-9);
	cr_assert_float_eq(summary.p99, 198, 1e-9);
	cr_assert_float_eq(summary.max, 200, 1e-9);
	stats_free(&stats);
}

Test(stats, reasons_are_counted_and_bounded)
{
	struct stats stats = { 0 };
	char reason[32];
	uint64_t sum = 0;

	stats_fail(&stats, "once");
	stats_fail(&stats, "twice");
	stats_fail(&stats, "twice");
	cr_assert_eq(stats.reason_count, 2);
	cr_assert_eq(stats.reasons[1].count, 2);
	for (unsigned int i = 0; i < 100; i++) {
		snprintf(reason, sizeof(reason), "reason %u", i);
		stats_fail(&stats, reason);
	}
	cr_assert_eq(stats.reason_count, STATS_REASONS);
	cr_assert_str_eq(stats.reasons[STATS_REASONS - 1].text, "other reasons");
	for (unsigned int i = 0; i < stats.reason_count; i++)
		sum += stats.reasons[i].count;
	cr_assert_eq(sum, 103);
	cr_assert_eq(stats.failures, 103);
}

static int parse(struct options *options, int argc, const char *const *words)
{
	char *argv[20] = { "lns-load" };

	for (int i = 0; i < argc; i++)
		argv[i + 1] = (char *)words[i];
	optind = 0;
	return options_parse(argc + 1, argv, options);
}
#define PARSE(options, ...)                                                                        \
	parse((options), sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *),                 \
		(const char *[]){ __VA_ARGS__ })

static void check_source(const struct options *options, unsigned int lac, const char *expected)
{
	char text[ADDR_TEXT];

	cr_assert_str_eq(addr_text(&options->sources[lac], text), expected);
}

Test(options, sources)
{
	struct options options;

	cr_assert_eq(PARSE(&options, "--lns", "192.0.2.1", "--lacs", "3", "--source", "192.0.2.254",
			     "--sessions", "9"),
		0);
	check_source(&options, 0, "192.0.2.254:1701");
	check_source(&options, 2, "192.0.3.0:1701");
	options_free(&options);
	cr_assert_eq(PARSE(&options, "--lns", "[2001:db8::1]:1702", "--lacs", "5", "--source",
			     "2001:db8::a-2001:db8::b,2001:db8::ff"),
		0);
	check_source(&options, 1, "[2001:db8::b]:1701");
	check_source(&options, 2, "[2001:db8::ff]:1701");
	check_source(&options, 4, "[2001:db8::b]:1702");
	cr_assert_eq(addr_port(&options.lns), 1702);
	options_free(&options);
	cr_assert_eq(PARSE(&options, "--lns", "192.0.2.1:99", "--lacs", "2", "--port", "0"), 0);
	check_source(&options, 1, "0.0.0.0:0");
	options_free(&options);
}

Test(options, values)
{
	struct options options;

	cr_assert_eq(PARSE(&options, "--lns", "192.0.2.1", "--auth", "pap,mschapv2", "--hold",
			     "1.5m", "--ping", "250ms", "--rate", "0.5", "--proxy-lcp", "--strict",
			     "--end", "lcp", "--storm", "2", "--seed", "0x10"),
		0);
	cr_assert_eq(options.auth, PPP_AUTH_PAP | PPP_AUTH_MSCHAPV2);
	cr_assert(options.auth_required);
	cr_assert_eq(options.hold, 90000000);
	cr_assert_eq(options.ping, 250000);
	cr_assert_float_eq(options.rate, 0.5, 1e-9);
	cr_assert(options.proxy_lcp && options.proxy_auth && options.strict);
	cr_assert_eq(options.storm_by, END_LCP, "a storm is like the end");
	cr_assert_eq(options.seed, 16);
	options_free(&options);
}

Test(options, mistakes)
{
	static const char *const rows[][5] = {
		{ "--lacs", "3" },
		{ "--lns", "192.0.2" },
		{ "--lns", "192.0.2.1:0" },
		{ "--lns", "192.0.2.1", "--source", "2001:db8::1" },
		{ "--lns", "192.0.2.1", "--source", "192.0.2.9-192.0.2.8" },
		{ "--lns", "192.0.2.1", "--auth", "chap,eapol" },
		{ "--lns", "192.0.2.1", "--hold", "10x" },
		{ "--lns", "192.0.2.1", "--hold", "-1" },
		{ "--lns", "192.0.2.1", "--sessions", "1000001" },
		{ "--lns", "192.0.2.1", "--end", "reboot" },
		{ "--lns", "192.0.2.1", "--hide" },
		{ "--lns", "192.0.2.1", "--strict" },
		{ "--lns", "192.0.2.1", "--vanish", "2" },
		{ "--lns", "192.0.2.1", "left over" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct options options;
		int argc = 0;

		while (rows[i][argc])
			argc++;
		cr_assert_eq(parse(&options, argc, rows[i]), -EINVAL, "row %zu", i);
		options_free(&options);
	}
}

Test(options, texts_are_expanded)
{
	char out[16];

	cr_assert_str_eq(options_expand(out, sizeof(out), "u%d@l%l%%%x", 12, 3), "u12@l3%%x");
	cr_assert_str_eq(options_expand(out, 5, "abc%d", 123, 0), "abc1");
	cr_assert_str_eq(options_expand(out, 3, "abcdef", 0, 0), "ab");
}

enum { SENT = 10000 };

struct arrival {
	unsigned int count, twice, overtaken;
	uint32_t last;
	uint8_t seen[SENT];
};

static void arrives(void *ctx, const union addr *from, const uint8_t *packet, size_t len)
{
	struct arrival *arrival = ctx;
	uint32_t number;

	cr_assert_eq(len, sizeof(number));
	cr_assert_eq(addr_port(from), 1701);
	memcpy(&number, packet, sizeof(number));
	arrival->count++;
	arrival->twice += arrival->seen[number]++ > 0;
	arrival->overtaken += number < arrival->last;
	arrival->last = number;
}

static struct arrival send_through_line(const struct line_quality *quality, uint64_t seed)
{
	struct env *env = env_fake_new();
	struct arrival arrival = { 0 };
	struct line *line;
	union addr from;

	addr_parse("192.0.2.1", 1701, &from);
	cr_assert_eq(line_new(env, quality, seed, arrives, &arrival, &line), 0);
	for (uint32_t number = 0; number < SENT; number++) {
		line_put(line, &from, (const uint8_t *)&number, sizeof(number));
		env_fake_advance(env, ENV_MS(1));
	}
	env_fake_advance(env, quality->delay);
	line_free(line);
	env_fake_free(env);
	return arrival;
}

Test(line, it_loses_repeats_and_reorders)
{
	const struct line_quality bad = {
		.loss = 30, .duplicate = 10, .reorder = 10, .delay = ENV_MS(10)
	};
	struct arrival first = send_through_line(&bad, 1), other = send_through_line(&bad, 2);
	unsigned int lost = 0;

	for (unsigned int n = 0; n < SENT; n++)
		lost += !first.seen[n];
	cr_assert(lost > SENT * 28 / 100 && lost < SENT * 32 / 100, "%u", lost);
	cr_assert(first.twice > SENT * 6 / 100 && first.twice < SENT * 8 / 100, "%u", first.twice);
	cr_assert_gt(first.overtaken, SENT * 5 / 100);
	cr_assert_arr_neq(first.seen, other.seen, SENT);
}

Test(line, the_seed_decides)
{
	const struct line_quality bad = { .loss = 50 };
	struct arrival one = send_through_line(&bad, 7), two = send_through_line(&bad, 7);

	cr_assert_arr_eq(one.seen, two.seen, SENT);
	cr_assert(one.count == two.count && one.overtaken == 0 && one.twice == 0);
}

Test(line, what_is_under_way_is_freed)
{
	const struct line_quality slow = { .delay = ENV_SEC(1) };
	struct arrival arrival = { 0 };
	struct env *env = env_fake_new();
	struct line *line;
	union addr from = { 0 };

	cr_assert_eq(line_new(env, &slow, 1, arrives, &arrival, &line), 0);
	line_put(line, &from, (const uint8_t *)"x", 1);
	line_free(line);
	env_fake_free(env);
	cr_assert_eq(arrival.count, 0);
}

Test(trace, keeps_the_last_control_packets)
{
	struct trace trace;
	uint8_t packet[60] = { 1, 0, 0, 60 };

	trace_begin(&trace, 5);
	cr_assert_null(trace_get(&trace, 0));
	for (uint8_t i = 0; i < TRACE_PACKETS + 3; i++) {
		packet[1] = i;
		trace_add(&trace, i, i & 1, PPP_LCP, packet, sizeof(packet));
		trace_add(&trace, i, true, PPP_IP, packet, sizeof(packet));
	}
	for (unsigned int n = 0; n < TRACE_PACKETS; n++) {
		const struct trace_packet *kept = trace_get(&trace, n);

		cr_assert_eq(kept->at, n + 3);
		cr_assert_eq(kept->data[1], n + 3);
		cr_assert_eq(kept->sent, (n + 3) & 1);
		cr_assert_eq(kept->protocol, PPP_LCP);
		cr_assert_eq(kept->len, sizeof(packet));
		cr_assert_eq(kept->kept, TRACE_OCTETS);
	}
	cr_assert_null(trace_get(&trace, TRACE_PACKETS));
}

Test(trace, keeps_no_secret)
{
	static const uint16_t protocols[] = { PPP_PAP, PPP_CHAP, PPP_EAP };
	uint8_t packet[] = { 1, 1, 0, 12, 1, 'a', 6, 's', 'e', 'c', 'r', 'e' };
	struct trace trace;

	trace_begin(&trace, 0);
	for (unsigned int n = 0; n < 3; n++) {
		trace_add(&trace, 0, true, protocols[n], packet, sizeof(packet));
		cr_assert_eq(trace_get(&trace, n)->kept, PPP_HEADER);
		cr_assert_eq(trace_get(&trace, n)->len, sizeof(packet));
	}
}
