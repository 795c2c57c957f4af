// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory runs out anywhere in a session's life: for every n, the n-th allocation fails, and nothing may
 * be left behind, crash or hang.
 */
#include "tests/unit/short_memory.h"
#include "tests/unit/subscriber/fake.h"

#include "radius/attr_codes.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static bool lives(const struct l2tp_session *call)
{
	return !call->closed && subscriber_find(w.all, call->key);
}

static bool has_pppd(const struct l2tp_session *call)
{
	return lives(call) && subscriber_find(w.all, call->key)->channel;
}

static struct radius_attrs *profile(void)
{
	struct radius_attrs *attrs = radius_attrs_new();

	radius_add_octets(attrs, RADIUS_CLASS, "gold", 4);
	radius_add_octets(attrs, RADIUS_CHARGEABLE_USER_IDENTITY, "c1", 2);
	radius_add_string(attrs, RADIUS_FRAMED_ROUTE, 0, "203.0.113.0/24");
	radius_add_u32(attrs, RADIUS_FRAMED_IP_ADDRESS, 0, 0x0a010203);
	return attrs;
}

/* One call as far as it gets, while memory may run out. */
static void live_once(void)
{
	struct radius_attrs *attrs = profile();
	struct l2tp_session *call;

	short_memory_arm(true);
	call = lac_calls();
	if (lives(call) && fake_kernel_job("open", NULL))
		kernel_answers(call, 0);
	if (lives(call))
		lac_connects(call);
	if (lives(call))
		template_answers(call, 0);
	if (has_pppd(call))
		pppd_asks(call, "alice", "pw");
	if (w.spool.requests)
		fake_radius_answer(call->key, RADIUS_ANSWERED, RADIUS_ACCESS_ACCEPT, attrs);
	if (has_pppd(call) && subscriber_find(w.all, call->key)->state == SUBSCRIBER_NETWORK)
		pppd_network_up(call, PPP_IPV4);
	time_passes(ENV_SEC(11));
	if (fake_kernel_job("sample", NULL))
		fake_kernel_sample(call->ifindex, 10, 10);
	fake_kernel_routes(0);
	if (lives(call))
		lac_hangs_up(call);
	everything_settles(call);
	time_passes(ENV_SEC(5));
	short_memory_arm(false);
	radius_attrs_free(attrs);
}

static void live(unsigned int n)
{
	(void)n;
	world_init();
	w.config.radius.interim = ENV_SEC(10);
	world_start();
	live_once();
	world_end();
}

Test(alloc, nothing_is_left_behind)
{
	cr_assert_gt(short_memory_everywhere(live), 40);
}

Test(alloc, no_subscribers_without_memory)
{
	struct subscribers *all = NULL;
	struct subscribers_host host = fake_host;

	world_init();
	host.env = w.env;
	for (unsigned int n = 1; n <= 3; n++) {
		short_memory_at(n);
		short_memory_arm(true);
		cr_assert_lt(subscribers_new(&host, &all), 0);
		short_memory_arm(false);
	}
	cr_assert_null(all);
	env_fake_free(w.env);
}
