/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever a peer does wrong, and however often: it is one line a second, which counts those left out.
 */
#include "tests/unit/env_fake.h"
#include "tests/unit/l2tp/fake.h"

#include <criterion/criterion.h>
#include <string.h>

enum { TIMES = 10 };

static struct fake fake;
static struct lac lac;

/* ---- mistakes without a tunnel ---- */

static void say(uint16_t session_id, struct l2tp_msg msg)
{
	lac_send(&lac, session_id, &msg);
}

static void send_short_packet(void)
{
	static const uint8_t packet[] = { 0xc8, 2, 0, 99 };

	lac_send_octets(&lac, packet, sizeof(packet));
}

static void name_unknown_tunnel(void)
{
	lac.peer_id = 4711;
	say(0, lac_hello());
}

static void hello_for_no_tunnel(void)
{
	lac.peer_id = 0;
	say(0, lac_hello());
}

/* Each is another one, so that none is taken for a copy. */
static struct l2tp_msg another_sccrq(void)
{
	lac.ns = lac.nr = lac.peer_id = 0;
	lac.id++;
	return lac_sccrq(&lac);
}

static void be_a_stranger(void)
{
	fake.unknown_peer = true;
	say(0, another_sccrq());
}

static void ask_while_drained(void)
{
	l2tp_server_drain(fake.server, true);
	say(0, another_sccrq());
}

static void ask_for_another_protocol(void)
{
	struct l2tp_msg sccrq = another_sccrq();

	sccrq.protocol_version = 0x0200;
	say(0, sccrq);
}

static void ask_with_a_broken_avp(void)
{
	struct l2tp_msg sccrq = another_sccrq();

	lac_build(&lac, 0, &sccrq);
	lac.packet[13] = 9; /* the Message Type's length */
	lac_repeat(&lac);
}

static void ask_too_often(void)
{
	const struct l2tp_counters *counters = l2tp_server_counters(fake.server);
	uint64_t before = counters->sccrq_limited;

	fake.settings.sccrq_rate_per_source = 1;
	l2tp_server_set(fake.server, &fake.settings);
	while (counters->sccrq_limited == before)
		say(0, another_sccrq());
}

/* ---- in a tunnel ---- */

static void name_unknown_call(void)
{
	say(4242, lac_iccn());
}

static void end_unknown_call(void)
{
	say(4242, lac_cdn(5, 1));
}

static void call_beyond_the_limit(void)
{
	fake.settings.max_sessions = 1;
	l2tp_server_set(fake.server, &fake.settings);
	if (!l2tp_session_next(fake.tunnel, 0))
		say(0, lac_icrq(5));
	say(0, lac_icrq(6));
}

static void want_a_call(void)
{
	say(0, (struct l2tp_msg){ .type = L2TP_OCRQ,
		       .present = HAS(ASSIGNED_SESSION_ID) | HAS(CALL_SERIAL_NUMBER) |
				  HAS(MINIMUM_BPS) | HAS(MAXIMUM_BPS) | HAS(BEARER_TYPE) |
				  HAS(FRAMING_TYPE) | HAS(CALLED_NUMBER),
		       .assigned_session_id = 6,
		       .called_number = { (const uint8_t *)"800", 3 } });
}

/* A message with another type than it was built with. */
static void say_as(struct l2tp_msg msg, uint8_t flags, uint8_t type)
{
	lac_build(&lac, 0, &msg);
	lac.ns++;
	lac.packet[12] = flags;
	lac.packet[19] = type;
	lac_repeat(&lac);
}

static void say_what_is_unknown(void)
{
	say_as(lac_hello(), 0, 99);
}

static void call_without_a_serial_number(void)
{
	struct l2tp_msg icrq = lac_icrq(7);

	lac_build(&lac, 0, &icrq);
	lac.ns++;
	lac.packet[12 + 8 + 8 + 5]++; /* the AVP behind Message Type and Assigned Session ID */
	lac_repeat(&lac);
}

static void call_with_a_bad_optional_avp(void)
{
	static const uint8_t bad[] = { 0, 7, 0, 0, 0, 18, 1 }; /* Bearer Type of one octet, no M */
	struct l2tp_msg icrq = lac_icrq(8);

	fake.refuse_calls = true;
	lac_build(&lac, 0, &icrq);
	lac.ns++;
	memcpy(lac.packet + lac.packet_len, bad, sizeof(bad));
	lac.packet_len += sizeof(bad);
	lac.packet[3] = (uint8_t)lac.packet_len;
	lac_repeat(&lac);
}

static void speak_from_elsewhere(void)
{
	struct lac stranger;

	lac_init(&stranger, &fake, "198.51.100.7", 4000, 79);
	stranger.peer_id = lac.peer_id;
	stranger.ns = lac.ns;
	lac_build(&stranger, 0, &(struct l2tp_msg){ .type = L2TP_HELLO });
	lac_repeat(&stranger);
}

static const struct mistake {
	const char *line; /* that is expected */
	void (*make)(void);
	bool in_tunnel;
} mistakes[] = {
	{ "packet discarded", send_short_packet, false },
	{ "unknown tunnel 4711", name_unknown_tunnel, false },
	{ "for tunnel 0 ignored", hello_for_no_tunnel, false },
	{ "no lac section", be_a_stranger, false },
	{ "no new tunnels here", ask_while_drained, false },
	{ "SCCRQ refused: protocol version", ask_for_another_protocol, false },
	{ "SCCRQ", ask_with_a_broken_avp, false },
	{ "too many new tunnels", ask_too_often, false },
	{ "there is no session 4242", name_unknown_call, true },
	{ "CDN for no call ignored", end_unknown_call, true },
	{ "limit of 1 sessions", call_beyond_the_limit, true },
	{ "OCRQ refused", want_a_call, true },
	{ "ignored", say_what_is_unknown, true },
	{ "ICRQ refused", call_without_a_serial_number, true },
	{ "taken without an AVP", call_with_a_bad_optional_avp, true },
	{ "is not its peer", speak_from_elsewhere, true },
};

static void commit(const struct mistake *mistake)
{
	char count[40];
	FILE *log;

	fake_init(&fake);
	fake_start(&fake);
	lac_init(&lac, &fake, "198.51.100.7", 1701, 77);
	if (mistake->in_tunnel)
		lac_open(&lac);
	log = fake_log_to_file();
	for (int n = 0; n < TIMES; n++)
		mistake->make();
	cr_assert_eq(fake_lines_with(log, mistake->line), 1, "%s", mistake->line);
	cr_assert_eq(fake_lines_with(log, "warning"), 1, "%s", mistake->line);
	fake_advance(&fake, ENV_SEC(1));
	mistake->make();
	snprintf(count, sizeof(count), "(and %d more like it)", TIMES - 1);
	cr_assert_eq(fake_lines_with(log, "warning"), 2, "%s", mistake->line);
	cr_assert_eq(fake_lines_with(log, count), 1, "%s", mistake->line);
	fclose(log);
	fake_end(&fake);
}

Test(mistakes, each_is_one_line_a_second)
{
	for (size_t n = 0; n < sizeof(mistakes) / sizeof(*mistakes); n++)
		commit(&mistakes[n]);
}
