/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open sessions on disk: after the loss of everything at once each gets one Stop, made of its last
 * checkpoint; the others get none.
 */
#include "tests/unit/radius/power_vfs.h"
#include "tests/unit/radius/spool_bed.h"

#include "radius/attr_codes.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(spool_sessions, .init = bed_power_setup, .fini = bed_power_teardown, .timeout = 60);
TestSuite(spool_sessions_disk, .init = bed_setup, .fini = bed_teardown, .timeout = 60);

static uint64_t wanted;

static bool are_written(void)
{
	return bed_info().checkpoints >= wanted;
}

/* Ends a round whose checkpoints make that many in all. */
static void commit(uint64_t all)
{
	radius_spool_commit(spool, NULL, NULL);
	wanted = all;
	bed_until(are_written, "checkpoints written");
}

static bool nobody(uint64_t session)
{
	(void)session;
	return false;
}

static bool never(const struct bed_packet *packet)
{
	(void)packet;
	return false;
}

/* Ends this run; in the next one no session is alive. */
static void lose_all(void)
{
	bed_close();
	bed_is_alive = nobody;
	bed_seen_count = 0;
	bed_open();
}

static const struct bed_packet *stop_of(uint64_t session)
{
	const struct bed_packet *found = NULL;

	for (unsigned int i = 0; i < bed_seen_count; i++) {
		if (bed_seen[i].session != session || bed_seen[i].kind != RADIUS_STOP)
			continue;
		cr_expect_null(found, "two Stops of %llu", (unsigned long long)session);
		found = &bed_seen[i];
	}
	return found;
}

static void expect_stop(uint64_t session, uint32_t lasted, uint32_t input)
{
	const struct bed_packet *stop = stop_of(session);

	cr_assert_not_null(stop, "no Stop of %llu", (unsigned long long)session);
	cr_expect(stop->is_named);
	cr_expect_eq(stop->lasted, lasted, "%u", stop->lasted);
	cr_expect_eq(stop->input, input, "%u", stop->input);
	cr_expect_eq(stop->cause, RADIUS_CAUSE_NAS_REBOOT);
}

Test(spool_sessions, end_with_their_last_checkpoint)
{
	uint32_t at;

	bed_open();
	for (uint64_t session = 1; session <= 3; session++)
		bed_put(session, RADIUS_START);
	bed_put(2, RADIUS_STOP);
	bed_until(bed_all_sent, "sent");
	bed_checkpoint(1, 10, 500);
	bed_checkpoint(2, 10, 500); /* too late: it is closed */
	commit(2);
	fake_advance(&fake, FAKE_SEC(10));
	bed_checkpoint(1, 20, 1000);
	commit(3);
	at = (uint32_t)(fake.wallclock / 1000000);
	fake_advance(&fake, FAKE_SEC(300));
	lose_all();
	cr_expect(strstr(fake.log, "2 sessions were open"), "%s", fake.log);
	bed_until(bed_all_sent, "sent");
	cr_expect_eq(bed_seen_count, 2);
	expect_stop(1, 20, 1000);
	expect_stop(3, 0, 0);
	cr_expect_eq(stop_of(1)->time, at, "%u and not %u", stop_of(1)->time, at);
	lose_all();
	cr_expect_eq(bed_info().waiting, 0);
}

/* Accounting-On closes all sessions at the servers: what was lost comes before it. */
Test(spool_sessions, end_before_on)
{
	bed_open();
	for (uint64_t session = 1; session <= 40; session++)
		bed_put(session, RADIUS_START);
	bed_until(bed_all_sent, "sent");
	bed_close();
	bed_is_alive = nobody;
	bed_seen_count = 0;
	bed_open_with(&(struct radius_spool_config){ .path = bed_path });
	bed_put(0, RADIUS_ON);
	bed_until(bed_all_sent, "sent");
	cr_assert_eq(bed_seen_count, 41);
	cr_expect_eq(bed_seen[40].kind, RADIUS_ON);
}

static bool is_odd(uint64_t session)
{
	return session % 2;
}

