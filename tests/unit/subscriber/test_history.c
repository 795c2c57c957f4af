// SPDX-License-Identifier: BSD-2-Clause
/* history: newest first, the oldest forgotten. */
#include "lns/subscriber/history.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void add(struct history *history, uint64_t key)
{
	struct history_entry entry = { .key = key, .reason = END_REFUSED };

	snprintf(entry.user, sizeof(entry.user), "user%llu", (unsigned long long)key);
	history_add(history, &entry);
}

Test(history, empty)
{
	struct history *history = history_new();

	cr_assert_null(history_before(history, 0));
	cr_assert_null(history_before(history, 5));
	history_free(history);
}

Test(history, newest_first)
{
	struct history *history = history_new();
	const struct history_entry *entry;

	for (uint64_t key = 11; key <= 13; key++)
		add(history, key);
	entry = history_before(history, 0);
	cr_assert_eq(entry->key, 13);
	cr_assert_str_eq(entry->user, "user13");
	entry = history_before(history, entry->number);
	cr_assert_eq(entry->key, 12);
	entry = history_before(history, entry->number);
	cr_assert_eq(entry->key, 11);
	cr_assert_null(history_before(history, entry->number));
	history_free(history);
}

Test(history, the_oldest_is_forgotten)
{
	struct history *history = history_new();
	const struct history_entry *entry;
	unsigned int count = 0;

	for (uint64_t key = 1; key <= HISTORY_MAX + 10; key++)
		add(history, key);
	for (entry = history_before(history, 0); entry;
		entry = history_before(history, entry->number)) {
		cr_assert_eq(entry->key, HISTORY_MAX + 10 - count);
		count++;
	}
	cr_assert_eq(count, HISTORY_MAX);
	cr_assert_null(history_before(history, 3), "long gone");
	history_free(history);
}
