/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * history: the last sessions that ended and calls that failed, and why; for whoever asks why somebody
 * cannot connect. A ring in memory: the oldest goes when it is full.
 */
#ifndef LNS_SUBSCRIBER_HISTORY_H
#define LNS_SUBSCRIBER_HISTORY_H

#include "lns/kernel/kernel.h"
#include "lns/subscriber/end.h"

#include <stdbool.h>
#include <stdint.h>

#define HISTORY_MAX 4096 /* entries, about half a kilobyte each */

struct history_entry {
	uint64_t number;    /* ascending from 1, set by history_add */
	uint64_t key;       /* of the session */
	uint64_t wallclock; /* of the end, microseconds */
	uint64_t lasted;    /* since network-up, microseconds; 0 = it never was */
	enum end_reason reason;
	bool was_up;
	const char *state; /* subscriber_state_word of the state that ended; static */
	uint16_t tunnel_id;
	uint32_t remote; /* network byte order, 0 = none */
	struct kernel_counters counters;
	/* printable */
	char user[128], lac[64], peer_host[64], calling[65], called[65], detail[160];
};

struct history;

/* Empty; NULL when memory is short. */
struct history *history_new(void);
void history_free(struct history *history);

/* Copies entry. */
void history_add(struct history *history, const struct history_entry *entry);

/* The newest entry whose number is below before (0: the newest of all), NULL when there is none left. */
const struct history_entry *history_before(const struct history *history, uint64_t before);

#endif
