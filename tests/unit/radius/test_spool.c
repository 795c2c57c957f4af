/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The spool and its servers: order, parallelism, superseding, barriers, silence, refusals, shedding,
 * taking things back. The disk is test_spool_disk.c's.
 */
#include "tests/unit/radius/spool_bed.h"

#include "radius/attr_codes.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

TestSuite(spool, .init = bed_setup, .fini = bed_teardown, .timeout = 60);

static bool no_answer(const struct bed_packet *packet)
{
	(void)packet;
	return false;
}

static bool answer_but_7(const struct bed_packet *packet)
{
	return packet->session != 7;
}

static bool answer_but_nas(const struct bed_packet *packet)
{
	return packet->session != 0;
}

/* The server's log as text: "1:1 1:3" is a Start and an Interim of session 1. */
static const char *seen(void)
{
	static char text[4096];
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < bed_seen_count && used < sizeof(text) - 32; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%llu:%u",
			i ? " " : "", (unsigned long long)bed_seen[i].session, bed_seen[i].kind);
	return text;
}

static unsigned int position(uint64_t session, unsigned int kind)
{
	for (unsigned int i = 0; i < bed_seen_count; i++)
		if (bed_seen[i].session == session && bed_seen[i].kind == kind)
			return i;
	cr_assert_fail("%llu:%u was not sent: %s", (unsigned long long)session, kind, seen());
	return 0;
}

static unsigned int times_seen(uint64_t session, unsigned int kind)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < bed_seen_count; i++)
		count += bed_seen[i].session == session && bed_seen[i].kind == kind;
	return count;
}

/* ---- putting and sending ---- */

Test(spool, sends_when_durable_and_forgets_when_acknowledged)
{
	bed_open();
	cr_expect_eq(bed_put_for(1, RADIUS_START, bed_saved, NULL), 0);
	cr_expect_eq(bed_durable, 0, "durable from inside put");
	cr_expect_eq(fake_server_drain(&server), 0);
	bed_until(bed_all_sent, "sent");
	cr_expect_eq(bed_durable, 1);
	cr_expect_str_eq(seen(), "1:1");
	cr_expect_eq(bed_seen[0].time, 1700000000);
	cr_expect_eq(bed_info().sent, 1);
	bed_close();
	bed_open();
	bed_serve();
	cr_expect_eq(bed_seen_count, 1, "sent again after the acknowledgement: %s", seen());
}

Test(spool, memory_only)
{
	bed_open_with(&(struct radius_spool_config){ 0 });
	bed_put_for(1, RADIUS_STOP, bed_saved, NULL);
	cr_expect_eq(bed_durable, 0);
	bed_until(bed_all_sent, "sent");
	cr_expect_eq(bed_durable, 1);
	cr_expect_eq(bed_info().memory, 0);
}

Test(spool, refuses_nonsense)
{
	struct radius_attrs *attrs = radius_attrs_new();
	uint8_t big[250] = { 1 };
	int i;

	bed_open();
	cr_expect_eq(bed_put(0, RADIUS_START), -EINVAL);
	cr_expect_eq(bed_put(1, RADIUS_ON), -EINVAL);
	cr_expect_eq(bed_put(1, (enum radius_record_kind)4), -EINVAL);
	radius_add_u32(attrs, RADIUS_ACCT_STATUS_TYPE, 0, RADIUS_STOP);
	cr_expect_eq(radius_spool_put(spool, 1, RADIUS_STOP, attrs, 0, NULL, NULL), -EINVAL);
	radius_attrs_free(attrs);
	attrs = radius_attrs_new();
	for (i = 0; i < 16; i++)
		radius_add_octets(attrs, RADIUS_CLASS, big, sizeof(big));
	cr_expect_eq(radius_spool_put(spool, 1, RADIUS_STOP, attrs, 0, NULL, NULL), 0);
	radius_add_octets(attrs, RADIUS_CLASS, big, sizeof(big));
	cr_expect_eq(radius_spool_put(spool, 1, RADIUS_STOP, attrs, 0, NULL, NULL), -EMSGSIZE);
	cr_expect_eq(bed_info().waiting, 1);
	radius_attrs_free(attrs);
	radius_spool_set_client(spool, NULL);
	bed_until(bed_all_saved, "saved");
}

