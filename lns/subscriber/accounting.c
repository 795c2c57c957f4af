// SPDX-License-Identifier: BSD-2-Clause
/*
 * accounting: what RADIUS hears of a session (RFC 2866, 2867, 2869).
 *
 * The attributes that say which session this is are made once, at network-up, and kept in the state
 * memory: Start, Interim and Stop repeat them octet by octet, also from another engine. Input is what
 * came from the subscriber; counters are the interface's minus those at network-up. Checkpoints are for
 * the loss of that memory, too.
 */
#include "lns/subscriber/accounting.h"

#include "lns/log.h"
#include "lns/subscriber/attributes.h"
#include "lns/subscriber/internal.h"
#include "radius/attr_codes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- records ---- */

struct appending {
	struct radius_attrs *attrs;
	int err;
};

static bool append(void *ctx, radius_code code, const char *name, const uint8_t *data, size_t len)
{
	struct appending *appending = ctx;

	(void)name;
	appending->err = radius_add_octets(appending->attrs, code, data, len);
	return appending->err == 0;
}

/* Behind attrs all of others, which may be NULL. 0 or -errno. */
static int append_all(struct radius_attrs *attrs, const struct radius_attrs *others)
{
	struct appending appending = { attrs, 0 };

	if (others)
		radius_attrs_each(others, append, &appending);
	return appending.err;
}

static int encode(struct state_session *record, const struct radius_attrs *attrs)
{
	int len = radius_attrs_encode(attrs, record->attrs, sizeof(record->attrs));

	record->attrs_len = (uint16_t)(len < 0 ? 0 : len);
	return len < 0 ? len : 0;
}

/* What a record says of a session; each has what those before it have. */
enum said { SAID_IDENTITY, SAID_ECHOED, SAID_CLASSES };

/* What the session got, as far as it is to be said. 0 or -errno. */
static int add_grant(struct radius_attrs *attrs, const struct subscriber *sub,
	const struct ppp_ncp_up *up, enum said said)
{
	const struct authorization *grant = sub->granted;
	uint32_t address = sub->address_held ? htonl(grant->remote) : sub->remote;
	union addr remote = { .in4 = { .sin_family = AF_INET, .sin_addr = { address } } };
	int err = 0;

	if (address)
		err = radius_add_addr(attrs, RADIUS_FRAMED_IP_ADDRESS, &remote.sa);
	if (!err)
		err = radius_add_u32(attrs, RADIUS_ACCT_AUTHENTIC, 0,
			sub->all->config.config->has_radius ? RADIUS_AUTHENTIC_RADIUS
							    : RADIUS_AUTHENTIC_LOCAL);
	if (!err && up->family == PPP_IPV6 && !grant->has_interface_id)
		err = radius_add_octets(
			attrs, RADIUS_FRAMED_INTERFACE_ID, up->remote_id, sizeof(up->remote_id));
	if (!err && said >= SAID_ECHOED)
		err = append_all(attrs, grant->echoed);
	if (!err && said >= SAID_CLASSES)
		err = append_all(attrs, grant->classes);
	return err;
}

static int make_record(struct subscriber *sub, const struct ppp_ncp_up *up, enum said said)
{
	struct radius_attrs *attrs = radius_attrs_new();
	int err = attrs ? attributes_add(sub, ATTRIBUTE_ACCOUNTING, attrs) : -ENOMEM;

	err = err ? err : add_grant(attrs, sub, up, said);
	err = err ? err : encode(sub->record, attrs);
	radius_attrs_free(attrs);
	return err;
}

/*
 * The identity and what authorisation added, encoded into the state memory. Should that be more than it has
 * room for, the record does without Class, and then without all that only repeats an Access-Accept: the
 * longest identity fits. 0 or -errno.
 */
static int fix_record(struct subscriber *sub, const struct ppp_ncp_up *up)
{
	static const char *const names[] = { [SAID_ECHOED] = "attributes of its Access-Accept",
		[SAID_CLASSES] = "Class attributes" };
	enum said said = SAID_CLASSES;
	int err;

	while ((err = make_record(sub, up, said)) == -ENOSPC && said > SAID_IDENTITY)
		subscriber_log(
			sub, LOG_LEVEL_ERROR, "its %s are too long for accounting", names[said--]);
	return err;
}

static uint64_t saturated_minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

void accounting_since(const struct state_session *record, const struct kernel_counters *now,
	struct kernel_counters *ret_since)
{
	const struct kernel_counters *base = &record->base;

	ret_since->rx_octets = saturated_minus(now->rx_octets, base->rx_octets);
	ret_since->tx_octets = saturated_minus(now->tx_octets, base->tx_octets);
	ret_since->rx_packets = saturated_minus(now->rx_packets, base->rx_packets);
	ret_since->tx_packets = saturated_minus(now->tx_packets, base->tx_packets);
}

