/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the index of local users. */
#include "lns/subscriber/users.h"

#include "lns/config/config.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(users, none)
{
	struct config config = { 0 };
	struct users *users = users_new(&config);

	cr_assert(users);
	cr_assert(!users_find(users, "alice"));
	cr_assert(!users_find(users, ""));
	users_free(users);
	users_free(NULL);
}

/* Each of many is found by its own name and by no other. */
Test(users, many)
{
	enum { COUNT = 1000 };
	struct config_user *list = calloc(COUNT, sizeof(*list));
	struct config config = { .users = list, .user_count = COUNT };
	struct users *users;
	char name[16];

	cr_assert(list);
	for (unsigned int i = 0; i < COUNT; i++)
		snprintf(list[i].name, sizeof(list[i].name), "user%u", i);
	users = users_new(&config);
	cr_assert(users);
	for (unsigned int i = 0; i < COUNT; i++)
		cr_assert(users_find(users, list[i].name) == &list[i]);
	for (unsigned int i = COUNT; i < 2 * COUNT; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		cr_assert(!users_find(users, name));
	}
	cr_assert(!users_find(users, "User1"));
	cr_assert(!users_find(users, "user"));
	users_free(users);
	free(list);
}