Test(spool_sessions, that_live_are_left_alone)
{
	bed_open();
	for (uint64_t session = 1; session <= 1000; session++)
		bed_put(session, RADIUS_START);
	bed_until(bed_all_sent, "sent");
	bed_close();
	bed_seen_count = 0;
	bed_is_alive = is_odd;
	bed_open_with(&(struct radius_spool_config){
		.path = bed_path, .lost_cause = RADIUS_CAUSE_NAS_ERROR });
	bed_until(bed_all_sent, "sent");
	cr_expect_eq(bed_seen_count, 500);
	cr_expect_null(stop_of(7));
	cr_assert_not_null(stop_of(8));
	cr_expect_eq(stop_of(8)->cause, RADIUS_CAUSE_NAS_ERROR);
	for (uint64_t session = 1; session <= 999; session += 2)
		bed_put(session, RADIUS_STOP);
	bed_until(bed_all_sent, "sent");
	lose_all();
	cr_expect_eq(bed_info().waiting, 0);
}

Test(spool_sessions, a_stop_overtakes_its_checkpoint)
{
	bed_open();
	bed_put(1, RADIUS_START);
	bed_put(2, RADIUS_START);
	bed_until(bed_all_sent, "sent");
	power_vfs_set_quota(1); /* so that the next round is to write sessions as a whole */
	bed_put(3, RADIUS_START);
	bed_until(bed_disk_failed, "noticed");
	power_vfs_set_quota(0);
	radius_spool_flush(spool);
	bed_until(bed_disk_works, "recovered");
	bed_checkpoint(1, 10, 500);
	bed_checkpoint(2, 10, 500);
	bed_put(2, RADIUS_STOP);
	commit(2);
	bed_until(bed_all_sent, "sent");
	lose_all();
	bed_until(bed_all_sent, "sent");
	expect_stop(1, 10, 500);
	cr_expect_null(stop_of(2));
}

static bool a_round_is_told(void)
{
	return bed_durable + bed_failed > 0;
}

/* A round is told once all of it is on disk: power may go. One of nobody is told as well. */
Test(spool_sessions, a_round_is_told_when_it_is_on_disk)
{
	bed_open();
	radius_spool_set_client(spool, NULL);
	bed_put(1, RADIUS_START);
	bed_checkpoint(1, 10, 500);
	cr_assert_eq(radius_spool_commit(spool, bed_saved, &bed_durable), 0);
	cr_expect_eq(bed_durable, 0, "not from inside");
	bed_until(a_round_is_told, "told");
	cr_expect_eq(bed_durable, 1);
	power_vfs_cut();
	bed_close();
	power_vfs_restore(7);
	bed_is_alive = nobody;
	bed_open();
	bed_until(bed_all_sent, "sent");
	cr_expect_eq(stop_of(1)->input, 500);
	bed_durable = 0;
	cr_assert_eq(radius_spool_commit(spool, bed_saved, &bed_durable), 0);
	bed_until(a_round_is_told, "told of nobody");
	cr_expect_eq(bed_durable, 1);
	cr_assert_eq(radius_spool_commit(spool, bed_saved, &bed_durable), 0);
	radius_spool_forget(spool, &bed_durable);
	bed_until(bed_all_saved, "forgotten");
	cr_expect_eq(bed_durable, 1);
}

Test(spool_sessions, a_round_that_does_not_come_to_the_disk)
{
	bed_open();
	bed_put(1, RADIUS_START);
	bed_until(bed_all_sent, "sent");
	power_vfs_set_quota(1);
	bed_checkpoint(1, 10, 500);
	cr_assert_eq(radius_spool_commit(spool, bed_saved, &bed_durable), 0);
	bed_until(a_round_is_told, "told");
	cr_expect_eq(bed_failed, 1);
	bed_checkpoint(1, 20, 500);
	cr_expect_eq(radius_spool_commit(spool, bed_saved, &bed_durable), -ENOSPC);
	power_vfs_set_quota(0);
	radius_spool_flush(spool);
	bed_until(bed_disk_works, "recovered");
	bed_checkpoint(1, 30, 600);
	cr_assert_eq(radius_spool_commit(spool, bed_saved, &bed_durable), 0);
	bed_until(bed_all_saved, "saved");
	commit(1);
}