Test(spool, keeps_order_in_a_session)
{
	bed_open();
	bed_put(1, RADIUS_START);
	bed_put(1, RADIUS_INTERIM);
	bed_put(1, RADIUS_STOP);
	bed_until(bed_all_sent, "sent");
	cr_expect_str_eq(seen(), "1:1 1:3 1:2");
}

Test(spool, a_silent_session_holds_up_no_other)
{
	bed_open();
	bed_answers = answer_but_7;
	bed_put(7, RADIUS_START);
	bed_put(7, RADIUS_STOP);
	for (uint64_t session = 10; session < 30; session++)
		bed_put(session, RADIUS_START);
	bed_serve();
	cr_expect_eq(bed_info().sent, 20);
	cr_expect_eq(bed_info().waiting, 2);
	cr_expect_eq(times_seen(7, RADIUS_STOP), 0, "the Stop overtook its Start");
	/* It is in vain, others were answered: its line rests, the rest goes on without a pause. */
	bed_pass(FAKE_SEC(3));
	cr_expect_not(bed_info().is_paused);
	bed_put(31, RADIUS_START);
	bed_serve();
	cr_expect_eq(times_seen(31, RADIUS_START), 1);
	cr_expect_eq(times_seen(7, RADIUS_START), 1);
	bed_pass(FAKE_SEC(31));
	cr_expect_eq(times_seen(7, RADIUS_START), 2);
	bed_answers = NULL;
	bed_pass(FAKE_SEC(40));
	cr_expect(bed_all_sent());
	cr_expect_eq(times_seen(7, RADIUS_STOP), 1);
}

Test(spool, a_newer_interim_replaces_one_that_was_not_sent)
{
	bed_open();
	radius_spool_set_client(spool, NULL);
	bed_put(1, RADIUS_START);
	bed_put_for(1, RADIUS_INTERIM, bed_saved, NULL);
	fake_advance(&fake, FAKE_SEC(10));
	bed_put_for(1, RADIUS_INTERIM, bed_saved, NULL); /* while the first is on its way */
	bed_until(bed_all_saved, "saved");
	fake_advance(&fake, FAKE_SEC(10));
	bed_put_for(1, RADIUS_INTERIM, bed_saved, NULL); /* and when it is there */
	bed_until(bed_all_saved, "saved");
	cr_expect_eq(bed_durable, 3, "each durable is called");
	cr_expect_eq(bed_info().waiting, 2);
	cr_expect_eq(bed_info().superseded, 2);
	bed_close();
	bed_open();
	bed_until(bed_all_sent, "sent");
	cr_expect_str_eq(seen(), "1:1 1:3");
	cr_expect_eq(bed_seen[1].time, 1700000020, "an old Interim was left on disk");
}

Test(spool, an_interim_in_vain_gives_way_to_a_newer_one)
{
	bed_open();
	bed_answers = no_answer;
	bed_put(1, RADIUS_INTERIM);
	bed_serve();
	bed_put(1, RADIUS_INTERIM); /* the older is with the client: both are kept for now */
	bed_serve();
	cr_expect_eq(bed_info().waiting, 2);
	bed_pass(FAKE_SEC(2));
	cr_expect_eq(bed_info().waiting, 1);
	cr_expect_eq(bed_info().superseded, 1);
}

Test(spool, forget_leaves_the_record)
{
	unsigned int mine, other;

	bed_open();
	bed_put_for(1, RADIUS_STOP, bed_saved, &mine);
	bed_put_for(2, RADIUS_STOP, bed_saved, &other);
	radius_spool_forget(spool, &mine);
	bed_until(bed_all_sent, "sent");
	cr_expect_eq(bed_durable, 1);
	cr_expect_eq(bed_info().sent, 2);
}

/* ---- silence ---- */

Test(spool, waits_longer_each_time_and_begins_again_slowly)
{
	unsigned int first, later;

	bed_open();
	bed_answers = no_answer;
	for (uint64_t session = 1; session <= 100; session++)
		bed_put(session, RADIUS_STOP);
	bed_serve();
	cr_expect_eq(bed_seen_count, 100);
	bed_pass(FAKE_SEC(60));
	first = bed_seen_count;
	bed_pass(FAKE_SEC(600));
	later = bed_seen_count;
	cr_expect_lt(first, 150, "%u packets in the first minute", first);
	cr_expect_leq(later - first, 50, "%u packets in ten minutes of silence", later - first);
	cr_expect_geq(later - first, 8);
	cr_expect_eq(bed_info().waiting, 100);
	cr_expect(bed_info().is_paused);
	cr_expect_eq(bed_info().sent, 0);
	cr_expect(strstr(fake.log, "no valid acknowledgement"));
	cr_expect_null(strstr(strstr(fake.log, "no valid") + 1, "no valid"), "said twice");
	bed_answers = NULL;
	bed_pass(FAKE_SEC(62));
	cr_expect(bed_all_sent());
	cr_expect(strstr(fake.log, "acknowledged again"));
}

