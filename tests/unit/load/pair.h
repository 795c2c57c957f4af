/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pair: a client under test and the octets that it sends, with a fake clock.
 */
#ifndef TESTS_UNIT_LOAD_PAIR_H
#define TESTS_UNIT_LOAD_PAIR_H

#include "tests/load/ppp.h"
#include "tests/unit/env_fake.h"

#define PAIR_PACKETS 64

struct pair_packet {
	uint16_t protocol;
	uint16_t len;
	uint8_t data[256];
};

struct pair {
	struct env *env;
	struct stats stats;
	struct ppp_settings settings;
	struct rng rng;
	struct ppp ppp;
	struct pair_packet sent[PAIR_PACKETS];
	unsigned int sent_count, read_count;
	unsigned int authenticated, up, closed;
	char reason[PPP_REASON]; /* of the last down */
	unsigned int ip_packets;
};

/* Settings may be changed until pair_begin. */
void pair_init(struct pair *pair);
void pair_begin(struct pair *pair);
void pair_fini(struct pair *pair);

/* The next packet that the client sent; fails the test when there is none. */
const struct pair_packet *pair_next(struct pair *pair);
/* The next packet is this; data is what follows code, identifier and length. Returns its identifier. */
uint8_t pair_expect(
	struct pair *pair, uint16_t protocol, uint8_t code, const void *data, size_t len);
void pair_expect_nothing(struct pair *pair);
/* The LNS sends a packet. */
void pair_send(struct pair *pair, uint16_t protocol, uint8_t code, uint8_t id, const void *data,
	size_t len);
/* Both Configure-Requests of LCP are exchanged; the LNS asks with the given options. */
void pair_open_lcp(struct pair *pair, const void *options, size_t len);

#endif
