/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of address pools: no address twice, the same one again, nothing lost by a new configuration. */
#include "lns/subscriber/pool.h"

#include "lns/config/config.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct pools *pools;

/* A configuration of at most two pools "a" and "b" of one range each; last 0: without b. */
static int configure(uint32_t a_first, uint32_t a_last, uint32_t b_first, uint32_t b_last)
{
	struct config_pool_range ranges[] = { { a_first, a_last }, { b_first, b_last } };
	struct config_pool list[] = {
		{ .name = "a", .ranges = &ranges[0], .range_count = 1 },
		{ .name = "b", .ranges = &ranges[1], .range_count = 1 },
	};
	struct config config = { .pools = list, .pool_count = b_last ? 2 : 1 };

	return pools_configure(pools, &config);
}

static void setup(void)
{
	pools = pools_new();
	cr_assert(pools);
}

static void teardown(void)
{
	pools_free(pools);
}

TestSuite(pool, .init = setup, .fini = teardown);

Test(pool, nothing_before_configuration)
{
	uint32_t addr = 7;

	cr_assert_eq(pools_take(pools, "a", "x", &addr), -ENOENT);
	cr_assert_eq(addr, 7);
	cr_assert_eq(pools_claim(pools, 0), -EADDRINUSE);
	cr_assert_eq(pools_info(pools, 0, &(struct pool_info){ 0 }), -ENOENT);
	pools_release(pools, 5);
}

/* Every size around the word boundaries of the bitmaps: all addresses once, then none. */
Test(pool, every_address_once)
{
	static const uint32_t sizes[] = { 1, 2, 63, 64, 65, 128, 4095, 4096, 4097, 70000 };

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		uint32_t first = 0x0a000001, size = sizes[s], addr;
		uint8_t *seen = calloc(1, size);
		char user[16];

		cr_assert_eq(configure(first, first + size - 1, 0, 0), 0);
		for (uint32_t i = 0; i < size; i++) {
			snprintf(user, sizeof(user), "u%u", i);
			cr_assert_eq(pools_take(pools, "a", user, &addr), 0);
			cr_assert(addr >= first && addr - first < size);
			cr_assert(!seen[addr - first]++);
		}
		cr_assert_eq(pools_take(pools, "a", "more", &addr), -EADDRNOTAVAIL);
		/* The only hole is found, wherever it is. */
		for (uint32_t i = 0; i < size; i += 1 + size / 7) {
			pools_release(pools, first + i);
			cr_assert_eq(pools_take(pools, "a", "more", &addr), 0);
			cr_assert_eq(addr, first + i);
		}
		for (uint32_t i = 0; i < size; i++)
			pools_release(pools, first + i);
		free(seen);
	}
}

Test(pool, several_ranges)
{
	struct config_pool_range ranges[] = { { 300, 301 }, { 100, 102 }, { 200, 200 } };
	struct config_pool list = { .name = "a", .ranges = ranges, .range_count = 3 };
	struct config config = { .pools = &list, .pool_count = 1 };
	uint32_t addr, sum = 0;

	cr_assert_eq(pools_configure(pools, &config), 0);
	for (int i = 0; i < 6; i++) {
		cr_assert_eq(pools_take(pools, "a", (char[]){ 'a' + i, 0 }, &addr), 0);
		sum += addr;
	}
	cr_assert_eq(sum, 300 + 301 + 100 + 101 + 102 + 200);
	cr_assert_eq(pools_take(pools, "a", "more", &addr), -EADDRNOTAVAIL);
}

Test(pool, the_same_address_again)
{
	uint32_t alice, bob, addr;

	cr_assert_eq(configure(1000, 1099, 2000, 2099), 0);
	cr_assert_eq(pools_take(pools, "a", "alice", &alice), 0);
	cr_assert_eq(pools_take(pools, "a", "bob", &bob), 0);
	pools_release(pools, alice);
	cr_assert_eq(pools_take(pools, "a", "carol", &addr), 0);
	cr_assert_neq(addr, alice, "an address rests after use");
	cr_assert_eq(pools_take(pools, "a", "alice", &addr), 0);
	cr_assert_eq(addr, alice);
	/* A second session of the same user, and another pool, get other addresses. */
	cr_assert_eq(pools_take(pools, "a", "alice", &addr), 0);
	cr_assert_neq(addr, alice);
	cr_assert_eq(pools_take(pools, "b", "alice", &addr), 0);
	cr_assert(addr >= 2000 && addr <= 2099);
}

