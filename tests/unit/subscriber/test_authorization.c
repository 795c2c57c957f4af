// SPDX-License-Identifier: BSD-2-Clause
/* authorization: what an Access-Accept grants, refuses, or is told apart as not obeyed. */
#include "lns/subscriber/authorization.h"

#include "lns/config/config.h"
#include "lns/env.h"
#include "radius/attr_codes.h"
#include "radius/radius.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct authorization *grant;
static struct radius_attrs *reply;
static char why[128], ignored[256];

static void setup(void)
{
	struct config_ppp ppp = { .pool = "subscribers", .mtu = 1460, .ipv4 = true };

	addr_parse("100.64.0.1", 0, &ppp.local_address);
	addr_parse("192.0.2.53", 0, &ppp.dns[0]);
	ppp.session_timeout = ENV_SEC(3600);
	cr_assert_eq(authorization_new(&ppp, ENV_SEC(600), &grant), 0);
	reply = radius_attrs_new();
}

static void teardown(void)
{
	authorization_free(grant);
	radius_attrs_free(reply);
}

static int apply(void)
{
	return authorization_apply_reply(grant, reply, why, sizeof(why), ignored, sizeof(ignored));
}

TestSuite(authorization, .init = setup, .fini = teardown);

Test(authorization, an_empty_reply_grants_the_defaults)
{
	cr_assert_eq(apply(), 0);
	cr_assert_eq(grant->address, AUTHORIZATION_POOL);
	cr_assert_str_eq(grant->pool, "subscribers");
	cr_assert_eq(grant->local, 0x64400001);
	cr_assert_eq(grant->dns[0], 0xc0000235);
	cr_assert_eq(grant->mtu, 1460);
	cr_assert_eq(grant->session_timeout, ENV_SEC(3600));
	cr_assert_eq(grant->interim, ENV_SEC(600));
	cr_assert_str_empty(ignored);
}

Test(authorization, framed_ip_address_and_its_two_special_values)
{
	static const struct {
		uint32_t value;
		enum authorization_address address;
	} rows[] = {
		{ 0xcb007107, AUTHORIZATION_FIXED },
		{ 0xffffffff, AUTHORIZATION_PEER_CHOOSES },
		{ 0xfffffffe, AUTHORIZATION_POOL },
	};

	for (size_t i = 0; i < 3; i++) {
		teardown();
		setup();
		radius_add_u32(reply, RADIUS_FRAMED_IP_ADDRESS, 0, rows[i].value);
		cr_assert_eq(apply(), 0);
		cr_assert_eq(grant->address, rows[i].address);
	}
}

Test(authorization, addresses_that_nobody_can_have_are_refused_by_name)
{
	static const uint32_t rows[] = { 0, 0x7f000001, 0xe0000001 };

	for (size_t i = 0; i < 3; i++) {
		teardown();
		setup();
		radius_add_u32(reply, RADIUS_FRAMED_IP_ADDRESS, 0, rows[i]);
		cr_assert_eq(apply(), -EINVAL);
		cr_assert_not_null(strstr(why, "Framed-IP-Address"), "%s", why);
	}
}

Test(authorization, a_service_that_is_not_framed_ppp_is_refused)
{
	radius_add_u32(reply, RADIUS_SERVICE_TYPE, 0, 1);
	cr_assert_eq(apply(), -EINVAL);
	cr_assert_not_null(strstr(why, "Service-Type"));
}

Test(authorization, a_filter_that_would_not_be_applied_is_refused)
{
	radius_add_string(reply, RADIUS_FILTER_ID, 0, "strict");
	cr_assert_eq(apply(), -EINVAL);
	cr_assert_not_null(strstr(why, "Filter-Id"));
}

