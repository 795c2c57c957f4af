// SPDX-License-Identifier: BSD-2-Clause
/* The life of a session as exchanges: what happens to it on the left, what it does about it on the right. */
#include "tests/unit/subscriber/fake.h"

#include "radius/attr_codes.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#define OK         0
#define KILLED     9 /* status of a process that SIGKILL ended */
#define MINUTES(n) ENV_SEC(60 * (uint64_t)(n))

TestSuite(life, .init = world_init);

Test(life, a_call_comes_up_and_its_client_hangs_up)
{
	struct l2tp_session *call;

	world_start();
	call = lac_calls();
	expect("open");
	kernel_answers(call, OK);
	expect("icrp");
	lac_connects(call);
	expect("fork close keep");
	template_answers(call, OK);
	pppd_link_up(call);
	expect("sli");
	pppd_asks(call, "alice", "pw");
	expect("ask");
	radius_accepts(call, NULL);
	expect("accept");
	cr_assert_str_eq(state_of(call), "network");
	pppd_network_up(call, PPP_IPV4);
	expect("group7 start");
	cr_assert_str_eq(state_of(call), "up");
	time_passes(MINUTES(1));
	pppd_link_down(call, PPP_END_PEER);
	expect("");
	time_passes(ENV_MS(99));
	expect("");
	time_passes(ENV_MS(1));
	expect("kill"); /* it has acknowledged */
	pppd_exits(call, OK);
	expect("forget drop");
	interface_vanishes(call);
	expect("stop:1");
	fake_spool_commit(0);
	expect("cdn:3");
	cr_assert_str_eq(call->result.text, "ended by the client");
	world_end();
}

Test(life, what_the_records_say)
{
	const struct fake_record *start, *stop;
	struct l2tp_session *call;
	uint32_t value;

	world_start();
	call = call_in(SUBSCRIBER_UP);
	start = fake_spool_newest(RADIUS_START);
	cr_assert_not(radius_get_u32(start->attrs, RADIUS_ACCT_SESSION_TIME, &value));
	time_passes(MINUTES(2));
	pppd_link_down(call, PPP_END_PEER);
	everything_settles(call);
	stop = fake_spool_newest(RADIUS_STOP);
	cr_assert(radius_get_u32(stop->attrs, RADIUS_ACCT_SESSION_TIME, &value) && value == 120);
	/* final counters less those at network-up */
	cr_assert(radius_get_u32(stop->attrs, RADIUS_ACCT_INPUT_OCTETS, &value) && value == 1000);
	cr_assert(radius_get_u32(stop->attrs, RADIUS_ACCT_OUTPUT_OCTETS, &value) && value == 500);
	cr_assert_eq(stop->event_time - start->event_time, MINUTES(2));
	for (unsigned int i = 0; i < 2; i++) {
		const struct radius_attrs *attrs = i ? start->attrs : stop->attrs;
		char user[64];

		cr_assert(radius_get_string(attrs, RADIUS_USER_NAME, user, sizeof(user)));
		cr_assert_str_eq(user, "alice");
		cr_assert(radius_get_u32(attrs, RADIUS_FRAMED_IP_ADDRESS, &value));
		cr_assert_eq(value, 0x64400010);
	}
	world_end();
}

Test(life, the_kernel_refuses)
{
	struct l2tp_session *call;

	world_start();
	call = lac_calls();
	kernel_answers(call, -EEXIST);
	expect("open cdn:2/4");
	w.kernel.refuse_jobs = true;
	lac_calls();
	expect("open cdn:2/4");
	w.l2tp.no_kernel_tunnel = true;
	lac_calls();
	expect("cdn:2/4");
	w.l2tp.no_kernel_tunnel = false;
	w.monitor.no_records = true;
	lac_calls();
	expect("cdn:2/4");
	world_end();
}

Test(life, the_kernel_never_answers)
{
	world_start();
	lac_calls();
	expect("open");
	time_passes(ENV_SEC(10));
	expect("cdn:2/4");
	world_end();
}

Test(life, the_exit_overtakes_the_template_s_answer)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_FORKING);
	pppd_exits(call, KILLED);
	expect("forget drop cdn:2/4 kill");
	template_answers(call, OK); /* of nobody any more */
	expect("");
	cr_assert_eq(subscribers_get_counters(w.all)->pppd_starts, 1);
	world_end();
}

