// SPDX-License-Identifier: BSD-2-Clause
/*
 * change: changes what a session that is up was granted (RFC 5176: CoA), wholly or not at all: what can
 * fail is done before anything is changed.
 *
 * Rates are the kernel's: it is asked first, and the rest follows once it has agreed.
 *
 * Class is part of what every later record says, so it is replaced in the state memory, too. That is
 * written so that an engine that dies meanwhile leaves a record that can be read.
 */
#include "lns/subscriber/internal.h"

#include "lns/log.h"
#include "lns/subscriber/limit.h"
#include "lns/subscriber/rates.h"
#include "radius/attr_codes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INTERIM_MIN 60 /* seconds, RFC 2869 section 5.16 */
#define ATTR_HEADER 2

/* The length of the attribute at octets, 0 when it is not whole. */
static size_t attr_len(const uint8_t *octets, size_t left)
{
	return left >= ATTR_HEADER && octets[1] >= ATTR_HEADER && octets[1] <= left ? octets[1] : 0;
}

/* The attributes of a record with these classes instead of its own. Their length, or -errno. */
static int make_attrs(const struct state_session *record, const struct radius_attrs *classes,
	uint8_t attrs[STATE_ATTRS_MAX])
{
	size_t used = 0, len;
	int added;

	for (size_t at = 0; at < record->attrs_len; at += len) {
		len = attr_len(record->attrs + at, record->attrs_len - at);
		if (!len)
			return -EPROTO;
		if (record->attrs[at] == RADIUS_CLASS)
			continue;
		memcpy(attrs + used, record->attrs + at, len);
		used += len;
	}
	added = radius_attrs_encode(classes, attrs + used, STATE_ATTRS_MAX - used);
	return added < 0 ? added : (int)used + added;
}

/* How far both begin with the same attributes. */
static size_t common_len(const struct state_session *record, const uint8_t *attrs, size_t len)
{
	size_t at = 0, next;

	while ((next = attr_len(attrs + at, len - at)) && next <= record->attrs_len - at &&
		memcmp(attrs + at, record->attrs + at, next) == 0)
		at += next;
	return at;
}

/* attrs_len never covers attributes that are being written. */
static void write_attrs(struct state_session *record, const uint8_t *attrs, size_t len)
{
	size_t same = common_len(record, attrs, len);

	__atomic_store_n(&record->attrs_len, (uint16_t)same, __ATOMIC_SEQ_CST);
	memcpy(record->attrs + same, attrs + same, len - same);
	__atomic_store_n(&record->attrs_len, (uint16_t)len, __ATOMIC_SEQ_CST);
}

void subscriber_time_session(struct subscriber *sub)
{
	uint64_t lasted = env_now(sub->all->host.env) - sub->up;
	uint64_t timeout = sub->granted->session_timeout;

	env_timer_stop(sub->timer);
	if (timeout)
		env_timer_start(sub->timer, timeout > lasted ? timeout - lasted : 0);
}

static void set_interim(struct subscriber *sub, uint64_t interval)
{
	sub->granted->interim = interval;
	sub->next_interim = interval ? env_now(sub->all->host.env) + interval : 0;
}

/* A change of which nothing can fail any more but what the kernel says. */
struct subscriber_pending_change {
	struct kernel_limits limits;
	bool has_session_timeout, has_idle_timeout, has_interim;
	uint32_t session_timeout, idle_timeout, interim;
	struct radius_attrs *classes; /* ours; NULL: left alone */
	uint8_t attrs[STATE_ATTRS_MAX];
	size_t attrs_len;
	subscriber_changed_fn *done;
	void *ctx;
};

static void pending_free(struct subscriber_pending_change *pending)
{
	radius_attrs_free(pending->classes);
	free(pending);
}

static bool take_number(const uint32_t *given, uint32_t *ret_number)
{
	if (given)
		*ret_number = *given;
	return given != NULL;
}

struct reading {
	struct kernel_limits *limits;
	int err;
};