Test(authorization, limits_and_servers)
{
	radius_add_u32(reply, RADIUS_SESSION_TIMEOUT, 0, 60);
	radius_add_u32(reply, RADIUS_IDLE_TIMEOUT, 0, 120);
	radius_add_u32(reply, RADIUS_ACCT_INTERIM_INTERVAL, 0, 300);
	radius_add_u32(reply, RADIUS_FRAMED_MTU, 0, 1400);
	radius_add_u32(reply, RADIUS_MS_PRIMARY_DNS_SERVER, 0, 0x0a000035);
	radius_add_u32(reply, RADIUS_MS_SECONDARY_DNS_SERVER, 0, 0x0a000036);
	radius_add_string(reply, RADIUS_FRAMED_POOL, 0, "gold");
	radius_add_string(reply, RADIUS_USER_NAME, 0, "alice@example.net");
	cr_assert_eq(apply(), 0);
	cr_assert_eq(grant->session_timeout, ENV_SEC(60));
	cr_assert_eq(grant->idle_timeout, ENV_SEC(120));
	cr_assert_eq(grant->interim, ENV_SEC(300));
	cr_assert_eq(grant->mtu, 1400);
	cr_assert_eq(grant->dns[0], 0x0a000035);
	cr_assert_eq(grant->dns[1], 0x0a000036);
	cr_assert_str_eq(grant->pool, "gold");
	cr_assert_str_eq(grant->user, "alice@example.net");
	cr_assert_str_empty(ignored);
}

Test(authorization, an_mtu_larger_than_the_line_s_does_not_widen_it)
{
	radius_add_u32(reply, RADIUS_FRAMED_MTU, 0, 1500);
	cr_assert_eq(apply(), 0);
	cr_assert_eq(grant->mtu, 1460);
}

Test(authorization, what_is_not_obeyed_is_named)
{
	radius_add_u32(reply, RADIUS_FRAMED_MTU, 0, 40);
	radius_add_u32(reply, RADIUS_ACCT_INTERIM_INTERVAL, 0, 5);
	radius_add_u32(reply, RADIUS_PORT_LIMIT, 0, 0);
	radius_add_u32(reply, RADIUS_TERMINATION_ACTION, 0, RADIUS_TERMINATION_REQUEST);
	radius_add_u32(reply, RADIUS_FRAMED_COMPRESSION, 0, 1);
	radius_add_string(reply, RADIUS_FRAMED_ROUTE, 0, "nonsense\n");
	radius_add_string(reply, RADIUS_TUNNEL_PRIVATE_GROUP_ID, 0, "a");
	cr_assert_eq(apply(), 0);
	cr_assert_not_null(strstr(ignored, "Framed-MTU = 40"), "%s", ignored);
	cr_assert_not_null(strstr(ignored, "Acct-Interim-Interval = 5"), "%s", ignored);
	cr_assert_not_null(strstr(ignored, "Port-Limit = 0"), "%s", ignored);
	cr_assert_not_null(strstr(ignored, "Termination-Action = 1"), "%s", ignored);
	cr_assert_not_null(strstr(ignored, "Framed-Compression = 1"), "%s", ignored);
	cr_assert_not_null(strstr(ignored, "Framed-Route = nonsense\\x0a"), "%s", ignored);
	cr_assert_not_null(strstr(ignored, "Tunnel-Private-Group-Id"), "%s", ignored);
	cr_assert_eq(grant->mtu, 1460);
	cr_assert_eq(grant->max_sessions, 0);
}

Test(authorization, what_is_as_it_is_anyway_is_obeyed)
{
	radius_add_u32(reply, RADIUS_TERMINATION_ACTION, 0, RADIUS_TERMINATION_DEFAULT);
	radius_add_u32(reply, RADIUS_FRAMED_COMPRESSION, 0, 0);
	radius_add_u32(reply, RADIUS_FRAMED_ROUTING, 0, 0);
	radius_add_u32(reply, RADIUS_FRAMED_IP_NETMASK, 0, 0xffffffff);
	radius_add_u32(reply, RADIUS_PORT_LIMIT, 0, 2);
	cr_assert_eq(apply(), 0);
	cr_assert_str_empty(ignored);
	cr_assert_eq(grant->max_sessions, 2);
	cr_assert_eq(grant->route_count, 0);
}

Test(authorization, a_pool_name_that_is_none_is_refused)
{
	radius_add_octets(reply, RADIUS_FRAMED_POOL, "go\0ld", 5);
	cr_assert_eq(apply(), -EINVAL);
	cr_assert_not_null(strstr(why, "Framed-Pool"), "%s", why);
}

Test(authorization, an_address_of_its_own_comes_before_a_pool_in_either_order)
{
	for (int i = 0; i < 2; i++) {
		teardown();
		setup();
		if (i)
			radius_add_string(reply, RADIUS_FRAMED_POOL, 0, "gold");
		radius_add_u32(reply, RADIUS_FRAMED_IP_ADDRESS, 0, 0xcb007107);
		if (!i)
			radius_add_string(reply, RADIUS_FRAMED_POOL, 0, "gold");
		cr_assert_eq(apply(), 0);
		cr_assert_eq(grant->address, AUTHORIZATION_FIXED);
	}
}

