/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory runs out while a full disk is got over: for every n, the n-th allocation fails, on the loop's side
 * or on the disk's. Every session ends at the server with one Stop, the one that was put when there was one.
 */
#include "tests/unit/radius/power_vfs.h"
#include "tests/unit/radius/spool_bed.h"
#include "tests/unit/short_memory.h"

#include "radius/attr_codes.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static void setup(void)
{
	bed_setup();
	power_vfs_install();
}

static void teardown(void)
{
	bed_close();
	power_vfs_remove();
	bed_teardown();
}

TestSuite(disk_alloc, .init = setup, .fini = teardown, .timeout = 120);

static bool nobody(uint64_t session)
{
	(void)session;
	return false;
}

/* A disk with nothing on it, and a server that has seen nothing. */
static void begin(void)
{
	power_vfs_remove();
	power_vfs_install();
	bed_seen_count = 0;
	bed_is_alive = NULL;
	power_vfs_set_quota(0);
}

/* The Stops of a session that the server got: all of the same cause (0: none), at least one. */
static void expect_stop(uint64_t session, uint32_t cause, unsigned int n)
{
	unsigned int stops = 0;

	for (unsigned int i = 0; i < bed_seen_count; i++) {
		const struct bed_packet *seen = &bed_seen[i];

		if (seen->session != session || seen->kind != RADIUS_STOP)
			continue;
		cr_assert_eq(seen->cause, cause, "allocation %u: session %u has a Stop of cause %u",
			n, (unsigned int)session, seen->cause);
		stops++;
	}
	cr_assert_gt(stops, 0, "allocation %u: session %u has no Stop", n, (unsigned int)session);
}

static void everything_is_lost_and_sent(void)
{
	bed_close();
	bed_is_alive = nobody;
	bed_open();
	bed_until(bed_all_sent, "sent");
	bed_close();
}

/*
 * Of four sessions, the first ends while the disk is full, and its Stop is acknowledged from memory; that of
 * the second waits; the third goes on, and the fourth came up meanwhile.
 */
static void get_over_a_full_disk(unsigned int n)
{
	begin();
	bed_open();
	for (uint64_t session = 1; session <= 3; session++)
		bed_put(session, RADIUS_START);
	bed_until(bed_all_sent, "sent");
	power_vfs_set_quota(1);
	radius_spool_set_client(spool, NULL);
	bed_put(1, RADIUS_STOP);
	bed_until(bed_disk_failed, "noticed");
	short_memory_arm(true);
	radius_spool_set_client(spool, client);
	bed_pass(FAKE_SEC(3));
	short_memory_arm(false);
	bed_until(bed_all_sent, "sent from memory");
	radius_spool_set_client(spool, NULL);
	bed_put(2, RADIUS_STOP);
	bed_put(3, RADIUS_INTERIM);
	bed_put(4, RADIUS_START);
	bed_serve();
	power_vfs_set_quota(0);
	short_memory_arm(true);
	radius_spool_flush(spool);
	bed_pass(FAKE_SEC(20));
	short_memory_arm(false);
	bed_until(bed_disk_works, "works");
	for (uint64_t session = 3; session <= 4; session++)
		bed_checkpoint(session, 20, 1000);
	cr_assert_eq(radius_spool_commit(spool, NULL, NULL), 0);
	everything_is_lost_and_sent();
	expect_stop(1, 0, n);
	expect_stop(2, 0, n);
	expect_stop(3, RADIUS_CAUSE_NAS_REBOOT, n);
	expect_stop(4, RADIUS_CAUSE_NAS_REBOOT, n);
}

Test(disk_alloc, a_full_disk_is_got_over)
{
	unsigned int count = short_memory_everywhere(get_over_a_full_disk);

	cr_assert_gt(count, 5, "%u", count);
}

/* Everything was lost, and the disk is full when lnsd starts again: the Stops are made in memory. */
static void start_with_a_full_disk(unsigned int n)
{
	begin();
	bed_open();
	for (uint64_t session = 1; session <= 3; session++)
		bed_put(session, RADIUS_START);
	bed_until(bed_all_sent, "sent");
	bed_close();
	power_vfs_set_quota(1);
	bed_is_alive = nobody;
	short_memory_arm(true);
	if (bed_try(&(struct radius_spool_config){ .path = bed_path }) == 0) {
		bed_pass(FAKE_SEC(3));
		power_vfs_set_quota(0);
		radius_spool_flush(spool);
		bed_pass(FAKE_SEC(20));
		short_memory_arm(false);
		bed_until(bed_disk_works, "works");
	} else {
		spool = NULL;
	}
	short_memory_arm(false);
	power_vfs_set_quota(0);
	everything_is_lost_and_sent();
	for (uint64_t session = 1; session <= 3; session++)
		expect_stop(session, RADIUS_CAUSE_NAS_REBOOT, n);
}

Test(disk_alloc, a_start_with_a_full_disk)
{
	cr_assert_gt(short_memory_everywhere(start_with_a_full_disk), 20);
}
