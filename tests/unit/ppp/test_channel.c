/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel: the engine's end of a session's channel against a scripted plugin on the other one.
 */
#include "lns/ppp/ppp.h"
#include "tests/unit/env_fake.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SESSION 99

/* What the callbacks saw, in order: a auth, e EAP, L link up, u/d NCP up/down, D link down, c closed. */
static struct seen {
	char order[64];
	int count;
	uint32_t request;
	char reason[64];
	struct ppp_channel *channel;
	char free_on; /* the callback that frees the channel */
} seen;

static void note(char what)
{
	seen.order[seen.count++] = what;
	if (seen.free_on == what) {
		ppp_channel_free(seen.channel);
		seen.channel = NULL;
	}
}

static void on_auth(void *ctx, const struct ppp_auth_request *request)
{
	cr_assert_eq(ctx, &seen);
	seen.request = request->request;
	note('a');
}

static void on_eap(void *ctx, const struct ppp_eap *response)
{
	cr_assert_eq(ctx, &seen);
	seen.request = response->request;
	note('e');
}

static void on_link_up(void *ctx, const struct ppp_link_up *message)
{
	(void)ctx, (void)message;
	note('L');
}

static void on_ncp_up(void *ctx, const struct ppp_ncp_up *message)
{
	(void)ctx, (void)message;
	note('u');
}

static void on_ncp_down(void *ctx, const struct ppp_ncp_down *message)
{
	(void)ctx, (void)message;
	note('d');
}

static void on_link_down(void *ctx, const struct ppp_link_down *message)
{
	(void)ctx, (void)message;
	note('D');
}

static void on_closed(void *ctx, const char *reason)
{
	(void)ctx;
	snprintf(seen.reason, sizeof(seen.reason), "%s", reason ? reason : "end of file");
	note('c');
}

static const struct ppp_channel_ops ops = { on_auth, on_eap, on_link_up, on_ncp_up, on_ncp_down,
	on_link_down, on_closed };

static struct env *env;
static int plugin;

static void setup(void)
{
	memset(&seen, 0, sizeof(seen));
	env = env_fake_new();
	cr_assert_eq(ppp_channel_new(env, SESSION, &ops, &seen, &seen.channel, &plugin), 0);
}

static void teardown(void)
{
	ppp_channel_free(seen.channel);
	if (plugin >= 0)
		close(plugin);
	env_fake_free(env);
}

static void plugin_send(void *message, int type, uint32_t size)
{
	struct ppp_head *head = message;

	*head = (struct ppp_head){
		.type = type, .version = PPP_PROTO_VERSION, .size = size, .session = SESSION
	};
	cr_assert_eq(send(plugin, message, size, 0), (ssize_t)size);
}

static void plugin_send_down(void)
{
	struct ppp_link_down down = { .end = PPP_END_PEER };

	plugin_send(&down, PPP_LINK_DOWN, sizeof(down));
}

static void poll_all(void)
{
	for (int i = 0; i < 20 && env_fake_poll(env, 0); i++)
		;
}

Test(channel, messages_arrive_in_order, .init = setup, .fini = teardown)
{
	struct ppp_auth_request request = {
		.request = 3, .protocol = PPP_AUTH_PAP, .response_len = 6
	};
	struct ppp_link_up up = { .mru = 1500, .peer_mru = 1492, .ifindex = 5 };
	struct ppp_ncp_up ncp = { .family = PPP_IPV6, .mtu = 1460, .ifindex = 3, .ifname = "ppp0" };
	struct ppp_ncp_down down = { .family = PPP_IPV6 };

	plugin_send(&up, PPP_LINK_UP, sizeof(up));
	plugin_send(&request, PPP_AUTH_REQUEST, sizeof(request));
	plugin_send(&ncp, PPP_NCP_UP, sizeof(ncp));
	plugin_send(&down, PPP_NCP_DOWN, sizeof(down));
	plugin_send_down();
	close(plugin);
	plugin = -1;
	poll_all();
	cr_assert_str_eq(seen.order, "LaudDc");
	cr_assert_eq(seen.request, 3);
	cr_assert_str_eq(seen.reason, "end of file");
	cr_assert_eq(env_fake_watchers(env), 0, "a closed channel is not watched");
}

Test(channel, a_turn_is_bounded, .init = setup, .fini = teardown)
{
	for (int i = 0; i < 20; i++)
		plugin_send_down();
	env_fake_poll(env, 0);
	cr_assert_eq(seen.count, 2);
	poll_all();
	cr_assert_eq(seen.count, 20);
}

/* It ends without reading an answer that came twice; the kernel tells that before what it had sent. */
Test(channel, last_words_outlive_pppd, .init = setup, .fini = teardown)
{
	struct ppp_auth_reply reply = { .request = 12, .result = PPP_AUTH_REJECT };

	cr_assert_eq(ppp_channel_reply(seen.channel, &reply), 0);
	plugin_send_down();
	close(plugin);
	plugin = -1;
	poll_all();
	cr_assert_str_eq(seen.order, "Dc");
	cr_assert_str_eq(seen.reason, "end of file");
}