Test(life, no_pppd_could_be_started)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_FORKING);
	template_answers(call, -ENOMEM);
	expect("drop cdn:2/4 kill");
	w.ppp.fork_error = -EMFILE;
	call = lac_calls();
	kernel_answers(call, OK);
	lac_connects(call);
	expect("open icrp close cdn:2/4");
	world_end();
}

/* It answers for all its requests when it dies; one of them was carried out. */
Test(life, a_template_dies_behind_the_pppd_that_it_started)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_FORKING);
	pppd_asks(call, "alice", "pw");
	template_answers(call, -ECONNRESET);
	radius_accepts(call, NULL);
	pppd_network_up(call, PPP_IPV4);
	expect("ask accept group7 start");
	lac_hangs_up(call);
	everything_settles(call);
	expect("forget drop stop:2 closed kill");
	world_end();
}

Test(life, pppd_s_last_words_come_after_its_exit)
{
	union ppp_message message = { .link_down.end = PPP_END_ECHO_TIMEOUT };
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_UP);
	message.head.type = PPP_LINK_DOWN;
	fake_ppp_say(subscriber_find(w.all, call->key)->channel, &message);
	pppd_exits(call, OK);
	expect("forget drop term");
	interface_vanishes(call);
	fake_spool_commit(0);
	expect("stop:2 cdn:1");
	cr_assert_str_eq(call->result.text, "client does not answer echoes");
	world_end();
}

Test(life, the_interface_goes_first)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_UP);
	interface_vanishes(call);
	expect("");
	cr_assert_str_eq(state_of(call), "up");
	time_passes(ENV_SEC(1));
	pppd_link_down(call, PPP_END_PEER);
	pppd_exits(call, OK);
	fake_spool_commit(0);
	expect("forget drop stop:1 cdn:3");
	/* the event is the interface's end */
	cr_assert_eq(fake_spool_newest(RADIUS_STOP)->event_time,
		fake_spool_newest(RADIUS_START)->event_time);
	world_end();
}

Test(life, the_interface_goes_and_pppd_does_not_see_it)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_UP);
	interface_vanishes(call);
	time_passes(ENV_SEC(2));
	expect("kill");
	cr_assert_str_eq(state_of(call), "pppd died");
	everything_settles(call);
	expect("forget drop stop:9 cdn:2/4");
	world_end();
}

Test(life, the_kernel_says_nothing_of_the_interface)
{
	struct l2tp_session *call;
	uint32_t value;

	world_start();
	call = call_in(SUBSCRIBER_UP);
	time_passes(ENV_SEC(10));
	fake_kernel_sample(call->ifindex, 700, 7);
	lac_hangs_up(call);
	pppd_exits(call, KILLED);
	expect("forget drop kill");
	time_passes(ENV_SEC(1) - 1);
	expect("");
	time_passes(1);
	expect("stop:2 closed");
	cr_assert(radius_get_u32(
		fake_spool_newest(RADIUS_STOP)->attrs, RADIUS_ACCT_INPUT_OCTETS, &value));
	cr_assert_eq(value, 600);
	world_end();
}

/* RTM_DELLINK without statistics. */
Test(life, the_kernel_tells_no_final_counters)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_UP);
	lac_hangs_up(call);
	pppd_exits(call, KILLED);
	subscribers_link_gone(w.all, call->ifindex, NULL);
	fake_spool_commit(0);
	expect("forget drop stop:2 closed kill");
	world_end();
}

Test(life, a_slow_spool_holds_the_cdn_up_a_second_and_no_more)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_UP);
	pppd_link_down(call, PPP_END_PEER);
	time_passes(ENV_MS(20));
	pppd_exits(call, OK);
	interface_vanishes(call);
	expect("forget drop stop:1");
	time_passes(ENV_MS(979));
	expect("");
	time_passes(ENV_MS(1));
	expect("cdn:3");
	cr_assert_str_eq(state_of(call), "ended by the client");
	time_passes(ENV_MS(20));
	cr_assert_str_eq(state_of(call), "gone");
	fake_spool_commit(0); /* of nobody any more */
	world_end();
}

