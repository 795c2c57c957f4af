/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_fake: fake clock and timers, real sockets, and a server by hand.
 */
#include "tests/unit/radius/host_fake.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fake_timer {
	struct fake_host *fake;
	void (*fire)(void *arg);
	void *arg;
	bool is_running;
	uint64_t due;
	struct fake_timer *next;
};

struct fake_io {
	struct fake_host *fake;
	int fd, events;
	void (*ready)(void *arg, int events);
	void *arg;
	struct fake_io *next;
};

static uint64_t fake_now(void *ctx)
{
	return ((struct fake_host *)ctx)->now;
}

static uint64_t fake_wallclock(void *ctx)
{
	return ((struct fake_host *)ctx)->wallclock;
}

static void fake_random(void *ctx, void *buf, size_t len)
{
	struct fake_host *fake = ctx;
	uint8_t *octets = buf;

	while (len--) {
		fake->random = fake->random * UINT64_C(6364136223846793005) + 1442695040888963407;
		*octets++ = (uint8_t)(fake->random >> 56);
	}
}

static bool fake_fails(unsigned int *countdown)
{
	return *countdown && --*countdown == 0;
}

static void *fake_timer_new(void *ctx, const char *what, void (*fire)(void *arg), void *arg)
{
	struct fake_host *fake = ctx;
	struct fake_timer *timer;

	(void)what;
	if (fake_fails(&fake->fail_timer))
		return NULL;
	timer = calloc(1, sizeof(*timer));
	if (!timer)
		return NULL;
	timer->fake = fake;
	timer->fire = fire;
	timer->arg = arg;
	timer->next = fake->timers;
	fake->timers = timer;
	fake->timer_count++;
	return timer;
}

static void fake_timer_start(void *arg, uint64_t delay)
{
	struct fake_timer *timer = arg;

	timer->is_running = true;
	timer->due = timer->fake->now + delay;
}

static void fake_timer_stop(void *arg)
{
	((struct fake_timer *)arg)->is_running = false;
}

static void fake_timer_free(void *arg)
{
	struct fake_timer *timer = arg, **link = &timer->fake->timers;

	while (*link != timer)
		link = &(*link)->next;
	*link = timer->next;
	timer->fake->timer_count--;
	free(timer);
}

static void *fake_io_new(void *ctx, const char *what, int fd, int events,
	void (*ready)(void *arg, int events), void *arg)
{
	struct fake_host *fake = ctx;
	struct fake_io *io;

	(void)what;
	if (fake_fails(&fake->fail_io))
		return NULL;
	io = calloc(1, sizeof(*io));
	if (!io)
		return NULL;
	*io = (struct fake_io){ fake, fd, events, ready, arg, fake->ios };
	fake->ios = io;
	fake->io_count++;
	return io;
}

static void fake_io_free(void *arg)
{
	struct fake_io *io = arg, **link = &io->fake->ios;

	while (*link != io)
		link = &(*link)->next;
	*link = io->next;
	io->fake->io_count--;
	free(io);
}

static void fake_log(void *ctx, bool is_error, const char *line)
{
	struct fake_host *fake = ctx;
	size_t used = strlen(fake->log);

	(void)is_error;
	fake->log_lines++;
	snprintf(fake->log + used, sizeof(fake->log) - used, "%s\n", line);
}

static void fake_happened(void *ctx, enum radius_event event, const char *server, const char *why)
{
	static const char *const names[] = {
		[RADIUS_SERVER_DEAD] = "dead ",
		[RADIUS_SERVER_ALIVE] = "alive ",
		[RADIUS_DISK_FAILS] = "disk fails",
		[RADIUS_DISK_WORKS] = "disk works",
		[RADIUS_SPOOL_FULL] = "full",
		[RADIUS_SPOOL_HAS_ROOM] = "has room",
	};
	struct fake_host *fake = ctx;
	size_t used = strlen(fake->events);

	snprintf(fake->events + used, sizeof(fake->events) - used, "%s%s%s%s\n", names[event],
		server ? server : "", why ? ": " : "", why ? why : "");
}

void fake_host_init(struct fake_host *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->now = FAKE_SEC(1000);
	fake->wallclock = FAKE_SEC(1700000000);
	fake->random = 42;
	fake->host = (struct radius_host){
		.ctx = fake,
		.now = fake_now,
		.wallclock = fake_wallclock,
		.random = fake_random,
		.timer_new = fake_timer_new,
		.timer_start = fake_timer_start,
		.timer_stop = fake_timer_stop,
		.timer_free = fake_timer_free,
		.io_new = fake_io_new,
		.io_free = fake_io_free,
		.log = fake_log,
		.happened = fake_happened,
		.happened_ctx = fake,
	};
}

/* One that is ready, or NULL. A callback may free any watcher, so look anew each time. */
static struct fake_io *fake_ready(struct fake_host *fake)
{
	struct fake_io *io;

	for (io = fake->ios; io; io = io->next) {
		struct pollfd poll_fd = { .fd = io->fd, .events = POLLIN };

		if (poll(&poll_fd, 1, 0) > 0)
			return io;
	}
	return NULL;
}

bool fake_io_once(struct fake_host *fake)
{
	struct fake_io *io = fake_ready(fake);

	if (io)
		io->ready(io->arg, 1);
	return io != NULL;
}

void fake_io(struct fake_host *fake)
{
	while (fake_io_once(fake))
		;
}