Test(spool, flush_ends_the_pause)
{
	bed_open();
	bed_answers = no_answer;
	bed_put(1, RADIUS_STOP);
	bed_pass(FAKE_SEC(100));
	cr_assert(bed_info().is_paused);
	bed_answers = NULL;
	radius_spool_flush(spool);
	bed_until(bed_all_sent, "sent without the clock going on");
}

Test(spool, flush_wakes_what_rests)
{
	bed_open();
	bed_answers = answer_but_7;
	bed_put(7, RADIUS_START);
	bed_put(8, RADIUS_START);
	bed_pass(FAKE_SEC(3));
	cr_assert_eq(bed_info().waiting, 1);
	bed_answers = NULL;
	radius_spool_flush(spool);
	bed_until(bed_all_sent, "sent without the clock going on");
}

Test(spool, another_client_takes_over)
{
	struct radius_client *other;
	struct radius_server_config server_config = fake_server_config(&server);
	struct radius_client_config config = { .servers = &server_config, .server_count = 1 };

	bed_open();
	bed_answers = no_answer;
	bed_put(1, RADIUS_STOP);
	bed_serve();
	cr_assert_eq(bed_info().in_flight, 1);
	cr_assert_eq(radius_client_new(&fake.host, &config, &other), 0);
	radius_spool_set_client(spool, other);
	cr_expect_eq(bed_info().in_flight, 0);
	cr_expect_eq(one_info().in_flight, 0, "something was left in the old client");
	bed_answers = NULL;
	bed_until(bed_all_sent, "sent through the new client");
	bed_put(2, RADIUS_STOP);
	radius_spool_set_client(spool, NULL);
	bed_serve();
	cr_expect_eq(bed_info().waiting, 1);
	bed_close();
	radius_client_free(other);
}

Test(spool, answers_that_prove_nothing)
{
	struct fake_packet packet;

	bed_open();
	radius_spool_set_client(spool, NULL);
	bed_put(1, RADIUS_STOP);
	bed_until(bed_all_saved, "saved");
	radius_spool_set_client(spool, client);
	fake_advance(&fake, 0);
	one_take(&packet);
	one_answer(&packet, RADIUS_ACCOUNTING_RESPONSE, "wrong secret", 0);
	fake_server_send(&server, &packet, "garbage that is longer than a header", 36);
	bed_answers = no_answer;
	bed_pass(FAKE_SEC(3));
	cr_expect_eq(bed_info().waiting, 1);
	cr_expect(strstr(fake.log, "shared secret"));
}

/* ---- On and Off ---- */

Test(spool, on_waits_for_the_older_and_the_newer_wait_for_it)
{
	bed_open();
	radius_spool_set_client(spool, NULL);
	bed_put(1, RADIUS_START);
	bed_put(1, RADIUS_STOP);
	bed_put(2, RADIUS_STOP);
	bed_put(0, RADIUS_OFF);
	bed_put(0, RADIUS_ON);
	for (uint64_t session = 3; session < 100; session++)
		bed_put(session, RADIUS_START);
	bed_put(2, RADIUS_START);
	radius_spool_set_client(spool, client);
	bed_until(bed_all_sent, "sent");
	cr_expect_eq(bed_seen_count, 103);
	cr_expect_eq(position(0, RADIUS_OFF), 3, "%s", seen());
	cr_expect_eq(position(0, RADIUS_ON), 4, "%s", seen());
}

Test(spool, on_waits_also_after_a_restart)
{
	bed_open();
	radius_spool_set_client(spool, NULL);
	bed_put(1, RADIUS_STOP);
	bed_put(0, RADIUS_ON);
	bed_put(2, RADIUS_START);
	bed_until(bed_all_saved, "saved");
	bed_close();
	bed_open();
	bed_until(bed_all_sent, "sent");
	cr_expect_str_eq(seen(), "1:2 0:7 2:1");
}

