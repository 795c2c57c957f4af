// SPDX-License-Identifier: BSD-2-Clause
/*
 * The life as a whole: every state with every event, what it does at once and what until the end, printed
 * and compared with a file that was read. Who changes something here reviews the difference and commits
 * both. WRITE_LIFE_TABLE=1 in the environment writes the file anew.
 */
#include "tests/unit/reviewed.h"
#include "tests/unit/subscriber/fake.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct subscriber *sub_of(struct l2tp_session *call)
{
	return subscriber_find(w.all, call->key);
}

static void operator_ends(struct l2tp_session *call)
{
	subscriber_end(sub_of(call), END_OPERATOR, NULL);
}

static void lnsd_stops(struct l2tp_session *call)
{
	(void)call;
	subscribers_end_all(w.all, END_SHUTDOWN);
}

static void exits(struct l2tp_session *call)
{
	pppd_exits(call, 5 << 8);
}

static void is_killed(struct l2tp_session *call)
{
	pppd_exits(call, 9);
}

static void fork_works(struct l2tp_session *call)
{
	template_answers(call, 0);
}

static void fork_fails(struct l2tp_session *call)
{
	template_answers(call, -12);
}

static void template_ready(struct l2tp_session *call)
{
	(void)call;
	subscribers_template_ready(w.all);
}

static void monitor_gone(struct l2tp_session *call)
{
	(void)call;
	subscribers_orphaned(w.all);
}

static void timer(struct l2tp_session *call)
{
	struct subscriber *sub = sub_of(call);

	env_timer_stop(sub->timer);
	subscriber_timer_fires(sub);
}

static void asks(struct l2tp_session *call)
{
	pppd_asks(call, "alice", "pw");
}

static void repeats(struct l2tp_session *call)
{
	pppd_repeats(call);
}

static void ipv4_up(struct l2tp_session *call)
{
	pppd_network_up(call, PPP_IPV4);
}

static void ipv6_up(struct l2tp_session *call)
{
	pppd_network_up(call, PPP_IPV6);
}

static void ipv4_down(struct l2tp_session *call)
{
	pppd_network_down(call, PPP_IPV4);
}

static void eof(struct l2tp_session *call)
{
	pppd_closes(call, NULL);
}

static void breaks(struct l2tp_session *call)
{
	pppd_closes(call, "malformed message");
}

#define ENDS(name, end)                                                                            \
	static void name(struct l2tp_session *call)                                                \
	{                                                                                          \
		pppd_link_down(call, end);                                                         \
	}
ENDS(end_peer, PPP_END_PEER)
ENDS(end_lcp, PPP_END_LCP_FAILED)
ENDS(end_auth, PPP_END_AUTH_FAILED)
ENDS(end_auth_timeout, PPP_END_AUTH_TIMEOUT)
ENDS(end_echo, PPP_END_ECHO_TIMEOUT)
ENDS(end_ncp, PPP_END_NCP_FAILED)
ENDS(end_signal, PPP_END_SIGNAL)
ENDS(end_hangup, PPP_END_HANGUP)
ENDS(end_loop, PPP_END_LOOP)
ENDS(end_other, PPP_END_OTHER)

static const struct event {
	const char *name;
	void (*happens)(struct l2tp_session *call);
	enum { ANY, NEEDS_PPPD } needs;
} events[] = {
	{ "CDN from the LAC", lac_hangs_up, ANY },
	{ "tunnel lost", tunnel_is_lost, ANY },
	{ "operator ends it", operator_ends, ANY },
	{ "lnsd stops", lnsd_stops, ANY },
	{ "monitor gone", monitor_gone, ANY },
	{ "template ready", template_ready, ANY },
	{ "timer", timer, ANY },
	{ "ICCN", lac_connects, ANY },
	{ "fork answered", fork_works, ANY },
	{ "fork failed", fork_fails, ANY },
	{ "interface gone", interface_vanishes, ANY },
	{ "pppd exits 5", exits, NEEDS_PPPD },
	{ "pppd is killed", is_killed, NEEDS_PPPD },
	{ "pppd links up", pppd_link_up, NEEDS_PPPD },
	{ "pppd asks", asks, NEEDS_PPPD },
	{ "pppd repeats", repeats, NEEDS_PPPD },
	{ "pppd IPv4 up", ipv4_up, NEEDS_PPPD },
	{ "pppd IPv6 up", ipv6_up, NEEDS_PPPD },
	{ "pppd IPv4 down", ipv4_down, NEEDS_PPPD },
	{ "pppd end: peer", end_peer, NEEDS_PPPD },
	{ "pppd end: LCP", end_lcp, NEEDS_PPPD },
	{ "pppd end: auth", end_auth, NEEDS_PPPD },
	{ "pppd end: no auth", end_auth_timeout, NEEDS_PPPD },
	{ "pppd end: echo", end_echo, NEEDS_PPPD },
	{ "pppd end: NCP", end_ncp, NEEDS_PPPD },
	{ "pppd end: signal", end_signal, NEEDS_PPPD },
	{ "pppd end: hangup", end_hangup, NEEDS_PPPD },
	{ "pppd end: loop", end_loop, NEEDS_PPPD },
	{ "pppd end: other", end_other, NEEDS_PPPD },
	{ "pppd closes", eof, NEEDS_PPPD },
	{ "pppd breaks off", breaks, NEEDS_PPPD },
};

/* The reason that was counted. */
static const char *counted_end(void)
{
	const struct subscribers_counters *c = subscribers_get_counters(w.all);

	for (int reason = END_NONE + 1; reason < END_COUNT; reason++)
		if (c->ended[reason])
			return end_rule(reason)->text;
	return "-";
}

/* One row: what the event does at once, where that leads, and what follows when all the world answers. */
static void print_row(FILE *out, enum subscriber_state state, const struct event *event)
{
	struct l2tp_session *call;

	world_init();
	world_start();
	call = call_in(state);
	event->happens(call);
	time_passes(0);
	fprintf(out, "%-8s %-18s %-40s %s\n", subscriber_state_word(state), event->name, w.log,
		state_of(call));
	w.log[0] = '\0';
	if (sub_of(call) && sub_of(call)->state == SUBSCRIBER_ENDING)
		everything_settles(call);
	time_passes(ENV_SEC(3));
	if (w.log[0])
		fprintf(out, "%27s %-40s %s\n", "then", w.log, counted_end());
	/* Whatever it came to: it can be ended, and nothing is left. */
	if (sub_of(call))
		subscriber_end(sub_of(call), END_OPERATOR, NULL);
	everything_settles(call);
	time_passes(ENV_SEC(3));
	everything_settles(call);
	world_end();
}

static void print_table(FILE *out)
{
	fprintf(out,
		"Printed by test_table.c: state, event, what is done at once, state or end.\n");
	for (int state = SUBSCRIBER_QUEUED; state <= SUBSCRIBER_ENDING; state++) {
		fprintf(out, "\n");
		for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
			if (events[i].needs == ANY || state >= SUBSCRIBER_FORKING)
				print_row(out, state, &events[i]);
	}
}

Test(table, is_the_reviewed_one)
{
	expect_reviewed("tests/unit/subscriber/life_table.txt", "WRITE_LIFE_TABLE", print_table);
}
