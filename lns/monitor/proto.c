/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor/proto: the check of every message between monitor and engine, by one table.
 *
 * A row says who sends a message, how long it is, how many descriptors come with it and which function
 * looks at its fields. Pure: no I/O, no allocation.
 */
#include "lns/monitor/proto.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

typedef bool check_fn(const union monitor_message *message);

static bool check_number_is_open(const union monitor_message *message)
{
	return message->number.number >= 1 && message->number.number < MONITOR_OPEN_MAX;
}

static bool check_number_is_id(const union monitor_message *message)
{
	return message->number.number != 0;
}

static bool check_number_is_bool(const union monitor_message *message)
{
	return message->number.number <= 1;
}

static bool check_keys(const struct monitor_keys *keys)
{
	if (keys->count < 1 || keys->count > MONITOR_BATCH)
		return false;
	for (unsigned int i = 0; i < MONITOR_BATCH; i++)
		if ((keys->sessions[i] != 0) != (i < keys->count))
			return false;
	return true;
}

static bool check_signal(const union monitor_message *message)
{
	return message->keys.signal >= MONITOR_SIGNAL_TERM &&
	       message->keys.signal <= MONITOR_SIGNAL_KILL && check_keys(&message->keys);
}

static bool check_forget(const union monitor_message *message)
{
	return message->keys.signal == 0 && check_keys(&message->keys);
}

static bool check_keep(const union monitor_message *message)
{
	return message->keep.kind >= 1 && message->keep.kind < MONITOR_KEEP_MAX;
}

static bool check_error(int32_t error)
{
	return error <= 0 && error >= -4095;
}

static bool check_reloaded(const union monitor_message *message)
{
	return message->answer.number != 0 && check_error(message->answer.error);
}

static bool check_opened(const union monitor_message *message)
{
	return message->answer.number >= 1 && message->answer.number < MONITOR_OPEN_MAX &&
	       check_error(message->answer.error);
}

static bool check_text(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static bool check_hello(const union monitor_message *message)
{
	const struct monitor_hello *hello = &message->hello;

	return hello->generation != 0 && check_text(hello->run_dir, sizeof(hello->run_dir)) &&
	       check_text(hello->state_dir, sizeof(hello->state_dir));
}

static bool check_session(const union monitor_message *message)
{
	return message->session.session != 0 && message->session.pid > 0;
}

static bool check_exit(const union monitor_message *message)
{
	return message->exit.session != 0 && message->exit.pid > 0 && message->exit.status >= 0 &&
	       message->exit.status <= 0xffff;
}

static bool check_template(const union monitor_message *message)
{
	const struct monitor_template *template = &message->template;

	return template->id != 0 && check_text(template->name, sizeof(template->name));
}

static bool check_reload_end(const union monitor_message *message)
{
	return message->answer.number == 0 && check_error(message->answer.error);
}

static bool check_line(const union monitor_message *message)
{
	return check_text(message->text.text, sizeof(message->text.text));
}

static const struct row {
	enum monitor_side from;
	unsigned int fds; /* at most; none in some MONITOR_OPENED */
	size_t size;
	check_fn *check; /* NULL: nothing but the head */
} rows[MONITOR_NOTICE_MAX] = {
#define ENGINE(fds, member, check)                                                                 \
	{                                                                                          \
		MONITOR_FROM_ENGINE, fds, sizeof(((union monitor_message *)0)->member), check      \
	}
#define MONITOR(fds, member, check)                                                                \
	{                                                                                          \
		MONITOR_FROM_MONITOR, fds, sizeof(((union monitor_message *)0)->member), check     \
	}
	/* clang-format off */
	[MONITOR_READY]            = ENGINE(0, head, NULL),
	[MONITOR_ALIVE]            = ENGINE(0, head, NULL),
	[MONITOR_STOPPED]          = ENGINE(0, head, NULL),
	[MONITOR_SIGNAL]           = ENGINE(0, keys, check_signal),
	[MONITOR_FORGET]           = ENGINE(0, keys, check_forget),
	[MONITOR_KEEP]             = ENGINE(1, keep, check_keep),
	[MONITOR_DROP]             = ENGINE(0, keep, check_keep),
	[MONITOR_REPLACE_TEMPLATE] = ENGINE(0, number, check_number_is_id),
	[MONITOR_OPEN]             = ENGINE(0, number, check_number_is_open),
	[MONITOR_RELOADED]         = ENGINE(0, answer, check_reloaded),
	[MONITOR_WANT_RELOAD]      = ENGINE(0, head, NULL),
	[MONITOR_HELLO]            = MONITOR(3, hello, check_hello),
	[MONITOR_KEPT]             = MONITOR(1, keep, check_keep),
	[MONITOR_SESSION]          = MONITOR(0, session, check_session),
	[MONITOR_EXIT]             = MONITOR(0, exit, check_exit),
	[MONITOR_TEMPLATE]         = MONITOR(1, template, check_template),
	[MONITOR_START]            = MONITOR(0, head, NULL),
	[MONITOR_RELOAD]           = MONITOR(1, number, check_number_is_id),
	[MONITOR_ASK]              = MONITOR(0, head, NULL),
	[MONITOR_STOP]             = MONITOR(0, number, check_number_is_bool),
	[MONITOR_OPENED]           = MONITOR(1, answer, check_opened),
	[MONITOR_HOOKS]            = MONITOR(1, head, NULL),
	[MONITOR_RELOAD_LINE]      = MONITOR(0, text, check_line),
	[MONITOR_RELOAD_END]       = MONITOR(0, answer, check_reload_end),
/* clang-format on */
#undef ENGINE
#undef MONITOR
};

bool monitor_open_has_fd(uint32_t what)
{
	return what == MONITOR_OPEN_L2TP_DEBUGFS || what == MONITOR_OPEN_TRACE_READ;
}

size_t monitor_message_size(unsigned int type)
{
	return type < MONITOR_NOTICE_MAX ? rows[type].size : 0;
}

int monitor_message_check(
	const void *packet, size_t len, unsigned int fd_count, enum monitor_side from)
{
	union monitor_message message = { 0 };
	unsigned int fds;
	const struct row *row;

	if (len < sizeof(message.head) || len > sizeof(message))
		return -EBADMSG;
	memcpy(&message, packet, len);
	if (message.head.version != MONITOR_PROTO_VERSION ||
		message.head.type >= MONITOR_NOTICE_MAX)
		return -EBADMSG;
	row = &rows[message.head.type];
	if (row->size == 0 || row->from != from || row->size != len || message.head.size != len)
		return -EBADMSG;
	if (row->check && !row->check(&message))
		return -EBADMSG;
	fds = row->fds;
	if (message.head.type == MONITOR_OPENED &&
		(message.answer.error != 0 || !monitor_open_has_fd(message.answer.number)))
		fds = 0;
	return fd_count == fds ? 0 : -EBADMSG;
}
