/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The check of messages: each good one passes in its direction only; each spoiled field is refused.
 */
#include "tests/unit/monitor/messages.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>

static enum monitor_side sender(unsigned int type)
{
	return type < MONITOR_REQUEST_MAX ? MONITOR_FROM_ENGINE : MONITOR_FROM_MONITOR;
}

static int check(const union monitor_message *message, unsigned int fds)
{
	return monitor_message_check(message, message->head.size, fds, sender(message->head.type));
}

static bool exists(unsigned int type)
{
	return (type >= MONITOR_READY && type < MONITOR_REQUEST_MAX) ||
	       (type >= MONITOR_HELLO && type < MONITOR_NOTICE_MAX);
}

Test(monitor_proto, only_types_of_the_list_exist)
{
	for (unsigned int type = 0; type < 70000; type++)
		cr_assert_eq(monitor_message_size(type) != 0, exists(type), "type %u", type);
}

Test(monitor_proto, good_messages_pass_in_their_direction)
{
	for (unsigned int type = 0; type < MONITOR_NOTICE_MAX; type++) {
		union monitor_message message;
		unsigned int fds;

		if (!exists(type))
			continue;
		fds = message_make(&message, type);
		cr_assert_eq(check(&message, fds), 0, "type %u", type);
		cr_assert_eq(monitor_message_check(&message, message.head.size, fds, !sender(type)),
			-EBADMSG, "type %u, wrong way", type);
	}
}

Test(monitor_proto, size_version_and_descriptors_are_exact)
{
	for (unsigned int type = 0; type < MONITOR_NOTICE_MAX; type++) {
		union monitor_message message;
		unsigned int fds;

		if (!exists(type))
			continue;
		fds = message_make(&message, type);
		for (size_t len = 0; len <= sizeof(message) + 8; len++) {
			uint8_t packet[sizeof(message) + 8] = { 0 };

			message.head.size = (uint32_t)len; /* it agrees, and is wrong */
			memcpy(packet, &message, sizeof(message));
			cr_assert_eq(monitor_message_check(packet, len, fds, sender(type)) == 0,
				len == monitor_message_size(type), "type %u, %zu octets", type,
				len);
		}
		message_make(&message, type);
		for (unsigned int count = 0; count <= MONITOR_FDS + 1; count++)
			cr_assert_eq(check(&message, count) == 0, count == fds,
				"type %u, %u descriptors", type, count);
		message.head.version++;
		cr_assert_eq(check(&message, fds), -EBADMSG, "type %u, version", type);
		message_make(&message, type);
		message.head.size++;
		cr_assert_eq(
			monitor_message_check(&message, message.head.size - 1, fds, sender(type)),
			-EBADMSG, "type %u, size that lies", type);
	}
}