void fake_advance(struct fake_host *fake, uint64_t delay)
{
	uint64_t until = fake->now + delay;

	fake_io(fake);
	for (;;) {
		struct fake_timer *timer, *first = NULL;

		for (timer = fake->timers; timer; timer = timer->next)
			if (timer->is_running && timer->due <= until &&
				(!first || timer->due < first->due))
				first = timer;
		if (!first)
			break;
		if (first->due > fake->now) {
			fake->wallclock += first->due - fake->now;
			fake->now = first->due;
		}
		first->is_running = false;
		first->fire(first->arg);
		fake_io(fake);
	}
	fake->wallclock += until - fake->now;
	fake->now = until;
}

int fake_server_open(struct fake_server *server, const char *address, const char *secret)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)&server->addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&server->addr;
	socklen_t len = sizeof(server->addr);

	memset(server, 0, sizeof(*server));
	snprintf(server->secret, sizeof(server->secret), "%s", secret);
	if (inet_pton(AF_INET, address, &in4->sin_addr) == 1)
		in4->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1)
		in6->sin6_family = AF_INET6;
	server->fd = socket(server->addr.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (server->fd < 0)
		return -1;
	if (bind(server->fd, (struct sockaddr *)&server->addr,
		    server->addr.ss_family == AF_INET ? sizeof(*in4) : sizeof(*in6)) ||
		getsockname(server->fd, (struct sockaddr *)&server->addr, &len)) {
		close(server->fd);
		return -1;
	}
	return 0;
}

void fake_server_close(struct fake_server *server)
{
	close(server->fd);
}

struct radius_server_config fake_server_config(const struct fake_server *server)
{
	struct radius_server_config config = { .addr = server->addr };

	config.secret_len = strlen(server->secret);
	memcpy(config.secret, server->secret, config.secret_len);
	return config;
}

bool fake_server_take(struct fake_server *server, struct fake_packet *packet)
{
	socklen_t len = sizeof(packet->from);
	ssize_t received;

	memset(packet, 0, sizeof(*packet));
	received = recvfrom(server->fd, packet->octets, sizeof(packet->octets), 0,
		(struct sockaddr *)&packet->from, &len);
	packet->len = received < 0 ? 0 : (size_t)received;
	return received >= 0;
}

unsigned int fake_server_drain(struct fake_server *server)
{
	struct fake_packet packet;
	unsigned int count = 0;

	while (fake_server_take(server, &packet))
		count++;
	return count;
}

void fake_md5(uint8_t out[16], const void *a, size_t a_len, const void *b, size_t b_len,
	const void *c, size_t c_len)
{
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, a_len, a);
	md5_update(&md5, b_len, b);
	md5_update(&md5, c_len, c);
	md5_digest(&md5, 16, out);
}

void fake_reply_make(struct fake_packet *reply, const struct fake_packet *request, uint8_t code,
	const char *secret, int flags, const uint8_t *attrs, size_t len)
{
	uint8_t *octets = reply->octets;
	size_t at = 20;

	memset(reply, 0, sizeof(*reply));
	octets[0] = code;
	octets[1] = request->octets[1];
	memcpy(octets + 4, request->octets + 4, 16);
	if (flags) {
		octets[20] = 80;
		octets[21] = 18;
		at += 18;
	}
	if (len)
		memcpy(octets + at, attrs, len);
	reply->len = at + len;
	octets[2] = (uint8_t)(reply->len >> 8);
	octets[3] = (uint8_t)reply->len;
	if (flags) {
		struct hmac_md5_ctx hmac;

		hmac_md5_set_key(&hmac, strlen(secret), (const uint8_t *)secret);
		hmac_md5_update(&hmac, reply->len, octets);
		hmac_md5_digest(&hmac, 16, octets + 22);
		if (flags & FAKE_BAD_SIGNATURE)
			octets[37] ^= 1;
	}
	fake_md5(octets + 4, octets, reply->len, secret, strlen(secret), "", 0);
}

void fake_server_send(struct fake_server *server, const struct fake_packet *request,
	const void *octets, size_t len)
{
	ssize_t sent = sendto(server->fd, octets, len, 0, (const struct sockaddr *)&request->from,
		request->from.ss_family == AF_INET ? sizeof(struct sockaddr_in)
						   : sizeof(struct sockaddr_in6));

	cr_assert_eq((size_t)sent, len);
}

void fake_server_answer(struct fake_server *server, const struct fake_packet *request, uint8_t code)
{
	struct fake_packet reply;

	fake_reply_make(&reply, request, code, server->secret, FAKE_SIGNED, NULL, 0);
	fake_server_send(server, request, reply.octets, reply.len);
}

const uint8_t *fake_packet_find(const struct fake_packet *packet, uint8_t type, size_t *ret_len)
{
	size_t at;

	for (at = 20; at + 2 <= packet->len && packet->octets[at + 1] >= 2;
		at += packet->octets[at + 1])
		if (packet->octets[at] == type) {
			*ret_len = packet->octets[at + 1] - 2u;
			return packet->octets + at + 2;
		}
	return NULL;
}

uint32_t fake_packet_u32(const struct fake_packet *packet, uint8_t type)
{
	size_t len;
	const uint8_t *value = fake_packet_find(packet, type, &len);

	cr_assert(value && len == 4, "attribute %u is missing", type);
	return (uint32_t)value[0] << 24 | (uint32_t)value[1] << 16 | (uint32_t)value[2] << 8 |
	       value[3];
}
