// SPDX-License-Identifier: BSD-2-Clause
/* environ: every variable, and values that want to be something else than a value. */
#include "lns/hooks/environ.h"

#include "tests/unit/hooks/event.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct hooks_environ made;

/* The value of a variable, NULL when there is none. */
static const char *value(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; made.list[i]; i++)
		if (strncmp(made.list[i], name, len) == 0 && made.list[i][len] == '=')
			return made.list[i] + len + 1;
	return NULL;
}

Test(hooks_environ, down)
{
	static const char *const expected[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LANG=C",
		"LNS_EVENT=down",
		"LNS_SESSION=00000001000000ab",
		"LNS_USER=alice",
		"LNS_LAC=wholesale",
		"LNS_PPP=default",
		"LNS_AUTH=CHAP",
		"LNS_PEER=bng1",
		"LNS_PEER_ADDRESS=198.51.100.2",
		"LNS_TUNNEL=12",
		"LNS_CALL=34",
		"LNS_CALLING_NUMBER=0301234",
		"LNS_CALLED_NUMBER=0309876",
		"LNS_INTERFACE=ppp3",
		"LNS_IFINDEX=7",
		"LNS_LOCAL_ADDRESS=100.64.0.1",
		"LNS_REMOTE_ADDRESS=100.64.1.2",
		"LNS_INTERFACE_ID=0200:5eff:fe00:5301",
		"LNS_IPV6_PREFIX=2001:db8:1::/64",
		"LNS_DELEGATED_IPV6_PREFIX=2001:db8:2::/56 2001:db8:3::/56",
		"LNS_IPV6_POOL=residential",
		"LNS_IPV6_DNS=2001:db8::53 2001:db8::54",
		"LNS_TIME=1700000100",
		"LNS_UP_TIME=1700000000",
		"LNS_REASON=session timeout",
		"LNS_DETAIL=it was long",
		"LNS_TERMINATE_CAUSE=5",
		"LNS_DURATION=100",
		"LNS_RX_OCTETS=5000000000",
		"LNS_TX_OCTETS=2",
		"LNS_RX_PACKETS=3",
		"LNS_TX_PACKETS=4",
		NULL,
	};
	struct hooks_event event = event_of(UINT64_C(0x1000000ab), HOOKS_DOWN);

	memcpy(event.interface_id, "\x02\x00\x5e\xff\xfe\x00\x53\x01", 8);
	snprintf(event.detail, sizeof(event.detail), "it was long");
	hooks_environ_make(&event, &made);
	for (size_t i = 0; expected[i]; i++)
		cr_assert_str_eq(made.list[i], expected[i]);
	cr_assert_null(made.list[sizeof(expected) / sizeof(expected[0]) - 1]);
}

Test(hooks_environ, up_has_no_end)
{
	struct hooks_event event = event_of(1, HOOKS_UP);

	event.remote = 0;
	event.calling[0] = event.pool6[0] = '\0';
	hooks_environ_make(&event, &made);
	cr_assert_str_eq(value("LNS_EVENT"), "up");
	cr_assert_null(value("LNS_REASON"));
	cr_assert_null(value("LNS_TERMINATE_CAUSE"));
	cr_assert_null(value("LNS_RX_OCTETS"));
	cr_assert_null(value("LNS_DURATION"));
	cr_assert_null(value("LNS_REMOTE_ADDRESS"));
	cr_assert_null(value("LNS_CALLING_NUMBER"));
	cr_assert_null(value("LNS_INTERFACE_ID"));
	cr_assert_null(value("LNS_IPV6_POOL"));
}

Test(hooks_environ, hostile_values)
{
	struct hooks_event event = event_of(1, HOOKS_UP);

	snprintf(event.user, sizeof(event.user), "%s",
		"a\"; rm -rf / #`x`$(y)\nLNS_LAC=other\nPATH=/tmp\x1b[31m\xc3\xbc\\");
	hooks_environ_make(&event, &made);
	cr_assert_str_eq(value("LNS_USER"),
		"a\"; rm -rf / #`x`$(y)\\x0aLNS_LAC=other\\x0aPATH=/tmp\\x1b[31m\\xc3\\xbc\\\\");
	cr_assert_str_eq(value("LNS_LAC"), "wholesale");
}

/* The longest of everything: it all fits. */
Test(hooks_environ, longest)
{
	struct hooks_event event = event_of(UINT64_MAX, HOOKS_DOWN);

#define FILL(text) memset(event.text, 1, sizeof(event.text) - 1)
	FILL(user), FILL(lac), FILL(ppp), FILL(auth), FILL(peer_host), FILL(peer_address);
	FILL(calling), FILL(called), FILL(interface), FILL(reason), FILL(detail);
	FILL(prefixes), FILL(delegated), FILL(pool6), FILL(dns6);
	event.rx_octets = event.tx_octets = event.rx_packets = event.tx_packets = UINT64_MAX;
	event.when = event.up = event.lasted = UINT64_MAX;
	event.interface_id[0] = 255;
	hooks_environ_make(&event, &made);
	cr_assert_not_null(value("LNS_TX_PACKETS"));
	cr_assert_eq(strlen(value("LNS_USER")), 4 * 255 - 0);
	cr_assert_eq(strlen(value("LNS_PEER")), 4 * 255);
	cr_assert_eq(strlen(value("LNS_DETAIL")), 4 * 159);
	cr_assert_eq(strlen(value("LNS_IPV6_POOL")), 4 * 253);
	cr_assert_eq(strlen(value("LNS_IPV6_DNS")), 4 * 159);
}
