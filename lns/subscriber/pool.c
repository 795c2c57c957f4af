/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool: address ownership, see pool.h.
 *
 * A pool numbers its addresses through all its ranges. Two bitmaps say which are in use and which are
 * not to be handed out (in use or reserved); a third has a bit for each word of the second that is
 * full, so that a search looks at one bit per 64 addresses. Searches go on where the last one ended:
 * an address that was given back rests as long as possible, and its user may get it again.
 *
 * Who had what is remembered in a table without collision handling: forgetting is harmless.
 *
 * Ownership: struct pools owns everything here; names are copies.
 */
#include "lns/subscriber/pool.h"

#include "lns/config/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LAST_MAX (UINT32_C(1) << 18) /* users whose last address is remembered */

struct pool {
	char name[64];
	uint32_t size, used, reserved_used;
	uint32_t reserved; /* also those in use */
	uint32_t next;     /* where the search goes on */
	uint64_t *taken;   /* bit: in use */
	uint64_t *kept;    /* bit: reserved for a user */
	uint64_t *full;    /* bit: 64 addresses of which none is free */
};

struct range {
	uint32_t first, last; /* addresses */
	uint32_t start;       /* number of the first in its pool */
	struct pool *pool;
};

/* Addresses of no pool: open addressing, 0 is empty (0.0.0.0 is nobody's address). */
struct addr_set {
	uint32_t *slots;
	size_t size, count; /* size: a power of two, or 0 */
};

struct last {
	uint64_t user; /* hash of pool and user; 0: empty */
	uint32_t addr;
};

struct pools {
	struct pool *pools;
	size_t pool_count;
	struct range *ranges; /* sorted, disjoint */
	size_t range_count;
	struct addr_set outside;
	struct last *last;
	uint32_t last_size; /* a power of two */
};

/* ---- bitmaps ---- */

static bool bit_get(const uint64_t *map, uint32_t n)
{
	return map[n / 64] >> n % 64 & 1;
}

static void bit_set(uint64_t *map, uint32_t n, bool value)
{
	uint64_t bit = UINT64_C(1) << n % 64;

	map[n / 64] = value ? map[n / 64] | bit : map[n / 64] & ~bit;
}

static size_t words(uint32_t bits)
{
	return ((size_t)bits + 63) / 64;
}

/* Bits of word w that are free to hand out; those behind the pool's end are not. */
static uint64_t free_bits(const struct pool *pool, uint32_t w)
{
	uint64_t free_map = ~(pool->taken[w] | pool->kept[w]);

	if (w == pool->size / 64)
		free_map &= (UINT64_C(1) << pool->size % 64) - 1;
	return free_map;
}

static void pool_mark(struct pool *pool, uint32_t n, bool taken)
{
	uint32_t change = taken ? 1 : UINT32_MAX;

	bit_set(pool->taken, n, taken);
	bit_set(pool->full, n / 64, !free_bits(pool, n / 64));
	pool->used += change;
	if (bit_get(pool->kept, n))
		pool->reserved_used += change;
}

static void pool_reserve(struct pool *pool, uint32_t n)
{
	if (bit_get(pool->kept, n))
		return;
	bit_set(pool->kept, n, true);
	bit_set(pool->full, n / 64, !free_bits(pool, n / 64));
	pool->reserved++;
	pool->reserved_used += bit_get(pool->taken, n);
}

/* The first word from `from` on, round the end, that has a free address; false: none has. */
static bool find_word(const struct pool *pool, uint32_t from, uint32_t *ret_word)
{
	uint32_t count = words(pool->size), outer = words(count);

	for (uint32_t i = 0; i <= outer; i++) {
		uint32_t w = (from / 64 + i) % outer;
		uint64_t open = ~pool->full[w];

		if (w == count / 64)
			open &= (UINT64_C(1) << count % 64) - 1;
		if (i == 0)
			open &= ~UINT64_C(0) << from % 64;
		if (open) {
			*ret_word = w * 64 + __builtin_ctzll(open);
			return true;
		}
	}
	return false;
}

static bool pool_search(const struct pool *pool, uint32_t *ret_n)
{
	uint32_t word = pool->next / 64;
	uint64_t open = pool->size ? free_bits(pool, word) & (~UINT64_C(0) << pool->next % 64) : 0;

	if (!pool->size)
		return false;
	if (!open) {
		/* Behind this word; its beginning, too, when the search comes round. */
		if (!find_word(pool, (word + 1) % words(pool->size), &word))
			return false;
		open = free_bits(pool, word);
	}
	*ret_n = word * 64 + __builtin_ctzll(open);
	return true;
}

/* ---- addresses and numbers ---- */