static int add_counters(struct radius_attrs *attrs, const struct state_session *record,
	const struct accounting_event *event)
{
	uint64_t lasted = saturated_minus(event->clock, record->up_clock);
	struct kernel_counters c;
	int err;

	accounting_since(record, event->counters, &c);
	err = radius_add_u32(
		attrs, RADIUS_ACCT_SESSION_TIME, 0, (uint32_t)((lasted + 500000) / 1000000));
	const struct {
		radius_code code;
		uint64_t value;
	} rows[] = {
		{ RADIUS_ACCT_INPUT_OCTETS, c.rx_octets & UINT32_MAX },
		{ RADIUS_ACCT_OUTPUT_OCTETS, c.tx_octets & UINT32_MAX },
		{ RADIUS_ACCT_INPUT_GIGAWORDS, c.rx_octets >> 32 },
		{ RADIUS_ACCT_OUTPUT_GIGAWORDS, c.tx_octets >> 32 },
		{ RADIUS_ACCT_INPUT_PACKETS, c.rx_packets & UINT32_MAX },
		{ RADIUS_ACCT_OUTPUT_PACKETS, c.tx_packets & UINT32_MAX },
	};
	for (size_t i = 0; !err && i < sizeof(rows) / sizeof(rows[0]); i++)
		err = radius_add_u32(attrs, rows[i].code, 0, (uint32_t)rows[i].value);
	return err;
}

int accounting_put(struct radius_spool *spool, const struct state_session *record,
	const struct accounting_event *event, void (*durable)(void *ctx, int err), void *ctx)
{
	struct radius_attrs *attrs;
	int err;

	if (record->attrs_len > sizeof(record->attrs))
		return -EPROTO;
	err = radius_attrs_decode(record->attrs, record->attrs_len, &attrs);
	if (err < 0)
		return err;
	if (event->counters)
		err = add_counters(attrs, record, event);
	if (!err && event->terminate_cause)
		err = radius_add_u32(attrs, RADIUS_ACCT_TERMINATE_CAUSE, 0, event->terminate_cause);
	if (!err)
		err = radius_spool_put(
			spool, record->key, event->kind, attrs, event->wallclock, durable, ctx);
	radius_attrs_free(attrs);
	return err;
}

int accounting_stop_again(struct radius_spool *spool, const struct state_session *record,
	void (*durable)(void *ctx, int err), void *ctx)
{
	return accounting_put(spool, record,
		&(struct accounting_event){ .kind = RADIUS_STOP,
			.counters = &record->last,
			.terminate_cause = (uint16_t)record->stop_cause,
			.wallclock = record->stop_wallclock,
			.clock = record->stop_clock },
		durable, ctx);
}

int accounting_stop(struct radius_spool *spool, struct state_session *record,
	const struct accounting_event *stop, void (*durable)(void *ctx, int err), void *ctx)
{
	record->last = *stop->counters;
	record->stop_cause = stop->terminate_cause;
	record->stop_wallclock = stop->wallclock;
	record->stop_clock = stop->clock;
	state_publish(&record->used, STATE_STOPPED);
	return accounting_stop_again(spool, record, durable, ctx);
}

int accounting_put_nas(struct radius_spool *spool, enum radius_record_kind kind,
	const struct config *config, uint64_t wallclock)
{
	struct radius_attrs *attrs = radius_attrs_new();
	int err = attrs ? attributes_add_nas(config, attrs) : -ENOMEM;

	if (!err)
		err = radius_spool_put(spool, 0, kind, attrs, wallclock, NULL, NULL);
	radius_attrs_free(attrs);
	return err;
}

/* At most one line a second: when one record is lost, all are. */
static void say_lost(struct subscriber *sub, const char *what, int err)
{
	struct subscribers *all = sub->all;
	unsigned int left_out;
	char others[32] = "";

	if (!log_limit_pass(&all->lost, env_now(all->host.env), &left_out))
		return;
	if (left_out > 0)
		snprintf(others, sizeof(others), " (and %u more)", left_out);
	subscriber_log(sub, LOG_LEVEL_ERROR, "its %s%s is lost: %s", what, others, strerror(-err));
}

/* Whether durable will be called; when not, the record is lost or nobody wants it. */
static bool put(struct subscriber *sub, const struct accounting_event *event,
	void (*durable)(void *ctx, int err))
{
	struct radius_spool *spool = sub->all->config.spool;
	int err;

	if (!spool)
		return false;
	if (event->kind == RADIUS_STOP)
		err = accounting_stop(spool, sub->record, event, durable, sub);
	else
		err = accounting_put(spool, sub->record, event, durable, sub);
	if (err < 0)
		say_lost(sub,
			event->kind == RADIUS_STOP    ? "Stop record"
			: event->kind == RADIUS_START ? "Start record"
						      : "Interim record",
			err);
	return err == 0;
}