/* Spoils one field of a good message of `type` and expects a refusal. */
#define REFUSED(type, statement)                                                                   \
	do {                                                                                       \
		union monitor_message m;                                                           \
		unsigned int fds = message_make(&m, type);                                         \
                                                                                                   \
		statement;                                                                         \
		cr_assert_eq(check(&m, fds), -EBADMSG, "%s with %s", #type, #statement);           \
	} while (0)

Test(monitor_proto, keys_are_counted_and_not_zero)
{
	union monitor_message message;

	REFUSED(MONITOR_SIGNAL, m.keys.signal = 0);
	REFUSED(MONITOR_SIGNAL, m.keys.signal = 3);
	REFUSED(MONITOR_SIGNAL, m.keys.signal = 9);
	REFUSED(MONITOR_SIGNAL, m.keys.count = 0);
	REFUSED(MONITOR_SIGNAL, m.keys.count = 1);
	REFUSED(MONITOR_SIGNAL, m.keys.count = 3);
	REFUSED(MONITOR_SIGNAL, m.keys.count = MONITOR_BATCH + 1);
	REFUSED(MONITOR_SIGNAL, m.keys.count = UINT32_MAX);
	REFUSED(MONITOR_SIGNAL, m.keys.sessions[0] = 0);
	REFUSED(MONITOR_SIGNAL, m.keys.sessions[MONITOR_BATCH - 1] = 1);
	REFUSED(MONITOR_FORGET, m.keys.signal = MONITOR_SIGNAL_TERM);
	REFUSED(MONITOR_FORGET, m.keys.count = 0);

	message_make(&message, MONITOR_SIGNAL);
	message.keys.count = MONITOR_BATCH;
	for (unsigned int i = 0; i < MONITOR_BATCH; i++)
		message.keys.sessions[i] = UINT64_MAX - i;
	cr_assert_eq(check(&message, 0), 0);
}

Test(monitor_proto, switches_are_answered_without_a_descriptor)
{
	union monitor_message message;

	for (uint32_t what = 1; what < MONITOR_OPEN_MAX; what++) {
		bool has_fd = what == MONITOR_OPEN_L2TP_DEBUGFS || what == MONITOR_OPEN_TRACE_READ;

		cr_assert_eq(monitor_open_has_fd(what), has_fd);
		message_make(&message, MONITOR_OPENED);
		message.answer.number = what;
		cr_assert_eq(check(&message, has_fd ? 1 : 0), 0);
		cr_assert_eq(check(&message, has_fd ? 0 : 1), -EBADMSG);
		message.answer.error = -ENOENT;
		cr_assert_eq(check(&message, 0), 0);
		cr_assert_eq(check(&message, 1), -EBADMSG);
	}
}

Test(monitor_proto, enums_and_ids_are_in_range)
{
	REFUSED(MONITOR_KEEP, m.keep.kind = 0);
	REFUSED(MONITOR_KEEP, m.keep.kind = MONITOR_KEEP_MAX);
	REFUSED(MONITOR_DROP, m.keep.kind = UINT32_MAX);
	REFUSED(MONITOR_KEPT, m.keep.kind = 0);
	REFUSED(MONITOR_OPEN, m.number.number = 0);
	REFUSED(MONITOR_OPEN, m.number.number = MONITOR_OPEN_MAX);
	REFUSED(MONITOR_OPENED, m.answer.number = MONITOR_OPEN_MAX);
	REFUSED(MONITOR_REPLACE_TEMPLATE, m.number.number = 0);
	REFUSED(MONITOR_RELOAD, m.number.number = 0);
	REFUSED(MONITOR_RELOADED, m.answer.number = 0);
	REFUSED(MONITOR_RELOADED, m.answer.error = 1);
	REFUSED(MONITOR_RELOADED, m.answer.error = -4096);
	REFUSED(MONITOR_RELOAD_END, m.answer.number = 1);
	REFUSED(MONITOR_RELOAD_END, m.answer.error = 1);
	REFUSED(MONITOR_STOP, m.number.number = 2);
	REFUSED(MONITOR_HELLO, m.hello.generation = 0);
	REFUSED(MONITOR_SESSION, m.session.session = 0);
	REFUSED(MONITOR_SESSION, m.session.pid = 0);
	REFUSED(MONITOR_SESSION, m.session.pid = -1);
	REFUSED(MONITOR_EXIT, m.exit.session = 0);
	REFUSED(MONITOR_EXIT, m.exit.pid = 0);
	REFUSED(MONITOR_EXIT, m.exit.status = -1);
	REFUSED(MONITOR_EXIT, m.exit.status = 0x10000);
	REFUSED(MONITOR_TEMPLATE, m.template.id = 0);
}

Test(monitor_proto, texts_are_terminated)
{
	REFUSED(MONITOR_HELLO, memset(m.hello.run_dir, 'x', sizeof(m.hello.run_dir)));
	REFUSED(MONITOR_HELLO, memset(m.hello.state_dir, 'x', sizeof(m.hello.state_dir)));
	REFUSED(MONITOR_RELOAD_LINE, memset(m.text.text, 'x', sizeof(m.text.text)));
	REFUSED(MONITOR_TEMPLATE, memset(m.template.name, 'x', sizeof(m.template.name)));
}

Test(monitor_proto, a_failed_open_has_no_descriptor)
{
	union monitor_message message;

	message_make(&message, MONITOR_OPENED);
	message.answer.error = -ENOENT;
	cr_assert_eq(check(&message, 0), 0);
	cr_assert_eq(check(&message, 1), -EBADMSG);
	message.answer.error = 5;
	cr_assert_eq(check(&message, 0), -EBADMSG);
}