Test(spool, on_waits_while_the_older_is_in_vain)
{
	bed_open();
	bed_answers = no_answer;
	bed_put(1, RADIUS_STOP);
	bed_put(0, RADIUS_ON);
	bed_put(2, RADIUS_START);
	bed_pass(FAKE_SEC(300));
	cr_expect_eq(times_seen(0, RADIUS_ON) + times_seen(2, RADIUS_START), 0, "%s", seen());
	bed_answers = NULL;
	bed_pass(FAKE_SEC(62));
	cr_expect(bed_all_sent());
	cr_expect_lt(position(0, RADIUS_ON), position(2, RADIUS_START));
}

/* Hours of silence: On is not given up, and hardly anything newer is sent before it. */
Test(spool, on_outlives_silence)
{
	bed_open();
	bed_answers = no_answer;
	bed_put(0, RADIUS_ON);
	for (uint64_t session = 1; session <= 50; session++)
		bed_put(session, RADIUS_START);
	bed_pass(FAKE_SEC(3600));
	cr_expect_eq(bed_info().waiting, 51);
	cr_expect_eq(bed_count(0, RADIUS_ON), 1);
	bed_answers = NULL;
	bed_pass(FAKE_SEC(120));
	cr_expect(bed_all_sent());
}

Test(spool, an_on_that_nobody_wants_is_given_up)
{
	bed_open();
	bed_answers = answer_but_nas;
	bed_put(0, RADIUS_ON);
	for (uint64_t session = 1; session <= 50; session++)
		bed_put(session, RADIUS_START);
	bed_pass(FAKE_SEC(20));
	cr_expect_gt(bed_info().waiting, 40, "given up too early");
	bed_pass(FAKE_SEC(600));
	cr_expect(bed_all_sent(), "%u wait", bed_info().waiting);
	cr_expect(strstr(fake.log, "not Accounting-On"));
}

Test(spool, on_does_not_wait_for_a_record_that_is_refused)
{
	bed_open();
	bed_answers = answer_but_7;
	bed_put(7, RADIUS_STOP);
	for (uint64_t i = 0; i < 8; i++) {
		bed_put(20 + i, RADIUS_START);
		bed_pass(FAKE_SEC(40));
	}
	cr_assert_eq(bed_info().refused, 1);
	bed_put(0, RADIUS_ON);
	bed_put(30, RADIUS_START);
	bed_serve();
	cr_expect_eq(times_seen(0, RADIUS_ON), 1);
	cr_expect_eq(times_seen(30, RADIUS_START), 1);
	cr_expect_eq(bed_count(7, RADIUS_STOP), 1, "a refused record is kept");
	bed_answers = NULL;
	bed_pass(FAKE_SEC(40));
	cr_expect(bed_all_sent());
	cr_expect_eq(bed_info().refused, 0);
}

/* Nothing but a record that the servers do not want is before the On, so nothing tells that. */
Test(spool, on_does_not_wait_for_ever)
{
	bed_open();
	bed_answers = answer_but_7;
	bed_put(7, RADIUS_STOP);
	bed_put(0, RADIUS_ON);
	bed_put(8, RADIUS_START);
	bed_put(9, RADIUS_START);
	bed_pass(FAKE_SEC(600));
	cr_expect_eq(times_seen(0, RADIUS_ON) + times_seen(8, RADIUS_START), 0);
	bed_pass(FAKE_SEC(1800));
	cr_expect_geq(times_seen(0, RADIUS_ON), 1);
	cr_expect_eq(bed_info().waiting, 1);
}

/* ---- room ---- */

Test(spool, sheds_interims_then_starts_never_stops)
{
	struct radius_spool_info info;

	bed_open_with(&(struct radius_spool_config){ .path = bed_path, .max_records = 30 });
	bed_until(bed_is_loaded, "loaded");
	radius_spool_set_client(spool, NULL);
	for (uint64_t session = 1; session <= 10; session++) {
		bed_put(session, RADIUS_START);
		bed_put(session, RADIUS_INTERIM);
		bed_put(session, RADIUS_STOP);
	}
	bed_until(bed_all_saved, "saved");
	for (uint64_t session = 11; session <= 20; session++)
		bed_put(session, RADIUS_STOP);
	bed_until(bed_all_saved, "saved");
	cr_expect_eq(bed_count(0, RADIUS_INTERIM), 0);
	cr_expect_eq(bed_count(0, RADIUS_START), 10);
	for (uint64_t session = 21; session <= 60; session++)
		bed_put(session, RADIUS_STOP);
	bed_until(bed_all_saved, "saved");
	info = bed_info();
	cr_expect_eq(bed_count(0, RADIUS_START), 0);
	cr_expect_eq(bed_count(0, RADIUS_STOP), 60);
	cr_expect_eq(info.shed, 20);
	cr_expect_str_eq(fake.events, "full: records are dropped\n");
	cr_expect(strstr(fake.log, "the spool is full"));
	/* What comes then and may go, goes: the spool does not grow by Starts. */
	for (uint64_t session = 100; session < 120; session++) {
		bed_put(session, RADIUS_START);
		bed_until(bed_all_saved, "saved");
	}
	cr_expect_leq(bed_info().waiting, 61);
	radius_spool_set_client(spool, client);
	bed_until(bed_all_sent, "sent");
	cr_expect(strstr(fake.log, "room again"));
	bed_close();
	bed_open();
	cr_expect_eq(bed_info().waiting, 0, "what was shed is still on disk");
}

