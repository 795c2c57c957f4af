/* SPDX-License-Identifier: BSD-2-Clause */
/* fake_monitor: what the engine provides: signals, kept channels, holds of tunnels, the state memory. */
#ifndef TESTS_UNIT_SUBSCRIBER_FAKE_MONITOR_H
#define TESTS_UNIT_SUBSCRIBER_FAKE_MONITOR_H

#include "lns/subscriber/subscriber.h"

#include <stdbool.h>
#include <stdint.h>

struct fake_monitor {
	unsigned int records; /* of the state memory in use */
	int kept;             /* channels */
	uint64_t sequence;
	bool no_records;
	struct state_session *taken[256];
	unsigned int room; /* for sessions, 0: any number */
	bool covers;       /* any prefix covers another tunnel's end */
};

extern const struct subscribers_host fake_host;

/* Frees the records that are left, as the end of the state memory does. */
void fake_monitor_free(void);

#endif
