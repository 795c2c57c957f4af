/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idmap: a sorted map from 16-bit ids to objects: the tunnels of a server, the sessions of a tunnel.
 *
 * A sorted array: found by bisection, walked in ascending order, 8 octets an entry. The map borrows the
 * objects. Zero-initialised when empty.
 */
#ifndef LNS_L2TP_IDMAP_H
#define LNS_L2TP_IDMAP_H

#include <stdint.h>

struct idmap {
	struct idmap_entry {
		uint16_t id;
		void *object;
	} * entries;
	unsigned int count, size;
};

/* 0, -EEXIST or -ENOMEM. */
int idmap_add(struct idmap *map, uint16_t id, void *object);
void idmap_remove(struct idmap *map, uint16_t id);

/* NULL when there is none. */
void *idmap_find(const struct idmap *map, uint16_t id);
/* The object with the lowest id above after. */
void *idmap_next(const struct idmap *map, unsigned int after);

/* Frees the map, not the objects. */
void idmap_free(struct idmap *map);

#endif
