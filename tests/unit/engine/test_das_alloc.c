/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory runs out anywhere in what the engine does for dynamic authorization: for every n, the n-th
 * allocation fails while it begins to listen, is asked to end alice and to change bob, is reloaded, and stops.
 * Who is told ACK has what was asked for, who is told NAK (Resources-Unavailable) has nothing of it, who is
 * told nothing asks again and learns which; nobody is ended or changed twice, and nothing is left.
 *
 * Sockets and radius/ are real; the sessions are played here.
 */
#include "lns/engine/internal.h"
#include "lns/env_radius.h"
#include "radius/attr_codes.h"
#include "tests/unit/env_fake.h"
#include "tests/unit/fds.h"
#include "tests/unit/netns.h"
#include "tests/unit/short_memory.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <nettle/md5.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECRET "testing123"
#define PORT   3799

enum { ALICE = 1, BOB };

static struct engine engine;
static struct config config;
static struct config_das_client clients[2];
static unsigned int refused; /* answers for want of resources, in all runs */

/* ---- the sessions ---- */

static struct {
	bool is_gone;
	unsigned int ended, changed;
} sessions[3];
static struct subscriber_change pending;

static struct subscriber *handle_of(uint64_t key)
{
	return (struct subscriber *)&sessions[key];
}

struct subscriber *subscriber_find(struct subscribers *all, uint64_t key)
{
	(void)all;
	return sessions[key].is_gone ? NULL : handle_of(key);
}

size_t subscribers_select(struct subscribers *all, const struct subscriber_selector *selector,
	uint64_t *ret_keys, size_t max)
{
	uint64_t key = strcmp(selector->user, "alice") == 0 ? ALICE : BOB;

	(void)all;
	cr_assert_geq(max, 1);
	if (sessions[key].is_gone || sessions[key].ended)
		return 0;
	*ret_keys = key;
	return 1;
}

void subscriber_end(struct subscriber *sub, enum end_reason reason, const char *detail)
{
	cr_assert(sub == handle_of(ALICE) && reason == END_RADIUS && detail);
	sessions[ALICE].ended++;
}

int subscriber_change(struct subscriber *sub, const struct subscriber_change *change)
{
	cr_assert(sub == handle_of(BOB) && *change->idle_timeout == 60);
	if (short_memory_strikes())
		return -ENOMEM;
	pending = *change;
	return -EINPROGRESS;
}

void subscriber_get_info(const struct subscriber *sub, struct subscriber_info *ret_info)
{
	(void)sub;
	*ret_info = (struct subscriber_info){ .user = "bob" };
}

void subscriber_log(const struct subscriber *sub, enum log_level level, const char *format, ...)
{
	(void)sub, (void)level, (void)format;
}

/* What was begun comes to its end. */
static void sessions_go_on(void)
{
	if (sessions[ALICE].ended && !sessions[ALICE].is_gone) {
		sessions[ALICE].is_gone = true;
		engine_das_ended(&engine, ALICE);
	}
	if (pending.done) {
		struct subscriber_change done = pending;

		memset(&pending, 0, sizeof(pending));
		sessions[BOB].changed++;
		done.done(done.ctx, 0);
	}
}

/* ---- the client ---- */

static int client_fd;

static void client_open(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	cr_assert_eq(connect(client_fd, (struct sockaddr *)&to, sizeof(to)), 0);
}

static size_t make_request(uint8_t packet[64], uint8_t code, const char *user)
{
	static const uint8_t idle[] = { RADIUS_IDLE_TIMEOUT, 6, 0, 0, 0, 60 };
	size_t len = 20;
	struct md5_ctx md5;

	memset(packet, 0, 64);
	packet[0] = code;
	packet[1] = code;
	packet[len] = RADIUS_USER_NAME;
	packet[len + 1] = (uint8_t)(2 + strlen(user));
	memcpy(packet + len + 2, user, strlen(user));
	len += packet[len + 1];
	if (code == RADIUS_COA_REQUEST) {
		memcpy(packet + len, idle, sizeof(idle));
		len += sizeof(idle);
	}
	packet[3] = (uint8_t)len;
	md5_init(&md5);
	md5_update(&md5, len, packet);
	md5_update(&md5, strlen(SECRET), (const uint8_t *)SECRET);
	md5_digest(&md5, 16, packet + 4);
	return len;
}

