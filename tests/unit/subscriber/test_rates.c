// SPDX-License-Identifier: BSD-2-Clause
/* rates: every vendor's attribute in every form, and what none of them means. */
#include "lns/subscriber/rates.h"

#include "radius/attr_codes.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define CISCO(direction) "lcp:interface-config#1=rate-limit " direction " 8000000 1000000 2000000 "
#define TRANSMIT_OR_DROP "conform-action transmit exceed-action drop"
#define ROWS(table)      (sizeof(table) / sizeof(table[0]))
#define MIKROTIK         RADIUS_MIKROTIK_RATE_LIMIT
#define AVPAIR           RADIUS_CISCO_AVPAIR

/* What was before, so that what is left alone can be seen. */
static const struct kernel_limits before = { { 7000, 8000, 9 }, { 4000, 5000, 6 } };

static int read_text(struct kernel_limits *limits, radius_code code, const char *text)
{
	*limits = before;
	return rates_read(limits, code, (const uint8_t *)text, strlen(text));
}

static void expect_rate(const char *text, const char *direction, const struct kernel_rate *is,
	const struct kernel_rate *should)
{
	cr_expect(
		is->rate == should->rate && is->peak == should->peak && is->burst == should->burst,
		"%s: %s is %llu peak %llu burst %llu", text, direction,
		(unsigned long long)is->rate, (unsigned long long)is->peak,
		(unsigned long long)is->burst);
}

Test(rates, texts)
{
	static const struct {
		radius_code code;
		const char *text;
		struct kernel_limits limits;
	} rows[] = {
		/* rx is what the router receives: up */
		{ MIKROTIK, "2M/10M", { { 10000000, 0, 0 }, { 2000000, 0, 0 } } },
		{ MIKROTIK, "3M", { { 3000000, 0, 0 }, { 3000000, 0, 0 } } },
		{ MIKROTIK, " 64000/128000 ", { { 128000, 0, 0 }, { 64000, 0, 0 } } },
		{ MIKROTIK, "0/10M", { { 10000000, 0, 0 }, { 0, 0, 0 } } },
		{ MIKROTIK, "0", { { 0, 0, 0 }, { 0, 0, 0 } } },
		/* 1M for (2M-1M)/2M of the second in which the average is below 1M: 62,500 octets */
		{ MIKROTIK, "1M/4M 2M/8M",
			{ { 4000000, 8000000, 250000 }, { 1000000, 2000000, 62500 } } },
		{ MIKROTIK, "1M 2M 1M 8",
			{ { 1000000, 2000000, 500000 }, { 1000000, 2000000, 500000 } } },
		{ MIKROTIK, "1M 2M 1M 8s/4s 5 500k",
			{ { 1000000, 2000000, 250000 }, { 1000000, 2000000, 500000 } } },
		{ MIKROTIK, "1M/4M 0/0 0/0 0/0 8 0", { { 4000000, 0, 0 }, { 1000000, 0, 0 } } },
		{ MIKROTIK, "2M/2M 1M/2M 1M 10", { { 2000000, 0, 0 }, { 2000000, 0, 0 } } },
		{ MIKROTIK, "0/1M 5M", { { 1000000, 5000000, 100000 }, { 0, 0, 0 } } },
		{ MIKROTIK, "1k 1000G 1000G 86400",
			{ { 1000, 1000000000000, 10799999989200000 },
				{ 1000, 1000000000000, 10799999989200000 } } },

		{ AVPAIR, CISCO("output") TRANSMIT_OR_DROP,
			{ { 8000000, 0, 1000000 }, { 4000, 5000, 6 } } },
		{ AVPAIR, CISCO("input") TRANSMIT_OR_DROP,
			{ { 7000, 8000, 9 }, { 8000000, 0, 1000000 } } },
		{ AVPAIR, "lcp:interface-config=rate-limit input 0 0 0 " TRANSMIT_OR_DROP,
			{ { 7000, 8000, 9 }, { 0, 0, 0 } } },
		{ AVPAIR, "ip:sub-qos-policy-in=2M", { { 7000, 8000, 9 }, { 2000000, 0, 0 } } },
		{ AVPAIR, "sub-qos-policy-out=512000", { { 512000, 0, 0 }, { 4000, 5000, 6 } } },
	};
	struct kernel_limits limits;

	for (size_t i = 0; i < ROWS(rows); i++) {
		cr_expect_eq(read_text(&limits, rows[i].code, rows[i].text), 0, "%s", rows[i].text);
		expect_rate(rows[i].text, "down", &limits.down, &rows[i].limits.down);
		expect_rate(rows[i].text, "up", &limits.up, &rows[i].limits.up);
	}
}