static const char *route_text(size_t i)
{
	static char text[ADDR_TEXT + 8];
	char host[ADDR_TEXT];

	cr_assert_lt(i, grant->route_count);
	snprintf(text, sizeof(text), "%s/%u", addr_text_host(&grant->routes[i].prefix.addr, host),
		grant->routes[i].prefix.len);
	return text;
}

Test(authorization, routes_and_the_network_of_a_netmask)
{
	radius_add_string(reply, RADIUS_FRAMED_ROUTE, 0, "192.0.2.0/24 0.0.0.0 1");
	radius_add_string(reply, RADIUS_FRAMED_ROUTE, 0, "198.51.100.0/24 203.0.113.7 1");
	radius_add_string(reply, RADIUS_FRAMED_ROUTE, 0, "10.0.0.0/8 203.0.113.8 1");
	radius_add_u32(reply, RADIUS_FRAMED_IP_NETMASK, 0, 0xfffffff8);
	radius_add_u32(reply, RADIUS_FRAMED_IP_ADDRESS, 0, 0xcb007107);
	cr_assert_eq(apply(), 0);
	cr_assert_eq(grant->route_count, 3);
	cr_assert_str_eq(route_text(0), "192.0.2.0/24");
	cr_assert_str_eq(route_text(1), "198.51.100.0/24");
	cr_assert_str_eq(route_text(2), "203.0.113.0/29");
	cr_assert_str_eq(ignored, "Framed-Route by way of a gateway");
}

Test(authorization, a_netmask_without_an_address_of_its_own_is_not_obeyed)
{
	radius_add_u32(reply, RADIUS_FRAMED_IP_NETMASK, 0, 0xffffff00);
	cr_assert_eq(apply(), 0);
	cr_assert_str_eq(ignored, "Framed-IP-Netmask");
	teardown();
	setup();
	radius_add_u32(reply, RADIUS_FRAMED_IP_NETMASK, 0, 0xff00ff00);
	cr_assert_eq(apply(), 0);
	cr_assert_str_eq(ignored, "Framed-IP-Netmask = 255.0.255.0");
}

Test(authorization, ipv6_prefixes_are_routed_accounted_and_named)
{
	static const uint8_t prefix[] = { 0, 48, 0x20, 0x01, 0x0d, 0xb8, 0, 1, 0xff };
	const uint8_t *data;
	size_t len;

	radius_add_octets(reply, RADIUS_DELEGATED_IPV6_PREFIX, prefix, sizeof(prefix));
	radius_add_octets(reply, RADIUS_FRAMED_INTERFACE_ID, "\0\0\0\0\0\0\0\1", 8);
	radius_add_string(reply, RADIUS_FRAMED_IPV6_ROUTE, 0, "2001:db8:2::/48 :: 1");
	cr_assert_eq(apply(), 0);
	cr_assert_eq(grant->route_count, 2);
	cr_assert_str_eq(route_text(0), "2001:db8:1::/48");
	cr_assert_str_eq(route_text(1), "2001:db8:2::/48");
	cr_assert_str_eq(ignored, "Delegated-IPv6-Prefix (not delivered)");
	cr_assert(radius_get_octets(grant->echoed, RADIUS_DELEGATED_IPV6_PREFIX, 0, &data, &len));
	cr_assert(len == sizeof(prefix) && memcmp(data, prefix, len) == 0);
	cr_assert(radius_get_octets(grant->echoed, RADIUS_FRAMED_INTERFACE_ID, 0, &data, &len));
	cr_assert(grant->has_interface_id);
}

