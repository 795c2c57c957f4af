/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * accounting: records made from the state memory alone, so that an engine can close what a dead one
 * left. The records of living subscribers go the same way (subscriber_priv.h).
 */
#ifndef LNS_SUBSCRIBER_ACCOUNTING_H
#define LNS_SUBSCRIBER_ACCOUNTING_H

#include "lns/kernel/kernel.h"
#include "lns/state.h"
#include "radius/spool.h"

struct config;

/* What happened to a session. */
struct accounting_event {
	enum radius_record_kind kind;
	const struct kernel_counters *counters; /* of the interface, NULL: none in the record */
	uint16_t terminate_cause;               /* 0: none */
	uint64_t wallclock, clock;              /* CLOCK_REALTIME and _BOOTTIME, microseconds */
};

/*
 * Puts a record of the session: its fixed attributes, the counters and the time since network-up. 0,
 * or -errno: nothing was put and durable is not called.
 */
int accounting_put(struct radius_spool *spool, const struct state_session *record,
	const struct accounting_event *event, void (*durable)(void *ctx, int err), void *ctx);

/*
 * Puts the Stop of a session. What it says is kept in its record first, so that another engine can put
 * it once more should this one not live until it is durable: accounting_stop_again. 0 or -errno, as
 * accounting_put.
 */
int accounting_stop(struct radius_spool *spool, struct state_session *record,
	const struct accounting_event *stop, void (*durable)(void *ctx, int err), void *ctx);
int accounting_stop_again(struct radius_spool *spool, const struct state_session *record,
	void (*durable)(void *ctx, int err), void *ctx);

/* Puts Accounting-On or -Off of the NAS itself. */
int accounting_put_nas(struct radius_spool *spool, enum radius_record_kind kind,
	const struct config *config, uint64_t wallclock);

/* now minus the counters at network-up, never below zero. */
void accounting_since(const struct state_session *record, const struct kernel_counters *now,
	struct kernel_counters *ret_since);

#endif
