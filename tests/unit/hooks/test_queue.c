// SPDX-License-Identifier: BSD-2-Clause
/* queue: order, limits and rate of the programs, on a clock that the test moves. */
#include "lns/hooks/queue.h"

#include "tests/unit/hooks/event.h"

#include <criterion/criterion.h>
#include <errno.h>

#define MS UINT64_C(1000)

static struct hooks_queue *queue;
static uint64_t now, wait;

static void setup(void)
{
	queue = hooks_queue_new();
	now = 1000 * MS;
}

static void teardown(void)
{
	hooks_queue_free(queue);
}

TestSuite(hooks_queue, .init = setup, .fini = teardown);

static void limits(unsigned int rate, unsigned int parallel, unsigned int room)
{
	struct hooks_config config = config_of("/bin/true");

	config.rate = rate;
	config.parallel = parallel;
	config.queue = room;
	hooks_queue_configure(queue, &config);
}

static int put(uint64_t session, enum hooks_kind kind)
{
	struct hooks_event event = event_of(session, kind);

	return hooks_queue_put(queue, &event);
}

/* The session whose turn it is: positive for up, negative for down, 0 for none. */
static int take(void)
{
	struct hooks_event event;

	if (!hooks_queue_take(queue, now, &event, &wait))
		return 0;
	return event.kind == HOOKS_UP ? (int)event.session : -(int)event.session;
}

Test(hooks_queue, first_come_first_served)
{
	limits(1000, 3, 10);
	cr_assert_eq(take(), 0);
	cr_assert_eq(wait, UINT64_MAX);
	for (uint64_t session = 1; session <= 4; session++)
		cr_assert_eq(put(session, HOOKS_UP), 0);
	cr_assert_eq(take(), 1);
	cr_assert_eq(take(), 2);
	cr_assert_eq(take(), 3);
	cr_assert_eq(take(), 0); /* as many as may run do */
	cr_assert_eq(wait, UINT64_MAX);
	cr_assert_eq(hooks_queue_running(queue), 3);
	cr_assert_eq(hooks_queue_waiting(queue), 1);
	hooks_queue_done(queue, 2);
	now += MS;
	cr_assert_eq(take(), 4);
}

/* Up before down of a session, however long up takes; others go on. */
Test(hooks_queue, order_of_one_session)
{
	limits(1000, 3, 10);
	put(1, HOOKS_UP);
	put(1, HOOKS_DOWN);
	put(2, HOOKS_DOWN);
	cr_assert_eq(take(), 1);
	cr_assert_eq(take(), -2);
	cr_assert_eq(take(), 0);
	cr_assert_eq(wait, UINT64_MAX);
	hooks_queue_done(queue, 2);
	cr_assert_eq(take(), 0);
	hooks_queue_done(queue, 1);
	cr_assert_eq(take(), -1);
	hooks_queue_done(queue, 7); /* nobody */
	cr_assert_eq(hooks_queue_running(queue), 1);
}

Test(hooks_queue, rate)
{
	unsigned int started = 0;

	limits(10, 2, 1000);
	for (uint64_t session = 1; session <= 100; session++)
		put(session, HOOKS_UP);
	/* Two may be ahead, then one every 100 ms, whatever ends. */
	for (uint64_t end = now + 1000 * MS; now <= end;) {
		int session = take();

		if (session) {
			started++;
			hooks_queue_done(queue, (uint64_t)session);
		} else {
			cr_assert(wait > 0 && wait <= 100 * MS);
			now += wait;
		}
	}
	cr_assert_eq(started, 12);
	/* Silence saves up no more than that. */
	now += 10000 * MS;
	cr_assert_neq(take(), 0);
	cr_assert_neq(take(), 0);
	cr_assert_eq(take(), 0);
}

Test(hooks_queue, hurry)
{
	limits(1, 1, 1000);
	for (uint64_t session = 1; session <= 50; session++)
		put(session, HOOKS_DOWN);
	hooks_queue_hurry(queue);
	for (int session = 1; session <= 50; session++) {
		cr_assert_eq(take(), -session);
		cr_assert_eq(take(), 0); /* but one at a time */
		hooks_queue_done(queue, (uint64_t)session);
	}
}

Test(hooks_queue, bounded)
{
	struct hooks_event event;

	limits(1000, 1, 2);
	cr_assert_eq(put(1, HOOKS_UP), 0);
	cr_assert_eq(put(2, HOOKS_UP), 0);
	cr_assert_eq(put(3, HOOKS_UP), -ENOSPC);
	cr_assert_eq(take(), 1); /* what runs does not wait */
	cr_assert_eq(put(4, HOOKS_UP), 0);
	cr_assert_eq(put(5, HOOKS_UP), -ENOSPC);
	limits(1000, 1, 1); /* what waits stays */
	cr_assert_eq(hooks_queue_waiting(queue), 2);
	cr_assert(hooks_queue_drop(queue, &event));
	cr_assert_eq(event.session, 2);
	cr_assert(hooks_queue_drop(queue, &event));
	cr_assert_eq(event.session, 4);
	cr_assert_not(hooks_queue_drop(queue, &event));
}
