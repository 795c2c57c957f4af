/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One good message of each type, for tests that send them or spoil them.
 */
#ifndef TESTS_UNIT_MONITOR_MESSAGES_H
#define TESTS_UNIT_MONITOR_MESSAGES_H

#include "lns/monitor/proto.h"

#include <string.h>

/* Fills message with a good one of this type; returns how many descriptors belong to it. */
static inline unsigned int message_make(union monitor_message *message, unsigned int type)
{
	memset(message, 0, sizeof(*message));
	message->head = (struct monitor_head){
		.type = (uint16_t)type,
		.version = MONITOR_PROTO_VERSION,
		.size = (uint32_t)monitor_message_size(type),
	};
	switch (type) {
	case MONITOR_SIGNAL:
		message->keys.signal = MONITOR_SIGNAL_TERM;
		message->keys.count = 2;
		message->keys.sessions[0] = 11;
		message->keys.sessions[1] = 12;
		return 0;
	case MONITOR_FORGET:
		message->keys.count = 1;
		message->keys.sessions[0] = 11;
		return 0;
	case MONITOR_HOOKS:
		return 1;
	case MONITOR_KEEP:
	case MONITOR_KEPT:
		message->keep.kind = MONITOR_KEEP_TUNNEL;
		message->keep.id = 5;
		return 1;
	case MONITOR_DROP:
		message->keep.kind = MONITOR_KEEP_LISTENER;
		return 0;
	case MONITOR_REPLACE_TEMPLATE:
		message->number.number = 3;
		return 0;
	case MONITOR_OPEN:
		message->number.number = MONITOR_OPEN_L2TP_DEBUGFS;
		return 0;
	case MONITOR_RELOADED:
		message->answer.number = 9;
		message->answer.error = -22;
		return 0;
	case MONITOR_HELLO:
		message->hello.generation = 1;
		memcpy(message->hello.run_dir, "/run/lnsd", 10);
		memcpy(message->hello.state_dir, "/var/lib/lnsd", 14);
		return 3;
	case MONITOR_SESSION:
		message->session.session = 11;
		message->session.pid = 100;
		return 0;
	case MONITOR_EXIT:
		message->exit.session = 12;
		message->exit.pid = 101;
		message->exit.status = 9;
		message->exit.utime = 1500;
		message->exit.stime = 2500;
		return 0;
	case MONITOR_TEMPLATE:
		message->template.id = 4;
		memcpy(message->template.name, "default", 8);
		return 1;
	case MONITOR_RELOAD:
		message->number.number = 9;
		return 1;
	case MONITOR_RELOAD_LINE:
		memcpy(message->text.text, "bad", 4);
		return 0;
	case MONITOR_RELOAD_END:
		message->answer.error = -22;
		return 0;
	case MONITOR_STOP:
		message->number.number = 1;
		return 0;
	case MONITOR_OPENED:
		message->answer.number = MONITOR_OPEN_L2TP_DEBUGFS;
		return 1;
	default: /* a head alone */
		return 0;
	}
}

#endif
