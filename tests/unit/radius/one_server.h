/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * one_server: a client with one fake server, for tests that look closely at both ends.
 */
#ifndef TESTS_RADIUS_ONE_SERVER_H
#define TESTS_RADIUS_ONE_SERVER_H

#include "radius/radius.h"
#include "tests/unit/radius/host_fake.h"

extern struct fake_host fake;
extern struct fake_server server;
extern struct radius_client *client;

/* What became of a request. */
struct result {
	unsigned int calls;
	enum radius_outcome outcome;
	unsigned int code;
	char server[64], text[64]; /* text: the Reply-Message */
};

/* A radius_done_fn that fills the struct result it is given. */
void one_done(void *ctx, enum radius_outcome outcome, unsigned int code,
	const struct radius_attrs *reply, const char *name);

/* Before and after each test; after it, nothing may be left behind. */
void one_setup(void);
void one_teardown(void);

/* Another client, for the same server. */
void one_remake(struct radius_client_config config, int policy);

/* Sends a request with a password; *result is told of its end. */
struct radius_request *one_ask(enum radius_packet_code code, struct result *result);
struct radius_server_info one_info(void);

/* The next packet the server got; there must be one. */
void one_take(struct fake_packet *packet);
/* Answers it with a Reply-Message. */
void one_answer(const struct fake_packet *request, uint8_t code, const char *secret, int flags);

#endif
