/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake: a world around subscriber/ that does nothing by itself. What subscriber/ does to it is written
 * down in order, one word each; a test says what happens, and what it expects to have been done:
 *
 *	struct l2tp_session *call = lac_calls();	  expect("open");
 *	kernel_answers(call, 0);			  expect("icrp");
 *	lac_connects(call);				  expect("fork close keep");
 *	template_answers(call, 0);			  expect("");
 *	pppd_asks(call, "alice", "pw");		  expect("ask");
 *	radius_accepts(call, NULL);			  expect("accept");
 *	pppd_network_up(call, PPP_IPV4);		  expect("group start");
 *
 * The parts are fake_kernel.c, fake_ppp.c, fake_l2tp.c, fake_monitor.c (with the state memory) and
 * fake_spool.c (with the RADIUS client).
 */
#ifndef TESTS_UNIT_SUBSCRIBER_FAKE_H
#define TESTS_UNIT_SUBSCRIBER_FAKE_H

#include "lns/config/config.h"
#include "lns/subscriber/internal.h"
#include "lns/subscriber/pool.h"
#include "lns/subscriber/users.h"
#include "tests/unit/env_fake.h"
#include "tests/unit/subscriber/fake_kernel.h"
#include "tests/unit/subscriber/fake_l2tp.h"
#include "tests/unit/subscriber/fake_monitor.h"
#include "tests/unit/subscriber/fake_ppp.h"
#include "tests/unit/subscriber/fake_spool.h"

struct world {
	struct env *env;
	struct subscribers *all;
	struct config config;
	struct config_ppp ppps[2];
	struct config_pool pool;
	struct config_pool_range range;
	struct config_user users[2];
	struct pools *pools;
	struct users *index;
	bool no_spool, no_auth;

	struct fake_kernel kernel;
	struct fake_ppp ppp;
	struct fake_l2tp l2tp;
	struct fake_monitor monitor;
	struct fake_spool spool;

	char log[4096];
};

/* The one world: fakes of free functions have no other way to it. */
extern struct world w;

/* RADIUS, one ppp section "p" with the pool 100.64.0.0/29, templates ready. Change it, then world_start. */
void world_init(void);
void world_start(void);
/* Nothing may be left: sessions, timers, jobs, channels, descriptors, records, addresses, holds. */
void world_end(void);
/* Takes the configuration as it is now. */
void world_reload(void);

void done(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define expect(words) expect_at(__LINE__, words)
void expect_at(int line, const char *words);
/* At the end of the turn. */
const struct subscribers_counters *counters(void);
/* The state's word, or the end's, or "gone". */
const char *state_of(const struct l2tp_session *call);

/* ---- what happens ---- */

struct l2tp_session *lac_calls(void);
void kernel_answers(struct l2tp_session *call, int err);
void lac_connects(struct l2tp_session *call);
void lac_hangs_up(struct l2tp_session *call);
void tunnel_is_lost(struct l2tp_session *call);
void template_answers(struct l2tp_session *call, int err);
void pppd_asks(struct l2tp_session *call, const char *user, const char *password);
void pppd_repeats(struct l2tp_session *call);
void pppd_network_up(struct l2tp_session *call, enum ppp_family family);
void pppd_network_down(struct l2tp_session *call, enum ppp_family family);
void pppd_link_up(struct l2tp_session *call);
void pppd_link_down(struct l2tp_session *call, enum ppp_end end);
void pppd_closes(struct l2tp_session *call, const char *broken);
void pppd_exits(struct l2tp_session *call, int status);
void interface_vanishes(struct l2tp_session *call);
void radius_accepts(struct l2tp_session *call, struct radius_attrs *attrs);
void radius_rejects(struct l2tp_session *call, const char *message);
void radius_fails(struct l2tp_session *call, enum radius_outcome outcome);
void time_passes(uint64_t microseconds);

/* ---- whole stretches, with the log emptied ---- */

/* As far as that state; the user is "alice". */
struct l2tp_session *call_in(enum subscriber_state state);
struct l2tp_session *call_of(enum subscriber_state state, const char *user);
/* A pppd that was told to goes: exit, interface, and the spool commits. */
void everything_settles(struct l2tp_session *call);

#endif
