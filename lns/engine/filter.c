// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine/filter: the arguments of requests that say which sessions, tunnels and ends are meant. A value
 * that nothing can ever have is a mistake, and is told.
 */
#include "lns/engine/commands.h"

#include "lns/subscriber/history.h"
#include "lns/subscriber/tally.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *args, const char *key)
{
	return json_string_value(json_object_get(args, key));
}

bool engine_filter_text(const json_t *args, const char *key, const char *value)
{
	const char *wanted = text_of(args, key);

	return !wanted || (value && strcmp(wanted, value) == 0);
}

/* "2001:DB8::0:1" and "2001:db8::1" are one. */
bool engine_filter_addr(const json_t *args, const union addr *addr)
{
	const char *wanted = text_of(args, "ip");
	struct in6_addr in6;
	struct in_addr in4;

	if (!wanted)
		return true;
	if (addr->sa.sa_family == AF_INET && inet_pton(AF_INET, wanted, &in4) == 1)
		return in4.s_addr == addr->in4.sin_addr.s_addr;
	if (addr->sa.sa_family == AF_INET6 && inet_pton(AF_INET6, wanted, &in6) == 1)
		return memcmp(&in6, &addr->in6.sin6_addr, sizeof(in6)) == 0;
	return false;
}

bool engine_filter_session(const json_t *args, const struct subscriber_info *info)
{
	return engine_filter_text(args, "user", info->user) &&
	       engine_filter_text(args, "lac", info->lac) &&
	       engine_filter_text(args, "state", info->state) &&
	       engine_filter_text(args, "calling", info->calling) &&
	       engine_filter_addr(args, &info->remote);
}

bool engine_filter_end(const json_t *args, const struct history_entry *entry)
{
	union addr remote = { .in4 = { .sin_family = entry->remote ? AF_INET : AF_UNSPEC,
				      .sin_addr = { entry->remote } } };

	return engine_filter_text(args, "user", entry->user) &&
	       engine_filter_text(args, "lac", entry->lac) &&
	       engine_filter_text(args, "calling", entry->calling) &&
	       engine_filter_addr(args, &remote) &&
	       (!json_is_true(json_object_get(args, "failed")) || !entry->was_up);
}

bool engine_lac_is_known(struct engine *engine, const char *name)
{
	const struct tally *tally = subscribers_tally(engine->subscribers);

	for (size_t i = 0; i < engine->config->lac_count; i++)
		if (strcmp(engine->config->lacs[i].lac.name, name) == 0)
			return true;
	for (unsigned int i = 0; i < tally->count; i++)
		if (strcmp(tally->lacs[i].name, name) == 0)
			return true;
	return false;
}

static bool is_session_state(const char *word)
{
	for (unsigned int state = 0; state < SUBSCRIBER_STATES; state++)
		if (strcmp(subscriber_state_word(state), word) == 0)
			return true;
	return false;
}

static bool is_tunnel_state(const char *word)
{
	static const char *const words[] = { "wait-ctl-reply", "wait-ctl-conn", "established",
		"closing", "closed", "waiting", "making", "up", "failed" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

bool engine_filter_check(
	struct engine *engine, const json_t *args, bool of_tunnels, char *error, size_t size)
{
	const char *lac = text_of(args, "lac"), *state = text_of(args, "state");
	const char *ip = text_of(args, "ip");
	struct in6_addr any;

	if (lac && !engine_lac_is_known(engine, lac))
		snprintf(error, size, "no such lac section: \"%.64s\"", lac);
	else if (state && !(of_tunnels ? is_tunnel_state : is_session_state)(state))
		snprintf(error, size, "no such state: \"%.64s\"; there are %s", state,
			of_tunnels
				? "wait-ctl-reply, wait-ctl-conn, established, closing, closed, and of "
				  "static ones waiting, making, up, failed"
				: "queued, opening, waiting, forking, link, network, up, ending");
	else if (ip && inet_pton(AF_INET, ip, &any) != 1 && inet_pton(AF_INET6, ip, &any) != 1)
		snprintf(error, size, "not an address: \"%.64s\"", ip);
	else
		return true;
	return false;
}