Test(channel, malformed_message_closes_once, .init = setup, .fini = teardown)
{
	cr_assert_eq(send(plugin, "junk", 4, 0), 4);
	plugin_send_down();
	poll_all();
	cr_assert_str_eq(seen.order, "c");
	cr_assert_str_eq(seen.reason, "malformed message");
}

Test(channel, oversized_message_closes, .init = setup, .fini = teardown)
{
	static char big[sizeof(union ppp_message) + 100];

	cr_assert_eq(send(plugin, big, sizeof(big), 0), (ssize_t)sizeof(big));
	poll_all();
	cr_assert_str_eq(seen.order, "c");
	cr_assert_str_eq(seen.reason, "malformed message");
}

Test(channel, another_session_closes, .init = setup, .fini = teardown)
{
	struct ppp_link_down down = { .head = { PPP_LINK_DOWN, PPP_PROTO_VERSION, sizeof(down),
					      SESSION + 1 },
		.end = PPP_END_PEER };

	cr_assert_eq(send(plugin, &down, sizeof(down), 0), (ssize_t)sizeof(down));
	poll_all();
	cr_assert_str_eq(seen.order, "c");
	cr_assert_str_eq(seen.reason, "message of another session");
}

Test(channel, engine_messages_are_not_taken, .init = setup, .fini = teardown)
{
	struct ppp_auth_reply reply = { .result = PPP_AUTH_REJECT };

	plugin_send(&reply, PPP_AUTH_REPLY, sizeof(reply));
	poll_all();
	cr_assert_str_eq(seen.order, "c");
	cr_assert_str_eq(seen.reason, "message that only lnsd may send");
}

Test(channel, may_be_freed_from_its_callbacks, .init = setup, .fini = teardown)
{
	seen.free_on = 'D';
	plugin_send_down();
	plugin_send_down();
	poll_all();
	cr_assert_str_eq(seen.order, "D");
	cr_assert_null(seen.channel);
}

Test(channel, may_be_freed_when_closed, .init = setup, .fini = teardown)
{
	seen.free_on = 'c';
	cr_assert_eq(send(plugin, "junk", 4, 0), 4);
	poll_all();
	cr_assert_str_eq(seen.order, "c");
	cr_assert_null(seen.channel);
}

Test(channel, reply_is_complete, .init = setup, .fini = teardown)
{
	struct ppp_auth_reply reply = { .request = 12, .result = PPP_AUTH_REJECT }, got;

	cr_assert_eq(ppp_channel_reply(seen.channel, &reply), 0);
	cr_assert_eq(recv(plugin, &got, sizeof(got), 0), (ssize_t)sizeof(got));
	cr_assert_eq(ppp_message_check(&got, sizeof(got)), 0);
	cr_assert_eq(got.head.session, SESSION);
	cr_assert_eq(got.request, 12);
}

Test(channel, reply_is_checked_and_may_fail, .init = setup, .fini = teardown)
{
	struct ppp_auth_reply reply = { .result = PPP_AUTH_ACCEPT };

	cr_assert_eq(ppp_channel_reply(seen.channel, &reply), -EINVAL);
	reply.result = PPP_AUTH_REJECT;
	close(plugin);
	plugin = -1;
	cr_assert_eq(ppp_channel_reply(seen.channel, &reply), -EPIPE);
}

Test(channel, a_later_engine_adopts_it, .init = setup, .fini = teardown)
{
	int kept = dup(ppp_channel_fd(seen.channel));

	ppp_channel_free(seen.channel);
	plugin_send_down();
	cr_assert_eq(ppp_channel_adopt(env, kept, SESSION, &ops, &seen, &seen.channel), 0);
	poll_all();
	cr_assert_str_eq(seen.order, "D");
}

Test(channel, eap_both_ways, .init = setup, .fini = teardown)
{
	struct ppp_eap eap = { .request = 4, .packet_len = 6, .packet = { 2, 1, 0, 6, 1, 'x' } };
	union ppp_message got;

	plugin_send(&eap, PPP_EAP_RESPONSE, sizeof(eap));
	poll_all();
	cr_assert_str_eq(seen.order, "e");
	cr_assert_eq(seen.request, 4);
	cr_assert_eq(ppp_channel_ask(seen.channel, &eap), -EINVAL, "a Response is no Request");
	eap.packet[0] = PPP_EAP_CODE_REQUEST;
	cr_assert_eq(ppp_channel_ask(seen.channel, &eap), 0);
	cr_assert_eq(recv(plugin, &got, sizeof(got), MSG_DONTWAIT), sizeof(eap));
	cr_assert_eq(ppp_message_check(&got, sizeof(eap)), 0);
	cr_assert_eq(got.head.type, PPP_EAP_REQUEST);
	/* Only lnsd asks. */
	plugin_send(&eap, PPP_EAP_REQUEST, sizeof(eap));
	poll_all();
	cr_assert_str_eq(seen.order, "ec");
}
