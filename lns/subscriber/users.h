/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * users: the local users of a configuration by name, for a server without RADIUS.
 */
#ifndef LNS_SUBSCRIBER_USERS_H
#define LNS_SUBSCRIBER_USERS_H

struct config;
struct config_user;
struct users;

/* An index of config's users; borrows config. NULL when memory is short. */
struct users *users_new(const struct config *config);
void users_free(struct users *users);

/* The user of exactly that name, NULL when there is none. The time does not depend on how many. */
const struct config_user *users_find(const struct users *users, const char *name);

#endif
