/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * das_cache: replies by request, in the order of their age. Only requests with a right authenticator
 * come here, so the hash needs no protection and the limit is for a client that is out of order.
 */
#include "radius/das_cache.h"

#include <stdlib.h>
#include <string.h>

bool radius_das_same_source(
	const struct sockaddr_storage *a, const struct sockaddr_storage *b, bool any_port)
{
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr &&
		       (any_port || a4->sin_port == b4->sin_port);
	return a->ss_family == AF_INET6 && IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr) &&
	       (any_port || a6->sin6_port == b6->sin6_port);
}

static size_t bucket_of(const struct radius_das_key *key)
{
	return ((size_t)key->authenticator[0] << 8 | key->authenticator[1]) %
	       RADIUS_DAS_CACHE_BUCKETS;
}

static bool is_same(const struct radius_das_key *a, const struct radius_das_key *b)
{
	return a->id == b->id && a->any_port == b->any_port &&
	       memcmp(a->authenticator, b->authenticator, sizeof(a->authenticator)) == 0 &&
	       radius_das_same_source(&a->from, &b->from, a->any_port);
}

void radius_das_cache_init(struct radius_das_cache *cache)
{
	TAILQ_INIT(&cache->order);
}

static size_t octets_of(const struct radius_das_entry *entry)
{
	return sizeof(*entry) + entry->size;
}

static void remove_oldest(struct radius_das_cache *cache)
{
	struct radius_das_entry *entry = TAILQ_FIRST(&cache->order);

	TAILQ_REMOVE(&cache->order, entry, in_order);
	LIST_REMOVE(entry, in_bucket);
	cache->octets -= octets_of(entry);
	free(entry);
}

void radius_das_cache_clear(struct radius_das_cache *cache)
{
	while (!TAILQ_EMPTY(&cache->order))
		remove_oldest(cache);
}

const struct radius_das_entry *radius_das_cache_find(
	const struct radius_das_cache *cache, const struct radius_das_key *key, uint64_t now)
{
	const struct radius_das_entry *entry;

	LIST_FOREACH(entry, &cache->buckets[bucket_of(key)], in_bucket)
		if (entry->until > now && is_same(&entry->key, key))
			return entry;
	return NULL;
}

struct radius_das_entry *radius_das_entry_new(const struct radius_das_key *key, size_t size)
{
	struct radius_das_entry *entry = calloc(1, sizeof(*entry) + size);

	if (entry) {
		entry->key = *key;
		entry->size = size;
	}
	return entry;
}

void radius_das_cache_add(struct radius_das_cache *cache, struct radius_das_entry *entry,
	uint64_t now, uint64_t lifetime)
{
	while (!TAILQ_EMPTY(&cache->order) &&
		(TAILQ_FIRST(&cache->order)->until <= now ||
			cache->octets + octets_of(entry) > RADIUS_DAS_CACHE_OCTETS))
		remove_oldest(cache);
	entry->until = now + lifetime;
	TAILQ_INSERT_TAIL(&cache->order, entry, in_order);
	LIST_INSERT_HEAD(&cache->buckets[bucket_of(&entry->key)], entry, in_bucket);
	cache->octets += octets_of(entry);
}
