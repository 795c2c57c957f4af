/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory runs out anywhere in the accounting of a session, on the loop's side or on the disk's: for every
 * n, the n-th allocation fails. What was accepted is told to be durable or lost, once; what was durable
 * reaches the server, if need be from another spool on the same file; and nothing else is left behind.
 *
 * The client has a test of its own in test_failover.c.
 */
#include "tests/unit/radius/spool_bed.h"
#include "tests/unit/short_memory.h"

#include "radius/attr_codes.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

TestSuite(alloc, .init = bed_setup, .fini = bed_teardown, .timeout = 120);

static const enum radius_record_kind kinds[] = { RADIUS_START, RADIUS_INTERIM, RADIUS_STOP };
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

/* What the spool said of each record. */
struct fate {
	unsigned int told;
	int err;
};

static void note_fate(void *ctx, int err)
{
	struct fate *fate = ctx;

	fate->told++;
	fate->err = err;
}

static struct radius_attrs *make_attrs(void)
{
	struct radius_attrs *attrs = radius_attrs_new();

	if (attrs && !radius_add_string(attrs, RADIUS_ACCT_SESSION_ID, 0, "0000000000000001") &&
		!radius_add_string(attrs, RADIUS_USER_NAME, 0, "alice"))
		return attrs;
	radius_attrs_free(attrs);
	return NULL;
}

/* Start, checkpoint, Interim, Stop; whether each record was accepted. */
static void put_all(bool accepted[KINDS], struct fate fates[KINDS])
{
	uint8_t octets[512];

	for (int i = 0; i < KINDS; i++) {
		struct radius_attrs *attrs = make_attrs();
		int len = attrs ? radius_attrs_encode(attrs, octets, sizeof(octets)) : -ENOMEM;

		if (i == 1 && len > 0) {
			(void)radius_spool_checkpoint(
				spool, &(struct radius_checkpoint){ .session = 1,
					       .event_time = fake.wallclock,
					       .fixed = octets,
					       .fixed_len = (size_t)len,
					       .attrs = attrs });
			radius_spool_commit(spool, NULL, NULL);
		}
		accepted[i] = attrs && !radius_spool_put(spool, 1, kinds[i], attrs, fake.wallclock,
					       note_fate, &fates[i]);
		radius_attrs_free(attrs);
		bed_serve();
	}
}

static bool was_seen(enum radius_record_kind kind)
{
	for (unsigned int i = 0; i < bed_seen_count; i++)
		if (bed_seen[i].session == 1 && bed_seen[i].kind == kind)
			return true;
	return false;
}

static unsigned int harmed; /* runs in which something was not done */

/* A session's accounting. */
static void account(unsigned int n)
{
	bool accepted[KINDS] = { false };
	struct fate fates[KINDS] = { 0 };
	int err;

	bed_seen_count = 0;
	(void)unlink(bed_path);
	short_memory_arm(true);
	err = bed_try(&(struct radius_spool_config){ .path = bed_path });
	if (!err)
		put_all(accepted, fates);
	short_memory_arm(false);
	if (err) {
		cr_assert_eq(err, -ENOMEM, "allocation %u: %d", n, err);
		spool = NULL;
	} else {
		bed_pass(FAKE_SEC(3));
		bed_close();
	}
	bed_open();
	bed_pass(FAKE_SEC(3));
	bed_until(bed_all_sent, "sent");
	bed_close();
	harmed += !accepted[0] || !accepted[1] || !accepted[2] || fates[0].err || fates[1].err ||
		  fates[2].err;
	for (int i = 0; i < KINDS; i++) {
		cr_assert_eq(fates[i].told, accepted[i], "allocation %u, record %d", n, i);
		/* The Interim need not be sent when the Stop has come. */
		if (accepted[i] && !fates[i].err && kinds[i] != RADIUS_INTERIM)
			cr_assert(was_seen(kinds[i]), "allocation %u: record %d is lost", n, i);
	}
}

Test(alloc, no_record_is_lost)
{
	unsigned int count = short_memory_everywhere(account);

	cr_assert_gt(count, 20);
	cr_assert_gt(harmed, 10, "%u of %u", harmed, count);
}
