// SPDX-License-Identifier: BSD-2-Clause
/*
 * hooks/message: sizes and checks of the messages of hooks.h, and their way over a socket.
 */
#include "lns/hooks/hooks.h"

#include "lns/log.h"
#include "lns/seqpacket.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

const char *hooks_kind_word(enum hooks_kind kind)
{
	static const char *const words[HOOKS_KINDS] = { [HOOKS_UP] = "up", [HOOKS_DOWN] = "down" };

	return words[kind];
}

const char *hooks_result_word(enum hooks_result result)
{
	static const char *const words[HOOKS_RESULTS] = {
		[HOOKS_OK] = "ok",
		[HOOKS_FAILED] = "failed",
		[HOOKS_TIMED_OUT] = "killed",
		[HOOKS_DROPPED] = "dropped",
	};

	return words[result];
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool check_config(const union hooks_message *message)
{
	const struct hooks_config *config = &message->config;

	for (int kind = 0; kind < HOOKS_KINDS; kind++)
		if (!is_text(config->program[kind], sizeof(config->program[kind])) ||
			(config->program[kind][0] && config->program[kind][0] != '/'))
			return false;
	return config->rate > 0 && config->parallel > 0 && config->parallel <= HOOKS_PARALLEL_MAX &&
	       config->queue > 0 && config->log_level <= LOG_LEVEL_DEBUG && config->timeout > 0;
}

static bool check_event(const union hooks_message *message)
{
	const struct hooks_event *event = &message->event;
	const struct {
		const char *text;
		size_t size;
	} texts[] = {
		{ event->user, sizeof(event->user) },
		{ event->lac, sizeof(event->lac) },
		{ event->ppp, sizeof(event->ppp) },
		{ event->auth, sizeof(event->auth) },
		{ event->peer_host, sizeof(event->peer_host) },
		{ event->peer_address, sizeof(event->peer_address) },
		{ event->calling, sizeof(event->calling) },
		{ event->called, sizeof(event->called) },
		{ event->interface, sizeof(event->interface) },
		{ event->prefixes, sizeof(event->prefixes) },
		{ event->delegated, sizeof(event->delegated) },
		{ event->pool6, sizeof(event->pool6) },
		{ event->dns6, sizeof(event->dns6) },
		{ event->reason, sizeof(event->reason) },
		{ event->detail, sizeof(event->detail) },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!is_text(texts[i].text, texts[i].size))
			return false;
	return event->kind < HOOKS_KINDS && event->session != 0;
}

static const struct {
	size_t size;
	bool (*check)(const union hooks_message *message);
} rows[HOOKS_MESSAGE_MAX] = {
	[HOOKS_CONFIG] = { sizeof(struct hooks_config), check_config },
	[HOOKS_EVENT] = { sizeof(struct hooks_event), check_event },
	[HOOKS_REPORT] = { sizeof(struct hooks_report), NULL },
};

void hooks_message_head(union hooks_message *message, enum hooks_message_type type)
{
	message->head = (struct hooks_head){
		.type = (uint16_t)type,
		.version = HOOKS_PROTO_VERSION,
		.size = (uint32_t)rows[type].size,
	};
}

int hooks_message_check(const void *packet, size_t len, enum hooks_message_type type)
{
	union hooks_message message = { 0 };

	if (len != rows[type].size)
		return -EBADMSG;
	memcpy(&message, packet, len);
	if (message.head.type != type || message.head.version != HOOKS_PROTO_VERSION ||
		message.head.size != len)
		return -EBADMSG;
	return !rows[type].check || rows[type].check(&message) ? 0 : -EBADMSG;
}

int hooks_message_receive(int fd, enum hooks_message_type type, union hooks_message *ret_message)
{
	ssize_t n;

	do
		n = recv(fd, ret_message, sizeof(*ret_message), MSG_DONTWAIT | MSG_TRUNC);
	while (seqpacket_again(n));
	if (n < 0)
		return -errno;
	if (n == 0)
		return -EPIPE;
	return hooks_message_check(ret_message, (size_t)n, type);
}

int hooks_message_send(int fd, union hooks_message *message, enum hooks_message_type type)
{
	hooks_message_head(message, type);
	if (send(fd, message, rows[type].size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	return errno == ENOBUFS ? -EAGAIN : -errno;
}
