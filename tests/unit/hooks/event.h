/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A good event and a good configuration, for tests that send them or spoil them.
 */
#ifndef TESTS_UNIT_HOOKS_EVENT_H
#define TESTS_UNIT_HOOKS_EVENT_H

#include "lns/hooks/hooks.h"

#include <arpa/inet.h>

static inline struct hooks_event event_of(uint64_t session, enum hooks_kind kind)
{
	return (struct hooks_event){
		.kind = (uint16_t)kind,
		.tunnel = 12,
		.call = 34,
		.cause = 5,
		.ifindex = 7,
		.local = htonl(0x64400001),
		.remote = htonl(0x64400102),
		.session = session,
		.when = UINT64_C(1700000100900000),
		.up = UINT64_C(1700000000000000),
		.lasted = UINT64_C(100999999),
		.rx_octets = UINT64_C(5000000000),
		.tx_octets = 2,
		.rx_packets = 3,
		.tx_packets = 4,
		.user = "alice",
		.lac = "wholesale",
		.ppp = "default",
		.auth = "CHAP",
		.peer_host = "bng1",
		.peer_address = "198.51.100.2",
		.calling = "0301234",
		.called = "0309876",
		.interface = "ppp3",
		.reason = "session timeout",
		.prefixes = "2001:db8:1::/64",
		.delegated = "2001:db8:2::/56 2001:db8:3::/56",
		.pool6 = "residential",
		.dns6 = "2001:db8::53 2001:db8::54",
	};
}

static inline struct hooks_config config_of(const char *program)
{
	struct hooks_config config = {
		.rate = 1000,
		.parallel = 2,
		.queue = 4,
		.log_level = 2,
		.timeout = UINT64_C(60000000),
	};

	for (int kind = 0; kind < HOOKS_KINDS; kind++)
		for (size_t i = 0; program[i]; i++)
			config.program[kind][i] = program[i];
	return config;
}

#endif