Test(life, a_failing_spool_holds_nothing_up)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_UP);
	w.spool.put_error = -ENOMEM;
	lac_hangs_up(call);
	pppd_exits(call, KILLED);
	interface_vanishes(call);
	expect("forget drop closed kill");
	w.spool.put_error = 0;
	call = call_in(SUBSCRIBER_UP);
	lac_hangs_up(call);
	pppd_exits(call, KILLED);
	interface_vanishes(call);
	fake_spool_commit(-EIO); /* it is in memory, and the spool tells the operator */
	expect("forget drop stop:2 closed kill");
	w.no_spool = true;
	world_reload();
	call = call_in(SUBSCRIBER_UP);
	lac_hangs_up(call);
	pppd_exits(call, KILLED);
	interface_vanishes(call);
	expect("forget drop closed kill");
	world_end();
}

Test(life, a_pppd_that_does_not_die)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_UP);
	subscriber_end(subscriber_find(w.all, call->key), END_OPERATOR, NULL);
	expect("term");
	time_passes(ENV_SEC(1) - 1);
	expect("");
	time_passes(1);
	expect("cdn:3 kill");
	time_passes(ENV_SEC(1));
	expect("kill");
	everything_settles(call);
	expect("forget drop stop:6");
	world_end();
}

Test(life, a_pppd_that_hides_behind_its_template)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_FORKING);
	lac_hangs_up(call);
	expect("kill");
	template_answers(call, OK);
	expect("kill");
	pppd_exits(call, KILLED);
	expect("forget drop closed");
	world_end();
}

Test(life, the_lac_hangs_up_on_a_session_that_ends)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_ENDING);
	lac_hangs_up(call);
	expect("kill");
	time_passes(ENV_SEC(2));
	expect("kill kill"); /* and no CDN for a call that is down */
	everything_settles(call);
	expect("forget drop stop:6 closed");
	world_end();
}

Test(life, pppd_breaks_the_protocol)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	pppd_closes(call, "malformed message");
	expect("drop kill");
	everything_settles(call);
	expect("forget cdn:2/4");
	cr_assert_str_eq(call->result.text, "pppd died: malformed message");
	world_end();
}

Test(life, pppd_closes_its_channel_and_exits)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_UP);
	pppd_closes(call, NULL);
	expect("drop kill");
	pppd_exits(call, 11);
	interface_vanishes(call);
	fake_spool_commit(0);
	expect("forget stop:9 cdn:2/4");
	cr_assert_str_eq(call->result.text, "pppd died: signal 11");
	world_end();
}

Test(life, networks_out_of_turn)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	pppd_network_up(call, PPP_IPV4);
	expect("kill");
	everything_settles(call);
	expect("forget drop cdn:2/4");

	call = call_in(SUBSCRIBER_UP); /* another interface all of a sudden */
	call->ifindex++;
	pppd_network_up(call, PPP_IPV6);
	expect("kill");
	call->ifindex--;
	everything_settles(call);
	expect("forget drop stop:9 cdn:2/4");

	call = call_in(SUBSCRIBER_NETWORK); /* a family that was not granted */
	pppd_network_up(call, PPP_IPV6);
	expect("kill");
	everything_settles(call);
	expect("forget drop cdn:2/4");
	world_end();
}

Test(life, one_family_s_end_is_not_the_session_s)
{
	struct l2tp_session *call;

	w.ppps[0].ipv6 = true;
	world_start();
	call = call_in(SUBSCRIBER_UP);
	pppd_network_up(call, PPP_IPV6);
	pppd_network_down(call, PPP_IPV4);
	pppd_network_up(call, PPP_IPV4);
	expect("");
	cr_assert_str_eq(state_of(call), "up");
	lac_hangs_up(call);
	everything_settles(call);
	world_end();
}

Test(life, the_session_timeout)
{
	struct l2tp_session *call;

	w.ppps[0].session_timeout = MINUTES(5);
	world_start();
	call = call_in(SUBSCRIBER_UP);
	time_passes(MINUTES(5) - 1);
	expect("");
	time_passes(1);
	expect("term");
	everything_settles(call);
	expect("forget drop stop:5 cdn:3");
	world_end();
}