Test(pool, claims_inside_and_outside)
{
	struct pool_info info;
	uint32_t addr;

	cr_assert_eq(configure(1000, 1001, 0, 0), 0);
	cr_assert_eq(pools_claim(pools, 1000), 0);
	cr_assert_eq(pools_claim(pools, 1000), -EADDRINUSE);
	cr_assert_eq(pools_take(pools, "a", "x", &addr), 0);
	cr_assert_eq(addr, 1001);
	cr_assert_eq(pools_claim(pools, 1001), -EADDRINUSE);
	for (uint32_t i = 5000; i < 6000; i++)
		cr_assert_eq(pools_claim(pools, i), 0);
	for (uint32_t i = 5000; i < 6000; i++)
		cr_assert_eq(pools_claim(pools, i), -EADDRINUSE);
	cr_assert_eq(pools_outside(pools), 1000);
	for (uint32_t i = 5000; i < 6000; i += 3)
		pools_release(pools, i);
	for (uint32_t i = 5000; i < 6000; i++)
		cr_assert_eq(pools_claim(pools, i), (i - 5000) % 3 ? -EADDRINUSE : 0);
	pools_release(pools, 4999);
	cr_assert_eq(pools_outside(pools), 1000);
	cr_assert_eq(pools_info(pools, 0, &info), 0);
	cr_assert_eq(info.used, 2);
	cr_assert_eq(info.size, 2);
}

Test(pool, reserved_for_a_user)
{
	struct config_pool_range range = { 1000, 1002 };
	struct config_pool list = { .name = "a", .ranges = &range, .range_count = 1 };
	struct config_user user = { .name = "alice" };
	struct config config = { .pools = &list, .pool_count = 1, .users = &user, .user_count = 1 };
	struct pool_info info;
	uint32_t addr;

	user.address.in4.sin_family = AF_INET;
	user.address.in4.sin_addr.s_addr = htonl(1000);
	cr_assert_eq(pools_configure(pools, &config), 0);
	cr_assert_eq(pools_info(pools, 0, &info), 0);
	cr_assert_eq(info.reserved, 1);
	cr_assert_eq(pools_take(pools, "a", "x", &addr), 0);
	cr_assert_eq(addr, 1001);
	cr_assert_eq(pools_take(pools, "a", "y", &addr), 0);
	cr_assert_eq(pools_take(pools, "a", "z", &addr), -EADDRNOTAVAIL);
	cr_assert_eq(pools_claim(pools, 1000), 0);
	cr_assert_eq(pools_info(pools, 0, &info), 0);
	cr_assert_eq(info.reserved, 0);
	pools_release(pools, 1000);
	cr_assert_eq(pools_take(pools, "a", "z", &addr), -EADDRNOTAVAIL);
}

Test(pool, new_configuration_keeps_what_is_used)
{
	uint32_t one, two, addr;
	struct pool_info info;

	cr_assert_eq(configure(1000, 1199, 0, 0), 0);
	cr_assert_eq(pools_take(pools, "a", "one", &one), 0);
	for (uint32_t i = 1001; i < 1190; i++)
		cr_assert_eq(pools_claim(pools, i), 0);
	cr_assert_eq(pools_take(pools, "a", "two", &two), 0);
	cr_assert_eq(pools_claim(pools, 2000), 0);

	/* 1100 and up leave the pool, 2000 comes into one. */
	cr_assert_eq(configure(1000, 1099, 2000, 2001), 0);
	cr_assert_eq(pools_info(pools, 0, &info), 0);
	cr_assert_eq(info.used, 100);
	cr_assert_eq(pools_info(pools, 1, &info), 0);
	cr_assert_eq(info.used, 1);
	cr_assert_eq(pools_claim(pools, one), -EADDRINUSE);
	cr_assert_eq(pools_claim(pools, two), -EADDRINUSE);
	cr_assert_eq(pools_take(pools, "b", "x", &addr), 0);
	cr_assert_eq(addr, 2001);
	pools_release(pools, one);
	cr_assert_eq(pools_take(pools, "a", "one", &addr), 0);
	cr_assert_eq(addr, one);

	/* And back: what is used comes out of no pool into one again. */
	cr_assert_eq(configure(1000, 1199, 0, 0), 0);
	cr_assert_eq(pools_info(pools, 0, &info), 0);
	cr_assert_eq(info.used, 191);
	cr_assert_eq(pools_outside(pools), 2);
}
