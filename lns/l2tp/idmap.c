/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idmap: a sorted array of 16-bit ids and what they stand for.
 *
 * Insertion moves what lies behind, half a megabyte at the very most, which costs less than the packet
 * that caused it.
 */
#include "lns/l2tp/idmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The index of the first entry whose id is not below id. */
static unsigned int idmap_place(const struct idmap *map, unsigned int id)
{
	unsigned int low = 0, high = map->count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (map->entries[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int idmap_grow(struct idmap *map)
{
	unsigned int size = map->size ? map->size * 2 : 8;
	struct idmap_entry *entries;

	if (map->count < map->size)
		return 0;
	entries = reallocarray(map->entries, size, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	map->entries = entries;
	map->size = size;
	return 0;
}

int idmap_add(struct idmap *map, uint16_t id, void *object)
{
	unsigned int place = idmap_place(map, id);

	if (place < map->count && map->entries[place].id == id)
		return -EEXIST;
	if (idmap_grow(map))
		return -ENOMEM;
	memmove(map->entries + place + 1, map->entries + place,
		(map->count - place) * sizeof(*map->entries));
	map->entries[place] = (struct idmap_entry){ .id = id, .object = object };
	map->count++;
	return 0;
}

void idmap_remove(struct idmap *map, uint16_t id)
{
	unsigned int place = idmap_place(map, id);

	if (place >= map->count || map->entries[place].id != id)
		return;
	map->count--;
	memmove(map->entries + place, map->entries + place + 1,
		(map->count - place) * sizeof(*map->entries));
}

void *idmap_find(const struct idmap *map, uint16_t id)
{
	unsigned int place = idmap_place(map, id);

	if (place >= map->count || map->entries[place].id != id)
		return NULL;
	return map->entries[place].object;
}

void *idmap_next(const struct idmap *map, unsigned int after)
{
	unsigned int place = idmap_place(map, after + 1);

	return place < map->count ? map->entries[place].object : NULL;
}

void idmap_free(struct idmap *map)
{
	free(map->entries);
	*map = (struct idmap){ 0 };
}
