/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * das_cache: which requests were answered, and how (RFC 5080 section 2.2.2).
 *
 * A request is known by source, port, identifier and authenticator. One with an Event-Timestamp is good
 * for a while, so its authenticator alone makes it unique, and somebody who recorded it could send it
 * from any port: then the port does not count, and the reply is kept as long as the request is good.
 */
#ifndef RADIUS_DAS_CACHE_H
#define RADIUS_DAS_CACHE_H

#include "radius/packet.h"

#include <sys/queue.h>

#define RADIUS_DAS_CACHE_BUCKETS 1024
#define RADIUS_DAS_CACHE_OCTETS  (4u << 20) /* what all entries may take; the oldest go */

/* What a request is known by. */
struct radius_das_key {
	struct sockaddr_storage from;
	uint8_t id;
	uint8_t authenticator[RADIUS_AUTH_LEN];
	bool any_port;
};

struct radius_das_entry {
	TAILQ_ENTRY(radius_das_entry) in_order;
	LIST_ENTRY(radius_das_entry) in_bucket;
	struct radius_das_key key;
	uint64_t until; /* the host's clock */
	size_t size;    /* of the reply's room */
	size_t len;
	uint8_t reply[];
};

/* Zero-initialised, then radius_das_cache_init. Owns the entries in it. */
struct radius_das_cache {
	TAILQ_HEAD(, radius_das_entry) order;
	LIST_HEAD(, radius_das_entry) buckets[RADIUS_DAS_CACHE_BUCKETS];
	size_t octets;
};

void radius_das_cache_init(struct radius_das_cache *cache);
void radius_das_cache_clear(struct radius_das_cache *cache);

/* The entry of a request that is known at that time, or NULL. */
const struct radius_das_entry *radius_das_cache_find(
	const struct radius_das_cache *cache, const struct radius_das_key *key, uint64_t now);

/*
 * Memory for a reply of up to size octets, so that a request is not carried out which cannot be
 * remembered; the caller's until it is added. NULL: none.
 */
struct radius_das_entry *radius_das_entry_new(const struct radius_das_key *key, size_t size);
/* Adds an entry with its reply, known for lifetime from now on. Takes it over. */
void radius_das_cache_add(struct radius_das_cache *cache, struct radius_das_entry *entry,
	uint64_t now, uint64_t lifetime);

/* Whether the hosts of two socket addresses are the same, and the ports, too, when they count. */
bool radius_das_same_source(
	const struct sockaddr_storage *a, const struct sockaddr_storage *b, bool any_port);

#endif
