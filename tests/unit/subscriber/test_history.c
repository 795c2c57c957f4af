// SPDX-License-Identifier: BSD-2-Clause
/* history: newest first, the oldest forgotten. */
#include "lns/subscriber/history.h"

#include "lns/subscriber/tally.h"
#include "tests/unit/subscriber/fake.h"

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

/* ---- what a refusal leaves ---- */

static void refuse(uint16_t tunnel_id, const char *lac, uint16_t error)
{
	const struct l2tp_result result = { .code = L2TP_CDN_ERROR, .error = error, .text = "so" };
	const union addr peer = { .in4 = { .sin_family = AF_INET } };

	subscribers_refused(w.all, &(struct l2tp_refusal){ .lac = lac,
					   .peer = &peer,
					   .host_name = "bng1",
					   .tunnel_id = tunnel_id,
					   .calling = "555",
					   .called = "800",
					   .result = &result });
}

Test(history, a_call_that_l2tp_refused, .init = world_init)
{
	static const struct {
		uint16_t error;
		enum end_reason reason;
	} cases[] = {
		{ L2TP_ERROR_TRY_ANOTHER, END_DRAINED },
		{ L2TP_ERROR_RESOURCES, END_LIMIT },
		{ L2TP_ERROR_MANDATORY_AVP, END_NONSENSE },
	};
	const struct tally_lac *lac;
	const struct history_entry *entry;

	world_start();
	lac = tally_lac(subscribers_tally(w.all), "wholesale");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		refuse(7, "wholesale", cases[i].error);
		entry = history_before(subscribers_history(w.all), 0);
		cr_assert_eq(entry->reason, cases[i].reason);
		cr_assert_eq(entry->tunnel_id, 7);
		cr_assert_not(entry->was_up);
		cr_assert_str_eq(entry->calling, "555");
		cr_assert_str_eq(entry->called, "800");
		cr_assert_str_eq(entry->detail, "so");
		cr_assert_eq(lac->failed[cases[i].reason], 1);
		cr_assert_eq(lac->calls, i + 1);
	}
	world_end();
}

/* A tunnel that was refused is the LAC's last error, and no call; nobody's tunnel is nothing. */
Test(history, a_tunnel_that_l2tp_refused, .init = world_init)
{
	const struct tally_lac *lac;

	world_start();
	refuse(0, NULL, L2TP_ERROR_RESOURCES);
	refuse(0, "wholesale", L2TP_ERROR_RESOURCES);
	lac = tally_lac(subscribers_tally(w.all), "wholesale");
	cr_assert_str_eq(lac->error, "tunnel refused: so");
	cr_assert_eq(lac->calls, 0);
	cr_assert_null(history_before(subscribers_history(w.all), 0));
	world_end();
}
