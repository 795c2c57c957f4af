/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally: how many calls of each lac section are in which state, and how they ended; for the metrics.
 *
 * Bounded: behind the first TALLY_LACS sections all others share one entry. Entries stay for good, so
 * that pointers to them do, and counters never go back when a section leaves the configuration.
 */
#ifndef LNS_SUBSCRIBER_TALLY_H
#define LNS_SUBSCRIBER_TALLY_H

#include "lns/subscriber/end.h"

#include <stdint.h>

/* The life of a session: see subscriber.h. */
enum subscriber_state {
	SUBSCRIBER_QUEUED,
	SUBSCRIBER_OPENING,
	SUBSCRIBER_WAITING,
	SUBSCRIBER_FORKING,
	SUBSCRIBER_LINK,
	SUBSCRIBER_NETWORK,
	SUBSCRIBER_UP,
	SUBSCRIBER_ENDING,
	SUBSCRIBER_STATES
};

#define TALLY_LACS  64
#define TALLY_SLOTS 7 /* the one that fills, and a minute before it */
#define TALLY_OTHER "(other)"

struct tally_lac {
	char name[64];
	unsigned int tunnels;
	unsigned int sessions[SUBSCRIBER_STATES];
	uint64_t calls, up;
	uint64_t failed[END_COUNT];      /* before they were up */
	uint64_t ended[END_COUNT];       /* afterwards */
	unsigned int slots[TALLY_SLOTS]; /* sessions that came up, by ten seconds */
	uint64_t slot;                   /* the newest of them, counted from env_now 0 */
	uint64_t error_wallclock;        /* of the last failure, microseconds, 0 = none yet */
	char error[224];                 /* its reason, printable */
	uint64_t retransmissions;        /* of tunnels that are gone */
	uint64_t retransmissions_now;    /* of the others, when it was asked last */
};

struct tally {
	struct tally_lac lacs[TALLY_LACS + 1];
	unsigned int count;
};

/* The entry of a lac section, made when it is new. Never NULL. */
struct tally_lac *tally_lac(struct tally *tally, const char *name);

/* A session came up at `now` (env_now). */
void tally_up(struct tally_lac *lac, uint64_t now);
/* Sessions that came up in the last 60 to 70 seconds, a second, times 1000. */
unsigned int tally_rate(const struct tally_lac *lac, uint64_t now);
/* Notes the last failure: of a call, or of a tunnel that was refused. detail may be NULL or empty. */
void tally_error(struct tally_lac *lac, uint64_t wallclock, const char *text, const char *detail);

#endif