/* The code of the answer; its Error-Cause, if it has one, must be that one. 0: there is none. */
static unsigned int answer_of(unsigned int n)
{
	static const uint8_t cause[] = { RADIUS_ERROR_CAUSE, 6, 0, 0,
		RADIUS_ERROR_RESOURCES_UNAVAILABLE >> 8, RADIUS_ERROR_RESOURCES_UNAVAILABLE & 255 };
	uint8_t reply[256];
	ssize_t len = recv(client_fd, reply, sizeof(reply), 0);

	if (len < 0)
		return 0;
	if (reply[0] == RADIUS_DISCONNECT_ACK || reply[0] == RADIUS_COA_ACK)
		return reply[0];
	cr_assert(len == 44 && memcmp(reply + 38, cause, sizeof(cause)) == 0,
		"allocation %u: code %u", n, reply[0]);
	refused++;
	return reply[0];
}

/* Asks until there is an answer: the second time memory is not short. */
static unsigned int ask(uint8_t code, const char *user, unsigned int n)
{
	uint8_t packet[64];
	size_t len = make_request(packet, code, user);

	for (int tries = 0; tries < 2; tries++) {
		unsigned int answer;

		cr_assert_eq(send(client_fd, packet, len, 0), (ssize_t)len);
		env_fake_poll(engine.env, 100);
		sessions_go_on();
		answer = answer_of(n);
		if (answer)
			return answer;
		short_memory_arm(false);
	}
	cr_assert_fail("allocation %u: no answer", n);
	return 0;
}

/* ---- a life ---- */

/* When it fails it is done once more, in peace. */
static void configure(unsigned int n)
{
	int err = engine_das_configure(&engine);

	cr_assert(!err || err == -ENOMEM, "allocation %u: %d", n, err);
	if (!err)
		return;
	short_memory_arm(false);
	cr_assert_eq(engine_das_configure(&engine), 0, "allocation %u", n);
}

static void live(unsigned int n)
{
	struct config_das *das = &config.radius.das;
	int before = open_fds();
	unsigned int answer;

	memset(&engine, 0, sizeof(engine));
	memset(sessions, 0, sizeof(sessions));
	LIST_INIT(&engine.radius.disconnects);
	engine.config = &config;
	engine.env = env_fake_new();
	env_radius_host(engine.env, &engine.radius.host);
	das->client_count = 1;
	client_open();
	short_memory_arm(true);
	configure(n);
	answer = ask(RADIUS_DISCONNECT_REQUEST, "alice", n);
	cr_assert_eq(sessions[ALICE].ended, answer == RADIUS_DISCONNECT_ACK, "allocation %u", n);
	answer = ask(RADIUS_COA_REQUEST, "bob", n);
	cr_assert_eq(sessions[BOB].changed, answer == RADIUS_COA_ACK, "allocation %u", n);
	das->client_count = 2;
	configure(n);
	cr_assert_eq(radius_das_client_count(engine.radius.das), 2);
	engine_das_stop(&engine);
	short_memory_arm(false);
	close(client_fd);
	env_fake_free(engine.env);
	cr_assert_eq(open_fds(), before, "allocation %u", n);
}

Test(das_alloc, done_or_refused)
{
	static const char *const texts[] = { "127.0.0.1", "127.0.0.2" };

	netns_enter();
	config.has_radius = config.radius.has_das = true;
	config.radius.das.port = PORT;
	config.radius.das.clients = clients;
	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(addr_parse(texts[i], 0, &clients[i].addr), 0);
		clients[i].secret.len = strlen(SECRET);
		memcpy(clients[i].secret.data, SECRET, strlen(SECRET));
	}
	cr_assert_gt(short_memory_everywhere(live), 15);
	cr_assert_gt(refused, 2, "%u", refused);
}
