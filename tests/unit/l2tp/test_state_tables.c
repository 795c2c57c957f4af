/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state tables as a whole: every state with every event, printed, and compared with a file that was
 * read against RFC 2661 sections 7.2.1, 7.4.2 and 7.5.2. Who changes a table reviews the difference and
 * commits both. WRITE_STATE_TABLES=1 in the environment writes the file anew.
 */
#include "lns/l2tp/session_fsm.h"
#include "lns/l2tp/tunnel_fsm.h"
#include "tests/unit/reviewed.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_row(
	FILE *out, const char *state, const char *event, const char *action, const char *next)
{
	fprintf(out, "%-15s %-23s %-26s %s\n", state, event, action,
		strcmp(state, next) ? next : "");
}

static void print_tunnel(FILE *out)
{
	fprintf(out, "control connection (7.2.1): state, event, action, new state\n\n");
	for (unsigned int state = 0; state < TUNNEL_STATES; state++) {
		for (unsigned int event = 0; event < TUNNEL_EVENTS; event++)
			print_row(out, tunnel_state_name(state), tunnel_event_name(event),
				tunnel_row_action(state, event),
				tunnel_state_name(tunnel_row_next(state, event)));
		fprintf(out, "\n");
	}
}

static void print_session(FILE *out, bool outgoing)
{
	fprintf(out, "%s: state, event, action, new state\n\n",
		outgoing ? "outgoing call (7.5.2)" : "incoming call (7.4.2)");
	for (unsigned int state = 0; state < SESSION_STATES; state++) {
		for (unsigned int event = 0; event < SESSION_EVENTS; event++)
			print_row(out, session_state_name(state), session_event_name(event),
				session_row_action(outgoing, state, event),
				session_state_name(session_row_next(outgoing, state, event)));
		fprintf(out, "\n");
	}
}

static void print_tables(FILE *out)
{
	fprintf(out, "Printed by test_state_tables.c. An empty new state: it stays as it is.\n\n");
	print_tunnel(out);
	print_session(out, false);
	print_session(out, true);
}

Test(state_tables, are_the_reviewed_ones)
{
	expect_reviewed("tests/unit/l2tp/state_tables.txt", "WRITE_STATE_TABLES", print_tables);
}
