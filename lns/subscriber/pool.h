/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool: which IPv4 address belongs to a subscriber, so that none belongs to two.
 *
 * struct pools knows every address in use: those taken from a pool and those claimed because RADIUS or
 * the users file said so, inside or outside of any pool. Addresses are in host byte order.
 */
#ifndef LNS_SUBSCRIBER_POOL_H
#define LNS_SUBSCRIBER_POOL_H

#include <stddef.h>
#include <stdint.h>

struct config;
struct pools;

/* Without any pool. NULL when memory is short. */
struct pools *pools_new(void);
void pools_free(struct pools *pools);

/*
 * From now on the pools of config, with the addresses of its users reserved for claims. Addresses in
 * use stay so, whether they are in a pool still or not. 0, or -ENOMEM and nothing changed.
 */
int pools_configure(struct pools *pools, const struct config *config);

/*
 * A free address of a pool: the one that user had last, if it is free, otherwise the one that was
 * unused longest, roughly. 0 and *ret_addr, -ENOENT (no such pool), -EADDRNOTAVAIL (all in use).
 */
int pools_take(struct pools *pools, const char *pool, const char *user, uint32_t *ret_addr);

/* Takes just this address, wherever it is. 0, -EADDRINUSE, or -ENOMEM. */
int pools_claim(struct pools *pools, uint32_t addr);

/* Gives an address back that was taken or claimed; any other is left alone. */
void pools_release(struct pools *pools, uint32_t addr);

struct pool_info {
	const char *name;
	uint32_t size, used, reserved; /* reserved: for users, and not in use */
};
/* The index-th pool, in the order of the configuration: 0, or -ENOENT behind the last. */
int pools_info(const struct pools *pools, size_t index, struct pool_info *ret_info);
/* Addresses in use that are in no pool. */
size_t pools_outside(const struct pools *pools);

#endif