/* What its Stop would say if everything were lost now. */
static void checkpoint(struct subscriber *sub, const struct accounting_event *event)
{
	struct state_session *record = sub->record;
	struct radius_attrs *attrs = radius_attrs_new();
	int err = attrs ? add_counters(attrs, record, event) : -ENOMEM;

	if (!err)
		err = radius_spool_checkpoint(
			sub->all->config.spool, &(struct radius_checkpoint){ .session = sub->key,
							.event_time = event->wallclock,
							.fixed = record->attrs,
							.fixed_len = record->attrs_len,
							.is_changed = sub->classes_changed,
							.attrs = attrs });
	if (err)
		say_lost(sub, "checkpoint", err);
	else
		sub->classes_changed = false;
	radius_attrs_free(attrs);
}

/* Spreads sessions over the interval by their keys, which came in one storm perhaps. */
static uint64_t first_interim(const struct subscriber *sub)
{
	uint64_t mixed = sub->key * UINT64_C(0x9e3779b97f4a7c15);

	return sub->granted->interim / 1024 * ((mixed >> 54) + 1);
}

static void start_durable(void *ctx, int err)
{
	(void)err;
	subscriber_log_online(ctx);
}

void subscriber_account_start(struct subscriber *sub, const struct ppp_ncp_up *up)
{
	struct env *env = sub->all->host.env;
	struct state_session *record = sub->record;
	int err = fix_record(sub, up);

	if (err < 0)
		subscriber_log(sub, LOG_LEVEL_ERROR, "its accounting record cannot be made: %s",
			strerror(-err));
	record->ifindex = up->ifindex;
	record->up_wallclock = env_wallclock(env);
	record->up_clock = env_now(env);
	record->base = (struct kernel_counters){ up->rx_octets, up->tx_octets, up->rx_packets,
		up->tx_packets };
	record->last = record->base;
	record->last_wallclock = record->up_wallclock;
	state_publish(&record->used, STATE_UP);
	sub->last_traffic = sub->sampled = env_now(env);
	sub->next_interim = sub->granted->interim ? env_now(env) + first_interim(sub) : 0;
	if (!put(sub,
		    &(struct accounting_event){ .kind = RADIUS_START,
			    .wallclock = record->up_wallclock,
			    .clock = record->up_clock },
		    start_durable))
		subscriber_log_online(sub);
}

void subscriber_set_rates(struct subscriber *sub, uint64_t rx_bps, uint64_t tx_bps)
{
	struct subscribers_counters *sum = &sub->all->counters;

	sum->rx_bps += rx_bps - sub->rx_bps;
	sum->tx_bps += tx_bps - sub->tx_bps;
	sub->rx_bps = rx_bps;
	sub->tx_bps = tx_bps;
}

/* Bit/s of what was counted within so many microseconds; counters that went back tell nothing. */
static uint64_t rate_of(uint64_t before, uint64_t after, uint64_t microseconds)
{
	if (after <= before || !microseconds)
		return 0;
	return (uint64_t)((double)(after - before) * 8e6 / (double)microseconds);
}

void subscriber_account_sample(struct subscriber *sub, const struct kernel_counters *counters)
{
	struct env *env = sub->all->host.env;
	struct state_session *record = sub->record;
	uint64_t now = env_now(env);
	bool is_up = sub->state == SUBSCRIBER_UP;

	if (counters->rx_packets != record->last.rx_packets ||
		counters->tx_packets != record->last.tx_packets)
		sub->last_traffic = now;
	if (is_up)
		subscriber_set_rates(sub,
			rate_of(record->last.rx_octets, counters->rx_octets, now - sub->sampled),
			rate_of(record->last.tx_octets, counters->tx_octets, now - sub->sampled));
	sub->sampled = now;
	record->last = *counters;
	record->last_wallclock = env_wallclock(env);
	const struct accounting_event event = { .kind = RADIUS_INTERIM,
		.counters = counters,
		.wallclock = record->last_wallclock,
		.clock = now };
	if (sub->all->checkpointing && sub->all->config.spool)
		checkpoint(sub, &event);
	if (!is_up)
		return;
	if (sub->next_interim && now >= sub->next_interim) {
		sub->next_interim = sub->granted->interim ? now + sub->granted->interim : 0;
		put(sub, &event, NULL);
	}
	if (sub->granted && sub->granted->idle_timeout &&
		now - sub->last_traffic >= sub->granted->idle_timeout)
		subscriber_end(sub, END_IDLE_TIMEOUT, NULL);
}

static void stop_durable(void *ctx, int err)
{
	(void)err; /* the spool has said what is wrong with the disk; the record is in memory */
	subscriber_account_stopped(ctx);
}

void subscriber_account_stop(struct subscriber *sub)
{
	sub->stop_put = true;
	sub->stop_durable = !put(sub,
		&(struct accounting_event){ .kind = RADIUS_STOP,
			.counters = sub->link_gone ? &sub->final : &sub->record->last,
			.terminate_cause =
				sub->lac_cause ? sub->lac_cause : end_rule(sub->reason)->acct_cause,
			.wallclock = sub->stop_wallclock,
			.clock = sub->stop_clock },
		stop_durable);
}