static struct range *find_range(const struct pools *pools, uint32_t addr)
{
	size_t low = 0, high = pools->range_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct range *range = &pools->ranges[middle];

		if (addr < range->first)
			high = middle;
		else if (addr > range->last)
			low = middle + 1;
		else
			return range;
	}
	return NULL;
}

static uint32_t range_number(const struct range *range, uint32_t addr)
{
	return range->start + (addr - range->first);
}

/* Number n of a pool as an address; a pool has few ranges. */
static uint32_t pool_addr(const struct pools *pools, const struct pool *pool, uint32_t n)
{
	for (size_t i = 0; i < pools->range_count; i++) {
		const struct range *range = &pools->ranges[i];

		if (range->pool == pool && n >= range->start &&
			n - range->start <= range->last - range->first)
			return range->first + (n - range->start);
	}
	return 0;
}

/* ---- addresses outside ---- */

static size_t set_slot(const struct addr_set *set, uint32_t addr)
{
	size_t slot = (addr * UINT32_C(2654435761)) & (set->size - 1);

	while (set->slots[slot] && set->slots[slot] != addr)
		slot = (slot + 1) & (set->size - 1);
	return slot;
}

static bool set_has(const struct addr_set *set, uint32_t addr)
{
	return set->size && set->slots[set_slot(set, addr)] == addr;
}

/* Makes room for one more: 0 or -ENOMEM. */
static int set_grow(struct addr_set *set)
{
	struct addr_set bigger = { .size = set->size ? set->size * 2 : 64, .count = set->count };

	if (set->count + 1 <= set->size / 2)
		return 0;
	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < set->size; i++)
		if (set->slots[i])
			bigger.slots[set_slot(&bigger, set->slots[i])] = set->slots[i];
	free(set->slots);
	*set = bigger;
	return 0;
}

static int set_add(struct addr_set *set, uint32_t addr)
{
	int error = set_grow(set);

	if (!error) {
		set->slots[set_slot(set, addr)] = addr;
		set->count++;
	}
	return error;
}

/* Removes addr, and moves up those that its slot kept from theirs. */
static void set_remove(struct addr_set *set, uint32_t addr)
{
	size_t slot = set_slot(set, addr);

	set->slots[slot] = 0;
	set->count--;
	for (slot = (slot + 1) & (set->size - 1); set->slots[slot];
		slot = (slot + 1) & (set->size - 1)) {
		uint32_t moved = set->slots[slot];

		set->slots[slot] = 0;
		set->slots[set_slot(set, moved)] = moved;
	}
}

/* ---- configuration ---- */

struct pools *pools_new(void)
{
	return calloc(1, sizeof(struct pools));
}

static void pools_clear(struct pools *pools)
{
	for (size_t i = 0; i < pools->pool_count; i++) {
		free(pools->pools[i].taken);
		free(pools->pools[i].kept);
		free(pools->pools[i].full);
	}
	free(pools->pools);
	free(pools->ranges);
	free(pools->outside.slots);
	free(pools->last);
}

