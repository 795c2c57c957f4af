// SPDX-License-Identifier: BSD-2-Clause
/*
 * grant: what stands between an accepted password and the answer: how many sessions the user may have,
 * whose address it is, and whether what is granted would cut a tunnel off.
 *
 * Of two sessions that cannot both be, the section's policy says which gives way, unless the LAC of the
 * older one is gone. A new one waits for the address of one that ends, be it the only one that it may have
 * or one of a pool that has no other; pppd's question stays open meanwhile.
 */
#include "lns/subscriber/internal.h"

#include "lns/log.h"
#include "lns/subscriber/pool.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char lost[] = "its LAC is silent, and another session takes its place";

/* ---- sessions of a user ---- */

static struct subscriber_bucket *bucket_of_user(struct subscribers *all, const char *user)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *user; user++)
		hash = (hash ^ (unsigned char)*user) * UINT64_C(1099511628211);
	return subscriber_bucket_of(all->by_user, hash ^ hash >> 32);
}

static void unlist(struct subscriber *sub)
{
	if (sub->listed)
		LIST_REMOVE(sub, by_user);
	sub->listed = false;
}

static void list(struct subscriber *sub)
{
	unlist(sub);
	LIST_INSERT_HEAD(bucket_of_user(sub->all, sub->user), sub, by_user);
	sub->listed = true;
}

/* Another session of the same user that is not ending. */
static bool is_other(const struct subscriber *sub, const struct subscriber *other)
{
	return other != sub && other->state != SUBSCRIBER_ENDING &&
	       strcmp(other->user, sub->user) == 0;
}

/* Their number; *ret_oldest when there is one. */
static unsigned int count_others(const struct subscriber *sub, struct subscriber **ret_oldest)
{
	struct subscriber *other;
	unsigned int count = 0;

	LIST_FOREACH(other, bucket_of_user(sub->all, sub->user), by_user) {
		if (!is_other(sub, other))
			continue;
		if (count++ == 0 || other->key < (*ret_oldest)->key)
			*ret_oldest = other;
	}
	return count;
}

/* One of them whose LAC is gone, or NULL. All LACs are asked. */
static struct subscriber *find_lost(const struct subscriber *sub)
{
	struct subscriber *other, *found = NULL;

	LIST_FOREACH(other, bucket_of_user(sub->all, sub->user), by_user) {
		if (is_other(sub, other) && subscriber_is_lost(sub, other))
			found = other;
	}
	return found;
}

/* Waits for the answer of one of the LACs that were asked. True: grant is taken over. */
static bool wait_for_lacs(struct subscriber *sub, struct authorization *grant)
{
	struct subscriber *other;

	LIST_FOREACH(other, bucket_of_user(sub->all, sub->user), by_user) {
		if (is_other(sub, other) && subscriber_wait_for_lac(sub, grant, other))
			return true;
	}
	return false;
}

/* Whether the session may be, ending others that are gone, and older ones where that is the policy. */
static bool is_within_limit(struct subscriber *sub, unsigned int limit, int policy)
{
	struct subscriber *oldest = NULL, *gone;

	if (limit == 0 || sub->state == SUBSCRIBER_UP)
		return true;
	while (count_others(sub, &oldest) >= limit) {
		gone = find_lost(sub);
		if (!gone && policy != CONFIG_POLICY_REPLACE)
			return false;
		if (gone)
			subscriber_end(gone, END_TUNNEL, lost);
		else
			subscriber_end(oldest, END_REPLACED, "by a new one of the same user");
		if (sub->state == SUBSCRIBER_ENDING)
			return true; /* with the other one, and the caller looks */
	}
	return true;
}

/* ---- ends of tunnels ---- */

static bool covers_tunnel(const struct subscriber *sub, const struct addr_prefix *prefix)
{
	const struct subscribers_host *host = &sub->all->host;
	struct l2tp_tunnel_info info;

	if (!sub->l2tp)
		return false;
	l2tp_tunnel_info(l2tp_session_tunnel(sub->l2tp), &info);
	return addr_prefix_contains(prefix, &info.path.peer) ||
	       addr_prefix_contains(prefix, &info.path.local) ||
	       (host->covers_tunnel && host->covers_tunnel(host->ctx, prefix));
}