/* A Start that went to the servers from memory leaves no row; the next checkpoint makes it. */
Test(spool_sessions, of_a_disk_that_was_full)
{
	bed_open();
	bed_put(1, RADIUS_START);
	bed_until(bed_all_sent, "sent");
	power_vfs_set_quota(1);
	bed_put(2, RADIUS_START);
	bed_until(bed_disk_failed, "noticed");
	bed_put(3, RADIUS_START);
	bed_put(4, RADIUS_START);
	bed_put(1, RADIUS_STOP);
	bed_put(4, RADIUS_STOP);
	bed_checkpoint(2, 10, 500);
	bed_checkpoint(3, 10, 500);
	radius_spool_commit(spool, NULL, NULL);
	bed_until(bed_all_sent, "sent from memory");
	power_vfs_set_quota(0);
	radius_spool_flush(spool);
	bed_until(bed_disk_works, "recovered");
	bed_checkpoint(2, 20, 1000);
	bed_checkpoint(3, 20, 1000);
	commit(2);
	lose_all();
	bed_until(bed_all_sent, "sent");
	cr_expect_eq(bed_seen_count, 2, "%u", bed_seen_count);
	expect_stop(2, 20, 1000);
	expect_stop(3, 20, 1000);
}

/* The disk works again in the middle of a round: those before are not forgotten. */
Test(spool_sessions, a_round_that_is_not_whole_makes_up_for_nothing)
{
	bed_open();
	power_vfs_set_quota(1);
	bed_put(1, RADIUS_START);
	bed_put(2, RADIUS_START);
	bed_until(bed_disk_failed, "noticed");
	bed_until(bed_all_sent, "sent from memory");
	bed_checkpoint(1, 10, 500);
	power_vfs_set_quota(0);
	radius_spool_flush(spool);
	bed_until(bed_disk_works, "recovered");
	bed_checkpoint(2, 10, 500);
	commit(1);
	bed_checkpoint(1, 20, 1000);
	bed_checkpoint(2, 20, 1000);
	commit(3);
	lose_all();
	bed_until(bed_all_sent, "sent");
	expect_stop(1, 20, 1000);
	expect_stop(2, 20, 1000);
}

Test(spool_sessions, other_attributes_from_now_on)
{
	const uint8_t fixed[] = { RADIUS_ACCT_SESSION_ID, 18, '0', '0', '0', '0', '0', '0', '0',
		'0', '0', '0', '0', '0', '0', '0', '0', '1' };
	struct radius_checkpoint checkpoint = { .session = 1,
		.event_time = fake.wallclock,
		.fixed = fixed,
		.fixed_len = sizeof(fixed) };
	struct radius_attrs *attrs = radius_attrs_new();

	radius_add_u32(attrs, RADIUS_ACCT_SESSION_TIME, 0, 9);
	radius_add_u32(attrs, RADIUS_ACCT_INPUT_OCTETS, 0, 9);
	checkpoint.attrs = attrs;
	bed_open();
	bed_put(1, RADIUS_START);
	cr_expect_eq(radius_spool_checkpoint(spool, &checkpoint), 0);
	commit(1);
	lose_all();
	bed_until(bed_all_sent, "sent");
	expect_stop(1, 9, 9); /* named as in its Start */
	bed_put(1, RADIUS_START);
	checkpoint.is_changed = true;
	cr_expect_eq(radius_spool_checkpoint(spool, &checkpoint), 0);
	commit(1);
	bed_until(bed_all_sent, "sent");
	lose_all();
	bed_until(bed_all_sent, "sent");
	radius_attrs_free(attrs);
	cr_assert_not_null(stop_of(1));
	cr_expect_not(stop_of(1)->is_named);
	cr_expect_eq(stop_of(1)->lasted, 9);
}

Test(spool_sessions, nonsense_is_refused)
{
	static const uint8_t fixed[4096];
	struct radius_attrs *attrs = radius_attrs_new();
	struct radius_checkpoint checkpoint = { .fixed = fixed, .attrs = attrs };

	bed_open();
	cr_expect_eq(radius_spool_checkpoint(spool, &checkpoint), -EINVAL);
	checkpoint.session = 1;
	checkpoint.fixed_len = sizeof(fixed);
	cr_expect_eq(radius_spool_checkpoint(spool, &checkpoint), -EMSGSIZE);
	radius_attrs_free(attrs);
}

Test(spool_sessions, many_share_a_transaction)
{
	unsigned int before;

	bed_open();
	for (uint64_t session = 1; session <= 3000; session++)
		bed_put(session, RADIUS_START);
	bed_until(bed_all_sent, "sent");
	bed_serve();
	before = power_vfs_syncs();
	for (uint64_t session = 1; session <= 3000; session++)
		bed_checkpoint(session, 10, 500);
	commit(3000);
	cr_expect_lt(power_vfs_syncs() - before, 10, "%u", power_vfs_syncs() - before);
}

