/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake: a server with a fake clock, an owner that writes down its upcalls, and LACs made of the codec,
 * so that exchanges can be written as they would be drawn.
 *
 * Packets of the server wait in one queue. lac_expect takes the next one and checks its type, receiver
 * and Nr; acknowledgements without a message are skipped unless they are asked for.
 */
#ifndef TESTS_UNIT_L2TP_FAKE_H
#define TESTS_UNIT_L2TP_FAKE_H

#include "lns/env.h"
#include "lns/l2tp/l2tp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define HAS(avp) (1ull << L2TP_AVP_##avp)

struct fake_packet {
	struct fake_packet *next;
	struct l2tp_path path;
	size_t len;
	uint8_t data[];
};

struct fake {
	struct env *env;
	struct l2tp_server *server;
	struct l2tp_settings settings;
	struct l2tp_lac lac; /* what lac_find answers */
	struct fake_packet *sent, **tail;
	unsigned int sent_count;

	/* how the owner behaves */
	bool unknown_peer, no_socket, no_room, hold_calls, hold_release, hold_close, refuse_calls;
	bool close_tunnel_in_call;

	char refused[160];            /* the last refusal: "lac 5551234 800: text" */
	char events[512];             /* upcalls since the last fake_expect_events */
	char seen[512];               /* packets shown by ops.message: "<SCCRQ >SCCRP" */
	struct l2tp_tunnel *tunnel;   /* of the last upcall */
	struct l2tp_session *session; /* of the last call upcall */
	struct l2tp_result result;    /* of the last _down */
	bool by_peer;
	struct l2tp_call call; /* at call_up, call_changed and call_down */
	uint16_t ns, nr;       /* of the last tunnel_sequence */
};

/* Fills a zeroed fake with usual settings; change them, then fake_start. */
void fake_init(struct fake *fake);
void fake_start(struct fake *fake);
/* Frees everything; nothing may be left. */
void fake_end(struct fake *fake);

void fake_advance(struct fake *fake, uint64_t delay);
/* The upcalls since the last time, separated by spaces. */
void fake_expect_events(struct fake *fake, const char *events);
void fake_expect_silence(struct fake *fake);
void fake_drop_sent(struct fake *fake);

/* What is logged from now on goes to a file; how many of its lines have this text. */
FILE *fake_log_to_file(void);
unsigned int fake_lines_with(FILE *file, const char *text);

/* A LAC, or whatever calls itself one. */
struct lac {
	struct fake *fake;
	struct l2tp_path path;
	const char *host_name;
	uint16_t id, peer_id; /* of the tunnel: its, the server's */
	uint16_t ns, nr;
	struct l2tp_secret secret; /* for Challenge and Response; hides when hide is set */
	bool hide;
	uint8_t challenge[16];
	struct l2tp_header header; /* of the last message received */
	struct l2tp_msg msg;
	uint8_t packet[4096], scratch[4096];
	size_t packet_len;
};

void lac_init(struct lac *lac, struct fake *fake, const char *address, uint16_t port, uint16_t id);
void lac_set_secret(struct l2tp_secret *secret, const char *text);

/* Builds the packet of msg with the LAC's Ns and Nr into lac->packet. */
void lac_build(struct lac *lac, uint16_t session_id, const struct l2tp_msg *msg);
/* Sends lac->packet once more, as it is. */
void lac_repeat(struct lac *lac);
/* Builds, counts Ns up and sends. */
void lac_send(struct lac *lac, uint16_t session_id, const struct l2tp_msg *msg);
void lac_send_octets(struct lac *lac, const uint8_t *data, size_t len);
void lac_ack(struct lac *lac);

/* The next packet must be a message of this type for this LAC; returns it decoded. */
const struct l2tp_msg *lac_expect(struct lac *lac, enum l2tp_msg_type type);

struct l2tp_msg lac_sccrq(struct lac *lac);
struct l2tp_msg lac_scccn(void);
struct l2tp_msg lac_icrq(uint16_t session_id);
struct l2tp_msg lac_iccn(void);
struct l2tp_msg lac_cdn(uint16_t session_id, uint16_t code);
struct l2tp_msg lac_stopccn(const struct lac *lac, uint16_t code);
struct l2tp_msg lac_hello(void);

/* SCCRQ, SCCRP, SCCCN, ZLB. */
void lac_open(struct lac *lac);
/* ICRQ, ICRP, ICCN, ZLB; returns the server's session id. */
uint16_t lac_call(struct lac *lac, uint16_t session_id);

#endif