static struct addr_prefix host_prefix(uint32_t address)
{
	return (struct addr_prefix){
		.addr.in4 = { .sin_family = AF_INET, .sin_addr = { htonl(address) } }, .len = 32
	};
}

/* An address or network that would send a tunnel through itself. False: none, otherwise detail says which. */
static bool cuts_tunnel(
	const struct subscriber *sub, const struct authorization *grant, char *detail, size_t size)
{
	struct addr_prefix remote = host_prefix(grant->remote);
	char text[ADDR_TEXT];

	if (grant->ipv4 && grant->remote && covers_tunnel(sub, &remote)) {
		snprintf(detail, size, "%s is an end of a tunnel",
			addr_text_host(&remote.addr, text));
		return true;
	}
	for (size_t i = 0; i < grant->route_count; i++) {
		const struct addr_prefix *prefix = &grant->routes[i].prefix;

		if (!covers_tunnel(sub, prefix))
			continue;
		snprintf(detail, size, "the route to %s/%u covers an end of a tunnel",
			addr_text_host(&prefix->addr, text), prefix->len);
		return true;
	}
	return false;
}

/* ---- addresses ---- */

static struct subscriber *find_holder(const struct subscribers *all, uint32_t address)
{
	struct subscriber *sub;

	TAILQ_FOREACH(sub, &all->order, in_order)
		if (sub->address_held && sub->granted->remote == address)
			return sub;
	return NULL;
}

/* Takes or claims the client's address. 0, -EADDRINUSE, -EADDRNOTAVAIL, -ENOENT or -ENOMEM. */
static int take_address(struct subscriber *sub, struct authorization *grant)
{
	struct pools *pools = sub->all->host.pools;

	if (grant->address == AUTHORIZATION_PEER_CHOOSES || !grant->ipv4) {
		/* It authenticates again: what it has, it keeps. */
		grant->remote = sub->address_held ? sub->granted->remote : 0;
		return 0;
	}
	if (sub->address_held) {
		if (grant->address == AUTHORIZATION_FIXED && grant->remote != sub->granted->remote)
			return -EADDRNOTAVAIL;
		grant->remote = sub->granted->remote;
		return 0;
	}
	if (grant->address == AUTHORIZATION_FIXED)
		return pools_claim(pools, grant->remote);
	return pools_take(pools, grant->pool, sub->user, &grant->remote);
}

enum end_reason subscriber_claim_chosen(struct subscriber *sub, uint32_t address)
{
	struct addr_prefix prefix = host_prefix(address);

	if (sub->address_held)
		return address == sub->granted->remote ? END_NONE : END_PPPD;
	if (covers_tunnel(sub, &prefix) || address >> 24 == 0 || address >> 24 == 127 ||
		address >> 28 >= 0xe)
		return END_BAD_PROFILE;
	if (pools_claim(sub->all->host.pools, address) < 0)
		return END_ADDRESS_USED;
	sub->granted->remote = address;
	sub->address_held = true;
	return END_NONE;
}

/* The address is another's. True: sub waits, or has gone on already, and grant is taken over. */
static bool wait_for_address(struct subscriber *sub, struct authorization *grant, int policy)
{
	struct subscriber *holder = find_holder(sub->all, grant->remote);
	bool replace = policy == CONFIG_POLICY_REPLACE;

	if (!holder || holder == sub)
		return false;
	if (holder->state != SUBSCRIBER_ENDING && !replace && !subscriber_is_lost(sub, holder))
		return subscriber_wait_for_lac(sub, grant, holder);
	if (!subscriber_wait_for_end(sub, grant, holder))
		return false;
	subscriber_end(holder, replace ? END_REPLACED : END_TUNNEL,
		replace ? "by a new one with its address" : lost);
	return true;
}

/* Whether it has an address of that pool which nobody waits for. */
static bool may_leave(const struct subscriber *sub, const char *pool)
{
	return sub->address_held && !sub->awaited && sub->granted->address == AUTHORIZATION_POOL &&
	       strcmp(sub->granted->pool, pool) == 0;
}

/* A session that ends, and leaves an address to that pool; NULL: none. */
static struct subscriber *find_leaver(const struct subscribers *all, const char *pool)
{
	struct subscriber *sub;