Test(life, the_idle_timeout)
{
	struct l2tp_session *call;

	w.ppps[0].idle_timeout = ENV_SEC(25);
	world_start();
	call = call_in(SUBSCRIBER_UP);
	time_passes(ENV_SEC(10));
	fake_kernel_sample(call->ifindex, 200, 2);
	time_passes(ENV_SEC(10));
	fake_kernel_sample(call->ifindex, 200, 2);
	time_passes(ENV_SEC(10));
	fake_kernel_sample(call->ifindex, 200, 2);
	expect("");
	time_passes(ENV_SEC(10));
	fake_kernel_sample(call->ifindex, 200, 2);
	expect("term");
	everything_settles(call);
	expect("forget drop stop:4 cdn:3");
	world_end();
}

Test(life, the_setup_timeout_names_where_it_stuck)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	time_passes(ENV_SEC(60));
	expect("term");
	everything_settles(call);
	expect("forget drop cdn:4");
	cr_assert_str_eq(
		call->result.text, "setup took too long: no LCP: does the client speak PPP?");
	world_end();
}

Test(life, interims_are_spread_over_their_interval)
{
	enum { CALLS = 40, SLOTS = 60 };
	unsigned int at[SLOTS + 1] = { 0 }, busy = 0, most = 0;
	struct l2tp_session *calls[CALLS];

	w.config.radius.interim = MINUTES(10);
	world_start();
	for (unsigned int i = 0; i < CALLS; i++)
		calls[i] = call_in(SUBSCRIBER_UP);
	for (unsigned int slot = 1; slot <= SLOTS; slot++) {
		unsigned int before = w.spool.count;
		struct kernel_job *job;

		time_passes(ENV_SEC(10));
		job = fake_kernel_job("sample", NULL);
		cr_assert_not_null(job);
		for (unsigned int i = 0; i < CALLS; i++)
			subscriber_account_sample(subscriber_find(w.all, calls[i]->key),
				&(struct kernel_counters){ slot, slot, slot, slot });
		fake_kernel_answer(job, 0);
		at[slot] = w.spool.count - before;
		busy += at[slot] > 0;
		most = at[slot] > most ? at[slot] : most;
	}
	w.log[0] = '\0';
	cr_assert_eq(w.spool.count, 2 * CALLS, "each session has one interim in its interval");
	cr_assert_gt(busy, SLOTS / 3, "%u", busy);
	cr_assert_lt(most, 5, "%u at once", most);
	subscribers_end_all(w.all, END_SHUTDOWN);
	for (unsigned int i = 0; i < CALLS; i++)
		everything_settles(calls[i]);
	world_end();
}

/* The LAC's proxy LCP counts; what it says of an authentication that is not in the RFC does not. */
Test(life, an_unknown_proxy_authentication_is_left_out)
{
	const struct ppp_proxy *proxy = &w.ppp.request.proxy;
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_WAITING);
	call->call.last_sent_len = 4;
	call->call.proxy_authen_type = PPP_PROXY_AUTHEN_MAX + 1;
	call->call.proxy_name_len = call->call.proxy_challenge_len = 3;
	call->call.proxy_response_len = 16;
	lac_connects(call);
	expect("fork close keep");
	cr_assert_eq(proxy->last_sent_len, 4);
	cr_assert_eq(proxy->authen_type, 0);
	cr_assert_eq(proxy->name_len + proxy->challenge_len + proxy->response_len, 0);
	subscriber_end(subscriber_find(w.all, call->key), END_OPERATOR, NULL);
	everything_settles(call);
	world_end();
}

/* So that a client that may choose its address cannot choose one of them. */
Test(life, pppd_is_told_the_ends_of_the_tunnel)
{
	const struct l2tp_path *path = &w.l2tp.tunnel.path;
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	cr_assert_neq(w.ppp.request.tunnel_peer, 0);
	cr_assert_eq(w.ppp.request.tunnel_peer, path->peer.in4.sin_addr.s_addr);
	cr_assert_eq(w.ppp.request.tunnel_local, path->local.in4.sin_addr.s_addr);
	subscriber_end(subscriber_find(w.all, call->key), END_OPERATOR, NULL);
	everything_settles(call);
	world_end();
}

