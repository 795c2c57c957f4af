/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_hooks_message: any packet through the check of messages to the hook process, and every event that
 * passes into an environment.
 *
 * Input: one octet (1 configuration, 2 event: the head is filled in then; otherwise the packet is as it
 * comes), then the packet. Properties: a program is a path; each variable is NAME=VALUE of printable
 * characters, PATH and LANG are ours, and nothing is cut.
 */
#include "tests/fuzz/fuzz.h"
#include "lns/hooks/environ.h"

#include <stdlib.h>
#include <string.h>

static void require_environ(const struct hooks_event *event)
{
	static struct hooks_environ made;
	size_t count = 0;

	hooks_environ_make(event, &made);
	for (; made.list[count]; count++) {
		const char *equals = strchr(made.list[count], '=');

		REQUIRE(count < HOOKS_VARIABLES && equals && equals[1]);
		for (const char *c = made.list[count]; *c; c++)
			REQUIRE(*c >= 0x20 && *c < 0x7f);
		REQUIRE(count < 2 || strncmp(made.list[count], "LNS_", 4) == 0);
	}
	REQUIRE(count >= 9); /* those that always have a value */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union hooks_message message = { 0 };
	enum hooks_message_type type = HOOKS_EVENT;
	size_t len;

	if (size < 1)
		return 0;
	if (data[0] == HOOKS_CONFIG)
		type = HOOKS_CONFIG;
	len = size - 1 < sizeof(message) ? size - 1 : sizeof(message);
	memcpy(&message, data + 1, len);
	if (data[0] == HOOKS_CONFIG || data[0] == HOOKS_EVENT) {
		hooks_message_head(&message, type);
		len = message.head.size;
	}
	if (hooks_message_check(&message, len, type) != 0)
		return 0;
	if (type == HOOKS_EVENT)
		require_environ(&message.event);
	else
		for (int kind = 0; kind < HOOKS_KINDS; kind++)
			REQUIRE(!message.config.program[kind][0] ||
				message.config.program[kind][0] == '/');
	return 0;
}
