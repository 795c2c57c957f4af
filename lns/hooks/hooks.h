/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hooks: what the hook process is told and tells: it runs the operator's programs when sessions come up
 * and go down.
 *
 * Two SOCK_SEQPACKET connections, one message a packet, host byte order, no descriptors: from the
 * monitor its configuration, from the engine events, to the engine reports. Fixed structs; texts are
 * terminated and may hold any octets, as the hook process makes them harmless. It checks each message
 * (hooks_message_check) and leaves when one fails, as the engine drops it.
 */
#ifndef LNS_HOOKS_HOOKS_H
#define LNS_HOOKS_HOOKS_H

#include <stddef.h>
#include <stdint.h>

#define HOOKS_PROTO_VERSION 2
#define HOOKS_PARALLEL_MAX  256

enum hooks_message_type {
	HOOKS_CONFIG = 1, /* monitor -> hooks: at first, and whenever it changes */
	HOOKS_EVENT,      /* engine -> hooks */
	HOOKS_REPORT,     /* hooks -> engine, some time after something changed */
	HOOKS_MESSAGE_MAX
};

struct hooks_head {
	uint16_t type;    /* enum hooks_message_type */
	uint16_t version; /* HOOKS_PROTO_VERSION */
	uint32_t size;    /* of the whole message, octets */
};

enum hooks_kind { HOOKS_UP, HOOKS_DOWN, HOOKS_KINDS };

/* "up", "down" */
const char *hooks_kind_word(enum hooks_kind kind);

struct hooks_config {
	struct hooks_head head;
	char program[HOOKS_KINDS][256]; /* paths; "": none */
	uint32_t rate;                  /* starts in a second, 1 or more */
	uint32_t parallel;              /* at a time, 1 .. HOOKS_PARALLEL_MAX */
	uint32_t queue;                 /* events that may wait, 1 or more */
	uint32_t log_level;             /* enum log_level */
	uint64_t timeout;               /* of one program, microseconds, not 0 */
};

struct hooks_event {
	struct hooks_head head;
	uint16_t kind; /* enum hooks_kind */
	uint16_t tunnel, call;
	uint16_t cause; /* Acct-Terminate-Cause of HOOKS_DOWN */
	uint32_t ifindex;
	uint32_t local, remote;  /* IPv4, network byte order, 0 = none */
	uint8_t interface_id[8]; /* of the client, all 0 = none */
	uint64_t session;        /* key, not 0 */
	uint64_t when;           /* of the event, microseconds since 1970 */
	uint64_t up;             /* when the network came up, the same */
	uint64_t lasted;         /* since then, microseconds */
	uint64_t rx_octets, tx_octets, rx_packets, tx_packets;
	char user[256], lac[64], ppp[64], auth[16];
	char peer_host[256], peer_address[64], calling[72], called[72];
	char interface[16];
	char reason[64], detail[160]; /* of HOOKS_DOWN */
	/* of IPv6, what RADIUS granted; blanks between several */
	char prefixes[176], delegated[176], pool6[254], dns6[160];
};

/* What became of an event. */
enum hooks_result {
	HOOKS_OK,
	HOOKS_FAILED,    /* the program could not be started, or ended with another status than 0 */
	HOOKS_TIMED_OUT, /* it was killed */
	HOOKS_DROPPED,   /* never started: the queue was full, or lnsd stopped */
	HOOKS_RESULTS
};
const char *hooks_result_word(enum hooks_result result);

struct hooks_report {
	struct hooks_head head;
	uint64_t results[HOOKS_KINDS][HOOKS_RESULTS]; /* since the hook process began */
	uint32_t waiting, running;
};

union hooks_message {
	struct hooks_head head;
	struct hooks_config config;
	struct hooks_event event;
	struct hooks_report report;
};

/* Fills in the head. */
void hooks_message_head(union hooks_message *message, enum hooks_message_type type);
/* Checks a packet of len octets that must be of this type. 0, or -EBADMSG. */
int hooks_message_check(const void *packet, size_t len, enum hooks_message_type type);
/*
 * Receives and checks a message without waiting: 0; -EAGAIN when nothing waits; -EPIPE at the end of the
 * connection; -EBADMSG; other -errno.
 */
int hooks_message_receive(int fd, enum hooks_message_type type, union hooks_message *ret_message);
/* Sends one without waiting, its head filled in: 0, -EAGAIN, or -errno. */
int hooks_message_send(int fd, union hooks_message *message, enum hooks_message_type type);

/*
 * The hook process: serves until the connection to the monitor ends, then hurries through what waits,
 * and returns the exit status.
 */
int hooks_main(int monitor_fd, int engine_fd);

#endif