Test(life, a_stop_ends_all_and_starts_nothing)
{
	struct l2tp_session *up, *waiting;

	world_start();
	up = call_in(SUBSCRIBER_UP);
	waiting = call_in(SUBSCRIBER_WAITING);
	call_in(SUBSCRIBER_QUEUED);
	subscribers_end_all(w.all, END_SHUTDOWN);
	expect("close cdn:3 cdn:3 term");
	cr_assert(waiting->closed);
	everything_settles(up);
	expect("forget drop stop:11 cdn:3");
	world_end();
}

Test(life, the_monitor_is_gone)
{
	struct l2tp_session *up, *ending;

	world_start();
	up = call_in(SUBSCRIBER_UP);
	ending = call_in(SUBSCRIBER_ENDING);
	subscribers_orphaned(w.all);
	subscribers_end_all(w.all, END_SHUTDOWN);
	interface_vanishes(up);
	interface_vanishes(ending);
	fake_spool_commit(0);
	expect("unlink2 drop drop stop:11 stop:6 cdn:3 cdn:3");
	world_end();
}

/* The kernel takes its time for many interfaces, and nobody else ends the pppds: final counters are worth it. */
Test(life, the_monitor_is_gone_and_the_kernel_is_slow)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_UP);
	subscribers_orphaned(w.all);
	subscribers_end_all(w.all, END_SHUTDOWN);
	time_passes(ENV_SEC(1));
	expect("unlink1 drop cdn:3");
	time_passes(ENV_SEC(4));
	expect("");
	interface_vanishes(call);
	expect("stop:11");
	fake_spool_commit(0);
	world_end();
}

/* A pppd that has no network yet has an interface, which ends it. */
Test(life, the_monitor_is_gone_during_authentication)
{
	struct l2tp_session *call;

	world_start();
	call = call_in(SUBSCRIBER_LINK);
	call_in(SUBSCRIBER_LINK); /* this one's LCP is not up yet */
	pppd_link_up(call);
	w.log[0] = '\0';
	subscribers_orphaned(w.all);
	expect("unlink1");
	subscribers_end_all(w.all, END_SHUTDOWN);
	world_end();
}

/* An engine that exits frees everything and ends nothing. */
Test(life, memory_is_freed_in_every_state)
{
	for (int state = SUBSCRIBER_QUEUED; state <= SUBSCRIBER_ENDING; state++) {
		if (w.env == NULL)
			world_init();
		world_start();
		call_in(state);
		subscribers_free(w.all);
		for (unsigned int i = 0; i < w.spool.count; i++)
			w.spool.records[i].durable = NULL;
		cr_assert_eq(w.ppp.channels, 0);
		cr_assert_null(w.kernel.jobs);
		fake_monitor_free();
		fake_spool_free();
		pools_free(w.pools);
		users_free(w.index);
		env_fake_free(w.env);
		w.env = NULL;
	}
}

/* ---- numbers on data packets ---- */

/* The LAC requires them with its ICCN, long after the kernel session was made. */
Test(life, data_is_numbered_when_the_lac_requires_it)
{
	struct config_lac lac = { .reorder_timeout = ENV_MS(50) };
	struct subscriber_info info;
	struct l2tp_session *call;

	lac.lac = w.l2tp.lac;
	w.config.lacs = &lac;
	w.config.lac_count = 1;
	world_start();
	call = lac_calls();
	expect("open:50");
	kernel_answers(call, OK);
	expect("icrp");
	call->call.sequencing_required = true;
	lac_connects(call);
	expect("number fork close keep");
	subscriber_get_info(subscriber_find(w.all, call->key), &info);
	cr_assert(info.sequencing);
	cr_assert_eq(info.reorder_timeout, ENV_MS(50));
	lac_hangs_up(call);
	everything_settles(call);
	world_end();
}

Test(life, data_is_numbered_when_the_lac_section_demands_it)
{
	struct config_lac lac = { .sequencing = CONFIG_SEQUENCING_DEMAND };
	struct l2tp_session *call;

	lac.lac = w.l2tp.lac;
	w.config.lacs = &lac;
	w.config.lac_count = 1;
	world_start();
	call = lac_calls();
	kernel_answers(call, OK);
	lac_connects(call);
	expect("open icrp number fork close keep");
	lac_hangs_up(call);
	everything_settles(call);
	world_end();
}

