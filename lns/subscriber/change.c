// SPDX-License-Identifier: BSD-2-Clause
/*
 * change: changes what a session that is up was granted (RFC 5176: CoA), wholly or not at all: what can
 * fail is done before anything is changed.
 *
 * Class is part of what every later record says, so it is replaced in the state memory, too. That is
 * written so that an engine that dies meanwhile leaves a record that can be read.
 */
#include "lns/subscriber/internal.h"

#include "radius/attr_codes.h"

#include <errno.h>
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

int subscriber_change(struct subscriber *sub, const struct subscriber_change *change)
{
	struct radius_attrs *classes = NULL;
	uint8_t attrs[STATE_ATTRS_MAX];
	int len = 0;

	if (sub->state != SUBSCRIBER_UP)
		return -ENOTCONN;
	if (change->interim && *change->interim && *change->interim < INTERIM_MIN)
		return -EINVAL;
	if (change->classes) {
		len = make_attrs(sub->record, change->classes, attrs);
		if (len < 0)
			return len;
		classes = radius_attrs_copy(change->classes);
		if (!classes)
			return -ENOMEM;
		write_attrs(sub->record, attrs, (size_t)len);
		sub->classes_changed = true;
		radius_attrs_free(sub->granted->classes);
		sub->granted->classes = classes;
	}
	if (change->session_timeout) {
		sub->granted->session_timeout = ENV_SEC(*change->session_timeout);
		subscriber_time_session(sub);
	}
	if (change->idle_timeout)
		sub->granted->idle_timeout = ENV_SEC(*change->idle_timeout);
	if (change->interim)
		set_interim(sub, ENV_SEC(*change->interim));
	return 0;
}
