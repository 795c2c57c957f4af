/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory runs out anywhere in a call's life: for every n, the n-th allocation of the server fails, and
 * nothing may be left behind, crash or hang.
 */
#include "tests/unit/env_fake.h"
#include "tests/unit/l2tp/fake.h"
#include "tests/unit/short_memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/*
 * The LAC plays its part without looking at the answers; what it needs of them, the ids, it takes from
 * the server. Everything happens: early messages, calls both ways, restarts, the end.
 */
static struct fake fake;

static void say(struct lac *lac, uint16_t session_id, struct l2tp_msg msg)
{
	lac_build(lac, session_id, &msg);
	if (msg.type != L2TP_ZLB)
		lac->ns++;
	short_memory_arm(true);
	l2tp_server_input(fake.server, &lac->path, lac->packet, lac->packet_len);
	short_memory_arm(false);
}

/* Acknowledges everything that the server has sent so far. */
static void listen_to(struct lac *lac, struct l2tp_tunnel *tunnel)
{
	struct l2tp_tunnel_info info;

	if (!tunnel)
		return;
	l2tp_tunnel_info(tunnel, &info);
	lac->peer_id = info.id;
	lac->nr = info.ns;
	say(lac, 0, (struct l2tp_msg){ .type = L2TP_ZLB });
}

static struct l2tp_tunnel *first_tunnel(void)
{
	return l2tp_tunnel_next(fake.server, 0);
}

static struct l2tp_session *placed_call(struct l2tp_tunnel *tunnel)
{
	static const struct l2tp_call_request request = {
		.called_number = "800", .bearer_type = 1, .framing_type = 1
	};
	struct l2tp_session *session = NULL;

	short_memory_arm(true);
	l2tp_session_place(tunnel, &request, &session);
	short_memory_arm(false);
	return session;
}

static void call_both_ways(struct lac *lac, struct l2tp_tunnel *tunnel)
{
	struct l2tp_result result = { .code = L2TP_CDN_ADMINISTRATIVE };
	struct l2tp_msg icrq = lac_icrq(5);
	struct l2tp_session *session;
	struct l2tp_session_info info = { 0 };

	icrq.present |= HAS(CONNECT_SPEED_UPDATE_ENABLE);
	say(lac, 0, icrq);
	session = l2tp_session_next(tunnel, 0);
	if (session)
		l2tp_session_info(session, &info);
	listen_to(lac, tunnel);
	lac->ns++; /* a Hello overtakes the ICCN and is kept */
	say(lac, 0, lac_hello());
	lac->ns = (uint16_t)(lac->ns - 2);
	say(lac, info.id, lac_iccn());
	lac->ns++;
	session = l2tp_session_find(tunnel, info.id);
	short_memory_arm(true);
	l2tp_tunnel_ask_speeds(tunnel);
	l2tp_server_drain_lac(fake.server, "another", L2TP_DRAIN_ON);
	if (session) {
		l2tp_session_set_link_info(session, 1, 2);
		l2tp_session_close(session, &result);
	}
	short_memory_arm(false);
	session = placed_call(tunnel);
	listen_to(lac, tunnel);
	short_memory_arm(true);
	if (session)
		l2tp_session_close(session, &result);
	listen_to(lac, tunnel);
	short_memory_arm(true);
	l2tp_tunnel_ask(tunnel);
	short_memory_arm(false);
}

/* A whole life. */
static void live(unsigned int fail)
{
	struct l2tp_result result = { .code = L2TP_STOPCCN_GENERAL };
	struct l2tp_tunnel *tunnel;
	struct lac lac, other;

	fake_init(&fake);
	lac_set_secret(&fake.lac.secret, "secret");
	fake.lac.hide_avps = true;
	fake.env = NULL;
	fake_start(&fake);
	lac_init(&lac, &fake, "198.51.100.7", 1701, 77);
	lac_init(&other, &fake, "198.51.100.8", 1701, 78);

	say(&lac, 0, lac_sccrq(&lac));
	listen_to(&lac, first_tunnel());
	say(&lac, 0, lac_scccn());
	tunnel = first_tunnel();
	if (tunnel)
		call_both_ways(&lac, tunnel);
	short_memory_arm(true);
	if (!l2tp_tunnel_connect(fake.server, &other.path, &fake.lac, &tunnel))
		l2tp_tunnel_close(tunnel, &result);
	fake_advance(&fake, ENV_SEC(70)); /* Hello, retransmissions, giving up */
	if (first_tunnel())
		l2tp_tunnel_close(first_tunnel(), &result);
	fake_advance(&fake, ENV_SEC(200));
	short_memory_arm(false);

	cr_assert_null(first_tunnel(), "allocation %u: a tunnel is left", fail);
	cr_assert_eq(env_fake_timers(fake.env), 0, "allocation %u: timers are left", fail);
	fake_end(&fake);
}

Test(alloc, nothing_is_left_behind)
{
	cr_assert_gt(short_memory_everywhere(live), 40);
}

Test(alloc, no_server_without_memory)
{
	struct l2tp_server *server = NULL;
	struct env *env = env_fake_new();
	static const struct l2tp_ops none;
	int err;

	fake_init(&fake);
	short_memory_at(1);
	short_memory_arm(true);
	err = l2tp_server_new(env, &fake.settings, &none, NULL, &server);
	short_memory_arm(false);
	cr_assert_eq(err, -12);
	cr_assert_null(server);
	env_fake_free(env);
}