Test(life, data_that_cannot_be_numbered_ends_the_call)
{
	struct l2tp_session *call;

	w.kernel.sequence_error = -ENOTCONN;
	world_start();
	call = lac_calls();
	call->call.sequencing_required = true;
	kernel_answers(call, OK);
	lac_connects(call);
	expect("open icrp number close cdn:2/4");
	world_end();
}

/* ---- what PPP had to do with the end (RFC 3145) ---- */

Test(life, the_cause_of_an_end_names_its_protocol)
{
	static const struct {
		enum subscriber_state state;
		enum ppp_end end;
		uint16_t cause, protocol;
	} rows[] = {
		{ SUBSCRIBER_LINK, PPP_END_LCP_FAILED, 5, 0xc021 },
		{ SUBSCRIBER_LINK, PPP_END_AUTH_TIMEOUT, 13,
			0xc023 }, /* the section has PAP alone */
		{ SUBSCRIBER_NETWORK, PPP_END_NCP_FAILED, 18, 0x8021 },
		{ SUBSCRIBER_UP, PPP_END_PEER, 3, 0 },
		{ SUBSCRIBER_UP, PPP_END_ECHO_TIMEOUT, 8, 0xc021 },
	};
	struct l2tp_session *call;

	w.ppps[0].auth = CONFIG_AUTH_PAP;
	world_start();
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		call = call_in(rows[n].state);
		pppd_link_down(call, rows[n].end);
		everything_settles(call);
		cr_assert_eq(call->cause, rows[n].cause, "row %zu: %u", n, call->cause);
		cr_assert_eq(call->cause_protocol, rows[n].protocol, "row %zu: 0x%x", n,
			call->cause_protocol);
	}
	call = call_in(SUBSCRIBER_LINK);
	pppd_asks(call, "alice", "wrong");
	radius_rejects(call, "no");
	subscriber_find(w.all, call->key)->protocol = PPP_AUTH_CHAP_MD5;
	pppd_link_down(call, PPP_END_AUTH_FAILED);
	everything_settles(call);
	cr_assert_eq(call->cause, 16);
	cr_assert_eq(call->cause_protocol, 0xc223);
	w.ppps[0].auth |= CONFIG_AUTH_EAP; /* pppd offers it first */
	call = call_in(SUBSCRIBER_LINK);
	pppd_link_down(call, PPP_END_AUTH_TIMEOUT);
	everything_settles(call);
	cr_assert_eq(call->cause_protocol, 0xc227);
	world_end();
}

/* ---- where to look ---- */

Test(life, the_end_of_pppd_says_where_to_look)
{
	static const struct {
		enum subscriber_state state;
		enum ppp_end end;
		const char *text;
	} rows[] = {
		{ SUBSCRIBER_LINK, PPP_END_LCP_FAILED, "LCP did not open: no answer, or" },
		{ SUBSCRIBER_LINK, PPP_END_AUTH_TIMEOUT, "did not authenticate: it gave no name" },
		{ SUBSCRIBER_LINK, PPP_END_LOOP, "looped back: our own frames come back" },
		{ SUBSCRIBER_NETWORK, PPP_END_NCP_FAILED, "came up: no agreement on IPv4" },
	};
	static const struct {
		int status;
		const char *text;
	} exits[] = {
		{ SIGKILL, "pppd died: signal 9, of an operator, or memory is short" },
		{ SIGSEGV, "pppd died: signal 11" },
		{ 5 << 8, "pppd died: exit status 5, see pppd(8)" },
	};
	struct l2tp_session *call;

	world_start();
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		call = call_in(rows[n].state);
		pppd_link_down(call, rows[n].end);
		everything_settles(call);
		cr_assert(strstr(call->result.text, rows[n].text), "%s", call->result.text);
	}
	for (size_t n = 0; n < sizeof(exits) / sizeof(exits[0]); n++) {
		call = call_in(SUBSCRIBER_LINK);
		pppd_exits(call, exits[n].status);
		everything_settles(call);
		cr_assert(strstr(call->result.text, exits[n].text), "%s", call->result.text);
	}
	world_end();
}
