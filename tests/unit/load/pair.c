/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pair: records what the client sends.
 */
#include "tests/unit/load/pair.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void record(void *ctx, uint16_t protocol, const uint8_t *packet, size_t len)
{
	struct pair *pair = ctx;
	struct pair_packet *slot = &pair->sent[pair->sent_count++ % PAIR_PACKETS];

	cr_assert_leq(len, sizeof(slot->data));
	*slot = (struct pair_packet){ .protocol = protocol, .len = (uint16_t)len };
	memcpy(slot->data, packet, len);
}

static void count_authenticated(void *ctx)
{
	((struct pair *)ctx)->authenticated++;
}

static void count_up(void *ctx)
{
	((struct pair *)ctx)->up++;
}

static void keep_reason(void *ctx, const char *reason)
{
	struct pair *pair = ctx;

	snprintf(pair->reason, sizeof(pair->reason), "%s", reason);
	ppp_linger(&pair->ppp);
}

static void count_closed(void *ctx)
{
	((struct pair *)ctx)->closed++;
}

static void count_ip(void *ctx, const uint8_t *packet, size_t len)
{
	(void)packet;
	(void)len;
	((struct pair *)ctx)->ip_packets++;
}

static const struct ppp_ops ops = {
	.send = record,
	.authenticated = count_authenticated,
	.up = count_up,
	.down = keep_reason,
	.closed = count_closed,
	.ip = count_ip,
};

void pair_init(struct pair *pair)
{
	*pair = (struct pair){ .env = env_fake_new() };
	pair->settings = (struct ppp_settings){ .auth = PPP_AUTH_ANY,
		.mru = PPP_MRU_DEFAULT,
		.dns = true,
		.retry = ENV_SEC(3),
		.tries = 3,
		.stats = &pair->stats };
	rng_seed(&pair->rng, 1);
}

void pair_begin(struct pair *pair)
{
	cr_assert_eq(ppp_init(&pair->ppp, pair->env, &pair->settings, &ops, pair, &pair->rng), 0);
	ppp_start(&pair->ppp, "alice", "wonderland");
}

void pair_fini(struct pair *pair)
{
	ppp_stop(&pair->ppp);
	ppp_fini(&pair->ppp);
	env_fake_free(pair->env);
	stats_free(&pair->stats);
}

const struct pair_packet *pair_next(struct pair *pair)
{
	cr_assert_lt(pair->read_count, pair->sent_count, "the client sent nothing more");
	return &pair->sent[pair->read_count++ % PAIR_PACKETS];
}

uint8_t pair_expect(
	struct pair *pair, uint16_t protocol, uint8_t code, const void *data, size_t len)
{
	const struct pair_packet *packet = pair_next(pair);

	cr_assert_eq(packet->protocol, protocol, "protocol %04x", packet->protocol);
	cr_assert_eq(packet->data[0], code, "code %u", packet->data[0]);
	cr_assert_eq(packet->data[2] << 8 | packet->data[3], packet->len);
	cr_assert_eq(packet->len, PPP_HEADER + len, "%u octets", packet->len);
	if (len)
		cr_assert_arr_eq(packet->data + PPP_HEADER, data, len);
	return packet->data[1];
}

void pair_expect_nothing(struct pair *pair)
{
	cr_assert_eq(pair->read_count, pair->sent_count, "the client sent %u packets more",
		pair->sent_count - pair->read_count);
}

void pair_send(struct pair *pair, uint16_t protocol, uint8_t code, uint8_t id, const void *data,
	size_t len)
{
	uint8_t frame[512] = { 0xff, 0x03, (uint8_t)(protocol >> 8), (uint8_t)protocol, code, id,
		(uint8_t)((len + PPP_HEADER) >> 8), (uint8_t)(len + PPP_HEADER) };

	cr_assert_leq(len + 8, sizeof(frame));
	if (len)
		memcpy(frame + 8, data, len);
	ppp_input(&pair->ppp, frame, len + 8);
}

void pair_open_lcp(struct pair *pair, const void *options, size_t len)
{
	const struct pair_packet *request;

	ppp_open(&pair->ppp);
	request = pair_next(pair);
	cr_assert_eq(request->protocol, PPP_LCP);
	cr_assert_eq(request->data[0], FSM_CONFREQ);
	pair_send(pair, PPP_LCP, FSM_CONFREQ, 7, options, len);
	cr_assert_eq(pair_expect(pair, PPP_LCP, FSM_CONFACK, options, len), 7);
	pair_send(pair, PPP_LCP, FSM_CONFACK, request->data[1], request->data + PPP_HEADER,
		request->len - PPP_HEADER);
	cr_assert(pair->ppp.lcp.state == FSM_OPENED || pair->reason[0]);
}