void pools_free(struct pools *pools)
{
	if (!pools)
		return;
	pools_clear(pools);
	free(pools);
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* The pool of a section, and its ranges behind those that are there. */
static int make_pool(struct pools *pools, const struct config_pool *config)
{
	struct pool *pool = &pools->pools[pools->pool_count++];

	memcpy(pool->name, config->name, sizeof(pool->name));
	for (size_t i = 0; i < config->range_count; i++) {
		const struct config_pool_range *range = &config->ranges[i];

		pools->ranges[pools->range_count++] =
			(struct range){ range->first, range->last, pool->size, pool };
		pool->size += range->last - range->first + 1;
	}
	pool->taken = calloc(words(pool->size) + 1, sizeof(*pool->taken));
	pool->kept = calloc(words(pool->size) + 1, sizeof(*pool->kept));
	pool->full = calloc(words(words(pool->size)) + 1, sizeof(*pool->full));
	return pool->taken && pool->kept && pool->full ? 0 : -ENOMEM;
}

static int make_pools(struct pools *pools, const struct config *config)
{
	size_t ranges = 0;
	uint64_t size = 0;
	int error = 0;

	for (size_t i = 0; i < config->pool_count; i++)
		ranges += config->pools[i].range_count;
	pools->pools = calloc(config->pool_count + 1, sizeof(*pools->pools));
	pools->ranges = calloc(ranges + 1, sizeof(*pools->ranges));
	if (!pools->pools || !pools->ranges)
		return -ENOMEM;
	for (size_t i = 0; i < config->pool_count && !error; i++) {
		error = make_pool(pools, &config->pools[i]);
		size += pools->pools[i].size;
	}
	qsort(pools->ranges, pools->range_count, sizeof(*pools->ranges), compare_ranges);
	for (pools->last_size = 1; pools->last_size < size && pools->last_size < LAST_MAX;)
		pools->last_size *= 2;
	pools->last = calloc(pools->last_size, sizeof(*pools->last));
	if (error || !pools->last)
		return -ENOMEM;
	for (size_t i = 0; i < config->user_count; i++) {
		uint32_t host = addr_in4(&config->users[i].address);
		struct range *range = find_range(pools, host);

		if (range)
			pool_reserve(range->pool, range_number(range, host));
	}
	return 0;
}

/* Everything in use in old is in use in pools. */
static int keep_claims(struct pools *pools, const struct pools *old)
{
	int error = 0;

	for (size_t i = 0; i < old->range_count && !error; i++) {
		const struct range *range = &old->ranges[i];
		uint32_t count = range->last - range->first + 1;

		for (uint32_t at = 0; at < count && !error;) {
			uint32_t n = range->start + at;

			if (bit_get(range->pool->taken, n))
				error = pools_claim(pools, range->first + at);
			at += range->pool->taken[n / 64] ? 1 : 64 - n % 64;
		}
	}
	for (size_t i = 0; i < old->outside.size && !error; i++)
		if (old->outside.slots[i])
			error = pools_claim(pools, old->outside.slots[i]);
	return error;
}

static uint64_t last_hash(const char *pool, const char *user)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (const char *c = pool; *c; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
	hash *= UINT64_C(1099511628211);
	for (const char *c = user; *c; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
	hash ^= hash >> 32;
	return hash ? hash : 1;
}

int pools_configure(struct pools *pools, const struct config *config)
{
	struct pools fresh = { 0 };
	int error = make_pools(&fresh, config);

	if (!error)
		error = keep_claims(&fresh, pools);
	if (error) {
		pools_clear(&fresh);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < pools->last_size; i++)
		if (pools->last[i].user)
			fresh.last[pools->last[i].user & (fresh.last_size - 1)] = pools->last[i];
	pools_clear(pools);
	*pools = fresh;
	return 0;
}

/* ---- taking and giving back ---- */

/* The number of the address that the user had last, if it is this pool's and free. */
static bool last_number(
	const struct pools *pools, const struct pool *pool, uint64_t user, uint32_t *ret_n)
{
	const struct last *last = &pools->last[user & (pools->last_size - 1)];
	const struct range *range = last->user == user ? find_range(pools, last->addr) : NULL;
	uint32_t n = range && range->pool == pool ? range_number(range, last->addr) : 0;

	if (!range || range->pool != pool || bit_get(pool->taken, n) || bit_get(pool->kept, n))
		return false;
	*ret_n = n;
	return true;
}

int pools_take(struct pools *pools, const char *pool, const char *user, uint32_t *ret_addr)
{
	struct pool *p = pools->pools;
	struct pool *end = pools->pools + pools->pool_count;
	uint64_t hash = last_hash(pool, user);
	uint32_t n, addr;

	while (p < end && strcmp(p->name, pool))
		p++;
	if (p == end)
		return -ENOENT;
	if (!last_number(pools, p, hash, &n)) {
		if (!pool_search(p, &n))
			return -EADDRNOTAVAIL;
		p->next = n + 1 < p->size ? n + 1 : 0;
	}
	addr = pool_addr(pools, p, n);
	pool_mark(p, n, true);
	pools->last[hash & (pools->last_size - 1)] = (struct last){ hash, addr };
	*ret_addr = addr;
	return 0;
}

int pools_claim(struct pools *pools, uint32_t addr)
{
	struct range *range = find_range(pools, addr);

	if (range) {
		uint32_t n = range_number(range, addr);

		if (bit_get(range->pool->taken, n))
			return -EADDRINUSE;
		pool_mark(range->pool, n, true);
		return 0;
	}
	if (!addr || set_has(&pools->outside, addr))
		return -EADDRINUSE;
	return set_add(&pools->outside, addr);
}

void pools_release(struct pools *pools, uint32_t addr)
{
	struct range *range = find_range(pools, addr);

	if (range) {
		uint32_t n = range_number(range, addr);

		if (bit_get(range->pool->taken, n))
			pool_mark(range->pool, n, false);
	} else if (addr && set_has(&pools->outside, addr)) {
		set_remove(&pools->outside, addr);
	}
}

int pools_info(const struct pools *pools, size_t index, struct pool_info *ret_info)
{
	const struct pool *pool = pools->pools + index;

	if (index >= pools->pool_count)
		return -ENOENT;
	*ret_info = (struct pool_info){ pool->name, pool->size, pool->used,
		pool->reserved - pool->reserved_used };
	return 0;
}

size_t pools_outside(const struct pools *pools)
{
	return pools->outside.count;
}
