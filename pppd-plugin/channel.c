/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel: the session's end of the connection to the engine.
 *
 * pppd's hooks want their answer at once, so a question waits here; but not for ever, and not when pppd
 * is told to end. The question is repeated, because the engine may have been replaced by one that
 * knows the session and not the question. Everything that arrives is checked and bound to this session.
 *
 * The monitor keeps the engine's end open while there is no engine: end of file means that the engine
 * gave up the session.
 */
#include "plugin.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS 30000 /* for all of RADIUS; clients repeat and wait about as long */
#define REPEAT_MS 2000

static uint32_t last_question; /* counts those of both kinds */

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int lns_channel_wait(int fd, int timeout_ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	struct timespec ts = { .tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000L };
	sigset_t ends, before;
	int ready;

	/* Signals are let in by ppoll only, so that none slips by between the look and the wait. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, &before);
	do {
		if (got_sigterm || got_sighup) {
			ready = -EINTR;
			break;
		}
		ready = ppoll(&pollfd, 1, timeout_ms < 0 ? NULL : &ts, &before);
	} while (ready < 0 && errno == EINTR);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (ready == 0)
		return -ETIMEDOUT;
	return ready > 0 ? 0 : -EINTR;
}

void lns_channel_send(void *message, uint16_t type, uint32_t size)
{
	struct ppp_head *head = message;
	ssize_t sent;

	*head = (struct ppp_head){
		.type = type, .version = PPP_PROTO_VERSION, .size = size, .session = lns_session.id
	};
	do
		sent = send(lns_session.channel, message, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
}

/*
 * Whether a checked message is an answer to request. 0: to an earlier one, which was repeated and so may
 * be answered twice, whatever its kind was; -EPROTO: no answer, or not one that the request may get.
 */
static int answer_fits(uint32_t request, int is_eap, const union ppp_message *answer)
{
	switch (answer->head.type) {
	case PPP_AUTH_REPLY:
		return answer->auth_reply.request == request;
	case PPP_EAP_REQUEST:
		if (answer->eap.request != request)
			return 0;
		return is_eap ? 1 : -EPROTO;
	}
	return -EPROTO;
}

/* Reads one message. 1: an answer to request; 0: nothing yet; -EPIPE. */
static int answer_read(uint32_t request, int is_eap, union ppp_message *answer)
{
	int fits = -EPROTO;
	ssize_t len = recv(lns_session.channel, answer, sizeof(*answer), MSG_DONTWAIT | MSG_TRUNC);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (len > 0 && (size_t)len <= sizeof(*answer) && !ppp_message_check(answer, len) &&
		answer->head.session == lns_session.id)
		fits = answer_fits(request, is_eap, answer);
	if (fits >= 0)
		return fits;
	close(lns_session.channel);
	lns_session.channel = -1;
	return -EPIPE;
}

/* Asks until it is answered. 0, or as lns_channel_ask. */
static int ask(
	void *question, uint16_t type, uint32_t size, uint32_t number, union ppp_message *answer)
{
	int64_t deadline = now_ms() + ANSWER_MS, repeat = 0;

	for (;;) {
		int64_t now = now_ms();
		int err, found;

		if (lns_session.channel < 0)
			return -EPIPE;
		if (now >= deadline)
			return -ETIMEDOUT;
		if (now >= repeat) {
			lns_channel_send(question, type, size);
			repeat = now + REPEAT_MS;
		}
		err = lns_channel_wait(
			lns_session.channel, (repeat < deadline ? repeat : deadline) - now);
		if (err == -ETIMEDOUT)
			continue;
		if (err)
			return err;
		found = answer_read(number, type == PPP_EAP_RESPONSE, answer);
		if (found)
			return found > 0 ? 0 : found;
	}
}

int lns_channel_ask(struct ppp_auth_request *request, struct ppp_auth_reply *reply)
{
	union ppp_message answer;
	int err;

	request->request = ++last_question;
	err = ask(request, PPP_AUTH_REQUEST, sizeof(*request), request->request, &answer);
	if (!err)
		memcpy(reply, &answer.auth_reply, sizeof(*reply));
	explicit_bzero(&answer, sizeof(answer));
	return err;
}

int lns_channel_ask_eap(struct ppp_eap *response, union ppp_message *answer)
{
	response->request = ++last_question;
	return ask(response, PPP_EAP_RESPONSE, sizeof(*response), response->request, answer);
}
