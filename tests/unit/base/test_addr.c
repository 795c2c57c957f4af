// SPDX-License-Identifier: BSD-2-Clause
/* addr: texts, prefixes, IPv4-mapped addresses. */
#include "lns/addr.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(addr, texts_round_trip)
{
	static const struct {
		const char *in;
		uint16_t port;
		const char *host, *with_port;
	} rows[] = {
		{ "192.0.2.1", 1701, "192.0.2.1", "192.0.2.1:1701" },
		{ "2001:db8::1", 1812, "2001:db8::1", "[2001:db8::1]:1812" },
		{ "::ffff:192.0.2.9", 7, "192.0.2.9", "192.0.2.9:7" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[ADDR_TEXT];
		union addr addr;

		cr_assert_eq(addr_parse(rows[i].in, rows[i].port, &addr), 0, "%s", rows[i].in);
		cr_assert_str_eq(addr_text_host(&addr, text), rows[i].host);
		cr_assert_str_eq(addr_text(&addr, text), rows[i].with_port);
		cr_assert_eq(addr_port(&addr), rows[i].port);
	}
}

Test(addr, no_address_is_a_dash)
{
	union addr none = { 0 };
	char text[ADDR_TEXT];

	cr_assert_str_eq(addr_text(&none, text), "-");
}

Test(addr, what_is_no_address)
{
	static const char *const rows[] = { "", "192.0.2", "192.0.2.256", "example", "1::2::3" };
	union addr addr;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(addr_parse(rows[i], 0, &addr), -EINVAL, "%s", rows[i]);
}

Test(addr, sockaddr_lengths_are_checked)
{
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6, .sin6_port = htons(5) };
	union addr addr;
	char text[ADDR_TEXT];

	inet_pton(AF_INET6, "::ffff:198.51.100.7", &mapped.sin6_addr);
	cr_assert_eq(addr_from_sockaddr((struct sockaddr *)&mapped, 8, &addr), -EINVAL);
	cr_assert_eq(addr_from_sockaddr((struct sockaddr *)&mapped, 1, &addr), -EINVAL);
	cr_assert_eq(addr_from_sockaddr((struct sockaddr *)&mapped, sizeof(mapped), &addr), 0);
	cr_assert_str_eq(addr_text(&addr, text), "198.51.100.7:5");
	mapped.sin6_family = AF_UNIX;
	cr_assert_eq(
		addr_from_sockaddr((struct sockaddr *)&mapped, sizeof(mapped), &addr), -EINVAL);
}

Test(addr, prefixes)
{
	static const struct {
		const char *prefix, *addr;
		bool inside;
	} rows[] = {
		{ "0.0.0.0/0", "203.0.113.9", true },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.7", "192.0.2.7", true },
		{ "192.0.2.7", "192.0.2.6", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "::/0", "192.0.2.1", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr_prefix prefix;
		union addr addr;

		cr_assert_eq(addr_prefix_parse(rows[i].prefix, &prefix), 0);
		cr_assert_eq(addr_parse(rows[i].addr, 99, &addr), 0);
		cr_assert_eq(addr_prefix_contains(&prefix, &addr), rows[i].inside, "%s in %s",
			rows[i].addr, rows[i].prefix);
	}
}

Test(addr, what_is_no_prefix)
{
	static const char *const rows[] = { "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/",
		"192.0.2.0/1x", "192.0.2.0/0024", "/24", "2001:db8::/129",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/1" };
	struct addr_prefix prefix;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(addr_prefix_parse(rows[i], &prefix), -EINVAL, "%s", rows[i]);
}

Test(addr, equality_and_hash)
{
	union addr a, b;

	addr_parse("192.0.2.1", 1, &a);
	addr_parse("192.0.2.1", 2, &b);
	cr_assert(addr_equal_host(&a, &b));
	cr_assert_not(addr_equal(&a, &b));
	cr_assert_neq(addr_hash(&a, 1), addr_hash(&b, 1));
	addr_set_port(&b, 1);
	cr_assert(addr_equal(&a, &b));
	cr_assert_eq(addr_hash(&a, 1), addr_hash(&b, 1));
	cr_assert_neq(addr_hash(&a, 1), addr_hash(&a, 2));
}