static bool read_rate(
	void *ctx, radius_code code, const char *name, const uint8_t *data, size_t len)
{
	struct reading *reading = ctx;

	(void)name;
	reading->err = rates_read(reading->limits, code, data, len);
	return reading->err == 0;
}

/* Everything that can be known to fail. 0, or -errno. */
static int prepare(struct subscriber *sub, const struct subscriber_change *change,
	struct subscriber_pending_change *pending)
{
	struct reading reading = { &pending->limits, 0 };
	int len;

	pending->limits = sub->granted->limits;
	if (change->rates)
		radius_attrs_each(change->rates, read_rate, &reading);
	if (reading.err < 0)
		return reading.err;
	pending->has_session_timeout =
		take_number(change->session_timeout, &pending->session_timeout);
	pending->has_idle_timeout = take_number(change->idle_timeout, &pending->idle_timeout);
	pending->has_interim = take_number(change->interim, &pending->interim);
	if (pending->interim && pending->interim < INTERIM_MIN)
		return -EINVAL;
	if (!change->classes)
		return 0;
	len = make_attrs(sub->record, change->classes, pending->attrs);
	if (len < 0)
		return len;
	pending->attrs_len = (size_t)len;
	pending->classes = radius_attrs_copy(change->classes);
	return pending->classes ? 0 : -ENOMEM;
}

/* Cannot fail. */
static void apply(struct subscriber *sub, struct subscriber_pending_change *pending)
{
	struct authorization *grant = sub->granted;

	if (pending->classes) {
		write_attrs(sub->record, pending->attrs, pending->attrs_len);
		sub->classes_changed = true;
		radius_attrs_free(grant->classes);
		grant->classes = pending->classes;
		pending->classes = NULL;
	}
	if (pending->has_session_timeout) {
		grant->session_timeout = ENV_SEC(pending->session_timeout);
		subscriber_time_session(sub);
	}
	if (pending->has_idle_timeout)
		grant->idle_timeout = ENV_SEC(pending->idle_timeout);
	if (pending->has_interim)
		set_interim(sub, ENV_SEC(pending->interim));
	grant->limits = pending->limits;
}

static void finish(struct subscriber *sub, int err)
{
	struct subscriber_pending_change *pending = sub->changing;

	sub->changing = NULL;
	pending->done(pending->ctx, err);
	pending_free(pending);
}

static void change_limited(struct subscriber *sub, const char *problem)
{
	if (problem)
		subscriber_log(sub, LOG_LEVEL_ERROR, "user \"%s\" is not changed: %s",
			sub->user_text, problem);
	else
		apply(sub, sub->changing);
	finish(sub, problem ? -EIO : 0);
}

/* 0: applied; -EINPROGRESS: pending is kept; or -errno. */
static int carry_out(struct subscriber *sub, struct subscriber_pending_change *pending)
{
	int err = subscriber_limit(sub, &pending->limits, change_limited);

	if (err == 0) {
		sub->changing = pending;
		return -EINPROGRESS;
	}
	if (err > 0)
		apply(sub, pending);
	return err < 0 ? -ENOMEM : 0;
}

int subscriber_change(struct subscriber *sub, const struct subscriber_change *change)
{
	struct subscriber_pending_change *pending;
	int err;

	if (sub->state != SUBSCRIBER_UP)
		return -ENOTCONN;
	if (sub->changing || sub->limiting)
		return -EBUSY;
	pending = calloc(1, sizeof(*pending));
	if (!pending)
		return -ENOMEM;
	pending->done = change->done;
	pending->ctx = change->ctx;
	err = prepare(sub, change, pending);
	if (!err && change->rates)
		err = carry_out(sub, pending);
	else if (!err)
		apply(sub, pending);
	if (err != -EINPROGRESS)
		pending_free(pending);
	return err;
}

void subscriber_change_abort(struct subscriber *sub, int err)
{
	if (!sub->changing)
		return;
	subscriber_limit_cancel(sub);
	finish(sub, err);
}
