/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rates: see rates.h. A table of attributes; texts are read word by word, and one that does not fit in
 * everything is refused whole.
 */
#include "lns/subscriber/rates.h"

#include "lns/rate.h"
#include "radius/attr_codes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define BURST_TIME_MAX 86400 /* seconds */

/* ---- words ---- */

/* A piece of a text. */
struct span {
	const char *at;
	size_t len;
};

static bool is_word(const struct span *word, const char *text)
{
	return word->len == strlen(text) && memcmp(word->at, text, word->len) == 0;
}

/* Takes prefix off the text; false when it does not begin so. */
static bool take_prefix(struct span *text, const char *prefix)
{
	size_t len = strlen(prefix);

	if (text->len < len || memcmp(text->at, prefix, len) != 0)
		return false;
	text->at += len;
	text->len -= len;
	return true;
}

/* What comes before the next separator, which goes with it. False at the end of the text. */
static bool take_until(struct span *text, char separator, struct span *ret_word)
{
	const char *found;
	size_t len;

	if (text->len == 0)
		return false;
	found = memchr(text->at, separator, text->len);
	len = found ? (size_t)(found - text->at) : text->len;
	*ret_word = (struct span){ text->at, len };
	len += found != NULL;
	text->at += len;
	text->len -= len;
	return true;
}

static bool next_word(struct span *text, struct span *ret_word)
{
	while (text->len > 0 && *text->at == ' ') {
		text->at++;
		text->len--;
	}
	return take_until(text, ' ', ret_word);
}

/* Takes the digits at the beginning off. 0, or -EINVAL: none, or more than max. */
static int take_number(struct span *text, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t n = 0;

	for (; n < text->len && text->at[n] >= '0' && text->at[n] <= '9'; n++) {
		number = number * 10 + (uint64_t)(text->at[n] - '0');
		if (number > max)
			return -EINVAL;
	}
	text->at += n;
	text->len -= n;
	*ret_number = number;
	return n > 0 ? 0 : -EINVAL;
}

static int read_number(struct span text, uint64_t max, uint64_t *ret_number)
{
	int err = take_number(&text, max, ret_number);

	return err < 0 || text.len > 0 ? -EINVAL : 0;
}

static int check_rate(uint64_t rate)
{
	return rate == 0 || (rate >= RATE_MIN && rate <= RATE_MAX) ? 0 : -EINVAL;
}

/* ---- numbers: WISPr-Bandwidth-Max-*, Ascend-*-Rate, in bit/s ---- */

static int read_integer(struct kernel_rate *rate, const uint8_t *data, size_t len)
{
	uint32_t number;

	if (len != sizeof(number))
		return -EINVAL;
	memcpy(&number, data, sizeof(number));
	if (check_rate(ntohl(number)) < 0)
		return -EINVAL;
	*rate = (struct kernel_rate){ .rate = ntohl(number) };
	return 0;
}

static int read_down(struct kernel_limits *limits, const uint8_t *data, size_t len)
{
	return read_integer(&limits->down, data, len);
}

static int read_up(struct kernel_limits *limits, const uint8_t *data, size_t len)
{
	return read_integer(&limits->up, data, len);
}

/* ---- Mikrotik-Rate-Limit ----
 *
 *	rx[/tx] [rx-burst[/tx-burst] [rx-threshold[/tx-threshold] [rx-time[/tx-time]
 *		[priority [rx-min[/tx-min]]]]]]
 *
 * rx is what the router receives: up. Its burst lasts as long as the average over the time stays below
 * the threshold; here it is a bucket that is empty after as long at the burst rate.
 */

/* "a/b" or "a", which then is both. */
static int read_rates(struct span word, uint64_t ret_rates[2])
{
	struct span first;

	if (!take_until(&word, '/', &first) || rate_parse(first.at, first.len, &ret_rates[0]) < 0)
		return -EINVAL;
	if (first.at + first.len == word.at) { /* no slash */
		ret_rates[1] = ret_rates[0];
		return 0;
	}
	return rate_parse(word.at, word.len, &ret_rates[1]);
}

static int read_times(struct span word, uint64_t ret_times[2])
{
	if (take_number(&word, BURST_TIME_MAX, &ret_times[0]) < 0)
		return -EINVAL;
	ret_times[1] = ret_times[0];
	take_prefix(&word, "s");
	if (word.len == 0)
		return 0;
	if (!take_prefix(&word, "/") || take_number(&word, BURST_TIME_MAX, &ret_times[1]) < 0)
		return -EINVAL;
	take_prefix(&word, "s");
	return word.len == 0 ? 0 : -EINVAL;
}

static struct kernel_rate make_rate(uint64_t rate, uint64_t peak, uint64_t threshold, uint64_t time)
{
	struct kernel_rate made = { .rate = rate };
	__uint128_t octets;