/* Opens the spool on a disk that is full, with a session that was lost; whether the server answers then. */
static void start_with_a_full_disk(bool (*answers)(const struct bed_packet *packet))
{
	bed_open();
	bed_put(1, RADIUS_START);
	bed_until(bed_all_sent, "sent");
	bed_checkpoint(1, 10, 500);
	commit(1);
	power_vfs_cut();
	bed_close();
	power_vfs_restore(1);
	power_vfs_set_quota(1);
	bed_is_alive = nobody;
	bed_seen_count = 0;
	bed_answers = answers;
	bed_open();
	cr_expect(strstr(fake.log, "1 sessions were open"), "%s", fake.log);
	cr_expect(strstr(fake.log, "cannot be saved"), "%s", fake.log);
}

/* The disk is full when the next run starts: Stops go from memory, and before an On, which closes what is open. */
Test(spool_sessions, a_start_with_a_full_disk_sends_the_stops_first)
{
	start_with_a_full_disk(NULL);
	bed_put(0, RADIUS_ON);
	bed_until(bed_all_sent, "sent");
	cr_assert_eq(bed_seen_count, 2, "%u", bed_seen_count);
	expect_stop(1, 10, 500);
	cr_expect_eq(bed_seen[1].kind, RADIUS_ON);
	power_vfs_set_quota(0);
	radius_spool_flush(spool);
	bed_until(bed_disk_works, "recovered");
	lose_all();
	bed_until(bed_all_sent, "sent");
	cr_expect_eq(bed_seen_count, 0, "%u", bed_seen_count);
}

static bool is_saved(void)
{
	return bed_info().unsaved == 0;
}

/* What was not sent by the time that the disk has room is saved there, and the session closed. */
Test(spool_sessions, a_disk_that_was_full_at_the_start_takes_the_stops)
{
	start_with_a_full_disk(never);
	bed_until(bed_is_loaded, "loaded");
	cr_expect_eq(bed_info().unsaved, 1);
	power_vfs_set_quota(0);
	radius_spool_flush(spool);
	bed_until(is_saved, "saved");
	bed_answers = NULL;
	lose_all();
	bed_until(bed_all_sent, "sent");
	cr_expect_eq(bed_seen_count, 1, "%u", bed_seen_count);
	expect_stop(1, 10, 500);
}

/* And what was neither sent nor saved is made again by the next start. */
Test(spool_sessions, starts_with_a_full_disk_lose_nothing)
{
	start_with_a_full_disk(never);
	bed_close();
	power_vfs_set_quota(0);
	bed_answers = NULL;
	bed_seen_count = 0;
	bed_open();
	bed_until(bed_all_sent, "sent");
	cr_expect_eq(bed_seen_count, 1, "%u", bed_seen_count);
	expect_stop(1, 10, 500);
}

/* ---- power ---- */

#define SESSIONS 300

static bool is_started[SESSIONS], is_stopped[SESSIONS];
static uint32_t lasted[SESSIONS]; /* of the last checkpoint that was written for certain */

static void note_started(void *ctx, int err)
{
	is_started[(uintptr_t)ctx] |= !err;
}

static void note_stopped(void *ctx, int err)
{
	is_stopped[(uintptr_t)ctx] |= !err;
}

/* One step of many sessions; some end. */
static void live(unsigned int *seed, unsigned int step, uintptr_t *newest)
{
	for (unsigned int i = rand_r(seed) % 20; i > 0 && *newest + 1 < SESSIONS; i--) {
		++*newest;
		bed_put_for(*newest, RADIUS_START, note_started, (void *)*newest);
	}
	for (uintptr_t session = 1; session <= *newest; session++)
		if (session % 4 != 0)
			bed_checkpoint(session, step, step);
	for (uintptr_t session = 4; session <= *newest; session += 4)
		if (rand_r(seed) % 4 == 0 && !is_stopped[session])
			bed_put_for(session, RADIUS_STOP, note_stopped, (void *)session);
}