/* Refused whole: limits stay as they were. */
Test(rates, texts_that_are_none)
{
	static const struct {
		radius_code code;
		const char *text;
		int err;
	} rows[] = {
		{ MIKROTIK, "", -EINVAL },
		{ MIKROTIK, "   ", -EINVAL },
		{ MIKROTIK, "/", -EINVAL },
		{ MIKROTIK, "1M/", -EINVAL },
		{ MIKROTIK, "/1M", -EINVAL },
		{ MIKROTIK, "1M//1M", -EINVAL },
		{ MIKROTIK, "1M/2M/3M", -EINVAL },
		{ MIKROTIK, "-1M/2M", -EINVAL },
		{ MIKROTIK, "1M/999", -EINVAL },
		{ MIKROTIK, "1.5M/2M", -EINVAL },
		{ MIKROTIK, "1M/18446744073709551617", -EINVAL },
		{ MIKROTIK, "1M/9999999G", -EINVAL },
		{ MIKROTIK, "1M\t2M", -EINVAL },
		{ MIKROTIK, "1M fast", -EINVAL },
		{ MIKROTIK, "1M 2M none", -EINVAL },
		{ MIKROTIK, "1M 2M 1M 86401", -EINVAL },
		{ MIKROTIK, "1M 2M 1M 8x", -EINVAL },
		{ MIKROTIK, "1M 2M 1M 8/", -EINVAL },
		{ MIKROTIK, "1M 2M 1M 8 9", -EINVAL },
		{ MIKROTIK, "1M 2M 1M 8 -1", -EINVAL },
		{ MIKROTIK, "1M 2M 1M 8 8 x", -EINVAL },
		{ MIKROTIK, "1M 2M 1M 8 8 1M 1M", -EINVAL },

		{ AVPAIR, "", -EOPNOTSUPP },
		{ AVPAIR, "x=y", -EOPNOTSUPP },
		{ AVPAIR, "ip:addr-pool=gold", -EOPNOTSUPP },
		{ AVPAIR, "lcp:interface-config", -EOPNOTSUPP },
		{ AVPAIR, "lcp:interface-config#=rate-limit input", -EOPNOTSUPP },
		{ AVPAIR, "lcp:interface-config=ip unnumbered Loopback0", -EOPNOTSUPP },
		{ AVPAIR, "ip:sub-qos-policy-in=GOLD", -EOPNOTSUPP },
		{ AVPAIR, "ip:sub-qos-policy-in=", -EOPNOTSUPP },
		{ AVPAIR, "ip:sub-qos-policy-in=10Mbit", -EINVAL },
		{ AVPAIR, "ip:sub-qos-policy-out=1", -EINVAL },
		{ AVPAIR, CISCO("sideways") TRANSMIT_OR_DROP, -EINVAL },
		{ AVPAIR, CISCO("output"), -EINVAL },
		{ AVPAIR, CISCO("output") "conform-action transmit", -EINVAL },
		{ AVPAIR, CISCO("output") "conform-action transmit exceed-action transmit",
			-EINVAL },
		{ AVPAIR, CISCO("output") TRANSMIT_OR_DROP " twice", -EINVAL },
		{ AVPAIR, CISCO("output access-group 101") TRANSMIT_OR_DROP, -EINVAL },
		{ AVPAIR, "lcp:interface-config=rate-limit output 8000000 " TRANSMIT_OR_DROP,
			-EINVAL },
		{ AVPAIR, "lcp:interface-config=rate-limit output -1 1 1 " TRANSMIT_OR_DROP,
			-EINVAL },
		{ AVPAIR, "lcp:interface-config=rate-limit output 8 1 1 " TRANSMIT_OR_DROP,
			-EINVAL },
		{ AVPAIR,
			"lcp:interface-config=rate-limit output 99999999999999999999 1 1 " TRANSMIT_OR_DROP,
			-EINVAL },
		{ AVPAIR,
			"lcp:interface-config=rate-limit output 8000000 99999999999999999999 1 " TRANSMIT_OR_DROP,
			-EINVAL },

		{ RADIUS_FILTER_ID, "1M", -EOPNOTSUPP },
	};
	struct kernel_limits limits;

	for (size_t i = 0; i < ROWS(rows); i++) {
		cr_expect_eq(read_text(&limits, rows[i].code, rows[i].text), rows[i].err, "%s",
			rows[i].text);
		expect_rate(rows[i].text, "down", &limits.down, &before.down);
		expect_rate(rows[i].text, "up", &limits.up, &before.up);
	}
	limits = before;
	cr_expect_eq(rates_read(&limits, MIKROTIK, (const uint8_t *)"1M\0", 3), -EINVAL);
	cr_expect_eq(rates_read(&limits, MIKROTIK, NULL, 0), -EINVAL);
}

Test(rates, numbers)
{
	static const struct {
		radius_code code;
		bool down;
	} rows[] = {
		{ RADIUS_WISPR_BANDWIDTH_MAX_DOWN, true },
		{ RADIUS_WISPR_BANDWIDTH_MAX_UP, false },
		{ RADIUS_ASCEND_XMIT_RATE, true },
		{ RADIUS_ASCEND_DATA_RATE, false },
	};
	static const uint32_t numbers[] = { 0, 1000, 10000000, UINT32_MAX };

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct kernel_limits limits = before, expected = before;
		const uint32_t small = htonl(999);

		for (size_t n = 0; n < ROWS(numbers); n++) {
			const uint32_t wire = htonl(numbers[n]);

			*(rows[i].down ? &expected.down : &expected.up) =
				(struct kernel_rate){ .rate = numbers[n] };
			cr_expect_eq(
				rates_read(&limits, rows[i].code, (const uint8_t *)&wire, 4), 0);
			expect_rate("number", "down", &limits.down, &expected.down);
			expect_rate("number", "up", &limits.up, &expected.up);
		}
		limits = before;
		cr_expect_eq(
			rates_read(&limits, rows[i].code, (const uint8_t *)&small, 4), -EINVAL);
		for (size_t len = 0; len < 4; len++)
			cr_expect_eq(
				rates_read(&limits, rows[i].code, (const uint8_t *)&small, len),
				-EINVAL);
		cr_expect_eq(
			rates_read(&limits, rows[i].code, (const uint8_t *)"12345678", 8), -EINVAL);
		expect_rate("bad number", "down", &limits.down, &before.down);
		expect_rate("bad number", "up", &limits.up, &before.up);
	}
}