/* ---- listing, draining, ending ---- */

struct listing {
	uint64_t last_session, last_id;
	unsigned int count, stop_at;
};

static bool list_one(void *ctx, const struct radius_spool_entry *entry)
{
	struct listing *listing = ctx;

	if (entry->session == listing->last_session)
		cr_expect_gt(entry->id, listing->last_id);
	listing->last_session = entry->session;
	listing->last_id = entry->id;
	return ++listing->count != listing->stop_at;
}

Test(spool, lists_all_in_parts)
{
	struct listing listing = { .stop_at = 1 };
	uint64_t cursor = 0;

	bed_open();
	radius_spool_set_client(spool, NULL);
	for (uint64_t session = 1; session <= 5000; session += 7) {
		bed_put(session, RADIUS_START);
		bed_put(session, RADIUS_STOP);
	}
	while (!radius_spool_each(spool, &cursor, list_one, &listing)) {
		listing.stop_at = listing.count + 1;
		/* New ones behind do not disturb it. */
		if (listing.count == 100)
			bed_put(1, RADIUS_STOP);
	}
	cr_expect_eq(listing.count, 2 * 715);
	bed_until(bed_all_saved, "saved");
}

static void count_drained(void *ctx)
{
	(*(unsigned int *)ctx)++;
}

Test(spool, says_once_when_it_is_drained)
{
	unsigned int drained = 0;

	bed_open();
	bed_put(1, RADIUS_START);
	radius_spool_on_drained(spool, count_drained, &drained);
	cr_expect_eq(drained, 0);
	bed_until(bed_all_sent, "sent");
	bed_serve();
	cr_expect_eq(drained, 1);
	bed_put(1, RADIUS_STOP);
	bed_until(bed_all_sent, "sent");
	bed_serve();
	cr_expect_eq(drained, 1);
	radius_spool_on_drained(spool, count_drained, &drained);
	cr_expect_eq(drained, 1, "from inside");
	fake_advance(&fake, 0);
	cr_expect_eq(drained, 2, "an empty spool is drained");
	bed_put(2, RADIUS_STOP);
	radius_spool_on_drained(spool, count_drained, &drained);
	radius_spool_on_drained(spool, NULL, NULL);
	bed_until(bed_all_sent, "sent");
	bed_serve();
	cr_expect_eq(drained, 2);
}

Test(spool, freed_in_the_middle_it_has_committed_all)
{
	bed_open();
	bed_answers = no_answer;
	for (uint64_t session = 1; session <= 40; session++)
		bed_put(session, RADIUS_START);
	bed_serve();
	for (uint64_t session = 1; session <= 2000; session++)
		bed_put_for(session, RADIUS_STOP, bed_saved, NULL);
	bed_close();
	cr_expect_eq(bed_durable, 0, "called while it was freed");
	bed_open();
	cr_expect_eq(bed_info().waiting, 2040);
}

Test(spool, without_timers_or_watchers_there_is_no_spool)
{
	for (unsigned int i = 1; i <= 4; i++) {
		struct radius_spool *none = NULL;

		fake.fail_timer = i;
		cr_expect_eq(
			radius_spool_new(&fake.host,
				&(struct radius_spool_config){ .path = bed_path }, client, &none),
			-ENOMEM);
		cr_expect_null(none);
	}
	fake.fail_timer = 0;
	fake.fail_io = 1;
	cr_expect_eq(radius_spool_new(&fake.host, &(struct radius_spool_config){ .path = bed_path },
			     client, &spool),
		-ENOMEM);
}