/* The sessions whose Stop is missing, doubled or too old after the power went at some moment. */
static unsigned int lose_power(unsigned int seed)
{
	unsigned int steps = 2 + (unsigned int)rand_r(&seed) % 12, bad = 0;
	uintptr_t newest = 0;

	memset(is_started, 0, sizeof(is_started));
	memset(is_stopped, 0, sizeof(is_stopped));
	memset(lasted, 0, sizeof(lasted));
	bed_is_alive = NULL;
	bed_open();
	radius_spool_set_client(spool, NULL);
	for (unsigned int step = 1; step <= steps; step++) {
		uint64_t before = bed_info().checkpoints;

		live(&seed, step, &newest);
		if (step == steps)
			break;
		commit(before + newest - newest / 4);
		bed_serve();
		for (uintptr_t session = 1; session <= newest; session++)
			lasted[session] = session % 4 ? step : 0;
	}
	radius_spool_commit(spool, NULL, NULL);
	for (unsigned int i = rand_r(&seed) % 4; i > 0; i--)
		fake_advance(&fake, 0);
	power_vfs_cut();
	bed_close();
	power_vfs_restore(seed);
	bed_is_alive = nobody;
	bed_seen_count = 0;
	if (bed_try(&(struct radius_spool_config){ .path = bed_path })) {
		power_vfs_remove(); /* nothing can be read of it */
		power_vfs_install();
		return SESSIONS;
	}
	bed_until(bed_is_loaded, "loaded");
	for (uintptr_t session = 1; session <= newest; session++) {
		unsigned int stops = bed_count(session, RADIUS_STOP);

		bad += stops > 1 || (stops == 0 && (is_started[session] || is_stopped[session]));
	}
	bed_until(bed_all_sent, "sent");
	for (uintptr_t session = 1; session <= newest; session++) {
		const struct bed_packet *stop = stop_of(session);

		bad += stop && session % 4 && is_started[session] && stop->lasted < lasted[session];
	}
	bed_close();
	return bad;
}

Test(spool_sessions, the_loss_of_power_costs_nobody_his_stop)
{
	unsigned int checked = 0;

	for (unsigned int seed = 1; seed <= 12; seed++) {
		cr_expect_eq(lose_power(seed), 0, "seed %u", seed);
		for (int session = 0; session < SESSIONS; session++)
			checked += is_started[session] && lasted[session] > 1;
	}
	cr_expect_gt(checked, 200, "only %u had checkpoints", checked);
	cr_expect_null(strstr(fake.log, "damaged"), "%s", fake.log);
}

/* With syncs that do nothing the same finds fault. */
Test(spool_sessions, without_syncs_stops_are_lost)
{
	unsigned int bad = 0;

	power_vfs_set_lying(true);
	for (unsigned int seed = 1; seed <= 4; seed++)
		bad += lose_power(seed);
	cr_expect_gt(bad, 0);
}

/* ---- damage ---- */

static void overwrite(off_t at, size_t len)
{
	static const uint8_t garbage[4096] = { [0 ... 4095] = 0xa5 };
	int fd = open(bed_path, O_WRONLY | O_CLOEXEC);

	cr_assert(fd >= 0);
	cr_assert_eq(pwrite(fd, garbage, len, at), (ssize_t)len);
	close(fd);
}

Test(spool_sessions_disk, a_damaged_file_is_made_up_for)
{
	bed_open();
	bed_put(1, RADIUS_START);
	bed_until(bed_all_sent, "sent");
	bed_close();
	overwrite(0, 4096);
	bed_open();
	cr_expect(strstr(fake.log, "damaged and moved to "), "%s", fake.log);
	bed_checkpoint(1, 30, 3000);
	commit(1);
	lose_all();
	bed_until(bed_all_sent, "sent");
	expect_stop(1, 30, 3000);
}

/* Sessions are taken over from a file of which one page is damaged. */
Test(spool_sessions_disk, are_salvaged)
{
	bed_open();
	for (uint64_t session = 1; session <= 2000; session++)
		bed_put(session, RADIUS_START);
	bed_until(bed_all_sent, "sent");
	for (uint64_t session = 1; session <= 2000; session++)
		bed_checkpoint(session, 10, 10);
	commit(2000);
	bed_close();
	overwrite((off_t)4096 * 20, 4096);
	lose_all();
	bed_until(bed_all_sent, "sent");
	cr_expect(strstr(fake.log, "damaged and moved to "), "%s", fake.log);
	cr_expect_gt(bed_seen_count, 1800, "%u", bed_seen_count);
	cr_expect_lt(bed_seen_count, 2000);
}
