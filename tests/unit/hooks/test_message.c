// SPDX-License-Identifier: BSD-2-Clause
/* message: what is refused. */
#include "lns/hooks/hooks.h"

#include "tests/unit/hooks/event.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static union hooks_message good(enum hooks_message_type type)
{
	union hooks_message message = { 0 };

	if (type == HOOKS_CONFIG)
		message.config = config_of("/bin/true");
	else if (type == HOOKS_EVENT)
		message.event = event_of(1, HOOKS_DOWN);
	hooks_message_head(&message, type);
	return message;
}

#define REFUSED(type, spoil)                                                                       \
	do {                                                                                       \
		union hooks_message m = good(type);                                                \
		cr_assert_eq(hooks_message_check(&m, m.head.size, type), 0);                       \
		spoil;                                                                             \
		cr_assert_eq(hooks_message_check(&m, m.head.size, type), -EBADMSG, #spoil);        \
	} while (0)

Test(hooks_message, refused)
{
	REFUSED(HOOKS_EVENT, m.head.type = HOOKS_REPORT);
	REFUSED(HOOKS_EVENT, m.head.version++);
	REFUSED(HOOKS_EVENT, m.head.size--);
	REFUSED(HOOKS_EVENT, m.event.kind = HOOKS_KINDS);
	REFUSED(HOOKS_EVENT, m.event.session = 0);
	REFUSED(HOOKS_EVENT, memset(m.event.user, 'x', sizeof(m.event.user)));
	REFUSED(HOOKS_EVENT, memset(m.event.detail, 'x', sizeof(m.event.detail)));
	REFUSED(HOOKS_EVENT, memset(m.event.interface, 'x', sizeof(m.event.interface)));
	REFUSED(HOOKS_CONFIG, m.config.rate = 0);
	REFUSED(HOOKS_CONFIG, m.config.parallel = 0);
	REFUSED(HOOKS_CONFIG, m.config.parallel = HOOKS_PARALLEL_MAX + 1);
	REFUSED(HOOKS_CONFIG, m.config.queue = 0);
	REFUSED(HOOKS_CONFIG, m.config.timeout = 0);
	REFUSED(HOOKS_CONFIG, m.config.log_level = 9);
	REFUSED(HOOKS_CONFIG, m.config.program[HOOKS_UP][0] = 'b');
	REFUSED(HOOKS_CONFIG, memset(m.config.program, '/', sizeof(m.config.program)));
	REFUSED(HOOKS_REPORT, m.head.type = 0);
}

Test(hooks_message, over_a_socket)
{
	union hooks_message message = good(HOOKS_EVENT), got;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	cr_assert_eq(hooks_message_receive(pair[1], HOOKS_EVENT, &got), -EAGAIN);
	cr_assert_eq(hooks_message_send(pair[0], &message, HOOKS_EVENT), 0);
	cr_assert_eq(hooks_message_receive(pair[1], HOOKS_EVENT, &got), 0);
	cr_assert_str_eq(got.event.user, "alice");
	cr_assert_eq(hooks_message_send(pair[0], &message, HOOKS_EVENT), 0);
	cr_assert_eq(hooks_message_receive(pair[1], HOOKS_CONFIG, &got), -EBADMSG);
	cr_assert_eq(send(pair[0], "x", 1, 0), 1);
	cr_assert_eq(hooks_message_receive(pair[1], HOOKS_EVENT, &got), -EBADMSG);
	cr_assert_eq(hooks_message_send(pair[0], &message, HOOKS_EVENT), 0);
	cr_assert_eq(send(pair[1], "x", 1, 0), 1);
	close(pair[0]);
	cr_assert_eq(hooks_message_receive(pair[1], HOOKS_EVENT, &got), 0,
		"its last, though it did not read ours");
	cr_assert_eq(hooks_message_receive(pair[1], HOOKS_EVENT, &got), -EPIPE);
	close(pair[1]);
}
