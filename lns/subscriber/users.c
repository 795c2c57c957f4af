/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * users: a hash table over the users of a configuration; see users.h.
 *
 * Half full at most, never changed once made. Whoever guesses names cannot make it slow: what is in it
 * is the operator's.
 */
#include "lns/subscriber/users.h"

#include "lns/config/config.h"

#include <stdlib.h>
#include <string.h>

struct users {
	const struct config *config;
	size_t size;      /* a power of two */
	uint32_t slots[]; /* index of the user + 1, 0 = empty */
};

static size_t name_hash(const char *name)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
	return hash ^ hash >> 32;
}

/* The slot that has the user of that name, or the empty one where it belongs. */
static size_t find_slot(const struct users *users, const char *name)
{
	size_t slot = name_hash(name) & (users->size - 1);

	while (users->slots[slot] &&
		strcmp(users->config->users[users->slots[slot] - 1].name, name))
		slot = (slot + 1) & (users->size - 1);
	return slot;
}

struct users *users_new(const struct config *config)
{
	struct users *users;
	size_t size = 2;

	while (size < config->user_count * 2)
		size *= 2;
	users = calloc(1, sizeof(*users) + size * sizeof(users->slots[0]));
	if (!users)
		return NULL;
	users->config = config;
	users->size = size;
	for (size_t i = 0; i < config->user_count; i++)
		users->slots[find_slot(users, config->users[i].name)] = i + 1;
	return users;
}

void users_free(struct users *users)
{
	free(users);
}

const struct config_user *users_find(const struct users *users, const char *name)
{
	uint32_t slot = users->slots[find_slot(users, name)];

	return slot ? &users->config->users[slot - 1] : NULL;
}
