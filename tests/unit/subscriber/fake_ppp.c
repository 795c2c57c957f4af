// SPDX-License-Identifier: BSD-2-Clause
/* fake_ppp: see fake_ppp.h. */
#include "tests/unit/subscriber/fake.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define SAID_MAX 8

struct ppp_channel {
	const struct ppp_channel_ops *ops;
	void *ctx;
	union ppp_message said[SAID_MAX];
	unsigned int count;
	bool eof, busy, dead;
	const char *broken;
};

void fake_ppp_say(struct ppp_channel *channel, const union ppp_message *message)
{
	cr_assert_lt(channel->count, SAID_MAX);
	channel->said[channel->count++] = *message;
}

void fake_ppp_close(struct ppp_channel *channel, const char *broken)
{
	channel->eof = true;
	channel->broken = broken;
}

static void dispatch(struct ppp_channel *channel, const union ppp_message *message)
{
	const struct ppp_channel_ops *ops = channel->ops;

	switch (message->head.type) {
	case PPP_AUTH_REQUEST:
		ops->auth_request(channel->ctx, &message->auth_request);
		break;
	case PPP_EAP_RESPONSE:
		ops->eap_response(channel->ctx, &message->eap);
		break;
	case PPP_LINK_UP:
		ops->link_up(channel->ctx, &message->link_up);
		break;
	case PPP_NCP_UP:
		ops->ncp_up(channel->ctx, &message->ncp_up);
		break;
	case PPP_NCP_DOWN:
		ops->ncp_down(channel->ctx, &message->ncp_down);
		break;
	case PPP_LINK_DOWN:
		ops->link_down(channel->ctx, &message->link_down);
		break;
	default:
		cr_assert_fail("pppd does not say %u", message->head.type);
	}
}

void fake_ppp_deliver(struct ppp_channel *channel)
{
	channel->busy = true;
	for (unsigned int i = 0; i < channel->count && !channel->dead; i++)
		dispatch(channel, &channel->said[i]);
	channel->count = 0;
	channel->busy = false;
	if (channel->dead) {
		free(channel);
	} else if (channel->eof) {
		channel->eof = false;
		channel->ops->closed(channel->ctx, channel->broken);
	}
}

/* ---- ppp.h ---- */

int ppp_channel_new(struct env *env, uint64_t session, const struct ppp_channel_ops *ops, void *ctx,
	struct ppp_channel **ret_channel, int *ret_fd)
{
	struct ppp_channel *channel = calloc(1, sizeof(*channel));

	(void)env;
	(void)session;
	if (!channel)
		return -ENOMEM;
	channel->ops = ops;
	channel->ctx = ctx;
	w.ppp.channels++;
	*ret_channel = channel;
	*ret_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return 0;
}

int ppp_channel_fd(const struct ppp_channel *channel)
{
	(void)channel;
	return 3000;
}

void ppp_channel_receive(struct ppp_channel *channel)
{
	if (!channel->busy)
		fake_ppp_deliver(channel);
}

void ppp_channel_free(struct ppp_channel *channel)
{
	if (!channel)
		return;
	cr_assert_not(channel->dead);
	w.ppp.channels--;
	channel->dead = true;
	if (!channel->busy)
		free(channel);
}

int ppp_channel_reply(struct ppp_channel *channel, struct ppp_auth_reply *reply)
{
	static const char *const words[] = { "", "accept", "reject", "unavailable" };

	cr_assert_not(channel->dead);
	reply->head = (struct ppp_head){ PPP_AUTH_REPLY, PPP_PROTO_VERSION, sizeof(*reply), 1 };
	w.ppp.reply = *reply;
	done("%s", words[reply->result]);
	return 0;
}

int ppp_channel_ask(struct ppp_channel *channel, struct ppp_eap *request)
{
	cr_assert_not(channel->dead);
	request->head =
		(struct ppp_head){ PPP_EAP_REQUEST, PPP_PROTO_VERSION, sizeof(*request), 1 };
	w.ppp.challenge = *request;
	done("challenge");
	return ppp_message_check(request, sizeof(*request)) ? -EINVAL : 0;
}

int ppp_template_fork(struct ppp_template *template, uint64_t session, struct ppp_fork *request,
	int pppox, int channel, int udp)
{
	(void)session;
	cr_assert_not_null(template);
	cr_assert_eq(pppox, 1000);
	cr_assert_geq(channel, 0);
	cr_assert_eq(udp, 2000);
	w.ppp.request = *request;
	if (!w.ppp.fork_error)
		done("fork");
	return w.ppp.fork_error;
}
