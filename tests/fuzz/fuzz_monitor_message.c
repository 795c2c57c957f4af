/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_monitor_message: any packet through the check of messages between monitor and engine.
 *
 * Input: one octet (bit 0: who sends; bits 1-3: how many descriptors), then the packet. Properties: what
 * passes is of a type of that direction, exactly as long as that, has no key 0, no text without end and
 * no enum out of range; and it does not pass the other way.
 */
#include "tests/fuzz/fuzz.h"
#include "lns/monitor/proto.h"

#include <stdlib.h>
#include <string.h>

static void require_keys(const struct monitor_keys *keys)
{
	REQUIRE(keys->count >= 1 && keys->count <= MONITOR_BATCH);
	for (uint32_t i = 0; i < keys->count; i++)
		REQUIRE(keys->sessions[i] != 0);
}

/* What the receiver relies on without looking again. */
static void require_fields(const union monitor_message *message)
{
	switch (message->head.type) {
	case MONITOR_SIGNAL:
		REQUIRE(message->keys.signal == MONITOR_SIGNAL_TERM ||
			message->keys.signal == MONITOR_SIGNAL_KILL);
		require_keys(&message->keys);
		break;
	case MONITOR_FORGET:
		require_keys(&message->keys);
		break;
	case MONITOR_KEEP:
	case MONITOR_DROP:
	case MONITOR_KEPT:
		REQUIRE(message->keep.kind > 0 && message->keep.kind < MONITOR_KEEP_MAX);
		break;
	case MONITOR_OPEN:
		REQUIRE(message->number.number > 0 && message->number.number < MONITOR_OPEN_MAX);
		break;
	case MONITOR_HELLO:
		REQUIRE(memchr(message->hello.run_dir, 0, sizeof(message->hello.run_dir)));
		REQUIRE(memchr(message->hello.state_dir, 0, sizeof(message->hello.state_dir)));
		break;
	case MONITOR_TEMPLATE:
		REQUIRE(memchr(message->template.name, 0, sizeof(message->template.name)));
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union monitor_message message = { 0 };
	enum monitor_side from;
	unsigned int fds;

	if (size < 1)
		return 0;
	from = data[0] & 1 ? MONITOR_FROM_MONITOR : MONITOR_FROM_ENGINE;
	fds = data[0] >> 1 & 7;
	if (monitor_message_check(data + 1, size - 1, fds, from) != 0)
		return 0;
	REQUIRE(size - 1 <= sizeof(message));
	memcpy(&message, data + 1, size - 1);
	REQUIRE(message.head.size == size - 1 && message.head.version == MONITOR_PROTO_VERSION);
	REQUIRE(monitor_message_size(message.head.type) == size - 1);
	REQUIRE((message.head.type < MONITOR_REQUEST_MAX) == (from == MONITOR_FROM_ENGINE));
	REQUIRE(fds <= MONITOR_FDS);
	REQUIRE(monitor_message_check(data + 1, size - 1, fds, !from) != 0);
	require_fields(&message);
	return 0;
}
