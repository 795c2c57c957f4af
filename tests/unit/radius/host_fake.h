/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_fake: a struct radius_host whose clock moves only when the test says so, and a RADIUS server
 * made of a UDP socket on loopback whose every answer the test makes itself, with its own
 * cryptography.
 */
#ifndef TESTS_RADIUS_HOST_FAKE_H
#define TESTS_RADIUS_HOST_FAKE_H

#include "radius/radius.h"

#define FAKE_MS(n)  ((uint64_t)(n)*1000)
#define FAKE_SEC(n) ((uint64_t)(n)*1000000)

struct fake_host {
	struct radius_host host;
	uint64_t now, wallclock;
	struct fake_timer *timers;
	struct fake_io *ios;
	unsigned int timer_count, io_count;
	unsigned int fail_timer, fail_io; /* the n-th one from now is not made; 0 = all are */
	uint64_t random;
	unsigned int log_lines;
	char log[8192];    /* all lines, newline after each */
	char events[1024]; /* what happened: "dead 127.0.0.1:1812: why\n", "disk fails: why\n" */
};

void fake_host_init(struct fake_host *fake);
/* Handles what has arrived, until nothing is left. */
void fake_io(struct fake_host *fake);
/* Tells one descriptor that is ready; false: there is none. */
bool fake_io_once(struct fake_host *fake);
/* Moves the clock, firing timers in order and handling input after each. */
void fake_advance(struct fake_host *fake, uint64_t delay);

struct fake_packet {
	uint8_t octets[4096];
	size_t len;
	struct sockaddr_storage from;
};

struct fake_server {
	int fd;
	struct sockaddr_storage addr;
	char secret[64];
};

/* On address ("127.0.0.1", "::1"), some port. -1: there is no such address here. */
int fake_server_open(struct fake_server *server, const char *address, const char *secret);
void fake_server_close(struct fake_server *server);
/* The server as a configuration. */
struct radius_server_config fake_server_config(const struct fake_server *server);

/* The next packet; false when none is there. */
bool fake_server_take(struct fake_server *server, struct fake_packet *packet);
/* Throws all packets away. Their number. */
unsigned int fake_server_drain(struct fake_server *server);

enum { FAKE_SIGNED = 1, FAKE_BAD_SIGNATURE = 2 };

/* Makes a reply to request: attrs as on the wire; flags: a (wrong) Message-Authenticator first. */
void fake_reply_make(struct fake_packet *reply, const struct fake_packet *request, uint8_t code,
	const char *secret, int flags, const uint8_t *attrs, size_t len);
void fake_server_send(struct fake_server *server, const struct fake_packet *request,
	const void *octets, size_t len);
/* Both, without attributes and with the right secret. */
void fake_server_answer(
	struct fake_server *server, const struct fake_packet *request, uint8_t code);

/* The value of the first attribute of that type; NULL when there is none. */
const uint8_t *fake_packet_find(const struct fake_packet *packet, uint8_t type, size_t *ret_len);
uint32_t fake_packet_u32(const struct fake_packet *packet, uint8_t type);

void fake_md5(uint8_t out[16], const void *a, size_t a_len, const void *b, size_t b_len,
	const void *c, size_t c_len);

#endif