	TAILQ_FOREACH(sub, &all->endings, in_queue)
		if (may_leave(sub, pool))
			return sub;
	return NULL;
}

/* What the user had before it came back, and has not ended: its LAC may be gone. NULL: none. */
static struct subscriber *find_earlier(const struct subscriber *sub, const char *pool)
{
	struct subscriber *other;

	LIST_FOREACH(other, bucket_of_user(sub->all, sub->user), by_user)
		if (is_other(sub, other) && may_leave(other, pool))
			return other;
	return NULL;
}

/*
 * The pool has no address left: after a storm, perhaps, whose old sessions have not gone yet, or are not
 * known to be gone. As wait_for_address.
 */
static bool wait_for_pool(struct subscriber *sub, struct authorization *grant)
{
	struct subscriber *other = find_leaver(sub->all, grant->pool);

	if (other)
		return subscriber_wait_for_end(sub, grant, other);
	other = find_earlier(sub, grant->pool);
	if (!other)
		return false;
	if (!subscriber_is_lost(sub, other))
		return subscriber_wait_for_lac(sub, grant, other);
	if (!subscriber_wait_for_end(sub, grant, other))
		return false;
	subscriber_end(other, END_TUNNEL, lost);
	return true;
}

/* ---- the grant ---- */

/* Why there is no address, in terms of the end. */
static enum end_reason reason_of(int err)
{
	switch (err) {
	case -EADDRINUSE:
		return END_ADDRESS_USED;
	case -ENOMEM:
		return END_NO_RESOURCE;
	default:
		return END_NO_ADDRESS;
	}
}

void subscriber_refuse_address(struct subscriber *sub, const struct authorization *grant, int err)
{
	struct addr_prefix address = host_prefix(grant->remote);
	char detail[128], text[ADDR_TEXT];

	if (grant->address == AUTHORIZATION_POOL)
		snprintf(detail, sizeof(detail), "pool \"%.63s\"", grant->pool);
	else
		snprintf(detail, sizeof(detail), "%s", addr_text_host(&address.addr, text));
	subscriber_refuse(sub, PPP_AUTH_UNAVAILABLE, reason_of(err), NULL, detail);
}

void subscriber_grant(struct subscriber *sub, struct authorization *grant)
{
	const struct config_ppp *ppp = subscriber_ppp(sub);
	char detail[128];
	int err = 0;

	if (grant->user[0])
		subscriber_set_user(sub, grant->user, strlen(grant->user));
	if (!is_within_limit(sub, grant->max_sessions, ppp ? ppp->over_limit : 0)) {
		if (wait_for_lacs(sub, grant))
			return;
		snprintf(detail, sizeof(detail), "limit %u", grant->max_sessions);
		subscriber_refuse(sub, PPP_AUTH_REJECT, END_OVER_LIMIT, NULL, detail);
		goto out;
	}
	if (sub->state == SUBSCRIBER_ENDING)
		goto out;
	if (cuts_tunnel(sub, grant, detail, sizeof(detail))) {
		subscriber_refuse(sub, PPP_AUTH_UNAVAILABLE, END_BAD_PROFILE, NULL, detail);
		goto out;
	}
	err = take_address(sub, grant);
	if (err == -EADDRINUSE && wait_for_address(sub, grant, ppp ? ppp->duplicate_address : 0))
		return;
	if (err == -EADDRNOTAVAIL && grant->address == AUTHORIZATION_POOL &&
		wait_for_pool(sub, grant))
		return;
	if (err < 0) {
		subscriber_refuse_address(sub, grant, err);
		goto out;
	}
	sub->address_held |= grant->remote != 0;
	authorization_free(sub->granted);
	sub->granted = grant;
	list(sub);
	sub->lac_asked = false;
	subscriber_accept(sub);
	return;
out:
	sub->lac_asked = false;
	authorization_free(grant);
}

void subscriber_ungrant(struct subscriber *sub)
{
	subscriber_stop_waiting(sub);
	if (sub->address_held)
		pools_release(sub->all->host.pools, sub->granted->remote);
	sub->address_held = false;
	unlist(sub);
	authorization_free(sub->granted);
	sub->granted = NULL;
	env_timer_free(sub->wait_timer);
	sub->wait_timer = NULL;
}
