// SPDX-License-Identifier: BSD-2-Clause
/* details: what debugfs says of L2TP, in the words of Linux 6.1, and in others. */
#include "lns/kernel/details.h"

#include <criterion/criterion.h>
#include <string.h>

static struct kernel_l2tp_entry entries[] = {
	{ .tunnel_id = 5 },
	{ .is_session = 1, .tunnel_id = 5, .session_id = 7 },
	{ .is_session = 1, .tunnel_id = 5, .session_id = 4000000000 },
	{ .tunnel_id = 4000000000 },
};
static struct kernel_l2tp_list list = { entries, 4 };

static void parse(const char *text)
{
	FILE *in = fmemopen((void *)text, strlen(text), "r");

	cr_assert_not_null(in);
	kernel_details_parse(in, &list);
	fclose(in);
}

static const char whole[] =
	"TUNNEL ID, peer ID from IP to IP\n L2TPv2/L2TPv3, UDP/IP\n sessions session-count, refcnt "
	"refcnt/sk->refcnt\n debug tx-pkts/bytes/errs rx-pkts/bytes/errs\n  SESSION ID, peer ID, PWTYPE\n"
	"   refcnt cnt\n\n"
	"TUNNEL 5 peer 6 from 127.0.0.1 to 127.0.0.1\n source port 1701, dest port 1701\n"
	" L2TPv2, UDP\n 2 sessions, refcnt 9/3\n 00000000 rx 1/2/3 rx 4/5/6\n"
	"  SESSION 7, peer 8, PPP\n   nr 3, ns 4\n   refcnt 2\n   config 0/0/R/S/-/LNS 00000000 0\n"
	"   offset 0 l2specific 0/0\n   3/4 tx 1/2/3 rx 4/5/6\n   interface ppp0\n"
	"  SESSION 9, peer 8, PPP\n   refcnt 77\n"
	"  SESSION 4000000000, peer 8, PPP\n   refcnt 1\n\n"
	"TUNNEL 11 peer 6 from 127.0.0.1 to 127.0.0.1\n 2 sessions, refcnt 55/55\n"
	"TUNNEL 4000000000 peer 6 from ::1 to ::1\n L2TPv3, IP\n 0 sessions, refcnt 0/1\n";

Test(details, tunnels_and_sessions_get_what_is_theirs)
{
	parse(whole);
	cr_assert(entries[0].has_details);
	cr_assert_eq(entries[0].socket_references, 9);
	cr_assert_eq(entries[0].references, 3);
	cr_assert(entries[1].has_details);
	cr_assert_eq(entries[1].references, 2);
	cr_assert_eq(entries[1].next_receive, 3);
	cr_assert_eq(entries[1].next_send, 4);
	cr_assert_eq(entries[2].references, 1);
	cr_assert(entries[3].has_details);
	cr_assert_eq(entries[3].references, 1);
	cr_assert_eq(entries[3].socket_references, 0);
}

Test(details, other_words_are_passed_over)
{
	parse("TUNNEL\nTUNNEL x\n refcnt 3\n  SESSION\n  SESSION 0, x\n refcnt 4\nTUNNEL 5\n"
	      " sessions refcnt -\n  SESSION 7\n   refcnt\n\377\n");
	for (size_t i = 0; i < list.count; i++)
		cr_assert_not(entries[i].has_details, "%zu", i);
}

Test(details, an_entry_is_found_by_its_ids)
{
	const struct kernel_l2tp_list none = { 0 };

	cr_assert_eq(kernel_l2tp_find(&list, 5, 0), &entries[0]);
	cr_assert_eq(kernel_l2tp_find(&list, 5, 4000000000), &entries[2]);
	cr_assert_eq(kernel_l2tp_find(&list, 4000000000, 0), &entries[3]);
	cr_assert_null(kernel_l2tp_find(&list, 5, 8));
	cr_assert_null(kernel_l2tp_find(&list, 7, 0));
	cr_assert_null(kernel_l2tp_find(&none, 5, 0));
}
