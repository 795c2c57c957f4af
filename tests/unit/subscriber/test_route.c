// SPDX-License-Identifier: BSD-2-Clause
/* route: the text of Framed-Route, and routes that come and go with a session. */
#include "lns/subscriber/route.h"

#include "radius/attr_codes.h"
#include "tests/unit/subscriber/fake.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const char *parse(const char *text, int family)
{
	static char out[160];
	struct authorization_route route;
	char host[ADDR_TEXT];

	if (route_parse(text, strlen(text), family, &route) < 0)
		return "-";
	snprintf(out, sizeof(out), "%s/%u %x", addr_text_host(&route.prefix.addr, host),
		route.prefix.len, route.gateway);
	return out;
}

Test(route_text, rows)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "192.0.2.0/24 0.0.0.0 1", "192.0.2.0/24 0" },
		{ "192.0.2.0/24 192.0.2.1 1 2 3", "192.0.2.0/24 c0000201" },
		{ "  192.0.2.0/24   0.0.0.0  1 ", "192.0.2.0/24 0" },
		{ "192.0.2.0/24", "192.0.2.0/24 0" },
		{ "0.0.0.0/0", "0.0.0.0/0 0" },
		/* without a length, of its class */
		{ "10.0.0.0 0.0.0.0 1", "10.0.0.0/8 0" },
		{ "172.16.0.0", "172.16.0.0/16 0" },
		{ "192.0.2.0", "192.0.2.0/24 0" },
		{ "192.0.2.1", "-" },
		{ "", "-" },
		{ " ", "-" },
		{ "192.0.2.1/24", "-" },
		{ "192.0.2.0/33", "-" },
		{ "192.0.2.0/-1", "-" },
		{ "192.0.2.0/24x", "-" },
		{ "192.0.2.0/24 gw 1", "-" },
		{ "192.0.2.0/24 0.0.0.0 1x", "-" },
		{ "192.0.2.0/24 0.0.0.0 -1", "-" },
		{ "192.0.2.0/24 0.0.0.0 12345678901", "-" },
		{ "192.0.2.0/24\t0.0.0.0", "-" },
		{ "127.0.0.0/8", "-" },
		{ "224.0.0.0/4", "-" },
		{ "240.0.0.0/4", "-" },
		{ "0.0.0.0/8", "-" },
		{ "2001:db8::/32", "-" },
		{ "default", "-" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_str_eq(parse(rows[i].text, AF_INET), rows[i].expected, "\"%s\": %s",
			rows[i].text, parse(rows[i].text, AF_INET));
}

Test(route_text, of_ipv6)
{
	cr_assert_str_eq(parse("2001:db8:1::/48 :: 1", AF_INET6), "2001:db8:1::/48 0");
	cr_assert_str_eq(parse("2001:db8:1::/48 2001:db8::1 1", AF_INET6), "2001:db8:1::/48 0");
	cr_assert_str_eq(parse("2001:db8:1::", AF_INET6), "-");
	cr_assert_str_eq(parse("2001:db8:1::/48 192.0.2.1", AF_INET6), "-");
	cr_assert_str_eq(parse("fe80::/64", AF_INET6), "-");
	cr_assert_str_eq(parse("ff00::/8", AF_INET6), "-");
	cr_assert_str_eq(parse("::1/128", AF_INET6), "-");
}

Test(route_text, octets)
{
	struct authorization_route route;

	cr_assert_eq(route_parse("10.0.0.0/8\0", 11, AF_INET, &route), 0);
	cr_assert_eq(route_parse("10.0.0.0\0/8", 11, AF_INET, &route), -EINVAL);
}

Test(route_text, masks)
{
	cr_assert_eq(route_mask_len(0xffffffff), 32);
	cr_assert_eq(route_mask_len(0xffffff00), 24);
	cr_assert_eq(route_mask_len(0x80000000), 1);
	cr_assert_eq(route_mask_len(0), 0);
	cr_assert_eq(route_mask_len(0xffffff01), -EINVAL);
	cr_assert_eq(route_mask_len(0x00ffffff), -EINVAL);
}

TestSuite(routes, .init = world_init);

static struct radius_attrs *with_routes(void)
{
	struct radius_attrs *attrs = radius_attrs_new();

	radius_add_string(attrs, RADIUS_FRAMED_ROUTE, 0, "203.0.113.0/24 0.0.0.0 1");
	radius_add_string(attrs, RADIUS_FRAMED_IPV6_ROUTE, 0, "2001:db8:1::/48 :: 1");
	return attrs;
}

static struct l2tp_session *authorised_call(struct radius_attrs *attrs)
{
	struct l2tp_session *call = call_in(SUBSCRIBER_LINK);

	pppd_asks(call, "alice", "pw");
	radius_accepts(call, attrs);
	return call;
}

Test(routes, come_and_go_with_their_family)
{
	struct l2tp_session *call;

	w.ppps[0].ipv6 = true;
	world_start();
	call = authorised_call(with_routes());
	pppd_network_up(call, PPP_IPV4);
	expect("ask accept group7 start +route:203.0.113.0/24");
	fake_kernel_routes(0);
	pppd_network_up(call, PPP_IPV6);
	expect("+route:2001:db8:1::/48");
	fake_kernel_routes(0);
	pppd_network_down(call, PPP_IPV4);
	expect("-route:203.0.113.0/24");
	fake_kernel_routes(-ESRCH);
	pppd_network_up(call, PPP_IPV4);
	expect("+route:203.0.113.0/24");
	lac_hangs_up(call); /* with a job in work, and nothing removed: the interface takes them */
	everything_settles(call);
	expect("forget drop stop:2 closed kill");
	world_end();
}

Test(routes, one_that_is_there_already)
{
	struct l2tp_session *call;

	world_start();
	call = authorised_call(with_routes());
	pppd_network_up(call, PPP_IPV4);
	fake_kernel_routes(-EEXIST);
	expect("ask accept group7 start +route:203.0.113.0/24");
	cr_assert_str_eq(state_of(call), "up");
	lac_hangs_up(call);
	everything_settles(call);
	world_end();
}

Test(routes, one_that_is_there_already_where_profiles_are_obeyed_whole)
{
	struct l2tp_session *call;

	w.config.radius.unsupported_rejects = 1;
	world_start();
	call = authorised_call(with_routes());
	pppd_network_up(call, PPP_IPV4);
	fake_kernel_routes(-EEXIST);
	expect("ask accept group7 start +route:203.0.113.0/24 term");
	everything_settles(call);
	expect("forget drop stop:15 cdn:5");
	cr_assert_not_null(strstr(call->result.text, "203.0.113.0/24: File exists"));
	world_end();
}

static void expect_refused(const char *text)
{
	struct radius_attrs *attrs = radius_attrs_new();
	struct l2tp_session *call;

	radius_add_string(attrs, RADIUS_FRAMED_ROUTE, 0, text);
	call = authorised_call(attrs);
	expect("ask unavailable");
	pppd_link_down(call, PPP_END_AUTH_FAILED);
	everything_settles(call);
	expect("forget drop cdn:5 term");
	cr_assert_not_null(strstr(call->result.text, "end of a tunnel"), "%s", call->result.text);
}

Test(routes, none_covers_an_end_of_a_tunnel)
{
	world_start();
	expect_refused("198.51.100.0/24"); /* the LAC */
	expect_refused("192.0.2.1/32");    /* this server */
	expect_refused("0.0.0.0/0");
	w.monitor.covers = true; /* another tunnel */
	expect_refused("203.0.113.0/24");
	world_end();
}