Test(authorization, pools_and_name_servers_of_ipv6_are_accounted_and_named)
{
	static const struct in6_addr dns = { { { 0x20, 0x01, 0x0d, 0xb8, [15] = 0x53 } } };
	const uint8_t *data;
	size_t len;

	radius_add_string(reply, RADIUS_FRAMED_IPV6_POOL, 0, "residential");
	radius_add_octets(reply, RADIUS_DNS_SERVER_IPV6_ADDRESS, &dns, sizeof(dns));
	cr_assert_eq(apply(), 0);
	cr_assert_str_eq(ignored,
		"Framed-IPv6-Pool (not delivered), DNS-Server-IPv6-Address (not delivered)");
	cr_assert(radius_get_octets(grant->echoed, RADIUS_FRAMED_IPV6_POOL, 0, &data, &len));
	cr_assert(len == 11 && memcmp(data, "residential", len) == 0);
	cr_assert(radius_get_octets(grant->echoed, RADIUS_DNS_SERVER_IPV6_ADDRESS, 0, &data, &len));
	cr_assert(len == sizeof(dns) && memcmp(data, &dns, len) == 0);
	cr_assert_eq(grant->address, AUTHORIZATION_POOL);
	cr_assert_not(grant->pool_given);
}

Test(authorization, name_servers_of_ipv6_that_are_none)
{
	static const char *const texts[] = { "::", "::1", "ff02::fb" };
	struct in6_addr addr;

	radius_add_octets(reply, RADIUS_FRAMED_IPV6_POOL, "a\0b", 3);
	cr_assert_eq(apply(), 0);
	cr_assert(strncmp(ignored, "Framed-IPv6-Pool = ", 19) == 0, "%s", ignored);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		teardown();
		setup();
		cr_assert_eq(inet_pton(AF_INET6, texts[i], &addr), 1);
		radius_add_octets(reply, RADIUS_DNS_SERVER_IPV6_ADDRESS, &addr, sizeof(addr));
		cr_assert_eq(apply(), 0);
		cr_assert_str_eq(ignored, "DNS-Server-IPv6-Address", "%s", texts[i]);
		cr_assert_null(grant->echoed);
	}
}

Test(authorization, name_servers_of_ipv6_beyond_four)
{
	struct in6_addr addr = { { { 0x20, 0x01, 0x0d, 0xb8 } } };
	const uint8_t *data;
	size_t len;

	for (addr.s6_addr[15] = 1; addr.s6_addr[15] <= 5; addr.s6_addr[15]++)
		radius_add_octets(reply, RADIUS_DNS_SERVER_IPV6_ADDRESS, &addr, sizeof(addr));
	cr_assert_eq(apply(), 0);
	cr_assert(radius_get_octets(grant->echoed, RADIUS_DNS_SERVER_IPV6_ADDRESS, 3, &data, &len));
	cr_assert_eq(data[15], 4);
	cr_assert_not(
		radius_get_octets(grant->echoed, RADIUS_DNS_SERVER_IPV6_ADDRESS, 4, &data, &len));
	cr_assert_not_null(strstr(ignored, "(not delivered), DNS-Server-IPv6-Address"));
}

/* The list has an end, and says so. */
Test(authorization, more_is_not_obeyed_than_can_be_named)
{
	for (int i = 0; i < 20; i++)
		radius_add_string(reply, RADIUS_CALLBACK_NUMBER, 0, "0401");
	cr_assert_eq(apply(), 0);
	cr_assert_eq(strlen(ignored), sizeof(ignored) - 1);
	cr_assert_str_eq(ignored + sizeof(ignored) - 5, " ...", "%s", ignored);
}

Test(authorization, every_class_is_kept_in_order)
{
	const uint8_t *data;
	size_t len;

	radius_add_octets(reply, RADIUS_CLASS, "one", 3);
	radius_add_octets(reply, RADIUS_CLASS, "\0two", 4);
	cr_assert_eq(apply(), 0);
	cr_assert(radius_get_octets(grant->classes, RADIUS_CLASS, 0, &data, &len));
	cr_assert(len == 3 && memcmp(data, "one", 3) == 0);
	cr_assert(radius_get_octets(grant->classes, RADIUS_CLASS, 1, &data, &len));
	cr_assert(len == 4 && memcmp(data, "\0two", 4) == 0);
	cr_assert_not(radius_get_octets(grant->classes, RADIUS_CLASS, 2, &data, &len));
}

Test(authorization, a_users_file_address_is_fixed)
{
	struct config_user user = { .name = "test" };

	authorization_apply_user(grant, &user);
	cr_assert_eq(grant->address, AUTHORIZATION_POOL);
	addr_parse("100.64.9.9", 0, &user.address);
	authorization_apply_user(grant, &user);
	cr_assert_eq(grant->address, AUTHORIZATION_FIXED);
	cr_assert_eq(grant->remote, 0x64400909);
}