	if (rate == 0 || peak <= rate)
		return made;
	octets = (__uint128_t)(peak - rate) * (threshold ? threshold : rate) * time / peak / 8;
	made.peak = peak;
	made.burst = octets > UINT64_MAX ? UINT64_MAX : (uint64_t)octets;
	return made;
}

static int read_mikrotik(struct kernel_limits *limits, const uint8_t *data, size_t len)
{
	uint64_t rates[2], peaks[2] = { 0 }, thresholds[2] = { 0 }, times[2] = { 1, 1 }, other[2];
	struct span text = { (const char *)data, len }, word;
	int err = next_word(&text, &word) ? read_rates(word, rates) : -EINVAL;

	if (!err && next_word(&text, &word))
		err = read_rates(word, peaks);
	if (!err && next_word(&text, &word))
		err = read_rates(word, thresholds);
	if (!err && next_word(&text, &word))
		err = read_times(word, times);
	if (!err && next_word(&text, &word)) /* priority: of queues that share a line */
		err = read_number(word, 8, other);
	if (!err && next_word(&text, &word)) /* guaranteed: nobody else takes it away */
		err = read_rates(word, other);
	if (err < 0 || next_word(&text, &word))
		return -EINVAL;
	limits->up = make_rate(rates[0], peaks[0], thresholds[0], times[0]);
	limits->down = make_rate(rates[1], peaks[1], thresholds[1], times[1]);
	return 0;
}

/* ---- Cisco-AVPair ----
 *
 *	lcp:interface-config#1=rate-limit output 10000000 1250000 2500000
 *		conform-action transmit exceed-action drop
 *	ip:sub-qos-policy-out=10M
 *
 * A router's input is up. The name of a policy means something to the router that has it; one that is a
 * rate is taken for that.
 */

static bool read_action(struct span *text, const char *name, const char *value)
{
	struct span words[2];

	return next_word(text, &words[0]) && next_word(text, &words[1]) &&
	       is_word(&words[0], name) && is_word(&words[1], value);
}

static int read_rate_limit(struct kernel_limits *limits, struct span text)
{
	uint64_t rate, burst = 0, excess;
	struct span word;
	struct kernel_rate *direction;

	if (!next_word(&text, &word))
		return -EINVAL;
	direction = is_word(&word, "output") ? &limits->down : &limits->up;
	if (!is_word(&word, "output") && !is_word(&word, "input"))
		return -EINVAL;
	if (!next_word(&text, &word) || read_number(word, RATE_MAX, &rate) < 0 ||
		check_rate(rate) < 0)
		return -EINVAL;
	if (!next_word(&text, &word) || read_number(word, RATE_MAX, &burst) < 0 ||
		!next_word(&text, &word) || read_number(word, RATE_MAX, &excess) < 0)
		return -EINVAL;
	if (!read_action(&text, "conform-action", "transmit") ||
		!read_action(&text, "exceed-action", "drop") || next_word(&text, &word))
		return -EINVAL;
	*direction = (struct kernel_rate){ .rate = rate, .burst = burst };
	return 0;
}

static int read_policy(struct kernel_rate *direction, struct span name)
{
	uint64_t rate;

	if (name.len == 0 || *name.at < '0' || *name.at > '9')
		return -EOPNOTSUPP;
	if (rate_parse(name.at, name.len, &rate) < 0)
		return -EINVAL;
	*direction = (struct kernel_rate){ .rate = rate };
	return 0;
}

static int read_cisco(struct kernel_limits *limits, const uint8_t *data, size_t len)
{
	struct span text = { (const char *)data, len };
	uint64_t line;

	if (take_prefix(&text, "lcp:interface-config")) {
		if (take_prefix(&text, "#") && take_number(&text, UINT32_MAX, &line) < 0)
			return -EOPNOTSUPP;
		if (!take_prefix(&text, "=") || !take_prefix(&text, "rate-limit "))
			return -EOPNOTSUPP;
		return read_rate_limit(limits, text);
	}
	take_prefix(&text, "ip:");
	if (take_prefix(&text, "sub-qos-policy-in="))
		return read_policy(&limits->up, text);
	if (take_prefix(&text, "sub-qos-policy-out="))
		return read_policy(&limits->down, text);
	return -EOPNOTSUPP;
}

/* ---- the table ---- */

static const struct {
	radius_code code;
	int (*read)(struct kernel_limits *limits, const uint8_t *data, size_t len);
} table[] = {
	{ RADIUS_MIKROTIK_RATE_LIMIT, read_mikrotik },
	{ RADIUS_WISPR_BANDWIDTH_MAX_UP, read_up },
	{ RADIUS_WISPR_BANDWIDTH_MAX_DOWN, read_down },
	{ RADIUS_ASCEND_DATA_RATE, read_up },
	{ RADIUS_ASCEND_XMIT_RATE, read_down },
	{ RADIUS_CISCO_AVPAIR, read_cisco },
};

int rates_read(struct kernel_limits *limits, radius_code code, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].code == code)
			return table[i].read(limits, data, len);
	return -EOPNOTSUPP;
}
